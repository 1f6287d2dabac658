use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

fn page(name: &str) -> &'static CodePage {
    CodePage::find(name).unwrap_or_else(|| panic!("{name} is missing"))
}

fn decoded(name: &str, bytes: &[u8]) -> (String, u32) {
    let mut out = String::new();
    let bad = page(name).decode(bytes, &mut out);
    (out, bad)
}

/// What the system's iconv makes of each of `codes`; `None` where it refuses. `None` as a whole when it does not
/// know the page or is not there: the test then says so and passes.
fn iconv(page: &str, codes: &[Vec<u8>], newline: u8) -> Option<Vec<Option<String>>> {
    let mut child = Command::new("iconv")
        .args(["-c", "-f", page, "-t", "UTF-8"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = Vec::new();
    for code in codes {
        input.extend(code);
        input.push(newline);
    }
    let mut stdin = child.stdin.take()?;
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().ok()?.stdout;
    let wrote = writer.join().unwrap();
    let text = String::from_utf8(output).unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    if wrote.is_err() || lines.len() != codes.len() + 1 {
        println!("skipped: iconv does not know {page}");
        return None;
    }
    Some(lines[..codes.len()].iter().map(|line| Some(line.to_string()).filter(|line| !line.is_empty())).collect())
}

fn iconv_name(name: &str) -> String {
    match name.strip_prefix("windows-") {
        Some(number) => format!("CP{number}"),
        None => name.replace("ibm-", "IBM").to_uppercase(),
    }
}

/// Where we differ from glibc on purpose (beside controls, no-break space and soft hyphen): its 278 and 871
/// contradict IBM's registration and glibc's own 1143 and 1149.
const GLIBC_IS_WRONG: &[(&str, u8)] = &[("ibm-278", 0x71), ("ibm-278", 0xE0), ("ibm-871", 0x4A), ("ibm-871", 0xC0)];

#[test]
fn every_byte_of_every_single_byte_page_is_what_iconv_says() {
    let mut compared = 0;
    for page in CodePage::all().iter().filter(|page| !page.is_multi_byte()) {
        let newline = if page.is_ebcdic() { 0x25 } else { 0x0A };
        let bytes: Vec<u8> = (0..=255).filter(|&b| b != newline).collect();
        let codes: Vec<Vec<u8>> = bytes.iter().map(|&b| vec![b]).collect();
        let Some(theirs) = iconv(&iconv_name(page.name()), &codes, newline) else { continue };
        for (byte, theirs) in bytes.into_iter().zip(theirs) {
            let (ours, bad) = decoded(page.name(), &[byte]);
            if GLIBC_IS_WRONG.contains(&(page.name(), byte)) {
                assert_ne!(Some(&ours), theirs.as_ref(), "glibc got better: {} {byte:02X}", page.name());
                continue;
            }
            let expected = theirs.map(|text| text.chars().map(printable).collect::<String>());
            assert_eq!(bad, u32::from(expected.is_none()), "{} {byte:02X}", page.name());
            assert_eq!(ours, expected.unwrap_or("\u{FFFD}".into()), "{} {byte:02X}", page.name());
            compared += 1;
        }
    }
    println!("{compared} bytes compared");
}

#[test]
fn every_double_byte_cell_of_every_mixed_page_is_what_iconv_says() {
    for page in CodePage::all().iter().filter(|page| page.has_shifts()) {
        let mut codes = Vec::new();
        for first in 0x40..=0xFEu8 {
            for second in 0x40..=0xFEu8 {
                codes.push(vec![SO, first, second, SI]);
            }
        }
        let Some(theirs) = iconv(&iconv_name(page.name()), &codes, 0x25) else { continue };
        let mut defined = 0;
        for (code, theirs) in codes.iter().zip(theirs) {
            let mut cells = Vec::new();
            let bad = page.cells_with_shifts(code, 0, &mut cells);
            let ours: String = cells.iter().map(|cell| cell.ch).collect();
            match theirs {
                Some(text) => {
                    assert_eq!((ours, bad), (text, 0), "{} {code:02X?}", page.name());
                    assert_eq!(cells[0].width, 2, "{} {code:02X?}", page.name());
                    defined += 1;
                }
                None => assert_eq!((ours.as_str(), bad), ("\u{FFFD}\u{FFFD}", 2), "{} {code:02X?}", page.name()),
            }
        }
        assert!(defined > 5_000, "{}: {defined}", page.name());
        println!("{}: {defined} cells as iconv has them", page.name());
    }
}

#[test]
fn the_single_byte_half_of_every_mixed_page_is_what_iconv_says() {
    for page in CodePage::all().iter().filter(|page| page.has_shifts()) {
        let bytes: Vec<u8> = (0x40..=0xFE).collect();
        let codes: Vec<Vec<u8>> = bytes.iter().map(|&b| vec![b]).collect();
        let Some(theirs) = iconv(&iconv_name(page.name()), &codes, 0x25) else { continue };
        for (byte, theirs) in bytes.into_iter().zip(theirs) {
            let expected = theirs.map_or("\u{FFFD}".into(), |text| text.chars().map(printable).collect::<String>());
            assert_eq!(decoded(page.name(), &[byte]).0, expected, "{} {byte:02X}", page.name());
        }
    }
}

#[test]
fn common_two_byte_characters_of_workstation_pages_are_what_iconv_says() {
    for (ours, theirs, text) in [
        ("gbk", "GBK", "中华人民共和国电信话费账单金额合计"),
        ("gb18030", "GB18030", "中华人民共和国龦㐀"),
        ("big5", "BIG5", "中華民國電話帳單"),
        ("shift_jis", "SHIFT_JIS", "日本語電話料金ｶﾀｶﾅ"),
        ("euc-kr", "EUC-KR", "대한민국전화요금"),
        ("euc-jp", "EUC-JP", "日本語ｶﾀｶﾅ"),
    ] {
        let bytes = page(ours).encode(text).unwrap();
        assert_eq!(decoded(ours, &bytes), (text.into(), 0));
        if let Some(lines) = iconv(theirs, &[bytes], b'\n') {
            assert_eq!(lines, vec![Some(text.to_string())], "{ours}");
        }
    }
}

#[test]
fn pages_are_found_by_the_names_people_use() {
    for (given, name) in [
        ("ibm-1047", "ibm-1047"),
        ("1047", "ibm-1047"),
        ("IBM1047", "ibm-1047"),
        ("cp1047", "ibm-1047"),
        ("37", "ibm-037"),
        ("CP037", "ibm-037"),
        ("ibm-37", "ibm-037"),
        ("CCSID 500", "ibm-500"),
        ("latin1", "iso-8859-1"),
        ("ISO8859-1", "iso-8859-1"),
        ("ISO_8859-15", "iso-8859-15"),
        ("us-ascii", "iso-8859-1"),
        ("cp1252", "windows-1252"),
        ("UTF8", "utf-8"),
        ("GB18030", "gb18030"),
        ("cp936", "gbk"),
        ("SJIS", "shift_jis"),
        ("Shift-JIS", "shift_jis"),
        ("EUC_KR", "euc-kr"),
        ("5026", "ibm-930"),
    ] {
        assert_eq!(CodePage::find(given).map(CodePage::name), Some(name), "{given}");
    }
    for unknown in ["", "ibm", "cp", "99999", "klingon"] {
        assert!(CodePage::find(unknown).is_none(), "{unknown}");
    }
    for page in CodePage::all() {
        assert_eq!(CodePage::find(page.name()).map(CodePage::name), Some(page.name()));
        assert_eq!(CodePage::find(&page.name().to_uppercase()).map(CodePage::name), Some(page.name()));
    }
}

#[test]
fn shifts_are_blank_columns_and_double_byte_characters_take_two() {
    let record = [0xC1, 0x0E, 0x45, 0x62, 0x45, 0x66, 0x48, 0xE7, 0x0F, 0xC2];
    assert_eq!(decoded("ibm-939", &record), ("A 日本語 B".into(), 0));
    let mut cells = Vec::new();
    assert_eq!(page("ibm-939").cells(&record, &mut cells), 0);
    assert_eq!(cells.iter().map(|cell| usize::from(cell.width)).sum::<usize>(), record.len());
    let mut tight = Vec::new();
    page("ibm-939").cells_with_shifts(&record, 0, &mut tight);
    assert_eq!(tight.iter().map(|cell| usize::from(cell.width)).sum::<usize>(), record.len() - 2);
    assert_eq!(decoded("ibm-933", &[0xC1, 0x0E, 0xD0, 0x65, 0x8A, 0x82, 0x0F, 0xC2]).0, "A 한국 B");
    assert_eq!(decoded("ibm-937", &[0xC1, 0x0E, 0x4C, 0x84, 0x56, 0xCE, 0x0F, 0xC2]).0, "A 中國 B");
    assert_eq!(decoded("ibm-1388", &[0x0E, 0x40, 0x40, 0x45, 0xEB, 0x0F]).0, " \u{3000}€ ");
}

#[test]
fn a_broken_double_byte_run_loses_one_character_and_no_column() {
    // Cut in the middle of a character, by the end of the record and by SI.
    assert_eq!(decoded("ibm-939", &[0x0E, 0x45, 0x62, 0x45]), (" 日\u{FFFD}".into(), 1));
    assert_eq!(decoded("ibm-939", &[0x0E, 0x45, 0x0F, 0xC1]), (" \u{FFFD} A".into(), 1));
    // A control code ends the run; so does a second SO, which then starts another.
    assert_eq!(decoded("ibm-939", &[0x0E, 0x45, 0x62, 0x00, 0xC1]), (" 日 A".into(), 0));
    assert_eq!(decoded("ibm-939", &[0x0E, 0x0E, 0x45, 0x62, 0x0F, 0x0F]), ("  日  ".into(), 0));
    // The next record starts in single byte.
    assert_eq!(decoded("ibm-939", &[0x0E, 0x45, 0x62]), (" 日".into(), 0));
    assert_eq!(decoded("ibm-939", &[0xC1]), ("A".into(), 0));
}

#[test]
fn a_cell_of_two_code_points_is_one_character_and_a_mark_without_width() {
    let mut cells = Vec::new();
    let bytes = page("ibm-1399").encode("か\u{309A}").unwrap();
    assert_eq!(page("ibm-1399").cells_with_shifts(&bytes, 0, &mut cells), 0);
    assert_eq!(cells, [Cell { ch: 'か', width: 2 }, Cell { ch: '\u{309A}', width: 0 }]);
    assert_eq!(bytes.len(), 4);
}

#[test]
fn user_defined_characters_decode_to_the_private_use_area() {
    let (text, bad) = decoded("ibm-930", &[0x0E, 0x69, 0x41, 0x0F]);
    assert_eq!((text.as_str(), bad), (" \u{E000} ", 0));
}

#[test]
fn controls_and_no_break_spaces_are_blanks() {
    assert_eq!(decoded("ibm-037", &[0x00, 0x15, 0x25, 0x0E, 0x41, 0xCA, 0xFF, 0xC1]), ("     - A".into(), 0));
    assert_eq!(decoded("iso-8859-1", b"a\x00\x85\xA0\xADb"), ("a   -b".into(), 0));
    assert_eq!(decoded("utf-8", "\u{FEFF}a\u{85}\u{A0}b".as_bytes()), ("a  b".into(), 0));
}

#[test]
fn undecodable_bytes_are_counted_and_hold_their_columns() {
    assert_eq!(decoded("utf-8", b"a\xFF\xE4\xB8b"), ("a\u{FFFD}\u{FFFD}\u{FFFD}b".into(), 3));
    assert_eq!(decoded("gbk", b"a\xFF1"), ("a\u{FFFD}1".into(), 1));
    assert_eq!(decoded("gbk", b"a\xD6"), ("a\u{FFFD}".into(), 1));
    assert_eq!(decoded("windows-1252", b"a\x81b"), ("a\u{FFFD}b".into(), 1));
}

#[test]
fn gb18030_reads_four_byte_codes() {
    let bytes = page("gb18030").encode("a㐂𠀀é").unwrap();
    assert_eq!(decoded("gb18030", &bytes), ("a㐂𠀀é".into(), 0));
    let mut cells = Vec::new();
    page("gb18030").cells(&bytes, &mut cells);
    assert_eq!(cells.iter().map(|cell| cell.width).collect::<Vec<_>>(), [1, 2, 2, 2]);
}

#[test]
fn half_width_katakana_is_one_column() {
    let mut cells = Vec::new();
    page("shift_jis").cells(&[0xB1, 0x93, 0xFA], &mut cells);
    assert_eq!(cells, [Cell { ch: 'ｱ', width: 1 }, Cell { ch: '日', width: 2 }]);
    assert_eq!((char_width('ｱ'), char_width('日'), char_width('Ａ'), char_width('A')), (1, 2, 2, 1));
}

proptest! {
    #[test]
    fn text_comes_back_from_the_bytes_it_was_encoded_to(text in "[ -~]{0,40}", which in 0..64usize) {
        let page = &CodePage::all()[which % CodePage::all().len()];
        if let Some(bytes) = page.encode(&text) {
            let mut out = String::new();
            prop_assert_eq!(page.decode(&bytes, &mut out), 0, "{}", page.name());
            prop_assert_eq!(&out, &text, "{}", page.name());
        }
    }

    #[test]
    fn columns_of_any_bytes_are_the_bytes_where_the_page_promises_it(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for page in CodePage::all() {
            let (mut cells, mut text) = (Vec::new(), String::new());
            let bad = page.cells(&bytes, &mut cells);
            prop_assert_eq!(page.decode(&bytes, &mut text), bad, "{}", page.name());
            prop_assert_eq!(cells.iter().map(|cell| cell.ch).collect::<String>(), text, "{}", page.name());
            if page.byte_is_column() {
                let width: usize = cells.iter().map(|cell| usize::from(cell.width)).sum();
                prop_assert_eq!(width, bytes.len(), "{}", page.name());
            }
        }
    }
}
