//! Queues and their printers: which definition a queue is for and what the job says of a document; what senders change of their
//! jobs and operators of a printer, over IPP and on the administrator's side; what subscribers hear of it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::capture::{configure, loaded, lpd, port, run};
use crate::ipp::{
    CANCEL_JOB, CREATE_JOB, GET_JOB_ATTRIBUTES, PRINT_JOB, create, field, integer, last, number, post, print, request,
    request_by, send, state_of,
};
use crate::server::{Server, key};
use crate::story::{Archive, small_statements, text};

const HOLD_JOB: u16 = 0x0C;
const RELEASE_JOB: u16 = 0x0D;
const RESTART_JOB: u16 = 0x0E;
const PAUSE_PRINTER: u16 = 0x10;
const RESUME_PRINTER: u16 = 0x11;
const PURGE_JOBS: u16 = 0x12;
const SET_PRINTER_ATTRIBUTES: u16 = 0x13;
const SET_JOB_ATTRIBUTES: u16 = 0x14;
const GET_PRINTER_SUPPORTED_VALUES: u16 = 0x15;
const CREATE_PRINTER_SUBSCRIPTIONS: u16 = 0x16;
const GET_SUBSCRIPTION_ATTRIBUTES: u16 = 0x18;
const GET_SUBSCRIPTIONS: u16 = 0x19;
const RENEW_SUBSCRIPTION: u16 = 0x1A;
const CANCEL_SUBSCRIPTION: u16 = 0x1B;
const GET_NOTIFICATIONS: u16 = 0x1C;
const ENABLE_PRINTER: u16 = 0x22;
const DISABLE_PRINTER: u16 = 0x23;
const GET_PRINTER_ATTRIBUTES: u16 = 0x0B;

const JOB: u8 = 2;
const PRINTER: u8 = 4;
const SUBSCRIPTION: u8 = 6;

/// The text of an attribute in an answer; empty when it is not told.
fn word(reply: &[u8], name: &str) -> String {
    let Some(at) = reply.windows(name.len()).position(|window| window == name.as_bytes()) else { return String::new() };
    let at = at + name.len();
    let length = usize::from(u16::from_be_bytes([reply[at], reply[at + 1]]));
    text(&reply[at + 2..at + 2 + length])
}

/// A request with one more group behind the operation's.
fn with_group(mut request: Vec<u8>, group: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
    assert_eq!(request.pop(), Some(3));
    [request, vec![group], attributes.concat(), vec![3]].concat()
}

fn status(port: u16, body: &[u8]) -> u16 {
    post(port, body).expect("answered").0
}

fn on_job(port: u16, operation: u16, job: u64, more: &[Vec<u8>]) -> u16 {
    status(port, &request(operation, &[&[integer("job-id", job)], more].concat()))
}

fn hold_until(word: &str) -> Vec<u8> {
    field(0x44, "job-hold-until", word.as_bytes())
}

fn print_held(port: u16, stream: &[u8]) -> u64 {
    let (status, reply) =
        post(port, &[request(PRINT_JOB, &[hold_until("indefinite")]), stream.to_vec()].concat()).expect("answered");
    assert_eq!(status, 0);
    number(&reply, "job-id")
}

fn told(port: u16, attribute: &str) -> String {
    word(&post(port, &request(GET_PRINTER_ATTRIBUTES, &[])).expect("answered").1, attribute)
}

fn states(server: &Server, admin: &str) -> Vec<String> {
    let items = server.json("/api/v1/intake", admin)["items"].as_array().expect("a list").clone();
    items.iter().rev().map(|item| item["state"].as_str().expect("a state").to_string()).collect()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn audited(server: &Server, admin: &str, kind: &str) -> Vec<(String, String)> {
    let records = server.json(&format!("/api/v1/audit?kind={kind}"), admin)["records"].clone();
    let text = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_string();
    records.as_array().expect("a list").iter().map(|record| (text(record, "who"), record.to_string())).collect()
}

#[test]
fn a_queue_names_the_definition_and_what_the_job_says_becomes_fields() {
    let archive = Archive::new("job-fields");
    let admin = key(&archive, "root", "administrator", &[]);
    let names = ["receiver", "queue", "peer", "user", "file", "job-name", "class", "title", "copies", "account"];
    let field_of = |name: &&str| format!("[[field]]\nname = \"{}\"\njob = \"{name}\"\n", name.replace('-', "_"));
    let definition = format!(
        "name = \"night-list\"\ntitle = \"Night list\"\nkind = \"report\"\nread = \"auto\"\n[document]\nstart = \"stream\"\n{}",
        names.iter().map(field_of).collect::<String>()
    );
    archive.ok(&["definition", "add", archive.home.file("night.toml", definition).to_str().expect("UTF-8")]);
    let (spool, ipp_port) = (port(), port());
    let settings = format!(
        "[capture.lpd]\nlisten = \"127.0.0.1:{spool}\"\n[capture.ipp]\nlisten = \"127.0.0.1:{ipp_port}\"\n\
         [[capture.queue]]\nname = \"NIGHT\"\ndefinition = \"night-list\"\n[[capture.queue]]\nname = \"Q\"\ndefinition = \"night-list\"\n"
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    let file = archive.home.file("stock.txt", "STOCK LIST\nSCREWS 12\n");
    let (number, path) = (spool.to_string(), file.to_str().expect("UTF-8"));
    let said = ["-J", "night run", "-C", "B", "-T", "Stock", "-U", "ann"];
    let args = [&["-N", "--port", &number, "-H", "127.0.0.1", "-P", "night"][..], &said, &[path]].concat();
    let out = run("rlpr", &args);
    assert!(out.status.success(), "{}", text(&out.stderr));
    loaded(&server, &admin, 1);
    let of_job = [field(0x42, "job-name", b"by IPP"), field(0x42, "job-account-id", b"4711"), integer("copies", 3)];
    assert_eq!(status(ipp_port, &[request(PRINT_JOB, &of_job), b"STOCK LIST\nNAILS 9\n".to_vec()].concat()), 0);
    loaded(&server, &admin, 2);
    drop(server);
    let mut hits = archive.search("definition:night-list");
    hits.sort_by_key(|hit| hit["load"].as_u64());
    let of = |at: usize| {
        names.map(|name| hits[at]["fields"][name.replace('-', "_")].as_str().unwrap_or_default().to_string())
    };
    assert_eq!(
        of(0),
        ["lpd", "night", "127.0.0.1", "ann", "stock.txt", "night run", "B", "Stock", "", ""],
        "what rlpr said: {}",
        hits[0]
    );
    assert_eq!(of(1), ["ipp", "Q", "127.0.0.1", "ann", "by IPP", "by IPP", "", "", "3", "4711"], "{}", hits[1]);
}

#[test]
fn a_job_that_is_sent_twice_at_the_same_moment_is_one_arrival() {
    let archive = Archive::new("same-moment");
    let admin = key(&archive, "root", "administrator", &[]);
    let spool = port();
    configure(&archive, &format!("[capture]\nunknown = \"wait\"\n[capture.lpd]\nlisten = \"127.0.0.1:{spool}\"\n"));
    let server = Server::start(&archive);
    let stream = b"STOCK LIST OF THE SAME MOMENT\n\0".as_slice();
    let head = format!("\x03{} dfA007host\n", stream.len() - 1);
    let send = || lpd(spool, &[b"\x02Q\n", head.as_bytes(), stream]);
    let answers: Vec<Option<u8>> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|sender| sender.join().expect("no panic")).collect()
    });
    assert_eq!(answers, [Some(0); 8], "each hears yes");
    let items = server.json("/api/v1/intake", &admin)["items"].clone();
    assert_eq!((items.as_array().map(Vec::len), &items[0]["repeats"]), (Some(1), &7.into()), "{items}");
}

#[test]
fn senders_hold_their_own_jobs_let_them_go_and_give_them_up() {
    let archive = Archive::new("ipp-hold");
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    configure(&archive, &format!("[capture]\nunknown = \"wait\"\n[capture.ipp]\nlisten = \"127.0.0.1:{port}\"\n"));
    let mut server = Server::start(&archive);
    let job = print_held(port, &small_statements(2));
    assert_eq!(state_of(port, job), Some(4));
    // What was taken is durable also while it is held, and stays held.
    server.kill();
    let server = Server::start(&archive);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((state_of(port, job), states(&server, &admin)), (Some(4), vec!["held".to_string()]));
    let by_bob = |operation: u16| status(port, &request_by("bob", operation, &[integer("job-id", job)]));
    assert_eq!((by_bob(RELEASE_JOB), by_bob(CANCEL_JOB), by_bob(HOLD_JOB)), (0x0403, 0x0403, 0x0403), "it is ann's");
    assert_eq!((on_job(port, HOLD_JOB, job, &[]), on_job(port, RELEASE_JOB, job, &[])), (0, 0));
    loaded(&server, &admin, 1);
    assert_eq!((state_of(port, job), on_job(port, HOLD_JOB, job, &[])), (Some(9), 0x0404), "it is over");
    // Held before its document came, and given up.
    let job = create(port);
    let set = |attributes: &[Vec<u8>]| {
        status(port, &with_group(request(SET_JOB_ATTRIBUTES, &[integer("job-id", job)]), JOB, attributes))
    };
    assert_eq!((set(&[]), set(&[integer("copies", 2)]), set(&[hold_until("night")])), (0x0400, 0x0413, 0x040B));
    assert_eq!(set(&[hold_until("indefinite")]), 0);
    assert_eq!(send(port, job, &[last(true)], &small_statements(3)), Some(0));
    assert_eq!((state_of(port, job), on_job(port, CANCEL_JOB, job, &[])), (Some(4), 0));
    assert_eq!((state_of(port, job), on_job(port, RELEASE_JOB, job, &[])), (Some(7), 0x0404));
    // What an operator let go is not the sender's to give up.
    let job = print_held(port, &small_statements(4));
    let path = format!("/api/v1/intake/{job}/release");
    assert_eq!(server.ask("POST", &path, &[("Authorization", &format!("Bearer {admin}"))], b"").0, 200);
    loaded(&server, &admin, 2);
    assert_eq!((on_job(port, CANCEL_JOB, job, &[]), on_job(port, RESTART_JOB, job, &[])), (0x0404, 0x0404));
    // What nobody knew is tried again.
    assert_eq!(print(port, b"something that nobody knows\n"), Some(0));
    let about = || post(port, &request(GET_JOB_ATTRIBUTES, &[integer("job-id", job + 1)])).expect("answered").1;
    let is_unknown = || word(&about(), "job-state-reasons") == "job-completed-with-warnings";
    until("it is unidentified", is_unknown);
    assert_eq!(on_job(port, RESTART_JOB, job + 1, &[]), 0);
    until("it is unidentified again", is_unknown);
    let item = server.json(&format!("/api/v1/intake/{}", job + 1), &admin);
    let steps: Vec<&str> =
        item["history"].as_array().expect("a list").iter().filter_map(|step| step["what"].as_str()).collect();
    assert_eq!(steps, ["unidentified", "retried", "unidentified"], "{item}");
    for kind in ["intake-release", "intake-discard", "intake-retry"] {
        let records = audited(&server, &admin, kind);
        assert!(records.iter().any(|(who, _)| who == "ipp:ann"), "{kind}: {records:?}");
    }
}

#[test]
fn an_operator_pauses_closes_and_describes_a_printer_and_nobody_else_does() {
    let archive = Archive::new("ipp-operators");
    let admin = key(&archive, "root", "administrator", &[]);
    let (ipp, spool, raw) = (port(), port(), port());
    let settings = |operators: &str| {
        format!(
            "[capture]\nunknown = \"whole\"\n[capture.ipp]\nlisten = \"127.0.0.1:{ipp}\"\n{operators}\
             [capture.lpd]\nlisten = \"127.0.0.1:{spool}\"\n\
             [[capture.raw]]\nlisten = \"127.0.0.1:{raw}\"\nqueue = \"Q\"\n\
             [[capture.folder]]\npath = \"in\"\nqueue = \"Q\"\nstable_s = 0\nevery_s = 1\n"
        )
    };
    configure(&archive, &settings(""));
    let server = Server::start(&archive);
    for operation in [PAUSE_PRINTER, RESUME_PRINTER, PURGE_JOBS, ENABLE_PRINTER, DISABLE_PRINTER] {
        assert_eq!(status(ipp, &request(operation, &[])), 0x0401, "{operation:#x}: nobody is an operator");
    }
    drop(server);
    configure(&archive, &settings("operators = [\"127.0.0.1\"]\n"));
    let mut server = Server::start(&archive);
    let job: &[&[u8]] = &[b"\x02q\n", b"\x035 dfA001host\n", b"first\0"];
    // Paused: what comes for the queue is taken and held, by whatever way, and also by the next process.
    assert_eq!(status(ipp, &request(PAUSE_PRINTER, &[])), 0);
    assert_eq!(
        (told(ipp, "printer-state-reasons").as_str(), lpd(spool, job), print(ipp, b"second")),
        ("paused", Some(0), Some(0))
    );
    server.kill();
    let server = Server::start(&archive);
    assert_eq!((print(ipp, b"third"), states(&server, &admin)), (Some(0), vec!["held".to_string(); 3]));
    assert_eq!(state_of(ipp, 2), Some(3), "a job of a printer that stands still is pending");
    assert_eq!(on_job(ipp, HOLD_JOB, 2, &[]), 0);
    let path = "/api/v1/intake-queues";
    let switch = |what: &str, queue: &str| {
        let body = json!({ "queue": queue, "do": what }).to_string();
        let (status, _, answer) =
            server.ask("POST", path, &[("Authorization", &format!("Bearer {admin}"))], body.as_bytes());
        (status, serde_json::from_slice::<Value>(&answer).expect("JSON"))
    };
    // The administrator's side sees it and lets it go on: all but the one that its sender holds.
    assert_eq!(server.json(path, &admin)["items"][0]["paused"], true);
    let (code, now) = switch("resume", "q");
    assert_eq!((code, &now["changed"], &now["queue"]["paused"]), (200, &2.into(), &false.into()), "{now}");
    loaded_of(&server, &admin, 2);
    assert_eq!((state_of(ipp, 2), on_job(ipp, RELEASE_JOB, 2, &[])), (Some(4), 0));
    loaded(&server, &admin, 3);
    // Closed: nobody is told yes.
    assert_eq!(status(ipp, &request(DISABLE_PRINTER, &[])), 0);
    assert_eq!(
        (print(ipp, b"fourth"), status(ipp, &request(CREATE_JOB, &[])), lpd(spool, job)),
        (Some(0x0506), 0x0506, Some(1))
    );
    assert!(raw_is_refused(raw, b"fifth"));
    let file = archive.dir().join("in/sixth.txt");
    std::fs::write(&file, "sixth").expect("written");
    std::thread::sleep(Duration::from_millis(2_500));
    assert!(file.exists() && states(&server, &admin).len() == 3, "it stays where it is");
    assert_eq!(switch("open", "Q").0, 200);
    assert_eq!(print(ipp, b"fourth"), Some(0));
    loaded(&server, &admin, 5);
    assert_eq!((switch("stop", "Q").0, switch("pause", "a b").0), (422, 422));
    // Described.
    let set =
        |attributes: &[Vec<u8>]| status(ipp, &with_group(request(SET_PRINTER_ATTRIBUTES, &[]), PRINTER, attributes));
    let place = |text: &str| field(0x41, "printer-location", text.as_bytes());
    assert_eq!(
        (set(&[]), set(&[integer("copies-default", 2)]), set(&[place(&"x".repeat(128))])),
        (0x0400, 0x040B, 0x040B)
    );
    assert_eq!(set(&[place("cellar"), field(0x41, "printer-name", b"x")]), 0x0413);
    assert_eq!((told(ipp, "printer-location").as_str(), set(&[place("cellar")])), ("", 0), "all or nothing");
    assert_eq!(
        (told(ipp, "printer-location").as_str(), told(ipp, "printer-info").as_str()),
        ("cellar", "greenbar archive, queue Q")
    );
    let (code, reply) = post(ipp, &request(GET_PRINTER_SUPPORTED_VALUES, &[])).expect("answered");
    assert!(code == 0 && text(&reply).contains("printer-location"));
    // Emptied of what has no document; what was received stays.
    let open = create(ipp);
    assert_eq!((status(ipp, &request(PURGE_JOBS, &[])), state_of(ipp, open)), (0, Some(7)));
    assert_eq!(state_of(ipp, 2), Some(9));
    let records = audited(&server, &admin, "intake-queue");
    assert!(records.iter().any(|(who, record)| who == "ipp:ann" && record.contains("queue Q: pause")), "{records:?}");
    assert!(records.iter().any(|(who, record)| who == "root" && record.contains("queue Q: resume")), "{records:?}");
}

/// Waits for so many loads, whatever else is held.
fn loaded_of(server: &Server, admin: &str, loads: usize) {
    until("they are loaded", || server.json("/api/v1/loads", admin)["loads"].as_array().map(Vec::len) == Some(loads));
}

/// A raw sender sees its connection reset.
fn raw_is_refused(port: u16, stream: &[u8]) -> bool {
    use std::io::{Read, Write};
    let mut wire = std::net::TcpStream::connect(("127.0.0.1", port)).expect("connects");
    // The reset is told once, by whichever call meets it first.
    let sent = wire.write_all(stream).and_then(|()| wire.shutdown(std::net::Shutdown::Write));
    wire.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    let read = wire.read_to_end(&mut Vec::new());
    sent.is_err() || read.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
}

#[test]
fn subscribers_hear_of_printer_and_jobs_when_they_ask() {
    let archive = Archive::new("ipp-events");
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    configure(&archive, &format!("[capture]\nunknown = \"whole\"\n[capture.ipp]\nlisten = \"127.0.0.1:{port}\"\n"));
    let server = Server::start(&archive);
    let pull = field(0x44, "notify-pull-method", b"ippget");
    let events = |names: &[&str]| {
        let named =
            |(at, name): (usize, &&str)| field(0x44, if at == 0 { "notify-events" } else { "" }, name.as_bytes());
        names.iter().enumerate().map(named).collect::<Vec<_>>().concat()
    };
    let subscribe = |attributes: &[Vec<u8>]| {
        post(port, &with_group(request(CREATE_PRINTER_SUBSCRIPTIONS, &[]), SUBSCRIPTION, attributes)).expect("answered")
    };
    let to = field(0x45, "notify-recipient-uri", b"mailto:ann@example.com");
    assert_eq!(
        (subscribe(&[to]).0, subscribe(&[]).0, subscribe(&[pull.clone(), events(&["paper-out"])]).0),
        (0x0414, 0x0414, 0x0414)
    );
    let data = field(0x30, "notify-user-data", b"\0\xFFmine");
    let (code, reply) = subscribe(&[pull.clone(), events(&["printer-state-changed", "job-state-changed"]), data]);
    assert_eq!((code, number(&reply, "notify-lease-duration")), (0, 86_400));
    let id = number(&reply, "notify-subscription-id");
    let of = |operation: u16| request(operation, &[integer("notify-subscription-id", id)]);
    let hear = |first: u64| {
        let asked = [integer("notify-subscription-ids", id), integer("notify-sequence-numbers", first)];
        let (code, reply) = post(port, &request(GET_NOTIFICATIONS, &asked)).expect("answered");
        assert_eq!(code, 0);
        let count = reply.windows(23).filter(|window| *window == b"notify-subscribed-event").count();
        (count, text(&reply))
    };
    assert_eq!(hear(1).0, 0);
    // What an operator does on a page is heard of, too.
    let pause = json!({ "queue": "Q", "do": "pause" }).to_string();
    let sent =
        server.ask("POST", "/api/v1/intake-queues", &[("Authorization", &format!("Bearer {admin}"))], pause.as_bytes());
    assert_eq!(sent.0, 200);
    let (count, said) = hear(1);
    assert!(count == 1 && said.contains("paused") && said.contains("mine"), "{said}");
    assert_eq!((hear(2).0, print(port, b"a document")), (0, Some(0)));
    assert!(hear(2).0 == 1 && hear(2).1.contains("printer-stopped"), "the job is made, and waits: {}", hear(2).1);
    let job = create(port);
    assert_eq!(on_job(port, CANCEL_JOB, job, &[]), 0);
    assert_eq!(hear(3).0, 2, "made, and over");
    // Nobody else sees it.
    let others = |user: &str| {
        status(port, &request_by(user, GET_SUBSCRIPTION_ATTRIBUTES, &[integer("notify-subscription-id", id)]))
    };
    assert_eq!((others("bob"), others("ann")), (0x0406, 0));
    let (code, list) = post(port, &request(GET_SUBSCRIPTIONS, &[])).expect("answered");
    assert_eq!((code, number(&list, "notify-subscription-id")), (0, id));
    let renew =
        request(RENEW_SUBSCRIPTION, &[integer("notify-subscription-id", id), integer("notify-lease-duration", 0)]);
    assert_eq!(number(&post(port, &renew).expect("answered").1, "notify-lease-duration"), 604_800, "none without end");
    assert_eq!((status(port, &of(CANCEL_SUBSCRIPTION)), status(port, &of(CANCEL_SUBSCRIPTION))), (0, 0x0406));
    // With a job: it ends with it.
    let with_job = with_group(request(CREATE_JOB, &[]), SUBSCRIPTION, &[pull, events(&["job-completed"])]);
    let (code, reply) = post(port, &with_job).expect("answered");
    let (job, id) = (number(&reply, "job-id"), number(&reply, "notify-subscription-id"));
    assert_eq!((code, on_job(port, CANCEL_JOB, job, &[])), (0, 0));
    let asked = [integer("notify-subscription-ids", id)];
    let (code, reply) = post(port, &request(GET_NOTIFICATIONS, &asked)).expect("answered");
    assert!(code == 0 && number(&reply, "notify-job-id") == job && number(&reply, "job-state") == 7);
}
