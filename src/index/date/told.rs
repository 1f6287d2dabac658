//! Days as people copy them from paper: in the format that the paper has, or as dates are commonly written.

use super::super::fold::narrow;
use super::super::value::Day;
use super::DateFormat;

/// Forms that leave no doubt which number is what; `/` stands for every separator.
const PLAIN: [&str; 7] = ["%Y/%m/%d", "%Y年%m月%d日", "%y年%m月%d日", "%B %d %Y", "%d %B %Y", "%Y %B %d", "%d %B %y"];
/// Month before day.
const MONTH_FIRST: [&str; 4] = ["%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y"];
/// Day before month.
const DAY_FIRST: [&str; 4] = ["%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y"];

/// The day that `text` says. `formats` are those of the paper and come first, with whatever separators; then common forms.
/// Where `03/04/2024` can be two days, it is the one in the order of the first format.
pub fn told(text: &str, formats: &[DateFormat]) -> Option<Day> {
    let text: String = text.trim().chars().take(40).map(narrow).collect();
    if let Some(day) = formats.iter().find_map(|format| format.parse(&text)) {
        return Some(day);
    }
    let (slashed, spaced) = (separated(&text, '/'), separated(&text, ' '));
    let read = |source: &str| {
        let format = DateFormat::new(source).ok()?;
        format.parse(&slashed).or_else(|| format.parse(&spaced))
    };
    let own = formats.iter().find_map(|format| read(&separated(format.source(), '/')));
    let orders = match formats.first() {
        Some(format) if !format.is_month_first() => DAY_FIRST,
        _ => MONTH_FIRST,
    };
    own.or_else(|| PLAIN.into_iter().find_map(read)).or_else(|| orders.into_iter().find_map(read))
}

/// The text with one separator between its parts, whichever it had.
fn separated(text: &str, by: char) -> String {
    let parts = text.split(|c: char| c.is_whitespace() || matches!(c, '/' | '-' | '.' | ',' | '\u{2013}' | '、'));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&by.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(format: &str, text: &str) -> Option<String> {
        told(text, &[DateFormat::new(format).expect("a format")]).map(|day| day.to_string())
    }

    #[test]
    fn a_day_is_read_however_it_is_commonly_written() {
        for format in ["%m/%d/%Y", "%b %d, %Y", "%Y-%m-%d", "%d.%m.%Y", "%Y年%m月%d日"] {
            for text in [
                "06/30/2024",
                "06-30-2024",
                "6.30.2024",
                "30.06.2024",
                "30/6/24",
                "June 30, 2024",
                "Jun. 30 2024",
                "30 June 2024",
                "30-Jun-2024",
                "30. Juni 2024",
                "2024-06-30",
                "2024/6/30",
                "2024.06.30",
                "2024年6月30日",
                "２０２４年０６月３０日",
            ] {
                assert_eq!(read(format, text).as_deref(), Some("2024-06-30"), "{format} {text}");
            }
        }
    }

    #[test]
    fn in_doubt_the_order_is_that_of_the_paper() {
        for (format, day) in [
            ("%m/%d/%Y", "2024-03-04"),
            ("%b %d, %Y", "2024-03-04"),
            ("%Y-%m-%d", "2024-03-04"),
            ("%d.%m.%Y", "2024-04-03"),
            ("%d %b %Y", "2024-04-03"),
        ] {
            for text in ["03/04/2024", "3-4-24", "03.04.2024"] {
                assert_eq!(read(format, text).as_deref(), Some(day), "{format} {text}");
            }
        }
        assert_eq!(read("%y%m%d", "240630").as_deref(), Some("2024-06-30"), "the paper's own form");
    }

    #[test]
    fn what_is_no_day_is_none() {
        for text in ["", "yesterday", "31/31/2024", "2024", "06/2024", "1234.56", "30 Brumaire 2024"] {
            assert_eq!(read("%m/%d/%Y", text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,50}") {
            let _ = read("%d %b %Y", &text);
        }
    }
}
