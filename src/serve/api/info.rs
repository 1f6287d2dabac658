//! Definitions, audit, health, metrics, and the API's own description.

use actix_web::HttpResponse;
use serde_json::json;

use crate::auth::permission::Permission;
use crate::serve::ask::{Answer, Ask};
use crate::serve::backend::DefinitionView;
use crate::serve::problem::Problem;

/// The report definitions: without those that `visible_to` keeps from the caller, unless the caller loads streams by them.
#[utoipa::path(get, path = "/api/v1/definitions", tag = "definitions",
    responses((status = 200, body = [DefinitionView])))]
pub async fn definitions(ask: Ask) -> Answer {
    ask.params(&[])?;
    let who = ask.who()?.clone();
    let list = ask
        .block(move |state| {
            let mut list = state.backend.definitions()?;
            if !who.may(Permission::LoadWrite) {
                let hidden = who.principal.rights.kept_from(&state.backend.restricted()?);
                list.retain(|definition| !hidden.contains(&definition.name));
            }
            Ok(list)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "definitions": list })))
}

/// Whether the process answers; asks nothing else.
#[utoipa::path(get, path = "/live", tag = "operation", responses((status = 200, description = "`{\"status\": \"ok\"}`")))]
pub async fn live(_: Ask) -> Answer {
    Ok(HttpResponse::Ok().json(json!({ "status": "ok" })))
}

/// Whether the server and its store answer. `distribution` says when nothing is sent because its configuration is wrong; what is
/// wrong is told in its first line, the rest of it on `/admin/distribution`.
#[utoipa::path(get, path = "/health", tag = "operation",
    responses((status = 200, description = "`{\"status\": \"ok\"}`"), (status = 500, description = "internal")))]
pub async fn health(ask: Ask) -> Answer {
    let wrong = ask.block(|state| {
        let asked = state.backend.engine().get(crate::archive::kv::Family::Settings, b"health");
        asked.map_err(|error| Problem::failed("asking the store", &error))?;
        let read = crate::distribute::config::Config::read(&state.config.data);
        Ok(read.err().map(|error| error.to_string().lines().next().unwrap_or_default().to_string()))
    });
    let wrong = wrong.await?;
    let mut told = json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") });
    if let Some(why) = wrong {
        told["distribution"] = json!({ "ok": false, "why": format!("nothing is sent: {why}") });
    }
    Ok(HttpResponse::Ok().json(told))
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
