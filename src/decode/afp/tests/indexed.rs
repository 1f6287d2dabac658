//! Documents of which only an index object says what they are: as streams of their own they say it themselves.

use super::hand::{field, name, page, plain, tle};
use super::*;

/// An IEL of a group (X'0D') or page (X'87') and a tag.
pub(super) fn entry(kind: u8, called: &str, at: (u8, u8), tag: &[u8]) -> Vec<u8> {
    let name = [&[12, 2, kind, 0][..], &name(called)].concat();
    let place = [8, 0x5A, 0xAF, 0, 0, 0, 0, at.0, 8, 0x5E, 0xAF, 0, 0, 0, 0, at.1];
    [&field(id::IEL, &[&name[..], &place].concat())[..], tag].concat()
}

pub(super) fn index(entries: &[Vec<u8>]) -> Vec<u8> {
    [field(id::BDI, &name("INDEX")), entries.concat(), field(id::EDI, &[])].concat()
}

pub(super) fn group(called: &str, inner: &[Vec<u8>]) -> Vec<u8> {
    [field(id::BNG, &name(called)), inner.concat(), field(id::ENG, &[])].concat()
}

pub(super) fn said(unit: &Unit) -> (Vec<String>, Vec<String>) {
    let tags = unit.tags.iter().map(|tag| format!("{}={}", tag.name, tag.value)).collect();
    (unit.groups.iter().map(|group| group.name.to_string()).collect(), tags)
}

/// Groups and tags of a document's pages, taken out of the stream and made a stream of its own.
fn alone(all: &[Unit], pages: &[&Unit]) -> Vec<(Vec<String>, Vec<String>)> {
    let bytes: Vec<u8> = pages.iter().flat_map(|unit| unit.bytes.clone()).collect();
    let whole = alone_in(all, bytes, pages[0], &plain(), &Context::default());
    let (again, notes) = units(&whole, &plain());
    assert_eq!(notes.iter().count(), 0, "{notes:?}");
    again.iter().filter(|unit| unit.kind == UnitKind::Page).map(said).collect()
}

/// Each stretch of so many pages says alone what it says in the stream.
pub(super) fn says_the_same(stream: &[u8], stretches: &[usize]) -> Vec<(Vec<String>, Vec<String>)> {
    let (all, _) = units(stream, &plain());
    let pages: Vec<&Unit> = all.iter().filter(|unit| unit.kind == UnitKind::Page).collect();
    let mut at = 0;
    for length in stretches {
        let document = &pages[at..at + length];
        let in_stream: Vec<_> = document.iter().map(|unit| said(unit)).collect();
        assert_eq!(alone(&all, document), in_stream, "{length} pages from {at}");
        at += length;
    }
    assert_eq!(at, pages.len());
    pages.iter().map(|unit| said(unit)).collect()
}

#[test]
fn groups_that_only_an_index_marks_are_marked() {
    let entries = [
        entry(0x0D, "G1", (0, 2), &tle("Acct", "1")),
        entry(0x87, "P1", (1, 1), &tle("Page", "b")),
        entry(0x0D, "G2", (2, 1), &tle("Acct", "2")),
        entry(0x0D, "G3", (4, 2), &tle("Acct", "3")),
    ];
    let pages = [page(&[]), page(&[]), page(&[]), page(&[]), page(&[]), page(&[])].concat();
    let stream = [index(&entries), field(id::BDT, &name("D")), pages, field(id::EDT, &[])].concat();
    let seen = says_the_same(&stream, &[2, 1, 1, 2]);
    let words: Vec<String> =
        seen.iter().map(|(groups, tags)| format!("{} {}", groups.join("/"), tags.join(","))).collect();
    assert_eq!(words, ["G1 Acct=1", "G1 Acct=1,Page=b", "G2 Acct=2", " ", "G3 Acct=3", "G3 Acct=3"]);
    // Also cut in the middle of a group, and with several groups in one document.
    says_the_same(&stream, &[1, 1, 3, 1]);
}

#[test]
fn groups_of_the_document_get_the_tags_of_the_index_once() {
    let document = [
        field(id::BDT, &name("D")),
        group("G1", &[tle("Acct", "1"), page(&[]), page(&[tle("Own", "x")])]),
        group("G2", &[page(&[])]),
        field(id::EDT, &[]),
    ];
    let entries = [
        entry(0x0D, "G1", (0, 2), &[tle("Acct", "1"), tle("Name", "Ann")].concat()),
        entry(0x0D, "G2", (2, 1), &tle("Acct", "2")),
    ];
    let seen = says_the_same(&[index(&entries), document.concat()].concat(), &[2, 1]);
    assert_eq!(seen[1].1, ["Acct=1", "Name=Ann", "Own=x"]);
    assert_eq!(seen[2].1, ["Acct=2"]);
}

#[test]
fn the_character_set_of_the_index_goes_with_its_tags() {
    let euro = field(id::TLE, &[5, 2, 0x0B, 0, 0xC1, 5, 0x36, 0, 0, 0x9F]);
    let begin = [&name("INDEX")[..], &[6, 1, 0, 0, 0x04, 0x74]].concat();
    let index = [field(id::BDI, &begin), entry(0x0D, "G1", (0, 1), &euro), field(id::EDI, &[])].concat();
    let document = [field(id::BDT, &name("D")), page(&[]), field(id::EDT, &[])].concat();
    let seen = says_the_same(&[index, document].concat(), &[1]);
    assert_eq!(seen[0].1, ["A=\u{20AC}"]);
}

#[test]
fn an_index_counts_for_its_document_only() {
    let one = |value: &str| index(&[entry(0x0D, "G1", (0, 1), &tle("Acct", value))]);
    let begin = field(id::BDT, &name("D"));
    let document = [begin.clone(), page(&[]), field(id::EDT, &[])].concat();
    // Behind its Begin Document, before it, none, and one that no End Document ends.
    let inside = [begin.clone(), one("2"), page(&[]), field(id::EDT, &[])].concat();
    let stream = [one("1"), document.clone(), document.clone(), inside, one("3"), begin, page(&[]), document].concat();
    let seen = says_the_same(&stream, &[1, 1, 1, 1, 1]);
    let tags: Vec<String> = seen.iter().map(|(_, tags)| tags.join(",")).collect();
    assert_eq!(tags, ["Acct=1", "", "Acct=2", "Acct=3", ""]);
}
