//! Sends documents out, with every piece accounted for: a ledger, not a mailer.
//!
//! In: documents of the archive ([`Source`]), the customers' wishes (`crm`), the configuration ([`config`]). Out: mails,
//! files, events, print jobs, and for each of them what became of it.
//!
//! Promises: nothing leaves that was not written down before; each attempt sends the bytes of the first; what the next
//! hop said is kept, and no more is claimed than it said (an SMTP 250 is acceptance, not delivery, [`channel::Rung`]);
//! where the answer was lost after the last byte, the piece is called in doubt. Held by tests beside the code and
//! `tests/it/mail.rs`, `tests/it/distribute.rs`.
//!
//! This folder does not know how documents are stored or who may see them: who has the gate implements [`Source`].
//! Adding a channel: a file in [`channel`], a line in its table.

mod by_hand;
pub mod calendar;
pub mod channel;
pub mod config;
pub mod copies;
pub mod cover;
pub mod evidence;
pub mod ledger;
pub mod mail;
pub mod manifest;
pub mod notice;
pub mod piece;
pub mod plan;
pub mod reconcile;
pub mod returned;
pub mod schedule;
pub mod tally;
mod wish;
pub mod work;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::ops::ControlFlow;

use crate::archive::kv::StoreError;
use crate::archive::{DocId, LoadId, LoadRow};
use crate::auth::predicate::Facts;
use crate::crm::CrmError;
use crate::index::stretch::Stretch;

/// The documents that can be sent. Everything may block.
pub trait Source: Send + Sync {
    /// What is known of a document, as it is; `None`: there is none.
    fn facts(&self, id: DocId) -> Result<Option<Facts>, DistributeError>;
    /// What a report is called and how its documents are summed up; `None`: there is no such report.
    fn report(&self, definition: &str) -> Result<Option<Report>, DistributeError>;
    /// Writes a rendition as the customer would see it. `why` goes into the audit record, which is written first.
    fn render(&self, wanted: &Wanted<'_>, out: &mut dyn Write) -> Result<(), DistributeError>;
    /// Records what came of an attempt to hand a document over, whatever the channel: also a link or an event is a send.
    fn handed(&self, _attempt: &Handed<'_>) -> Result<(), DistributeError> {
        Ok(())
    }
    /// Which pages of a document have which value of a field, in order and without gaps.
    fn stretches(&self, document: DocId, field: &str) -> Result<Vec<Stretch>, DistributeError>;
    /// Why a link or the portal would not show a document to the customer of an account; `None`: it would.
    fn kept_from(&self, _document: DocId, _account: &str) -> Result<Option<String>, DistributeError> {
        Ok(None)
    }
    /// All reports with their fields; `None`: it is not known which there are.
    fn reports(&self) -> Result<Option<Vec<(String, Vec<String>)>>, DistributeError> {
        Ok(None)
    }
    /// All loads.
    fn loads(&self) -> Result<Vec<LoadRow>, DistributeError>;
    /// Visits the documents of a load in stream order.
    fn documents(&self, load: LoadId, each: &mut dyn FnMut(Listed) -> ControlFlow<()>) -> Result<(), DistributeError>;
}

/// What came of an attempt to hand a document over.
#[derive(Debug, Clone, Copy)]
pub struct Handed<'a> {
    /// The document.
    pub document: DocId,
    /// Whose it is; empty: nobody's.
    pub account: &'a str,
    /// By which channel, where to, and what came of it: `mail to ann@example.com: taken`.
    pub what: &'a str,
    /// Run, piece and attempt, and what was answered.
    pub why: &'a str,
}

/// A document of a load.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// What is known of it.
    pub facts: Facts,
    /// Its pages.
    pub pages: u32,
}

/// What a report is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// English.
    pub title: String,
    /// Chinese.
    pub title_zh: Option<String>,
    /// Document kind.
    pub kind: String,
    /// The field with the amount that control totals add up.
    pub amount: Option<String>,
}

impl Report {
    /// The title in a language (`zh-CN`, anything else is English).
    pub fn title_in(&self, language: &str) -> &str {
        match &self.title_zh {
            Some(title) if language.starts_with("zh") => title,
            _ => &self.title,
        }
    }
}

/// A rendition that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The document.
    pub document: DocId,
    /// `pdf`, `text` ...
    pub format: &'a str,
    /// Stretches of pages that are wanted, first and last from 0; none: the whole document.
    pub only: &'a [(u32, u32)],
    /// The delivery or piece that it is for.
    pub why: &'a str,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DistributeError {
    /// The configuration is wrong.
    #[error("{file}: {problem}")]
    Config {
        /// The file.
        file: String,
        /// Where and what.
        problem: String,
    },
    /// There is no such thing.
    #[error("there is no {what} {name:?}")]
    NotFound {
        /// `run`, `piece`, `distribution` ...
        what: &'static str,
        /// As asked.
        name: String,
    },
    /// The step is not possible now.
    #[error("{0}")]
    State(String),
    /// What somebody wrote cannot be taken.
    #[error("{0}")]
    Value(String),
    /// A document cannot be read or rendered; trying again will not help.
    #[error("the document cannot be rendered: {0}")]
    Document(String),
    /// A message or file cannot be made.
    #[error("{0}")]
    Compose(String),
    /// Customers failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes, or a secret failed.
    #[error(transparent)]
    Auth(#[from] crate::auth::AuthError),
    /// A file could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
