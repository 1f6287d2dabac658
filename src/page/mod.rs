//! The page model: what every print stream decodes to and every rendition is made from.
//!
//! A [`Page`] is a size and a list of [`Element`]s in paint order. Lengths are [`Lu`], logical units of
//! 1/14400 inch; the origin is the top left corner, x grows to the right and y downwards.
//! The model knows no print format and no output format.

use serde::{Deserialize, Serialize};

/// A length or position in 1/14400 inch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lu(pub i32);

impl Lu {
    /// Logical units in one inch.
    pub const PER_INCH: i32 = 14_400;

    /// From PostScript points (1/72 inch), rounded to the nearest unit.
    pub fn from_points(points: f64) -> Lu {
        Lu((points * 200.0).round() as i32)
    }

    /// In PostScript points (1/72 inch).
    pub fn points(self) -> f64 {
        f64::from(self.0) / 200.0
    }
}

/// A device RGB colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Color {
    /// Red, 0 to 255.
    pub r: u8,
    /// Green, 0 to 255.
    pub g: u8,
    /// Blue, 0 to 255.
    pub b: u8,
}

impl Color {
    /// Black.
    pub const BLACK: Color = Color { r: 0, g: 0, b: 0 };
}

/// The typeface a text run asks for; the renderer finds and embeds the font.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Face {
    /// The family by purpose.
    pub family: Family,
    /// Bold weight.
    pub bold: bool,
    /// Italic or oblique.
    pub italic: bool,
}

/// A font family by purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Family {
    /// Fixed pitch: line printers. CJK characters take two cells.
    #[default]
    Mono,
    /// Proportional without serifs (Helvetica and its kin).
    Sans,
    /// Proportional with serifs (Times and its kin).
    Serif,
}

/// How far each character of a run moves the pen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Advances {
    /// Every character moves it by the same length.
    Uniform(Lu),
    /// One length for each `char` of the text, in order.
    Each(Vec<Lu>),
}

/// A run of text on one baseline in one face, size and colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextRun {
    /// Left end of the baseline.
    pub x: Lu,
    /// The baseline.
    pub y: Lu,
    /// Direction of the baseline, in quarter turns clockwise (0 to 3).
    pub turns: u8,
    /// The typeface.
    pub face: Face,
    /// Height of the em square.
    pub size: Lu,
    /// Text colour.
    pub color: Color,
    /// The Unicode text; never empty.
    pub text: String,
    /// How far each character moves the pen.
    pub advances: Advances,
    /// Draw a rule under the run.
    pub underline: bool,
    /// The printed line this run belongs to, from 1; 0 when lines are unknown.
    pub line: u32,
    /// The text is printed over other text at the same place and already contained in that text or not
    /// meant to be read (overstrike layers): drawn, but left out of reading order, search and extraction.
    pub shadow: bool,
}

/// A filled rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Left edge.
    pub x: Lu,
    /// Top edge.
    pub y: Lu,
    /// Width, 0 or more.
    pub width: Lu,
    /// Height, 0 or more.
    pub height: Lu,
    /// Fill colour.
    pub color: Color,
    /// Decoration (green bars, form lines): an artifact for tagged output, not content.
    pub decoration: bool,
}

/// Something painted on a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Element {
    /// Text.
    Text(TextRun),
    /// A filled rectangle.
    Rule(Rule),
    /// A form drawn under the content by its name in the form library; drawn once, reused on every page.
    Overlay(String),
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Paper width.
    pub width: Lu,
    /// Paper height.
    pub height: Lu,
    /// What is painted, in paint order.
    pub elements: Vec<Element>,
}
