//! Transparency masks: which points of a piece show.
//!
//! Rule: IOCA reference, chapter 5, "Transparency Masks".

use super::draw::{joined, ordered, shape};
use super::rows::{Fault, Rows};
use super::segment::Mask;

/// Rectangles that a mask is cut into at most.
const MAX_WINDOWS: usize = 256;

/// Decodes a mask; `size` holds where it states none.
pub fn mask(mask: &Mask<'_>, size: [u32; 2], limit: usize) -> Result<Rows, Fault> {
    let size = if mask.size.contains(&0) { size } else { mask.size };
    let data = ordered(joined(&mask.data), mask.coding.reversed);
    shape(&mask.coding, size, 1, 1).rows(&data, limit)
}

/// Both masks together: what both show.
pub fn both(mut one: Rows, other: &Rows) -> Rows {
    let (stride, from) = (one.width.div_ceil(8) as usize, other.width.div_ceil(8) as usize);
    for row in 0..one.height as usize {
        for column in 0..stride {
            let also = if column < from { other.data.get(row * from + column).copied().unwrap_or(0) } else { 0 };
            if let Some(byte) = one.data.get_mut(row * stride + column) {
                *byte &= also;
            }
        }
    }
    one
}

/// The rectangles (left, top, width, height) that cover what a mask shows; `None` when they are too many.
pub fn windows(mask: &Rows) -> Option<Vec<[f64; 4]>> {
    let stride = mask.width.div_ceil(8) as usize;
    let mut done: Vec<[u32; 4]> = Vec::new();
    let mut open: Vec<[u32; 4]> = Vec::new();
    for y in 0..mask.height {
        let row = mask.data.get(y as usize * stride..).unwrap_or_default();
        let mut next = Vec::new();
        for (left, right) in runs(row, mask.width) {
            let above = open.iter().position(|[x, _, width, _]| *x == left && *width == right - left);
            let top = above.map_or(y, |above| open.swap_remove(above)[1]);
            next.push([left, top, right - left, y + 1 - top]);
            if next.len() > MAX_WINDOWS {
                return None;
            }
        }
        done.append(&mut open);
        open = next;
        if done.len() + open.len() > MAX_WINDOWS {
            return None;
        }
    }
    done.append(&mut open);
    Some(done.into_iter().map(|window| window.map(f64::from)).collect())
}

/// Runs of ones: where they start and end.
fn runs(row: &[u8], width: u32) -> Vec<(u32, u32)> {
    let one = |x: u32| row.get(x as usize / 8).is_some_and(|byte| byte >> (7 - x % 8) & 1 == 1);
    let mut runs = Vec::new();
    let mut x = 0;
    while x < width {
        if !one(x) {
            x += 1;
            continue;
        }
        let start = x;
        while x < width && one(x) {
            x += 1;
        }
        runs.push((start, x));
    }
    runs
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // numbers of the tests' own
mod tests {
    use super::*;

    fn rows(width: u32, data: &[u8]) -> Rows {
        let height = data.len() as u32 / width.div_ceil(8);
        Rows { width, height, data: data.to_vec(), damaged: false }
    }

    #[test]
    fn equal_runs_below_each_other_are_one_window() {
        let mask = rows(8, &[0b0110_0001, 0b0110_0001, 0b0111_0001, 0]);
        let mut found = windows(&mask).unwrap();
        found.sort_by(|one, two| one.partial_cmp(two).unwrap());
        assert_eq!(found, [[1.0, 0.0, 2.0, 2.0], [1.0, 2.0, 3.0, 1.0], [7.0, 0.0, 1.0, 3.0]]);
        assert_eq!(windows(&rows(8, &[0, 0])), Some(Vec::new()));
    }

    #[test]
    fn a_mask_of_many_parts_is_given_up() {
        assert_eq!(windows(&rows(64, &[0xAA; 8 * 20])).map(|windows| windows.len()), Some(32));
        let checks: Vec<u8> = (0..200).map(|row| if row % 2 == 0 { 0xAA } else { 0x55 }).collect();
        assert_eq!(windows(&rows(8, &checks)), None);
    }

    #[test]
    fn two_masks_show_what_both_show() {
        assert_eq!(both(rows(8, &[0xF0, 0xFF]), &rows(8, &[0x3C, 0x01])).data, [0x30, 0x01]);
    }
}
