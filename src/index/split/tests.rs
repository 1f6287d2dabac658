use proptest::prelude::*;

use super::*;
use crate::decode::{Strike, Tag};
use crate::index::region::tests::put;
use crate::index::value::{Day, Decimal};

const HEAD: &str = "name = \"r\"\ntitle = \"R\"\nkind = \"report\"\n";

fn definition(body: &str) -> Definition {
    Definition::parse(&format!("{HEAD}{body}"), "r.toml").unwrap_or_else(|errors| panic!("{errors}"))
}

/// Makes units of rows of text; a page is a list of (row, text), `None` is bytes outside.
#[derive(Default)]
struct Stream {
    byte: u64,
    page: u64,
    records: u64,
}

impl Stream {
    fn page(&mut self, rows: &[(u16, &str)]) -> Unit {
        self.page += 1;
        let mut unit = self.unit(UnitKind::Page);
        for (row, text) in rows {
            let at = u32::try_from(unit.bytes.len()).expect("small");
            unit.bytes.extend_from_slice(text.as_bytes());
            unit.bytes.push(b'\n');
            let len = u32::try_from(text.len()).expect("small");
            unit.strikes.push(Strike { row: *row, at, len, trc: 0 });
        }
        self.close(unit, rows.len())
    }

    fn outside(&mut self) -> Unit {
        let mut unit = self.unit(UnitKind::Outside);
        unit.bytes = b"junk".to_vec();
        self.close(unit, 0)
    }

    fn unit(&self, kind: UnitKind) -> Unit {
        Unit { kind, page: self.page, records_before: self.records, resume: self.byte ^ 0x5A, ..Unit::default() }
    }

    fn close(&mut self, mut unit: Unit, records: usize) -> Unit {
        unit.bytes.push(b'\x0C');
        let end = self.byte + unit.bytes.len() as u64;
        unit.span = self.byte..end;
        self.byte = end;
        self.records += records as u64;
        unit
    }
}

fn run(definition: &Definition, units: &[Unit]) -> (Vec<Cut>, Notes) {
    let cp = CodePage::find("iso-8859-1").expect("a known page");
    let mut splitter = Splitter::new(definition, cp).named("in.txt");
    let (mut notes, mut cuts) = (Notes::default(), Vec::new());
    for unit in units {
        splitter.push(unit, &mut notes, &mut cuts);
    }
    splitter.finish(&mut notes, &mut cuts);
    (cuts, notes)
}

/// `D2` is a document of two pages, `-before-first-document1` a page set aside.
fn shape(cuts: &[Cut]) -> String {
    let each = cuts.iter().map(|cut| match cut {
        Cut::Document(draft) => format!("D{}", draft.pages),
        Cut::SetAside(piece) => format!("-{}{}", piece.reason, piece.pages),
    });
    each.collect::<Vec<_>>().join(" ")
}

fn documents(cuts: &[Cut]) -> Vec<&Draft> {
    cuts.iter().filter_map(|cut| if let Cut::Document(draft) = cut { Some(draft) } else { None }).collect()
}

const BY_HEADING: &str = "[[trigger]]\nname = \"top\"\nrow = 1\ntext = \"BILL\"\n[[trigger]]\nname = \"next\"\nrow = 1\ntext = \"CONTINUED\"\n[document]\nwhen = [\"top\"]\ncontinues = [\"next\"]\n";

#[test]
fn documents_start_at_triggers_and_pages_that_do_not_continue_are_set_aside() {
    let mut s = Stream::default();
    let units = [
        s.outside(),
        s.page(&[(1, "banner")]),
        s.page(&[(1, "BILL 1")]),
        s.page(&[(1, "CONTINUED")]),
        s.outside(),
        s.page(&[(1, "CONTINUED")]),
        s.page(&[(1, "summary")]),
        s.page(&[(1, "BILL 2")]),
        s.outside(),
    ];
    let (cuts, _) = run(&definition(BY_HEADING), &units);
    assert_eq!(shape(&cuts), "-outside0 -before-first-document1 D3 -between-documents1 D1 -outside0");
    let first = documents(&cuts)[0];
    assert_eq!((first.first_page, first.records_before), (2, 1));
    assert_eq!(first.span, units[2].span.start..units[5].span.end, "bytes between its pages belong to the document");
    assert_eq!(first.resume, units[2].resume);
}

#[test]
fn an_excluded_page_inside_a_document_stays_there_and_one_between_documents_does_not() {
    let body = format!(
        "{BY_HEADING}[[exclude]]\nbuiltin = \"blank\"\n[[exclude]]\nname = \"sep\"\nends_document = true\nrow = 1\ntext = \"****\"\n"
    );
    let mut s = Stream::default();
    let units = [
        s.page(&[(1, "BILL 1")]),
        s.page(&[(3, "   ")]),
        s.page(&[(1, "CONTINUED")]),
        s.page(&[]),
        s.page(&[(1, "BILL 2")]),
        s.page(&[(1, "****")]),
        s.page(&[(1, "CONTINUED")]),
    ];
    let (cuts, notes) = run(&definition(&body), &units);
    assert_eq!(shape(&cuts), "D3 -excluded: blank1 D1 -excluded: sep1 -between-documents1");
    assert_eq!(notes.count("empty-page"), 1);
}

#[test]
fn a_page_of_another_account_never_joins_the_document_before() {
    let field = "[[field]]\nname = \"account\"\nrow = 2\ncolumns = \"1-4\"\n";
    let body = format!("{field}{BY_HEADING}by = [\"account\"]\naccount = \"account\"\n");
    let mut s = Stream::default();
    let units = [
        s.page(&[(1, "BILL"), (2, "1111")]),
        s.page(&[(1, "CONTINUED"), (2, "1111")]),
        s.page(&[(1, "advertisement")]),
        s.page(&[(1, "CONTINUED"), (2, "1111")]),
        s.page(&[(1, "B?LL"), (2, "2222")]),
        s.page(&[(1, "CONTINUED"), (2, "2222")]),
        s.page(&[(1, "BILL"), (2, "2222")]),
    ];
    let (cuts, _) = run(&definition(&body), &units);
    assert_eq!(shape(&cuts), "D4 D2 D1");
    let accounts: Vec<Option<&str>> = documents(&cuts).iter().map(|draft| draft.account.as_deref()).collect();
    assert_eq!(accounts, [Some("1111"), Some("2222"), Some("2222")]);
}

#[test]
fn a_new_value_starts_a_document_and_a_missing_one_does_not() {
    let body = "[[field]]\nname = \"branch\"\nrow = 1\ncolumns = \"1-3\"\n[document]\nstart = \"value\"\nby = [\"branch\"]\ntitle = \"{file}: {branch}\"\n";
    let mut s = Stream::default();
    let units = ["", "001", "001", "", "002", "001"].map(|branch| s.page(&[(1, branch), (2, "x")]));
    let (cuts, _) = run(&definition(body), &units);
    assert_eq!(shape(&cuts), "-before-first-document1 D3 D1 D1");
    assert_eq!(
        documents(&cuts).iter().map(|d| d.title.as_str()).collect::<Vec<_>>(),
        ["in.txt: 001", "in.txt: 002", "in.txt: 001"]
    );
}

#[test]
fn documents_of_n_pages_know_the_first_and_last_value_of_a_sorted_report() {
    let body = "[[field]]\nname = \"customer\"\nspan = true\nrow = \"2-\"\ncolumns = 1\nmask = \"####\"\n[document]\nstart = \"pages\"\npages = 2\n";
    let mut s = Stream::default();
    let mut page = |a: &str, b: &str| s.page(&[(1, "9999 heading"), (2, a), (3, b), (4, "total")]);
    let units = [page("0001", "0002"), page("0003", "0007"), page("0008", "0011")];
    let (cuts, _) = run(&definition(body), &units);
    let spans: Vec<&FieldValue> = documents(&cuts).iter().map(|draft| &draft.fields[0].1).collect();
    let text = |value: &str| Value::Text(value.into());
    assert_eq!(spans, [&FieldValue::Span(text("0001"), text("0007")), &FieldValue::Span(text("0008"), text("0011"))]);
}

#[test]
fn tags_and_page_groups_start_documents() {
    let mut s = Stream::default();
    let mut tagged = |value: &str, starts: bool, ends: bool| {
        let mut unit = s.page(&[(1, "x")]);
        unit.tags.push(Tag { name: "ACCT".into(), value: value.into() });
        unit.group_starts = starts.then(|| value.into());
        unit.group_ends = ends;
        unit
    };
    let units =
        [tagged("1", true, false), tagged("1", false, true), tagged("2", false, false), tagged("2", true, true)];
    let field = "[[field]]\nname = \"account\"\ntag = \"ACCT\"\n[document]\naccount = \"account\"\n";
    let (cuts, _) = run(&definition(&format!("{field}start = \"tag\"\ntag = \"ACCT\"\n")), &units);
    assert_eq!(shape(&cuts), "D2 D2");
    assert_eq!(documents(&cuts)[1].account.as_deref(), Some("2"));
    let (cuts, _) = run(&definition(&format!("{field}start = \"group\"\n")), &units);
    assert_eq!(shape(&cuts), "D2 -between-documents1 D1");
}

const TYPED: &str = r#"
[[trigger]]
name = "total"
text = "TOTAL"
upwards = true
[[field]]
name = "day"
type = "date"
format = ["%Y-%m-%d", "%d.%m.%Y"]
row = 1
columns = "1-10"
[[field]]
name = "total"
type = "decimal"
page = "last"
trigger = "total"
columns = "8-"
min = "0"
[[field]]
name = "kind"
row = 1
columns = "12-14"
one_of = ["NEW", "OLD"]
default = "ANY"
[[field]]
name = "item"
transaction = true
row = "2-9"
columns = "1-4"
line = { column = 6, text = "*" }
[[field]]
name = "must"
required = true
row = 60
columns = "1-"
[document]
start = "stream"
date = "day"
"#;

#[test]
fn fields_are_typed_and_faults_are_counted_with_their_page() {
    let mut s = Stream::default();
    let good = [
        s.page(&[(1, "2024-03-31 NEW"), (2, "aaaa *"), (3, "bbbb -"), (4, "aaaa *"), (5, "TOTAL  1.00")]),
        s.page(&[(2, "cccc *"), (3, "TOTAL  2.00"), (7, "TOTAL  3.50")]),
    ];
    let definition = definition(TYPED);
    let (cuts, notes) = run(&definition, &good);
    let draft = documents(&cuts)[0];
    let text = |value: &str| Value::Text(value.into());
    assert_eq!(
        draft.fields,
        [
            (0, FieldValue::One(Value::Date(Day::from_ymd(2024, 3, 31).expect("a day")))),
            (1, FieldValue::One(Value::Decimal(Decimal { units: 350, scale: 2 }))),
            (2, FieldValue::One(text("NEW"))),
            (3, FieldValue::Many(vec![text("aaaa"), text("cccc")])),
        ]
    );
    assert_eq!(draft.date.map(Day), Day::from_ymd(2024, 3, 31));
    assert_eq!(notes.count("field-missing"), 1, "the document is made all the same");

    let mut s = Stream::default();
    let bad = [s.page(&[(1, "31/31/2024 BAD")]), s.page(&[(1, "TOTAL  -1.00")])];
    let (cuts, notes) = run(&definition, &bad);
    assert_eq!(documents(&cuts)[0].fields, [(2, FieldValue::One(text("ANY")))]);
    assert_eq!((notes.count("field-bad-date"), notes.count("field-invalid")), (1, 2));
    let bad_date = notes.iter().find(|note| note.code == "field-bad-date").expect("counted");
    assert_eq!((bad_date.first.page, bad_date.detail.as_str()), (1, "day"));
    let invalid = notes.iter().find(|note| note.code == "field-invalid").expect("counted");
    assert_eq!(invalid.pages, [(2, 1), (1, 1)], "total on page 2, kind on page 1");
}

#[test]
fn places_relative_to_a_trigger_joined_lines_and_labels() {
    let body = r#"
[[trigger]]
name = "to"
row = "2-9"
column = 3
text = "To:"
[[trigger]]
name = "under"
trigger = "to"
row = "1-2"
printed = true
[[field]]
name = "address"
trigger = "to"
row = "1-9"
columns = "3-"
join = " | "
until_blank = true
[[field]]
name = "number"
row = 1
after = "No"
[[field]]
name = "sum"
type = "decimal"
row = 1
after = "Sum"
before = "EUR"
[document]
when = ["to", "under"]
"#;
    let mut s = Stream::default();
    let units = [
        s.page(&[(1, "No.....: 17  Sum 5.00 EUR"), (3, "x To: you"), (4, "  To: no")]),
        s.page(&[(1, "No: 18 a  b Sum .50EUR"), (5, "  To:"), (6, "  Street 1"), (7, "  Town"), (9, "  Not me")]),
    ];
    let (cuts, _) = run(&definition(body), &units);
    assert_eq!(shape(&cuts), "D1 D1");
    let values =
        |draft: &Draft| draft.fields.iter().map(|(n, v)| format!("{n}={}", first_value(v))).collect::<Vec<_>>();
    assert_eq!(values(documents(&cuts)[0]), ["0=To: no", "1=17", "2=5.00"]);
    assert_eq!(values(documents(&cuts)[1]), ["0=Street 1 | Town", "1=18 a", "2=0.50"]);
}

#[test]
fn separator_pages_of_job_systems_are_known() {
    let body = "[[exclude]]\nbuiltin = \"jes2\"\n[[exclude]]\nbuiltin = \"jes3\"\n[[exclude]]\nbuiltin = \"vps\"\n[document]\nstart = \"stream\"\n";
    let mut s = Stream::default();
    let line = "****A  START  JOB 1234  PAYROLL  J SMITH   ROOM 12   10.11.12 AM 03 MAR 24  SYS1 A START****";
    let jes2 = s.page(&[(1, "PPPP  A"), (20, line)]);
    let blocks: Vec<(u16, &str)> = (1..=14).map(|row| (row, "JJJJJ  OOOO  BBBB")).collect();
    let jes3 = s.page(&blocks);
    let vps = s.page(&[(1, "**START*****START*****START****"), (2, "* JOBID: JOB31241")]);
    let bill = s.page(&[(1, "AAAA BBBB"), (2, "START JOB 12 ROOM"), (3, "a bill")]);
    let (cuts, _) = run(&definition(body), &[jes2, jes3, vps, bill]);
    assert_eq!(shape(&cuts), "-excluded: jes21 -excluded: jes31 -excluded: vps1 D1");
}

#[test]
fn a_mark_stands_every_so_many_pages() {
    let mut s = Stream::default();
    let units: Vec<Unit> = (0..40).map(|_| s.page(&[(1, "x")])).collect();
    let (cuts, _) = run(&Definition::whole(), &units);
    let draft = documents(&cuts)[0];
    let marks: Vec<u32> = draft.marks.iter().map(|mark| mark.page).collect();
    assert_eq!((draft.pages, marks, draft.title.as_str()), (40, vec![16, 32], "in.txt"));
    assert_eq!((draft.marks[1].byte, draft.marks[1].resume), (units[32].span.start, units[32].resume));
}

proptest! {
    /// Whatever comes, pieces are in order, touch each other, cover every unit and page, and documents start and end with pages.
    #[test]
    fn pieces_cover_every_unit_exactly(kinds in proptest::collection::vec(0_u8..8, 0..80), which in 0_usize..5) {
        let mut s = Stream::default();
        let units: Vec<Unit> = kinds.iter().map(|kind| match kind {
            0 => s.outside(),
            1 => s.page(&[]),
            2 | 3 => s.page(&[(1, "BILL"), (2, "001")]),
            4 => s.page(&[(1, "CONTINUED"), (2, "002")]),
            5 => s.page(&[(1, "****")]),
            6 => s.page(&[(1, "other")]),
            _ => s.page(&[(1, "CONTINUED"), (1, "BILL")]),
        }).collect();
        let excludes = "[[exclude]]\nbuiltin = \"blank\"\n[[exclude]]\nname = \"sep\"\nends_document = true\ntext = \"****\"\n";
        let value = "[[field]]\nname = \"b\"\nrow = 2\ncolumns = \"1-3\"\n[document]\nstart = \"value\"\nby = [\"b\"]\n";
        let body = [
            format!("{BY_HEADING}{excludes}"),
            format!("{value}{excludes}"),
            format!("[document]\nstart = \"pages\"\npages = 17\n{excludes}"),
            "[document]\nstart = \"stream\"\n".to_owned(),
            format!("[document]\nstart = \"group\"\n{excludes}"),
        ];
        let (cuts, _) = run(&definition(&body[which]), &units);
        let (mut byte, mut page) = (0, 0);
        for cut in &cuts {
            let (span, pages) = match cut {
                Cut::Document(draft) => {
                    let first = units.iter().find(|unit| unit.span.start == draft.span.start).expect("starts at a unit");
                    let last = units.iter().find(|unit| unit.span.end == draft.span.end).expect("ends with a unit");
                    prop_assert!(first.kind == UnitKind::Page && last.kind == UnitKind::Page);
                    prop_assert_eq!(draft.first_page, page + 1);
                    for mark in &draft.marks {
                        let at = units.iter().find(|unit| unit.span.start == mark.byte).expect("a mark is at a unit");
                        prop_assert_eq!((at.page, at.resume), (draft.first_page + u64::from(mark.page), mark.resume));
                    }
                    let expected = draft.pages.saturating_sub(1) / PAGES_PER_MARK;
                    prop_assert_eq!(draft.marks.len(), usize::try_from(expected).expect("few"));
                    (&draft.span, u64::from(draft.pages))
                }
                Cut::SetAside(piece) => {
                    prop_assert_eq!(piece.first_page, page + 1);
                    (&piece.span, piece.pages)
                }
            };
            prop_assert_eq!(span.start, byte);
            byte = span.end;
            page += pages;
        }
        prop_assert_eq!((byte, page), (s.byte, s.page));
    }
}

fn tag(name: &str, value: &str) -> Tag {
    Tag { name: name.into(), value: value.into() }
}

fn group(name: &str, starts: bool, ends: bool) -> crate::decode::PageGroup {
    crate::decode::PageGroup { name: name.into(), starts, ends }
}

#[test]
fn documents_are_the_groups_of_the_level_that_is_asked_for() {
    let mut s = Stream::default();
    let mut page = |groups: &[(&str, bool, bool)]| {
        let mut unit = s.page(&[(1, "x")]);
        unit.groups = groups.iter().map(|(name, starts, ends)| group(name, *starts, *ends)).collect();
        unit.group_starts = groups.first().filter(|(_, starts, _)| *starts).map(|(name, ..)| (*name).into());
        unit.group_ends = groups.first().is_some_and(|(_, _, ends)| *ends);
        unit
    };
    let units = [
        page(&[("A", true, false), ("a1", true, false)]),
        page(&[("A", false, false), ("a1", false, true)]),
        page(&[("A", false, false), ("a2", true, true)]),
        page(&[("A", false, true)]),
        page(&[]),
        page(&[("B", true, true), ("b1", true, true)]),
    ];
    let field = "[[field]]\nname = \"part\"\ngroup = ";
    let outer = definition(&format!("[document]\nstart = \"group\"\n{field}1\n"));
    let (cuts, _) = run(&outer, &units);
    assert_eq!(shape(&cuts), "D4 -between-documents1 D1");
    let inner = definition(&format!("[document]\nstart = \"group\"\nlevel = 2\n{field}2\nregex = '[0-9]'\n"));
    let (cuts, _) = run(&inner, &units);
    assert_eq!(shape(&cuts), "D2 D1 -between-documents2 D1");
    let parts: Vec<String> = documents(&cuts).iter().map(|draft| format!("{:?}", draft.fields)).collect();
    assert!(parts[0].contains("\"1\"") && parts[1].contains("\"2\""), "{parts:?}");
    assert!(!inner.wants_text(), "groups need no text");
}

#[test]
fn fields_come_from_regions_and_from_parts_of_tags() {
    let body = "[document]\nstart = \"tag\"\ntag = \"Key\"\n\
        [[field]]\nname = \"address\"\nregion = { x = 1, y = 1, width = 3, height = 1, unit = \"in\" }\nrow = \"2-\"\njoin = \" | \"\n\
        [[field]]\nname = \"name\"\nregion = { x = 25.4, y = 25.4, width = 76.2, height = 25.4, unit = \"mm\" }\n\
        [[field]]\nname = \"due\"\nregion = { x = 300, y = 0, width = 200, height = 800, unit = \"pt\" }\nafter = \"Due:\"\n\
        [[field]]\nname = \"year\"\ntype = \"integer\"\ntag = \"Key\"\nregex = '^[0-9]{4}'\n\
        [[field]]\nname = \"all\"\ntransaction = true\ntag = \"Line\"\n";
    let definition = definition(body);
    assert!(definition.wants_text());
    let mut s = Stream::default();
    let mut unit = s.page(&[]);
    put(&mut unit, 80.0, 100.0, 0, "1 Elm St");
    put(&mut unit, 80.0, 85.0, 0, "Jane");
    put(&mut unit, 110.0, 85.0, 0, "Roe");
    put(&mut unit, 80.0, 115.0, 0, "Salem OR");
    put(&mut unit, 320.0, 85.0, 0, "Due: May 3");
    unit.tags = vec![tag("Key", "2024-17"), tag("Line", "one"), tag("Line", "two"), tag("Line", " ")];
    let (cuts, notes) = run(&definition, &[unit]);
    assert_eq!(notes.count("empty-page"), 0, "placed text is text");
    let text = format!("{:?}", documents(&cuts)[0].fields);
    for wanted in ["1 Elm St | Salem OR", "\"Jane Roe\"", "\"May 3\"", "2024", "\"one\"", "\"two\""] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn triggers_look_at_regions_and_tags() {
    let body = "[[trigger]]\nname = \"first\"\nregion = { x = 0, y = 0, width = 8, height = 1, unit = \"in\" }\nregex = 'Page 1$'\n\
        [[trigger]]\nname = \"bill\"\ntag = \"Kind\"\ntext = \"BILL\"\n\
        [[exclude]]\nname = \"advert\"\ntag = \"Advert\"\n\
        [document]\nwhen = [\"first\", \"bill\"]\n";
    let definition = definition(body);
    let mut s = Stream::default();
    let mut page = |text: &str, tags: Vec<Tag>| {
        let mut unit = s.page(&[]);
        put(&mut unit, 500.0, 40.0, 0, text);
        unit.tags = tags;
        unit
    };
    let units = [
        page("Page 1", vec![tag("Kind", "LETTER")]),
        page("Page 1", vec![tag("Kind", "A BILL")]),
        page("Page 2", vec![tag("Kind", "A BILL")]),
        page("Page 3", vec![tag("Advert", "")]),
        page("Page 1", vec![tag("Kind", "BILL")]),
    ];
    let (cuts, _) = run(&definition, &units);
    assert_eq!(shape(&cuts), "-before-first-document1 D2 -excluded: advert1 D1");
}
