//! The archive as search reads it.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::catalogue::{Catalogue, CatalogueError, Indexing};
use crate::archive::{Archive, ArchiveError, Change, Document, LoadId, LoadRow, Seq};
use crate::auth::gate::Gate;
use crate::index::definition::{Definition, MaskedField, UNIDENTIFIED};
use crate::index::value::FieldType;

/// The catalogue of an open archive. Its gate records once that texts are read to be indexed.
pub struct Archived {
    archive: Arc<Archive>,
    gate: Gate,
}

impl Archived {
    /// The catalogue of this archive.
    pub fn new(archive: Arc<Archive>) -> Archived {
        let gate = Gate::new(archive.engine());
        Archived { archive, gate }
    }
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

    fn fields(&self) -> Result<Vec<(String, FieldType)>, CatalogueError> {
        // A name may have another type in another report or version: all of them can be asked for.
        let mut fields = Vec::new();
        for row in self.archive.definitions()? {
            let Some(definition) = self.archive.definition(&row.name, Some(row.version))? else { continue };
            for field in &definition.fields {
                let known = (field.name.clone(), field.kind);
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
