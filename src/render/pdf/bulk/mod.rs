//! The streaming PDF writer: any number of documents and pages in constant memory, PDF/A-2b.
//!
//! Pages go out as they come. Only what the end of the file needs is kept: which characters each font drew, one
//! number for each object, and the forms that were met. See `docs/decisions/0004-pdf-writers.md`.

mod codes;
mod content;
mod embed;
mod tree;

use std::io::Write;

use codes::Codes;
use content::{Content, TextStyle};
use tree::{Outline, PageTree};

use super::file::{Id, PdfFile};
use super::meta;
use super::place::{self, Missing, Piece};
use super::{PaperSize, underline_rule};
use crate::index::definition::Paper;
use crate::page::{Advances, Element, Family, Lu, Page, Rule, TextRun};
use crate::render::font::{FontId, FontSet};
use crate::render::form::{self, Drawing, Shape, Step, Under};
use crate::render::{DocumentInfo, RenderError, Rendered};

/// Different forms and bars in one file; further ones are an error for forms and left out for bars.
const UNDER_LIMIT: usize = 500;

/// Writes one PDF file of many documents.
pub struct Bulk<'o> {
    file: PdfFile<'o>,
    fonts: &'static FontSet,
    info: DocumentInfo,
    paper: Paper,
    page_bookmarks: bool,
    codes: Codes,
    content: Content,
    resources: Id,
    under: Vec<(Under, Id)>,
    pages: PageTree,
    outline: Outline,
    document: Option<String>,
    missing: Missing,
    encoded: Vec<u8>,
}

impl<'o> Bulk<'o> {
    /// Starts a file. `info` describes the whole file; its paper is that of the first document.
    pub fn start(out: &'o mut dyn Write, info: &DocumentInfo) -> Result<Bulk<'o>, RenderError> {
        let mut file = PdfFile::start(out)?;
        let resources = file.reserve();
        let pages = PageTree::start(&mut file);
        let outline = Outline::start(&mut file);
        Ok(Bulk {
            file,
            fonts: FontSet::system(),
            info: DocumentInfo { table: None, ..info.clone() },
            paper: info.paper.clone(),
            page_bookmarks: false,
            codes: Codes::default(),
            content: Content::default(),
            resources,
            under: Vec::new(),
            pages,
            outline,
            document: None,
            missing: Missing::default(),
            encoded: Vec::new(),
        })
    }

    /// Adds a bookmark for each page below its document's.
    pub fn bookmark_pages(&mut self) {
        self.page_bookmarks = true;
    }

    /// The next page starts a document: it gets a bookmark, and its paper from here on.
    pub fn begin_document(&mut self, title: &str, paper: &Paper) -> Result<(), RenderError> {
        self.outline.end_document(&mut self.file)?;
        self.document = Some(meta::printable(title, 500));
        self.paper = paper.clone();
        Ok(())
    }

    /// Writes the next page.
    pub fn page(&mut self, page: &Page) -> Result<(), RenderError> {
        let size = PaperSize::of(page);
        self.content.reset();
        for under in form::under(page, &self.paper) {
            if let Some(number) = self.under_number(under, size)? {
                self.content.form(number);
            }
        }
        let mut rules = Vec::new();
        for element in &page.elements {
            match element {
                Element::Text(run) => {
                    self.text(run, size);
                    rules.extend(underline_rule(run));
                }
                Element::Rule(rule) => self.rule(rule, size),
                Element::Overlay(_) | Element::Path(_) | Element::Image(_) | Element::Barcode(_) | Element::Form(_) => {
                }
            }
        }
        rules.iter().for_each(|rule| self.rule(rule, size));
        self.emit(size)
    }

    /// Writes fonts, bookmarks and the end of the file.
    pub fn finish(mut self) -> Result<Rendered, RenderError> {
        self.write_resources()?;
        let outline = self.outline.finish(&mut self.file)?;
        let tree = self.pages.finish(&mut self.file)?;
        let [metadata, profile, info, catalog] = std::array::from_fn(|_| self.file.reserve());
        // PDF/A wants the metadata stream readable without a filter.
        self.file.raw_stream(metadata, "/Type/Metadata/Subtype/XML", meta::xmp(&self.info).as_bytes())?;
        self.file.stream(profile, "/N 3", &meta::srgb_profile())?;
        self.file.small(info, meta::info_dictionary(&self.info).as_bytes())?;
        let outlines = outline.map(|id| format!("/Outlines {id}/PageMode/UseOutlines")).unwrap_or_default();
        let body = format!(
            "<</Type/Catalog/Pages {tree}/Metadata {metadata}/Lang({})/ViewerPreferences<</DisplayDocTitle true>>\
             /OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/DestOutputProfile {profile}>>]{outlines}>>",
            meta::language(&self.info),
        );
        self.file.small(catalog, body.as_bytes())?;
        self.file.finish(catalog, info)?;
        Ok(Rendered { missing_glyphs: self.missing.into_list() })
    }

    fn emit(&mut self, size: PaperSize) -> Result<(), RenderError> {
        let [page, content] = std::array::from_fn(|_| self.file.reserve());
        self.file.stream(content, "", self.content.finish())?;
        let parent = self.pages.parent();
        let body = format!(
            "<</Type/Page/Parent {parent}/MediaBox[0 0 {} {}]/Resources {}/Contents {content}>>",
            size.width_points(),
            size.height_points(),
            self.resources,
        );
        self.file.small(page, body.as_bytes())?;
        self.pages.add(page, &mut self.file)?;
        if let Some(title) = self.document.take() {
            self.outline.begin_document(title, page, &mut self.file)?;
        }
        if self.page_bookmarks {
            self.outline.page(page, &mut self.file)?;
        }
        Ok(())
    }

    fn text(&mut self, run: &TextRun, size: PaperSize) {
        if !self.ascii(run, size) {
            for piece in place::place(run, self.fonts, &mut self.missing) {
                self.piece(run, &piece, size);
            }
        }
    }

    /// The usual case without looking at single characters: ASCII on a uniform grid.
    fn ascii(&mut self, run: &TextRun, size: PaperSize) -> bool {
        let Advances::Uniform(cell) = run.advances else { return false };
        let printable = run.text.bytes().all(|byte| matches!(byte, 0x20..=0x7E));
        if run.turns != 0 || run.face.family != Family::Mono || !printable || cell.0 <= 0 {
            return false;
        }
        let font = FontId(u8::from(run.face.bold) + 2 * u8::from(run.face.italic));
        let fit = place::fit(place::run_size(run), MONO_WIDTH, cell.points(), false);
        let subset = self.codes.ascii(font);
        self.codes.used_ascii(subset, run.text.as_bytes());
        let style = TextStyle {
            subset,
            size: thousandths(fit.size),
            stretch: thousandths(fit.stretch),
            // Character spacing is stretched with the text.
            spacing: thousandths(2.0 * fit.pad / fit.stretch),
            color: run.color,
        };
        let at = (size.x(run.x) + thousandths(fit.pad), size.y(run.y));
        self.content.show(at, style, run.text.as_bytes());
        true
    }

    fn piece(&mut self, run: &TextRun, piece: &Piece, size: PaperSize) {
        let mut from = 0;
        while from < piece.glyphs.len() {
            from = self.same_subset(run, piece, from, size);
        }
    }

    /// Shows glyphs from `from` on as far as one subset and one spacing carry; returns where it stopped.
    fn same_subset(&mut self, run: &TextRun, piece: &Piece, from: usize, size: PaperSize) -> usize {
        let Some(first) = piece.glyphs.get(from).copied() else { return piece.glyphs.len() };
        let (subset, _) = self.codes.code(piece.font, first);
        let gap = |glyph: &place::PlacedGlyph| thousandths((glyph.advance - glyph.width) * piece.size);
        let before: f64 = piece.glyphs.iter().take(from).map(|glyph| glyph.advance).sum();
        let two_byte = self.codes.subsets().get(usize::from(subset)).is_some_and(|subset| subset.two_byte);
        self.encoded.clear();
        let mut next = from;
        while let Some(glyph) = piece.glyphs.get(next) {
            let (own, code) = self.codes.code(piece.font, *glyph);
            if own != subset || gap(glyph) != gap(&first) {
                break;
            }
            let bytes = code.to_be_bytes();
            self.encoded.extend_from_slice(if two_byte { &bytes } else { &bytes[1..] });
            next += 1;
        }
        let along = piece.offset + before * piece.size * piece.stretch;
        let style = TextStyle {
            subset,
            size: thousandths(piece.size),
            stretch: thousandths(piece.stretch),
            spacing: gap(&first),
            color: run.color,
        };
        let (x, y) = (size.x(run.x), size.y(run.y));
        let along = thousandths(along);
        match run.turns % 4 {
            0 => self.content.show((x + along, y), style, &self.encoded),
            1 => self.content.show_turned((x, y - along), 1, style, &self.encoded),
            2 => self.content.show_turned((x - along, y), 2, style, &self.encoded),
            _ => self.content.show_turned((x, y + along), 3, style, &self.encoded),
        }
        next
    }

    fn rule(&mut self, rule: &Rule, size: PaperSize) {
        let (width, height) = (i64::from(rule.width.0.max(0)) * 5, i64::from(rule.height.0.max(0)) * 5);
        self.content.rectangle([size.x(rule.x), size.y(rule.y) - height, width, height], rule.color);
    }

    /// The number of a form or of bars; writes it when it is new.
    fn under_number(&mut self, under: Under, size: PaperSize) -> Result<Option<usize>, RenderError> {
        if let Some(number) = self.under.iter().position(|(known, _)| *known == under) {
            return Ok(Some(number));
        }
        if self.under.len() >= UNDER_LIMIT {
            return match under {
                Under::Bars(_) => Ok(None),
                Under::Form(..) => Err(RenderError::Resource("too many different forms in one file".into())),
            };
        }
        let drawing = form::drawing(&under, self.fonts)?;
        let page = std::mem::take(&mut self.content);
        self.content.reset();
        self.draw(&drawing, size);
        let id = self.file.reserve();
        let dict = format!(
            "/Type/XObject/Subtype/Form/BBox[0 0 {} {}]/Resources {}",
            size.width_points(),
            size.height_points(),
            self.resources
        );
        self.file.stream(id, &dict, self.content.finish())?;
        self.content = page;
        self.under.push((under, id));
        Ok(Some(self.under.len() - 1))
    }

    fn draw(&mut self, drawing: &Drawing, size: PaperSize) {
        for shape in &drawing.shapes {
            match shape {
                Shape::Text(run) => self.text(run, size),
                Shape::Path { steps, fill, stroke } => {
                    let operator =
                        self.content.paint(*fill, stroke.map(|(color, width)| (color, i64::from(width.0) * 5)));
                    for step in steps {
                        self.step(*step, size);
                    }
                    self.content.path(&[], operator);
                }
            }
        }
    }

    fn step(&mut self, step: Step, size: PaperSize) {
        let (x, y) = (|value: Lu| size.x(value), |value: Lu| size.y(value));
        match step {
            Step::Move([a, b]) => self.content.path(&[x(a), y(b)], "m"),
            Step::Line([a, b]) => self.content.path(&[x(a), y(b)], "l"),
            Step::Curve([a, b, c, d, e, f]) => self.content.path(&[x(a), y(b), x(c), y(d), x(e), y(f)], "c"),
            Step::Close => self.content.path(&[], "h"),
        }
    }

    fn write_resources(&mut self) -> Result<(), RenderError> {
        let fonts = self.fonts;
        self.codes.settle(|font, c| fonts.face(font).and_then(|face| face.glyph(c)));
        let mut font_list = String::new();
        for (number, subset) in self.codes.subsets().iter().enumerate() {
            let Some(face) = self.fonts.face(subset.font) else { continue };
            let id = self.file.reserve();
            embed::write(&mut self.file, id, subset, face, number)?;
            font_list.push_str(&format!("/F{number} {id}"));
        }
        let forms: String = self.under.iter().enumerate().map(|(number, (_, id))| format!("/X{number} {id}")).collect();
        let forms = if forms.is_empty() { forms } else { format!("/XObject<<{forms}>>") };
        let body = format!("<</Font<<{font_list}>>{forms}>>");
        self.file.small(self.resources, body.as_bytes())
    }
}

/// Advance of every printable ASCII character in the four compiled-in faces, in em: 1233/2048.
const MONO_WIDTH: f64 = 1233.0 / 2048.0;

fn thousandths(points: f64) -> i64 {
    (points * 1000.0).round() as i64
}

#[cfg(test)]
mod tests;
