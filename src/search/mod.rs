//! Finds documents: by their fields, by the words of their pages, for those who may see them.
//!
//! In come the catalogue's rows and the text of pages ([`Catalogue`]), and queries ([`Query`], the language of
//! `docs/search.md`); out come hit lists, facets and the places to highlight. Only this folder knows the index engine.
//!
//! Promises, each held by a test in `tests/`:
//! - the index is derived: without it, or with a broken one, everything is found again after [`Search::catch_up`];
//! - a crash at any moment costs no document and doubles none: commits carry their place in the catalogue's changes;
//! - no hit list, total or facet counts a document outside the [`Scope`] or one whose load the catalogue no longer has;
//! - numbers are exact, dates too; a page of hits continues where the last one ended, whatever was loaded meanwhile;
//! - memory is bounded: loads stream through, hit lists of any length come in pieces ([`Search::for_each_hit`]).
//!
//! It must not know how documents are stored or rendered. A new test on documents: a variant of `query::Want` and its
//! meaning in `compile.rs`; a new thing to index: a field in `schema.rs`, and `LAYOUT` counts up.

mod catalogue;
mod collect;
mod compile;
mod feed;
mod fold;
mod folder;
mod highlight;
mod hits;
mod literal;
mod query;
mod schema;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tantivy::query::{BooleanQuery, ConstScoreQuery, EnableScoring, Occur, TermSetQuery};
use tantivy::{Index, IndexReader, ReloadPolicy, Searcher};

pub use catalogue::{Catalogue, CatalogueError, Indexing};
pub use collect::Facets;
pub use feed::Fed;
pub use highlight::{Highlighter, Snippet};
pub use hits::{Hit, HitList, Sort, Window};
pub use query::{DEEPEST, MOST_CHARACTERS, MOST_TESTS, Query, QueryError};

use crate::archive::{LoadId, Seq};
use crate::auth::gate::Scope;
use collect::{Count, First, Key, number_in, score_in};
use compile::{Compiler, KnownFields};
use feed::Place;
use folder::Folder;
use hits::{Cursor, Statistics, fingerprint};
use schema::{Layout, id_of};

/// Hits that [`Search::for_each_hit`] keeps in memory at a time (16 bytes each).
const HITS_AT_ONCE: usize = 250_000;

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
        Options { writer_bytes: 48 << 20, commit_documents: 200_000, part_bytes: 4 << 20 }
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
        SearchError::Index { detail: error.to_string() }
    }
}

/// An index at one moment.
struct Moment {
    searcher: Searcher,
    applied: Seq,
}

/// The generation in use.
struct Current {
    generation: u32,
    index: Index,
    reader: IndexReader,
    moment: Arc<Moment>,
}

impl Current {
    fn new(generation: u32, index: Index) -> Result<Current, SearchError> {
        let applied = Place::of(&index)?.seq;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let moment = Arc::new(Moment { searcher: reader.searcher(), applied });
        Ok(Current { generation, index, reader, moment })
    }

    /// Shows what was committed since.
    fn reload(&mut self) -> Result<(), SearchError> {
        // In this order the index is never behind what it is said to contain.
        let applied = Place::of(&self.index)?.seq;
        self.reader.reload()?;
        self.moment = Arc::new(Moment { searcher: self.reader.searcher(), applied });
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
        let fed = feed::feed(&index, &self.layout, &self.options, catalogue, progress)?;
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

    /// One page of the documents that match and may be seen.
    pub fn hits(
        &self,
        catalogue: &dyn Catalogue,
        query: &Query,
        scope: &Scope,
        window: &Window,
    ) -> Result<HitList, SearchError> {
        self.hits_of(catalogue, query, scope.accounts(), window)
    }

    fn hits_of(
        &self,
        catalogue: &dyn Catalogue,
        query: &Query,
        accounts: Option<&[String]>,
        window: &Window,
    ) -> Result<HitList, SearchError> {
        let moment = self.moment();
        let print = fingerprint(&query.text, accounts, window.sort);
        let cursor = match &window.cursor {
            Some(text) => Some(Cursor::read(text).filter(|c| c.query == print).ok_or(SearchError::Cursor)?),
            None => None,
        };
        let (after, given) = cursor.map_or((None, Vec::new()), |cursor| (Some(cursor.key), cursor.statistics));
        let collector = First { sort: window.sort, after, keep: window.offset.saturating_add(window.limit) };
        let searched = self.filtered(catalogue, &moment, query, accounts)?;
        let statistics = Statistics::new(&moment.searcher, given);
        let scoring = match window.sort {
            Sort::Relevance => EnableScoring::enabled_from_statistics_provider(&statistics, &moment.searcher),
            _ => EnableScoring::disabled_from_searcher(&moment.searcher),
        };
        let found = moment.searcher.search_with_executor(
            &searched,
            &collector,
            moment.searcher.index().search_executor(),
            scoring,
        )?;
        let keys = found.keys.get(window.offset..).unwrap_or_default();
        let statistics = statistics.into_log();
        let more = found.behind > found.keys.len() as u64;
        let next = keys.last().filter(|_| more).map(|key| Cursor { query: print, key: *key, statistics }.print());
        let mut present = Present::new(catalogue);
        let mut hits = Vec::with_capacity(keys.len());
        for key in keys {
            present.push(window.sort, *key, &mut hits)?;
        }
        Ok(HitList { total: found.total.saturating_sub(present.missing), hits, next_cursor: next })
    }

    /// Visits all documents that match and may be seen, in order, until `each` breaks; for exports of any length.
    pub fn for_each_hit(
        &self,
        catalogue: &dyn Catalogue,
        query: &Query,
        scope: &Scope,
        sort: Sort,
        each: &mut dyn FnMut(Hit) -> ControlFlow<()>,
    ) -> Result<(), SearchError> {
        self.for_each_of(catalogue, query, scope.accounts(), sort, HITS_AT_ONCE, each)
    }

    fn for_each_of(
        &self,
        catalogue: &dyn Catalogue,
        query: &Query,
        accounts: Option<&[String]>,
        sort: Sort,
        at_once: usize,
        each: &mut dyn FnMut(Hit) -> ControlFlow<()>,
    ) -> Result<(), SearchError> {
        // One moment for the whole list: nothing moves under it.
        let moment = self.moment();
        let searched = self.filtered(catalogue, &moment, query, accounts)?;
        let mut present = Present::new(catalogue);
        let mut after: Option<Key> = None;
        loop {
            let found = moment.searcher.search(&searched, &First { sort, after, keep: at_once })?;
            let mut hits = Vec::with_capacity(1);
            for key in &found.keys {
                present.push(sort, *key, &mut hits)?;
                if let Some(hit) = hits.pop()
                    && each(hit).is_break()
                {
                    return Ok(());
                }
            }
            if found.behind <= found.keys.len() as u64 {
                return Ok(());
            }
            after = found.keys.last().copied();
        }
    }

    /// Counts the documents that match and may be seen, by definition, kind and year.
    pub fn facets(&self, catalogue: &dyn Catalogue, query: &Query, scope: &Scope) -> Result<Facets, SearchError> {
        self.facets_of(catalogue, query, scope.accounts())
    }

    fn facets_of(
        &self,
        catalogue: &dyn Catalogue,
        query: &Query,
        accounts: Option<&[String]>,
    ) -> Result<Facets, SearchError> {
        let moment = self.moment();
        let searched = self.filtered(catalogue, &moment, query, accounts)?;
        Ok(moment.searcher.search(&searched, &Count)?)
    }

    /// The query with what no answer may contain taken out: other people's documents, and loads that the catalogue
    /// has changed since.
    fn filtered(
        &self,
        catalogue: &dyn Catalogue,
        moment: &Moment,
        query: &Query,
        accounts: Option<&[String]>,
    ) -> Result<BooleanQuery, SearchError> {
        let fields = known_fields(catalogue)?;
        let compiler = Compiler { layout: &self.layout, fields: &fields };
        let mut clauses = vec![(Occur::Must, compiler.compile(query)?)];
        if let Some(accounts) = accounts {
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(compiler.owned_by(accounts), 0.0))));
        }
        let changed = changed_loads(catalogue, moment.applied)?;
        if !changed.is_empty() {
            let terms = changed.into_iter().map(|load| self.layout.load_term(load));
            clauses.push((Occur::MustNot, Box::new(TermSetQuery::new(terms))));
        }
        Ok(BooleanQuery::new(clauses))
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

fn known_fields(catalogue: &dyn Catalogue) -> Result<KnownFields, SearchError> {
    let mut fields = KnownFields::new();
    for (name, kind) in catalogue.fields().map_err(SearchError::catalogue)? {
        let kinds = fields.entry(name).or_default();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(fields)
}

/// Loads with changes that the index does not have yet.
fn changed_loads(catalogue: &dyn Catalogue, applied: Seq) -> Result<BTreeSet<LoadId>, SearchError> {
    const AT_ONCE: usize = 10_000;
    let mut loads = BTreeSet::new();
    let mut after = applied;
    loop {
        let changes = catalogue.changes_after(after, AT_ONCE).map_err(SearchError::catalogue)?;
        loads.extend(changes.iter().map(|(_, change)| feed::load_of(change)));
        match changes.last() {
            Some((seq, _)) if changes.len() == AT_ONCE => after = *seq,
            _ => return Ok(loads),
        }
    }
}

/// Lets only hits through whose load the catalogue has, whatever the index says.
struct Present<'c> {
    catalogue: &'c dyn Catalogue,
    known: HashMap<LoadId, bool>,
    missing: u64,
}

impl<'c> Present<'c> {
    fn new(catalogue: &'c dyn Catalogue) -> Present<'c> {
        Present { catalogue, known: HashMap::new(), missing: 0 }
    }

    fn push(&mut self, sort: Sort, key: Key, hits: &mut Vec<Hit>) -> Result<(), SearchError> {
        let id = id_of(number_in(sort, key));
        let present = match self.known.get(&id.load) {
            Some(present) => *present,
            None => {
                let present = self.catalogue.has_load(id.load).map_err(SearchError::catalogue)?;
                self.known.insert(id.load, present);
                present
            }
        };
        if present {
            hits.push(Hit { id, score: score_in(sort, key) });
        } else {
            self.missing += 1;
        }
        Ok(())
    }
}
