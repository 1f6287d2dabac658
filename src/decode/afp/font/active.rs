//! Fonts ready to set text with: codes taken apart, characters found, parts chosen.

use std::collections::HashMap;
use std::sync::RwLock;

use super::charset::CharacterSet;
use super::coded::{self, Section};
use super::codepage::{self, CodePage, Entry};
use super::names::{self, Scale, Wanted};
use super::program::BLANK;
use super::resource::{Built, Use};
use super::system::{self, Slot};
use super::turned::{self, Turned};
use super::{FontRequest, FontSource, Glyph, Part};
use crate::decode::afp::Report;
use crate::page::{Face, FontProgram, Lu};

/// MO:DCA resource types.
const CHARACTER_SET: u8 = 0x40;
const CODE_PAGE: u8 = 0x41;
const CODED_FONT: u8 = 0x42;
/// Glyphs that are remembered; more are looked up each time.
const KNOWN_LIMIT: usize = 100_000;
/// Parts have numbers of one byte.
const PARTS_LIMIT: usize = 255;

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
        let mut opener = Opener { request, source, report, parts: Vec::new(), substituted: HashMap::new() };
        let (coding, sections) = match &request.data_object {
            Some(name) => opener.data_object(name),
            None => opener.coded_font(),
        };
        let parts = opener.parts;
        let mut font =
            ActiveFont { coding, sections, parts, table: Vec::new(), known: RwLock::default(), space: Lu(0) };
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

/// Finds and opens; collects parts on the way.
struct Opener<'a, 'r> {
    request: &'a FontRequest,
    source: &'a dyn FontSource,
    report: &'a mut Report<'r>,
    parts: Vec<Shown>,
    /// Substitutes already chosen: several sections may want the same.
    substituted: HashMap<Option<String>, u8>,
}

impl Opener<'_, '_> {
    fn say(&mut self, code: &'static str, detail: String) {
        (self.report)(code, detail);
    }

    fn resource(&self, kind: u8, name: &str) -> Option<std::sync::Arc<super::Fields>> {
        let found = self.source.font_resource(kind, name);
        found.or_else(|| {
            // Libraries may hold only the form for characters that are not rotated: C0 for C1, X0 for X5 ...
            let mut chars = name.chars();
            let first = chars.next().filter(|first| matches!(first, 'C' | 'X'))?;
            let second = chars.next().filter(|second| !matches!(second, '0' | 'Z'))?;
            let plain = format!("{first}0{}", chars.as_str());
            second.is_ascii_alphanumeric().then(|| self.source.font_resource(kind, &plain))?
        })
    }

    /// MCF: a coded font, or a character set with a code page.
    fn coded_font(&mut self) -> (Coding, Vec<Ready>) {
        let request = self.request;
        let named = request.coded_font.as_deref().filter(|_| request.character_set.is_none());
        let mut sections = named.and_then(|name| self.resource(CODED_FONT, name)).map(|fields| coded::read(&fields));
        if let (Some(name), Some(found)) = (named, &sections)
            && found.is_empty()
        {
            self.say("afp-bad-font", format!("coded font {name} has no sections"));
            sections = None;
        }
        let sections = sections.unwrap_or_else(|| {
            let (character_set, code_page) = (request.character_set.clone(), request.code_page.clone());
            vec![Section { character_set, code_page, ..Section::default() }]
        });
        let ready: Vec<Ready> = sections.iter().filter_map(|section| self.section(section)).collect();
        let wide = ready.iter().any(|ready| ready.page.wide || ready.section >= 0x41);
        (if wide { Coding::Double } else { Coding::Single }, ready)
    }

    fn section(&mut self, section: &Section) -> Option<Ready> {
        if self.parts.len() >= PARTS_LIMIT {
            return None;
        }
        let page = self.code_page(section.code_page.as_deref().or(self.request.code_page.as_deref()));
        let setting = match section.character_set.as_deref() {
            Some(name) => self.character_set(name, section.scale, &page),
            None => None,
        };
        let setting = match setting {
            Some(setting) => setting,
            None => self.substitute(section.character_set.clone(), section.scale, &page),
        };
        Some(Ready { section: section.section, page, setting })
    }

    fn code_page(&mut self, name: Option<&str>) -> CodePage {
        if let Some(fields) = name.and_then(|name| self.resource(CODE_PAGE, name)) {
            if let Some(page) = CodePage::read(&fields) {
                if page.private > 0 {
                    let what = name.unwrap_or_default();
                    self.say(
                        "afp-private-characters",
                        format!("{} names of code page {what} are private", page.private),
                    );
                }
                return page;
            }
            self.say("afp-bad-code-page", format!("{} has no code points", name.unwrap_or_default()));
        }
        let by_grid = self.request.grid.map(|[_, page, ..]| page);
        let by_set = self.request.code_set.map(|(_, page)| page);
        let by_name = name.and_then(codepage::number_of);
        let numbers = [by_name, by_set, by_grid].into_iter().flatten().filter(|number| !matches!(number, 0 | 0xFFFF));
        for number in numbers {
            if let Some(page) = CodePage::registered(number) {
                if page.inexact {
                    self.say("afp-missing-code-page", format!("code page {number} is read as one that is like it"));
                }
                return page;
            }
        }
        let name = name.unwrap_or("without a name");
        self.say("afp-missing-code-page", format!("code page {name} is read as 500"));
        CodePage::usual()
    }

    fn character_set(&mut self, name: &str, scale: Scale, page: &CodePage) -> Option<Setting> {
        let fields = self.resource(CHARACTER_SET, name)?;
        let size = names::size_of(self.request, scale);
        let stretch = names::stretch_of(self.request, scale, size.unwrap_or(Lu(0)));
        let wanted = Use { rotation: self.request.rotation, size, stretch };
        let built = CharacterSet::read(&fields).and_then(|set| Built::build(&set, page, wanted));
        let Some(built) = built else {
            self.say("afp-bad-font", format!("character set {name} cannot be read"));
            return None;
        };
        if built.damaged {
            self.say("afp-bad-font", format!("some characters of {name} cannot be drawn"));
        }
        let part = self.add_part(Program::Own(built.program.clone()), built.face, built.size, built.stretch);
        Some(Setting::Built(Box::new(built), part))
    }

    fn add_part(&mut self, program: Program, face: Face, size: Lu, stretch: u16) -> u8 {
        let part = u8::try_from(self.parts.len()).unwrap_or(u8::MAX);
        self.parts.push(Shown { program, face, size, stretch });
        part
    }

    /// Programs of this machine in place of a font that is absent.
    fn substitute(&mut self, name: Option<String>, scale: Scale, page: &CodePage) -> Setting {
        let mut request = self.request.clone();
        if name.is_some() {
            request.character_set.clone_from(&name);
        }
        let wanted = names::wanted(&request, scale);
        let programs = self.slots(&wanted, &label(&request));
        if request.rotation != 0
            && let Some(setting) = self.turned(page.iter().filter_map(|(_, entry)| entry.ch), &programs, &wanted)
        {
            return setting;
        }
        if let Some(first) = self.substituted.get(&name) {
            return Setting::Mapped { first: *first, programs, wanted };
        }
        let first = self.add_parts(&programs, &wanted);
        self.substituted.insert(name, first);
        Setting::Mapped { first, programs, wanted }
    }

    /// The slots to look in, and a word about what stands in for what.
    fn slots(&mut self, wanted: &Wanted, name: &str) -> Vec<Program> {
        let slots = system::chain(wanted.face, wanted.east_asian);
        let first = slots.first().and_then(|slot| Some((system::is_compatible(*slot), system::program(*slot)?.name())));
        if let Some((compatible, substitute)) = first {
            let hint = if compatible { "" } else { " (fonts-liberation2 is not installed)" };
            self.say("afp-substituted-font", format!("{name} -> {substitute}{hint}"));
        }
        slots.into_iter().map(Program::Slot).collect()
    }

    fn add_parts(&mut self, programs: &[Program], wanted: &Wanted) -> u8 {
        let first = u8::try_from(self.parts.len()).unwrap_or(u8::MAX);
        for program in programs {
            self.add_part(program.clone(), wanted.face, wanted.size, wanted.stretch);
        }
        first
    }

    /// The characters of these programs, turned; `None` when there are none.
    fn turned(&mut self, chars: impl Iterator<Item = char>, programs: &[Program], wanted: &Wanted) -> Option<Setting> {
        let mut chars: Vec<char> = chars.map(printable).chain([' ']).collect();
        chars.sort_unstable();
        chars.dedup();
        let find =
            |ch: char| programs.iter().find_map(|program| Some((program.get()?, system::glyph(program.get()?, ch)?.0)));
        let turned = turned::turn(chars.into_iter(), self.request.rotation, wanted.face, find)?;
        let part = self.add_part(Program::Own(turned.program.clone()), wanted.face, wanted.size, wanted.stretch);
        // Turned characters move the pen by their height: no pitch holds for them.
        let wanted = Wanted { pitch: wanted.pitch.filter(|_| self.request.rotation == 180), ..*wanted };
        Some(Setting::Turned { part, turned: Box::new(turned), wanted })
    }

    /// MDR: a TrueType or OpenType font, and text in Unicode or in a code page.
    fn data_object(&mut self, name: &str) -> (Coding, Vec<Ready>) {
        let coding = self.data_coding();
        let page = match coding {
            Coding::Single => self.code_page(self.request.code_page.clone().as_deref()),
            _ => CodePage::default(),
        };
        let wanted = names::wanted(self.request, Scale::default());
        let file = self.source.font_file(name);
        let own = file.as_ref().and_then(|file| system::open(file.to_vec(), &[name]));
        if file.is_some() && own.is_none() {
            self.say("afp-bad-font", format!("the file of {name} is no font"));
        }
        let setting = match own {
            Some(program) => self.own_program(program, &page, Wanted { pitch: None, ..wanted }),
            None => {
                let programs = self.slots(&wanted, &label(self.request));
                let first = self.add_parts(&programs, &wanted);
                Setting::Mapped { first, programs, wanted }
            }
        };
        (coding, vec![Ready { section: 0, page, setting }])
    }

    /// A font of the stream, with substitutes for characters that it does not have.
    fn own_program(&mut self, program: FontProgram, page: &CodePage, wanted: Wanted) -> Setting {
        let wanted = Wanted { stretch: names::stretch_of(self.request, Scale::default(), wanted.size), ..wanted };
        let mut programs = vec![Program::Own(program.clone())];
        if self.request.rotation != 0 {
            let chars: Vec<char> = match page.iter().next() {
                Some(_) => page.iter().filter_map(|(_, entry)| entry.ch).collect(),
                None => system::characters(&program),
            };
            if let Some(setting) = self.turned(chars.into_iter(), &programs, &wanted) {
                return setting;
            }
        }
        programs.extend(system::chain(wanted.face, wanted.east_asian).into_iter().map(Program::Slot));
        let first = self.add_parts(&programs, &wanted);
        Setting::Mapped { first, programs, wanted }
    }

    /// Triplets X'50' and X'20'. Source: MO:DCA reference, "Encoding scheme ID"; Unicode is the rule.
    fn data_coding(&self) -> Coding {
        let numbered = self.request.code_set.map(|(_, page)| page);
        match self.request.encoding.map(|scheme| scheme >> 8) {
            Some(0x61 | 0x21 | 0x31 | 0x41) => Coding::Single,
            Some(0x78) => Coding::Utf8,
            Some(0x72 | 0x82) => Coding::Utf16,
            _ => match numbered {
                Some(1208) => Coding::Utf8,
                Some(0 | 1200 | 13_488 | 17_584 | 0xFFFF) | None => Coding::Utf16,
                Some(_) => Coding::Single,
            },
        }
    }
}

/// What a font was asked for by, for people.
fn label(request: &FontRequest) -> String {
    let names = [&request.data_object, &request.character_set, &request.coded_font, &request.family];
    let name = names.into_iter().flatten().next().cloned();
    name.or(request.grid.map(|[_, _, fgid, _]| format!("FGID {fgid}")))
        .unwrap_or_else(|| "a font without a name".into())
}
