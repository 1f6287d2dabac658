//! Custom patterns: recorded on a plane of their own, and laid into areas as pictures, one of each colour.

use std::rc::Rc;

use super::{Drawing, WHITE};
use crate::decode::afp::object::graphics::area::Area;
use crate::decode::afp::object::graphics::pattern::{Definition, Flaw, PIXEL, Picture, Tile, counts};
use crate::decode::afp::object::graphics::shape::{Point, View, polygons};
use crate::decode::afp::object::graphics::state::{Attributes, OVERPAINT};
use crate::decode::afp::object::place::Place;
use crate::page::{Color, Element, Image, Samples, Stroke};

/// Patterns and gradients that one segment may define.
pub(super) const PATTERNS: usize = 256;
/// How often the pixels of a picture are made twice as large for it to fit.
const COARSER: u8 = 12;

/// A custom pattern that is being drawn.
pub(super) struct Recording {
    /// `None`: it cannot be, and what it draws is passed over.
    definition: Option<Definition>,
    attributes: Attributes,
    position: Point,
    view: View,
    elements: Vec<Element>,
}

impl Drawing<'_, '_> {
    /// Whether an order is passed over because of the custom pattern it stands in: patterns of one colour have no colours, and
    /// no pattern is defined or deleted in another.
    pub(super) fn is_passed_over(&mut self, code: u16) -> bool {
        let Some(recording) = &self.recording else { return false };
        match (recording.definition, code) {
            (_, 0x5E | 0xDE) => false,
            (None, _) => true,
            (Some(definition), 0x0A | 0x26 | 0xB2) => !definition.is_full_color,
            (Some(_), 0xDF | 0xFEDC | 0xFEDD) => {
                self.unknown(code);
                true
            }
            _ => false,
        }
    }

    /// Begin Custom Pattern.
    pub(super) fn begin_pattern(&mut self, data: &[u8]) {
        self.end_area();
        self.end_image();
        self.end_pattern();
        let has_room = self.gradients.len() + self.patterns.len() < PATTERNS;
        let is_free = |key| !self.gradients.contains_key(&key) && !self.patterns.contains_key(&key);
        let definition = Definition::read(data).filter(|definition| has_room && is_free(definition.key));
        let view = self.view;
        match definition {
            Some(Definition { window: [left, _, _, top], .. }) => {
                let place = Place { origin: [0.0; 2], scale: [1.0; 2], turns: 0, clip: None };
                self.view = View { corner: [left, top], place, ..view };
            }
            None => (self.report)("afp-graphics-pattern", "a custom pattern that cannot be defined".into()),
        }
        let mut start = self.descriptor.defaults.clone();
        if definition.is_some_and(|definition| !definition.is_full_color) {
            start.color = Color::BLACK;
        }
        self.recording = Some(Recording {
            definition,
            attributes: std::mem::replace(&mut self.attributes, start),
            position: std::mem::take(&mut self.position),
            view,
            elements: std::mem::take(&mut self.elements),
        });
    }

    /// End Custom Pattern, also where the order is missing: what was drawn becomes a tile, and drawing goes on as before.
    pub(super) fn end_pattern(&mut self) {
        if self.recording.is_none() {
            return;
        }
        self.end_area();
        self.end_image();
        let Some(Recording { definition, attributes, position, view, elements }) = self.recording.take() else {
            return;
        };
        let drawn = std::mem::replace(&mut self.elements, elements);
        (self.attributes, self.position, self.view) = (attributes, position, view);
        let Some(Definition { key, is_full_color, window: [left, right, bottom, top] }) = definition else { return };
        let [unit_x, unit_y] = view.unit;
        let size = [(right - left) * unit_x, (top - bottom) * unit_y];
        let painted = self
            .pixel_for(size, 1)
            .ok_or(Flaw::TooMuch)
            .and_then(|pixel| Tile::paint(&drawn, size, pixel, is_full_color, &mut self.left.cost));
        match painted {
            Ok((tile, flaw)) => {
                if flaw.is_some() {
                    (self.report)("afp-graphics-pattern", "letters or colours of a custom pattern".into());
                }
                self.patterns.insert(key, Rc::new(tile));
            }
            Err(_) => (self.report)("afp-graphics-limit", "a custom pattern".into()),
        }
    }

    /// The size of pixels, in units of the content, of a picture of this size in so many colours: as large as must be for it to
    /// take a quarter of what may be painted still, at most.
    fn pixel_for(&self, size: Point, colors: usize) -> Option<Point> {
        let [scale_x, scale_y] = self.view.place.scale.map(|scale| scale.abs().max(1e-6));
        let mut pixel = [PIXEL / scale_x, PIXEL / scale_y];
        for _ in 0..COARSER {
            let [columns, rows] = counts(size, pixel);
            let pixels = columns.saturating_mul(rows).saturating_mul(colors.max(1));
            if pixels <= self.left.cost.pixels / 4 && pixels <= self.left.samples {
                return Some(pixel);
            }
            pixel = pixel.map(|side| side * 2.0);
        }
        None
    }

    /// Fills an area with tiles.
    pub(super) fn lay_tiles(&mut self, area: &Area, tile: &Tile, outline: Option<Stroke>) {
        if area.pattern.back_mix == OVERPAINT {
            self.path(self.view.steps(&area.shape), Some(WHITE), area.even_odd, None);
        }
        if self.laid(area, tile).is_none() {
            (self.report)("afp-graphics-limit", "an area with a custom pattern".into());
        }
        if outline.is_some() {
            self.path(self.view.steps(&area.shape), None, area.even_odd, outline);
        }
    }

    fn laid(&mut self, area: &Area, tile: &Tile) -> Option<()> {
        let figures = polygons(&area.shape, |point| self.view.content(point));
        let [width, height] = self.descriptor.size();
        let Some((corner, size)) = bounds(&figures, [width, height]) else { return Some(()) };
        let pixel = self.pixel_for(size, tile.colors())?;
        let pixels = counts(size, pixel);
        let picture = Picture { corner, pixel, pixels };
        let origin = self.view.content(area.pattern.pattern_origin);
        let planes = tile.fill(&figures, area.even_odd, &picture, origin, &mut self.left.cost)?;
        let [columns, rows] = pixels.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let [width, height] = [pixel[0] * f64::from(columns), pixel[1] * f64::from(rows)];
        let whole = self.view.place.boxed(corner[0], corner[1], width, height);
        for (color, data) in planes {
            self.left.samples = self.left.samples.checked_sub(pixels[0] * pixels[1])?;
            if !self.spend(1) {
                return Some(());
            }
            let samples = Samples::Bits { data, ink: color.unwrap_or(area.pattern.color), paper: None };
            self.picture(whole, Image::new(columns, rows, samples));
        }
        Some(())
    }
}

/// Top left corner and size of figures, as far as they lie in a window of this size.
fn bounds(figures: &[Vec<Point>], window: Point) -> Option<(Point, Point)> {
    let side = |axis: fn(&Point) -> f64| {
        let all = || figures.iter().flatten().map(axis);
        let low = all().fold(f64::INFINITY, f64::min).max(0.0);
        let high = all().fold(f64::NEG_INFINITY, f64::max).min(axis(&window));
        (low < high).then_some((low, high - low))
    };
    let ((x, width), (y, height)) = (side(|[x, _]| *x)?, side(|[_, y]| *y)?);
    Some(([x, y], [width, height]))
}
