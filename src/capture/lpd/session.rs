//! One connection.

use std::time::Duration;

use super::command::{Command, MOST_LINE, Part, job_of, may_follow};
use super::control::{Control, MOST_FILES, Printed};
use crate::capture::config::LpdConfig;
use crate::capture::door::{Told, Wire, WireError};
use crate::capture::item::{file_name, plain};
use crate::capture::{Arrival, CaptureError, Intake, Item, Spool, State};

/// Longest control file.
const MOST_CONTROL: u64 = 64 << 10;
/// How long to wait for the byte that ends a file: some senders leave it out.
const TRAILER: Duration = Duration::from_secs(2);
/// Done.
const YES: &[u8] = &[0];
/// Try again later.
const LATER: &[u8] = &[1];
/// There is no space.
const NO_SPACE: &[u8] = &[2];
/// Never.
const NO: &[u8] = &[3];

/// A job that is being received.
#[derive(Default)]
struct Job {
    control: Option<Control>,
    /// Items whose control file is still to come, with the names of their data files.
    held: Vec<(String, u64)>,
    files: usize,
    /// The item of the data file that was acknowledged last, and the bytes that were announced for it.
    last: Option<(u64, u64)>,
}

/// One connection.
pub struct Session<'a> {
    wire: Wire,
    config: &'a LpdConfig,
    intake: &'a Intake,
    told: &'a Told,
}

/// Why a connection ended before its end.
enum End {
    Wire(WireError),
    /// The sender did what may not be done; the answer is its code.
    Refused(&'static [u8], String),
    /// What came inside a job is no line of it.
    NoLine(String),
}

impl From<WireError> for End {
    fn from(error: WireError) -> End {
        match error {
            WireError::Capture(error) => error.into(),
            other => End::Wire(other),
        }
    }
}

impl From<CaptureError> for End {
    fn from(error: CaptureError) -> End {
        let code = match &error {
            CaptureError::Full => NO_SPACE,
            CaptureError::TooLarge { .. } | CaptureError::Empty | CaptureError::Digest { .. } => NO,
            _ => LATER,
        };
        End::Refused(code, error.to_string())
    }
}

impl<'a> Session<'a> {
    pub fn new(wire: Wire, config: &'a LpdConfig, intake: &'a Intake, told: &'a Told) -> Session<'a> {
        Session { wire, config, intake, told }
    }

    pub fn run(mut self) {
        let peer = self.wire.peer;
        match self.commands() {
            Ok(()) | Err(End::Wire(WireError::Stopped)) => {}
            Err(End::Wire(error)) => self.told.refused(&peer, &error.to_string()),
            Err(End::NoLine(why)) => {
                self.told.refused(&peer, &why);
                let _ = self.wire.say(NO);
            }
            Err(End::Refused(code, why)) => {
                self.told.refused(&peer, &why);
                let _ = self.wire.say(code);
            }
        }
    }

    fn commands(&mut self) -> Result<(), End> {
        while let Some(line) = self.wire.line(MOST_LINE)? {
            let command = Command::parse(&line).map_err(|why| End::Refused(NO, why))?;
            match command {
                Command::Print => self.wire.say(YES)?,
                Command::Receive(queue) => return self.receive(&queue),
                Command::State { queue, long, list } => {
                    let text = self.state(&queue, long, &list)?;
                    self.wire.say(text.as_bytes())?;
                    self.wire.finish();
                    return Ok(());
                }
                Command::Remove { queue, agent, list } => {
                    let text = self.remove(&queue, &agent, &list)?;
                    self.wire.say(text.as_bytes())?;
                    self.wire.finish();
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn receive(&mut self, queue: &str) -> Result<(), End> {
        if self.config.known_queues_only && self.intake.config().queue(queue).is_none() {
            return Err(End::Refused(LATER, format!("there is no queue {queue}")));
        }
        self.intake.admits(queue)?;
        self.wire.say(YES)?;
        let mut job = Job::default();
        let outcome = self.parts(&mut job, queue);
        self.doubt(&job, &outcome)?;
        // A control file is optional: what was acknowledged is loaded with what is known of it.
        for (_, id) in job.held {
            self.intake.release(id, None)?;
        }
        outcome
    }

    /// What came behind a file that was acknowledged is no line of the job: then it was more of the file, and nobody is to take
    /// what was kept for the whole. The sender heard yes already, so the arrival says it.
    fn doubt(&self, job: &Job, outcome: &Result<(), End>) -> Result<(), End> {
        let is_no_line = matches!(outcome, Err(End::NoLine(_)));
        if let Some((id, bytes)) = job.last.filter(|_| is_no_line) {
            self.intake.more_came(id, &format!("more came than the {bytes} bytes that were announced"))?;
        }
        Ok(())
    }

    fn parts(&mut self, job: &mut Job, queue: &str) -> Result<(), End> {
        let no_line = |error: WireError| match error {
            WireError::TooLong(_) | WireError::Closed => End::NoLine(error.to_string()),
            other => other.into(),
        };
        while let Some(line) = self.wire.line(MOST_LINE).map_err(no_line)? {
            match Part::parse(&line).map_err(End::NoLine)? {
                // A file that was acknowledged stays: only the one that is being received can be forgotten.
                Part::Abort => {
                    job.control = None;
                    self.wire.say(YES)?;
                }
                Part::Control { bytes, name } => self.control(job, queue, bytes, &name)?,
                Part::Data { bytes, name } => {
                    self.data(job, queue, bytes, &name)?;
                    if bytes.is_none() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn control(&mut self, job: &mut Job, queue: &str, bytes: Option<u64>, name: &str) -> Result<(), End> {
        let bytes = bytes.filter(|bytes| (1..=MOST_CONTROL).contains(bytes));
        let bytes = bytes.ok_or_else(|| End::Refused(NO, format!("a control file has 1 to {MOST_CONTROL} bytes")))?;
        self.wire.say(YES)?;
        let mut text = Vec::new();
        self.wire.exactly(bytes, &mut |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })?;
        self.trailer(bytes)?;
        let control = Control::parse(&text).map_err(|why| End::Refused(NO, why))?;
        let peer = self.wire.peer.to_string();
        for (data, id) in std::mem::take(&mut job.held) {
            self.intake.release(id, Some(arrival(Some(&control), queue, &data, &peer)))?;
        }
        tracing::debug!(queue, name, files = control.files.len(), "a control file");
        job.control = Some(control);
        self.wire.say(YES)?;
        Ok(())
    }

    fn data(&mut self, job: &mut Job, queue: &str, bytes: Option<u64>, name: &str) -> Result<(), End> {
        job.files += 1;
        if job.files > MOST_FILES {
            return Err(End::Refused(NO, format!("a job has at most {MOST_FILES} files")));
        }
        let mut spool = self.intake.begin()?.paced(self.config.limits.max_bytes_per_s, self.wire.stop());
        let most = self.intake.config().max_bytes;
        if bytes.is_some_and(|bytes| bytes > most) {
            return Err(CaptureError::TooLarge { limit: most }.into());
        }
        self.wire.say(YES)?;
        match bytes {
            Some(bytes) => {
                self.wire.spool(bytes, &mut spool)?;
                self.trailer(bytes)?;
            }
            None => self.up_to_the_end(&mut spool)?,
        }
        // A file of no bytes is no document; the sender is told yes, so that it does not try for ever.
        if spool.bytes() > 0 {
            // The control file may come behind, but yes is said now: so the item is made now.
            let mut arrival = arrival(job.control.as_ref(), queue, name, &self.wire.peer.to_string());
            arrival.held = job.control.is_none();
            let held = arrival.held;
            let item = spool.accept(arrival)?;
            job.last = bytes.map(|bytes| (item.id, bytes));
            self.told.taken();
            if held {
                job.held.push((name.to_string(), item.id));
            }
        }
        self.wire.say(YES).or_else(|error| if bytes.is_none() { Ok(()) } else { Err(error) })?;
        Ok(())
    }

    /// A file of unknown length; its last byte is 0 when the sender says the end of a file in the usual way.
    fn up_to_the_end(&mut self, spool: &mut Spool) -> Result<(), End> {
        let mut held: Option<u8> = None;
        loop {
            let piece = self.wire.fill(None)?;
            let Some((last, before)) = piece.split_last() else { break };
            let (last, taken) = (*last, piece.len());
            if let Some(held) = held.take() {
                spool.write(&[held])?;
            }
            spool.write(before)?;
            held = Some(last);
            self.wire.taken(taken);
        }
        if let Some(held) = held.filter(|held| *held != 0) {
            spool.write(&[held])?;
        }
        Ok(())
    }

    /// The byte 0 behind a file. Some senders leave it out and go on with their next command, or end; anything else, also behind
    /// the 0, is more of the file than was announced: nobody is told yes for a part.
    fn trailer(&mut self, bytes: u64) -> Result<(), End> {
        match self.wire.fill(Some(TRAILER)) {
            Ok(piece) => {
                let (ended, next) = match piece.split_first() {
                    Some((0, next)) => (true, next),
                    _ => (false, piece),
                };
                if !may_follow(next) {
                    return Err(End::Refused(NO, format!("more came than the {bytes} bytes that were announced")));
                }
                self.wire.taken(usize::from(ended));
            }
            Err(WireError::Idle(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The answer to a question for the state of a queue.
    fn state(&self, queue: &str, long: bool, list: &[String]) -> Result<String, End> {
        let items = self.of_queue(queue, list)?;
        if items.is_empty() {
            return Ok("no entries\n".into());
        }
        let mut text = String::from("Rank   Owner      Job             Files                       Total Size\n");
        for (rank, item) in (1..).zip(items.iter().take(200)) {
            let rank = if item.state == State::Loading { "active".to_string() } else { rank.to_string() };
            let file: String = item.file.chars().take(27).collect();
            text.push_str(&format!("{rank:<6} {:<10} {:<15} {file:<27} {} bytes\n", item.sent_by, item.id, item.bytes));
            if long {
                let from = item.attributes.get("host").map_or(item.peer.as_str(), String::as_str);
                let why = item.error.as_deref().unwrap_or_default();
                text.push_str(&format!("       {} from {from} {why}\n", item.state.name()));
            }
        }
        Ok(text)
    }

    fn of_queue(&self, queue: &str, list: &[String]) -> Result<Vec<Item>, End> {
        let mut items = self.intake.open_items()?;
        items.retain(|item| item.queue.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(queue)));
        items.retain(|item| {
            list.is_empty() || list.iter().any(|wanted| *wanted == item.id.to_string() || *wanted == item.sent_by)
        });
        Ok(items)
    }

    /// Removes jobs that failed or that nobody knows, when the sender's own user asks from the sender's address and the
    /// configuration lets them.
    fn remove(&self, queue: &str, agent: &str, list: &[String]) -> Result<String, End> {
        let mut text = String::new();
        let peer = self.wire.peer.to_string();
        if !self.config.remove {
            self.told.refused(&peer, "jobs are not removed from here (`remove` of [capture.lpd])");
            return Ok("jobs are removed on the administrator's pages, not from here\n".into());
        }
        for item in self.of_queue(queue, list)? {
            if item.peer != peer || (item.sent_by != agent && agent != "root") {
                continue;
            }
            let why = format!("removed by {agent} at {peer}");
            text.push_str(&match self.intake.discard(item.id, &why) {
                Ok(item) => {
                    let who = format!("lpd:{}", plain(agent));
                    self.intake.record(&who, &peer, "intake-discard", &item.named(), &why);
                    format!("{} dequeued\n", item.id)
                }
                Err(error) => format!("{} not removed: {error}\n", item.id),
            });
        }
        Ok(if text.is_empty() { "no entries of yours\n".into() } else { text })
    }
}

/// What is known of a data file.
fn arrival(control: Option<&Control>, queue: &str, data: &str, peer: &str) -> Arrival {
    let (number, host) = job_of(data);
    let nothing = Control::default();
    let control = control.unwrap_or(&nothing);
    let printed = control.files.iter().find(|file| file.data == data).cloned().unwrap_or_else(|| Printed {
        data: data.into(),
        copies: 1,
        ..Printed::default()
    });
    let name = [&printed.source, &control.job, &control.title].into_iter().find(|name| !name.is_empty());
    let mut arrival = Arrival {
        receiver: "lpd",
        file: file_name(name.map_or(data, String::as_str), "job"),
        queue: Some(plain(queue)),
        peer: peer.into(),
        sent_by: plain(&control.user),
        transmission: Some(format!("lpd/{peer}/{queue}/{data}")),
        ..Arrival::default()
    };
    let host = if control.host.is_empty() { &host } else { &control.host };
    for (name, value) in
        [("host", host), ("job-name", &control.job), ("class", &control.class), ("title", &control.title)]
    {
        arrival.attribute(name, value);
    }
    arrival.attribute("source", &printed.source);
    arrival.attribute("job-number", &number);
    if printed.how != '\0' {
        arrival.attribute("lpd-format", &printed.how.to_string());
    }
    if printed.copies > 1 {
        arrival.attribute("copies", &printed.copies.to_string());
    }
    for (name, value) in &control.more {
        arrival.attribute(name, value);
    }
    arrival
}
