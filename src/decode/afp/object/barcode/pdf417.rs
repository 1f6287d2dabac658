//! PDF417, full and truncated.
//!
//! Rule: ISO/IEC 15438. Text is written in text compaction, long runs of digits in numeric compaction, all else in bytes.

use super::pdf417_data::{Unit, eci};
use super::pdf417_patterns::PATTERNS;
use super::symbol::{Invalid, Matrix};

/// What the special-function parameters ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pdf417Options {
    /// Data columns 1 to 30; 0: chosen here.
    pub columns: usize,
    /// Rows 3 to 90; 0: chosen here.
    pub rows: usize,
    /// Error correction level 0 to 8; `None`: as ISO/IEC 15438 recommends for the amount of data.
    pub level: Option<u32>,
    /// Without the right row indicators, and a stop pattern of one bar.
    pub truncated: bool,
}

const TEXT: u16 = 900;
const BYTES: u16 = 901;
const NUMERIC: u16 = 902;
const SHIFT_BYTE: u16 = 913;
const BYTES_OF_SIX: u16 = 924;
/// Codewords of one symbol, check codewords included.
const MAX_WORDS: usize = 928;
/// Digits in a row from which numeric compaction is shorter.
const NUMERIC_RUN: usize = 13;
const START: (u32, u32) = (0b1_1111_1110_1010_1000, 17);
const STOP: (u32, u32) = (0b11_1111_1010_0010_1001, 18);

/// Encodes data, with the codewords of a macro control block behind it.
pub fn pdf417(units: &[Unit], block: &[u16], options: &Pdf417Options) -> Result<Matrix, Invalid> {
    let words = codewords(units);
    let data = words.len() + block.len();
    let level = options.level.unwrap_or(match data {
        0..=40 => 2,
        41..=160 => 3,
        161..=320 => 4,
        _ => 5,
    });
    if level > 8 {
        return Err("an error correction level that PDF417 does not have");
    }
    let checks = 2usize << level;
    let total = data + 1 + checks;
    let (columns, rows) = size(total, options).ok_or("more data than the symbol holds")?;
    let room = columns * rows - checks;
    let mut all = vec![u16::try_from(room).unwrap_or(0)];
    all.extend(words);
    all.resize(room.saturating_sub(block.len()), TEXT);
    all.extend(block);
    all.extend(check_words(&all, checks));
    Ok(draw(&all, columns, rows, level, options.truncated))
}

/// Columns and rows that hold `total` codewords. Where the rows that were asked for are too few, more are added.
fn size(total: usize, options: &Pdf417Options) -> Option<(usize, usize)> {
    let fits = |columns: usize, rows: usize| {
        let room = columns * rows;
        (1..=30).contains(&columns) && (3..=90).contains(&rows) && room >= total && room <= MAX_WORDS
    };
    let rows_of = |columns: usize| total.div_ceil(columns.max(1)).max(3);
    match (options.columns, options.rows) {
        (0, 0) => {
            // About three times as wide as high, with rows three modules high.
            let shape = |columns: usize| (17 * columns + 69).abs_diff(9 * rows_of(columns));
            let columns = (1..=30).filter(|columns| fits(*columns, rows_of(*columns))).min_by_key(|c| shape(*c))?;
            Some((columns, rows_of(columns)))
        }
        (0, rows) => (1..=30).map(|columns| (columns, rows)).find(|(columns, rows)| fits(*columns, *rows)),
        (columns, rows) => {
            let rows = rows_of(columns).max(rows);
            Some((columns, rows)).filter(|(columns, rows)| fits(*columns, *rows))
        }
    }
}

/// High-level encodation.
fn codewords(units: &[Unit]) -> Vec<u16> {
    let mut words = Vec::new();
    // Text compaction is in force at the start.
    let mut mode = TEXT;
    for run in units.chunk_by(|a, b| matches!((a, b), (Unit::Byte(_), Unit::Byte(_)))) {
        match run {
            [Unit::Eci(number)] => {
                words.extend(eci(*number));
                continue;
            }
            [Unit::Word(word)] => {
                words.push(*word);
                continue;
            }
            _ => {}
        }
        let bytes: Vec<u8> =
            run.iter().filter_map(|unit| if let Unit::Byte(byte) = unit { Some(*byte) } else { None }).collect();
        for part in parts(&bytes) {
            match part {
                Part::Text(text) => {
                    if mode != TEXT {
                        words.push(TEXT);
                    }
                    mode = TEXT;
                    words.extend(text_words(text));
                }
                Part::Numeric(digits) => {
                    if mode != NUMERIC {
                        words.push(NUMERIC);
                    }
                    mode = NUMERIC;
                    words.extend(numeric_words(digits));
                }
                Part::Bytes([byte]) if mode == TEXT => words.extend([SHIFT_BYTE, u16::from(*byte)]),
                Part::Bytes(bytes) => {
                    mode = if bytes.len() % 6 == 0 { BYTES_OF_SIX } else { BYTES };
                    words.push(mode);
                    words.extend(byte_words(bytes));
                }
            }
        }
    }
    words
}

enum Part<'b> {
    Text(&'b [u8]),
    Numeric(&'b [u8]),
    Bytes(&'b [u8]),
}

/// Cuts data into runs, each with its compaction.
fn parts(bytes: &[u8]) -> Vec<Part<'_>> {
    const TEXT_RUN: usize = 5;
    let mut parts = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|ch| ch.is_ascii_digit()).count();
        if digits >= NUMERIC_RUN {
            let (head, tail) = rest.split_at(digits);
            parts.push(Part::Numeric(head));
            rest = tail;
            continue;
        }
        let text = text_run(rest);
        if text >= TEXT_RUN || text == rest.len() || text > 0 && parts.is_empty() {
            let (head, tail) = rest.split_at(text);
            parts.push(Part::Text(head));
            rest = tail;
            continue;
        }
        let mut end = 0;
        while end < rest.len() {
            let tail = rest.get(end..).unwrap_or_default();
            let text = text_run(tail);
            let digits = tail.iter().take_while(|ch| ch.is_ascii_digit()).count();
            if text >= TEXT_RUN || digits >= NUMERIC_RUN {
                break;
            }
            end += text.max(1);
        }
        let (head, tail) = rest.split_at(end.clamp(1, rest.len()));
        parts.push(Part::Bytes(head));
        rest = tail;
    }
    parts
}

/// Characters of text compaction from the start on, up to a run of digits that goes in numeric compaction.
fn text_run(bytes: &[u8]) -> usize {
    let mut count = 0;
    let mut digits = 0;
    for ch in bytes {
        if !matches!(ch, b' '..=b'~' | b'\t' | b'\n' | b'\r') {
            break;
        }
        digits = if ch.is_ascii_digit() { digits + 1 } else { 0 };
        count += 1;
        if digits >= NUMERIC_RUN {
            return count - digits;
        }
    }
    count
}

const MIXED: &[u8; 25] = b"0123456789&\r\t,:#-.$/+%*=^";
const PUNCTUATION: &[u8; 29] = b";<>@[\\]_`~!\r\t,:\n-.$/\"|*()?{}'";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sub {
    Upper,
    Lower,
    Mixed,
}

/// Values of text compaction: which of the sub-modes has a character, and its value there.
pub fn text_words(text: &[u8]) -> Vec<u16> {
    let in_upper = |ch: u8| match ch {
        b'A'..=b'Z' => Some(u16::from(ch - b'A')),
        b' ' => Some(26),
        _ => None,
    };
    let in_lower = |ch: u8| match ch {
        b'a'..=b'z' => Some(u16::from(ch - b'a')),
        b' ' => Some(26),
        _ => None,
    };
    let place = |table: &[u8], ch: u8| table.iter().position(|c| *c == ch).and_then(|at| u16::try_from(at).ok());
    let in_mixed = |ch: u8| if ch == b' ' { Some(26) } else { place(MIXED, ch) };
    let mut values: Vec<u16> = Vec::new();
    let mut sub = Sub::Upper;
    for ch in text.iter().copied() {
        let here = match sub {
            Sub::Upper => in_upper(ch),
            Sub::Lower => in_lower(ch),
            Sub::Mixed => in_mixed(ch),
        };
        if let Some(value) = here {
            values.push(value);
        } else if let (Sub::Lower, Some(value)) = (sub, in_upper(ch)) {
            values.extend([27, value]); // shift to upper case for one character
        } else if let Some(value) = in_lower(ch) {
            values.extend([27, value]);
            sub = Sub::Lower;
        } else if let Some(value) = in_upper(ch) {
            values.extend([28, value]); // from mixed
            sub = Sub::Upper;
        } else if let Some(value) = in_mixed(ch) {
            values.extend([28, value]);
            sub = Sub::Mixed;
        } else {
            values.push(29);
            values.extend(place(PUNCTUATION, ch));
        }
    }
    if values.len() % 2 == 1 {
        values.push(29);
    }
    values.chunks_exact(2).map(|pair| pair.iter().fold(0, |all, value| all * 30 + value)).collect()
}

fn byte_words(bytes: &[u8]) -> Vec<u16> {
    let mut words = Vec::new();
    for group in bytes.chunks(6) {
        if group.len() < 6 {
            words.extend(group.iter().map(|byte| u16::from(*byte)));
            continue;
        }
        let value = group.iter().fold(0u64, |all, byte| all << 8 | u64::from(*byte));
        words.extend(base900(value.into(), 5));
    }
    words
}

/// Up to 44 digits at a time, with a leading 1.
pub fn numeric_words(digits: &[u8]) -> Vec<u16> {
    let mut words = Vec::new();
    for group in digits.chunks(44) {
        // 45 decimal digits do not fit in 128 bits: divide the digits themselves.
        let mut number: Vec<u16> = std::iter::once(1).chain(group.iter().map(|ch| u16::from(ch - b'0'))).collect();
        let mut group_words = Vec::new();
        while number.iter().any(|digit| *digit != 0) {
            let mut rest = 0u32;
            for digit in &mut number {
                let value = rest * 10 + u32::from(*digit);
                *digit = u16::try_from(value / 900).unwrap_or(0);
                rest = value % 900;
            }
            group_words.push(u16::try_from(rest).unwrap_or(0));
        }
        words.extend(group_words.into_iter().rev());
    }
    words
}

fn base900(mut value: u128, count: usize) -> Vec<u16> {
    let mut words = vec![0; count];
    for word in words.iter_mut().rev() {
        *word = u16::try_from(value % 900).unwrap_or(0);
        value /= 900;
    }
    words
}

/// Reed-Solomon over the integers modulo 929, roots 3^1 to 3^count.
fn check_words(data: &[u16], count: usize) -> Vec<u16> {
    const PRIME: u32 = 929;
    let mut generator = vec![1u32];
    let mut root = 1;
    for _ in 0..count {
        root = root * 3 % PRIME;
        let shifted = generator.iter().copied().chain([0]);
        let scaled = [0].into_iter().chain(generator.iter().map(|part| part * root % PRIME));
        generator = shifted.zip(scaled).map(|(a, b)| (a + PRIME - b) % PRIME).collect();
    }
    let tail = generator.get(1..).unwrap_or_default();
    let mut rest = vec![0u32; count];
    for word in data {
        let factor = (u32::from(*word) + rest.first().copied().unwrap_or(0)) % PRIME;
        let moved = rest.iter().skip(1).copied().chain([0]);
        rest = moved.zip(tail).map(|(part, c)| (part + PRIME - factor * c % PRIME) % PRIME).collect();
    }
    rest.into_iter().map(|part| u16::try_from((PRIME - part) % PRIME).unwrap_or(0)).collect()
}

fn draw(words: &[u16], columns: usize, rows: usize, level: u32, truncated: bool) -> Matrix {
    let width = if truncated { 17 * (columns + 2) + 1 } else { 17 * (columns + 3) + 18 };
    let mut matrix = Matrix::new(width, rows);
    let level = usize::try_from(level).unwrap_or(0);
    let [a, b, c] = [(rows - 1) / 3, level * 3 + (rows - 1) % 3, columns - 1];
    for (row, data) in words.chunks(columns).enumerate() {
        let base = row / 3 * 30;
        let (left, right) = match row % 3 {
            0 => (base + a, base + c),
            1 => (base + b, base + a),
            _ => (base + c, base + b),
        };
        let pattern = |word: usize| {
            let middle = PATTERNS.get(row % 3).and_then(|cluster| cluster.get(word)).copied().unwrap_or(0);
            (0x1_0000 | u32::from(middle) << 1, 17)
        };
        let mut parts = vec![START, pattern(left)];
        parts.extend(data.iter().map(|word| pattern(usize::from(*word))));
        if truncated {
            parts.push((1, 1));
        } else {
            parts.extend([pattern(right), STOP]);
        }
        let bits = parts.into_iter().flat_map(|(bits, count)| (0..count).rev().map(move |bit| bits >> bit & 1 == 1));
        for (x, dark) in bits.enumerate() {
            matrix.set(x, row, dark);
        }
    }
    matrix
}
