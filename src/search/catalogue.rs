//! What search needs of the archive; a seam, so that search can be tested without one.

use std::ops::ControlFlow;

use crate::archive::{Change, Document, LoadId, LoadRow, Seq};
use crate::index::definition::{FullText, MaskedField};
use crate::index::value::FieldType;

/// What the catalogue failed with.
pub type CatalogueError = Box<dyn std::error::Error + Send + Sync>;

/// How the documents of one definition version are indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexing {
    /// Document kind, for facets.
    pub kind: String,
    /// What of the text can be searched.
    pub full_text: FullText,
}

/// A pattern that a definition masks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedPattern {
    /// The definition.
    pub definition: String,
    /// Number of the pattern in this definition: another one when it is changed.
    pub mark: u64,
    /// Roles that see what it finds; empty: those with the permission.
    pub clear: Vec<String>,
}

/// Where a pattern finds something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundByPattern {
    /// See [`MaskedPattern::mark`].
    pub mark: u64,
    /// Names, as in queries, of the fields with a value in which it is found.
    pub fields: Vec<String>,
}

/// The catalogue as search reads it. Everything in the index can be made again from it.
pub trait Catalogue: Sync {
    /// The newest change; `Seq(0)` when there is none.
    fn last_seq(&self) -> Result<Seq, CatalogueError>;

    /// The changes after `after` in order, at most `most`.
    fn changes_after(&self, after: Seq, most: usize) -> Result<Vec<(Seq, Change)>, CatalogueError>;

    /// A visible load; `None` when it is gone or not yet there.
    fn load_row(&self, load: LoadId) -> Result<Option<LoadRow>, CatalogueError>;

    /// Whether a load is visible. Called for every load of a hit list, so it should be cheap.
    fn has_load(&self, load: LoadId) -> Result<bool, CatalogueError> {
        Ok(self.load_row(load)?.is_some())
    }

    /// Visits the documents of a load in order, from ordinal `from` on, until `each` breaks.
    fn documents(
        &self,
        load: LoadId,
        from: u32,
        each: &mut dyn FnMut(Document) -> ControlFlow<()>,
    ) -> Result<(), CatalogueError>;

    /// How documents cut by this version of a definition are indexed.
    fn indexing(&self, definition: &str, version: u32) -> Result<Indexing, CatalogueError>;

    /// The fields of all definitions, every version: definition, name, type.
    fn fields(&self) -> Result<Vec<(String, String, FieldType)>, CatalogueError>;

    /// The masked fields of all definitions.
    fn masks(&self) -> Result<Vec<MaskedField>, CatalogueError>;

    /// The patterns that definitions mask.
    fn patterns(&self) -> Result<Vec<MaskedPattern>, CatalogueError> {
        Ok(Vec::new())
    }

    /// What the patterns of a document's definition find in the values of its fields, whose names are given: one entry for
    /// each pattern.
    fn found_by_patterns(&self, document: &Document, names: &[String]) -> Result<Vec<FoundByPattern>, CatalogueError> {
        let _ = (document, names);
        Ok(Vec::new())
    }

    /// Visits the text of a document's pages in order (page from 1) until `each` breaks. Masked values are not in it:
    /// what is in the index can be found by everybody.
    fn page_texts(
        &self,
        document: &Document,
        each: &mut dyn FnMut(u32, &str) -> ControlFlow<()>,
    ) -> Result<(), CatalogueError>;
}
