//! Page groups in page groups: a document that starts inside of some has them around it when it is a stream of its own.

use super::hand::{field, name, page, plain, tle};
use super::indexed::{entry, group, index, says_the_same};
use super::*;
use crate::decode::afp::field::FieldId;

/// A group of two pages with an account, the second of which has a tag of its own.
fn inner(account: &str) -> Vec<u8> {
    group(account, &[tle("Acct", account), page(&[]), page(&[tle("Own", "x")])])
}

fn stream(inside: &[Vec<u8>]) -> Vec<u8> {
    [field(id::BDT, &name("D")), inside.concat(), field(id::EDT, &[])].concat()
}

/// Two groups of three and of one group, in a document with a tag.
fn batches() -> Vec<u8> {
    let first = [tle("Batch", "B1"), tle("Acct", "all"), inner("1"), inner("2"), inner("3")];
    let second = [tle("Batch", "B2"), inner("4")];
    stream(&[tle("Job", "J"), group("B1", &first), group("B2", &second)])
}

fn count(bytes: &[u8], id: FieldId) -> usize {
    read::fields(bytes, Framing::Plain, 0).iter().filter(|field| field.id == id).count()
}

#[test]
fn the_groups_around_a_document_and_their_tags_go_with_it() {
    let seen = says_the_same(&batches(), &[2, 2, 2, 2]);
    let words: Vec<String> =
        seen.iter().map(|(groups, tags)| format!("{} {}", groups.join("/"), tags.join(","))).collect();
    assert_eq!(words[2], "B1/2 Acct=2,Batch=B1,Acct=all,Job=J");
    assert_eq!(words[3], "B1/2 Acct=2,Batch=B1,Acct=all,Job=J,Own=x");
    assert_eq!(words[6], "B2/4 Acct=4,Batch=B2,Job=J");
    // Cut anywhere else: in the middle of inner groups, and over the end of an outer one.
    says_the_same(&batches(), &[1; 8]);
    says_the_same(&batches(), &[3, 4, 1]);
}

#[test]
fn groups_begin_and_end_equally_often_in_each_original() {
    let bytes = batches();
    let (all, _) = units(&bytes, &plain());
    for unit in all.iter().filter(|unit| unit.kind == UnitKind::Page) {
        let alone = alone_in(&all, unit.bytes.clone(), unit, &plain(), &Context::default());
        assert_eq!((count(&alone, id::BNG), count(&alone, id::ENG)), (2, 2), "page {}", unit.page);
        assert_eq!((count(&alone, id::BDT), count(&alone, id::EDT)), (1, 1), "page {}", unit.page);
    }
}

#[test]
fn tags_between_pages_and_in_segments_are_around_what_follows() {
    let long = tle("Late", "a value in two segments");
    let (_, data) = long.split_at(9);
    let mut first = field(id::TLE, &data[..20]);
    first[6] = 0x20;
    let late = [first, field(id::TLE, &data[20..])].concat();
    let inside = [page(&[]), late, field(id::NOP, b"note"), tle("Later", "2"), page(&[]), page(&[])];
    let bytes = stream(&[group("G", &inside)]);
    let seen = says_the_same(&bytes, &[1, 1, 1]);
    assert_eq!(seen[2].1, ["Late=a value in two segments", "Later=2"]);
}

#[test]
fn what_an_index_says_of_groups_around_a_document_goes_with_it() {
    let entries = [
        entry(0x0D, "B1", (0, 6), &[tle("Batch", "B1"), tle("Site", "North")].concat()),
        entry(0x0D, "2", (2, 2), &tle("Name", "Ann")),
        entry(0x0D, "B2", (6, 2), &tle("Site", "South")),
    ];
    let seen = says_the_same(&[index(&entries), batches()].concat(), &[2, 2, 2, 2]);
    let has = |page: usize, tag: &str| seen[page].1.iter().any(|one| one == tag);
    assert!(has(3, "Site=North") && has(3, "Name=Ann") && has(7, "Site=South"), "{seen:?}");
    says_the_same(&[index(&entries), batches()].concat(), &[1; 8]);
}

#[test]
fn more_groups_than_are_counted_are_harmless() {
    let deep = |levels: usize| {
        let begins = (0..levels).map(|level| field(id::BNG, &name(&format!("L{level}")))).collect::<Vec<_>>();
        stream(&[begins.concat(), page(&[]), page(&[]), field(id::ENG, &[]).repeat(levels)])
    };
    says_the_same(&deep(60), &[1, 1]);
    let bytes = deep(100);
    let (all, _) = units(&bytes, &plain());
    let last = all.iter().rfind(|unit| unit.kind == UnitKind::Page).unwrap();
    assert_eq!(last.around.len(), usize::from(state::DEPTH));
    let alone = alone_in(&all, last.bytes.clone(), last, &plain(), &Context::default());
    assert_eq!(count(&alone, id::BNG), count(&alone, id::ENG));
}

#[test]
fn without_the_stretches_around_a_document_its_groups_are_as_deep_as_in_the_stream() {
    let bytes = batches();
    let (all, _) = units(&bytes, &plain());
    let unit = all.iter().filter(|unit| unit.kind == UnitKind::Page).nth(2).unwrap();
    let before_layout = Unit { around: Vec::new(), ..unit.clone() };
    let alone = alone_in(&all, unit.bytes.clone(), &before_layout, &plain(), &Context::default());
    let (again, _) = units(&alone, &plain());
    let page = again.iter().find(|unit| unit.kind == UnitKind::Page).unwrap();
    let names: Vec<&str> = page.groups.iter().map(|group| &*group.name).collect();
    assert_eq!(names, ["GROUP", "2"]);
}
