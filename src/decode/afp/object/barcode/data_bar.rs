//! GS1 DataBar Omnidirectional, and Truncated, which differs in height only.
//!
//! Rule: ISO/IEC 24724. The stacked, limited and expanded forms are not drawn.

use super::symbol::{Invalid, digits, mod10, text_of};

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

/// The elements in modules (a bar first) and the number with its check digit. The data is 13 digits of a GTIN, or 14 with the
/// check digit.
pub fn omnidirectional(data: &[u8]) -> Result<(Vec<u8>, String), Invalid> {
    let number = digits(data)?;
    let (body, given) = number.split_at_checked(13).ok_or("fewer than 13 digits")?;
    let check = mod10(body);
    if !matches!(given, [] | [_]) || given.first().is_some_and(|given| *given != check) {
        return Err("too many digits, or a check digit that does not fit");
    }
    let value = body.iter().fold(0, |all, digit| all * 10 + u64::from(*digit));
    let parts = [
        value / HALF / INSIDE_VALUES,
        value / HALF % INSIDE_VALUES,
        value % HALF / INSIDE_VALUES,
        value % HALF % INSIDE_VALUES,
    ];
    let characters = [
        character(parts[0], &OUTSIDE, 16, true),
        character(parts[1], &INSIDE, 15, false),
        character(parts[2], &OUTSIDE, 16, true),
        character(parts[3], &INSIDE, 15, false),
    ];
    let (left, right) = finders(&characters);
    let [a, b, c, d] = &characters;
    let mut elements = vec![1]; // the guard's bar; the space before it is part of the margin
    elements.extend(a);
    elements.extend(left);
    elements.extend(b.iter().rev());
    elements.extend(d);
    elements.extend(right.iter().rev());
    elements.extend(c.iter().rev());
    elements.extend([1, 1]);
    Ok((elements, text_of(&[body, &[check]].concat())))
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
    let odd = widths(odd, group.odd, widest_odd, outside);
    let even = widths(even, modules - group.odd, widest_even, !outside);
    odd.into_iter().zip(even).flat_map(|(odd, even)| [odd, even]).collect()
}

/// The four widths of a value, by the counting rule of ISO/IEC 24724, Annex B: combinations of elements that share `modules`, none
/// wider than `widest`; unless `any`, at least one of them is a single module wide.
fn widths(value: u32, modules: u32, widest: u32, any: bool) -> Vec<u8> {
    const ELEMENTS: i64 = 4;
    let (mut value, mut modules, widest) = (i64::from(value), i64::from(modules), i64::from(widest));
    let mut widths: Vec<i64> = Vec::new();
    for left in (2..=ELEMENTS).rev() {
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
mod tests {
    use super::*;

    #[test]
    fn elements_are_those_of_zint() {
        let expected = [
            ("0123456789012", "111313151139113132311112213132117333211222311"),
            ("0095011015300", "111217121319111231412121122142117331414121211"),
            ("2001234567890", "111331151274111221215125121112112833212123211"),
            ("9999999999999", "121131341382114121123113611111117513511111311"),
            ("0000000000000", "111112181382117211111111111127119131812111111"),
        ];
        for (data, elements) in expected {
            let (found, text) = omnidirectional(data.as_bytes()).unwrap();
            let found: String = found.iter().map(u8::to_string).collect();
            assert_eq!(found, elements, "{data}");
            assert!(text.starts_with(data) && text.len() == 14);
        }
    }

    #[test]
    fn numbers_of_another_length_or_with_a_wrong_check_digit_are_refused() {
        assert!(omnidirectional(b"012345678901").is_err());
        assert!(omnidirectional(b"01234567890123").is_err());
        assert!(omnidirectional(b"01234567890128").is_ok());
        assert!(omnidirectional(b"012345678901281").is_err());
    }
}
