//! The one route table, and what happens to every request on its way through it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;

use super::api::{audit, content, crm, distribution, documents, info, intake, loads, session, uploads};
use super::ask::{self, Answer, Ask, SignedIn};
use super::multipart;
use super::problem::Problem;
use super::state::State;
use super::web as pages;
use crate::auth::permission::{Permission, Permissions};
use crate::auth::secret;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Everybody who signed in: what is one's own, such as the session.
    SignedIn,
    /// Everybody who may use the console or the portal; the handler decides by whose data it is.
    Member,
    /// Those with this permission; the gate decides about documents.
    May(Permission),
}

impl Access {
    /// Whether somebody who signed in may use it.
    pub fn allows(self, permissions: Permissions) -> bool {
        match self {
            Access::Public | Access::SignedIn => true,
            Access::Member => permissions.has(Permission::ConsoleUse) || permissions.has(Permission::PortalUse),
            Access::May(permission) => permissions.has(permission),
        }
    }
}

/// What a request may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// Nothing that is looked at.
    Nothing,
    /// A form or JSON of at most 64 KiB.
    Little,
    /// A form with a file of at most [`SAMPLE`] bytes.
    Sample,
    /// A stream.
    Stream,
}

type Handler = fn(Ask) -> Pin<Box<dyn Future<Output = Answer>>>;

/// A row of the table.
pub struct Route {
    /// `GET` (which also answers `HEAD`), `POST`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// The path, with `{parts}`.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it takes.
    pub carries: Carries,
    handler: Handler,
}

impl Route {
    /// Whether programs ask here: errors are problem JSON, nobody is sent to the sign-in page.
    pub fn is_api(&self) -> bool {
        self.path.starts_with("/api") || matches!(self.path, "/live" | "/health" | "/metrics")
    }
}

macro_rules! routes {
    ($($method:ident $path:literal $access:ident $(($permission:ident))? $carries:ident $handler:path;)+) => {
        &[$(Route {
            method: stringify!($method),
            path: $path,
            access: Access::$access $((Permission::$permission))?,
            carries: Carries::$carries,
            handler: |ask| Box::pin($handler(ask)),
        }),+]
    };
}

/// Every route of the server.
pub static ROUTES: &[Route] = routes! {
    GET    "/api/v1/documents"                             May(DocumentRead)      Nothing documents::list;
    GET    "/api/v1/documents/{id}"                        May(DocumentRead)      Nothing documents::show;
    GET    "/api/v1/documents/{id}/content"                May(DocumentRead)      Nothing content::get;
    GET    "/api/v1/definitions"                           May(DefinitionRead)    Nothing info::definitions;
    POST   "/api/v1/loads"                                 May(LoadWrite)         Stream  loads::send;
    GET    "/api/v1/loads"                                 May(LoadRead)          Nothing loads::list;
    GET    "/api/v1/loads/{id}"                            May(LoadRead)          Nothing loads::show;
    GET    "/api/v1/loads/{id}/original"                   May(LoadExport)        Nothing loads::original;
    POST   "/api/v1/loads/{id}/unload"                     May(LoadDelete)        Little  intake::unload;
    GET    "/api/v1/intake"                                May(LoadRead)          Nothing intake::list;
    POST   "/api/v1/intake:retry"                          May(LoadWrite)         Little  intake::retry_failed;
    GET    "/api/v1/intake/{id}"                           May(LoadRead)          Nothing intake::show;
    GET    "/api/v1/intake/{id}/preview"                   May(LoadWrite)         Nothing intake::preview;
    GET    "/api/v1/intake/{id}/trial"                     May(LoadWrite)         Nothing intake::trial;
    POST   "/api/v1/intake/{id}/assign"                    May(LoadWrite)         Little  intake::assign;
    POST   "/api/v1/intake/{id}/retry"                     May(LoadWrite)         Little  intake::retry;
    POST   "/api/v1/intake/{id}/hold"                      May(LoadWrite)         Little  intake::hold;
    POST   "/api/v1/intake/{id}/release"                   May(LoadWrite)         Little  intake::release;
    POST   "/api/v1/intake/{id}/discard"                   May(LoadDelete)        Little  intake::discard;
    GET    "/api/v1/intake-rules"                          May(LoadRead)          Nothing intake::rules;
    POST   "/api/v1/intake-rules"                          May(LoadWrite)         Little  intake::make_rule;
    DELETE "/api/v1/intake-rules/{number}"                 May(LoadWrite)         Nothing intake::remove_rule;
    GET    "/api/v1/intake-queues"                         May(LoadRead)          Nothing intake::queues;
    POST   "/api/v1/intake-queues"                         May(LoadWrite)         Little  intake::switch_queue;
    POST   "/api/v1/uploads"                               May(LoadWrite)         Nothing uploads::begin;
    GET    "/api/v1/uploads/{id}"                          May(LoadWrite)         Nothing uploads::show;
    PATCH  "/api/v1/uploads/{id}"                          May(LoadWrite)         Stream  uploads::go_on;
    DELETE "/api/v1/uploads/{id}"                          May(LoadWrite)         Nothing uploads::give_up;
    GET    "/api/v1/audit"                                 May(AuditRead)         Nothing audit::list;
    GET    "/api/v1/audit/export"                          May(AuditRead)         Nothing audit::export;
    POST   "/api/v1/session"                               Public                 Little  session::sign_in;
    GET    "/api/v1/session"                               SignedIn               Nothing session::whoami;
    DELETE "/api/v1/session"                               SignedIn               Nothing session::sign_out;
    GET    "/api/v1/sessions"                              SignedIn               Nothing session::list;
    DELETE "/api/v1/sessions/{id}"                         SignedIn               Nothing session::revoke;
    GET    "/api/v1/customers"                             May(CustomerRead)      Nothing crm::customers::find;
    POST   "/api/v1/customers"                             May(CustomerWrite)     Little  crm::customers::add;
    POST   "/api/v1/customers:resolve"                     May(CustomerRead)      Little  crm::customers::resolve;
    GET    "/api/v1/customers/{id}"                        Member                 Nothing crm::customers::show;
    PATCH  "/api/v1/customers/{id}"                        May(CustomerWrite)     Little  crm::customers::change;
    GET    "/api/v1/customers/{id}/history"                May(CustomerRead)      Nothing crm::customers::history;
    GET    "/api/v1/customers/{id}/timeline"               Member                 Nothing crm::customers::timeline;
    GET    "/api/v1/customers/{id}/consents"               Member                 Nothing crm::customers::consents;
    GET    "/api/v1/accounts"                              May(CustomerRead)      Nothing crm::accounts::find;
    POST   "/api/v1/accounts"                              May(CustomerWrite)     Little  crm::accounts::add;
    GET    "/api/v1/accounts/{number}"                     Member                 Nothing crm::customers::account;
    PATCH  "/api/v1/accounts/{number}"                     May(CustomerWrite)     Little  crm::accounts::change;
    GET    "/api/v1/accounts/{number}/timeline"            Member                 Nothing crm::accounts::timeline;
    GET    "/api/v1/accounts/{number}/series"              May(DocumentRead)      Nothing crm::accounts::series;
    GET    "/api/v1/accounts/{number}/preferences"         Member                 Nothing crm::accounts::preferences;
    POST   "/api/v1/accounts/{number}/preferences"         Member                 Little  crm::accounts::prefer;
    POST   "/api/v1/accounts/{number}/pin-letter"          May(CustomerActFor)    Little  crm::enrolment::letter;
    GET    "/api/v1/contact-points"                        Member                 Nothing crm::contacts::find;
    POST   "/api/v1/contact-points"                        Member                 Little  crm::contacts::add;
    GET    "/api/v1/contact-points/{id}"                   Member                 Nothing crm::contacts::show;
    PATCH  "/api/v1/contact-points/{id}"                   Member                 Little  crm::contacts::change;
    GET    "/api/v1/interactions"                          May(InteractionRead)   Nothing crm::interactions::find;
    POST   "/api/v1/interactions"                          May(InteractionWrite)  Little  crm::interactions::add;
    GET    "/api/v1/interactions/{id}"                     May(InteractionRead)   Nothing crm::interactions::show;
    PATCH  "/api/v1/interactions/{id}"                     May(InteractionWrite)  Little  crm::interactions::change;
    GET    "/api/v1/wrap-up-codes"                         May(InteractionRead)   Nothing crm::interactions::codes;
    POST   "/api/v1/wrap-up-codes"                         May(PolicyWrite)       Little  crm::interactions::set_codes;
    GET    "/api/v1/notes"                                 May(DocumentRead)      Nothing crm::notes::find;
    POST   "/api/v1/notes"                                 May(NoteWrite)         Little  crm::notes::add;
    GET    "/api/v1/notes/{id}"                            Member                 Nothing crm::notes::show;
    PATCH  "/api/v1/notes/{id}"                            May(NoteWrite)         Little  crm::notes::change;
    DELETE "/api/v1/notes/{id}"                            May(NoteWrite)         Nothing crm::notes::withdraw;
    GET    "/api/v1/notes/{id}/history"                    May(NoteWrite)         Nothing crm::notes::history;
    GET    "/api/v1/requests"                              May(RequestAnswer)     Nothing crm::requests::find;
    POST   "/api/v1/requests"                              May(RequestWrite)      Little  crm::requests::add;
    GET    "/api/v1/requests/{id}"                         May(RequestRead)       Nothing crm::requests::show;
    PATCH  "/api/v1/requests/{id}"                         May(RequestAnswer)     Little  crm::requests::change;
    POST   "/api/v1/requests/{id}/messages"                May(RequestWrite)      Little  crm::requests::reply;
    GET    "/api/v1/requests/{id}/history"                 May(RequestAnswer)     Nothing crm::requests::history;
    GET    "/api/v1/saved-searches"                        Member                 Nothing crm::saved::find;
    POST   "/api/v1/saved-searches"                        Member                 Little  crm::saved::save;
    DELETE "/api/v1/saved-searches/{name}"                 Member                 Nothing crm::saved::forget;
    GET    "/api/v1/disclosures"                           Member                 Nothing crm::consents::disclosure;
    POST   "/api/v1/disclosures"                           May(PolicyWrite)       Little  crm::consents::publish;
    POST   "/api/v1/consents"                              Member                 Little  crm::consents::begin;
    GET    "/api/v1/consents/{id}"                         Member                 Nothing crm::consents::show;
    PATCH  "/api/v1/consents/{id}"                         Member                 Little  crm::consents::change;
    GET    "/api/v1/documents/{id}/deliveries"             May(DocumentRead)      Nothing crm::interactions::deliveries;
    POST   "/api/v1/documents/{id}/deliveries"             May(DocumentSend)      Little  crm::deliveries::send;
    GET    "/api/v1/deliveries/{id}"                       May(DocumentSend)      Nothing crm::deliveries::show;
    DELETE "/api/v1/deliveries/{id}"                       May(DocumentSend)      Nothing crm::deliveries::cancel;
    GET    "/api/v1/documents/{id}/links"                  May(DocumentSend)      Nothing crm::deliveries::links;
    POST   "/api/v1/documents/{id}/links"                  May(DocumentSend)      Little  crm::deliveries::link;
    DELETE "/api/v1/links/{id}"                            May(DocumentSend)      Nothing crm::deliveries::revoke;
    GET    "/api/v1/documents/{id}/compare"                May(DocumentRead)      Nothing crm::documents::compare;
    GET    "/api/v1/enrolment"                             Public                 Nothing crm::enrolment::forms;
    POST   "/api/v1/enrolment"                             Public                 Little  crm::enrolment::submit;
    GET    "/d/{token}"                                    Public                 Nothing pages::link::page;
    POST   "/d/{token}"                                    Public                 Little  pages::link::reveal;
    GET    "/api/openapi.json"                             Public                 Nothing info::openapi;
    GET    "/live"                                         Public                 Nothing info::live;
    GET    "/health"                                       Public                 Nothing info::health;
    GET    "/metrics"                                      Public                 Nothing info::metrics;
    GET    "/"                                             Public                 Nothing pages::sign_in::page;
    POST   "/sign-in"                                      Public                 Little  pages::sign_in::submit;
    GET    "/sign-in/code"                                 Public                 Nothing pages::sign_in::code_page;
    POST   "/sign-in/code"                                 Public                 Little  pages::sign_in::code;
    GET    "/oidc/start"                                   Public                 Nothing pages::sign_in::provider;
    GET    "/oidc/callback"                                Public                 Nothing pages::sign_in::provider_answer;
    POST   "/sign-out"                                     SignedIn               Little  pages::sign_in::sign_out;
    GET    "/language"                                     Public                 Nothing pages::sign_in::language;
    GET    "/theme"                                        Public                 Nothing pages::sign_in::theme;
    GET    "/static/{version}/{name}"                      Public                 Nothing pages::assets::get;
    GET    "/agent"                                        May(ConsoleUse)        Nothing pages::agent::page;
    GET    "/agent/results"                                May(ConsoleUse)        Nothing pages::agent::results;
    GET    "/agent/documents/{id}"                         May(ConsoleUse)        Nothing pages::document::agent;
    GET    "/agent/documents/{id}/find"                    May(ConsoleUse)        Nothing pages::document::find;
    POST   "/agent/saved"                                  May(ConsoleUse)        Little  pages::desk::saved::save;
    POST   "/agent/saved/forget"                           May(ConsoleUse)        Little  pages::desk::saved::forget;
    GET    "/agent/pop"                                    May(InteractionWrite)  Nothing pages::desk::call::pop;
    POST   "/agent/calls"                                  May(InteractionWrite)  Little  pages::desk::call::begin;
    GET    "/agent/calls/{id}"                             May(InteractionWrite)  Nothing pages::desk::call::who_is_it;
    POST   "/agent/calls/{id}/choose"                      May(InteractionWrite)  Little  pages::desk::call::chosen;
    POST   "/agent/calls/{id}/verify"                      May(InteractionWrite)  Little  pages::desk::call::verify;
    POST   "/agent/calls/{id}/end"                         May(InteractionWrite)  Little  pages::desk::call::end;
    GET    "/agent/customers/{id}"                         May(CustomerRead)      Nothing pages::desk::customer::customer;
    GET    "/agent/accounts/{number}"                      May(CustomerRead)      Nothing pages::desk::customer::account;
    POST   "/agent/accounts/{number}/pin-letter"           May(CustomerActFor)    Little  pages::desk::customer::pin_letter;
    POST   "/agent/notes"                                  May(NoteWrite)         Little  pages::desk::remark::note;
    POST   "/agent/notes/{id}/withdraw"                    May(NoteWrite)         Little  pages::desk::remark::withdraw;
    GET    "/agent/requests"                               May(RequestAnswer)     Nothing pages::desk::request::list;
    GET    "/agent/requests/{id}"                          May(RequestAnswer)     Nothing pages::desk::request::page;
    POST   "/agent/requests/{id}/reply"                    May(RequestAnswer)     Little  pages::desk::request::reply;
    POST   "/agent/requests/{id}/change"                   May(RequestAnswer)     Little  pages::desk::request::change;
    POST   "/agent/documents/{id}/send"                    May(DocumentSend)      Little  pages::desk::remark::send;
    GET    "/agent/documents/{id}/compare"                 May(CustomerRead)      Nothing pages::desk::compare::page;
    GET    "/my"                                           May(PortalUse)         Nothing pages::my::page;
    GET    "/my/documents/{id}"                            May(PortalUse)        Nothing pages::my::bill::page;
    GET    "/my/documents/{id}/compare"                    May(PortalUse)        Nothing pages::my::compare::page;
    GET    "/my/documents/{id}/ask"                        May(RequestWrite)     Nothing pages::my::question::form;
    POST   "/my/documents/{id}/ask"                        May(RequestWrite)     Little  pages::my::question::send;
    GET    "/my/questions"                                 May(PortalUse)        Nothing pages::my::question::list;
    GET    "/my/questions/{id}"                            May(PortalUse)        Nothing pages::my::question::page;
    POST   "/my/questions/{id}/reply"                      May(RequestWrite)     Little  pages::my::question::reply;
    GET    "/my/settings"                                  May(PortalUse)        Nothing pages::my::settings::page;
    POST   "/my/settings/language"                         May(PortalUse)        Little  pages::my::settings::speak;
    POST   "/my/settings/delivery"                         May(PortalUse)        Little  pages::my::settings::prefer;
    GET    "/my/consent"                                   May(PortalUse)        Nothing pages::my::consent::page;
    POST   "/my/consent/sample"                            May(PortalUse)        Little  pages::my::consent::sample;
    POST   "/my/consent/confirm"                           May(PortalUse)        Little  pages::my::consent::confirm;
    POST   "/my/consent/withdraw"                          May(PortalUse)        Little  pages::my::consent::withdraw;
    GET    "/my/activity"                                  May(PortalUse)        Nothing pages::my::activity::page;
    GET    "/my/period"                                    May(PortalUse)        Nothing pages::my::period::page;
    GET    "/my/period/zip"                                May(PortalUse)        Nothing pages::my::period::zip;
    GET    "/enrol"                                        Public                Nothing pages::my::enrol::page;
    POST   "/enrol"                                        Public                Little  pages::my::enrol::submit;
    GET    "/account"                                      SignedIn               Nothing pages::account::page;
    POST   "/account/language"                             SignedIn               Little  pages::account::set_language;
    POST   "/account/password"                             SignedIn               Little  pages::account::set_password;
    POST   "/account/second"                               SignedIn               Little  pages::account::second;
    POST   "/account/sessions"                             SignedIn               Little  pages::account::end_session;
    GET    "/admin/people"                                 May(UserRead)          Nothing pages::people::page;
    POST   "/admin/users"                                  May(UserWrite)         Little  pages::people::users;
    POST   "/admin/roles"                                  May(PolicyWrite)       Little  pages::people::roles;
    POST   "/admin/groups"                                 May(PolicyWrite)       Little  pages::people::groups;
    POST   "/admin/policies"                               May(PolicyWrite)       Little  pages::people::policies;
    GET    "/api/v1/distribution/runs"                     May(DistributionRead)  Nothing distribution::list;
    POST   "/api/v1/distribution/runs"                     May(DistributionRun)   Little  distribution::plan;
    GET    "/api/v1/distribution/runs/{run}"               May(DistributionRead)  Nothing distribution::show;
    GET    "/api/v1/distribution/runs/{run}/pieces"        May(DistributionRead)  Nothing distribution::pieces;
    GET    "/api/v1/distribution/runs/{run}/manifest"      May(DistributionRead)  Nothing distribution::manifest;
    POST   "/api/v1/distribution/runs/{run}"               May(DistributionRead)  Little  distribution::take_step;
    GET    "/admin/distribution"                           May(DistributionRead)  Nothing pages::distribution::page;
    POST   "/admin/distribution"                           May(DistributionRead)  Little  pages::distribution::act;
    GET    "/admin/arrivals"                               May(LoadRead)          Nothing pages::arrivals::list;
    POST   "/admin/arrivals"                               May(LoadWrite)         Little  pages::arrivals::retry_failed;
    POST   "/admin/queues"                                 May(LoadWrite)         Little  pages::arrivals::switch;
    GET    "/admin/arrivals/{id}"                          May(LoadRead)          Nothing pages::arrivals::page;
    POST   "/admin/arrivals/{id}"                          May(LoadWrite)         Little  pages::arrivals::act;
    GET    "/admin/rules"                                  May(LoadRead)          Nothing pages::rules::page;
    POST   "/admin/rules"                                  May(LoadWrite)         Little  pages::rules::act;
    GET    "/admin/loads"                                  May(LoadRead)          Nothing pages::loads::list;
    GET    "/admin/loads/{id}"                             May(LoadRead)          Nothing pages::loads::page;
    POST   "/admin/loads/{id}"                             May(LoadDelete)        Little  pages::loads::unload;
    GET    "/admin/definitions"                            May(AdminUse)          Nothing pages::definitions::list;
    GET    "/admin/definitions/{name}"                     May(AdminUse)          Nothing pages::definitions::page;
    GET    "/admin/definition"                             May(AdminUse)          Nothing pages::editor::page;
    POST   "/admin/definition"                             May(AdminUse)          Sample  pages::editor::act;
    GET    "/admin/audit"                                  May(AuditRead)         Nothing pages::audit::page;
    GET    "/admin/audit/export"                           May(AuditRead)         Nothing pages::audit::export;
    GET    "/admin"                                        May(AdminUse)          Nothing pages::admin::page;
};

/// Largest [`Carries::Little`] body.
const LITTLE: usize = 64 << 10;
/// Largest file in a [`Carries::Sample`] body.
pub const SAMPLE: usize = 8 << 20;

/// Tells actix about the table.
pub fn configure(config: &mut web::ServiceConfig) {
    let mut paths: Vec<&'static str> = Vec::new();
    for route in ROUTES {
        if !paths.contains(&route.path) {
            paths.push(route.path);
        }
    }
    for path in paths {
        let mut resource = web::resource(path);
        for route in ROUTES.iter().filter(|route| route.path == path) {
            let handle = move |request: HttpRequest, payload: web::Payload, state: web::Data<State>| {
                through(route, request, payload, state.into_inner())
            };
            resource = match route.method {
                "GET" => resource.route(web::get().to(handle)).route(web::head().to(handle)),
                "POST" => resource.route(web::post().to(handle)),
                "PATCH" => resource.route(web::patch().to(handle)),
                _ => resource.route(web::delete().to(handle)),
            };
        }
        config.service(resource.default_service(web::to(wrong_method)));
    }
    config.default_service(web::to(nowhere));
}

async fn wrong_method(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let path = request.match_pattern().unwrap_or_default();
    let methods = ROUTES.iter().filter(|route| route.path == path).map(|route| route.method);
    let known: Vec<_> = methods.map(|method| if method == "GET" { "GET, HEAD" } else { method }).collect();
    let known = known.join(", ");
    let mut response = Problem::method(format!("The path knows {known}.")).response();
    if let Ok(value) = HeaderValue::from_str(&known) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    finish(&state, response)
}

async fn nowhere(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let problem = ask::check_size(&request).err().unwrap_or_else(Problem::nothing);
    let response = if request.path().starts_with("/api") {
        problem.response()
    } else {
        pages::problem_page(&request, None, &problem)
    };
    finish(&state, response)
}

/// One request: size, origin, who, rights, forgery token, handler, headers.
async fn through(
    route: &'static Route,
    request: HttpRequest,
    payload: web::Payload,
    state: Arc<State>,
) -> HttpResponse {
    let begun = Instant::now();
    let mut who = None;
    let mut body = web::Bytes::new();
    let outcome = match admit(route, &request, &state) {
        Ok(admitted) => {
            who = admitted;
            handle(route, &request, payload, who.clone(), &state, &mut body).await
        }
        Err(problem) => {
            if problem.code == "unauthorized" && matches!(route.carries, Carries::Little) && !route.is_api() {
                // Somebody wrote while the session ended.
                body = bounded(payload, LITTLE).await.unwrap_or_default();
            }
            Err(problem)
        }
    };
    let lost = |problem: &Problem| {
        let over = matches!(problem.code, "unauthorized" | "csrf") && !route.is_api();
        over.then(|| pages::typed::lost(&request, who.as_ref(), problem, &body)).flatten()
    };
    let kept = outcome.as_ref().err().and_then(lost);
    let response = match outcome {
        Ok(response) => response,
        Err(problem) if kept.is_some() => kept.unwrap_or_else(|| problem.response()),
        Err(problem) if route.is_api() && !is_read_by_a_person(&request) => problem.response(),
        Err(problem) if problem.code == "unauthorized" => pages::sign_in::redirect(&request),
        Err(problem) => {
            let who = who.or_else(|| ask::authenticate(&state, &request).ok().flatten());
            pages::problem_page(&request, who.as_ref(), &problem)
        }
    };
    state.metrics.answered(route.method, route.path, response.status().as_u16(), begun.elapsed());
    finish(&state, response)
}

/// Whether the answer is what somebody's browser shows next: a link to a rendition was followed.
fn is_read_by_a_person(request: &HttpRequest) -> bool {
    let is = |name: &str, wanted: &str| request.headers().get(name).is_some_and(|value| value == wanted);
    is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document")
}

/// Who asks, when the route is for them.
fn admit(route: &Route, request: &HttpRequest, state: &State) -> Result<Option<SignedIn>, Problem> {
    ask::check_size(request)?;
    if route.method != "GET" {
        ask::check_origin(request)?;
    }
    if route.access == Access::Public {
        return Ok(None);
    }
    let who = ask::authenticate(state, request)?;
    let signed_in = who.as_ref().ok_or_else(|| Problem::unauthorized("Sign in, or send an API key."))?;
    if !route.access.allows(signed_in.principal.rights.permissions) {
        return Err(match route.access {
            Access::May(permission) => Problem::missing(permission),
            _ => Problem::forbidden("Your role does not include this."),
        });
    }
    Ok(who)
}

async fn handle(
    route: &'static Route,
    request: &HttpRequest,
    payload: web::Payload,
    who: Option<SignedIn>,
    state: &Arc<State>,
    form: &mut web::Bytes,
) -> Answer {
    let mut ask = Ask { request: request.clone(), who, body: web::Bytes::new(), payload: None, state: state.clone() };
    match route.carries {
        Carries::Nothing => {}
        Carries::Little => {
            ask.body = bounded(payload, LITTLE).await?;
            form.clone_from(&ask.body);
        }
        Carries::Sample => ask.body = bounded(payload, SAMPLE + LITTLE).await?,
        Carries::Stream => ask.payload = Some(payload),
    }
    if route.method != "GET" {
        check_token(&ask)?;
    }
    (route.handler)(ask).await
}

/// A state-changing request in a browser session carries the session's token, as a header or in its form.
fn check_token(ask: &Ask) -> Result<(), Problem> {
    let Some(session) = ask.who.as_ref().and_then(|who| who.session.as_ref()) else { return Ok(()) };
    let sent = ask.request.headers().get("x-csrf-token").map(|value| value.as_bytes().to_vec());
    let sent = sent.or_else(|| match multipart::boundary(&ask.request) {
        Some(boundary) => multipart::token(&boundary, &ask.body),
        None => form_token(&ask.body),
    });
    if sent.is_some_and(|sent| secret::same(&sent, session.csrf.as_bytes())) {
        return Ok(());
    }
    Err(Problem::csrf("Send the session's token in X-CSRF-Token; GET /api/v1/session tells it."))
}

/// The token in a form, whatever else the form holds.
fn form_token(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let pairs = web::Query::<Vec<(String, String)>>::from_query(text).ok()?.into_inner();
    let mut tokens = pairs.into_iter().filter(|(name, _)| name == "csrf");
    // Two of them are one too many.
    tokens.next().filter(|_| tokens.next().is_none()).map(|(_, token)| token.into_bytes())
}

async fn bounded(mut payload: web::Payload, most: usize) -> Result<web::Bytes, Problem> {
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::bad_body("The body broke off."))?;
        if body.len() + chunk.len() > most {
            return Err(Problem::too_large(format!("At most {most} bytes are taken here.")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The headers of every answer. What a handler has set stays.
fn finish(state: &State, mut response: HttpResponse) -> HttpResponse {
    const HEADERS: [(&str, &str); 7] = [
        ("content-security-policy", pages::POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ];
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if state.config.secure_cookies {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}
