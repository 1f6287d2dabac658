//! A piece of an image as a picture: kept in its coding where a page can hold that, otherwise decoded.

use std::borrow::Cow;

use super::mask::windows;
use super::rows::{Fault, JBIG2, JPEG, Rows, SOLID, Shape};
use super::samples::{Plane, as_they_are, bilevel, gray, samples, spread};
use super::segment::{Coding, Piece};
use crate::decode::afp::color;
use crate::page::pixels::{self, Values, jpeg_frame, jpeg_is_whole};
use crate::page::{Color, Image, Samples};

/// A picture in the presentation space, whose points are the unit of all numbers here.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The picture.
    pub image: Image,
    /// Its left and top edge, width and height.
    pub at: [f64; 4],
    /// The parts that show, likewise; empty when all of it does.
    pub windows: Vec<[f64; 4]>,
    /// Its data broke off.
    pub damaged: bool,
    /// Transparent points were painted white: there were too many parts that show.
    pub opaque: bool,
}

/// Draws a piece: `ink` is the colour of bilevel images, `mask` says which points of the presentation space show.
/// What is laid out in memory is taken off `budget`, in bytes.
pub fn draw(piece: &Piece<'_>, ink: Color, mask: Option<&Rows>, budget: &mut usize) -> Result<Drawn, Fault> {
    let ink = piece.color.and_then(tile_color).unwrap_or(ink);
    if bilevel(&piece.coding) && piece.coding.compression != JPEG {
        return match mask {
            None => draw_bits(piece, ink, budget),
            Some(mask) => draw_masked_bits(piece, ink, mask, budget),
        };
    }
    let mut drawn = match piece.coding.compression {
        JPEG if piece.bands.is_empty() => draw_jpeg(piece, *budget)?,
        _ => draw_samples(piece, budget)?,
    };
    if let Some(mask) = mask {
        show_only(&mut drawn, piece, mask, budget)?;
    }
    Ok(drawn)
}

/// Tile Set Color has three reserved bytes where other colour specifications have four.
fn tile_color(spec: &[u8]) -> Option<Color> {
    let (space, rest) = spec.split_first()?;
    color::color(&[&[*space, 0], rest].concat())
}

/// The place of a piece whose samples are counted.
fn at(piece: &Piece<'_>, width: u32, height: u32) -> [f64; 4] {
    let [x, y] = piece.origin.map(f64::from);
    let relative = f64::from(piece.relative);
    [x, y, f64::from(width) * relative, f64::from(height) * relative]
}

fn whole(image: Image, at: [f64; 4], damaged: bool) -> Drawn {
    Drawn { image, at, windows: Vec::new(), damaged, opaque: false }
}

fn draw_bits(piece: &Piece<'_>, ink: Color, budget: &mut usize) -> Result<Drawn, Fault> {
    let [width, height] = piece.size;
    let coding = &piece.coding;
    let bits = |data: Vec<u8>| Samples::Bits { data, ink, paper: None };
    if coding.compression == SOLID {
        return Ok(whole(Image::new(1, 1, bits(vec![0x80])), at(piece, width, height), false));
    }
    let data = data(piece);
    if coding.compression == JBIG2 {
        return draw_jbig2(piece, &data, ink, budget);
    }
    let shape = shape(coding, piece.size, 1, 1);
    if shape.keeps()
        && let Ok(kept) = shape.keep(&data)
    {
        let (fax, damaged) = (kept.fax, kept.damaged);
        if (fax.width.div_ceil(8) as usize).saturating_mul(fax.height as usize) > *budget {
            return Err(Fault::TooLarge);
        }
        let samples = Samples::Ccitt {
            data: kept.data.into_owned(),
            k: fax.k,
            aligned: fax.aligned,
            black_is_ink: true,
            ink,
            paper: None,
        };
        let mut drawn = whole(Image::new(fax.width, fax.height, samples), at(piece, fax.width, fax.height), damaged);
        if width > 0 && fax.width > width {
            drawn.windows.push(at(piece, width, fax.height));
        }
        return Ok(drawn);
    }
    let rows = shape.rows(&data, *budget)?;
    spend(budget, rows.data.len())?;
    let image = Image::new(rows.width, rows.height, bits(rows.data));
    Ok(whole(image, at(piece, rows.width, rows.height), rows.damaged))
}

fn draw_jbig2(piece: &Piece<'_>, data: &[u8], ink: Color, budget: &mut usize) -> Result<Drawn, Fault> {
    /// Head of a JBIG2 file (ITU-T T.88, annex D.4).
    const MAGIC: &[u8] = &[0x97, b'J', b'B', b'2', 0x0D, 0x0A, 0x1A, 0x0A];
    const SEQUENTIAL: u8 = 1;
    const PAGES_UNKNOWN: u8 = 2;
    let segments = match data.strip_prefix(MAGIC) {
        None => data,
        Some([flags, rest @ ..]) if flags & SEQUENTIAL != 0 => {
            rest.get(if flags & PAGES_UNKNOWN != 0 { 0 } else { 4 }..).unwrap_or_default()
        }
        Some(_) => return Err(Fault::Damaged),
    };
    let (width, height) = pixels::jbig2_size(segments).ok_or(Fault::Damaged)?;
    if (width as usize).saturating_mul(height as usize) / 8 > *budget {
        return Err(Fault::TooLarge);
    }
    let damaged = !pixels::jbig2_is_whole(segments);
    let samples = Samples::Jbig2 { data: segments.to_vec(), globals: Vec::new(), ink, paper: None };
    Ok(whole(Image::new(width, height, samples), at(piece, width, height), damaged))
}

/// Bits and a mask become bits of the mask's resolution.
fn draw_masked_bits(piece: &Piece<'_>, ink: Color, mask: &Rows, budget: &mut usize) -> Result<Drawn, Fault> {
    let drawn = draw_bits(piece, ink, budget)?;
    let decoded = pixels::pixels(&drawn.image, *budget).map_err(|_| Fault::TooLarge)?;
    let Values::Bits { data, .. } = &decoded.values else { return Err(Fault::Damaged) };
    let [x, y, width, height] = drawn.at;
    let (stride, from) = (mask.width.div_ceil(8) as usize, decoded.width.div_ceil(8) as usize);
    spend(budget, stride * mask.height as usize)?;
    let mut out = mask.data.clone();
    // A solid fill is one sample for the whole tile.
    let solid = piece.coding.compression == SOLID;
    let relative = u32::from(piece.relative);
    for row in 0..mask.height {
        for column in 0..mask.width {
            let (across, down) = if solid { (0, 0) } else { (column / relative, row / relative) };
            let byte = data.get(down as usize * from + across as usize / 8).copied().unwrap_or(0);
            let inked = across < decoded.width && byte >> (7 - across % 8) & 1 == 1;
            if !inked && let Some(byte) = out.get_mut(row as usize * stride + column as usize / 8) {
                *byte &= !(0x80 >> (column % 8));
            }
        }
    }
    let (across, down) = (f64::from(mask.width).min(width), f64::from(mask.height).min(height));
    let image = Image::new(mask.width, mask.height, Samples::Bits { data: out, ink, paper: None });
    let at = [x, y, f64::from(mask.width), f64::from(mask.height)];
    let mut masked = whole(image, at, drawn.damaged);
    if across < at[2] || down < at[3] {
        masked.windows.push([x, y, across, down]);
    }
    Ok(masked)
}

/// A JPEG file stays one. In a tile it is padded: to the left and the top up to a multiple of 8 samples of the presentation
/// space, to the right and the bottom at will (IOCA reference, "Tile Size", note 6).
fn draw_jpeg(piece: &Piece<'_>, budget: usize) -> Result<Drawn, Fault> {
    let data = data(piece);
    let frame = jpeg_frame(&data).ok_or(Fault::Damaged)?;
    if !frame.common {
        return Err(Fault::JPEG_KIND);
    }
    if frame.laid_out_bytes() > budget {
        return Err(Fault::TooLarge);
    }
    let damaged = !jpeg_is_whole(&data);
    let image = Image::new(frame.width, frame.height, Samples::Jpeg(data.into_owned()));
    let mut drawn = whole(image, at(piece, frame.width, frame.height), damaged);
    let [width, height] = piece.size;
    if piece.tile && width > 0 && height > 0 && (frame.width, frame.height) != (width, height) {
        let relative = u32::from(piece.relative);
        let pad = |origin: u32, size: u32, coded: u32| {
            let pad = origin / relative % 8;
            f64::from(if pad + size <= coded { pad } else { 0 } * relative)
        };
        let [x, y] = piece.origin;
        drawn.at[0] -= pad(x, width, frame.width);
        drawn.at[1] -= pad(y, height, frame.height);
        drawn.windows.push(at(piece, width, height));
    }
    Ok(drawn)
}

fn draw_samples(piece: &Piece<'_>, budget: &mut usize) -> Result<Drawn, Fault> {
    let coding = &piece.coding;
    let planes = planes(piece, budget)?;
    let first = planes.first().map(|plane| &plane.rows).ok_or(Fault::Damaged)?;
    let width = if piece.size[0] == 0 { first.width } else { piece.size[0] };
    let height = planes.iter().map(|plane| plane.rows.height).max().unwrap_or(0);
    let damaged = planes.iter().any(|plane| plane.rows.damaged);
    if !as_they_are(coding, &planes) {
        let channels = if gray(coding) { 1 } else { 3 };
        spend(budget, (width as usize).saturating_mul(height as usize).saturating_mul(channels))?;
    }
    let image = Image::new(width, height, samples(coding, planes, width, height)?);
    Ok(whole(image, at(piece, width, height), damaged))
}

/// The bands, or the one plane of all elements.
fn planes(piece: &Piece<'_>, budget: &mut usize) -> Result<Vec<Plane>, Fault> {
    let coding = &piece.coding;
    if piece.bands.is_empty() {
        let data = data(piece);
        if coding.halved && coding.bits == 24 {
            let pairs = shape(coding, [piece.size[0].div_ceil(2), piece.size[1]], 32, 1).rows(&data, *budget)?;
            spend(budget, pairs.data.len().saturating_mul(2))?;
            return Ok(vec![Plane { rows: spread(&pairs), bits: 24 }]);
        }
        let components =
            coding.structure.as_ref().map_or(1, |structure| structure.sizes.iter().filter(|size| **size > 0).count());
        let rows = shape(coding, piece.size, u32::from(coding.bits), components).rows(&data, *budget)?;
        spend(budget, rows.data.len())?;
        return Ok(vec![Plane { rows, bits: u32::from(coding.bits) }]);
    }
    let count =
        piece.bands.iter().map(|(band, _)| *band).max().unwrap_or(0).max(u8::try_from(coding.bands.len()).unwrap_or(0));
    let mut planes = Vec::new();
    for band in 1..=count {
        let parts: Vec<&[u8]> =
            piece.bands.iter().filter(|(number, _)| *number == band).map(|(_, data)| *data).collect();
        let data = ordered(joined(&parts), coding.reversed);
        let bits = coding.bands.get(usize::from(band) - 1).copied().map_or(8, u32::from);
        let shape = shape(coding, piece.size, bits, 1);
        // A band without data is all zeros.
        let rows = match (data.is_empty(), coding.compression) {
            (true, _) => Rows { width: piece.size[0], height: piece.size[1], data: Vec::new(), damaged: false },
            (_, JPEG) => jpeg_plane(&data, *budget)?,
            _ => shape.rows(&data, *budget)?,
        };
        spend(budget, rows.data.len())?;
        planes.push(Plane { rows, bits });
    }
    Ok(planes)
}

fn jpeg_plane(file: &[u8], budget: usize) -> Result<Rows, Fault> {
    let frame = jpeg_frame(file).ok_or(Fault::Damaged)?;
    let image = Image::new(frame.width, frame.height, Samples::Jpeg(file.to_vec()));
    let decoded = pixels::pixels(&image, budget).map_err(|_| Fault::Damaged)?;
    match decoded.values {
        Values::Gray(data) => {
            let damaged = decoded.damaged || !jpeg_is_whole(file);
            Ok(Rows { width: decoded.width, height: decoded.height, data: data.into_owned(), damaged })
        }
        _ => Err(Fault::Model(frame.components)),
    }
}

/// Cuts a picture of colours into the parts that a mask shows; where they are too many, paints white what does not show.
fn show_only(drawn: &mut Drawn, piece: &Piece<'_>, mask: &Rows, budget: &mut usize) -> Result<(), Fault> {
    let [x, y] = piece.origin.map(f64::from);
    if let Some(parts) = windows(mask) {
        drawn.windows =
            parts.into_iter().map(|[left, top, width, height]| [x + left, y + top, width, height]).collect();
        if drawn.windows.is_empty() {
            drawn.windows.push([x, y, 0.0, 0.0]);
        }
        return Ok(());
    }
    drawn.opaque = true;
    let decoded = pixels::pixels(&drawn.image, *budget).map_err(|_| Fault::TooLarge)?;
    spend(budget, (decoded.width as usize).saturating_mul(decoded.height as usize).saturating_mul(3))?;
    let mut out = Vec::with_capacity(decoded.width as usize * decoded.height as usize * 3);
    let stride = mask.width.div_ceil(8) as usize;
    let relative = u32::from(piece.relative);
    for row in 0..decoded.height {
        for column in 0..decoded.width {
            let (across, down) = (column * relative, row * relative);
            let byte = mask.data.get(down as usize * stride + across as usize / 8).copied().unwrap_or(0);
            let shows = across < mask.width && byte >> (7 - across % 8) & 1 == 1;
            let [red, green, blue, _] = if shows { decoded.rgba(column, row) } else { [255; 4] };
            out.extend([red, green, blue]);
        }
    }
    drawn.image = Image::new(decoded.width, decoded.height, Samples::Rgb(out));
    Ok(())
}

/// How data are to be read.
pub fn shape(coding: &Coding, [width, height]: [u32; 2], bits: u32, components: usize) -> Shape {
    Shape {
        compression: coding.compression,
        recording: coding.recording,
        width,
        height,
        bits,
        components: u32::try_from(components).unwrap_or(1),
    }
}

/// All image data of a piece.
fn data<'a>(piece: &Piece<'a>) -> Cow<'a, [u8]> {
    let bands = || piece.bands.iter().map(|(_, data)| *data).collect::<Vec<_>>();
    let data = if piece.data.is_empty() { joined(&bands()) } else { joined(&piece.data) };
    ordered(data, piece.coding.reversed)
}

/// Parts put together.
pub fn joined<'a>(parts: &[&'a [u8]]) -> Cow<'a, [u8]> {
    match parts {
        [one] => Cow::Borrowed(*one),
        parts => Cow::Owned(parts.concat()),
    }
}

/// Bytes with their most significant bit first.
pub fn ordered(data: Cow<'_, [u8]>, reversed: bool) -> Cow<'_, [u8]> {
    match reversed {
        false => data,
        true => Cow::Owned(data.iter().map(|byte| byte.reverse_bits()).collect()),
    }
}

fn spend(budget: &mut usize, bytes: usize) -> Result<(), Fault> {
    *budget = budget.checked_sub(bytes).ok_or(Fault::TooLarge)?;
    Ok(())
}
