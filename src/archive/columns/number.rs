//! Numbers as people print them: `1,234.56-`.

use super::Code;

/// Most digits of a number.
pub const DIGITS: usize = 17;

/// How the numbers of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    pub decimals: u8,
    /// A mark before each three digits.
    pub grouped: bool,
    /// The minus stands behind the number.
    pub minus_behind: bool,
    /// A comma before the decimals, points in groups.
    pub comma_decimals: bool,
}

impl Style {
    pub fn bits(self) -> u8 {
        u8::from(self.grouped) | u8::from(self.minus_behind) << 1 | u8::from(self.comma_decimals) << 2
    }

    pub fn new(decimals: u8, bits: u8) -> Option<Style> {
        let bit = |at: u8| bits >> at & 1 == 1;
        let style = Style { decimals, grouped: bit(0), minus_behind: bit(1), comma_decimals: bit(2) };
        (bits < 8 && usize::from(decimals) < DIGITS).then_some(style)
    }

    /// The mark before the decimals, and the one between groups.
    fn marks(self, code: Code) -> (u8, u8) {
        if self.comma_decimals { (code.comma, code.point) } else { (code.point, code.comma) }
    }

    /// A style in which a column could be written, from its longest value and one with a minus.
    pub fn guess(longest: &[u8], negative: Option<&[u8]>, code: Code) -> Style {
        let minus_behind = negative.is_some_and(|value| value.last() == Some(&code.minus));
        let digits = longest.strip_suffix(&[code.minus]).unwrap_or(longest);
        let mark = |byte: &u8| *byte == code.point || *byte == code.comma;
        let last = digits.iter().rposition(mark);
        let behind = last.map_or(0, |at| digits.len() - at - 1);
        let last = last.and_then(|at| digits.get(at));
        let decimals = if behind == 3 { 0 } else { behind as u8 };
        let comma_decimals = last == Some(if behind == 3 { &code.point } else { &code.comma });
        let grouped = behind == 3 || digits.iter().filter(|byte| mark(byte)).count() > 1;
        Style { decimals, grouped, minus_behind, comma_decimals }
    }

    /// The number, if [`Style::write`] makes exactly this of it again.
    pub fn read(self, value: &[u8], code: Code) -> Option<i64> {
        let without =
            if self.minus_behind { value.strip_suffix(&[code.minus]) } else { value.strip_prefix(&[code.minus]) };
        let digits = without.unwrap_or(value);
        let (decimal_mark, group_mark) = self.marks(code);
        let decimals = usize::from(self.decimals);
        let (mut number, mut count) = (0_i64, 0_usize);
        let whole = if decimals == 0 { digits.len() } else { digits.len().checked_sub(decimals + 1)? };
        if whole == 0 || digits.len() > 2 * DIGITS {
            return None;
        }
        for (place, byte) in digits.iter().enumerate() {
            if place == whole {
                if *byte != decimal_mark {
                    return None;
                }
                continue;
            }
            if self.grouped && place < whole && (whole - place).is_multiple_of(4) {
                if *byte != group_mark || place == 0 {
                    return None;
                }
                continue;
            }
            number = number * 10 + i64::from(code.digit(*byte)?);
            count += 1;
            if count > DIGITS {
                return None;
            }
        }
        let leading_zero = count > decimals + 1 && code.digit(*digits.first()?) == Some(0);
        if leading_zero || (without.is_some() && number == 0) {
            return None;
        }
        Some(if without.is_some() { -number } else { number })
    }

    /// Writes a number of at most [`DIGITS`] digits at the end of `out`; where it begins there.
    pub fn write(self, number: i64, code: Code, out: &mut [u8; 48]) -> usize {
        let (decimal_mark, group_mark) = self.marks(code);
        let (mut left, mut at, mut digits) = (number.unsigned_abs(), out.len(), 0);
        let mut push = |byte: u8| {
            at -= 1;
            out[at] = byte;
        };
        if number < 0 && self.minus_behind {
            push(code.minus);
        }
        let decimals = usize::from(self.decimals);
        while left > 0 || digits <= decimals {
            if digits == decimals && decimals > 0 {
                push(decimal_mark);
            }
            if self.grouped && digits > decimals && (digits - decimals).is_multiple_of(3) {
                push(group_mark);
            }
            push(code.zero + (left % 10) as u8);
            left /= 10;
            digits += 1;
        }
        if number < 0 && !self.minus_behind {
            push(code.minus);
        }
        at
    }
}

/// Digits that a number has.
pub fn width(number: i64) -> usize {
    number.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1
}
