//! Dates as printed: formats in the manner of `strptime`, month names in several languages.

mod told;

pub use told::told;

use super::value::Day;

/// English month names, lower case.
pub const ENGLISH_MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Month names; a name or any unambiguous beginning of at least three letters is understood.
const MONTHS: [(&str, [&str; 12]); 8] = [
    ("en", ENGLISH_MONTHS),
    (
        "de",
        [
            "januar",
            "februar",
            "märz",
            "april",
            "mai",
            "juni",
            "juli",
            "august",
            "september",
            "oktober",
            "november",
            "dezember",
        ],
    ),
    (
        "fr",
        [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
    ),
    (
        "es",
        [
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
    ),
    (
        "it",
        [
            "gennaio",
            "febbraio",
            "marzo",
            "aprile",
            "maggio",
            "giugno",
            "luglio",
            "agosto",
            "settembre",
            "ottobre",
            "novembre",
            "dicembre",
        ],
    ),
    (
        "pt",
        [
            "janeiro",
            "fevereiro",
            "março",
            "abril",
            "maio",
            "junho",
            "julho",
            "agosto",
            "setembro",
            "outubro",
            "novembro",
            "dezembro",
        ],
    ),
    (
        "nl",
        [
            "januari",
            "februari",
            "maart",
            "april",
            "mei",
            "juni",
            "juli",
            "augustus",
            "september",
            "oktober",
            "november",
            "december",
        ],
    ),
    (
        "pl",
        [
            "stycznia",
            "lutego",
            "marca",
            "kwietnia",
            "maja",
            "czerwca",
            "lipca",
            "sierpnia",
            "września",
            "października",
            "listopada",
            "grudnia",
        ],
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    ShortYear,
    Month,
    MonthName,
    Day,
    DayOfYear,
    Literal(char),
}

/// How a date is printed, such as `%m/%d/%Y` or `%Y年%m月%d日`.
///
/// `%Y` year in four digits, `%y` in two (00 to 68 are 2000 to 2068, 69 to 99 are 1969 to 1999), `%m` month,
/// `%d` or `%e` day, `%j` day of the year, `%b` or `%B` the month's name or a beginning of it (English, German,
/// French, Spanish, Italian, Portuguese, Dutch, Polish), `%%` a percent sign. Blanks match any number of blanks, none
/// included, and blanks in the text are passed over before every part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat {
    parts: Vec<Part>,
    source: String,
}

impl DateFormat {
    /// Reads a format; the error says what is wrong with it.
    pub fn new(source: &str) -> Result<DateFormat, String> {
        let mut parts = Vec::new();
        let mut chars = source.chars();
        while let Some(ch) = chars.next() {
            parts.push(match ch {
                '%' => match chars.next() {
                    Some('Y') => Part::Year,
                    Some('y') => Part::ShortYear,
                    Some('m') => Part::Month,
                    Some('b' | 'B' | 'h') => Part::MonthName,
                    Some('d' | 'e') => Part::Day,
                    Some('j') => Part::DayOfYear,
                    Some('%') => Part::Literal('%'),
                    Some(other) => return Err(format!("%{other} is not known")),
                    None => return Err("% at the end".into()),
                },
                blank if blank.is_whitespace() => continue,
                other => Part::Literal(other),
            });
        }
        let has = |wanted: &[Part]| parts.iter().any(|part| wanted.contains(part));
        let day = has(&[Part::DayOfYear]) || (has(&[Part::Month, Part::MonthName]) && has(&[Part::Day]));
        if !has(&[Part::Year, Part::ShortYear]) || !day {
            return Err("it needs a year, a month and a day (or a year and %j)".into());
        }
        Ok(DateFormat { parts, source: source.into() })
    }

    /// The format as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the month stands before the day.
    pub fn is_month_first(&self) -> bool {
        let at = |wanted: &[Part]| self.parts.iter().position(|part| wanted.contains(part));
        at(&[Part::Month, Part::MonthName]) < at(&[Part::Day])
    }

    /// A day in this format, months in English.
    pub fn print(&self, day: Day) -> String {
        let (year, month, date) = day.ymd();
        let name = usize::try_from(month - 1).ok().and_then(|at| ENGLISH_MONTHS.get(at)).copied().unwrap_or_default();
        let mut out = String::new();
        let mut chars = self.source.chars();
        while let Some(ch) = chars.next() {
            match (ch, if ch == '%' { chars.next() } else { None }) {
                (_, Some('Y')) => out.push_str(&format!("{year:04}")),
                (_, Some('y')) => out.push_str(&format!("{:02}", year.rem_euclid(100))),
                (_, Some('m')) => out.push_str(&format!("{month:02}")),
                (_, Some('d')) => out.push_str(&format!("{date:02}")),
                (_, Some('e')) => out.push_str(&date.to_string()),
                (_, Some(letter @ ('b' | 'B' | 'h'))) => {
                    let long = if letter == 'B' { name.len() } else { 3 };
                    let cased = |(at, c): (usize, char)| if at == 0 { c.to_ascii_uppercase() } else { c };
                    out.extend(name.chars().take(long).enumerate().map(cased));
                }
                (_, Some('j')) => {
                    let first = Day::from_ymd(year, 1, 1).unwrap_or(day);
                    out.push_str(&format!("{:03}", day.0 - first.0 + 1));
                }
                (_, Some(other)) => out.push(other),
                (ch, None) => out.push(ch),
            }
        }
        out
    }

    /// The day that `text` says in this format, or `None`.
    pub fn parse(&self, text: &str) -> Option<Day> {
        let (mut year, mut month, mut day, mut ordinal) = (None, None, None, None);
        let mut rest = text;
        for part in &self.parts {
            rest = rest.trim_start();
            rest = match part {
                Part::Year => number(rest, 4, 4, &mut year)?,
                Part::ShortYear => {
                    let after = number(rest, 2, 2, &mut year)?;
                    year = year.map(|y| if y < 69 { y + 2000 } else { y + 1900 });
                    after
                }
                Part::Month => number(rest, 1, 2, &mut month)?,
                Part::MonthName => month_name(rest, &mut month)?,
                Part::Day => number(rest, 1, 2, &mut day)?,
                Part::DayOfYear => number(rest, 1, 3, &mut ordinal)?,
                Part::Literal(ch) => rest.strip_prefix(*ch)?,
            };
        }
        if !rest.trim().is_empty() {
            return None;
        }
        let year = i16::try_from(year?).ok()?;
        match ordinal {
            Some(ordinal) => {
                let first = Day::from_ymd(year, 1, 1)?;
                let found = Day(first.0 + i32::try_from(ordinal).ok()? - 1);
                (found.ymd().0 == year && ordinal > 0).then_some(found)
            }
            None => Day::from_ymd(year, i8::try_from(month?).ok()?, i8::try_from(day?).ok()?),
        }
    }
}

/// Takes `least` to `most` digits.
fn number<'t>(text: &'t str, least: usize, most: usize, into: &mut Option<u32>) -> Option<&'t str> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if digits < least {
        return None;
    }
    let (digits, rest) = text.split_at(digits);
    *into = digits.parse().ok();
    Some(rest)
}

/// Takes a month's name.
fn month_name<'t>(text: &'t str, into: &mut Option<u32>) -> Option<&'t str> {
    let end = text.find(|ch: char| !ch.is_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.chars().count() < 3 {
        return None;
    }
    let word = word.to_lowercase();
    let mut found = None;
    for (_, names) in &MONTHS {
        for (month, name) in (1..).zip(names) {
            if name.starts_with(&word) {
                if found.is_some_and(|other| other != month) {
                    return None;
                }
                found = Some(month);
            }
        }
    }
    *into = Some(found?);
    // A full stop ends an abbreviation.
    Some(rest.strip_prefix('.').unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(format: &str, text: &str) -> Option<String> {
        DateFormat::new(format).expect("a format").parse(text).map(|day| day.to_string())
    }

    #[test]
    fn dates_are_read_as_their_format_says() {
        assert_eq!(read("%m/%d/%Y", "03/31/2024").as_deref(), Some("2024-03-31"));
        assert_eq!(read("%Y年%m月%d日", "2024年01月05日").as_deref(), Some("2024-01-05"));
        assert_eq!(
            read("%Y年%m月%d日", "2024 年 01 月 05 日").as_deref(),
            Some("2024-01-05"),
            "shift codes print blanks"
        );
        assert_eq!(read("%d %b %Y", "5 Mär 2024").as_deref(), Some("2024-03-05"));
        assert_eq!(read("%d. %B %y", "17. Oktober 99").as_deref(), Some("1999-10-17"));
        assert_eq!(read("%b %d, %Y", "Sept. 3, 2021").as_deref(), Some("2021-09-03"));
        assert_eq!(read("%Y.%j", "2024.060").as_deref(), Some("2024-02-29"));
        assert_eq!(read("%y%m%d", "240229").as_deref(), Some("2024-02-29"));
    }

    #[test]
    fn what_is_no_date_gives_none() {
        assert_eq!(read("%m/%d/%Y", "13/31/2024"), None);
        assert_eq!(read("%m/%d/%Y", "02/30/2024"), None);
        assert_eq!(read("%m/%d/%Y", "02/03/24"), None);
        assert_eq!(read("%m/%d/%Y", "02/03/2024 x"), None);
        assert_eq!(read("%Y.%j", "2023.366"), None);
        assert_eq!(read("%d %b %Y", "5 jui 2024"), None, "juin or juillet");
    }

    #[test]
    fn a_day_is_printed_as_its_format_says() {
        let day = Day::from_ymd(2024, 6, 5).expect("a day");
        for (format, text) in [
            ("%m/%d/%Y", "06/05/2024"),
            ("%b %e, %Y", "Jun 5, 2024"),
            ("%d. %B %y", "05. June 24"),
            ("%Y年%m月%d日", "2024年06月05日"),
            ("%Y%j %%", "2024157 %"),
        ] {
            let format = DateFormat::new(format).expect("a format");
            assert_eq!(format.print(day), text);
            assert_eq!(format.parse(text), Some(day));
        }
    }

    #[test]
    fn a_format_without_a_day_is_refused() {
        assert!(DateFormat::new("%m/%Y").is_err());
        assert!(DateFormat::new("%Q").is_err());
        assert!(DateFormat::new("%").is_err());
    }

    proptest! {
        #[test]
        fn printed_days_come_back(days in -100_000_i32..100_000, pick in 0_usize..4) {
            let day = Day(days);
            let (year, month, date) = day.ymd();
            let name = MONTHS[0].1[usize::try_from(month).expect("positive") - 1];
            let (format, text) = match pick {
                0 => ("%m/%d/%Y", format!("{month:02}/{date:02}/{year:04}")),
                1 => ("%Y-%m-%d", day.to_string()),
                2 => ("%Y年%m月%d日", format!("{year:04}年{month:02}月{date:02}日")),
                _ => ("%e %B %Y", format!("{date} {name} {year:04}")),
            };
            prop_assert_eq!(DateFormat::new(format).expect("a format").parse(&text), Some(day));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,30}") {
            for format in ["%d %b %Y", "%Y%j", "%y年%m月%d日"] {
                let _ = DateFormat::new(format).expect("a format").parse(&text);
            }
        }
    }
}
