//! The texts of many documents of a load, one document after the other: a decoder that stands where the next one begins
//! goes on, instead of being opened anew for each.

use std::ops::ControlFlow;

use super::error::ArchiveError;
use super::{Archive, Document, LoadId};
use crate::auth::gate::Permit;
use crate::decode::rows::Rows;
use crate::decode::{Decoder, Start, Unit, UnitKind};
use crate::note::Notes;

/// Bytes between two documents that are decoded rather than passed over.
const NEAR: u64 = 64 << 10;

/// Reads the texts of documents; in the order of the stream it costs least.
pub struct Texts<'a> {
    archive: &'a Archive,
    open: Option<Open<'a>>,
    unit: Unit,
    rows: Rows,
    text: String,
}

/// A decoder somewhere in a load.
struct Open<'a> {
    load: LoadId,
    decoder: Box<dyn Decoder + 'a>,
    /// Where its next unit begins.
    at: u64,
}

impl Archive {
    /// A reader of the texts of many documents.
    pub fn text_reader(&self) -> Texts<'_> {
        Texts { archive: self, open: None, unit: Unit::default(), rows: Rows::default(), text: String::new() }
    }
}

impl Texts<'_> {
    /// Visits the printed text of each page, as [`Archive::texts`] does.
    pub fn read(
        &mut self,
        permit: &Permit,
        document: &Document,
        each: &mut dyn FnMut(u32, &str) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError> {
        let masker = self.archive.masker(permit, document)?;
        for number in 0..document.pages {
            if !self.page(document).unwrap_or(false) {
                // The document's own decoder is opened for it: it sees nothing else, and says what is wrong.
                self.open = None;
                return self.archive.texts_from(permit, document, number, each);
            }
            let shown = match &masker {
                Some(masker) => each(number, &masker.text(&self.text)),
                None => each(number, &self.text),
            };
            if shown.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The text of the document's next page; false: it is not one that the decoder comes to.
    fn page(&mut self, document: &Document) -> Result<bool, ArchiveError> {
        let (load, span) = (document.id.load, &document.span);
        let follows =
            |open: &Open<'_>| open.load == load && open.at <= span.end && open.at.saturating_add(NEAR) >= span.start;
        if !self.open.as_ref().is_some_and(follows) {
            self.open = Some(Open { load, decoder: decoder_at(self.archive, document)?, at: span.start });
        }
        let Some(open) = &mut self.open else { return Ok(false) };
        let mut notes = Notes::default();
        while open.at < span.end {
            if !open.decoder.next(&mut self.unit, &mut notes)? {
                return Ok(false);
            }
            let (begins, ends) = (self.unit.span.start, self.unit.span.end);
            open.at = ends;
            if ends <= span.start {
                continue;
            }
            if begins < span.start || ends > span.end {
                return Ok(false);
            }
            if self.unit.kind == UnitKind::Page {
                self.text.clear();
                self.rows.append_text(&self.unit, open.decoder.code_page(), &mut self.text);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A decoder at the start of a document that goes on behind it.
fn decoder_at<'a>(archive: &'a Archive, document: &Document) -> Result<Box<dyn Decoder + 'a>, ArchiveError> {
    let info = archive.info(document.id.load)?;
    let Document { span, resume, first_page, records_before, .. } = document;
    let pages = first_page.saturating_sub(1);
    let start = Start { byte: span.start, resume: *resume, pages, records: *records_before };
    let format = archive.format_of(&info.stored.row.read)?;
    let context = archive.context(&info, format)?;
    let read = info.stored.row.read.clone();
    let end = info.stored.row.bytes;
    let mut decoder = format.open(Box::new(archive.stream(info, span.start..end)), start, &read, &context)?;
    decoder.want_text(true);
    Ok(decoder)
}
