//! Compares two documents of one account: fields, and transaction lines added, removed and changed.
//!
//! It never guesses a cause. Lines are the same when they say the same but for dates and amounts; among equals the order
//! decides.

use std::collections::HashMap;

use serde::Serialize;

use super::timeline::{DocumentEntry, DocumentField};

/// A document as far as it is compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compared {
    /// The document with its fields.
    pub document: DocumentEntry,
    /// Names of the columns of its lines.
    pub columns: Vec<String>,
    /// Its transaction lines.
    pub rows: Vec<Vec<String>>,
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The older document.
    pub before: DocumentEntry,
    /// The newer document.
    pub after: DocumentEntry,
    /// Days from one to the other, where both have a date.
    pub days: Option<i32>,
    /// All fields.
    pub fields: Vec<FieldDifference>,
    /// Names of the columns of the lines.
    pub columns: Vec<String>,
    /// All lines, in the order of the newer document, those that are gone where they stood.
    pub lines: Vec<LineDifference>,
}

/// How something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Difference {
    /// It does not.
    Same,
    /// It is on both with another value.
    Changed,
    /// Only the newer document has it.
    Added,
    /// Only the older document has it.
    Removed,
}

/// A field on both documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldDifference {
    /// Name as in queries.
    pub name: String,
    /// Label, English.
    pub label: String,
    /// Label, Chinese.
    pub label_zh: Option<String>,
    /// How it differs.
    pub difference: Difference,
    /// On the older document.
    pub before: Option<String>,
    /// On the newer document.
    pub after: Option<String>,
    /// For numbers: after less before, exact.
    pub change: Option<String>,
}

/// A line on both documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineDifference {
    /// How it differs.
    pub difference: Difference,
    /// On the older document.
    pub before: Option<Vec<String>>,
    /// On the newer document.
    pub after: Option<Vec<String>>,
    /// For each column, whether it differs.
    pub changed: Vec<bool>,
}

/// Lines of one document that are compared; those behind them are left out.
const MOST_LINES: usize = 20_000;

/// Compares two documents.
pub fn compare(before: Compared, after: Compared) -> Comparison {
    let days = before.document.date.zip(after.document.date).map(|(old, new)| new.0.0.saturating_sub(old.0.0));
    let fields = fields(&before.document.fields, &after.document.fields);
    let columns = if after.columns.is_empty() { before.columns.clone() } else { after.columns.clone() };
    let old = aligned(&before, &columns);
    let new = aligned(&after, &columns);
    Comparison { before: before.document, after: after.document, days, fields, lines: lines(&old, &new), columns }
}

/// The rows of a document in these columns.
fn aligned(document: &Compared, columns: &[String]) -> Vec<Vec<String>> {
    let places: Vec<_> = columns.iter().map(|name| document.columns.iter().position(|other| other == name)).collect();
    let rows = document.rows.iter().take(MOST_LINES);
    let cell = |row: &[String], place: &Option<usize>| place.and_then(|at| row.get(at)).cloned().unwrap_or_default();
    rows.map(|row| places.iter().map(|place| cell(row, place)).collect()).collect()
}

fn fields(before: &[DocumentField], after: &[DocumentField]) -> Vec<FieldDifference> {
    let gone = before.iter().filter(|old| after.iter().all(|new| new.name != old.name));
    let difference = |old: Option<&DocumentField>, new: Option<&DocumentField>| {
        let shown = new.or(old)?;
        Some(FieldDifference {
            name: shown.name.clone(),
            label: shown.label.clone(),
            label_zh: shown.label_zh.clone(),
            difference: match (old, new) {
                (Some(old), Some(new)) if old.value == new.value => Difference::Same,
                (Some(_), Some(_)) => Difference::Changed,
                (None, _) => Difference::Added,
                (_, None) => Difference::Removed,
            },
            before: old.map(|field| field.value.clone()),
            after: new.map(|field| field.value.clone()),
            change: old
                .zip(new)
                .filter(|(old, new)| old.number && new.number)
                .and_then(|(old, new)| subtract(&new.value, &old.value)),
        })
    };
    let both = after.iter().map(|new| (before.iter().find(|old| old.name == new.name), Some(new)));
    both.chain(gone.map(|old| (Some(old), None))).filter_map(|(old, new)| difference(old, new)).collect()
}

/// `a - b` for decimals as text, exact; `None` when one is no number.
pub fn subtract(a: &str, b: &str) -> Option<String> {
    let parse = |text: &str| {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || part.len() > 9 || !plain(whole) || !plain(part) {
            return None;
        }
        let units: i128 = format!("{whole}{part}").parse().ok().filter(|_| whole.len() <= 24)?;
        Some((if negative { -units } else { units }, part.len()))
    };
    let ((a, a_scale), (b, b_scale)) = (parse(a)?, parse(b)?);
    let scale = a_scale.max(b_scale);
    let grow = |units: i128, from: usize| units.checked_mul(10_i128.checked_pow(u32::try_from(scale - from).ok()?)?);
    let difference = grow(a, a_scale)?.checked_sub(grow(b, b_scale)?)?;
    let sign = if difference < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", difference.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") })
}

/// Digits of a number within words that is a reference: two purchases with different ones are no change of one another.
const REFERENCE: usize = 5;

/// What a line says apart from dates and amounts.
fn gist(row: &[String]) -> String {
    let has_letters = |word: &str| word.chars().any(char::is_alphabetic);
    let is_reference = |word: &str| word.len() >= REFERENCE && word.bytes().all(|digit| digit.is_ascii_digit());
    let cells = row.iter().map(|cell| {
        let among_words = has_letters(cell);
        let says = |word: &&str| has_letters(word) || among_words && is_reference(word);
        cell.split_whitespace().filter(says).collect::<Vec<_>>().join(" ")
    });
    cells.collect::<Vec<_>>().join("\u{1f}")
}

/// Whole lines that are the same are taken out first, then lines of one gist are paired in order.
fn lines(old: &[Vec<String>], new: &[Vec<String>]) -> Vec<LineDifference> {
    let mut partner: Vec<Option<usize>> = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    let whole = |row: &[String]| row.join("\u{1f}");
    for name in [&whole as &dyn Fn(&[String]) -> String, &gist] {
        let mut places: HashMap<String, std::collections::VecDeque<usize>> = HashMap::new();
        for (at, row) in old.iter().enumerate().filter(|(at, _)| !taken[*at]) {
            places.entry(name(row)).or_default().push_back(at);
        }
        for (at, row) in new.iter().enumerate() {
            if partner[at].is_some() {
                continue;
            }
            if let Some(found) = places.get_mut(&name(row)).and_then(std::collections::VecDeque::pop_front) {
                partner[at] = Some(found);
                taken[found] = true;
            }
        }
    }
    let mut all = Vec::with_capacity(new.len() + old.len());
    let mut next_old = 0;
    for (row, partner) in new.iter().zip(&partner) {
        if let Some(at) = partner {
            // What is gone stands before the first line that comes after it on both.
            while next_old < *at {
                if !taken[next_old] {
                    all.push(alone(&old[next_old], Difference::Removed));
                }
                next_old += 1;
            }
            next_old = next_old.max(at + 1);
            all.push(pair(&old[*at], row));
        } else {
            all.push(alone(row, Difference::Added));
        }
    }
    let rest = (next_old..old.len()).filter(|at| !taken[*at]);
    all.extend(rest.map(|at| alone(&old[at], Difference::Removed)));
    all
}

fn alone(row: &[String], difference: Difference) -> LineDifference {
    let (before, after) =
        if difference == Difference::Added { (None, Some(row.to_vec())) } else { (Some(row.to_vec()), None) };
    LineDifference { difference, before, after, changed: vec![true; row.len()] }
}

fn pair(before: &[String], after: &[String]) -> LineDifference {
    let changed: Vec<bool> = before.iter().zip(after).map(|(old, new)| old != new).collect();
    let difference = if changed.contains(&true) { Difference::Changed } else { Difference::Same };
    LineDifference { difference, before: Some(before.to_vec()), after: Some(after.to_vec()), changed }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::time::Date;
    use super::*;

    fn row(cells: [&str; 3]) -> Vec<String> {
        cells.iter().map(ToString::to_string).collect()
    }

    fn bill(date: &str, amount: &str, rows: &[[&str; 3]]) -> Compared {
        let field = |name: &str, value: &str, number| DocumentField {
            name: name.into(),
            label: name.into(),
            label_zh: None,
            value: value.into(),
            number,
        };
        let fields = vec![field("amount", amount, true), field("name", "Ava", false)];
        Compared {
            document: DocumentEntry { date: Date::parse(date), fields, ..DocumentEntry::default() },
            columns: row(["date", "text", "amount"]),
            rows: rows.iter().map(|cells| row(*cells)).collect(),
        }
    }

    #[test]
    fn fields_and_lines_say_how_they_differ() {
        let before = bill(
            "2024-01-31",
            "100.50",
            &[["01-02", "BASE FEE 12", "10.00"], ["01-05", "CALLS", "80.50"], ["01-09", "ROAMING", "10.00"]],
        );
        let after = bill(
            "2024-02-29",
            "99.25",
            &[["02-02", "BASE FEE 13", "10.00"], ["02-05", "CALLS", "84.25"], ["02-20", "LATE FEE", "5.00"]],
        );
        let found = compare(before, after);
        assert_eq!(found.days, Some(29));
        assert_eq!(
            (found.fields[0].difference, found.fields[0].change.as_deref()),
            (Difference::Changed, Some("-1.25"))
        );
        assert_eq!((found.fields[1].difference, found.fields[1].change.as_deref()), (Difference::Same, None));
        let kinds: Vec<_> = found.lines.iter().map(|line| line.difference).collect();
        use Difference::{Added, Changed, Removed};
        assert_eq!(kinds, [Changed, Changed, Added, Removed]);
        assert_eq!(found.lines[1].changed, [true, false, true]);
    }

    #[test]
    fn another_reference_number_is_another_line() {
        let before = bill("2024-01-31", "1", &[["01-02", "ATM MARKET 905779", "10.00"], ["01-03", "FEE 2023", "1.00"]]);
        let after = bill("2024-02-29", "1", &[["02-02", "ATM MARKET 862608", "20.00"], ["02-03", "FEE 2024", "1.00"]]);
        let kinds: Vec<_> = compare(before, after).lines.iter().map(|line| line.difference).collect();
        assert_eq!(kinds, [Difference::Added, Difference::Removed, Difference::Changed]);
    }

    #[test]
    fn equal_documents_have_no_differences_and_columns_are_found_by_name() {
        let mut other = bill("2024-01-31", "1", &[["01-02", "FEE", "1"], ["01-02", "FEE", "1"]]);
        let before = other.clone();
        other.columns = row(["text", "date", "amount"]);
        other.rows = vec![row(["FEE", "01-02", "1"]), row(["FEE", "01-02", "1"])];
        let found = compare(before, other);
        assert!(found.lines.iter().all(|line| line.difference == Difference::Same) && found.lines.len() == 2);
        assert!(found.fields.iter().all(|field| field.difference == Difference::Same));
    }

    #[test]
    fn differences_of_decimals_are_exact() {
        for (a, b, c) in [
            ("0.30", "0.1", "0.20"),
            ("1", "2.5", "-1.5"),
            ("-1.00", "-1.00", "0.00"),
            ("100000000000000000000.01", "0.02", "99999999999999999999.99"),
        ] {
            assert_eq!(subtract(a, b).as_deref(), Some(c), "{a} - {b}");
        }
        for bad in ["", "x", "1.2.3", "1e5", "99999999999999999999999999999999999999999"] {
            assert_eq!(subtract(bad, "1"), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_line_is_there_once(old in prop::collection::vec("[ab]{1,2} [0-9]", 0..12), new in prop::collection::vec("[ab]{1,2} [0-9]", 0..12)) {
            let rows = |lines: &[String]| lines.iter().map(|line| vec![line.clone()]).collect::<Vec<_>>();
            let (old, new) = (rows(&old), rows(&new));
            let found = lines(&old, &new);
            let after: Vec<_> = found.iter().filter_map(|line| line.after.clone()).collect();
            prop_assert_eq!(after, new, "the newer lines, in their order");
            let mut before: Vec<_> = found.iter().filter_map(|line| line.before.clone()).collect();
            let mut expected = old.clone();
            before.sort();
            expected.sort();
            prop_assert_eq!(before, expected);
        }
    }
}
