//! The real backend: an archive with its search index.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::backend::{
    Backend, BackendError, Counters, DefinitionView, DocumentView, EnrolField, Facet, FieldView, Figures, FormatInfo,
    Highlight, HighlightPart, HitPage, HitView, HitsAsked, Order, covered,
};
use crate::archive::figures::Sums;
use crate::archive::kv::{Engine, StoreError};
use crate::archive::trial::{Look, Trial};
use crate::archive::{
    Archive, ArchiveError, Bringing, DefinitionRow, DocId, Document, LoadError, LoadId, LoadRow, LoadSource, Progress,
    Tombstone,
};
use crate::auth::directory::Restricted;
use crate::auth::gate::{Gate, Permit, Scope, Sight};
use crate::auth::predicate::{Facts, Subject};
use crate::capture::Brought;
use crate::decode::{Context, ReadSpec};
use crate::distribute::Listed;
use crate::index::definition::Definition;
use crate::index::stretch::Stretch;
use crate::index::value::{Day, FieldType, FieldValue};
use crate::records::RecordsError;
use crate::render::{RenderError, RenderOptions};
use crate::search::{Archived, Highlighter, Query, Search, SearchError, Snippet, Sort, Vocabulary, Window};
use crate::view::{View, ViewError};

/// Pages of a hit that are looked through for a line to show.
const PAGES_LOOKED_AT: u32 = 3;
/// Characters of such a line.
const SNIPPET: usize = 140;
/// Hits of a page that get one: each costs decoding its first pages.
const HITS_WITH_SNIPPETS: usize = 30;

/// An open archive, its search index and its views.
pub struct ArchiveBackend {
    archive: Arc<Archive>,
    search: Arc<Search>,
    catalogue: Archived,
    view: View,
    gate: Gate,
    /// A document that is there, to be read in the place of one that is not.
    other: Mutex<Option<DocId>>,
}

impl ArchiveBackend {
    /// Serves this archive. The search index should have caught up.
    pub fn new(archive: Arc<Archive>, search: Arc<Search>) -> ArchiveBackend {
        ArchiveBackend {
            catalogue: Archived::new(archive.clone()),
            view: View::new(archive.clone()),
            gate: Gate::new(archive.engine()),
            other: Mutex::default(),
            archive,
            search,
        }
    }

    /// What the gate asks of a document; `None`: there is none.
    fn facts(&self, id: DocId) -> Result<Option<Facts>, BackendError> {
        let document = match self.archive.document(id) {
            Ok(document) => document,
            Err(ArchiveError::NoDocument(_) | ArchiveError::NoLoad(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let load = self.archive.load_row(id.load)?;
        let kind = &self.view.definition(&load)?.kind;
        Ok(Some(Facts::of(&document, &load.field_names, kind)))
    }

    /// The first document of a load, if there is any.
    fn some_document(&self) -> Option<DocId> {
        let loads = self.archive.loads().ok()?;
        let load = loads.iter().find(|load| load.documents > 0)?;
        let mut first = None;
        let found = self.archive.documents(load.id, &mut |document| {
            first = Some(document.id);
            ControlFlow::Break(())
        });
        found.ok().and(first)
    }

    /// A document as the reader of the permit may see it.
    fn shown(&self, permit: &Permit, document: &Document) -> Result<DocumentView, BackendError> {
        let load = self.archive.load_row(document.id.load)?;
        let definition = self.view.definition(&load)?;
        let masker = self.archive.masker(permit, document)?;
        let text =
            |text: &String| masker.as_ref().map_or_else(|| text.clone(), |masker| masker.text(text).into_owned());
        let fields = document.fields.iter().filter_map(|(at, value)| {
            let info = definition.fields.get(usize::from(*at))?;
            Some(FieldView {
                name: info.name.clone(),
                label: info.label.clone(),
                label_zh: info.label_zh.clone(),
                sensitive: info.sensitive,
                currency: definition.currency.clone().filter(|_| definition.amount_field == Some(*at)),
                value: masker.as_ref().map_or_else(|| value.clone(), |masker| masker.value(&info.name, value)),
            })
        });
        Ok(DocumentView {
            id: document.id,
            definition: document.definition.to_string(),
            report: definition.title.clone(),
            report_zh: definition.title_zh.clone(),
            kind: definition.kind.clone(),
            title: text(&document.title),
            date: masker.as_ref().map_or(document.date, |masker| masker.date(&definition, document.date)).map(Day),
            account: document.account.as_ref().map(text),
            pages: document.pages,
            fields: fields.collect(),
            masked: masker.is_some(),
        })
    }

    /// The same in a list: without what is sensitive, for those without the right.
    fn listed(&self, permit: &Permit, document: &Document) -> Result<DocumentView, BackendError> {
        let mut view = self.shown(permit, document)?;
        if permit.sight().sees_sensitive() || !view.fields.iter().any(|field| field.sensitive) {
            return Ok(view);
        }
        let definition = self.view.definition(&self.archive.load_row(document.id.load)?)?;
        for field in definition.sensitive_fields().filter(|field| definition.is_in_title(&field.name)) {
            let Some(shown) = view.fields.iter().find(|shown| shown.name == field.name) else { continue };
            let text = match &shown.value {
                FieldValue::One(value) | FieldValue::Span(value, _) => value.to_string(),
                FieldValue::Many(values) => values.first().map(ToString::to_string).unwrap_or_default(),
            };
            if !text.is_empty() {
                view.title = view.title.replace(&text, "…");
            }
        }
        view.fields.retain(|field| !field.sensitive);
        Ok(view)
    }

    /// The first line of a document that has what was searched for.
    fn highlights(&self, permit: &Permit, marks: &Highlighter) -> Result<Vec<Highlight>, BackendError> {
        let mut found = Vec::new();
        self.archive.texts(permit, &mut |page, text| {
            found.extend(marks.snippet(text, SNIPPET).map(parts));
            if page + 1 >= PAGES_LOOKED_AT || !found.is_empty() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(found)
    }
}

/// A snippet as plain and marked parts.
fn parts(snippet: Snippet) -> Highlight {
    let mut parts = Vec::new();
    let mut add = |text: &str, marked| {
        if !text.is_empty() {
            parts.push(HighlightPart { text: text.to_string(), marked });
        }
    };
    let text = |range: std::ops::Range<usize>| snippet.text.get(range).unwrap_or_default();
    add(if snippet.cut_before { "… " } else { "" }, false);
    let mut at = 0;
    for range in &snippet.ranges {
        add(text(at..range.start), false);
        add(text(range.clone()), true);
        at = range.end;
    }
    add(text(at..snippet.text.len()), false);
    add(if snippet.cut_after { " …" } else { "" }, false);
    Highlight { parts }
}

fn query(asked: &HitsAsked) -> Result<Query, BackendError> {
    let mut query = if asked.query.trim().is_empty() { Query::all() } else { Query::parse(&asked.query)? };
    for (field, value) in [("definition", &asked.definition), ("kind", &asked.kind), ("account", &asked.account)] {
        if let Some(value) = value {
            query = query.and_field(field, value);
        }
    }
    Ok(query.and_dates(asked.from.map(|day| day.0), asked.to.map(|day| day.0)))
}

impl Backend for ArchiveBackend {
    fn engine(&self) -> Arc<dyn Engine> {
        self.archive.engine()
    }

    fn generation(&self) -> u64 {
        // A new definition may mask what an older one showed.
        let definitions = self.archive.safeguards().map_or(0, |safeguards| safeguards.revision);
        self.archive.last_seq().0 ^ definitions.rotate_right(16)
    }

    fn hits(&self, asked: &HitsAsked, scope: &Scope) -> Result<HitPage, BackendError> {
        let query = query(asked)?;
        let sort = match asked.order {
            Order::Newest => Sort::DateDescending,
            Order::Oldest => Sort::DateAscending,
            Order::Best => Sort::Relevance,
        };
        let window = Window { limit: asked.limit, offset: 0, cursor: asked.cursor.clone(), sort };
        let (list, facets) = self.search.hits_and_facets(&self.catalogue, &query, scope, &window)?;
        let marks = query.highlighter();
        let mut hits = Vec::with_capacity(list.hits.len());
        for (at, hit) in list.hits.iter().enumerate() {
            let document = match self.archive.document(hit.id) {
                Ok(document) => document,
                // It was unloaded since the search.
                Err(ArchiveError::NoDocument(_) | ArchiveError::NoLoad(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            let permit = self.gate.listed(scope, hit.id);
            let wanted = !marks.is_empty() && at < HITS_WITH_SNIPPETS;
            let highlights = if wanted { self.highlights(&permit, &marks)? } else { Vec::new() };
            hits.push(HitView { document: self.listed(&permit, &document)?, score: hit.score, highlights });
        }
        let years = facets.years.into_iter().map(|(year, count)| (year.to_string(), count)).collect();
        let facets = vec![
            Facet { name: "definition", counts: facets.definitions },
            Facet { name: "kind", counts: facets.kinds },
            Facet { name: "year", counts: years },
        ];
        Ok(HitPage { total: list.total, hits, facets, next_cursor: list.next_cursor })
    }

    fn subject(&self, id: DocId) -> Result<Subject, BackendError> {
        if let Some(facts) = self.facts(id)? {
            *self.other.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
            return Ok(Subject::found(facts));
        }
        let other = *self.other.lock().unwrap_or_else(PoisonError::into_inner);
        let other = match other.or_else(|| self.some_document()) {
            Some(other) => self.facts(other)?,
            None => None,
        };
        Ok(Subject::absent(id, other))
    }

    fn document(&self, permit: &Permit) -> Result<DocumentView, BackendError> {
        let document = self.archive.document(permit.document())?;
        self.shown(permit, &document)
    }

    fn restricted(&self) -> Result<Restricted, BackendError> {
        Ok(self.archive.safeguards()?.restricted.clone())
    }

    fn formats(&self) -> Vec<FormatInfo> {
        View::formats().collect()
    }

    fn texts(&self, permit: &Permit, each: &mut dyn FnMut(u32, &str) -> ControlFlow<()>) -> Result<(), BackendError> {
        Ok(self.archive.texts(permit, each)?)
    }

    fn render(
        &self,
        permit: &Permit,
        format: &str,
        how: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), BackendError> {
        let rendered = self.view.render(permit, format, how, out)?;
        if let Some(why) = &rendered.missing_form {
            tracing::warn!(document = %permit.document(), format, why, "shown without its form");
        }
        if !rendered.missing_glyphs.is_empty() {
            tracing::warn!(document = %permit.document(), format, "characters without a glyph were replaced");
        }
        Ok(())
    }

    fn stretches(&self, permit: &Permit, field: &str) -> Result<Vec<Stretch>, BackendError> {
        Ok(self.view.stretches(permit, field)?)
    }

    fn loads(&self) -> Result<Vec<LoadRow>, BackendError> {
        Ok(self.archive.loads()?)
    }

    fn load(&self, id: LoadId) -> Result<Option<LoadRow>, BackendError> {
        match self.archive.load_row(id) {
            Ok(row) => Ok(Some(row)),
            Err(ArchiveError::NoLoad(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn documents(&self, load: LoadId, each: &mut dyn FnMut(Listed) -> ControlFlow<()>) -> Result<(), BackendError> {
        let row = self.archive.load_row(load)?;
        let kind = self.view.definition(&row)?.kind.clone();
        self.archive.documents(load, &mut |document| {
            each(Listed { facts: Facts::of(&document, &row.field_names, &kind), pages: document.pages })
        })?;
        Ok(())
    }

    fn export_load(&self, id: LoadId, out: &mut dyn Write) -> Result<(), BackendError> {
        self.archive.export_load(id, out)?;
        Ok(())
    }

    fn load_stream(&self, brought: &Brought<'_>, progress: &dyn Fn(Progress)) -> Result<(LoadRow, bool), BackendError> {
        let stream = File::open(brought.path)?;
        let total = Some(stream.metadata()?.len());
        let source = LoadSource { name: brought.file.to_string(), reader: Box::new(stream), total };
        let how = Bringing {
            definition: brought.definition.map(str::to_string),
            queue: brought.queue.map(str::to_string),
            job: brought.job.clone(),
            only_known: brought.only_known,
        };
        let outcome = self.archive.load_brought(source, &how, progress).map_err(|error| match &error {
            LoadError::Unidentified | LoadError::Ambiguous { .. } => BackendError::Unidentified(told(&error)),
            LoadError::Archive(ArchiveError::NoDefinition { .. }) => BackendError::Unidentified(told(&error)),
            LoadError::Archive(ArchiveError::Store(StoreError::Full { .. })) => BackendError::Full(told(&error)),
            _ => BackendError::NotLoadable(told(&error)),
        })?;
        let row = outcome.row;
        if row.documents == 0 && brought.only_known && self.not_held(row.id).is_ok() {
            // The definition of its queue does not fit, whatever it recognised: nobody would get anything, and all would be green.
            let (name, pages, aside) = (&row.definition, row.pages, row.set_aside_pages);
            let why = format!("{name} finds no document in it: {aside} of {pages} pages were set aside");
            self.unload(row.id, &why)?;
            return Err(BackendError::Unidentified(why));
        }
        Ok((row, outcome.duplicate))
    }

    fn catch_up(&self) -> Result<(), BackendError> {
        self.search.catch_up(&self.catalogue, &mut |_| {})?;
        Ok(())
    }

    fn not_held(&self, id: LoadId) -> Result<(), BackendError> {
        crate::records::not_held(&self.archive, id).map_err(of_records)
    }

    fn unload(&self, id: LoadId, reason: &str) -> Result<(), BackendError> {
        crate::records::remove(&self.archive, id, reason).map_err(of_records)?;
        self.catch_up()
    }

    fn loads_before(
        &self,
        before: Option<LoadId>,
        each: &mut dyn FnMut(LoadRow) -> ControlFlow<()>,
    ) -> Result<(), BackendError> {
        Ok(self.archive.loads_before(before, each)?)
    }

    fn job_of(&self, id: LoadId) -> Result<BTreeMap<String, String>, BackendError> {
        Ok(self.archive.job_of(id)?)
    }

    fn unloaded(&self) -> Result<Vec<Tombstone>, BackendError> {
        Ok(self.archive.tombstones()?)
    }

    fn look(&self, file: &Path, name: &str, definition: Option<&str>, pages: (u32, u32)) -> Result<Look, BackendError> {
        tried(|| self.archive.look(file, name, definition, pages))
    }

    fn try_cut(&self, file: &Path, name: &str, how: &Bringing) -> Result<Trial, BackendError> {
        tried(|| self.archive.try_cut(file, name, how))
    }

    fn has_masks(&self, definition: &str) -> Result<bool, BackendError> {
        Ok(self.archive.has_masks(definition)?)
    }

    fn masking(&self, sight: &Sight, value: Option<&str>) -> Result<Vec<String>, BackendError> {
        Ok(self.archive.masking(sight, value)?)
    }

    fn masked_text(&self, permit: &Permit, text: &str) -> Result<String, BackendError> {
        let document = self.archive.document(permit.document())?;
        let masker = self.archive.masker(permit, &document)?;
        Ok(masker.map_or_else(|| text.to_string(), |masker| masker.text(text).into_owned()))
    }

    fn quoted(&self, permit: &Permit, page: u32, text: &str) -> Result<String, BackendError> {
        let document = self.archive.document(permit.document())?;
        let Some(masker) = self.archive.masker(permit, &document)? else { return Ok(text.to_string()) };
        let mut there = String::new();
        let read = self.archive.texts(permit, &mut |at, text| {
            if at + 1 < page {
                return ControlFlow::Continue(());
            }
            there.push_str(text);
            ControlFlow::Break(())
        });
        // A page that does not read has no words.
        if read.is_err() {
            there.clear();
        }
        let text = masker.text(text);
        let seen = |word: &str| !word.contains(char::is_alphanumeric) || there.contains(word);
        let words = text.split_whitespace();
        Ok(words.map(|word| if seen(word) { word.to_string() } else { covered(word) }).collect::<Vec<_>>().join(" "))
    }

    fn definitions(&self) -> Result<Vec<DefinitionView>, BackendError> {
        let mut list: Vec<DefinitionView> = Vec::new();
        for row in self.archive.definitions()? {
            let Some(definition) = self.archive.definition(&row.name, Some(row.version))? else { continue };
            list.retain(|older| older.name != row.name);
            let field = |at: u16| definition.fields.get(usize::from(at));
            let named = |at: Option<u16>| at.and_then(field).map(|field| field.name.clone());
            let asked = |at: &u16| {
                let field = field(*at)?;
                let dates = (field.kind == FieldType::Date).then(|| definition.dates_of(*at).to_vec());
                Some(EnrolField {
                    name: field.name.clone(),
                    label: field.label.clone(),
                    label_zh: field.label_zh.clone(),
                    dates,
                })
            };
            list.push(DefinitionView {
                name: row.name,
                version: row.version,
                title: definition.title.clone(),
                title_zh: definition.title_zh.clone(),
                kind: definition.kind.clone(),
                fields: definition.fields.iter().map(|field| field.name.clone()).collect(),
                amount: named(definition.amount_field),
                due: named(definition.due_field),
                enrol: definition.enrol_fields.iter().filter_map(asked).collect(),
            });
        }
        Ok(list)
    }

    fn definition_versions(&self) -> Result<Vec<DefinitionRow>, BackendError> {
        Ok(self.archive.definitions()?)
    }

    fn add_definition(&self, definition: &Definition) -> Result<DefinitionRow, BackendError> {
        Ok(self.archive.add_definition(definition)?)
    }

    fn context(&self, read: &ReadSpec) -> Context {
        self.archive.context_for(read)
    }

    fn vocabulary(&self, scope: &Scope) -> Result<Vocabulary, BackendError> {
        let mut words = Vocabulary::default();
        let seen = self.search.definitions_seen(&self.catalogue, scope)?;
        for row in self.archive.definitions()? {
            if seen.as_ref().is_some_and(|seen| !seen.contains(&row.name)) {
                continue;
            }
            let Some(definition) = self.archive.definition(&row.name, Some(row.version))? else { continue };
            for field in definition.fields.iter().filter(|field| !field.sensitive) {
                let is = |wanted: &[&str]| field.name.split('_').any(|word| wanted.contains(&word));
                match field.kind {
                    FieldType::Decimal => add(&mut words.amounts, &field.name),
                    FieldType::Text
                        if is(&["name", "customer", "buyer", "payer", "holder"]) && !is(&["number", "id"]) =>
                    {
                        add(&mut words.names, &field.name);
                    }
                    FieldType::Text if is(&["invoice", "bill", "reference", "order", "receipt"]) => {
                        add(&mut words.invoices, &field.name);
                    }
                    _ => {}
                }
            }
            add(&mut words.kinds, &(definition.kind.clone(), definition.kind.clone()));
            for title in std::iter::once(&definition.title).chain(&definition.title_zh) {
                add(&mut words.reports, &(title.to_lowercase(), row.name.clone()));
            }
        }
        Ok(words)
    }

    fn counters(&self, from: i32, to: i32) -> Result<Counters, BackendError> {
        self.archive.count_figures()?;
        Ok((self.archive.daily(from, to)?, self.archive.by_report()?))
    }

    fn figures(&self) -> Result<Figures, BackendError> {
        self.archive.count_figures()?;
        let mut all = Sums::default();
        for (_, sums) in self.archive.by_report()? {
            all.add(&sums);
        }
        let Sums { loads, documents, pages, bytes, .. } = all;
        Ok(Figures { loads, documents, pages, captured_bytes: bytes })
    }
}

/// What a trial of a stream came to, even when the program fails at it.
fn tried<T>(work: impl FnOnce() -> Result<T, LoadError>) -> Result<T, BackendError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome.map_err(|error| BackendError::NotLoadable(told(&error))),
        Err(_) => Err(BackendError::NotLoadable("the program failed at this stream".into())),
    }
}

/// Adds what is not there yet.
fn add<T: Clone + PartialEq>(list: &mut Vec<T>, item: &T) {
    if !list.contains(item) {
        list.push(item.clone());
    }
}

/// An error with its causes in one text.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

impl From<ArchiveError> for BackendError {
    fn from(error: ArchiveError) -> BackendError {
        BackendError::Failed(told(&error))
    }
}

impl From<SearchError> for BackendError {
    fn from(error: SearchError) -> BackendError {
        match error {
            SearchError::Query(error) => BackendError::BadQuery(error),
            SearchError::Cursor => BackendError::BadCursor,
            other => BackendError::Failed(told(&other)),
        }
    }
}

impl From<ViewError> for BackendError {
    fn from(error: ViewError) -> BackendError {
        match error {
            ViewError::Render(RenderError::NoPage { page, pages }) => BackendError::NoPage { page, pages },
            ViewError::Output(error) => BackendError::Output(error),
            ViewError::Archive(ArchiveError::Masked(_)) => BackendError::Masked,
            other => BackendError::Failed(told(&other)),
        }
    }
}

fn of_records(error: RecordsError) -> BackendError {
    match error {
        RecordsError::Held { .. } => BackendError::Held(told(&error)),
        other => BackendError::Failed(told(&other)),
    }
}
