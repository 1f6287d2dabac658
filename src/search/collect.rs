//! Walks the matches of a query: the best hits in a stable order, and counts for facets.

use std::collections::{BTreeMap, BinaryHeap, HashMap};

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Cardinality, Column, StrColumn};
use tantivy::{DocId as Slot, Score, SegmentOrdinal, SegmentReader, TantivyError};

use super::hits::Sort;
use crate::index::value::Day;

/// Place of a hit in the order of presentation: smaller comes first. No two documents have the same.
pub(super) type Key = (i64, u64);

/// Steps of a score that count as different.
const SCORE_STEPS: f32 = 1024.0;

/// Matches that are looked at together: reading a column for many is cheaper than for each.
const BLOCK: usize = 64;

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
    /// Definitions whose documents stand where those without a date do: the asker does not see their dates.
    pub(super) undated: Vec<String>,
}

/// What [`First`] found.
#[derive(Debug, Clone, Default)]
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
    undated: Undated,
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

    fn take(&mut self, slot: Slot, date: Option<i64>, score: Score) {
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
        let date = date.filter(|_| !self.undated.has(slot));
        self.take(slot, date, score);
    }

    /// Without scores, so never for [`Sort::Relevance`].
    fn collect_block(&mut self, slots: &[Slot]) {
        for slots in slots.chunks(BLOCK) {
            let mut dates = [None; BLOCK];
            self.dates.first_vals(slots, &mut dates[..slots.len()]);
            for (slot, date) in slots.iter().zip(dates) {
                let date = date.filter(|_| !self.undated.has(*slot));
                self.take(*slot, date, 0.0);
            }
        }
    }

    fn harvest(self) -> Self::Fruit {
        (self.found, self.best, self.in_parts)
    }
}

/// The documents of a segment whose dates the asker does not see.
#[derive(Default)]
struct Undated {
    labels: Option<StrColumn>,
    /// Ordinals of their definitions.
    of: Vec<u64>,
}

impl Undated {
    fn new(definitions: &[String], segment: &SegmentReader) -> tantivy::Result<Undated> {
        let labels = if definitions.is_empty() { None } else { segment.fast_fields().str("definition")? };
        let Some(labels) = labels else { return Ok(Undated::default()) };
        let ordinal = |name: &String| labels.dictionary().term_ord(name.as_bytes()).transpose();
        let of = definitions.iter().filter_map(ordinal).collect::<std::io::Result<Vec<u64>>>()?;
        Ok(Undated { labels: Some(labels), of })
    }

    fn has(&self, slot: Slot) -> bool {
        let Some(labels) = self.labels.as_ref().filter(|_| !self.of.is_empty()) else { return false };
        labels.ords().first(slot).is_some_and(|ordinal| self.of.contains(&ordinal))
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
            undated: Undated::new(&self.undated, segment)?,
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

impl Facets {
    /// Takes years out that some of the documents were counted in.
    pub(super) fn without_years_of(&mut self, some: &Facets) {
        for (year, count) in &mut self.years {
            let known = some.years.iter().find(|(known, _)| known == year);
            *count = count.saturating_sub(known.map_or(0, |(_, count)| *count));
        }
        self.years.retain(|(_, count)| *count > 0);
    }
}

/// Collects [`Facets`].
pub(super) struct Count;

/// Raw counts of one segment.
pub(super) struct CountInSegment {
    ids: Column<u64>,
    parts: Option<Column<u64>>,
    definitions: Label,
    kinds: Label,
    dates: Column<i64>,
    total: u64,
    by_day: Days,
    /// Documents that are in the index in parts.
    in_parts: HashMap<u64, Labels<u64>>,
}

/// Counts by the values of a label.
struct Label {
    column: Option<StrColumn>,
    /// The one value that all documents of the segment have.
    only: Option<u64>,
    /// By ordinal of the value.
    counts: Vec<u64>,
}

impl Label {
    fn new(column: Option<StrColumn>) -> Label {
        let ordinals = column.as_ref().map(|column| column.ords());
        let alike = ordinals
            .filter(|column| column.get_cardinality() == Cardinality::Full && column.min_value() == column.max_value());
        let only = alike.map(Column::min_value);
        Label { column, only, counts: Vec::new() }
    }

    fn ordinal(&self, slot: Slot) -> Option<u64> {
        self.column.as_ref().and_then(|column| column.ords().first(slot))
    }

    fn count(&mut self, slots: &[Slot]) {
        let Some(column) = &self.column else { return };
        if let Some(only) = self.only {
            return count_at(&mut self.counts, place(only), slots.len() as u64);
        }
        let mut ordinals = [None; BLOCK];
        column.ords().first_vals(slots, &mut ordinals[..slots.len()]);
        for ordinal in ordinals.into_iter().flatten() {
            count_at(&mut self.counts, place(ordinal), 1);
        }
    }

    fn name(&self, ordinal: u64) -> tantivy::Result<String> {
        let mut name = String::new();
        if let Some(column) = &self.column {
            column.ord_to_str(ordinal, &mut name)?;
        }
        Ok(name)
    }

    fn named(&self) -> tantivy::Result<HashMap<String, u64>> {
        let counted = (0_u64..).zip(&self.counts).filter(|(_, count)| **count > 0);
        counted.map(|(ordinal, count)| Ok((self.name(ordinal)?, *count))).collect()
    }
}

fn place(ordinal: u64) -> usize {
    usize::try_from(ordinal).unwrap_or(usize::MAX)
}

/// Counts by day: a table for the days around those of a segment's documents, a map for the others.
struct Days {
    first: i64,
    table: Vec<u64>,
    others: HashMap<i64, u64>,
}

/// Days in a table: three hundred years.
const DAYS_IN_TABLE: usize = 110_000;

impl Days {
    fn new(first: i64) -> Days {
        Days { first, table: Vec::new(), others: HashMap::new() }
    }

    fn add(&mut self, day: i64) {
        match usize::try_from(day - self.first) {
            Ok(at) if at < DAYS_IN_TABLE => count_at(&mut self.table, at, 1),
            _ => *self.others.entry(day).or_default() += 1,
        }
    }

    fn into_counts(self) -> impl Iterator<Item = (i64, u64)> {
        (self.first..).zip(self.table).filter(|(_, count)| *count > 0).chain(self.others)
    }
}

fn count_at(table: &mut Vec<u64>, at: usize, more: u64) {
    if table.len() <= at {
        table.resize(at + 1, 0);
    }
    table[at] += more;
}

/// Definition, kind and day of a document.
type Labels<T> = (Option<T>, Option<T>, Option<i64>);

/// Counts of one or more segments.
#[derive(Debug, Default)]
pub(super) struct Tally {
    total: u64,
    definitions: HashMap<String, u64>,
    kinds: HashMap<String, u64>,
    days: HashMap<i64, u64>,
    /// Documents that are in the index in parts, not counted above.
    in_parts: HashMap<u64, Labels<String>>,
}

impl SegmentCollector for CountInSegment {
    type Fruit = tantivy::Result<Tally>;

    fn collect(&mut self, slot: Slot, _: Score) {
        self.collect_block(&[slot]);
    }

    fn collect_block(&mut self, slots: &[Slot]) {
        if self.parts.is_some() {
            // A segment with documents in parts may have others too.
            for slot in slots {
                self.take(*slot);
            }
            return;
        }
        slots.chunks(BLOCK).for_each(|slots| self.count(slots));
    }

    fn harvest(self) -> Self::Fruit {
        let mut tally = Tally {
            total: self.total,
            definitions: self.definitions.named()?,
            kinds: self.kinds.named()?,
            ..Tally::default()
        };
        tally.days.extend(self.by_day.into_counts());
        for (number, (definition, kind, day)) in self.in_parts {
            let definition = definition.map(|ordinal| self.definitions.name(ordinal)).transpose()?;
            let kind = kind.map(|ordinal| self.kinds.name(ordinal)).transpose()?;
            tally.in_parts.insert(number, (definition, kind, day));
        }
        Ok(tally)
    }
}

impl CountInSegment {
    fn take(&mut self, slot: Slot) {
        if self.parts.as_ref().is_none_or(|parts| parts.first(slot).is_none()) {
            return self.count(&[slot]);
        }
        let labels = (self.definitions.ordinal(slot), self.kinds.ordinal(slot), self.dates.first(slot));
        self.in_parts.insert(self.ids.first(slot).unwrap_or_default(), labels);
    }

    /// Counts at most [`BLOCK`] documents.
    fn count(&mut self, slots: &[Slot]) {
        self.total += slots.len() as u64;
        self.definitions.count(slots);
        self.kinds.count(slots);
        let mut days = [None; BLOCK];
        self.dates.first_vals(slots, &mut days[..slots.len()]);
        days.into_iter().flatten().for_each(|day| self.by_day.add(day));
    }
}

impl Collector for Count {
    type Fruit = Facets;
    type Child = CountInSegment;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<CountInSegment> {
        let dates = segment.fast_fields().i64("date")?;
        Ok(CountInSegment {
            ids: segment.fast_fields().u64("id")?,
            parts: parts_of(segment)?,
            definitions: Label::new(segment.fast_fields().str("definition")?),
            kinds: Label::new(segment.fast_fields().str("kind")?),
            total: 0,
            by_day: Days::new(dates.min_value()),
            dates,
            in_parts: HashMap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<<CountInSegment as SegmentCollector>::Fruit>) -> tantivy::Result<Facets> {
        let mut all = Tally::default();
        for fruit in fruits {
            let tally = fruit?;
            all.total += tally.total;
            sum(&mut all.definitions, tally.definitions);
            sum(&mut all.kinds, tally.kinds);
            sum(&mut all.days, tally.days);
            all.in_parts.extend(tally.in_parts);
        }
        for (definition, kind, day) in std::mem::take(&mut all.in_parts).into_values() {
            all.total += 1;
            sum(&mut all.definitions, definition.map(|name| (name, 1)));
            sum(&mut all.kinds, kind.map(|name| (name, 1)));
            sum(&mut all.days, day.map(|day| (day, 1)));
        }
        facets(all)
    }
}

fn sum<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, u64>, more: impl IntoIterator<Item = (K, u64)>) {
    for (key, count) in more {
        *counts.entry(key).or_default() += count;
    }
}

fn facets(tally: Tally) -> Result<Facets, TantivyError> {
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
