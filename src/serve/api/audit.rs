//! The audit trail: searched page by page, and sent whole.

use std::io::{self, BufWriter, Write};

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::json;

use super::crm::access::{self, Eyes};
use super::loads::pieces;
use crate::audit::{Filter, Found, Record};
use crate::auth::gate::Principal;
use crate::auth::permission::Permission;
use crate::index::value::Day;
use crate::render::csv;
use crate::serve::ask::{Answer, Ask, Params};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Parameters of a search.
pub const PARAMETERS: &[&str] = &[
    "who", "kind", "document", "load", "account", "customer", "address", "right", "outcome", "from", "to", "text",
    "before", "limit",
];
/// Accounts of a customer that are looked for.
const ACCOUNTS: usize = 200;
/// Records read at a time for a file.
const STEP: usize = 1_000;
/// Bytes gathered before they are sent.
const GATHERED: usize = 64 << 10;

/// What a search asks for; `limit` when the parameters do not say. Days begin (seconds since 1970) where `begins` says.
pub fn filter(state: &State, params: &Params, limit: u32, begins: fn(Day) -> i64) -> Result<Filter, Problem> {
    // Without its Z: a record of the same second may have a fraction, which sorts before that letter.
    let moment = |day: Day| {
        let at = jiff::Timestamp::from_second(begins(day)).unwrap_or_default().to_string();
        at.trim_end_matches('Z').to_string()
    };
    let text = |name: &str| params.get(name).map(|value| value.trim().to_string()).filter(|value| !value.is_empty());
    let document = text("document").map(|text| text.parse()).transpose();
    let outcomes = [crate::audit::DONE, crate::audit::REFUSED, crate::audit::FAILED].map(|word| (word, Some(word)));
    let mut accounts: Vec<String> = text("account").into_iter().collect();
    if let Some(customer) = text("customer") {
        let own = state.crm.accounts_of(&customer, ACCOUNTS)?.into_iter().map(|account| account.number.clone());
        let own: Vec<String> = own.filter(|number| accounts.is_empty() || accounts.contains(number)).collect();
        // A customer without accounts has no records: an account that cannot be.
        accounts = if own.is_empty() { vec!["\u{0}".into()] } else { own };
    }
    Ok(Filter {
        who: text("who"),
        kind: text("kind"),
        document: document.map_err(|()| Problem::bad_parameter("document is an id such as 7-123."))?,
        load: params.number("load", 1..=u32::MAX)?.map(|number| number.to_string()),
        accounts,
        outcome: params.word("outcome", &outcomes, None)?.map(str::to_string),
        right: text("right"),
        from: text("address"),
        since: params.day("from")?.map(moment),
        until: params.day("to")?.map(|day| moment(Day(day.0.saturating_add(1)))),
        text: text("text"),
        before: params.number("before", 1..=u32::MAX)?.map(u64::from),
        limit: params.number("limit", 1..=1000)?.unwrap_or(limit) as usize,
    })
}

/// Records that somebody searched the trail for something, or took it away. Its first page alone is not recorded.
pub fn record_search(state: &State, who: &Principal, params: &Params, what: &str) -> Result<(), Problem> {
    let asked = PARAMETERS.iter().filter(|name| !matches!(**name, "before" | "limit"));
    let asked = asked.filter_map(|name| params.get(name).map(|value| format!("{name}={value}")));
    let asked = asked.collect::<Vec<_>>().join(" ");
    if what == "search" && (asked.is_empty() || params.get("before").is_some()) {
        return Ok(());
    }
    state.gate.record_by(who, Permission::AuditRead, &format!("audit-{what}"), "", &asked)?;
    Ok(())
}

/// Audit records, newest first. A search looks at a bounded number of records; where there may be more, `next` says
/// where to go on (`before`), also when the page is not full.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(("who" = Option<String>, Query, description = "Only of this user"),
        ("kind" = Option<String>, Query, description = "`read`, `refused`, `search`, `sign-in` ..."),
        ("document" = Option<String>, Query, description = "Only of this document"),
        ("load" = Option<u32>, Query, description = "Only about this load or its documents"),
        ("account" = Option<String>, Query, description = "Only of documents of this account"),
        ("customer" = Option<String>, Query, description = "Only of documents of this customer's accounts"),
        ("address" = Option<String>, Query, description = "Only from this address"),
        ("right" = Option<String>, Query, description = "Only by a right with this text: `policy north`"),
        ("outcome" = Option<String>, Query, description = "`done`, `refused` or `failed`"),
        ("from" = Option<String>, Query, description = "Not before this day (ISO 8601, UTC)"),
        ("to" = Option<String>, Query, description = "Not after this day"),
        ("text" = Option<String>, Query, description = "Only with this text in what was done, what for or by which right"),
        ("before" = Option<u32>, Query, description = "Only records before this number"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 100 when left out")),
    responses((status = 200, description = "`records`, and `next` where there may be more")))]
pub async fn list(ask: Ask) -> Answer {
    let params = ask.params(PARAMETERS)?;
    let who = ask.who()?.clone();
    let found = ask
        .block(move |state| {
            let filter = filter(state, &params, 100, Day::begins)?;
            record_search(state, &who.principal, &params, "search")?;
            search(state, &access::eyes(state, &who)?, &filter)
        })
        .await?;
    let records: Vec<_> = found.records.iter().map(told).collect();
    Ok(HttpResponse::Ok().json(json!({ "records": records, "next": found.next })))
}

/// One page of records as somebody sees them: accounts that are masked for them are masked here. Where anything is, a text
/// is looked for in what they see.
pub fn search(state: &State, eyes: &Eyes<'_>, filter: &Filter) -> Result<Found, Problem> {
    let mut found = state.gate.search_audit(filter)?;
    if !eyes.any_masks() {
        return Ok(found);
    }
    for record in &mut found.records {
        record.account = eyes.number(&record.account)?;
        record.what = eyes.text(&record.what)?;
        record.why = eyes.text(&record.why)?;
    }
    let text = filter.text.as_deref().unwrap_or_default();
    found.records.retain(|record| [&record.what, &record.why, &record.right].iter().any(|part| part.contains(text)));
    Ok(found)
}

/// A record for programs: with how it ended.
fn told(record: &Record) -> serde_json::Value {
    let mut told = json!(record);
    told["outcome"] = json!(record.outcome());
    told
}

/// All records that are wanted as a file, newest first. That it was taken is recorded.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit",
    params(("format" = Option<String>, Query, description = "`csv` (default) or `jsonl`"),
        ("who" = Option<String>, Query, description = "As in the search, like all other parameters of it")),
    responses((status = 200, description = "CSV, or a JSON object a line", content_type = "text/csv")))]
pub async fn export(ask: Ask) -> Answer {
    export_by(ask, Day::begins).await
}

/// The same by days that begin where `begins` says.
pub async fn export_by(ask: Ask, begins: fn(Day) -> i64) -> Answer {
    let known: Vec<&str> = PARAMETERS.iter().copied().filter(|name| *name != "limit").chain(["format"]).collect();
    let params = ask.params(&known)?;
    let csv = params.word("format", &[("csv", true), ("jsonl", false)], true)?;
    let who = ask.who()?.clone();
    let (asked, reader) = (params.clone(), who.clone());
    let filter = ask
        .block(move |state| {
            let filter = filter(state, &asked, 1, begins)?;
            record_search(state, &reader.principal, &asked, "export")?;
            Ok(filter)
        })
        .await?;
    let state = ask.state.clone();
    let work = move |out| {
        let mut out = BufWriter::with_capacity(GATHERED, out);
        let told = |problem: Problem| io::Error::other(problem.detail);
        let eyes = access::eyes(&state, &who).map_err(told)?;
        write(&state, &eyes, filter, csv, &mut out).and_then(|()| out.flush())
    };
    let (kind, name) = match csv {
        true => ("text/csv; charset=utf-8", "audit.csv"),
        false => ("application/jsonl; charset=utf-8", "audit.jsonl"),
    };
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(pieces(&ask, work).await?))
}

/// Writes all records page by page: memory holds one page.
fn write(state: &State, eyes: &Eyes<'_>, mut filter: Filter, csv: bool, out: &mut impl Write) -> io::Result<()> {
    filter.limit = STEP;
    if csv {
        out.write_all("\u{feff}seq,time,who,kind,outcome,document,account,what,why,from,right\r\n".as_bytes())?;
    }
    loop {
        let found = search(state, eyes, &filter).map_err(|problem| io::Error::other(problem.detail))?;
        for record in &found.records {
            if csv {
                row(record, out)?;
            } else {
                serde_json::to_writer(&mut *out, &told(record))?;
                out.write_all(b"\n")?;
            }
        }
        filter.before = found.next;
        if filter.before.is_none() {
            return Ok(());
        }
    }
}

fn row(record: &Record, out: &mut impl Write) -> io::Result<()> {
    let seq = record.seq.to_string();
    let document = record.document.as_deref().unwrap_or_default();
    let Record { time, who, kind, account, what, why, from, right, .. } = record;
    let cells: [&str; 11] = [&seq, time, who, kind, record.outcome(), document, account, what, why, from, right];
    let mut text = String::new();
    csv::row(&mut text, cells.into_iter());
    out.write_all(text.as_bytes())
}
