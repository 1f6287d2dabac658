//! Behaviour in the small, on streams made by hand.

use super::*;
use crate::decode::afp::field::FieldId;

/// A field with X'5A'.
pub(super) fn field(id: FieldId, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + data.len()).unwrap().to_be_bytes();
    [&[0x5A, length[0], length[1]], &id.0[..], &[0, 0, 0], data].concat()
}

pub(super) fn name(text: &str) -> Vec<u8> {
    let mut name = CodePage::find("ibm-500").unwrap().encode(text).unwrap();
    name.resize(8, 0x40);
    name
}

pub(super) fn tle(tag: &str, value: &str) -> Vec<u8> {
    let encode = |text: &str| CodePage::find("ibm-500").unwrap().encode(text).unwrap();
    let (tag, value) = (encode(tag), encode(value));
    let head = [u8::try_from(tag.len() + 4).unwrap(), 2, 0x0B, 0];
    let middle = [u8::try_from(value.len() + 4).unwrap(), 0x36, 0, 0];
    field(id::TLE, &[&head[..], &tag, &middle, &value].concat())
}

pub(super) fn page(content: &[Vec<u8>]) -> Vec<u8> {
    let pgd = field(id::PGD, &[0, 0, 0x38, 0x40, 0x38, 0x40, 0, 0x2F, 0xD0, 0, 0x3D, 0xE0, 0, 0, 0]);
    let all = [field(id::BPG, &name("P1")), field(id::BAG, &[]), pgd, field(id::EAG, &[]), content.concat()];
    [all.concat(), field(id::EPG, &[])].concat()
}

/// An overlay that paints its area: 1 by 2 inches, with this paper.
pub(super) fn overlay(called: &str, inner: &[Vec<u8>]) -> Vec<u8> {
    let color = [16, 0x4E, 0, 1, 0, 0, 0, 0, 8, 8, 8, 0, 255, 0, 0];
    let pgd = [&[0, 0, 0x38, 0x40, 0x38, 0x40, 0, 0x05, 0xA0, 0, 0x0B, 0x40, 0, 0, 0][..], &[15], &color[1..]].concat();
    let all = [
        field(id::BRS, &[&name(called)[..], &[0, 0, 10, 0x21, 0xFC, 0, 0, 0, 0, 0, 0, 0]].concat()),
        field(id::BMO, &name(called)),
        field(id::BAG, &[]),
        field(id::PGD, &pgd),
        field(id::EAG, &[]),
        inner.concat(),
        field(id::EMO, &[]),
        field(id::ERS, &[]),
    ];
    all.concat()
}

pub(super) fn include(called: &str, x: u8, turns: u16) -> Vec<u8> {
    field(id::IPO, &[&name(called)[..], &[0, x, 0, 0, 0, 0], &(turns * (90 << 7)).to_be_bytes()].concat())
}

pub(super) fn plain() -> ReadSpec {
    spec(Framing::Plain)
}

pub(super) fn first_page(bytes: &[u8]) -> (Page, Notes) {
    let (all, mut notes) = units(bytes, &plain());
    let mut decoder = open(bytes, Start::default(), &plain(), None);
    let mut unit = Unit::default();
    while decoder.next(&mut unit, &mut Notes::default()).unwrap() {}
    let page = all.iter().find(|unit| unit.kind == UnitKind::Page).unwrap();
    (decoder.page(page, &mut notes), notes)
}

#[test]
fn page_groups_and_tags_are_in_the_units_of_their_pages() {
    let stream = [
        field(id::BDT, &name("DOC")),
        field(id::BNG, &name("G1")),
        tle("Acct", "1"),
        page(&[tle("Page", "a")]),
        page(&[]),
        field(id::ENG, &[]),
        field(id::BNG, &name("G2")),
        tle("Acct", "2"),
        page(&[]),
        field(id::NOP, b"late"),
        field(id::ENG, &[]),
        field(id::EDT, &[]),
    ];
    let bytes = stream.concat();
    let (all, notes) = units(&bytes, &plain());
    assert_covers(&bytes, &all, "groups");
    assert_eq!(notes.iter().count(), 0);
    let seen: Vec<_> = all
        .iter()
        .map(|unit| {
            let tags: Vec<String> = unit.tags.iter().map(|tag| format!("{}={}", tag.name, tag.value)).collect();
            (unit.kind, unit.page, unit.group_starts.as_deref(), unit.group_ends, tags.join(" "))
        })
        .collect();
    let (page, outside) = (UnitKind::Page, UnitKind::Outside);
    assert_eq!(
        seen,
        [
            (outside, 0, None, false, String::new()),
            (page, 1, Some("G1"), false, "Acct=1 Page=a".into()),
            (page, 2, None, true, "Acct=1".into()),
            (page, 3, Some("G2"), true, "Acct=2".into()),
            (outside, 3, None, false, String::new()),
        ]
    );
}

#[test]
fn nested_groups_make_one_document_of_the_outermost() {
    let stream = [
        field(id::BNG, &name("OUT")),
        tle("A", "1"),
        field(id::BNG, &name("IN")),
        tle("B", "2"),
        page(&[]),
        field(id::ENG, &[]),
        page(&[]),
        field(id::ENG, &[]),
    ];
    let (all, _) = units(&stream.concat(), &plain());
    let seen: Vec<_> =
        all.iter().map(|unit| (unit.group_starts.as_deref(), unit.group_ends, unit.tags.len())).collect();
    assert_eq!(seen, [(Some("OUT"), false, 2), (None, true, 1)]);
}

#[test]
fn overlays_are_forms_at_their_place() {
    let resources = [field(id::BRG, &[]), overlay("O1A", &[]), field(id::ERG, &[])].concat();
    let stream = [resources, field(id::BDT, &[]), page(&[include("O1A", 1, 1), include("O1A", 2, 0)])].concat();
    let (page, notes) = first_page(&stream);
    let [Element::Form(one), Element::Form(two)] = &page.elements[..] else { panic!("{:?}", page.elements) };
    assert_eq!((one.x.0, one.turns, two.x.0), (2560, 1, 5120));
    assert!(Arc::ptr_eq(&one.form, &two.form), "made once");
    assert_eq!((one.form.width.0, one.form.height.0, one.form.name.as_str()), (14_400, 28_800, "O1A"));
    let [Element::Rule(paper)] = &one.form.elements[..] else { panic!("{:?}", one.form.elements) };
    assert_eq!((paper.width.0, paper.color.r, paper.color.g), (14_400, 255, 0));
    assert_eq!(notes.iter().count(), 0);
    assert_eq!((page.width.0, page.height.0), (122_400, 158_400));
}

#[test]
fn an_overlay_inside_itself_ends() {
    let inside = [include("O1B", 0, 0)];
    let back = [include("O1A", 0, 0)];
    let resources = [field(id::BRG, &[]), overlay("O1A", &inside), overlay("O1B", &back), field(id::ERG, &[])].concat();
    let stream = [resources, page(&[include("O1A", 1, 0)])].concat();
    let (_, notes) = first_page(&stream);
    assert_eq!(notes.count("afp-nesting"), 1);
}

#[test]
fn missing_resources_are_named_when_the_stream_is_read_and_when_it_is_drawn() {
    let segment = field(id::IPS, &[&name("S1X")[..], &[0; 6]].concat());
    let stream = page(&[include("O1A", 0, 0), include("O1B", 0, 0), segment]);
    let (_, notes) = units(&stream, &plain());
    let details: Vec<_> = notes.iter().map(|note| (note.code.as_str(), note.count, note.detail.as_str())).collect();
    assert_eq!(details, [("afp-missing-resource", 3, "overlay O1A; overlay O1B; page-segment S1X")]);
    let mut drawn = Notes::default();
    let (all, _) = units(&stream, &plain());
    open(&stream, Start::default(), &plain(), None).page(&all[0], &mut drawn);
    assert_eq!(drawn.count("afp-missing-resource"), 3);
}

#[test]
fn a_later_resource_group_shadows_an_earlier_one_from_there_on() {
    let wide = overlay("O1A", &[]);
    let mut other = overlay("O1A", &[]);
    // Another width: 2 inches.
    let at = other.windows(3).position(|bytes| bytes == [0, 0x05, 0xA0]).unwrap();
    other[at..at + 3].copy_from_slice(&[0, 0x0B, 0x40]);
    let group = |overlay: &[u8]| [&field(id::BRG, &[])[..], overlay, &field(id::ERG, &[])].concat();
    let one = [field(id::BDT, &[]), page(&[include("O1A", 0, 0)]), field(id::EDT, &[])].concat();
    let bytes = [group(&wide), one.clone(), group(&other), one].concat();
    let (all, _) = units(&bytes, &plain());
    let shared = shared_of(&all, &plain());
    let pages: Vec<&Unit> = all.iter().filter(|unit| unit.kind == UnitKind::Page).collect();
    let widths: Vec<i32> = pages
        .iter()
        .map(|unit| {
            let decoder = open(&unit.bytes, unit.start(), &plain(), Some(shared.clone()));
            let page = decoder.page(unit, &mut Notes::default());
            let [Element::Form(form)] = &page.elements[..] else { panic!("a form") };
            form.form.width.0
        })
        .collect();
    assert_eq!(widths, [14_400, 28_800]);
}

#[test]
fn a_page_that_never_ends_is_a_page() {
    let stream = [field(id::BPG, &[]), field(id::BPG, &[]), field(id::EPG, &[]), field(id::BPG, &[])].concat();
    let (all, notes) = units(&stream, &plain());
    assert_eq!((all.len(), notes.count("afp-not-ended")), (3, 2));
    assert_covers(&stream, &all, "open pages");
}

#[test]
fn a_broken_field_costs_only_itself() {
    let mut stream = [field(id::BDT, &name("D")), page(&[field(id::NOP, &[7; 20])]), page(&[])].concat();
    let at = stream.windows(3).position(|bytes| bytes == id::NOP.0).unwrap();
    stream[at - 2..at].copy_from_slice(&[0, 3]);
    let (all, notes) = units(&stream, &plain());
    assert_eq!(all.iter().filter(|unit| unit.kind == UnitKind::Page).count(), 2);
    let note = notes.iter().find(|note| note.code == "afp-broken-field").unwrap();
    assert_eq!((note.count, note.first.byte, note.first.page), (1, at as u64 - 3, 1));
    assert!(note.detail.contains("NOP"), "{}", note.detail);
    assert_covers(&stream, &all, "broken");
}

#[test]
fn unknown_fields_are_counted_by_id() {
    let stream = page(&[field(FieldId([0xD3, 0xA7, 0x01]), &[]), field(FieldId([0xD3, 0xA7, 0x01]), &[])]);
    let (_, notes) = units(&stream, &plain());
    let note = notes.iter().next().unwrap();
    assert_eq!((note.code.as_str(), note.count, note.detail.as_str()), ("afp-unknown-field", 2, "X'D3A701'"));
}

#[test]
fn form_maps_place_pages_and_print_overlays() {
    let mdd = field(id::MDD, &[0, 0, 0x38, 0x40, 0x38, 0x40, 0, 0x3D, 0xE0, 0, 0x3D, 0xE0, 0]);
    let map = |called: &str, x: u8, lid: &[u8]| {
        [
            field(id::BMM, &name(called)),
            field(id::PGP, &[1, 10, 0, x, 0, 0, 0, 0, 0, 0, 0]),
            field(id::MCC, &[0, 1, 0, 1, 0, 1]),
            field(id::MMC, &[&[1, 0xFF][..], lid].concat()),
            field(id::EMM, &[]),
        ]
        .concat()
    };
    let mmo = field(id::MMO, &[&[12, 0, 0, 0, 7, 0, 0, 0][..], &name("O1A")].concat());
    let form_map = [
        field(id::BRS, &[&name("F1A")[..], &[0, 0, 10, 0x21, 0xFE, 0, 0, 0, 0, 0, 0, 0]].concat()),
        field(id::BFM, &[]),
        field(id::BDG, &[]),
        mdd,
        mmo,
        field(id::EDG, &[]),
        map("M1", 1, &[]),
        map("M2", 2, &[0xF2, 7]),
        field(id::EFM, &[]),
        field(id::ERS, &[]),
    ];
    let mut black =
        page(&[field(id::BPT, &[]), field(id::PTX, b"\x2B\xD3\x07\xE4\x01\x00\x00\x14\x00"), field(id::EPT, &[])]);
    let invoke = field(id::IMM, &name("M2"));
    let stream = [
        field(id::BRG, &[]),
        form_map.concat(),
        overlay("O1A", &[]),
        field(id::ERG, &[]),
        field(id::BDT, &[]),
        black.clone(),
        [invoke, black.clone()].concat(),
        std::mem::take(&mut black),
        field(id::BDT, &[]),
        page(&[]),
    ]
    .concat();
    let (all, notes) = units(&stream, &plain());
    assert_eq!(notes.iter().count(), 0, "{notes:?}");
    let shared = shared_of(&all, &plain());
    let pages: Vec<&Unit> = all.iter().filter(|unit| unit.kind == UnitKind::Page).collect();
    let seen: Vec<(i32, bool)> = pages
        .iter()
        .map(|unit| {
            let page =
                open(&unit.bytes, unit.start(), &plain(), Some(shared.clone())).page(unit, &mut Notes::default());
            assert_eq!((page.width.0, page.height.0), (158_400, 158_400), "the sheet");
            let x = page.elements.iter().find_map(|element| match element {
                Element::Rule(rule) => Some(rule.x.0),
                _ => None,
            });
            let form = page.elements.iter().any(|element| matches!(element, Element::Form(form) if form.x.0 == 0));
            (x.unwrap_or(-1), form)
        })
        .collect();
    assert_eq!(seen, [(2560, false), (5120, true), (5120, true), (-1, false)]);
    // Alone, the third page brings the medium map that was in force.
    let alone = alone_in(&all, pages[2].bytes.clone(), pages[2], &plain(), &Context::default());
    let (page, _) = first_page(&alone);
    assert!(matches!(&page.elements[..], [Element::Form(_), Element::Rule(rule)] if rule.x.0 == 5120));
}

#[test]
fn text_translated_afp_is_named_and_nothing_of_it_is_believed() {
    let bytes = b"!\x00\x10Lyy\0\0\0        !\x00\x10Lyu\0\0\0        !\x00\x10Ly\xAE\0\0\0        ";
    let sniff = Afp.sniff(&Sample { head: bytes, total: None, name: None }, &ReadSpec::default());
    assert!(sniff.confidence > 0.5 && sniff.evidence[0].contains("binary"), "{sniff:?}");
    let (all, notes) = units(bytes, &sniff.read);
    assert_covers(bytes, &all, "translated");
    assert_eq!(notes.count("afp-translated"), 1);
}

#[test]
fn document_triplets_are_shared_when_they_say_something_new() {
    let begin = |ccsid: u16| {
        let mut data = name("D");
        data.extend([0, 0, 6, 1, 0, 0]);
        data.extend(ccsid.to_be_bytes());
        field(id::BDT, &data)
    };
    let group = |value: u8| {
        let tag = field(id::TLE, &[5, 2, 0x0B, 0, 0xC1, 5, 0x36, 0, 0, value]);
        [field(id::BNG, &name("G")), tag, page(&[]), field(id::ENG, &[]), field(id::EDT, &[])].concat()
    };
    let stream = [begin(500), group(0x9F), begin(1140), group(0x9F), begin(500), group(0x9F)].concat();
    let (all, _) = units(&stream, &plain());
    let shared: Vec<bool> = all.iter().filter(|unit| unit.kind == UnitKind::Outside).map(|unit| unit.shared).collect();
    assert_eq!(shared, [true, true, false, false]);
    let values: Vec<&str> = all.iter().flat_map(|unit| unit.tags.iter().map(|tag| &*tag.value)).collect();
    assert_eq!(values, ["\u{A4}", "\u{20AC}", "\u{A4}"]);
    // Alone, the second document keeps its character set.
    let second = all.iter().filter(|unit| unit.kind == UnitKind::Page).nth(1).unwrap();
    let alone = alone_in(&all, second.bytes.clone(), second, &plain(), &Context::default());
    let (again, _) = units(&alone, &plain());
    let tag = again.iter().find_map(|unit| unit.tags.first()).unwrap();
    assert_eq!(&*tag.value, "\u{20AC}");
}
