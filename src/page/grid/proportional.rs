//! Rows and columns of pages whose letters have widths of their own.
//!
//! Words of one row that stand close together are a piece of text; where a wider gap divides them, the next piece starts in
//! the column that its place on the page gives. Pieces that start at the same place start in the same column, however
//! long the text before them is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{BLANK_ROWS_LIMIT, CELL, COLUMN_LIMIT, Cell, Grid, PITCH, PITCHES, Style};
use crate::page::reading::{self, Spot};
use crate::page::{Lu, TextRun};

/// A gap of more than this share of the letters' size (in percent) divides words, and one of more than the second pieces.
const WORD_GAP: i64 = 12;
const PIECE_GAP: i64 = 95;
/// Words that overlap by more than this share were printed for themselves.
const OVERLAP: i64 = -40;
/// The same word at almost the same place (in percent of the size) is struck twice for bold.
const TWICE: i64 = 20;
/// Widths of cells that are taken for what letters are wide.
const CELLS: (i64, i64) = (300, 5_000);
/// Blanks between two pieces, if there is no room for more.
const APART: usize = 2;

/// A word in its row.
struct Word {
    from: i64,
    to: i64,
    size: i64,
    /// A blank was printed before it.
    blank: bool,
    cells: Vec<Cell>,
}

/// Words that belong together, and the blanks between them.
struct Text {
    from: i64,
    to: i64,
    size: i64,
    cells: Vec<Cell>,
}

/// Puts text on rows and columns: `runs` as they lie on the page, in paint order.
pub fn grid(runs: &[Cow<'_, TextRun>]) -> Grid {
    let spots = runs.iter().map(|run| (Spot::of(run.turns, run.x, run.y, run.size), run.as_ref())).collect();
    let rows = reading::rows(spots);
    let cell = usual_width(runs);
    let pitch = usual_pitch(&rows);
    let top = rows.first().and_then(|row| row.first()).map_or(0, |(spot, _)| spot.row);
    let mut grid = Grid { rows: Vec::new(), cell: lu(cell), pitch: lu(pitch), left: Lu(0), top: lu(top) };
    for (number, side) in rows.chunk_by(|a, b| turns(a) == turns(b)).enumerate() {
        let texts: Vec<(i64, Vec<Text>)> = side.iter().map(|row| (baseline(row), pieces(words(row)))).collect();
        let left = texts.iter().flat_map(|(_, row)| row.iter().map(|text| text.from)).min().unwrap_or(0);
        if number == 0 {
            grid.left = lu(left);
        }
        let columns = columns(&texts, left, cell);
        let mut before = None;
        for (baseline, row) in texts {
            if row.is_empty() {
                continue;
            }
            let gap = before.map_or(0, |before: i64| (baseline - before + pitch / 2) / pitch - 1);
            let most = if number == 0 { BLANK_ROWS_LIMIT } else { 1 };
            let blank = gap.clamp(0, i64::from(most)) as usize;
            grid.rows.resize(grid.rows.len() + blank, Vec::new());
            before = Some(baseline);
            grid.rows.push(line(row, &columns));
        }
    }
    grid
}

fn lu(length: i64) -> Lu {
    Lu(length.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
}

fn turns(row: &[(Spot, &TextRun)]) -> u8 {
    row.first().map_or(0, |(spot, _)| spot.turns)
}

fn baseline(row: &[(Spot, &TextRun)]) -> i64 {
    row.first().map_or(0, |(spot, _)| spot.row)
}

/// What a letter is wide on average.
fn usual_width(runs: &[Cow<'_, TextRun>]) -> i64 {
    let (mut width, mut letters) = (0_i64, 0_i64);
    for run in runs.iter().filter(|run| run.turns.is_multiple_of(4)) {
        for (number, c) in run.text.chars().enumerate() {
            let advance = reading::advance(run, number);
            if (1..=100_000).contains(&advance) {
                width += advance;
                letters += i64::from(cells_of(c));
            }
        }
    }
    if letters == 0 { i64::from(CELL) } else { (width / letters).clamp(CELLS.0, CELLS.1) }
}

/// The distance that most rows have; the smallest of equally usual ones.
fn usual_pitch(rows: &[Vec<(Spot, &TextRun)>]) -> i64 {
    let mut gaps = BTreeMap::new();
    for pair in rows.windows(2) {
        let gap = baseline(&pair[1]) - baseline(&pair[0]);
        if turns(&pair[0]) == turns(&pair[1]) && (i64::from(PITCHES.0)..=2 * i64::from(PITCHES.1)).contains(&gap) {
            *gaps.entry(gap / 50 * 50).or_insert(0) += 1;
        }
    }
    gaps.iter().rev().max_by_key(|(_, count)| **count).map_or(i64::from(PITCH), |(gap, _)| *gap)
}

/// The words of a row from left to right, those that were struck twice once.
fn words(row: &[(Spot, &TextRun)]) -> Vec<Word> {
    let mut words = Vec::new();
    for (spot, run) in row {
        let style = Style { bold: run.face.bold, italic: run.face.italic, underline: run.underline, color: run.color };
        let mut pen = spot.column;
        let mut open: Option<Word> = None;
        let mut blank = false;
        for (number, c) in run.text.chars().enumerate() {
            let advance = reading::advance(run, number);
            let end = pen.saturating_add(advance);
            if c == ' ' || c == '\u{A0}' || c == '\u{3000}' {
                words.extend(open.take());
                blank = true;
            } else {
                let text = if c.is_control() { '\u{FFFD}' } else { c };
                let width = if advance <= 0 { 0 } else { cells_of(c) };
                let word =
                    open.get_or_insert_with(|| Word { from: pen, to: pen, size: spot.size, blank, cells: Vec::new() });
                word.cells.push(Cell { text, width, style });
                word.to = word.to.max(end);
                blank = false;
            }
            pen = end;
        }
        words.extend(open);
    }
    words.sort_by_key(|word: &Word| word.from);
    words.dedup_by(|next, word| {
        let same = next.cells.iter().map(|cell| cell.text).eq(word.cells.iter().map(|cell| cell.text));
        same && next.from - word.from <= word.size * TWICE / 100
    });
    words
}

fn pieces(words: Vec<Word>) -> Vec<Text> {
    let mut texts: Vec<Text> = Vec::new();
    for word in words {
        let gap = texts.last().map_or(i64::MAX, |text| word.from.saturating_sub(text.to));
        let size = texts.last().map_or(word.size, |text| text.size.min(word.size)).max(1);
        match texts.last_mut() {
            Some(text) if gap <= size * PIECE_GAP / 100 => {
                if word.blank || !(size * OVERLAP / 100..=size * WORD_GAP / 100).contains(&gap) {
                    let style = text.cells.last().map_or(Style::default(), |cell| cell.style);
                    let underline = word.cells.first().is_some_and(|cell| cell.style.underline) && style.underline;
                    text.cells.push(Cell { text: ' ', width: 1, style: Style { underline, ..style } });
                }
                text.cells.extend(word.cells);
                text.to = text.to.max(word.to);
                text.size = word.size;
            }
            _ => texts.push(Text { from: word.from, to: word.to, size: word.size, cells: word.cells }),
        }
    }
    texts
}

/// The column for each place where a text starts: at least what its distance from the left gives, and right of all that
/// stands before it in any row.
fn columns(rows: &[(i64, Vec<Text>)], left: i64, cell: i64) -> BTreeMap<i64, usize> {
    // By place: what stands directly before a text that starts here.
    let mut starts: BTreeMap<i64, Vec<(i64, usize)>> = BTreeMap::new();
    for (_, row) in rows {
        let mut before = None;
        for text in row {
            let here = starts.entry(text.from).or_default();
            here.extend(before);
            before = Some((text.from, super::width(&text.cells)));
        }
    }
    let mut columns = BTreeMap::new();
    let mut shift = 0;
    let mut last: Option<(i64, usize)> = None;
    for (place, before) in starts {
        let distance = usize::try_from((place - left).max(0) / cell.max(1)).unwrap_or(COLUMN_LIMIT);
        // Almost the same place is the same column.
        let near = last.filter(|(at, _)| place - at <= cell / 3).map(|(_, column)| column);
        let natural = near.unwrap_or(distance.saturating_add(shift));
        let needed = before.iter().filter_map(|(from, width)| Some(columns.get(from)? + width + APART)).max();
        let column = natural.max(needed.unwrap_or(0)).min(COLUMN_LIMIT);
        shift = column.saturating_sub(distance).max(shift);
        if near.is_none() || column != natural {
            last = Some((place, column));
        }
        columns.insert(place, column);
    }
    columns
}

fn line(row: Vec<Text>, columns: &BTreeMap<i64, usize>) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    let mut at = 0;
    for text in row {
        let apart = if at == 0 { 0 } else { at + 1 };
        let column = columns.get(&text.from).copied().unwrap_or(0).max(apart).min(2 * COLUMN_LIMIT);
        while at < column {
            cells.push(Cell { text: ' ', width: 1, style: Style::default() });
            at += 1;
        }
        at += super::width(&text.cells);
        cells.extend(text.cells);
    }
    cells
}

/// Cells that a character takes where letters do not say it: East Asian ones two.
pub(crate) fn cells_of(c: char) -> u8 {
    let wide = matches!(u32::from(c), 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x2_0000..=0x3_FFFD);
    if wide { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Advances, Element, Face, Family, Page, sample};

    /// A run of 10 points at a place in points; letters are 5 points wide, `i` and `.` 2.5.
    fn run(text: &str, x: f64, y: f64) -> TextRun {
        let width = |c: char| Lu::from_points(if matches!(c, 'i' | '.' | ' ') { 2.5 } else { 5.0 });
        TextRun {
            x: Lu::from_points(x),
            y: Lu::from_points(y),
            face: Face { family: Family::Sans, ..Face::default() },
            size: Lu::from_points(10.0),
            advances: Advances::Each(text.chars().map(width).collect()),
            ..sample::run(text, 0, 0)
        }
    }

    fn shown(runs: Vec<TextRun>) -> Vec<String> {
        let elements = runs.into_iter().map(Element::Text).collect();
        let page = Page { width: Lu(122_400), height: Lu(158_400), elements };
        Grid::of(&page).rows.iter().map(|row| Grid::row_text(row)).collect()
    }

    #[test]
    fn pieces_of_a_word_are_joined_and_words_are_apart() {
        let runs =
            vec![run("Sta", 10.0, 20.0), run("tement", 25.2, 20.0), run("of", 58.0, 20.0), run("it", 70.0, 20.4)];
        assert_eq!(shown(runs), ["Statement of it"]);
    }

    #[test]
    fn columns_start_where_they_start_on_paper() {
        let rows = [("Fee", "1.00"), ("A rather long description of it", "20.00"), ("iiiiiiiiiiii", "3.00")];
        let mut runs = Vec::new();
        for (number, (text, amount)) in rows.iter().enumerate() {
            let y = 20.0 + 12.0 * number as f64;
            runs.push(run(text, 10.0, y));
            runs.push(run(amount, 200.0, y));
        }
        let shown = shown(runs);
        let at: Vec<_> = shown.iter().zip(rows).map(|(row, (_, amount))| row.find(amount)).collect();
        assert!(at.iter().all(|column| *column == at[0] && column.is_some()), "{shown:#?}");
    }

    #[test]
    fn a_word_struck_twice_is_read_once_and_rows_keep_their_distance() {
        let runs = vec![run("Total", 10.0, 20.0), run("Total", 10.4, 20.0), run("a", 10.0, 32.0), run("b", 10.0, 56.0)];
        assert_eq!(shown(runs), ["Total", "a", "", "b"]);
    }

    #[test]
    fn turned_text_comes_after_the_upright_rows() {
        let mut side = run("Form 7", 500.0, 10.0);
        side.turns = 1;
        assert_eq!(shown(vec![side, run("x", 10.0, 700.0)]), ["x", "Form 7"]);
    }
}
