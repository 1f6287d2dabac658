//! The only way to a document's bytes and to a hit list.
//!
//! [`Permit`]s and [`Scope`]s have private parts and can be made only here. A permit is given after the audit
//! record was written.

use crate::archive::DocId;

/// Somebody (or something) that acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// User name; `operator:<os user>` on the command line, `system:<task>` for greenbar itself.
    pub name: String,
    /// What kind.
    pub kind: PrincipalKind,
    /// Where from: an address, or `cli`.
    pub from: String,
}

/// Kinds of principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// Command line and administrators: everything.
    Administrator,
    /// Agents: every document, no administration.
    Agent,
    /// A customer: the documents of these accounts.
    Customer {
        /// Account numbers as printed on documents.
        accounts: Vec<String>,
    },
}

/// What a principal's hit lists may contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    accounts: Option<Vec<String>>,
}

impl Scope {
    /// `None`: all documents. `Some`: only documents of these accounts (none at all when empty).
    pub fn accounts(&self) -> Option<&[String]> {
        self.accounts.as_deref()
    }
}

/// The right to read one document once, already in the audit.
#[derive(Debug)]
pub struct Permit {
    document: DocId,
}

impl Permit {
    /// The document it is for.
    pub fn document(&self) -> DocId {
        self.document
    }
}
