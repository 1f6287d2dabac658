//! The layout of the index: which fields it has and how a document's values become terms and columns.
//!
//! One layout serves all report definitions; a new report changes nothing here.
//!
//! | field | holds |
//! |---|---|
//! | `id`, `load`, `pages`, `date` | numbers of the document; `load` is also what deletes go by |
//! | `definition`, `kind` | for facets and filters |
//! | `owner` | the account exactly as printed: what a customer's rights are checked against |
//! | `key` | `name NUL t value`: whole text values, folded; `s` and `w`: without separators, and `e`: with them; `n`: numbers no column holds |
//! |  | `1 pattern 0 name`: a pattern that masks finds something in the field; without a name: it was looked for |
//! | `words` of fields (`field`) | `name NUL word` with positions |
//! | `column` | numbers and days of index fields by name, and first and last values of page ranges |
//! | `text`, `bag` | words of the pages, with positions and without |
//! | `parts` | set on the parts of a document too long for one entry |
//!
//! Nothing is stored: hits read their rows from the catalogue.

use std::collections::BTreeMap;

use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, JsonObjectOptions, NumericOptions, OwnedValue, Schema, TextFieldIndexing,
    TextOptions,
};
use tantivy::{Index, TantivyDocument, Term};

use super::bag::BagWords;
use super::literal::{NANOS_PER_STEP, Nano, nano, nano_of_integer, step};
use super::words::{FieldWords, Kind, NAME_END, Scanner, TextWords};
use crate::archive::{DocId, Document, LoadId};
use crate::index::fold::{fold, has_separators, squeeze};
use crate::index::value::{FieldValue, Value};

/// Number of this layout; another one in the folder means the index is made anew.
pub(super) const LAYOUT: u32 = 5;

/// Longest folded text value kept whole as a term; a longer one keeps its head and a checksum of all of it.
const LONGEST_KEY: usize = 200;

/// Type byte of whole text values.
pub(super) const TEXT_KEY: u8 = b't';
/// Type byte of text values with separators, which are left out: see [`has_separators`].
pub(super) const SQUEEZED_KEY: u8 = b's';
/// The same of values whose words are in `field`.
pub(super) const SQUEEZED_WORDS_KEY: u8 = b'w';
/// Type byte of text values with separators as they are: what the rules of data policies are compared with.
pub(super) const EXACT_KEY: u8 = b'e';
/// Type byte of numbers that a column cannot hold.
pub(super) const NUMBER_KEY: u8 = b'n';

/// Handles of the index fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) id: Field,
    pub(super) load: Field,
    pub(super) pages: Field,
    pub(super) date: Field,
    pub(super) definition: Field,
    pub(super) kind: Field,
    pub(super) owner: Field,
    pub(super) key: Field,
    pub(super) field: Field,
    pub(super) column: Field,
    pub(super) text: Field,
    pub(super) bag: Field,
    pub(super) parts: Field,
}

impl Layout {
    /// The schema with its handles.
    pub(super) fn new() -> (Schema, Layout) {
        let mut schema = Schema::builder();
        let words = |tokenizer: &str, option: IndexRecordOption, norms: bool| {
            let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer);
            TextOptions::default().set_indexing_options(indexing.set_index_option(option).set_fieldnorms(norms))
        };
        let label = words("raw", IndexRecordOption::Basic, false).set_fast("raw");
        let fast = NumericOptions::default().set_fast();
        let layout = Layout {
            id: schema.add_u64_field("id", fast.clone()),
            load: schema.add_u64_field("load", NumericOptions::default().set_indexed()),
            pages: schema.add_u64_field("pages", fast.clone()),
            date: schema.add_i64_field("date", fast.clone()),
            definition: schema.add_text_field("definition", label.clone()),
            kind: schema.add_text_field("kind", label),
            owner: schema.add_bytes_field("owner", BytesOptions::default().set_indexed()),
            key: schema.add_bytes_field("key", BytesOptions::default().set_indexed()),
            field: schema.add_text_field("field", words("field", IndexRecordOption::WithFreqsAndPositions, false)),
            column: schema.add_json_field("column", JsonObjectOptions::default().set_fast("raw")),
            text: schema.add_text_field("text", words("text", IndexRecordOption::WithFreqsAndPositions, true)),
            bag: schema.add_text_field("bag", words("bag", IndexRecordOption::Basic, false)),
            parts: schema.add_u64_field("parts", fast),
        };
        (schema.build(), layout)
    }

    /// Teaches an index to cut text into words.
    pub(super) fn register(index: &Index) {
        index.tokenizers().register("text", TextWords);
        index.tokenizers().register("bag", BagWords::default());
        index.tokenizers().register("field", FieldWords);
    }

    /// The term that all documents of a load have.
    pub(super) fn load_term(&self, load: LoadId) -> Term {
        Term::from_field_u64(self.load, u64::from(load.0))
    }

    /// What is indexed of a document besides the text of its pages.
    pub(super) fn entry(&self, document: &Document, names: &[String], kind: &str) -> TantivyDocument {
        let mut entry = Entry { layout: self, out: TantivyDocument::new(), columns: BTreeMap::new() };
        entry.out.add_u64(self.id, number_of(document.id));
        entry.out.add_u64(self.load, u64::from(document.id.load.0));
        entry.out.add_u64(self.pages, u64::from(document.pages));
        if let Some(date) = document.date {
            entry.out.add_i64(self.date, i64::from(date));
        }
        entry.out.add_text(self.definition, &*document.definition);
        entry.out.add_text(self.kind, kind);
        if let Some(account) = &document.account {
            entry.out.add_bytes(self.owner, account.as_bytes());
            let is_field = |(position, value): &(u16, FieldValue)| {
                names.get(usize::from(*position)).is_some_and(|name| name == "account")
                    && matches!(value, FieldValue::One(Value::Text(text)) if text == account)
            };
            if !document.fields.iter().any(is_field) {
                entry.keys("account", &fold(account), SQUEEZED_KEY);
            }
        }
        for (position, value) in &document.fields {
            let Some(name) = names.get(usize::from(*position)) else { continue };
            entry.field(name, value, document);
        }
        entry.finish()
    }
}

/// The term of the documents in whose field of this name a pattern finds something; without a name, of all documents that
/// it was looked for in. No field's name begins like it.
pub(super) fn pattern_key(mark: u64, name: &str) -> Vec<u8> {
    [&[1][..], &mark.to_be_bytes(), &[0], name.as_bytes()].concat()
}

/// A document id as the index keeps it.
pub(super) fn number_of(id: DocId) -> u64 {
    u64::from(id.load.0) << 32 | u64::from(id.ordinal)
}

/// The document id of a number.
pub(super) fn id_of(number: u64) -> DocId {
    let ordinal = u32::try_from(number & 0xffff_ffff).unwrap_or(u32::MAX);
    DocId { load: LoadId(u32::try_from(number >> 32).unwrap_or(u32::MAX)), ordinal }
}

/// The head that all terms of one field and type share in `key`.
pub(super) fn key_head(name: &str, kind: u8) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 32);
    key.extend_from_slice(name.as_bytes());
    key.extend_from_slice(&[0, kind]);
    key
}

/// The term of a whole text value, already folded.
pub(super) fn text_key(name: &str, kind: u8, folded: &str) -> Vec<u8> {
    let mut key = key_head(name, kind);
    if folded.len() <= LONGEST_KEY {
        key.extend_from_slice(folded.as_bytes());
        return key;
    }
    let cut = (0..=LONGEST_KEY).rev().find(|at| folded.is_char_boundary(*at)).unwrap_or(0);
    key.extend_from_slice(&folded.as_bytes()[..cut]);
    key.push(1);
    key.extend_from_slice(&fnv(folded.as_bytes()).to_be_bytes());
    key
}

/// The term that all documents with a folded text value have, and no others.
pub(super) fn equal_key(name: &str, folded: &str) -> Vec<u8> {
    text_key(name, if has_separators(folded) { EXACT_KEY } else { TEXT_KEY }, folded)
}

/// The term of a number; terms sort as the numbers do.
pub(super) fn number_key(name: &str, value: Nano) -> Vec<u8> {
    let mut key = key_head(name, NUMBER_KEY);
    key.extend_from_slice(&(value.cast_unsigned() ^ (1 << 127)).to_be_bytes());
    key
}

/// FNV-1a, 64 bits: a checksum that stays the same for ever.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// A text value with its digit runs made comparable: as many leading zeros as wanted, longer numbers later.
pub(super) fn natural(folded: &str) -> String {
    let mut out = String::with_capacity(folded.len() + 4);
    let mut rest = folded;
    while let Some(c) = rest.chars().next() {
        let run = rest.bytes().take_while(u8::is_ascii_digit).count();
        if run == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let digits = rest[..run].trim_start_matches('0');
        // The length goes first, as a character that sorts by it; nothing printed is longer than a page is wide.
        out.push(char::from_u32(0x100 + u32::try_from(digits.len()).unwrap_or(0).min(0x1000)).unwrap_or('0'));
        out.push_str(digits);
        rest = &rest[run..];
    }
    out
}

struct Entry<'l> {
    layout: &'l Layout,
    out: TantivyDocument,
    /// Groups of columns: kind of column, then field name.
    columns: BTreeMap<&'static str, BTreeMap<String, Vec<OwnedValue>>>,
}

impl Entry<'_> {
    fn field(&mut self, name: &str, value: &FieldValue, document: &Document) {
        match value {
            FieldValue::One(value) => self.value(name, value, document),
            FieldValue::Many(values) => values.iter().for_each(|value| self.value(name, value, document)),
            FieldValue::Span(first, last) => {
                self.span(name, first, last);
                self.value(name, first, document);
                self.value(name, last, document);
            }
        }
    }

    fn value(&mut self, name: &str, value: &Value, document: &Document) {
        match value {
            Value::Text(text) => self.text(name, text),
            Value::Date(day) if name == "date" && document.date == Some(day.0) => {}
            Value::Date(day) => self.column("d", name, OwnedValue::I64(i64::from(day.0))),
            Value::Decimal(decimal) => self.number(name, nano(*decimal)),
            Value::Integer(number) => self.number(name, nano_of_integer(*number)),
        }
    }

    fn number(&mut self, name: &str, value: Nano) {
        match step(value) {
            Some(step) => self.column("n", name, OwnedValue::I64(step)),
            None => self.out.add_bytes(self.layout.key, &number_key(name, value)),
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        let folded = fold(text);
        // A value that is one word is found by its whole.
        let mut word = String::new();
        let first = Scanner::new(text).next(&mut word);
        let worded = first.is_some_and(|found| found.kind != Kind::Word || word != folded);
        if worded {
            self.out.add_text(self.layout.field, format!("{name}{NAME_END}{text}"));
        }
        self.keys(name, &folded, if worded { SQUEEZED_WORDS_KEY } else { SQUEEZED_KEY });
    }

    /// Adds the whole value, folded; without its separators under `squeezed`.
    fn keys(&mut self, name: &str, folded: &str, squeezed: u8) {
        if has_separators(folded) {
            self.out.add_bytes(self.layout.key, &text_key(name, squeezed, &squeeze(folded)));
        }
        self.out.add_bytes(self.layout.key, &equal_key(name, folded));
    }

    fn column(&mut self, group: &'static str, name: &str, value: OwnedValue) {
        self.columns.entry(group).or_default().entry(name.to_owned()).or_default().push(value);
    }

    fn span(&mut self, name: &str, first: &Value, last: &Value) {
        match (first, last) {
            (Value::Text(first), Value::Text(last)) => self.text_span(name, &fold(first), &fold(last)),
            (Value::Date(first), Value::Date(last)) => {
                let (low, high) = (first.0.min(last.0), first.0.max(last.0));
                self.column("dlo", name, OwnedValue::I64(i64::from(low)));
                self.column("dhi", name, OwnedValue::I64(i64::from(high)));
            }
            _ => {
                let (Some(first), Some(last)) = (nano_of(first), nano_of(last)) else { return };
                let clamp = |steps: Nano| i64::try_from(steps).unwrap_or(if steps < 0 { i64::MIN } else { i64::MAX });
                let low = clamp(first.min(last).div_euclid(NANOS_PER_STEP));
                let high = clamp(-(-first.max(last)).div_euclid(NANOS_PER_STEP));
                self.column("nlo", name, OwnedValue::I64(low));
                self.column("nhi", name, OwnedValue::I64(high));
            }
        }
    }

    /// Reports are sorted by character or by number, and nobody says which: a value between first and last in either
    /// order may be on the pages.
    fn text_span(&mut self, name: &str, first: &str, last: &str) {
        let (natural_first, natural_last) = (natural(first), natural(last));
        let by_number = natural_first <= natural_last;
        if by_number {
            self.column("olo", name, OwnedValue::Str(natural_first));
            self.column("ohi", name, OwnedValue::Str(natural_last));
        }
        if first <= last || !by_number {
            self.column("tlo", name, OwnedValue::Str(first.min(last).to_owned()));
            self.column("thi", name, OwnedValue::Str(first.max(last).to_owned()));
        }
    }

    fn finish(mut self) -> TantivyDocument {
        if !self.columns.is_empty() {
            let groups = self.columns.into_iter().map(|(group, fields)| {
                let fields = fields.into_iter().map(|(name, values)| (name, OwnedValue::Array(values)));
                (group.to_owned(), OwnedValue::Object(fields.collect()))
            });
            self.out.add_object(self.layout.column, groups.collect());
        }
        self.out
    }
}

fn nano_of(value: &Value) -> Option<Nano> {
    match value {
        Value::Decimal(decimal) => Some(nano(*decimal)),
        Value::Integer(number) => Some(nano_of_integer(*number)),
        Value::Text(_) | Value::Date(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn natural_order_puts_short_numbers_first_and_ignores_leading_zeros() {
        assert!(natural("998") < natural("1003"));
        assert_eq!(natural("0042"), natural("42"));
        assert!(natural("a9") < natural("a10"));
    }

    #[test]
    fn long_values_stay_apart_by_their_checksum() {
        let (a, b) = ("x".repeat(300) + "a", "x".repeat(300) + "b");
        assert_ne!(text_key("f", TEXT_KEY, &a), text_key("f", TEXT_KEY, &b));
        assert!(text_key("f", TEXT_KEY, &a).len() < 230);
    }

    proptest! {
        #[test]
        fn number_terms_sort_like_numbers(a in any::<i64>(), b in any::<i64>()) {
            let (a, b) = (nano_of_integer(a), nano_of_integer(b));
            prop_assert_eq!(number_key("f", a).cmp(&number_key("f", b)), a.cmp(&b));
        }
    }
}
