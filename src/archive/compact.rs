//! Encodes the blocks of a load anew, with what is known now and at a level that a load has no time for.
//!
//! Where blocks begin and end stays as it is, so that no place of a document changes; what a block's row holds becomes
//! smaller, or stays. The load is proved whole before its first row is touched, and each new row is unpacked again, with what a reader will have,
//! and compared, before it takes the old one's place. Rows are replaced in batches with the load row that counts them.
//!
//! Promises (`tests/compact.rs`): a load can be read at every moment in between, because a block needs the *bytes* of block 0 (which stay)
//! or its columnar form (which comes first, and stays once it is there); what was interrupted goes on where it stopped; no change
//! of the catalogue is made, so search, figures of documents, digests and the audit chain know nothing of it; memory
//! holds block 0, one other block and one batch.

use std::sync::Arc;

use super::block::{COLUMNS_GAIN, Context, Needs, Packed, Packer, is_proven};
use super::catalogue::LoadInfo;
use super::columns::Encoder;
use super::error::ArchiveError;
use super::kv::{Batch, Family};
use super::rows::{self, Compacted, StoredLoad};
use super::verify::VerifyReport;
use super::{Archive, LoadId, fault, keys};
use crate::index::definition::Compression;

/// Number of the coder: goes up when encoding anew is worth another run.
const CODER: u32 = 1;
/// Compression level when none is named: see `docs/performance.md`.
pub const LEVEL: i32 = 12;

/// How loads are encoded anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recoding {
    /// Line data is sorted into columns also where the definition does not ask for it.
    pub small: bool,
    /// zstd's level, 1 to 19.
    pub level: i32,
}

/// What became of a load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recoded {
    /// Blocks looked at; 0: all had been encoded like this before.
    pub blocks: u64,
    /// Blocks that became smaller and were replaced.
    pub replaced: u64,
    /// Bytes of the load's rows before.
    pub before: u64,
    /// And now.
    pub after: u64,
}

impl Archive {
    /// Whether a load has blocks that were not encoded like this yet.
    pub fn recode_due(&self, load: LoadId, how: &Recoding) -> Result<bool, ArchiveError> {
        let info = self.info(load)?;
        let wanted = self.wanted(&info.stored, how)?;
        Ok((wanted.blocks as usize) < info.starts.len())
    }

    /// Encodes the blocks of a load anew; see the head of this module. Holds are not asked: `records::compact` does that.
    pub fn recode(&self, load: LoadId, how: &Recoding) -> Result<Recoded, ArchiveError> {
        let _reserved = self.reserve(load)?;
        self.infos.forget(|id| *id == load);
        let info = self.info(load)?;
        let done = self.wanted(&info.stored, how)?;
        let stored = info.stored.clone();
        let bytes = stored.row.stored_bytes;
        let mut outcome = Recoded { before: bytes, after: bytes, ..Recoded::default() };
        if done.blocks as usize >= info.starts.len() {
            return Ok(outcome);
        }
        self.prove(&info)?;
        fault::step("compact-proved");
        let coders = Coders::new(self, &info, &done)?;
        let mut run = Run { archive: self, info: &info, coders, stored, done };
        run.all(&mut outcome)?;
        fault::step("compact-finished");
        if outcome.replaced > 0 {
            self.engine.replaced(Family::Blocks, keys::blocks(load));
            self.engine.compact()?;
            self.recount(load)?;
        }
        Ok(outcome)
    }

    /// How a load is to be encoded, and how many of its blocks are already.
    fn wanted(&self, stored: &StoredLoad, how: &Recoding) -> Result<Compacted, ArchiveError> {
        let definition = self.definition(&stored.row.definition, None)?;
        let small = how.small || definition.is_some_and(|known| known.compression == Compression::Small);
        let dictionary = self.newest_dictionary(&stored.row.definition)?.map_or(0, |(version, _)| version);
        let wanted = Compacted { coder: CODER, small, level: how.level, dictionary, blocks: 0 };
        let done = stored.compacted.filter(|done| Compacted { blocks: 0, ..*done } == wanted);
        Ok(done.unwrap_or(wanted))
    }

    /// What does not hold is left as it is, for who can still read something in it.
    fn prove(&self, info: &LoadInfo) -> Result<(), ArchiveError> {
        let mut report = VerifyReport::default();
        self.verify_blocks(info, &mut report);
        match report.errors.into_iter().next() {
            None => Ok(()),
            Some(wrong) => Err(ArchiveError::damaged(format!("load {}", info.stored.row.id), wrong.message)),
        }
    }

    fn block_content(&self, load: LoadId, number: u32) -> Result<Vec<u8>, ArchiveError> {
        let (key, what) = (keys::block(load, number), format!("block {number} of load {load}"));
        let value = self.engine.get_once(Family::Blocks, &key)?;
        let value = value.ok_or_else(|| ArchiveError::damaged(&what, "it is missing"))?;
        Ok(rows::unseal(&what, &key, &value)?.to_vec())
    }
}

/// The ways in which the blocks of one load are tried.
struct Coders {
    /// Block 0.
    first: Arc<Vec<u8>>,
    /// The content of its row: the new one if that is smaller, or the one that it has.
    content: Vec<u8>,
    others: Vec<Packer>,
}

impl Coders {
    fn new(archive: &Archive, info: &LoadInfo, wanted: &Compacted) -> Result<Coders, ArchiveError> {
        let (load, level) = (info.stored.row.id, Some(wanted.level));
        let old = archive.block_content(load, 0)?;
        let packed = Packed::parse("block 0", &old)?;
        let own = if packed.is_own_form() { Some(Arc::new(packed.form("block 0", &[])?)) } else { None };
        let itself = || Err(ArchiveError::damaged("block 0", "it needs itself"));
        let first = Arc::new(archive.unpack_block(load, &info.definition, 0, itself)?);
        let leaning = first.len() >= archive.sizes.context_bytes;
        let rows = match archive.newest_dictionary(&info.definition)? {
            Some((version, bytes)) if !leaning => Context::Dictionary(version, bytes),
            _ => Context::Plain,
        };
        let learned = if wanted.small || own.is_some() { Encoder::learn(&first) } else { None };
        let learned = learned.filter(|(_, form)| is_proven(form, &first));
        let (encoder, new) = learned.map(|(encoder, form)| (Arc::new(encoder), Arc::new(form))).unzip();
        // A form that is there stays: other blocks may have it as their prefix.
        let mut form = own.clone();
        let mut content = if own.is_some() { old.clone() } else { Packer::at_level(&rows, level)?.pack(&first)? };
        if let (Some(encoder), Some(new)) = (&encoder, own.clone().or(new)) {
            let columns = Packer::at_level(&Context::Columns(encoder.clone()), level)?.pack_form(first.len(), &new)?;
            let gain = if own.is_some() { 0 } else { COLUMNS_GAIN };
            if columns.len() * 100 <= content.len() * (100 - gain) && columns.len() < old.len() {
                (form, content) = (Some(new), columns);
            }
        }
        if content.len() >= old.len() {
            content.clone_from(&old);
        }
        let contexts = match (encoder, form) {
            (Some(encoder), Some(form)) if leaning => {
                vec![Context::ColumnsWithFirst { encoder, form, first: first.clone() }]
            }
            (Some(encoder), _) if !leaning => vec![rows, Context::Columns(encoder)],
            _ if leaning => vec![Context::first(first.clone())],
            _ => vec![rows],
        };
        let others: Result<Vec<Packer>, _> = contexts.iter().map(|context| Packer::at_level(context, level)).collect();
        Ok(Coders { first, content, others: others? })
    }

    /// The smallest content of a block's row.
    fn pack(&mut self, number: u32, raw: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        if number == 0 {
            return Ok(self.content.clone());
        }
        let mut best: Option<Vec<u8>> = None;
        for packer in &mut self.others {
            let content = packer.pack(raw)?;
            if best.as_ref().is_none_or(|best| content.len() < best.len()) {
                best = Some(content);
            }
        }
        best.ok_or_else(|| ArchiveError::damaged("a block", "nothing encodes it"))
    }
}

/// One load being encoded anew.
struct Run<'a> {
    archive: &'a Archive,
    info: &'a LoadInfo,
    coders: Coders,
    stored: StoredLoad,
    done: Compacted,
}

impl Run<'_> {
    fn all(&mut self, outcome: &mut Recoded) -> Result<(), ArchiveError> {
        let (mut batch, mut waiting) = (Batch::default(), 0);
        let count = u32::try_from(self.info.starts.len()).unwrap_or(u32::MAX);
        for number in self.done.blocks..count {
            outcome.blocks += 1;
            self.done.blocks = number + 1;
            if let Some(row) = self.smaller(number)? {
                outcome.replaced += 1;
                waiting += row.len();
                batch.put(Family::Blocks, keys::block(self.stored.row.id, number), row);
            }
            // The others are compared with what lies in the store: block 0 goes there first.
            if number == 0 || number + 1 == count || waiting >= self.archive.sizes.spill_bytes {
                self.commit(std::mem::take(&mut batch))?;
                waiting = 0;
            }
        }
        outcome.after = self.stored.row.stored_bytes;
        Ok(())
    }

    /// The new row of a block if it is smaller than the one it has, and gives the same bytes.
    fn smaller(&mut self, number: u32) -> Result<Option<Vec<u8>>, ArchiveError> {
        let load = self.stored.row.id;
        let old = self.archive.block_content(load, number)?;
        let first = || Ok(self.coders.first.clone());
        let raw = self.archive.unpack_block(load, &self.info.definition, number, first)?;
        let content = self.coders.pack(number, &raw)?;
        if content.len() >= old.len() {
            return Ok(None);
        }
        if !self.gives_back(&content, &raw)? {
            tracing::error!(%load, number, "a block encoded anew does not give it back; the old one stays");
            return Ok(None);
        }
        let saved = (old.len() - content.len()) as u64;
        self.stored.block_bytes = self.stored.block_bytes.saturating_sub(saved);
        self.stored.row.stored_bytes = self.stored.row.stored_bytes.saturating_sub(saved);
        Ok(Some(rows::seal(&keys::block(load, number), &content)))
    }

    /// Whether a reader of the new content gets the same bytes.
    fn gives_back(&self, content: &[u8], raw: &[u8]) -> Result<bool, ArchiveError> {
        let what = "a block encoded anew";
        let packed = Packed::parse(what, content)?;
        let bytes = match packed.needs() {
            Needs::Nothing => packed.unpack(what, &[])?,
            Needs::Dictionary(version) => {
                packed.unpack(what, &self.archive.dictionary(&self.info.definition, version)?)?
            }
            Needs::First => packed.unpack(what, &self.coders.first)?,
            Needs::FirstForm => packed.unpack(what, &self.archive.first_form(self.stored.row.id)?)?,
        };
        Ok(bytes == raw)
    }

    fn commit(&mut self, mut batch: Batch) -> Result<(), ArchiveError> {
        let load = self.stored.row.id;
        self.stored.compacted = Some(self.done);
        rows::put(&mut batch, Family::Loads, keys::load(load), &self.stored)?;
        fault::step("compact-before-commit");
        fault::disk_full()?;
        self.archive.engine.commit(batch)?;
        fault::step("compact-after-commit");
        self.archive.infos.forget(|id| *id == load);
        Ok(())
    }
}
