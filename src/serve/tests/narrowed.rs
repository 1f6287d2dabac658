//! Somebody of the organisation whose policies hide a customer: whatever is named, read or changed of that customer answers as
//! if there were none, and masks hold in what is kept beside documents.

use serde_json::{Value as Json, json};

use super::crm::Shop;
use crate::crm::consent::Purpose;

/// A senior agent who sees Bob's account only, with rows about Ada that were made before.
struct Desk {
    shop: Shop,
    consent: String,
    delivery: String,
    link: String,
    note: String,
}

impl Desk {
    fn new() -> Desk {
        let shop = Shop::new();
        shop.world.add("sam", "senior-agent");
        let text = shop.crm.publish_disclosure(Purpose::EDelivery, "en", "You may have paper.").expect("published");
        let made = |path: &str, body: Json| {
            let made = shop.post("sam", path, &body);
            assert_eq!(made.status, 201, "{path}: {}", made.text());
            made.json()["id"].as_str().expect("an id").to_string()
        };
        let consent = json!({ "customer": shop.ada, "purpose": "e-delivery", "locale": "en", "method": "telephone",
            "disclosure_sha256": text.sha256 });
        let consent = made("/api/v1/consents", consent);
        let copy = json!({ "how": "link", "contact_point": shop.mail });
        let delivery = made("/api/v1/documents/1-1/deliveries", copy);
        let link = made("/api/v1/documents/1-1/links", json!({}));
        let note = made("/api/v1/notes", json!({ "customer": shop.ada, "text": "calls at noon" }));
        shop.world.limit("desk", "account = \"4712\"", "senior-agent");
        Desk { shop, consent, delivery, link, note }
    }

    /// Answers to a request about something hidden and to the same about nothing: they differ in the name alone.
    fn alike(&self, method: &str, path: &str, body: &Json, names: (&str, &str)) -> u16 {
        let [hidden, absent] = [names.0, names.1].map(|name| {
            let body = serde_json::from_str(&body.to_string().replace("NAME", name)).expect("JSON");
            let reply = self.shop.send("sam", method, &path.replace("NAME", name), &body, &[]);
            (reply.status, reply.text().replace(names.0, names.1))
        });
        assert_eq!(hidden, absent, "{method} {path} {body}");
        hidden.0
    }
}

#[test]
fn rows_about_a_hidden_customer_are_neither_read_nor_changed() {
    let desk = Desk::new();
    let none = "0".repeat(desk.shop.ada.len());
    let withdrawn = json!({ "withdrawn": true });
    for (method, path, body, id) in [
        ("GET", "/api/v1/consents/NAME", Json::Null, &desk.consent),
        ("PATCH", "/api/v1/consents/NAME", withdrawn, &desk.consent),
        ("PATCH", "/api/v1/consents/NAME", json!({ "code": "ABCDEF" }), &desk.consent),
        ("GET", "/api/v1/deliveries/NAME", Json::Null, &desk.delivery),
        ("DELETE", "/api/v1/deliveries/NAME", Json::Null, &desk.delivery),
        ("DELETE", "/api/v1/links/NAME", Json::Null, &desk.link),
        ("GET", "/api/v1/notes/NAME", Json::Null, &desk.note),
        ("GET", "/api/v1/notes/NAME/history", Json::Null, &desk.note),
        ("PATCH", "/api/v1/notes/NAME", json!({ "text": "x" }), &desk.note),
        ("DELETE", "/api/v1/notes/NAME", Json::Null, &desk.note),
        ("GET", "/api/v1/contact-points/NAME", Json::Null, &desk.shop.mail),
        ("PATCH", "/api/v1/contact-points/NAME", json!({ "value": "sam@example.com" }), &desk.shop.mail),
        ("PATCH", "/api/v1/contact-points/NAME", json!({ "verified_by": "callback" }), &desk.shop.mail),
        ("GET", "/api/v1/contact-points?customer=NAME", Json::Null, &desk.shop.ada),
    ] {
        assert_eq!(desk.alike(method, path, &body, (id, &none)), 404, "{method} {path}");
    }
    let accounts = ("4711", "9999");
    for path in [
        "/api/v1/accounts/NAME",
        "/api/v1/accounts/NAME/timeline",
        "/api/v1/accounts/NAME/preferences",
        "/api/v1/accounts/NAME/series",
        "/api/v1/contact-points?account=NAME",
        "/agent/accounts/NAME",
    ] {
        assert_eq!(desk.alike("GET", path, &Json::Null, accounts), 404, "{path}");
    }
    let mail = desk.shop.crm.contact(&desk.shop.mail).expect("there");
    assert_eq!((mail.value.as_str(), mail.verified_at.is_some()), ("ada@example.com", true), "nothing was changed");
}

#[test]
fn nothing_new_is_made_about_a_hidden_customer() {
    let desk = Desk::new();
    let customers = (desk.shop.ada.clone(), "0".repeat(desk.shop.ada.len()));
    let customers = (customers.0.as_str(), customers.1.as_str());
    let preference = json!({ "class": "bill", "way": "portal" });
    for (path, body) in [
        ("/api/v1/notes", json!({ "customer": "NAME", "text": "x" })),
        ("/api/v1/interactions", json!({ "customer": "NAME", "channel": "voice", "direction": "in" })),
        ("/api/v1/accounts", json!({ "number": "888", "customer": "NAME" })),
        (
            "/api/v1/consents",
            json!({ "customer": "NAME", "purpose": "marketing", "locale": "en", "method": "telephone",
            "disclosure_sha256": "" }),
        ),
        (
            "/api/v1/contact-points",
            json!({ "owner": { "customer": "NAME" }, "kind": "email", "value": "x@example.com" }),
        ),
    ] {
        assert_eq!(desk.alike("POST", path, &body, customers), 422, "{path}");
    }
    for (path, body) in [
        ("/api/v1/requests", json!({ "kind": "question", "account": "NAME", "text": "x" })),
        ("/api/v1/notes", json!({ "account": "NAME", "text": "x" })),
        ("/api/v1/interactions", json!({ "account": "NAME", "channel": "voice", "direction": "in" })),
        ("/api/v1/accounts/NAME/preferences", preference),
    ] {
        assert_eq!(desk.alike("POST", path, &body, ("4711", "9999")), 404, "{path}");
    }
    let mine = json!({ "customer": desk.shop.bob, "text": "x" });
    assert_eq!(desk.shop.post("sam", "/api/v1/notes", &mine).status, 201, "others are as before");
}

#[test]
fn a_hidden_customer_costs_the_work_of_one_that_is_not_there() {
    use std::sync::atomic::Ordering;
    let desk = Desk::new();
    let none = "0".repeat(desk.shop.ada.len());
    let work = |path: &str| {
        let before = desk.shop.world.fake.asked.load(Ordering::Relaxed);
        assert_eq!(desk.shop.get("sam", path).status, 404, "{path}");
        desk.shop.world.fake.asked.load(Ordering::Relaxed) - before
    };
    assert_eq!(work(&format!("/api/v1/customers/{}", desk.shop.ada)), work(&format!("/api/v1/customers/{none}")));
}
