//! Names of characters: IBM's graphic character global identifiers, and the habits of application-made fonts.
//!
//! A GCGID has eight characters: a class (script and letter, or kind of symbol) and six digits, of which the last four
//! tell variants of one character apart. Source of the rule: FOCA reference, appendix on GCGIDs; the table beside this
//! file says where its entries are from.

use std::collections::HashMap;
use std::sync::OnceLock;

use unicode_normalization::char::compose;

use super::glyphname;

static TABLE: &str = include_str!("gcgid.txt");

/// Marks of Latin letters by the two digits of the small letter; the capital letter has the next number.
const ACCENTS: [(u8, char); 13] = [
    (11, '\u{301}'),
    (13, '\u{300}'),
    (15, '\u{302}'),
    (17, '\u{308}'),
    (19, '\u{303}'),
    (21, '\u{30C}'),
    (23, '\u{306}'),
    (25, '\u{30B}'),
    (27, '\u{30A}'),
    (29, '\u{307}'),
    (31, '\u{304}'),
    (41, '\u{327}'),
    (43, '\u{328}'),
];

/// A character's name as it stands in a font: eight bytes of EBCDIC, padded with blanks.
pub type Gcgid = [u8; 8];

/// The name in readable characters, without the padding; `?` for what is no letter or digit.
pub fn text(name: &Gcgid) -> String {
    let chars = name.iter().map(|&byte| ebcdic(byte));
    chars.collect::<String>().trim_end().to_owned()
}

/// Letters, digits and the blank of EBCDIC, which are the same in all its code pages.
fn ebcdic(byte: u8) -> char {
    let letter = |first: u8, base: u8| char::from(base.wrapping_add(byte.wrapping_sub(first)));
    match byte {
        0x40 | 0x00 => ' ',
        0x81..=0x89 => letter(0x81, b'a'),
        0x91..=0x99 => letter(0x91, b'j'),
        0xA2..=0xA9 => letter(0xA2, b's'),
        0xC1..=0xC9 => letter(0xC1, b'A'),
        0xD1..=0xD9 => letter(0xD1, b'J'),
        0xE2..=0xE9 => letter(0xE2, b'S'),
        0xF0..=0xF9 => letter(0xF0, b'0'),
        0x4B => '.',
        0x6D => '_',
        _ => '?',
    }
}

/// The character that a name stands for; `None` when it is private to its font.
pub fn to_char(name: &Gcgid) -> Option<char> {
    let text = text(name);
    registered(&text).or_else(|| unicode_style(&text)).or_else(|| glyphname::to_char(&text).filter(|_| text.len() != 1))
}

/// A registered name; where its variant is unknown, the plain form of the same character.
fn registered(name: &str) -> Option<char> {
    let (class, digits) = name.split_at_checked(2)?;
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if let Some(&ch) = table().get(name) {
        return Some(ch);
    }
    let number: u8 = digits.get(..2)?.parse().ok()?;
    let plain = format!("{class}{number:02}0000");
    table().get(plain.as_str()).copied().or_else(|| latin(class, number)).or_else(|| digit(class, number))
}

/// `LA01` is a, `LA02` A, `LA11` á ...
fn latin(class: &str, number: u8) -> Option<char> {
    let letter = class.strip_prefix('L')?.chars().next().filter(char::is_ascii_uppercase)?;
    let case = |capital: bool| if capital { letter } else { letter.to_ascii_lowercase() };
    if number == 1 || number == 2 {
        return Some(case(number == 2));
    }
    let capital = number.is_multiple_of(2);
    let small = number.checked_sub(u8::from(capital))?;
    let (_, mark) = ACCENTS.iter().find(|(accent, _)| *accent == small)?;
    compose(case(capital), *mark)
}

/// `ND01` to `ND09`, and `ND10` for 0.
fn digit(class: &str, number: u8) -> Option<char> {
    (class == "ND" && (1..=10).contains(&number)).then(|| char::from(b'0'.wrapping_add(number % 10)))
}

/// Names that hold a code point: `UNIC20AC`, `UNI20AC`, `U20AC`, `U00020AC`, and `CODE0041` of some converters.
fn unicode_style(name: &str) -> Option<char> {
    let upper = name.to_ascii_uppercase();
    let hex = ["UNIC", "UNI", "UX", "U"].iter().find_map(|prefix| {
        let rest = upper.strip_prefix(prefix)?;
        (rest.len() >= 4 && rest.bytes().all(|b| b.is_ascii_hexdigit())).then_some(rest)
    })?;
    char::from_u32(u32::from_str_radix(hex, 16).ok()?).filter(|ch| !ch.is_control())
}

fn table() -> &'static HashMap<String, char> {
    static MAP: OnceLock<HashMap<String, char>> = OnceLock::new();
    MAP.get_or_init(|| {
        let mut map = HashMap::new();
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let Some((class, members)) = line.split_once(' ') else { continue };
            for member in members.split(' ') {
                let Some((digits, code)) = member.split_once('=') else { continue };
                let ch = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
                if let Some(ch) = ch {
                    map.insert(format!("{class}{digits:0<6}"), ch);
                }
            }
        }
        map
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::codepage::CodePage;

    fn named(name: &str) -> Option<char> {
        let bytes = CodePage::find("ibm-500").unwrap().encode(&format!("{name:8}")).unwrap();
        to_char(&bytes.try_into().unwrap())
    }

    #[test]
    fn letters_digits_and_symbols_have_their_registered_characters() {
        let known = [
            ("LA010000", 'a'),
            ("LZ020000", 'Z'),
            ("LE110000", 'é'),
            ("LU180000", 'Ü'),
            ("LC420000", 'Ç'),
            ("LS610000", 'ß'),
            ("ND100000", '0'),
            ("ND070000", '7'),
            ("SP010000", ' '),
            ("SC200000", '€'),
            ("GA110000", 'ά'),
            ("KA020000", 'А'),
            ("SF100000", '─'),
            ("LI300000", 'İ'),
            ("LZ290000", 'ż'),
        ];
        for (name, ch) in known {
            assert_eq!(named(name), Some(ch), "{name}");
        }
    }

    #[test]
    fn an_unknown_variant_is_its_plain_character() {
        assert_eq!(named("SP081000"), Some(','));
        assert_eq!(named("LA010099"), Some('a'));
        assert_eq!(named("ND031000"), Some('³'));
    }

    #[test]
    fn names_that_hold_a_code_point_are_read() {
        assert_eq!(named("UNIC2014"), Some('\u{2014}'));
        assert_eq!(named("U0004E2D"), Some('中'));
        assert_eq!(named("uni20AC"), Some('€'));
    }

    #[test]
    fn private_names_mean_nothing() {
        for name in ["EMC00001", "EX065000", "A", "", "ZZ990000", "L1010000", "UNICXYZW"] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}
