//! What the archive can fail with.

use super::kv::StoreError;
use super::{DocId, LoadId};
use crate::decode::DecodeError;
use crate::note::At;

/// What reading and keeping the archive can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder holds no archive.
    #[error("there is no archive in {dir}")]
    NoArchive {
        /// The folder.
        dir: String,
    },
    /// The folder holds something already.
    #[error("{dir} is not empty")]
    NotEmpty {
        /// The folder.
        dir: String,
    },
    /// The archive was written by a newer greenbar.
    #[error("the archive has layout {found}, this greenbar knows layouts up to {known}")]
    Layout {
        /// Layout number in the archive.
        found: u32,
        /// Highest layout number this program reads.
        known: u32,
    },
    /// A stored row or block is not what was written.
    #[error("{what} is damaged: {detail}")]
    Damaged {
        /// Which row or block.
        what: String,
        /// What does not hold.
        detail: String,
    },
    /// No such load.
    #[error("there is no load {0}")]
    NoLoad(LoadId),
    /// No such document.
    #[error("there is no document {0}")]
    NoDocument(DocId),
    /// The captured bytes hold values that the reader may not see.
    #[error("the captured bytes of document {0} hold masked values")]
    Masked(DocId),
    /// No such report definition.
    #[error("there is no report definition {name}")]
    NoDefinition {
        /// What was asked for, with its version if one was.
        name: String,
    },
    /// The document is too long to be made a stream of its own.
    #[error("document {document} has {bytes} bytes; at most {most} are made a stream of their own")]
    TooLong {
        /// The document.
        document: DocId,
        /// Its bytes.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// The load is being worked on.
    #[error("load {0} is being worked on")]
    Busy(LoadId),
    /// A report definition cannot be used.
    #[error("the report definition cannot be used: {detail}")]
    Definition {
        /// The reason, with line and column where they are known.
        detail: String,
    },
    /// A stored stream could not be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A file could not be read or written.
    #[error("{path} could not be read or written")]
    File {
        /// The file.
        path: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

impl ArchiveError {
    pub(super) fn file(path: &std::path::Path, source: std::io::Error) -> ArchiveError {
        ArchiveError::File { path: path.display().to_string(), source }
    }

    pub(super) fn damaged(what: impl Into<String>, detail: impl Into<String>) -> ArchiveError {
        ArchiveError::Damaged { what: what.into(), detail: detail.into() }
    }
}

/// What a load can fail with. Nothing of a failed load is visible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The archive failed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A new cut gives a number to other bytes than the cut before; it is made again with other numbers.
    #[error("the new cut has other documents than the one before")]
    OtherDocuments,
    /// The stream has no bytes.
    #[error("the stream is empty")]
    Empty,
    /// The stream could not be read.
    #[error("could not read the stream ({at})")]
    Read {
        /// How far it was read.
        at: At,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The stream could not be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Pages or bytes went missing between the stream and its documents: the load is refused.
    #[error("the page accounting does not balance: {detail} ({at})")]
    Unbalanced {
        /// What does not hold.
        detail: String,
        /// Where.
        at: At,
    },
    /// Several report definitions recognise the stream equally well.
    #[error("several report definitions fit: {}", names.join(", "))]
    Ambiguous {
        /// Their names.
        names: Vec<String>,
    },
    /// No report definition fits the stream, and it is not to be kept whole.
    #[error("no report definition fits the stream")]
    Unidentified,
    /// The stream has more documents or blocks than one load can number.
    #[error("the stream has too many {what} for one load")]
    TooMany {
        /// `documents`, `blocks`.
        what: &'static str,
    },
}

impl From<StoreError> for LoadError {
    fn from(error: StoreError) -> LoadError {
        LoadError::Archive(ArchiveError::Store(error))
    }
}
