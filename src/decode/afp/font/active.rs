//! Fonts ready to set text with: codes taken apart, characters found, parts chosen. How one is put together: [`open`].

mod open;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};

use super::codepage::{CodePage, Entry};
use super::names::Wanted;
use super::program::{BLANK, short};
use super::reshaped::Reshaped;
use super::resource::Built;
use super::shape::Shaper;
use super::system::{self, Slot};
use super::turned::Turned;
use super::{FontRequest, FontSource, Glyph, Part};
use crate::decode::afp::Report;
use crate::page::{Face, FontProgram, Lu};

/// The blank of double-byte EBCDIC.
const WIDE_SPACE: u16 = 0x4040;
/// Glyphs that are remembered; more are looked up each time.
const KNOWN_LIMIT: usize = 100_000;
/// Matrices whose programs a font keeps.
const RESHAPED_LIMIT: usize = 16;

/// A font ready to set text with. Its characters may come from several programs: the sections of a double-byte font,
/// or the substitutes for a font that is absent.
///
/// A rotation of characters (against the baseline) is in the outlines of the program already: a run is set along its
/// baseline whatever the rotation is.
pub struct ActiveFont {
    coding: Coding,
    sections: Vec<Ready>,
    parts: Vec<Shown>,
    /// Single-byte codes, looked up beforehand.
    table: Vec<Glyph>,
    known: RwLock<HashMap<u32, Glyph>>,
    space: Lu,
    shaper: OnceLock<Option<Shaper>>,
    /// Of characters against the baseline, in degrees clockwise.
    rotation: u16,
    /// Programs of its letters, reshaped, with their matrices in thousandths.
    reshaped: RwLock<Vec<([i16; 4], Arc<Reshaped>)>>,
}

/// How text bytes make codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// One byte.
    Single,
    /// Two bytes.
    Double,
    /// UTF-16, big-endian.
    Utf16,
    /// UTF-8.
    Utf8,
}

/// A section with everything it needs.
struct Ready {
    section: u8,
    page: CodePage,
    setting: Setting,
}

/// Where glyphs come from.
enum Setting {
    /// A character set of the stream, and its part.
    Built(Box<Built>, u8),
    /// Programs with character maps, in the order to look in, and the part of the first.
    Mapped { first: u8, programs: Vec<Program>, wanted: Wanted },
    /// Turned characters of such programs.
    Turned { part: u8, turned: Box<Turned>, wanted: Wanted },
}

/// A program with a character map.
#[derive(Debug, Clone)]
enum Program {
    /// Of the stream.
    Own(FontProgram),
    /// A substitute, read when it is needed.
    Slot(Slot),
}

impl Program {
    fn get(&self) -> Option<&FontProgram> {
        match self {
            Program::Own(program) => Some(program),
            Program::Slot(slot) => system::program(*slot),
        }
    }
}

/// A part as [`Part`] shows it.
struct Shown {
    program: Program,
    face: Face,
    size: Lu,
    stretch: u16,
}

impl ActiveFont {
    /// Finds and opens what was asked for. Never fails: what is missing is substituted and reported.
    pub fn open(request: &FontRequest, source: &dyn FontSource, report: &mut Report<'_>) -> ActiveFont {
        let (coding, sections, parts) = open::open(request, source, report);
        let mut font = ActiveFont {
            coding,
            sections,
            parts,
            table: Vec::new(),
            known: RwLock::default(),
            space: Lu(0),
            shaper: OnceLock::new(),
            rotation: request.rotation,
            reshaped: RwLock::default(),
        };
        if coding == Coding::Single {
            font.table = (0..=0xFF).map(|code| font.look_up(code)).collect();
        }
        font.space = font.usual_space();
        font
    }

    /// Takes the next character from text bytes: how many bytes it takes (at least 1) and the glyph; `None` at the end.
    pub fn next(&self, bytes: &[u8]) -> Option<(usize, Glyph)> {
        let (taken, code) = self.coding.next(bytes)?;
        Some((taken, self.glyph(code)))
    }

    /// How glyphs of a part are shown; a part that does not exist is shown as part 0.
    pub fn part(&self, part: u8) -> Part<'_> {
        match self.parts.get(usize::from(part)).or(self.parts.first()) {
            Some(Shown { program, face, size, stretch }) => {
                Part { program: program.get(), face: *face, size: *size, stretch: *stretch }
            }
            None => Part { program: None, face: Face::default(), size: Lu(2000), stretch: 1000 },
        }
    }

    /// The program of part 0.
    pub fn program(&self) -> Option<&FontProgram> {
        self.part(0).program
    }

    /// The typeface of part 0.
    pub fn face(&self) -> Face {
        self.part(0).face
    }

    /// Height of the em square of part 0.
    pub fn size(&self) -> Lu {
        self.part(0).size
    }

    /// Width of letters of part 0.
    pub fn stretch(&self) -> u16 {
        self.part(0).stretch
    }

    /// The default variable space increment.
    pub fn space(&self) -> Lu {
        self.space
    }

    /// How its characters are turned against the baseline, in degrees clockwise.
    pub fn rotation(&self) -> u16 {
        self.rotation
    }

    /// The width of its small letters in the mean; of fonts of many characters, an em.
    pub fn pitch(&self) -> Lu {
        let letters = self.table.iter().filter(|glyph| glyph.ch.is_ascii_lowercase() && !glyph.missing);
        let (count, sum) =
            letters.fold((0_i64, 0_i64), |(count, sum), glyph| (count + 1, sum + i64::from(glyph.advance.0)));
        match sum.checked_div(count).map(i32::try_from) {
            Some(Ok(mean)) if mean > 0 => Lu(mean),
            _ => self.size(),
        }
    }

    /// A program with the letters of a string taken through a matrix; see [`Reshaped::new`]. `None` where a letter has no outline
    /// to take. That of a font of one-byte codes has all its letters, and is kept.
    pub fn reshaped(&self, matrix: [f64; 4], string: &[Glyph]) -> Option<Arc<Reshaped>> {
        let key = matrix.map(|part| short(part * 1000.0));
        let known =
            |all: &[([i16; 4], Arc<Reshaped>)]| all.iter().find(|(of, _)| *of == key).map(|(_, one)| one.clone());
        let kept = self.reshaped.read().ok().filter(|_| self.coding == Coding::Single);
        if let Some(found) = kept.as_ref().and_then(|kept| known(kept)) {
            return Some(found);
        }
        let has_room = kept.is_some_and(|kept| kept.len() < RESHAPED_LIMIT);
        let size = f64::from(self.size().0);
        let make = |glyphs: &[Glyph]| {
            Reshaped::new(glyphs, key.map(|part| f64::from(part) / 1000.0), size, |part| self.part(part))
        };
        let all = if has_room { make(&self.table).map(Arc::new) } else { None };
        if let (Some(all), Ok(mut kept)) = (&all, self.reshaped.write()) {
            kept.push((key, all.clone()));
        }
        all.or_else(|| make(string).map(Arc::new))
    }

    /// What shapes text of this font by its own tables, and the part whose glyphs it gives: that of a TrueType or OpenType
    /// font of the stream or of a library with text in Unicode. Others have no such tables, or not for what stands in for them.
    pub fn shaper(&self) -> Option<(u8, &Shaper)> {
        let Setting::Mapped { first, programs, .. } = &self.sections.first()?.setting else { return None };
        let (Program::Own(program), Coding::Utf16 | Coding::Utf8) = (programs.first()?, self.coding) else {
            return None;
        };
        let shaper = self.shaper.get_or_init(|| Shaper::open(program));
        Some((*first, shaper.as_ref()?))
    }

    fn glyph(&self, code: u32) -> Glyph {
        if let Some(glyph) = usize::try_from(code).ok().and_then(|code| self.table.get(code)) {
            return *glyph;
        }
        if let Some(glyph) = self.known.read().ok().and_then(|known| known.get(&code).copied()) {
            return glyph;
        }
        let glyph = self.look_up(code);
        if let Ok(mut known) = self.known.write()
            && known.len() < KNOWN_LIMIT
        {
            known.insert(code, glyph);
        }
        glyph
    }

    fn look_up(&self, code: u32) -> Glyph {
        let nothing = Glyph { ch: '\u{FFFD}', part: 0, id: 0, advance: Lu(0), space: false, missing: true };
        if matches!(self.coding, Coding::Utf16 | Coding::Utf8) {
            let Some(ready) = self.sections.first() else { return nothing };
            let ch = char::from_u32(code).unwrap_or('\u{FFFD}');
            return ready.glyph(&Entry { ch: Some(ch), ..Entry::default() }, ch == ' ');
        }
        let Ok(code) = u16::try_from(code) else { return nothing };
        let [high, low] = code.to_be_bytes();
        let found = self.sections.iter().find(|ready| self.coding == Coding::Single || ready.section == high);
        let Some(ready) = found.or(self.sections.first()) else { return nothing };
        if found.is_none() && !ready.page.wide {
            // No section of this font: what its low byte is in another section is not meant.
            let ch = (code == WIDE_SPACE).then_some('\u{3000}');
            return ready.glyph(&Entry { ch, ..Entry::default() }, false);
        }
        let code = if self.coding == Coding::Single || ready.page.wide { code } else { u16::from(low) };
        ready.glyph(&ready.page.get(code), ready.page.space == Some(code))
    }

    /// The space increment of the character set, else the advance of the space character.
    fn usual_space(&self) -> Lu {
        let Some(ready) = self.sections.first() else { return Lu(0) };
        if let Setting::Built(built, _) = &ready.setting
            && built.space.0 > 0
        {
            return built.space;
        }
        let by_code = ready.page.space.map(|code| ready.glyph(&ready.page.get(code), true).advance);
        let by_char = || ready.glyph(&Entry { ch: Some(' '), ..Entry::default() }, true).advance;
        by_code.filter(|advance| advance.0 > 0).unwrap_or_else(by_char)
    }
}

impl Coding {
    fn next(self, bytes: &[u8]) -> Option<(usize, u32)> {
        let first = *bytes.first()?;
        match self {
            Coding::Single => Some((1, u32::from(first))),
            Coding::Double => match bytes {
                [a, b, ..] => Some((2, u32::from(u16::from_be_bytes([*a, *b])))),
                _ => Some((1, u32::from(first))),
            },
            Coding::Utf16 => Some(next_utf16(bytes)),
            Coding::Utf8 => Some(next_utf8(bytes)),
        }
    }
}

/// A surrogate without its other half is U+FFFD, and so is a lone byte at the end.
fn next_utf16(bytes: &[u8]) -> (usize, u32) {
    let units =
        bytes.chunks_exact(2).take(2).map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte)));
    match char::decode_utf16(units).next() {
        Some(Ok(ch)) => (2 * ch.len_utf16(), u32::from(ch)),
        Some(Err(_)) => (2, 0xFFFD),
        None => (1, 0xFFFD),
    }
}

fn next_utf8(bytes: &[u8]) -> (usize, u32) {
    let head = bytes.get(..4).unwrap_or(bytes);
    match head.utf8_chunks().next() {
        Some(chunk) => match chunk.valid().chars().next() {
            Some(ch) => (ch.len_utf8(), u32::from(ch)),
            None => (chunk.invalid().len().max(1), 0xFFFD),
        },
        None => (1, 0xFFFD),
    }
}

impl Ready {
    fn glyph(&self, entry: &Entry, space: bool) -> Glyph {
        let mut glyph = match &self.setting {
            Setting::Built(built, part) => built_glyph(built, *part, entry, &self.page.default),
            Setting::Mapped { first, programs, wanted } => mapped_glyph(*first, programs, wanted, entry),
            Setting::Turned { part, turned, wanted } => turned_glyph(turned, *part, wanted, entry),
        };
        glyph.ch = printable(glyph.ch);
        glyph.space = space;
        if entry.still {
            glyph.advance = Lu(0);
        }
        glyph
    }
}

/// What search and reading want to see: a no-break space is a blank, a soft hyphen a hyphen, controls are blanks.
fn printable(ch: char) -> char {
    match ch {
        '\u{A0}' => ' ',
        '\u{AD}' => '-',
        _ if ch.is_control() => ' ',
        _ => ch,
    }
}

fn built_glyph(built: &Built, part: u8, entry: &Entry, default: &Entry) -> Glyph {
    let own = built.glyph(entry);
    let placed = own.or_else(|| built.glyph(default));
    let ch = entry.ch.or(own.and_then(|own| own.ch)).unwrap_or('\u{FFFD}');
    let id = placed.filter(|_| !entry.hidden).map_or(BLANK, |placed| placed.id);
    let advance = placed.map_or(built.space, |placed| placed.advance);
    let missing = own.is_none() && !printable(ch).is_whitespace();
    Glyph { ch, part, id, advance, space: false, missing }
}

fn mapped_glyph(first: u8, programs: &[Program], wanted: &Wanted, entry: &Entry) -> Glyph {
    let ch = entry.ch.unwrap_or('\u{FFFD}');
    // The box for what no font has: the compiled-in font has one.
    let shown = printable(ch);
    let found = look_in(programs, shown);
    let missing = found.is_none() || ch == '\u{FFFD}';
    let (place, id, em) = found.or_else(|| look_in(programs, '\u{25A1}')).unwrap_or((0, 0, 0.6));
    let part = u8::try_from(place).map_or(first, |place| first.saturating_add(place));
    Glyph { ch, part, id, advance: advance(wanted, em), space: false, missing }
}

/// The first program that has a character: its place, the glyph, and the advance in parts of the em.
fn look_in(programs: &[Program], ch: char) -> Option<(usize, u16, f64)> {
    programs.iter().enumerate().find_map(|(place, program)| {
        let (id, em) = system::glyph(program.get()?, ch)?;
        Some((place, id, em))
    })
}

fn turned_glyph(turned: &Turned, part: u8, wanted: &Wanted, entry: &Entry) -> Glyph {
    let ch = entry.ch.unwrap_or('\u{FFFD}');
    let found = turned.glyphs.get(&printable(ch)).copied();
    let (id, em) = found.unwrap_or((BLANK, 0.5));
    Glyph { ch, part, id, advance: advance(wanted, em), space: false, missing: found.is_none() }
}

/// A natural advance at the size and width wanted; in a fixed pitch all advances are one cell, or two for wide
/// characters.
fn advance(wanted: &Wanted, em: f64) -> Lu {
    if let Some(pitch) = wanted.pitch
        && em > 0.0
    {
        return if em > 0.9 { Lu(pitch.0.saturating_mul(2)) } else { pitch };
    }
    let advance = em * f64::from(wanted.size.0) * f64::from(wanted.stretch) / 1000.0;
    #[expect(clippy::cast_possible_truncation, reason = "a cast of this kind saturates")]
    let advance = advance.round() as i32;
    Lu(advance)
}
