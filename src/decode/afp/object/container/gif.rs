//! GIF files: their first picture.

use weezl::BitOrder;
use weezl::decode::Configuration;

use super::{Fault, Numbers, Picture, Rows, spend};
use crate::decode::afp::object::image::rows::unpacked;
use crate::page::Samples;

const EXTENSION: u8 = 0x21;
const GRAPHIC_CONTROL: u8 = 0xF9;
const IMAGE: u8 = 0x2C;

/// Decodes the first picture of a GIF file.
pub fn picture(data: &[u8], budget: &mut usize) -> Result<Picture, Fault> {
    let flags = *data.get(10).ok_or(Fault::Damaged)?;
    let (global, mut rest) = colors(flags, data.get(13..).unwrap_or_default());
    let mut transparent = None;
    loop {
        match rest {
            [EXTENSION, kind, tail @ ..] => {
                if let (GRAPHIC_CONTROL, [4, flags, _, _, index, ..]) = (*kind, tail) {
                    transparent = (flags & 1 == 1).then_some(*index);
                }
                rest = blocks(tail).1;
            }
            [IMAGE, tail @ ..] => return image(tail, global, transparent, budget),
            _ => return Err(Fault::Damaged),
        }
    }
}

/// A table of colours, if the flags say that there is one, and what follows.
fn colors(flags: u8, data: &[u8]) -> (&[u8], &[u8]) {
    let bytes = if flags & 0x80 == 0 { 0 } else { 3 << (flags % 8 + 1) };
    data.split_at_checked(bytes).unwrap_or((data, &[]))
}

/// The data of sub-blocks, and what follows them.
fn blocks(data: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut all = Vec::new();
    let mut rest = data;
    while let [length @ 1..=255, tail @ ..] = rest {
        let (block, next) = tail.split_at_checked(usize::from(*length)).unwrap_or((tail, &[]));
        all.extend_from_slice(block);
        rest = next;
    }
    (all, rest.get(1..).unwrap_or_default())
}

fn image(data: &[u8], global: &[u8], transparent: Option<u8>, budget: &mut usize) -> Result<Picture, Fault> {
    let numbers = Numbers { data, little: true };
    let (width, height) = (u32::from(numbers.u16(4)), u32::from(numbers.u16(6)));
    let flags = *data.get(8).ok_or(Fault::Damaged)?;
    let (local, rest) = colors(flags, data.get(9..).unwrap_or_default());
    let table = if local.is_empty() { global } else { local };
    let [size @ 1..=11, rest @ ..] = rest else { return Err(Fault::Damaged) };
    spend(budget, width, height, 4)?;
    let wanted = width as usize * height as usize;
    let indices = unpacked(&mut Configuration::new(BitOrder::Lsb, *size).build(), &blocks(rest).0, wanted);
    let whole = indices.len() == wanted;
    let mut samples = vec![255; width as usize * height as usize * 3];
    let stride = width.div_ceil(8) as usize;
    let mut mask = vec![0u8; stride * height as usize];
    let lines = lines(height as usize, flags & 0x40 != 0);
    for (line, row) in lines.iter().zip(indices.chunks(width.max(1) as usize)) {
        for (x, index) in row.iter().enumerate() {
            let color = table.get(usize::from(*index) * 3..usize::from(*index) * 3 + 3).unwrap_or(&[0, 0, 0]);
            if Some(*index) == transparent {
                continue;
            }
            let at = (line * width as usize + x) * 3;
            if let Some(place) = samples.get_mut(at..at + 3) {
                place.copy_from_slice(color);
            }
            if let Some(byte) = mask.get_mut(line * stride + x / 8) {
                *byte |= 0x80 >> (x % 8);
            }
        }
    }
    let mask = transparent.map(|_| Rows { width, height, data: mask, damaged: false });
    Ok(Picture { width, height, samples: Samples::Rgb(samples), resolution: None, mask, damaged: !whole })
}

/// The order in which rows come.
fn lines(height: usize, interlaced: bool) -> Vec<usize> {
    if !interlaced {
        return (0..height).collect();
    }
    [(0, 8), (4, 8), (2, 4), (1, 2)].iter().flat_map(|(start, step)| (*start..height).step_by(*step)).collect()
}
