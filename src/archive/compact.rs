//! Stores the blocks of old loads anew, smaller: sorted into columns, or with the newest dictionary of their definition.
//!
//! In: a load that nobody holds. Out: the same load, whose blocks hold the same bytes in another codec.
//!
//! Promises: a row is replaced only by a shorter one that was unpacked again and compared byte for byte; the rows of a step
//! and the load's figures change together, and any mix of old and new rows is a sound load (`docs/formats/block.md`), so
//! that an end at any moment loses nothing and the next run goes on. Numbers and places of blocks, documents, digests
//! and resources stay as they are. Memory holds the first block with its columns and the rows of one step; of a load
//! without a big first block, all of it.

use std::sync::Arc;

use super::block::{Context, Needs, Packed, Packer};
use super::blocks::{pack_all, pack_columns, total};
use super::catalogue::LoadInfo;
use super::columns::Encoder;
use super::error::ArchiveError;
use super::kv::{Batch, Family};
use super::{Archive, LoadId, keys, rows};
use crate::index::definition::Compression;

/// A small load is stored anew when that makes its blocks this much smaller (in hundredths).
const GAIN: usize = 2;

/// What became of a load's blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Its blocks.
    pub blocks: u64,
    /// Those that were stored anew.
    pub stored_anew: u64,
    /// Bytes of all their rows before.
    pub before: u64,
    /// Bytes of all their rows now.
    pub after: u64,
}

impl Compacted {
    /// Both together.
    pub fn plus(self, other: Compacted) -> Compacted {
        Compacted {
            blocks: self.blocks + other.blocks,
            stored_anew: self.stored_anew + other.stored_anew,
            before: self.before + other.before,
            after: self.after + other.after,
        }
    }
}

/// The rows of one load on their way.
struct Step<'a> {
    archive: &'a Archive,
    info: &'a LoadInfo,
    first: Arc<Vec<u8>>,
    batch: Batch,
    /// Bytes of the rows in the batch.
    waiting: usize,
    /// Bytes that the rows in the batch save.
    saved: u64,
    done: Compacted,
}

impl Archive {
    /// Stores a load's blocks anew where that makes them smaller. `progress` hears of the bytes of the stream that were
    /// looked at. Whether a hold covers the load is for the caller to ask.
    pub fn compact_load(
        &self,
        load: LoadId,
        compression: Compression,
        progress: &dyn Fn(u64),
    ) -> Result<Compacted, ArchiveError> {
        let reserved = self.reserve(load)?;
        let info = self.info(load)?;
        if info.starts.is_empty() {
            return Ok(Compacted::default());
        }
        // What is in memory may be older than what is stored.
        self.forms.forget(|id| *id == load);
        let first = Arc::new(self.unpack_block(load, &info.definition, 0, || Err(needs_itself(load)))?);
        let big = info.starts.len() > 1 && first.len() >= self.sizes.context_bytes;
        let (batch, waiting, saved) = (Batch::default(), 0, 0);
        let mut step = Step { archive: self, info: &info, first, batch, waiting, saved, done: Compacted::default() };
        if big {
            step.big(compression, progress)?
        } else {
            step.small(compression, progress)?
        }
        step.write()?;
        let done = step.done;
        drop(reserved);
        self.forget(load);
        self.recount(load)?;
        Ok(done)
    }

    /// Gives the space of replaced rows back.
    pub fn reclaim(&self) -> Result<(), ArchiveError> {
        Ok(self.engine.compact()?)
    }
}

fn needs_itself(load: LoadId) -> ArchiveError {
    ArchiveError::damaged(format!("block 0 of load {load}"), "it needs itself")
}

impl Step<'_> {
    /// A load whose first block is the context of the others.
    fn big(&mut self, compression: Compression, progress: &dyn Fn(u64)) -> Result<(), ArchiveError> {
        let old = self.row(0)?;
        let Some((context, content)) = self.context(&old, compression)? else {
            return self.pass_over(progress);
        };
        let form = match &context {
            Context::ColumnsWithFirst { form, .. } => form.clone(),
            _ => return self.pass_over(progress),
        };
        if content.as_ref().is_some_and(|content| content.len() >= old.len()) {
            return self.pass_over(progress);
        }
        let first = self.first.clone();
        self.take((0, &old), content, &first, &form)?;
        let mut packer = Packer::new(&context)?;
        for number in 1..self.count() {
            progress(self.info.starts[number as usize]);
            let old = self.row(number)?;
            let packed = self.parse(number, &old)?;
            if packed.needs() == Needs::FirstForm {
                self.offer((number, &old), None, &[], &form)?;
                continue;
            }
            let raw = self.unpack(number, &first)?;
            let content = packer.pack(&raw)?;
            self.offer((number, &old), Some(content), &raw, &form)?;
        }
        Ok(())
    }

    /// The context of the blocks behind the first one, and a new row for that one, if there is a better one than rows.
    fn context(
        &self,
        old: &[u8],
        compression: Compression,
    ) -> Result<Option<(Context, Option<Vec<u8>>)>, ArchiveError> {
        if compression != Compression::Small {
            return Ok(None);
        }
        let packed = self.parse(0, old)?;
        if !packed.is_columns() {
            let (context, content) = Context::open(&self.first, compression)?;
            return Ok(Some((context, Some(content))));
        }
        // Blocks that were sorted before need the form of the first one as it is.
        let Some((encoder, _)) = Encoder::learn(&self.first) else { return Ok(None) };
        let (encoder, form) = (Arc::new(encoder), Arc::new(packed.form(&self.name(0), &[])?));
        Ok(Some((Context::ColumnsWithFirst { encoder, form, first: self.first.clone() }, None)))
    }

    /// A load whose blocks stand alone: all of them are stored in the way that makes them smallest together.
    fn small(&mut self, compression: Compression, progress: &dyn Fn(u64)) -> Result<(), ArchiveError> {
        let first = self.first.clone();
        let old = (0..self.count()).map(|number| self.row(number)).collect::<Result<Vec<_>, _>>()?;
        let raw = (0..self.count()).map(|number| Ok(Arc::new(self.unpack(number, &first)?)));
        let raw = raw.collect::<Result<Vec<_>, ArchiveError>>()?;
        let mut best = (total(&old), None);
        let mut consider = |contents: Option<Vec<Vec<u8>>>| {
            if let Some(contents) = contents.filter(|contents| total(contents) < best.0) {
                best = (total(&contents), Some(contents));
            }
        };
        if let Some((version, bytes)) = self.archive.newest_dictionary(&self.info.definition)? {
            consider(Some(pack_all(&Context::Dictionary(version, bytes), &raw)?));
        }
        if compression == Compression::Small {
            consider(pack_columns(&raw)?);
        }
        let pays = best.0 * 100 <= total(&old) * (100 - GAIN);
        let contents =
            best.1.filter(|_| pays).map_or_else(|| vec![None; old.len()], |all| all.into_iter().map(Some).collect());
        for (number, ((old, raw), content)) in (0..).zip(old.iter().zip(&raw).zip(contents)) {
            progress(self.info.starts[number as usize]);
            self.take((number, old), content, raw, &[])?;
        }
        Ok(())
    }

    /// Counts blocks that stay as they are.
    fn pass_over(&mut self, progress: &dyn Fn(u64)) -> Result<(), ArchiveError> {
        for number in 0..self.count() {
            progress(self.info.starts[number as usize]);
            let old = self.row(number)?;
            self.take((number, &old), None, &[], &[])?;
        }
        Ok(())
    }

    /// Takes a new row when it is shorter than the old one.
    fn offer(&mut self, old: (u32, &[u8]), new: Option<Vec<u8>>, raw: &[u8], form: &[u8]) -> Result<(), ArchiveError> {
        let shorter = new.filter(|new| new.len() < old.1.len());
        self.take(old, shorter, raw, form)
    }

    /// Puts a proven row in the place of the old one, or counts the old one.
    fn take(
        &mut self,
        (number, old): (u32, &[u8]),
        new: Option<Vec<u8>>,
        raw: &[u8],
        form: &[u8],
    ) -> Result<(), ArchiveError> {
        self.done.blocks += 1;
        self.done.before += old.len() as u64;
        let Some(content) = new else {
            self.done.after += old.len() as u64;
            return Ok(());
        };
        self.prove(number, &content, raw, form)?;
        self.done.stored_anew += 1;
        self.done.after += content.len() as u64;
        // One block of a small load may grow where all of them shrink.
        self.saved = self.saved.wrapping_add((old.len() as u64).wrapping_sub(content.len() as u64));
        self.waiting += content.len();
        let key = keys::block(self.info.stored.row.id, number);
        let row = rows::seal(&key, &content);
        self.batch.put(Family::Blocks, key, row);
        // The blocks of a small load change together: a dictionary or columns were chosen for all of them.
        if self.waiting >= self.archive.sizes.spill_bytes { self.write() } else { Ok(()) }
    }

    /// Unpacks a new row and compares it with what it stands for.
    fn prove(&self, number: u32, content: &[u8], raw: &[u8], form: &[u8]) -> Result<(), ArchiveError> {
        let what = self.name(number);
        let packed = Packed::parse(&what, content)?;
        let dictionary;
        let context: &[u8] = match packed.needs() {
            Needs::Nothing => &[],
            Needs::Dictionary(version) => {
                dictionary = self.archive.dictionary(&self.info.definition, version)?;
                &dictionary
            }
            Needs::First => &self.first,
            Needs::FirstForm => form,
        };
        if packed.unpack(&what, context)? == raw {
            Ok(())
        } else {
            Err(ArchiveError::damaged(what, "stored anew it would hold other bytes; nothing was replaced"))
        }
    }

    /// Commits the rows that wait together with what the load's row says of their bytes.
    fn write(&mut self) -> Result<(), ArchiveError> {
        if self.waiting == 0 {
            return Ok(());
        }
        let load = self.info.stored.row.id;
        let mut batch = std::mem::take(&mut self.batch);
        // Nobody else writes the row of a load that is reserved.
        let mut stored = self.archive.stored_load(load)?;
        stored.block_bytes = stored.block_bytes.wrapping_sub(self.saved);
        stored.row.stored_bytes = stored.row.stored_bytes.wrapping_sub(self.saved);
        rows::put(&mut batch, Family::Loads, keys::load(load), &stored)?;
        super::fault::step("blocks-replaced");
        self.archive.engine.commit(batch)?;
        super::fault::step("blocks-replaced-once");
        (self.waiting, self.saved) = (0, 0);
        Ok(())
    }

    fn count(&self) -> u32 {
        u32::try_from(self.info.starts.len()).unwrap_or(u32::MAX)
    }

    fn name(&self, number: u32) -> String {
        format!("block {number} of load {}", self.info.stored.row.id)
    }

    /// The content of a block's row, proved by its check.
    fn row(&self, number: u32) -> Result<Vec<u8>, ArchiveError> {
        let (what, key) = (self.name(number), keys::block(self.info.stored.row.id, number));
        let value = self.archive.engine.get_once(Family::Blocks, &key)?;
        let value = value.ok_or_else(|| ArchiveError::damaged(&what, "it is missing"))?;
        Ok(rows::unseal(&what, &key, &value)?.to_vec())
    }

    fn parse<'v>(&self, number: u32, content: &'v [u8]) -> Result<Packed<'v>, ArchiveError> {
        Packed::parse(&self.name(number), content)
    }

    fn unpack(&self, number: u32, first: &Arc<Vec<u8>>) -> Result<Vec<u8>, ArchiveError> {
        if number == 0 {
            return Ok(first.as_ref().clone());
        }
        let load = self.info.stored.row.id;
        self.archive.unpack_block(load, &self.info.definition, number, || Ok(first.clone()))
    }
}
