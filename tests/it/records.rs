//! Records management: holds and retention.

use crate::story::{Archive, small_statements};

#[test]
fn what_a_hold_covers_cannot_be_removed_until_it_is_released() {
    let archive = Archive::new("hold");
    let report = archive.load(&archive.home.file("s.txt", small_statements(5)), None);
    let load = report["load"].to_string();
    archive.ok(&["hold", "add", "case-17", "--account", &crate::story::account(3), "--reason", "court order"]);
    let message = archive.fails(&["unload", &load, "--reason", "mistake"]);
    assert!(message.contains("case-17"), "{message}");
    // A new cut could take the account from what is held.
    let anew = ["reindex", "--definition", "great-lakes-statement", "--load", load.as_str()];
    let message = archive.fails(&anew);
    assert!(message.contains("case-17"), "{message}");
    assert_eq!(archive.search("definition:great-lakes-statement").len(), 5);
    archive.ok(&["hold", "release", "case-17", "--reason", "case closed"]);
    archive.ok(&anew);
    archive.ok(&["export-load", &load]);
    archive.ok(&["unload", &load, "--reason", "mistake"]);
    let ends = |kind: &str| -> Vec<bool> {
        let records = archive.json(&["audit", "list", "--kind", kind]);
        records.iter().map(|record| record["outcome"] != "refused").collect()
    };
    assert_eq!(ends("unload"), [false, true], "the audit tells what was refused from what was done");
    assert_eq!(ends("cut anew"), [false, true]);
    assert_eq!(ends("export-load"), [true]);
    assert_eq!(archive.json(&["hold", "list"]).len(), 1, "a released hold stays listed");
}

#[test]
fn loads_are_disposed_of_when_their_class_says_so_and_not_before() {
    let archive = Archive::new("retention");
    archive.load(&archive.home.file("s.txt", small_statements(5)), None);
    assert!(
        archive.json(&["retention", "due", "--on", "2099-01-01"]).is_empty(),
        "a class that nobody set keeps for ever"
    );
    let class = archive.json(&["definition", "show", "great-lakes-statement"]).remove(0)["retention"].clone();
    archive.ok(&["retention", "set", class.as_str().expect("the sample definition names a class"), "--years", "7"]);
    // The newest document is of 28 June 2024.
    assert!(archive.json(&["retention", "due", "--on", "2031-06-28"]).is_empty());
    assert_eq!(archive.json(&["retention", "due", "--on", "2031-06-29"]).len(), 1);
    archive.ok(&["hold", "add", "audit-1", "--definition", "great-lakes-statement", "--reason", "tax audit"]);
    archive.fails(&["retention", "dispose", "--on", "2031-06-29", "--reason", "schedule 4"]);
    assert_eq!(archive.json(&["stats"]).remove(0)["loads"], 1);
    archive.ok(&["hold", "release", "audit-1", "--reason", "over"]);
    archive.ok(&["retention", "dispose", "--on", "2031-06-29", "--reason", "schedule 4"]);
    assert_eq!(archive.json(&["stats"]).remove(0)["loads"], 0);
    archive.is_sound();
}
