//! What is drawn at points: markers, character strings, images.

use super::{Drawing, WHITE, points};
use crate::decode::afp::object::graphics::image::Pending;
use crate::decode::afp::object::graphics::line::stroke;
use crate::decode::afp::object::graphics::marker::{STANDARD_CELL, marker};
use crate::decode::afp::object::graphics::shape::Point;
use crate::decode::afp::object::graphics::state::{Attributes, LEAVE_ALONE, OVERPAINT};
use crate::decode::afp::object::place;
use crate::decode::afp::object::text::{Setting, set, set_plain};
use crate::page::{Element, Image, PlacedImage, Samples};

impl Drawing<'_, '_> {
    pub(super) fn markers(&mut self, code: u16, data: &[u8]) -> Option<()> {
        let (start, rest) = self.start(code == 0xC2, data)?;
        let given = (code == 0xC2).then_some(start);
        for at in given.into_iter().chain(points(rest)) {
            self.position = at;
            self.marker(at);
        }
        Some(())
    }

    fn marker(&mut self, at: Point) {
        let Attributes { marker_set, marker: symbol, marker_cell, color, .. } = self.attributes;
        if self.attributes.mix == LEAVE_ALONE {
            return;
        }
        let standard = self.view.unit.map(|unit| STANDARD_CELL / unit);
        let cell = if marker_cell == [0.0, 0.0] { standard } else { marker_cell };
        let half = cell.map(|side| side.abs() / 2.0);
        let found = if marker_set == 0 { marker(symbol, at, half) } else { None };
        let found = found.or_else(|| {
            (self.report)("afp-graphics-marker", format!("marker {symbol} of set {marker_set}, shown as a cross"));
            marker(1, at, half)
        });
        let Some(found) = found.filter(|found| self.spend(found.shape.len())) else { return };
        let steps = self.view.steps(&found.shape);
        if found.filled {
            self.path(steps, Some(color), false, None);
        } else {
            let solid = Attributes { color, ..Attributes::default() };
            self.path(steps, None, false, Some(stroke(&solid, &self.view.place)));
        }
    }

    pub(super) fn text(&mut self, code: u16, data: &[u8]) -> Option<()> {
        let (start, bytes) = self.start(code == 0xC3, data)?;
        if bytes.is_empty() || self.attributes.mix == LEAVE_ALONE || !self.spend(bytes.len()) {
            return Some(());
        }
        let setting = self.setting(start);
        let char_set = self.attributes.char_set;
        let (runs, is_exact) = match self.fonts.font(char_set) {
            Some(font) => set(&font, bytes, &setting),
            None => {
                (self.report)("afp-graphics-font", format!("no font is mapped to character set {char_set}"));
                set_plain(bytes, &setting)
            }
        };
        if !is_exact {
            let detail = format!("letters of character set {char_set} at an angle or slanted, shown upright");
            (self.report)("afp-graphics-font", detail);
        }
        self.elements.extend(runs.into_iter().map(Element::Text));
        Some(())
    }

    /// Where a string that starts at a point is set, and how.
    fn setting(&self, start: Point) -> Setting {
        let Attributes { char_angle, char_cell, char_shear, char_direction, color, .. } = self.attributes;
        let ([unit_x, unit_y], place) = (self.view.unit, &self.view.place);
        let [width, height] = char_cell;
        let has_cell = height != 0.0 || width != 0.0;
        let axes = Setting::axes([char_angle[0] * unit_x, char_angle[1] * unit_y], char_shear, has_cell, place);
        let cell = [width * unit_x, height * unit_y];
        Setting { at: self.view.exact(start), axes, direction: char_direction, cell, color }
    }

    pub(super) fn begin_image(&mut self, code: u16, data: &[u8]) -> Option<()> {
        self.end_image();
        let (start, rest) = self.start(code == 0xD1, data)?;
        self.image = Pending::new(start, rest, self.left.samples);
        if self.image.is_none() {
            (self.report)("afp-graphics-limit", "an image of unknown form or size".into());
        }
        Some(())
    }

    pub(super) fn end_image(&mut self) {
        let Some(image) = self.image.take() else { return };
        if self.attributes.mix == LEAVE_ALONE || !self.spend(1) {
            return;
        }
        let [x, y] = self.view.content(image.at);
        // In a custom pattern an image point is a graphics unit.
        let [side_x, side_y] = if self.recording.is_some() { self.view.unit } else { self.descriptor.image_point };
        let size = [f64::from(image.width) * side_x, f64::from(image.height) * side_y];
        let whole = self.view.place.boxed(x, y, size[0], size[1]);
        let paper = (self.attributes.back_mix == OVERPAINT).then_some(WHITE);
        let (columns, rows) = (u32::from(image.width), u32::from(image.height));
        self.left.samples = self.left.samples.saturating_sub(usize::from(image.width) * usize::from(image.height));
        let samples = Samples::Bits { data: image.finish(), ink: self.attributes.color, paper };
        self.picture(whole, Image::new(columns, rows, samples));
    }

    /// Puts a picture into a box of the page.
    pub(super) fn picture(&mut self, whole: place::PlacedBox, image: Image) {
        let place::PlacedBox { x, y, width, height } = whole;
        let (turns, clip, alt) = (self.view.place.turns, self.view.place.clip, String::new());
        self.elements.push(Element::Image(PlacedImage { x, y, width, height, turns, image, clip, alt }));
    }
}
