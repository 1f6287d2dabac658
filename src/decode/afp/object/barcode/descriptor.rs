//! The bar code data descriptor: what a symbol is, how large, in which colour.
//!
//! Rule: BCOCA Reference, "Bar Code Symbol Descriptor (BSD)". What holds where it states no size: [`super::size`].

use super::size;
use crate::decode::afp::bytes::{u8_at, u16_at};
use crate::decode::afp::color;
use crate::decode::afp::units::unit_length;
use crate::page::{Color, Lu};

/// Logical units in a thousandth of an inch.
pub const MIL: f64 = Lu::PER_INCH as f64 / 1000.0;

const DEFAULT8: u8 = 0xFF;
const DEFAULT16: u16 = 0xFFFF;
const COLOR_TRIPLET: u8 = 0x4E;

/// Bar code types (BSD byte 12).
pub mod kind {
    /// Code 39.
    pub const CODE39: u8 = 0x01;
    /// MSI.
    pub const MSI: u8 = 0x02;
    /// UPC-A.
    pub const UPC_A: u8 = 0x03;
    /// UPC-E.
    pub const UPC_E: u8 = 0x05;
    /// UPC supplement of two digits.
    pub const UPC_2: u8 = 0x06;
    /// UPC supplement of five digits.
    pub const UPC_5: u8 = 0x07;
    /// EAN-8.
    pub const EAN_8: u8 = 0x08;
    /// EAN-13.
    pub const EAN_13: u8 = 0x09;
    /// Industrial 2 of 5.
    pub const INDUSTRIAL: u8 = 0x0A;
    /// Matrix 2 of 5.
    pub const MATRIX: u8 = 0x0B;
    /// Interleaved 2 of 5.
    pub const INTERLEAVED: u8 = 0x0C;
    /// Codabar.
    pub const CODABAR: u8 = 0x0D;
    /// Code 128.
    pub const CODE128: u8 = 0x11;
    /// EAN supplement of two digits.
    pub const EAN_2: u8 = 0x16;
    /// EAN supplement of five digits.
    pub const EAN_5: u8 = 0x17;
    /// POSTNET, PLANET.
    pub const POSTNET: u8 = 0x18;
    /// Royal Mail, KIX.
    pub const ROYAL_MAIL: u8 = 0x1A;
    /// Japan Post.
    pub const JAPAN: u8 = 0x1B;
    /// Data Matrix.
    pub const DATA_MATRIX: u8 = 0x1C;
    /// MaxiCode.
    pub const MAXICODE: u8 = 0x1D;
    /// PDF417.
    pub const PDF417: u8 = 0x1E;
    /// Australia Post.
    pub const AUSTRALIA: u8 = 0x1F;
    /// QR Code.
    pub const QR: u8 = 0x20;
    /// Code 93.
    pub const CODE93: u8 = 0x21;
    /// Intelligent Mail.
    pub const INTELLIGENT_MAIL: u8 = 0x22;
    /// GS1 DataBar.
    pub const DATA_BAR: u8 = 0x24;
    /// Royal Mail Mailmark.
    pub const MAILMARK: u8 = 0x25;
    /// Aztec.
    pub const AZTEC: u8 = 0x26;
}

/// Wide-to-narrow ratio where none is stated.
fn default_ratio(kind: u8) -> f64 {
    if kind == kind::MSI { 2.0 } else { 2.5 }
}

/// What a BDD says. Lengths in logical units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Descriptor {
    /// Length of one unit of positions along x and y.
    pub unit: [f64; 2],
    /// Size of the presentation space; 0 when it is the object area's.
    pub size: [f64; 2],
    /// Bar code type.
    pub kind: u8,
    /// Modifier.
    pub modifier: u8,
    /// Local id of the font of human-readable text; `None`: ours.
    pub font: Option<u8>,
    /// Colour of bars and text.
    pub color: Color,
    /// Width of a narrow element or a module, as stated or by default.
    pub module: f64,
    /// The module width was stated.
    pub module_stated: bool,
    /// Height of bars, the multiplier counted in; `None`: the symbology's.
    pub height: Option<f64>,
    /// The width that the symbol should have at most; 0: as the modules make it.
    pub desired: f64,
    /// Wide-to-narrow ratio.
    pub ratio: f64,
}

impl Descriptor {
    /// Reads a BDD; `None` when it is cut short before its type.
    pub fn read(bdd: &[u8], area_color: Option<Color>) -> Option<Descriptor> {
        let base = u8_at(bdd, 0)?;
        let unit = [u16_at(bdd, 2)?, u16_at(bdd, 4)?].map(|units| unit_length(base, units));
        let extent = |at: usize| u16_at(bdd, at).filter(|extent| *extent != DEFAULT16).map_or(0.0, f64::from);
        let size = [extent(6) * unit[0], extent(8) * unit[1]];
        let (kind, modifier) = (u8_at(bdd, 12)?, u8_at(bdd, 13)?);
        let stated = |at: usize| u8_at(bdd, at).filter(|value| *value != DEFAULT8 && *value != 0);
        let font = stated(14);
        let stated_module = stated(17).map(|mils| f64::from(mils) * MIL);
        let module = stated_module.unwrap_or_else(|| size::default_module(kind, modifier));
        // The multiplier counts only where a height is stated.
        let stated_height = u16_at(bdd, 18).filter(|height| *height != DEFAULT16 && *height != 0);
        let height = stated_height.map(|height| f64::from(height) * unit[1] * stated(20).map_or(1.0, f64::from));
        let desired = u16_at(bdd, 10).filter(|width| *width != DEFAULT16).map_or(0.0, f64::from) * unit[0];
        let ratio = u16_at(bdd, 21).and_then(ratio).unwrap_or_else(|| default_ratio(kind));
        let named = u16_at(bdd, 15).filter(|value| !matches!(*value, 0 | 0xFF00 | DEFAULT16)).and_then(color::named);
        let color = triplet_color(bdd.get(23..).unwrap_or_default()).or(named).or(area_color).unwrap_or(Color::BLACK);
        let module_stated = stated_module.is_some();
        Some(Descriptor { unit, size, kind, modifier, font, color, module, module_stated, height, desired, ratio })
    }
}

/// A number with its decimal point after the first significant digit: 2 is 2.0, 225 is 2.25. Ratios from 2 to 3 exist; for
/// others the default holds.
fn ratio(value: u16) -> Option<f64> {
    if matches!(value, 0 | DEFAULT16) {
        return None;
    }
    let mut ratio = f64::from(value);
    while ratio >= 10.0 {
        ratio /= 10.0;
    }
    Some(ratio).filter(|ratio| (2.0..=3.0).contains(ratio))
}

fn triplet_color(triplets: &[u8]) -> Option<Color> {
    let mut rest = triplets;
    while let [length, id, ..] = rest {
        let (triplet, next) = rest.split_at_checked(usize::from(*length).max(2))?;
        if *id == COLOR_TRIPLET {
            return color::color(triplet.get(3..)?);
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bdd() -> Vec<u8> {
        let mut bdd = vec![0, 0, 0x38, 0x40, 0x38, 0x40, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0x01, 0x01, 0xFF, 0xFF, 0xFF];
        bdd.extend([0xFF, 0xFF, 0xFF, 1, 0xFF, 0xFF]);
        bdd
    }

    #[test]
    fn defaults_hold_where_nothing_is_stated() {
        let read = Descriptor::read(&bdd(), None).unwrap();
        assert_eq!((read.unit, read.module.round(), read.height), ([10.0, 10.0], 187.0, None));
        assert_eq!((read.ratio, read.font, read.color, read.size), (2.5, None, Color::BLACK, [0.0, 0.0]));
    }

    #[test]
    fn what_is_stated_wins() {
        let mut stated = bdd();
        stated[14] = 3;
        stated[15..17].copy_from_slice(&[0, 2]);
        stated[17] = 10;
        stated[18..20].copy_from_slice(&[0, 100]);
        stated[20] = 2;
        stated[21..23].copy_from_slice(&[0, 225]);
        let read = Descriptor::read(&stated, None).unwrap();
        assert_eq!((read.module, read.height, read.ratio, read.font), (144.0, Some(2000.0), 2.25, Some(3)));
        assert_eq!(read.color, Color { r: 255, g: 0, b: 0 });
    }

    #[test]
    fn the_multiplier_counts_only_with_a_stated_height() {
        let mut stated = bdd();
        stated[20] = 3;
        assert_eq!(Descriptor::read(&stated, None).unwrap().height, None);
    }

    #[test]
    fn ratios_have_their_point_after_the_first_digit() {
        let read = [2, 21, 210, 2100, 21_000, 3, 0, DEFAULT16, 17, 4].map(ratio);
        let expected = [Some(2.0), Some(2.1), Some(2.1), Some(2.1), Some(2.1), Some(3.0), None, None, None, None];
        for (read, expected) in read.iter().zip(expected) {
            assert!((read.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-9);
        }
        assert_eq!(read.map(|ratio| ratio.is_some()), expected.map(|ratio| ratio.is_some()));
    }

    #[test]
    fn a_descriptor_cut_before_its_type_is_none() {
        assert_eq!(Descriptor::read(&bdd()[..13], None), None);
        assert!(Descriptor::read(&bdd()[..14], None).is_some());
    }
}
