//! The API's description, generated from the handlers.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::api::{content, documents, info, loads, session};
use super::problem::Problem;

#[derive(OpenApi)]
#[openapi(
    info(title = "greenbar", description = "Enterprise report management archive. Errors are RFC 9457 problem JSON; \
        `code` is stable. Authentication: `Authorization: Bearer gbk_...`, or a session cookie."),
    paths(
        documents::list, documents::show, content::get, info::definitions, info::audit, info::live, info::health,
        info::metrics,
        loads::send, loads::list, loads::show, loads::original,
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
    }
}

/// The description as JSON.
pub fn document() -> Result<String, Problem> {
    Api::openapi().to_json().map_err(|error| Problem::failed("describing the API", &error))
}
