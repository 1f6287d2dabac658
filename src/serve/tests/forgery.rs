//! Sessions, forged requests, guessing.

use super::support::{PASSWORD, World, header};

fn sign_in(world: &World, name: &str, password: &str) -> super::support::Reply {
    let body = format!("{{\"name\":\"{name}\",\"password\":\"{password}\"}}");
    world.ask("POST", "/api/v1/session", &[header("Content-Type", "application/json")], body.as_bytes())
}

#[test]
fn a_person_signs_in_reads_and_signs_out() {
    let world = World::new();
    let form = format!("name=carl&password={}&next=%2Fmy%3Fq%3Dfee", PASSWORD.replace(' ', "+"));
    let reply = world.ask("POST", "/sign-in", &[], form.as_bytes());
    assert_eq!((reply.status, reply.header("location")), (303, "/my?q=fee"), "{}", reply.text());
    let cookie = reply.header("set-cookie").to_string();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    let cookie = header("Cookie", cookie.split(';').next().expect("a pair"));
    let page = world.get("/my", std::slice::from_ref(&cookie));
    assert!(
        page.status == 200 && page.text().contains("1,234,567.00") && !page.text().contains("Bob"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("a &lt;late&gt; <mark>fee</mark>"), "highlights are escaped: {}", page.text());
    let who = world.get("/api/v1/session", std::slice::from_ref(&cookie)).json();
    let csrf = who["csrf_token"].as_str().expect("a token").to_string();
    let out = world.ask("POST", "/sign-out", std::slice::from_ref(&cookie), format!("csrf={csrf}").as_bytes());
    assert_eq!(out.status, 303, "{}", out.text());
    assert!(out.header("clear-site-data").contains("cache"));
    assert_eq!(world.get("/api/v1/session", &[cookie]).status, 401, "the session is gone, not only the cookie");
}

#[test]
fn state_changes_in_a_session_need_its_token_and_come_from_our_pages() {
    let world = World::new();
    let (cookie, csrf) = world.session("root");
    let send = |headers: &[(String, String)]| world.ask("POST", "/api/v1/loads", headers, b"stream");
    assert_eq!(send(std::slice::from_ref(&cookie)).json()["code"], "csrf");
    assert_eq!(send(&[cookie.clone(), header("X-CSRF-Token", "wrong")]).status, 403);
    let (_, others) = world.session("root");
    assert_eq!(send(&[cookie.clone(), header("X-CSRF-Token", &others)]).status, 403, "another session's token");
    let token = header("X-CSRF-Token", &csrf);
    assert_eq!(send(&[cookie.clone(), token.clone(), header("Origin", "https://evil.example")]).status, 403);
    assert_eq!(send(&[cookie.clone(), token.clone(), header("Sec-Fetch-Site", "cross-site")]).status, 403);
    assert_eq!(send(&[cookie.clone(), token]).status, 202);
    assert_eq!(send(&[world.key("root")]).status, 202, "keys are not sent by browsers");
    assert_eq!(world.ask("POST", "/sign-out", std::slice::from_ref(&cookie), b"").status, 403);
    assert_eq!(world.ask("DELETE", "/api/v1/session", std::slice::from_ref(&cookie), b"").status, 403);
    let login = world.ask("POST", "/sign-in", &[header("Origin", "https://evil.example")], b"name=ann&password=x");
    assert_eq!(login.status, 403, "nobody is signed in by another site");
}

#[test]
fn unknown_names_and_wrong_passwords_look_alike_and_guessing_has_to_wait() {
    let world = World::new();
    let mut wrong = sign_in(&world, "ann", "not this one");
    let mut unknown = sign_in(&world, "nobody", "not this one");
    wrong.headers.remove("date");
    unknown.headers.remove("date");
    assert_eq!((wrong.status, &wrong), (401, &unknown));
    for _ in 0..4 {
        assert_eq!(sign_in(&world, "ann", "not this one").status, 401);
    }
    let locked = sign_in(&world, "ann", PASSWORD);
    assert_eq!(locked.status, 429, "also with the right password");
    let page = world.ask("POST", "/sign-in", &[], b"name=ann&password=x");
    assert_eq!(page.status, 429);
    assert!(page.header("retry-after").parse::<u32>().is_ok_and(|wait| wait > 0), "{page:?}");
    assert!(locked.header("retry-after").parse::<u32>().is_ok_and(|wait| wait > 0));
    assert_eq!(sign_in(&world, "carl", PASSWORD).status, 200, "others are not locked out");
    let kinds: Vec<_> = world.audit().into_iter().map(|r| (r.kind, r.what)).collect();
    assert_eq!(kinds.iter().filter(|(kind, what)| kind == "sign-in-failed" && what == "ann").count(), 5);
}

#[test]
fn a_session_can_be_listed_and_revoked_by_its_owner_only() {
    let world = World::new();
    let (first, csrf) = world.session("ann");
    let (second, _) = world.session("ann");
    let (dora, dora_csrf) = world.session("dora");
    let list = world.get("/api/v1/sessions", std::slice::from_ref(&first)).json();
    let sessions = list["sessions"].as_array().expect("a list");
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|s| s["current"] == false).expect("the second")["id"].as_str().expect("an id");
    for method in ["GET", "DELETE"] {
        let place = if method == "GET" { "/api/v1/sessions".to_string() } else { format!("/api/v1/sessions/{other}") };
        assert_eq!(world.ask(method, &place, &[world.key("ann")], b"").status, 403, "a key stands for no person");
    }
    let path = format!("/api/v1/sessions/{other}");
    assert_eq!(world.ask("DELETE", &path, &[dora, header("X-CSRF-Token", &dora_csrf)], b"").status, 404);
    assert_eq!(world.ask("DELETE", &path, &[first.clone(), header("X-CSRF-Token", &csrf)], b"").status, 204);
    assert_eq!(world.get("/api/v1/session", &[second]).status, 401);
    assert_eq!(world.get("/api/v1/session", &[first]).status, 200);
}

#[test]
fn cookies_behind_tls_have_the_host_prefix() {
    let world = World::with(|config| config.secure_cookies = true);
    let reply = sign_in(&world, "ann", PASSWORD);
    let cookie = reply.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-greenbar=") && cookie.contains("Secure") && cookie.contains("Path=/"),
        "{cookie}"
    );
    assert!(!reply.header("strict-transport-security").is_empty());
}

#[test]
fn pages_come_in_both_languages() {
    let world = World::new();
    assert!(world.get("/", &[header("Accept-Language", "zh-CN,en;q=0.5")]).text().contains("登录"));
    assert!(world.get("/", &[]).text().contains("Sign in"));
    let switch = world.get("/language?to=zh-CN&back=%2F%3Fnext%3D%252Fmy", &[]);
    assert_eq!((switch.status, switch.header("location")), (303, "/?next=%2Fmy"));
    assert_eq!(world.get("/language?to=en&back=%2F%2Fevil.example", &[]).header("location"), "/");
    for (path, user) in [
        ("/agent?q=fee&sort=best", "ann"),
        ("/agent/documents/1-3?page=30", "ann"),
        ("/my/documents/1-1?tab=html&find=fee", "carl"),
        ("/admin", "root"),
    ] {
        for language in ["en", "zh-CN"] {
            let page = world.get(path, &[world.session(user).0, header("Accept-Language", language)]);
            assert_eq!(page.status, 200, "{path}: {}", page.text());
            assert!(page.text().contains(&format!("<html lang=\"{language}\">")), "{path}");
            assert!(!page.text().contains(" style=") && !page.text().contains(" onclick="), "nothing inline: {path}");
        }
    }
}
