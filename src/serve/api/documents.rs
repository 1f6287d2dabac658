//! Hit lists and what is known of a document.

use actix_web::HttpResponse;

use super::json;
use crate::archive::DocId;
use crate::auth::gate::Use;
use crate::auth::permission::Permission;
use crate::search::QueryError;
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::backend::{BackendError, DocumentView, HitPage, HitsAsked, Order};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Longest query in characters.
const MOST_QUERY: usize = 2000;
/// Hits on a page.
const MOST_HITS: u32 = 1000;
/// Parameters of a hit list.
pub const PARAMETERS: &[&str] = &["q", "definition", "kind", "account", "from", "to", "sort", "limit", "cursor"];
/// Orders to choose among.
pub const ORDERS: &[(&str, Order)] = &[("newest", Order::Newest), ("oldest", Order::Oldest), ("best", Order::Best)];
/// Words of `sort`: the orders, and what other programs call them.
const SORTS: &[(&str, Order)] = &[
    ("newest", Order::Newest),
    ("oldest", Order::Oldest),
    ("best", Order::Best),
    ("date", Order::Newest),
    ("relevance", Order::Best),
];

/// Refuses what is too long to be searched for; the pages show it with the reason and keep it in the box.
pub fn measured(query: &str) -> Result<(), Problem> {
    let length = query.chars().count();
    if length <= MOST_QUERY {
        return Ok(());
    }
    let problem = format!("the query has {length} characters, at most {MOST_QUERY} are allowed");
    let advice = "Search for less at a time.".to_string();
    Err(BackendError::BadQuery(QueryError { at: MOST_QUERY + 1, problem, advice }).into())
}

/// What the parameters ask for; [`measured`] says whether the query is too long.
pub fn asked(params: &Params, limit: usize) -> Result<HitsAsked, Problem> {
    let query = params.get("q").unwrap_or_default();
    let text = |name: &str| params.get(name).map(str::to_string);
    Ok(HitsAsked {
        query: query.to_string(),
        definition: text("definition"),
        kind: text("kind"),
        account: text("account"),
        from: params.day("from")?,
        to: params.day("to")?,
        order: params.word("sort", SORTS, Order::Newest)?,
        limit: params.number("limit", 1..=MOST_HITS)?.map_or(limit, |limit| limit as usize),
        cursor: text("cursor"),
    })
}

/// Finds, after recording who searched for what.
pub fn find(state: &State, who: &SignedIn, asked: &HitsAsked) -> Result<HitPage, Problem> {
    let scope = state.gate.scope(&who.principal);
    state.gate.record_by(&who.principal, Permission::DocumentRead, "search", "", &wish(asked))?;
    Ok(state.backend.hits(asked, &scope)?)
}

/// What was searched for, for the audit.
fn wish(asked: &HitsAsked) -> String {
    let mut parts = vec![asked.query.clone()];
    let mut add = |name: &str, value: Option<String>| parts.extend(value.map(|value| format!("{name}={value}")));
    add("definition", asked.definition.clone());
    add("kind", asked.kind.clone());
    add("account", asked.account.clone());
    add("from", asked.from.map(|day| day.to_string()));
    add("to", asked.to.map(|day| day.to_string()));
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

/// A document id of the path. Anything else is nothing.
pub fn id(text: &str) -> Result<DocId, Problem> {
    text.parse().map_err(|()| Problem::nothing())
}

/// What is known of a document, after the gate let `who` have it. Not there and not allowed look alike, and both are
/// recorded.
pub fn look_up(state: &State, who: &SignedIn, id: DocId, why: &str) -> Result<DocumentView, Problem> {
    let subject = state.backend.subject(id)?;
    let permit = state.gate.open(&who.principal, Use::READ, &subject, why)?;
    Ok(state.backend.document(&permit)?)
}

/// Hit list: the documents that match and that the caller may see.
#[utoipa::path(get, path = "/api/v1/documents", tag = "documents",
    params(
        ("q" = Option<String>, Query, description = "Query: words, `field:value`, ranges, phrases"),
        ("definition" = Option<String>, Query, description = "Only of this report definition"),
        ("kind" = Option<String>, Query, description = "Only of this kind"),
        ("account" = Option<String>, Query, description = "Only of this account"),
        ("from" = Option<String>, Query, description = "Not before this day (ISO 8601)"),
        ("to" = Option<String>, Query, description = "Not after this day (ISO 8601)"),
        ("sort" = Option<String>, Query, description = "`newest` (or `date`), `oldest`, `best` (or `relevance`)"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 20 when left out"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, body = json::Hits), (status = 400, description = "bad-parameter, bad-query"),
        (status = 401, description = "unauthorized")))]
pub async fn list(ask: Ask) -> Answer {
    let asked = asked(&ask.params(PARAMETERS)?, 20)?;
    measured(&asked.query)?;
    let who = ask.who()?.clone();
    let all = who.may(Permission::DocumentSensitive);
    let page = ask.block(move |state| find(state, &who, &asked)).await?;
    Ok(HttpResponse::Ok().json(json::hits(page, all)))
}

/// What is known of a document, without its content.
#[utoipa::path(get, path = "/api/v1/documents/{id}", tag = "documents",
    params(("id" = String, Path, description = "Document id, such as `7-123`")),
    responses((status = 200, body = json::Hit), (status = 404, description = "not-found: not there or not for you")))]
pub async fn show(ask: Ask) -> Answer {
    ask.params(&[])?;
    let id = id(ask.part("id"))?;
    let who = ask.who()?.clone();
    let view = ask.block(move |state| look_up(state, &who, id, "metadata")).await?;
    Ok(HttpResponse::Ok().json(json::document(&view, true)))
}
