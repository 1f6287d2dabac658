//! Documents and values as people read them.

use minijinja::{Value as Shown, context};

use super::Language;
use super::locale::money;
pub use super::locale::{day, grouped};
use crate::archive::DocId;
use crate::auth::gate::Scope;
use crate::crm::timeline::DocumentEntry;
use crate::index::definition::{MANIFEST, UNIDENTIFIED};
use crate::index::value::{FieldValue, Value};
use crate::index::written;
use crate::serve::ask::SignedIn;
use crate::serve::backend::{DefinitionView, DocumentView, FieldView, HighlightPart, HitView};
use crate::serve::state::State;

/// Values of a transaction field that are shown before "and so many more".
const SHOWN_VALUES: usize = 3;

fn value(value: &Value, language: Language) -> String {
    written::value(value, language == Language::Chinese)
}

/// A field's value as one text.
pub fn field_text(field: &FieldValue, language: Language) -> String {
    match field {
        FieldValue::One(one) => value(one, language),
        FieldValue::Span(from, to) => format!("{} – {}", value(from, language), value(to, language)),
        FieldValue::Many(list) => {
            let mut text: Vec<_> = list.iter().take(SHOWN_VALUES).map(|one| value(one, language)).collect();
            if list.len() > SHOWN_VALUES {
                text.push(format!("… ({})", list.len()));
            }
            text.join(", ")
        }
    }
}

/// A field's value as one text; an amount with its currency.
pub fn text(field: &FieldView, language: Language) -> String {
    let text = field_text(&field.value, language);
    let number = matches!(field.value, FieldValue::One(Value::Decimal(_) | Value::Integer(_)));
    match field.currency.as_deref().filter(|_| number) {
        Some(currency) => money(&text, currency, language),
        None => text,
    }
}

/// The amount of a document in a timeline or comparison; empty where there is none.
pub fn owed(entry: &DocumentEntry, language: Language) -> String {
    let Some(amount) = entry.amount.as_deref() else { return String::new() };
    let text = grouped(amount);
    match entry.currency.as_deref().filter(|_| amount.parse::<f64>().is_ok()) {
        Some(currency) => money(&text, currency, language),
        None => text,
    }
}

/// A field's label.
pub fn label(field: &FieldView, language: Language) -> &str {
    field.label_zh.as_deref().filter(|_| language == Language::Chinese).unwrap_or(&field.label)
}

/// The title of a document's report.
pub fn report_of(document: &DocumentView, language: Language) -> &str {
    document.report_zh.as_deref().filter(|_| language == Language::Chinese).unwrap_or(&document.report)
}

/// What a document is called that the asker may see: its report and day. None for one that is gone or kept from the asker.
pub fn named(state: &State, who: &SignedIn, scope: &Scope, id: DocId, language: Language) -> Option<String> {
    let subject = state.backend.subject(id).ok()?;
    if !subject.there || !state.gate.sees(&who.principal, &subject.facts) {
        return None;
    }
    let view = state.backend.document(&state.gate.listed(scope, id)).ok()?;
    let report = report_of(&view, language);
    let day = view.date.map(|date| day(date, language));
    let comma = if language == Language::Chinese { "，" } else { ", " };
    Some(day.map_or_else(|| report.to_string(), |day| format!("{report}{comma}{day}")))
}

/// The title of a report.
pub fn report(definition: &DefinitionView, language: Language) -> &str {
    definition.title_zh.as_deref().filter(|_| language == Language::Chinese).unwrap_or(&definition.title)
}

/// The name of a report definition as it is shown: those that are built in have words of ours.
pub fn definition(name: &str, language: Language) -> String {
    match name {
        UNIDENTIFIED => language.word("report_unidentified"),
        MANIFEST => language.word("report_manifest"),
        _ => name.to_string(),
    }
}

/// The title of a report by the name of its definition.
pub fn titled(name: &str, definitions: &[DefinitionView], language: Language) -> String {
    let known = definitions.iter().find(|definition| definition.name == name);
    known.map_or_else(|| definition(name, language), |known| report(known, language).to_string())
}

/// A document kind in words; as the definition has it when there are none.
pub fn kind(kind: &str, language: Language) -> String {
    let word = language.word(&format!("kind_{}", kind.replace('-', "_")));
    if word.is_empty() { kind.to_string() } else { word }
}

/// A field with its label.
pub fn field(field: &FieldView, language: Language) -> Shown {
    let number = matches!(field.value, FieldValue::One(Value::Decimal(_) | Value::Integer(_)));
    context! {
        name => field.name.as_str(),
        label => label(field, language),
        text => text(field, language),
        number => number,
    }
}

/// The amount that matters to a customer: the one with a currency, else the field that is called so, else the only decimal.
pub fn amount(document: &DocumentView, language: Language) -> Option<String> {
    let decimal = |field: &&FieldView| matches!(field.value, FieldValue::One(Value::Decimal(_)));
    let decimals: Vec<_> = document.fields.iter().filter(decimal).collect();
    let called = |words: &[&str]| decimals.iter().find(|field| words.iter().any(|word| field.name.contains(word)));
    let named = decimals.iter().find(|field| field.currency.is_some());
    let found =
        named.or_else(|| called(&["due", "total"])).or_else(|| called(&["amount"])).or_else(|| called(&["balance"]));
    let found = found.or(if decimals.len() == 1 { decimals.first() } else { None });
    found.map(|field| text(field, language))
}

/// A document for templates; `all` keeps sensitive fields in.
pub fn document(document: &DocumentView, language: Language, all: bool) -> Shown {
    let fields = document.fields.iter().filter(|f| all || !f.sensitive);
    context! {
        id => document.id.to_string(),
        title => document.title.as_str(),
        kind => kind(&document.kind, language),
        report => report_of(document, language),
        definition => document.definition.as_str(),
        account => document.account.as_deref().unwrap_or_default(),
        date => document.date.map(|date| day(date, language)).unwrap_or_default(),
        date_iso => document.date.map(|date| date.to_string()).unwrap_or_default(),
        pages => document.pages,
        amount => amount(document, language).unwrap_or_default(),
        load => document.id.load.0,
        masked => document.masked,
        fields => fields.map(|f| field(f, language)).collect::<Vec<_>>(),
    }
}

fn part(part: &HighlightPart) -> Shown {
    context! { text => part.text.as_str(), marked => part.marked }
}

/// A hit for templates.
pub fn hit(hit: &HitView, language: Language, all: bool) -> Shown {
    let highlights: Vec<_> =
        hit.highlights.iter().take(2).map(|line| line.parts.iter().map(part).collect::<Shown>()).collect();
    context! { document => document(&hit.document, language, all), highlights => highlights }
}
