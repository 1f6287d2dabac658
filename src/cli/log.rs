//! The log: what happened beside the answers, on standard error, a line each: time (UTC), level, where, what.
//!
//! Promises: an event is one line whatever a sender named his file (control characters are written as `\u{a}`), and never
//! stands on standard output.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::failure::Failure;

/// What a server tells when nobody says otherwise: what it does, and what others warn of.
pub const SERVING: &str = "warn,greenbar=info";
/// What a command tells: it has its own words for what goes wrong.
pub const COMMAND: &str = "error";

/// Begins to write the log; `wanted` as `warn,greenbar::capture=debug`. The first call counts.
pub fn start(wanted: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(wanted).map_err(|error| Failure::new(format!("--log {wanted:?}: {error}")))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Lines);
    let _ = lines.try_init();
    Ok(())
}

/// Standard error, an event a line.
struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<io::Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(io::stderr())
    }
}

/// Writes an event, which comes whole, as one line.
struct Line<W>(W);

impl<W: Write> Write for Line<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let mut line = String::with_capacity(text.len() + 1);
        for c in text.chars() {
            if c.is_control() { line.extend(c.escape_unicode()) } else { line.push(c) }
        }
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let mut line = Line(Vec::new());
        line.write_all("WARN a\nb\u{1b}[31m 账单\n".as_bytes()).expect("written");
        assert_eq!(String::from_utf8(line.0).expect("text"), "WARN a\\u{a}b\\u{1b}[31m 账单\n");
    }
}
