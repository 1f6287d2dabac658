//! What a sender changes of its own jobs: held, let go, tried again, given up (RFC 8011, sections 4.2.2 and 4.3.3 to 4.3.7;
//! RFC 3380).
//!
//! A job is its sender's when address and user are the same. What was taken over is the archive's: it can be held only from
//! the beginning (`job-hold-until`), let go and given up only while the sender holds it, and tried again when it failed.

use super::jobs::{Job, Stage};
use super::message::{JOB, Reply, Request, Value};
use super::printer::{Printer, check_user, user};
use super::status::{Refusal, Status};
use super::target::Target;
use crate::capture::item::{BY_SENDER, Hold};
use crate::capture::{CaptureError, Item, State};

/// What `job-hold-until` may say.
pub const HOLDS: &[&str] = &["no-hold", "indefinite"];
/// The attributes of a job that can be set.
pub const SETTABLE: &[&str] = &["job-hold-until"];

/// Whether a request wants its job held; `None`: it says nothing of that.
pub fn wants_hold(request: &Request) -> Result<Option<bool>, Refusal> {
    match request.first("job-hold-until") {
        None => Ok(None),
        // Taken away, or given without a value.
        Some(Value::None) => Ok(Some(false)),
        Some(Value::Text(_, word)) if word == "no-hold" => Ok(Some(false)),
        Some(Value::Text(_, word)) if word == "indefinite" => Ok(Some(true)),
        Some(_) => Err(Refusal::new(Status::NotSupported, "job-hold-until is no-hold or indefinite")),
    }
}

/// The sender, as the history and the audit name it.
pub fn sender(request: &Request, peer: &str) -> String {
    format!("{} ({peer}, IPP)", user(request))
}

/// Who holds the stream of a job and what is to become of it.
enum Own {
    /// It takes documents; those that it has.
    Open(Job, Vec<Item>),
    /// It is over for its sender: what it became.
    Taken(Job, Vec<Item>),
}

impl Printer {
    /// The job that a request names, when it is the sender's own.
    fn own(&self, request: &Request, target: &Target, peer: &str) -> Result<Own, Refusal> {
        let job = self.find(request, target, peer)?;
        check_user(request, &job)?;
        let documents = self.intake.documents(job.id)?;
        Ok(match self.jobs.get(job.id, self.intake.now()) {
            Some(open) => Own::Open(open, documents),
            None => Own::Taken(job, documents),
        })
    }

    /// Hold-Job, Release-Job, and `job-hold-until` of Set-Job-Attributes.
    pub fn hold(&self, request: &Request, target: &Target, peer: &str, held: bool) -> Result<Reply, Refusal> {
        wants_hold(request)?;
        let (own, by) = (self.own(request, target, peer)?, sender(request, peer));
        let now = self.intake.now();
        let (id, documents) = match &own {
            Own::Open(job, documents) => {
                if !self.jobs.hold(job.id, held, now) {
                    return Err(over());
                }
                // Of what came already, that which is held can be let go; the rest is the archive's.
                let held_ones = documents.iter().filter(|item| item.hold() == Some(Hold::Sender));
                (job.id, held_ones.collect::<Vec<_>>())
            }
            Own::Taken(job, documents) => {
                // What was given up of it is over.
                let left: Vec<&Item> = documents.iter().filter(|item| item.state != State::Discarded).collect();
                if left.is_empty() {
                    return Err(over());
                }
                (job.id, left)
            }
        };
        for item in documents {
            match (item.hold(), held) {
                (Some(Hold::Sender), true) => {}
                (Some(Hold::Paused | Hold::New), true) => self.state(self.intake.hold(item.id, &by, BY_SENDER))?,
                (Some(Hold::Sender), false) => {
                    self.state(self.intake.let_go(item.id, &by))?;
                    self.note(request, peer, "intake-release", item, "");
                }
                (Some(_), _) => return Err(not_possible("somebody else holds the job")),
                (None, _) => return Err(over()),
            }
        }
        self.tell_change(id, "job-state-changed");
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Restart-Job: a stream that failed or that nobody knew is tried again.
    pub fn restart(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let held = wants_hold(request)?.unwrap_or(false);
        let Own::Taken(job, mut documents) = self.own(request, target, peer)? else {
            return Err(not_possible("the job is not over"));
        };
        let by = sender(request, peer);
        if documents.len() > 1 {
            // Those that were loaded are not tried again.
            documents.retain(|item| matches!(item.state, State::Failed | State::Unidentified));
        }
        if documents.is_empty() {
            return Err(over());
        }
        for item in &documents {
            let again = self.intake.retry(item.id, &by);
            self.state(again)?;
            self.note(request, peer, "intake-retry", item, "");
            if held {
                self.state(self.intake.hold(item.id, &by, BY_SENDER))?;
            }
        }
        self.tell_change(job.id, "job-state-changed");
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Cancel-Job: a job without a document, or one that its sender holds.
    pub fn cancel(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let (Own::Open(job, documents) | Own::Taken(job, documents)) = self.own(request, target, peer)?;
        if !self.give_up(request, peer, &job, &documents)? {
            let taken = || not_possible("its documents are taken over: they are the archive's");
            return Err(if job.stage.is_over() { over() } else { taken() });
        }
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Gives a job up, with what its sender holds of it; false: it is the archive's, or over.
    pub fn give_up(&self, request: &Request, peer: &str, job: &Job, documents: &[Item]) -> Result<bool, Refusal> {
        if !may_be_given_up(job, documents) {
            return Ok(false);
        }
        let canceled = self.jobs.cancel(job.id, &user(request), self.intake.now());
        for item in documents.iter().filter(|item| item.state == State::Held) {
            self.discard(request, peer, item)?;
        }
        if canceled || !documents.is_empty() {
            self.tell_change(job.id, "job-completed");
        }
        Ok(canceled || !documents.is_empty())
    }

    /// Gives up a stream that its sender holds.
    pub fn discard(&self, request: &Request, peer: &str, item: &Item) -> Result<(), Refusal> {
        let why = "canceled by its sender";
        self.state(self.intake.discard_by(item.id, &sender(request, peer), why))?;
        self.note(request, peer, "intake-discard", item, why);
        Ok(())
    }

    /// Close-Job: nothing more comes.
    pub fn close(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let (Own::Open(job, _) | Own::Taken(job, _)) = self.own(request, target, peer)?;
        if job.stage == Stage::Receiving {
            return Err(not_possible("a document of it is being received"));
        }
        if !job.stage.is_over() && self.jobs.get(job.id, self.intake.now()).is_some() {
            self.jobs.close(job.id, self.intake.now());
            self.tell_change(job.id, "job-completed");
        }
        let mut reply = Reply::new(request, Status::Ok, "");
        self.tell_of(&mut reply, target, self.known(job.id)?);
        Ok(reply)
    }

    /// Set-Job-Attributes: all that is given, or nothing.
    pub fn set_job(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let given: Vec<&str> = request.group(JOB).map(|attribute| attribute.name.as_str()).collect();
        if given.is_empty() {
            return Err(Refusal::bad("there are no attributes to set"));
        }
        if let Some(other) = given.iter().find(|name| !SETTABLE.contains(name)) {
            return Err(Refusal::new(Status::NotSettable, format!("{other} cannot be set")));
        }
        let held = wants_hold(request)?.unwrap_or(false);
        self.hold(request, target, peer, held)
    }

    /// What the intake says of a change that is not possible now.
    pub fn state(&self, done: Result<Item, CaptureError>) -> Result<(), Refusal> {
        match done {
            Ok(_) => Ok(()),
            Err(error @ CaptureError::State { .. }) => Err(not_possible(&error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    pub fn note(&self, request: &Request, peer: &str, kind: &str, item: &Item, why: &str) {
        self.intake.record(&format!("ipp:{}", user(request)), peer, kind, &item.named(), why);
    }

    /// Tells subscribers that a job changed.
    pub fn tell_change(&self, id: u64, event: &'static str) {
        if let Ok(Some(job)) = self.known(id) {
            let event = if job.stage == Stage::Completed { "job-completed" } else { event };
            self.subscriptions.job(&job, event, self.intake.now());
        }
    }
}

/// Whether nothing of a job is the archive's: without documents, or with such as its sender holds.
pub fn may_be_given_up(job: &Job, documents: &[Item]) -> bool {
    let gone = |item: &Item| item.state == State::Discarded;
    let held = |item: &Item| item.hold() == Some(Hold::Sender);
    !job.stage.is_over() && documents.iter().all(|item| gone(item) || held(item))
}

pub fn over() -> Refusal {
    not_possible("the job is over")
}

pub fn not_possible(why: &str) -> Refusal {
    Refusal::new(Status::NotPossible, why)
}
