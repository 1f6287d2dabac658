//! The own account, the second factor, sign-in through a provider.

use super::support::{PASSWORD, Reply, World, header};
use crate::auth::permission::Permission;
use crate::auth::second::SecondFactors;
use crate::serve::backend::Backend;

fn form(world: &World, path: &str, session: &[(String, String)], pairs: &[(&str, &str)]) -> Reply {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
    world.ask("POST", path, session, pairs.join("&").as_bytes())
}

fn cookie(reply: &Reply) -> (String, String) {
    header("Cookie", reply.header("set-cookie").split(';').next().expect("a pair"))
}

/// The secret that a page shows for typing.
fn secret(page: &str) -> String {
    let (_, rest) = page.split_once("<span class=\"code\">").unwrap_or_else(|| panic!("no secret: {page}"));
    rest.split('<').next().expect("text").replace(' ', "")
}

/// Signs `user` in at the pages and enrols a second factor; returns the session, its token, and the recovery codes.
fn enrolled(world: &World, user: &str) -> ((String, String), String, Vec<String>) {
    let (session, csrf) = world.session(user);
    let own = [session.clone()];
    let begun = form(world, "/account/second", &own, &[("csrf", &csrf), ("what", "begin")]);
    assert!(begun.text().contains("<path d=\"M0 0h1v1h-1z"), "a QR code: {}", begun.text());
    let code = crate::auth::second::code_for_tests(&secret(&begun.text()));
    let done = form(world, "/account/second", &own, &[("csrf", &csrf), ("what", "confirm"), ("code", &code)]);
    assert_eq!(done.status, 200, "{}", done.text());
    let page = done.text();
    let codes = page.split("<li>").skip(1).filter_map(|part| Some(part.split_once("</li>")?.0.to_string()));
    (session, csrf, codes.filter(|code| code.len() == 19).collect())
}

#[test]
fn a_code_is_wanted_after_the_password_once_a_second_factor_is_on() {
    let world = World::new();
    let (session, _, codes) = enrolled(&world, "ann");
    assert_eq!(codes.len(), 10, "{codes:?}");
    assert_eq!(world.get("/agent", &[session]).status, 200, "the session goes on");

    let half = form(&world, "/sign-in", &[], &[("name", "ann"), ("password", PASSWORD), ("next", "/agent")]);
    assert_eq!((half.status, half.header("location")), (303, "/sign-in/code?next=%2Fagent"));
    let cookie_of_half = cookie(&half);
    assert_eq!(world.get("/api/v1/session", std::slice::from_ref(&cookie_of_half)).status, 401, "half is not in");
    assert_eq!(world.get("/agent", std::slice::from_ref(&cookie_of_half)).status, 303);
    let wrong =
        form(&world, "/sign-in/code", std::slice::from_ref(&cookie_of_half), &[("code", "000000"), ("next", "/agent")]);
    assert_eq!(wrong.status, 401);
    let whole = form(
        &world,
        "/sign-in/code",
        std::slice::from_ref(&cookie_of_half),
        &[("code", &codes[0]), ("next", "/agent")],
    );
    assert_eq!((whole.status, whole.header("location")), (303, "/agent"), "{}", whole.text());
    assert_eq!(world.get("/agent", &[cookie(&whole)]).status, 200);
    assert_eq!(world.get("/agent", std::slice::from_ref(&cookie_of_half)).status, 303, "the half session is over");
    let again = form(&world, "/sign-in/code", &[cookie_of_half], &[("code", &codes[1])]);
    assert_eq!((again.status, again.header("location")), (303, "/"));

    let json = |code: &str| {
        let body = format!("{{\"name\":\"ann\",\"password\":\"{PASSWORD}\"{code}}}");
        world.ask("POST", "/api/v1/session", &[header("Content-Type", "application/json")], body.as_bytes())
    };
    assert_eq!(json("").json()["code"], "second-factor");
    assert_eq!(json(&format!(",\"code\":\"{}\"", codes[0])).status, 401, "a recovery code is good once");
    assert_eq!(json(&format!(",\"code\":\"{}\"", codes[1])).status, 200);
}

#[test]
fn codes_cannot_be_guessed_by_signing_in_again_and_again() {
    let world = World::new();
    enrolled(&world, "ann");
    let try_code = |code: &str| {
        let body = format!("{{\"name\":\"ann\",\"password\":\"{PASSWORD}\",\"code\":\"{code}\"}}");
        world.ask("POST", "/api/v1/session", &[header("Content-Type", "application/json")], body.as_bytes()).status
    };
    let answers: Vec<u16> = (0..7).map(|n| try_code(&format!("00000{n}"))).collect();
    assert!(answers.starts_with(&[401, 401, 401]) && answers.ends_with(&[429]), "{answers:?}");
}

#[test]
fn a_role_that_wants_a_second_factor_gives_nothing_until_there_is_one() {
    let world = World::new();
    let mut agent = world.directory.role("agent").expect("read").expect("there");
    agent.second_factor = true;
    world.directory.set_role(&agent).expect("set");
    let (session, _) = world.session("ann");
    let own = [session.clone()];
    assert_eq!(world.get("/agent", &own).status, 403);
    assert_eq!(world.get("/api/v1/documents", &own).status, 403);
    assert_eq!(world.get("/api/v1/session", &own).json()["permissions"], serde_json::json!([]));
    assert!(world.get("/account", &own).text().contains("Your role needs a second factor"));
    let (session, _, _) = enrolled(&world, "ann");
    assert_eq!(world.get("/agent", &[session]).status, 200);
    assert_eq!(world.get("/agent", &own).status, 403, "the other session has shown none");
}

#[test]
fn the_own_account_changes_password_language_and_sessions() {
    let world = World::new();
    let (session, csrf) = world.session("carl");
    let (other, _) = world.session("carl");
    let own = [session.clone()];
    let change = |current: &str, new: &str, again: &str| {
        let pairs = [("csrf", csrf.as_str()), ("current", current), ("new", new), ("again", again)];
        form(&world, "/account/password", &own, &pairs).status
    };
    assert_eq!(change("wrong horse", "a new password", "a new password"), 400);
    assert_eq!(change(PASSWORD, "a new password", "another password"), 400);
    assert_eq!(change(PASSWORD, "short", "short"), 400);
    assert_eq!(change(PASSWORD, "a new password", "a new password"), 303);
    assert!(world.users.check("carl", "a new password").expect("checked").is_some());
    assert_eq!(world.get("/my", &[other]).status, 303, "other sessions end with the old password");
    assert_eq!(form(&world, "/account/language", &own, &[("csrf", &csrf), ("language", "zh-CN")]).status, 303);
    assert!(world.get("/account", &own).text().contains("<html lang=\"zh-CN\""));
    let (third, _) = world.session("carl");
    assert_eq!(form(&world, "/account/sessions", &own, &[("csrf", &csrf), ("id", "others")]).status, 303);
    assert_eq!((world.get("/my", &[third]).status, world.get("/my", &own).status), (303, 200));
    assert_eq!(form(&world, "/account/language", &own, &[("language", "en")]).status, 403, "without the token");
    let key = [world.key("carl")];
    assert_eq!(form(&world, "/account/language", &key, &[("language", "en")]).status, 403, "a program changes nothing");
}

#[test]
fn users_and_policies_are_administered_at_the_pages() {
    let world = World::new();
    let (session, csrf) = world.session("root");
    let own = [session];
    let send = |path: &str, pairs: &[(&str, &str)]| {
        let pairs = [&[("csrf", csrf.as_str())], pairs].concat();
        form(&world, path, &own, &pairs)
    };
    let made =
        send("/admin/users", &[("what", "add"), ("name", "Sue"), ("role", "senior-agent"), ("display", "Sue S")]);
    assert!(made.status == 200 && made.text().contains("notice--ok"), "{}", made.text());
    assert_eq!(world.users.get("sue").expect("read").expect("there").role, "senior-agent");
    let wrong = send("/admin/users", &[("what", "add"), ("name", "x"), ("role", "king"), ("display", "Mr X")]);
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("value=\"Mr X\""), "what was typed is not lost: {}", wrong.text());
    let wrong = send("/admin/users", &[("what", "change"), ("name", "sue"), ("role", "agent"), ("attributes", "odd")]);
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("value=\"odd\"") && wrong.text().contains("<details open>"), "{}", wrong.text());
    assert_eq!(send("/admin/users", &[("what", "disable"), ("name", "root")]).status, 400, "not oneself");
    let nowhere = [("what", "change"), ("name", "sue"), ("role", "agent"), ("groups", "north")];
    assert_eq!(send("/admin/users", &nowhere).status, 400, "there is no such group");
    assert_eq!(send("/admin/groups", &[("what", "set"), ("name", "north"), ("roles", "agent")]).status, 303);
    let changed =
        [("what", "change"), ("name", "sue"), ("role", "agent"), ("groups", "north"), ("attributes", "region=n,s")];
    assert_eq!(send("/admin/users", &changed).status, 303);
    let sue = world.users.get("sue").expect("read").expect("there");
    assert_eq!((sue.groups.len(), sue.attributes["region"].len()), (1, 2));
    let policy =
        [("what", "set"), ("name", "p"), ("effect", "limit"), ("rule", "region = user.region"), ("roles", "agent")];
    let unknown = send("/admin/policies", &policy);
    assert!(unknown.status == 400 && unknown.text().contains("amount_due"), "the known fields: {}", unknown.text());
    assert_eq!(world.directory.policies().expect("read").len(), 0);
    let forced = [policy.as_slice(), &[("force", "1")]].concat();
    assert_eq!(send("/admin/policies", &forced).status, 303);
    assert_eq!(world.directory.policies().expect("read").len(), 1);
    let bad = send("/admin/policies", &[("what", "set"), ("name", "q"), ("effect", "limit"), ("rule", "region =")]);
    assert!(bad.status == 400 && bad.text().contains("character"), "{}", bad.text());
    let role = [("what", "set"), ("name", "clerk"), ("permissions", "document.read console.use"), ("reach", "none")];
    assert_eq!(send("/admin/roles", &role).status, 303);
    let clerk = world.directory.role("clerk").expect("read").expect("there");
    assert!(clerk.permissions.has(Permission::ConsoleUse));
    assert_eq!(send("/admin/groups", &[("what", "set"), ("name", "north"), ("roles", "clerk")]).status, 303);
    let page = world.get("/admin/people", &own).text();
    for text in ["senior-agent", "region = user.region", "clerk", "north", "document.read"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(world.audit().iter().any(|record| record.kind == "policy" && record.right == "policy.write"));
}

#[test]
fn without_a_provider_there_is_no_such_sign_in() {
    let world = World::new();
    assert_eq!(world.get("/oidc/start", &[]).status, 404);
    assert!(!world.get("/", &[]).text().contains("/oidc/start"));
    let answer = world.get("/oidc/callback?code=x&state=y", &[header("Cookie", "greenbar_oidc=z")]);
    assert_eq!(answer.status, 401);
    assert!(answer.header("set-cookie").contains("greenbar_oidc=;"), "{:?}", answer.headers);
    let factors = SecondFactors::new(world.fake.engine(), Default::default());
    assert!(!factors.has("ann").expect("read"));
}

/// The page of people as somebody with a session, whose forms are sent with the token.
fn as_user<'w>(world: &'w World, name: &str) -> impl Fn(&str, &[(&str, &str)]) -> Reply + use<'w> {
    let (session, csrf) = world.session(name);
    move |path, pairs| {
        let pairs = [&[("csrf", csrf.as_str())], pairs].concat();
        form(world, path, std::slice::from_ref(&session), &pairs)
    }
}

/// What stands in the audit about a user, oldest first: outcome and why.
fn told_of(world: &World, name: &str) -> Vec<(String, String)> {
    let records = world.audit().into_iter().filter(|record| record.kind == "user" && record.what == name);
    records.map(|record| (record.outcome().to_string(), record.why.clone())).collect()
}

#[test]
fn a_change_that_is_wrong_in_one_part_changes_nothing_and_is_not_recorded_as_done() {
    let world = World::new();
    let send = as_user(&world, "root");
    let before = world.users.get("ann").expect("read");
    let sent = [("what", "change"), ("name", "ann"), ("role", "administrator"), ("attributes", "no value")];
    assert_eq!(send("/admin/users", &sent).status, 400);
    assert_eq!(world.users.get("ann").expect("read"), before, "nothing was changed");
    assert_eq!(told_of(&world, "ann"), []);
    let sent = [("what", "change"), ("name", "ann"), ("role", "supervisor"), ("attributes", "region=north")];
    assert_eq!(send("/admin/users", &sent).status, 303);
    let told = "change from role=agent to role=supervisor; region=north".to_string();
    assert_eq!(told_of(&world, "ann"), [("done".to_string(), told)]);
    let sent = [("what", "change"), ("name", "ann"), ("role", "customer"), ("accounts", "4711")];
    assert_eq!(send("/admin/users", &sent).status, 303, "another role with what it needs, in one step");
    assert_eq!(world.users.get("ann").expect("read").expect("there").accounts, ["4711"]);
}

#[test]
fn nobody_gives_more_than_they_have() {
    let world = World::new();
    let root = as_user(&world, "root");
    let may = "admin.use user.read user.write";
    let role = [("what", "set"), ("name", "helpdesk"), ("permissions", may), ("reach", "none")];
    assert_eq!(root("/admin/roles", &role).status, 303);
    world.add("hilda", "helpdesk");
    let hilda = as_user(&world, "hilda");
    let add = |name, role| hilda("/admin/users", &[("what", "add"), ("name", name), ("role", role)]).status;
    assert_eq!((add("evil", "administrator"), add("desk", "agent"), add("peer", "helpdesk")), (400, 200, 200));
    assert!(world.users.get("evil").expect("read").is_none());
    assert!(matches!(told_of(&world, "evil").as_slice(), [(outcome, _)] if outcome == "refused"));
    for what in ["password", "second", "disable", "sessions", "key"] {
        assert_eq!(hilda("/admin/users", &[("what", what), ("name", "root")]).status, 400, "{what}");
    }
    assert_eq!(hilda("/admin/users", &[("what", "password"), ("name", "ann")]).status, 200);
    let raised = [("what", "change"), ("name", "ann"), ("role", "senior-agent")];
    assert_eq!(hilda("/admin/users", &raised).status, 400);
}

#[test]
fn keys_are_made_and_ended_on_the_page() {
    let world = World::new();
    let root = as_user(&world, "root");
    let sent = [("what", "key"), ("name", "ann"), ("label", "CRM"), ("scopes", "document.read")];
    let page = root("/admin/users", &sent).text();
    let key = page.split("gbk_").nth(1).expect("shown once");
    let key: String = key.chars().take_while(char::is_ascii_hexdigit).collect();
    let headers = [header("Authorization", &format!("Bearer gbk_{key}"))];
    assert_eq!(world.get("/api/v1/documents", &headers).status, 200);
    let kept = world.keys.list(Some("ann")).expect("read");
    let kept = kept.iter().find(|key| key.label == "CRM").expect("kept");
    assert_eq!(root("/admin/users", &[("what", "key"), ("name", "ann"), ("scopes", "document.eat")]).status, 400);
    assert_eq!(root("/admin/users", &[("what", "key-end"), ("name", "carl"), ("key", &kept.id)]).status, 400);
    assert_eq!(root("/admin/users", &[("what", "key-end"), ("name", "ann"), ("key", &kept.id)]).status, 303);
    assert_eq!(world.get("/api/v1/documents", &headers).status, 401);
}
