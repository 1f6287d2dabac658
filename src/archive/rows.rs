//! Rows as bytes: a version byte, a check over key and content, then the content.
//!
//! The check is the first 8 bytes of the SHA-256 of key and content: a flipped bit, and a row under another
//! row's key, are found whenever the row is read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::error::ArchiveError;
use super::kv::{Batch, Engine, Family};
use super::{LoadId, LoadRow};
use crate::decode::Stretch;

/// First byte of every row of this layout.
const VERSION: u8 = 1;
/// Bytes before the content.
const HEAD: usize = 9;
/// Longest catalogue row when unpacked.
const ROW_LIMIT: usize = 64 << 20;

fn check(key: &[u8], content: &[u8]) -> [u8; 8] {
    let digest =
        Sha256::new().chain_update((key.len() as u64).to_be_bytes()).chain_update(key).chain_update(content).finalize();
    let mut check = [0; 8];
    check.copy_from_slice(&digest[..8]);
    check
}

/// Makes the value of a row.
pub(super) fn seal(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEAD + content.len());
    value.push(VERSION);
    value.extend(check(key, content));
    value.extend(content);
    value
}

/// The content of a row, proved to be what [`seal`] got. `what` names the row in errors.
pub(super) fn unseal<'v>(what: &str, key: &[u8], value: &'v [u8]) -> Result<&'v [u8], ArchiveError> {
    let damaged = |detail: String| ArchiveError::damaged(what, detail);
    match value.first() {
        Some(&VERSION) => {}
        Some(other) => return Err(damaged(format!("row version {other} is not known to this greenbar"))),
        None => return Err(damaged("the row is empty".into())),
    }
    let (head, content) = value.split_at_checked(HEAD).ok_or_else(|| damaged("the row is cut short".into()))?;
    if head[1..] != check(key, content) {
        return Err(damaged("its check does not match".into()));
    }
    Ok(content)
}

/// Puts a value as a sealed, compressed JSON row.
pub(super) fn put<T: Serialize>(
    batch: &mut Batch,
    family: Family,
    key: Vec<u8>,
    value: &T,
) -> Result<(), ArchiveError> {
    let json = serde_json::to_vec(value).map_err(|error| ArchiveError::damaged("a row", error.to_string()))?;
    let packed = zstd::bulk::compress(&json, 3).map_err(|error| ArchiveError::damaged("a row", error.to_string()))?;
    let sealed = seal(&key, &packed);
    batch.put(family, key, sealed);
    Ok(())
}

/// Reads what [`put`] put.
pub(super) fn parse<T: DeserializeOwned>(what: &str, key: &[u8], value: &[u8]) -> Result<T, ArchiveError> {
    let packed = unseal(what, key, value)?;
    let json = zstd::stream::decode_all(LimitedFrame::new(packed))
        .map_err(|error| ArchiveError::damaged(what, error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| ArchiveError::damaged(what, error.to_string()))
}

/// Reads and parses a row, `None` when it is not there.
pub(super) fn get<T: DeserializeOwned>(
    engine: &dyn Engine,
    family: Family,
    what: &str,
    key: &[u8],
) -> Result<Option<T>, ArchiveError> {
    engine.get(family, key)?.map(|value| parse(what, key, &value)).transpose()
}

/// A frame that says no more than [`ROW_LIMIT`] bytes, or nothing at all.
struct LimitedFrame<'a>(&'a [u8]);

impl<'a> LimitedFrame<'a> {
    fn new(frame: &'a [u8]) -> LimitedFrame<'a> {
        let fits = zstd::bulk::Decompressor::upper_bound(frame).is_some_and(|length| length <= ROW_LIMIT);
        LimitedFrame(if fits { frame } else { &[] })
    }
}

impl std::io::Read for LimitedFrame<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(out)
    }
}

/// The load row with what only the archive needs to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredLoad {
    /// What callers see.
    pub row: LoadRow,
    /// Generation of its document groups: 1, then one more for each new cut.
    pub generation: u16,
    /// Number of its first document group: documents are numbered from there on, see [`super::cut::Numbers`].
    #[serde(default)]
    pub first_group: u32,
    /// The highest number that a document of any of its cuts had; 0 in rows of before cuts were renumbered.
    #[serde(default)]
    pub numbered: u32,
    /// Bytes of its blocks alone, and of the resources that it was the first to bring.
    pub block_bytes: u64,
    /// How far its blocks were encoded anew; nothing when they are as the load wrote them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compacted: Option<Compacted>,
    /// Units in its table of shared units; 0: it has none.
    #[serde(default)]
    pub shared_units: u32,
    /// Units that index its documents, in stream order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Stretch>,
    /// Pieces in its resource table; 0: it has none.
    #[serde(default)]
    pub pieces: u32,
    /// What was known of the job that brought it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub job: BTreeMap<String, String>,
    /// Resources that were taken from libraries when it was cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub library: Vec<KeptResource>,
}

/// How a load's blocks were encoded anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Compacted {
    /// Number of the coder, see [`super::compact`]; an older one is worth another run.
    pub coder: u32,
    /// Whether columns were asked for.
    pub small: bool,
    /// The compression level.
    pub level: i32,
    /// The trained dictionary that was the newest; 0: there was none.
    #[serde(default)]
    pub dictionary: u32,
    /// Blocks from the first on that are done.
    pub blocks: u32,
}

impl StoredLoad {
    /// The numbers of its document groups.
    pub fn groups(&self) -> std::ops::Range<u32> {
        self.first_group..self.first_group.saturating_add(self.row.documents.div_ceil(super::keys::GROUP))
    }

    /// The highest number that a document of it ever had.
    pub fn numbered(&self) -> u32 {
        let now = self.first_group.saturating_mul(super::keys::GROUP).saturating_add(self.row.documents);
        self.numbered.max(now)
    }
}

/// A resource of a library as it was when a load needed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptResource {
    /// What was asked for: kind.
    pub kind: String,
    /// What was asked for: name.
    pub name: String,
    /// SHA-256 of its bytes, lower-case hex: its key among the resources.
    pub sha256: String,
}

/// A report definition as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredDefinition {
    /// See [`super::DefinitionRow`].
    pub sha256: String,
    /// See [`super::DefinitionRow`].
    pub added_at: i64,
    /// See [`super::DefinitionRow`].
    pub source: String,
}

/// What is left of an unloaded load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The load.
    pub load: LoadId,
    /// The name its stream came with.
    pub file: String,
    /// Name of the report definition that cut it.
    pub definition: String,
    /// SHA-256 of the stream, lower-case hex.
    pub sha256: String,
    /// Bytes it had.
    pub bytes: u64,
    /// Documents it had.
    pub documents: u32,
    /// Why it was taken out.
    pub reason: String,
    /// When, seconds since 1970 UTC.
    pub at: i64,
}

/// A plain big-endian number as a row.
pub(super) fn number(what: &str, key: &[u8], value: &[u8]) -> Result<u64, ArchiveError> {
    let content = unseal(what, key, value)?;
    let bytes = content.try_into().map_err(|_| ArchiveError::damaged(what, "not a number"))?;
    Ok(u64::from_be_bytes(bytes))
}

/// Puts a number as a sealed row.
pub(super) fn put_number(batch: &mut Batch, family: Family, key: Vec<u8>, number: u64) {
    let sealed = seal(&key, &number.to_be_bytes());
    batch.put(family, key, sealed);
}

/// Appends a number in groups of 7 bits, lowest first.
pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number written by [`put_varint`] off the front.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7F);
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Small numbers of either sign as small numbers without one.
pub(super) fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// Undoes [`zigzag`].
pub(super) fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_round_trip(number: u64, signed: i64) {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            let mut rest = out.as_slice();
            prop_assert_eq!(take_varint(&mut rest), Some(number));
            prop_assert!(rest.is_empty());
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
        }

        #[test]
        fn any_flipped_bit_of_a_row_and_any_other_key_is_found(content in prop::collection::vec(any::<u8>(), 0..40), at: prop::sample::Index, bit in 0..8_u8) {
            let value = seal(b"key", &content);
            prop_assert_eq!(unseal("row", b"key", &value).ok(), Some(content.as_slice()));
            prop_assert!(unseal("row", b"kez", &value).is_err());
            let mut flipped = value.clone();
            let at = at.index(flipped.len());
            flipped[at] ^= 1 << bit;
            prop_assert!(unseal("row", b"key", &flipped).is_err());
        }

        #[test]
        fn hostile_numbers_end(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut rest = bytes.as_slice();
            let _ = take_varint(&mut rest);
            prop_assert!(rest.len() <= bytes.len());
        }
    }

    #[test]
    fn a_row_of_a_later_version_says_so() {
        let mut value = seal(b"k", b"content");
        value[0] = 2;
        let error = unseal("load 1", b"k", &value).expect_err("unknown");
        assert_eq!(error.to_string(), "load 1 is damaged: row version 2 is not known to this greenbar");
    }
}
