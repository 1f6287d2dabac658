//! Presentation text (PTOCA): control sequences and code points become text runs and rules on a page.
//!
//! [`draw`] takes the data of one text object, all its PTX joined (a chain and even a control sequence may span
//! several), and appends elements in paint order. After the last object of a page or overlay, [`number_lines`] tells
//! which runs share a printed line. Fonts come ready through [`TextFonts`]; nothing here knows how they were made.
//!
//! Promises: positions are exact to the [`Lu`] whatever the units of the stream; characters that the stream places
//! one by one come out as the words they form; no input panics, and what is drawn stays under
//! [`TextEnvironment::elements`]. Control sequences that are unknown or cut short are skipped by their length and
//! reported. Rules: Presentation Text Object Content Architecture Reference (AFPC-0009).

mod arabic;
mod area;
mod axes;
mod glyphs;
mod initial;
mod lines;
mod machine;
mod sequence;
mod setter;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use initial::Initial;
pub use lines::number_lines;
use machine::Machine;

use super::Report;
use super::font::{ActiveFont, Glyph, Part, Shaper};
use super::object::ObjectFonts;
use crate::page::{Color, Element, Lu};

/// What sets text: an [`ActiveFont`], or a stand-in for one in tests.
pub trait SetsText {
    /// As [`ActiveFont::next`].
    fn next(&self, bytes: &[u8]) -> Option<(usize, Glyph)>;
    /// As [`ActiveFont::part`].
    fn part(&self, part: u8) -> Part<'_>;
    /// As [`ActiveFont::space`].
    fn space(&self) -> Lu;
    /// As [`ActiveFont::shaper`].
    fn shaper(&self) -> Option<(u8, &Shaper)> {
        None
    }
}

impl SetsText for ActiveFont {
    fn next(&self, bytes: &[u8]) -> Option<(usize, Glyph)> {
        ActiveFont::next(self, bytes)
    }

    fn part(&self, part: u8) -> Part<'_> {
        ActiveFont::part(self, part)
    }

    fn space(&self) -> Lu {
        ActiveFont::space(self)
    }

    fn shaper(&self) -> Option<(u8, &Shaper)> {
        ActiveFont::shaper(self)
    }
}

/// The fonts that text may select. Whatever is [`ObjectFonts`] is this too.
pub trait TextFonts {
    /// The font of a local id (1 to 254); `None` when none is mapped.
    fn text_font(&self, lid: u8) -> Option<Arc<dyn SetsText>>;
}

impl<F: ObjectFonts> TextFonts for F {
    fn text_font(&self, lid: u8) -> Option<Arc<dyn SetsText>> {
        self.font(lid).map(|font| font as Arc<dyn SetsText>)
    }
}

/// What surrounds a text object.
#[derive(Clone, Copy)]
pub struct TextEnvironment<'e> {
    /// Data of the PTD in force, of either format: units, extents and initial text conditions. Empty when there is none.
    pub descriptor: &'e [u8],
    /// Units per inch along x and y where the descriptor gives none: those of the page (PGD).
    pub units: [f64; 2],
    /// Where the top left corner of the text's space lies on the page (or overlay) that is drawn.
    pub origin: [Lu; 2],
    /// Rotation of the text's space about its origin, in quarter turns clockwise; 0 for text of a page.
    pub turns: u8,
    /// Width and height of the text's space where the descriptor gives none: those of the page.
    pub extent: [Lu; 2],
    /// The fonts of the environment.
    pub fonts: &'e dyn TextFonts,
    /// The font while none is selected, after SCFL X'FF', and for local ids that nobody mapped.
    pub default_font: &'e Arc<dyn SetsText>,
    /// Colour of text where the stream asks for the default.
    pub color: Color,
    /// Local ids of suppressions in force (MSU and the medium map): what BSU and ESU of these hold is not drawn.
    pub suppressed: &'e [u8],
    /// How many elements the page may still take.
    pub elements: usize,
}

/// What one text object of a page leaves to the next. Start each page and each overlay with a fresh one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Carried {
    /// The variable space increment set last (SVI), in [`Lu`]; `None`: the font's.
    space: Option<f64>,
    /// What stands for text that is encrypted (SEA).
    alternate: Vec<u8>,
    /// Characters set so far beyond one for each byte of text.
    extra: usize,
}

impl Carried {
    /// For an object with an area of its own, to which nothing is carried but the count against the page's limit.
    pub fn apart(&self) -> Carried {
        Carried { extra: self.extra, ..Carried::default() }
    }

    /// Takes over the count from an object drawn [apart](Carried::apart).
    pub fn count(&mut self, apart: &Carried) {
        self.extra = apart.extra;
    }
}

/// Draws one text object: `data` is the data of all its PTX, joined. Appends to `out` in paint order.
pub fn draw(
    data: &[u8],
    env: &TextEnvironment<'_>,
    carried: &mut Carried,
    out: &mut Vec<Element>,
    report: &mut Report<'_>,
) {
    let initial = Initial::read(env, report);
    Machine::new(env, &initial, carried, out, report).run(data);
}
