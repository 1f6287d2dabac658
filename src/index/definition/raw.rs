//! Reads the tables of a definition with the place of every key, and collects errors.

use std::ops::Range;

use regex::Regex;
use toml::de::{DeTable, DeValue};

use super::error::{DefinitionError, DefinitionErrors};
use crate::index::rule::{ColumnRange, LAST_ROW, MaskSign, Region, RowRange};
use crate::page::Lu;

/// Longest length of a region, in any unit: keeps all of them within what a page can have.
const LONGEST: f64 = 20_000.0;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub value: T,
    pub at: usize,
}

/// Collects the errors of one file.
#[derive(Debug)]
pub(super) struct Faults<'s> {
    file: &'s str,
    source: &'s str,
    found: Vec<DefinitionError>,
    /// The text is one that the archive holds already: what may change around it is not looked at again.
    pub stored: bool,
}

impl<'s> Faults<'s> {
    pub fn new(source: &'s str, file: &'s str) -> Faults<'s> {
        Faults { file, source, found: Vec::new(), stored: false }
    }

    /// Notes an error at byte `at`.
    pub fn add(&mut self, at: usize, key: &str, message: impl Into<String>, allowed: Option<&str>) {
        let before = self.source.get(..at).unwrap_or(self.source);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(start..).map_or(0, |text| text.chars().count()) + 1;
        self.found.push(DefinitionError {
            file: self.file.into(),
            line,
            column,
            key: key.into(),
            message: message.into(),
            allowed: allowed.map(Into::into),
        });
    }

    /// `Err` when there were errors.
    pub fn finish(mut self) -> Result<(), DefinitionErrors> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|error| (error.line, error.column));
        self.found.dedup();
        Err(DefinitionErrors(self.found))
    }
}

/// A table of the file.
#[derive(Debug, Clone)]
pub(super) struct Section<'t, 's> {
    /// The keys that lead to it, with names for array members: `field.account`.
    pub path: String,
    /// Where it starts.
    pub at: usize,
    table: &'t DeTable<'s>,
}

impl<'t, 's> Section<'t, 's> {
    /// Takes a table; keys that are not among `allowed` are errors.
    pub fn new(
        path: &str,
        at: usize,
        table: &'t DeTable<'s>,
        allowed: &[&str],
        faults: &mut Faults<'_>,
    ) -> Section<'t, 's> {
        let section = Section { path: path.into(), at, table };
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !allowed.contains(&name) {
                let message = match nearest(name, allowed) {
                    Some(near) => format!("unknown key; did you mean `{near}`?"),
                    None => "unknown key".into(),
                };
                let allowed = if allowed.is_empty() { "nothing here".into() } else { allowed.join(", ") };
                faults.add(key.span().start, &section.key(name), message, Some(&allowed));
            }
        }
        section
    }

    /// A key of this section with the path before it.
    pub fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.into() } else { format!("{}.{name}", self.path) }
    }

    pub fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The keys in use.
    pub fn names(&self) -> Vec<At<String>> {
        self.table.keys().map(|key| At { value: key.get_ref().to_string(), at: key.span().start }).collect()
    }

    fn get(&self, name: &str) -> Option<(&'t DeValue<'s>, Range<usize>)> {
        self.table.get(name).map(|value| (value.get_ref(), value.span()))
    }

    fn wrong<T>(&self, name: &str, at: usize, found: &DeValue<'_>, wanted: &str, faults: &mut Faults<'_>) -> Option<T> {
        faults.add(at, &self.key(name), format!("{} does not fit here", found.type_str()), Some(wanted));
        None
    }

    pub fn text(&self, name: &str, faults: &mut Faults<'_>) -> Option<At<String>> {
        let (value, span) = self.get(name)?;
        match value.as_str() {
            Some(text) => Some(At { value: text.into(), at: span.start }),
            None => self.wrong(name, span.start, value, "a text in quotes", faults),
        }
    }

    /// A text that must be there.
    pub fn required(&self, name: &str, faults: &mut Faults<'_>) -> Option<At<String>> {
        if !self.has(name) {
            faults.add(self.at, &self.key(name), "is missing", Some("a text in quotes"));
        }
        self.text(name, faults)
    }

    pub fn flag(&self, name: &str, faults: &mut Faults<'_>) -> Option<bool> {
        let (value, span) = self.get(name)?;
        match value.as_bool() {
            Some(flag) => Some(flag),
            None => self.wrong(name, span.start, value, "true or false", faults),
        }
    }

    /// A whole number within bounds.
    pub fn number(&self, name: &str, bounds: Range<i64>, faults: &mut Faults<'_>) -> Option<At<i64>> {
        let (value, span) = self.get(name)?;
        let allowed = format!("a whole number from {} to {}", bounds.start, bounds.end - 1);
        match integer(value) {
            Some(number) if bounds.contains(&number) => Some(At { value: number, at: span.start }),
            Some(number) => {
                faults.add(span.start, &self.key(name), format!("{number} is out of range"), Some(&allowed));
                None
            }
            None => self.wrong(name, span.start, value, &allowed, faults),
        }
    }

    /// A text or whole number, as text.
    pub fn scalar(&self, name: &str, faults: &mut Faults<'_>) -> Option<At<String>> {
        let (value, span) = self.get(name)?;
        match integer(value) {
            Some(number) => Some(At { value: number.to_string(), at: span.start }),
            None => self.text(name, faults),
        }
    }

    /// One of several words.
    pub fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)], faults: &mut Faults<'_>) -> Option<T> {
        let text = self.text(name, faults)?;
        let found = words.iter().find(|(word, _)| *word == text.value).map(|(_, value)| *value);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            faults.add(text.at, &self.key(name), format!("{:?} is not known", text.value), Some(&all.join(", ")));
        }
        found
    }

    /// Texts: a list, or one text alone.
    pub fn texts(&self, name: &str, faults: &mut Faults<'_>) -> Vec<At<String>> {
        let Some((value, span)) = self.get(name) else { return Vec::new() };
        if let Some(text) = value.as_str() {
            return vec![At { value: text.into(), at: span.start }];
        }
        let Some(list) = value.as_array() else {
            let none: Option<()> = self.wrong(name, span.start, value, "a list of texts", faults);
            return none.map_or_else(Vec::new, |()| Vec::new());
        };
        let mut texts = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push(At { value: text.into(), at: item.span().start }),
                None => {
                    let _: Option<()> = self.wrong(name, item.span().start, item.get_ref(), "a text in quotes", faults);
                }
            }
        }
        texts
    }

    /// Printed lines: `1`, or `[10, 20]`.
    pub fn lines(&self, name: &str, faults: &mut Faults<'_>) -> Vec<u16> {
        let Some((value, span)) = self.get(name) else { return Vec::new() };
        let items: Vec<&DeValue<'_>> = match value.as_array() {
            Some(list) => list.iter().map(|item| item.get_ref()).collect(),
            None => vec![value],
        };
        let mut lines = Vec::new();
        for item in items {
            match integer(item).and_then(|number| u16::try_from(number).ok()).filter(|line| *line > 0) {
                Some(line) => lines.push(line),
                None => faults.add(
                    span.start,
                    &self.key(name),
                    "is not a printed line",
                    Some("lines from 1, such as [10, 20]"),
                ),
            }
        }
        lines
    }

    /// A table below this one.
    pub fn section(&self, name: &str, allowed: &[&str], faults: &mut Faults<'_>) -> Option<Section<'t, 's>> {
        let (value, span) = self.get(name)?;
        match value.as_table() {
            Some(table) => Some(Section::new(&self.key(name), span.start, table, allowed, faults)),
            None => self.wrong(name, span.start, value, "a table", faults),
        }
    }

    /// Tables below this one: a list of them, or one alone. Each is called by its `name` when it has one.
    pub fn sections(&self, name: &str, allowed: &[&str], faults: &mut Faults<'_>) -> Vec<Section<'t, 's>> {
        let Some((value, span)) = self.get(name) else { return Vec::new() };
        let mut sections = Vec::new();
        let mut add = |value: &'t DeValue<'s>, at: usize, number: usize, faults: &mut Faults<'_>| match value.as_table()
        {
            Some(table) => {
                let called = table.get("name").and_then(|name| name.get_ref().as_str());
                let called = called.map_or_else(|| number.to_string(), Into::into);
                sections.push(Section::new(&format!("{}.{called}", self.key(name)), at, table, allowed, faults));
            }
            None => {
                let _: Option<()> = self.wrong(name, at, value, "tables", faults);
            }
        };
        match value.as_array() {
            Some(list) => {
                for (number, item) in list.iter().enumerate() {
                    add(item.get_ref(), item.span().start, number + 1, faults);
                }
            }
            None => add(value, span.start, 1, faults),
        }
        sections
    }

    /// A regular expression.
    pub fn regex(&self, name: &str, faults: &mut Faults<'_>) -> Option<Regex> {
        let text = self.text(name, faults)?;
        match regex::RegexBuilder::new(&text.value).size_limit(1 << 20).build() {
            Ok(regex) => Some(regex),
            Err(error) => {
                let said = error.to_string();
                let said = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
                let allowed = "a regular expression in single quotes, such as '[0-9]{4}-[0-9]{4}'";
                faults.add(text.at, &self.key(name), format!("not a regular expression: {said}"), Some(allowed));
                None
            }
        }
    }

    /// Rows: `5`, `"5"`, `"5-9"`, `"5-"`, `"*"`. Relative rows may be 0 and negative.
    pub fn rows(&self, name: &str, relative: bool, faults: &mut Faults<'_>) -> Option<RowRange> {
        let text = self.scalar(name, faults)?;
        let least = if relative { -LAST_ROW } else { 1 };
        let parsed = match text.value.trim() {
            "*" => Some(RowRange { first: least, last: LAST_ROW }),
            other => range(other).map(|(first, last)| RowRange { first, last: last.unwrap_or(LAST_ROW) }),
        };
        let fits = parsed.filter(|rows| rows.first >= least && rows.first <= rows.last && rows.last <= LAST_ROW);
        if fits.is_none() {
            let allowed = if relative {
                "a row counted from the trigger's row, such as 0, 2, -1, \"1-4\", \"1-\" or \"*\""
            } else {
                "a row from 1, a range such as \"5-9\" or \"5-\", or \"*\" for any row"
            };
            faults.add(
                text.at,
                &self.key(name),
                format!("{:?} is not a row or range of rows", text.value),
                Some(allowed),
            );
        }
        fits
    }

    /// A rectangle: `{ x = 1, y = 2.5, width = 3, height = 0.5, unit = "in" }`.
    pub fn region(&self, name: &str, faults: &mut Faults<'_>) -> Option<Region> {
        const UNITS: &[(&str, f64)] = &[("in", 72.0), ("mm", 72.0 / 25.4), ("pt", 1.0)];
        let section = self.section(name, &["x", "y", "width", "height", "unit"], faults)?;
        let points = section.choice("unit", UNITS, faults);
        if !section.has("unit") {
            faults.add(section.at, &section.key("unit"), "is missing", Some("in, mm, pt"));
        }
        let mut edge = |key: &str, least: f64| {
            let allowed = if least < 0.0 { "a length" } else { "a length of 0 or more" };
            let Some((value, span)) = section.get(key) else {
                faults.add(section.at, &section.key(key), "is missing", Some(allowed));
                return None;
            };
            let number = value.as_float().and_then(|float| float.as_str().replace('_', "").parse::<f64>().ok());
            let number = number.or_else(|| integer(value).map(|number| number as f64));
            match number.filter(|number| (least..=LONGEST).contains(number)) {
                Some(number) => Some(number * points.unwrap_or(1.0)),
                None => {
                    faults.add(span.start, &section.key(key), "is not a length", Some(allowed));
                    None
                }
            }
        };
        let (x, y) = (edge("x", -LONGEST), edge("y", -LONGEST));
        let (width, height) = (edge("width", 0.0)?, edge("height", 0.0)?);
        let (x, y) = (x?, y?);
        let [left, top, right, bottom] = [x, y, x + width, y + height].map(Lu::from_points);
        Some(Region { left, top, right, bottom })
    }

    /// Columns: `5`, `"5-9"`, `"5-"`. The flag says that a single column was named.
    pub fn columns(&self, name: &str, faults: &mut Faults<'_>) -> Option<(ColumnRange, bool)> {
        let text = self.scalar(name, faults)?;
        let parsed = range(text.value.trim()).and_then(|(first, last)| {
            let first = u16::try_from(first).ok().filter(|first| *first > 0)?;
            let last = last.map_or(Some(u16::MAX), |last| u16::try_from(last).ok())?;
            (first <= last).then_some(ColumnRange { first, last })
        });
        if parsed.is_none() {
            let allowed = "a column from 1, or a range such as \"10-39\" or \"10-\"";
            faults.add(text.at, &self.key(name), format!("{:?} is not a range of columns", text.value), Some(allowed));
        }
        let single = !text.value.contains('-');
        parsed.map(|columns| (columns, single))
    }

    /// A mask: `#` digit, `@` letter, `^` not blank, `=` any sign, anything else itself.
    pub fn mask(&self, name: &str, faults: &mut Faults<'_>) -> Option<Vec<MaskSign>> {
        let text = self.text(name, faults)?;
        if text.value.is_empty() {
            faults.add(text.at, &self.key(name), "is empty", Some("signs such as \"##/##\""));
            return None;
        }
        let sign = |ch| match ch {
            '#' => MaskSign::Digit,
            '@' => MaskSign::Letter,
            '^' => MaskSign::NotBlank,
            '=' => MaskSign::Any,
            other => MaskSign::Literal(other),
        };
        Some(text.value.chars().map(sign).collect())
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// `5`, `5-9`, `5-`, `-3`, `-3--1`; a missing end is `None`.
fn range(text: &str) -> Option<(i32, Option<i32>)> {
    if let Ok(one) = text.parse() {
        return Some((one, Some(one)));
    }
    let dash = text.char_indices().skip(1).find(|(_, ch)| *ch == '-')?.0;
    let (first, last) = (text.get(..dash)?, text.get(dash + 1..)?);
    let last = if last.trim().is_empty() { None } else { Some(last.trim().parse().ok()?) };
    Some((first.trim().parse().ok()?, last))
}

/// The allowed word that is nearest to a misspelt one, when it is near enough.
fn nearest<'w>(word: &str, allowed: &[&'w str]) -> Option<&'w str> {
    let best = allowed.iter().map(|other| (distance(word, other), *other)).min()?;
    (best.0 <= 1 + word.chars().count() / 3).then_some(best.1)
}

/// Letters to change, insert or delete, or neighbours to swap, to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}
