//! Objects: their areas from the object environment group, their data to the module of their kind.

use super::include::Include;
use super::{Artist, PageFonts, What, joined, paint};
use crate::decode::afp::environment::{Area, Environment};
use crate::decode::afp::field::{Field, FieldId};
use crate::decode::afp::object::ObjectArea;
use crate::decode::afp::object::container::Container;
use crate::decode::afp::ptoca::{self, Carried, TextEnvironment};
use crate::decode::afp::triplet;
use crate::decode::afp::{id, units};
use crate::page::{Color, Element, Lu};

impl Artist<'_> {
    /// Draws one object; `include` overrides what it says of its place.
    pub(super) fn object(
        &self,
        fields: &[Field<'_>],
        include: Option<&Include<'_>>,
        env: &Environment,
        segment: Option<[Lu; 2]>,
        out: &mut Vec<Element>,
        carried: &mut Carried,
    ) {
        let is_object = |id: FieldId| matches!(id, id::BPT | id::BIM | id::BII | id::BGR | id::BBC | id::BOC);
        let Some(begin) = fields.iter().find(|field| is_object(field.id)).map(|field| field.id) else { return };
        let from = out.len();
        match begin {
            id::BPT => self.text_object(fields, include, env, segment, out, carried),
            id::BII if self.what == What::All => {
                let [x, y] = segment.unwrap_or_default();
                let own = Area { x, y, ..Area::default() };
                let area = include.map_or(own, |include| include.placed(&own));
                let drawn = self.im_image(area.x, area.y, area.turns, fields);
                out.extend(drawn);
            }
            id::BII => {}
            _ => {
                let area = self.area(fields, include, env, segment);
                self.paint_area(&area, out);
                let object = ObjectArea {
                    x: area.x,
                    y: area.y,
                    turns: area.turns,
                    width: area.width,
                    height: area.height,
                    mapping: mapping(fields, include),
                    content_x: area.content[0],
                    content_y: area.content[1],
                    color: include.and_then(|include| triplet::color(include.triplets())),
                };
                self.draw_object(begin, fields, include, &object, env, out);
            }
        }
        // Text counts itself as it is drawn.
        if begin != id::BPT {
            let room = self.left.get();
            if !self.spend(out.len() - from) {
                out.truncate(from + room);
            }
        }
    }

    fn draw_object(
        &self,
        begin: FieldId,
        fields: &[Field<'_>],
        include: Option<&Include<'_>>,
        area: &ObjectArea,
        env: &Environment,
        out: &mut Vec<Element>,
    ) {
        let fonts = PageFonts::of(self, fields, env);
        let data = |id| fields.iter().find(|field| field.id == id).map_or(&[][..], |field| field.data);
        let all = self.what == What::All;
        let drawn = match begin {
            id::BIM if all => self.image(area, fields, env),
            id::BGR => self.graphics(area, data(id::GDD), &joined(fields, id::GAD), &fonts),
            id::BBC => {
                let symbols: Vec<&[u8]> = fields.iter().filter(|f| f.id == id::BDA).map(|f| f.data).collect();
                self.bar_code(area, data(id::BDD), &symbols, &fonts)
            }
            // Text can stand in any of its fields; which of them are PDF is seen when they are put together.
            id::BOC => {
                // What the include says wins, then the container's descriptor, then the container.
                let (begin, descriptor) = (data(id::BOC).get(8..), data(id::CDD).get(12..));
                let said = include.map_or(&[][..], Include::triplets);
                let triplets = [said, descriptor.unwrap_or_default(), begin.unwrap_or_default()];
                let find = |id| triplets.iter().find_map(|triplets| triplet::find(triplets, id));
                let resolution = find(triplet::RESOLUTION).and_then(|data| triplet::units_per_inch(data.get(2..)?));
                let object = Container {
                    oid: triplets.iter().find_map(|triplets| triplet::object_oid(triplets)).unwrap_or_default(),
                    data: &joined(fields, id::OCD),
                    page: find(triplet::OBJECT_OFFSET).and_then(page_number).unwrap_or(0),
                    resolution,
                    size: find(triplet::CONTAINER_SIZE).and_then(container_size),
                    pictures: all,
                };
                self.container(area, &object)
            }
            _ => Vec::new(),
        };
        out.extend(drawn);
    }

    /// Text without a Begin of its own.
    pub(super) fn text(
        &self,
        fields: &[Field<'_>],
        env: &Environment,
        segment: Option<[Lu; 2]>,
        out: &mut Vec<Element>,
        carried: &mut Carried,
    ) {
        self.text_object(fields, None, env, segment, out, carried);
    }

    fn text_object(
        &self,
        fields: &[Field<'_>],
        include: Option<&Include<'_>>,
        env: &Environment,
        segment: Option<[Lu; 2]>,
        out: &mut Vec<Element>,
        carried: &mut Carried,
    ) {
        let descriptor = fields.iter().find(|field| matches!(field.id, id::PTD | id::PTD1)).map(|field| field.data);
        let has_area = include.is_some() || fields.iter().any(|field| matches!(field.id, id::OBD | id::OBP));
        let area = if has_area { self.area(fields, include, env, segment) } else { in_segment(env.text, segment) };
        if has_area {
            self.paint_area(&area, out);
        }
        let fonts = PageFonts::of(self, fields, env);
        let environment = TextEnvironment {
            descriptor: descriptor.unwrap_or(&env.descriptor),
            units: env.units,
            origin: [units::add(area.x, area.content[0]), units::add(area.y, area.content[1])],
            turns: area.turns,
            extent: [area.width.unwrap_or(env.size[0]), area.height.unwrap_or(env.size[1])],
            fonts: &fonts,
            default_font: &self.default_font,
            color: Color::BLACK,
            suppressed: self.suppressed,
            elements: self.left.get(),
        };
        let (data, from) = (joined(fields, id::PTX), out.len());
        let report = &mut |code, detail| self.note(code, detail);
        if has_area {
            let mut apart = carried.apart();
            ptoca::draw(&data, &environment, &mut apart, out, report);
            carried.count(&apart);
        } else {
            ptoca::draw(&data, &environment, carried, out, report);
        }
        self.spend((out.len() - from).min(self.left.get()));
        let text = |element: &Element| matches!(element, Element::Text(run) if !run.text.trim().is_empty());
        if fonts.is_empty() && out.get(from..).unwrap_or_default().iter().any(text) {
            self.note("afp-text-font", "no font is mapped; the default font is used (LiberationSans)".into());
        }
    }

    /// The area of an object, on the page.
    fn area(
        &self,
        fields: &[Field<'_>],
        include: Option<&Include<'_>>,
        env: &Environment,
        segment: Option<[Lu; 2]>,
    ) -> Area {
        let area = Area::of(fields, env.units).unwrap_or_default();
        match include {
            Some(include) => include.placed(&area),
            None if area.from_page => area,
            None => in_segment(area, segment),
        }
    }

    fn paint_area(&self, area: &Area, out: &mut Vec<Element>) {
        let (Some(width), Some(height)) = (area.width, area.height) else { return };
        let from = out.len();
        paint(out, area.paper, [Lu(0), Lu(0)], [width, height]);
        let painted = out.get_mut(from..).unwrap_or_default();
        painted.iter_mut().for_each(|element| super::shift::place(element, area.turns, [area.x, area.y]));
    }
}

fn in_segment(area: Area, segment: Option<[Lu; 2]>) -> Area {
    let [x, y] = segment.unwrap_or_default();
    Area { x: units::add(area.x, x), y: units::add(area.y, y), ..area }
}

/// The mapping option: the include's, or that of the object's own mapping field.
fn mapping(fields: &[Field<'_>], include: Option<&Include<'_>>) -> Option<u8> {
    let by_include = include.and_then(|include| triplet::find(include.triplets(), triplet::MAPPING)?.first());
    let own = fields
        .iter()
        .filter(|field| matches!(field.id, id::MIO | id::MGO | id::MBC | id::MCD | id::MPT))
        .find_map(|field| triplet::find(field.data.get(2..)?, triplet::MAPPING)?.first());
    by_include.or(own).copied()
}

/// The presentation space of a container (triplet X'9C': kind of page, units, extents).
fn container_size(data: &[u8]) -> Option<[Lu; 2]> {
    let [x_units, y_units] = triplet::units_per_inch(data.get(3..)?)?;
    Some([units::extent(triplet::extent_at(data, 9)?, x_units), units::extent(triplet::extent_at(data, 12)?, y_units)])
}

/// The page of a container with several, from 0 (triplet X'5A': kind, reserved, offset).
fn page_number(data: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*data.get(2..)?.first_chunk()?))
}
