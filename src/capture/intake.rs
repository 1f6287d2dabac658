//! The durable intake: every stream that was acknowledged, on disk with its row until it is loaded or given up.
//!
//! Streams lie in `intake/` below the archive's folder. A server that starts removes what broke off, and loads what was
//! acknowledged; loading is idempotent, so a crash in the middle of a load does no harm.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::config::{CaptureConfig, Unknown};
use super::item::{Arrival, BROKE_OFF, HOLD_NEW, Item, MORE_CAME, State};
use super::queue::{MOST_CUT_OFF, Queue};
use super::rows;
use super::rule::Rule;
use super::spool::Spool;
use super::switches;
use super::turn::Turns;
use super::work::Preview;
use super::{CaptureError, Stop};
use crate::archive::Progress;
use crate::archive::kv::{Batch, Engine};
use crate::auth::clock::Clock;
use crate::auth::gate::{Gate, Principal};
use crate::auth::secret;

/// Seconds in which the same transmission is the same stream: a sender that missed its yes sends again.
const TRANSMISSION_S: i64 = 24 * 3600;

/// The intake of an archive. Cloned handles share it.
#[derive(Clone)]
pub struct Intake {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub engine: Arc<dyn Engine>,
    folder: PathBuf,
    pub clock: Clock,
    pub config: CaptureConfig,
    pub table: Mutex<Table>,
    pub changed: Condvar,
    /// Every version of every rule.
    pub rules: Mutex<Vec<Rule>>,
    pub switches: Mutex<switches::Table>,
    /// Transmissions that are being taken.
    turns: Turns,
}

/// What is known in memory of items that are not loaded or given up.
#[derive(Default)]
pub(super) struct Table {
    pub waiting: Queue,
    pub states: BTreeMap<u64, State>,
    pub running: HashMap<u64, Progress>,
    pub last: u64,
    pub stop: bool,
}

impl Table {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

/// How many items there are in each state that is not over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Received or identified: they wait for a worker.
    pub waiting: usize,
    /// Being loaded.
    pub loading: usize,
    /// Nobody knows what they are.
    pub unidentified: usize,
    /// Could not be loaded.
    pub failed: usize,
    /// Kept from being loaded by somebody.
    pub held: usize,
}

impl Intake {
    /// The intake of this archive, with what was left of an earlier run.
    pub fn open(
        engine: Arc<dyn Engine>,
        data: &Path,
        clock: Clock,
        config: CaptureConfig,
    ) -> Result<Intake, CaptureError> {
        let folder = data.join("intake");
        std::fs::create_dir_all(&folder)?;
        let (last, mut items) = rows::open_items(&*engine)?;
        let mut table = Table { last, ..Table::default() };
        let mut wanted = Vec::new();
        let mut batch = Batch::default();
        let started = Instant::now();
        items.sort_by_key(|item| (item.place(), item.id));
        for mut item in items {
            wanted.push(file_name(item.id));
            if item.state == State::Loading {
                item.cut_off(clock.now());
                rows::put_item(&mut batch, &item)?;
            }
            // What may have ended the process waits for its turn, so that it holds up nothing else.
            if item.state.moves() && item.attempts > 0 {
                table.waiting.push_suspect(item.id, item.attempts, started);
            } else if item.state.moves() {
                table.waiting.push_back(item.id);
            }
            table.states.insert(item.id, item.state);
        }
        // Also tells that the rows of what is open are there.
        rows::put_last(&mut batch, last);
        engine.commit(batch)?;
        rows::forget_transmissions(&*engine, clock.now() - TRANSMISSION_S)?;
        sweep(&folder, &wanted)?;
        let rules = Mutex::new(rows::rules(&*engine)?);
        let switches = Mutex::new(rows::switches(&*engine)?);
        let (table, changed) = (Mutex::new(table), Condvar::new());
        let turns = Turns::default();
        let inner = Inner { engine, folder, clock, config, table, changed, rules, switches, turns };
        Ok(Intake { inner: Arc::new(inner) })
    }

    /// A place for a stream to be received into. Fails when nothing can be taken now: the sender should try again later.
    pub fn begin(&self) -> Result<Spool, CaptureError> {
        self.begin_limited(self.inner.config.max_bytes)
    }

    /// The same for a stream that may have at most `limit` bytes.
    pub fn begin_limited(&self, limit: u64) -> Result<Spool, CaptureError> {
        self.has_room()?;
        self.is_not_busy()?;
        Spool::new(self.clone(), limit)
    }

    /// Fails when so many streams wait that nothing more is taken.
    pub fn is_not_busy(&self) -> Result<(), CaptureError> {
        let waiting = self.waiting();
        if waiting >= self.inner.config.max_waiting { Err(CaptureError::Busy { waiting }) } else { Ok(()) }
    }

    /// Fails when the disk is so full that the archive itself would soon not work.
    pub fn has_room(&self) -> Result<(), CaptureError> {
        self.has_room_for(0)
    }

    /// The same, when so many bytes are to come.
    pub fn has_room_for(&self, bytes: u64) -> Result<(), CaptureError> {
        let stat = rustix::fs::statvfs(&self.inner.folder).map_err(io::Error::from)?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        if free < self.inner.config.keep_free.saturating_add(bytes) { Err(CaptureError::Full) } else { Ok(()) }
    }

    /// The settings.
    pub fn config(&self) -> &CaptureConfig {
        &self.inner.config
    }

    /// The clock.
    pub fn now(&self) -> i64 {
        self.inner.clock.now()
    }

    /// Where streams lie.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Where the bytes of an item lie.
    pub fn path(&self, id: u64) -> PathBuf {
        self.inner.folder.join(file_name(id))
    }

    /// Makes a received stream an item; false: it is one already, sent again.
    pub(super) fn accept(
        &self,
        part: &Path,
        file: &File,
        (bytes, digest): (u64, &[u8]),
        arrival: Arrival,
    ) -> Result<(Item, bool), CaptureError> {
        let engine = &*self.inner.engine;
        let now = self.now();
        let transmission = arrival.transmission.as_deref().map(|key| rows::transmission_key(key, digest));
        // Sent twice at the same moment, the second finds the first.
        let _turn = transmission.as_ref().map(|key| self.inner.turns.wait(key));
        if let Some(key) = &transmission
            && let Some(id) = rows::transmission(engine, key, now - TRANSMISSION_S)?
            && let Some(item) = self.repeated(id)?
        {
            return Ok((item, false));
        }
        file.sync_all()?;
        let id = arrival.number.unwrap_or_else(|| self.table().next());
        let held = arrival.held;
        let item = self.new_item(id, now, (bytes, secret::hex(digest)), arrival);
        let path = self.path(id);
        std::fs::rename(part, &path)?;
        let kept = (|| {
            File::open(&self.inner.folder)?.sync_all()?;
            let mut batch = Batch::default();
            rows::put_item(&mut batch, &item)?;
            // Numbers are committed in any order; the rows of what is open tell the highest as well.
            rows::put_last(&mut batch, self.table().last);
            if let Some(job) = item.of_job {
                rows::put_document(&mut batch, job, id);
            }
            if let Some(key) = transmission {
                rows::put_transmission(&mut batch, key, id, now);
            }
            Ok(engine.commit(batch)?)
        })();
        if let Err(error) = kept {
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        let mut table = self.table();
        table.states.insert(id, item.state);
        if !held && item.state.moves() {
            table.waiting.push_back(id);
            self.inner.changed.notify_all();
        }
        drop(table);
        if let Err(error) = self.settle(&item) {
            tracing::error!(item = id, %error, "that its queue was switched could not be noted at a stream");
        }
        Ok((item, true))
    }

    /// A number for an item that is to come, which no other gets, also after the end of the process.
    pub fn reserve(&self) -> Result<u64, CaptureError> {
        let mut table = self.table();
        let id = table.next();
        let mut batch = Batch::default();
        rows::put_reserved(&mut batch, id);
        self.inner.engine.commit_logged(batch)?;
        Ok(id)
    }

    /// Lets an item be loaded that was accepted as held, with what is known by now.
    pub fn release(&self, id: u64, known: Option<Arrival>) -> Result<(), CaptureError> {
        let mut table = self.table();
        if let Some(arrival) = known
            && let Some(mut item) =
                self.item(id)?.filter(|item| matches!(item.state, State::Received | State::Identified | State::Held))
        {
            (item.file, item.sent_by, item.attributes) = (arrival.file, arrival.sent_by, arrival.attributes);
            self.put(&mut item)?;
        }
        // A repeated transmission may be on its way already.
        if table.states.get(&id).is_some_and(|state| *state != State::Loading && state.moves()) {
            table.waiting.push_back(id);
            self.inner.changed.notify_all();
        }
        Ok(())
    }

    fn new_item(&self, id: u64, now: i64, (bytes, sha256): (u64, String), arrival: Arrival) -> Item {
        let queue = arrival.queue.as_deref().and_then(|name| self.inner.config.queue(name));
        let unknown = queue.and_then(|queue| queue.unknown).unwrap_or(self.inner.config.unknown);
        let own = queue.and_then(|queue| queue.definition.clone());
        let mut item = Item {
            id,
            state: State::Received,
            file: arrival.file,
            definition: arrival.definition,
            bytes,
            sha256,
            sent_by: arrival.sent_by,
            received_at: now,
            load: None,
            duplicate: false,
            error: None,
            receiver: arrival.receiver.into(),
            queue: arrival.queue,
            peer: arrival.peer,
            attributes: arrival.attributes,
            only_known: arrival.only_known.unwrap_or(unknown == Unknown::Wait),
            repeats: 0,
            attempts: 0,
            resumed: false,
            changed_at: now,
            of_job: arrival.of_job,
            place: None,
            history: Vec::new(),
        };
        self.by_rule(&mut item);
        item.definition = item.definition.or(own);
        item.state = item.before_loading();
        if let Some((by, why)) = arrival.kept_by {
            item.state = State::Held;
            item.step(now, "held", &by, why);
        } else if self.is_paused(&item) {
            item.pause(now, "");
        } else if self.holds_new(&item) {
            item.state = State::Held;
            item.step(now, "paused", "", HOLD_NEW);
        }
        item
    }

    /// The item that was sent again, unless it was given up: then sending it again means it.
    fn repeated(&self, id: u64) -> Result<Option<Item>, CaptureError> {
        // Held, so that no worker writes the row meanwhile.
        let _table = self.table();
        let Some(mut item) = rows::item(&*self.inner.engine, id)?.filter(|item| item.state != State::Discarded) else {
            return Ok(None);
        };
        item.repeats = item.repeats.saturating_add(1);
        let mut batch = Batch::default();
        rows::put_item(&mut batch, &item)?;
        self.inner.engine.commit_logged(batch)?;
        Ok(Some(item))
    }

    /// What is known of an item.
    pub fn item(&self, id: u64) -> Result<Option<Item>, CaptureError> {
        Ok(rows::item(&*self.inner.engine, id)?)
    }

    /// How far the load of an item is, while it runs.
    pub fn progress(&self, id: u64) -> Option<Progress> {
        self.table().running.get(&id).copied()
    }

    /// Items that are not loaded or given up, oldest first, at most 1,000.
    pub fn open_items(&self) -> Result<Vec<Item>, CaptureError> {
        let ids: Vec<u64> = self.table().states.keys().copied().take(1_000).collect();
        let mut items = Vec::new();
        for id in ids {
            items.extend(self.item(id)?);
        }
        Ok(items)
    }

    /// How many there are of what is not over.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for state in self.table().states.values() {
            match state {
                State::Received | State::Identified => counts.waiting += 1,
                State::Loading => counts.loading += 1,
                State::Unidentified => counts.unidentified += 1,
                State::Failed => counts.failed += 1,
                State::Held => counts.held += 1,
                State::Loaded | State::Discarded => {}
            }
        }
        counts
    }

    /// Streams that wait for a worker.
    pub fn waiting(&self) -> usize {
        self.table().waiting.len()
    }

    /// What an unidentified item looks like.
    pub fn preview(&self, id: u64) -> Result<Option<Preview>, CaptureError> {
        Ok(rows::preview(&*self.inner.engine, id)?)
    }

    /// Records in the audit what a sender or an operator did through a receiver; the name is not proven.
    pub(super) fn record(&self, who: &str, from: &str, kind: &str, what: &str, why: &str) {
        let gate = Gate::new(self.inner.engine.clone());
        if let Err(error) = gate.record(&Principal::nobody(who, from), kind, what, why) {
            tracing::error!(%error, who, from, kind, what, "what was done could not be recorded");
        }
    }

    /// How often a stream was sent again, and that more of it came: its row may have heard of it while a worker had the item.
    /// The table is held meanwhile.
    pub(super) fn heard_again(&self, item: &mut Item) {
        let Ok(Some(stored)) = self.item(item.id) else { return };
        item.repeats = stored.repeats;
        for step in stored.history.into_iter().filter(|step| [MORE_CAME, BROKE_OFF].contains(&step.what.as_str())) {
            if !item.history.contains(&step) {
                item.history.push(step);
            }
        }
    }

    /// Writes an item's row. The table is held meanwhile, where senders may send it again.
    pub(super) fn put(&self, item: &mut Item) -> Result<(), CaptureError> {
        self.heard_again(item);
        item.changed_at = self.now();
        let mut batch = Batch::default();
        rows::put_item(&mut batch, item)?;
        Ok(self.inner.engine.commit(batch)?)
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.inner.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets running loads finish; what waits stays for the next start.
    pub fn stop(&self) {
        self.table().stop = true;
        self.inner.changed.notify_all();
    }

    /// Waits, at most so long, until somebody may take streams again; false when `stop` said so first.
    pub fn wait_for_room(&self, stop: &Stop, most: Duration) -> bool {
        let until = Instant::now() + most;
        while Instant::now() < until && !stop.is_now() {
            if self.has_room().is_ok() && self.waiting() < self.inner.config.max_waiting {
                return true;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        false
    }
}

impl Item {
    /// The state it has before a worker takes it.
    pub(super) fn before_loading(&self) -> State {
        if self.definition.is_some() { State::Identified } else { State::Received }
    }

    /// The process ended while it was being loaded. That is not its fault until it happened often: see [`super::queue`].
    fn cut_off(&mut self, now: i64) {
        self.resumed = true;
        let times = self.attempts;
        if times < MOST_CUT_OFF {
            self.state = self.before_loading();
            if times > 1 {
                self.error =
                    Some(format!("the server ended {times} times while it was being loaded; it is tried again later"));
            }
            return;
        }
        let why = format!("the server ended {times} times while it was being loaded");
        self.step(now, State::Failed.name(), "", &why);
        (self.state, self.error) = (State::Failed, Some(why));
    }
}

pub(super) fn remove_bytes(path: &Path, id: u64) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(item = id, %error, "the file of a stream that is over was not removed");
    }
}

/// Removes what no row names: streams that broke off, and files of streams that are over.
fn sweep(folder: &Path, wanted: &[String]) -> Result<(), CaptureError> {
    let wanted: std::collections::HashSet<&str> = wanted.iter().map(String::as_str).collect();
    for entry in std::fs::read_dir(folder)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name.ends_with(".part") || name.ends_with(".stream");
        if ours && !wanted.contains(name.as_str()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

pub(super) fn file_name(id: u64) -> String {
    format!("{id}.stream")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::kv::memory::Memory;

    fn cut_off(times: u32) -> Item {
        let engine: Arc<dyn Engine> = Arc::new(Memory::default());
        let row = serde_json::json!({
            "id": 1, "state": "loading", "file": "", "definition": null, "bytes": 1, "sha256": "", "sent_by": "",
            "received_at": 0, "load": null, "duplicate": false, "error": null, "attempts": times
        });
        let mut batch = Batch::default();
        rows::put_item(&mut batch, &serde_json::from_value(row).expect("an item")).expect("a row");
        engine.commit(batch).expect("committed");
        let folder = std::env::temp_dir().join(format!("greenbar-cut-off-{}-{times}", std::process::id()));
        let intake = Intake::open(engine, &folder, Clock::default(), CaptureConfig::default()).expect("opens");
        let _ = std::fs::remove_dir_all(&folder);
        let item = intake.item(1).expect("read").expect("there");
        assert_eq!(intake.waiting(), usize::from(item.state.moves()));
        item
    }

    #[test]
    fn a_stream_that_ends_the_program_each_time_waits_for_somebody_in_the_end() {
        assert_eq!((cut_off(0).state, cut_off(0).error), (State::Received, None), "it was loaded, but not noted");
        assert_eq!((cut_off(1).state, cut_off(1).error), (State::Received, None));
        let often = cut_off(MOST_CUT_OFF - 1);
        assert_eq!((often.state, often.error.is_some()), (State::Received, true));
        let ended = cut_off(MOST_CUT_OFF);
        assert_eq!(ended.state, State::Failed);
        let why = format!("the server ended {MOST_CUT_OFF} times while it was being loaded");
        assert_eq!((ended.error.as_deref(), ended.history.len()), (Some(why.as_str()), 1));
    }
}
