//! Names of people and organisations: how they are written, and the words by which they are found.
//!
//! Chinese, Japanese and Korean names put the family first and are written without a blank; Hungarian puts it first with
//! one. A name is found by the beginning of each of its words, in any order, whatever the case, accents and width;
//! a name in Chinese characters also from its second character on (the given name alone).

use serde::{Deserialize, Serialize};

use crate::index::fold::fold;

/// The names of a customer. At least `full`, or `family`, or `given` is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Names {
    /// The whole name as it is to be written; empty: made from the parts. The name of an organisation stands here.
    pub full: String,
    /// Family name.
    pub family: String,
    /// Given names.
    pub given: String,
    /// The name in Latin letters (such as pinyin), to be found by.
    pub latin: String,
}

/// Index words of a name kept at most.
const MOST_WORDS: usize = 24;

impl Names {
    /// The whole name as it is written in a language (BCP 47).
    pub fn display(&self, locale: &str) -> String {
        if !self.full.is_empty() {
            return self.full.clone();
        }
        let (family, given) = (self.family.trim(), self.given.trim());
        if family.is_empty() || given.is_empty() {
            return format!("{family}{given}");
        }
        if is_cjk(family) && is_cjk(given) {
            return format!("{family}{given}");
        }
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("hu") { format!("{family} {given}") } else { format!("{given} {family}") }
    }

    /// The folded words by which the name is found.
    pub(super) fn words(&self) -> Vec<String> {
        let joined = format!("{}{}", self.family.trim(), self.given.trim());
        let mut words: Vec<String> = Vec::new();
        for text in [&self.full, &self.family, &self.given, &self.latin, &joined] {
            for word in query_words(text) {
                words.extend(suffixes(&word));
                words.push(word);
            }
        }
        words.sort();
        words.dedup();
        words.truncate(MOST_WORDS);
        words
    }
}

/// The folded words of a text.
pub(super) fn query_words(text: &str) -> Vec<String> {
    let folded = fold(text);
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_string).collect()
}

/// A name in Chinese characters from its second, third ... character on.
fn suffixes(word: &str) -> Vec<String> {
    if !is_cjk(word) {
        return Vec::new();
    }
    word.char_indices().skip(1).filter_map(|(at, _)| word.get(at..)).map(str::to_string).collect()
}

/// Whether all letters are of a script that writes names without a blank.
fn is_cjk(text: &str) -> bool {
    let letter = |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{3ffff}' | '·');
    !text.is_empty() && text.chars().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(family: &str, given: &str) -> Names {
        Names { family: family.into(), given: given.into(), ..Names::default() }
    }

    #[test]
    fn the_order_of_a_name_is_that_of_its_script_and_language() {
        assert_eq!(names("Barnes", "Ava").display("en"), "Ava Barnes");
        assert_eq!(names("周", "明怡").display("en"), "周明怡");
        assert_eq!(names("欧阳", "娜娜").display("zh-CN"), "欧阳娜娜");
        assert_eq!(names("Zhou", "Mingyi").display("zh-CN"), "Mingyi Zhou");
        assert_eq!(names("Nagy", "Éva").display("hu"), "Nagy Éva");
        assert_eq!(names("", "Cher").display("en"), "Cher");
        let full = Names { full: "Great Lakes Ltd".into(), ..names("x", "y") };
        assert_eq!(full.display("en"), "Great Lakes Ltd");
    }

    #[test]
    fn names_are_found_by_each_word_and_by_the_given_name_in_chinese() {
        let words = Names { latin: "Zhou Mingyi".into(), ..names("周", "明怡") }.words();
        for word in ["周明怡", "明怡", "怡", "周", "zhou", "mingyi"] {
            assert!(words.iter().any(|w| w == word), "{word}: {words:?}");
        }
        assert_eq!(names("Müller-Łódź", "José").words(), ["jose", "lodz", "lodzjose", "muller"]);
        assert_eq!(query_words("  O'Brien, ＡＶＡ "), ["o", "brien", "ava"]);
    }
}
