//! Colours: OCA named values and the colour specifications of triplet X'4E', SEC, GSPCOL and tile colours.
//!
//! Everything becomes device RGB. Rule: MO:DCA Reference, "Color Specification (X'4E') Triplet" and
//! "Standard OCA Color Value Table".

use crate::page::Color;

const WHITE: Color = Color { r: 255, g: 255, b: 255 };

const RGB: u8 = 0x01;
const CMYK: u8 = 0x04;
const HIGHLIGHT: u8 = 0x06;
const CIELAB: u8 = 0x08;
const OCA: u8 = 0x40;

/// The standard OCA colours 1 to 16.
const NAMED: [[u8; 3]; 16] = [
    [0, 0, 255],
    [255, 0, 0],
    [255, 0, 255],
    [0, 255, 0],
    [0, 255, 255],
    [255, 255, 0],
    [255, 255, 255],
    [0, 0, 0],
    [0, 0, 170],
    [255, 128, 0],
    [170, 0, 170],
    [0, 146, 0],
    [0, 146, 170],
    [196, 160, 32],
    [131, 131, 131],
    [144, 48, 0],
];

/// A standard OCA colour.
///
/// The process and device defaults (X'0000', X'FF00', X'FF07') are black, the colour of the medium (X'FF08') is white.
/// `None` for X'FFFF' (the default of the hierarchy: the caller knows it) and for values that nobody defines.
pub fn named(value: u16) -> Option<Color> {
    match value {
        0x0000 | 0xFF00 | 0xFF07 => Some(Color::BLACK),
        0xFF08 => Some(WHITE),
        0xFF01..=0xFF06 => table(value & 0xFF),
        _ => table(value),
    }
}

fn table(value: u16) -> Option<Color> {
    let [r, g, b] = *NAMED.get(usize::from(value).checked_sub(1)?)?;
    Some(Color { r, g, b })
}

/// The colour of a specification, from its colour space byte on: space, 4 reserved bytes, 4 component sizes in bits,
/// the value with each component right-aligned in whole bytes.
///
/// `None` when it is cut short, the space is unknown, or the value asks for the default of the hierarchy.
pub fn color(spec: &[u8]) -> Option<Color> {
    let (&space, rest) = spec.split_first()?;
    let (sizes, value) = rest.get(4..)?.split_first_chunk::<4>()?;
    match space {
        HIGHLIGHT => highlight(value),
        OCA => named(u16::from_be_bytes(*value.first_chunk()?)),
        _ => mixed(space, components(space, sizes, value)?),
    }
}

/// The components of a value of a process colour space (RGB, CMYK, CIELab), to mix it with others; `None` for other spaces and
/// values that are cut short. RGB and CMYK from 0 to 1, L* from 0 to 100, a* and b* from -127 to 127.
pub fn components(space: u8, sizes: &[u8; 4], value: &[u8]) -> Option<[f64; 4]> {
    let mut parts = Components { sizes: sizes.iter(), value };
    Some(match space {
        RGB => [parts.unsigned()?, parts.unsigned()?, parts.unsigned()?, 0.0],
        CMYK => [parts.unsigned()?, parts.unsigned()?, parts.unsigned()?, parts.unsigned()?],
        CIELAB => [parts.unsigned()? * 100.0, parts.signed()?, parts.signed()?, 0.0],
        _ => return None,
    })
}

/// The colour of [`components`].
pub fn mixed(space: u8, [one, two, three, four]: [f64; 4]) -> Option<Color> {
    Some(match space {
        RGB => from_unit([one, two, three]),
        CMYK => from_unit([one, two, three].map(|ink| (1.0 - ink) * (1.0 - four))),
        CIELAB => from_lab(one, two, three),
        _ => return None,
    })
}

/// Highlight colour: u16 number, then percent coverage and percent shading, which may be absent.
///
/// What a number prints as is set at the printer; without one, numbers are taken as OCA colours, so that 2 is the
/// red that two-colour printers usually hold.
fn highlight(value: &[u8]) -> Option<Color> {
    let number = u16::from_be_bytes(*value.first_chunk()?);
    let percent = |at: usize, absent: u8| f64::from(value.get(at).copied().unwrap_or(absent).min(100)) / 100.0;
    let (coverage, shading) = (percent(2, 100), percent(3, 0));
    let full = named(number).filter(|color| *color != WHITE).unwrap_or(Color::BLACK);
    let mixed = [full.r, full.g, full.b].map(|part| {
        let tint = 1.0 - coverage + coverage * f64::from(part) / 255.0;
        tint * (1.0 - shading)
    });
    Some(from_unit(mixed))
}

struct Components<'s> {
    sizes: std::slice::Iter<'s, u8>,
    value: &'s [u8],
}

impl Components<'_> {
    /// The next component and the largest value its size holds.
    fn raw(&mut self) -> Option<(u64, u64)> {
        let bits = u32::from(*self.sizes.next()?);
        if bits == 0 || bits > 32 {
            return None;
        }
        let (bytes, rest) = self.value.split_at_checked(bits.div_ceil(8) as usize)?;
        self.value = rest;
        let range = (1u64 << bits) - 1;
        let number = bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        Some((number & range, range))
    }

    /// 0 to 1.
    fn unsigned(&mut self) -> Option<f64> {
        let (number, range) = self.raw()?;
        Some(number as f64 / range as f64)
    }

    /// Two's complement, -127 to 127 over the range of its size.
    fn signed(&mut self) -> Option<f64> {
        let (number, range) = self.raw()?;
        let half = (range / 2) as f64;
        let value = if number as f64 > half { number as f64 - range as f64 - 1.0 } else { number as f64 };
        if half == 0.0 { None } else { Some((value / half * 127.0).max(-127.0)) }
    }
}

fn from_unit(parts: [f64; 3]) -> Color {
    let [r, g, b] = parts.map(byte);
    Color { r, g, b }
}

/// 0 to 1 as 0 to 255.
#[allow(clippy::cast_possible_truncation)] // clamped to the byte's range
fn byte(part: f64) -> u8 {
    (part * 255.0).round().clamp(0.0, 255.0) as u8
}

/// CIE L*a*b* under D50 to sRGB. The matrix holds the adaptation to D65 (Bradford).
fn from_lab(lightness: f64, a: f64, b: f64) -> Color {
    let y = (lightness + 16.0) / 116.0;
    let linear = |t: f64| if t > 6.0 / 29.0 { t.powi(3) } else { (t - 4.0 / 29.0) * 3.0 * (6.0f64 / 29.0).powi(2) };
    let [x, y, z] = [0.9642 * linear(y + a / 500.0), linear(y), 0.8249 * linear(y - b / 200.0)];
    let gamma = |part: f64| {
        if part <= 0.003_130_8 { part * 12.92 } else { 1.055 * part.powf(1.0 / 2.4) - 0.055 }
    };
    from_unit([
        gamma(3.133_856 * x - 1.616_867 * y - 0.490_615 * z),
        gamma(-0.978_768 * x + 1.916_142 * y + 0.033_454 * z),
        gamma(0.071_945 * x - 0.228_991 * y + 1.405_243 * z),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(space: u8, sizes: [u8; 4], value: &[u8]) -> Vec<u8> {
        [&[space, 0, 0, 0, 0][..], &sizes, value].concat()
    }

    fn rgb(r: u8, g: u8, b: u8) -> Option<Color> {
        Some(Color { r, g, b })
    }

    #[test]
    fn named_values_are_those_of_the_table_in_both_ranges() {
        assert_eq!(named(0x0002), rgb(255, 0, 0));
        assert_eq!(named(0xFF02), rgb(255, 0, 0));
        assert_eq!(named(0x0010), rgb(144, 48, 0));
        assert_eq!(named(0xFF07), rgb(0, 0, 0));
        assert_eq!(named(0xFF08), rgb(255, 255, 255));
        assert_eq!([named(0xFFFF), named(0x0011), named(0xFF10)], [None; 3]);
    }

    #[test]
    fn rgb_components_scale_by_their_size() {
        assert_eq!(color(&spec(RGB, [8, 8, 8, 0], &[1, 2, 3])), rgb(1, 2, 3));
        assert_eq!(color(&spec(RGB, [16, 4, 1, 0], &[0x80, 0x80, 0x0F, 0x01])), rgb(128, 255, 255));
    }

    #[test]
    fn cmyk_mixes_down() {
        assert_eq!(color(&spec(CMYK, [8; 4], &[0, 0, 0, 255])), rgb(0, 0, 0));
        assert_eq!(color(&spec(CMYK, [8; 4], &[0, 255, 255, 0])), rgb(255, 0, 0));
        assert_eq!(color(&spec(CMYK, [8; 4], &[0, 0, 0, 0])), rgb(255, 255, 255));
    }

    #[test]
    fn highlight_colours_are_tinted_and_shaded() {
        assert_eq!(color(&spec(HIGHLIGHT, [16, 8, 8, 0], &[0, 2, 100, 0])), rgb(255, 0, 0));
        assert_eq!(color(&spec(HIGHLIGHT, [16, 8, 0, 0], &[0, 2, 50])), rgb(255, 128, 128));
        assert_eq!(color(&spec(HIGHLIGHT, [16, 0, 0, 0], &[0, 0])), rgb(0, 0, 0));
    }

    #[test]
    fn lab_greys_and_colours() {
        assert_eq!(color(&spec(CIELAB, [8; 4], &[255, 0, 0])), rgb(255, 255, 255));
        assert_eq!(color(&spec(CIELAB, [8; 4], &[0, 0, 0])), rgb(0, 0, 0));
        // sRGB red is L 54.29, a 80.8, b 69.9 under D50.
        let red = color(&spec(CIELAB, [8; 4], &[138, 81, 70])).unwrap();
        assert!(red.r >= 253 && red.g <= 4 && red.b <= 4, "{red:?}");
        let blue = color(&spec(CIELAB, [8; 4], &[75, 68, 0x90])).unwrap();
        assert!(blue.r <= 8 && blue.g <= 8 && blue.b >= 250, "{blue:?}");
    }

    #[test]
    fn oca_in_a_specification_and_what_is_cut_or_unknown() {
        assert_eq!(color(&spec(OCA, [16, 0, 0, 0], &[0, 6])), rgb(255, 255, 0));
        assert_eq!(color(&spec(OCA, [16, 0, 0, 0], &[0])), None);
        assert_eq!(color(&spec(RGB, [8, 8, 8, 0], &[1, 2])), None);
        assert_eq!(color(&spec(RGB, [0, 8, 255, 0], &[1, 2, 3])), None);
        assert_eq!(color(&spec(0x77, [8; 4], &[1, 2, 3, 4])), None);
        assert_eq!([color(&[]), color(&[RGB, 0, 0])], [None; 2]);
    }
}
