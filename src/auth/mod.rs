//! Who may see what: users, sessions, API keys, and the one gate to documents.
//!
//! In: a name and a password, a session token or an API key. Out: a [`gate::Principal`], and from the gate a permit
//! for one document or the scope of a hit list.
//!
//! Promises: passwords, tokens and keys are stored only as hashes; an unknown name and a wrong password get the same
//! answer after the same work (`user.rs`); guessing is slowed down ([`lockout`]); a permit exists only after its audit
//! record (`gate.rs`). Rows live in the `users` family: `u/` users, `s/` sessions, `k/` API keys.

pub mod clock;
pub mod gate;
pub mod key;
pub mod lockout;
mod row;
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
    /// There is no such user, session or key.
    #[error("there is no {what} {name:?}")]
    Unknown {
        /// `user`, `session` or `key`.
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
