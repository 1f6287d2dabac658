//! DataBar Limited: numbers that start with 0 or 1, in two characters of 26 modules about a check character.

use super::{Invalid, Row, item, numbered, value_of, widths};

/// Values of the right character.
const HALF: u64 = 2_013_571;
/// First value of a group, combinations of the even elements, modules of the odd ones, widest odd and even element.
const GROUPS: [(u32, u32, u32, [u32; 2]); 7] = [
    (0, 28, 17, [6, 3]),
    (183_064, 728, 13, [5, 4]),
    (820_064, 6454, 9, [3, 6]),
    (1_000_776, 203, 15, [5, 4]),
    (1_491_021, 2408, 11, [4, 5]),
    (1_979_845, 1, 19, [8, 1]),
    (1_996_939, 16_632, 7, [1, 8]),
];
/// Modules and elements of odd and of even elements together.
const MODULES: u32 = 26;
const ELEMENTS: i64 = 7;
/// Check characters are numbered by their odd elements, then by their even ones; these stand for 0 to 88: first, last.
const CHECKS: [(u32, u32); 17] = [
    (0, 43),
    (45, 45),
    (52, 52),
    (57, 57),
    (63, 66),
    (73, 79),
    (82, 82),
    (126, 130),
    (132, 132),
    (141, 146),
    (210, 217),
    (220, 220),
    (316, 320),
    (322, 322),
    (323, 323),
    (326, 326),
    (337, 337),
];
/// Values of the even elements of a check character.
const CHECK_EVEN: u32 = 21;

/// Encodes a number.
pub fn limited(data: &[u8]) -> Result<Row, Invalid> {
    let body = item(data)?;
    if body.first().is_none_or(|first| *first > 1) {
        return Err("a number that does not start with 0 or 1");
    }
    let value = value_of(&body);
    let (left, right) = (character(value / HALF), character(value % HALF));
    let mut weight = 1;
    let mut sum = 0;
    for width in left.iter().chain(&right) {
        sum += u32::from(*width) * weight;
        weight = weight * 3 % 89;
    }
    let mut elements = vec![0, 1, 1];
    elements.extend(left);
    elements.extend(check(sum % 89));
    elements.extend(right);
    elements.extend([1, 1, 5]);
    Ok(Row { widths: elements, number: numbered(&body) })
}

/// Fourteen elements, odd and even in turn.
fn character(value: u64) -> Vec<u8> {
    let value = u32::try_from(value).unwrap_or(0);
    let [first, ..] = GROUPS;
    let (from, evens, odd_modules, [odd, even]) =
        GROUPS.into_iter().rev().find(|(from, ..)| *from <= value).unwrap_or(first);
    let value = value - from;
    let odd = widths(value / evens, odd_modules, ELEMENTS, odd, true);
    let even = widths(value % evens, MODULES - odd_modules, ELEMENTS, even, false);
    odd.into_iter().zip(even).flat_map(|(odd, even)| [odd, even]).collect()
}

/// Twelve elements of eight modules each, and two single ones.
fn check(value: u32) -> Vec<u8> {
    let number = CHECKS.into_iter().flat_map(|(first, last)| first..=last).zip(0..).find(|(_, at)| *at == value);
    let number = number.map_or(0, |(number, _)| number);
    let odd = widths(number / CHECK_EVEN, 8, 6, 3, false);
    let even = widths(number % CHECK_EVEN, 8, 6, 3, false);
    odd.into_iter().zip(even).flat_map(|(odd, even)| [odd, even]).chain([1, 1]).collect()
}
