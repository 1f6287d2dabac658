//! Takes away what somebody may not see whole, before any renderer has it.
//!
//! In: the masks of a definition that apply to the reader, and the document's fields. Out: texts, field values and pages
//! in which the letters and digits of masked values are replaced. A value of a masked field is found wherever it is
//! printed, whatever stands between its letters and digits (`4111 1111` for `4111-1111`); a pattern is looked for in each
//! printed line. Replaced characters are gone: nothing of them is in the page that renderers get.
//!
//! What cannot be found cannot be masked: a value broken over two lines, a date in words, text inside of pictures.

mod page;
mod starts;

use std::borrow::Cow;
use std::collections::HashMap;

use regex::Regex;

use crate::index::definition::{Definition, Mask, Masked};
use crate::index::fold::narrow;
use crate::index::value::{Day, FieldValue, Value, values_of};
use crate::page::Page;
use starts::Starts;

/// Signs that may stand between two letters or digits of a value.
const MOST_BETWEEN: usize = 2;
/// A value of fewer letters and digits is found only where no further letter or digit touches it.
const LEAST_INSIDE: usize = 6;

/// What stands for each character of a line: `None` leaves it.
type Cover = Vec<Option<char>>;

/// The masks of one document for one reader.
#[derive(Debug, Clone)]
pub struct Masker {
    /// Masked fields by name.
    fields: HashMap<String, Mask>,
    /// Letters and digits of values, folded: for each whether it is hidden, and what stands for it.
    values: HashMap<Vec<char>, (Vec<bool>, char)>,
    /// Lengths of values, the longest first.
    lengths: Vec<usize>,
    /// How values begin: most lines are passed over by it.
    starts: Starts,
    patterns: Vec<(Regex, Mask)>,
}

impl Masker {
    /// The masks of `definition` that `applies` says apply, for a document with these fields. `None`: there are none.
    pub fn new<'f>(
        definition: &Definition,
        applies: impl Fn(&Mask) -> bool,
        fields: impl Iterator<Item = (&'f str, &'f FieldValue)>,
    ) -> Option<Masker> {
        let mut masker = Masker {
            fields: HashMap::new(),
            values: HashMap::new(),
            lengths: Vec::new(),
            starts: Starts::default(),
            patterns: Vec::new(),
        };
        for mask in definition.masks.iter().filter(|mask| applies(mask)) {
            match &mask.what {
                Masked::Field(number) => {
                    let name = definition.field_name(usize::from(*number));
                    masker.fields.insert(name.to_string(), mask.clone());
                }
                Masked::Pattern(pattern) => {
                    // It was read when the definition was checked.
                    masker.patterns.extend(Regex::new(pattern).ok().map(|regex| (regex, mask.clone())));
                }
            }
        }
        if masker.fields.is_empty() && masker.patterns.is_empty() {
            return None;
        }
        for (name, value) in fields {
            let Some(mask) = masker.fields.get(name).cloned() else { continue };
            for value in values_of(value) {
                for printed in prints(value) {
                    masker.add(&mask, &printed);
                }
            }
        }
        masker.lengths = masker.values.keys().map(Vec::len).collect();
        masker.lengths.sort_unstable_by(|a, b| b.cmp(a));
        masker.lengths.dedup();
        masker.starts = Starts::of(masker.values.keys().map(Vec::as_slice));
        Some(masker)
    }

    fn add(&mut self, mask: &Mask, value: &str) {
        let hidden = value.chars().zip(mask.hidden(value)).filter(|(ch, _)| ch.is_alphanumeric());
        let (letters, hidden): (Vec<char>, Vec<bool>) = hidden.map(|(ch, hidden)| (plain(ch), hidden)).unzip();
        if !letters.is_empty() {
            self.values.insert(letters, (hidden, mask.with));
        }
    }

    /// A text, line by line.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let (mut out, mut at) = (String::new(), 0);
        // How much of the text is in `out`; nothing before the first line that is masked.
        let mut taken = 0;
        for line in text.split_inclusive('\n') {
            if let Some(cover) = self.cover(line) {
                out.push_str(text.get(taken..at).unwrap_or_default());
                out.extend(line.chars().zip(cover).map(|(ch, with)| with.unwrap_or(ch)));
                taken = at + line.len();
            }
            at += line.len();
        }
        if taken == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(text.get(taken..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// Whether something in a text may be masked: false is certain.
    fn may_cover(&self, text: &str) -> bool {
        !self.patterns.is_empty() || self.starts.may_be_in(text)
    }

    /// A field's value. A masked number or day becomes a text.
    pub fn value(&self, name: &str, value: &FieldValue) -> FieldValue {
        let mask = self.fields.get(name);
        let one = |value: &Value| {
            let whole = value.to_string();
            let shown = mask.map_or_else(|| self.text(&whole).into_owned(), |mask| mask.apply(&whole));
            if shown == whole { value.clone() } else { Value::Text(shown) }
        };
        match value {
            FieldValue::One(value) => FieldValue::One(one(value)),
            FieldValue::Many(values) => FieldValue::Many(values.iter().map(one).collect()),
            FieldValue::Span(first, last) => FieldValue::Span(one(first), one(last)),
        }
    }

    /// A document's date, unless the field that it is the value of is masked: a day has no ends that could be shown.
    pub fn date(&self, definition: &Definition, date: Option<i32>) -> Option<i32> {
        let name = definition.date_field.map_or("", |number| definition.field_name(usize::from(number)));
        let whole = |day: &i32| {
            let value = FieldValue::One(Value::Date(Day(*day)));
            self.value(name, &value) == value
        };
        date.filter(whole)
    }

    /// A page: the glyphs of masked values are replaced, bar codes that hold one are taken out.
    pub fn page(&self, page: Page) -> Page {
        page::masked(self, page)
    }

    /// What covers a line; `None` when nothing in it is masked.
    fn cover(&self, line: &str) -> Option<Cover> {
        if !self.may_cover(line) {
            return None;
        }
        let chars: Vec<char> = line.chars().collect();
        let mut cover: Cover = vec![None; chars.len()];
        self.cover_values(&chars, &mut cover);
        for (regex, mask) in &self.patterns {
            cover_matches(regex, mask, line, &mut cover);
        }
        cover.iter().any(Option::is_some).then_some(cover)
    }

    fn cover_values(&self, chars: &[char], cover: &mut Cover) {
        // Letters and digits with their places; what lies too far apart is parted by a sign that no value has.
        let mut letters: Vec<char> = Vec::with_capacity(chars.len());
        let mut places: Vec<usize> = Vec::with_capacity(chars.len());
        for (at, ch) in chars.iter().enumerate().filter(|(_, ch)| ch.is_alphanumeric()) {
            if places.last().is_some_and(|last| at - last > MOST_BETWEEN + 1) {
                letters.push('\0');
                places.push(at);
            }
            letters.push(plain(*ch));
            places.push(at);
        }
        for start in 0..letters.len() {
            if !self.starts.may_start(letters.get(start..).unwrap_or_default()) {
                continue;
            }
            for length in &self.lengths {
                let Some(piece) = letters.get(start..start + length) else { continue };
                let Some((hidden, with)) = self.values.get(piece) else { continue };
                let place = |at: usize| places.get(at).copied();
                let touches = |a: Option<usize>, b: Option<usize>| a.zip(b).is_some_and(|(a, b)| b == a + 1);
                let inside = (start > 0 && touches(place(start - 1), place(start)))
                    || touches(place(start + length - 1), place(start + length));
                if inside && *length < LEAST_INSIDE {
                    continue;
                }
                for (offset, _) in hidden.iter().enumerate().filter(|(_, hidden)| **hidden) {
                    if let Some(covered) = place(start + offset).and_then(|at| cover.get_mut(at)) {
                        *covered = Some(*with);
                    }
                }
            }
        }
    }
}

fn cover_matches(regex: &Regex, mask: &Mask, line: &str, cover: &mut Cover) {
    for captures in regex.captures_iter(line) {
        let Some(found) = captures.get(1).or_else(|| captures.get(0)) else { continue };
        let first = line.get(..found.start()).map_or(0, |before| before.chars().count());
        for (offset, _) in mask.hidden(found.as_str()).into_iter().enumerate().filter(|(_, hidden)| *hidden) {
            if let Some(covered) = cover.get_mut(first + offset) {
                *covered = Some(mask.with);
            }
        }
    }
}

/// A character as values are compared by: of usual width, lower case.
fn plain(ch: char) -> char {
    if ch.is_ascii() {
        return ch.to_ascii_lowercase();
    }
    let ch = narrow(ch);
    ch.to_lowercase().next().unwrap_or(ch)
}

/// How a value may be printed, separators apart.
fn prints(value: &Value) -> Vec<String> {
    match value {
        Value::Date(day) => {
            let (year, month, date) = day.ymd();
            let (long, short) = (format!("{year:04}"), format!("{:02}", year.rem_euclid(100)));
            let mut all = Vec::new();
            for year in [&long, &short] {
                all.push(format!("{year}{month:02}{date:02}"));
                all.push(format!("{month:02}{date:02}{year}"));
                all.push(format!("{date:02}{month:02}{year}"));
                all.push(format!("{month}/{date}/{year}"));
                all.push(format!("{date}/{month}/{year}"));
            }
            all
        }
        Value::Decimal(_) | Value::Integer(_) => {
            let whole = value.to_string();
            let bare = whole.trim_start_matches(['-', '0']).to_string();
            vec![whole, bare]
        }
        Value::Text(text) => vec![text.clone()],
    }
}

#[cfg(test)]
mod tests;
