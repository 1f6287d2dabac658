//! The fonts that an environment group maps to local ids: MCF formats 1 and 2, MDR.

use std::sync::{Arc, OnceLock};

use super::Report;
use super::field::Field;
use super::font::{ActiveFont, FontDescriptor, FontRequest, FontSection, is_section};
use super::formdef::groups16;
use super::id;
use super::text::{Charset, full_name, token};
use super::triplet::{self, name_type, u16_at};

/// A font that was opened, and what was survived meanwhile.
pub struct Opened {
    /// The font.
    pub font: Arc<ActiveFont>,
    /// Reported whenever a page uses it.
    pub reports: Vec<(&'static str, String)>,
}

impl Opened {
    /// Tells what was survived when it was opened.
    pub fn replay(&self, report: &mut Report<'_>) {
        self.reports.iter().for_each(|(code, detail)| report(code, detail.clone()));
    }
}

/// One local id.
pub struct Mapped {
    /// What is asked for.
    pub request: FontRequest,
    /// What was found, once somebody used it.
    pub opened: OnceLock<Arc<Opened>>,
}

/// Local ids and fonts.
#[derive(Default)]
pub struct FontMap {
    /// By local id; a later mapping of an id wins.
    entries: Vec<(u8, Mapped)>,
}

/// Whether a field maps fonts.
pub fn maps_fonts(id: super::field::FieldId) -> bool {
    matches!(id, id::MCF | id::MCF1 | id::MDR)
}

impl FontMap {
    /// Of the mapping fields of one environment.
    pub fn of<'f>(fields: impl Iterator<Item = Field<'f>>, charset: Charset) -> FontMap {
        let mut map = FontMap::default();
        for field in fields {
            match field.id {
                id::MCF => map.take_format_2(field.data, charset),
                id::MCF1 => map.take_format_1(field.data),
                id::MDR => map.take_resources(field.data, charset),
                _ => {}
            }
        }
        map
    }

    /// The font of a local id.
    pub fn get(&self, lid: u8) -> Option<&Mapped> {
        self.entries.iter().find(|(known, _)| *known == lid).map(|(_, mapped)| mapped)
    }

    /// All fonts.
    pub fn iter(&self) -> impl Iterator<Item = &Mapped> {
        self.entries.iter().map(|(_, mapped)| mapped)
    }

    fn put(&mut self, lid: u8, request: FontRequest) {
        let mapped = Mapped { request, opened: OnceLock::new() };
        match self.entries.iter_mut().find(|(known, _)| *known == lid) {
            Some((_, old)) => *old = mapped,
            None => self.entries.push((lid, mapped)),
        }
    }

    /// Adds a section of a double-byte font to those that are mapped to its local id already.
    fn put_section(&mut self, lid: u8, section: u8, mut request: FontRequest) {
        let part =
            FontSection { section, character_set: request.character_set.clone(), code_page: request.code_page.clone() };
        let before = self.get(lid).map(|mapped| &mapped.request).filter(|before| !before.sections.is_empty());
        if let Some(before) = before {
            request = before.clone();
            request.sections.retain(|known| known.section != section);
        }
        request.sections.push(part);
        self.put(lid, request);
    }

    fn take_format_1(&mut self, data: &[u8]) {
        let stride = usize::from(data.first().copied().unwrap_or(0));
        if stride < 28 {
            return;
        }
        for group in data.get(4..).unwrap_or_default().chunks(stride) {
            let name = |at: usize| group.get(at..at + 8).and_then(|name| token(name, Charset::Default));
            let (Some(lid), Some(&section)) = (group.first(), group.get(2)) else { continue };
            let (coded_font, code_page, character_set) = (name(4), name(12), name(20));
            let rotation = match u16_at(group, 28).filter(|_| stride >= 30) {
                Some(code) => code >> 7,
                None => rotation_of_name(coded_font.as_deref().or(character_set.as_deref())),
            };
            let request = FontRequest { coded_font, code_page, character_set, rotation, ..FontRequest::default() };
            match request.coded_font {
                None if is_section(section) => self.put_section(*lid, section, request),
                _ => self.put(*lid, request),
            }
        }
    }

    fn take_format_2(&mut self, data: &[u8], charset: Charset) {
        let mut last = None;
        for group in groups16(data) {
            let section = triplet::find(group, triplet::SECTION).and_then(|data| data.first().copied());
            let section = section.filter(|section| is_section(*section));
            let own = triplet::find(group, triplet::LID).filter(|lid| lid.first() == Some(&5));
            // Without a local id it is a section of the double-byte font before it.
            let lid = own.and_then(|lid| lid.get(1).copied()).or(last.filter(|_| section.is_some()));
            last = lid.or(last);
            let Some(lid) = lid else { continue };
            let mut request = common(group);
            for (kind, name) in triplet::names(group) {
                let text = || Some(full_name(name, group, charset)).filter(|text| !text.is_empty());
                match kind {
                    name_type::CODED_FONT => request.coded_font = text(),
                    name_type::CODE_PAGE => request.code_page = text(),
                    name_type::CHARACTER_SET => request.character_set = text(),
                    name_type::RESOURCE => request.grid = grid(name),
                    name_type::FAMILY => request.family = text(),
                    name_type::TYPEFACE => request.family = request.family.take().or_else(text),
                    _ => {}
                }
            }
            request.rotation = match triplet::find(group, triplet::ROTATION).and_then(|data| u16_at(data, 0)) {
                Some(code) => code >> 7,
                None => rotation_of_name(request.coded_font.as_deref().or(request.character_set.as_deref())),
            };
            match section {
                Some(section) if request.coded_font.is_none() => self.put_section(lid, section, request),
                _ => self.put(lid, request),
            }
        }
    }

    fn take_resources(&mut self, data: &[u8], charset: Charset) {
        for group in groups16(data) {
            let lid = triplet::name(group, name_type::INTERNAL).and_then(|name| name.first());
            let name =
                triplet::name(group, name_type::EXTERNAL).or_else(|| triplet::name(group, name_type::OTHER_OBJECT));
            let (Some(&lid), Some(name)) = (lid, name) else { continue };
            let mut request = common(group);
            request.data_object = Some(full_name(name, group, charset));
            let rotation = triplet::find(group, triplet::DATA_FONT).and_then(|data| u16_at(data, 6));
            request.rotation = rotation.map_or(0, |code| code >> 7);
            self.put(lid, request);
        }
    }
}

/// What triplets say the same way for all kinds of fonts.
fn common(group: &[u8]) -> FontRequest {
    let find = |id| triplet::find(group, id);
    FontRequest {
        descriptor: find(triplet::FONT_DESCRIPTOR).and_then(descriptor),
        data_descriptor: find(triplet::DATA_FONT).and_then(|data| Some((u16_at(data, 2)?, u16_at(data, 4)?))),
        horizontal_scale: find(triplet::HORIZONTAL_SCALE).and_then(|data| u16_at(data, 0)),
        encoding: find(triplet::ENCODING).and_then(|data| u16_at(data, 2).or_else(|| u16_at(data, 0))),
        code_set: find(triplet::FONT_CODE_SET).and_then(|data| Some((u16_at(data, 0)?, u16_at(data, 2)?))),
        ..FontRequest::default()
    }
}

fn descriptor(data: &[u8]) -> Option<FontDescriptor> {
    Some(FontDescriptor {
        weight: *data.first()?,
        width_class: *data.get(1)?,
        height: u16_at(data, 2)?,
        width: u16_at(data, 4)?,
        flags: data.get(6).copied().unwrap_or(0),
    })
}

/// A name of eight bytes that are numbers.
fn grid(name: &[u8]) -> Option<[u16; 4]> {
    if name.len() != 8 {
        return None;
    }
    Some([u16_at(name, 0)?, u16_at(name, 2)?, u16_at(name, 4)?, u16_at(name, 6)?])
}

/// The rotation that the second character of a raster font's name stands for.
fn rotation_of_name(name: Option<&str>) -> u16 {
    match name.and_then(|name| name.chars().nth(1)) {
        Some('5'..='8') => 90,
        Some('9' | 'A'..='C') => 180,
        Some('D'..='G') => 270,
        _ => 0,
    }
}

/// Names of the resources that mapping fields ask for: type as in X'21' and name.
pub fn names(request: &FontRequest) -> Vec<&str> {
    let sections = request.sections.iter().flat_map(|section| [&section.character_set, &section.code_page]);
    [&request.coded_font, &request.character_set, &request.code_page, &request.data_object]
        .into_iter()
        .chain(sections)
        .flatten()
        .map(String::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(id: super::super::field::FieldId, data: &[u8]) -> FontMap {
        FontMap::of([Field { id, data, offset: 0 }].into_iter(), Charset::Default)
    }

    #[test]
    fn format_2_names_character_set_and_code_page() {
        let mut data = vec![0, 0x1E, 0x0C, 2, 0x86, 0, 0xC3, 0xF0, 0xC8, 0xF2, 0xF0, 0xF0, 0xC1, 0xF0];
        data.extend([0x0C, 2, 0x85, 0, 0xE3, 0xF1, 0xE5, 0xF1, 0xF0, 0xF5, 0xF0, 0xF0, 4, 0x24, 5, 1]);
        let map = map(id::MCF, &data);
        let request = &map.get(1).unwrap().request;
        assert_eq!(request.character_set.as_deref(), Some("C0H200A0"));
        assert_eq!(request.code_page.as_deref(), Some("T1V10500"));
        assert_eq!((request.rotation, map.get(2).is_none()), (0, true));
    }

    #[test]
    fn format_1_takes_the_rotation_of_the_name_where_none_is_given() {
        let name = [0xE7, 0xF5, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6];
        let data = [&[0x1C, 0, 0, 0, 3, 0, 0, 0][..], &name, &[0xFF; 16]].concat();
        let request = &map(id::MCF1, &data).get(3).unwrap().request.clone();
        assert_eq!((request.coded_font.as_deref(), request.rotation), (Some("X5123456"), 90));
        assert_eq!(request.code_page, None);
        let data = [&[0x1E, 0, 0, 0, 3, 0, 0, 0][..], &name, &[0xFF; 16], &[0x87, 0]].concat();
        assert_eq!(map(id::MCF1, &data).get(3).unwrap().request.rotation, 270);
    }

    /// A row that names a character set and a code page, and what else it says.
    fn row(character_set: &str, code_page: &str, more: &[u8]) -> Vec<u8> {
        let ebcdic = crate::frame::codepage::CodePage::find("ibm-500").unwrap();
        let name = |kind, name| [&[12, 2, kind, 0][..], &ebcdic.encode(name).unwrap()].concat();
        let row = [name(0x86, character_set), name(0x85, code_page), more.to_vec()].concat();
        [&u16::try_from(row.len() + 2).unwrap().to_be_bytes()[..], &row].concat()
    }

    fn sections(map: &FontMap, lid: u8) -> Vec<(u8, Option<&str>, Option<&str>)> {
        let sections = &map.get(lid).unwrap().request.sections;
        sections.iter().map(|one| (one.section, one.character_set.as_deref(), one.code_page.as_deref())).collect()
    }

    #[test]
    fn rows_of_one_local_id_are_the_sections_of_a_font() {
        let first = row("C0K45   ", "T1K45   ", &[4, 0x24, 5, 1, 3, 0x25, 0x45]);
        let expected = [(0x45, Some("C0K45"), Some("T1K45")), (0x48, Some("C0K48"), Some("T1K48"))];
        for second in [&[4, 0x24, 5, 1, 3, 0x25, 0x48][..], &[3, 0x25, 0x48]] {
            let map = map(id::MCF, &[first.clone(), row("C0K48   ", "T1K48   ", second)].concat());
            assert_eq!(sections(&map, 1), expected);
            assert_eq!(names(&map.get(1).unwrap().request), ["C0K45", "T1K45", "C0K45", "T1K45", "C0K48", "T1K48"]);
        }
        // A row without a section is another font; so is a section after it.
        let plain = row("C0H20000", "T1V10500", &[4, 0x24, 5, 1]);
        assert!(sections(&map(id::MCF, &[first.clone(), plain.clone()].concat()), 1).is_empty());
        assert_eq!(sections(&map(id::MCF, &[plain, first].concat()), 1), expected[..1]);
    }

    #[test]
    fn format_1_has_a_section_byte() {
        let ebcdic = crate::frame::codepage::CodePage::find("ibm-500").unwrap();
        let row = |section: u8, name: &str| {
            let name = |kind: &str| ebcdic.encode(&format!("{kind}{name:6}")).unwrap();
            [&[1, 0, section, 0][..], &[0xFF; 8], &name("T1"), &name("C0")].concat()
        };
        let data = [vec![0x1C, 0, 0, 0], row(0x45, "K45"), row(0x48, "K48")].concat();
        let map = map(id::MCF1, &data);
        assert_eq!(sections(&map, 1), [(0x45, Some("C0K45"), Some("T1K45")), (0x48, Some("C0K48"), Some("T1K48"))]);
    }

    #[test]
    fn data_object_fonts_are_named_in_unicode() {
        let mut data = vec![6, 1, 0, 0, 0x04, 0xB0, 8, 2, 0xDE, 0, 0, b'A', 0, b'b', 5, 2, 0xBE, 0, 4];
        data.extend([16, 0x8B, 0, 0x20, 0, 200, 0, 0, 0x2D, 0, 0, 3, 0, 1, 0, 0, 4, 0x50, 0x72, 0]);
        let length = u8::try_from(data.len() + 2).unwrap();
        let map = map(id::MDR, &[&[0, length][..], &data].concat());
        let request = &map.get(4).unwrap().request;
        assert_eq!(request.data_object.as_deref(), Some("Ab"));
        assert_eq!((request.data_descriptor, request.rotation, request.encoding), (Some((200, 0)), 90, Some(0x7200)));
    }

    #[test]
    fn hostile_groups_are_survived() {
        for length in 0..40 {
            for byte in [0, 2, 5, 0x24, 0xFF] {
                for id in [id::MCF, id::MCF1, id::MDR] {
                    map(id, &vec![byte; length]);
                }
            }
        }
    }
}
