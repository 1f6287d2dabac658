//! The printer: what each operation does (RFC 8011, section 4).

use std::net::IpAddr;
use std::sync::Arc;

use super::about;
use super::change::{sender, wants_hold};
use super::document::COMPRESSIONS;
use super::jobs::{Job, Jobs, Receiving};
use super::message::{JOB, OPERATION, PRINTER, Reply, Request, Value};
use super::operation::{
    CANCEL_CURRENT_JOB, CANCEL_DOCUMENT, CANCEL_JOB, CANCEL_JOBS, CANCEL_MY_JOBS, CANCEL_SUBSCRIPTION, CLOSE_JOB,
    CREATE_JOB, CREATE_JOB_SUBSCRIPTIONS, CREATE_PRINTER_SUBSCRIPTIONS, DISABLE_PRINTER, ENABLE_PRINTER,
    GET_DOCUMENT_ATTRIBUTES, GET_DOCUMENTS, GET_JOB_ATTRIBUTES, GET_JOBS, GET_NOTIFICATIONS, GET_PRINTER_ATTRIBUTES,
    GET_PRINTER_SUPPORTED_VALUES, GET_SUBSCRIPTION_ATTRIBUTES, GET_SUBSCRIPTIONS, HOLD_JOB, HOLD_NEW_JOBS,
    NOT_WHEN_DOWN, PAUSE_AFTER_CURRENT_JOB, PAUSE_PRINTER, PRINT_JOB, PROMOTE_JOB, PURGE_JOBS, RELEASE_HELD_NEW_JOBS,
    RELEASE_JOB, RENEW_SUBSCRIPTION, REPROCESS_JOB, RESTART_JOB, RESTART_PRINTER, RESUBMIT_JOB, RESUME_JOB,
    RESUME_PRINTER, SCHEDULE_JOB_AFTER, SEND_DOCUMENT, SET_DOCUMENT_ATTRIBUTES, SET_JOB_ATTRIBUTES,
    SET_PRINTER_ATTRIBUTES, SHUTDOWN_PRINTER, STARTUP_PRINTER, SUSPEND_CURRENT_JOB, VALIDATE_JOB,
};
use super::status::{Refusal, Status};
use super::subscriptions::Subscriptions;
use super::target::Target;
use crate::capture::config::IppConfig;
use crate::capture::door;
use crate::capture::item::{BY_SENDER, SUSPENDED, file_name, plain};
use crate::capture::switches::Switch;
use crate::capture::{Arrival, Intake, Spool, State, Stop};

/// Received streams that are looked through for jobs.
pub const LOOKED_THROUGH: usize = 5_000;
/// Jobs told of at once.
pub const MOST_JOBS: usize = 1_000;
/// Attributes of a request that say nothing of the job, or that stand elsewhere.
const NOT_KEPT: &[&str] = &[
    "attributes-charset",
    "attributes-natural-language",
    "printer-uri",
    "job-uri",
    "job-id",
    "requesting-user-name",
    "job-name",
    "job-hold-until",
    "document-name",
    "compression",
    "last-document",
    "ipp-attribute-fidelity",
    "requested-attributes",
];

/// The printer: all queues.
pub struct Printer {
    /// Its settings.
    pub config: IppConfig,
    /// Where streams go.
    pub intake: Intake,
    /// What is told of it.
    pub told: Arc<door::Told>,
    /// Jobs without a document.
    pub jobs: Arc<Jobs>,
    /// Who wants to hear of what.
    pub subscriptions: Subscriptions,
    /// When it was started.
    pub started: i64,
    /// Ends it.
    pub stop: Stop,
}

/// What is to be done with a request.
pub enum Plan {
    /// Answer it.
    Answer(Reply),
    /// Receive its document, then call [`Printer::take`].
    Receive(Box<Order>),
}

/// A document that is to be received.
pub struct Order {
    request: Request,
    target: Target,
    arrival: Arrival,
    /// How it is compressed.
    pub compression: String,
    /// The job that it belongs to; `None`: it is a job of its own.
    pub receiving: Option<Receiving>,
    /// Nothing more comes for this job, so that there may be no document at all.
    last: bool,
}

/// The user that a request names.
pub fn user(request: &Request) -> String {
    let user = plain(request.text("requesting-user-name").unwrap_or_default());
    if user.is_empty() { "anonymous".into() } else { user }
}

/// The name of the job that a request makes.
pub fn job_name(request: &Request) -> String {
    let names = ["job-name", "document-name"].into_iter().filter_map(|name| request.text(name));
    names.map(plain).find(|name| !name.is_empty()).unwrap_or_else(|| "untitled".into())
}

impl Printer {
    /// What to do with a request from this address. Only [`Order`]s need more of the body.
    pub fn plan(&self, request: Request, peer: IpAddr, host: &str) -> Result<Plan, Refusal> {
        check(&request)?;
        let target = Target::of(&request, host)?;
        let known = self.intake.config().queue(&target.queue).is_some();
        if self.config.known_queues_only && !known && target.job.is_none() {
            return Err(Refusal::new(Status::NotFound, format!("there is no queue {}", target.queue)));
        }
        if NOT_WHEN_DOWN.contains(&request.code) && self.intake.switched(&target.queue).down {
            return Err(Refusal::new(Status::Unavailable, "the printer was shut down"));
        }
        let from = peer.to_string();
        match request.code {
            PRINT_JOB => {
                check_job(&request)?;
                self.intake.admits(&target.queue)?;
                let mut arrival = arrival(&target, &from, &[&request]);
                if wants_hold(&request)? == Some(true) {
                    arrival.kept_by = Some((sender(&request, &from), BY_SENDER));
                }
                let compression = compression(&request)?;
                let order = Order { request, target, arrival, compression, receiving: None, last: false };
                Ok(Plan::Receive(Box::new(order)))
            }
            SEND_DOCUMENT => self.send_document(request, target, &from),
            _ => self.answer(request, &target, peer, &from).map(Plan::Answer),
        }
    }

    /// The answer to a request that brings no document.
    fn answer(&self, request: Request, target: &Target, peer: IpAddr, from: &str) -> Result<Reply, Refusal> {
        let switch = |switch: Switch| self.switch(&request, target, peer, &switch);
        match request.code {
            VALIDATE_JOB => {
                check_job(&request)?;
                compression(&request)?;
                self.intake.admits(&target.queue)?;
                Ok(Reply::new(&request, Status::Ok, ""))
            }
            CREATE_JOB => self.create(request, target, from),
            CLOSE_JOB => self.close(&request, target, from),
            CANCEL_JOB => self.cancel(&request, target, from),
            GET_JOB_ATTRIBUTES => self.job(&request, target, from),
            GET_JOBS => self.list(&request, target, from),
            GET_PRINTER_ATTRIBUTES => Ok(self.about(&request, target)),
            HOLD_JOB => self.hold(&request, target, from, true),
            RELEASE_JOB => self.hold(&request, target, from, false),
            RESTART_JOB => self.restart(&request, target, from),
            SET_JOB_ATTRIBUTES => self.set_job(&request, target, from),
            // Loads that have begun are never broken off, so that the current job ends in any case.
            PAUSE_PRINTER | PAUSE_AFTER_CURRENT_JOB => switch(Switch::Pause),
            RESUME_PRINTER => switch(Switch::Resume),
            DISABLE_PRINTER => switch(Switch::Close),
            ENABLE_PRINTER => switch(Switch::Open),
            HOLD_NEW_JOBS => switch(Switch::HoldNew),
            RELEASE_HELD_NEW_JOBS => switch(Switch::ReleaseNew),
            SHUTDOWN_PRINTER => switch(Switch::ShutDown),
            STARTUP_PRINTER | RESTART_PRINTER => self.start_up(&request, target, peer),
            REPROCESS_JOB | RESUBMIT_JOB => self.reprocess(&request, target, from),
            CANCEL_CURRENT_JOB => self.cancel_current(&request, target, peer),
            SUSPEND_CURRENT_JOB => self.suspend_current(&request, target, peer),
            RESUME_JOB => self.resume(&request, target, peer),
            PROMOTE_JOB | SCHEDULE_JOB_AFTER => self.schedule(&request, target, peer),
            CANCEL_JOBS => self.cancel_jobs(&request, target, peer, false),
            CANCEL_MY_JOBS => self.cancel_jobs(&request, target, peer, true),
            CANCEL_DOCUMENT => self.cancel_document(&request, target, from),
            GET_DOCUMENT_ATTRIBUTES => self.document(&request, target, from),
            GET_DOCUMENTS => self.list_documents(&request, target, from),
            SET_DOCUMENT_ATTRIBUTES => self.set_document(&request, target, from),
            PURGE_JOBS => self.purge(&request, target, peer),
            SET_PRINTER_ATTRIBUTES => self.set_printer(&request, target, peer),
            GET_PRINTER_SUPPORTED_VALUES => Ok(self.settable(&request)),
            CREATE_PRINTER_SUBSCRIPTIONS => self.subscriptions(&request, target, from, false),
            CREATE_JOB_SUBSCRIPTIONS => self.subscriptions(&request, target, from, true),
            GET_SUBSCRIPTION_ATTRIBUTES => self.subscription_attributes(&request, target, from),
            GET_SUBSCRIPTIONS => self.list_subscriptions(&request, target, from),
            RENEW_SUBSCRIPTION => self.renew(&request, from),
            CANCEL_SUBSCRIPTION => self.unsubscribe(&request, from),
            GET_NOTIFICATIONS => self.notifications(&request, target, from),
            other => Err(Refusal::new(Status::OperationNotSupported, format!("there is no operation {other:#06x}"))),
        }
    }

    fn create(&self, request: Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        check_job(&request)?;
        let held = wants_hold(&request)?.unwrap_or(false);
        self.intake.admits(&target.queue)?;
        let now = self.intake.now();
        self.jobs.room(now)?;
        self.intake.has_room()?;
        let id = self.intake.reserve()?;
        let mut job = self.jobs.create(id, &target.queue, peer, request.clone(), now);
        job.held = held && self.jobs.hold(id, true, now);
        Ok(self.made(&request, target, peer, Some(job)))
    }

    fn send_document(&self, request: Request, mut target: Target, peer: &str) -> Result<Plan, Refusal> {
        let last = request.boolean("last-document").ok_or_else(|| Refusal::bad("there is no last-document"))?;
        let compression = compression(&request)?;
        check_format(&request)?;
        let job = self.find(&request, &target, peer)?;
        check_user(&request, &job)?;
        let now = self.intake.now();
        if self.jobs.get(job.id, now).is_none() {
            // It is over. That nothing more comes may be said behind it.
            let (arrival, receiving) = (Arrival { number: Some(job.id), ..Arrival::default() }, None);
            return Ok(Plan::Receive(Box::new(Order { request, target, arrival, compression, receiving, last })));
        }
        let (receiving, created) = self.jobs.receive(job.id, now)?;
        target.queue.clone_from(&job.queue);
        let mut arrival = arrival(&target, peer, &[&created, &request]);
        if job.documents == 0 {
            arrival.number = Some(job.id);
        } else {
            arrival.of_job = Some(job.id);
            arrival.attribute("document-number", &(job.documents + 1).to_string());
        }
        let receiving = Some(receiving);
        Ok(Plan::Receive(Box::new(Order { request, target, arrival, compression, receiving, last })))
    }

    /// Takes a received document over; `None`: none came. When this returns, the document is durable.
    pub fn take(&self, order: Order, document: Option<Spool>) -> Result<Reply, Refusal> {
        let now = self.intake.now();
        let empty = || Refusal::bad("the document is empty");
        let new = order.receiving.is_none();
        let job = match (order.receiving, document) {
            (Some(receiving), Some(document)) => {
                if receiving.is_canceled() {
                    return Err(Refusal::new(Status::JobCanceled, "the job was canceled"));
                }
                let mut arrival = order.arrival;
                // It may have been held or suspended since it was made.
                let job = receiving.job();
                let by_sender = || (sender(&order.request, &arrival.peer), BY_SENDER);
                arrival.kept_by = match job {
                    Some(Job { suspended: Some(by), .. }) => Some((by, SUSPENDED)),
                    Some(Job { held: true, .. }) => Some(by_sender()),
                    _ => None,
                };
                let item = document.accept(arrival)?;
                self.jobs.taken(receiving.id(), &item, order.last, now);
                self.known(receiving.id())?
            }
            (Some(receiving), None) if order.last => {
                self.jobs.close(receiving.id(), now);
                self.known(receiving.id())?
            }
            (None, document) if order.arrival.number.is_some() => {
                if document.is_some() || !order.last {
                    return Err(Refusal::new(Status::NotPossible, "the job is closed; create another job"));
                }
                let job = order.arrival.number.map(|id| self.known(id)).transpose()?.flatten();
                let mut reply = Reply::new(&order.request, Status::Ok, "");
                self.tell_of(&mut reply, &order.target, job);
                return Ok(reply);
            }
            (None, Some(document)) => Job::of_item(&document.accept(order.arrival)?),
            (_, None) => return Err(empty()),
        };
        self.told.taken();
        if new {
            let peer = job.as_ref().map(|job| job.peer.clone()).unwrap_or_default();
            return Ok(self.made(&order.request, &order.target, &peer, job));
        }
        if let Some(job) = &job {
            let event = if job.stage.is_over() { "job-completed" } else { "job-state-changed" };
            self.subscriptions.job(job, event, now);
        }
        let mut reply = Reply::new(&order.request, Status::Ok, "");
        self.tell_of(&mut reply, &order.target, job);
        Ok(reply)
    }

    fn job(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let job = self.find(request, target, peer)?;
        let mut reply = Reply::new(request, Status::Ok, "");
        self.tell(&mut reply, target, &job, &wanted(request, &["all"]));
        Ok(reply)
    }

    /// Jobs of one's own address: open ones, or those that are over, newest first.
    fn list(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let ids = request.integers("job-ids");
        let over = match request.text("which-jobs") {
            None if !ids.is_empty() => None,
            None | Some("not-completed") => Some(false),
            Some("completed") => Some(true),
            Some("all") => None,
            // Nothing is printed for trial here, so that there are no such jobs.
            Some("proof-print") => return Ok(Reply::new(request, Status::Ok, "")),
            Some(other) => return Err(Refusal::new(Status::NotSupported, format!("which-jobs cannot be {other}"))),
        };
        let limit = request.integer("limit").unwrap_or(i32::MAX);
        let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
        let limit = limit.ok_or_else(|| Refusal::bad("limit is at least 1"))?.min(MOST_JOBS);
        let mut jobs = self.all_jobs(&target.queue, over == Some(false))?;
        if over == Some(true) {
            jobs.reverse();
        }
        let only_of = request.boolean("my-jobs").unwrap_or(false).then(|| user(request));
        let named = |job: &Job| i32::try_from(job.id).is_ok_and(|id| ids.contains(&id));
        jobs.retain(|job| {
            over.is_none_or(|over| job.stage.is_over() == over)
                && job.peer == peer
                && (ids.is_empty() || named(job))
                && only_of.as_ref().is_none_or(|user| *user == job.user)
        });
        let mut reply = Reply::new(request, Status::Ok, "");
        let wanted = wanted(request, &["job-id", "job-uri"]);
        jobs.iter().take(limit).for_each(|job| self.tell(&mut reply, target, job, &wanted));
        Ok(reply)
    }

    /// The jobs of a queue, oldest first: all, or those that may not be over.
    pub fn all_jobs(&self, queue: &str, open: bool) -> Result<Vec<Job>, Refusal> {
        let mut jobs = self.jobs.all(self.intake.now());
        jobs.retain(|job| job.queue.eq_ignore_ascii_case(queue));
        let known: std::collections::HashSet<u64> = jobs.iter().map(|job| job.id).collect();
        let states: &[State] = if open { &[State::Held] } else { &[] };
        for item in self.intake.list(0, LOOKED_THROUGH, states)? {
            let id = item.of_job.unwrap_or(item.id);
            if item.is_of_queue(queue) && !known.contains(&id) {
                jobs.extend(Job::of_item(&item).map(|job| job.numbered(id)));
            }
        }
        jobs.sort_by_key(|job| job.id);
        jobs.dedup_by_key(|job| job.id);
        // The documents of one job are told as one.
        for job in &mut jobs {
            if !known.contains(&job.id)
                && let Some(whole) = Job::of_items(&self.intake.documents(job.id)?)
            {
                *job = whole;
            }
        }
        Ok(jobs)
    }

    fn about(&self, request: &Request, target: &Target) -> Reply {
        let wanted = wanted(request, &["all"]);
        let mut reply = Reply::new(request, Status::Ok, "");
        reply.group(PRINTER);
        for told in about::attributes(self, target, self.intake.now()) {
            // It may be long, so that it is told only to those who name it (PWG 5100.7, section 6.3).
            let by_name_only = told.name == "media-col-database";
            if wanted.iter().any(|name| name == told.name || (!by_name_only && (name == "all" || name == told.group))) {
                reply.add(told.name, &told.values);
            }
        }
        reply
    }

    /// The job that a request names. Jobs from other addresses are as if there were none.
    pub fn find(&self, request: &Request, target: &Target, peer: &str) -> Result<Job, Refusal> {
        let named = request.integer("job-id").and_then(|id| u64::try_from(id).ok());
        self.of_peer(target.job.or(named).ok_or_else(|| Refusal::bad("there is no job-id"))?, peer)
    }

    /// The job whose number this attribute is.
    pub fn find_by(&self, request: &Request, attribute: &str, peer: &str) -> Result<Job, Refusal> {
        let named = request.integer(attribute).and_then(|id| u64::try_from(id).ok());
        self.of_peer(named.ok_or_else(|| Refusal::bad(format!("there is no {attribute}")))?, peer)
    }

    fn of_peer(&self, id: u64, peer: &str) -> Result<Job, Refusal> {
        let job = self.known(id)?.filter(|job| job.peer == peer);
        job.ok_or_else(|| Refusal::new(Status::NotFound, format!("there is no job {id}")))
    }

    /// A job of this number, with or without a document.
    pub fn known(&self, id: u64) -> Result<Option<Job>, Refusal> {
        Ok(match self.jobs.get(id, self.intake.now()) {
            Some(job) => Some(job),
            None => match self.intake.item(id)? {
                Some(first) if first.of_job.is_none() => Job::of_items(&self.intake.documents(id)?),
                _ => None,
            },
        })
    }

    /// What is told of a job that was made or changed.
    pub fn tell_of(&self, reply: &mut Reply, target: &Target, job: Option<Job>) {
        if let Some(job) = job {
            self.tell(reply, target, &job, BRIEF);
        }
    }

    fn tell(&self, reply: &mut Reply, target: &Target, job: &Job, wanted: &[impl AsRef<str>]) {
        reply.group(JOB);
        for (name, values) in job.attributes(&target.host, &target.printer_uri, self.intake.now()) {
            if wanted.iter().any(|wanted| ["all", "job-description", name].contains(&wanted.as_ref())) {
                reply.add(name, &values);
            }
        }
    }

    /// Jobs that are not over.
    pub fn queued(&self, now: i64) -> usize {
        self.jobs.all(now).iter().filter(|job| !job.stage.is_over()).count()
    }
}

/// What is told of a job that was made.
const BRIEF: &[&str] = &["job-id", "job-uri", "job-state", "job-state-reasons", "job-state-message"];

/// Names of the attributes that are asked for.
pub fn wanted(request: &Request, otherwise: &[&str]) -> Vec<String> {
    let names = request.texts("requested-attributes");
    if names.is_empty() { otherwise.iter().map(|name| (*name).to_string()).collect() } else { names }
}

/// What every request must have (RFC 8011, section 4.1).
fn check(request: &Request) -> Result<(), Refusal> {
    if !matches!(request.version.0, 1 | 2) {
        let (major, minor) = request.version;
        return Err(Refusal::new(Status::VersionNotSupported, format!("there is no version {major}.{minor}")));
    }
    if request.id == 0 || request.id > i32::MAX as u32 {
        return Err(Refusal::bad("request-id is at least 1"));
    }
    let at = |index: usize| request.attributes.get(index).filter(|attribute| attribute.group == OPERATION);
    let is = |index: usize, name: &str| at(index).is_some_and(|attribute| attribute.name == name);
    if !is(0, "attributes-charset") || !is(1, "attributes-natural-language") {
        return Err(Refusal::bad("attributes-charset and attributes-natural-language come first"));
    }
    let charset = request.text("attributes-charset").unwrap_or_default().to_ascii_lowercase();
    if charset != "utf-8" && charset != "us-ascii" {
        return Err(Refusal::new(Status::CharsetNotSupported, "utf-8 is spoken here"));
    }
    Ok(())
}

fn check_job(request: &Request) -> Result<(), Refusal> {
    check_format(request)?;
    match request.first("copies") {
        None | Some(Value::Integer(1..=9_999)) => Ok(()),
        Some(_) => Err(Refusal::new(Status::NotSupported, "copies is from 1 to 9999")),
    }
}

fn check_format(request: &Request) -> Result<(), Refusal> {
    let Some(format) = request.text("document-format") else { return Ok(()) };
    let kind = format.split(';').next().unwrap_or_default().trim();
    if about::FORMATS.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return Ok(());
    }
    Err(Refusal::new(Status::FormatNotSupported, format!("{kind} is no format that is known here")))
}

fn compression(request: &Request) -> Result<String, Refusal> {
    let name = request.text("compression").unwrap_or("none");
    if COMPRESSIONS.contains(&name) {
        return Ok(name.to_string());
    }
    Err(Refusal::new(Status::CompressionNotSupported, format!("there is no compression {}", plain(name))))
}

/// Fails when a job belongs to another user.
pub fn check_user(request: &Request, job: &Job) -> Result<(), Refusal> {
    if user(request) == job.user {
        return Ok(());
    }
    Err(Refusal::new(Status::NotAuthorized, "the job belongs to another user"))
}

/// What the requests of a job say of its document.
fn arrival(target: &Target, peer: &str, requests: &[&Request]) -> Arrival {
    let text = |name: &str| requests.iter().rev().find_map(|request| request.text(name)).unwrap_or_default();
    let named = requests.first().map(|request| job_name(request)).unwrap_or_default();
    let document = text("document-name");
    let mut arrival = Arrival {
        receiver: super::RECEIVER,
        file: file_name(if document.is_empty() { &named } else { document }, "job"),
        queue: Some(plain(&target.queue)),
        peer: peer.into(),
        sent_by: requests.first().map(|request| user(request)).unwrap_or_default(),
        ..Arrival::default()
    };
    arrival.attribute("job-name", &named);
    arrival.attribute("source", document);
    arrival.attribute("host", text("job-originating-host-name"));
    arrival.attribute("account", text("job-account-id"));
    for attribute in requests.iter().flat_map(|request| &request.attributes) {
        let values: Vec<String> = attribute.values.iter().filter_map(Value::shown).collect();
        if matches!(attribute.group, OPERATION | JOB) && !NOT_KEPT.contains(&attribute.name.as_str()) {
            arrival.attribute(&plain(&attribute.name), &values.join(","));
        }
    }
    arrival
}
