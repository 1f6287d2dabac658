//! Rules that somebody made: streams of a queue, or with a name, are for a report definition.
//!
//! Every change of a rule is a new version; older ones stay. Of the rules that fit a stream the one made last counts, since
//! whoever makes one from a stream that waits means that stream.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::item::Item;
use crate::index::definition::fits_glob;

/// A rule, in one of its versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rule {
    /// Its number, from 1.
    #[serde(default)]
    pub number: u32,
    /// Its version, from 1.
    #[serde(default)]
    pub version: u32,
    /// Pattern of queues: `*` stands for any signs, `?` for one; upper and lower case are the same.
    #[serde(default)]
    pub queue: Option<String>,
    /// Pattern of the name of the stream or of the job.
    #[serde(default)]
    pub name: Option<String>,
    /// The definition.
    #[serde(default)]
    pub definition: String,
    /// Who said so.
    #[serde(default)]
    pub by: String,
    /// When, seconds since 1970 UTC.
    #[serde(default)]
    pub at: i64,
    /// It was taken back.
    #[serde(default)]
    pub removed: bool,
}

/// Characters of a pattern.
const MOST_CHARACTERS: usize = 200;

impl Rule {
    /// What is wrong with it as somebody wrote it.
    pub fn fault(&self) -> Option<&'static str> {
        let patterns = || self.queue.iter().chain(&self.name);
        if patterns().all(|pattern| pattern.trim_matches(['*', '?', ' ']).is_empty()) {
            return Some("a rule names a queue or a name, not only wildcards");
        }
        if patterns().any(|pattern| pattern.chars().count() > MOST_CHARACTERS || pattern.contains(char::is_control)) {
            return Some("a pattern has at most 200 characters and no control characters");
        }
        self.definition.is_empty().then_some("a rule names a definition")
    }

    /// Whether a stream is meant.
    pub fn fits(&self, item: &Item) -> bool {
        let fits = |pattern: &str, name: &str| fits_glob(&pattern.to_lowercase(), &name.to_lowercase());
        let job = item.attributes.get("job-name").map(String::as_str);
        let queue =
            self.queue.as_deref().is_none_or(|pattern| fits(pattern, item.queue.as_deref().unwrap_or_default()));
        let named =
            |pattern: &str| [Some(item.file.as_str()), job].into_iter().flatten().any(|name| fits(pattern, name));
        let name = self.name.as_deref().is_none_or(named);
        !self.removed && (self.queue.is_some() || self.name.is_some()) && queue && name
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |what: &str, pattern: &Option<String>| pattern.as_ref().map(|pattern| format!("{what} {pattern}"));
        let parts: Vec<String> = [part("queue", &self.queue), part("name", &self.name)].into_iter().flatten().collect();
        write!(f, "{} is {}", parts.join(", "), self.definition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(queue: Option<&str>, name: Option<&str>) -> Rule {
        let text = |text: Option<&str>| text.map(str::to_string);
        Rule { queue: text(queue), name: text(name), definition: "a".into(), ..Rule::default() }
    }

    #[test]
    fn a_rule_fits_by_all_that_it_names() {
        let mut item: Item = serde_json::from_value(serde_json::json!({
            "id": 1, "state": "unidentified", "file": "night.txt", "definition": null, "bytes": 1, "sha256": "",
            "sent_by": "", "received_at": 0, "load": null, "duplicate": false, "error": null, "queue": "INV_DE",
        }))
        .expect("an item");
        item.attributes.insert("job-name".into(), "Bills March".into());
        assert!(rule(Some("inv_*"), None).fits(&item));
        assert!(rule(Some("INV_DE"), Some("bills ?arch")).fits(&item), "by the name of the job");
        assert!(rule(None, Some("night.*")).fits(&item));
        assert!(!rule(Some("INV_DE"), Some("day*")).fits(&item));
        assert!(!rule(Some("OTHER"), Some("night*")).fits(&item));
        assert!(!Rule { removed: true, ..rule(Some("inv_*"), None) }.fits(&item));
        item.queue = None;
        assert!(!rule(Some("inv_*"), None).fits(&item));
    }

    #[test]
    fn a_rule_that_would_take_everything_is_refused() {
        assert!(rule(None, None).fault().is_some());
        assert!(rule(Some("*"), None).fault().is_some());
        assert!(rule(Some("*"), Some("??")).fault().is_some());
        assert!(rule(Some("A*"), None).fault().is_none());
        assert!(Rule { definition: String::new(), ..rule(Some("A"), None) }.fault().is_some());
        assert!(rule(Some(&"x".repeat(300)), None).fault().is_some());
    }
}
