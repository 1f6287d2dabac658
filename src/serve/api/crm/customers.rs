//! Customers: list, make, show, change, history, timeline, resolve.

use actix_web::HttpResponse;
use serde_json::json;

use super::access;
use super::{Made, body, expected, list, make, page, part, patched, row, row_unless_known, window};
use crate::auth::permission::Permission;
use crate::crm::contact::{ContactPoint, Owner};
use crate::crm::customer::{Customer, CustomerData};
use crate::crm::resolve::ResolveAsk;
use crate::crm::timeline::{EntryKind, TimelineAsk};
use crate::serve::ask::{Answer, Ask};
use crate::serve::problem::Problem;

/// Customers: all, or those whose name has words that begin so.
#[utoipa::path(get, path = "/api/v1/customers", tag = "customers",
    params(("q" = Option<String>, Query, description = "Beginnings of words of the name"),
        ("limit" = Option<u32>, Query, description = "1 to 500, 50 when left out"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before; not with `q`")),
    responses((status = 200, description = "`items`, `next_cursor`"), (status = 403, description = "forbidden")))]
pub async fn find(ask: Ask) -> Answer {
    let params = ask.params(&["q", "limit", "cursor"])?;
    let (limit, cursor) = window(&params)?;
    let text = params.get("q").map(str::to_string);
    let who = ask.who()?.clone();
    ask.block(move |state| {
        who.need(Permission::CustomerRead)?;
        state.gate.record_by(
            &who.principal,
            Permission::CustomerRead,
            "search",
            "customers",
            text.as_deref().unwrap_or_default(),
        )?;
        let hides = |customer: &Customer| access::hides_customer(state, &who, &customer.id);
        let Some(text) = text else {
            let fetch = |cursor: Option<&str>, limit| state.crm.customers(cursor, limit);
            return access::filled(limit, cursor.as_deref(), fetch, hides);
        };
        let items = access::first_seen(limit, |limit| state.crm.customers_by_name(&text, limit), hides)?;
        Ok(crate::crm::Page { items, next_cursor: None })
    })
    .await
    .map(|found| page(&found))
}

/// Adds a customer.
#[utoipa::path(post, path = "/api/v1/customers", tag = "customers",
    responses((status = 201, description = "the customer, with `Location` and `ETag`"), (status = 403, description = "forbidden"),
        (status = 409, description = "exists: an external reference belongs to another"), (status = 422, description = "bad-value")))]
pub async fn add(ask: Ask) -> Answer {
    let data: CustomerData = body(&ask)?;
    make(ask, move |state, who, _| {
        who.need(Permission::CustomerWrite)?;
        let customer = state.crm.add_customer(&who.user.name, data)?;
        state.gate.record_by(&who.principal, Permission::CustomerWrite, "customer-added", &customer.id, "")?;
        Ok(Made::row("customers", &customer))
    })
    .await
}

/// A customer with accounts and contact points.
#[utoipa::path(get, path = "/api/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "Customer id")),
    responses((status = 200, description = "the customer, `accounts`, `contact_points`"), (status = 404, description = "not-found")))]
pub async fn show(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let viewer_is_staff = access::viewer(&who).is_staff();
    let (customer, accounts, points) = ask
        .block(move |state| {
            let customer = read(state, &who, &id)?;
            let viewer = access::viewer(&who);
            let mut accounts = state.crm.accounts_of(&id, crate::crm::timeline::MOST_ACCOUNTS)?;
            accounts.retain(|account| viewer.sees_account(&account.id));
            accounts =
                access::only_seen(accounts, |account| access::hidden(state, &who, std::slice::from_ref(&account.id)))?;
            let mut points = state.crm.contacts_of(&Owner::Customer(id.clone()))?;
            for account in &accounts {
                points.extend(state.crm.contacts_of(&Owner::Account(account.id.clone()))?);
            }
            access::mask_points(&mut points, access::sees_contacts(state, &who, Some(&id), None)?);
            let eyes = access::eyes(state, &who)?;
            eyes.owners(&mut points)?;
            accounts.iter_mut().try_for_each(|account| eyes.account(account))?;
            Ok((customer, accounts, points))
        })
        .await?;
    let mut json = customer.json();
    json["display_name"] = json!(customer.display_name());
    json["accounts"] = accounts.iter().map(crate::crm::Kept::json).collect();
    json["contact_points"] = points.iter().map(ContactPoint::json).collect();
    if !viewer_is_staff {
        json["external_refs"] = json!([]);
    }
    let etag = format!("\"{}\"", customer.version);
    Ok(HttpResponse::Ok().insert_header((actix_web::http::header::ETAG, etag)).json(json))
}

/// The customer, for those who may see it; recorded.
fn read(
    state: &crate::serve::state::State,
    who: &crate::serve::ask::SignedIn,
    id: &str,
) -> Result<crate::crm::customer::Customer, Problem> {
    if access::viewer(who).is_staff() {
        who.need(Permission::CustomerRead)?;
    }
    access::need_customer(state, who, id)?;
    let customer = state.crm.customer(id)?;
    state.gate.record_by(&who.principal, access::right(who), "search", "customer", id)?;
    Ok(customer)
}

/// Changes a customer: a JSON merge patch.
#[utoipa::path(patch, path = "/api/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "Customer id")),
    responses((status = 200, description = "the customer"), (status = 404, description = "not-found"),
        (status = 412, description = "changed: `If-Match` names an older version"), (status = 422, description = "bad-value")))]
pub async fn change(ask: Ask) -> Answer {
    let (id, who, version) = (ask.part("id").to_string(), ask.who()?.clone(), expected(&ask)?);
    let patch = ask.body.clone();
    ask.block(move |state| {
        who.need(Permission::CustomerWrite)?;
        access::need_customer(state, &who, &id)?;
        let before = state.crm.customer(&id)?;
        let data = patched(&before.data, &patch)?;
        let customer = state.crm.set_customer(&who.user.name, &id, version.or(Some(before.version)), data)?;
        state.gate.record_by(&who.principal, Permission::CustomerWrite, "customer-changed", &id, "")?;
        Ok(customer)
    })
    .await
    .map(|customer| row(&customer))
}

/// Who changed what of a customer, oldest first.
#[utoipa::path(get, path = "/api/v1/customers/{id}/history", tag = "customers",
    params(("id" = String, Path, description = "Customer id")),
    responses((status = 200, description = "`items`: version, at, by, fields with before and after"), (status = 404, description = "not-found")))]
pub async fn history(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let changes = ask
        .block(move |state| {
            who.need(Permission::CustomerRead)?;
            access::need_customer(state, &who, &id)?;
            state.crm.customer(&id)?;
            Ok(state.crm.customer_history(&id)?)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "items": changes })))
}

/// Everything of a customer in one stream, newest first.
#[utoipa::path(get, path = "/api/v1/customers/{id}/timeline", tag = "customers",
    params(("id" = String, Path, description = "Customer id"),
        ("kind" = Option<String>, Query, description = "Kinds, parted by commas: `document,view,delivery,interaction,note,request,consent`"),
        ("limit" = Option<u32>, Query, description = "1 to 500, 50 when left out"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "`items`: at, kind, id, account, document, who, side and the thing under the name of its kind; `next_cursor`"),
        (status = 404, description = "not-found")))]
pub async fn timeline(ask: Ask) -> Answer {
    let asked = timeline_ask(&ask)?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let found = ask
        .block(move |state| {
            read(state, &who, &id)?;
            let documents = access::documents(state, &who)?;
            let mut found = state.crm.customer_timeline(access::viewer(&who), &id, &documents, &asked)?;
            access::mask_timeline(&mut found.items, access::sees_contacts(state, &who, Some(&id), None)?);
            access::eyes(state, &who)?.timeline(&mut found.items)?;
            Ok(found)
        })
        .await?;
    Ok(HttpResponse::Ok().json(found))
}

/// The kinds, limit and cursor of a timeline.
pub fn timeline_ask(ask: &Ask) -> Result<TimelineAsk, Problem> {
    let params = ask.params(&["kind", "limit", "cursor"])?;
    let (limit, cursor) = window(&params)?;
    let mut kinds = Vec::new();
    for word in params.get("kind").unwrap_or_default().split(',').filter(|word| !word.is_empty()) {
        let known: Vec<_> = EntryKind::ALL.iter().map(|kind| kind.name()).collect();
        let kind = EntryKind::parse(word.trim());
        kinds.push(kind.ok_or_else(|| Problem::bad_parameter(format!("kind is some of: {}.", known.join(", "))))?);
    }
    Ok(TimelineAsk { kinds, cursor, limit })
}

/// Who that might be. A POST, so that numbers stay out of logs.
#[utoipa::path(post, path = "/api/v1/customers:resolve", tag = "customers",
    responses((status = 200, description = "`candidates`: customer, name, accounts, documents, reasons; `identity`: always `claimed`"),
        (status = 403, description = "forbidden")))]
pub async fn resolve(ask: Ask) -> Answer {
    let asked: ResolveAsk = body(&ask)?;
    let who = ask.who()?.clone();
    let candidates = ask
        .block(move |state| {
            who.need(Permission::CustomerRead)?;
            let given = [
                ("ani", asked.ani.is_some()),
                ("email", asked.email.is_some()),
                ("account", asked.account.is_some()),
                ("invoice", asked.invoice.is_some()),
                ("external_ref", asked.external_ref.is_some()),
                ("name", asked.name.is_some()),
            ];
            let given: Vec<_> = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
            state.gate.record_by(&who.principal, Permission::CustomerRead, "search", "resolve", &given.join(" "))?;
            let mut found = access::resolve(state, &who, &asked)?;
            let eyes = access::eyes(state, &who)?;
            for number in found.iter_mut().flat_map(|candidate| &mut candidate.accounts) {
                *number = eyes.number(number)?;
            }
            Ok(found)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "candidates": candidates, "identity": "claimed" })))
}

/// Consents of a customer, newest first.
#[utoipa::path(get, path = "/api/v1/customers/{id}/consents", tag = "customers",
    params(("id" = String, Path, description = "Customer id")),
    responses((status = 200, description = "`items`"), (status = 404, description = "not-found")))]
pub async fn consents(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    ask.block(move |state| {
        read(state, &who, &id)?;
        let viewer = access::viewer(&who);
        let accounts = state.crm.accounts_of(&id, crate::crm::timeline::MOST_ACCOUNTS)?;
        let accounts = accounts.into_iter().map(|account| account.id).filter(|number| viewer.sees_account(number));
        let accounts =
            access::only_seen(accounts.collect(), |number| access::hidden(state, &who, std::slice::from_ref(number)))?;
        let mut consents = state.crm.consents(Some(&id), &accounts)?;
        let eyes = access::eyes(state, &who)?;
        consents.iter_mut().try_for_each(|consent| eyes.row(&mut consent.data.account))?;
        Ok(consents)
    })
    .await
    .map(|rows| list(&rows))
}

/// A customer's account rows; for conditional requests see `ETag`.
#[utoipa::path(get, path = "/api/v1/accounts/{number}", tag = "customers",
    params(("number" = String, Path, description = "Account number, as printed")),
    responses((status = 200, description = "the account"), (status = 304, description = "unchanged"), (status = 404, description = "not-found")))]
pub async fn account(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (number, who) = (part(&ask, "number"), ask.who()?.clone());
    let account = ask
        .block(move |state| {
            if access::viewer(&who).is_staff() {
                who.need(Permission::CustomerRead)?;
            }
            access::need_account(state, &who, &number)?;
            let mut account = state.crm.account(&number)?;
            access::eyes(state, &who)?.account(&mut account)?;
            Ok(account)
        })
        .await?;
    Ok(row_unless_known(&ask, &account))
}
