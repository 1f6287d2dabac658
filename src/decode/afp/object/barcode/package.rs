//! Intelligent Mail labels of the US Postal Service: Code 128 with a banner and identification bars.
//!
//! Rules: USPS-B-3215 (containers) and USPS2000508 (packages), as BCOCA restates them for modifiers X'05' and X'06' of Code 128.

use super::ebcdic::to_latin;
use super::encode::{Bearer, Symbol};
use super::gs1;
use super::linear::gs1_128;
use super::symbol::Invalid;
use crate::decode::afp::bytes::u8_at;

const CONTAINER_BANNER: &str = "USPS SCAN REQUIRED";
const BLANKS: &str = "  ";
/// Flags of a package: no banner, no identification bars.
const NO_BANNER: u8 = 0x80;
const NO_BARS: u8 = 0x40;

/// A container: identifier 99, type indicator M, mailer (6 digits, or 9 that start with a 9) and serial number.
pub fn container(latin: &[u8], raw: &[u8]) -> Result<Symbol, Invalid> {
    let data = gs1::characters(latin, raw);
    let value = gs1::value(&data);
    let [b'9', b'9', kind, number @ ..] = value.as_bytes() else { return Err("no container of identifier 99") };
    let mailer = if number.first() == Some(&b'9') { 9 } else { 6 };
    let (mailer, serial) = number.split_at_checked(mailer).ok_or("a mailer that is cut short")?;
    if number.len() != 18 || !kind.is_ascii_uppercase() || !mailer.iter().all(u8::is_ascii_digit) {
        return Err("data that is no container of 22 characters");
    }
    let parts = [b"99", std::slice::from_ref(kind), mailer, serial];
    let text = parts.map(|part| part.iter().map(|ch| char::from(*ch)).collect::<String>()).join(BLANKS);
    let symbol = gs1_128(&data, text)?;
    Ok(Symbol {
        text_above: Some(false),
        banner: CONTAINER_BANNER.into(),
        bearer: Bearer::Identification,
        ..Symbol { name: "Intelligent Mail Container", ..symbol }
    })
}

/// A package: special functions with the banner in UTF-16, then the data, which may start with the route (identifier 420).
pub fn package(data: &[u8]) -> Result<Symbol, Invalid> {
    const CUT: Invalid = "special-function parameters that are cut short";
    let (flags, length) = (u8_at(data, 1).ok_or(CUT)?, usize::from(u8_at(data, 3).ok_or(CUT)?));
    let (banner, raw) = data.get(4..).and_then(|rest| rest.split_at_checked(length)).ok_or(CUT)?;
    let units: Vec<u16> = banner.as_chunks::<2>().0.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
    let data = gs1::characters(&to_latin(raw), raw);
    let value = gs1::value(&data);
    let digits = value.replace('\u{1D}', "");
    if !(20..=34).contains(&digits.len()) || !digits.bytes().all(|ch| ch.is_ascii_digit()) {
        return Err("a number of digits that a package does not have");
    }
    let symbol = gs1_128(&data, in_fours(without_route(&value)))?;
    let banner = if flags & NO_BANNER == 0 { String::from_utf16_lossy(&units) } else { String::new() };
    let bearer = if flags & NO_BARS == 0 { Bearer::Identification } else { Bearer::None };
    let name = "Intelligent Mail Package";
    Ok(Symbol { text_above: Some(false), banner, bearer, ..Symbol { name, ..symbol } })
}

/// The number behind the route: the route ends with a separator, or has the length of a ZIP code.
fn without_route(value: &str) -> &str {
    let Some(rest) = value.strip_prefix("420") else { return value };
    match rest.split_once('\u{1D}') {
        Some((_, number)) => number,
        None => [9, 5].iter().filter_map(|zip| rest.get(*zip..)).find(|number| number.len() >= 20).unwrap_or(value),
    }
}

fn in_fours(digits: &str) -> String {
    let groups: Vec<String> = digits.as_bytes().chunks(4).map(|four| gs1::printed(four).collect()).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_route_is_not_printed() {
        assert_eq!(in_fours(without_route("42021234\u{1D}9374890100000003985039")), "9374 8901 0000 0003 9850 39");
        assert_eq!(without_route("420212349374890100000003985039"), "9374890100000003985039");
        assert_eq!(without_route("9374890100000003985039").len(), 22);
    }
}
