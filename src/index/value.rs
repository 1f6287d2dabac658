//! Typed values of index fields.
//!
//! Values compare and sort within their type. Their text form is the one of the API: text as is, dates ISO 8601,
//! decimals with a point and the digits they were printed with, integers without separators.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number with decimals, exact: `units` / 10^`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decimal {
    /// The digits, with the sign.
    pub units: i64,
    /// Digits after the point, 0 to 9.
    pub scale: u8,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = 10_u64.pow(u32::from(self.scale.min(9)));
        let magnitude = self.units.unsigned_abs();
        let sign = if self.units < 0 { "-" } else { "" };
        match self.scale {
            0 => write!(f, "{sign}{magnitude}"),
            scale => write!(f, "{sign}{}.{:0width$}", magnitude / power, magnitude % power, width = usize::from(scale)),
        }
    }
}

/// A calendar day as days since 1970-01-01 (proleptic Gregorian).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub i32);

impl Day {
    /// The day of a calendar date, or `None` when there is no such date.
    pub fn from_ymd(year: i16, month: i8, day: i8) -> Option<Day> {
        let date = jiff::civil::Date::new(year, month, day).ok()?;
        let epoch = jiff::civil::Date::constant(1970, 1, 1);
        i32::try_from(date.duration_since(epoch).as_hours() / 24).ok().map(Day)
    }

    /// When it begins in UTC, in seconds since 1970.
    pub fn begins(self) -> i64 {
        i64::from(self.0) * 86_400
    }

    /// Year, month and day.
    pub fn ymd(self) -> (i16, i8, i8) {
        let epoch = jiff::civil::Date::constant(1970, 1, 1);
        let date = epoch.saturating_add(jiff::Span::new().days(self.0.clamp(-4_000_000, 2_900_000)));
        (date.year(), date.month(), date.day())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// One typed value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Value {
    /// Text as printed, blanks at both ends removed.
    Text(String),
    /// A calendar day.
    Date(Day),
    /// A number with decimals.
    Decimal(Decimal),
    /// A whole number.
    Integer(i64),
}

impl Value {
    /// A number as an exact count of 10^-9; `None` for texts and dates.
    pub fn nano(&self) -> Option<i128> {
        match self {
            Value::Decimal(decimal) => {
                let places = u32::from(decimal.scale.min(9));
                Some(i128::from(decimal.units) * i128::from(10_u64.pow(9 - places)))
            }
            Value::Integer(number) => Some(i128::from(*number) * 1_000_000_000),
            Value::Text(_) | Value::Date(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Date(day) => day.fmt(f),
            Value::Decimal(decimal) => decimal.fmt(f),
            Value::Integer(number) => number.fmt(f),
        }
    }
}

/// What a document holds for one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldValue {
    /// One value.
    One(Value),
    /// Every distinct value of a transaction field, in order of appearance.
    Many(Vec<Value>),
    /// First and last value of a sorted report's page range: the document holds all values between them.
    Span(Value, Value),
}

/// The type of a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// Text.
    #[default]
    Text,
    /// A calendar day.
    Date,
    /// A number with decimals.
    Decimal,
    /// A whole number.
    Integer,
}

/// All values of a field, the ends of a span.
pub fn values_of(value: &FieldValue) -> Vec<&Value> {
    match value {
        FieldValue::One(value) => vec![value],
        FieldValue::Many(values) => values.iter().collect(),
        FieldValue::Span(first, last) => vec![first, last],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_print_with_their_scale_and_sign() {
        assert_eq!(Decimal { units: -5, scale: 2 }.to_string(), "-0.05");
        assert_eq!(Decimal { units: 123_456, scale: 2 }.to_string(), "1234.56");
        assert_eq!(Decimal { units: 7, scale: 0 }.to_string(), "7");
    }

    #[test]
    fn days_round_trip_through_the_calendar() {
        for (y, m, d) in [(1970, 1, 1), (2024, 2, 29), (1899, 12, 31), (2099, 6, 15)] {
            let day = Day::from_ymd(y, m, d).expect("a real date");
            assert_eq!(day.ymd(), (y, m, d));
        }
        assert_eq!(Day::from_ymd(2023, 2, 29), None);
        assert_eq!(Day::from_ymd(1970, 1, 2), Some(Day(1)));
    }
}
