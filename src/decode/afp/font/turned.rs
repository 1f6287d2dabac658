//! Turned characters of fonts that have no metrics for it: a new program with their outlines turned.

use std::collections::BTreeMap;

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::raw::TableProvider;
use skrifa::{FontRef, GlyphId, MetadataProvider};

use super::outline::{Outline, Segment, turned_box};
use super::program::{FIRST, Plan, Shape, short};
use crate::page::{Face, FontProgram};

/// Units of the em of turned and reshaped programs.
pub(super) const EM: u16 = 2000;
/// A program of more turned characters is not made.
const CHARACTERS_LIMIT: usize = 30_000;

/// A program of turned characters.
#[derive(Debug, Clone)]
pub struct Turned {
    /// The program.
    pub program: FontProgram,
    /// Glyph and advance in parts of the em, by character.
    pub glyphs: BTreeMap<char, (u16, f64)>,
}

/// Turns characters clockwise by `rotation` degrees. `find` tells where each character's outline is.
///
/// Upright characters on a baseline that runs down the page stand in its middle, one em-box after the other.
/// Source: FOCA reference, "Character rotation"; the metrics of IBM's outline fonts at 90 and 270 degrees.
pub fn turn<'f>(
    chars: impl Iterator<Item = char>,
    rotation: u16,
    face: Face,
    find: impl Fn(char) -> Option<(&'f FontProgram, u16)>,
) -> Option<Turned> {
    let mut plan = Plan::like(face, format!("Turned{rotation}"), EM);
    let mut glyphs = BTreeMap::new();
    for (ch, id) in chars.take(CHARACTERS_LIMIT).zip(FIRST..) {
        let (outline, advance) =
            find(ch).and_then(|(program, glyph)| one(program, glyph, rotation)).unwrap_or_default();
        let units = u16::try_from(short(advance * f64::from(EM)).max(0)).unwrap_or(0);
        plan.shapes.push(Shape { ch: Some(ch), advance: units, outline });
        glyphs.insert(ch, (id, advance));
    }
    if glyphs.is_empty() {
        return None;
    }
    Some(Turned { program: plan.write(), glyphs })
}

/// The turned outline of a glyph, and its advance in parts of the em.
fn one(program: &FontProgram, glyph: u16, rotation: u16) -> Option<(Outline, f64)> {
    let font = FontRef::from_index(program.bytes(), program.index()).ok()?;
    let scale = f64::from(EM) / f64::from(font.head().ok()?.units_per_em().max(1));
    let metrics = font.metrics(Size::unscaled(), LocationRef::default());
    let id = GlyphId::from(glyph);
    let advance = font.glyph_metrics(Size::unscaled(), LocationRef::default()).advance_width(id)?;
    let outline = outline_of(program, glyph)?;
    let frame =
        [0.0, f64::from(metrics.descent), f64::from(advance), f64::from(metrics.ascent)].map(|side| side * scale);
    let [left, bottom, right, top] = turned_box(frame, rotation);
    let by = match rotation {
        90 | 270 => [-left, -(bottom + top) / 2.0],
        180 => [-left, 0.0],
        _ => [0.0, 0.0],
    };
    Some((outline.turned(rotation).moved(by), (right - left) / f64::from(EM)))
}

/// The outline of a glyph in units of [`EM`]; empty where it shows nothing.
pub(super) fn outline_of(program: &FontProgram, glyph: u16) -> Option<Outline> {
    let font = FontRef::from_index(program.bytes(), program.index()).ok()?;
    let scale = f64::from(EM) / f64::from(font.head().ok()?.units_per_em().max(1));
    let mut pen = Pen { segments: Vec::new(), at: [0.0; 2], scale };
    if let Some(outline) = font.outline_glyphs().get(GlyphId::from(glyph)) {
        outline.draw(DrawSettings::unhinted(Size::unscaled(), LocationRef::default()), &mut pen).ok()?;
    }
    Some(Outline(pen.segments))
}

/// The outline of a glyph in parts of the em, y upwards; empty where it shows nothing.
pub fn outline(program: &FontProgram, glyph: u16) -> Option<Outline> {
    let em = f64::from(EM);
    Some(outline_of(program, glyph)?.mapped(|[x, y]| [x / em, y / em]))
}

/// Takes outlines from a font; quadratic curves become cubic ones of the same shape.
struct Pen {
    segments: Vec<Segment>,
    at: [f64; 2],
    scale: f64,
}

impl Pen {
    fn point(&self, x: f32, y: f32) -> [f64; 2] {
        [f64::from(x) * self.scale, f64::from(y) * self.scale]
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.at = self.point(x, y);
        self.segments.push(Segment::Move(self.at));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.at = self.point(x, y);
        self.segments.push(Segment::Line(self.at));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let ([sx, sy], [cx, cy], [x, y]) = (self.at, self.point(cx, cy), self.point(x, y));
        let toward = |end: f64, control: f64| end + (control - end) * 2.0 / 3.0;
        let curve = [toward(sx, cx), toward(sy, cy), toward(x, cx), toward(y, cy), x, y];
        self.segments.push(Segment::Curve(curve));
        self.at = [x, y];
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let ([a, b], [c, d], [e, f]) = (self.point(ax, ay), self.point(bx, by), self.point(x, y));
        self.segments.push(Segment::Curve([a, b, c, d, e, f]));
        self.at = [e, f];
    }

    fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::super::system;
    use super::*;

    #[test]
    fn a_turned_letter_lies_on_its_side() {
        let font = system::program(12).unwrap();
        let (id, advance) = system::glyph(font, 'L').unwrap();
        for rotation in [90, 180, 270] {
            let turned = turn(['L'].into_iter(), rotation, Face::default(), |_| Some((font, id))).unwrap();
            let (glyph, moved) = turned.glyphs[&'L'];
            assert!(system::glyph(&turned.program, 'L').is_some_and(|(found, _)| found == glyph));
            let (outline, _) = one(font, id, rotation).unwrap();
            let [left, bottom, right, top] = outline.bounds().unwrap();
            if rotation == 180 {
                assert!((moved - advance).abs() < 0.001);
                assert!(top <= 1.0 && left >= 0.0);
            } else {
                assert!(right - left > top - bottom, "an L is taller than wide");
                assert!(moved > 1.0, "the line height of the font");
            }
        }
    }
}
