//! Text in scripts whose letters change with their neighbours, set by the tables of an OpenType font (GSUB, GPOS).
//!
//! In: a word in the order of reading, in one script and one direction. Out: glyphs from left to right, each with the
//! characters that it belongs to. Which glyphs stand for which characters is all that is kept; the font stays as it is.
//! Nothing here panics on a damaged font: it is not opened, or its glyphs are those of its character map.

use harfrust::{Buffer, ClusterLevel, Direction, Font, Script, ShapeOptions, ShaperFont, unicode};
use skrifa::MetadataProvider;
use skrifa::instance::{LocationRef, Size};

use crate::page::FontProgram;

/// A font whose tables are ready.
pub struct Shaper {
    font: Font,
    em: f64,
    program: FontProgram,
}

/// A glyph of a shaped word. Lengths in parts of the em.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShapedGlyph {
    /// Its number in the font.
    pub id: u16,
    /// Number of the first character that it belongs to. Glyphs of one cluster have the same number.
    pub cluster: usize,
    /// How far it moves the pen to the right.
    pub advance: f64,
    /// Where it stands from there: to the right, and upwards.
    pub shift: [f64; 2],
    /// Its width in the font, before it was shaped.
    pub own: f64,
}

/// The scripts whose letters stand by themselves; marks and signs have none of their own.
const PLAIN: [Script; 14] = [
    Script::COMMON,
    Script::INHERITED,
    Script::UNKNOWN,
    Script::LATIN,
    Script::GREEK,
    Script::CYRILLIC,
    Script::ARMENIAN,
    Script::GEORGIAN,
    Script::HAN,
    Script::HIRAGANA,
    Script::KATAKANA,
    Script::BOPOMOFO,
    Script::HANGUL,
    Script::YI,
];
/// Those of whom a letter by itself is still read well.
const READABLE: [Script; 3] = [Script::HEBREW, Script::THAI, Script::LAO];
/// The line between Arabic letters, which Unicode counts to no script.
const TATWEEL: char = '\u{640}';

/// What a character is when text is taken apart into words to shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joins {
    /// Nothing to shape: letters, digits, blanks, signs.
    Not,
    /// A mark or a joiner: it belongs to the letter before.
    Before,
    /// A letter of a script that must be shaped.
    Script(Script),
}

impl Joins {
    /// Of a character.
    pub fn of(ch: char) -> Joins {
        match unicode::script(u32::from(ch)) {
            _ if ch == TATWEEL => Joins::Script(Script::ARABIC),
            Script::INHERITED => Joins::Before,
            script if PLAIN.contains(&script) => Joins::Not,
            script => Joins::Script(script),
        }
    }

    /// Whether letters of it that are set one by one cannot be read well.
    pub fn needs_tables(self) -> bool {
        matches!(self, Joins::Script(script) if !READABLE.contains(&script))
    }
}

impl Shaper {
    /// Reads a font; `None` when it cannot be read.
    pub fn open(program: &FontProgram) -> Option<Shaper> {
        let bytes: std::sync::Arc<dyn AsRef<[u8]> + Send + Sync> = std::sync::Arc::new(program.clone());
        let font = Font::new(bytes, program.index())?;
        let em = f64::from(font.units_per_em().max(1));
        Some(Shaper { font, em, program: program.clone() })
    }

    /// Shapes a word; `None` when the font lacks something of it.
    pub fn shape(&self, word: &[char], right_to_left: bool) -> Option<Vec<ShapedGlyph>> {
        let mut buffer = Buffer::new();
        for (number, ch) in word.iter().enumerate() {
            buffer.push(u32::from(*ch), u32::try_from(number).ok()?);
        }
        buffer.set_cluster_level(ClusterLevel::MonotoneCharacters);
        buffer.set_direction(if right_to_left { Direction::RightToLeft } else { Direction::LeftToRight });
        buffer.guess_segment_properties();
        harfrust::shape(&ShaperFont::new(&self.font), &mut buffer, ShapeOptions::new()).ok()?;
        if !buffer.allocation_successful() {
            return None;
        }
        let em = |units: i32| f64::from(units) / self.em;
        let own = skrifa::FontRef::from_index(self.program.bytes(), self.program.index()).ok()?;
        let own = own.glyph_metrics(Size::unscaled(), LocationRef::default());
        let glyphs = buffer.glyph_infos().iter().zip(buffer.glyph_positions());
        glyphs
            .map(|(info, place)| {
                let id = u16::try_from(info.glyph_id).ok().filter(|id| *id != 0)?;
                let cluster = usize::try_from(info.cluster).ok().filter(|cluster| *cluster < word.len())?;
                let shift = [em(place.x_offset), em(place.y_offset)];
                let own = own.advance_width(id.into()).map_or(0.0, |units| f64::from(units) / self.em);
                Some(ShapedGlyph { id, cluster, advance: em(place.x_advance), shift, own })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few letters of Lohit Devanagari; see `devanagari.txt` beside it.
    fn shaper() -> Shaper {
        Shaper::open(&FontProgram::new("Test", include_bytes!("tests/devanagari.ttf").to_vec(), 0)).unwrap()
    }

    fn shaped(word: &str) -> Vec<(u16, usize)> {
        let glyphs = shaper().shape(&word.chars().collect::<Vec<_>>(), false).unwrap();
        glyphs.iter().map(|glyph| (glyph.id, glyph.cluster)).collect()
    }

    #[test]
    fn letters_move_and_join() {
        let [ka, ma, ra, virama, sign_i] = ['\u{915}', '\u{92E}', '\u{930}', '\u{94D}', '\u{93F}'];
        let glyph = |ch: char| shaped(&ch.to_string())[0].0;
        // The vowel sign I is written behind its consonant and stands before it.
        let ki = shaped(&String::from_iter([ka, sign_i]));
        assert_eq!(ki.len(), 2);
        assert_eq!((ki[0].1, ki[1]), (0, (glyph(ka), 0)));
        // RA without its vowel becomes a sign on the syllable behind it.
        let rma = shaped(&String::from_iter([ra, virama, ma]));
        assert_eq!((rma.len(), rma[0]), (2, (glyph(ma), 0)));
        assert_ne!(rma[1].0, glyph(ra));
    }

    #[test]
    fn what_the_font_lacks_is_not_shaped() {
        assert_eq!(shaper().shape(&['\u{915}', '\u{995}'], false), None);
        assert!(Shaper::open(&FontProgram::new("Test", vec![0; 100], 0)).is_none());
    }

    #[test]
    fn scripts_that_stand_by_themselves_are_left_alone() {
        let all = ['A', '\u{416}', '\u{4E00}', ' ', '7', ','].map(Joins::of);
        assert_eq!(all, [Joins::Not; 6]);
        assert_eq!(Joins::of('\u{301}'), Joins::Before);
        assert_eq!(Joins::of('\u{640}'), Joins::of('\u{628}'));
        assert!(Joins::of('\u{915}').needs_tables() && !Joins::of('\u{E01}').needs_tables());
    }
}
