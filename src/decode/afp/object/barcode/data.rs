//! The data of two-dimensional symbols: bytes, and changes of their character set (ECI).

use super::symbol::Invalid;

/// A byte, or an extended channel interpretation that holds from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A byte of data.
    Byte(u8),
    /// An ECI designator.
    Eci(u32),
}

/// Largest ECI number.
const LAST_ECI: u32 = 999_999;

/// Reads data; with `escapes` a backslash and six digits is an ECI designator, two backslashes are one.
pub fn items(bytes: &[u8], escapes: bool) -> Result<Vec<Item>, Invalid> {
    let mut items = Vec::new();
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'\\' || !escapes {
            items.push(Item::Byte(*first));
            continue;
        }
        if let Some(tail) = tail.strip_prefix(b"\\") {
            items.push(Item::Byte(b'\\'));
            rest = tail;
            continue;
        }
        let (number, tail) = tail.split_at_checked(6).ok_or("an escape sequence that is cut short")?;
        if !number.iter().all(u8::is_ascii_digit) {
            return Err("an escape sequence that is not known");
        }
        let eci = number.iter().fold(0, |all, digit| all * 10 + u32::from(digit - b'0'));
        items.push(Item::Eci(eci.min(LAST_ECI)));
        rest = tail;
    }
    Ok(items)
}

/// The bytes alone.
pub fn bytes(items: &[Item]) -> Vec<u8> {
    items.iter().filter_map(|item| if let Item::Byte(byte) = item { Some(*byte) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_or_left_alone() {
        use Item::{Byte, Eci};
        assert_eq!(items(b"a\\000026b\\\\", true), Ok(vec![Byte(b'a'), Eci(26), Byte(b'b'), Byte(b'\\')]));
        assert_eq!(items(b"\\0", false), Ok(vec![Byte(b'\\'), Byte(b'0')]));
        assert!(items(b"\\00", true).is_err());
        assert!(items(b"\\abcdef", true).is_err());
    }
}
