//! Streams in by themselves: real clients print into the server; what was acknowledged survives kill -9.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::{Server, key};
use crate::story::{Archive, small_statements, text};

/// A port that is free now.
pub fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

pub fn configure(archive: &Archive, settings: &str) {
    std::fs::write(archive.dir().join("greenbar.toml"), settings).expect("written");
}

pub fn run(command: &str, args: &[&str]) -> Output {
    let out = Command::new(command).args(args).stdin(Stdio::null()).output();
    out.unwrap_or_else(|error| panic!("{command} runs: {error}"))
}

/// Waits until the server has so many loads and nothing on the way.
pub fn loaded(server: &Server, key: &str, loads: usize) -> Value {
    let started = Instant::now();
    loop {
        let told = server.json("/api/v1/loads", key);
        let count = |name: &str| told[name].as_array().map_or(0, Vec::len);
        let moving = told["received"].as_array().into_iter().flatten().filter(|job| job["state"] != "failed").count();
        if count("loads") >= loads && moving == 0 {
            return told;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{loads} loads are waited for: {told}");
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

/// Jobs are sent one after the other while the server is killed at random moments; each that was acknowledged is in the
/// archive at the end.
#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let rounds = if std::env::var_os("GREENBAR_LONG").is_some() { 200 } else { 15 };
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
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let until = Instant::now() + Duration::from_millis(20 + seed % 200);
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
        std::fs::write(inbox.join(format!("file-{round}.txt")), format!("file of round {round}\n")).expect("written");
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
        server.kill();
        acknowledged.extend(sender.join().expect("no panic"));
    }
    assert!(!acknowledged.is_empty());
    let server = Server::start(&archive);
    let started = Instant::now();
    while Path::new(&inbox).read_dir().expect("there").count() > 2 {
        assert!(started.elapsed() < Duration::from_secs(20), "every file is taken");
        std::thread::sleep(Duration::from_millis(50));
    }
    let told = loaded(&server, &admin, acknowledged.len());
    assert_eq!(told["received"].as_array().map(Vec::len), Some(0), "{told}");
    let kept: Vec<&str> =
        told["loads"].as_array().expect("a list").iter().filter_map(|l| l["sha256"].as_str()).collect();
    for stream in acknowledged.iter().cloned().chain((0..rounds).map(|round| format!("file of round {round}\n"))) {
        let sum = sha256(stream.as_bytes());
        assert_eq!(
            kept.iter().filter(|one| **one == sum).count(),
            1,
            "a stream is there once: {}",
            stream.lines().next().unwrap_or_default()
        );
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
