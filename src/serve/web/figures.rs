//! Figures by day as bars, drawn by the server: an SVG with a title and a description, and the same as a table behind it.

use minijinja::{Value, context};

use super::locale::size;
use super::{Language, locale, shown};
use crate::index::value::Day;

/// Size of a drawing, in its own units.
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 170.0;
/// Room for the numbers at the left, and for the days below.
const LEFT: f64 = 56.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 146.0;

/// How the numbers of a plot are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// As they are.
    Count,
    /// As bytes.
    Bytes,
}

impl Unit {
    fn said(self, number: u64) -> String {
        match self {
            Unit::Count => shown::grouped(&number.to_string()),
            Unit::Bytes => size(number),
        }
    }
}

/// The first of 1, 2, 5 with zeros that is not below a number.
fn round_up(number: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        if let Some(found) = [1, 2, 5].iter().map(|step| power.saturating_mul(*step)).find(|step| *step >= number) {
            return found;
        }
        power = power.saturating_mul(10);
    }
}

/// A plot of numbers by day, from one day to another, both included; days that are not given are 0. `name` is the key
/// of its title's words, and names its parts in the page.
pub fn by_day(name: &'static str, from: i32, to: i32, known: &[(i32, u64)], unit: Unit, language: Language) -> Value {
    let of = |day: i32| known.iter().find(|(known, _)| *known == day).map_or(0, |(_, number)| *number);
    let days: Vec<(i32, u64)> = (from..=to).map(|day| (day, of(day))).collect();
    let most = days.iter().map(|(_, number)| *number).max().unwrap_or_default();
    let high = round_up(most.max(1));
    let slot = (WIDTH - LEFT) / days.len().max(1) as f64;
    let y = |number: u64| BOTTOM - number as f64 / high as f64 * (BOTTOM - TOP);
    let bars = days.iter().enumerate().filter(|(_, (_, number))| *number > 0).map(|(at, (_, number))| {
        let top = y(*number).min(BOTTOM - 1.0);
        context! {
            x => tenths(LEFT + slot * (at as f64 + 0.15)), y => tenths(top), width => tenths(slot * 0.7),
            height => tenths(BOTTOM - top),
        }
    });
    let step = days.len().div_ceil(5).max(1);
    let names = days.iter().enumerate().step_by(step).map(|(at, (day, _))| {
        let (_, month, date) = Day(*day).ymd();
        context! { x => tenths(LEFT + slot * (at as f64 + 0.5)), name => locale::day_of_month(month, date, language) }
    });
    let lines = [0, high / 2, high].into_iter().filter(|number| *number > 0 || most == 0 || high > 0);
    let lines = lines.map(
        |number| context! { y => tenths(y(number)), text_y => tenths(y(number) + 4.0), label => unit.said(number) },
    );
    let total = days.iter().fold(0_u64, |sum, (_, number)| sum.saturating_add(*number));
    let (best, _) = days.iter().rev().max_by_key(|(_, number)| *number).copied().unwrap_or((to, 0));
    let day = |day: i32| locale::day(Day(day), language);
    let described = language.word("figures_said");
    let described = described.replace("{total}", &unit.said(total)).replace("{n}", &days.len().to_string());
    let described = described.replace("{most}", &unit.said(most)).replace("{day}", &day(best));
    let rows = days.iter().rev().filter(|(_, number)| *number > 0);
    context! {
        name,
        title => language.word(name),
        described => if total == 0 { language.word("figures_none") } else { described },
        empty => total == 0,
        total => unit.said(total),
        width => WIDTH, height => HEIGHT, left => LEFT,
        bars => bars.collect::<Vec<_>>(),
        days => names.collect::<Vec<_>>(),
        lines => lines.collect::<Vec<_>>(),
        rows => rows.map(|(at, number)| context! { day => day(*at), number => unit.said(*number) }).collect::<Vec<_>>(),
    }
}

fn tenths(number: f64) -> String {
    format!("{number:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_round() {
        assert_eq!([1, 3, 12, 100, 501].map(round_up), [1, 5, 20, 100, 1000]);
        assert!(round_up(u64::MAX) > 1 << 62);
    }

    #[test]
    fn a_plot_says_what_it_shows() {
        let plot =
            by_day("figures_documents", 19_800, 19_829, &[(19_800, 40), (19_829, 200)], Unit::Count, Language::English);
        let get = |name: &str| plot.get_attr(name).expect("a part").to_string();
        assert_eq!(get("total"), "240");
        assert!(get("described").contains("200") && get("described").contains("30"), "{}", get("described"));
        assert_eq!(plot.get_attr("bars").expect("bars").len(), Some(2));
        assert_eq!(plot.get_attr("rows").expect("rows").len(), Some(2));
        let empty = by_day("figures_documents", 1, 30, &[], Unit::Count, Language::Chinese);
        assert_eq!(empty.get_attr("bars").expect("bars").len(), Some(0));
    }
}
