//! EAN and UPC, with their supplements.
//!
//! Rule: GS1 General Specifications, "EAN/UPC symbology" (ISO/IEC 15420); BCOCA for what the data holds.

use super::symbol::{Bar, Invalid, digits, mod10, text_of};

/// Widths of space, bar, space, bar of a digit in set A; set B is C mirrored, C has bars first.
const SET_A: [[u16; 4]; 10] = [
    [3, 2, 1, 1],
    [2, 2, 2, 1],
    [2, 1, 2, 2],
    [1, 4, 1, 1],
    [1, 1, 3, 2],
    [1, 2, 3, 1],
    [1, 1, 1, 4],
    [1, 3, 1, 2],
    [1, 2, 1, 3],
    [3, 1, 1, 2],
];
/// Which of the left six digits are in set B, by the first digit of an EAN-13.
const EAN13_SETS: [&str; 10] =
    ["AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA"];
/// The sets of a UPC-E by its check digit, number system 0.
const UPCE_SETS: [&str; 10] =
    ["BBBAAA", "BBABAA", "BBAABA", "BBAAAB", "BABBAA", "BAABBA", "BAAABB", "BABABA", "BABAAB", "BAABAB"];
/// The sets of a five-digit supplement by its check digit.
const FIVE_SETS: [&str; 10] =
    ["BBAAA", "BABAA", "BAABA", "BAAAB", "ABBAA", "AABBA", "AAABB", "ABABA", "ABAAB", "AABAB"];
const TWO_SETS: [&str; 4] = ["AA", "AB", "BA", "BB"];
/// Light modules between a symbol and its supplement.
const SUPPLEMENT_GAP: u16 = 9;

/// Which symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retail {
    /// UPC-A.
    UpcA,
    /// UPC-E.
    UpcE,
    /// EAN-8.
    Ean8,
    /// EAN-13.
    Ean13,
    /// A supplement alone.
    Alone,
}

/// A group of digits that is printed under (or over) a part of the symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Left end in modules from the first bar.
    pub at: i32,
    /// Its digits.
    pub text: String,
    /// Belongs to the supplement: printed above it.
    pub supplement: bool,
}

/// The bars of a symbol and its digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetailSymbol {
    /// Bars.
    pub bars: Vec<Bar>,
    /// Digits at their places.
    pub groups: Vec<Group>,
    /// All digits.
    pub value: String,
    /// Width in modules.
    pub width: u16,
}

struct Pen {
    bars: Vec<Bar>,
    at: u16,
    supplement: bool,
}

impl Pen {
    /// Elements in turn; `bar` says what the first one is.
    fn draw(&mut self, widths: &[u16], mut bar: bool, guard: bool) {
        for width in widths {
            if bar {
                self.bars.push(Bar { at: self.at, width: *width, guard, supplement: self.supplement });
            }
            self.at += width;
            bar = !bar;
        }
    }

    fn digit(&mut self, digit: u8, set: u8) {
        let mut widths = SET_A.get(usize::from(digit)).copied().unwrap_or_default();
        if set == b'B' {
            widths.reverse();
        }
        self.draw(&widths, set == b'C', false);
    }

    fn digits(&mut self, digits: &[u8], sets: &str) {
        for (digit, set) in digits.iter().zip(sets.bytes()) {
            self.digit(*digit, set);
        }
    }
}

/// Encodes the main digits, and behind them a supplement of 0, 2 or 5 digits.
pub fn retail(kind: Retail, data: &[u8], supplement: usize) -> Result<RetailSymbol, Invalid> {
    let number = digits(data)?;
    let main_digits = number.len().checked_sub(supplement).ok_or("too few digits")?;
    let (main, extra) = number.split_at_checked(main_digits).ok_or("too few digits")?;
    let mut pen = Pen { bars: Vec::new(), at: 0, supplement: false };
    let mut groups = Vec::new();
    let mut value = String::new();
    match kind {
        Retail::UpcA => value = upc_a(&mut pen, &complete(main, 11)?, &mut groups),
        Retail::UpcE => value = upc_e(&mut pen, main, &mut groups)?,
        Retail::Ean8 => value = ean8(&mut pen, &complete(main, 7)?, &mut groups),
        Retail::Ean13 => value = ean13(&mut pen, &complete(main, 12)?, &mut groups),
        Retail::Alone if !main.is_empty() => return Err("too many digits"),
        Retail::Alone => {}
    }
    if !extra.is_empty() {
        if kind != Retail::Alone {
            pen.at += SUPPLEMENT_GAP;
        }
        value = format!("{value}{}{}", if value.is_empty() { "" } else { " " }, text_of(extra));
        supplement_of(&mut pen, extra, &mut groups)?;
    }
    Ok(RetailSymbol { bars: pen.bars, groups, value, width: pen.at })
}

/// With the check digit: it is added, or compared when the data has it.
fn complete(digits: &[u8], length: usize) -> Result<Vec<u8>, Invalid> {
    let body = digits.get(..length).ok_or("too few digits")?;
    let check = mod10(body);
    match digits.get(length..) {
        Some([]) => {}
        Some([given]) if *given == check => {}
        Some([_]) => return Err("a check digit that does not fit"),
        _ => return Err("too many digits"),
    }
    Ok([body, &[check]].concat())
}

fn group(at: i32, digits: &[u8]) -> Group {
    Group { at, text: text_of(digits), supplement: false }
}

fn ean13(pen: &mut Pen, number: &[u8], groups: &mut Vec<Group>) -> String {
    let (first, rest) = number.split_first().unwrap_or((&0, &[]));
    let (left, right) = rest.split_at_checked(6).unwrap_or_default();
    pen.draw(&[1, 1, 1], true, true);
    pen.digits(left, EAN13_SETS.get(usize::from(*first)).copied().unwrap_or("AAAAAA"));
    pen.draw(&[1, 1, 1, 1, 1], false, true);
    pen.digits(right, "CCCCCC");
    pen.draw(&[1, 1, 1], true, true);
    groups.extend([group(-9, &[*first]), group(3, left), group(50, right)]);
    text_of(number)
}

fn upc_a(pen: &mut Pen, number: &[u8], groups: &mut Vec<Group>) -> String {
    let (left, right) = number.split_at_checked(6).unwrap_or_default();
    pen.draw(&[1, 1, 1], true, true);
    pen.digits(left, "AAAAAA");
    pen.draw(&[1, 1, 1, 1, 1], false, true);
    pen.digits(right, "CCCCCC");
    pen.draw(&[1, 1, 1], true, true);
    // The bars of the first and the last digit are as long as the guards.
    for bar in &mut pen.bars {
        bar.guard |= bar.at < 10 || bar.at >= 85;
    }
    let (first, left) = left.split_first().unwrap_or((&0, &[]));
    let (last, right) = right.split_last().unwrap_or((&0, &[]));
    groups.extend([group(-9, &[*first]), group(10, left), group(50, right), group(97, &[*last])]);
    text_of(number)
}

fn ean8(pen: &mut Pen, number: &[u8], groups: &mut Vec<Group>) -> String {
    let (left, right) = number.split_at_checked(4).unwrap_or_default();
    pen.draw(&[1, 1, 1], true, true);
    pen.digits(left, "AAAA");
    pen.draw(&[1, 1, 1, 1, 1], false, true);
    pen.digits(right, "CCCC");
    pen.draw(&[1, 1, 1], true, true);
    groups.extend([group(3, left), group(36, right)]);
    text_of(number)
}

/// UPC-E: ten digits (five of the manufacturer, five of the item) lose their zeros; number system 0.
fn upc_e(pen: &mut Pen, main: &[u8], groups: &mut Vec<Group>) -> Result<String, Invalid> {
    let [a, b, c, d, e, f, g, h, i, j] = *main else { return Err("not ten digits") };
    let six = match (c, d, e, f, g, h, i, j) {
        (0..=2, 0, 0, 0, 0, _, _, _) => [a, b, h, i, j, c],
        (_, 0, 0, 0, 0, 0, _, _) => [a, b, c, i, j, 3],
        (_, _, 0, 0, 0, 0, 0, _) => [a, b, c, d, j, 4],
        (_, _, _, 0, 0, 0, 0, 5..=9) => [a, b, c, d, e, j],
        _ => return Err("a number that UPC-E cannot shorten"),
    };
    let check = mod10(&[&[0], main].concat());
    pen.draw(&[1, 1, 1], true, true);
    pen.digits(&six, UPCE_SETS.get(usize::from(check)).copied().unwrap_or("BBBAAA"));
    pen.draw(&[1, 1, 1, 1, 1, 1], false, true);
    groups.extend([group(-9, &[0]), group(3, &six), group(53, &[check])]);
    Ok(text_of(&[&[0][..], &six, &[check]].concat()))
}

fn supplement_of(pen: &mut Pen, digits: &[u8], groups: &mut Vec<Group>) -> Result<(), Invalid> {
    let sets = match *digits {
        [tens, ones] => TWO_SETS.get(usize::from((tens * 10 + ones) % 4)),
        [a, b, c, d, e] => {
            let sum = (u32::from(a) + u32::from(c) + u32::from(e)) * 3 + (u32::from(b) + u32::from(d)) * 9;
            FIVE_SETS.get(usize::try_from(sum % 10).unwrap_or(0))
        }
        _ => None,
    };
    let sets = sets.ok_or("a supplement is of two or five digits")?;
    let start = pen.at;
    pen.supplement = true;
    pen.draw(&[1, 1, 2], true, false);
    for (i, (digit, set)) in digits.iter().zip(sets.bytes()).enumerate() {
        if i > 0 {
            pen.draw(&[1, 1], false, false);
        }
        pen.digit(*digit, set);
    }
    groups.push(Group { at: i32::from(start) + 4, text: text_of(digits), supplement: true });
    Ok(())
}
