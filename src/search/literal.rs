//! Reads numbers and dates as people type them into queries, and turns stored values into comparable numbers.

use std::ops::RangeInclusive;

use crate::index::value::{Day, Decimal};

/// A number as a whole count of 10^-9: every [`Decimal`] and every integer fits without rounding.
pub(super) type Nano = i128;

const NANOS: Nano = 1_000_000_000;

/// Nanos in one step of the number columns (10^-4).
pub(super) const NANOS_PER_STEP: Nano = 100_000;

/// The exact value of a decimal.
pub(super) fn nano(decimal: Decimal) -> Nano {
    let places = u32::from(decimal.scale.min(9));
    Nano::from(decimal.units) * Nano::from(10_u64.pow(9 - places))
}

/// The exact value of an integer.
pub(super) fn nano_of_integer(number: i64) -> Nano {
    Nano::from(number) * NANOS
}

/// The column step of a value that is a whole number of steps and fits; others are kept as terms.
pub(super) fn step(value: Nano) -> Option<i64> {
    if value % NANOS_PER_STEP != 0 {
        return None;
    }
    i64::try_from(value / NANOS_PER_STEP).ok()
}

/// Reads a number: `1234.5`, `1,234.50`, `1.234,50`, `-12`, `12-`, `(12.50)`, `$1,000`, `+3`. `None` when it is none.
///
/// With both separators the last one is the decimal sign. A single comma before exactly three digits separates
/// thousands; every other single separator is a decimal sign; a repeated one separates thousands.
pub(super) fn number(text: &str) -> Option<Nano> {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !"$€£¥￥'_".contains(*c)).collect();
    let (negative, body) = sign(&text);
    let (whole, fraction) = parts(body)?;
    if whole.len() + fraction.len() == 0 || whole.len() > 19 || fraction.len() > 9 {
        return None;
    }
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(&whole) || !digits(fraction) {
        return None;
    }
    let whole: Nano = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let nanos: Nano = format!("{fraction:0<9}").parse().ok()?;
    let value = whole * NANOS + nanos;
    Some(if negative { -value } else { value })
}

fn sign(text: &str) -> (bool, &str) {
    if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return (true, inner);
    }
    if let Some(rest) = text.strip_prefix(['-', '−']).or_else(|| text.strip_suffix(['-', '−'])) {
        return (true, rest);
    }
    (false, text.strip_prefix('+').or_else(|| text.strip_suffix('+')).unwrap_or(text))
}

/// Whole digits without separators, and fraction digits.
fn parts(body: &str) -> Option<(String, &str)> {
    let (commas, points) = (body.matches(',').count(), body.matches('.').count());
    let decimal = match (commas, points) {
        (0, 0) => None,
        (_, 0) | (0, _) => {
            let separator = if commas > 0 { ',' } else { '.' };
            let at = body.rfind(separator)?;
            let thousands = commas + points > 1 || (separator == ',' && at > 0 && body.len() - at == 4);
            (!thousands).then_some(at)
        }
        _ => body.rfind(['.', ',']),
    };
    let (whole, fraction) = match decimal {
        Some(at) => (body.get(..at)?, body.get(at + 1..)?),
        None => (body, ""),
    };
    let separators: Vec<char> = whole.chars().filter(|c| matches!(c, ',' | '.')).collect();
    if separators.windows(2).any(|pair| pair[0] != pair[1]) {
        return None;
    }
    if let Some(separator) = separators.first() {
        let mut groups = whole.split(*separator);
        let first = groups.next()?;
        if first.is_empty() || first.len() > 3 || groups.any(|group| group.len() != 3) {
            return None;
        }
    }
    Some((whole.replace([',', '.'], ""), fraction))
}

/// Reads a day, a month or a year as the days it covers: `2024-03-05`, `20240305`, `2024/03/05`, `5.3.2024`,
/// `2024-03`, `2024`. `None` when it is none.
pub(super) fn days(text: &str) -> Option<RangeInclusive<i32>> {
    let text = text.trim();
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        return day(text.get(..4)?, text.get(4..6)?, text.get(6..)?);
    }
    let parts: Vec<&str> = text.split(['-', '/', '.', '年', '月']).map(|part| part.trim_end_matches('日')).collect();
    match parts.as_slice() {
        [year] | [year, ""] if year.len() == 4 => month(year, "1", "12"),
        [year, m] | [year, m, ""] if year.len() == 4 => month(year, m, m),
        [year, m, d] if year.len() == 4 => day(year, m, d),
        [d, m, year] if year.len() == 4 && text.contains('.') => day(year, m, d),
        _ => None,
    }
}

fn digits<T: std::str::FromStr>(text: &str, most: usize) -> Option<T> {
    let ok = !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    ok.then(|| text.parse().ok()).flatten()
}

fn day(year: &str, month: &str, day: &str) -> Option<RangeInclusive<i32>> {
    let found = Day::from_ymd(digits(year, 4)?, digits(month, 2)?, digits(day, 2)?)?.0;
    Some(found..=found)
}

fn month(year: &str, first: &str, last: &str) -> Option<RangeInclusive<i32>> {
    let year: i16 = digits(year, 4)?;
    let (first, last): (i8, i8) = (digits(first, 2)?, digits(last, 2)?);
    let start = Day::from_ymd(year, first, 1)?.0;
    let end = (28..=31).rev().find_map(|day| Day::from_ymd(year, last, day))?.0;
    Some(start..=end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_read_in_every_common_form() {
        let cents = |text: &str| number(text).map(|value| value / (NANOS / 100));
        for text in ["1234.50", "1,234.50", "1.234,50", "1234,5", "$1,234.50", "+1234.5", "1 234.50", "1'234.50"] {
            assert_eq!(cents(text), Some(123_450), "{text}");
        }
        for text in ["-12.5", "12.5-", "(12.50)", "−12.5"] {
            assert_eq!(cents(text), Some(-1250), "{text}");
        }
        assert_eq!(cents("1,234"), Some(123_400));
        assert_eq!(cents("1.234.567"), Some(123_456_700));
        assert_eq!(cents(".5"), Some(50));
        assert_eq!(cents("5."), Some(500));
        for text in ["", "-", "abc", "1,2,3", "1.2.3", "12,34,567", "1..2", ",", ".", "1e5", "99999999999999999999"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn dates_cover_days_months_and_years() {
        let range = |text: &str| days(text).map(|d| (Day(*d.start()).to_string(), Day(*d.end()).to_string()));
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(range("2024-03-05"), pair("2024-03-05", "2024-03-05"));
        assert_eq!(range("20240305"), pair("2024-03-05", "2024-03-05"));
        assert_eq!(range("5.3.2024"), pair("2024-03-05", "2024-03-05"));
        assert_eq!(range("2024年3月5日"), pair("2024-03-05", "2024-03-05"));
        assert_eq!(range("2024-02"), pair("2024-02-01", "2024-02-29"));
        assert_eq!(range("2024年2月"), pair("2024-02-01", "2024-02-29"));
        assert_eq!(range("2023"), pair("2023-01-01", "2023-12-31"));
        for text in ["03/05/2024", "2024-13", "2024-02-30", "24-01-01", "today", "", "2024-"] {
            assert_eq!(range(text), if text == "2024-" { pair("2024-01-01", "2024-12-31") } else { None }, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_decimal_reads_back_as_the_same_value(units in any::<i64>(), scale in 0_u8..=9) {
            let decimal = Decimal { units, scale };
            // A single comma or point before three digits cannot come from printing: the point is always decimal.
            prop_assert_eq!(number(&decimal.to_string()), Some(nano(decimal)));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}|[0-9.,()-]{0,16}") {
            let _ = (number(&text), days(&text));
        }
    }
}
