//! Signing in through an OpenID Connect provider: authorization code with PKCE (S256), state, nonce, and an identity token
//! whose signature is checked against the provider's keys.
//!
//! What is set lies in the settings (key `oidc`); what is under way is kept in memory. The provider says who somebody is;
//! what he may do is greenbar's: the user must be there (or is made, with one role, when that is set), and is bound to the
//! provider's subject at the first sign-in, so that a name that the provider gives to somebody else opens nothing.
//!
//! Sources: OpenID Connect Core 1.0 (sections 3.1.2, 3.1.3), Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (`iss`).

pub mod jwt;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::clock::Clock;
use super::user::{NewUser, User, Users};
use super::{AuthError, row, secret};
use crate::archive::kv::{Batch, Engine, Family};
pub use wire::coded;

const KEY: &[u8] = b"oidc";
/// Which user a subject of a provider is: `i/` + SHA-256 of both.
const LINKS: &[u8] = b"i/";
/// How long somebody may take at the provider.
const UNDER_WAY_S: i64 = 600;
/// Sign-ins under way at most; the oldest go first.
const MOST_UNDER_WAY: usize = 10_000;
/// How long what the provider says of itself is believed.
const FRESH_S: i64 = 3600;
/// An unknown key is looked for anew at most this often.
const KEYS_AGAIN_S: i64 = 60;

/// How to reach a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The issuer, exactly as its tokens name it.
    pub issuer: String,
    /// The id that greenbar has there.
    pub client_id: String,
    /// Its secret; `None`: a public client.
    pub client_secret: Option<String>,
    /// Address of this server as browsers see it, such as `https://archive.example.org`.
    pub base_url: String,
    /// The claim that is the user's name here.
    pub user_claim: String,
    /// Scopes besides `openid`.
    pub scopes: Vec<String>,
    /// Role of users that are made at their first sign-in; `None`: users must be there.
    pub create_role: Option<String>,
    /// Certificates (PEM) of authorities to trust instead of the well-known ones.
    pub ca_pem: Option<String>,
}

impl Settings {
    /// Those of an archive.
    pub fn read(engine: &dyn Engine) -> Result<Option<Settings>, AuthError> {
        let bytes = engine.get(Family::Settings, KEY)?;
        Ok(bytes.map(|bytes| row::decode(&bytes)).transpose()?)
    }

    /// Keeps them.
    pub fn write(&self, engine: &dyn Engine) -> Result<(), AuthError> {
        for url in [&self.issuer, &self.base_url] {
            wire::check_url(url)?;
        }
        let mut batch = Batch::default();
        batch.put(Family::Settings, KEY, row::encode(self)?);
        Ok(engine.commit(batch)?)
    }

    /// Takes them out: nobody signs in through a provider any more.
    pub fn remove(engine: &dyn Engine) -> Result<(), AuthError> {
        let mut batch = Batch::default();
        batch.delete(Family::Settings, KEY);
        Ok(engine.commit(batch)?)
    }

    fn redirect_uri(&self) -> String {
        format!("{}/oidc/callback", self.base_url.trim_end_matches('/'))
    }
}

/// Why nobody was signed in. Outside, all of it is one answer; the log and the audit tell more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// No provider is set.
    #[error("no provider is set")]
    NotSet,
    /// The answer belongs to no sign-in that is under way in this browser.
    #[error("the answer belongs to no sign-in that is under way")]
    State,
    /// The provider refused.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The provider cannot be reached, or answers nonsense.
    #[error("the provider cannot be used: {0}")]
    Provider(String),
    /// The identity token does not hold.
    #[error("the identity token does not hold: {0}")]
    Token(&'static str),
    /// Whoever it is, there is no such user here.
    #[error("there is no user {0:?} here")]
    NoUser(String),
    /// Users could not be read.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

/// What a provider says of itself.
#[derive(Debug, Clone, Deserialize)]
struct Provider {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

/// A sign-in under way.
#[derive(Debug, Clone)]
struct UnderWay {
    nonce: String,
    verifier: String,
    next: String,
    since: i64,
}

/// A sign-in that begins: where to send the browser, and what it must bring back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Address at the provider.
    pub url: String,
    /// For a cookie: only the browser that began may end.
    pub state: String,
}

/// What the provider's answer holds.
#[derive(Debug, Clone, Default)]
pub struct Answer<'a> {
    /// `code`.
    pub code: Option<&'a str>,
    /// `state`.
    pub state: &'a str,
    /// `error`.
    pub error: Option<&'a str>,
    /// `iss` (RFC 9207).
    pub issuer: Option<&'a str>,
    /// The cookie of [`Begun::state`].
    pub cookie: &'a str,
}

/// Signs in through the provider of an archive.
pub struct Oidc {
    engine: Arc<dyn Engine>,
    users: Users,
    clock: Clock,
    under_way: Mutex<HashMap<String, UnderWay>>,
    known: Mutex<Option<(Settings, Provider, Value, i64)>>,
}

impl Oidc {
    /// For the users of this store.
    pub fn new(engine: Arc<dyn Engine>, clock: Clock) -> Oidc {
        let users = Users::new(engine.clone(), clock.clone());
        Oidc { engine, users, clock, under_way: Mutex::default(), known: Mutex::default() }
    }

    /// Whether a provider is set.
    pub fn is_set(&self) -> Result<bool, AuthError> {
        Ok(Settings::read(&*self.engine)?.is_some())
    }

    /// Asks the provider who it is; for a check of the settings.
    pub fn check(&self) -> Result<String, OidcError> {
        let (_, provider, keys) = self.provider(false)?;
        let count = keys.get("keys").and_then(Value::as_array).map_or(0, Vec::len);
        Ok(format!("{}: {count} keys", provider.issuer))
    }

    /// Begins a sign-in that leads to `next` (a path of this server).
    pub fn begin(&self, next: &str) -> Result<Begun, OidcError> {
        let (settings, provider, _) = self.provider(false)?;
        let (state, nonce, verifier) = (secret::token()?, secret::token()?, secret::token()?);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let scope = std::iter::once("openid").chain(settings.scopes.iter().map(String::as_str)).collect::<Vec<_>>();
        let pairs = [
            ("response_type", "code"),
            ("client_id", &settings.client_id),
            ("redirect_uri", &settings.redirect_uri()),
            ("scope", &scope.join(" ")),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let sign = if provider.authorization_endpoint.contains('?') { '&' } else { '?' };
        let url = format!("{}{sign}{}", provider.authorization_endpoint, wire::form(&pairs));
        let since = self.clock.now();
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|_, way| since - way.since < UNDER_WAY_S);
        if under_way.len() >= MOST_UNDER_WAY
            && let Some(oldest) = under_way.iter().min_by_key(|(_, way)| way.since).map(|(state, _)| state.clone())
        {
            under_way.remove(&oldest);
        }
        under_way.insert(state.clone(), UnderWay { nonce, verifier, next: next.to_string(), since });
        Ok(Begun { url, state })
    }

    /// Ends a sign-in: who it is, and where it leads.
    pub fn end(&self, answer: &Answer<'_>) -> Result<(User, String), OidcError> {
        if !secret::same(answer.state.as_bytes(), answer.cookie.as_bytes()) {
            return Err(OidcError::State);
        }
        // Taken out whatever comes: an answer is good once.
        let way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(answer.state);
        let way = way.filter(|way| self.clock.now() - way.since < UNDER_WAY_S).ok_or(OidcError::State)?;
        if let Some(error) = answer.error {
            return Err(OidcError::Refused(error.chars().take(100).collect()));
        }
        let code = answer.code.ok_or(OidcError::State)?;
        let (settings, provider, keys) = self.provider(false)?;
        if answer.issuer.is_some_and(|issuer| issuer != provider.issuer) {
            return Err(OidcError::Token("the answer names another issuer"));
        }
        let token = wire::exchange(&settings, &provider.token_endpoint, code, &way.verifier)?;
        let claims = match jwt::verified(&token, &keys) {
            // The provider may have new keys.
            Err(jwt::JwtError::UnknownKey) => {
                let (_, _, keys) = self.provider(true)?;
                jwt::verified(&token, &keys)
            }
            other => other,
        };
        let claims = claims.map_err(|error| OidcError::Token(error.told()))?;
        check_claims(&claims, &settings, &way.nonce, self.clock.now())?;
        Ok((self.user(&settings, &claims)?, way.next))
    }

    /// The user that a subject is.
    fn user(&self, settings: &Settings, claims: &Value) -> Result<User, OidcError> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let subject = text("sub").filter(|sub| !sub.is_empty()).ok_or(OidcError::Token("it names nobody"))?;
        let mark = secret::fingerprint(&format!("{}\n{subject}", settings.issuer));
        let link = [LINKS, secret::hex(&mark).as_bytes()].concat();
        if let Some(name) = self.engine.get(Family::Users, &link).map_err(AuthError::from)? {
            let name: String = row::decode(&name).map_err(AuthError::from)?;
            let user = self.users.get(&name)?.filter(|user| !user.disabled);
            return user.ok_or(OidcError::NoUser(name));
        }
        let name = text(&settings.user_claim).ok_or(OidcError::Token("the claim of the user's name is missing"))?;
        if settings.user_claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
            return Err(OidcError::Token("the mail address is not verified"));
        }
        let user = match self.users.get(name)? {
            Some(user) => user,
            None => self.made(settings, name)?,
        };
        if user.disabled || user.subject.is_some() {
            // A user who is bound to another subject is not this one.
            return Err(OidcError::NoUser(name.to_string()));
        }
        self.users.bind_subject(&user.name, &secret::hex(&mark))?;
        let mut batch = Batch::default();
        batch.put(Family::Users, link, row::encode(&user.name).map_err(AuthError::from)?);
        self.engine.commit(batch).map_err(AuthError::from)?;
        Ok(user)
    }

    fn made(&self, settings: &Settings, name: &str) -> Result<User, OidcError> {
        let Some(role) = &settings.create_role else { return Err(OidcError::NoUser(name.to_string())) };
        let (display_name, language) = (String::new(), String::new());
        let (name, role, accounts) = (name.to_string(), role.clone(), Vec::new());
        Ok(self.users.add(NewUser { name, role, accounts, display_name, language, password: None })?)
    }

    /// Settings, provider and keys; what was read lately is not read again unless an unknown key asks for it.
    fn provider(&self, keys_again: bool) -> Result<(Settings, Provider, Value), OidcError> {
        let settings = Settings::read(&*self.engine)?.ok_or(OidcError::NotSet)?;
        let now = self.clock.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, provider, keys, at)) = known.as_ref() {
            let age = now - at;
            if *of == settings && age < if keys_again { KEYS_AGAIN_S } else { FRESH_S } {
                return Ok((settings, provider.clone(), keys.clone()));
            }
        }
        let place = format!("{}/.well-known/openid-configuration", settings.issuer.trim_end_matches('/'));
        let provider: Provider = wire::json(&settings, &place)?;
        if provider.issuer != settings.issuer {
            return Err(OidcError::Provider(format!("it calls itself {:?}", provider.issuer)));
        }
        for url in [&provider.authorization_endpoint, &provider.token_endpoint, &provider.jwks_uri] {
            wire::check_url(url)?;
        }
        let keys: Value = wire::json(&settings, &provider.jwks_uri)?;
        *known = Some((settings.clone(), provider.clone(), keys.clone(), now));
        Ok((settings, provider, keys))
    }
}

/// What an identity token must say (Core 1.0, section 3.1.3.7).
fn check_claims(claims: &Value, settings: &Settings, nonce: &str, now: i64) -> Result<(), OidcError> {
    /// Clocks differ.
    const LEEWAY_S: i64 = 60;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let wrong = |why| Err(OidcError::Token(why));
    if text("iss") != Some(settings.issuer.as_str()) {
        return wrong("another issuer made it");
    }
    let ours = |value: &Value| value.as_str() == Some(settings.client_id.as_str());
    match claims.get("aud") {
        Some(Value::String(audience)) if *audience == settings.client_id => {}
        Some(Value::Array(list)) if list.iter().any(ours) => {
            if list.len() > 1 && text("azp") != Some(settings.client_id.as_str()) {
                return wrong("it was made for several, and not asked for by us");
            }
        }
        _ => return wrong("it was made for somebody else"),
    }
    if text("azp").is_some_and(|party| party != settings.client_id) {
        return wrong("somebody else asked for it");
    }
    if claims.get("exp").and_then(Value::as_i64).is_none_or(|end| now >= end.saturating_add(LEEWAY_S)) {
        return wrong("it is over");
    }
    if claims.get("iat").and_then(Value::as_i64).is_none_or(|made| made > now.saturating_add(LEEWAY_S)) {
        return wrong("it was made in the future");
    }
    if !text("nonce").is_some_and(|given| secret::same(given.as_bytes(), nonce.as_bytes())) {
        return wrong("it belongs to another sign-in");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
