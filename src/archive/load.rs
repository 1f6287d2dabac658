//! Loads: a stream becomes blocks and document rows, and one commit makes them visible.
//!
//! The decoder pulls the stream through a tee that keeps the raw bytes; blocks are cut from those, so that what
//! comes back is what came in whatever the decoder thought of it. Compression and the stream's hash run beside the
//! decoding, behind bounded queues.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::thread::Scope;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::blocks::{Blocks, Finished, Tee};
use super::catalogue::{pack_starts, pack_units};
use super::cut::{Accounts, Cutting, Numbers, Spill};
use super::definitions::hex;
use super::error::{ArchiveError, LoadError};
use super::fault;
use super::kv::{Batch, Family};
use super::library::Recorder;
use super::read::Reading;
use super::resource::{LEAST_SHARED, Resources, pack_table};
use super::rows::{self, KeptResource, StoredLoad};
use super::{Archive, Catalogue, Change, LoadId, LoadRow, keys};
use crate::decode::{Context, SAMPLE_BYTES, Sample, Start};
use crate::index::definition::UNIDENTIFIED;
use crate::note::{At, Note};

/// Bytes between two calls of the progress function.
const PROGRESS_BYTES: u64 = 1 << 20;
/// Longest head in which a page is looked for that says which report a stream is.
const HEAD_BYTES: usize = 16 << 20;
/// Detail of a note.
pub(super) const TOO_MUCH_LIBRARY: &str = "the load needs more of the resource libraries than is kept with one load";

/// A stream to load.
pub struct LoadSource<'a> {
    /// The name it comes with.
    pub name: String,
    /// Its bytes; read once, from front to back.
    pub reader: Box<dyn Read + Send + 'a>,
    /// How many there are, when known; only for progress and detection.
    pub total: Option<u64>,
}

/// How a stream came, and what is to be done with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bringing {
    /// The report definition that was named (its newest version is used); without it the stream is recognised.
    pub definition: Option<String>,
    /// The print queue it came through: definitions may recognise it by that.
    pub queue: Option<String>,
    /// What is known of the job; fields of the definition may ask for it. Kept with the load.
    pub job: BTreeMap<String, String>,
    /// A stream that no definition fits is refused as [`LoadError::Unidentified`] instead of kept whole.
    pub only_known: bool,
}

/// How far a load is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Bytes decoded.
    pub bytes: u64,
    /// Bytes there are, when known.
    pub total: Option<u64>,
    /// Pages decoded.
    pub pages: u64,
    /// Documents cut.
    pub documents: u64,
}

/// What came of a load.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadOutcome {
    /// The load that holds the stream.
    pub row: LoadRow,
    /// The stream was there already; `row` is the older load, and nothing was added.
    pub duplicate: bool,
}

/// A load or a new cut while it is worked on: its number is nobody else's until this goes out of scope.
pub(super) struct Reserved<'a> {
    archive: &'a Archive,
    pub id: LoadId,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.archive.catalogue().busy.remove(&self.id);
    }
}

/// Everything about a load that is ready to be published.
struct Ready<'a> {
    id: LoadId,
    file: String,
    reading: &'a Reading,
    job: &'a BTreeMap<String, String>,
    accounts: Accounts,
    notes: Vec<Note>,
    blocks: Finished,
    resources: Resources<'a>,
    library: Vec<KeptResource>,
    stored: u64,
    started: Instant,
}

impl Archive {
    /// Loads a stream. `definition` names a report definition (its newest version is used); without it the stream is
    /// recognised, or kept whole. `progress` is called about once for each megabyte.
    ///
    /// When this returns the load survives a power cut. On an error nothing of it is visible and nothing is left.
    pub fn load(
        &self,
        source: LoadSource<'_>,
        definition: Option<&str>,
        progress: &dyn Fn(Progress),
    ) -> Result<LoadOutcome, LoadError> {
        let how = Bringing { definition: definition.map(str::to_string), ..Bringing::default() };
        self.load_brought(source, &how, progress)
    }

    /// The same for a stream of which more is known.
    pub fn load_brought(
        &self,
        source: LoadSource<'_>,
        how: &Bringing,
        progress: &dyn Fn(Progress),
    ) -> Result<LoadOutcome, LoadError> {
        fault::step("load-started");
        let started = Instant::now();
        let LoadSource { name, mut reader, total } = source;
        let mut head = Vec::new();
        let mut limit = SAMPLE_BYTES;
        let reading = loop {
            read_head(&mut reader, limit, &mut head)?;
            let sample = head.get(..SAMPLE_BYTES).unwrap_or(&head);
            let reading = self.choose(&Sample { head: sample, total, name: Some(&name) }, &head, how)?;
            if !reading.pageless || head.len() < limit || limit >= HEAD_BYTES {
                break reading;
            }
            limit *= 4;
        };
        if how.only_known && reading.definition.name == UNIDENTIFIED && how.definition.is_none() {
            return Err(LoadError::Unidentified);
        }
        let reserved = self.reserve_next();
        let stream = Box::new(Cursor::new(head).chain(reader));
        let outcome = std::thread::scope(|scope| {
            let ready = LoadSource { name, reader: stream, total };
            self.load_in(scope, ready, (&reading, &how.job), (reserved.id, started), progress)
        });
        let kept = outcome.as_ref().is_ok_and(|outcome| !outcome.duplicate);
        if !kept {
            // The first error counts; what cannot be removed now is removed at the next opening.
            let _ = self.remove_debris(reserved.id, 1).and_then(|removed| self.give_back(removed));
        }
        outcome
    }

    /// Gives the space of removed rows back to the disk, which may be full of them.
    fn give_back(&self, removed: bool) -> Result<(), ArchiveError> {
        if removed { Ok(self.engine.compact()?) } else { Ok(()) }
    }

    fn load_in<'scope, 'env: 'scope>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        source: LoadSource<'env>,
        (reading, job): (&'env Reading, &'env BTreeMap<String, String>),
        (id, started): (LoadId, Instant),
        progress: &dyn Fn(Progress),
    ) -> Result<LoadOutcome, LoadError> {
        let (tee, pending) = Tee::new(source.reader);
        let recorder = Recorder::new(self.libraries_for(&reading.read));
        let context = Context::new(recorder.clone(), self.limits);
        let decoder = reading.format.open(Box::new(tee), Start::default(), &reading.read, &context)?;
        let mut cutting = Cutting::new(&reading.definition, decoder, (&source.name, job), (id, 1), Numbers::first());
        let mut spill = Spill::new(self, id, 1);
        let mut resources = Resources::new(self, id);
        let mut blocks = Blocks::new(scope, id, self.sizes, pending, reading.definition.compression);
        let mut next_progress = PROGRESS_BYTES;
        while cutting.step(&mut spill)? {
            let unit = cutting.unit();
            if unit.shared && unit.span.end - unit.span.start >= LEAST_SHARED {
                let span = unit.span.clone();
                resources.add(span.start, &blocks.take_out(&span)?, &mut spill)?;
            }
            let accounts = &cutting.accounts;
            blocks.advance(accounts.cut_end, accounts.unit_end, &mut spill)?;
            if accounts.unit_end >= next_progress {
                next_progress = accounts.unit_end + PROGRESS_BYTES;
                progress(progress_of(accounts, source.total));
            }
        }
        fault::step("stream-decoded");
        let blocks = blocks.finish(self, &reading.definition.name, &mut spill)?;
        fault::step("blocks-written");
        let (library, left_out) = recorder.take();
        cutting.note("library-resources-not-kept", left_out, TOO_MUCH_LIBRARY);
        let (accounts, notes) = cutting.finish(blocks.bytes, &mut spill)?;
        fault::step("documents-written");
        progress(progress_of(&accounts, source.total));
        let stored = spill.stored;
        let library = resources.keep(library)?;
        let ready =
            Ready { id, file: source.name, reading, job, accounts, notes, blocks, resources, library, stored, started };
        self.publish_load(ready, spill.into_batch())
    }

    fn publish_load(&self, ready: Ready<'_>, mut batch: Batch) -> Result<LoadOutcome, LoadError> {
        let Ready { id, file, reading, job, accounts, notes, blocks, mut resources, library, stored, started } = ready;
        let content = keys::content(&blocks.sha256, &reading.definition.name);
        let mut catalogue = self.catalogue();
        if let Some(row) = self.load_of_content(&content)? {
            return Ok(LoadOutcome { row, duplicate: true });
        }
        let table = keys::block_table(id);
        let table_row = pack_starts(&table, &blocks.starts);
        resources.claim(&mut catalogue, &mut batch)?;
        let mut tables = table_row.len() as u64;
        if !resources.table.is_empty() {
            let key = keys::resource_table(id);
            let row = pack_table(&key, &resources.table);
            tables += row.len() as u64;
            batch.put(Family::Loads, key, row);
        }
        let row = LoadRow {
            id,
            file,
            definition: reading.definition.name.clone(),
            definition_version: reading.version,
            field_names: reading.definition.fields.iter().map(|field| field.name.clone()).collect(),
            read: reading.read.clone(),
            sha256: hex(&blocks.sha256),
            bytes: blocks.bytes,
            pages: accounts.pages,
            documents: accounts.documents,
            set_aside_pages: accounts.set_aside_pages,
            set_aside: accounts.set_aside,
            stored_bytes: stored + tables + resources.stored,
            warnings: notes,
            loaded_at: self.now(),
            // To the millisecond: the row says the same when it is read again.
            seconds: (started.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0,
        };
        batch.put(Family::Loads, table, table_row);
        rows::put_number(&mut batch, Family::Loads, content, u64::from(id.0));
        rows::put_number(
            &mut batch,
            Family::Settings,
            keys::LAST_LOAD_KEY.to_vec(),
            u64::from(id.0.max(catalogue.last_load)),
        );
        let shared_units = put_units(&mut batch, (id, 1), &accounts.shared);
        let stored = StoredLoad {
            row,
            generation: 1,
            first_group: 0,
            numbered: 0,
            block_bytes: blocks.stored + resources.stored,
            compacted: None,
            shared_units,
            indexes: accounts.indexes,
            pieces: u32::try_from(resources.table.len()).unwrap_or(u32::MAX),
            library,
            job: job.clone(),
        };
        self.publish(&mut catalogue, batch, &stored, Change::Loaded(id))?;
        catalogue.last_load = catalogue.last_load.max(id.0);
        Ok(LoadOutcome { row: stored.row, duplicate: false })
    }

    /// Commits a batch that makes a load (or a new cut of it) visible, with its row and its change.
    pub(super) fn publish(
        &self,
        catalogue: &mut Catalogue,
        mut batch: Batch,
        stored: &StoredLoad,
        change: Change,
    ) -> Result<(), ArchiveError> {
        rows::put(&mut batch, Family::Loads, keys::load(stored.row.id), stored)?;
        self.commit_change(catalogue, batch, change)
    }

    /// Commits a batch as the next change of the catalogue.
    pub(super) fn commit_change(
        &self,
        catalogue: &mut Catalogue,
        mut batch: Batch,
        change: Change,
    ) -> Result<(), ArchiveError> {
        let seq = super::Seq(catalogue.last_seq + 1);
        rows::put(&mut batch, Family::Changes, keys::change(seq), &change)?;
        rows::put_number(&mut batch, Family::Settings, keys::LAST_SEQ_KEY.to_vec(), seq.0);
        fault::step("before-commit");
        fault::disk_full()?;
        self.engine.commit(batch)?;
        fault::step("after-commit");
        catalogue.last_seq = seq.0;
        Ok(())
    }

    fn load_of_content(&self, key: &[u8]) -> Result<Option<LoadRow>, ArchiveError> {
        let Some(value) = self.engine.get(Family::Loads, key)? else { return Ok(None) };
        let number = rows::number("a content hash", key, &value)?;
        let id =
            u32::try_from(number).map_err(|_| ArchiveError::damaged("a content hash", "its load is out of range"))?;
        self.load_row(LoadId(id)).map(Some)
    }

    fn reserve_next(&self) -> Reserved<'_> {
        let mut catalogue = self.catalogue();
        let highest = catalogue.busy.last().map_or(0, |id| id.0);
        let id = LoadId(catalogue.last_load.max(highest) + 1);
        catalogue.busy.insert(id);
        Reserved { archive: self, id }
    }

    /// Takes a visible load for oneself.
    pub(super) fn reserve(&self, id: LoadId) -> Result<Reserved<'_>, ArchiveError> {
        if self.catalogue().busy.insert(id) { Ok(Reserved { archive: self, id }) } else { Err(ArchiveError::Busy(id)) }
    }

    /// Removes the rows of a load or a cut that did not become visible. Says whether there were any.
    pub(super) fn remove_debris(&self, id: LoadId, generation: u16) -> Result<bool, ArchiveError> {
        let mark = keys::unfinished(id, generation);
        if self.engine.get(Family::Loads, &mark)?.is_none() {
            return Ok(false);
        }
        let mut removed = true;
        let mut batch = Batch::default();
        // Held until the commit: resources of this load may be wanted by another one meanwhile.
        let mut catalogue = self.catalogue();
        match self.stored_load(id) {
            Ok(stored) if stored.generation == generation => removed = false,
            Ok(_) => batch.delete_range(Family::Documents, keys::groups(id, generation)),
            Err(ArchiveError::NoLoad(_)) => {
                batch.delete_range(Family::Documents, keys::all_groups(id));
                batch.delete_range(Family::Blocks, keys::blocks(id));
                self.release(&mut catalogue, id, &mut batch)?;
            }
            Err(error) => return Err(error),
        }
        batch.delete(Family::Loads, mark);
        self.engine.commit(batch)?;
        Ok(removed)
    }

    /// Removes what loads left behind that were killed, or that found the disk full.
    pub(super) fn remove_unfinished(&self) -> Result<(), ArchiveError> {
        let mut marks = Vec::new();
        self.each_row(Family::Loads, b"P", &mut |key, _| {
            marks.extend(keys::unfinished_of(key));
            Ok(())
        })?;
        let mut removed = false;
        for (id, generation) in marks {
            removed |= self.remove_debris(id, generation)?;
        }
        // The archive is right without it; on a full disk it may fail, and RocksDB does it later.
        let _ = self.give_back(removed);
        Ok(())
    }
}

/// Puts the table of a cut's shared units into a batch and says how many they are.
pub(super) fn put_units(batch: &mut Batch, cut: (LoadId, u16), units: &[std::ops::Range<u64>]) -> u32 {
    if !units.is_empty() {
        let key = keys::shared_table(cut.0, cut.1);
        let row = pack_units(&key, units);
        batch.put(Family::Loads, key, row);
    }
    u32::try_from(units.len()).unwrap_or(u32::MAX)
}

fn progress_of(accounts: &Accounts, total: Option<u64>) -> Progress {
    Progress { bytes: accounts.unit_end, total, pages: accounts.pages, documents: u64::from(accounts.documents) }
}

/// The first bytes, for detection, up to a limit. An empty stream is an error.
fn read_head(reader: &mut dyn Read, limit: usize, head: &mut Vec<u8>) -> Result<(), LoadError> {
    let more = limit.saturating_sub(head.len());
    let read = reader.take(more as u64).read_to_end(head);
    let at = At { byte: head.len() as u64, record: 0, page: 0 };
    read.map_err(|source| LoadError::Read { at, source })?;
    if head.is_empty() { Err(LoadError::Empty) } else { Ok(()) }
}
