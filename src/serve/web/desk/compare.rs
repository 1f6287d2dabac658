//! Two documents of an account beside each other, with what differs.

use minijinja::{Value, context};

use super::{Language, show};
use crate::archive::DocId;
use crate::crm::compare::{Comparison, Difference, FieldDifference, LineDifference};
use crate::crm::time::Date;
use crate::crm::timeline::{DocumentEntry, Documents};
use crate::index::written;
use crate::serve::api::crm::access;
use crate::serve::api::crm::documents::{With, compared};
use crate::serve::api::documents;
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;
use crate::serve::web::{language, locale, shown};

/// Pages of each document that are shown beside each other.
const MOST_PAGES: u32 = 12;
/// Other documents of the account that are offered.
const MOST_OTHERS: usize = 60;
/// Lines that are the same and stand next to each other are left out but for this many.
const SAME_LINES: usize = 1;

/// The comparison; without `with`, with the document before.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["with", "said"])?;
    let id = documents::id(ask.part("id"))?;
    let with = match params.get("with") {
        None => With::Previous,
        Some("last-year") => With::LastYear,
        Some(other) => With::Document(documents::id(other)?),
    };
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let own = ask
        .block(move |state| {
            let found = compared(state, &who, id, with)?;
            let found = found.ok_or_else(|| Problem::not_found("There is no document to compare with."))?;
            let others = others(state, &who, id, &found, language)?;
            Ok(context! { address => format!("/agent/documents/{id}/compare"), others, ..parts(&found, language) })
        })
        .await?;
    show(&ask, "compare.html", own).await
}

/// Other documents of the account and report, newest first.
pub fn months(state: &State, who: &SignedIn, view: &DocumentEntry, most: usize) -> Result<Vec<DocumentEntry>, Problem> {
    let Some(account) = &view.account else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    access::documents(state, who)?.of_account(account, Some(&view.definition), None, &mut |entry| {
        if entry.id != view.id {
            found.push(entry);
        }
        if found.len() < most { std::ops::ControlFlow::Continue(()) } else { std::ops::ControlFlow::Break(()) }
    })?;
    Ok(found)
}

fn others(
    state: &State,
    who: &SignedIn,
    id: DocId,
    found: &Comparison,
    language: Language,
) -> Result<Vec<Value>, Problem> {
    let id = id.to_string();
    let (this, other) =
        if found.before.id == id { (&found.before, &found.after) } else { (&found.after, &found.before) };
    let list = months(state, who, this, MOST_OTHERS)?;
    Ok(list.iter().map(|entry| context! { id => entry.id.as_str(), label => label(entry, language), current => entry.id == other.id }).collect())
}

fn label(entry: &DocumentEntry, language: Language) -> String {
    let day = entry.date.map(|date| locale::day(date.0, language)).unwrap_or_default();
    let amount = shown::owed(entry, language);
    [day, amount].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ·  ")
}

/// What two documents have and have not in common, for templates.
pub fn parts(found: &Comparison, language: Language) -> Value {
    let count = |kind: Difference| found.lines.iter().filter(|line| line.difference == kind).count();
    let kinds = [Difference::Changed, Difference::Added, Difference::Removed];
    let tallies = kinds.into_iter().filter(|kind| count(*kind) > 0).map(|kind| {
        context! { kind => name(kind), label => format!("{} {}", count(kind), language.word(&format!("diff_{}", name(kind)))) }
    });
    context! {
        before => document(&found.before, language),
        after => document(&found.after, language),
        days => found.days,
        fields => found.fields.iter().map(|one| field(one, language)).collect::<Vec<_>>(),
        columns => heads(found, language),
        tallies => tallies.collect::<Vec<_>>(),
        lines => lines(&found.lines, language),
        sides => vec![side("before", &found.before, language), side("after", &found.after, language)],
    }
}

fn name(kind: Difference) -> &'static str {
    match kind {
        Difference::Same => "same",
        Difference::Changed => "changed",
        Difference::Added => "added",
        Difference::Removed => "removed",
    }
}

fn document(entry: &DocumentEntry, language: Language) -> Value {
    let date = entry.date.map(|date| locale::day(date.0, language)).unwrap_or_else(|| entry.id.clone());
    let report = entry.report_zh.as_ref().filter(|_| language == Language::Chinese).unwrap_or(&entry.report);
    context! { id => entry.id.as_str(), title => entry.title.as_str(), report, date }
}

fn field(one: &FieldDifference, language: Language) -> Value {
    let label = one.label_zh.as_ref().filter(|_| language == Language::Chinese).unwrap_or(&one.label);
    let numeric = one.change.is_some();
    let text = |value: &Option<String>| match value.as_deref() {
        Some(value) if numeric => shown::grouped(value),
        Some(value) => Date::parse(value).map_or_else(|| value.to_string(), |date| locale::day(date.0, language)),
        None => "–".to_string(),
    };
    let change = one.change.as_deref().map(|change| {
        let signed = if change.starts_with('-') { change.to_string() } else { format!("+{change}") };
        signed.strip_prefix('+').map_or_else(|| shown::grouped(&signed), |rest| format!("+{}", shown::grouped(rest)))
    });
    context! {
        kind => name(one.difference),
        label => label.as_str(),
        before => text(&one.before),
        after => text(&one.after),
        change => change.filter(|_| one.difference != Difference::Same).unwrap_or_default(),
    }
}

/// The heads of the columns, each on the side where most of its cells stand.
fn heads(found: &Comparison, language: Language) -> Vec<Value> {
    let head = |(at, label): (usize, &String)| {
        let rows = found.lines.iter().filter_map(|line| line.after.as_ref().or(line.before.as_ref()));
        let cells = rows.filter_map(|row| row.get(at)).filter(|cell| !cell.is_empty());
        let (numbers, texts): (Vec<&String>, Vec<&String>) = cells.partition(|cell| is_number(cell));
        let known = language.word(&format!("column_{label}"));
        context! { label => if known.is_empty() { heading(label) } else { known }, number => numbers.len() > texts.len() }
    };
    found.columns.iter().enumerate().map(head).collect()
}

/// The name of a column as a heading.
fn heading(name: &str) -> String {
    let mut chars = name.chars().map(|c| if c == '_' { ' ' } else { c });
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Whether a cell stands on the right: digits and the signs of an amount.
fn is_number(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || b"+-.,".contains(&b))
}

/// The lines that differ, each with a line around it so that its place is seen.
fn lines(all: &[LineDifference], language: Language) -> Vec<Value> {
    let differs = |at: usize| all.get(at).is_some_and(|line| line.difference != Difference::Same);
    let near = |at: usize| (at.saturating_sub(SAME_LINES)..=at + SAME_LINES).any(differs);
    all.iter().enumerate().filter(|(at, _)| near(*at)).map(|(_, line)| shown_line(line, language)).collect()
}

fn shown_line(line: &LineDifference, language: Language) -> Value {
    let empty = Vec::new();
    let (before, after) = (line.before.as_ref().unwrap_or(&empty), line.after.as_ref().unwrap_or(&empty));
    let cells = (0..before.len().max(after.len())).map(|at| {
        let text = |row: &[String]| row.get(at).cloned().unwrap_or_default();
        let changed = line.difference == Difference::Changed && line.changed.get(at).copied().unwrap_or(false);
        let now = if line.after.is_some() { text(after) } else { text(before) };
        let written = |text: &str| written::cell(text, language == Language::Chinese);
        context! { before => written(&text(before)), number => is_number(&now), after => written(&now), changed }
    });
    context! {
        kind => name(line.difference),
        what => language.word(&format!("diff_{}", name(line.difference))),
        cells => cells.collect::<Vec<_>>(),
    }
}

fn side(name: &str, entry: &DocumentEntry, language: Language) -> Value {
    let shown_pages = entry.pages.clamp(1, MOST_PAGES);
    let page = |number: u32| {
        let picture = format!("/api/v1/documents/{}/content?format=svg&page={number}", entry.id);
        context! { number, picture }
    };
    context! {
        name,
        id => entry.id.as_str(),
        label => label(entry, language),
        pages => (1..=shown_pages).map(page).collect::<Vec<_>>(),
        more => entry.pages.saturating_sub(shown_pages),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_and_its_neighbours_are_listed() {
        let line = |difference| LineDifference {
            difference,
            before: Some(vec!["a".into(), "1.00".into()]),
            after: Some(vec!["a".into(), "2.00".into()]),
            changed: vec![false, true],
        };
        let all = [Difference::Same, Difference::Same, Difference::Same, Difference::Changed, Difference::Same];
        let shown = lines(&all.map(line), Language::English);
        let kinds: Vec<String> =
            shown.iter().filter_map(|line| Some(line.get_attr("kind").ok()?.to_string())).collect();
        assert_eq!(kinds, ["same", "changed", "same"]);
        assert!(lines(&[line(Difference::Same)], Language::English).is_empty());
    }
}
