//! Postal codes: POSTNET, PLANET, Royal Mail, KIX, Australia Post, Japan Post.
//!
//! Rules: USPS DMM 708.4 (POSTNET); Royal Mail "Mailsort Technical Annex"; TNT Post "KIX-code"; Australia Post "Guide to Printing
//! the 4-State Barcode"; Japan Post "Zip code manual".

use super::symbol::{Invalid, PostalBar, digits, text_of};

/// The bars of a digit of POSTNET, 1 is tall.
const POSTNET: [&str; 10] = ["11000", "00011", "00101", "00110", "01001", "01010", "01100", "10001", "10010", "10100"];

/// POSTNET, or PLANET with tall and short bars changed over. A frame bar, the digits, a check digit, a frame bar.
pub fn postnet(data: &[u8], modifier: u8) -> Result<Vec<PostalBar>, Invalid> {
    let mut number = digits(data)?;
    let fits = match modifier {
        0 => number.len() == 5,
        1 => number.len() == 9,
        2 => number.len() == 11,
        4 => matches!(number.len(), 11 | 13),
        _ => true,
    };
    if !fits {
        return Err("a number of digits that the modifier does not allow");
    }
    let sum: u32 = number.iter().map(|digit| u32::from(*digit)).sum();
    number.push(u8::try_from((10 - sum % 10) % 10).unwrap_or(0));
    let tall = if modifier == 4 { b'0' } else { b'1' };
    let mut bars = vec![PostalBar::Full];
    for pattern in number.iter().filter_map(|digit| POSTNET.get(usize::from(*digit))) {
        bars.extend(pattern.bytes().map(|bit| if bit == tall { PostalBar::Full } else { PostalBar::Half }));
    }
    bars.push(PostalBar::Full);
    Ok(bars)
}

const ROYAL_CHARACTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Two of four bars reach up (or down), in the order of rows (and columns).
const TWO_OF_FOUR: [u8; 6] = [0b0011, 0b0101, 0b0110, 0b1001, 0b1010, 0b1100];

/// Royal Mail 4-state customer code, and without start, stop and check the Dutch KIX.
pub fn royal_mail(data: &[u8], kix: bool) -> Result<Vec<PostalBar>, Invalid> {
    let value = |ch: &u8| ROYAL_CHARACTERS.iter().position(|c| *c == ch.to_ascii_uppercase());
    let mut values: Vec<usize> =
        data.iter().map(value).collect::<Option<_>>().ok_or("a character that the code does not have")?;
    if values.is_empty() {
        return Err("no data");
    }
    let mut bars = Vec::new();
    if !kix {
        let row: usize = values.iter().map(|value| value / 6 + 1).sum();
        let column: usize = values.iter().map(|value| value % 6 + 1).sum();
        values.push((row + 5) % 6 * 6 + (column + 5) % 6);
        bars.push(PostalBar::Ascender);
    }
    for value in values {
        let up = TWO_OF_FOUR.get(value / 6).copied().unwrap_or(0);
        let down = TWO_OF_FOUR.get(value % 6).copied().unwrap_or(0);
        bars.extend((0..4).rev().map(|bit| match (up >> bit & 1, down >> bit & 1) {
            (1, 1) => PostalBar::Full,
            (1, _) => PostalBar::Ascender,
            (_, 1) => PostalBar::Descender,
            _ => PostalBar::Tracker,
        }));
    }
    if !kix {
        bars.push(PostalBar::Full);
    }
    Ok(bars)
}

const AUSTRALIA_N: [[u8; 2]; 10] = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [2, 0], [2, 1], [2, 2], [3, 0]];
const AUSTRALIA_C_CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 #";
const AUSTRALIA_C: [&str; 64] = [
    "000", "001", "002", "010", "011", "012", "020", "021", "022", "100", "101", "102", "110", "111", "112", "120",
    "121", "122", "200", "201", "202", "210", "211", "212", "220", "221", "023", "030", "031", "032", "033", "103",
    "113", "123", "130", "131", "132", "133", "203", "213", "223", "230", "231", "232", "233", "303", "313", "323",
    "330", "331", "332", "333", "222", "300", "301", "302", "310", "311", "312", "320", "321", "322", "003", "013",
];

/// How customer information is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Customer {
    None,
    Numeric,
    Character,
    Bars,
}

/// Australia Post 4-state code, and its text: format control code, sorting code, customer information. The modifier gives the
/// format control code and how customer information is written.
pub fn australia(data: &[u8], modifier: u8) -> Result<(Vec<PostalBar>, String), Invalid> {
    let (format, room, customer) = match modifier {
        1 => ([1, 1], 0, Customer::None),
        2 => ([5, 9], 16, Customer::Numeric),
        3 => ([5, 9], 16, Customer::Character),
        4 => ([5, 9], 16, Customer::Bars),
        5 => ([6, 2], 31, Customer::Numeric),
        6 => ([6, 2], 31, Customer::Character),
        7 => ([6, 2], 31, Customer::Bars),
        8 => ([4, 5], 0, Customer::None),
        _ => return Err("a modifier that the code does not have"),
    };
    let (sorting, information) = data.split_at_checked(8).ok_or("fewer than eight digits")?;
    let mut states: Vec<u8> = Vec::new();
    for digit in format.iter().chain(&digits(sorting)?) {
        states.extend(AUSTRALIA_N.get(usize::from(*digit)).copied().unwrap_or_default());
    }
    let limit = states.len() + room;
    for ch in information {
        match customer {
            Customer::None => return Err("customer information where there is none"),
            Customer::Numeric if ch.is_ascii_digit() => {
                states.extend(AUSTRALIA_N.get(usize::from(ch - b'0')).copied().unwrap_or_default());
            }
            Customer::Character => {
                let value = AUSTRALIA_C_CHARACTERS.iter().position(|c| c == ch);
                let bars = value.and_then(|value| AUSTRALIA_C.get(value)).ok_or("a character that table C lacks")?;
                states.extend(bars.bytes().map(|bar| bar - b'0'));
            }
            Customer::Bars if matches!(ch, b'0'..=b'3') => states.push(ch - b'0'),
            _ => return Err("customer information of another kind"),
        }
    }
    if states.len() > limit {
        return Err("too much customer information");
    }
    // Filler bars, also the one that makes the symbols of three bars come out even.
    let with_filler = limit.div_ceil(3) * 3;
    states.resize(with_filler, 3);
    let symbols: Vec<u8> = states.chunks_exact(3).map(|bars| bars.iter().fold(0, |all, bar| all * 4 + bar)).collect();
    let mut all = vec![1, 3];
    all.extend(states);
    for check in australia_checks(&symbols) {
        all.extend([check >> 4 & 3, check >> 2 & 3, check & 3]);
    }
    all.extend([1, 3]);
    let text = text_of(&format) + &data.iter().map(|ch| char::from(*ch)).collect::<String>();
    Ok((all.into_iter().map(PostalBar::of).collect(), text))
}

/// Four Reed-Solomon symbols over GF(64), polynomial x^6 + x + 1, roots a^1 to a^4.
fn australia_checks(symbols: &[u8]) -> Vec<u8> {
    let field = super::reed_solomon::Field::new(6, 0x43);
    let data: Vec<u16> = symbols.iter().map(|symbol| u16::from(*symbol)).collect();
    field.checks(&data, 4, 1).into_iter().map(|check| u8::try_from(check).unwrap_or(0)).collect()
}

/// Japan Post: three bars for each of the digits, the hyphen and eight control codes.
const JAPAN: [&str; 19] = [
    "033", "003", "021", "201", "012", "030", "210", "102", "120", "300", "303", "213", "231", "123", "321", "132",
    "312", "330", "000",
];
const JAPAN_ORDER: &[u8; 19] = b"0123456789-abcdefgh";

/// Japan Post customer code: 7 digits of the postal code, up to 13 characters of the address code, a check.
pub fn japan(data: &[u8]) -> Result<Vec<PostalBar>, Invalid> {
    let postal: Vec<u8> = data.iter().copied().filter(|ch| *ch != b'-').take(7).collect();
    if postal.len() < 7 || !postal.iter().all(u8::is_ascii_digit) {
        return Err("no postal code of seven digits");
    }
    // A hyphen inside the postal code is not printed; one after it neither.
    let used = data.iter().scan(0, |count, ch| {
        *count += usize::from(*ch != b'-');
        Some(*count)
    });
    let start = used.take_while(|count| *count < 7).count() + 1;
    let rest = data.get(start..).unwrap_or_default();
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let mut codes: Vec<u8> = postal;
    for ch in rest {
        match ch.to_ascii_uppercase() {
            digit @ (b'0'..=b'9' | b'-') => codes.push(digit),
            letter @ b'A'..=b'Z' => {
                let index = letter - b'A';
                codes.extend([b'a' + index / 10, b'0' + index % 10]);
            }
            _ => return Err("a character that the code does not have"),
        }
    }
    codes.resize(20, b'd');
    let value = |code: &u8| JAPAN_ORDER.iter().position(|c| c == code);
    let values: Vec<usize> = codes.iter().filter_map(value).collect();
    let check = (19 - values.iter().sum::<usize>() % 19) % 19;
    let mut bars = vec![0, 2];
    for pattern in values.iter().chain([&check]).filter_map(|value| JAPAN.get(*value)) {
        bars.extend(pattern.bytes().map(|bar| bar - b'0'));
    }
    bars.extend([2, 0]);
    Ok(bars.into_iter().map(PostalBar::of).collect())
}

/// The code points of direct input (BCOCA, table 15), in the order of [`JAPAN_ORDER`].
const JAPAN_DIRECT: &[u8; 19] =
    &[0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0x60, 0x5A, 0x7F, 0x7B, 0xE0, 0x6C, 0x50, 0x7D, 0x4D];
const JAPAN_START: u8 = 0x4C;
const JAPAN_STOP: u8 = 0x6E;

/// Japan Post from codes as they stand, start, stop and check included; nothing is added.
pub fn japan_direct(data: &[u8]) -> Result<Vec<PostalBar>, Invalid> {
    let mut bars = Vec::new();
    for code in data {
        let place = JAPAN_DIRECT.iter().position(|point| point == code);
        match (*code, place.and_then(|place| JAPAN.get(place))) {
            (JAPAN_START, _) => bars.extend([0, 2]),
            (JAPAN_STOP, _) => bars.extend([2, 0]),
            (_, Some(pattern)) => bars.extend(pattern.bytes().map(|bar| bar - b'0')),
            _ => return Err("a code point that direct input does not have"),
        }
    }
    if bars.is_empty() { Err("no data") } else { Ok(bars.into_iter().map(PostalBar::of).collect()) }
}
