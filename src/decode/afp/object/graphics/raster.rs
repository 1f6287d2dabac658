//! Figures as pixels, for patterns that areas are filled with: a page of the model has no clipping, so what is cut at the
//! edge of an area is painted as a picture of one colour.
//!
//! In: polygons in pixels, y downwards. Out: the pixels whose centres they cover, as spans of rows. What it may cost is counted
//! in crossings of edges and rows ([`super::area::MOST_CROSSINGS`]).

use super::shape::Point;
use crate::decode::afp::object::place::lu;

/// Pixels of a row that are painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The row, from the top.
    pub row: usize,
    /// The first pixel.
    pub from: usize,
    /// The one behind the last.
    pub to: usize,
}

/// The spans of a picture of this width and height that are inside polygons; `None` when edges cross rows more than `left`
/// times, from which their crossings are taken.
pub fn spans(polygons: &[Vec<Point>], even_odd: bool, size: [usize; 2], left: &mut usize) -> Option<Vec<Span>> {
    let [width, height] = size;
    let mut crossings: Vec<(usize, f64, i8)> = Vec::new();
    for polygon in polygons {
        let ends = polygon.iter().skip(1).chain(polygon.first());
        for (from, to) in polygon.iter().zip(ends) {
            let down = to[1] > from[1];
            let (high, low) = if down { (from, to) } else { (to, from) };
            for row in pixel(high[1], height)..pixel(low[1], height) {
                *left = left.checked_sub(1)?;
                let part = (centre(row) - high[1]) / (low[1] - high[1]);
                crossings.push((row, high[0] + (low[0] - high[0]) * part, if down { 1 } else { -1 }));
            }
        }
    }
    crossings.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut spans = Vec::new();
    let (mut winding, mut start) = (0_i64, 0.0);
    for (row, x, turn) in crossings {
        let inside = |winding: i64| if even_odd { winding % 2 != 0 } else { winding != 0 };
        let before = inside(winding);
        winding += i64::from(turn);
        match (before, inside(winding)) {
            (false, true) => start = x,
            (true, false) => {
                let (from, to) = (pixel(start, width), pixel(x, width));
                if from < to {
                    spans.push(Span { row, from, to });
                }
            }
            _ => {}
        }
    }
    Some(spans)
}

/// The first pixel of so many whose centre does not lie before a place.
fn pixel(at: f64, most: usize) -> usize {
    usize::try_from(lu((at - 0.5).ceil()).0).unwrap_or(0).min(most)
}

fn centre(pixel: usize) -> f64 {
    f64::from(u32::try_from(pixel).unwrap_or(u32::MAX)) + 0.5
}

/// Polygons that cover a line of this width through points, with round joins and ends; each by itself covers a part of it.
pub fn thick(line: &[Point], width: f64) -> Vec<Vec<Point>> {
    let half = width / 2.0;
    let mut all = Vec::new();
    for (from, to) in line.iter().zip(line.iter().skip(1)) {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = dx.hypot(dy);
        if length > 0.0 {
            let (x, y) = (-dy / length * half, dx / length * half);
            let corner = |at: &Point, side: f64| [at[0] + side * x, at[1] + side * y];
            all.push(vec![corner(from, 1.0), corner(to, 1.0), corner(to, -1.0), corner(from, -1.0)]);
        }
    }
    // Thin lines need no joins.
    if width > 2.0 {
        all.extend(line.iter().map(|at| disc(*at, half)));
    }
    all
}

fn disc([x, y]: Point, radius: f64) -> Vec<Point> {
    let corner = |turn: u8| {
        let (sin, cos) = (f64::from(turn) * std::f64::consts::TAU / 16.0).sin_cos();
        [x + radius * cos, y + radius * sin]
    };
    (0..16).map(corner).collect()
}

/// The dashes of a line: pieces of it, by lengths of dashes and gaps in turn. A pattern that goes nowhere is no pattern.
pub fn dashes(line: &[Point], pattern: &[f64]) -> Vec<Vec<Point>> {
    if pattern.iter().sum::<f64>() < 1.0 {
        return vec![line.to_vec()];
    }
    let mut lengths = pattern.iter().copied().cycle();
    let (mut rest, mut draws) = (lengths.next().unwrap_or(0.0), true);
    let mut all: Vec<Vec<Point>> = line.first().map(|at| vec![*at]).into_iter().collect();
    for (from, to) in line.iter().zip(line.iter().skip(1)) {
        let length = (to[0] - from[0]).hypot(to[1] - from[1]);
        let mut done = 0.0;
        while length - done > rest {
            done += rest;
            let part = done / length;
            let at = [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
            match all.last_mut().filter(|_| draws) {
                Some(dash) => dash.push(at),
                None => all.push(vec![at]),
            }
            draws = !draws;
            rest = lengths.next().unwrap_or(0.0);
        }
        rest -= length - done;
        if let Some(dash) = all.last_mut().filter(|_| draws) {
            dash.push(*to);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(from: f64, to: f64) -> Vec<Point> {
        vec![[from, from], [to, from], [to, to], [from, to]]
    }

    #[test]
    fn pixels_whose_centres_are_inside_are_painted() {
        let mut left = 100;
        let all = spans(&[square(1.0, 4.0)], false, [10, 10], &mut left).unwrap();
        assert_eq!(all, [1, 2, 3].map(|row| Span { row, from: 1, to: 4 }));
        assert_eq!(left, 100 - 6);
        assert_eq!(spans(&[square(0.6, 1.4)], false, [10, 10], &mut left).unwrap(), [], "no centre");
        let hole = [square(0.0, 10.0), square(4.0, 6.0)];
        assert_eq!(spans(&hole, true, [10, 10], &mut left).unwrap().len(), 8 + 2 * 2);
        assert_eq!(spans(&hole, false, [10, 10], &mut 100).unwrap().len(), 10);
        // Beyond the picture nothing is painted, and nothing is counted.
        let mut left = 8;
        assert_eq!(spans(&[square(-1e9, 1e9)], false, [3, 4], &mut left).unwrap().len(), 4);
        assert_eq!(spans(&[square(0.0, 1.0)], false, [3, 4], &mut left), None);
    }

    #[test]
    fn lines_have_a_width_and_dashes() {
        let line = [[0.0, 5.0], [10.0, 5.0]];
        let parts = thick(&line, 2.0);
        assert_eq!(spans(&parts, false, [10, 10], &mut 100).unwrap().len(), 2);
        assert_eq!(thick(&line, 4.0).len(), 3, "with round ends");
        let pieces = dashes(&line, &[3.0, 2.0]);
        assert_eq!(pieces, [[[0.0, 5.0], [3.0, 5.0]], [[5.0, 5.0], [8.0, 5.0]]]);
        assert_eq!(dashes(&line, &[0.0, 0.0]).len(), 1);
    }
}
