//! Pictures as pixels: for renditions that cannot keep the coding of [`Samples`].

mod jpeg;

use std::borrow::Cow;

pub use self::jpeg::jpeg_is_whole;
use super::{Color, Image, Samples};

use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The pixels of a picture, rows from the top, pixels from the left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels<'a> {
    /// Pixels in a row; a JPEG file or a JBIG2 page may state another one than its [`Image`].
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Their values: always as many as `width` and `height` say.
    pub values: Values<'a>,
    /// The coding broke off; what could not be read is paper (or white).
    pub damaged: bool,
}

/// The values of pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values<'a> {
    /// One bit each, most significant first, rows padded to a byte: 1 is ink.
    Bits {
        /// The rows.
        data: Cow<'a, [u8]>,
        /// Colour of ones.
        ink: Color,
        /// Colour of zeros; `None` leaves what lies under.
        paper: Option<Color>,
    },
    /// One byte each, 0 black to 255 white.
    Gray(Cow<'a, [u8]>),
    /// Three bytes each: red, green, blue.
    Rgb(Cow<'a, [u8]>),
}

/// Why a picture has no pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PixelError {
    /// More than allowed.
    #[error("the pixels of the picture take more than {0} bytes")]
    TooLarge(usize),
    /// Nothing of the coding could be read.
    #[error("the {0} data cannot be decoded")]
    Damaged(&'static str),
}

impl Pixels<'_> {
    /// Red, green, blue and opacity of a pixel; of none outside the picture.
    pub fn rgba(&self, x: u32, y: u32) -> [u8; 4] {
        if x >= self.width || y >= self.height {
            return [0; 4];
        }
        let (x, y, width) = (x as usize, y as usize, self.width as usize);
        match &self.values {
            Values::Bits { data, ink, paper } => {
                let byte = data.get(y * width.div_ceil(8) + x / 8).copied().unwrap_or(0);
                let inked = byte >> (7 - x % 8) & 1 == 1;
                match if inked { Some(*ink) } else { *paper } {
                    Some(color) => [color.r, color.g, color.b, 255],
                    None => [0; 4],
                }
            }
            Values::Gray(data) => {
                let value = data.get(y * width + x).copied().unwrap_or(255);
                [value, value, value, 255]
            }
            Values::Rgb(data) => match data.get((y * width + x) * 3..).and_then(<[u8]>::first_chunk) {
                Some([r, g, b]) => [*r, *g, *b, 255],
                None => [255; 4],
            },
        }
    }

    /// Whether a pixel of a picture of bits is ink; false in others and outside of the picture.
    pub fn bit(&self, x: u32, y: u32) -> bool {
        let Values::Bits { data, .. } = &self.values else { return false };
        let byte = data.get(y as usize * row_bytes(self.width) + x as usize / 8).filter(|_| x < self.width);
        byte.is_some_and(|byte| byte >> (7 - x % 8) & 1 == 1)
    }

    /// Appends one row as red, green, blue and opacity.
    pub fn row_rgba(&self, y: u32, out: &mut Vec<u8>) {
        for x in 0..self.width {
            out.extend_from_slice(&self.rgba(x, y));
        }
    }
}

/// Decodes a picture whose pixels take at most `limit` bytes (eight pixels a byte where they are bits).
pub fn pixels(image: &Image, limit: usize) -> Result<Pixels<'_>, PixelError> {
    let (width, height) = (image.width(), image.height());
    match image.samples() {
        Samples::Bits { data, ink, paper } => {
            let data = filled(data, within(row_bytes(width), height, limit)?, 0);
            Ok(plain(width, height, Values::Bits { data, ink: *ink, paper: *paper }))
        }
        Samples::Gray(data) => {
            let bytes = within(width as usize, height, limit)?;
            Ok(plain(width, height, Values::Gray(filled(data, bytes, 255))))
        }
        Samples::Rgb(data) => {
            let bytes = within(width as usize * 3, height, limit)?;
            Ok(plain(width, height, Values::Rgb(filled(data, bytes, 255))))
        }
        Samples::Ccitt { data, k, aligned, black_is_ink, ink, paper } => {
            within(row_bytes(width), height, limit)?;
            let fax = Fax { width, height, k: *k, aligned: *aligned };
            let FaxRows { mut rows, damaged, .. } = fax.decode(data);
            rows.resize(row_bytes(width) * height as usize, 0);
            if !black_is_ink {
                rows.iter_mut().for_each(|byte| *byte = !*byte);
            }
            let values = Values::Bits { data: Cow::Owned(rows), ink: *ink, paper: *paper };
            Ok(Pixels { width, height, values, damaged })
        }
        Samples::Jbig2 { data, globals, ink, paper } => {
            let (width, height, rows) = jbig2(data, globals, limit)?;
            Ok(plain(width, height, Values::Bits { data: Cow::Owned(rows), ink: *ink, paper: *paper }))
        }
        Samples::Jpeg(data) => jpeg(data, limit),
    }
}

fn plain(width: u32, height: u32, values: Values<'_>) -> Pixels<'_> {
    Pixels { width, height, values, damaged: false }
}

fn row_bytes(width: u32) -> usize {
    width.div_ceil(8) as usize
}

/// Bytes of so many rows, if that is within the limit.
fn within(row: usize, height: u32, limit: usize) -> Result<usize, PixelError> {
    row.checked_mul(height as usize).filter(|bytes| *bytes <= limit).ok_or(PixelError::TooLarge(limit))
}

fn filled(data: &[u8], bytes: usize, fill: u8) -> Cow<'_, [u8]> {
    if let Some(data) = data.get(..bytes) {
        return Cow::Borrowed(data);
    }
    let mut data = data.to_vec();
    data.resize(bytes, fill);
    Cow::Owned(data)
}

/// A CCITT coding (ITU-T T.4, T.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fax {
    /// Pixels in a row.
    pub width: u32,
    /// Rows to read at most.
    pub height: u32,
    /// As in PDF: below 0 Group 4, 0 Group 3 one-dimensional, above 0 Group 3 two-dimensional.
    pub k: i8,
    /// Rows start at a byte.
    pub aligned: bool,
}

/// What a CCITT coding held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaxRows {
    /// Rows of bits padded to bytes; 1 is black.
    pub rows: Vec<u8>,
    /// How many rows were read.
    pub count: u32,
    /// The coding broke off, or had fewer rows than asked for.
    pub damaged: bool,
}

/// How far a CCITT coding can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaxCheck {
    /// Rows that could be read.
    pub count: u32,
    /// Reading stopped at a code that is none.
    pub broken: bool,
}

impl Fax {
    fn settings(&self, strict: bool) -> DecodeSettings {
        let encoding = match self.k {
            ..0 => EncodingMode::Group4,
            0 => EncodingMode::Group3_1D,
            _ => EncodingMode::Group3_2D,
        };
        DecodeSettings {
            columns: self.width,
            rows: self.height,
            end_of_block: true,
            end_of_line: false,
            rows_are_byte_aligned: self.aligned,
            encoding,
            strict,
        }
    }

    /// Reads without keeping anything; `strict` stops at everything that T.4 and T.6 do not allow.
    pub fn check(&self, data: &[u8], strict: bool) -> FaxCheck {
        let mut sink = RowCount(0);
        if self.width == 0 || self.height == 0 {
            return FaxCheck { count: 0, broken: true };
        }
        let read = hayro_ccitt::decode(data, &mut sink, &mut DecoderContext::new(self.settings(strict)));
        FaxCheck { count: sink.0.min(self.height), broken: read.is_err() }
    }

    /// Decodes as many rows as there are.
    pub fn decode(&self, data: &[u8]) -> FaxRows {
        let mut sink = FaxSink { width: self.width, height: self.height, count: 0, rows: Vec::new() };
        if self.width == 0 || self.height == 0 {
            return FaxRows { rows: sink.rows, count: 0, damaged: true };
        }
        let read = hayro_ccitt::decode(data, &mut sink, &mut DecoderContext::new(self.settings(false)));
        FaxRows { damaged: read.is_err() || sink.count < self.height, count: sink.count, rows: sink.rows }
    }
}

struct RowCount(u32);

impl Decoder for RowCount {
    fn push_row(&mut self, _changes: &[u32]) {
        self.0 = self.0.saturating_add(1);
    }
}

struct FaxSink {
    width: u32,
    height: u32,
    count: u32,
    rows: Vec<u8>,
}

impl Decoder for FaxSink {
    fn push_row(&mut self, changes: &[u32]) {
        if self.count >= self.height {
            return;
        }
        let start = self.rows.len();
        self.rows.resize(start + row_bytes(self.width), 0);
        let row = self.rows.get_mut(start..).unwrap_or_default();
        for run in changes.chunks(2) {
            if let Some(from) = run.first() {
                blacken(row, *from, run.get(1).copied().unwrap_or(self.width).min(self.width));
            }
        }
        self.count += 1;
    }
}

/// Sets the bits `from..to` of a row.
fn blacken(row: &mut [u8], from: u32, to: u32) {
    let (first, last) = ((from / 8) as usize, (to / 8) as usize);
    let head = 0xffu8 >> (from % 8);
    let tail = !(0xffu16 >> (to % 8)) as u8;
    if from >= to {
        return;
    }
    if first == last {
        if let Some(byte) = row.get_mut(first) {
            *byte |= head & tail;
        }
        return;
    }
    if let Some(byte) = row.get_mut(first) {
        *byte |= head;
    }
    if let Some(bytes) = row.get_mut(first + 1..last) {
        bytes.fill(0xff);
    }
    if let Some(byte) = row.get_mut(last) {
        *byte |= tail;
    }
}

struct Bits {
    width: u32,
    x: u32,
    rows: Vec<u8>,
}

impl hayro_jbig2::Decoder for Bits {
    fn push_pixel(&mut self, black: bool) {
        if self.x.is_multiple_of(8) {
            self.rows.push(0);
        }
        if black && let Some(byte) = self.rows.last_mut() {
            *byte |= 0x80 >> (self.x % 8);
        }
        self.x += 1;
    }

    fn push_pixel_chunk(&mut self, black: bool, chunk_count: u32) {
        let bytes = self.rows.len() + chunk_count as usize;
        self.rows.resize(bytes, if black { 0xff } else { 0 });
        self.x += chunk_count * 8;
    }

    fn next_line(&mut self) {
        debug_assert_eq!(self.x, self.width);
        self.x = 0;
    }
}

/// Width and height of the page in a JBIG2 embedded stream; `None` when it has none.
pub fn jbig2_size(data: &[u8]) -> Option<(u32, u32)> {
    let settings = hayro_jbig2::DecodeSettings { strict: false };
    let page = hayro_jbig2::Page::new_embedded(data, None, &settings).ok()?;
    Some((page.width(), page.height()))
}

/// Whether the page in a JBIG2 embedded stream can be read to its end, to the letter. Takes memory for its bits.
pub fn jbig2_is_whole(data: &[u8]) -> bool {
    let settings = hayro_jbig2::DecodeSettings { strict: true };
    let page = hayro_jbig2::Page::new_embedded(data, None, &settings);
    page.is_ok_and(|page| page.decode(&mut Nothing).is_ok())
}

/// Takes pixels and forgets them.
struct Nothing;

impl hayro_jbig2::Decoder for Nothing {
    fn push_pixel(&mut self, _black: bool) {}
    fn push_pixel_chunk(&mut self, _black: bool, _chunk_count: u32) {}
    fn next_line(&mut self) {}
}

/// Width, height and rows of bits (1 is black) of a JBIG2 embedded stream.
fn jbig2(data: &[u8], globals: &[u8], limit: usize) -> Result<(u32, u32, Vec<u8>), PixelError> {
    const DAMAGED: PixelError = PixelError::Damaged("JBIG2");
    let settings = hayro_jbig2::DecodeSettings { strict: false };
    let globals = match globals {
        [] => None,
        globals => Some(hayro_jbig2::Globals::new(globals, &settings).map_err(|_| DAMAGED)?),
    };
    let page = hayro_jbig2::Page::new_embedded(data, globals.as_ref(), &settings).map_err(|_| DAMAGED)?;
    let (width, height) = (page.width(), page.height());
    within(row_bytes(width), height, limit)?;
    let mut bits = Bits { width, x: 0, rows: Vec::with_capacity(row_bytes(width) * height as usize) };
    page.decode(&mut bits).map_err(|_| DAMAGED)?;
    bits.rows.resize(row_bytes(width) * height as usize, 0);
    Ok((width, height, bits.rows))
}

fn jpeg(data: &[u8], limit: usize) -> Result<Pixels<'_>, PixelError> {
    const DAMAGED: PixelError = PixelError::Damaged("JPEG");
    let options = DecoderOptions::default().set_max_width(65_535).set_max_height(65_535).set_strict_mode(false);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    decoder.decode_headers().map_err(|_| DAMAGED)?;
    let (info, space) = (decoder.info().ok_or(DAMAGED)?, decoder.input_colorspace().ok_or(DAMAGED)?);
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let wanted = match space {
        ColorSpace::Luma => ColorSpace::Luma,
        ColorSpace::CMYK => ColorSpace::CMYK,
        _ => ColorSpace::RGB,
    };
    // A progressive file keeps two bytes for every coefficient beside its pixels.
    let each = wanted.num_components() * if info.sof.is_progressive() { 2 } else { 1 };
    within(width as usize * each, height, limit)?;
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let bytes = decoder.decode().map_err(|_| DAMAGED)?;
    let values = match wanted {
        ColorSpace::Luma => Values::Gray(filled_owned(bytes, width as usize * height as usize)),
        ColorSpace::CMYK => {
            let rgb = cmyk_to_rgb(bytes, adobe(data));
            Values::Rgb(filled_owned(rgb, width as usize * height as usize * 3))
        }
        _ => Values::Rgb(filled_owned(bytes, width as usize * height as usize * 3)),
    };
    Ok(plain(width, height, values))
}

fn filled_owned<'a>(mut data: Vec<u8>, bytes: usize) -> Cow<'a, [u8]> {
    data.resize(bytes, 255);
    Cow::Owned(data)
}

/// Adobe's files hold paper where CMYK has ink.
fn cmyk_to_rgb(mut data: Vec<u8>, inverted: bool) -> Vec<u8> {
    let pixels = data.len() / 4;
    for pixel in 0..pixels {
        let Some([c, m, y, k]) = data.get(pixel * 4..).and_then(<[u8]>::first_chunk).copied() else { break };
        let mix = |ink: u8| {
            let (ink, black) = if inverted { (255 - ink, 255 - k) } else { (ink, k) };
            Color::of_cmyk_channel(ink, black)
        };
        let rgb = [mix(c), mix(m), mix(y)];
        if let Some(place) = data.get_mut(pixel * 3..pixel * 3 + 3) {
            place.copy_from_slice(&rgb);
        }
    }
    data.truncate(pixels * 3);
    data
}

impl Color {
    /// One channel of RGB from its complementary ink and black, 0 none to 255 full.
    pub fn of_cmyk_channel(ink: u8, black: u8) -> u8 {
        let light = (255 - u32::from(ink)) * (255 - u32::from(black));
        u8::try_from((light + 127) / 255).unwrap_or(255)
    }
}

/// What the frame header of a JPEG file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JpegFrame {
    /// Samples in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Components.
    pub components: u8,
    /// Bits of a sample of a component.
    pub precision: u8,
    /// Huffman coded, sequential or progressive: what a PDF and a browser can show.
    pub common: bool,
}

impl JpegFrame {
    /// Bytes that its samples take when they are decoded; a progressive file keeps two bytes for each coefficient meanwhile.
    pub fn laid_out_bytes(&self) -> usize {
        (self.width as usize).saturating_mul(self.height as usize).saturating_mul(usize::from(self.components))
    }
}

/// Finds the frame header.
pub fn jpeg_frame(data: &[u8]) -> Option<JpegFrame> {
    for (marker, body) in segments(data) {
        if !matches!(marker, 0xc0..=0xcf) || matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            continue;
        }
        let [precision, y, yy, x, xx, components, ..] = body else { return None };
        return Some(JpegFrame {
            width: u32::from(u16::from_be_bytes([*x, *xx])),
            height: u32::from(u16::from_be_bytes([*y, *yy])),
            components: *components,
            precision: *precision,
            common: matches!(marker, 0xc0..=0xc2) && *precision == 8 && matches!(components, 1 | 3 | 4),
        });
    }
    None
}

/// Dots per inch across and down that the JFIF marker states.
pub fn jfif_density(data: &[u8]) -> Option<[f64; 2]> {
    for (marker, body) in segments(data) {
        if marker == 0xe0
            && let [b'J', b'F', b'I', b'F', 0, _, _, unit, x, xx, y, yy, ..] = body
        {
            let per_inch = match unit {
                1 => 1.0,
                2 => 2.54,
                _ => return None,
            };
            let density = |high: &u8, low: &u8| f64::from(u16::from_be_bytes([*high, *low])) * per_inch;
            let [across, down] = [density(x, xx), density(y, yy)];
            return (across > 0.0 && down > 0.0).then_some([across, down]);
        }
    }
    None
}

/// Whether a JPEG file has Adobe's APP14 marker.
pub fn adobe(data: &[u8]) -> bool {
    segments(data).any(|(marker, body)| marker == 0xee && body.starts_with(b"Adobe"))
}

/// Marker segments up to the first scan: marker and data.
fn segments(data: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = if data.starts_with(&[0xff, 0xd8]) { data.get(2..).unwrap_or_default() } else { &[] };
    std::iter::from_fn(move || {
        loop {
            let [0xff, marker, tail @ ..] = rest else { return None };
            match marker {
                0xff => rest = rest.get(1..)?,
                0x01 | 0xd0..=0xd8 => rest = tail,
                0xda | 0xd9 => return None,
                _ => {
                    let length = usize::from(u16::from_be_bytes(*tail.first_chunk()?));
                    let (segment, next) = tail.split_at_checked(length.max(2))?;
                    rest = next;
                    return Some((*marker, segment.get(2..).unwrap_or_default()));
                }
            }
        }
    })
}

#[cfg(test)]
mod tests;
