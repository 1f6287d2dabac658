//! Days, times, amounts and counts as readers of a language write them, in the organisation's time zone.

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::Language;
use crate::index::value::Day;
use crate::index::written::{self, month as name};
pub use crate::index::written::{grouped, size};

/// A day: `9 Mar 2024`, `2024年3月9日`.
pub fn day(day: Day, language: Language) -> String {
    written::day(day, language == Language::Chinese)
}

/// What currencies are called where their sign alone is understood, in English and in Chinese (as the Unicode CLDR has them).
const SIGNS: &[(&str, [&str; 2])] = &[
    ("USD", ["$", "US$"]),
    ("EUR", ["€", "€"]),
    ("GBP", ["£", "£"]),
    ("JPY", ["¥", "JP¥"]),
    ("CNY", ["CN¥", "¥"]),
    ("INR", ["₹", "₹"]),
    ("KRW", ["₩", "₩"]),
    ("CAD", ["CA$", "CA$"]),
    ("AUD", ["A$", "AU$"]),
    ("HKD", ["HK$", "HK$"]),
    ("TWD", ["NT$", "NT$"]),
    ("BRL", ["R$", "R$"]),
    ("MXN", ["MX$", "MX$"]),
];

/// An amount (as it is written otherwise) with its currency, a code of ISO 4217: `$120.50`, `-US$120.50`, `PLN 120.50`.
pub fn money(amount: &str, currency: &str, language: Language) -> String {
    let (minus, amount) = amount.strip_prefix('-').map_or(("", amount), |amount| ("-", amount));
    match SIGNS.iter().find(|(code, _)| *code == currency) {
        Some((_, signs)) => format!("{minus}{}{amount}", signs[usize::from(language == Language::Chinese)]),
        None => format!("{minus}{currency}\u{a0}{amount}"),
    }
}

/// A span of days: a day, a month (`Mar 2024`, `2024年3月`), a year, or from one day to another.
pub fn span(from: Day, to: Day, language: Language) -> String {
    let ((year, month, date), (last_year, last_month, _)) = (from.ymd(), to.ymd());
    let ends_month = Day(to.0 + 1).ymd().2 == 1;
    if from == to {
        return day(from, language);
    }
    let english = language == Language::English;
    if date == 1 && ends_month && year == last_year && month == last_month {
        return if english { format!("{} {year}", name(month)) } else { format!("{year}年{month}月") };
    }
    if date == 1 && ends_month && year == last_year && (month, last_month) == (1, 12) {
        return if english { year.to_string() } else { format!("{year}年") };
    }
    format!("{} – {}", day(from, language), day(to, language))
}

/// A month by its number, short.
pub fn month(month: i8, language: Language) -> String {
    match language {
        Language::English => name(month).to_string(),
        Language::Chinese => format!("{month}月"),
    }
}

/// A day without its year: `Mar 9`, `3月9日`.
pub fn day_of_month(month: i8, date: i8, language: Language) -> String {
    match language {
        Language::English => format!("{} {date}", name(month)),
        Language::Chinese => format!("{month}月{date}日"),
    }
}

/// The time zone that pages tell times in: one for the organisation, since an agent and a customer speak of the same times.
/// (Programs and the audit's files get UTC.)
static ZONE: OnceLock<TimeZone> = OnceLock::new();

/// Tells times in this zone from now on; the first one that is told counts. Without it they are UTC.
pub fn keep_zone(zone: TimeZone) {
    let _ = ZONE.set(zone);
}

fn zone() -> &'static TimeZone {
    static UTC: TimeZone = TimeZone::UTC;
    ZONE.get().unwrap_or(&UTC)
}

/// What the zone is called: `Asia/Shanghai`.
pub fn zone_name() -> &'static str {
    zone().iana_name().unwrap_or("UTC")
}

/// A moment in seconds since 1970: `9 Mar 2024, 14:05`, `2024年3月9日 14:05`.
pub fn moment(seconds: i64, language: Language) -> String {
    let (date, time) = civil(seconds, zone());
    let comma = if language == Language::English { "," } else { "" };
    format!("{}{comma} {:02}:{:02}", day(date, language), time.hour(), time.minute())
}

/// A moment to the second, for lists that are sorted by it: `2024-03-09 14:05:33`.
pub fn stamp(seconds: i64) -> String {
    let (date, time) = civil(seconds, zone());
    format!("{date} {:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

/// The day on which a moment is.
pub fn day_of(seconds: i64) -> Day {
    civil(seconds, zone()).0
}

/// The first moment of a day.
pub fn begins(day: Day) -> i64 {
    begins_in(day, zone())
}

fn civil(seconds: i64, zone: &TimeZone) -> (Day, Time) {
    let here = zone.to_datetime(Timestamp::from_second(seconds).unwrap_or_default());
    let date = here.date();
    let date = Day::from_ymd(date.year(), date.month(), date.day());
    (date.unwrap_or(Day(0)), here.time())
}

fn begins_in(day: Day, zone: &TimeZone) -> i64 {
    let midnight = Timestamp::from_second(day.begins()).map(|at| TimeZone::UTC.to_datetime(at));
    let begins = midnight.and_then(|midnight| zone.to_ambiguous_timestamp(midnight).compatible());
    begins.map_or(day.begins(), |at| at.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_as_months_and_years_where_they_are() {
        let day = |year, month, date| Day::from_ymd(year, month, date).expect("a date");
        let said = |from, to| [Language::English, Language::Chinese].map(|language| span(from, to, language));
        assert_eq!(said(day(2024, 2, 1), day(2024, 2, 29)), ["Feb 2024", "2024年2月"]);
        assert_eq!(said(day(2023, 1, 1), day(2023, 12, 31)), ["2023", "2023年"]);
        assert_eq!(said(day(2024, 3, 9), day(2024, 3, 9)), ["9 Mar 2024", "2024年3月9日"]);
        assert_eq!(said(day(2024, 1, 1), day(2024, 3, 31))[0], "1 Jan 2024 – 31 Mar 2024");
    }

    #[test]
    fn amounts_have_the_sign_that_readers_of_a_language_know() {
        let said = |amount, code| [Language::English, Language::Chinese].map(|language| money(amount, code, language));
        assert_eq!(said("1,204.50", "USD"), ["$1,204.50", "US$1,204.50"]);
        assert_eq!(said("-88.10", "CNY"), ["-CN¥88.10", "-¥88.10"]);
        assert_eq!(said("-1.00", "PLN"), ["-PLN\u{a0}1.00", "-PLN\u{a0}1.00"]);
    }

    #[test]
    fn days_begin_by_the_clock_of_the_zone_also_where_daylight_saving_moves_it() {
        let zone = |name| TimeZone::get(name).expect("a zone");
        let day = |year, month, date| Day::from_ymd(year, month, date).expect("a date");
        let (shanghai, zurich, cairo) = (zone("Asia/Shanghai"), zone("Europe/Zurich"), zone("Africa/Cairo"));
        assert_eq!(begins_in(day(2024, 3, 9), &shanghai), day(2024, 3, 9).begins() - 8 * 3_600);
        // Sunday 31 March 2024 has 23 hours in Zurich, 27 October 25.
        let hours = |date: Day, zone: &TimeZone| (begins_in(Day(date.0 + 1), zone) - begins_in(date, zone)) / 3_600;
        assert_eq!([hours(day(2024, 3, 31), &zurich), hours(day(2024, 10, 27), &zurich)], [23, 25]);
        // In Cairo clocks go forward at midnight: 26 April 2024 begins at one.
        assert_eq!(civil(begins_in(day(2024, 4, 26), &cairo), &cairo), (day(2024, 4, 26), Time::constant(1, 0, 0, 0)));
        assert_eq!(civil(1_709_993_100, &shanghai), (day(2024, 3, 9), Time::constant(22, 5, 0, 0)));
        assert_eq!(civil(1_710_000_300, &shanghai).0, day(2024, 3, 10), "00:05 of the next day");
    }

    #[test]
    fn days_and_moments_read_well() {
        let date = Day::from_ymd(2024, 3, 9).expect("a date");
        assert_eq!(day(date, Language::English), "9 Mar 2024");
        assert_eq!(day(date, Language::Chinese), "2024年3月9日");
        assert_eq!(moment(1_709_993_100, Language::English), "9 Mar 2024, 14:05");
        assert_eq!(moment(1_709_993_100, Language::Chinese), "2024年3月9日 14:05");
        let short = |language| day_of_month(3, 9, language);
        assert_eq!([short(Language::English), short(Language::Chinese)], ["Mar 9", "3月9日"]);
        assert_eq!(moment(-60, Language::English), "31 Dec 1969, 23:59");
        assert_eq!(stamp(1_709_993_133), "2024-03-09 14:05:33");
    }
}
