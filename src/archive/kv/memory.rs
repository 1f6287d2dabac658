//! A store in memory, for tests.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow, Range};
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use super::{Batch, Engine, Family, StoreError, Write};

/// Ordered maps behind a lock.
#[derive(Debug, Default)]
pub struct Memory {
    rows: RwLock<BTreeMap<(Family, Vec<u8>), Vec<u8>>>,
}

impl Engine for Memory {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        Ok(rows.get(&(family, key.to_vec())).cloned())
    }

    fn scan(
        &self,
        family: Family,
        keys: Range<&[u8]>,
        each: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        for ((at, key), value) in rows.range((Bound::Included((family, keys.start.to_vec())), Bound::Unbounded)) {
            let past_the_end = *at != family || (!keys.end.is_empty() && key.as_slice() >= keys.end);
            if past_the_end || each(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for write in batch.writes {
            match write {
                Write::Put(family, key, value) => {
                    rows.insert((family, key), value);
                }
                Write::Delete(family, key) => {
                    rows.remove(&(family, key));
                }
                Write::DeleteRange(family, from, to) => {
                    rows.retain(|(at, key), _| *at != family || *key < from || *key >= to)
                }
            }
        }
        Ok(())
    }

    fn commit_later(&self, batch: Batch) -> Result<(), StoreError> {
        self.commit(batch)
    }

    fn compact(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn checkpoint(&self, _target: &Path) -> Result<(), StoreError> {
        Err(StoreError::Failed { detail: "a store in memory has no files to copy".into() })
    }
}
