//! The own account: language, password, second factor, sessions.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use minijinja::{Value, context};

use super::{Language, language, locale, page as render, role_word};
use crate::auth::AuthError;
use crate::auth::second::qr;
use crate::auth::session::{Proof, Session};
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// What the page says about what was just done.
#[derive(Debug, Default)]
struct Told {
    /// Key of the words, and whether it went well.
    word: Option<(&'static str, bool)>,
    /// New recovery codes, told once.
    codes: Vec<String>,
}

/// The page.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["done"])?;
    let done = match params.get("done") {
        Some("password") => Some(("account_password_done", true)),
        Some("language") => Some(("account_language_done", true)),
        Some("sessions") => Some(("account_sessions_done", true)),
        Some("second") => Some(("account_second_gone", true)),
        _ => None,
    };
    show(&ask, Told { word: done, ..Told::default() }, StatusCode::OK).await
}

async fn show(ask: &Ask, told: Told, status: StatusCode) -> Answer {
    let who = ask.who()?.clone();
    let (sessions, second, pending, left) = {
        let name = who.user.name.clone();
        ask.block(move |state| {
            let sessions = state.sessions.list(Some(&name))?;
            let second = state.factors.has(&name)?;
            let pending = state.factors.pending(&name)?;
            Ok((sessions, second, pending, state.factors.recovery_left(&name)?))
        })
        .await?
    };
    let current = who.session.as_ref().map(|session| session.id.clone()).unwrap_or_default();
    let language = language(&ask.request, Some(&who));
    let picture = pending.as_ref().and_then(|enrolment| qr(&enrolment.uri));
    let rights = &who.principal.rights;
    let own = context! {
        account => who.user.name.as_str(),
        roles => rights.roles.iter().map(|role| role_word(role, language)).collect::<Vec<_>>().join(", "),
        accounts => who.accounts.join(", "),
        own_language => who.user.language.as_str(),
        has_password => who.user.password_hash.is_some(),
        browser => who.session.is_some(),
        second,
        wanted => rights.second_factor && !second,
        recovery_left => left,
        secret => pending.as_ref().map(|enrolment| grouped(&enrolment.secret)).unwrap_or_default(),
        qr_size => picture.as_ref().map_or(0, |(size, _)| *size),
        qr_path => picture.as_ref().map(|(_, path)| path.as_str()).unwrap_or_default(),
        sessions => sessions.iter().filter(|s| s.proof != Proof::Half).map(|s| session(s, &current, language)).collect::<Vec<_>>(),
        message => told.word.map(|(word, _)| language.word(word)).unwrap_or_default(),
        fine => told.word.is_none_or(|(_, fine)| fine),
        codes => told.codes,
    };
    render(&ask.request, Some(&who), "account.html", status, own)
}

/// A secret in groups of four: people type it.
fn grouped(secret: &str) -> String {
    let chars: Vec<char> = secret.chars().collect();
    chars.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

fn session(session: &Session, current: &str, language: Language) -> Value {
    context! {
        id => session.id.as_str(),
        from => session.from.as_str(),
        created => locale::moment(session.created_at, language),
        used => locale::moment(session.used_at, language),
        current => session.id == current,
    }
}

fn done(what: &str) -> Answer {
    let place = format!("/account?done={what}");
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish())
}

/// Only a person at a browser changes the own account; a program with a key does not.
fn person(ask: &Ask) -> Result<(SignedIn, Session), Problem> {
    let who = ask.who()?.clone();
    let session = who.session.clone().ok_or_else(|| Problem::forbidden("Sign in to change your account."))?;
    Ok((who, session))
}

/// The language of the pages.
pub async fn set_language(ask: Ask) -> Answer {
    let params = ask.form(&["csrf", "language"])?;
    let (who, _) = person(&ask)?;
    let chosen = params.get("language").and_then(Language::parse).map_or("", Language::code);
    ask.block(move |state| Ok(state.users.set_language(&who.user.name, chosen)?)).await?;
    done("language")
}

/// A new password. All other sessions of the user end.
pub async fn set_password(ask: Ask) -> Answer {
    let params = ask.form(&["csrf", "current", "new", "again"])?;
    let (who, session) = person(&ask)?;
    let text = |name: &str| params.get(name).unwrap_or_default().to_string();
    let (current, new) = (text("current"), text("new"));
    if new != text("again") {
        return refused(&ask, "account_password_differs").await;
    }
    if !proven(&ask, &who, current).await? {
        return refused(&ask, "account_password_wrong").await;
    }
    let _turn = ask.state.hashing.acquire().await.map_err(|_| Problem::busy("The server stops."))?;
    let changed = ask
        .block(move |state| {
            match state.users.set_password(&who.user.name, &new) {
                Err(AuthError::BadPassword) => return Ok(false),
                other => other?,
            }
            state.sessions.revoke_others(&who.user.name, &session.id)?;
            state.gate.record(&who.principal, "set password", &who.user.name, "")?;
            Ok(true)
        })
        .await?;
    if changed { done("password") } else { refused(&ask, "account_password_short").await }
}

async fn refused(ask: &Ask, word: &'static str) -> Answer {
    show(ask, Told { word: Some((word, false)), ..Told::default() }, StatusCode::BAD_REQUEST).await
}

/// Whether the password is the user's; guessing it from an open session is slowed down like any other.
async fn proven(ask: &Ask, who: &SignedIn, password: String) -> Result<bool, Problem> {
    let from = who.principal.from.clone();
    let name = who.user.name.clone();
    crate::serve::api::session::allow(&ask.state, &name, &from)?;
    let _turn = ask.state.hashing.acquire().await.map_err(|_| Problem::busy("The server stops."))?;
    ask.block(move |state| {
        let right = state.users.check(&name, &password)?.is_some();
        if right {
            state.lockout.succeeded(&name, &from);
        }
        Ok(right)
    })
    .await
}

/// The second factor: `begin`, `confirm`, `recovery`, `remove`.
pub async fn second(ask: Ask) -> Answer {
    let params = ask.form(&["csrf", "what", "code", "password"])?;
    let (who, session) = person(&ask)?;
    match params.get("what").unwrap_or_default() {
        "begin" => {
            ask.block(move |state| Ok(state.factors.begin(&who.user.name)?)).await?;
            show(&ask, Told::default(), StatusCode::OK).await
        }
        "confirm" => confirm(&ask, &params, who, session).await,
        "recovery" | "remove" => {
            // Who signs in through a provider has no password here.
            let known = who.user.password_hash.is_none()
                || proven(&ask, &who, params.get("password").unwrap_or_default().to_string()).await?;
            if !known {
                return refused(&ask, "account_password_wrong").await;
            }
            if params.get("what") == Some("remove") {
                ask.block(move |state| remove(state, &who)).await?;
                return done("second");
            }
            let codes = ask.block(move |state| new_codes(state, &who)).await?;
            show(&ask, Told { word: Some(("account_second_codes", true)), codes }, StatusCode::OK).await
        }
        _ => Err(Problem::bad_body("what is one of begin, confirm, recovery, remove.")),
    }
}

async fn confirm(ask: &Ask, params: &Params, who: SignedIn, session: Session) -> Answer {
    let code = params.get("code").unwrap_or_default().to_string();
    let codes = ask
        .block(move |state| {
            crate::serve::api::session::allow(state, &format!("code of {}", who.user.name), &who.principal.from)?;
            let codes = state.factors.confirm(&who.user.name, &code)?;
            if codes.is_some() {
                state.lockout.succeeded(&format!("code of {}", who.user.name), &who.principal.from);
                state.sessions.strengthen(&session.id)?;
                state.gate.record(&who.principal, "second factor", &who.user.name, "enrolled")?;
            }
            Ok(codes)
        })
        .await?;
    match codes {
        Some(codes) => show(ask, Told { word: Some(("account_second_done", true)), codes }, StatusCode::OK).await,
        None => refused(ask, "code_wrong").await,
    }
}

fn remove(state: &State, who: &SignedIn) -> Result<(), Problem> {
    state.factors.remove(&who.user.name)?;
    Ok(state.gate.record(&who.principal, "second factor", &who.user.name, "removed")?)
}

fn new_codes(state: &State, who: &SignedIn) -> Result<Vec<String>, Problem> {
    let codes = state.factors.new_recovery(&who.user.name)?.unwrap_or_default();
    state.gate.record(&who.principal, "second factor", &who.user.name, "new recovery codes")?;
    Ok(codes)
}

/// Ends one of the own sessions, or all others.
pub async fn end_session(ask: Ask) -> Answer {
    let params = ask.form(&["csrf", "id"])?;
    let (who, session) = person(&ask)?;
    let id = params.get("id").unwrap_or_default().to_string();
    ask.block(move |state| {
        let name = &who.user.name;
        if id == "others" {
            state.sessions.revoke_others(name, &session.id)?
        } else {
            state.sessions.revoke(&id, Some(name))?
        };
        Ok(state.gate.record(&who.principal, "session-revoked", &id, "")?)
    })
    .await?;
    done("sessions")
}
