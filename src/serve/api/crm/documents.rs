//! Two documents of an account side by side.

use std::ops::ControlFlow;

use actix_web::HttpResponse;
use serde::Deserialize;

use super::access;
use crate::archive::DocId;
use crate::auth::gate::Use;
use crate::crm::compare::{Compared, Comparison, compare as differences};
use crate::crm::timeline::{DocumentEntry, Documents};
use crate::index::value::Day;
use crate::render::RenderOptions;
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::backend::BackendError;
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Which document is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// This one.
    Document(DocId),
    /// The one before it of the same account and report.
    Previous,
    /// That of the same month a year before.
    LastYear,
}

/// Days around the same day a year before in which a document counts as that of the same month.
const AROUND: i32 = 20;

/// The document that another is compared with, as far as the caller may see it.
pub fn partner(documents: &dyn Documents, of: &DocumentEntry, with: With) -> Result<Option<DocId>, Problem> {
    if let With::Document(id) = with {
        return Ok(Some(id));
    }
    let (Some(account), Some(date)) = (&of.account, of.date) else { return Ok(None) };
    let mut found: Option<DocumentEntry> = None;
    let (upto, wanted) = match with {
        With::Document(_) | With::Previous => (date.0, None),
        With::LastYear => {
            let (year, month, day) = date.0.ymd();
            let before = Day::from_ymd(year - 1, month, day).or_else(|| Day::from_ymd(year - 1, month, 28));
            let Some(before) = before else { return Ok(None) };
            (Day(before.0.saturating_add(AROUND)), Some(before))
        }
    };
    documents.of_account(account, Some(&of.definition), Some(upto), &mut |entry| {
        let Some(day) = entry.date.filter(|_| entry.id != of.id) else { return ControlFlow::Continue(()) };
        match wanted {
            None if day < date => {
                found = Some(entry);
                ControlFlow::Break(())
            }
            None => ControlFlow::Continue(()),
            Some(wanted) => {
                let away = |day: Day| (day.0 - wanted.0).abs();
                if away(day.0) > AROUND && day.0 < wanted {
                    return ControlFlow::Break(());
                }
                let nearer = found.as_ref().and_then(|found| found.date).is_none_or(|kept| away(day.0) < away(kept.0));
                if away(day.0) <= AROUND && nearer {
                    found = Some(entry);
                }
                ControlFlow::Continue(())
            }
        }
    })?;
    Ok(found.and_then(|entry| entry.id.parse().ok()))
}

/// Compares a document with another; `None` when there is none to compare with. Both are read through the gate.
pub fn compared(state: &State, who: &SignedIn, id: DocId, with: With) -> Result<Option<Comparison>, Problem> {
    let this = read(state, who, id, "compare")?;
    let documents = access::documents(state, who)?;
    let Some(other) = partner(&documents, &this.document, with)? else { return Ok(None) };
    let other = read(state, who, other, "compare")?;
    if other.document.account != this.document.account || this.document.account.is_none() {
        return Err(Problem::bad_parameter("Only documents of one account are compared."));
    }
    let older_first = (other.document.date, &other.document.id) <= (this.document.date, &this.document.id);
    Ok(Some(if older_first { differences(other, this) } else { differences(this, other) }))
}

/// The transaction lines of a document as the caller may see them: names of the columns, and rows.
pub fn lines(state: &State, who: &SignedIn, id: DocId, why: &str) -> Result<(Vec<String>, Vec<Vec<String>>), Problem> {
    read(state, who, id, why).map(|document| (document.columns, document.rows))
}

/// The part of the JSON rendition that is compared.
#[derive(Deserialize)]
struct Rendition {
    table: Option<Table>,
}

#[derive(Deserialize)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// A document with its transaction lines, through the gate; what is masked for the caller is masked here.
fn read(state: &State, who: &SignedIn, id: DocId, why: &str) -> Result<Compared, Problem> {
    let (permit, view, account) = access::open(state, who, id, Use::READ, why)?;
    let document = DocumentEntry { account, ..access::documents(state, who)?.entry(&view) };
    let mut json = Vec::new();
    // The first page is enough: the lines come from all of them.
    let how = RenderOptions { pages: Some((0, 0)), ..RenderOptions::default() };
    match state.backend.render(&permit, "json", &how, &mut json) {
        Ok(()) => {}
        // A document that cannot be drawn still has its fields.
        Err(BackendError::Failed(_)) => return Ok(Compared { document, ..Compared::default() }),
        Err(error) => return Err(error.into()),
    }
    let table = serde_json::from_slice::<Rendition>(&json).ok().and_then(|rendition| rendition.table);
    let (columns, rows) = table.map_or_else(Default::default, |table| (table.columns, table.rows));
    Ok(Compared { document, columns, rows })
}

/// Fields and transaction lines of two documents of an account: what is the same, changed, added, removed.
#[utoipa::path(get, path = "/api/v1/documents/{id}/compare", tag = "documents",
    params(("id" = String, Path, description = "Document id"),
        ("with" = Option<String>, Query, description = "Another document's id; `previous` (when left out); `last-year`")),
    responses((status = 200, description = "`before`, `after`, `days`, `fields`, `columns`, `lines`"),
        (status = 404, description = "not-found: the document, or one to compare with")))]
pub async fn compare(ask: Ask) -> Answer {
    let params = ask.params(&["with"])?;
    let id = crate::serve::api::documents::id(ask.part("id"))?;
    let with = match params.get("with") {
        None | Some("previous") => With::Previous,
        Some("last-year") => With::LastYear,
        Some(other) => With::Document(crate::serve::api::documents::id(other)?),
    };
    let who = ask.who()?.clone();
    let found = ask
        .block(move |state| {
            let found = compared(state, &who, id, with)?;
            let mut found = found.ok_or_else(|| Problem::not_found("There is no document to compare with."))?;
            for side in [&mut found.before, &mut found.after] {
                side.account = access::account_of_row(state, &who, Some(&side.id), side.account.take())?;
            }
            Ok(found)
        })
        .await?;
    Ok(HttpResponse::Ok().json(found))
}
