//! Pages of 256 characters.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{REPLACEMENT, printable};

/// The tables, made by `src/frame/tables/generate.py`.
static TABLES: &[u8] = include_bytes!("../tables/single-byte.bin");
/// Bytes of one record: the name and 256 code points of two bytes.
const RECORD: usize = NAME + 512;
/// Bytes of a table's name.
pub const NAME: usize = 16;
/// Bytes decoded at once when all of them are ASCII characters.
const STRIDE: usize = 32;
/// Marks bytes that are not ASCII characters in [`Single::ascii`].
const NOT_ASCII: u8 = 0x80;

/// One character for each byte.
pub struct Single {
    /// The printable character; U+FFFD where there is none.
    chars: [char; 256],
    /// The same as an ASCII code, or [`NOT_ASCII`].
    ascii: [u8; 256],
}

impl Single {
    /// The table called `name`; all bytes undefined when there is no such table.
    pub fn named(name: &str) -> Single {
        static BY_NAME: OnceLock<BTreeMap<&'static [u8], &'static [u8]>> = OnceLock::new();
        let tables =
            BY_NAME.get_or_init(|| TABLES.chunks_exact(RECORD).filter_map(|r| r.split_at_checked(NAME)).collect());
        let mut key = [0; NAME];
        key.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
        let codes = tables.get(key.as_slice()).copied().unwrap_or_default();
        Single::new(codes.as_chunks().0.iter().map(|code| u16::from_le_bytes(*code)))
    }

    /// From code points, 0xFFFF where there is none.
    fn new(codes: impl Iterator<Item = u16>) -> Single {
        let mut chars = [REPLACEMENT; 256];
        let mut ascii = [NOT_ASCII; 256];
        for ((ch, ascii), code) in chars.iter_mut().zip(&mut ascii).zip(codes) {
            let Some(found) = char::from_u32(u32::from(code)).filter(|_| code != 0xFFFF) else { continue };
            *ch = printable(found);
            *ascii = u8::try_from(*ch).ok().filter(u8::is_ascii).unwrap_or(NOT_ASCII);
        }
        Single { chars, ascii }
    }

    /// The character of a byte.
    pub fn char(&self, byte: u8) -> char {
        self.chars.get(usize::from(byte)).copied().unwrap_or(REPLACEMENT)
    }

    /// Whether 0x40 is the blank.
    pub fn is_ebcdic(&self) -> bool {
        self.char(0x40) == ' '
    }

    /// Hands one byte's character to `put`; returns 1 when it has none.
    pub fn put(&self, byte: u8, put: &mut impl FnMut(char, u8)) -> u32 {
        let ch = self.char(byte);
        put(ch, 1);
        u32::from(ch == REPLACEMENT)
    }

    /// Hands every character to `put`; returns how many bytes have none.
    pub fn walk(&self, bytes: &[u8], mut put: impl FnMut(char, u8)) -> u32 {
        bytes.iter().map(|&byte| self.put(byte, &mut put)).sum()
    }

    /// Appends the characters of `bytes`; returns how many have none. Strides of ASCII text are appended at once.
    pub fn decode(&self, bytes: &[u8], out: &mut String) -> u32 {
        let mut bad = 0;
        out.reserve(bytes.len());
        for stride in bytes.chunks(STRIDE) {
            let mut text = [0; STRIDE];
            let mut seen = 0;
            for (to, &byte) in text.iter_mut().zip(stride) {
                *to = self.ascii.get(usize::from(byte)).copied().unwrap_or(NOT_ASCII);
                seen |= *to;
            }
            let whole = text.get(..stride.len()).filter(|_| seen < NOT_ASCII).and_then(|t| std::str::from_utf8(t).ok());
            match whole {
                Some(text) => out.push_str(text),
                None => bad += self.walk(stride, |ch, _| out.push(ch)),
            }
        }
        bad
    }

    /// The byte of a character; the lowest one that is not a control code.
    pub fn encode(&self, ch: char) -> Option<u8> {
        let first = if self.is_ebcdic() { 0x40 } else { 0x20 };
        let ch = printable(ch);
        (first..=0xFF).find(|&byte| self.char(byte) == ch).filter(|_| ch != REPLACEMENT)
    }
}
