//! Which pages of a document have which value of a field: a report of all branches, page by page.

use std::collections::BTreeMap;

use super::definition::Definition;
use super::field::Finder;
use super::sheet::Glass;
use super::trigger::Triggers;
use crate::decode::{DecodeError, Decoder, Unit, UnitKind};
use crate::note::Notes;

/// Neighbouring pages of a document with the same value of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The value as people write it; empty on pages before the first that has one.
    pub value: String,
    /// First page, from 1.
    pub first: u32,
    /// Last page.
    pub last: u32,
}

/// The stretches of everything that `decoder` has left: one document's pages, in order and without gaps.
///
/// A page takes the first text on it that is a value of the field; a page without one goes on with the page before it, as the
/// back of a sheet does. `field` counts from 0 as the definition's fields do; one that is not there has no value on any page.
pub fn stretches(
    definition: &Definition,
    field: usize,
    job: &BTreeMap<String, String>,
    decoder: &mut dyn Decoder,
    notes: &mut Notes,
) -> Result<Vec<Stretch>, DecodeError> {
    decoder.want_text(true);
    let mut glass = Glass::new(decoder.code_page());
    let mut triggers = Triggers::new(&definition.rules.triggers, &glass);
    let rule = definition.rules.fields.get(field);
    let mut finder = rule.map(|rule| Finder::new(rule, &glass));
    finder.iter_mut().for_each(|finder| finder.know(job));
    let (mut unit, mut out, mut page, mut buffer) = (Unit::default(), Vec::<Stretch>::new(), 0_u32, String::new());
    while decoder.next(&mut unit, notes)? {
        if unit.kind != UnitKind::Page {
            continue;
        }
        page = page.saturating_add(1);
        triggers.turn_page(&mut glass);
        let mut value = None;
        if let (Some(finder), Some(rule)) = (&finder, rule) {
            finder.take(&unit, &mut triggers, &mut glass, &mut buffer, &mut |text| {
                value = rule.typing.value(text).ok().map(|typed| typed.to_string());
                value.is_none()
            });
        }
        match out.last_mut() {
            Some(last) if value.as_ref().is_none_or(|value| *value == last.value) => last.last = page,
            _ => out.push(Stretch { value: value.unwrap_or_default(), first: page, last: page }),
        }
    }
    Ok(out)
}
