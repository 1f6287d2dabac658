//! Figures in the coordinates of the graphics presentation space, before they are placed on the page.

use super::super::place::Place;
use crate::page::Step;

/// A point in graphics units, y upwards.
pub type Point = [f64; 2];

/// A step of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seg {
    /// Start here.
    Move(Point),
    /// A straight line to here.
    Line(Point),
    /// A Bézier curve.
    Curve(Point, Point, Point),
    /// Back to the start.
    Close,
}

/// From graphics units to the page.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Left and top edge of the window, in graphics units.
    pub corner: Point,
    /// Length of a graphics unit along x and y in logical units.
    pub unit: Point,
    /// Where the window lies on the page.
    pub place: Place,
}

impl View {
    /// A point in logical units from the window's top left corner, y downwards.
    pub fn content(&self, [x, y]: Point) -> Point {
        let ([left, top], [unit_x, unit_y]) = (self.corner, self.unit);
        [(x - left) * unit_x, (top - y) * unit_y]
    }

    /// A point on the page.
    pub fn exact(&self, point: Point) -> Point {
        let [x, y] = self.content(point);
        self.place.exact(x, y)
    }

    /// The steps of a figure on the page.
    pub fn steps(&self, shape: &[Seg]) -> Vec<Step> {
        let at = |point: Point| {
            let [x, y] = self.content(point);
            self.place.point(x, y)
        };
        let step = |seg: &Seg| match *seg {
            Seg::Move(to) => Step::Move(at(to)),
            Seg::Line(to) => Step::Line(at(to)),
            Seg::Curve(a, b, to) => {
                let ([ax, ay], [bx, by], [x, y]) = (at(a), at(b), at(to));
                Step::Curve([ax, ay, bx, by, x, y])
            }
            Seg::Close => Step::Close,
        };
        shape.iter().map(step).collect()
    }
}

/// Lines that a curve is cut into where only lines will do; 16 keep a quarter circle of one inch within 1/1000 inch.
const PIECES: u8 = 16;

/// A point of a Bézier curve at `t` from 0 to 1.
pub fn bezier_at(t: f64, points: [Point; 4]) -> Point {
    let u = 1.0 - t;
    let weights = [u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t];
    let mut sum = [0.0, 0.0];
    for (weight, [x, y]) in weights.iter().zip(points) {
        sum = [sum[0] + weight * x, sum[1] + weight * y];
    }
    sum
}

/// The figures as closed polygons of at least two points, mapped by `map`.
pub fn polygons(shape: &[Seg], map: impl Fn(Point) -> Point) -> Vec<Vec<Point>> {
    let mut all = Vec::new();
    let mut current: Vec<Point> = Vec::new();
    for seg in shape {
        match *seg {
            Seg::Move(to) => {
                if current.len() > 1 {
                    all.push(std::mem::take(&mut current));
                }
                current.clear();
                current.push(map(to));
            }
            Seg::Line(to) => current.push(map(to)),
            Seg::Curve(a, b, to) => {
                let (a, b, to) = (map(a), map(b), map(to));
                let from = current.last().copied().unwrap_or(a);
                let piece = |i: u8| bezier_at(f64::from(i) / f64::from(PIECES), [from, a, b, to]);
                current.extend((1..=PIECES).map(piece));
            }
            Seg::Close => {}
        }
    }
    if current.len() > 1 {
        all.push(current);
    }
    all
}
