//! The data of PDF417: bytes, escape sequences of three digits, and the control block of Macro PDF417.
//!
//! Rules: BCOCA Reference, "PDF417" and "PDF417 Special-Function Parameters"; ISO/IEC 15438, annex H (Macro PDF417).

use super::pdf417::{numeric_words, text_words};
use super::symbol::Invalid;

/// A piece of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A byte.
    Byte(u8),
    /// A change of the character set (a Global Label Identifier, which is an ECI now).
    Eci(u32),
    /// A codeword as it stands.
    Word(u16),
}

const ECI: [u16; 3] = [925, 926, 927];
const READER: u16 = 921;
const BLOCK: u16 = 928;
const FIELD: u16 = 923;
const LAST: u16 = 922;

const UNKNOWN: Invalid = "an escape sequence that is not known";

/// Reads data; with `escapes` a backslash and three digits is a codeword, two backslashes are one.
pub fn units(bytes: &[u8], escapes: bool) -> Result<Vec<Unit>, Invalid> {
    if bytes.is_empty() {
        return Err("no data");
    }
    let mut units = Vec::new();
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'\\' || !escapes {
            units.push(Unit::Byte(*first));
        } else if let Some(tail) = tail.strip_prefix(b"\\") {
            units.push(Unit::Byte(b'\\'));
            rest = tail;
        } else {
            let (word, tail) = word(rest).ok_or(UNKNOWN)?;
            let (unit, tail) = special(word, tail, units.is_empty()).ok_or(UNKNOWN)?;
            units.push(unit);
            rest = tail;
        }
    }
    Ok(units)
}

/// Three digits behind a backslash.
fn word(data: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = data.split_at_checked(3)?;
    let word = digits.iter().try_fold(0u16, |all, ch| {
        let digit = char::from(*ch).to_digit(10)?;
        Some(all * 10 + u16::try_from(digit).ok()?)
    })?;
    Some((word, rest))
}

/// A further escape sequence from 000 to 899.
fn value(data: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = word(data.strip_prefix(b"\\")?)?;
    (word < 900).then_some((u32::from(word), rest))
}

fn special(word: u16, rest: &[u8], first: bool) -> Option<(Unit, &[u8])> {
    match word {
        925 => value(rest).map(|(value, rest)| (Unit::Eci(810_900 + value), rest)),
        926 => {
            let (high, rest) = value(rest)?;
            let (low, rest) = value(rest)?;
            Some((Unit::Eci((high + 1) * 900 + low), rest))
        }
        927 => value(rest).map(|(value, rest)| (Unit::Eci(value), rest)),
        READER if first => Some((Unit::Word(READER), rest)),
        903..=912 | 914..=920 => Some((Unit::Word(word), rest)),
        _ => None,
    }
}

/// The codewords of a change of character set.
pub fn eci(number: u32) -> Vec<u16> {
    let [high, middle, low] = ECI;
    let word = |value: u32| u16::try_from(value).unwrap_or(0);
    match number {
        0..=899 => vec![low, word(number)],
        900..=810_899 => vec![middle, word(number / 900 - 1), word(number % 900)],
        _ => vec![high, word((number - 810_900).min(899))],
    }
}

/// The codewords of a control block: number of the symbol, identification of the file, optional fields; or only the mark of
/// the last symbol.
pub fn control_block(data: &[u8]) -> Result<Vec<u16>, Invalid> {
    const WRONG: Invalid = "a macro control block that is not well formed";
    let mut words = Vec::new();
    let mut rest = data;
    let escape = |rest: &mut &[u8]| {
        let (word, tail) = word(rest.strip_prefix(b"\\")?)?;
        *rest = tail;
        Some(word)
    };
    while let Some(mark) = escape(&mut rest) {
        match mark {
            LAST => words.push(LAST),
            BLOCK => {
                let (digits, tail) = until_escape(rest);
                let number = std::str::from_utf8(digits).ok().and_then(|text| text.parse::<u32>().ok());
                let number = number.filter(|number| (1..=99_999).contains(number)).ok_or(WRONG)?;
                // Readers count from 0.
                words.push(BLOCK);
                words.extend(numeric_words(format!("{:05}", number - 1).as_bytes()));
                rest = tail;
                while let Some((part, tail)) = value(rest) {
                    words.push(u16::try_from(part).unwrap_or(0));
                    rest = tail;
                }
            }
            FIELD => {
                let kind = escape(&mut rest).filter(|kind| *kind <= 6).ok_or(WRONG)?;
                let (content, tail) = until_escape(rest);
                words.extend([FIELD, kind]);
                words.extend(match kind {
                    0 | 3 | 4 => text_words(content),
                    // The number of symbols has a fixed length.
                    1 => numeric_words(format!("{:0>5}", String::from_utf8_lossy(content)).as_bytes()),
                    _ => numeric_words(content),
                });
                if !matches!(kind, 0 | 3 | 4) && (content.is_empty() || !content.iter().all(u8::is_ascii_digit)) {
                    return Err(WRONG);
                }
                rest = tail;
            }
            _ => return Err(WRONG),
        }
    }
    if rest.is_empty() { Ok(words) } else { Err(WRONG) }
}

fn until_escape(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\\').unwrap_or(data.len());
    data.split_at_checked(at).unwrap_or((data, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_have_three_digits() {
        use Unit::{Byte, Eci, Word};
        assert_eq!(units(b"\\921a\\\\", true), Ok(vec![Word(921), Byte(b'a'), Byte(b'\\')]));
        assert_eq!(units(b"\\927\\026b", true), Ok(vec![Eci(26), Byte(b'b')]));
        assert_eq!(units(b"\\926\\000\\001", true), Ok(vec![Eci(901)]));
        assert_eq!(units(b"\\927", false), Ok(b"\\927".map(Byte).to_vec()));
        for wrong in [&b"\\92"[..], b"\\927", b"\\927\\900", b"a\\921", b"\\922", b"\\abc"] {
            assert!(units(wrong, true).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn control_blocks_hold_number_file_and_fields() {
        // 100000 is 111 * 900 + 100: the first symbol is number 0 to readers.
        assert_eq!(control_block(b"\\9281\\017\\053"), Ok(vec![928, 111, 100, 17, 53]));
        assert_eq!(control_block(b"\\9282\\017\\923\\0012\\922"), Ok(vec![928, 111, 101, 17, 923, 1, 111, 102, 922]));
        assert_eq!(control_block(b"\\922"), Ok(vec![922]));
        for wrong in [&b"x"[..], b"\\9280\\001", b"\\928\\001", b"\\923\\007A", b"\\923\\002A", b"\\900"] {
            assert!(control_block(wrong).is_err(), "{wrong:?}");
        }
    }
}
