//! The way in and out, and the language.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use minijinja::context;

use super::{LANGUAGE_COOKIE, Language, THEME_COOKIE, THEMES, coded, home, page as render};
use crate::auth::gate::Principal;
use crate::auth::oidc::OidcError;
use crate::auth::session::Proof;
use crate::serve::api::session::{self, Credentials, Opened};
use crate::serve::ask::{self, Answer, Ask};
use crate::serve::problem::Problem;

/// A path of this server, or nothing: never another site.
pub(super) fn local(path: &str) -> Option<&str> {
    let fine =
        path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && !path.contains(char::is_control);
    (fine && path.len() <= 4096).then_some(path)
}

fn see_other(place: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish()
}

/// Sends somebody who is not signed in to the sign-in page and back afterwards.
pub fn redirect(request: &HttpRequest) -> HttpResponse {
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if request.method() == actix_web::http::Method::GET {
        see_other(&format!("/?next={}", coded(here)))
    } else {
        see_other("/")
    }
}

/// The sign-in page; who is signed in goes on.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["next", "said"])?;
    let next = params.get("next").and_then(local).unwrap_or_default().to_string();
    if let Ok(Some(who)) = ask::authenticate(&ask.state, &ask.request) {
        return Ok(see_other(if next.is_empty() { home(&who) } else { &next }));
    }
    form(&ask, &next, "", "", StatusCode::OK)
}

fn form(ask: &Ask, next: &str, name: &str, error: &str, status: StatusCode) -> Answer {
    let provider = ask.state.oidc.is_set()?;
    render(&ask.request, None, "sign-in.html", status, context! { next, name, error, provider })
}

/// Name and password from the page.
pub async fn submit(ask: Ask) -> Answer {
    let params = ask.form(&["name", "password", "next"])?;
    let text = |name: &str| params.get(name).unwrap_or_default().to_string();
    let (name, next) = (text("name"), text("next"));
    let words = super::language(&ask.request, None);
    match session::open(&ask, Credentials { name: name.clone(), password: text("password"), code: None }).await {
        Ok(Opened::Whole(token, who)) => signed_in(&ask, &token, local(&next).unwrap_or_else(|| home(&who))),
        Ok(Opened::Half(token)) => signed_in(&ask, &token, &format!("/sign-in/code?next={}", coded(&next))),
        Err(problem) if problem.code == "bad-credentials" => {
            form(&ask, &next, &name, &words.word("sign_in_failed"), problem.status)
        }
        Err(problem) if problem.code == "too-many-attempts" => {
            Ok(waiting(form(&ask, &next, &name, &words.word("sign_in_wait"), problem.status)?, &problem))
        }
        Err(problem) => Err(problem),
    }
}

/// A page that says when to try again.
pub(super) fn waiting(mut response: HttpResponse, problem: &Problem) -> HttpResponse {
    let seconds = problem.retry_after_s.and_then(|s| header::HeaderValue::from_str(&s.to_string()).ok());
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn signed_in(ask: &Ask, token: &str, place: &str) -> Answer {
    let mut response = see_other(place);
    let cookie = session::cookie(&ask.state, token);
    response.add_cookie(&cookie).map_err(|error| Problem::failed("setting a cookie", &error))?;
    Ok(response)
}

/// The page that asks for the code of the second factor.
pub async fn code_page(ask: Ask) -> Answer {
    let params = ask.params(&["next"])?;
    let next = params.get("next").and_then(local).unwrap_or_default().to_string();
    code_form(&ask, &next, "", StatusCode::OK)
}

fn code_form(ask: &Ask, next: &str, error: &str, status: StatusCode) -> Answer {
    render(&ask.request, None, "code.html", status, context! { next, error })
}

/// The code from the page.
pub async fn code(ask: Ask) -> Answer {
    let params = ask.form(&["code", "next"])?;
    let next = params.get("next").and_then(local).unwrap_or_default().to_string();
    let words = super::language(&ask.request, None);
    match session::open_second(&ask, params.get("code").unwrap_or_default().to_string()).await {
        Ok(Opened::Whole(token, who)) => signed_in(&ask, &token, if next.is_empty() { home(&who) } else { &next }),
        Ok(Opened::Half(_)) => Ok(see_other("/")),
        Err(problem) if problem.code == "bad-credentials" => {
            code_form(&ask, &next, &words.word("code_wrong"), problem.status)
        }
        Err(problem) if problem.code == "too-many-attempts" => {
            Ok(waiting(code_form(&ask, &next, &words.word("sign_in_wait"), problem.status)?, &problem))
        }
        Err(problem) if problem.code == "unauthorized" => Ok(see_other("/")),
        Err(problem) => Err(problem),
    }
}

/// Name of the cookie that ties a sign-in at a provider to its browser.
fn provider_cookie(ask: &Ask) -> &'static str {
    if ask.state.config.secure_cookies { "__Host-greenbar_oidc" } else { "greenbar_oidc" }
}

fn provider_state(ask: &Ask, state: &str) -> Cookie<'static> {
    let mut cookie = Cookie::build(provider_cookie(ask), state.to_string())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(ask.state.config.secure_cookies)
        .finish();
    if state.is_empty() {
        cookie.make_removal();
    }
    cookie
}

/// Sends the browser to the provider.
pub async fn provider(ask: Ask) -> Answer {
    let params = ask.params(&["next"])?;
    let next = params.get("next").and_then(local).unwrap_or_default().to_string();
    let begun = ask.block(move |state| state.oidc.begin(&next).map_err(provider_problem)).await?;
    let mut response = see_other(&begun.url);
    let cookie = provider_state(&ask, &begun.state);
    response.add_cookie(&cookie).map_err(|error| Problem::failed("setting a cookie", &error))?;
    Ok(response)
}

/// The provider sends the browser back.
pub async fn provider_answer(ask: Ask) -> Answer {
    // A provider may send more than we ask about.
    let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(ask.request.query_string());
    let pairs = pairs.map_err(|_| Problem::bad_parameter("The parameters cannot be read."))?.into_inner();
    let cookie = ask.request.cookie(provider_cookie(&ask)).map(|cookie| cookie.value().to_string());
    let from = ask::address(&ask.request);
    let outcome = ask
        .block(move |state| {
            let value = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
            let answer = crate::auth::oidc::Answer {
                code: value("code"),
                state: value("state").unwrap_or_default(),
                error: value("error"),
                issuer: value("iss"),
                cookie: cookie.as_deref().unwrap_or_default(),
            };
            match state.oidc.end(&answer) {
                Ok((user, next)) => Ok((session::whole(state, user, &from, Proof::Provider)?, next)),
                Err(error) => {
                    let why: String = error.to_string().chars().take(200).collect();
                    state.gate.record(&Principal::nobody("unknown", from), "sign-in-failed", "provider", &why)?;
                    Err(provider_problem(error))
                }
            }
        })
        .await;
    let mut response = match outcome {
        Ok((Opened::Whole(token, who), next)) => signed_in(&ask, &token, local(&next).unwrap_or_else(|| home(&who)))?,
        Ok((Opened::Half(_), _)) => see_other("/"),
        Err(problem) if problem.code == "bad-credentials" => {
            let words = super::language(&ask.request, None);
            form(&ask, "", "", &words.word("provider_failed"), problem.status)?
        }
        Err(problem) => return Err(problem),
    };
    let cookie = provider_state(&ask, "");
    response.add_cookie(&cookie).map_err(|error| Problem::failed("taking a cookie", &error))?;
    Ok(response)
}

/// One answer for everything that can go wrong, so that nobody learns who is here.
fn provider_problem(error: OidcError) -> Problem {
    match error {
        OidcError::NotSet => Problem::nothing(),
        OidcError::Auth(error) => error.into(),
        other => {
            tracing::warn!(error = %other, "nobody was signed in through the provider");
            Problem::bad_credentials("The provider's answer could not be used.")
        }
    }
}

/// Ends the session; the browser forgets what it kept.
pub async fn sign_out(ask: Ask) -> Answer {
    session::end(&ask).await?;
    let mut response = see_other("/");
    response.add_cookie(&session::cookie(&ask.state, "")).map_err(|e| Problem::failed("taking a cookie", &e))?;
    let headers = response.headers_mut();
    headers.insert(header::HeaderName::from_static("clear-site-data"), header::HeaderValue::from_static("\"cache\""));
    Ok(response)
}

/// Remembers a language and goes back.
pub async fn language(ask: Ask) -> Answer {
    let params = ask.params(&["to", "back"])?;
    let to = params.word("to", &[("en", Language::English), ("zh-CN", Language::Chinese)], Language::English)?;
    remember(&ask, LANGUAGE_COOKIE, to.code(), params.get("back"))
}

/// Remembers light or dark and goes back.
pub async fn theme(ask: Ask) -> Answer {
    let params = ask.params(&["to", "back"])?;
    let words: Vec<(&str, &str)> = THEMES.iter().map(|theme| (*theme, *theme)).collect();
    let to = params.word("to", &words, "light")?;
    remember(&ask, THEME_COOKIE, to, params.get("back"))
}

/// Keeps a choice for a year.
pub(super) fn remember(ask: &Ask, name: &'static str, value: &'static str, back: Option<&str>) -> Answer {
    let mut response = see_other(back.and_then(local).unwrap_or("/"));
    let cookie = Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(ask.state.config.secure_cookies)
        .max_age(actix_web::cookie::time::Duration::days(365))
        .finish();
    response.add_cookie(&cookie).map_err(|error| Problem::failed("setting a cookie", &error))?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert_eq!(local("/agent?q=1"), Some("/agent?q=1"));
        for bad in ["https://evil.example/", "//evil.example", "/\\evil.example", "agent", "", "/a\r\nb"] {
            assert_eq!(local(bad), None, "{bad:?}");
        }
    }
}
