//! Mail over a server that tells what becomes of it (RFC 3461, RFC 3464), and over one that wants to know who sends.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::distribute::{customers, world};
use crate::story::{Archive, checkout, lines};

/// An SMTP server with DSN, its mailbox of notices, and what it took.
struct Server {
    child: Child,
    port: String,
    file: PathBuf,
    maildir: PathBuf,
}

impl Server {
    fn start(archive: &Archive, dsn: &str, account: &[&str]) -> Server {
        let (file, maildir) = (archive.home.path().join("dsn.jsonl"), archive.home.path().join("Maildir"));
        for folder in ["new", "cur", "tmp"] {
            std::fs::create_dir_all(maildir.join(folder)).expect("made");
        }
        let mut child = Command::new("/usr/bin/python3")
            .arg(checkout().join("tests/it/sinks/dsn.py"))
            .args([&file, &maildir])
            .args(account)
            .env("SINK_DSN", dsn)
            .stdout(Stdio::piped())
            .spawn()
            .expect("Debian's python3-aiosmtpd is there (`make setup-test`)");
        let mut port = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut port).expect("it says its port");
        Server { child, port: port.trim().into(), file, maildir }
    }

    fn mails(&self) -> Vec<Value> {
        lines(&std::fs::read(&self.file).unwrap_or_default())
    }

    fn configure(&self, archive: &Archive, more: &str) {
        let (drop, maildir) = (archive.home.path().join("drop"), self.maildir.display());
        let text = format!(
            "public_url = \"https://bills.example.com\"\nretry_s = [0]\nreturned_mail = \"{maildir}\"\n\
             [[distribution]]\nname = \"bills\"\nsince = \"2020-01-01\"\nchannels = [\"mail\", \"paper\"]\n\
             [channel.paper]\nkind = \"folder\"\npath = \"{}\"\npaper = true\n\
             [channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nsender = \"bills@lakes.example\"\n\
             bounce_address = \"bounces@lakes.example\"\nnotices = true\ntimeout_s = 5\n{more}",
            drop.display(),
            self.port
        );
        std::fs::write(archive.dir().join("distribution.toml"), text).expect("written");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pieces(archive: &Archive) -> Vec<Value> {
    let mut all = Vec::new();
    for state in ["planned", "retrying", "done", "dead", "replaced"] {
        all.extend(archive.json(&["distribute", "status", "1", "--state", state]));
    }
    all.sort_by_key(|piece| piece["number"].as_u64());
    all
}

fn proofs(piece: &Value) -> Vec<&str> {
    piece["proofs"].as_array().expect("a list").iter().filter_map(|proof| proof["what"].as_str()).collect()
}

#[test]
fn notices_are_asked_for_where_they_are_offered_and_what_they_say_moves_the_piece() {
    let archive = world("dsn", 3, "");
    customers(&archive, &["ok", "slow", "gone"]);
    let server = Server::start(&archive, "1", &[]);
    server.configure(&archive, "");
    archive.ok(&["distribute", "plan"]);
    archive.ok(&["distribute", "run"]);
    let sent = pieces(&archive);
    let rungs: Vec<_> = sent.iter().map(|piece| piece["piece"]["rung"].as_str().unwrap_or_default()).collect();
    assert_eq!(rungs, ["accepted"; 3], "250 is acceptance, not delivery");
    let mails = server.mails();
    assert_eq!(mails.len(), 3);
    for (mail, piece) in mails.iter().zip(&sent) {
        let asked = &mail["asked"];
        assert_eq!((&asked["RET"], &asked["NOTIFY"]), (&"HDRS".into(), &"SUCCESS,FAILURE,DELAY".into()), "{mail}");
        assert_eq!((&asked["ENVID"], &mail["to"]), (&piece["piece"]["id"], &piece["piece"]["to"]));
    }
    // The notices that came meanwhile are read; who is gone gets paper, and the address counts as failing.
    archive.ok(&["distribute", "run"]);
    let now = pieces(&archive);
    let told = |at: usize| {
        let text = |name: &str| now[at]["piece"][name].as_str().unwrap_or_default().to_string();
        (text("state"), text("rung"), proofs(&now[at]))
    };
    assert_eq!(told(0), ("done".into(), "reached".into(), vec!["delivered"]));
    let (state, rung, mut both) = told(1);
    both.sort_unstable();
    assert_eq!((state.as_str(), rung.as_str(), both), ("done", "reached", vec!["delayed", "delivered"]));
    let (state, rung, mut both) = told(2);
    both.sort_unstable();
    assert_eq!((state.as_str(), rung.as_str(), both), ("replaced", "handed", vec!["bounced", "delayed"]));
    assert!(now[2]["piece"]["said"].as_str().is_some_and(|said| said.contains("550 5.1.1")), "{}", now[2]);
    assert_eq!(
        (&now[3]["piece"]["channel"], &now[3]["piece"]["state"]),
        (&"paper".into(), &"done".into()),
        "{}",
        now[3]
    );
    let sum = archive.json(&["distribute", "status", "1"]).remove(0);
    assert_eq!((&sum["reconciliation"]["balances"], &sum["run"]["state"]), (&true.into(), &"released".into()), "{sum}");
    assert!(sum["closes_at"].is_string(), "mail may still come back: {sum}");
    let left = std::fs::read_dir(server.maildir.join("new")).expect("there").count();
    assert_eq!((left, std::fs::read_dir(server.maildir.join("cur")).expect("there").count()), (0, 5));
}

#[test]
fn a_server_without_notices_is_not_asked_for_any() {
    let archive = world("no-dsn", 1, "");
    customers(&archive, &["ok"]);
    let server = Server::start(&archive, "0", &[]);
    server.configure(&archive, "");
    archive.ok(&["distribute", "plan"]);
    archive.ok(&["distribute", "run"]);
    assert_eq!(server.mails()[0]["asked"], serde_json::json!({}), "it would have been refused");
    assert_eq!(pieces(&archive)[0]["piece"]["rung"], "accepted");
}

#[test]
fn who_has_to_sign_in_waits_without_an_attempt_being_used_up() {
    let archive = world("auth", 1, "");
    customers(&archive, &["ok"]);
    let server = Server::start(&archive, "1", &["lakes", "a secret"]);
    server.configure(&archive, "");
    archive.ok(&["distribute", "plan"]);
    archive.ok(&["distribute", "run"]);
    archive.ok(&["distribute", "run"]);
    let waits = pieces(&archive).remove(0)["piece"].clone();
    assert_eq!((&waits["state"], &waits["attempts"]), (&"retrying".into(), &0.into()), "{waits}");
    let tries = waits["tries"].as_array().expect("kept");
    assert!(tries.len() == 2 && tries.iter().all(|attempt| attempt["came"] == "out-of-order"), "{waits}");
    assert!(tries[0]["said"].as_str().is_some_and(|said| said.contains("530")), "{waits}");
    let file = archive.home.file("password", "not this");
    let user = |file: &std::path::Path| format!("user = \"lakes\"\npassword_file = \"{}\"\n", file.display());
    server.configure(&archive, &user(&file));
    archive.ok(&["distribute", "run"]);
    let waits = pieces(&archive).remove(0)["piece"].clone();
    assert_eq!((&waits["state"], &waits["attempts"]), (&"retrying".into(), &0.into()), "{waits}");
    assert!(waits["said"].as_str().is_some_and(|said| said.contains("signing in") && said.contains("535")), "{waits}");
    server.configure(&archive, &user(&archive.home.file("password", "a secret")));
    archive.ok(&["distribute", "run"]);
    let sent = pieces(&archive).remove(0)["piece"].clone();
    assert_eq!((&sent["state"], &sent["attempts"], sent.get("next_at")), (&"done".into(), &1.into(), None), "{sent}");
    assert_eq!(server.mails().len(), 1);
}
