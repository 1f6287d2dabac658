//! Bad input gets a clear message that names the file; nothing already archived is harmed.

use std::path::Path;
use std::process::Stdio;

use crate::story::{Archive, run, small_statements, text};

fn s(path: &Path) -> &str {
    path.to_str().expect("UTF-8 path")
}

#[test]
fn files_that_cannot_be_loaded_are_named_with_the_reason() {
    let archive = Archive::new("bad-files");
    let empty = archive.home.file("empty.txt", "");
    let message = archive.fails(&["load", s(&empty)]);
    assert!(message.contains("empty.txt") && message.contains("empty"), "{message}");
    let message = archive.fails(&["load", s(archive.home.path())]);
    assert!(message.contains("director"), "{message}");
    let message = archive.fails(&["load", s(&archive.home.path().join("not-there.txt"))]);
    assert!(message.contains("not-there.txt"), "{message}");
    let message =
        archive.fails(&["load", "--definition", "no-such-report", s(&archive.home.file("a.txt", small_statements(1)))]);
    assert!(
        message.contains("no-such-report") && message.contains("great-lakes-statement"),
        "it names what exists: {message}"
    );
    assert_eq!(archive.json(&["stats"]).remove(0)["loads"], 0);
}

#[test]
fn one_bad_file_among_good_ones_does_not_stop_the_others() {
    let archive = Archive::new("one-bad");
    let good = archive.home.file("good.txt", small_statements(3));
    let empty = archive.home.file("empty.txt", "");
    let other = archive.home.file("other.txt", small_statements(4));
    let out = archive.command(&["load", "--json", s(&good), s(&empty), s(&other)]).output().expect("starts");
    assert_eq!(out.status.code(), Some(1), "something failed");
    let reports = crate::story::lines(&out.stdout);
    assert_eq!(reports.iter().map(|r| r["documents"].as_u64().unwrap_or(0)).collect::<Vec<_>>(), vec![3, 4]);
    assert!(text(&out.stderr).contains("empty.txt"));
}

#[test]
fn a_definition_that_matches_nothing_sets_every_page_aside_and_says_so() {
    let archive = Archive::new("no-match");
    let file = archive.home.file("s.txt", small_statements(5));
    let report = archive.load(&file, Some("telecom-bill"));
    assert_eq!(report["documents"], 0);
    assert_eq!(report["set_aside_pages"], report["pages"]);
    let codes: Vec<&str> =
        report["warnings"].as_array().expect("a list").iter().filter_map(|w| w["code"].as_str()).collect();
    assert!(codes.contains(&"no-documents"), "{codes:?}");
    archive.is_sound();
}

#[test]
fn pages_in_are_pages_in_documents_and_pages_set_aside() {
    let archive = Archive::new("accounting");
    let mut stream = b"1A PAGE THAT BELONGS TO NOBODY\n".to_vec();
    stream.extend(small_statements(7));
    let report = archive.load(&archive.home.file("s.txt", stream), Some("great-lakes-statement"));
    let in_documents: u64 =
        archive.search("definition:great-lakes-statement").iter().map(|hit| hit["pages"].as_u64().unwrap_or(0)).sum();
    assert_eq!(report["set_aside_pages"], 1);
    assert_eq!(report["pages"].as_u64(), Some(in_documents + 1));
}

#[test]
fn damaged_streams_load_with_warnings_that_say_where() {
    let archive = Archive::new("damaged");
    // A variable record file whose third descriptor points far past the end.
    let mut stream = Vec::new();
    for text in ["1HELLO", " WORLD"] {
        let data: Vec<u8> = text.bytes().map(ebcdic).collect();
        stream.extend(u16::try_from(data.len() + 4).expect("short").to_be_bytes());
        stream.extend([0, 0]);
        stream.extend(data);
    }
    stream.extend([0x7F, 0xF0, 0, 0, 0xC1]);
    let file = archive.home.file("cut.vba", &stream);
    let definition = archive.home.file(
        "cut.toml",
        "name = \"cut\"\ntitle = \"Cut\"\nkind = \"report\"\n[read]\nformat = \"line-data\"\ncode_page = \"ibm-037\"\nrecord_format = \"VBA\"\nframing = \"rdw\"\ncarriage_control = \"asa\"\n[document]\nstart = \"stream\"\n",
    );
    archive.ok(&["definition", "add", s(&definition)]);
    let report = archive.load(&file, Some("cut"));
    let warnings = report["warnings"].as_array().expect("a list");
    let cut = warnings.iter().find(|w| w["code"] == "record-cut-short").unwrap_or_else(|| panic!("{report}"));
    assert_eq!((&cut["first"]["byte"], &cut["first"]["record"]), (&20.into(), &3.into()), "{cut}");
    assert_eq!(archive.ok(&["export-load", &report["load"].to_string()]), stream);
}

fn ebcdic(byte: u8) -> u8 {
    match byte {
        b'A'..=b'I' => byte - b'A' + 0xC1,
        b'J'..=b'R' => byte - b'J' + 0xD1,
        b'S'..=b'Z' => byte - b'S' + 0xE2,
        b'0'..=b'9' => byte - b'0' + 0xF0,
        _ => 0x40,
    }
}

#[test]
fn an_error_in_a_definition_points_to_line_and_column_and_says_what_is_allowed() {
    let archive = Archive::bare("definition-errors");
    let file = archive.home.file(
        "wrong.toml",
        "name = \"wrong\"\ntitle = \"W\"\nkind = \"bill\"\ntitel = \"x\"\n\n[document]\nstart = \"sometimes\"\n",
    );
    let message = archive.fails(&["definition", "add", s(&file)]);
    assert!(message.contains("wrong.toml:4:1") && message.contains("title"), "{message}");
    assert!(message.contains("wrong.toml:7:"), "{message}");
}

#[test]
fn wrong_usage_ends_with_2_and_says_how_it_is_used() {
    for args in [&["lod"][..], &["get"], &["load"], &["search", "x", "--limit", "many"]] {
        let out = run(args);
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        assert!(text(&out.stderr).contains("Usage") || text(&out.stderr).contains("--help"), "{}", text(&out.stderr));
    }
}

#[test]
fn a_query_with_an_error_says_where_and_what() {
    let archive = Archive::new("bad-query");
    archive.load(&archive.home.file("s.txt", small_statements(2)), None);
    for (query, word) in
        [("nosuchfield:1", "nosuchfield"), ("date:[2024-01-01 TO", "not closed"), ("(a OR", "character")]
    {
        let message = archive.fails(&["search", query]);
        assert!(message.contains(word), "{query}: {message}");
    }
}

#[test]
fn a_reader_that_stops_early_ends_the_command_quietly() {
    let archive = Archive::new("pipe");
    archive.load(&archive.home.file("s.txt", small_statements(3_000)), None);
    let mut child = archive
        .command(&["search", "definition:great-lakes-statement", "--limit", "100000", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let out = child.wait_with_output().expect("ends");
    assert!(!text(&out.stderr).contains("panic"), "{}", text(&out.stderr));
}

#[test]
fn a_full_disk_fails_the_load_clearly_and_the_archive_stays_sound() {
    let archive = Archive::new("full-disk");
    archive.load(&archive.home.file("a.txt", small_statements(5)), None);
    let file = archive.home.file("b.txt", small_statements(3_000));
    // The hook answers the write of a block with the error that a full disk gives.
    let out = archive.command(&["load", s(&file)]).env("GREENBAR_FAULT", "disk-full").output().expect("starts");
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("disk is full"), "{}", text(&out.stderr));
    archive.is_sound();
    assert_eq!(archive.json(&["stats"]).remove(0)["loads"], 1);
    assert_eq!(archive.load(&file, None)["documents"], 3_000, "the load can be repeated");
}

#[test]
fn a_pipe_and_standard_input_are_read_like_a_file() {
    let archive = Archive::new("pipe");
    let stream = small_statements(5);
    let file = archive.home.file("s.txt", &stream);
    let fed = |args: &[&str]| {
        let mut child = archive.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
        std::io::Write::write_all(&mut child.stdin.take().expect("piped"), &stream).expect("taken whole");
        let out = child.wait_with_output().expect("ends");
        assert!(out.status.success(), "{args:?}");
        out.stdout
    };
    let of = |bytes: &[u8]| {
        let report = crate::story::lines(bytes).remove(0);
        ["format", "bytes", "records", "pages", "code_page", "framing"].map(|key| report[key].clone())
    };
    assert_eq!(of(&fed(&["--json", "inspect", "-"])), of(&archive.ok(&["--json", "inspect", s(&file)])));
    assert_eq!(fed(&["convert", "--format", "text", "-"]), archive.ok(&["convert", "--format", "text", s(&file)]));
    let definition = crate::story::checkout().join("indexers/great-lakes-statement.toml");
    assert_eq!(fed(&["check", s(&definition), "-"]), archive.ok(&["check", s(&definition), s(&file)]));
    assert_eq!(crate::story::lines(&fed(&["--json", "load", "-"])).remove(0)["documents"], 5);
}

#[test]
fn a_dry_run_that_finds_no_document_says_so() {
    let archive = Archive::new("dry-run");
    let definition = crate::story::checkout().join("indexers/telecom-bill.toml");
    let file = archive.home.file("s.txt", small_statements(2));
    let said = text(&archive.ok(&["check", s(&definition), s(&file)]));
    assert!(said.contains("no-documents"), "{said}");
}

#[test]
fn a_dry_run_has_the_titles_that_a_load_will_have() {
    let archive = Archive::bare("dry-titles");
    let source = "name = \"whole\"\ntitle = \"Whole\"\nkind = \"report\"\n[document]\ntitle = \"All of {file}\"\n";
    let definition = archive.home.file("whole.toml", source);
    let file = archive.home.file("s.txt", small_statements(2));
    let said = text(&archive.ok(&["check", s(&definition), s(&file)]));
    assert!(said.contains("All of s.txt"), "{said}");
    archive.ok(&["definition", "add", s(&definition)]);
    archive.load(&file, Some("whole"));
    assert_eq!(archive.search("definition:whole")[0]["title"], "All of s.txt");
}

#[test]
fn an_empty_file_is_called_empty_and_a_damaged_one_damaged() {
    let archive = Archive::new("inspected");
    let said = text(&archive.ok(&["inspect", s(&archive.home.file("empty.txt", ""))]));
    assert!(said.contains("the file is empty") && !said.contains("descriptor"), "{said}");
    let mut cut = Vec::new();
    for number in 0..60_u8 {
        cut.extend([0, 23, 0, 0, if number == 0 { 0xF1 } else { 0x40 }]);
        cut.extend(format!("LINE {number:03} OF REPORT").bytes().map(ebcdic));
    }
    cut.truncate(cut.len() - 7);
    let said = text(&archive.ok(&["inspect", s(&archive.home.file("cut.bin", cut))]));
    assert!(said.contains("record-cut-short") && said.contains("record 60"), "{said}");
}

#[test]
fn a_wrong_query_says_where_and_what_to_do() {
    let archive = Archive::new("query-errors");
    archive.load(&archive.home.file("s.txt", small_statements(2)), None);
    let message = archive.fails(&["search", "statement nosuch:5"]);
    assert!(message.contains("`nosuch` (character 11 of the query)"), "{message}");
    assert!(message.contains("Fields are:") && message.contains("account"), "{message}");
    let out = archive.command(&["search", "--limit", "1", "pages:>0"]).output().expect("starts");
    assert_eq!(text(&out.stdout).lines().count(), 1);
    assert!(text(&out.stderr).contains("there are more"), "{}", text(&out.stderr));
}
