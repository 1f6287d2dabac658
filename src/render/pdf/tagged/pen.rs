//! Draws a page's elements on a krilla surface and notes what is content.

use std::collections::HashMap;

use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::graphic::Graphic;
use krilla::num::NormalizedF32;
use krilla::paint::{Fill, FillRule, LineCap, LineJoin, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, SpanTag};
use krilla::text::{GlyphId, KrillaGlyph};

use super::structure::Structure;
use crate::page::reading::Spot;
use crate::page::walk::{ELEMENT_LIMIT, FORM_DEPTH, Place};
use crate::page::{
    self, Barcode, Cap, Color, ContentId, Element, Form, Join, Lu, Page, PlacedImage, Rule, Step, TextRun,
};
use crate::render::font::{FontSet, Fonts};
use crate::render::form::{self, Drawing, Shape, Under};
use crate::render::path;
use crate::render::pdf::picture::Packed;
use crate::render::pdf::place::{self, Missing, Piece};
use crate::render::pdf::repack::PLACEHOLDER;
use crate::render::pdf::{meta, underline_rule};
use crate::render::shadow;

/// Neighbours in a form that are no content are drawn once for the document when they are at least this many steps.
const SHARED_FROM: usize = 8;
/// What a figure shows is told in at most this many characters.
const ALT_LIMIT: usize = 2_000;

/// What the pages of a document have in common.
pub struct Shared {
    /// Its fonts.
    pub fonts: Fonts,
    /// Characters without a glyph.
    pub missing: Missing,
    /// Its pictures, by the number of their placeholder.
    pub images: Vec<Packed>,
    pictures: HashMap<ContentId, Graphic>,
    under: Vec<(Under, Graphic)>,
    /// By form and number of the first element: neighbours that are no content.
    graphics: HashMap<(ContentId, usize), Graphic>,
    pages: usize,
}

impl Shared {
    /// Nothing yet.
    pub fn new(fonts: &'static FontSet) -> Shared {
        Shared {
            fonts: Fonts::new(fonts),
            missing: Missing::default(),
            images: Vec::new(),
            pictures: HashMap::new(),
            under: Vec::new(),
            graphics: HashMap::new(),
            pages: 0,
        }
    }
}

/// Draws on one page, or on a graphic.
pub struct Pen<'p, 's> {
    /// Where to.
    pub surface: &'p mut Surface<'s>,
    /// What other pages have, too.
    pub shared: &'p mut Shared,
}

impl Pen<'_, '_> {
    /// Draws library forms and bars, each made once for the document.
    pub fn under(&mut self, under: &[Under], whole: Option<Rect>) {
        for key in under {
            let known = self.shared.under.iter().find(|(known, _)| known == key);
            let graphic = match known {
                Some((_, graphic)) => graphic.clone(),
                None => {
                    let drawing = form::drawing(key, self.shared.fonts.set());
                    let graphic = self.graphic(|pen| pen.drawing(&drawing));
                    self.shared.under.push((key.clone(), graphic.clone()));
                    graphic
                }
            };
            self.surface.start_tagged(background(whole));
            self.surface.draw_graphic(graphic);
            self.surface.end_tagged();
        }
    }

    /// Draws a page's elements.
    pub fn page(&mut self, page: &Page, structure: &mut Structure) {
        self.shared.pages += 1;
        let mut left = ELEMENT_LIMIT;
        self.elements(&page.elements, Place::PAGE, None, (0, &mut left), structure);
    }

    /// Draws elements of the page or of a form at its place.
    fn elements(
        &mut self,
        elements: &[Element],
        place: Place,
        form: Option<&Form>,
        (depth, left): (usize, &mut usize),
        structure: &mut Structure,
    ) {
        let mut rules: Vec<Rule> = Vec::new();
        let mut number = 0;
        while let Some(element) = elements.get(number) {
            if *left == 0 {
                break;
            }
            *left -= 1;
            let first = number;
            number += 1;
            match element {
                Element::Text(run) if run.shadow => {
                    let run = place.text(run);
                    self.artifact(|pen| pen.shapes(&run));
                    rules.extend(underline_rule(&run));
                }
                Element::Text(run) => {
                    number +=
                        elements.get(number..).unwrap_or_default().iter().take_while(|next| follows(run, next)).count();
                    self.line(elements.get(first..number).unwrap_or_default(), place, form, &mut rules, structure);
                }
                Element::Barcode(code) => self.barcode(code, place, structure),
                Element::Image(image) if !image.alt.trim().is_empty() => self.figure(image, place, structure),
                Element::Form(inner) if depth < FORM_DEPTH => {
                    if has_content(&inner.form.elements, depth) {
                        let own = (depth + 1, &mut *left);
                        self.elements(&inner.form.elements, place.of_form(inner), Some(&inner.form), own, structure);
                    } else {
                        self.artifact(|pen| pen.whole_form(&inner.form, place.of_form(inner), depth + 1));
                    }
                }
                Element::Form(_) | Element::Overlay(_) => {}
                _ => {
                    let tail = elements.get(number..).unwrap_or_default();
                    number += tail.iter().take_while(|next| is_plain(next)).count();
                    let plain = elements.get(first..number).unwrap_or_default();
                    let key = form.map(|form| (form.id, first));
                    self.artifact(|pen| pen.plain(plain, place, key));
                }
            }
        }
        if !rules.is_empty() {
            self.artifact(|pen| rules.iter().for_each(|rule| pen.rule(rule)));
        }
    }

    /// Runs that are one piece of marked content.
    fn line(
        &mut self,
        runs: &[Element],
        place: Place,
        form: Option<&Form>,
        rules: &mut Vec<Rule>,
        structure: &mut Structure,
    ) {
        let identifier = self.surface.start_tagged(ContentTag::Span(SpanTag::empty()));
        let mut first = None;
        for element in runs {
            let Element::Text(run) = element else { continue };
            let run = place.text(run);
            self.run(&run);
            rules.extend(underline_rule(&run));
            // Lines of a form are not those of the page.
            let line = if form.is_some() { 0 } else { run.line };
            first.get_or_insert((Spot::of(run.turns, run.x, run.y, run.size), line));
        }
        self.surface.end_tagged();
        if let Some((spot, line)) = first {
            structure.text(spot, line, identifier);
        }
    }

    fn artifact(&mut self, draw: impl FnOnce(&mut Self)) {
        self.surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
        draw(self);
        self.surface.end_tagged();
    }

    fn barcode(&mut self, code: &Barcode, place: Place, structure: &mut Structure) {
        let bars = place.path(&code.bars);
        let identifier = self.surface.start_tagged(ContentTag::Other);
        self.path(&bars);
        self.surface.end_tagged();
        let symbology = if code.symbology.is_empty() { "Bar code" } else { &code.symbology };
        let separator = if code.value.is_empty() { "" } else { ": " };
        let alt = meta::printable(&format!("{symbology}{separator}{}", code.value), ALT_LIMIT);
        let bounds = bounds(&bars.steps);
        let spot = bounds.map_or(Spot::of(0, Lu(0), Lu(0), Lu(0)), |[x, y, _, height]| {
            Spot::of(0, x, Lu(y.0.saturating_add(height.0)), Lu(Lu::PER_INCH / 9))
        });
        let page = self.shared.pages - 1;
        structure.figure(spot, identifier, alt, (page, bounds.and_then(rect)));
    }

    fn figure(&mut self, image: &PlacedImage, place: Place, structure: &mut Structure) {
        let image = place.image(image);
        let identifier = self.surface.start_tagged(ContentTag::Other);
        self.image(&image);
        self.surface.end_tagged();
        let corner = Place { x: image.x, y: image.y, turns: image.turns };
        let bounds = corner.rectangle([Lu(0), Lu(0), image.width, image.height]);
        let spot = Spot::of(0, bounds[0], bounds[1], Lu(Lu::PER_INCH / 9));
        let alt = meta::printable(image.alt.trim(), ALT_LIMIT);
        let page = self.shared.pages - 1;
        structure.figure(spot, identifier, alt, (page, rect(bounds)));
    }

    /// Neighbours that are no content: in forms drawn once for the document when they are many.
    fn plain(&mut self, elements: &[Element], place: Place, key: Option<(ContentId, usize)>) {
        match key {
            Some(key) if elements.iter().map(steps).sum::<usize>() >= SHARED_FROM => {
                let graphic = match self.shared.graphics.get(&key) {
                    Some(graphic) => graphic.clone(),
                    None => {
                        let graphic = self.graphic(|pen| elements.iter().for_each(|e| pen.element(e, Place::PAGE)));
                        self.shared.graphics.insert(key, graphic.clone());
                        graphic
                    }
                };
                self.surface.push_transform(&transform(place));
                self.surface.draw_graphic(graphic);
                self.surface.pop();
            }
            _ => elements.iter().for_each(|element| self.element(element, place)),
        }
    }

    /// A form without any content.
    fn whole_form(&mut self, form: &Form, place: Place, depth: usize) {
        let key = (form.id, usize::MAX);
        let graphic = match self.shared.graphics.get(&key) {
            Some(graphic) => graphic.clone(),
            None => {
                let graphic = self.graphic(|pen| pen.form_elements(form, depth));
                self.shared.graphics.insert(key, graphic.clone());
                graphic
            }
        };
        self.surface.push_transform(&transform(place));
        self.surface.draw_graphic(graphic);
        self.surface.pop();
    }

    fn form_elements(&mut self, form: &Form, depth: usize) {
        for element in &form.elements {
            match element {
                Element::Form(inner) if depth < FORM_DEPTH => {
                    self.whole_form(&inner.form, Place::PAGE.of_form(inner), depth + 1);
                }
                element => self.element(element, Place::PAGE),
            }
        }
    }

    /// Draws an element without saying what it is.
    fn element(&mut self, element: &Element, place: Place) {
        match element {
            Element::Rule(rule) => self.rule(&place.rule(rule)),
            Element::Path(path) => self.path(&place.path(path)),
            Element::Image(image) => self.image(&place.image(image)),
            Element::Text(run) => {
                let run = place.text(run);
                if run.shadow {
                    self.shapes(&run)
                } else {
                    self.run(&run)
                }
                underline_rule(&run).iter().for_each(|rule| self.rule(rule));
            }
            Element::Barcode(_) | Element::Form(_) | Element::Overlay(_) => {}
        }
    }

    fn graphic(&mut self, draw: impl FnOnce(&mut Pen<'_, '_>)) -> Graphic {
        let mut builder = self.surface.stream_builder();
        let mut surface = builder.surface();
        draw(&mut Pen { surface: &mut surface, shared: self.shared });
        surface.finish();
        Graphic::new(builder.finish(), false)
    }

    fn drawing(&mut self, drawing: &Drawing) {
        for shape in &drawing.shapes {
            match shape {
                Shape::Text(run) => self.run(run),
                Shape::Path { steps, fill, stroke } => {
                    let stroke = stroke.map(|(color, width)| solid(color, width));
                    self.steps(steps, fill.map(|color| fill_with(color, false)), stroke);
                }
            }
        }
    }

    fn rule(&mut self, rule: &Rule) {
        let [x, y, width, height] = [rule.x, rule.y, rule.width, rule.height].map(points);
        let mut builder = PathBuilder::new();
        if let Some(rect) = Rect::from_xywh(x, y, width.max(0.0), height.max(0.0)) {
            builder.push_rect(rect);
        }
        self.draw(builder, Some(fill_with(rule.color, false)), None);
    }

    fn run(&mut self, run: &TextRun) {
        self.surface.set_stroke(None);
        self.surface.set_fill(Some(fill_with(run.color, false)));
        let Shared { fonts, missing, .. } = &mut *self.shared;
        for piece in place::place(run, fonts, missing) {
            self.piece(run, &piece);
        }
    }

    /// Draws what is seen and not read.
    fn shapes(&mut self, run: &TextRun) {
        let Shared { fonts, missing, .. } = &mut *self.shared;
        let shapes = shadow::shapes(run, fonts, missing);
        self.path(&shapes);
    }

    fn piece(&mut self, run: &TextRun, piece: &Piece) {
        let Some(face) = self.shared.fonts.face(piece.font) else { return };
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
        let font = face.krilla().clone();
        let (x, y, along) = (points(run.x), points(run.y), finite(piece.offset));
        let plain = run.turns.is_multiple_of(4) && piece.stretch == 1.0;
        let start = if plain {
            Point::from_xy(x + along, y)
        } else {
            let stretch = finite(piece.stretch);
            let (cos, sin) = direction(run.turns);
            let (x, y) = (x + along * cos, y + along * sin);
            self.surface.push_transform(&Transform::from_row(cos * stretch, sin * stretch, -sin, cos, x, y));
            Point::from_xy(0.0, 0.0)
        };
        self.surface.draw_glyphs(start, &glyphs, font, &text, finite(piece.size), false);
        if !plain {
            self.surface.pop();
        }
    }

    fn path(&mut self, path: &page::Path) {
        let stroke = path.stroke.as_ref().map(|stroke| {
            let dash = path::dashes(stroke);
            let array: Vec<f32> = dash.iter().map(|length| points(*length)).collect();
            Stroke {
                line_cap: match stroke.cap {
                    Cap::Flat => LineCap::Butt,
                    Cap::Round => LineCap::Round,
                    Cap::Square => LineCap::Square,
                },
                line_join: match stroke.join {
                    Join::Miter => LineJoin::Miter,
                    Join::Round => LineJoin::Round,
                    Join::Bevel => LineJoin::Bevel,
                },
                dash: (!array.is_empty()).then_some(StrokeDash { array, offset: 0.0 }),
                ..solid(stroke.color, stroke.width)
            }
        });
        self.steps(&path.steps, path.fill.map(|color| fill_with(color, path.even_odd)), stroke);
    }

    fn steps(&mut self, steps: &[Step], fill: Option<Fill>, stroke: Option<Stroke>) {
        let mut builder = PathBuilder::new();
        for step in path::sound(steps) {
            match step {
                Step::Move([x, y]) => builder.move_to(points(x), points(y)),
                Step::Line([x, y]) => builder.line_to(points(x), points(y)),
                Step::Curve(all) => {
                    let [a, b, c, d, e, f] = all.map(points);
                    builder.cubic_to(a, b, c, d, e, f);
                }
                Step::Close => builder.close(),
            }
        }
        self.draw(builder, fill, stroke);
    }

    fn draw(&mut self, builder: PathBuilder, fill: Option<Fill>, stroke: Option<Stroke>) {
        // An empty path is none; without colours krilla would fill with black.
        let Some(path) = builder.finish() else { return };
        if fill.is_none() && stroke.is_none() {
            return;
        }
        self.surface.set_fill(fill);
        self.surface.set_stroke(stroke);
        self.surface.draw_path(&path);
        self.surface.set_stroke(None);
    }

    /// Draws the placeholder of a picture, which [`repack`](super::repack) replaces.
    fn image(&mut self, image: &PlacedImage) {
        let [x, y, width, height] = [image.x, image.y, image.width, image.height].map(points);
        if width <= 0.0 || height <= 0.0 {
            return;
        }
        let graphic = match self.shared.pictures.get(&image.image.id()) {
            Some(graphic) => graphic.clone(),
            None => {
                let number = self.shared.images.len();
                self.shared.images.push(Packed::of(&image.image));
                let graphic = self.graphic(|pen| pen.placeholder(number));
                self.shared.pictures.insert(image.image.id(), graphic.clone());
                graphic
            }
        };
        let clip = image.clip.and_then(rect).and_then(|rect| {
            let mut builder = PathBuilder::new();
            builder.push_rect(rect);
            builder.finish()
        });
        if image.clip.is_some() && clip.is_none() {
            return;
        }
        if let Some(clip) = &clip {
            self.surface.push_clip_path(clip, &FillRule::NonZero);
        }
        // PDF's unit square has its first sample at the top left, at (0, 1); y grows downwards here.
        let (cos, sin) = direction(image.turns);
        let (across, down) = ((width * cos, width * sin), (-height * sin, height * cos));
        let matrix = Transform::from_row(across.0, across.1, -down.0, -down.1, x + down.0, y + down.1);
        self.surface.push_transform(&matrix);
        self.surface.draw_graphic(graphic);
        self.surface.pop();
        if clip.is_some() {
            self.surface.pop();
        }
    }

    fn placeholder(&mut self, number: usize) {
        let mut builder = PathBuilder::new();
        builder.move_to(0.0, 0.0);
        builder.line_to(PLACEHOLDER as f32, number as f32);
        builder.line_to(1.0, 1.0);
        builder.close();
        self.draw(builder, Some(fill_with(Color::BLACK, false)), None);
    }
}

/// Whether an element is text of the same printed line as `run`, or goes on where lines are unknown.
fn follows(run: &TextRun, next: &Element) -> bool {
    let Element::Text(next) = next else { return false };
    if next.shadow || next.turns % 4 != run.turns % 4 || next.line != run.line {
        return false;
    }
    if run.line > 0 {
        return true;
    }
    let (from, to) = (Spot::of(run.turns, run.x, run.y, run.size), Spot::of(next.turns, next.x, next.y, next.size));
    from.row == to.row && from.column <= to.column
}

/// Whether an element is drawn but says nothing.
fn is_plain(element: &Element) -> bool {
    match element {
        Element::Rule(_) | Element::Path(_) => true,
        Element::Image(image) => image.alt.trim().is_empty(),
        _ => false,
    }
}

fn has_content(elements: &[Element], depth: usize) -> bool {
    elements.iter().any(|element| match element {
        Element::Text(run) => !run.shadow,
        Element::Barcode(_) => true,
        Element::Image(image) => !image.alt.trim().is_empty(),
        Element::Form(inner) => depth < FORM_DEPTH && has_content(&inner.form.elements, depth + 1),
        _ => false,
    })
}

/// How much a file grows by drawing an element.
fn steps(element: &Element) -> usize {
    match element {
        Element::Path(path) => path.steps.len(),
        Element::Image(_) => 4,
        _ => 4,
    }
}

/// Left, top, width and height of the box around a path's points.
fn bounds(steps: &[Step]) -> Option<[Lu; 4]> {
    let points: Vec<[Lu; 2]> = steps
        .iter()
        .flat_map(|step| match *step {
            Step::Move(to) | Step::Line(to) => vec![to],
            Step::Curve([a, b, c, d, e, f]) => vec![[a, b], [c, d], [e, f]],
            Step::Close => Vec::new(),
        })
        .collect();
    let (left, right) = (points.iter().map(|p| p[0]).min()?, points.iter().map(|p| p[0]).max()?);
    let (top, bottom) = (points.iter().map(|p| p[1]).min()?, points.iter().map(|p| p[1]).max()?);
    Some([left, top, Lu(right.0.saturating_sub(left.0)), Lu(bottom.0.saturating_sub(top.0))])
}

fn rect([x, y, width, height]: [Lu; 4]) -> Option<Rect> {
    let [x, y, width, height] = [x, y, width, height].map(points);
    Rect::from_xywh(x, y, width.max(0.0), height.max(0.0))
}

fn transform(place: Place) -> Transform {
    let (cos, sin) = direction(place.turns);
    Transform::from_row(cos, sin, -sin, cos, points(place.x), points(place.y))
}

/// Where a baseline leads after quarter turns clockwise, y growing downwards.
fn direction(turns: u8) -> (f32, f32) {
    match turns % 4 {
        0 => (1.0, 0.0),
        1 => (0.0, 1.0),
        2 => (-1.0, 0.0),
        _ => (0.0, -1.0),
    }
}

/// A background artifact needs a box; without one krilla would panic.
fn background(whole: Option<Rect>) -> ContentTag<'static> {
    let kind = if whole.is_some() { ArtifactType::Background } else { ArtifactType::Other };
    ContentTag::Artifact(Artifact::new(kind, whole))
}

fn fill_with(color: Color, even_odd: bool) -> Fill {
    Fill {
        paint: rgb::Color::new(color.r, color.g, color.b).into(),
        opacity: NormalizedF32::ONE,
        rule: if even_odd { FillRule::EvenOdd } else { FillRule::NonZero },
    }
}

fn solid(color: Color, width: Lu) -> Stroke {
    Stroke {
        paint: rgb::Color::new(color.r, color.g, color.b).into(),
        width: points(width).max(0.01),
        ..Stroke::default()
    }
}

/// Points, within what PDF readers handle.
fn points(length: Lu) -> f32 {
    finite(length.points())
}

fn finite(value: f64) -> f32 {
    if value.is_finite() { value.clamp(-30_000.0, 30_000.0) as f32 } else { 0.0 }
}
