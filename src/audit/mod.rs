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
pub mod daily;
pub mod index;
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
    /// The account of a document that is read or sent.
    pub account: Option<&'a str>,
    /// It is a view of the document, which is found by the account ([`views`]).
    pub view: bool,
    /// Whether the reader acts as a customer.
    pub customer: bool,
    /// How it ended; empty: it was done.
    pub outcome: &'a str,
}

/// It was done.
pub const DONE: &str = "done";
/// It was not allowed, or there was nothing of that name: which, is not said.
pub const REFUSED: &str = "refused";
/// It was allowed and did not succeed: a wrong password.
pub const FAILED: &str = "failed";

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
    /// The customer's account that the document belongs to; records of an earlier greenbar do not say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// How it ended, when it was not done: see [`Record::outcome`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    outcome: String,
}

impl Record {
    /// How it ended: [`DONE`], [`REFUSED`] or [`FAILED`]. Records of an earlier greenbar say it by their kind.
    pub fn outcome(&self) -> &str {
        match (self.outcome.as_str(), self.kind.as_str()) {
            ("", "refused") => REFUSED,
            ("", kind) if kind.ends_with("-failed") => FAILED,
            ("", _) => DONE,
            (outcome, _) => outcome,
        }
    }

    /// The load that it was about: its own number, or that of its document.
    pub fn load(&self) -> Option<String> {
        let of_document = self.document.as_deref().and_then(|document| document.split_once('-')).map(|(load, _)| load);
        let named = self.what.strip_prefix("load ").filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        of_document.or(named).map(str::to_string)
    }
}

/// One page of a search.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Newest first.
    pub records: Vec<Record>,
    /// Records before this number are still to be looked at; `None`: all were.
    pub next: Option<u64>,
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
    /// Only about this load or its documents.
    pub load: Option<String>,
    /// Only of documents of these accounts; empty: all.
    pub accounts: Vec<String>,
    /// Only with this outcome.
    pub outcome: Option<String>,
    /// Only by a right with this text.
    pub right: Option<String>,
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
            && (self.load.is_none() || self.load == record.load())
            && (self.accounts.is_empty() || self.accounts.contains(&record.account))
            && self.outcome.as_ref().is_none_or(|outcome| outcome == record.outcome())
            && self.right.as_ref().is_none_or(|right| record.right.contains(right.as_str()))
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
