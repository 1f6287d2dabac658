//! Small images that "replicate and trim" lays down very often: several copies become one picture.

use super::Drawn;
use crate::page::pixels::{Values, pixels};
use crate::page::{Image, Samples};

/// Samples on a side that a picture of copies is grown to.
const GROWN: u32 = 1024;

/// A picture of as many copies across and down as make it [`GROWN`] wide and high, and how many these are. `None` for
/// what need not grow or is not one plain bilevel picture that fills its presentation space of `size` points.
pub fn grown(drawn: &[Drawn], size: [f64; 2]) -> Option<(Drawn, [f64; 2])> {
    let [one] = drawn else { return None };
    if one.at != [0.0, 0.0, size[0], size[1]] || !one.windows.is_empty() {
        return None;
    }
    let decoded = pixels(&one.image, 1 << 16).ok()?;
    let Values::Bits { data, ink, paper } = &decoded.values else { return None };
    let (width, height) = (decoded.width, decoded.height);
    let [across, down] = [GROWN.checked_div(width)?.max(1), GROWN.checked_div(height)?.max(1)];
    if across * down < 2 {
        return None;
    }
    let (from, stride) = (width.div_ceil(8) as usize, (width * across).div_ceil(8) as usize);
    let mut out = Vec::with_capacity(stride * (height * down) as usize);
    for row in 0..height as usize {
        let row = data.get(row * from..(row + 1) * from)?;
        let bit = |x: u32| row.get(x as usize / 8).copied().unwrap_or(0) >> (7 - x % 8) & 1;
        let start = out.len();
        out.resize(start + stride, 0u8);
        for x in (0..width * across).filter(|x| bit(x % width) == 1) {
            if let Some(byte) = out.get_mut(start + x as usize / 8) {
                *byte |= 0x80 >> (x % 8);
            }
        }
    }
    let once = out.clone();
    for _ in 1..down {
        out.extend_from_slice(&once);
    }
    let samples = Samples::Bits { data: out, ink: *ink, paper: *paper };
    let image = Image::new(width * across, height * down, samples);
    let times = [f64::from(across), f64::from(down)];
    let at = [0.0, 0.0, size[0] * times[0], size[1] * times[1]];
    Some((Drawn { image, at, ..one.clone() }, times))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Color;

    #[test]
    fn a_pattern_grows_by_whole_copies() {
        let samples = Samples::Bits { data: vec![0b1010_0000, 0b0100_0000], ink: Color::BLACK, paper: None };
        let at = [0.0, 0.0, 3.0, 2.0];
        let image = Image::new(3, 2, samples);
        let one = Drawn { image, at, windows: Vec::new(), damaged: false, opaque: false };
        let (grown, times) = grown(std::slice::from_ref(&one), [3.0, 2.0]).unwrap();
        assert_eq!((times, grown.image.width(), grown.image.height()), ([341.0, 512.0], 1023, 1024));
        let pixels = pixels(&grown.image, 1 << 20).unwrap();
        for (x, y) in [(0, 0), (2, 0), (1, 1), (1022, 1022), (500, 701), (501, 700)] {
            let inked = if y % 2 == 0 { x % 3 != 1 } else { x % 3 == 1 };
            assert_eq!(pixels.rgba(x, y)[3] == 255, inked, "{x}, {y}");
        }
        assert!(super::grown(&[one.clone(), one], [3.0, 2.0]).is_none());
    }
}
