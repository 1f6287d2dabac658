//! Text that is seen and not meant to be read (letters struck over others to blot them out), drawn as shapes: so nobody
//! finds, copies or hears in a rendition what cannot be read on paper.

use skrifa::outline::OutlinePen;

use super::font::Fonts;
use super::pdf::place::{Missing, place};
use crate::page::{Lu, Path, Step, TextRun};

/// The letters of a run as one filled path.
pub fn shapes(run: &TextRun, fonts: &mut Fonts, missing: &mut Missing) -> Path {
    let turned = match run.turns % 4 {
        0 => (1.0, 0.0),
        1 => (0.0, 1.0),
        2 => (-1.0, 0.0),
        _ => (0.0, -1.0),
    };
    let mut pen = Pen { steps: Vec::new(), at: (0.0, 0.0), origin: (0.0, 0.0), scale: (0.0, 0.0), turned };
    for piece in place(run, fonts, missing) {
        let Some(face) = fonts.face(piece.font) else { continue };
        let across = piece.size * piece.stretch;
        pen.scale = (across, piece.size);
        let mut along = piece.offset;
        for glyph in &piece.glyphs {
            pen.origin = (run.x.points() + along * turned.0, run.y.points() + along * turned.1);
            face.draw(glyph.id, &mut pen);
            along += glyph.advance * across;
        }
    }
    Path { steps: pen.steps, fill: Some(run.color), even_odd: false, stroke: None }
}

/// Takes outlines in em, with y upwards, to the page.
struct Pen {
    steps: Vec<Step>,
    /// Where it is, in em.
    at: (f32, f32),
    /// Origin of the glyph, in points.
    origin: (f64, f64),
    /// Points of an em, along the baseline and across.
    scale: (f64, f64),
    /// Direction of the baseline.
    turned: (f64, f64),
}

impl Pen {
    fn point(&self, x: f32, y: f32) -> [Lu; 2] {
        let (along, down) = (f64::from(x) * self.scale.0, -f64::from(y) * self.scale.1);
        let (cos, sin) = self.turned;
        let (left, top) = (self.origin.0 + along * cos - down * sin, self.origin.1 + along * sin + down * cos);
        [Lu::from_points(left), Lu::from_points(top)]
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.steps.push(Step::Move(self.point(x, y)));
        self.at = (x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.steps.push(Step::Line(self.point(x, y)));
        self.at = (x, y);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let towards = |from: f32, to: f32| from + (to - from) * 2.0 / 3.0;
        let first = (towards(self.at.0, cx), towards(self.at.1, cy));
        let second = (towards(x, cx), towards(y, cy));
        self.curve_to(first.0, first.1, second.0, second.1, x, y);
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let [[a, b], [c, d], [e, f]] = [self.point(ax, ay), self.point(bx, by), self.point(x, y)];
        self.steps.push(Step::Curve([a, b, c, d, e, f]));
        self.at = (x, y);
    }

    fn close(&mut self) {
        self.steps.push(Step::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::sample;
    use crate::render::font::FontSet;

    #[test]
    fn letters_lie_on_their_cells_whatever_the_direction() {
        let mut fonts = Fonts::new(FontSet::system());
        let mut run = sample::run("HM", 0, 0);
        for turns in 0..4 {
            run.turns = turns;
            let path = shapes(&run, &mut fonts, &mut Missing::default());
            let points = path.steps.iter().filter_map(|step| match step {
                Step::Move(point) | Step::Line(point) => Some(*point),
                _ => None,
            });
            let (mut along, mut up) = (0, 0);
            for [x, y] in points {
                let (dx, dy) = (x.0 - run.x.0, y.0 - run.y.0);
                let (u, v) = match turns {
                    0 => (dx, -dy),
                    1 => (dy, dx),
                    2 => (-dx, dy),
                    _ => (-dy, -dx),
                };
                assert!(u >= 0 && v >= 0, "{turns}: {u} {v}");
                (along, up) = (along.max(u), up.max(v));
            }
            let cell = Lu::PER_INCH / 10;
            assert!((cell + cell / 2..=2 * cell).contains(&along), "{turns}: two columns: {along}");
            assert!((1200..2000).contains(&up), "{turns}: a capital's height: {up}");
        }
    }
}
