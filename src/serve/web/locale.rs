//! Days, times, amounts and counts as readers of a language write them.

use super::Language;
use crate::index::value::Day;
use crate::index::written::{self, month as name};
pub use crate::index::written::{grouped, size};

/// A day: `9 Mar 2024`, `2024年3月9日`.
pub fn day(day: Day, language: Language) -> String {
    written::day(day, language == Language::Chinese)
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

/// A moment in seconds since 1970, in UTC: `9 Mar 2024, 14:05`, `2024年3月9日 14:05`.
pub fn moment(seconds: i64, language: Language) -> String {
    let text = day(Day(i32::try_from(seconds.div_euclid(86_400)).unwrap_or_default()), language);
    let minutes = seconds.rem_euclid(86_400) / 60;
    let comma = if language == Language::English { "," } else { "" };
    format!("{text}{comma} {:02}:{:02}", minutes / 60, minutes % 60)
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
    fn days_and_moments_read_well() {
        let date = Day::from_ymd(2024, 3, 9).expect("a date");
        assert_eq!(day(date, Language::English), "9 Mar 2024");
        assert_eq!(day(date, Language::Chinese), "2024年3月9日");
        assert_eq!(moment(1_709_993_100, Language::English), "9 Mar 2024, 14:05");
        assert_eq!(moment(1_709_993_100, Language::Chinese), "2024年3月9日 14:05");
        let short = |language| day_of_month(3, 9, language);
        assert_eq!([short(Language::English), short(Language::Chinese)], ["Mar 9", "3月9日"]);
        assert_eq!(moment(-60, Language::English), "31 Dec 1969, 23:59");
    }
}
