//! Linear codes of elements one to four modules wide: Code 128 with GS1-128, Code 93.
//!
//! Rules: AIM USS-128, AIM USS-93; GS1 General Specifications for GS1-128.

use super::symbol::Invalid;

/// A symbol's elements in modules, bar first, and its human-readable text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiWidth {
    /// Widths.
    pub widths: Vec<u8>,
    /// Human-readable text.
    pub text: String,
}

/// Elements of Code 128 by value: 0 to 102, start A, B, C.
const CODE128: [&[u8; 6]; 106] = [
    b"212222", b"222122", b"222221", b"121223", b"121322", b"131222", b"122213", b"122312", b"132212", b"221213",
    b"221312", b"231212", b"112232", b"122132", b"122231", b"113222", b"123122", b"123221", b"223211", b"221132",
    b"221231", b"213212", b"223112", b"312131", b"311222", b"321122", b"321221", b"312212", b"322112", b"322211",
    b"212123", b"212321", b"232121", b"111323", b"131123", b"131321", b"112313", b"132113", b"132311", b"211313",
    b"231113", b"231311", b"112133", b"112331", b"132131", b"113123", b"113321", b"133121", b"313121", b"211331",
    b"231131", b"213113", b"213311", b"213131", b"311123", b"311321", b"331121", b"312113", b"312311", b"332111",
    b"314111", b"221411", b"431111", b"111224", b"111422", b"121124", b"121421", b"141122", b"141221", b"112214",
    b"112412", b"122114", b"122411", b"142112", b"142211", b"241211", b"221114", b"413111", b"241112", b"134111",
    b"111242", b"121142", b"121241", b"114212", b"124112", b"124211", b"411212", b"421112", b"421211", b"212141",
    b"214121", b"412121", b"111143", b"111341", b"131141", b"114113", b"114311", b"411113", b"411311", b"113141",
    b"114131", b"311141", b"411131", b"211412", b"211214", b"211232",
];
const CODE128_STOP: &[u8; 7] = b"2331112";
const START: [u16; 3] = [103, 104, 105];

/// One thing that Code 128 can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code128Item {
    /// An ASCII character.
    Character(u8),
    /// A function character, 1 to 4.
    Function(u8),
}

use Code128Item::{Character, Function};

/// The value of an item in set A (0) or B (1).
fn value_in(set: usize, item: Code128Item) -> Option<u16> {
    Some(match (set, item) {
        (0, Character(ch)) if ch < 0x20 => u16::from(ch) + 64,
        (0, Character(ch)) if ch < 0x60 => u16::from(ch) - 32,
        (1, Character(ch)) if (0x20..0x80).contains(&ch) => u16::from(ch) - 32,
        (_, Function(1)) => 102,
        (0 | 1, Function(2)) => 97,
        (0 | 1, Function(3)) => 96,
        (0, Function(4)) => 101,
        (1, Function(4)) => 100,
        _ => return None,
    })
}

/// The step that leads to a state at an item, for the search of the shortest symbol.
#[derive(Clone, Copy)]
struct Reach {
    cost: u32,
    from: usize,
    taken: usize,
    shifted: bool,
}

/// The values of the shortest symbol, start and check included.
///
/// A search over (items done, code set): each item costs one value in its set, two when shifted between A and B; a pair of
/// digits costs one in set C; changing the set costs one.
pub fn code128_values(items: &[Code128Item]) -> Result<Vec<u16>, Invalid> {
    if items.is_empty() {
        return Err("no data");
    }
    let digit = |at: usize| matches!(items.get(at), Some(Character(ch)) if ch.is_ascii_digit());
    let none = Reach { cost: u32::MAX, from: 3, taken: 0, shifted: false };
    let mut table = vec![[none; 3]; items.len() + 1];
    if let Some(first) = table.first_mut() {
        *first = [Reach { cost: 1, ..none }; 3];
    }
    for at in 0..items.len() {
        let Some(here) = table.get(at).copied() else { break };
        let Some(item) = items.get(at).copied() else { break };
        for set in 0..3 {
            // Of two ways of the same length the first stays: set B, as printers choose it.
            for from in [1, 2, 0] {
                let Some(reach) = here.get(from).filter(|reach| reach.cost != u32::MAX) else { continue };
                let base = reach.cost + u32::from(from != set && at > 0);
                if from != set && at == 0 {
                    continue;
                }
                let mut offer = |taken: usize, cost: u32, shifted: bool| {
                    let target = table.get_mut(at + taken).and_then(|row| row.get_mut(set));
                    if let Some(target) = target.filter(|target| cost < target.cost) {
                        *target = Reach { cost, from, taken, shifted };
                    }
                };
                if set == 2 {
                    if digit(at) && digit(at + 1) {
                        offer(2, base + 1, false);
                    } else if item == Function(1) {
                        offer(1, base + 1, false);
                    }
                } else if value_in(set, item).is_some() {
                    offer(1, base + 1, false);
                } else if matches!(item, Character(_)) && value_in(1 - set, item).is_some() {
                    offer(1, base + 2, true);
                }
            }
        }
    }
    trace(items, &table)
}

fn trace(items: &[Code128Item], table: &[[Reach; 3]]) -> Result<Vec<u16>, Invalid> {
    const UNKNOWN: Invalid = "a character that Code 128 does not have";
    let last = table.last().ok_or(UNKNOWN)?;
    let order = [1, 2, 0];
    let mut set = order
        .into_iter()
        .filter(|set| last.get(*set).is_some_and(|reach| reach.cost != u32::MAX))
        .min_by_key(|set| last.get(*set).map_or(u32::MAX, |reach| reach.cost))
        .ok_or(UNKNOWN)?;
    let mut at = items.len();
    let mut steps = Vec::new();
    while at > 0 {
        let reach = table.get(at).and_then(|row| row.get(set)).ok_or(UNKNOWN)?;
        at = at.checked_sub(reach.taken.max(1)).ok_or(UNKNOWN)?;
        steps.push((at, set, *reach));
        set = reach.from;
    }
    let mut values = vec![*START.get(set).ok_or(UNKNOWN)?];
    for (at, to, reach) in steps.into_iter().rev() {
        if to != set {
            values.push([101, 100, 99].get(to).copied().ok_or(UNKNOWN)?);
            set = to;
        }
        let item = *items.get(at).ok_or(UNKNOWN)?;
        match (set, item, items.get(at + 1)) {
            (2, Character(tens), Some(Character(ones))) => {
                values.push(u16::from(tens - b'0') * 10 + u16::from(ones - b'0'));
            }
            (2, ..) => values.push(102),
            _ if reach.shifted => values.extend([98, value_in(1 - set, item).ok_or(UNKNOWN)?]),
            _ => values.push(value_in(set, item).ok_or(UNKNOWN)?),
        }
    }
    let weighted = |(i, value): (usize, &u16)| u32::from(*value) * u32::try_from(i.max(1)).unwrap_or(1);
    let check = values.iter().enumerate().map(weighted).sum::<u32>() % 103;
    values.push(u16::try_from(check).unwrap_or(0));
    Ok(values)
}

/// Code 128.
pub fn code128(items: &[Code128Item], text: String) -> Result<MultiWidth, Invalid> {
    let mut widths = Vec::new();
    for value in code128_values(items)? {
        widths.extend(CODE128.get(usize::from(value)).copied().into_iter().flatten().map(|width| width - b'0'));
    }
    widths.extend(CODE128_STOP.iter().map(|width| width - b'0'));
    Ok(MultiWidth { widths, text })
}

/// Elements of Code 93 by value: 43 characters, four shifts, start and stop.
const CODE93: [&[u8; 6]; 48] = [
    b"131112", b"111213", b"111312", b"111411", b"121113", b"121212", b"121311", b"111114", b"131211", b"141111",
    b"211113", b"211212", b"211311", b"221112", b"221211", b"231111", b"112113", b"112212", b"112311", b"122112",
    b"132111", b"111123", b"111222", b"111321", b"121122", b"131121", b"212112", b"212211", b"211122", b"211221",
    b"221121", b"222111", b"112122", b"112221", b"122121", b"123111", b"121131", b"311112", b"311211", b"321111",
    b"112131", b"113121", b"211131", b"121221", b"312111", b"311121", b"122211", b"111141",
];
const CODE93_CHARACTERS: &[u8; 43] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%";
/// Values of the shifts that are written ($), (%), (/), (+).
const SHIFT: [usize; 4] = [43, 44, 45, 46];

/// One or two values for an ASCII character: those outside the 43 are a shift and a letter.
fn code93_values(ch: u8, to: &mut Vec<usize>) -> Result<(), Invalid> {
    if let Some(value) = CODE93_CHARACTERS.iter().position(|c| *c == ch) {
        to.push(value);
        return Ok(());
    }
    let [dollar, percent, slash, plus] = SHIFT;
    let (shift, letter) = match ch {
        0 => (percent, b'U'),
        1..=26 => (dollar, ch - 1 + b'A'),
        27..=31 => (percent, ch - 27 + b'A'),
        b'!'..=b':' => (slash, ch - b'!' + b'A'),
        b';'..=b'?' => (percent, ch - b';' + b'F'),
        b'@' => (percent, b'V'),
        b'['..=b'_' => (percent, ch - b'[' + b'K'),
        b'`' => (percent, b'W'),
        b'a'..=b'z' => (plus, ch.to_ascii_uppercase()),
        b'{'..=0x7F => (percent, ch - b'{' + b'P'),
        _ => return Err("a character that Code 93 does not have"),
    };
    to.extend([shift, usize::from(letter - b'A') + 10]);
    Ok(())
}

/// Code 93, with its two check characters.
pub fn code93(data: &[u8]) -> Result<MultiWidth, Invalid> {
    if data.is_empty() {
        return Err("no data");
    }
    let mut values = Vec::new();
    for ch in data {
        code93_values(*ch, &mut values)?;
    }
    for last in [20, 15] {
        let weights = (1..=last).cycle();
        let sum: usize = values.iter().rev().zip(weights).map(|(value, weight)| value * weight).sum();
        values.push(sum % 47);
    }
    values.insert(0, 47);
    values.push(47);
    let mut widths = Vec::new();
    for value in values {
        widths.extend(CODE93.get(value).copied().into_iter().flatten().map(|width| width - b'0'));
    }
    widths.push(1);
    let text = data.iter().filter(|ch| !ch.is_ascii_control()).map(|ch| char::from(*ch)).collect();
    Ok(MultiWidth { widths, text })
}
