//! TIFF files: the compressions in use, in strips and tiles.
//!
//! Rule: TIFF 6.0 and its technical notes. Pages are the full-size images of the file, in order.

use std::borrow::Cow;
use std::io::Read;

use super::{Fault, Numbers, Picture, Rows, spend};
use crate::decode::afp::object::image::rows::{
    G3_MH, G3_MR, G4_MMR, LZW, LZW_DIFFERENCES, NONE, PACK_BITS, Shape, TIFF_2,
};
use crate::decode::afp::object::image::samples::from_luminance;
use crate::page::pixels::{self, Values, jpeg_frame};
use crate::page::{Color, Image, Samples};

const SUBFILE_TYPE: u16 = 254;
const WIDTH: u16 = 256;
const LENGTH: u16 = 257;
const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const SAMPLES: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const STRIP_BYTES: u16 = 279;
const X_RESOLUTION: u16 = 282;
const Y_RESOLUTION: u16 = 283;
const PLANAR: u16 = 284;
const T4_OPTIONS: u16 = 292;
const RESOLUTION_UNIT: u16 = 296;
const PREDICTOR: u16 = 317;
const COLOR_MAP: u16 = 320;
const TILE_WIDTH: u16 = 322;
const TILE_LENGTH: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTES: u16 = 325;
const JPEG_TABLES: u16 = 347;

const UNCOMPRESSED: u32 = 1;
const DEFLATE: u32 = 8;
const OLD_DEFLATE: u32 = 32_946;
const JPEG: u32 = 7;

const WHITE_IS_ZERO: u32 = 0;
const RGB: u32 = 2;
const PALETTE: u32 = 3;
const SEPARATED: u32 = 5;
const Y_CB_CR: u32 = 6;

/// Directories of a file that are looked at.
const MAX_PAGES: usize = 10_000;

/// Decodes a page (from 0); `ink` is the colour of bilevel images.
pub fn picture(data: &[u8], page: u32, ink: Color, budget: &mut usize) -> Result<Picture, Fault> {
    let numbers = Numbers { data, little: data.first() == Some(&b'I') };
    let directory = directory(numbers, page).ok_or(Fault::Damaged)?;
    let tiff = Tiff::new(directory)?;
    let (samples, damaged) = tiff.samples(ink, budget)?;
    let (width, height, resolution) = (tiff.width, tiff.height, tiff.directory.resolution());
    let picture = Picture { width, height, samples, resolution, mask: None, damaged };
    match tiff.directory.value(ORIENTATION) {
        Some(orientation @ 2..=8) => turned(picture, orientation, budget),
        _ => Ok(picture),
    }
}

/// A picture whose rows and columns run another way than down and to the right (TIFF 6.0, "Orientation"), put upright.
fn turned(picture: Picture, orientation: u32, budget: &mut usize) -> Result<Picture, Fault> {
    let Picture { width, height, samples, resolution, mask, damaged } = picture;
    let image = Image::new(width, height, samples);
    let bytes = spend(budget, width, height, 3)?;
    let decoded = pixels::pixels(&image, bytes).map_err(|_| Fault::Damaged)?;
    let swapped = orientation >= 5;
    let (across, down) = if swapped { (height, width) } else { (width, height) };
    // Where the sample at a place of the upright picture lies in the file.
    let source = |x: u32, y: u32| {
        let (x, y) = if swapped { (y, x) } else { (x, y) };
        let (right, bottom) = (matches!(orientation, 2 | 3 | 7 | 8), matches!(orientation, 3 | 4 | 6 | 7));
        (if right { width - 1 - x } else { x }, if bottom { height - 1 - y } else { y })
    };
    let places = (0..down).flat_map(|y| (0..across).map(move |x| (x, y)));
    let samples = match &decoded.values {
        Values::Bits { ink, paper, .. } => {
            let stride = across.div_ceil(8) as usize;
            let mut data = vec![0_u8; stride.saturating_mul(down as usize)];
            for (x, y) in places {
                let (from_x, from_y) = source(x, y);
                if let Some(byte) =
                    data.get_mut(y as usize * stride + x as usize / 8).filter(|_| decoded.bit(from_x, from_y))
                {
                    *byte |= 0x80 >> (x % 8);
                }
            }
            Samples::Bits { data, ink: *ink, paper: *paper }
        }
        Values::Gray(_) => {
            Samples::Gray(places.map(|(x, y)| source(x, y)).map(|(x, y)| decoded.rgba(x, y)[0]).collect())
        }
        Values::Rgb(_) => {
            let mut data = Vec::with_capacity(bytes);
            for (x, y) in places {
                let (x, y) = source(x, y);
                let [r, g, b, _] = decoded.rgba(x, y);
                data.extend([r, g, b]);
            }
            Samples::Rgb(data)
        }
    };
    let resolution = resolution.map(|[x, y]| if swapped { [y, x] } else { [x, y] });
    Ok(Picture { width: across, height: down, samples, resolution, mask, damaged })
}

/// An image file directory.
#[derive(Clone, Copy)]
struct Directory<'a> {
    numbers: Numbers<'a>,
    at: usize,
}

fn directory(numbers: Numbers<'_>, page: u32) -> Option<Directory<'_>> {
    let mut at = numbers.u32(4) as usize;
    let mut left = page;
    for _ in 0..MAX_PAGES {
        let directory = Directory { numbers, at };
        if at == 0 || at + 2 > numbers.data.len() {
            return None;
        }
        // Bit 0 of the subfile type: a reduced image of another page.
        if directory.value(SUBFILE_TYPE).unwrap_or(0) & 1 == 0 {
            if left == 0 {
                return Some(directory);
            }
            left -= 1;
        }
        at = numbers.u32(at + 2 + usize::from(numbers.u16(at)) * 12) as usize;
    }
    None
}

impl<'a> Directory<'a> {
    /// Where the entry of a tag is.
    fn entry(&self, tag: u16) -> Option<usize> {
        let count = usize::from(self.numbers.u16(self.at));
        (0..count).map(|entry| self.at + 2 + entry * 12).find(|at| self.numbers.u16(*at) == tag)
    }

    /// Type, count and place of the values of a tag.
    fn field(&self, tag: u16) -> Option<(u16, usize, usize)> {
        let entry = self.entry(tag)?;
        let (kind, count) = (self.numbers.u16(entry + 2), self.numbers.u32(entry + 4) as usize);
        let size = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            5 | 10 | 12 => 8,
            _ => 4,
        };
        let inline = count.checked_mul(size)? <= 4;
        let place = if inline { entry + 8 } else { self.numbers.u32(entry + 8) as usize };
        let room = self.numbers.data.len().checked_sub(place)?;
        Some((kind, count.min(room / size), place))
    }

    fn values(&self, tag: u16) -> Vec<u32> {
        let Some((kind, count, place)) = self.field(tag) else { return Vec::new() };
        let value = |at: usize| match kind {
            1 | 7 => u32::from(self.numbers.data.get(place + at).copied().unwrap_or(0)),
            3 => u32::from(self.numbers.u16(place + at * 2)),
            _ => self.numbers.u32(place + at * 4),
        };
        (0..count).map(value).collect()
    }

    fn value(&self, tag: u16) -> Option<u32> {
        let (kind, count, place) = self.field(tag)?;
        match (kind, count) {
            (_, 0) => None,
            (1 | 7, _) => self.numbers.data.get(place).map(|byte| u32::from(*byte)),
            (3, _) => Some(u32::from(self.numbers.u16(place))),
            _ => Some(self.numbers.u32(place)),
        }
    }

    fn bytes(&self, tag: u16) -> &'a [u8] {
        let Some((_, count, place)) = self.field(tag) else { return &[] };
        self.numbers.data.get(place..place + count).unwrap_or_default()
    }

    fn resolution(&self) -> Option<[f64; 2]> {
        let unit = match self.value(RESOLUTION_UNIT).unwrap_or(2) {
            2 => 1.0,
            3 => 2.54,
            _ => return None,
        };
        let ratio = |tag: u16| {
            let (_, _, place) = self.field(tag)?;
            let (above, below) = (self.numbers.u32(place), self.numbers.u32(place + 4));
            (above > 0 && below > 0).then(|| f64::from(above) / f64::from(below) * unit)
        };
        Some([ratio(X_RESOLUTION)?, ratio(Y_RESOLUTION)?])
    }
}

/// A strip or a tile: where it lies in the picture, and where its data are.
struct Part {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    data: (usize, usize),
    /// Which component, when each has parts of its own.
    plane: usize,
}

struct Tiff<'a> {
    directory: Directory<'a>,
    width: u32,
    height: u32,
    compression: u32,
    photometric: u32,
    /// Components of a sample.
    count: u32,
    /// Bits of each.
    bits: u32,
    planar: bool,
    reversed: bool,
    differences: bool,
}

impl<'a> Tiff<'a> {
    fn new(directory: Directory<'a>) -> Result<Tiff<'a>, Fault> {
        let value = |tag: u16, default: u32| directory.value(tag).unwrap_or(default);
        let bits = value(BITS, 1);
        let tiff = Tiff {
            directory,
            width: value(WIDTH, 0),
            height: value(LENGTH, 0),
            compression: value(COMPRESSION, UNCOMPRESSED),
            photometric: value(PHOTOMETRIC, WHITE_IS_ZERO),
            count: value(SAMPLES, 1).clamp(1, 16),
            bits,
            planar: value(PLANAR, 1) == 2,
            reversed: value(FILL_ORDER, 1) == 2,
            differences: value(PREDICTOR, 1) == 2,
        };
        if tiff.width == 0 || tiff.height == 0 {
            return Err(Fault::Damaged);
        }
        let known = matches!(bits, 1 | 2 | 4 | 8 | 16) && (!tiff.differences || bits == 8);
        if known { Ok(tiff) } else { Err(Fault::Model(u8::try_from(bits).unwrap_or(0))) }
    }

    fn parts(&self) -> Result<Vec<Part>, Fault> {
        let tile = self.directory.value(TILE_WIDTH).zip(self.directory.value(TILE_LENGTH));
        let (width, height) = tile.unwrap_or_else(|| {
            let rows = self.directory.value(ROWS_PER_STRIP).unwrap_or(self.height);
            (self.width, rows.min(self.height))
        });
        if width == 0 || height == 0 {
            return Err(Fault::Damaged);
        }
        let (offsets, counts) = match tile {
            Some(_) => (self.directory.values(TILE_OFFSETS), self.directory.values(TILE_BYTES)),
            None => (self.directory.values(STRIP_OFFSETS), self.directory.values(STRIP_BYTES)),
        };
        let (across, down) = (self.width.div_ceil(width) as usize, self.height.div_ceil(height) as usize);
        let mut parts = Vec::new();
        for (at, offset) in offsets.iter().enumerate().take(across.saturating_mul(down).saturating_mul(16)) {
            let (plane, at_plane) = (at / (across * down), at % (across * down));
            let (column, row) = (at_plane % across, at_plane / across);
            let (x, y) = (u32::try_from(column).unwrap_or(0) * width, u32::try_from(row).unwrap_or(0) * height);
            // The last strip is as long as what is left; tiles are always whole.
            let height = if tile.is_some() { height } else { height.min(self.height - y) };
            let count = counts.get(at).map_or(usize::MAX, |count| *count as usize);
            parts.push(Part { x, y, width, height, data: (*offset as usize, count), plane });
        }
        Ok(parts)
    }

    fn data(&self, part: &Part) -> Cow<'a, [u8]> {
        let rest = self.directory.numbers.data.get(part.data.0..).unwrap_or_default();
        let data = rest.get(..part.data.1).unwrap_or(rest);
        match self.reversed {
            true => Cow::Owned(data.iter().map(|byte| byte.reverse_bits()).collect()),
            false => Cow::Borrowed(data),
        }
    }

    /// How the data of a part are to be read; `None` for codings that rows of bytes do not have.
    fn shape(&self, part: &Part) -> Result<Shape, Fault> {
        let two_dimensional = self.directory.value(T4_OPTIONS).unwrap_or(0) & 1 == 1;
        let compression = match (self.compression, self.differences) {
            (UNCOMPRESSED | DEFLATE | OLD_DEFLATE, _) => NONE,
            (2, _) => TIFF_2,
            (3, _) => {
                if two_dimensional {
                    G3_MR
                } else {
                    G3_MH
                }
            }
            (4, _) => G4_MMR,
            (5, false) => LZW,
            (5, true) => LZW_DIFFERENCES,
            (32_773, _) => PACK_BITS,
            (other, _) => return Err(Fault::Compression(u8::try_from(other).unwrap_or(0xFF))),
        };
        let components = if self.planar { 1 } else { self.count };
        // Fax rows are as wide as they say; others are padded to bytes.
        let recording = if matches!(compression, TIFF_2 | G3_MR | G3_MH | G4_MMR) { 4 } else { 1 };
        Ok(Shape {
            compression,
            recording,
            width: part.width,
            height: part.height,
            bits: self.bits * components,
            components,
        })
    }

    fn rows(&self, part: &Part, limit: usize) -> Result<Rows, Fault> {
        let shape = self.shape(part)?;
        let data = self.data(part);
        if !matches!(self.compression, DEFLATE | OLD_DEFLATE) {
            return shape.rows(&data, limit);
        }
        let bytes = (part.width as usize * shape.bits as usize).div_ceil(8).saturating_mul(part.height as usize);
        if bytes > limit {
            return Err(Fault::TooLarge);
        }
        let mut plain = Vec::new();
        // What was inflated before a fault is kept; the shape sees that there is less.
        let _ = flate2::read::ZlibDecoder::new(&data[..]).take(bytes as u64).read_to_end(&mut plain);
        if self.differences {
            super::super::image::rows::undo_differences(
                &mut plain,
                bytes / (part.height as usize).max(1),
                shape.components as usize,
            );
        }
        shape.rows(&plain, limit)
    }

    fn samples(&self, ink: Color, budget: &mut usize) -> Result<(Samples, bool), Fault> {
        let parts = self.parts()?;
        if self.compression == JPEG {
            return self.jpeg(&parts, budget);
        }
        if self.bits == 1 && self.count == 1 && self.photometric <= 1 {
            return self.bilevel(&parts, ink, budget);
        }
        let convert = Colors::new(self)?;
        let bytes = spend(budget, self.width, self.height, convert.channels())?;
        let planes = if self.planar { self.count as usize } else { 1 };
        // Components of all planes wait for each other.
        let raw = spend(budget, self.width, self.height, self.count as usize)?;
        let mut values = vec![0u8; raw];
        let mut damaged = parts.len() < planes;
        for part in &parts {
            if part.plane >= planes {
                break;
            }
            let rows = self.rows(part, *budget)?;
            damaged |= rows.damaged;
            self.lay(part, &rows, &mut values);
        }
        let mut out = Vec::with_capacity(bytes);
        for sample in values.chunks_exact(self.count as usize) {
            convert.push(&mut out, sample);
        }
        Ok((if convert.channels() == 1 { Samples::Gray(out) } else { Samples::Rgb(out) }, damaged))
    }

    /// Puts the components of a part, one byte each, where they belong.
    fn lay(&self, part: &Part, rows: &Rows, values: &mut [u8]) {
        let count = self.count as usize;
        let components = if self.planar { 1 } else { count };
        let (across, down) = (part.width.min(self.width - part.x), part.height.min(self.height.saturating_sub(part.y)));
        let stride = (part.width as usize * self.bits as usize * components).div_ceil(8);
        for y in 0..down as usize {
            let row = rows.data.get(y * stride..).unwrap_or_default();
            let start = ((part.y as usize + y) * self.width as usize + part.x as usize) * count;
            for at in 0..across as usize * components {
                let (sample, component) = (at / components, at % components + if self.planar { part.plane } else { 0 });
                if let Some(value) = values.get_mut(start + sample * count + component) {
                    *value = self.component(row, at);
                }
            }
        }
    }

    /// A component as stored: indices as they are, others as eight bits.
    fn component(&self, row: &[u8], at: usize) -> u8 {
        let byte = |at: usize| row.get(at).copied().unwrap_or(0);
        match self.bits {
            8 => byte(at),
            16 => byte(at * 2 + usize::from(self.directory.numbers.little)),
            bits => {
                let bits = bits as usize;
                let value = byte(at * bits / 8) >> (8 - bits - at * bits % 8) & ((1 << bits) - 1);
                if self.photometric == PALETTE { value } else { value * (255 / ((1 << bits) - 1)) }
            }
        }
    }

    /// Ones are ink; a single strip of a fax coding stays as it is.
    fn bilevel(&self, parts: &[Part], ink: Color, budget: &mut usize) -> Result<(Samples, bool), Fault> {
        let black_is_ink = self.photometric == WHITE_IS_ZERO;
        if let [part] = parts
            && matches!(self.compression, 2..=4)
            && (part.width, part.height) == (self.width, self.height)
        {
            let data = self.data(part);
            let kept = self.shape(part)?.keep(&data)?;
            let (k, aligned) = (kept.fax.k, kept.fax.aligned);
            let data = kept.data.into_owned();
            return Ok((Samples::Ccitt { data, k, aligned, black_is_ink, ink, paper: None }, kept.damaged));
        }
        let stride = self.width.div_ceil(8) as usize;
        let bytes = stride.checked_mul(self.height as usize).ok_or(Fault::TooLarge)?;
        *budget = budget.checked_sub(bytes).ok_or(Fault::TooLarge)?;
        let mut out = vec![0u8; bytes];
        let mut damaged = parts.is_empty();
        for part in parts {
            let rows = self.rows(part, *budget)?;
            damaged |= rows.damaged;
            let from = part.width.div_ceil(8) as usize;
            for (y, row) in rows.data.chunks(from.max(1)).enumerate() {
                // Tiles are multiples of 16 wide.
                let start = (part.y as usize + y).saturating_mul(stride) + part.x as usize / 8;
                let left = stride - (part.x as usize / 8).min(stride);
                let Some(place) = out.get_mut(start..start + row.len().min(left)) else { continue };
                for (to, byte) in place.iter_mut().zip(row) {
                    *to = if black_is_ink { *byte } else { !byte };
                }
            }
        }
        Ok((Samples::Bits { data: out, ink, paper: None }, damaged))
    }

    /// JPEG strips and tiles: one that is the whole picture stays as it is.
    fn jpeg(&self, parts: &[Part], budget: &mut usize) -> Result<(Samples, bool), Fault> {
        let tables = self.directory.bytes(JPEG_TABLES);
        let file = |part: &Part| joined_jpeg(tables, &self.data(part), self.photometric == RGB);
        if let [part] = parts {
            let file = file(part);
            let frame = jpeg_frame(&file).ok_or(Fault::Damaged)?;
            if frame.common && (frame.width, frame.height) == (self.width, self.height) {
                return Ok((Samples::Jpeg(file), false));
            }
        }
        let bytes = spend(budget, self.width, self.height, 3)?;
        let mut out = vec![255u8; bytes];
        let mut damaged = parts.is_empty();
        for part in parts {
            let file = file(part);
            let frame = jpeg_frame(&file).ok_or(Fault::Damaged)?;
            let image = Image::new(frame.width, frame.height, Samples::Jpeg(file));
            let Ok(read) = pixels::pixels(&image, *budget) else {
                damaged = true;
                continue;
            };
            for y in 0..read.height.min(self.height.saturating_sub(part.y)) {
                for x in 0..read.width.min(self.width - part.x) {
                    let [red, green, blue, _] = read.rgba(x, y);
                    let at = ((part.y + y) as usize * self.width as usize + (part.x + x) as usize) * 3;
                    if let Some(place) = out.get_mut(at..at + 3) {
                        place.copy_from_slice(&[red, green, blue]);
                    }
                }
            }
            damaged |= read.damaged || matches!(read.values, Values::Bits { .. });
        }
        Ok((Samples::Rgb(out), damaged))
    }
}

/// The tables of all strips and the data of one as a file. Without a marker of its own, three components are YCbCr to
/// everyone: Adobe's marker says that they are not.
fn joined_jpeg(tables: &[u8], data: &[u8], rgb: bool) -> Vec<u8> {
    const ADOBE_RGB: &[u8] = &[0xFF, 0xEE, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, 0];
    let inner = |file: &'_ [u8]| -> Vec<u8> {
        let file = file.strip_prefix(&[0xFF, 0xD8]).unwrap_or(file);
        file.strip_suffix(&[0xFF, 0xD9]).unwrap_or(file).to_vec()
    };
    let marker = if rgb && !pixels::adobe(data) { ADOBE_RGB } else { &[] };
    [&[0xFF, 0xD8], marker, &inner(tables), &inner(data), &[0xFF, 0xD9]].concat()
}

/// How the components of a sample become grey or colour.
enum Colors {
    Gray { inverted: bool },
    Rgb,
    Palette(Vec<[u8; 3]>),
    Cmyk,
    Luminance,
}

impl Colors {
    fn new(tiff: &Tiff<'_>) -> Result<Colors, Fault> {
        match (tiff.photometric, tiff.count) {
            (0 | 1, _) => Ok(Colors::Gray { inverted: tiff.photometric == WHITE_IS_ZERO }),
            (RGB, 3..) => Ok(Colors::Rgb),
            (SEPARATED, 4..) => Ok(Colors::Cmyk),
            // Colour differences of several samples in one are not undone here.
            (Y_CB_CR, 3..) if tiff.directory.values(530) == [1, 1] => Ok(Colors::Luminance),
            (PALETTE, _) => {
                let map = tiff.directory.values(COLOR_MAP);
                let third = map.len() / 3;
                let part = |at: usize| map.get(at).map_or(0, |value| u8::try_from(value >> 8).unwrap_or(255));
                let color = |at: usize| [part(at), part(third + at), part(third * 2 + at)];
                Ok(Colors::Palette((0..third.min(256)).map(color).collect()))
            }
            (other, _) => Err(Fault::Model(u8::try_from(other).unwrap_or(0xFF))),
        }
    }

    fn channels(&self) -> usize {
        if matches!(self, Colors::Gray { .. }) { 1 } else { 3 }
    }

    fn push(&self, out: &mut Vec<u8>, sample: &[u8]) {
        let part = |at: usize| sample.get(at).copied().unwrap_or(0);
        match self {
            Colors::Gray { inverted: true } => out.push(255 - part(0)),
            Colors::Gray { inverted: false } => out.push(part(0)),
            Colors::Rgb => out.extend([part(0), part(1), part(2)]),
            Colors::Palette(colors) => out.extend(colors.get(usize::from(part(0))).copied().unwrap_or_default()),
            Colors::Cmyk => out.extend([0, 1, 2].map(|at| Color::of_cmyk_channel(part(at), part(3)))),
            Colors::Luminance => out.extend(from_luminance(part(0), part(1), part(2))),
        }
    }
}
