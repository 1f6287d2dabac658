//! GS1 element strings: application identifiers and their values, one after the other.
//!
//! Rule: GS1 General Specifications, "GS1 Application Identifiers" and "Element Strings with predefined length".

/// A character of the data; `None` is FNC1.
pub type Char = Option<u8>;

/// Digits of an application identifier by its first two digits, where they are not two.
fn identifier_length(first: [u8; 2]) -> usize {
    match &first {
        b"23" | b"24" | b"25" | b"40" | b"41" | b"42" | b"71" => 3,
        b"31" | b"32" | b"33" | b"34" | b"35" | b"36" | b"39" | b"43" | b"70" | b"72" | b"80" | b"81" | b"82" => 4,
        _ => 2,
    }
}

/// Length of identifier and value together, where it is predefined: no FNC1 has to follow.
fn predefined(first: [u8; 2]) -> Option<usize> {
    match &first {
        b"00" => Some(20),
        b"01" | b"02" | b"03" | b"41" => Some(16),
        b"04" => Some(18),
        b"11" | b"12" | b"13" | b"14" | b"15" | b"16" | b"17" | b"18" | b"19" => Some(8),
        b"20" => Some(4),
        b"31" | b"32" | b"33" | b"34" | b"35" | b"36" => Some(10),
        _ => None,
    }
}

/// Data of a host: X'8F' is FNC1 in the code page of Code 128; `latin` are the same bytes as characters.
pub fn characters(latin: &[u8], raw: &[u8]) -> Vec<Char> {
    const FNC1: u8 = 0x8F;
    latin.iter().zip(raw).map(|(ch, raw)| Some(*ch).filter(|_| *raw != FNC1)).collect()
}

/// The text for people: each identifier in parentheses, no FNC1. What is no element string stays as it is.
pub fn in_parentheses(data: &[Char]) -> String {
    let mut out = String::new();
    for part in data.split(Option::is_none) {
        let mut rest: Vec<u8> = part.iter().copied().flatten().collect();
        while let Some(first) = rest.first_chunk::<2>().copied().filter(|two| two.iter().all(u8::is_ascii_digit)) {
            let whole = predefined(first).unwrap_or(rest.len()).min(rest.len());
            let value = rest.split_off(whole);
            let identifier = identifier_length(first).min(rest.len());
            let (identifier, shown) = rest.split_at_checked(identifier).unwrap_or((&rest, &[]));
            out.push('(');
            out.extend(identifier.iter().map(|ch| char::from(*ch)));
            out.push(')');
            out.extend(printed(shown));
            rest = value;
        }
        out.extend(printed(&rest));
    }
    out
}

/// What a reader hands on: FNC1 is a group separator, none in front.
pub fn value(data: &[Char]) -> String {
    let data = data.iter().skip_while(|ch| ch.is_none());
    data.map(|ch| ch.map_or('\u{1D}', char::from)).collect()
}

/// Characters that can be printed.
pub fn printed(data: &[u8]) -> impl Iterator<Item = char> + '_ {
    data.iter().filter(|ch| !ch.is_ascii_control()).map(|ch| char::from(*ch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(data: &str) -> String {
        in_parentheses(&data.bytes().map(|ch| Some(ch).filter(|ch| *ch != b'^')).collect::<Vec<Char>>())
    }

    #[test]
    fn identifiers_are_found_by_their_lengths() {
        assert_eq!(shown("^019061414100768715001230"), "(01)90614141007687(15)001230");
        assert_eq!(shown("^0198898765432106320201234515991231"), "(01)98898765432106(3202)012345(15)991231");
        assert_eq!(shown("10AB12^21XYZ"), "(10)AB12(21)XYZ");
        assert_eq!(shown("4141234567890123"), "(414)1234567890123");
        assert_eq!((shown("ABC"), shown("0"), shown("800")), ("ABC".into(), "0".into(), "(800)".into()));
    }
}
