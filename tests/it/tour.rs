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
fn check_of_a_stream_alone_drafts_a_definition_that_cuts_it() {
    let home = TempDir::new("draft");
    let sample = crate::story::checkout().join("fixtures/samples/first-cascade-statements.afp");
    let sample = sample.to_str().expect("UTF-8");
    let drafted = run(&["check", sample]);
    let draft = text(&drafted.stdout);
    assert!(drafted.status.success(), "{}", text(&drafted.stderr));
    assert!(draft.contains("groups, level 1") && draft.contains("AccountNumber (10)"), "{draft}");
    let definition = home.file("draft.toml", draft);
    let definition = definition.to_str().expect("UTF-8");
    let said = text(&run(&["check", definition, sample]).stdout);
    assert!(said.contains("10 documents") && said.contains("closing_balance      9060.87"), "{said}");
    let alone = run(&["check", definition]);
    assert_eq!(alone.status.code(), Some(2), "a definition without a sample is wrong usage: {}", text(&alone.stderr));
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
    assert_eq!(count("-orchard"), 0, "a query may begin with what it excludes");
    assert_eq!(count("-nosuchword"), 30);
    let out = archive.command(&["search", "--limt"]).output().expect("starts");
    assert_eq!(out.status.code(), Some(2), "an option that is misspelt is no query");
}

/// What differs from run to run and from release to release: passwords, seconds, sizes on disk, numbers of audit records.
fn steady(line: &str) -> String {
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    let next = |at: usize, word: &str| words.get(at + 1).is_some_and(|next| next.starts_with(word));
    let changing = |at: usize, word: &str| {
        let number = word.starts_with(|c: char| c.is_ascii_digit());
        let password = at > 0 && words[at - 1] == "once):";
        let stored = number && (next(at, "B") || next(at, "KB")) && next(at + 1, "stored");
        password || stored || (number && (next(at, "s") && words[at - 1] == "in" || next(at, "audit")))
    };
    let kept = words.iter().enumerate().map(|(at, word)| if changing(at, word) { "#" } else { word });
    kept.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_tour_of_the_readme_typed_literally_says_what_the_readme_says() {
    let checkout = crate::story::checkout();
    let home = TempDir::new("readme");
    for folder in ["fixtures", "indexers"] {
        std::os::unix::fs::symlink(checkout.join(folder), home.path().join(folder)).expect("linked");
    }
    let readme = std::fs::read_to_string(checkout.join("README.md")).expect("readable");
    let (_, tour) = readme.split_once("## A five-minute tour").expect("the tour");
    let (tour, _) = tour.split_once("\n## ").expect("what follows the tour");
    // Commands, each with the lines that are shown below it.
    let mut steps: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in tour.lines().filter_map(|line| line.strip_prefix("    ")) {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((command, Vec::new())),
            (None, Some((_, shown))) => shown.push(line),
            (None, None) => panic!("output without a command: {line}"),
        }
    }
    assert!(steps.len() >= 12, "{steps:?}");
    let bin = std::path::Path::new(GREENBAR).parent().expect("a folder").to_owned();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut exports = String::new();
    for (command, shown) in steps {
        if command.starts_with("export ") {
            exports.push_str(command);
            exports.push('\n');
            continue;
        }
        let script = format!("{exports}{command}");
        let out = Command::new("sh").args(["-c", &script]).current_dir(home.path()).env("PATH", &path).output();
        let out = out.expect("a shell");
        assert!(out.status.success(), "{command}: {}", text(&out.stderr));
        let said: Vec<String> = text(&out.stdout).lines().map(steady).collect();
        // `...` stands for any lines.
        let mut from = 0;
        let mut gap = false;
        for line in shown {
            if line == "..." {
                gap = true;
                continue;
            }
            let line = steady(line);
            let place = said.iter().skip(from).position(|said| *said == line);
            let place = place.filter(|place| gap || *place == 0);
            let place = place.unwrap_or_else(|| panic!("$ {command}\n{line}\nis not what comes:\n{}", said.join("\n")));
            (from, gap) = (from + place + 1, false);
        }
    }
}
