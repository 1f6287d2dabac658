//! Administration: loads with their accounting, the audit trail.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::{Language, language, locale, page as render, shown};
use crate::archive::LoadRow;
use crate::audit::{Filter, Record};
use crate::serve::ask::{Answer, Ask};
use crate::serve::problem::Problem;

/// Loads shown.
const LOADS: usize = 200;
/// Audit records shown.
const RECORDS: usize = 100;

/// The page.
pub async fn page(ask: Ask) -> Answer {
    ask.params(&[])?;
    let who = ask.who()?.clone();
    let (rows, jobs, records) = ask
        .block(|state| {
            let jobs = state.intake.open_items().map_err(|error| Problem::failed("reading the intake", &error))?;
            let records = state.gate.audit(&Filter { limit: RECORDS, ..Filter::default() })?;
            Ok((state.backend.loads()?, jobs, records))
        })
        .await?;
    let language = language(&ask.request, Some(&who));
    let jobs = jobs.iter().map(|job| {
        context! {
            id => format!("j{}", job.id),
            file => job.file.as_str(),
            state => job.state.name(),
            error => job.error.as_deref().unwrap_or_default(),
            bytes => shown::grouped(&job.bytes.to_string()),
        }
    });
    let own = context! {
        loads => rows.iter().rev().take(LOADS).map(|row| load(row, language)).collect::<Vec<_>>(),
        jobs => jobs.collect::<Vec<_>>(),
        records => records.iter().map(record).collect::<Vec<_>>(),
    };
    render(&ask.request, Some(&who), "admin.html", StatusCode::OK, own)
}

fn record(record: &Record) -> Value {
    context! {
        seq => record.seq,
        time => record.time.as_str(),
        who => record.who.as_str(),
        kind => record.kind.as_str(),
        document => record.document.as_deref().unwrap_or_default(),
        what => record.what.as_str(),
        why => record.why.as_str(),
        from => record.from.as_str(),
    }
}

fn load(row: &LoadRow, language: Language) -> Value {
    let number = |number: u64| shown::grouped(&number.to_string());
    let warnings = row.warnings.iter().map(
        |note| context! { code => note.code.as_str(), count => number(note.count), first => note.first.to_string() },
    );
    let aside = row.set_aside.iter().filter(|part| part.pages > 0).take(20);
    context! {
        id => row.id.0,
        file => row.file.as_str(),
        definition => row.definition.as_str(),
        version => row.definition_version,
        bytes => number(row.bytes),
        stored => number(row.stored_bytes),
        pages => number(row.pages),
        documents => number(u64::from(row.documents)),
        set_aside => number(row.set_aside_pages),
        aside => aside.map(|part| context! { reason => part.reason.as_str(), pages => part.pages, page => part.first_page }).collect::<Vec<_>>(),
        warnings => warnings.collect::<Vec<_>>(),
        loaded_at => locale::moment(row.loaded_at, language),
    }
}
