//! Streams sent over HTTP: on disk before the sender hears yes, loaded one after another in the background.
//!
//! A stream lies in `intake/` below the archive's folder, its row in [`Family::Intake`]. Both are durable before the
//! 202. A server that starts finds the rows that are not finished and loads them; loading is idempotent, so a crash
//! in the middle of a load does no harm. The file of a finished stream is removed; its row stays, as the answer to
//! `GET /api/v1/loads/{id}`.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};

use super::backend::{Backend, BackendError};
use crate::archive::LoadId;
use crate::archive::kv::{Batch, Engine, Family, StoreError};
use crate::auth::clock::Clock;

const VERSION: u8 = 1;

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Received.
    Queued,
    /// Being loaded.
    Running,
    /// Loaded; `load` names the load.
    Done,
    /// Cannot be loaded; `error` tells why.
    Failed,
}

impl JobState {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Failed => "failed",
        }
    }
}

/// A stream that was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Job {
    /// Its number, from 1.
    pub id: u64,
    /// How far it is.
    pub state: JobState,
    /// The name it came with.
    pub file: String,
    /// The report definition that the sender named.
    pub definition: Option<String>,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of what was received, lower-case hex.
    pub sha256: String,
    /// Who sent it.
    pub sent_by: String,
    /// Seconds since 1970 UTC.
    pub received_at: i64,
    /// The load it became.
    pub load: Option<u32>,
    /// The same stream had been loaded before.
    pub duplicate: bool,
    /// Why it failed.
    pub error: Option<String>,
}

/// The queue. Cloned handles share it.
#[derive(Clone)]
pub struct Intake {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Arc<dyn Engine>,
    folder: PathBuf,
    clock: Clock,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<u64>,
    last: u64,
    stop: bool,
}

impl Intake {
    /// The queue of this archive, with what was left of an earlier run.
    pub fn open(engine: Arc<dyn Engine>, data: &Path, clock: Clock) -> Result<Intake, BackendError> {
        let folder = data.join("intake");
        std::fs::create_dir_all(&folder)?;
        let mut queue = Queue::default();
        let mut wanted = Vec::new();
        let mut rows = Vec::new();
        let visit = &mut |_: &[u8], value: &[u8]| {
            rows.push(decode(value));
            ControlFlow::Continue(())
        };
        engine.scan(Family::Intake, &[]..&[], visit).map_err(|error| BackendError::Failed(error.to_string()))?;
        for job in rows {
            let job = job.map_err(|error| BackendError::Failed(error.to_string()))?;
            queue.last = queue.last.max(job.id);
            if matches!(job.state, JobState::Queued | JobState::Running) {
                queue.waiting.push_back(job.id);
            }
            if job.state != JobState::Done {
                wanted.push(file_name(job.id));
            }
        }
        let (queue, changed) = (Mutex::new(queue), Condvar::new());
        let intake = Intake { inner: Arc::new(Inner { engine, folder, clock, queue, changed }) };
        intake.sweep(&wanted)?;
        Ok(intake)
    }

    /// Removes what no row names: uploads that broke off, and files of finished streams.
    fn sweep(&self, wanted: &[String]) -> Result<(), BackendError> {
        for entry in std::fs::read_dir(&self.inner.folder)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = name.ends_with(".part") || name.ends_with(".stream");
            if ours && !wanted.contains(&name) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// A file to receive a stream into.
    pub fn part(&self) -> io::Result<(PathBuf, File)> {
        let name = crate::auth::secret::token().map_err(io::Error::other)?;
        let path = self.inner.folder.join(format!("{name}.part"));
        let file = File::options().write(true).create_new(true).open(&path)?;
        Ok((path, file))
    }

    /// Takes a received stream over. When this returns, file and row survive a power cut.
    pub fn accept(&self, part: &Path, file: &File, job: Job) -> Result<Job, BackendError> {
        file.sync_all()?;
        let id = {
            let mut queue = self.inner.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.last += 1;
            queue.last
        };
        let job = Job { id, state: JobState::Queued, received_at: self.inner.clock.now(), ..job };
        std::fs::rename(part, self.path(id))?;
        File::open(&self.inner.folder)?.sync_all()?;
        self.put(&job).map_err(|error| BackendError::Failed(error.to_string()))?;
        let mut queue = self.inner.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push_back(id);
        self.inner.changed.notify_one();
        Ok(job)
    }

    /// What is known of a stream.
    pub fn job(&self, id: u64) -> Result<Option<Job>, StoreError> {
        let bytes = self.inner.engine.get(Family::Intake, &id.to_be_bytes())?;
        bytes.map(|bytes| decode(&bytes)).transpose()
    }

    /// All streams that are not loaded: waiting, running and failed.
    pub fn open_jobs(&self) -> Result<Vec<Job>, StoreError> {
        let mut rows = Vec::new();
        self.inner.engine.scan(Family::Intake, &[]..&[], &mut |_, value| {
            rows.push(decode(value));
            ControlFlow::Continue(())
        })?;
        let jobs: Vec<Job> = rows.into_iter().collect::<Result<_, _>>()?;
        Ok(jobs.into_iter().filter(|job| job.state != JobState::Done).collect())
    }

    /// Streams that wait.
    pub fn waiting(&self) -> usize {
        self.inner.queue.lock().unwrap_or_else(PoisonError::into_inner).waiting.len()
    }

    /// Starts the thread that loads.
    pub fn work(&self, backend: Arc<dyn Backend>) -> io::Result<JoinHandle<()>> {
        let intake = self.clone();
        std::thread::Builder::new().name("greenbar-loads".into()).spawn(move || {
            while let Some(id) = intake.next() {
                if let Err(error) = intake.load(&*backend, id) {
                    tracing::error!(job = id, %error, "a received stream was not loaded; the next start tries again");
                }
            }
        })
    }

    /// Lets the running load finish; what waits stays for the next start.
    pub fn stop(&self) {
        self.inner.queue.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.inner.changed.notify_all();
    }

    fn next(&self) -> Option<u64> {
        let mut queue = self.inner.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if queue.stop {
                return None;
            }
            if let Some(id) = queue.waiting.pop_front() {
                return Some(id);
            }
            queue = self.inner.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn load(&self, backend: &dyn Backend, id: u64) -> Result<(), StoreError> {
        let Some(mut job) = self.job(id)? else { return Ok(()) };
        job.state = JobState::Running;
        self.put(&job)?;
        let path = self.path(id);
        match backend.load_stream(&path, &job.file, job.definition.as_deref()) {
            Ok((row, duplicate)) => {
                tracing::info!(job = id, load = row.id.0, documents = row.documents, duplicate, "a stream was loaded");
                (job.state, job.load, job.duplicate) = (JobState::Done, Some(row.id.0), duplicate);
            }
            Err(error) => {
                tracing::warn!(job = id, %error, "a stream could not be loaded");
                (job.state, job.error) = (JobState::Failed, Some(error.to_string()));
            }
        }
        self.put(&job)?;
        // A failed stream stays on disk: it was acknowledged, and somebody may want to try another definition.
        if job.state == JobState::Done
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!(job = id, %error, "the file of a loaded stream was not removed");
        }
        Ok(())
    }

    fn put(&self, job: &Job) -> Result<(), StoreError> {
        let mut value = vec![VERSION];
        serde_json::to_writer(&mut value, job).map_err(|error| StoreError::Failed { detail: error.to_string() })?;
        let mut batch = Batch::default();
        batch.put(Family::Intake, job.id.to_be_bytes(), value);
        self.inner.engine.commit(batch)
    }

    fn path(&self, id: u64) -> PathBuf {
        self.inner.folder.join(file_name(id))
    }
}

impl Job {
    /// The load it became, when it did.
    pub fn load_id(&self) -> Option<LoadId> {
        self.load.map(LoadId)
    }
}

fn file_name(id: u64) -> String {
    format!("{id}.stream")
}

fn decode(value: &[u8]) -> Result<Job, StoreError> {
    let broken = |detail: String| StoreError::Failed { detail };
    match value.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(|e| broken(format!("a broken intake row: {e}"))),
        _ => Err(broken("an intake row of an unknown version".into())),
    }
}
