use super::*;
use crate::decode::afp::field::Field;

fn ebcdic(text: &str) -> Vec<u8> {
    Charset::find("ibm-500").unwrap().encode(text).unwrap()
}

fn page(control: &[u8], index: &[u8]) -> Option<CodePage> {
    numbered_page(0, control, index)
}

fn numbered_page(number: u16, control: &[u8], index: &[u8]) -> Option<CodePage> {
    let mut fields = Fields::default();
    let mut about = ebcdic(&format!("{:32}", "A page"));
    about.extend([0, 8, 0, 0, 1, 0, 0, 0]);
    about.extend(number.to_be_bytes());
    fields.push(Field { id: CPD, data: &about, offset: 0 });
    fields.push(Field { id: CPC, data: control, offset: 0 });
    fields.push(Field { id: CPI, data: index, offset: 0 });
    CodePage::read(&fields)
}

fn control(length: u8, section: u8, space: u8, flags: u8) -> Vec<u8> {
    let mut control = ebcdic("SP010000");
    control.extend([0, length, section, space, flags]);
    control
}

fn group(name: &str, flags: u8, code: &[u8]) -> Vec<u8> {
    let mut group = ebcdic(&format!("{name:8}"));
    group.push(flags);
    group.extend(code);
    group
}

#[test]
fn a_single_byte_page_names_characters() {
    let index = [
        group("SP010000", 0, &[0x40]),
        group("LA010000", 0, &[0x81]),
        group("LE110000", 0x80, &[0x82]),
        group("LB010000", 0x60, &[0x83]),
    ]
    .concat();
    let page = numbered_page(500, &control(0x0A, 0x40, 0x40, 0x08), &index).unwrap();
    assert_eq!((page.wide, page.number, page.space), (false, 500, Some(0x40)));
    assert_eq!(page.get(0x81).ch, Some('a'));
    assert_eq!(page.find(0x82), None, "an invalid code point");
    assert_eq!(page.get(0x82).ch, Some(' '), "prints the default character");
    assert!(page.get(0x83).hidden && page.get(0x83).still);
    assert_eq!(page.private, 0);
}

#[test]
fn a_double_byte_page_with_unicode_values_is_read() {
    let mut index = group("PRIV0001", 0, &[0x45, 0x41]);
    index.extend([1, 0, 0, 0x4E, 0x2D]);
    index.extend(group("PRIV0002", 0, &[0x45, 0x42]));
    index.extend([0]);
    let page = page(&control(0xFF, 0x40, 0x40, 0x08), &index).unwrap();
    assert!(page.wide);
    assert_eq!(page.space, Some(0x4040));
    assert_eq!(page.get(0x4541).ch, Some('中'));
    assert_eq!(page.find(0x4542).unwrap().ch, None);
    assert_eq!(page.private, 1);
}

#[test]
fn numbers_of_ascii_characters_are_understood_by_what_the_page_does_with_them() {
    let ascii = Charset::find("windows-1252").unwrap();
    let mut index = Vec::new();
    for code in 0x40..=0xFF_u8 {
        let mut text = String::new();
        Charset::find("ibm-500").unwrap().decode(&[code], &mut text);
        if let Some(number) = ascii.encode(&text) {
            index.extend(group(&format!("EX{:03}000", number[0]), 0, &[code]));
        }
    }
    index.extend(group("EX000000", 0, &[0]));
    let translated = page(&control(0x0A, 0, 0, 0x08), &index).unwrap();
    assert_eq!(translated.get(0xC1).ch, Some('A'));
    assert_eq!(translated.get(0xFC).ch, Some('Ü'));
    assert_eq!(translated.get(0).ch, None, "a control shows nothing that has a name");
    assert_eq!(translated.private, 0);
}

#[test]
fn other_numbers_stay_private() {
    let index: Vec<u8> = (0..=0xFF_u8).flat_map(|n| group(&format!("EMC{n:05}"), 0, &[n])).collect();
    let numbered = page(&control(0x0A, 1, 1, 0x08), &index).unwrap();
    assert_eq!(numbered.get(0x41).ch, None);
    assert_eq!(numbered.private, 256);
    assert_eq!(numbered.space, Some(1));
}

#[test]
fn a_registered_number_tells_what_private_names_are_unless_other_names_contradict() {
    let private = group("FONT0017", 0, &[0xC1]);
    let agreeing = [private.clone(), group("LA010000", 0, &[0x81])].concat();
    let contrary = [private, group("LZ010000", 0, &[0x81])].concat();
    let control = control(0x0A, 0x40, 0x40, 0x08);
    let read = |number, index: &[u8]| numbered_page(number, &control, index).unwrap().get(0xC1).ch;
    assert_eq!(read(500, &agreeing), Some('A'));
    assert_eq!(read(500, &contrary), None);
    assert_eq!(read(0, &agreeing), None);
}

#[test]
fn private_names_of_a_section_are_told_by_number_and_first_byte() {
    let read = |number: u16, index: &[u8], section: u8, numbers: &[u16]| {
        let mut page = numbered_page(number, &control(0x0A, 0x40, 0x40, 0x08), index).unwrap();
        page.settle_section(section, numbers);
        (page.get(0xC2).ch, page.private)
    };
    let japanese = CodePage::registered(300).unwrap();
    let kanji = group("J0012345", 0, &[0xC2]);
    let [first, second] = [0x45C2, 0x48C2].map(|code| japanese.find(code).unwrap().ch);
    assert_ne!(first, second);
    assert_eq!(read(300, &kanji, 0x45, &[]), (first, 0));
    assert_eq!(read(300, &kanji, 0x48, &[]), (second, 0));
    assert_eq!(read(0, &kanji, 0x45, &[500, 300]), (first, 0), "what the mapping says");
    assert_eq!(read(0, &kanji, 0x45, &[]), (None, 1));
    // Wide letters may have the names of narrow ones; other names contradict.
    let wide = [kanji, group("LA020000", 0, &[0xC1])].concat();
    assert_eq!(read(300, &wide, 0x42, &[]), (Some('\u{FF22}'), 0));
    assert_eq!(read(300, &wide, 0x45, &[]), (None, 1));
}

#[test]
fn a_double_byte_page_of_private_names_is_told_by_its_number() {
    let index = group("J0012345", 0, &[0x45, 0x41]);
    let page = numbered_page(300, &control(0x0B, 0x40, 0x40, 0x08), &index).unwrap();
    let registered = CodePage::registered(300).unwrap().find(0x4541).unwrap().ch;
    assert_eq!((page.wide, page.get(0x4541).ch, page.private), (true, registered, 0));
}

#[test]
fn variable_space_can_be_off_and_empty_pages_are_none() {
    let index = group("LA010000", 0, &[0x81]);
    assert_eq!(page(&control(0x0A, 0x40, 0x40, 0), &index).unwrap().space, None);
    assert!(page(&control(0x0A, 0x40, 0x40, 0), &[]).is_none());
    assert!(page(&[], &index).is_some(), "the usual layout holds without a control field");
    assert!(CodePage::read(&Fields::default()).is_none());
}

#[test]
fn registered_pages_are_found_by_the_number_in_their_name() {
    for (name, number) in [
        ("T1V10500", 500),
        ("T1V10037", 37),
        ("T1V10273", 273),
        ("T1001252", 1252),
        ("T1001140", 1140),
        ("T1000850", 850),
        ("T1B00500", 500),
        ("T1D0BASE", 500),
        ("T1V11047", 1047),
        ("t1v10500", 500),
    ] {
        assert_eq!(number_of(name), Some(number), "{name}");
        assert!(CodePage::registered(number).is_some(), "{name}");
    }
    for name in ["T1000EMC", "T1AAAAAA", "T1EX", "", "T1"] {
        assert_eq!(number_of(name), None, "{name}");
    }
}

#[test]
fn registered_pages_read_their_bytes() {
    let german = CodePage::registered(273).unwrap();
    assert_eq!((german.get(0xC0).ch, german.get(0x81).ch, german.space), (Some('ä'), Some('a'), Some(0x40)));
    let windows = CodePage::registered(1252).unwrap();
    assert_eq!((windows.get(0x80).ch, windows.get(0x41).ch, windows.space), (Some('€'), Some('A'), Some(0x20)));
    assert_eq!(windows.get(0x05).ch, Some(' '), "a code that is not in the page");
    let latin9 = CodePage::registered(924).unwrap();
    assert_eq!((latin9.get(0x9F).ch, latin9.inexact), (Some('€'), false));
    let japanese = CodePage::registered(300).unwrap();
    assert!(japanese.wide);
    assert_eq!(japanese.get(0x4040).ch, Some('\u{3000}'));
    assert!(japanese.iter().count() > 6000);
    assert!(CodePage::registered(361).unwrap().inexact);
    assert!(CodePage::registered(1200).is_none());
    assert!(CodePage::registered(0).is_none());
}
