//! The tree shows the flow: what may be named where.

use std::path::{Path, PathBuf};

use crate::story::checkout;

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// Lines of code (comments left out) in `src/` that contain `word`, outside the allowed places.
fn trespassers(word: &str, allowed: &[&str]) -> Vec<String> {
    let root = checkout().join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut found = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        if allowed.iter().any(|place| name.starts_with(place)) {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("UTF-8");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains(word) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn engines_are_named_only_behind_their_seam() {
    for (word, allowed) in [
        ("rocksdb::", &["archive/kv/rocks"][..]),
        ("tantivy::", &["search/"]),
        // IPP is spoken over HTTP: its listener is the one other place.
        ("actix_web", &["serve/", "capture/ipp/http"]),
        ("krilla::", &["render/pdf", "render/font"]),
        ("printpdf::", &["render/pdf", "render/sheet"]),
        // The portal's test reads the code off the sample that it got.
        ("lopdf::", &["render/pdf", "render/merge", "render/sheet", "render/letter", "decode/", "serve/tests/portal"]),
    ] {
        assert_eq!(trespassers(word, allowed), Vec::<String>::new(), "{word}");
    }
}

#[test]
fn dependencies_point_one_way() {
    for (word, allowed) in [
        ("crate::serve", &["serve/", "cli/"][..]),
        ("crate::cli", &["cli/", "main.rs"]),
        (
            "crate::render",
            &["render/", "serve/", "cli/", "view/", "archive/document", "archive/tests", "index/", "distribute/"],
        ),
        ("crate::crm", &["crm/", "distribute/", "serve/", "cli/"]),
        ("crate::distribute", &["distribute/", "serve/", "cli/"]),
        ("lettre::", &["distribute/"]),
        ("crate::search", &["search/", "serve/", "cli/"]),
        (
            "crate::archive",
            &[
                "archive/",
                "capture/",
                "search/",
                "crm/",
                "distribute/",
                "serve/",
                "cli/",
                "auth/",
                "audit/",
                "records/",
                "view/",
            ],
        ),
    ] {
        assert_eq!(trespassers(word, allowed), Vec::<String>::new(), "{word}");
    }
}

#[test]
fn only_the_gate_makes_permits_and_scopes() {
    assert_eq!(trespassers("Permit {", &["auth/gate.rs"]), Vec::<String>::new());
    assert_eq!(trespassers("Scope {", &["auth/gate.rs", "search/tests"]), Vec::<String>::new());
}
