//! Merges the strikes of a page into rows: text to read and search, attributes and layers to draw.
//!
//! A [`Unit`] holds what was struck, record by record. People and the index want what stands on the paper:
//! one text per row, where a word struck twice is bold, a word struck over with underscores is underlined and a
//! security mask (`X` over `M` over `W`) says nothing. Rules: `docs/formats/line-data.md`, "Overprint".

use std::ops::Range;

use super::{Strike, Unit};
use crate::frame::codepage::{Cell, CodePage};

/// Different characters kept at one place; further ones are counted and not drawn.
pub const STRIKES_PER_CELL: usize = 4;

/// Letters that blot each other out. Two different ones at one place are a mask, not text.
const BLOTS: [char; 5] = ['X', 'M', 'W', 'O', '$'];

/// One character on the grid of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowCell {
    /// Its first column, from 1.
    pub column: usize,
    /// The character; a blank where a mask was struck.
    pub ch: char,
    /// Columns it takes: 1 or 2.
    pub width: u8,
    /// Struck more than once, or with a bold table reference character.
    pub bold: bool,
    /// Struck over with an underscore.
    pub underline: bool,
}

/// A character that is drawn over another one at the same place and is not part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shadow {
    /// Row, from 1.
    pub row: u16,
    /// Column, from 1.
    pub column: usize,
    /// The character.
    pub ch: char,
    /// Columns it takes: 1 or 2.
    pub width: u8,
    /// Which layer over the text, from 1.
    pub layer: u8,
}

/// The merged rows of one page. Keep one and [`fill`](Rows::fill) it page after page: it allocates only while it grows.
#[derive(Debug, Default)]
pub struct Rows {
    text: String,
    rows: Vec<Row>,
    cells: Vec<GridCell>,
    shadows: Vec<Shadow>,
    undecodable: u64,
    dropped: u64,
    scratch: Vec<Cell>,
    ruled: String,
    stacks: Vec<Stack>,
}

#[derive(Debug)]
struct Row {
    row: u16,
    text: Range<usize>,
    grid: Grid,
}

/// How columns of a row map to its text.
#[derive(Debug)]
enum Grid {
    /// A byte of the text is a column.
    Bytes { bold: bool },
    /// A character of the text is a column.
    Chars { bold: bool },
    /// `Rows::cells` in this range has a cell for each character, and possibly underlined blanks behind the text.
    Cells(Range<usize>),
}

#[derive(Debug, Clone, Copy)]
struct GridCell {
    ch: char,
    width: u8,
    bold: bool,
    underline: bool,
}

/// Everything struck at one column of a row.
#[derive(Debug, Clone, Copy, Default)]
struct Stack {
    chars: [char; STRIKES_PER_CELL],
    depth: usize,
    width: u8,
    bold: bool,
}

impl Stack {
    /// Adds a character; false when there are too many.
    fn strike(&mut self, cell: Cell, bold: bool) -> bool {
        self.bold |= bold;
        if self.struck().contains(&cell.ch) {
            self.bold = true;
        } else if let Some(free) = self.chars.get_mut(self.depth) {
            *free = cell.ch;
            self.depth += 1;
            self.width = self.width.max(cell.width);
        } else {
            return false;
        }
        true
    }

    fn struck(&self) -> &[char] {
        self.chars.get(..self.depth).unwrap_or_default()
    }

    fn has_underscore(&self) -> bool {
        self.struck().contains(&'_')
    }
}

impl Rows {
    /// Takes the strikes of `unit`, whose bytes are in `cp`.
    pub fn fill(&mut self, unit: &Unit, cp: &'static CodePage) {
        self.clear();
        let mut rest = unit.strikes.as_slice();
        while let Some(first) = rest.first() {
            let same = rest.iter().take_while(|strike| strike.row == first.row).count();
            let (group, later) = rest.split_at(same);
            rest = later;
            self.take(unit, group, cp);
        }
    }

    /// Adds one row of `unit` that is not there yet: `strikes` are all that the row has.
    pub fn add(&mut self, unit: &Unit, strikes: &[Strike], cp: &'static CodePage) {
        self.take(unit, strikes, cp);
        if !self.rows.is_sorted_by_key(|row| row.row) {
            self.rows.sort_by_key(|row| row.row);
        }
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.text.clear();
        self.rows.clear();
        self.cells.clear();
        self.shadows.clear();
        self.undecodable = 0;
        self.dropped = 0;
    }

    fn take(&mut self, unit: &Unit, row: &[Strike], cp: &'static CodePage) {
        match row {
            [] => {}
            [only] => self.add_single(unit, only, cp),
            [one, two] if self.add_ruled(unit, one, two, cp) || self.add_ruled(unit, two, one, cp) => {}
            [first, ..] => self.add_merged(unit, first.row, row, cp),
        }
    }

    /// The printed rows from top to bottom: row number from 1, text without trailing blanks, never empty.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &str)> {
        self.rows.iter().map(|row| (row.row, self.text_of(row)))
    }

    /// The text of a row, from column 1, without trailing blanks; `None` where nothing is printed.
    pub fn get(&self, row: u16) -> Option<&str> {
        self.find(row).map(|row| self.text_of(row))
    }

    /// The characters that start in `count` columns of a row from column `from` (from 1) on; empty where nothing
    /// is printed. A double-width character belongs to the column it starts in.
    pub fn columns(&self, row: u16, from: usize, count: usize) -> &str {
        let Some(row) = self.find(row) else { return "" };
        let text = self.text_of(row);
        let first = from.saturating_sub(1);
        let last = first.saturating_add(count);
        match &row.grid {
            Grid::Bytes { .. } => text.get(first.min(text.len())..last.min(text.len())).unwrap_or_default(),
            Grid::Chars { .. } => between(text, text.chars().map(|ch| (ch, 1)), first, last),
            Grid::Cells(range) => {
                let cells = self.cells.get(range.clone()).unwrap_or_default();
                between(text, cells.iter().map(|cell| (cell.ch, usize::from(cell.width))), first, last)
            }
        }
    }

    /// The characters of a row with their columns and attributes; may end with underlined blanks.
    pub fn cells(&self, row: u16) -> Cells<'_> {
        let found = self.find(row);
        let (bold, text, cells) = match found.map(|row| &row.grid) {
            Some(Grid::Cells(range)) => (false, "", self.cells.get(range.clone()).unwrap_or_default()),
            Some(Grid::Bytes { bold } | Grid::Chars { bold }) => {
                (*bold, found.map_or("", |r| self.text_of(r)), &[][..])
            }
            None => (false, "", &[][..]),
        };
        Cells { text: text.chars(), bold, cells: cells.iter(), column: 1 }
    }

    /// The last printed column of a row; 0 where nothing is printed.
    pub fn width(&self, row: u16) -> usize {
        self.cells(row).last().map_or(0, |cell| cell.column + usize::from(cell.width.max(1)) - 1)
    }

    /// The text of a row whose characters all take one column and look alike, and whether they are bold.
    pub fn uniform(&self, row: u16) -> Option<(&str, bool)> {
        let row = self.find(row)?;
        match row.grid {
            Grid::Bytes { bold } | Grid::Chars { bold } => Some((self.text_of(row), bold)),
            Grid::Cells(_) => None,
        }
    }

    /// Characters struck over others, in the order of rows, then layers.
    pub fn shadows(&self) -> &[Shadow] {
        &self.shadows
    }

    /// Bytes of the page that have no meaning in the code page.
    pub fn undecodable(&self) -> u64 {
        self.undecodable
    }

    /// Characters left out because too many different ones stand at their place.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn find(&self, row: u16) -> Option<&Row> {
        let at = self.rows.binary_search_by_key(&row, |entry| entry.row).ok()?;
        self.rows.get(at)
    }

    fn text_of(&self, row: &Row) -> &str {
        self.text.get(row.text.clone()).unwrap_or_default()
    }

    /// The usual row, struck once: decoded straight into the text.
    fn add_single(&mut self, unit: &Unit, strike: &Strike, cp: &'static CodePage) {
        if unit.narrow_shifts {
            return self.add_merged(unit, strike.row, std::slice::from_ref(strike), cp);
        }
        let bytes = unit.text(strike);
        let start = self.text.len();
        self.undecodable += u64::from(cp.decode(bytes, &mut self.text));
        let added = self.text.get(start..).unwrap_or_default();
        let bold = strike.trc == 1;
        let grid = if added.len() == bytes.len() && added.is_ascii() {
            Grid::Bytes { bold }
        } else if cp.byte_is_column() && added.chars().count() == bytes.len() {
            Grid::Chars { bold }
        } else {
            self.scratch.clear();
            cp.cells(bytes, &mut self.scratch);
            let from = self.cells.len();
            self.cells.extend(self.scratch.iter().map(|cell| GridCell {
                ch: cell.ch,
                width: cell.width,
                bold,
                underline: false,
            }));
            while self.cells.len() > from && self.cells.last().is_some_and(|cell| cell.ch == ' ') {
                self.cells.pop();
            }
            Grid::Cells(from..self.cells.len())
        };
        self.close_row(strike.row, start, grid);
    }

    fn close_row(&mut self, row: u16, start: usize, grid: Grid) {
        let kept = self.text.get(start..).unwrap_or_default().trim_end_matches(' ').len();
        self.text.truncate(start + kept);
        let underlined = matches!(&grid, Grid::Cells(range) if !range.is_empty());
        if kept > 0 || underlined {
            self.rows.push(Row { row, text: start..start + kept, grid });
        }
    }

    /// The usual row with rules under it: one strike of underscores and blanks, one without underscores, both with a byte of
    /// ASCII for each column. The same as [`Rows::add_merged`] gives, in a fraction of its time; false: not such a row.
    fn add_ruled(&mut self, unit: &Unit, words: &Strike, rules: &Strike, cp: &'static CodePage) -> bool {
        if unit.narrow_shifts || rules.trc == 1 {
            return false;
        }
        let (row, words_len, rules_len) = (words.row, unit.text(words).len(), unit.text(rules).len());
        self.ruled.clear();
        if cp.decode(unit.text(rules), &mut self.ruled) > 0
            || self.ruled.len() != rules_len
            || !self.ruled.bytes().all(|byte| byte == b'_' || byte == b' ')
        {
            return false;
        }
        self.ruled.truncate(self.ruled.trim_end_matches(' ').len());
        let start = self.text.len();
        let bad = cp.decode(unit.text(words), &mut self.text);
        let text = self.text.get(start..).unwrap_or_default();
        if bad > 0 || text.len() != words_len || !text.is_ascii() || text.contains('_') {
            self.text.truncate(start);
            return false;
        }
        let bold = words.trc == 1;
        let from = self.cells.len();
        let (mut words, mut rules) = (text.bytes(), self.ruled.bytes().peekable());
        while rules.peek().is_some() {
            let ruled = rules.peek() == Some(&b'_');
            let first = self.cells.len();
            let mut over_words = false;
            while rules.next_if(|rule| (*rule == b'_') == ruled).is_some() {
                let ch = char::from(words.next().unwrap_or(b' '));
                over_words |= ch != ' ';
                self.cells.push(GridCell { ch, width: 1, bold: bold && ch != ' ', underline: ruled });
            }
            if ruled && !over_words {
                for cell in self.cells.iter_mut().skip(first) {
                    (cell.ch, cell.underline) = ('_', false);
                }
            }
        }
        for ch in words.map(char::from) {
            self.cells.push(GridCell { ch, width: 1, bold: bold && ch != ' ', underline: false });
        }
        while self.cells.len() > from && self.cells.last().is_some_and(|cell| cell.ch == ' ' && !cell.underline) {
            self.cells.pop();
        }
        self.text.truncate(start);
        self.text.extend(self.cells.get(from..).unwrap_or_default().iter().map(|cell| cell.ch));
        self.close_row(row, start, Grid::Cells(from..self.cells.len()));
        true
    }

    fn add_merged(&mut self, unit: &Unit, row: u16, strikes: &[Strike], cp: &'static CodePage) {
        self.stacks.clear();
        for strike in strikes {
            self.scratch.clear();
            let shift_width = u8::from(!unit.narrow_shifts);
            let bad = cp.cells_with_shifts(unit.text(strike), shift_width, &mut self.scratch);
            self.undecodable += u64::from(bad);
            let mut column = 0;
            for cell in &self.scratch {
                let width = usize::from(cell.width.max(1));
                if self.stacks.len() < column + width {
                    self.stacks.resize(column + width, Stack::default());
                }
                let blank = cell.ch == ' ' || cell.ch == '\u{3000}';
                if let Some(stack) = self.stacks.get_mut(column).filter(|_| !blank) {
                    self.dropped += u64::from(!stack.strike(*cell, strike.trc == 1));
                }
                column += width;
            }
        }
        let from = self.cells.len();
        let start = self.text.len();
        self.resolve(row);
        while self.cells.len() > from && self.cells.last().is_some_and(|cell| cell.ch == ' ' && !cell.underline) {
            self.cells.pop();
        }
        self.text.extend(self.cells.get(from..).unwrap_or_default().iter().map(|cell| cell.ch));
        self.close_row(row, start, Grid::Cells(from..self.cells.len()));
    }

    /// Turns the stacks of a row into cells and shadows.
    fn resolve(&mut self, row: u16) {
        let first_shadow = self.shadows.len();
        let mut ruled_until = 0;
        let mut ruled = false;
        let mut hidden_until = 0;
        for (at, stack) in self.stacks.iter().enumerate() {
            if at >= ruled_until {
                // A run of underscores that passes under any other character underlines all of its columns, the
                // blanks between the words too; a run on its own stays a line of underscores.
                let run = self.stacks.iter().skip(at).take_while(|stack| stack.has_underscore());
                let (length, words) = run.fold((0, false), |(n, any), stack| (n + 1, any || stack.depth > 1));
                ruled_until = at + length.max(1);
                ruled = words;
            }
            let merged = merge(stack, ruled);
            for (layer, ch) in (1..).zip(merged.over.iter().flatten()) {
                self.shadows.push(Shadow { row, column: at + 1, ch: *ch, width: stack.width.max(1), layer });
            }
            if at < hidden_until {
                if merged.cell.ch != ' ' {
                    self.shadows.push(Shadow { row, column: at + 1, ch: merged.cell.ch, width: 1, layer: 1 });
                }
                continue;
            }
            hidden_until = at + usize::from(merged.cell.width);
            self.cells.push(merged.cell);
        }
        if let Some(new) = self.shadows.get_mut(first_shadow..) {
            new.sort_by_key(|shadow| (shadow.layer, shadow.column));
        }
    }
}

struct Merged {
    cell: GridCell,
    over: [Option<char>; STRIKES_PER_CELL],
}

/// Decides what one column shows; `ruled` says that its underscores pass under words.
fn merge(stack: &Stack, ruled: bool) -> Merged {
    let mut cell = GridCell { ch: ' ', width: stack.width.max(1), bold: stack.bold, underline: false };
    let mut over = [None; STRIKES_PER_CELL];
    let mut signs = [' '; STRIKES_PER_CELL];
    let mut count = 0;
    for ch in stack.struck() {
        if *ch == '_' && ruled {
            cell.underline = true;
        } else if let Some(free) = signs.get_mut(count) {
            *free = *ch;
            count += 1;
        }
    }
    let signs = signs.get(..count).unwrap_or_default();
    let blots = signs.iter().filter(|ch| BLOTS.contains(ch)).count();
    let keep = match signs {
        [] => None,
        [one] => Some(*one),
        ['0', '/'] | ['/', '0'] => Some('0'),
        ['=', '/'] | ['/', '='] => Some('\u{2260}'),
        _ if blots > 1 => None,
        [first, ..] => Some(*first),
    };
    cell.ch = keep.unwrap_or(' ');
    if cell.ch != '\u{2260}' {
        let drawn = signs.iter().filter(|ch| Some(**ch) != keep);
        for (slot, ch) in over.iter_mut().zip(drawn) {
            *slot = Some(*ch);
        }
    }
    Merged { cell, over }
}

/// The part of `text` whose characters start in columns `first..last` (from 0).
fn between(text: &str, widths: impl Iterator<Item = (char, usize)>, first: usize, last: usize) -> &str {
    let (mut column, mut byte) = (0, 0);
    let (mut start, mut end) = (text.len(), text.len());
    for (ch, width) in widths {
        if column >= first && byte < start {
            start = byte;
        }
        if column >= last {
            end = byte;
            break;
        }
        column += width;
        byte += ch.len_utf8();
    }
    text.get(start.min(end).min(text.len())..end.min(text.len())).unwrap_or_default()
}

/// Iterator over the characters of a row; see [`Rows::cells`].
#[derive(Debug)]
pub struct Cells<'r> {
    text: std::str::Chars<'r>,
    bold: bool,
    cells: std::slice::Iter<'r, GridCell>,
    column: usize,
}

impl Iterator for Cells<'_> {
    type Item = RowCell;

    fn next(&mut self) -> Option<RowCell> {
        let column = self.column;
        let cell = match self.text.next() {
            Some(ch) => RowCell { column, ch, width: 1, bold: self.bold, underline: false },
            None => {
                let cell = self.cells.next()?;
                RowCell { column, ch: cell.ch, width: cell.width, bold: cell.bold, underline: cell.underline }
            }
        };
        self.column += usize::from(cell.width);
        Some(cell)
    }
}

/// Appends the text of a page to `out`: its rows joined by line feeds, rows without print as empty lines, trailing
/// blanks cut, nothing behind the last printed row.
pub fn page_text(unit: &Unit, cp: &'static CodePage, rows: &mut Rows, out: &mut String) {
    rows.fill(unit, cp);
    let mut row = 1;
    for (number, text) in rows.iter() {
        for _ in row..number {
            out.push('\n');
        }
        row = number.max(row);
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests;
