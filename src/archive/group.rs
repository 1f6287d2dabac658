//! Documents in groups: the columns of up to 256 catalogue rows, compressed together.
//!
//! What one row says twice (a title made from fields, the account, the date) is kept once; what follows from the row
//! before (where its bytes and pages end) is kept as the difference. Layout: `docs/formats/archive.md`.

mod outline;
mod title;

use std::collections::BTreeMap;

use super::block::Unpacker;
use super::error::ArchiveError;
use super::rows::{put_varint, take_varint, unzigzag, zigzag};
use crate::decode::Stretch;
use crate::index::value::{Day, Decimal, FieldValue, Value};
use crate::index::{Draft, PageMark};

use title::{FieldTexts, field_text, pack_title, unpack_title};

pub(super) use outline::{Outline, prove};

/// Compression level: the rows are few, and read often.
const LEVEL: i32 = 5;
/// Longest group when unpacked; checked before memory is taken.
const GROUP_LIMIT: usize = 256 << 20;

/// Columns before those of the field values.
const FIXED: usize = 8;
const PLACE: usize = 0;
const LENGTH: usize = 1;
const NUMBERS: usize = 2;
const MARKS: usize = 3;
const TITLE: usize = 4;
const DATE: usize = 5;
const ACCOUNT: usize = 6;
const SHAPE: usize = 7;

/// Number of the column of what is around documents, among those of the field values; definitions have fewer fields. It is
/// there when something is around one of the documents.
const AROUND: u16 = u16::MAX;

const ABSENT: u64 = 0;
const LITERAL: u64 = 1;
const FIRST_FIELD: u64 = 2;

const MANY: u8 = 8;
const SPAN: u8 = 9;

/// Packs documents in stream order.
pub(super) fn pack(drafts: &[Draft]) -> Result<Vec<u8>, ArchiveError> {
    let mut columns = Columns::default();
    let mut before = Before::default();
    let has_around = drafts.iter().any(|draft| !draft.around.is_empty());
    for draft in drafts {
        columns.add(draft, &before);
        if has_around {
            put_around(columns.values.entry(AROUND).or_default(), &draft.around, &before.around);
        }
        before = Before::after(draft);
    }
    let raw = columns.into_bytes();
    let mut content = Vec::new();
    put_varint(&mut content, drafts.len() as u64);
    let frame = zstd::bulk::compress(&raw, LEVEL)
        .map_err(|error| ArchiveError::damaged("a document group", error.to_string()))?;
    content.extend(frame);
    Ok(content)
}

/// Reads what [`pack`] made. `what` names the group in errors.
pub(super) fn unpack(what: &str, content: &[u8]) -> Result<Vec<Draft>, ArchiveError> {
    let (raw, count) = open(what, content)?;
    read(&raw, count).ok_or_else(|| unfit(what))
}

/// One document of a group, from 0; `None` when the group has fewer. The others are passed over, not made.
pub(super) fn unpack_one(what: &str, content: &[u8], wanted: u32) -> Result<Option<Draft>, ArchiveError> {
    let (raw, count) = open(what, content)?;
    if u64::from(wanted) >= count {
        return Ok(None);
    }
    read_one(&raw, wanted).map(Some).ok_or_else(|| unfit(what))
}

fn unfit(what: &str) -> ArchiveError {
    ArchiveError::damaged(what, "its columns do not fit together")
}

/// The columns of a group, and how many documents it has.
fn open(what: &str, content: &[u8]) -> Result<(Vec<u8>, u64), ArchiveError> {
    let mut raw = Vec::new();
    let count = open_into(what, content, &mut Unpacker::new()?, &mut raw)?;
    Ok((raw, count))
}

/// The same in memory that is there already.
fn open_into(what: &str, content: &[u8], unpacker: &mut Unpacker, raw: &mut Vec<u8>) -> Result<u64, ArchiveError> {
    let damaged = |detail: &str| ArchiveError::damaged(what, detail);
    let mut frame = content;
    let count = take_varint(&mut frame).filter(|count| *count <= u64::from(super::keys::GROUP));
    let count = count.ok_or_else(|| damaged("its number of documents is absurd"))?;
    let length = zstd::bulk::Decompressor::upper_bound(frame).filter(|length| *length <= GROUP_LIMIT);
    let length = length.ok_or_else(|| damaged("its length is absurd"))?;
    unpacker.decompress(what, frame, (length, &[]), raw)?;
    Ok(count)
}

fn read_one(raw: &[u8], wanted: u32) -> Option<Draft> {
    let mut reader = Reader::new(raw)?;
    let mut before = Before::default();
    for _ in 0..wanted {
        before = reader.pass(&before)?;
    }
    reader.next(&before)
}

fn read(raw: &[u8], count: u64) -> Option<Vec<Draft>> {
    let mut reader = Reader::new(raw)?;
    let mut drafts = Vec::new();
    let mut before = Before::default();
    for _ in 0..count {
        let draft = reader.next(&before)?;
        before = Before::after(&draft);
        drafts.push(draft);
    }
    Some(drafts)
}

/// Where the row before ended, and what was around its document.
#[derive(Default)]
struct Before {
    byte: u64,
    page: u64,
    records: u64,
    around: Vec<Stretch>,
}

impl Before {
    fn after(draft: &Draft) -> Before {
        Before {
            byte: draft.span.end,
            page: draft.first_page.wrapping_add(u64::from(draft.pages)),
            records: draft.records_before,
            around: draft.around.clone(),
        }
    }
}

/// Appends stretches: how many of the first are those of the row before, and the others by their distance from one another.
fn put_around(out: &mut Vec<u8>, around: &[Stretch], before: &[Stretch]) {
    let same = around.iter().zip(before).take_while(|(one, other)| one == other).count();
    put_varint(out, same as u64);
    put_varint(out, (around.len() - same) as u64);
    let mut last = same.checked_sub(1).and_then(|last| around.get(last)).copied().unwrap_or_default();
    for stretch in around.iter().skip(same) {
        put_varint(out, difference(stretch.byte, last.byte));
        put_varint(out, stretch.bytes);
        put_varint(out, difference(stretch.pages, last.pages));
        put_varint(out, difference(stretch.records, last.records));
        last = *stretch;
    }
}

/// Takes what [`put_around`] put; nothing where the group has no such column.
fn take_around(column: Option<&mut &[u8]>, before: &[Stretch]) -> Option<Vec<Stretch>> {
    let Some(column) = column else { return Some(Vec::new()) };
    let same = usize::try_from(take_varint(column)?).ok()?;
    let mut around = before.get(..same)?.to_vec();
    for _ in 0..take_varint(column)? {
        let last = around.last().copied().unwrap_or_default();
        around.push(Stretch {
            byte: sum(last.byte, take_varint(column)?),
            bytes: take_varint(column)?,
            pages: sum(last.pages, take_varint(column)?),
            records: sum(last.records, take_varint(column)?),
        });
    }
    Some(around)
}

fn difference(later: u64, earlier: u64) -> u64 {
    zigzag(later.wrapping_sub(earlier) as i64)
}

fn sum(earlier: u64, difference: u64) -> u64 {
    earlier.wrapping_add(unzigzag(difference) as u64)
}

#[derive(Default)]
struct Columns {
    fixed: [Vec<u8>; FIXED],
    values: BTreeMap<u16, Vec<u8>>,
    /// Of the document at hand.
    texts: FieldTexts,
}

impl Columns {
    fn add(&mut self, draft: &Draft, before: &Before) {
        put_varint(&mut self.fixed[PLACE], difference(draft.span.start, before.byte));
        put_varint(&mut self.fixed[LENGTH], draft.span.end.saturating_sub(draft.span.start));
        let numbers = &mut self.fixed[NUMBERS];
        put_varint(numbers, draft.resume);
        put_varint(numbers, difference(draft.first_page, before.page));
        put_varint(numbers, difference(draft.records_before, before.records));
        put_varint(numbers, u64::from(draft.pages));
        self.add_marks(draft);
        self.texts.take(draft);
        put_bytes(&mut self.fixed[TITLE], pack_title(&draft.title, &self.texts).as_bytes());
        self.add_date(draft);
        self.add_account(draft);
        self.add_fields(draft);
    }

    fn add_marks(&mut self, draft: &Draft) {
        let column = &mut self.fixed[MARKS];
        put_varint(column, draft.marks.len() as u64);
        let (mut page, mut byte) = (0, draft.span.start);
        for mark in &draft.marks {
            put_varint(column, difference(u64::from(mark.page), page));
            put_varint(column, difference(mark.byte, byte));
            put_varint(column, mark.resume);
            (page, byte) = (u64::from(mark.page), mark.byte);
        }
    }

    fn add_date(&mut self, draft: &Draft) {
        let column = &mut self.fixed[DATE];
        let Some(date) = draft.date else { return put_varint(column, ABSENT) };
        let same = draft.fields.iter().find(|(_, value)| *value == FieldValue::One(Value::Date(Day(date))));
        match same {
            Some((position, _)) => put_varint(column, FIRST_FIELD + u64::from(*position)),
            None => {
                put_varint(column, LITERAL);
                put_varint(column, zigzag(i64::from(date)));
            }
        }
    }

    fn add_account(&mut self, draft: &Draft) {
        let column = &mut self.fixed[ACCOUNT];
        let Some(account) = &draft.account else { return put_varint(column, ABSENT) };
        let same = |value: &FieldValue| matches!(value, FieldValue::One(Value::Text(text)) if text == account);
        match draft.fields.iter().find(|(_, value)| same(value)) {
            Some((position, _)) => put_varint(column, FIRST_FIELD + u64::from(*position)),
            None => {
                put_varint(column, LITERAL);
                put_bytes(column, account.as_bytes());
            }
        }
    }

    fn add_fields(&mut self, draft: &Draft) {
        put_varint(&mut self.fixed[SHAPE], draft.fields.len() as u64);
        for (position, value) in &draft.fields {
            put_varint(&mut self.fixed[SHAPE], u64::from(*position));
            let column = self.values.entry(*position).or_default();
            match value {
                FieldValue::One(value) => {
                    self.fixed[SHAPE].push(kind(value));
                    put_value(column, value);
                }
                FieldValue::Many(values) => {
                    self.fixed[SHAPE].push(MANY);
                    put_varint(column, values.len() as u64);
                    values.iter().for_each(|value| put_tagged(column, value));
                }
                FieldValue::Span(first, last) => {
                    self.fixed[SHAPE].push(SPAN);
                    put_tagged(column, first);
                    put_tagged(column, last);
                }
            }
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        let mut out = Vec::new();
        for column in &self.fixed {
            put_bytes(&mut out, column);
        }
        for (position, column) in &self.values {
            put_varint(&mut out, u64::from(*position));
            put_bytes(&mut out, column);
        }
        out
    }
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Text(_) => 0,
        Value::Date(_) => 1,
        Value::Decimal(_) => 2,
        Value::Integer(_) => 3,
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(text) => put_bytes(out, text.as_bytes()),
        Value::Date(day) => put_varint(out, zigzag(i64::from(day.0))),
        Value::Decimal(decimal) => {
            out.push(decimal.scale);
            put_varint(out, zigzag(decimal.units));
        }
        Value::Integer(number) => put_varint(out, zigzag(*number)),
    }
}

fn put_tagged(out: &mut Vec<u8>, value: &Value) {
    out.push(kind(value));
    put_value(out, value);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_varint(bytes)?).ok()?;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    String::from_utf8(take_bytes(bytes)?.to_vec()).ok()
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (&byte, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(byte)
}

fn take_day(bytes: &mut &[u8]) -> Option<i32> {
    i32::try_from(unzigzag(take_varint(bytes)?)).ok()
}

fn take_value(bytes: &mut &[u8], kind: u8) -> Option<Value> {
    Some(match kind {
        0 => Value::Text(take_text(bytes)?),
        1 => Value::Date(Day(take_day(bytes)?)),
        2 => Value::Decimal(Decimal { scale: take_byte(bytes)?, units: unzigzag(take_varint(bytes)?) }),
        3 => Value::Integer(unzigzag(take_varint(bytes)?)),
        _ => return None,
    })
}

fn take_tagged(bytes: &mut &[u8]) -> Option<Value> {
    let kind = take_byte(bytes)?;
    take_value(bytes, kind)
}

struct Reader<'a> {
    fixed: [&'a [u8]; FIXED],
    values: BTreeMap<u16, &'a [u8]>,
}

/// Goes behind a value without making it.
fn pass_value(bytes: &mut &[u8], kind: u8) -> Option<()> {
    match kind {
        0 => take_bytes(bytes).map(|_| ()),
        1 | 3 => take_varint(bytes).map(|_| ()),
        2 => {
            take_byte(bytes)?;
            take_varint(bytes).map(|_| ())
        }
        _ => None,
    }
}

fn pass_tagged(bytes: &mut &[u8]) -> Option<()> {
    let kind = take_byte(bytes)?;
    pass_value(bytes, kind)
}

impl<'a> Reader<'a> {
    fn new(mut raw: &'a [u8]) -> Option<Reader<'a>> {
        let mut fixed: [&[u8]; FIXED] = [&[]; FIXED];
        for column in &mut fixed {
            *column = take_bytes(&mut raw)?;
        }
        let mut values = BTreeMap::new();
        while !raw.is_empty() {
            let position = u16::try_from(take_varint(&mut raw)?).ok()?;
            values.insert(position, take_bytes(&mut raw)?);
        }
        Some(Reader { fixed, values })
    }

    /// Goes behind a document; what the one behind it is counted from.
    fn pass(&mut self, before: &Before) -> Option<Before> {
        let start = sum(before.byte, take_varint(&mut self.fixed[PLACE])?);
        let byte = start.checked_add(take_varint(&mut self.fixed[LENGTH])?)?;
        let numbers = &mut self.fixed[NUMBERS];
        take_varint(numbers)?;
        let first_page = sum(before.page, take_varint(numbers)?);
        let records = sum(before.records, take_varint(numbers)?);
        let page = first_page.wrapping_add(take_varint(numbers)?);
        let marks = &mut self.fixed[MARKS];
        for _ in 0..take_varint(marks)? {
            (0..3).try_for_each(|_| take_varint(marks).map(|_| ()))?;
        }
        let around = take_around(self.values.get_mut(&AROUND), &before.around)?;
        self.pass_fields()?;
        take_bytes(&mut self.fixed[TITLE])?;
        if take_varint(&mut self.fixed[DATE])? == LITERAL {
            take_varint(&mut self.fixed[DATE])?;
        }
        if take_varint(&mut self.fixed[ACCOUNT])? == LITERAL {
            take_bytes(&mut self.fixed[ACCOUNT])?;
        }
        Some(Before { byte, page, records, around })
    }

    fn pass_fields(&mut self) -> Option<()> {
        for _ in 0..take_varint(&mut self.fixed[SHAPE])? {
            let position = u16::try_from(take_varint(&mut self.fixed[SHAPE])?).ok()?;
            let shape = take_byte(&mut self.fixed[SHAPE])?;
            let column = self.values.get_mut(&position)?;
            match shape {
                MANY => {
                    for _ in 0..take_varint(column)? {
                        pass_tagged(column)?;
                    }
                }
                SPAN => {
                    pass_tagged(column)?;
                    pass_tagged(column)?;
                }
                kind => pass_value(column, kind)?,
            }
        }
        Some(())
    }

    fn next(&mut self, before: &Before) -> Option<Draft> {
        let start = sum(before.byte, take_varint(&mut self.fixed[PLACE])?);
        let end = start.checked_add(take_varint(&mut self.fixed[LENGTH])?)?;
        let numbers = &mut self.fixed[NUMBERS];
        let resume = take_varint(numbers)?;
        let first_page = sum(before.page, take_varint(numbers)?);
        let records_before = sum(before.records, take_varint(numbers)?);
        let pages = u32::try_from(take_varint(numbers)?).ok()?;
        let marks = self.marks(start)?;
        let mut draft = Draft {
            span: start..end,
            resume,
            first_page,
            records_before,
            pages,
            marks,
            around: take_around(self.values.get_mut(&AROUND), &before.around)?,
            title: String::new(),
            date: None,
            account: None,
            fields: self.fields()?,
        };
        let packed = std::str::from_utf8(take_bytes(&mut self.fixed[TITLE])?).ok()?;
        draft.title = unpack_title(packed, |position| field_text(&draft, position))?;
        draft.date = self.date(&draft)?;
        draft.account = self.account(&draft)?;
        Some(draft)
    }

    fn marks(&mut self, start: u64) -> Option<Vec<PageMark>> {
        let mut marks = Vec::new();
        self.marks_into(start, &mut marks)?;
        Some(marks)
    }

    fn marks_into(&mut self, start: u64, marks: &mut Vec<PageMark>) -> Option<()> {
        let column = &mut self.fixed[MARKS];
        let count = take_varint(column)?;
        let (mut page, mut byte) = (0, start);
        marks.clear();
        for _ in 0..count {
            page = sum(page, take_varint(column)?);
            byte = sum(byte, take_varint(column)?);
            marks.push(PageMark { page: u32::try_from(page).ok()?, byte, resume: take_varint(column)? });
        }
        Some(())
    }

    fn date(&mut self, draft: &Draft) -> Option<Option<i32>> {
        match take_varint(&mut self.fixed[DATE])? {
            ABSENT => Some(None),
            LITERAL => take_day(&mut self.fixed[DATE]).map(Some),
            field => match value_at(draft, field)? {
                Value::Date(day) => Some(Some(day.0)),
                _ => None,
            },
        }
    }

    fn account(&mut self, draft: &Draft) -> Option<Option<String>> {
        match take_varint(&mut self.fixed[ACCOUNT])? {
            ABSENT => Some(None),
            LITERAL => take_text(&mut self.fixed[ACCOUNT]).map(Some),
            field => match value_at(draft, field)? {
                Value::Text(text) => Some(Some(text.clone())),
                _ => None,
            },
        }
    }

    fn fields(&mut self) -> Option<Vec<(u16, FieldValue)>> {
        let count = take_varint(&mut self.fixed[SHAPE])?;
        let mut fields = Vec::new();
        for _ in 0..count {
            let position = u16::try_from(take_varint(&mut self.fixed[SHAPE])?).ok()?;
            let shape = take_byte(&mut self.fixed[SHAPE])?;
            let column = self.values.get_mut(&position)?;
            let value = match shape {
                MANY => {
                    let count = take_varint(column)?;
                    let mut values = Vec::new();
                    for _ in 0..count {
                        values.push(take_tagged(column)?);
                    }
                    FieldValue::Many(values)
                }
                SPAN => FieldValue::Span(take_tagged(column)?, take_tagged(column)?),
                kind => FieldValue::One(take_value(column, kind)?),
            };
            fields.push((position, value));
        }
        Some(fields)
    }
}

fn value_at(draft: &Draft, field: u64) -> Option<&Value> {
    let wanted = u16::try_from(field.checked_sub(FIRST_FIELD)?).ok()?;
    draft.fields.iter().find_map(|(position, value)| match value {
        FieldValue::One(value) if *position == wanted => Some(value),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
