//! Capture at its limits: a disk that really fills up while streams come, a stream without end, a thousand open jobs.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::capture::{configure, loaded, lpd, port};
use crate::full_disk::SmallDisk;
use crate::ipp::print;
use crate::server::{Server, key};
use crate::story::{Archive, small_statements, text};

fn kept(archive: &Archive) -> Vec<String> {
    let entries = std::fs::read_dir(archive.dir().join("intake")).expect("there").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Sends to the raw port and waits for its end; false when the connection is broken off.
fn raw(port: u16, stream: &[u8]) -> bool {
    let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    wire.set_read_timeout(Some(Duration::from_secs(20))).expect("settable");
    let sent = wire.write_all(stream).and_then(|()| wire.shutdown(Shutdown::Write));
    sent.is_ok() && matches!(wire.read(&mut [0; 10]), Ok(0))
}

#[test]
fn a_disk_that_fills_up_while_streams_come_is_said_by_every_receiver() {
    let archive = Archive::new("small-disk");
    let Some(_disk) = SmallDisk::mount(&archive.dir().join("intake"), 12) else { return };
    let admin = key(&archive, "root", "administrator", &[]);
    let (lpd_port, ipp_port, raw_port) = (port(), port(), port());
    let settings = format!(
        "[capture]\nunknown = \"whole\"\nkeep_free = 0\n[capture.lpd]\nlisten = \"127.0.0.1:{lpd_port}\"\n\
         [capture.ipp]\nlisten = \"127.0.0.1:{ipp_port}\"\n\
         [[capture.raw]]\nlisten = \"127.0.0.1:{raw_port}\"\nqueue = \"r\"\n"
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    let stream = b"a line of a stream that is too long\n".repeat(400_000);
    let head = format!("\x03{} dfA001host\n", stream.len());
    // Who still sends may see the connection break off before the answer.
    let answer = lpd(lpd_port, &[b"\x02q\n", head.as_bytes(), &[&stream[..], b"\0"].concat()]);
    assert!(matches!(answer, None | Some(2)), "LPD: no space, not {answer:?}");
    assert_eq!(print(ipp_port, &stream), Some(0x0505), "IPP: temporary error");
    assert!(!raw(raw_port, &stream), "the raw port breaks off");
    let bearer = format!("Bearer {admin}");
    let heads = [("Authorization", bearer.as_str())];
    let file = format!("@{}", archive.home.file("long.txt", &stream).display());
    let heading = format!("Authorization: {bearer}");
    let url = server.url("/api/v1/loads");
    let out = Command::new("curl").args(["-s", "-m", "60", "-H", &heading, "--data-binary", &file, &url]).output();
    let said = text(&out.expect("curl runs").stdout);
    assert!(said.contains("disk-full"), "HTTP: {said}");
    let long = stream.len().to_string();
    let (status, _, body) = server.ask("POST", "/api/v1/uploads", &[heads[0], ("Upload-Length", &long)], b"");
    assert_eq!(status, 507, "it is seen at once that an upload does not fit: {}", text(&body));
    let started = Instant::now();
    while !kept(&archive).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(10), "nothing is left of them: {:?}", kept(&archive));
        std::thread::sleep(Duration::from_millis(50));
    }
    // What fits is still taken, by all of them.
    assert_eq!(lpd(lpd_port, &[b"\x02q\n", b"\x034 dfA002host\n", b"one\n\0"]), Some(0));
    assert_eq!(print(ipp_port, b"two\n"), Some(0));
    assert!(raw(raw_port, b"three\n"));
    assert_eq!(server.ask("POST", "/api/v1/loads", &heads, &small_statements(1)).0, 202);
    loaded(&server, &admin, 4);
}

#[test]
fn a_stream_without_end_is_broken_off_at_the_limit() {
    let archive = Archive::new("endless");
    let admin = key(&archive, "root", "administrator", &[]);
    let (lpd_port, raw_port) = (port(), port());
    let settings = format!(
        "[capture]\nunknown = \"whole\"\nmax_bytes = \"2 MiB\"\n[capture.lpd]\nlisten = \"127.0.0.1:{lpd_port}\"\n\
         [[capture.raw]]\nlisten = \"127.0.0.1:{raw_port}\"\nqueue = \"r\"\n"
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    let endless = |port: u16, head: &[u8]| {
        let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        wire.write_all(head).expect("sent");
        let line = b"and on and on\n".repeat(1_000);
        (0..10_000).find(|_| wire.write_all(&line).is_err()).is_some()
    };
    assert!(endless(raw_port, b""), "the raw port stops it");
    assert!(endless(lpd_port, b"\x02q\n\x034294967296 dfA001host\n"), "so does LPD");
    let started = Instant::now();
    while !kept(&archive).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", kept(&archive));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(raw(raw_port, b"short\n"));
    loaded(&server, &admin, 1);
}

/// Jobs that were begun and do not go on hold neither memory nor others; each is given up after its time.
#[test]
fn a_thousand_jobs_that_do_not_go_on_hold_up_nobody() {
    let archive = Archive::new("thousand");
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    let settings = format!(
        "[capture]\nunknown = \"whole\"\n[capture.lpd]\nlisten = \"127.0.0.1:{port}\"\n\
         [capture.lpd.limits]\nconnections = 1200\nconnections_per_peer = 1200\nidle_s = 3\n"
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    // Each takes a connection and a file of the server's handles.
    let handles = text(&Command::new("sh").args(["-c", "ulimit -n"]).output().expect("sh runs").stdout);
    let many = handles.trim().parse().map_or(1_000, |handles: usize| (handles / 3).min(1_000));
    let mut open = Vec::new();
    for number in 0..many {
        let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        let begun = format!("\x02q\n\x03100000 dfA{number:03}host\nthe beginning of a job");
        wire.write_all(begun.as_bytes()).expect("sent");
        open.push(wire);
    }
    assert_eq!(lpd(port, &[b"\x02q\n", b"\x034 dfA999other\n", b"one\n\0"]), Some(0), "another gets through");
    loaded(&server, &admin, 1);
    let started = Instant::now();
    while !kept(&archive).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(30), "{} are left", kept(&archive).len());
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(open);
}

/// A sender that may send so many bytes a second is slowed down, not refused.
#[test]
fn a_sender_is_kept_to_its_pace() {
    let archive = Archive::new("pace");
    let admin = key(&archive, "root", "administrator", &[]);
    let (lpd_port, ipp_port, raw_port) = (port(), port(), port());
    let settings = format!(
        "[capture]\nunknown = \"whole\"\n\
         [capture.lpd]\nlisten = \"127.0.0.1:{lpd_port}\"\n[capture.lpd.limits]\nmax_bytes_per_s = 200000\n\
         [capture.ipp]\nlisten = \"127.0.0.1:{ipp_port}\"\n[capture.ipp.limits]\nmax_bytes_per_s = 200000\n\
         [[capture.raw]]\nlisten = \"127.0.0.1:{raw_port}\"\nqueue = \"r\"\n[capture.raw.limits]\nmax_bytes_per_s = 200000\n"
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    let stream = |name: &str| format!("a line of {name}\n").repeat(20_000).into_bytes();
    let slowly = |what: &str, send: &dyn Fn() -> bool| {
        let begun = Instant::now();
        assert!(send(), "{what} takes it");
        assert!(begun.elapsed() > Duration::from_secs(1), "{what}: {:?}", begun.elapsed());
    };
    slowly("LPD", &|| {
        let stream = stream("lpd");
        let head = format!("\x03{} dfA001host\n", stream.len());
        lpd(lpd_port, &[b"\x02q\n", head.as_bytes(), &[&stream[..], b"\0"].concat()]) == Some(0)
    });
    slowly("IPP", &|| print(ipp_port, &stream("ipp")) == Some(0));
    slowly("the raw port", &|| raw(raw_port, &stream("raw")));
    loaded(&server, &admin, 3);
}

/// Pauses a queue or lets it go on.
fn switch(server: &Server, admin: &str, what: &str, queue: &str) {
    let body = format!("{{\"queue\": \"{queue}\", \"do\": \"{what}\"}}");
    let (status, _, said) =
        server.ask("POST", "/api/v1/intake-queues", &[("Authorization", &format!("Bearer {admin}"))], body.as_bytes());
    assert_eq!(status, 200, "{}", text(&said));
}

fn lpd_job(port: u16, number: usize, stream: &[u8]) -> Option<u8> {
    let head = format!("\x03{} dfA{number:03}host\n", stream.len());
    lpd(port, &[b"\x02Q\n", head.as_bytes(), &[stream, b"\0"].concat()])
}

#[test]
fn several_streams_are_loaded_at_once_and_a_bad_one_stops_none() {
    let archive = Archive::new("at-once");
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    configure(&archive, &format!("[capture]\nworkers = 3\n[capture.lpd]\nlisten = \"127.0.0.1:{port}\"\n"));
    let server = Server::start(&archive);
    switch(&server, &admin, "pause", "Q");
    assert_eq!(lpd_job(port, 0, &b"nobody knows this\n".repeat(100)), Some(0));
    for number in 1..6 {
        assert_eq!(lpd_job(port, number, &small_statements(5_000 + number)), Some(0));
    }
    switch(&server, &admin, "resume", "Q");
    let (started, mut most) = (Instant::now(), 0);
    loop {
        let told = server.json("/api/v1/intake?limit=1", &admin)["counts"].clone();
        most = most.max(told["loading"].as_u64().expect("a count"));
        if told["waiting"] == 0 && told["loading"] == 0 {
            assert_eq!((&told["unidentified"], &told["failed"]), (&1.into(), &0.into()), "{told}");
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "{told}");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(most >= 2, "{most} at once");
    assert_eq!(server.json("/api/v1/loads", &admin)["loads"].as_array().map(Vec::len), Some(5));
}

#[test]
fn memory_stays_flat_whatever_comes_in() {
    let archive = Archive::new("flat");
    let admin = key(&archive, "root", "administrator", &[]);
    let (lpd_port, ipp_port, raw_port) = (port(), port(), port());
    let settings = format!(
        "[capture]\n[capture.lpd]\nlisten = \"127.0.0.1:{lpd_port}\"\n[capture.ipp]\nlisten = \"127.0.0.1:{ipp_port}\"\n\
         [[capture.raw]]\nlisten = \"127.0.0.1:{raw_port}\"\nqueue = \"Q\"\n"
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    // Held, so that what is measured is taking it in.
    switch(&server, &admin, "pause", "Q");
    assert_eq!(lpd_job(lpd_port, 0, b"warm\n"), Some(0));
    let before = server.most_memory();
    let stream = |name: &str| format!("a line that came by {name}\n").repeat(4_000_000).into_bytes();
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(lpd_job(lpd_port, 1, &stream("lpd")), Some(0)));
        scope.spawn(|| assert_eq!(print(ipp_port, &stream("ipp")), Some(0)));
        scope.spawn(|| assert!(raw(raw_port, &stream("raw"))));
    });
    let grown = server.most_memory().saturating_sub(before);
    assert!(grown < 32 << 20, "over 250 MB of streams took {grown} bytes of memory");
    assert_eq!(server.json("/api/v1/intake?state=held", &admin)["items"].as_array().map(Vec::len), Some(4));
}

#[test]
fn when_too_much_waits_senders_wait_or_come_again() {
    let archive = Archive::new("too-much");
    let admin = key(&archive, "root", "administrator", &[]);
    let (lpd_port, ipp_port, raw_port) = (port(), port(), port());
    let settings = format!(
        "[capture]\nmax_waiting = 0\n[capture.lpd]\nlisten = \"127.0.0.1:{lpd_port}\"\n\
         [capture.ipp]\nlisten = \"127.0.0.1:{ipp_port}\"\n[[capture.raw]]\nlisten = \"127.0.0.1:{raw_port}\"\nqueue = \"Q\"\n"
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    assert_eq!(lpd(lpd_port, &[b"\x02Q\n", b"\x034 dfA001host\n"]), Some(1), "LPD: later");
    assert_eq!(print(ipp_port, b"a document"), Some(0x0507), "IPP: busy");
    let bearer = format!("Bearer {admin}");
    let heads = [("Authorization", bearer.as_str()), ("Upload-Length", "1000")];
    for (path, heads, body) in
        [("/api/v1/loads", &heads[..1], small_statements(1)), ("/api/v1/uploads", &heads[..], Vec::new())]
    {
        let (status, _, said) = server.ask("POST", path, heads, &body);
        assert!(status == 503 && text(&said).contains("wait to be loaded"), "{path}: {status} {}", text(&said));
    }
    // Nothing is read from the raw port: the sender is kept waiting and not told that it was taken.
    let mut wire = TcpStream::connect(("127.0.0.1", raw_port)).expect("connects");
    wire.set_write_timeout(Some(Duration::from_secs(2))).expect("settable");
    let line = b"and on and on\n".repeat(10_000);
    let taken = (0..1_000).take_while(|_| wire.write_all(&line).is_ok()).count();
    assert!(taken < 900, "{taken} pieces were read");
    assert!(kept(&archive).is_empty(), "{:?}", kept(&archive));
}
