//! Data Matrix ECC 200.
//!
//! Rule: ISO/IEC 16022. Data is written in the one of ASCII, C40, Text and Base 256 encodation that gives the fewest codewords.

use super::data::Item;
use super::reed_solomon::Field;
use super::symbol::{Invalid, Matrix};

/// What the special-function parameters ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DataMatrixOptions {
    /// Rows; 0: any.
    pub rows: usize,
    /// Columns; 0: any.
    pub columns: usize,
    /// The rectangular extensions may be used too (DMRE).
    pub extended: bool,
    /// Data that the size does not hold are refused; otherwise the symbol grows.
    pub keep_size: bool,
    /// Structured append: number from 1, how many, two file identification bytes.
    pub append: Option<(u8, u8, [u8; 2])>,
    /// FNC1 in the first position (GS1).
    pub gs1: bool,
    /// FNC1 in the second position.
    pub industry: bool,
    /// The data programs the reader.
    pub reader: bool,
    /// Macro 5 or 6: the codeword that stands for header and trailer.
    pub macro_word: Option<u8>,
    /// How data are written; `None`: as is shortest.
    pub scheme: Option<Scheme>,
}

/// Encodation schemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// ASCII.
    Ascii,
    /// Capital letters and digits.
    C40,
    /// Small letters and digits.
    Text,
    /// Bytes.
    Base256,
}

/// A symbol size.
struct Size {
    rows: usize,
    columns: usize,
    /// Data regions down and across.
    regions: [usize; 2],
    data: usize,
    checks: usize,
    blocks: usize,
}

const fn size(rows: usize, columns: usize, regions: [usize; 2], data: usize, checks: usize, blocks: usize) -> Size {
    Size { rows, columns, regions, data, checks, blocks }
}

const SIZES: [Size; 30] = [
    size(10, 10, [1, 1], 3, 5, 1),
    size(12, 12, [1, 1], 5, 7, 1),
    size(14, 14, [1, 1], 8, 10, 1),
    size(16, 16, [1, 1], 12, 12, 1),
    size(18, 18, [1, 1], 18, 14, 1),
    size(20, 20, [1, 1], 22, 18, 1),
    size(22, 22, [1, 1], 30, 20, 1),
    size(24, 24, [1, 1], 36, 24, 1),
    size(26, 26, [1, 1], 44, 28, 1),
    size(32, 32, [2, 2], 62, 36, 1),
    size(36, 36, [2, 2], 86, 42, 1),
    size(40, 40, [2, 2], 114, 48, 1),
    size(44, 44, [2, 2], 144, 56, 1),
    size(48, 48, [2, 2], 174, 68, 1),
    size(52, 52, [2, 2], 204, 84, 2),
    size(64, 64, [4, 4], 280, 112, 2),
    size(72, 72, [4, 4], 368, 144, 4),
    size(80, 80, [4, 4], 456, 192, 4),
    size(88, 88, [4, 4], 576, 224, 4),
    size(96, 96, [4, 4], 696, 272, 4),
    size(104, 104, [4, 4], 816, 336, 6),
    size(120, 120, [6, 6], 1050, 408, 6),
    size(132, 132, [6, 6], 1304, 496, 8),
    size(144, 144, [6, 6], 1558, 620, 10),
    size(8, 18, [1, 1], 5, 7, 1),
    size(8, 32, [1, 2], 10, 11, 1),
    size(12, 26, [1, 1], 16, 14, 1),
    size(12, 36, [1, 2], 22, 18, 1),
    size(16, 36, [1, 2], 32, 24, 1),
    size(16, 48, [1, 2], 49, 28, 1),
];

/// The extensions of ISO/IEC 21471.
const EXTENDED: [Size; 18] = [
    size(8, 48, [1, 2], 18, 15, 1),
    size(8, 64, [1, 4], 24, 18, 1),
    size(8, 80, [1, 4], 32, 22, 1),
    size(8, 96, [1, 4], 38, 28, 1),
    size(8, 120, [1, 6], 49, 32, 1),
    size(8, 144, [1, 6], 63, 36, 1),
    size(12, 64, [1, 4], 43, 27, 1),
    size(12, 88, [1, 4], 64, 36, 1),
    size(16, 64, [1, 4], 62, 36, 1),
    size(20, 36, [1, 2], 44, 28, 1),
    size(20, 44, [1, 2], 56, 34, 1),
    size(20, 64, [1, 4], 84, 42, 1),
    size(22, 48, [1, 2], 72, 38, 1),
    size(24, 48, [1, 2], 80, 41, 1),
    size(24, 64, [1, 4], 108, 46, 1),
    size(26, 40, [1, 2], 70, 38, 1),
    size(26, 48, [1, 2], 90, 42, 1),
    size(26, 64, [1, 4], 118, 50, 1),
];

const PAD: u8 = 129;
const LATCH_C40: u8 = 230;
const LATCH_BASE256: u8 = 231;
const FNC1: u8 = 232;
const STRUCTURED_APPEND: u8 = 233;
const READER: u8 = 234;
const UPPER_SHIFT: u8 = 235;
const LATCH_TEXT: u8 = 239;
const ECI: u8 = 241;
const UNLATCH: u8 = 254;
/// Group separator: FNC1 in GS1 data.
const GS: u8 = 0x1D;

/// Encodes data.
pub fn data_matrix(items: &[Item], options: &DataMatrixOptions) -> Result<Matrix, Invalid> {
    let words = codewords(items, options);
    let size = size_for(words.len(), options)?;
    let all = with_checks(padded(words, size.data), size);
    Ok(draw(&all, size))
}

/// The smallest size of the wanted sides; where all of those are too small, the larger one of the most similar shape.
/// Without a wish the symbol is square.
fn size_for(words: usize, options: &DataMatrixOptions) -> Result<&'static Size, Invalid> {
    let DataMatrixOptions { rows, columns, .. } = *options;
    let extended: &'static [Size] = if options.extended { &EXTENDED } else { &[] };
    let sizes = || SIZES.iter().chain(extended);
    let wanted = |size: &&Size| match (rows, columns) {
        (0, 0) => size.rows == size.columns,
        (0, columns) => size.columns == columns,
        (rows, 0) => size.rows == rows,
        _ => (size.rows, size.columns) == (rows, columns),
    };
    let holds = |size: &&Size| words <= size.data;
    if !sizes().any(|size| wanted(&size)) {
        return Err("a size that Data Matrix does not have");
    }
    if let Some(size) = sizes().filter(wanted).filter(holds).min_by_key(|size| size.data) {
        return Ok(size);
    }
    // Shapes compare by their sides multiplied crosswise: no fractions.
    let (down, across) = if rows == 0 || columns == 0 { (1, 1) } else { (rows, columns) };
    let apart = |size: &&Size| ((size.rows * across).abs_diff(size.columns * down) / size.rows, size.data);
    let larger = sizes().filter(holds).filter(|size| size.rows >= rows && size.columns >= columns);
    larger.min_by_key(apart).filter(|_| !options.keep_size).ok_or("more data than the symbol holds")
}

fn codewords(items: &[Item], options: &DataMatrixOptions) -> Vec<u8> {
    let mut words = Vec::new();
    if let Some((number, total, file)) = options.append {
        let word = (number.wrapping_sub(1) & 0x0F) << 4 | (17u8.wrapping_sub(total) & 0x0F);
        words.extend([STRUCTURED_APPEND, word, file[0], file[1]]);
    }
    if options.gs1 {
        words.push(FNC1);
    }
    if options.reader {
        words.push(READER);
    }
    words.extend(options.macro_word);
    let mut first = options.industry;
    for run in items.chunk_by(|a, b| matches!((a, b), (Item::Byte(_), Item::Byte(_)))) {
        if let [Item::Eci(number)] = run {
            words.push(ECI);
            words.extend(eci(*number));
            continue;
        }
        let mut bytes = super::data::bytes(run);
        if first {
            // The application indicator stands before FNC1: one letter or two digits.
            let indicator = if bytes.first().is_some_and(u8::is_ascii_digit) { 2 } else { 1 };
            let rest = bytes.split_off(indicator.min(bytes.len()));
            words.extend(ascii(&bytes, false));
            words.push(FNC1);
            bytes = rest;
            first = false;
        }
        let start = words.len();
        let choices = [
            (Scheme::Ascii, ascii(&bytes, options.gs1)),
            (Scheme::C40, c40(&bytes, options.gs1, LATCH_C40)),
            (Scheme::Text, c40(&bytes, options.gs1, LATCH_TEXT)),
            (Scheme::Base256, base256(&bytes, options.gs1, start)),
        ];
        let allowed = choices.into_iter().filter(|(scheme, _)| options.scheme.is_none_or(|wanted| wanted == *scheme));
        words.extend(allowed.map(|(_, words)| words).min_by_key(Vec::len).unwrap_or_default());
    }
    words
}

/// An ECI designator in one to three codewords.
fn eci(number: u32) -> Vec<u8> {
    let word = |value: u32| u8::try_from(value).unwrap_or(0);
    match number {
        0..=126 => vec![word(number + 1)],
        127..=16_382 => vec![word((number - 127) / 254 + 128), word((number - 127) % 254 + 1)],
        _ => {
            let rest = number - 16_383;
            vec![word(rest / 64_516 + 192), word(rest / 254 % 254 + 1), word(rest % 254 + 1)]
        }
    }
}

/// ASCII encodation: pairs of digits share a codeword.
fn ascii(bytes: &[u8], gs1: bool) -> Vec<u8> {
    let mut words = Vec::new();
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (*first, tail.first()) {
            (tens, Some(ones)) if tens.is_ascii_digit() && ones.is_ascii_digit() => {
                words.push((tens - b'0') * 10 + (ones - b'0') + 130);
                rest = tail.get(1..).unwrap_or_default();
            }
            (GS, _) if gs1 => words.push(FNC1),
            (low, _) if low < 128 => words.push(low + 1),
            (high, _) => words.extend([UPPER_SHIFT, high - 127]),
        }
    }
    words
}

/// The values of a character in C40, or with changed cases in Text encodation.
fn c40_values(ch: u8, gs1: bool, text: bool) -> Vec<u16> {
    if ch >= 128 {
        return [vec![1, 30], c40_values(ch - 128, false, text)].concat();
    }
    if ch == GS && gs1 {
        return vec![1, 27];
    }
    let ch = match ch {
        b'A'..=b'Z' if text => ch.to_ascii_lowercase(),
        b'a'..=b'z' if text => ch.to_ascii_uppercase(),
        _ => ch,
    };
    let value = u16::from(ch);
    match ch {
        b' ' => vec![3],
        b'0'..=b'9' => vec![value - 48 + 4],
        b'A'..=b'Z' => vec![value - 65 + 14],
        0..=31 => vec![0, value],
        b'!'..=b'/' => vec![1, value - 33],
        b':'..=b'@' => vec![1, value - 58 + 15],
        b'['..=b'_' => vec![1, value - 91 + 22],
        _ => vec![2, value - 96],
    }
}

/// C40 or Text: three values in two codewords. What does not fill a group at the end follows in ASCII.
fn c40(bytes: &[u8], gs1: bool, latch: u8) -> Vec<u8> {
    let text = latch == LATCH_TEXT;
    let mut values = Vec::new();
    // Where whole groups and whole characters end together.
    let (mut whole_values, mut whole_bytes) = (0, 0);
    for (i, ch) in bytes.iter().enumerate() {
        values.extend(c40_values(*ch, gs1, text));
        if values.len() % 3 == 0 {
            (whole_values, whole_bytes) = (values.len(), i + 1);
        }
    }
    let mut words = vec![latch];
    for group in values.get(..whole_values).unwrap_or_default().chunks_exact(3) {
        let value = group.iter().fold(0, |all, value| all * 40 + value) + 1;
        words.extend(value.to_be_bytes());
    }
    words.push(UNLATCH);
    words.extend(ascii(bytes.get(whole_bytes..).unwrap_or_default(), gs1));
    words
}

/// Base 256: bytes, randomised by their place in the symbol. `start` codewords stand before.
fn base256(bytes: &[u8], gs1: bool, start: usize) -> Vec<u8> {
    if gs1 && bytes.contains(&GS) {
        return vec![0; usize::from(u16::MAX)]; // FNC1 has no place here: never the shortest
    }
    let length = bytes.len();
    let mut plain: Vec<u8> = match u8::try_from(length) {
        Ok(short) if short < 250 => vec![short],
        _ => {
            let part = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
            vec![part(length / 250 + 249), part(length % 250)]
        }
    };
    plain.extend_from_slice(bytes);
    let place = |(i, byte): (usize, &u8)| {
        let random = (149 * (start + i + 2)) % 255 + 1;
        byte.wrapping_add(u8::try_from(random).unwrap_or(0))
    };
    std::iter::once(LATCH_BASE256).chain(plain.iter().enumerate().map(place)).collect()
}

/// Filled with pads: the first plain, the others randomised by their place.
fn padded(mut words: Vec<u8>, capacity: usize) -> Vec<u8> {
    if words.len() < capacity {
        words.push(PAD);
    }
    while words.len() < capacity {
        let random = (149 * (words.len() + 1)) % 253 + 1;
        let value = usize::from(PAD) + random;
        words.push(u8::try_from(if value > 254 { value - 254 } else { value }).unwrap_or(PAD));
    }
    words
}

fn with_checks(words: Vec<u8>, size: &Size) -> Vec<u8> {
    let field = Field::new(8, 0x12D);
    let each = size.checks / size.blocks;
    let blocks: Vec<Vec<u16>> = (0..size.blocks)
        .map(|block| {
            let data: Vec<u16> = words.iter().skip(block).step_by(size.blocks).map(|word| u16::from(*word)).collect();
            field.checks(&data, each, 1)
        })
        .collect();
    let mut all = words;
    for i in 0..each {
        all.extend(blocks.iter().map(|checks| checks.get(i).copied().and_then(|c| u8::try_from(c).ok()).unwrap_or(0)));
    }
    all
}

/// Where codeword bits lie in the mapping matrix (ISO/IEC 16022, Annex F).
struct Placement {
    rows: isize,
    columns: isize,
    bits: Vec<Option<bool>>,
}

impl Placement {
    fn index(&self, row: isize, column: isize) -> Option<usize> {
        usize::try_from(row * self.columns + column).ok()
    }

    fn free(&self, row: isize, column: isize) -> bool {
        self.index(row, column).and_then(|index| self.bits.get(index)).is_some_and(Option::is_none)
    }

    fn set(&mut self, mut row: isize, mut column: isize, bit: bool) {
        if row < 0 {
            row += self.rows;
            column += 4 - (self.rows + 4) % 8;
        }
        if column < 0 {
            column += self.columns;
            row += 4 - (self.columns + 4) % 8;
        }
        if let Some(place) = self.index(row, column).and_then(|index| self.bits.get_mut(index)) {
            *place = Some(bit);
        }
    }

    /// The eight bits of a codeword at their places.
    fn word(&mut self, word: u8, places: [(isize, isize); 8]) {
        for (bit, (row, column)) in (0..8).rev().zip(places) {
            self.set(row, column, word >> bit & 1 == 1);
        }
    }

    /// The usual shape, by its lower right corner.
    fn utah(&mut self, word: u8, r: isize, c: isize) {
        let places = [
            (r - 2, c - 2),
            (r - 2, c - 1),
            (r - 1, c - 2),
            (r - 1, c - 1),
            (r - 1, c),
            (r, c - 2),
            (r, c - 1),
            (r, c),
        ];
        self.word(word, places);
    }

    /// The shapes at the lower left and upper right corners.
    fn corner(&mut self, word: u8, kind: u8) {
        let (h, w) = (self.rows, self.columns);
        let places = match kind {
            1 => [(h - 1, 0), (h - 1, 1), (h - 1, 2), (0, w - 2), (0, w - 1), (1, w - 1), (2, w - 1), (3, w - 1)],
            2 => [(h - 3, 0), (h - 2, 0), (h - 1, 0), (0, w - 4), (0, w - 3), (0, w - 2), (0, w - 1), (1, w - 1)],
            3 => [(h - 3, 0), (h - 2, 0), (h - 1, 0), (0, w - 2), (0, w - 1), (1, w - 1), (2, w - 1), (3, w - 1)],
            _ => [(h - 1, 0), (h - 1, w - 1), (0, w - 3), (0, w - 2), (0, w - 1), (1, w - 3), (1, w - 2), (1, w - 1)],
        };
        self.word(word, places);
    }

    fn fill(&mut self, words: &[u8]) {
        let (rows, columns) = (self.rows, self.columns);
        let mut words = words.iter().copied();
        let mut next = || words.next().unwrap_or(0);
        let (mut r, mut c) = (4, 0);
        loop {
            if r == rows && c == 0 {
                self.corner(next(), 1);
            }
            if r == rows - 2 && c == 0 && columns % 4 != 0 {
                self.corner(next(), 2);
            }
            if r == rows - 2 && c == 0 && columns % 8 == 4 {
                self.corner(next(), 3);
            }
            if r == rows + 4 && c == 2 && columns % 8 == 0 {
                self.corner(next(), 4);
            }
            // Diagonally upwards, then downwards; each goes one step even where it starts outside.
            loop {
                if r >= 0 && r < rows && c >= 0 && c < columns && self.free(r, c) {
                    self.utah(next(), r, c);
                }
                (r, c) = (r - 2, c + 2);
                if r < 0 || c >= columns {
                    break;
                }
            }
            (r, c) = (r + 1, c + 3);
            loop {
                if r >= 0 && r < rows && c >= 0 && c < columns && self.free(r, c) {
                    self.utah(next(), r, c);
                }
                (r, c) = (r + 2, c - 2);
                if r >= rows || c < 0 {
                    break;
                }
            }
            (r, c) = (r + 3, c + 1);
            if r >= rows && c >= columns {
                break;
            }
        }
        if self.free(rows - 1, columns - 1) {
            self.set(rows - 1, columns - 1, true);
            self.set(rows - 2, columns - 2, true);
        }
    }
}

fn draw(words: &[u8], size: &Size) -> Matrix {
    let [down, across] = size.regions;
    let (region_rows, region_columns) = (size.rows / down - 2, size.columns / across - 2);
    let (rows, columns) = (region_rows * down, region_columns * across);
    let signed = |value: usize| isize::try_from(value).unwrap_or(0);
    let mut placement = Placement { rows: signed(rows), columns: signed(columns), bits: vec![None; rows * columns] };
    placement.fill(words);
    let mut matrix = Matrix::new(size.columns, size.rows);
    for y in 0..size.rows {
        for x in 0..size.columns {
            let (in_row, in_column) = (y % (region_rows + 2), x % (region_columns + 2));
            let dark = if in_row == region_rows + 1 || in_column == 0 {
                true
            } else if in_row == 0 {
                in_column % 2 == 0
            } else if in_column == region_columns + 1 {
                in_row % 2 == 1
            } else {
                let row = y / (region_rows + 2) * region_rows + in_row - 1;
                let column = x / (region_columns + 2) * region_columns + in_column - 1;
                placement.bits.get(row * columns + column).copied().flatten().unwrap_or(false)
            };
            matrix.set(x, y, dark);
        }
    }
    matrix
}
