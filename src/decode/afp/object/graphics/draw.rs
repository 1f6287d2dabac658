//! Carries out drawing orders: attributes, lines and curves. Areas: [`fill`], [`tile`]; markers, strings, images: [`mark`].

mod fill;
mod mark;
mod tile;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::ObjectFonts;
use super::super::place::Place;
use super::area::{Area, MOST_CROSSINGS};
use super::clip::clipped;
use super::curve::{Arc, fillet, rounded_box, sharp_fillet};
use super::descriptor::Descriptor;
use super::gradient::{Gradient, MOST_CUTS};
use super::image::Pending;
use super::line::{stroke, visible};
use super::order::{Order, Orders};
use super::pattern::{Cost, MOST_PIXELS, Tile};
use super::shape::{Point, Seg, View};
use super::state::Attributes;
use crate::decode::afp::bytes::{i16_at, u8_at, u16_at, u32_at};
use tile::Recording;

use crate::decode::afp::{Limits, Report, color};
use crate::page::{Color, Element, Path, Step, Stroke};

const WHITE: Color = Color { r: 255, g: 255, b: 255 };
/// Steps of paths for each element that a page may have.
const STEPS_PER_ELEMENT: usize = 4;

/// What one object and its copies may do together.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    /// Samples of all images.
    pub samples: usize,
    /// Cuts of gradients.
    pub cuts: usize,
    /// Pixels of patterns, and crossings of them and of hatch lines with outlines.
    pub cost: Cost,
}

impl Left {
    /// At the start.
    pub fn of(limits: &Limits) -> Left {
        let cost = Cost { pixels: MOST_PIXELS, crossings: MOST_CROSSINGS };
        Left { samples: limits.image_samples, cuts: MOST_CUTS, cost }
    }
}

/// The state of drawing one object at one place.
pub struct Drawing<'a, 'r> {
    /// What was drawn.
    pub elements: Vec<Element>,
    descriptor: &'a Descriptor,
    view: View,
    fonts: &'a dyn ObjectFonts,
    limits: &'a Limits,
    report: &'a mut Report<'r>,
    attributes: Attributes,
    position: Point,
    area: Option<Area>,
    image: Option<Pending>,
    /// What may still be done.
    pub left: Left,
    recording: Option<Recording>,
    /// Custom patterns of the present segment by pattern set and symbol.
    patterns: BTreeMap<[u8; 2], Rc<Tile>>,
    /// Gradients of the present segment by pattern set and symbol.
    gradients: BTreeMap<[u8; 2], Gradient>,
    reported: BTreeSet<u16>,
    steps_left: usize,
    full: bool,
}

impl<'a, 'r> Drawing<'a, 'r> {
    /// Starts at a place, after what was drawn before.
    pub fn new(
        descriptor: &'a Descriptor,
        place: Place,
        fonts: &'a dyn ObjectFonts,
        limits: &'a Limits,
        report: &'a mut Report<'r>,
        elements: Vec<Element>,
    ) -> Drawing<'a, 'r> {
        let window = descriptor.window;
        let corner = [window.left.min(window.right), window.top.max(window.bottom)];
        Drawing {
            elements,
            descriptor,
            view: View { corner, unit: descriptor.unit, place },
            fonts,
            limits,
            report,
            attributes: descriptor.defaults.clone(),
            position: [0.0, 0.0],
            area: None,
            image: None,
            left: Left::of(limits),
            recording: None,
            patterns: BTreeMap::new(),
            gradients: BTreeMap::new(),
            reported: BTreeSet::new(),
            steps_left: limits.page_elements.saturating_mul(STEPS_PER_ELEMENT),
            full: false,
        }
    }

    /// Carries out all orders.
    pub fn run(&mut self, gad: &[u8]) {
        let mut orders = Orders::new(gad);
        while let Some(order) = orders.next() {
            if self.full {
                break;
            }
            if order.code == 0x70 {
                let skip = self.begin_segment(order.data);
                orders.pass_over(skip);
            } else if self.order(&order).is_none() {
                (self.report)("afp-graphics-cut", format!("drawing order X'{:02X}'", order.code));
            }
        }
        if orders.cut {
            (self.report)("afp-graphics-cut", "graphics data".into());
        }
        self.end_area();
        self.end_image();
        self.end_pattern();
    }

    /// Begin Segment: attributes and position start anew, unless the segment appends to the one before. Returns the bytes to
    /// skip: those of an unchained segment, which is drawn only when called.
    fn begin_segment(&mut self, data: &[u8]) -> usize {
        let flags = u8_at(data, 5).unwrap_or(0);
        if flags & 0x80 != 0 {
            return usize::from(u16_at(data, 6).unwrap_or(0));
        }
        if flags & 0x06 != 0x06 {
            self.end_area();
            self.end_image();
            self.end_pattern();
            self.patterns.clear();
            self.attributes = self.descriptor.defaults.clone();
            self.position = [0.0, 0.0];
            self.gradients.clear();
        }
        0
    }

    /// Carries out one order; `None` when its data is cut short.
    fn order(&mut self, order: &Order<'_>) -> Option<()> {
        let Order { code, data } = *order;
        if self.is_passed_over(code) {
            return Some(());
        }
        match code {
            // No-operation, comment, segment characteristics, end prolog, end segment, pick identifier.
            0x00 | 0x01 | 0x04 | 0x3E | 0x71 | 0x43 => {}
            0x08..=0x0D | 0x18..=0x1B | 0x28 | 0x29 | 0x38..=0x3C => self.short_attribute(code, u8_at(data, 0)?),
            0x11 | 0x20 | 0x22 | 0x26 | 0x33..=0x35 | 0x37 | 0xA0 | 0xB2 => self.long_attribute(code, data)?,
            0x21 => {
                self.position = point_at(data, 0)?;
                if let Some(area) = &mut self.area {
                    area.close();
                }
            }
            0x68 => self.begin_area(u8_at(data, 0)?),
            0x60 => self.end_area(),
            0xC0 | 0x80 | 0xC1 | 0x81 | 0xE1 | 0xA1 => self.lines(code, data)?,
            0xC5 | 0x85 | 0xE4 | 0xA4 | 0xC7 | 0x87 | 0xE3 | 0xA3 | 0xE5 | 0xA5 => self.curves(code, data)?,
            0xC2 | 0x82 => self.markers(code, data)?,
            0xC3 | 0x83 => self.text(code, data)?,
            0xD1 | 0x91 => self.begin_image(code, data)?,
            0x92 => {
                if let Some(image) = &mut self.image {
                    image.row(data);
                }
            }
            0x93 => self.end_image(),
            0xDE => self.begin_pattern(data),
            0xDF => self.delete_pattern(data),
            0x5E => self.end_pattern(),
            0xFEDC | 0xFEDD => self.define_gradient(code, data),
            _ => self.unknown(code),
        }
        Some(())
    }

    /// Orders that are not drawn are reported once for each code.
    fn unknown(&mut self, code: u16) {
        if self.reported.insert(code) {
            (self.report)("afp-graphics-order", format!("drawing order X'{code:02X}' is not drawn"));
        }
    }

    fn short_attribute(&mut self, code: u16, value: u8) {
        let defaults = &self.descriptor.defaults;
        let to = &mut self.attributes;
        let or = |default: u8| if value == 0 { default } else { value };
        match code {
            0x08 => to.pattern_set = or(defaults.pattern_set),
            0x0A => to.color = one_byte_color(value).unwrap_or(defaults.color),
            0x0C => to.mix = or(defaults.mix),
            0x0D => to.back_mix = or(defaults.back_mix),
            0x18 => {
                to.line_type = or(defaults.line_type);
                to.custom_line.clear();
            }
            0x19 => to.line_width = if value == 0 { defaults.line_width } else { f64::from(value) },
            0x1A => to.line_end = or(defaults.line_end),
            0x1B => to.line_join = or(defaults.line_join),
            0x28 => to.pattern = or(defaults.pattern),
            0x29 => to.marker = or(defaults.marker),
            0x38 => to.char_set = or(defaults.char_set),
            0x3A => to.char_direction = or(defaults.char_direction),
            0x3C => to.marker_set = or(defaults.marker_set),
            0x39 | 0x3B => {} // precision: characters and markers are always placed and scaled as exactly as can be
            _ => self.unknown(code),
        }
    }

    fn long_attribute(&mut self, code: u16, data: &[u8]) -> Option<()> {
        let defaults = &self.descriptor.defaults;
        let to = &mut self.attributes;
        match code {
            0x11 => {
                let width = multiple_at(data, 0)?;
                to.line_width = if width == 0.0 { defaults.line_width } else { width };
            }
            0x20 => to.custom_line = data.chunks_exact(2).filter_map(|pair| multiple_at(pair, 0)).collect(),
            0x22 => {
                let ([p, q], [r, s]) = (point_at(data, 0)?, point_at(data, 4)?);
                to.arc = [p, q, r, s];
            }
            0x26 => {
                let value = u16_at(data, 0)?;
                let named = if matches!(value, 0 | 0xFF00 | 0xFFFF) { None } else { color::named(value) };
                to.color = named.unwrap_or(defaults.color);
            }
            0x33 => {
                let [width, height] = point_at(data, 0)?;
                let part = |at: usize| f64::from(u16_at(data, at).unwrap_or(0)) / 65_536.0;
                to.char_cell = [width + part(4), height + part(6)];
            }
            0x34 => to.char_angle = point_at(data, 0)?,
            0x35 => to.char_shear = point_at(data, 0)?,
            0x37 => to.marker_cell = point_at(data, 0)?,
            0xA0 if u8_at(data, 0)? & 0x80 != 0 => to.pattern_origin = defaults.pattern_origin,
            0xA0 => to.pattern_origin = point_at(data, 2)?,
            _ => to.color = color::color(data.get(1..)?).unwrap_or(defaults.color),
        }
        Some(())
    }

    /// The first point of an order that has one "at a given position"; the current position of one that goes on from there.
    fn start<'d>(&mut self, given: bool, data: &'d [u8]) -> Option<(Point, &'d [u8])> {
        if !given {
            return Some((self.position, data));
        }
        let start = point_at(data, 0)?;
        if let Some(area) = &mut self.area {
            area.close();
        }
        self.position = start;
        Some((start, data.get(4..)?))
    }

    fn lines(&mut self, code: u16, data: &[u8]) -> Option<()> {
        if matches!(code, 0xC0 | 0x80) {
            return self.rectangle(code == 0xC0, data);
        }
        let (start, rest) = self.start(matches!(code, 0xC1 | 0xE1), data)?;
        let mut shape = vec![Seg::Move(start)];
        if matches!(code, 0xC1 | 0x81) {
            shape.extend(points(rest).map(Seg::Line));
        } else {
            let [mut x, mut y] = start;
            for pair in rest.chunks_exact(2) {
                let [dx, dy] = pair else { break };
                x += f64::from(dx.cast_signed());
                y += f64::from(dy.cast_signed());
                shape.push(Seg::Line([x, y]));
            }
        }
        self.go_on(shape);
        Some(())
    }

    /// Box: two control bytes, the given corner, the opposite corner, the axes of rounded corners.
    fn rectangle(&mut self, given: bool, data: &[u8]) -> Option<()> {
        let (start, rest) = self.start(given, data.get(2..)?)?;
        let corner = point_at(rest, 0)?;
        let axis = |at: usize| f64::from(u16_at(rest, at).unwrap_or(0));
        self.figure(&rounded_box(start, corner, [axis(4), axis(6)]));
        Some(())
    }

    fn curves(&mut self, code: u16, data: &[u8]) -> Option<()> {
        let given = matches!(code, 0xC5 | 0xE4 | 0xC7 | 0xE3 | 0xE5);
        let (start, rest) = self.start(given, data)?;
        match code {
            0xC5 | 0x85 => {
                let corners: Vec<Point> = std::iter::once(start).chain(points(rest)).collect();
                self.go_on(fillet(&corners));
            }
            0xE4 | 0xA4 => {
                let arcs = rest.len() / 12;
                let at = |i: usize| {
                    let sharpness = f64::from(u32_at(rest, arcs * 8 + i * 4)?.cast_signed()) / 65_536.0;
                    Some((point_at(rest, i * 8)?, point_at(rest, i * 8 + 4)?, sharpness))
                };
                let arcs: Vec<_> = (0..arcs).filter_map(at).collect();
                self.go_on(sharp_fillet(start, &arcs));
            }
            0xC7 | 0x87 => {
                let arc = Arc { centre: start, parameters: self.attributes.arc, multiplier: multiple_at(rest, 0)? };
                self.figure(&arc.full());
            }
            0xE3 | 0xA3 => {
                let (centre, multiplier) = (point_at(rest, 0)?, multiple_at(rest, 4)?);
                let [from, sweep] = [u32_at(rest, 6)?, u32_at(rest, 10)?].map(|angle| f64::from(angle) / 65_536.0);
                let arc = Arc { centre, parameters: self.attributes.arc, multiplier };
                let mut shape = vec![Seg::Move(start)];
                if arc.at(from) != start {
                    shape.push(Seg::Line(arc.at(from)));
                }
                shape.extend(arc.sweep(from, sweep.min(360.0)));
                self.go_on(shape);
            }
            _ => {
                let all: Vec<Point> = points(rest).collect();
                let mut shape = vec![Seg::Move(start)];
                for curve in all.chunks_exact(3) {
                    let [a, b, to] = curve else { break };
                    shape.push(Seg::Curve(*a, *b, *to));
                }
                self.go_on(shape);
            }
        }
        Some(())
    }

    /// Draws a line or curve and moves the current position to its end.
    fn go_on(&mut self, shape: Vec<Seg>) {
        if let Some(Seg::Line(to) | Seg::Curve(_, _, to)) = shape.last() {
            self.position = *to;
        }
        self.figure(&shape);
    }

    /// Draws a figure, or adds it to the area.
    fn figure(&mut self, shape: &[Seg]) {
        if shape.len() < 2 || !self.spend(shape.len()) {
            return;
        }
        if let Some(area) = &mut self.area {
            area.add(shape);
            if area.boundary && visible(&self.attributes) {
                area.outlines.push((shape.to_vec(), stroke(&self.attributes, &self.view.place)));
            }
        } else if visible(&self.attributes) {
            let stroke = stroke(&self.attributes, &self.view.place);
            self.path(self.view.steps(shape), None, false, Some(stroke));
        }
    }

    fn spend(&mut self, steps: usize) -> bool {
        match self.steps_left.checked_sub(steps) {
            Some(left) if self.elements.len() < self.limits.page_elements => self.steps_left = left,
            _ if self.full => {}
            _ => {
                self.full = true;
                (self.report)("afp-graphics-limit", "figures of a graphics object".into());
            }
        }
        !self.full
    }

    fn path(&mut self, steps: Vec<Step>, fill: Option<Color>, even_odd: bool, stroke: Option<Stroke>) {
        let path = Path { steps, fill, even_odd, stroke };
        let Some(clip) = self.view.place.clip else { return self.elements.push(Element::Path(path)) };
        // Fill and outline are cut apart: the edge of the area is no outline.
        let outline = path.stroke.clone().map(|stroke| Path { fill: None, stroke: Some(stroke), ..path.clone() });
        let inside = path.fill.map(|_| Path { stroke: None, ..path });
        let parts = inside.into_iter().chain(outline).filter_map(|part| clipped(part, clip));
        self.elements.extend(parts.map(Element::Path));
    }
}

/// Set Color: 0 is the drawing default, others are the low byte of X'FF0n'.
fn one_byte_color(value: u8) -> Option<Color> {
    if value == 0 { None } else { color::named(0xFF00 | u16::from(value)) }
}

pub(super) fn point_at(data: &[u8], at: usize) -> Option<Point> {
    Some([f64::from(i16_at(data, at)?), f64::from(i16_at(data, at.checked_add(2)?)?)])
}

fn points(data: &[u8]) -> impl Iterator<Item = Point> + '_ {
    data.chunks_exact(4).filter_map(|four| point_at(four, 0))
}

/// A byte of whole units and a byte of 256ths.
pub(super) fn multiple_at(data: &[u8], at: usize) -> Option<f64> {
    Some(f64::from(u16_at(data, at)?) / 256.0)
}
