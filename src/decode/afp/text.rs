//! Names and values of structured fields as text.

use super::triplet::{self, Triplets};
use crate::frame::codepage::CodePage;

/// The character set that names and values are in.
#[derive(Debug, Clone, Copy, Default)]
pub enum Charset {
    /// Code page 500, where nothing else is said.
    #[default]
    Default,
    /// A code page.
    Page(&'static CodePage),
    /// UTF-16, big-endian.
    Utf16,
}

impl PartialEq for Charset {
    fn eq(&self, other: &Charset) -> bool {
        match (self, other) {
            (Charset::Default, Charset::Default) | (Charset::Utf16, Charset::Utf16) => true,
            (Charset::Page(one), Charset::Page(two)) => one.name() == two.name(),
            _ => false,
        }
    }
}

impl Charset {
    /// Of the data of a triplet X'01'; `None` when it names nothing known.
    pub fn of_triplet(data: &[u8]) -> Option<Charset> {
        let (set, page) = (triplet::u16_at(data, 0)?, triplet::u16_at(data, 2)?);
        match (set, page) {
            (_, 1200 | 13488 | 17584 | 61952) => Some(Charset::Utf16),
            (_, 0 | 0xFFFF) => None,
            (_, page) => CodePage::find(&page.to_string()).map(Charset::Page),
        }
    }

    /// What the triplets of a field say about all of it.
    pub fn of(triplets: &[u8], otherwise: Charset) -> Charset {
        Triplets(triplets)
            .filter(|triplet| triplet.id == triplet::CHARACTER_SET)
            .find_map(|triplet| Charset::of_triplet(triplet.data))
            .unwrap_or(otherwise)
    }

    /// Text without the blanks and zeros that fill names up.
    pub fn decode(self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        self.decode_to(bytes, &mut text);
        text
    }

    /// Appends what [`Charset::decode`] gives.
    pub fn decode_to(self, bytes: &[u8], text: &mut String) {
        let start = text.len();
        match self {
            Charset::Utf16 => {
                let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
                text.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
            }
            Charset::Page(page) => {
                page.decode(bytes, text);
            }
            Charset::Default => {
                if let Some(page) = code_page_500() {
                    page.decode(bytes, text);
                }
            }
        }
        let kept = text.get(start..).unwrap_or_default().trim_end_matches([' ', '\0']).len();
        text.truncate(start + kept);
    }
}

fn code_page_500() -> Option<&'static CodePage> {
    static PAGE: std::sync::OnceLock<Option<&'static CodePage>> = std::sync::OnceLock::new();
    *PAGE.get_or_init(|| CodePage::find("ibm-500"))
}

/// A name of eight bytes; `None` when it is null (X'FFFF' in front) or blank.
pub fn token(bytes: &[u8], charset: Charset) -> Option<String> {
    let bytes = bytes.get(..8).unwrap_or(bytes);
    if bytes.starts_with(&[0xFF, 0xFF]) {
        return None;
    }
    let end = bytes.iter().rposition(|byte| !matches!(byte, 0x00 | 0x40 | 0x20)).map_or(0, |last| last + 1);
    let bytes = bytes.get(..end).filter(|bytes| !bytes.is_empty())?;
    // Tokens are EBCDIC, whatever the document says; some producers write ASCII.
    let ascii = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    let charset = match charset {
        Charset::Utf16 => Charset::Default,
        other => other,
    };
    let text = if ascii { String::from_utf8_lossy(bytes).into_owned() } else { charset.decode(bytes) };
    Some(text).filter(|text| !text.is_empty())
}

/// The name of a Begin field: the fully qualified one where there is one, otherwise the token.
pub fn begin_name(data: &[u8], triplets_at: usize, charset: Charset) -> Option<String> {
    let triplets = data.get(triplets_at..).unwrap_or_default();
    let full = triplet::name(triplets, triplet::name_type::REPLACE).map(|name| full_name(name, triplets, charset));
    full.filter(|name| !name.is_empty()).or_else(|| token(data, Charset::Default))
}

/// A fully qualified name as text, by the character set that the triplets around it give.
pub fn full_name(name: &[u8], triplets: &[u8], charset: Charset) -> String {
    let charset = Charset::of(triplets, charset);
    // Eight bytes of EBCDIC letters stay what they are where Unicode is announced for another name beside them.
    match (charset, name) {
        (Charset::Utf16, [first, ..]) if name.len() == 8 && *first >= 0xC1 => Charset::Default.decode(name),
        _ => charset.decode(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ebcdic_and_null_names_are_none() {
        assert_eq!(token(&[0xC4, 0xD6, 0xC3, 0xF1, 0x40, 0x40, 0x40, 0x40], Charset::Default).as_deref(), Some("DOC1"));
        assert_eq!(token(b"00000001", Charset::Default).as_deref(), Some("00000001"));
        assert_eq!(token(&[0xFF; 8], Charset::Default), None);
        assert_eq!(token(&[0x40; 8], Charset::Default), None);
        assert_eq!(token(&[0xC4, 0, 0, 0, 0, 0, 0, 0], Charset::Default).as_deref(), Some("D"));
    }

    #[test]
    fn a_fully_qualified_name_wins_over_the_token() {
        let mut data = [&[0xC4; 8][..], &[0, 0], &[6, 1, 0, 0, 0x04, 0xB0]].concat();
        data.extend([8, 2, 1, 0, 0, b'A', 0, b'b']);
        assert_eq!(begin_name(&data, 10, Charset::Default).as_deref(), Some("Ab"));
    }

    #[test]
    fn the_character_set_of_a_field_wins_over_the_documents() {
        let cp1140 = Charset::of(&[6, 1, 0, 0, 0x04, 0x74], Charset::Default);
        assert_eq!(cp1140.decode(&[0xC1, 0x9F]), "A\u{20AC}");
        assert_eq!(Charset::of(&[6, 1, 0, 0, 0xFF, 0xFF], Charset::Utf16), Charset::Utf16);
    }
}
