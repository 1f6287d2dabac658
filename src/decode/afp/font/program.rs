//! Writes font programs: one OpenType file with `CFF ` outlines for a list of shapes.
//!
//! Bitmaps, Type 1 fonts and turned characters all become this one kind of file, which holds straight lines and cubic
//! curves as they are. Glyph 0 is `.notdef`, glyph 1 a blank; the shapes follow in their order. The same shapes give the
//! same bytes. Source: OpenType specification 1.9; Adobe Technical Notes 5176 (CFF) and 5177 (Type 2 charstrings).

use std::collections::BTreeMap;

use super::cff;
use super::outline::Outline;
use crate::page::{Face, FontProgram};

/// Glyph id of the blank that every program has.
pub const BLANK: u16 = 1;
/// Glyph id of the first shape.
pub const FIRST: u16 = 2;
/// The first code point for characters that have none of their own.
const PRIVATE_USE: u32 = 0xE000;
/// The time of making that every program states, 1970 in seconds since 1904: the same shapes give the same bytes.
const EPOCH: u32 = 2_082_844_800;
/// Code points there are for such characters in the first plane.
const PRIVATE_USE_COUNT: u32 = 6400;

/// A glyph to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    /// The character it shows, when that is known.
    pub ch: Option<char>,
    /// How far it moves the pen, in font units.
    pub advance: u16,
    /// What it shows.
    pub outline: Outline,
}

/// A font to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Its name, for people.
    pub name: String,
    /// Units of one em: 16 to 16384.
    pub em: u16,
    /// Height above the baseline.
    pub ascent: i16,
    /// Depth below the baseline; negative.
    pub descent: i16,
    /// Bold.
    pub bold: bool,
    /// Italic.
    pub italic: bool,
    /// All characters are equally wide.
    pub fixed: bool,
    /// Its glyphs, from [`FIRST`] on; at most 65,000.
    pub shapes: Vec<Shape>,
}

impl Plan {
    /// A font without glyphs that looks like a face; its letters stand as most do, four fifths of the em above the baseline.
    pub fn like(face: Face, name: String, em: u16) -> Plan {
        let part = |share: f64| short(f64::from(em) * share);
        let (ascent, descent) = (part(0.8), part(-0.2));
        Plan { name, em, ascent, descent, bold: face.bold, italic: face.italic, ..Plan::default() }
    }

    /// Writes the program.
    pub fn write(&self) -> FontProgram {
        let name = postscript_name(&self.name);
        let glyphs = self.glyphs();
        let bounds = self.bounds();
        let tables = [
            (*b"CFF ", cff::write(&name, self.em, bounds, &glyphs)),
            (*b"OS/2", self.os2(&glyphs)),
            (*b"cmap", cmap(&self.characters())),
            (*b"head", self.head(bounds)),
            (*b"hhea", self.hhea(&glyphs, bounds)),
            (*b"hmtx", hmtx(&glyphs)),
            (*b"maxp", maxp(glyphs.len())),
            (*b"name", self.names(&name)),
            (*b"post", self.post()),
        ];
        FontProgram::new(&name, file(&tables), 0)
    }

    /// All glyphs, with the two that are always there.
    fn glyphs(&self) -> Vec<Shape> {
        let blank = Shape { ch: None, advance: self.em / 2, outline: Outline::default() };
        let mut glyphs = vec![blank.clone(), Shape { ch: Some(' '), ..blank }];
        glyphs.extend(self.shapes.iter().take(65_000).cloned());
        glyphs
    }

    /// The character map: each character's first glyph, and code points for private use for glyphs without a character.
    fn characters(&self) -> BTreeMap<u32, u16> {
        let mut map = BTreeMap::new();
        let mut private = PRIVATE_USE..PRIVATE_USE + PRIVATE_USE_COUNT;
        for (id, shape) in (FIRST..).zip(&self.shapes) {
            let code = shape.ch.map(u32::from).filter(|code| *code != 0xFFFD && !map.contains_key(code));
            if let Some(code) = code.or_else(|| private.next()) {
                map.insert(code, id);
            }
        }
        map.entry(0x20).or_insert(BLANK);
        map
    }

    fn bounds(&self) -> [i16; 4] {
        let mut all: Option<[f64; 4]> = None;
        for [left, bottom, right, top] in self.shapes.iter().filter_map(|shape| shape.outline.bounds()) {
            let [a, b, c, d] = all.unwrap_or([left, bottom, right, top]);
            all = Some([a.min(left), b.min(bottom), c.max(right), d.max(top)]);
        }
        let [left, bottom, right, top] = all.unwrap_or_default();
        [short(left.floor()), short(bottom.floor()), short(right.ceil()), short(top.ceil())]
    }

    fn head(&self, [left, bottom, right, top]: [i16; 4]) -> Vec<u8> {
        let mut out = Out::default();
        out.u32(0x0001_0000).u32(0x0001_0000).u32(0).u32(0x5F0F_3CF5).u16(0x0003).u16(self.em);
        out.u32(0).u32(EPOCH).u32(0).u32(EPOCH);
        out.i16(left).i16(bottom).i16(right).i16(top);
        out.u16(u16::from(self.bold) | u16::from(self.italic) << 1).u16(3).i16(2).u16(0).u16(0);
        out.0
    }

    fn hhea(&self, glyphs: &[Shape], [left, _, right, _]: [i16; 4]) -> Vec<u8> {
        let widest = glyphs.iter().map(|glyph| glyph.advance).max().unwrap_or(0);
        let mut out = Out::default();
        out.u32(0x0001_0000).i16(self.ascent).i16(self.descent).u16(0).u16(widest);
        out.i16(left).i16(0).i16(right).u16(1).u16(0).u16(0);
        out.u16(0).u16(0).u16(0).u16(0).u16(0).u16(count(glyphs.len()));
        out.0
    }

    fn os2(&self, glyphs: &[Shape]) -> Vec<u8> {
        let total: u64 = glyphs.iter().map(|glyph| u64::from(glyph.advance)).sum();
        let average = total / u64::try_from(glyphs.len().max(1)).unwrap_or(1);
        let em = i32::from(self.em);
        let part = |tenths: i32| i16::try_from(em * tenths / 10).unwrap_or(i16::MAX);
        let style = if self.bold || self.italic { u16::from(self.italic) | u16::from(self.bold) << 5 } else { 0x40 };
        let map = self.characters();
        let first = map.keys().next().copied().unwrap_or(0x20).min(0xFFFF);
        let last = map.keys().next_back().copied().unwrap_or(0x20).min(0xFFFF);
        let mut out = Out::default();
        out.u16(4).u16(u16::try_from(average).unwrap_or(u16::MAX)).u16(if self.bold { 700 } else { 400 }).u16(5).u16(0);
        out.i16(part(6)).i16(part(6)).i16(0).i16(part(1)).i16(part(6)).i16(part(6)).i16(0).i16(part(4));
        out.i16(part(1) / 2).i16(part(3)).u16(0);
        out.bytes(&[2, 0, 0, if self.fixed { 9 } else { 0 }, 0, 0, 0, 0, 0, 0]);
        out.u32(1).u32(0).u32(0).u32(0).bytes(b"grnb").u16(style);
        out.u16(u16::try_from(first).unwrap_or(u16::MAX)).u16(u16::try_from(last).unwrap_or(u16::MAX));
        out.i16(self.ascent).i16(self.descent).i16(0);
        out.i16(self.ascent.max(0)).i16(self.descent.saturating_neg().max(0)).u32(1).u32(0);
        out.i16(part(5)).i16(part(7)).u16(0).u16(0x20).u16(0);
        out.0
    }

    fn post(&self) -> Vec<u8> {
        let mut out = Out::default();
        out.u32(0x0003_0000).u32(if self.italic { 0xFFF4_0000 } else { 0 });
        out.i16(short(-f64::from(self.em) / 10.0)).i16(short(f64::from(self.em) / 20.0)).u32(u32::from(self.fixed));
        out.u32(0).u32(0).u32(0).u32(0);
        out.0
    }

    fn names(&self, postscript: &str) -> Vec<u8> {
        let style = match (self.bold, self.italic) {
            (false, false) => "Regular",
            (true, false) => "Bold",
            (false, true) => "Italic",
            (true, true) => "Bold Italic",
        };
        let records =
            [(1, postscript), (2, style), (3, postscript), (4, postscript), (5, "Version 1.0"), (6, postscript)];
        let mut out = Out::default();
        let mut text = Vec::new();
        out.u16(0).u16(6).u16(6 + 12 * 6);
        for (id, value) in records {
            let start = text.len();
            text.extend(value.encode_utf16().flat_map(u16::to_be_bytes));
            out.u16(3).u16(1).u16(0x409).u16(id).u16(count(text.len() - start)).u16(count(start));
        }
        out.bytes(&text);
        out.0
    }
}

/// Big-endian numbers, one after the other.
#[derive(Debug, Default)]
pub struct Out(pub Vec<u8>);

impl Out {
    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Out {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Two bytes without sign.
    pub fn u16(&mut self, value: u16) -> &mut Out {
        self.bytes(&value.to_be_bytes())
    }

    /// Two bytes with sign.
    pub fn i16(&mut self, value: i16) -> &mut Out {
        self.bytes(&value.to_be_bytes())
    }

    /// Four bytes without sign.
    pub fn u32(&mut self, value: u32) -> &mut Out {
        self.bytes(&value.to_be_bytes())
    }
}

/// The nearest number that two bytes hold.
pub fn short(value: f64) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the type's range")]
    let short = value.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16;
    short
}

/// A length that is known to be small.
fn count(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// Letters, digits and `-` only, as PostScript names are; never empty.
fn postscript_name(name: &str) -> String {
    let name: String = name.chars().filter(|ch| ch.is_ascii_alphanumeric() || *ch == '-').take(60).collect();
    if name.is_empty() { "Font".into() } else { name }
}

fn hmtx(glyphs: &[Shape]) -> Vec<u8> {
    let mut out = Out::default();
    for glyph in glyphs {
        let left = glyph.outline.bounds().map_or(0.0, |[left, ..]| left.floor());
        out.u16(glyph.advance).i16(short(left));
    }
    out.0
}

fn maxp(glyphs: usize) -> Vec<u8> {
    let mut out = Out::default();
    out.u32(0x0000_5000).u16(count(glyphs));
    out.0
}

/// Format 4 for the first plane, and format 12 for all when there are more.
fn cmap(map: &BTreeMap<u32, u16>) -> Vec<u8> {
    let first_plane = cmap4(map);
    let more = map.keys().any(|code| *code > 0xFFFF);
    let mut out = Out::default();
    out.u16(0).u16(if more { 2 } else { 1 });
    let header = if more { 20 } else { 12 };
    out.u16(3).u16(1).u32(header);
    if more {
        out.u16(3).u16(10).u32(header + u32::try_from(first_plane.len()).unwrap_or(0));
    }
    out.bytes(&first_plane);
    if more {
        out.bytes(&cmap12(map));
    }
    out.0
}

/// Runs of characters whose glyphs follow one another: first character, last character, first glyph.
fn runs(map: &BTreeMap<u32, u16>) -> Vec<(u32, u32, u16)> {
    let mut runs: Vec<(u32, u32, u16)> = Vec::new();
    for (&code, &id) in map {
        match runs.last_mut() {
            Some((first, last, start)) if code == *last + 1 && u32::from(id) == u32::from(*start) + (code - *first) => {
                *last = code;
            }
            _ => runs.push((code, code, id)),
        }
    }
    runs
}

fn cmap4(map: &BTreeMap<u32, u16>) -> Vec<u8> {
    let low: BTreeMap<u32, u16> = map.range(..0xFFFF).map(|(code, id)| (*code, *id)).collect();
    // A segment takes 8 bytes and the table's length two: what does not fit is found by format 12 or glyph id only.
    let mut runs = runs(&low);
    runs.truncate(8000);
    let code = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
    let segments = count(runs.len() + 1);
    let power = segments.checked_ilog2().unwrap_or(0);
    let range = 2_u16 << power;
    let mut out = Out::default();
    out.u16(4).u16(16 + 8 * segments).u16(0);
    out.u16(2 * segments).u16(range).u16(u16::try_from(power).unwrap_or(0)).u16(2 * segments - range);
    runs.iter().for_each(|(_, last, _)| _ = out.u16(code(*last)));
    out.u16(0xFFFF).u16(0);
    runs.iter().for_each(|(first, _, _)| _ = out.u16(code(*first)));
    out.u16(0xFFFF);
    runs.iter().for_each(|(first, _, id)| _ = out.u16(id.wrapping_sub(code(*first))));
    out.u16(1);
    (0..segments).for_each(|_| _ = out.u16(0));
    out.0
}

fn cmap12(map: &BTreeMap<u32, u16>) -> Vec<u8> {
    let runs = runs(map);
    let groups = u32::try_from(runs.len()).unwrap_or(0);
    let mut out = Out::default();
    out.u16(12).u16(0).u32(16 + 12 * groups).u32(0).u32(groups);
    for (first, last, id) in runs {
        out.u32(first).u32(last).u32(u32::from(id));
    }
    out.0
}

/// The file: a directory of tables, and the tables on boundaries of four bytes.
fn file(tables: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let number = count(tables.len());
    let power = number.checked_ilog2().unwrap_or(0);
    let range = 16_u16 << power;
    let mut out = Out::default();
    out.bytes(b"OTTO").u16(number).u16(range).u16(u16::try_from(power).unwrap_or(0)).u16(16 * number - range);
    let mut body = Vec::new();
    let mut head = 0;
    for (tag, table) in tables {
        let start = 12 + 16 * tables.len() + body.len();
        if tag == b"head" {
            head = start;
        }
        let long = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        out.bytes(tag).u32(checksum(table)).u32(long(start)).u32(long(table.len()));
        body.extend_from_slice(table);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    out.bytes(&body);
    let adjustment = 0xB1B0_AFBA_u32.wrapping_sub(checksum(&out.0));
    if let Some(place) = out.0.get_mut(head + 8..head + 12) {
        place.copy_from_slice(&adjustment.to_be_bytes());
    }
    out.0
}

fn checksum(table: &[u8]) -> u32 {
    table.chunks(4).fold(0_u32, |sum, chunk| {
        let mut word = [0; 4];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        sum.wrapping_add(u32::from_be_bytes(word))
    })
}

#[cfg(test)]
mod tests;
