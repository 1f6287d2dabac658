//! Records management: how long loads are kept, and what must not be removed.
//!
//! A report definition names a retention class; a class says how long ([`retention`]). A legal hold stops every removal of what it
//! covers ([`hold`]). Loads leave the archive only through [`remove`], which asks the holds first (the archive keeps a tombstone),
//! and are cut anew only through [`cut_anew`], which asks them too.
//! A stream is kept or removed whole: the last of its documents decides.

pub mod hold;
pub mod retention;

use std::ops::ControlFlow;

use crate::archive::compact::{Recoded, Recoding};
use crate::archive::kv::{Engine, Family, StoreError};
use crate::archive::{Archive, ArchiveError, LoadError, LoadId, LoadRow};

/// What stops a removal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// A legal hold covers the load or a document of it.
    #[error("load {load} is under the legal hold {hold:?}")]
    Held {
        /// The load.
        load: LoadId,
        /// Name of the hold.
        hold: String,
    },
    /// There is no hold or class of that name, or there is one already.
    #[error("{0}")]
    Name(String),
    /// The archive could not do it.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A load could not be cut anew.
    #[error(transparent)]
    Cut(#[from] LoadError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Fails when a hold covers a load: asked before something is recorded as done.
pub fn not_held(archive: &Archive, load: LoadId) -> Result<(), RecordsError> {
    match hold::covering(archive, load)? {
        Some(hold) => Err(RecordsError::Held { load, hold }),
        None => Ok(()),
    }
}

/// Takes a load out of the archive unless a hold covers it. `reason` stays in its tombstone.
pub fn remove(archive: &Archive, load: LoadId, reason: &str) -> Result<(), RecordsError> {
    not_held(archive, load)?;
    archive.unload(load, reason)?;
    Ok(())
}

/// Cuts a load anew with another version of its definition unless a hold covers it: what is held stays as it is, and a hold on
/// an account or a document covers what the cut in force says.
pub fn cut_anew(archive: &Archive, load: LoadId, version: u32) -> Result<LoadRow, RecordsError> {
    not_held(archive, load)?;
    Ok(archive.resplit(load, version)?)
}

/// Encodes a load's blocks anew unless a hold covers it. No byte of a document, no digest and no catalogue row of one changes; what is
/// held stays as it is all the same, so that nobody has to show that.
pub fn compact(archive: &Archive, load: LoadId, how: &Recoding) -> Result<Recoded, RecordsError> {
    not_held(archive, load)?;
    Ok(archive.recode(load, how)?)
}

/// All JSON rows of a family whose keys start with `prefix`.
fn rows<T: serde::de::DeserializeOwned>(
    engine: &dyn Engine,
    family: Family,
    prefix: &str,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    let mut broken = None;
    let end = [prefix.as_bytes(), &[0xFF]].concat();
    engine.scan(family, prefix.as_bytes()..end.as_slice(), &mut |key, value| match serde_json::from_slice(value) {
        Ok(row) => {
            all.push(row);
            ControlFlow::Continue(())
        }
        Err(error) => {
            broken = Some(format!("row {} cannot be read: {error}", String::from_utf8_lossy(key)));
            ControlFlow::Break(())
        }
    })?;
    broken.map_or(Ok(all), |detail| Err(StoreError::Failed { detail }))
}

/// A row as stored.
fn encode(row: &impl serde::Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(row).map_err(|error| StoreError::Failed { detail: error.to_string() })
}
