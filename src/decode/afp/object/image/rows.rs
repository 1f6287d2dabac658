//! Image data as rows of samples: the compressions that are not kept, and the recordings.
//!
//! Rule: IOCA reference, appendix A.

use std::borrow::Cow;

use weezl::BitOrder;
use weezl::decode::Configuration;

use super::fax::ibm_mmr_as_group_4;
use super::rl4;
use crate::page::pixels::Fax;

pub const IBM_MMR: u8 = 0x01;
pub const NONE: u8 = 0x03;
pub const RL4: u8 = 0x06;
pub const TIFF_2: u8 = 0x09;
pub const PACK_BITS: u8 = 0x0C;
pub const LZW: u8 = 0x0D;
pub const LZW_DIFFERENCES: u8 = 0x0E;
pub const SOLID: u8 = 0x20;
pub const G3_MH: u8 = 0x80;
pub const G3_MR: u8 = 0x81;
pub const G4_MMR: u8 = 0x82;
pub const JPEG: u8 = 0x83;
pub const JBIG2: u8 = 0x84;

/// Whether data of a compression can be read.
pub fn is_read(compression: u8) -> bool {
    matches!(
        compression,
        IBM_MMR
            | NONE
            | RL4
            | TIFF_2
            | PACK_BITS
            | LZW
            | LZW_DIFFERENCES
            | SOLID
            | G3_MH
            | G3_MR
            | G4_MMR
            | JPEG
            | JBIG2
    )
}

/// Says that an image is not shown because of its compression.
pub fn not_read(compression: u8) -> String {
    format!("an image with compression X'{compression:02X}'{} is not shown", name(compression))
}

/// What a compression that is not read is called.
fn name(compression: u8) -> &'static str {
    match compression {
        0x08 => " (ABIC)",
        0x0A => " (concatenated ABIC)",
        0x0B => " (OS/2 colour)",
        0xFE => " (user-defined)",
        _ => "",
    }
}

const BOTTOM_TO_TOP: u8 = 0x03;
const UNPADDED: u8 = 0x04;

/// Rows asked for where the data say how many there are.
const UNKNOWN_ROWS: u32 = 65_535;

/// Why data gave no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The compression is none that is known here.
    Compression(u8),
    /// The colours are none that are known here.
    Model(u8),
    /// Nothing could be read.
    Damaged,
    /// More samples than allowed.
    TooLarge,
}

impl Fault {
    /// A JPEG coding that neither a PDF nor a browser shows: arithmetic, lossless, of 12 bits.
    pub const JPEG_KIND: Fault = Fault::Compression(JPEG);
}

/// What is to be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Compression, as in the Image Encoding parameter.
    pub compression: u8,
    /// Recording, likewise.
    pub recording: u8,
    /// Samples in a row.
    pub width: u32,
    /// Rows; 0 when the data say it.
    pub height: u32,
    /// Bits of one sample.
    pub bits: u32,
    /// Components that follow each other in a row, each of whole bytes; for the differencing predictor.
    pub components: u32,
}

/// Rows of samples from the top, each padded to a byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Samples in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The samples.
    pub data: Vec<u8>,
    /// Fewer could be read than there should be; the rest is 0.
    pub damaged: bool,
}

/// A fax coding that a PDF can hold: samples in a row as coded, how it is coded, and the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<'a> {
    /// How it is coded, with all of its rows.
    pub fax: Fax,
    /// The data.
    pub data: Cow<'a, [u8]>,
    /// It was found to break off.
    pub damaged: bool,
}

impl Shape {
    /// Bytes of a row as the recording pads it; a row of unpadded samples rounded up.
    fn recorded_stride(&self) -> usize {
        let bits = self.width as usize * self.bits as usize;
        match self.recording {
            BOTTOM_TO_TOP => bits.div_ceil(32) * 4,
            _ => bits.div_ceil(8),
        }
    }

    fn stride(&self) -> usize {
        (self.width as usize * self.bits as usize).div_ceil(8)
    }

    /// Bytes that uncompressed data have; more than there can be where a stream says absurd sizes.
    fn recorded_bytes(&self) -> usize {
        let height = self.height as usize;
        match self.recording {
            UNPADDED => (self.width as usize * self.bits as usize).saturating_mul(height).div_ceil(8),
            _ => self.recorded_stride().saturating_mul(height),
        }
    }

    /// Whether a coding with rows of its own can be kept: bits from the top down.
    pub fn keeps(&self) -> bool {
        self.bits == 1 && self.recording != BOTTOM_TO_TOP
    }

    /// A fax coding in the words of a PDF. The data are read through, for their damages and because of what is in doubt: the
    /// coded rows may be padded to bytes, the number of rows may be unstated, and IBM MMR is put into other words.
    pub fn keep<'a>(&self, data: &'a [u8]) -> Result<Kept<'a>, Fault> {
        let padded = match self.recording {
            BOTTOM_TO_TOP => self.width.div_ceil(32).saturating_mul(32),
            UNPADDED => self.width,
            _ => self.width.div_ceil(8).saturating_mul(8),
        };
        let rows = if self.height == 0 { UNKNOWN_ROWS } else { self.height };
        let (k, aligned) = match self.compression {
            G4_MMR | IBM_MMR => (-1, false),
            G3_MH => (0, false),
            G3_MR => (1, false),
            TIFF_2 => (0, true),
            other => return Err(Fault::Compression(other)),
        };
        let fax = |width: u32| Fax { width, height: rows, k, aligned };
        let mut ways = vec![(fax(padded), Cow::Borrowed(data)), (fax(self.width), Cow::Borrowed(data))];
        if self.width == padded {
            ways.pop();
        }
        if self.compression == IBM_MMR {
            let other = |tagged| ibm_mmr_as_group_4(data, tagged);
            let mut translated: Vec<_> = [false, true].into_iter().filter_map(other).collect();
            // Its first row says how wide it is; the stated width does not count the padding, and may be unstated.
            translated.retain(|(width, _)| self.width == 0 || (self.width..=padded.saturating_add(64)).contains(width));
            // Group 4 under its number has been seen too.
            ways.splice(..0, translated.into_iter().map(|(width, data)| (fax(width), Cow::Owned(data))));
        }
        ways.retain(|(fax, _)| fax.width > 0);
        best(ways, self.height)
    }

    /// Decodes to rows of at most `limit` bytes.
    pub fn rows(&self, data: &[u8], limit: usize) -> Result<Rows, Fault> {
        let bytes = self.recorded_bytes().max(self.stride().saturating_mul(self.height as usize));
        if self.width == 0 && self.compression != IBM_MMR {
            return Err(Fault::Damaged);
        }
        // Rows that are put in another order are copied.
        let limit = if matches!(self.recording, BOTTOM_TO_TOP | UNPADDED) { limit / 2 } else { limit };
        if bytes > limit || self.height as usize > limit {
            return Err(Fault::TooLarge);
        }
        match self.compression {
            NONE => Ok(self.recorded(Cow::Borrowed(data), data.len() < self.recorded_bytes())),
            PACK_BITS => self.unpacked(pack_bits(data, bytes)),
            LZW => self.unpacked(lzw(data, bytes)),
            LZW_DIFFERENCES => {
                let mut data = lzw(data, bytes);
                undo_differences(&mut data, self.recorded_stride(), self.components.max(1) as usize);
                self.unpacked(data)
            }
            RL4 => Ok(rl4::rows(data, self.width, self.height, limit)),
            _ => self.fax_rows(data, limit),
        }
    }

    fn fax_rows(&self, data: &[u8], limit: usize) -> Result<Rows, Fault> {
        let kept = self.keep(data)?;
        let shape = Shape { width: if self.width == 0 { kept.fax.width } else { self.width }, ..*self };
        if kept.fax.width.div_ceil(8) as usize * kept.fax.height as usize > limit {
            return Err(Fault::TooLarge);
        }
        let read = kept.fax.decode(&kept.data);
        let height = if self.height == 0 { read.count } else { self.height };
        let stride = kept.fax.width.div_ceil(8) as usize;
        let mut rows: Vec<&[u8]> = read.rows.chunks_exact(stride).take(height as usize).collect();
        if self.recording == BOTTOM_TO_TOP {
            rows.reverse();
        }
        let mut data = Vec::with_capacity(shape.stride() * height as usize);
        for row in rows {
            data.extend(row.iter().copied().chain(std::iter::repeat(0)).take(shape.stride()));
        }
        data.resize(shape.stride() * height as usize, 0);
        Ok(Rows { width: shape.width, height, data, damaged: read.damaged })
    }

    /// LZW and PackBits: what is missing is zero, and told.
    fn unpacked(&self, data: Vec<u8>) -> Result<Rows, Fault> {
        let short = data.len() < self.recorded_bytes();
        if data.is_empty() && short {
            return Err(Fault::Damaged);
        }
        Ok(self.recorded(Cow::Owned(data), short))
    }

    /// Takes rows out of uncompressed data.
    fn recorded(&self, data: Cow<'_, [u8]>, damaged: bool) -> Rows {
        let stride = self.stride();
        let recorded = self.recorded_stride().max(1);
        let row_bits = self.width as usize * self.bits as usize;
        let height = match (self.height, self.recording) {
            (0, UNPADDED) => data.len() * 8 / row_bits.max(1),
            (0, _) => data.len() / recorded,
            (height, _) => height as usize,
        };
        let damaged = damaged && self.height != 0;
        let rows = u32::try_from(height).unwrap_or(u32::MAX);
        if !matches!(self.recording, UNPADDED | BOTTOM_TO_TOP) {
            let mut data = data.into_owned();
            data.resize(stride * height, 0);
            return Rows { width: self.width, height: rows, data, damaged };
        }
        let mut out = Vec::with_capacity(stride * height);
        for row in 0..height {
            let row = if self.recording == BOTTOM_TO_TOP { height - 1 - row } else { row };
            let start = out.len();
            if self.recording == UNPADDED {
                push_bits(&mut out, &data, row * row_bits, row_bits);
            } else {
                let from = data.get(row * recorded..).unwrap_or_default();
                out.extend_from_slice(from.get(..stride).unwrap_or(from));
            }
            out.resize(start + stride, 0);
        }
        Rows { width: self.width, height: rows, data: out, damaged }
    }
}

/// The way of reading that is right to the letter, otherwise the one that gets furthest before it is not.
fn best<'a>(ways: Vec<(Fax, Cow<'a, [u8]>)>, height: u32) -> Result<Kept<'a>, Fault> {
    let mut best: Option<(Fax, Cow<'a, [u8]>)> = None;
    let mut most = None;
    // Reading that is not strict goes on behind damages from the next End Of Line: a row is lost then.
    let damaged_rows = ways.iter().all(|(fax, _)| fax.k >= 0);
    for (mut fax, data) in ways {
        let read = fax.check(&data, true);
        let whole = !read.broken && read.count > 0 && read.count >= height;
        if whole {
            fax.height = if height == 0 { read.count } else { height };
            return Ok(Kept { fax, data, damaged: false });
        }
        if most.is_none_or(|most| read.count > most) {
            most = Some(read.count);
            best = Some((fax, data));
        }
    }
    let (mut fax, data) = best.ok_or(Fault::Damaged)?;
    let read = fax.check(&data, false);
    if read.count == 0 {
        return Err(Fault::Damaged);
    }
    fax.height = if height == 0 { read.count } else { height };
    Ok(Kept { fax, data, damaged: damaged_rows || read.broken || read.count < height })
}

/// Appends `count` bits from bit `from` on, from the start of a byte.
fn push_bits(out: &mut Vec<u8>, data: &[u8], from: usize, count: usize) {
    let shift = from % 8;
    for at in 0..count.div_ceil(8) {
        let byte = |at: usize| u16::from(data.get(at).copied().unwrap_or(0));
        let pair = byte(from / 8 + at) << 8 | byte(from / 8 + at + 1);
        let left = (count - at * 8).min(8);
        let [_, byte] = (pair >> (8 - shift)).to_be_bytes();
        out.push(if left < 8 { byte & !(0xFF >> left) } else { byte });
    }
}

/// PackBits (TIFF 6.0, section 9), `limit` bytes at most.
fn pack_bits(data: &[u8], limit: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(limit.min(data.len().saturating_mul(8)));
    let mut rest = data;
    while let [count, tail @ ..] = rest
        && out.len() < limit
    {
        let count = usize::from(*count);
        if count < 128 {
            let run = tail.get(..=count).unwrap_or(tail);
            out.extend_from_slice(run);
            rest = tail.get(run.len()..).unwrap_or_default();
        } else if count == 128 {
            rest = tail;
        } else {
            let Some((byte, tail)) = tail.split_first() else { break };
            out.resize(out.len() + 257 - count, *byte);
            rest = tail;
        }
    }
    out.truncate(limit);
    out
}

/// LZW as TIFF codes it; files from before TIFF 5 start with the least significant bit.
fn lzw(data: &[u8], limit: usize) -> Vec<u8> {
    let old = matches!(data, [0, second, ..] if second & 1 == 1);
    let configuration = match old {
        true => Configuration::new(BitOrder::Lsb, 8),
        false => Configuration::with_tiff_size_switch(BitOrder::Msb, 8),
    };
    unpacked(&mut configuration.build(), data, limit)
}

/// What an LZW decoder makes of data, at most `limit` bytes; what comes before a fault is kept.
pub fn unpacked(decoder: &mut weezl::decode::Decoder, data: &[u8], limit: usize) -> Vec<u8> {
    let mut buffer = vec![0; 1 << 14];
    let mut out = Vec::new();
    let mut rest = data;
    while out.len() < limit {
        let result = decoder.decode_bytes(rest, &mut buffer);
        out.extend_from_slice(buffer.get(..result.consumed_out).unwrap_or_default());
        rest = rest.get(result.consumed_in..).unwrap_or_default();
        match result.status {
            Ok(weezl::LzwStatus::Ok) if result.consumed_in + result.consumed_out > 0 => {}
            _ => break,
        }
    }
    out.truncate(limit);
    out
}

/// TIFF 6.0, section 14: each component of a row holds its difference to the one before it. Rows of whole bytes only.
pub fn undo_differences(data: &mut [u8], stride: usize, components: usize) {
    for row in data.chunks_mut(stride.max(1)) {
        for at in components..row.len() {
            let before = row.get(at - components).copied().unwrap_or(0);
            if let Some(byte) = row.get_mut(at) {
                *byte = byte.wrapping_add(before);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // numbers of the tests' own
mod tests;
