//! Runs of what is sent out, over HTTP.

use serde_json::{Value, json};

use super::support::{Reply, World, header};

/// A run that waits for its release: two pieces of 4711 and one of 4712, none of whom wants mail.
const HELD: &str = "[[distribution]]\nname = \"bills\"\nwhen = \"trigger\"\nhold = true\nchannels = [\"mail\"]\n\
    [channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\nattach = true\nsender = \"a@lakes.example\"\n";

const RUN: &str = "/api/v1/distribution/runs/1";

fn world(config: &str) -> World {
    let world = World::new();
    world.add("otto", "operator");
    std::fs::write(world.folder.join("distribution.toml"), config).expect("written");
    let loaded = world.ask("POST", "/api/v1/loads", &[world.key("root")], b"a stream");
    assert!(loaded.status < 300, "{}", loaded.text());
    for _ in 0..200 {
        if world.get("/api/v1/loads/1", &[world.key("root")]).status == 200 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let planned = post(&world, "root", "/api/v1/distribution/runs", &json!({ "distribution": "bills", "loads": [1] }));
    assert_eq!(planned.status, 201, "{}", planned.text());
    world
}

fn post(world: &World, user: &str, path: &str, body: &Value) -> Reply {
    let headers = [world.key(user), header("Content-Type", "application/json")];
    world.ask("POST", path, &headers, body.to_string().as_bytes())
}

#[test]
fn a_piece_goes_to_a_chosen_address_only_by_who_may_and_for_a_reason_that_the_audit_keeps() {
    let world = world(HELD);
    let ask = json!({ "do": "address", "piece": 0, "to": "x@evil.example" });
    let with = json!({ "do": "address", "piece": 0, "to": "x@evil.example", "reason": "asked on the phone" });
    assert_eq!(post(&world, "otto", RUN, &with).status, 403, "an operator may not");
    assert_eq!(post(&world, "root", RUN, &ask).status, 422, "no reason");
    let (cookie, csrf) = world.session("otto");
    let form = format!("csrf={csrf}&run=1&piece=0&do=address&to=x%40evil.example&reason=why");
    assert_eq!(world.ask("POST", "/admin/distribution", &[cookie], form.as_bytes()).status, 403);
    let piece = || world.get(RUN, &[world.key("root")]).json()["reconciliation"]["named"][0].clone();
    assert_eq!((&piece()["to"], &piece()["state"]), (&json!(""), &json!("dead")));
    let refused = world.audit().into_iter().find(|record| record.kind == "distribution readdressed");
    assert_eq!(refused.map(|record| record.who), Some("otto".into()), "what was refused is kept too");
    for none in ["not an address", "a@b.example, c@d.example"] {
        let asked = json!({ "do": "address", "piece": 0, "to": none, "reason": "asked on the phone" });
        let told = post(&world, "root", RUN, &asked);
        assert!(told.status == 422 && told.text().contains("is no mail address"), "{}", told.text());
        let (cookie, csrf) = world.session("root");
        let form = format!("csrf={csrf}&run=1&piece=0&do=address&to={}&reason=why", none.replace(' ', "+"));
        assert_eq!(world.ask("POST", "/admin/distribution", &[cookie], form.as_bytes()).status, 422);
    }
    let sent = post(&world, "root", RUN, &with);
    assert_eq!(sent.status, 200, "{}", sent.text());
    let record =
        world.audit().into_iter().find(|record| record.who == "root" && record.kind == "distribution readdressed");
    let record = record.expect("recorded");
    assert_eq!((record.account.as_str(), record.right.as_str()), ("4711", "address.override"), "{record:?}");
    assert_eq!(record.document.as_deref(), Some("1-1"), "it names the document");
    assert_eq!(record.why, "piece 0 goes to x@evil.example: asked on the phone");
}

#[test]
fn pieces_are_found_and_shown_with_what_is_wrong_and_a_run_is_called_off() {
    let world = world(HELD);
    let get = |user: &str, path: &str| world.get(path, &[world.key(user)]);
    let items = |path: &str| get("otto", &format!("{RUN}/pieces{path}")).json()["items"].as_array().map_or(0, Vec::len);
    assert_eq!((items(""), items("?account=4711"), items("?document=1-2"), items("?state=done")), (3, 2, 1, 0));
    assert_eq!(get("otto", &format!("{RUN}/pieces?state=lost")).status, 422);
    let first = get("otto", &format!("{RUN}/pieces?limit=2")).json();
    assert_eq!(first["next_cursor"], "2");
    assert_eq!(items("?limit=2&cursor=2"), 1);
    assert_eq!(get("otto", "/api/v1/distribution/runs?limit=1").json()["next_cursor"], Value::Null);
    let page = |path: &str| {
        let (cookie, _) = world.session("otto");
        world.get(path, &[cookie]).text()
    };
    let run = page("/admin/distribution?run=1");
    assert!(run.contains("4711") && run.contains("run=1&amp;piece=0"), "{run}");
    assert!(!run.contains("name=\"to\""), "an operator is offered no address");
    assert!(page("/admin/distribution?run=1&account=4712").contains("1-2"));
    assert!(page("/admin/distribution?run=1&piece=0").contains("Nothing came back yet"));
    assert!(get("root", "/health").json()["distribution"].is_null());
    std::fs::write(world.folder.join("distribution.toml"), format!("{HELD}prot = 25\n")).expect("written");
    let wrong = page("/admin/distribution");
    assert!(wrong.contains("Nothing is sent until") && wrong.contains("prot"), "{wrong}");
    assert_eq!(get("root", "/health").json()["distribution"]["ok"], false);
    std::fs::write(world.folder.join("distribution.toml"), HELD).expect("written");
    let cancel = json!({ "do": "cancel", "reason": "wrong prices" });
    assert_eq!(post(&world, "otto", RUN, &cancel).status, 403, "who may close may cancel");
    assert_eq!(post(&world, "root", RUN, &json!({ "do": "cancel" })).status, 409, "no reason");
    assert_eq!(post(&world, "root", RUN, &cancel).json()["state"], "cancelled");
    assert!(
        world
            .audit()
            .iter()
            .any(|record| record.kind == "distribution cancelled" && record.why.contains("wrong prices"))
    );
    assert!(page("/admin/distribution?run=1").contains("wrong prices"));
}

#[test]
fn an_approver_releases_and_signs_what_an_operator_worked_on_and_does_nothing_else() {
    let world = world(HELD);
    world.add("petra", "approver");
    let (otto, petra) =
        (|body: Value| post(&world, "otto", RUN, &body), |body: Value| post(&world, "petra", RUN, &body));
    // What the page offers is what may be done.
    let page = |user: &str, path: &str| {
        let (cookie, _) = world.session(user);
        world.get(path, &[cookie]).text()
    };
    let offered =
        |user: &str, what: &str| page(user, "/admin/distribution?run=1").contains(&format!("value=\"{what}\""));
    assert!(offered("petra", "release") && offered("petra", "cancel") && !offered("petra", "again"));
    assert!(offered("otto", "release") && offered("otto", "again") && !offered("otto", "cancel"));
    assert_eq!(world.get("/admin", &[world.session("petra").0]).status, 200);
    assert_eq!(world.get("/api/v1/documents/1-1", &[world.key("petra")]).status, 403, "no documents");
    for asked in [json!({ "do": "run" }), json!({ "do": "replay", "pieces": [] })] {
        assert_eq!(petra(asked.clone()).status, 403, "{asked}");
    }
    let new = json!({ "distribution": "bills", "loads": [1], "name": "other" });
    assert_eq!(post(&world, "petra", "/api/v1/distribution/runs", &new).status, 403);
    assert_eq!(petra(json!({ "do": "release" })).json()["released_by"], "petra");
    assert!(page("petra", "/admin/distribution").contains("waits for a signature"));
    // Four eyes: not who released it, nor who worked on it, nor an operator at all.
    let sign = json!({ "do": "close", "exception": "they are called" });
    assert_eq!(otto(sign.clone()).status, 403);
    let refused = petra(sign.clone());
    assert!(refused.status == 409 && refused.text().contains("released"), "{}", refused.text());
    world.add("paul", "approver");
    assert_eq!(otto(json!({ "do": "replay", "pieces": [] })).status, 200);
    let refused = post(&world, "root", RUN, &sign);
    assert!(refused.status == 409 && refused.text().contains("worked on"), "who planned it: {}", refused.text());
    let (cookie, csrf) = world.session("paul");
    assert!(page("paul", "/admin/distribution?run=1").contains("name=\"reason\""), "the signature is asked for");
    let form = format!("csrf={csrf}&run=1&do=close&one=1&reason=they+are+called");
    let signed = world.ask("POST", "/admin/distribution", &[cookie], form.as_bytes());
    assert_eq!(signed.status, 303, "{}", signed.text());
    let run = world.get(RUN, &[world.key("paul")]).json()["run"].clone();
    assert_eq!((&run["closed_by"], &run["exception"]), (&json!("paul"), &json!("they are called")), "{run}");
    assert_eq!(run["worked_on_by"], json!(["root", "otto"]));
}

#[test]
fn a_manifest_that_cannot_be_archived_keeps_no_other_and_the_close_is_in_the_audit() {
    let world = world(HELD);
    let runs = "/api/v1/distribution/runs";
    let new = |name: &str| post(&world, "root", runs, &json!({ "distribution": "bills", "loads": [1], "name": name }));
    for bad in ["", "we\nird", "a/b", "load-9", "x".repeat(101).as_str()] {
        assert_eq!(new(bad).status, 422, "{bad:?}");
    }
    let long = "x".repeat(100);
    assert_eq!((new("fail").status, new(&long).status), (201, 201));
    world.add("petra", "approver");
    world.add("paul", "approver");
    for number in [2, 3] {
        let run = format!("{runs}/{number}");
        assert_eq!(post(&world, "petra", &run, &json!({ "do": "release" })).status, 200);
        let closed = post(&world, "paul", &run, &json!({ "do": "close", "exception": "they are called" }));
        assert_eq!(closed.status, 200, "{}", closed.text());
    }
    let audit = world.audit();
    let closed = |key: &str| audit.iter().any(|record| record.kind == "distribution closed" && record.what == key);
    assert!(closed("bills/fail") && closed(&format!("bills/{long}")));
    let form = |user: &str, run: u32, format: &str| {
        world.get(&format!("{runs}/{run}/manifest?format={format}"), &[world.key(user)])
    };
    for (run, format) in [(2, "json"), (2, "csv"), (3, "json"), (3, "pdf")] {
        let got = form("otto", run, format);
        assert_eq!(got.status, 200, "who may read distributions has it: {run} {format} {}", got.text());
    }
    assert!(form("otto", 2, "json").text().starts_with("{\"manifest\":\"bills/fail\""), "also one that waits");
    assert_eq!(
        (form("ann", 2, "csv").status, form("otto", 1, "csv").status, form("otto", 2, "xml").status),
        (403, 409, 422)
    );
    let loads = world.get("/api/v1/loads", &[world.key("root")]).json()["loads"].clone();
    let kept: Vec<(String, String)> = loads
        .as_array()
        .expect("a list")
        .iter()
        .map(|load| (load["file"].to_string(), load["definition"].to_string()))
        .filter(|(file, _)| file.contains("manifest-"))
        .collect();
    assert_eq!(kept.len(), 5, "all but the one that fails: {kept:?}");
    assert!(kept.iter().all(|(_, definition)| definition.contains("distribution-manifest")), "{kept:?}");
}

#[test]
fn a_load_goes_out_again_only_under_a_name_that_somebody_gave() {
    let world = world(HELD);
    let ask = |loads: Value, name: Value| {
        let new = json!({ "distribution": "bills", "loads": loads, "name": name });
        post(&world, "root", "/api/v1/distribution/runs", &new)
    };
    world.ask("POST", "/api/v1/loads", &[world.key("root")], b"another stream");
    for _ in 0..200 {
        if world.get("/api/v1/loads/2", &[world.key("root")]).status == 200 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(ask(json!([1, 1]), Value::Null).status, 200, "one load, named twice");
    for loads in [json!([1, 2]), json!([2, 1])] {
        let refused = ask(loads, Value::Null);
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert!(refused.text().contains("load 1 is in run 1 (bills/load-1) already"), "{}", refused.text());
    }
    let run = ask(json!([2, 1, 2]), json!("again"));
    assert_eq!((run.status, &run.json()["loads"]), (201, &json!([1, 2])), "{}", run.text());
    assert_eq!(ask(json!([1, 2]), json!("again")).status, 200);
    let other = ask(json!([2]), json!("again"));
    assert!(other.status == 409 && other.text().contains("for the loads 1, 2"), "{}", other.text());
    let (cookie, csrf) = world.session("root");
    let plan = |name: &str| {
        let form = format!("csrf={csrf}&do=plan&distribution=bills&loads=2+1&name={name}");
        world.ask("POST", "/admin/distribution", std::slice::from_ref(&cookie), form.as_bytes())
    };
    let refused = plan("");
    assert!(refused.status == 409 && refused.text().contains("in run"), "{}", refused.status);
    assert_eq!(plan("on+paper").status, 303);
    let unknown = post(&world, "root", "/api/v1/distribution/runs", &json!({ "distribution": "bils", "loads": [1] }));
    assert!(unknown.status == 422 && unknown.text().contains("bils"), "{}", unknown.text());
}
