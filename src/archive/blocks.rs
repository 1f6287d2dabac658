//! Cuts a stream into blocks while it is decoded, and compresses and hashes them beside the decoding.
//!
//! A small stream is held whole until its end and compressed then, with the definition's dictionary if that pays.
//! A stream that grows beyond [`super::Sizes::context_bytes`] gets a big first block; from then on blocks go through
//! bounded queues to a hashing thread and to compressing threads, and come back as rows.
//!
//! Resources are taken out ([`Blocks::take_out`]): the blocks hold the stream without them, and count its bytes so.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

use sha2::{Digest, Sha256};

use super::block::{BLOCK_BYTES, CONTEXT_BLOCK_BYTES, Context, Packer};
use super::columns::Encoder;
use super::cut::Spill;
use super::error::{ArchiveError, LoadError};
use super::fault;
use super::kv::Family;
use super::{Archive, LoadId, Sizes, keys, rows};
use crate::index::definition::Compression;
use crate::note::At;

/// Most bytes that one read of the decoder gets: what is read ahead has to be copied from block to block.
const READ_BYTES: usize = 64 << 10;
/// Blocks that wait for each queue.
const QUEUE: usize = 4;
/// Samples for a dictionary are pieces of this length.
const SAMPLE_BYTES: usize = 4 << 10;
/// Longest dictionary; 112 KB is what zstd recommends.
const DICTIONARY_BYTES: usize = 112 << 10;
/// A dictionary is kept when it makes the blocks it was trained from this much smaller (in hundredths).
const DICTIONARY_GAIN: usize = 5;

type Pending = Arc<Mutex<Vec<u8>>>;

/// Passes a stream on and keeps what passed.
pub(super) struct Tee<R> {
    inner: R,
    pending: Pending,
}

impl<R: Read> Tee<R> {
    /// The tee, and what passed and was not taken yet.
    pub fn new(inner: R) -> (Tee<R>, Pending) {
        let pending = Pending::default();
        (Tee { inner, pending: pending.clone() }, pending)
    }
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(READ_BYTES);
        let read = self.inner.read(&mut out[..most])?;
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&out[..read]);
        Ok(read)
    }
}

/// What is known of a stream's blocks at its end.
pub(super) struct Finished {
    /// Bytes of the stream.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// Where each block starts.
    pub starts: Vec<u64>,
    /// Bytes of the block rows.
    pub stored: u64,
}

type Row = (u32, Result<Vec<u8>, ArchiveError>);

/// The threads of a big load.
struct Crew {
    jobs: SyncSender<(u32, Arc<Vec<u8>>)>,
    rows: Receiver<Row>,
    under_way: usize,
}

/// The stream's hash: made here until there is a thread for it.
enum Hash<'scope> {
    Here(Sha256),
    Beside { queue: SyncSender<(Arc<Vec<u8>>, usize)>, thread: ScopedJoinHandle<'scope, [u8; 32]> },
}

impl<'scope> Hash<'scope> {
    fn new() -> Hash<'scope> {
        Hash::Here(Sha256::new())
    }

    /// The same hash on a thread of its own.
    fn beside<'env>(self, scope: &'scope Scope<'scope, 'env>, pool: Arc<Mutex<Vec<Vec<u8>>>>) -> Hash<'scope> {
        let Hash::Here(mut sha) = self else { return self };
        let (queue, to_hash) = sync_channel::<(Arc<Vec<u8>>, usize)>(QUEUE);
        let thread = scope.spawn(move || {
            for (raw, from) in to_hash {
                sha.update(&raw[from..]);
                recycle(&pool, raw);
            }
            sha.finalize().into()
        });
        Hash::Beside { queue, thread }
    }

    /// The next bytes of the stream: those of `raw` behind `from`.
    fn add(&mut self, raw: &Arc<Vec<u8>>, from: usize) {
        match self {
            Hash::Here(sha) => sha.update(&raw[from..]),
            // A queue is closed only when its thread is gone, and then its end says why.
            Hash::Beside { queue, .. } => drop(queue.send((raw.clone(), from))),
        }
    }

    fn finish(self) -> Result<[u8; 32], ArchiveError> {
        match self {
            Hash::Here(sha) => Ok(sha.finalize().into()),
            Hash::Beside { queue, thread } => {
                drop(queue);
                thread.join().map_err(|_| ArchiveError::damaged("a load", "its hash was not finished"))
            }
        }
    }
}

/// The blocks of one load.
pub(super) struct Blocks<'scope, 'env: 'scope> {
    scope: &'scope Scope<'scope, 'env>,
    load: LoadId,
    sizes: Sizes,
    compression: Compression,
    pending: Pending,
    /// Buffers to use again.
    pool: Arc<Mutex<Vec<Vec<u8>>>>,
    /// Offset of the first pending byte, resources not counted.
    start: u64,
    /// What was taken out, in the stream, with the bytes taken out before it.
    taken: Vec<(Range<u64>, u64)>,
    hash: Hash<'scope>,
    /// Pending bytes that were hashed already.
    hashed: usize,
    starts: Vec<u64>,
    /// Where the last numbered block ends.
    end_of_starts: u64,
    stored: u64,
    held: Vec<Arc<Vec<u8>>>,
    held_bytes: usize,
    crew: Option<Crew>,
}

impl<'scope, 'env> Blocks<'scope, 'env> {
    pub fn new(
        scope: &'scope Scope<'scope, 'env>,
        load: LoadId,
        sizes: Sizes,
        pending: Pending,
        compression: Compression,
    ) -> Self {
        Blocks {
            scope,
            load,
            sizes,
            compression,
            pending,
            pool: Arc::default(),
            start: 0,
            taken: Vec::new(),
            hash: Hash::new(),
            hashed: 0,
            starts: Vec::new(),
            end_of_starts: 0,
            stored: 0,
            held: Vec::new(),
            held_bytes: 0,
            crew: None,
        }
    }

    /// Cuts a block if enough bytes are there: at the end of the last document, or of the last unit when the
    /// document is long.
    pub fn advance(&mut self, cut_end: u64, unit_end: u64, spill: &mut Spill<'_>) -> Result<(), LoadError> {
        let (cut_end, unit_end) = (self.in_blocks(cut_end), self.in_blocks(unit_end));
        let size = self.block_bytes();
        let long = |end: u64, blocks: u64| end.saturating_sub(self.start) >= blocks * size as u64;
        let end = match (long(cut_end, 1), long(unit_end, 2)) {
            (true, _) => cut_end,
            (false, true) => unit_end,
            _ => return Ok(()),
        };
        let mut left = usize::try_from(end - self.start).unwrap_or(usize::MAX);
        while left > 0 {
            let length = if left > 4 * size { size } else { left };
            let raw = self.take(length)?;
            self.add(raw, spill)?;
            left -= length;
        }
        Ok(())
    }

    /// Bytes of the next block, as near as boundaries allow.
    fn block_bytes(&self) -> usize {
        if self.crew.is_some() { CONTEXT_BLOCK_BYTES } else { BLOCK_BYTES }
    }

    /// Where a byte of the stream lies in the blocks; one of a resource lies where the resource was taken out.
    fn in_blocks(&self, byte: u64) -> u64 {
        let after = self.taken.partition_point(|(span, _)| span.start < byte);
        let Some((span, before)) = after.checked_sub(1).and_then(|last| self.taken.get(last)) else { return byte };
        byte.max(span.end) - before - (span.end - span.start)
    }

    /// Takes the bytes of a unit that was just decoded out of what goes into blocks.
    pub fn take_out(&mut self, span: &Range<u64>) -> Result<Vec<u8>, LoadError> {
        let from = usize::try_from(self.in_blocks(span.start).saturating_sub(self.start)).unwrap_or(usize::MAX);
        let to = from.saturating_add(usize::try_from(span.end - span.start).unwrap_or(usize::MAX));
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if from < self.hashed || to > pending.len() {
            let detail = format!("bytes {span:?} were decoded, they are not those that were read");
            return Err(LoadError::Unbalanced { detail, at: At { byte: span.start, record: 0, page: 0 } });
        }
        // The hash is over the stream, in its order.
        let before = Arc::new(pending[self.hashed..from].to_vec());
        let unit = Arc::new(pending.drain(from..to).collect::<Vec<u8>>());
        drop(pending);
        self.hash.add(&before, 0);
        self.hash.add(&unit, 0);
        self.hashed = from;
        let before = self.taken.last().map_or(0, |(last, before)| before + (last.end - last.start));
        self.taken.push((span.clone(), before));
        Ok(Arc::unwrap_or_clone(unit))
    }

    /// The next pending bytes.
    fn take(&mut self, length: usize) -> Result<Vec<u8>, LoadError> {
        let mut next = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        next.clear();
        next.reserve(2 * self.block_bytes());
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, tail)) = pending.split_at_checked(length) else {
            let detail = format!("{} bytes were decoded, more than were read", self.start + length as u64);
            return Err(LoadError::Unbalanced { detail, at: At { byte: self.start, record: 0, page: 0 } });
        };
        next.extend_from_slice(tail);
        pending.truncate(length);
        self.start += length as u64;
        Ok(std::mem::replace(&mut *pending, next))
    }

    fn add(&mut self, raw: Vec<u8>, spill: &mut Spill<'_>) -> Result<(), LoadError> {
        let raw = Arc::new(raw);
        let hashed = self.hashed.min(raw.len());
        self.hashed -= hashed;
        self.hash.add(&raw, hashed);
        if self.crew.is_some() {
            return self.send(raw, spill);
        }
        self.held_bytes += raw.len();
        self.held.push(raw);
        if self.held_bytes < self.sizes.context_bytes {
            return Ok(());
        }
        let first = Arc::new(joined(&std::mem::take(&mut self.held)));
        self.hash = std::mem::replace(&mut self.hash, Hash::new()).beside(self.scope, self.pool.clone());
        let (context, content) = Context::open(&first, self.compression)?;
        self.crew = Some(self.hire(context));
        let number = self.next_number(first.len())?;
        let row = rows::seal(&keys::block(self.load, number), &content);
        self.stored += put(self.load, number, row, spill)?;
        Ok(())
    }

    fn hire(&self, context: Context) -> Crew {
        let (jobs, work) = sync_channel::<(u32, Arc<Vec<u8>>)>(QUEUE);
        let (done, rows) = channel();
        let work = Arc::new(Mutex::new(work));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores.saturating_sub(1).clamp(1, 4) {
            let (work, done, context, pool, load) =
                (work.clone(), done.clone(), context.clone(), self.pool.clone(), self.load);
            self.scope.spawn(move || compress(load, &context, &work, &done, &pool));
        }
        Crew { jobs, rows, under_way: 0 }
    }

    fn send(&mut self, raw: Arc<Vec<u8>>, spill: &mut Spill<'_>) -> Result<(), LoadError> {
        let number = self.next_number(raw.len())?;
        let Some(crew) = &mut self.crew else { return Ok(()) };
        // A queue is closed only when its threads are gone, and then the count of rows says so.
        let _ = crew.jobs.send((number, raw));
        crew.under_way += 1;
        self.store_ready(spill)
    }

    /// Numbers the next block; its bytes follow those of the block before.
    fn next_number(&mut self, length: usize) -> Result<u32, LoadError> {
        let too_many = LoadError::TooMany { what: "blocks" };
        let number = u32::try_from(self.starts.len()).map_err(|_| too_many)?;
        self.starts.push(self.end_of_starts);
        self.end_of_starts += length as u64;
        Ok(number)
    }

    fn store_ready(&mut self, spill: &mut Spill<'_>) -> Result<(), LoadError> {
        let Some(crew) = &mut self.crew else { return Ok(()) };
        while let Ok((number, row)) = crew.rows.try_recv() {
            crew.under_way -= 1;
            self.stored += put(self.load, number, row?, spill)?;
        }
        Ok(())
    }

    /// Takes what is left of the stream and waits until all blocks are rows.
    pub fn finish(mut self, archive: &Archive, definition: &str, spill: &mut Spill<'_>) -> Result<Finished, LoadError> {
        let mut left = self.pending.lock().unwrap_or_else(PoisonError::into_inner).len();
        while left > 0 {
            let size = self.block_bytes();
            let length = if left > 2 * size { size } else { left };
            let raw = self.take(length)?;
            self.add(raw, spill)?;
            left -= length;
        }
        match self.crew.take() {
            Some(crew) => self.dismiss(crew, spill)?,
            None => self.finish_small(archive, definition, spill)?,
        }
        let sha256 = self.hash.finish()?;
        fault::step("dictionary-written");
        let taken = self.taken.last().map_or(0, |(last, before)| before + (last.end - last.start));
        Ok(Finished { bytes: self.end_of_starts + taken, sha256, starts: self.starts, stored: self.stored })
    }

    fn dismiss(&mut self, crew: Crew, spill: &mut Spill<'_>) -> Result<(), LoadError> {
        let Crew { jobs, rows, mut under_way } = crew;
        drop(jobs);
        for (number, row) in rows {
            under_way -= 1;
            self.stored += put(self.load, number, row?, spill)?;
        }
        if under_way != 0 {
            return Err(ArchiveError::damaged("a load", format!("{under_way} blocks were not compressed")).into());
        }
        Ok(())
    }

    fn finish_small(&mut self, archive: &Archive, definition: &str, spill: &mut Spill<'_>) -> Result<(), LoadError> {
        let held = std::mem::take(&mut self.held);
        for raw in &held {
            self.next_number(raw.len())?;
        }
        let rows = match archive.newest_dictionary(definition)? {
            Some((version, bytes)) => pack_all(&Context::Dictionary(version, bytes), &held)?,
            None => self.pack_and_train(archive, definition, &held)?,
        };
        let columns = if self.compression == Compression::Small { pack_columns(&held)? } else { None };
        let columns = columns.filter(|columns| total(columns) < total(&rows));
        let contents = columns.unwrap_or(rows);
        for (number, content) in (0..).zip(contents) {
            let row = rows::seal(&keys::block(self.load, number), &content);
            self.stored += put(self.load, number, row, spill)?;
        }
        Ok(())
    }

    /// Compresses without a dictionary, or with one trained now when there is enough to train it from and it pays.
    fn pack_and_train(
        &self,
        archive: &Archive,
        definition: &str,
        held: &[Arc<Vec<u8>>],
    ) -> Result<Vec<Vec<u8>>, ArchiveError> {
        let plain = pack_all(&Context::Plain, held)?;
        if self.held_bytes < self.sizes.training_bytes {
            return Ok(plain);
        }
        let Some(bytes) = train(held) else { return Ok(plain) };
        // The version is not known before it is kept; it does not change the size by more than a few bytes.
        let trial = pack_all(&Context::Dictionary(1, Arc::new(bytes.clone())), held)?;
        if total(&trial) * 100 > total(&plain) * (100 - DICTIONARY_GAIN) {
            return Ok(plain);
        }
        match archive.add_dictionary(definition, &bytes)? {
            1 => Ok(trial),
            version => pack_all(&Context::Dictionary(version, Arc::new(bytes)), held),
        }
    }
}

fn put(load: LoadId, number: u32, row: Vec<u8>, spill: &mut Spill<'_>) -> Result<u64, ArchiveError> {
    let bytes = row.len() as u64;
    spill.put(Family::Blocks, keys::block(load, number), row)?;
    Ok(bytes)
}

fn joined(parts: &[Arc<Vec<u8>>]) -> Vec<u8> {
    let mut all = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| all.extend_from_slice(part));
    all
}

fn pack_all(context: &Context, raw: &[Arc<Vec<u8>>]) -> Result<Vec<Vec<u8>>, ArchiveError> {
    let mut packer = Packer::new(context)?;
    raw.iter().map(|raw| packer.pack(raw)).collect()
}

/// The blocks as columns, learned from the first of them; nothing when that has none.
fn pack_columns(raw: &[Arc<Vec<u8>>]) -> Result<Option<Vec<Vec<u8>>>, ArchiveError> {
    let Some((encoder, _)) = raw.first().and_then(|first| Encoder::learn(first)) else { return Ok(None) };
    pack_all(&Context::Columns(Arc::new(encoder)), raw).map(Some)
}

fn total(contents: &[Vec<u8>]) -> usize {
    contents.iter().map(Vec::len).sum()
}

/// A dictionary for streams like this one; nothing when zstd finds too little to say.
fn train(held: &[Arc<Vec<u8>>]) -> Option<Vec<u8>> {
    let samples: Vec<&[u8]> = held.iter().flat_map(|raw| raw.chunks(SAMPLE_BYTES)).collect();
    let total: usize = held.iter().map(|raw| raw.len()).sum();
    zstd::dict::from_samples(&samples, DICTIONARY_BYTES.min(total / 16)).ok()
}

fn recycle(pool: &Mutex<Vec<Vec<u8>>>, raw: Arc<Vec<u8>>) {
    if let Some(buffer) = Arc::into_inner(raw).filter(|buffer| buffer.capacity() <= 8 * BLOCK_BYTES) {
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < 2 * QUEUE {
            pool.push(buffer);
        }
    }
}

/// Compresses jobs until there are no more.
fn compress(
    load: LoadId,
    context: &Context,
    work: &Mutex<Receiver<(u32, Arc<Vec<u8>>)>>,
    done: &Sender<Row>,
    pool: &Mutex<Vec<Vec<u8>>>,
) {
    let mut packer: Option<Packer> = None;
    loop {
        let job = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, raw)) = job else { return };
        let content = match &mut packer {
            Some(packer) => packer.pack(&raw),
            None => Packer::new(context).and_then(|new| packer.insert(new).pack(&raw)),
        };
        recycle(pool, raw);
        let row = content.map(|content| rows::seal(&keys::block(load, number), &content));
        if done.send((number, row)).is_err() {
            return;
        }
    }
}
