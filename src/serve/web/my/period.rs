//! All documents of a period in one ZIP archive, made while it is sent: one rendition at a time is in memory or, when
//! it is large, in a file without a name.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use minijinja::{Value, context};

use super::zip::Zip;
use super::{Language, address, choices, chosen_account, show};
use crate::archive::DocId;
use crate::auth::gate::Use;
use crate::auth::permission::Permission;
use crate::index::value::Day;
use crate::render::{RenderOptions, csv};
use crate::serve::api::content::disposition;
use crate::serve::api::loads;
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::backend::{BackendError, DocumentView, HitsAsked};
use crate::serve::problem::Problem;
use crate::serve::rendition::{Body, Rendition, Spool};
use crate::serve::state::State;
use crate::serve::web::locale;

/// Documents of one archive.
const MOST: usize = 1000;
/// Documents asked of the search at a time.
const AT_ONCE: usize = 100;
const PARAMETERS: &[&str] = &["account", "from", "to", "none", "many", "said"];
/// Bytes gathered before they are sent.
const GATHERED: usize = 64 << 10;

/// The form.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(PARAMETERS)?;
    let who = ask.who()?.clone();
    let account = chosen_account(&who, params.get("account"))?;
    let (reader, number) = (who.clone(), account.clone());
    let newest = ask
        .block(move |state| {
            let asked = HitsAsked { account: Some(number), limit: 1, ..HitsAsked::default() };
            let found = state.backend.hits(&asked, &state.gate.scope(&reader.principal))?;
            Ok(found.hits.first().and_then(|hit| hit.document.date))
        })
        .await?;
    let own = form(&params, &who, &account, newest, ask.state.config.clock.now())?;
    show(&ask, "period.html", "documents", StatusCode::OK, own).await
}

/// The last twelve months, or those before the newest document of an account that gets none any more, unless other days were
/// given.
fn form(params: &Params, who: &SignedIn, account: &str, newest: Option<Day>, now: i64) -> Result<Value, Problem> {
    let today = locale::day_of(now);
    let (year, month, _) = newest.unwrap_or(today).min(today).ymd();
    let first = Day::from_ymd(year - 1, month, 1).unwrap_or(today);
    Ok(context! {
        account,
        accounts => choices(who, account),
        from => params.day("from")?.unwrap_or(first).to_string(),
        to => params.day("to")?.unwrap_or(today).to_string(),
        without => params.get("none").is_some(),
        many => params.get("many").is_some(),
        most => MOST,
    })
}

/// The archive; a period without documents, or with too many, leads back to the form.
pub async fn zip(ask: Ask) -> Answer {
    let params = ask.params(&["account", "from", "to"])?;
    let who = ask.who()?.clone();
    let account = chosen_account(&who, params.get("account"))?;
    let (from, to) = (params.day("from")?, params.day("to")?);
    let reader = who.clone();
    let asked = HitsAsked { account: Some(account.clone()), from, to, limit: AT_ONCE, ..HitsAsked::default() };
    let documents = ask.block(move |state| listed(state, &reader, asked)).await?;
    let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    let back = |why: &str| {
        let (from, to) = (day(from), day(to));
        let place = address("/my/period", &[("account", &account), ("from", &from), ("to", &to), (why, "1")]);
        Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish())
    };
    match documents.len() {
        0 => return back("none"),
        count if count > MOST => return back("many"),
        _ => {}
    }
    let name = file_name(&account, &day(from), &day(to));
    let (state, language) = (ask.state.clone(), super::language(&ask.request, Some(&who)));
    let pieces = loads::pieces(&ask, move |out| {
        let out = write(&state, (&who, language), &documents, BufWriter::with_capacity(GATHERED, out))?;
        out.into_inner().map(|_| ()).map_err(io::IntoInnerError::into_error)
    });
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((header::CONTENT_DISPOSITION, disposition(&name, true)))
        .streaming(pieces.await?))
}

fn file_name(account: &str, from: &str, to: &str) -> String {
    let parts = [account, from, to].map(|part| part.replace(['/', '\\', ':'], "-"));
    format!("{}.zip", parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
}

/// The documents of the period, newest first, one more than fit at most.
fn listed(state: &State, who: &SignedIn, mut asked: HitsAsked) -> Result<Vec<DocId>, Problem> {
    let (scope, mut found) = (state.gate.scope(&who.principal), Vec::new());
    state.gate.record_by(
        &who.principal,
        Permission::DocumentRead,
        "search",
        "period",
        asked.account.as_deref().unwrap_or_default(),
    )?;
    loop {
        let page = state.backend.hits(&asked, &scope)?;
        found.extend(page.hits.iter().map(|hit| hit.document.id));
        asked.cursor = page.next_cursor.filter(|_| found.len() <= MOST);
        if asked.cursor.is_none() {
            return Ok(found);
        }
    }
}

/// Writes the documents, each through the gate, and a list of them. One that cannot be drawn is in the list with the
/// reason, so that nobody believes it was never there.
fn write<W: Write>(
    state: &State,
    (who, language): (&SignedIn, Language),
    documents: &[DocId],
    out: W,
) -> io::Result<W> {
    let mut zip = Zip::new(out);
    let mut list = format!("\u{feff}{}\r\n", language.word("period_heads"));
    let undrawn = language.word("period_undrawn");
    for id in documents {
        let (view, rendition) = match drawn(state, who, *id) {
            Ok(drawn) => drawn,
            // It went away, or the right to it did, since the list was made.
            Err(problem) if problem.status == StatusCode::NOT_FOUND => continue,
            Err(problem) => return Err(io::Error::other(problem.detail)),
        };
        let (name, remark) = match &rendition {
            Some(_) => (entry_name(&view), ""),
            None => (String::new(), undrawn.as_str()),
        };
        if let Some(rendition) = &rendition {
            zip.add(&name, view.date, || Ok(Bytes::of(rendition)))?;
        }
        let date = view.date.map(|day| day.to_string()).unwrap_or_default();
        let cells = [&*name, &id.to_string(), &date, &view.title, &view.pages.to_string(), remark];
        csv::row(&mut list, cells.into_iter());
    }
    zip.add("contents.csv", None, || Ok(list.as_bytes()))?;
    zip.finish()
}

/// The rendition of a document; `None` where it cannot be drawn.
fn drawn(state: &State, who: &SignedIn, id: DocId) -> Result<(DocumentView, Option<Rendition>), Problem> {
    let permit = state.gate.open(&who.principal, Use::DOWNLOAD, &state.backend.subject(id)?, "zip")?;
    let view = state.backend.document(&permit)?;
    let mut spool = Spool::new(&state.config.data.join("tmp"));
    match state.backend.render(&permit, "pdf", &RenderOptions::default(), &mut spool) {
        Ok(()) => {}
        Err(BackendError::Failed(_)) => return Ok((view, None)),
        Err(error) => return Err(error.into()),
    }
    let kept = spool.finish("application/pdf").map_err(|error| Problem::failed("keeping a rendition", &error))?;
    Ok((view, Some(kept)))
}

/// Sorts by day in a folder, and is safe on every system.
pub fn entry_name(view: &DocumentView) -> String {
    let odd = ['/', '\\', ':', '*', '?', '"', '<', '>', '|'];
    let title: String = view.title.chars().filter(|c| !c.is_control()).take(80).collect();
    let title = title.replace(odd, " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let date = view.date.map(|day| day.to_string()).unwrap_or_default();
    let parts = [date, title, view.id.to_string()];
    format!("{}.pdf", parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
}

/// The bytes of a rendition, to be read.
pub enum Bytes<'r> {
    Memory(&'r [u8]),
    File { file: Arc<File>, at: u64 },
}

impl Bytes<'_> {
    /// Of this rendition.
    pub fn of(rendition: &Rendition) -> Bytes<'_> {
        match &rendition.body {
            Body::Memory(bytes) => Bytes::Memory(bytes),
            Body::File(file) => Bytes::File { file: file.clone(), at: 0 },
        }
    }
}

impl Read for Bytes<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Bytes::Memory(bytes) => bytes.read(into),
            Bytes::File { file, at } => {
                let count = file.read_at(into, *at)?;
                *at += count as u64;
                Ok(count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_everywhere() {
        assert_eq!(file_name("41/00:0", "2024-01-01", ""), "41-00-0 2024-01-01.zip");
    }
}
