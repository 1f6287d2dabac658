//! How often a pattern of marks meets itself again some bytes further on.
//!
//! Two thousand distances in a quarter of a megabyte are half a billion comparisons: counted one by one they were
//! most of what the detection of a stream cost. The counts of all distances together are a correlation, which a
//! Fourier transform of short blocks gives in a few milliseconds. Marks are 0 or 1 and counts are below 2^19, so the
//! rounded results are exact.

use std::f64::consts::PI;
use std::sync::LazyLock;

/// Points of one transform: longer than the longest distance, short enough for the processor's cache.
const POINTS: usize = 8_192;

/// For each distance below `distances` (at most half of [`POINTS`]): marks that are met again at that distance.
pub fn meetings(marks: &[bool], distances: usize) -> Vec<f32> {
    let step = POINTS.saturating_sub(distances).max(1);
    let mut sum = Wave::zero();
    let mut wave = Wave::zero();
    let mut rest = marks;
    while !rest.is_empty() {
        // The real part is a block, the imaginary part the same block and what follows it: one transform for two.
        let padded = rest.iter().copied().chain(std::iter::repeat(false));
        for (place, (mark, (re, im))) in padded.zip(wave.re.iter_mut().zip(&mut wave.im)).enumerate() {
            *im = f64::from(u8::from(mark));
            *re = if place < step { *im } else { 0.0 };
        }
        wave.transform();
        sum.add_correlation(&wave);
        rest = rest.get(step..).unwrap_or_default();
    }
    sum.transform_back();
    sum.re.iter().take(distances).map(|count| rounded(*count)).collect()
}

/// A count that came out of a transform back.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "counts of a sample are exact in f32")]
fn rounded(count: f64) -> f32 {
    (count / POINTS as f64).round() as f32
}

/// Complex numbers, real and imaginary parts apart so that loops over them become vector code.
struct Wave {
    re: Vec<f64>,
    im: Vec<f64>,
}

/// The turns of each stage, from the widest to the narrowest.
static TURNS: LazyLock<Vec<Wave>> = LazyLock::new(|| {
    let halves = std::iter::successors(Some(POINTS / 2), |half| Some(half / 2).filter(|half| *half > 0));
    halves.map(Wave::turns).collect()
});

impl Wave {
    fn zero() -> Wave {
        Wave { re: vec![0.0; POINTS], im: vec![0.0; POINTS] }
    }

    /// `half` points on the lower half of the unit circle.
    #[expect(clippy::cast_precision_loss, reason = "no more than POINTS")]
    fn turns(half: usize) -> Wave {
        let angles = || (0..half).map(|point| -PI * point as f64 / half as f64);
        Wave { re: angles().map(f64::cos).collect(), im: angles().map(f64::sin).collect() }
    }

    /// Into frequencies; they come out in the order of their reversed bits.
    fn transform(&mut self) {
        for turns in TURNS.iter() {
            let half = turns.re.len();
            for (re, im) in self.re.chunks_exact_mut(half * 2).zip(self.im.chunks_exact_mut(half * 2)) {
                let ((re_a, re_b), (im_a, im_b)) = (re.split_at_mut(half), im.split_at_mut(half));
                let pairs = re_a.iter_mut().zip(re_b).zip(im_a.iter_mut().zip(im_b));
                for (((ar, br), (ai, bi)), (cos, sin)) in pairs.zip(turns.re.iter().zip(&turns.im)) {
                    let (re, im) = (*ar - *br, *ai - *bi);
                    *ar += *br;
                    *ai += *bi;
                    *br = re * cos - im * sin;
                    *bi = re * sin + im * cos;
                }
            }
        }
    }

    /// Back from frequencies in that order, [`POINTS`] times too large.
    fn transform_back(&mut self) {
        for turns in TURNS.iter().rev() {
            let half = turns.re.len();
            for (re, im) in self.re.chunks_exact_mut(half * 2).zip(self.im.chunks_exact_mut(half * 2)) {
                let ((re_a, re_b), (im_a, im_b)) = (re.split_at_mut(half), im.split_at_mut(half));
                let pairs = re_a.iter_mut().zip(re_b).zip(im_a.iter_mut().zip(im_b));
                for (((ar, br), (ai, bi)), (cos, sin)) in pairs.zip(turns.re.iter().zip(&turns.im)) {
                    let (re, im) = (*br * cos + *bi * sin, *bi * cos - *br * sin);
                    *br = *ar - re;
                    *bi = *ai - im;
                    *ar += re;
                    *ai += im;
                }
            }
        }
    }

    /// Adds what correlates the real part of a transformed wave with its imaginary part.
    ///
    /// Both parts come apart with the help of the opposite frequency. With reversed bits, opposites mirror each other
    /// inside the runs 0, 1, 2..4, 4..8 and so on.
    fn add_correlation(&mut self, of: &Wave) {
        let mut from = 0;
        while from < POINTS {
            let run = from..from.max(1) + from;
            let parts =
                (self.re.get_mut(run.clone()), self.im.get_mut(run.clone()), of.re.get(run.clone()), of.im.get(run));
            let (Some(sum_re), Some(sum_im), Some(re), Some(im)) = parts else { return };
            let opposite = re.iter().rev().zip(im.iter().rev());
            let here = re.iter().zip(im).zip(opposite);
            for ((sum_re, sum_im), ((re, im), (other_re, other_im))) in sum_re.iter_mut().zip(sum_im).zip(here) {
                let (block_re, block_im) = ((re + other_re) / 2.0, (im - other_im) / 2.0);
                let (all_re, all_im) = ((im + other_im) / 2.0, (other_re - re) / 2.0);
                *sum_re += block_re * all_re + block_im * all_im;
                *sum_im += block_re * all_im - block_im * all_re;
            }
            from += from.max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meetings_are_those_that_counting_finds() {
        let mut seed = 88_172_645_463_325_252_u64;
        for length in [0, 1, 19, 2_050, 6_142, 6_143, 20_000] {
            let marks: Vec<bool> = (0..length)
                .map(|place| {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    seed % 10 < 3 || place % 133 < 20
                })
                .collect();
            let found = meetings(&marks, 2_050);
            assert_eq!(found.len(), 2_050);
            for (distance, found) in found.iter().enumerate() {
                let counted = marks.iter().zip(marks.iter().skip(distance)).filter(|(a, b)| **a && **b).count();
                assert!((*found - share_of(counted)).abs() < f32::EPSILON, "{length} {distance} {found} {counted}");
            }
        }
    }

    fn share_of(count: usize) -> f32 {
        f32::from(u16::try_from(count).unwrap())
    }
}
