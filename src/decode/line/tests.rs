use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::decode::rows::{Rows, page_text};
use crate::decode::{Unit, UnitKind};
use crate::note::Notes;
use crate::page::{Advances, Element};

fn spec(record_format: &str, framing: &str, code_page: &str) -> ReadSpec {
    ReadSpec {
        record_format: Some(record_format.into()),
        framing: Some(framing.into()),
        code_page: Some(code_page.into()),
        ..ReadSpec::default()
    }
}

fn open<'a>(bytes: &'a [u8], start: Start, how: &ReadSpec) -> Box<dyn Decoder + 'a> {
    Line.open(Box::new(bytes), start, how, &Context::default()).unwrap()
}

/// All units from `start` on; `bytes` is the whole stream.
fn units(bytes: &[u8], start: Start, how: &ReadSpec) -> (Vec<Unit>, Notes) {
    let rest = &bytes[usize::try_from(start.byte).unwrap()..];
    let mut decoder = open(rest, start, how);
    let (mut all, mut notes) = (Vec::new(), Notes::default());
    let mut unit = Unit::default();
    while decoder.next(&mut unit, &mut notes).unwrap() {
        all.push(unit.clone());
    }
    (all, notes)
}

fn pages(bytes: &[u8], how: &ReadSpec) -> Vec<String> {
    let decoder = open(bytes, Start::default(), how);
    let (units, _) = units(bytes, Start::default(), how);
    let mut rows = Rows::default();
    let pages = units.iter().filter(|unit| unit.kind == UnitKind::Page);
    let text = pages.map(|unit| {
        let mut text = String::new();
        page_text(unit, decoder.code_page(), &mut rows, &mut text);
        text
    });
    text.collect()
}

fn text_pages(text: &str, how: &ReadSpec) -> Vec<String> {
    pages(text.as_bytes(), how)
}

/// Units follow each other without a gap and their bytes are those of the stream.
fn assert_covers(bytes: &[u8], units: &[Unit]) {
    let mut at = 0;
    for unit in units {
        assert_eq!(unit.span.start, at as u64);
        assert_eq!(unit.bytes, bytes[at..at + unit.bytes.len()]);
        at += unit.bytes.len();
        assert_eq!(unit.span.end, at as u64);
        assert!(unit.strikes.windows(2).all(|two| two[0].row <= two[1].row), "rows never decrease");
        assert!(unit.strikes.iter().all(|strike| strike.row > 0 && !unit.text(strike).is_empty()));
    }
    assert_eq!(at, bytes.len());
}

fn same(left: &Unit, right: &Unit) -> bool {
    let Unit { kind, span, resume, page, records_before, bytes, strikes, spill, tags, .. } = left;
    let Unit { group_starts, group_ends, narrow_shifts, .. } = left;
    *kind == right.kind
        && *span == right.span
        && *resume == right.resume
        && *page == right.page
        && *records_before == right.records_before
        && *bytes == right.bytes
        && *strikes == right.strikes
        && *spill == right.spill
        && *tags == right.tags
        && *group_starts == right.group_starts
        && *group_ends == right.group_ends
        && *narrow_shifts == right.narrow_shifts
}

fn assert_restarts(bytes: &[u8], how: &ReadSpec) {
    let (all, _) = units(bytes, Start::default(), how);
    assert_covers(bytes, &all);
    for (at, unit) in all.iter().enumerate() {
        let (again, _) = units(bytes, unit.start(), how);
        assert_eq!(again.len(), all.len() - at, "units from {:?} on", unit.start());
        assert!(
            all[at..].iter().zip(&again).all(|(left, right)| same(left, right)),
            "units from {:?} on",
            unit.start()
        );
    }
}

// Golden cases: fixtures/line-data/<case>/.

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/line-data")
}

struct Case {
    name: String,
    folder: PathBuf,
    input: Vec<u8>,
    how: ReadSpec,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(fixtures()).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(how) = fs::read_to_string(folder.join("how.toml")) else { continue };
        cases.push(Case {
            name: folder.file_name().unwrap().to_string_lossy().into(),
            input: fs::read(folder.join("input.bin")).unwrap(),
            how: toml::from_str(&how).unwrap(),
            folder,
        });
    }
    cases.sort_by(|left, right| left.name.cmp(&right.name));
    assert!(cases.len() >= 20, "the cases are there");
    cases
}

/// The units and the notes: where each page lies in the stream and what was survived.
fn dump_units(units: &[Unit], notes: &Notes) -> String {
    let mut out = String::new();
    for unit in units {
        let kind = if unit.kind == UnitKind::Page { "page" } else { "outside after page" };
        let Unit { span, page, records_before, strikes, resume, .. } = unit;
        let (from, to, struck) = (span.start, span.end, strikes.len());
        writeln!(
            out,
            "{kind} {page}: bytes {from}..{to}, after record {records_before}, {struck} strikes, resume {resume:x}"
        )
        .unwrap();
    }
    for note in notes.iter() {
        writeln!(out, "note {} x{} at {}: {}", note.code, note.count, note.first, note.detail).unwrap();
    }
    out
}

/// The grid: rows, attributes under them (`b` bold, `u` underlined, `B` both), and struck-over characters.
fn dump_grid(units: &[Unit], cp: &'static crate::frame::codepage::CodePage) -> String {
    let mut out = String::new();
    let mut rows = Rows::default();
    for unit in units.iter().filter(|unit| unit.kind == UnitKind::Page) {
        writeln!(out, "== page {}", unit.page).unwrap();
        rows.fill(unit, cp);
        for (row, text) in rows.iter() {
            writeln!(out, "{row:3} |{text}").unwrap();
            let marks: String = rows.cells(row).map(|cell| mark(cell.bold, cell.underline, cell.width)).collect();
            if !marks.trim().is_empty() {
                writeln!(out, "    :{}", marks.trim_end()).unwrap();
            }
        }
        for shadow in rows.shadows() {
            writeln!(out, "over row {} column {} layer {}: {}", shadow.row, shadow.column, shadow.layer, shadow.ch)
                .unwrap();
        }
    }
    out
}

fn mark(bold: bool, underline: bool, width: u8) -> &'static str {
    match (bold, underline, width) {
        (false, false, 2) => "  ",
        (false, false, _) => " ",
        (true, false, _) => "b",
        (false, true, _) => "u",
        (true, true, _) => "B",
    }
}

/// The drawn pages: paper, then a line for each run.
fn dump_drawn(units: &[Unit], decoder: &dyn Decoder) -> String {
    let mut out = String::new();
    for unit in units.iter().filter(|unit| unit.kind == UnitKind::Page) {
        let page = decoder.page(unit, &mut Notes::default());
        writeln!(out, "== page {}: {} x {}", unit.page, page.width.0, page.height.0).unwrap();
        for element in &page.elements {
            let Element::Text(run) = element else { panic!("line data draws text only") };
            let advance = match &run.advances {
                Advances::Uniform(width) => width.0.to_string(),
                Advances::Each(widths) => format!("{:?}", widths.iter().map(|width| width.0).collect::<Vec<_>>()),
            };
            let flags = [(run.face.bold, " bold"), (run.underline, " underline"), (run.shadow, " shadow")];
            let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
            let (x, y, size, line) = (run.x.0, run.y.0, run.size.0, run.line);
            writeln!(out, "line {line} at {x},{y} size {size} advance {advance}{flags}: {:?}", run.text).unwrap();
        }
    }
    out
}

/// Compares with the expectation, or rewrites it when `GREENBAR_REVIEW` is set (then read the diff).
fn expect(case: &Case, file: &str, found: &str) {
    let path = case.folder.join(file);
    if std::env::var_os("GREENBAR_REVIEW").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == found, "{}: {file} differs; found:\n{found}\nexpected:\n{expected}", case.name);
}

#[test]
fn every_case_gives_the_expected_units_grid_and_drawing() {
    for case in cases() {
        let (units, notes) = units(&case.input, Start::default(), &case.how);
        let decoder = open(&case.input, Start::default(), &case.how);
        expect(&case, "expect.units.txt", &dump_units(&units, &notes));
        expect(&case, "expect.pages.txt", &dump_grid(&units, decoder.code_page()));
        expect(&case, "expect.drawn.txt", &dump_drawn(&units, decoder.as_ref()));
    }
}

#[test]
fn the_same_report_gives_the_same_grid_in_every_container() {
    let cases = cases();
    let mut reports = cases.iter().filter(|case| case.name.starts_with("report-"));
    let grid = |case: &Case| fs::read_to_string(case.folder.join("expect.pages.txt")).unwrap();
    let first = grid(reports.next().unwrap());
    assert_eq!(first.matches("== page").count(), 3);
    let mut others = 0;
    for case in reports {
        assert_eq!(grid(case), first, "{}", case.name);
        others += 1;
    }
    assert!(others >= 7);
}

#[test]
fn every_case_can_be_decoded_from_any_of_its_units() {
    for case in cases() {
        assert_restarts(&case.input, &case.how);
    }
}

// Mutations: no panic, no hang, every byte kept.

/// A small generator with a fixed seed, so that a failure comes back.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }
}

fn mutate(input: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        match dice.below(7) {
            0 => bytes.truncate(at),
            1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x55),
            2 => bytes.iter_mut().skip(at).take(2).for_each(|byte| *byte = 0),
            3 => bytes.iter_mut().skip(at).take(2).for_each(|byte| *byte = 0xFF),
            4 => bytes.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0x7F),
            5 => drop(bytes.drain(at..(at + 3).min(bytes.len()))),
            _ => {
                let piece: Vec<u8> = bytes.iter().skip(at).take(40).copied().collect();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

#[test]
fn mutated_cases_are_survived_and_keep_every_byte() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for case in cases() {
        for _ in 0..150 {
            let bytes = mutate(&case.input, &mut dice);
            let (all, _) = units(&bytes, Start::default(), &case.how);
            assert_covers(&bytes, &all);
            let decoder = open(&bytes, Start::default(), &case.how);
            for unit in &all {
                decoder.page(unit, &mut Notes::default());
            }
        }
    }
}

/// Specifications that between them use every framing and every carriage control.
fn any_spec() -> impl Strategy<Value = ReadSpec> {
    let framings = prop::sample::select(vec!["fixed", "rdw", "bdw-rdw", "le16", "be16", "nl", "crlf", "cr", "nel"]);
    let controls = prop::sample::select(vec!["asa", "machine", "none"]);
    let code_pages = prop::sample::select(vec!["ibm-1047", "ibm-939", "iso-8859-1", "utf-8", "gb18030"]);
    (framings, controls, code_pages, any::<bool>(), 1u16..9, 1u32..40).prop_map(
        |(framing, control, cp, trc, lines, length)| ReadSpec {
            framing: Some(framing.into()),
            carriage_control: Some(control.into()),
            code_page: Some(cp.into()),
            trc: Some(trc),
            lines_per_page: Some(lines),
            record_length: Some(length),
            ..ReadSpec::default()
        },
    )
}

/// Bytes that mean something to one framing or another more often than by chance.
fn lively_bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling =
        b"\x00\x00\x00\x01\x05\x06\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x15\x16\x1A\x25\x89\x8B\xF1\xF0\x4E\x40\x40 1+-0_";
    prop::collection::vec(prop_oneof![3 => prop::sample::select(telling.to_vec()), 1 => any::<u8>()], 0..400)
}

proptest! {
    #[test]
    fn any_bytes_are_in_exactly_one_unit_and_any_unit_can_be_the_start(bytes in lively_bytes(), how in any_spec()) {
        assert_restarts(&bytes, &how);
    }
}

// Behaviour in the small.

#[test]
fn text_starts_a_page_behind_a_form_feed_and_none_at_either_end() {
    let how = spec("text", "nl", "iso-8859-1");
    assert_eq!(text_pages("\x0cone\n\x0ctwo\n\x0c", &how), ["one", "two"]);
    assert_eq!(text_pages("one\x0ctwo", &how), ["one", "two"]);
    assert_eq!(text_pages("one\n\x0c\n", &how), ["one"]);
    assert_eq!(text_pages("one\x0c\x0ctwo", &how), ["one", "", "two"]);
}

#[test]
fn a_stream_of_blanks_only_is_one_page() {
    let text = spec("text", "nl", "iso-8859-1");
    assert_eq!(text_pages("   \n  \n\n", &text), [""]);
    assert_eq!(text_pages("\x0c \n\x0c", &text), [""], "blank pages before the last are none, as ever");
    assert_eq!(text_pages(" \n\x0cone\n", &text), ["one"]);
    assert!(text_pages("", &text).is_empty());
    let machine = spec("VM", "be16", "ibm-1047");
    assert_eq!(pages(b"\x00\x02\x09\x40\x00\x01\x8B", &machine), [""]);
    assert_eq!(pages(b"\x00\x02\x09\x40\x00\x01\x8B\x00\x02\x09\xC1", &machine), ["A"]);
}

#[test]
fn text_without_form_feeds_is_cut_by_the_page_length() {
    let how = ReadSpec { lines_per_page: Some(2), ..spec("text", "nl", "iso-8859-1") };
    assert_eq!(text_pages("a\nb\n\nc\nd", &how), ["a\nb", "\nc", "d"]);
    assert_eq!(
        text_pages("a\nb\n\x0cc\nd\n\x0c", &how),
        ["a\nb", "c\nd"],
        "a full page and a form feed are one page end"
    );
    assert_eq!(text_pages("a\nb\n\n\n", &how), ["a\nb", ""], "a blank page that is full is a page");
}

#[test]
fn one_line_behind_the_last_full_page_stays_on_it() {
    let how = ReadSpec { lines_per_page: Some(30), ..spec("text", "nl", "iso-8859-1") };
    let line = "x\n";
    assert_eq!(text_pages(&line.repeat(61), &how).len(), 2);
    assert_eq!(text_pages(&format!("{}\x1a", line.repeat(61)), &how).len(), 2);
    assert_eq!(text_pages(&line.repeat(62), &how).len(), 3);
    assert_restarts(line.repeat(61).as_bytes(), &how);
}

#[test]
fn a_double_eject_is_one_page_end() {
    let how = spec("VM", "be16", "ibm-1047");
    // Print and skip to channel 1, then skip to channel 1 again; the last skip makes no page.
    let bytes = b"\x00\x02\x89\xC1\x00\x01\x8B\x00\x02\x89\xC2\x00\x01\x8B";
    assert_eq!(pages(bytes, &how), ["A", "B"]);
}

#[test]
fn a_skip_to_a_channel_that_is_not_there_is_a_space() {
    let how = spec("textA", "nl", "iso-8859-1");
    assert_eq!(text_pages("1a\n7b\nCc\n", &how), [format!("a\nb{}c", "\n".repeat(61))]);
}

#[test]
fn the_first_overprint_of_a_page_prints() {
    let how = spec("textA", "nl", "iso-8859-1");
    assert_eq!(text_pages("+a\n+b\n1c\n", &how), ["a", "c"]);
}

#[test]
fn rows_beyond_the_form_start_a_page() {
    let how = ReadSpec { lines_per_page: Some(3), ..spec("textA", "nl", "iso-8859-1") };
    assert_eq!(text_pages("1a\n-b\n c\n", &how), ["a", "b\nc"]);
    let (all, _) = units(b"1a\n-b\n c\n", Start::default(), &how);
    assert_eq!(all[1].records_before, 1);
}

#[test]
fn a_carriage_return_alone_prints_over_the_line() {
    let how = spec("text", "crlf", "iso-8859-1");
    assert_eq!(text_pages("bold\rbold\r\n____ x\rword\r\n", &how), ["bold\nword x"]);
}

#[test]
fn a_record_that_is_too_long_is_printed_and_noted() {
    let how = ReadSpec { record_length: Some(4), ..spec("V", "be16", "iso-8859-1") };
    let (all, notes) = units(b"\x00\x05hello", Start::default(), &how);
    assert_eq!(notes.count("line-too-long"), 1);
    assert_eq!(all[0].text(&all[0].strikes[0]), b"hello");
}

#[test]
fn a_page_without_end_is_broken_in_two() {
    let how = spec("textA", "nl", "iso-8859-1");
    let bytes = b"+overprint for ever\n".repeat(25_000);
    let (all, notes) = units(&bytes, Start::default(), &how);
    assert_eq!((all.len(), notes.count("page-too-long")), (3, 2));
    assert_covers(&bytes, &all);
}

#[test]
fn controls_and_undecodable_bytes_are_counted_where_they_are() {
    let (_, notes) = units(b"ok\nbad \x07\n\x0cgo\xFFtext\n", Start::default(), &spec("text", "nl", "utf-8"));
    assert_eq!((notes.count("control-byte"), notes.count("undecodable-byte")), (1, 1));
    let undecodable = notes.iter().find(|note| note.code == "undecodable-byte").unwrap();
    assert_eq!((undecodable.first.page, undecodable.first.record, undecodable.first.byte), (2, 3, 12));
    assert_eq!(notes.iter().find(|note| note.code == "control-byte").unwrap().first.byte, 7);
}

#[test]
fn unknown_words_are_refused_and_say_what_is_allowed() {
    let refused = [
        (spec("FB", "fixed", "no-such-page"), "code_page"),
        (spec("FB", "fixed", "ibm-037"), "record_length"),
        (spec("Q", "nl", "ibm-037"), "record_format"),
        (spec("text", "pigeon", "ibm-037"), "framing"),
    ];
    for (how, expected) in refused {
        match Line.open(Box::new(&b""[..]), Start::default(), &how, &Context::default()) {
            Err(DecodeError::Unknown { key, allowed, .. }) => assert!(key == expected && !allowed.is_empty()),
            _ => panic!("{expected} was accepted"),
        }
    }
}

#[test]
fn pages_longer_than_the_usual_form_are_found_from_the_head() {
    let page = format!("1top\n{}", " line\n".repeat(79));
    let stream = page.repeat(5);
    let sample = Sample { head: stream.as_bytes(), total: None, name: None };
    let mut read = spec("textA", "nl", "iso-8859-1");
    fit::complete(&mut read, &ReadSpec::default(), &sample);
    assert_eq!((read.lines_per_page, read.record_length), (Some(88), Some(5)));
    assert_eq!(text_pages(&stream, &read).len(), 5);
}

// The corpus, when it is there: pages and records as MANIFEST.md counts them.

#[test]
fn pages_and_records_of_the_corpus_are_those_of_its_manifest() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus");
    let folder =
        std::env::var_os("GREENBAR_CORPUS").map_or_else(|| PathBuf::from(beside), PathBuf::from).join("linedata");
    if !folder.exists() {
        println!("skipped: no corpus at {}", folder.display());
        return;
    }
    let fixed = |length| ReadSpec { record_length: Some(length), ..spec("FBA", "fixed", "ibm-037") };
    let lined = |lines, framing: &str| ReadSpec { lines_per_page: Some(lines), ..spec("text", framing, "iso-8859-1") };
    let files = [
        ("stmt-037.fba", fixed(133), 957, 26_571),
        ("stmt-part-trc-037.fba", ReadSpec { trc: Some(true), ..fixed(134) }, 143, 4_000),
        ("telecom-935.fba", ReadSpec { code_page: Some("ibm-935".into()), ..fixed(133) }, 400, 4_987),
        ("stmt-part-037.vbm", spec("VBM", "bdw-rdw", "ibm-037"), 430, 12_001),
        ("stmt-part-1047.vba", spec("VBA", "rdw", "ibm-1047"), 430, 12_000),
        ("telecom-1388.vba", spec("VBA", "bdw-rdw", "ibm-1388"), 400, 4_987),
        ("stmt-part-ascii.asa", spec("textA", "crlf", "iso-8859-1"), 430, 12_000),
        ("telecom-gbk.asa", spec("textA", "nl", "gbk"), 400, 4_987),
        ("sales-register.lst", lined(59, "nl"), 22, 1_299),
        ("sales-register-crlf.lst", lined(59, "crlf"), 22, 1_299),
        ("notice-overstrike.txt", lined(66, "nl"), 151, 9_966),
        ("invoice2data-Orlen.txt", spec("text", "nl", "utf-8"), 1, 36),
    ];
    for (file, how, expected_pages, expected_records) in files {
        let bytes = fs::read(folder.join(file)).unwrap();
        let mut decoder = open(&bytes, Start::default(), &how);
        let (mut unit, mut notes, mut pages) = (Unit::default(), Notes::default(), 0);
        while decoder.next(&mut unit, &mut notes).unwrap() {
            pages += usize::from(unit.kind == UnitKind::Page);
        }
        assert_eq!((pages, decoder.records()), (expected_pages, expected_records), "{file}");
        let (all, _) = units(&bytes, Start::default(), &how);
        let middle = all.len() / 2;
        let (again, _) = units(&bytes, all[middle].start(), &how);
        assert_eq!(again.len(), all.len() - middle, "{file}");
        assert!(all[middle..].iter().zip(&again).all(|(left, right)| same(left, right)), "{file}");
        let survived: Vec<&str> =
            notes.iter().map(|note| note.code.as_str()).filter(|code| *code != "empty-page").collect();
        assert!(survived.is_empty(), "{file}: {survived:?}");
    }
}

#[test]
fn the_corpus_is_read_right_without_being_told_how() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus");
    let folder =
        std::env::var_os("GREENBAR_CORPUS").map_or_else(|| PathBuf::from(beside), PathBuf::from).join("linedata");
    if !folder.exists() {
        println!("skipped: no corpus at {}", folder.display());
        return;
    }
    let files = [
        ("stmt-037.fba", 957),
        ("stmt-part-trc-037.fba", 143),
        ("telecom-935.fba", 400),
        ("stmt-part-037.vbm", 430),
        ("stmt-part-1047.vba", 430),
        ("telecom-1388.vba", 400),
        ("stmt-part-ascii.asa", 430),
        ("telecom-gbk.asa", 400),
        ("sales-register.lst", 22),
        ("sales-register-crlf.lst", 22),
        ("notice-overstrike.txt", 151),
        ("invoice2data-Orlen.txt", 1),
    ];
    for (file, expected) in files {
        let bytes = fs::read(folder.join(file)).unwrap();
        let head = &bytes[..bytes.len().min(crate::decode::SAMPLE_BYTES)];
        let sniff =
            Line.sniff(&Sample { head, total: Some(bytes.len() as u64), name: Some(file) }, &ReadSpec::default());
        assert_eq!(pages(&bytes, &sniff.read).len(), expected, "{file}: {sniff:?}");
    }
}
