//! Shapes of characters, and what can be done to them before a font program is written.

/// A step of an outline, in units of the font, y upwards. Contours are closed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Segment {
    /// A contour starts here.
    Move([f64; 2]),
    /// A straight line to here.
    Line([f64; 2]),
    /// A cubic curve: two control points and the end.
    Curve([f64; 6]),
}

/// A shape: contours filled by the nonzero winding rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outline(pub Vec<Segment>);

impl Outline {
    /// Every point taken through `map`.
    pub fn mapped(&self, map: impl Fn([f64; 2]) -> [f64; 2]) -> Outline {
        let segment = |segment: &Segment| match *segment {
            Segment::Move(point) => Segment::Move(map(point)),
            Segment::Line(point) => Segment::Line(map(point)),
            Segment::Curve([a, b, c, d, e, f]) => {
                let ([a, b], [c, d], [e, f]) = (map([a, b]), map([c, d]), map([e, f]));
                Segment::Curve([a, b, c, d, e, f])
            }
        };
        Outline(self.0.iter().map(segment).collect())
    }

    /// Turned clockwise about the origin by 0, 90, 180 or 270 degrees.
    pub fn turned(&self, degrees: u16) -> Outline {
        self.mapped(|point| turned(point, degrees))
    }

    /// Moved.
    pub fn moved(&self, by: [f64; 2]) -> Outline {
        let [dx, dy] = by;
        self.mapped(|[x, y]| [x + dx, y + dy])
    }

    /// Left, bottom, right, top of all points; `None` when there are none.
    pub fn bounds(&self) -> Option<[f64; 4]> {
        let mut bounds: Option<[f64; 4]> = None;
        let mut take = |x: f64, y: f64| {
            let [left, bottom, right, top] = bounds.unwrap_or([x, y, x, y]);
            bounds = Some([left.min(x), bottom.min(y), right.max(x), top.max(y)]);
        };
        for segment in &self.0 {
            match *segment {
                Segment::Move([x, y]) | Segment::Line([x, y]) => take(x, y),
                Segment::Curve([a, b, c, d, e, f]) => {
                    take(a, b);
                    take(c, d);
                    take(e, f);
                }
            }
        }
        bounds
    }
}

/// A point turned clockwise about the origin, y upwards.
pub fn turned([x, y]: [f64; 2], degrees: u16) -> [f64; 2] {
    match degrees {
        90 => [y, -x],
        180 => [-x, -y],
        270 => [-y, x],
        _ => [x, y],
    }
}

/// A box turned likewise: left, bottom, right, top.
pub fn turned_box([left, bottom, right, top]: [f64; 4], degrees: u16) -> [f64; 4] {
    let [ax, ay] = turned([left, bottom], degrees);
    let [bx, by] = turned([right, top], degrees);
    [ax.min(bx), ay.min(by), ax.max(bx), ay.max(by)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_is_clockwise() {
        assert_eq!(turned([1.0, 0.0], 90), [0.0, -1.0]);
        assert_eq!(turned([0.0, 1.0], 90), [1.0, 0.0]);
        assert_eq!(turned([1.0, 2.0], 180), [-1.0, -2.0]);
        assert_eq!(turned([0.0, 1.0], 270), [-1.0, 0.0]);
        assert_eq!(turned_box([0.0, 0.0, 2.0, 3.0], 90), [0.0, -2.0, 3.0, 0.0]);
    }
}
