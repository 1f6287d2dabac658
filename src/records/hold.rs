//! Legal holds: what they cover cannot be removed until they are released.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::{RecordsError, encode, rows};
use crate::archive::kv::{Batch, Engine, Family, StoreError};
use crate::archive::{Archive, LoadId};

/// What a hold covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Every document of an account, also those that come later.
    Account(String),
    /// Every document of a report, also those that come later.
    Definition(String),
    /// One load.
    Load(LoadId),
    /// One document, by its id.
    Document(String),
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its name, such as a case number.
    pub name: String,
    /// What it covers.
    pub target: Target,
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub placed_by: String,
    /// When, seconds since 1970 UTC.
    pub placed_at: i64,
    /// Who released it, when and why; `None` while it is in force.
    pub released: Option<Release>,
}

/// The end of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Who.
    pub by: String,
    /// When, seconds since 1970 UTC.
    pub at: i64,
    /// Why.
    pub reason: String,
}

/// All holds, released ones too, by name.
pub fn list(engine: &dyn Engine) -> Result<Vec<Hold>, StoreError> {
    rows(engine, Family::Holds, "hold/")
}

/// Places a hold. A name is used once, also after its release.
pub fn place(engine: &dyn Engine, hold: &Hold) -> Result<(), RecordsError> {
    if list(engine)?.iter().any(|other| other.name == hold.name) {
        return Err(RecordsError::Name(format!("there is a hold {:?} already", hold.name)));
    }
    put(engine, hold)
}

/// Ends a hold; it stays listed.
pub fn release(engine: &dyn Engine, name: &str, release: Release) -> Result<(), RecordsError> {
    let Some(mut hold) = list(engine)?.into_iter().find(|hold| hold.name == name) else {
        return Err(RecordsError::Name(format!("there is no hold {name:?}")));
    };
    if hold.released.is_some() {
        return Err(RecordsError::Name(format!("the hold {name:?} was released already")));
    }
    hold.released = Some(release);
    put(engine, &hold)
}

fn put(engine: &dyn Engine, hold: &Hold) -> Result<(), RecordsError> {
    let mut batch = Batch::default();
    batch.put(Family::Holds, format!("hold/{}", hold.name), encode(hold)?);
    Ok(engine.commit(batch)?)
}

/// The first hold in force that covers a load or a document of it.
pub fn covering(archive: &Archive, load: LoadId) -> Result<Option<String>, RecordsError> {
    let holds: Vec<Hold> =
        list(archive.engine().as_ref())?.into_iter().filter(|hold| hold.released.is_none()).collect();
    let row = archive.load_row(load)?;
    let mut accounts = Vec::new();
    for hold in holds {
        let covers = match &hold.target {
            Target::Load(held) => *held == load,
            Target::Definition(name) => *name == row.definition,
            Target::Document(id) => id.split('-').next() == Some(load.to_string().as_str()),
            Target::Account(account) => {
                accounts.push((account.clone(), hold.name.clone()));
                false
            }
        };
        if covers {
            return Ok(Some(hold.name));
        }
    }
    let mut found = None;
    if !accounts.is_empty() {
        archive.documents(load, &mut |document| {
            let account = document.account.as_deref();
            found = accounts.iter().find(|(held, _)| Some(held.as_str()) == account).map(|(_, name)| name.clone());
            if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    Ok(found)
}
