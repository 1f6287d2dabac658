//! The tagged PDF writer for single documents: PDF/A-2a and PDF/UA-1, by krilla.
//!
//! krilla panics when it is used wrongly, so nothing else calls it: every number that reaches it is finite and within
//! PDF's limits, and every tagged section is closed by the function that opened it.
//!
//! Structure: a Part for each page, in it a P for each printed line ([`structure`]), a Figure for each bar code and each
//! picture that says what it shows. Library forms, bars, rules, paths, underlines, other pictures and overprinted layers
//! are artifacts. The text of the stream's own forms (overlays) is content; the rest of them is drawn once and reused.

mod pen;
mod structure;

use std::io::Write;

use krilla::Document;
use krilla::SerializeSettings;
use krilla::configure::ConfigurationBuilder;
use krilla::configure::validate::{Accessibility, Archival};
use krilla::destination::XyzDestination;
use krilla::geom::{Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::tagging::TagTree;

use pen::{Pen, Shared};
use structure::Structure;

use super::meta;
use super::{PaperSize, PdfWriter, repack};
use crate::page::Page;
use crate::render::font::FontSet;
use crate::render::form;
use crate::render::{DocumentInfo, RenderError, Rendered};

/// A document being written.
pub struct Tagged<'o> {
    out: &'o mut dyn Write,
    document: Document,
    info: DocumentInfo,
    shared: Shared,
    parts: TagTree,
    bookmarks: Vec<OutlineNode>,
}

impl<'o> Tagged<'o> {
    /// Starts a document.
    pub fn start(out: &'o mut dyn Write, info: &DocumentInfo) -> Result<Tagged<'o>, RenderError> {
        let configuration = ConfigurationBuilder::new()
            .with_archival_validator(Archival::A2_A)
            .with_accessibility_validator(Accessibility::UA1)
            .finish()
            .map_err(|error| RenderError::Resource(format!("PDF/A-2a with PDF/UA-1 is not available: {error:?}")))?;
        let settings = SerializeSettings {
            compress_content_streams: true,
            enable_tagging: true,
            configuration,
            ..SerializeSettings::default()
        };
        Ok(Tagged {
            out,
            document: Document::new_with(settings),
            info: DocumentInfo { table: None, ..info.clone() },
            shared: Shared::new(FontSet::system()),
            parts: TagTree::new(),
            bookmarks: Vec::new(),
        })
    }
}

impl PdfWriter for Tagged<'_> {
    fn page(&mut self, page: &Page) -> Result<(), RenderError> {
        let size = PaperSize::of(page);
        let (width, height) = (size.width_points() as f32, size.height_points() as f32);
        let number = self.bookmarks.len();
        let settings =
            PageSettings::from_wh(width, height).ok_or_else(|| RenderError::Resource("the page has no area".into()))?;
        let mut sheet = self.document.start_page_with(settings);
        let mut surface = sheet.surface();
        let mut pen = Pen { surface: &mut surface, shared: &mut self.shared };
        let under = form::under(page, &self.info.paper);
        pen.under(&under, Rect::from_xywh(0.0, 0.0, width, height));
        let mut structure = Structure::default();
        pen.page(page, &mut structure);
        surface.finish();
        sheet.finish();
        self.parts.push(structure.part());
        let top = XyzDestination::new(number, Point::from_xy(0.0, 0.0));
        self.bookmarks.push(OutlineNode::new(format!("Page {}", number + 1), top));
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Rendered, RenderError> {
        let mut this = *self;
        let mut node = OutlineNode::new(meta::title(&this.info), XyzDestination::new(0, Point::from_xy(0.0, 0.0)));
        // One page needs no list of pages.
        if this.bookmarks.len() > 1 {
            this.bookmarks.into_iter().for_each(|bookmark| node.push_child(bookmark));
        }
        let mut outline = Outline::new();
        outline.push_child(node);
        this.document.set_outline(outline);
        this.document.set_metadata(metadata(&this.info));
        this.document.set_tag_tree(this.parts);
        let bytes = this.document.finish().map_err(|error| {
            RenderError::Resource(format!("the document cannot be written as PDF/A-2a with PDF/UA-1: {error}"))
        })?;
        repack::repack(&bytes, &this.shared.images, this.out)?;
        Ok(Rendered { missing_glyphs: this.shared.missing.into_list(), ..Rendered::default() })
    }
}

fn metadata(info: &DocumentInfo) -> Metadata {
    let (year, month, day) = meta::date(info);
    let part = |number: i8| u8::try_from(number).unwrap_or(1);
    let date = DateTime::new(u16::try_from(year).unwrap_or(0)).month(part(month)).day(part(day));
    let date = date.hour(0).minute(0).second(0).utc_offset_hour(0).utc_offset_minute(0);
    let author = meta::printable(&info.author, 500);
    Metadata::new()
        .title(meta::title(info))
        .authors(if author.is_empty() { Vec::new() } else { vec![author] })
        .language(meta::language(info))
        .creator("greenbar".into())
        .producer(meta::PRODUCER.into())
        .creation_date(date)
}
