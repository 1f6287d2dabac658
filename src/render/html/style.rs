//! The style block: screen, phone, dark mode, paper.

use crate::index::definition::Paper;
use crate::page::grid::Grid;
use crate::page::{Lu, Page};

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
    let bars = if paper.green_bars {
        "pre{background:repeating-linear-gradient(to bottom,transparent 0 3lh,var(--bar) 3lh 6lh);print-color-adjust:exact}\n"
    } else {
        ""
    };
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
