//! Pictures as PDF knows them. What the stream coded in a way that PDF knows stays as it is; the rest is deflated.
//!
//! Two-coloured pictures without paper are stencils: the writer paints through them with its fill colour, or they are
//! the mask of a single pixel of ink ([`Ink::Inside`]) where the writer has no say in the colour.

use std::borrow::Cow;
use std::fmt::Write;

use super::file::{Id, PdfFile, squeezed};
use crate::page::pixels::{self, Values};
use crate::page::{Color, Image, PlacedImage, Samples};
use crate::render::RenderError;

/// Pictures of more samples than this are not drawn.
const SAMPLE_LIMIT: u64 = 1 << 29;
/// A picture that is not coded takes at most this many bytes.
const BYTE_LIMIT: usize = 1 << 29;

const BLACK: Color = Color::BLACK;
const WHITE: Color = Color { r: 255, g: 255, b: 255 };

/// Who knows the colour of a stencil.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// The writer sets the fill colour before it draws.
    Outside,
    /// The picture itself.
    Inside,
}

/// What the samples of a picture mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    Gray,
    Rgb,
    /// Zeros are painted in this colour; ones leave what lies under.
    Stencil(Color),
    /// Zeros and ones.
    Two([Color; 2]),
}

enum Coding<'i> {
    Flate(Cow<'i, [u8]>),
    /// Compressed already.
    Deflated(Vec<u8>),
    Ccitt(&'i [u8], String),
    Jbig2(&'i [u8], &'i [u8]),
    Jpeg(&'i [u8]),
}

struct Picture<'i> {
    width: u32,
    height: u32,
    space: Space,
    /// Zeros and ones mean each other.
    turned: bool,
    coding: Coding<'i>,
}

/// Writes a picture under `id`. Gives the colour to fill with before it is drawn, if it is a stencil and its ink comes from
/// outside. A picture that cannot be read becomes an empty stencil.
pub fn write(file: &mut PdfFile<'_>, id: Id, image: &Image, ink: Ink) -> Result<Option<Color>, RenderError> {
    picture(image).unwrap_or_else(empty).put(file, id, ink)
}

/// A picture that waits to be written: in its own coding or deflated, so that many of them take little memory.
pub enum Packed {
    /// In its own coding.
    Coded(Image),
    /// Deflated.
    Deflated(Deflated),
}

/// A deflated picture.
pub struct Deflated(Picture<'static>);

impl Packed {
    /// Packs a picture. What cannot be packed waits as it is, and fails when it is written.
    pub fn of(image: &Image) -> Packed {
        let picture = picture(image).unwrap_or_else(empty);
        let Coding::Flate(data) = &picture.coding else { return Packed::Coded(image.clone()) };
        let Ok(data) = squeezed(data) else { return Packed::Coded(image.clone()) };
        let Picture { width, height, space, turned, .. } = picture;
        Packed::Deflated(Deflated(Picture { width, height, space, turned, coding: Coding::Deflated(data) }))
    }

    /// Writes it under `id`, with its ink inside.
    pub fn write(&self, file: &mut PdfFile<'_>, id: Id) -> Result<(), RenderError> {
        match self {
            Packed::Coded(image) => write(file, id, image, Ink::Inside)?,
            Packed::Deflated(Deflated(picture)) => picture.put(file, id, Ink::Inside)?,
        };
        Ok(())
    }
}

impl Picture<'_> {
    /// Writes the picture and what gives it its colour.
    fn put(&self, file: &mut PdfFile<'_>, id: Id, ink: Ink) -> Result<Option<Color>, RenderError> {
        match (self.space, ink) {
            (Space::Stencil(color), Ink::Inside) if color != BLACK => {
                let mask = file.reserve();
                self.write(file, mask)?;
                let pixel = Picture {
                    width: 1,
                    height: 1,
                    space: Space::Rgb,
                    turned: false,
                    coding: Coding::Flate(vec![color.r, color.g, color.b].into()),
                };
                let dict = format!("{}/Mask {mask}", pixel.dictionary());
                file.stream(id, &dict, &[color.r, color.g, color.b])?;
                Ok(None)
            }
            (Space::Stencil(color), _) => {
                self.write(file, id)?;
                Ok(Some(color))
            }
            _ => {
                self.write(file, id)?;
                Ok(None)
            }
        }
    }
}

/// The matrix that brings the unit square to the picture's place, where y grows upwards and the picture's first sample lies
/// at the point given. In 1/1000 point.
pub fn matrix(image: &PlacedImage, [x, y]: [i64; 2]) -> [i64; 6] {
    let (width, height) = (i64::from(image.width.0) * 5, i64::from(image.height.0) * 5);
    match image.turns % 4 {
        0 => [width, 0, 0, height, x, y - height],
        1 => [0, -width, height, 0, x - height, y],
        2 => [-width, 0, 0, -height, x, y + height],
        _ => [0, width, -height, 0, x + height, y],
    }
}

impl Picture<'_> {
    fn write(&self, file: &mut PdfFile<'_>, id: Id) -> Result<(), RenderError> {
        let dict = self.dictionary();
        match &self.coding {
            Coding::Flate(data) => file.stream(id, &dict, data),
            Coding::Deflated(data) => file.raw_stream(id, &format!("{dict}/Filter/FlateDecode"), data),
            Coding::Jpeg(data) => file.raw_stream(id, &format!("{dict}/Filter/DCTDecode"), data),
            Coding::Ccitt(data, how) => {
                file.raw_stream(id, &format!("{dict}/Filter/CCITTFaxDecode/DecodeParms<<{how}>>"), data)
            }
            Coding::Jbig2(data, []) => file.raw_stream(id, &format!("{dict}/Filter/JBIG2Decode"), data),
            Coding::Jbig2(data, globals) => {
                let shared = file.reserve();
                file.raw_stream(shared, "", globals)?;
                let dict = format!("{dict}/Filter/JBIG2Decode/DecodeParms<</JBIG2Globals {shared}>>");
                file.raw_stream(id, &dict, data)
            }
        }
    }

    fn dictionary(&self) -> String {
        let mut dict = format!("/Type/XObject/Subtype/Image/Width {}/Height {}", self.width, self.height);
        let turned = if self.turned { "/Decode[1 0]" } else { "" };
        let _ = match self.space {
            Space::Gray => write!(dict, "/ColorSpace/DeviceGray/BitsPerComponent 8"),
            Space::Rgb => write!(dict, "/ColorSpace/DeviceRGB/BitsPerComponent 8"),
            Space::Stencil(_) => write!(dict, "/ImageMask true/BitsPerComponent 1{turned}"),
            Space::Two([BLACK, WHITE]) => write!(dict, "/ColorSpace/DeviceGray/BitsPerComponent 1{turned}"),
            Space::Two(both) => {
                let [zero, one] = if self.turned { [both[1], both[0]] } else { both };
                let hex = |c: Color| format!("{:02X}{:02X}{:02X}", c.r, c.g, c.b);
                let (zero, one) = (hex(zero), hex(one));
                write!(dict, "/ColorSpace[/Indexed/DeviceRGB 1<{zero}{one}>]/BitsPerComponent 1")
            }
        };
        dict
    }
}

fn picture(image: &Image) -> Option<Picture<'_>> {
    let (width, height) = (image.width(), image.height());
    if width == 0 || height == 0 || u64::from(width) * u64::from(height) > SAMPLE_LIMIT {
        return None;
    }
    let two = |ink: Color, paper: Option<Color>| match paper {
        Some(paper) => Space::Two([ink, paper]),
        None => Space::Stencil(ink),
    };
    let plain = |space, turned, coding| Some(Picture { width, height, space, turned, coding });
    match image.samples() {
        Samples::Bits { data, ink, paper } => {
            let data = whole(data, (width as usize).div_ceil(8), height, 0)?;
            plain(two(*ink, *paper), true, Coding::Flate(data))
        }
        Samples::Ccitt { data, k, aligned, black_is_ink, ink, paper } => {
            let mut how = format!("/K {k}/Columns {width}/Rows {height}");
            if *aligned {
                how.push_str("/EncodedByteAlign true");
            }
            plain(two(*ink, *paper), !black_is_ink, Coding::Ccitt(data, how))
        }
        Samples::Jbig2 { data, globals, ink, paper } => plain(two(*ink, *paper), false, Coding::Jbig2(data, globals)),
        Samples::Gray(data) => plain(Space::Gray, false, Coding::Flate(whole(data, width as usize, height, 255)?)),
        Samples::Rgb(data) => plain(Space::Rgb, false, Coding::Flate(whole(data, width as usize * 3, height, 255)?)),
        Samples::Jpeg(data) => jpeg(image, data),
    }
}

/// A JPEG stays one; but CMYK has no place beside the sRGB output intent of PDF/A.
fn jpeg<'i>(image: &'i Image, data: &'i [u8]) -> Option<Picture<'i>> {
    let frame = Frame::of(data)?;
    let space = match (frame.components, frame.bits) {
        (1, 8) => Space::Gray,
        (3, 8) => Space::Rgb,
        _ => return decoded(image),
    };
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    Some(Picture { width, height, space, turned: false, coding: Coding::Jpeg(data) })
}

fn decoded<'i>(image: &'i Image) -> Option<Picture<'i>> {
    let pixels = pixels::pixels(image, BYTE_LIMIT).ok()?;
    let (space, data) = match pixels.values {
        Values::Gray(data) => (Space::Gray, data),
        Values::Rgb(data) => (Space::Rgb, data),
        Values::Bits { .. } => return None,
    };
    let (width, height) = (pixels.width, pixels.height);
    Some(Picture { width, height, space, turned: false, coding: Coding::Flate(data) })
}

fn empty<'i>() -> Picture<'i> {
    let coding = Coding::Flate(vec![0xFF].into());
    Picture { width: 1, height: 1, space: Space::Stencil(BLACK), turned: false, coding }
}

/// Exactly `height` rows of `stride` bytes.
fn whole(data: &[u8], stride: usize, height: u32, missing: u8) -> Option<Cow<'_, [u8]>> {
    let length = stride.checked_mul(height as usize).filter(|length| *length <= BYTE_LIMIT)?;
    match data.get(..length) {
        Some(data) => Some(data.into()),
        None => {
            let mut data = data.to_vec();
            data.resize(length, missing);
            Some(data.into())
        }
    }
}

/// What the frame header of a JPEG says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Samples in a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// 1 grey, 3 colour, 4 CMYK.
    pub components: u8,
    /// Bits of a sample.
    pub bits: u8,
}

impl Frame {
    /// Reads the header of a baseline, extended or progressive JPEG.
    pub fn of(data: &[u8]) -> Option<Frame> {
        let mut rest = data.strip_prefix(b"\xFF\xD8")?;
        loop {
            let [0xFF, marker, tail @ ..] = rest else { return None };
            match marker {
                0xFF => rest = rest.get(1..)?,
                0x01 | 0xD0..=0xD7 => rest = tail,
                0xD9 | 0xDA => return None,
                _ => {
                    let length = usize::from(u16::from_be_bytes([*tail.first()?, *tail.get(1)?]));
                    if matches!(marker, 0xC0..=0xC2) {
                        let &[bits, h1, h2, w1, w2, components, ..] = tail.get(2..length)? else { return None };
                        let (width, height) = (u16::from_be_bytes([w1, w2]), u16::from_be_bytes([h1, h2]));
                        return (width > 0 && height > 0).then_some(Frame { width, height, components, bits });
                    }
                    rest = tail.get(length.max(2)..)?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Color = Color { r: 255, g: 0, b: 0 };

    fn written(samples: Samples, ink: Ink) -> (String, Option<Color>) {
        let mut bytes = Vec::new();
        let mut file = PdfFile::start(&mut bytes).expect("start");
        let id = file.reserve();
        let color = write(&mut file, id, &Image::new(9, 2, samples), ink).expect("written");
        let end = file.reserve();
        file.finish(end, end).expect("a file");
        (String::from_utf8_lossy(&bytes).into_owned(), color)
    }

    #[test]
    fn what_pdf_can_decode_stays_as_it_is() {
        let fax = Samples::Ccitt {
            data: b"fax data".to_vec(),
            k: -1,
            aligned: true,
            black_is_ink: false,
            ink: RED,
            paper: None,
        };
        let (pdf, color) = written(fax, Ink::Outside);
        assert!(pdf.contains("/ImageMask true/BitsPerComponent 1/Decode[1 0]/Filter/CCITTFaxDecode"), "{pdf}");
        assert!(
            pdf.contains("/DecodeParms<</K -1/Columns 9/Rows 2/EncodedByteAlign true>>") && pdf.contains("fax data")
        );
        assert_eq!(color, Some(RED));
        let jbig2 =
            Samples::Jbig2 { data: b"page".to_vec(), globals: b"symbols".to_vec(), ink: BLACK, paper: Some(RED) };
        let (pdf, color) = written(jbig2, Ink::Outside);
        assert!(pdf.contains("/Indexed/DeviceRGB 1<000000FF0000>") && pdf.contains("/JBIG2Globals 2 0 R"), "{pdf}");
        assert_eq!(color, None);
    }

    #[test]
    fn a_coloured_stencil_brings_its_ink_where_the_writer_has_no_say() {
        let bits = |ink| Samples::Bits { data: vec![0x80, 0], ink, paper: None };
        assert!(written(bits(RED), Ink::Inside).0.contains("/Mask 2 0 R"));
        assert!(!written(bits(BLACK), Ink::Inside).0.contains("/Mask 2 0 R"));
    }

    #[test]
    fn a_jpeg_says_its_size_and_a_broken_one_is_drawn_as_nothing() {
        let jpeg = b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xC0\0\x0B\x08\0\x02\0\x09\x01\x01\x11\0";
        assert_eq!(Frame::of(jpeg), Some(Frame { width: 9, height: 2, components: 1, bits: 8 }));
        for cut in 0..18 {
            let (pdf, _) = written(Samples::Jpeg(jpeg[..cut].to_vec()), Ink::Outside);
            assert!(pdf.contains("/ImageMask true"), "{cut}");
        }
    }
}
