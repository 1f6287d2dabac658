//! Keeps documents: compressed blocks, catalogue rows, definitions, one atomic step per load.
//!
//! Promises: a load is all there or not there at all; the stream comes back byte for byte; the same stream for the
//! same definition loads once; nothing that was stored changes.

pub mod kv;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::index::value::FieldValue;
use crate::index::{PageMark, SetAside};
use crate::note::Note;

/// Number of a load, from 1, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LoadId(pub u32);

impl fmt::Display for LoadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A document: its load and its place in it, from 1. Printed as `7-123`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocId {
    /// The load.
    pub load: LoadId,
    /// Place in the load, from 1.
    pub ordinal: u32,
}

impl fmt::Display for DocId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.load, self.ordinal)
    }
}

impl FromStr for DocId {
    type Err = ();

    fn from_str(text: &str) -> Result<DocId, ()> {
        let (load, ordinal) = text.split_once('-').ok_or(())?;
        let number = |digits: &str| -> Result<u32, ()> {
            if digits.is_empty() || digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(());
            }
            digits.parse().map_err(|_| ())
        };
        Ok(DocId { load: LoadId(number(load)?), ordinal: number(ordinal)? })
    }
}

/// Number of a catalogue change, from 1, without gaps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(pub u64);

/// What happened to the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A load became visible, or was cut anew: its documents replace what was known of it.
    Loaded(LoadId),
    /// A load is gone.
    Unloaded(LoadId),
}

/// A load as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadRow {
    /// Its number.
    pub id: LoadId,
    /// The name the stream came with.
    pub file: String,
    /// Name of the report definition that cut it.
    pub definition: String,
    /// Version of that definition.
    pub definition_version: u32,
    /// Names of the fields, by the positions used in document rows.
    pub field_names: Vec<String>,
    /// How the stream was read, complete.
    pub read: crate::decode::ReadSpec,
    /// SHA-256 of the stream, lower-case hex.
    pub sha256: String,
    /// Bytes captured.
    pub bytes: u64,
    /// Pages in the stream.
    pub pages: u64,
    /// Documents cut.
    pub documents: u32,
    /// Pages set aside.
    pub set_aside_pages: u64,
    /// What was set aside, where and why (the first 1,000 entries; the counts are complete).
    pub set_aside: Vec<SetAside>,
    /// Bytes its blocks and rows take.
    pub stored_bytes: u64,
    /// What was survived.
    pub warnings: Vec<Note>,
    /// When it became visible, seconds since 1970 UTC.
    pub loaded_at: i64,
    /// How long it took.
    pub seconds: f64,
}

/// A document as the catalogue has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its id.
    pub id: DocId,
    /// Name of the definition.
    pub definition: std::sync::Arc<str>,
    /// Its bytes in the captured stream.
    pub span: Range<u64>,
    /// See [`crate::decode::Start::resume`].
    pub resume: u64,
    /// Number in the stream of its first page, from 1.
    pub first_page: u64,
    /// Records in the stream before it.
    pub records_before: u64,
    /// Its pages.
    pub pages: u32,
    /// Where pages start, for long documents.
    pub marks: Vec<PageMark>,
    /// Title.
    pub title: String,
    /// Days since 1970-01-01.
    pub date: Option<i32>,
    /// The customer's account.
    pub account: Option<String>,
    /// Values by position; names are in the load's `field_names`.
    pub fields: Vec<(u16, FieldValue)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_ids_read_back_what_they_print_and_nothing_else() {
        let id = DocId { load: LoadId(7), ordinal: 123 };
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "7", "7-", "-1", "07-1", "7-01", "7-1 ", "+7-1", "7-99999999999", "0-1"] {
            assert_eq!(bad.parse::<DocId>(), Err(()), "{bad:?}");
        }
    }
}
