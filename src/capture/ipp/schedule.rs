//! Jobs in their order, and once more (RFC 3998; PWG 5100.11): suspended and resumed, promoted, put behind another, given up many
//! at once, printed again.
//!
//! A job whose documents are durable is over for its sender; its load is the archive's business. So the current job is one
//! whose document is coming, and those that can be put in another order stand still with their queue.

use std::net::IpAddr;

use super::change::{may_be_given_up, not_possible, over, sender, wants_hold};
use super::jobs::{Job, Stage};
use super::message::{JOB, Reply, Request, Value};
use super::printer::{Printer, check_user, user};
use super::status::{Refusal, Status};
use super::target::Target;
use crate::capture::item::{Arrival, BY_SENDER, Hold, plain};
use crate::capture::{Item, State};

impl Printer {
    /// The job of the queue whose document is coming; the one that the request names must be it.
    fn current(&self, request: &Request, target: &Target) -> Result<Job, Refusal> {
        let comes = |job: &Job| job.stage == Stage::Receiving && job.queue.eq_ignore_ascii_case(&target.queue);
        let named = request.integer("job-id").and_then(|id| u64::try_from(id).ok());
        let mut jobs = self.jobs.all(self.intake.now()).into_iter().filter(comes);
        let found = jobs.find(|job| named.is_none_or(|id| job.id == id));
        found.ok_or_else(|| not_possible("no such job is being received"))
    }

    /// Cancel-Current-Job: its document is not taken over.
    pub fn cancel_current(&self, request: &Request, target: &Target, peer: IpAddr) -> Result<Reply, Refusal> {
        self.need_operator(peer)?;
        let job = self.current(request, target)?;
        let documents = self.intake.documents(job.id)?;
        if !self.give_up(request, &peer.to_string(), &job, &documents)? {
            return Err(not_possible("documents of the job are taken over already"));
        }
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Suspend-Current-Job: what comes of it is taken and held until Resume-Job.
    pub fn suspend_current(&self, request: &Request, target: &Target, peer: IpAddr) -> Result<Reply, Refusal> {
        self.need_operator(peer)?;
        let job = self.current(request, target)?;
        let by = sender(request, &peer.to_string());
        if !self.jobs.suspend(job.id, Some(by), self.intake.now()) {
            return Err(over());
        }
        self.recorded(request, peer, "intake-hold", &format!("job {}", job.id));
        self.tell_change(job.id, "job-state-changed");
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Resume-Job: of one that was suspended.
    pub fn resume(&self, request: &Request, target: &Target, peer: IpAddr) -> Result<Reply, Refusal> {
        self.need_operator(peer)?;
        let job = self.of_queue(request, target)?;
        let by = sender(request, &peer.to_string());
        let open = self.jobs.get(job.id, self.intake.now()).is_some_and(|job| job.suspended.is_some());
        let suspended = |item: &Item| item.hold() == Some(Hold::Suspended);
        let documents: Vec<Item> = self.intake.documents(job.id)?.into_iter().filter(suspended).collect();
        if !open && documents.is_empty() {
            return Err(not_possible("the job is not suspended"));
        }
        if open {
            self.jobs.suspend(job.id, None, self.intake.now());
        }
        for item in documents {
            self.state(self.intake.let_go(item.id, &by))?;
        }
        self.recorded(request, peer, "intake-release", &format!("job {}", job.id));
        self.tell_change(job.id, "job-state-changed");
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Promote-Job and Schedule-Job-After: of what stands still with the queue, the next to be loaded, or the next behind another.
    pub fn schedule(&self, request: &Request, target: &Target, peer: IpAddr) -> Result<Reply, Refusal> {
        self.need_operator(peer)?;
        let job = self.of_queue(request, target)?;
        let before = match request.integer("predecessor-job-id") {
            Some(id) => {
                let id = u64::try_from(id).map_err(|_| Refusal::bad("predecessor-job-id is a number of a job"))?;
                if id == job.id {
                    return Err(Refusal::bad("a job cannot come behind itself"));
                }
                let last = self.intake.documents(id)?.pop();
                Some(last.ok_or_else(|| Refusal::new(Status::NotFound, format!("there is no job {id}")))?.id)
            }
            None => None,
        };
        // Backwards, each before or behind the same place, so that the documents keep their order.
        let mut moved = false;
        for item in self.intake.documents(job.id)?.iter().rev() {
            moved |= self.intake.put_behind(item.id, before)?;
        }
        if !moved {
            return Err(not_possible("only jobs that wait for their printer have an order"));
        }
        self.recorded(request, peer, "intake-queue", &format!("queue {}: order of job {}", target.queue, job.id));
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Cancel-Jobs, by operators, and Cancel-My-Jobs: all that are named, or none; without names those that can be given up.
    pub fn cancel_jobs(&self, request: &Request, target: &Target, peer: IpAddr, mine: bool) -> Result<Reply, Refusal> {
        if !mine {
            self.need_operator(peer)?;
        }
        let from = peer.to_string();
        let ids = request.integers("job-ids");
        let mut jobs = self.all_jobs(&target.queue, ids.is_empty())?;
        jobs.retain(|job| !mine || (job.peer == from && (!ids.is_empty() || job.user == user(request))));
        if !ids.is_empty() {
            let named = |id: &i32| jobs.iter().find(|job| i32::try_from(job.id) == Ok(*id)).cloned();
            let not_found = |id: &i32| Refusal::new(Status::NotFound, format!("there is no job {id}"));
            jobs = ids.iter().map(|id| named(id).ok_or_else(|| not_found(id))).collect::<Result<_, _>>()?;
        }
        let mut whole = Vec::new();
        for job in jobs {
            if mine {
                check_user(request, &job)?;
            }
            let documents = self.intake.documents(job.id)?;
            if may_be_given_up(&job, &documents) {
                whole.push((job, documents));
            } else if !ids.is_empty() {
                return Err(not_possible(&format!("job {} is over, or its documents are taken over", job.id)));
            }
        }
        for (job, documents) in &whole {
            self.give_up(request, &from, job, documents)?;
        }
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Reprocess-Job and Resubmit-Job: one's own job that is over, brought once more as another job while its bytes are here.
    pub fn reprocess(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let job = self.find(request, target, peer)?;
        check_user(request, &job)?;
        let documents = self.intake.documents(job.id)?;
        if !job.stage.is_over() || documents.is_empty() {
            return Err(not_possible("the job is not over, or has no document"));
        }
        if !documents.iter().all(|item| matches!(item.state, State::Failed | State::Unidentified)) {
            return Err(not_possible("its documents are not kept here: they are loaded, or given up"));
        }
        self.intake.admits(&target.queue)?;
        let held = wants_hold(request)?.unwrap_or(false).then(|| (sender(request, peer), BY_SENDER));
        let mut first = None;
        for item in &documents {
            let mut arrival = again(item, target, request);
            (arrival.kept_by, arrival.of_job) = (held.clone(), first);
            let made = self.intake.bring_again(item.id, arrival)?;
            first = first.or(Some(made.id));
        }
        let made = first.map(|id| self.known(id)).transpose()?.flatten();
        Ok(self.made(request, target, peer, made))
    }

    /// A job of the printer's queue, whoever sent it.
    fn of_queue(&self, request: &Request, target: &Target) -> Result<Job, Refusal> {
        let named = request.integer("job-id").and_then(|id| u64::try_from(id).ok());
        let id = target.job.or(named).ok_or_else(|| Refusal::bad("there is no job-id"))?;
        let fits = |job: &Job| target.job.is_some() || job.queue.eq_ignore_ascii_case(&target.queue);
        let job = self.known(id)?.filter(fits);
        job.ok_or_else(|| Refusal::new(Status::NotFound, format!("there is no job {id}")))
    }

    fn recorded(&self, request: &Request, peer: IpAddr, kind: &str, what: &str) {
        self.intake.record(&format!("ipp:{}", user(request)), &peer.to_string(), kind, what, "");
    }
}

/// What is known of a stream that is brought once more: as it was, with what the request says of it.
fn again(item: &Item, target: &Target, request: &Request) -> Arrival {
    let mut arrival = Arrival {
        receiver: super::RECEIVER,
        file: item.file.clone(),
        queue: Some(plain(&target.queue)),
        peer: item.peer.clone(),
        sent_by: item.sent_by.clone(),
        attributes: item.attributes.clone(),
        only_known: Some(item.only_known),
        ..Arrival::default()
    };
    for attribute in request.group(JOB).filter(|attribute| attribute.name != "job-hold-until") {
        let values: Vec<String> = attribute.values.iter().filter_map(Value::shown).collect();
        arrival.attribute(&plain(&attribute.name), &values.join(","));
    }
    arrival
}
