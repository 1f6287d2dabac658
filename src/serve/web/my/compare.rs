//! A bill beside the one before it, or that of the same month a year ago.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::super::desk;
use super::{address, language, show};
use crate::serve::api::crm::documents::{With, compared};
use crate::serve::api::documents;
use crate::serve::ask::{Answer, Ask};

/// The comparison. Where there is nothing to compare with, the page says so.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["with", "said"])?;
    let id = documents::id(ask.part("id"))?;
    let last_year = params.word("with", &[("previous", false), ("last-year", true)], false)?;
    let with = if last_year { With::LastYear } else { With::Previous };
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let found = ask.block(move |state| compared(state, &who, id, with)).await?;
    let here = format!("/my/documents/{id}/compare");
    let tab = |name: &str, word: &str, current: bool| {
        context! { label => language.word(word), link => address(&here, &[("with", name)]), current }
    };
    let own = context! {
        id => id.to_string(),
        alone => found.is_none(),
        tabs => [tab("previous", "my_with_previous", !last_year), tab("last-year", "my_with_last_year", last_year)],
    };
    let parts = found.map_or_else(Value::default, |found| desk::compare::parts(&found, language));
    let own = if parts.is_undefined() {
        own
    } else {
        context! { ..own, ..parts }
    };
    show(&ask, "my-compare.html", "documents", StatusCode::OK, own).await
}
