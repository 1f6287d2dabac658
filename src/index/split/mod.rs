//! The splitter: units in, documents out.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::definition::Definition;
use super::field::{Fault, Finder, group_at};
use super::rule::{FieldRule, OnPage, Start, TitlePart, Values};
use super::sheet::Glass;
use super::table::ReadyTable;
use super::trigger::{Exclude, Triggers};
use super::value::{FieldValue, Value};
use super::{Draft, PAGES_PER_MARK, PageMark, SetAside};
use crate::decode::{Unit, UnitKind};
use crate::frame::codepage::CodePage;
use crate::note::{At, Notes};

/// One finished piece of the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Cut {
    /// A document.
    Document(Draft),
    /// Pages or bytes that no document claims.
    SetAside(SetAside),
}

/// Distinct values that a transaction field keeps for one document; more are counted as `field-too-many-values`.
pub const VALUES_PER_FIELD: usize = 100_000;

/// Pieces that wait behind a document for a page that goes on with it. Beyond it the document is over.
const WAITING_PIECES: usize = 4_096;

/// Reason for bytes that print nothing.
const OUTSIDE: &str = "outside";

/// The document that is being read.
#[derive(Debug, Default)]
struct Open {
    draft: Draft,
    /// Place of its first page, for notes.
    at: At,
}

/// What is known of one field of the open document.
#[derive(Debug, Default)]
struct Slot {
    set: bool,
    text: String,
    at: At,
    /// Last text of a span field.
    last: String,
    last_at: At,
    many: Vec<Value>,
    seen: HashSet<Value>,
    lines: u64,
}

impl Slot {
    fn clear(&mut self) {
        self.set = false;
        self.text.clear();
        self.last.clear();
        self.many.clear();
        self.seen.clear();
        self.lines = 0;
    }
}

/// A piece behind the open document that may still become part of it.
#[derive(Debug)]
struct Waiting {
    piece: SetAside,
    marks: Vec<PageMark>,
}

/// Cuts one stream. Pieces come out in stream order, do not overlap and together cover every unit pushed.
#[derive(Debug)]
pub struct Splitter<'d> {
    definition: &'d Definition,
    /// Units carry their text; see [`Definition::wants_text`].
    text: bool,
    file: String,
    glass: Glass,
    triggers: Triggers,
    excludes: Vec<Exclude>,
    finders: Vec<Finder>,
    slots: Vec<Slot>,
    tables: Vec<ReadyTable>,
    /// Values of the fields that documents start by, in the open document and on the page at hand.
    keys: Vec<String>,
    page_keys: Vec<String>,
    buffer: String,
    open: Option<Open>,
    waiting: Vec<Waiting>,
    aside: Option<SetAside>,
    any_document: bool,
}

impl<'d> Splitter<'d> {
    /// A splitter for one stream whose text is in `code_page`.
    pub fn new(definition: &'d Definition, code_page: &'static CodePage) -> Splitter<'d> {
        let glass = Glass::new(code_page);
        let rules = &definition.rules;
        let keys = match &rules.start {
            Start::Values(by) | Start::Triggers { by, .. } => by.len(),
            Start::Tag(_) => 1,
            _ => 0,
        };
        Splitter {
            definition,
            text: definition.wants_text(),
            file: String::new(),
            triggers: Triggers::new(&rules.triggers, &glass),
            excludes: rules.excludes.iter().map(|rule| Exclude::new(rule, &glass)).collect(),
            finders: rules.fields.iter().map(|rule| Finder::new(rule, &glass)).collect(),
            slots: rules.fields.iter().map(|_| Slot::default()).collect(),
            tables: rules.tables.iter().map(|rule| ReadyTable::new(rule, &glass)).collect(),
            keys: vec![String::new(); keys],
            page_keys: vec![String::new(); keys],
            buffer: String::new(),
            open: None,
            waiting: Vec::new(),
            aside: None,
            any_document: false,
            glass,
        }
    }

    /// The stream's name, for titles that contain `{file}`.
    #[must_use]
    pub fn named(mut self, file: &str) -> Splitter<'d> {
        self.file = file.into();
        self
    }

    /// What is known of the job that brought the stream, for fields that ask for it.
    #[must_use]
    pub fn brought_by(mut self, job: &BTreeMap<String, String>) -> Splitter<'d> {
        self.finders.iter_mut().for_each(|finder| finder.know(job));
        self
    }

    /// Takes the next unit; appends what it completes to `out`.
    pub fn push(&mut self, unit: &Unit, notes: &mut Notes, out: &mut Vec<Cut>) {
        if unit.kind == UnitKind::Outside {
            self.set_aside(unit, OUTSIDE, notes, out);
            return;
        }
        self.triggers.turn_page(&mut self.glass);
        if self.text && unit.strikes.is_empty() && unit.placed.is_empty() {
            notes.add_page("empty-page", place(unit), "nothing is printed on the page");
        }
        if let Some(which) = self.excluded(unit) {
            let (reason, ends) =
                self.excludes.get(which).map_or(("", false), |rule| (&rule.reason, rule.ends_document));
            let reason = reason.to_owned();
            if ends {
                self.close(notes, out);
            }
            self.set_aside(unit, &reason, notes, out);
            return;
        }
        if self.starts(unit) {
            self.close(notes, out);
            self.begin(unit, out);
        } else if self.open.is_none() || !self.continues(unit) {
            // Behind an open document the page waits: should the document go on, it was inside.
            let reason = if self.any_document { "between-documents" } else { "before-first-document" };
            self.set_aside(unit, reason, notes, out);
            return;
        }
        self.add_page(unit);
        self.take_fields(unit, notes);
        if let Start::Group(level) = self.definition.rules.start
            && group_at(unit, level).is_some_and(|group| group.ends)
        {
            self.close(notes, out);
        }
    }

    /// The stream is over; appends what is left to `out`.
    pub fn finish(&mut self, notes: &mut Notes, out: &mut Vec<Cut>) {
        self.close(notes, out);
        out.extend(self.aside.take().map(Cut::SetAside));
    }

    fn excluded(&mut self, unit: &Unit) -> Option<usize> {
        let Splitter { excludes, triggers, glass, buffer, .. } = self;
        excludes.iter().position(|rule| rule.holds(triggers, glass, unit, buffer))
    }

    /// Whether a document starts with this page.
    fn starts(&mut self, unit: &Unit) -> bool {
        let rules = &self.definition.rules;
        match &rules.start {
            Start::Triggers { when, by } => {
                let goes_on = self.open.is_some();
                let changes = self.read_keys(by, unit) && goes_on;
                let begins = self.triggers.all(when, &mut self.glass, unit);
                if begins {
                    self.keys.clone_from(&self.page_keys);
                }
                begins || changes
            }
            Start::Pages(pages) => self.open.as_ref().is_none_or(|open| open.draft.pages >= *pages),
            Start::Group(level) => group_at(unit, *level).is_some_and(|group| group.starts),
            Start::Stream => self.open.is_none(),
            Start::Values(by) => self.read_keys(by, unit),
            Start::Tag(name) => {
                let value = unit.tags.iter().find(|tag| *tag.name == **name).map_or("", |tag| &*tag.value);
                for key in &mut self.page_keys {
                    key.clear();
                    key.push_str(value);
                }
                self.keys_change()
            }
        }
    }

    /// Reads the fields that documents start by; whether one has another value than in the open document.
    fn read_keys(&mut self, by: &[usize], unit: &Unit) -> bool {
        let Splitter { finders, triggers, glass, buffer, page_keys, .. } = self;
        for (key, field) in page_keys.iter_mut().zip(by) {
            key.clear();
            if let Some(finder) = finders.get(*field) {
                finder.take(unit, triggers, glass, buffer, &mut |text| {
                    key.push_str(text);
                    false
                });
            }
        }
        self.keys_change()
    }

    /// Whether the page at hand has other keys than the open document; a key that is missing on the page does not
    /// count, and a key that the document does not know yet is learnt.
    fn keys_change(&mut self) -> bool {
        let pairs = self.keys.iter_mut().zip(&self.page_keys);
        let change = match self.open {
            Some(_) => pairs.filter(|(key, page)| !key.is_empty() && !page.is_empty() && key != page).count() > 0,
            None => self.page_keys.iter().any(|page| !page.is_empty()),
        };
        for (key, page) in self.keys.iter_mut().zip(&self.page_keys) {
            if change || key.is_empty() {
                key.clone_from(page);
            }
        }
        change
    }

    fn continues(&mut self, unit: &Unit) -> bool {
        let which = &self.definition.rules.continues;
        which.is_empty() || self.triggers.any(which, &mut self.glass, unit)
    }

    fn begin(&mut self, unit: &Unit, out: &mut Vec<Cut>) {
        out.extend(self.aside.take().map(Cut::SetAside));
        for slot in &mut self.slots {
            slot.clear();
        }
        self.any_document = true;
        let draft = Draft {
            span: unit.span.start..unit.span.start,
            resume: unit.resume,
            first_page: unit.page,
            records_before: unit.records_before,
            around: unit.around.clone(),
            ..Draft::default()
        };
        self.open = Some(Open { draft, at: place(unit) });
    }

    /// Adds a page to the open document, and what waited behind it.
    fn add_page(&mut self, unit: &Unit) {
        let Some(open) = &mut self.open else { return };
        for waited in self.waiting.drain(..) {
            open.draft.pages = open.draft.pages.saturating_add(u32::try_from(waited.piece.pages).unwrap_or(u32::MAX));
            open.draft.marks.extend(waited.marks);
        }
        if open.draft.pages > 0 && open.draft.pages % PAGES_PER_MARK == 0 {
            open.draft.marks.push(PageMark { page: open.draft.pages, byte: unit.span.start, resume: unit.resume });
        }
        open.draft.pages = open.draft.pages.saturating_add(1);
        open.draft.span.end = unit.span.end;
    }

    /// Sets a unit aside: behind an open document it waits whether the document goes on.
    fn set_aside(&mut self, unit: &Unit, reason: &str, notes: &mut Notes, out: &mut Vec<Cut>) {
        let pages = u64::from(unit.kind == UnitKind::Page);
        let first_page = if pages == 0 { unit.page + 1 } else { unit.page };
        if self.waiting.len() >= WAITING_PIECES {
            self.close(notes, out);
        }
        let Some(open) = &self.open else {
            let same = self.aside.as_mut().filter(|aside| aside.reason == reason && aside.span.end == unit.span.start);
            match same {
                Some(aside) => grow(aside, unit, pages),
                None => {
                    let piece = SetAside { span: unit.span.clone(), first_page, pages, reason: reason.into() };
                    out.extend(self.aside.replace(piece).map(Cut::SetAside));
                }
            }
            return;
        };
        let before =
            open.draft.pages + self.waiting.iter().map(|w| u32::try_from(w.piece.pages).unwrap_or(0)).sum::<u32>();
        let mark = (pages > 0 && before % PAGES_PER_MARK == 0).then_some(PageMark {
            page: before,
            byte: unit.span.start,
            resume: unit.resume,
        });
        match self.waiting.last_mut().filter(|last| last.piece.reason == reason) {
            Some(last) => {
                grow(&mut last.piece, unit, pages);
                last.marks.extend(mark);
            }
            None => {
                let piece = SetAside { span: unit.span.clone(), first_page, pages, reason: reason.into() };
                self.waiting.push(Waiting { piece, marks: mark.into_iter().collect() });
            }
        }
    }

    /// Ends the open document, if there is one.
    fn close(&mut self, notes: &mut Notes, out: &mut Vec<Cut>) {
        let Some(open) = self.open.take() else { return };
        out.push(Cut::Document(self.draft(open, notes)));
        for waited in self.waiting.drain(..) {
            out.extend(self.aside.replace(waited.piece).map(Cut::SetAside));
        }
    }

    /// Takes what the page says of each field.
    fn take_fields(&mut self, unit: &Unit, notes: &mut Notes) {
        let first = self.open.as_ref().is_some_and(|open| open.draft.pages == 1);
        let at = place(unit);
        let definition = self.definition;
        let Splitter { finders, slots, triggers, glass, buffer, tables, .. } = self;
        for (number, ((finder, slot), rule)) in finders.iter().zip(slots).zip(&definition.rules.fields).enumerate() {
            let wanted = match rule.on {
                OnPage::First => first,
                OnPage::Any => !slot.set,
                OnPage::Last | OnPage::Every => true,
            };
            if !wanted {
                continue;
            }
            if let Finder::Count(table) = finder {
                if let Some(table) = tables.get(*table) {
                    slot.lines += table.count(unit, triggers, glass);
                }
                continue;
            }
            if let Finder::CountIn(area) = finder {
                slot.lines += area.count(unit);
                continue;
            }
            finder.take(unit, triggers, glass, buffer, &mut |text| match rule.values {
                Values::One => {
                    slot.keep(text, at);
                    false
                }
                Values::Span => {
                    if !slot.set {
                        slot.keep(text, at);
                    }
                    slot.last.clear();
                    slot.last.push_str(text);
                    slot.last_at = at;
                    true
                }
                Values::Many => {
                    if let Err(code) = slot.add(text, rule) {
                        notes.add(code, at, definition.field_name(number));
                    }
                    true
                }
            });
        }
    }

    /// Makes the document of what was collected.
    fn draft(&mut self, open: Open, notes: &mut Notes) -> Draft {
        let definition = self.definition;
        let mut draft = open.draft;
        for (number, (slot, rule)) in self.slots.iter_mut().zip(&definition.rules.fields).enumerate() {
            let mut miss = |fault: Fault, at: At| notes.add(fault.code(), at, definition.field_name(number));
            let value = slot.value(rule, &mut miss);
            let value = value.or_else(|| rule.default.clone().map(FieldValue::One));
            match value {
                Some(value) => draft.fields.push((u16::try_from(number).unwrap_or(u16::MAX), value)),
                None if rule.required && !slot.set => miss(Fault::Missing, open.at),
                None => {}
            }
        }
        let one = |wanted: Option<u16>| {
            let wanted = wanted?;
            draft.fields.iter().find(|(number, _)| *number == wanted).map(|(_, value)| first_value(value))
        };
        draft.date = one(definition.date_field).and_then(|value| match value {
            Value::Date(day) => Some(day.0),
            _ => None,
        });
        draft.account = one(definition.account_field).map(ToString::to_string);
        draft.title = self.title(&draft);
        draft
    }

    fn title(&self, draft: &Draft) -> String {
        let mut title = String::new();
        for part in &self.definition.rules.title {
            match part {
                TitlePart::Text(text) => title.push_str(text),
                TitlePart::File => title.push_str(&self.file),
                TitlePart::Field(wanted) => {
                    let found = draft.fields.iter().find(|(number, _)| usize::from(*number) == *wanted);
                    // Writing to a string cannot fail.
                    let _ = match found.map(|(_, value)| value) {
                        Some(FieldValue::One(value)) => write!(title, "{value}"),
                        Some(FieldValue::Span(first, last)) if first != last => write!(title, "{first} - {last}"),
                        Some(other) => write!(title, "{}", first_value(other)),
                        None => Ok(()),
                    };
                }
            }
        }
        let title = title.trim();
        if title.is_empty() { self.definition.title.clone() } else { title.into() }
    }
}

impl Slot {
    fn keep(&mut self, text: &str, at: At) {
        self.set = true;
        self.text.clear();
        self.text.push_str(text);
        self.at = at;
    }

    /// Adds a value of a transaction field; the error is the code of a note.
    fn add(&mut self, text: &str, rule: &FieldRule) -> Result<(), &'static str> {
        self.set = true;
        let value = rule.typing.value(text).map_err(Fault::code)?;
        if self.seen.contains(&value) {
            return Ok(());
        }
        if self.many.len() >= VALUES_PER_FIELD {
            return Err("field-too-many-values");
        }
        self.seen.insert(value.clone());
        self.many.push(value);
        Ok(())
    }

    /// The field's value at the end of a document; faults go to `miss`.
    fn value(&mut self, rule: &FieldRule, miss: &mut dyn FnMut(Fault, At)) -> Option<FieldValue> {
        if rule.source.counts() {
            return i64::try_from(self.lines).ok().map(|lines| FieldValue::One(Value::Integer(lines)));
        }
        let mut typed = |text: &str, at: At| rule.typing.value(text).map_err(|fault| miss(fault, at)).ok();
        match rule.values {
            Values::Many => (!self.many.is_empty()).then(|| FieldValue::Many(std::mem::take(&mut self.many))),
            _ if !self.set => None,
            Values::One => typed(&self.text, self.at).map(FieldValue::One),
            Values::Span => {
                let (first, last) = (typed(&self.text, self.at), typed(&self.last, self.last_at));
                Some(FieldValue::Span(first.clone().or(last.clone())?, last.or(first)?))
            }
        }
    }
}

/// The first value of a field.
fn first_value(value: &FieldValue) -> &Value {
    static NONE: Value = Value::Integer(0);
    match value {
        FieldValue::One(value) | FieldValue::Span(value, _) => value,
        FieldValue::Many(values) => values.first().unwrap_or(&NONE),
    }
}

fn grow(piece: &mut SetAside, unit: &Unit, pages: u64) {
    piece.span.end = unit.span.end;
    piece.pages += pages;
}

fn place(unit: &Unit) -> At {
    At { byte: unit.span.start, record: unit.records_before + 1, page: unit.page }
}

#[cfg(test)]
mod tests;
