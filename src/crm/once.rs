//! Idempotency keys: the same request sent twice is done once.
//!
//! The caller names the request; the first answer is kept for a day and given again. The same name with another content
//! is a mistake, and one that is still being worked on has to wait.

use serde::{Deserialize, Serialize};

use super::store::{decode, encode, key};
use super::{Crm, CrmError, Time};
use crate::archive::kv::{Batch, Family};

/// How long an answer is kept.
const LIFE_S: i64 = 86_400;
/// How long a request that was not answered blocks its name: its server may have died.
const WORK_S: i64 = 60;
/// Longest key.
const MOST_KEY: usize = 200;

/// An answer as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// `Location`; empty: none.
    pub location: String,
    /// `ETag`; empty: none.
    pub etag: String,
    /// The body, JSON.
    pub body: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    fingerprint: String,
    at: Time,
    answer: Option<Answered>,
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// It is new: do the work, then call [`Crm::keep_answer`] or [`Crm::forget_name`].
    Fresh,
    /// It was done.
    Done(Answered),
    /// It is being done.
    Busy,
    /// It was used for something else.
    Other,
}

fn row_key(user: &str, name: &str) -> Vec<u8> {
    key(b'j', &[user.as_bytes(), name.as_bytes()])
}

impl Crm {
    /// Takes a name of a user for a request whose content has this fingerprint.
    pub fn take_name(&self, user: &str, name: &str, fingerprint: &str) -> Result<Once, CrmError> {
        if name.is_empty() || name.len() > MOST_KEY || name.chars().any(char::is_control) {
            return Err(CrmError::invalid("Idempotency-Key", format!("1 to {MOST_KEY} bytes")));
        }
        let _turn = self.lock();
        let (at, now) = (row_key(user, name), self.now());
        if let Some(bytes) = self.engine.get(Family::Activity, &at)? {
            let row: Row = decode(&bytes)?;
            let life = if row.answer.is_some() { LIFE_S } else { WORK_S };
            if now.0 - row.at.0 < life {
                return Ok(match row.answer {
                    _ if row.fingerprint != fingerprint => Once::Other,
                    Some(answer) => Once::Done(answer),
                    None => Once::Busy,
                });
            }
        }
        self.put_row(at, Row { fingerprint: fingerprint.into(), at: now, answer: None })?;
        Ok(Once::Fresh)
    }

    /// Keeps the answer of a request.
    pub fn keep_answer(&self, user: &str, name: &str, fingerprint: &str, answer: Answered) -> Result<(), CrmError> {
        let row = Row { fingerprint: fingerprint.into(), at: self.now(), answer: Some(answer) };
        self.put_row(row_key(user, name), row)
    }

    /// Gives a name back: the request failed and may be tried again.
    pub fn forget_name(&self, user: &str, name: &str) -> Result<(), CrmError> {
        let mut batch = Batch::default();
        batch.delete(Family::Activity, row_key(user, name));
        Ok(self.engine.commit(batch)?)
    }

    fn put_row(&self, key: Vec<u8>, row: Row) -> Result<(), CrmError> {
        let mut batch = Batch::default();
        batch.put(Family::Activity, key, encode(&row)?);
        Ok(self.engine.commit(batch)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::crm;
    use super::*;

    #[test]
    fn a_name_is_done_once_for_a_day_and_means_one_thing() {
        let (crm, clock) = crm();
        let answer = Answered { status: 201, location: "/x".into(), etag: "\"1\"".into(), body: "{}".into() };
        assert_eq!(crm.take_name("ann", "k", "f").expect("taken"), Once::Fresh);
        assert_eq!(crm.take_name("ann", "k", "f").expect("taken"), Once::Busy);
        assert_eq!(crm.take_name("bob", "k", "g").expect("taken"), Once::Fresh, "names are each user's own");
        crm.keep_answer("ann", "k", "f", answer.clone()).expect("kept");
        assert_eq!(crm.take_name("ann", "k", "f").expect("known"), Once::Done(answer));
        assert_eq!(crm.take_name("ann", "k", "other").expect("known"), Once::Other);
        crm.forget_name("bob", "k").expect("forgotten");
        assert_eq!(crm.take_name("bob", "k", "h").expect("taken"), Once::Fresh);
        clock.turn(WORK_S);
        assert_eq!(crm.take_name("bob", "k", "h").expect("taken"), Once::Fresh, "nobody works on it any more");
        clock.turn(LIFE_S);
        assert_eq!(crm.take_name("ann", "k", "other").expect("taken"), Once::Fresh);
        assert!(crm.take_name("ann", "", "f").is_err());
    }
}
