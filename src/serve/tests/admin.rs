//! Administration over HTTP: definitions, the audit trail, figures, policies.

use super::support::{Reply, World, header};
use crate::serve::backend::Backend;

const LETTERS: &str = "name = \"letters\"\ntitle = \"Letters <1>\"\nkind = \"notice\"\nread = \"auto\"\n\n\
    [[trigger]]\nname = \"dear\"\nrow = 1\ntext = \"DEAR\"\n\n\
    [document]\nstart = \"trigger\"\nwhen = [\"dear\"]\ntitle = \"{who}\"\n\n\
    [[field]]\nname = \"who\"\nlabel = \"Reader\"\nrow = 1\nafter = \"DEAR\"\nrequired = true\n";
const STREAM: &[u8] = b"DEAR ADA <b>\nhello\n\x0cDEAR BOB\nhello\n\x0cDEAR\nnobody\n";

/// Sends the editor's form as a browser does.
fn editor(world: &World, user: &str, fields: &[(&str, &str)], sample: &[u8]) -> Reply {
    let (cookie, csrf) = world.session(user);
    let mut body = Vec::new();
    for (name, value) in fields.iter().chain(&[("csrf", csrf.as_str())]) {
        let part = format!("--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    body.extend_from_slice(
        b"--XyZ\r\nContent-Disposition: form-data; name=\"sample\"; filename=\"s.txt\"\r\nContent-Type: text/plain\r\n\r\n",
    );
    body.extend_from_slice(sample);
    body.extend_from_slice(b"\r\n--XyZ--\r\n");
    let kind = header("Content-Type", "multipart/form-data; boundary=XyZ");
    world.ask("POST", "/admin/definition", &[cookie, kind], &body)
}

fn page(world: &World, user: &str, path: &str) -> Reply {
    world.get(path, &[world.session(user).0])
}

fn post(world: &World, user: &str, path: &str, form: &str) -> Reply {
    let (cookie, csrf) = world.session(user);
    world.ask("POST", path, &[cookie], format!("csrf={csrf}&{form}").as_bytes())
}

#[test]
fn a_definition_is_tried_kept_and_compared() {
    let world = World::new();
    let tried = editor(&world, "root", &[("source", LETTERS), ("do", "try")], STREAM);
    let text = tried.text();
    assert_eq!(tried.status, 200, "{text}");
    assert!(text.contains("ADA &lt;b&gt;") && !text.contains("ADA <b>"), "what is printed is escaped");
    assert!(text.contains("<mark class=\"spot spot--trigger\" title=\"dear\">DEAR</mark>"), "{text}");
    assert!(text.contains("<mark class=\"spot spot--field\" title=\"who\">BOB</mark>"), "{text}");
    assert!(text.contains("No value where one is required") && text.contains("Reader"), "a failed field is told");
    assert!(world.fake.definition_versions().expect("read").is_empty(), "nothing is kept by trying");
    let kept = editor(&world, "root", &[("source", &LETTERS.replace('\n', "\r\n")), ("do", "save")], b"");
    assert_eq!((kept.status, kept.header("location")), (303, "/admin/definitions/letters?said=definition_kept"));
    assert_eq!(world.fake.definition_versions().expect("read")[0].source, LETTERS, "with the line ends of files");
    let second = LETTERS.replace("Letters <1>", "Letters <2>");
    editor(&world, "root", &[("source", &second), ("do", "save")], b"");
    let shown = page(&world, "root", "/admin/definitions/letters").text();
    assert!(shown.contains("Letters &lt;2&gt;") && shown.contains("was &quot;Letters &lt;1&gt;&quot;"), "{shown}");
    assert_eq!(page(&world, "root", "/admin/definitions/letters?version=1").status, 200);
    assert_eq!(page(&world, "root", "/admin/definitions/letters?version=3").status, 404);
    assert_eq!(page(&world, "root", "/admin/definitions/none").status, 404);
    let record = world.audit().into_iter().find(|record| record.kind == "add definition").expect("recorded");
    assert_eq!((record.what.as_str(), record.right.as_str()), ("letters", "definition.write"));
}

#[test]
fn errors_of_a_definition_are_told_with_line_and_column_and_what_is_allowed() {
    let world = World::new();
    let wrong = LETTERS.replace("start = \"trigger\"", "start = \"sometimes\"");
    let reply = editor(&world, "root", &[("source", &wrong), ("do", "save")], b"");
    let text = reply.text();
    assert_eq!(reply.status, 422, "{text}");
    assert!(text.contains("Line 12, column 9") && text.contains("sometimes"), "{text}");
    assert!(text.contains("Allowed") && text.contains("trigger, value, pages"), "{text}");
    assert!(world.fake.definition_versions().expect("read").is_empty());
}

#[test]
fn who_may_read_definitions_may_try_them_and_not_keep_them_nor_see_archived_streams() {
    let world = World::new();
    world.add("olga", "operator");
    assert_eq!(editor(&world, "olga", &[("source", LETTERS), ("do", "try")], STREAM).status, 200);
    assert_eq!(editor(&world, "olga", &[("source", LETTERS), ("do", "save")], STREAM).status, 403);
    assert_eq!(editor(&world, "olga", &[("source", LETTERS), ("do", "try"), ("load", "1")], b"").status, 403);
    assert_eq!(editor(&world, "ann", &[("source", LETTERS), ("do", "try")], STREAM).status, 403);
    let (cookie, _) = world.session("root");
    let kind = header("Content-Type", "multipart/form-data; boundary=XyZ");
    let forged = b"--XyZ\r\nContent-Disposition: form-data; name=\"do\"\r\n\r\nsave\r\n--XyZ--\r\n";
    assert_eq!(world.ask("POST", "/admin/definition", &[cookie, kind], forged).status, 403, "without the token");
}

#[test]
fn the_audit_is_searched_by_each_of_its_facts_and_exported() {
    let world = World::new();
    let (ann, dora) = ([world.key("ann")], [world.key("dora")]);
    for n in 1..=3 {
        world.get(&format!("/api/v1/documents/1-{n}/content?format=text"), &ann);
    }
    world.get("/api/v1/documents/1-1", &dora);
    let root = [world.key("root")];
    let found = |query: &str| -> Vec<String> {
        let reply = world.get(&format!("/api/v1/audit?{query}"), &root);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let records = reply.json()["records"].as_array().expect("a list").clone();
        records
            .iter()
            .map(|r| format!("{} {}", r["who"].as_str().unwrap_or(""), r["document"].as_str().unwrap_or("")))
            .collect()
    };
    assert_eq!(found("account=4711&kind=read"), ["ann 1-3", "ann 1-1"]);
    assert_eq!(found("document=1-2"), ["ann 1-2"]);
    assert_eq!(found("outcome=refused"), ["dora 1-1"]);
    assert_eq!(found("load=1&who=dora"), ["dora 1-1"]);
    assert_eq!(found("right=role+agent&who=ann").len(), 3);
    assert_eq!(found("who=ann&from=2000-01-01&to=2000-01-02"), [""; 0]);
    assert_eq!(found("customer=nobody"), [""; 0]);
    assert_eq!(world.get("/api/v1/audit?outcome=maybe", &root).status, 400);
    let first = world.get("/api/v1/audit?who=ann&limit=2", &root).json();
    let next = first["next"].as_u64().expect("more");
    assert_eq!(found(&format!("who=ann&before={next}")).len(), 1);
    let csv = world.get("/api/v1/audit/export?who=ann&kind=read", &root).text();
    assert_eq!(csv.matches(",ann,read,done,1-").count(), 3, "{csv}");
    let lines = world.get("/api/v1/audit/export?format=jsonl&who=dora", &root).text();
    assert!(lines.contains("\"outcome\":\"refused\""), "{lines}");
    let exported = world.audit().into_iter().filter(|record| record.kind == "audit-export");
    assert_eq!(exported.map(|record| record.why).collect::<Vec<_>>(), ["who=dora", "who=ann kind=read"]);
}

#[test]
fn the_audit_page_shows_what_was_typed_and_what_is_wrong_with_it() {
    let world = World::new();
    world.get("/api/v1/documents/1-1/content?format=text", &[world.key("ann")]);
    let found = page(&world, "root", "/admin/audit?who=ann").text();
    assert!(found.contains("1-1") && found.contains("Viewed") && found.contains("4711"), "{found}");
    let wrong = page(&world, "root", "/admin/audit?document=%3Cb%3E&who=ann");
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("&lt;b&gt;") && !wrong.text().contains("Viewed</span>"), "{}", wrong.text());
    let searched = world.audit().into_iter().filter(|record| record.kind == "audit-search").count();
    assert_eq!(searched, 1, "the wrong one searched nothing");
}

#[test]
fn the_overview_has_plots_with_words_and_tables() {
    let world = World::new();
    world.get("/api/v1/documents/1-1/content?format=text", &[world.key("ann")]);
    let text = page(&world, "root", "/admin").text();
    assert_eq!(text.matches("role=\"img\"").count(), 3, "{text}");
    assert!(text.contains("<desc id=\"figures_views-desc\">1 in 30 days"), "{text}");
    assert!(text.contains("4.0 : 1") && text.contains("4.0 KB"), "{text}");
    assert_eq!(page(&world, "root", "/admin?days=366").status, 200);
    assert_eq!(page(&world, "root", "/admin?days=0").status, 400);
}

#[test]
fn a_policy_tells_what_it_would_hide_and_changes_nothing() {
    let world = World::new();
    let form = "name=north&effect=limit&rule=account+%3D+%224712%22&roles=agent&as=role%3Aagent&force=1&what=try";
    let reply = post(&world, "root", "/admin/policies", form);
    let text = reply.text();
    assert_eq!(reply.status, 200, "{text}");
    assert!(text.contains("The policy would hide 2 of 3 documents from Role agent."), "{text}");
    assert!(text.contains("A long report") && text.contains("value=\"north\""), "examples, and the form stays");
    assert!(world.directory.policies().expect("read").is_empty());
    world.limit("north", "account = \"4712\"", "agent");
    let wider = form.replace("account+%3D+%224712%22", "account+in+%28%224711%22%2C+%224712%22%29");
    let text = post(&world, "root", "/admin/policies", &wider).text();
    assert!(text.contains("It would show 2 documents that Role agent does not see now."), "{text}");
    let broken = post(&world, "root", "/admin/policies", &form.replace("account+%3D+%224712%22", "account+%3D"));
    assert_eq!(broken.status, 400);
    let unkept = post(
        &world,
        "root",
        "/admin/policies",
        &form.replace("account+%3D+%224712%22&", "account+%3D+%3D&").replace("=try", "=set"),
    );
    assert_eq!(unkept.status, 400);
    assert!(
        unkept.text().contains("account = =</textarea>") && unkept.text().contains("value=\"north\""),
        "the form stays"
    );
    assert_eq!(world.get("/api/v1/documents", &[world.key("ann")]).json()["total"], 1, "the kept policy rules");
}

#[test]
fn anybodys_session_is_listed_and_ended_by_an_administrator() {
    let world = World::new();
    let (cookie, _) = world.session("ann");
    assert_eq!(world.get("/agent", std::slice::from_ref(&cookie)).status, 200);
    let session = world.sessions.list(Some("ann")).expect("listed").remove(0);
    assert!(page(&world, "root", "/admin/people").text().contains(&session.id));
    let form = format!("what=session&name=ann&session={}", session.id);
    assert_eq!(post(&world, "root", "/admin/users", &form).status, 303);
    assert_eq!(world.get("/agent", &[cookie]).status, 303, "signed out");
}
