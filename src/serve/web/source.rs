//! Where pages, words, styles and scripts come from: compiled in, or, while somebody works on them, from a folder.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Names a folder such as `templates/web`: its files are read anew for every request. For work on the pages only; see
/// `CONTRIBUTING.md`.
const FOLDER: &str = "GREENBAR_WEB_DIR";

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        /// Every file of `templates/web` by its name there.
        pub const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/web/", $name)))),+];
    };
}

files![
    "account.html",
    "activity.html",
    "admin-nav.html",
    "admin.html",
    "agent.html",
    "arrival.html",
    "arrivals.html",
    "ask.html",
    "audit.html",
    "base.html",
    "beside.html",
    "bill.html",
    "call.html",
    "caller.html",
    "code.html",
    "compare.html",
    "consent.html",
    "css/admin.css",
    "css/console.css",
    "css/operate.css",
    "css/portal.css",
    "css/tokens.css",
    "css/ui.css",
    "customer.html",
    "definition.html",
    "definitions.html",
    "distribution.html",
    "document.html",
    "editor.html",
    "enrol.html",
    "img/icon.svg",
    "js/app.js",
    "js/compare.js",
    "js/grid.js",
    "js/keys.js",
    "js/live.js",
    "js/reader.js",
    "js/search.js",
    "js/sheet.js",
    "js/ui.js",
    "lines.html",
    "link.html",
    "load.html",
    "loads.html",
    "my-compare.html",
    "my.html",
    "people.html",
    "period.html",
    "portal.html",
    "problem.html",
    "question.html",
    "questions.html",
    "request.html",
    "requests.html",
    "results.html",
    "rules.html",
    "search.html",
    "settings.html",
    "shortcuts.html",
    "sign-in.html",
    "ui.html",
    "words/definitions.zh-CN.toml",
    "words/en.toml",
    "words/reasons.zh-CN.toml",
    "words/records.zh-CN.toml",
    "words/warnings.zh-CN.toml",
    "words/zh-CN.toml",
];

/// The folder that files are read from instead of the program.
pub fn folder() -> Option<&'static PathBuf> {
    static NAMED: OnceLock<Option<PathBuf>> = OnceLock::new();
    let named = NAMED.get_or_init(|| {
        let folder = std::env::var_os(FOLDER).filter(|value| !value.is_empty()).map(PathBuf::from)?;
        tracing::warn!(folder = %folder.display(), "pages are read from a folder, not from the program");
        Some(folder)
    });
    named.as_ref()
}

/// A file by its name in `templates/web`.
pub fn text(name: &str) -> Option<Cow<'static, str>> {
    let (_, compiled) = FILES.iter().find(|(file, _)| *file == name)?;
    let fresh = folder().and_then(|folder| std::fs::read_to_string(folder.join(name)).ok());
    Some(fresh.map_or(Cow::Borrowed(compiled), Cow::Owned))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_in_the_program() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/web");
        let mut found = Vec::new();
        for folder in [root.clone(), root.join("css"), root.join("img"), root.join("js"), root.join("words")] {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten().filter(|entry| entry.path().is_file()) {
                let path = entry.path();
                let name = path.strip_prefix(&root).expect("inside").to_str().expect("plain names").to_string();
                found.push(name);
            }
        }
        found.sort();
        let listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(found, listed, "templates/web and the list in source.rs");
    }
}
