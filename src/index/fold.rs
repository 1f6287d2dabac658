//! Folds characters so that what looks alike is found alike: case, accents, full and half width.
//!
//! Chinese, Japanese and Korean characters stay as they are (width apart); a Latin letter loses its accent.
//! The folding works character by character, so that a place in the folded text has a place in the original.

use unicode_normalization::char::{compose, decompose_compatible};

/// What a character is for cutting text into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Part of a word: letter, digit, mark.
    Word,
    /// A character of a script that is written without blanks between words.
    Cjk,
    /// Everything else.
    Other,
}

/// The class of a character.
pub(crate) fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Class::Word } else { Class::Other };
    }
    if is_cjk(c) {
        Class::Cjk
    } else if c.is_alphanumeric() || is_accent(c) {
        Class::Word
    } else {
        Class::Other
    }
}

fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11ff}'     // Hangul letters
        | '\u{3005}'..='\u{3007}'   // ideographic repetition, closing mark, zero
        | '\u{3041}'..='\u{309f}'   // Hiragana
        | '\u{30a1}'..='\u{30fa}'   // Katakana
        | '\u{30fc}'..='\u{30ff}'
        | '\u{3105}'..='\u{318f}'   // Bopomofo, Hangul compatibility letters
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'   // Han
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'   // Hangul syllables
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}'   // half-width Katakana
        | '\u{20000}'..='\u{3ffff}')
}

/// The plain form of a full-width ASCII character or an ideographic blank; other characters as they are.
pub(crate) fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    }
}

/// Appends the folded form of one character.
pub(crate) fn push_folded(c: char, out: &mut String) {
    let c = narrow(c);
    if c.is_ascii() {
        out.push(c.to_ascii_lowercase());
        return;
    }
    match c {
        // The voiced-sound marks of half-width Katakana belong to the character before.
        '\u{ff9e}' | '\u{3099}' => return push_voiced('\u{3099}', out),
        '\u{ff9f}' | '\u{309a}' => return push_voiced('\u{309a}', out),
        '\u{ff66}'..='\u{ff9d}' | '\u{f900}'..='\u{faff}' => return decompose_compatible(c, |d| out.push(d)),
        _ if is_cjk(c) => return out.push(c),
        _ => {}
    }
    for lower in c.to_lowercase() {
        match letter(lower) {
            Some(plain) => out.push_str(plain),
            None => decompose_compatible(lower, |d| {
                if !is_accent(d) {
                    out.extend(d.to_lowercase());
                }
            }),
        }
    }
}

fn push_voiced(mark: char, out: &mut String) {
    match out.chars().next_back().and_then(|last| compose(last, mark)) {
        Some(voiced) => {
            out.pop();
            out.push(voiced);
        }
        None => out.push(mark),
    }
}

/// Whether the character changes the one before it instead of standing for itself.
pub(crate) fn joins_previous(c: char) -> bool {
    matches!(c, '\u{ff9e}' | '\u{ff9f}' | '\u{3099}' | '\u{309a}')
}

/// Letters that Unicode does not decompose but people type without their stroke or joint.
fn letter(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'þ' => "th",
        'ħ' => "h",
        'ı' => "i",
        'ς' => "σ",
        _ => return None,
    })
}

/// A whole value folded: the form in which exact values are compared. Blanks at the ends go, runs of blanks become one.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if narrow(c).is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            push_folded(c, &mut out);
        }
    }
    if out.ends_with(' ') {
        out.pop();
    }
    out
}

/// Whether a folded value is a number of some kind with separators (`12-3456`).
///
/// Account and reference numbers are printed with separators and typed without them, or with others.
pub(crate) fn has_separators(folded: &str) -> bool {
    folded.bytes().any(|b| b.is_ascii_digit()) && folded.chars().any(|c| !c.is_alphanumeric())
}

/// The letters and digits of a folded value: `12-3456` is `123456`.
pub(crate) fn squeeze(folded: &str) -> String {
    folded.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_width_fold_away() {
        assert_eq!(fold("  François   MÜLLER "), "francois muller");
        assert_eq!(fold("Straße ŁÓDŹ Ærø"), "strasse lodz aero");
        assert_eq!(fold("ＡＢＣ　１２３"), "abc 123");
        assert_eq!(fold("ＡＢＣ-１２３"), "abc-123");
    }

    #[test]
    fn half_width_katakana_become_full_width_with_their_voiced_marks() {
        assert_eq!(fold("ｶﾞｽ ﾊﾟﾝ ﾄｳｷｮｳ"), "ガス パン トウキョウ");
        assert_eq!(fold("ガス"), "ガス");
    }

    #[test]
    fn korean_syllables_stay_whole() {
        assert_eq!(fold("청구서"), "청구서");
    }

    #[test]
    fn numbers_with_separators_are_told_from_names() {
        assert!(has_separators("12-3456 78") && !has_separators("12345678") && !has_separators("john taylor"));
        assert_eq!(squeeze("12-3456 78"), "12345678");
    }
}
