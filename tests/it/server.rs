//! The server as a program that runs: started from the command line, used over HTTP, ended by a signal.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::story::{Archive, small_statements, text};

/// A running server on an archive.
pub struct Server {
    child: Child,
    address: String,
}

impl Server {
    pub fn start(archive: &Archive) -> Server {
        Server::start_with(archive, &[])
    }

    /// The same with more in its environment.
    pub fn start_with(archive: &Archive, environment: &[(&str, &str)]) -> Server {
        let mut child = archive
            .command(&["serve", "--listen", "127.0.0.1:0", "--json"])
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("greenbar starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("the server says where it listens");
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let address = said["listen"].as_str().expect("an address").to_string();
        Server { child, address }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// One request; returns status, headers (lower case) and body.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("settable");
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        stream.write_all(body).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("answered");
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a header end");
        let head = text(&answer[..end]);
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let body = answer[end + 4..].to_vec();
        let body = if head.to_lowercase().contains("transfer-encoding: chunked") { unchunk(&body) } else { body };
        (status, head.to_lowercase(), body)
    }

    pub fn get(&self, path: &str, key: &str) -> (u16, String, Vec<u8>) {
        self.ask("GET", path, &[("Authorization", &format!("Bearer {key}"))], b"")
    }

    pub fn json(&self, path: &str, key: &str) -> Value {
        let (status, _, body) = self.get(path, key);
        assert_eq!(status, 200, "{path}: {}", text(&body));
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{path}: {error}: {}", text(&body)))
    }
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(text(&body[..end]).trim(), 16).expect("a chunk size");
        if size == 0 {
            break;
        }
        out.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 2 + size + 2..];
    }
    out
}

impl Server {
    /// The most memory that it had so far, in bytes.
    pub fn most_memory(&self) -> u64 {
        let told = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux tells it");
        let kib = told.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a figure");
        kib.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }

    /// kill -9.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An API key for a role; `accounts` for a customer.
pub fn key(archive: &Archive, name: &str, role: &str, accounts: &[&str]) -> String {
    let mut args = vec!["user", "add", name, "--role", role];
    for account in accounts {
        args.extend(["--account", account]);
    }
    archive.json(&args);
    let made = archive.json(&["user", "key", name]).remove(0);
    made["key"].as_str().expect("a key").to_string()
}

#[test]
fn a_program_finds_and_fetches_what_it_may_see_and_nothing_else() {
    let archive = Archive::new("server");
    archive.load(&archive.home.file("s.txt", small_statements(20)), None);
    let agent = key(&archive, "ann", "agent", &[]);
    let mine = crate::story::account(5);
    let customer = key(&archive, "carl", "customer", &[&mine]);
    let server = Server::start(&archive);

    let all = server.json("/api/v1/documents?q=definition:great-lakes-statement&limit=100", &agent);
    assert_eq!(all["documents"].as_array().map(Vec::len), Some(20), "{all}");
    let own = server.json("/api/v1/documents?limit=100", &customer);
    let hits = own["documents"].as_array().expect("a list");
    assert_eq!((hits.len(), &own["total"]), (1, &1.into()), "{own}");
    let id = hits[0]["id"].as_str().expect("an id");
    assert_eq!(id, "1-5");

    let (status, head, pdf) = server.get("/api/v1/documents/1-5/content?format=pdf", &customer);
    assert_eq!(status, 200);
    assert!(pdf.starts_with(b"%PDF-") && head.contains("etag: \"") && head.contains("immutable"), "{head}");
    assert_eq!(pdf, archive_pdf(&server, &agent), "the agent sees exactly what the customer sees");

    // Somebody else's document and one that does not exist answer alike.
    let (hidden, _, a) = server.get("/api/v1/documents/1-6", &customer);
    let (absent, _, b) = server.get("/api/v1/documents/1-600", &customer);
    assert_eq!((hidden, absent), (404, 404));
    assert_eq!(text(&a).replace("1-600", "1-6"), text(&b).replace("1-600", "1-6"));
    assert_eq!(server.ask("GET", "/api/v1/documents", &[], b"").0, 401);
    assert_eq!(server.get("/api/v1/documents", "gbk_wrong").0, 401);
}

fn archive_pdf(server: &Server, key: &str) -> Vec<u8> {
    server.get("/api/v1/documents/1-5/content?format=pdf", key).2
}

#[test]
fn ranges_and_entity_tags_save_bytes() {
    let archive = Archive::new("ranges");
    archive.load(&archive.home.file("s.txt", small_statements(2)), None);
    let agent = key(&archive, "ann", "agent", &[]);
    let server = Server::start(&archive);
    let path = "/api/v1/documents/1-1/content?format=original";
    let (_, head, whole) = server.get(path, &agent);
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag").to_string();
    let bearer = format!("Bearer {agent}");
    let (status, head, part) = server.ask("GET", path, &[("Authorization", &bearer), ("Range", "bytes=10-19")], b"");
    assert_eq!((status, part.as_slice()), (206, &whole[10..20]), "{head}");
    assert_eq!(server.ask("GET", path, &[("Authorization", &bearer), ("If-None-Match", &tag)], b"").0, 304);
    assert_eq!(server.ask("GET", path, &[("Authorization", &bearer), ("Range", "bytes=999999-")], b"").0, 416);
    assert_eq!(server.get(&format!("{path}&page=1"), &agent).2, whole, "an original is whole, whatever page says");
}

#[test]
fn a_stream_sent_over_http_is_acknowledged_loaded_and_returned_byte_for_byte() {
    let archive = Archive::new("upload");
    let admin = key(&archive, "root", "administrator", &[]);
    let agent = key(&archive, "ann", "agent", &[]);
    let server = Server::start(&archive);
    let stream = small_statements(15);
    let bearer = format!("Bearer {admin}");
    let send = |who: &str| server.ask("POST", "/api/v1/loads?file=night.txt", &[("Authorization", who)], &stream);
    assert_eq!(send(&format!("Bearer {agent}")).0, 403, "an agent does not load");
    let (status, head, body) = send(&bearer);
    assert_eq!(status, 202, "{}", text(&body));
    let place = head.lines().find_map(|line| line.strip_prefix("location: ")).expect("where to look").to_string();
    let mut row = Value::Null;
    for _ in 0..200 {
        row = server.json(&place, &admin);
        if row["state"] != "queued" && row["state"] != "running" {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(row["state"], "done", "{row}");
    let (status, _, back) = server.get(&format!("{place}/original"), &admin);
    assert_eq!((status, back), (200, stream.clone()));
    let found = server.json("/api/v1/documents?account=100007-0007-7", &agent);
    assert_eq!(found["total"], 1, "{found}");
}

#[test]
fn the_command_line_says_clearly_that_a_server_has_the_archive() {
    let archive = Archive::new("busy");
    archive.load(&archive.home.file("s.txt", small_statements(2)), None);
    let _server = Server::start(&archive);
    let message = archive.fails(&["load", archive.home.file("t.txt", small_statements(3)).to_str().expect("UTF-8")]);
    assert!(message.contains("server"), "{message}");
}

#[test]
fn the_openapi_document_names_every_call_of_the_contract() {
    let archive = Archive::new("openapi");
    let server = Server::start(&archive);
    let (status, _, body) = server.ask("GET", "/api/openapi.json", &[], b"");
    assert_eq!(status, 200);
    let api: Value = serde_json::from_slice(&body).expect("JSON");
    for path in [
        "/api/v1/documents",
        "/api/v1/documents/{id}",
        "/api/v1/documents/{id}/content",
        "/api/v1/loads",
        "/api/v1/loads/{id}",
        "/api/v1/loads/{id}/original",
    ] {
        assert!(api["paths"][path].is_object(), "{path} is missing");
    }
    for (path, verbs) in api["paths"].as_object().expect("paths") {
        for (verb, call) in verbs.as_object().expect("verbs") {
            let problem = &call["responses"]["default"]["content"]["application/problem+json"]["schema"];
            assert!(problem["properties"]["code"].is_object(), "{verb} {path} does not say what a problem looks like");
        }
    }
    for path in ["/live", "/health", "/metrics"] {
        assert_eq!(server.ask("GET", path, &[], b"").0, 200, "{path}");
    }
}

#[test]
fn every_document_read_leaves_an_audit_record() {
    let archive = Archive::new("audit");
    archive.load(&archive.home.file("s.txt", small_statements(3)), None);
    let agent = key(&archive, "ann", "agent", &[]);
    {
        let server = Server::start(&archive);
        server.get("/api/v1/documents/1-2/content?format=text", &agent);
        server.get("/api/v1/documents/1-2/content?format=pdf", &agent);
    }
    archive.ok(&["get", "1-3", "--format", "text"]);
    let records = archive.json(&["audit", "list"]);
    let reads = |document: &str| records.iter().filter(|r| r["document"] == document).count();
    assert!(reads("1-2") >= 2 && reads("1-3") >= 1, "{records:?}");
    assert!(records.iter().any(|r| r["document"] == "1-2" && r["who"] == "ann"), "{records:?}");
}

/// Masked values are in no rendition, field, hit list or search of somebody who may not see them.
#[test]
fn what_is_masked_is_nowhere() {
    let archive = Archive::new("masks");
    archive.load(&archive.home.file("s.txt", small_statements(20)), None);
    let auditor = key(&archive, "otto", "auditor", &[]);
    let agent = key(&archive, "ann", "agent", &[]);
    let server = Server::start(&archive);
    let account = crate::story::account(5);
    let digits: String = account.chars().filter(char::is_ascii_digit).collect();
    let bare = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(['-', ' '], "");
    for format in ["pdf", "html", "text", "csv", "json", "png"] {
        let path = format!("/api/v1/documents/1-5/content?format={format}&highlight={account}");
        let (status, _, seen) = server.get(&path, &auditor);
        let (_, _, whole) = server.get(&path, &agent);
        assert_eq!(status, 200, "{format}: {}", text(&seen));
        assert_ne!(seen, whole, "{format}");
        assert!(!bare(&seen).contains(&digits), "{format}");
        if format == "pdf" {
            let printed = |pdf: &[u8]| {
                let file = archive.home.file("masked.pdf", pdf);
                let out = std::process::Command::new("pdftotext").arg("-layout").arg(file).arg("-").output();
                bare(&out.expect("pdftotext (poppler-utils) runs").stdout)
            };
            assert!(!printed(&seen).contains(&digits) && printed(&whole).contains(&digits));
        }
    }
    let (status, _, body) = server.get("/api/v1/documents/1-5/content?format=original", &auditor);
    assert_eq!(status, 403, "{}", text(&body));
    let hit = server.json("/api/v1/documents/1-5", &auditor);
    assert!(!bare(hit.to_string().as_bytes()).contains(&digits), "{hit}");
    for query in [account.as_str(), digits.as_str(), &format!("account:{account}"), &format!("\"{account}\"")] {
        let path = format!("/api/v1/documents?q={}", query.replace('"', "%22").replace(' ', "+"));
        assert_eq!(server.json(&path, &auditor)["total"], 0, "{query}");
        assert_eq!(server.json(&path, &agent)["total"], 1, "{query}");
    }
    let list = server.json("/api/v1/documents?q=statement&limit=100", &auditor);
    assert_eq!(list["documents"].as_array().map(Vec::len), Some(20), "the documents themselves are found");
    assert!(!bare(list.to_string().as_bytes()).contains(&digits));
}
