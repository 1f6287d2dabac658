//! Overlays, page segments and objects that a page includes by name.

use std::sync::Arc;

use super::content::place;
use super::{Artist, environment_fields, paint, shift};
use crate::decode::afp::environment::{Area, Environment};
use crate::decode::afp::field::Field;
use crate::decode::afp::ptoca::{self, Carried};
use crate::decode::afp::store::{Drawn, Found, Included, kind, kind_word};
use crate::decode::afp::text::{full_name, token};
use crate::decode::afp::triplet::{self, name_type, s24_at, u16_at};
use crate::decode::afp::{id, units};
use crate::page::{ContentId, Element, Form, Lu, PlacedForm};

/// The type of resource that an include object field names.
pub(crate) fn included_kinds(object_type: u8) -> &'static [u8] {
    match object_type {
        0x5F => &[kind::SEGMENT, kind::IMAGE],
        0x92 => &[kind::CONTAINER, kind::IMAGE],
        0x9B => &[kind::TEXT],
        0xBB => &[kind::GRAPHICS],
        0xEB => &[kind::BAR_CODE],
        0xFB => &[kind::IMAGE, kind::CONTAINER, kind::SEGMENT],
        0xDF => &[kind::OVERLAY],
        _ => &[kind::CONTAINER, kind::IMAGE, kind::GRAPHICS, kind::BAR_CODE, kind::SEGMENT],
    }
}

/// The names by which an include object field may know its resource.
pub(crate) fn included_names(data: &[u8], charset: crate::decode::afp::text::Charset) -> Vec<String> {
    let triplets = data.get(27..).unwrap_or_default();
    let full = triplet::names(triplets)
        .filter(|(kind, _)| matches!(*kind, name_type::REPLACE | name_type::OTHER_OBJECT | name_type::EXTERNAL))
        .map(|(_, name)| full_name(name, triplets, charset));
    full.chain(token(data, charset)).filter(|name| !name.is_empty()).collect()
}

impl Artist<'_> {
    fn missing(&self, kind: u8, name: &str) {
        self.note("afp-missing-resource", format!("{} {name}", kind_word(kind)));
    }

    /// Whether a resource may be drawn here: not inside itself, and not too deep.
    fn enter(&self, found: &Found, name: &str) -> bool {
        let inside = self.inside.borrow();
        if inside.contains(&found.key) || inside.len() >= self.store.limits.nesting {
            self.note("afp-nesting", format!("{name} is included inside itself or too deep"));
            return false;
        }
        let left = self.work.get().checked_sub(found.fields.len());
        self.work.set(left.unwrap_or(0));
        if left.is_none() {
            self.note("afp-limit", "more is included on a page than is looked at".into());
        }
        left.is_some()
    }

    /// Places an overlay.
    pub(super) fn overlay(&self, name: &str, [x, y]: [Lu; 2], turns: u8, out: &mut Vec<Element>) {
        let Some(found) = self.store.find(&[kind::OVERLAY], name, self.visible) else {
            return self.missing(kind::OVERLAY, name);
        };
        if !self.enter(&found, name) {
            return;
        }
        let pictures = self.what == super::What::All;
        // What is drawn depends on how deep it is only where that is too deep.
        let mut key = self.suppressed.to_vec();
        if self.inside.borrow().len() > 1 {
            key.push(0);
            key.extend(self.inside.borrow().iter().flat_map(|key| key.to_be_bytes()));
        }
        let drawn = self.store.form((found.key, self.visible, key, pictures), || self.draw_overlay(name, &found));
        self.repeat(&drawn.reports);
        if self.spend(drawn.weight + 1) && self.has_room(&drawn.form.elements) {
            out.push(Element::Form(PlacedForm { x, y, turns, form: drawn.form.clone() }));
        }
    }

    fn draw_overlay(&self, name: &str, found: &Found) -> Drawn {
        let fields: Vec<Field<'_>> = found.fields.iter().collect();
        let artist = self.apart();
        artist.inside.borrow_mut().push(found.key);
        let env = Environment::of(environment_fields(&fields), self.store, self.visible, self.charset);
        let mut elements = Vec::new();
        paint(&mut elements, env.paper, [Lu(0), Lu(0)], env.size);
        artist.content(&fields, &env, None, &mut elements, &mut Carried::default());
        ptoca::number_lines(&mut elements);
        let weight = artist.store.limits.page_elements - artist.left.get();
        let mut parts: Vec<&[u8]> = Vec::new();
        for field in &fields {
            parts.push(&field.id.0);
            parts.push(field.data);
        }
        // What it includes may differ while it is the same itself.
        let included = contents(&elements);
        parts.push(&included);
        let form = Form {
            id: ContentId::of(&parts),
            name: name.to_owned(),
            width: env.size[0],
            height: env.size[1],
            elements,
        };
        let keep = !artist.room.is_short();
        Drawn { form: Arc::new(form), weight, reports: artist.into_reports(), keep }
    }

    /// Draws a page segment at its point.
    pub(super) fn include_segment(
        &self,
        field: &Field<'_>,
        env: &Environment,
        segment: Option<[Lu; 2]>,
        out: &mut Vec<Element>,
        carried: &mut Carried,
    ) {
        let Some(name) = token(field.data, crate::decode::afp::text::Charset::Default) else { return };
        let Some(found) = self.store.find(&[kind::SEGMENT, kind::IMAGE], &name, self.visible) else {
            return self.missing(kind::SEGMENT, &name);
        };
        let [x, y] = place(field.data, env.units);
        let base = segment.unwrap_or_default();
        let point = [units::add(x, base[0]), units::add(y, base[1])];
        self.segment(&name, &found, env, point, out, carried);
    }

    fn segment(
        &self,
        name: &str,
        found: &Found,
        env: &Environment,
        point: [Lu; 2],
        out: &mut Vec<Element>,
        carried: &mut Carried,
    ) {
        if !self.enter(found, name) {
            return;
        }
        let fields: Vec<Field<'_>> = found.fields.iter().collect();
        let draw = |artist: &Artist<'_>, point, out: &mut Vec<Element>, carried: &mut Carried| {
            artist.inside.borrow_mut().push(found.key);
            artist.content(&fields, env, Some(point), out, carried);
            artist.inside.borrow_mut().pop();
        };
        if !is_portable(&fields) {
            return draw(self, point, out, carried);
        }
        self.keep(found.key, key_of(env, &[]), point, out, &mut |artist, out| {
            draw(artist, [Lu(0); 2], out, &mut Carried::default());
        });
    }

    /// Draws an object of a resource at the place that the include says.
    pub(super) fn include_object(
        &self,
        field: &Field<'_>,
        env: &Environment,
        segment: Option<[Lu; 2]>,
        out: &mut Vec<Element>,
        carried: &mut Carried,
    ) {
        let object_type = field.data.get(9).copied().unwrap_or(0);
        let kinds = included_kinds(object_type);
        let names = included_names(field.data, self.charset);
        let found = names.iter().find_map(|name| Some((name, self.store.find(kinds, name, self.visible)?)));
        let Some((name, found)) = found else {
            let kind = kinds.first().copied().unwrap_or(kind::CONTAINER);
            return self.missing(kind, names.first().map_or("without a name", String::as_str));
        };
        let include = Include::of(field.data, env, segment);
        match object_type {
            0xDF => {
                let area = include.placed(&Area::default());
                return self.overlay(name, [area.x, area.y], area.turns, out);
            }
            0x5F => {
                let area = include.placed(&Area::default());
                return self.segment(name, &found, env, [area.x, area.y], out, carried);
            }
            _ => {}
        }
        if !self.enter(&found, name) {
            return;
        }
        let fields: Vec<Field<'_>> = found.fields.iter().collect();
        if !is_portable(&fields) {
            return self.object(&fields, Some(&include), env, None, out, carried);
        }
        // The same object at another place is the same picture.
        let base = include.place.unwrap_or_default();
        let there = Include { place: include.place.map(|_| [Lu(0); 2]), ..include };
        let says = field.data.get(16..).unwrap_or_default();
        let own_place = [u8::from(include.place.is_none())];
        self.keep(found.key, key_of(env, &[says, &own_place].concat()), base, out, &mut |artist, out| {
            artist.object(&fields, Some(&there), env, None, out, &mut Carried::default());
        });
    }

    /// Draws something at the origin once, and puts it at `point` each time.
    fn keep(
        &self,
        key: u64,
        says: Vec<u8>,
        point: [Lu; 2],
        out: &mut Vec<Element>,
        draw: &mut dyn FnMut(&Artist<'_>, &mut Vec<Element>),
    ) {
        let pictures = self.what == super::What::All;
        let kept = self.store.include((key, self.visible, says, pictures), || {
            let artist = self.apart();
            let mut elements = Vec::new();
            draw(&artist, &mut elements);
            let keep = !artist.room.is_short();
            Included { elements, reports: artist.into_reports(), keep }
        });
        self.repeat(&kept.reports);
        if !self.spend(kept.elements.len()) || !self.has_room(&kept.elements) {
            return;
        }
        for element in &kept.elements {
            let mut element = element.clone();
            shift::place(&mut element, 0, point);
            out.push(element);
        }
    }
}

/// The ids of what elements are made with.
fn contents(elements: &[Element]) -> Vec<u8> {
    let mut ids = Vec::new();
    for element in elements {
        match element {
            Element::Text(run) => ids.extend(run.embedded.iter().flat_map(|embedded| embedded.font.id().0)),
            Element::Image(placed) => ids.extend(placed.image.id().0),
            Element::Form(placed) => ids.extend(placed.form.id.0),
            _ => {}
        }
    }
    ids
}

/// What elements at the origin depend on besides their resource.
fn key_of(env: &Environment, says: &[u8]) -> Vec<u8> {
    let mut key: Vec<u8> = env.units.iter().flat_map(|units| units.to_bits().to_be_bytes()).collect();
    key.extend_from_slice(says);
    key
}

/// Whether objects look the same wherever they are included: pictures that know their own place.
fn is_portable(fields: &[Field<'_>]) -> bool {
    fields.iter().all(|field| match field.id {
        id::BPT | id::PTX | id::BGR | id::BBC | id::IOB | id::IPS | id::IPO => false,
        // Placed from the page, wherever the page segment is.
        id::OBP => field.data.get(23).is_none_or(|reference| *reference == 0),
        _ => true,
    })
}

/// What an include object field says in place of what the object says itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Include<'d> {
    place: Option<[Lu; 2]>,
    turns: Option<u8>,
    content: [Option<Lu>; 2],
    triplets: &'d [u8],
    units: [f64; 2],
}

impl<'d> Include<'d> {
    fn of(data: &'d [u8], env: &Environment, segment: Option<[Lu; 2]>) -> Include<'d> {
        let triplets = data.get(27..).unwrap_or_default();
        let own = crate::decode::afp::environment::own_units(triplets, env.units);
        let length = |at, per_inch| s24_at(data, at).filter(|length| *length != -1).map(|l| units::lu(l, per_inch));
        let base = segment.filter(|_| data.get(26) == Some(&0)).unwrap_or_default();
        let place = length(10, env.units[0]).zip(length(13, env.units[1]));
        Include {
            place: place.map(|(x, y)| [units::add(x, base[0]), units::add(y, base[1])]),
            turns: u16_at(data, 16).and_then(units::turns),
            content: [length(20, own[0]), length(23, own[1])],
            triplets,
            units: env.units,
        }
    }

    /// The area of an object whose own is `area`.
    pub(super) fn placed(&self, area: &Area) -> Area {
        let mut area = Area { ..*area };
        if let Some([x, y]) = self.place {
            (area.x, area.y) = (x, y);
        }
        area.turns = self.turns.unwrap_or(area.turns);
        area.content = [self.content[0].unwrap_or(area.content[0]), self.content[1].unwrap_or(area.content[1])];
        area.resize(self.triplets, self.units);
        if triplet::resets(self.triplets) {
            area.paper = Some(crate::page::Color { r: 255, g: 255, b: 255 });
        }
        area
    }

    pub(super) fn triplets(&self) -> &'d [u8] {
        self.triplets
    }
}
