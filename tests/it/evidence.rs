//! What becomes of pieces after they were handed over, and that no receiver holds up another.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::distribute::{customers, world};
use crate::mail::{Sink, until};
use crate::server::{Server, key};
use crate::story::{Archive, small_statements};

const SETTINGS: &str = "public_url = \"https://bills.example.com\"\nretry_s = [1]\n\
    [[distribution]]\nname = \"bills\"\nsince = \"2020-01-01\"\nchannels = [\"mail\", \"paper\"]\n\
    definitions = [\"great-lakes-statement\"]\n\
    [channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = PORT\ntls = \"none\"\nsender = \"bills@lakes.example\"\n\
    bounce_address = \"bounces@lakes.example\"\ntimeout_s = WAIT\n\
    [channel.paper]\nkind = \"folder\"\npath = \"{DIR}\"\npaper = true\n";

fn configure(archive: &Archive, sink: &Sink, wait: &str, more: &str) {
    let drop = archive.home.path().join("drop");
    let text = SETTINGS.replace("PORT", &sink.port).replace("WAIT", wait);
    let text = format!("{more}{text}").replace("{DIR}", drop.to_str().expect("UTF-8"));
    std::fs::write(archive.dir().join("distribution.toml"), text).expect("written");
}

fn rungs(server: &Server, root: &str) -> Value {
    let bearer = format!("Bearer {root}");
    let (_, _, body) = server.ask("GET", "/api/v1/distribution/runs/1", &[("Authorization", &bearer)], b"");
    // Before it is planned it is not there.
    let run: Value = serde_json::from_slice(&body).expect("JSON");
    run["reconciliation"]["rungs"].clone()
}

/// The address in the mail to somebody.
fn link(sink: &Sink, to: &str) -> String {
    let mails = sink.mails();
    let mail = mails.iter().find(|mail| mail["to"][0] == to).expect("a mail");
    let mail = mail["data"].as_str().expect("text").replace("=\r\n", "");
    let at = mail.find("https://bills.example.com/d/").expect("a link") + "https://bills.example.com".len();
    mail[at..].chars().take_while(|c| !c.is_whitespace()).collect()
}

#[test]
fn opening_a_link_raises_the_rung_and_looking_at_it_does_not() {
    let archive = world("opened", 2, "");
    let sink = Sink::start(&archive, "sink");
    customers(&archive, &["ok"]);
    let root = key(&archive, "root", "administrator", &[]);
    configure(&archive, &sink, "5", "");
    let server = Server::start(&archive);
    until("both are sent", || {
        rungs(&server, &root)["paper"]["completed"] == 1 && rungs(&server, &root)["mail"]["accepted"] == 1
    });
    let path = link(&sink, "ok@example.com");
    for _ in 0..3 {
        assert_eq!(server.ask("GET", &path, &[], b"").0, 200, "as mail scanners do");
    }
    assert_eq!(rungs(&server, &root)["mail"]["accepted"], 1, "an address that was looked at was not opened");
    for _ in 0..2 {
        assert_eq!(server.ask("POST", &path, &[], b"").0, 200);
    }
    assert_eq!(rungs(&server, &root)["mail"], serde_json::json!({ "opened": 1 }));
    let run = server.json("/api/v1/distribution/runs/1", &root);
    assert_eq!(run["reconciliation"]["balances"], true, "{run}");
}

#[test]
fn a_dead_server_holds_up_neither_planning_nor_other_channels_nor_the_page() {
    let archive = world("slow", 4, "");
    let sink = Sink::start(&archive, "sink");
    customers(&archive, &["hang", "ok"]);
    let root = key(&archive, "root", "administrator", &[]);
    configure(&archive, &sink, "60", "");
    let server = Server::start(&archive);
    until("the mail server keeps us waiting", || sink.mails().iter().any(|mail| mail["to"][0] == "hang@example.com"));
    let begun = Instant::now();
    until("paper of the same run goes out", || rungs(&server, &root)["paper"]["completed"] == 2);
    let load = small_statements(7);
    let headers = [("Authorization", format!("Bearer {root}"))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent = server.ask("POST", "/api/v1/loads?definition=great-lakes-statement", &headers, &load).0;
    assert!(sent < 300, "{sent}");
    until("the next load is planned and its paper goes out", || {
        let runs = server.json("/api/v1/distribution/runs", &root);
        let planned = runs["items"].as_array().is_some_and(|runs| runs.len() == 2);
        planned
            && server.json("/api/v1/distribution/runs/2", &root)["reconciliation"]["rungs"]["paper"]["completed"] == 5
    });
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    assert_eq!(rungs(&server, &root)["mail"]["handing"], 2, "and the mail is still waited for");
}

/// Somebody need not wait for the next attempt, and plans what no rule planned.
#[test]
fn what_waits_for_its_next_attempt_is_tried_at_once_when_somebody_says_so() {
    let archive = world("hasten", 2, "");
    let sink = Sink::start(&archive, "sink");
    customers(&archive, &["later"]);
    let root = key(&archive, "root", "administrator", &[]);
    configure(&archive, &sink, "5", "");
    let file = archive.dir().join("distribution.toml");
    let text = std::fs::read_to_string(&file).expect("read");
    std::fs::write(&file, text.replace("retry_s = [1]", "retry_s = [3600]")).expect("written");
    let server = Server::start(&archive);
    let headers = [("Authorization", format!("Bearer {root}"))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let ask = |path: &str, body: &str| {
        let (status, _, body) = server.ask("POST", path, &headers, body.as_bytes());
        (status, serde_json::from_slice::<Value>(&body).expect("JSON"))
    };
    until("it is put off for an hour", || rungs(&server, &root)["mail"]["retrying"] == 1);
    assert_eq!(ask("/api/v1/distribution/runs/1", r#"{"do": "run"}"#).0, 200);
    until("it is taken", || rungs(&server, &root)["mail"]["accepted"] == 1);
    assert_eq!(ask("/api/v1/distribution/runs/1", r#"{"do": "close"}"#).1["state"], "closed");
    assert_eq!(ask("/api/v1/distribution/runs/1", r#"{"do": "run"}"#).0, 409, "it is over");
    let new = |loads: &str| {
        ask("/api/v1/distribution/runs", &format!(r#"{{"distribution": "bills", "loads": {loads}, "name": "again"}}"#))
    };
    for (wrong, why) in [("[]", "the numbers of the loads"), ("[99]", "there is no load 99")] {
        let (status, said) = new(wrong);
        assert!(status == 422 && said["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{status} {said}");
    }
    let (status, run) = new("[1]");
    assert_eq!((status, &run["key"], &run["planned"]["pieces"]), (201, &"bills/again".into(), &2.into()), "{run}");
    assert_eq!(new("[1]").0, 200, "the same name is planned once");
}

/// A notice as mail servers write it (RFC 3464), for the envelope sender of a mail.
fn notice(sender: &str, action: &str, status: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example\nTo: {sender}\nSubject: notice\nContent-Type: multipart/report;\n\
         \treport-type=delivery-status; boundary=\"B\"\n\n--B\nContent-Type: text/plain\n\nwords\n--B\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; x@example.com\n\
         Action: {action}\nStatus: {status}\nDiagnostic-Code: smtp; 550 {status} said the server\n\n--B--\n"
    )
}

#[test]
fn a_mail_that_comes_back_goes_on_paper_and_its_address_is_not_used_again() {
    let archive = world("bounced", 4, "");
    let sink = Sink::start(&archive, "sink");
    customers(&archive, &["ok1", "ok2", "ok3"]);
    let maildir = archive.home.path().join("Maildir");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(maildir.join(part)).expect("made");
    }
    configure(&archive, &sink, "5", &format!("returned_mail = \"{}\"\n", maildir.display()));
    let status = || crate::distribute::status(&archive, "1")["reconciliation"].clone();
    archive.ok(&["distribute", "plan"]);
    archive.ok(&["distribute", "run"]);
    assert_eq!((&status()["rungs"]["mail"]["accepted"], &status()["balances"]), (&3.into(), &true.into()));
    let sender = |to: &str| {
        let mails = sink.mails();
        let mail = mails.iter().find(|mail| mail["to"][0] == to).expect("a mail").clone();
        mail["from"].as_str().expect("text").to_string()
    };
    let put = |name: &str, text: &str| std::fs::write(maildir.join("new").join(name), text).expect("written");
    put("1.gone", &notice(&sender("ok1@example.com"), "failed", "5.1.1"));
    put("2.there", &notice(&sender("ok2@example.com"), "delivered", "2.0.0"));
    put("3.slow", &notice(&sender("ok3@example.com"), "delayed", "4.4.1"));
    put("4.holiday", "From: ok3@example.com\nTo: bounces@lakes.example\nSubject: I am away\n\nSee you.\n");
    put("5.forged", &notice("bounces+00000000000000000000000000000000@lakes.example", "failed", "5.1.1"));
    archive.ok(&["distribute", "run"]);
    let sum = status();
    // The one that came back stands replaced by paper; the others stay, one of them with a better proof.
    assert_eq!(sum["rungs"]["mail"], serde_json::json!({ "accepted": 1, "handed": 1, "reached": 1 }), "{sum}");
    assert_eq!((&sum["rungs"]["paper"]["completed"], &sum["replaced"]), (&2.into(), &1.into()), "{sum}");
    assert_eq!(sum["balances"], true, "{sum}");
    let mut seen: Vec<String> = std::fs::read_dir(maildir.join("cur"))
        .expect("there")
        .flatten()
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect();
    seen.sort();
    assert_eq!(seen, ["1.gone:2,S", "2.there:2,S", "3.slow:2,S", "4.holiday:2,F", "5.forged:2,F"]);
    // The same notice again changes nothing.
    put("6.again", &notice(&sender("ok1@example.com"), "failed", "5.1.1"));
    archive.ok(&["distribute", "run"]);
    assert_eq!(status(), sum);
    archive.ok(&["distribute", "close", "1"]);
    // After closing nothing is edited; the proof stands beside it.
    put("7.late", &notice(&sender("ok3@example.com"), "failed", "5.2.2"));
    archive.ok(&["distribute", "run"]);
    let late = status();
    assert_eq!((&late["later"], &late["rungs"]), (&serde_json::json!({ "bounced": 1 }), &sum["rungs"]), "{late}");
    // The address that is gone is not written to by the next run.
    archive.load(&archive.home.file("next.txt", small_statements(1)), None);
    let before = sink.mails().len();
    archive.ok(&["distribute", "plan"]);
    archive.ok(&["distribute", "run"]);
    assert_eq!(sink.mails().len(), before, "ok1 has no usable address now");
}

#[test]
fn a_link_to_several_documents_shows_a_page_first_and_then_one_zip_file() {
    let archive = world("zip", 3, "");
    let sink = Sink::start(&archive, "sink");
    customers(&archive, &["ok"]);
    archive.load(&archive.home.file("more.txt", small_statements(4)), None);
    configure(&archive, &sink, "5", "");
    let path = archive.dir().join("distribution.toml");
    let text = std::fs::read_to_string(&path)
        .expect("there")
        .replace("name = \"bills\"", "name = \"bills\"\nbundle = true\nwhen = \"trigger\"");
    std::fs::write(&path, text.replace("channels = [\"mail\", \"paper\"]", "channels = [\"mail\"]")).expect("written");
    archive.ok(&["distribute", "plan", "bills", "--load", "1", "--load", "2"]);
    archive.ok(&["distribute", "run"]);
    let server = Server::start(&archive);
    let path = link(&sink, "ok@example.com");
    for _ in 0..5 {
        let (status, head, body) = server.ask("GET", &path, &[], b"");
        let page = crate::story::text(&body);
        assert!(status == 200 && head.contains("text/html") && page.contains("2 documents"), "{status} {page}");
    }
    let (status, head, body) = server.ask("POST", &path, &[], b"");
    assert!(status == 200 && head.contains("application/zip") && head.contains("attachment"), "{status} {head}");
    let file = archive.home.file("got.zip", &body);
    let list = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; \
                print(*[z.read(n)[:4].decode() for n in z.namelist()])";
    let out = std::process::Command::new("/usr/bin/python3").args(["-c", list]).arg(file).output().expect("runs");
    assert_eq!(crate::story::text(&out.stdout).trim(), "%PDF %PDF", "{}", crate::story::text(&out.stderr));
}

#[test]
fn a_run_that_balances_is_closed_by_the_server_and_its_manifest_is_archived() {
    let archive = world("books", 2, "");
    let root = key(&archive, "root", "administrator", &[]);
    let drop = archive.home.path().join("drop");
    let text = format!(
        "[[distribution]]\nname = \"bills\"\nsince = \"2020-01-01\"\nchannels = [\"paper\"]\nclose_after_h = 0\n\
         [channel.paper]\nkind = \"folder\"\npath = \"{}\"\npaper = true\n",
        drop.display()
    );
    std::fs::write(archive.dir().join("distribution.toml"), text).expect("written");
    let server = Server::start(&archive);
    let run = || {
        let bearer = format!("Bearer {root}");
        let (_, _, body) = server.ask("GET", "/api/v1/distribution/runs/1", &[("Authorization", &bearer)], b"");
        serde_json::from_slice::<Value>(&body).expect("JSON")["run"].clone()
    };
    until("it is closed", || run()["state"] == "closed");
    assert_eq!((&run()["closed_by"], &run()["exception"]), (&"greenbar".into(), &"".into()), "{}", run());
    until("the three forms of its manifest are archived", || {
        server.json("/api/v1/loads", &root)["loads"].as_array().map(Vec::len) == Some(4)
    });
    let records = server.json("/api/v1/audit?kind=distribution+closed", &root)["records"].clone();
    assert_eq!((&records[0]["who"], &records[0]["why"]), (&"system:close-balanced".into(), &"it balances".into()));
}
