//! Report definitions in the archive: every version is kept, none is changed.

use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::ArchiveError;
use super::kv::{Batch, Family};
use super::rows::{self, StoredDefinition};
use super::{Archive, keys};
use crate::index::definition::{Definition, MaskedField};

/// A report definition as the archive keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionRow {
    /// Its name.
    pub name: String,
    /// Version, from 1.
    pub version: u32,
    /// SHA-256 of the source, lower-case hex.
    pub sha256: String,
    /// When it was added, seconds since 1970 UTC.
    pub added_at: i64,
    /// The TOML text, byte for byte.
    pub source: String,
}

/// What the newest version of each definition keeps from whom. It rules for older loads too.
#[derive(Debug, Clone, Default)]
pub struct Safeguards {
    /// Masked fields.
    pub masked: Vec<MaskedField>,
    /// Definitions that only some roles may see: name and roles.
    pub restricted: Vec<(String, Vec<String>)>,
    /// Another number whenever a definition was added.
    pub revision: u64,
    /// Definitions with masks.
    pub(super) masking: Vec<Arc<Definition>>,
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Archive {
    /// Adds a definition as the next version of its name. The same source as the newest version is that version.
    pub fn add_definition(&self, definition: &Definition) -> Result<DefinitionRow, ArchiveError> {
        let name = definition.name.as_str();
        if Definition::built_in(name).is_some() || name.is_empty() || name.contains('\0') {
            return Err(ArchiveError::Definition { detail: format!("the name {:?} is not allowed", definition.name) });
        }
        let sha256 = hex(&Sha256::digest(definition.source.as_bytes()));
        // Held so that two that add at once get two versions.
        let _catalogue = self.catalogue();
        let newest = self.definition_rows(&definition.name)?.pop();
        if let Some(same) = newest.as_ref().filter(|row| row.sha256 == sha256) {
            return Ok(same.clone());
        }
        let version = newest.map_or(1, |row| row.version + 1);
        let stored = StoredDefinition { sha256, added_at: self.now(), source: definition.source.clone() };
        let mut batch = Batch::default();
        rows::put(&mut batch, Family::Definitions, keys::versioned(&definition.name, version), &stored)?;
        self.engine.commit(batch)?;
        let mut safeguards = self.safeguards.lock().unwrap_or_else(PoisonError::into_inner);
        *safeguards = (safeguards.0 + 1, None);
        drop(safeguards);
        Ok(row(definition.name.clone(), version, stored))
    }

    /// Every version of every definition, by name and version.
    pub fn definitions(&self) -> Result<Vec<DefinitionRow>, ArchiveError> {
        let mut found = Vec::new();
        self.engine_rows(&[], &mut found)?;
        Ok(found)
    }

    fn definition_rows(&self, name: &str) -> Result<Vec<DefinitionRow>, ArchiveError> {
        let mut found = Vec::new();
        self.engine_rows(&keys::versions(name).start, &mut found)?;
        Ok(found)
    }

    fn engine_rows(&self, prefix: &[u8], found: &mut Vec<DefinitionRow>) -> Result<(), ArchiveError> {
        self.each_row(Family::Definitions, prefix, &mut |key, value| {
            let what = "a definition row";
            let (name, version) = split_key(key).ok_or_else(|| ArchiveError::damaged(what, "its key does not read"))?;
            found.push(row(name, version, rows::parse(what, key, value)?));
            Ok(())
        })
    }

    /// A definition: this version, or the newest. Those that are built in are always there.
    pub fn definition(&self, name: &str, version: Option<u32>) -> Result<Option<Arc<Definition>>, ArchiveError> {
        Ok(self.numbered_definition(name, version)?.map(|(definition, _)| definition))
    }

    /// The same with its version (0 for those that are built in).
    pub(super) fn numbered_definition(
        &self,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<(Arc<Definition>, u32)>, ArchiveError> {
        if let Some(built_in) = Definition::built_in(name) {
            return Ok(Some((Arc::new(built_in), 0)));
        }
        let version = match version {
            Some(version) => version,
            None => match self.definition_rows(name)?.pop() {
                Some(row) => row.version,
                None => return Ok(None),
            },
        };
        let cached = (name.to_string(), version);
        if let Some(definition) = self.parsed.get(&cached) {
            return Ok(Some((definition, version)));
        }
        let key = keys::versioned(name, version);
        let what = format!("definition {name} version {version}");
        let stored: Option<StoredDefinition> = rows::get(&*self.engine, Family::Definitions, &what, &key)?;
        let Some(stored) = stored else { return Ok(None) };
        let definition = Definition::stored(&stored.source, &what)
            .map_err(|errors| ArchiveError::Definition { detail: errors.to_string() })?;
        let definition = Arc::new(definition);
        self.parsed.put(cached, definition.clone(), 1);
        Ok(Some((definition, version)))
    }

    /// What definitions keep from whom.
    pub fn safeguards(&self) -> Result<Arc<Safeguards>, ArchiveError> {
        let revision = {
            let kept = self.safeguards.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(safeguards) = &kept.1 {
                return Ok(safeguards.clone());
            }
            kept.0
        };
        let mut found = Safeguards { revision, ..Safeguards::default() };
        for (definition, _) in self.newest_definitions()? {
            found.masked.extend(definition.masked_fields());
            if !definition.masks.is_empty() {
                found.masking.push(definition.clone());
            }
            if !definition.visible_to.is_empty() {
                found.restricted.push((definition.name.clone(), definition.visible_to.clone()));
            }
        }
        let found = Arc::new(found);
        let mut kept = self.safeguards.lock().unwrap_or_else(PoisonError::into_inner);
        // What was added meanwhile is not in it.
        if kept.0 == revision {
            kept.1 = Some(found.clone());
        }
        Ok(found)
    }

    /// Definitions with masks, the newest version of each.
    pub fn masking_definitions(&self) -> Result<Vec<Arc<Definition>>, ArchiveError> {
        Ok(self.safeguards()?.masking.clone())
    }

    /// The newest version of each definition.
    pub(super) fn newest_definitions(&self) -> Result<Vec<(Arc<Definition>, u32)>, ArchiveError> {
        let mut names: Vec<String> = self.definitions()?.into_iter().map(|row| row.name).collect();
        names.dedup();
        let mut newest = Vec::new();
        for name in names {
            newest.extend(self.numbered_definition(&name, None)?);
        }
        Ok(newest)
    }

    /// The newest dictionary of a definition, with its version.
    pub(super) fn newest_dictionary(&self, definition: &str) -> Result<Option<(u32, Arc<Vec<u8>>)>, ArchiveError> {
        let range = keys::versions(definition);
        let mut newest = None;
        self.each_row(Family::Dictionaries, &range.start, &mut |key, value| {
            let what = "a dictionary";
            let (_, version) = split_key(key).ok_or_else(|| ArchiveError::damaged(what, "its key does not read"))?;
            newest = Some((version, Arc::new(rows::unseal(what, key, value)?.to_vec())));
            Ok(())
        })?;
        Ok(newest)
    }

    /// One dictionary.
    pub(super) fn dictionary(&self, definition: &str, version: u32) -> Result<Vec<u8>, ArchiveError> {
        let what = format!("dictionary {version} of {definition}");
        let key = keys::versioned(definition, version);
        let value = self.engine.get(Family::Dictionaries, &key)?;
        let value = value.ok_or_else(|| ArchiveError::damaged(&what, "it is missing"))?;
        Ok(rows::unseal(&what, &key, &value)?.to_vec())
    }

    /// Keeps a dictionary for ever, as the next version of its definition's.
    pub(super) fn add_dictionary(&self, definition: &str, bytes: &[u8]) -> Result<u32, ArchiveError> {
        let _catalogue = self.catalogue();
        let version = self.newest_dictionary(definition)?.map_or(1, |(version, _)| version + 1);
        let key = keys::versioned(definition, version);
        let mut batch = Batch::default();
        let sealed = rows::seal(&key, bytes);
        batch.put(Family::Dictionaries, key, sealed);
        self.engine.commit(batch)?;
        Ok(version)
    }
}

fn row(name: String, version: u32, stored: StoredDefinition) -> DefinitionRow {
    let StoredDefinition { sha256, added_at, source } = stored;
    DefinitionRow { name, version, sha256, added_at, source }
}

fn split_key(key: &[u8]) -> Option<(String, u32)> {
    let (name, version) = key.split_at_checked(key.len().checked_sub(5)?)?;
    let version = u32::from_be_bytes(version.get(1..)?.try_into().ok()?);
    Some((String::from_utf8(name.to_vec()).ok()?, version))
}
