//! The first five minutes: the demo, and what a new user types.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::story::{Archive, GREENBAR, TempDir, run, small_statements, text};

#[test]
fn the_demo_loads_every_sample_serves_and_says_how_to_sign_in() {
    let home = TempDir::new("demo");
    let mut child = Command::new(GREENBAR)
        .args(["demo", "--port", "0", "--dir"])
        .arg(home.path().join("demo"))
        .current_dir(crate::story::checkout())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("greenbar starts");
    let mut said = String::new();
    for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
        let line = line.expect("UTF-8");
        said.push_str(&line);
        said.push('\n');
        if line.contains("Ctrl-C") {
            break;
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    for word in ["/agent", "/my", "/admin", "password", "documents"] {
        assert!(said.contains(word), "{word} is missing in:\n{said}");
    }
}

#[test]
fn help_lists_every_command_and_completions_exist_for_the_usual_shells() {
    let help = text(&run(&["--help"]).stdout);
    for command in [
        "demo",
        "init",
        "definition",
        "inspect",
        "check",
        "load",
        "search",
        "get",
        "convert",
        "export-load",
        "verify",
        "reindex",
        "backup",
        "restore",
        "stats",
        "doctor",
        "audit",
        "user",
        "serve",
        "completions",
    ] {
        assert!(help.contains(command), "{command} is missing in:\n{help}");
        let out = run(&[command, "--help"]);
        assert!(out.status.success() && out.stdout.len() > 100, "{command} --help reads well");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(text(&run(&["completions", shell]).stdout).contains("export-load"), "{shell}");
    }
}

#[test]
fn the_archive_can_be_named_before_and_after_the_command_and_by_the_environment() {
    let archive = Archive::bare("where");
    let dir = archive.dir();
    let dir = dir.to_str().expect("UTF-8");
    for args in [&["--data", dir, "stats", "--json"][..], &["stats", "--data", dir, "--json"]] {
        assert!(run(args).status.success(), "{args:?}");
    }
    let out = Command::new(GREENBAR).args(["stats", "--json"]).env("GREENBAR_DATA", dir).output().expect("starts");
    assert!(out.status.success());
    let out = run(&["stats"]);
    assert_eq!(out.status.code(), Some(2), "no archive named: wrong usage");
    assert!(text(&out.stderr).contains("GREENBAR_DATA"));
}

#[test]
fn json_output_has_the_keys_that_other_programs_rely_on() {
    let archive = Archive::new("keys");
    let file = archive.home.file("s.txt", small_statements(4));
    let report = archive.load(&file, None);
    for key in [
        "load",
        "file",
        "definition",
        "sha256",
        "bytes",
        "pages",
        "documents",
        "set_aside_pages",
        "stored_bytes",
        "duplicate",
        "warnings",
        "seconds",
    ] {
        assert!(!report[key].is_null(), "load: {key}");
    }
    let hit = archive.search("account:100002-0002-2").remove(0);
    for key in ["id", "load", "definition", "kind", "title", "date", "pages", "fields"] {
        assert!(!hit[key].is_null(), "search: {key}: {hit}");
    }
    assert_eq!(hit["fields"]["amount"], "20.02", "{hit}");
    let stats = archive.json(&["stats"]).remove(0);
    for key in ["loads", "documents", "pages", "captured_bytes", "stored_bytes", "index_bytes"] {
        assert!(stats[key].is_u64(), "stats: {key}");
    }
    let verify = archive.json(&["verify"]).remove(0);
    for key in ["documents", "blocks", "errors"] {
        assert!(!verify[key].is_null(), "verify: {key}");
    }
    let out = run(&["inspect", "--json", file.to_str().expect("UTF-8")]);
    let inspection = &crate::story::lines(&out.stdout)[0];
    for key in [
        "format",
        "confidence",
        "bytes",
        "records",
        "pages",
        "code_page",
        "record_format",
        "framing",
        "record_length",
        "carriage_control",
    ] {
        assert!(!inspection[key].is_null(), "inspect: {key}: {inspection}");
    }
}

#[test]
fn check_says_what_a_definition_would_cut_without_an_archive() {
    let home = TempDir::new("check");
    let file = home.file("s.txt", small_statements(4));
    let definition = crate::story::checkout().join("indexers/great-lakes-statement.toml");
    let out = run(&["check", definition.to_str().expect("UTF-8"), file.to_str().expect("UTF-8")]);
    let said = text(&out.stdout);
    assert!(
        out.status.success() && said.contains("100002-0002-2") && said.contains("4 documents"),
        "{said}{}",
        text(&out.stderr)
    );
}

#[test]
fn queries_find_by_field_range_date_phrase_and_word() {
    let archive = Archive::new("queries");
    archive.load(&archive.home.file("s.txt", small_statements(30)), None);
    let count = |query: &str| archive.search(query).len();
    assert_eq!(count("account:100007-0007-7"), 1);
    assert_eq!(count("amount:>100 definition:great-lakes-statement"), 21);
    assert_eq!(count("amount:70.07"), 1);
    assert_eq!(count("amount:70.06..70.08"), 1);
    assert_eq!(count("date:[2024-01-01 TO 2024-03-31]"), 8);
    assert_eq!(count("\"CAFE 7\""), 1);
    assert_eq!(count("orchard cafe"), 30);
    assert_eq!(count("nosuchword"), 0);
}
