//! What was typed into the search box, as it was understood.

use minijinja::{Value, context};

use super::links::Links;
use super::{Language, locale};
use crate::auth::permission::Permission;
use crate::crm::resolve::ResolveAsk;
use crate::search::{Meaning, Part, QueryError, Typed, Vocabulary, understand};
use crate::serve::api::crm::access;
use crate::serve::ask::SignedIn;
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Longer queries are taken word for word: every part becomes several tests.
const MOST_QUERY: usize = 3_500;

/// Digits of a telephone number that is typed without signs.
const DIALLED: std::ops::RangeInclusive<usize> = 8..=15;
/// Accounts that a telephone number stands for at most.
const MOST_ACCOUNTS: usize = 10;

/// Understands a text by the definitions of this archive, and telephone numbers by its customers.
pub fn of(state: &State, who: &SignedIn, text: &str) -> Result<Typed, Problem> {
    let mut vocabulary = state.backend.vocabulary(&state.gate.scope(&who.principal))?;
    vocabulary.today = locale::day_of(state.config.clock.now());
    for language in [Language::English, Language::Chinese] {
        let named = |(_, kind): &(String, String)| (super::shown::kind(kind, language).to_lowercase(), kind.clone());
        let words: Vec<_> = vocabulary.kinds.iter().map(named).collect();
        vocabulary.kinds.extend(words);
    }
    let mut typed = understand(text, &vocabulary);
    if who.may(Permission::CustomerRead) {
        for part in typed.parts.iter_mut().filter(|part| part.meaning == Meaning::Phone || is_dialled(part)) {
            if add_accounts(state, who, part)? {
                part.meaning = Meaning::Phone;
            }
        }
    }
    if typed.query().chars().count() > MOST_QUERY {
        let plain = Vocabulary { today: vocabulary.today, ..Vocabulary::default() };
        return Ok(understand(text, &plain));
    }
    Ok(typed)
}

/// Whether a number may be that of a telephone, typed without signs: ten digits in the archive's country.
fn is_dialled(part: &Part) -> bool {
    let digits = part.value.bytes().all(|byte| byte.is_ascii_digit());
    digits && DIALLED.contains(&part.value.len()) && matches!(part.meaning, Meaning::Number | Meaning::Account)
}

/// The documents of who has a telephone number are those of their accounts, and those that it is printed on. Whether anybody
/// has it.
fn add_accounts(state: &State, who: &SignedIn, part: &mut Part) -> Result<bool, Problem> {
    let ask = ResolveAsk { ani: Some(part.value.clone()), ..ResolveAsk::default() };
    let found = access::resolve(state, who, &ask)?;
    let accounts = found.iter().flat_map(|candidate| &candidate.accounts).take(MOST_ACCOUNTS);
    let tests: Vec<String> = accounts.map(|account| format!("account:=\"{}\"", account.replace('"', ""))).collect();
    if !tests.is_empty() {
        part.query = format!("({} OR {})", tests.join(" OR "), part.query);
    }
    Ok(!tests.is_empty())
}

/// The words for what is wrong with a query, in the reader's language.
pub fn wrong(error: &QueryError, language: Language) -> (String, String) {
    let known = QUERY_ERRORS.iter().find(|(told, _)| error.problem.contains(told)).map(|(_, key)| *key);
    match (language, known) {
        (Language::English, _) | (_, None) => (error.problem.clone(), error.advice.clone()),
        (_, Some(key)) => (language.word(key), language.word(&format!("{key}_do"))),
    }
}

/// What a query's errors say in English, and the words for it.
const QUERY_ERRORS: &[(&str, &str)] = &[
    ("parenthesis is not closed", "query_open"),
    ("quote is not closed", "query_quote"),
    ("range is not closed", "query_range"),
    ("has no ` TO `", "query_range"),
    ("open at both ends", "query_range"),
    ("range without ends", "query_range"),
    ("closes nothing", "query_closes"),
    ("nothing follows", "query_follows"),
    ("is missing here", "query_missing"),
    ("empty quotes", "query_missing"),
    ("there is no field", "query_field"),
    ("wildcard", "query_wildcard"),
    ("characters, at most", "query_long"),
    ("more than", "query_long"),
    ("is not a document id", "query_value"),
    ("document id cannot", "query_value"),
    ("number", "query_value"),
    ("date", "query_value"),
];

/// The parts, each with the address of the list without it. Plain words alone say nothing new.
pub fn parts(typed: &Typed, links: &Links<'_>, language: Language) -> Vec<Value> {
    if typed.parts.iter().all(|part| matches!(part.meaning, Meaning::Words | Meaning::Query)) {
        return Vec::new();
    }
    let part = |(at, part): (usize, &Part)| {
        let spans: Vec<String> = part.days.iter().map(|(from, to)| locale::span(*from, *to, language)).collect();
        let text = if spans.is_empty() { part.value.clone() } else { spans.join(" / ") };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Query;

    #[test]
    fn what_is_wrong_with_a_query_is_told_in_chinese() {
        for text in ["a (b", "a)", "x \"abc", "amount:", "amount:[1 TO", "amount:[1 2]", "a OR", "a*b", "\"\""] {
            let error = Query::parse(text).expect_err(text);
            let (told, advice) = wrong(&error, Language::Chinese);
            assert!(!told.is_ascii() && !advice.is_ascii(), "{text}: {told} {advice}");
            assert_eq!(wrong(&error, Language::English).0, error.problem);
        }
    }
}
