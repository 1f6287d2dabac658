//! What went wrong, in words: one line that says it, where, and what to do.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// A command's failure.
#[derive(Debug)]
pub struct Failure {
    message: String,
    place: Option<String>,
    advice: Option<String>,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Failed,
    Usage,
    /// The reader of our output went away: nothing to report.
    PipeClosed,
    /// Everything was said already.
    Reported,
}

impl Failure {
    /// The command could not do what was asked.
    pub fn new(message: impl fmt::Display) -> Failure {
        Failure { message: message.to_string(), place: None, advice: None, kind: Kind::Failed }
    }

    /// The command was called in a way that cannot work.
    pub fn usage(message: impl fmt::Display) -> Failure {
        Failure { kind: Kind::Usage, ..Failure::new(message) }
    }

    /// Something failed and was reported where it happened.
    pub fn reported() -> Failure {
        Failure { kind: Kind::Reported, ..Failure::new("") }
    }

    /// Adds where it happened.
    pub fn at(mut self, place: impl fmt::Display) -> Failure {
        self.place = Some(place.to_string());
        self
    }

    /// Adds what the user can do.
    pub fn advise(mut self, advice: impl fmt::Display) -> Failure {
        self.advice = Some(advice.to_string());
        self
    }

    /// Prints it on standard error.
    pub fn print(&self) {
        self.print_as("error");
    }

    /// Prints it on standard error as something that was survived.
    pub fn warn(&self) {
        self.print_as("warning");
    }

    fn print_as(&self, what: &str) {
        let mut err = io::stderr().lock();
        let _ = writeln!(err, "{what}: {}", self.message);
        if let Some(place) = &self.place {
            let _ = writeln!(err, "  where: {place}");
        }
        if let Some(advice) = &self.advice {
            let _ = writeln!(err, "  do:    {advice}");
        }
    }

    /// Prints it and gives the program's exit code.
    pub fn report(self) -> ExitCode {
        match self.kind {
            Kind::PipeClosed => ExitCode::SUCCESS,
            Kind::Reported => ExitCode::from(1),
            Kind::Failed => {
                self.print();
                ExitCode::from(1)
            }
            Kind::Usage => {
                self.print();
                let _ = writeln!(io::stderr(), "For more, try --help.");
                ExitCode::from(2)
            }
        }
    }
}

/// The text of an error with all its causes.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = inner.source();
    }
    text
}

impl Failure {
    /// An error with all its causes.
    pub fn caused_by(error: &(dyn std::error::Error + 'static)) -> Failure {
        let mut cause = Some(error);
        let mut kind = Kind::Failed;
        while let Some(error) = cause {
            if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
                kind = Kind::PipeClosed;
            }
            cause = error.source();
        }
        Failure { kind, ..Failure::new(chain(error)) }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::caused_by(&error)
    }
}
