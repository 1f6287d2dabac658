//! Arcs, fillets and rounded boxes as Bézier curves.
//!
//! Rules: GOCA, "Full Arc", "Partial Arc", "Fillet", "Box". An arc is the image of a unit circle under the arc parameters
//! P, Q, R, S: x' = P x + R y, y' = S x + Q y, times a multiplier, about a centre.

use super::shape::{Point, Seg};

/// The arc parameters P, Q, R, S.
pub type ArcParameters = [f64; 4];

/// A circle, an ellipse, or part of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arc {
    /// Centre.
    pub centre: Point,
    /// Arc parameters.
    pub parameters: ArcParameters,
    /// Multiplier.
    pub multiplier: f64,
}

impl Arc {
    fn map(&self, [x, y]: Point) -> Point {
        let [p, q, r, s] = self.parameters;
        let [cx, cy] = self.centre;
        [cx + self.multiplier * (p * x + r * y), cy + self.multiplier * (s * x + q * y)]
    }

    /// The point at an angle in degrees.
    pub fn at(&self, degrees: f64) -> Point {
        let (sin, cos) = degrees.to_radians().sin_cos();
        self.map([cos, sin])
    }

    /// The whole arc as a closed figure.
    pub fn full(&self) -> Vec<Seg> {
        let mut shape = vec![Seg::Move(self.at(0.0))];
        shape.extend(self.sweep(0.0, 360.0));
        shape.push(Seg::Close);
        shape
    }

    /// The curves from one angle over a sweep, in degrees.
    pub fn sweep(&self, start: f64, sweep: f64) -> Vec<Seg> {
        let pieces = (sweep.abs() / 90.0).ceil().clamp(1.0, 8.0);
        let step = sweep / pieces;
        let reach = 4.0 / 3.0 * (step.to_radians() / 4.0).tan();
        let mut curves = Vec::new();
        let mut piece = 0.0;
        while piece < pieces {
            let from = (start + piece * step).to_radians();
            let to = (start + (piece + 1.0) * step).to_radians();
            let ((s0, c0), (s1, c1)) = (from.sin_cos(), to.sin_cos());
            let first = self.map([c0 - reach * s0, s0 + reach * c0]);
            let second = self.map([c1 + reach * s1, s1 - reach * c1]);
            curves.push(Seg::Curve(first, second, self.map([c1, s1])));
            piece += 1.0;
        }
        curves
    }
}

/// A curve that is tangent to the first and last line of a polyline at its ends, and to each line between at its middle.
pub fn fillet(points: &[Point]) -> Vec<Seg> {
    let [first, rest @ ..] = points else { return Vec::new() };
    let mut shape = vec![Seg::Move(*first)];
    let mut from = *first;
    let mut corners = rest.iter().peekable();
    let lines = rest.len();
    if let (1, Some(end)) = (lines, corners.peek()) {
        shape.push(Seg::Line(**end));
        return shape;
    }
    let mut done = 0;
    while let Some(corner) = corners.next() {
        let Some(next) = corners.peek() else { break };
        done += 1;
        let to = if done + 1 == lines { **next } else { middle(*corner, **next) };
        shape.push(quadratic(from, *corner, to));
        from = to;
    }
    shape
}

/// A chain of conics: for each a control point, an end point and a sharpness (below 1 an ellipse, 1 a parabola, above 1 a
/// hyperbola).
pub fn sharp_fillet(start: Point, arcs: &[(Point, Point, f64)]) -> Vec<Seg> {
    const PIECES: u8 = 24;
    let mut shape = vec![Seg::Move(start)];
    let mut from = start;
    for (control, to, sharpness) in arcs {
        let weight = sharpness.clamp(0.0, 1e6);
        for piece in 1..=PIECES {
            let t = f64::from(piece) / f64::from(PIECES);
            let (a, b, c) = ((1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t) * weight, t * t);
            let part = |axis: fn(&Point) -> f64| (a * axis(&from) + b * axis(control) + c * axis(to)) / (a + b + c);
            shape.push(Seg::Line([part(|p| p[0]), part(|p| p[1])]));
        }
        from = *to;
    }
    shape
}

/// A rectangle; with corners cut by quarters of an ellipse of these axes where they are not 0.
pub fn rounded_box([x0, y0]: Point, [x1, y1]: Point, [axis_x, axis_y]: Point) -> Vec<Seg> {
    let (left, right, low, high) = (x0.min(x1), x0.max(x1), y0.min(y1), y0.max(y1));
    let (rx, ry) = ((axis_x / 2.0).min((right - left) / 2.0), (axis_y / 2.0).min((high - low) / 2.0));
    if rx <= 0.0 || ry <= 0.0 {
        let corners = [[right, low], [right, high], [left, high]].map(Seg::Line);
        let [a, b, c] = corners;
        return vec![Seg::Move([left, low]), a, b, c, Seg::Close];
    }
    let mut shape = vec![Seg::Move([left + rx, low])];
    let corners = [
        ([right - rx, low], [right - rx, low + ry], 270.0),
        ([right, high - ry], [right - rx, high - ry], 0.0),
        ([left + rx, high], [left + rx, high - ry], 90.0),
        ([left, low + ry], [left + rx, low + ry], 180.0),
    ];
    for (side, centre, angle) in corners {
        shape.push(Seg::Line(side));
        shape.extend(Arc { centre, parameters: [rx, ry, 0.0, 0.0], multiplier: 1.0 }.sweep(angle, 90.0));
    }
    shape.push(Seg::Close);
    shape
}

fn middle([ax, ay]: Point, [bx, by]: Point) -> Point {
    [(ax + bx) / 2.0, (ay + by) / 2.0]
}

fn quadratic([ax, ay]: Point, [cx, cy]: Point, [bx, by]: Point) -> Seg {
    let third = |end: f64, control: f64| end + 2.0 / 3.0 * (control - end);
    Seg::Curve([third(ax, cx), third(ay, cy)], [third(bx, cx), third(by, cy)], [bx, by])
}

#[cfg(test)]
mod tests {
    use super::super::shape::bezier_at;
    use super::*;

    #[test]
    fn a_full_arc_stays_on_its_ellipse() {
        let arc = Arc { centre: [10.0, 20.0], parameters: [30.0, 20.0, 0.0, 0.0], multiplier: 2.0 };
        let mut from = arc.at(0.0);
        assert_eq!(from, [70.0, 20.0]);
        for seg in arc.full() {
            let Seg::Curve(a, b, to) = seg else { continue };
            for t in [0.25, 0.5, 0.75, 1.0] {
                let [x, y] = bezier_at(t, [from, a, b, to]);
                let on = ((x - 10.0) / 60.0).powi(2) + ((y - 20.0) / 40.0).powi(2);
                assert!((on - 1.0).abs() < 0.001, "{on}");
            }
            from = to;
        }
    }

    #[test]
    fn a_partial_arc_ends_where_its_sweep_does() {
        let arc = Arc { centre: [0.0, 0.0], parameters: [1.0, 1.0, 0.0, 0.0], multiplier: 100.0 };
        let Some(Seg::Curve(_, _, [x, y])) = arc.sweep(90.0, 135.0).last().copied() else { panic!() };
        let [ex, ey] = arc.at(225.0);
        assert!((x - ex).abs() < 1e-9 && (y - ey).abs() < 1e-9);
    }

    #[test]
    fn a_fillet_touches_inner_lines_at_their_middles() {
        let shape = fillet(&[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [20.0, 10.0]]);
        let ends: Vec<_> =
            shape.iter().filter_map(|seg| if let Seg::Curve(_, _, to) = seg { Some(*to) } else { None }).collect();
        assert_eq!(ends, [[10.0, 5.0], [20.0, 10.0]]);
        assert_eq!(fillet(&[[0.0, 0.0], [5.0, 5.0]]), [Seg::Move([0.0, 0.0]), Seg::Line([5.0, 5.0])]);
        assert!(fillet(&[]).is_empty());
    }

    #[test]
    fn sharpness_pulls_the_curve_to_its_control_point() {
        let top = |sharpness| {
            let shape = sharp_fillet([0.0, 0.0], &[([10.0, 10.0], [20.0, 0.0], sharpness)]);
            shape
                .iter()
                .map(|seg| match seg {
                    Seg::Line([_, y]) => *y,
                    _ => 0.0,
                })
                .fold(0.0, f64::max)
        };
        assert!((top(1.0) - 5.0f64).abs() < 1e-9);
        assert!((top(3.0) - 7.5f64).abs() < 1e-9);
        assert!(top(0.5) < 5.0);
    }

    #[test]
    fn corners_of_a_box_are_rounded_by_no_more_than_half_its_sides() {
        let shape = rounded_box([0.0, 0.0], [10.0, 4.0], [100.0, 100.0]);
        assert_eq!(shape.first(), Some(&Seg::Move([5.0, 0.0])));
        assert_eq!(rounded_box([10.0, 4.0], [0.0, 0.0], [0.0, 9.0]).len(), 5);
    }
}
