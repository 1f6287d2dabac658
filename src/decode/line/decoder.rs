//! The decoder: records in, pages out.
//!
//! A page starts with the record that begins to print on it: in ASA the one that says "new page", in machine code the one
//! behind it. Whether a record starts a page is known before it is taken, so a record belongs to exactly one unit.
//!
//! Decoding can start at any unit: [`Unit::resume`] holds where the paper stood and what was left of the block.

use std::cell::RefCell;
use std::io::Read;

use super::control::{self, Action, Control, Motion, Place, STRUCTURED_FIELD};
use super::draw::Geometry;
use super::layout::Layout;
use super::text::{self, Layers};
use crate::decode::rows::Rows;
use crate::decode::{DecodeError, Decoder, Start, Strike, Unit, UnitKind};
use crate::frame::codepage::CodePage;
use crate::frame::{End, Flaw, Framer, Kind, Record};
use crate::note::{At, Notes};
use crate::page::Page;

/// A unit with more bytes than this is broken in two.
const UNIT_BYTES: usize = 4 << 20;

/// A page with more strikes than this is broken in two.
const UNIT_STRIKES: usize = 10_000;

/// Shortest form that a lone last line of text may overflow; see [`LineDecoder::is_lone_last_line`].
const FORM_WITH_OVERFLOW: u16 = 20;

/// Marks the place of a strike as one in the spill while its unit grows.
const IN_SPILL: u32 = 1 << 31;

/// Where the paper stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cursor {
    /// ASA: the row printed last. Otherwise: the rows above the next one to print on.
    row: u16,
    /// Something was printed or spaced since the paper came to this row.
    touched: bool,
    /// The next record is printed over the last one (CR alone) and has no carriage control of its own.
    same_line: bool,
    /// The next record is the rest of a line that was too long.
    rest_of_line: bool,
}

impl Cursor {
    fn pack(self, block_left: u32) -> u64 {
        let flags = u64::from(self.touched) | u64::from(self.same_line) << 1 | u64::from(self.rest_of_line) << 2;
        u64::from(block_left) | u64::from(self.row) << 32 | flags << 48
    }

    fn unpack(resume: u64) -> (Cursor, u32) {
        let [_, flags, row_high, row_low, a, b, c, d] = resume.to_be_bytes();
        let cursor = Cursor {
            row: u16::from_be_bytes([row_high, row_low]),
            touched: flags & 1 != 0,
            same_line: flags & 2 != 0,
            rest_of_line: flags & 4 != 0,
        };
        (cursor, u32::from_be_bytes([a, b, c, d]))
    }
}

/// What a record will do, found without taking it.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// It starts a new page.
    eject_before: bool,
    /// Row that it prints on.
    row: u16,
    /// Bytes in front of the text: carriage control, TRC.
    skip: usize,
    /// Whether it prints.
    print: bool,
    /// Its carriage control, if it has one.
    action: Option<Action>,
    /// The page ends with it.
    eject_after: bool,
    /// The cursor behind it.
    after: Cursor,
}

/// Decodes one line data stream.
#[derive(Debug)]
pub struct LineDecoder<R> {
    framer: Framer<R>,
    layout: Layout,
    geometry: Geometry,
    cursor: Cursor,
    pages: u64,
    records: u64,
    /// A record was put on the present page, blank or not.
    wrote: bool,
    layers: Layers,
    /// Kept from page to page for drawing.
    rows: RefCell<Rows>,
}

impl<R: Read + Send> LineDecoder<R> {
    /// Decodes `input` from `start` on as `layout` says; pages are drawn as `geometry` says.
    pub(super) fn new(input: R, start: Start, layout: Layout, geometry: Geometry) -> LineDecoder<R> {
        let (cursor, block_left) = Cursor::unpack(start.resume);
        LineDecoder {
            framer: Framer::new(input, start.byte, layout.framing, block_left),
            layout,
            geometry,
            cursor,
            pages: start.pages,
            records: start.records,
            wrote: false,
            layers: Layers::default(),
            rows: RefCell::default(),
        }
    }

    fn begin(&mut self, unit: &mut Unit) {
        let resume = self.cursor.pack(self.framer.block_left());
        unit.begin(&Start { byte: self.framer.offset(), resume, pages: self.pages, records: self.records });
        unit.kind = UnitKind::Page;
        unit.narrow_shifts = self.layout.narrow_shifts;
        self.wrote = false;
    }

    /// Decides what the unit is. `ended`: a form feed or a skip inside it has ended the page.
    fn close(&mut self, unit: &mut Unit, ended: bool, notes: &mut Notes) {
        unit.span.end = self.framer.offset();
        if !unit.spill.is_empty() {
            let size = u32::try_from(unit.bytes.len()).unwrap_or(IN_SPILL);
            for strike in unit.strikes.iter_mut().filter(|strike| strike.at & IN_SPILL != 0) {
                strike.at = (strike.at & !IN_SPILL).saturating_add(size);
            }
        }
        // Nothing is printed before the first page; behind it a page without print is one when it was ended or filled.
        let full = match self.layout.control {
            Control::None => self.wrote && self.cursor.row >= self.layout.form.lines,
            Control::Asa => self.wrote,
            Control::Machine => false,
        };
        // A stream of blanks only is one page of nothing: it is kept, so it is a document.
        let nothing_else =
            self.pages == 0 && self.wrote && unit.strikes.is_empty() && matches!(self.framer.peek(), Ok(None));
        let blank_page = (self.pages > 0 && (ended || full)) || nothing_else;
        if unit.strikes.is_empty() && !blank_page {
            unit.kind = UnitKind::Outside;
            unit.page = self.pages;
            return;
        }
        self.pages += 1;
        unit.page = self.pages;
        if unit.strikes.is_empty() {
            let at = At { byte: unit.span.start, record: unit.records_before + 1, page: unit.page };
            notes.add_page("empty-page", at, "nothing is printed on the page");
        }
    }

    /// Whether this is one line of text behind the last full page, and nothing follows.
    ///
    /// Listings without form feeds are cut by their page length, and programs that count the lines of a page
    /// often end the last page one line further down. No report has a page of a single line there.
    fn is_lone_last_line(&mut self, record: &Record) -> Result<bool, DecodeError> {
        let counted = self.layout.control == Control::None && self.layout.is_text();
        if !counted || self.layout.form.lines < FORM_WITH_OVERFLOW {
            return Ok(false);
        }
        let at = self.at();
        self.framer.is_last(record).map_err(|source| DecodeError::Read { at, source })
    }

    fn at(&self) -> At {
        At { byte: self.framer.offset(), record: self.records + 1, page: self.pages + 1 }
    }

    #[inline]
    fn plan(&self, record: &Record) -> Plan {
        if record.kind != Kind::Data || self.cursor.rest_of_line {
            let rest_of_line = self.cursor.rest_of_line && record.end == End::TooLong;
            let mut plan = self.silent(Cursor { rest_of_line, ..self.cursor });
            if record.kind == Kind::Data && !rest_of_line {
                self.end_of_line(record, &mut plan);
            }
            return plan;
        }
        let mut plan = match self.layout.control {
            Control::None => self.plan_plain(record),
            _ if record.len == 0 && matches!(record.end, End::FormFeed | End::Overprint) => self.silent(self.cursor),
            _ if self.cursor.same_line => self.plan_over(),
            Control::Asa => self.plan_asa(record),
            Control::Machine => self.plan_machine(record),
        };
        if self.layout.trc && !(self.cursor.same_line && self.layout.is_text()) {
            plan.skip += 1;
        }
        plan.after.same_line = false;
        self.end_of_line(record, &mut plan);
        plan
    }

    fn silent(&self, after: Cursor) -> Plan {
        Plan { eject_before: false, row: after.row, skip: 0, print: false, action: None, eject_after: false, after }
    }

    /// What the end of a line of text does, in addition to carriage control.
    #[inline]
    fn end_of_line(&self, record: &Record, plan: &mut Plan) {
        match record.end {
            End::Length | End::Stream => {}
            End::Line | End::VerticalTab => {
                if self.layout.control == Control::None {
                    plan.after.row = plan.after.row.saturating_add(1);
                }
            }
            End::Overprint => plan.after.same_line = true,
            End::TooLong => plan.after.rest_of_line = true,
            End::FormFeed => {
                // Nothing to feed out before the first page.
                plan.eject_after |= self.pages > 0 || self.wrote || record.len > 0;
                plan.after = Cursor::default();
            }
        }
    }

    /// A record without carriage control, and a line of text: the next row.
    #[inline]
    fn plan_plain(&self, record: &Record) -> Plan {
        let text = self.layout.is_text();
        let feed = !text && self.framer.data(record).first() == Some(&0x0C);
        let nothing = record.len == 0 && matches!(record.end, End::FormFeed | End::Overprint);
        let eject_before = (feed && self.cursor.row > 0) || (self.cursor.row >= self.layout.form.lines && !nothing);
        let above = if eject_before { 0 } else { self.cursor.row };
        let touched = self.cursor.touched || !nothing;
        let row = above + u16::from(!text);
        let after = Cursor { row, touched, same_line: false, rest_of_line: false };
        let skip = usize::from(feed);
        Plan { eject_before, row: above + 1, skip, print: true, action: None, eject_after: false, after }
    }

    /// What is printed over the record before it.
    fn plan_over(&self) -> Plan {
        let row = match self.layout.control {
            Control::Machine => self.cursor.row.saturating_add(1),
            _ => self.cursor.row.max(1),
        };
        Plan { print: true, row, ..self.silent(self.cursor) }
    }

    #[inline]
    fn plan_asa(&self, record: &Record) -> Plan {
        let (action, skip) = self.action_of(record);
        let Cursor { row, touched, .. } = self.cursor;
        let Place { eject, row } = if action.print {
            self.layout.form.moved(row, touched, action.motion)
        } else {
            Place { eject: false, row }
        };
        let after = Cursor { row, touched: true, ..Cursor::default() };
        Plan { eject_before: eject, row, skip, print: action.print, action: Some(action), eject_after: false, after }
    }

    #[inline]
    fn plan_machine(&self, record: &Record) -> Plan {
        let (action, skip) = self.action_of(record);
        let here = self.cursor.row.saturating_add(1);
        let blank = !action.print || self.text_is_blank(record, skip);
        let mut touched = self.cursor.touched || (action.print && (!blank || self.pages > 0));
        let place = if action.motion == Motion::Stay {
            Place { eject: false, row: here }
        } else {
            self.layout.form.moved(here, touched, action.motion)
        };
        match action.motion {
            Motion::Stay => {}
            Motion::Space(_) => touched = !place.eject,
            Motion::Skip(_) => touched = false,
        }
        let after = Cursor { row: place.row.saturating_sub(1), touched, ..Cursor::default() };
        let action = Some(action);
        Plan { eject_before: false, row: here, skip, print: !blank, action, eject_after: place.eject, after }
    }

    /// The carriage control of a record and its size; a record of no bytes spaces one line.
    #[inline]
    fn action_of(&self, record: &Record) -> (Action, usize) {
        match self.framer.data(record).first() {
            Some(byte) => (control::action(&self.layout.actions, *byte), 1),
            None => (Action { print: true, motion: Motion::Space(1), known: true }, 0),
        }
    }

    fn text_is_blank(&self, record: &Record, skip: usize) -> bool {
        let text = self.framer.data(record).get(skip + usize::from(self.layout.trc)..).unwrap_or_default();
        trimmed(text, self.layout.code_page.blank()).is_empty()
    }

    /// Puts a record into the unit.
    #[inline]
    fn take(&mut self, unit: &mut Unit, record: &Record, plan: &Plan, notes: &mut Notes) {
        self.note_flaws(record, plan, notes);
        if plan.print {
            self.strike(unit, record, plan, notes);
        }
        unit.bytes.extend_from_slice(self.framer.raw(record));
        self.wrote |= record.kind == Kind::Data && (record.len > 0 || record.end != End::FormFeed);
        let counts = match record.end {
            End::Length | End::Line | End::VerticalTab => true,
            End::Stream | End::FormFeed => record.len > 0,
            End::Overprint | End::TooLong => false,
        };
        self.records += u64::from(counts && record.kind == Kind::Data);
        self.framer.consume(record);
        self.cursor = plan.after;
    }

    fn note_flaws(&self, record: &Record, plan: &Plan, notes: &mut Notes) {
        match record.flaw {
            None => {}
            Some(Flaw::CutShort { need, have }) => {
                notes.add("record-cut-short", self.at(), format_args!("{need} bytes announced, {have} are left"));
            }
            Some(Flaw::BadLength { says }) => {
                notes.add("bad-record-length", self.at(), format_args!("a record length of {says}"));
            }
            Some(Flaw::OpenSpan) => notes.add("open-span", self.at(), "a spanned record lacks a segment"),
        }
        if record.kind == Kind::Padding {
            notes.add_many("filler", record.raw as u64, self.at(), "filler bytes between or behind the records");
        }
        if record.kind == Kind::Data && (record.len > self.layout.record_limit || record.end == End::TooLong) {
            notes.add("line-too-long", self.at(), format_args!("{} bytes", record.len));
        }
        let Some(action) = plan.action else { return };
        if action.known && action.print {
            return;
        }
        let byte = self.framer.data(record).first().copied().unwrap_or_default();
        if !action.known {
            notes.add("bad-carriage-control", self.at(), format_args!("X'{byte:02X}'"));
        } else if byte == STRUCTURED_FIELD {
            notes.add("structured-field", self.at(), "an AFP record in line data prints nothing");
        }
    }

    #[inline]
    fn strike(&mut self, unit: &mut Unit, record: &Record, plan: &Plan, notes: &mut Notes) {
        let data = self.framer.data(record);
        let mut trc = 0;
        if self.layout.trc && plan.skip > 0 {
            let byte = data.get(plan.skip - 1).copied().unwrap_or(self.layout.code_page.blank());
            let zero = if self.layout.ebcdic { 0xF0 } else { b'0' };
            trc = byte.checked_sub(zero).filter(|trc| *trc < 10).unwrap_or_default();
        }
        let mut text = trimmed(data.get(plan.skip..).unwrap_or_default(), self.layout.code_page.blank());
        if record.end == End::Stream {
            while let Some((0x1A | 0x00, before)) = text.split_last() {
                text = before;
            }
        }
        if text.is_empty() {
            return;
        }
        if self.layout.is_text() && text::has_moves(text, self.layout.ebcdic) {
            self.layers.split(text, self.layout.code_page);
            if self.layers.dropped > 0 {
                notes.add_many("overstrike-dropped", self.layers.dropped, self.at(), "too many strikes at one place");
            }
            for layer in self.layers.iter() {
                let found = self.layout.checker.check(layer);
                // A layer is put together: its bytes are somewhere in the record.
                let found = super::check::Found { first_control: 0, first_undecodable: 0, ..found };
                note_bytes(found, self.at(), notes);
                spill(unit, plan.row, trc, layer);
            }
            return;
        }
        let found = self.layout.checker.check(text);
        if found != super::check::Found::default() {
            let inside = if record.assembled { 0 } else { (record.lead + plan.skip) as u64 };
            note_bytes(found, At { byte: self.framer.offset() + inside, ..self.at() }, notes);
        }
        if record.assembled {
            spill(unit, plan.row, trc, text);
            return;
        }
        let at = unit.bytes.len() + record.lead + plan.skip;
        push(unit, plan.row, trc, at, text.len());
    }
}

/// Notes what is no text in a text that starts at `start`.
fn note_bytes(found: super::check::Found, start: At, notes: &mut Notes) {
    let at = |byte: usize| At { byte: start.byte + byte as u64, ..start };
    notes.add_many("control-byte", found.controls, at(found.first_control), "control codes print as blanks");
    let what = "bytes without a character in the code page";
    notes.add_many("undecodable-byte", found.undecodable, at(found.first_undecodable), what);
}

fn spill(unit: &mut Unit, row: u16, trc: u8, text: &[u8]) {
    let at = unit.spill.len() | IN_SPILL as usize;
    unit.spill.extend_from_slice(text);
    push(unit, row, trc, at, text.len());
}

#[inline]
fn push(unit: &mut Unit, row: u16, trc: u8, at: usize, len: usize) {
    // A unit is a few megabytes at most, so both fit.
    let (Ok(at), Ok(len)) = (u32::try_from(at), u32::try_from(len)) else { return };
    unit.strikes.push(Strike { row, at, len, trc });
}

/// `text` without trailing blanks and binary zeros.
#[inline]
fn trimmed(mut text: &[u8], blank: u8) -> &[u8] {
    while let Some((before, tail)) = text.split_last_chunk::<16>() {
        if *tail != [blank; 16] {
            break;
        }
        text = before;
    }
    while let Some((last, before)) = text.split_last() {
        if *last != blank && *last != 0 {
            break;
        }
        text = before;
    }
    text
}

impl<R: Read + Send> Decoder for LineDecoder<R> {
    fn code_page(&self) -> &'static CodePage {
        self.layout.code_page
    }

    fn next(&mut self, unit: &mut Unit, notes: &mut Notes) -> Result<bool, DecodeError> {
        self.begin(unit);
        loop {
            let record = match self.framer.peek_fixed() {
                Some(record) => record,
                None => match self.framer.peek().map_err(|source| DecodeError::Read { at: self.at(), source })? {
                    Some(record) => record,
                    None if unit.bytes.is_empty() => return Ok(false),
                    None => {
                        self.close(unit, false, notes);
                        return Ok(true);
                    }
                },
            };
            let started = !unit.bytes.is_empty();
            let mut plan = self.plan(&record);
            if started && plan.eject_before && self.is_lone_last_line(&record)? {
                plan.eject_before = false;
                plan.row = self.cursor.row.saturating_add(1);
            }
            let lost = record.kind == Kind::Lost;
            if started && (plan.eject_before || lost) {
                self.close(unit, false, notes);
                return Ok(true);
            }
            if started
                && (unit.bytes.len() + unit.spill.len() + record.raw > UNIT_BYTES || unit.strikes.len() >= UNIT_STRIKES)
            {
                notes.add("page-too-long", self.at(), "the page was broken in two");
                self.close(unit, false, notes);
                return Ok(true);
            }
            self.take(unit, &record, &plan, notes);
            if plan.eject_after || lost {
                self.close(unit, plan.eject_after, notes);
                return Ok(true);
            }
        }
    }

    fn page(&self, unit: &Unit, notes: &mut Notes) -> Page {
        super::draw::page(unit, self.layout.code_page, &self.geometry, &mut self.rows.borrow_mut(), notes)
    }

    fn records(&self) -> u64 {
        self.records
    }
}
