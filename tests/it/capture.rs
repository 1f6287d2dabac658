//! Streams in by themselves: real clients print into the server; what was acknowledged survives kill -9.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::full_disk::on_a_small_disk;
use crate::server::{Server, key};
use crate::story::{Archive, next, rounds, small_statements, text};

/// A port that is free now, and that no outgoing connection is given: a server that is killed finds it free again.
pub fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 120).expect("small") * 100;
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub fn configure(archive: &Archive, settings: &str) {
    std::fs::write(archive.dir().join("greenbar.toml"), settings).expect("written");
}

pub fn run(command: &str, args: &[&str]) -> Output {
    let out = Command::new(command).args(args).stdin(Stdio::null()).output();
    out.unwrap_or_else(|error| panic!("{command} runs: {error}"))
}

/// Nothing moved for so long: it hangs. A whole wait has no limit, because many streams on a busy machine take their time.
const STANDSTILL: Duration = Duration::from_secs(60);

/// Waits until the server has so many loads and nothing on the way.
pub fn loaded(server: &Server, key: &str, loads: usize) -> Value {
    let (mut moved, mut last) = (Instant::now(), None);
    loop {
        let told = server.json("/api/v1/loads", key);
        let count = |name: &str| told[name].as_array().map_or(0, Vec::len);
        let moving = told["received"].as_array().into_iter().flatten().filter(|job| job["state"] != "failed").count();
        // Kills are nobody's fault: a stream whose loading they cut off is loaded without an operator.
        for job in told["received"].as_array().into_iter().flatten() {
            let cut_off = job["error"].as_str().is_some_and(|why| why.starts_with("the server ended"));
            assert!(!(cut_off && job["state"] == "failed"), "{job}");
        }
        if count("loads") >= loads && moving == 0 {
            return told;
        }
        let now = Some((count("loads"), moving));
        if now != last {
            (moved, last) = (Instant::now(), now);
        }
        assert!(moved.elapsed() < STANDSTILL, "{loads} loads are waited for: {told}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub fn original(server: &Server, key: &str, load: usize) -> Vec<u8> {
    server.get(&format!("/api/v1/loads/{load}/original"), key).2
}

#[test]
fn rlpr_prints_and_the_bytes_come_back() {
    let archive = Archive::new("rlpr");
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    configure(&archive, &format!("[capture]\nunknown = \"wait\"\n[capture.lpd]\nlisten = \"127.0.0.1:{port}\"\n"));
    let server = Server::start(&archive);
    let stream = small_statements(12);
    let file = archive.home.file("night run.txt", &stream);
    let (number, path) = (port.to_string(), file.to_str().expect("UTF-8"));
    let print = || run("rlpr", &["-N", "--port", &number, "-H", "127.0.0.1", "-P", "STATEMENTS", "-J", "night", path]);
    let out = print();
    assert!(out.status.success(), "{}", text(&out.stderr));
    let told = loaded(&server, &admin, 1);
    assert_eq!(told["loads"][0]["definition"], "great-lakes-statement", "{told}");
    assert!(original(&server, &admin, 1) == stream);
    // Sent again, it is the same load.
    assert!(print().status.success());
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(loaded(&server, &admin, 1)["loads"].as_array().map(Vec::len), Some(1));
    // A stream that nobody knows waits and stops nobody.
    let unknown = archive.home.file("unknown.txt", "something that no definition fits\n".repeat(20));
    let path = unknown.to_str().expect("UTF-8");
    assert!(run("rlpr", &["-N", "--port", &number, "-H", "127.0.0.1", "-P", "OTHER", path]).status.success());
    let told = loaded(&server, &admin, 1);
    assert_eq!(told["received"][0]["error"], "no report definition fits the stream", "{told}");
    // What waits is told by the queue.
    let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    wire.write_all(b"\x04OTHER \n").expect("sent");
    let mut answer = String::new();
    wire.read_to_string(&mut answer).expect("answered");
    assert!(answer.contains("unidentified"), "{answer}");
}

/// One LPD conversation by hand; returns the last answer.
pub fn lpd(port: u16, steps: &[&[u8]]) -> Option<u8> {
    let mut wire = TcpStream::connect(("127.0.0.1", port)).ok()?;
    wire.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut last = None;
    for step in steps {
        wire.write_all(step).ok()?;
        let mut answer = [9];
        last = match wire.read(&mut answer) {
            Ok(1) => Some(answer[0]),
            _ => None,
        };
        if last != Some(0) {
            break;
        }
    }
    last
}

#[test]
fn lpd_takes_what_real_senders_do_and_refuses_what_lies() {
    let archive = Archive::new("lpd");
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    let settings = format!(
        "[capture]\nunknown = \"wait\"\nmax_bytes = 100000\n[capture.lpd]\nlisten = \"127.0.0.1:{port}\"\n\
         [capture.lpd.limits]\nconnections = 50\nconnections_per_peer = 20\n\
         [[capture.queue]]\nname = \"whole\"\nunknown = \"whole\"\n"
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    // The data file first, without the 0 behind it, and a control file that names it.
    let control = b"Hhost\nPann\nJevening\nfdfA001host\n\0";
    let head = format!("\x02{} cfA001host\n", control.len() - 1);
    let data: &[&[u8]] = &[b"\x02whole\n", b"\x036 dfA001host\n", b"first\n\0", head.as_bytes(), control];
    assert_eq!(lpd(port, data), Some(0));
    // Of unknown length.
    let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    wire.write_all(b"\x02whole\n\x034294967296 dfA002host\nup to the end").expect("sent");
    wire.shutdown(std::net::Shutdown::Write).expect("shut");
    let mut answers = Vec::new();
    wire.read_to_end(&mut answers).expect("answered");
    assert_eq!(answers, [0, 0, 0]);
    let told = loaded(&server, &admin, 2);
    let mut files: Vec<&str> =
        told["loads"].as_array().expect("a list").iter().filter_map(|load| load["file"].as_str()).collect();
    files.sort_unstable();
    assert_eq!(files, ["dfA002host", "evening"], "{told}");
    // What lies or is too much is refused with a code, and nothing of it is kept.
    assert_eq!(lpd(port, &[b"\x02whole\n", b"\x03999999 dfA003host\n"]), Some(3), "too long");
    assert_eq!(lpd(port, &[b"\x02whole\n", b"\x02999999 cfA003host\n"]), Some(3), "a control file is short");
    assert_eq!(lpd(port, &[b"\x02whole\n", b"\x03x dfA003host\n"]), Some(3), "no number");
    assert_eq!(lpd(port, &[b"\x02whole\n", b"\x036 dfA003host\n", b"more than six\0"]), Some(3), "more than announced");
    assert_eq!(lpd(port, &[b"\x09\n"]), Some(3), "no command");
    let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    wire.write_all(b"\x02whole\n\x031000 dfA004host\nshort").expect("sent");
    drop(wire);
    // A thousand open jobs: more than are allowed are turned away, and others get in when they are gone.
    let open: Vec<_> = (0..1_000).filter_map(|_| TcpStream::connect(("127.0.0.1", port)).ok()).collect();
    drop(open);
    let started = Instant::now();
    while lpd(port, &[b"\x02whole\n", b"\x034 dfA005host\n", b"last\0"]) != Some(0) {
        assert!(started.elapsed() < Duration::from_secs(10), "the server takes jobs again");
        std::thread::sleep(Duration::from_millis(50));
    }
    let told = loaded(&server, &admin, 3);
    assert_eq!(told["received"].as_array().map(Vec::len), Some(0), "{told}");
    let left = std::fs::read_dir(archive.dir().join("intake")).expect("there").count();
    assert_eq!(left, 0, "nothing of what broke off is left");
}

#[test]
fn lprm_removes_nothing_unless_the_configuration_lets_it() {
    let archive = Archive::new("lprm");
    let admin = key(&archive, "root", "administrator", &[]);
    let ask = |port: u16, agent: &str| {
        let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        wire.write_all(format!("\x05OTHER {agent}\n").as_bytes()).expect("sent");
        let mut answer = String::new();
        wire.read_to_string(&mut answer).expect("answered");
        answer
    };
    for (remove, answers) in
        [("", ["not from here", "not from here"]), ("remove = true\n", ["no entries of", "1 dequeued"])]
    {
        let port = port();
        configure(&archive, &format!("[capture]\n[capture.lpd]\nlisten = \"127.0.0.1:{port}\"\n{remove}"));
        let server = Server::start(&archive);
        if remove.is_empty() {
            let control = b"Hhost\nPann\nJlist\nfdfA001host\n\0";
            let head = format!("\x02{} cfA001host\n", control.len() - 1);
            let job: &[&[u8]] = &[b"\x02OTHER\n", head.as_bytes(), control, b"\x0311 dfA001host\n", b"STOCK LIST\n\0"];
            assert_eq!(lpd(port, job), Some(0));
        }
        becomes(&server, &admin, 1, "unidentified");
        for (agent, wanted) in ["eve", "ann"].iter().zip(answers) {
            let answer = ask(port, agent);
            assert!(answer.contains(wanted), "{remove:?} {agent}: {answer}");
        }
        let state = if remove.is_empty() { "unidentified" } else { "discarded" };
        becomes(&server, &admin, 1, state);
    }
}

#[test]
fn netcat_prints_to_the_raw_port_and_asks_it() {
    let archive = Archive::new("raw");
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    let settings = format!("[[capture.raw]]\nlisten = \"127.0.0.1:{port}\"\nqueue = \"RAW\"\nend_s = 2\n");
    configure(&archive, &settings);
    let server = Server::start(&archive);
    let stream = small_statements(7);
    let file = archive.home.file("s.txt", &stream);
    let out = Command::new("nc")
        .args(["-N", "127.0.0.1", &port.to_string()])
        .stdin(std::fs::File::open(&file).expect("there"))
        .output()
        .expect("nc (netcat-openbsd) runs");
    assert!(out.status.success(), "{}", text(&out.stderr));
    loaded(&server, &admin, 1);
    assert!(original(&server, &admin, 1) == stream);
    // Without a close it ends by itself.
    let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    wire.write_all(&small_statements(8)).expect("sent");
    loaded(&server, &admin, 2);
    let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    wire.write_all(b"\x1b%-12345X@PJL INFO STATUS\r\n").expect("sent");
    let mut answer = [0; 200];
    let read = wire.read(&mut answer).expect("answered");
    assert!(text(&answer[..read]).contains("CODE=10001"), "{}", text(&answer[..read]));
}

#[test]
fn a_file_in_a_folder_is_loaded_and_moved() {
    let archive = Archive::new("folder");
    let admin = key(&archive, "root", "administrator", &[]);
    let inbox = archive.home.path().join("in");
    let settings = format!(
        "[capture]\nunknown = \"wait\"\nmax_bytes = 100000\n[[capture.folder]]\npath = \"{}\"\nevery_s = 1\ndone_marker = \".done\"\n",
        inbox.display()
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    let put = |name: &str, bytes: &[u8]| std::fs::write(inbox.join(name), bytes).expect("written");
    put("s.txt", &small_statements(3));
    put("big.txt", &vec![b'x'; 200_000]);
    put("empty.txt", b"");
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(inbox.join("s.txt").exists(), "without its marker it is not complete");
    ["s.txt.done", "big.txt.done", "empty.txt.done"].iter().for_each(|name| put(name, b""));
    loaded(&server, &admin, 1);
    let started = Instant::now();
    while std::fs::read_dir(&inbox).expect("there").count() > 2 {
        assert!(started.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(50));
    }
    let reason = |name: &str| std::fs::read_to_string(inbox.join("failed").join(name)).expect("a reason");
    assert!(inbox.join("done/s.txt").exists());
    assert!(reason("big.txt.reason").contains("longer than 100000"), "{}", reason("big.txt.reason"));
    assert!(reason("empty.txt.reason").contains("empty"));
}

#[test]
fn a_full_disk_is_said_and_nothing_is_kept() {
    let archive = Archive::new("full");
    let port = port();
    let settings = format!("[capture]\nkeep_free = \"900000 TiB\"\n[capture.lpd]\nlisten = \"127.0.0.1:{port}\"\n");
    configure(&archive, &settings);
    let _server = Server::start(&archive);
    assert_eq!(lpd(port, &[b"\x02q\n", b"\x034 dfA005host\n"]), Some(2));
    assert_eq!(std::fs::read_dir(archive.dir().join("intake")).expect("there").count(), 0);
}

/// A folder of the archive is watched; what nobody knows waits.
pub fn watch(archive: &Archive) -> std::path::PathBuf {
    configure(
        archive,
        "[capture]\nkeep_free = 0\n[[capture.folder]]\npath = \"in\"\nqueue = \"NIGHT\"\nevery_s = 1\nstable_s = 0\n",
    );
    let inbox = archive.dir().join("in");
    std::fs::create_dir_all(&inbox).expect("made");
    inbox
}

/// Puts a file into a folder that is taken as soon as it is seen: it appears with all that is in it.
fn put_whole(inbox: &Path, name: &str, text: &str) {
    let part = inbox.join(format!("{name}.tmp"));
    std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, inbox.join(name))).expect("written");
}

/// Waits until an arrival is in a state.
pub fn becomes(server: &Server, key: &str, id: u64, state: &str) -> Value {
    let started = Instant::now();
    loop {
        let (status, _, body) = server.get(&format!("/api/v1/intake/{id}"), key);
        let item: Value = if status == 200 { serde_json::from_slice(&body).expect("JSON") } else { Value::Null };
        if item["state"] == state {
            return item;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{state} is waited for: {item}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_nobody_knows_waits_by_default_and_the_command_line_puts_it_right() {
    let archive = Archive::new("operator");
    let admin = key(&archive, "root", "administrator", &[]);
    let inbox = watch(&archive);
    let server = Server::start(&archive);
    std::fs::write(inbox.join("list.txt"), "STOCK LIST\nscrews 12\n\u{c}second page\n").expect("written");
    std::fs::write(inbox.join("statements.txt"), small_statements(3)).expect("written");
    loaded(&server, &admin, 1);
    let said = archive.fails(&["intake", "list"]);
    assert!(said.contains("greenbar serve"), "a running server is told: {said}");
    drop(server);
    let waiting = archive.json(&["intake", "list", "--state", "unidentified"]);
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    let id = waiting[0]["id"].to_string();
    let look = archive.json(&["intake", "preview", &id]);
    assert_eq!(look[0]["pages"][1]["text"].as_str().map(str::trim), Some("second page"), "{look:?}");
    let trial = archive.json(&["intake", "preview", &id, "--definition", "line-printer"]);
    assert_eq!((&trial[0]["documents"], &trial[0]["pages"], &trial[0]["fits"]), (&1.into(), &2.into(), &false.into()));
    let none = archive.json(&["intake", "preview", &id, "--definition", "overdraft-notice"]);
    assert_eq!((&none[0]["documents"], &none[0]["set_aside_pages"]), (&0.into(), &2.into()), "{none:?}");
    assert!(archive.fails(&["intake", "assign", &id, "no-such"]).contains("no report definition"));
    let done = archive.json(&["intake", "assign", &id, "line-printer"]);
    assert_eq!((&done[0]["state"], &done[0]["definition"]), (&"loaded".into(), &"line-printer".into()), "{done:?}");
    let hits = archive.json(&["search", "screws"]);
    assert_eq!(hits.len(), 1, "it is findable at once: {hits:?}");
    assert!(archive.fails(&["intake", "retry", &id]).contains("is loaded"));
    let audit = archive.json(&["audit", "list"]);
    let kinds: Vec<&str> = audit.iter().filter_map(|record| record["kind"].as_str()).collect();
    assert!(kinds.contains(&"intake-assign") && kinds.contains(&"intake-preview"), "{kinds:?}");
}

#[test]
fn a_backup_holds_what_waits() {
    let archive = Archive::new("backup-intake");
    let admin = key(&archive, "root", "administrator", &[]);
    let inbox = watch(&archive);
    let server = Server::start(&archive);
    std::fs::write(inbox.join("list.txt"), "STOCK LIST\n").expect("written");
    becomes(&server, &admin, 1, "unidentified");
    drop(server);
    let (backup, restored) = (archive.home.path().join("backup"), archive.home.path().join("restored"));
    let path = |path: &Path| path.to_str().expect("UTF-8").to_string();
    archive.ok(&["backup", &path(&backup)]);
    archive.ok(&["intake", "discard", "1", "--reason", "gone after the backup"]);
    let out = crate::story::run(&["restore", &path(&backup), &path(&restored)]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let out = crate::story::run(&["--data", &path(&restored), "--json", "intake", "assign", "1", "line-printer"]);
    assert!(out.status.success(), "{}{}", text(&out.stdout), text(&out.stderr));
    assert!(text(&out.stdout).contains("\"state\":\"loaded\""), "{}", text(&out.stdout));
}

#[test]
fn a_rule_and_the_senders_of_one_stream_are_remembered() {
    let archive = Archive::new("senders");
    let admin = key(&archive, "root", "administrator", &[]);
    let inbox = watch(&archive);
    archive.ok(&["intake", "rule", "--queue", "NIGHT", "--name", "*.lst", "--definition", "line-printer"]);
    let server = Server::start(&archive);
    std::fs::write(inbox.join("one.lst"), "STOCK LIST\n").expect("written");
    becomes(&server, &admin, 1, "loaded");
    std::fs::write(inbox.join("two.lst"), "STOCK LIST\n").expect("written");
    let second = becomes(&server, &admin, 2, "loaded");
    assert_eq!((&second["duplicate"], &second["load"]), (&true.into(), &1.into()), "{second}");
    // A bad one between them stops nobody.
    std::fs::write(inbox.join("bad.txt"), [0_u8; 3000]).expect("written");
    std::fs::write(inbox.join("three.lst"), "ANOTHER LIST\n").expect("written");
    loaded(&server, &admin, 2);
    drop(server);
    archive.ok(&["unload", "1", "--reason", "a test"]);
    let states: Vec<_> =
        archive.json(&["intake", "list"]).into_iter().rev().map(|item| item["state"].clone()).collect();
    assert_eq!(states[..2], ["discarded", "discarded"], "both senders' arrivals are over: {states:?}");
}

#[test]
fn the_raw_port_breaks_off_what_it_cannot_keep() {
    let archive = Archive::new("raw-refused");
    let port = port();
    let settings =
        format!("[capture]\nmax_bytes = 1000\n[[capture.raw]]\nlisten = \"127.0.0.1:{port}\"\nqueue = \"RAW\"\n");
    configure(&archive, &settings);
    let _server = Server::start(&archive);
    let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    wire.write_all(&[b'x'; 2_000]).expect("sent");
    wire.set_read_timeout(Some(Duration::from_secs(10))).expect("settable");
    let error = wire.read(&mut [0; 10]).expect_err("no ordinary end");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn what_a_full_disk_keeps_from_being_loaded_says_so_and_is_loaded_when_there_is_room() {
    let archive = Archive::new("full-load");
    let admin = key(&archive, "root", "administrator", &[]);
    let inbox = watch(&archive);
    let server = Server::start_with(&archive, &[("GREENBAR_FAULT", "disk-full")]);
    std::fs::write(inbox.join("statements.txt"), small_statements(3)).expect("written");
    let started = Instant::now();
    loop {
        let told = server.json("/api/v1/intake", &admin);
        let item = &told["items"][0];
        if item["history"][0]["what"] == "disk-full" {
            assert_eq!(item["state"], "received", "it waits: {told}");
            assert!(item["error"].as_str().is_some_and(|why| why.contains("full")), "{told}");
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{told}");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(server);
    let server = Server::start(&archive);
    let item = becomes(&server, &admin, 1, "loaded");
    assert_eq!((&item["error"], &item["load"]), (&Value::Null, &1.into()), "{item}");
}

/// The program dies at each load (as it would of a stream that crashes it), and is started again and again. That soon stops
/// to meet the stream, which nobody calls failed; others pass it, and in the end it is loaded.
#[test]
fn a_load_that_is_cut_off_again_and_again_is_not_the_streams_fault() {
    let archive = Archive::new("cut-off");
    let admin = key(&archive, "root", "administrator", &[]);
    configure(&archive, "[capture]\nunknown = \"whole\"\n");
    let stream = text(&small_statements(3));
    let dies = [("GREENBAR_FAULT", "documents-written")];
    for start in 0..7 {
        let mut server = Server::start_with(&archive, &dies);
        if start == 0 {
            // It may die before its yes is heard; what it has is looked at below.
            let told = post(&server.url("/api/v1/loads?file=bad"), &admin, &stream);
            assert!(told.is_none_or(|status| status == 202), "{told:?}");
        }
        std::thread::sleep(Duration::from_millis(400));
        server.kill();
    }
    let server = Server::start(&archive);
    let item = server.json("/api/v1/intake/1", &admin);
    assert_eq!((&item["state"], &item["attempts"]), (&"received".into(), &2.into()), "{item}");
    let why = "the server ended 2 times while it was being loaded; it is tried again later";
    assert_eq!(item["error"], why, "{item}");
    assert_eq!(post(&server.url("/api/v1/loads?file=good"), &admin, "another stream\n"), Some(202));
    becomes(&server, &admin, 2, "loaded");
    assert_eq!(server.json("/api/v1/intake/1", &admin)["state"], "received", "the other one passed it");
    let item = becomes(&server, &admin, 1, "loaded");
    assert_eq!((&item["error"], item["load"].is_null()), (&Value::Null, false), "{item}");
}

/// The archive lies on a small disk that fills up. Needs the right to mount; elsewhere it says that it was skipped.
#[test]
fn on_a_small_disk_that_is_full_senders_are_told_and_come_in_when_there_is_room() {
    let Some((archive, disk)) = on_a_small_disk("small-disk", 96) else { return };
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    configure(&archive, &format!("[capture]\nkeep_free = 0\n[capture.lpd]\nlisten = \"127.0.0.1:{port}\"\n"));
    let server = Server::start(&archive);
    let stream = small_statements(2_000);
    let filler = disk.fill(stream.len() as u64 / 2);
    let head = format!("\x03{} dfA007host\n", stream.len());
    let body = [stream.as_slice(), b"\0"].concat();
    let send = || lpd(port, &[b"\x02k\n", head.as_bytes(), &body]);
    assert_ne!(send(), Some(0), "there is no room for it");
    let left: Vec<_> = std::fs::read_dir(archive.dir().join("intake")).expect("there").flatten().collect();
    assert!(left.is_empty(), "nothing of it is kept: {left:?}");
    std::fs::remove_file(&filler).expect("removed");
    assert_eq!(send(), Some(0), "the sender comes again");
    becomes(&server, &admin, 1, "loaded");
}

/// Rules, assignments and retries that were answered survive kill -9 at random moments, and so does every byte.
#[test]
fn kill_9_loses_nothing_that_an_operator_was_told() {
    let rounds = rounds(8, 100);
    let archive = Archive::new("kill-operator");
    let admin = key(&archive, "root", "administrator", &[]);
    let inbox = watch(&archive);
    let (mut seed, mut assigned) = (0x2545_F491_4F6C_DD1D_u64, Vec::new());
    for round in 0..rounds {
        let mut server = Server::start(&archive);
        let name = format!("round-{round}.txt");
        put_whole(&inbox, &name, &format!("LIST OF ROUND {round}\n"));
        let started = Instant::now();
        let item = loop {
            let told = server.json(&format!("/api/v1/intake?q={name}&state=unidentified"), &admin);
            assert!(started.elapsed() < Duration::from_secs(60), "{name} is waited for: {told}");
            if let Some(item) = told["items"].as_array().and_then(|items| items.first()) {
                break item["id"].as_u64().expect("a number");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let headers = [("Authorization", format!("Bearer {admin}")), ("Content-Type", "application/json".to_string())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = br#"{"definition":"line-printer"}"#;
        let (status, _, _) = server.ask("POST", &format!("/api/v1/intake/{item}/assign"), &headers, body);
        assert_eq!(status, 200);
        assigned.push(item);
        std::thread::sleep(Duration::from_millis(next(&mut seed) % 40));
        server.kill();
    }
    let server = Server::start(&archive);
    for item in &assigned {
        let item = becomes(&server, &admin, *item, "loaded");
        assert_eq!(
            (&item["definition"], &item["history"][1]["what"]),
            (&"line-printer".into(), &"assigned".into()),
            "{item}"
        );
    }
    assert_eq!(server.json("/api/v1/loads", &admin)["loads"].as_array().map(Vec::len), Some(rounds));
    drop(server);
    archive.is_sound();
}

/// Sends a stream in one request; the status, unless the connection breaks.
fn post(url: &str, key: &str, stream: &str) -> Option<u16> {
    let (address, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut wire = TcpStream::connect(address).ok()?;
    wire.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let (bytes, close) = (stream.len(), "Connection: close");
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {address}\r\n{close}\r\nAuthorization: Bearer {key}\r\nContent-Length: {bytes}\r\n\r\n"
    );
    wire.write_all(head.as_bytes()).and_then(|()| wire.write_all(stream.as_bytes())).ok()?;
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).ok()?;
    text(&answer).split(' ').nth(1)?.parse().ok()
}

/// Sends to the raw port; whether the connection ended as usual, which is the yes of that port.
fn printed_raw(port: u16, stream: &str) -> bool {
    let Ok(mut wire) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let sent = wire.write_all(stream.as_bytes()).and_then(|()| wire.shutdown(std::net::Shutdown::Write));
    sent.is_ok() && wire.read(&mut [0; 10]).is_ok_and(|read| read == 0)
}

/// Jobs are sent by LPD, by HTTP and to the raw port, one after the other, while the server is killed at random moments; each that was
/// acknowledged is in the archive at the end, and so is each file of the folder.
#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let rounds = rounds(15, 200);
    let archive = Archive::new("kill-lpd");
    let admin = key(&archive, "root", "administrator", &[]);
    let inbox = archive.home.path().join("in");
    let (lpd_port, raw_port) = (port(), port());
    let settings = format!(
        "[capture]\nunknown = \"whole\"\n[capture.lpd]\nlisten = \"127.0.0.1:{lpd_port}\"\n\
         [[capture.raw]]\nlisten = \"127.0.0.1:{raw_port}\"\nqueue = \"r\"\n\
         [[capture.folder]]\npath = \"{}\"\nevery_s = 1\nstable_s = 0\n",
        inbox.display()
    );
    configure(&archive, &settings);
    let (mut acknowledged, mut seed) = (Vec::new(), 0x9E37_79B9_7F4A_7C15_u64);
    for round in 0..rounds {
        let mut server = Server::start(&archive);
        let until = Instant::now() + Duration::from_millis(20 + next(&mut seed) % 200);
        let sender = std::thread::spawn(move || {
            let mut sent = Vec::new();
            for number in 0.. {
                let name = format!("round {round} job {number}\n").repeat(50 + (number * 37) % 400);
                let head = format!("\x03{} dfA{:03}host\n", name.len(), number % 1_000);
                let body = [name.as_bytes(), b"\0"].concat();
                if lpd(lpd_port, &[b"\x02k\n", head.as_bytes(), &body]) != Some(0) {
                    return sent;
                }
                sent.push(name);
            }
            sent
        });
        let (url, admin) = (server.url("/api/v1/loads?file=http"), admin.clone());
        let other = std::thread::spawn(move || {
            let mut sent = Vec::new();
            for number in 0.. {
                let stream = format!("round {round} request {number}\n").repeat(50 + (number * 37) % 400);
                if post(&url, &admin, &stream) != Some(202) {
                    return sent;
                }
                sent.push(stream);
            }
            sent
        });
        let printer = std::thread::spawn(move || {
            let mut sent = Vec::new();
            for number in 0.. {
                let stream = format!("round {round} raw {number}\n").repeat(50 + (number * 37) % 400);
                if !printed_raw(raw_port, &stream) {
                    return sent;
                }
                sent.push(stream);
            }
            sent
        });
        put_whole(&inbox, &format!("file-{round}.txt"), &format!("file of round {round}\n"));
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
        server.kill();
        acknowledged.extend(sender.join().expect("no panic"));
        acknowledged.extend(other.join().expect("no panic"));
        acknowledged.extend(printer.join().expect("no panic"));
    }
    assert!(!acknowledged.is_empty());
    let server = Server::start(&archive);
    let left = || Path::new(&inbox).read_dir().expect("there").count();
    let (mut moved, mut last) = (Instant::now(), left());
    while left() > 2 {
        if left() != last {
            (moved, last) = (Instant::now(), left());
        }
        assert!(moved.elapsed() < STANDSTILL, "every file is taken; {last} are left");
        std::thread::sleep(Duration::from_millis(50));
    }
    let told = loaded(&server, &admin, acknowledged.len());
    assert_eq!(told["received"].as_array().map(Vec::len), Some(0), "{told}");
    let kept: Vec<&str> =
        told["loads"].as_array().expect("a list").iter().filter_map(|l| l["sha256"].as_str()).collect();
    for stream in acknowledged.iter().cloned().chain((0..rounds).map(|round| format!("file of round {round}\n"))) {
        let sum = sha256(stream.as_bytes());
        let found = kept.iter().filter(|one| **one == sum).count();
        assert_eq!(found, 1, "{:?} is there once: {}", stream.lines().next(), told["received"]);
    }
    drop(server);
    archive.is_sound();
}

pub fn sha256(bytes: &[u8]) -> String {
    let mut child =
        Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sha256sum runs");
    child.stdin.take().expect("piped").write_all(bytes).expect("sent");
    text(&child.wait_with_output().expect("ends").stdout).split(' ').next().unwrap_or_default().to_string()
}
