//! DataBar Stacked and Stacked Omnidirectional: both halves of the symbol, one above the other, with a separator.

use super::{Invalid, elements, item, numbered};
use crate::decode::afp::object::barcode::symbol::{Matrix, Stack};

/// Modules in a row.
const WIDTH: usize = 50;
/// The separators leave the modules at the sides light.
const SIDE: usize = 4;
/// Where the finder patterns of the upper and the lower row start.
const FINDERS: [usize; 2] = [18, 17];
const FINDER: usize = 15;

/// Encodes a number; `tall` is the omnidirectional form, whose rows have `height` modules each.
pub fn stacked(data: &[u8], tall: bool, height: f64) -> Result<(Stack, String), Invalid> {
    let body = item(data)?;
    let elements = elements(&body);
    let (upper, lower) = elements.split_at_checked(23).unwrap_or_default();
    let upper = modules(upper, false, &[true, false]);
    let mut start = vec![true, false];
    start.extend(modules(lower, true, &[]));
    let rows = [upper, start];
    let [upper, lower] = &rows;
    let (all, heights) = if tall {
        let middle = (0..WIDTH).map(|x| (5..46).contains(&x) && x % 2 == 1).collect();
        let above = separator(upper, FINDERS[0]);
        let below = separator(lower, FINDERS[1]);
        let all = vec![upper.clone(), above, middle, below, lower.clone()];
        (all, vec![height, 1.0, 1.0, 1.0, height])
    } else {
        (vec![upper.clone(), between(upper, lower), lower.clone()], vec![5.0, 1.0, 7.0])
    };
    Ok((Stack { matrix: Matrix::of_rows(&all), heights }, numbered(&body)))
}

/// Elements as modules.
fn modules(elements: &[u8], dark_first: bool, end: &[bool]) -> Vec<bool> {
    let mut dark = dark_first;
    let mut out = Vec::new();
    for width in elements {
        out.resize(out.len() + usize::from(*width), dark);
        dark = !dark;
    }
    out.extend_from_slice(end);
    out
}

fn is_dark(row: &[bool], at: usize) -> bool {
    row.get(at).copied().unwrap_or(false)
}

/// The complement of a row; within its finder pattern dark and light take turns over what is light there.
fn separator(row: &[bool], finder: usize) -> Vec<bool> {
    let mut out: Vec<bool> = (0..WIDTH).map(|x| (SIDE..WIDTH - SIDE).contains(&x) && !is_dark(row, x)).collect();
    let mut dark = true;
    for (x, place) in out.iter_mut().enumerate().skip(finder - 1).take(FINDER + 1) {
        if is_dark(row, x) {
            (*place, dark) = (false, true);
        } else {
            *place = dark;
            dark = !dark;
        }
    }
    out
}

/// Where both rows are alike the opposite of them, elsewhere dark and light in turn.
fn between(upper: &[bool], lower: &[bool]) -> Vec<bool> {
    let mut out = vec![false];
    for x in 1..46 {
        let (above, below) = (is_dark(upper, x), is_dark(lower, x));
        let before = is_dark(&out, x - 1);
        out.push(if above == below { !above } else { !before });
    }
    out.iter_mut().take(SIDE).for_each(|module| *module = false);
    out.resize(WIDTH, false);
    out
}
