//! The inline (I) and baseline (B) axes: any two that are at right angles, from the corner they leave free.
//!
//! Rule: PTOCA Reference, "Set Text Orientation (STO)", figure "Location of I,B Origin".

/// Directions of the axes in quarter turns clockwise from the x axis of the text's space; never parallel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axes {
    pub inline: u8,
    pub baseline: u8,
}

impl Default for Axes {
    fn default() -> Axes {
        Axes { inline: 0, baseline: 1 }
    }
}

/// Quarter turns of an angle in degrees (bits 0 to 8) and minutes (bits 9 to 14); `None` for oblique angles.
pub(super) fn quarter_turns(angle: u16) -> Option<u8> {
    match angle {
        0x0000 => Some(0),
        0x2D00 => Some(1),
        0x5A00 => Some(2),
        0x8700 => Some(3),
        _ => None,
    }
}

impl Axes {
    /// From two quarter turns; `None` when they are parallel.
    pub fn new(inline: u8, baseline: u8) -> Option<Axes> {
        let crossed = inline % 2 != baseline % 2;
        crossed.then_some(Axes { inline: inline % 4, baseline: baseline % 4 })
    }

    /// Whether the inline axis lies along x.
    pub fn is_level(self) -> bool {
        self.inline.is_multiple_of(2)
    }

    /// Where (I, B) lies in a space of this width and height.
    pub fn point(self, [i, b]: [f64; 2], extent: [f64; 2]) -> [f64; 2] {
        let [x, y] = self.corner(extent);
        let ([ix, iy], [bx, by]) = (unit(self.inline), unit(self.baseline));
        [x + i * ix + b * bx, y + i * iy + b * by]
    }

    /// The (I, B) of a point: the inverse of [`Axes::point`].
    pub fn coordinates(self, [x, y]: [f64; 2], extent: [f64; 2]) -> [f64; 2] {
        let [left, top] = self.corner(extent);
        [self.inline, self.baseline].map(|axis| {
            let [ux, uy] = unit(axis);
            (x - left) * ux + (y - top) * uy
        })
    }

    fn corner(self, [width, height]: [f64; 2]) -> [f64; 2] {
        let goes = |turns: u8| self.inline == turns || self.baseline == turns;
        [if goes(2) { width } else { 0.0 }, if goes(3) { height } else { 0.0 }]
    }
}

/// The direction of a quarter turn; y grows downwards.
pub(super) fn unit(turns: u8) -> [f64; 2] {
    match turns % 4 {
        0 => [1.0, 0.0],
        1 => [0.0, 1.0],
        2 => [-1.0, 0.0],
        _ => [0.0, -1.0],
    }
}

/// A point turned clockwise about the origin.
pub(super) fn turned([x, y]: [f64; 2], turns: u8) -> [f64; 2] {
    match turns % 4 {
        0 => [x, y],
        1 => [-y, x],
        2 => [-x, -y],
        _ => [y, -x],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table "Location of I,B Origin": x and y of I = 1, B = 10 in a space of 100 by 1000.
    const TABLE: [([u8; 2], [f64; 2]); 8] = [
        ([0, 1], [1.0, 10.0]),
        ([1, 2], [90.0, 1.0]),
        ([2, 3], [99.0, 990.0]),
        ([3, 0], [10.0, 999.0]),
        ([1, 0], [10.0, 1.0]),
        ([2, 1], [99.0, 10.0]),
        ([3, 2], [90.0, 999.0]),
        ([0, 3], [1.0, 990.0]),
    ];

    #[test]
    fn all_eight_orientations_start_in_their_corner_and_come_back() {
        for ([inline, baseline], expected) in TABLE {
            let axes = Axes::new(inline, baseline).unwrap();
            assert_eq!(axes.point([1.0, 10.0], [100.0, 1000.0]), expected, "{axes:?}");
            assert_eq!(axes.coordinates(expected, [100.0, 1000.0]), [1.0, 10.0], "{axes:?}");
        }
    }

    #[test]
    fn parallel_and_oblique_axes_are_none() {
        assert_eq!([Axes::new(0, 0), Axes::new(1, 3)], [None; 2]);
        assert_eq!(quarter_turns(0x1680), None);
        assert_eq!(quarter_turns(0x8700), Some(3));
    }
}
