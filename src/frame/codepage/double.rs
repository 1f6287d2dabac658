//! Double-byte characters: the halves of mixed host pages, and pages where a lead byte announces more.

use std::collections::HashMap;
use std::io::Read;
use std::sync::OnceLock;

use encoding_rs::{DecoderResult, Encoding};

use super::single::{NAME, Single};
use super::{REPLACEMENT, char_width, printable};

/// The tables, made by `src/frame/tables/generate.py`; deflated.
static TABLES: &[u8] = include_bytes!("../tables/double-byte.bin");
/// First byte of the square of host codes; the blank 4040 stands before it.
const FIRST: u8 = 0x41;
/// Last byte of the square of host codes.
const LAST: u8 = 0xFE;

/// What one code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Glyph {
    /// Nothing.
    None,
    /// A character.
    One(char),
    /// A character and a mark that combines with it.
    Pair(char, char),
}

impl Glyph {
    /// Hands the characters to `put`, the first `width` columns wide; for nothing, one U+FFFD for each of `bytes`.
    /// Returns how many bytes were undecodable.
    pub fn put(self, width: u8, bytes: u32, put: &mut impl FnMut(char, u8)) -> u32 {
        match self {
            Glyph::None => {
                (0..bytes).for_each(|_| put(REPLACEMENT, 1));
                return bytes;
            }
            Glyph::One(ch) => put(ch, width),
            Glyph::Pair(ch, mark) => {
                put(ch, width);
                put(mark, 0);
            }
        }
        0
    }
}

/// A table of two-byte codes.
pub struct Double {
    /// By the code: a code point, 0 for none, or [`Double::PAIRED`] + n for entry n of `pairs`.
    codes: Vec<u32>,
    pairs: Vec<(char, char)>,
    reverse: OnceLock<HashMap<Glyph, [u8; 2]>>,
}

impl Double {
    /// First value that is no code point.
    const PAIRED: u32 = 0x11_0000;

    fn empty() -> Double {
        Double { codes: vec![0; 1 << 16], pairs: Vec::new(), reverse: OnceLock::new() }
    }

    fn set(&mut self, code: [u8; 2], glyph: Glyph) {
        let value = match glyph {
            Glyph::None => return,
            Glyph::One(ch) => u32::from(ch),
            Glyph::Pair(ch, mark) => {
                self.pairs.push((ch, mark));
                Double::PAIRED.saturating_add(u32::try_from(self.pairs.len() - 1).unwrap_or(0))
            }
        };
        if let Some(cell) = self.codes.get_mut(usize::from(u16::from_be_bytes(code))) {
            *cell = value;
        }
    }

    /// What the code `first second` stands for.
    pub fn get(&self, first: u8, second: u8) -> Glyph {
        let value = self.codes.get(usize::from(u16::from_be_bytes([first, second]))).copied().unwrap_or(0);
        if value == 0 {
            return Glyph::None;
        }
        match char::from_u32(value) {
            Some(ch) => Glyph::One(ch),
            None => usize::try_from(value.saturating_sub(Double::PAIRED))
                .ok()
                .and_then(|n| self.pairs.get(n))
                .map_or(Glyph::None, |&(ch, mark)| Glyph::Pair(ch, mark)),
        }
    }

    /// The code of a glyph; the lowest when there are several.
    pub fn encode(&self, glyph: Glyph) -> Option<[u8; 2]> {
        let reverse = self.reverse.get_or_init(|| {
            let mut map = HashMap::new();
            for code in (0..=u16::MAX).map(u16::to_be_bytes) {
                let [first, second] = code;
                map.entry(self.get(first, second)).or_insert(code);
            }
            map.remove(&Glyph::None);
            map
        });
        reverse.get(&glyph).copied()
    }
}

/// The double-byte half of a mixed host page, by the name of its table.
pub fn host(name: &str) -> &'static Double {
    static BY_NAME: OnceLock<HashMap<String, Double>> = OnceLock::new();
    static NONE: OnceLock<Double> = OnceLock::new();
    let tables = BY_NAME.get_or_init(|| {
        let mut input = flate2::read::ZlibDecoder::new(TABLES);
        std::iter::from_fn(|| read_host(&mut input)).collect()
    });
    tables.get(name).unwrap_or_else(|| NONE.get_or_init(Double::empty))
}

/// Reads one table; `None` at the end.
fn read_host(input: &mut impl Read) -> Option<(String, Double)> {
    let mut name = [0; NAME];
    input.read_exact(&mut name).ok()?;
    let codes: Vec<[u8; 2]> = std::iter::once([FIRST - 1, FIRST - 1])
        .chain((FIRST..=LAST).flat_map(|first| (FIRST..=LAST).map(move |second| [first, second])))
        .collect();
    let mut values = Vec::with_capacity(codes.len());
    for _ in &codes {
        values.push(read_u16(input)?);
    }
    let mut extra = Vec::new();
    for _ in 0..read_u16(input)? {
        let (first, second) = (read_u32(input)?, read_u32(input)?);
        let first = char::from_u32(first)?;
        extra.push(if second == 0 { Glyph::One(first) } else { Glyph::Pair(first, char::from_u32(second)?) });
    }
    let mut table = Double::empty();
    for (&code, value) in codes.iter().zip(values) {
        let glyph = match char::from_u32(u32::from(value)) {
            Some('\0') => Glyph::None,
            Some(ch) => Glyph::One(ch),
            None => extra.get(usize::from(value.saturating_sub(0xD800))).copied().unwrap_or(Glyph::None),
        };
        table.set(code, glyph);
    }
    let name: Vec<u8> = name.into_iter().take_while(|&b| b != 0).collect();
    Some((String::from_utf8(name).ok()?, table))
}

fn read_u16(input: &mut impl Read) -> Option<u16> {
    let mut bytes = [0; 2];
    input.read_exact(&mut bytes).ok()?;
    Some(u16::from_le_bytes(bytes))
}

fn read_u32(input: &mut impl Read) -> Option<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes).ok()?;
    Some(u32::from_le_bytes(bytes))
}

/// Which sequences longer than two bytes a lead-byte page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Longer {
    /// None: every character is as many columns wide as its code has bytes.
    None,
    /// GB18030: four bytes, the second and fourth of them digits.
    Four,
    /// EUC-JP: three bytes after 8F; and half-width katakana of two bytes after 8E.
    EucJp,
}

/// A workstation page where a lead byte announces one or more bytes.
pub struct Lead {
    encoding: &'static Encoding,
    longer: Longer,
    tables: OnceLock<(Box<[Glyph; 256]>, Double)>,
}

impl Lead {
    /// The page of an encoding.
    pub fn new(encoding: &'static Encoding, longer: Longer) -> Lead {
        Lead { encoding, longer, tables: OnceLock::new() }
    }

    /// Whether every character is as many columns wide as its code has bytes.
    pub fn byte_is_column(&self) -> bool {
        self.longer == Longer::None
    }

    /// The characters of all one- and two-byte codes.
    fn tables(&self) -> &(Box<[Glyph; 256]>, Double) {
        self.tables.get_or_init(|| {
            let mut single = Box::new([Glyph::None; 256]);
            for (byte, glyph) in (0..=u8::MAX).zip(single.iter_mut()) {
                *glyph = self.decode_one(&[byte]);
            }
            let mut double = Double::empty();
            for code in (0x8000..=u16::MAX).map(u16::to_be_bytes) {
                let [first, second] = code;
                let leads = single.get(usize::from(first)).is_some_and(|glyph| *glyph == Glyph::None);
                if leads && second >= 0x30 {
                    double.set(code, self.decode_one(&[first, second]));
                }
            }
            (single, double)
        })
    }

    /// The glyph of one whole code.
    fn decode_one(&self, code: &[u8]) -> Glyph {
        let mut text = [0; 16];
        let (result, _, written) =
            self.encoding.new_decoder_without_bom_handling().decode_to_utf8_without_replacement(code, &mut text, true);
        let text = text.get(..written).and_then(|t| std::str::from_utf8(t).ok()).unwrap_or_default();
        let mut chars = text.chars();
        match (result, chars.next(), chars.next()) {
            (DecoderResult::InputEmpty, Some(ch), None) => Glyph::One(printable(ch)),
            (DecoderResult::InputEmpty, Some(ch), Some(mark)) => Glyph::Pair(ch, mark),
            _ => Glyph::None,
        }
    }

    /// Hands every character to `put`; returns how many bytes were undecodable.
    pub fn walk(&self, bytes: &[u8], mut put: impl FnMut(char, u8)) -> u32 {
        let (single, double) = self.tables();
        let mut bad = 0;
        let mut rest = bytes;
        while let Some((&first, tail)) = rest.split_first() {
            let one = single.get(usize::from(first)).copied().unwrap_or(Glyph::None);
            let second = tail.first().copied().unwrap_or(0);
            let (glyph, width, taken) = if one != Glyph::None {
                (one, 1, 1)
            } else if let Some((glyph, taken)) = self.longer_code(rest) {
                let width = if let Glyph::One(ch) = glyph { char_width(ch) } else { 1 };
                (glyph, width, taken)
            } else {
                let two = double.get(first, second);
                let narrow = self.longer == Longer::EucJp && first == 0x8E;
                // An ASCII character behind a broken lead byte stands for itself.
                let taken = if two == Glyph::None && second < 0x80 { 1 } else { 2.min(rest.len()) };
                (two, if narrow { 1 } else { 2 }, taken)
            };
            bad += glyph.put(width, u32::try_from(taken).unwrap_or(1), &mut put);
            rest = rest.get(taken..).unwrap_or_default();
        }
        bad
    }

    /// A code of three or four bytes at the start of `bytes`, and its length.
    fn longer_code(&self, bytes: &[u8]) -> Option<(Glyph, usize)> {
        let code = match (self.longer, bytes) {
            (Longer::Four, [_, b'0'..=b'9', ..]) => bytes.get(..4)?,
            (Longer::EucJp, [0x8F, ..]) => bytes.get(..3)?,
            _ => return None,
        };
        let glyph = self.decode_one(code);
        (glyph != Glyph::None).then_some((glyph, code.len()))
    }

    /// The bytes of `text`, or `None` when a character has no code.
    pub fn encode(&self, text: &str) -> Option<Vec<u8>> {
        let (bytes, _, unmappable) = self.encoding.encode(text);
        (!unmappable).then(|| bytes.into_owned())
    }
}

/// Ties a mixed page to its tables.
pub fn mixed(name: &str, double: &'static str) -> super::Kind {
    super::Kind::Mixed { single: Single::named(&format!("{name}/s")), double }
}
