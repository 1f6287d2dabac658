//! A catalogue in memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use super::super::catalogue::{Catalogue, CatalogueError, Indexing};
use crate::archive::{Change, DocId, Document, LoadId, LoadRow, Seq};
use crate::index::definition::{FullText, MaskedField};
use crate::index::value::{Day, Decimal, FieldType, FieldValue, Value};

/// One load's documents and the text of their pages.
type Load = (LoadRow, Vec<(Document, Vec<String>)>);

/// A catalogue in memory, changed through `&self` so that tests can load while they search.
#[derive(Default)]
pub(super) struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    loads: BTreeMap<LoadId, Load>,
    changes: Vec<Change>,
    next: u32,
    /// Documents read before the catalogue fails, for crash tests.
    fuse: Option<u64>,
    fields: BTreeMap<(String, String), FieldType>,
    full_text: FullText,
    masks: Vec<MaskedField>,
}

/// A document to load.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    pub(super) account: Option<String>,
    pub(super) date: Option<i32>,
    pub(super) fields: Vec<(&'static str, FieldValue)>,
    pub(super) pages: Vec<String>,
}

impl Sample {
    pub(super) fn new(account: &str, date: &str) -> Sample {
        Sample { account: Some(account.into()), date: Some(day(date).0), ..Sample::default() }
    }

    pub(super) fn with(mut self, name: &'static str, value: Value) -> Sample {
        self.fields.push((name, FieldValue::One(value)));
        self
    }

    pub(super) fn many(mut self, name: &'static str, values: Vec<Value>) -> Sample {
        self.fields.push((name, FieldValue::Many(values)));
        self
    }

    pub(super) fn span(mut self, name: &'static str, first: Value, last: Value) -> Sample {
        self.fields.push((name, FieldValue::Span(first, last)));
        self
    }

    pub(super) fn page(mut self, text: &str) -> Sample {
        self.pages.push(text.into());
        self
    }
}

pub(super) fn day(text: &str) -> Day {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i16>().expect("digits");
    Day::from_ymd(number(0..4), number(5..7) as i8, number(8..10) as i8).expect("a date")
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub(super) fn decimal(units: i64, scale: u8) -> Value {
    Value::Decimal(Decimal { units, scale })
}

fn type_of(value: &Value) -> FieldType {
    match value {
        Value::Text(_) => FieldType::Text,
        Value::Date(_) => FieldType::Date,
        Value::Decimal(_) => FieldType::Decimal,
        Value::Integer(_) => FieldType::Integer,
    }
}

impl Memory {
    /// Phrases, words or nothing of all text from now on.
    pub(super) fn full_text(self, how: FullText) -> Memory {
        self.inner.lock().unwrap().full_text = how;
        self
    }

    /// Masks a field for all but these roles.
    pub(super) fn mask(&self, definition: &str, field: &str, clear: &[&str]) {
        let clear = clear.iter().map(ToString::to_string).collect();
        let mask = MaskedField { definition: definition.into(), field: field.into(), clear, sensitive: false };
        self.inner.lock().unwrap().masks.push(mask);
    }

    pub(super) fn load(&self, definition: &str, samples: Vec<Sample>) -> LoadId {
        let mut inner = self.inner.lock().unwrap();
        inner.next += 1;
        let id = LoadId(inner.next);
        inner.put(id, definition, samples);
        id
    }

    /// Cuts a load anew.
    pub(super) fn replace(&self, id: LoadId, definition: &str, samples: Vec<Sample>) {
        self.inner.lock().unwrap().put(id, definition, samples);
    }

    pub(super) fn unload(&self, id: LoadId) {
        let mut inner = self.inner.lock().unwrap();
        inner.loads.remove(&id);
        inner.changes.push(Change::Unloaded(id));
    }

    /// Removes a load without saying so: only the check of hits can notice.
    pub(super) fn lose(&self, id: LoadId) {
        self.inner.lock().unwrap().loads.remove(&id);
    }

    /// Goes back to an earlier state, as a restored backup does.
    pub(super) fn forget_changes_after(&self, seq: usize) {
        self.inner.lock().unwrap().changes.truncate(seq);
    }

    pub(super) fn fail_after(&self, documents: Option<u64>) {
        self.inner.lock().unwrap().fuse = documents;
    }
}

impl Inner {
    fn put(&mut self, id: LoadId, definition: &str, samples: Vec<Sample>) {
        let mut names: Vec<String> = Vec::new();
        let mut documents = Vec::new();
        for (i, sample) in samples.into_iter().enumerate() {
            let mut fields = Vec::new();
            for (name, value) in sample.fields {
                let position = names.iter().position(|known| known == name).unwrap_or_else(|| {
                    names.push(name.to_owned());
                    names.len() - 1
                });
                let first = match &value {
                    FieldValue::One(value) | FieldValue::Span(value, _) => Some(value),
                    FieldValue::Many(values) => values.first(),
                };
                if let Some(first) = first {
                    self.fields.insert((definition.to_owned(), name.to_owned()), type_of(first));
                }
                fields.push((u16::try_from(position).unwrap(), value));
            }
            let document = Document {
                id: DocId { load: id, ordinal: u32::try_from(i).unwrap() + 1 },
                definition: Arc::from(definition),
                span: 0..1,
                resume: 0,
                first_page: 1,
                records_before: 0,
                pages: u32::try_from(sample.pages.len()).unwrap(),
                marks: Vec::new(),
                around: Vec::new(),
                title: String::new(),
                date: sample.date,
                account: sample.account,
                fields,
            };
            documents.push((document, sample.pages));
        }
        let row = row(id, definition, names, u32::try_from(documents.len()).unwrap());
        self.loads.insert(id, (row, documents));
        self.changes.push(Change::Loaded(id));
    }
}

/// A load's row with little in it.
pub(super) fn row(id: LoadId, definition: &str, field_names: Vec<String>, documents: u32) -> LoadRow {
    LoadRow {
        id,
        file: "test".into(),
        definition: definition.into(),
        definition_version: 1,
        field_names,
        read: crate::decode::ReadSpec::default(),
        sha256: String::new(),
        bytes: 0,
        pages: 0,
        documents,
        set_aside_pages: 0,
        set_aside: Vec::new(),
        stored_bytes: 0,
        warnings: Vec::new(),
        loaded_at: 0,
        seconds: 0.0,
    }
}

impl Catalogue for Memory {
    fn last_seq(&self) -> Result<Seq, CatalogueError> {
        Ok(Seq(self.inner.lock().unwrap().changes.len() as u64))
    }

    fn changes_after(&self, after: Seq, most: usize) -> Result<Vec<(Seq, Change)>, CatalogueError> {
        let inner = self.inner.lock().unwrap();
        let numbered = (1..).map(Seq).zip(inner.changes.iter().cloned());
        Ok(numbered.filter(|(seq, _)| *seq > after).take(most).collect())
    }

    fn load_row(&self, load: LoadId) -> Result<Option<LoadRow>, CatalogueError> {
        Ok(self.inner.lock().unwrap().loads.get(&load).map(|(row, _)| row.clone()))
    }

    fn has_load(&self, load: LoadId) -> Result<bool, CatalogueError> {
        Ok(self.inner.lock().unwrap().loads.contains_key(&load))
    }

    fn documents(
        &self,
        load: LoadId,
        from: u32,
        each: &mut dyn FnMut(Document) -> ControlFlow<()>,
    ) -> Result<(), CatalogueError> {
        let count = self.inner.lock().unwrap().loads.get(&load).map_or(0, |(_, documents)| documents.len());
        for at in from as usize - 1..count {
            let document = {
                let mut inner = self.inner.lock().unwrap();
                if let Some(fuse) = &mut inner.fuse {
                    *fuse = fuse.checked_sub(1).ok_or("the fuse blew")?;
                }
                inner.loads[&load].1[at].0.clone()
            };
            if each(document).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn indexing(&self, definition: &str, _: u32) -> Result<Indexing, CatalogueError> {
        let kind = definition.rsplit('-').next().unwrap_or_default().to_owned();
        Ok(Indexing { kind, full_text: self.inner.lock().unwrap().full_text })
    }

    fn fields(&self) -> Result<Vec<(String, String, FieldType)>, CatalogueError> {
        let fields = self.inner.lock().unwrap().fields.clone();
        Ok(fields.into_iter().map(|((definition, name), kind)| (definition, name, kind)).collect())
    }

    fn masks(&self) -> Result<Vec<MaskedField>, CatalogueError> {
        Ok(self.inner.lock().unwrap().masks.clone())
    }

    fn page_texts(
        &self,
        document: &Document,
        each: &mut dyn FnMut(u32, &str) -> ControlFlow<()>,
    ) -> Result<(), CatalogueError> {
        let pages = self.inner.lock().unwrap().loads[&document.id.load].1[document.id.ordinal as usize - 1].1.clone();
        for (number, page) in (1..).zip(&pages) {
            if each(number, page).is_break() {
                break;
            }
        }
        Ok(())
    }
}
