//! The Image Data Descriptor: the presentation space of an image, and the colour of bilevel images.
//!
//! Rule: IOCA reference, chapter 6, "Image Data Descriptor (IDD)".

use super::segment::u16_at;
use crate::decode::afp::color;
use crate::page::{Color, Lu};

const SET_BILEVEL_COLOR: u8 = 0xF6;
const SET_EXTENDED_COLOR: u8 = 0xF4;

/// Points in one inch where nothing states a resolution.
pub const DEFAULT_RESOLUTION: f64 = 240.0;

/// What the descriptor says.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Descriptor {
    /// Logical units of one point across and down; `None` when the descriptor states no resolution.
    pub pitch: Option<[f64; 2]>,
    /// Points across and down; 0 when it states none.
    pub size: [u32; 2],
    /// Colour of bilevel images.
    pub ink: Option<Color>,
}

/// Reads the descriptor; what is missing stays unstated.
pub fn descriptor(idd: &[u8]) -> Descriptor {
    let base = idd.first().copied().unwrap_or(0);
    let mut descriptor = Descriptor {
        pitch: pitch(base, u16_at(idd, 1), u16_at(idd, 3)),
        size: [u16_at(idd, 5), u16_at(idd, 7)],
        ink: None,
    };
    let mut rest = idd.get(9..).unwrap_or_default();
    while let [code, length, tail @ ..] = rest {
        let Some((body, tail)) = tail.split_at_checked(usize::from(*length)) else { break };
        match (*code, body) {
            (SET_BILEVEL_COLOR, [_, _, high, low, ..]) => {
                descriptor.ink = color::named(u16::from_be_bytes([*high, *low])).or(descriptor.ink);
            }
            (SET_EXTENDED_COLOR, [_, spec @ ..]) => descriptor.ink = color::color(spec).or(descriptor.ink),
            _ => {}
        }
        rest = tail;
    }
    descriptor
}

/// Logical units of one point, from points in ten inches (base 0) or ten centimetres (base 1).
pub fn pitch(base: u8, across: u32, down: u32) -> Option<[f64; 2]> {
    let in_ten = match base {
        0 => f64::from(Lu::PER_INCH) * 10.0,
        1 => f64::from(Lu::PER_INCH) * 10.0 / 2.54,
        _ => return None,
    };
    let usable = |points: u32| points > 0;
    (usable(across) && usable(down)).then(|| [in_ten / f64::from(across), in_ten / f64::from(down)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolution_size_and_color() {
        let idd = [0, 0x09, 0x60, 0x0B, 0xB8, 0, 10, 0, 20, 0xF7, 2, 1, 0x0B, 0xF6, 4, 0, 0, 0, 2];
        let descriptor = descriptor(&idd);
        assert_eq!((descriptor.pitch, descriptor.size), (Some([60.0, 48.0]), [10, 20]));
        assert_eq!(descriptor.ink, Some(Color { r: 255, g: 0, b: 0 }));
    }

    #[test]
    fn an_extended_color_has_the_shape_of_a_color_specification() {
        let idd = [0; 9].into_iter().chain([0xF4, 13, 0, 1, 0, 0, 0, 0, 8, 8, 8, 0, 1, 2, 3]).collect::<Vec<u8>>();
        assert_eq!(descriptor(&idd).ink, Some(Color { r: 1, g: 2, b: 3 }));
    }

    #[test]
    fn centimetres_and_nothing() {
        assert_eq!(pitch(1, 1000, 1000).map(|[x, _]| x.round()), Some(57.0));
        assert_eq!((pitch(2, 1, 1), pitch(0, 0, 9), descriptor(&[])), (None, None, Descriptor::default()));
    }
}
