//! Areas: figures between Begin Area and End Area, and what fills and bounds them.
//!
//! Rule: AFP GOCA Reference, "Areas": the pattern is drawn with the attributes that hold when the area begins; each part of the
//! boundary with the line attributes that hold when it is drawn.

use super::tile::PATTERNS;
use super::{Drawing, WHITE};
use crate::decode::afp::object::graphics::area::{Area, Fill, HATCH_WIDTH, fill_of, hatch};
use crate::decode::afp::object::graphics::gradient::Gradient;
use crate::decode::afp::object::graphics::shape::{Point, Seg, polygons};
use crate::decode::afp::object::graphics::state::{Attributes, LEAVE_ALONE, OVERPAINT};
use crate::decode::afp::object::graphics::unreadable::absent;
use crate::decode::afp::object::place::lu;
use crate::page::{Color, Lu, Step, Stroke};

impl Drawing<'_, '_> {
    pub(super) fn begin_area(&mut self, flags: u8) {
        self.end_area();
        self.area = Some(Area::new(flags, self.attributes.clone()));
    }

    pub(super) fn end_area(&mut self) {
        let Some(mut area) = self.area.take() else { return };
        area.close();
        if area.shape.is_empty() || !self.spend(area.shape.len()) {
            return;
        }
        let outlines = std::mem::take(&mut area.outlines);
        let alike = outlines.first().filter(|(_, first)| outlines.iter().all(|(_, stroke)| stroke == first));
        // Parts of one kind are one outline, closed like the figures.
        let whole = alike.map(|(_, stroke)| stroke.clone());
        let parts = if whole.is_none() { outlines } else { Vec::new() };
        self.fill_area(&area, whole);
        for (shape, stroke) in parts {
            self.path(self.view.steps(&shape), None, false, Some(stroke));
        }
    }

    /// Linear Gradient, Radial Gradient: two reserved bytes, pattern set and symbol, the gradient. A pattern that is there
    /// already stays.
    pub(super) fn define_gradient(&mut self, code: u16, data: &[u8]) {
        let [_, _, set @ 1..=0xFD, symbol @ 1..=0xFF, rest @ ..] = data else { return self.unknown(code) };
        let key = [*set, *symbol];
        if self.gradients.contains_key(&key) || self.patterns.contains_key(&key) {
            return;
        }
        let linear = code == 0xFEDC;
        let read = if linear { Gradient::linear(rest) } else { Gradient::radial(rest, self.attributes.arc) };
        let Some(gradient) = read.filter(|_| self.gradients.len() + self.patterns.len() < PATTERNS) else {
            return self.unknown(code);
        };
        if gradient.is_inexact {
            let detail = "arcs of a radial gradient that do not lie around one another, shown as discs";
            (self.report)("afp-graphics-pattern", detail.into());
        }
        self.gradients.insert(key, gradient);
    }

    /// Delete Pattern: two reserved bytes, pattern set, and a symbol; without one all of the set.
    pub(super) fn delete_pattern(&mut self, data: &[u8]) {
        match data {
            [_, _, set] => {
                self.gradients.retain(|[of, _], _| of != set);
                self.patterns.retain(|[of, _], _| of != set);
            }
            [_, _, set, symbol, ..] => {
                self.gradients.remove(&[*set, *symbol]);
                self.patterns.remove(&[*set, *symbol]);
            }
            _ => {}
        }
    }

    fn gradient(&mut self, area: &Area, gradient: &Gradient) {
        let (bands, complete) = gradient.paint(&polygons(&area.shape, |point| point), &mut self.left.cuts);
        let corners = |polygons: &[Vec<Point>]| polygons.iter().map(|polygon| polygon.len() + 1).sum::<usize>();
        let steps: usize = bands.iter().map(|band| corners(&band.polygons)).sum();
        let fits = self.elements.len() + bands.len() < self.limits.page_elements && steps <= self.steps_left;
        if !complete || !fits {
            (self.report)("afp-graphics-limit", "bands of a gradient".into());
            return self.path(self.view.steps(&area.shape), Some(gradient.middle()), area.even_odd, None);
        }
        self.spend(steps);
        for band in bands {
            let mut shape = Vec::with_capacity(corners(&band.polygons));
            for polygon in &band.polygons {
                let steps = polygon.iter().enumerate();
                shape.extend(steps.map(|(at, to)| if at == 0 { Seg::Move(*to) } else { Seg::Line(*to) }));
                shape.push(Seg::Close);
            }
            self.path(self.view.steps(&shape), Some(band.color), area.even_odd || band.has_hole, None);
        }
    }

    fn fill_area(&mut self, area: &Area, outline: Option<Stroke>) {
        let key = [area.pattern.pattern_set, area.pattern.pattern];
        // In a custom pattern no other one, and no gradient, fills anything.
        let fills = area.pattern.mix != LEAVE_ALONE && self.recording.is_none();
        if let Some(tile) = self.patterns.get(&key).cloned().filter(|_| fills) {
            return self.lay_tiles(area, &tile, outline);
        }
        if let Some(gradient) = self.gradients.get(&key).cloned().filter(|_| fills) {
            self.gradient(area, &gradient);
            if outline.is_some() {
                self.path(self.view.steps(&area.shape), None, area.even_odd, outline);
            }
            return;
        }
        let fill = if area.pattern.mix == LEAVE_ALONE { Fill::None } else { self.fill(&area.pattern) };
        let steps = self.view.steps(&area.shape);
        match fill {
            Fill::Tint(share) => {
                let color = tint(area.pattern.color, share);
                self.path(steps, Some(color), area.even_odd, outline);
            }
            Fill::Hatch { angle, spacing } => {
                if area.pattern.back_mix == OVERPAINT {
                    self.path(steps.clone(), Some(WHITE), area.even_odd, None);
                }
                self.hatch(area, angle, spacing);
                if outline.is_some() {
                    self.path(steps, None, area.even_odd, outline);
                }
            }
            Fill::None if outline.is_some() => self.path(steps, None, area.even_odd, outline),
            Fill::None => {}
        }
    }

    fn fill(&mut self, pattern: &Attributes) -> Fill {
        let Attributes { pattern_set: set, pattern: symbol, .. } = *pattern;
        let known = if set == 0 { fill_of(symbol) } else { None };
        known.unwrap_or_else(|| {
            // The standard action: the default symbol.
            (self.report)("afp-graphics-pattern", absent(set, symbol));
            Fill::Tint(1.0)
        })
    }

    fn hatch(&mut self, area: &Area, angle: f64, spacing: f64) {
        let origin = self.view.content(area.pattern.pattern_origin);
        let (view, left) = (&self.view, &mut self.left.cost.crossings);
        let lines = hatch(area, |point| view.content(point), origin, [angle, spacing], left);
        let Some(lines) = lines.filter(|lines| self.spend(lines.len() * 2)) else {
            (self.report)("afp-graphics-limit", "hatch lines of an area".into());
            return;
        };
        let at = |[x, y]: Point| self.view.place.point(x, y);
        let steps: Vec<Step> =
            lines.iter().flat_map(|[from, to]| [Step::Move(at(*from)), Step::Line(at(*to))]).collect();
        if steps.is_empty() {
            return;
        }
        let color = area.pattern.color;
        self.path(steps, None, false, Some(Stroke { color, width: Lu(HATCH_WIDTH), ..Stroke::default() }));
    }
}

fn tint(color: Color, share: f64) -> Color {
    let part = |part: u8| {
        let mixed = lu(255.0 - (255.0 - f64::from(part)) * share);
        u8::try_from(mixed.0).unwrap_or(u8::MAX)
    };
    Color { r: part(color.r), g: part(color.g), b: part(color.b) }
}
