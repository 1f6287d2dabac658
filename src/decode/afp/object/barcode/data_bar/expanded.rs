//! DataBar Expanded, in one row or stacked.

use super::compaction::{Char, compact};
use super::{Group, Invalid, group, widths};
use crate::decode::afp::object::barcode::symbol::{Matrix, Stack};

/// Characters: 17 modules; even elements change faster.
const GROUPS: [Group; 5] = [
    group(0, 4, 12, [7, 2]),
    group(348, 20, 10, [5, 4]),
    group(1388, 52, 8, [4, 5]),
    group(2948, 104, 6, [3, 6]),
    group(3988, 204, 4, [1, 8]),
];
/// Finder patterns A to F; the second form of each is mirrored.
const FINDERS: [[u8; 5]; 6] =
    [[1, 8, 4, 1, 1], [3, 6, 4, 1, 1], [3, 4, 6, 1, 1], [3, 2, 8, 1, 1], [2, 6, 5, 1, 1], [2, 2, 9, 1, 1]];
/// Which finder patterns stand in a symbol of 2, 3 ... 11 of them: A1 is 0, A2 is 1, B1 is 2 and so on.
const SEQUENCES: [&[usize]; 10] = [
    &[0, 1],
    &[0, 3, 2],
    &[0, 5, 2, 7],
    &[0, 9, 2, 7, 4],
    &[0, 9, 2, 7, 6, 11],
    &[0, 9, 2, 7, 8, 11, 10],
    &[0, 1, 2, 3, 4, 5, 6, 7],
    &[0, 1, 2, 3, 4, 5, 6, 9, 8],
    &[0, 1, 2, 3, 4, 5, 6, 9, 10, 11],
    &[0, 1, 2, 3, 4, 7, 6, 9, 8, 11, 10],
];
const CHECK: u32 = 211;
/// Modules of a character and of a finder pattern.
const CHARACTER: usize = 17;
const FINDER: usize = 15;
/// Modules that separators leave light at both sides.
const SIDE: usize = 4;
/// Modules that a row is high.
const ROW: f64 = 34.0;

/// A finder pattern between two characters (the last may have none behind it): elements in modules.
type Block = Vec<u8>;

/// Encodes data (FNC1 as `None`) in rows of `pairs` finder patterns at most; 0: in one row, whose height the caller sets.
pub fn expanded(data: &[Char], pairs: usize) -> Result<Stack, Invalid> {
    let data = data.iter().copied().skip_while(Option::is_none).collect::<Vec<Char>>();
    if data.is_empty() {
        return Err("no data");
    }
    let bits = compact(&data, pairs * 2)?;
    let values: Vec<u32> =
        bits.chunks(12).map(|bits| bits.iter().fold(0, |all, bit| all << 1 | u32::from(*bit))).collect();
    let blocks = blocks(&values);
    let mut rows: Vec<(Vec<bool>, f64)> = Vec::new();
    let pairs = if pairs == 0 { blocks.len() } else { pairs };
    let count = blocks.len().div_ceil(pairs);
    for (number, blocks) in blocks.chunks(pairs).enumerate() {
        let row = row(blocks, number, pairs);
        if number > 0 {
            rows.push((middle(pairs), 1.0));
            rows.push((row.separator(), 1.0));
        }
        let separator = row.separator();
        rows.push((row.modules, ROW));
        if number + 1 < count {
            rows.push((separator, 1.0));
        }
    }
    let (rows, heights): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    Ok(Stack { matrix: Matrix::of_rows(&rows), heights })
}

/// The check character and the data about their finder patterns.
fn blocks(values: &[u32]) -> Vec<Block> {
    let characters: Vec<Vec<u8>> = values.iter().map(|value| character(*value)).collect();
    let finders = (values.len() + 2) / 2;
    let sequence = SEQUENCES.get(finders.saturating_sub(2)).copied().unwrap_or(&[0, 1]);
    // Weights are powers of 3: those of the place left or right of a finder pattern.
    let place = |at: usize| {
        let finder = sequence.get(at.div_ceil(2)).copied().unwrap_or(0);
        finder * 2 - at % 2
    };
    let sum: u32 = characters
        .iter()
        .enumerate()
        .map(|(at, widths)| {
            let mut weight = power(place(at) * 8);
            widths.iter().fold(0, |sum, width| {
                let next = sum + u32::from(*width) * weight;
                weight = weight * 3 % CHECK;
                next
            })
        })
        .sum();
    let total = u32::try_from(values.len() + 1).unwrap_or(4);
    let check = character(CHECK * total.saturating_sub(4) + sum % CHECK);
    let all: Vec<&Vec<u8>> = std::iter::once(&check).chain(&characters).collect();
    all.chunks(2)
        .zip(sequence)
        .map(|(pair, finder)| {
            let mut elements = pair.first().map(|left| left.to_vec()).unwrap_or_default();
            let pattern = FINDERS.get(finder / 2).copied().unwrap_or_default();
            if finder % 2 == 0 {
                elements.extend(pattern)
            } else {
                elements.extend(pattern.iter().rev())
            }
            elements.extend(pair.get(1).into_iter().flat_map(|right| right.iter().rev()));
            elements
        })
        .collect()
}

fn power(exponent: usize) -> u32 {
    (0..exponent).fold(1, |power, _| power * 3 % CHECK)
}

fn character(value: u32) -> Vec<u8> {
    let [first, ..] = &GROUPS;
    let group = GROUPS.iter().rev().find(|group| group.from <= value).unwrap_or(first);
    let value = value - group.from;
    let [odd, even] = group.widest;
    let odd = widths(value / group.combinations, group.odd, 4, odd, false);
    let even = widths(value % group.combinations, 17 - group.odd, 4, even, true);
    odd.into_iter().zip(even).flat_map(|(odd, even)| [odd, even]).collect()
}

struct Row {
    modules: Vec<bool>,
    /// Modules at the left that separators leave light.
    side: usize,
    /// Where its finder patterns start.
    finders: Vec<usize>,
    mirrored: bool,
}

/// A row of a stack. With an even number of finder patterns in full rows every second row is mirrored; a last row that then
/// would start with the wrong colour is not, and starts one module later.
fn row(blocks: &[Block], number: usize, pairs: usize) -> Row {
    let second = number % 2 == 1;
    let shifted = second && pairs.is_multiple_of(2) && (pairs - blocks.len()) % 2 == 1;
    let mirrored = second && pairs.is_multiple_of(2) && !shifted;
    let mut elements = vec![if shifted { 2 } else { 1 }, 1];
    let mut finders = Vec::new();
    let mut at = if shifted { 3 } else { 2 };
    for block in blocks {
        finders.push(at + CHARACTER);
        at += block.iter().map(|width| usize::from(*width)).sum::<usize>();
        elements.extend(block);
    }
    elements.extend([1, 1]);
    let mut dark = second && !shifted && !mirrored;
    let mut modules = Vec::new();
    for width in elements {
        modules.resize(modules.len() + usize::from(width), dark);
        dark = !dark;
    }
    if mirrored {
        modules.reverse();
        finders = finders.iter().rev().map(|start| modules.len().saturating_sub(start + FINDER)).collect();
    }
    Row { modules, side: if shifted { SIDE + 1 } else { SIDE }, finders, mirrored }
}

impl Row {
    /// The complement of the row; within finder patterns dark modules never stand side by side.
    fn separator(&self) -> Vec<bool> {
        let dark = |at: usize| self.modules.get(at).copied().unwrap_or(true);
        let end = self.modules.len().saturating_sub(SIDE);
        let mut out: Vec<bool> = (0..self.modules.len()).map(|x| (self.side..end).contains(&x) && !dark(x)).collect();
        for start in &self.finders {
            let mut places: Vec<usize> = (*start..start + FINDER).collect();
            if self.mirrored {
                places.reverse();
            }
            for at in places {
                let before = if self.mirrored { at + 1 } else { at.saturating_sub(1) };
                if !dark(before)
                    && !dark(at)
                    && out.get(before) == Some(&true)
                    && let Some(module) = out.get_mut(at)
                {
                    *module = false;
                }
            }
        }
        out
    }
}

/// Between two separators: dark and light in turn, over the width of a full row.
fn middle(pairs: usize) -> Vec<bool> {
    (0..49 * pairs + SIDE).map(|x| (5..49 * pairs).contains(&x) && x % 2 == 1).collect()
}
