//! The text of a drawn page, for those who index it: rows as people read them, and pieces with their place.

use std::borrow::Cow;

use super::draw::each_text;
use crate::decode::{PlacedText, Strike, Unit};
use crate::page::grid::Grid;
use crate::page::{Advances, Lu, Page, bidi};

/// Text of one page that is kept.
const TEXT_BYTES: usize = 8 << 20;

/// Fills the strikes and the placed text of a unit from its page.
pub fn fill(unit: &mut Unit, page: &Page) {
    let size = unit.bytes.len();
    for (number, row) in (1_u16..).zip(&Grid::of(page).rows) {
        if row.is_empty() || unit.spill.len() > TEXT_BYTES {
            continue;
        }
        let text = Grid::row_text(row);
        let text = bidi::letters(&text);
        if let (Ok(at), Ok(len)) = (u32::try_from(size + unit.spill.len()), u32::try_from(text.len())) {
            unit.strikes.push(Strike { row: number, at, len, trc: 0 });
            unit.spill.extend_from_slice(text.as_bytes());
        }
    }
    let (spill, placed) = (&mut unit.spill, &mut unit.placed);
    each_text(&page.elements, &mut |run| {
        if run.shadow || spill.len() > TEXT_BYTES {
            return;
        }
        let width = match &run.advances {
            Advances::Uniform(one) => one.0.saturating_mul(i32::try_from(run.text.chars().count()).unwrap_or(i32::MAX)),
            Advances::Each(all) => all.iter().fold(0_i32, |sum, one| sum.saturating_add(one.0)),
        };
        // Along a baseline that goes to the left Hebrew and Arabic are in the order of reading already.
        let text = if run.turns % 4 == 2 { Cow::Borrowed(run.text.as_str()) } else { bidi::logical(&run.text) };
        let text = bidi::letters(&text);
        if let (Ok(at), Ok(len)) = (u32::try_from(spill.len()), u32::try_from(text.len())) {
            let (x, y, size, turns) = (run.x, run.y, run.size, run.turns);
            placed.push(PlacedText { x, y, width: Lu(width), size, turns, at, len });
            spill.extend_from_slice(text.as_bytes());
        }
    });
}
