//! Feeds the index from the catalogue: follows its changes, load by load.
//!
//! Every commit carries how far it went. After a crash the feed goes on there; deletes by load come before what
//! replaces it, so that doing a change twice gives the same index as doing it once.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::schema::document::Document as IndexDocument;
use tantivy::{Index, IndexWriter, TantivyDocument};

use super::catalogue::{Catalogue, FoundByPattern, Indexing};
use super::schema::{Layout, pattern_key};
use super::{Options, SearchError, Step};
use crate::archive::{Change, Document, LoadId, LoadRow, Seq};
use crate::index::definition::FullText;

/// Changes read from the catalogue at a time.
const CHANGES_AT_ONCE: usize = 10_000;
/// Bytes of entries that wait for the indexing thread.
const MOST_WAITING: u64 = 2 << 20;
/// How long an entry waits for the indexing thread, which takes far less unless it has died.
const MOST_WAIT: Duration = Duration::from_secs(10);
/// What an entry is counted as besides its text.
const ENTRY_BYTES: u64 = 1024;
/// Share of deleted documents at which a segment is written anew without them.
const DELETED_SHARE: f32 = 0.2;

/// How far an index has come: what its commits carry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// All changes up to here are in.
    pub(super) seq: Seq,
    /// Of the change after it, this much.
    pub(super) within: Option<Within>,
}

/// A place inside a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Within {
    change: Seq,
    load: LoadId,
    ordinal: u32,
}

impl Place {
    /// The place of an index's last commit.
    pub(super) fn of(index: &Index) -> Result<Place, SearchError> {
        let payload = index.load_metas()?.payload;
        // An index without a readable payload has seen nothing: everything is done again, which is always right.
        Ok(payload.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }
}

/// What a feed did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fed {
    /// Loads whose documents were added or replaced.
    pub loads: u64,
    /// Documents added.
    pub documents: u64,
    /// Loads taken out.
    pub unloaded: u64,
}

/// Brings an index up to the newest change.
pub(super) fn feed(
    index: &Index,
    layout: &Layout,
    options: &Options,
    catalogue: &dyn Catalogue,
    progress: &mut dyn FnMut(Step),
) -> Result<Fed, SearchError> {
    let place = Place::of(index)?;
    let newest = catalogue.last_seq().map_err(SearchError::catalogue)?;
    if newest <= place.seq {
        return Ok(Fed::default());
    }
    let mut feed = Feed {
        index,
        layout,
        options,
        catalogue,
        progress,
        writer: None,
        place,
        uncommitted: 0,
        waiting: Arc::default(),
        text: String::new(),
        newest,
        fed: Fed::default(),
    };
    let done = feed.follow().and_then(|()| feed.commit()).and_then(|()| feed.let_merge());
    done.map_err(|error| feed.cause_of(error))?;
    Ok(feed.fed)
}

/// A writer that keeps parts of like size together and writes anew those with many deleted documents.
fn writer(index: &Index, options: &Options) -> Result<IndexWriter<Queued>, SearchError> {
    let writer_options =
        IndexWriterOptions::builder().memory_budget_per_thread(options.writer_bytes).num_merge_threads(1).build();
    let writer = index.writer_with_options(writer_options)?;
    let mut policy = LogMergePolicy::default();
    policy.set_del_docs_ratio_before_merge(DELETED_SHARE);
    writer.set_merge_policy(Box::new(policy));
    // What a crash left would be in the way: files of deletes are named after their number, which comes again.
    writer.garbage_collect_files().wait()?;
    Ok(writer)
}

/// Removes files that nothing uses any more. Call after the readers have moved on.
pub(super) fn sweep(index: &Index) -> Result<(), SearchError> {
    let writer: IndexWriter = index.writer_with_options(IndexWriterOptions::builder().num_merge_threads(1).build())?;
    writer.garbage_collect_files().wait()?;
    Ok(())
}

struct Feed<'a> {
    index: &'a Index,
    layout: &'a Layout,
    options: &'a Options,
    catalogue: &'a dyn Catalogue,
    progress: &'a mut dyn FnMut(Step),
    writer: Option<IndexWriter<Queued>>,
    place: Place,
    uncommitted: u64,
    waiting: Arc<Waiting>,
    /// Kept from document to document.
    text: String,
    newest: Seq,
    fed: Fed,
}

impl Feed<'_> {
    fn follow(&mut self) -> Result<(), SearchError> {
        loop {
            let changes =
                self.catalogue.changes_after(self.place.seq, CHANGES_AT_ONCE).map_err(SearchError::catalogue)?;
            if changes.is_empty() {
                return Ok(());
            }
            let last: HashMap<LoadId, Seq> = changes.iter().map(|(seq, change)| (load_of(change), *seq)).collect();
            for (seq, change) in changes {
                // What a later change replaces need not be done first.
                if last.get(&load_of(&change)) == Some(&seq) {
                    self.apply(seq, &change)?;
                }
                self.place = Place { seq, within: None };
                self.report();
            }
        }
    }

    fn apply(&mut self, seq: Seq, change: &Change) -> Result<(), SearchError> {
        let id = load_of(change);
        let resumed = self.place.within.filter(|within| within.change == seq && within.load == id);
        if resumed.is_none() {
            let term = self.layout.load_term(id);
            self.writer()?.delete_term(term);
        }
        let row = match change {
            Change::Loaded(_) => self.catalogue.load_row(id).map_err(SearchError::catalogue)?,
            Change::Unloaded(_) => None,
        };
        let Some(row) = row else {
            // Also when it was loaded and is gone by now: then its own change follows.
            let term = self.layout.load_term(id);
            self.writer()?.delete_term(term);
            self.fed.unloaded += 1;
            return Ok(());
        };
        let indexing =
            self.catalogue.indexing(&row.definition, row.definition_version).map_err(SearchError::catalogue)?;
        self.load(seq, &row, &indexing, resumed.map_or(1, |within| within.ordinal.saturating_add(1)))?;
        self.fed.loads += 1;
        Ok(())
    }

    fn load(&mut self, seq: Seq, row: &LoadRow, indexing: &Indexing, from: u32) -> Result<(), SearchError> {
        let mut failure = None;
        let catalogue = self.catalogue;
        let visited =
            catalogue.documents(row.id, from, &mut |document| match self.document(seq, row, indexing, &document) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            });
        failure.map_or(Ok(()), Err)?;
        visited.map_err(SearchError::catalogue)
    }

    fn document(
        &mut self,
        change: Seq,
        row: &LoadRow,
        indexing: &Indexing,
        document: &Document,
    ) -> Result<(), SearchError> {
        let mut entry = self.layout.entry(document, &row.field_names, &indexing.kind);
        let found = self.catalogue.found_by_patterns(document, &row.field_names).map_err(SearchError::catalogue)?;
        for FoundByPattern { mark, fields } in &found {
            for name in std::iter::once("").chain(fields.iter().map(String::as_str)) {
                entry.add_bytes(self.layout.key, &pattern_key(*mark, name));
            }
        }
        match indexing.full_text {
            FullText::None => self.add(entry, 0)?,
            FullText::Words | FullText::Phrases => self.with_text(entry, indexing.full_text, document)?,
        }
        self.fed.documents += 1;
        self.uncommitted += 1;
        if self.uncommitted >= self.options.commit_documents {
            self.place.within = Some(Within { change, load: row.id, ordinal: document.id.ordinal });
            self.commit()?;
            self.let_merge()?;
        }
        if self.fed.documents.is_multiple_of(1000) {
            self.report();
        }
        Ok(())
    }

    /// Adds an entry with the words of the document's pages; a very long document makes several.
    fn with_text(&mut self, entry: TantivyDocument, how: FullText, document: &Document) -> Result<(), SearchError> {
        let field = if how == FullText::Words { self.layout.bag } else { self.layout.text };
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let mut in_parts = false;
        let mut failure = None;
        let catalogue = self.catalogue;
        let visited = catalogue.page_texts(document, &mut |_, page| {
            if !text.is_empty() && text.len() + page.len() > self.options.part_bytes {
                in_parts = true;
                if let Err(error) = self.add_part(&entry, field, &mut text) {
                    failure = Some(error);
                    return ControlFlow::Break(());
                }
            }
            text.push_str(page);
            text.push('\n');
            ControlFlow::Continue(())
        });
        failure.map_or(Ok(()), Err)?;
        visited.map_err(SearchError::catalogue)?;
        let added = if in_parts {
            self.add_part(&entry, field, &mut text)
        } else {
            let mut entry = entry;
            entry.add_text(field, &text);
            self.add(entry, text.len())
        };
        self.text = text;
        added
    }

    fn add_part(
        &mut self,
        entry: &TantivyDocument,
        field: tantivy::schema::Field,
        text: &mut String,
    ) -> Result<(), SearchError> {
        let mut part = entry.clone();
        part.add_u64(self.layout.parts, 1);
        part.add_text(field, &*text);
        let bytes = text.len();
        text.clear();
        self.add(part, bytes)
    }

    fn add(&mut self, entry: TantivyDocument, text_bytes: usize) -> Result<(), SearchError> {
        let bytes = ENTRY_BYTES + text_bytes as u64;
        self.waiting.enter(bytes);
        let waiting = Arc::clone(&self.waiting);
        self.writer()?.add_document(Queued { entry, bytes, waiting })?;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), SearchError> {
        let payload = serde_json::to_string(&self.place).map_err(|error| SearchError::catalogue(error.into()))?;
        let mut prepared = self.writer()?.prepare_commit()?;
        prepared.set_payload(&payload);
        prepared.commit()?;
        self.uncommitted = 0;
        Ok(())
    }

    /// What is behind an error. A thread of the writer that fails is told only to whoever waits for it; whoever hands it the
    /// next document hears that it is gone.
    fn cause_of(&mut self, error: SearchError) -> SearchError {
        match (&error, self.writer.as_mut()) {
            (SearchError::Index { .. }, Some(writer)) => writer.prepare_commit().err().map_or(error, SearchError::from),
            _ => error,
        }
    }

    /// Waits until parts are merged. Going on meanwhile would hold the memory of both, whose sum grows with the index.
    fn let_merge(&mut self) -> Result<(), SearchError> {
        if let Some(writer) = self.writer.take() {
            writer.wait_merging_threads()?;
        }
        Ok(())
    }

    /// The writer; opened where there is none.
    fn writer(&mut self) -> Result<&mut IndexWriter<Queued>, SearchError> {
        if self.writer.is_none() {
            self.writer = Some(writer(self.index, self.options)?);
        }
        self.writer.as_mut().ok_or_else(|| SearchError::catalogue("no writer".into()))
    }

    fn report(&mut self) {
        (self.progress)(Step { seq: self.place.seq, newest: self.newest, documents: self.fed.documents });
    }
}

/// The load that a change is about.
pub(super) fn load_of(change: &Change) -> LoadId {
    match change {
        Change::Loaded(id) | Change::Unloaded(id) => *id,
    }
}

/// Bytes on their way to the indexing thread: the engine's own queue counts documents, whatever their size.
#[derive(Debug, Default)]
struct Waiting {
    bytes: Mutex<u64>,
    left: Condvar,
}

impl Waiting {
    fn enter(&self, bytes: u64) {
        let guard = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        // Should the indexing thread die, adding fails soon enough: never wait for it for ever.
        let wait =
            self.left.wait_timeout_while(guard, MOST_WAIT, |waiting| *waiting > 0 && *waiting + bytes > MOST_WAITING);
        let (mut guard, _) = wait.unwrap_or_else(PoisonError::into_inner);
        *guard += bytes;
    }

    fn leave(&self, bytes: u64) {
        *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) -= bytes;
        self.left.notify_one();
    }
}

/// An entry on its way to the indexing thread.
struct Queued {
    entry: TantivyDocument,
    bytes: u64,
    waiting: Arc<Waiting>,
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.waiting.leave(self.bytes);
    }
}

impl IndexDocument for Queued {
    type Value<'a> = <TantivyDocument as IndexDocument>::Value<'a>;
    type FieldsValuesIter<'a> = <TantivyDocument as IndexDocument>::FieldsValuesIter<'a>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        self.entry.iter_fields_and_values()
    }

    fn into_tantivy_document(mut self) -> TantivyDocument {
        std::mem::take(&mut self.entry)
    }
}
