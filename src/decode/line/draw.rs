//! Draws a unit as a page: rows and columns of the printer's grid on paper that fits them.
//!
//! Paper and grid come from how the stream is read, never from a single page, so that all pages of a
//! document look alike. Rules: `docs/formats/line-data.md`, "Paper".

use super::control::Control;
use super::layout::Layout;
use crate::decode::rows::{RowCell, Rows};
use crate::decode::{ReadSpec, Unit};
use crate::frame::Framing;
use crate::frame::codepage::CodePage;
use crate::note::{At, Notes};
use crate::page::{Advances, Color, Element, Face, Family, Lu, Page, TextRun};

/// Widest portrait line: what a Letter page holds at 10 characters per inch, a few more when squeezed.
const PORTRAIT_COLUMNS: i32 = 88;
/// Columns of the usual line printer, when the stream does not say.
const PRINTER_COLUMNS: i32 = 132;
/// Columns beyond which nothing is drawn.
const COLUMN_LIMIT: i32 = 1024;
/// US Letter.
const SHORT_SIDE: i32 = Lu::PER_INCH * 17 / 2;
const LONG_SIDE: i32 = Lu::PER_INCH * 11;
/// Continuous stationery, 14 7/8 inches wide: 136 columns at 10 characters per inch.
const STATIONERY: i32 = Lu::PER_INCH * 119 / 8;
/// Least free edge on both sides together, and at top and bottom together.
const EDGES: i32 = Lu::PER_INCH / 2;
/// Where the baseline lies in a row, in thousandths of its height from the top.
const BASELINE: i32 = 780;

/// Paper and grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Paper width.
    pub width: Lu,
    /// Paper height.
    pub height: Lu,
    /// Left edge of column 1.
    pub left: Lu,
    /// Top of row 1.
    pub top: Lu,
    /// Width of a column.
    pub column: Lu,
    /// Height of a row.
    pub row: Lu,
    /// Height of the em square.
    pub size: Lu,
}

impl Geometry {
    /// The paper for a stream.
    pub(super) fn new(how: &ReadSpec, layout: &Layout) -> Geometry {
        let control = u32::from(layout.control != Control::None) + u32::from(layout.trc);
        // The length of a variable record usually counts its descriptor word.
        let word = if matches!(layout.framing, Framing::Descriptors { .. }) { 4 } else { 0 };
        let text = how.record_length.map(|length| length.saturating_sub(control + word));
        let columns = text.and_then(|columns| i32::try_from(columns).ok()).unwrap_or(PRINTER_COLUMNS);
        let columns = columns.clamp(1, COLUMN_LIMIT);
        let lines = i32::from(layout.form.lines);
        match (how.characters_per_inch, how.lines_per_inch) {
            (None, None) => Geometry::fitted(columns, lines),
            (cpi, lpi) => Geometry::natural(columns, lines, cpi.unwrap_or(10), lpi.unwrap_or(6)),
        }
    }

    /// Shrinks the grid to Letter paper: upright for narrow reports, lying for wide ones.
    fn fitted(columns: i32, lines: i32) -> Geometry {
        let upright = columns <= PORTRAIT_COLUMNS;
        let (width, height) = if upright { (SHORT_SIDE, LONG_SIDE) } else { (LONG_SIDE, SHORT_SIDE) };
        // Wide reports keep half an inch on each edge, as a sheet that is bound or punched needs.
        let (across, down) = if upright { (EDGES, EDGES) } else { (2 * EDGES, 2 * EDGES) };
        let grid = columns.max(if upright { 80 } else { PRINTER_COLUMNS });
        let column = ((width - across) / grid).min(Lu::PER_INCH / 10);
        let row = ((height - down) / lines.max(1)).min(Lu::PER_INCH / 6);
        Geometry::placed(width, height, grid, lines, column, row)
    }

    /// The real size of the print, on stationery that holds it.
    fn natural(columns: i32, lines: i32, cpi: u8, lpi: u8) -> Geometry {
        let column = Lu::PER_INCH / i32::from(cpi.max(1));
        let row = Lu::PER_INCH / i32::from(lpi.max(1));
        let print = columns * column;
        let width = if print <= SHORT_SIDE - EDGES { SHORT_SIDE } else { STATIONERY.max(print + EDGES) };
        let height = lines.saturating_mul(row).max(Lu::PER_INCH);
        Geometry::placed(width, height, columns, lines, column, row)
    }

    fn placed(width: i32, height: i32, columns: i32, lines: i32, column: i32, row: i32) -> Geometry {
        // The advance of a fixed pitch font is 0.6 of its em. Where rows are closer than the em the letters become lower, so that
        // no line touches the next; the columns stay.
        let size = (column * 10 / 6).min(row * 94 / 100);
        Geometry {
            width: Lu(width),
            height: Lu(height),
            left: Lu(((width - columns * column) / 2).max(0)),
            top: Lu(((height - lines * row) / 2).max(0)),
            column: Lu(column.max(1)),
            row: Lu(row.max(1)),
            size: Lu(size.max(1)),
        }
    }

    fn x(&self, column: usize) -> Lu {
        Lu(self.left.0.saturating_add(i32_of(column.saturating_sub(1)).saturating_mul(self.column.0)))
    }

    fn y(&self, row: u16) -> Lu {
        let above = i32::from(row.saturating_sub(1)).saturating_mul(self.row.0);
        Lu(self.top.0.saturating_add(above).saturating_add(self.row.0 * BASELINE / 1000))
    }
}

fn i32_of(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Draws `unit`.
pub(super) fn page(
    unit: &Unit,
    cp: &'static CodePage,
    geometry: &Geometry,
    rows: &mut Rows,
    notes: &mut Notes,
) -> Page {
    rows.fill(unit, cp);
    let mut elements = Vec::with_capacity(unit.strikes.len());
    let mut cut = 0;
    let mut last = 0;
    for strike in &unit.strikes {
        if strike.row != last {
            last = strike.row;
            cut += draw_row(rows, last, geometry, &mut elements);
        }
    }
    let at = At { byte: unit.span.start, record: unit.records_before + 1, page: unit.page };
    notes.add_many("column-not-drawn", cut, at, "characters beyond column 1024");
    notes.add_many("overstrike-dropped", rows.dropped(), at, "too many strikes at one place");
    draw_shadows(rows, geometry, &mut elements);
    Page { width: geometry.width, height: geometry.height, elements }
}

/// A run that is being put together.
struct Run {
    column: usize,
    text: String,
    /// Empty while all characters take one column.
    advances: Vec<Lu>,
    bold: Option<bool>,
    underline: bool,
}

impl Run {
    fn starting(cell: &RowCell) -> Run {
        Run { column: cell.column, text: String::new(), advances: Vec::new(), bold: None, underline: cell.underline }
    }

    /// Blanks have no weight: they join any run with the same underline.
    fn takes(&self, cell: &RowCell) -> bool {
        self.underline == cell.underline && (cell.ch == ' ' || self.bold.is_none_or(|bold| bold == cell.bold))
    }

    fn push(&mut self, cell: &RowCell, column: Lu) {
        if cell.ch != ' ' {
            self.bold = Some(cell.bold);
        }
        if cell.width != 1 && self.advances.is_empty() {
            self.advances.resize(self.text.chars().count(), column);
        }
        if cell.width != 1 || !self.advances.is_empty() {
            self.advances.push(Lu(i32::from(cell.width) * column.0));
        }
        self.text.push(cell.ch);
    }

    fn finish(self, geometry: &Geometry, row: u16, elements: &mut Vec<Element>) {
        let advances =
            if self.advances.is_empty() { Advances::Uniform(geometry.column) } else { Advances::Each(self.advances) };
        elements.push(Element::Text(TextRun {
            x: geometry.x(self.column),
            y: geometry.y(row),
            turns: 0,
            face: Face { family: Family::Mono, bold: self.bold.unwrap_or(false), italic: false },
            size: geometry.size,
            color: Color::BLACK,
            text: self.text,
            advances,
            embedded: None,
            stretch: 1000,
            underline: self.underline,
            line: row.into(),
            shadow: false,
        }));
    }
}

/// Draws one row and returns how many characters had no place.
fn draw_row(rows: &Rows, row: u16, geometry: &Geometry, elements: &mut Vec<Element>) -> u64 {
    if let Some((text, bold)) = rows.uniform(row).filter(|(text, _)| i32_of(text.len()) <= COLUMN_LIMIT) {
        draw_uniform(text, bold, row, geometry, elements);
        return 0;
    }
    let mut run: Option<Run> = None;
    let mut cut = 0;
    for cell in rows.cells(row).skip_while(|cell| cell.ch == ' ' && !cell.underline) {
        if i32_of(cell.column) > COLUMN_LIMIT {
            cut += u64::from(cell.ch != ' ');
            continue;
        }
        if let Some(done) = run.take_if(|run| !run.takes(&cell)) {
            done.finish(geometry, row, elements);
        }
        run.get_or_insert_with(|| Run::starting(&cell)).push(&cell, geometry.column);
    }
    if let Some(run) = run {
        run.finish(geometry, row, elements);
    }
    cut
}

/// The usual row: one run from its first character on.
fn draw_uniform(text: &str, bold: bool, row: u16, geometry: &Geometry, elements: &mut Vec<Element>) {
    let shown = text.trim_start_matches(' ');
    if shown.is_empty() {
        return;
    }
    let run = Run {
        column: text.len() - shown.len() + 1,
        text: shown.to_owned(),
        advances: Vec::new(),
        bold: Some(bold),
        underline: false,
    };
    run.finish(geometry, row, elements);
}

/// Draws what was struck over other characters: neighbours of one layer as one run.
fn draw_shadows(rows: &Rows, geometry: &Geometry, elements: &mut Vec<Element>) {
    let mut open: Option<(Run, u16, u8, usize)> = None;
    for shadow in rows.shadows() {
        if i32_of(shadow.column) > COLUMN_LIMIT {
            continue;
        }
        let cell = RowCell { column: shadow.column, ch: shadow.ch, width: shadow.width, bold: false, underline: false };
        let key = (shadow.row, shadow.layer, shadow.column);
        if let Some((run, row, ..)) = open.take_if(|(_, row, layer, next)| (*row, *layer, *next) != key) {
            finish_shadow(run, row, geometry, elements);
        }
        let (run, .., next) = open.get_or_insert_with(|| (Run::starting(&cell), shadow.row, shadow.layer, 0));
        run.push(&cell, geometry.column);
        *next = shadow.column + usize::from(shadow.width);
    }
    if let Some((run, row, ..)) = open {
        finish_shadow(run, row, geometry, elements);
    }
}

fn finish_shadow(run: Run, row: u16, geometry: &Geometry, elements: &mut Vec<Element>) {
    run.finish(geometry, row, elements);
    if let Some(Element::Text(text)) = elements.last_mut() {
        text.shadow = true;
    }
}
