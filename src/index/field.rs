//! Takes the text of fields from pages, and makes typed values of it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::region;
use super::rule::{Area, FieldRule, Pick, Place, Source, Test, Typing};
use super::sheet::{Glass, Line, Literal, ReadyMask, lines};
use super::trigger::{Ready, Triggers};
use super::value::{Day, Decimal, FieldType, Value};
use crate::decode::Unit;

/// Why a text is not a value of its field: the code of the note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Missing,
    Date,
    Number,
    Invalid,
}

impl Fault {
    /// Code of the note.
    pub fn code(self) -> &'static str {
        match self {
            Fault::Missing => "field-missing",
            Fault::Date => "field-bad-date",
            Fault::Number => "field-bad-number",
            Fault::Invalid => "field-invalid",
        }
    }
}

impl Typing {
    /// The value that `text` says.
    pub fn value(&self, text: &str) -> Result<Value, Fault> {
        let text = text.trim();
        let value = match self.kind {
            FieldType::Text => Value::Text(text.into()),
            FieldType::Date => Value::Date(self.dates.iter().find_map(|format| format.parse(text)).ok_or(Fault::Date)?),
            FieldType::Decimal => Value::Decimal(self.number.decimal(text).ok_or(Fault::Number)?),
            FieldType::Integer => Value::Integer(self.number.integer(text).ok_or(Fault::Number)?),
        };
        let fits = self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
            && (self.one_of.is_empty() || self.one_of.iter().any(|one| one == text))
            && self.min.as_ref().is_none_or(|min| compare(&value, min) != Ordering::Less)
            && self.max.as_ref().is_none_or(|max| compare(&value, max) != Ordering::Greater);
        if fits { Ok(value) } else { Err(Fault::Invalid) }
    }

    /// The value that the API's text form says (of `default`, `min` and `max` in definitions).
    pub fn from_api_text(kind: FieldType, text: &str) -> Option<Value> {
        let plain = super::number::NumberFormat { thousands: Vec::new(), ..Default::default() };
        match kind {
            FieldType::Text => Some(Value::Text(text.into())),
            FieldType::Date => super::date::DateFormat::new("%Y-%m-%d").ok()?.parse(text).map(Value::Date),
            FieldType::Decimal => plain.decimal(text).map(Value::Decimal),
            FieldType::Integer => plain.integer(text).map(Value::Integer),
        }
    }
}

/// Orders two values of one type.
pub(super) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Date(Day(a)), Value::Date(Day(b))) => a.cmp(b),
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => scaled(a, b).cmp(&scaled(b, a)),
        _ => Ordering::Equal,
    }
}

/// The units of `a` at the finer scale of the two.
fn scaled(a: &Decimal, b: &Decimal) -> i128 {
    i128::from(a.units) * 10_i128.pow(u32::from(b.scale.min(18).saturating_sub(a.scale)))
}

/// A field's source, ready for one code page.
#[derive(Debug)]
pub(crate) enum Finder {
    Place(Box<Spot>),
    Region(Box<Area>),
    Tag { name: String, regex: Option<regex::Regex> },
    Group { level: usize, regex: Option<regex::Regex> },
    Constant(String),
    Job(String),
    Count(usize),
    CountIn(Box<Area>),
}

/// A [`Place`], ready.
#[derive(Debug)]
pub(crate) struct Spot {
    place: Place,
    label: Option<Literal>,
    mask: Option<ReadyMask>,
    line: Option<Ready>,
}

impl Finder {
    pub fn new(rule: &FieldRule, glass: &Glass) -> Finder {
        match &rule.source {
            Source::Place(place) => {
                let label = match &place.pick {
                    Pick::After { label, .. } => Some(glass.literal(label)),
                    _ => None,
                };
                let line = place.line.as_ref().map(|line| Ready::new(line, glass));
                let mask = match &place.pick {
                    Pick::Mask(mask) => Some(glass.mask(mask)),
                    _ => None,
                };
                Finder::Place(Box::new(Spot { place: place.clone(), label, mask, line }))
            }
            Source::Region(area) => Finder::Region(Box::new(area.clone())),
            Source::Tag { name, regex } => Finder::Tag { name: name.clone(), regex: regex.clone() },
            Source::Group { level, regex } => Finder::Group { level: *level, regex: regex.clone() },
            Source::Constant(text) => Finder::Constant(text.clone()),
            Source::Job(name) => Finder::Job(name.clone()),
            Source::Count(table) => Finder::Count(*table),
            Source::CountIn(area) => Finder::CountIn(Box::new(area.clone())),
        }
    }

    /// Gives each text of the field on the page to `each` until that says stop; `out` is a buffer.
    pub fn take(
        &self,
        unit: &Unit,
        triggers: &mut Triggers,
        glass: &mut Glass,
        out: &mut String,
        each: &mut dyn FnMut(&str) -> bool,
    ) {
        match self {
            Finder::Constant(text) => {
                each(text);
            }
            Finder::Tag { name, regex } => {
                for tag in unit.tags.iter().filter(|tag| *tag.name == **name) {
                    if !give(&tag.value, regex.as_ref(), each) {
                        return;
                    }
                }
            }
            Finder::Group { level, regex } => {
                if let Some(group) = group_at(unit, *level) {
                    give(group.name, regex.as_ref(), each);
                }
            }
            Finder::Region(area) => area.take(unit, out, each),
            Finder::Place(spot) => spot.take(unit, triggers, glass, out, each),
            // A stream that no job brought has no such text.
            Finder::Job(_) | Finder::Count(_) | Finder::CountIn(_) => {}
        }
    }

    /// Where on the page the field is taken from, for people who write definitions: see [`Spot::rows_taken`]. Nothing for
    /// sources that have no rows.
    pub fn rows_taken(
        &self,
        unit: &Unit,
        triggers: &mut Triggers,
        glass: &mut Glass,
        one: bool,
        each: &mut dyn FnMut(u16, u16, &str),
    ) {
        if let Finder::Place(spot) = self {
            spot.rows_taken(unit, triggers, glass, one, each);
        }
    }

    /// The rectangle that the field is taken from, where it gives something.
    pub fn region_taken(&self, unit: &Unit) -> Option<super::rule::Region> {
        match self {
            Finder::Region(area) | Finder::CountIn(area) if area.count(unit) > 0 => Some(area.region),
            _ => None,
        }
    }

    /// Puts what is known of the job in the place of its name.
    pub fn know(&mut self, job: &BTreeMap<String, String>) {
        if let Finder::Job(name) = self
            && let Some(value) = job.get(name.as_str()).map(|value| value.trim()).filter(|value| !value.is_empty())
        {
            *self = Finder::Constant(value.to_string());
        }
    }
}

/// Gives a value, or what the expression takes of it, to `each`; nothing when that is blank.
fn give(value: &str, regex: Option<&regex::Regex>, each: &mut dyn FnMut(&str) -> bool) -> bool {
    let text = match regex {
        Some(regex) => region::captured(regex, value).unwrap_or_default(),
        None => value.trim(),
    };
    text.is_empty() || each(text)
}

/// A page group that a page is in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InGroup<'u> {
    pub name: &'u str,
    pub starts: bool,
    pub ends: bool,
}

/// The page group of a page at a level, 1 the outermost.
pub(crate) fn group_at(unit: &Unit, level: usize) -> Option<InGroup<'_>> {
    if !unit.groups.is_empty() {
        let group = unit.groups.get(level.checked_sub(1)?)?;
        return Some(InGroup { name: &group.name, starts: group.starts, ends: group.ends });
    }
    // A format whose groups do not nest says only where they start and end.
    let name = unit.group_starts.as_deref();
    let known = level == 1 && (name.is_some() || unit.group_ends);
    known.then_some(InGroup { name: name.unwrap_or_default(), starts: name.is_some(), ends: unit.group_ends })
}

impl Area {
    /// How many of its lines give text on a page.
    pub fn count(&self, unit: &Unit) -> u64 {
        let mut count = 0;
        for (row, line) in (1..).zip(&region::lines(unit, &self.region)) {
            let gives = self.pick(line).is_some_and(|text| !text.is_empty());
            count += u64::from(gives && (self.rows.first..=self.rows.last).contains(&row));
        }
        count
    }

    fn take(&self, unit: &Unit, out: &mut String, each: &mut dyn FnMut(&str) -> bool) {
        let lines = region::lines(unit, &self.region);
        out.clear();
        for (row, line) in (1..).zip(&lines) {
            let Some(text) = self.pick(line).filter(|text| !text.is_empty()) else { continue };
            if row < self.rows.first || row > self.rows.last {
                continue;
            }
            let Some(join) = &self.join else {
                if !each(text) {
                    return;
                }
                continue;
            };
            if !out.is_empty() {
                out.push_str(join);
            }
            out.push_str(text);
        }
        if self.join.is_some() && !out.is_empty() {
            each(out);
        }
    }

    /// What a line gives, trimmed.
    fn pick<'t>(&self, line: &'t str) -> Option<&'t str> {
        match &self.pick {
            Pick::Columns => Some(line),
            Pick::Mask(mask) => region::masked(mask, line).then_some(line),
            Pick::Regex(regex) => region::captured(regex, line),
            Pick::After { label, before } => {
                let (_, text) = line.split_once(label.as_str())?;
                let (from, to) = value_after(text, before.as_deref());
                text.get(from..to).map(str::trim)
            }
        }
    }
}

impl Spot {
    /// Gives the row, the first column looked at and the text of each row that the field is taken from; only the first
    /// row when the field has one value that is not joined.
    fn rows_taken(
        &self,
        unit: &Unit,
        triggers: &mut Triggers,
        glass: &mut Glass,
        one: bool,
        each: &mut dyn FnMut(u16, u16, &str),
    ) {
        let place = &self.place;
        let Some(base) = base(place, unit, triggers, glass) else { return };
        let mut range = lines(unit, place.rows.first.saturating_add(base), place.rows.last.saturating_add(base));
        let mut out = String::new();
        let mut before = None;
        while let Some(line) = if place.upwards { range.next_back() } else { range.next() } {
            let gap = !place.upwards && before.is_some_and(|before: u16| line.row > before + 1);
            before = Some(line.row);
            if place.until_blank && gap {
                return;
            }
            out.clear();
            let found = self.take_line(unit, line, glass, &mut out);
            if found {
                let first = match &self.place.pick {
                    Pick::After { label, .. } => {
                        glass.look(unit, line, place.columns, &glass.probe(&Test::Text(label.clone())))
                    }
                    _ => None,
                };
                each(line.row, first.unwrap_or(place.columns.first), &out);
            }
            if (found && one && place.join.is_none()) || (!found && place.join.is_some() && place.until_blank) {
                return;
            }
        }
    }

    fn take(
        &self,
        unit: &Unit,
        triggers: &mut Triggers,
        glass: &mut Glass,
        out: &mut String,
        each: &mut dyn FnMut(&str) -> bool,
    ) {
        let place = &self.place;
        let Some(base) = base(place, unit, triggers, glass) else { return };
        let (first, last) = (place.rows.first.saturating_add(base), place.rows.last.saturating_add(base));
        let mut range = lines(unit, first, last);
        out.clear();
        let mut expected = first;
        while let Some(line) = if place.upwards { range.next_back() } else { range.next() } {
            let gap = !place.upwards && i32::from(line.row) != expected;
            expected = i32::from(line.row) + 1;
            if place.until_blank && gap {
                break;
            }
            let Some(join) = &place.join else {
                out.clear();
                if self.take_line(unit, line, glass, out) && !each(out) {
                    return;
                }
                continue;
            };
            let before = out.len();
            if before > 0 {
                out.push_str(join);
            }
            if !self.take_line(unit, line, glass, out) {
                out.truncate(before);
                if place.until_blank {
                    break;
                }
            }
        }
        if place.join.is_some() && !out.is_empty() {
            each(out);
        }
    }

    /// Appends what one row gives to `out`, trimmed; false when it gives nothing.
    fn take_line(&self, unit: &Unit, line: Line<'_>, glass: &mut Glass, out: &mut String) -> bool {
        if self.line.as_ref().is_some_and(|condition| !condition.holds_on(glass, unit, line)) {
            return false;
        }
        let start = out.len();
        let columns = self.place.columns;
        match &self.place.pick {
            Pick::Columns => glass.text(unit, line, columns, out),
            Pick::Mask(_) => {
                if !self.mask.as_ref().is_some_and(|mask| glass.masked(unit, line, columns, mask)) {
                    return false;
                }
                glass.text(unit, line, columns, out);
            }
            Pick::After { before, .. } => {
                let Some(label) = &self.label else { return false };
                if !glass.text_after(unit, line, columns, label, out) {
                    return false;
                }
                let value = value_after(out.get(start..).unwrap_or_default(), before.as_deref());
                keep(out, start, value);
            }
            Pick::Regex(regex) => {
                glass.text(unit, line, columns, out);
                let text = out.get(start..).unwrap_or_default();
                let Some(found) = regex.captures(text) else {
                    out.truncate(start);
                    return false;
                };
                let value = found.name("value").or_else(|| found.get(1)).or_else(|| found.get(0));
                keep(out, start, value.map_or((0, 0), |value| (value.start(), value.end())));
            }
        }
        let text = out.get(start..).unwrap_or_default();
        let (left, right) = (text.len() - text.trim_start().len(), text.trim_end().len());
        keep(out, start, (left, right.max(left)));
        out.len() > start
    }
}

/// Keeps only `range` (offsets behind `start`) of what stands behind `start`.
fn keep(out: &mut String, start: usize, (from, to): (usize, usize)) {
    out.truncate(start + to);
    out.replace_range(start..start + from, "");
}

/// The value behind a label: without the colon or leader dots, up to two blanks or up to `before`.
fn value_after(text: &str, before: Option<&str>) -> (usize, usize) {
    let colon = |ch: char| ch.is_whitespace() || matches!(ch, ':' | '：');
    let value = text.trim_start_matches(colon);
    let dotted = value.trim_start_matches('.');
    // One point may be the first sign of an amount (.50); several are leaders.
    let value = if value.len() - dotted.len() > 1 { dotted.trim_start_matches(colon) } else { value };
    let end = match before {
        Some(before) => value.find(before),
        None => value.find("  "),
    };
    let from = text.len() - value.len();
    (from, from + end.unwrap_or(value.len()))
}

/// The row from which a place counts; `None` when its anchor is not on the page.
fn base(place: &Place, unit: &Unit, triggers: &mut Triggers, glass: &mut Glass) -> Option<i32> {
    match place.anchor {
        Some(anchor) => triggers.find(anchor, glass, unit).map(|found| found.row),
        None => Some(0),
    }
}
