//! The fonts of the renditions: which glyph draws a character.
//!
//! A run may bring a font of its own from the print stream ([`Fonts`]); otherwise one is found here for its face.
//! DejaVu Sans Mono (and Sans for Latin text) is compiled in, so Latin text, box and block characters look and measure the same on every
//! machine. Chinese, Japanese and Korean characters come from a font of the system ([`find`]); where no font has a
//! glyph, [`REPLACEMENT`] is drawn and the character is reported, never dropped.
//! Adding a font: a slot in [`SLOTS`] and its place in `chain`.

mod face;
mod find;
mod used;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Once, OnceLock, RwLock};

pub use face::FontFace;
use find::Source;
pub use used::Fonts;

use crate::fontfile;
use crate::page::{ContentId, Face, Family, FontProgram};

/// Drawn for a character that no font has: a visible empty box.
pub const REPLACEMENT: char = '\u{25A1}';

/// A font by its slot in the set, or above all slots a font of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FontId(pub u16);

const SANS: u16 = 4;
const SERIF: u16 = 8;
const CJK: u16 = 12;
const CJK_BOLD: u16 = 13;
const CJK_RARE: u16 = 14;
const METRIC_SANS: u16 = 15;
const METRIC_SERIF: u16 = 19;

impl FontId {
    /// Whether the font is for Chinese, Japanese and Korean text.
    pub fn is_cjk(self) -> bool {
        (CJK..=CJK_RARE).contains(&self.0)
    }

    /// Whether it came with the stream.
    pub fn is_embedded(self) -> bool {
        self.0 >= used::FIRST_PROGRAM
    }

    /// Whether glyphs keep their own widths instead of standing in a printer's cells.
    pub fn is_proportional(self) -> bool {
        (SANS..CJK).contains(&self.0) || self.0 > CJK_RARE
    }
}

/// Where each font comes from; regular, bold, oblique and bold oblique of each family.
static SLOTS: &[Source] = &[
    Source::BuiltIn(fontfile::MONO[0]),
    Source::BuiltIn(fontfile::MONO[1]),
    Source::BuiltIn(fontfile::MONO[2]),
    Source::BuiltIn(fontfile::MONO[3]),
    Source::BuiltIn(fontfile::SANS[0]),
    Source::BuiltIn(fontfile::SANS[1]),
    Source::System(&["DejaVuSans-Oblique.ttf", "DejaVuSans.ttf"], &[]),
    Source::System(&["DejaVuSans-BoldOblique.ttf", "DejaVuSans-Bold.ttf"], &[]),
    Source::System(&["DejaVuSerif.ttf"], &[]),
    Source::System(&["DejaVuSerif-Bold.ttf"], &[]),
    Source::System(&["DejaVuSerif-Italic.ttf", "DejaVuSerif.ttf"], &[]),
    Source::System(&["DejaVuSerif-BoldItalic.ttf", "DejaVuSerif-Bold.ttf"], &[]),
    Source::System(&["cjk.ttf", "cjk.otf", "cjk.ttc", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc"], CJK_FACES),
    Source::System(&["cjk-bold.ttf", "cjk-bold.otf", "cjk-bold.ttc", "NotoSansCJK-Bold.ttc"], CJK_FACES),
    Source::System(&["cjk-rare.ttf", "cjk-rare.otf", "wqy-microhei.ttc"], CJK_FACES),
    // As wide as Helvetica and Times, which print streams mean.
    Source::System(&["LiberationSans-Regular.ttf"], &[]),
    Source::System(&["LiberationSans-Bold.ttf"], &[]),
    Source::System(&["LiberationSans-Italic.ttf"], &[]),
    Source::System(&["LiberationSans-BoldItalic.ttf"], &[]),
    Source::System(&["LiberationSerif-Regular.ttf"], &[]),
    Source::System(&["LiberationSerif-Bold.ttf"], &[]),
    Source::System(&["LiberationSerif-Italic.ttf"], &[]),
    Source::System(&["LiberationSerif-BoldItalic.ttf"], &[]),
];

/// Faces of a collection that suit simplified Chinese best, by PostScript name.
const CJK_FACES: &[&str] = &["NotoSansMonoCJKsc-Regular", "NotoSansMonoCJKsc-Bold", "WenQuanYiMicroHeiMono"];

/// The glyph that draws a character.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glyph {
    /// The font it is in.
    pub font: FontId,
    /// Its id there.
    pub id: u16,
    /// Its natural advance, in em.
    pub width: f32,
    /// No font has the character: this is [`REPLACEMENT`].
    pub missing: bool,
}

/// All fonts, each read when it is first needed.
#[derive(Debug)]
pub struct FontSet {
    folders: Vec<PathBuf>,
    faces: Vec<OnceLock<Option<FontFace>>>,
    known: RwLock<HashMap<(char, Face, bool), Glyph>>,
    programs: RwLock<Programs>,
}

/// Fonts of print streams that were opened lately.
#[derive(Debug, Default)]
struct Programs {
    opened: HashMap<ContentId, Option<Arc<FontFace>>>,
    bytes: usize,
}

/// So many bytes of print streams' fonts are remembered at most, and so many fonts.
const PROGRAM_BYTES: usize = 64 << 20;
const PROGRAM_COUNT: usize = 1_000;

/// East Asian scripts start about here (CJK radicals).
const EAST_ASIAN: u32 = 0x2E80;

/// How many characters [`FontSet`] remembers; text beyond that is looked up in the fonts each time.
const KNOWN_LIMIT: usize = 100_000;

impl FontSet {
    /// A set that looks for fonts in `folders` (and below) after the compiled-in ones.
    pub fn new(folders: Vec<PathBuf>) -> FontSet {
        let faces = SLOTS.iter().map(|_| OnceLock::new()).collect();
        FontSet { folders, faces, known: RwLock::default(), programs: RwLock::default() }
    }

    /// The set of this machine: `GREENBAR_FONT_DIR` first, then the usual system folders. Made once.
    pub fn system() -> &'static FontSet {
        static SYSTEM: OnceLock<FontSet> = OnceLock::new();
        SYSTEM.get_or_init(|| FontSet::new(fontfile::system_folders()))
    }

    /// The font in a slot, when there is one.
    pub fn face(&self, id: FontId) -> Option<&FontFace> {
        let slot = usize::from(id.0);
        let (cell, source) = (self.faces.get(slot)?, SLOTS.get(slot)?);
        cell.get_or_init(|| source.read(&self.folders)).as_ref()
    }

    /// A font of a print stream, opened; `None` when it is broken. The last ones are remembered.
    pub fn program(&self, program: &FontProgram) -> Option<Arc<FontFace>> {
        let id = program.id();
        if let Some(opened) = self.programs.read().ok().and_then(|programs| programs.opened.get(&id).cloned()) {
            return opened;
        }
        let opened = FontFace::from_stream(program).map(Arc::new);
        if opened.is_none() {
            tracing::warn!(font.name = program.name(), "a font of a print stream is broken and is replaced");
        }
        if let Ok(mut programs) = self.programs.write() {
            if programs.bytes > PROGRAM_BYTES || programs.opened.len() >= PROGRAM_COUNT {
                *programs = Programs::default();
            }
            programs.bytes += program.bytes().len();
            programs.opened.insert(id, opened.clone());
        }
        opened
    }

    /// Whether a font for Chinese, Japanese and Korean text was found.
    pub fn has_cjk(&self) -> bool {
        self.face(FontId(CJK)).is_some()
    }

    /// The file of the font for Chinese, Japanese and Korean text, for `doctor` and messages.
    pub fn cjk_file(&self) -> Option<&std::path::Path> {
        self.face(FontId(CJK))?.file()
    }

    /// The glyph for a character. `wide`: it stands in a double-width cell, so a full-width form is preferred.
    pub fn glyph(&self, c: char, face: Face, wide: bool) -> Glyph {
        let key = (c, face, wide);
        if let Some(known) = self.known.read().ok().and_then(|known| known.get(&key).copied()) {
            return known;
        }
        let glyph = self.find(c, face, wide);
        if let Ok(mut known) = self.known.write()
            && known.len() < KNOWN_LIMIT
        {
            known.insert(key, glyph);
        }
        glyph
    }

    fn find(&self, c: char, face: Face, wide: bool) -> Glyph {
        if is_text(c) {
            for font in chain(face, wide && !c.is_ascii() && !is_box(c)) {
                if let Some(glyph) = self.in_font(font, c) {
                    return glyph;
                }
            }
        }
        self.warn_without_cjk(c);
        let regular = FontId(0);
        let replacement = self.in_font(regular, REPLACEMENT).expect("the compiled-in font has U+25A1");
        Glyph { missing: c != REPLACEMENT, ..replacement }
    }

    /// Says once in the log what to do when East Asian text meets a machine without a font for it.
    fn warn_without_cjk(&self, c: char) {
        static SAID: Once = Once::new();
        if u32::from(c) >= EAST_ASIAN && !self.has_cjk() {
            SAID.call_once(|| {
                tracing::warn!(
                    "no font for Chinese, Japanese and Korean text was found: such characters are drawn as empty boxes; \
                     install fonts-noto-cjk or set {} to a folder with a CJK font",
                    fontfile::FONT_DIR
                );
            });
        }
    }

    fn in_font(&self, font: FontId, c: char) -> Option<Glyph> {
        let face = self.face(font)?;
        let id = face.glyph(c)?;
        Some(Glyph { font, id, width: face.width(id), missing: false })
    }
}

/// The fonts to try for a face, best first.
fn chain(face: Face, wide: bool) -> Vec<FontId> {
    let bold = u16::from(face.bold);
    let style = bold + 2 * u16::from(face.italic);
    let cjk = if face.bold { [CJK_BOLD, CJK, CJK_RARE] } else { [CJK, CJK_RARE, CJK_RARE] };
    let mut fonts = Vec::with_capacity(8);
    match face.family {
        Family::Sans => fonts.extend([METRIC_SANS + style, SANS + style, SANS + bold]),
        Family::Serif => fonts.extend([METRIC_SERIF + style, SERIF + style, SANS + bold]),
        Family::Mono => {}
    }
    let mono = [style, bold, 0];
    if wide {
        fonts.extend(cjk);
        fonts.extend(mono);
    } else {
        fonts.extend(mono);
        fonts.extend(cjk);
    }
    fonts.into_iter().map(FontId).collect()
}

/// Whether a character may be drawn and extracted as itself. Controls, noncharacters and private-use characters
/// have no agreed shape, and PDF/A forbids them as text.
pub fn is_text(c: char) -> bool {
    let code = u32::from(c);
    let private = matches!(code, 0xE000..=0xF8FF | 0xF_0000..);
    let never = matches!(code, 0xFEFF | 0xFDD0..=0xFDEF | 0xFFF0..=0xFFFB) || code & 0xFFFE == 0xFFFE;
    !(c.is_control() || private || never)
}

/// Box drawing and block elements must touch their neighbours: they are stretched to fill the cell.
pub fn is_box(c: char) -> bool {
    matches!(c, '\u{2500}'..='\u{259F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONO: Face = Face { family: Family::Mono, bold: false, italic: false };

    #[test]
    fn latin_and_box_characters_need_no_system_font() {
        let fonts = FontSet::new(Vec::new());
        for c in ['A', '\u{E9}', '\u{2500}', '\u{2588}', '\u{20AC}'] {
            let glyph = fonts.glyph(c, MONO, false);
            assert!(!glyph.missing && glyph.font == FontId(0), "{c}");
            assert!((glyph.width - 0.602).abs() < 0.001);
        }
        let bold = fonts.glyph('A', Face { bold: true, ..MONO }, false);
        assert_eq!(bold.font, FontId(1));
    }

    #[test]
    fn a_character_without_a_font_is_a_visible_box_and_marked() {
        let fonts = FontSet::new(Vec::new());
        let box_glyph = fonts.glyph(REPLACEMENT, MONO, false);
        for c in ['\u{4E00}', '\u{7}', '\u{E000}', '\u{FFFF}'] {
            let glyph = fonts.glyph(c, MONO, true);
            assert!(glyph.missing, "{c:?}");
            assert_eq!(glyph.id, box_glyph.id);
        }
        assert!(!box_glyph.missing);
    }

    #[test]
    fn chinese_comes_from_the_cjk_font_at_full_width() {
        let fonts = FontSet::system();
        if !fonts.has_cjk() {
            eprintln!("skipped: no CJK font on this machine");
            return;
        }
        let glyph = fonts.glyph('\u{8D26}', MONO, true);
        assert!(!glyph.missing);
        assert!((glyph.width - 1.0).abs() < 0.01);
        assert_eq!(fonts.glyph('\u{201C}', MONO, true).font, FontId(CJK), "quotes in double-width text are full width");
        assert_eq!(fonts.glyph('\u{201C}', MONO, false).font, FontId(0));
    }
}
