//! The fonts of the corpus open, and their text comes out.

use std::path::PathBuf;

use super::*;

/// A file of the corpus; says so when there is none.
fn corpus(name: &str) -> Option<Vec<u8>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let folder = std::env::var_os("GREENBAR_CORPUS").map_or(beside, PathBuf::from);
    let file = folder.join("afp").join(name);
    let bytes = std::fs::read(&file).ok();
    if bytes.is_none() {
        eprintln!("skipped: no {}", file.display());
    }
    bytes
}

/// Structured fields of a file whose records start with X'5A'.
fn fields_of(bytes: &[u8]) -> Vec<(FieldId, &[u8])> {
    let mut fields = Vec::new();
    let mut rest = bytes;
    while let [0x5A, a, b, c, d, e, ..] = rest {
        let length = usize::from(u16::from_be_bytes([*a, *b]));
        let Some(data) = rest.get(9..=length) else { break };
        fields.push((FieldId([*c, *d, *e]), data));
        rest = &rest[length + 1..];
    }
    fields
}

fn name_of(bytes: &[u8]) -> String {
    let mut name = String::new();
    CodePage::find("ibm-500").unwrap().decode(&bytes[..8], &mut name);
    name.trim().into()
}

/// All font resources of a file: by the name of the resource around them, or their own.
fn library(bytes: &[u8]) -> Library {
    let mut library = Library::default();
    let mut around = None;
    let mut current: Option<(u8, String, Fields)> = None;
    let mut container: Option<(String, Vec<u8>)> = None;
    for (id, data) in fields_of(bytes) {
        match id.0 {
            [0xD3, 0xA8, 0xCE] => around = Some(name_of(data)),
            [0xD3, 0xA9, 0xCE] => around = None,
            [0xD3, 0xA8, kind @ (0x87 | 0x89 | 0x8A)] => {
                let kind = match kind {
                    0x87 => 0x41,
                    0x89 => 0x40,
                    _ => 0x42,
                };
                current = Some((kind, around.clone().unwrap_or_else(|| name_of(data)), Fields::default()));
            }
            [0xD3, 0xA8, 0x92] => {
                let names = data.windows(4).position(|window| window[1..] == [2, 1, 0]);
                let name = names.map(|at| {
                    let units: Vec<u16> = data[at + 4..at + usize::from(data[at])]
                        .chunks(2)
                        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                        .collect();
                    String::from_utf16(&units).unwrap()
                });
                container = name.map(|name| (name, Vec::new()));
            }
            [0xD3, 0xEE, 0x92] => {
                if let Some((_, file)) = &mut container {
                    file.extend_from_slice(data);
                }
            }
            [0xD3, 0xA9, 0x92] => {
                if let Some((name, file)) = container.take() {
                    library.1.insert(name, Arc::new(file));
                }
            }
            _ => {}
        }
        if let Some((kind, name, fields)) = &mut current {
            fields.push(Field { id, data, offset: 0 });
            if matches!(id.0, [0xD3, 0xA9, 0x87 | 0x89 | 0x8A]) {
                library.0.entry((*kind, name.clone())).or_insert_with(|| Arc::new(std::mem::take(fields)));
                current = None;
            }
        }
    }
    library
}

/// The bytes of all TRN control sequences, with the font number before them.
fn shown(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut out = Vec::new();
    let mut font = 0;
    for (id, data) in fields_of(bytes) {
        if id.0 != [0xD3, 0xEE, 0x9B] {
            continue;
        }
        let mut rest = data;
        let mut chained = false;
        loop {
            if !chained {
                match rest {
                    [0x2B, 0xD3, tail @ ..] => rest = tail,
                    _ => break,
                }
            }
            let [length, kind, ..] = rest else { break };
            let Some(sequence) = rest.get(2..usize::from(*length)) else { break };
            match kind & 0xFE {
                0xF0 => font = sequence[0],
                0xDA => out.push((font, sequence.to_vec())),
                _ => {}
            }
            chained = kind & 1 == 1;
            rest = &rest[usize::from(*length)..];
        }
    }
    out
}

fn request(character_set: &str, code_page: &str, height: u16) -> FontRequest {
    let descriptor = (height > 0).then_some(FontDescriptor { height, ..FontDescriptor::default() });
    FontRequest { descriptor, ..mapped(character_set, code_page) }
}

#[test]
fn the_outline_helvetica_opens_with_all_its_characters() {
    let Some(bytes) = corpus("afplib-C0X00006.afp") else { return };
    let library = library(&bytes);
    let (font, said) = open(&request("CZH200", "T1V10500", 240), &library);
    assert_eq!(said, Vec::<String>::new());
    assert_eq!(font.size(), Lu(2400));
    let set = glyphs(&font, &ebcdic("Hamburgefonts ÄÖß"));
    assert!(set.iter().all(|glyph| !glyph.missing));
    // Helvetica: H 722, a 556, space 278.
    assert_eq!((set[0].advance, set[1].advance, font.space()), (Lu(1733), Lu(1334), Lu(667)));
    for rotation in [90, 180, 270] {
        let (font, said) = open(&FontRequest { rotation, ..request("CZH200", "T1V10500", 240) }, &library);
        assert_eq!(said, Vec::<String>::new());
        let a = glyphs(&font, &ebcdic("a"))[0];
        assert_eq!(a.advance, if rotation == 180 { Lu(1334) } else { Lu(1829) }, "{rotation}");
    }
}

#[test]
fn names_of_the_outline_helvetica_agree_with_its_name_map() {
    let Some(bytes) = corpus("afplib-C0X00006.afp") else { return };
    let fields = library(&bytes).font_resource(0x40, "CZH200").unwrap();
    let set = charset::CharacterSet::read(&fields).unwrap();
    assert_eq!(set.names.len(), 374);
    let mut differ = Vec::new();
    for (name, inner) in &set.names {
        let inner = std::str::from_utf8(inner).unwrap();
        if let (Some(ours), Some(theirs)) = (gcgid::to_char(name), glyphname::to_char(inner))
            && ours != theirs
        {
            differ.push((gcgid::text(name), inner.to_owned(), ours, theirs));
        }
    }
    differ.sort();
    eprintln!("{} names differ: {differ:?}", differ.len());
    let unknown = set.names.keys().filter(|name| gcgid::to_char(name).is_none()).map(gcgid::text);
    let unknown: Vec<String> = unknown.collect();
    eprintln!("{} names unknown: {unknown:?}", unknown.len());
    assert!(differ.len() < 10 && unknown.len() < 3);
}

#[test]
fn code_pages_of_the_corpus_agree_with_their_numbers() {
    // The second one is called as the first in the stream, but is IBM's T1B00500: what it holds counts, not its name.
    for (file, name, number, private) in
        [("cmyip-x80-2c.afp", "T1001252", 1252, 0), ("cmyip-img.afp", "T1001252", 500, 2)]
    {
        let Some(bytes) = corpus(file) else { return };
        let fields = library(&bytes).font_resource(0x41, name).unwrap();
        let ours = codepage::CodePage::read(&fields).unwrap();
        let table = codepage::CodePage::registered(number).unwrap();
        assert_eq!(ours.private, private);
        let pairs = ours.iter().filter_map(|(code, entry)| Some((code, entry.ch?, table.find(code)?.ch?)));
        let differ: Vec<_> = pairs.filter(|(_, a, b)| a != b && *b != ' ').collect();
        eprintln!("{file}: {differ:?}");
        assert!(differ.len() <= 6, "{differ:?}");
    }
}

#[test]
fn text_of_a_page_with_embedded_rasters_comes_out() {
    let Some(bytes) = corpus("cmyip-bank-statement.afp") else { return };
    let library = library(&bytes);
    let (font, said) = open(&request("C0EX0C00", "T1EX0000", 0), &library);
    assert_eq!(said, Vec::<String>::new());
    let text: String = shown(&bytes).iter().map(|(_, bytes)| text(&font, bytes)).collect();
    assert!(!text.contains('\u{FFFD}'));
    for word in ["Total", "Balance", "Statement"] {
        assert!(text.contains(word), "{word}");
    }
}

#[test]
fn text_in_windows_1252_comes_out() {
    let Some(bytes) = corpus("cmyip-x80-2c.afp") else { return };
    let library = library(&bytes);
    let (font, said) = open(&request("CZA181", "T1001252", 240), &library);
    assert_eq!(said, Vec::<String>::new());
    let all: Vec<String> = shown(&bytes).iter().map(|(_, bytes)| text(&font, bytes)).collect();
    let text = all.join(" ");
    eprintln!("{}", text.chars().take(300).collect::<String>());
    assert!(!text.contains('\u{FFFD}'));
    assert!(text.matches(char::is_alphabetic).count() > 1000);
}

#[test]
fn subset_fonts_and_absent_code_pages_go_together() {
    let Some(bytes) = corpus("shaosil-sample1.afp") else { return };
    let library = library(&bytes);
    for name in ["C0AAAAN1", "C0AAAB00", "C0AAAD00", "C0AAAER0", "C0AAAF00"] {
        let (font, said) = open(&request(name, "T1001140", 0), &library);
        assert_eq!(said, Vec::<String>::new(), "{name}");
        assert!(font.size().0 > 0);
        let present = (0..=255_u8).filter(|byte| !font.next(&[*byte]).unwrap().1.missing).count();
        assert!(present > 3, "{name} {present}");
    }
    let (dashes, _) = open(&request("C0AAAB00", "T1AAAAAA", 0), &library);
    assert_eq!(text(&dashes, &[0x43, 0x44, 0x40]), "\u{2014}\u{FB01} ");
}

#[test]
fn truetype_fonts_of_the_stream_are_used_as_they_are() {
    let Some(bytes) = corpus("cmyip-ttf.afp") else { return };
    let library = library(&bytes);
    assert_eq!(library.1.len(), 2);
    for name in ["Arial", "Calibri Light"] {
        let request =
            FontRequest { data_object: Some(name.into()), data_descriptor: Some((400, 0)), ..FontRequest::default() };
        let (font, said) = open(&request, &library);
        assert_eq!(said, Vec::<String>::new());
        assert_eq!(font.size(), Lu(4000));
        let text: String = shown(&bytes).iter().map(|(_, bytes)| text(&font, bytes)).collect();
        eprintln!("{name}: {}", text.chars().take(200).collect::<String>());
        assert!(text.contains("Wikipedia"));
    }
}

#[test]
fn private_numbers_are_reported() {
    let Some(bytes) = corpus("cmyip-x2.afp") else { return };
    let library = library(&bytes);
    let (font, said) = open(&request("C0CS0001", "T1000EMC", 960), &library);
    assert!(said[0].starts_with("afp-private-characters"), "{said:?}");
    assert_eq!(font.size(), Lu(9600));
    let (_, bytes) = shown(&bytes).into_iter().find(|(_, bytes)| !bytes.is_empty()).unwrap();
    assert!(glyphs(&font, &bytes).iter().all(|glyph| glyph.id >= 2 && !glyph.missing));
}

/// Writes the programs to `$FONT_PROGRAMS` when that is set, for other judges of fonts.
#[test]
fn programs_of_all_character_sets_can_be_written() {
    let folder = std::env::var_os("FONT_PROGRAMS").map(PathBuf::from);
    for file in [
        "afplib-C0X00006.afp",
        "cmyip-bank-statement.afp",
        "cmyip-x80-2c.afp",
        "cmyip-x2.afp",
        "shaosil-sample1.afp",
        "cmyip-img.afp",
    ] {
        let Some(bytes) = corpus(file) else { return };
        let library = library(&bytes);
        let page = library.0.keys().find(|(kind, _)| *kind == 0x41).map_or("T1V10500".into(), |(_, name)| name.clone());
        let mut names: Vec<String> =
            library.0.keys().filter(|(kind, _)| *kind == 0x40).map(|(_, name)| name.clone()).collect();
        names.sort();
        for name in names {
            for rotation in [0, 90] {
                let (font, _) = open(&FontRequest { rotation, ..request(&name, &page, 240) }, &library);
                let program = font.program().unwrap();
                assert!(program.bytes().starts_with(b"OTTO"));
                if let Some(folder) = &folder {
                    std::fs::write(folder.join(format!("{file}-{name}-{rotation}.otf")), program.bytes()).unwrap();
                }
            }
        }
    }
}

/// The outline font with bytes changed in every part of it.
#[test]
fn a_damaged_outline_font_is_survived() {
    let Some(bytes) = corpus("afplib-C0X00006.afp") else { return };
    let whole = library(&bytes).font_resource(0x40, "CZH200").unwrap();
    let mut seed = 3_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap()
    };
    for round in 0..12 {
        let mut bad = Fields::default();
        for field in whole.iter() {
            let mut data = field.data.to_vec();
            for _ in 0..next() % 4 {
                let at = next() % data.len();
                data[at] = u8::try_from(next() % 256).unwrap();
            }
            bad.push(Field { data: &data, ..field });
        }
        let library = Library::default().with(0x40, "CZH200", bad);
        let (font, _) =
            open(&FontRequest { rotation: 90 * (round % 4), ..request("CZH200", "T1V10500", 240) }, &library);
        assert_eq!(glyphs(&font, &ebcdic("Text")).len(), 4);
    }
}
