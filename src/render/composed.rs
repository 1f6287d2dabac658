//! Pages that greenbar itself composes, as pages of the page model: what the PDF writer promises for documents (fonts cut
//! down to what is used, tags, PDF/A) holds for them too. Lengths are points, heights count from the lower edge.

use super::font::FontSet;
use super::{DocumentInfo, Pages, RenderError, RenderOptions, renderer};
use crate::page::grid::cells_of;
use crate::page::{Advances, Color, Element, Face, Lu, Page, Rule, TextRun};

/// Near black: of all composed text.
const INK: Color = Color { r: 26, g: 26, b: 26 };

/// Pages that are being written on.
#[derive(Default)]
pub(super) struct Canvas {
    width: f64,
    height: f64,
    elements: Vec<Element>,
    pages: Vec<Page>,
    /// A character has no font.
    missing: bool,
}

impl Canvas {
    /// An empty page of this size.
    pub(super) fn new(width: f64, height: f64) -> Canvas {
        Canvas { width, height, ..Canvas::default() }
    }

    /// A line of text; `y` is its base line.
    pub(super) fn text(&mut self, (x, y): (f64, f64), face: Face, size: f64, text: &str) {
        if text.is_empty() {
            return;
        }
        let glyphs = || text.chars().map(|c| FontSet::system().glyph(c, face, cells_of(c) == 2));
        self.missing |= glyphs().any(|glyph| glyph.missing);
        self.elements.push(Element::Text(TextRun {
            x: Lu::from_points(x),
            y: Lu::from_points(self.height - y),
            turns: 0,
            face,
            embedded: None,
            size: Lu::from_points(size),
            color: INK,
            text: text.into(),
            advances: Advances::Each(glyphs().map(|glyph| Lu::from_points(f64::from(glyph.width) * size)).collect()),
            stretch: 1000,
            underline: false,
            line: u32::try_from(self.elements.len()).unwrap_or_default() + 1,
            shadow: false,
        }));
    }

    /// A filled rectangle behind what is written later; `y` is its lower edge.
    pub(super) fn band(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), color: Color) {
        self.elements.push(Element::Rule(Rule {
            x: Lu::from_points(x),
            y: Lu::from_points(self.height - y - height),
            width: Lu::from_points(width),
            height: Lu::from_points(height),
            color,
            decoration: true,
        }));
    }

    /// Goes on with the next page.
    pub(super) fn next_page(&mut self) {
        let elements = std::mem::take(&mut self.elements);
        self.pages.push(Page { width: Lu::from_points(self.width), height: Lu::from_points(self.height), elements });
    }

    /// Whether a character was written that no font of this machine has; it shows as a replacement.
    pub(super) fn lacks_a_font(&self) -> bool {
        self.missing
    }

    /// The pages as PDF.
    pub(super) fn pdf(mut self, title: &str, author: &str, language: &str) -> Result<Vec<u8>, RenderError> {
        self.next_page();
        let info = DocumentInfo {
            title: title.into(),
            author: author.into(),
            language: language.into(),
            ..DocumentInfo::default()
        };
        let mut pdf = Vec::new();
        let writer = renderer("pdf").ok_or_else(|| RenderError::Source("there is no PDF writer".into()))?;
        writer.render(&info, &mut Composed(self.pages), &RenderOptions::default(), &mut pdf)?;
        Ok(pdf)
    }
}

struct Composed(Vec<Page>);

impl Pages for Composed {
    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn get(&mut self, number: u32) -> Result<Page, RenderError> {
        let page = usize::try_from(number).ok().and_then(|at| self.0.get(at));
        page.cloned().ok_or_else(|| RenderError::NoPage { page: number.saturating_add(1), pages: self.count() })
    }
}
