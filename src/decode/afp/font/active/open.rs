//! Puts a font together from what a page asks for: resources of the stream where they are, substitutes where they are not.

use std::collections::HashMap;

use super::{Coding, Program, Ready, Setting, Shown, printable};
use crate::decode::afp::Report;
use crate::decode::afp::field::Fields;
use crate::decode::afp::font::charset::CharacterSet;
use crate::decode::afp::font::coded::{self, Section};
use crate::decode::afp::font::codepage::{self, CodePage};
use crate::decode::afp::font::names::{self, Scale, Wanted};
use crate::decode::afp::font::resource::{Built, Use};
use crate::decode::afp::font::{FontRequest, FontSection, FontSource, is_section, system, turned};
use crate::page::{Face, FontProgram, Lu};

/// MO:DCA resource types.
const CHARACTER_SET: u8 = 0x40;
const CODE_PAGE: u8 = 0x41;
const CODED_FONT: u8 = 0x42;
/// Parts have numbers of one byte.
const PARTS_LIMIT: usize = 255;

/// How codes are taken apart, the sections that they belong to, and the parts that show them.
pub(super) fn open(
    request: &FontRequest,
    source: &dyn FontSource,
    report: &mut Report<'_>,
) -> (Coding, Vec<Ready>, Vec<Shown>) {
    let mut opener = Opener { request, source, report, parts: Vec::new(), substituted: HashMap::new() };
    let (coding, sections) = match &request.data_object {
        Some(name) => opener.data_object(name),
        None => opener.coded_font(),
    };
    (coding, sections, opener.parts)
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

    fn resource(&self, kind: u8, name: &str) -> Option<std::sync::Arc<Fields>> {
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
        let sections = sections.unwrap_or_else(|| match request.sections.as_slice() {
            [] => {
                let (character_set, code_page) = (request.character_set.clone(), request.code_page.clone());
                vec![Section { character_set, code_page, ..Section::default() }]
            }
            mapped => mapped.iter().map(mapped_section).collect(),
        });
        let ready: Vec<Ready> = sections.iter().filter_map(|section| self.section(section)).collect();
        let wide = ready.iter().any(|ready| ready.page.wide || ready.section >= 0x41);
        (if wide { Coding::Double } else { Coding::Single }, ready)
    }

    fn section(&mut self, section: &Section) -> Option<Ready> {
        if self.parts.len() >= PARTS_LIMIT {
            return None;
        }
        let page = self.code_page(section.code_page.as_deref().or(self.request.code_page.as_deref()), section.section);
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

    /// The code page of a name; `section` is the first byte of the codes that it is used for, if that is not in its own.
    fn code_page(&mut self, name: Option<&str>, section: u8) -> CodePage {
        if let Some(fields) = name.and_then(|name| self.resource(CODE_PAGE, name)) {
            if let Some(mut page) = CodePage::read(&fields) {
                if is_section(section) {
                    page.settle_section(section, &self.numbers(name));
                }
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
        for number in self.numbers(name) {
            if let Some(page) = CodePage::registered(number) {
                if page.inexact {
                    self.say("afp-missing-code-page", format!("code page {number} is read as one that is like it"));
                }
                return page;
            }
        }
        let name = name.unwrap_or("without a name");
        if self.is_double_byte() {
            // Characters that nobody knows, rather than two letters of another page for each.
            self.say("afp-missing-code-page", format!("double-byte code page {name} is not known"));
            return CodePage::unknown_wide();
        }
        self.say("afp-missing-code-page", format!("code page {name} is read as 500"));
        CodePage::usual()
    }

    /// The registered numbers that a code page may have, by its name and by what else is asked for.
    fn numbers(&self, name: Option<&str>) -> Vec<u16> {
        let by_grid = self.request.grid.map(|[_, page, ..]| page);
        let by_set = self.request.code_set.map(|(_, page)| page);
        let by_name = name.and_then(codepage::number_of);
        // Names of coded fonts end in such a number at times (`X00300`).
        let by_font =
            self.request.coded_font.as_deref().filter(|_| self.is_double_byte()).and_then(codepage::number_of);
        let numbers = [by_name, by_set, by_grid, by_font].into_iter().flatten();
        numbers.filter(|number| !matches!(number, 0 | 0xFFFF)).collect()
    }

    /// Whether triplet X'50' says that codes take two bytes of EBCDIC.
    fn is_double_byte(&self) -> bool {
        self.request.encoding.is_some_and(|scheme| scheme >> 8 == 0x62)
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
            Coding::Single => self.code_page(self.request.code_page.clone().as_deref(), 0),
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

fn mapped_section(mapped: &FontSection) -> Section {
    Section {
        character_set: mapped.character_set.clone(),
        code_page: mapped.code_page.clone(),
        section: mapped.section,
        ..Section::default()
    }
}

/// What a font was asked for by, for people.
fn label(request: &FontRequest) -> String {
    let names = [&request.data_object, &request.character_set, &request.coded_font, &request.family];
    let name = names.into_iter().flatten().next().cloned();
    name.or(request.grid.map(|[_, _, fgid, _]| format!("FGID {fgid}")))
        .unwrap_or_else(|| "a font without a name".into())
}
