//! What a reader gets: a document's particulars and its renditions, for a permit.
//!
//! The command line and the server show documents through this one place, so that everybody sees the same bytes.

pub mod json;

use std::io::{self, Write};
use std::sync::Arc;

use crate::archive::{Archive, ArchiveError, Document, LoadRow};
use crate::auth::gate::Permit;
use crate::decode::DecodeError;
use crate::index::definition::Definition;
use crate::index::stretch::{Stretch, stretches};
use crate::index::table::transactions;
use crate::index::value::FieldValue;
use crate::index::written;
use crate::note::Notes;
use crate::render::mask::Masker;
use crate::render::{
    DocumentInfo, Extract, FieldText, RENDERERS, RenderError, RenderOptions, Rendered, Table, is_chinese, render,
    renderer,
};

/// The rendition that is no rendition: the bytes as captured, with what they need of their stream before them.
pub const ORIGINAL: &str = "original";

/// A rendition there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatInfo {
    /// `pdf`, `html` ... or [`ORIGINAL`].
    pub name: &'static str,
    /// Media type with its charset.
    pub media_type: &'static str,
    /// File name extension without the dot.
    pub extension: &'static str,
    /// It is the picture of a single page.
    pub one_page: bool,
    /// It marks words that are searched for.
    pub marks_words: bool,
}

/// What showing a document can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// There is no rendition of that name.
    #[error("there is no rendition {name:?}; there are {known}")]
    Format {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The archive failed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The transaction lines could not be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The renderer failed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The output could not be written.
    #[error("the output could not be written")]
    Output(#[from] io::Error),
}

/// Shows documents of an archive.
#[derive(Debug, Clone)]
pub struct View {
    archive: Arc<Archive>,
}

impl View {
    /// On this archive.
    pub fn new(archive: Arc<Archive>) -> View {
        View { archive }
    }

    /// All renditions, the original last.
    pub fn formats() -> impl Iterator<Item = FormatInfo> {
        let made = RENDERERS.iter().map(|renderer| FormatInfo {
            name: renderer.name(),
            media_type: renderer.media_type(),
            extension: renderer.extension(),
            one_page: renderer.shows_one_page(),
            marks_words: renderer.marks_words(),
        });
        let (media_type, extension) = ("application/octet-stream", "bin");
        made.chain([FormatInfo { name: ORIGINAL, media_type, extension, one_page: false, marks_words: false }])
    }

    /// The definition that cut a load; the built-in one for unidentified streams.
    pub fn definition(&self, load: &LoadRow) -> Result<Arc<Definition>, ArchiveError> {
        let stored = self.archive.definition(&load.definition, Some(load.definition_version))?;
        Ok(stored.unwrap_or_else(|| Arc::new(Definition::whole())))
    }

    /// Writes one rendition of the permitted document.
    pub fn render(
        &self,
        permit: &Permit,
        format: &str,
        how: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<Rendered, ViewError> {
        if format == ORIGINAL && !how.only.is_empty() {
            return Err(ViewError::Render(RenderError::Source("some of its pages have no original".into())));
        }
        if format == ORIGINAL {
            // A document that cannot stand alone is given what it needs from its stream; all others are as captured.
            if let Some(whole) = self.archive.standalone(permit)? {
                out.write_all(&whole)?;
                return Ok(Rendered::default());
            }
            io::copy(&mut self.archive.read(permit)?, out)?;
            return Ok(Rendered::default());
        }
        let Some(renderer) = renderer(format) else {
            let known: Vec<&str> = View::formats().map(|format| format.name).collect();
            return Err(ViewError::Format { name: format.into(), known: known.join(", ") });
        };
        let mut pages = self.archive.pages(permit)?;
        let definition = self.definition(pages.load())?;
        let mut info = info(pages.document(), &definition, pages.masker());
        if renderer.is_for_programs() && !permit.sight().sees_sensitive() {
            let sensitive = |name: &str| definition.sensitive_fields().any(|field| field.name == name);
            info.fields.retain(|field| !sensitive(&field.name));
        }
        if !how.only.is_empty() {
            // Fields, lines and what the title is made of are those of all pages.
            info.fields.clear();
            info.title.clone_from(&definition.title);
            let mut some = Extract { pages: &mut pages, only: &how.only };
            return Ok(render(renderer, &info, &mut some, how, out)?);
        }
        if renderer.wants_table() {
            info.table = self.table(permit, &definition, pages.masker())?;
        }
        Ok(render(renderer, &info, &mut pages, how, out)?)
    }

    /// Which pages of the permitted document have which value of a field; one stretch without a value when its definition has no
    /// such field.
    pub fn stretches(&self, permit: &Permit, field: &str) -> Result<Vec<Stretch>, ViewError> {
        let load = permit.document().load;
        let definition = self.definition(&self.archive.load_row(load)?)?;
        let at = definition.fields.iter().position(|known| known.name == field).unwrap_or(usize::MAX);
        let job = self.archive.job_of(load)?;
        let mut decoder = self.archive.decoder(permit)?;
        Ok(stretches(&definition, at, &job, decoder.as_mut(), &mut Notes::default())?)
    }

    /// The transaction lines of a document; `None` where its definition has none.
    fn table(
        &self,
        permit: &Permit,
        definition: &Definition,
        masker: Option<&Masker>,
    ) -> Result<Option<Table>, ViewError> {
        let mut decoder = self.archive.decoder(permit)?;
        let mut table = transactions(definition, decoder.as_mut(), &mut Notes::default())?;
        if let Some(masker) = masker {
            table.rows.iter_mut().flatten().for_each(|cell| *cell = masker.text(cell).into_owned());
        }
        Ok((!table.columns.is_empty()).then_some(table))
    }
}

/// What renditions say of a document besides its pages.
fn info(document: &Document, definition: &Definition, masker: Option<&Masker>) -> DocumentInfo {
    let chinese = is_chinese(&definition.language);
    let said = |english: &String, zh: &Option<String>| zh.as_ref().filter(|_| chinese).unwrap_or(english).clone();
    let fields = document.fields.iter().filter_map(|(at, value)| {
        let field = definition.fields.get(usize::from(*at))?;
        let value = masker.map_or_else(|| value.clone(), |masker| masker.value(&field.name, value));
        let (name, label) = (field.name.clone(), said(&field.label, &field.label_zh));
        let written = written::field(&value, chinese);
        Some(FieldText { name, label, value: field_text(&value), written, data: json::value(&value) })
    });
    DocumentInfo {
        id: document.id.to_string(),
        title: masker.map_or_else(|| document.title.clone(), |masker| masker.text(&document.title).into_owned()),
        author: said(&definition.title, &definition.title_zh),
        kind: definition.kind.clone(),
        date: masker.map_or(document.date, |masker| masker.date(definition, document.date)),
        language: definition.language.clone(),
        fields: fields.collect(),
        field_names: definition.fields.iter().map(|field| field.name.clone()).collect(),
        table: None,
        paper: definition.paper.clone(),
    }
}

/// A field's value as one text.
fn field_text(value: &FieldValue) -> String {
    match value {
        FieldValue::One(value) => value.to_string(),
        FieldValue::Many(values) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        FieldValue::Span(first, last) => format!("{first} \u{2013} {last}"),
    }
}
