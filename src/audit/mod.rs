//! Remembers who did what: an append-only chain of records, each holding the hash of the one before.
//!
//! In: an [`Entry`], from the gate. Out: [`Record`]s, and the proof that none was changed, taken out or put in.
//!
//! Promises: a record that was acknowledged survives the end of the process at any moment, and a power cut as its
//! [`chain::Wait`] says; a changed, missing or added record is found by [`chain::Chain::verify`]; signed checkpoints
//! ([`checkpoint`]) also show that the end was cut off. What a chain in one store cannot show: that somebody with the
//! store and its key wrote everything anew. For that, keep a checkpoint elsewhere (`docs/security.md`).

pub mod chain;
pub mod checkpoint;
pub mod views;

use serde::{Deserialize, Serialize};

use crate::archive::DocId;
use crate::archive::kv::StoreError;

/// What somebody does, about to be recorded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry<'a> {
    /// Who.
    pub who: &'a str,
    /// From which address.
    pub from: &'a str,
    /// `read`, `refused`, `search`, `sign-in`, `load` ...
    pub kind: &'a str,
    /// What it was done to, when it is not a document.
    pub what: &'a str,
    /// The document.
    pub document: Option<DocId>,
    /// What for: the rendition, the query, the reason given.
    pub why: &'a str,
    /// By which right: `document.read by role agent`, `load.write`; empty where none is asked for.
    pub right: &'a str,
    /// The account of a document that is read: the view is found by it ([`views`]).
    pub account: Option<&'a str>,
    /// Whether the reader acts as a customer.
    pub customer: bool,
}

/// A record of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Number, from 1, without gaps.
    pub seq: u64,
    /// ISO 8601, UTC.
    pub time: String,
    /// User name; `operator:<os user>` on the command line, `system:<task>` for greenbar itself.
    pub who: String,
    /// From which address.
    pub from: String,
    /// `read`, `refused`, `search`, `sign-in`, `load` ...
    pub kind: String,
    /// What it was done to, when it is not a document.
    pub what: String,
    /// The document's id.
    pub document: Option<String>,
    /// What for.
    pub why: String,
    /// By which right: `document.read by policy north`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub right: String,
}

/// Which records to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this principal.
    pub who: Option<String>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only of this document.
    pub document: Option<DocId>,
    /// Only from this address.
    pub from: Option<String>,
    /// Only at or after this time (ISO 8601, UTC; a day alone is its beginning).
    pub since: Option<String>,
    /// Only before this time.
    pub until: Option<String>,
    /// Only with this text in what was done, what for or by which right.
    pub text: Option<String>,
    /// Only records before this number.
    pub before: Option<u64>,
    /// At most so many; 0 for all.
    pub limit: usize,
}

impl Filter {
    /// Whether a record is wanted.
    pub fn wants(&self, record: &Record) -> bool {
        let document = self.document.map(|id| id.to_string());
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        // Times of one form compare as texts; a shorter one is the beginning of its day.
        let since = self.since.as_ref().is_none_or(|since| record.time.as_str() >= since.as_str());
        let until = self.until.as_ref().is_none_or(|until| record.time.as_str() < until.as_str());
        let text = self.text.as_ref().is_none_or(|text| {
            [&record.what, &record.why, &record.right].into_iter().any(|part| part.contains(text.as_str()))
        });
        is(&self.who, &record.who)
            && is(&self.kind, &record.kind)
            && is(&self.from, &record.from)
            && (document.is_none() || document == record.document)
            && since
            && until
            && text
    }
}

/// What can go wrong with the audit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The chain does not hold.
    #[error("the audit chain is broken at record {at}: {why}")]
    Broken {
        /// The first record that is wrong.
        at: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The record could not be written with those before it.
    #[error("the audit record could not be written: {detail}")]
    NotWritten {
        /// What the store said.
        detail: String,
    },
    /// The key that signs checkpoints could not be made.
    #[error("the operating system gave no random bytes for the checkpoint key")]
    Key,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
