//! Copies of documents that are sent, and links that show one.

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::json;

use super::access::{self, About};
use super::{Made, body, make, row};
use crate::auth::gate::Use;
use crate::auth::permission::Permission;
use crate::crm::copy::NewCopy;
use crate::crm::link::LinkLife;
use crate::serve::ask::{Answer, Ask};

/// Plans a copy to a verified contact point of the account's customer (`contact_point`); with the right for it to any
/// `address`, with a `reason`. The delivery stays `planned` until it is handed over.
#[utoipa::path(post, path = "/api/v1/documents/{id}/deliveries", tag = "activity",
    params(("id" = String, Path, description = "Document id")),
    responses((status = 201, description = "the delivery"), (status = 403, description = "forbidden"),
        (status = 404, description = "not-found"), (status = 422, description = "bad-value: the address is not verified")))]
pub async fn send(ask: Ask) -> Answer {
    let id = crate::serve::api::documents::id(ask.part("id"))?;
    let copy: NewCopy = body(&ask)?;
    make(ask, move |state, who, _| {
        let delivery = access::send(state, who, id, copy)?;
        Ok(Made::row("deliveries", &access::shown_delivery(state, who, delivery)?))
    })
    .await
}

/// A delivery.
#[utoipa::path(get, path = "/api/v1/deliveries/{id}", tag = "activity",
    params(("id" = String, Path, description = "Delivery id")),
    responses((status = 200, description = "the delivery"), (status = 404, description = "not-found")))]
pub async fn show(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let delivery = ask
        .block(move |state| {
            who.need(Permission::DocumentSend)?;
            let delivery = state.crm.delivery(&id)?;
            access::need_about(state, &who, About::delivery(&delivery))?;
            access::shown_delivery(state, &who, delivery)
        })
        .await?;
    Ok(row(&delivery))
}

/// Calls a delivery back that was not handed over yet.
#[utoipa::path(delete, path = "/api/v1/deliveries/{id}", tag = "activity",
    params(("id" = String, Path, description = "Delivery id")),
    responses((status = 200, description = "the delivery, `cancelled`"), (status = 404, description = "not-found"), (status = 409, description = "state")))]
pub async fn cancel(ask: Ask) -> Answer {
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    ask.block(move |state| {
        who.need(Permission::DocumentSend)?;
        access::need_about(state, &who, About::delivery(&state.crm.delivery(&id)?))?;
        let delivery = state.crm.cancel_delivery(&who.user.name, &id)?;
        state.gate.record_by(&who.principal, Permission::DocumentSend, "send-cancelled", &id, "")?;
        access::shown_delivery(state, &who, delivery)
    })
    .await
    .map(|delivery| row(&delivery))
}

/// How long and how often a link shows its document.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NewLink {
    expires_in_s: i64,
    uses: u32,
}

impl Default for NewLink {
    fn default() -> NewLink {
        NewLink { expires_in_s: 7 * 86_400, uses: 5 }
    }
}

/// Makes a link that shows a document without signing in; its address is told once, as `path`.
#[utoipa::path(post, path = "/api/v1/documents/{id}/links", tag = "activity",
    params(("id" = String, Path, description = "Document id")),
    responses((status = 201, description = "the link with `path`"), (status = 403, description = "forbidden"), (status = 404, description = "not-found")))]
pub async fn link(ask: Ask) -> Answer {
    let id = crate::serve::api::documents::id(ask.part("id"))?;
    let new: NewLink = if ask.body.is_empty() { NewLink::default() } else { body(&ask)? };
    make(ask, move |state, who, _| {
        who.need(Permission::DocumentSend)?;
        let (_, view, account) = access::open(state, who, id, Use::SEND, "link")?;
        // Whoever makes a link has its address: it shows no more than they see themselves.
        let life = LinkLife { seconds: new.expires_in_s, uses: new.uses, masked: view.masked };
        let (token, mut link) = state.crm.make_link(&who.user.name, id, account.as_deref(), life)?;
        link.data.account = view.account;
        state.gate.record_by(&who.principal, Permission::DocumentSend, "link-made", &link.id, &id.to_string())?;
        let mut made = Made::row("links", &link);
        made.json["path"] = format!("/d/{token}").into();
        Ok(made)
    })
    .await
}

/// The links to a document.
#[utoipa::path(get, path = "/api/v1/documents/{id}/links", tag = "activity",
    params(("id" = String, Path, description = "Document id")),
    responses((status = 200, description = "`items`"), (status = 404, description = "not-found")))]
pub async fn links(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (crate::serve::api::documents::id(ask.part("id"))?, ask.who()?.clone());
    let links = ask
        .block(move |state| {
            who.need(Permission::DocumentSend)?;
            access::need_document(state, &who, id, "links")?;
            let (mut links, account) = (state.crm.links_to(id)?, access::account_shown(state, &who, id)?);
            links.iter_mut().for_each(|link| link.data.account.clone_from(&account));
            Ok(links)
        })
        .await?;
    let items: Vec<_> = links.iter().map(crate::crm::Kept::json).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items })))
}

/// Calls a link back.
#[utoipa::path(delete, path = "/api/v1/links/{id}", tag = "activity",
    params(("id" = String, Path, description = "Link id")),
    responses((status = 204, description = "called back"), (status = 404, description = "not-found")))]
pub async fn revoke(ask: Ask) -> Answer {
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    ask.block(move |state| {
        who.need(Permission::DocumentSend)?;
        access::need_about(state, &who, About::link(&state.crm.link(&id)?))?;
        state.crm.revoke_link(&who.user.name, &id)?;
        Ok(state.gate.record_by(&who.principal, Permission::DocumentSend, "link-revoked", &id, "")?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}
