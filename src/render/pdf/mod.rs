//! PDF, by two writers behind one seam.
//!
//! A document of up to [`TAGGED_PAGES`] pages is tagged: PDF/A-2a and PDF/UA-1 ([`mod@tagged`]). A longer one, and bulk
//! output of many documents, is streamed in constant memory: PDF/A-2b ([`bulk`]). Both place glyphs with [`place`]
//! and say the same of the document ([`meta`]). Only this folder knows PDF.

pub mod bulk;
mod file;
mod meta;
mod picture;
pub(super) mod place;
mod repack;
mod tagged;

use std::io::Write;

use super::{DocumentInfo, Pages, RenderError, RenderOptions, Rendered, Renderer};
use crate::index::definition::Paper;
use crate::page::{Lu, Page};
use crate::render::path::underline_rule;
pub use picture::Frame;

/// The longest document that is written tagged; the tagged writer keeps the whole document in memory.
pub const TAGGED_PAGES: u32 = 300;

/// The PDF rendition.
#[derive(Debug)]
pub struct Pdf;

impl Renderer for Pdf {
    fn name(&self) -> &'static str {
        "pdf"
    }

    fn media_type(&self) -> &'static str {
        "application/pdf"
    }

    fn extension(&self) -> &'static str {
        "pdf"
    }

    fn shows_forms(&self) -> bool {
        true
    }

    fn render(
        &self,
        info: &DocumentInfo,
        pages: &mut dyn Pages,
        how: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<Rendered, RenderError> {
        let range = how.range(pages.count())?;
        let mut writer = if range.len() <= TAGGED_PAGES as usize { tagged(out, info)? } else { streamed(out, info)? };
        for number in range {
            writer.page(&pages.get(number)?)?;
        }
        writer.finish()
    }
}

/// Writes the pages of one PDF file.
trait PdfWriter {
    /// Adds a page.
    fn page(&mut self, page: &Page) -> Result<(), RenderError>;
    /// Ends the file.
    fn finish(self: Box<Self>) -> Result<Rendered, RenderError>;
}

fn tagged<'o>(out: &'o mut dyn Write, info: &DocumentInfo) -> Result<Box<dyn PdfWriter + 'o>, RenderError> {
    Ok(Box::new(tagged::Tagged::start(out, info)?))
}

fn streamed<'o>(out: &'o mut dyn Write, info: &DocumentInfo) -> Result<Box<dyn PdfWriter + 'o>, RenderError> {
    let mut bulk = bulk::Bulk::start(out, info)?;
    bulk.bookmark_pages();
    bulk.begin_document(&meta::title(info), &info.paper)?;
    Ok(Box::new(bulk))
}

impl PdfWriter for bulk::Bulk<'_> {
    fn page(&mut self, page: &Page) -> Result<(), RenderError> {
        bulk::Bulk::page(self, page)
    }

    fn finish(self: Box<Self>) -> Result<Rendered, RenderError> {
        bulk::Bulk::finish(*self)
    }
}

/// Writes pages with the streaming writer whatever their number; untagged, for pictures of pages.
pub(super) fn untagged(info: &DocumentInfo, paper: &Paper, page: &Page) -> Result<(Vec<u8>, Rendered), RenderError> {
    let mut bytes = Vec::new();
    let mut bulk = bulk::Bulk::start(&mut bytes, info)?;
    bulk.begin_document("", paper)?;
    bulk.page(page)?;
    let rendered = bulk.finish()?;
    Ok((bytes, rendered))
}

/// The size of a page within what PDF/A-2 allows (3 to 14400 points), in 1/1000 point, and the turn from the page
/// model's coordinates (down from the top) to PDF's (up from the bottom).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PaperSize {
    width: i64,
    height: i64,
}

impl PaperSize {
    fn of(page: &Page) -> PaperSize {
        let within = |length: Lu| (i64::from(length.0) * 5).clamp(3_000, 14_400_000);
        PaperSize { width: within(page.width), height: within(page.height) }
    }

    fn x(self, x: Lu) -> i64 {
        i64::from(x.0) * 5
    }

    fn y(self, y: Lu) -> i64 {
        self.height - i64::from(y.0) * 5
    }

    fn width_points(self) -> f64 {
        self.width as f64 / 1000.0
    }

    fn height_points(self) -> f64 {
        self.height as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests;
