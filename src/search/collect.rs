//! Walks the matches of a query: the best hits in a stable order, and counts for facets.

use std::collections::{BTreeMap, BinaryHeap, HashMap};

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId as Slot, Score, SegmentOrdinal, SegmentReader, TantivyError};

use super::hits::Sort;
use crate::index::value::Day;

/// Place of a hit in the order of presentation: smaller comes first. No two documents have the same.
pub(super) type Key = (i64, u64);

/// Steps of a score that count as different.
const SCORE_STEPS: f32 = 1024.0;

/// The key of a document.
fn key(sort: Sort, date: Option<i64>, score: Score, number: u64) -> Key {
    match sort {
        Sort::DateDescending => (date.map_or(i64::MAX, |date| -date), !number),
        Sort::DateAscending => (date.unwrap_or(i64::MAX), number),
        #[expect(clippy::cast_possible_truncation, reason = "float to integer saturates")]
        Sort::Relevance => (-((score * SCORE_STEPS).round() as i64), !number),
    }
}

/// The document number of a key.
pub(super) fn number_in(sort: Sort, key: Key) -> u64 {
    if sort == Sort::DateAscending { key.1 } else { !key.1 }
}

/// The score of a key, when it was sorted by that.
pub(super) fn score_in(sort: Sort, key: Key) -> Option<f32> {
    #[expect(clippy::cast_precision_loss, reason = "scores are small")]
    (sort == Sort::Relevance).then_some(-key.0 as f32 / SCORE_STEPS)
}

/// Collects the first `keep` matches behind `after`.
pub(super) struct First {
    pub(super) sort: Sort,
    pub(super) after: Option<Key>,
    pub(super) keep: usize,
}

/// What [`First`] found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// All matches.
    pub(super) total: u64,
    /// Matches behind the start.
    pub(super) behind: u64,
    /// The first of them, in order.
    pub(super) keys: Vec<Key>,
}

/// One segment's matches.
pub(super) struct FirstInSegment {
    sort: Sort,
    after: Option<Key>,
    keep: usize,
    ids: Column<u64>,
    dates: Column<i64>,
    parts: Option<Column<u64>>,
    found: Found,
    best: BinaryHeap<Key>,
    /// Best key of each document that is in the index in parts.
    in_parts: HashMap<u64, Key>,
}

impl FirstInSegment {
    fn add(&mut self, key: Key) {
        self.found.total += 1;
        keep_first(&mut self.best, &mut self.found.behind, self.after, self.keep, key);
    }
}

fn keep_first(best: &mut BinaryHeap<Key>, behind: &mut u64, after: Option<Key>, keep: usize, key: Key) {
    if after.is_some_and(|after| key <= after) {
        return;
    }
    *behind += 1;
    if best.len() < keep {
        best.push(key);
    } else if let Some(mut worst) = best.peek_mut()
        && key < *worst
    {
        *worst = key;
    }
}

impl SegmentCollector for FirstInSegment {
    type Fruit = (Found, BinaryHeap<Key>, HashMap<u64, Key>);

    fn collect(&mut self, slot: Slot, score: Score) {
        let date = if self.sort == Sort::Relevance { None } else { self.dates.first(slot) };
        // The document number decides only among equals: most matches are not worth fetching it.
        if self.parts.is_none() {
            let least = key(self.sort, date, score, if self.sort == Sort::DateAscending { 0 } else { u64::MAX });
            let full = self.best.len() == self.keep && self.best.peek().is_none_or(|worst| least > *worst);
            if full && self.after.is_none_or(|after| least.0 > after.0) {
                self.found.total += 1;
                self.found.behind += 1;
                return;
            }
        }
        let Some(number) = self.ids.first(slot) else { return };
        let key = key(self.sort, date, score, number);
        if self.parts.as_ref().is_some_and(|parts| parts.first(slot).is_some()) {
            self.in_parts.entry(number).and_modify(|best| *best = key.min(*best)).or_insert(key);
        } else {
            self.add(key);
        }
    }

    fn harvest(self) -> Self::Fruit {
        (self.found, self.best, self.in_parts)
    }
}

/// The column that marks parts, if a segment has any.
fn parts_of(segment: &SegmentReader) -> tantivy::Result<Option<Column<u64>>> {
    let parts = segment.fast_fields().column_opt::<u64>("parts")?;
    Ok(parts.filter(|column| column.values.num_vals() > 0))
}

impl Collector for First {
    type Fruit = Found;
    type Child = FirstInSegment;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<FirstInSegment> {
        Ok(FirstInSegment {
            sort: self.sort,
            after: self.after,
            keep: self.keep,
            ids: segment.fast_fields().u64("id")?,
            dates: segment.fast_fields().i64("date")?,
            parts: parts_of(segment)?,
            found: Found::default(),
            best: BinaryHeap::new(),
            in_parts: HashMap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.sort == Sort::Relevance
    }

    fn merge_fruits(&self, fruits: Vec<<FirstInSegment as SegmentCollector>::Fruit>) -> tantivy::Result<Found> {
        let mut all = Found::default();
        let mut in_parts: HashMap<u64, Key> = HashMap::new();
        let mut ignored = 0;
        let mut best = BinaryHeap::new();
        for (found, keys, parts) in fruits {
            all.total += found.total;
            all.behind += found.behind;
            for key in keys {
                keep_first(&mut best, &mut ignored, None, self.keep, key);
            }
            for (number, key) in parts {
                in_parts.entry(number).and_modify(|best| *best = key.min(*best)).or_insert(key);
            }
        }
        all.total += in_parts.len() as u64;
        for key in in_parts.into_values() {
            keep_first(&mut best, &mut all.behind, self.after, self.keep, key);
        }
        all.keys = best.into_sorted_vec();
        Ok(all)
    }
}

/// Counts of a query's documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// All documents.
    pub total: u64,
    /// By definition, most first.
    pub definitions: Vec<(String, u64)>,
    /// By document kind, most first.
    pub kinds: Vec<(String, u64)>,
    /// By year of the document's date, newest first; documents without a date are in none.
    pub years: Vec<(i16, u64)>,
}

/// Collects [`Facets`].
pub(super) struct Count;

/// Raw counts of one segment.
pub(super) struct CountInSegment {
    ids: Column<u64>,
    parts: Option<Column<u64>>,
    definitions: Option<StrColumn>,
    kinds: Option<StrColumn>,
    dates: Column<i64>,
    tally: Tally<u64>,
    /// Definition, kind and day of documents that are in the index in parts.
    in_parts: HashMap<u64, Labels<u64>>,
}

/// Definition, kind and day of a document.
type Labels<T> = (Option<T>, Option<T>, Option<i64>);

#[derive(Debug)]
pub(super) struct Tally<T> {
    total: u64,
    definitions: HashMap<T, u64>,
    kinds: HashMap<T, u64>,
    days: HashMap<i64, u64>,
}

impl<T: std::hash::Hash + Eq> Tally<T> {
    fn new() -> Tally<T> {
        Tally { total: 0, definitions: HashMap::new(), kinds: HashMap::new(), days: HashMap::new() }
    }

    fn add(&mut self, (definition, kind, day): Labels<T>) {
        self.total += 1;
        if let Some(definition) = definition {
            *self.definitions.entry(definition).or_default() += 1;
        }
        if let Some(kind) = kind {
            *self.kinds.entry(kind).or_default() += 1;
        }
        if let Some(day) = day {
            *self.days.entry(day).or_default() += 1;
        }
    }
}

impl SegmentCollector for CountInSegment {
    type Fruit = tantivy::Result<(Tally<String>, HashMap<u64, Labels<String>>)>;

    fn collect(&mut self, slot: Slot, _: Score) {
        let ordinal = |column: &Option<StrColumn>| column.as_ref().and_then(|column| column.ords().first(slot));
        let labels = (ordinal(&self.definitions), ordinal(&self.kinds), self.dates.first(slot));
        match (&self.parts, self.ids.first(slot)) {
            (Some(parts), Some(number)) if parts.first(slot).is_some() => {
                self.in_parts.insert(number, labels);
            }
            _ => self.tally.add(labels),
        }
    }

    fn harvest(self) -> Self::Fruit {
        let name = |column: &Option<StrColumn>, ordinal: u64| -> tantivy::Result<String> {
            let mut name = String::new();
            if let Some(column) = column {
                column.ord_to_str(ordinal, &mut name)?;
            }
            Ok(name)
        };
        let mut tally = Tally::new();
        tally.total = self.tally.total;
        tally.days = self.tally.days;
        for (ordinal, count) in self.tally.definitions {
            tally.definitions.insert(name(&self.definitions, ordinal)?, count);
        }
        for (ordinal, count) in self.tally.kinds {
            tally.kinds.insert(name(&self.kinds, ordinal)?, count);
        }
        let mut in_parts = HashMap::new();
        for (number, (definition, kind, day)) in self.in_parts {
            let definition = definition.map(|ordinal| name(&self.definitions, ordinal)).transpose()?;
            let kind = kind.map(|ordinal| name(&self.kinds, ordinal)).transpose()?;
            in_parts.insert(number, (definition, kind, day));
        }
        Ok((tally, in_parts))
    }
}

impl Collector for Count {
    type Fruit = Facets;
    type Child = CountInSegment;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<CountInSegment> {
        Ok(CountInSegment {
            ids: segment.fast_fields().u64("id")?,
            parts: parts_of(segment)?,
            definitions: segment.fast_fields().str("definition")?,
            kinds: segment.fast_fields().str("kind")?,
            dates: segment.fast_fields().i64("date")?,
            tally: Tally::new(),
            in_parts: HashMap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<<CountInSegment as SegmentCollector>::Fruit>) -> tantivy::Result<Facets> {
        let mut all = Tally::new();
        let mut in_parts = HashMap::new();
        for fruit in fruits {
            let (tally, parts): (Tally<String>, HashMap<u64, Labels<String>>) = fruit?;
            all.total += tally.total;
            for (name, count) in tally.definitions {
                *all.definitions.entry(name).or_default() += count;
            }
            for (name, count) in tally.kinds {
                *all.kinds.entry(name).or_default() += count;
            }
            for (day, count) in tally.days {
                *all.days.entry(day).or_default() += count;
            }
            in_parts.extend(parts);
        }
        in_parts.into_values().for_each(|labels| all.add(labels));
        facets(all)
    }
}

fn facets(tally: Tally<String>) -> Result<Facets, TantivyError> {
    let mut years: BTreeMap<i16, u64> = BTreeMap::new();
    for (day, count) in tally.days {
        let day = i32::try_from(day).map_err(|_| TantivyError::InternalError("a day out of range".into()))?;
        *years.entry(Day(day).ymd().0).or_default() += count;
    }
    let most_first = |counts: HashMap<String, u64>| {
        let mut list: Vec<(String, u64)> = counts.into_iter().collect();
        list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        list
    };
    Ok(Facets {
        total: tally.total,
        definitions: most_first(tally.definitions),
        kinds: most_first(tally.kinds),
        years: years.into_iter().rev().collect(),
    })
}
