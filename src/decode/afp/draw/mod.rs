//! Draws pages: the fields of a page become elements, with what its medium map, its overlays and its includes add.
//!
//! In: the bytes of a page's unit and the [`State`] before it. Out: a [`Page`], the same whether the unit is drawn in its
//! stream or alone. Knows structure only; text, images, graphics, bar codes and containers are drawn by their own modules.

mod content;
mod include;
mod object;
mod parts;
mod room;
pub mod shift;

pub(crate) use include::{included_kinds, included_names};

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use self::room::Room;
use super::environment::Environment;
use super::field::{Field, FieldId, Fields};
use super::font::ActiveFont;
use super::fontmap::{FontMap, maps_fonts};
use super::formdef::{MediumMap, PagePosition, Side};
use super::object::ObjectFonts;
use super::ptoca::{self, Carried, SetsText};
use super::state::State;
use super::store::Store;
use super::text::{Charset, token};
use super::triplet;
use super::{id, read, units};
use crate::page::{Color, Element, Lu, Page, Rule, TextRun};

/// Largest paper: 100 inches. Larger sizes are mistakes.
const PAPER_LIMIT: i32 = 100 * Lu::PER_INCH;

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Everything.
    All,
    /// No pictures: for the text of a page.
    Text,
}

/// Draws the page in `unit`, whose first byte has the place `offset`.
///
/// `report` is given what is survived, with the place of the field in question.
pub fn page(
    store: &Store,
    state: State,
    unit: &[u8],
    offset: u64,
    what: What,
    report: &mut dyn FnMut(&'static str, String, u64),
) -> Page {
    let all = read::fields(unit, store.framing, offset);
    let fields: Vec<Field<'_>> = all.iter().collect();
    let begin = fields.iter().position(|field| field.id == id::BPG).unwrap_or(0);
    let (before, inside) = fields.split_at(begin);
    let state = state_at_page(store, state, before);
    let inside = inside.get(..super::store::end(inside, 0, id::EPG)).unwrap_or_default();
    let visible = store.visible(state.epoch);
    let charset = store.charset(state.document);
    let environment = Environment::of(environment_fields(inside), store, visible, charset);
    let map = store.map(state.map, state.epoch);
    let own_position =
        inside.first().and_then(|begin| triplet::find(begin.data.get(8..)?, triplet::PAGE_POSITION)?.first());
    let side = map.as_deref().map(|map| map.side(state.sheet_page, own_position.copied())).unwrap_or_default();
    let artist = Artist::new(store, visible, charset, what, side.suppressed);
    artist.at.set((id::BPG, inside.first().map_or(offset, |begin| begin.offset)));
    let mut page = artist.page(inside, &environment, &side, map.as_deref());
    artist.notes.into_inner().into_iter().for_each(|noted| report(noted.code, noted.detail, noted.offset));
    ptoca::number_lines(&mut page.elements);
    page
}

/// The state at a page, behind what stands before it in its unit.
pub fn state_at_page(store: &Store, mut state: State, before: &[Field<'_>]) -> State {
    for field in before {
        if field.id == id::IMM {
            let name = token(field.data, Charset::Default).unwrap_or_default();
            state.map = store.map_number(&name, state.epoch);
            state.sheet_page = 0;
        }
    }
    state
}

/// The fields of the active environment group: up to the first object.
fn environment_fields<'f, 'd>(fields: &'f [Field<'d>]) -> &'f [Field<'d>] {
    let objects = fields.iter().position(|field| {
        super::store::bare_kind(field.id).is_some_and(|_| !matches!(field.id, id::BMO | id::BPS))
            || matches!(field.id, id::EAG | id::PTX | id::IPO | id::IPS | id::IOB)
    });
    fields.get(..objects.unwrap_or(fields.len())).unwrap_or_default()
}

/// Different notes of one page or overlay.
const NOTES: usize = 1000;

/// Fields of included resources that one page makes us look at, each time they are included.
const FIELDS_INCLUDED: usize = 8 << 20;

/// Something that was survived.
struct Noted {
    code: &'static str,
    detail: String,
    offset: u64,
}

/// Draws one page or one overlay.
pub(super) struct Artist<'s> {
    store: &'s Store,
    visible: usize,
    charset: Charset,
    what: What,
    suppressed: &'s [u8],
    default_font: Arc<dyn SetsText>,
    notes: RefCell<Vec<Noted>>,
    /// The field that is drawn, and its place.
    at: Cell<(FieldId, u64)>,
    /// Elements that may still be drawn.
    left: Cell<usize>,
    /// Fields of included resources that may still be looked at, for a page with all that is drawn apart for it.
    work: Rc<Cell<usize>>,
    /// What its pictures may take, with all that is drawn apart for it.
    room: Rc<Room>,
    /// Overlays and page segments that this is inside of, by the keys of their resources.
    inside: RefCell<Vec<u64>>,
}

impl<'s> Artist<'s> {
    fn new(store: &'s Store, visible: usize, charset: Charset, what: What, suppressed: &'s [u8]) -> Artist<'s> {
        Artist {
            store,
            visible,
            charset,
            what,
            suppressed,
            default_font: store.default_font(),
            notes: RefCell::default(),
            at: Cell::new((id::BPG, 0)),
            left: Cell::new(store.limits.page_elements),
            work: Rc::new(Cell::new(FIELDS_INCLUDED)),
            room: Rc::new(Room::new(&store.limits)),
            inside: RefCell::default(),
        }
    }

    /// For something that is drawn apart and kept.
    fn apart(&self) -> Artist<'s> {
        let inside = RefCell::new(self.inside.borrow().clone());
        let artist = Artist::new(self.store, self.visible, self.charset, self.what, self.suppressed);
        Artist { inside, work: Rc::clone(&self.work), room: Rc::clone(&self.room), ..artist }
    }

    fn note(&self, code: &'static str, detail: String) {
        let (field, offset) = self.at.get();
        // What is refused is named with the field that asked for it.
        let is_limit = code == "afp-nesting" || code.ends_with("-limit") || code.ends_with("-too-large");
        let detail = if is_limit { format!("{detail} ({})", id::letters(field)) } else { detail };
        self.record(code, detail, offset);
    }

    /// Notes what was noted when something that is used here was drawn.
    fn repeat(&self, reports: &[(&'static str, String)]) {
        let (_, offset) = self.at.get();
        reports.iter().for_each(|(code, detail)| self.record(code, detail.clone(), offset));
    }

    fn record(&self, code: &'static str, detail: String, offset: u64) {
        let mut notes = self.notes.borrow_mut();
        // A page says each thing once, and not everything that a hostile one makes it say.
        if notes.len() < NOTES && !notes.iter().any(|known| known.code == code && known.detail == detail) {
            notes.push(Noted { code, detail, offset });
        }
    }

    /// Whether there is room on the page for the pictures of something that was drawn before.
    fn has_room(&self, elements: &[Element]) -> bool {
        let fits = self.room.take(elements);
        if !fits {
            self.note("afp-image-too-large", "the images of the page have more samples than allowed".into());
        }
        fits
    }

    /// What was noted, without places: for something that is kept and used at several.
    fn into_reports(self) -> Vec<(&'static str, String)> {
        self.notes.into_inner().into_iter().map(|noted| (noted.code, noted.detail)).collect()
    }

    /// Takes so many elements from what may still be drawn; false, and nothing more is drawn, when there are too few.
    fn spend(&self, elements: usize) -> bool {
        let left = self.left.get().checked_sub(elements);
        self.left.set(left.unwrap_or(0));
        if left.is_none() {
            self.note("afp-limit", format!("more than {} elements on a page", self.store.limits.page_elements));
        }
        left.is_some()
    }

    fn page(&self, fields: &[Field<'_>], env: &Environment, side: &Side<'_>, map: Option<&MediumMap>) -> Page {
        let sheet = Sheet::of(env, side, map);
        let mut out = Vec::new();
        for name in &side.medium_overlays {
            self.overlay(name, sheet.medium, 0, &mut out);
        }
        let first = out.len();
        paint(&mut out, env.paper, [Lu(0), Lu(0)], env.size);
        for overlay in &side.page_overlays {
            self.overlay(&overlay.name, [overlay.x, overlay.y], overlay.turns, &mut out);
        }
        if !side.no_data {
            self.content(fields, env, None, &mut out, &mut Carried::default());
        }
        if sheet.turns != 0 || sheet.page != [Lu(0), Lu(0)] {
            let drawn = out.get_mut(first..).unwrap_or_default();
            drawn.iter_mut().for_each(|element| shift::place(element, sheet.turns, sheet.page));
        }
        let limited = |length: Lu| Lu(length.0.clamp(1, PAPER_LIMIT));
        Page { width: limited(sheet.size[0]), height: limited(sheet.size[1]), elements: out }
    }
}

/// How a page lies on what is shown of its sheet.
struct Sheet {
    size: [Lu; 2],
    page: [Lu; 2],
    medium: [Lu; 2],
    turns: u8,
}

impl Sheet {
    /// One view is one page. Where the medium's size is known it is the whole sheet with the page at its place, or the page's
    /// part of it where several pages share a side; otherwise the page, with what the sheet adds placed around it.
    fn of(env: &Environment, side: &Side<'_>, map: Option<&MediumMap>) -> Sheet {
        let position = side.position;
        let plain = Sheet { size: env.size, page: [Lu(0); 2], medium: [Lu(0); 2], turns: 0 };
        let Some(map) = map else { return plain };
        let turns = position.turns;
        match map.partition(side.up) {
            Some(size) if side.up <= 1 || is_seen(env.size, position, size) => {
                Sheet { size, page: [position.x, position.y], medium: [Lu(0); 2], turns }
            }
            _ if turns == 0 => {
                let minus = |length: Lu| Lu(length.0.saturating_neg());
                Sheet { medium: [minus(position.x), minus(position.y)], ..plain }
            }
            _ => {
                // Turned about its origin and brought back into view.
                let [width, height] = env.size;
                let page = match turns {
                    1 => [height, Lu(0)],
                    2 => [width, height],
                    _ => [Lu(0), width],
                };
                let size = if turns % 2 == 1 { [height, width] } else { env.size };
                let medium = [page[0].0.saturating_sub(position.x.0), page[1].0.saturating_sub(position.y.0)].map(Lu);
                Sheet { size, page, medium, turns }
            }
        }
    }
}

/// Whether a page of this size lies in an area at its position: offsets that do not count from the page's part of the sheet
/// would leave that empty.
fn is_seen([width, height]: [Lu; 2], position: PagePosition, area: [Lu; 2]) -> bool {
    let [across, down] = units::turned([width, height], position.turns);
    let overlaps = |from: Lu, by: Lu, end: Lu| {
        let to = units::add(from, by);
        from.min(to) < end && from.max(to) > Lu(0)
    };
    overlaps(position.x, across, area[0]) && overlaps(position.y, down, area[1])
}

/// Paints an area.
fn paint(out: &mut Vec<Element>, color: Option<Color>, [x, y]: [Lu; 2], [width, height]: [Lu; 2]) {
    if let Some(color) = color {
        out.push(Element::Rule(Rule { x, y, width, height, color, decoration: true }));
    }
}

/// The fonts that an object may select: those of its own environment, then those of the page.
struct PageFonts<'a, 's> {
    artist: &'a Artist<'s>,
    own: Option<Arc<FontMap>>,
    page: Arc<FontMap>,
}

impl<'a, 's> PageFonts<'a, 's> {
    fn of(artist: &'a Artist<'s>, object: &[Field<'_>], env: &Environment) -> PageFonts<'a, 's> {
        let own: Vec<&Field<'_>> = object.iter().filter(|field| maps_fonts(field.id)).collect();
        let own = (!own.is_empty()).then(|| artist.store.font_map(&own, artist.visible, artist.charset));
        PageFonts { artist, own, page: env.fonts.clone() }
    }

    /// Neither object nor page map any font.
    fn is_empty(&self) -> bool {
        self.own.is_none() && self.page.iter().next().is_none()
    }
}

impl ObjectFonts for PageFonts<'_, '_> {
    fn font(&self, lid: u8) -> Option<Arc<ActiveFont>> {
        let mapped = self.own.as_ref().and_then(|own| own.get(lid)).or_else(|| self.page.get(lid))?;
        let opened = self.artist.store.open_font(mapped, self.artist.visible);
        opened.replay(&mut |code, detail| self.artist.note(code, detail));
        Some(opened.font.clone())
    }
}

/// The joined data of all fields of one id in an object.
fn joined(fields: &[Field<'_>], id: super::field::FieldId) -> Vec<u8> {
    fields.iter().filter(|field| field.id == id).flat_map(|field| field.data.iter().copied()).collect()
}

/// An object's fields by themselves.
fn owned(fields: &[Field<'_>]) -> Fields {
    let mut all = Fields::default();
    fields.iter().for_each(|field| all.push(*field));
    all
}

/// Visits the text of elements and of the forms among them, each run where it stands on the page.
pub fn each_text(elements: &[Element], visit: &mut dyn FnMut(&TextRun)) {
    for element in elements {
        match element {
            Element::Text(run) => visit(run),
            Element::Form(placed) => each_text(&placed.form.elements, &mut |run| {
                let mut element = Element::Text(run.clone());
                shift::place(&mut element, placed.turns, [placed.x, placed.y]);
                if let Element::Text(run) = &element {
                    visit(run);
                }
            }),
            _ => {}
        }
    }
}
