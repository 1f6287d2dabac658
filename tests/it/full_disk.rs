//! A disk that really fills up while a stream is being loaded: the load says so, the archive stays whole, and the same load
//! goes through once there is room. Needs the right to mount (root); elsewhere the tests say that they were skipped.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::capture::{configure, lpd, port};
use crate::server::{Server, key};
use crate::story::{Archive, next, small_statements, text};

/// A disk of its own, in memory.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounted there with so many megabytes; `None` (after saying so) where mounting is not allowed.
    pub fn mount(at: &Path, megabytes: u32) -> Option<SmallDisk> {
        std::fs::create_dir_all(at).expect("made");
        let size = format!("size={megabytes}m");
        let out = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        match out {
            Ok(out) if out.status.success() => Some(SmallDisk(at.to_path_buf())),
            Ok(out) => {
                eprintln!("skipped: a small disk cannot be mounted here: {}", text(&out.stderr).trim());
                None
            }
            Err(error) => {
                eprintln!("skipped: mount cannot be run: {error}");
                None
            }
        }
    }

    /// Bytes that are free.
    pub fn free(&self) -> u64 {
        let out = Command::new("stat").args(["-f", "-c", "%a %S"]).arg(&self.0).output().expect("stat runs");
        let numbers: Vec<u64> = text(&out.stdout).split_whitespace().filter_map(|n| n.parse().ok()).collect();
        numbers[0] * numbers[1]
    }

    /// Takes room away until so many bytes are left; remove the file to give it back. A store that was just opened gives room
    /// back for a while (logs that it has read): that is waited for, else there would be more room than is meant.
    pub fn fill(&self, leave: u64) -> PathBuf {
        let filler = self.0.join("filler");
        let mut free = self.free();
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(500));
            if std::mem::replace(&mut free, self.free()) == free {
                break;
            }
        }
        let bytes = usize::try_from(free.saturating_sub(leave)).expect("small");
        std::fs::write(&filler, vec![1; bytes]).expect("filled");
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// An archive that lies on a disk of so many megabytes.
pub fn on_a_small_disk(purpose: &str, megabytes: u32) -> Option<(Archive, SmallDisk)> {
    let archive = Archive::new(purpose);
    let place = archive.home.path().join("small");
    let disk = SmallDisk::mount(&place, megabytes)?;
    let copied = Command::new("cp").arg("-a").arg(archive.dir()).arg(place.join("archive")).status();
    assert!(copied.expect("cp runs").success());
    std::fs::remove_dir_all(archive.dir()).expect("removed");
    std::os::unix::fs::symlink(place.join("archive"), archive.dir()).expect("linked");
    Some((archive, disk))
}

/// Statements with lines that hardly compress, so that blocks take about as much room as the stream.
fn bulky_statements(count: usize) -> Vec<u8> {
    let (mut out, mut seed) = (Vec::new(), 0x9E37_79B9_7F4A_7C15_u64);
    for page in small_statements(count).split_inclusive(|byte| *byte == b'\n') {
        out.extend_from_slice(page);
        if page.starts_with(b"0DATE") {
            for _ in 0..30 {
                let noise: String =
                    (0..90).map(|_| char::from(b'#' + u8::try_from(next(&mut seed) % 90).expect("small"))).collect();
                out.extend_from_slice(format!("  {noise}\n").as_bytes());
            }
        }
    }
    out
}

#[test]
fn a_disk_that_fills_up_during_a_load_fails_it_clearly_and_the_load_can_be_repeated() {
    let Some((archive, disk)) = on_a_small_disk("disk-fills-up", 96) else { return };
    archive.load(&archive.home.file("before.txt", small_statements(5)), None);
    let stream = bulky_statements(6_000);
    let file = archive.home.file("night.txt", &stream);
    let before = archive.json(&["stats"]).remove(0);
    // Room for a third of it.
    let filler = disk.fill(stream.len() as u64 / 3);
    let told = archive.fails(&["load", file.to_str().expect("UTF-8")]);
    assert!(told.contains("full") || told.contains("No space left"), "{told}");
    assert!(told.contains("do:"), "what to do is said: {told}");
    std::fs::remove_file(&filler).expect("removed");
    let after = archive.json(&["stats"]).remove(0);
    for figure in ["loads", "documents", "pages", "captured_bytes"] {
        assert_eq!(after[figure], before[figure], "{figure}: {after}");
    }
    archive.is_sound();
    assert_eq!(archive.search("STATEMENT").len(), 5, "what was there is found");
    let again = archive.load(&file, None);
    assert_eq!((&again["documents"], &again["duplicate"]), (&6_000.into(), &false.into()), "{again}");
    let back = archive.ok(&["export-load", &again["load"].to_string()]);
    assert!(back == stream, "byte for byte");
    archive.is_sound();
}

#[test]
fn a_server_whose_disk_fills_up_during_a_load_says_so_and_loads_when_there_is_room() {
    let Some((archive, disk)) = on_a_small_disk("server-disk-fills-up", 192) else { return };
    let admin = key(&archive, "root", "administrator", &[]);
    archive.load(&archive.home.file("before.txt", small_statements(5)), None);
    let port = port();
    configure(&archive, &format!("[capture]\nkeep_free = 0\n[capture.lpd]\nlisten = \"127.0.0.1:{port}\"\n"));
    let server = Server::start(&archive);
    let stream = bulky_statements(12_000);
    // The stream itself has room, and a small part of what loading it takes: what the store has set aside for its log comes on top.
    let filler = disk.fill(stream.len() as u64 + (3 << 20));
    let head = format!("\x03{} dfA007host\n", stream.len());
    let body = [stream.as_slice(), b"\0"].concat();
    assert_eq!(lpd(port, &[b"\x02k\n", head.as_bytes(), &body]), Some(0), "it was taken");
    let until = |wanted: &dyn Fn(&serde_json::Value) -> bool| {
        let started = Instant::now();
        loop {
            let item = server.json("/api/v1/intake/1", &admin);
            if wanted(&item) {
                return item;
            }
            assert!(started.elapsed() < Duration::from_secs(120), "{item}");
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    let item = until(&|item| item["error"].as_str().is_some_and(|why| why.contains("full")));
    assert!(
        matches!(item["state"].as_str(), Some("received" | "identified" | "loading")),
        "it is not given up: {item}"
    );
    // Nobody sees a document without its audit record, and that has no room either: it is said, not hidden.
    let (status, _, told) = server.get("/api/v1/documents/1-5/content?format=original", &admin);
    assert!(status == 200 || (status == 507 && text(&told).contains("disk-full")), "{status} {}", text(&told));
    let (status, _, told) = server.get("/api/v1/intake?state=failed", &admin);
    assert_eq!(status, 200, "the operator gets in: {}", text(&told));
    std::fs::remove_file(&filler).expect("removed");
    let item = until(&|item| item["state"] == "loaded");
    assert_eq!(item["load"], 2, "{item}");
    assert!(server.get("/api/v1/loads/2/original", &admin).2 == stream, "byte for byte");
    drop(server);
    archive.is_sound();
}
