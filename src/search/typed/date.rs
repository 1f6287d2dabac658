//! Dates as people write them: `2024-03-05`, `March 2024`, `5 Mar 2024`, `3月`, `last month`, `Q1 2024`.
//!
//! `03/05/2024` is two days, one in either order of day and month; `03/25/2024` is one.

use super::token::Token;
use crate::index::date::ENGLISH_MONTHS;
use crate::index::value::Day;

type Span = (Day, Day);

/// The date at the beginning of these words: how many of them, its first and its last day.
pub fn read(tokens: &[Token], today: Day) -> Option<(usize, Day, Day)> {
    if tokens.first()?.quoted {
        return None;
    }
    // A comma may stand after the day: `Mar 5, 2024`.
    let words: Vec<String> =
        tokens.iter().take(3).map(|token| token.text.trim_end_matches(',').to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    (1..=words.len()).rev().find_map(|count| {
        let (from, to) = span(&words[..count], today)?;
        Some((count, from, to))
    })
}

/// The two days that a numeric date may be when day and month may stand in either order; one when only one of them exists or
/// both are the same.
pub fn slashed(token: &Token) -> Option<Vec<Day>> {
    let parts: Vec<&str> = token.text.split('/').collect();
    let ([first, second, year], false) = (parts.as_slice(), token.quoted) else { return None };
    let (first, second, year) = (number(first)?, number(second)?, year_of(year)?);
    let mut days: Vec<Day> =
        [(first, second), (second, first)].into_iter().filter_map(|(m, d)| Day::from_ymd(year, m, d)).collect();
    days.dedup();
    (!days.is_empty()).then_some(days)
}

fn span(words: &[&str], today: Day) -> Option<Span> {
    match words {
        [word] => word.split_once("..").map_or_else(|| single(word, today), |(from, to)| between(from, to, today)),
        [first, second] => pair(first, second, today),
        [first, second, year] => {
            let year = year_of(year)?;
            let month_first = named_month(first).map(|month| (month, *second));
            let (month, day) = month_first.or_else(|| Some((named_month(second)?, *first)))?;
            whole_day(year, month, day_of(day)?)
        }
        _ => None,
    }
}

fn between(from: &str, to: &str, today: Day) -> Option<Span> {
    let (from, to) = (single(from, today)?, single(to, today)?);
    Some(if from.0 <= to.1 { (from.0, to.1) } else { (to.0, from.1) })
}

fn pair(first: &str, second: &str, today: Day) -> Option<Span> {
    match (first, second) {
        ("last", "month") => return single("上月", today),
        ("this", "month") => return single("本月", today),
        ("last", "year") => return single("去年", today),
        ("this", "year") => return single("今年", today),
        _ => {}
    }
    let month_first = named_month(first).map(|month| (month, second));
    if let Some((month, day)) = month_first.or_else(|| Some((named_month(second)?, first)))
        && let Some(day) = day_of(day)
    {
        return latest_day(month, day, today);
    }
    let year = year_of(second)?;
    if let Some(quarter) = first.strip_prefix('q').and_then(number).filter(|q| (1..=4).contains(q)) {
        return months(year, quarter * 3 - 2, quarter * 3);
    }
    let month = named_month(first)?;
    months(year, month, month)
}

fn single(word: &str, today: Day) -> Option<Span> {
    let (year, month, _) = today.ymd();
    match word {
        "today" | "今天" | "今日" => return Some((today, today)),
        "yesterday" | "昨天" | "昨日" => return Some((Day(today.0 - 1), Day(today.0 - 1))),
        "本月" | "这个月" => return months(year, month, month),
        "上月" | "上个月" => {
            return if month == 1 { months(year - 1, 12, 12) } else { months(year, month - 1, month - 1) };
        }
        "今年" => return months(year, 1, 12),
        "去年" => return months(year - 1, 1, 12),
        _ => {}
    }
    // A month's full name alone; `may` is more often a word.
    if let Some(month) = ENGLISH_MONTHS.iter().position(|name| *name == word && word != "may") {
        return latest(i8::try_from(month + 1).ok()?, today);
    }
    if let Some(month) = word.strip_suffix('月').and_then(number) {
        return latest(month, today);
    }
    let parts: Vec<&str> = word.split(['-', '/', '年', '月']).map(|part| part.trim_end_matches('日')).collect();
    match parts.as_slice() {
        [year] if word.len() == 4 => months(year_of(year)?, 1, 12),
        [year, ""] if word.ends_with('年') => months(year_of(year)?, 1, 12),
        [year, quarter] if quarter.starts_with('q') => {
            let quarter = number(&quarter[1..]).filter(|q| (1..=4).contains(q))?;
            months(year_of(year)?, quarter * 3 - 2, quarter * 3)
        }
        [year, month] | [year, month, ""] if year.len() == 4 => {
            let month = number(month)?;
            months(year_of(year)?, month, month)
        }
        [month, year] if year.len() == 4 && word.contains('/') => {
            let month = number(month)?;
            months(year_of(year)?, month, month)
        }
        [year, month, day] if year.len() == 4 => whole_day(year_of(year)?, number(month)?, number(day)?),
        _ => dotted(word),
    }
}

/// `5.3.2024`.
fn dotted(word: &str) -> Option<Span> {
    let parts: Vec<&str> = word.split('.').collect();
    let [day, month, year] = parts.as_slice() else { return None };
    whole_day(year_of(year)?, number(month)?, number(day)?)
}

/// A day of the month: `5`, `5th`.
fn day_of(text: &str) -> Option<i8> {
    let ordinals = ["st", "nd", "rd", "th"];
    number(ordinals.iter().find_map(|ending| text.strip_suffix(ending)).unwrap_or(text))
}

/// The newest such day that has begun.
fn latest_day(month: i8, day: i8, today: Day) -> Option<Span> {
    let (year, _, _) = today.ymd();
    let found = (year - 8..=year).rev().find_map(|year| Day::from_ymd(year, month, day).filter(|day| *day <= today))?;
    Some((found, found))
}

/// The newest such month that has begun.
fn latest(month: i8, today: Day) -> Option<Span> {
    let (year, now, _) = today.ymd();
    months(if month > now { year - 1 } else { year }, month, month)
}

fn named_month(word: &str) -> Option<i8> {
    let word = word.trim_end_matches('.');
    let at = ENGLISH_MONTHS.iter().position(|name| *name == word || (word.len() >= 3 && name.starts_with(word)))?;
    i8::try_from(at + 1).ok()
}

fn year_of(text: &str) -> Option<i16> {
    let year: i16 =
        (text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()?;
    (1950..=2100).contains(&year).then_some(year)
}

fn number(text: &str) -> Option<i8> {
    (!text.is_empty() && text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn whole_day(year: i16, month: i8, day: i8) -> Option<Span> {
    let day = Day::from_ymd(year, month, day)?;
    Some((day, day))
}

fn months(year: i16, first: i8, last: i8) -> Option<Span> {
    let from = Day::from_ymd(year, first, 1)?;
    let to = (28..=31).rev().find_map(|day| Day::from_ymd(year, last, day))?;
    Some((from, to))
}
