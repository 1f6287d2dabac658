//! Whatever was captured comes back byte for byte; the same stream twice is one load; an unloaded load leaves nothing.

use std::path::{Path, PathBuf};

use crate::story::{Archive, small_statements, text};

/// Bytes with no structure at all, the same on every run.
fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(length);
    while out.len() < length {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        out.push((seed >> 56) as u8);
    }
    out
}

#[test]
fn any_bytes_come_back_as_they_were() {
    let archive = Archive::new("lossless");
    let mut framed = vec![0x00, 0x0A, 0x00, 0x00, 0xF1, 0xC8, 0xC5, 0xD3, 0xD3, 0xD6];
    framed.extend([0xFF, 0xFF, 0x00, 0x00, 0x40]);
    let streams: &[(&str, Vec<u8>)] = &[
        ("statements.txt", small_statements(40)),
        ("junk-in-front.txt", [b"\x00\x00junk\n".to_vec(), small_statements(3)].concat()),
        ("one-byte.bin", vec![0x1A]),
        ("noise.bin", noise(300_000, 7)),
        ("zeros.bin", vec![0; 70_000]),
        ("no-line-end.txt", b"1no line end at all".to_vec()),
        ("broken-rdw.vba", framed),
        ("only-feeds.txt", b"\x0c\x0c\x0c\n\x0c".to_vec()),
        ("pdf-inside.bin", [b"%PDF-1.7\n".to_vec(), noise(5_000, 9)].concat()),
    ];
    for (name, bytes) in streams {
        let report = archive.load(&archive.home.file(name, bytes), None);
        assert_eq!(report["bytes"], bytes.len(), "{name}");
        assert_eq!(report["duplicate"], false, "{name}");
        let out = archive.ok(&["export-load", &report["load"].to_string()]);
        assert!(out == *bytes, "{name} comes back byte for byte");
    }
    archive.is_sound();
}

#[test]
fn a_second_identical_load_adds_nothing() {
    let archive = Archive::new("twice");
    let file = archive.home.file("a.txt", small_statements(30));
    let first = archive.load(&file, None);
    let before = archive.json(&["stats"]).remove(0);
    let again = archive.home.file("b.txt", small_statements(30));
    let second = archive.load(&again, None);
    assert_eq!((&second["duplicate"], &second["load"]), (&true.into(), &first["load"]));
    let after = archive.json(&["stats"]).remove(0);
    for key in ["loads", "documents", "pages", "captured_bytes"] {
        assert_eq!(before[key], after[key], "{key}");
    }
}

#[test]
fn an_unloaded_load_is_gone_from_everywhere_and_can_come_again() {
    let archive = Archive::new("unload");
    let kept = archive.load(&archive.home.file("kept.txt", small_statements(12)), None);
    let file = archive.home.file("gone.txt", small_statements(50));
    let gone = archive.load(&file, None);
    let id = gone["load"].to_string();
    let document = format!("{id}-1");
    archive.ok(&["get", &document, "--format", "text"]);
    archive.ok(&["unload", &id, "--reason", "loaded by mistake"]);
    archive.fails(&["get", &document, "--format", "text"]);
    archive.fails(&["export-load", &id]);
    assert!(archive.search("definition:great-lakes-statement").iter().all(|hit| hit["load"] == kept["load"]));
    let stats = archive.json(&["stats"]).remove(0);
    assert_eq!((&stats["loads"], &stats["documents"]), (&1.into(), &12.into()));
    let again = archive.load(&file, None);
    assert_eq!(again["duplicate"], false);
    assert_ne!(again["load"], gone["load"], "a load's number is never used again");
    archive.is_sound();
}

#[test]
fn a_newer_definition_cuts_an_old_load_anew_without_touching_its_bytes() {
    let archive = Archive::new("resplit");
    let report = archive.load(&archive.home.file("s.txt", small_statements(9)), None);
    let id = report["load"].to_string();
    let before = archive.ok(&["export-load", &id]);
    let source = std::fs::read_to_string(crate::story::checkout().join("indexers/great-lakes-statement.toml"))
        .expect("readable");
    let newer = source.replace("kind = \"statement\"", "kind = \"letter\"");
    assert_ne!(newer, source, "the definition says its kind");
    let added = archive.json(&["definition", "add", path(&archive.home.file("newer.toml", &newer))]).remove(0);
    assert_eq!(added["version"], 2);
    let done = archive.json(&["reindex", "--definition", "great-lakes-statement"]).remove(0);
    assert_eq!((&done["loads_cut_anew"], &done["loads_kept"]), (&1.into(), &0.into()));
    let done = archive.json(&["reindex", "--definition", "great-lakes-statement"]).remove(0);
    assert_eq!((&done["loads_cut_anew"], &done["loads_kept"]), (&0.into(), &1.into()), "nothing is left to do");
    let hits = archive.search("kind:letter");
    assert_eq!(hits.len(), 9, "all documents were cut by version 2");
    assert_eq!(archive.ok(&["export-load", &id]), before);
    let difference = text(&archive.ok(&["definition", "diff", "great-lakes-statement", "1", "2"]));
    assert!(difference.contains("letter"), "{difference}");
    archive.is_sound();
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8 path")
}

#[test]
fn loads_and_unloads_again_and_again_give_their_space_back() {
    let archive = Archive::new("churn");
    let file = archive.home.file("s.txt", small_statements(2_000));
    let size = |archive: &Archive| {
        let stats = archive.json(&["stats"]).remove(0);
        stats["stored_bytes"].as_u64().expect("a size") + stats["index_bytes"].as_u64().expect("a size")
    };
    let first = archive.load(&file, None);
    archive.ok(&["unload", &first["load"].to_string(), "--reason", "test"]);
    let base = size(&archive);
    for _ in 0..4 {
        let report = archive.load(&file, None);
        archive.ok(&["unload", &report["load"].to_string(), "--reason", "test"]);
    }
    let after = size(&archive);
    assert!(after < base + 300_000, "from {base} to {after} bytes after four more loads and unloads");
}

#[test]
fn a_backup_restores_to_the_same_archive() {
    let archive = Archive::new("backup");
    let report = archive.load(&archive.home.file("s.txt", small_statements(20)), None);
    let copy = archive.home.path().join("copy");
    let back = Archive { home: crate::story::TempDir::new("restored") };
    archive.ok(&["backup", path(&copy)]);
    let out = crate::story::run(&["restore", path(&copy), path(&back.dir())]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(
        archive.ok(&["export-load", &report["load"].to_string()]),
        back.ok(&["export-load", &report["load"].to_string()])
    );
    assert_eq!(back.search("definition:great-lakes-statement").len(), 20, "search is rebuilt from the archive");
    back.is_sound();
}

#[test]
fn verify_reads_also_the_rows_that_belong_to_no_load() {
    let archive = Archive::new("flipped-user");
    archive.is_sound();
    let store = archive.dir().join("store");
    let tables = std::fs::read_dir(&store).expect("a store").map(|entry| entry.expect("an entry").path());
    // The administrator's row is the only one with a password.
    let mut flipped = 0;
    for table in tables.filter(|path| path.extension().is_some_and(|extension| extension == "sst")) {
        let mut bytes = std::fs::read(&table).expect("reads");
        let Some(at) = bytes.windows(8).position(|window| window == b"argon2id") else { continue };
        bytes[at] ^= 1;
        std::fs::write(&table, bytes).expect("writes");
        flipped += 1;
    }
    assert!(flipped > 0, "no table has the administrator's password");
    let out = archive.command(&["verify", "--json"]).output().expect("starts");
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).expect("a report, also of what cannot be read");
    let errors = report["errors"].as_array().expect("a list");
    let of_users =
        |error: &serde_json::Value| error.as_str().is_some_and(|e| e.contains("users") && e.contains("checksum"));
    assert!(errors.iter().any(of_users), "{report}");
}

#[test]
fn an_archive_that_cannot_be_opened_any_more_is_told_to_programs_too() {
    let archive = Archive::new("no-manifest");
    archive.is_sound();
    let files = std::fs::read_dir(archive.dir().join("store")).expect("a store").flatten().map(|entry| entry.path());
    let is_manifest =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("MANIFEST"));
    let manifests: Vec<PathBuf> = files.filter(is_manifest).collect();
    assert!(!manifests.is_empty());
    for manifest in manifests {
        let mut bytes = std::fs::read(&manifest).expect("reads");
        bytes.iter_mut().take(64).for_each(|byte| *byte ^= 0x55);
        std::fs::write(&manifest, bytes).expect("writes");
    }
    let out = archive.command(&["verify", "--json"]).output().expect("starts");
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).expect("a report");
    assert_eq!(report["errors"].as_array().map(Vec::len), Some(1), "{report}");
    let nothing = Archive { home: crate::story::TempDir::new("no-archive") };
    let out = nothing.command(&["verify", "--json"]).output().expect("starts");
    assert_eq!((out.status.code(), out.stdout.len()), (Some(1), 0), "no archive is no damaged one");
}
