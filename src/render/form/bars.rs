//! Green bars: the striped continuous paper that these reports were printed on.

use super::{Drawing, Shape, Step};
use crate::page::grid::row_pitch;
use crate::page::{Color, Element, Lu, Page};

/// Lines in one bar.
const LINES_PER_BAR: i32 = 3;
/// Share of the row pitch that a baseline lies below the top of its row, in percent.
const BASELINE: i32 = 78;

const BAR: Color = Color { r: 0xE6, g: 0xF5, b: 0xE6 };
const EDGE: Color = Color { r: 0xB9, g: 0xDD, b: 0xBC };
const HOLE: Color = Color { r: 0xD8, g: 0xDC, b: 0xD8 };

/// What tells one page's bars from another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bars {
    /// Paper width.
    pub width: Lu,
    /// Paper height.
    pub height: Lu,
    /// Distance of two lines.
    pub pitch: Lu,
    /// Top of the first row, less than one row from the top of the paper.
    pub top: Lu,
}

impl Bars {
    /// The bars that fit a page's lines.
    pub fn of(page: &Page) -> Bars {
        let baselines = page.elements.iter().filter_map(|element| match element {
            Element::Text(run) if run.turns == 0 => Some(run.y.0),
            _ => None,
        });
        let lines: Vec<i32> = baselines.collect();
        let pitch = row_pitch(&lines);
        let below = below(pitch);
        let first = lines.iter().copied().min().unwrap_or(below);
        let top = first.saturating_sub(below).rem_euclid(pitch);
        Bars { width: page.width, height: page.height, pitch: Lu(pitch), top: Lu(top) }
    }

    /// How far a baseline lies below the top of its row.
    pub fn below(&self) -> i32 {
        below(self.pitch.0)
    }
}

fn below(pitch: i32) -> i32 {
    pitch.saturating_mul(BASELINE) / 100
}

/// Draws green bars: every second group of three lines, a thin edge, and on wide paper the tractor holes at both sides.
pub fn green_bars(bars: Bars) -> Drawing {
    let (width, height) = (bars.width.0, bars.height.0.min(200 * Lu::PER_INCH));
    // Narrow paper has text up to a quarter inch from the edge: no room for holes, and bars go as far.
    let wide = width > 9 * Lu::PER_INCH;
    let margin = if wide { Lu::PER_INCH * 45 / 100 } else { Lu::PER_INCH / 6 }.min(width / 20);
    let group = bars.pitch.0.max(900) * LINES_PER_BAR;
    let mut shapes = Vec::new();
    let mut top = bars.top.0 + group;
    while top < height - group / 2 {
        let bottom = (top + group).min(height);
        shapes.push(fill(rectangle([margin, top, width - margin, bottom]), BAR));
        for edge in [top, bottom] {
            shapes.push(fill(rectangle([margin, edge - 25, width - margin, edge + 25]), EDGE));
        }
        top += 2 * group;
    }
    if wide {
        holes(&mut shapes, width, height);
    }
    Drawing { paper: None, shapes }
}

/// Tractor holes: 5/32 inch wide, half an inch apart, a quarter inch from the edge.
fn holes(shapes: &mut Vec<Shape>, width: i32, height: i32) {
    let (apart, radius, inset) = (Lu::PER_INCH / 2, Lu::PER_INCH * 5 / 64, Lu::PER_INCH / 4);
    let mut y = apart / 2;
    while y < height {
        for x in [inset, width - inset] {
            let steps = circle([Lu(x), Lu(y)], Lu(radius));
            shapes.push(Shape::Path {
                steps,
                fill: Some(Color { r: 255, g: 255, b: 255 }),
                stroke: Some((HOLE, Lu(100))),
            });
        }
        y += apart;
    }
}

fn fill(steps: Vec<Step>, color: Color) -> Shape {
    Shape::Path { steps, fill: Some(color), stroke: None }
}

/// A rectangle from left, top, right and bottom.
pub fn rectangle([left, top, right, bottom]: [i32; 4]) -> Vec<Step> {
    let at = |x, y| [Lu(x), Lu(y)];
    vec![
        Step::Move(at(left, top)),
        Step::Line(at(right, top)),
        Step::Line(at(right, bottom)),
        Step::Line(at(left, bottom)),
        Step::Close,
    ]
}

/// A circle from four Bézier curves.
pub fn circle([x, y]: [Lu; 2], radius: Lu) -> Vec<Step> {
    // 0.5523 of the radius brings the control points where the curve is round.
    let (x, y, r) = (x.0, y.0, radius.0);
    let k = (f64::from(r) * 0.5523).round() as i32;
    let curve = |points: [i32; 6]| Step::Curve(points.map(Lu));
    vec![
        Step::Move([Lu(x + r), Lu(y)]),
        curve([x + r, y + k, x + k, y + r, x, y + r]),
        curve([x - k, y + r, x - r, y + k, x - r, y]),
        curve([x - r, y - k, x - k, y - r, x, y - r]),
        curve([x + k, y - r, x + r, y - k, x + r, y]),
        Step::Close,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many holes paper of this size gets, in inches, and where its bars begin.
    fn holes_and_left_edge(width: i32, height: i32) -> (usize, i32) {
        let inches = |n: i32| Lu(n * Lu::PER_INCH);
        let bars = Bars { width: inches(width), height: inches(height), pitch: Lu(2400), top: Lu(0) };
        let shapes = green_bars(bars).shapes;
        let holes = shapes.iter().filter(|shape| matches!(shape, Shape::Path { stroke: Some(_), .. })).count();
        let left = shapes.iter().filter_map(|shape| match shape {
            Shape::Path { steps, stroke: None, .. } => match steps.first() {
                Some(Step::Move([x, _])) => Some(x.0),
                _ => None,
            },
            _ => None,
        });
        (holes, left.min().expect("there are bars"))
    }

    #[test]
    fn narrow_paper_has_no_holes_under_its_text() {
        let (holes, left) = holes_and_left_edge(8, 11);
        assert_eq!(holes, 0);
        // Text of narrow paper starts a quarter inch from the edge.
        assert!(left < Lu::PER_INCH / 4, "{left}");
    }

    #[test]
    fn wide_paper_has_a_hole_every_half_inch_on_both_sides_of_the_bars() {
        let (holes, left) = holes_and_left_edge(11, 8);
        assert_eq!(holes, 2 * 16);
        assert!(left > Lu::PER_INCH * 21 / 64, "{left}: bars start behind the holes");
    }
}
