//! The raw receiver (AppSocket, JetDirect, port 9100): bytes up to the end.
//!
//! A stream ends when the sender closes, at the `UEL` that ends a PJL job with `@PJL EOJ`, or when nothing came for a
//! while. There is no yes in this protocol but the end of the connection: it is closed only after the stream is durable, and
//! broken off (reset) when it could not be kept, also when the program is killed: until then its end is a reset. Questions
//! in PJL for the printer's state are answered.

use std::time::Duration;

use super::door::{Door, Told, Wire, WireError};
use super::item::BROKE_OFF;
use super::{Arrival, CaptureConfig, CaptureError, Intake, Receiver, Spool, Stop};
use crate::capture::config::RawConfig;

/// The receiver.
pub struct Raw;

/// The bytes that leave a printer language.
const UEL: &[u8] = b"\x1b%-12345X";
/// Last bytes of a stream that are remembered, to see its end.
const TAIL: usize = 128;
/// First bytes of a connection in which questions are looked for.
const HEAD: usize = 4 << 10;
/// How long a sender waits at most for room.
const ROOM: Duration = Duration::from_secs(300);

impl Receiver for Raw {
    fn name(&self) -> &'static str {
        "raw"
    }

    fn start(&self, config: &CaptureConfig, intake: &Intake, stop: &Stop) -> Result<Vec<Door>, CaptureError> {
        let mut doors = Vec::new();
        for raw in &config.raw {
            let told = Told::new(self.name(), raw.listen.to_string(), Some(raw.queue.clone()));
            let (own, shown, taking) = (raw.clone(), told.clone(), intake.clone());
            doors.push(Door::open(told, raw.listen, &raw.limits, stop, move |mut wire| {
                let peer = wire.peer;
                wire.reset();
                match streams(&mut wire, &own, &taking, &shown) {
                    Ok(()) => wire.ends_well(),
                    Err(WireError::Stopped) => {}
                    Err(error) => shown.refused(&peer, &error.to_string()),
                }
            })?);
        }
        Ok(doors)
    }
}

/// Takes the streams of one connection, one behind the other.
fn streams(wire: &mut Wire, config: &RawConfig, intake: &Intake, told: &Told) -> Result<(), WireError> {
    for number in 0_u64.. {
        // Nothing is read while there is no room: the sender waits.
        intake.wait_for_room(&wire.stop().clone(), ROOM);
        intake.admits(&config.queue)?;
        let mut spool = intake.begin()?.paced(config.limits.max_bytes_per_s, wire.stop());
        let (end, head) = stream(wire, config, &mut spool)?;
        // Drivers end with a line end and another UEL behind the job that they ended: that is no stream.
        let is_rest = number > 0 && spool.bytes() == head.len() as u64 && is_blank(&head);
        if spool.bytes() > 0 && end != End::Asked && !is_rest {
            let item = spool.accept(Arrival {
                receiver: "raw",
                file: format!("{}-{}", config.queue, wire.peer),
                queue: Some(config.queue.clone()),
                peer: wire.peer.to_string(),
                ..Arrival::default()
            })?;
            told.taken();
            if end == End::BrokenOff {
                intake.noted(item.id, BROKE_OFF, "the sender broke the connection off: more may have been to come")?;
            }
        }
        if end != End::Job {
            break;
        }
    }
    Ok(())
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// By its own end; another may follow.
    Job,
    /// With the connection.
    Over,
    /// The connection was reset.
    BrokenOff,
    /// With the connection, and there was nothing in it but questions about the printer.
    Asked,
}

/// One stream: how it ended, and its first bytes.
fn stream(wire: &mut Wire, config: &RawConfig, spool: &mut Spool) -> Result<(End, Vec<u8>), WireError> {
    let (mut tail, mut head) = (Vec::new(), Vec::new());
    let mut answered = 0;
    loop {
        let piece = match wire.fill(Some(Duration::from_secs(config.end_s))) {
            Ok([]) | Err(WireError::Idle(_)) => {
                let is_all = spool.bytes() == head.len() as u64;
                return Ok((if is_all && only_asks(&head) { End::Asked } else { End::Over }, head));
            }
            Ok(piece) => piece,
            // The sender is gone without a farewell: nobody can say whether what came is whole.
            Err(WireError::Closed) => return Ok((End::BrokenOff, head)),
            Err(other) => return Err(other),
        };
        let end = end_of_job(&tail, piece);
        let own = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
        let blank = end.is_none() && spool.bytes() == 0 && own == b"\0";
        if !blank {
            spool.write(own)?;
        }
        if head.len() < HEAD {
            head.extend(own.iter().take(HEAD - head.len()));
        }
        tail.extend(own.iter().rev().take(TAIL).rev());
        let surplus = tail.len().saturating_sub(TAIL);
        tail.drain(..surplus);
        let taken = own.len();
        wire.taken(taken);
        answered += answer(wire, head.get(answered..).unwrap_or_default())?;
        if end.is_some() {
            return Ok((End::Job, head));
        }
    }
}

/// Whether there is nothing but blanks, line ends and UELs.
fn is_blank(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).replace("\u{1b}%-12345X", "");
    text.chars().all(|c| c == '\0' || c.is_ascii_whitespace())
}

/// Whether all of a stream is questions in PJL: programs that watch printers send nothing else.
fn only_asks(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).replace("\u{1b}%-12345X", "\n").to_ascii_uppercase();
    let mut asks = false;
    for line in text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()) {
        let Some(words) = line.strip_prefix("@PJL") else { return false };
        match words.split_whitespace().next() {
            Some("INFO" | "USTATUS" | "USTATUSOFF" | "ECHO" | "INQUIRE" | "DINQUIRE") => asks = true,
            None | Some("COMMENT") => {}
            Some(_) => return false,
        }
    }
    asks
}

/// Where in a piece a job ends: behind the `UEL` that follows `@PJL EOJ`.
fn end_of_job(tail: &[u8], piece: &[u8]) -> Option<usize> {
    let joined = [tail, piece].concat();
    memchr::memmem::find_iter(&joined, UEL).find_map(|at| {
        let before = joined.get(at.saturating_sub(TAIL)..at)?;
        let start = memchr::memmem::rfind(before, b"@PJL EOJ")?;
        // Nothing stands between but the rest of its line.
        let rest = before.get(start..)?;
        let ended = rest.iter().filter(|byte| **byte == b'\n').count() <= 1;
        let end = (at + UEL.len()).checked_sub(tail.len())?;
        (ended && end > 0).then_some(end)
    })
}

/// Answers the questions in some lines of PJL; returns the bytes that were understood.
fn answer(wire: &mut Wire, text: &[u8]) -> Result<usize, WireError> {
    let mut understood = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        understood += line.len();
        let Some(at) = memchr::memmem::find(line, b"@PJL ") else { continue };
        let line = String::from_utf8_lossy(line.get(at..).unwrap_or_default()).into_owned();
        let line = line.trim_end();
        let upper = line.to_ascii_uppercase();
        let said = if upper.starts_with("@PJL INFO STATUS") || upper.starts_with("@PJL USTATUS DEVICE") {
            let what = if upper.starts_with("@PJL INFO") { "INFO STATUS" } else { "USTATUS DEVICE" };
            format!("@PJL {what}\r\nCODE=10001\r\nDISPLAY=\"Ready\"\r\nONLINE=TRUE\r\n\u{c}")
        } else if upper.starts_with("@PJL INFO ID") {
            "@PJL INFO ID\r\n\"greenbar\"\r\n\u{c}".to_string()
        } else if upper.starts_with("@PJL ECHO") {
            let words: String = line.chars().skip(9).take(80).collect();
            format!("@PJL ECHO{words}\r\n\u{c}")
        } else {
            continue;
        };
        // Who does not listen to the answer still sends.
        let _ = wire.say(said.as_bytes());
    }
    Ok(understood)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_about_the_printer_are_no_stream() {
        let uel = "\u{1b}%-12345X";
        assert!(only_asks(format!("{uel}@PJL INFO STATUS\r\n{uel}").as_bytes()));
        assert!(only_asks(format!("{uel}@PJL\r\n@PJL USTATUS DEVICE = ON\r\n@PJL ECHO 1\r\n").as_bytes()));
        assert!(!only_asks(format!("{uel}@PJL INFO STATUS\r\n@PJL ENTER LANGUAGE=PCL\r\n").as_bytes()));
        assert!(!only_asks(format!("{uel}@PJL INFO STATUS\r\n{uel}STATEMENT").as_bytes()));
        assert!(!only_asks(uel.as_bytes()) && !only_asks(b"@PJLX INFO"));
    }

    #[test]
    fn a_job_ends_at_the_uel_behind_its_eoj_wherever_it_is_cut() {
        let job = b"\x1b%-12345X@PJL JOB\r\ntext\x1b%-12345X@PJL EOJ NAME=\"a\"\r\n\x1b%-12345Xnext";
        let whole = job.len() - 4;
        assert_eq!(end_of_job(b"", job), Some(whole));
        for cut in 1..whole {
            let (a, b) = job.split_at(cut);
            let tail = &a[a.len().saturating_sub(TAIL)..];
            assert_eq!(end_of_job(tail, b), Some(whole - cut), "cut at {cut}");
        }
        assert_eq!(end_of_job(b"", b"\x1b%-12345X@PJL ENTER LANGUAGE=PCL\r\nx\x1b%-12345X"), None);
    }
}
