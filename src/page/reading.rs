//! The order in which people read a page: rows of the upright text from top to bottom, each from left to right; then
//! what is turned.

use super::{Advances, Lu, TextRun};

/// Baselines nearer than this share of the smaller letters' size are one row (raised digits, mixed fonts).
const SAME_ROW: (i64, i64) = (1, 4);

/// Where something stands for a reader who has turned the paper so that it is upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Quarter turns clockwise of the text.
    pub turns: u8,
    /// Distance of the baseline downwards.
    pub row: i64,
    /// Distance of the start to the right.
    pub column: i64,
    /// Height of the letters.
    pub size: i64,
}

impl Spot {
    /// Of something at a point of the page.
    pub fn of(turns: u8, x: Lu, y: Lu, size: Lu) -> Spot {
        let (x, y) = (i64::from(x.0), i64::from(y.0));
        let (row, column) = match turns % 4 {
            0 => (y, x),
            1 => (-x, y),
            2 => (-y, -x),
            _ => (x, -y),
        };
        Spot { turns: turns % 4, row, column, size: i64::from(size.0).abs() }
    }
}

/// Puts things in reading order, row by row.
pub fn rows<T>(mut items: Vec<(Spot, T)>) -> Vec<Vec<(Spot, T)>> {
    // Stable: what stands at one place stays in paint order.
    items.sort_by_key(|(spot, _)| (spot.turns, spot.row, spot.column));
    let mut rows: Vec<Vec<(Spot, T)>> = Vec::new();
    for (spot, item) in items {
        let same = rows.last().and_then(|row| row.first()).is_some_and(|(first, _)| {
            let near = first.size.min(spot.size) * SAME_ROW.0 / SAME_ROW.1;
            first.turns == spot.turns && spot.row - first.row <= near
        });
        match rows.last_mut() {
            Some(row) if same => row.push((spot, item)),
            _ => rows.push(vec![(spot, item)]),
        }
    }
    for row in &mut rows {
        row.sort_by_key(|(spot, _)| spot.column);
    }
    rows
}

/// How far a character moves the pen; nothing where the run does not say.
pub fn advance(run: &TextRun, number: usize) -> i64 {
    i64::from(match &run.advances {
        Advances::Uniform(advance) => advance.0,
        Advances::Each(all) => all.get(number).map_or(0, |advance| advance.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_from_the_top_and_turned_text_last() {
        let at = |turns, x, y| Spot::of(turns, Lu(x), Lu(y), Lu(1000));
        let items =
            vec![(at(1, 50, 0), "side"), (at(0, 900, 2010), "c"), (at(0, 10, 2000), "b"), (at(0, 500, 1000), "a")];
        let read: Vec<Vec<&str>> =
            rows(items).into_iter().map(|row| row.into_iter().map(|(_, item)| item).collect()).collect();
        assert_eq!(read, [vec!["a"], vec!["b", "c"], vec!["side"]]);
    }
}
