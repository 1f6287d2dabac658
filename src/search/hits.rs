//! Hit lists: what is asked for, what comes back, and the cursor from one page to the next.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tantivy::Searcher;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::Field;

use super::collect::Key;
use super::schema::fnv;
use crate::archive::DocId;
use crate::auth::gate::Scope;

/// The order of a hit list. Documents without a date come last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// Newest document date first; on the same day, the latest loaded first.
    #[default]
    DateDescending,
    /// Oldest document date first; on the same day, the first loaded first.
    DateAscending,
    /// Best match first; among equals, the latest loaded first.
    Relevance,
}

/// Which part of a hit list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// At most this many hits.
    pub limit: usize,
    /// Hits to leave out first (behind the cursor, if there is one).
    pub offset: usize,
    /// [`HitList::next_cursor`] of the page before.
    pub cursor: Option<String>,
    /// The order; must be the same for all pages of a list.
    pub sort: Sort,
}

impl Default for Window {
    fn default() -> Window {
        Window { limit: 20, offset: 0, cursor: None, sort: Sort::default() }
    }
}

/// One document found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The document.
    pub id: DocId,
    /// How well it matches; only when sorted by relevance.
    pub score: Option<f32>,
}

/// A page of hits.
#[derive(Debug, Clone, PartialEq)]
pub struct HitList {
    /// Documents that match and may be seen, on all pages.
    pub total: u64,
    /// The hits of this page.
    pub hits: Vec<Hit>,
    /// Where the next page starts; `None` after the last hit. It stays good while documents are loaded: no document
    /// comes twice or is skipped.
    pub next_cursor: Option<String>,
}

/// What a cursor carries. The statistics that scores are made from travel along: later loads do not reorder the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) query: u64,
    pub(super) key: Key,
    pub(super) statistics: Vec<u64>,
}

const CURSOR_VERSION: u8 = 1;
/// Most statistics a cursor may carry: a query of the most tests asks for fewer.
const MOST_STATISTICS: usize = 20_000;

impl Cursor {
    /// As text for URLs: lower-case hexadecimal.
    pub(super) fn print(&self) -> String {
        let mut bytes = vec![CURSOR_VERSION];
        bytes.extend_from_slice(&self.query.to_be_bytes());
        bytes.extend_from_slice(&self.key.0.to_be_bytes());
        bytes.extend_from_slice(&self.key.1.to_be_bytes());
        for number in &self.statistics {
            let mut rest = *number;
            while rest >= 0x80 {
                bytes.push((rest & 0x7f) as u8 | 0x80);
                rest >>= 7;
            }
            bytes.push((rest & 0x7f) as u8);
        }
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads what [`Cursor::print`] wrote; `None` for anything else.
    pub(super) fn read(text: &str) -> Option<Cursor> {
        if !text.is_ascii() || !text.len().is_multiple_of(2) || text.len() > MOST_STATISTICS * 20 {
            return None;
        }
        let bytes: Vec<u8> = (0..text.len())
            .step_by(2)
            .map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect::<Option<_>>()?;
        let (version, rest) = bytes.split_first()?;
        let (query, rest) = rest.split_first_chunk::<8>()?;
        let (first, rest) = rest.split_first_chunk::<8>()?;
        let (second, rest) = rest.split_first_chunk::<8>()?;
        let mut statistics = Vec::new();
        let mut number = 0_u64;
        let mut shift = 0;
        for byte in rest {
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                statistics.push(number);
                (number, shift) = (0, 0);
            }
        }
        let key = (i64::from_be_bytes(*first), u64::from_be_bytes(*second));
        let complete = *version == CURSOR_VERSION && shift == 0;
        complete.then_some(Cursor { query: u64::from_be_bytes(*query), key, statistics })
    }
}

/// A number that two hit lists share only when they are the same list.
pub(super) fn fingerprint(query: &str, scope: &Scope, sort: Sort) -> u64 {
    fnv(format!("{query}\u{0}{scope:?}\u{0}{sort:?}").as_bytes())
}

/// What blind statistics say: documents, words in each, documents with any word.
const BLIND_DOCUMENTS: u64 = 1_000_000;
const BLIND_WORDS: u64 = 300;
const BLIND_FREQUENCY: u64 = 10_000;

/// The index's statistics, or those that a cursor carries; either way it remembers them for the next cursor.
pub(super) struct Statistics<'s> {
    searcher: &'s Searcher,
    given: Vec<u64>,
    blind: bool,
    asked: AtomicUsize,
    documents: AtomicU64,
    log: Mutex<Vec<u64>>,
}

impl<'s> Statistics<'s> {
    /// `given` are answers in the order of the questions; further questions go to the index. When `blind`, every
    /// question gets the same answer whatever the index holds: then scores (and cursors, which carry the answers) tell
    /// nothing of documents that the asker does not see.
    pub(super) fn new(searcher: &'s Searcher, given: Vec<u64>, blind: bool) -> Statistics<'s> {
        Statistics {
            searcher,
            given,
            blind,
            asked: AtomicUsize::new(0),
            documents: AtomicU64::new(u64::MAX),
            log: Mutex::new(Vec::new()),
        }
    }

    /// All answers in order.
    pub(super) fn into_log(self) -> Vec<u64> {
        self.log.into_inner().unwrap_or_default()
    }

    fn answer(&self, blind: u64, ask: impl FnOnce() -> tantivy::Result<u64>) -> tantivy::Result<u64> {
        if self.blind {
            return Ok(blind);
        }
        let at = self.asked.fetch_add(1, Ordering::Relaxed);
        let value = match self.given.get(at) {
            Some(value) => *value,
            None => ask()?,
        };
        if let Ok(mut log) = self.log.lock() {
            log.push(value);
        }
        Ok(value)
    }
}

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        self.answer(BLIND_DOCUMENTS * BLIND_WORDS, || self.searcher.total_num_tokens(field))
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        let documents = self.answer(BLIND_DOCUMENTS, || self.searcher.total_num_docs())?;
        self.documents.store(documents, Ordering::Relaxed);
        Ok(documents)
    }

    fn doc_freq(&self, term: &tantivy::Term) -> tantivy::Result<u64> {
        // The engine insists that a term is in no more documents than there are; a forged cursor may say otherwise.
        let frequency = self.answer(BLIND_FREQUENCY, || Bm25StatisticsProvider::doc_freq(self.searcher, term))?;
        Ok(frequency.min(self.documents.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cursors_read_back(query: u64, a: i64, b: u64, statistics in prop::collection::vec(any::<u64>(), 0..9)) {
            let cursor = Cursor { query, key: (a, b), statistics };
            prop_assert_eq!(Cursor::read(&cursor.print()), Some(cursor));
        }

        #[test]
        fn no_text_makes_a_cursor_panic(text in "[0-9a-f]{0,80}|\\PC{0,20}") {
            let _ = Cursor::read(&text);
        }
    }
}
