//! The way in and out, and the language.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use minijinja::context;

use super::{LANGUAGE_COOKIE, Language, THEME_COOKIE, THEMES, coded, home, page as render};
use crate::serve::api::session::{self, Credentials};
use crate::serve::ask::{self, Answer, Ask};
use crate::serve::problem::Problem;

/// A path of this server, or nothing: never another site.
fn local(path: &str) -> Option<&str> {
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
    render(&ask.request, None, "sign-in.html", status, context! { next, name, error })
}

/// Name and password from the page.
pub async fn submit(ask: Ask) -> Answer {
    let params = ask.form(&["name", "password", "next"])?;
    let text = |name: &str| params.get(name).unwrap_or_default().to_string();
    let (name, next) = (text("name"), text("next"));
    let words = super::language(&ask.request, None);
    match session::open(&ask, Credentials { name: name.clone(), password: text("password") }).await {
        Ok((token, who)) => {
            let mut response = see_other(local(&next).unwrap_or_else(|| home(&who)));
            response
                .add_cookie(&session::cookie(&ask.state, &token))
                .map_err(|e| Problem::failed("setting a cookie", &e))?;
            Ok(response)
        }
        Err(problem) if problem.code == "bad-credentials" => {
            form(&ask, &next, &name, &words.word("sign_in_failed"), problem.status)
        }
        Err(problem) if problem.code == "too-many-attempts" => {
            form(&ask, &next, &name, &words.word("sign_in_wait"), problem.status)
        }
        Err(problem) => Err(problem),
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
