//! The IPP receiver: a network printer (RFC 8010, RFC 8011; IPP 1.1 and 2.0 to 2.2 of PWG 5100.12).
//!
//! In: POST requests of CUPS, Windows and other IPP clients; each path `/ipp/print/QUEUE` is a printer. Out: an item for each
//! document of a job. The answer that a document was taken is said only when it is durable. The printer prints nothing: what a job
//! says of copies, media or sides is kept with it. A job that was created and never gets its document is given up after a
//! while. HTTP is spoken by actix; only `http` knows of that. Who may send is told by address, as for the other receivers;
//! one sees and changes jobs of one's own address only, and the printer only from where operators are.

mod about;
mod change;
mod document;
mod documents;
mod http;
mod jobs;
mod message;
mod notify;
mod operation;
mod operator;
mod printer;
mod schedule;
mod status;
mod subscriptions;
mod target;

use std::net::TcpListener;
use std::sync::Arc;

use super::door::{Door, Told};
use super::{CaptureConfig, CaptureError, Intake, Receiver, Stop};

/// Name of the receiver.
const RECEIVER: &str = "ipp";

/// The receiver.
pub struct Ipp;

impl Receiver for Ipp {
    fn name(&self) -> &'static str {
        RECEIVER
    }

    fn start(&self, config: &CaptureConfig, intake: &Intake, stop: &Stop) -> Result<Vec<Door>, CaptureError> {
        let Some(ipp) = &config.ipp else { return Ok(Vec::new()) };
        let place = ipp.listen.to_string();
        let told = Told::new(RECEIVER, place.clone(), None);
        let cannot = |source| CaptureError::Place { receiver: RECEIVER, place, source };
        let listener = TcpListener::bind(ipp.listen).map_err(cannot)?;
        let printer = Arc::new(printer::Printer {
            config: ipp.clone(),
            intake: intake.clone(),
            told: told.clone(),
            jobs: Arc::new(jobs::Jobs::new(ipp.open_jobs, ipp.job_timeout_s)),
            subscriptions: subscriptions::Subscriptions::default(),
            started: intake.now(),
            stop: stop.clone(),
        });
        let door = Door::watch(told, move || {
            if let Err(error) = http::serve(listener, printer) {
                tracing::error!(%error, "the IPP receiver ended");
            }
        })?;
        tracing::info!(receiver = RECEIVER, address = %ipp.listen, "listens for streams");
        Ok(vec![door])
    }
}
