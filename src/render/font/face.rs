//! One font file's face: character to glyph, widths, and what a PDF says about it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::pen::NullPen;
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::raw::TableProvider;
use skrifa::raw::types::NameId;
use skrifa::{FontRef, GlyphId, MetadataProvider};
use subsetter::GlyphRemapper;

use crate::page::FontProgram;

/// A font's bytes: compiled in, read from a file, or from a print stream.
#[derive(Clone)]
pub enum FontData {
    /// Compiled in.
    Static(&'static [u8]),
    /// Read from a file.
    Owned(Arc<Vec<u8>>),
    /// From a print stream: not to be trusted.
    Stream(FontProgram),
}

impl FontData {
    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        match self {
            FontData::Static(bytes) => bytes,
            FontData::Owned(bytes) => bytes,
            FontData::Stream(program) => program.bytes(),
        }
    }
}

/// Measures of a whole face, in 1/1000 em.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measures {
    /// Height of letters without accents above the baseline.
    pub ascent: f32,
    /// Depth of letters below the baseline, negative.
    pub descent: f32,
    /// Height of capital letters.
    pub cap_height: f32,
    /// Left, bottom, right and top of the box around all glyphs.
    pub bounds: [f32; 4],
    /// Slope in degrees, negative to the right.
    pub italic_angle: f32,
    /// All glyphs are equally wide.
    pub fixed_pitch: bool,
}

/// A face that can draw.
pub struct FontFace {
    data: FontData,
    index: u32,
    file: Option<PathBuf>,
    units_per_em: f32,
    name: String,
    measures: Measures,
    /// Natural advances in em by glyph; only of stream fonts, whose every glyph is asked for.
    widths: Vec<f32>,
    /// Of large stream fonts: which glyphs can be drawn, as far as they were asked for.
    tried: Vec<AtomicU8>,
    krilla: krilla::text::Font,
}

/// Units per em that OpenType allows.
const UNITS_PER_EM: std::ops::RangeInclusive<u16> = 16..=16_384;
/// All glyphs of a stream's font are tried when it is opened if there are no more than this; those of larger ones (CJK)
/// when they are used.
const TRY_ALL: u16 = 3_000;
/// Values of [`FontFace::tried`] for a glyph that can be drawn and one that cannot; 0 is not known yet.
const GOOD: u8 = 1;
const BAD: u8 = 2;
/// A PostScript name may be this long.
const NAME_LENGTH_LIMIT: usize = 100;

impl std::fmt::Debug for FontFace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FontFace").field("name", &self.name).field("file", &self.file).finish_non_exhaustive()
    }
}

/// Height and depth of letters (ISO 32000, "Font descriptors": accents do not count), which is what OS/2 calls typographic; line
/// spacing, which `hhea` holds, is more.
fn letters(font: &FontRef<'_>) -> Option<[f32; 2]> {
    let os2 = font.os2().ok()?;
    let (ascent, descent) = (os2.s_typo_ascender(), os2.s_typo_descender());
    (ascent > 0 && descent < 0).then(|| [f32::from(ascent), f32::from(descent)])
}

impl FontFace {
    /// Opens one face; `None` when the bytes are no usable font.
    pub fn open(data: FontData, index: u32, file: Option<PathBuf>) -> Option<FontFace> {
        let font = FontRef::from_index(data.bytes(), index).ok()?;
        let outlines = font.glyf().is_ok() || font.cff().is_ok();
        if !outlines || font.os2().is_ok_and(|os2| os2.fs_type() & 0xF == 2) {
            return None;
        }
        let metrics = font.metrics(Size::unscaled(), LocationRef::default());
        let units_per_em = f32::from(metrics.units_per_em.max(16));
        let milli = |units: f32| units / units_per_em * 1000.0;
        let bounds = metrics
            .bounds
            .map_or([0.0, metrics.descent, units_per_em, metrics.ascent], |b| [b.x_min, b.y_min, b.x_max, b.y_max]);
        let [ascent, descent] = letters(&font).unwrap_or([metrics.ascent, metrics.descent]);
        let measures = Measures {
            ascent: milli(ascent),
            descent: milli(descent),
            cap_height: milli(metrics.cap_height.unwrap_or(metrics.ascent)),
            bounds: bounds.map(milli),
            italic_angle: metrics.italic_angle,
            fixed_pitch: metrics.is_monospace,
        };
        let name = postscript_name(&font);
        let shared = match &data {
            FontData::Static(bytes) => krilla::Data::from(*bytes),
            FontData::Owned(bytes) => krilla::Data::from(Arc::clone(bytes)),
            FontData::Stream(program) => krilla::Data::from(Arc::new(marked(program, &font)?)),
        };
        let krilla = krilla::text::Font::new(shared, index)?;
        Some(FontFace {
            data,
            index,
            file,
            units_per_em,
            name,
            measures,
            widths: Vec::new(),
            tried: Vec::new(),
            krilla,
        })
    }

    /// Opens the font of a print stream; `None` when it is broken or may not be embedded. Its glyphs are tried before they
    /// are used, so that a file whose pages are written already can be finished.
    pub fn from_stream(program: &FontProgram) -> Option<FontFace> {
        let font = FontRef::from_index(program.bytes(), program.index()).ok()?;
        let colored =
            [b"COLR", b"SVG ", b"CBDT", b"sbix"].iter().any(|tag| font.data_for_tag(skrifa::Tag::new(tag)).is_some());
        let units = font.head().ok()?.units_per_em();
        let glyphs = font.maxp().ok()?.num_glyphs();
        if colored || !UNITS_PER_EM.contains(&units) || glyphs < 2 || !sound_names(&font) {
            return None;
        }
        let large = glyphs > TRY_ALL;
        let mut some = GlyphRemapper::new();
        (0..if large { 2 } else { glyphs }).for_each(|glyph| {
            some.remap(glyph);
        });
        let subset = subsetter::subset(program.bytes(), program.index(), &some).ok()?;
        FontRef::new(&subset).ok()?;
        let mut face = FontFace::open(FontData::Stream(program.clone()), program.index(), None)?;
        let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let width = |glyph: u16| metrics.advance_width(GlyphId::from(glyph)).unwrap_or(0.0) / f32::from(units);
        face.widths = (0..glyphs).map(width).collect();
        face.tried = (0..if large { glyphs } else { 0 }).map(|_| AtomicU8::new(0)).collect();
        let name: String = program.name().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(60).collect();
        if !name.is_empty() {
            face.name = name;
        }
        Some(face)
    }

    /// Whether a stream's font has this glyph and it can be drawn. Glyph 0 stands for what is missing.
    pub fn has(&self, glyph: u16) -> bool {
        if glyph == 0 || usize::from(glyph) >= self.widths.len() {
            return false;
        }
        let Some(tried) = self.tried.get(usize::from(glyph)) else { return true };
        match tried.load(Ordering::Relaxed) {
            GOOD => true,
            BAD => false,
            _ => {
                let good = self.draws(glyph);
                tried.store(if good { GOOD } else { BAD }, Ordering::Relaxed);
                good
            }
        }
    }

    fn draws(&self, glyph: u16) -> bool {
        let Some(font) = self.font() else { return false };
        let settings = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        font.outline_glyphs()
            .get(GlyphId::from(glyph))
            .is_some_and(|outline| outline.draw(settings, &mut NullPen).is_ok())
    }

    /// Draws the outline of a glyph, in em with y upwards; nothing where it has none.
    pub fn draw(&self, glyph: u16, pen: &mut impl OutlinePen) {
        let Some(font) = self.font() else { return };
        let Some(outline) = font.outline_glyphs().get(GlyphId::from(glyph)) else { return };
        let settings = DrawSettings::unhinted(Size::new(1.0), LocationRef::default());
        let _ = outline.draw(settings, pen);
    }

    /// Glyphs of a stream's font, with glyph 0.
    pub fn glyph_count(&self) -> usize {
        self.widths.len()
    }

    /// The glyph of a character, when the face has it.
    pub fn glyph(&self, c: char) -> Option<u16> {
        let id = self.font()?.charmap().map(c)?.to_u32();
        u16::try_from(id).ok().filter(|id| *id != 0)
    }

    /// The natural advance of a glyph, in em.
    pub fn width(&self, glyph: u16) -> f32 {
        if let Some(width) = self.widths.get(usize::from(glyph)) {
            return *width;
        }
        let Some(font) = self.font() else { return 0.0 };
        let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        metrics.advance_width(GlyphId::from(glyph)).unwrap_or(0.0) / self.units_per_em
    }

    /// The face's PostScript name, letters, digits and `-` only.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file it was read from; `None` when compiled in.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Measures for a font descriptor.
    pub fn measures(&self) -> Measures {
        self.measures
    }

    /// The bytes of the file, and which face of it this is.
    pub fn data(&self) -> (&[u8], u32) {
        (self.data.bytes(), self.index)
    }

    /// The same face for krilla.
    pub fn krilla(&self) -> &krilla::text::Font {
        &self.krilla
    }

    fn font(&self) -> Option<FontRef<'_>> {
        FontRef::from_index(self.data.bytes(), self.index).ok()
    }
}

/// The font with its identity in the checksum field of its header: krilla tells fonts apart by it.
fn marked(program: &FontProgram, font: &FontRef<'_>) -> Option<Vec<u8>> {
    let mut bytes = program.bytes().to_vec();
    let records = font.table_directory().table_records();
    let head = records.iter().find(|record| record.tag().to_be_bytes() == *b"head")?;
    let at = usize::try_from(head.offset()).ok()?.checked_add(8)?;
    bytes.get_mut(at..at.checked_add(4)?)?.copy_from_slice(program.id().0.get(..4)?);
    Some(bytes)
}

/// PostScript names that PDF can hold.
fn sound_names(font: &FontRef<'_>) -> bool {
    let Ok(names) = font.name() else { return true };
    names.name_record().iter().filter(|record| record.name_id() == NameId::POSTSCRIPT_NAME).all(|record| {
        record.string(names.string_data()).is_ok_and(|name| {
            let name = name.to_string();
            name.is_ascii() && name.len() <= NAME_LENGTH_LIMIT
        })
    })
}

fn postscript_name(font: &FontRef<'_>) -> String {
    let name = font.localized_strings(NameId::POSTSCRIPT_NAME).english_or_first();
    let name: String =
        name.map(|name| name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()).unwrap_or_default();
    if name.is_empty() { "Font".into() } else { name.chars().take(60).collect() }
}

/// Number of the first face of a collection whose PostScript name is in `wanted`, most wanted first; 0 otherwise.
pub fn best_index(bytes: &[u8], wanted: &[&str]) -> u32 {
    let Ok(skrifa::raw::FileRef::Collection(collection)) = skrifa::raw::FileRef::new(bytes) else { return 0 };
    let names: Vec<String> =
        collection.iter().map(|font| font.map(|font| postscript_name(&font)).unwrap_or_default()).collect();
    let found = wanted.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
    found.and_then(|index| u32::try_from(index).ok()).unwrap_or(0)
}
