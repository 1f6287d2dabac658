//! BMP files (device independent bit maps of Windows and OS/2), not compressed.

use super::{Fault, Numbers, Picture, spend};
use crate::page::{Color, Samples};

/// Decodes a BMP file; `ink` is the colour of bilevel ones.
pub fn picture(data: &[u8], ink: Color, budget: &mut usize) -> Result<Picture, Fault> {
    let numbers = Numbers { data, little: true };
    let header = numbers.u32(14) as usize;
    let old = header == 12;
    let (width, height, bits) = match old {
        true => (i32::from(numbers.u16(18)), i32::from(numbers.u16(20)), numbers.u16(24)),
        false => (numbers.u32(18).cast_signed(), numbers.u32(22).cast_signed(), numbers.u16(28)),
    };
    let compression = if old { 0 } else { numbers.u32(30) };
    if !matches!((compression, bits), (0, 1 | 4 | 8 | 24 | 32) | (3, 32)) {
        return Err(Fault::Model(u8::try_from(bits).unwrap_or(0)));
    }
    let upright = height < 0;
    let (width, height) = (u32::try_from(width).map_err(|_| Fault::Damaged)?, height.unsigned_abs());
    spend(budget, width, height, 3)?;
    let dots = |at: usize| f64::from(numbers.u32(at)) * 0.0254;
    let resolution = if old { None } else { Some([dots(38), dots(42)]) };
    let entry = if old { 3 } else { 4 };
    let table = data.get(14 + header..).unwrap_or_default();
    let color = |index: usize| match table.get(index * entry..).and_then(<[u8]>::first_chunk) {
        Some([blue, green, red]) => [*red, *green, *blue],
        None => [0; 3],
    };
    let stride = (width as usize * usize::from(bits)).div_ceil(32) * 4;
    let pixels = data.get(numbers.u32(10) as usize..).unwrap_or_default();
    let row = |y: u32| {
        let y = if upright { y } else { height - 1 - y } as usize;
        pixels.get(y * stride..).unwrap_or_default()
    };
    let damaged = pixels.len() < stride.saturating_mul(height as usize);
    let samples = if bits == 1 {
        let dark = |index: usize| color(index).iter().map(|part| u32::from(*part)).sum::<u32>() < 383;
        // Ones are ink where the second colour is the darker one.
        let inverted = dark(0) && !dark(1);
        let bytes = width.div_ceil(8) as usize;
        let mut bits = Vec::with_capacity(bytes * height as usize);
        for y in 0..height {
            let row = row(y);
            bits.extend((0..bytes).map(|at| row.get(at).map_or(0, |byte| if inverted { !byte } else { *byte })));
        }
        Samples::Bits { data: bits, ink, paper: None }
    } else {
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        for y in 0..height {
            let row = row(y);
            for x in 0..width as usize {
                rgb.extend(match bits {
                    4 => color(usize::from(row.get(x / 2).copied().unwrap_or(0) >> (4 - x % 2 * 4) & 15)),
                    8 => color(usize::from(row.get(x).copied().unwrap_or(0))),
                    _ => match row.get(x * usize::from(bits / 8)..).and_then(<[u8]>::first_chunk) {
                        Some([blue, green, red]) => [*red, *green, *blue],
                        None => [255; 3],
                    },
                });
            }
        }
        Samples::Rgb(rgb)
    };
    Ok(Picture { width, height, samples, resolution, mask: None, damaged })
}
