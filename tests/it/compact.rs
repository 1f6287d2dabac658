//! `greenbar compact`: the same archive, smaller, whatever happens on the way.

use crate::story::{Archive, account, run, small_statements, text};

#[test]
fn a_death_at_each_step_leaves_an_archive_that_proves_and_goes_on() {
    let listed = run(&["doctor", "--list-compact-faults"]);
    let steps: Vec<String> = text(&listed.stdout).lines().map(String::from).collect();
    assert!(steps.len() >= 4, "{steps:?}");
    let stream = small_statements(6_000);
    for step in steps {
        let archive = Archive::new("compact-fault");
        let load = archive.load(&archive.home.file("s.txt", &stream), None)["load"].to_string();
        let out = archive.command(&["compact", "--small"]).env("GREENBAR_FAULT", &step).output().expect("starts");
        assert!(out.status.code().is_none(), "step {step} kills the process: {:?} {}", out.status, text(&out.stderr));
        archive.is_sound();
        assert!(archive.ok(&["export-load", &load]) == stream, "{step}");
        archive.ok(&["compact", "--small"]);
        archive.is_sound();
        assert!(archive.ok(&["export-load", &load]) == stream, "{step}");
        assert_eq!(archive.json(&["compact", "--small"])[0]["loads_kept"], 1, "{step}: nothing is left to do");
    }
}

#[test]
fn what_is_held_stays_and_what_is_done_is_in_the_audit() {
    let archive = Archive::new("compact-hold");
    let (held, free) = (small_statements(300), small_statements(5_000).split_off(small_statements(300).len()));
    archive.load(&archive.home.file("held.txt", &held), None);
    let load = archive.load(&archive.home.file("free.txt", &free), None)["load"].to_string();
    archive.ok(&["hold", "add", "case-9", "--account", &account(3), "--reason", "court order"]);
    let hits = archive.search("definition:great-lakes-statement").len();
    let sum = archive.json(&["compact", "--small"]).remove(0);
    assert_eq!((&sum["loads_compacted"], &sum["loads_held"], &sum["loads_failed"]), (&1.into(), &1.into(), &0.into()));
    assert!(sum["stored_after"].as_u64() < sum["stored_before"].as_u64(), "{sum}");
    let records = archive.json(&["audit", "list", "--kind", "compact"]);
    assert_eq!(records.len(), 1, "{records:?}");
    archive.is_sound();
    assert!(archive.ok(&["export-load", &load]) == free);
    assert_eq!(archive.search("definition:great-lakes-statement").len(), hits);
    archive.ok(&["hold", "release", "case-9", "--reason", "case closed"]);
    assert_eq!(archive.json(&["compact", "--small"])[0]["loads_compacted"], 1);
    archive.is_sound();
}
