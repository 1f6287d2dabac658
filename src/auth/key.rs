//! API keys: `gbk_` and 64 hexadecimal digits, for programs.
//!
//! A key acts as its user: roles, accounts and being disabled are the user's. It can be narrowed to permissions (its
//! scopes), and to accounts: then it sees only their documents and may do no more than a customer.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::permission::Permissions;
use super::{AuthError, row, secret};
use crate::archive::kv::{Batch, Engine, Family};

const PREFIX: &[u8] = b"k/";
/// What every key starts with, so that scanners for leaked secrets can know one.
pub const MARK: &str = "gbk_";
const TOUCH_S: i64 = 60;

/// A key as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Public id, for lists and revocation.
    pub id: String,
    /// The user it acts as.
    pub user: String,
    /// What it is for, in its maker's words.
    pub label: String,
    /// When given, the key sees only the documents of these accounts, and may do no more than a customer.
    pub accounts: Option<Vec<String>>,
    /// When given, the key may do only this, and of it only what the user may do.
    #[serde(default)]
    pub scopes: Option<Permissions>,
    /// Seconds since 1970 UTC.
    pub created_at: i64,
    /// Last use, to the minute.
    pub used_at: Option<i64>,
}

/// The API keys of an archive.
#[derive(Clone)]
pub struct Keys {
    engine: Arc<dyn Engine>,
    clock: Clock,
}

impl Keys {
    /// The keys in this store.
    pub fn new(engine: Arc<dyn Engine>, clock: Clock) -> Keys {
        Keys { engine, clock }
    }

    /// Makes a key; the text is returned once and not kept.
    pub fn make(&self, user: &str, label: &str, accounts: Option<Vec<String>>) -> Result<(String, ApiKey), AuthError> {
        self.make_scoped(user, label, accounts, None)
    }

    /// The same for a key that may do less than its user.
    pub fn make_scoped(
        &self,
        user: &str,
        label: &str,
        accounts: Option<Vec<String>>,
        scopes: Option<Permissions>,
    ) -> Result<(String, ApiKey), AuthError> {
        let text = format!("{MARK}{}", secret::token()?);
        let mark = secret::fingerprint(&text);
        let key = ApiKey {
            id: secret::hex(&mark).chars().take(16).collect(),
            user: user.to_string(),
            label: label.to_string(),
            accounts,
            scopes,
            created_at: self.clock.now(),
            used_at: None,
        };
        let mut batch = Batch::default();
        batch.put(Family::Users, store_key(&mark), row::encode(&key)?);
        self.engine.commit(batch)?;
        Ok((text, key))
    }

    /// The key of this text. Counts as use.
    pub fn find(&self, text: &str) -> Result<Option<ApiKey>, AuthError> {
        if !text.starts_with(MARK) {
            return Ok(None);
        }
        let at = store_key(&secret::fingerprint(text));
        let Some(bytes) = self.engine.get(Family::Users, &at)? else { return Ok(None) };
        let mut key: ApiKey = row::decode(&bytes)?;
        let now = self.clock.now();
        if key.used_at.is_none_or(|used| now - used >= TOUCH_S) {
            key.used_at = Some(now);
            let mut batch = Batch::default();
            batch.put(Family::Users, at, row::encode(&key)?);
            // Not worth turning somebody away for: on a full disk it is the operator who comes.
            if let Err(error) = self.engine.commit_later(batch) {
                tracing::warn!(%error, "that a key was used could not be noted");
            }
        }
        Ok(Some(key))
    }

    /// The keys, of one user or of all.
    pub fn list(&self, user: Option<&str>) -> Result<Vec<ApiKey>, AuthError> {
        let keys = self.rows()?.into_iter().map(|(_, key)| key);
        Ok(keys.filter(|key| user.is_none_or(|user| user == key.user)).collect())
    }

    /// Takes a key out by its id.
    pub fn revoke(&self, id: &str) -> Result<(), AuthError> {
        let found = self.rows()?.into_iter().find(|(_, key)| key.id == id);
        let (at, _) = found.ok_or_else(|| AuthError::Unknown { what: "key", name: id.to_string() })?;
        let mut batch = Batch::default();
        batch.delete(Family::Users, at);
        Ok(self.engine.commit(batch)?)
    }

    fn rows(&self) -> Result<Vec<(Vec<u8>, ApiKey)>, AuthError> {
        let mut rows = Vec::new();
        self.engine.scan(Family::Users, PREFIX..&row::prefix_end(PREFIX), &mut |key, value| {
            rows.push(row::decode(value).map(|api_key| (key.to_vec(), api_key)));
            ControlFlow::Continue(())
        })?;
        Ok(rows.into_iter().collect::<Result<_, _>>()?)
    }
}

fn store_key(mark: &[u8; 32]) -> Vec<u8> {
    [PREFIX, mark.as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::kv::memory::Memory;

    #[test]
    fn a_key_works_until_it_is_revoked_and_remembers_its_last_use() {
        let clock = Clock::standing(500);
        let keys = Keys::new(Arc::new(Memory::default()), clock.clone());
        let (text, key) = keys.make("ann", "nightly export", None).expect("made");
        assert!(text.starts_with("gbk_") && text.len() == 68);
        assert_eq!(key.used_at, None);
        clock.turn(100);
        assert_eq!(keys.find(&text).expect("read").and_then(|k| k.used_at), Some(600));
        assert_eq!(keys.find("gbk_0000").expect("read"), None);
        assert_eq!(keys.list(Some("bob")).expect("listed"), vec![]);
        keys.revoke(&key.id).expect("revoked");
        assert_eq!(keys.find(&text).expect("read"), None);
        assert!(matches!(keys.revoke(&key.id), Err(AuthError::Unknown { .. })));
    }
}
