//! Renditions over HTTP.

use std::sync::atomic::Ordering;

use super::support::{World, header};

const TEXT: &str = "/api/v1/documents/1-1/content?format=text";
const LONG: &str = "/api/v1/documents/1-3/content?format=text";

#[test]
fn ranges_and_entity_tags_save_bytes() {
    let world = World::new();
    let ann = world.key("ann");
    let ask = |path: &str, extra: &[(String, String)]| world.get(path, &[std::slice::from_ref(&ann), extra].concat());
    for path in [TEXT, LONG] {
        let whole = ask(path, &[]);
        assert_eq!(whole.status, 200);
        assert_eq!(whole.header("content-length"), whole.body.len().to_string());
        let etag = whole.header("etag").to_string();
        assert_eq!(etag.len(), 66, "a SHA-256 in quotes");
        assert!(
            whole.header("cache-control").contains("private") && whole.header("cache-control").contains("immutable")
        );
        let part = ask(path, &[header("Range", "bytes=10-19")]);
        assert_eq!((part.status, part.body.as_slice()), (206, &whole.body[10..20]));
        assert_eq!(part.header("content-range"), format!("bytes 10-19/{}", whole.body.len()));
        let tail = ask(path, &[header("Range", "bytes=-300")]);
        assert_eq!(tail.body, whole.body[whole.body.len() - 300..]);
        assert_eq!(ask(path, &[header("Range", "bytes=9999999-")]).status, 416);
        let unchanged = ask(path, &[header("If-None-Match", &etag)]);
        assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
        let stale = ask(path, &[header("Range", "bytes=0-1"), header("If-Range", "\"other\"")]);
        assert_eq!(stale.status, 200);
        let head = world.ask("HEAD", path, std::slice::from_ref(&ann), b"");
        assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, etag.as_str()));
    }
    assert_eq!(world.fake.renders.load(Ordering::Relaxed), 2, "the others came from the cache");
}

#[test]
fn every_read_of_content_is_in_the_audit_also_from_the_cache() {
    let world = World::new();
    let ann = world.key("ann");
    for _ in 0..3 {
        world.get(TEXT, std::slice::from_ref(&ann));
    }
    world.get(TEXT, &[world.key("dora")]);
    world.get(TEXT, &[world.key("carl")]);
    let records = world.audit();
    let count = |kind: &str, who: &str| {
        let wanted = |r: &&crate::audit::Record| r.kind == kind && r.who == who && r.document.as_deref() == Some("1-1");
        records.iter().filter(wanted).count()
    };
    assert_eq!((count("read", "ann"), count("read", "carl"), count("read", "dora")), (3, 1, 0));
    assert_eq!(count("refused", "dora"), 1, "the cache does not go round the gate");
    assert_eq!(world.gate.verify_audit().expect("whole"), records.len() as u64);
}

#[test]
fn downloads_have_safe_names_and_renditions_their_own_policy() {
    let world = World::new();
    let reply = world.get("/api/v1/documents/1-1/content?format=html&download=1", &[world.key("ann")]);
    let disposition = reply.header("content-disposition");
    assert!(disposition.starts_with("attachment; filename=\"Statement for Ada"), "{disposition}");
    assert!(disposition.contains("filename*=UTF-8''Statement%20for%20Ada"), "{disposition}");
    assert!(reply.header("content-security-policy").contains("sandbox"), "{reply:?}");
    assert!(!reply.header("content-security-policy").contains("script-src"));
}

#[test]
fn wrong_parameters_say_what_is_allowed() {
    let world = World::new();
    let ann = [world.key("ann")];
    for (path, told) in [
        ("/api/v1/documents/1-1/content?format=docx", "pdf, html, text, png, original"),
        ("/api/v1/documents/1-1/content?format=text&page=0", "from 1"),
        ("/api/v1/documents/1-1/content?format=text&page=4", "has 3"),
        ("/api/v1/documents/1-1/content?format=png&page=1-2", "one page"),
        ("/api/v1/documents/1-1/content?format=png&width=99999", "3000"),
        ("/api/v1/documents?sort=upwards", "newest, oldest, best"),
        ("/api/v1/documents?limit=0", "from 1 to 1000"),
        ("/api/v1/documents?from=2024-02-30", "2024-12-31"),
        ("/api/v1/documents?colour=green", "definition"),
        ("/api/v1/documents?q=a&q=b", "twice"),
        ("/api/v1/documents?q=((", "missing"),
    ] {
        let reply = world.get(path, &ann);
        assert_eq!((reply.status, reply.header("content-type")), (400, "application/problem+json"), "{path}");
        let json = reply.json();
        assert!(json["detail"].as_str().is_some_and(|detail| detail.contains(told)), "{path}: {json}");
        assert!(json["code"].is_string() && json["type"].is_string() && json["status"] == 400, "{json}");
    }
}

#[test]
fn orders_have_the_names_that_other_programs_use_too() {
    let world = World::new();
    let list = |sort: &str| {
        let reply = world.get(&format!("/api/v1/documents?sort={sort}"), &[world.key("ann")]);
        assert_eq!(reply.status, 200, "{sort}");
        reply.json()["documents"].clone()
    };
    assert_eq!(list("date"), list("newest"));
    assert_eq!(list("relevance"), list("best"));
}
