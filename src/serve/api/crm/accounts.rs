//! Accounts: list, make, change, timeline, the months of an account, preferences.

use std::ops::ControlFlow;

use actix_web::HttpResponse;
use serde_json::json;

use super::access;
use super::customers::timeline_ask;
use super::{MOST, Made, body, expected, list, make, page, part, patched, row, window};
use crate::auth::permission::Permission;
use crate::crm::Page;
use crate::crm::account::{Account, AccountData};
use crate::crm::contact::Owner;
use crate::crm::preference::PreferenceData;
use crate::crm::timeline::{DocumentEntry, Documents};
use crate::index::fold::{fold, squeeze};
use crate::serve::ask::{Answer, Ask};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Accounts: all, of a customer, or those whose number begins so.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "customers",
    params(("customer" = Option<String>, Query, description = "Only of this customer"),
        ("q" = Option<String>, Query, description = "Beginning of the number, with or without separators; no cursor"),
        ("limit" = Option<u32>, Query, description = "1 to 500, 50 when left out"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "`items`, `next_cursor`"), (status = 403, description = "forbidden")))]
pub async fn find(ask: Ask) -> Answer {
    let params = ask.params(&["customer", "q", "limit", "cursor"])?;
    let (limit, cursor) = window(&params)?;
    let text = |name: &str| params.get(name).map(str::to_string);
    let (customer, number) = (text("customer"), text("q"));
    let who = ask.who()?.clone();
    ask.block(move |state| {
        who.need(Permission::CustomerRead)?;
        state.gate.record_by(
            &who.principal,
            Permission::CustomerRead,
            "search",
            "accounts",
            number.as_deref().unwrap_or_default(),
        )?;
        let hides = |account: &Account| access::hidden(state, &who, std::slice::from_ref(&account.id));
        let eyes = access::eyes(state, &who)?;
        let mut found = match number {
            None if eyes.any_masks() => counted(state, customer.as_deref(), cursor.as_deref(), limit, hides)?,
            None => {
                let fetch = |cursor: Option<&str>, limit| state.crm.accounts_page(customer.as_deref(), cursor, limit);
                access::filled(limit, cursor.as_deref(), fetch, hides)?
            }
            Some(number) => {
                // A number that is masked is found by the whole of it only: a beginning would tell the next digit.
                let whole = |account: &Account| squeeze(&fold(&account.id)) == squeeze(&fold(&number));
                let hides = |account: &Account| {
                    Ok(hides(account)? || (eyes.number(&account.id)? != account.id && !whole(account)))
                };
                let items = access::first_seen(limit, |limit| state.crm.accounts_beginning(&number, limit), hides)?;
                Page { items, next_cursor: None }
            }
        };
        found.items.iter_mut().try_for_each(|account| eyes.account(account))?;
        Ok(found)
    })
    .await
    .map(|found| page(&found))
}

/// One page for somebody who may see numbers masked: the usual cursor is a number, this one counts the rows before.
fn counted(
    state: &State,
    customer: Option<&str>,
    cursor: Option<&str>,
    limit: usize,
    hides: impl Fn(&Account) -> Result<bool, Problem>,
) -> Result<Page<Account>, Problem> {
    let bad = || Problem::bad_value("cursor: it belongs to no list.");
    let before = cursor.map(|text| text.parse::<usize>().map_err(|_| bad())).transpose()?.unwrap_or(0);
    let (mut items, mut at, mut cursor) = (Vec::new(), 0, None);
    loop {
        let rows = state.crm.accounts_page(customer, cursor.as_deref(), MOST as usize)?;
        for row in rows.items {
            at += 1;
            if at <= before || hides(&row)? {
                continue;
            }
            if items.len() == limit {
                return Ok(Page { items, next_cursor: Some((at - 1).to_string()) });
            }
            items.push(row);
        }
        cursor = rows.next_cursor;
        if cursor.is_none() {
            return Ok(Page { items, next_cursor: None });
        }
    }
}

/// Adds an account. Documents with its number belong to it, also those that are there already.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "customers",
    responses((status = 201, description = "the account"), (status = 403, description = "forbidden"),
        (status = 409, description = "exists"), (status = 422, description = "bad-value")))]
pub async fn add(ask: Ask) -> Answer {
    let data: AccountData = body(&ask)?;
    make(ask, move |state, who, _| {
        who.need(Permission::CustomerWrite)?;
        access::need_named(state, who, data.customer.as_deref(), None)?;
        let account = state.crm.add_account(&who.user.name, data)?;
        state.gate.record_by(&who.principal, Permission::CustomerWrite, "account-added", &account.id, "")?;
        Ok(Made::row("accounts", &account))
    })
    .await
}

/// Changes an account: a JSON merge patch.
#[utoipa::path(patch, path = "/api/v1/accounts/{number}", tag = "customers",
    params(("number" = String, Path, description = "Account number")),
    responses((status = 200, description = "the account"), (status = 404, description = "not-found"),
        (status = 412, description = "changed"), (status = 422, description = "bad-value")))]
pub async fn change(ask: Ask) -> Answer {
    let (number, who, version) = (part(&ask, "number"), ask.who()?.clone(), expected(&ask)?);
    let patch = ask.body.clone();
    ask.block(move |state| {
        who.need(Permission::CustomerWrite)?;
        access::need_account(state, &who, &number)?;
        let before = state.crm.account(&number)?;
        let data: AccountData = patched(&before.data, &patch)?;
        access::need_named(state, &who, data.customer.as_deref(), None)?;
        let account = state.crm.set_account(&who.user.name, &number, version.or(Some(before.version)), data)?;
        state.gate.record_by(&who.principal, Permission::CustomerWrite, "account-changed", &number, "")?;
        let mut account = account;
        access::eyes(state, &who)?.account(&mut account)?;
        Ok(account)
    })
    .await
    .map(|account| row(&account))
}

/// Everything of an account in one stream, newest first, whether its customer is known or not.
#[utoipa::path(get, path = "/api/v1/accounts/{number}/timeline", tag = "customers",
    params(("number" = String, Path, description = "Account number"),
        ("kind" = Option<String>, Query, description = "As for customers"), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "`items`, `next_cursor`"), (status = 404, description = "not-found")))]
pub async fn timeline(ask: Ask) -> Answer {
    let asked = timeline_ask(&ask)?;
    let (number, who) = (part(&ask, "number"), ask.who()?.clone());
    let found = ask
        .block(move |state| {
            if access::viewer(&who).is_staff() {
                who.need(Permission::CustomerRead)?;
            }
            access::need_account(state, &who, &number)?;
            state.gate.record_by(&who.principal, access::right(&who), "search", "timeline", &number)?;
            let documents = access::documents(state, &who)?;
            let whole = access::sees_contacts_of(state, &who, &Owner::Account(number.clone()))?;
            let mut found = state.crm.account_timeline(access::viewer(&who), &[number], &documents, &asked)?;
            access::mask_timeline(&mut found.items, whole);
            access::eyes(state, &who)?.timeline(&mut found.items)?;
            Ok(found)
        })
        .await?;
    Ok(HttpResponse::Ok().json(found))
}

/// Documents of a series at most: thirteen months.
const MONTHS: usize = 13;

/// The newest document of each of the last thirteen months, oldest first: for a plot.
pub fn months(documents: &dyn Documents, number: &str, definition: &str) -> Result<Vec<DocumentEntry>, Problem> {
    let mut newest: Vec<DocumentEntry> = Vec::new();
    let month = |entry: &DocumentEntry| entry.date.map(|date| (date.0.ymd().0, date.0.ymd().1));
    documents.of_account(number, Some(definition), None, &mut |entry| {
        let known = newest.last().is_some_and(|last| month(last) == month(&entry));
        if entry.date.is_none() || (newest.len() == MONTHS && !known) {
            return ControlFlow::Break(());
        }
        if !known {
            newest.push(entry);
        }
        ControlFlow::Continue(())
    })?;
    newest.reverse();
    let Some((year, month_of_last)) = newest.last().and_then(month) else { return Ok(newest) };
    let index = |(year, month): (i16, i8)| i32::from(year) * 12 + i32::from(month);
    let first = index((year, month_of_last)) - (MONTHS as i32 - 1);
    newest.retain(|entry| month(entry).is_some_and(|month| index(month) >= first));
    Ok(newest)
}

/// The amounts of the last thirteen months, oldest first.
#[utoipa::path(get, path = "/api/v1/accounts/{number}/series", tag = "customers",
    params(("number" = String, Path, description = "Account number"),
        ("definition" = Option<String>, Query, description = "Report; that of the newest document when left out")),
    responses((status = 200, description = "`definition`, `points`: document, date, amount"), (status = 404, description = "not-found")))]
pub async fn series(ask: Ask) -> Answer {
    let params = ask.params(&["definition"])?;
    let asked = params.get("definition").map(str::to_string);
    let (number, who) = (part(&ask, "number"), ask.who()?.clone());
    let (definition, points) = ask
        .block(move |state| {
            access::need_account(state, &who, &number)?;
            state.gate.record_by(&who.principal, Permission::DocumentRead, "search", "series", &number)?;
            let documents = access::documents(state, &who)?;
            let mut definition = asked;
            if definition.is_none() {
                documents.of_account(&number, None, None, &mut |entry| {
                    definition = Some(entry.definition);
                    ControlFlow::Break(())
                })?;
            }
            let definition = definition.ok_or_else(Problem::nothing)?;
            let points = months(&documents, &number, &definition)?;
            Ok((definition, points))
        })
        .await?;
    let points: Vec<_> = points
        .iter()
        .map(|entry| json!({ "document": entry.id, "date": entry.date, "amount": entry.amount, "due": entry.due }))
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "definition": definition, "points": points })))
}

/// How the documents of an account come.
#[utoipa::path(get, path = "/api/v1/accounts/{number}/preferences", tag = "customers",
    params(("number" = String, Path, description = "Account number")),
    responses((status = 200, description = "`items`"), (status = 404, description = "not-found")))]
pub async fn preferences(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (number, who) = (part(&ask, "number"), ask.who()?.clone());
    ask.block(move |state| {
        if access::viewer(&who).is_staff() {
            who.need(Permission::CustomerRead)?;
        }
        access::need_account(state, &who, &number)?;
        Ok(state.crm.preferences(&number)?)
    })
    .await
    .map(|rows| list(&rows))
}

/// Sets how the documents of an account (of a kind, with `class`) come.
#[utoipa::path(post, path = "/api/v1/accounts/{number}/preferences", tag = "customers",
    params(("number" = String, Path, description = "Account number")),
    responses((status = 200, description = "the preference"), (status = 404, description = "not-found"),
        (status = 412, description = "changed"), (status = 422, description = "bad-value")))]
pub async fn prefer(ask: Ask) -> Answer {
    let (number, who, version) = (part(&ask, "number"), ask.who()?.clone(), expected(&ask)?);
    let mut data: PreferenceData = body(&ask)?;
    data.account.clone_from(&number);
    ask.block(move |state| {
        if access::viewer(&who).is_staff() {
            who.need(Permission::CustomerWrite)?;
        }
        access::need_account(state, &who, &number)?;
        let preference = state.crm.set_preference(&who.user.name, version, data)?;
        let right = access::writing(&who, Permission::CustomerWrite);
        state.gate.record_by(&who.principal, right, "preference-set", &number, &preference.class)?;
        Ok(preference)
    })
    .await
    .map(|preference| row(&preference))
}
