//! Fonts of the stream for browsers: each a subset with a character map of its own, as a data URI.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subsetter::GlyphRemapper;

use crate::page::{ContentId, FontProgram};
use crate::render::font::{REPLACEMENT, is_text};

/// Glyphs without a character that may be text get one from here on (private use).
const PRIVATE: u32 = 0xE000;
const PRIVATE_END: u32 = 0xF8FF;
/// A character that may not be text.
const NO_TEXT: char = '\0';

/// The stream's fonts that a file shows.
#[derive(Debug, Default)]
pub struct WebFonts {
    fonts: Vec<WebFont>,
    known: HashMap<ContentId, Vec<usize>>,
}

#[derive(Debug)]
struct WebFont {
    program: FontProgram,
    /// The glyph of each character.
    map: BTreeMap<char, u16>,
    private: HashMap<u16, char>,
}

impl WebFonts {
    /// The number of the font and the character that shows a glyph. A program is more than one font where a character has
    /// more than one glyph.
    pub fn character(&mut self, program: &FontProgram, c: char, glyph: u16) -> (usize, char) {
        let numbers = self.known.entry(program.id()).or_default();
        for number in numbers.iter().copied() {
            if let Some(shown) = self.fonts.get_mut(number).and_then(|font| font.give(c, glyph)) {
                return (number, shown);
            }
        }
        let mut font = WebFont { program: program.clone(), map: BTreeMap::new(), private: HashMap::new() };
        let shown = font.give(c, glyph).unwrap_or(REPLACEMENT);
        self.fonts.push(font);
        numbers.push(self.fonts.len() - 1);
        (self.fonts.len() - 1, shown)
    }

    /// As [`WebFonts::character`], with a character of private use, which browsers show as it stands: letters of some scripts
    /// they would order and join again.
    pub fn private(&mut self, program: &FontProgram, glyph: u16) -> (usize, char) {
        self.character(program, NO_TEXT, glyph)
    }

    /// Whether the file shows none.
    pub fn is_empty(&self) -> bool {
        self.fonts.is_empty()
    }

    /// Writes the style rules of all fonts.
    pub fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for (number, font) in self.fonts.iter().enumerate() {
            let Some(file) = font.file() else { continue };
            let kind = if file.starts_with(b"OTTO") { "otf" } else { "ttf" };
            write!(out, "@font-face{{font-family:f{number};src:url(data:font/{kind};base64,")?;
            out.write_all(STANDARD.encode(&file).as_bytes())?;
            write!(out, ")}}\n.f{number}{{font-family:f{number},sans-serif}}\n")?;
        }
        Ok(())
    }
}

impl WebFont {
    /// The character that shows the glyph; none when it shows another one already.
    fn give(&mut self, c: char, glyph: u16) -> Option<char> {
        if is_text(c) {
            return (*self.map.entry(c).or_insert(glyph) == glyph).then_some(c);
        }
        if let Some(known) = self.private.get(&glyph) {
            return Some(*known);
        }
        let next = PRIVATE + u32::try_from(self.private.len()).ok()?;
        let shown = char::from_u32(next).filter(|_| next <= PRIVATE_END)?;
        self.private.insert(glyph, shown);
        self.map.insert(shown, glyph);
        Some(shown)
    }

    fn file(&self) -> Option<Vec<u8>> {
        let mut glyphs = GlyphRemapper::new();
        let map: Vec<(u32, u16)> = self.map.iter().map(|(c, glyph)| (u32::from(*c), glyphs.remap(*glyph))).collect();
        let subset = subsetter::subset(self.program.bytes(), self.program.index(), &glyphs).ok()?;
        let mut tables = tables(&subset)?;
        tables.insert(*b"cmap", character_map(&map));
        tables.insert(*b"OS/2", os2(&map));
        tables.entry(*b"post").or_insert_with(|| [&[0, 3, 0, 0][..], &[0; 28]].concat());
        tables.entry(*b"name").or_insert_with(|| vec![0, 0, 0, 0, 0, 6]);
        assemble(subset.get(..4)?, &tables)
    }
}

type Tables = BTreeMap<[u8; 4], Vec<u8>>;

fn tables(font: &[u8]) -> Option<Tables> {
    let word = |at: usize| Some(u32::from_be_bytes(*font.get(at..)?.first_chunk()?) as usize);
    let count = usize::from(u16::from_be_bytes(*font.get(4..)?.first_chunk()?));
    let mut tables = Tables::new();
    for number in 0..count {
        let at = 12 + number * 16;
        let (offset, length) = (word(at + 8)?, word(at + 12)?);
        tables.insert(*font.get(at..)?.first_chunk()?, font.get(offset..offset.checked_add(length)?)?.to_vec());
    }
    Some(tables)
}

/// A `cmap` table of one subtable: format 12, Unicode.
fn character_map(map: &[(u32, u16)]) -> Vec<u8> {
    let runs: Vec<&[(u32, u16)]> = map.chunk_by(|a, b| a.0 + 1 == b.0 && a.1 + 1 == b.1).collect();
    let count = runs.len() as u32;
    let mut table = vec![0, 0, 0, 1, 0, 3, 0, 10, 0, 0, 0, 12, 0, 12, 0, 0];
    for word in [16 + 12 * count, 0, count] {
        table.extend_from_slice(&word.to_be_bytes());
    }
    for run in runs {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            for word in [first.0, last.0, u32::from(first.1)] {
                table.extend_from_slice(&word.to_be_bytes());
            }
        }
    }
    table
}

/// An `OS/2` table, version 4, that says as little as may be said.
fn os2(map: &[(u32, u16)]) -> Vec<u8> {
    let mut table = vec![0_u8; 96];
    let mut put = |at: usize, value: u16| table[at..at + 2].copy_from_slice(&value.to_be_bytes());
    let end = |c: Option<&(u32, u16)>| c.map_or(0, |(c, _)| u16::try_from(*c).unwrap_or(u16::MAX));
    // Version, weight, width; "regular"; first and last character; ascent, descent and the same for Windows.
    for (at, value) in [(0, 4), (4, 400), (6, 5), (62, 0x40), (68, 800), (70, 0xFF38), (74, 1000), (76, 300)] {
        put(at, value);
    }
    put(64, end(map.first()));
    put(66, end(map.last()));
    table[58..62].copy_from_slice(b"NONE");
    table
}

fn assemble(kind: &[u8], tables: &Tables) -> Option<Vec<u8>> {
    let count = u16::try_from(tables.len()).ok()?;
    let power = 15 - count.max(1).leading_zeros() as u16;
    let range = 16 << power;
    let mut font = kind.to_vec();
    for value in [count, range, power, count * 16 - range] {
        font.extend_from_slice(&value.to_be_bytes());
    }
    let mut offset = 12 + 16 * tables.len();
    for (tag, table) in tables {
        let sum = table.chunks(4).fold(0_u32, |sum, chunk| {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            sum.wrapping_add(u32::from_be_bytes(word))
        });
        font.extend_from_slice(tag);
        for word in [sum, u32::try_from(offset).ok()?, u32::try_from(table.len()).ok()?] {
            font.extend_from_slice(&word.to_be_bytes());
        }
        offset += table.len().next_multiple_of(4);
    }
    for table in tables.values() {
        font.extend_from_slice(table);
        font.resize(font.len().next_multiple_of(4), 0);
    }
    Some(font)
}

/// A data URI.
pub fn data_uri(html: &mut String, kind: &str, bytes: &[u8]) {
    let _ = write!(html, "data:{kind};base64,");
    STANDARD.encode_string(bytes, html);
}

#[cfg(test)]
mod tests {
    use skrifa::{FontRef, MetadataProvider};

    use super::*;

    #[test]
    fn the_browser_finds_each_glyph_by_its_character() {
        let program = crate::page::sample::font();
        let glyph =
            |c: char| FontRef::new(program.bytes()).expect("a font").charmap().map(c).expect("a glyph").to_u32() as u16;
        let mut fonts = WebFonts::default();
        for c in ['A', 'B', 'z'] {
            assert_eq!(fonts.character(&program, c, glyph(c)), (0, c));
        }
        assert_eq!(fonts.character(&program, 'A', glyph('B')), (1, 'A'), "another glyph for A is another font");
        assert_eq!(fonts.character(&program, '\u{7}', glyph('z')), (0, '\u{E000}'));
        assert_eq!(fonts.private(&program, glyph('z')), (0, '\u{E000}'));
        let file = fonts.fonts[0].file().expect("a font");
        let font = FontRef::new(&file).expect("readable");
        let ids: Vec<u32> = "ABz\u{E000}C".chars().map(|c| font.charmap().map(c).map_or(0, |id| id.to_u32())).collect();
        assert!(ids[0] > 0 && ids[1] > 0 && ids[2] > 0 && ids[2] == ids[3] && ids[4] == 0, "{ids:?}");
    }
}
