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
    let sent = post(&world, "root", RUN, &with);
    assert_eq!(sent.status, 200, "{}", sent.text());
    let record = world.audit().into_iter().find(|record| record.who == "root" && record.kind == "distribution readdressed");
    let record = record.expect("recorded");
    assert_eq!((record.account.as_str(), record.right.as_str()), ("4711", "address.override"), "{record:?}");
    assert_eq!(record.document.as_deref(), Some("1-1"), "it names the document");
    assert_eq!(record.why, "piece 0 goes to x@evil.example: asked on the phone");
}
