//! Sending streams.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::fake::Fake;
use super::support::World;
use crate::auth::clock::Clock;
use crate::capture::{Arrival, CaptureConfig, Intake, Loader, State};
use crate::serve::backend::{Backend, Loads};

fn finished(world: &World, place: &str, key: &(String, String)) -> Value {
    for _ in 0..400 {
        let json = world.get(place, std::slice::from_ref(key)).json();
        if json["state"] != "queued" && json["state"] != "running" {
            return json;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("{place} never finished");
}

#[test]
fn a_stream_is_acknowledged_loaded_and_returned_byte_for_byte() {
    let world = World::new();
    let root = world.key("root");
    let stream: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let reply = world.ask("POST", "/api/v1/loads?file=night.txt", std::slice::from_ref(&root), &stream);
    assert_eq!(reply.status, 202, "{}", reply.text());
    assert_eq!(reply.json()["sha256"].as_str().map(str::len), Some(64));
    let place = reply.header("location").to_string();
    let done = finished(&world, &place, &root);
    assert_eq!(
        (&done["state"], &done["file"], &done["load"]),
        (&"done".into(), &"night.txt".into(), &1.into()),
        "{done}"
    );
    let back = world.get(&format!("{place}/original"), std::slice::from_ref(&root));
    assert!(back.status == 200 && back.body == stream, "{} bytes came back", back.body.len());
    assert_eq!(world.get("/api/v1/loads/1", std::slice::from_ref(&root)).json()["state"], "done");
    let left = std::fs::read_dir(world.folder.join("intake")).expect("there").count();
    assert_eq!(left, 0, "the file of a loaded stream is gone");
    assert!(world.audit().iter().any(|r| r.kind == "load" && r.who == "root"));
    assert!(world.audit().iter().any(|r| r.kind == "export-load"));
}

#[test]
fn what_cannot_be_loaded_says_why_and_bad_requests_leave_nothing() {
    let world = World::with(|config| config.max_load_bytes = 1000);
    let root = world.key("root");
    let send = |path: &str, body: &[u8]| world.ask("POST", path, std::slice::from_ref(&root), body);
    assert_eq!(send("/api/v1/loads", b"").json()["code"], "bad-body");
    assert_eq!(send("/api/v1/loads?definition=unknown", b"x").status, 400);
    assert_eq!(send("/api/v1/loads?file=../x", b"x").status, 400);
    assert_eq!(send("/api/v1/loads", &[b'x'; 2000]).status, 413);
    let chunked = format!(
        "POST /api/v1/loads HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}: {}\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n",
        root.0,
        root.1,
        "x".repeat(2000)
    );
    assert_eq!(world.raw(chunked.as_bytes()).status, 413, "also without a length");
    assert_eq!(std::fs::read_dir(world.folder.join("intake")).expect("there").count(), 0);
    let reply = send("/api/v1/loads", b"BAD stream");
    let failed = finished(&world, reply.header("location"), &root);
    assert_eq!((&failed["state"], &failed["error"]), (&"failed".into(), &"the accounting does not balance".into()));
    assert_eq!(world.get(&format!("{}/original", reply.header("location")), std::slice::from_ref(&root)).status, 409);
    assert_eq!(world.ask("POST", "/api/v1/loads", &[world.key("ann")], b"x").status, 403);
}

#[test]
fn an_acknowledged_stream_is_loaded_after_a_restart() {
    let folder = std::env::temp_dir().join(format!("greenbar-intake-{}", std::process::id()));
    let fake = Arc::new(Fake::new());
    let opened = || Intake::open(fake.engine(), &folder, Clock::default(), CaptureConfig::default()).expect("opened");
    {
        let intake = opened();
        let mut spool = intake.begin().expect("made");
        spool.write(b"data").expect("written");
        spool.accept(Arrival { receiver: "http", file: "night.txt".into(), ..Arrival::default() }).expect("accepted");
        std::fs::write(folder.join("intake/broken-off.part"), b"da").expect("written");
    }
    let intake = opened();
    assert_eq!(std::fs::read_dir(folder.join("intake")).expect("there").count(), 1, "what broke off is swept away");
    let loader: Arc<dyn Loader> = Arc::new(Loads(fake.clone()));
    let workers = intake.work(&loader).expect("started");
    for _ in 0..400 {
        if intake.item(1).expect("read").is_some_and(|item| item.state == State::Loaded) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    intake.stop();
    workers.into_iter().for_each(|worker| worker.join().expect("ended"));
    assert_eq!(fake.loads().expect("listed").len(), 1);
    std::fs::remove_dir_all(folder).expect("removed");
}
