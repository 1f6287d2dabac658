//! Contact points.

use serde::Deserialize;
use serde_json::Value as Json;

use super::access::{self, About};
use super::{Made, body, expected, list, make, patched, row};
use crate::auth::permission::Permission;
use crate::crm::CrmError;
use crate::crm::contact::{ContactData, ContactPoint, NO_OWNER, NewContact, Owner};
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Whether the caller may see what belongs to an owner.
fn need_owner(state: &State, who: &SignedIn, owner: &Owner) -> Result<(), Problem> {
    if access::viewer(who).is_staff() {
        who.need(Permission::CustomerRead)?;
    }
    match owner {
        Owner::Customer(id) => access::need_customer(state, who, id),
        Owner::Account(number) => access::need_account(state, who, number),
    }
}

/// That contact points of an owner were looked at.
fn recorded(state: &State, who: &SignedIn, kind: &str, owner: &Owner) -> Result<(), Problem> {
    Ok(state.gate.record_by(&who.principal, access::right(who), kind, "contacts", owner.name())?)
}

/// Contact points of a customer or an account. Agents see values with their middle hidden until the caller is verified in a
/// contact of theirs that goes on; API keys with `customer.write` see them whole.
#[utoipa::path(get, path = "/api/v1/contact-points", tag = "customers",
    params(("customer" = Option<String>, Query, description = "Of this customer"), ("account" = Option<String>, Query, description = "Of this account")),
    responses((status = 200, description = "`items`"), (status = 404, description = "not-found")))]
pub async fn find(ask: Ask) -> Answer {
    let params = ask.params(&["customer", "account"])?;
    let owner = match (params.get("customer"), params.get("account")) {
        (Some(id), None) => Owner::Customer(id.to_string()),
        (None, Some(number)) => Owner::Account(number.to_string()),
        _ => return Err(Problem::bad_parameter("Name customer or account.")),
    };
    let who = ask.who()?.clone();
    ask.block(move |state| {
        need_owner(state, &who, &owner)?;
        recorded(state, &who, "search", &owner)?;
        let mut points = state.crm.contacts_of(&owner)?;
        access::mask_points(&mut points, access::sees_contacts_of(state, &who, &owner)?);
        Ok(points)
    })
    .await
    .map(|rows| list(&rows))
}

/// Adds a contact point; it is not verified.
#[utoipa::path(post, path = "/api/v1/contact-points", tag = "customers",
    responses((status = 201, description = "the contact point"), (status = 403, description = "forbidden"),
        (status = 409, description = "exists"), (status = 422, description = "bad-value")))]
pub async fn add(ask: Ask) -> Answer {
    let mut new: NewContact = body(&ask)?;
    make(ask, move |state, who, _| {
        if access::viewer(who).is_staff() {
            who.need(Permission::CustomerWrite)?;
            if access::hides(state, who, About::owner(&new.owner))? {
                return Err(CrmError::Invalid { field: "owner", problem: NO_OWNER.into() }.into());
            }
        } else {
            need_owner(state, who, &new.owner)?;
            new.source = "customer".into();
        }
        let point = state.crm.add_contact(&who.user.name, new)?;
        let right = access::writing(who, Permission::CustomerWrite);
        state.gate.record_by(&who.principal, right, "contact-point-added", &point.id, point.owner.name())?;
        Ok(Made::row("contact-points", &point))
    })
    .await
}

/// A contact point, masked as in the list.
#[utoipa::path(get, path = "/api/v1/contact-points/{id}", tag = "customers",
    params(("id" = String, Path, description = "Contact point id")),
    responses((status = 200, description = "the contact point"), (status = 404, description = "not-found")))]
pub async fn show(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let point = ask
        .block(move |state| {
            let point = state.crm.contact(&id)?;
            need_owner(state, &who, &point.owner)?;
            recorded(state, &who, "search", &point.owner)?;
            shown(state, &who, point)
        })
        .await?;
    // No answer of "unchanged": whether the value is whole is not in the version.
    Ok(row(&point))
}

/// The contact point as the caller may see it.
fn shown(state: &State, who: &SignedIn, mut point: ContactPoint) -> Result<ContactPoint, Problem> {
    let whole = access::sees_contacts_of(state, who, &point.owner)?;
    access::mask_points(std::slice::from_mut(&mut point), whole);
    access::eyes(state, who)?.owners(std::slice::from_mut(&mut point))?;
    Ok(point)
}

/// What may be changed of a contact point.
#[derive(Deserialize)]
struct Change {
    verified_by: Option<String>,
}

/// Changes a contact point: a JSON merge patch of value, label, validity and source; another value must be verified anew.
/// `{"verified_by": "callback"}` notes that the customer was proved to be reached here.
#[utoipa::path(patch, path = "/api/v1/contact-points/{id}", tag = "customers",
    params(("id" = String, Path, description = "Contact point id")),
    responses((status = 200, description = "the contact point"), (status = 404, description = "not-found"),
        (status = 412, description = "changed"), (status = 422, description = "bad-value")))]
pub async fn change(ask: Ask) -> Answer {
    let (id, who, version) = (ask.part("id").to_string(), ask.who()?.clone(), expected(&ask)?);
    let proof: Change = body(&ask)?;
    let mut patch: Json = body(&ask)?;
    if let Some(members) = patch.as_object_mut() {
        members.remove("verified_by");
    }
    ask.block(move |state| {
        let before = state.crm.contact(&id)?;
        need_owner(state, &who, &before.owner)?;
        let staff = access::viewer(&who).is_staff();
        if staff {
            who.need(Permission::CustomerWrite)?;
        }
        let ContactData { owner, kind, value, label, valid_from, valid_to, source, .. } = before.data.clone();
        let new = NewContact { owner, kind, value, label, valid_from, valid_to, source };
        let new = patched(&new, patch.to_string().as_bytes())?;
        let mut point = state.crm.set_contact(&who.user.name, &id, version.or(Some(before.version)), new)?;
        if let Some(how) = proof.verified_by {
            if !staff {
                return Err(Problem::forbidden("A contact point is verified by its code."));
            }
            point = state.crm.verify_contact(&who.user.name, &id, &how)?;
        }
        let right = access::writing(&who, Permission::CustomerWrite);
        state.gate.record_by(&who.principal, right, "contact-point-changed", &id, point.owner.name())?;
        shown(state, &who, point)
    })
    .await
    .map(|point| row(&point))
}
