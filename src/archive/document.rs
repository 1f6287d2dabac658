//! A document's bytes and pages, for a permit from the gate. Only the blocks that hold it are unpacked, and a page
//! is decoded from the nearest place the catalogue marks.
//!
//! Pages and texts leave here as the permit's reader may see them: masked values are taken out at this one place. The
//! bytes cannot be masked and are refused where a mask applies.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use regex::Regex;

use super::catalogue::LoadInfo;
use super::error::ArchiveError;
use super::stream::Stream;
use super::{Archive, Document, LoadRow};
use crate::auth::gate::{Permit, Sight};
use crate::decode::rows::Rows;
use crate::decode::{Decoder, Format, Start, Unit, UnitKind};
use crate::index::definition::{Definition, Mask, Masked};
use crate::note::{Note, Notes};
use crate::page::Page;
use crate::render::mask::Masker;
use crate::render::{Pages, RenderError};

impl Archive {
    /// A document's bytes, cut from the captured stream.
    pub fn read(&self, permit: &Permit) -> Result<DocumentBytes<'_>, ArchiveError> {
        let (document, info) = self.permitted(permit)?;
        if self.masker(permit, &document)?.is_some() {
            return Err(ArchiveError::Masked(document.id));
        }
        let stream = self.stream(info, document.span.clone());
        Ok(DocumentBytes { document, stream })
    }

    /// The masks that apply to a document for the reader that the permit is for; `None`: everything may be seen.
    pub fn masker(&self, permit: &Permit, document: &Document) -> Result<Option<Masker>, ArchiveError> {
        if document.id != permit.document() {
            return Err(ArchiveError::NoDocument(document.id));
        }
        let safeguards = self.safeguards()?;
        let Some(definition) = safeguards.masking.iter().find(|definition| *definition.name == *document.definition)
        else {
            return Ok(None);
        };
        let info = self.info(document.id.load)?;
        let names = &info.stored.row.field_names;
        let fields =
            document.fields.iter().filter_map(|(at, value)| Some((names.get(usize::from(*at))?.as_str(), value)));
        Ok(Masker::new(definition, |mask| !permit.sight().sees(&mask.clear), fields))
    }

    /// Definitions that mask something for these eyes; with a value only those that may mask it where it stands alone.
    pub fn masking(&self, sight: &Sight, value: Option<&str>) -> Result<Vec<String>, ArchiveError> {
        let may = |mask: &Mask| match (&mask.what, value) {
            (Masked::Field(_), _) | (_, None) => true,
            (Masked::Pattern(pattern), Some(value)) => Regex::new(pattern).is_ok_and(|regex| regex.is_match(value)),
        };
        let masks =
            |definition: &&Arc<Definition>| definition.masks.iter().any(|mask| !sight.sees(&mask.clear) && may(mask));
        let safeguards = self.safeguards()?;
        Ok(safeguards.masking.iter().filter(masks).map(|definition| definition.name.clone()).collect())
    }

    /// A document's pages, made on demand.
    pub fn pages(&self, permit: &Permit) -> Result<DocumentPages<'_>, ArchiveError> {
        let (document, info) = self.permitted(permit)?;
        let masker = self.masker(permit, &document)?;
        self.pages_in(document, info, masker)
    }

    fn pages_in(
        &self,
        document: Document,
        info: Arc<LoadInfo>,
        masker: Option<Masker>,
    ) -> Result<DocumentPages<'_>, ArchiveError> {
        let format = self.format_of(&info.stored.row.read)?;
        Ok(DocumentPages {
            archive: self,
            document,
            info,
            format,
            open: None,
            text: false,
            unit: Unit::default(),
            notes: Notes::default(),
            masker,
        })
    }

    /// A decoder at the start of a document that ends with it. What it decodes is whole: whoever shows it masks it with
    /// [`Archive::masker`].
    pub fn decoder(&self, permit: &Permit) -> Result<Box<dyn Decoder + '_>, ArchiveError> {
        let (document, info) = self.permitted(permit)?;
        let Document { span, resume, first_page, records_before, .. } = document;
        let start = Start { byte: span.start, resume, pages: first_page.saturating_sub(1), records: records_before };
        let format = self.format_of(&info.stored.row.read)?;
        let context = self.context(&info, format)?;
        let read = info.stored.row.read.clone();
        Ok(format.open(Box::new(self.stream(info, span)), start, &read, &context)?)
    }

    /// Visits the printed text of each page (rows joined by line ends, blank rows left out), pages from 0.
    pub fn texts(
        &self,
        permit: &Permit,
        each: &mut dyn FnMut(u32, &str) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError> {
        let document = self.document(permit.document())?;
        self.texts_of(permit, &document, each)
    }

    /// The same for a permitted document whose row is at hand: what reads a whole load looks up no row twice.
    pub fn texts_of(
        &self,
        permit: &Permit,
        document: &Document,
        each: &mut dyn FnMut(u32, &str) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError> {
        if document.id != permit.document() {
            return Err(ArchiveError::NoDocument(document.id));
        }
        let info = self.info(document.id.load)?;
        let masker = self.masker(permit, document)?;
        let mut pages = self.pages_in(document.clone(), info, None)?;
        pages.text = true;
        let (mut rows, mut text) = (Rows::default(), String::new());
        for number in 0..pages.document.pages {
            let code_page = pages.seek(number)?;
            rows.fill(&pages.unit, code_page);
            text.clear();
            for (_, row) in rows.iter() {
                text.push_str(row);
                text.push('\n');
            }
            let shown = match &masker {
                Some(masker) => each(number, &masker.text(&text)),
                None => each(number, &text),
            };
            if shown.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn permitted(&self, permit: &Permit) -> Result<(Document, Arc<LoadInfo>), ArchiveError> {
        let document = self.document(permit.document())?;
        let info = self.info(permit.document().load)?;
        Ok((document, info))
    }
}

/// The bytes of one document; a reader that unpacks block by block.
pub struct DocumentBytes<'a> {
    document: Document,
    stream: Stream<'a>,
}

impl DocumentBytes<'_> {
    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Bytes not read yet.
    pub fn left(&self) -> u64 {
        self.stream.left()
    }

    /// All bytes not read yet.
    pub fn into_vec(mut self) -> Result<Vec<u8>, ArchiveError> {
        let mut out = Vec::new();
        loop {
            let chunk = self.stream.chunk()?;
            if chunk.is_empty() {
                return Ok(out);
            }
            out.extend_from_slice(chunk);
            let taken = chunk.len();
            self.stream.consume(taken);
        }
    }
}

impl Read for DocumentBytes<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.stream.read(out)
    }
}

/// The pages of one document.
pub struct DocumentPages<'a> {
    archive: &'a Archive,
    document: Document,
    info: Arc<LoadInfo>,
    format: &'static dyn Format,
    open: Option<Open<'a>>,
    /// Whether the text is looked at; drawing does not need it.
    text: bool,
    unit: Unit,
    notes: Notes,
    masker: Option<Masker>,
}

/// A decoder inside the document.
struct Open<'a> {
    decoder: Box<dyn Decoder + 'a>,
    /// Page, from 0, that the next page unit is.
    next: u32,
}

impl<'a> DocumentPages<'a> {
    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The load it is in.
    pub fn load(&self) -> &LoadRow {
        &self.info.stored.row
    }

    /// The masks that apply.
    pub fn masker(&self) -> Option<&Masker> {
        self.masker.as_ref()
    }

    /// What was survived so far.
    pub fn notes(&self) -> Vec<Note> {
        self.notes.clone().into_list()
    }

    /// Decodes page `number`, from 0, into `unit` and returns its code page.
    fn seek(&mut self, number: u32) -> Result<&'static crate::frame::codepage::CodePage, ArchiveError> {
        let at = self.start_for(number);
        let reopen = self.open.as_ref().is_none_or(|open| open.next > number || open.next < at.0);
        if reopen {
            let context = self.archive.context(&self.info, self.format)?;
            let stream = self.archive.stream(self.info.clone(), at.1.byte..self.document.span.end);
            let mut decoder = self.format.open(Box::new(stream), at.1, &self.info.stored.row.read, &context)?;
            decoder.want_text(self.text);
            self.open = Some(Open { decoder, next: at.0 });
        }
        let lost = |detail: String| ArchiveError::damaged(format!("document {}", self.document.id), detail);
        let Some(open) = &mut self.open else { return Err(lost("it was not opened".into())) };
        loop {
            if !open.decoder.next(&mut self.unit, &mut self.notes)? {
                return Err(lost(format!("it ends before page {}", number + 1)));
            }
            if self.unit.kind == UnitKind::Page {
                open.next += 1;
                if open.next > number {
                    return Ok(open.decoder.code_page());
                }
            }
        }
    }

    /// The nearest place at or before a page where decoding can start.
    fn start_for(&self, number: u32) -> (u32, Start) {
        let Document { span, resume, first_page, records_before, marks, .. } = &self.document;
        let pages = first_page.saturating_sub(1);
        let inside = marks.iter().rev().find(|mark| mark.page <= number && span.contains(&mark.byte));
        match inside {
            // How many records stand before a mark is not kept; it only names places in notes.
            Some(mark) => {
                let pages = pages + u64::from(mark.page);
                (mark.page, Start { byte: mark.byte, resume: mark.resume, pages, records: *records_before })
            }
            None => (0, Start { byte: span.start, resume: *resume, pages, records: *records_before }),
        }
    }
}

#[cfg(test)]
impl DocumentPages<'_> {
    /// Page and byte from which page `number` is decoded.
    pub(super) fn start_of(&self, number: u32) -> (u32, u64) {
        let (page, start) = self.start_for(number);
        (page, start.byte)
    }
}

impl Pages for DocumentPages<'_> {
    fn count(&self) -> u32 {
        self.document.pages
    }

    fn get(&mut self, number: u32) -> Result<Page, RenderError> {
        if number >= self.document.pages {
            return Err(RenderError::NoPage { page: number.saturating_add(1), pages: self.document.pages });
        }
        let failed = |error: ArchiveError| RenderError::Source(error.to_string());
        self.seek(number).map_err(failed)?;
        match &self.open {
            Some(open) => {
                let page = open.decoder.page(&self.unit, &mut self.notes);
                Ok(match &self.masker {
                    Some(masker) => masker.page(page),
                    None => page,
                })
            }
            None => Err(RenderError::Source("the document was not opened".into())),
        }
    }
}
