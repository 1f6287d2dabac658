//! Sentences and their Chinese; sources are looked through for sentences without.

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
    for row in rows(&CHINESE).into_iter().chain(rows(&RECORDS)) {
        for place in cut(&row.told).1 {
            assert!(row.places.contains(&place), "{}", row.told);
        }
    }
}

#[test]
fn lists_of_what_was_seen_are_told_piece_by_piece() {
    assert_eq!(chinese("overlay O1A; page-segment S1"), "叠加 O1A；页段 S1");
    assert_eq!(
        chinese("X'40': an unknown control sequence; skipped; X'F3': glyphs without a glyph layout control; skipped"),
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
    let foreign = include_str!("../../../decode/foreign.rs").split("#[cfg(test)]").next().unwrap_or_default();
    files.push(("foreign.rs".into(), foreign.into()));
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
