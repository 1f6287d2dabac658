//! Sessions of people at browsers.
//!
//! The browser has a random token; the store has its SHA-256. A session ends at its expiry, after a time without use,
//! or when it is revoked.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::{AuthError, row, secret};
use crate::archive::kv::{Batch, Engine, Family};

const PREFIX: &[u8] = b"s/";
/// A working day and a bit: nobody signs in twice a shift.
pub const LIFE_S: i64 = 12 * 3600;
/// A forgotten browser is closed after this.
pub const IDLE_S: i64 = 30 * 60;
/// How long the second factor is waited for.
const HALF_S: i64 = 5 * 60;
/// The time of last use is written at most this often, so that reads do not become writes.
const TOUCH_S: i64 = 60;

/// A session as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Public id (the start of the token's hash): for lists and revocation.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// What state-changing requests must carry.
    pub csrf: String,
    /// The address it was opened from.
    pub from: String,
    /// Seconds since 1970 UTC.
    pub created_at: i64,
    /// Last use, to the minute.
    pub used_at: i64,
    /// How the user proved who he is.
    #[serde(default)]
    pub proof: Proof,
}

/// How somebody proved who he is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// By password alone.
    #[default]
    Password,
    /// By password, and has a second factor that was not shown yet: the session allows nothing but showing it, and not
    /// for long.
    Half,
    /// By password and second factor.
    Second,
    /// By a provider; which factors it wants is its matter.
    Provider,
}

/// The sessions of an archive.
#[derive(Clone)]
pub struct Sessions {
    engine: Arc<dyn Engine>,
    clock: Clock,
}

impl Sessions {
    /// The sessions in this store.
    pub fn new(engine: Arc<dyn Engine>, clock: Clock) -> Sessions {
        Sessions { engine, clock }
    }

    /// Opens a session; returns the token for the cookie, which is not kept.
    pub fn open(&self, user: &str, from: &str) -> Result<(String, Session), AuthError> {
        self.open_by(user, from, Proof::Password)
    }

    /// The same for a user who proved it otherwise.
    pub fn open_by(&self, user: &str, from: &str, proof: Proof) -> Result<(String, Session), AuthError> {
        self.sweep()?;
        let token = secret::token()?;
        let mark = secret::fingerprint(&token);
        let now = self.clock.now();
        let session = Session {
            id: secret::hex(&mark).chars().take(16).collect(),
            user: user.to_string(),
            csrf: secret::token()?,
            from: from.to_string(),
            created_at: now,
            used_at: now,
            proof,
        };
        let mut batch = Batch::default();
        batch.put(Family::Users, key(&mark), row::encode(&session)?);
        self.engine.commit(batch)?;
        Ok((token, session))
    }

    /// The session of a token, when it is still open. Counts as use.
    pub fn find(&self, token: &str) -> Result<Option<Session>, AuthError> {
        let key = key(&secret::fingerprint(token));
        let Some(bytes) = self.engine.get(Family::Users, &key)? else { return Ok(None) };
        let mut session: Session = row::decode(&bytes)?;
        let now = self.clock.now();
        if self.over(&session) {
            let mut batch = Batch::default();
            batch.delete(Family::Users, key);
            self.engine.commit_later(batch)?;
            return Ok(None);
        }
        if now - session.used_at >= TOUCH_S {
            session.used_at = now;
            let mut batch = Batch::default();
            batch.put(Family::Users, key, row::encode(&session)?);
            // Not worth turning somebody away for: on a full disk it is the operator who comes.
            if let Err(error) = self.engine.commit_later(batch) {
                tracing::warn!(%error, "that a session was used could not be noted");
            }
        }
        Ok(Some(session))
    }

    /// The session's user has shown a second factor since.
    pub fn strengthen(&self, id: &str) -> Result<(), AuthError> {
        let mut batch = Batch::default();
        for (key, session) in self.rows()?.into_iter().filter(|(_, session)| session.id == id) {
            batch.put(Family::Users, key, row::encode(&Session { proof: Proof::Second, ..session })?);
        }
        Ok(self.engine.commit(batch)?)
    }

    /// Ends all sessions of a user but one.
    pub fn revoke_others(&self, user: &str, kept: &str) -> Result<bool, AuthError> {
        self.remove(|session| session.user == user && session.id != kept)
    }

    /// The open sessions, of one user or of all.
    pub fn list(&self, user: Option<&str>) -> Result<Vec<Session>, AuthError> {
        let rows = self.rows()?;
        let wanted = |session: &Session| !self.over(session) && user.is_none_or(|user| user == session.user);
        Ok(rows.into_iter().map(|(_, session)| session).filter(wanted).collect())
    }

    /// Ends a session by its id; `user` must be the owner when given. Says whether there was one.
    pub fn revoke(&self, id: &str, user: Option<&str>) -> Result<bool, AuthError> {
        self.remove(|session| session.id == id && user.is_none_or(|user| user == session.user))
    }

    /// Ends all sessions of a user.
    pub fn revoke_all(&self, user: &str) -> Result<bool, AuthError> {
        self.remove(|session| session.user == user)
    }

    fn over(&self, session: &Session) -> bool {
        let now = self.clock.now();
        let half = session.proof == Proof::Half && now - session.created_at >= HALF_S;
        half || now - session.created_at >= LIFE_S || now - session.used_at >= IDLE_S
    }

    /// Takes ended sessions out, so that the store does not fill with them.
    fn sweep(&self) -> Result<(), AuthError> {
        self.remove(|session| self.over(session)).map(|_| ())
    }

    fn remove(&self, which: impl Fn(&Session) -> bool) -> Result<bool, AuthError> {
        let mut batch = Batch::default();
        for (key, session) in self.rows()? {
            if which(&session) {
                batch.delete(Family::Users, key);
            }
        }
        let any = !batch.writes.is_empty();
        if any {
            self.engine.commit(batch)?;
        }
        Ok(any)
    }

    fn rows(&self) -> Result<Vec<(Vec<u8>, Session)>, AuthError> {
        let mut rows = Vec::new();
        self.engine.scan(Family::Users, PREFIX..&row::prefix_end(PREFIX), &mut |key, value| {
            rows.push(row::decode(value).map(|session| (key.to_vec(), session)));
            ControlFlow::Continue(())
        })?;
        Ok(rows.into_iter().collect::<Result<_, _>>()?)
    }
}

fn key(mark: &[u8; 32]) -> Vec<u8> {
    [PREFIX, mark.as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::kv::memory::Memory;

    #[test]
    fn a_session_ends_idle_expired_or_revoked() {
        let clock = Clock::standing(0);
        let sessions = Sessions::new(Arc::new(Memory::default()), clock.clone());
        let (token, session) = sessions.open("ann", "10.0.0.1").expect("opened");
        assert_eq!(sessions.find(&token).expect("read").map(|s| s.id), Some(session.id.clone()));
        assert_eq!(sessions.find("0000").expect("read"), None);
        for _ in 0..LIFE_S / (IDLE_S - 1) {
            clock.turn(IDLE_S - 1);
            assert!(sessions.find(&token).expect("read").is_some(), "in use");
        }
        clock.turn(IDLE_S - 1);
        assert_eq!(sessions.find(&token).expect("read"), None, "expired");

        let (token, _) = sessions.open("ann", "").expect("opened");
        clock.turn(IDLE_S);
        assert_eq!(sessions.find(&token).expect("read"), None, "idle");

        let (token, session) = sessions.open("ann", "").expect("opened");
        assert!(!sessions.revoke(&session.id, Some("bob")).expect("done"), "not bob's");
        assert!(sessions.revoke(&session.id, Some("ann")).expect("done"));
        assert_eq!(sessions.find(&token).expect("read"), None, "revoked");
        assert_eq!(sessions.list(None).expect("listed"), vec![]);
    }

    #[test]
    fn a_half_session_ends_soon_and_others_can_be_ended_at_once() {
        let clock = Clock::standing(0);
        let sessions = Sessions::new(Arc::new(Memory::default()), clock.clone());
        let (half, _) = sessions.open_by("ann", "", Proof::Half).expect("opened");
        let (mine, own) = sessions.open("ann", "").expect("opened");
        clock.turn(HALF_S);
        assert_eq!(sessions.find(&half).expect("read"), None);
        sessions.strengthen(&own.id).expect("done");
        assert_eq!(sessions.find(&mine).expect("read").map(|session| session.proof), Some(Proof::Second));
        let (other, _) = sessions.open("ann", "").expect("opened");
        let (bob, _) = sessions.open("bob", "").expect("opened");
        sessions.revoke_others("ann", &own.id).expect("done");
        let open = |token: &str| sessions.find(token).expect("read").is_some();
        assert!(open(&mine) && !open(&other) && open(&bob));
    }

    #[test]
    fn the_store_has_no_token() {
        let engine = Arc::new(Memory::default());
        let sessions = Sessions::new(engine.clone(), Clock::standing(0));
        let (token, _) = sessions.open("ann", "").expect("opened");
        let mut seen = 0;
        engine
            .scan(Family::Users, b"".as_slice()..b"".as_slice(), &mut |key, value| {
                seen += 1;
                let has = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&token);
                assert!(!has(key) && !has(value));
                ControlFlow::Continue(())
            })
            .expect("scanned");
        assert_eq!(seen, 1);
    }
}
