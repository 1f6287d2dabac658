//! Linear codes of narrow and wide elements: Code 39, MSI, the 2-of-5 codes, Codabar.
//!
//! Rules: AIM USS-39, AIM USS-I 2/5, AIM USS-Codabar (ANSI/AIM BC1 to BC3); BCOCA, "Bar Code Symbol Descriptor" for check digits.

use super::symbol::{Invalid, digits, mod10, text_of};

/// Elements in turn, bar first: wide or narrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoWidth {
    /// Wide elements are true.
    pub wide: Vec<bool>,
    /// Human-readable text: with check digits, except for MSI.
    pub text: String,
    /// What the symbol holds, check digits included.
    pub value: String,
}

impl TwoWidth {
    /// Element widths in modules for a wide-to-narrow ratio.
    pub fn widths(&self, ratio: f64) -> Vec<f64> {
        self.wide.iter().map(|wide| if *wide { ratio } else { 1.0 }).collect()
    }
}

/// Adds elements: `w` wide, everything else narrow.
fn add(to: &mut Vec<bool>, elements: &str) {
    to.extend(elements.bytes().map(|element| element == b'w'));
}

const CODE39_CHARACTERS: &[u8; 44] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%*";
/// Nine elements for each character; a bit is 1 where the element is wide.
const CODE39_PATTERNS: [u16; 44] = [
    0x034, 0x121, 0x061, 0x160, 0x031, 0x130, 0x070, 0x025, 0x124, 0x064, 0x109, 0x049, 0x148, 0x019, 0x118, 0x058,
    0x00D, 0x10C, 0x04C, 0x01C, 0x103, 0x043, 0x142, 0x013, 0x112, 0x052, 0x007, 0x106, 0x046, 0x016, 0x181, 0x0C1,
    0x1C0, 0x091, 0x190, 0x0D0, 0x085, 0x184, 0x0C4, 0x0A8, 0x0A2, 0x08A, 0x02A, 0x094,
];
const CODE39_STAR: usize = 43;

/// Code 39. Modifier 2 adds a check character (modulo 43).
pub fn code39(data: &[u8], check: bool, asterisks: bool) -> Result<TwoWidth, Invalid> {
    if data.is_empty() {
        return Err("no data");
    }
    let value = |ch: &u8| CODE39_CHARACTERS.iter().position(|c| c == ch).filter(|value| *value != CODE39_STAR);
    let mut values: Vec<usize> =
        data.iter().map(value).collect::<Option<_>>().ok_or("a character that Code 39 does not have")?;
    if check {
        values.push(values.iter().sum::<usize>() % 43);
    }
    let value: String =
        values.iter().filter_map(|value| CODE39_CHARACTERS.get(*value)).map(|ch| char::from(*ch)).collect();
    let text = if asterisks { format!("*{value}*") } else { value.clone() };
    values.insert(0, CODE39_STAR);
    values.push(CODE39_STAR);
    let mut wide = Vec::new();
    for pattern in values.iter().filter_map(|value| CODE39_PATTERNS.get(*value)) {
        if !wide.is_empty() {
            wide.push(false);
        }
        wide.extend((0..9).rev().map(|bit| pattern >> bit & 1 == 1));
    }
    Ok(TwoWidth { wide, text, value })
}

/// MSI (modified Plessey). Modifiers 1 to 9 say which check digits are added.
pub fn msi(data: &[u8], modifier: u8) -> Result<TwoWidth, Invalid> {
    let mut number = digits(data)?;
    let text = text_of(&number);
    match modifier {
        2 => number.push(luhn(&number)),
        3 => {
            number.push(luhn(&number));
            number.push(luhn(&number));
        }
        4..=9 => {
            let weights = if modifier.is_multiple_of(2) { 9 } else { 7 };
            let rest = mod11(&number, weights);
            let check = if modifier <= 5 { rest } else { (11 - rest) % 11 };
            match (check, modifier) {
                (10, 6 | 7) => number.push(0),
                (10, _) => return Err("a check digit of 10, which this MSI modifier does not allow"),
                _ => number.push(check),
            }
            number.push(luhn(&number));
        }
        _ => {}
    }
    let mut wide = Vec::new();
    add(&mut wide, "wn");
    for digit in &number {
        for bit in (0..4).rev() {
            add(&mut wide, if digit >> bit & 1 == 1 { "wn" } else { "nw" });
        }
    }
    add(&mut wide, "nwn");
    Ok(TwoWidth { wide, text, value: text_of(&number) })
}

/// The modulo 10 check digit of MSI: every second digit from the right is doubled and its digits are added.
fn luhn(number: &[u8]) -> u8 {
    let part = |(i, digit): (usize, &u8)| {
        let doubled = if i % 2 == 0 { digit * 2 } else { *digit };
        u32::from(doubled / 10 + doubled % 10)
    };
    let sum: u32 = number.iter().rev().enumerate().map(part).sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

/// The remainder of modulo 11 with weights 2 to `last` from the right, over and over: 7 for IBM, 9 for NCR.
fn mod11(number: &[u8], last: u32) -> u8 {
    let weights = (2..=last).cycle();
    let sum: u32 = number.iter().rev().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    u8::try_from(sum % 11).unwrap_or(0)
}

/// Two of five elements are wide.
const TWO_OF_FIVE: [&str; 10] =
    ["nnwwn", "wnnnw", "nwnnw", "wwnnn", "nnwnw", "wnwnn", "nwwnn", "nnnww", "wnnwn", "nwnwn"];

fn two_of_five(digit: u8) -> &'static str {
    TWO_OF_FIVE.get(usize::from(digit)).copied().unwrap_or("nnnnn")
}

fn with_check(data: &[u8], check: bool) -> Result<Vec<u8>, Invalid> {
    let mut number = digits(data)?;
    if check {
        number.push(mod10(&number));
    }
    Ok(number)
}

/// Industrial 2 of 5: bars carry the digits.
pub fn industrial(data: &[u8], check: bool) -> Result<TwoWidth, Invalid> {
    let number = with_check(data, check)?;
    let mut wide = Vec::new();
    add(&mut wide, "wnwnnn");
    for digit in &number {
        for element in two_of_five(*digit).bytes() {
            wide.extend([element == b'w', false]);
        }
    }
    add(&mut wide, "wnnnw");
    Ok(TwoWidth { wide, text: text_of(&number), value: text_of(&number) })
}

/// Matrix 2 of 5: bars and spaces carry the digits, with a narrow gap between them.
pub fn matrix(data: &[u8], check: bool) -> Result<TwoWidth, Invalid> {
    let number = with_check(data, check)?;
    let mut wide = Vec::new();
    add(&mut wide, "wnnnnn");
    for digit in &number {
        add(&mut wide, two_of_five(*digit));
        wide.push(false);
    }
    add(&mut wide, "wnnnn");
    Ok(TwoWidth { wide, text: text_of(&number), value: text_of(&number) })
}

/// Interleaved 2 of 5: bars carry one digit, spaces the next; a leading zero makes the number of digits even.
pub fn interleaved(data: &[u8], check: bool) -> Result<TwoWidth, Invalid> {
    let mut number = with_check(data, check)?;
    if number.len() % 2 == 1 {
        number.insert(0, 0);
    }
    let mut wide = Vec::new();
    add(&mut wide, "nnnn");
    for pair in number.chunks_exact(2) {
        let [bars, spaces] = pair else { continue };
        for (bar, space) in two_of_five(*bars).bytes().zip(two_of_five(*spaces).bytes()) {
            wide.extend([bar == b'w', space == b'w']);
        }
    }
    add(&mut wide, "wnn");
    Ok(TwoWidth { wide, text: text_of(&number), value: text_of(&number) })
}

const CODABAR_CHARACTERS: &[u8; 20] = b"0123456789-$:/.+ABCD";
const CODABAR_PATTERNS: [&str; 20] = [
    "nnnnnww", "nnnnwwn", "nnnwnnw", "wwnnnnn", "nnwnnwn", "wnnnnwn", "nwnnnnw", "nwnnwnn", "nwwnnnn", "wnnwnnn",
    "nnnwwnn", "nnwwnnn", "wnnnwnw", "wnwnnnw", "wnwnwnn", "nnwnwnw", "nnwwnwn", "nwnwnnw", "nnnwnww", "nnnwwwn",
];
/// The least value of a start or stop character.
const CODABAR_START: usize = 16;

/// Codabar: the data begins and ends with A, B, C or D. Modifier 2 adds a check character (modulo 16).
pub fn codabar(data: &[u8], check: bool) -> Result<TwoWidth, Invalid> {
    let value = |ch: &u8| CODABAR_CHARACTERS.iter().position(|c| *c == ch.to_ascii_uppercase());
    let mut values: Vec<usize> =
        data.iter().map(value).collect::<Option<_>>().ok_or("a character that Codabar does not have")?;
    let [first, middle @ .., last] = values.as_slice() else { return Err("no start and stop characters") };
    if *first < CODABAR_START || *last < CODABAR_START || middle.iter().any(|value| *value >= CODABAR_START) {
        return Err("start and stop characters missing or in the middle");
    }
    if check {
        let digit = (16 - values.iter().sum::<usize>() % 16) % 16;
        values.insert(values.len() - 1, digit);
    }
    let text: String =
        values.iter().filter_map(|value| CODABAR_CHARACTERS.get(*value)).map(|ch| char::from(*ch)).collect();
    let mut wide = Vec::new();
    for pattern in values.iter().filter_map(|value| CODABAR_PATTERNS.get(*value)) {
        if !wide.is_empty() {
            wide.push(false);
        }
        add(&mut wide, pattern);
    }
    Ok(TwoWidth { wide, value: text.clone(), text })
}
