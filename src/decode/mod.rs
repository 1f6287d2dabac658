//! Decodes print streams: bytes become units (pages, and whatever stands between them), and a unit
//! becomes a [`Page`] when somebody wants to see it.
//!
//! A [`Format`] recognises a stream and opens a [`Decoder`] on it. The decoder hands out [`Unit`]s in
//! stream order; every byte of the stream is in exactly one unit, so that joining their bytes gives the
//! stream back. A unit of kind [`UnitKind::Page`] carries what an indexer needs: the printed text of the page as
//! [`Strike`]s (row, bytes in the stream's code page), and tags. Memory holds one unit at a time.
//!
//! Promises: no input makes a decoder panic, hang or allocate without bound; what is survived is counted in
//! [`Notes`]. Adding a format: a folder here, a line in [`FORMATS`]; nothing else knows formats by name.

#![deny(clippy::indexing_slicing, clippy::expect_used, clippy::cast_possible_truncation)]

pub mod afp;
pub mod beside;
pub mod foreign;
pub mod inspect;
pub mod library;
pub mod limits;
pub mod line;
pub mod rows;
pub mod signature;

use std::any::Any;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::limits::Limits;
use crate::frame::codepage::CodePage;
use crate::note::{At, Notes};
use crate::page::{Lu, Page};

/// How to read a stream. `None` (or an empty map) means "find out from the bytes".
///
/// The words are those of `inspect --json`, so that an inspection can be pasted into a definition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadSpec {
    /// `line-data`, `afp`, ... the name of a [`Format`]; `None` for detection.
    pub format: Option<String>,
    /// Such as `ibm-1047`, `utf-8`.
    pub code_page: Option<String>,
    /// `F`, `FB`, `V`, `VB`, `text`, with `A` or `M` added for carriage control: `FBA`, `VBM`.
    pub record_format: Option<String>,
    /// `fixed`, `rdw`, `bdw-rdw`, `le16`, `nl`, `crlf`, `nel`, ...
    pub framing: Option<String>,
    /// Bytes of one fixed record, or the longest allowed variable one, carriage control included.
    pub record_length: Option<u32>,
    /// `asa`, `machine`, `none`.
    pub carriage_control: Option<String>,
    /// Whether a table reference character follows the carriage control (or starts the record).
    pub trc: Option<bool>,
    /// Forms control buffer: channel (1 to 12) to the printed lines it stops at.
    pub channels: BTreeMap<u8, Vec<u16>>,
    /// Lines on a page; beyond it a new page starts by itself. `None`: 66 with form feeds or skips, found
    /// by header repetition without.
    pub lines_per_page: Option<u16>,
    /// Lines per inch of the paper (6 or 8 usually).
    pub lines_per_inch: Option<u8>,
    /// Characters per inch (10, 12, 15 usually).
    pub characters_per_inch: Option<u8>,
    /// Columns of SO and of SI on paper: 1 (blank, the default) or 0.
    pub shift_width: Option<u8>,
    /// Section of the resource libraries that is looked through first; see [`Libraries::section`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<String>,
    /// Names of files that belong before the stream and lie beside it, with `{stem}` for its name without extension or
    /// `{name}` for all of it; `None`: what is usual for the format, see [`Format::beside`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<Vec<String>>,
}

/// What a format thinks of the head of a stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sniff {
    /// 0 (not mine) to 1 (surely mine).
    pub confidence: f32,
    /// How to read it, every key filled in that the format knows.
    pub read: ReadSpec,
    /// What speaks for it, a sentence each.
    pub evidence: Vec<String>,
}

/// A part of a stream for detection: the head, and samples from further on.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The first bytes, at most 1 MiB.
    pub head: &'a [u8],
    /// Bytes of the whole stream, when known.
    pub total: Option<u64>,
    /// The name the stream came with, if any; a hint only.
    pub name: Option<&'a str>,
}

/// Longest head that detection sees.
pub const SAMPLE_BYTES: usize = 1 << 20;

/// One print stream format.
pub trait Format: Sync {
    /// The word for it in definitions, `--format` and `inspect`.
    fn name(&self) -> &'static str;
    /// Looks at the head of a stream; cannot fail. `hint` holds what a definition fixes already.
    fn sniff(&self, sample: &Sample<'_>, hint: &ReadSpec) -> Sniff;
    /// Starts to decode. `how` is complete (it went through [`Format::sniff`]).
    ///
    /// At the beginning of a stream the decoder learns from the stream what its units share; anywhere else it
    /// needs [`Context::shared`].
    fn open<'a>(
        &self,
        input: Box<dyn Read + Send + 'a>,
        start: Start,
        how: &ReadSpec,
        context: &Context,
    ) -> Result<Box<dyn Decoder + 'a>, DecodeError>;
    /// Makes what the units of a stream share from the bytes of all its [shared units](Unit::shared), one an item, in stream
    /// order, so that a document can be decoded without them before it. What a page may see of it is what came before
    /// the page: [`Start::resume`] has to say that. Formats whose units share nothing give nothing.
    fn share(
        &self,
        _units: &mut dyn Iterator<Item = Vec<u8>>,
        _how: &ReadSpec,
        _context: &Context,
    ) -> Result<Option<Arc<dyn Shared>>, DecodeError> {
        Ok(None)
    }
    /// Names of files that usually lie beside a stream and belong before it, in their order; see [`beside`].
    fn beside(&self) -> &'static [&'static str] {
        &[]
    }
    /// Whether documents need something around them to be streams of their own, that is whether
    /// [`Format::standalone`] does anything.
    fn encloses(&self) -> bool {
        false
    }
    /// Makes one document's bytes a stream of their own: with what it needs of [the stream before it](Before), whatever must
    /// stand around it, and what [the libraries](Context::libraries) have. By default the document's bytes as they are.
    fn standalone(
        &self,
        _before: Before<'_>,
        document: Vec<u8>,
        _start: Start,
        _how: &ReadSpec,
        _context: &Context,
    ) -> Result<Vec<u8>, DecodeError> {
        Ok(document)
    }
}

/// What stands before a document in its stream and counts for it, as bytes.
pub struct Before<'a> {
    /// The [shared units](Unit::shared), in stream order.
    pub shared: &'a mut dyn Iterator<Item = Vec<u8>>,
    /// The units that [index](Unit::indexes), newest first.
    pub indexes: &'a mut dyn Iterator<Item = (Start, Vec<u8>)>,
    /// What [is in force](Unit::around) where the document begins, in stream order.
    pub around: &'a mut dyn Iterator<Item = (Start, Vec<u8>)>,
}

/// A stretch of a stream that says something of what comes after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Where it starts in the stream.
    pub byte: u64,
    /// How long it is.
    pub bytes: u64,
    /// Pages before it in the stream.
    pub pages: u64,
    /// Records before it in the stream.
    pub records: u64,
}

impl Stretch {
    /// The place where it starts.
    pub fn start(&self) -> Start {
        Start { byte: self.byte, resume: 0, pages: self.pages, records: self.records }
    }
}

/// What the units of one stream share (resources, form definitions), taken apart once. Only its format looks inside.
pub trait Shared: Send + Sync {
    /// Bytes that it takes in memory, about: for caches.
    fn weight(&self) -> usize;
    /// For its format to find itself again.
    fn as_any(&self) -> &dyn Any;
}

/// Resources that lie outside streams: resource library folders of the site.
///
/// What a decoder finds here while a stream is loaded is kept with the load. A decoder therefore asks for each resource
/// that its stream names and does not bring when [`Decoder::next`] comes across the name, once, even where it needs the
/// resource for drawing only.
pub trait Libraries: Send + Sync {
    /// The bytes of a resource by the kind of thing it is (such as `overlay`, `font`) and its name in the stream.
    fn find(&self, kind: &str, name: &str) -> Option<Arc<[u8]>>;
    /// The same libraries with a section of them looked through first: the application's own resources.
    fn section(&self, _name: &str) -> Option<Arc<dyn Libraries>> {
        None
    }
}

/// No library at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLibraries;

impl Libraries for NoLibraries {
    fn find(&self, _kind: &str, _name: &str) -> Option<Arc<[u8]>> {
        None
    }
}

/// What a decoder is given besides its input.
#[derive(Clone)]
pub struct Context {
    /// What the units of the stream share, when decoding does not start at its beginning.
    pub shared: Option<Arc<dyn Shared>>,
    /// Where else resources are looked for.
    pub libraries: Arc<dyn Libraries>,
    /// What is allowed.
    pub limits: Limits,
}

impl Context {
    /// For the beginning of a stream.
    pub fn new(libraries: Arc<dyn Libraries>, limits: Limits) -> Context {
        Context { shared: None, libraries, limits }
    }
}

impl Default for Context {
    fn default() -> Context {
        Context::new(Arc::new(NoLibraries), Limits::default())
    }
}

/// All formats, in the order in which ties are decided.
pub static FORMATS: &[&dyn Format] = &[&line::Line, &afp::Afp, &foreign::Foreign];

/// Where the input of a decoder lies in its stream: the beginning, or a unit that was decoded before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Byte offset of the input's first byte in the stream.
    pub byte: u64,
    /// [`Unit::resume`] of the unit that starts there; 0 at the beginning of a stream.
    pub resume: u64,
    /// Pages before it in the stream.
    pub pages: u64,
    /// Records before it in the stream.
    pub records: u64,
}

/// A decoder on one stream (or on a part of it that starts at a unit).
pub trait Decoder: Send {
    /// The code page of [`Unit::bytes`] that strikes point into.
    fn code_page(&self) -> &'static CodePage;
    /// Fills `unit` with the next one; false at the end of the input. Units come in stream order and every
    /// byte of the input is in exactly one.
    fn next(&mut self, unit: &mut Unit, notes: &mut Notes) -> Result<bool, DecodeError>;
    /// Whether [`Decoder::next`] must fill [`Unit::strikes`] and [`Unit::placed`] from now on (it does so at first). Formats
    /// in which text is expensive to get save it when nobody looks at it; their [`Decoder::page`] draws without.
    fn want_text(&mut self, _wanted: bool) {}
    /// Draws a unit of kind [`UnitKind::Page`] that [`Decoder::next`] returned (of this decoder or of another one
    /// opened the same way). Does not change the decoder's place.
    fn page(&self, unit: &Unit, notes: &mut Notes) -> Page;
    /// Records of the stream up to the decoder's place, those before its start included; 0 in formats without records.
    fn records(&self) -> u64 {
        0
    }
    /// What the stream was seen to be made of up to the decoder's place; `None` in formats without such parts.
    fn structure(&self) -> Option<Structure> {
        None
    }
}

/// How often the parts occur that composed streams are made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Structure {
    /// Documents (BDT).
    pub documents: u64,
    /// Named page groups (BNG).
    pub page_groups: u64,
    /// Pages (BPG).
    pub pages: u64,
    /// Tag logical elements (TLE).
    pub tags: u64,
}

/// What a unit is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnitKind {
    /// A printed page.
    #[default]
    Page,
    /// Bytes that print nothing: leading junk, trailers, block descriptors after the last page, resource groups.
    Outside,
}

/// A piece of printed text: what one record puts on one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// Row on the page, from 1.
    pub row: u16,
    /// Where the text starts in [`Unit::bytes`] (behind descriptor words, carriage control and TRC).
    pub at: u32,
    /// Length in bytes.
    pub len: u32,
    /// Table reference character, 0 when there is none.
    pub trc: u8,
}

/// A named value that the stream itself carries (an AFP TLE, a PJL variable).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Attribute name.
    pub name: Arc<str>,
    /// Attribute value. All pages of a group hold the same one.
    pub value: Arc<str>,
}

/// A piece of printed text and where it stands on the page, for formats whose text has no rows of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedText {
    /// Left end of the baseline (of the first character, whatever the direction).
    pub x: Lu,
    /// The baseline.
    pub y: Lu,
    /// Length along the baseline, from the first character's origin to the end of the last advance.
    pub width: Lu,
    /// Height of the em square.
    pub size: Lu,
    /// Direction of the baseline, in quarter turns clockwise (0 to 3).
    pub turns: u8,
    /// Where the text starts in [`Unit::spill`].
    pub at: u32,
    /// Length in bytes (UTF-8).
    pub len: u32,
}

/// A page group of the stream that a page is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageGroup {
    /// Its name.
    pub name: Arc<str>,
    /// It starts with this page.
    pub starts: bool,
    /// It ends with this page.
    pub ends: bool,
}

/// A page or the bytes between pages. Reused from call to call; all fields are overwritten.
#[derive(Debug, Clone, Default)]
pub struct Unit {
    /// Page or not.
    pub kind: UnitKind,
    /// Its bytes' place in the stream.
    pub span: Range<u64>,
    /// Opaque to everyone but the decoder: hand it back in [`Start::resume`] to decode from here.
    pub resume: u64,
    /// Page number in the stream from 1; for [`UnitKind::Outside`] the number of pages before it.
    pub page: u64,
    /// Records in the stream before this unit.
    pub records_before: u64,
    /// Exactly the bytes of `span`.
    pub bytes: Vec<u8>,
    /// What is printed, in stream order. Rows never decrease. Several strikes on one row overprint each other.
    pub strikes: Vec<Strike>,
    /// Where text has no place in `bytes` (backspaces resolved, controls removed), strikes point behind
    /// the end of `bytes`: offset `bytes.len()` is the first byte of `spill`.
    pub spill: Vec<u8>,
    /// The text of the page with its place, in paint order; only formats whose pages are composed fill it (AFP), and only
    /// when text [is wanted](Decoder::want_text).
    pub placed: Vec<PlacedText>,
    /// Named values that belong to this page, groups included.
    pub tags: Vec<Tag>,
    /// Name of the page group that starts with this page, if one does; of groups in groups the outermost.
    pub group_starts: Option<Arc<str>>,
    /// The (outermost) page group that this page is in ends with it.
    pub group_ends: bool,
    /// The page groups that this page is in, outermost first, where groups may lie in groups.
    pub groups: Vec<PageGroup>,
    /// Later units of the stream need this one to be drawn: a resource group, a form definition. Such units are
    /// [`UnitKind::Outside`].
    pub shared: bool,
    /// It says of later pages what they do not say themselves (an index object), or from where on that counts and no longer
    /// does: needed to make a document a stream of its own, not to draw it. Such units are [`UnitKind::Outside`].
    pub indexes: bool,
    /// Stretches before the unit that count for it though they share nothing that is drawn: the beginnings of the page groups
    /// that it starts inside of, and the tags that it inherits. In stream order, none inside another.
    pub around: Vec<Stretch>,
    /// Shift codes (SO, SI) take no column on paper; see [`ReadSpec::shift_width`].
    pub narrow_shifts: bool,
}

impl Unit {
    /// Empties it for the next unit, which starts at `start`.
    pub fn begin(&mut self, start: &Start) {
        self.kind = UnitKind::Outside;
        self.span = start.byte..start.byte;
        self.resume = start.resume;
        self.page = start.pages;
        self.records_before = start.records;
        self.bytes.clear();
        self.strikes.clear();
        self.spill.clear();
        self.placed.clear();
        self.tags.clear();
        self.group_starts = None;
        self.group_ends = false;
        self.groups.clear();
        self.shared = false;
        self.indexes = false;
        self.around.clear();
        self.narrow_shifts = false;
    }

    /// The bytes of a strike.
    pub fn text(&self, strike: &Strike) -> &[u8] {
        let (at, len) = (strike.at as usize, strike.len as usize);
        match at.checked_sub(self.bytes.len()) {
            Some(spill) => self.spill.get(spill..spill + len).unwrap_or_default(),
            None => self.bytes.get(at..at + len).unwrap_or_default(),
        }
    }

    /// The text of a placed piece; empty where it points nowhere.
    pub fn placed_text(&self, placed: &PlacedText) -> &str {
        let (at, len) = (placed.at as usize, placed.len as usize);
        let bytes = self.spill.get(at..at.saturating_add(len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The start to give to [`Format::open`] to decode from this unit on.
    pub fn start(&self) -> Start {
        let pages = if self.kind == UnitKind::Page { self.page.saturating_sub(1) } else { self.page };
        Start { byte: self.span.start, resume: self.resume, pages, records: self.records_before }
    }
}

/// What stops a decoder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input could not be read.
    #[error("could not read the stream ({at})")]
    Read {
        /// Where.
        at: At,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// There is more of something than is allowed.
    #[error("more than {most} {what} ({at})")]
    Limit {
        /// Of what, in the plural.
        what: &'static str,
        /// How many are allowed; see [`Limits`].
        most: usize,
        /// Where the first one too many is.
        at: At,
    },
    /// The read specification names something that does not exist.
    #[error("{key} = {value:?} is not known; allowed: {allowed}")]
    Unknown {
        /// Key of [`ReadSpec`].
        key: &'static str,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: String,
    },
    /// No format recognises the stream well enough.
    #[error("the stream's format was not recognised (best guess {guess}, confidence {confidence:.2})")]
    Unrecognised {
        /// Best format.
        guess: String,
        /// Its confidence.
        confidence: f32,
    },
}
