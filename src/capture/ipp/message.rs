//! Answers of the printer.

use super::status::Status;
use crate::ipp::Writer;
pub use crate::ipp::{
    DOCUMENT, EVENT, Head, JOB, Malformed, Message as Request, OPERATION, PRINTER, SUBSCRIPTION, Value,
};

/// Longest message to the sender.
const MOST_MESSAGE: usize = 120;

/// An answer: the head of a message and its status.
#[derive(Debug)]
pub struct Reply {
    writer: Writer,
    status: Status,
}

impl Reply {
    /// An answer to a request: its status and, when there is something to say, a message.
    pub fn new(request: &Request, status: Status, message: &str) -> Reply {
        // A version that is not known is answered in the nearest one that is.
        let version = match request.version {
            (0 | 1, _) => [1, 1],
            (2, minor @ 0..=1) => [2, minor],
            _ => [2, 2],
        };
        let mut writer = Writer::new(version, status as u16, request.id);
        if !message.is_empty() {
            let message: String = message.chars().take(MOST_MESSAGE).collect();
            writer.add("status-message", &[Value::text(message)]);
        }
        Reply { writer, status }
    }

    /// Its status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Begins a group.
    pub fn group(&mut self, tag: u8) {
        self.writer.group(tag);
    }

    /// Adds an attribute; without values it is left out.
    pub fn add(&mut self, name: &str, values: &[Value]) {
        self.writer.add(name, values);
    }

    /// Its bytes.
    pub fn finish(self) -> Vec<u8> {
        self.writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_why_in_the_version_that_was_asked() {
        let to = Request { version: (2, 9), id: 9, ..Request::default() };
        let reply = Reply::new(&to, Status::NotFound, &"long ".repeat(400));
        let back = Request::read(&reply.finish()).expect("well-formed");
        assert_eq!((back.version, back.code, back.id), ((2, 2), Status::NotFound as u16, 9));
        assert_eq!(back.text("status-message").map(str::len), Some(MOST_MESSAGE));
    }
}
