//! kill -9 at any moment leaves either no load or the whole load, and a second try succeeds.

use std::time::{Duration, Instant};

use crate::story::{Archive, next, rounds, run, small_statements, text};

/// The steps at which the load can be made to die; the program lists them.
fn fault_steps() -> Vec<String> {
    let out = run(&["doctor", "--list-faults"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    text(&out.stdout).lines().filter(|step| *step != "disk-full").map(String::from).collect()
}

fn check_all_or_nothing(archive: &Archive, documents: u64, what: &str) {
    let stats = archive.json(&["stats"]).remove(0);
    let seen = stats["documents"].as_u64().expect("a count");
    assert!(seen == 0 || seen == documents, "{what}: {seen} of {documents} documents are visible");
    archive.is_sound();
    let hits = archive.search("definition:great-lakes-statement").len() as u64;
    assert_eq!(hits, seen, "{what}: search shows exactly what the archive has");
}

#[test]
fn a_death_at_each_step_of_a_load_leaves_all_or_nothing() {
    let steps = fault_steps();
    assert!(steps.len() >= 5, "{steps:?}");
    for step in steps {
        let archive = Archive::new("fault");
        let file = archive.home.file("s.txt", small_statements(400));
        let out = archive
            .command(&["load", file.to_str().expect("UTF-8")])
            .env("GREENBAR_FAULT", &step)
            .output()
            .expect("starts");
        assert!(out.status.code().is_none(), "step {step} kills the process: {:?} {}", out.status, text(&out.stderr));
        check_all_or_nothing(&archive, 400, &step);
        let again = archive.load(&file, None);
        assert_eq!(again["documents"], 400, "{step}: the second try succeeds");
        check_all_or_nothing(&archive, 400, &step);
        assert_eq!(archive.json(&["stats"]).remove(0)["loads"], 1, "{step}");
    }
}

#[test]
fn the_space_of_a_load_that_died_is_given_back_when_the_archive_is_opened() {
    let archive = Archive::new("debris");
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let noise: Vec<u8> = (0..500_000).flat_map(|_| next(&mut seed).to_le_bytes()).collect();
    let file = archive.home.file("noise.bin", noise);
    let mut command = archive.command(&["load", file.to_str().expect("UTF-8")]);
    let out = command.env("GREENBAR_FAULT", "documents-written").output().expect("starts");
    assert!(out.status.code().is_none(), "{:?} {}", out.status, text(&out.stderr));
    let stats = archive.json(&["stats"]).remove(0);
    assert_eq!(stats["loads"], 0, "{stats}");
    assert!(stats["stored_bytes"].as_u64().expect("bytes") < 1_000_000, "4 MB of debris are gone: {stats}");
}

#[test]
fn kill_9_at_random_moments_leaves_all_or_nothing() {
    let rounds = rounds(12, 200);
    let archive = Archive::new("kill");
    let file = archive.home.file("s.txt", small_statements(6_000));
    // How long an undisturbed load takes on this machine sets the range of the moments.
    let trial = Archive::new("kill-trial");
    let started = Instant::now();
    trial.load(&file, None);
    let whole = started.elapsed();
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    for round in 0..rounds {
        let moment = whole.mul_f64((next(&mut seed) % 1_000) as f64 / 1_000.0 * 1.1);
        let mut child = archive.command(&["load", file.to_str().expect("UTF-8")]).spawn().expect("starts");
        std::thread::sleep(moment.max(Duration::from_millis(1)));
        let _ = child.kill();
        let _ = child.wait();
        check_all_or_nothing(&archive, 6_000, &format!("round {round}, after {moment:?}"));
        if archive.json(&["stats"]).remove(0)["loads"] == 1 {
            let id = archive.json(&["loads"]).remove(0)["load"].to_string();
            archive.ok(&["unload", &id, "--reason", "next round"]);
        }
    }
    assert_eq!(archive.load(&file, None)["documents"], 6_000);
    archive.is_sound();
}

#[test]
fn a_lost_search_index_is_rebuilt_from_the_archive() {
    let archive = Archive::new("lost-index");
    archive.load(&archive.home.file("s.txt", small_statements(25)), None);
    let index = archive.dir().join("search");
    assert!(index.is_dir(), "the index is a folder of the archive");
    std::fs::remove_dir_all(&index).expect("removable");
    archive.ok(&["reindex"]);
    assert_eq!(archive.search("\"ORCHARD CAFE\" definition:great-lakes-statement").len(), 25);
}
