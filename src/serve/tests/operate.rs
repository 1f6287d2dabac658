//! What an operator does with arrivals: finds, looks, names, tries again, gives up; rules; taking loads out.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::{Reply, World, header};
use crate::capture::config::FolderConfig;

/// A world with a watched folder, and an operator `op`.
fn world() -> World {
    let world = World::with(|config| {
        config.capture.folder.push(FolderConfig {
            path: config.data.join("in"),
            queue: Some("NIGHT".into()),
            files: Vec::new(),
            done_marker: None,
            stable_s: 0,
            every_s: 1,
        });
    });
    world.add("op", "operator");
    world.add("eve", "auditor");
    world
}

impl World {
    fn arrives(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.join("in").join(name), bytes).expect("written");
    }

    fn told(&self, path: &str, who: &str) -> Value {
        let reply = self.get(path, &[self.key(who)]);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json()
    }

    fn tell(&self, path: &str, who: &str, body: &Value) -> Reply {
        let headers = [self.key(who), header("Content-Type", "application/json")];
        self.ask("POST", path, &headers, body.to_string().as_bytes())
    }

    /// Waits until an arrival is in a state; returns it.
    fn becomes(&self, id: u64, state: &str) -> Value {
        let started = Instant::now();
        loop {
            let reply = self.get(&format!("/api/v1/intake/{id}"), &[self.key("op")]);
            if reply.status == 200 && reply.json()["state"] == state {
                return reply.json();
            }
            assert!(started.elapsed() < Duration::from_secs(15), "{state} is waited for: {}", reply.text());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn recorded(&self, kind: &str) -> Vec<(String, String, String)> {
        let all = self.audit().into_iter().filter(|record| record.kind == kind);
        all.map(|record| (record.who, record.what, record.why)).collect()
    }
}

#[test]
fn what_nobody_knows_waits_is_looked_at_named_loaded_and_taken_out_again() {
    let world = world();
    world.arrives("list.txt", b"NEW stream");
    let item = world.becomes(1, "unidentified");
    assert_eq!(
        (&item["file"], &item["queue"], &item["receiver"]),
        (&"list.txt".into(), &"NIGHT".into(), &"folder".into())
    );
    assert_eq!(item["history"][0]["what"], "unidentified", "{item}");
    let list = world.told("/api/v1/intake?state=unidentified,failed&q=LIST", "op");
    assert_eq!((list["items"].as_array().map(Vec::len), &list["counts"]["unidentified"]), (Some(1), &1.into()));
    assert_eq!(world.told("/api/v1/intake?q=nothing", "op")["items"], json!([]));
    assert_eq!(world.get("/api/v1/intake?state=odd", &[world.key("op")]).status, 400);
    // The content is for those who bring streams in, and each look is recorded.
    let look = world.told("/api/v1/intake/1/preview?pages=2", "op");
    assert_eq!(look["pages"][0]["text"], "NEW stream", "{look}");
    assert_eq!(world.recorded("intake-preview"), [("op".into(), "arrival 1 (list.txt)".into(), "text".into())]);
    assert_eq!(world.get("/api/v1/intake/1/preview", &[world.key("eve")]).status, 403, "an auditor sees no content");
    assert_eq!(world.told("/api/v1/intake/1/trial?definition=great-lakes-statement", "op")["version"], 1);
    // Named.
    let assign = |body| world.tell("/api/v1/intake/1/assign", "op", &body);
    assert_eq!(assign(json!({ "definition": "none-such" })).json()["code"], "bad-value");
    assert_eq!(assign(json!({ "definition": "great-lakes-statement", "x": 1 })).status, 400);
    assert_eq!(assign(json!({ "definition": "great-lakes-statement" })).status, 200);
    let item = world.becomes(1, "loaded");
    assert_eq!((&item["load"], &item["history"][1]["by"]), (&1.into(), &"op".into()), "{item}");
    assert_eq!(world.recorded("intake-assign").len(), 1);
    assert_eq!(assign(json!({ "definition": "great-lakes-statement" })).status, 409, "it is loaded");
    assert_eq!(world.get("/api/v1/intake/1/preview", &[world.key("op")]).status, 409, "its bytes are gone");
    // Taken out by somebody who may, with a reason.
    let unload = |who, why: &str| world.tell("/api/v1/loads/1/unload", who, &json!({ "reason": why })).status;
    assert_eq!([unload("op", "wrong"), unload("root", " "), unload("root", "wrong report")], [403, 422, 200]);
    assert_eq!(world.recorded("unload"), [("root".into(), "load 1".into(), "wrong report".into())]);
    assert_eq!(world.told("/api/v1/intake/1", "op")["state"], "discarded");
    assert_eq!(unload("root", "again"), 404);
}

#[test]
fn what_failed_is_tried_again_held_and_given_up_with_a_reason() {
    let world = world();
    world.arrives("bad.txt", b"BAD stream");
    let item = world.becomes(1, "failed");
    assert_eq!(item["error"], "the accounting does not balance");
    let act = |what: &str, who: &str, body| world.tell(&format!("/api/v1/intake/1/{what}"), who, &body).status;
    assert_eq!(act("hold", "op", json!({})), 409, "only what waits is held");
    assert_eq!(act("retry", "eve", json!({})), 403);
    assert_eq!(act("retry", "op", json!({})), 200);
    let item = world.becomes(1, "failed");
    let steps: Vec<_> = item["history"].as_array().expect("a list").iter().map(|step| step["what"].clone()).collect();
    assert_eq!(steps, ["failed", "retried", "failed"], "{item}");
    assert_eq!(act("discard", "op", json!({ "reason": "rubbish" })), 403, "bytes that were acknowledged need more");
    assert_eq!(act("discard", "root", json!({})), 422, "a reason is wanted");
    let all = world.tell("/api/v1/intake:retry", "op", &json!({}));
    assert_eq!((all.status, &all.json()["retried"]), (200, &1.into()), "all that failed");
    world.becomes(1, "failed");
    assert!(world.folder.join("intake/1.stream").exists());
    assert_eq!(act("discard", "root", json!({ "reason": "rubbish" })), 200);
    assert!(!world.folder.join("intake/1.stream").exists());
    assert_eq!(act("retry", "op", json!({})), 409);
    assert_eq!(world.told("/api/v1/intake/1", "eve")["error"], "rubbish");
}

#[test]
fn a_rule_takes_up_what_waits_and_what_comes_and_keeps_its_versions() {
    let world = world();
    world.arrives("a.txt", b"NEW a");
    world.arrives("b.txt", b"NEW b");
    world.becomes(1, "unidentified");
    world.becomes(2, "unidentified");
    let rule = |body| world.tell("/api/v1/intake-rules", "op", &body);
    assert_eq!(rule(json!({ "queue": "*", "definition": "great-lakes-statement" })).status, 422, "everything");
    assert_eq!(rule(json!({ "queue": "NIGHT", "definition": "none" })).status, 422);
    let made = rule(json!({ "queue": "ni*", "name": "*.txt", "definition": "great-lakes-statement" }));
    assert_eq!((made.status, &made.json()["taken"]), (201, &2.into()), "{}", made.text());
    world.becomes(1, "loaded");
    world.becomes(2, "loaded");
    world.arrives("c.txt", b"NEW c");
    assert_eq!(world.becomes(3, "loaded")["definition"], "great-lakes-statement");
    let changed = rule(json!({ "number": 1, "queue": "DAY", "definition": "great-lakes-statement" })).json();
    assert_eq!(changed["rule"]["version"], 2, "{changed}");
    world.arrives("d.txt", b"NEW d");
    world.becomes(4, "unidentified");
    let removed = world.ask("DELETE", "/api/v1/intake-rules/1", &[world.key("op")], b"");
    assert_eq!(removed.status, 200, "{}", removed.text());
    assert_eq!(world.told("/api/v1/intake-rules", "op")["items"], json!([]));
    let all = world.told("/api/v1/intake-rules?versions=all", "eve");
    let versions: Vec<_> =
        all["items"].as_array().expect("a list").iter().map(|rule| rule["version"].clone()).collect();
    assert_eq!(versions, [1, 2, 3], "{all}");
    assert_eq!(world.recorded("intake-rule").len(), 3);
}

#[test]
fn the_pages_say_what_is_refused_and_escape_what_came_from_outside() {
    let world = world();
    world.arrives("<b>x.txt", b"NEW <script>alert(1)</script>");
    world.becomes(1, "unidentified");
    let (cookie, csrf) = world.session("op");
    let page = world.get("/admin/arrivals/1", std::slice::from_ref(&cookie)).text();
    assert!(page.contains("&lt;b&gt;x.txt") && page.contains("&lt;script&gt;alert"), "{page}");
    assert!(!page.contains("<b>x") && !page.contains("<script>a"), "{page}");
    let list = world.get("/admin/arrivals?state=unidentified", std::slice::from_ref(&cookie)).text();
    assert!(list.contains("&lt;b&gt;x.txt"), "{list}");
    let send = |form: &str| {
        let body = format!("csrf={csrf}&{form}");
        world.ask("POST", "/admin/arrivals/1", std::slice::from_ref(&cookie), body.as_bytes())
    };
    let refused = send("do=assign&definition=none");
    assert!(refused.status == 422 && refused.text().contains("There is no definition"), "{}", refused.text());
    let refused = send("do=release");
    assert!(refused.status == 409 && refused.text().contains("not held"), "{}", refused.text());
    assert_eq!(send("do=discard&reason=x").status, 403);
    let done = send("do=assign&definition=great-lakes-statement");
    assert_eq!((done.status, done.header("location")), (303, "/admin/arrivals/1?said=arr_assign"), "{}", done.text());
    world.becomes(1, "loaded");
    let load = world.get("/admin/loads/1", &[world.session("root").0]).text();
    assert!(load.contains("/admin/arrivals/1") && load.contains("&lt;b&gt;x.txt"), "{load}");
    for path in
        ["/admin/loads", "/admin/loads?q=none", "/admin/loads?state=unloaded", "/admin/rules", "/admin/loads/99"]
    {
        let status = world.get(path, std::slice::from_ref(&cookie)).status;
        assert_eq!(status, if path.ends_with("99") { 404 } else { 200 }, "{path}");
    }
}
