//! The operations of subscriptions (RFC 3995, section 11) and of fetching events (RFC 3996, section 5).

use super::jobs::{Job, seconds};
use super::message::{EVENT, Reply, Request, SUBSCRIPTION, Value};
use super::printer::{MOST_JOBS, Printer, user, wanted};
use super::status::{Refusal, Status};
use super::subscriptions::{Condition, EVENTS, LEASE_S, MOST_LEASE_S, Subscription, USUAL, Wish};
use super::target::Target;
use crate::ipp::Attribute;

/// Seconds after which one should ask again (RFC 3996, section 5.2.1).
const ASK_AGAIN_S: i32 = 30;
/// Longest `notify-user-data` (RFC 3995, section 5.3.6).
const MOST_DATA: usize = 63;

/// What came of the subscriptions in a request, in their order.
pub type Made = Vec<Result<Subscription, Status>>;

/// The lease that was asked for, as far as it is given; 0 asks for one without end.
fn lease(request: Option<i32>) -> i32 {
    match request {
        None => LEASE_S,
        Some(0) => MOST_LEASE_S,
        Some(seconds) => seconds.clamp(1, MOST_LEASE_S),
    }
}

/// What a request of a job or a printer that also subscribes is answered with.
pub fn status_of(made: &Made) -> Status {
    if made.iter().any(Result::is_err) { Status::IgnoredSubscriptions } else { Status::Ok }
}

/// Tells what came of the subscriptions in a request.
pub fn tell_made(reply: &mut Reply, made: &Made) {
    for one in made {
        reply.group(SUBSCRIPTION);
        match one {
            Ok(one) => {
                reply.add("notify-subscription-id", &[one.id.into()]);
                if one.wish.job.is_none() {
                    reply.add("notify-lease-duration", &[one.wish.lease_s.into()]);
                }
            }
            Err(status) => reply.add("notify-status-code", &[Value::Enum(i32::from(*status as u16))]),
        }
    }
}

impl Printer {
    /// How the printer of a queue is.
    pub fn condition(&self, queue: &str) -> Condition {
        let switched = self.intake.switched(queue);
        let full = self.intake.has_room().is_err();
        let reason = match &switched {
            _ if full => "spool-area-full",
            switched if switched.down => "shutdown",
            switched if switched.paused => "paused",
            switched if switched.holds_new => "hold-new-jobs",
            _ => "none",
        };
        let runs = ["none", "hold-new-jobs"].contains(&reason);
        Condition { state: if runs { 3 } else { 5 }, reason, accepts: !switched.closed }
    }

    /// Tells subscribers when the printer is not as they heard of it last.
    pub fn tell_printer(&self, target: &Target) {
        let now_is = self.condition(&target.queue);
        self.subscriptions.printer(&target.queue, "printer-state-changed", &now_is, self.intake.now());
    }

    /// Makes the subscriptions that a request asks for.
    pub fn subscribe(&self, request: &Request, target: &Target, peer: &str, job: Option<u64>) -> Made {
        let now = self.intake.now();
        let each = |attributes: &[Attribute]| {
            let wish = self.wish(attributes, request, target, peer, job)?;
            self.subscriptions.add(wish, now).ok_or(Status::TooManySubscriptions)
        };
        request.groups(SUBSCRIPTION).map(each).collect()
    }

    fn wish(
        &self,
        attributes: &[Attribute],
        request: &Request,
        target: &Target,
        peer: &str,
        job: Option<u64>,
    ) -> Result<Wish, Status> {
        let named = |name: &str| attributes.iter().find(|attribute| attribute.name == name);
        let first = |name: &str| named(name).and_then(|attribute| attribute.values.first());
        if named("notify-recipient-uri").is_some() {
            // Nobody is sent anything.
            return Err(Status::SchemeNotSupported);
        }
        if first("notify-pull-method").and_then(Value::shown).as_deref() != Some("ippget") {
            return Err(Status::NotSupported);
        }
        let mut events = Vec::new();
        for asked in named("notify-events").into_iter().flat_map(|attribute| &attribute.values) {
            let asked = asked.shown().unwrap_or_default();
            events.extend(EVENTS.iter().map(|(name, _)| *name).find(|name| *name == asked));
        }
        if events.is_empty() && named("notify-events").is_some() {
            return Err(Status::NotSupported);
        }
        if events.is_empty() {
            events.push(USUAL);
        }
        let data = match first("notify-user-data") {
            None => None,
            Some(Value::Octets(data)) if data.len() <= MOST_DATA => Some(data.clone()),
            Some(_) => return Err(Status::NotSupported),
        };
        let asked = first("notify-lease-duration").and_then(|value| match value {
            Value::Integer(seconds) => Some(*seconds),
            _ => None,
        });
        // One for a job ends with it.
        let lease_s = if job.is_some() { MOST_LEASE_S } else { lease(asked) };
        let (queue, heard) = (target.queue.clone(), self.condition(&target.queue));
        Ok(Wish { queue, job, peer: peer.into(), user: user(request), events, lease_s, data, heard })
    }

    /// Create-Printer-Subscriptions, and Create-Job-Subscriptions for a job that is not over.
    pub fn subscriptions(
        &self,
        request: &Request,
        target: &Target,
        peer: &str,
        of_job: bool,
    ) -> Result<Reply, Refusal> {
        let job = if of_job { Some(self.find_by(request, "notify-job-id", peer)?) } else { None };
        if job.as_ref().is_some_and(|job| job.stage.is_over()) {
            return Err(Refusal::new(Status::NotPossible, "the job is over"));
        }
        let made = self.subscribe(request, target, peer, job.map(|job| job.id));
        if made.is_empty() {
            return Err(Refusal::bad("there is no subscription in the request"));
        }
        let none = made.iter().all(Result::is_err);
        let mut reply = Reply::new(request, if none { Status::IgnoredAll } else { status_of(&made) }, "");
        tell_made(&mut reply, &made);
        Ok(reply)
    }

    fn subscription(&self, request: &Request, peer: &str) -> Result<Subscription, Refusal> {
        let id = request.integer("notify-subscription-id");
        let id = id.ok_or_else(|| Refusal::bad("there is no notify-subscription-id"))?;
        let found = self.subscriptions.get(id, (peer, &user(request)), self.intake.now());
        found.ok_or_else(|| none_such(id))
    }

    /// Get-Subscription-Attributes.
    pub fn subscription_attributes(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let one = self.subscription(request, peer)?;
        let mut reply = Reply::new(request, Status::Ok, "");
        self.tell_subscription(&mut reply, target, &one, &wanted(request, &["all"]));
        Ok(reply)
    }

    /// Get-Subscriptions: those of the printer, or of one job.
    pub fn list_subscriptions(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let of_job = match request.integer("notify-job-id") {
            Some(_) => Some(self.find_by(request, "notify-job-id", peer)?.id),
            None => None,
        };
        let limit = request.integer("limit").map_or(Ok(MOST_JOBS), usize::try_from);
        let limit = limit.ok().filter(|limit| *limit > 0).ok_or_else(|| Refusal::bad("limit is at least 1"))?;
        let only_of = request.boolean("my-subscriptions").unwrap_or(false).then(|| user(request));
        let mut found = self.subscriptions.of_queue(&target.queue, peer, self.intake.now());
        found.retain(|one| one.wish.job == of_job && only_of.as_ref().is_none_or(|user| *user == one.wish.user));
        let mut reply = Reply::new(request, Status::Ok, "");
        let wanted = wanted(request, &["notify-subscription-id"]);
        found.iter().take(limit).for_each(|one| self.tell_subscription(&mut reply, target, one, &wanted));
        Ok(reply)
    }

    fn tell_subscription(&self, reply: &mut Reply, target: &Target, one: &Subscription, wanted: &[String]) {
        let wish = &one.wish;
        let job = wish.job.and_then(|id| i32::try_from(id).ok()).map(|id| vec![id.into()]).unwrap_or_default();
        let printer_only = |value: Value| if wish.job.is_none() { vec![value] } else { Vec::new() };
        let rows: [(&str, bool, Vec<Value>); 14] = [
            ("notify-subscription-id", false, vec![one.id.into()]),
            ("notify-printer-uri", false, vec![Value::uri(&target.printer_uri)]),
            ("notify-job-id", false, job),
            ("notify-sequence-number", false, vec![one.last.into()]),
            ("notify-lease-expiration-time", false, printer_only(seconds(one.until).into())),
            ("notify-printer-up-time", false, vec![seconds(self.intake.now()).into()]),
            ("notify-subscriber-user-name", false, vec![Value::name(&wish.user)]),
            ("notify-events", true, wish.events.iter().map(|name| Value::keyword(*name)).collect()),
            ("notify-pull-method", true, vec![Value::keyword("ippget")]),
            ("notify-lease-duration", true, printer_only(wish.lease_s.into())),
            ("notify-charset", true, vec![Value::charset("utf-8")]),
            ("notify-natural-language", true, vec![Value::language("en")]),
            ("notify-time-interval", true, vec![0.into()]),
            ("notify-user-data", true, wish.data.iter().map(|data| Value::Octets(data.clone())).collect()),
        ];
        reply.group(SUBSCRIPTION);
        for (name, template, values) in rows {
            let group = if template { "subscription-template" } else { "subscription-description" };
            if wanted.iter().any(|wanted| ["all", group, name].contains(&wanted.as_str())) {
                reply.add(name, &values);
            }
        }
    }

    /// Renew-Subscription.
    pub fn renew(&self, request: &Request, peer: &str) -> Result<Reply, Refusal> {
        let one = self.subscription(request, peer)?;
        if one.wish.job.is_some() {
            return Err(Refusal::new(Status::NotPossible, "a subscription for a job ends with it"));
        }
        let lease_s = lease(request.integer("notify-lease-duration"));
        let renewed = self.subscriptions.renew(one.id, (peer, &one.wish.user), lease_s, self.intake.now());
        renewed.ok_or_else(|| none_such(one.id))?;
        let mut reply = Reply::new(request, Status::Ok, "");
        reply.group(SUBSCRIPTION);
        reply.add("notify-lease-duration", &[lease_s.into()]);
        Ok(reply)
    }

    /// Cancel-Subscription.
    pub fn unsubscribe(&self, request: &Request, peer: &str) -> Result<Reply, Refusal> {
        let one = self.subscription(request, peer)?;
        if !self.subscriptions.cancel(one.id, (peer, &one.wish.user), self.intake.now()) {
            return Err(none_such(one.id));
        }
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Get-Notifications: what happened, told at once whether something did or not.
    pub fn notifications(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let now = self.intake.now();
        let ids = request.integers("notify-subscription-ids");
        let firsts = request.integers("notify-sequence-numbers");
        if ids.is_empty() {
            return Err(Refusal::bad("there are no notify-subscription-ids"));
        }
        // What an operator did on a page, and a full disk, are noticed now.
        self.tell_printer(target);
        let mut found = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            let one = self.subscriptions.get(*id, (peer, &user(request)), now).ok_or_else(|| none_such(*id))?;
            found.push((one, firsts.get(at).copied().unwrap_or(1)));
        }
        let mut reply = Reply::new(request, Status::Ok, "");
        reply.add("notify-get-interval", &[ASK_AGAIN_S.into()]);
        reply.add("printer-up-time", &[seconds(now).into()]);
        for (one, first) in &found {
            for event in one.since(*first, now) {
                reply.group(EVENT);
                reply.add("notify-subscription-id", &[one.id.into()]);
                reply.add("notify-printer-uri", &[Value::uri(&target.printer_uri)]);
                reply.add("notify-subscribed-event", &[Value::keyword(event.name)]);
                reply.add("printer-up-time", &[seconds(event.at).into()]);
                reply.add("notify-sequence-number", &[event.number.into()]);
                reply.add("notify-charset", &[Value::charset("utf-8")]);
                reply.add("notify-natural-language", &[Value::language("en")]);
                let data: Vec<Value> = one.wish.data.iter().map(|data| Value::Octets(data.clone())).collect();
                reply.add("notify-user-data", &data);
                reply.add("notify-text", &[Value::text(&event.text)]);
                if let Some((id, state, reason)) = event.job {
                    reply.add("notify-job-id", &[i32::try_from(id).unwrap_or(i32::MAX).into()]);
                    reply.add("job-state", &[Value::Enum(state)]);
                    reply.add("job-state-reasons", &[Value::keyword(reason)]);
                }
                if let Some(printer) = &event.printer {
                    reply.add("printer-state", &[Value::Enum(printer.state)]);
                    reply.add("printer-state-reasons", &[Value::keyword(printer.reason)]);
                    reply.add("printer-is-accepting-jobs", &[Value::Boolean(printer.accepts)]);
                }
            }
        }
        Ok(reply)
    }

    /// What is told of a job that was made, and of the subscriptions that came with it.
    pub fn made(&self, request: &Request, target: &Target, peer: &str, job: Option<Job>) -> Reply {
        let made = self.subscribe(request, target, peer, job.as_ref().map(|job| job.id));
        let now = self.intake.now();
        if let Some(job) = &job {
            self.subscriptions.job(job, "job-created", now);
            if job.stage.is_over() {
                self.subscriptions.job(job, "job-completed", now);
            }
        }
        let mut reply = Reply::new(request, status_of(&made), "");
        self.tell_of(&mut reply, target, job);
        tell_made(&mut reply, &made);
        reply
    }
}

fn none_such(id: i32) -> Refusal {
    Refusal::new(Status::NotFound, format!("there is no subscription {id}"))
}
