//! Keeps documents: compressed blocks, catalogue rows, definitions, one atomic step per load.
//!
//! A stream comes in through [`Archive::load`] and goes out, byte for byte, through [`Archive::export_load`]; one
//! document's bytes and pages come out through [`Archive::read`] and [`Archive::pages`], for a permit from the gate.
//!
//! Promises, each with its test in this folder: a load is all there or not there at all (`tests/crash.rs`); the stream
//! comes back byte for byte, whatever is in it; the same stream for the same definition loads once; nothing that was
//! stored changes until it is unloaded, and then nothing of it is left but a tombstone; a flipped bit anywhere is found
//! by [`Archive::verify`]; memory does not grow with the stream; resources that many loads bring are stored once
//! (`tests/shared.rs`). Nothing here knows a print format or a store by name.
//! Layouts: `docs/formats/archive.md`.

mod ahead;
mod block;
mod blocks;
mod cache;
mod care;
mod catalogue;
mod columns;
pub mod compact;
mod cut;
mod definitions;
mod document;
mod error;
mod fault;
pub mod figures;
mod group;
mod keys;
pub mod kv;
mod library;
mod load;
mod read;
mod resource;
mod rows;
mod shared;
mod stream;
#[cfg(test)]
mod tests;
pub mod trial;
mod verify;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

pub use care::Stats;
pub use definitions::{DefinitionRow, Safeguards};
pub use document::{DocumentBytes, DocumentPages};
pub use error::{ArchiveError, LoadError};
pub use fault::{COMPACT_STEPS, DISK_FULL, FAULT_STEPS};
pub use keys::LAYOUT;
pub use load::{Bringing, LoadOutcome, LoadSource, Progress};
pub use rows::Tombstone;
pub use verify::{VerifyError, VerifyProgress, VerifyReport};

use crate::decode::limits::Limits;
use crate::decode::{FORMATS, Format, Libraries, NoLibraries, Stretch};
use crate::index::definition::Definition;
use crate::index::value::FieldValue;
use crate::index::{PageMark, SetAside};
use crate::note::Note;
use cache::Cache;
use catalogue::LoadInfo;
use kv::{Batch, Engine, Family, rocks::Rocks};

/// Folder of the store in the archive's folder.
const STORE: &str = "store";
/// Unpacked blocks kept in memory.
const BLOCK_CACHE_BYTES: usize = 16 << 20;
/// First blocks of loads kept in memory: the context of the other blocks.
const FIRST_CACHE_BYTES: usize = 24 << 20;
/// Block tables and rows of loads kept in memory.
const INFO_CACHE_BYTES: usize = 8 << 20;
/// What the units of loads share, taken apart, kept in memory; one load's resources should fit.
const SHARED_CACHE_BYTES: usize = 96 << 20;
/// Parsed report definitions kept in memory.
const DEFINITIONS_CACHED: usize = 256;

/// Seconds since 1970 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// An open archive. Share it among threads in an `Arc`.
pub struct Archive {
    dir: PathBuf,
    engine: Arc<dyn Engine>,
    clock: Clock,
    formats: &'static [&'static dyn Format],
    sizes: Sizes,
    catalogue: Mutex<Catalogue>,
    infos: Cache<LoadId, LoadInfo>,
    blocks: Cache<(LoadId, u32), Vec<u8>>,
    firsts: Cache<LoadId, Vec<u8>>,
    /// Their columnar forms.
    forms: Cache<LoadId, Vec<u8>>,
    libraries: Arc<dyn Libraries>,
    limits: Limits,
    shared: Cache<LoadId, shared::Entry>,
    parsed: Cache<(String, u32), Definition>,
    /// Counts added definitions; what they keep from whom, when it was asked for since.
    safeguards: Mutex<(u64, Option<Arc<Safeguards>>)>,
}

/// When a load goes from one way of storing to the next; tests use small ones.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// A load of at least this many bytes gets a big first block.
    context_bytes: usize,
    /// Rows a load holds back before it writes any; smaller loads are written in one batch.
    spill_bytes: usize,
    /// A load of at least this many bytes trains a dictionary when its definition has none.
    training_bytes: usize,
}

const SIZES: Sizes = Sizes { context_bytes: block::CONTEXT_BYTES, spill_bytes: 4 << 20, training_bytes: 1 << 20 };

/// Counters, and what is being worked on. Held while a change of the catalogue is committed, so that changes are numbered
/// in the order in which they happen.
#[derive(Debug, Default)]
struct Catalogue {
    last_load: u32,
    last_seq: u64,
    busy: BTreeSet<LoadId>,
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Archive {
    /// Makes an archive in a folder that is empty or does not exist, and opens it.
    pub fn init(dir: &Path) -> Result<Archive, ArchiveError> {
        let used = dir.read_dir().is_ok_and(|mut entries| entries.next().is_some());
        if used || dir.is_file() {
            return Err(ArchiveError::NotEmpty { dir: dir.display().to_string() });
        }
        std::fs::create_dir_all(dir).map_err(|error| ArchiveError::file(dir, error))?;
        let engine = Rocks::open(&dir.join(STORE), true)?;
        Archive::on_new_engine(Arc::new(engine), dir)
    }

    /// Opens an archive. Removes what a load that was killed left behind.
    pub fn open(dir: &Path) -> Result<Archive, ArchiveError> {
        let store = dir.join(STORE);
        if !store.join("CURRENT").is_file() {
            return Err(ArchiveError::NoArchive { dir: dir.display().to_string() });
        }
        let engine = Rocks::open(&store, false)?;
        if engine.get(Family::Settings, keys::LAYOUT_KEY)?.is_none() {
            // `init` was killed between making the store and its first row.
            return Archive::on_new_engine(Arc::new(engine), dir);
        }
        Archive::on_engine(Arc::new(engine), dir)
    }

    /// The same archive with another clock.
    pub fn with_clock(mut self, clock: Clock) -> Archive {
        self.clock = clock;
        self
    }

    /// The same archive with libraries, where streams find the resources that they name and do not bring.
    #[must_use]
    pub fn with_libraries(mut self, libraries: Arc<dyn Libraries>) -> Archive {
        self.libraries = libraries;
        self
    }

    /// The same archive with other limits for what streams may make its decoders do.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Archive {
        self.limits = limits;
        self
    }

    /// The archive's folder. The search index may keep its own folder in it.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The store, for what is kept beside documents: users, audit, holds, settings.
    pub fn engine(&self) -> Arc<dyn Engine> {
        Arc::clone(&self.engine)
    }

    /// Seconds since 1970 UTC by the archive's clock.
    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    pub(crate) fn on_new_engine(engine: Arc<dyn Engine>, dir: &Path) -> Result<Archive, ArchiveError> {
        let mut batch = Batch::default();
        rows::put_number(&mut batch, Family::Settings, keys::LAYOUT_KEY.to_vec(), u64::from(keys::LAYOUT));
        engine.commit(batch)?;
        Archive::on_engine(engine, dir)
    }

    fn on_engine(engine: Arc<dyn Engine>, dir: &Path) -> Result<Archive, ArchiveError> {
        let number = |key: &[u8], what: &str| -> Result<u64, ArchiveError> {
            engine.get(Family::Settings, key)?.map_or(Ok(0), |value| rows::number(what, key, &value))
        };
        let layout = u32::try_from(number(keys::LAYOUT_KEY, "the layout row")?).unwrap_or(u32::MAX);
        if layout == 0 || layout > keys::LAYOUT {
            return Err(ArchiveError::Layout { found: layout, known: keys::LAYOUT });
        }
        let last_load = u32::try_from(number(keys::LAST_LOAD_KEY, "the load counter")?);
        let last_load = last_load.map_err(|_| ArchiveError::damaged("the load counter", "it is out of range"))?;
        let last_seq = number(keys::LAST_SEQ_KEY, "the change counter")?;
        let archive = Archive {
            dir: dir.to_path_buf(),
            engine,
            clock: Arc::new(|| jiff::Timestamp::now().as_second()),
            formats: FORMATS,
            sizes: SIZES,
            catalogue: Mutex::new(Catalogue { last_load, last_seq, busy: BTreeSet::new() }),
            infos: Cache::new(INFO_CACHE_BYTES),
            blocks: Cache::new(BLOCK_CACHE_BYTES),
            firsts: Cache::new(FIRST_CACHE_BYTES),
            forms: Cache::new(FIRST_CACHE_BYTES),
            libraries: Arc::new(NoLibraries),
            limits: Limits::default(),
            shared: Cache::new(SHARED_CACHE_BYTES),
            parsed: Cache::new(DEFINITIONS_CACHED),
            safeguards: Mutex::default(),
        };
        archive.remove_unfinished()?;
        Ok(archive)
    }

    fn catalogue(&self) -> MutexGuard<'_, Catalogue> {
        self.catalogue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
    /// See [`crate::decode::Unit::around`].
    pub around: Vec<Stretch>,
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
mod id_tests {
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
