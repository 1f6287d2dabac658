//! The amounts of the last thirteen months as bars, drawn by the server: an SVG without styles or scripts of its own.
//!
//! What the bars say stands in a table behind it; the drawing itself has one description for those who do not see it.

use minijinja::{Value, context};

use super::{Language, locale, shown};
use crate::crm::timeline::DocumentEntry;

/// Months that are drawn.
const MONTHS: i32 = 13;
/// Size of the drawing, in its own units: those of a small telephone.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 190.0;
/// Room for the numbers at the left, and for the months below.
const LEFT: f64 = 58.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 160.0;
/// Widest bar.
const BAR: f64 = 18.0;

/// Months from year 0.
fn month(entry: &DocumentEntry) -> Option<i32> {
    let (year, month, _) = entry.date?.0.ymd();
    Some(i32::from(year) * 12 + i32::from(month) - 1)
}

fn number(entry: &DocumentEntry) -> Option<f64> {
    entry.amount.as_deref()?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The smallest of 1, 2, 2.5, 5 with zeros that is not below a number.
fn round_up(number: f64) -> f64 {
    if number <= 0.0 {
        return 0.0;
    }
    let power = 10_f64.powf(number.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= number * 0.999_999)
        .unwrap_or(number)
}

/// The plot of some documents, oldest first; `None` where there are not two amounts to compare.
pub fn plot(entries: &[DocumentEntry], current: &str, language: Language) -> Option<Value> {
    let known: Vec<(&DocumentEntry, i32, f64)> =
        entries.iter().filter_map(|entry| Some((entry, month(entry)?, number(entry)?))).collect();
    if known.len() < 2 {
        return None;
    }
    let last = known.iter().map(|(_, month, _)| *month).max()?;
    let first = last - MONTHS + 1;
    let high = round_up(known.iter().map(|(_, _, number)| *number).fold(0.0, f64::max));
    let low = -round_up(-known.iter().map(|(_, _, number)| *number).fold(0.0, f64::min));
    let span = if high > low { high - low } else { 1.0 };
    let y = |number: f64| TOP + (high - number) / span * (BOTTOM - TOP);
    let slot = (WIDTH - LEFT) / f64::from(MONTHS);
    let x = |month: i32| LEFT + slot * (f64::from(month - first) + 0.5);
    let bars: Vec<Value> = known
        .iter()
        .map(|(entry, month, number)| {
            let (from, to) = (y(number.max(0.0)), y(number.min(0.0)));
            context! {
                x => tenths(x(*month) - BAR / 2.0),
                y => tenths(from),
                width => tenths(BAR),
                height => tenths((to - from).max(1.0)),
                current => entry.id == current,
            }
        })
        .collect();
    let rows: Vec<Value> = known.iter().rev().map(|(entry, _, _)| row(entry, current, language)).collect();
    let names = (first..=last).map(|at| month_name(at, first, tenths(x(at)), language));
    let zero = tenths(y(0.0));
    let mut lines = vec![line(high, y(high)), line(0.0, y(0.0))];
    if low < 0.0 {
        lines.push(line(low, y(low)));
    }
    Some(
        context! { width => WIDTH, height => HEIGHT, left => LEFT, zero, bars, rows, months => names.collect::<Vec<_>>(), lines, said => said(&known, language) },
    )
}

fn tenths(number: f64) -> String {
    format!("{number:.1}")
}

fn line(number: f64, y: f64) -> Value {
    let text = if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.2}") };
    context! { y => tenths(y), text_y => tenths(y + 4.0), label => shown::grouped(&text) }
}

/// Every second month has its name, and each January and the first its year.
fn month_name(at: i32, first: i32, x: String, language: Language) -> Value {
    let month = at.rem_euclid(12) + 1;
    let name = locale::month(i8::try_from(month).unwrap_or(1), language);
    let year = if at == first || month == 1 { at.div_euclid(12).to_string() } else { String::new() };
    context! { x, name => if (at - first) % 2 == 0 { name } else { String::new() }, year }
}

fn row(entry: &DocumentEntry, current: &str, language: Language) -> Value {
    context! {
        id => entry.id.as_str(),
        date => entry.date.map(|date| locale::day(date.0, language)).unwrap_or_default(),
        amount => shown::owed(entry, language),
        current => entry.id == current,
    }
}

/// What the drawing shows, in one sentence.
fn said(known: &[(&DocumentEntry, i32, f64)], language: Language) -> String {
    let least = known.iter().min_by(|a, b| a.2.total_cmp(&b.2));
    let most = known.iter().max_by(|a, b| a.2.total_cmp(&b.2));
    let amount = |one: Option<&(&DocumentEntry, i32, f64)>| {
        one.map(|(entry, _, _)| shown::owed(entry, language)).unwrap_or_default()
    };
    let words = language.word("my_plot_said").replace("{n}", &known.len().to_string());
    words.replace("{least}", &amount(least)).replace("{most}", &amount(most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::time::Date;

    fn entry(id: &str, day: &str, amount: &str) -> DocumentEntry {
        DocumentEntry { id: id.into(), date: Date::parse(day), amount: Some(amount.into()), ..DocumentEntry::default() }
    }

    #[test]
    fn axes_end_on_round_numbers() {
        assert_eq!(
            [0.0, 1.0, 1.1, 23.0, 51.0, 999.0, 1000.0].map(round_up),
            [0.0, 1.0, 2.0, 25.0, 100.0, 1000.0, 1000.0]
        );
    }

    #[test]
    fn bars_stand_in_their_months_and_negative_ones_hang() {
        let entries = [entry("1-1", "2023-03-10", "80.00"), entry("1-2", "2024-03-10", "-20.00")];
        let plot = plot(&entries, "1-2", Language::English).expect("a plot");
        let bar = |at: usize, name: &str| {
            let bar = plot.get_attr("bars").expect("bars").get_item(&Value::from(at)).expect("a bar");
            bar.get_attr(name).expect("a part").to_string()
        };
        let x = |at| bar(at, "x").parse::<f64>().expect("a number");
        assert!(x(0) < LEFT + 20.0 && x(1) > WIDTH - 30.0, "the first and the last of thirteen months");
        assert_eq!(bar(1, "y"), plot.get_attr("zero").expect("zero").to_string());
        assert_eq!((bar(0, "x") == bar(1, "x"), bar(1, "current").to_lowercase()), (false, "true".into()));
        let said = plot.get_attr("said").expect("words").to_string();
        assert!(said.contains("80.00") && said.contains("-20.00"), "{said}");
    }

    #[test]
    fn one_amount_is_no_plot() {
        assert!(super::plot(&[entry("1-1", "2023-03-10", "80.00")], "1-1", Language::English).is_none());
    }
}
