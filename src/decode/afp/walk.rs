//! The decoder: structured fields in, units out.
//!
//! A page with its page group's beginning and end is one unit; so are each resource, each medium map that stands in a document,
//! and what lies between. Walking looks at introducers, TLEs and the names of includes only; drawing is for whoever asks.
//! Memory holds one unit.

mod follow;

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use self::follow::is_followed;
use super::draw::{self, What};
use super::field::{Field, FieldId};
use super::framing::{self, Framing, Kind, Record, VIEW};
use super::index_object::IndexObject;
use super::state::State;
use super::store::{SharedStore, Store, bare_kind};
use super::tags::Groups;
use super::{draw_text, id};
use crate::decode::{Context, DecodeError, Decoder, Start, Stretch, Structure, Unit, UnitKind};
use crate::frame::Source;
use crate::frame::codepage::CodePage;
use crate::note::{At, Notes};
use crate::page::Page;

/// Bytes outside pages and resources that are one unit at most.
const OUTSIDE_BYTES: usize = 4 << 20;
/// How far behind a page its group's end is looked for.
const LOOK_AHEAD: usize = 64 * 1024;
/// Bytes that the segments of a field may have together.
const SEGMENTS_BYTES: usize = 1 << 20;
/// Bytes of a graphics object that are looked at.
const GRAPHICS_BYTES: usize = 1 << 20;
/// Names that are remembered as looked up.
const SEEN: usize = 65_536;

/// What the stream's units share.
enum Held {
    /// Learnt while it is read.
    Own(Box<Store>),
    /// Given.
    Given(Arc<Store>),
}

/// What a unit is, so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing but what may stand before a page.
    Before,
    /// Something that belongs to no page.
    Outside,
    /// A page.
    Page,
    /// A resource or medium map; it ends with this field.
    Resource(FieldId),
    /// An index object.
    Index,
}

/// Where the present document starts in the stream.
#[derive(Debug, Clone, Copy, Default)]
struct DocumentPlace {
    byte: u64,
    record: u64,
    /// Pages before it.
    page: u64,
    /// It has begun and not ended.
    is_open: bool,
    /// The index object at hand is about it.
    is_indexed: bool,
}

/// Segments of a field so far, and where they stand.
struct Partial {
    id: FieldId,
    data: Vec<u8>,
    at: Stretch,
}

/// Decodes one AFP stream.
pub struct AfpDecoder<R> {
    source: Source<R>,
    framing: Framing,
    held: Held,
    state: State,
    groups: Groups,
    index: Option<Box<IndexObject>>,
    document: DocumentPlace,
    /// The unit before this one was cut inside an index object.
    in_index: bool,
    /// What an index object said ended inside the present unit.
    index_ended: bool,
    /// The present resource is a document.
    in_document_resource: bool,
    pages: u64,
    records: u64,
    structure: Structure,
    wants_text: bool,
    code_page: &'static CodePage,
    partial: Option<Partial>,
    /// Data of the present graphics object.
    graphics: Vec<u8>,
    seen: HashSet<u64>,
    last_fonts: Vec<u8>,
    scratch: Vec<u8>,
}

impl<R: Read + Send> AfpDecoder<R> {
    /// Decodes `input` from `start` on.
    pub(super) fn new(input: R, start: Start, store: Store, context: &Context, code_page: &'static CodePage) -> Self {
        let given = context.shared.as_ref().and_then(|shared| shared.as_any().downcast_ref::<SharedStore>());
        AfpDecoder {
            source: Source::new(input, start.byte),
            framing: store.framing,
            held: given.map_or_else(|| Held::Own(Box::new(store)), |given| Held::Given(given.0.clone())),
            state: State::unpack(start.resume),
            groups: Groups::inside(State::unpack(start.resume).depth),
            index: None,
            document: DocumentPlace::default(),
            in_index: false,
            index_ended: false,
            in_document_resource: false,
            pages: start.pages,
            records: start.records,
            structure: Structure::default(),
            wants_text: true,
            code_page,
            partial: None,
            graphics: Vec::new(),
            seen: HashSet::new(),
            last_fonts: Vec::new(),
            scratch: Vec::new(),
        }
    }

    fn store(&self) -> &Store {
        match &self.held {
            Held::Own(store) => store,
            Held::Given(store) => store,
        }
    }

    fn at(&self) -> At {
        At { byte: self.source.offset(), record: self.records + 1, page: self.pages + 1 }
    }

    fn begin(&self, unit: &mut Unit) {
        let byte = self.source.offset();
        unit.begin(&Start { byte, resume: self.state.pack(), pages: self.pages, records: self.records });
        unit.around.extend(self.groups.around());
    }

    /// The record at the present place; `None` at the end of the input.
    #[inline]
    fn record(&mut self) -> Result<Option<Record>, DecodeError> {
        if let Some(record) = framing::quick(self.source.window(), self.framing) {
            return Ok(Some(record));
        }
        self.need()?;
        Ok(framing::record(self.source.window(), self.framing))
    }

    /// Puts a record into the unit.
    #[inline]
    fn take(&mut self, unit: &mut Unit, record: &Record) {
        unit.bytes.extend_from_slice(self.source.window().get(..record.raw).unwrap_or_default());
        self.records += u64::from(matches!(record.kind, Kind::Field(_)));
        self.source.skip(record.raw);
    }

    fn need(&mut self) -> Result<usize, DecodeError> {
        let at = self.at();
        self.source.need(VIEW).map_err(|source| DecodeError::Read { at, source })
    }

    /// Copies the present field's data to `data`: all of its segments when it is the last one of several. Where the field
    /// stands; `None` when more segments follow.
    fn gather(&mut self, record: &Record, id: FieldId, data: &mut Vec<u8>) -> Option<Stretch> {
        data.clear();
        let (byte, bytes) = (self.source.offset(), record.raw as u64);
        let mut at = Stretch { byte, bytes, pages: self.pages, records: self.records };
        if let Some(before) = self.partial.take().filter(|before| before.id == id) {
            data.extend(before.data);
            at = Stretch { bytes: (byte + bytes).saturating_sub(before.at.byte), ..before.at };
        }
        data.extend_from_slice(self.source.window().get(record.from..record.to).unwrap_or_default());
        if record.segmented && data.len() < SEGMENTS_BYTES {
            self.partial = Some(Partial { id, data: std::mem::take(data), at });
            return None;
        }
        Some(at)
    }

    /// Whether `id` cannot be in the unit as it is, and starts the next one.
    fn closes_before(&self, mode: Mode, id: FieldId, unit: &Unit) -> bool {
        let begins_apart = || matches!(id, id::BRS | id::BDI) || bare_kind(id).is_some();
        match mode {
            Mode::Before => !unit.bytes.is_empty() && begins_apart(),
            Mode::Outside => matches!(id, id::BNG | id::BPG | id::IMM | id::TLE) || begins_apart(),
            Mode::Page => matches!(
                id,
                id::BPG
                    | id::BNG
                    | id::ENG
                    | id::BDT
                    | id::EDT
                    | id::BRG
                    | id::ERG
                    | id::BRS
                    | id::BPF
                    | id::EPF
                    | id::BDI
            ),
            Mode::Resource(end) => match id {
                id::BRG | id::ERG | id::BPF | id::EPF => true,
                id::BRS => end == id::ERS,
                id::BDT | id::BNG | id::BPG | id::EDT => end != id::ERS || !self.in_document_resource,
                _ => false,
            },
            Mode::Index => matches!(id, id::BPG | id::BNG | id::BDT),
        }
    }

    /// The mode behind a field that was not there yet.
    fn mode_behind(mode: Mode, id: FieldId) -> Mode {
        match (mode, id) {
            (Mode::Before | Mode::Outside, id::BPG) => Mode::Page,
            (Mode::Before | Mode::Outside, id::BRS) => Mode::Resource(id::ERS),
            (Mode::Before | Mode::Outside, id::BDI) => Mode::Index,
            (Mode::Before | Mode::Outside, begin) if bare_kind(begin).is_some() => Mode::Resource(id::end_of(begin)),
            (Mode::Before, id::BPF | id::EPF | id::BRG | id::ERG | id::BDT | id::EDT | id::ENG | id::EPG) => {
                Mode::Outside
            }
            _ => mode,
        }
    }

    /// Takes in a unit that others need.
    fn share(&mut self, unit: &mut Unit, notes: &mut Notes) {
        unit.shared = true;
        self.state.epoch = self.state.epoch.saturating_add(1);
        let at = At { byte: unit.span.start, record: unit.records_before + 1, page: self.pages };
        if let Held::Own(store) = &mut self.held {
            store.learn(&unit.bytes, &mut |code, detail| notes.add(code, at, detail));
        }
    }

    /// Bytes up to the end of the last End Page Group that belongs to the page before.
    fn ends_ahead(&mut self) -> Result<usize, DecodeError> {
        let (bytes, is_sure) = ends_in(self.source.window(), self.framing, framing::quick);
        if is_sure {
            return Ok(bytes);
        }
        self.need()?;
        Ok(ends_in(self.source.window(), self.framing, framing::record).0)
    }

    /// Takes the ends of the page's groups, when they follow, and says how many they are. The groups stay open: their
    /// tags are the page's too.
    fn take_group_ends(&mut self, unit: &mut Unit, notes: &mut Notes) -> Result<u8, DecodeError> {
        let behind_end = self.ends_ahead()?;
        let (mut ends, mut taken) = (0_u8, 0);
        while taken < behind_end {
            let Some(record) = self.record()? else { break };
            taken += record.raw;
            match record.kind {
                Kind::Field(id::ENG) => ends = ends.saturating_add(1),
                Kind::Field(id::TLE) => {
                    let data = self.source.window().get(record.from..record.to).unwrap_or_default().to_vec();
                    let charset = self.store().charset(self.state.document);
                    self.structure.tags += 1;
                    self.groups.add_own(&data, charset);
                }
                _ => self.note_broken(&record, notes),
            }
            self.take(unit, &record);
        }
        unit.group_ends = ends > 0 && ends >= self.state.depth;
        Ok(ends)
    }

    fn close_page(&mut self, unit: &mut Unit, notes: &mut Notes) -> Result<(), DecodeError> {
        let ends = self.take_group_ends(unit, notes)?;
        let page = self.pages.saturating_sub(self.document.page);
        self.pages += 1;
        unit.kind = UnitKind::Page;
        unit.page = self.pages;
        unit.span.end = self.source.offset();
        self.state.after_page();
        self.groups.give(unit, ends, page);
        (0..ends).for_each(|_| self.groups.close(&mut self.state.depth));
        if self.wants_text {
            let page = self.draw(unit, What::Text, &mut Notes::default());
            draw_text::fill(unit, &page);
        }
        Ok(())
    }

    fn close_outside(&mut self, unit: &mut Unit, mode: Mode, notes: &mut Notes) {
        unit.kind = UnitKind::Outside;
        unit.page = self.pages;
        unit.span.end = self.source.offset();
        unit.tags.clear();
        unit.indexes = std::mem::take(&mut self.index_ended) || mode == Mode::Index;
        if let Mode::Resource(_) = mode {
            self.share(unit, notes);
        }
    }

    fn draw(&self, unit: &Unit, what: What, notes: &mut Notes) -> Page {
        let state = State::unpack(unit.resume);
        draw::page(self.store(), state, &unit.bytes, unit.span.start, what, &mut |code, detail, byte| {
            notes.add_named(code, At { byte, record: 0, page: unit.page }, &detail);
        })
    }

    /// Behind a field: whether the unit ends with it.
    fn ends_unit(&mut self, mode: Mode, id: FieldId, unit: &mut Unit, notes: &mut Notes) -> Result<bool, DecodeError> {
        match mode {
            Mode::Page if id == id::EPG => self.close_page(unit, notes)?,
            Mode::Resource(end) if id == end => self.close_outside(unit, mode, notes),
            Mode::Index if id == id::EDI => self.close_outside(unit, mode, notes),
            Mode::Outside if matches!(id, id::BRG | id::ERG) => {
                self.close_outside(unit, mode, notes);
                if id == id::BRG {
                    self.share(unit, notes);
                }
            }
            Mode::Outside if id == id::BDT => {
                self.close_outside(unit, mode, notes);
                unit.indexes |= self.index.is_some();
                self.close_document(unit, notes);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Behind a Begin Document: it is shared when it says something new.
    fn close_document(&mut self, unit: &mut Unit, notes: &mut Notes) {
        let all = super::read::fields(&unit.bytes, self.framing, 0);
        let begin = all.iter().filter(|field| field.id == id::BDT).last();
        let data = begin.map_or(&[][..], |begin| begin.data);
        if self.store().is_new_document(data, self.state.epoch) {
            self.share(unit, notes);
        }
        self.state.document = self.store().document(data);
    }

    /// Closes the unit before a field that cannot be in it.
    fn close_early(&mut self, mode: Mode, id: FieldId, unit: &mut Unit, notes: &mut Notes) -> Result<(), DecodeError> {
        match mode {
            Mode::Page => {
                notes.add("afp-not-ended", self.at(), format_args!("{} inside a page", id::letters(id)));
                return self.close_page(unit, notes);
            }
            Mode::Resource(end) => {
                let (before, end) = (id::letters(id), id::letters(end));
                notes.add("afp-not-ended", self.at(), format_args!("{before} before {end}"));
            }
            _ => {}
        }
        self.close_outside(unit, mode, notes);
        Ok(())
    }

    /// Whether the unit must be cut here because it grows too large.
    fn is_too_large(&self, mode: Mode, unit: &Unit) -> bool {
        let limit = match mode {
            Mode::Page | Mode::Resource(_) => self.store().limits.object_bytes,
            _ => OUTSIDE_BYTES,
        };
        unit.bytes.len() > limit
    }

    fn close_at_limit(&mut self, mode: Mode, unit: &mut Unit, notes: &mut Notes) -> Result<(), DecodeError> {
        let limit = self.store().limits.object_bytes;
        match mode {
            Mode::Page => {
                notes.add("afp-limit", self.at(), format_args!("a page of more than {limit} bytes is cut"));
                self.close_page(unit, notes)?;
            }
            Mode::Resource(_) => {
                notes.add("afp-limit", self.at(), format_args!("a resource of more than {limit} bytes is not used"));
                self.close_outside(unit, Mode::Outside, notes);
            }
            _ => {
                self.in_index = mode == Mode::Index;
                self.close_outside(unit, mode, notes);
            }
        }
        Ok(())
    }

    /// The end of the stream.
    fn close_at_end(&mut self, mode: Mode, unit: &mut Unit, notes: &mut Notes) -> Result<bool, DecodeError> {
        if unit.bytes.is_empty() {
            self.drop_index(notes);
            return Ok(false);
        }
        match mode {
            Mode::Page => {
                notes.add("afp-not-ended", self.at(), "the stream ends inside a page");
                self.close_page(unit, notes)?;
            }
            Mode::Resource(end) => {
                notes.add("afp-not-ended", self.at(), format_args!("the stream ends before {}", id::letters(end)));
                self.close_outside(unit, mode, notes);
            }
            _ => self.close_outside(unit, mode, notes),
        }
        Ok(true)
    }
}

/// Bytes at the front of `window` up to the last End Page Group before anything but what may stand between a page and the
/// end of its group, and whether that thing was seen: `judge` may give up before.
fn ends_in(window: &[u8], framing: Framing, judge: impl Fn(&[u8], Framing) -> Option<Record>) -> (usize, bool) {
    let (mut at, mut behind_end) = (0, 0);
    while at < LOOK_AHEAD {
        let Some(record) = judge(window.get(at..).unwrap_or_default(), framing) else { return (behind_end, false) };
        at += record.raw;
        match record.kind {
            Kind::Field(id::ENG) => behind_end = at,
            Kind::Field(id::NOP | id::LLE | id::TLE) | Kind::Filler => {}
            _ => break,
        }
    }
    (behind_end, true)
}

impl<R: Read + Send> Decoder for AfpDecoder<R> {
    fn code_page(&self) -> &'static CodePage {
        self.code_page
    }

    fn next(&mut self, unit: &mut Unit, notes: &mut Notes) -> Result<bool, DecodeError> {
        let most = self.store().limits.pages;
        if self.pages > most as u64 {
            return Err(DecodeError::Limit { what: "pages", most, at: At { page: self.pages, ..self.at() } });
        }
        self.begin(unit);
        let mut mode = if std::mem::take(&mut self.in_index) { Mode::Index } else { Mode::Before };
        loop {
            let Some(record) = self.record()? else { return self.close_at_end(mode, unit, notes) };
            if self.is_too_large(mode, unit) {
                self.close_at_limit(mode, unit, notes)?;
                return Ok(true);
            }
            let Kind::Field(id) = record.kind else {
                if record.kind != Kind::Filler {
                    self.note_broken(&record, notes);
                    mode = if mode == Mode::Before { Mode::Outside } else { mode };
                }
                self.take(unit, &record);
                continue;
            };
            if self.closes_before(mode, id, unit) {
                self.close_early(mode, id, unit, notes)?;
                return Ok(true);
            }
            mode = Self::mode_behind(mode, id);
            if is_followed(id) {
                let mut data = std::mem::take(&mut self.scratch);
                if let Some(at) = self.gather(&record, id, &mut data) {
                    self.follow(mode, Field { id, data: &data, offset: self.source.offset() }, at, notes);
                }
                self.scratch = data;
            }
            self.take(unit, &record);
            if self.ends_unit(mode, id, unit, notes)? {
                return Ok(true);
            }
        }
    }

    fn want_text(&mut self, wanted: bool) {
        self.wants_text = wanted;
    }

    fn page(&self, unit: &Unit, notes: &mut Notes) -> Page {
        self.draw(unit, What::All, notes)
    }

    fn records(&self) -> u64 {
        self.records
    }

    fn structure(&self) -> Option<Structure> {
        Some(self.structure)
    }
}
