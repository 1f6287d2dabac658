//! What the program says in English (errors, reasons) in the reader's language: `templates/web/words/reasons.zh-CN.toml`.
//!
//! The key of a row is the English sentence with `{places}`, as gettext has it: whoever writes an error needs to know nothing
//! of languages, and a sentence without a row is shown as it is, marked as English.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{Language, source};

/// The file with the Chinese sentences.
const CHINESE: &str = "words/reasons.zh-CN.toml";
/// Sentences with fewer letters of their own, such as `{field}: {problem}`, count only when what stands in their last place is known.
const LOOSE: usize = 4;
/// What stands in a place may be a sentence itself, so deep at most.
const DEEPEST: u32 = 3;

/// A sentence, cut at its places: literal text and place in turn.
#[derive(Debug)]
struct Row {
    literals: Vec<String>,
    places: Vec<String>,
    told: String,
}

impl Row {
    fn new(english: &str, told: String) -> Row {
        let (mut literals, mut places) = (Vec::new(), Vec::new());
        let mut rest = english;
        while let Some((before, (place, after))) = rest.split_once('{').and_then(|(a, b)| Some((a, b.split_once('}')?)))
        {
            literals.push(before.to_string());
            places.push(place.to_string());
            rest = after;
        }
        literals.push(rest.to_string());
        Row { literals, places, told }
    }

    /// Letters that must be there: the more, the surer.
    fn weight(&self) -> usize {
        self.literals.iter().map(String::len).sum()
    }

    /// What stands in the places of a text, when it is this sentence.
    fn places_of<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let (first, others) = self.literals.split_first()?;
        let Some((last, middle)) = others.split_last() else { return (first == text).then(Vec::new) };
        let mut rest = text.strip_prefix(first.as_str())?.strip_suffix(last.as_str())?;
        let mut found = Vec::with_capacity(self.places.len());
        for literal in middle {
            let (value, after) = rest.split_once(literal.as_str())?;
            found.push(value);
            rest = after;
        }
        found.push(rest);
        found.iter().all(|value| !value.is_empty()).then_some(found)
    }
}

/// A sentence in a language; `None` when it is not known there, and for English.
pub fn told(text: &str, language: Language) -> Option<String> {
    if language == Language::English {
        return None;
    }
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    if source::folder().is_some() {
        return find(&rows(), text, 0);
    }
    find(ROWS.get_or_init(rows), text, 0)
}

/// All sentences, the surest first.
fn rows() -> Vec<Row> {
    let text = source::text(CHINESE).unwrap_or_default();
    let table: BTreeMap<String, String> = toml::from_str(&text).unwrap_or_else(|error| {
        tracing::error!(%error, file = CHINESE, "a file of words cannot be read");
        BTreeMap::new()
    });
    let mut rows: Vec<Row> = table.into_iter().map(|(english, told)| Row::new(&english, told)).collect();
    rows.sort_by_key(|row| Reverse(row.weight()));
    rows
}

fn find(rows: &[Row], text: &str, depth: u32) -> Option<String> {
    let whole = text.strip_suffix('.').unwrap_or(text);
    let (row, values) = rows.iter().find_map(|row| Some((row, row.places_of(whole)?)))?;
    let mut told = String::new();
    let mut rest = row.told.as_str();
    // From left to right, so that what stands in a place is not taken for a place.
    while let Some((before, (place, after))) = rest.split_once('{').and_then(|(a, b)| Some((a, b.split_once('}')?))) {
        told.push_str(before);
        let at = row.places.iter().position(|known| known == place)?;
        let value = values.get(at)?;
        let inner = if depth < DEEPEST { find(rows, value, depth + 1) } else { None };
        if inner.is_none() && row.weight() < LOOSE && at + 1 == row.places.len() {
            return None;
        }
        told.push_str(inner.as_deref().unwrap_or(value));
        rest = after;
    }
    told.push_str(rest);
    if whole.len() < text.len() {
        told.push('。');
    }
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::AuthError;
    use crate::auth::predicate::Rule;
    use crate::crm::CrmError;
    use crate::serve::ask::Params;

    fn chinese(text: &str) -> String {
        told(text, Language::Chinese).unwrap_or_else(|| panic!("there is no Chinese for {text:?}"))
    }

    #[test]
    fn sentences_keep_what_stands_in_their_places() {
        assert_eq!(chinese("days is given twice."), "days 给出了两次。");
        assert_eq!(chinese("run 7 is closed"), "批次 7 已关闭");
        assert_eq!(chinese("there is no role \"x\""), "没有角色 \"x\"");
        assert_eq!(told("days is given twice.", Language::English), None);
        assert_eq!(told("the moon is full", Language::Chinese), None);
        assert_eq!(chinese("{why} is given twice"), "{why} 给出了两次", "what is filled in is no place");
    }

    #[test]
    fn what_stands_in_a_place_is_told_too() {
        let error = CrmError::Invalid { field: "text", problem: "it may not be empty".into() };
        assert_eq!(chinese(&format!("{error}.")), "文字：不能为空。");
        assert_eq!(told("what: ever", Language::Chinese), None, "half a sentence is none");
        let deep = "it: ".repeat(10) + "it may not be empty";
        assert_eq!(told(&deep, Language::Chinese), None, "not without end");
    }

    #[test]
    fn what_people_meet_on_pages_is_known() {
        let list = Params::parse("a=1", &["b", "c"]).expect_err("unknown");
        let twice = Params::parse("b=1&b=2", &["b"]).expect_err("twice");
        let number = Params::parse("b=x", &["b"]).expect("read").number("b", 1..=9).expect_err("no number");
        let day = Params::parse("b=x", &["b"]).expect("read").day("b").expect_err("no day");
        let word = Params::parse("b=x", &["b"]).expect("read").word("b", &[("y", 1)], 1).expect_err("no word");
        for problem in [list, twice, number, day, word] {
            chinese(&problem.detail);
        }
        for error in [
            AuthError::BadName,
            AuthError::BadWord,
            AuthError::BadPassword,
            AuthError::BadAccounts,
            AuthError::Exists { name: "ann".into() },
            AuthError::BuiltIn { name: "agent".into() },
            AuthError::Unknown { what: "role", name: "x".into() },
        ] {
            chinese(&error.to_string());
        }
        for rule in [
            "",
            "region",
            "region = north",
            "region = \"north",
            "(region = \"a\"",
            "amount < \"a\"",
            "kind in (\"a\" \"b\")",
        ] {
            let error = Rule::parse(rule).expect_err(rule);
            let told = chinese(&AuthError::from(error).to_string());
            assert!(told.starts_with("无法读取规则：") && told.contains("个字符"), "{told}");
            assert!(!told.contains("missing") && !told.contains("never"), "{told}");
        }
    }

    #[test]
    fn every_place_of_the_chinese_is_one_of_the_english() {
        for row in rows() {
            for part in row.told.split('{').skip(1) {
                let (place, _) = part.split_once('}').unwrap_or_default();
                assert!(row.places.iter().any(|known| known == place), "{}", row.told);
            }
        }
    }
}
