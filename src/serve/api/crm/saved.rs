//! Saved searches of the caller.

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::json;

use super::{body, part};
use crate::serve::ask::{Answer, Ask};

/// The caller's saved searches, by name.
#[utoipa::path(get, path = "/api/v1/saved-searches", tag = "activity", responses((status = 200, description = "`items`: name, query, saved_at")))]
pub async fn find(ask: Ask) -> Answer {
    ask.params(&[])?;
    let who = ask.who()?.clone();
    let saved = ask.block(move |state| Ok(state.crm.saved_searches(&who.user.name)?)).await?;
    Ok(HttpResponse::Ok().json(json!({ "items": saved })))
}

/// A search to save.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSearch {
    name: String,
    query: String,
}

/// Saves a search: `name`, and in `query` what the address of the hit list says. One of the same name is replaced.
#[utoipa::path(post, path = "/api/v1/saved-searches", tag = "activity",
    responses((status = 200, description = "the search"), (status = 422, description = "bad-value")))]
pub async fn save(ask: Ask) -> Answer {
    let new: NewSearch = body(&ask)?;
    let who = ask.who()?.clone();
    let saved = ask.block(move |state| Ok(state.crm.save_search(&who.user.name, &new.name, &new.query)?)).await?;
    Ok(HttpResponse::Ok().json(saved))
}

/// Forgets a search.
#[utoipa::path(delete, path = "/api/v1/saved-searches/{name}", tag = "activity",
    params(("name" = String, Path, description = "Its name")),
    responses((status = 204, description = "forgotten"), (status = 404, description = "not-found")))]
pub async fn forget(ask: Ask) -> Answer {
    let (name, who) = (part(&ask, "name"), ask.who()?.clone());
    ask.block(move |state| Ok(state.crm.forget_search(&who.user.name, &name)?)).await?;
    Ok(HttpResponse::NoContent().finish())
}
