//! Who may see what: users, sessions, API keys, and the one gate to documents.
//!
//! In: a name and a password, a session token or an API key. Out: a [`gate::Principal`] with its
//! [`directory::Rights`], and from the gate a permit for one document or the scope of a hit list.
//!
//! A role is a set of [`permission`]s and a reach; groups give roles and attributes; data policies widen or limit the
//! documents by a [`predicate`]. All of it comes together in [`directory::Directory::rights`], for every request anew.
//!
//! Promises: passwords, tokens and keys are stored only as hashes; an unknown name and a wrong password get the same
//! answer after the same work (`user.rs`); guessing is slowed down ([`lockout`]); a permit exists only after its audit
//! record (`gate.rs`); a document that is hidden is hidden everywhere alike (`search/tests/rights.rs`). Rows live in the
//! `users` family: `u/` users, `s/` sessions, `k/` API keys, `o/` second factors, `i/` links to a provider's subjects, `r/` `g/` `p/` `v/` see [`directory`].

pub mod clock;
pub mod directory;
pub mod gate;
pub mod key;
pub mod lockout;
pub mod oidc;
pub mod permission;
pub mod predicate;
pub mod role;
mod row;
pub mod second;
pub mod secret;
pub mod session;
pub mod user;

use crate::archive::kv::StoreError;

/// What can go wrong with users, sessions and keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The name cannot be a user's name.
    #[error("a user name is 1 to 64 of a-z, 0-9, '.', '_', '@' and '-'")]
    BadName,
    /// There is a user of this name.
    #[error("there is a user {name:?} already")]
    Exists {
        /// The name.
        name: String,
    },
    /// A role's, group's or policy's name is none.
    #[error("a name is 1 to 64 of a-z, 0-9 and '-'")]
    BadWord,
    /// A role that came with the program cannot be changed like this.
    #[error("{name:?} is a built-in role: only whether it wants a second factor can be changed")]
    BuiltIn {
        /// The role.
        name: String,
    },
    /// An address of a provider or of this server that secrets cannot be sent to.
    #[error("{url:?} is no https address (http is for this machine only)")]
    BadUrl {
        /// The address.
        url: String,
    },
    /// A policy's rule cannot be read.
    #[error("the rule cannot be read: {0}")]
    Rule(#[from] predicate::RuleError),
    /// There is no such user, session, key, role, group or policy.
    #[error("there is no {what} {name:?}")]
    Unknown {
        /// `user`, `session`, `key`, `role`, `group` or `policy`.
        what: &'static str,
        /// The name or id.
        name: String,
    },
    /// The password is too short or too long.
    #[error("a password has 8 to 1024 bytes")]
    BadPassword,
    /// A customer needs an account, others have none.
    #[error("a customer has accounts, other roles have none")]
    BadAccounts,
    /// The password could not be hashed.
    #[error("the password could not be hashed: {detail}")]
    Hash {
        /// What the hash function said.
        detail: String,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {detail}")]
    Random {
        /// What it said.
        detail: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
