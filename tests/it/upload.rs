//! Uploads that break off and go on: curl sends, the server is killed, digests are checked before yes.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::capture::{configure, loaded, original, sha256};
use crate::server::{Server, key};
use crate::story::{Archive, next, rounds, small_statements, text};

/// What a server answered: status, heads in lower case, body.
type Answer = (u16, String, Vec<u8>);

fn head<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let line = answer.1.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_default().trim()
}

struct Sender<'a> {
    server: &'a Server,
    key: String,
}

impl Sender<'_> {
    fn ask(&self, method: &str, path: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let heads = [&[("Authorization", bearer.as_str()), ("Tus-Resumable", "1.0.0")], more].concat();
        self.server.ask(method, path, &heads, body)
    }

    fn begin(&self, length: usize, more: &[(&str, &str)]) -> Answer {
        let length = length.to_string();
        self.ask("POST", "/api/v1/uploads", &[&[("Upload-Length", length.as_str())], more].concat(), b"")
    }

    fn send(&self, place: &str, offset: usize, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let offset = offset.to_string();
        let heads = [("Upload-Offset", offset.as_str()), ("Content-Type", "application/offset+octet-stream")];
        self.ask("PATCH", place, &[&heads, more].concat(), body)
    }

    fn offset(&self, place: &str) -> usize {
        let answer = self.ask("GET", place, &[], b"");
        assert_eq!(answer.0, 200, "{}", text(&answer.2));
        head(&answer, "upload-offset").parse().expect("a number")
    }
}

/// A header of RFC 9530.
fn digest(bytes: &[u8]) -> String {
    let hex = sha256(bytes);
    let raw: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).expect("hex")).collect();
    let mut base64 =
        Command::new("base64").args(["-w", "0"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("runs");
    base64.stdin.take().expect("piped").write_all(&raw).expect("sent");
    format!("sha-256=:{}:", text(&base64.wait_with_output().expect("ends").stdout).trim())
}

fn curl(args: &[&str]) -> String {
    let out = Command::new("curl").args(["-sS", "--max-time", "60"]).args(args).output().expect("curl runs");
    assert!(out.status.success(), "{}", text(&out.stderr));
    text(&out.stdout).to_lowercase()
}

fn leftovers(archive: &Archive, ending: &str) -> usize {
    let entries = std::fs::read_dir(archive.dir().join("intake")).expect("there").flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(ending)).count()
}

#[test]
fn curl_goes_on_where_it_stopped_though_the_server_was_killed() {
    let archive = Archive::new("upload-curl");
    let admin = key(&archive, "root", "administrator", &[]);
    let stream = small_statements(3_000);
    let (half, whole) = (stream.len() / 2, stream.len());
    let (first, rest) = (archive.home.file("first", &stream[..half]), archive.home.file("rest", &stream[half..]));
    let (bearer, length) = (format!("Authorization: Bearer {admin}"), format!("Upload-Length: {whole}"));
    let mut server = Server::start(&archive);
    let announced = format!("Repr-Digest: {}", digest(&stream));
    let name = "Upload-Metadata: filename bmlnaHQudHh0";
    let args = ["-i", "-X", "POST", "-H", &bearer, "-H", &length, "-H", name, "-H", &announced];
    let made = curl(&[&args[..], &[&server.url("/api/v1/uploads")]].concat());
    let place = made.lines().find_map(|line| line.strip_prefix("location: ")).expect("a place").trim().to_string();
    let patch = |server: &Server, offset: usize, file: &Path| {
        let (offset, file) = (format!("Upload-Offset: {offset}"), format!("@{}", file.display()));
        let kind = "Content-Type: application/offset+octet-stream";
        curl(&[
            "-i",
            "-X",
            "PATCH",
            "-H",
            &bearer,
            "-H",
            &offset,
            "-H",
            kind,
            "--data-binary",
            &file,
            &server.url(&place),
        ])
    };
    let sent = patch(&server, 0, &first);
    assert!(sent.contains("http/1.1 204") && sent.contains(&format!("upload-offset: {half}")), "{sent}");
    server.kill();
    let server = Server::start(&archive);
    let told = curl(&["-I", "-H", &bearer, &server.url(&place)]);
    assert!(told.contains(&format!("upload-offset: {half}")), "{told}");
    assert!(patch(&server, 0, &rest).contains("http/1.1 409"), "another offset");
    let sent = patch(&server, half, &rest);
    assert!(sent.contains("http/1.1 204") && sent.contains("location: /api/v1/loads/j"), "{sent}");
    let told = loaded(&server, &admin, 1);
    assert_eq!(told["loads"][0]["file"], "night.txt", "{told}");
    assert!(original(&server, &admin, 1) == stream);
    assert_eq!(leftovers(&archive, ""), 0);
    let told = curl(&["-I", "-H", &bearer, &server.url(&place)]);
    assert!(told.contains(&format!("upload-offset: {whole}")) && told.contains("location: /api/v1/loads/j"), "{told}");
}

#[test]
fn digests_are_checked_before_yes() {
    let archive = Archive::new("upload-digest");
    let admin = key(&archive, "root", "administrator", &[]);
    let server = Server::start(&archive);
    let sender = Sender { server: &server, key: admin.clone() };
    let stream = small_statements(2);
    let (right, wrong) = (digest(&stream), digest(b"something else"));
    // One request.
    let send = |value: &str| sender.ask("POST", "/api/v1/loads", &[("Repr-Digest", value)], &stream);
    let answer = send(&wrong);
    assert!(answer.0 == 400 && text(&answer.2).contains("digest"), "{}", text(&answer.2));
    assert_eq!(send("md5=:AAAA:").0, 400);
    // In parts: a part that is damaged does not count, the others do.
    let made = sender.begin(stream.len(), &[("Repr-Digest", &right)]);
    let place = head(&made, "location").to_string();
    let (part, rest) = stream.split_at(100);
    assert_eq!(sender.send(&place, 0, &[("Content-Digest", &wrong)], part).0, 400);
    assert_eq!(sender.offset(&place), 0);
    assert_eq!(sender.send(&place, 0, &[("Content-Digest", &digest(part))], part).0, 204);
    assert_eq!(sender.offset(&place), 100);
    assert_eq!(sender.send(&place, 100, &[], rest).0, 204);
    loaded(&server, &admin, 1);
    assert!(original(&server, &admin, 1) == stream);
    // All of it is damaged: it is no stream, and begins again.
    let made = sender.begin(stream.len(), &[("Repr-Digest", &wrong)]);
    let place = head(&made, "location").to_string();
    assert_eq!(sender.send(&place, 0, &[], &stream).0, 400);
    assert_eq!(sender.offset(&place), 0);
    assert_eq!(server.json("/api/v1/loads", &admin)["received"].as_array().map(Vec::len), Some(0));
    assert_eq!(send(&right).0, 202);
}

#[test]
fn uploads_have_limits_and_owners_and_an_end() {
    let archive = Archive::new("upload-limits");
    let admin = key(&archive, "root", "administrator", &[]);
    let other = key(&archive, "olga", "operator", &[]);
    configure(&archive, "[capture.http]\nuploads = 3\nuploads_per_user = 2\nbytes_per_user = 1000\nkeep_s = 2\n");
    let server = Server::start(&archive);
    let (sender, stranger) = (Sender { server: &server, key: admin }, Sender { server: &server, key: other });
    assert_eq!(sender.begin(2_000, &[]).0, 409, "too many bytes");
    assert_eq!(sender.begin(0, &[]).0, 400);
    assert_eq!(sender.begin(10, &[("Upload-Metadata", "filename Li4vLi4veA==")]).0, 400, "a path is no name");
    assert_eq!(sender.begin(10, &[("Upload-Metadata", "definition bm9uZQ==")]).0, 400, "no such definition");
    let places: Vec<String> = (0..2).map(|_| head(&sender.begin(400, &[]), "location").to_string()).collect();
    assert_eq!(sender.begin(100, &[]).0, 409, "two are open");
    let own = head(&stranger.begin(900, &[]), "location").to_string();
    assert_eq!(stranger.begin(50, &[]).0, 409, "three are open");
    assert_eq!(stranger.send(&places[0], 0, &[], b"mine").0, 404, "another's upload is as if it were not there");
    assert_eq!(stranger.ask("DELETE", &places[0], &[], b"").0, 404);
    assert_eq!(sender.send(&places[0], 0, &[], &[b'x'; 500]).0, 413, "more than was announced");
    assert_eq!(sender.send(&places[0], 7, &[], b"x").0, 409, "another offset");
    assert_eq!(sender.ask("PATCH", &places[0], &[("Upload-Offset", "0")], b"x").0, 400, "another type");
    assert_eq!(sender.ask("DELETE", &places[1], &[], b"").0, 204);
    assert_eq!(sender.ask("GET", &places[1], &[], b"").0, 404);
    // Two at once: the second is told so. What came of the first when it breaks off is kept.
    let url = server.url(&own);
    let mut wire = TcpStream::connect(url.split('/').nth(2).expect("an address")).expect("connects");
    let request = format!(
        "PATCH {own} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {}\r\nUpload-Offset: 0\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: 900\r\n\r\n{}",
        stranger.key,
        "x".repeat(300)
    );
    wire.write_all(request.as_bytes()).expect("sent");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(stranger.send(&own, 0, &[], b"x").0, 409, "somebody sends");
    drop(wire);
    let started = Instant::now();
    while stranger.offset(&own) != 300 {
        assert!(started.elapsed() < Duration::from_secs(10), "what came is kept");
        std::thread::sleep(Duration::from_millis(50));
    }
    // Who sends no more is forgotten.
    while leftovers(&archive, ".upload") > 0 {
        assert!(started.elapsed() < Duration::from_secs(20), "abandoned uploads are swept");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(stranger.ask("GET", &own, &[], b"").0, 404);
}

/// Parts are sent while the server is killed at random moments: what was acknowledged is there, and the stream is whole.
#[test]
fn kill_9_takes_no_byte_back_that_was_acknowledged() {
    let rounds = rounds(8, 100);
    let archive = Archive::new("upload-kill");
    let admin = key(&archive, "root", "administrator", &[]);
    let stream = small_statements(4_000);
    let (mut place, mut acknowledged, mut done, mut seed) = (None::<String>, 0, 0_usize, 0x9E37_79B9_7F4A_7C15_u64);
    for _ in 0..rounds {
        let mut server = Server::start(&archive);
        let sender = Sender { server: &server, key: admin.clone() };
        let at = place.get_or_insert_with(|| {
            acknowledged = 0;
            head(&sender.begin(stream.len(), &[("Repr-Digest", &digest(&stream))]), "location").to_string()
        });
        let offset = sender.offset(at);
        assert!(offset >= acknowledged, "{offset} of {acknowledged} bytes are there");
        let until = Instant::now() + Duration::from_millis(5 + next(&mut seed) % 120);
        let (to, key, from, bytes) = (server.url(at), admin.clone(), offset, stream.clone());
        let sending = std::thread::spawn(move || parts(&to, &key, from, &bytes));
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
        server.kill();
        acknowledged = sending.join().expect("no panic").max(acknowledged);
        if acknowledged == stream.len() {
            (place, done) = (None, done + 1);
        }
    }
    let server = Server::start(&archive);
    let sender = Sender { server: &server, key: admin.clone() };
    if let Some(at) = place {
        let offset = sender.offset(&at);
        assert!(offset >= acknowledged, "{offset} of {acknowledged} bytes are there");
        let last = sender.send(&at, offset, &[], &stream[offset..]);
        // All was there already when the last yes did not come through.
        assert!(last.0 == 204 || offset == stream.len(), "{}", text(&last.2));
        done += 1;
    }
    assert!(done > 0);
    loaded(&server, &admin, 1);
    assert!(original(&server, &admin, 1) == stream);
    drop(server);
    archive.is_sound();
}

/// Sends in parts until the server is gone; how far it said yes.
fn parts(url: &str, key: &str, mut offset: usize, stream: &[u8]) -> usize {
    while offset < stream.len() {
        let end = (offset + 40_000).min(stream.len());
        let mut curl = Command::new("curl");
        curl.args([
            "-s",
            "--max-time",
            "20",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-X",
            "PATCH",
            "--data-binary",
            "@-",
        ]);
        for heading in [
            format!("Authorization: Bearer {key}"),
            format!("Upload-Offset: {offset}"),
            "Content-Type: application/offset+octet-stream".into(),
        ] {
            curl.arg("-H").arg(heading);
        }
        let mut child = curl.arg(url).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("curl runs");
        let _ = child.stdin.take().expect("piped").write_all(&stream[offset..end]);
        if text(&child.wait_with_output().expect("ends").stdout) != "204" {
            return offset;
        }
        offset = end;
    }
    offset
}
