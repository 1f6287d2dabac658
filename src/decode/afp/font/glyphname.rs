//! PostScript glyph names: what Type 1 fonts call their characters.
//!
//! Source of the rule: Adobe Glyph List specification, for the names that fonts of print streams use; the Type 1 font
//! format book for StandardEncoding, which composed characters (`seac`) refer to.

use std::collections::HashMap;
use std::sync::OnceLock;

use unicode_normalization::char::compose;

static TABLE: &str = include_str!("glyphname.txt");

const ACCENTS: [(&str, char); 13] = [
    ("acute", '\u{301}'),
    ("grave", '\u{300}'),
    ("circumflex", '\u{302}'),
    ("dieresis", '\u{308}'),
    ("tilde", '\u{303}'),
    ("caron", '\u{30C}'),
    ("breve", '\u{306}'),
    ("hungarumlaut", '\u{30B}'),
    ("ring", '\u{30A}'),
    ("dotaccent", '\u{307}'),
    ("macron", '\u{304}'),
    ("cedilla", '\u{327}'),
    ("ogonek", '\u{328}'),
];

struct Names {
    chars: HashMap<&'static str, char>,
    standard: HashMap<u8, &'static str>,
}

/// The character of a glyph name; what follows a full stop (`a.alt`) is left out.
pub fn to_char(name: &str) -> Option<char> {
    let name = name.split('.').next().filter(|name| !name.is_empty())?;
    let mut chars = name.chars();
    if let (Some(letter), None) = (chars.next(), chars.next()) {
        return Some(letter).filter(char::is_ascii_alphabetic);
    }
    names().chars.get(name).copied().or_else(|| accented(name)).or_else(|| coded(name))
}

/// The glyph name of a code in StandardEncoding.
pub fn standard(code: u8) -> Option<String> {
    let letter = char::from(code);
    if letter.is_ascii_alphabetic() {
        return Some(letter.into());
    }
    names().standard.get(&code).map(|name| (*name).to_owned())
}

fn accented(name: &str) -> Option<char> {
    let mut chars = name.chars();
    let letter = chars.next().filter(char::is_ascii_alphabetic)?;
    let (_, mark) = ACCENTS.iter().find(|(accent, _)| *accent == chars.as_str())?;
    compose(letter, *mark)
}

/// `uni20AC`, `u1F600`.
fn coded(name: &str) -> Option<char> {
    let hex = name.strip_prefix("uni").or_else(|| name.strip_prefix('u')).filter(|hex| (4..=6).contains(&hex.len()))?;
    char::from_u32(u32::from_str_radix(hex, 16).ok()?).filter(|ch| !ch.is_control())
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let (head, tail) = TABLE.split_once("\n\n").unwrap_or_default();
        let pairs = |text: &'static str| {
            text.lines()
                .filter(|line| !line.starts_with('#'))
                .flat_map(|line| line.split(' '))
                .filter_map(|item| item.split_once('='))
        };
        let standard =
            pairs(head).filter_map(|(code, name)| Some((u8::from_str_radix(code, 16).ok()?, name))).collect();
        let char_of = |code: &str| char::from_u32(u32::from_str_radix(code, 16).ok()?);
        let chars = pairs(tail).filter_map(|(name, code)| Some((name, char_of(code)?))).collect();
        Names { chars, standard }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_their_characters() {
        let known = [
            ("A", 'A'),
            ("eacute", 'é'),
            ("germandbls", 'ß'),
            ("Euro", '€'),
            ("uni4E2D", '中'),
            ("one", '1'),
            ("a.alt", 'a'),
        ];
        for (name, ch) in known {
            assert_eq!(to_char(name), Some(ch), "{name}");
        }
        for name in ["", ".notdef", "G17", "nosuchname", "unix", "1"] {
            assert_eq!(to_char(name), None, "{name}");
        }
    }

    #[test]
    fn standard_encoding_knows_letters_and_accents() {
        assert_eq!(standard(b'a').as_deref(), Some("a"));
        assert_eq!(standard(0xC2).as_deref(), Some("acute"));
        assert_eq!(standard(0x27).as_deref(), Some("quoteright"));
        assert_eq!(standard(0), None);
    }
}
