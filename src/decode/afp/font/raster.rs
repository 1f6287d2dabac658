//! Bitmaps as outlines: exactly along the edges of their dots, so that drawing them gives the same bitmap.

use super::outline::{Outline, Segment};

/// Steps of all outlines of a font together; beyond that it is no font but noise.
pub const STEPS_LIMIT: usize = 4 << 20;

/// A bitmap: rows from top to bottom, each padded to a byte, 1 is ink.
#[derive(Debug, Clone, Copy)]
pub struct Bitmap<'a> {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The rows; dots beyond the end are white.
    pub rows: &'a [u8],
}

impl Bitmap<'_> {
    /// Whether a dot is ink; false outside of the bitmap.
    pub fn ink(&self, column: usize, row: usize) -> bool {
        let at = row.checked_mul(self.width.div_ceil(8)).and_then(|start| start.checked_add(column / 8));
        let byte = at.filter(|_| column < self.width && row < self.height).and_then(|at| self.rows.get(at));
        byte.is_some_and(|byte| byte & (0x80 >> (column % 8)) != 0)
    }

    /// The outline, one unit for each dot: the bitmap's top left corner is the origin, y upwards (so all of it lies
    /// below). Outer contours run counterclockwise, holes clockwise. `None` when it takes more than `limit` steps.
    pub fn outline(&self, limit: usize) -> Option<Outline> {
        let mut edges = Edges::of(self);
        let mut segments = Vec::new();
        for row in 0..=self.height {
            for column in 0..=self.width {
                while let Some(contour) = edges.contour(column, row) {
                    segments.extend(contour);
                    if segments.len() > limit {
                        return None;
                    }
                }
            }
        }
        Some(Outline(segments))
    }
}

/// The four ways along the grid, counterclockwise as seen on paper; a left turn is the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Right,
    Up,
    Left,
    Down,
}

impl Way {
    const ALL: [Way; 4] = [Way::Right, Way::Up, Way::Left, Way::Down];

    fn bit(self) -> u8 {
        1 << self as u8
    }

    fn left(self) -> Way {
        match self {
            Way::Right => Way::Up,
            Way::Up => Way::Left,
            Way::Left => Way::Down,
            Way::Down => Way::Right,
        }
    }

    fn right(self) -> Way {
        self.left().left().left()
    }
}

/// The edges between ink and paper, by the corner of the grid that each starts from; ink lies to the left.
struct Edges {
    columns: usize,
    starts: Vec<u8>,
}

impl Edges {
    fn of(bitmap: &Bitmap<'_>) -> Edges {
        let columns = bitmap.width + 1;
        let mut edges = Edges { columns, starts: vec![0; columns * (bitmap.height + 1)] };
        for row in 0..bitmap.height {
            for column in 0..bitmap.width {
                if bitmap.ink(column, row) {
                    edges.around(bitmap, column, row);
                }
            }
        }
        edges
    }

    fn around(&mut self, bitmap: &Bitmap<'_>, column: usize, row: usize) {
        let above = row.checked_sub(1).is_some_and(|row| bitmap.ink(column, row));
        let before = column.checked_sub(1).is_some_and(|column| bitmap.ink(column, row));
        let mut edge = |free: bool, column: usize, row: usize, way: Way| {
            if free && let Some(corner) = self.starts.get_mut(row * self.columns + column) {
                *corner |= way.bit();
            }
        };
        edge(!above, column + 1, row, Way::Left);
        edge(!before, column, row, Way::Down);
        edge(!bitmap.ink(column, row + 1), column, row + 1, Way::Right);
        edge(!bitmap.ink(column + 1, row), column + 1, row + 1, Way::Up);
    }

    /// Takes an edge away; false when there is none.
    fn take(&mut self, column: usize, row: usize, way: Way) -> bool {
        let Some(corner) = self.starts.get_mut(row * self.columns + column) else { return false };
        let there = *corner & way.bit() != 0;
        *corner &= !way.bit();
        there
    }

    /// The next contour that starts at a corner.
    fn contour(&mut self, column: usize, row: usize) -> Option<Vec<Segment>> {
        let first = Way::ALL.into_iter().find(|way| self.take(column, row, *way))?;
        let (mut x, mut y, mut way) = (column, row, first);
        let mut segments = vec![Segment::Move(point(x, y))];
        loop {
            match way {
                Way::Right => x += 1,
                Way::Up => y = y.saturating_sub(1),
                Way::Left => x = x.saturating_sub(1),
                Way::Down => y += 1,
            }
            // Where dots touch at a corner only, the left turn keeps them apart.
            let next = [way.left(), way, way.right()].into_iter().find(|next| self.take(x, y, *next));
            if next != Some(way) {
                segments.push(Segment::Line(point(x, y)));
            }
            match next {
                Some(next) => way = next,
                None => return Some(segments),
            }
        }
    }
}

fn point(column: usize, row: usize) -> [f64; 2] {
    let number = |value: usize| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
    [number(column), -number(row)]
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Fills an outline on a grid: a dot is ink when the winding number of its middle is not 0.
    pub fn filled(outline: &Outline, width: usize, height: usize) -> Vec<bool> {
        let mut lines = Vec::new();
        let (mut at, mut start) = ([0.0; 2], [0.0; 2]);
        for segment in outline.0.iter().chain([&Segment::Move([0.0; 2])]) {
            match *segment {
                Segment::Move(to) => {
                    lines.push((at, start));
                    (at, start) = (to, to);
                }
                Segment::Line(to) => {
                    lines.push((at, to));
                    at = to;
                }
                Segment::Curve(_) => unreachable!(),
            }
        }
        let winding = |x: f64, y: f64| {
            let crossing = |(a, b): &([f64; 2], [f64; 2])| match (a[1] < y, b[1] < y) {
                (true, false) if a[0] > x => 1,
                (false, true) if a[0] > x => -1,
                _ => 0,
            };
            lines.iter().map(crossing).sum::<i32>()
        };
        let dots = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
        dots.map(|(column, row)| winding(column as f64 + 0.5, -(row as f64) - 0.5) != 0).collect()
    }

    #[test]
    fn one_dot_is_a_counterclockwise_square() {
        let bitmap = Bitmap { width: 1, height: 1, rows: &[0x80] };
        let outline = bitmap.outline(100).unwrap();
        assert_eq!(outline.0.len(), 5);
        assert_eq!(outline.bounds(), Some([0.0, -1.0, 1.0, 0.0]));
        // The shoelace formula: a positive area runs counterclockwise.
        let points: Vec<[f64; 2]> = outline
            .0
            .iter()
            .map(|s| match s {
                Segment::Move(p) | Segment::Line(p) => *p,
                Segment::Curve(_) => unreachable!(),
            })
            .collect();
        let area: f64 = points.windows(2).map(|w| w[0][0] * w[1][1] - w[1][0] * w[0][1]).sum();
        assert!(area > 0.0);
    }

    #[test]
    fn a_ring_has_a_hole_and_touching_dots_stay_apart() {
        let ring = Bitmap { width: 3, height: 3, rows: &[0xE0, 0xA0, 0xE0] };
        let outline = ring.outline(100).unwrap();
        assert_eq!(outline.0.iter().filter(|s| matches!(s, Segment::Move(_))).count(), 2);
        let diagonal = Bitmap { width: 2, height: 2, rows: &[0x80, 0x40] };
        let outline = diagonal.outline(100).unwrap();
        assert_eq!(outline.0.iter().filter(|s| matches!(s, Segment::Move(_))).count(), 2);
    }

    #[test]
    fn missing_rows_are_white_and_noise_is_given_up() {
        let cut = Bitmap { width: 9, height: 4, rows: &[0xFF, 0x80, 0xFF] };
        assert_eq!(filled(&cut.outline(100).unwrap(), 9, 4).iter().filter(|ink| **ink).count(), 17);
        let noise = vec![0xAA; 1000];
        assert_eq!(Bitmap { width: 8, height: 1000, rows: &noise }.outline(15), None);
        assert_eq!(Bitmap { width: 0, height: 0, rows: &[] }.outline(15), Some(Outline::default()));
    }

    proptest! {
        #[test]
        fn an_outline_fills_the_same_dots(width in 1_usize..20, height in 1_usize..12, bytes in proptest::collection::vec(any::<u8>(), 40)) {
            let bitmap = Bitmap { width, height, rows: &bytes };
            let outline = bitmap.outline(10_000).unwrap();
            let wanted: Vec<bool> = (0..height).flat_map(|row| (0..width).map(move |column| bitmap.ink(column, row))).collect();
            prop_assert_eq!(filled(&outline, width, height), wanted);
        }
    }
}
