//! Printing by IPP (RFC 8010, 8011) as a client: Print-Job, and Get-Job-Attributes until the printer says how it ended, in later
//! rounds for what is not printed at once: paper at a stopped printer is not done.
//!
//! | what happens | means |
//! |---|---|
//! | job-state completed | [`Rung::Completed`] |
//! | the printer took the job and has not ended it | [`Rung::Accepted`], and is asked again |
//! | it does not know the job any more | in doubt |
//! | job-state aborted or canceled; the format is not supported | refused |
//! | no connection, any other status | later |
//! | no answer after the job was sent | in doubt |
//!
//! The job is named for the piece.

use std::time::{Duration, Instant};

use super::{Channel, Composed, Content, Needs, Outcome, Parcel, Rung, one_file};
use crate::distribute::DistributeError;
use crate::distribute::config::ChannelConfig;
use crate::ipp::{Message, Value, Writer};

/// How long an answer is waited for, unless the configuration says otherwise.
const WAIT_S: u64 = 30;
/// How long the end of a job is waited for before the next one.
const MOMENT: Duration = Duration::from_secs(1);
/// Largest answer that is read.
const MOST_ANSWER: u64 = 64 << 10;

const PRINT_JOB: u16 = 0x0002;
const GET_JOB_ATTRIBUTES: u16 = 0x0009;
/// Codes below this say that it was done (RFC 8011, appendix B).
const FIRST_ERROR: u16 = 0x0100;
const NOT_FOUND: u16 = 0x0406;
const FORMAT_NOT_SUPPORTED: u16 = 0x040a;
/// Job states (RFC 8011, 5.3.7): canceled, aborted, completed.
const CANCELED: i32 = 7;
const ABORTED: i32 = 8;
const COMPLETED: i32 = 9;

struct Ipp {
    printer: String,
    url: String,
    wait: Duration,
    agent: ureq::Agent,
}

/// Opens the channel; no connection is made yet.
pub fn open(config: &ChannelConfig) -> Result<Box<dyn Channel>, DistributeError> {
    let url = match config.url.split_once("://") {
        Some(("ipps", rest)) => format!("https://{}", with_port(rest)),
        Some(("ipp", rest)) if config.private => format!("http://{}", with_port(rest)),
        _ => return Err(config.wrong("url", "it is like ipps://host/printers/name (ipp:// only with private = true)")),
    };
    let wait = Duration::from_secs(config.timeout_s.unwrap_or(WAIT_S).clamp(1, 600));
    let settings = ureq::Agent::config_builder()
        .timeout_connect(Some(wait))
        .timeout_global(Some(wait * 2))
        .max_redirects(0)
        .http_status_as_error(false)
        .build();
    Ok(Box::new(Ipp { printer: config.url.clone(), url, wait, agent: settings.into() }))
}

/// IPP has a port of its own.
fn with_port(rest: &str) -> String {
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let port = if host.rsplit(']').next().unwrap_or_default().contains(':') { "" } else { ":631" };
    format!("{host}{port}/{path}")
}

impl Channel for Ipp {
    fn needs(&self) -> Needs {
        Needs::Files
    }

    fn target(&self) -> Rung {
        Rung::Completed
    }

    fn repeatable(&self) -> bool {
        false
    }

    fn compose(&self, content: &Content) -> Result<Composed, DistributeError> {
        one_file(content)
    }

    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        let mut request = self.request(PRINT_JOB);
        request.add("job-name", &[Value::name(parcel.id)]);
        let format = match parcel.name.rsplit_once('.') {
            Some((_, "pdf")) => "application/pdf",
            Some((_, "txt")) => "text/plain",
            _ => "application/octet-stream",
        };
        request.add("document-format", &[Value::media_type(format)]);
        let mut request = request.finish();
        request.extend_from_slice(parcel.bytes);
        let answer = match self.ask(&request) {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let Some(job) = answer.integer("job-id").filter(|_| answer.code < FIRST_ERROR) else {
            let said = format!("status 0x{:04x} {}", answer.code, said(&answer));
            return if answer.code == FORMAT_NOT_SUPPORTED { Outcome::Refused(said) } else { Outcome::Later(said) };
        };
        self.end(job)
    }

    fn came_of(&self, ticket: &str) -> Outcome {
        match ticket.parse() {
            Ok(job) => self.job(job),
            Err(_) => Outcome::InDoubt(format!("{ticket} is no job of a printer")),
        }
    }
}

impl Ipp {
    /// The beginning of a request.
    fn request(&self, operation: u16) -> Writer {
        let mut request = Writer::new([1, 1], operation, 1);
        request.add("printer-uri", &[Value::uri(self.printer.as_str())]);
        request
    }

    fn ask(&self, request: &[u8]) -> Result<Message, Outcome> {
        let sent = self.agent.post(&self.url).header("content-type", "application/ipp").send(request);
        let mut answer = sent.map_err(|error| match error {
            // Nothing was sent.
            ureq::Error::ConnectionFailed
            | ureq::Error::HostNotFound
            | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                Outcome::Later(error.to_string())
            }
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                Outcome::Later(error.to_string())
            }
            error => Outcome::InDoubt(format!("no answer after the job was sent: {error}")),
        })?;
        let status = answer.status();
        if !status.is_success() {
            return Err(Outcome::Later(format!("HTTP {}", status.as_u16())));
        }
        let bytes = answer.body_mut().with_config().limit(MOST_ANSWER).read_to_vec();
        let bytes = bytes.map_err(|error| Outcome::InDoubt(format!("the answer broke off: {error}")))?;
        Message::read(&bytes).map_err(|error| Outcome::InDoubt(format!("the answer is not IPP: {error}")))
    }

    /// Waits a moment for the end of a job that the printer took: a quick one needs no second look. The next piece does not
    /// wait for a slow one.
    fn end(&self, job: i32) -> Outcome {
        let begun = Instant::now();
        loop {
            let outcome = self.job(job);
            let goes_on = matches!(outcome, Outcome::Working { .. } | Outcome::Later(_));
            if !goes_on {
                return outcome;
            }
            if begun.elapsed() > MOMENT.min(self.wait) {
                return Outcome::Working { ticket: job.to_string(), said: format!("job {job} is with the printer") };
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks for a job once.
    fn job(&self, job: i32) -> Outcome {
        let mut request = self.request(GET_JOB_ATTRIBUTES);
        request.add("job-id", &[Value::Integer(job)]);
        request.add("requested-attributes", &[Value::keyword("job-state")]);
        let answer = match self.ask(&request.finish()) {
            Ok(answer) => answer,
            // Nothing goes out with a question.
            Err(Outcome::InDoubt(said) | Outcome::Later(said) | Outcome::OutOfOrder(said)) => {
                return Outcome::Later(said);
            }
            Err(other) => return other,
        };
        if answer.code == NOT_FOUND {
            return Outcome::InDoubt(format!("the printer does not know job {job} any more"));
        }
        match answer.number("job-state") {
            Some(COMPLETED) => Outcome::Taken { rung: Rung::Completed, said: format!("job {job} is completed") },
            Some(CANCELED) => Outcome::Refused(format!("job {job} was canceled at the printer")),
            Some(ABORTED) => Outcome::Refused(format!("job {job} was aborted by the printer")),
            Some(_) => Outcome::Working { ticket: job.to_string(), said: format!("job {job} is with the printer") },
            None => Outcome::Later(format!("status 0x{:04x} {}", answer.code, said(&answer))),
        }
    }
}

/// What a printer says beside its status, cut to what a row can hold.
fn said(answer: &Message) -> String {
    let text = answer.text("status-message").unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printer_has_a_port_of_its_own() {
        assert_eq!(with_port("host/printers/x"), "host:631/printers/x");
        assert_eq!(with_port("host:8631/ipp"), "host:8631/ipp");
    }
}
