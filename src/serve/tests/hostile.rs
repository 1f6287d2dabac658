//! What nobody means well sends.

use super::support::{World, header};

#[test]
fn strange_paths_are_nothing() {
    let world = World::new();
    let root = [world.key("root")];
    for path in [
        "/api/v1/documents/..%2f..%2fetc%2fpasswd",
        "/api/v1/documents/1-1%00",
        "/api/v1/documents/01-1",
        "/api/v1/documents/1-99999999999999999999",
        "/api/v1/loads/0",
        "/api/v1/loads/j",
        "/api/v1/loads/99999999999999999999999",
        "/static/..%2fapp.js",
        "/static/../../Cargo.toml",
        "/api/v1/nothing",
        "/%ff%fe",
        "//evil.example/",
    ] {
        let reply = world.get(path, &root);
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
    }
}

#[test]
fn huge_and_broken_input_is_refused_and_the_server_goes_on() {
    let world = World::new();
    let ann = world.key("ann");
    let get = |path: &str| world.get(path, std::slice::from_ref(&ann)).status;
    assert_eq!(get(&format!("/api/v1/documents?q={}", "a".repeat(9000))), 414);
    assert_eq!(get(&format!("/api/v1/documents?q={}", "a".repeat(3000))), 400);
    assert_eq!(get("/api/v1/documents?q=%ff%fe"), 400);
    assert_eq!(get("/api/v1/documents?q=a%00b"), 400);
    let large = header("X-Large", &"b".repeat(40_000));
    assert_eq!(world.get("/api/v1/documents", &[ann.clone(), large]).status, 431);
    let body = format!("name={}&password=x", "n".repeat(70_000));
    assert_eq!(world.ask("POST", "/sign-in", &[], body.as_bytes()).status, 413);
    assert_eq!(world.ask("POST", "/sign-in", &[], b"name=%ff&password=x").status, 400);
    assert_eq!(world.ask("POST", "/api/v1/session", &[header("Content-Type", "application/json")], b"{").status, 400);
    assert_eq!(world.ask("POST", "/api/v1/session", &[], b"{}").status, 400);
    let method = world.ask("PUT", "/api/v1/documents", std::slice::from_ref(&ann), b"");
    assert_eq!((method.status, method.header("allow")), (405, "GET, HEAD"));
    assert_eq!(world.raw(b"NONSENSE\r\n\r\n").status, 400);
    assert_eq!(get("/api/v1/documents"), 200, "the server goes on");
}

#[test]
fn text_from_documents_is_escaped_in_pages() {
    let world = World::new();
    let (ann, _) = world.session("ann");
    let page = world.get("/agent?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", &[ann]).text();
    assert!(!page.contains("<script>alert") && !page.contains("<b>for</b>"), "{page}");
    assert!(page.contains("Statement &lt;b&gt;for&lt;&#x2f;b&gt; Bob") || page.contains("&lt;b&gt;for"), "{page}");
}
