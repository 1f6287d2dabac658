//! One request: who asks, with what parameters.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, web};
use base64::Engine as _;

use super::problem::Problem;
use super::state::State;
use crate::auth::directory::Rights;
use crate::auth::gate::Principal;
use crate::auth::permission::{Permission, Permissions};
use crate::auth::predicate::Predicate;
use crate::auth::role::{self, CUSTOMER};
use crate::auth::session::{Proof, Session};
use crate::auth::user::User;

/// Longest query string; longer ones are mistakes or attacks.
const MOST_QUERY_BYTES: usize = 8 << 10;
/// Largest sum of header names and values.
const MOST_HEADER_BYTES: usize = 32 << 10;

/// What every handler answers.
pub type Answer = Result<actix_web::HttpResponse, Problem>;

/// Somebody who proved who they are.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// For the gate and the audit.
    pub principal: Principal,
    /// The user behind it.
    pub user: User,
    /// The role that the caller acts in: the user's own, or `customer` for a key that is narrowed to accounts.
    pub role: String,
    /// The accounts that the caller acts for; empty for those who act for the organisation.
    pub accounts: Vec<String>,
    /// The browser session, when it is one.
    pub session: Option<Session>,
}

impl SignedIn {
    /// Somebody in a browser session.
    pub fn in_session(principal: Principal, user: User, session: Session) -> SignedIn {
        let (role, accounts) = (user.role.clone(), accounts_of(&principal));
        SignedIn { principal, user, role, accounts, session: Some(session) }
    }

    /// Whether something is allowed, as far as it does not depend on a document.
    pub fn may(&self, permission: Permission) -> bool {
        self.principal.may(permission)
    }

    /// Refuses what is not allowed.
    pub fn need(&self, permission: Permission) -> Result<(), Problem> {
        if self.may(permission) { Ok(()) } else { Err(Problem::missing(permission)) }
    }
}

/// One request, after its rights were checked.
pub struct Ask {
    /// The request.
    pub request: HttpRequest,
    /// Who asks; always there on routes that need somebody.
    pub who: Option<SignedIn>,
    /// The body of routes that take a small one.
    pub body: web::Bytes,
    /// The body of routes that stream.
    pub payload: Option<web::Payload>,
    /// What requests share.
    pub(super) state: Arc<State>,
}

impl Ask {
    /// Who asks.
    pub fn who(&self) -> Result<&SignedIn, Problem> {
        self.who.as_ref().ok_or_else(|| Problem::unauthorized("Sign in, or send an API key."))
    }

    /// A part of the path.
    pub fn part(&self, name: &str) -> &str {
        self.request.match_info().get(name).unwrap_or_default()
    }

    /// The query parameters, of which these are known.
    pub fn params(&self, known: &[&str]) -> Result<Params, Problem> {
        Params::parse(self.request.query_string(), known)
    }

    /// The form in the body.
    pub fn form(&self, known: &[&str]) -> Result<Params, Problem> {
        self.form_of_lists(known, &[])
    }

    /// The form in the body, where each of `lists` may come several times (boxes that are ticked): one value with commas.
    pub fn form_of_lists(&self, known: &[&str], lists: &[&str]) -> Result<Params, Problem> {
        let text = std::str::from_utf8(&self.body).map_err(|_| Problem::bad_body("The form is not UTF-8."))?;
        Params::parse_lists(text, known, lists)
    }

    /// Runs what may block on the threads for that.
    pub async fn block<T: Send + 'static>(
        &self,
        work: impl FnOnce(&State) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let state = self.state.clone();
        match web::block(move || work(&state)).await {
            Ok(result) => result,
            Err(error) => Err(Problem::failed("running a request", &error)),
        }
    }
}

/// Query or form parameters, each at most once.
#[derive(Debug, Clone, Default)]
pub struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Reads `a=1&b=2`. Unknown or repeated names and bad UTF-8 are errors. Empty values count as absent.
    pub fn parse(text: &str, known: &[&str]) -> Result<Params, Problem> {
        Params::parse_lists(text, known, &[])
    }

    /// The same of a caller that may say more than is known here: the rest is left out.
    pub fn known(text: &str, known: &[&str]) -> Result<Params, Problem> {
        let name = |pair: &&str| known.contains(&pair.split('=').next().unwrap_or_default());
        Params::parse(&text.split('&').filter(name).collect::<Vec<_>>().join("&"), known)
    }

    fn parse_lists(text: &str, known: &[&str], lists: &[&str]) -> Result<Params, Problem> {
        let read = web::Query::<Vec<(String, String)>>::from_query(text);
        let all = read.map_err(|_| Problem::bad_parameter("The parameters cannot be read."))?.into_inner();
        let mut pairs: Vec<(String, String)> = Vec::with_capacity(all.len());
        for (name, value) in all {
            match pairs.iter_mut().find(|(other, _)| *other == name && lists.contains(&name.as_str())) {
                Some((_, joined)) => *joined = format!("{joined},{value}"),
                None => pairs.push((name, value)),
            }
        }
        Params::checked(pairs, known)
    }

    /// The same of pairs that were read already.
    pub fn checked(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Params, Problem> {
        for (at, (name, value)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                let allowed = known.join(", ");
                return Err(Problem::bad_parameter(format!("There is no parameter {shown:?}; there are: {allowed}.")));
            }
            if pairs.iter().take(at).any(|(other, _)| other == name) {
                return Err(Problem::bad_parameter(format!("{name} is given twice.")));
            }
            if value.contains(['\u{fffd}', '\0']) {
                return Err(Problem::bad_parameter(format!("{name} is not UTF-8 text.")));
            }
        }
        Ok(Params { pairs })
    }

    /// The value of a parameter that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, value)| n == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// One of these words.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)], otherwise: T) -> Result<T, Problem> {
        let Some(value) = self.get(name) else { return Ok(otherwise) };
        let found = words.iter().find(|(word, _)| *word == value);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let allowed: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            Problem::bad_parameter(format!("{name} is one of: {}.", allowed.join(", ")))
        })
    }

    /// A number in a range.
    pub fn number(&self, name: &str, allowed: std::ops::RangeInclusive<u32>) -> Result<Option<u32>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.parse() {
            Ok(number) if allowed.contains(&number) => Ok(Some(number)),
            _ => {
                let (low, high) = allowed.into_inner();
                Err(Problem::bad_parameter(format!("{name} is a whole number from {low} to {high}.")))
            }
        }
    }

    /// A calendar day.
    pub fn day(&self, name: &str) -> Result<Option<crate::index::value::Day>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let bad = || Problem::bad_parameter(format!("{name} is a day such as 2024-12-31."));
        let date: jiff::civil::Date = value.parse().map_err(|_| bad())?;
        let day = crate::index::value::Day::from_ymd(date.year(), date.month(), date.day());
        (value.len() == 10).then_some(day).flatten().map(Some).ok_or_else(bad)
    }
}

/// Refuses requests that are too large to be meant.
pub fn check_size(request: &HttpRequest) -> Result<(), Problem> {
    if request.uri().path_and_query().is_some_and(|path| path.as_str().len() > MOST_QUERY_BYTES) {
        return Err(Problem::too_long(format!("An address has at most {MOST_QUERY_BYTES} bytes.")));
    }
    let bytes: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > MOST_HEADER_BYTES {
        return Err(Problem::header(format!("A header has at most {MOST_HEADER_BYTES} bytes.")));
    }
    Ok(())
}

/// Refuses state-changing requests that a page of another site made the browser send.
pub fn check_origin(request: &HttpRequest) -> Result<(), Problem> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let elsewhere = || Problem::csrf("The request comes from another site.");
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Err(elsewhere());
    }
    if let Some(origin) = text("origin") {
        let host = text("host").unwrap_or_default();
        let from = origin.split_once("://").map_or("", |(_, rest)| rest);
        if !from.eq_ignore_ascii_case(host) {
            return Err(elsewhere());
        }
    }
    Ok(())
}

/// The address a request came from.
pub fn address(request: &HttpRequest) -> String {
    request.peer_addr().map_or_else(|| "unknown".into(), |peer| peer.ip().to_string())
}

/// Name of the session cookie.
pub fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-greenbar" } else { "greenbar" }
}

/// Who asks: by key when there is an `Authorization` header, else by cookie. A wrong key is an error, an ended session
/// is nobody.
pub fn authenticate(state: &State, request: &HttpRequest) -> Result<Option<SignedIn>, Problem> {
    let from = address(request);
    if request.headers().contains_key(header::AUTHORIZATION) {
        let wrong = || Problem::unauthorized("The API key is not known, or was revoked.");
        let text = api_key(request.headers()).ok_or_else(wrong)?;
        let key = state.keys.find(&text)?.ok_or_else(wrong)?;
        let user = state.users.get(&key.user)?.filter(|user| !user.disabled).ok_or_else(wrong)?;
        let mut rights = state.directory.rights(&user, &state.backend.restricted()?)?;
        let mut role = user.role.clone();
        if let Some(scopes) = key.scopes {
            rights.narrow(scopes);
        }
        if let Some(accounts) = key.accounts {
            rights.narrow(customers());
            rights.narrow_to_accounts(accounts);
            role = CUSTOMER.into();
        }
        let principal = Principal::new(user.name.clone(), from, rights);
        return Ok(Some(SignedIn { accounts: accounts_of(&principal), principal, user, role, session: None }));
    }
    let Some(cookie) = request.cookie(cookie_name(state.config.secure_cookies)) else { return Ok(None) };
    let session = state.sessions.find(cookie.value())?.filter(|session| session.proof != Proof::Half);
    let Some(session) = session else { return Ok(None) };
    let Some(user) = state.users.get(&session.user)?.filter(|user| !user.disabled) else { return Ok(None) };
    let rights = session_rights(state, &user, session.proof)?;
    let principal = Principal::new(user.name.clone(), from, rights);
    Ok(Some(SignedIn::in_session(principal, user, session)))
}

/// The accounts that somebody's rights name: those of a customer, less what a narrowed key leaves out.
pub fn accounts_of(who: &Principal) -> Vec<String> {
    let named = |predicate: &Predicate| match predicate {
        Predicate::Account(accounts) => Some(accounts.clone()),
        _ => None,
    };
    let mut limits = who.rights.limits.iter().filter_map(named);
    let granted: Vec<String> = who.rights.grants.iter().filter_map(|(_, grant)| named(grant)).flatten().collect();
    let mut accounts = if granted.is_empty() { limits.next().unwrap_or_default() } else { granted };
    for limit in limits {
        accounts.retain(|account| limit.contains(account));
    }
    accounts
}

/// What a user may do in a session. A role that wants a second factor gives nothing until one was shown: then only
/// the own account can be reached, to enrol one.
pub fn session_rights(state: &State, user: &User, proof: Proof) -> Result<Rights, Problem> {
    let mut rights = state.directory.rights(user, &state.backend.restricted()?)?;
    if rights.second_factor && proof == Proof::Password {
        rights.narrow(Permissions::NONE);
    }
    Ok(rights)
}

/// What a customer may do: a key that is narrowed to accounts allows no more.
fn customers() -> Permissions {
    role::built_in().into_iter().find(|role| role.name == CUSTOMER).map_or(Permissions::NONE, |role| role.permissions)
}

/// The key in `Authorization: Bearer gbk_...`, or in `Basic` as the password (or the name, without a password).
fn api_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_string());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(rest).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (name, password) = text.split_once(':')?;
    Some(if password.is_empty() { name } else { password }.to_string())
}
