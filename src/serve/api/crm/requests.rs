//! Requests and their threads.

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::json;

use super::access::{self, About};
use super::{Made, body, expected, make, page, row, row_unless_known, window};
use crate::auth::permission::Permission;
use crate::crm::request::{NewRequest, Request, RequestChange, RequestState};
use crate::crm::{CrmError, Side};
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Requests in a state (`open` when left out), newest first.
#[utoipa::path(get, path = "/api/v1/requests", tag = "activity",
    params(("state" = Option<String>, Query, description = "`open`, `reopened`, `waiting`, `answered`, `resolved`"),
        ("assigned_to" = Option<String>, Query, description = "Only of this user; `-`: of nobody"),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "`items`, `next_cursor`"), (status = 403, description = "forbidden")))]
pub async fn find(ask: Ask) -> Answer {
    let params = ask.params(&["state", "assigned_to", "limit", "cursor"])?;
    let (limit, cursor) = window(&params)?;
    let words: Vec<_> = RequestState::ALL.iter().map(|state| (state.name(), *state)).collect();
    let state_asked = params.word("state", &words, RequestState::Open)?;
    let assigned = params.get("assigned_to").map(|name| if name == "-" { String::new() } else { name.to_string() });
    let who = ask.who()?.clone();
    ask.block(move |state| {
        // What is asked about what a data policy keeps from the caller is kept from them too.
        let mut found = access::filled(
            limit,
            cursor.as_deref(),
            |cursor, limit| state.crm.requests(state_asked, assigned.as_deref(), cursor, limit),
            |request| access::hides(state, &who, About::request(request)),
        )?;
        let eyes = access::eyes(state, &who)?;
        found.items.iter_mut().try_for_each(|request| eyes.request(request))?;
        Ok(found)
    })
    .await
    .map(|found| page(&found))
}

fn side(who: &SignedIn) -> Side {
    if access::viewer(who).is_staff() { Side::Agent } else { Side::Customer }
}

/// Opens a request: of a customer about an account or a document of theirs, or by an agent for one.
#[utoipa::path(post, path = "/api/v1/requests", tag = "activity",
    responses((status = 201, description = "the request"), (status = 404, description = "not-found: the account or document is not the caller's"),
        (status = 422, description = "bad-value")))]
pub async fn add(ask: Ask) -> Answer {
    let new: NewRequest = body(&ask)?;
    make(ask, move |state, who, _| {
        let request = open(state, who, new)?;
        Ok(Made::row("requests", &request))
    })
    .await
}

/// Opens a request after asking whether account and document are for the caller.
pub fn open(state: &State, who: &SignedIn, mut new: NewRequest) -> Result<Request, Problem> {
    let side = side(who);
    if side == Side::Agent {
        who.need(Permission::RequestAnswer)?;
    }
    if let Some(document) = &new.document {
        new.account = access::need_document(state, who, crate::serve::api::documents::id(document)?, "request")?;
    }
    match &new.account {
        Some(account) => access::need_account(state, who, account)?,
        None if side == Side::Customer => {
            let customer = new.customer.as_deref().ok_or_else(|| Problem::bad_value("account: name the account."))?;
            access::need_customer(state, who, customer)?;
        }
        None => access::need_named(state, who, new.customer.as_deref(), None)?,
    }
    if let Some(account) = &new.account {
        new.customer = match state.crm.account(account) {
            Ok(account) => account.data.customer,
            Err(CrmError::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
    }
    let request = state.crm.open_request(&who.user.name, side, new)?;
    let right = access::writing(who, Permission::RequestAnswer);
    let document = request.document.as_deref().unwrap_or_default();
    state.gate.record_by(&who.principal, right, "request", &request.id, document)?;
    access::shown_request(state, who, request.seen_by(access::viewer(who)))
}

/// A request with its thread.
#[utoipa::path(get, path = "/api/v1/requests/{id}", tag = "activity",
    params(("id" = String, Path, description = "Request id")),
    responses((status = 200, description = "the request"), (status = 404, description = "not-found")))]
pub async fn show(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let request = ask
        .block(move |state| {
            if access::viewer(&who).is_staff() {
                who.need(Permission::RequestAnswer)?;
            }
            access::need_request(state, &who, &id)
        })
        .await?;
    Ok(row_unless_known(&ask, &request))
}

/// Changes a request, for agents: `state`, `assigned_to`, `resolution`, `delivery`.
#[utoipa::path(patch, path = "/api/v1/requests/{id}", tag = "activity",
    params(("id" = String, Path, description = "Request id")),
    responses((status = 200, description = "the request"), (status = 404, description = "not-found"),
        (status = 409, description = "state: not possible in this state"), (status = 412, description = "changed")))]
pub async fn change(ask: Ask) -> Answer {
    let (id, who, version) = (ask.part("id").to_string(), ask.who()?.clone(), expected(&ask)?);
    let change: RequestChange = body(&ask)?;
    ask.block(move |state| {
        who.need(Permission::RequestAnswer)?;
        access::need_request(state, &who, &id)?;
        let request = state.crm.change_request(&who.user.name, &id, version, change)?;
        let right = Permission::RequestAnswer;
        state.gate.record_by(&who.principal, right, "request-changed", &id, request.state.name())?;
        access::shown_request(state, &who, request)
    })
    .await
    .map(|request| row(&request))
}

/// A message to add.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    text: String,
    #[serde(default)]
    internal: bool,
}

/// Adds a message to a thread; `internal` ones are for agents only.
#[utoipa::path(post, path = "/api/v1/requests/{id}/messages", tag = "activity",
    params(("id" = String, Path, description = "Request id")),
    responses((status = 201, description = "the request"), (status = 404, description = "not-found"), (status = 422, description = "bad-value")))]
pub async fn reply(ask: Ask) -> Answer {
    let (id, version) = (ask.part("id").to_string(), expected(&ask)?);
    let message: NewMessage = body(&ask)?;
    make(ask, move |state, who, _| {
        let viewer = access::viewer(who);
        if viewer.is_staff() {
            who.need(Permission::RequestAnswer)?;
        }
        access::need_request(state, who, &id)?;
        let (name, side) = (&who.user.name, side(who));
        let request = state.crm.reply(name, side, &id, version, &message.text, message.internal)?;
        let right = access::writing(who, Permission::RequestAnswer);
        state.gate.record_by(&who.principal, right, "request-message", &id, "")?;
        Ok(Made::row("requests", &access::shown_request(state, who, request.seen_by(viewer))?))
    })
    .await
}

/// Who changed what of a request, oldest first; for agents.
#[utoipa::path(get, path = "/api/v1/requests/{id}/history", tag = "activity",
    params(("id" = String, Path, description = "Request id")),
    responses((status = 200, description = "`items`"), (status = 404, description = "not-found")))]
pub async fn history(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let changes = ask
        .block(move |state| {
            who.need(Permission::RequestAnswer)?;
            let request = access::need_request(state, &who, &id)?;
            let mut changes = state.crm.request_history(&id)?;
            access::eyes(state, &who)?.changes(&mut changes, request.document.as_deref())?;
            Ok(changes)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "items": changes })))
}
