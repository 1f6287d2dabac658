//! What agents type into the one search box, turned into the query language, with what was understood.
//!
//! In: text as people write it (`barnes march 2024`, `$120..130`, `a:4711`, `+1 555 010 0199`), and a [`Vocabulary`] of
//! the fields that hold names, amounts and invoice numbers. Out: parts with their meaning, each with its query.
//! Text that already is in the query language stays as it is. Nothing is asked of the archive, no text fails: what is
//! not understood is looked for as words. Adding a meaning: a variant of [`Meaning`], a reader in [`Reader::part`].

mod amount;
mod date;
mod token;

use std::ops::Range;

use crate::index::value::Day;
use token::{Token, tokens};

/// Fields asked at once for a name or an amount; more would make queries too long.
const MOST_FIELDS: usize = 24;
/// Shortest word that is open at its end while it is typed.
const OPEN_FROM: usize = 2;

/// What the words of the box can mean in this archive.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// Fields with names of people and companies.
    pub names: Vec<String>,
    /// Fields with amounts of money.
    pub amounts: Vec<String>,
    /// Fields with invoice and reference numbers.
    pub invoices: Vec<String>,
    /// Words for document kinds, and the kind.
    pub kinds: Vec<(String, String)>,
    /// Titles of reports in lower case, and the definition's name.
    pub reports: Vec<(String, String)>,
    /// Today, for `last month` and `3月`.
    pub today: Day,
}

/// What a part of the text was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// An account number, perhaps only its beginning.
    Account,
    /// A name.
    Name,
    /// A telephone number.
    Phone,
    /// An invoice or reference number.
    Invoice,
    /// An amount or a range of amounts.
    Amount,
    /// A day, a month, a year, a span of days.
    Date,
    /// A kind of document.
    Kind,
    /// A report.
    Report,
    /// A number that may be an account, an invoice, an amount or printed text.
    Number,
    /// Words on the pages and in fields.
    Words,
    /// A piece of the query language.
    Query,
}

/// A part of what was typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it was taken for.
    pub meaning: Meaning,
    /// The value as understood: `4711`, `120..130`, `taylor`; a phone number as its digits.
    pub value: String,
    /// First and last day of a date; twice where day and month may be meant in either order.
    pub days: Vec<(Day, Day)>,
    /// Where it stands in the text, in characters from 0.
    pub typed: Range<usize>,
    /// The same in the query language.
    pub query: String,
}

/// A text as it was understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Typed {
    /// Its parts in order.
    pub parts: Vec<Part>,
    text: Vec<char>,
}

impl Typed {
    /// The whole in the query language.
    pub fn query(&self) -> String {
        self.parts.iter().map(|part| part.query.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The text without one of its parts.
    pub fn without(&self, at: usize) -> String {
        let Some(part) = self.parts.get(at) else { return self.text.iter().collect() };
        let outside = self.text.iter().enumerate().filter(|(i, _)| !part.typed.contains(i)).map(|(_, c)| *c);
        outside.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Where in the text (in characters from 1) that is which stands at `at` of the query (from 1).
    pub fn place(&self, at: usize) -> usize {
        let mut before = 0;
        for part in &self.parts {
            let length = part.query.chars().count();
            if at <= before + length + 1 {
                let inside = at.saturating_sub(before + 1);
                // Only what was taken over as it is has places of its own.
                let own = if part.meaning == Meaning::Query { inside } else { 0 };
                return part.typed.start + own.min(part.typed.len()) + 1;
            }
            before += length + 1;
        }
        self.text.len() + 1
    }
}

/// Understands what was typed. A last word without a blank after it is still being typed: it finds what begins so.
pub fn understand(text: &str, vocabulary: &Vocabulary) -> Typed {
    let chars: Vec<char> = text.chars().map(token::plain).collect();
    let Some(tokens) = token::groups(tokens(&chars), &chars) else { return whole(text, chars) };
    let ended = chars.last().is_none_or(|c| c.is_whitespace());
    let mut reader = Reader { tokens: &tokens, vocabulary, at: 0, ended, parts: Vec::new() };
    while reader.at < reader.tokens.len() {
        reader.part();
    }
    Typed { parts: reader.parts, text: text.chars().collect() }
}

/// Operators are for those who know the language, and so are parentheses that do not match.
fn whole(text: &str, chars: Vec<char>) -> Typed {
    let part = Part {
        meaning: Meaning::Query,
        value: text.trim().to_string(),
        days: Vec::new(),
        typed: 0..chars.len(),
        query: text.to_string(),
    };
    Typed { parts: vec![part], text: text.chars().collect() }
}

struct Reader<'r> {
    tokens: &'r [Token],
    vocabulary: &'r Vocabulary,
    at: usize,
    ended: bool,
    parts: Vec<Part>,
}

impl Reader<'_> {
    /// Reads one part.
    fn part(&mut self) {
        let Some(token) = self.tokens.get(self.at) else { return };
        if token.is_language() {
            return self.push(1, Meaning::Query, token.text.clone(), Vec::new(), token.text.clone());
        }
        if token.quoted {
            return self.push(1, Meaning::Words, token.inner(), Vec::new(), token.text.clone());
        }
        if let Some((key, value)) = token.shortcut() {
            return self.shortcut(key, value);
        }
        if let Some(owed) = self.owed(token) {
            return self.amount(1, &owed);
        }
        if token.is_field_test() || token.text.starts_with('-') {
            return self.push(1, Meaning::Query, token.text.clone(), Vec::new(), token.text.clone());
        }
        if let Some((count, amount)) = amount::read(&self.tokens[self.at..]) {
            return self.amount(count, &amount);
        }
        if let Some((count, from, to)) = date::read(&self.tokens[self.at..], self.vocabulary.today) {
            return self.date(count, from, to);
        }
        if let Some(days) = date::slashed(token) {
            return self.either_day(1, &days);
        }
        if let Some((count, digits)) = token::phone(&self.tokens[self.at..]) {
            return self.phone(count, digits);
        }
        if let Some(count) = token::grouped(&self.tokens[self.at..]) {
            return self.grouped(count);
        }
        self.word();
    }

    /// `-120.50` and `-$5` alone are amounts below zero: to leave them out of everything would be no search.
    fn owed(&self, token: &Token) -> Option<amount::Amount> {
        let value = token.text.strip_prefix('-').filter(|_| self.tokens.len() == 1)?;
        amount::read(&[Token::new(value.to_string(), 0)])?.1.owed()
    }

    fn push(&mut self, count: usize, meaning: Meaning, value: String, days: Vec<(Day, Day)>, query: String) {
        let last = (self.at + count).min(self.tokens.len()) - 1;
        let typed = self.tokens[self.at].at..self.tokens[last].end();
        self.parts.push(Part { meaning, value, days, typed, query });
        self.at = last + 1;
    }

    /// Whether the part of `count` tokens from here is the last one and still being typed.
    fn is_open(&self, count: usize) -> bool {
        !self.ended && self.at + count == self.tokens.len()
    }

    fn opened(&self, count: usize, value: &str) -> String {
        let open = self.is_open(count) && value.chars().count() >= OPEN_FROM && !value.ends_with('*');
        if open { format!("{value}*") } else { value.to_string() }
    }

    fn amount(&mut self, count: usize, amount: &amount::Amount) {
        let tests = amount.tests();
        let mut all: Vec<String> = Vec::new();
        for field in self.vocabulary.amounts.iter().take(MOST_FIELDS) {
            all.extend(tests.iter().map(|test| format!("{field}:{test}")));
        }
        all.extend(amount.printed());
        let query = either(all).unwrap_or_else(|| amount.shown());
        self.push(count, Meaning::Amount, amount.shown(), Vec::new(), query);
    }

    fn date(&mut self, count: usize, from: Day, to: Day) {
        let query = format!("date:[{from} TO {to}]");
        self.push(count, Meaning::Date, format!("{from}..{to}"), vec![(from, to)], query);
    }

    /// `03/05/2024` is the third of May or the fifth of March: both are looked for, and told.
    fn either_day(&mut self, count: usize, days: &[Day]) {
        let tests: Vec<String> = days.iter().map(|day| format!("date:{day}")).collect();
        let shown: Vec<String> = days.iter().map(Day::to_string).collect();
        let spans = days.iter().map(|day| (*day, *day)).collect();
        let query = either(tests).unwrap_or_default();
        self.push(count, Meaning::Date, shown.join(" / "), spans, query);
    }

    /// A number in groups: as one value with whatever separators, or its groups as words.
    fn grouped(&mut self, count: usize) {
        let groups: Vec<&str> = self.tokens[self.at..self.at + count].iter().map(|token| token.text.as_str()).collect();
        let (typed, joined) = (groups.join(" "), groups.concat());
        let printed = self.opened(count, &groups.join("-"));
        let query = format!("({printed} OR {} OR ({typed}))", self.opened(count, &joined));
        self.push(count, Meaning::Number, typed, Vec::new(), query);
    }

    fn phone(&mut self, count: usize, digits: String) {
        let typed: Vec<&str> = self.tokens[self.at..self.at + count].iter().map(|token| token.text.as_str()).collect();
        let typed = typed.join(" ").replace(['(', ')', '+'], "");
        let printed = typed.split_whitespace().collect::<Vec<_>>().join("-");
        let mut ways = vec![printed];
        if !ways.contains(&digits) {
            ways.push(digits.clone());
        }
        let query = either(ways).unwrap_or_else(|| digits.clone());
        self.push(count, Meaning::Phone, digits, Vec::new(), query);
    }

    fn word(&mut self) {
        let Some(token) = self.tokens.get(self.at) else { return };
        let text = token.text.clone();
        let query = self.opened(1, &text);
        if !text.chars().any(|c| c.is_ascii_digit()) {
            return self.push(1, Meaning::Words, text, Vec::new(), query);
        }
        // A whole number may be an amount too.
        let amount = text.len() <= 7 && text.bytes().all(|b| b.is_ascii_digit());
        let mut ways = vec![query];
        if amount {
            ways.extend(self.vocabulary.amounts.iter().take(MOST_FIELDS).map(|field| format!("{field}:{text}")));
        }
        let query = either(ways).unwrap_or_else(|| text.clone());
        self.push(1, Meaning::Number, text, Vec::new(), query);
    }

    fn shortcut(&mut self, key: char, inline: String) {
        // `a: 4711` means the same as `a:4711`.
        let (count, token) = match (inline.is_empty(), self.tokens.get(self.at + 1)) {
            (true, Some(next)) => (2, next.clone()),
            _ => (1, Token::new(inline, 0)),
        };
        let value = token.inner();
        if value.is_empty() {
            // Nothing follows yet: it narrows nothing.
            self.at += 1;
            return;
        }
        let written = if token.quoted || value.contains(char::is_whitespace) {
            format!("\"{}\"", value.replace('"', ""))
        } else {
            self.opened(count, &value)
        };
        let fields =
            |fields: &[String]| either(fields.iter().take(MOST_FIELDS).map(|f| format!("{f}:{written}")).collect());
        let named = |words: &[(String, String)], field: &str, whole: bool| {
            let wanted = value.to_lowercase();
            let fits = |word: &str| if whole { word == wanted } else { word.contains(&wanted) };
            let mut names: Vec<String> = words
                .iter()
                .filter(|(word, name)| fits(word) || *name == wanted)
                .map(|(_, name)| format!("{field}:{name}"))
                .collect();
            names.dedup();
            either(names)
        };
        match key {
            'a' => self.push(count, Meaning::Account, value, Vec::new(), format!("account:{written}")),
            'n' => {
                let query = fields(&self.vocabulary.names).unwrap_or_else(|| written.clone());
                self.push(count, Meaning::Name, value, Vec::new(), query);
            }
            'i' => {
                let query = fields(&self.vocabulary.invoices).unwrap_or_else(|| written.clone());
                self.push(count, Meaning::Invoice, value, Vec::new(), query);
            }
            'k' => {
                let query = named(&self.vocabulary.kinds, "kind", true)
                    .unwrap_or_else(|| format!("kind:\"{}\"", value.replace('"', "")));
                self.push(count, Meaning::Kind, value, Vec::new(), query);
            }
            'r' => {
                let query = named(&self.vocabulary.reports, "definition", false);
                let query = query.unwrap_or_else(|| format!("definition:\"{}\"", value.replace('"', "")));
                self.push(count, Meaning::Report, value, Vec::new(), query);
            }
            't' => self.push(count, Meaning::Words, value, Vec::new(), format!("text:{written}")),
            'p' => {
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                let query = either([value.clone(), digits.clone()].into_iter().filter(|way| !way.is_empty()).collect());
                self.push(count, Meaning::Phone, digits, Vec::new(), query.unwrap_or(written));
            }
            'd' => self.dated(count, &value),
            _ => match amount::read(&[Token::new(priced(&value), 0)]) {
                Some((_, amount)) => self.amount(count, &amount),
                None => self.push(count, Meaning::Words, value, Vec::new(), written),
            },
        }
    }

    /// `d:March 2024`: the date may go on in the words that follow.
    fn dated(&mut self, count: usize, value: &str) {
        let mut rest = vec![Token::new(value.to_string(), 0)];
        rest.extend(self.tokens[self.at + count..].iter().take(2).cloned());
        match (date::read(&rest, self.vocabulary.today), rest.first().and_then(date::slashed)) {
            (Some((more, from, to)), _) => self.date(count + more - 1, from, to),
            (None, Some(days)) => self.either_day(count, &days),
            (None, None) => self.push(count, Meaning::Date, value.to_string(), Vec::new(), format!("date:{value}")),
        }
    }
}

/// A value after a shortcut for amounts as an amount is written: `>100` says so itself.
fn priced(value: &str) -> String {
    let own = value.starts_with(['>', '<', '$', '€', '£', '¥']) || value.contains("..");
    if own { value.to_string() } else { format!("${value}") }
}

/// One of several tests; none when there are none.
fn either(mut tests: Vec<String>) -> Option<String> {
    match tests.len() {
        0 => None,
        1 => tests.pop(),
        _ => Some(format!("({})", tests.join(" OR "))),
    }
}

#[cfg(test)]
mod tests;
