//! Pictures for browsers: a JPEG as it is, all others as PNG.

use std::borrow::Cow;

use crate::page::pixels::{self, Pixels, Values};
use crate::page::{Image, Samples};
use crate::render::pdf::Frame;

/// Pictures of more samples than this are not shown.
const SAMPLE_LIMIT: usize = 1 << 28;

/// Media type and bytes of a picture; none when it cannot be read.
pub fn file(image: &Image) -> Option<(&'static str, Cow<'_, [u8]>)> {
    if let Samples::Jpeg(data) = image.samples()
        && Frame::of(data).is_some_and(|frame| frame.bits == 8 && matches!(frame.components, 1 | 3))
    {
        return Some(("image/jpeg", data.into()));
    }
    let pixels = pixels::pixels(image, SAMPLE_LIMIT).ok()?;
    Some(("image/png", png(&pixels)?.into()))
}

fn png(pixels: &Pixels<'_>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width, pixels.height);
    encoder.set_compression(png::Compression::Balanced);
    let data = match &pixels.values {
        Values::Bits { data, ink, paper } => {
            let under = paper.unwrap_or(crate::page::Color { r: 255, g: 255, b: 255 });
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_depth(png::BitDepth::One);
            encoder.set_palette(vec![under.r, under.g, under.b, ink.r, ink.g, ink.b]);
            if paper.is_none() {
                encoder.set_trns(vec![0, 255]);
            }
            data
        }
        Values::Gray(data) => {
            encoder.set_color(png::ColorType::Grayscale);
            encoder.set_depth(png::BitDepth::Eight);
            data
        }
        Values::Rgb(data) => {
            encoder.set_color(png::ColorType::Rgb);
            encoder.set_depth(png::BitDepth::Eight);
            data
        }
    };
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(data).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}
