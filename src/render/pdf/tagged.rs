//! The tagged PDF writer for single documents: PDF/A-2a and PDF/UA-1, by krilla.
//!
//! krilla panics when it is used wrongly, so nothing else calls it: every number that reaches it is finite and within
//! PDF's limits, and every tagged section is closed by the function that opened it.
//!
//! Structure: a Part for each page, in it a P for each printed line. Forms, bars, rules, underlines and overprinted
//! layers are artifacts.

use std::io::Write;

use krilla::Document;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::ConfigurationBuilder;
use krilla::configure::validate::{Accessibility, Archival};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::graphic::Graphic;
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, SpanTag, Tag, TagGroup, TagTree};
use krilla::text::{GlyphId, KrillaGlyph};

use super::meta;
use super::place::{self, Missing, Piece};
use super::{PaperSize, PdfWriter, repack, underline_rule};
use crate::page::{Color, Element, Lu, Page, Rule, TextRun};
use crate::render::font::FontSet;
use crate::render::form::{self, Drawing, Shape, Step, Under};
use crate::render::{DocumentInfo, RenderError, Rendered};

/// A document being written.
pub struct Tagged<'o> {
    out: &'o mut dyn Write,
    document: Document,
    fonts: &'static FontSet,
    info: DocumentInfo,
    under: Vec<(Under, Graphic)>,
    parts: TagTree,
    bookmarks: Vec<OutlineNode>,
    missing: Missing,
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
            fonts: FontSet::system(),
            info: DocumentInfo { table: None, ..info.clone() },
            under: Vec::new(),
            parts: TagTree::new(),
            bookmarks: Vec::new(),
            missing: Missing::default(),
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
        let mut pen = Pen { surface: &mut surface, fonts: self.fonts, missing: &mut self.missing };
        let under = form::under(page, &self.info.paper);
        let drawn = pen.under(&under, &mut self.under, Rect::from_xywh(0.0, 0.0, width, height));
        let lines = drawn.map(|()| pen.elements(page));
        surface.finish();
        sheet.finish();
        let mut part = TagGroup::new(Tag::Part);
        for (_, identifiers) in lines? {
            let mut line = TagGroup::new(Tag::P);
            identifiers.into_iter().for_each(|identifier| line.push(identifier));
            part.push(line);
        }
        self.parts.push(part);
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
        repack::repack(&bytes, this.out)?;
        Ok(Rendered { missing_glyphs: this.missing.into_list() })
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

/// Draws on one page.
struct Pen<'p, 's> {
    surface: &'p mut Surface<'s>,
    fonts: &'p FontSet,
    missing: &'p mut Missing,
}

/// The printed lines of a page in reading order, each with its marked content.
type Lines = Vec<(u32, Vec<Identifier>)>;

impl Pen<'_, '_> {
    /// Draws forms and bars, each made once for the document.
    fn under(
        &mut self,
        under: &[Under],
        known: &mut Vec<(Under, Graphic)>,
        whole: Option<Rect>,
    ) -> Result<(), RenderError> {
        for key in under {
            let at = match known.iter().position(|(known, _)| known == key) {
                Some(at) => at,
                None => {
                    let drawing = form::drawing(key, self.fonts)?;
                    known.push((key.clone(), self.graphic(&drawing)));
                    known.len() - 1
                }
            };
            let Some((_, graphic)) = known.get(at) else { continue };
            self.surface.start_tagged(background(whole));
            self.surface.draw_graphic(graphic.clone());
            self.surface.end_tagged();
        }
        Ok(())
    }

    fn graphic(&mut self, drawing: &Drawing) -> Graphic {
        let mut builder = self.surface.stream_builder();
        let mut surface = builder.surface();
        let mut pen = Pen { surface: &mut surface, fonts: self.fonts, missing: self.missing };
        for shape in &drawing.shapes {
            match shape {
                Shape::Text(run) => pen.run(run),
                Shape::Path { steps, fill, stroke } => pen.path(steps, *fill, *stroke),
            }
        }
        surface.finish();
        Graphic::new(builder.finish(), false)
    }

    fn elements(&mut self, page: &Page) -> Lines {
        let mut lines: Lines = Vec::new();
        let mut rules: Vec<Rule> = Vec::new();
        let mut elements = page.elements.iter().peekable();
        while let Some(element) = elements.next() {
            match element {
                Element::Rule(rule) => self.artifact_rules(&[*rule]),
                Element::Overlay(_) | Element::Path(_) | Element::Image(_) | Element::Barcode(_) | Element::Form(_) => {
                }
                Element::Text(run) if run.shadow => {
                    self.surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Other)));
                    self.run(run);
                    self.surface.end_tagged();
                    rules.extend(underline_rule(run));
                }
                Element::Text(run) => {
                    let identifier = self.surface.start_tagged(ContentTag::Span(SpanTag::empty()));
                    self.run(run);
                    rules.extend(underline_rule(run));
                    // What follows on the same printed line is one piece of marked content with it.
                    let follows = |next: &&Element| matches!(next, Element::Text(next) if !next.shadow && run.line > 0 && next.line == run.line);
                    while let Some(Element::Text(next)) = elements.next_if(follows) {
                        self.run(next);
                        rules.extend(underline_rule(next));
                    }
                    self.surface.end_tagged();
                    note(&mut lines, run.line, identifier);
                }
            }
        }
        if !rules.is_empty() {
            self.artifact_rules(&rules);
        }
        lines
    }

    fn artifact_rules(&mut self, rules: &[Rule]) {
        self.surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
        for rule in rules {
            let [x, y, width, height] = [rule.x, rule.y, rule.width, rule.height].map(points);
            let mut builder = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(x, y, width.max(0.0), height.max(0.0)) {
                builder.push_rect(rect);
            }
            self.fill_path(builder, Some(rule.color), None);
        }
        self.surface.end_tagged();
    }

    fn run(&mut self, run: &TextRun) {
        self.surface.set_stroke(None);
        self.surface.set_fill(Some(fill(run.color)));
        for piece in place::place(run, self.fonts, self.missing) {
            self.piece(run, &piece);
        }
    }

    fn piece(&mut self, run: &TextRun, piece: &Piece) {
        let Some(face) = self.fonts.face(piece.font) else { return };
        let mut text = String::with_capacity(piece.glyphs.len());
        let glyphs: Vec<KrillaGlyph> = piece
            .glyphs
            .iter()
            .map(|glyph| {
                let start = text.len();
                text.push(glyph.text);
                let id = GlyphId::new(u32::from(glyph.id));
                // The font's own advance where it is meant: krilla then writes no correction.
                let near = (glyph.advance - glyph.width).abs() < 2e-4;
                let advance = if near { glyph.width } else { glyph.advance };
                KrillaGlyph::new(id, finite(advance), 0.0, 0.0, 0.0, start..text.len(), None)
            })
            .collect();
        let (x, y, along) = (points(run.x), points(run.y), finite(piece.offset));
        let plain = run.turns.is_multiple_of(4) && piece.stretch == 1.0;
        let start = if plain {
            Point::from_xy(x + along, y)
        } else {
            let stretch = finite(piece.stretch);
            let (cos, sin) = match run.turns % 4 {
                0 => (1.0, 0.0),
                1 => (0.0, 1.0),
                2 => (-1.0, 0.0),
                _ => (0.0, -1.0),
            };
            let (x, y) = (x + along * cos, y + along * sin);
            self.surface.push_transform(&Transform::from_row(cos * stretch, sin * stretch, -sin, cos, x, y));
            Point::from_xy(0.0, 0.0)
        };
        self.surface.draw_glyphs(start, &glyphs, face.krilla().clone(), &text, finite(piece.size), false);
        if !plain {
            self.surface.pop();
        }
    }

    fn path(&mut self, steps: &[Step], fill: Option<Color>, stroke: Option<(Color, Lu)>) {
        let mut builder = PathBuilder::new();
        for step in steps {
            match *step {
                Step::Move([x, y]) => builder.move_to(points(x), points(y)),
                Step::Line([x, y]) => builder.line_to(points(x), points(y)),
                Step::Curve(all) => {
                    let [a, b, c, d, e, f] = all.map(points);
                    builder.cubic_to(a, b, c, d, e, f);
                }
                Step::Close => builder.close(),
            }
        }
        self.fill_path(builder, fill, stroke);
    }

    fn fill_path(&mut self, builder: PathBuilder, color: Option<Color>, stroke: Option<(Color, Lu)>) {
        // An empty path is none; without colours krilla would fill with black.
        let Some(path) = builder.finish() else { return };
        if color.is_none() && stroke.is_none() {
            return;
        }
        self.surface.set_fill(color.map(fill));
        self.surface.set_stroke(stroke.map(|(color, width)| Stroke {
            paint: rgb::Color::new(color.r, color.g, color.b).into(),
            width: points(width).max(0.01),
            ..Stroke::default()
        }));
        self.surface.draw_path(&path);
        self.surface.set_stroke(None);
    }
}

fn note(lines: &mut Lines, line: u32, identifier: Identifier) {
    match lines.iter_mut().rfind(|(known, _)| line > 0 && *known == line) {
        Some((_, identifiers)) => identifiers.push(identifier),
        None => lines.push((line, vec![identifier])),
    }
}

/// A background artifact needs a box; without one krilla would panic.
fn background(whole: Option<Rect>) -> ContentTag<'static> {
    let kind = if whole.is_some() { ArtifactType::Background } else { ArtifactType::Other };
    ContentTag::Artifact(Artifact::new(kind, whole))
}

fn fill(color: Color) -> Fill {
    Fill {
        paint: rgb::Color::new(color.r, color.g, color.b).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }
}

/// Points, within what PDF readers handle.
fn points(length: Lu) -> f32 {
    finite(length.points())
}

fn finite(value: f64) -> f32 {
    if value.is_finite() { value.clamp(-30_000.0, 30_000.0) as f32 } else { 0.0 }
}
