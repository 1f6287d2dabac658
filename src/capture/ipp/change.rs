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
use crate::capture::{CaptureError, Item};

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
    /// It has no document yet.
    Open(Job),
    /// It is a received stream.
    Taken(Job, Box<Item>),
}

impl Printer {
    /// The job that a request names, when it is the sender's own.
    fn own(&self, request: &Request, target: &Target, peer: &str) -> Result<Own, Refusal> {
        let job = self.find(request, target, peer)?;
        check_user(request, &job)?;
        Ok(match self.intake.item(job.id)? {
            Some(item) => Own::Taken(job, Box::new(item)),
            None => Own::Open(job),
        })
    }

    /// Hold-Job, Release-Job, and `job-hold-until` of Set-Job-Attributes.
    pub fn hold(&self, request: &Request, target: &Target, peer: &str, held: bool) -> Result<Reply, Refusal> {
        wants_hold(request)?;
        let (own, by) = (self.own(request, target, peer)?, sender(request, peer));
        let now = self.intake.now();
        let id = match &own {
            Own::Open(job) => {
                if !self.jobs.hold(job.id, held, now) {
                    return Err(over());
                }
                job.id
            }
            Own::Taken(job, item) => {
                match (item.hold(), held) {
                    (Some(Hold::Sender), true) => {}
                    (Some(Hold::Paused), true) => self.state(self.intake.hold(item.id, &by, BY_SENDER))?,
                    (Some(Hold::Sender), false) => {
                        self.state(self.intake.let_go(item.id, &by))?;
                        self.note(request, peer, "intake-release", item, "");
                    }
                    (Some(_), _) => return Err(not_possible("somebody else holds the job")),
                    (None, _) => return Err(over()),
                }
                job.id
            }
        };
        self.tell_change(id, "job-state-changed");
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Restart-Job: a stream that failed or that nobody knew is tried again.
    pub fn restart(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let held = wants_hold(request)?.unwrap_or(false);
        let Own::Taken(_, item) = self.own(request, target, peer)? else {
            return Err(not_possible("the job has no document"));
        };
        let by = sender(request, peer);
        let again = self.intake.retry(item.id, &by);
        self.state(again)?;
        self.note(request, peer, "intake-retry", &item, "");
        if held {
            self.state(self.intake.hold(item.id, &by, BY_SENDER))?;
        }
        self.tell_change(item.id, "job-state-changed");
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Cancel-Job: a job without a document, or one that its sender holds.
    pub fn cancel(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        match self.own(request, target, peer)? {
            Own::Open(job) => {
                if !self.jobs.cancel(job.id, &user(request), self.intake.now()) {
                    return Err(over());
                }
                self.tell_change(job.id, "job-completed");
            }
            Own::Taken(_, item) if item.hold() == Some(Hold::Sender) => {
                let why = "canceled by its sender";
                self.state(self.intake.discard_by(item.id, &sender(request, peer), why))?;
                self.note(request, peer, "intake-discard", &item, why);
                self.tell_change(item.id, "job-completed");
            }
            Own::Taken(..) => return Err(over()),
        }
        Ok(Reply::new(request, Status::Ok, ""))
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
    fn state(&self, done: Result<Item, CaptureError>) -> Result<(), Refusal> {
        match done {
            Ok(_) => Ok(()),
            Err(error @ CaptureError::State { .. }) => Err(not_possible(&error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    fn note(&self, request: &Request, peer: &str, kind: &str, item: &Item, why: &str) {
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

fn over() -> Refusal {
    not_possible("the job is over")
}

fn not_possible(why: &str) -> Refusal {
    Refusal::new(Status::NotPossible, why)
}
