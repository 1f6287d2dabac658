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

/// Checks name and password and opens a session; returns its token for the cookie.
///
/// An unknown name, a wrong password and a disabled user are the same from outside.
pub async fn open(ask: &Ask, credentials: Credentials) -> Result<(String, SignedIn), Problem> {
    let from = ask::address(&ask.request);
    ask.state.lockout.attempt(&credentials.name, &from).map_err(|wait| Problem {
        retry_after_s: Some(wait),
        ..Problem::too_many(format!("Try again in {wait} seconds."))
    })?;
    let _turn = ask.state.hashing.acquire().await.map_err(|_| Problem::busy("The server stops."))?;
    ask.block(move |state| checked(state, &credentials, from)).await
}

fn checked(state: &State, credentials: &Credentials, from: String) -> Result<(String, SignedIn), Problem> {
    let shown: String = credentials.name.chars().filter(|c| !c.is_control()).take(64).collect();
    let user = state.users.check(&credentials.name, &credentials.password)?;
    let who = Principal::nobody(user.as_ref().map_or("unknown", |user| user.name.as_str()), from);
    let Some(user) = user else {
        state.metrics.sign_in_failures.fetch_add(1, Ordering::Relaxed);
        state.gate.record(&who, "sign-in-failed", &shown, "")?;
        return Err(Problem::bad_credentials("Check both and try again."));
    };
    state.lockout.succeeded(&credentials.name, &who.from);
    state.gate.record(&who, "sign-in", &user.name, "")?;
    let (token, session) = state.sessions.open(&user.name, &who.from)?;
    let rights = state.directory.rights(&user, &state.backend.restricted()?)?;
    let principal = Principal::new(user.name.clone(), who.from, rights);
    let accounts = ask::accounts_of(&principal);
    Ok((token, SignedIn { principal, accounts, role: user.role.clone(), user, session: Some(session) }))
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
    responses((status = 200, body = Identity), (status = 401, description = "bad-credentials"),
        (status = 429, description = "too-many-attempts, with Retry-After")))]
pub async fn sign_in(ask: Ask) -> Answer {
    // Only JSON: a form of another site cannot send it.
    let json = ask.request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !json.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Problem::bad_body("Send JSON: {\"name\": ..., \"password\": ...}, with its content type."));
    }
    let credentials = serde_json::from_slice(&ask.body)
        .map_err(|_| Problem::bad_body("Send JSON: {\"name\": ..., \"password\": ...}."))?;
    let (token, who) = open(&ask, credentials).await?;
    Ok(HttpResponse::Ok().cookie(cookie(&ask.state, &token)).json(identity(&who)))
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

/// The caller's open sessions.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "session", responses((status = 200, description = "`sessions`")))]
pub async fn list(ask: Ask) -> Answer {
    ask.params(&[])?;
    let who = ask.who()?.clone();
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
                "current": current.as_ref() == Some(&session.id),
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "sessions": shown })))
}

/// Ends one of the caller's sessions.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "session",
    params(("id" = String, Path, description = "Session id from the list")),
    responses((status = 204, description = "ended"), (status = 404, description = "not-found")))]
pub async fn revoke(ask: Ask) -> Answer {
    let id = ask.part("id").to_string();
    let who = ask.who()?.clone();
    ask.block(move |state| {
        if !state.sessions.revoke(&id, Some(&who.user.name))? {
            return Err(Problem::nothing());
        }
        Ok(state.gate.record(&who.principal, "session-revoked", &id, "")?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}
