//! What the program says in English (errors, reasons, warnings) in the reader's language: the three files of [`CHINESE`].
//!
//! The key of a row is the English sentence with `{places}`, as gettext has it (`{{` and `}}` are braces): whoever writes an
//! error needs to know nothing of languages, and a sentence without a row is shown as it is, marked as English. What decoders
//! and the reader of definitions say has a row each; a test looks through their sources for sentences without.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{Language, source};

/// The files with the Chinese sentences: of errors and reasons, of definitions, of what was survived in a stream.
const CHINESE: [&str; 3] = ["words/reasons.zh-CN.toml", "words/definitions.zh-CN.toml", "words/warnings.zh-CN.toml"];
/// The file with what records of the audit say. It is looked at for them alone: `{n} pieces` would fit too much elsewhere.
const RECORDS: [&str; 1] = ["words/records.zh-CN.toml"];
/// Sentences with fewer letters of their own, such as `{field}: {problem}`, count only when what stands in the place `what`, or
/// else in their last one, is known.
const LOOSE: usize = 4;
/// So many pieces of a list are looked at.
const LONGEST: usize = 200;
/// A sentence has so many pieces at most.
const PIECES: usize = 3;
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
        let (literals, places) = cut(english);
        Row { literals, places, told }
    }

    /// Letters that must be there: the more, the surer.
    fn weight(&self) -> usize {
        self.literals.iter().map(String::len).sum()
    }

    /// How many of them are letters of the alphabet.
    fn letters(&self) -> usize {
        self.literals.iter().flat_map(|text| text.chars()).filter(|sign| sign.is_alphabetic()).count()
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

/// Literal texts and, between them, the names of places.
fn cut(sentence: &str) -> (Vec<String>, Vec<String>) {
    let (mut literals, mut places) = (vec![String::new()], Vec::new());
    let mut rest = sentence;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        let literal = literals.last_mut().expect("it begins with one");
        literal.push_str(before);
        let place = after.strip_prefix('{').filter(|after| !after.starts_with('{'));
        if let Some((place, behind)) = place.and_then(|place| place.split_once('}')) {
            places.push(place.to_string());
            literals.push(String::new());
            rest = behind;
        } else {
            // A brace that is written twice stands for itself.
            let sign = &after[..1];
            literal.push_str(sign);
            rest = after[1..].strip_prefix(sign).unwrap_or(&after[1..]);
        }
    }
    literals.last_mut().expect("it begins with one").push_str(rest);
    (literals, places)
}

/// A sentence in a language; `None` when it is not known there, and for English.
pub fn told(text: &str, language: Language) -> Option<String> {
    if language == Language::English {
        return None;
    }
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    if source::folder().is_some() {
        return all(&rows(&CHINESE), text);
    }
    all(ROWS.get_or_init(|| rows(&CHINESE)), text)
}

/// What a record of the audit says, in a language; `None` when it is not known there, and for English.
pub fn recorded(text: &str, language: Language) -> Option<String> {
    if language == Language::English {
        return None;
    }
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    if source::folder().is_some() {
        return find(&rows(&RECORDS), text, false, DEEPEST);
    }
    find(ROWS.get_or_init(|| rows(&RECORDS)), text, false, DEEPEST)
}

/// A sentence, or several with `; ` between them: warnings list so what they saw.
fn all(rows: &[Row], text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split("; ").take(LONGEST).collect();
    if parts.len() == 1 || parts.len() == LONGEST {
        return find(rows, text, false, 0);
    }
    // A sentence may have `; ` itself. From the end: the cut that leaves the fewest pieces unknown, and of those the finest.
    let mut best: Vec<(usize, Vec<String>)> = vec![(0, Vec::new())];
    for from in (0..parts.len()).rev() {
        let behind = |pieces: usize| best.get(best.len().checked_sub(pieces)?);
        let told = |pieces: usize| find(rows, &parts.get(from..from + pieces)?.join("; "), true, 0);
        let (mut unknown, mut cut) = behind(1).map_or((1, Vec::new()), |(unknown, cut)| (unknown + 1, cut.clone()));
        cut.push(parts[from].to_string());
        for pieces in (1..=PIECES).rev() {
            let (Some((left, rest)), Some(said)) = (behind(pieces), told(pieces)) else { continue };
            if *left <= unknown {
                (unknown, cut) = (*left, rest.clone());
                cut.push(said);
            }
        }
        best.push((unknown, cut));
    }
    let (unknown, mut cut) = best.pop()?;
    cut.reverse();
    (unknown < parts.len()).then(|| cut.join("；"))
}

/// All sentences, the surest first.
fn rows(files: &[&str]) -> Vec<Row> {
    let mut rows = Vec::new();
    for file in files {
        let text = source::text(file).unwrap_or_default();
        let table: BTreeMap<String, String> = toml::from_str(&text).unwrap_or_else(|error| {
            tracing::error!(%error, file, "a file of words cannot be read");
            BTreeMap::new()
        });
        rows.extend(table.into_iter().map(|(english, told)| Row::new(&english, told)));
    }
    rows.sort_by_key(|row| Reverse(row.weight()));
    rows
}

/// `listed`: it stands in a list, so what goes on behind a `; ` in a place counts only when it is known.
fn find(rows: &[Row], text: &str, listed: bool, depth: u32) -> Option<String> {
    let whole = text.strip_suffix('.').unwrap_or(text);
    let (row, values) = rows.iter().find_map(|row| Some((row, row.places_of(whole)?)))?;
    let (literals, places) = cut(&row.told);
    let mut told = literals.first().cloned().unwrap_or_default();
    for (place, literal) in places.iter().zip(literals.iter().skip(1)) {
        let at = row.places.iter().position(|known| known == place)?;
        let value = values.get(at)?;
        let inner = if depth < DEEPEST { find(rows, value, listed, depth + 1) } else { None };
        let said = row.places.iter().position(|name| name == "what").unwrap_or(row.places.len() - 1);
        let loose = row.letters() < LOOSE && at == said;
        if inner.is_none() && (loose || listed && value.contains("; ")) {
            return None;
        }
        told.push_str(inner.as_deref().unwrap_or(value));
        told.push_str(literal);
    }
    if whole.len() < text.len() {
        told.push('。');
    }
    Some(told)
}

#[cfg(test)]
mod tests;
