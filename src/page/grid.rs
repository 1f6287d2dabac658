//! A page as rows and columns: what text, HTML and JSON show.
//!
//! Columns are the printer's cells: a double-byte character takes two. On pages with proportional letters columns follow
//! from places ([`proportional`]). Text of forms is read where it stands. Text printed over other text (shadow runs) is
//! not shown again.

mod proportional;

pub(crate) use proportional::cells_of;

use std::borrow::Cow;

use super::walk::{Place, walk};
use super::{Advances, Color, Element, Family, Lu, Page, TextRun, bidi};

/// Blank rows between two printed ones are at most this many, and so are blank columns.
const BLANK_ROWS_LIMIT: i32 = 200;
const COLUMN_LIMIT: usize = 2_000;
/// Row pitches outside this are not those of a printer's rows.
const PITCHES: (i32, i32) = (900, 2_500);
/// Columns of usual printers.
const PRINTER_COLUMNS: [i32; 3] = [132, 80, 136];
/// The cell of 10 characters per inch, and the row pitch of 6 lines per inch.
const CELL: i32 = Lu::PER_INCH / 10;
const PITCH: i32 = Lu::PER_INCH / 6;

/// How characters look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Bold.
    pub bold: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Colour.
    pub color: Color,
}

/// A character in its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The character.
    pub text: char,
    /// Cells it takes: 0 (combining), 1 or 2.
    pub width: u8,
    /// How it looks.
    pub style: Style,
}

/// A page as rows of cells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grid {
    /// The rows; blank ones are empty. No row ends with a blank.
    pub rows: Vec<Vec<Cell>>,
    /// Width of a cell.
    pub cell: Lu,
    /// Distance of two rows.
    pub pitch: Lu,
    /// Left edge of the first column.
    pub left: Lu,
    /// Baseline of the first row.
    pub top: Lu,
}

/// A run along a baseline that goes to the left has Hebrew and Arabic in the order of reading: as others have it, then.
fn left_to_right(run: Cow<'_, TextRun>) -> Cow<'_, TextRun> {
    if run.turns % 4 != 2 || !run.text.chars().any(bidi::is_right_to_left) {
        return run;
    }
    let text = bidi::logical(&run.text).into_owned();
    Cow::Owned(TextRun { text, ..run.into_owned() })
}

/// Hebrew and Arabic in the order in which they are read.
fn in_reading_order(row: &mut [Cell]) {
    let chars: Vec<char> = row.iter().map(|cell| cell.text).collect();
    let Some(order) = bidi::order(&chars) else { return };
    let cells: Vec<Cell> = row.to_vec();
    for (cell, (from, text)) in row.iter_mut().zip(order) {
        if let Some(source) = cells.get(from) {
            *cell = Cell { text, ..*source };
        }
    }
}

impl Grid {
    /// Puts a page's text on a grid.
    pub fn of(page: &Page) -> Grid {
        let mut texts: Vec<Cow<'_, TextRun>> = Vec::new();
        walk(page, &mut |place, element| match element {
            Element::Text(run) if run.shadow => {}
            Element::Text(run) if place == Place::PAGE => texts.push(left_to_right(Cow::Borrowed(run))),
            Element::Text(run) => texts.push(left_to_right(Cow::Owned(place.text(run)))),
            _ => {}
        });
        let mono = |run: &TextRun| run.embedded.is_none() && run.face.family == Family::Mono;
        let mut grid =
            if texts.iter().all(|run| mono(run)) { Grid::of_cells(page, &texts) } else { proportional::grid(&texts) };
        for row in &mut grid.rows {
            while row.last().is_some_and(|cell| cell.text == ' ' && !cell.style.underline) {
                row.pop();
            }
            in_reading_order(row);
        }
        grid
    }

    /// Text that stands in a printer's cells.
    fn of_cells(page: &Page, texts: &[Cow<'_, TextRun>]) -> Grid {
        let mut runs: Vec<&TextRun> = texts.iter().map(Cow::as_ref).collect();
        // Stable: runs at one place stay in paint order.
        runs.sort_by_key(|run| (run.turns % 4, run.y, run.x));
        let upright: Vec<&TextRun> = runs.iter().copied().filter(|run| run.turns.is_multiple_of(4)).collect();
        let lines: Vec<i32> = upright.iter().map(|run| run.y.0).collect();
        let told = Told::by(&upright);
        let pitch = told.and_then(|told| told.pitch).unwrap_or_else(|| row_pitch(&lines));
        let cell = usual_cell(&upright);
        let left = left_edge(page, &upright, cell);
        let first = upright.first().map_or(0, |run| run.y.0);
        let above = told.map_or(0, |told| told.rows_above(first, pitch));
        let top = first.saturating_sub(above.saturating_mul(pitch));
        let mut grid = Grid { rows: Vec::new(), cell: Lu(cell), pitch: Lu(pitch), left: Lu(left), top: Lu(top) };
        (0..above).for_each(|_| grid.rows.push(Vec::new()));
        let mut baseline = None;
        for run in runs {
            grid.go_to_row(&mut baseline, run);
            grid.put(run);
        }
        grid
    }

    /// The text of a row.
    pub fn row_text(row: &[Cell]) -> String {
        row.iter().map(|cell| cell.text).collect()
    }

    /// The widest row, in cells.
    pub fn columns(&self) -> usize {
        self.rows.iter().map(|row| width(row)).max().unwrap_or(0)
    }

    fn go_to_row(&mut self, baseline: &mut Option<(u8, i32)>, run: &TextRun) {
        let turns = run.turns % 4;
        let gap = match *baseline {
            Some((before, y)) if before == turns => run.y.0.saturating_sub(y),
            Some(_) => self.pitch.0,
            None => 0,
        };
        if baseline.is_some() && gap.abs() <= self.pitch.0 / 4 && turns == 0 {
            return;
        }
        let rows = if baseline.is_none() { 1 } else { rounded(gap, self.pitch.0).clamp(1, BLANK_ROWS_LIMIT) };
        (0..rows).for_each(|_| self.rows.push(Vec::new()));
        *baseline = Some((turns, run.y.0));
    }

    fn put(&mut self, run: &TextRun) {
        let (cell, left) = (self.cell.0, self.left.0);
        let Some(row) = self.rows.last_mut() else { return };
        let style = Style { bold: run.face.bold, italic: run.face.italic, underline: run.underline, color: run.color };
        let mut pen = if run.turns.is_multiple_of(4) { run.x.0.saturating_sub(left) } else { 0 };
        let mut at = width(row);
        for (number, c) in run.text.chars().enumerate() {
            let advance = match &run.advances {
                Advances::Uniform(advance) => advance.0,
                Advances::Each(all) => all.get(number).map_or(0, |advance| advance.0),
            };
            let column = usize::try_from(rounded(pen, cell)).unwrap_or(0).min(COLUMN_LIMIT);
            while at < column {
                row.push(Cell { text: ' ', width: 1, style: Style::default() });
                at += 1;
            }
            let text = if c.is_control() { '\u{FFFD}' } else { c };
            let cells = if advance <= 0 { 0 } else { rounded(advance, cell).clamp(1, 2) as u8 };
            row.push(Cell { text, width: cells, style });
            at += usize::from(cells);
            pen = pen.saturating_add(advance);
        }
    }
}

/// Cells that a row takes.
pub fn width(row: &[Cell]) -> usize {
    row.iter().map(|cell| usize::from(cell.width)).sum()
}

fn rounded(length: i32, unit: i32) -> i32 {
    let unit = unit.max(1);
    length.saturating_add(unit / 2).div_euclid(unit)
}

/// The advance that most characters have; the narrowest of equally usual ones.
fn usual_cell(runs: &[&TextRun]) -> i32 {
    let mut counts = std::collections::BTreeMap::new();
    let mut count = |advance: Lu, characters: usize| {
        if (200..=14_400).contains(&advance.0) {
            *counts.entry(advance.0).or_insert(0) += characters;
        }
    };
    for run in runs {
        match &run.advances {
            Advances::Uniform(advance) => count(*advance, run.text.len()),
            Advances::Each(all) => all.iter().for_each(|advance| count(*advance, 1)),
        }
    }
    let Some((&usual, &most)) = counts.iter().rev().max_by_key(|(_, count)| **count) else { return CELL };
    // Mostly Chinese text: its characters take two of the cells that the digits take.
    match counts.get(&(usual / 2)) {
        Some(half) if half * 20 >= most => usual / 2,
        _ => usual,
    }
}

/// The distance of two rows: the largest that all gaps between these baselines are multiples of.
pub fn row_pitch(baselines: &[i32]) -> i32 {
    let mut lines = baselines.to_vec();
    lines.sort_unstable();
    lines.dedup();
    let gaps = lines.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
    let common = gaps.reduce(greatest_common_divisor).unwrap_or(PITCH);
    // Double spaced throughout: the rows are closer than the lines.
    let pitch = (1..=4).map(|spacing| common / spacing).find(|pitch| *pitch <= PITCHES.1).unwrap_or(PITCH);
    if pitch < PITCHES.0 { PITCH } else { pitch }
}

/// What runs tell of the rows of a printer that they stand in.
#[derive(Debug, Clone, Copy)]
struct Told {
    /// A row with text in it, from 1.
    row: i32,
    /// Its baseline.
    y: i32,
    /// The distance of two rows, where text stands in more than one.
    pitch: Option<i32>,
}

impl Told {
    /// `None` where runs do not tell, or where what they number is lines of text and not rows: those stand unevenly.
    fn by(runs: &[&TextRun]) -> Option<Told> {
        let row = |run: &TextRun| i32::try_from(run.line).ok().filter(|row| *row > 0);
        let mut told = runs.iter().filter_map(|run| Some((row(run)?, run.y.0)));
        let (first, y) = told.clone().next()?;
        let (last, end) = told.clone().next_back()?;
        if last <= first {
            return told.all(|at| at == (first, y)).then_some(Told { row: first, y, pitch: None });
        }
        let pitch = end.saturating_sub(y) / (last - first);
        let even =
            |(row, at): (i32, i32)| Some(at) == (row - first).checked_mul(pitch).map(|below| y.saturating_add(below));
        (pitch > 0 && told.all(even)).then_some(Told { row: first, y, pitch: Some(pitch) })
    }

    /// Blank rows above the one whose baseline is `first`.
    fn rows_above(&self, first: i32, pitch: i32) -> i32 {
        let row_one = self.y.saturating_sub((self.row - 1).saturating_mul(pitch));
        rounded(first.saturating_sub(row_one), pitch).clamp(0, BLANK_ROWS_LIMIT)
    }
}

fn greatest_common_divisor(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The left edge of column 1. Blanks at the start of lines are not drawn, so a page alone does not show it; but grids
/// stand in the middle of their paper, and printers have usual numbers of columns.
fn left_edge(page: &Page, runs: &[&TextRun], cell: i32) -> i32 {
    let first = runs.iter().map(|run| run.x.0).min().unwrap_or(0);
    let (width, inch) = (page.width.0, Lu::PER_INCH);
    let fitted = [width.saturating_sub(inch) / cell, width.saturating_sub(inch / 2) / cell];
    PRINTER_COLUMNS
        .into_iter()
        .chain(fitted)
        .map(|columns| width.saturating_sub(columns.saturating_mul(cell)) / 2)
        .find(|left| *left >= 0 && *left <= first && first.saturating_sub(*left) % cell <= 2)
        .unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::sample;

    fn texts(page: &Page) -> Vec<String> {
        Grid::of(page).rows.iter().map(|row| Grid::row_text(row)).collect()
    }

    #[test]
    fn columns_and_blank_rows_are_kept() {
        let page = sample::page(&["  A    1.00", "", "", "B"]);
        assert_eq!(texts(&page), ["  A    1.00", "", "", "B"]);
    }

    #[test]
    fn blank_rows_above_the_first_printed_one_are_kept() {
        assert_eq!(texts(&sample::page(&["", "", "A", "", "B"])), ["", "", "A", "", "B"]);
    }

    #[test]
    fn chinese_takes_two_columns_each() {
        let page = sample::page(&["\u{8D26}\u{5355} 12", "abcd 34"]);
        let grid = Grid::of(&page);
        assert_eq!(texts(&page), ["\u{8D26}\u{5355} 12", "abcd 34"]);
        assert_eq!(width(&grid.rows[0]), width(&grid.rows[1]));
    }

    #[test]
    fn a_page_without_anything_in_column_one_keeps_its_columns() {
        let mut page = sample::page(&["x"]);
        page.elements = vec![Element::Text(sample::run("NAME", 10, 3))];
        assert_eq!(texts(&page), ["", "", "", "          NAME"]);
    }

    #[test]
    fn rows_stay_apart_however_close_they_are() {
        let mut page = sample::page(&["one", "two", "three"]);
        for element in &mut page.elements {
            if let Element::Text(run) = element {
                run.y = Lu(1000 + i32::try_from(run.line).expect("small") * 158);
            }
        }
        assert_eq!(texts(&page), ["one", "two", "three"]);
    }

    #[test]
    fn the_row_pitch_is_what_all_gaps_share() {
        assert_eq!(row_pitch(&[1636, 4908, 9816]), 1636);
        assert_eq!(row_pitch(&[0, 4800, 9600]), 2400);
        assert_eq!(row_pitch(&[5]), PITCH);
        assert_eq!(row_pitch(&[0, 7, i32::MAX]), PITCH);
    }

    #[test]
    fn hostile_positions_do_not_make_endless_rows() {
        let mut page = sample::page(&["x", "y"]);
        for (number, element) in page.elements.iter_mut().enumerate() {
            if let Element::Text(run) = element {
                run.x = Lu(if number == 0 { i32::MIN } else { i32::MAX });
                run.y = Lu(if number == 0 { i32::MIN } else { i32::MAX });
            }
        }
        let grid = Grid::of(&page);
        assert!(grid.rows.len() <= 1 + BLANK_ROWS_LIMIT as usize && grid.columns() <= COLUMN_LIMIT + 2);
    }
}
