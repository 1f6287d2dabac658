//! Users of the archive: names, roles, password hashes.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::predicate::Attributes;
use super::role::CUSTOMER;
use super::{AuthError, row};
use crate::archive::kv::{Batch, Engine, Family};

const PREFIX: &[u8] = b"u/";

/// A user as stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Sign-in name, lower case.
    pub name: String,
    /// The user's own role, by name; groups give further ones.
    pub role: String,
    /// Groups the user is in.
    #[serde(default)]
    pub groups: Vec<String>,
    /// What data policies can ask about the user, such as `region`.
    #[serde(default)]
    pub attributes: Attributes,
    /// A customer's account numbers, as printed on documents; empty for others.
    pub accounts: Vec<String>,
    /// Name for people.
    pub display_name: String,
    /// `en` or `zh-CN`; empty: as the browser asks.
    pub language: String,
    /// Argon2id in PHC form; `None`: cannot sign in with a password (API keys only).
    pub password_hash: Option<String>,
    /// The provider's subject that the user is bound to (a fingerprint), once somebody signed in through it.
    #[serde(default)]
    pub subject: Option<String>,
    /// Locked out by an administrator.
    pub disabled: bool,
    /// Seconds since 1970 UTC.
    pub created_at: i64,
}

impl User {
    /// Whether the user is a customer: somebody who sees the documents of accounts.
    pub fn is_customer(&self) -> bool {
        self.role == CUSTOMER
    }
}

/// A user to add.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Sign-in name; made lower case.
    pub name: String,
    /// The user's own role, by name.
    pub role: String,
    /// Accounts of a customer.
    pub accounts: Vec<String>,
    /// Name for people; the sign-in name when empty.
    pub display_name: String,
    /// `en`, `zh-CN` or empty.
    pub language: String,
    /// Password; `None` for a user that only programs act as.
    pub password: Option<String>,
}

/// What a user is given by whoever keeps the users, all of it at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The user's own role, by name.
    pub role: String,
    /// Accounts of a customer.
    pub accounts: Vec<String>,
    /// Groups the user is in.
    pub groups: Vec<String>,
    /// What data policies can ask about the user.
    pub attributes: Attributes,
}

impl Given {
    /// Customers have accounts, nobody else does.
    pub fn fits(&self) -> Result<(), AuthError> {
        let blank = self.accounts.iter().any(|account| account.trim().is_empty());
        if (self.role == CUSTOMER) == self.accounts.is_empty() || blank { Err(AuthError::BadAccounts) } else { Ok(()) }
    }
}

/// The users of an archive.
#[derive(Clone)]
pub struct Users {
    engine: Arc<dyn Engine>,
    clock: Clock,
}

impl Users {
    /// The users in this store.
    pub fn new(engine: Arc<dyn Engine>, clock: Clock) -> Users {
        Users { engine, clock }
    }

    /// Whether a user could be added: the name that is kept, or what is wrong.
    pub fn may_add(&self, new: &NewUser) -> Result<String, AuthError> {
        let name = normal(&new.name)?;
        Given { role: new.role.clone(), accounts: new.accounts.clone(), ..Given::default() }.fits()?;
        if self.get(&name)?.is_some() { Err(AuthError::Exists { name }) } else { Ok(name) }
    }

    /// Adds a user.
    pub fn add(&self, new: NewUser) -> Result<User, AuthError> {
        let name = self.may_add(&new)?;
        let password_hash = new.password.as_deref().map(hash).transpose()?;
        let display_name = if new.display_name.is_empty() { name.clone() } else { new.display_name };
        let user = User {
            name,
            role: new.role,
            groups: Vec::new(),
            attributes: Attributes::new(),
            accounts: new.accounts,
            display_name,
            language: new.language,
            password_hash,
            subject: None,
            disabled: false,
            created_at: self.clock.now(),
        };
        self.put(&user)?;
        Ok(user)
    }

    /// The user of this name.
    pub fn get(&self, name: &str) -> Result<Option<User>, AuthError> {
        let Ok(name) = normal(name) else { return Ok(None) };
        match self.engine.get(Family::Users, &key(&name))? {
            Some(bytes) => Ok(Some(row::decode(&bytes)?)),
            None => Ok(None),
        }
    }

    /// All users by name.
    pub fn list(&self) -> Result<Vec<User>, AuthError> {
        let mut rows = Vec::new();
        self.engine.scan(Family::Users, PREFIX..&row::prefix_end(PREFIX), &mut |_, value| {
            rows.push(row::decode(value));
            ControlFlow::Continue(())
        })?;
        Ok(rows.into_iter().collect::<Result<_, _>>()?)
    }

    /// Sets a new password.
    pub fn set_password(&self, name: &str, password: &str) -> Result<(), AuthError> {
        let hash = hash(password)?;
        self.change(name, |user| user.password_hash = Some(hash))
    }

    /// Locks a user out, or lets the user in again.
    pub fn set_disabled(&self, name: &str, disabled: bool) -> Result<(), AuthError> {
        self.change(name, |user| user.disabled = disabled)
    }

    /// Gives a customer other accounts.
    pub fn set_accounts(&self, name: &str, accounts: Vec<String>) -> Result<(), AuthError> {
        let user = self.get(name)?.ok_or_else(|| unknown(name))?;
        if user.is_customer() == accounts.is_empty() {
            return Err(AuthError::BadAccounts);
        }
        self.put(&User { accounts, ..user })
    }

    /// Gives a user another role.
    pub fn set_role(&self, name: &str, role: &str) -> Result<(), AuthError> {
        let user = self.get(name)?.ok_or_else(|| unknown(name))?;
        if (role == CUSTOMER) == user.accounts.is_empty() {
            return Err(AuthError::BadAccounts);
        }
        self.put(&User { role: role.into(), ..user })
    }

    /// Gives a user this and nothing else. When something of it is wrong, nothing is changed.
    pub fn give(&self, name: &str, given: Given) -> Result<(), AuthError> {
        given.fits()?;
        let Given { role, accounts, groups, attributes } = given;
        self.change(name, |user| *user = User { role, accounts, groups, attributes, ..std::mem::take(user) })
    }

    /// Puts a user into these groups and no others.
    pub fn set_groups(&self, name: &str, groups: Vec<String>) -> Result<(), AuthError> {
        self.change(name, |user| user.groups = groups)
    }

    /// Gives a user these attributes and no others.
    pub fn set_attributes(&self, name: &str, attributes: Attributes) -> Result<(), AuthError> {
        self.change(name, |user| user.attributes = attributes)
    }

    /// Gives an attribute these values; none takes it away.
    pub fn set_attribute(&self, name: &str, attribute: &str, values: Vec<String>) -> Result<(), AuthError> {
        self.change(name, |user| {
            user.attributes.remove(attribute);
            if !values.is_empty() {
                user.attributes.insert(attribute.into(), values);
            }
        })
    }

    /// Binds a user to the subject of a provider.
    pub fn bind_subject(&self, name: &str, subject: &str) -> Result<(), AuthError> {
        self.change(name, |user| user.subject = Some(subject.into()))
    }

    /// Sets the language of a user's pages: `en`, `zh-CN` or empty for the browser's.
    pub fn set_language(&self, name: &str, language: &str) -> Result<(), AuthError> {
        self.change(name, |user| user.language = language.into())
    }

    /// Takes a user out. Sessions and keys of the name stop working with it.
    pub fn remove(&self, name: &str) -> Result<(), AuthError> {
        let user = self.get(name)?.ok_or_else(|| unknown(name))?;
        let mut batch = Batch::default();
        batch.delete(Family::Users, key(&user.name));
        Ok(self.engine.commit(batch)?)
    }

    /// The user, when the password is right and the user may sign in.
    ///
    /// Does the work of one Argon2id verification whatever the name is.
    pub fn check(&self, name: &str, password: &str) -> Result<Option<User>, AuthError> {
        let user = self.get(name)?;
        let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let right = verify(stored.unwrap_or_else(|| decoy()), password) && stored.is_some();
        Ok(user.filter(|user| right && !user.disabled))
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut User)) -> Result<(), AuthError> {
        let mut user = self.get(name)?.ok_or_else(|| unknown(name))?;
        change(&mut user);
        self.put(&user)
    }

    fn put(&self, user: &User) -> Result<(), AuthError> {
        let mut batch = Batch::default();
        batch.put(Family::Users, key(&user.name), row::encode(user)?);
        Ok(self.engine.commit(batch)?)
    }
}

fn unknown(name: &str) -> AuthError {
    AuthError::Unknown { what: "user", name: name.to_string() }
}

fn key(name: &str) -> Vec<u8> {
    [PREFIX, name.as_bytes()].concat()
}

/// A name in its stored form.
fn normal(name: &str) -> Result<String, AuthError> {
    let name = name.trim().to_ascii_lowercase();
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._@-".contains(&c);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
        return Err(AuthError::BadName);
    }
    Ok(name)
}

/// Argon2id with the crate's defaults (19 MiB, 2 passes: the first choice of OWASP's password storage sheet).
fn hash(password: &str) -> Result<String, AuthError> {
    if !(8..=1024).contains(&password.len()) {
        return Err(AuthError::BadPassword);
    }
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| AuthError::Hash { detail: error.to_string() })?;
    Ok(hash.to_string())
}

fn verify(hash: &str, password: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    // Argon2 would take any length; a megabyte of "password" must not buy work from us.
    let password = password.get(..password.len().min(1024)).unwrap_or_default();
    Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok()
}

/// A hash that no password opens, verified for unknown names so that they cost the same.
fn decoy() -> &'static str {
    static DECOY: OnceLock<String> = OnceLock::new();
    DECOY.get_or_init(|| {
        let secret = super::secret::token().unwrap_or_else(|_| "no password is this one".into());
        hash(&secret).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::kv::memory::Memory;

    fn users() -> Users {
        Users::new(Arc::new(Memory::default()), Clock::standing(1_000))
    }

    fn new(name: &str, role: &str, accounts: &[&str]) -> NewUser {
        NewUser {
            name: name.into(),
            role: role.into(),
            accounts: accounts.iter().map(ToString::to_string).collect(),
            display_name: String::new(),
            language: String::new(),
            password: Some("correct horse".into()),
        }
    }

    #[test]
    fn a_user_signs_in_with_the_right_password_only() {
        let users = users();
        users.add(new("Ann", "agent", &[])).expect("added");
        assert_eq!(users.check("ann", "correct horse").expect("checked").map(|u| u.name), Some("ann".into()));
        assert_eq!(users.check("ann", "wrong horse").expect("checked"), None);
        assert_eq!(users.check("bob", "correct horse").expect("checked"), None);
        users.set_disabled("ann", true).expect("set");
        assert_eq!(users.check("ann", "correct horse").expect("checked"), None, "disabled");
    }

    #[test]
    fn the_password_is_not_in_the_store() {
        let engine = Arc::new(Memory::default());
        let users = Users::new(engine.clone(), Clock::standing(0));
        users.add(new("ann", "agent", &[])).expect("added");
        let bytes = engine.get(Family::Users, b"u/ann").expect("read").expect("there");
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("$argon2id$") && !text.contains("correct horse"), "{text}");
    }

    #[test]
    fn rows_of_the_first_release_are_read() {
        let engine = Arc::new(Memory::default());
        let old =
            br#"{"name":"ann","role":"agent","accounts":[],"display_name":"Ann","language":"","password_hash":null,
            "disabled":false,"created_at":7}"#;
        let mut batch = Batch::default();
        batch.put(Family::Users, b"u/ann".as_slice(), [&[1], old.as_slice()].concat());
        engine.commit(batch).expect("written");
        let users = Users::new(engine, Clock::standing(0));
        let ann = users.get("ann").expect("read").expect("there");
        assert!(ann.role == "agent" && ann.groups.is_empty() && ann.attributes.is_empty());
        users.set_attribute("ann", "region", vec!["north".into()]).expect("set");
        users.set_groups("ann", vec!["callers".into()]).expect("set");
        let ann = users.get("ann").expect("read").expect("there");
        assert_eq!((ann.groups, ann.attributes["region"].len()), (vec!["callers".to_string()], 1));
    }

    #[test]
    fn names_roles_and_accounts_are_checked() {
        let users = users();
        assert!(matches!(users.add(new("", "agent", &[])), Err(AuthError::BadName)));
        assert!(matches!(users.add(new("a/b", "agent", &[])), Err(AuthError::BadName)));
        assert!(matches!(users.add(new("c", "customer", &[])), Err(AuthError::BadAccounts)));
        assert!(matches!(users.add(new("c", "agent", &["1"])), Err(AuthError::BadAccounts)));
        let short = NewUser { password: Some("short".into()), ..new("c", "agent", &[]) };
        assert!(matches!(users.add(short), Err(AuthError::BadPassword)));
        users.add(new("c", "customer", &["1"])).expect("added");
        assert!(matches!(users.add(new("C", "customer", &["1"])), Err(AuthError::Exists { .. })));
        assert_eq!(users.list().expect("listed").len(), 1);
    }
}
