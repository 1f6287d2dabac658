//! The rows of the ledger, in the store's outbox. Keys start with `d`; values are a version byte and JSON.
//!
//! | key | row |
//! |---|---|
//! | `dr` run | the run |
//! | `dk` name of the run | its number: the same run is planned once |
//! | `dp` run piece | a piece with its obligations |
//! | `dw` run piece | the piece is open: when it is due (8 bytes) and its channel |
//! | `dn` run piece | somebody should look at the piece |
//! | `dc` run | the counters of the run ([`super::tally`]) |
//! | `db` run piece | the bytes that go out, until the run is closed |
//! | `dh` run piece | the piece is being handed over: whether that began (1 byte) and the boot of the machine |
//! | `di` id of a piece | its run and number, from the first attempt on, and the address that it went to under this id |
//! | `do` run | the run is not closed; `dv`: these rows are there for all that were planned before there were any |
//! | `de` run piece time | a proof of what became of the piece ([`super::evidence`]) |
//! | `dm` run form | a form of the manifest that is not archived yet: name, line feed, bytes |
//! | `ds` distribution | the last load that was there when the distribution was first seen |

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::DistributeError;
use super::config::{Config, Distribution};
use super::piece::{Piece, State};
use super::tally::Tally;
use crate::archive::kv::{Batch, Engine, Family, StoreError};
use crate::crm::Time;

const VERSION: u8 = 1;

/// Where a run stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It waits for somebody to release it.
    Held,
    /// Its pieces are sent.
    #[default]
    Released,
    /// It balances, or an approver signed that it does not.
    Closed,
    /// Somebody called it off: what was not sent by then is not sent. It is closed like every other.
    Cancelled,
}

impl RunState {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            RunState::Held => "held",
            RunState::Released => "released",
            RunState::Closed => "closed",
            RunState::Cancelled => "cancelled",
        }
    }
}

/// Totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Pieces.
    pub pieces: u64,
    /// Documents. One that is taken apart counts with its first page.
    pub documents: u64,
    /// What is owed of them: documents, or parts of one that goes to several. Runs of before parts were counted have 0.
    pub parts: u64,
    /// Pages.
    pub pages: u64,
    /// Sum of the amounts, in 10^-9.
    pub nano: i128,
}

impl Totals {
    /// Adds other totals.
    pub fn join(&mut self, other: Totals) {
        self.pieces += other.pieces;
        self.documents += other.documents;
        self.parts += other.parts;
        self.pages += other.pages;
        self.nano += other.nano;
    }

    /// Whether more is owed than whole documents.
    pub fn has_parts(&self) -> bool {
        self.parts > self.documents
    }

    /// `7 documents`, or `7 documents in 9 parts`.
    pub fn documents_in_parts(&self) -> String {
        let parts = if self.has_parts() { format!(" in {} parts", self.parts) } else { String::new() };
        format!("{} documents{parts}", self.documents)
    }

    /// Adds a piece.
    pub fn add(&mut self, piece: &Piece) {
        self.pieces += 1;
        self.documents += piece.owes.iter().filter(|owed| !owed.further).count() as u64;
        self.parts += piece.owes.len() as u64;
        self.pages += piece.owes.iter().map(|owed| u64::from(owed.pages)).sum::<u64>();
        self.nano += piece.owes.iter().map(|owed| owed.nano).sum::<i128>();
    }
}

/// A run of a distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// Its number, from 1.
    pub number: u32,
    /// The distribution and what it ran for: `bills/load-7`.
    pub key: String,
    /// The distribution.
    pub distribution: String,
    /// The rule as it was when the run was planned; runs of before it was kept have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<Distribution>>,
    /// Where it stands.
    pub state: RunState,
    /// When it was planned.
    pub planned_at: Time,
    /// What was planned; nothing is added to it later.
    pub planned: Totals,
    /// Documents that were looked at and are owed to nobody by its rule.
    pub passed_over: u64,
    /// The loads that it is made of.
    pub loads: Vec<u32>,
    /// Reports that it went without.
    pub missing: Vec<String>,
    /// Pieces in all, with those that stand for others.
    pub pieces: u32,
    /// Who released it.
    pub released_by: String,
    /// Who worked on it by hand (planned it, sent pieces again, elsewhere or sooner), each once: they sign no exception.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub worked_on_by: Vec<String>,
    /// Since when nothing is open and all adds up, as it was noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balanced_at: Option<Time>,
    /// Who called it off.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cancelled_by: String,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cancelled: String,
    /// Who closed it.
    pub closed_by: String,
    /// When.
    pub closed_at: Option<Time>,
    /// Why it was closed though it does not balance; names the pieces.
    pub exception: String,
    /// SHA-256 of its manifest (JSON).
    pub manifest: String,
    /// SHA-256 of all forms of it, as they are archived.
    pub manifests: Vec<String>,
}

impl Run {
    /// Its rule: as it was when it was planned, and of an older run as it is now.
    pub fn rule<'r>(&'r self, config: &'r Config) -> Option<&'r Distribution> {
        self.rule.as_deref().or_else(|| config.distribution(&self.distribution))
    }

    /// When it is closed by itself, so many seconds after it balanced; `None`: not by itself, or it does not balance.
    pub fn closes_at(&self, after_s: Option<i64>) -> Option<Time> {
        let since = self.balanced_at.filter(|_| self.state != RunState::Closed)?;
        after_s.map(|after| since.plus(after))
    }
}

/// The ledger of an archive. Make one for a process.
#[derive(Clone)]
pub struct Ledger {
    pub(super) engine: Arc<dyn Engine>,
    /// Held while pieces and counters change; never while anything is rendered, sent or planned.
    turn: Arc<Mutex<()>>,
    /// Held while a run is planned: its rows are its own until it is visible.
    planning: Arc<Mutex<()>>,
    /// Bytes were let go whose room the disk does not have back yet.
    let_go: Arc<AtomicBool>,
    /// The rows that name open runs are known to be there.
    knows_open: Arc<AtomicBool>,
    /// Channels for which nothing was due, and until when that is believed.
    rests: Arc<Mutex<HashMap<String, Instant>>>,
}

/// How many times longer than it took to look through what waits nobody looks again, and how long at most: pieces that wait for a
/// dead server by the hundred thousand cost a fiftieth of a processor, not more the more they are.
const REST_FOR_EACH: u32 = 50;
const LONGEST_REST: Duration = Duration::from_secs(60);

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

pub(super) fn broken(error: impl std::fmt::Display) -> StoreError {
    StoreError::Failed { detail: format!("a row of the ledger: {error}") }
}

pub(super) fn encode<T: Serialize>(row: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, row).map_err(broken)?;
    Ok(bytes)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(broken),
        _ => Err(broken("its version is not known")),
    }
}

/// Key of a run, or of a piece of it.
pub(super) fn key(letter: u8, run: u32, piece: Option<u32>) -> Vec<u8> {
    let mut key = vec![b'd', letter];
    key.extend(run.to_be_bytes());
    key.extend(piece.map(u32::to_be_bytes).into_iter().flatten());
    key
}

fn run_key(name: &str) -> Vec<u8> {
    [b"dk", name.as_bytes()].concat()
}

impl Ledger {
    /// Notes that bytes were let go; the disk has their room back after [`Ledger::give_back`].
    pub(super) fn let_go(&self) {
        self.let_go.store(true, Ordering::Relaxed);
    }

    /// Whether there is room to give back.
    pub fn has_let_go(&self) -> bool {
        self.let_go.load(Ordering::Relaxed)
    }

    /// Gives the room of what was let go back to the disk. It takes as long as the store takes: nobody should wait for it.
    /// Failing, or never being called, does no harm; the store gives the room back some day by itself.
    pub fn give_back(&self) {
        if self.let_go.swap(false, Ordering::Relaxed)
            && let Err(error) = self.engine.compact()
        {
            tracing::warn!(%error, "the room of a closed run was not given back yet");
        }
    }

    /// The ledger in this store.
    pub fn new(engine: Arc<dyn Engine>) -> Ledger {
        let (turn, planning) = (Arc::default(), Arc::default());
        Ledger { engine, turn, planning, let_go: Arc::default(), knows_open: Arc::default(), rests: Arc::default() }
    }

    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn planning(&self) -> MutexGuard<'_, ()> {
        self.planning.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put_run(&self, batch: &mut Batch, run: &Run) -> Result<(), StoreError> {
        batch.put(Family::Outbox, run_key(&run.key), run.number.to_be_bytes().to_vec());
        batch.put(Family::Outbox, key(b'r', run.number, None), encode(run)?);
        match run.state {
            RunState::Closed => batch.delete(Family::Outbox, key(b'o', run.number, None)),
            _ => batch.put(Family::Outbox, key(b'o', run.number, None), Vec::new()),
        }
        Ok(())
    }

    /// The runs that are not closed, oldest first. What looks for work asks for these alone, however many there ever were.
    pub fn open_runs(&self) -> Result<Vec<Run>, DistributeError> {
        if !self.knows_open.load(Ordering::Relaxed) {
            self.name_open()?;
            self.knows_open.store(true, Ordering::Relaxed);
        }
        let mut numbers = Vec::new();
        self.engine.scan(Family::Outbox, b"do".as_slice()..b"dp".as_slice(), &mut |at, _| {
            numbers.extend(at.get(2..6).and_then(|number| number.try_into().ok()).map(u32::from_be_bytes));
            ControlFlow::Continue(())
        })?;
        numbers.into_iter().map(|number| self.run(number)).collect()
    }

    /// Writes the rows that name open runs, for archives whose runs were planned before there were any.
    fn name_open(&self) -> Result<(), DistributeError> {
        let _turn = self.turn();
        if self.engine.get(Family::Outbox, b"dv")?.is_some() {
            return Ok(());
        }
        let mut batch = Batch::default();
        for run in self.runs()?.iter().filter(|run| run.state != RunState::Closed) {
            batch.put(Family::Outbox, key(b'o', run.number, None), Vec::new());
        }
        batch.put(Family::Outbox, b"dv".to_vec(), Vec::new());
        Ok(self.engine.commit(batch)?)
    }

    /// Number of the newest run; 0: there is none.
    pub fn last_run(&self) -> Result<u32, DistributeError> {
        let mut last = 0;
        self.engine.scan(Family::Outbox, b"dr".as_slice()..b"ds".as_slice(), &mut |at, _| {
            last = at.get(2..6).and_then(|number| number.try_into().ok()).map_or(last, u32::from_be_bytes);
            ControlFlow::Continue(())
        })?;
        Ok(last)
    }

    /// At most `limit` runs, newest first, from the one before `before` on.
    pub fn runs_before(&self, before: Option<u32>, limit: usize) -> Result<Vec<Run>, DistributeError> {
        let last = match before {
            Some(before) => before.saturating_sub(1).min(self.last_run()?),
            None => self.last_run()?,
        };
        (1..=last).rev().take(limit).map(|number| self.run(number)).collect()
    }

    /// Writes a piece that is new.
    pub(super) fn put_new(&self, batch: &mut Batch, run: u32, number: u32, piece: &Piece) -> Result<(), StoreError> {
        batch.put(Family::Outbox, key(b'p', run, Some(number)), encode(piece)?);
        if !piece.state.is_over() {
            batch.put(Family::Outbox, key(b'w', run, Some(number)), waiting(piece));
        }
        if piece.wants_eyes() {
            batch.put(Family::Outbox, key(b'n', run, Some(number)), Vec::new());
        }
        Ok(())
    }

    /// Writes what a piece became, and counts it anew.
    pub(super) fn put_piece(
        &self,
        batch: &mut Batch,
        tally: &mut Tally,
        (run, number): (u32, u32),
        old: &Piece,
        new: &Piece,
    ) -> Result<(), StoreError> {
        tally.remove(old);
        tally.add(new);
        if new.state.is_over() {
            batch.delete(Family::Outbox, key(b'w', run, Some(number)));
        }
        if old.wants_eyes() && !new.wants_eyes() {
            batch.delete(Family::Outbox, key(b'n', run, Some(number)));
        }
        self.put_new(batch, run, number, new)
    }

    /// The counters of a run; of one from before there were any, they are counted.
    pub fn tally(&self, run: u32) -> Result<Tally, DistributeError> {
        match self.engine.get(Family::Outbox, &key(b'c', run, None))? {
            Some(row) => Ok(decode(&row)?),
            None => self.count(run),
        }
    }

    /// The counters of a run, piece by piece.
    pub(super) fn count(&self, run: u32) -> Result<Tally, DistributeError> {
        let mut tally = Tally::default();
        self.pieces(run, &mut |_, piece| tally.add(&piece))?;
        Ok(tally)
    }

    pub(super) fn put_tally(&self, batch: &mut Batch, run: u32, tally: &Tally) -> Result<(), StoreError> {
        batch.put(Family::Outbox, key(b'c', run, None), encode(tally)?);
        Ok(())
    }

    /// Where the piece with this id stands in the ledger, and the address that it went to under this id (empty: not known);
    /// `None`: nothing of it was made yet. The piece may have another id by now.
    pub fn find(&self, id: &str) -> Result<Option<(u32, u32, String)>, DistributeError> {
        let Some(row) = self.engine.get(Family::Outbox, &id_key(id))? else { return Ok(None) };
        let part = |from: usize| -> Result<u32, StoreError> {
            let bytes = row.get(from..from + 4).ok_or_else(|| broken("a place"))?;
            Ok(u32::from_be_bytes(bytes.try_into().map_err(broken)?))
        };
        let to = String::from_utf8_lossy(row.get(8..).unwrap_or_default()).into_owned();
        Ok(Some((part(0)?, part(4)?, to)))
    }

    /// The last load that was there when a distribution was first seen; `last` is noted when that is now.
    pub(super) fn begins_after(&self, distribution: &str, last: u32) -> Result<u32, DistributeError> {
        let _turn = self.turn();
        let at = [b"ds", distribution.as_bytes()].concat();
        if let Some(row) = self.engine.get(Family::Outbox, &at)? {
            return Ok(u32::from_be_bytes(row.as_slice().try_into().map_err(broken)?));
        }
        let mut batch = Batch::default();
        batch.put(Family::Outbox, at, last.to_be_bytes().to_vec());
        self.engine.commit(batch)?;
        tracing::info!(distribution, load.id = last, "begins with the loads after this one");
        Ok(last)
    }

    /// The run of this number.
    pub fn run(&self, number: u32) -> Result<Run, DistributeError> {
        let row = self.engine.get(Family::Outbox, &key(b'r', number, None))?;
        let row = row.ok_or_else(|| DistributeError::NotFound { what: "run", name: number.to_string() })?;
        Ok(decode(&row)?)
    }

    /// The run that was planned under this name.
    pub fn run_named(&self, name: &str) -> Result<Option<Run>, DistributeError> {
        let Some(number) = self.engine.get(Family::Outbox, &run_key(name))? else { return Ok(None) };
        let number: [u8; 4] = number.as_slice().try_into().map_err(broken)?;
        self.run(u32::from_be_bytes(number)).map(Some)
    }

    /// All runs, oldest first.
    pub fn runs(&self) -> Result<Vec<Run>, DistributeError> {
        let mut rows = Vec::new();
        self.engine.scan(Family::Outbox, b"dr".as_slice()..b"ds".as_slice(), &mut |_, row| {
            rows.push(decode(row));
            ControlFlow::Continue(())
        })?;
        Ok(rows.into_iter().collect::<Result<_, _>>()?)
    }

    /// A piece of a run, by its number in it from 0.
    pub fn piece(&self, run: u32, number: u32) -> Result<Piece, DistributeError> {
        let row = self.engine.get(Family::Outbox, &key(b'p', run, Some(number)))?;
        let row = row.ok_or_else(|| DistributeError::NotFound { what: "piece", name: format!("{run}/{number}") })?;
        Ok(decode(&row)?)
    }

    /// Visits the pieces of a run in order.
    pub fn pieces(&self, run: u32, each: &mut dyn FnMut(u32, Piece)) -> Result<(), DistributeError> {
        let (from, to) = (key(b'p', run, None), key(b'p', run.saturating_add(1), None));
        let mut failed = None;
        self.engine.scan(Family::Outbox, from.as_slice()..to.as_slice(), &mut |at, row| {
            match (number_of(at), decode(row)) {
                (Some(number), Ok(piece)) => each(number, piece),
                (_, Err(error)) => failed = Some(error),
                (None, _) => failed = Some(broken("its key")),
            }
            if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// At most `limit` pieces of a run for which something holds, from `first` on, and the number from which to go on.
    pub fn select(
        &self,
        run: u32,
        first: u32,
        limit: usize,
        wanted: &dyn Fn(&Piece) -> bool,
    ) -> Result<(Vec<(u32, Piece)>, Option<u32>), DistributeError> {
        let (from, to) = (key(b'p', run, Some(first)), key(b'p', run.saturating_add(1), None));
        let (mut found, mut next, mut failed) = (Vec::new(), None, None);
        self.engine.scan(Family::Outbox, from.as_slice()..to.as_slice(), &mut |at, row| {
            let piece = match decode::<Piece>(row) {
                Ok(piece) => piece,
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            };
            let Some(number) = number_of(at).filter(|_| wanted(&piece)) else { return ControlFlow::Continue(()) };
            if found.len() >= limit {
                next = Some(number);
                return ControlFlow::Break(());
            }
            found.push((number, piece));
            ControlFlow::Continue(())
        })?;
        failed.map_or(Ok((found, next)), |error| Err(error.into()))
    }

    /// Whether a channel had nothing to do a moment ago, by [`Ledger::rest`].
    pub(super) fn is_resting(&self, lane: &str) -> bool {
        let rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        rests.get(lane).is_some_and(|until| *until > Instant::now())
    }

    /// Remembers that nothing is due for a channel, which took so long to find out.
    pub(super) fn rest(&self, lane: &str, looked: Duration) {
        let rest = looked.saturating_mul(REST_FOR_EACH).min(LONGEST_REST);
        let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        rests.insert(lane.to_string(), Instant::now() + rest);
    }

    /// Something may be due by now that was not: somebody released, planned or hastened it.
    pub(super) fn stir(&self) {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Numbers of at most `limit` open pieces of a run, from `first` on, that are due and whose channel is wanted.
    pub fn due(
        &self,
        run: u32,
        first: u32,
        limit: usize,
        now: Time,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<u32>, DistributeError> {
        let (from, to) = (key(b'w', run, Some(first)), key(b'w', run.saturating_add(1), None));
        let mut open = Vec::new();
        self.engine.scan(Family::Outbox, from.as_slice()..to.as_slice(), &mut |at, row| {
            let (due, channel) = row.split_at_checked(8).unwrap_or_default();
            let due = due.try_into().map_or(0, i64::from_be_bytes);
            if due <= now.0 && wanted(std::str::from_utf8(channel).unwrap_or_default()) {
                open.extend(number_of(at));
            }
            if open.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(open)
    }

    /// At most `limit` pieces of a run that somebody should look at, from `first` on.
    pub fn named(&self, run: u32, first: u32, limit: usize) -> Result<Vec<(u32, Piece)>, DistributeError> {
        let (from, to) = (key(b'n', run, Some(first)), key(b'n', run.saturating_add(1), None));
        let mut numbers = Vec::new();
        self.engine.scan(Family::Outbox, from.as_slice()..to.as_slice(), &mut |at, _| {
            numbers.extend(number_of(at));
            if numbers.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        numbers.into_iter().map(|number| Ok((number, self.piece(run, number)?))).collect()
    }

    /// The bytes of a piece, once they are made.
    pub(super) fn bytes(&self, run: u32, number: u32) -> Result<Option<Vec<u8>>, DistributeError> {
        Ok(self.engine.get_once(Family::Outbox, &key(b'b', run, Some(number)))?)
    }

    /// Notes that somebody works on a run by hand.
    pub fn worked_on(&self, number: u32, by: &str) -> Result<(), DistributeError> {
        let _turn = self.turn();
        let mut run = self.run(number)?;
        if run.worked_on_by.iter().any(|known| known == by) {
            return Ok(());
        }
        run.worked_on_by.push(by.to_string());
        let mut batch = Batch::default();
        self.put_run(&mut batch, &run)?;
        Ok(self.engine.commit(batch)?)
    }

    /// Releases a held run.
    pub fn release(&self, number: u32, by: &str) -> Result<Run, DistributeError> {
        let _turn = self.turn();
        let mut run = self.run(number)?;
        if run.state != RunState::Held {
            return Err(DistributeError::State(format!("run {number} is {}", run.state.name())));
        }
        (run.state, run.released_by) = (RunState::Released, by.to_string());
        let mut batch = Batch::default();
        self.put_run(&mut batch, &run)?;
        self.engine.commit(batch)?;
        self.stir();
        Ok(run)
    }
}

/// Key of the place of a piece.
pub(super) fn id_key(id: &str) -> Vec<u8> {
    [b"di", id.as_bytes()].concat()
}

/// When an open piece is due, and its channel. One in doubt waits for somebody.
fn waiting(piece: &Piece) -> Vec<u8> {
    let due = if piece.state == State::InDoubt { i64::MAX } else { piece.next_at.0 };
    [due.to_be_bytes().as_slice(), piece.channel.as_bytes()].concat()
}

pub(super) fn number_of(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(key.get(6..10)?.try_into().ok()?))
}
