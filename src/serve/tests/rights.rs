//! Every route as everybody: nobody gets what is not for them.

use super::support::{World, header};
use crate::serve::routes::{Access, ROUTES};

/// The route's path with documents and loads that exist; documents of account 4711.
fn path(pattern: &str) -> String {
    let id = if pattern.contains("loads") { "1" } else { "1-1" };
    pattern.replace("{id}", id).replace("{name}", "none.css").replace("{version}", "0")
}

#[test]
fn every_route_answers_every_role_as_its_row_says_and_leaks_nothing() {
    let world = World::new();
    let people = [
        ("nobody", None, None),
        ("dora", Some(world.permissions("dora")), Some(world.session("dora"))),
        ("carl", Some(world.permissions("carl")), Some(world.session("carl"))),
        ("ann", Some(world.permissions("ann")), Some(world.session("ann"))),
        ("root", Some(world.permissions("root")), Some(world.session("root"))),
    ];
    for route in ROUTES {
        for (name, role, session) in &people {
            // Ending the session would spoil the rows that follow.
            if route.path.ends_with("sign-out") || (route.method == "DELETE" && role.is_some()) {
                continue;
            }
            let mut headers = Vec::new();
            if let Some((cookie, csrf)) = session {
                headers.extend([cookie.clone(), header("X-CSRF-Token", csrf)]);
            }
            let reply = world.ask(route.method, &path(route.path), &headers, b"");
            let told = format!("{} {} as {name}: {} {}", route.method, route.path, reply.status, reply.text());
            assert_ne!(reply.status / 100, 5, "{told}");
            assert!(!reply.header("content-security-policy").is_empty(), "{told}");
            assert_eq!(reply.header("x-content-type-options"), "nosniff", "{told}");
            match role {
                // Without a name and a password nobody gets in, and nobody is told more.
                _ if route.path == "/sign-in" => assert_eq!(reply.status, 401, "{told}"),
                _ if route.access == Access::Public => assert!(!matches!(reply.status, 401 | 403), "{told}"),
                None if route.is_api() => assert_eq!(reply.status, 401, "{told}"),
                None => {
                    assert_eq!(reply.status, 303, "{told}");
                    assert!(reply.header("location").starts_with("/?next=") || route.method != "GET", "{told}");
                }
                Some(role) if !route.access.allows(*role) => assert_eq!(reply.status, 403, "{told}"),
                Some(_) => assert!(!matches!(reply.status, 401 | 403), "{told}"),
            }
            let others = role.is_none() || *name == "dora";
            if others && route.path.contains("documents/{id}") {
                assert!(matches!(reply.status, 303 | 401 | 403 | 404), "{told}");
            }
            if others {
                let text = reply.text();
                assert!(!text.contains("Ada") && !text.contains("long report"), "{told}");
            }
        }
    }
}

#[test]
fn a_forbidden_document_and_one_that_is_not_there_look_the_same() {
    let world = World::new();
    let dora = [world.key("dora")];
    for path in ["/api/v1/documents/ID", "/api/v1/documents/ID/content?format=text", "/my/documents/ID"] {
        let session = [world.session("dora").0];
        let headers = if path.starts_with("/my") { &session } else { &dora };
        let mut forbidden = world.get(&path.replace("ID", "1-1"), headers);
        let mut absent = world.get(&path.replace("ID", "1-9"), headers);
        for reply in [&mut forbidden, &mut absent] {
            assert_eq!(reply.status, 404, "{path}");
            reply.headers.remove("date");
            let text = reply.text().replace("1-9", "1-1");
            // Forgery tokens and the like are the session's, not the document's.
            reply.body = text.into_bytes();
        }
        assert_eq!(forbidden, absent, "{path}");
    }
    let refused = world.audit().iter().filter(|record| record.kind == "refused" && record.who == "dora").count();
    assert_eq!(refused, 6, "each is in the audit");
}

#[test]
fn hit_lists_hold_only_what_the_caller_may_see() {
    let world = World::new();
    let total = |user: &str| world.get("/api/v1/documents", &[world.key(user)]).json()["total"].clone();
    assert_eq!([total("ann"), total("carl"), total("dora")], [3, 2, 1]);
    let other = world.get("/api/v1/documents?account=4711", &[world.key("dora")]);
    assert_eq!(other.json()["total"], 0);
    let hit = &world.get("/api/v1/documents?limit=1", &[world.key("ann")]).json()["documents"][0];
    assert_eq!(hit["fields"]["amount_due"], "1234567.00");
    assert!(hit["fields"].get("secret").is_none(), "sensitive fields stay out of an agent's hit list");
    assert_eq!((&hit["id"], &hit["date"], &hit["pages"]), (&"1-1".into(), &"2024-03-11".into(), &3.into()));
}

#[test]
fn a_key_narrowed_to_accounts_sees_only_these() {
    let world = World::new();
    let narrowed = |user: &str, accounts: &[&str]| {
        let accounts = accounts.iter().map(ToString::to_string).collect();
        let (text, _) = world.keys.make(user, "", Some(accounts)).expect("made");
        [header("Authorization", &format!("Bearer {text}"))]
    };
    assert_eq!(world.get("/api/v1/documents", &narrowed("root", &["4712"])).json()["total"], 1);
    assert_eq!(world.get("/api/v1/loads", &narrowed("root", &["4712"])).status, 403);
    assert_eq!(
        world.get("/api/v1/documents", &narrowed("dora", &["4711"])).json()["total"],
        0,
        "never more than the user"
    );
}

#[test]
fn keys_stop_with_revocation_and_with_their_user() {
    let world = World::new();
    let ann = world.key("ann");
    assert_eq!(world.get("/api/v1/session", std::slice::from_ref(&ann)).json()["role"], "agent");
    world.users.set_disabled("ann", true).expect("set");
    assert_eq!(world.get("/api/v1/session", &[ann]).status, 401);
    let carl = world.key("carl");
    let basic = |text: &str| {
        use base64::Engine as _;
        [header("Authorization", &format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text)))]
    };
    let key = carl.1.strip_prefix("Bearer ").expect("a bearer").to_string();
    assert_eq!(world.get("/api/v1/session", &basic(&format!("any:{key}"))).json()["name"], "carl");
    assert_eq!(world.get("/api/v1/session", &basic(&format!("{key}:"))).json()["name"], "carl");
    assert_eq!(world.get("/api/v1/session", &basic(&format!("carl:{}", super::support::PASSWORD))).status, 401);
    let id = world.keys.list(Some("carl")).expect("listed")[0].id.clone();
    world.keys.revoke(&id).expect("revoked");
    assert_eq!(world.get("/api/v1/session", &[carl]).status, 401);
    assert_eq!(world.get("/api/v1/session", &[header("Authorization", "Bearer gbk_wrong")]).status, 401);
    assert_eq!(world.get("/api/v1/session", &[header("Authorization", "Nonsense")]).status, 401);
}
