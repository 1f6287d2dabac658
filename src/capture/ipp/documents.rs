//! The documents of a job (PWG 5100.5): each is a received stream. The first has the job's number.

use super::change::{not_possible, over, sender};
use super::jobs::{Job, Stage, seconds};
use super::message::{DOCUMENT, Reply, Request, Value};
use super::printer::{Printer, check_user, wanted};
use super::status::{Refusal, Status};
use super::target::Target;
use crate::capture::Item;
use crate::capture::item::{Hold, file_name, plain};

/// The attributes of a document that can be set.
pub const SETTABLE: &[&str] = &["document-name"];

/// A document: its job, its number from 1, whether no other comes behind it, its stream.
struct Document {
    job: Job,
    number: usize,
    last: bool,
    item: Item,
}

impl Printer {
    fn documents(&self, request: &Request, target: &Target, peer: &str) -> Result<Vec<Document>, Refusal> {
        let job = self.find(request, target, peer)?;
        let open = self.jobs.get(job.id, self.intake.now()).is_some();
        let items = self.intake.documents(job.id)?;
        let count = items.len();
        let each = items.into_iter().enumerate();
        Ok(each
            .map(|(at, item)| Document { job: job.clone(), number: at + 1, last: at + 1 == count && !open, item })
            .collect())
    }

    fn one(&self, request: &Request, target: &Target, peer: &str) -> Result<Document, Refusal> {
        let number = request.integer("document-number").and_then(|number| usize::try_from(number).ok());
        let number = number.ok_or_else(|| Refusal::bad("there is no document-number"))?;
        let found = self.documents(request, target, peer)?.into_iter().find(|document| document.number == number);
        found.ok_or_else(|| Refusal::new(Status::NotFound, format!("the job has no document {number}")))
    }

    /// Get-Document-Attributes.
    pub fn document(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let document = self.one(request, target, peer)?;
        let mut reply = Reply::new(request, Status::Ok, "");
        self.tell_document(&mut reply, target, &document, &wanted(request, &["all"]));
        Ok(reply)
    }

    /// Get-Documents.
    pub fn list_documents(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let limit = request.integer("limit").map_or(Ok(usize::MAX), usize::try_from);
        let limit = limit.ok().filter(|limit| *limit > 0).ok_or_else(|| Refusal::bad("limit is at least 1"))?;
        let documents = self.documents(request, target, peer)?;
        let mut reply = Reply::new(request, Status::Ok, "");
        let wanted = wanted(request, &["document-number"]);
        documents.iter().take(limit).for_each(|document| self.tell_document(&mut reply, target, document, &wanted));
        Ok(reply)
    }

    /// Cancel-Document: one that its sender holds; what was taken over is the archive's.
    pub fn cancel_document(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let document = self.one(request, target, peer)?;
        check_user(request, &document.job)?;
        if document.item.hold() != Some(Hold::Sender) {
            return Err(over());
        }
        self.discard(request, peer, &document.item)?;
        self.tell_change(document.job.id, "job-state-changed");
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Set-Document-Attributes: the name of one that its sender holds.
    pub fn set_document(&self, request: &Request, target: &Target, peer: &str) -> Result<Reply, Refusal> {
        let document = self.one(request, target, peer)?;
        check_user(request, &document.job)?;
        let mut name = None;
        for attribute in request.group(DOCUMENT) {
            if !SETTABLE.contains(&attribute.name.as_str()) {
                return Err(Refusal::new(Status::NotSettable, format!("{} cannot be set", plain(&attribute.name))));
            }
            match attribute.values.as_slice() {
                [Value::Text(_, text)] if !plain(text).is_empty() => name = Some(file_name(text, "job")),
                _ => return Err(Refusal::new(Status::NotSupported, "document-name is one name")),
            }
        }
        let name = name.ok_or_else(|| Refusal::bad("there are no attributes to set"))?;
        if document.item.hold() != Some(Hold::Sender) {
            return Err(not_possible("only the name of what its sender holds can be set"));
        }
        self.state(self.intake.rename(document.item.id, &name, &sender(request, peer)))?;
        Ok(Reply::new(request, Status::Ok, ""))
    }

    fn tell_document(&self, reply: &mut Reply, target: &Target, document: &Document, wanted: &[String]) {
        let Some(as_job) = Job::of_item(&document.item) else { return };
        // PWG 5100.5 knows no held documents: they are pending.
        let state = if as_job.stage == Stage::Held { Stage::Pending } else { as_job.stage };
        let reason = if state.is_over() { as_job.told().1.trim_start_matches("job-") } else { "none" };
        let number = |number: usize| Value::Integer(i32::try_from(number).unwrap_or(i32::MAX));
        let kib = i32::try_from(as_job.bytes().div_ceil(1024)).unwrap_or(i32::MAX);
        let (created, ended) = as_job.times();
        let when = |over: bool, at: i64| if over { Value::Integer(seconds(at)) } else { Value::None };
        let format = document.item.attributes.get("document-format").map_or("application/octet-stream", String::as_str);
        let rows: [(&str, Value); 15] = [
            ("document-number", number(document.number)),
            ("document-job-id", Value::Integer(i32::try_from(document.job.id).unwrap_or(i32::MAX))),
            ("document-job-uri", Value::uri(format!("ipp://{}/jobs/{}", target.host, document.job.id))),
            ("document-printer-uri", Value::uri(&target.printer_uri)),
            ("document-name", Value::name(&document.item.file)),
            ("document-format", Value::media_type(format)),
            ("document-state", Value::Enum(state.number())),
            ("document-state-reasons", Value::keyword(reason)),
            ("document-state-message", Value::text(as_job.message())),
            ("last-document", Value::Boolean(document.last)),
            ("k-octets", kib.into()),
            ("time-at-creation", seconds(created).into()),
            ("time-at-processing", when(state.is_over(), created)),
            ("time-at-completed", when(state.is_over(), ended)),
            ("printer-up-time", seconds(self.intake.now()).into()),
        ];
        reply.group(DOCUMENT);
        for (name, value) in rows {
            if wanted.iter().any(|wanted| ["all", "document-description", name].contains(&wanted.as_str())) {
                reply.add(name, &[value]);
            }
        }
    }
}
