//! The chain of records, with group commit.
//!
//! Layout in [`Family::Audit`]: `r` + number (8 bytes, big-endian) holds a version byte, the record's hash (32 bytes)
//! and the record as JSON; `c` + number holds a checkpoint. A record's hash is SHA-256 over the hash before it, its
//! number and its JSON; the first one follows 32 zero bytes. `v`, `i`, `x` and `n` rows
//! are derived: see [`super::views`], [`super::index`] and [`super::daily`].

use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use sha2::{Digest, Sha256};

use crate::archive::kv::{Batch, Engine, Family};
use crate::auth::clock::{Clock, iso};

use super::checkpoint::{Checkpoint, Signer};
use super::daily::{self, Counts};
use super::views::{self, View};
use super::{AuditError, Entry, Filter, Found, Record, index};

const VERSION: u8 = 1;
const RECORD: u8 = b'r';
const CHECKPOINT: u8 = b'c';
/// A checkpoint at least every so many records.
const CHECKPOINT_EVERY: u64 = 1024;
/// Records read at a time when listing backwards.
const LIST_STEP: u64 = 512;

type Hash = [u8; 32];

/// What an appended record has survived when [`Chain::append`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The end of the process: the record is with the operating system. The next [`Wait::Disk`] record or
    /// [`Chain::seal`] (the server does one at least every second) makes it survive a power cut.
    Process,
    /// A power cut.
    Disk,
}

/// The audit chain of a store. One for each store in a process: see [`Chain::of`].
pub struct Chain {
    engine: Arc<dyn Engine>,
    clock: Clock,
    head: Mutex<Option<Head>>,
    moved: Condvar,
}

/// Where the chain stands. Records enter `pending` in order; whoever finds nobody writing writes all of them.
struct Head {
    signer: Signer,
    /// The first record that has index rows.
    indexed: Option<u64>,
    /// A day and what was done on it; nothing when that must be read from the store.
    today: Option<(i32, Counts)>,
    /// Number and hash of the last record, written or pending.
    seq: u64,
    hash: Hash,
    pending: Batch,
    /// A record in `pending` waits for the disk.
    pending_disk: bool,
    writing: bool,
    /// Last record with the store, and its hash.
    written: (u64, Hash),
    /// Last record on disk.
    on_disk: u64,
    sealed: u64,
    /// Counts failed writes: everything pending then is lost and its writers are told.
    failures: u64,
    failure: String,
}

impl Chain {
    /// The chain of this store. Two chains on one store would overwrite each other's records, so a process has one.
    pub fn of(engine: &Arc<dyn Engine>) -> Arc<Chain> {
        static CHAINS: Mutex<Vec<Weak<Chain>>> = Mutex::new(Vec::new());
        let mut chains = CHAINS.lock().unwrap_or_else(PoisonError::into_inner);
        chains.retain(|chain| chain.strong_count() > 0);
        let known = chains.iter().filter_map(Weak::upgrade).find(|chain| Arc::ptr_eq(&chain.engine, engine));
        known.unwrap_or_else(|| {
            let chain = Arc::new(Chain::new(engine.clone(), Clock::default()));
            chains.push(Arc::downgrade(&chain));
            chain
        })
    }

    fn new(engine: Arc<dyn Engine>, clock: Clock) -> Chain {
        Chain { engine, clock, head: Mutex::new(None), moved: Condvar::new() }
    }

    /// Appends a record and returns its number once it has survived what `wait` says.
    pub fn append(&self, entry: Entry<'_>, wait: Wait) -> Result<u64, AuditError> {
        let now = self.clock.now();
        let mut guard = self.lock()?;
        let Some(head) = guard.as_mut() else { return Err(not_written("the chain was not read")) };
        let day = i32::try_from(now.div_euclid(86_400)).unwrap_or_default();
        if head.today.as_ref().is_none_or(|(known, _)| *known != day) {
            head.today = Some((day, daily::get(&*self.engine, day)?));
        }
        let seq = head.enter(&entry, now)?;
        head.pending_disk |= wait == Wait::Disk;
        let failures = head.failures;
        self.write_until(guard, seq, wait, failures)?;
        Ok(seq)
    }

    /// Brings all records to the disk and signs a checkpoint when there are new ones.
    pub fn seal(&self) -> Result<(), AuditError> {
        let mut guard = self.lock()?;
        let Some(head) = guard.as_mut() else { return Ok(()) };
        if head.seq == head.on_disk && head.seq == head.sealed {
            return Ok(());
        }
        head.checkpoint();
        head.pending_disk = true;
        let (seq, failures) = (head.seq, head.failures);
        // A checkpoint is not a record, so "written" cannot tell that it is: write at least once.
        head.on_disk = head.on_disk.min(seq.saturating_sub(1));
        self.write_until(guard, seq, Wait::Disk, failures)
    }

    fn write_until<'c>(
        &'c self,
        mut guard: MutexGuard<'c, Option<Head>>,
        seq: u64,
        wait: Wait,
        failures: u64,
    ) -> Result<(), AuditError> {
        loop {
            let Some(head) = guard.as_mut() else { return Err(not_written("the chain was not read")) };
            let reached = if wait == Wait::Disk { head.on_disk } else { head.written.0 };
            if head.failures != failures {
                return Err(not_written(&head.failure));
            }
            if reached >= seq {
                return Ok(());
            }
            if head.writing {
                guard = self.moved.wait(guard).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            head.writing = true;
            let batch = std::mem::take(&mut head.pending);
            let disk = std::mem::take(&mut head.pending_disk) || wait == Wait::Disk;
            let upto = (head.seq, head.hash);
            drop(guard);
            let outcome = if disk { self.engine.commit(batch) } else { self.engine.commit_logged(batch) };
            guard = self.head.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(head) = guard.as_mut() {
                head.wrote(outcome.map_err(|error| error.to_string()), upto, disk);
            }
            self.moved.notify_all();
        }
    }

    /// Walks the whole chain; returns the number of records.
    pub fn verify(&self) -> Result<u64, AuditError> {
        let signer = Signer::of(&*self.engine)?;
        let mut checkpoints = self.checkpoints(&signer)?.into_iter().peekable();
        let (mut seq, mut hash) = (0_u64, Hash::default());
        let mut broken = None;
        self.engine.scan(Family::Audit, &[RECORD]..&[RECORD + 1], &mut |key, value| {
            let at = seq + 1;
            match check(key, value, at, &hash) {
                Ok(next) => (seq, hash) = (at, next),
                Err(why) => broken = Some((at, why)),
            }
            while let Some(checkpoint) = checkpoints.next_if(|checkpoint| checkpoint.seq <= seq) {
                if checkpoint.seq == seq && checkpoint.hash != hash {
                    broken = broken.or(Some((at, "it differs from its signed checkpoint")));
                }
            }
            if broken.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if let Some((at, why)) = broken {
            return Err(AuditError::Broken { at, why });
        }
        if checkpoints.next().is_some() {
            return Err(AuditError::Broken {
                at: seq + 1,
                why: "a signed checkpoint names later records, which are gone",
            });
        }
        Ok(seq)
    }

    fn checkpoints(&self, signer: &Signer) -> Result<Vec<Checkpoint>, AuditError> {
        let mut found = Vec::new();
        let mut forged = None;
        self.engine.scan(Family::Audit, &[CHECKPOINT]..&[CHECKPOINT + 1], &mut |key, value| {
            let seq = number(key).unwrap_or(0);
            match signer.unseal(seq, value) {
                Some(checkpoint) => found.push(checkpoint),
                None => forged = Some(seq),
            }
            ControlFlow::Continue(())
        })?;
        match forged {
            Some(at) => Err(AuditError::Broken { at, why: "a checkpoint's signature is wrong" }),
            None => Ok(found),
        }
    }

    /// Records, newest first: all that are wanted, however many must be looked at for it. For searches by people and
    /// programs see [`Chain::search`].
    pub fn list(&self, filter: &Filter) -> Result<Vec<Record>, AuditError> {
        let limit = if filter.limit == 0 { usize::MAX } else { filter.limit };
        let (mut records, mut filter) = (Vec::new(), filter.clone());
        loop {
            filter.limit = limit - records.len();
            let found = self.search(&filter)?;
            records.extend(found.records);
            filter.before = found.next;
            if filter.before.is_none() || records.len() >= limit {
                return Ok(records);
            }
        }
    }

    /// Records, newest first: at most as many as the filter allows, and as are found among the
    /// [`index::MOST_LOOKED_AT`] that may be meant.
    pub fn search(&self, filter: &Filter) -> Result<Found, AuditError> {
        let last = self.lock()?.as_ref().map_or(0, |head| head.written.0);
        let end = filter.before.map_or(last + 1, |before| before.clamp(1, last + 1));
        let end = match &filter.until {
            Some(until) => end.min(self.first_at(until, last)?),
            None => end,
        };
        let start = match &filter.since {
            Some(since) => self.first_at(since, last)?,
            None => 1,
        };
        let limit = if filter.limit == 0 { usize::MAX } else { filter.limit };
        let mut search = Search { filter, limit, looked_at: 0, found: Found::default() };
        let indexed = index::first(&*self.engine)?.unwrap_or(u64::MAX);
        let seqs = index::candidates(&*self.engine, filter, start.max(indexed), end)?;
        let by_index = seqs.is_some();
        for seq in seqs.unwrap_or_default() {
            let Some(value) = self.engine.get(Family::Audit, &key(RECORD, seq))? else { continue };
            if search.take(&value, seq)?.is_break() {
                return Ok(search.found);
            }
        }
        // What has index rows was found by them; before it, and where nothing indexed is asked for, the chain is walked.
        let end = if by_index { end.min(indexed) } else { end };
        self.walk(start, end, &mut search)?;
        Ok(search.found)
    }

    /// Looks at the records from `start` on and before `end`, newest first.
    fn walk(&self, start: u64, mut end: u64, search: &mut Search<'_>) -> Result<(), AuditError> {
        while end > start {
            let first = end.saturating_sub(LIST_STEP).max(start);
            let mut step = Vec::new();
            self.engine.scan(Family::Audit, &key(RECORD, first)..&key(RECORD, end), &mut |key, value| {
                step.push((number(key).unwrap_or(first), value.to_vec()));
                ControlFlow::Continue(())
            })?;
            for (seq, value) in step.into_iter().rev() {
                if search.take(&value, seq)?.is_break() {
                    return Ok(());
                }
            }
            end = first;
        }
        Ok(())
    }

    /// Number of the first record at or after a time, by halving: records are in the order of time, as far as the clock
    /// was. One behind the last when there is none.
    fn first_at(&self, time: &str, last: u64) -> Result<u64, AuditError> {
        let (mut low, mut high) = (1, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let value = self.engine.get(Family::Audit, &key(RECORD, middle))?;
            let record = value.as_deref().and_then(parse).map(|(_, _, record)| record);
            let record = record.ok_or(AuditError::Broken { at: middle, why: "a record cannot be read" })?;
            if record.time.as_str() < time { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// How much was done each day from one to another, both included; days without anything are left out.
    pub fn daily(&self, from: i32, to: i32) -> Result<Vec<(i32, Counts)>, AuditError> {
        Ok(daily::read(&*self.engine, from, to)?)
    }

    /// The head, read from the store the first time.
    fn lock(&self) -> Result<MutexGuard<'_, Option<Head>>, AuditError> {
        let mut guard = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.is_none() {
            *guard = Some(self.read_head()?);
        }
        Ok(guard)
    }

    fn read_head(&self) -> Result<Head, AuditError> {
        let last = self.last(RECORD)?;
        let (seq, hash) = match last {
            Some((seq, value)) => {
                let (hash, _, _) = parse(&value).ok_or(AuditError::Broken { at: seq, why: "it cannot be read" })?;
                (seq, hash)
            }
            None => (0, Hash::default()),
        };
        Ok(Head {
            signer: Signer::of(&*self.engine)?,
            indexed: index::first(&*self.engine)?,
            today: None,
            seq,
            hash,
            pending: Batch::default(),
            pending_disk: false,
            writing: false,
            written: (seq, hash),
            on_disk: seq,
            sealed: self.last(CHECKPOINT)?.map_or(0, |(seq, _)| seq),
            failures: 0,
            failure: String::new(),
        })
    }

    /// The last row of a kind, found by halving: the store scans forward only.
    fn last(&self, kind: u8) -> Result<Option<(u64, Vec<u8>)>, AuditError> {
        let first_from = |from: u64| {
            let mut found = None;
            self.engine.scan(Family::Audit, &key(kind, from)..&[kind + 1], &mut |key, value| {
                found = number(key).map(|seq| (seq, value.to_vec()));
                ControlFlow::Break(())
            })?;
            Ok::<_, AuditError>(found)
        };
        let Some(mut last) = first_from(0)? else { return Ok(None) };
        let mut beyond = u64::MAX;
        while beyond - last.0 > 1 {
            let middle = last.0 + (beyond - last.0).div_ceil(2);
            match first_from(middle)? {
                Some(found) => last = found,
                None => beyond = middle,
            }
        }
        Ok(Some(last))
    }
}

/// A search on its way.
struct Search<'f> {
    filter: &'f Filter,
    limit: usize,
    looked_at: usize,
    found: Found,
}

impl Search<'_> {
    /// Looks at a record; breaks, and says where to go on, when there are enough or too many were looked at.
    fn take(&mut self, value: &[u8], seq: u64) -> Result<ControlFlow<()>, AuditError> {
        if self.found.records.len() >= self.limit || self.looked_at >= index::MOST_LOOKED_AT {
            self.found.next = Some(seq + 1);
            return Ok(ControlFlow::Break(()));
        }
        self.looked_at += 1;
        let (_, _, record) = parse(value).ok_or(AuditError::Broken { at: seq, why: "a record cannot be read" })?;
        if self.filter.wants(&record) {
            self.found.records.push(record);
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Head {
    /// Takes a record in as the next of the chain.
    fn enter(&mut self, entry: &Entry<'_>, now: i64) -> Result<u64, AuditError> {
        let seq = self.seq + 1;
        let record = Record {
            seq,
            time: iso(now),
            who: entry.who.into(),
            from: entry.from.into(),
            kind: entry.kind.into(),
            what: entry.what.into(),
            document: entry.document.map(|id| id.to_string()),
            why: entry.why.chars().take(2000).collect(),
            right: entry.right.into(),
            account: entry.account.unwrap_or_default().into(),
            outcome: entry.outcome.into(),
        };
        let json = serde_json::to_vec(&record).map_err(|error| not_written(&error.to_string()))?;
        self.hash = link(&self.hash, seq, &json);
        self.seq = seq;
        let mut value = Vec::with_capacity(33 + json.len());
        value.push(VERSION);
        value.extend_from_slice(&self.hash);
        value.extend_from_slice(&json);
        self.pending.put(Family::Audit, key(RECORD, seq), value);
        if self.indexed.is_none() {
            index::begin(&mut self.pending, seq);
            self.indexed = Some(seq);
        }
        index::put(&mut self.pending, &record);
        if let Some((day, counts)) = &mut self.today
            && counts.count(&record)
        {
            daily::put(&mut self.pending, *day, counts);
        }
        if let (Some(account), Some(document), true) = (entry.account, record.document, entry.view) {
            let view = View { at: now, who: record.who, customer: entry.customer, document, why: record.why };
            if let Some((key, value)) = views::row(account, &view) {
                self.pending.put(Family::Audit, key, value);
            }
        }
        if seq - self.sealed >= CHECKPOINT_EVERY {
            self.checkpoint();
        }
        Ok(seq)
    }

    fn checkpoint(&mut self) {
        let checkpoint = Checkpoint { seq: self.seq, hash: self.hash };
        self.pending.put(Family::Audit, key(CHECKPOINT, self.seq), self.signer.seal(checkpoint));
        self.sealed = self.seq;
    }

    /// A write came back: those it held go on, or everything that is not with the store is forgotten.
    fn wrote(&mut self, outcome: Result<(), String>, upto: (u64, Hash), disk: bool) {
        self.writing = false;
        match outcome {
            Ok(()) => {
                self.written = upto;
                if disk {
                    self.on_disk = upto.0;
                }
            }
            Err(detail) => {
                self.pending = Batch::default();
                self.pending_disk = false;
                (self.seq, self.hash) = self.written;
                self.today = None;
                self.indexed = self.indexed.filter(|first| *first <= self.seq);
                self.sealed = self.sealed.min(self.seq);
                self.failures += 1;
                self.failure = detail;
            }
        }
    }
}

fn not_written(detail: &str) -> AuditError {
    AuditError::NotWritten { detail: detail.to_string() }
}

fn key(kind: u8, seq: u64) -> [u8; 9] {
    let mut key = [kind; 9];
    key[1..].copy_from_slice(&seq.to_be_bytes());
    key
}

fn number(key: &[u8]) -> Option<u64> {
    key.get(1..)?.try_into().ok().map(u64::from_be_bytes)
}

fn link(before: &Hash, seq: u64, json: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(seq.to_be_bytes());
    hasher.update(json);
    hasher.finalize().into()
}

fn parse(value: &[u8]) -> Option<(Hash, &[u8], Record)> {
    let rest = value.strip_prefix(&[VERSION])?;
    let (hash, json) = rest.split_first_chunk::<32>()?;
    Some((*hash, json, serde_json::from_slice(json).ok()?))
}

/// The hash of row `at`, when it follows `before`.
fn check(row: &[u8], value: &[u8], at: u64, before: &Hash) -> Result<Hash, &'static str> {
    if row != key(RECORD, at) {
        return Err("it is missing");
    }
    let (hash, json, record) = parse(value).ok_or("it cannot be read")?;
    if record.seq != at || link(before, at, json) != hash {
        return Err("its content and its hash do not fit");
    }
    Ok(hash)
}

#[cfg(test)]
mod tests;
