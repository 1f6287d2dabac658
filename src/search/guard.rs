//! Queries that are only asked of segments where they can find something.
//!
//! A word is looked for in every text field of every report, and each look into a segment's dictionary costs tens of
//! microseconds, as much when the segment has no such field. And common beginnings have as many terms as there are
//! documents, all of which another, much shorter list finds too.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use tantivy::index::SegmentId;
use tantivy::query::{EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::Field;
use tantivy::{DocId as Slot, Score, SegmentReader};

/// Terms from the first to before the second, as their bytes.
pub(super) type Range = (Vec<u8>, Vec<u8>);

/// Terms of a range that may be read through before it is looked whether they are needed; tests have few.
const CHEAP_TERMS: usize = if cfg!(test) { 0 } else { 1_000 };

/// Says whether a query can find something in a segment.
pub(super) trait Gate: Clone + fmt::Debug + Send + Sync + 'static {
    fn opens(&self, segment: &SegmentReader) -> tantivy::Result<bool>;
}

/// `inner` where the gate opens; nothing elsewhere.
#[derive(Debug)]
pub(super) struct Guarded<G> {
    pub(super) gate: G,
    pub(super) inner: Box<dyn Query>,
}

/// Which segments have terms that begin with something: heads are few and asked for again and again.
#[derive(Debug, Default)]
pub(super) struct Heads(Mutex<HashMap<(SegmentId, Field, Vec<u8>), bool>>);

/// Opens where a segment has a term that begins with `head`.
#[derive(Debug, Clone)]
pub(super) struct Present {
    pub(super) heads: std::sync::Arc<Heads>,
    pub(super) field: Field,
    pub(super) head: Vec<u8>,
}

/// Opens where the terms of `wanted` (in field `of`) are few, or where `field` has a term in one of `others`.
#[derive(Debug, Clone)]
pub(super) struct FewOrOthers {
    pub(super) of: Field,
    pub(super) wanted: Range,
    pub(super) field: Field,
    pub(super) others: Vec<Range>,
}

/// Whether `field` has more than `most` terms in a range.
fn has_more(segment: &SegmentReader, field: Field, (from, to): &Range, most: usize) -> tantivy::Result<bool> {
    let index = segment.inverted_index(field)?;
    let mut terms = index.terms().range().ge(from).lt(to).into_stream()?;
    for _ in 0..most {
        if !terms.advance() {
            return Ok(false);
        }
    }
    Ok(terms.advance())
}

impl Gate for Present {
    fn opens(&self, segment: &SegmentReader) -> tantivy::Result<bool> {
        let key = (segment.segment_id(), self.field, self.head.clone());
        let known = || self.heads.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(present) = known().get(&key) {
            return Ok(*present);
        }
        let present = has_more(segment, self.field, &beginning_with(&self.head), 0)?;
        known().insert(key, present);
        Ok(present)
    }
}

impl Gate for FewOrOthers {
    fn opens(&self, segment: &SegmentReader) -> tantivy::Result<bool> {
        if !has_more(segment, self.of, &self.wanted, CHEAP_TERMS)? {
            return Ok(true);
        }
        for range in &self.others {
            if has_more(segment, self.field, range, 0)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// All terms that begin with `head`, which has a byte below 255.
pub(super) fn beginning_with(head: &[u8]) -> Range {
    let mut next = head.to_vec();
    while next.last() == Some(&0xff) {
        next.pop();
    }
    if let Some(last) = next.last_mut() {
        *last += 1;
    }
    (head.to_vec(), next)
}

impl<G: Gate> Clone for Guarded<G> {
    fn clone(&self) -> Guarded<G> {
        Guarded { gate: self.gate.clone(), inner: self.inner.box_clone() }
    }
}

impl<G: Gate> Query for Guarded<G> {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(GuardedWeight { gate: self.gate.clone(), inner: self.inner.weight(scoring)? }))
    }
}

struct GuardedWeight<G> {
    gate: G,
    inner: Box<dyn Weight>,
}

impl<G: Gate> Weight for GuardedWeight<G> {
    fn scorer(&self, segment: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        if self.gate.opens(segment)? { self.inner.scorer(segment, boost) } else { Ok(Box::new(EmptyScorer)) }
    }

    fn explain(&self, segment: &SegmentReader, slot: Slot) -> tantivy::Result<Explanation> {
        self.inner.explain(segment, slot)
    }
}
