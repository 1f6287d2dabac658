//! What somebody typed into a form that could not be taken, because the session or the page's token was over: the page that
//! says so shows it, so that it can be sent again and nothing is lost.

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use minijinja::{Value, context};

use super::{Language, coded, language, page, sign_in};
use crate::serve::ask::SignedIn;
use crate::serve::problem::Problem;

/// Fields of forms that people write texts into. Passwords and codes are never shown again.
const TEXTS: [&str; 12] = [
    "subject",
    "text",
    "summary",
    "resolution",
    "reason",
    "note",
    "source",
    "rule",
    "value",
    "address",
    "display_name",
    "full",
];

/// The page for a form of a person that was not taken; `None` when it is no such form, or nothing was typed into it.
pub fn lost(request: &HttpRequest, who: Option<&SignedIn>, problem: &Problem, body: &[u8]) -> Option<HttpResponse> {
    if request.method() != Method::POST || !matches!(problem.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return None;
    }
    let texts = texts(body);
    if texts.is_empty() || !from_here(request) {
        return None;
    }
    let language = language(request, who);
    let key = format!("problem_{}", problem.code.replace('-', "_"));
    let from = came_from(request).filter(|_| problem.status == StatusCode::UNAUTHORIZED);
    let own = context! {
        title => language.word(&key),
        advice => language.word(&format!("{key}_do")),
        detail => "",
        code => problem.code,
        typed => texts.iter().map(|(name, text)| shown(name, text, language)).collect::<Vec<_>>(),
        again => from.map(|path| format!("/?next={}", coded(&path))).unwrap_or_default(),
    };
    page(request, who, "problem.html", problem.status, own).ok()
}

fn shown(name: &str, text: &str, language: Language) -> Value {
    let label = language.word(&format!("typed_{name}"));
    let label = if label.is_empty() { language.word("typed_text") } else { label };
    context! { label, text, rows => text.lines().count().clamp(2, 12) }
}

fn texts(body: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let Ok(pairs) = web::Query::<Vec<(String, String)>>::from_query(text) else { return Vec::new() };
    let typed = |(name, value): &(String, String)| TEXTS.contains(&name.as_str()) && !value.trim().is_empty();
    pairs.into_inner().into_iter().filter(typed).collect()
}

/// Whether the form was on a page of this server: what another site had sent is not put on a page of ours.
fn from_here(request: &HttpRequest) -> bool {
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let Some((_, host)) = text(header::ORIGIN).and_then(|origin| origin.split_once("://")) else {
        return came_from(request).is_some();
    };
    text(header::HOST).is_some_and(|own| own.eq_ignore_ascii_case(host))
}

/// The page of this server that the form was on.
fn came_from(request: &HttpRequest) -> Option<String> {
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let (_, rest) = text(header::REFERER)?.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    let own = text(header::HOST).is_some_and(|own| own.eq_ignore_ascii_case(host));
    sign_in::local(path).filter(|_| own).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_and_secrets_are_not() {
        let body = b"csrf=1&once=2&password=geheim&code=ABC&text=Why+so+much%3F%0AThanks&subject=&name=ava";
        assert_eq!(texts(body), [("text".to_string(), "Why so much?\nThanks".to_string())]);
        assert!(texts(b"\xff").is_empty() && texts(b"").is_empty());
    }
}
