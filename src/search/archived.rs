//! The archive as search reads it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use regex::Regex;

use super::catalogue::{Catalogue, CatalogueError, FoundByPattern, Indexing, MaskedPattern};
use super::schema::fnv;
use crate::archive::{Archive, ArchiveError, Change, Document, LoadId, LoadRow, Seq};
use crate::auth::gate::Gate;
use crate::index::definition::{Definition, MANIFEST, Mask, Masked, MaskedField, UNIDENTIFIED};
use crate::index::value::{Day, FieldType, Value, values_of};

/// The catalogue of an open archive. Its gate records once that texts are read to be indexed.
pub struct Archived {
    archive: Arc<Archive>,
    gate: Gate,
    /// Patterns that were looked for: to read one takes longer than to look for it in a field.
    regexes: Mutex<HashMap<String, Regex>>,
}

impl Archived {
    /// The catalogue of this archive.
    pub fn new(archive: Arc<Archive>) -> Archived {
        let gate = Gate::new(archive.engine());
        Archived { archive, gate, regexes: Mutex::default() }
    }

    fn regex(&self, pattern: &str) -> Result<Regex, CatalogueError> {
        let mut known = self.regexes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = known.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = Regex::new(pattern)?;
        known.insert(pattern.to_string(), regex.clone());
        Ok(regex)
    }
}

/// The patterns that a definition masks.
fn patterns_of(definition: &Definition) -> impl Iterator<Item = (&Mask, &str)> {
    definition.masks.iter().filter_map(|mask| match &mask.what {
        Masked::Pattern(pattern) => Some((mask, pattern.as_str())),
        Masked::Field(_) => None,
    })
}

fn mark(definition: &str, pattern: &str) -> u64 {
    fnv(format!("{definition}\0{pattern}").as_bytes())
}

impl Catalogue for Archived {
    fn last_seq(&self) -> Result<Seq, CatalogueError> {
        Ok(self.archive.last_seq())
    }

    fn changes_after(&self, after: Seq, most: usize) -> Result<Vec<(Seq, Change)>, CatalogueError> {
        let mut changes = self.archive.changes_after(after)?;
        changes.truncate(most);
        Ok(changes)
    }

    fn load_row(&self, load: LoadId) -> Result<Option<LoadRow>, CatalogueError> {
        match self.archive.load_row(load) {
            Ok(row) => Ok(Some(row)),
            Err(ArchiveError::NoLoad(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn has_load(&self, load: LoadId) -> Result<bool, CatalogueError> {
        Ok(self.archive.has_load(load)?)
    }

    fn documents(
        &self,
        load: LoadId,
        from: u32,
        each: &mut dyn FnMut(Document) -> ControlFlow<()>,
    ) -> Result<(), CatalogueError> {
        // Manifests of runs are found by their runs.
        if self.archive.load_row(load)?.definition == MANIFEST {
            return Ok(());
        }
        self.archive.documents(load, &mut |document| {
            if document.id.ordinal < from { ControlFlow::Continue(()) } else { each(document) }
        })?;
        Ok(())
    }

    fn indexing(&self, definition: &str, version: u32) -> Result<Indexing, CatalogueError> {
        let found =
            if definition == UNIDENTIFIED { None } else { self.archive.definition(definition, Some(version))? };
        Ok(match found {
            Some(definition) => Indexing { kind: definition.kind.clone(), full_text: definition.full_text },
            None => {
                let whole = Definition::whole();
                Indexing { kind: whole.kind, full_text: whole.full_text }
            }
        })
    }

    fn fields(&self) -> Result<Vec<(String, String, FieldType)>, CatalogueError> {
        // A name may have another type in another report or version: all of them can be asked for.
        let mut fields = Vec::new();
        for row in self.archive.definitions()? {
            let Some(definition) = self.archive.definition(&row.name, Some(row.version))? else { continue };
            for field in &definition.fields {
                let known = (row.name.clone(), field.name.clone(), field.kind);
                if !fields.contains(&known) {
                    fields.push(known);
                }
            }
        }
        Ok(fields)
    }

    fn masks(&self) -> Result<Vec<MaskedField>, CatalogueError> {
        Ok(self.archive.safeguards()?.masked.clone())
    }

    fn patterns(&self) -> Result<Vec<MaskedPattern>, CatalogueError> {
        let mut all = Vec::new();
        for definition in self.archive.masking_definitions()? {
            for (mask, pattern) in patterns_of(&definition) {
                let (mark, clear) = (mark(&definition.name, pattern), mask.clear.clone());
                all.push(MaskedPattern { definition: definition.name.clone(), mark, clear });
            }
        }
        Ok(all)
    }

    fn found_by_patterns(&self, document: &Document, names: &[String]) -> Result<Vec<FoundByPattern>, CatalogueError> {
        let masking = self.archive.masking_definitions()?;
        let Some(definition) = masking.iter().find(|definition| *definition.name == *document.definition) else {
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for (_, pattern) in patterns_of(definition) {
            let regex = self.regex(pattern)?;
            let found = |value: &Value| value.to_string().lines().any(|line| regex.is_match(line));
            let mut fields: Vec<String> = Vec::new();
            for (at, value) in &document.fields {
                let name = names.get(usize::from(*at));
                fields.extend(name.filter(|_| values_of(value).into_iter().any(found)).cloned());
            }
            if document.account.as_ref().is_some_and(|account| found(&Value::Text(account.clone()))) {
                fields.push("account".into());
            }
            if document.date.is_some_and(|date| found(&Value::Date(Day(date)))) {
                fields.extend(["date", "year"].map(str::to_string));
            }
            all.push(FoundByPattern { mark: mark(&definition.name, pattern), fields });
        }
        Ok(all)
    }

    fn page_texts(
        &self,
        document: &Document,
        each: &mut dyn FnMut(u32, &str) -> ControlFlow<()>,
    ) -> Result<(), CatalogueError> {
        let permit = self.gate.indexed(document.id)?;
        self.archive.texts_of(&permit, document, &mut |page, text| each(page + 1, text))?;
        Ok(())
    }
}
