//! Line data as columns: amounts behind amounts, dates behind dates.
//!
//! A block of records in recurring layouts goes in ([`Encoder::encode`]), and comes out as its *columnar form*: the layouts, the
//! layout of each record, and for each place of each layout the values that stood there, coded as what they are. zstd
//! then finds in it what it does not find in rows. [`decode_into`] makes the same bytes of it again, whatever they were:
//! a record that fits no layout is kept as it is, and a block of which too little fits has no columnar form at all.
//!
//! A layout is learned from the blanks of a record: text between gaps of two blanks or more is a value, and a value
//! stands at a fixed beginning, or ends at a fixed last digit. Nothing here knows report definitions, loads or zstd.
//! The form is described for other readers in `docs/formats/block.md`; `tests/block/decode.py` is one.

mod column;
mod decode;
mod encode;
mod frame;
mod layout;
mod number;
mod spans;
#[cfg(test)]
mod tests;

pub(crate) use decode::decode_into;
pub(crate) use encode::Encoder;

/// Most layouts of a block: one byte numbers them.
const LAYOUTS: usize = 250;
/// The number of a record that is kept as it is.
const KEPT: u8 = 255;
/// Most values of a record; the last one takes the rest.
const VALUES: usize = 24;
/// Longest record that is split.
const RECORD_LIMIT: usize = 4096;

/// All values of a column, each with the terminator behind it.
const TEXT: u8 = 0;
/// One value, with the terminator, for all records.
const SAME: u8 = 1;
/// Values of one length, cut into parts that are stored one after the other.
const PARTS: u8 = 2;
/// Numbers as digits of one width.
const NUMBER: u8 = 3;
/// Most parts of a value.
const PART_LIMIT: usize = 12;

/// How characters are coded, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Code {
    blank: u8,
    zero: u8,
    minus: u8,
    comma: u8,
    point: u8,
}

const ASCII: Code = Code { blank: b' ', zero: b'0', minus: b'-', comma: b',', point: b'.' };
const EBCDIC: Code = Code { blank: 0x40, zero: 0xF0, minus: 0x60, comma: 0x6B, point: 0x4B };

impl Code {
    fn digit(self, byte: u8) -> Option<u8> {
        Some(byte.wrapping_sub(self.zero)).filter(|digit| *digit < 10)
    }

    fn letter(self, byte: u8) -> bool {
        let letters = if self.zero == ASCII.zero { &ASCII_LETTERS } else { &EBCDIC_LETTERS };
        letters[usize::from(byte)]
    }

    /// The first digit of a negative number; the others are plain digits.
    fn negative(self, digit: u8) -> u8 {
        self.zero - 16 + digit
    }

    /// A number that is what was foretold.
    fn hit(self) -> u8 {
        self.zero - 32
    }

    /// How many bytes stand behind the last digit, when that is among the last three and the value does not begin with a letter:
    /// such a value ends at a fixed digit. Other values begin at a fixed place.
    fn behind_last_digit(self, value: &[u8]) -> Option<usize> {
        if value.first().is_none_or(|byte| self.letter(*byte)) {
            return None;
        }
        self.last_digit(value)
    }

    /// How many bytes stand behind the last digit among the last three bytes.
    fn last_digit(self, value: &[u8]) -> Option<usize> {
        let digit = |byte: &u8| self.digit(*byte).is_some();
        match value {
            [.., last] if digit(last) => Some(0),
            [.., last, _] if digit(last) => Some(1),
            [.., last, _, _] if digit(last) => Some(2),
            _ => None,
        }
    }
}

const ASCII_LETTERS: [bool; 256] = letters(false);
const EBCDIC_LETTERS: [bool; 256] = letters(true);

const fn letters(ebcdic: bool) -> [bool; 256] {
    let mut letters = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        letters[byte] = if ebcdic {
            matches!(byte & 0xBF, 0x81..=0x89 | 0x91..=0x99 | 0xA2..=0xA9)
        } else {
            byte >= 0x80 || (byte as u8).is_ascii_alphabetic()
        };
        byte += 1;
    }
    letters
}

fn put(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A number of at most 28 bits.
fn take(bytes: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in [0, 7, 14, 21] {
        let byte = take_byte(bytes)?;
        number |= usize::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (&byte, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(byte)
}

fn take_bytes<'f>(bytes: &mut &'f [u8], length: usize) -> Option<&'f [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}
