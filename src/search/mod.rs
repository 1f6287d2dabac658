//! Finds documents: by their fields, by the words of their pages, for those who may see them.
//!
//! In come the catalogue's rows and the text of pages ([`Catalogue`]), and queries ([`Query`], the language of
//! `docs/search.md`); out come hit lists, facets and the places to highlight. Only this folder knows the index engine.
//!
//! Promises, each held by a test in `tests/`:
//! - the index is derived: without it, or with a broken one, everything is found again after [`Search::catch_up`];
//! - a crash at any moment costs no document and doubles none: commits carry their place in the catalogue's changes;
//! - no hit list, total or facet counts a document outside the [`crate::auth::gate::Scope`] or one whose load the catalogue no longer has;
//! - numbers are exact, dates too; a page of hits continues where the last one ended, whatever was loaded meanwhile;
//! - memory is bounded: loads stream through, hit lists of any length come in pieces ([`Search::for_each_hit`]).
//!
//! It must not know how documents are stored or rendered. A new test on documents: a variant of `query::Want` and its
//! meaning in `compile.rs`; a new thing to index: a field in `schema.rs`, and `LAYOUT` counts up.

mod answers;
mod archived;
mod bag;
mod catalogue;
mod collect;
mod compile;
mod feed;
mod folder;
mod guard;
mod highlight;
mod hits;
mod literal;
mod query;
mod schema;
mod searching;
#[cfg(test)]
mod tests;
mod typed;
mod words;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tantivy::{Index, IndexReader, ReloadPolicy, Searcher};

pub use archived::Archived;
pub use catalogue::{Catalogue, CatalogueError, Indexing};
pub use collect::Facets;
pub use feed::Fed;
pub use highlight::{Highlighter, Snippet};
pub use hits::{Hit, HitList, Sort, Window};
pub use query::{DEEPEST, MOST_CHARACTERS, MOST_TESTS, Query, QueryError};
pub use typed::{Meaning, Part, Typed, Vocabulary, understand};

use crate::archive::Seq;
use answers::Answers;
use feed::Place;
use folder::Folder;
use guard::Heads;
use schema::Layout;

/// What may be tuned. The defaults suit a program that stays below 256 MB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Memory for entries that are not yet on disk; at least 15 MB.
    pub writer_bytes: usize,
    /// Documents after which a commit makes what is done survive a crash.
    pub commit_documents: u64,
    /// Text of a document beyond this many bytes goes into a further entry of its own.
    pub part_bytes: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { writer_bytes: 16 << 20, commit_documents: 32_768, part_bytes: 4 << 20 }
    }
}

/// How [`Search::open`] found the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It was there.
    Existing,
    /// There was none: an empty one was made, the next catch-up fills it.
    New,
    /// What was there could not be used and was replaced by an empty one; the next catch-up fills it.
    Replaced {
        /// What was wrong with it.
        why: String,
    },
}

/// Progress of a catch-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The change it is at.
    pub seq: Seq,
    /// The newest change when it began.
    pub newest: Seq,
    /// Documents added so far.
    pub documents: u64,
}

/// What search fails with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The query is wrong; the user can mend it.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The cursor is damaged or belongs to another query, order or user.
    #[error("the cursor does not belong to this hit list")]
    Cursor,
    /// Another process writes the index.
    #[error("another process has the search index open for writing")]
    ReadOnly,
    /// The index has fields that this program does not expect.
    #[error("the search index has another layout")]
    Layout,
    /// The index's folder cannot be used.
    #[error("the search index folder {path} cannot be used")]
    Folder {
        /// The folder.
        path: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The catalogue failed while it was read.
    #[error("search could not read the catalogue: {source}")]
    Catalogue {
        /// What the catalogue said.
        source: CatalogueError,
    },
    /// The disk has no room for the index. The archive is not concerned, and the feed goes on where it stopped.
    #[error("the disk is full: the search index could not be written")]
    Full,
    /// The index engine failed; the index can be rebuilt.
    #[error("the search index failed: {detail}; rebuild it with `greenbar reindex`")]
    Index {
        /// What the engine said.
        detail: String,
    },
}

impl SearchError {
    fn catalogue(source: CatalogueError) -> SearchError {
        SearchError::Catalogue { source }
    }
}

impl From<tantivy::TantivyError> for SearchError {
    fn from(error: tantivy::TantivyError) -> SearchError {
        if is_full(&error) { SearchError::Full } else { SearchError::Index { detail: error.to_string() } }
    }
}

/// Whether a full disk is behind an error of the engine, however deep.
fn is_full(error: &tantivy::TantivyError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let system = error
            .downcast_ref::<std::io::Error>()
            .or_else(|| error.downcast_ref::<Arc<std::io::Error>>().map(|shared| &**shared));
        if system.is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull) {
            return true;
        }
        cause = error.source();
    }
    // Errors of the engine's threads come as text only.
    format!("{error:?}").contains("StorageFull")
}

/// An index at one moment.
struct Moment {
    searcher: Searcher,
    applied: Seq,
    heads: Arc<Heads>,
    answers: Answers,
}

impl Moment {
    fn new(searcher: Searcher, applied: Seq) -> Moment {
        Moment { searcher, applied, heads: Arc::default(), answers: Answers::default() }
    }
}

/// Most of [`threads`].
const MOST_THREADS: usize = 4;

/// Threads that look through the segments of one query side by side: what somebody who types waits for.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS)
}

/// The generation in use.
struct Current {
    generation: u32,
    index: Index,
    reader: IndexReader,
    moment: Arc<Moment>,
}

impl Current {
    fn new(generation: u32, mut index: Index) -> Result<Current, SearchError> {
        index.set_multithread_executor(threads())?;
        let applied = Place::of(&index)?.seq;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let moment = Arc::new(Moment::new(reader.searcher(), applied));
        Ok(Current { generation, index, reader, moment })
    }

    /// Shows what was committed since.
    fn reload(&mut self) -> Result<(), SearchError> {
        // In this order the index is never behind what it is said to contain.
        let applied = Place::of(&self.index)?.seq;
        self.reader.reload()?;
        self.moment = Arc::new(Moment::new(self.reader.searcher(), applied));
        Ok(())
    }
}

/// The search index of an archive.
///
/// Everything takes `&self`: searching goes on while another thread feeds or rebuilds.
pub struct Search {
    folder: Folder,
    layout: Layout,
    options: Options,
    opened: Opened,
    current: RwLock<Current>,
    writing: Mutex<()>,
    rebuilding: Mutex<()>,
}

impl Search {
    /// Opens the index in `dir`, or makes an empty one. In a second process on the same folder it only reads.
    pub fn open(dir: &Path) -> Result<Search, SearchError> {
        Search::open_with(dir, Options::default())
    }

    /// [`Search::open`] with other limits.
    pub fn open_with(dir: &Path, options: Options) -> Result<Search, SearchError> {
        let folder = Folder::open(dir)?;
        let layout = Layout::new().1;
        let (opened, current) = match folder.current() {
            Ok(None) => (Opened::New, fresh(&folder)?),
            Ok(Some(generation)) => match folder.open_index(generation).and_then(|i| Current::new(generation, i)) {
                Ok(current) => (Opened::Existing, current),
                Err(error) if folder.may_write() => (Opened::Replaced { why: error.to_string() }, fresh(&folder)?),
                Err(error) => return Err(error),
            },
            Err(why) => (Opened::Replaced { why }, fresh(&folder)?),
        };
        let current = RwLock::new(current);
        Ok(Search { folder, layout, options, opened, current, writing: Mutex::default(), rebuilding: Mutex::default() })
    }

    /// How the index was found.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Whether another process holds the right to write.
    pub fn is_read_only(&self) -> bool {
        !self.folder.may_write()
    }

    /// The newest catalogue change that hit lists contain.
    pub fn applied(&self) -> Seq {
        self.moment().applied
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.folder.bytes()
    }

    /// Brings the index up to the newest change, and gives space of what is gone back to the disk. When nothing
    /// changed it costs next to nothing. A read-only search shows what the writing process has committed.
    pub fn catch_up(&self, catalogue: &dyn Catalogue, progress: &mut dyn FnMut(Step)) -> Result<Fed, SearchError> {
        if self.is_read_only() {
            self.refresh()?;
            return Ok(Fed::default());
        }
        let newest = catalogue.last_seq().map_err(SearchError::catalogue)?;
        if self.applied() > newest {
            // The catalogue was restored to an earlier state: what the index knows is no longer true.
            return self.rebuild_into(self.folder.newest() + 1, catalogue, progress);
        }
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.applied() == newest {
            return Ok(Fed::default());
        }
        let index = self.read_current().index.clone();
        let fed = feed::feed(&index, &self.layout, &self.options, catalogue, progress).inspect_err(|_| {
            // What was written behind the last commit is of no use, and where the disk is full its room is.
            let _ = feed::sweep(&index);
        })?;
        self.write_current().reload()?;
        feed::sweep(&index)?;
        drop(writing);
        Ok(fed)
    }

    /// Makes the index anew from the catalogue, beside the old one, then switches. Searching goes on meanwhile. After
    /// a crash it resumes where its last commit was.
    pub fn rebuild(&self, catalogue: &dyn Catalogue, progress: &mut dyn FnMut(Step)) -> Result<Fed, SearchError> {
        if self.is_read_only() {
            return Err(SearchError::ReadOnly);
        }
        let generation = self.read_current().generation;
        let newest = self.folder.newest();
        let resumed = if newest > generation { newest } else { generation + 1 };
        self.rebuild_into(resumed, catalogue, progress)
    }

    fn rebuild_into(
        &self,
        generation: u32,
        catalogue: &dyn Catalogue,
        progress: &mut dyn FnMut(Step),
    ) -> Result<Fed, SearchError> {
        let _rebuilding = self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = self.folder.open_index(generation);
        let newest = catalogue.last_seq().map_err(SearchError::catalogue)?;
        let begun = begun.ok().filter(|index| Place::of(index).is_ok_and(|place| place.seq <= newest));
        let index = match begun {
            Some(index) => index,
            None => self.folder.make_index(generation)?,
        };
        let mut fed = feed::feed(&index, &self.layout, &self.options, catalogue, progress)?;
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // What was loaded while it was made.
        let rest = feed::feed(&index, &self.layout, &self.options, catalogue, progress)?;
        fed.loads += rest.loads;
        fed.documents += rest.documents;
        fed.unloaded += rest.unloaded;
        feed::sweep(&index)?;
        let fresh = Current::new(generation, index)?;
        self.folder.switch(generation)?;
        *self.write_current() = fresh;
        Ok(fed)
    }

    /// Reads every byte of the index and lists damaged files; empty when all is well.
    pub fn verify(&self) -> Result<Vec<String>, SearchError> {
        let index = self.read_current().index.clone();
        let damaged: BTreeSet<_> = index.validate_checksum()?.into_iter().collect();
        Ok(damaged.into_iter().map(|path| path.display().to_string()).collect())
    }

    /// In a read-only search: shows what the writing process did.
    fn refresh(&self) -> Result<(), SearchError> {
        let named = self.folder.current().ok().flatten();
        let mut current = self.write_current();
        match named {
            Some(generation) if generation != current.generation => {
                *current = Current::new(generation, self.folder.open_index(generation)?)?;
                Ok(())
            }
            _ => current.reload(),
        }
    }

    fn moment(&self) -> Arc<Moment> {
        Arc::clone(&self.read_current().moment)
    }

    fn read_current(&self) -> std::sync::RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_current(&self) -> std::sync::RwLockWriteGuard<'_, Current> {
        self.current.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes an empty index the current one.
fn fresh(folder: &Folder) -> Result<Current, SearchError> {
    if !folder.may_write() {
        return Err(SearchError::ReadOnly);
    }
    let generation = folder.newest() + 1;
    let index = folder.make_index(generation)?;
    folder.switch(generation)?;
    Current::new(generation, index)
}
