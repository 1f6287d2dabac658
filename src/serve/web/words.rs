//! The languages of the pages, and every word of them: `templates/web/words/*.toml`.
//!
//! `{name}` in a word is filled in by the template's `say`; a key that ends in `_one` is taken for exactly one.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use minijinja::Value;

use super::source;

/// A language of the pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// BCP 47 tag.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    /// Its own name.
    pub fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "中文",
        }
    }

    /// The one to switch to.
    pub fn other(self) -> Language {
        match self {
            Language::English => Language::Chinese,
            Language::Chinese => Language::English,
        }
    }

    /// The language of a tag, when we have it.
    pub fn parse(tag: &str) -> Option<Language> {
        match tag.get(..2)?.to_ascii_lowercase().as_str() {
            "en" => Some(Language::English),
            "zh" => Some(Language::Chinese),
            _ => None,
        }
    }

    /// The best of an `Accept-Language` list.
    pub fn accepted(header: &str) -> Language {
        let mut best = (0.0_f32, Language::English);
        for part in header.split(',') {
            let (tag, quality) = part.split_once(';').unwrap_or((part, "q=1"));
            let quality = quality.trim().strip_prefix("q=").and_then(|q| q.parse().ok()).unwrap_or(0.0);
            if let Some(language) = Language::parse(tag.trim())
                && quality > best.0
            {
                best = (quality, language);
            }
        }
        best.1
    }

    /// All words by key.
    pub fn words(self) -> Value {
        static BOTH: OnceLock<[Value; 2]> = OnceLock::new();
        let both = || [Language::English, Language::Chinese].map(|language| Value::from_pairs(language.table()));
        let [english, chinese] = if source::folder().is_some() { both() } else { BOTH.get_or_init(both).clone() };
        match self {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    /// One word; empty when there is none.
    pub fn word(self, key: &str) -> String {
        self.words().get_attr(key).ok().and_then(|word| word.as_str().map(str::to_string)).unwrap_or_default()
    }

    fn table(self) -> BTreeMap<String, String> {
        let name = format!("words/{}.toml", self.code());
        let text = source::text(&name).unwrap_or_default();
        toml::from_str(&text).unwrap_or_else(|error| {
            tracing::error!(%error, file = name, "a file of words cannot be read");
            BTreeMap::new()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_browser_chooses_among_our_languages() {
        assert_eq!(Language::accepted("zh-CN,zh;q=0.9,en;q=0.8"), Language::Chinese);
        assert_eq!(Language::accepted("de,fr;q=0.9,zh;q=0.1,en;q=0.2"), Language::English);
        assert_eq!(Language::accepted("de"), Language::English);
        assert_eq!(Language::accepted(";;q=x,,zh;q=abc"), Language::English);
    }

    #[test]
    fn both_languages_have_the_same_words_with_the_same_places_to_fill() {
        let [english, chinese] = [Language::English, Language::Chinese].map(Language::table);
        assert!(english.len() > 100, "{}", english.len());
        let keys = |words: &BTreeMap<String, String>| words.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&english), keys(&chinese));
        let places = |text: &str| {
            let mut places: Vec<_> = text.split('{').skip(1).filter_map(|part| part.split_once('}')).collect();
            places.sort_unstable();
            places.into_iter().map(|(name, _)| name.to_string()).collect::<BTreeSet<_>>()
        };
        for (key, text) in &english {
            let other = &chinese[key];
            assert!(!text.is_empty() && !other.is_empty(), "{key}");
            assert_eq!(places(text), places(other), "{key}");
        }
    }

    #[test]
    fn words_that_the_code_names_exist() {
        let words = Language::English.table();
        for (code, _, _) in crate::serve::problem::CODES {
            let key = format!("problem_{}", code.replace('-', "_"));
            assert!(words.contains_key(&key), "{key}");
            assert!(words.contains_key(&format!("{key}_do")), "{key}_do");
        }
    }
}
