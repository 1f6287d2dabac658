//! The seam between the server and what it serves.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::archive::figures::Sums;
use crate::archive::kv::Engine;
use crate::archive::trial::{Look, Trial};
use crate::archive::{Bringing, DefinitionRow, DocId, LoadId, LoadRow, Progress, Tombstone};
use crate::auth::directory::Restricted;
use crate::auth::gate::{Permit, Scope, Sight};
use crate::auth::predicate::Subject;
use crate::capture::{Brought, Loader, NotLoaded};
use crate::decode::{Context, ReadSpec};
use crate::distribute::Listed;
use crate::index::date::DateFormat;
use crate::index::definition::Definition;
use crate::index::stretch::Stretch;
use crate::index::value::{Day, FieldValue};
use crate::render::RenderOptions;
use crate::search::{QueryError, Vocabulary};
pub use crate::view::FormatInfo;

/// Documents to find, to show and to load. Everything here may block; the server calls it off its own threads.
pub trait Backend: Send + Sync + 'static {
    /// The store of users, sessions, keys, audit and intake.
    fn engine(&self) -> Arc<dyn Engine>;
    /// Changes whenever documents may have changed: what was cached under another value is not used.
    fn generation(&self) -> u64;
    /// One page of a hit list.
    fn hits(&self, asked: &HitsAsked, scope: &Scope) -> Result<HitPage, BackendError>;
    /// What the gate must know of a document before it opens it.
    fn subject(&self, id: DocId) -> Result<Subject, BackendError>;
    /// What is known of the permitted document, without its content, masked as the permit says.
    fn document(&self, permit: &Permit) -> Result<DocumentView, BackendError>;
    /// Definitions that only some roles may see.
    fn restricted(&self) -> Result<Restricted, BackendError>;
    /// The renditions there are.
    fn formats(&self) -> Vec<FormatInfo>;
    /// Hands over the text of each page of the permitted document, pages from 0, until told to stop.
    fn texts(&self, permit: &Permit, each: &mut dyn FnMut(u32, &str) -> ControlFlow<()>) -> Result<(), BackendError>;
    /// Writes one rendition of the permitted document.
    fn render(
        &self,
        permit: &Permit,
        format: &str,
        how: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), BackendError>;
    /// Which pages of the permitted document have which value of a field.
    fn stretches(&self, permit: &Permit, field: &str) -> Result<Vec<Stretch>, BackendError>;
    /// All loads.
    fn loads(&self) -> Result<Vec<LoadRow>, BackendError>;
    /// One load.
    fn load(&self, id: LoadId) -> Result<Option<LoadRow>, BackendError>;
    /// Visits the documents of a load in stream order, for greenbar's own work.
    fn documents(&self, load: LoadId, each: &mut dyn FnMut(Listed) -> ControlFlow<()>) -> Result<(), BackendError>;
    /// Writes the captured stream of a load.
    fn export_load(&self, id: LoadId, out: &mut dyn Write) -> Result<(), BackendError>;
    /// Loads a captured stream; the flag says that it was loaded before. Findable only after [`Backend::catch_up`].
    fn load_stream(&self, brought: &Brought<'_>, progress: &dyn Fn(Progress)) -> Result<(LoadRow, bool), BackendError>;
    /// Makes what was loaded findable.
    fn catch_up(&self) -> Result<(), BackendError>;
    /// Fails with [`BackendError::Held`] when a legal hold covers a load.
    fn not_held(&self, id: LoadId) -> Result<(), BackendError>;
    /// Takes a load out of the archive; the reason is kept.
    fn unload(&self, id: LoadId, reason: &str) -> Result<(), BackendError>;
    /// Visits loads with numbers below `before` (`None`: all), newest first, until `each` breaks.
    fn loads_before(
        &self,
        before: Option<LoadId>,
        each: &mut dyn FnMut(LoadRow) -> ControlFlow<()>,
    ) -> Result<(), BackendError>;
    /// What was known of the job that brought a load.
    fn job_of(&self, id: LoadId) -> Result<BTreeMap<String, String>, BackendError>;
    /// What is left of loads that were taken out, oldest first.
    fn unloaded(&self) -> Result<Vec<Tombstone>, BackendError>;
    /// The first pages of a received stream, as text: page and count.
    fn look(&self, file: &Path, name: &str, definition: Option<&str>, pages: (u32, u32)) -> Result<Look, BackendError>;
    /// What a definition would make of a received stream.
    fn try_cut(&self, file: &Path, name: &str, how: &Bringing) -> Result<Trial, BackendError>;
    /// Whether a definition masks values.
    fn has_masks(&self, definition: &str) -> Result<bool, BackendError>;
    /// Definitions that mask something for these eyes; with a value only those that may mask it where it stands alone.
    fn masking(&self, sight: &Sight, value: Option<&str>) -> Result<Vec<String>, BackendError>;
    /// A text beside the permitted document as its reader may see it.
    fn masked_text(&self, permit: &Permit, text: &str) -> Result<String, BackendError>;
    /// Words that were quoted from a page (from 1) of the permitted document: those that its reader finds there, the letters
    /// and digits of others covered.
    fn quoted(&self, permit: &Permit, page: u32, text: &str) -> Result<String, BackendError>;
    /// The report definitions, the newest version of each.
    fn definitions(&self) -> Result<Vec<DefinitionView>, BackendError>;
    /// Every version of every report definition, by name and version.
    fn definition_versions(&self) -> Result<Vec<DefinitionRow>, BackendError>;
    /// Adds a report definition as the next version of its name; the same text again is the same version.
    fn add_definition(&self, definition: &Definition) -> Result<DefinitionRow, BackendError>;
    /// What a stream that is read like this is given besides its bytes.
    fn context(&self, read: &ReadSpec) -> Context;
    /// What the words of the search box can mean for whose lists these are; today is left to the caller.
    fn vocabulary(&self, scope: &Scope) -> Result<Vocabulary, BackendError>;
    /// What came on each day (since 1970, UTC) from one to another, both included, and for each report definition.
    fn counters(&self, from: i32, to: i32) -> Result<Counters, BackendError>;
    /// Figures for the metrics.
    fn figures(&self) -> Result<Figures, BackendError>;
}

/// The order of a hit list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// Best match first.
    Best,
}

/// What a hit list is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HitsAsked {
    /// In the query language; empty for everything.
    pub query: String,
    /// Only of this report definition.
    pub definition: Option<String>,
    /// Only of this document kind.
    pub kind: Option<String>,
    /// Only of this account.
    pub account: Option<String>,
    /// Not before this day.
    pub from: Option<Day>,
    /// Not after this day.
    pub to: Option<Day>,
    /// The order.
    pub order: Order,
    /// At most so many.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// One page of a hit list.
#[derive(Debug, Clone, Default)]
pub struct HitPage {
    /// All documents that match and may be seen.
    pub total: u64,
    /// The hits of this page.
    pub hits: Vec<HitView>,
    /// How many by definition, kind and year.
    pub facets: Vec<Facet>,
    /// Where the next page starts.
    pub next_cursor: Option<String>,
}

/// A document found.
#[derive(Debug, Clone)]
pub struct HitView {
    /// The document.
    pub document: DocumentView,
    /// How well it matches, when ordered by that.
    pub score: Option<f32>,
    /// Lines of its text with what was searched for.
    pub highlights: Vec<Highlight>,
}

/// A piece of text with marked parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Highlight {
    /// In order; joined they are the text.
    pub parts: Vec<HighlightPart>,
}

/// A part of a highlight.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct HighlightPart {
    /// The text.
    pub text: String,
    /// Whether it is what was searched for.
    pub marked: bool,
}

/// Counts by the values of one property.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facet {
    /// `definition`, `kind` or `year`.
    pub name: &'static str,
    /// Value and count, most first.
    pub counts: Vec<(String, u64)>,
}

/// A document without its content.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentView {
    /// Its id.
    pub id: DocId,
    /// Name of its definition.
    pub definition: String,
    /// Title of the report.
    pub report: String,
    /// Title of the report in Chinese.
    pub report_zh: Option<String>,
    /// Document kind.
    pub kind: String,
    /// Title.
    pub title: String,
    /// Its date.
    pub date: Option<Day>,
    /// The customer's account.
    pub account: Option<String>,
    /// Its pages.
    pub pages: u32,
    /// Its fields, in definition order.
    pub fields: Vec<FieldView>,
    /// Values of it are masked for the reader: others may have renditions that say more.
    pub masked: bool,
}

/// A field of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldView {
    /// Name as in queries.
    pub name: String,
    /// Label, English.
    pub label: String,
    /// Label, Chinese.
    pub label_zh: Option<String>,
    /// Keep it out of hit lists.
    pub sensitive: bool,
    /// Of the amount that people look for first: its currency, by its code of ISO 4217, where the definition says it.
    pub currency: Option<String>,
    /// The value.
    pub value: FieldValue,
}

/// A report definition.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct DefinitionView {
    /// Its name.
    pub name: String,
    /// Its newest version.
    pub version: u32,
    /// Title of the report.
    pub title: String,
    /// Title of the report in Chinese.
    pub title_zh: Option<String>,
    /// Document kind.
    pub kind: String,
    /// Names of its fields.
    pub fields: Vec<String>,
    /// Name of the field with the amount that people look for first.
    pub amount: Option<String>,
    /// Name of the field that says when it is due.
    pub due: Option<String>,
    /// The fields that are asked when somebody enrols for the portal.
    #[serde(skip)]
    pub enrol: Vec<EnrolField>,
}

/// A field that is asked at enrolment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnrolField {
    /// Its name.
    pub name: String,
    /// Its label, English.
    pub label: String,
    /// Its label, Chinese.
    pub label_zh: Option<String>,
    /// Of a date: how it is printed.
    pub dates: Option<Vec<DateFormat>>,
}

/// Figures of the archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Loads.
    pub loads: u64,
    /// Documents.
    pub documents: u64,
    /// Pages.
    pub pages: u64,
    /// Bytes captured.
    pub captured_bytes: u64,
}

/// What came on days, and for report definitions by name.
pub type Counters = (Vec<(i32, Sums)>, Vec<(String, Sums)>);

/// What a backend can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// The query is wrong; it tells where and how.
    #[error(transparent)]
    BadQuery(#[from] QueryError),
    /// The cursor belongs to something else.
    #[error("the cursor does not belong to this hit list")]
    BadCursor,
    /// No such page.
    #[error("page {page} does not exist; the document has {pages}")]
    NoPage {
        /// Asked for, from 1.
        page: u32,
        /// There are.
        pages: u32,
    },
    /// The captured bytes hold values that the reader may not see.
    #[error("the captured bytes hold values that are masked for you")]
    Masked,
    /// The stream cannot be loaded; sending it again will not help.
    #[error("{0}")]
    NotLoadable(String),
    /// No report definition fits the stream, or several do.
    #[error("{0}")]
    Unidentified(String),
    /// The disk is full.
    #[error("{0}")]
    Full(String),
    /// A legal hold stops it.
    #[error("{0}")]
    Held(String),
    /// The reader of the output went away, or the output could not be written.
    #[error("the output could not be written")]
    Output(#[from] std::io::Error),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// A word whose letters and digits are not for the reader.
pub fn covered(word: &str) -> String {
    word.chars().map(|ch| if ch.is_alphanumeric() { '•' } else { ch }).collect()
}

/// The backend as what the intake loads with.
pub struct Loads(pub Arc<dyn Backend>);

impl Loader for Loads {
    fn load(&self, brought: &Brought<'_>, progress: &dyn Fn(Progress)) -> Result<(LoadRow, bool), NotLoaded> {
        self.0.load_stream(brought, progress).map_err(|error| match error {
            BackendError::Unidentified(why) => NotLoaded::Unidentified(why),
            BackendError::Full(why) => NotLoaded::Full(why),
            other => NotLoaded::Failed(other.to_string()),
        })
    }

    fn publish(&self) -> Result<(), String> {
        self.0.catch_up().map_err(|error| error.to_string())
    }
}
