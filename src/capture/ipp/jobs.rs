//! Jobs: those that wait for their document, and what is told of those that are received streams.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::message::{Request, Value};
use super::status::{Refusal, Status};
use crate::capture::item::Hold;
use crate::capture::{Item, State};

/// Jobs that ended without a document and are still told of.
const TOLD: usize = 1_000;
/// Times are told in seconds since 2020, so that they fit for 68 years and go on when the server starts again.
const EPOCH: i64 = 1_577_836_800;

/// How far a job is (RFC 8011, section 5.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its queue is paused.
    Pending,
    /// It waits for its document, or its sender or an operator holds it.
    Held,
    /// Its document is being received.
    Receiving,
    /// Somebody gave it up.
    Canceled,
    /// It was given up here.
    Aborted,
    /// Its document is taken over.
    Completed,
}

impl Stage {
    fn number(self) -> i32 {
        match self {
            Stage::Pending => 3,
            Stage::Held => 4,
            Stage::Receiving => 5,
            Stage::Canceled => 7,
            Stage::Aborted => 8,
            Stage::Completed => 9,
        }
    }

    /// Whether nothing more becomes of it.
    pub fn is_over(self) -> bool {
        matches!(self, Stage::Canceled | Stage::Aborted | Stage::Completed)
    }
}

/// A job, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number: that of the received stream.
    pub id: u64,
    /// Its queue.
    pub queue: String,
    /// The address that it came from.
    pub peer: String,
    /// The user that it names.
    pub user: String,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub stage: Stage,
    /// Its sender wants it held.
    pub held: bool,
    reason: &'static str,
    message: String,
    created: i64,
    ended: i64,
    bytes: u64,
}

impl Job {
    /// What a received stream is as a job. It is completed when it is durable: loading it is not the sender's business.
    pub fn of_item(item: &Item) -> Option<Job> {
        if item.receiver != super::RECEIVER {
            return None;
        }
        let (stage, reason) = match item.state {
            State::Discarded => (Stage::Canceled, "job-canceled-by-operator"),
            State::Failed => (Stage::Completed, "job-completed-with-errors"),
            State::Unidentified => (Stage::Completed, "job-completed-with-warnings"),
            State::Held if item.hold() == Some(Hold::Paused) => (Stage::Pending, "printer-stopped"),
            State::Held => (Stage::Held, "job-hold-until-specified"),
            State::Received | State::Identified | State::Loading | State::Loaded => {
                (Stage::Completed, "job-completed-successfully")
            }
        };
        Some(Job {
            id: item.id,
            queue: item.queue.clone().unwrap_or_default(),
            peer: item.peer.clone(),
            user: item.sent_by.clone(),
            name: item.attributes.get("job-name").unwrap_or(&item.file).clone(),
            stage,
            held: item.hold() == Some(Hold::Sender),
            reason,
            message: item.state.name().into(),
            created: item.received_at,
            ended: item.received_at,
            bytes: item.bytes,
        })
    }

    /// Its state and the reason for it.
    pub fn told(&self) -> (i32, &'static str) {
        (self.stage.number(), self.reason)
    }

    /// How it is, for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Its attributes: those that are asked for; all when nothing is said.
    pub fn attributes(&self, host: &str, printer_uri: &str, now: i64) -> Vec<(&'static str, Vec<Value>)> {
        let id = i32::try_from(self.id).unwrap_or(i32::MAX);
        let kib = i32::try_from(self.bytes.div_ceil(1024)).unwrap_or(i32::MAX);
        let over = self.stage.is_over();
        let ended = if over { Value::Integer(seconds(self.ended)) } else { Value::None };
        let begun = if over || self.stage == Stage::Receiving { seconds(self.created).into() } else { Value::None };
        vec![
            ("job-id", vec![id.into()]),
            ("job-uri", vec![Value::uri(format!("ipp://{host}/jobs/{}", self.id))]),
            ("job-state", vec![Value::Enum(self.stage.number())]),
            ("job-state-reasons", vec![Value::keyword(self.reason)]),
            ("job-state-message", vec![Value::text(&self.message)]),
            ("job-printer-uri", vec![Value::uri(printer_uri)]),
            ("job-hold-until", vec![Value::keyword(if self.held { "indefinite" } else { "no-hold" })]),
            ("job-name", vec![Value::name(&self.name)]),
            ("job-originating-user-name", vec![Value::name(&self.user)]),
            ("job-k-octets", vec![kib.into()]),
            ("number-of-documents", vec![i32::from(self.bytes > 0).into()]),
            ("time-at-creation", vec![seconds(self.created).into()]),
            ("time-at-processing", vec![begun]),
            ("time-at-completed", vec![ended]),
            ("job-printer-up-time", vec![seconds(now).into()]),
        ]
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Value {
        Value::Integer(number)
    }
}

/// A time as IPP's clock tells it.
pub fn seconds(at: i64) -> i32 {
    i32::try_from((at - EPOCH).max(1)).unwrap_or(i32::MAX)
}

/// A job that has no document yet.
#[derive(Debug, Clone)]
struct Open {
    job: Job,
    request: Arc<Request>,
    touched: i64,
}

/// The jobs that have no document (yet). They do not outlive the server: nothing of them was acknowledged but their number.
#[derive(Debug)]
pub struct Jobs {
    open: Mutex<BTreeMap<u64, Open>>,
    most: usize,
    patience_s: i64,
}

impl Jobs {
    /// At most `most` jobs may be open, each so many seconds without a document.
    pub fn new(most: usize, patience_s: u64) -> Jobs {
        Jobs { open: Mutex::default(), most, patience_s: i64::try_from(patience_s).unwrap_or(i64::MAX) }
    }

    fn table(&self, now: i64) -> MutexGuard<'_, BTreeMap<u64, Open>> {
        let mut table = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for open in table.values_mut() {
            if open.job.stage == Stage::Held && now - open.touched > self.patience_s {
                open.end(Stage::Aborted, "aborted-by-system", "no document came in time", now);
            }
        }
        let over = table.values().filter(|open| open.job.stage.is_over()).count();
        let surplus: Vec<u64> =
            table.values().filter(|open| open.job.stage.is_over()).map(|open| open.job.id).collect();
        for id in surplus.iter().take(over.saturating_sub(TOLD)) {
            table.remove(id);
        }
        table
    }

    /// Fails when too many jobs are open.
    pub fn room(&self, now: i64) -> Result<(), Refusal> {
        let open = self.table(now).values().filter(|open| !open.job.stage.is_over()).count();
        let most = self.most;
        if open < most { Ok(()) } else { Err(Refusal::new(Status::TooManyJobs, format!("{most} jobs are open"))) }
    }

    /// A new job of this number.
    pub fn create(&self, id: u64, queue: &str, peer: &str, request: Request, now: i64) -> Job {
        let job = Job {
            id,
            queue: queue.into(),
            peer: peer.into(),
            user: super::printer::user(&request),
            name: super::printer::job_name(&request),
            stage: Stage::Held,
            held: false,
            reason: "job-data-insufficient",
            message: "waits for its document".into(),
            created: now,
            ended: now,
            bytes: 0,
        };
        let open = Open { job: job.clone(), request: Arc::new(request), touched: now };
        self.table(now).insert(id, open);
        job
    }

    /// A job without a document.
    pub fn get(&self, id: u64, now: i64) -> Option<Job> {
        self.table(now).get(&id).map(|open| open.job.clone())
    }

    /// All of them, oldest first.
    pub fn all(&self, now: i64) -> Vec<Job> {
        self.table(now).values().map(|open| open.job.clone()).collect()
    }

    /// Its document begins to come: until the guard goes nobody else may send one. With it what creating the job said.
    pub fn receive(self: &Arc<Self>, id: u64, now: i64) -> Result<(Receiving, Arc<Request>), Refusal> {
        let mut table = self.table(now);
        let open = table.get_mut(&id).ok_or_else(|| Refusal::new(Status::NotFound, format!("there is no job {id}")))?;
        match open.job.stage {
            Stage::Held => {}
            Stage::Receiving => return Err(Refusal::new(Status::Busy, "its document is being received")),
            _ => return Err(Refusal::new(Status::NotPossible, "the job is over")),
        }
        (open.job.stage, open.job.reason) = (Stage::Receiving, "job-incoming");
        open.job.message = "its document is being received".into();
        Ok((Receiving { jobs: self.clone(), id, now }, open.request.clone()))
    }

    /// Its sender wants its document held when it comes, or not; false: it is over already.
    pub fn hold(&self, id: u64, held: bool, now: i64) -> bool {
        match self.table(now).get_mut(&id).filter(|open| !open.job.stage.is_over()) {
            Some(open) => {
                open.job.held = held;
                true
            }
            None => false,
        }
    }

    /// Gives a job up; false: it is over already.
    pub fn cancel(&self, id: u64, by: &str, now: i64) -> bool {
        match self.table(now).get_mut(&id).filter(|open| !open.job.stage.is_over()) {
            Some(open) => {
                open.end(Stage::Canceled, "job-canceled-by-user", &format!("canceled by {by}"), now);
                true
            }
            None => false,
        }
    }

    /// Ends a job whose sender said that no document comes.
    pub fn close(&self, id: u64, now: i64) -> Option<Job> {
        let mut table = self.table(now);
        let open = table.get_mut(&id)?;
        if !open.job.stage.is_over() {
            open.end(Stage::Aborted, "aborted-by-system", "it was closed without a document", now);
        }
        Some(open.job.clone())
    }

    /// Forgets a job that became a received stream.
    pub fn taken(&self, id: u64, now: i64) {
        self.table(now).remove(&id);
    }
}

impl Open {
    fn end(&mut self, stage: Stage, reason: &'static str, message: &str, now: i64) {
        (self.job.stage, self.job.reason, self.job.ended) = (stage, reason, now);
        self.job.message = message.into();
    }
}

/// A job's document is coming. When this goes and the document was not taken over, the job waits for it again.
#[derive(Debug)]
pub struct Receiving {
    jobs: Arc<Jobs>,
    id: u64,
    now: i64,
}

impl Receiving {
    /// Its number.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether its sender wants it held.
    pub fn is_held(&self) -> bool {
        self.jobs.get(self.id, self.now).is_some_and(|job| job.held)
    }

    /// Whether somebody gave the job up meanwhile.
    pub fn is_canceled(&self) -> bool {
        self.jobs.get(self.id, self.now).is_none_or(|job| job.stage.is_over())
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        let mut table = self.jobs.table(self.now);
        if let Some(open) = table.get_mut(&self.id).filter(|open| open.job.stage == Stage::Receiving) {
            (open.job.stage, open.job.reason) = (Stage::Held, "job-data-insufficient");
            open.job.message = "its document broke off; it waits for it again".into();
        }
    }
}
