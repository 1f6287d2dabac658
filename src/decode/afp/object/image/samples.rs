//! Image data elements as grey or red, green and blue.
//!
//! Rule: IOCA reference, chapter 5, "IDE Structure", and appendix B.

use super::rows::{Fault, Rows};
use super::segment::{Coding, Structure};
use crate::page::{Color, Samples};

const RGB: u8 = 0x01;
const Y_CR_CB: u8 = 0x02;
const CMYK: u8 = 0x04;
const Y_CB_CR: u8 = 0x12;
const N_COLOR: u8 = 0x80;

/// Bits of an element that are understood.
const MAX_BITS: u32 = 128;

/// A band: all elements, or some bits of each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// Its samples.
    pub rows: Rows,
    /// Bits of one of them.
    pub bits: u32,
}

impl Plane {
    fn sample(&self, x: usize, y: usize) -> u128 {
        let bits = self.bits as usize;
        let stride = (self.rows.width as usize * bits).div_ceil(8);
        let row = self.rows.data.get(y * stride..).unwrap_or_default();
        let (start, end) = (x * bits, (x + 1) * bits);
        let bytes = row.get(start / 8..end.div_ceil(8)).unwrap_or_default();
        let word = bytes.iter().fold(0u128, |word, byte| word << 8 | u128::from(*byte));
        let right = end.div_ceil(8) * 8 - end;
        word >> right & mask(bits)
    }
}

fn mask(bits: usize) -> u128 {
    if bits >= 128 { u128::MAX } else { (1 << bits) - 1 }
}

/// Whether elements are bits of ink, painted in one colour.
pub fn bilevel(coding: &Coding) -> bool {
    let model = coding.structure.as_ref().map(|structure| structure.model);
    coding.bits == 1 && !matches!(model, Some(RGB | CMYK | N_COLOR..))
}

/// Whether elements of this structure have one component: the intensity.
pub fn gray(coding: &Coding) -> bool {
    let Some(structure) = &coding.structure else { return true };
    matches!(structure.model, Y_CR_CB | Y_CB_CR) && sizes(structure).len() < 2
}

/// Components of an element that have bits.
fn sizes(structure: &Structure) -> Vec<u32> {
    let mut sizes: Vec<u32> = structure.sizes.iter().map(|size| u32::from(*size)).collect();
    while sizes.last() == Some(&0) {
        sizes.pop();
    }
    sizes
}

/// Whether the elements are already grey or red, green and blue in bytes.
pub fn as_they_are(coding: &Coding, planes: &[Plane]) -> bool {
    let [plane] = planes else { return false };
    match &coding.structure {
        None => plane.bits == 8,
        Some(structure) if structure.subtractive || structure.gray_code => false,
        Some(structure) => match structure.model {
            RGB => plane.bits == 24 && sizes(structure) == [8; 3],
            Y_CR_CB | Y_CB_CR => plane.bits == 8 && sizes(structure) == [8],
            _ => false,
        },
    }
}

/// Puts bands together and converts: `width` x `height` samples of grey or colour.
pub fn samples(coding: &Coding, planes: Vec<Plane>, width: u32, height: u32) -> Result<Samples, Fault> {
    let bits: u32 = planes.iter().map(|plane| plane.bits).sum();
    if bits == 0 || bits > MAX_BITS {
        return Err(Fault::Model(coding.bits));
    }
    let plain = Structure { subtractive: false, gray_code: false, model: Y_CB_CR, sizes: vec![coding.bits] };
    let structure = coding.structure.as_ref().unwrap_or(&plain);
    let mut sizes = sizes(structure);
    if sizes.iter().sum::<u32>() > bits || sizes.is_empty() {
        sizes = vec![bits];
    }
    let convert = Convert::new(structure, &coding.colorants, sizes.len())?;
    if as_they_are(coding, &planes) {
        let data = planes.into_iter().next().map(|plane| plane.rows.data).unwrap_or_default();
        return Ok(convert.made(data));
    }
    let (width, height) = (width as usize, height as usize);
    let mut out = Vec::with_capacity(width * height * convert.channels());
    if let Some(source) = Bytes::new(&planes, &sizes, bits)
        && !structure.gray_code
    {
        let flip = if structure.subtractive { 0xFF } else { 0 };
        for y in 0..height {
            for x in 0..width {
                convert.push(&mut out, &source.parts(x, y, flip));
            }
        }
        return Ok(convert.made(out));
    }
    for y in 0..height {
        for x in 0..width {
            let mut element = 0u128;
            for plane in &planes {
                let shifted = if plane.bits >= MAX_BITS { 0 } else { element << plane.bits };
                element = shifted | plane.sample(x, y);
            }
            if structure.gray_code {
                element = from_gray_code(element);
            }
            let mut parts = [0u8; 15];
            let mut left = bits;
            for (part, size) in parts.iter_mut().zip(&sizes) {
                left -= size;
                let value = eight_bits(element >> left.min(127) & mask(*size as usize), *size);
                *part = if structure.subtractive { 255 - value } else { value };
            }
            convert.push(&mut out, &parts);
        }
    }
    Ok(convert.made(out))
}

/// Elements whose components are bytes, all in one plane or each in its own: the usual case, read without shifting bits.
struct Bytes<'p> {
    planes: &'p [Plane],
    components: usize,
}

impl<'p> Bytes<'p> {
    fn new(planes: &'p [Plane], sizes: &[u32], bits: u32) -> Option<Bytes<'p>> {
        let components = sizes.len();
        let fits = sizes.iter().all(|size| *size == 8) && bits == sizes.iter().sum();
        let apart = planes.len() == components && planes.iter().all(|plane| plane.bits == 8);
        (fits && components <= 15 && (planes.len() == 1 || apart)).then_some(Bytes { planes, components })
    }

    fn parts(&self, x: usize, y: usize, flip: u8) -> [u8; 15] {
        let mut parts = [0; 15];
        let each = if self.planes.len() == 1 { self.components } else { 1 };
        for (plane, parts) in self.planes.iter().zip(parts.chunks_mut(each)) {
            let at = (y * plane.rows.width as usize + x) * each;
            let from = plane.rows.data.get(at..at + each).unwrap_or_default();
            for (part, byte) in parts.iter_mut().zip(from) {
                *part = byte ^ flip;
            }
        }
        parts
    }
}

/// Elements of two luminances and one pair of colour differences (four bytes) as three bytes for each sample.
pub fn spread(rows: &Rows) -> Rows {
    let stride = rows.width as usize * 4;
    let mut data = Vec::with_capacity(rows.data.len() / 4 * 6);
    for row in rows.data.chunks(stride.max(1)) {
        for group in row.chunks_exact(4) {
            if let [first, second, one, two] = group {
                data.extend([*first, *one, *two, *second, *one, *two]);
            }
        }
    }
    Rows { width: rows.width * 2, data, ..*rows }
}

fn from_gray_code(mut value: u128) -> u128 {
    let mut shift = 1;
    while shift < 128 {
        value ^= value >> shift;
        shift *= 2;
    }
    value
}

/// A component of any size as one of eight bits.
fn eight_bits(value: u128, size: u32) -> u8 {
    let scaled = match size {
        0 => 0,
        8 => value,
        1..=32 => (value * 255 + (mask(size as usize) >> 1)) / mask(size as usize),
        _ => value >> (size - 8),
    };
    u8::try_from(scaled).unwrap_or(255)
}

enum Convert {
    Gray,
    Rgb,
    /// Where the blue difference is, and where the red one.
    Luminance(usize, usize),
    Cmyk,
    /// The light that full ink of each component leaves.
    Inks(Vec<[u8; 3]>),
}

impl Convert {
    fn new(structure: &Structure, colorants: &[String], components: usize) -> Result<Convert, Fault> {
        match structure.model {
            Y_CR_CB | Y_CB_CR if components < 2 => Ok(Convert::Gray),
            Y_CR_CB => Ok(Convert::Luminance(2, 1)),
            Y_CB_CR => Ok(Convert::Luminance(1, 2)),
            RGB => Ok(Convert::Rgb),
            CMYK => Ok(Convert::Cmyk),
            N_COLOR.. => Ok(Convert::Inks(inks(colorants, components))),
            other => Err(Fault::Model(other)),
        }
    }

    fn channels(&self) -> usize {
        if matches!(self, Convert::Gray) { 1 } else { 3 }
    }

    fn made(&self, out: Vec<u8>) -> Samples {
        if self.channels() == 1 { Samples::Gray(out) } else { Samples::Rgb(out) }
    }

    fn push(&self, out: &mut Vec<u8>, parts: &[u8; 15]) {
        let [one, two, three, four, ..] = *parts;
        match self {
            Convert::Gray => out.push(one),
            Convert::Rgb => out.extend([one, two, three]),
            Convert::Cmyk => out.extend([one, two, three].map(|ink| Color::of_cmyk_channel(ink, four))),
            Convert::Luminance(blue, red) => {
                let part = |at: &usize| parts.get(*at).copied().unwrap_or(128);
                out.extend(from_luminance(one, part(blue), part(red)));
            }
            Convert::Inks(inks) => {
                let mut light = [255u32; 3];
                for (part, ink) in parts.iter().zip(inks) {
                    for (light, left) in light.iter_mut().zip(ink) {
                        let absorbed = u32::from(*part) * (255 - u32::from(*left));
                        *light = *light * (255 * 255 - absorbed) / (255 * 255);
                    }
                }
                out.extend(light.map(|light| u8::try_from(light).unwrap_or(255)));
            }
        }
    }
}

/// ITU-R BT.601 with full range, as in JFIF.
pub fn from_luminance(y: u8, blue: u8, red: u8) -> [u8; 3] {
    let (y, blue, red) = (f64::from(y), f64::from(blue) - 128.0, f64::from(red) - 128.0);
    // A float to integer conversion saturates.
    #[allow(clippy::cast_possible_truncation)]
    let byte = |value: f64| value.round() as u8;
    [byte(y + 1.402 * red), byte(y - 0.344_136 * blue - 0.714_136 * red), byte(y + 1.772 * blue)]
}

/// What the inks of an nColor image look like: by the registered names; without names the first four are the process
/// colours, and all others dark grey.
fn inks(colorants: &[String], components: usize) -> Vec<[u8; 3]> {
    const PROCESS: [[u8; 3]; 4] = [[0, 255, 255], [255, 0, 255], [255, 255, 0], [0, 0, 0]];
    const OTHER: [u8; 3] = [64, 64, 64];
    let by_name = |name: &str| match name {
        "AFPC_Device_C" => PROCESS.first().copied(),
        "AFPC_Device_M" => PROCESS.get(1).copied(),
        "AFPC_Device_Y" => PROCESS.get(2).copied(),
        "AFPC_Device_K" | "AFPC_Device_Gray" => PROCESS.get(3).copied(),
        "AFPC_Device_R" => Some([255, 0, 0]),
        "AFPC_Device_G" => Some([0, 255, 0]),
        "AFPC_Device_B" => Some([0, 0, 255]),
        _ => None,
    };
    let ink = |at: usize| match colorants.get(at) {
        Some(name) => by_name(name).unwrap_or(OTHER),
        None => PROCESS.get(at).copied().unwrap_or(OTHER),
    };
    (0..components).map(ink).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coding(bits: u8, model: u8, sizes: &[u8]) -> Coding {
        let structure = Structure { subtractive: false, gray_code: false, model, sizes: sizes.to_vec() };
        Coding { bits, structure: Some(structure), ..Coding::default() }
    }

    fn plane(width: u32, bits: u32, data: &[u8]) -> Plane {
        Plane { rows: Rows { width, height: 1, data: data.to_vec(), damaged: false }, bits }
    }

    #[test]
    fn without_a_structure_more_than_one_bit_is_grey() {
        let coding = Coding { bits: 4, ..Coding::default() };
        assert!(!bilevel(&coding) && gray(&coding));
        assert_eq!(samples(&coding, vec![plane(3, 4, &[0x0F, 0x80])], 3, 1), Ok(Samples::Gray(vec![0, 255, 136])));
    }

    #[test]
    fn models_and_flags() {
        let rgb = samples(&coding(24, RGB, &[8, 8, 8]), vec![plane(1, 24, &[1, 2, 3])], 1, 1);
        assert_eq!(rgb, Ok(Samples::Rgb(vec![1, 2, 3])));
        let cmyk = samples(&coding(4, CMYK, &[1, 1, 1, 1]), vec![plane(4, 4, &[0x84, 0x10])], 4, 1);
        assert_eq!(cmyk, Ok(Samples::Rgb(vec![0, 255, 255, 255, 0, 255, 0, 0, 0, 255, 255, 255])));
        let mut subtractive = coding(8, Y_CB_CR, &[8]);
        subtractive.structure.as_mut().unwrap().subtractive = true;
        assert_eq!(samples(&subtractive, vec![plane(1, 8, &[10])], 1, 1), Ok(Samples::Gray(vec![245])));
        let mut gray_code = coding(4, Y_CB_CR, &[4]);
        gray_code.structure.as_mut().unwrap().gray_code = true;
        assert_eq!(samples(&gray_code, vec![plane(1, 4, &[0x80])], 1, 1), Ok(Samples::Gray(vec![255])));
        let grey = samples(&coding(24, Y_CR_CB, &[8, 8, 8]), vec![plane(1, 24, &[77, 128, 128])], 1, 1);
        assert_eq!(grey, Ok(Samples::Rgb(vec![77, 77, 77])));
        let red = samples(&coding(24, Y_CR_CB, &[8, 8, 8]), vec![plane(1, 24, &[76, 255, 85])], 1, 1);
        assert_eq!(red, Ok(Samples::Rgb(vec![254, 0, 0])));
    }

    #[test]
    fn bands_give_the_bits_of_an_element_in_turn() {
        let planes = [plane(2, 1, &[0x80]), plane(2, 1, &[0x40]), plane(2, 1, &[0]), plane(2, 1, &[0x40])];
        let cmyk = samples(&coding(4, CMYK, &[1, 1, 1, 1]), planes.to_vec(), 2, 1);
        assert_eq!(cmyk, Ok(Samples::Rgb(vec![0, 255, 255, 0, 0, 0])));
        let grey = Coding { bits: 4, ..Coding::default() };
        assert_eq!(samples(&grey, planes.to_vec(), 2, 1), Ok(Samples::Gray(vec![136, 85])));
    }

    #[test]
    fn inks_by_name_and_by_place() {
        let mut coding = coding(16, 0x82, &[8, 8]);
        assert_eq!(samples(&coding, vec![plane(1, 16, &[255, 0])], 1, 1), Ok(Samples::Rgb(vec![0, 255, 255])));
        coding.colorants = vec!["AFPC_Device_R".into(), "Gold".into()];
        assert_eq!(samples(&coding, vec![plane(1, 16, &[255, 0])], 1, 1), Ok(Samples::Rgb(vec![255, 0, 0])));
    }

    #[test]
    fn halved_colour_differences_are_spread() {
        let rows = Rows { width: 1, height: 1, data: vec![1, 2, 3, 4], damaged: false };
        assert_eq!((spread(&rows).width, spread(&rows).data), (2, vec![1, 3, 4, 2, 3, 4]));
    }
}
