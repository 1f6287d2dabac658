//! Customers over HTTP: rights, versions, once-only, threads, links, enrolment.

use serde_json::{Value as Json, json};

use super::support::{Reply, World, header};
use crate::crm::account::AccountData;
use crate::crm::contact::{ContactKind, NewContact, Owner};
use crate::crm::customer::CustomerData;
use crate::crm::name::Names;
use crate::crm::request::{NewRequest, RequestData};
use crate::crm::{Crm, Side, Time};
use crate::serve::backend::Backend;

/// Ada holds 4711, Bob 4712; both have the same telephone, Ada a verified mail address.
pub(super) struct Shop {
    pub(super) world: World,
    pub(super) crm: Crm,
    pub(super) ada: String,
    pub(super) bob: String,
    pub(super) mail: String,
}

impl Shop {
    pub(super) fn new() -> Shop {
        let world = World::new();
        let crm = Crm::new(world.fake.engine(), crate::auth::clock::Clock::default());
        let customer = |name: &str, account: &str| {
            let names = Names { full: name.into(), ..Names::default() };
            let data = CustomerData { name: names, ..CustomerData::default() };
            let id = crm.add_customer("test", data).expect("added").id;
            let data = AccountData { number: account.into(), customer: Some(id.clone()), ..AccountData::default() };
            crm.add_account("test", data).expect("added");
            id
        };
        let (ada, bob) = (customer("Ada März", "4711"), customer("Bob Lee", "4712"));
        let contact = |owner: &str, kind, value: &str| {
            let new = NewContact {
                owner: Owner::Customer(owner.into()),
                kind,
                value: value.into(),
                label: String::new(),
                valid_from: None,
                valid_to: None,
                source: String::new(),
            };
            crm.add_contact("test", new).expect("added").id
        };
        contact(&ada, ContactKind::Phone, "(614) 555-0110");
        contact(&bob, ContactKind::Phone, "614.555.0110");
        let mail = contact(&ada, ContactKind::Email, "ada@example.com");
        crm.verify_contact("test", &mail, "code").expect("verified");
        Shop { world, crm, ada, bob, mail }
    }

    pub(super) fn send(&self, user: &str, method: &str, path: &str, body: &Json, extra: &[(String, String)]) -> Reply {
        let mut headers = vec![self.world.key(user), header("Content-Type", "application/json")];
        headers.extend_from_slice(extra);
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.world.ask(method, path, &headers, &bytes)
    }

    pub(super) fn get(&self, user: &str, path: &str) -> Reply {
        self.send(user, "GET", path, &Json::Null, &[])
    }

    pub(super) fn post(&self, user: &str, path: &str, body: &Json) -> Reply {
        self.send(user, "POST", path, body, &[])
    }
}

#[test]
fn customers_are_made_once_changed_by_version_and_listed_in_pages() {
    let shop = Shop::new();
    let body = json!({ "name": { "family": "周", "given": "明怡" }, "locale": "zh-CN" });
    let once = [header("Idempotency-Key", "k-1")];
    let first = shop.send("root", "POST", "/api/v1/customers", &body, &once);
    assert_eq!(first.status, 201, "{}", first.text());
    let again = shop.send("root", "POST", "/api/v1/customers", &body, &once);
    assert_eq!((again.status, again.json()["id"].clone()), (201, first.json()["id"].clone()));
    let other = shop.send("root", "POST", "/api/v1/customers", &json!({ "name": { "full": "X" } }), &once);
    assert_eq!((other.status, other.json()["code"].clone()), (409, "exists".into()));
    let path = first.header("location").to_string();
    assert_eq!(first.header("etag"), "\"1\"");
    let change = json!({ "locale": null, "name": { "latin": "Zhou Mingyi" } });
    let changed = shop.send("root", "PATCH", &path, &change, &[header("If-Match", "\"1\"")]);
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""), "{}", changed.text());
    assert_eq!((changed.json()["locale"].clone(), changed.json()["name"]["family"].clone()), ("".into(), "周".into()));
    let stale = shop.send("root", "PATCH", &path, &change, &[header("If-Match", "\"1\"")]);
    assert_eq!((stale.status, stale.json()["code"].clone()), (412, "changed".into()));
    let history = shop.get("ann", &format!("{path}/history")).json();
    assert_eq!(history["items"][1]["by"], "root");
    let bad = shop.post("root", "/api/v1/customers", &json!({ "name": {}, "shoe_size": 43 }));
    assert_eq!((bad.status, bad.json()["code"].clone()), (400, "bad-body".into()));
    let empty = shop.post("root", "/api/v1/customers", &json!({ "name": {} }));
    assert_eq!((empty.status, empty.json()["code"].clone()), (422, "bad-value".into()));
    let page = shop.get("ann", "/api/v1/customers?limit=2").json();
    let cursor = page["next_cursor"].as_str().expect("more").to_string();
    let rest = shop.get("ann", &format!("/api/v1/customers?limit=2&cursor={cursor}")).json();
    assert_eq!((page["items"].as_array().map(Vec::len), rest["items"].as_array().map(Vec::len)), (Some(2), Some(1)));
    assert_eq!(shop.get("ann", "/api/v1/customers?q=zhou").json()["items"][0]["id"], first.json()["id"]);
    assert_eq!(shop.post("ann", "/api/v1/customers", &body).status, 403, "agents do not change customers");
}

#[test]
fn one_number_of_two_customers_gives_two_candidates_and_stays_out_of_the_audit() {
    let shop = Shop::new();
    let found = shop.post("ann", "/api/v1/customers:resolve", &json!({ "ani": "+1 614 555 0110" }));
    assert_eq!(found.status, 200, "{}", found.text());
    let found = found.json();
    assert_eq!((found["candidates"].as_array().map(Vec::len), found["identity"].clone()), (Some(2), "claimed".into()));
    let both = shop.post("ann", "/api/v1/customers:resolve", &json!({ "ani": "6145550110", "account": "4711" })).json();
    assert_eq!(
        (both["candidates"][0]["name"].clone(), both["candidates"][0]["reasons"].clone()),
        ("Ada März".into(), json!(["account", "ani"]))
    );
    assert!(shop.world.audit().iter().all(|record| !record.why.contains("0110") && !record.what.contains("0110")));
    assert_eq!(shop.post("carl", "/api/v1/customers:resolve", &json!({ "ani": "6145550110" })).status, 403);
}

#[test]
fn a_customer_sees_the_own_and_another_customer_looks_like_none() {
    let shop = Shop::new();
    let own = shop.get("carl", &format!("/api/v1/customers/{}", shop.ada));
    assert_eq!((own.status, own.json()["display_name"].clone()), (200, "Ada März".into()), "{}", own.text());
    for path in [
        format!("/api/v1/customers/{}", shop.bob),
        format!("/api/v1/customers/{}/timeline", shop.bob),
        format!("/api/v1/customers/{}/consents", shop.bob),
        "/api/v1/accounts/4712".into(),
        "/api/v1/accounts/4712/timeline".into(),
        "/api/v1/accounts/4712/series".into(),
        "/api/v1/accounts/4712/preferences".into(),
        format!("/api/v1/contact-points?customer={}", shop.bob),
        "/api/v1/notes?document=1-2".into(),
        "/api/v1/documents/1-2/deliveries".into(),
        "/api/v1/documents/1-2/compare".into(),
    ] {
        let (mut forbidden, mut absent) = (
            shop.get("carl", &path),
            shop.get("carl", &path.replace(&shop.bob, "nobody").replace("4712", "9999").replace("1-2", "1-9")),
        );
        for reply in [&mut forbidden, &mut absent] {
            reply.headers.remove("date");
        }
        assert_eq!(forbidden.status, 404, "{path}: {}", forbidden.text());
        assert_eq!(forbidden, absent, "{path}");
    }
}

#[test]
fn the_timeline_has_everything_for_agents_and_the_own_for_customers() {
    let shop = Shop::new();
    // Reads of documents, one by a customer and one by an agent.
    shop.get("carl", "/api/v1/documents/1-1/content?format=text");
    shop.get("ann", "/api/v1/documents/1-1/content?format=text");
    let call = json!({ "account": "4711", "call_id": "c-9", "ani": "6145550110" });
    let call = shop.post("ann", "/api/v1/interactions", &call);
    assert_eq!(
        (call.status, shop.post("ann", "/api/v1/interactions", &json!({ "call_id": "c-9" })).json()["id"].clone()),
        (201, call.json()["id"].clone())
    );
    let note = json!({ "document": "1-1", "text": "looks odd", "place": { "page": 1, "line": 3, "text": "FEE" } });
    let note = shop.post("ann", "/api/v1/notes", &note);
    assert_eq!((note.status, note.json()["account"].clone()), (201, "4711".into()), "{}", note.text());
    let copy = json!({ "how": "link", "contact_point": shop.mail });
    let copy = shop.post("ann", "/api/v1/documents/1-1/deliveries", &copy);
    assert_eq!((copy.status, copy.json()["state"].clone()), (201, "planned".into()), "{}", copy.text());
    let path = format!("/api/v1/customers/{}/timeline", shop.ada);
    let kinds = |user: &str, query: &str| {
        let reply = shop.get(user, &format!("{path}{query}"));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let items = reply.json()["items"].as_array().cloned().unwrap_or_default();
        let mut kinds: Vec<String> = items.iter().map(|e| e["kind"].as_str().unwrap_or_default().to_string()).collect();
        kinds.sort();
        (kinds, reply.text())
    };
    let (agent, _) = kinds("ann", "");
    assert_eq!(agent, ["delivery", "document", "document", "interaction", "note", "view", "view"]);
    let (customer, text) = kinds("carl", "");
    assert_eq!(customer, ["delivery", "document", "document", "interaction", "view", "view"]);
    assert!(!text.contains("looks odd") && !text.contains("\"ann\"") && !text.contains("c-9"), "{text}");
    assert_eq!(kinds("ann", "?kind=note,view").0, ["note", "view", "view"]);
    let page = shop.get("ann", &format!("{path}?limit=3")).json();
    assert!(page["next_cursor"].is_string());
    assert_eq!(shop.get("ann", &format!("{path}?kind=gossip")).status, 400);
    let annotation =
        shop.send("ann", "GET", note.header("location"), &Json::Null, &[header("Accept", "application/ld+json")]);
    assert_eq!(annotation.json()["type"], "Annotation", "{}", annotation.text());
}

#[test]
fn a_question_is_threaded_between_the_customer_and_the_agent() {
    let shop = Shop::new();
    let question = json!({ "document": "1-1", "place": { "page": 1, "line": 7 }, "text": "What is this?" });
    let asked = shop.post("carl", "/api/v1/requests", &question);
    assert_eq!((asked.status, asked.json()["customer"].clone()), (201, shop.ada.as_str().into()), "{}", asked.text());
    let path = asked.header("location").to_string();
    assert_eq!(shop.post("dora", "/api/v1/requests", &question).status, 404, "another's document");
    assert_eq!(shop.get("dora", &path).status, 404);
    let queue = shop.get("ann", "/api/v1/requests?state=open").json();
    assert_eq!(queue["items"][0]["subject"], "What is this?");
    let messages = format!("{path}/messages");
    shop.post("ann", &messages, &json!({ "text": "check with billing", "internal": true }));
    let answered = shop.post("ann", &messages, &json!({ "text": "A late fee." }));
    assert_eq!((answered.status, answered.json()["state"].clone()), (201, "answered".into()));
    let seen = shop.get("carl", &path);
    assert!(seen.text().contains("A late fee.") && !seen.text().contains("billing"), "{}", seen.text());
    assert_eq!(shop.post("carl", &messages, &json!({ "text": "Thanks", "internal": true })).json()["state"], "open");
    let done = shop.send("ann", "PATCH", &path, &json!({ "state": "resolved", "resolution": "explained" }), &[]);
    assert_eq!(done.json()["state"], "resolved", "{}", done.text());
    let impossible = shop.send("ann", "PATCH", &path, &json!({ "state": "waiting" }), &[]);
    assert_eq!((impossible.status, impossible.json()["code"].clone()), (409, "state".into()));
    assert_eq!(shop.send("carl", "PATCH", &path, &json!({ "state": "resolved" }), &[]).status, 403);
}

#[test]
fn copies_go_to_verified_addresses_and_others_need_the_right_and_a_reason() {
    let shop = Shop::new();
    let path = "/api/v1/documents/1-1/deliveries";
    let other = json!({ "address": "x@example.org", "reason": "on the road" });
    assert_eq!(shop.post("ann", path, &other).status, 422);
    assert_eq!(shop.post("root", path, &json!({ "address": "x@example.org" })).status, 422, "no reason");
    let sent = shop.post("root", path, &other);
    assert_eq!((sent.status, sent.json()["to"].clone()), (201, "x@example.org".into()), "{}", sent.text());
    assert_eq!(shop.post("carl", path, &other).status, 403);
    let listed = shop.get("carl", path);
    assert!(listed.text().contains("x@example.org") && !listed.text().contains("on the road"), "{}", listed.text());
    let called_back = shop.send("ann", "DELETE", sent.header("location"), &Json::Null, &[]);
    assert_eq!(called_back.json()["state"], "cancelled");
    let records = shop.world.audit();
    assert!(records.iter().any(|record| record.kind == "send" && record.who == "root"));
}

#[test]
fn a_link_shows_a_page_first_and_the_document_only_when_the_button_is_pressed() {
    let shop = Shop::new();
    let made = shop.post("ann", "/api/v1/documents/1-1/links", &json!({ "uses": 1, "expires_in_s": 600 }));
    assert_eq!(made.status, 201, "{}", made.text());
    let path = made.json()["path"].as_str().expect("a path").to_string();
    for _ in 0..3 {
        let page = shop.world.get(&path, &[]);
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"), "{}", page.text());
        assert!(page.header("x-robots-tag").contains("noindex") && page.header("referrer-policy") == "no-referrer");
        assert!(!page.text().contains("Ada") && !page.text().contains("4711"), "{}", page.text());
    }
    let shown = shop.world.ask("POST", &path, &[], b"");
    assert_eq!(
        (shown.status, shown.header("content-type"), shown.header("cache-control")),
        (200, "application/pdf", "no-store"),
        "{}",
        shown.text()
    );
    let used = shop.world.ask("POST", &path, &[], b"");
    let never = shop.world.ask("POST", "/d/00000000000000000000000000000000", &[], b"");
    assert_eq!((used.status, never.status), (410, 410));
    assert_eq!(shop.world.get(&path, &[]).status, 410);
    let reads =
        shop.world.audit().into_iter().filter(|record| record.kind == "read" && record.who.starts_with("link:"));
    assert_eq!(reads.count(), 1);
    assert_eq!(shop.post("carl", "/api/v1/documents/1-1/links", &Json::Null).status, 403);
}

#[test]
fn a_link_lifts_no_mask_and_keeps_what_is_kept_from_customers() {
    let shop = Shop::new();
    let link = || {
        let made = shop.post("ann", "/api/v1/documents/1-1/links", &json!({ "uses": 1, "expires_in_s": 600 }));
        made.json()["path"].as_str().expect("a path").to_string()
    };
    assert_eq!(shop.world.ask("POST", &link(), &[], b"").status, 200);
    let masked = || shop.world.fake.masked.load(std::sync::atomic::Ordering::Relaxed);
    assert!(masked(), "who has a link has proved nothing");
    let own = [shop.world.key("carl")];
    assert_eq!(shop.world.get("/api/v1/documents/1-1/content?format=text", &own).status, 200);
    assert!(!masked(), "the customer sees the own card number");
    shop.world.limit("no-statements", "kind != \"statement\"", "customer");
    assert_eq!(shop.world.ask("POST", &link(), &[], b"").status, 404);
}

#[test]
fn a_customer_whose_documents_are_all_hidden_leaves_no_trace() {
    let shop = Shop::new();
    shop.world.limit("desk", "account = \"4712\"", "agent");
    let count = |path: &str| shop.get("ann", path).json()["items"].as_array().map_or(0, Vec::len);
    assert_eq!(
        [count("/api/v1/customers"), count("/api/v1/customers?q=ada"), count("/api/v1/customers?q=bob")],
        [1, 0, 1]
    );
    assert_eq!([count("/api/v1/accounts"), count("/api/v1/accounts?q=47")], [1, 1]);
    // A list of one is filled from what follows.
    assert_eq!(
        [count("/api/v1/customers?limit=1"), count("/api/v1/accounts?limit=1"), count("/api/v1/accounts?q=47&limit=1")],
        [1, 1, 1]
    );
    let (ada, never) = (shop.ada.clone(), "0".repeat(shop.ada.len()));
    for path in
        ["/api/v1/customers/ID", "/api/v1/customers/ID/timeline", "/api/v1/customers/ID/history", "/agent/customers/ID"]
    {
        let [hidden, absent] = [&ada, &never].map(|id| shop.get("ann", &path.replace("ID", id)));
        assert_eq!((hidden.status, absent.status), (404, 404), "{path}");
        assert_eq!(hidden.text().replace(&ada, &never), absent.text(), "{path}");
    }
    for path in ["/api/v1/accounts/4711", "/api/v1/accounts/4711/timeline", "/agent/accounts/4711"] {
        assert_eq!(shop.get("ann", path).status, 404, "{path}");
    }
    assert_eq!(shop.get("ann", &format!("/api/v1/customers/{}", shop.bob)).status, 200);
    let ask = json!({ "ani": "614 555 0110" });
    let found = shop.post("ann", "/api/v1/customers:resolve", &ask).json();
    assert_eq!(found["candidates"].as_array().map(Vec::len), Some(1), "{found}");
    assert!(!found.to_string().contains("Ada"));
    let all = shop.post("root", "/api/v1/customers:resolve", &ask).json();
    assert_eq!(all["candidates"].as_array().map(Vec::len), Some(2));
}

#[test]
fn enrolment_with_facts_makes_a_user_and_tells_nothing_otherwise() {
    let shop = Shop::new();
    let enrol = |account: &str, amount: &str, name: &str| {
        let body = json!({
            "account": account, "definition": "great-lakes-statement", "name": name, "password": "correct horse",
            "facts": [{ "field": "amount_due", "value": amount }],
        });
        shop.world.ask(
            "POST",
            "/api/v1/enrolment",
            &[header("Content-Type", "application/json")],
            body.to_string().as_bytes(),
        )
    };
    let forms = shop.world.get("/api/v1/enrolment", &[]).json();
    assert_eq!(forms["forms"][0]["fields"][0]["name"], "amount_due");
    let (wrong, unknown) = (enrol("4711", "5", "eve"), enrol("0815", "5", "eve"));
    assert_eq!((wrong.status, wrong.json()), (unknown.status, unknown.json()));
    assert_eq!((wrong.status, wrong.json()["code"].clone()), (403, "not-confirmed".into()));
    let second = enrol("47-11", "1,234,567.00", "ada");
    assert_eq!((second.status, second.json()), (unknown.status, unknown.json()), "carl has a login for it");
    shop.world.users.set_disabled("carl", true).expect("locked out");
    let right = enrol("47-11", "1,234,567.00", "ada");
    assert_eq!((right.status, right.json()["accounts"].clone()), (201, json!(["4711"])), "{}", right.text());
    assert_eq!(shop.get("ada", "/api/v1/documents").json()["total"], 2);
    for _ in 0..5 {
        enrol("4712", "5", "eve");
    }
    let waits = enrol("4712", "5", "eve");
    assert_eq!((waits.status, waits.header("retry-after")), (429, "30"), "{}", waits.text());
}

#[test]
fn consents_and_preferences_are_the_customers_own() {
    let shop = Shop::new();
    let text = json!({ "purpose": "e-delivery", "locale": "en", "text": "You may have paper." });
    assert_eq!(shop.post("ann", "/api/v1/disclosures", &text).status, 403);
    assert_eq!(shop.post("root", "/api/v1/disclosures", &text).status, 200);
    let shown = shop.get("carl", "/api/v1/disclosures").json();
    let body = json!({
        "account": "4711", "purpose": "e-delivery", "locale": "en", "method": "portal",
        "disclosure_sha256": shown["sha256"], "demonstrated_with": "pdf",
    });
    assert_eq!(shop.post("dora", "/api/v1/consents", &body).status, 404);
    let begun = shop.post("carl", "/api/v1/consents", &body);
    let code = begun.json()["demonstration_code"].as_str().expect("a code").to_string();
    let path = begun.header("location").to_string();
    assert!(!shop.get("carl", &path).text().contains(&code));
    assert_eq!(shop.send("carl", "PATCH", &path, &json!({ "code": "NOPE" }), &[]).status, 422);
    assert_eq!(shop.send("carl", "PATCH", &path, &json!({ "code": code }), &[]).json()["state"], "given");
    assert_eq!(shop.send("carl", "PATCH", &path, &json!({ "withdrawn": true }), &[]).json()["state"], "withdrawn");
    let wish = json!({ "way": "email", "contact_point": shop.mail, "notices": true });
    assert_eq!(shop.post("carl", "/api/v1/accounts/4711/preferences", &wish).status, 200);
    assert_eq!(shop.post("dora", "/api/v1/accounts/4711/preferences", &wish).status, 404);
    let listed = shop.get("carl", "/api/v1/accounts/4711/preferences").json();
    assert_eq!(listed["items"][0]["way"], "email");
}

#[test]
fn documents_join_whichever_comes_first_and_months_and_comparison_follow() {
    let shop = Shop::new();
    let series = shop.get("carl", "/api/v1/accounts/4711/series").json();
    assert_eq!(series["points"].as_array().map(Vec::len), Some(1), "one document for each month: {series}");
    assert_eq!(series["points"][0]["amount"], "1234567.00");
    let compared = shop.get("ann", "/api/v1/documents/1-3/compare?with=1-1");
    assert_eq!((compared.status, compared.json()["days"].clone()), (200, 2.into()), "{}", compared.text());
    assert_eq!(shop.get("ann", "/api/v1/documents/1-1/compare?with=1-2").status, 400, "another account");
    assert_eq!(shop.get("ann", "/api/v1/documents/1-1/compare").status, 404, "none before");
    assert_eq!(shop.get("ann", "/api/v1/documents/1-3/compare").json()["before"]["id"], "1-1");
    // The account without its customer, then with another one.
    let timeline = |id: &str| shop.get("ann", &format!("/api/v1/customers/{id}/timeline?kind=document")).json();
    let count = |json: &Json| json["items"].as_array().map_or(0, Vec::len);
    assert_eq!(count(&timeline(&shop.bob)), 1);
    let move_to = json!({ "customer": shop.bob });
    assert_eq!(shop.send("root", "PATCH", "/api/v1/accounts/4711", &move_to, &[]).status, 200);
    assert_eq!((count(&timeline(&shop.bob)), count(&timeline(&shop.ada))), (3, 0));
    assert_eq!(shop.get("carl", &format!("/api/v1/customers/{}", shop.ada)).status, 404, "no longer theirs");
}

#[test]
fn saved_searches_and_rows_of_the_store_are_what_they_were() {
    let shop = Shop::new();
    assert_eq!(
        shop.post("ann", "/api/v1/saved-searches", &json!({ "name": "late fees", "query": "q=late+fee" })).status,
        200
    );
    assert_eq!(shop.get("ann", "/api/v1/saved-searches").json()["items"][0]["query"], "q=late+fee");
    assert_eq!(shop.get("root", "/api/v1/saved-searches").json()["items"], json!([]));
    assert_eq!(shop.send("ann", "DELETE", "/api/v1/saved-searches/late%20fees", &Json::Null, &[]).status, 204);
    let new = NewRequest { account: Some("4711".into()), text: "x".into(), ..NewRequest::default() };
    let request = shop.crm.open_request("carl", Side::Customer, new).expect("opened");
    let data: RequestData = serde_json::from_value(serde_json::to_value(&request.data).expect("json")).expect("read");
    assert_eq!((data, request.created_at >= Time(0)), (request.data.clone(), true));
}

#[test]
fn activity_of_hidden_accounts_and_customers_leaves_no_trace() {
    let shop = Shop::new();
    let ask = |who: &str, account: &str, subject: &str| {
        let body = json!({ "kind": "question", "account": account, "subject": subject, "text": "why?" });
        let made = shop.post(who, "/api/v1/requests", &body);
        assert_eq!(made.status, 201, "{}", made.text());
        made.header("location").to_string()
    };
    let (carls, doras) = (ask("carl", "4711", "about-four-eleven"), ask("dora", "4712", "about-four-twelve"));
    let call = json!({ "channel": "voice", "direction": "in", "account": "4711", "call_id": "c-1" });
    let call = shop.post("ann", "/api/v1/interactions", &call);
    assert_eq!(call.status, 201, "{}", call.text());
    let call = call.header("location").to_string();
    let subjects = || {
        let list = shop.get("ann", "/api/v1/requests?limit=1").json();
        list["items"].as_array().expect("a list").iter().map(|r| r["subject"].to_string()).collect::<Vec<_>>()
    };
    let session = [shop.world.session("ann").0];
    let page = |path: &str| shop.world.get(path, &session);
    assert!(page("/agent/requests").text().contains("about-four-eleven"));
    shop.world.limit("desk", "account = \"4712\"", "agent");
    assert_eq!(subjects(), ["\"about-four-twelve\""], "a page of one is filled from what follows");
    assert_eq!(shop.get("ann", &doras).status, 200);
    assert_eq!(shop.get("ann", &carls).status, 404);
    assert_eq!(shop.get("ann", &format!("{carls}/history")).status, 404);
    assert_eq!(shop.send("ann", "PATCH", &carls, &json!({ "state": "resolved" }), &[]).status, 404);
    assert_eq!(shop.post("ann", &format!("{carls}/messages"), &json!({ "text": "hello" })).status, 404);
    let list = page("/agent/requests").text();
    assert!(list.contains("about-four-twelve") && !list.contains("about-four-eleven"), "{list}");
    assert_eq!(page(&carls.replace("/api/v1", "/agent")).status, 404);
    assert_eq!(shop.get("ann", &call).status, 404);
    assert_eq!(shop.send("ann", "PATCH", &call, &json!({ "summary": "x" }), &[]).status, 404);
    assert_eq!(shop.get("ann", "/api/v1/interactions").json()["items"], json!([]));
}

#[test]
fn the_hidden_one_of_a_customers_two_accounts_is_on_none_of_their_pages() {
    let shop = Shop::new();
    let data = AccountData { number: "4713".into(), customer: Some(shop.bob.clone()), ..AccountData::default() };
    shop.crm.add_account("test", data).expect("added");
    let moved = json!({ "customer": shop.bob });
    let moved = shop.send("root", "PATCH", "/api/v1/accounts/4711", &moved, &[header("If-Match", "\"1\"")]);
    assert_eq!(moved.status, 200, "{}", moved.text());
    let body = json!({ "kind": "question", "account": "4711", "subject": "about-four-eleven", "text": "why?" });
    assert_eq!(shop.post("carl", "/api/v1/requests", &body).status, 201);
    let session = [shop.world.session("ann").0];
    let call = json!({ "channel": "voice", "direction": "in", "call_id": "c-1" });
    let call = shop.post("ann", "/api/v1/interactions", &call).json()["id"].as_str().expect("an id").to_string();
    let paths = |customer: &str| {
        let pages = [
            "/agent/customers/ID",
            "/api/v1/customers/ID",
            "/api/v1/customers/ID/timeline",
            "/api/v1/customers/ID/consents",
        ];
        let pages = pages.iter().map(|path| path.replace("ID", customer));
        pages.chain([format!("/agent/calls/{call}?among=c:{}:p,c:{}:p", shop.ada, shop.bob)]).collect::<Vec<_>>()
    };
    let all: String = paths(&shop.bob).iter().map(|path| shop.world.get(path, &session).text()).collect();
    for word in ["4711", "4712", "4713", "about-four-eleven", "A… M…", "B… L…"] {
        assert!(all.contains(word), "{word}");
    }
    shop.world.limit("desk", "account = \"4712\"", "agent");
    // Of 4713 there is no document, so nothing of it is hidden.
    for path in paths(&shop.bob) {
        let page = shop.world.get(&path, &session);
        assert_eq!(page.status, 200, "{path}");
        // The sheet of shortcuts has an account as an example.
        let text = page.text().replace("a:4711", "");
        assert!(!text.contains("4711") && !text.contains("about-four-eleven"), "{path}");
    }
    let page = shop.world.get(&paths(&shop.bob)[0], &session).text();
    assert!(page.contains("4712") && page.contains("4713"));
    // Ada has no account left, so nothing of her is hidden; with one whose documents are, she is no candidate.
    let data = AccountData { customer: Some(shop.ada.clone()), ..shop.crm.account("4711").expect("there").data };
    let version = shop.crm.account("4711").expect("there").version;
    shop.crm.set_account("test", "4711", Some(version), data).expect("changed");
    let page = shop.world.get(&paths(&shop.bob)[4], &session).text();
    assert!(page.contains("B… L…") && !page.contains("A… M…"), "{page}");
}

#[test]
fn addresses_are_whole_for_agents_once_the_caller_is_verified_and_no_sooner() {
    let shop = Shop::new();
    let copy = json!({ "how": "link", "contact_point": shop.mail });
    let copy = shop.post("ann", "/api/v1/documents/1-1/deliveries", &copy);
    assert_eq!((copy.status, copy.text().contains("ada@example")), (201, false), "{}", copy.text());
    let paths = [
        format!("/api/v1/contact-points?customer={}", shop.ada),
        "/api/v1/documents/1-1/deliveries".to_string(),
        format!("/api/v1/contact-points/{}", shop.mail),
        format!("/api/v1/customers/{}", shop.ada),
        format!("/api/v1/customers/{}/timeline", shop.ada),
        "/api/v1/accounts/4711/timeline".to_string(),
        format!("/api/v1/deliveries/{}", copy.json()["id"].as_str().unwrap_or_default()),
    ];
    let whole = |user: &str, path: &str| {
        let reply = shop.get(user, path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let text = reply.text();
        assert!(text.contains("@example.com"), "{path}: {text}");
        text.contains("ada@example.com") || text.contains("5550110") || text.contains("555-0110")
    };
    for path in &paths {
        assert!(!whole("ann", path), "{path}");
        assert!(whole("root", path), "a program that keeps addresses reads them: {path}");
    }
    assert!(whole("carl", &paths[0]), "customers see their own");
    let call = json!({ "customer": shop.ada, "account": "4711", "ani": "6145550110" });
    let call = shop.post("ann", "/api/v1/interactions", &call);
    let id = call.json()["id"].as_str().expect("an id").to_string();
    assert!(!whole("ann", &paths[0]), "caller id alone unmasks nothing");
    let proved =
        shop.send("ann", "PATCH", &format!("/api/v1/interactions/{id}"), &json!({ "verified_by": "pin" }), &[]);
    assert_eq!(proved.status, 200, "{}", proved.text());
    for path in &paths {
        assert!(whole("ann", path), "{path}");
    }
    let again = json!({ "customer": shop.ada, "account": "4711", "ani": "6145550110", "call_id": "c-2" });
    let again = shop.post("ann", "/api/v1/interactions", &again).json()["id"].as_str().expect("an id").to_string();
    assert!(!whole("ann", &paths[0]), "an earlier call proves nothing of who calls now");
    let over = shop.send("ann", "PATCH", &format!("/api/v1/interactions/{again}"), &json!({ "ended": true }), &[]);
    assert_eq!((over.status, whole("ann", &paths[0])), (200, true));
    let ended = shop.send("ann", "PATCH", &format!("/api/v1/interactions/{id}"), &json!({ "ended": true }), &[]);
    assert_eq!(ended.status, 200, "{}", ended.text());
    assert!(!whole("ann", &paths[0]), "after the contact they are masked again");
}

#[test]
fn what_was_proved_in_one_call_says_nothing_in_another() {
    let shop = Shop::new();
    let (cookie, csrf) = shop.world.session("ann");
    let session = [cookie];
    let post = |path: &str, form: &str| {
        let form = format!("csrf={csrf}&{form}");
        shop.world.ask("POST", path, &session, form.as_bytes())
    };
    let pop = |query: &str| shop.world.get(&format!("/agent/pop?{query}"), &session).header("location").to_string();
    let place = pop("ani=6145550110&call=s1&lang=en&channel=carrier-pigeon");
    let first = place.trim_start_matches("/agent/calls/").split('?').next().expect("an id").to_string();
    assert!(place.contains("among="), "both have the number, and what is not known is no error: {place}");
    assert_eq!(post(&format!("/agent/calls/{first}/choose"), &format!("customer={}", shop.ada)).status, 303);
    assert_eq!(post(&format!("/agent/calls/{first}/verify"), "how=questions").status, 303);
    let page = || shop.world.get(&format!("/agent/customers/{}", shop.ada), &session).text();
    assert!(page().contains("ada@example.com"), "{}", page());
    pop("ani=6145550110&call=s2");
    assert!(!page().contains("ada@example.com"), "nobody knows yet who the second caller is");
    let whole = shop.world.get(&format!("/api/v1/contact-points?customer={}", shop.ada), &session).text();
    assert!(!whole.contains("ada@example.com"), "{whole}");
    // The agent goes back to the first.
    pop("ani=6145550110&call=s1");
    assert!(page().contains("ada@example.com"));
}

#[test]
fn a_copy_belongs_to_the_call_that_the_agent_is_in_if_it_is_with_that_customer() {
    let shop = Shop::new();
    let (cookie, csrf) = shop.world.session("ann");
    let session = [cookie];
    let pop = |account: &str| shop.world.get(&format!("/agent/pop?account={account}&call=c{account}"), &session);
    pop("4711");
    pop("4712");
    let send = || {
        let form = format!("csrf={csrf}&to=link%3A{}", shop.mail);
        let reply = shop.world.ask("POST", "/agent/documents/1-1/send", &session, form.as_bytes());
        assert_eq!(reply.status, 303, "{}", reply.text());
        let kept = shop.crm.deliveries_of(crate::crm::Viewer::Staff("ann"), "1-1".parse().expect("an id"));
        kept.expect("read").last().expect("one").interaction.clone()
    };
    assert_eq!(send(), None, "the call is with somebody else");
    pop("4711");
    assert!(send().is_some());
}
