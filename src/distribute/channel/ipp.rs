//! Printing by IPP (RFC 8010, 8011) as a client: Print-Job, and Get-Job-Attributes until the printer says how it ended.
//!
//! | what happens | means |
//! |---|---|
//! | job-state completed | [`Rung::Completed`] |
//! | the printer took the job and did not end it in time | [`Rung::Accepted`] |
//! | job-state aborted or canceled; the format is not supported | refused |
//! | no connection, any other status | later |
//! | no answer after the job was sent | in doubt |
//!
//! The job is named for the piece.

use std::time::{Duration, Instant};

use super::{Channel, Composed, Content, Needs, Outcome, Parcel, Rung, one_file};
use crate::distribute::DistributeError;
use crate::distribute::config::ChannelConfig;

/// How long the end of a job is waited for, unless the configuration says otherwise.
const WAIT_S: u64 = 30;
/// Largest answer that is read.
const MOST_ANSWER: u64 = 64 << 10;

const PRINT_JOB: u16 = 0x0002;
const GET_JOB_ATTRIBUTES: u16 = 0x0009;
const FORMAT_NOT_SUPPORTED: u16 = 0x040a;
/// Tags (RFC 8010, 3.5).
const OPERATION: u8 = 0x01;
const END: u8 = 0x03;
const INTEGER: u8 = 0x21;
const NAME: u8 = 0x42;
const KEYWORD: u8 = 0x44;
const URI: u8 = 0x45;
const CHARSET: u8 = 0x47;
const LANGUAGE: u8 = 0x48;
const MEDIA_TYPE: u8 = 0x49;
/// Job states (RFC 8011, 5.3.7): canceled, aborted, completed.
const CANCELED: u32 = 7;
const ABORTED: u32 = 8;
const COMPLETED: u32 = 9;

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
        attribute(&mut request, NAME, "job-name", parcel.id.as_bytes());
        let format = match parcel.name.rsplit_once('.') {
            Some((_, "pdf")) => "application/pdf",
            Some((_, "txt")) => "text/plain",
            _ => "application/octet-stream",
        };
        attribute(&mut request, MEDIA_TYPE, "document-format", format.as_bytes());
        request.push(END);
        request.extend_from_slice(parcel.bytes);
        let answer = match self.ask(&request) {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let Some(job) = answer.number("job-id").filter(|_| answer.status < 0x0100) else {
            let said = format!("status 0x{:04x} {}", answer.status, answer.text("status-message"));
            return if answer.status == FORMAT_NOT_SUPPORTED { Outcome::Refused(said) } else { Outcome::Later(said) };
        };
        self.end(job)
    }
}

impl Ipp {
    /// The beginning of a request.
    fn request(&self, operation: u16) -> Vec<u8> {
        let mut bytes = vec![1, 1];
        bytes.extend(operation.to_be_bytes());
        bytes.extend(1_u32.to_be_bytes());
        bytes.push(OPERATION);
        attribute(&mut bytes, CHARSET, "attributes-charset", b"utf-8");
        attribute(&mut bytes, LANGUAGE, "attributes-natural-language", b"en");
        attribute(&mut bytes, URI, "printer-uri", self.printer.as_bytes());
        bytes
    }

    fn ask(&self, request: &[u8]) -> Result<Answer, Outcome> {
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
        Answer::read(&bytes).ok_or_else(|| Outcome::InDoubt("the answer is not IPP".into()))
    }

    /// Waits for the end of a job that the printer took.
    fn end(&self, job: u32) -> Outcome {
        let begun = Instant::now();
        loop {
            let mut request = self.request(GET_JOB_ATTRIBUTES);
            attribute(&mut request, INTEGER, "job-id", &job.to_be_bytes());
            attribute(&mut request, KEYWORD, "requested-attributes", b"job-state");
            request.push(END);
            match self.ask(&request).ok().and_then(|answer| answer.number("job-state")) {
                Some(COMPLETED) => {
                    return Outcome::Taken { rung: Rung::Completed, said: format!("job {job} is completed") };
                }
                Some(CANCELED) => return Outcome::Refused(format!("job {job} was canceled at the printer")),
                Some(ABORTED) => return Outcome::Refused(format!("job {job} was aborted by the printer")),
                _ => {}
            }
            if begun.elapsed() > self.wait {
                return Outcome::Taken { rung: Rung::Accepted, said: format!("job {job} is with the printer") };
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Writes an attribute with one value. Ours are short.
fn attribute(bytes: &mut Vec<u8>, tag: u8, name: &str, value: &[u8]) {
    let length = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    bytes.push(tag);
    bytes.extend(length(name.len()));
    bytes.extend(name.as_bytes());
    bytes.extend(length(value.len()));
    bytes.extend(value.iter().take(usize::from(u16::MAX)));
}

/// An answer.
struct Answer {
    status: u16,
    /// First values by name.
    attributes: Vec<(String, Vec<u8>)>,
}

impl Answer {
    /// Reads an answer; `None`: it is cut or none.
    fn read(bytes: &[u8]) -> Option<Answer> {
        let status = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
        let (mut at, mut attributes) = (8, Vec::new());
        loop {
            let tag = *bytes.get(at)?;
            at += 1;
            match tag {
                END => return Some(Answer { status, attributes }),
                0..=0x0f => {}
                _ => {
                    let name = part(bytes, &mut at)?;
                    let value = part(bytes, &mut at)?;
                    attributes.push((String::from_utf8_lossy(name).into_owned(), value.to_vec()));
                }
            }
        }
    }

    fn value(&self, name: &str) -> Option<&Vec<u8>> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn number(&self, name: &str) -> Option<u32> {
        Some(u32::from_be_bytes(self.value(name)?.as_slice().try_into().ok()?))
    }

    fn text(&self, name: &str) -> String {
        let text = self.value(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default();
        text.chars().filter(|c| !c.is_control()).take(200).collect()
    }
}

/// Two bytes of length and what they count.
fn part<'b>(bytes: &'b [u8], at: &mut usize) -> Option<&'b [u8]> {
    let length = u16::from_be_bytes(bytes.get(*at..at.checked_add(2)?)?.try_into().ok()?);
    let end = at.checked_add(2)?.checked_add(usize::from(length))?;
    let found = bytes.get(*at + 2..end)?;
    *at = end;
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_and_cut_ones_are_none() {
        let mut bytes = vec![1, 1, 0, 0, 0, 0, 0, 1, OPERATION];
        attribute(&mut bytes, CHARSET, "attributes-charset", b"utf-8");
        bytes.push(0x02);
        attribute(&mut bytes, INTEGER, "job-id", &7_u32.to_be_bytes());
        attribute(&mut bytes, 0x23, "job-state", &9_u32.to_be_bytes());
        bytes.push(END);
        let answer = Answer::read(&bytes).expect("read");
        assert_eq!((answer.status, answer.number("job-id"), answer.number("job-state")), (0, Some(7), Some(9)));
        for cut in 0..bytes.len() {
            assert!(Answer::read(&bytes[..cut]).is_none(), "{cut}");
        }
        assert_eq!(with_port("host/printers/x"), "host:631/printers/x");
        assert_eq!(with_port("host:8631/ipp"), "host:8631/ipp");
    }
}
