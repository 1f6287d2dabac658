//! What senders and operators were told survives kill -9 at random moments.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::capture::{STANDSTILL, becomes, configure, loaded, lpd, port, post, put_whole, sha256, watch};
use crate::server::{Server, key};
use crate::story::{Archive, next, rounds};

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
