//! Substitutes: the fonts of this machine that stand in for those which a stream only names.
//!
//! Liberation has the widths of Helvetica, Times and Courier, so that lines stay as they were set. What it does not have
//! comes from DejaVu (compiled in) and from a Chinese, Japanese and Korean font. Each file is read once.

use std::sync::OnceLock;

use skrifa::instance::{LocationRef, Size};
use skrifa::raw::types::NameId;
use skrifa::raw::{FileRef, TableProvider};
use skrifa::{FontRef, GlyphId, MetadataProvider};

use crate::fontfile;
use crate::page::{Face, Family, FontProgram};

/// A place in [`SLOTS`].
pub type Slot = u8;

/// Where a substitute comes from.
enum Source {
    /// A font file of this machine: the first of these that is there.
    Files(&'static [&'static str]),
    /// Compiled in.
    BuiltIn(&'static [u8]),
}

use Source::{BuiltIn, Files};

const SANS: Slot = 0;
const SERIF: Slot = 4;
const MONO: Slot = 8;
const DEJAVU_MONO: Slot = 12;
const DEJAVU_SANS: Slot = 16;
const DEJAVU_SERIF: Slot = 18;
const DEJAVU_WIDE: Slot = 22;
const CJK: Slot = 23;
const CJK_BOLD: Slot = 24;
const CJK_RARE: Slot = 25;

/// Regular, bold, italic and bold italic of each family; then the ways out.
static SLOTS: [Source; 26] = [
    Files(&["LiberationSans-Regular.ttf"]),
    Files(&["LiberationSans-Bold.ttf"]),
    Files(&["LiberationSans-Italic.ttf"]),
    Files(&["LiberationSans-BoldItalic.ttf"]),
    Files(&["LiberationSerif-Regular.ttf"]),
    Files(&["LiberationSerif-Bold.ttf"]),
    Files(&["LiberationSerif-Italic.ttf"]),
    Files(&["LiberationSerif-BoldItalic.ttf"]),
    Files(&["LiberationMono-Regular.ttf"]),
    Files(&["LiberationMono-Bold.ttf"]),
    Files(&["LiberationMono-Italic.ttf"]),
    Files(&["LiberationMono-BoldItalic.ttf"]),
    BuiltIn(fontfile::MONO[0]),
    BuiltIn(fontfile::MONO[1]),
    BuiltIn(fontfile::MONO[2]),
    BuiltIn(fontfile::MONO[3]),
    BuiltIn(fontfile::SANS[0]),
    BuiltIn(fontfile::SANS[1]),
    Files(&["DejaVuSerif.ttf"]),
    Files(&["DejaVuSerif-Bold.ttf"]),
    Files(&["DejaVuSerif-Italic.ttf", "DejaVuSerif.ttf"]),
    Files(&["DejaVuSerif-BoldItalic.ttf", "DejaVuSerif-Bold.ttf"]),
    Files(&["DejaVuSans.ttf"]),
    Files(&["cjk.ttf", "cjk.otf", "cjk.ttc", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc"]),
    Files(&["cjk-bold.ttf", "cjk-bold.otf", "cjk-bold.ttc", "NotoSansCJK-Bold.ttc"]),
    Files(&["cjk-rare.ttf", "cjk-rare.otf", "wqy-microhei.ttc"]),
];

/// Faces of a collection that suit simplified Chinese best, by PostScript name.
const FACES: &[&str] = &["NotoSansCJKsc-Regular", "NotoSansCJKsc-Bold", "WenQuanYiMicroHei"];

/// The font in a slot; `None` when this machine does not have it.
pub fn program(slot: Slot) -> Option<&'static FontProgram> {
    static READ: [OnceLock<Option<FontProgram>>; 26] = [const { OnceLock::new() }; 26];
    let (cell, source) = (READ.get(usize::from(slot))?, SLOTS.get(usize::from(slot))?);
    cell.get_or_init(|| read(source)).as_ref()
}

fn read(source: &Source) -> Option<FontProgram> {
    match source {
        BuiltIn(bytes) => open(bytes.to_vec(), &[]),
        Files(names) => {
            let folders = fontfile::system_folders();
            names.iter().find_map(|name| open(fontfile::read(&fontfile::find(&folders, name)?)?, FACES))
        }
    }
}

/// A font file as a program, by its own name; of a collection the first of the `wanted` names. `None` when it is no
/// font that can be shown.
pub fn open(bytes: Vec<u8>, wanted: &[&str]) -> Option<FontProgram> {
    let count = match FileRef::new(&bytes).ok()? {
        FileRef::Font(_) => 1,
        FileRef::Collection(collection) => collection.len(),
    };
    let is_wanted = |index: u32| {
        let font = FontRef::from_index(&bytes, index).ok();
        font.is_some_and(|font| {
            [NameId::POSTSCRIPT_NAME, NameId::FULL_NAME].into_iter().any(|id| {
                let name = name_of(&font, id);
                wanted.iter().any(|wanted| name.as_deref() == Some(*wanted))
            })
        })
    };
    let index = (0..count.min(64)).find(|index| is_wanted(*index)).unwrap_or(0);
    let font = FontRef::from_index(&bytes, index).ok()?;
    if font.glyf().is_err() && font.cff().is_err() {
        return None;
    }
    let name: String = name_of(&font, NameId::POSTSCRIPT_NAME)
        .unwrap_or_default()
        .chars()
        .filter(|ch| ch.is_ascii_alphanumeric() || *ch == '-')
        .take(60)
        .collect();
    let name = if name.is_empty() { "Font".into() } else { name };
    Some(FontProgram::new(&name, bytes, index))
}

fn name_of(font: &FontRef<'_>, id: NameId) -> Option<String> {
    font.localized_strings(id).english_or_first().map(|name| name.chars().collect())
}

/// The slots to look for a character in, best first. A face that this machine lacks is left out.
pub fn chain(face: Face, east_asian: bool) -> Vec<Slot> {
    let style = u8::from(face.bold) + 2 * u8::from(face.italic);
    let cjk = if face.bold { [CJK_BOLD, CJK, CJK_RARE] } else { [CJK, CJK_RARE, CJK_RARE] };
    let bold = u8::from(face.bold);
    let mut slots: Vec<Slot> = match face.family {
        Family::Sans => vec![SANS + style, DEJAVU_SANS + bold],
        Family::Serif => vec![SERIF + style, DEJAVU_SERIF + style, DEJAVU_SANS + bold],
        Family::Mono => vec![MONO + style],
    };
    slots.extend([DEJAVU_MONO + style, DEJAVU_WIDE]);
    let place = if east_asian { 0 } else { slots.len() };
    slots.splice(place..place, cjk);
    slots.dedup();
    slots.retain(|slot| !matches!(SLOTS.get(usize::from(*slot)), Some(Files(_))) || there(*slot));
    slots
}

/// Whether this machine has the font in a slot. The great CJK fonts are only looked for, not read.
fn there(slot: Slot) -> bool {
    static THERE: [OnceLock<bool>; 26] = [const { OnceLock::new() }; 26];
    let Some((cell, Files(names))) = THERE.get(usize::from(slot)).zip(SLOTS.get(usize::from(slot))) else {
        return false;
    };
    *cell.get_or_init(|| {
        let folders = fontfile::system_folders();
        names.iter().any(|name| fontfile::find(&folders, name).is_some())
    })
}

/// Whether the first choice for a face is what was meant for it, and not DejaVu in its place.
pub fn is_compatible(slot: Slot) -> bool {
    !(DEJAVU_MONO..CJK).contains(&slot)
}

/// The glyph of a character in a program, and its advance in parts of the em.
pub fn glyph(program: &FontProgram, ch: char) -> Option<(u16, f64)> {
    let font = FontRef::from_index(program.bytes(), program.index()).ok()?;
    let id = font.charmap().map(ch).filter(|id| id.to_u32() != 0)?;
    Some((u16::try_from(id.to_u32()).ok()?, advance_of(&font, id)?))
}

/// All characters that a program has.
pub fn characters(program: &FontProgram) -> Vec<char> {
    let Ok(font) = FontRef::from_index(program.bytes(), program.index()) else { return Vec::new() };
    font.charmap().mappings().filter_map(|(code, _)| char::from_u32(code)).collect()
}

fn advance_of(font: &FontRef<'_>, id: GlyphId) -> Option<f64> {
    let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
    let em = font.head().ok()?.units_per_em().max(1);
    Some(f64::from(metrics.advance_width(id)?) / f64::from(em))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_has_a_font_with_latin_letters() {
        for family in [Family::Mono, Family::Sans, Family::Serif] {
            for (bold, italic) in [(false, false), (true, false), (false, true), (true, true)] {
                let slots = chain(Face { family, bold, italic }, false);
                assert!(slots.iter().any(|slot| program(*slot).is_some_and(|font| glyph(font, 'Ä').is_some())));
            }
        }
    }

    #[test]
    fn what_is_no_font_is_not_opened() {
        assert!(open(Vec::new(), &[]).is_none());
        assert!(open(b"OTTO, but nothing behind it".to_vec(), &[]).is_none());
    }
}
