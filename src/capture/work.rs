//! Workers: what was received is loaded, several streams at a time; what was loaded is made findable in batches.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::intake::{Intake, remove_bytes};
use super::item::{Item, State};
use super::{CaptureError, rows};
use crate::archive::kv::Batch;
use crate::archive::{LoadRow, Progress};
use crate::decode::inspect::{Inspection, inspect};
use crate::decode::limits::Limits;
use crate::decode::{Context, NoLibraries};

/// Loaded streams that wait to be made findable.
const FINISHED: usize = 1_000;
/// Bytes of an unidentified stream that are looked at.
const PREVIEW_BYTES: u64 = 32 << 20;
/// Characters of its first page that are kept.
const PREVIEW_CHARACTERS: usize = 20_000;
/// Pause after a load that the disk had no room for.
const FULL_S: u64 = 5;

/// A stream to be loaded.
#[derive(Debug)]
pub struct Brought<'a> {
    /// Where its bytes lie.
    pub path: &'a Path,
    /// The name it came with.
    pub file: &'a str,
    /// The report definition that was named.
    pub definition: Option<&'a str>,
    /// The print queue.
    pub queue: Option<&'a str>,
    /// What is known of the job.
    pub job: BTreeMap<String, String>,
    /// Refuse it when no definition fits.
    pub only_known: bool,
}

/// Why a stream was not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotLoaded {
    /// Nobody knows what it is; the text says more.
    Unidentified(String),
    /// It cannot be loaded; the text says why.
    Failed(String),
    /// Not now: the disk is full.
    Full(String),
}

/// What loads streams: the archive with its search index.
pub trait Loader: Send + Sync {
    /// Loads a stream; the flag says that it was loaded before. Findable only after [`Loader::publish`].
    fn load(&self, brought: &Brought<'_>, progress: &dyn Fn(Progress)) -> Result<(LoadRow, bool), NotLoaded>;
    /// Makes what was loaded findable.
    fn publish(&self) -> Result<(), String>;
}

/// What an unidentified stream looks like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Preview {
    /// What `greenbar inspect` says, without the first page.
    #[schema(value_type = Object)]
    pub inspection: serde_json::Value,
    /// Text of the first page that prints something.
    pub first_page: String,
    /// Only the first so many bytes were looked at.
    pub looked_at_bytes: Option<u64>,
}

/// A stream that was loaded.
struct Finished {
    item: Item,
    row: LoadRow,
    duplicate: bool,
}

impl Intake {
    /// Starts the threads that load.
    pub fn work(&self, loader: &Arc<dyn Loader>) -> io::Result<Vec<JoinHandle<()>>> {
        let (sender, finished) = sync_channel(FINISHED);
        let mut threads = Vec::new();
        for _ in 0..self.inner.config.workers {
            let (intake, loader, sender) = (self.clone(), loader.clone(), sender.clone());
            let work = move || {
                while let Some(id) = intake.next() {
                    intake.attempt(&*loader, id, &sender);
                }
            };
            threads.push(std::thread::Builder::new().name("greenbar-loads".into()).spawn(work)?);
        }
        let (intake, loader) = (self.clone(), loader.clone());
        let publish = move || intake.finish(&*loader, &finished);
        threads.push(std::thread::Builder::new().name("greenbar-findable".into()).spawn(publish)?);
        Ok(threads)
    }

    /// Loads what waits, on this thread, until nothing waits.
    pub fn work_off(&self, loader: &dyn Loader) {
        let (sender, finished) = sync_channel(FINISHED);
        let queued: Vec<u64> = self.table().waiting.take();
        for id in queued {
            self.attempt(loader, id, &sender);
            let done: Vec<Finished> = finished.try_iter().collect();
            self.finished(loader, done);
        }
    }

    /// Loads one item that waits, on this thread, and makes it findable.
    pub fn work_off_one(&self, loader: &dyn Loader, id: u64) {
        let (sender, finished) = sync_channel(FINISHED);
        self.table().waiting.remove(id);
        self.attempt(loader, id, &sender);
        self.finished(loader, finished.try_iter().collect());
    }

    /// The next item for a worker; waits for one. `None`: it is over.
    fn next(&self) -> Option<u64> {
        let mut table = self.table();
        loop {
            if table.stop {
                return None;
            }
            let now = Instant::now();
            if let Some(id) = table.waiting.pop(now) {
                return Some(id);
            }
            table = match table.waiting.pause(now) {
                Some(pause) => self.inner.changed.wait_timeout(table, pause).unwrap_or_else(PoisonError::into_inner).0,
                None => self.inner.changed.wait(table).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn attempt(&self, loader: &dyn Loader, id: u64, finished: &SyncSender<Finished>) {
        let outcome = self.try_load(loader, id, finished);
        {
            let mut table = self.table();
            table.running.remove(&id);
            table.waiting.done(id);
        }
        self.inner.changed.notify_all();
        if let Err(error) = outcome {
            // What the store could not write down is tried again when it can.
            tracing::error!(item = id, %error, "a received stream was not loaded; it is tried again");
            self.wait_and_retry(id);
        }
    }

    /// An item that greenbar has no room for, or cannot note, is taken up again after a pause.
    fn wait_and_retry(&self, id: u64) {
        let mut table = self.table();
        table.states.insert(id, State::Received);
        table.waiting.push_front(id);
        if !table.stop {
            let pause = Duration::from_secs(FULL_S);
            drop(self.inner.changed.wait_timeout_while(table, pause, |table| !table.stop));
        }
    }

    fn try_load(&self, loader: &dyn Loader, id: u64, finished: &SyncSender<Finished>) -> Result<(), CaptureError> {
        let mut item = {
            let mut table = self.table();
            // What is known in memory counts: a row may be older when the disk was full.
            let waits = matches!(table.states.get(&id), Some(State::Received | State::Identified));
            let Some(mut item) = self.item(id)?.filter(|_| waits) else { return Ok(()) };
            // A rule may have been made since it came.
            self.by_rule(&mut item);
            item.state = State::Loading;
            item.attempts += 1;
            item.changed_at = self.now();
            let mut batch = Batch::default();
            rows::put_item(&mut batch, &item)?;
            // It need not survive a power cut, only the end of the process.
            self.inner.engine.commit_logged(batch)?;
            table.states.insert(id, State::Loading);
            table.running.insert(id, Progress { total: Some(item.bytes), ..Progress::default() });
            item
        };
        let path = self.path(id);
        let brought = Brought {
            path: &path,
            file: &item.file,
            definition: item.definition.as_deref(),
            queue: item.queue.as_deref(),
            job: item.job(),
            only_known: item.only_known,
        };
        let report = |progress: Progress| {
            if let Some(known) = self.table().running.get_mut(&id) {
                *known = progress;
            }
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| loader.load(&brought, &report)));
        let outcome = outcome.unwrap_or_else(|_| Err(NotLoaded::Failed("the program failed at this stream".into())));
        match outcome {
            Ok((row, duplicate)) => {
                // What this item itself loaded before a crash is no older load.
                let duplicate = duplicate && !(item.resumed && row.loaded_at >= item.received_at);
                // Loaded, though not noted yet: an end of the process from here on is not this stream's fault.
                let mut noted = item.clone();
                noted.attempts = 0;
                let table = self.table();
                self.heard_again(&mut noted);
                let mut batch = Batch::default();
                rows::put_item(&mut batch, &noted)?;
                if let Err(error) = self.inner.engine.commit_logged(batch) {
                    tracing::error!(item = id, %error, "that a stream was loaded could not be noted yet");
                }
                drop(table);
                let _ = finished.send(Finished { item, row, duplicate });
                Ok(())
            }
            Err(NotLoaded::Full(why)) => {
                tracing::error!(item = id, why, "the disk is full: loading waits");
                if item.error.as_deref() != Some(&*why) {
                    item.step(self.now(), "disk-full", "", &why);
                }
                (item.state, item.error) = (item.before_loading(), Some(why));
                item.attempts -= 1;
                let table = self.table();
                let put = self.put(&mut item);
                drop(table);
                if let Err(error) = put {
                    tracing::error!(item = id, %error, "that the disk is full could not be noted");
                }
                self.wait_and_retry(id);
                Ok(())
            }
            Err(NotLoaded::Failed(why)) => {
                tracing::warn!(item = id, why, "a stream could not be loaded");
                self.rests(item, State::Failed, why)
            }
            Err(NotLoaded::Unidentified(why)) => {
                tracing::warn!(item = id, why, "a stream is unidentified");
                let preview = look(&path, item.bytes, self.folder());
                let mut batch = Batch::default();
                rows::put_preview(&mut batch, id, &preview)?;
                self.inner.engine.commit_logged(batch)?;
                self.rests(item, State::Unidentified, why)
            }
        }
    }

    /// An item waits for somebody. Its bytes stay: they were acknowledged.
    fn rests(&self, mut item: Item, state: State, why: String) -> Result<(), CaptureError> {
        let mut table = self.table();
        item.step(self.now(), state.name(), "", &why);
        (item.state, item.error) = (state, Some(why));
        self.put(&mut item)?;
        table.states.insert(item.id, state);
        Ok(())
    }

    /// Makes loads findable, as many at once as there are, until no worker is left.
    fn finish(&self, loader: &dyn Loader, finished: &Receiver<Finished>) {
        loop {
            match finished.recv_timeout(Duration::from_millis(500)) {
                Ok(first) => {
                    let done = std::iter::once(first).chain(finished.try_iter()).collect();
                    self.finished(loader, done);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn finished(&self, loader: &dyn Loader, done: Vec<Finished>) {
        if done.is_empty() {
            return;
        }
        if let Err(error) = loader.publish() {
            tracing::error!(%error, "what was loaded is not findable yet; the next load or start tries again");
        }
        let mut batch = Batch::default();
        let mut over = Vec::new();
        let mut table = self.table();
        for Finished { mut item, row, duplicate } in done {
            let id = item.id;
            tracing::info!(item = id, load = row.id.0, documents = row.documents, duplicate, "a stream was loaded");
            self.heard_again(&mut item);
            (item.state, item.load, item.duplicate, item.error) = (State::Loaded, Some(row.id.0), duplicate, None);
            (item.definition, item.changed_at) = (Some(row.definition), self.now());
            if let Err(error) = rows::put_item(&mut batch, &item) {
                tracing::error!(item = id, %error, "the row of a loaded stream was not written");
                continue;
            }
            rows::put_of_load(&mut batch, row.id.0, id);
            over.push(id);
        }
        if let Err(error) = self.inner.engine.commit(batch) {
            tracing::error!(%error, "rows of loaded streams were not written; the next start loads them again, to no effect");
            return;
        }
        for id in &over {
            table.states.remove(id);
        }
        drop(table);
        over.into_iter().for_each(|id| remove_bytes(&self.path(id), id));
    }
}

impl Item {
    /// What fields of a definition may ask for.
    pub fn job(&self) -> BTreeMap<String, String> {
        let mut job = self.attributes.clone();
        let own = [
            ("receiver", self.receiver.as_str()),
            ("queue", self.queue.as_deref().unwrap_or_default()),
            ("peer", &self.peer),
            ("user", &self.sent_by),
            ("file", &self.file),
            ("received", &crate::auth::clock::iso(self.received_at)),
        ]
        .map(|(name, value)| (name.to_string(), value.to_string()));
        for (name, value) in own.into_iter().filter(|(_, value)| !value.is_empty()) {
            job.entry(name).or_insert(value);
        }
        job
    }
}

/// Looks at a stream that nobody knows.
fn look(path: &Path, bytes: u64, folder: &Path) -> Preview {
    let outside = Context::new(Arc::new(NoLibraries), Limits::default());
    let head = folder.join(format!("{}.part", path.file_stem().unwrap_or_default().to_string_lossy()));
    let looked = catch_unwind(AssertUnwindSafe(|| {
        if bytes <= PREVIEW_BYTES {
            return inspect(path, &outside).map_err(|error| error.to_string());
        }
        let copied =
            File::open(path).and_then(|file| io::copy(&mut file.take(PREVIEW_BYTES), &mut File::create(&head)?));
        copied.map_err(|error| error.to_string())?;
        inspect(&head, &outside).map_err(|error| error.to_string())
    }));
    let _ = std::fs::remove_file(&head);
    let looked = looked.unwrap_or_else(|_| Err("the program failed at this stream".into()));
    let mut inspection = match looked {
        Ok(inspection) => inspection,
        Err(error) => Inspection { format: "unknown".into(), bytes, evidence: vec![error], ..Inspection::default() },
    };
    let first_page = inspection.first_page.take().unwrap_or_default().chars().take(PREVIEW_CHARACTERS).collect();
    Preview {
        inspection: serde_json::to_value(&inspection).unwrap_or_default(),
        first_page,
        looked_at_bytes: (bytes > PREVIEW_BYTES).then_some(PREVIEW_BYTES),
    }
}
