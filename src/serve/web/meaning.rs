//! What was typed into the search box, as it was understood.

use minijinja::{Value, context};

use super::links::Links;
use super::{Language, locale};
use crate::index::value::Day;
use crate::search::{Meaning, Part, Typed, Vocabulary, understand};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Longer queries are taken word for word: every part becomes several tests.
const MOST_QUERY: usize = 3_500;

/// Understands a text by the definitions of this archive.
pub fn of(state: &State, text: &str) -> Result<Typed, Problem> {
    let mut vocabulary = state.backend.vocabulary()?;
    let days = state.config.clock.now().div_euclid(86_400);
    vocabulary.today = Day(i32::try_from(days).unwrap_or_default());
    for language in [Language::English, Language::Chinese] {
        let named = |(_, kind): &(String, String)| (super::shown::kind(kind, language).to_lowercase(), kind.clone());
        let words: Vec<_> = vocabulary.kinds.iter().map(named).collect();
        vocabulary.kinds.extend(words);
    }
    let typed = understand(text, &vocabulary);
    if typed.query().chars().count() > MOST_QUERY {
        let plain = Vocabulary { today: vocabulary.today, ..Vocabulary::default() };
        return Ok(understand(text, &plain));
    }
    Ok(typed)
}

/// The parts, each with the address of the list without it. Plain words alone say nothing new.
pub fn parts(typed: &Typed, links: &Links<'_>, language: Language) -> Vec<Value> {
    if typed.parts.iter().all(|part| matches!(part.meaning, Meaning::Words | Meaning::Query)) {
        return Vec::new();
    }
    let part = |(at, part): (usize, &Part)| {
        let text = match part.days {
            Some((from, to)) => locale::span(from, to, language),
            None => part.value.clone(),
        };
        context! {
            kind => language.word(key(part.meaning)),
            text,
            without => links.with(&[("q", &typed.without(at))]),
        }
    };
    typed.parts.iter().enumerate().map(part).collect()
}

fn key(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Account => "account",
        Meaning::Name => "type_name",
        Meaning::Phone => "type_phone",
        Meaning::Invoice => "type_invoice",
        Meaning::Amount => "amount",
        Meaning::Date => "date",
        Meaning::Kind => "kind",
        Meaning::Report => "report",
        Meaning::Number => "means_number",
        Meaning::Words => "means_words",
        Meaning::Query => "means_query",
    }
}
