//! Signing in and out.

use std::sync::atomic::Ordering;

use actix_web::HttpResponse;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::auth::clock::iso;
use crate::auth::gate::Principal;
use crate::auth::permission::Permissions;
use crate::auth::session::Proof;
use crate::auth::user::User;
use crate::serve::ask::{self, Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Name and password.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Sign-in name.
    pub name: String,
    /// Password.
    pub password: String,
    /// Code of the authenticator app, or a recovery code; for users who have a second factor.
    #[serde(default)]
    pub code: Option<String>,
}

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Identity {
    /// Sign-in name.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// The role that the caller acts in: `administrator`, `agent`, `customer` ...
    pub role: String,
    /// All roles, with those that groups give.
    pub roles: Vec<String>,
    /// What the caller may do.
    #[schema(value_type = Vec<String>)]
    pub permissions: Permissions,
    /// A customer's accounts.
    pub accounts: Vec<String>,
    /// For `X-CSRF-Token` of state-changing requests in this session; absent with an API key.
    pub csrf_token: Option<String>,
}

/// What came of a name and a password.
pub enum Opened {
    /// Signed in; the token is for the cookie.
    Whole(String, Box<SignedIn>),
    /// The second factor is missing; the token is for the cookie, and good for showing it.
    Half(String),
}

/// Checks name, password and (where the user has a second factor) code, and opens a session.
///
/// An unknown name, a wrong password and a disabled user are the same from outside.
pub async fn open(ask: &Ask, credentials: Credentials) -> Result<Opened, Problem> {
    let from = ask::address(&ask.request);
    allow(&ask.state, &credentials.name, &from)?;
    let _turn = ask.state.hashing.acquire().await.map_err(|_| Problem::busy("The server stops."))?;
    ask.block(move |state| checked(state, &credentials, from)).await
}

/// Counts an attempt to prove something; too many have to wait.
pub fn allow(state: &State, name: &str, from: &str) -> Result<(), Problem> {
    state.lockout.attempt(name, from).map_err(|wait| Problem {
        retry_after_s: Some(wait),
        ..Problem::too_many(format!("Try again in {wait} seconds."))
    })
}

fn checked(state: &State, credentials: &Credentials, from: String) -> Result<Opened, Problem> {
    let shown: String = credentials.name.chars().filter(|c| !c.is_control()).take(64).collect();
    let user = state.users.check(&credentials.name, &credentials.password)?;
    let who = Principal::nobody(user.as_ref().map_or("unknown", |user| user.name.as_str()), from);
    let Some(user) = user else {
        state.metrics.sign_in_failures.fetch_add(1, Ordering::Relaxed);
        state.gate.record(&who, "sign-in-failed", &shown, "")?;
        return Err(Problem::bad_credentials("Check both and try again."));
    };
    state.lockout.succeeded(&credentials.name, &who.from);
    if !state.factors.has(&user.name)? {
        return whole(state, user, &who.from, Proof::Password);
    }
    match &credentials.code {
        Some(code) => second(state, user, &who.from, code),
        None => {
            state.gate.record(&who, "sign-in-half", &user.name, "password")?;
            let (token, _) = state.sessions.open_by(&user.name, &who.from, Proof::Half)?;
            Ok(Opened::Half(token))
        }
    }
}

/// Checks the code of somebody whose password was right. Codes are guessed no faster than passwords, and a right
/// password does not forgive wrong codes.
fn second(state: &State, user: User, from: &str, code: &str) -> Result<Opened, Problem> {
    let name = format!("code of {}", user.name);
    allow(state, &name, from)?;
    if state.factors.check(&user.name, code)? {
        state.lockout.succeeded(&name, from);
        return whole(state, user, from, Proof::Second);
    }
    state.metrics.sign_in_failures.fetch_add(1, Ordering::Relaxed);
    let who = Principal::nobody(user.name.clone(), from);
    state.gate.record(&who, "sign-in-failed", &user.name, "second factor")?;
    Err(Problem::bad_credentials("The code is wrong, was used, or is over."))
}

/// The code that follows a half sign-in; its session ends, and a whole one begins.
pub async fn open_second(ask: &Ask, code: String) -> Result<Opened, Problem> {
    let token = ask.request.cookie(ask::cookie_name(ask.state.config.secure_cookies));
    let token = token.map(|cookie| cookie.value().to_string()).unwrap_or_default();
    let from = ask::address(&ask.request);
    ask.block(move |state| {
        let over = || Problem::unauthorized("Sign in again.");
        let half = state.sessions.find(&token)?.filter(|session| session.proof == Proof::Half).ok_or_else(over)?;
        let user = state.users.get(&half.user)?.filter(|user| !user.disabled).ok_or_else(over)?;
        let opened = second(state, user, &from, &code)?;
        state.sessions.revoke(&half.id, None)?;
        Ok(opened)
    })
    .await
}

/// Opens a session for somebody who proved who he is.
pub fn whole(state: &State, user: User, from: &str, proof: Proof) -> Result<Opened, Problem> {
    let rights = ask::session_rights(state, &user, proof)?;
    let principal = Principal::new(user.name.clone(), from, rights);
    let how = match proof {
        Proof::Password | Proof::Half => "password",
        Proof::Second => "password and code",
        Proof::Provider => "provider",
    };
    state.gate.record(&principal, "sign-in", &user.name, how)?;
    let (token, session) = state.sessions.open_by(&user.name, from, proof)?;
    Ok(Opened::Whole(token, Box::new(SignedIn::in_session(principal, user, session))))
}

/// The cookie of a session; an empty token takes it away.
pub fn cookie(state: &State, token: &str) -> Cookie<'static> {
    let secure = state.config.secure_cookies;
    let mut cookie = Cookie::build(ask::cookie_name(secure), token.to_string())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .finish();
    if token.is_empty() {
        cookie.make_removal();
    }
    cookie
}

/// Ends the session of the caller.
pub async fn end(ask: &Ask) -> Result<(), Problem> {
    let who = ask.who()?.clone();
    ask.block(move |state| {
        if let Some(session) = &who.session {
            state.sessions.revoke(&session.id, Some(&session.user))?;
            state.gate.record(&who.principal, "sign-out", &session.user, "")?;
        }
        Ok(())
    })
    .await
}

fn identity(who: &SignedIn) -> Identity {
    let (user, rights) = (&who.user, &who.principal.rights);
    Identity {
        name: user.name.clone(),
        display_name: user.display_name.clone(),
        role: who.role.clone(),
        roles: rights.roles.clone(),
        permissions: rights.permissions,
        accounts: user.accounts.clone(),
        csrf_token: who.session.as_ref().map(|session| session.csrf.clone()),
    }
}

/// Opens a session; the answer sets its cookie and tells the token for state-changing requests.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = Credentials,
    responses((status = 200, body = Identity), (status = 401, description = "bad-credentials; second-factor: send the code too"),
        (status = 429, description = "too-many-attempts, with Retry-After")))]
pub async fn sign_in(ask: Ask) -> Answer {
    // Only JSON: a form of another site cannot send it.
    let json = ask.request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !json.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Problem::bad_body("Send JSON: {\"name\": ..., \"password\": ...}, with its content type."));
    }
    let credentials = serde_json::from_slice(&ask.body)
        .map_err(|_| Problem::bad_body("Send JSON: {\"name\": ..., \"password\": ...}."))?;
    match open(&ask, credentials).await? {
        Opened::Whole(token, who) => Ok(HttpResponse::Ok().cookie(cookie(&ask.state, &token)).json(identity(&who))),
        Opened::Half(_) => Err(Problem::second_factor("Send name, password and code together.")),
    }
}

/// Who the caller is.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = Identity), (status = 401, description = "unauthorized")))]
pub async fn whoami(ask: Ask) -> Answer {
    ask.params(&[])?;
    Ok(HttpResponse::Ok().json(identity(ask.who()?)))
}

/// Ends the caller's session.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, description = "ended"), (status = 403, description = "csrf")))]
pub async fn sign_out(ask: Ask) -> Answer {
    end(&ask).await?;
    Ok(HttpResponse::NoContent()
        .cookie(cookie(&ask.state, ""))
        .insert_header(("clear-site-data", "\"cache\""))
        .finish())
}

/// Sessions are seen and ended by whoever signed in: a key, which may be narrowed to little, stands for no person here.
fn in_person(ask: &Ask) -> Result<SignedIn, Problem> {
    let who = ask.who()?;
    if who.session.is_none() {
        return Err(Problem::forbidden("Sessions are seen and ended by whoever is signed in, not with an API key."));
    }
    Ok(who.clone())
}

/// The caller's open sessions.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "session", responses((status = 200, description = "`sessions`"), (status = 403, description = "forbidden: with an API key")))]
pub async fn list(ask: Ask) -> Answer {
    ask.params(&[])?;
    let who = in_person(&ask)?;
    let current = who.session.as_ref().map(|session| session.id.clone());
    let sessions = ask.block(move |state| Ok(state.sessions.list(Some(&who.user.name))?)).await?;
    let shown: Vec<_> = sessions
        .iter()
        .map(|session| {
            json!({
                "id": session.id,
                "from": session.from,
                "created_at": iso(session.created_at),
                "used_at": iso(session.used_at),
                "proof": session.proof,
                "current": current.as_ref() == Some(&session.id),
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "sessions": shown })))
}

/// Ends one of the caller's sessions.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "session",
    params(("id" = String, Path, description = "Session id from the list")),
    responses((status = 204, description = "ended"), (status = 403, description = "forbidden: with an API key"), (status = 404, description = "not-found")))]
pub async fn revoke(ask: Ask) -> Answer {
    let id = ask.part("id").to_string();
    let who = in_person(&ask)?;
    ask.block(move |state| {
        if !state.sessions.revoke(&id, Some(&who.user.name))? {
            return Err(Problem::nothing());
        }
        Ok(state.gate.record(&who.principal, "session-revoked", &id, "")?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}
