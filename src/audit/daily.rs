//! How much was done each day: counters beside the chain, written with the records that they count.
//!
//! Key in [`Family::Audit`]: `n` + day (since 1970, sign turned, 4 bytes, big-endian); value: a version byte and [`Counts`]
//! as JSON. They are derived, for figures; days before they were kept have none.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::archive::kv::{Batch, Engine, Family, StoreError};

use super::Record;

const VERSION: u8 = 1;
const PREFIX: u8 = b'n';

/// What was done on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Documents (or pages and renditions of them) that were looked at.
    pub read: u64,
    /// Those that were downloaded or printed.
    pub taken: u64,
    /// Those that were sent.
    pub sent: u64,
    /// Searches.
    pub searches: u64,
    /// What was refused.
    pub refused: u64,
}

impl Counts {
    /// Counts a record in; false when it is of no counted kind.
    pub(super) fn count(&mut self, record: &Record) -> bool {
        let counter = match record.kind.as_str() {
            "read" => &mut self.read,
            "download" | "print" => &mut self.taken,
            "send" => &mut self.sent,
            "search" => &mut self.searches,
            "refused" => &mut self.refused,
            _ => return false,
        };
        *counter += 1;
        true
    }
}

fn key(day: i32) -> [u8; 5] {
    let mut key = [PREFIX; 5];
    key[1..].copy_from_slice(&(day.cast_unsigned() ^ (1 << 31)).to_be_bytes());
    key
}

fn parse(value: &[u8]) -> Option<Counts> {
    serde_json::from_slice(value.strip_prefix(&[VERSION])?).ok()
}

/// The counters of a day.
pub(super) fn get(engine: &dyn Engine, day: i32) -> Result<Counts, StoreError> {
    Ok(engine.get(Family::Audit, &key(day))?.as_deref().and_then(parse).unwrap_or_default())
}

/// Writes the counters of a day.
pub(super) fn put(batch: &mut Batch, day: i32, counts: &Counts) {
    let mut value = vec![VERSION];
    if serde_json::to_writer(&mut value, counts).is_ok() {
        batch.put(Family::Audit, key(day), value);
    }
}

/// The counters from one day to another, both included, in order; days without any are left out.
pub(super) fn read(engine: &dyn Engine, from: i32, to: i32) -> Result<Vec<(i32, Counts)>, StoreError> {
    let mut found = Vec::new();
    engine.scan(Family::Audit, &key(from)..&key(to.saturating_add(1)), &mut |key, value| {
        if let (Some(bytes), Some(counts)) = (key.last_chunk::<4>(), parse(value)) {
            found.push(((u32::from_be_bytes(*bytes) ^ (1 << 31)).cast_signed(), counts));
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
