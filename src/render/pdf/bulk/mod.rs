//! The streaming PDF writer: any number of documents and pages in constant memory, PDF/A-2b.
//!
//! Pages go out as they come, pictures and forms with the first page that shows them. Only what the end of the file needs
//! is kept: which characters each font drew, the fonts of the stream, one number for each object, and what tells
//! pictures and forms from others. See `docs/decisions/0004-pdf-writers.md`.

mod codes;
mod content;
mod embed;
mod tree;

use std::collections::{BTreeSet, HashMap};
use std::io::Write;

use codes::Codes;
use content::{Content, Pen, TextStyle};
use tree::{Outline, PageTree};

use super::file::{Id, PdfFile};
use super::meta;
use super::picture::{self, Ink};
use super::place::{self, Missing, Piece, PlacedGlyph};
use super::{PaperSize, underline_rule};
use crate::index::definition::Paper;
use crate::page::walk::FORM_DEPTH;
use crate::page::{
    Advances, Color, ContentId, Element, Family, Form, Image, Lu, Page, Path, PlacedForm, PlacedImage, Rule, TextRun,
};
use crate::render::font::{FontId, FontSet, Fonts};
use crate::render::form::{self, Drawing, Shape, Step, Under};
use crate::render::path;
use crate::render::shadow;
use crate::render::{DocumentInfo, RenderError, Rendered};

/// Different forms and bars in one file; further ones are an error for forms and left out for bars.
const UNDER_LIMIT: usize = 500;
/// Letters may stand this far from where they are meant to, in points, before the pen is corrected.
const DRIFT: f64 = 0.04;
/// A form draws what lies beyond its paper; but no further than this, in points.
const FORM_REACH: i32 = 15_000;

/// Writes one PDF file of many documents.
pub struct Bulk<'o> {
    file: PdfFile<'o>,
    fonts: Fonts,
    info: DocumentInfo,
    paper: Paper,
    page_bookmarks: bool,
    codes: Codes,
    content: Content,
    /// The forms and pictures that the content stream in work draws.
    drawn: BTreeSet<usize>,
    /// The resources of streams that draw text and paths only, and the fonts in them.
    resources: Id,
    font_list: Id,
    /// Forms and pictures of the file by number.
    objects: Vec<Id>,
    under: Vec<(Under, usize)>,
    forms: HashMap<ContentId, usize>,
    pictures: HashMap<ContentId, (usize, Option<Color>)>,
    depth: usize,
    pages: PageTree,
    outline: Outline,
    document: Option<String>,
    missing: Missing,
    encoded: Encoded,
}

/// Text on its way into a content stream; the buffers are used again.
#[derive(Debug, Default)]
struct Encoded {
    subset: u16,
    spacing: i64,
    bytes: Vec<u8>,
    corrections: Vec<(usize, i32)>,
}

impl<'o> Bulk<'o> {
    /// Starts a file. `info` describes the whole file; its paper is that of the first document.
    pub fn start(out: &'o mut dyn Write, info: &DocumentInfo) -> Result<Bulk<'o>, RenderError> {
        let mut file = PdfFile::start(out)?;
        let [resources, font_list] = std::array::from_fn(|_| file.reserve());
        let pages = PageTree::start(&mut file);
        let outline = Outline::start(&mut file);
        Ok(Bulk {
            file,
            fonts: Fonts::new(FontSet::system()),
            info: DocumentInfo { table: None, ..info.clone() },
            paper: info.paper.clone(),
            page_bookmarks: false,
            codes: Codes::default(),
            content: Content::default(),
            drawn: BTreeSet::new(),
            resources,
            font_list,
            objects: Vec::new(),
            under: Vec::new(),
            forms: HashMap::new(),
            pictures: HashMap::new(),
            depth: 0,
            pages,
            outline,
            document: None,
            missing: Missing::default(),
            encoded: Encoded::default(),
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
        self.drawn.clear();
        for under in form::under(page, &self.paper) {
            if let Some(number) = self.under_number(under, size)? {
                self.invoke(number);
            }
        }
        self.elements(&page.elements, size)?;
        self.emit(size)
    }

    fn elements(&mut self, elements: &[Element], size: PaperSize) -> Result<(), RenderError> {
        let mut rules = Vec::new();
        for element in elements {
            match element {
                Element::Text(run) if run.shadow => {
                    let shapes = shadow::shapes(run, &mut self.fonts, &mut self.missing);
                    self.path(&shapes, size);
                    rules.extend(underline_rule(run));
                }
                Element::Text(run) => {
                    self.text(run, size);
                    rules.extend(underline_rule(run));
                }
                Element::Rule(rule) => self.rule(rule, size),
                Element::Path(path) => self.path(path, size),
                Element::Barcode(code) => self.path(&code.bars, size),
                Element::Image(image) => self.image(image, size)?,
                Element::Form(form) => self.form(form, size)?,
                Element::Overlay(_) => {}
            }
        }
        rules.iter().for_each(|rule| self.rule(rule, size));
        Ok(())
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
        Ok(Rendered { missing_glyphs: self.missing.into_list(), ..Rendered::default() })
    }

    fn emit(&mut self, size: PaperSize) -> Result<(), RenderError> {
        let [page, content] = std::array::from_fn(|_| self.file.reserve());
        self.file.stream(content, "", self.content.finish())?;
        let parent = self.pages.parent();
        let body = format!(
            "<</Type/Page/Parent {parent}/MediaBox[0 0 {} {}]/Resources {}/Contents {content}>>",
            size.width_points(),
            size.height_points(),
            self.resources_drawn(),
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
            for piece in place::place(run, &mut self.fonts, &mut self.missing) {
                self.piece(run, &piece, size);
            }
        }
    }

    /// The usual case without looking at single characters: ASCII on a uniform grid.
    fn ascii(&mut self, run: &TextRun, size: PaperSize) -> bool {
        let Advances::Uniform(cell) = run.advances else { return false };
        let printable = run.text.bytes().all(|byte| matches!(byte, 0x20..=0x7E));
        let plain = run.embedded.is_none() && run.turns == 0 && run.face.family == Family::Mono;
        if !plain || !printable || cell.0 <= 0 {
            return false;
        }
        let font = FontId(u16::from(run.face.bold) + 2 * u16::from(run.face.italic));
        let fit = place::fit(place::run_size(run), MONO_WIDTH, cell.points(), false, true);
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
        let two_byte = self.fonts.is_two_byte(piece.font);
        let (mut from, mut along) = (0, 0.0);
        while from < piece.glyphs.len() {
            let next = self.encode(piece, from, two_byte);
            self.show(run, piece, along, size);
            along += piece.glyphs.get(from..next).unwrap_or_default().iter().map(|glyph| glyph.advance).sum::<f64>();
            from = next;
        }
    }

    /// Encodes glyphs from `from` on as far as one subset carries (and, on a printer's grid, one spacing); says where it
    /// stopped.
    fn encode(&mut self, piece: &Piece, from: usize, two_byte: bool) -> usize {
        self.encoded.bytes.clear();
        self.encoded.corrections.clear();
        self.encoded.spacing = 0;
        let Some(first) = piece.glyphs.get(from).copied() else { return piece.glyphs.len() };
        let (subset, _) = self.codes.code(piece.font, two_byte, first);
        self.encoded.subset = subset;
        let gap = |glyph: &PlacedGlyph| thousandths((glyph.advance - glyph.width) * piece.size);
        let corrected = piece.font.is_proportional();
        if !corrected {
            self.encoded.spacing = gap(&first);
        }
        let (mut drift, mut next) = (0.0, from);
        while let Some(glyph) = piece.glyphs.get(next) {
            let (own, code) = self.codes.code(piece.font, two_byte, *glyph);
            if own != subset || (!corrected && gap(glyph) != gap(&first)) {
                break;
            }
            if corrected && (drift * piece.size * piece.stretch).abs() > DRIFT {
                let back = (-drift * 1000.0).round().clamp(-32_000.0, 32_000.0);
                self.encoded.corrections.push((self.encoded.bytes.len(), back as i32));
                drift += back / 1000.0;
            }
            let bytes = code.to_be_bytes();
            self.encoded.bytes.extend_from_slice(if two_byte { &bytes } else { &bytes[1..] });
            drift += glyph.advance - glyph.width;
            next += 1;
        }
        next
    }

    /// Shows what is encoded; `along` says how far into the piece it starts.
    fn show(&mut self, run: &TextRun, piece: &Piece, along: f64, size: PaperSize) {
        let style = TextStyle {
            subset: self.encoded.subset,
            size: thousandths(piece.size),
            stretch: thousandths(piece.stretch),
            spacing: self.encoded.spacing,
            color: run.color,
        };
        let along = thousandths(piece.offset + along * piece.size * piece.stretch);
        let (x, y) = (size.x(run.x), size.y(run.y));
        let at = match run.turns % 4 {
            0 => (x + along, y),
            1 => (x, y - along),
            2 => (x - along, y),
            _ => (x, y + along),
        };
        let Encoded { bytes, corrections, .. } = &self.encoded;
        match (corrections.is_empty(), run.turns % 4) {
            (false, turns) => self.content.show_corrected(at, turns, style, bytes, corrections),
            (true, 0) => self.content.show(at, style, bytes),
            (true, turns) => self.content.show_turned(at, turns, style, bytes),
        }
    }

    fn rule(&mut self, rule: &Rule, size: PaperSize) {
        let (width, height) = (i64::from(rule.width.0.max(0)) * 5, i64::from(rule.height.0.max(0)) * 5);
        self.content.rectangle([size.x(rule.x), size.y(rule.y) - height, width, height], rule.color);
    }

    fn path(&mut self, path: &Path, size: PaperSize) {
        let dash: Vec<i64> = path.stroke.iter().flat_map(path::dashes).map(|length| i64::from(length.0) * 5).collect();
        let pen = path.stroke.as_ref().map(|stroke| Pen {
            color: stroke.color,
            width: i64::from(stroke.width.0.max(0)) * 5,
            dash: &dash,
            ends: (stroke.cap, stroke.join),
        });
        self.steps(&path.steps, path.fill, path.even_odd, pen, size);
    }

    fn steps(&mut self, steps: &[Step], fill: Option<Color>, even_odd: bool, pen: Option<Pen<'_>>, size: PaperSize) {
        let steps = path::sound(steps);
        if steps.is_empty() || (fill.is_none() && pen.is_none()) {
            return;
        }
        let operator = self.content.paint(fill, even_odd, pen);
        for step in steps {
            self.step(step, size);
        }
        self.content.path(&[], operator);
    }

    fn image(&mut self, placed: &PlacedImage, size: PaperSize) -> Result<(), RenderError> {
        if placed.width.0 <= 0 || placed.height.0 <= 0 {
            return Ok(());
        }
        let (number, ink) = self.picture_number(&placed.image)?;
        self.content.save();
        if let Some([x, y, width, height]) = placed.clip {
            let [width, height] = [width, height].map(|side| i64::from(side.0.max(0)) * 5);
            self.content.clip([size.x(x), size.y(y) - height, width, height]);
        }
        if let Some(ink) = ink {
            self.content.fill(ink);
        }
        self.content.square(picture::matrix(placed, [size.x(placed.x), size.y(placed.y)]));
        self.invoke(number);
        self.content.restore();
        Ok(())
    }

    fn form(&mut self, placed: &PlacedForm, size: PaperSize) -> Result<(), RenderError> {
        if self.depth >= FORM_DEPTH {
            return Ok(());
        }
        let number = self.form_number(&placed.form)?;
        self.content.save();
        self.content.turn((size.x(placed.x), size.y(placed.y)), placed.turns);
        self.invoke(number);
        self.content.restore();
        Ok(())
    }

    fn invoke(&mut self, number: usize) {
        self.drawn.insert(number);
        self.content.invoke(number);
    }

    /// The number of a picture and the colour it is to be filled with; writes it when it is new.
    fn picture_number(&mut self, image: &Image) -> Result<(usize, Option<Color>), RenderError> {
        if let Some(known) = self.pictures.get(&image.id()) {
            return Ok(*known);
        }
        let id = self.file.reserve();
        let ink = picture::write(&mut self.file, id, image, Ink::Outside)?;
        self.objects.push(id);
        let known = (self.objects.len() - 1, ink);
        self.pictures.insert(image.id(), known);
        Ok(known)
    }

    /// The number of a form; writes it when it is new. Its origin is its top left corner.
    fn form_number(&mut self, form: &Form) -> Result<usize, RenderError> {
        if let Some(number) = self.forms.get(&form.id) {
            return Ok(*number);
        }
        let size = PaperSize { width: i64::from(form.width.0) * 5, height: 0 };
        let bounds = format!("-{FORM_REACH} -{FORM_REACH} {FORM_REACH} {FORM_REACH}");
        self.depth += 1;
        let number = self.object(&bounds, |bulk| bulk.elements(&form.elements, size));
        self.depth -= 1;
        let number = number?;
        self.forms.insert(form.id, number);
        Ok(number)
    }

    /// Writes what `draw` draws as an object of its own; gives its number.
    fn object(
        &mut self,
        bounds: &str,
        draw: impl FnOnce(&mut Self) -> Result<(), RenderError>,
    ) -> Result<usize, RenderError> {
        let (content, drawn) = (std::mem::take(&mut self.content), std::mem::take(&mut self.drawn));
        self.content.reset();
        let result = draw(self);
        let id = self.file.reserve();
        let dict = format!("/Type/XObject/Subtype/Form/BBox[{bounds}]/Resources {}", self.resources_drawn());
        result.and_then(|()| self.file.stream(id, &dict, self.content.finish()))?;
        (self.content, self.drawn) = (content, drawn);
        self.objects.push(id);
        Ok(self.objects.len() - 1)
    }

    /// The resources of the stream in work.
    fn resources_drawn(&self) -> String {
        if self.drawn.is_empty() {
            return self.resources.to_string();
        }
        let object = |number: &usize| self.objects.get(*number).map(|id| format!("/X{number} {id}"));
        let objects: String = self.drawn.iter().filter_map(object).collect();
        format!("<</Font {}/XObject<<{objects}>>>>", self.font_list)
    }

    /// The number of a library form or of bars; writes it when it is new.
    fn under_number(&mut self, under: Under, size: PaperSize) -> Result<Option<usize>, RenderError> {
        if let Some((_, number)) = self.under.iter().find(|(known, _)| *known == under) {
            return Ok(Some(*number));
        }
        if self.under.len() >= UNDER_LIMIT {
            return match under {
                Under::Bars(_) => Ok(None),
                Under::Form(..) => Err(RenderError::Resource("too many different forms in one file".into())),
            };
        }
        let drawing = form::drawing(&under, self.fonts.set());
        let bounds = format!("0 0 {} {}", size.width_points(), size.height_points());
        let number = self.object(&bounds, |bulk| {
            bulk.draw(&drawing, size);
            Ok(())
        })?;
        self.under.push((under, number));
        Ok(Some(number))
    }

    fn draw(&mut self, drawing: &Drawing, size: PaperSize) {
        for shape in &drawing.shapes {
            match shape {
                Shape::Text(run) => self.text(run, size),
                Shape::Path { steps, fill, stroke } => {
                    let pen = stroke.map(|(color, width)| Pen {
                        color,
                        width: i64::from(width.0) * 5,
                        dash: &[],
                        ends: Default::default(),
                    });
                    self.steps(steps, *fill, false, pen, size);
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
        let fonts = &self.fonts;
        self.codes.settle(|font, c| fonts.face(font).and_then(|face| face.glyph(c)));
        let mut font_list = String::new();
        for (number, subset) in self.codes.subsets().iter().enumerate() {
            let Some(face) = self.fonts.face(subset.font) else { continue };
            let id = self.file.reserve();
            embed::write(&mut self.file, id, subset, face, number)?;
            font_list.push_str(&format!("/F{number} {id}"));
        }
        self.file.small(self.font_list, format!("<<{font_list}>>").as_bytes())?;
        self.file.small(self.resources, format!("<</Font {}>>", self.font_list).as_bytes())
    }
}

/// Advance of every printable ASCII character in the four compiled-in faces, in em: 1233/2048.
const MONO_WIDTH: f64 = 1233.0 / 2048.0;

fn thousandths(points: f64) -> i64 {
    (points * 1000.0).round() as i64
}

#[cfg(test)]
mod tests;
