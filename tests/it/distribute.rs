//! Runs of what is sent out: planned, handed over, reconciled, closed; with real receivers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::mail::Sink;
use crate::story::{Archive, account, checkout, lines, small_statements, text};

/// An archive with statements, an account for each, and this configuration (`{DIR}` is its folder).
pub fn world(purpose: &str, count: usize, config: &str) -> Archive {
    let archive = Archive::new(purpose);
    archive.load(&archive.home.file("s.txt", small_statements(count)), None);
    let drop = archive.home.path().join("drop");
    std::fs::create_dir_all(&drop).expect("made");
    let config = config.replace("{DIR}", drop.to_str().expect("UTF-8"));
    std::fs::write(archive.dir().join("distribution.toml"), config).expect("written");
    archive
}

pub fn status(archive: &Archive, run: &str) -> Value {
    archive.json(&["distribute", "status", run]).remove(0)
}

const DROP: &str = "[[distribution]]\nname = \"drop\"\nsince = \"2020-01-01\"\ndefinitions = [\"great-lakes-statement\"]\nchannels = [\"drop\"]\n\
     format = \"text\"\n[channel.drop]\nkind = \"folder\"\npath = \"{DIR}\"\n";

/// Each file of a folder has its manifest, written last, which says what the file is.
pub fn beside(drop: &Path) {
    let names = std::fs::read_dir(drop).expect("there").flatten().map(|entry| entry.path());
    let is_file = |path: &PathBuf| path.extension().is_some_and(|kind| kind != "sha256" && kind != "json");
    let files: Vec<PathBuf> = names.filter(is_file).collect();
    assert!(!files.is_empty());
    for file in files {
        let of = |ending: &str| PathBuf::from(format!("{}.{ending}", file.display()));
        let written = |path: &Path| path.metadata().and_then(|about| about.modified()).expect("there");
        assert!(written(&file) <= written(&of("sha256")) && written(&of("sha256")) <= written(&of("manifest.json")));
        let told: Value = serde_json::from_slice(&std::fs::read(of("manifest.json")).expect("read")).expect("JSON");
        let sum = std::fs::read_to_string(of("sha256")).expect("read");
        assert!(told["sha256"].as_str().is_some_and(|told| sum.starts_with(told)), "{told}");
        assert_eq!(told["bytes"], file.metadata().expect("there").len(), "{told}");
        assert!(told["pages"].as_u64() > Some(0) && told["documents"][0]["document"].is_string(), "{told}");
    }
}

#[test]
fn a_load_is_planned_once_dropped_with_digests_and_closed_when_it_balances() {
    let archive = world("drop", 20, DROP);
    let planned = archive.json(&["distribute", "plan"]);
    assert_eq!((planned.len(), &planned[0]["planned"]["documents"]), (1, &20.into()), "{planned:?}");
    // Each third statement has two pages.
    assert_eq!(planned[0]["planned"]["pages"], 26);
    assert_eq!(archive.json(&["distribute", "plan"]).len(), 0, "the same run is planned once");
    assert!(archive.fails(&["distribute", "close", "1"]).contains("20 pieces of run 1 are open"));
    archive.ok(&["distribute", "run"]);
    let sum = status(&archive, "1")["reconciliation"].clone();
    assert_eq!((&sum["balances"], &sum["rungs"]["drop"]["completed"]), (&true.into(), &20.into()), "{sum}");
    let drop = archive.home.path().join("drop");
    let sums =
        Command::new("sh").arg("-c").arg("sha256sum -c --quiet *.sha256").current_dir(&drop).output().expect("runs");
    assert!(sums.status.success(), "{}", text(&sums.stderr));
    let names: Vec<_> = std::fs::read_dir(&drop).expect("there").flatten().map(|f| f.file_name()).collect();
    assert_eq!(names.len(), 60, "a file, its digest and its manifest each; nothing temporary is left");
    beside(&drop);
    archive.ok(&["distribute", "close", "1"]);
    assert!(archive.fails(&["distribute", "close", "1"]).contains("closed"));
    let loads = archive.json(&["loads"]);
    let names: Vec<&str> = loads.iter().filter_map(|load| load["file"].as_str()).collect();
    let forms = ["manifest-drop-load-1.jsonl", "manifest-drop-load-1.csv", "manifest-drop-load-1.pdf"];
    assert_eq!(names[1..], forms, "{loads:?}");
    let csv = text(&archive.ok(&["export-load", &loads[2]["load"].to_string()]));
    assert!(csv.lines().count() == 21 && csv.lines().nth(1).is_some_and(|line| line.contains("completed")), "{csv}");
    assert!(archive.ok(&["export-load", &loads[3]["load"].to_string()]).starts_with(b"%PDF"));
    let manifest = &loads[1];
    let out = archive.ok(&["export-load", &manifest["load"].to_string()]);
    let run = status(&archive, "1")["run"].clone();
    assert_eq!(lines(&out).len(), 22, "a head, each piece, the chain");
    assert_eq!(run["manifest"], sha256(&archive, &out).as_str());
    assert_eq!(archive.json(&["distribute", "plan"]).len(), 0, "the manifest is none of its documents");
}

#[test]
fn a_rule_begins_with_the_next_load_and_nobody_is_sent_our_own_manifests() {
    let rule = "[[distribution]]\nname = \"all\"\nchannels = [\"drop\"]\nformat = \"text\"\n\
        [channel.drop]\nkind = \"folder\"\npath = \"{DIR}\"\n";
    let archive = world("begin", 3, rule);
    assert_eq!(archive.json(&["distribute", "plan"]).len(), 0, "the load was there before the rule");
    archive.load(&archive.home.file("two.txt", small_statements(2)), None);
    let planned = archive.json(&["distribute", "plan"]);
    assert_eq!((planned.len(), &planned[0]["loads"]), (1, &serde_json::json!([2])), "{planned:?}");
    archive.ok(&["distribute", "run"]);
    archive.ok(&["distribute", "close", "1"]);
    assert_eq!(archive.json(&["loads"]).len(), 5, "the manifest is archived");
    assert_eq!(archive.json(&["distribute", "plan"]).len(), 0, "and planned by nobody");
    archive.load(&archive.home.file("five.txt", small_statements(5)), None);
    assert_eq!(archive.json(&["distribute", "plan"]).len(), 1);
}

#[test]
fn parts_of_several_reports_wait_for_each_other_and_go_as_one_pdf_behind_a_cover() {
    let rule = "[[distribution]]\nname = \"both\"\nsince = \"2020-01-01\"\nwhen = \"parts\"\nbundle = true\ncover = true\n\
        pages = \"1-1\"\ndefinitions = [\"great-lakes-statement\", \"great-lakes-notice\"]\nchannels = [\"drop\"]\n\
        [channel.drop]\nkind = \"folder\"\npath = \"{DIR}\"\n";
    let archive = world("parts", 3, rule);
    let other = std::fs::read_to_string(checkout().join("indexers/great-lakes-statement.toml")).expect("there");
    let other = other.replacen("name = \"great-lakes-statement\"", "name = \"great-lakes-notice\"", 1);
    let other = archive.home.file("notice.toml", other);
    archive.ok(&["definition", "add", other.to_str().expect("UTF-8")]);
    assert_eq!(archive.json(&["distribute", "plan"]).len(), 0, "the other report is missing");
    archive.load(&archive.home.file("n.txt", small_statements(5)), Some("great-lakes-notice"));
    let run = archive.json(&["distribute", "plan"]).remove(0);
    let planned = &run["planned"];
    assert_eq!(
        (&planned["pieces"], &planned["documents"], &planned["pages"]),
        (&5.into(), &8.into(), &8.into()),
        "{run}"
    );
    assert_eq!(archive.json(&["distribute", "plan"]).len(), 0);
    archive.ok(&["distribute", "run"]);
    assert_eq!(status(&archive, "1")["reconciliation"]["balances"], true);
    let drop = std::fs::read_dir(archive.home.path().join("drop")).expect("there").flatten().map(|file| file.path());
    let files: Vec<PathBuf> = drop.filter(|path| path.extension().is_some_and(|kind| kind == "pdf")).collect();
    let mut pages = Vec::new();
    for file in &files {
        let check = Command::new("qpdf").arg("--check").arg(file).output().expect("qpdf runs");
        assert!(check.status.success(), "{}", text(&check.stdout));
        let read = |args: &[&str]| {
            let out = Command::new("pdftotext").args(args).arg(file).arg("-").output().expect("pdftotext runs");
            text(&out.stdout)
        };
        let (cover, rest) = (read(&["-l", "1"]), read(&["-f", "2"]));
        assert!(cover.contains("Your documents") && cover.contains("Page 2"), "{cover}");
        assert!(!cover.contains("GREAT LAKES") && rest.contains("GREAT LAKES"), "{rest}");
        pages.push(rest.matches("STATEMENT OF ACCOUNT").count());
        assert_eq!(cover.contains("Page 3"), pages.last() == Some(&2), "{cover}");
    }
    pages.sort_unstable();
    assert_eq!(pages, [1, 1, 2, 2, 2], "three accounts have both, two have one");
}

#[test]
fn a_definition_says_who_gets_the_documents_of_each_value_of_a_field() {
    let channels = "[channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\nattach = true\n\
        sender = \"a@lakes.example\"\n[channel.drop]\nkind = \"folder\"\npath = \"{DIR}\"\n";
    let archive = world("burst", 3, channels);
    let source = std::fs::read_to_string(checkout().join("indexers/great-lakes-statement.toml")).expect("there");
    let rule = |more: &str| {
        let name = source.replacen("name = \"great-lakes-statement\"", "name = \"branch-list\"", 1);
        archive
            .home
            .file("branch.toml", format!("{name}\n[[distribution]]\nname = \"day\"\nwhen = \"trigger\"\n{more}\n"))
    };
    let wrong = rule("chanels = [\"drop\"]");
    let said = archive.fails(&["definition", "add", wrong.to_str().expect("UTF-8")]);
    assert!(said.contains("chanels") && said.contains("docs/distribution.md"), "{said}");
    let add = |more: &str| archive.ok(&["definition", "add", rule(more).to_str().expect("UTF-8")]);
    add("burst = \"account\"\ncover = true\nchannels = [\"drop\"]");
    let stream = [small_statements(3), small_statements(2)].concat();
    archive.load(&archive.home.file("b.txt", stream), Some("branch-list"));
    let run = archive.json(&["distribute", "plan", "branch-list-day", "--load", "2"]).remove(0);
    assert_eq!((&run["planned"]["pieces"], &run["planned"]["documents"]), (&3.into(), &5.into()), "{run}");
    archive.ok(&["distribute", "run"]);
    assert_eq!(status(&archive, "1")["reconciliation"]["balances"], true);
    let files = std::fs::read_dir(archive.home.path().join("drop")).expect("there").flatten();
    assert_eq!(files.filter(|file| file.path().extension().is_some_and(|kind| kind == "pdf")).count(), 3);
    // By mail only those whose value has a recipient; the others are named, with their value.
    let account =
        archive.json(&["search", "definition:branch-list"]).remove(0)["account"].as_str().expect("text").to_string();
    add(&format!(
        "burst = \"account\"\ncover = true\nchannels = [\"mail\"]\n[distribution.recipients]\n{account:?} = \"ann@bank.example\""
    ));
    archive.ok(&["distribute", "plan", "branch-list-day", "--load", "2", "--as", "mail"]);
    let named = status(&archive, "2")["reconciliation"]["named"].clone();
    assert_eq!(named.as_array().map(Vec::len), Some(2), "{named}");
    assert!(named[0]["said"].as_str().is_some_and(|said| said.contains("names nobody for account")), "{named}");
}

fn sha256(archive: &Archive, bytes: &[u8]) -> String {
    let file = archive.home.file("hash-me", bytes);
    let out = Command::new("sha256sum").arg(file).output().expect("runs");
    text(&out.stdout).chars().take(64).collect()
}

const LETTERS: &str = "public_url = \"https://bills.example.com\"\nretry_s = [0]\n\
    [[distribution]]\nname = \"bills\"\nsince = \"2020-01-01\"\nchannels = [\"mail\", \"paper\"]\nhold = true\n\
    [[distribution]]\nname = \"mail-only\"\nwhen = \"trigger\"\nchannels = [\"mail\"]\n\
    [channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = PORT\ntls = \"none\"\nsender = \"bills@lakes.example\"\ntimeout_s = 2\n\
    [channel.paper]\nkind = \"folder\"\npath = \"{DIR}\"\npaper = true\n";

/// Customers with accounts and addresses that the sink knows; they want their documents by mail.
pub fn customers(archive: &Archive, locals: &[&str]) {
    use crate::server::{Server, key};
    let root = key(archive, "boss", "administrator", &[]);
    let server = Server::start(archive);
    let bearer = format!("Bearer {root}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let call = |method: &str, path: &str, body: Value| -> Value {
        let (status, _, answer) = server.ask(method, path, &headers, body.to_string().as_bytes());
        assert!(status < 300, "{path}: {status} {}", text(&answer));
        serde_json::from_slice(&answer).expect("JSON")
    };
    for (n, local) in locals.iter().enumerate() {
        let number = account(n + 1);
        call("POST", "/api/v1/accounts", serde_json::json!({ "number": number }));
        let value = format!("{local}@example.com");
        let new = serde_json::json!({ "owner": { "account": number }, "kind": "email", "value": value });
        let point = call("POST", "/api/v1/contact-points", new)["id"].as_str().expect("an id").to_string();
        call("PATCH", &format!("/api/v1/contact-points/{point}"), serde_json::json!({ "verified_by": "code" }));
        let terms = serde_json::json!({ "purpose": "e-delivery", "locale": "en", "text": "You may have paper." });
        let _ = server.ask("POST", "/api/v1/disclosures", &headers, terms.to_string().as_bytes());
        let shown = server.json("/api/v1/disclosures?locale=en", &root);
        let consent = serde_json::json!({ "account": number, "purpose": "e-delivery", "locale": "en", "method": "portal",
            "disclosure_sha256": shown["sha256"], "demonstrated_with": "pdf" });
        let begun = call("POST", "/api/v1/consents", consent);
        let id = begun["id"].as_str().expect("an id");
        let code = serde_json::json!({ "code": begun["demonstration_code"] });
        call("PATCH", &format!("/api/v1/consents/{id}"), code);
        let wish = serde_json::json!({ "way": "email", "contact_point": point });
        call("POST", &format!("/api/v1/accounts/{number}/preferences"), wish);
    }
}

#[test]
fn mail_falls_back_to_paper_and_who_has_no_address_is_named() {
    let archive = world("fallback", 6, "");
    let sink = Sink::start(&archive, "sink");
    customers(&archive, &["ok", "later", "no", "hang"]);
    let drop = archive.home.path().join("drop");
    let config = LETTERS.replace("PORT", &sink.port).replace("{DIR}", drop.to_str().expect("UTF-8"));
    std::fs::write(archive.dir().join("distribution.toml"), config).expect("written");
    let run = archive.json(&["distribute", "plan"]).remove(0);
    assert_eq!((&run["state"], &run["planned"]["pieces"]), (&"held".into(), &6.into()), "{run}");
    archive.ok(&["distribute", "run"]);
    assert_eq!(sink.mails().len(), 0, "nothing leaves before the release");
    archive.ok(&["distribute", "release", "1"]);
    for _ in 0..4 {
        archive.ok(&["distribute", "run"]);
    }
    let sum = status(&archive, "1")["reconciliation"].clone();
    // ok, later and hang by mail; no was refused and went on paper like the two who said nothing.
    assert_eq!(sum["rungs"]["mail"]["accepted"], 3, "{sum}");
    assert_eq!((&sum["rungs"]["paper"]["completed"], &sum["replaced"]), (&3.into(), &1.into()), "{sum}");
    assert_eq!((&sum["balances"], &sum["in_doubt"], &sum["paper_suppressed"]), (&true.into(), &1.into(), &3.into()));
    assert_eq!(sum["named"].as_array().map(Vec::len), Some(1), "the one in doubt is named: {sum}");
    assert_eq!(std::fs::read_dir(&drop).expect("there").count(), 9);
    archive.ok(&["distribute", "close", "1"]);

    let only = archive.json(&["distribute", "plan", "mail-only", "--load", "1"]).remove(0);
    let number = only["number"].to_string();
    archive.ok(&["distribute", "run"]);
    let sum = status(&archive, &number)["reconciliation"].clone();
    assert_eq!(sum["dead"]["pieces"], 3, "no address twice, refused once: {sum}");
    let said: Vec<&str> = sum["named"].as_array().expect("a list").iter().filter_map(|p| p["said"].as_str()).collect();
    assert_eq!(said.iter().filter(|said| said.starts_with("no address")).count(), 2, "{said:?}");
    assert!(archive.fails(&["distribute", "close", &number]).contains("does not balance"));
    archive.ok(&["distribute", "replay", &number]);
    archive.ok(&["distribute", "run"]);
    archive.ok(&["distribute", "close", &number, "--exception", "they are called"]);
    assert_eq!(status(&archive, &number)["run"]["exception"], "they are called");
}

struct Hook {
    child: Child,
    port: String,
    out: PathBuf,
}

impl Drop for Hook {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G";

/// A Python with the public libraries, made once; `None`, after saying so, where PyPI cannot be reached.
fn python() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hook-python");
    let python = folder.join("bin/python");
    let ready = folder.join("ready");
    if !ready.exists() {
        let made =
            Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(&folder).status().is_ok_and(|s| s.success());
        let packages = ["standardwebhooks==1.1.0", "cloudevents==2.2.0"];
        let got = made
            && Command::new(&python)
                .args(["-m", "pip", "install", "-q"])
                .args(packages)
                .status()
                .is_ok_and(|s| s.success());
        if !got {
            eprintln!("skipped: standardwebhooks and cloudevents could not be installed from PyPI");
            return None;
        }
        std::fs::write(&ready, "").expect("written");
    }
    Some(python)
}

/// What npm's libraries say of what the receiver took, a line an event; `None`, after saying so, where they cannot be had.
fn by_npm(taken: &Path) -> Option<Vec<Value>> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hook-npm");
    let ready = folder.join("ready");
    if !ready.exists() {
        std::fs::create_dir_all(&folder).expect("made");
        std::fs::write(folder.join("package.json"), "{\"private\": true}").expect("written");
        let got = Command::new("npm")
            .args(["install", "--silent", "--no-audit", "--no-fund", "standardwebhooks@1.1.1", "cloudevents@10.0.0"])
            .current_dir(&folder)
            .status()
            .is_ok_and(|status| status.success());
        if !got {
            eprintln!("skipped: standardwebhooks and cloudevents could not be installed from npm");
            return None;
        }
        std::fs::write(&ready, "").expect("written");
    }
    let script = checkout().join("tests/it/sinks/hook.mjs");
    let out = Command::new("node").arg(script).arg(SECRET).arg(taken).current_dir(&folder).output().expect("node runs");
    assert!(out.status.success(), "{}", text(&out.stderr));
    Some(crate::story::lines(&out.stdout))
}

fn hook(archive: &Archive) -> Option<Hook> {
    let out = archive.home.path().join("events.jsonl");
    let mut child = Command::new(python()?)
        .arg(checkout().join("tests/it/sinks/hook.py"))
        .args([SECRET, out.to_str().expect("UTF-8")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut port = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut port).expect("it says its port");
    Some(Hook { child, port: port.trim().into(), out })
}

#[test]
fn events_are_taken_by_the_public_libraries_and_nobody_leads_us_into_our_own_network() {
    let archive = world("hook", 5, "");
    let Some(hook) = hook(&archive) else { return };
    let secret = archive.home.file("secret", SECRET);
    let mut config = "retry_s = [0]\n".to_string();
    let at = |path: &str| format!("http://127.0.0.1:{}/{path}", hook.port);
    let hooks = [
        ("no", at("no"), "private = true"),
        ("away", at("away"), "allow = [\"127.0.0.0/8\"]"),
        ("own", "https://127.0.0.1:1/x".into(), ""),
        ("name", "https://localhost:1/x".into(), "allow = [\"10.0.0.0/8\"]"),
    ];
    for (name, url, more) in &hooks {
        config.push_str(&format!(
            "[[distribution]]\nname = \"{name}\"\nwhen = \"trigger\"\nchannels = [\"{name}\"]\nattempts = 2\n\
             [channel.{name}]\nkind = \"webhook\"\nurl = \"{url}\"\nsecret_file = \"{}\"\n{more}\n",
            secret.display()
        ));
    }
    std::fs::write(archive.dir().join("distribution.toml"), config).expect("written");
    for (name, ..) in &hooks {
        archive.ok(&["distribute", "plan", name, "--load", "1"]);
    }
    archive.ok(&["distribute", "run"]);
    for run in ["2", "3", "4"] {
        let named = status(&archive, run)["reconciliation"]["named"].clone();
        assert_eq!(named[0]["state"], "dead", "given up at the first attempt: {named}");
    }
    archive.ok(&["distribute", "run"]);
    assert_eq!(status(&archive, "1")["reconciliation"]["rungs"]["no"]["accepted"], 5);
    let events = lines(&std::fs::read(&hook.out).expect("written"));
    assert_eq!(events.len(), 5);
    assert_eq!(events[0]["type"], "greenbar.document.available.v1");
    assert!(!events[0]["data"].to_string().contains("Person"), "{}", events[0]);
    if let Some(judged) = by_npm(&hook.out.with_extension("jsonl.raw")) {
        assert_eq!(judged, events, "both languages' libraries read the same");
    }
    let said =
        |run: &str| status(&archive, run)["reconciliation"]["named"][0]["said"].as_str().unwrap_or("").to_string();
    assert!(said("2").contains("redirects are not followed"), "{}", said("2"));
    assert!(said("3").contains("127.0.0.1, which lies in the own network"), "{}", said("3"));
    assert!(said("4").contains("localhost leads to ") && said("4").contains("own network"), "{}", said("4"));
}

/// A small generator: the same kills each time.
struct Dice(u64);

impl Dice {
    fn upto(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % (most + 1)
    }
}

#[test]
fn random_kills_lose_nothing_and_repeat_only_what_is_in_doubt() {
    let long = std::env::var_os("GREENBAR_LONG").is_some();
    let (pieces, kills) = if long { (10_000, 1_000) } else { (120, 25) };
    let archive = world("kills", pieces, "");
    let sink = Sink::start(&archive, "sink");
    let config = format!(
        "retry_s = [0]\n[[distribution]]\nname = \"all\"\nsince = \"2020-01-01\"\nchannels = [\"box\"]\nformat = \"text\"\n\
         [channel.box]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nsender = \"b@lakes.example\"\n\
         attach = true\nto = \"print-room@lakes.example\"\n",
        sink.port
    );
    std::fs::write(archive.dir().join("distribution.toml"), config).expect("written");
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for round in 0..kills / 10 + 1 {
        let mut child = archive.command(&["distribute", "plan"]).stdout(Stdio::null()).spawn().expect("starts");
        std::thread::sleep(Duration::from_millis(dice.upto(100 + 20 * round)));
        let _ = child.kill();
        let _ = child.wait();
    }
    archive.ok(&["distribute", "plan"]);
    // Killed a random moment after a random number of mails, so that the kills are spread over the whole run.
    let most = 2 * pieces as u64 / kills - 2;
    let mut killed = 0;
    for _ in 0..kills {
        let enough = sink.taken() + dice.upto(most);
        let mut child = archive.command(&["distribute", "run"]).stdout(Stdio::null()).spawn().expect("starts");
        while sink.taken() < enough && child.try_wait().expect("asked").is_none() {
            std::thread::sleep(Duration::from_micros(300));
        }
        std::thread::sleep(Duration::from_micros(dice.upto(6_000)));
        killed += u64::from(child.try_wait().expect("asked").is_none());
        let _ = child.kill();
        let _ = child.wait();
    }
    eprintln!("{killed} of {kills} killed at work, {} of {pieces} pieces sent by then", sink.taken());
    archive.ok(&["distribute", "run"]);
    archive.ok(&["distribute", "run"]);
    let shown = status(&archive, "1");
    assert_eq!(
        (&shown["reconciliation"]["balances"], &shown["run"]["planned"]["pieces"]),
        (&true.into(), &pieces.into()),
        "{shown}"
    );
    let named = shown["reconciliation"]["named"].as_array().expect("a list").clone();
    let named = named.iter().filter(|piece| piece["in_doubt"] == true);
    let doubtful: Vec<&str> = named.map(|piece| piece["id"].as_str().expect("an id")).collect();
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mail in sink.mails() {
        let data = mail["data"].as_str().expect("text");
        let at = data.find("Message-ID: <").expect("an id") + 13;
        let id = data[at..].chars().take_while(|c| *c != '@').collect();
        seen.entry(id).or_default().push(mail.to_string());
    }
    let twice = seen.values().filter(|mails| mails.len() > 1).count();
    eprintln!("{} pieces in doubt, {twice} came more than once", doubtful.len());
    assert_eq!(seen.len(), pieces, "every piece arrived");
    assert!(doubtful.len() as u64 <= killed, "a kill leaves one piece in doubt, not more: {}", doubtful.len());
    for (id, mails) in &seen {
        let is_doubtful = doubtful.contains(&id.as_str());
        assert!(mails.len() == 1 || is_doubtful, "{id} came {} times and is not in doubt", mails.len());
        assert!(mails.iter().all(|mail| mail == &mails[0]), "each attempt is the same mail");
    }
    archive.ok(&["distribute", "close", "1"]);
}
