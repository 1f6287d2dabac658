//! Interactions and wrap-up codes.

use actix_web::HttpResponse;
use serde_json::json;

use super::access::{self, About};
use super::{Made, body, expected, list, make, page, row, row_unless_known, window};
use crate::auth::permission::Permission;
use crate::crm::interaction::{Interaction, InteractionChange, NewInteraction, WrapUp};
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// The caller's interactions, newest first: those that have not ended, or with `ended=1` those that have.
#[utoipa::path(get, path = "/api/v1/interactions", tag = "activity",
    params(("ended" = Option<String>, Query, description = "`1`: those that ended"), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "`items`, `next_cursor`")))]
pub async fn find(ask: Ask) -> Answer {
    let params = ask.params(&["ended", "limit", "cursor"])?;
    let (limit, cursor) = window(&params)?;
    let ended = params.word("ended", &[("true", true), ("1", true), ("false", false), ("0", false)], false)?;
    let who = ask.who()?.clone();
    ask.block(move |state| {
        who.need(Permission::InteractionRead)?;
        let name = &who.user.name;
        let hides = |one: &Interaction| access::hides(state, &who, About::interaction(one));
        let mut found = if ended {
            let fetch = |cursor: Option<&str>, limit| state.crm.ended_interactions(name, cursor, limit);
            access::filled(limit, cursor.as_deref(), fetch, hides)?
        } else {
            let items = access::only_seen(state.crm.open_interactions(name, limit)?, hides)?;
            crate::crm::Page { items, next_cursor: None }
        };
        let eyes = access::eyes(state, &who)?;
        found.items.iter_mut().try_for_each(|one| eyes.row(&mut one.data.account))?;
        Ok(found)
    })
    .await
    .map(|found| page(&found))
}

/// The interaction with its account as the caller sees it.
fn shown(state: &State, who: &SignedIn, mut interaction: Interaction) -> Result<Interaction, Problem> {
    access::eyes(state, who)?.row(&mut interaction.data.account)?;
    Ok(interaction)
}

/// Begins an interaction. One that the caller has for this `call_id` already is given back as it is.
#[utoipa::path(post, path = "/api/v1/interactions", tag = "activity",
    responses((status = 201, description = "the interaction"), (status = 403, description = "forbidden"), (status = 422, description = "bad-value")))]
pub async fn add(ask: Ask) -> Answer {
    let new: NewInteraction = body(&ask)?;
    make(ask, move |state, who, _| {
        who.need(Permission::InteractionWrite)?;
        access::need_named(state, who, new.customer.as_deref(), new.account.as_deref())?;
        let interaction = state.crm.begin_interaction(&who.user.name, new)?;
        access::come_to(state, &who.user.name, &interaction.id);
        state.gate.record_by(
            &who.principal,
            Permission::InteractionWrite,
            "interaction",
            &interaction.id,
            &interaction.call_id,
        )?;
        Ok(Made::row("interactions", &shown(state, who, interaction)?))
    })
    .await
}

/// An interaction.
#[utoipa::path(get, path = "/api/v1/interactions/{id}", tag = "activity",
    params(("id" = String, Path, description = "Interaction id")),
    responses((status = 200, description = "the interaction"), (status = 404, description = "not-found")))]
pub async fn show(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let interaction = ask
        .block(move |state| {
            who.need(Permission::InteractionRead)?;
            let interaction = state.crm.interaction(&id)?;
            access::need_about(state, &who, About::interaction(&interaction))?;
            shown(state, &who, interaction)
        })
        .await?;
    Ok(row_unless_known(&ask, &interaction))
}

/// Changes an interaction: `customer`, `account`, `recording`, `wrap_up`, `summary`, `verified_by`, `ended`.
#[utoipa::path(patch, path = "/api/v1/interactions/{id}", tag = "activity",
    params(("id" = String, Path, description = "Interaction id")),
    responses((status = 200, description = "the interaction"), (status = 404, description = "not-found"),
        (status = 412, description = "changed"), (status = 422, description = "bad-value")))]
pub async fn change(ask: Ask) -> Answer {
    let (id, who, version) = (ask.part("id").to_string(), ask.who()?.clone(), expected(&ask)?);
    let change: InteractionChange = body(&ask)?;
    ask.block(move |state| {
        who.need(Permission::InteractionWrite)?;
        access::need_about(state, &who, About::interaction(&state.crm.interaction(&id)?))?;
        access::need_named(state, &who, change.customer.as_deref(), change.account.as_deref())?;
        let proved = change.verified_by.clone().unwrap_or_default();
        let interaction = state.crm.change_interaction(&who.user.name, &id, version, change)?;
        state.gate.record_by(&who.principal, Permission::InteractionWrite, "interaction-changed", &id, &proved)?;
        shown(state, &who, interaction)
    })
    .await
    .map(|interaction| row(&interaction))
}

/// The wrap-up codes.
#[utoipa::path(get, path = "/api/v1/wrap-up-codes", tag = "activity", responses((status = 200, description = "`items`: code, label, label_zh")))]
pub async fn codes(ask: Ask) -> Answer {
    ask.params(&[])?;
    let who = ask.who()?.clone();
    let codes = ask
        .block(move |state| {
            who.need(Permission::InteractionRead)?;
            Ok(state.crm.wrap_up_codes()?)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "items": codes })))
}

/// Sets the wrap-up codes, all of them.
#[utoipa::path(post, path = "/api/v1/wrap-up-codes", tag = "activity",
    responses((status = 200, description = "`items`"), (status = 403, description = "forbidden"), (status = 422, description = "bad-value")))]
pub async fn set_codes(ask: Ask) -> Answer {
    let codes: Vec<WrapUp> = body(&ask)?;
    let who = ask.who()?.clone();
    let codes = ask
        .block(move |state| {
            who.need(Permission::PolicyWrite)?;
            state.crm.set_wrap_up_codes(&codes)?;
            state.gate.record(&who.principal, "wrap-up-codes", "", "")?;
            Ok(codes)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "items": codes })))
}

/// What links go to: the deliveries of a document.
#[utoipa::path(get, path = "/api/v1/documents/{id}/deliveries", tag = "activity",
    params(("id" = String, Path, description = "Document id")),
    responses((status = 200, description = "`items`"), (status = 404, description = "not-found")))]
pub async fn deliveries(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (crate::serve::api::documents::id(ask.part("id"))?, ask.who()?.clone());
    ask.block(move |state| {
        access::need_document(state, &who, id, "deliveries")?;
        let rows = state.crm.deliveries_of(access::viewer(&who), id)?;
        rows.into_iter().map(|row| access::shown_delivery(state, &who, row)).collect::<Result<Vec<_>, _>>()
    })
    .await
    .map(|rows| list(&rows))
}
