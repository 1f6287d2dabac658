//! Administration: the archive at a glance, from counters that are kept as things happen.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::attention::Attention;
use super::figures::{Unit, by_day};
use super::locale::size;
use super::{Language, language, locale, page as render, shown};
use crate::archive::LoadRow;
use crate::archive::figures::Sums;
use crate::audit::daily::Counts;
use crate::auth::permission::Permission;
use crate::serve::ask::{Answer, Ask};
use crate::serve::backend::{Counters, DefinitionView};

/// Days that plots show, from which one is chosen.
const SPANS: &[u32] = &[30, 90, 365];
/// Loads shown.
const LOADS: usize = 10;
/// Report definitions whose compression is shown.
const REPORTS: usize = 50;

/// What the page tells.
struct Told {
    counters: Option<(Counters, Vec<(i32, Counts)>)>,
    definitions: Vec<DefinitionView>,
    loads: Vec<LoadRow>,
    attention: Attention,
}

/// The page.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["days"])?;
    let who = ask.who()?.clone();
    let span = params.number("days", 1..=366)?.unwrap_or(SPANS.first().copied().unwrap_or(30));
    let today = i32::try_from(ask.state.config.clock.now().div_euclid(86_400)).unwrap_or_default();
    let from = today - i32::try_from(span).unwrap_or(30) + 1;
    let (figures, loads) = (who.may(Permission::FiguresRead), who.may(Permission::LoadRead));
    let reader = who.clone();
    let told = ask
        .block(move |state| {
            let counters = match figures {
                true => Some((state.backend.counters(from, today)?, state.gate.daily(from, today)?)),
                false => None,
            };
            let mut rows = if loads { state.backend.loads()? } else { Vec::new() };
            let rows = rows.split_off(rows.len().saturating_sub(LOADS));
            let definitions = state.backend.definitions()?;
            Ok(Told { counters, definitions, loads: rows, attention: Attention::read(state, &reader)? })
        })
        .await?;
    let language = language(&ask.request, Some(&who));
    let plots = told.counters.as_ref().map(|((days, _), views)| {
        let loaded = |of: fn(&Sums) -> u64| days.iter().map(|(day, sums)| (*day, of(sums))).collect::<Vec<_>>();
        let viewed: Vec<(i32, u64)> = views.iter().map(|(day, counts)| (*day, counts.read + counts.taken)).collect();
        vec![
            by_day("figures_documents", from, today, &loaded(|sums| sums.documents), Unit::Count, language),
            by_day("figures_bytes", from, today, &loaded(|sums| sums.bytes), Unit::Bytes, language),
            by_day("figures_views", from, today, &viewed, Unit::Count, language),
        ]
    });
    let own = context! {
        plots,
        sums => told.counters.as_ref().map(|((_, reports), _)| sums(reports)),
        reports => told.counters.as_ref().map(|((_, known), _)| reports(known, &told.definitions, language)),
        spans => SPANS.iter().map(|days| context! { days, chosen => *days == span }).collect::<Vec<_>>(),
        loads => told.loads.iter().rev().map(|row| load(row, &told.definitions, language)).collect::<Vec<_>>(),
        attention => told.attention.shown(),
        sees_loads => loads,
    };
    render(&ask.request, Some(&who), "admin.html", StatusCode::OK, own)
}

fn sums(reports: &[(String, Sums)]) -> Value {
    let mut all = Sums::default();
    for (_, sums) in reports {
        all.add(sums);
    }
    let number = |number: u64| shown::grouped(&number.to_string());
    context! {
        loads => number(all.loads), documents => number(all.documents), pages => number(all.pages),
        bytes => size(all.bytes), stored => size(all.stored), ratio => ratio(&all),
    }
}

/// How many bytes of streams a stored byte holds: `8.4`.
fn ratio(sums: &Sums) -> String {
    if sums.stored == 0 { "–".into() } else { format!("{:.1}", sums.bytes as f64 / sums.stored as f64) }
}

/// Compression by report, those that take most first.
fn reports(known: &[(String, Sums)], definitions: &[DefinitionView], language: Language) -> Vec<Value> {
    let mut known: Vec<&(String, Sums)> = known.iter().collect();
    known.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.stored));
    let most = known.iter().map(|(_, sums)| sums.bytes).max().unwrap_or_default().max(1);
    let row = |(name, sums): &&(String, Sums)| {
        let width = |number: u64| format!("{:.2}", number as f64 / most as f64 * 100.0);
        context! {
            name => name.as_str(),
            title => shown::titled(name, definitions, language),
            known => definitions.iter().any(|definition| definition.name == *name),
            documents => shown::grouped(&sums.documents.to_string()),
            bytes => size(sums.bytes), stored => size(sums.stored), ratio => ratio(sums),
            bytes_width => width(sums.bytes), stored_width => width(sums.stored),
        }
    };
    known.iter().take(REPORTS).map(row).collect()
}

fn load(row: &LoadRow, definitions: &[DefinitionView], language: Language) -> Value {
    let number = |number: u64| shown::grouped(&number.to_string());
    context! {
        id => row.id.0,
        file => row.file.as_str(),
        definition => shown::titled(&row.definition, definitions, language),
        version => row.definition_version,
        bytes => size(row.bytes),
        documents => number(u64::from(row.documents)),
        pages => number(row.pages),
        set_aside => number(row.set_aside_pages),
        warnings => row.warnings.iter().map(|note| note.count).sum::<u64>(),
        loaded_at => locale::moment(row.loaded_at, language),
    }
}
