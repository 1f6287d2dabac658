//! Copies sent by mail to a real SMTP server (aiosmtpd): taken, put off, refused, no answer, killed in the middle.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Server, key};
use crate::story::{Archive, account, checkout, lines, small_statements, text};

/// An SMTP server, and what it took.
pub struct Sink {
    child: Child,
    pub port: String,
    file: PathBuf,
}

impl Sink {
    pub fn start(archive: &Archive, name: &str) -> Sink {
        let file = archive.home.path().join(format!("{name}.jsonl"));
        let mut child = Command::new("/usr/bin/python3")
            .arg(checkout().join("tests/it/sinks/smtp.py"))
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn()
            .expect("Debian's python3-aiosmtpd is there (`make setup-test`)");
        let mut port = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut port).expect("it says its port");
        Sink { child, port: port.trim().into(), file }
    }

    /// How many mails it took, cheaply.
    pub fn taken(&self) -> u64 {
        std::fs::metadata(self.file.with_extension("count")).map_or(0, |file| file.len())
    }

    pub fn mails(&self) -> Vec<Value> {
        lines(&std::fs::read(&self.file).unwrap_or_default())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits up to 30 seconds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The document of an account, and the id of a mail address that was verified.
fn point(server: &Server, root: &str, number: &str, address: &str, verify: bool) -> (String, String) {
    let found = server.json(&format!("/api/v1/documents?account={number}"), root);
    let document = found["documents"][0]["id"].as_str().expect("a document").to_string();
    let headers = [("Authorization", format!("Bearer {root}")), ("Content-Type", "application/json".into())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let made = json!({ "number": number }).to_string();
    let (status, _, body) = server.ask("POST", "/api/v1/accounts", &headers, made.as_bytes());
    assert_eq!(status, 201, "{}", text(&body));
    let new = json!({ "owner": { "account": number }, "kind": "email", "value": address });
    let (status, _, body) = server.ask("POST", "/api/v1/contact-points", &headers, new.to_string().as_bytes());
    assert_eq!(status, 201, "{}", text(&body));
    let id = serde_json::from_slice::<Value>(&body).expect("JSON")["id"].as_str().expect("an id").to_string();
    if verify {
        let change = json!({ "verified_by": "code" }).to_string();
        let path = format!("/api/v1/contact-points/{id}");
        let (status, _, body) = server.ask("PATCH", &path, &headers, change.as_bytes());
        assert_eq!(status, 200, "{}", text(&body));
    }
    (document, id)
}

fn send(server: &Server, key: &str, document: &str, point: &str, how: &str) -> (u16, Value) {
    let headers = [("Authorization", format!("Bearer {key}")), ("Content-Type", "application/json".into())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let copy = json!({ "contact_point": point, "how": how }).to_string();
    let path = format!("/api/v1/documents/{document}/deliveries");
    let (status, _, body) = server.ask("POST", &path, &headers, copy.as_bytes());
    (status, serde_json::from_slice(&body).expect("JSON"))
}

fn world(purpose: &str) -> (Archive, String) {
    let archive = Archive::new(purpose);
    archive.load(&archive.home.file("s.txt", small_statements(8)), None);
    let root = key(&archive, "boss", "administrator", &[]);
    (archive, root)
}

fn configure(archive: &Archive, port: &str, more: &str) {
    let text = format!(
        "public_url = \"https://bills.example.com\"\nretry_s = [1]\n[channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\n\
         port = {port}\ntls = \"none\"\nsender = \"Bills <bills@lakes.example>\"\nbounce_address = \"bounces@lakes.example\"\n\
         timeout_s = 2\n{more}"
    );
    std::fs::write(archive.dir().join("distribution.toml"), text).expect("written");
}

#[test]
fn a_copy_is_accepted_put_off_refused_or_in_doubt_as_the_server_says() {
    let (archive, root) = world("mail");
    let sink = Sink::start(&archive, "sink");
    configure(&archive, &sink.port, "");
    let server = Server::start(&archive);
    let state = |id: &str| server.json(&format!("/api/v1/deliveries/{id}"), &root);
    let mut ids = Vec::new();
    for (n, local) in [(1, "ok"), (2, "later"), (3, "no"), (4, "hang")] {
        let (document, point) = point(&server, &root, &account(n), &format!("{local}@example.com"), true);
        let (status, sent) = send(&server, &root, &document, &point, if n == 1 { "pdf" } else { "link" });
        assert_eq!(status, 201, "{sent}");
        ids.push(sent["id"].as_str().expect("an id").to_string());
    }
    for (at, end) in [(0, "handed"), (1, "handed"), (2, "failed"), (3, "handed")] {
        until(&format!("{at}: {end}; {}", state(&ids[at])), || state(&ids[at])["state"] == end);
    }
    let (ok, later, no, hang) = (state(&ids[0]), state(&ids[1]), state(&ids[2]), state(&ids[3]));
    let said = |delivery: &Value, n: usize| delivery["attempts"][n]["said"].as_str().unwrap_or_default().to_string();
    assert!(said(&ok, 0).starts_with("250"), "{ok}");
    assert!(said(&later, 0).contains("451") && later["attempts"].as_array().map(Vec::len) == Some(2), "{later}");
    assert!(said(&no, 0).contains("550") && no["attempts"].as_array().map(Vec::len) == Some(1), "{no}");
    assert!(hang["in_doubt"] == true && ok["in_doubt"] == false && said(&hang, 0).contains("last byte"), "{hang}");
    let mails = sink.mails();
    let to = |local: &str| {
        let address = format!("{local}@example.com");
        mails.iter().filter(|mail| mail["to"][0] == address.as_str()).cloned().collect::<Vec<Value>>()
    };
    assert_eq!([to("ok").len(), to("later").len(), to("no").len(), to("hang").len()], [1, 1, 0, 2]);
    assert_eq!(to("hang")[0], to("hang")[1], "the second is the same mail, byte for byte");
    let pdf = &to("ok")[0];
    assert!(pdf["data"].as_str().expect("text").contains("application/pdf"), "{pdf}");
    assert_eq!(pdf["from"], format!("bounces+{}@lakes.example", ids[0]));
    // The link shows a page first; only its button opens the document.
    let mail = to("later")[0]["data"].as_str().expect("text").replace("=\r\n", "");
    let at = mail.find("https://bills.example.com/d/").expect("a link") + "https://bills.example.com".len();
    let path: String = mail[at..].chars().take_while(|c| !c.is_whitespace()).collect();
    let (status, head, _) = server.ask("GET", &path, &[], b"");
    assert!(status == 200 && head.contains("text/html"), "{status} {head}");
    let (status, head, body) = server.ask("POST", &path, &[], b"");
    assert!(status == 200 && head.contains("application/pdf") && body.starts_with(b"%PDF"), "{status} {head}");
    let (document, point) = point(&server, &root, &account(5), "x@example.com", false);
    let agent = send(&server, &root, &document, &point, "link");
    // An administrator may send to any address; the check for agents stands in `crm::copy`.
    assert!(matches!(agent.0, 201 | 422), "{agent:?}");
}

#[test]
fn without_a_way_to_send_a_copy_waits_and_goes_when_there_is_one() {
    let (archive, root) = world("mail-none");
    let sink = Sink::start(&archive, "sink");
    let server = Server::start(&archive);
    let (document, point) = point(&server, &root, &account(1), "ok@example.com", true);
    let id = send(&server, &root, &document, &point, "link").1["id"].as_str().expect("an id").to_string();
    let state = || server.json(&format!("/api/v1/deliveries/{id}"), &root);
    until("it says why", || state()["attempts"][0]["said"].as_str().is_some_and(|said| said.contains("no channel")));
    assert_eq!(state()["state"], "planned");
    configure(&archive, &sink.port, "");
    until("it is sent", || state()["state"] == "handed");
    assert_eq!(sink.mails().len(), 1);
}

#[test]
fn kill_9_loses_no_copy_and_sends_twice_only_what_is_in_doubt() {
    let (archive, root) = world("mail-kill");
    let sink = Sink::start(&archive, "sink");
    let mut server = Server::start(&archive);
    let (document, point) = point(&server, &root, &account(1), "ok@example.com", true);
    let mut ids = Vec::new();
    for round in 0..12_u64 {
        for _ in 0..3 {
            let sent = send(&server, &root, &document, &point, "link").1;
            ids.push(sent["id"].as_str().expect("an id").to_string());
        }
        if round == 0 {
            configure(&archive, &sink.port, "");
        }
        std::thread::sleep(Duration::from_millis(400 + round * 37 % 300));
        drop(server);
        server = Server::start(&archive);
    }
    let states = |server: &Server| -> Vec<Value> {
        ids.iter().map(|id| server.json(&format!("/api/v1/deliveries/{id}"), &root)).collect()
    };
    until("all are sent", || states(&server).iter().all(|delivery| delivery["state"] == "handed"));
    let mails = sink.mails();
    for delivery in states(&server) {
        let id = delivery["id"].as_str().expect("an id");
        let of_it: Vec<&Value> = mails
            .iter()
            .filter(|mail| mail["data"].as_str().is_some_and(|data| data.contains(&format!("<{id}@"))))
            .collect();
        assert!(!of_it.is_empty(), "lost: {delivery}");
        assert!(of_it.len() == 1 || delivery["in_doubt"] == true, "twice and not in doubt: {delivery}");
        assert!(of_it.iter().all(|mail| *mail == of_it[0]), "each attempt is the same mail");
    }
}
