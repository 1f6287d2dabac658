//! Proves a group of documents without making them: as strict as [`super::unpack`], at a fraction of what making costs.

use std::ops::Range;

use super::title::{FIELD_BASE, FIELD_SIGN};
use super::{
    ABSENT, AROUND, Before, FIRST_FIELD, LITERAL, MANY, Reader, SPAN, open_into, pass_value, sum, take_around,
    take_byte, take_bytes, take_day, unfit,
};
use crate::archive::block::Unpacker;
use crate::archive::error::ArchiveError;
use crate::archive::rows::take_varint;
use crate::index::PageMark;

const TEXT: u8 = 0;
const DATE: u8 = 1;

/// Of a document, what its place in the load is proved by.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// See [`crate::index::Draft::span`].
    pub span: Range<u64>,
    /// See [`crate::index::Draft::pages`].
    pub pages: u32,
    /// See [`crate::index::Draft::marks`].
    pub marks: Vec<PageMark>,
    /// The highest position of its fields.
    pub last_field: Option<u16>,
    fields: Vec<Seen>,
}

/// A field of a document, as far as title, date and account lean on it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    position: u16,
    shape: u8,
    /// A text without a character.
    empty: bool,
}

/// Reads a group as [`super::unpack`] does, and shows where each document lies. `raw` is memory to use again.
pub fn prove(
    what: &str,
    content: &[u8],
    (unpacker, raw): (&mut Unpacker, &mut Vec<u8>),
    each: &mut dyn FnMut(&Outline),
) -> Result<(), ArchiveError> {
    let count = open_into(what, content, unpacker, raw)?;
    outlines(raw, count, each).ok_or_else(|| unfit(what))
}

pub(super) fn outlines(raw: &[u8], count: u64, each: &mut dyn FnMut(&Outline)) -> Option<()> {
    let mut reader = Reader::new(raw)?;
    let (mut before, mut outline) = (Before::default(), Outline::default());
    for _ in 0..count {
        before = reader.outline(&before, &mut outline)?;
        each(&outline);
    }
    Some(())
}

impl Reader<'_> {
    fn outline(&mut self, before: &Before, one: &mut Outline) -> Option<Before> {
        let start = sum(before.byte, take_varint(&mut self.fixed[super::PLACE])?);
        one.span = start..start.checked_add(take_varint(&mut self.fixed[super::LENGTH])?)?;
        let numbers = &mut self.fixed[super::NUMBERS];
        take_varint(numbers)?;
        let first_page = sum(before.page, take_varint(numbers)?);
        let records = sum(before.records, take_varint(numbers)?);
        one.pages = u32::try_from(take_varint(numbers)?).ok()?;
        self.marks_into(start, &mut one.marks)?;
        let around = take_around(self.values.get_mut(&AROUND), &before.around)?;
        self.fields_into(one)?;
        self.prove_title(&one.fields)?;
        self.prove_date(&one.fields)?;
        self.prove_account(&one.fields)?;
        Some(Before { byte: one.span.end, page: first_page.wrapping_add(u64::from(one.pages)), records, around })
    }

    fn fields_into(&mut self, one: &mut Outline) -> Option<()> {
        one.fields.clear();
        one.last_field = None;
        for _ in 0..take_varint(&mut self.fixed[super::SHAPE])? {
            let position = u16::try_from(take_varint(&mut self.fixed[super::SHAPE])?).ok()?;
            let shape = take_byte(&mut self.fixed[super::SHAPE])?;
            let column = self.values.get_mut(&position)?;
            let mut empty = false;
            match shape {
                MANY => (0..take_varint(column)?).try_for_each(|_| prove_tagged(column))?,
                SPAN => (0..2).try_for_each(|_| prove_tagged(column))?,
                kind => empty = prove_value(column, kind)?,
            }
            one.last_field = one.last_field.max(Some(position));
            one.fields.push(Seen { position, shape, empty });
        }
        Some(())
    }

    fn prove_title(&mut self, fields: &[Seen]) -> Option<()> {
        let packed = std::str::from_utf8(take_bytes(&mut self.fixed[super::TITLE])?).ok()?;
        let mut chars = packed.chars();
        while let Some(ch) = chars.next() {
            if ch != FIELD_SIGN {
                continue;
            }
            let number = chars.next()?;
            if number == FIELD_SIGN {
                break;
            }
            let position = u16::try_from(u32::from(number).checked_sub(FIELD_BASE)?).ok()?;
            fields.iter().find(|field| field.position == position).filter(|field| is_one(field) && !field.empty)?;
        }
        Some(())
    }

    fn prove_date(&mut self, fields: &[Seen]) -> Option<()> {
        match take_varint(&mut self.fixed[super::DATE])? {
            ABSENT => Some(()),
            LITERAL => take_day(&mut self.fixed[super::DATE]).map(|_| ()),
            field => is_of_kind(fields, field, DATE),
        }
    }

    fn prove_account(&mut self, fields: &[Seen]) -> Option<()> {
        match take_varint(&mut self.fixed[super::ACCOUNT])? {
            ABSENT => Some(()),
            LITERAL => std::str::from_utf8(take_bytes(&mut self.fixed[super::ACCOUNT])?).ok().map(|_| ()),
            field => is_of_kind(fields, field, TEXT),
        }
    }
}

/// Whether a field has one value.
fn is_one(field: &Seen) -> bool {
    field.shape != MANY && field.shape != SPAN
}

/// Whether the first field with one value at the position that `field` stands for is of a kind.
fn is_of_kind(fields: &[Seen], field: u64, kind: u8) -> Option<()> {
    let position = u16::try_from(field.checked_sub(FIRST_FIELD)?).ok()?;
    let found = fields.iter().find(|field| field.position == position && is_one(field))?;
    (found.shape == kind).then_some(())
}

/// Goes behind a value that reads; says whether it is a text without a character.
fn prove_value(bytes: &mut &[u8], kind: u8) -> Option<bool> {
    match kind {
        TEXT => std::str::from_utf8(take_bytes(bytes)?).ok().map(str::is_empty),
        DATE => take_day(bytes).map(|_| false),
        _ => pass_value(bytes, kind).map(|()| false),
    }
}

fn prove_tagged(bytes: &mut &[u8]) -> Option<()> {
    let kind = take_byte(bytes)?;
    prove_value(bytes, kind).map(|_| ())
}
