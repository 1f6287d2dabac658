//! The API's description, generated from the handlers.

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::api::{audit, content, crm, distribution, documents, info, intake, loads, session, uploads};
use super::problem::Problem;

#[derive(OpenApi)]
#[openapi(
    info(title = "greenbar", description = "Enterprise report management archive. Errors are RFC 9457 problem JSON; \
        `code` is stable. Authentication: `Authorization: Bearer gbk_...`, or a session cookie."),
    paths(
        documents::list, documents::show, content::get, info::definitions, audit::list, audit::export, info::live, info::health,
        info::metrics, distribution::list, distribution::plan, distribution::show, distribution::pieces, distribution::manifest, distribution::take_step,
        loads::send, loads::list, loads::show, loads::original,
        intake::list, intake::show, intake::preview, intake::trial, intake::assign, intake::retry, intake::hold, intake::retry_failed,
        intake::release, intake::discard, intake::rules, intake::make_rule, intake::remove_rule, intake::queues, intake::switch_queue, intake::unload,
        uploads::begin, uploads::show, uploads::go_on, uploads::give_up,
        crm::customers::find, crm::customers::add, crm::customers::resolve, crm::customers::show,
        crm::customers::change, crm::customers::history, crm::customers::timeline, crm::customers::consents,
        crm::accounts::find, crm::accounts::add, crm::customers::account, crm::accounts::change,
        crm::enrolment::letter, crm::accounts::timeline, crm::accounts::series, crm::accounts::preferences, crm::accounts::prefer,
        crm::contacts::find, crm::contacts::add, crm::contacts::show, crm::contacts::change, crm::interactions::find,
        crm::interactions::add, crm::interactions::show, crm::interactions::change, crm::interactions::codes,
        crm::interactions::set_codes, crm::notes::find, crm::notes::add, crm::notes::show, crm::notes::change,
        crm::notes::withdraw, crm::notes::history, crm::requests::find, crm::requests::add, crm::requests::show,
        crm::requests::change, crm::requests::reply, crm::requests::history, crm::saved::find, crm::saved::save,
        crm::saved::forget, crm::consents::disclosure, crm::consents::publish, crm::consents::begin,
        crm::consents::show, crm::consents::change, crm::interactions::deliveries, crm::deliveries::send,
        crm::deliveries::show, crm::deliveries::cancel, crm::deliveries::links, crm::deliveries::link,
        crm::deliveries::revoke, crm::documents::compare, crm::enrolment::forms, crm::enrolment::submit,
        session::sign_in, session::whoami, session::sign_out, session::list, session::revoke,
    ),
    modifiers(&Keys),
    security(("key" = []), ()),
)]
struct Api;

struct Keys;

impl Modify for Keys {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("gbk_...").build();
        api.components.get_or_insert_default().add_security_scheme("key", SecurityScheme::Http(scheme));
        for path in api.paths.paths.values_mut() {
            let verbs = [&mut path.get, &mut path.post, &mut path.patch, &mut path.put, &mut path.delete];
            for operation in verbs.into_iter().flatten() {
                operation.responses.responses.entry("default".into()).or_insert_with(|| RefOr::T(problem()));
            }
        }
    }
}

/// What every call may answer instead: wrong parameters, nobody signed in, no right, too many requests, a failure.
fn problem() -> Response {
    let mut body = ObjectBuilder::new();
    for (name, about) in [
        ("type", "A URN that names the kind of problem"),
        ("title", "The kind of problem, for people"),
        ("code", "The kind of problem, for programs; stable"),
        ("detail", "What is wrong here and what to do"),
    ] {
        let text = ObjectBuilder::new().schema_type(Type::String).description(Some(about));
        body = body.property(name, text).required(name);
    }
    let status = ObjectBuilder::new().schema_type(Type::Integer).description(Some("The HTTP status again"));
    let body = body.property("status", status).required("status");
    let content = ContentBuilder::new().schema(Some(body)).build();
    ResponseBuilder::new().description("A problem").content("application/problem+json", content).build()
}

/// The description as JSON.
pub fn document() -> Result<String, Problem> {
    Api::openapi().to_json().map_err(|error| Problem::failed("describing the API", &error))
}
