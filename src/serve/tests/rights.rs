//! Every route as everybody: nobody gets what is not for them.

use std::sync::atomic::Ordering;

use super::support::{World, header};
use crate::auth::directory::Group;
use crate::auth::permission::Permission;
use crate::auth::predicate::Attributes;
use crate::serve::routes::ROUTES;

/// Every route and who may use it, written down a second time: `public`, or the letters of the built-in roles
/// (**a**dministrator, a**g**ent, **s**enior agent, super**v**isor, a**u**ditor, **o**perator, **c**ustomer). A route that
/// is not here fails the test: whoever adds one says here whom it is for.
const WHO: &[(&str, &str, &str)] = &[
    ("GET", "/api/v1/documents", "agsvuc"),
    ("GET", "/api/v1/documents/{id}", "agsvuc"),
    ("GET", "/api/v1/documents/{id}/content", "agsvuc"),
    ("GET", "/api/v1/definitions", "agsvuop"),
    ("POST", "/api/v1/loads", "ao"),
    ("GET", "/api/v1/loads", "auop"),
    ("GET", "/api/v1/loads/{id}", "auop"),
    ("GET", "/api/v1/loads/{id}/original", "a"),
    ("POST", "/api/v1/loads/{id}/unload", "a"),
    ("GET", "/api/v1/intake", "auop"),
    ("POST", "/api/v1/intake:retry", "ao"),
    ("GET", "/api/v1/intake/{id}", "auop"),
    ("GET", "/api/v1/intake/{id}/preview", "ao"),
    ("GET", "/api/v1/intake/{id}/trial", "ao"),
    ("POST", "/api/v1/intake/{id}/assign", "ao"),
    ("POST", "/api/v1/intake/{id}/retry", "ao"),
    ("POST", "/api/v1/intake/{id}/hold", "ao"),
    ("POST", "/api/v1/intake/{id}/release", "ao"),
    ("POST", "/api/v1/intake/{id}/discard", "a"),
    ("GET", "/api/v1/intake-rules", "auop"),
    ("POST", "/api/v1/intake-rules", "ao"),
    ("DELETE", "/api/v1/intake-rules/{number}", "ao"),
    ("GET", "/api/v1/intake-queues", "auop"),
    ("POST", "/api/v1/intake-queues", "ao"),
    ("POST", "/api/v1/uploads", "ao"),
    ("GET", "/api/v1/uploads/{id}", "ao"),
    ("PATCH", "/api/v1/uploads/{id}", "ao"),
    ("DELETE", "/api/v1/uploads/{id}", "ao"),
    ("GET", "/api/v1/audit", "avu"),
    ("GET", "/api/v1/audit/export", "avu"),
    ("POST", "/api/v1/session", "public"),
    ("GET", "/api/v1/session", "agsvuocp"),
    ("DELETE", "/api/v1/session", "agsvuocp"),
    ("GET", "/api/v1/sessions", "agsvuocp"),
    ("DELETE", "/api/v1/sessions/{id}", "agsvuocp"),
    ("GET", "/api/v1/customers", "agsv"),
    ("POST", "/api/v1/customers", "as"),
    ("POST", "/api/v1/customers:resolve", "agsv"),
    ("GET", "/api/v1/customers/{id}", "agsvc"),
    ("PATCH", "/api/v1/customers/{id}", "as"),
    ("GET", "/api/v1/customers/{id}/history", "agsv"),
    ("GET", "/api/v1/customers/{id}/timeline", "agsvc"),
    ("GET", "/api/v1/customers/{id}/consents", "agsvc"),
    ("GET", "/api/v1/accounts", "agsv"),
    ("POST", "/api/v1/accounts", "as"),
    ("GET", "/api/v1/accounts/{number}", "agsvc"),
    ("PATCH", "/api/v1/accounts/{number}", "as"),
    ("GET", "/api/v1/accounts/{number}/timeline", "agsvc"),
    ("GET", "/api/v1/accounts/{number}/series", "agsvuc"),
    ("GET", "/api/v1/accounts/{number}/preferences", "agsvc"),
    ("POST", "/api/v1/accounts/{number}/preferences", "agsvc"),
    ("POST", "/api/v1/accounts/{number}/pin-letter", "as"),
    ("GET", "/api/v1/contact-points", "agsvc"),
    ("POST", "/api/v1/contact-points", "agsvc"),
    ("GET", "/api/v1/contact-points/{id}", "agsvc"),
    ("PATCH", "/api/v1/contact-points/{id}", "agsvc"),
    ("GET", "/api/v1/interactions", "agsv"),
    ("POST", "/api/v1/interactions", "agsv"),
    ("GET", "/api/v1/interactions/{id}", "agsv"),
    ("PATCH", "/api/v1/interactions/{id}", "agsv"),
    ("GET", "/api/v1/wrap-up-codes", "agsv"),
    ("POST", "/api/v1/wrap-up-codes", "a"),
    ("GET", "/api/v1/notes", "agsvuc"),
    ("POST", "/api/v1/notes", "agsv"),
    ("GET", "/api/v1/notes/{id}", "agsvc"),
    ("PATCH", "/api/v1/notes/{id}", "agsv"),
    ("DELETE", "/api/v1/notes/{id}", "agsv"),
    ("GET", "/api/v1/notes/{id}/history", "agsv"),
    ("GET", "/api/v1/requests", "agsv"),
    ("POST", "/api/v1/requests", "agsvc"),
    ("GET", "/api/v1/requests/{id}", "agsvc"),
    ("PATCH", "/api/v1/requests/{id}", "agsv"),
    ("POST", "/api/v1/requests/{id}/messages", "agsvc"),
    ("GET", "/api/v1/requests/{id}/history", "agsv"),
    ("GET", "/api/v1/saved-searches", "agsvc"),
    ("POST", "/api/v1/saved-searches", "agsvc"),
    ("DELETE", "/api/v1/saved-searches/{name}", "agsvc"),
    ("GET", "/api/v1/disclosures", "agsvc"),
    ("POST", "/api/v1/disclosures", "a"),
    ("POST", "/api/v1/consents", "agsvc"),
    ("GET", "/api/v1/consents/{id}", "agsvc"),
    ("PATCH", "/api/v1/consents/{id}", "agsvc"),
    ("GET", "/api/v1/documents/{id}/deliveries", "agsvuc"),
    ("POST", "/api/v1/documents/{id}/deliveries", "agsv"),
    ("GET", "/api/v1/deliveries/{id}", "agsv"),
    ("DELETE", "/api/v1/deliveries/{id}", "agsv"),
    ("GET", "/api/v1/documents/{id}/links", "agsv"),
    ("POST", "/api/v1/documents/{id}/links", "agsv"),
    ("DELETE", "/api/v1/links/{id}", "agsv"),
    ("GET", "/api/v1/documents/{id}/compare", "agsvuc"),
    ("GET", "/api/v1/enrolment", "public"),
    ("POST", "/api/v1/enrolment", "public"),
    ("GET", "/d/{token}", "public"),
    ("POST", "/d/{token}", "public"),
    ("GET", "/api/openapi.json", "public"),
    ("GET", "/live", "public"),
    ("GET", "/health", "public"),
    ("GET", "/metrics", "public"),
    ("GET", "/", "public"),
    ("POST", "/sign-in", "public"),
    ("GET", "/sign-in/code", "public"),
    ("POST", "/sign-in/code", "public"),
    ("GET", "/oidc/start", "public"),
    ("GET", "/oidc/callback", "public"),
    ("POST", "/sign-out", "agsvuocp"),
    ("GET", "/language", "public"),
    ("GET", "/theme", "public"),
    ("GET", "/static/{version}/{name}", "public"),
    ("GET", "/agent", "agsv"),
    ("GET", "/agent/results", "agsv"),
    ("GET", "/agent/documents/{id}", "agsv"),
    ("GET", "/agent/documents/{id}/find", "agsv"),
    ("POST", "/agent/saved", "agsv"),
    ("POST", "/agent/saved/forget", "agsv"),
    ("GET", "/agent/pop", "agsv"),
    ("POST", "/agent/calls", "agsv"),
    ("GET", "/agent/calls/{id}", "agsv"),
    ("POST", "/agent/calls/{id}/choose", "agsv"),
    ("POST", "/agent/calls/{id}/verify", "agsv"),
    ("POST", "/agent/calls/{id}/end", "agsv"),
    ("GET", "/agent/customers/{id}", "agsv"),
    ("GET", "/agent/accounts/{number}", "agsv"),
    ("POST", "/agent/accounts/{number}/pin-letter", "as"),
    ("POST", "/agent/notes", "agsv"),
    ("POST", "/agent/notes/{id}/withdraw", "agsv"),
    ("GET", "/agent/requests", "agsv"),
    ("GET", "/agent/requests/{id}", "agsv"),
    ("POST", "/agent/requests/{id}/reply", "agsv"),
    ("POST", "/agent/requests/{id}/change", "agsv"),
    ("POST", "/agent/documents/{id}/send", "agsv"),
    ("GET", "/agent/documents/{id}/compare", "agsvuc"),
    ("GET", "/my", "ac"),
    ("GET", "/my/documents/{id}", "ac"),
    ("GET", "/my/documents/{id}/compare", "ac"),
    ("GET", "/my/documents/{id}/ask", "agsvc"),
    ("POST", "/my/documents/{id}/ask", "agsvc"),
    ("GET", "/my/questions", "ac"),
    ("GET", "/my/questions/{id}", "ac"),
    ("POST", "/my/questions/{id}/reply", "agsvc"),
    ("GET", "/my/settings", "ac"),
    ("POST", "/my/settings/language", "ac"),
    ("POST", "/my/settings/delivery", "ac"),
    ("GET", "/my/consent", "ac"),
    ("POST", "/my/consent/sample", "ac"),
    ("POST", "/my/consent/confirm", "ac"),
    ("POST", "/my/consent/withdraw", "ac"),
    ("GET", "/my/activity", "ac"),
    ("GET", "/my/period", "ac"),
    ("GET", "/my/period/zip", "ac"),
    ("GET", "/enrol", "public"),
    ("POST", "/enrol", "public"),
    ("GET", "/account", "agsvuocp"),
    ("POST", "/account/language", "agsvuocp"),
    ("POST", "/account/password", "agsvuocp"),
    ("POST", "/account/second", "agsvuocp"),
    ("POST", "/account/sessions", "agsvuocp"),
    ("GET", "/admin/people", "avu"),
    ("POST", "/admin/users", "a"),
    ("POST", "/admin/roles", "a"),
    ("POST", "/admin/groups", "a"),
    ("POST", "/admin/policies", "a"),
    ("GET", "/api/v1/distribution/runs", "auop"),
    ("POST", "/api/v1/distribution/runs", "ao"),
    ("GET", "/api/v1/distribution/runs/{run}", "auop"),
    ("GET", "/api/v1/distribution/runs/{run}/pieces", "auop"),
    ("GET", "/api/v1/distribution/runs/{run}/manifest", "auop"),
    ("POST", "/api/v1/distribution/runs/{run}", "auop"),
    ("GET", "/admin/distribution", "auop"),
    ("POST", "/admin/distribution", "auop"),
    ("GET", "/admin/arrivals", "auop"),
    ("POST", "/admin/arrivals", "ao"),
    ("POST", "/admin/queues", "ao"),
    ("GET", "/admin/arrivals/{id}", "auop"),
    ("POST", "/admin/arrivals/{id}", "ao"),
    ("GET", "/admin/rules", "auop"),
    ("POST", "/admin/rules", "ao"),
    ("GET", "/admin/loads", "auop"),
    ("GET", "/admin/loads/{id}", "auop"),
    ("POST", "/admin/loads/{id}", "a"),
    ("GET", "/admin/definitions", "auopv"),
    ("GET", "/admin/definitions/{name}", "auopv"),
    ("GET", "/admin/definition", "auopv"),
    ("POST", "/admin/definition", "auopv"),
    ("GET", "/admin/audit", "avu"),
    ("GET", "/admin/audit/export", "avu"),
    ("GET", "/admin", "auopv"),
];

/// The route's path with documents and loads that exist; documents of account 4711.
fn path(pattern: &str) -> String {
    let id = if pattern.contains("loads") { "1" } else { "1-1" };
    let path = pattern.replace("{id}", id).replace("{number}", "4711").replace("{token}", "none");
    path.replace("{name}", "none.css").replace("{version}", "0")
}

#[test]
fn every_route_is_written_down_with_whom_it_is_for() {
    let routes: Vec<_> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
    let known: Vec<_> = WHO.iter().map(|(method, path, _)| (*method, *path)).collect();
    let missing: Vec<_> = routes.iter().filter(|route| !known.contains(route)).collect();
    let gone: Vec<_> = known.iter().filter(|route| !routes.contains(route)).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not in WHO: {missing:?}; no route any more: {gone:?}");
}

#[test]
fn every_route_answers_every_role_as_written_and_leaks_nothing() {
    let world = World::new();
    let letters = [
        ("a", "administrator"),
        ("g", "agent"),
        ("s", "senior-agent"),
        ("v", "supervisor"),
        ("u", "auditor"),
        ("o", "operator"),
        ("p", "approver"),
        ("c", "customer"),
    ];
    let built_in: Vec<String> = crate::auth::role::built_in().into_iter().map(|role| role.name).collect();
    assert_eq!(letters.map(|(_, role)| role.to_string()).as_slice(), built_in, "a new role is asked too");
    // Everybody but the two customers sees all documents or none; `dora` owns 4712, `carl` 4711.
    let mut people = vec![("nobody".to_string(), None), ("dora".into(), Some("c")), ("carl".into(), Some("c"))];
    for (letter, role) in letters.iter().filter(|(_, role)| *role != "customer") {
        world.add(role, role);
        people.push(((*role).to_string(), Some(*letter)));
    }
    for route in ROUTES {
        let (_, _, who) =
            WHO.iter().find(|(method, path, _)| *method == route.method && *path == route.path).expect("known");
        for (name, letter) in &people {
            let session = letter.map(|_| world.session(name));
            let mut headers = Vec::new();
            if let Some((cookie, csrf)) = &session {
                headers.extend([cookie.clone(), header("X-CSRF-Token", csrf)]);
            }
            let reply = world.ask(route.method, &path(route.path), &headers, b"");
            let told = format!("{} {} as {name}: {} {}", route.method, route.path, reply.status, reply.text());
            assert_ne!(reply.status / 100, 5, "{told}");
            assert!(!reply.header("content-security-policy").is_empty(), "{told}");
            assert_eq!(reply.header("x-content-type-options"), "nosniff", "{told}");
            match letter {
                // Without a name and a password nobody gets in, and nobody is told more.
                _ if matches!(route.path, "/sign-in" | "/oidc/callback") => {
                    assert!(matches!(reply.status, 401 | 429), "{told}");
                }
                _ if *who == "public" => assert!(!matches!(reply.status, 401 | 403), "{told}"),
                None if route.is_api() => assert_eq!(reply.status, 401, "{told}"),
                None => {
                    assert_eq!(reply.status, 303, "{told}");
                    assert!(reply.header("location").starts_with("/?next=") || route.method != "GET", "{told}");
                }
                Some(letter) if !who.contains(letter) => assert_eq!(reply.status, 403, "{told}"),
                Some(_) => assert!(reply.status != 401, "{told}"),
            }
            let others = letter.is_none() || *name == "dora" || *name == "operator" || *name == "approver";
            if others && route.path.contains("documents/{id}") {
                assert!(matches!(reply.status, 303 | 400 | 401 | 403 | 404), "{told}");
            }
            if others {
                let text = reply.text();
                assert!(!text.contains("Ada") && !text.contains("long report"), "{told}");
            }
            // What belongs to somebody is kept by no browser and no proxy for the next one.
            let cached = reply.header("cache-control");
            let content = route.path.ends_with("/content") && reply.status == 200;
            assert!(*who == "public" || cached == "no-store" || (content && cached.contains("private")), "{told}");
        }
    }
    // Whoever sees, finds, prints, takes or sends something does it by a right, and the record says which.
    let records = world.audit();
    let seen = [
        "read",
        "download",
        "print",
        "original",
        "search",
        "send",
        "customer",
        "export-load",
        "audit-search",
        "audit-export",
    ];
    for record in records.iter().filter(|record| seen.contains(&record.kind.as_str())) {
        let told = format!("{} {} {} by {}", record.kind, record.what, record.why, record.who);
        assert!(!record.right.is_empty() && !record.from.is_empty() && !record.time.is_empty(), "{told}");
    }
    for kind in ["read", "search", "customer"] {
        assert!(records.iter().any(|record| record.kind == kind), "nobody did {kind}");
    }
}

#[test]
fn a_hidden_document_costs_the_work_of_one_that_is_not_there() {
    let world = World::new();
    let dora = [world.key("dora")];
    let work = |id: &str| {
        let before = (world.fake.asked.load(Ordering::Relaxed), world.audit().len());
        assert_eq!(world.get(&format!("/api/v1/documents/{id}"), &dora).status, 404);
        assert_eq!(world.get(&format!("/api/v1/documents/{id}/content?format=text"), &dora).status, 404);
        (world.fake.asked.load(Ordering::Relaxed) - before.0, world.audit().len() - before.1)
    };
    assert_eq!(work("1-1"), work("1-9"));
}

#[test]
fn policies_and_groups_rule_pages_lists_and_content_alike() {
    let world = World::new();
    let ann = [world.key("ann")];
    let seen = || {
        let total = world.get("/api/v1/documents", &ann).json()["total"].as_u64().expect("a number");
        let status: Vec<u16> =
            (1..=3).map(|n| world.get(&format!("/api/v1/documents/1-{n}/content?format=text"), &ann).status).collect();
        (total, status)
    };
    assert_eq!(seen(), (3, vec![200, 200, 200]));
    world.limit("desk", "account in user.desk", "agent");
    assert_eq!(seen(), (0, vec![404, 404, 404]), "also what was in the cache");
    let desk = Attributes::from([("desk".into(), vec!["4712".into()])]);
    world.directory.set_group(&Group { name: "north".into(), roles: Vec::new(), attributes: desk }).expect("set");
    world.users.set_groups("ann", vec!["north".into()]).expect("set");
    assert_eq!(seen(), (1, vec![404, 200, 404]));
    let read = world.audit().into_iter().find(|record| record.kind == "read").expect("recorded");
    assert_eq!(read.right, "document.read by role agent");
}

#[test]
fn a_scoped_key_does_only_what_its_scopes_say() {
    let world = World::new();
    let scopes = Some([Permission::DocumentRead].into_iter().collect());
    let (text, _) = world.keys.make_scoped("root", "reader", None, scopes).expect("made");
    let key = [header("Authorization", &format!("Bearer {text}"))];
    assert_eq!(world.get("/api/v1/documents", &key).json()["total"], 3);
    for path in
        ["/api/v1/loads", "/api/v1/audit", "/api/v1/customers/x", "/api/v1/documents/1-1/content?format=original"]
    {
        assert_eq!(world.get(path, &key).status, 403, "{path}");
    }
    assert_eq!(world.get("/api/v1/session", &key).json()["permissions"], serde_json::json!(["document.read"]));
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
