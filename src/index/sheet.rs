//! A page's text as rules look at it: row by row, decoded only where a rule looks.
//!
//! Where a byte is a column (single-byte pages, and rows of other pages without double-byte text) literals and
//! masks are compared with the raw bytes and only the columns of a field are decoded. Everything else (several
//! records on one row, shift codes, UTF-8) goes through [`Rows`], which merges what was struck.

use memchr::memmem;

use super::rule::{ColumnRange, MaskSign, Test};
use crate::decode::rows::Rows;
use crate::decode::{Strike, Unit};
use crate::frame::codepage::CodePage;

/// One printed row: its strikes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'u> {
    pub row: u16,
    pub strikes: &'u [Strike],
}

/// The printed rows of `unit` from `first` to `last`.
pub(crate) fn lines(unit: &Unit, first: i32, last: i32) -> Lines<'_> {
    let strikes = unit.strikes.as_slice();
    let from = strikes.partition_point(|strike| i32::from(strike.row) < first);
    let rest = strikes.get(from..).unwrap_or_default();
    let to = if last >= super::rule::LAST_ROW {
        rest.len()
    } else {
        rest.partition_point(|strike| i32::from(strike.row) <= last)
    };
    Lines { strikes: rest.get(..to).unwrap_or_default() }
}

/// See [`lines`].
#[derive(Debug, Clone)]
pub(crate) struct Lines<'u> {
    strikes: &'u [Strike],
}

impl<'u> Iterator for Lines<'u> {
    type Item = Line<'u>;

    fn next(&mut self) -> Option<Line<'u>> {
        let row = self.strikes.first()?.row;
        let same = self.strikes.iter().take_while(|strike| strike.row == row).count();
        let (strikes, rest) = self.strikes.split_at(same);
        self.strikes = rest;
        Some(Line { row, strikes })
    }
}

impl DoubleEndedIterator for Lines<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let row = self.strikes.last()?.row;
        let same = self.strikes.iter().rev().take_while(|strike| strike.row == row).count();
        let (rest, strikes) = self.strikes.split_at(self.strikes.len() - same);
        self.strikes = rest;
        Some(Line { row, strikes })
    }
}

/// When a byte of a row is a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByteColumns {
    /// Always: a single-byte page.
    Always,
    /// Unless the row shifts to double byte.
    UnlessShifted,
    /// When the row is ASCII.
    WhenAscii,
}

const BLANK: u8 = 1;
const DIGIT: u8 = 2;
const LETTER: u8 = 4;
/// Prints as a blank but is not the blank.
const ODD: u8 = 8;

/// Shift-out, which starts double-byte text on mixed host pages.
const SHIFT_OUT: u8 = 0x0E;

/// A literal, ready to compare.
#[derive(Debug, Clone)]
pub(crate) struct Literal {
    text: String,
    /// Its bytes in the code page, when it has them and a byte of it is a column.
    finder: Option<memmem::Finder<'static>>,
    /// Its first byte, when no other byte prints the same.
    first: Option<u8>,
    /// Contains a blank, which other bytes than the blank may print.
    blank: bool,
}

/// Where a literal is in the bytes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sought {
    /// At this column.
    At(u16),
    /// Not in the columns.
    Nowhere,
    /// Bytes do not decide it: signs that print as blanks are compared as characters.
    Unknown,
}

/// A mask, ready to compare.
#[derive(Debug, Clone)]
pub(crate) struct ReadyMask {
    signs: Vec<MaskSign>,
    /// The byte of each sign that stands for itself.
    bytes: Vec<Option<u8>>,
    /// The bytes that the first sign takes.
    begins: Box<[bool; 256]>,
    /// What the first sign takes is on a row only where it was struck: merging makes blanks, but no digit, no letter and no
    /// sign of ASCII.
    struck: bool,
}

impl ReadyMask {
    /// Columns that it covers.
    pub fn width(&self) -> u16 {
        u16::try_from(self.signs.len()).unwrap_or(u16::MAX)
    }
}

/// A test, ready for one code page.
#[derive(Debug, Clone)]
pub(crate) enum Probe {
    Text(Box<Literal>),
    Regex(regex::Regex),
    Mask(ReadyMask),
    Printed,
}

/// Looks at rows; keeps the buffers that this takes.
#[derive(Debug)]
pub(crate) struct Glass {
    cp: &'static CodePage,
    byte_columns: ByteColumns,
    blank: u8,
    class: [u8; 256],
    /// Rows of the page where a byte is not a column, merged when they are looked at.
    rows: Rows,
    /// The rows that are in `rows`.
    merged: Vec<u16>,
    text: String,
}

impl Glass {
    pub fn new(cp: &'static CodePage) -> Glass {
        let mut class = [0; 256];
        let mut text = String::new();
        for (byte, class) in (0..=255_u8).zip(class.iter_mut()) {
            text.clear();
            cp.decode(&[byte], &mut text);
            let ch = text.chars().next().unwrap_or(' ');
            *class = match ch {
                ' ' if byte == cp.blank() => BLANK,
                ' ' => BLANK | ODD,
                '0'..='9' => DIGIT,
                ch if ch.is_alphabetic() => LETTER,
                _ => 0,
            };
        }
        Glass {
            cp,
            byte_columns: byte_columns(cp),
            blank: cp.blank(),
            class,
            rows: Rows::default(),
            merged: Vec::new(),
            text: String::new(),
        }
    }

    /// Forgets the page before; call it for each page before looking at it.
    pub fn turn_page(&mut self) {
        self.merged.clear();
        self.rows.clear();
    }

    /// Merges what was struck on a row, once for a page: few rows need it, and few of them are looked at.
    fn merge(&mut self, unit: &Unit, line: Line<'_>) {
        if !self.merged.contains(&line.row) {
            self.merged.push(line.row);
            self.rows.add(unit, line.strikes, self.cp);
        }
    }

    /// Makes a test ready for this code page.
    pub fn probe(&self, test: &Test) -> Probe {
        match test {
            Test::Text(text) => Probe::Text(Box::new(self.literal(text))),
            Test::Regex(regex) => Probe::Regex(regex.clone()),
            Test::Mask(mask) => Probe::Mask(self.mask(mask)),
            Test::Printed => Probe::Printed,
        }
    }

    /// Makes a literal ready for this code page.
    pub fn literal(&self, text: &str) -> Literal {
        let bytes = self.cp.encode(text).filter(|bytes| bytes.len() == text.chars().count());
        let first = bytes.as_ref().and_then(|bytes| bytes.first().copied());
        Literal {
            text: text.into(),
            first: first.filter(|first| self.is_only(*first)),
            finder: bytes.map(|bytes| memmem::Finder::new(&bytes).into_owned()),
            blank: text.contains(char::is_whitespace),
        }
    }

    /// Whether no other byte prints the same sign.
    fn is_only(&self, byte: u8) -> bool {
        let sign = |byte: u8| {
            let mut text = String::new();
            self.cp.decode(&[byte], &mut text);
            text
        };
        let wanted = sign(byte);
        (0..=255).all(|other| other == byte || sign(other) != wanted)
    }

    /// Makes a mask ready for this code page.
    pub fn mask(&self, signs: &[MaskSign]) -> ReadyMask {
        let byte = |sign: &MaskSign| match sign {
            MaskSign::Literal(ch) => {
                self.cp.encode(ch.encode_utf8(&mut [0; 4])).and_then(|bytes| match bytes.as_slice() {
                    [one] => Some(*one),
                    _ => None,
                })
            }
            _ => None,
        };
        let bytes: Vec<Option<u8>> = signs.iter().map(byte).collect();
        let mut begins = Box::new([true; 256]);
        if let (Some(sign), Some(wanted)) = (signs.first(), bytes.first()) {
            for (byte, begins) in (0..=u8::MAX).zip(begins.iter_mut()) {
                *begins = self.fits(byte, sign, *wanted);
            }
        }
        let struck = match signs.first() {
            Some(MaskSign::Digit | MaskSign::Letter) => true,
            Some(MaskSign::Literal(ch)) => ch.is_ascii_graphic(),
            _ => false,
        };
        ReadyMask { bytes, signs: signs.to_vec(), begins, struck }
    }

    /// The bytes of a row when each is a column.
    #[inline]
    fn direct<'u>(&self, unit: &'u Unit, line: Line<'u>) -> Option<&'u [u8]> {
        match line.strikes {
            [only] if self.byte_columns == ByteColumns::Always => Some(unit.text(only)),
            _ => self.direct_of_any(unit, line),
        }
    }

    fn direct_of_any<'u>(&self, unit: &'u Unit, line: Line<'u>) -> Option<&'u [u8]> {
        let (first, over) = line.strikes.split_first()?;
        let bytes = unit.text(first);
        if !over.iter().all(|strike| self.repeats(bytes, unit.text(strike))) {
            return None;
        }
        let fits = match self.byte_columns {
            ByteColumns::Always => true,
            ByteColumns::UnlessShifted => memchr::memchr(SHIFT_OUT, bytes).is_none(),
            ByteColumns::WhenAscii => bytes.is_ascii(),
        };
        fits.then_some(bytes)
    }

    /// Whether what was struck over a row only makes signs of it bold: the text stays the same.
    fn repeats(&self, row: &[u8], over: &[u8]) -> bool {
        over.len() <= row.len() && row.iter().zip(over).all(|(under, over)| over == under || *over == self.blank)
    }

    /// Appends the text in `columns` of a row to `out`, without the blanks at the row's end.
    pub fn text(&mut self, unit: &Unit, line: Line<'_>, columns: ColumnRange, out: &mut String) {
        match self.direct(unit, line) {
            Some(bytes) => {
                let start = out.len();
                self.cp.decode(slice(bytes, columns), out);
                let kept = out.get(start..).map_or(0, |text| text.trim_end_matches(' ').len());
                out.truncate(start + kept);
            }
            None => {
                self.merge(unit, line);
                out.push_str(merged(&self.rows, line.row, columns));
            }
        }
    }

    /// Whether the probe holds on a row; where it was found, as a column.
    pub fn look(&mut self, unit: &Unit, line: Line<'_>, columns: ColumnRange, probe: &Probe) -> Option<u16> {
        match probe {
            Probe::Text(literal) => self.find(unit, line, columns, literal),
            Probe::Mask(mask) => {
                let width = mask.width() - 1;
                let at = |first: u16| ColumnRange { first, last: first.saturating_add(width) };
                let mut firsts = columns.first..=columns.last;
                match self.direct(unit, line) {
                    Some(bytes) => firsts.find(|first| self.bytes_fit(slice(bytes, at(*first)), mask)),
                    None => firsts.find(|first| {
                        self.may_begin(unit, line, *first, mask) && self.masked(unit, line, at(*first), mask)
                    }),
                }
            }
            Probe::Printed => match self.direct(unit, line) {
                Some(bytes) => slice(bytes, columns)
                    .iter()
                    .position(|byte| self.class(*byte) & BLANK == 0)
                    .map(|at| columns.first.saturating_add(u16::try_from(at).unwrap_or(u16::MAX))),
                None => {
                    self.merge(unit, line);
                    (!merged(&self.rows, line.row, columns).trim().is_empty()).then_some(columns.first)
                }
            },
            Probe::Regex(regex) => {
                let mut text = std::mem::take(&mut self.text);
                text.clear();
                self.text(unit, line, columns, &mut text);
                let found = regex.find(&text).map(|found| {
                    let before = text.get(..found.start()).map_or(0, |before| before.chars().count());
                    columns.first.saturating_add(u16::try_from(before).unwrap_or(u16::MAX))
                });
                self.text = text;
                found
            }
        }
    }

    /// The column where a literal starts, within `columns`.
    fn find(&mut self, unit: &Unit, line: Line<'_>, columns: ColumnRange, literal: &Literal) -> Option<u16> {
        if let Some(bytes) = self.direct(unit, line) {
            match self.find_bytes(bytes, columns, literal) {
                Sought::At(column) => return Some(column),
                Sought::Nowhere => return None,
                Sought::Unknown => {}
            }
        } else {
            if self.lacks(unit, line, literal) {
                return None;
            }
            for strike in line.strikes {
                let one = Line { row: line.row, strikes: std::slice::from_ref(strike) };
                if let Some(bytes) = self.direct(unit, one)
                    && let Sought::At(column) = self.find_bytes(bytes, columns, literal)
                {
                    return Some(column);
                }
            }
        }
        self.find_merged(unit, line, columns, literal)
    }

    /// Whether what was struck on a row cannot make a literal, however it is merged: its first sign is nowhere. Merging leaves
    /// out signs and makes blanks, but no sign of ASCII that was not struck.
    fn lacks(&self, unit: &Unit, line: Line<'_>, literal: &Literal) -> bool {
        let graphic = literal.text.bytes().next().is_some_and(|byte| byte.is_ascii_graphic());
        let first = literal.first.filter(|_| graphic && self.byte_columns == ByteColumns::Always);
        first.is_some_and(|first| line.strikes.iter().all(|strike| memchr::memchr(first, unit.text(strike)).is_none()))
    }

    /// The same in bytes that are columns.
    #[inline]
    fn find_bytes(&self, bytes: &[u8], columns: ColumnRange, literal: &Literal) -> Sought {
        let Some(finder) = &literal.finder else { return Sought::Unknown };
        let needle = finder.needle();
        let from = usize::from(columns.first) - 1;
        let to = usize::from(columns.last).saturating_add(needle.len() - 1).min(bytes.len());
        let window = bytes.get(from..to).unwrap_or_default();
        let one_place = columns.first == columns.last;
        // Nearly every row ends here.
        let begins = |first: u8| if one_place { window.first() == Some(&first) } else { window.contains(&first) };
        if literal.first.is_some_and(|first| !begins(first)) {
            return Sought::Nowhere;
        }
        let found = if one_place { window.starts_with(needle).then_some(0) } else { finder.find(window) };
        match found {
            Some(at) => Sought::At(columns.first.saturating_add(u16::try_from(at).unwrap_or(u16::MAX))),
            None if literal.blank && window.iter().any(|byte| self.class(*byte) & ODD != 0) => Sought::Unknown,
            None => Sought::Nowhere,
        }
    }

    /// The same by the characters that the row shows.
    fn find_merged(&mut self, unit: &Unit, line: Line<'_>, columns: ColumnRange, literal: &Literal) -> Option<u16> {
        self.merge(unit, line);
        let text = self.rows.get(line.row)?;
        for (at, _) in text.match_indices(literal.text.as_str()) {
            let before = text.get(..at).map_or(0, |before| before.chars().count());
            let column = self.rows.cells(line.row).nth(before).map_or(1, |cell| cell.column);
            if let Ok(column) = u16::try_from(column)
                && (columns.first..=columns.last).contains(&column)
            {
                return Some(column);
            }
        }
        None
    }

    /// Appends what follows a label in `columns` of a row to `out`; false when the label is not there.
    pub fn text_after(
        &mut self,
        unit: &Unit,
        line: Line<'_>,
        columns: ColumnRange,
        label: &Literal,
        out: &mut String,
    ) -> bool {
        if label.finder.is_some()
            && let Some(bytes) = self.direct(unit, line)
        {
            let Some(at) = self.find(unit, line, columns, label) else { return false };
            let first = at.saturating_add(u16::try_from(label.text.chars().count()).unwrap_or(u16::MAX));
            self.cp.decode(slice(bytes, ColumnRange { first, last: columns.last }), out);
            return true;
        }
        self.merge(unit, line);
        let text = merged(&self.rows, line.row, columns);
        match text.split_once(label.text.as_str()) {
            Some((_, value)) => {
                out.push_str(value);
                true
            }
            None => false,
        }
    }

    /// Whether the signs of a mask fit the columns, which are as many.
    pub fn masked(&mut self, unit: &Unit, line: Line<'_>, columns: ColumnRange, mask: &ReadyMask) -> bool {
        if let Some(bytes) = self.direct(unit, line) {
            return self.bytes_fit(slice(bytes, columns), mask);
        }
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        self.text(unit, line, columns, &mut text);
        let fits = mask_fits(&mask.signs, &text);
        self.text = text;
        fits
    }

    /// Whether a mask may begin at a column of a row, by what was struck there: false is certain.
    fn may_begin(&self, unit: &Unit, line: Line<'_>, column: u16, mask: &ReadyMask) -> bool {
        let at = usize::from(column).saturating_sub(1);
        let begins = |byte: &u8| mask.begins.get(usize::from(*byte)).copied().unwrap_or(true);
        !mask.struck
            || self.byte_columns != ByteColumns::Always
            || line.strikes.iter().any(|strike| unit.text(strike).get(at).is_some_and(begins))
    }

    /// The same for bytes that are columns; blanks may be missing at their end.
    #[inline]
    fn bytes_fit(&self, bytes: &[u8], mask: &ReadyMask) -> bool {
        let first = bytes.first().copied().unwrap_or(self.blank);
        // Nearly every row ends here.
        if !mask.begins.get(usize::from(first)).copied().unwrap_or(true) {
            return false;
        }
        let mut bytes = bytes.iter();
        mask.signs.iter().zip(&mask.bytes).all(|(sign, wanted)| {
            let byte = bytes.next().copied().unwrap_or(self.blank);
            self.fits(byte, sign, *wanted)
        })
    }

    fn fits(&self, byte: u8, sign: &MaskSign, wanted: Option<u8>) -> bool {
        match sign {
            MaskSign::Digit => self.class(byte) & DIGIT != 0,
            MaskSign::Letter => self.class(byte) & LETTER != 0,
            MaskSign::NotBlank => self.class(byte) & BLANK == 0,
            MaskSign::Literal(' ') => self.class(byte) & BLANK != 0,
            MaskSign::Literal(_) => Some(byte) == wanted,
            MaskSign::Any => true,
        }
    }

    #[inline]
    fn class(&self, byte: u8) -> u8 {
        self.class.get(usize::from(byte)).copied().unwrap_or(0)
    }
}

/// Whether `text` (blanks may be missing at its end) fits the mask.
pub(crate) fn mask_fits(mask: &[MaskSign], text: &str) -> bool {
    let mut chars = text.chars();
    mask.iter().all(|sign| {
        let ch = chars.next().unwrap_or(' ');
        match sign {
            MaskSign::Digit => ch.is_ascii_digit(),
            MaskSign::Letter => ch.is_alphabetic(),
            MaskSign::NotBlank => !ch.is_whitespace(),
            MaskSign::Any => true,
            MaskSign::Literal(wanted) => ch == *wanted,
        }
    })
}

fn slice(bytes: &[u8], columns: ColumnRange) -> &[u8] {
    let to = usize::from(columns.last).min(bytes.len());
    let from = (usize::from(columns.first) - 1).min(to);
    bytes.get(from..to).unwrap_or_default()
}

fn merged(rows: &Rows, row: u16, columns: ColumnRange) -> &str {
    let count = usize::from(columns.last) + 1 - usize::from(columns.first).min(usize::from(columns.last) + 1);
    rows.columns(row, usize::from(columns.first), count)
}

fn byte_columns(cp: &'static CodePage) -> ByteColumns {
    if cp.has_shifts() {
        ByteColumns::UnlessShifted
    } else if cp.is_multi_byte() {
        ByteColumns::WhenAscii
    } else {
        ByteColumns::Always
    }
}

#[cfg(test)]
mod tests;
