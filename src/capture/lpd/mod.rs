//! The LPD receiver: a print server by RFC 1179.
//!
//! In: connections of hosts that print with `lpr`, CUPS, Windows or a mainframe's TCP/IP writer. Out: an item for each
//! file that a job prints. The byte 0 after a data file is said only when the file is durable. Order of control and data
//! file is free; a count of 0 or one of the counts that senders give for "I do not know" means up to the end of the
//! connection. Names from outside are never used as paths. What real senders do differently from the book stands in
//! `docs/capture.md`.

mod command;
mod control;
mod session;

use super::door::{Door, Told};
use super::{CaptureConfig, CaptureError, Intake, Receiver, Stop};

/// The receiver.
pub struct Lpd;

impl Receiver for Lpd {
    fn name(&self) -> &'static str {
        "lpd"
    }

    fn start(&self, config: &CaptureConfig, intake: &Intake, stop: &Stop) -> Result<Vec<Door>, CaptureError> {
        let Some(lpd) = &config.lpd else { return Ok(Vec::new()) };
        let told = Told::new(self.name(), lpd.listen.to_string(), None);
        let (own, shown, taking) = (lpd.clone(), told.clone(), intake.clone());
        let door = Door::open(told, lpd.listen, &lpd.limits, stop, move |wire| {
            session::Session::new(wire, &own, &taking, &shown).run();
        })?;
        Ok(vec![door])
    }
}
