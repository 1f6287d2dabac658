//! Search in the audit trail: who did what, to what, when, from where, by which right, and how it ended.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::recorded::{kind_word, right, told};
use super::{Language, language, locale, page as render};
use crate::audit::Record;
use crate::auth::oidc::coded;
use crate::auth::permission::Permission;
use crate::crm::interaction::WrapUp;
use crate::serve::api::audit::{PARAMETERS, export_by, filter, record_search, search};
use crate::serve::api::crm::access;
use crate::serve::ask::{Answer, Ask, Params};
use crate::serve::problem::Problem;

/// Records on a page.
const RECORDS: u32 = 100;

/// The page.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(PARAMETERS)?;
    let who = ask.who()?.clone();
    let asked = params.clone();
    let reader = who.clone();
    let outcome = ask
        .block(move |state| {
            let filter = filter(state, &asked, RECORDS, locale::begins)?;
            record_search(state, &reader.principal, &asked, "search")?;
            let eyes = access::eyes(state, &reader)?;
            let found = search(state, &eyes, &filter)?;
            let masked = found.records.iter().map(|record| eyes.is_masked(&record.account)).collect::<Vec<_>>();
            Ok((found, masked, state.crm.wrap_up_codes()?))
        })
        .await;
    let language = language(&ask.request, Some(&who));
    let ((found, masked, outcomes), error, status) = match outcome {
        Ok(found) => (found, String::new(), StatusCode::OK),
        // What is wrong with the form is told above it, and what was typed stays.
        Err(problem) if problem.status == StatusCode::BAD_REQUEST => {
            (Default::default(), problem.detail, problem.status)
        }
        Err(problem) => return Err(problem),
    };
    let narrowed = address(&params, &["before", "limit"]);
    let own = context! {
        typed => Value::from_pairs(PARAMETERS.iter().map(|name| (*name, params.get(name).unwrap_or_default().to_string()))),
        kinds => KINDS.iter().map(|kind| context! { name => *kind, word => kind_word(kind, language) }).collect::<Vec<_>>(),
        records => found.records.iter().zip(masked).map(|(record, masked)| shown(record, masked, &outcomes, language)).collect::<Vec<_>>(),
        next => found.next,
        reached => found.next.is_some() && found.records.len() < RECORDS as usize,
        narrowed => !narrowed.is_empty(),
        query => narrowed,
        first => params.get("before").is_none(),
        error,
        may_read => who.may(Permission::DocumentRead) && who.may(Permission::ConsoleUse),
    };
    render(&ask.request, Some(&who), "audit.html", status, own)
}

/// The parameters as a query, without some of them.
fn address(params: &Params, without: &[&str]) -> String {
    let kept = PARAMETERS.iter().filter(|name| !without.contains(name));
    let pairs = kept.filter_map(|name| params.get(name).map(|value| format!("{name}={}", coded(value))));
    pairs.collect::<Vec<_>>().join("&")
}

/// Kinds that are offered; any other can be typed.
pub(super) const KINDS: &[&str] = &[
    "read",
    "download",
    "print",
    "send",
    "distribution handed",
    "refused",
    "search",
    "sign-in",
    "sign-in-failed",
    "sign-out",
    "load",
    "export-load",
    "preview",
    "add definition",
    "user",
    "role",
    "group",
    "policy",
    "customer",
    "note",
    "request",
    "verified",
    "enrolled",
    "enrolment-failed",
    "audit-search",
    "audit-export",
    "task",
];

/// A record; an account that the reader sees masked leads nowhere.
fn shown(record: &Record, masked: bool, outcomes: &[WrapUp], language: Language) -> Value {
    let time = record.time.parse().map(|time: jiff::Timestamp| locale::stamp(time.as_second()));
    context! {
        seq => record.seq,
        time => time.unwrap_or_else(|_| record.time.clone()),
        who => record.who.as_str(),
        kind => record.kind.as_str(),
        word => kind_word(&record.kind, language),
        document => record.document.as_deref().unwrap_or_default(),
        account => record.account.as_str(),
        leads => !masked,
        what => told(record, &record.what, outcomes, language),
        why => told(record, &record.why, outcomes, language),
        as_kept => vec![record.what.clone(), record.why.clone()],
        from => record.from.as_str(),
        right => right(&record.right, language),
        outcome => record.outcome(),
        outcome_word => language.word(&format!("outcome_{}", record.outcome())),
    }
}

/// All records that are wanted, as a file.
pub async fn export(ask: Ask) -> Result<actix_web::HttpResponse, Problem> {
    export_by(ask, locale::begins).await
}
