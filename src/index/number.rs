//! Amounts as printed: separators by locale, signs before and behind, credit and debit marks, currencies.

use super::value::Decimal;

/// How numbers are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberFormat {
    /// The decimal sign.
    pub point: char,
    /// Signs between groups of digits.
    pub thousands: Vec<char>,
    /// Marks that make a number negative: `-`, `()`, `CR`, `DB`, `DR`.
    pub negative: Vec<String>,
    /// Words of a currency that may stand before or behind, such as `PLN`. Currency signs need no mention.
    pub currency: Vec<String>,
    /// Decimal places of a number printed without a decimal sign; 0 for none.
    pub implied_decimals: u8,
}

impl Default for NumberFormat {
    fn default() -> NumberFormat {
        NumberFormat {
            point: '.',
            thousands: vec![','],
            negative: ["-", "()", "CR"].map(String::from).to_vec(),
            currency: Vec::new(),
            implied_decimals: 0,
        }
    }
}

/// Marks behind an amount that say which side of the account it is on.
const SIDES: [&str; 4] = ["CR", "DB", "DR", "Cr"];

impl NumberFormat {
    /// The number that `text` says, exact; `None` when it is none or has more than 9 decimals or 18 digits.
    pub fn decimal(&self, text: &str) -> Option<Decimal> {
        let (digits, negative) = self.unwrap(text);
        let (whole, fraction) = match digits.split_once(self.point) {
            Some((whole, fraction)) => (whole, fraction),
            None => (digits, ""),
        };
        if !fraction.bytes().all(|b| b.is_ascii_digit()) || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let mut units = self.whole(whole)?;
        let mut scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= 9)?;
        for digit in fraction.bytes() {
            units = units.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
        }
        if !digits.contains(self.point) {
            scale = self.implied_decimals;
        }
        Some(Decimal { units: if negative { -units } else { units }, scale })
    }

    /// The whole number that `text` says.
    pub fn integer(&self, text: &str) -> Option<i64> {
        let (digits, negative) = self.unwrap(text);
        let units = self.whole(digits).filter(|_| !digits.is_empty())?;
        Some(if negative { -units } else { units })
    }

    /// Takes signs, marks and currencies off both ends.
    fn unwrap<'t>(&self, text: &'t str) -> (&'t str, bool) {
        let mut rest = text.trim();
        let mut negative = false;
        let mut signed = false;
        loop {
            let before = rest;
            rest = rest.trim_matches(|ch: char| ch.is_whitespace() || ch == '*' || is_currency_sign(ch));
            for word in &self.currency {
                rest = rest.strip_prefix(word.as_str()).unwrap_or(rest);
                rest = rest.strip_suffix(word.as_str()).unwrap_or(rest);
            }
            if !signed && let Some((inner, mark)) = strip_mark(rest) {
                signed = true;
                negative = self.negative.iter().any(|sign| sign.eq_ignore_ascii_case(mark));
                // A minus sign or parentheses that the definition does not know stay, so that the number fails.
                if negative || mark == "+" || SIDES.contains(&mark) {
                    rest = inner;
                }
            }
            if rest == before {
                return (rest, negative);
            }
        }
    }

    /// Digits in groups of three (or of two, but for the last), or without groups.
    fn whole(&self, text: &str) -> Option<i64> {
        let mut units = 0_i64;
        let (mut in_group, mut groups) = (0, 0);
        for ch in text.chars() {
            if let Some(digit) = ch.to_digit(10) {
                units = units.checked_mul(10)?.checked_add(i64::from(digit))?;
                in_group += 1;
            } else if self.thousands.contains(&ch) {
                let fits = if groups == 0 { (1..=3).contains(&in_group) } else { (2..=3).contains(&in_group) };
                if !fits {
                    return None;
                }
                groups += 1;
                in_group = 0;
            } else {
                return None;
            }
        }
        (groups == 0 || in_group == 3).then_some(units)
    }
}

/// A sign or side mark at one end, and what it encloses.
fn strip_mark(text: &str) -> Option<(&str, &'static str)> {
    for (mark, sign) in [("-", "-"), ("\u{2212}", "-"), ("+", "+")] {
        if let Some(inner) = text.strip_prefix(mark).or_else(|| text.strip_suffix(mark)) {
            return Some((inner, sign));
        }
    }
    if let Some(inner) = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        return Some((inner, "()"));
    }
    SIDES.iter().find_map(|mark| text.strip_suffix(mark).map(|inner| (inner, *mark)))
}

fn is_currency_sign(ch: char) -> bool {
    matches!(
        ch,
        '$' | '¢' | '£' | '¤' | '¥' | '\u{20A0}'
            ..='\u{20CF}' | '\u{FFE0}' | '\u{FFE1}' | '\u{FFE5}' | '\u{FFE6}' | '\u{FF04}' | '元' | '円'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn us(text: &str) -> Option<String> {
        NumberFormat::default().decimal(text).map(|d| d.to_string())
    }

    fn european() -> NumberFormat {
        NumberFormat { point: ',', thousands: vec!['.', ' '], currency: vec!["PLN".into()], ..NumberFormat::default() }
    }

    #[test]
    fn signs_marks_and_currencies_are_understood() {
        assert_eq!(us("$4,629.11CR").as_deref(), Some("-4629.11"));
        assert_eq!(us("$9,145.72").as_deref(), Some("9145.72"));
        assert_eq!(us("***1,000.00").as_deref(), Some("1000.00"));
        assert_eq!(us("1.00-").as_deref(), Some("-1.00"));
        assert_eq!(us("- 70.50").as_deref(), Some("-70.50"));
        assert_eq!(us("(5.25)").as_deref(), Some("-5.25"));
        assert_eq!(us("$-7.00").as_deref(), Some("-7.00"));
        assert_eq!(us("12.00DB").as_deref(), Some("12.00"));
        assert_eq!(us("￥741.99").as_deref(), Some("741.99"));
        assert_eq!(us(".75").as_deref(), Some("0.75"));
        assert_eq!(us("-.05").as_deref(), Some("-0.05"));
        let read = |text| european().decimal(text).map(|d| d.to_string());
        assert_eq!(read("1.234.567,89 PLN").as_deref(), Some("1234567.89"));
        assert_eq!(read("1 234,5-").as_deref(), Some("-1234.5"));
    }

    #[test]
    fn what_is_no_number_of_the_locale_fails_instead_of_being_guessed() {
        for text in ["", "-", "$", "1,23", "1.234.567", "12a", "1,2345.00", "--5", "1.2.3", "99999999999999999999"] {
            assert_eq!(us(text), None, "{text:?}");
        }
        assert_eq!(european().decimal("1,234.56"), None);
        let no_parentheses = NumberFormat { negative: vec!["-".into()], ..NumberFormat::default() };
        assert_eq!(no_parentheses.decimal("(5.25)"), None);
    }

    #[test]
    fn implied_decimals_apply_where_no_sign_is_printed() {
        let format = NumberFormat { implied_decimals: 2, ..NumberFormat::default() };
        assert_eq!(format.decimal("12345").map(|d| d.to_string()).as_deref(), Some("123.45"));
        assert_eq!(format.decimal("1.5").map(|d| d.to_string()).as_deref(), Some("1.5"));
    }

    fn grouped(number: u64, separator: char) -> String {
        let digits = number.to_string();
        let mut out = String::new();
        for (at, ch) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                out.push(separator);
            }
            out.push(ch);
        }
        out
    }

    proptest! {
        #[test]
        fn printed_amounts_come_back(cents in -99_999_999_999_i64..99_999_999_999, form in 0_usize..5) {
            let (whole, part) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
            let plain = format!("{}.{part:02}", grouped(whole, ','));
            let minus = cents < 0;
            let (format, text) = match form {
                0 => (NumberFormat::default(), if minus { format!("-{plain}") } else { plain }),
                1 => (NumberFormat::default(), if minus { format!("{plain}-") } else { plain }),
                2 => (NumberFormat::default(), if minus { format!("({plain})") } else { plain }),
                3 => (NumberFormat::default(), if minus { format!("${plain}CR") } else { format!("  ${plain}") }),
                _ => (european(), format!("{}{},{part:02}", if minus { "-" } else { "" }, grouped(whole, '.'))),
            };
            prop_assert_eq!(format.decimal(&text), Some(Decimal { units: cents, scale: 2 }));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,30}") {
            let _ = NumberFormat::default().decimal(&text);
            let _ = european().integer(&text);
        }
    }
}
