//! The customer portal: own documents, questions about them, what happens with them, how they come.
//!
//! Everything here is read for a customer: of the accounts that the user's rights name, and nothing else. Another
//! customer's document, question or consent looks like one that is not there. Forms are done once, as on the desk.

pub mod activity;
pub mod bill;
pub mod compare;
pub mod consent;
pub mod enrol;
mod list;
pub mod period;
mod plot;
pub mod question;
pub mod settings;
pub mod zip;

use actix_web::http::StatusCode;
use minijinja::{Value, context};

pub use list::page;

use super::{Language, coded, language, locale, page as render, shown};
use crate::crm::Viewer;
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::backend::{DefinitionView, DocumentView, FieldView};
use crate::serve::problem::Problem;

/// Accounts offered in a choice.
const MOST_ACCOUNTS: usize = 200;

/// Shows a page of the portal; `part` is the entry of its navigation that the page belongs to.
async fn show(ask: &Ask, template: &str, part: &str, status: StatusCode, own: Value) -> Answer {
    render(&ask.request, ask.who.as_ref(), template, status, context! { part, ..own })
}

/// Who reads, always as a customer.
fn viewer(who: &SignedIn) -> Viewer<'_> {
    Viewer::Customer { name: &who.user.name, accounts: &who.accounts }
}

/// An account of the reader's; another looks like none.
fn own_account(who: &SignedIn, number: &str) -> Result<(), Problem> {
    if viewer(who).sees_account(number) { Ok(()) } else { Err(Problem::nothing()) }
}

/// The accounts to choose from, with the chosen one.
fn choices(who: &SignedIn, chosen: &str) -> Vec<Value> {
    let numbers = who.accounts.iter().take(MOST_ACCOUNTS);
    numbers.map(|number| context! { number => number.as_str(), chosen => number == chosen }).collect()
}

/// The account that a page is about: the one asked for, else the first.
fn chosen_account(who: &SignedIn, asked: Option<&str>) -> Result<String, Problem> {
    if let Some(number) = asked {
        own_account(who, number)?;
    }
    let first = || who.accounts.first().map(String::as_str);
    Ok(asked.or_else(first).unwrap_or_default().to_string())
}

/// A field that the definition gives a part, such as the amount to be paid.
fn part_of<'v>(view: &'v DocumentView, name: Option<&String>) -> Option<&'v FieldView> {
    name.and_then(|name| view.fields.iter().find(|field| field.name == *name))
}

/// Amount and day due of a document with their labels, as its definition names them.
fn money(definitions: &[DefinitionView], view: &DocumentView, language: Language) -> Value {
    let definition = definitions.iter().find(|definition| definition.name == view.definition);
    let text = |field: Option<&FieldView>| field.map(|field| shown::text(field, language));
    let label = |field: Option<&FieldView>| field.map(|field| shown::label(field, language).to_string());
    let amount = part_of(view, definition.and_then(|definition| definition.amount.as_ref()));
    let due = part_of(view, definition.and_then(|definition| definition.due.as_ref()));
    context! {
        amount => text(amount).unwrap_or_default(),
        amount_label => label(amount).unwrap_or_default(),
        due => text(due).unwrap_or_default(),
        due_label => label(due).unwrap_or_default(),
    }
}

/// An address with its query.
pub(super) fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", coded(value))).collect();
    if pairs.is_empty() { path.to_string() } else { format!("{path}?{}", pairs.join("&")) }
}
