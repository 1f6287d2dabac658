//! Which code stands for which character in the text strings of a bulk file.
//!
//! Codes must be known while pages are written, the fonts only at the end. So each font has codes of its own: one
//! byte for fonts of few glyphs (printable ASCII as itself: text is copied as it is and compresses best), two bytes for
//! others, such as those for CJK.
//! A CMap written at the end leads from codes to glyphs.

use std::collections::HashMap;

use crate::render::font::FontId;
use crate::render::pdf::place::PlacedGlyph;

/// CIDs end here, so does a subset.
const TWO_BYTE_LIMIT: u16 = 60_000;

/// A character as one font draws it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coded {
    /// Code in text strings.
    pub code: u16,
    /// The character it stands for.
    pub text: char,
    /// Glyph id in the font file.
    pub glyph: u16,
}

/// One font of the file: a font face and the codes given out so far.
#[derive(Debug)]
pub struct Subset {
    /// The face.
    pub font: FontId,
    /// Codes are two bytes long.
    pub two_byte: bool,
    /// What the codes stand for, in the order they were given out.
    pub coded: Vec<Coded>,
    ascii: [bool; 128],
    taken: [bool; 256],
}

/// All fonts of the file.
#[derive(Debug, Default)]
pub struct Codes {
    subsets: Vec<Subset>,
    known: HashMap<(FontId, char, u16), (u16, u16)>,
}

impl Codes {
    /// The fonts with their codes, in order of their numbers.
    pub fn subsets(&self) -> &[Subset] {
        &self.subsets
    }

    /// Subset and code for a glyph; gives out a code when it is new, of two bytes or one.
    pub fn code(&mut self, font: FontId, two_byte: bool, glyph: PlacedGlyph) -> (u16, u16) {
        let key = (font, glyph.text, glyph.id);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let last = self.subsets.iter().rposition(|subset| subset.font == font);
        let found = last.and_then(|at| Some((at, self.subsets.get_mut(at)?.give(glyph)?)));
        let (at, code) = found.unwrap_or_else(|| {
            let at = self.open(font, two_byte);
            (at, self.subsets.get_mut(at).and_then(|subset| subset.give(glyph)).unwrap_or(0))
        });
        let pair = (u16::try_from(at).unwrap_or(0), code);
        self.known.insert(key, pair);
        pair
    }

    /// The first subset of a Latin font, whose ASCII codes are the characters themselves.
    pub fn ascii(&mut self, font: FontId) -> u16 {
        let first = self.subsets.iter().position(|subset| subset.font == font);
        let at = first.unwrap_or_else(|| self.open(font, false));
        u16::try_from(at).unwrap_or(0)
    }

    /// Notes which ASCII characters were written; the caller has seen that they are printable.
    pub fn used_ascii(&mut self, subset: u16, text: &[u8]) {
        let Some(subset) = self.subsets.get_mut(usize::from(subset)) else { return };
        for byte in text {
            subset.ascii[usize::from(byte & 0x7F)] = true;
        }
    }

    /// Gives the ASCII characters noted by [`Codes::used_ascii`] their glyphs.
    pub fn settle(&mut self, mut glyph: impl FnMut(FontId, char) -> Option<u16>) {
        for subset in &mut self.subsets {
            for code in 0x20..0x7F_u8 {
                let given = subset.coded.iter().any(|coded| coded.code == u16::from(code));
                if subset.ascii[usize::from(code)] && !given {
                    let text = char::from(code);
                    if let Some(glyph) = glyph(subset.font, text) {
                        subset.coded.push(Coded { code: u16::from(code), text, glyph });
                    }
                }
            }
            subset.coded.sort_by_key(|coded| coded.code);
        }
    }

    fn open(&mut self, font: FontId, two_byte: bool) -> usize {
        let mut taken = [false; 256];
        // Printable ASCII stands for itself; line ends and NUL would need escapes.
        taken[0x20..0x7F].fill(true);
        taken[0] = true;
        taken[0x0A] = true;
        taken[0x0D] = true;
        self.subsets.push(Subset { font, two_byte, coded: Vec::new(), ascii: [false; 128], taken });
        self.subsets.len() - 1
    }
}

impl Subset {
    fn give(&mut self, glyph: PlacedGlyph) -> Option<u16> {
        let code = if self.two_byte { self.next_two_byte()? } else { self.next_one_byte(glyph)? };
        self.coded.push(Coded { code, text: glyph.text, glyph: glyph.id });
        Some(code)
    }

    fn next_two_byte(&self) -> Option<u16> {
        let next = u16::try_from(self.coded.len() + 1).ok()?;
        (next < TWO_BYTE_LIMIT).then_some(next)
    }

    fn next_one_byte(&mut self, glyph: PlacedGlyph) -> Option<u16> {
        if matches!(glyph.text, ' '..='~') && !self.coded.iter().any(|coded| coded.code == glyph.text as u16) {
            return Some(glyph.text as u16);
        }
        let own = u8::try_from(u32::from(glyph.text)).ok().filter(|code| !self.taken[usize::from(*code)]);
        let code = own.or_else(|| (1..=255_u8).rev().find(|code| !self.taken[usize::from(*code)]))?;
        self.taken[usize::from(code)] = true;
        Some(u16::from(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyph(text: char, id: u16) -> PlacedGlyph {
        PlacedGlyph { text, byte: 0, id, width: 0.6, advance: 0.6 }
    }

    #[test]
    fn ascii_stands_for_itself_and_others_get_free_codes() {
        let mut codes = Codes::default();
        assert_eq!(codes.code(FontId(0), false, glyph('A', 36)), (0, 65));
        assert_eq!(codes.code(FontId(0), false, glyph('\u{E9}', 201)), (0, 0xE9));
        assert_eq!(codes.code(FontId(0), false, glyph('\u{2500}', 900)), (0, 255));
        assert_eq!(codes.code(FontId(12), true, glyph('\u{4E00}', 5000)), (1, 1));
        assert_eq!(codes.code(FontId(12), true, glyph('\u{4E01}', 5001)), (1, 2));
        assert_eq!(codes.code(FontId(0), false, glyph('\u{2500}', 900)), (0, 255), "a known character keeps its code");
    }

    #[test]
    fn a_full_font_continues_in_a_second_subset() {
        let mut codes = Codes::default();
        let mut seen = std::collections::HashSet::new();
        for (number, c) in ('\u{400}'..='\u{5FF}').enumerate() {
            assert!(seen.insert(codes.code(FontId(0), false, glyph(c, number as u16 + 1))), "no code is given twice");
        }
        assert!(codes.subsets().len() > 1);
        assert!(seen.iter().all(|(_, code)| !matches!(code, 0 | 10 | 13)));
    }

    #[test]
    fn ascii_that_was_copied_gets_its_glyphs_at_the_end() {
        let mut codes = Codes::default();
        let subset = codes.ascii(FontId(0));
        codes.used_ascii(subset, b"BA A");
        codes.settle(|_, c| Some(c as u16 - 29));
        let text: String = codes.subsets()[0].coded.iter().map(|coded| coded.text).collect();
        assert_eq!(text, " AB");
    }
}
