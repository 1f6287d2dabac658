//! MaxiCode.
//!
//! Rule: ISO/IEC 16023.

use super::data::{Item, bytes};
use super::maxicode_layout::{DARK, LAYOUT, LIGHT};
use super::reed_solomon::Field;
use super::symbol::{Invalid, Matrix};

/// What the special-function parameters ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MaxiCodeOptions {
    /// Mode 2 to 6.
    pub mode: u8,
    /// Structured append: number from 1, how many.
    pub append: Option<(u8, u8)>,
}

const PAD: u8 = 33;
const GS: u8 = 0x1D;
const NUMERIC_SHIFT: u8 = 31;
const ECI: u8 = 27;
const LATCH_OTHER: u8 = 63;
const SHIFT_OTHER: u8 = 59;
/// Characters of a formatted message's header `[)>`RS`01`GSyy, which stays before the secondary message.
const HEADER: usize = 9;

/// Encodes data.
pub fn maxicode(items: &[Item], options: &MaxiCodeOptions) -> Result<Matrix, Invalid> {
    let mut message = Vec::new();
    if let Some((number, total)) = options.append {
        message.extend([PAD, (number.wrapping_sub(1) & 7) << 3 | (total.wrapping_sub(1) & 7)]);
    }
    let (mut primary, rest) = match options.mode {
        2 | 3 => carrier(items, options.mode)?,
        4..=6 => (vec![options.mode], items.to_vec()),
        _ => return Err("a mode that MaxiCode does not have"),
    };
    encode(&rest, &mut message)?;
    let secondary_room = if options.mode == 5 { 68 } else { 84 };
    let room = secondary_room + 10 - primary.len();
    if message.len() > room {
        return Err("more data than the symbol holds");
    }
    message.resize(room, PAD);
    let mut message = message.into_iter();
    let missing = 10 - primary.len();
    primary.extend(message.by_ref().take(missing));
    let secondary: Vec<u8> = message.collect();
    let mut words = with_checks(&primary, 10);
    let checks = (144 - 20 - secondary_room) / 2;
    let halves = [0, 1].map(|odd| {
        let half: Vec<u8> = secondary.iter().copied().skip(odd).step_by(2).collect();
        with_checks(&half, checks).split_off(half.len())
    });
    words.extend(secondary);
    let [even, odd] = halves;
    words.extend(even.into_iter().zip(odd).flat_map(|(even, odd)| [even, odd]));
    Ok(draw(&words))
}

fn with_checks(data: &[u8], count: usize) -> Vec<u8> {
    let wide: Vec<u16> = data.iter().map(|word| u16::from(*word)).collect();
    let checks = Field::new(6, 0x43).checks(&wide, count, 1);
    data.iter().copied().chain(checks.into_iter().map(|check| u8::try_from(check).unwrap_or(0))).collect()
}

/// Structured carrier message: postal code, country and class of service, each ended by GS, go into the primary message; what
/// is left is the secondary one.
fn carrier(items: &[Item], mode: u8) -> Result<(Vec<u8>, Vec<Item>), Invalid> {
    let data = bytes(items);
    if data.len() != items.len() {
        return Err("an escape sequence in a structured carrier message");
    }
    let header = if data.starts_with(b"[)>\x1e01\x1d") { HEADER.min(data.len()) } else { 0 };
    let (header, body) = data.split_at(header);
    let mut parts = body.splitn(4, |ch| *ch == GS);
    let mut part = || parts.next().ok_or("a carrier message without postal code, country and class of service");
    let (postal, country, class) = (part()?, part()?, part()?);
    let number = |text: &[u8]| {
        if text.is_empty() || text.len() > 3 || !text.iter().all(u8::is_ascii_digit) {
            return Err("a country or class of service that is no number of three digits");
        }
        Ok(text.iter().fold(0u32, |all, digit| all * 10 + u32::from(digit.wrapping_sub(b'0'))))
    };
    let (country, class) = (number(country)?, number(class)?);
    let code = if mode == 2 { numeric_postal(postal)? } else { letter_postal(postal)? };
    // From the lowest bit: mode (4), postal code (36), country (10), class of service (10).
    let all = u64::from(mode) | code << 4 | u64::from(country) << 40 | u64::from(class) << 50;
    let words = (0..10).map(|word| u8::try_from(all >> (6 * word) & 0x3F).unwrap_or(0)).collect();
    let rest = parts.next().unwrap_or_default();
    let secondary = header.iter().chain(rest).map(|byte| Item::Byte(*byte)).collect();
    Ok((words, secondary))
}

/// Up to nine digits: 30 bits of number, 6 of length.
fn numeric_postal(postal: &[u8]) -> Result<u64, Invalid> {
    if postal.is_empty() || postal.len() > 9 || !postal.iter().all(u8::is_ascii_digit) {
        return Err("a postal code that is no number of up to nine digits");
    }
    let number = postal.iter().fold(0u64, |all, digit| all * 10 + u64::from(digit - b'0'));
    Ok(number | u64::try_from(postal.len()).unwrap_or(0) << 30)
}

/// Six characters of set A, the last in the lowest bits; longer codes are cut.
fn letter_postal(postal: &[u8]) -> Result<u64, Invalid> {
    let mut code = 0;
    for i in 0..6 {
        let ch = postal.get(i).copied().unwrap_or(b' ').to_ascii_uppercase();
        let value = in_set(0, ch).filter(|_| ch >= b' ').ok_or("a postal code with a character outside set A")?;
        code = code << 6 | u64::from(value);
    }
    Ok(code)
}

const SET_B_PUNCTUATION: &[u8; 18] = b";<=>?[\\]^_ ,./:@!|";
const SET_C: [u8; 10] = [170, 172, 177, 178, 179, 181, 185, 186, 188, 189];
const SET_D: [u8; 10] = [161, 168, 171, 175, 176, 180, 183, 184, 187, 191];
const SET_E: [u8; 12] = [159, 160, 162, 163, 164, 165, 166, 167, 169, 173, 174, 182];

/// The value of a character in code set A to E (0 to 4).
fn in_set(set: usize, ch: u8) -> Option<u8> {
    let place = |table: &[u8], from: u8| {
        table.iter().position(|c| *c == ch).and_then(|at| u8::try_from(at).ok()).map(|at| at + from)
    };
    match (set, ch) {
        (0, b'\r') => Some(0),
        (0, b'A'..=b'Z') => Some(ch - 64),
        (0 | 1, 28..=30) => Some(ch),
        (0, b' ') => Some(32),
        (0, b'"'..=b':') => Some(ch),
        (1, b'`'..=b'z') => Some(ch - 96),
        (1, b'{') => Some(32),
        (1, b'}'..=127) => Some(ch - 125 + 34),
        (1, _) => place(SET_B_PUNCTUATION, 37),
        (2, 192..=218) => Some(ch - 192),
        (2, 219..=223) => Some(ch - 219 + 32),
        (2, 128..=137) => Some(ch - 128 + 48),
        (2, _) => place(&SET_C, 37).or(if ch == 190 { Some(47) } else { None }),
        (3, 224..=250) => Some(ch - 224),
        (3, 251..=255) => Some(ch - 251 + 32),
        (3, 138..=148) => Some(ch - 138 + 47),
        (3, _) => place(&SET_D, 37),
        (4, 0..=26) => Some(ch),
        (4, 27) => Some(30),
        (4, 28..=31) => Some(ch - 28 + 32),
        (4, 149..=158) => Some(ch - 149 + 48),
        (4, _) => place(&SET_E, 36),
        _ => None,
    }
}

/// Characters in sets A and B by latch or shift, in the others by shift; nine digits in six values.
fn encode(items: &[Item], to: &mut Vec<u8>) -> Result<(), Invalid> {
    let mut set = 0;
    let mut rest = items;
    while let Some((first, tail)) = rest.split_first() {
        let nine = bytes(rest.get(..9).unwrap_or_default());
        if nine.len() == 9 && nine.iter().all(u8::is_ascii_digit) {
            let number = nine.iter().fold(0u32, |all, digit| all * 10 + u32::from(digit - b'0'));
            to.push(NUMERIC_SHIFT);
            to.extend((0..5).rev().map(|word| u8::try_from(number >> (6 * word) & 0x3F).unwrap_or(0)));
            rest = rest.get(9..).unwrap_or_default();
            continue;
        }
        rest = tail;
        match *first {
            Item::Eci(number) => eci(number, to),
            Item::Byte(ch) => {
                let found = [set, 1 - set, 2, 3, 4].into_iter().find_map(|set| Some((set, in_set(set, ch)?)));
                let (found, value) = found.ok_or("a character that MaxiCode does not have")?;
                let next = tail.first().and_then(|item| if let Item::Byte(next) = item { Some(*next) } else { None });
                if found == set {
                    to.push(value);
                } else if found > 1 {
                    to.extend([60 + u8::try_from(found - 2).unwrap_or(0), value]);
                } else if next.is_some_and(|next| in_set(found, next).is_some() && in_set(set, next).is_none()) {
                    to.extend([LATCH_OTHER, value]);
                    set = found;
                } else {
                    to.extend([SHIFT_OTHER, value]);
                }
            }
        }
    }
    Ok(())
}

fn eci(number: u32, to: &mut Vec<u8>) {
    let word = |shift: u32| u8::try_from(number >> shift & 0x3F).unwrap_or(0);
    to.push(ECI);
    match number {
        0..=31 => to.push(word(0)),
        32..=1023 => to.extend([0x20 | word(6), word(0)]),
        1024..=32_767 => to.extend([0x30 | word(12), word(6), word(0)]),
        _ => to.extend([0x38 | word(18), word(12), word(6), word(0)]),
    }
}

/// Modules in 33 rows of 30; odd rows are shifted by half a module and have one less.
fn draw(words: &[u8]) -> Matrix {
    let mut matrix = Matrix::new(30, 33);
    for (i, bit) in LAYOUT.iter().enumerate() {
        let dark = match *bit {
            LIGHT => false,
            DARK => true,
            bit => words.get(usize::from(bit / 6)).is_some_and(|word| word >> (5 - bit % 6) & 1 == 1),
        };
        matrix.set(i % 30, i / 30, dark);
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_of_many_digits_is_refused() {
        let items: Vec<Item> =
            b"152382802\x1d84099999999999999\x1d001\x1dX".iter().map(|byte| Item::Byte(*byte)).collect();
        let refused = maxicode(&items, &MaxiCodeOptions { mode: 2, append: None });
        assert!(refused.is_err_and(|why| why.contains("three digits")));
    }
}
