//! Areas: figures between Begin Area and End Area, filled with a pattern.
//!
//! Solid patterns and shades fill with the colour or a tint of it; hatches are lines, cut to the figures by scan lines.

use super::shape::{Point, Seg, polygons};
use super::state::Attributes;
use crate::page::Stroke;

/// Pattern symbols of the default set (GOCA, "Set Pattern Symbol").
pub const SOLID: u8 = 0x10;
const NO_FILL: u8 = 0x0F;
const BLANK: u8 = 0x40;
const DENSITIES: u8 = 8;

/// Distance of hatch lines in logical units: 1/30 inch, 8 pels of 240 in an inch.
const SPACING: f64 = 480.0;
/// Width of hatch lines in logical units: a pel of 240 in an inch.
pub const HATCH_WIDTH: i32 = 60;
/// Crossings of hatch lines with the outlines of areas that one object may have, all its areas and copies together.
pub const MOST_CROSSINGS: usize = 1_000_000;

/// What fills an area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fill {
    /// Nothing.
    None,
    /// The colour, in this share (1 is all of it) over white.
    Tint(f64),
    /// Lines.
    Hatch {
        /// Their direction in degrees, counter-clockwise from the x axis.
        angle: f64,
        /// Their distance in logical units.
        spacing: f64,
    },
}

/// What a symbol of the default pattern set does; `None` when there is no such symbol.
pub fn fill_of(symbol: u8) -> Option<Fill> {
    Some(match symbol {
        0 | SOLID => Fill::Tint(1.0),
        NO_FILL | BLANK => Fill::None,
        1..=DENSITIES => Fill::Tint(f64::from(DENSITIES + 1 - symbol) / f64::from(DENSITIES + 1)),
        0x09 => Fill::Hatch { angle: 90.0, spacing: SPACING },
        0x0A => Fill::Hatch { angle: 0.0, spacing: SPACING },
        0x0B => Fill::Hatch { angle: 45.0, spacing: SPACING },
        0x0C => Fill::Hatch { angle: 45.0, spacing: SPACING / 2.0 },
        0x0D => Fill::Hatch { angle: 135.0, spacing: SPACING },
        0x0E => Fill::Hatch { angle: 135.0, spacing: SPACING / 2.0 },
        _ => return None,
    })
}

/// An area that is being built.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Its figures.
    pub shape: Vec<Seg>,
    /// Its outline is drawn as well.
    pub boundary: bool,
    /// Inside by the even-odd rule, otherwise by the nonzero winding rule.
    pub even_odd: bool,
    /// The attributes that held when it began: those of its pattern.
    pub pattern: Attributes,
    /// The parts of its outline, as they were drawn.
    pub outlines: Vec<(Vec<Seg>, Stroke)>,
}

impl Area {
    /// By the flags of Begin Area, and the attributes that hold there.
    pub fn new(flags: u8, pattern: Attributes) -> Area {
        let (boundary, even_odd) = (flags & 0x40 != 0, flags & 0x20 == 0);
        Area { shape: Vec::new(), boundary, even_odd, pattern, outlines: Vec::new() }
    }

    /// Adds what an order draws. It goes on with the current figure where it starts at its end.
    pub fn add(&mut self, shape: &[Seg]) {
        let (first, rest) = match shape {
            [Seg::Move(to), rest @ ..] => (to, rest),
            _ => return,
        };
        if self.end() != Some(*first) {
            self.close();
            self.shape.push(Seg::Move(*first));
        }
        self.shape.extend_from_slice(rest);
    }

    /// Closes the current figure.
    pub fn close(&mut self) {
        match self.shape.last() {
            Some(Seg::Line(_) | Seg::Curve(..)) => self.shape.push(Seg::Close),
            Some(Seg::Move(_)) => {
                self.shape.pop();
            }
            Some(Seg::Close) | None => {}
        }
    }

    fn end(&self) -> Option<Point> {
        match self.shape.last()? {
            Seg::Move(to) | Seg::Line(to) | Seg::Curve(_, _, to) => Some(*to),
            Seg::Close => None,
        }
    }
}

/// The lines of a hatch inside the figures, in the coordinates that `map` gives (logical units, y downwards); `None` when they
/// cross outlines more than `left` times, from which their crossings are taken.
pub fn hatch(
    area: &Area,
    map: impl Fn(Point) -> Point,
    origin: Point,
    [angle, spacing]: [f64; 2],
    left: &mut usize,
) -> Option<Vec<[Point; 2]>> {
    let (sin, cos) = (-angle).to_radians().sin_cos();
    let along = |[x, y]: Point| [x * cos + y * sin, y * cos - x * sin];
    let back = |[u, v]: Point| [u * cos - v * sin, u * sin + v * cos];
    let phase = along(origin)[1];
    let mut crossings: Vec<(f64, f64, i8)> = Vec::new();
    for polygon in polygons(&area.shape, |point| along(map(point))) {
        let ends = polygon.iter().skip(1).chain(polygon.first());
        for (from, to) in polygon.iter().zip(ends) {
            let up = to[1] > from[1];
            let (low, high) = if up { (from, to) } else { (to, from) };
            let mut k = ((low[1] - phase) / spacing).ceil();
            while phase + k * spacing < high[1] {
                // What was counted in vain is taken off too: counting takes as long.
                *left = left.checked_sub(1)?;
                let v = phase + k * spacing;
                let u = low[0] + (high[0] - low[0]) * (v - low[1]) / (high[1] - low[1]);
                crossings.push((k, u, if up { 1 } else { -1 }));
                k += 1.0;
            }
        }
    }
    crossings.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut lines = Vec::new();
    let (mut winding, mut start) = (0i64, (0.0, 0.0));
    for (k, u, turn) in crossings {
        let inside = |winding: i64| if area.even_odd { winding % 2 != 0 } else { winding != 0 };
        let before = inside(winding);
        winding += i64::from(turn);
        match (before, inside(winding)) {
            (false, true) => start = (k, u),
            (true, false) if start.0 == k => {
                let v = phase + k * spacing;
                lines.push([back([start.1, v]), back([u, v])]);
            }
            _ => {}
        }
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(low: f64, high: f64) -> Vec<Seg> {
        let line = |x, y| Seg::Line([x, y]);
        vec![Seg::Move([low, low]), line(high, low), line(high, high), line(low, high), Seg::Close]
    }

    #[test]
    fn hatch_lines_end_at_the_outline_and_leave_holes() {
        let mut area = Area::new(0x80, Attributes::default());
        area.add(&square(0.0, 1000.0));
        area.add(&square(400.0, 600.0));
        let mut left = 1000;
        let lines = hatch(&area, |point| point, [0.0, 50.0], [0.0, 100.0], &mut left).unwrap();
        assert_eq!(lines.len(), 8 + 2 * 2);
        let mut solid = area.clone();
        solid.even_odd = false;
        assert_eq!(hatch(&solid, |point| point, [0.0, 50.0], [0.0, 100.0], &mut left).unwrap().len(), 10);
        assert_eq!(left, 1000 - 2 * (2 * 10 + 2 * 2));
        assert_eq!(lines[0].map(|p| p.map(f64::round)), [[0.0, 50.0], [1000.0, 50.0]]);
    }

    #[test]
    fn slanted_hatches_stay_inside() {
        let mut area = Area::new(0x80, Attributes::default());
        area.add(&square(0.0, 1000.0));
        let lines = hatch(&area, |point| point, [0.0, 0.0], [45.0, 100.0], &mut { MOST_CROSSINGS }).unwrap();
        assert!(lines.len() > 10);
        assert!(lines.iter().flatten().flatten().all(|part| (-0.001..=1000.001).contains(part)));
    }

    #[test]
    fn a_figure_goes_on_where_the_next_order_starts_at_its_end() {
        let mut area = Area::new(0x80, Attributes::default());
        area.add(&[Seg::Move([0.0, 0.0]), Seg::Line([1.0, 0.0])]);
        area.add(&[Seg::Move([1.0, 0.0]), Seg::Line([1.0, 1.0])]);
        area.close();
        assert_eq!(area.shape, [Seg::Move([0.0, 0.0]), Seg::Line([1.0, 0.0]), Seg::Line([1.0, 1.0]), Seg::Close]);
    }

    #[test]
    fn an_outline_with_too_many_crossings_is_not_hatched() {
        let mut area = Area::new(0x80, Attributes::default());
        area.add(&square(0.0, 1e9));
        let mut left = MOST_CROSSINGS;
        assert_eq!(hatch(&area, |point| point, [0.0, 0.0], [0.0, 1.0], &mut left), None);
        assert_eq!(left, 0, "the next one is not even begun");
    }
}
