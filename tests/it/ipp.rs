//! The IPP printer: `ipptool`'s own tests, a real CUPS that prints, what lies or breaks off, and kill -9.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

use crate::capture::{configure, loaded, original, port, run, sha256};
use crate::server::{Server, key};
use crate::story::{Archive, TempDir, next, rounds, small_statements, text};

pub const PRINT_JOB: u16 = 2;
pub const CREATE_JOB: u16 = 5;
const SEND_DOCUMENT: u16 = 6;
pub const CANCEL_JOB: u16 = 8;
pub const GET_JOB_ATTRIBUTES: u16 = 9;

/// Whether a program is installed; says so when it is not.
pub fn installed(program: &str, package: &str) -> bool {
    let there = ["/usr/bin", "/usr/sbin"].iter().any(|dir| Path::new(dir).join(program).exists());
    if !there {
        eprintln!("skipped: {program} is not here (Debian's package {package}, see .ci/packages)");
    }
    there
}

pub fn field(tag: u8, name: &str, value: &[u8]) -> Vec<u8> {
    let counted = |bytes: &[u8]| [&u16::try_from(bytes.len()).expect("short").to_be_bytes()[..], bytes].concat();
    [vec![tag], counted(name.as_bytes()), counted(value)].concat()
}

/// A request of user `ann` for queue `Q`, with more operation attributes.
pub fn request(operation: u16, more: &[Vec<u8>]) -> Vec<u8> {
    request_by("ann", operation, more)
}

/// The same of somebody else.
pub fn request_by(user: &str, operation: u16, more: &[Vec<u8>]) -> Vec<u8> {
    let head = [&[2, 1][..], &operation.to_be_bytes(), &[0, 0, 0, 1, 1]].concat();
    let fixed = [
        field(0x47, "attributes-charset", b"utf-8"),
        field(0x48, "attributes-natural-language", b"en"),
        field(0x45, "printer-uri", b"ipp://127.0.0.1/ipp/print/Q"),
        field(0x42, "requesting-user-name", user.as_bytes()),
    ];
    [head, fixed.concat(), more.concat(), vec![3]].concat()
}

pub fn integer(name: &str, number: u64) -> Vec<u8> {
    field(0x21, name, &u32::try_from(number).expect("small").to_be_bytes())
}

pub fn last(yes: bool) -> Vec<u8> {
    field(0x22, "last-document", &[u8::from(yes)])
}

/// Sends a body to the printer. IPP's status and the answer; `None` when there is no answer in IPP.
pub fn post(port: u16, body: &[u8]) -> Option<(u16, Vec<u8>)> {
    let head = format!(
        "POST /ipp/print/Q HTTP/1.1\r\nHost: h\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut wire = TcpStream::connect(("127.0.0.1", port)).ok()?;
    wire.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    wire.write_all(head.as_bytes()).ok()?;
    // A refusal may come before all is sent.
    let _ = wire.write_all(body);
    let mut answer = Vec::new();
    let _ = wire.read_to_end(&mut answer);
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let reply = answer.split_off(at);
    let status = u16::from_be_bytes([*reply.get(2)?, *reply.get(3)?]);
    answer.starts_with(b"HTTP/1.1 200").then_some((status, reply))
}

pub fn print(port: u16, document: &[u8]) -> Option<u16> {
    post(port, &[request(PRINT_JOB, &[]), document.to_vec()].concat()).map(|(status, _)| status)
}

/// The value of a number in an answer.
pub fn number(reply: &[u8], name: &str) -> u64 {
    let at =
        reply.windows(name.len()).position(|window| window == name.as_bytes()).expect("it is told") + name.len() + 2;
    u64::from(u32::from_be_bytes(reply[at..at + 4].try_into().expect("four bytes")))
}

pub fn create(port: u16) -> u64 {
    let (status, reply) = post(port, &request(CREATE_JOB, &[])).expect("answered");
    assert_eq!(status, 0);
    number(&reply, "job-id")
}

pub fn send(port: u16, job: u64, more: &[Vec<u8>], document: &[u8]) -> Option<u16> {
    let head = request(SEND_DOCUMENT, &[&[integer("job-id", job)], more].concat());
    post(port, &[head, document.to_vec()].concat()).map(|(status, _)| status)
}

pub fn state_of(port: u16, job: u64) -> Option<u64> {
    let (status, reply) = post(port, &request(GET_JOB_ATTRIBUTES, &[integer("job-id", job)]))?;
    (status == 0).then(|| number(&reply, "job-state"))
}

fn leftovers(archive: &Archive) -> usize {
    std::fs::read_dir(archive.dir().join("intake")).expect("there").count()
}

/// The standard files, beside documents of the names that they print (Debian's package leaves those out).
pub fn standard_files() -> TempDir {
    let dir = TempDir::new("ipptool");
    for entry in std::fs::read_dir("/usr/share/cups/ipptool").expect("they come with ipptool").flatten() {
        std::fs::copy(entry.path(), dir.path().join(entry.file_name())).expect("copied");
    }
    for name in ["document-a4", "document-letter"] {
        dir.file(&format!("{name}.pdf"), "%PDF-1.4\n%%EOF\n");
        dir.file(&format!("{name}.ps"), "%!PS\nshowpage\n");
    }
    ["color.jpg", "gray.jpg"].iter().for_each(|name| drop(dir.file(name, "not printed")));
    dir.file("s.txt", small_statements(3));
    dir
}

#[test]
fn the_standard_tests_of_ipptool_pass() {
    if !installed("ipptool", "cups-ipp-utils") {
        return;
    }
    let archive = Archive::new("ipptool");
    let port = port();
    configure(&archive, &format!("[capture]\nunknown = \"whole\"\n[capture.ipp]\nlisten = \"127.0.0.1:{port}\"\n"));
    let server = Server::start(&archive);
    let files = standard_files();
    for (at, (version, name, passed)) in [
        ("1.1", "ipp-1.1", 35),
        ("2.0", "ipp-2.0", 36),
        ("2.0", "get-printer-attributes", 1),
        ("1.1", "get-printer-description-attributes", 1),
        ("1.1", "get-job-template-attributes", 1),
        ("1.1", "validate-job", 1),
        ("1.1", "print-job", 1),
        ("1.1", "print-job-gzip", 1),
        ("1.1", "print-job-deflate", 1),
        ("1.1", "print-job-letter", 1),
        ("1.1", "print-job-media-col", 1),
        ("1.1", "print-job-and-wait", 2),
        ("1.1", "print-job-manual", 1),
        ("1.1", "print-job-password", 1),
        ("1.1", "create-job", 2),
        ("1.1", "create-job-format", 1),
        ("1.1", "create-job-sheets", 1),
        ("1.1", "create-job-timeout", 1),
        ("1.1", "get-jobs", 1),
        ("1.1", "get-completed-jobs", 1),
        ("2.1", "ipp-2.1", 37),
        ("2.2", "ipp-2.2", 38),
        ("2.1", "create-printer-subscription", 1),
        ("2.1", "get-subscriptions", 1),
        ("1.1", "print-job-hold", 2),
        ("2.0", "ipp-backend", 1),
    ]
    .into_iter()
    .enumerate()
    {
        // A queue of its own each: a job that one leaves open would keep another waiting.
        let uri = format!("ipp://127.0.0.1:{port}/ipp/print/TOOL{at}");
        let test = format!("{name}.test");
        let mut tool = Command::new("ipptool");
        tool.args(["-V", version, "-f", "s.txt", "-t", &uri, &test]).current_dir(files.path());
        let out = tool.output().expect("ipptool runs");
        let said = text(&out.stdout);
        assert!(out.status.success(), "{name}: {said}\n{}", text(&out.stderr));
        assert_eq!(said.matches("[PASS]").count(), passed, "{name}: {said}");
    }
    // These ask for a job, by its own address.
    let uri = format!("ipp://127.0.0.1:{port}/jobs/1");
    for name in ["get-job-attributes.test", "get-job-attributes2.test"] {
        let out = run("ipptool", &["-t", &uri, files.path().join(name).to_str().expect("UTF-8")]);
        assert!(out.status.success() && text(&out.stdout).contains("[PASS]"), "{name}: {}", text(&out.stdout));
    }
    drop(server);
    archive.is_sound();
}

/// A CUPS of one's own.
struct Cups {
    child: Child,
    dir: TempDir,
    port: u16,
}

impl Cups {
    fn start() -> Option<Cups> {
        let here = installed("cupsd", "cups") && installed("lpadmin", "cups-client") && installed("lp", "cups-client");
        if !here {
            return None;
        }
        if text(&run("id", &["-u"]).stdout).trim() != "0" {
            eprintln!("skipped: cupsd has to be started as root");
            return None;
        }
        let (dir, port) = (TempDir::new("cups"), port());
        let at = dir.path().display().to_string();
        for name in ["root", "spool", "tmp", "cache", "state"] {
            std::fs::create_dir(dir.path().join(name)).expect("made");
        }
        let files = format!(
            "ServerRoot {at}/root\nRequestRoot {at}/spool\nTempDir {at}/tmp\nCacheDir {at}/cache\nStateDir {at}/state\n\
             AccessLog {at}/access\nErrorLog {at}/error\nPageLog {at}/page\nUser lp\nGroup lp\nSystemGroup root\n"
        );
        let settings = format!(
            "Listen 127.0.0.1:{port}\nBrowsing Off\nWebInterface No\nDefaultAuthType None\nJobRetryInterval 1\n\
             <Location />\nAllow all\n</Location>\n<Policy default>\n<Limit All>\nAllow all\n</Limit>\n</Policy>\n"
        );
        let (files, settings) = (dir.file("files.conf", files), dir.file("cupsd.conf", settings));
        assert!(run("chown", &["-R", "lp:lp", &at]).status.success());
        let mut cupsd = Command::new("/usr/sbin/cupsd");
        cupsd.arg("-f").arg("-c").arg(settings).arg("-s").arg(files).stdout(Stdio::null()).stderr(Stdio::null());
        let cups = Cups { child: cupsd.spawn().expect("cupsd starts"), dir, port };
        cups.until("CUPS answers", |cups| text(&cups.run("lpstat", &["-r"]).stdout).contains("is running"));
        Some(cups)
    }

    fn run(&self, program: &str, args: &[&str]) -> Output {
        let server = format!("127.0.0.1:{}", self.port);
        let program =
            ["/usr/bin", "/usr/sbin"].map(|dir| PathBuf::from(dir).join(program)).into_iter().find(|at| at.exists());
        let mut command = Command::new(program.expect("it is installed"));
        command.args(args).env("CUPS_SERVER", server).stdin(Stdio::null()).output().expect("it runs")
    }

    fn ok(&self, program: &str, args: &[&str]) {
        let out = self.run(program, args);
        assert!(out.status.success(), "{program} {args:?}: {}\n{}", text(&out.stderr), self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("error")).unwrap_or_default()
    }

    fn until(&self, what: &str, holds: impl Fn(&Cups) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < Duration::from_secs(60), "{what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Cups {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn cups_prints_over_ipp_and_lpd_byte_for_byte() {
    let Some(cups) = Cups::start() else { return };
    let archive = Archive::new("cups");
    let admin = key(&archive, "root", "administrator", &[]);
    let (ipp, lpd) = (port(), port());
    let settings = format!(
        "[capture]\nunknown = \"whole\"\n[capture.ipp]\nlisten = \"127.0.0.1:{ipp}\"\n[capture.lpd]\nlisten = \"127.0.0.1:{lpd}\"\n"
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    cups.ok("lpadmin", &["-p", "raw", "-E", "-v", &format!("ipp://127.0.0.1:{ipp}/ipp/print/NIGHT"), "-m", "raw"]);
    cups.ok("lpadmin", &["-p", "old", "-E", "-v", &format!("lpd://127.0.0.1:{lpd}/DAY"), "-m", "raw"]);
    cups.ok(
        "lpadmin",
        &["-p", "every", "-E", "-v", &format!("ipp://127.0.0.1:{ipp}/ipp/print/ANY"), "-m", "everywhere"],
    );
    let streams = [small_statements(40), small_statements(41)];
    for ((printer, title), stream) in [("raw", "night run"), ("old", "day run")].into_iter().zip(&streams) {
        let file = cups.dir.file(&format!("{printer}.txt"), stream);
        cups.ok("lp", &["-d", printer, "-o", "raw", "-t", title, file.to_str().expect("UTF-8")]);
        cups.until("the queue is empty", |cups| cups.run("lpstat", &["-o"]).stdout.is_empty());
    }
    let told = loaded(&server, &admin, 2);
    for (load, stream) in (1..).zip(&streams) {
        assert!(original(&server, &admin, load) == *stream, "load {load} is what was printed: {told}");
    }
    assert_eq!(told["loads"][0]["file"].as_str().map(|name| name.contains("run")), Some(true), "{told}");
    // Driverless, CUPS makes a PDF of a text; the printer takes it.
    let file = cups.dir.file("any.txt", "a text\n");
    cups.ok("lp", &["-d", "every", file.to_str().expect("UTF-8")]);
    cups.until("the queue is empty", |cups| cups.run("lpstat", &["-o"]).stdout.is_empty());
    loaded(&server, &admin, 3);
    assert!(original(&server, &admin, 3).starts_with(b"%PDF"));
}

#[test]
fn a_job_takes_its_document_later_or_is_given_up() {
    let archive = Archive::new("ipp-jobs");
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    configure(
        &archive,
        &format!(
            "[capture]\nunknown = \"whole\"\n[capture.ipp]\nlisten = \"127.0.0.1:{port}\"\nopen_jobs = 2\njob_timeout_s = 2\n"
        ),
    );
    let mut server = Server::start(&archive);
    let stream = small_statements(2);
    let job = create(port);
    assert_eq!(state_of(port, job), Some(4), "it waits");
    assert_eq!(send(port, job, &[], &stream), Some(0x0400), "last-document is missing");
    assert_eq!(send(port, job, &[last(false)], &stream), Some(0));
    assert_eq!(state_of(port, job), Some(4), "its document is durable, and more may come");
    assert_eq!(send(port, job, &[last(true)], b""), Some(0), "that nothing more comes may be said behind it");
    assert_eq!(state_of(port, job), Some(9));
    assert_eq!(send(port, job, &[last(true)], b"another"), Some(0x0404), "it is closed");
    assert_eq!(send(port, job, &[last(true)], b""), Some(0), "and may be told so again");
    assert_eq!(post(port, &request(CANCEL_JOB, &[integer("job-id", job)])).map(|(status, _)| status), Some(0x0404));
    loaded(&server, &admin, 1);
    assert!(original(&server, &admin, 1) == stream);
    // Canceled, it takes nothing more.
    let canceled = create(port);
    assert_eq!(post(port, &request(CANCEL_JOB, &[integer("job-id", canceled)])).map(|(status, _)| status), Some(0));
    assert_eq!(state_of(port, canceled), Some(7));
    assert_eq!(send(port, canceled, &[last(true)], &stream), Some(0x0404));
    // Only so many are open; who went away makes room after a while, and so does the end of the process.
    let (first, _second) = (create(port), create(port));
    assert_eq!(post(port, &request(CREATE_JOB, &[])).map(|(status, _)| status), Some(0x050B));
    std::thread::sleep(Duration::from_millis(3_200));
    assert_eq!(state_of(port, first), Some(8), "nobody sent its document");
    let open = create(port);
    server.kill();
    let server = Server::start(&archive);
    assert_eq!(send(port, open, &[last(true)], &stream), Some(0x0406), "it did not outlive the server");
    assert!(create(port) > open, "a number is given once");
    assert_eq!(state_of(port, job), Some(9), "a received job is still known");
    drop(server);
}

#[test]
fn what_lies_or_breaks_off_is_refused_and_nothing_is_left() {
    let archive = Archive::new("ipp-bad");
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    let settings = format!(
        "[capture]\nunknown = \"whole\"\nmax_bytes = 100000\n[capture.ipp]\nlisten = \"127.0.0.1:{port}\"\n\
         [capture.ipp.limits]\nidle_s = 1\nconnections = 20\nconnections_per_peer = 20\n"
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    let packed = |stream: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(stream).and_then(|()| gzip.finish()).expect("packed")
    };
    let gzip = field(0x44, "compression", b"gzip");
    let compressed = |how: &[u8], document: &[u8]| {
        let head = request(PRINT_JOB, &[field(0x44, "compression", how)]);
        post(port, &[head, document.to_vec()].concat()).map(|(status, _)| status)
    };
    assert_eq!(post(port, b"GET / HTTP/1.1\r\n\r\n").map(|(status, _)| status), Some(0x0400), "garbage");
    assert_eq!(post(port, b"short"), None, "too short for an answer in IPP");
    assert_eq!(post(port, &[1, 1, 0, 2, 0, 0, 0, 1, 1, 0x47, 0xFF, 0xFF]).map(|(status, _)| status), Some(0x0400));
    let endless = [&[1, 1, 0, 2, 0, 0, 0, 1, 1][..], &field(0x44, "a", b"b").repeat(30_000)].concat();
    assert_eq!(post(port, &endless).map(|(status, _)| status), Some(0x0400), "attributes without end");
    assert_eq!(print(port, b""), Some(0x0400), "no document");
    assert_eq!(print(port, &vec![b'x'; 3_000_000]), Some(0x0408), "too long");
    assert_eq!(compressed(b"gzip", &packed(&vec![b'x'; 9_000_000])), Some(0x0408), "too long when unpacked");
    assert_eq!(compressed(b"gzip", b"not packed"), Some(0x0410));
    let stream = small_statements(1);
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 5].to_vec();
    assert_eq!(compressed(b"gzip", &cut(&packed(&stream))), Some(0x0410), "cut off");
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    let deflated = deflate.write_all(&stream).and_then(|()| deflate.finish()).expect("packed");
    assert_eq!(compressed(b"deflate", &cut(&deflated)), Some(0x0410), "cut off");
    assert_eq!(compressed(b"zip", &stream), Some(0x040F));
    let format = field(0x49, "document-format", b"video/mp4");
    assert_eq!(post(port, &request(PRINT_JOB, &[format])).map(|(status, _)| status), Some(0x040A));
    assert_eq!(post(port, &request(0x4711, &[])).map(|(status, _)| status), Some(0x0501));
    assert_eq!(send(port, 77, &[last(true)], &stream), Some(0x0406), "no such job");
    // The sender goes away in the middle of a document, or says nothing more: the job waits for it again.
    let job = create(port);
    let head = request(SEND_DOCUMENT, &[integer("job-id", job), last(true), gzip.clone()]);
    let begun =
        "POST /ipp/print/Q HTTP/1.1\r\nHost: h\r\nContent-Type: application/ipp\r\nContent-Length: 5000\r\n\r\n";
    let waits = |port: u16| {
        let started = Instant::now();
        while state_of(port, job) != Some(4) {
            assert!(started.elapsed() < Duration::from_secs(10), "it waits again");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    for silent in [false, true] {
        waits(port);
        let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        wire.write_all(&[begun.as_bytes(), &head, &packed(&stream)[..100]].concat()).expect("sent");
        std::thread::sleep(Duration::from_millis(100));
        if silent {
            // The answer may come in pieces.
            let mut answer = Vec::new();
            let said = |answer: &[u8]| answer.windows(2).any(|pair| pair == [0x04, 0x05]);
            let mut piece = [0; 2_000];
            while !said(&answer) {
                let read = wire.read(&mut piece).expect("answered");
                assert!(read > 0, "it hears that nothing came: {:?}", String::from_utf8_lossy(&answer));
                answer.extend_from_slice(&piece[..read]);
            }
        }
    }
    waits(port);
    assert_eq!(leftovers(&archive), 0, "nothing of what broke off is left");
    assert_eq!(send(port, job, &[last(true), gzip], &packed(&stream)), Some(0));
    // More connections than are allowed are turned away; others get in when they are gone.
    let open: Vec<_> = (0..200).filter_map(|_| TcpStream::connect(("127.0.0.1", port)).ok()).collect();
    drop(open);
    let started = Instant::now();
    while print(port, &deflated) != Some(0) {
        assert!(started.elapsed() < Duration::from_secs(10), "the server takes jobs again");
        std::thread::sleep(Duration::from_millis(50));
    }
    loaded(&server, &admin, 2);
    assert!(original(&server, &admin, 1) == stream);
}

#[test]
fn a_stranger_is_turned_away() {
    let archive = Archive::new("ipp-peers");
    let port = port();
    let settings = format!(
        "[capture]\nunknown = \"whole\"\n[capture.ipp]\nlisten = \"127.0.0.1:{port}\"\n[capture.ipp.limits]\nallow = [\"10.9.8.7\"]\n"
    );
    configure(&archive, &settings);
    let _server = Server::start(&archive);
    assert_eq!(print(port, b"a document"), None);
    assert_eq!(leftovers(&archive), 0);
}

#[test]
fn a_full_disk_stops_the_printer_and_is_said() {
    let archive = Archive::new("ipp-full");
    let port = port();
    configure(
        &archive,
        &format!("[capture]\nkeep_free = \"900000 TiB\"\n[capture.ipp]\nlisten = \"127.0.0.1:{port}\"\n"),
    );
    let _server = Server::start(&archive);
    assert_eq!(print(port, b"a document"), Some(0x0505));
    let (_, about) = post(port, &request(0x000B, &[])).expect("answered");
    assert!(text(&about).contains("spool-area-full"));
    assert_eq!(leftovers(&archive), 0);
}

/// Jobs are printed one after the other, in one request and in two, while the server is killed at random moments.
#[test]
fn kill_9_loses_no_job_that_was_acknowledged() {
    let rounds = rounds(10, 200);
    let archive = Archive::new("kill-ipp");
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    configure(&archive, &format!("[capture]\nunknown = \"whole\"\n[capture.ipp]\nlisten = \"127.0.0.1:{port}\"\n"));
    let (mut acknowledged, mut seed) = (Vec::new(), 0x9E37_79B9_7F4A_7C15_u64);
    for round in 0..rounds {
        let mut server = Server::start(&archive);
        let until = Instant::now() + Duration::from_millis(20 + next(&mut seed) % 200);
        let sender = std::thread::spawn(move || {
            let mut sent = Vec::new();
            for turn in 0.. {
                let stream = format!("round {round} job {turn}\n").repeat(50 + (turn * 37) % 4_000);
                let status = if turn % 2 == 0 {
                    print(port, stream.as_bytes())
                } else {
                    let made = post(port, &request(CREATE_JOB, &[])).filter(|(status, _)| *status == 0);
                    let job = made.map(|(_, reply)| number(&reply, "job-id"));
                    job.and_then(|job| send(port, job, &[last(true)], stream.as_bytes()))
                };
                if status != Some(0) {
                    return sent;
                }
                sent.push(stream);
            }
            sent
        });
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
        server.kill();
        acknowledged.extend(sender.join().expect("no panic"));
    }
    assert!(!acknowledged.is_empty());
    let server = Server::start(&archive);
    let told = loaded(&server, &admin, acknowledged.len());
    let kept: Vec<&str> =
        told["loads"].as_array().expect("a list").iter().filter_map(|l| l["sha256"].as_str()).collect();
    for stream in &acknowledged {
        let sum = sha256(stream.as_bytes());
        let found = kept.iter().filter(|one| **one == sum).count();
        assert_eq!(found, 1, "{:?} is there once: {}", stream.lines().next(), told["received"]);
    }
    drop(server);
    archive.is_sound();
}
