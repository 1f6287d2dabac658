//! Pictures on a page: their samples as the stream holds them, so that an output that knows the same coding can keep it.

use std::fmt;
use std::sync::Arc;

use super::{Color, ContentId, Lu};

/// A picture. Cheap to clone; equal when what makes it is.
#[derive(Clone)]
pub struct Image(Arc<ImageData>);

struct ImageData {
    id: ContentId,
    width: u32,
    height: u32,
    samples: Samples,
}

/// The samples of a picture, rows from the top, samples from the left. Rows of bits start at a byte (most significant bit first).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Samples {
    /// One bit each: 1 is ink. Where there is no ink, `paper` is painted, or nothing.
    Bits {
        /// `height` rows of `width` bits, each row padded to a byte.
        data: Vec<u8>,
        /// Colour of ones.
        ink: Color,
        /// Colour of zeros; `None` leaves what lies under.
        paper: Option<Color>,
    },
    /// One bit each, in a CCITT coding (ITU-T T.4, T.6), most significant bit first.
    Ccitt {
        /// The coded data.
        data: Vec<u8>,
        /// As in PDF: below 0 Group 4, 0 Group 3 one-dimensional, above 0 Group 3 two-dimensional.
        k: i8,
        /// Rows start at a byte.
        aligned: bool,
        /// Black in the coding (ones) is ink; otherwise white is.
        black_is_ink: bool,
        /// Colour of ink.
        ink: Color,
        /// Colour of the rest; `None` leaves what lies under.
        paper: Option<Color>,
    },
    /// One bit each, a JBIG2 embedded stream (ITU-T T.88, no file header): ones are ink.
    Jbig2 {
        /// Page segments.
        data: Vec<u8>,
        /// Global segments; may be empty.
        globals: Vec<u8>,
        /// Colour of ones.
        ink: Color,
        /// Colour of zeros; `None` leaves what lies under.
        paper: Option<Color>,
    },
    /// One byte each, 0 black to 255 white.
    Gray(Vec<u8>),
    /// Three bytes each: red, green, blue.
    Rgb(Vec<u8>),
    /// A JPEG file (baseline or progressive; 1 component grey, 3 YCbCr or RGB, 4 CMYK or YCCK as its markers say).
    Jpeg(Vec<u8>),
}

impl Image {
    /// A picture of `width` x `height` samples. Whether `samples` holds as many is the maker's duty for [`Samples::Bits`],
    /// [`Samples::Gray`] and [`Samples::Rgb`]; renderers treat what is missing as paper.
    pub fn new(width: u32, height: u32, samples: Samples) -> Image {
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        let color = |color: &Color| [color.r, color.g, color.b];
        let two = |ink: &Color, paper: &Option<Color>| {
            let mut all = color(ink).to_vec();
            all.extend(paper.iter().flat_map(color));
            all
        };
        let id = match &samples {
            Samples::Bits { data, ink, paper } => ContentId::of(&[b"bits", &size, &two(ink, paper), data]),
            Samples::Ccitt { data, k, aligned, black_is_ink, ink, paper } => {
                let how = [k.to_be_bytes()[0], u8::from(*aligned), u8::from(*black_is_ink)];
                ContentId::of(&[b"ccitt", &size, &how, &two(ink, paper), data])
            }
            Samples::Jbig2 { data, globals, ink, paper } => {
                ContentId::of(&[b"jbig2", &size, &two(ink, paper), globals, data])
            }
            Samples::Gray(data) => ContentId::of(&[b"gray", &size, data]),
            Samples::Rgb(data) => ContentId::of(&[b"rgb", &size, data]),
            Samples::Jpeg(data) => ContentId::of(&[b"jpeg", &size, data]),
        };
        Image(Arc::new(ImageData { id, width, height, samples }))
    }

    /// What tells it from others.
    pub fn id(&self) -> ContentId {
        self.0.id
    }

    /// Samples in a row.
    pub fn width(&self) -> u32 {
        self.0.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.0.height
    }

    /// The samples.
    pub fn samples(&self) -> &Samples {
        &self.0.samples
    }

    /// Bytes that its samples take as they are held.
    pub fn held_bytes(&self) -> usize {
        match &self.0.samples {
            Samples::Bits { data, .. }
            | Samples::Ccitt { data, .. }
            | Samples::Gray(data)
            | Samples::Rgb(data)
            | Samples::Jpeg(data) => data.len(),
            Samples::Jbig2 { data, globals, .. } => data.len().saturating_add(globals.len()),
        }
    }

    /// Bytes that its samples take when they are laid out: eight in a byte where they are bits. A JPEG counts as one of
    /// three colours.
    pub fn laid_out_bytes(&self) -> usize {
        let (width, height) = (self.0.width as usize, self.0.height as usize);
        let row = match &self.0.samples {
            Samples::Bits { .. } | Samples::Ccitt { .. } | Samples::Jbig2 { .. } => width.div_ceil(8),
            Samples::Gray(_) => width,
            Samples::Rgb(_) | Samples::Jpeg(_) => width.saturating_mul(3),
        };
        row.saturating_mul(height)
    }

    /// Whether it is held in a coding, and laid out only while it is drawn.
    pub fn is_coded(&self) -> bool {
        matches!(&self.0.samples, Samples::Ccitt { .. } | Samples::Jbig2 { .. } | Samples::Jpeg(_))
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image").field("width", &self.0.width).field("height", &self.0.height).finish_non_exhaustive()
    }
}

impl PartialEq for Image {
    fn eq(&self, other: &Image) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Image {}

/// An [`Image`] at its place.
///
/// The picture's top left corner lies at (`x`, `y`); its rows run in the direction that `turns` gives (as the baseline of a
/// text run does), `width` is measured along its rows and `height` across them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedImage {
    /// Where the first sample lies.
    pub x: Lu,
    /// Where the first sample lies.
    pub y: Lu,
    /// Length of a row.
    pub width: Lu,
    /// Extent of all rows.
    pub height: Lu,
    /// Direction of the rows, in quarter turns clockwise (0 to 3).
    pub turns: u8,
    /// The picture.
    pub image: Image,
    /// Nothing outside this rectangle (left, top, width, height on the page) is painted.
    pub clip: Option<[Lu; 4]>,
    /// What it shows, for people who cannot see it; empty when nothing is known.
    pub alt: String,
}
