//! Statements in batches: each statement is a document with fields of its batch, and its original says the same alone.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::afp::{field, page};
use crate::story::Archive;

/// A TLE of digits.
fn tag(name: &[u8; 4], value: &[u8]) -> Vec<u8> {
    let value: Vec<u8> = value.iter().map(|digit| 0xF0 + digit).collect();
    let length = u8::try_from(value.len() + 4).expect("short");
    field(0xA0, 0x90, &[&[8, 2, 0x0B, 0], &name[..], &[length, 0x36, 0, 0], &value].concat())
}

const ACCOUNT: &[u8; 4] = b"\xC1\x83\x83\xA3";
const BATCH: &[u8; 4] = b"\xC2\xA3\x83\x88";

fn group(name: &[u8; 8], inside: &[Vec<u8>]) -> Vec<u8> {
    [field(0xA8, 0xAD, name), inside.concat(), field(0xA9, 0xAD, name)].concat()
}

fn statement(account: u8) -> Vec<u8> {
    group(b"STMT0001", &[tag(ACCOUNT, &[account]), page(), page()])
}

/// Two batches, of three statements and of one, in one print file.
fn stream() -> Vec<u8> {
    let first = [tag(BATCH, &[1, 1]), tag(ACCOUNT, &[0]), statement(1), statement(2), statement(3)];
    let second = [tag(BATCH, &[2, 2]), statement(4)];
    let document = [field(0xA8, 0xA8, b"DOC00001"), group(b"BATCH001", &first), group(b"BATCH002", &second)];
    [document.concat(), field(0xA9, 0xA8, &[])].concat()
}

const DEFINITION: &str = r#"name = "in-batches"
title = "Statements in batches"
kind = "statement"
full_text = "none"
[read]
format = "afp"
[document]
start = "group"
level = 2
title = "Account {account}"
account = "account"
[[field]]
name = "account"
tag = "Acct"
required = true
[[field]]
name = "batch"
tag = "Btch"
required = true
[[field]]
name = "of"
group = 1
"#;

fn archive(name: &str) -> Archive {
    let archive = Archive::new(name);
    let definition = archive.home.file("in-batches.toml", DEFINITION);
    archive.ok(&["definition", "add", definition.to_str().expect("UTF-8 path")]);
    archive
}

/// What each document is, by its account.
fn documents(archive: &Archive) -> BTreeMap<String, (Value, Value, Value)> {
    let hits = archive.json(&["search", "*"]);
    let account = |hit: &Value| hit["fields"]["account"].as_str().expect("an account").to_string();
    hits.iter().map(|hit| (account(hit), (hit["fields"].clone(), hit["pages"].clone(), hit["id"].clone()))).collect()
}

#[test]
fn a_statement_of_a_batch_is_the_same_document_again_when_its_original_is_loaded() {
    let bills = archive("nested");
    let report = bills.load(&bills.home.file("bills.afp", stream()), Some("in-batches"));
    assert_eq!((&report["documents"], &report["set_aside_pages"]), (&4.into(), &0.into()), "{report}");
    let of_stream = documents(&bills);
    let fields =
        |account: &str, batch: &str, of: &str| serde_json::json!({"account": account, "batch": batch, "of": of});
    assert_eq!(of_stream["2"].0, fields("2", "11", "BATCH001"));
    assert_eq!(of_stream["4"].0, fields("4", "22", "BATCH002"));
    for (account, (fields, pages, id)) in &of_stream {
        let elsewhere = archive(&format!("nested-{account}"));
        let original = bills.ok(&["get", "--format", "original", id.as_str().expect("an id")]);
        let count = |id: [u8; 3]| original.windows(3).filter(|three| *three == id).count();
        assert_eq!((count([0xD3, 0xA8, 0xAD]), count([0xD3, 0xA9, 0xAD])), (2, 2), "groups of {account}");
        let report = elsewhere.load(&elsewhere.home.file("one.afp", &original), Some("in-batches"));
        assert_eq!((&report["documents"], &report["set_aside_pages"]), (&1.into(), &0.into()), "{report}");
        assert_eq!(report["warnings"].as_array().map(Vec::len), Some(0), "{report}");
        let again = documents(&elsewhere);
        assert_eq!((&again[account].0, &again[account].1), (fields, pages));
        // And the original of the original.
        let id = again[account].2.as_str().expect("an id");
        assert!(elsewhere.ok(&["get", "--format", "original", id]) == original, "account {account}");
    }
    bills.is_sound();
}
