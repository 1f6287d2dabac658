//! Finds the documents in whose text a number stands.

use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use tantivy::columnar::Column;
use tantivy::query::{ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::{DocId as Slot, DocSet, Score, Searcher, SegmentReader, TERMINATED, TantivyDocument, TantivyError, Term};

use super::LEAF;
use super::leaf::{self, Wanted};
use crate::archive::{DocId, LoadId};
use crate::search::schema::{Layout, id_of};

/// What a number adds to a document's score: as much as a word that stands in one of a hundred documents.
const SCORE: Score = 4.6;

/// Documents of a load that are kept one by one; more are kept as bits.
const MOST_LISTED: usize = 2048;

/// Documents that are looked at together.
const BLOCK: usize = 64;

/// A number, or a beginning of numbers, in the text of documents.
#[derive(Clone)]
pub(in crate::search) struct Printed {
    layout: Layout,
    keys: Vec<RangeInclusive<u64>>,
}

impl Printed {
    /// Of keys in order.
    pub(in crate::search) fn new(layout: &Layout, keys: Vec<RangeInclusive<u64>>) -> Printed {
        Printed { layout: *layout, keys }
    }

    fn documents(&self, searcher: &Searcher) -> tantivy::Result<Documents> {
        let mut documents = Documents::default();
        for segment in searcher.segment_readers() {
            self.documents_in(segment, &mut documents)?;
        }
        documents.settle();
        Ok(documents)
    }

    /// Adds what the leaves of a segment say. The documents may be in other segments.
    fn documents_in(&self, segment: &SegmentReader, documents: &mut Documents) -> tantivy::Result<()> {
        let marked = Term::from_field_bytes(self.layout.key, LEAF);
        let index = segment.inverted_index(self.layout.key)?;
        let Some(mut entries) = index.read_postings(&marked, IndexRecordOption::Basic)? else { return Ok(()) };
        let columns = segment.fast_fields();
        let (firsts, lasts) = (columns.u64("leaf_first")?, columns.u64("leaf_last")?);
        let store = segment.get_store_reader(0)?;
        while entries.doc() != TERMINATED {
            let slot = entries.doc();
            entries.advance();
            if segment.is_deleted(slot) || !self.may_have(&firsts, &lasts, slot) {
                continue;
            }
            let entry: TantivyDocument = store.get(slot)?;
            let ends = firsts.values_for_doc(slot).zip(lasts.values_for_doc(slot));
            for (value, (first, last)) in entry.get_all(self.layout.leaf).zip(ends) {
                if self.overlaps(first, last) {
                    let bytes = value.as_bytes().ok_or_else(damaged)?;
                    let load = leaf::load_of(bytes).ok_or_else(damaged)?;
                    let of_load = documents.of(load.0);
                    leaf::visit(bytes, &mut Wanted(&self.keys), &mut |ordinal| of_load.add(ordinal))
                        .ok_or_else(damaged)?;
                }
            }
        }
        Ok(())
    }

    fn may_have(&self, firsts: &Column<u64>, lasts: &Column<u64>, slot: Slot) -> bool {
        firsts.values_for_doc(slot).zip(lasts.values_for_doc(slot)).any(|(first, last)| self.overlaps(first, last))
    }

    fn overlaps(&self, first: u64, last: u64) -> bool {
        self.keys.iter().any(|range| first <= *range.end() && *range.start() <= last)
    }
}

fn damaged() -> TantivyError {
    TantivyError::InternalError("a list of numbers is damaged".into())
}

impl fmt::Debug for Printed {
    /// Without the number: it may be somebody's account.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Printed")
    }
}

impl Query for Printed {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let searcher = scoring.searcher();
        let searcher = searcher.ok_or_else(|| TantivyError::InternalError("numbers need a searcher".into()))?;
        Ok(Box::new(PrintedWeight(Arc::new(self.documents(searcher)?))))
    }
}

struct PrintedWeight(Arc<Documents>);

impl Weight for PrintedWeight {
    fn scorer(&self, segment: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let slots = self.0.slots(&segment.fast_fields().u64("id")?, segment.max_doc());
        if slots.is_empty() {
            return Ok(Box::new(EmptyScorer));
        }
        Ok(Box::new(ConstScorer::new(Slots { slots, at: 0 }, SCORE * boost)))
    }

    fn explain(&self, _: &SegmentReader, _: Slot) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("a number on the pages", SCORE))
    }
}

/// Documents of any loads.
#[derive(Debug, Default)]
struct Documents {
    loads: HashMap<u32, OfLoad>,
    /// Least and greatest number of them.
    ends: Option<(u64, u64)>,
}

/// Documents of one load: a few one by one, or bits by ordinal.
#[derive(Debug, Default)]
struct OfLoad {
    listed: Vec<u32>,
    bits: Vec<u64>,
}

impl OfLoad {
    fn add(&mut self, ordinal: u32) {
        self.listed.push(ordinal);
        if self.listed.len() >= MOST_LISTED {
            self.use_bits();
        }
    }

    fn use_bits(&mut self) {
        for ordinal in self.listed.drain(..) {
            let word = ordinal as usize / 64;
            if word >= self.bits.len() {
                self.bits.resize(word + 1, 0);
            }
            self.bits[word] |= 1 << (ordinal % 64);
        }
    }

    fn has(&self, ordinal: u32) -> bool {
        if self.bits.is_empty() {
            return self.listed.binary_search(&ordinal).is_ok();
        }
        self.bits.get(ordinal as usize / 64).is_some_and(|word| word >> (ordinal % 64) & 1 == 1)
    }
}

impl Documents {
    fn of(&mut self, load: u32) -> &mut OfLoad {
        self.loads.entry(load).or_default()
    }

    /// Call when all are added.
    fn settle(&mut self) {
        for (load, documents) in &mut self.loads {
            if !documents.bits.is_empty() {
                documents.use_bits();
            }
            documents.listed.sort_unstable();
            documents.listed.dedup();
            let ends = match (documents.listed.first(), documents.listed.last(), documents.bits.len()) {
                (Some(first), Some(last), _) => (*first, *last),
                (_, _, 0) => continue,
                (_, _, words) => (0, u32::try_from(words * 64).unwrap_or(u32::MAX)),
            };
            let [first, last] = [ends.0, ends.1].map(|ordinal| u64::from(*load) << 32 | u64::from(ordinal));
            let known = self.ends.unwrap_or((first, last));
            self.ends = Some((known.0.min(first), known.1.max(last)));
        }
    }

    /// Where they are in a segment.
    fn slots(&self, ids: &Column<u64>, end: Slot) -> Vec<Slot> {
        let mut found = Vec::new();
        let Some((first, last)) = self.ends.filter(|ends| ends.0 <= ids.max_value() && ids.min_value() <= ends.1)
        else {
            return found;
        };
        // Documents of a load stand together.
        let mut known: Option<(LoadId, Option<&OfLoad>)> = None;
        let mut numbers = [None; BLOCK];
        let mut slots = [0; BLOCK];
        let mut at = 0;
        while at < end {
            let block = slots.iter_mut().zip(at..end).map(|(slot, number)| *slot = number).count();
            ids.first_vals(&slots[..block], &mut numbers[..block]);
            for (slot, number) in slots[..block].iter().zip(numbers) {
                let Some(number) = number.filter(|number| (first..=last).contains(number)) else { continue };
                let DocId { load, ordinal } = id_of(number);
                let of_load = match known {
                    Some((same, of_load)) if same == load => of_load,
                    _ => self.loads.get(&load.0),
                };
                known = Some((load, of_load));
                if of_load.is_some_and(|documents| documents.has(ordinal)) {
                    found.push(*slot);
                }
            }
            at += BLOCK as Slot;
        }
        found
    }
}

/// Places in a segment, in order.
struct Slots {
    slots: Vec<Slot>,
    at: usize,
}

impl DocSet for Slots {
    fn advance(&mut self) -> Slot {
        self.at = (self.at + 1).min(self.slots.len());
        self.doc()
    }

    fn seek(&mut self, target: Slot) -> Slot {
        let rest = self.slots.get(self.at..).unwrap_or_default();
        self.at += rest.partition_point(|slot| *slot < target);
        self.doc()
    }

    fn doc(&self) -> Slot {
        self.slots.get(self.at).copied().unwrap_or(TERMINATED)
    }

    fn size_hint(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }
}
