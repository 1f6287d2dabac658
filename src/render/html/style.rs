//! The style block: screen, phone, dark mode, paper.

use crate::index::definition::Paper;
use crate::page::grid::Grid;
use crate::page::{Lu, Page};
use crate::render::form::Bars;

/// Advance of a monospaced glyph, in em: DejaVu Sans Mono and its kin.
const ADVANCE: f64 = 0.602;
/// Columns that the text is scaled for at least and at most.
const COLUMNS: (usize, usize) = (60, 140);

const SCREEN: &str = include_str!("style.css");

/// The whole style block for a document whose pages look like `first`.
pub fn sheet(first: Option<&Page>, paper: &Paper) -> String {
    let Some(page) = first else { return SCREEN.to_owned() };
    let grid = Grid::of(page);
    let columns = grid.columns().clamp(COLUMNS.0, COLUMNS.1) as f64 * ADVANCE + 4.0;
    let points = |length: Lu, most: f64| length.points().clamp(0.0, most);
    let (width, height) = (points(page.width, 14_400.0).max(72.0), points(page.height, 14_400.0).max(72.0));
    let size = (grid.cell.points() / ADVANCE).clamp(1.0, 100.0);
    let pitch = grid.pitch.points().clamp(1.0, 200.0);
    let (left, top) =
        (points(grid.left, width / 2.0), points(Lu(grid.top.0.saturating_sub(grid.pitch.0)), height / 2.0));
    let bars = if paper.green_bars { bars(page, &grid) } else { String::new() };
    format!(
        "{SCREEN}pre{{font-size:clamp(7px,calc((100vw - 2rem)/{columns:.1}),14px)}}\n{bars}\
         @page{{size:{width:.2}pt {height:.2}pt;margin:0}}\n\
         @media print{{pre{{font-size:{size:.3}pt;line-height:{pitch:.3}pt;padding:0}}\
         .page{{width:{width:.2}pt;height:{page_height:.2}pt;padding:{top:.2}pt 0 0 {left:.2}pt}}\
         .page.paper{{padding:0}}}}\n",
        // A hair less than the sheet, so that rounding never makes a second one.
        page_height = height - 1.0,
    )
}

/// Bars behind the rows that have them on paper (`form::green_bars`): three rows in six, counted from the top of the paper.
fn bars(page: &Page, grid: &Grid) -> String {
    let drawn = Bars::of(page);
    // Rows of the paper between where bars are counted from and the first row of the grid.
    let row_one = grid.top.0.saturating_sub(drawn.below());
    let above = row_one.saturating_sub(drawn.top.0).saturating_add(drawn.pitch.0 / 2).div_euclid(drawn.pitch.0.max(1));
    let shift = above.rem_euclid(6);
    let stops = if shift < 3 {
        let (from, to) = (3 - shift, 6 - shift);
        format!("transparent 0 {from}lh,var(--bar) {from}lh {to}lh,transparent {to}lh 6lh")
    } else {
        let (to, from) = (6 - shift, 9 - shift);
        format!("var(--bar) 0 {to}lh,transparent {to}lh {from}lh,var(--bar) {from}lh 6lh")
    };
    format!("pre{{background:repeating-linear-gradient(to bottom,{stops});print-color-adjust:exact}}\n")
}
