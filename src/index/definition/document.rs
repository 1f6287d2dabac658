//! Where documents start and what they are called: `[document]` of a definition.

use super::build::{Known, names, position};
use super::raw::{At, Faults, Section};
use crate::index::rule::{FieldRule, Rules, Start, TitlePart, Values};
use crate::index::value::FieldType;

const DOCUMENT_KEYS: &[&str] = &[
    "start",
    "when",
    "by",
    "pages",
    "tag",
    "level",
    "continues",
    "title",
    "account",
    "date",
    "amount",
    "currency",
    "due",
    "enrol",
];

#[derive(Debug, Clone, Copy)]
enum StartWord {
    Trigger,
    Value,
    Pages,
    Tag,
    Group,
    Stream,
}

const STARTS: &[(&str, StartWord)] = &[
    ("trigger", StartWord::Trigger),
    ("value", StartWord::Value),
    ("pages", StartWord::Pages),
    ("tag", StartWord::Tag),
    ("group", StartWord::Group),
    ("stream", StartWord::Stream),
];

/// The fields of a document that have a part of their own.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub account: Option<u16>,
    pub date: Option<u16>,
    pub amount: Option<u16>,
    pub currency: Option<String>,
    pub due: Option<u16>,
    pub enrol: Vec<u16>,
}

/// Reads `[document]`.
pub(super) fn document(top: &Section<'_, '_>, known: &Known, rules: &mut Rules, faults: &mut Faults<'_>) -> Parts {
    let Some(section) = top.section("document", DOCUMENT_KEYS, faults) else {
        if !known.triggers.is_empty() {
            rules.start = Start::Triggers { when: vec![0], by: Vec::new() };
        }
        return Parts::default();
    };
    let default = if known.triggers.is_empty() { StartWord::Stream } else { StartWord::Trigger };
    let word = section.choice("start", STARTS, faults).unwrap_or(default);
    rules.start = start(word, &section, known, rules, faults);
    rules.continues = names(&section, "continues", &known.triggers, "trigger", faults);
    if let Some(title) = section.text("title", faults) {
        rules.title = title_parts(&title, known, &section.key("title"), faults);
    }
    let names: Vec<&str> = known.fields.iter().map(|field| field.name.as_str()).collect();
    let mut field_of = |key: &str| {
        let name = section.text(key, faults)?;
        Some((position(&name, &names, &section.key(key), "field", faults)?, name.at))
    };
    let (account, date) = (field_of("account"), field_of("date"));
    let (amount, due) = (field_of("amount"), field_of("due"));
    let number = |kind: FieldType| matches!(kind, FieldType::Decimal | FieldType::Integer);
    let day = |kind: FieldType| kind == FieldType::Date;
    for (key, found, fits, wanted) in [
        ("date", date, &day as &dyn Fn(FieldType) -> bool, "is not a field of type date"),
        ("due", due, &day, "is not a field of type date"),
        ("amount", amount, &number, "is not a field of type decimal or integer"),
    ] {
        if let Some((position, at)) = found
            && known.fields.get(position).is_some_and(|field| !fits(field.kind))
        {
            faults.add(at, &section.key(key), wanted, None);
        }
    }
    let narrow = |found: Option<(usize, usize)>| found.and_then(|(number, _)| u16::try_from(number).ok());
    let enrol = super::build::names(&section, "enrol", &names, "field", faults);
    Parts {
        account: narrow(account),
        date: narrow(date),
        amount: narrow(amount),
        currency: currency(&section, amount.is_some(), faults),
        due: narrow(due),
        enrol: enrol.into_iter().filter_map(|number| u16::try_from(number).ok()).collect(),
    }
}

/// The currency of the amount, by its code of ISO 4217.
fn currency(section: &Section<'_, '_>, amount: bool, faults: &mut Faults<'_>) -> Option<String> {
    let code = section.text("currency", faults)?;
    if code.value.len() != 3 || !code.value.bytes().all(|byte| byte.is_ascii_uppercase()) {
        faults.add(
            code.at,
            &section.key("currency"),
            "is not a code of ISO 4217",
            Some("three capital letters: \"USD\""),
        );
    } else if !amount {
        faults.add(code.at, &section.key("currency"), "goes with `amount` only", None);
    }
    Some(code.value)
}

fn start(word: StartWord, section: &Section<'_, '_>, known: &Known, rules: &Rules, faults: &mut Faults<'_>) -> Start {
    let used = match word {
        StartWord::Trigger => "when",
        StartWord::Value => "by",
        StartWord::Pages => "pages",
        StartWord::Tag => "tag",
        StartWord::Group => "level",
        StartWord::Stream => "",
    };
    for key in ["when", "by", "pages", "tag", "level"] {
        let fits = key == used || (key == "by" && matches!(word, StartWord::Trigger));
        if !fits && section.has(key) {
            let at = section.names().iter().find(|name| name.value == key).map_or(section.at, |name| name.at);
            let allowed = if used.is_empty() { "none of when, by, pages, tag, level" } else { used };
            faults.add(at, &section.key(key), "does not go with this start", Some(allowed));
        }
    }
    let mut missing = |what: &str| {
        if !section.has(used) {
            faults.add(section.at, &section.key(used), "is missing", Some(what));
        }
    };
    match word {
        StartWord::Trigger if known.triggers.is_empty() => {
            faults.add(section.at, &section.key("start"), "there is no [[trigger]]", None);
            Start::Stream
        }
        StartWord::Trigger => {
            let when = names(section, "when", &known.triggers, "trigger", faults);
            let when = if when.is_empty() { vec![0] } else { when };
            Start::Triggers { when, by: key_fields(section, known, rules, faults) }
        }
        StartWord::Value => {
            missing("names of fields, such as by = [\"branch\"]");
            Start::Values(key_fields(section, known, rules, faults))
        }
        StartWord::Pages => {
            missing("a number of pages");
            let pages = section.number("pages", 1..1_000_001, faults).map_or(1, |pages| pages.value);
            Start::Pages(u32::try_from(pages).unwrap_or(1))
        }
        StartWord::Tag => {
            missing("the name of a tag");
            Start::Tag(section.text("tag", faults).map(|tag| tag.value).unwrap_or_default())
        }
        StartWord::Group => Start::Group(level(section, "level", faults).unwrap_or(1)),
        StartWord::Stream => Start::Stream,
    }
}

/// Page groups inside one another that are told apart.
const GROUP_LEVELS: i64 = 32;

/// A level of page groups, 1 the outermost.
pub(super) fn level(section: &Section<'_, '_>, key: &str, faults: &mut Faults<'_>) -> Option<usize> {
    section.number(key, 1..GROUP_LEVELS + 1, faults).and_then(|level| usize::try_from(level.value).ok())
}

/// The fields of `by`.
fn key_fields(section: &Section<'_, '_>, known: &Known, rules: &Rules, faults: &mut Faults<'_>) -> Vec<usize> {
    let fields: Vec<&str> = known.fields.iter().map(|field| field.name.as_str()).collect();
    let by = names(section, "by", &fields, "field", faults);
    let fits = |rule: &FieldRule| rule.values == Values::One && !rule.source.counts();
    if !by.iter().all(|number| rules.fields.get(*number).is_none_or(fits)) {
        let message = "transaction, span and count fields cannot start documents";
        faults.add(section.at, &section.key("by"), message, None);
    }
    by
}

/// `"{account_number} {statement_date}"`
fn title_parts(title: &At<String>, known: &Known, key: &str, faults: &mut Faults<'_>) -> Vec<TitlePart> {
    let mut parts = Vec::new();
    let mut rest = title.value.as_str();
    while let Some((text, after)) = rest.split_once('{') {
        parts.push(TitlePart::Text(text.into()));
        let Some((name, after)) = after.split_once('}') else {
            faults.add(title.at, key, "a { has no }", Some("{field} or {file}"));
            return parts;
        };
        if name == "file" {
            parts.push(TitlePart::File);
        } else {
            let names: Vec<&str> = known.fields.iter().map(|field| field.name.as_str()).collect();
            let name = At { value: name.to_owned(), at: title.at };
            parts.extend(position(&name, &names, key, "field", faults).map(TitlePart::Field));
        }
        rest = after;
    }
    parts.push(TitlePart::Text(rest.into()));
    parts
}
