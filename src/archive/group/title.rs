//! Titles without what the fields of the document say already.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use crate::index::Draft;
use crate::index::value::{FieldValue, Value};

/// In a packed title, stands before a character that numbers the field whose text belongs here.
pub const FIELD_SIGN: char = '\u{1}';
/// Field numbers in packed titles start at this character.
pub const FIELD_BASE: u32 = 0x20;

/// Texts of the fields with one value, as they would appear in a title.
#[derive(Default)]
pub struct FieldTexts {
    text: String,
    places: Vec<(u16, Range<usize>)>,
}

impl FieldTexts {
    pub fn take(&mut self, draft: &Draft) {
        self.text.clear();
        self.places.clear();
        for (position, value) in &draft.fields {
            let FieldValue::One(value) = value else { continue };
            let start = self.text.len();
            match value {
                Value::Text(text) => self.text.push_str(text),
                // A string takes everything.
                value => drop(write!(self.text, "{value}")),
            }
            if self.text.len() > start {
                self.places.push((*position, start..self.text.len()));
            }
        }
    }

    fn each(&self) -> impl Iterator<Item = (u16, &str)> {
        self.places.iter().map(|(position, place)| (*position, self.text.get(place.clone()).unwrap_or_default()))
    }

    fn of(&self, wanted: u16) -> Option<&str> {
        self.each().find_map(|(position, text)| (position == wanted).then_some(text))
    }
}

/// The text of one field.
pub fn field_text(draft: &Draft, position: u16) -> Option<Cow<'_, str>> {
    let (_, value) = draft.fields.iter().find(|(at, _)| *at == position)?;
    let text = match value {
        FieldValue::One(Value::Text(text)) => Cow::Borrowed(text.as_str()),
        FieldValue::One(value) => Cow::Owned(value.to_string()),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

fn sign(position: u16) -> Option<char> {
    char::from_u32(FIELD_BASE + u32::from(position))
}

/// The title with the texts of fields replaced by their numbers, where that reads back as the same title.
pub fn pack_title(title: &str, texts: &FieldTexts) -> String {
    let mut packed = title.to_string();
    if title.contains(FIELD_SIGN) {
        return format!("{FIELD_SIGN}{FIELD_SIGN}{title}");
    }
    for (position, text) in texts.each() {
        let Some(sign) = sign(position) else { continue };
        // Digits of a short field could stand in a number that was put in before.
        if let Some(at) = memchr::memmem::find(packed.as_bytes(), text.as_bytes()) {
            let mut signs = [0; 5];
            signs[0] = FIELD_SIGN as u8;
            let behind = sign.encode_utf8(&mut signs[1..]).len();
            packed.replace_range(at..at + text.len(), std::str::from_utf8(&signs[..=behind]).unwrap_or_default());
        }
    }
    match unpack_title(&packed, |position| texts.of(position).map(Cow::Borrowed)) {
        Some(same) if same == title => packed,
        _ => format!("{FIELD_SIGN}{FIELD_SIGN}{title}"),
    }
}

/// The title again; `text_of` gives the text of a field, which is made only where the title has it.
pub fn unpack_title<'t>(packed: &str, text_of: impl Fn(u16) -> Option<Cow<'t, str>>) -> Option<String> {
    if !packed.contains(FIELD_SIGN) {
        return Some(packed.to_string());
    }
    let mut title = String::with_capacity(packed.len());
    let mut chars = packed.chars();
    while let Some(ch) = chars.next() {
        if ch != FIELD_SIGN {
            title.push(ch);
            continue;
        }
        match chars.next()? {
            FIELD_SIGN => {
                title.push_str(chars.as_str());
                break;
            }
            number => {
                let position = u16::try_from(u32::from(number).checked_sub(FIELD_BASE)?).ok()?;
                title.push_str(&text_of(position)?);
            }
        }
    }
    Some(title)
}
