//! Cuts text into the words that are indexed and searched.
//!
//! - Letters and digits run together, folded (`fold.rs`).
//! - `, . - /` between two digits stay inside: a date, an account number or an amount is one word. An amount loses its
//!   thousands separators and gets a decimal point: `4,573.19`, `4.573,19` and `4573.19` are the same word.
//! - Chinese, Japanese and Korean runs become overlapping pairs, and the last character once more alone. So any two
//!   characters are one word, longer words are phrases of pairs, and one character is the beginning of a word.
//!
//! The same code cuts documents, queries and the text that highlights are looked for in.

use std::ops::Range;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::index::fold::{Class, class, joins_previous, narrow, push_folded};

/// Longest word in bytes; a longer one is cut.
const LONGEST: usize = 128;

/// What a byte is: [`LETTER`], [`OTHER`], or else part of a character that is not ASCII.
const CLASSES: [u8; 256] = classes();
const LETTER: u8 = 0;
const OTHER: u8 = 1;

const fn classes() -> [u8; 256] {
    let mut table = [2; 256];
    let mut byte: u8 = 0;
    while byte.is_ascii() {
        table[byte as usize] = if byte.is_ascii_alphanumeric() { LETTER } else { OTHER };
        byte += 1;
    }
    table
}

/// Whether the sign at `at` stands between two digits of the word that began at `start`. What is not ASCII may be a
/// digit: then it is for the longer way to say.
fn joins(bytes: &[u8], start: usize, at: usize) -> bool {
    at > start
        && matches!(bytes[at], b',' | b'.' | b'-' | b'/')
        && bytes[at - 1].is_ascii_digit()
        && bytes.get(at + 1).is_some_and(|next| next.is_ascii_digit() || !next.is_ascii())
}

/// How a word came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters and digits.
    Word,
    /// Two neighbouring characters.
    Pair,
    /// The last character of a run that has more.
    Last,
    /// The only character of a run.
    Lone,
}

/// A word as the scanner finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its bytes in the text.
    pub(super) span: Range<usize>,
    /// Its number, from 0.
    pub(super) position: usize,
    /// How it came about.
    pub(super) kind: Kind,
}

/// Finds words from left to right.
#[derive(Debug)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    position: usize,
    in_run: bool,
}

impl<'t> Scanner<'t> {
    /// At the start of a text.
    pub(super) fn new(text: &'t str) -> Scanner<'t> {
        Scanner { text, at: 0, position: 0, in_run: false }
    }

    /// The next word: its folded form replaces what is in `word`.
    pub(super) fn next(&mut self, word: &mut String) -> Option<Found> {
        word.clear();
        self.next_ascii(word).or_else(|| self.next_of_any(word))
    }

    fn next_of_any(&mut self, word: &mut String) -> Option<Found> {
        let mut rest = self.text.get(self.at..)?.char_indices();
        let (skipped, first) = rest.find_map(|(i, c)| match class(narrow(c)) {
            Class::Other => None,
            found => Some((i, found)),
        })?;
        self.in_run &= skipped == 0;
        self.at += skipped;
        let (end, kind) = match first {
            Class::Cjk => self.run(word),
            _ => (self.word(word), Kind::Word),
        };
        let found = Found { span: self.at..end, position: self.position, kind };
        self.position += 1;
        if kind == Kind::Pair {
            self.at += self.cell(self.at).unwrap_or(end - self.at);
            self.in_run = true;
        } else {
            self.at = end;
            self.in_run = false;
        }
        Some(found)
    }

    /// The next word when it is ASCII, as most words are; `None` leaves everything as it was, for the longer way.
    fn next_ascii(&mut self, word: &mut String) -> Option<Found> {
        let bytes = self.text.as_bytes();
        let start = self.at + bytes.get(self.at..)?.iter().position(|byte| CLASSES[usize::from(*byte)] != OTHER)?;
        let mut end = start;
        let mut joined = false;
        while let Some(byte) = bytes.get(end) {
            match CLASSES[usize::from(*byte)] {
                LETTER => {}
                OTHER if joins(bytes, start, end) => joined = true,
                OTHER => break,
                _ => return None,
            }
            end += 1;
            if end - start >= LONGEST {
                return None;
            }
        }
        word.push_str(&self.text[start..end]);
        word.make_ascii_lowercase();
        if joined {
            plain_number(word);
        }
        let found = Found { span: start..end, position: self.position, kind: Kind::Word };
        self.position += 1;
        self.at = end;
        self.in_run = false;
        Some(found)
    }

    /// Length in bytes of the character at `at` with the marks that change it, if it belongs to a run.
    fn cell(&self, at: usize) -> Option<usize> {
        let mut chars = self.text.get(at..)?.chars();
        let first = chars.next().filter(|c| class(*c) == Class::Cjk)?;
        let marks = chars.take_while(|c| joins_previous(*c)).map(char::len_utf8).take(2).sum::<usize>();
        Some(first.len_utf8() + marks)
    }

    fn run(&self, word: &mut String) -> (usize, Kind) {
        let first = self.cell(self.at).unwrap_or(0);
        let second = self.cell(self.at + first);
        let end = self.at + first + second.unwrap_or(0);
        self.text[self.at..end].chars().for_each(|c| push_folded(c, word));
        let kind = match (second, self.in_run) {
            (Some(_), _) => Kind::Pair,
            (None, true) => Kind::Last,
            (None, false) => Kind::Lone,
        };
        (end, kind)
    }

    fn word(&self, word: &mut String) -> usize {
        let mut end = self.at;
        let mut joined = false;
        let mut after_digit = false;
        let mut chars = self.text[self.at..].char_indices().peekable();
        while let Some((i, c)) = chars.next() {
            let c = narrow(c);
            let joins = matches!(c, ',' | '.' | '-' | '/')
                && after_digit
                && chars.peek().is_some_and(|(_, next)| narrow(*next).is_ascii_digit());
            if (class(c) != Class::Word && !joins) || word.len() >= LONGEST {
                break;
            }
            joined |= joins;
            after_digit = c.is_ascii_digit();
            push_folded(c, word);
            end = self.at + i + self.text[self.at + i..].chars().next().map_or(0, char::len_utf8);
        }
        if joined {
            plain_number(word);
        }
        end
    }
}

/// Writes an amount with a decimal point and without thousands separators; leaves other words as they are.
fn plain_number(word: &mut String) {
    let bytes = word.as_bytes();
    if !bytes.iter().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.')) {
        return;
    }
    let decimal = match (bytes.iter().rposition(|b| *b == b','), bytes.iter().rposition(|b| *b == b'.')) {
        (Some(comma), Some(point)) => Some(comma.max(point)),
        (None, Some(point)) => Some(point),
        (Some(comma), None) => (bytes.len() - comma != 4).then_some(comma),
        (None, None) => None,
    };
    let whole = &word[..decimal.unwrap_or(word.len())];
    if !is_grouped(whole) {
        return;
    }
    if decimal.is_some() && whole.bytes().any(|b| b == bytes[decimal.unwrap_or(0)]) {
        return; // 1.2.3 is no amount
    }
    let comma = decimal.is_some_and(|at| bytes[at] == b',');
    let mut at = 0;
    word.retain(|sign| {
        let kept = sign.is_ascii_digit() || Some(at) == decimal;
        at += 1;
        kept
    });
    if comma {
        *word = word.replace(',', ".");
    }
}

/// `1,234,567`: one to three digits, then groups of three with the same separator.
fn is_grouped(whole: &str) -> bool {
    let Some(separator) = whole.chars().find(|c| !c.is_ascii_digit()) else { return !whole.is_empty() };
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    (1..=3).contains(&first.len()) && digits(first) && groups.all(|group| group.len() == 3 && digits(group))
}

/// A word to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The folded word.
    pub(super) word: String,
    /// How it came about.
    pub(super) kind: Kind,
}

/// The words of a query's text. A run's last character is left out at the end, where the run may go on in a document.
pub(super) fn wanted(text: &str) -> Vec<Wanted> {
    let mut scanner = Scanner::new(text);
    let mut word = String::new();
    let mut list = Vec::new();
    while let Some(found) = scanner.next(&mut word) {
        list.push(Wanted { word: word.clone(), kind: found.kind });
    }
    if list.last().is_some_and(|last| last.kind == Kind::Last) {
        list.pop();
    }
    list
}

/// Separates a field's name from its value in text given to [`FieldWords`], and in the words it makes.
pub(super) const NAME_END: char = '\u{0}';

/// The tokenizer of full text.
#[derive(Debug, Clone, Default)]
pub(super) struct TextWords;

/// The tokenizer of field values: takes `name NUL value`, makes `name NUL word` of each word.
#[derive(Debug, Clone, Default)]
pub(super) struct FieldWords;

/// Words as the index engine takes them.
#[derive(Debug)]
pub(super) struct Words<'t> {
    prefix: &'t str,
    scanner: Scanner<'t>,
    word: String,
    token: Token,
}

impl Tokenizer for TextWords {
    type TokenStream<'a> = Words<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Words<'a> {
        Words::of(text)
    }
}

impl<'t> Words<'t> {
    /// The words of a text.
    pub(super) fn of(text: &'t str) -> Words<'t> {
        Words { prefix: "", scanner: Scanner::new(text), word: String::new(), token: Token::default() }
    }
}

impl Tokenizer for FieldWords {
    type TokenStream<'a> = Words<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Words<'a> {
        let value = text.find(NAME_END).map_or(0, |at| at + 1);
        let (prefix, value) = text.split_at(value);
        Words { prefix, scanner: Scanner::new(value), word: String::new(), token: Token::default() }
    }
}

impl TokenStream for Words<'_> {
    fn advance(&mut self) -> bool {
        let found = if self.prefix.is_empty() {
            self.scanner.next(&mut self.token.text)
        } else {
            let found = self.scanner.next(&mut self.word);
            self.token.text.clear();
            self.token.text.push_str(self.prefix);
            self.token.text.push_str(&self.word);
            found
        };
        let Some(found) = found else { return false };
        self.token.position = found.position;
        self.token.offset_from = found.span.start;
        self.token.offset_to = found.span.end;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<String> {
        let mut scanner = Scanner::new(text);
        let (mut word, mut words) = (String::new(), Vec::new());
        while scanner.next(&mut word).is_some() {
            words.push(word.clone());
        }
        words
    }

    #[test]
    fn words_are_folded_and_amounts_lose_their_separators() {
        assert_eq!(
            cut("Late-Fee: USD 4,573.19 on 2024-03-01, O'Brien"),
            ["late", "fee", "usd", "4573.19", "on", "2024-03-01", "o", "brien"]
        );
        assert_eq!(
            cut("4.573,19 1,234,567.00 1,234 12,50 1.5 0.29-"),
            ["4573.19", "1234567.00", "1234", "12.50", "1.5", "0.29"]
        );
        assert_eq!(cut("1.2.3 12-3456-7 10.0.0.1 03/01/2024"), ["1.2.3", "12-3456-7", "10.0.0.1", "03/01/2024"]);
    }

    #[test]
    fn cjk_runs_become_pairs_and_a_last_character() {
        assert_eq!(cut("结算账户ABC"), ["结算", "算账", "账户", "户", "abc"]);
        assert_eq!(cut("金 額"), ["金", "額"]);
        assert_eq!(cut("ｶﾞｽ代"), ["ガス", "ス代", "代"]);
        assert_eq!(cut("청구서"), ["청구", "구서", "서"]);
    }

    #[test]
    fn a_query_leaves_out_the_last_character_of_its_last_run() {
        let words = |text: &str| wanted(text).into_iter().map(|w| w.word).collect::<Vec<_>>();
        assert_eq!(words("结算"), ["结算"]);
        assert_eq!(words("结"), ["结"]);
        assert_eq!(words("结算户"), ["结算", "算户"]);
        assert_eq!(words("结算 fee"), ["结算", "算", "fee"]);
    }

    #[test]
    fn spans_point_at_the_word_in_the_text() {
        let text = "  Ｆｅｅ 结算x";
        let mut scanner = Scanner::new(text);
        let mut word = String::new();
        let mut spans = Vec::new();
        while let Some(found) = scanner.next(&mut word) {
            spans.push(&text[found.span]);
        }
        assert_eq!(spans, ["Ｆｅｅ", "结算", "算", "x"]);
    }

    proptest! {
        #[test]
        fn the_short_way_finds_what_the_longer_way_finds(text in "([ -~]|[0-9,./a-zA-Z -]|\\PC|ﾞ|１){0,80}|[a-z0-9,]{120,140}") {
            let (mut fast, mut slow) = (Scanner::new(&text), Scanner::new(&text));
            let (mut word, mut other) = (String::new(), String::new());
            loop {
                let found = fast.next(&mut word);
                other.clear();
                prop_assert_eq!(&found, &slow.next_of_any(&mut other));
                if found.is_none() {
                    break;
                }
                prop_assert_eq!(&word, &other);
            }
        }

        #[test]
        fn any_text_is_cut_without_panic_and_in_order(text in "\\PC{0,60}|[0-9,.a-zｶﾞ结算 -]{0,40}") {
            let mut scanner = Scanner::new(&text);
            let mut word = String::new();
            let mut start = 0;
            while let Some(found) = scanner.next(&mut word) {
                prop_assert!(!found.span.is_empty() && found.span.start >= start && found.span.end <= text.len());
                start = found.span.start + 1;
                prop_assert!(text.is_char_boundary(found.span.start) && text.is_char_boundary(found.span.end));
            }
        }
    }
}
