//! Addresses of printers and jobs.

use super::message::Request;
use super::status::{Refusal, Status};

/// The queue of an address that names none.
const QUEUE: &str = "ipp";

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Host and port, as the sender sees them.
    pub host: String,
    /// The queue.
    pub queue: String,
    /// The address of the printer.
    pub printer_uri: String,
    /// The job that the address names.
    pub job: Option<u64>,
}

impl Target {
    /// The target of a request; `host` is where it was sent to when it does not say itself.
    pub fn of(request: &Request, host: &str) -> Result<Target, Refusal> {
        let printer = request.text("printer-uri");
        let uri = printer.or_else(|| request.text("job-uri")).ok_or_else(|| Refusal::bad("there is no printer-uri"))?;
        let not_found = || Refusal::new(Status::NotFound, format!("there is nothing at {uri}"));
        let (scheme, rest) = uri.split_once("://").ok_or_else(not_found)?;
        if !["ipp", "ipps", "http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(not_found());
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = [authority, host].into_iter().find(|host| is_host(host)).unwrap_or("localhost").to_string();
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
        let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let mut job = None;
        if printer.is_none() || parts.first() == Some(&"jobs") {
            job = parts.pop().and_then(|number| number.parse().ok());
            if job.is_none() {
                return Err(not_found());
            }
        }
        let queue = match parts.as_slice() {
            [] | ["jobs"] | ["ipp"] | ["ipp", "print"] => QUEUE.to_string(),
            ["ipp", "print", queue] | ["printers", queue] => name(queue).ok_or_else(not_found)?,
            _ => return Err(not_found()),
        };
        let printer_uri = format!("ipp://{host}/ipp/print/{}", escaped(&queue));
        Ok(Target { host, queue, printer_uri, job })
    }
}

fn is_host(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_%".contains(&byte);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(fits)
}

/// The name of a queue in a path.
fn name(part: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let byte = if byte == b'%' {
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            u8::try_from(digit(rest.next())? * 16 + digit(rest.next())?).ok()?
        } else {
            byte
        };
        bytes.push(byte);
    }
    let name = String::from_utf8(bytes).ok()?;
    let wrong = |ch: char| ch.is_whitespace() || ch.is_control() || ch == '/';
    (!name.is_empty() && name.chars().count() <= 127 && !name.contains(wrong)).then_some(name)
}

fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@:".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::message::{OPERATION, Value};
    use super::*;
    use crate::ipp::Attribute;

    fn target(name: &str, uri: &str) -> Result<Target, Refusal> {
        let attribute = Attribute { group: OPERATION, name: name.into(), values: vec![Value::uri(uri)] };
        Target::of(&Request { attributes: vec![attribute], ..Request::default() }, "here:631")
    }

    #[test]
    fn addresses_name_queues_and_jobs() {
        let queue = |uri: &str| target("printer-uri", uri).map(|target| target.queue);
        assert_eq!(queue("ipp://h:8631/ipp/print/INV_DE").as_deref(), Ok("INV_DE"));
        assert_eq!(queue("ipp://h/printers/r%C3%A9sum%C3%A9").as_deref(), Ok("résumé"));
        assert_eq!(queue("ipp://h/ipp/print").as_deref(), Ok(QUEUE));
        assert_eq!(queue("http://h").as_deref(), Ok(QUEUE));
        let job = target("job-uri", "ipp://h:1/jobs/17").expect("a job");
        assert_eq!((job.job, job.host.as_str()), (Some(17), "h:1"));
        assert_eq!(target("printer-uri", "ipp://a b/ipp/print/q").expect("a queue").host, "here:631");
        let uri = target("printer-uri", "ipp://h/ipp/print/a%25b").expect("a queue").printer_uri;
        assert_eq!(uri, "ipp://h/ipp/print/a%25b");
        for bad in [
            "",
            "x",
            "ftp://h/ipp/print/q",
            "ipp://h/other",
            "ipp://h/ipp/print/a%2Fb",
            "ipp://h/ipp/print/a%2",
            "ipp://h/ipp/print/a/b",
        ] {
            assert_eq!(queue(bad).map_err(|refusal| refusal.status), Err(Status::NotFound), "{bad}");
        }
        assert_eq!(target("job-uri", "ipp://h/jobs/x").map_err(|refusal| refusal.status), Err(Status::NotFound));
        assert_eq!(target("other", "ipp://h/").map_err(|refusal| refusal.status), Err(Status::BadRequest));
    }
}
