//! The bits of an Expanded symbol: what it starts with in a short form, and the rest as digits, capitals or text.
//!
//! Rule: ISO/IEC 24724, 7.2.5 (encodation methods and general purpose data compaction).

use super::Invalid;

/// A character of the data; `None` is FNC1, which ends a value of variable length.
pub type Char = Option<u8>;

/// Bits, the first one first.
pub type Bits = Vec<bool>;

/// Bits of a symbol character.
const CHARACTER: usize = 12;
/// Least and most characters of data.
const LEAST: usize = 3;
const MOST: usize = 21;
const PADDING: u32 = 0b00100;
/// Stands for "no date" in a method that has room for one.
const NO_DATE: u32 = 38_400;

fn put(bits: &mut Bits, value: u32, count: u32) {
    bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
}

/// Data as bits, filled up to whole characters. `full`: characters that a row of a stack has, check character included, or 0.
pub fn compact(data: &[Char], full: usize) -> Result<Bits, Invalid> {
    let mut bits = vec![false]; // no composite component is linked
    let (length_at, rest) = start(&mut bits, data)?;
    let numeric = general(&mut bits, rest)?;
    let mut count = bits.len().div_ceil(CHARACTER).max(LEAST);
    // A row of a stack has at least two characters.
    if full > 0 && count + 1 > full && (count + 1) % full == 1 {
        count += 1;
    }
    if count > MOST {
        return Err("more data than the symbol holds");
    }
    let whole = count * CHARACTER;
    if numeric {
        put(&mut bits, 0, 4);
    }
    while bits.len() < whole {
        put(&mut bits, PADDING, 5);
    }
    bits.truncate(whole);
    if let Some(at) = length_at {
        for (place, bit) in bits.iter_mut().skip(at).zip([count.is_multiple_of(2), count + 1 > 14]) {
            *place = bit;
        }
    }
    Ok(bits)
}

/// The digits from `at`, `count` of them, as a number.
fn number(data: &[Char], at: usize, count: usize) -> Option<u32> {
    let digits = data.get(at..at.checked_add(count)?)?;
    digits.iter().try_fold(0u32, |all, ch| {
        let digit = ch.filter(u8::is_ascii_digit)?;
        all.checked_mul(10)?.checked_add(u32::from(digit - b'0'))
    })
}

/// Writes the encodation method and what it takes; gives where the two bits of the symbol's length stand, and the rest.
fn start<'d>(bits: &mut Bits, data: &'d [Char]) -> Result<(Option<usize>, &'d [Char]), Invalid> {
    let with_length = |bits: &mut Bits, method: u32, count: u32| {
        put(bits, method, count);
        put(bits, 0, 2);
        Some(bits.len() - 2)
    };
    let item = number(data, 0, 2) == Some(1) && (2..16).all(|at| number(data, at, 1).is_some());
    if !item {
        return Ok((with_length(bits, 0b00, 2), data));
    }
    let rest = data.get(16..).unwrap_or_default();
    if number(data, 2, 1) != Some(9) {
        let at = with_length(bits, 0b1, 1);
        put(bits, number(data, 2, 1).unwrap_or(0), 4);
        twelve(bits, data);
        return Ok((at, rest));
    }
    if short_weight(bits, data, rest) || weight_and_date(bits, data, rest) {
        return Ok((None, &[]));
    }
    match (number(rest, 0, 3), number(rest, 3, 1), number(rest, 4, 3)) {
        (Some(392), Some(places @ 0..=3), _) if rest.len() > 4 => {
            let at = with_length(bits, 0b01100, 5);
            twelve(bits, data);
            put(bits, places, 2);
            Ok((at, rest.get(4..).unwrap_or_default()))
        }
        (Some(393), Some(places @ 0..=3), Some(currency)) if rest.len() > 7 => {
            let at = with_length(bits, 0b01101, 5);
            twelve(bits, data);
            put(bits, places, 2);
            put(bits, currency, 10);
            Ok((at, rest.get(7..).unwrap_or_default()))
        }
        _ => {
            let at = with_length(bits, 0b1, 1);
            put(bits, 9, 4);
            twelve(bits, data);
            Ok((at, rest))
        }
    }
}

/// Twelve digits of an item number, without its first and its check digit.
fn twelve(bits: &mut Bits, data: &[Char]) {
    for at in [3, 6, 9, 12] {
        put(bits, number(data, at, 3).unwrap_or(0), 10);
    }
}

/// A weight of the kinds 3103, 3202 and 3203 that 15 bits hold, and nothing else.
fn short_weight(bits: &mut Bits, data: &[Char], rest: &[Char]) -> bool {
    let (Some(kind), Some(weight), 10) = (number(rest, 0, 4), number(rest, 4, 6), rest.len()) else { return false };
    let (method, value) = match (kind, weight) {
        (3103, 0..=32_767) => (0b0100, weight),
        (3202, 0..=9999) => (0b0101, weight),
        (3203, 0..=22_767) => (0b0101, weight + 10_000),
        _ => return false,
    };
    put(bits, method, 4);
    twelve(bits, data);
    put(bits, value, 15);
    true
}

/// A weight of the kinds 310n and 320n below 100,000, alone or with one date, and nothing else.
fn weight_and_date(bits: &mut Bits, data: &[Char], rest: &[Char]) -> bool {
    let kind = match number(rest, 0, 3) {
        Some(310) => 0,
        Some(320) => 1,
        _ => return false,
    };
    let (Some(places), Some(weight @ 0..=99_999)) = (number(rest, 3, 1), number(rest, 4, 6)) else { return false };
    let (of, date) = match (rest.len(), number(rest, 10, 2)) {
        (10, _) => (0, Some(NO_DATE)),
        (18, Some(11)) => (0, date(rest)),
        (18, Some(13)) => (2, date(rest)),
        (18, Some(15)) => (4, date(rest)),
        (18, Some(17)) => (6, date(rest)),
        _ => return false,
    };
    let Some(date) = date else { return false };
    put(bits, 0b011_1000 + of + kind, 7);
    twelve(bits, data);
    put(bits, places * 100_000 + weight, 20);
    put(bits, date, 16);
    true
}

/// A date of six digits behind the application identifier.
fn date(rest: &[Char]) -> Option<u32> {
    let (year, month, day) = (number(rest, 12, 2)?, number(rest, 14, 2)?, number(rest, 16, 2)?);
    ((1..=12).contains(&month) && day <= 31).then(|| (year * 12 + month - 1) * 32 + day)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Numeric,
    Capitals,
    Text,
}

/// General purpose compaction. Tells whether it ends in numeric mode.
fn general(bits: &mut Bits, data: &[Char]) -> Result<bool, Invalid> {
    let mut mode = Mode::Numeric;
    let mut rest = data;
    while let Some((first, tail)) = rest.split_first() {
        if mode == Mode::Numeric {
            rest = numeric(bits, rest, &mut mode);
            continue;
        }
        let next = mode_for(mode, rest);
        if next != mode {
            let latch = if next == Mode::Numeric { (0b000, 3) } else { (0b00100, 5) };
            put(bits, latch.0, latch.1);
            mode = next;
            continue;
        }
        let (value, count) = match first {
            None => (0b01111, 5),
            Some(digit @ b'0'..=b'9') => (u32::from(digit - b'0') + 5, 5),
            Some(ch) if mode == Mode::Capitals => capitals(*ch).ok_or(UNKNOWN)?,
            Some(ch) => text(*ch).ok_or(UNKNOWN)?,
        };
        put(bits, value, count);
        if first.is_none() {
            mode = Mode::Numeric;
        }
        rest = tail;
    }
    Ok(mode == Mode::Numeric)
}

const UNKNOWN: Invalid = "a character that GS1 DataBar does not have";

/// Two digits in seven bits; one that is left over in four, or with FNC1 behind it.
fn numeric<'d>(bits: &mut Bits, rest: &'d [Char], mode: &mut Mode) -> &'d [Char] {
    let digit = |ch: &Char| match ch {
        None => Some(10),
        Some(ch) => ch.is_ascii_digit().then(|| u32::from(ch - b'0')),
    };
    match rest {
        [a, b, tail @ ..] if a.or(*b).is_some() && digit(a).is_some() && digit(b).is_some() => {
            let pair = digit(a).unwrap_or(0) * 11 + digit(b).unwrap_or(0);
            put(bits, pair + 8, 7);
            tail
        }
        [Some(last @ b'0'..=b'9')] => {
            let left = bits.len().div_ceil(CHARACTER).max(LEAST) * CHARACTER - bits.len();
            let value = u32::from(last - b'0');
            if (4..=6).contains(&left) {
                put(bits, value + 1, 4)
            } else {
                put(bits, value * 11 + 10 + 8, 7)
            }
            &[]
        }
        [None] => &[],
        _ => {
            put(bits, 0, 4);
            *mode = Mode::Capitals;
            rest
        }
    }
}

/// The mode that the next characters ask for.
fn mode_for(mode: Mode, rest: &[Char]) -> Mode {
    let run = |test: fn(&Char) -> bool| rest.iter().take_while(|ch| test(ch)).count();
    let is_digit = |ch: &Char| ch.is_none_or(|ch| ch.is_ascii_digit());
    let is_capital = |ch: &Char| ch.is_none_or(|ch| ch.is_ascii_digit() || capitals(ch).is_some());
    let digits = run(is_digit);
    let capitals = run(is_capital);
    match mode {
        Mode::Capitals if rest.first().is_some_and(|ch| !is_capital(ch)) => Mode::Text,
        Mode::Capitals if rest.first() == Some(&None) => mode,
        Mode::Capitals if digits >= 6 || (digits >= 4 && digits == rest.len()) => Mode::Numeric,
        Mode::Text if rest.first() == Some(&None) => mode,
        Mode::Text if capitals >= rest.len().min(10) && digits >= 4 => Mode::Numeric,
        Mode::Text if capitals >= rest.len().min(10) && capitals >= 5 => Mode::Capitals,
        _ => mode,
    }
}

/// Capital letters and a few signs in six bits.
fn capitals(ch: u8) -> Option<(u32, u32)> {
    match ch {
        b'A'..=b'Z' => Some((u32::from(ch) - 33, 6)),
        b'*' => Some((58, 6)),
        b','..=b'/' => Some((u32::from(ch - b',') + 59, 6)),
        _ => None,
    }
}

/// Letters in seven bits and signs in eight.
fn text(ch: u8) -> Option<(u32, u32)> {
    const SIGNS: &[u8; 21] = b"!\"%&'()*+,-./:;<=>?_ ";
    match ch {
        b'A'..=b'Z' => Some((u32::from(ch) - 1, 7)),
        b'a'..=b'z' => Some((u32::from(ch) - 7, 7)),
        _ => SIGNS.iter().zip(232..).find(|(sign, _)| **sign == ch).map(|(_, value)| (value, 8)),
    }
}
