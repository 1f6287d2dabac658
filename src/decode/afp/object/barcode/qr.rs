//! QR Code (model 2), modules by the crate `qrcodegen`.
//!
//! Rule: ISO/IEC 18004. The bit stream is made here, so that structured append, FNC1 and ECI can stand in it.

use qrcodegen::{DataTooLong, QrCode, QrCodeEcc, QrSegment, Version};

use super::data::Item;
use super::symbol::{Invalid, Matrix};

/// What the special-function parameters ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QrOptions {
    /// Version 1 to 40; 0: the smallest that fits.
    pub version: u8,
    /// Error correction level: 0 L, 1 M, 2 Q, 3 H.
    pub level: u8,
    /// Data that the version does not hold are refused; otherwise the symbol grows.
    pub keep_version: bool,
    /// Structured append: this symbol's number from 1, how many, parity byte.
    pub append: Option<(u8, u8, u8)>,
    /// GS1: FNC1 in the first position.
    pub gs1: bool,
    /// FNC1 in the second position with this application indicator.
    pub industry: Option<u8>,
}

const ALPHANUMERIC: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    }
}

/// Encodes data.
pub fn qr(items: &[Item], options: &QrOptions) -> Result<Matrix, Invalid> {
    let level = match options.level {
        0 => QrCodeEcc::Low,
        1 => QrCodeEcc::Medium,
        2 => QrCodeEcc::Quartile,
        3 => QrCodeEcc::High,
        _ => return Err("an error correction level that QR Code does not have"),
    };
    let versions = match options.version {
        0 => 1..=40,
        version @ 1..=40 if options.keep_version => version..=version,
        version @ 1..=40 => version..=40,
        _ => return Err("a version that QR Code does not have"),
    };
    for version in versions {
        let version = Version::new(version);
        let capacity = capacity(version, level);
        let bits = stream(items, options, version.value());
        if bits.len() <= capacity {
            let code = QrCode::encode_codewords(version, level, &codewords(bits, capacity), None);
            return Ok(modules(&code));
        }
    }
    Err("more data than the symbol holds")
}

/// Data bits of a version at a level: the crate tells them when asked for too much, in segments that are short enough for
/// the counts of every version.
fn capacity(version: Version, level: QrCodeEcc) -> usize {
    let too_much: [QrSegment; 20] = std::array::from_fn(|_| QrSegment::make_bytes(&[0; 200]));
    match QrCode::encode_segments_advanced(&too_much, level, version, version, None, false) {
        Err(DataTooLong::DataOverCapacity(_, capacity)) => capacity,
        _ => 0,
    }
}

fn stream(items: &[Item], options: &QrOptions, version: u8) -> Vec<bool> {
    let mut bits = Bits::default();
    if let Some((number, total, parity)) = options.append {
        bits.put(3, 4);
        bits.put(u32::from(number.wrapping_sub(1)), 4);
        bits.put(u32::from(total.wrapping_sub(1)), 4);
        bits.put(u32::from(parity), 8);
    }
    if options.gs1 {
        bits.put(5, 4);
    }
    if let Some(indicator) = options.industry {
        bits.put(9, 4);
        bits.put(u32::from(indicator), 8);
    }
    let size = usize::from(version > 9) + usize::from(version > 26);
    for run in items.chunk_by(|a, b| matches!((a, b), (Item::Byte(_), Item::Byte(_)))) {
        let bytes: Vec<u8> =
            run.iter().filter_map(|item| if let Item::Byte(byte) = item { Some(*byte) } else { None }).collect();
        if let [Item::Eci(number)] = run {
            eci(&mut bits, *number);
        } else {
            segment(&mut bits, &bytes, size, options.gs1);
        }
    }
    bits.0
}

fn eci(bits: &mut Bits, number: u32) {
    bits.put(7, 4);
    match number {
        0..=127 => bits.put(number, 8),
        128..=16_383 => bits.put(0x8000 | number, 16),
        _ => bits.put(0x00C0_0000 | number, 24),
    }
}

/// One segment: numeric, alphanumeric or bytes. `size` is 0 to 2 for versions up to 9, 26, 40.
fn segment(bits: &mut Bits, bytes: &[u8], size: usize, gs1: bool) {
    let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let width = |widths: [u32; 3]| widths.get(size).copied().unwrap_or(16);
    let value = |ch: &u8| ALPHANUMERIC.iter().position(|c| c == ch).and_then(|value| u32::try_from(value).ok());
    if bytes.iter().all(u8::is_ascii_digit) {
        bits.put(1, 4);
        bits.put(count, width([10, 12, 14]));
        for group in bytes.chunks(3) {
            let number = group.iter().fold(0, |all, digit| all * 10 + u32::from(digit - b'0'));
            bits.put(number, [0, 4, 7, 10].get(group.len()).copied().unwrap_or(10));
        }
    // In GS1 mode a percent sign of alphanumeric data would be read as FNC1.
    } else if bytes.iter().all(|ch| value(ch).is_some() && !(gs1 && *ch == b'%')) {
        bits.put(2, 4);
        bits.put(count, width([9, 11, 13]));
        for pair in bytes.chunks(2) {
            match pair {
                [a, b] => bits.put(value(a).unwrap_or(0) * 45 + value(b).unwrap_or(0), 11),
                [a] => bits.put(value(a).unwrap_or(0), 6),
                _ => {}
            }
        }
    } else {
        bits.put(4, 4);
        bits.put(count, width([8, 16, 16]));
        for byte in bytes {
            bits.put(u32::from(*byte), 8);
        }
    }
}

/// Terminator and padding.
fn codewords(mut bits: Vec<bool>, capacity: usize) -> Vec<u8> {
    bits.resize(capacity.min(bits.len() + 4), false);
    bits.resize(capacity.min(bits.len().div_ceil(8) * 8), false);
    let mut words: Vec<u8> =
        bits.chunks(8).map(|eight| eight.iter().fold(0, |word, bit| word << 1 | u8::from(*bit))).collect();
    for pad in [0xEC, 0x11].into_iter().cycle().take((capacity / 8).saturating_sub(words.len())) {
        words.push(pad);
    }
    words
}

fn modules(code: &QrCode) -> Matrix {
    let size = code.size();
    let side = usize::try_from(size).unwrap_or(0);
    let mut matrix = Matrix::new(side, side);
    for (y, row) in (0..size).zip(0..) {
        for (x, column) in (0..size).zip(0..) {
            matrix.set(column, row, code.get_module(x, y));
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_no_larger_than_they_must_be() {
        let side = |length: usize, level: u8| {
            let items = vec![Item::Byte(b'a'); length];
            qr(&items, &QrOptions { level, ..QrOptions::default() }).map(|matrix| matrix.width())
        };
        // ISO/IEC 18004, table 7: bytes that versions 1, 2 and 10 hold at level L, and version 1 at level H.
        assert_eq!([side(17, 0), side(18, 0), side(32, 0), side(271, 0)], [Ok(21), Ok(25), Ok(25), Ok(57)]);
        assert_eq!([side(7, 3), side(8, 3)], [Ok(21), Ok(25)]);
        assert!(side(2953, 0) == Ok(177) && side(2954, 0).is_err());
    }
}
