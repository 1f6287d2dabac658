//! What the program says in English (errors, reasons, warnings) in the reader's language: the three files of [`CHINESE`].
//!
//! The key of a row is the English sentence with `{places}`, as gettext has it (`{{` and `}}` are braces): whoever writes an
//! error needs to know nothing of languages, and a sentence without a row is shown as it is, marked as English. What decoders
//! and the reader of definitions say has a row each; a test looks through their sources for sentences without.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{Language, source};

/// The files with the Chinese sentences: of errors and reasons, of definitions, of what was survived in a stream.
const CHINESE: [&str; 3] = ["words/reasons.zh-CN.toml", "words/definitions.zh-CN.toml", "words/warnings.zh-CN.toml"];
/// Sentences with fewer letters of their own, such as `{field}: {problem}`, count only when what stands in the place `what`, or
/// else in their last one, is known.
const LOOSE: usize = 4;
/// So many pieces of a list are looked at.
const LONGEST: usize = 200;
/// A sentence has so many pieces at most.
const PIECES: usize = 3;
/// What stands in a place may be a sentence itself, so deep at most.
const DEEPEST: u32 = 3;

/// A sentence, cut at its places: literal text and place in turn.
#[derive(Debug)]
struct Row {
    literals: Vec<String>,
    places: Vec<String>,
    told: String,
}

impl Row {
    fn new(english: &str, told: String) -> Row {
        let (literals, places) = cut(english);
        Row { literals, places, told }
    }

    /// Letters that must be there: the more, the surer.
    fn weight(&self) -> usize {
        self.literals.iter().map(String::len).sum()
    }

    /// How many of them are letters of the alphabet.
    fn letters(&self) -> usize {
        self.literals.iter().flat_map(|text| text.chars()).filter(|sign| sign.is_alphabetic()).count()
    }

    /// What stands in the places of a text, when it is this sentence.
    fn places_of<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let (first, others) = self.literals.split_first()?;
        let Some((last, middle)) = others.split_last() else { return (first == text).then(Vec::new) };
        let mut rest = text.strip_prefix(first.as_str())?.strip_suffix(last.as_str())?;
        let mut found = Vec::with_capacity(self.places.len());
        for literal in middle {
            let (value, after) = rest.split_once(literal.as_str())?;
            found.push(value);
            rest = after;
        }
        found.push(rest);
        found.iter().all(|value| !value.is_empty()).then_some(found)
    }
}

/// Literal texts and, between them, the names of places.
fn cut(sentence: &str) -> (Vec<String>, Vec<String>) {
    let (mut literals, mut places) = (vec![String::new()], Vec::new());
    let mut rest = sentence;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        let literal = literals.last_mut().expect("it begins with one");
        literal.push_str(before);
        let place = after.strip_prefix('{').filter(|after| !after.starts_with('{'));
        if let Some((place, behind)) = place.and_then(|place| place.split_once('}')) {
            places.push(place.to_string());
            literals.push(String::new());
            rest = behind;
        } else {
            // A brace that is written twice stands for itself.
            let sign = &after[..1];
            literal.push_str(sign);
            rest = after[1..].strip_prefix(sign).unwrap_or(&after[1..]);
        }
    }
    literals.last_mut().expect("it begins with one").push_str(rest);
    (literals, places)
}

/// A sentence in a language; `None` when it is not known there, and for English.
pub fn told(text: &str, language: Language) -> Option<String> {
    if language == Language::English {
        return None;
    }
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    if source::folder().is_some() {
        return all(&rows(), text);
    }
    all(ROWS.get_or_init(rows), text)
}

/// A sentence, or several with `; ` between them: warnings list so what they saw.
fn all(rows: &[Row], text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split("; ").take(LONGEST).collect();
    if parts.len() == 1 || parts.len() == LONGEST {
        return find(rows, text, false, 0);
    }
    // A sentence may have `; ` itself. From the end: the cut that leaves the fewest pieces unknown, and of those the finest.
    let mut best: Vec<(usize, Vec<String>)> = vec![(0, Vec::new())];
    for from in (0..parts.len()).rev() {
        let behind = |pieces: usize| best.get(best.len().checked_sub(pieces)?);
        let told = |pieces: usize| find(rows, &parts.get(from..from + pieces)?.join("; "), true, 0);
        let (mut unknown, mut cut) = behind(1).map_or((1, Vec::new()), |(unknown, cut)| (unknown + 1, cut.clone()));
        cut.push(parts[from].to_string());
        for pieces in (1..=PIECES).rev() {
            let (Some((left, rest)), Some(said)) = (behind(pieces), told(pieces)) else { continue };
            if *left <= unknown {
                (unknown, cut) = (*left, rest.clone());
                cut.push(said);
            }
        }
        best.push((unknown, cut));
    }
    let (unknown, mut cut) = best.pop()?;
    cut.reverse();
    (unknown < parts.len()).then(|| cut.join("；"))
}

/// All sentences, the surest first.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for file in CHINESE {
        let text = source::text(file).unwrap_or_default();
        let table: BTreeMap<String, String> = toml::from_str(&text).unwrap_or_else(|error| {
            tracing::error!(%error, file, "a file of words cannot be read");
            BTreeMap::new()
        });
        rows.extend(table.into_iter().map(|(english, told)| Row::new(&english, told)));
    }
    rows.sort_by_key(|row| Reverse(row.weight()));
    rows
}

/// `listed`: it stands in a list, so what goes on behind a `; ` in a place counts only when it is known.
fn find(rows: &[Row], text: &str, listed: bool, depth: u32) -> Option<String> {
    let whole = text.strip_suffix('.').unwrap_or(text);
    let (row, values) = rows.iter().find_map(|row| Some((row, row.places_of(whole)?)))?;
    let (literals, places) = cut(&row.told);
    let mut told = literals.first().cloned().unwrap_or_default();
    for (place, literal) in places.iter().zip(literals.iter().skip(1)) {
        let at = row.places.iter().position(|known| known == place)?;
        let value = values.get(at)?;
        let inner = if depth < DEEPEST { find(rows, value, listed, depth + 1) } else { None };
        let said = row.places.iter().position(|name| name == "what").unwrap_or(row.places.len() - 1);
        let loose = row.letters() < LOOSE && at == said;
        if inner.is_none() && (loose || listed && value.contains("; ")) {
            return None;
        }
        told.push_str(inner.as_deref().unwrap_or(value));
        told.push_str(literal);
    }
    if whole.len() < text.len() {
        told.push('。');
    }
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::AuthError;
    use crate::auth::predicate::Rule;
    use crate::crm::CrmError;
    use crate::serve::ask::Params;

    fn chinese(text: &str) -> String {
        told(text, Language::Chinese).unwrap_or_else(|| panic!("there is no Chinese for {text:?}"))
    }

    #[test]
    fn sentences_keep_what_stands_in_their_places() {
        assert_eq!(chinese("days is given twice."), "days 给出了两次。");
        assert_eq!(chinese("run 7 is closed"), "批次 7 已关闭");
        assert_eq!(chinese("there is no role \"x\""), "没有角色 \"x\"");
        assert_eq!(told("days is given twice.", Language::English), None);
        assert_eq!(told("the moon is full", Language::Chinese), None);
        assert_eq!(chinese("{why} is given twice"), "{why} 给出了两次", "what is filled in is no place");
    }

    #[test]
    fn what_stands_in_a_place_is_told_too() {
        let error = CrmError::Invalid { field: "text", problem: "it may not be empty".into() };
        assert_eq!(chinese(&format!("{error}.")), "文字：不能为空。");
        assert_eq!(told("what: ever", Language::Chinese), None, "half a sentence is none");
        let deep = "it: ".repeat(10) + "it may not be empty";
        assert_eq!(told(&deep, Language::Chinese), None, "not without end");
    }

    #[test]
    fn what_people_meet_on_pages_is_known() {
        let list = Params::parse("a=1", &["b", "c"]).expect_err("unknown");
        let twice = Params::parse("b=1&b=2", &["b"]).expect_err("twice");
        let number = Params::parse("b=x", &["b"]).expect("read").number("b", 1..=9).expect_err("no number");
        let day = Params::parse("b=x", &["b"]).expect("read").day("b").expect_err("no day");
        let word = Params::parse("b=x", &["b"]).expect("read").word("b", &[("y", 1)], 1).expect_err("no word");
        for problem in [list, twice, number, day, word] {
            chinese(&problem.detail);
        }
        for error in [
            AuthError::BadName,
            AuthError::BadWord,
            AuthError::BadPassword,
            AuthError::BadAccounts,
            AuthError::Exists { name: "ann".into() },
            AuthError::BuiltIn { name: "agent".into() },
            AuthError::Unknown { what: "role", name: "x".into() },
        ] {
            chinese(&error.to_string());
        }
        for permission in crate::auth::permission::Permission::ALL {
            chinese(permission.about());
        }
        for rule in [
            "",
            "region",
            "region = north",
            "region = \"north",
            "(region = \"a\"",
            "amount < \"a\"",
            "kind in (\"a\" \"b\")",
        ] {
            let error = Rule::parse(rule).expect_err(rule);
            let told = chinese(&AuthError::from(error).to_string());
            assert!(told.starts_with("无法读取规则：") && told.contains("个字符"), "{told}");
            assert!(!told.contains("missing") && !told.contains("never"), "{told}");
        }
    }

    #[test]
    fn every_place_of_the_chinese_is_one_of_the_english() {
        for row in rows() {
            for place in cut(&row.told).1 {
                assert!(row.places.contains(&place), "{}", row.told);
            }
        }
    }

    #[test]
    fn lists_of_what_was_seen_are_told_piece_by_piece() {
        assert_eq!(chinese("overlay O1A; page-segment S1"), "叠加 O1A；页段 S1");
        assert_eq!(
            chinese(
                "X'40': an unknown control sequence; skipped; X'F3': glyphs without a glyph layout control; skipped"
            ),
            "X'40'：未知的控制序列；已跳过；X'F3'：字形没有布局控制；已跳过"
        );
        assert_eq!(chinese("overlay O1A; ABCD"), "叠加 O1A；ABCD");
        assert_eq!(told("O1A; S1", Language::Chinese), None);
        assert_eq!(chinese("unknown key; did you mean `kind`?"), "未知的键；您是否想写 `kind`？");
        assert_eq!(
            chinese("overlay A; X; a control sequence without a length; skipped; Y"),
            "叠加 A；X；控制序列没有长度；已跳过；Y"
        );
        assert_eq!(chinese("more than 7 elements on a page (BPG X'D3A8AF')"), "一页超过 7 个元素（BPG X'D3A8AF'）");
    }

    #[test]
    fn what_is_wrong_in_a_definition_is_told_whole() {
        let source = "name = \"X\"\nkidn = \"bill\"\n[document]\ntitle = \"{a\"\nstart = \"pages\"\n\
            [[field]]\nname = \"a\"\nrow = \"x\"\ncolumns = \"9-1\"\nregex = '('\ntype = \"date\"\n";
        let errors = crate::index::definition::Definition::parse(source, "x.toml").expect_err("wrong").0;
        assert!(errors.len() > 7, "{errors:?}");
        for error in errors {
            let said =
                [chinese(&error.message), error.allowed.as_deref().map(chinese_or_code).unwrap_or_default()].concat();
            let left: Vec<&str> = said
                .split(|c: char| !c.is_ascii_alphabetic())
                .filter(|word| ["is", "a", "the", "or", "no"].contains(word))
                .collect();
            assert!(left.is_empty(), "{said}");
        }
    }

    /// Lists of words of the definition language have no Chinese.
    fn chinese_or_code(text: &str) -> String {
        told(text, Language::Chinese).unwrap_or_else(|| {
            let words = text.split([',', ' ']).all(|word| !word.contains(' '));
            assert!(words && !text.contains(" a "), "there is no Chinese for {text:?}");
            text.to_string()
        })
    }

    /// Texts in quotes of a piece of source that are sentences: with a blank between two letters; places are filled in.
    fn sentences(source: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut rest = source;
        while let Some((_, after)) = rest.split_once('"') {
            let mut text = String::new();
            let mut signs = after.char_indices();
            let mut end = after.len();
            while let Some((at, sign)) = signs.next() {
                match sign {
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    '\\' => text.extend(signs.next().map(|(_, sign)| sign)),
                    sign => text.push(sign),
                }
            }
            rest = after.get(end..).unwrap_or_default();
            let (mut literals, _) = cut(&text);
            // What is set behind a word without a blank may be nothing.
            let count = literals.len();
            for literal in literals.iter_mut().take(count.saturating_sub(1)) {
                if !literal.ends_with(char::is_alphabetic) {
                    literal.push_str("B1");
                }
            }
            let letters: Vec<char> = text.chars().collect();
            if letters.windows(3).any(|three| matches!(three, [a, ' ', b] if a.is_alphabetic() && b.is_alphabetic())) {
                found.push((text.clone(), literals.concat()));
            }
        }
        found
    }

    /// Whether there is Chinese for a text of the source: as it is, or with its places filled in.
    fn is_known(text: &str, filled: &str) -> bool {
        [text, filled].iter().any(|text| told(text, Language::Chinese).is_some())
    }

    /// The files of a folder of the source, without tests and comments.
    fn sources(folder: &str, all: &mut Vec<(String, String)>) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).expect("a folder of the source").flatten() {
            let path = entry.path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                // Detection speaks on the command line only.
                if !name.ends_with("detect") {
                    sources(&name, all);
                }
            } else if name.ends_with(".rs") && !name.contains("test") && !name.ends_with("corpus.rs") {
                let text = std::fs::read_to_string(&path).expect("read");
                let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                let lines: Vec<&str> = text
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//") && !line.contains(".expect("))
                    .collect();
                all.push((name, lines.join("\n")));
            }
        }
    }

    /// What follows one of these words, to the end of its statement.
    fn said<'s>(source: &'s str, words: &[&str]) -> Vec<&'s str> {
        let starts = words.iter().flat_map(|word| source.match_indices(word));
        starts.map(|(at, _)| source.get(at..).and_then(|rest| rest.split(";\n").next()).unwrap_or_default()).collect()
    }

    #[test]
    fn whatever_decoders_warn_of_is_known_in_chinese() {
        let mut files = Vec::new();
        ["src/decode/afp", "src/decode/line", "src/index", "src/archive"]
            .into_iter()
            .for_each(|folder| sources(folder, &mut files));
        let words = ["notes.add", "report(", "report)(", ".note(", ".say(", ".stop(", "left_out = ", ": Invalid = "];
        let (mut count, mut missing) = (0, Vec::new());
        for (name, source) in &files {
            let mut pieces = said(source, &words);
            if name.contains("barcode") {
                pieces.extend(said(source, &["Err(\"", "ok_or(\""]));
            }
            for (text, filled) in pieces.into_iter().flat_map(sentences) {
                count += 1;
                if !is_known(&text, &filled) {
                    missing.push(format!("{name}: {filled:?}"));
                }
            }
        }
        assert!(missing.is_empty(), "there is no Chinese for\n{}", missing.join("\n"));
        assert!(count > 120, "{count}");
    }

    #[test]
    fn whatever_definitions_are_refused_for_is_known_in_chinese() {
        let mut files = Vec::new();
        sources("src/index/definition", &mut files);
        let files = files.iter().filter(|(name, _)| {
            ["build.rs", "document.rs", "fields.rs", "raw.rs", "reading.rs"].iter().any(|file| name.ends_with(file))
        });
        let (mut count, mut missing) = (0, Vec::new());
        for (name, source) in files {
            for (text, filled) in sentences(source) {
                count += 1;
                if !is_known(&text, &filled) {
                    missing.push(format!("{name}: {filled:?}"));
                }
            }
        }
        assert!(missing.is_empty(), "there is no Chinese for\n{}", missing.join("\n"));
        assert!(count > 80, "{count}");
    }
}
