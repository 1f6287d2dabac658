//! One long report of everybody, taken apart: each page goes to whom the value on it names, and nobody sees another's.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use crate::distribute::{status, world};
use crate::story::{Archive, account, checkout, small_statements, text};

/// The statements of the bank as one document for each stream, with this rule.
fn one_document(archive: &Archive, rule: &str) {
    let source = std::fs::read_to_string(checkout().join("indexers/great-lakes-statement.toml")).expect("there");
    let start = source.find("[document]").expect("a section");
    let end = start + source[start..].find("[[field]]").expect("fields");
    // The title names the first account: what goes to others must not.
    let document = "[document]\nstart = \"stream\"\namount = \"amount\"\ntitle = \"All, first {account}\"\n\n";
    let changed = format!("{}{document}{}", &source[..start], &source[end..]);
    let changed = changed.replacen("name = \"great-lakes-statement\"", "name = \"all-accounts\"", 1);
    let rule = format!("{changed}\n[[distribution]]\nname = \"day\"\nwhen = \"trigger\"\n{rule}\n");
    let file = archive.home.file("all.toml", rule);
    archive.ok(&["definition", "add", file.to_str().expect("UTF-8")]);
}

/// What `pdftotext` reads in the files of the folder, by the account of their first page.
fn dropped(archive: &Archive) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(archive.home.path().join("drop")).expect("there").flatten().map(|file| file.path());
    let mut found = BTreeMap::new();
    for file in files.filter(|file| file.extension().is_some_and(|kind| kind == "pdf")) {
        let out = Command::new("pdftotext").arg("-layout").arg(&file).arg("-").output().expect("pdftotext runs");
        let about = Command::new("pdfinfo").arg(&file).output().expect("pdfinfo runs");
        let read = format!("{}{}", text(&out.stdout), text(&about.stdout));
        let number = read.split("ACCOUNT NO").nth(1).and_then(|rest| rest.split_whitespace().next());
        found.insert(number.unwrap_or_default().to_string(), read);
    }
    found
}

const CHANNELS: &str = "[channel.drop]\nkind = \"folder\"\npath = \"{DIR}\"\n\
    [channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\nsender = \"a@lakes.example\"\n";

#[test]
fn each_page_of_a_report_goes_to_whom_the_value_on_it_names() {
    let archive = world("burst-pages", 1, CHANNELS);
    one_document(
        &archive,
        "burst = \"account\"\nburst_pages = true\ncover = true\nlanguage = \"zh-CN\"\nchannels = [\"drop\"]",
    );
    // Seven accounts; the first comes again at the end. Each third has two pages: 7 + 2 pages, and one more.
    let stream = [small_statements(7), small_statements(1)].concat();
    archive.load(&archive.home.file("all.txt", &stream), Some("all-accounts"));
    let run = archive.json(&["distribute", "plan", "all-accounts-day", "--load", "2"]).remove(0);
    let planned = &run["planned"];
    assert_eq!(
        [&planned["pieces"], &planned["documents"], &planned["parts"], &planned["pages"]],
        [&json!(7), &json!(1), &json!(7), &json!(10)],
        "every page is in one piece, and all are one document: {run}"
    );
    archive.ok(&["distribute", "run"]);
    let sum = status(&archive, "1")["reconciliation"].clone();
    assert_eq!((&sum["balances"], &sum["done"]), (&true.into(), &sum["planned"]), "{sum}");
    let told = text(&archive.ok(&["distribute", "status", "1"]));
    assert!(told.contains("1 documents         7 parts"), "{told}");
    let files = dropped(&archive);
    assert_eq!(files.len(), 7, "{:?}", files.keys());
    for n in 1..=7 {
        let (own, read) = (account(n), &files[&account(n)]);
        let pages = if n % 3 == 0 || n == 1 { 2 } else { 1 };
        assert_eq!(read.matches("STATEMENT OF ACCOUNT").count(), pages, "{own}: {read}");
        assert!(read.contains("您的文件"), "the cover is in the language of the rule: {read}");
        for other in (1..=7).filter(|other| *other != n) {
            assert!(!read.contains(&account(other)), "{own} sees nothing of {}: {read}", account(other));
        }
    }
    archive.ok(&["distribute", "close", "1"]);
    let loads = archive.json(&["loads"]);
    let csv = loads.iter().find(|load| load["file"].as_str().is_some_and(|name| name.ends_with(".csv"))).expect("kept");
    let csv = text(&archive.ok(&["export-load", &csv["load"].to_string()]));
    assert!(csv.contains("2-1:1-1,10-10") && csv.contains("2-1:3-4"), "the manifest says which pages: {csv}");
}

#[test]
fn pages_of_nobody_are_named_and_sent_once_somebody_gives_an_address() {
    let archive = world("burst-nobody", 1, &CHANNELS.replace("sender", "attach = true\nsender"));
    let rule = format!(
        "burst = \"account\"\nburst_pages = true\nchannels = [\"mail\"]\n[distribution.recipients]\n{:?} = \"ann@lakes.example\"",
        account(2)
    );
    one_document(&archive, &rule);
    let stream = [b"1A TITLE PAGE\n1ITS BACK\n".to_vec(), small_statements(2)].concat();
    archive.load(&archive.home.file("all.txt", stream), Some("all-accounts"));
    let run = archive.json(&["distribute", "plan", "all-accounts-day", "--load", "2"]).remove(0);
    let planned = &run["planned"];
    let counted = [&planned["pieces"], &planned["documents"], &planned["parts"], &planned["pages"]];
    assert_eq!(counted, [&json!(3), &json!(1), &json!(3), &json!(4)], "{run}");
    let named = status(&archive, "1")["reconciliation"]["named"].clone();
    let said: Vec<(&str, &str)> = named
        .as_array()
        .expect("a list")
        .iter()
        .map(|piece| (piece["documents"][0].as_str().expect("text"), piece["said"].as_str().expect("text")))
        .collect();
    let missing = format!("no address: recipients names nobody for account {}", account(1));
    let title = "no address: the pages have no field account, and recipients has no \"*\"";
    assert_eq!(said, [("2-1:1-2", title), ("2-1:3-3", missing.as_str())]);
    let sent =
        archive.json(&["distribute", "address", "1", "1", "ott@lakes.example", "--reason", "a new branch"]).remove(0);
    assert_ne!(sent, Value::Null);
    let open = status(&archive, "1")["reconciliation"]["open"]["pages"].clone();
    assert_eq!(open, json!(2), "both pages with an address go out");
}

#[test]
fn a_rule_that_would_show_more_than_its_pages_is_refused() {
    let archive = world("burst-wrong", 1, CHANNELS);
    for (rule, told) in [
        ("burst = \"account\"\nburst_pages = true\nchannels = [\"mail\"]", "attach = true"),
        ("burst = \"account\"\nburst_pages = true\nformat = \"csv\"\nchannels = [\"drop\"]", "pdf, text or html"),
        ("burst_pages = true\nchannels = [\"drop\"]", "burst names the field"),
        ("pages = \"1-1\"\nformat = \"original\"\nchannels = [\"drop\"]", "pdf, text or html"),
        ("language = \"klingon\"\nchannels = [\"drop\"]", "en, zh-CN"),
    ] {
        let text = format!("{CHANNELS}[[distribution]]\nname = \"day\"\n{rule}\n");
        std::fs::write(archive.dir().join("distribution.toml"), text).expect("written");
        let said = archive.fails(&["distribute", "plan"]);
        assert!(said.contains(told), "{rule}: {said}");
    }
}
