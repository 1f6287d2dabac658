//! What IPP 2.2 wants beyond 2.1: jobs of several documents, what is new held, a printer shut down and started, jobs in another
//! order, given up many at once, brought once more. What is promised is that all of it does what it says.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::capture::{configure, loaded, original, port};
use crate::ipp::{
    CANCEL_JOB, CREATE_JOB, GET_JOB_ATTRIBUTES, PRINT_JOB, create, field, integer, last, number, post, print, request,
    request_by, send, state_of,
};
use crate::server::{Server, key};
use crate::story::{Archive, small_statements, text};

const GET_JOBS: u16 = 0x0A;
const GET_PRINTER_ATTRIBUTES: u16 = 0x0B;
const HOLD_JOB: u16 = 0x0C;
const RELEASE_JOB: u16 = 0x0D;
const PAUSE_PRINTER: u16 = 0x10;
const RESUME_PRINTER: u16 = 0x11;
const SET_PRINTER_ATTRIBUTES: u16 = 0x13;
const PAUSE_AFTER_CURRENT_JOB: u16 = 0x24;
const HOLD_NEW_JOBS: u16 = 0x25;
const RELEASE_HELD_NEW_JOBS: u16 = 0x26;
const RESTART_PRINTER: u16 = 0x29;
const SHUTDOWN_PRINTER: u16 = 0x2A;
const STARTUP_PRINTER: u16 = 0x2B;
const REPROCESS_JOB: u16 = 0x2C;
const CANCEL_CURRENT_JOB: u16 = 0x2D;
const SUSPEND_CURRENT_JOB: u16 = 0x2E;
const RESUME_JOB: u16 = 0x2F;
const PROMOTE_JOB: u16 = 0x30;
const SCHEDULE_JOB_AFTER: u16 = 0x31;
const CANCEL_DOCUMENT: u16 = 0x33;
const GET_DOCUMENT_ATTRIBUTES: u16 = 0x34;
const GET_DOCUMENTS: u16 = 0x35;
const SET_DOCUMENT_ATTRIBUTES: u16 = 0x37;
const CANCEL_JOBS: u16 = 0x38;
const CANCEL_MY_JOBS: u16 = 0x39;
const RESUBMIT_JOB: u16 = 0x3A;
const CLOSE_JOB: u16 = 0x3B;

fn archive(purpose: &str, more: &str) -> (Archive, String, u16) {
    let archive = Archive::new(purpose);
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    let settings = format!("[capture]\nunknown = \"whole\"\n[capture.ipp]\nlisten = \"127.0.0.1:{port}\"\n{more}");
    configure(&archive, &settings);
    (archive, admin, port)
}

fn status(port: u16, body: &[u8]) -> u16 {
    post(port, body).expect("answered").0
}

fn of_job(port: u16, operation: u16, job: u64, more: &[Vec<u8>]) -> (u16, Vec<u8>) {
    post(port, &request(operation, &[&[integer("job-id", job)], more].concat())).expect("answered")
}

fn on_job(port: u16, operation: u16, job: u64) -> u16 {
    of_job(port, operation, job, &[]).0
}

fn reason(port: u16) -> String {
    text(&post(port, &request(GET_PRINTER_ATTRIBUTES, &[])).expect("answered").1)
}

fn held() -> Vec<u8> {
    field(0x44, "job-hold-until", b"indefinite")
}

fn item(server: &Server, admin: &str, id: u64) -> Value {
    // Before it came it is not there.
    let bearer = format!("Bearer {admin}");
    let (_, _, body) = server.ask("GET", &format!("/api/v1/intake/{id}"), &[("Authorization", &bearer)], b"");
    serde_json::from_slice(&body).expect("JSON")
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Begins a document of a job and leaves it unfinished until the connection is dropped.
fn begin(port: u16, job: u64, whole: usize, part: &[u8]) -> TcpStream {
    let head = request(0x06, &[integer("job-id", job), last(true)]);
    let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    let http = format!(
        "POST /ipp/print/Q HTTP/1.1\r\nHost: h\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\n\r\n",
        head.len() + whole
    );
    wire.write_all(&[http.as_bytes(), &head, part].concat()).expect("sent");
    wire
}

#[test]
fn a_job_of_several_documents_is_an_arrival_for_each() {
    let (archive, admin, port) = archive("ipp-documents", "job_timeout_s = 2\n");
    let mut server = Server::start(&archive);
    let streams = [small_statements(2), small_statements(3), small_statements(4)];
    let job = create(port);
    let name = |name: &str| field(0x42, "document-name", name.as_bytes());
    for (at, stream) in streams.iter().enumerate() {
        assert_eq!(send(port, job, &[last(false), name(&format!("part-{at}.txt"))], stream), Some(0));
        assert_eq!(state_of(port, job), Some(4), "more may come");
    }
    // Each was loaded when it came; the job is over when its sender says so.
    loaded(&server, &admin, 3);
    let (code, about) = of_job(port, GET_JOB_ATTRIBUTES, job, &[]);
    assert_eq!((code, number(&about, "number-of-documents")), (0, 3));
    assert_eq!((on_job(port, CLOSE_JOB, job), state_of(port, job), on_job(port, CLOSE_JOB, job)), (0, Some(9), 0));
    assert_eq!(send(port, job, &[last(true)], &streams[0]), Some(0x0404), "it is closed");
    // Several are loaded at once: which is done first nobody promises.
    let mut kept: Vec<Vec<u8>> = (1..=3).map(|load| original(&server, &admin, load)).collect();
    let mut sent = streams.to_vec();
    kept.sort();
    sent.sort();
    assert!(kept == sent, "each as it was sent");
    // Also the next process knows what belongs together.
    server.kill();
    let server = Server::start(&archive);
    let (code, list) = of_job(port, GET_DOCUMENTS, job, &[]);
    assert_eq!((code, list.windows(15).filter(|window| *window == b"document-number").count()), (0, 3));
    let second = |operation: u16, more: &[Vec<u8>]| {
        of_job(port, operation, job, &[&[integer("document-number", 2)], more].concat())
    };
    let (code, about) = second(GET_DOCUMENT_ATTRIBUTES, &[]);
    assert!(code == 0 && text(&about).contains("part-1.txt"), "{}", text(&about));
    assert_eq!(number(&about, "document-state"), 9);
    assert_eq!(of_job(port, GET_DOCUMENT_ATTRIBUTES, job, &[integer("document-number", 4)]).0, 0x0406);
    assert_eq!(second(CANCEL_DOCUMENT, &[]).0, 0x0404, "it is the archive's");
    let (_, jobs) = post(port, &request(GET_JOBS, &[field(0x44, "which-jobs", b"completed")])).expect("answered");
    assert_eq!(jobs.windows(6).filter(|window| *window == b"job-id").count(), 1, "three documents, one job");
    let (code, none) = post(port, &request(GET_JOBS, &[field(0x44, "which-jobs", b"proof-print")])).expect("answered");
    assert!(code == 0 && !text(&none).contains("job-id"));
    // Held, a document is still its sender's: it is named, given up, or let go with the rest.
    let (code, made) = post(port, &request(CREATE_JOB, &[held()])).expect("answered");
    assert_eq!(code, 0);
    let job = number(&made, "job-id");
    for stream in &streams {
        let other = [stream.as_slice(), b"more\n"].concat();
        assert_eq!(send(port, job, &[last(false)], &other), Some(0));
    }
    let numbered = |operation: u16, n: u64, more: Vec<u8>| {
        let mut body = request(operation, &[integer("job-id", job), integer("document-number", n)]);
        body.pop();
        status(port, &[body, vec![9], more, vec![3]].concat())
    };
    assert_eq!(numbered(SET_DOCUMENT_ATTRIBUTES, 1, name("named.txt")), 0);
    assert_eq!(numbered(SET_DOCUMENT_ATTRIBUTES, 1, integer("copies", 2)), 0x0413);
    assert_eq!(item(&server, &admin, job)["file"], "named.txt");
    assert_eq!(of_job(port, CANCEL_DOCUMENT, job, &[integer("document-number", 2)]).0, 0);
    // Nobody closes it: after a while it is as if somebody had.
    until("it is held as a whole", || {
        let about = of_job(port, GET_JOB_ATTRIBUTES, job, &[]).1;
        text(&about).contains("job-hold-until-specified")
    });
    assert_eq!(on_job(port, RELEASE_JOB, job), 0);
    loaded(&server, &admin, 5);
    assert_eq!(state_of(port, job), Some(9));
}

#[test]
fn a_printer_holds_what_is_new_is_shut_down_and_starts_again() {
    let (archive, admin, port) = archive("ipp-new", "operators = [\"127.0.0.1\"]\n");
    let mut server = Server::start(&archive);
    let ask = |operation: u16| status(port, &request(operation, &[]));
    assert_eq!((ask(HOLD_NEW_JOBS), print(port, b"first")), (0, Some(0)));
    assert!(reason(port).contains("hold-new-jobs"));
    server.kill();
    let server = Server::start(&archive);
    assert_eq!((state_of(port, 1), print(port, b"second"), state_of(port, 2)), (Some(4), Some(0), Some(4)));
    assert!(server.json("/api/v1/intake-queues", &admin)["items"][0]["holds_new"] == true);
    assert_eq!(ask(RELEASE_HELD_NEW_JOBS), 0);
    loaded(&server, &admin, 2);
    // Paused after what runs: loads that have begun end.
    assert_eq!((ask(PAUSE_AFTER_CURRENT_JOB), print(port, b"third"), state_of(port, 3)), (0, Some(0), Some(3)));
    assert_eq!((ask(STARTUP_PRINTER), ask(SHUTDOWN_PRINTER)), (0x0404, 0), "it was not shut down before");
    assert!(reason(port).contains("shutdown"));
    assert_eq!((print(port, b"fourth"), ask(CREATE_JOB), ask(RESUME_PRINTER)), (Some(0x0502), 0x0502, 0x0502));
    assert_eq!((ask(STARTUP_PRINTER), print(port, b"fourth")), (0, Some(0)));
    loaded(&server, &admin, 4);
    assert_eq!((ask(PAUSE_PRINTER), print(port, b"fifth"), ask(RESTART_PRINTER)), (0, Some(0), 0));
    loaded(&server, &admin, 5);
    let mut body = request(SET_PRINTER_ATTRIBUTES, &[]);
    body.pop();
    let said = field(0x41, "printer-message-from-operator", b"back at nine");
    assert_eq!(status(port, &[body, vec![4], said, vec![3]].concat()), 0);
    assert!(reason(port).contains("back at nine"));
}

#[test]
fn jobs_that_stand_still_are_put_in_another_order() {
    let (archive, admin, port) = archive("ipp-order", "operators = [\"127.0.0.1\"]\n");
    // One at a time, so that the order shows.
    let settings = std::fs::read_to_string(archive.dir().join("greenbar.toml")).expect("there");
    std::fs::write(archive.dir().join("greenbar.toml"), settings.replace("[capture]\n", "[capture]\nworkers = 1\n"))
        .expect("written");
    let mut server = Server::start(&archive);
    assert_eq!(status(port, &request(PAUSE_PRINTER, &[])), 0);
    for stream in [b"one", b"two", b"thr", b"fou"] {
        assert_eq!(print(port, stream), Some(0));
    }
    let behind =
        |job: u64, other: u64| of_job(port, SCHEDULE_JOB_AFTER, job, &[integer("predecessor-job-id", other)]).0;
    assert_eq!((on_job(port, PROMOTE_JOB, 4), behind(1, 3), behind(1, 1), behind(1, 77)), (0, 0, 0x0400, 0x0406));
    server.kill();
    let server = Server::start(&archive);
    assert_eq!(status(port, &request(RESUME_PRINTER, &[])), 0);
    loaded(&server, &admin, 4);
    let order: Vec<Vec<u8>> = (1..=4).map(|load| original(&server, &admin, load)).collect();
    assert_eq!(order, [b"fou", b"two", b"thr", b"one"], "also by the next process");
    assert_eq!(on_job(port, PROMOTE_JOB, 4), 0x0404, "it is loaded");
}

#[test]
fn the_current_job_is_suspended_and_given_up_and_many_at_once() {
    let (archive, admin, port) = archive("ipp-current", "operators = [\"127.0.0.1\"]\n");
    let server = Server::start(&archive);
    let ask = |operation: u16| status(port, &request(operation, &[]));
    assert_eq!((ask(SUSPEND_CURRENT_JOB), ask(CANCEL_CURRENT_JOB)), (0x0404, 0x0404), "nothing is being received");
    let stream = small_statements(2);
    let job = create(port);
    let mut wire = begin(port, job, stream.len(), &stream[..100]);
    until("it is being received", || state_of(port, job) == Some(5));
    assert_eq!((ask(SUSPEND_CURRENT_JOB), state_of(port, job)), (0, Some(6)));
    wire.write_all(&stream[100..]).expect("sent");
    until("it is taken and held", || item(&server, &admin, job)["state"] == "held");
    assert_eq!(
        (state_of(port, job), on_job(port, RELEASE_JOB, job)),
        (Some(6), 0x0404),
        "an operator's, not its sender's"
    );
    assert_eq!((on_job(port, RESUME_JOB, job), on_job(port, RESUME_JOB, job)), (0, 0x0404));
    loaded(&server, &admin, 1);
    // Given up while it comes: nothing of it is kept.
    let gone = create(port);
    let wire = begin(port, gone, 5_000, b"a beginning");
    until("it is being received", || state_of(port, gone) == Some(5));
    assert_eq!((ask(CANCEL_CURRENT_JOB), state_of(port, gone)), (0, Some(7)));
    drop(wire);
    // Many at once: all that are named, or none; without names those that are nobody's but their sender's.
    let print_held = |user: &str, text: &[u8]| {
        let head = request_by(user, PRINT_JOB, &[held()]);
        number(&post(port, &[head, text.to_vec()].concat()).expect("answered").1, "job-id")
    };
    let (open, anns, bobs) = (create(port), print_held("ann", b"anns"), print_held("bob", b"bobs"));
    let named = |ids: &[u64]| -> Vec<u8> {
        let each = ids.iter().enumerate().map(|(at, id)| integer(if at == 0 { "job-ids" } else { "" }, *id));
        each.collect::<Vec<_>>().concat()
    };
    let many = |operation: u16, ids: &[u64]| status(port, &request(operation, &[named(ids)]));
    assert_eq!((many(CANCEL_MY_JOBS, &[anns, job]), many(CANCEL_MY_JOBS, &[anns, bobs])), (0x0404, 0x0403));
    assert_eq!((many(CANCEL_MY_JOBS, &[anns, 999]), state_of(port, anns)), (0x0406, Some(4)), "all or none");
    assert_eq!((many(CANCEL_MY_JOBS, &[anns]), state_of(port, anns)), (0, Some(7)));
    assert_eq!((ask(CANCEL_JOBS), state_of(port, open), state_of(port, bobs)), (0, Some(7), Some(7)));
    assert_eq!((state_of(port, job), on_job(port, HOLD_JOB, job)), (Some(9), 0x0404), "what is loaded stays");
    assert_eq!(on_job(port, CANCEL_JOB, bobs), 0x0403);
}

#[test]
fn a_job_is_brought_once_more_while_its_bytes_are_here() {
    let (archive, admin, port) = archive("ipp-again", "");
    let settings = std::fs::read_to_string(archive.dir().join("greenbar.toml")).expect("there");
    std::fs::write(archive.dir().join("greenbar.toml"), settings.replace("\"whole\"", "\"wait\"")).expect("written");
    let server = Server::start(&archive);
    assert_eq!(print(port, b"nobody knows this\n"), Some(0));
    until("it is unidentified", || item(&server, &admin, 1)["state"] == "unidentified");
    let (code, made) = of_job(port, REPROCESS_JOB, 1, &[]);
    assert_eq!((code, number(&made, "job-id")), (0, 2));
    until("so is the other", || item(&server, &admin, 2)["state"] == "unidentified");
    assert_eq!(item(&server, &admin, 2)["sha256"], item(&server, &admin, 1)["sha256"]);
    let mut body = request(RESUBMIT_JOB, &[integer("job-id", 1)]);
    body.pop();
    let more = [held(), integer("copies", 3)].concat();
    let (code, made) = post(port, &[body, vec![2], more, vec![3]].concat()).expect("answered");
    assert_eq!((code, state_of(port, number(&made, "job-id"))), (0, Some(4)));
    assert_eq!(item(&server, &admin, 3)["attributes"]["copies"], "3");
    // What is loaded is the archive's.
    assert_eq!(print(port, &small_statements(2)), Some(0));
    until("it is loaded", || item(&server, &admin, 4)["state"] == "loaded");
    assert_eq!(on_job(port, REPROCESS_JOB, 4), 0x0404);
}

#[test]
fn who_is_no_operator_does_nothing_to_a_printer() {
    let (archive, _, port) = archive("ipp-nobody", "");
    let _server = Server::start(&archive);
    let printers = [
        PAUSE_AFTER_CURRENT_JOB,
        HOLD_NEW_JOBS,
        RELEASE_HELD_NEW_JOBS,
        RESTART_PRINTER,
        SHUTDOWN_PRINTER,
        STARTUP_PRINTER,
        CANCEL_CURRENT_JOB,
        SUSPEND_CURRENT_JOB,
        CANCEL_JOBS,
    ];
    for operation in printers {
        assert_eq!(status(port, &request(operation, &[])), 0x0401, "{operation:#x}");
    }
    let job = create(port);
    for operation in [RESUME_JOB, PROMOTE_JOB, SCHEDULE_JOB_AFTER] {
        assert_eq!(on_job(port, operation, job), 0x0401, "{operation:#x}");
    }
}
