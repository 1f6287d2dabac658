//! Pages for people: sign-in, agents, customers, administrators. Templates lie in `templates/web/`, words in `words.rs`.

pub mod admin;
pub mod agent;
pub mod assets;
pub mod document;
pub mod my;
mod shown;
pub mod sign_in;
mod words;

use std::sync::OnceLock;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use super::ask::SignedIn;
use super::problem::Problem;
use crate::auth::permission::Permission;
pub use words::Language;

/// Content security policy of the pages: nothing from elsewhere, nothing inline.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Name of the cookie that remembers the language.
const LANGUAGE_COOKIE: &str = "greenbar_language";

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        /// The templates by name.
        const TEMPLATES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/web/", $name)))),+];
    };
}

templates![
    "base.html",
    "sign-in.html",
    "agent.html",
    "document.html",
    "my.html",
    "admin.html",
    "problem.html",
    "search.html"
];

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("coded", coded);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source).expect("the templates are part of the program and tested");
        }
        environment
    })
}

/// A text as a value in a query string.
fn coded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

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

/// Renders a page with what every page has.
fn page(
    request: &HttpRequest,
    who: Option<&SignedIn>,
    template: &str,
    status: StatusCode,
    own: Value,
) -> Result<HttpResponse, Problem> {
    let language = language(request, who);
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let user = who.map(|who| {
        context! {
            name => who.user.display_name.as_str(),
            role => who.role.as_str(),
            home => home(who),
            admin => who.may(Permission::AdminUse),
            may => who.principal.rights.permissions.iter().map(|p| p.name()).collect::<Vec<_>>(),
            csrf => who.session.as_ref().map(|session| session.csrf.clone()).unwrap_or_default(),
        }
    });
    let shared = context! {
        t => language.words(),
        language => language.code(),
        other_language => language.other().code(),
        other_language_name => language.other().name(),
        css => assets::address("style.css"),
        js => assets::address("app.js"),
        here => here,
        user => user,
    };
    let failed = |error: minijinja::Error| Problem::failed("making a page", &error);
    let template = environment().get_template(template).map_err(failed)?;
    let html = template.render(context! { ..own, ..shared }).map_err(failed)?;
    let vary = ("vary", "Cookie, Accept-Language");
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").insert_header(vary).body(html))
}

/// A problem as a page.
pub fn problem_page(request: &HttpRequest, who: Option<&SignedIn>, problem: &Problem) -> HttpResponse {
    let words = language(request, who).words();
    let known =
        words.get_attr(&format!("problem_{}", problem.code.replace('-', "_"))).ok().filter(|text| !text.is_undefined());
    let own = context! {
        title => known.unwrap_or_else(|| Value::from(problem.title)),
        detail => if problem.status.is_client_error() { problem.detail.as_str() } else { "" },
        code => problem.code,
    };
    page(request, who, "problem.html", problem.status, own).unwrap_or_else(|problem| problem.response())
}
