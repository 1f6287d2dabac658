//! Fonts as a whole: small ones made by hand, the corpus, and damaged ones.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::decode::afp::field::{Field, FieldId};
use crate::frame::codepage::CodePage;

/// A raster font of `a` (4 by 3 dots, a ring) and `A` (9 by 2 dots, full), at 0 and 90 degrees.
#[derive(Debug, Clone)]
pub struct TinyFont {
    /// Metrics in 1000ths of an em, bitmaps in 300 dots an inch; otherwise both in 240ths of an inch.
    pub relative: bool,
    /// Size in tenths of points.
    pub size: u16,
    /// Names of the two characters.
    pub names: [&'static str; 2],
}

impl Default for TinyFont {
    fn default() -> TinyFont {
        TinyFont { relative: false, size: 100, names: ["LA010000", "LA020000"] }
    }
}

fn ebcdic(text: &str) -> Vec<u8> {
    CodePage::find("ibm-500").unwrap().encode(text).unwrap()
}

fn field(fields: &mut Fields, kind: u8, category: u8, data: &[u8]) {
    fields.push(Field { id: FieldId([0xD3, kind, category]), data, offset: 0 });
}

fn shorts(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|value| i16::try_from(*value).unwrap().to_be_bytes()).collect()
}

/// The fields of a [`TinyFont`].
pub fn tiny(font: &TinyFont) -> Fields {
    let mut fields = Fields::default();
    let mut about = ebcdic(&format!("{:32}", "TINY SANS"));
    about.extend([5, 5]);
    about.extend(font.size.to_be_bytes().repeat(3));
    about.resize(80, 0);
    let (base, units, shape) = if font.relative { (2, 1000_u16, 3000_u16) } else { (0, 2400, 2400) };
    let mut control = vec![1, 5, 0, 0, base, base];
    control.extend(units.to_be_bytes().repeat(2));
    control.extend([0, 8, 0, 2, 26, 28, 0, 0, 0, 7, 22, 8, 0, 0]);
    control.extend(shape.to_be_bytes().repeat(2));
    let orientation = |rotation: u16, index: u8| {
        let mut group = shorts(&[0]);
        group.extend((rotation << 7).to_be_bytes());
        group.extend(shorts(&[3, 12, 5, 4]));
        group.extend([index << 5, 0]);
        group.extend(shorts(&[10, 0, 6, 0, 40, 0]));
        group
    };
    let character = |name: &str, [increment, up, down, pattern, left, width, right, top]: [i32; 8]| {
        let mut group = ebcdic(name);
        group.extend(shorts(&[increment, up, down, 0, pattern, left, width, right, 0, top]));
        group
    };
    let [small, capital] = font.names;
    let index = [
        character(small, [6, 3, 0, 0, 1, 4, 1, 3]),
        character(capital, [10, 2, 0, 1, 0, 9, 1, 2]),
        character(small, [5, 2, 2, 0, 1, 3, 1, 2]),
        character(capital, [4, 5, 4, 1, 1, 2, 1, 5]),
    ];
    let map = [shorts(&[3, 2, 0, 0]), shorts(&[8, 1, 0, 3])].concat();
    field(&mut fields, 0xA8, 0x89, &ebcdic("C0TINY00"));
    field(&mut fields, 0xA6, 0x89, &about);
    field(&mut fields, 0xA7, 0x89, &control);
    field(&mut fields, 0xA2, 0x89, &map);
    field(&mut fields, 0xAE, 0x89, &[orientation(0, 0), orientation(90, 1)].concat());
    field(&mut fields, 0xAC, 0x89, &[0; 44]);
    field(&mut fields, 0x8C, 0x89, &index.concat());
    field(&mut fields, 0xEE, 0x89, &[0xF0, 0x90, 0xF0, 0xFF, 0x80, 0xFF, 0x80]);
    fields
}

/// Resources by kind and name.
#[derive(Default)]
struct Library(HashMap<(u8, String), Arc<Fields>>, HashMap<String, Arc<Vec<u8>>>);

impl Library {
    fn with(mut self, kind: u8, name: &str, fields: Fields) -> Library {
        self.0.insert((kind, name.into()), Arc::new(fields));
        self
    }
}

impl FontSource for Library {
    fn font_resource(&self, kind: u8, name: &str) -> Option<Arc<Fields>> {
        self.0.get(&(kind, name.to_owned())).cloned()
    }

    fn font_file(&self, name: &str) -> Option<Arc<Vec<u8>>> {
        self.1.get(name).cloned()
    }
}

fn open(request: &FontRequest, source: &dyn FontSource) -> (ActiveFont, Vec<String>) {
    let mut said = Vec::new();
    let font = ActiveFont::open(request, source, &mut |code, detail| said.push(format!("{code}: {detail}")));
    (font, said)
}

fn glyphs(font: &ActiveFont, bytes: &[u8]) -> Vec<Glyph> {
    let mut rest = bytes;
    let mut glyphs = Vec::new();
    while let Some((taken, glyph)) = font.next(rest) {
        assert!(taken > 0 && taken <= rest.len());
        rest = &rest[taken..];
        glyphs.push(glyph);
    }
    glyphs
}

fn text(font: &ActiveFont, bytes: &[u8]) -> String {
    glyphs(font, bytes).iter().map(|glyph| glyph.ch).collect()
}

fn mapped(character_set: &str, code_page: &str) -> FontRequest {
    FontRequest {
        character_set: Some(character_set.into()),
        code_page: Some(code_page.into()),
        ..FontRequest::default()
    }
}

#[test]
fn a_raster_font_sets_text_with_its_own_widths() {
    let library = Library::default().with(0x40, "C0TINY00", tiny(&TinyFont::default()));
    let (font, said) = open(&mapped("C0TINY00", "T1V10500"), &library);
    assert_eq!(said, Vec::<String>::new());
    let set = glyphs(&font, &ebcdic("aA b"));
    assert_eq!(set.iter().map(|glyph| glyph.ch).collect::<String>(), "aA b");
    assert_eq!((set[0].advance, set[1].advance), (Lu(6 * 60), Lu(10 * 60)));
    assert!(set[2].space && !set[2].missing && set[3].missing);
    assert_eq!(set[2].advance, Lu(5 * 60), "the space increment of the font");
    assert_eq!((font.size(), font.space(), font.stretch()), (Lu(2000), Lu(300), 1000));
    assert!(font.program().is_some());
    assert!(set[..2].iter().all(|glyph| glyph.id >= 2 && glyph.part == 0));
}

#[test]
fn relative_metrics_count_the_em() {
    let library = Library::default().with(0x40, "C0TINY00", tiny(&TinyFont { relative: true, ..TinyFont::default() }));
    let (font, _) = open(&mapped("C0TINY00", "T1V10500"), &library);
    assert_eq!(glyphs(&font, &ebcdic("a"))[0].advance, Lu(12));
    assert_eq!(font.size(), Lu(2000));
}

#[test]
fn a_code_page_of_the_stream_decides_what_codes_are() {
    let mut page = Fields::default();
    field(&mut page, 0xA7, 0x87, &[ebcdic("LA010000"), vec![0, 10, 0, 0x40, 8]].concat());
    field(&mut page, 0x8C, 0x87, &[ebcdic("LA020000"), vec![0, 1], ebcdic("LB020000"), vec![0, 2]].concat());
    let library = Library::default().with(0x40, "C0TINY00", tiny(&TinyFont::default())).with(0x41, "T1PRIV", page);
    let (font, _) = open(&mapped("C0TINY00", "T1PRIV"), &library);
    let set = glyphs(&font, &[1, 2, 3]);
    assert_eq!((set[0].ch, set[1].ch, set[2].ch), ('A', 'B', 'a'));
    assert!(!set[0].missing && set[1].missing && !set[2].missing, "3 is no code: it prints the default character");
    assert_eq!(set[1].id, set[2].id, "what the font lacks prints the default character");
}

#[test]
fn sections_of_a_double_byte_font_are_mapped_one_by_one() {
    let page = |number: u16| {
        let mut page = Fields::default();
        let about = [ebcdic(&format!("{:32}", "KANJI")), vec![0, 8, 0, 0, 0, 2, 0, 0], number.to_be_bytes().to_vec()];
        field(&mut page, 0xA6, 0x87, &about.concat());
        field(&mut page, 0xA7, 0x87, &[ebcdic("SP010000"), vec![0, 10, 0x40, 0x40, 8]].concat());
        field(&mut page, 0x8C, 0x87, &[ebcdic("J0000001"), vec![0, 0x41], ebcdic("J0000002"), vec![0, 0x42]].concat());
        page
    };
    let kanji = || tiny(&TinyFont { names: ["J0000001", "J0000002"], ..TinyFont::default() });
    let library = Library::default().with(0x40, "C0K45", kanji()).with(0x40, "C0K48", kanji());
    let library = library.with(0x41, "T1K45", page(300)).with(0x41, "T1K48", page(300));
    let section = |section: u8, name: &str| FontSection {
        section,
        character_set: Some(format!("C0{name}")),
        code_page: Some(format!("T1{name}")),
    };
    let sections = vec![section(0x45, "K45"), section(0x48, "K48")];
    let (font, said) = open(&FontRequest { sections, ..mapped("C0K45", "T1K45") }, &library);
    assert_eq!(said, Vec::<String>::new());
    let set = glyphs(&font, &[0x45, 0x41, 0x48, 0x42, 0x45, 0x42, 0x40, 0x40, 0x49, 0x41]);
    let registered = super::codepage::CodePage::registered(300).unwrap();
    let expected: Vec<char> =
        [0x4541, 0x4842, 0x4542].iter().map(|code| registered.find(*code).unwrap().ch.unwrap()).collect();
    assert_eq!(set.iter().take(3).map(|glyph| glyph.ch).collect::<Vec<_>>(), expected);
    assert_eq!(
        set.iter().map(|glyph| (glyph.part, glyph.missing)).collect::<Vec<_>>()[..3],
        [(0, false), (1, false), (0, false)]
    );
    assert_eq!((set[3].ch, set[3].missing), ('\u{3000}', false));
    assert!(set[4].missing, "no section of this font");
}

#[test]
fn absent_double_byte_fonts_are_not_read_as_letters() {
    let request =
        |name: &str| FontRequest { coded_font: Some(name.into()), encoding: Some(0x6200), ..FontRequest::default() };
    let (japanese, _) = open(&request("X00300"), &Library::default());
    assert_eq!(text(&japanese, &[0x45, 0x41, 0x40, 0x40]).chars().count(), 2);
    assert!(text(&japanese, &[0x45, 0x41]).chars().all(|ch| ch > '\u{3000}' && ch != '\u{FFFD}'));
    let (unknown, said) = open(&request("X0KANJI"), &Library::default());
    assert_eq!(text(&unknown, &[0x45, 0x41, 0x48, 0x41]), "\u{FFFD}\u{FFFD}");
    assert!(said.iter().any(|said| said.starts_with("afp-missing-code-page")), "{said:?}");
}

#[test]
fn private_names_are_reported_and_shown() {
    let mut page = Fields::default();
    field(&mut page, 0xA7, 0x87, &[ebcdic("EMC00001"), vec![0, 10, 0, 1, 8]].concat());
    field(&mut page, 0x8C, 0x87, &[ebcdic("EMC00001"), vec![0, 1], ebcdic("EMC00002"), vec![0, 2]].concat());
    let tiny_private = tiny(&TinyFont { names: ["EMC00001", "EMC00002"], ..TinyFont::default() });
    let library = Library::default().with(0x40, "C0TINY00", tiny_private).with(0x41, "T1000EMC", page);
    let (font, said) = open(&mapped("C0TINY00", "T1000EMC"), &library);
    let set = glyphs(&font, &[1, 2]);
    assert_eq!((set[0].ch, set[1].ch), ('\u{FFFD}', '\u{FFFD}'));
    assert_eq!((set[0].advance, set[1].advance), (Lu(360), Lu(600)));
    assert!(set[1].id > 2 && !set[1].missing);
    assert!(said[0].starts_with("afp-private-characters"), "{said:?}");
}

#[test]
fn a_coded_font_leads_to_its_sections() {
    let mut coded = Fields::default();
    field(&mut coded, 0xA7, 0x8A, &[25, 1]);
    let group = |section| [ebcdic("C0TINY00T1V10500"), vec![0, 0, 0, 0, 0, 0, 0, 0, section]].concat();
    field(&mut coded, 0x8C, 0x8A, &group(0));
    let mut double = Fields::default();
    field(&mut double, 0xA7, 0x8A, &[25, 1]);
    field(&mut double, 0x8C, 0x8A, &[group(0x41), group(0x42)].concat());
    let library = Library::default()
        .with(0x40, "C0TINY00", tiny(&TinyFont::default()))
        .with(0x42, "X0TINY", coded)
        .with(0x42, "XZDBL", double);
    let request = |name: &str| FontRequest { coded_font: Some(name.into()), ..FontRequest::default() };
    assert_eq!(text(&open(&request("X0TINY"), &library).0, &ebcdic("Aa")), "Aa");
    assert_eq!(text(&open(&request("X5TINY"), &library).0, &ebcdic("Aa")), "Aa", "its form at another rotation");
    let (font, _) = open(&request("XZDBL"), &library);
    let set = glyphs(&font, &[0x41, 0xC1, 0x42, 0x81, 0x42]);
    assert_eq!(set.len(), 3);
    assert_eq!((set[0].ch, set[0].part, set[1].ch, set[1].part), ('A', 0, 'a', 1));
}

#[test]
fn absent_fonts_are_substituted_by_their_names() {
    let (font, said) = open(&mapped("C0H400B0", "T1V10273"), &Library::default());
    assert_eq!(text(&font, &[0xC1, 0xC0, 0x81]), "Aäa");
    assert_eq!(
        (font.size(), font.face()),
        (Lu(2400), Face { family: crate::page::Family::Sans, bold: true, italic: false })
    );
    assert!(said.iter().any(|said| said.starts_with("afp-substituted-font: C0H400B0 -> ")), "{said:?}");
    assert!(font.space().0 > 0);
    let (mono, _) =
        open(&FontRequest { coded_font: Some("X0GT15".into()), ..FontRequest::default() }, &Library::default());
    assert!(glyphs(&mono, &ebcdic("iW1 ")).iter().all(|glyph| glyph.advance == Lu(960)));
}

#[test]
fn characters_that_a_substitute_lacks_come_from_another_part() {
    let grid = FontRequest { data_object: Some("Arial".into()), ..FontRequest::default() };
    let (font, _) = open(&grid, &Library::default());
    let bytes: Vec<u8> = "A╬\u{10FFFD}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let set = glyphs(&font, &bytes);
    assert_eq!((set[0].ch, set[1].ch), ('A', '╬'));
    assert!(set[0].id > 0 && set[1].id > 0 && !set[1].missing);
    assert!(set[2].missing && set[2].id > 0, "a box for what nobody has");
    assert!(font.part(set[1].part).program.is_some());
}

#[test]
fn text_of_data_objects_is_unicode_or_of_a_code_page() {
    let mut library = Library::default();
    library.1.insert("Deja Mono".into(), Arc::new(crate::fontfile::MONO[0].to_vec()));
    let request = FontRequest {
        data_object: Some("Deja Mono".into()),
        data_descriptor: Some((240, 120)),
        ..FontRequest::default()
    };
    let (utf16, said) = open(&request, &library);
    assert_eq!(said, Vec::<String>::new());
    assert_eq!(text(&utf16, &[0, 0x41, 0xD8, 0x3D, 0xDE, 0, 0xD8, 0, 0]), "A\u{1F600}\u{FFFD}\u{FFFD}");
    assert_eq!((utf16.size(), utf16.stretch()), (Lu(2400), 500));
    assert_eq!(glyphs(&utf16, &[0, 0x41])[0].advance, Lu(722), "0.602 em, half as wide");
    assert_eq!(utf16.program().unwrap().name(), "DejaVuSansMono");
    let utf8 = FontRequest { encoding: Some(0x7807), ..request.clone() };
    assert_eq!(text(&open(&utf8, &library).0, b"\xC3\xA9\xFFz"), "é\u{FFFD}z");
    let host = FontRequest { encoding: Some(0x6100), code_set: Some((0, 273)), ..request };
    assert_eq!(text(&open(&host, &library).0, &[0xC0]), "ä");
}

#[test]
fn rotated_fonts_move_by_the_metrics_of_the_rotation() {
    let library = Library::default().with(0x40, "C0TINY00", tiny(&TinyFont::default()));
    let request = FontRequest { rotation: 90, ..mapped("C0TINY00", "T1V10500") };
    let (font, _) = open(&request, &library);
    assert_eq!(glyphs(&font, &ebcdic("a"))[0].advance, Lu(5 * 60));
    let (absent, _) = open(&FontRequest { rotation: 270, ..mapped("C0H200B0", "T1V10500") }, &Library::default());
    let set = glyphs(&absent, &ebcdic("Wi"));
    assert_eq!(set[0].advance, set[1].advance, "turned characters are as wide as the line is high");
    assert!(set[0].id >= 2);
}

#[test]
fn nothing_asked_for_is_still_a_font() {
    let (font, said) = open(&FontRequest::default(), &Library::default());
    assert_eq!(text(&font, &ebcdic("Text 1")), "Text 1");
    assert!(said.len() >= 2);
    assert_eq!(font.next(&[]), None);
}

#[test]
fn damaged_fonts_are_survived() {
    let whole = tiny(&TinyFont::default());
    let mut seed = 11_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap()
    };
    for round in 0..600 {
        let mut bad = Fields::default();
        for field in whole.iter() {
            let mut data = field.data.to_vec();
            if next() % 3 == 0 && !data.is_empty() {
                let at = next() % data.len();
                data[at] = [0, 0xFF, 0x7F, 0x80, u8::try_from(next() % 256).unwrap()][next() % 5];
            }
            if next() % 7 == 0 {
                data.truncate(next() % (data.len() + 1));
            }
            bad.push(Field { data: &data, ..field });
        }
        let library = Library::default().with(0x40, "C0TINY00", bad);
        let request = FontRequest { rotation: [0, 90, 180, 270][round % 4], ..mapped("C0TINY00", "T1V10500") };
        let (font, _) = open(&request, &library);
        glyphs(&font, &ebcdic("aA b"));
    }
}

#[test]
fn damaged_code_pages_and_coded_fonts_are_survived() {
    let mut coded = Fields::default();
    field(&mut coded, 0xA7, 0x8A, &[25, 1]);
    field(&mut coded, 0x8C, 0x8A, &[ebcdic("C0TINY00T1PRIV  "), vec![0, 240, 0, 120, 0, 0, 0, 0, 0x41]].concat());
    let mut page = Fields::default();
    field(&mut page, 0xA6, 0x87, &[0x40; 44]);
    field(&mut page, 0xA7, 0x87, &[ebcdic("LA010000"), vec![0, 0xFF, 0x41, 0x40, 8, 0, 0, 0, 0x41]].concat());
    let groups = [ebcdic("LA020000"), vec![0, 0x41, 1, 1, 0, 0, 0, 0x41], ebcdic("EX065000"), vec![0, 0x41, 2, 0]];
    field(&mut page, 0x8C, 0x87, &groups.concat());
    let mut seed = 5_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap()
    };
    let mut damaged = |whole: &Fields| {
        let mut bad = Fields::default();
        for field in whole.iter() {
            let mut data = field.data.to_vec();
            if next() % 2 == 0 && !data.is_empty() {
                let at = next() % data.len();
                data[at] = [0, 0xFF, 0x7F, 0x80][next() % 4];
            }
            if next() % 6 == 0 {
                data.truncate(next() % (data.len() + 1));
            }
            bad.push(Field { data: &data, ..field });
        }
        bad
    };
    for _ in 0..400 {
        let library = Library::default()
            .with(0x40, "C0TINY00", tiny(&TinyFont::default()))
            .with(0x41, "T1PRIV", damaged(&page))
            .with(0x42, "X0TINY", damaged(&coded));
        let request = FontRequest { coded_font: Some("X0TINY".into()), ..FontRequest::default() };
        let (font, _) = open(&request, &library);
        glyphs(&font, &[0x41, 1, 0x41, 2, 0xFF, 0xFF, 0]);
    }
}

mod corpus;
