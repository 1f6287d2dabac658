//! Days and numbers as readers of a language write them, in pages and in renditions alike.

use super::value::{Day, FieldValue, Value};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The short English name of a month, from 1.
pub fn month(month: i8) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).unwrap_or(&"?")
}

/// A day: `9 Mar 2024`, `2024年3月9日`.
pub fn day(day: Day, chinese: bool) -> String {
    let (year, number, date) = day.ymd();
    if chinese { format!("{year}年{number}月{date}日") } else { format!("{date} {} {year}", month(number)) }
}

/// A number with its thousands parted by commas, as both languages do.
pub fn grouped(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut out = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digits.is_ascii() {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

/// Bytes in the unit that people read, of 1,000 steps: `999 B`, `1.5 MB`, `12.3 GB`.
pub fn size(bytes: u64) -> String {
    let mut number = bytes as f64;
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    for unit in ["KB", "MB", "GB"] {
        number /= 1e3;
        // What would be rounded up to 1000.0 is said in the next unit.
        if number < 999.95 {
            return format!("{number:.1} {unit}");
        }
    }
    format!("{:.2} TB", number / 1e3)
}

/// A value: days and decimals by language, all else as it is.
pub fn value(value: &Value, chinese: bool) -> String {
    match value {
        Value::Date(date) => day(*date, chinese),
        Value::Decimal(_) => grouped(&value.to_string()),
        other => other.to_string(),
    }
}

/// All values of a field.
pub fn field(field: &FieldValue, chinese: bool) -> String {
    match field {
        FieldValue::One(one) => value(one, chinese),
        FieldValue::Many(many) => many.iter().map(|one| value(one, chinese)).collect::<Vec<_>>().join(", "),
        FieldValue::Span(first, last) => format!("{} \u{2013} {}", value(first, chinese), value(last, chinese)),
    }
}

/// A cell of transaction lines, which are texts in the form of the API: `2024-03-09` and `-1234.50` by language.
pub fn cell(text: &str, chinese: bool) -> String {
    if let Some(date) = iso(text) {
        return day(date, chinese);
    }
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.strip_prefix('-').unwrap_or(text).split_once('.');
    if number.is_some_and(|(whole, part)| digits(whole) && digits(part)) { grouped(text) } else { text.to_string() }
}

fn iso(text: &str) -> Option<Day> {
    let date: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
    Day::from_ymd(date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_in_which_they_are_short() {
        let said = [0, 999, 1_000, 999_949, 999_950, 1_004_600, 1_500_000_000, 12_345_678_900_000].map(size);
        assert_eq!(said, ["0 B", "999 B", "1.0 KB", "999.9 KB", "1.0 MB", "1.0 MB", "1.5 GB", "12.35 TB"]);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped("-1234567.50"), "-1,234,567.50");
        assert_eq!(grouped("123"), "123");
        assert_eq!(grouped("1000"), "1,000");
        assert_eq!(grouped("一千两百三十四"), "一千两百三十四");
    }

    #[test]
    fn cells_that_are_days_and_amounts_are_written_as_such() {
        for (text, english, chinese) in [
            ("2024-03-09", "9 Mar 2024", "2024年3月9日"),
            ("-1234.50", "-1,234.50", "-1,234.50"),
            ("2024-13-09", "2024-13-09", "2024-13-09"),
            ("20240309", "20240309", "20240309"),
            ("1234.56.7", "1234.56.7", "1234.56.7"),
            ("", "", ""),
            ("-.", "-.", "-."),
        ] {
            assert_eq!([cell(text, false), cell(text, true)], [english, chinese]);
        }
    }
}
