//! USPS Intelligent Mail: 20 digits of tracking code and up to 11 of routing code in 65 bars.
//!
//! Rule: USPS-B-3200, "Intelligent Mail Barcode 4-State Specification".

use super::symbol::{Invalid, PostalBar, digits};

/// For each bar the (character, bit) that makes it reach down and the one that makes it reach up.
#[rustfmt::skip]
const BARS: [[(usize, u16); 2]; 65] = [
    [(7, 2), (4, 3)], [(1, 10), (0, 0)], [(9, 12), (2, 8)], [(5, 5), (6, 11)], [(8, 9), (3, 1)], [(0, 1), (5, 12)],
    [(2, 5), (1, 8)], [(4, 4), (9, 11)], [(6, 3), (8, 10)], [(3, 9), (7, 6)], [(5, 11), (1, 4)], [(8, 5), (2, 12)],
    [(9, 10), (0, 2)], [(7, 1), (6, 7)], [(3, 6), (4, 9)], [(0, 3), (8, 6)], [(6, 4), (2, 7)], [(1, 1), (9, 9)],
    [(7, 10), (5, 2)], [(4, 0), (3, 8)], [(6, 2), (0, 4)], [(8, 11), (1, 0)], [(9, 8), (3, 12)], [(2, 6), (7, 7)],
    [(5, 1), (4, 10)], [(1, 12), (6, 9)], [(7, 3), (8, 0)], [(5, 8), (9, 7)], [(4, 6), (2, 10)], [(3, 4), (0, 5)],
    [(8, 4), (5, 7)], [(7, 11), (1, 9)], [(6, 0), (9, 6)], [(0, 6), (4, 8)], [(2, 1), (3, 2)], [(5, 9), (8, 12)],
    [(4, 11), (6, 1)], [(9, 5), (7, 4)], [(3, 3), (1, 2)], [(0, 7), (2, 0)], [(1, 3), (4, 1)], [(6, 10), (3, 5)],
    [(8, 7), (9, 4)], [(2, 11), (5, 6)], [(0, 8), (7, 12)], [(4, 2), (8, 1)], [(5, 10), (3, 0)], [(9, 3), (0, 9)],
    [(6, 5), (2, 4)], [(7, 8), (1, 7)], [(5, 0), (4, 5)], [(2, 3), (0, 10)], [(6, 12), (9, 2)], [(3, 11), (1, 6)],
    [(8, 8), (7, 9)], [(5, 4), (0, 11)], [(1, 5), (2, 2)], [(9, 1), (4, 12)], [(8, 3), (6, 6)], [(7, 0), (3, 7)],
    [(4, 7), (7, 5)], [(0, 12), (1, 11)], [(2, 9), (9, 0)], [(6, 8), (5, 3)], [(3, 10), (8, 2)],
];
const FIVE_OF_13: usize = 1287;
const TWO_OF_13: usize = 78;
/// What is added to the first code word where the check sequence has its highest bit set.
const CHECK_SHIFT: u128 = 659;

/// Encodes the tracking code with the routing code behind it.
pub fn intelligent_mail(data: &[u8], modifier: u8) -> Result<Vec<PostalBar>, Invalid> {
    let number = digits(data)?;
    let (tracking, routing) = number.split_at_checked(20).ok_or("fewer than 20 digits")?;
    if tracking.get(1).is_some_and(|digit| *digit > 4) {
        return Err("a second digit above 4");
    }
    let base = match (routing.len(), modifier) {
        (0, _) => 0,
        (5, _) => 1,
        (9, _) => 100_001,
        (11, _) => 1_000_100_001,
        _ => return Err("a routing code of another length than 0, 5, 9 or 11"),
    };
    let mut value = base + routing.iter().fold(0u128, |all, digit| all * 10 + u128::from(*digit));
    for (i, digit) in tracking.iter().enumerate() {
        value = value * if i == 1 { 5 } else { 10 } + u128::from(*digit);
    }
    let check = check_sequence(value);
    let characters = characters(value, check);
    let bit = |(character, bit): (usize, u16)| characters.get(character).is_some_and(|word| word >> bit & 1 == 1);
    let bar = |[down, up]: &[(usize, u16); 2]| match (bit(*up), bit(*down)) {
        (true, true) => PostalBar::Full,
        (true, false) => PostalBar::Ascender,
        (false, true) => PostalBar::Descender,
        (false, false) => PostalBar::Tracker,
    };
    Ok(BARS.iter().map(bar).collect())
}

/// The 11-bit check sequence over the lower 102 bits.
fn check_sequence(value: u128) -> u16 {
    const GENERATOR: u16 = 0x0F35;
    let mut check: u16 = 0x07FF;
    for bit in (0..102).rev() {
        let set = u16::from(value >> bit & 1 == 1) << 10;
        check = if (check ^ set) & 0x400 != 0 { check << 1 ^ GENERATOR } else { check << 1 } & 0x7FF;
    }
    check
}

/// Ten characters of 13 bits.
fn characters(mut value: u128, check: u16) -> [u16; 10] {
    let (five, two) = (table(5, FIVE_OF_13), table(2, TWO_OF_13));
    let mut words = [0u128; 10];
    for (i, word) in words.iter_mut().enumerate().rev() {
        let base = match i {
            9 => 636,
            0 => u128::MAX,
            _ => 1365,
        };
        (*word, value) = (value % base, value / base);
        if i == 9 {
            *word *= 2;
        }
    }
    let [first, ..] = &mut words;
    *first += if check & 0x400 != 0 { CHECK_SHIFT } else { 0 };
    let mut characters = [0; 10];
    for (i, (character, word)) in characters.iter_mut().zip(words).enumerate() {
        let word = usize::try_from(word).unwrap_or(0);
        let found = five.get(word).or_else(|| two.get(word.checked_sub(FIVE_OF_13)?));
        *character = found.copied().unwrap_or(0);
        if check >> i & 1 == 1 {
            *character ^= 0x1FFF;
        }
    }
    characters
}

/// The 13-bit words with `ones` bits set: pairs of mirrored words from the start, words that mirror themselves from the end.
fn table(ones: u32, length: usize) -> Vec<u16> {
    let mut table = vec![0; length];
    let (mut low, mut high) = (0, length);
    let mut put = |at: usize, word: u16| {
        if let Some(place) = table.get_mut(at) {
            *place = word;
        }
    };
    for word in (0u16..0x2000).filter(|word| word.count_ones() == ones) {
        let mirrored = word.reverse_bits() >> 3;
        if mirrored == word {
            high -= 1;
            put(high, word);
        } else if mirrored > word {
            put(low, word);
            put(low + 1, mirrored);
            low += 2;
        }
    }
    table
}
