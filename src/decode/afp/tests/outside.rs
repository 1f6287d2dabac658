//! What comes from outside of a document: index objects, resource libraries, form definitions, tile resources, limits.

use std::collections::HashMap;

use super::hand::{field, first_page, include, name, overlay, page, plain, tle};
use super::*;
use crate::decode::Libraries;
use crate::decode::afp::field::FieldId;

/// An IEL about a page group: name, byte offset, pages before it, pages.
fn element(group: &str, byte: Option<u32>, page: Option<u32>, pages: u32) -> Vec<u8> {
    let triplet = |id: u8, data: &[u8]| [&[u8::try_from(data.len() + 2).unwrap(), id], data].concat();
    let number = |number: u32| [&[0xAF, 0][..], &number.to_be_bytes()].concat();
    let mut data = triplet(0x02, &[&[0x0D, 0][..], &name(group)].concat());
    data.extend(byte.map(|byte| triplet(0x2D, &byte.to_be_bytes())).unwrap_or_default());
    data.extend(page.map(|page| triplet(0x5A, &number(page))).unwrap_or_default());
    data.extend(triplet(0x5E, &number(pages)));
    field(id::IEL, &data)
}

/// What splitting sees of each page: group that starts, whether it ends, tags.
fn seen(units: &[Unit]) -> Vec<String> {
    let pages = units.iter().filter(|unit| unit.kind == UnitKind::Page);
    pages
        .map(|unit| {
            let tags: Vec<String> = unit.tags.iter().map(|tag| format!(" {}={}", tag.name, tag.value)).collect();
            let ends = if unit.group_ends { " ends" } else { "" };
            format!("{}{ends}{}", unit.group_starts.as_deref().unwrap_or("-"), tags.concat())
        })
        .collect()
}

#[test]
fn an_index_object_gives_groups_the_tags_that_the_document_does_not_have() {
    let index = [
        field(id::BDI, &name("INDEX")),
        element("G1", None, Some(0), 2),
        tle("Acct", "1"),
        tle("Name", "one"),
        element("G2", None, Some(2), 1),
        tle("Acct", "2"),
        element("G9", None, Some(7), 1),
        tle("Acct", "9"),
        field(id::EDI, &[]),
    ];
    let document = [
        field(id::BDT, &name("DOC")),
        field(id::BNG, &name("G1")),
        tle("Acct", "1"),
        page(&[]),
        page(&[]),
        field(id::ENG, &[]),
        field(id::BNG, &name("G2")),
        page(&[]),
        field(id::ENG, &[]),
        field(id::EDT, &[]),
    ];
    let stream = [index.concat(), document.concat()].concat();
    let (all, notes) = units(&stream, &plain());
    assert_covers(&stream, &all, "index");
    assert_eq!(seen(&all), ["G1 Acct=1 Name=one", "- ends Acct=1 Name=one", "G2 ends Acct=2"]);
    assert_eq!(notes.count("afp-index-unmatched"), 1, "G9 is nowhere");
    // The index is that of one document.
    let (all, _) = units(&[&stream[..], &document.concat()].concat(), &plain());
    assert_eq!(seen(&all)[3..], ["G1 Acct=1", "- ends Acct=1", "G2 ends"]);
}

#[test]
fn an_index_object_groups_the_pages_of_a_document_without_groups() {
    let pages = [page(&[]), page(&[tle("Page", "two")]), page(&[]), page(&[])];
    let begin = field(id::BDT, &name("DOC"));
    let third = begin.len() + pages[0].len() + pages[1].len();
    // Byte offsets count X'5A' or not: both are found.
    for fields_before in [0, 12] {
        let byte = u32::try_from(third - fields_before).unwrap();
        let index = [
            field(id::BDI, &name("INDEX")),
            element("A", None, Some(0), 1),
            tle("Acct", "1"),
            element("B", Some(byte), None, 1),
            tle("Acct", "2"),
            field(id::EDI, &[]),
        ];
        let stream = [index.concat(), begin.clone(), pages.concat(), field(id::EDT, &[])].concat();
        let (all, notes) = units(&stream, &plain());
        assert_covers(&stream, &all, "index");
        assert_eq!(seen(&all), ["A ends Acct=1", "- Page=two", "B ends Acct=2", "-"], "{fields_before}");
        assert_eq!(notes.count("afp-index-unmatched"), 0);
    }
}

#[test]
fn an_index_object_is_outside_and_what_it_says_of_nothing_is_counted() {
    let index = [field(id::BDI, &[]), field(id::IEL, &[]), tle("A", "1"), field(id::EDI, &[])].concat();
    let stream = [index, field(id::BDT, &[]), page(&[]), field(id::EDT, &[])].concat();
    let (all, notes, structure, _) = units_from(&stream, Start::default(), &plain(), None, false);
    assert_eq!((structure.tags, notes.count("afp-index-unmatched")), (1, 1));
    assert!(all.iter().all(|unit| unit.tags.is_empty()));
    assert_eq!(all.iter().map(|unit| unit.kind).collect::<Vec<_>>()[..2], [UnitKind::Outside, UnitKind::Outside]);
}

#[test]
fn an_index_object_inside_a_document_is_that_documents() {
    let index =
        [field(id::BDI, &name("I")), element("A", None, Some(0), 1), tle("Acct", "1"), field(id::EDI, &[])].concat();
    let begin = field(id::BDT, &name("DOC"));
    // No EDT ends the first document.
    let stream = [begin.clone(), index, page(&[]), begin, page(&[])].concat();
    let (all, _) = units(&stream, &plain());
    assert_eq!(seen(&all), ["A ends Acct=1", "-"]);
}

/// A library that holds a few files.
struct Shelf(HashMap<(&'static str, &'static str), Vec<u8>>);

impl Libraries for Shelf {
    fn find(&self, kind: &str, name: &str) -> Option<Arc<[u8]>> {
        let found = self.0.iter().find(|((of, called), _)| (*of, *called) == (kind, name))?;
        Some(found.1.as_slice().into())
    }
}

#[test]
fn an_original_brings_what_the_library_had() {
    // The library holds its file without X'5A', the stream has it; the overlay includes another one.
    let bare = |bytes: Vec<u8>| {
        let fields = read::fields(&bytes, Framing::Plain, 0);
        let inner = fields.iter().filter(|field| !matches!(field.id, id::BRS | id::ERS));
        inner.flat_map(|one| field(one.id, one.data).split_off(1)).collect::<Vec<u8>>()
    };
    let outer = bare(overlay("O1OUT", &[include("O1IN", 3, 0)]));
    let shelf = Shelf(HashMap::from([
        (("overlay", "O1OUT"), outer),
        (("overlay", "O1IN"), overlay("O1IN", &[])),
        (("overlay", "O1NOT"), overlay("O1NOT", &[])),
    ]));
    let context = Context { libraries: Arc::new(shelf), ..Context::default() };
    let group = [field(id::BNG, &name("G")), page(&[include("O1OUT", 0, 0)]), field(id::ENG, &[])].concat();
    let stream = [field(id::BDT, &name("DOC")), group.clone(), field(id::EDT, &[])].concat();
    let (all, notes) = units(&stream, &plain());
    assert_eq!(notes.count("afp-missing-resource"), 1, "without the library");
    let document = all.iter().find(|unit| unit.kind == UnitKind::Page).unwrap();
    let alone = alone_in(&[], document.bytes.clone(), document, &plain(), &context);
    let found = read::fields(&alone, Framing::Plain, 0);
    let letters: Vec<FieldId> = found.iter().map(|field| field.id).collect();
    assert_eq!((letters[0], letters[1], *letters.last().unwrap()), (id::BRG, id::BRS, id::EDT));
    assert_eq!(found.iter().filter(|field| field.id == id::BMO).count(), 2, "what is not asked for stays away");
    assert!(alone.windows(group.len()).any(|bytes| bytes == group), "the document's bytes are as they were");
    // It needs no library any more.
    let (page, notes) = first_page(&alone);
    assert_eq!(notes.iter().count(), 0, "{notes:?}");
    let [Element::Form(outer)] = &page.elements[..] else { panic!("{page:?}") };
    assert!(outer.form.elements.iter().any(|element| matches!(element, Element::Form(_))));
}

#[test]
fn a_font_file_of_the_library_is_brought_in_a_container() {
    let file: Vec<u8> = (0..70_000_u32).flat_map(u32::to_be_bytes).collect();
    let shelf = Shelf(HashMap::from([(("object", "Noto Sans Gr\u{FC}n"), file.clone())]));
    let context = Context { libraries: Arc::new(shelf), ..Context::default() };
    let called: Vec<u8> = "Noto Sans Gr\u{FC}n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let group = [
        &[6, 1, 0, 0, 0x04, 0xB0][..],
        &[u8::try_from(called.len() + 4).unwrap(), 2, 0xDE, 0],
        &called,
        &[5, 2, 0xBE, 0, 1],
    ]
    .concat();
    let mapping = [&u16::try_from(group.len() + 2).unwrap().to_be_bytes()[..], &group].concat();
    let document = page(&[field(id::MDR, &mapping)]);
    let alone = alone_in(&[], document, &Unit::default(), &plain(), &context);
    let (all, _) = units(&alone, &plain());
    let shared: Vec<&Unit> = all.iter().filter(|unit| unit.shared).collect();
    let mut store = Store::new(Framing::Plain, &Context::default());
    shared.iter().for_each(|unit| store.learn(&unit.bytes, &mut |_, _| {}));
    let kept = store.find(&[store::kind::CONTAINER], "Noto Sans Gr\u{FC}n", store.visible(store.epoch())).unwrap();
    assert_eq!(kept.fields.joined(id::OCD), file);
}

#[test]
fn pages_that_share_a_side_are_shown_in_their_part_of_it() {
    let medium = [0, 0, 0x38, 0x40, 0x38, 0x40, 0, 0x2F, 0xD0, 0, 0x3D, 0xE0, 0];
    let position = |x: i32| {
        let mut group = vec![1, 10];
        group.extend_from_slice(&x.to_be_bytes()[1..]);
        group.extend([0, 0, 100, 0, 0, 0]);
        field(id::PGP, &group)
    };
    let map = |up: u8, x: i32| {
        let parts = [
            field(id::BRS, &[&name("F1TEST")[..], &[0, 0, 10, 0x21, 0xFE, 0, 0, 0, 0, 0, 0, 0]].concat()),
            field(id::BFM, &name("F1TEST")),
            field(id::BMM, &name("M1")),
            field(id::MDD, &medium),
            position(x),
            field(id::MCC, &[0, 1, 0, 1, 0, 1]),
            field(id::MMC, &[1, 0xFF, 0xFC, up]),
            field(id::EMM, &[]),
            field(id::EFM, &[]),
            field(id::ERS, &[]),
        ];
        let rule = field(id::PTX, b"\x2B\xD3\x07\xE4\x01\x00\x00\x14\x00");
        [parts.concat(), field(id::BDT, &[]), page(&[rule])].concat()
    };
    let seen = |up, x| {
        let (page, _) = first_page(&map(up, x));
        let Some(Element::Rule(rule)) = page.elements.first() else { panic!("a rule") };
        (page.width.0, page.height.0, rule.x.0, rule.y.0)
    };
    // 8.5 x 11 inches: halves along the longer edge, quarters.
    assert_eq!(seen(1, 50), (122_400, 158_400, 500, 1000));
    assert_eq!(seen(2, 50), (122_400, 79_200, 500, 1000));
    assert_eq!(seen(4, 50), (61_200, 79_200, 500, 1000));
    // An offset that would leave the part empty is not one within it.
    assert_eq!(seen(4, 10_000), (122_400, 158_400, 0, 0));
}

#[test]
fn tile_resources_are_found_by_the_number_that_a_map_gives_them() {
    let long = |code: u8, data: &[u8]| [&[0xFE, code, 0, u8::try_from(data.len()).unwrap()], data].concat();
    let tile = [
        &[0x8C, 0, 0xB5, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0xB6, 8, 0, 0, 0, 8, 0, 0, 0, 1][..],
        &long(0x92, &[0xA5]),
        &[0x8D, 0],
    ]
    .concat();
    let resource = [
        field(id::BRS, &[&name("TILE7")[..], &[0, 0, 10, 0x21, 0x92, 0, 0, 0, 0, 0, 0, 0]].concat()),
        field(id::BOC, &name("TILE7")),
        field(id::OCD, &tile),
        field(id::EOC, &[]),
        field(id::ERS, &[]),
    ];
    let group = [&[12, 2, 0x84, 0][..], &name("TILE7"), &[8, 2, 0xBE, 0, 0, 0, 0, 7]].concat();
    let map = field(id::MDR, &[&u16::try_from(group.len() + 2).unwrap().to_be_bytes()[..], &group].concat());
    let include = |number: u8| {
        let parts = [
            &[0x70, 0, 0x91, 1, 0xFF][..],
            &long(0xBB, &[0, 0]),
            &[0x8C, 0, 0xB5, 8, 0, 0, 0, 0, 0, 0, 0, 0],
            &long(0xB8, &[0, 0, 0, number]),
            &[0x8D, 0, 0x93, 0, 0x71, 0],
        ];
        let descriptor = [0, 0x17, 0x70, 0x17, 0x70, 0, 8, 0, 1, 0xF7, 2, 1, 0x0B];
        let object = [
            field(id::BIM, &name("I")),
            field(id::BOG, &[]),
            map.clone(),
            field(id::EOG, &[]),
            field(id::IDD, &descriptor),
            field(id::IPD, &parts.concat()),
            field(id::EIM, &[]),
        ];
        [resource.concat(), field(id::BDT, &[]), page(&[object.concat()])].concat()
    };
    let (page, notes) = first_page(&include(7));
    assert!(matches!(&page.elements[..], [Element::Image(image)] if image.width.0 == 8 * 24), "{page:?}");
    assert_eq!(notes.count("afp-image-tile-missing"), 0);
    let (page, notes) = first_page(&include(8));
    assert_eq!((page.elements.len(), notes.count("afp-image-tile-missing")), (0, 1));
}

#[test]
fn a_stream_with_more_pages_than_allowed_is_refused() {
    let bytes = [page(&[]), page(&[]), page(&[])].concat();
    let limits = Limits { pages: 2, ..Limits::default() };
    let mut decoder =
        Afp.open(Box::new(&bytes[..]), Start::default(), &plain(), &Context { limits, ..Context::default() }).unwrap();
    let (mut unit, mut notes) = (Unit::default(), Notes::default());
    let read: Vec<bool> = (0..3).map_while(|_| decoder.next(&mut unit, &mut notes).ok()).collect();
    assert_eq!(read, [true, true, true]);
    let error = decoder.next(&mut unit, &mut notes).unwrap_err();
    assert!(matches!(error, DecodeError::Limit { what: "pages", most: 2, at } if at.page == 3), "{error}");
}

#[test]
fn an_object_that_goes_beyond_a_limit_is_named_with_its_place() {
    let deep = [overlay("O1A", &[include("O1A", 0, 0)]), field(id::BDT, &[])].concat();
    let asked = include("O1A", 0, 0);
    let stream = [&deep[..], &page(std::slice::from_ref(&asked))].concat();
    let (_, notes) = first_page(&stream);
    let note = notes.iter().find(|note| note.code == "afp-nesting").unwrap();
    let place = stream.windows(asked.len()).rposition(|bytes| bytes == asked).unwrap() as u64;
    assert_eq!(note.first.byte, place, "{note:?}");
    assert!(note.detail.contains("IPO X'D3AFD8'"), "{note:?}");
}
