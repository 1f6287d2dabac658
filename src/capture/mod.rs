//! Captures print streams: listens, receives, and makes them durable; then has them loaded.
//!
//! A stream enters through a [`Receiver`] (LPD, raw port, IPP, hot folder) or an HTTP upload, passes through one
//! [`Spool`] and becomes an [`Item`]: bytes on disk, synced, hashed, and a row. Only then does the sender hear yes. Workers
//! ([`work`]) hand items to a [`Loader`]; what no report definition fits waits until somebody says what it is.
//!
//! Promises: no byte lost after yes (`tests/it/capture.rs`); the same transmission twice is one item, the same stream
//! twice one load; memory stays flat whatever the size, because a receiver that is ahead of the disk stops reading; one
//! bad stream never stops the others. Nothing here looks inside a stream, except to preview what nobody knows.
//! Settings and use: `docs/capture.md`. Adding a receiver: a file here, a line in [`RECEIVERS`], its table in `config.rs`.

pub mod config;
pub mod door;
pub mod folder;
pub mod intake;
pub mod ipp;
pub mod item;
pub mod lpd;
pub mod operate;
mod order;
mod pace;
mod queue;
pub mod raw;
mod rows;
pub mod rule;
mod spool;
pub mod switches;
mod turn;
pub mod upload;
pub mod work;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use config::CaptureConfig;
pub use door::{Door, Told};
pub use intake::Intake;
pub use item::{Arrival, Item, State};
pub use spool::Spool;
pub use upload::{Upload, Uploads};
pub use work::{Brought, Loader, NotLoaded};

/// Takes streams from somewhere.
pub trait Receiver: Send + Sync {
    /// Its name, as in the configuration and in rows.
    fn name(&self) -> &'static str;
    /// Starts what the configuration asks for; returns at once. Every stream goes through `intake`, which syncs before
    /// it says yes. An address that cannot be listened on is an error.
    fn start(&self, config: &CaptureConfig, intake: &Intake, stop: &Stop) -> Result<Vec<Door>, CaptureError>;
}

/// The receivers there are.
pub static RECEIVERS: &[&dyn Receiver] = &[&lpd::Lpd, &raw::Raw, &ipp::Ipp, &folder::Folders];

/// Starts all receivers that the configuration asks for.
pub fn listen(config: &CaptureConfig, intake: &Intake, stop: &Stop) -> Result<Vec<Door>, CaptureError> {
    let mut doors = Vec::new();
    for receiver in RECEIVERS {
        match receiver.start(config, intake, stop) {
            Ok(more) => doors.extend(more),
            Err(error) => {
                stop.now();
                doors.into_iter().for_each(Door::close);
                return Err(error);
            }
        }
    }
    Ok(doors)
}

/// Tells threads to end.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends them.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether they are to end.
    pub fn is_now(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why a stream was not taken, or a receiver not started. A stream that was not taken was not acknowledged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The configuration is wrong.
    #[error("{place}: {detail}")]
    Config {
        /// The file.
        place: String,
        /// What is wrong, with its line where it is known.
        detail: String,
    },
    /// An address cannot be listened on, or a folder not be watched.
    #[error("{receiver} cannot use {place}")]
    Place {
        /// The receiver.
        receiver: &'static str,
        /// The address or folder.
        place: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The disk is full, or so nearly that nothing more is taken.
    #[error("the disk is full")]
    Full,
    /// So many streams wait that nothing more is taken.
    #[error("{waiting} streams wait to be loaded")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// Somebody closed the queue.
    #[error("the queue {0} is closed")]
    Closed(String),
    /// The stream is longer than its limit.
    #[error("the stream is longer than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The stream has no bytes.
    #[error("the stream is empty")]
    Empty,
    /// The bytes are not those that the sender announced.
    #[error("the digest is {found}, not {announced}")]
    Digest {
        /// SHA-256 of what came, lower-case hex.
        found: String,
        /// What the sender said.
        announced: String,
    },
    /// There is no such item.
    #[error("there is no received stream {0}")]
    Nothing(u64),
    /// The item is in a state in which this is not possible.
    #[error("stream {id} is {state}: {detail}")]
    State {
        /// The item.
        id: u64,
        /// Its state.
        state: &'static str,
        /// What is not possible.
        detail: &'static str,
    },
    /// A rule cannot be so.
    #[error("{0}")]
    Rule(String),
    /// More than one may have, or not at this moment.
    #[error("{detail}")]
    Quota {
        /// Of what.
        detail: String,
    },
    /// The file could not be written.
    #[error("the stream could not be written")]
    Write(#[source] std::io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(crate::archive::kv::StoreError),
}

impl From<crate::archive::kv::StoreError> for CaptureError {
    fn from(error: crate::archive::kv::StoreError) -> CaptureError {
        match error {
            crate::archive::kv::StoreError::Full { .. } => CaptureError::Full,
            other => CaptureError::Store(other),
        }
    }
}

impl From<std::io::Error> for CaptureError {
    fn from(error: std::io::Error) -> CaptureError {
        // A quota that is used up is a full disk to whoever sends.
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => CaptureError::Full,
            _ => CaptureError::Write(error),
        }
    }
}
