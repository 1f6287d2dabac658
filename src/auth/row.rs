//! Rows of users, sessions and keys: a version byte, then JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::archive::kv::StoreError;

/// The only layout so far.
const VERSION: u8 = 1;

/// A row as stored.
pub fn encode<T: Serialize>(row: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, row).map_err(|error| StoreError::Failed { detail: error.to_string() })?;
    Ok(bytes)
}

/// A row as it was.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json)
            .map_err(|error| StoreError::Failed { detail: format!("a broken row: {error}") }),
        _ => Err(StoreError::Failed {
            detail: "a row of an unknown version; a newer greenbar may have written it".into(),
        }),
    }
}

/// The end of the key range that starts with `prefix`.
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    end
}
