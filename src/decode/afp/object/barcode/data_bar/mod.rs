//! GS1 DataBar: Omnidirectional (and Truncated, which differs in height only), both stacked forms, Limited and Expanded.
//!
//! Rule: ISO/IEC 24724. Elements start with the space that belongs to the symbol; a bar of no width stands before it, so that
//! bars and spaces take turns as in all linear symbols.

mod compaction;
mod expanded;
mod limited;
mod stacked;

pub use expanded::expanded;
pub use limited::limited;
pub use stacked::stacked;

use super::symbol::{Invalid, digits, mod10, text_of};

/// A symbol of one row, and the number that it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Widths of bars and spaces in modules, a bar of no width first.
    pub widths: Vec<u8>,
    /// The 14 digits, with the right check digit.
    pub number: String,
}

/// How values of a character are shared between its odd and its even elements.
struct Group {
    /// First value of the group.
    from: u32,
    /// Combinations of the elements that change faster.
    combinations: u32,
    /// Modules in odd elements; of the even ones there are as many as make the character full.
    odd: u32,
    /// Widest odd and even element.
    widest: [u32; 2],
}

const fn group(from: u32, combinations: u32, odd: u32, widest: [u32; 2]) -> Group {
    Group { from, combinations, odd, widest }
}

/// Characters at the outside: 16 modules; even elements change faster.
const OUTSIDE: [Group; 5] = [
    group(0, 1, 12, [8, 1]),
    group(161, 10, 10, [6, 3]),
    group(961, 34, 8, [4, 5]),
    group(2015, 70, 6, [3, 6]),
    group(2715, 126, 4, [1, 8]),
];
/// Characters at the inside: 15 modules; odd elements change faster.
const INSIDE: [Group; 4] =
    [group(0, 4, 5, [2, 7]), group(336, 20, 7, [4, 5]), group(1036, 48, 9, [6, 3]), group(1516, 81, 11, [8, 1])];
const FINDERS: [[u8; 5]; 9] = [
    [3, 8, 2, 1, 1],
    [3, 5, 5, 1, 1],
    [3, 3, 7, 1, 1],
    [3, 1, 9, 1, 1],
    [2, 7, 4, 1, 1],
    [2, 5, 6, 1, 1],
    [2, 3, 8, 1, 1],
    [1, 5, 7, 1, 1],
    [1, 3, 9, 1, 1],
];
/// Values of the two characters at the right.
const HALF: u64 = 4_537_077;
/// Values of an inside character.
const INSIDE_VALUES: u64 = 1597;

/// DataBar Omnidirectional.
pub fn omnidirectional(data: &[u8]) -> Result<Row, Invalid> {
    let body = item(data)?;
    let mut widths = vec![0];
    widths.extend(elements(&body));
    Ok(Row { widths, number: numbered(&body) })
}

/// The 13 digits that are encoded: the check digit, which the data may have, is not looked at (BCOCA: it is not validated
/// and not used).
fn item(data: &[u8]) -> Result<Vec<u8>, Invalid> {
    let mut number = digits(data)?;
    if !matches!(number.len(), 13 | 14) {
        return Err("a number that has not 14 digits");
    }
    number.truncate(13);
    Ok(number)
}

/// The digits with their check digit.
fn numbered(body: &[u8]) -> String {
    text_of(&[body, &[mod10(body)]].concat())
}

fn value_of(body: &[u8]) -> u64 {
    body.iter().fold(0, |all, digit| all * 10 + u64::from(*digit))
}

/// All 46 elements, the space of the left guard first.
fn elements(body: &[u8]) -> Vec<u8> {
    let value = value_of(body);
    let (left, right) = (value / HALF, value % HALF);
    let characters = [
        character(left / INSIDE_VALUES, &OUTSIDE, 16, true),
        character(left % INSIDE_VALUES, &INSIDE, 15, false),
        character(right / INSIDE_VALUES, &OUTSIDE, 16, true),
        character(right % INSIDE_VALUES, &INSIDE, 15, false),
    ];
    let (left, right) = finders(&characters);
    let [a, b, c, d] = &characters;
    let mut elements = vec![1, 1];
    elements.extend(a);
    elements.extend(left);
    elements.extend(b.iter().rev());
    elements.extend(d);
    elements.extend(right.iter().rev());
    elements.extend(c.iter().rev());
    elements.extend([1, 1]);
    elements
}

/// The finder patterns hold the check value: widths weighted by powers of 3, modulo 79, without the values 8 and 72.
fn finders(characters: &[Vec<u8>; 4]) -> (&'static [u8; 5], &'static [u8; 5]) {
    let mut weight = 1;
    let mut sum = 0;
    for width in characters.iter().flatten() {
        sum += u32::from(*width) * weight;
        weight = weight * 3 % 79;
    }
    let mut check = sum % 79;
    check += u32::from(check >= 8);
    check += u32::from(check >= 72);
    let [first, ..] = &FINDERS;
    let finder = |at: u32| usize::try_from(at).ok().and_then(|at| FINDERS.get(at)).unwrap_or(first);
    (finder(check / 9), finder(check % 9))
}

/// Eight elements, odd and even in turn.
fn character(value: u64, groups: &[Group], modules: u32, outside: bool) -> Vec<u8> {
    let value = u32::try_from(value).unwrap_or(0);
    let Some(group) = groups.iter().rev().find(|group| group.from <= value) else { return vec![1; 8] };
    let (slow, fast) = ((value - group.from) / group.combinations, (value - group.from) % group.combinations);
    let (odd, even) = if outside { (slow, fast) } else { (fast, slow) };
    let [widest_odd, widest_even] = group.widest;
    let odd = widths(odd, group.odd, 4, widest_odd, outside);
    let even = widths(even, modules - group.odd, 4, widest_even, !outside);
    odd.into_iter().zip(even).flat_map(|(odd, even)| [odd, even]).collect()
}

/// The widths of a value, by the counting rule of ISO/IEC 24724, Annex B: combinations of `elements` that share `modules`, none
/// wider than `widest`; unless `any`, at least one of them is a single module wide.
fn widths(value: u32, modules: u32, elements: i64, widest: u32, any: bool) -> Vec<u8> {
    let (mut value, mut modules, widest) = (i64::from(value), i64::from(modules), i64::from(widest));
    let mut widths: Vec<i64> = Vec::new();
    for left in (2..=elements).rev() {
        let mut width = 1;
        while width < modules {
            let mut count = choose(modules - width - 1, left - 2);
            if !any && width > 1 && !widths.contains(&1) && modules - width - (left - 1) >= left - 1 {
                count -= choose(modules - width - left, left - 2);
            }
            count -= too_wide(modules - width, left, widest);
            if value < count {
                break;
            }
            value -= count;
            width += 1;
        }
        widths.push(width);
        modules -= width;
    }
    widths.push(modules);
    widths.into_iter().map(|width| u8::try_from(width).unwrap_or(1)).collect()
}

/// Combinations of the elements behind this one in which one is wider than the widest.
fn too_wide(rest: i64, left: i64, widest: i64) -> i64 {
    if left <= 2 {
        return i64::from(rest > widest);
    }
    let count: i64 = (widest + 1..=rest - (left - 2)).map(|wide| choose(rest - wide - 1, left - 3)).sum();
    count * (left - 1)
}

fn choose(from: i64, take: i64) -> i64 {
    if from < take { 0 } else { (0..take).fold(1, |all, i| all * (from - i) / (i + 1)) }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
