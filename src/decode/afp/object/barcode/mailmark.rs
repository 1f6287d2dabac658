//! Royal Mail Mailmark, the four-state forms C (66 bars) and L (78 bars).
//!
//! Rule: Royal Mail "Mailmark barcode C / L encoding and decoding instructions" (2015). The data is format, version, class,
//! supply chain (2 or 6 digits), item (8 digits), and nine characters of postcode with delivery point.

use super::reed_solomon::Field;
use super::symbol::{Invalid, PostalBar};

/// Shapes of postcodes: A any letter, L all but C I K M O V, N a digit, S a blank.
const POSTCODES: [&[u8; 9]; 6] = [b"ANANLLNLS", b"AANNLLNLS", b"AANNNLLNL", b"AANANLLNL", b"ANNLLNLSS", b"ANNNLLNLS"];
/// How many postcodes each shape has.
const POSTCODE_COUNTS: [u128; 6] =
    [5_408_000_000, 5_408_000_000, 54_080_000_000, 140_608_000_000, 208_000_000, 2_080_000_000];
/// Stands for destinations abroad.
const ABROAD: &[u8; 9] = b"XY11     ";
const LETTERS_L: &[u8; 20] = b"ABDEFGHJLNPQRSTUWXYZ";

/// In which extender each symbol is, for C and L.
const EXTENDERS_C: [usize; 22] = [3, 5, 7, 11, 13, 14, 16, 17, 19, 0, 1, 2, 4, 6, 8, 9, 10, 12, 15, 18, 20, 21];
const EXTENDERS_L: [usize; 26] =
    [2, 5, 7, 8, 13, 14, 15, 16, 21, 22, 23, 0, 1, 3, 4, 6, 9, 10, 11, 12, 17, 18, 19, 20, 24, 25];

/// One of the two forms.
struct Form {
    /// Digits of the supply chain.
    chain: usize,
    /// Numbers below 30, then numbers below 32, then check numbers.
    counts: [usize; 3],
    extenders: &'static [usize],
}

const C: Form = Form { chain: 2, counts: [9, 7, 6], extenders: &EXTENDERS_C };
const L: Form = Form { chain: 6, counts: [11, 8, 7], extenders: &EXTENDERS_L };

/// The bars; `long` is form L.
pub fn mailmark(data: &[u8], long: bool) -> Result<Vec<PostalBar>, Invalid> {
    let form = if long { L } else { C };
    let mut text = data.to_ascii_uppercase();
    let length = 3 + form.chain + 8 + 9;
    if text.len() > length || text.len() < length - 9 + 2 {
        return Err("more or fewer characters than the form has");
    }
    text.resize(length, b' ');
    let mut value = consolidated(&text, &form)?;
    let [below_30, below_32, checks] = form.counts;
    let mut numbers = vec![0u16; below_30 + below_32];
    for (at, number) in numbers.iter_mut().enumerate().rev() {
        let base = if at < below_30 { 30 } else { 32 };
        *number = u16::try_from(value % base).unwrap_or(0);
        value /= base;
    }
    let checks = Field::new(5, 0x25).checks(&numbers, checks, 1);
    numbers.extend(checks);
    let (even, odd) = (symbols(0), symbols(1));
    let mut extenders = vec![0u8; form.extenders.len()];
    for (at, (number, place)) in numbers.iter().zip(form.extenders).enumerate() {
        let table = if at < below_30 { &even } else { &odd };
        if let Some(extender) = extenders.get_mut(*place) {
            *extender = table.get(usize::from(*number)).copied().unwrap_or(0);
        }
    }
    let mut bars = Vec::new();
    for (at, extender) in extenders.iter().enumerate() {
        for bit in (0..3).rev() {
            let (first, second) = (extender >> (bit + 3) & 1 == 1, extender >> bit & 1 == 1);
            let (up, down) = if at % 2 == 0 { (first, second) } else { (second, first) };
            bars.push(match (up, down) {
                (true, true) => PostalBar::Full,
                (true, false) => PostalBar::Ascender,
                (false, true) => PostalBar::Descender,
                (false, false) => PostalBar::Tracker,
            });
        }
    }
    Ok(bars)
}

/// The symbols of six bits with an even or odd number of ones, without those that are all alike.
fn symbols(parity: u32) -> Vec<u8> {
    (1u8..0x3F).filter(|symbol| symbol.count_ones() % 2 == parity).collect()
}

/// All fields as one number.
fn consolidated(text: &[u8], form: &Form) -> Result<u128, Invalid> {
    const SHORT: Invalid = "fields that are cut short";
    let (head, rest) = text.split_at_checked(3).ok_or(SHORT)?;
    let (chain, rest) = rest.split_at_checked(form.chain).ok_or(SHORT)?;
    let (item, postcode) = rest.split_at_checked(8).ok_or(SHORT)?;
    let [format, version, class] = *head else { return Err(SHORT) };
    let format = digit(format).filter(|format| *format <= 4).ok_or("a format that is not 0 to 4")?;
    let version = digit(version).filter(|version| (1..=4).contains(version)).ok_or("a version that is not 1 to 4")?;
    let class = match class {
        b'A'..=b'E' => u128::from(class - b'A') + 10,
        _ => digit(class).ok_or("a class that is not 0 to 9 or A to E")?,
    };
    let mut value = destination(postcode)? * 100_000_000 + number(item)?;
    value = value * 10u128.pow(u32::try_from(form.chain).unwrap_or(2)) + number(chain)?;
    Ok(((value * 15 + class) * 5 + format) * 4 + version - 1)
}

fn digit(ch: u8) -> Option<u128> {
    ch.is_ascii_digit().then(|| u128::from(ch - b'0'))
}

fn number(digits: &[u8]) -> Result<u128, Invalid> {
    digits.iter().try_fold(0, |all, ch| Some(all * 10 + digit(*ch)?)).ok_or("a supply chain or item that is no number")
}

/// The number of a postcode: those of all shapes one after the other, from 1; 0 stands for abroad.
fn destination(postcode: &[u8]) -> Result<u128, Invalid> {
    if postcode == ABROAD {
        return Ok(0);
    }
    let mut before = 1;
    for (shape, count) in POSTCODES.iter().zip(POSTCODE_COUNTS) {
        if let Some(place) = in_shape(postcode, shape) {
            return Ok(before + place);
        }
        before += count;
    }
    Err("a postcode of no known shape")
}

fn in_shape(postcode: &[u8], shape: &[u8; 9]) -> Option<u128> {
    let mut value = 0;
    for (ch, kind) in postcode.iter().zip(shape) {
        let (base, part) = match kind {
            b'A' if ch.is_ascii_uppercase() => (26, u128::from(ch - b'A')),
            b'L' => (20, u128::try_from(LETTERS_L.iter().position(|letter| letter == ch)?).ok()?),
            b'N' => (10, digit(*ch)?),
            b'S' if *ch == b' ' => (1, 0),
            _ => return None,
        };
        value = value * base + part;
    }
    Some(value)
}
