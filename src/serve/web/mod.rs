//! Pages for people: sign-in, agents, customers, administrators.
//!
//! Templates, words, styles and scripts lie in `templates/web/` ([`source`]); every page works without script. Adding a
//! page: a handler here, a template there and in the list of `source.rs`, a row in `routes.rs`, words in both languages.

pub mod account;
pub mod admin;
pub mod agent;
pub mod arrivals;
pub mod assets;
mod attention;
pub mod audit;
mod columns;
pub mod definitions;
pub mod desk;
pub mod distribution;
pub mod document;
pub mod editor;
mod figures;
mod foreign;
pub mod link;
mod links;
pub mod loads;
pub(super) mod locale;
mod meaning;
pub mod my;
pub mod people;
mod reason;
mod recorded;
pub mod rules;
mod shown;
pub mod sign_in;
mod source;
mod templates;
mod trial;
pub mod typed;
mod words;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::ask::SignedIn;
use super::problem::Problem;
use crate::auth::oidc::coded;
use crate::auth::permission::Permission;
pub use words::Language;

/// Content security policy of the pages: nothing from elsewhere, nothing inline. Pictures may be `data:`, since drawn
/// pages of documents hold theirs so.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
     frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Name of the cookie that remembers the language.
const LANGUAGE_COOKIE: &str = "greenbar_language";
/// Name of the cookie that remembers light or dark.
const THEME_COOKIE: &str = "greenbar_theme";
/// What it may say.
const THEMES: &[&str] = &["light", "dark"];

/// The language of a page: chosen, the user's, or the browser's.
pub fn language(request: &HttpRequest, who: Option<&SignedIn>) -> Language {
    let chosen = request.cookie(LANGUAGE_COOKIE).and_then(|cookie| Language::parse(cookie.value()));
    let own = || who.and_then(|who| Language::parse(&who.user.language));
    let asked =
        || request.headers().get("accept-language").and_then(|value| Some(Language::accepted(value.to_str().ok()?)));
    chosen.or_else(own).or_else(asked).unwrap_or_default()
}

/// Where somebody starts.
pub fn home(who: &SignedIn) -> &'static str {
    let pages = [(Permission::ConsoleUse, "/agent"), (Permission::PortalUse, "/my"), (Permission::AdminUse, "/admin")];
    pages.into_iter().find(|(permission, _)| who.may(*permission)).map_or("/account", |(_, page)| page)
}

/// The reader's choice of light or dark; empty for the browser's.
fn theme(request: &HttpRequest) -> &'static str {
    let chosen = request.cookie(THEME_COOKIE);
    let known = |cookie: &actix_web::cookie::Cookie<'_>| THEMES.iter().copied().find(|theme| *theme == cookie.value());
    chosen.as_ref().and_then(known).unwrap_or_default()
}

/// Renders a page with what every page has.
fn page(
    request: &HttpRequest,
    who: Option<&SignedIn>,
    template: &str,
    status: StatusCode,
    own: Value,
) -> Result<HttpResponse, Problem> {
    let language = language(request, who);
    let theme = theme(request);
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let shared = context! {
        t => language.words(),
        once => crate::auth::secret::token().unwrap_or_default(),
        said => said(request, language),
        call => false,
        language => language.code(),
        other_language => language.other().code(),
        other_language_name => language.other().name(),
        theme,
        other_theme => if theme == "dark" { "light" } else { "dark" },
        static => assets::base(),
        here,
        zone => locale::zone_name(),
        area => area(request.path()),
        box => own.get_attr("q").ok().filter(|q| !q.is_undefined()).unwrap_or_else(|| Value::from("")),
        user => who.map(|who| user(who, language)),
    };
    let failed = |error: minijinja::Error| Problem::failed("making a page", &format!("{error:#}"));
    let html = templates::render(template, context! { ..own, ..shared }).map_err(failed)?;
    let vary = ("vary", "Cookie, Accept-Language");
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").insert_header(vary).body(html))
}

/// What the page says of what was just done: `said` in its address names the words.
fn said(request: &HttpRequest, language: Language) -> String {
    let pairs = request.query_string().split('&');
    let key = pairs.filter_map(|pair| pair.strip_prefix("said=")).next().unwrap_or_default();
    if key.is_empty() { String::new() } else { language.word(&format!("said_{key}")) }
}

/// Which part of the program a path belongs to.
fn area(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

/// A role in words; one of the archive's own by its name.
fn role_word(role: &str, language: Language) -> String {
    let word = language.word(&format!("role_{role}"));
    if word.is_empty() { role.to_string() } else { word }
}

fn user(who: &SignedIn, language: Language) -> Value {
    let name = if who.user.display_name.is_empty() { &who.user.name } else { &who.user.display_name };
    let initials: String = name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect();
    context! {
        name => name.as_str(),
        initials => initials.to_uppercase(),
        role => role_word(&who.role, language),
        home => home(who),
        staff => who.may(Permission::ConsoleUse),
        admin => who.may(Permission::AdminUse),
        may => who.principal.rights.permissions.iter().map(|permission| permission.name()).collect::<Vec<_>>(),
        csrf => who.session.as_ref().map(|session| session.csrf.clone()).unwrap_or_default(),
    }
}

/// Problems whose reason helps whoever reads the page.
const REASONED: &[StatusCode] = &[StatusCode::BAD_REQUEST, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];

/// A problem as a page.
pub fn problem_page(request: &HttpRequest, who: Option<&SignedIn>, problem: &Problem) -> HttpResponse {
    let language = language(request, who);
    let key = format!("problem_{}", problem.code.replace('-', "_"));
    let own = context! {
        title => language.word(&key),
        advice => language.word(&format!("{key}_do")),
        // Why the caller's request is wrong; what the server failed with is in its log.
        detail => if REASONED.contains(&problem.status) || matches!(problem.code, "disposed" | "no-longer-kept") { problem.detail.as_str() } else { "" },
        code => problem.code,
        typed => Vec::<Value>::new(),
        again => "",
    };
    page(request, who, "problem.html", problem.status, own).unwrap_or_else(|problem| problem.response())
}
