//! PNG files.

use std::io::Cursor;

use super::{Fault, Picture, Rows, spend};
use crate::page::Samples;

/// Decodes a PNG file. Transparent samples do not show; half transparent ones are mixed with white.
pub fn picture(data: &[u8], budget: &mut usize) -> Result<Picture, Fault> {
    let limits = png::Limits { bytes: *budget };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(data), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(fault)?;
    let (width, height) = (reader.info().width, reader.info().height);
    let resolution = reader.info().pixel_dims.filter(|dims| dims.unit == png::Unit::Meter).map(|dims| {
        let per_inch = |per_meter: u32| f64::from(per_meter) * 0.0254;
        [per_inch(dims.xppu), per_inch(dims.yppu)]
    });
    let bytes = reader.output_buffer_size().ok_or(Fault::TooLarge)?;
    // The decoded file, and the picture made from it.
    *budget = budget.checked_sub(bytes).ok_or(Fault::TooLarge)?;
    let mut pixels = vec![0; bytes];
    let (color, _) = reader.output_color_type();
    let damaged = reader.next_frame(&mut pixels).is_err();
    let (channels, alpha) = match color {
        png::ColorType::Grayscale => (1, false),
        png::ColorType::GrayscaleAlpha => (1, true),
        png::ColorType::Rgb => (3, false),
        _ => (3, true),
    };
    let mut mask = None;
    if alpha {
        spend(budget, width, height, channels)?;
        let (mixed, shown) = mix(&pixels, channels, width, height);
        pixels = mixed;
        mask = shown;
    }
    let samples = if channels == 1 { Samples::Gray(pixels) } else { Samples::Rgb(pixels) };
    Ok(Picture { width, height, samples, resolution, mask, damaged })
}

/// Colours over white, and which samples show at all if some do not.
fn mix(pixels: &[u8], channels: usize, width: u32, height: u32) -> (Vec<u8>, Option<Rows>) {
    let mut out = Vec::with_capacity(pixels.len());
    let stride = width.div_ceil(8) as usize;
    let mut mask = vec![0u8; stride * height as usize];
    let mut hidden = false;
    for (at, pixel) in pixels.chunks_exact(channels + 1).enumerate() {
        let Some((alpha, color)) = pixel.split_last() else { continue };
        let alpha = u32::from(*alpha);
        out.extend(color.iter().map(|value| {
            let mixed = (u32::from(*value) * alpha + 255 * (255 - alpha) + 127) / 255;
            u8::try_from(mixed).unwrap_or(255)
        }));
        let (x, y) = (at % width.max(1) as usize, at / width.max(1) as usize);
        hidden |= alpha == 0;
        if alpha > 0
            && let Some(byte) = mask.get_mut(y * stride + x / 8)
        {
            *byte |= 0x80 >> (x % 8);
        }
    }
    (out, hidden.then_some(Rows { width, height, data: mask, damaged: false }))
}

fn fault(error: png::DecodingError) -> Fault {
    match error {
        png::DecodingError::LimitsExceeded => Fault::TooLarge,
        _ => Fault::Damaged,
    }
}
