//! The page model: what every print stream decodes to and every rendition is made from.
//!
//! A [`Page`] is a size and a list of [`Element`]s in paint order. Lengths are [`Lu`], logical units of
//! 1/14400 inch; the origin is the top left corner, x grows to the right and y downwards.
//! The model knows no print format and no output format.

pub mod bidi;
pub mod grid;
pub mod image;
pub mod pixels;
pub mod reading;
#[cfg(test)]
pub(crate) mod sample;
pub mod walk;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use image::{Image, PlacedImage, Samples};

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

/// What tells one shared part of pages (a font program, an image, a form) from another: SHA-256 of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId(pub [u8; 32]);

impl ContentId {
    /// Of these bytes, taken together; each part's length counts, so that no two lists of parts are the same.
    pub fn of(parts: &[&[u8]]) -> ContentId {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        ContentId(hash.finalize().into())
    }
}

/// A font program that came with the stream, or was made from its bitmaps or outlines: OpenType (`glyf` or `CFF `
/// outlines). Cheap to clone; equal when the programs are.
#[derive(Clone)]
pub struct FontProgram(Arc<FontData>);

struct FontData {
    id: ContentId,
    name: String,
    bytes: Vec<u8>,
    index: u32,
}

impl FontProgram {
    /// A font: its PostScript name, its OpenType file, and its index in the file when that is a collection.
    pub fn new(name: &str, bytes: Vec<u8>, index: u32) -> FontProgram {
        let id = ContentId::of(&[&bytes, &index.to_be_bytes()]);
        FontProgram(Arc::new(FontData { id, name: name.into(), bytes, index }))
    }

    /// What tells it from others.
    pub fn id(&self) -> ContentId {
        self.0.id
    }

    /// Its name; for people and for the PDF's font dictionary.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The OpenType file.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// Which font of a collection; 0 otherwise.
    pub fn index(&self) -> u32 {
        self.0.index
    }
}

impl AsRef<[u8]> for FontProgram {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

impl fmt::Debug for FontProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FontProgram").field("name", &self.0.name).field("bytes", &self.0.bytes.len()).finish()
    }
}

impl PartialEq for FontProgram {
    fn eq(&self, other: &FontProgram) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for FontProgram {}

impl Hash for FontProgram {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

/// The glyphs that a run shows, where the stream names them itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    /// The font; it wins over [`TextRun::face`], which stays as the way out where a rendition cannot embed.
    pub font: FontProgram,
    /// One glyph id for each `char` of the text; empty: found by the font's own character map.
    pub glyphs: Vec<u16>,
}

/// How far each character of a run moves the pen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advances {
    /// Every character moves it by the same length.
    Uniform(Lu),
    /// One length for each `char` of the text, in order.
    Each(Vec<Lu>),
}

/// A run of text on one baseline in one face, size and colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRun {
    /// Left end of the baseline (of the first character, whatever the direction).
    pub x: Lu,
    /// The baseline.
    pub y: Lu,
    /// Direction of the baseline, in quarter turns clockwise (0 to 3).
    pub turns: u8,
    /// The typeface.
    pub face: Face,
    /// Font and glyphs of the stream's own; `None`: a font is found for `face`.
    pub embedded: Option<Embedded>,
    /// Height of the em square.
    pub size: Lu,
    /// Text colour.
    pub color: Color,
    /// The Unicode text; never empty.
    pub text: String,
    /// How far each character moves the pen.
    pub advances: Advances,
    /// Width of the letters in 1/1000 of what is natural at `size`; 1000 is natural. Advances are not changed by it.
    pub stretch: u16,
    /// Draw a rule under the run.
    pub underline: bool,
    /// The printed line this run belongs to, from 1; 0 when lines are unknown.
    pub line: u32,
    /// The text is printed over other text at the same place and already contained in that text or not
    /// meant to be read (overstrike layers): drawn, but left out of reading order, search and extraction.
    pub shadow: bool,
}

/// A filled rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A step of a path, in page coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Start here.
    Move([Lu; 2]),
    /// A straight line to here.
    Line([Lu; 2]),
    /// A Bézier curve: two control points and the end.
    Curve([Lu; 6]),
    /// Back to the start.
    Close,
}

/// How the outline of a path is drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stroke {
    /// Colour.
    pub color: Color,
    /// Width of the line.
    pub width: Lu,
    /// Lengths of dashes and gaps in turn; empty for a solid line.
    pub dash: Vec<Lu>,
    /// How its ends look, and those of dashes.
    pub cap: Cap,
    /// How its corners look.
    pub join: Join,
}

/// The ends of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cap {
    /// Cut off at the end.
    #[default]
    Flat,
    /// A half circle behind the end.
    Round,
    /// Cut off half a line width behind the end.
    Square,
}

/// The corners of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// The outer edges meet, up to a length of ten line widths; sharper corners are bevelled.
    #[default]
    Miter,
    /// An arc.
    Round,
    /// A corner cut off.
    Bevel,
}

/// A filled and/or outlined path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Its steps.
    pub steps: Vec<Step>,
    /// Fill colour.
    pub fill: Option<Color>,
    /// What is inside: by the even-odd rule, otherwise by the nonzero winding rule.
    pub even_odd: bool,
    /// Outline.
    pub stroke: Option<Stroke>,
}

/// A bar code: what it says, and its bars as they are to be drawn. Human-readable text beside it is a text run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barcode {
    /// Such as `Code 128`, `QR Code`.
    pub symbology: String,
    /// The data it holds, as text.
    pub value: String,
    /// The dark bars or modules.
    pub bars: Path,
}

/// Content that is drawn once and reused: an overlay, a page segment.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    /// What tells it from others (of the bytes it was made from).
    pub id: ContentId,
    /// Its name in the stream; for people.
    pub name: String,
    /// Its width; what lies beyond is still drawn.
    pub width: Lu,
    /// Its height.
    pub height: Lu,
    /// What is painted, from its own top left corner.
    pub elements: Vec<Element>,
}

/// A [`Form`] at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedForm {
    /// Where its origin lies.
    pub x: Lu,
    /// Where its origin lies.
    pub y: Lu,
    /// Turned about its origin, in quarter turns clockwise (0 to 3).
    pub turns: u8,
    /// The content.
    pub form: Arc<Form>,
}

/// Something painted on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Element {
    /// Text.
    Text(TextRun),
    /// A filled rectangle.
    Rule(Rule),
    /// A filled or outlined path.
    Path(Path),
    /// A picture.
    Image(PlacedImage),
    /// A bar code.
    Barcode(Barcode),
    /// Content of the stream that several pages share.
    Form(PlacedForm),
    /// A form drawn under the content by its name in the form library; drawn once, reused on every page.
    Overlay(String),
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Paper width.
    pub width: Lu,
    /// Paper height.
    pub height: Lu,
    /// What is painted, in paint order.
    pub elements: Vec<Element>,
}
