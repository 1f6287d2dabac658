//! Definitions, audit, health, metrics, and the API's own description.

use actix_web::HttpResponse;
use serde_json::json;

use crate::audit::Filter;
use crate::index::value::Day;
use crate::serve::ask::{Answer, Ask, Params};
use crate::serve::backend::DefinitionView;
use crate::serve::problem::Problem;

/// The report definitions.
#[utoipa::path(get, path = "/api/v1/definitions", tag = "definitions",
    responses((status = 200, body = [DefinitionView])))]
pub async fn definitions(ask: Ask) -> Answer {
    ask.params(&[])?;
    let list = ask.block(|state| Ok(state.backend.definitions()?)).await?;
    Ok(HttpResponse::Ok().json(json!({ "definitions": list })))
}

/// Audit records, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(("who" = Option<String>, Query, description = "Only of this user"),
        ("kind" = Option<String>, Query, description = "`read`, `refused`, `search`, `sign-in` ..."),
        ("document" = Option<String>, Query, description = "Only of this document"),
        ("address" = Option<String>, Query, description = "Only from this address"),
        ("from" = Option<String>, Query, description = "Not before this day (ISO 8601, UTC)"),
        ("to" = Option<String>, Query, description = "Not after this day"),
        ("text" = Option<String>, Query, description = "Only with this text in what was done, what for or by which right"),
        ("before" = Option<u32>, Query, description = "Only records before this number"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 100 when left out")),
    responses((status = 200, description = "`records`")))]
pub async fn audit(ask: Ask) -> Answer {
    let filter = audit_filter(&ask.params(AUDIT_PARAMETERS)?, 100)?;
    let records = ask.block(move |state| Ok(state.gate.audit(&filter)?)).await?;
    Ok(HttpResponse::Ok().json(json!({ "records": records })))
}

/// Parameters of a search in the audit.
pub const AUDIT_PARAMETERS: &[&str] = &["who", "kind", "document", "address", "from", "to", "text", "before", "limit"];

/// What a search in the audit asks for; `limit` when the parameters do not say.
pub fn audit_filter(params: &Params, limit: u32) -> Result<Filter, Problem> {
    let text = |name: &str| params.get(name).map(str::to_string);
    let document = params.get("document").map(str::parse).transpose();
    Ok(Filter {
        who: text("who"),
        kind: text("kind"),
        document: document.map_err(|()| Problem::bad_parameter("document is an id such as 7-123."))?,
        from: text("address"),
        since: params.day("from")?.map(|day| day.to_string()),
        until: params.day("to")?.map(|day| Day(day.0.saturating_add(1)).to_string()),
        text: text("text"),
        before: params.number("before", 1..=u32::MAX)?.map(u64::from),
        limit: params.number("limit", 1..=1000)?.unwrap_or(limit) as usize,
    })
}

/// Whether the process answers; asks nothing else.
#[utoipa::path(get, path = "/live", tag = "operation", responses((status = 200, description = "`{\"status\": \"ok\"}`")))]
pub async fn live(_: Ask) -> Answer {
    Ok(HttpResponse::Ok().json(json!({ "status": "ok" })))
}

/// Whether the server and its store answer.
#[utoipa::path(get, path = "/health", tag = "operation",
    responses((status = 200, description = "`{\"status\": \"ok\"}`"), (status = 500, description = "internal")))]
pub async fn health(ask: Ask) -> Answer {
    ask.block(|state| {
        let asked = state.backend.engine().get(crate::archive::kv::Family::Settings, b"health");
        asked.map(|_| ()).map_err(|error| Problem::failed("asking the store", &error))
    })
    .await?;
    Ok(HttpResponse::Ok().json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })))
}

/// Counters for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "Prometheus text", content_type = "text/plain")))]
pub async fn metrics(ask: Ask) -> Answer {
    let figures = ask.block(|state| Ok(state.backend.figures()?)).await?;
    let page = ask.state.metrics.page(figures, ask.state.intake.waiting());
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(page))
}

/// This description.
pub async fn openapi(_: Ask) -> Answer {
    Ok(HttpResponse::Ok().content_type("application/json").body(crate::serve::openapi::document()?))
}
