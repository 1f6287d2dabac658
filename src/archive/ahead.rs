//! Rows read one after the other, some at a time: for who walks over the blocks or the document groups of a load.
//!
//! A row at a time costs a search of the store for each. What cannot be read is an error of its own row, and the rows behind it
//! are read all the same.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::kv::{Engine, Family, StoreError};

/// Bytes of values read at a time, roughly.
const BYTES: usize = 256 << 10;

/// Rows of one family, asked for in the order of their keys.
pub(super) struct Ahead<'a> {
    engine: &'a dyn Engine,
    family: Family,
    /// The first key that belongs to somebody else.
    end: Vec<u8>,
    rows: VecDeque<(Vec<u8>, Vec<u8>)>,
}

impl<'a> Ahead<'a> {
    pub fn new(engine: &'a dyn Engine, family: Family, end: Vec<u8>) -> Ahead<'a> {
        Ahead { engine, family, end, rows: VecDeque::new() }
    }

    /// The value of a key, which must be higher than the last one that was asked for.
    pub fn take(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        while self.rows.front().is_some_and(|(at, _)| at.as_slice() < key) {
            self.rows.pop_front();
        }
        if self.rows.is_empty() && self.fill(key).is_err() && self.rows.is_empty() {
            return self.engine.get_once(self.family, key);
        }
        match self.rows.front() {
            Some((at, _)) if at == key => Ok(self.rows.pop_front().map(|(_, value)| value)),
            _ => Ok(None),
        }
    }

    fn fill(&mut self, from: &[u8]) -> Result<(), StoreError> {
        let (rows, mut bytes) = (&mut self.rows, 0);
        self.engine.scan(self.family, from..&self.end, &mut |key, value| {
            bytes += value.len();
            rows.push_back((key.to_vec(), value.to_vec()));
            if bytes < BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::path::Path;

    use super::super::kv::{Batch, memory::Memory};
    use super::*;

    const FAMILY: Family = Family::Blocks;

    fn rows(keys: impl Iterator<Item = u8>) -> Memory {
        let engine = Memory::default();
        let mut batch = Batch::default();
        for key in keys {
            batch.put(FAMILY, [key], vec![key; BYTES / 3]);
        }
        engine.commit(batch).expect("commits");
        engine
    }

    #[test]
    fn rows_come_in_order_and_gaps_are_gaps() {
        let engine = rows((0..40).filter(|key| ![0, 7, 8, 30, 39].contains(key)));
        let mut ahead = Ahead::new(&engine, FAMILY, vec![35]);
        for key in (0..40).filter(|key| key % 11 != 5) {
            let there = ![0, 7, 8, 30, 39].contains(&key) && key < 35;
            let value = ahead.take(&[key]).expect("reads");
            assert_eq!(value.map(|value| value[0]), there.then_some(key), "{key}");
        }
    }

    /// A store with a page that cannot be read: neither alone nor on the way to others.
    struct Torn(Memory, u8);

    impl Engine for Torn {
        fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            if key == [self.1] { Err(torn()) } else { self.0.get(family, key) }
        }
        fn scan(
            &self,
            family: Family,
            keys: Range<&[u8]>,
            each: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
        ) -> Result<(), StoreError> {
            let mut failed = false;
            self.0.scan(family, keys, &mut |key, value| {
                failed = key == [self.1];
                if failed { ControlFlow::Break(()) } else { each(key, value) }
            })?;
            if failed { Err(torn()) } else { Ok(()) }
        }
        fn commit(&self, batch: Batch) -> Result<(), StoreError> {
            self.0.commit(batch)
        }
        fn commit_later(&self, batch: Batch) -> Result<(), StoreError> {
            self.0.commit(batch)
        }
        fn compact(&self) -> Result<(), StoreError> {
            Ok(())
        }
        fn checkpoint(&self, target: &Path) -> Result<(), StoreError> {
            self.0.checkpoint(target)
        }
    }

    fn torn() -> StoreError {
        StoreError::Failed { detail: "torn".into() }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_an_error_and_those_behind_it_are_read() {
        let engine = Torn(rows(0..20), 11);
        let mut ahead = Ahead::new(&engine, FAMILY, vec![200]);
        for key in 0..20 {
            let value = ahead.take(&[key]);
            assert_eq!(value.is_err(), key == 11, "{key}");
            assert!(key == 11 || value.is_ok_and(|value| value.is_some_and(|value| value[0] == key)), "{key}");
        }
    }
}
