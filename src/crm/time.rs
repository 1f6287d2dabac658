//! Points in time and days as people and programs read them: ISO 8601.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::auth::clock::iso;
use crate::index::value::Day;

/// Seconds since 1970 UTC; in JSON `2024-03-11T10:15:00Z`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// The day in UTC.
    pub fn day(self) -> Day {
        Day(i32::try_from(self.0.div_euclid(86_400)).unwrap_or(if self.0 < 0 { i32::MIN } else { i32::MAX }))
    }

    /// The first second of a day in UTC.
    pub fn start_of(day: Day) -> Time {
        Time(i64::from(day.0) * 86_400)
    }

    /// So many seconds later.
    pub fn plus(self, seconds: i64) -> Time {
        Time(self.0.saturating_add(seconds))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&iso(self.0))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed: Result<jiff::Timestamp, _> = text.parse();
        parsed
            .map(|time| Time(time.as_second()))
            .map_err(|_| serde::de::Error::custom(format_args!("{text:?} is no time such as 2024-03-11T10:15:00Z")))
    }
}

/// A calendar day; in JSON `2024-03-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub Day);

impl Date {
    /// Reads `2024-03-11`; nothing else.
    pub fn parse(text: &str) -> Option<Date> {
        let date: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
        Day::from_ymd(date.year(), date.month(), date.day()).map(Date)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        let text = String::deserialize(deserializer)?;
        Date::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format_args!("{text:?} is no day such as 2024-12-31")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_days_read_back_what_they_write() {
        let json = serde_json::to_string(&(Time(1_700_000_000), Date(Day(19_000)))).expect("written");
        assert_eq!(json, "[\"2023-11-14T22:13:20Z\",\"2022-01-08\"]");
        let read: (Time, Date) = serde_json::from_str(&json).expect("read");
        assert_eq!(read, (Time(1_700_000_000), Date(Day(19_000))));
        assert_eq!(Time::start_of(Time(1_700_000_000).day()), Time(1_699_920_000));
        assert_eq!(Date::parse("2024-02-30"), None);
        assert_eq!(Date::parse("2024-2-3"), None);
        assert!(serde_json::from_str::<Time>("\"yesterday\"").is_err());
    }
}
