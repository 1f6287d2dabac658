//! Jobs: those that wait for a document, and what is told of those that are received streams.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::message::{Request, Value};
use super::status::{Refusal, Status};
use crate::capture::item::Hold;
use crate::capture::{Item, State};

/// Jobs that ended without a document and are still told of.
const TOLD: usize = 1_000;
/// Documents that one job may have.
const MOST_DOCUMENTS: usize = 1_000;
/// Times are told in seconds since 2020, so that they fit for 68 years and go on when the server starts again.
const EPOCH: i64 = 1_577_836_800;

/// How far a job is (RFC 8011, section 5.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its queue is paused.
    Pending,
    /// It waits for its document, or its sender or an operator holds it.
    Held,
    /// A document is being received.
    Receiving,
    /// An operator suspended it.
    Stopped,
    /// Somebody gave it up.
    Canceled,
    /// It was given up here.
    Aborted,
    /// Its document is taken over.
    Completed,
}

impl Stage {
    /// Its number.
    pub fn number(self) -> i32 {
        match self {
            Stage::Pending => 3,
            Stage::Held => 4,
            Stage::Receiving => 5,
            Stage::Stopped => 6,
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
    /// How many documents it has.
    pub documents: usize,
    /// An operator suspended it: who.
    pub suspended: Option<String>,
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
            State::Held if item.hold() == Some(Hold::New) => (Stage::Held, "job-held-on-create"),
            State::Held if item.hold() == Some(Hold::Suspended) => (Stage::Stopped, "job-suspended"),
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
            documents: 1,
            suspended: None,
            reason,
            message: item.state.name().into(),
            created: item.received_at,
            ended: item.received_at,
            bytes: item.bytes,
        })
    }

    /// What the streams are as one job: it is over when all are, and says the worst of them.
    pub fn of_items(items: &[Item]) -> Option<Job> {
        let each: Vec<Job> = items.iter().filter_map(Job::of_item).collect();
        let rank = |job: &Job| match (job.stage, job.reason) {
            (Stage::Completed, "job-completed-successfully") => 1,
            (Stage::Completed, "job-completed-with-warnings") => 2,
            (Stage::Completed, _) => 3,
            (Stage::Canceled | Stage::Aborted, _) => 0,
            (Stage::Pending, _) => 4,
            (Stage::Held | Stage::Receiving, _) => 5,
            (Stage::Stopped, _) => 6,
        };
        let told = each.iter().max_by_key(|job| rank(job))?;
        let mut job = each.first()?.clone();
        (job.stage, job.held, job.reason) = (told.stage, told.held, told.reason);
        job.message.clone_from(&told.message);
        job.documents = each.len();
        job.bytes = each.iter().map(|one| one.bytes).sum();
        job.ended = each.iter().map(|one| one.ended).max()?;
        Some(job)
    }

    /// Its state and the reason for it.
    pub fn told(&self) -> (i32, &'static str) {
        match self.suspended {
            Some(_) if !self.stage.is_over() => (Stage::Stopped.number(), "job-suspended"),
            _ => (self.stage.number(), self.reason),
        }
    }

    /// The same by another number.
    #[must_use]
    pub fn numbered(self, id: u64) -> Job {
        Job { id, ..self }
    }

    /// When it was made, and when it was over.
    pub fn times(&self) -> (i64, i64) {
        (self.created, self.ended)
    }

    /// Its length.
    pub fn bytes(&self) -> u64 {
        self.bytes
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
        let (state, reason) = self.told();
        vec![
            ("job-id", vec![id.into()]),
            ("job-uri", vec![Value::uri(format!("ipp://{host}/jobs/{}", self.id))]),
            ("job-state", vec![Value::Enum(state)]),
            ("job-state-reasons", vec![Value::keyword(reason)]),
            ("job-state-message", vec![Value::text(&self.message)]),
            ("job-printer-uri", vec![Value::uri(printer_uri)]),
            ("job-hold-until", vec![Value::keyword(if self.held { "indefinite" } else { "no-hold" })]),
            ("job-name", vec![Value::name(&self.name)]),
            ("job-originating-user-name", vec![Value::name(&self.user)]),
            ("job-k-octets", vec![kib.into()]),
            ("number-of-documents", vec![i32::try_from(self.documents).unwrap_or(i32::MAX).into()]),
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

/// A job that takes documents.
#[derive(Debug, Clone)]
struct Open {
    job: Job,
    request: Arc<Request>,
    touched: i64,
    /// The streams that its documents are.
    documents: Vec<u64>,
}

/// The jobs that take documents. They do not outlive the server: their documents do, each of which was acknowledged.
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
        let late = |open: &Open| open.job.stage == Stage::Held && now - open.touched > self.patience_s;
        // With documents it is as if it had been closed.
        table.retain(|_, open| open.documents.is_empty() || !late(open));
        for open in table.values_mut().filter(|open| late(open)) {
            open.end(Stage::Aborted, "aborted-by-system", "no document came in time", now);
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
            documents: 0,
            suspended: None,
            reason: "job-data-insufficient",
            message: "waits for its document".into(),
            created: now,
            ended: now,
            bytes: 0,
        };
        let open = Open { job: job.clone(), request: Arc::new(request), touched: now, documents: Vec::new() };
        self.table(now).insert(id, open);
        job
    }

    /// A job that takes documents, or that ended without one.
    pub fn get(&self, id: u64, now: i64) -> Option<Job> {
        self.table(now).get(&id).map(|open| open.job.clone())
    }

    /// All of them, oldest first.
    pub fn all(&self, now: i64) -> Vec<Job> {
        self.table(now).values().map(|open| open.job.clone()).collect()
    }

    /// A document begins to come: until the guard goes nobody else may send one. With it what creating the job said.
    pub fn receive(self: &Arc<Self>, id: u64, now: i64) -> Result<(Receiving, Arc<Request>), Refusal> {
        let mut table = self.table(now);
        let open = table.get_mut(&id).ok_or_else(|| Refusal::new(Status::NotFound, format!("there is no job {id}")))?;
        match open.job.stage {
            Stage::Held if open.documents.len() >= MOST_DOCUMENTS => {
                let why = format!("a job has at most {MOST_DOCUMENTS} documents");
                return Err(Refusal::new(Status::TooManyDocuments, why));
            }
            Stage::Held => {}
            Stage::Receiving => return Err(Refusal::new(Status::Busy, "a document of it is being received")),
            _ => return Err(Refusal::new(Status::NotPossible, "the job is over")),
        }
        (open.job.stage, open.job.reason) = (Stage::Receiving, "job-incoming");
        open.job.message = "a document is being received".into();
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

    /// An operator suspends a job, or (`None`) lets it go on; false: it is over already.
    pub fn suspend(&self, id: u64, by: Option<String>, now: i64) -> bool {
        match self.table(now).get_mut(&id).filter(|open| !open.job.stage.is_over()) {
            Some(open) => {
                open.job.suspended = by;
                true
            }
            None => false,
        }
    }

    /// Ends a job whose sender said that nothing more comes. With documents it is not known here any more.
    pub fn close(&self, id: u64, now: i64) {
        let mut table = self.table(now);
        let Some(open) = table.get_mut(&id) else { return };
        if !open.documents.is_empty() {
            table.remove(&id);
        } else if !open.job.stage.is_over() {
            open.end(Stage::Aborted, "aborted-by-system", "it was closed without a document", now);
        }
    }

    /// A document became a received stream; after the last one the job is not known here any more.
    pub fn taken(&self, id: u64, item: &Item, last: bool, now: i64) {
        let mut table = self.table(now);
        if last {
            table.remove(&id);
        } else if let Some(open) = table.get_mut(&id) {
            open.documents.push(item.id);
            (open.job.documents, open.job.bytes) = (open.documents.len(), open.job.bytes + item.bytes);
            open.touched = now;
            open.wait("waits for more documents, or to be closed");
        }
    }
}

impl Open {
    fn wait(&mut self, message: &str) {
        self.job.stage = Stage::Held;
        self.job.reason = if self.documents.is_empty() { "job-data-insufficient" } else { "job-incoming" };
        self.job.message = message.into();
    }

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

    /// The job as it is now.
    pub fn job(&self) -> Option<Job> {
        self.jobs.get(self.id, self.now)
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
            open.wait("its document broke off; it waits for it again");
        }
    }
}
