//! ACIF writes resources, index and document as three files: they are loaded as one stream.

use std::path::Path;

use crate::afp::{field, page};
use crate::story::Archive;

fn s(path: &Path) -> &str {
    path.to_str().expect("UTF-8 path")
}

/// An IEL of a group of one page and its tag `Acct`, a digit.
fn entry(page: u8, account: u8) -> Vec<u8> {
    let name = [&[12, 2, 0x0D, 0][..], b"GROUP00", &[b'0' + page]].concat();
    let place = [8, 0x5A, 0xAF, 0, 0, 0, 0, page, 8, 0x5E, 0xAF, 0, 0, 0, 0, 1];
    let tag = [8, 2, 0x0B, 0, 0xC1, 0x83, 0x83, 0xA3, 5, 0x36, 0, 0, 0xF0 + account];
    [field(0xB2, 0xA7, &[&name[..], &place].concat()), field(0xA0, 0x90, &tag)].concat()
}

fn document() -> Vec<u8> {
    [field(0xA8, 0xA8, b"DOC00001"), page(), page(), page(), field(0xA9, 0xA8, &[])].concat()
}

fn index() -> Vec<u8> {
    [field(0xA8, 0xA7, b"INDEX001"), entry(0, 7), entry(1, 8), entry(2, 9), field(0xA9, 0xA7, &[])].concat()
}

fn resources() -> Vec<u8> {
    [field(0xA8, 0xC6, b"RES00001"), field(0xA9, 0xC6, &[])].concat()
}

const DEFINITION: &str = r#"name = "by-index"
title = "By index"
kind = "statement"
full_text = "none"
[read]
format = "afp"
BESIDE
[document]
start = "group"
title = "Account {account}"
account = "account"
[[field]]
name = "account"
tag = "Acct"
required = true
"#;

fn archive(name: &str, beside: &str) -> Archive {
    let archive = Archive::new(name);
    let definition = archive.home.file("by-index.toml", DEFINITION.replace("BESIDE", beside));
    archive.ok(&["definition", "add", s(&definition)]);
    archive
}

#[test]
fn the_files_beside_a_document_split_and_index_it() {
    let archive = archive("beside", "");
    archive.home.file("bills.ind", index());
    archive.home.file("bills.RES", resources());
    let file = archive.home.file("bills.afp", document());
    let report = archive.load(&file, Some("by-index"));
    assert_eq!((&report["documents"], &report["pages"]), (&3.into(), &3.into()), "{report}");
    assert_eq!(report["warnings"].as_array().map(Vec::len), Some(0), "{report}");
    let hits = archive.json(&["search", "account:8"]);
    assert_eq!(hits.len(), 1);
    let load = report["load"].clone();
    assert_eq!(hits[0]["fields"]["account"], "8");
    // Each document says alone what only the index said of it.
    let (id, elsewhere) = (hits[0]["id"].as_str().expect("an id"), self::archive("beside-original", ""));
    let original = archive.ok(&["get", "--format", "original", id]);
    let file_of_one = elsewhere.home.file("one.afp", &original);
    let report = elsewhere.load(&file_of_one, Some("by-index"));
    assert_eq!((&report["documents"], &report["set_aside_pages"]), (&1.into(), &0.into()), "{report}");
    assert_eq!(elsewhere.json(&["search", "account:8"]).len(), 1);
    assert_eq!(elsewhere.json(&["search", "account:9"]).len(), 0);
    // The stream is what was joined.
    let out = archive.ok(&["export-load", &load.to_string()]);
    assert!(out == [resources(), index(), document()].concat());
    let alone =
        archive.command(&["load", "--json", "--alone", "--definition", "by-index", s(&file)]).output().expect("starts");
    let report = crate::story::lines(&alone.stdout).remove(0);
    assert_eq!((&report["documents"], &report["bytes"]), (&0.into(), &document().len().into()), "{report}");
    archive.is_sound();
}

#[test]
fn files_of_other_names_are_named_by_flags_or_by_the_definition() {
    let archive = archive("beside-named", "beside = [\"{name}.idx\"]");
    let file = archive.home.file("one.afp", document());
    let named = archive.home.file("something", index());
    let args = ["load", "--json", "--definition", "by-index", "--with", s(&named), s(&file)];
    let out = archive.command(&args).output().expect("starts");
    assert_eq!(crate::story::lines(&out.stdout).remove(0)["documents"], 3);
    archive.home.file("two.afp.idx", index());
    let two = archive.home.file("two.afp", [document(), field(0xEE, 0xEE, b"two")].concat());
    assert_eq!(archive.load(&two, Some("by-index"))["documents"], 3);
}

#[test]
fn a_file_in_another_container_is_refused_and_one_that_is_no_afp_is_left_alone() {
    let archive = archive("beside-framing", "");
    let record = |bytes: Vec<u8>| {
        let length = u16::try_from(bytes.len() + 4).expect("short").to_be_bytes();
        [&length[..], &[0, 0], &bytes].concat()
    };
    let fields = [field(0xA8, 0xA7, b"INDEX001"), entry(0, 7).split_off(37), field(0xA9, 0xA7, &[])];
    archive.home.file("bills.ind", fields.into_iter().flat_map(record).collect::<Vec<u8>>());
    let file = archive.home.file("bills.afp", document());
    let message = archive.fails(&["load", "--definition", "by-index", s(&file)]);
    assert!(message.contains("bills.ind") && message.contains("rdw") && message.contains("--alone"), "{message}");
    archive.home.file("bills.ind", "a list of bills\n");
    assert_eq!(archive.load(&file, Some("by-index"))["bytes"], document().len());
}
