//! Customers, their accounts, and what passes between them and the organisation.
//!
//! In: what people and programs tell of customers, accounts, contact points, calls, notes, requests, consents. Out: the
//! same again, found by number, phone, name; and one ordered timeline of a customer with the documents and who saw them.
//!
//! Documents join by the account number that their definition names, at reading time: it does not matter whether the
//! document or the customer came first. This folder does not read documents; who shows them implements
//! [`timeline::Documents`], and so decides who may see what.
//!
//! Every row has a version, and every change leaves a row that says who changed what and when (`customer_history` and its like). A change
//! that names the version it was made from fails with [`CrmError::Conflict`] when somebody else was faster.
//!
//! Promises, each with a test beside the code: a change and its history, index and timeline rows are one atomic step;
//! external references are unique; two customers with one phone number are both found; the original of a document is
//! never touched; what a customer may not see (private notes, internal messages) is not in what is read for a customer
//! ([`Viewer`]). It stands beside `auth`, above `archive`, below `serve`. Keys: `docs/formats/archive.md`.
//!
//! For who builds pages: make one [`Crm`] for an archive (the server's is `State::crm`) and call its methods; each file
//! here adds those of its subject: [`customer`], [`account`], [`contact`], [`resolve`], [`timeline`], [`interaction`],
//! [`note`], [`request`], [`saved`], [`consent`], [`preference`], [`copy`], [`link`], [`enrol`], [`compare`].

pub mod account;
pub mod compare;
pub mod consent;
pub mod contact;
pub mod copy;
pub mod customer;
pub mod enrol;
pub mod import;
pub mod interaction;
pub mod link;
pub mod name;
pub mod note;
pub mod once;
pub mod phone;
pub mod preference;
pub mod request;
pub mod resolve;
pub mod saved;
mod store;
#[cfg(test)]
mod tests;
pub mod time;
pub mod timeline;

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

pub use store::{Change, Kept, Page};
pub use time::Time;

use crate::archive::kv::{Engine, StoreError};
use crate::auth::AuthError;
use crate::auth::clock::Clock;
use crate::auth::lockout::Lockout;

/// Customers, accounts and activity of one archive. Make one for a process: changes of two could cross.
#[derive(Clone)]
pub struct Crm {
    engine: Arc<dyn Engine>,
    clock: Clock,
    /// Held from reading a row to writing it.
    writing: Arc<Mutex<()>>,
    /// Slows down guessing at enrolment.
    enrolling: Arc<Lockout>,
}

impl std::fmt::Debug for Crm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crm").finish_non_exhaustive()
    }
}

impl Crm {
    /// What is kept in this store.
    pub fn new(engine: Arc<dyn Engine>, clock: Clock) -> Crm {
        let enrolling = Arc::new(Lockout::new(clock.clone()));
        Crm { engine, clock, writing: Arc::default(), enrolling }
    }

    /// The time by the clock of this store.
    pub fn now(&self) -> Time {
        Time(self.clock.now())
    }
}

/// For whom something is read: decides what is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer<'a> {
    /// Somebody of the organisation, by user name.
    Staff(&'a str),
    /// A customer who signed in: only what belongs to these accounts and is meant for customers.
    Customer {
        /// User name.
        name: &'a str,
        /// Account numbers of the user.
        accounts: &'a [String],
    },
}

impl Viewer<'_> {
    /// User name.
    pub fn name(&self) -> &str {
        match self {
            Viewer::Staff(name) | Viewer::Customer { name, .. } => name,
        }
    }

    /// Whether it is somebody of the organisation.
    pub fn is_staff(&self) -> bool {
        matches!(self, Viewer::Staff(_))
    }

    /// Whether what belongs to this account may be shown.
    pub fn sees_account(&self, number: &str) -> bool {
        match self {
            Viewer::Staff(_) => true,
            Viewer::Customer { accounts, .. } => accounts.iter().any(|account| account == number),
        }
    }
}

/// On which side somebody stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The customer.
    Customer,
    /// The organisation.
    Agent,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrmError {
    /// There is no such row.
    #[error("there is no such {what}")]
    NotFound {
        /// `customer`, `account`, `contact point` ...
        what: &'static str,
    },
    /// A value is not allowed.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field, as in JSON.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Something that must be unique is there already.
    #[error("{what} is there already")]
    Exists {
        /// What.
        what: String,
    },
    /// Somebody changed the row since it was read.
    #[error("the {what} was changed meanwhile; it has version {found} now")]
    Conflict {
        /// What.
        what: &'static str,
        /// The version it has.
        found: u64,
    },
    /// The step is not possible in the state that the thing is in.
    #[error("this is not possible while the {what} is {state}")]
    State {
        /// What.
        what: &'static str,
        /// The state it is in.
        state: String,
    },
    /// The link or the letter is over, used up or was never made: which of these, is not said.
    #[error("the link is not valid any more")]
    Gone,
    /// Too many attempts.
    #[error("too many attempts; the next is possible in {wait_s} seconds")]
    TooMany {
        /// Seconds.
        wait_s: i64,
    },
    /// The facts do not fit, or there is no such account: which of these, is not said.
    #[error("the account could not be confirmed with what was given")]
    NotConfirmed,
    /// What the documents' side said.
    #[error("the documents could not be read: {0}")]
    Documents(String),
    /// Users failed.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CrmError {
    fn invalid(field: &'static str, problem: impl Into<String>) -> CrmError {
        CrmError::Invalid { field, problem: problem.into() }
    }
}

/// Longest text of names, labels, numbers and the like.
const MOST_CHARS: usize = 200;
/// Longest text of notes and messages.
const MOST_TEXT: usize = 20_000;

/// Text without blanks at its ends; an error when it is too long or holds control characters.
fn short(field: &'static str, text: &str) -> Result<String, CrmError> {
    let text = text.trim();
    if text.chars().count() > MOST_CHARS {
        return Err(CrmError::invalid(field, format!("at most {MOST_CHARS} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(CrmError::invalid(field, "control characters are not allowed"));
    }
    Ok(text.to_string())
}

/// The same, and it may not be empty.
fn required(field: &'static str, text: &str) -> Result<String, CrmError> {
    let text = short(field, text)?;
    if text.is_empty() { Err(CrmError::invalid(field, "it may not be empty")) } else { Ok(text) }
}

/// A text of several lines.
fn long(field: &'static str, text: &str) -> Result<String, CrmError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(CrmError::invalid(field, "it may not be empty"));
    }
    if text.chars().count() > MOST_TEXT {
        return Err(CrmError::invalid(field, format!("at most {MOST_TEXT} characters")));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(CrmError::invalid(field, "control characters are not allowed"));
    }
    Ok(text.replace("\r\n", "\n"))
}
