//! Code pages: host (EBCDIC, with or without SO/SI double byte), workstation and Unicode.
//!
//! In: the bytes of one record. Out: characters, and the columns they take on the printer's grid. The shift state
//! of a mixed page never crosses a call, as it never crosses a record. Every byte gives something: what a page
//! does not define becomes U+FFFD and is counted. Tables come from `src/frame/tables/generate.py`.
//!
//! Adding a page: a row in `registry.rs`, a record in the tables.

mod double;
mod registry;
mod single;
#[cfg(test)]
mod tests;
mod width;

pub use width::char_width;

use double::{Double, Glyph, Lead};
use single::Single;

/// What an undecodable byte becomes.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;
/// Shift out: double-byte characters follow.
const SO: u8 = 0x0E;
/// Shift in: single-byte characters follow.
const SI: u8 = 0x0F;

/// One decoded character on the printer's grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The character; U+FFFD where the byte has no meaning in the code page.
    pub ch: char,
    /// Columns it takes: 1 or 2, or 0 for a mark that combines with the cell before it. Shift codes (SO, SI)
    /// that print as a blank are a `' '` of width 1.
    pub width: u8,
}

/// A character set, ready to decode and encode. Get one with [`CodePage::find`].
pub struct CodePage {
    name: &'static str,
    label: &'static str,
    /// Other names, reduced as [`registry::reduce`] does it.
    aliases: &'static [&'static str],
    kind: Kind,
}

/// How bytes become characters.
enum Kind {
    /// One byte, one character.
    Single(Single),
    /// Host single byte, with double-byte runs between SO and SI.
    Mixed { single: Single, double: &'static str },
    /// A lead byte says that one or more bytes follow.
    Lead(Lead),
    /// UTF-8.
    Utf8,
}

impl CodePage {
    /// Finds a code page by its name or a usual alias: `ibm-1047`, `1047`, `cp1047`, `IBM1047`, `utf-8`, `gbk` ...
    pub fn find(name: &str) -> Option<&'static CodePage> {
        registry::find(name)
    }

    /// Every code page, host pages first.
    pub fn all() -> &'static [CodePage] {
        registry::all()
    }

    /// The canonical name, as `inspect` prints it: `ibm-1047`, `iso-8859-1`, `utf-8`, `gb18030`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where the page is used, for people: `Germany, Austria (EBCDIC)`.
    pub fn label(&self) -> &'static str {
        self.label
    }

    /// Whether a column of the grid is a byte of the record: true for single-byte pages, for SO/SI pages with
    /// blanks for the shifts, and for GBK, Big5, Shift-JIS and EUC-KR; false for UTF-8, GB18030 and EUC-JP.
    pub fn byte_is_column(&self) -> bool {
        match &self.kind {
            Kind::Single(_) | Kind::Mixed { .. } => true,
            Kind::Lead(lead) => lead.byte_is_column(),
            Kind::Utf8 => false,
        }
    }

    /// Whether some characters take more than one byte.
    pub fn is_multi_byte(&self) -> bool {
        !matches!(self.kind, Kind::Single(_))
    }

    /// Whether double-byte runs stand between SO and SI.
    pub fn has_shifts(&self) -> bool {
        matches!(self.kind, Kind::Mixed { .. })
    }

    /// Whether this is a host page: blank 0x40, digits F0 to F9.
    pub fn is_ebcdic(&self) -> bool {
        match &self.kind {
            Kind::Single(single) | Kind::Mixed { single, .. } => single.is_ebcdic(),
            Kind::Lead(_) | Kind::Utf8 => false,
        }
    }

    /// The code of a blank (0x40 or 0x20).
    pub fn blank(&self) -> u8 {
        if self.is_ebcdic() { 0x40 } else { 0x20 }
    }

    /// Appends the text of `bytes` to `out` (shift codes appear as the blanks they print, so that columns
    /// hold) and returns how many bytes were undecodable; each of those became U+FFFD.
    /// Control codes become blanks; no-break space becomes a blank, soft hyphen a hyphen.
    pub fn decode(&self, bytes: &[u8], out: &mut String) -> u32 {
        match &self.kind {
            Kind::Single(single) => single.decode(bytes, out),
            _ => self.walk(bytes, true, |ch, _| out.push(ch)),
        }
    }

    /// Appends the cells of `bytes` to `out`; returns how many bytes were undecodable.
    pub fn cells(&self, bytes: &[u8], out: &mut Vec<Cell>) -> u32 {
        self.walk(bytes, true, |ch, width| out.push(Cell { ch, width }))
    }

    /// [`CodePage::cells`] for printers where SO and SI take `shift_width` columns: 1 or 0.
    pub fn cells_with_shifts(&self, bytes: &[u8], shift_width: u8, out: &mut Vec<Cell>) -> u32 {
        self.walk(bytes, shift_width > 0, |ch, width| out.push(Cell { ch, width }))
    }

    /// The bytes of `text` in this code page (in the single-byte half of a mixed page where possible,
    /// with SO and SI around double-byte runs), or `None` when a character has no code.
    pub fn encode(&self, text: &str) -> Option<Vec<u8>> {
        match &self.kind {
            Kind::Single(single) => text.chars().map(|ch| single.encode(ch)).collect(),
            Kind::Mixed { single, double } => encode_mixed(single, double::host(double), text),
            Kind::Lead(lead) => lead.encode(text),
            Kind::Utf8 => Some(text.as_bytes().to_vec()),
        }
    }

    /// Hands every character and its width to `put`; returns how many bytes were undecodable.
    fn walk(&self, bytes: &[u8], shift_blanks: bool, put: impl FnMut(char, u8)) -> u32 {
        match &self.kind {
            Kind::Single(single) => single.walk(bytes, put),
            Kind::Mixed { single, double } => walk_mixed(single, double::host(double), bytes, shift_blanks, put),
            Kind::Lead(lead) => lead.walk(bytes, put),
            Kind::Utf8 => walk_utf8(bytes, put),
        }
    }
}

impl std::fmt::Debug for CodePage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CodePage({})", self.name)
    }
}

/// What a printer shows for a character: nothing that moves or hides, so controls and no-break space are
/// blanks, and a soft hyphen is a hyphen.
fn printable(ch: char) -> char {
    match ch {
        '\u{A0}' => ' ',
        '\u{AD}' => '-',
        _ if ch.is_control() => ' ',
        _ => ch,
    }
}

/// The shift machine. A byte below 0x40 cannot be in a double-byte run and ends it, as if SI stood before it; a
/// lone byte at the end is undecodable. Both happen in real data, where a field cut a run in two.
fn walk_mixed(
    single: &Single,
    double: &Double,
    bytes: &[u8],
    shift_blanks: bool,
    mut put: impl FnMut(char, u8),
) -> u32 {
    let mut bad = 0;
    let mut in_double = false;
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == SO || byte == SI {
            in_double = byte == SO;
            if shift_blanks {
                put(' ', 1);
            }
        } else if !in_double || byte < 0x40 {
            in_double = false;
            bad += single.put(byte, &mut put);
        } else if let Some((&second, tail)) = rest.split_first().filter(|(second, _)| **second >= 0x40) {
            rest = tail;
            bad += double.get(byte, second).put(2, 2, &mut put);
        } else {
            put(REPLACEMENT, 1);
            bad += 1;
        }
    }
    bad
}

/// Single byte where the page has it, runs between SO and SI elsewhere.
fn encode_mixed(single: &Single, double: &Double, text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut in_double = false;
    let mut chars = text.chars().peekable();
    while let Some(ch) = chars.next() {
        if let Some(byte) = single.encode(ch) {
            if in_double {
                out.push(SI);
                in_double = false;
            }
            out.push(byte);
            continue;
        }
        let pair = chars.peek().and_then(|&next| double.encode(Glyph::Pair(ch, next)));
        if pair.is_some() {
            chars.next();
        }
        let code = pair.or_else(|| double.encode(Glyph::One(ch)))?;
        if !in_double {
            out.push(SO);
            in_double = true;
        }
        out.extend(code);
    }
    if in_double {
        out.push(SI);
    }
    Some(out)
}

/// A byte order mark prints nothing and is dropped.
fn walk_utf8(bytes: &[u8], mut put: impl FnMut(char, u8)) -> u32 {
    let mut bad = 0;
    for chunk in bytes.utf8_chunks() {
        for ch in chunk.valid().chars().filter(|&ch| ch != '\u{FEFF}') {
            let ch = printable(ch);
            put(ch, char_width(ch));
        }
        for _ in chunk.invalid() {
            put(REPLACEMENT, 1);
            bad += 1;
        }
    }
    bad
}
