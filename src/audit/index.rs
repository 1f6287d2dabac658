//! Finds records of the chain: index rows beside it, written with the records they point to.
//!
//! Key in [`Family::Audit`]: `i`, a letter for what it is found by, the value, a zero byte, the complement of the record's
//! number (8 bytes, big-endian): newest first, because the store reads forward only. The value of a row is a version
//! byte. The row `x` holds the number of the first record that has index rows; older ones, of archives made by an earlier
//! greenbar, are found by walking the chain. Rows are derived: the chain proves what was done, they only find it.
//!
//! A search looks at a bounded number of records ([`MOST_LOOKED_AT`]) and says where to go on.

use std::ops::ControlFlow;

use crate::archive::kv::{Batch, Engine, Family, StoreError};

use super::{Filter, Record};

const VERSION: u8 = 1;
const PREFIX: u8 = b'i';
const FIRST: &[u8] = b"x";
/// Longest value that is indexed whole; of longer ones the beginning is, and the record decides.
const MOST_VALUE: usize = 200;
/// Records that one search looks at.
pub const MOST_LOOKED_AT: usize = 20_000;

/// What records are found by, the rarest first: a search goes by the first that it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Document,
    Load,
    Account,
    Outcome,
    Who,
    Kind,
    From,
}

impl By {
    fn letter(self) -> u8 {
        match self {
            By::Document => b'd',
            By::Load => b'l',
            By::Account => b'a',
            By::Outcome => b'o',
            By::Who => b'w',
            By::Kind => b'k',
            By::From => b'f',
        }
    }
}

/// Kinds that most records have: walking the chain finds them as fast.
const COMMON: &[&str] = &["read", "search"];

/// What a record is found by.
fn values(record: &Record) -> Vec<(By, String)> {
    let mut values = vec![(By::Who, record.who.clone()), (By::From, record.from.clone())];
    values.extend(record.document.iter().map(|document| (By::Document, document.clone())));
    values.extend(record.load().map(|load| (By::Load, load)));
    if !record.account.is_empty() {
        values.push((By::Account, record.account.clone()));
    }
    let outcome = record.outcome();
    if outcome != super::DONE {
        values.push((By::Outcome, outcome.to_string()));
    }
    if !COMMON.contains(&record.kind.as_str()) {
        values.push((By::Kind, record.kind.clone()));
    }
    values.retain(|(_, value)| !value.is_empty());
    values
}

/// What a search goes by, and the values of which a record has one; `None`: the chain itself.
fn chosen(filter: &Filter) -> Option<(By, Vec<String>)> {
    let one = |value: Option<String>| value.into_iter().collect::<Vec<_>>();
    let asked = [
        (By::Document, one(filter.document.map(|document| document.to_string()))),
        (By::Load, one(filter.load.clone())),
        (By::Account, filter.accounts.clone()),
        (By::Outcome, one(filter.outcome.clone().filter(|outcome| outcome != super::DONE))),
        (By::Who, one(filter.who.clone())),
        (By::Kind, one(filter.kind.clone().filter(|kind| !COMMON.contains(&kind.as_str())))),
        (By::From, one(filter.from.clone())),
    ];
    asked.into_iter().find(|(_, values)| !values.is_empty())
}

fn prefix(by: By, value: &str) -> Vec<u8> {
    let value = value.as_bytes();
    let value = value.get(..value.len().min(MOST_VALUE)).unwrap_or_default();
    let mut key = vec![PREFIX, by.letter()];
    // A zero byte ends the value, so it cannot be part of it.
    key.extend(value.iter().map(|byte| if *byte == 0 { 1 } else { *byte }));
    key.push(0);
    key
}

/// Adds the index rows of a record.
pub(super) fn put(batch: &mut Batch, record: &Record) {
    for (by, value) in values(record) {
        let mut key = prefix(by, &value);
        key.extend((!record.seq).to_be_bytes());
        batch.put(Family::Audit, key, vec![VERSION]);
    }
}

/// Number of the first record that has index rows, when there is one.
pub(super) fn first(engine: &dyn Engine) -> Result<Option<u64>, StoreError> {
    let row = engine.get(Family::Audit, FIRST)?;
    Ok(row.and_then(|row| row.strip_prefix(&[VERSION])?.try_into().ok().map(u64::from_be_bytes)))
}

/// Remembers the first record that has index rows.
pub(super) fn begin(batch: &mut Batch, seq: u64) {
    let mut value = vec![VERSION];
    value.extend(seq.to_be_bytes());
    batch.put(Family::Audit, FIRST.to_vec(), value);
}

/// The numbers from `start` on and below `end` of the records that may be meant, newest first, of each value one more
/// than are looked at; `None` when nothing that is indexed was asked for.
pub(super) fn candidates(
    engine: &dyn Engine,
    filter: &Filter,
    start: u64,
    end: u64,
) -> Result<Option<Vec<u64>>, StoreError> {
    let Some((by, values)) = chosen(filter) else { return Ok(None) };
    let mut seqs = Vec::new();
    for value in values.iter().filter(|_| start < end) {
        let bound = |seq: u64| [prefix(by, value).as_slice(), &(!seq).to_be_bytes()].concat();
        // Complements turn the order: the newest is the first key, and the oldest is part of the range.
        let (from, mut to) = (bound(end - 1), bound(start));
        to.push(0);
        let mut left = MOST_LOOKED_AT + 1;
        engine.scan(Family::Audit, from.as_slice()..to.as_slice(), &mut |key, _| {
            seqs.extend(key.last_chunk::<8>().map(|bytes| !u64::from_be_bytes(*bytes)));
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    seqs.sort_unstable_by(|a, b| b.cmp(a));
    seqs.dedup();
    Ok(Some(seqs))
}
