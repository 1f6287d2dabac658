//! Answers: the codes of RFC 8011, appendix B.

use super::message::Malformed;
use crate::capture::CaptureError;

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Status {
    /// Done.
    Ok = 0x0000,
    /// Done, but not all subscriptions were made.
    IgnoredSubscriptions = 0x0003,
    /// The request is malformed.
    BadRequest = 0x0400,
    /// Only operators may.
    Forbidden = 0x0401,
    /// The job is somebody else's.
    NotAuthorized = 0x0403,
    /// Not in this state.
    NotPossible = 0x0404,
    /// The sender was silent for too long.
    Timeout = 0x0405,
    /// There is no such printer or job.
    NotFound = 0x0406,
    /// The document is too long.
    TooLarge = 0x0408,
    /// The format of the document is none that the printer knows.
    FormatNotSupported = 0x040A,
    /// An attribute has a value that it cannot have.
    NotSupported = 0x040B,
    /// Nobody is sent events to such an address.
    SchemeNotSupported = 0x040C,
    /// The character set is none that the printer knows.
    CharsetNotSupported = 0x040D,
    /// The compression is none that the printer knows.
    CompressionNotSupported = 0x040F,
    /// The compressed document is damaged.
    CompressionError = 0x0410,
    /// An attribute cannot be set.
    NotSettable = 0x0413,
    /// No subscription was made.
    IgnoredAll = 0x0414,
    /// Too many are subscribed.
    TooManySubscriptions = 0x0415,
    /// Something failed here.
    Internal = 0x0500,
    /// There is no such operation.
    OperationNotSupported = 0x0501,
    /// The printer was shut down.
    Unavailable = 0x0502,
    /// Nobody speaks this version.
    VersionNotSupported = 0x0503,
    /// Later: the disk is full.
    Temporary = 0x0505,
    /// Later: the queue is closed.
    NotAccepting = 0x0506,
    /// Later: too much is waiting.
    Busy = 0x0507,
    /// The job was given up while its document came.
    JobCanceled = 0x0508,
    /// Later: too many jobs are open.
    TooManyJobs = 0x050B,
    /// The job has so many documents that it takes no more.
    TooManyDocuments = 0x050C,
}

/// A request that is not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub status: Status,
    /// In words.
    pub why: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: Status, why: impl Into<String>) -> Refusal {
        Refusal { status, why: why.into() }
    }

    /// A request that is malformed.
    pub fn bad(why: impl Into<String>) -> Refusal {
        Refusal::new(Status::BadRequest, why)
    }
}

impl From<Malformed> for Refusal {
    fn from(error: Malformed) -> Refusal {
        Refusal::bad(error.to_string())
    }
}

impl From<CaptureError> for Refusal {
    fn from(error: CaptureError) -> Refusal {
        let status = match &error {
            CaptureError::Full => Status::Temporary,
            CaptureError::Busy { .. } => Status::Busy,
            CaptureError::TooLarge { .. } => Status::TooLarge,
            CaptureError::Closed(_) => Status::NotAccepting,
            CaptureError::Rule(_) => Status::NotPossible,
            CaptureError::Empty => Status::BadRequest,
            _ => Status::Internal,
        };
        Refusal::new(status, error.to_string())
    }
}
