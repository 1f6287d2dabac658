//! A dry run: what a definition would make of a stream.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::definition::{Definition, FieldInfo};
use super::split::{Cut, Splitter};
use super::table::CellCheck;
use super::value::FieldValue;
use super::{Draft, SetAside};
use crate::decode::{DecodeError, Decoder, Unit, UnitKind};
use crate::note::{At, Note, Notes};

/// What `greenbar check` prints.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Name of the definition.
    pub definition: String,
    /// Pages read.
    pub pages: u64,
    /// Documents found.
    pub documents: u64,
    /// Pages in documents.
    pub document_pages: u64,
    /// Pages set aside.
    pub set_aside_pages: u64,
    /// The first documents, as many as were asked for.
    pub first_documents: Vec<CheckedDocument>,
    /// The first pieces that were set aside, as many as documents were asked for.
    pub set_aside: Vec<SetAside>,
    /// What was survived.
    pub warnings: Vec<Note>,
    /// How many documents have each field, in definition order.
    #[serde(default)]
    pub fields: Vec<FieldCount>,
}

/// In how many documents a field was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldCount {
    /// Its name.
    pub name: String,
    /// Documents that have it.
    pub found: u64,
}

/// One document of a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedDocument {
    /// Title.
    pub title: String,
    /// First page in the stream, from 1.
    pub first_page: u64,
    /// Pages.
    pub pages: u32,
    /// First byte in the stream and length.
    pub bytes: (u64, u64),
    /// Names of fields and their values as text, in definition order; a field without a value is left out.
    pub fields: Vec<(String, String)>,
}

/// Values of a transaction field that a report lists; more are counted.
const VALUES_SHOWN: usize = 5;

/// Pieces set aside that a report lists; more are counted. `limit` is for documents: whoever asks for one document wants to
/// see all the same what is in none.
const SET_ASIDE_SHOWN: usize = 1_000;

/// Reads all that `decoder` has left, keeps the first `limit` documents. Memory stays flat.
pub fn check(definition: &Definition, decoder: &mut dyn Decoder, limit: usize) -> Result<CheckReport, DecodeError> {
    let mut report = CheckReport { definition: definition.name.clone(), ..CheckReport::default() };
    check_brought(definition, decoder, ("", &BTreeMap::new()), limit, &mut report)?;
    Ok(report)
}

/// The same for a stream of which name and job are known, into a report that holds what came before an error.
pub fn check_brought(
    definition: &Definition,
    decoder: &mut dyn Decoder,
    (name, job): (&str, &BTreeMap<String, String>),
    limit: usize,
    report: &mut CheckReport,
) -> Result<(), DecodeError> {
    let count = |field: &FieldInfo| FieldCount { name: field.name.clone(), found: 0 };
    report.fields = definition.fields.iter().map(count).collect();
    decoder.want_text(definition.wants_text());
    let mut splitter = Splitter::new(definition, decoder.code_page()).named(name).brought_by(job);
    let mut cells = CellCheck::new(definition, decoder.code_page());
    let (mut unit, mut notes, mut cuts) = (Unit::default(), Notes::default(), Vec::new());
    let read = loop {
        match decoder.next(&mut unit, &mut notes) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
        report.pages += u64::from(unit.kind == UnitKind::Page);
        splitter.push(&unit, &mut notes, &mut cuts);
        cells.push(&unit, &mut notes);
        report.take(&mut cuts, definition, limit);
    };
    splitter.finish(&mut notes, &mut cuts);
    report.take(&mut cuts, definition, limit);
    if report.documents == 0 && report.pages > 0 {
        notes.add("no-documents", At::default(), format!("the definition found no document on {} pages", report.pages));
    }
    report.warnings = notes.into_list();
    read
}

impl CheckReport {
    pub(super) fn take(&mut self, cuts: &mut Vec<Cut>, definition: &Definition, limit: usize) {
        for cut in cuts.drain(..) {
            match cut {
                Cut::Document(draft) => {
                    self.documents += 1;
                    self.document_pages += u64::from(draft.pages);
                    for (at, _) in &draft.fields {
                        if let Some(field) = self.fields.get_mut(usize::from(*at)) {
                            field.found += 1;
                        }
                    }
                    if self.first_documents.len() < limit {
                        self.first_documents.push(shown(&draft, definition));
                    }
                }
                Cut::SetAside(piece) => {
                    self.set_aside_pages += piece.pages;
                    if self.set_aside.len() < SET_ASIDE_SHOWN {
                        self.set_aside.push(piece);
                    }
                }
            }
        }
    }
}

fn shown(draft: &Draft, definition: &Definition) -> CheckedDocument {
    let fields = draft.fields.iter().map(|(number, value)| {
        let text = match value {
            FieldValue::One(value) => value.to_string(),
            FieldValue::Span(first, last) => format!("{first} .. {last}"),
            FieldValue::Many(values) => {
                let first: Vec<String> = values.iter().take(VALUES_SHOWN).map(ToString::to_string).collect();
                let more = values.len().saturating_sub(VALUES_SHOWN);
                if more > 0 { format!("{} and {more} more", first.join(", ")) } else { first.join(", ") }
            }
        };
        (definition.field_name(usize::from(*number)).to_owned(), text)
    });
    CheckedDocument {
        title: draft.title.clone(),
        first_page: draft.first_page,
        pages: draft.pages,
        bytes: (draft.span.start, draft.span.end - draft.span.start),
        fields: fields.collect(),
    }
}
