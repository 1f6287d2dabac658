//! What operators do with a printer: paused, resumed, closed, opened, shut down, started, emptied of jobs without a document,
//! described (RFC 8011, sections 4.2.7 to 4.2.9; RFC 3380; RFC 3998).
//!
//! Operators are those who ask from an address in `operators` of the configuration; without it nobody is one. The switches
//! are those of the administrator's pages, and each change is in the audit. What was received is not given up from here.

use std::net::IpAddr;

use super::message::{PRINTER, Reply, Request, Value};
use super::operation::STARTUP_PRINTER;
use super::printer::{Printer, user};
use super::status::{Refusal, Status};
use super::target::Target;
use crate::capture::switches::{Description, MOST_CHARACTERS, Switch};

/// The attributes of the printer that can be set.
pub const SETTABLE: &[&str] = &["printer-info", "printer-location", "printer-message-from-operator"];

impl Printer {
    /// Fails for those who are no operators.
    pub fn need_operator(&self, peer: IpAddr) -> Result<(), Refusal> {
        if self.config.operators.iter().any(|network| network.holds(peer)) {
            return Ok(());
        }
        Err(Refusal::new(
            Status::Forbidden,
            "printers are looked after on greenbar's pages, or from an address in `operators`",
        ))
    }

    /// Throws a switch of the printer's queue.
    pub fn switch(&self, request: &Request, target: &Target, peer: IpAddr, switch: &Switch) -> Result<Reply, Refusal> {
        self.need_operator(peer)?;
        let (who, from) = (format!("ipp:{}", user(request)), peer.to_string());
        let (_, count) = self.intake.switch(&target.queue, switch, &super::change::sender(request, &from))?;
        let what = format!("queue {}: {}", target.queue, switch.name());
        let why = if count > 0 { format!("{count} arrivals") } else { String::new() };
        self.intake.record(&who, &from, "intake-queue", &what, &why);
        self.tell_printer(target);
        if matches!(switch, Switch::Describe(..)) {
            let heard = self.condition(&target.queue);
            self.subscriptions.printer(&target.queue, "printer-config-changed", &heard, self.intake.now());
        }
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Startup-Printer, of one that was shut down, and Restart-Printer, of any: it is as new. Nothing that it took is lost.
    pub fn start_up(&self, request: &Request, target: &Target, peer: IpAddr) -> Result<Reply, Refusal> {
        self.need_operator(peer)?;
        if request.code == STARTUP_PRINTER && !self.intake.switched(&target.queue).down {
            return Err(Refusal::new(Status::NotPossible, "the printer was not shut down"));
        }
        self.switch(request, target, peer, &Switch::StartUp)
    }

    /// Purge-Jobs: gives up the jobs of the queue that have no document.
    pub fn purge(&self, request: &Request, target: &Target, peer: IpAddr) -> Result<Reply, Refusal> {
        self.need_operator(peer)?;
        let now = self.intake.now();
        for job in self.jobs.all(now) {
            let is_empty = job.documents == 0 && !job.stage.is_over();
            let is_meant = is_empty && job.queue.eq_ignore_ascii_case(&target.queue);
            if is_meant && self.jobs.cancel(job.id, &user(request), now) {
                self.tell_change(job.id, "job-completed");
            }
        }
        Ok(Reply::new(request, Status::Ok, ""))
    }

    /// Set-Printer-Attributes: all that is given, or nothing.
    pub fn set_printer(&self, request: &Request, target: &Target, peer: IpAddr) -> Result<Reply, Refusal> {
        self.need_operator(peer)?;
        let mut said = Description::default();
        let mut any = false;
        for attribute in request.group(PRINTER) {
            any = true;
            let text = match attribute.values.as_slice() {
                [Value::Text(_, text)] => text.clone(),
                [Value::None] => String::new(),
                _ => return Err(Refusal::new(Status::NotSupported, format!("{} is one text", attribute.name))),
            };
            if text.chars().count() > MOST_CHARACTERS || text.contains(char::is_control) {
                let why = format!("{} has at most {MOST_CHARACTERS} characters", attribute.name);
                return Err(Refusal::new(Status::NotSupported, why));
            }
            match attribute.name.as_str() {
                "printer-info" => said.info = Some(text),
                "printer-location" => said.location = Some(text),
                "printer-message-from-operator" => said.message = Some(text),
                other => return Err(Refusal::new(Status::NotSettable, format!("{other} cannot be set"))),
            }
        }
        if !any {
            return Err(Refusal::bad("there are no attributes to set"));
        }
        self.switch(request, target, peer, &Switch::Describe(said))
    }

    /// Get-Printer-Supported-Values: what may be set is for administrators to choose.
    pub fn settable(&self, request: &Request) -> Reply {
        let wanted = request.texts("requested-attributes");
        let mut reply = Reply::new(request, Status::Ok, "");
        reply.group(PRINTER);
        for name in SETTABLE {
            if wanted.is_empty() || wanted.iter().any(|asked| asked == "all" || asked == name) {
                reply.add(name, &[Value::AdminDefine]);
            }
        }
        reply
    }
}
