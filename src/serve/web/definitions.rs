//! Administration of report definitions: what there is, every version of one, and which loads each has cut.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::{Language, language, locale, page as render, shown};
use crate::archive::{DefinitionRow, LoadRow};
use crate::auth::permission::Permission;
use crate::index::definition::{Definition, diff};
use crate::serve::ask::{Answer, Ask};
use crate::serve::problem::Problem;

/// Loads of one definition that are named.
const LOADS: usize = 50;

/// What loads a version has cut.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    loads: u64,
    documents: u64,
    last_at: i64,
}

/// By name and version.
fn used(loads: &[LoadRow]) -> BTreeMap<(&str, u32), Used> {
    let mut used: BTreeMap<(&str, u32), Used> = BTreeMap::new();
    for load in loads {
        let one = used.entry((&load.definition, load.definition_version)).or_default();
        one.loads += 1;
        one.documents += u64::from(load.documents);
        one.last_at = one.last_at.max(load.loaded_at);
    }
    used
}

/// All definitions.
pub async fn list(ask: Ask) -> Answer {
    ask.params(&[])?;
    let who = ask.who()?.clone();
    who.need(Permission::DefinitionRead)?;
    let (newest, versions, loads) = ask
        .block(|state| Ok((state.backend.definitions()?, state.backend.definition_versions()?, state.backend.loads()?)))
        .await?;
    let language = language(&ask.request, Some(&who));
    let used = used(&loads);
    let rows = newest.iter().map(|one| {
        let of = |(name, _): &&(&str, u32)| *name == one.name;
        let sums: Vec<Used> = used.keys().filter(of).filter_map(|key| used.get(key).copied()).collect();
        let mut versions = versions.iter().filter(|row| row.name == one.name);
        context! {
            name => one.name.as_str(),
            title => shown::report(one, language),
            kind => shown::kind(&one.kind, language),
            fields => one.fields.len(),
            version => one.version,
            versions => versions.clone().count(),
            changed => versions.next_back().map(|row| locale::moment(row.added_at, language)).unwrap_or_default(),
            loads => sums.iter().map(|used| used.loads).sum::<u64>(),
            documents => sums.iter().map(|used| used.documents).sum::<u64>(),
            last => sums.iter().map(|used| used.last_at).max().map(|at| locale::moment(at, language)).unwrap_or_default(),
        }
    });
    let own = context! {
        rows => rows.collect::<Vec<_>>(),
        may_write => who.may(Permission::DefinitionWrite),
    };
    render(&ask.request, Some(&who), "definitions.html", StatusCode::OK, own)
}

/// One definition: its versions, the text of one with line numbers, what changed, and the loads that it has cut.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["version", "against", "said"])?;
    let who = ask.who()?.clone();
    who.need(Permission::DefinitionRead)?;
    let name = ask.part("name").to_string();
    let (rows, loads) = ask
        .block(move |state| {
            let rows = state.backend.definition_versions()?.into_iter().filter(|row| row.name == name);
            let (rows, mut loads) = (rows.collect::<Vec<_>>(), state.backend.loads()?);
            let newest = rows.last().ok_or_else(Problem::nothing)?;
            loads.retain(|load| load.definition == newest.name);
            Ok((rows, loads))
        })
        .await?;
    let language = language(&ask.request, Some(&who));
    let shown_row = match params.number("version", 1..=u32::MAX)? {
        Some(number) => rows.iter().find(|row| row.version == number),
        None => rows.last(),
    };
    let shown_row = shown_row.ok_or_else(Problem::nothing)?;
    let against = match params.number("against", 1..=u32::MAX)? {
        Some(number) => Some(rows.iter().find(|row| row.version == number).ok_or_else(Problem::nothing)?),
        None => rows.iter().rfind(|row| row.version < shown_row.version),
    };
    let used = used(&loads);
    let versions = rows.iter().rev().map(|row| {
        let used = used.get(&(row.name.as_str(), row.version)).copied().unwrap_or_default();
        context! {
            version => row.version,
            added => locale::moment(row.added_at, language),
            sha256 => row.sha256.as_str(),
            loads => used.loads,
            documents => used.documents,
            shown => row.version == shown_row.version,
        }
    });
    let title = Definition::stored(&shown_row.source, "").map(|definition| {
        let chinese = definition.title_zh.filter(|_| language == Language::Chinese);
        chinese.unwrap_or(definition.title)
    });
    let own = context! {
        name => shown_row.name.as_str(),
        title => title.unwrap_or_default(),
        version => shown_row.version,
        newest => rows.last().map(|row| row.version),
        versions => versions.collect::<Vec<_>>(),
        source => shown_row.source.lines().map(str::to_string).collect::<Vec<_>>(),
        against => against.map(|row| row.version),
        changes => against.map(|row| changes(row, shown_row)),
        loads => loads.iter().rev().take(LOADS).map(|load| used_by(load, language)).collect::<Vec<_>>(),
        loads_all => loads.len(),
        may_write => who.may(Permission::DefinitionWrite),
        may_load => who.may(Permission::LoadRead),
    };
    render(&ask.request, Some(&who), "definition.html", StatusCode::OK, own)
}

/// What changed from one version to another, in lines: sign, key and value.
fn changes(from: &DefinitionRow, to: &DefinitionRow) -> Vec<Value> {
    let parsed = |row: &DefinitionRow| Definition::stored(&row.source, &row.name).ok();
    let (Some(from), Some(to)) = (parsed(from), parsed(to)) else { return Vec::new() };
    let line = |line: String| {
        let kind = match line.get(..1) {
            Some("+") => "added",
            Some("-") => "removed",
            _ => "changed",
        };
        context! { kind, text => line.get(2..).unwrap_or_default() }
    };
    diff(&from, &to).into_iter().map(line).collect()
}

fn used_by(load: &LoadRow, language: Language) -> Value {
    context! {
        id => load.id.0,
        file => load.file.as_str(),
        version => load.definition_version,
        documents => load.documents,
        pages => load.pages,
        set_aside => load.set_aside_pages,
        at => locale::moment(load.loaded_at, language),
    }
}
