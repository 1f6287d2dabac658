//! CID-keyed fonts: the shapes in a CIDFont of type 0, and the character map that leads to them.
//!
//! Source: Adobe Technical Note 5014 (CID font and CMap file formats). The character set's name map gives each
//! character a code of the CMap, the CMap gives the code a number (CID), and the font has a charstring for it.

use std::collections::BTreeMap;

use super::charset::Object;
use super::outline::Outline;
use super::type1::{Type1, decrypt};

/// Kinds of parts.
const CMAP: u8 = 1;
const CID_FONT: u8 = 5;
/// Fonts within a CIDFont.
const FONTS_LIMIT: usize = 256;
/// Ranges of a character map.
const RANGES_LIMIT: usize = 65_536;
/// Subroutines of one font.
const SUBROUTINES_LIMIT: usize = 65_536;
/// Places in the data beyond this cannot be.
const OFFSET_LIMIT: usize = 1 << 30;

/// A CID-keyed font with its character map.
#[derive(Debug, Clone, Default)]
pub struct Cid {
    /// First code of a range: last code, CID of the first; by the number of bytes of the code.
    ranges: BTreeMap<(usize, u32), (u32, u32)>,
    binary: Vec<u8>,
    map: usize,
    font_bytes: usize,
    offset_bytes: usize,
    count: u32,
    fonts: Vec<Inner>,
}

/// A font dictionary of the font.
#[derive(Debug, Clone, Default)]
struct Inner {
    subroutines: Type1,
    extra: usize,
}

impl Cid {
    /// Reads the font from the parts of the outline data; `None` when none of them is a CIDFont.
    pub fn read(parts: &[Object<'_>]) -> Option<Cid> {
        let font = parts.iter().find(|part| part.kind == CID_FONT)?;
        let mut cid = Cid::font(font.data)?;
        for part in parts.iter().filter(|part| part.kind == CMAP) {
            cid.add_map(part.data);
        }
        Some(cid)
    }

    /// Units of an em; CID fonts have 1000.
    pub fn em(&self) -> u16 {
        1000
    }

    /// The shape of a code; a code without a map is the number itself. `work`: see [`Type1::draw`].
    pub fn draw(&self, code: &[u8], work: &mut usize) -> Option<Outline> {
        if code.is_empty() || code.len() > 4 {
            return None;
        }
        let value = big_endian(code);
        let found = self.ranges.range(..=(code.len(), value)).next_back();
        let mapped = found.filter(|((length, _), (last, _))| *length == code.len() && value <= *last);
        let number = match mapped {
            Some(((_, first), (_, number))) => number.saturating_add(value - first),
            None if self.ranges.is_empty() => value,
            None => return None,
        };
        self.draw_number(number, work)
    }

    fn draw_number(&self, number: u32, work: &mut usize) -> Option<Outline> {
        if number >= self.count {
            return None;
        }
        let entry = self.font_bytes + self.offset_bytes;
        let at = self.map.checked_add(usize::try_from(number).ok()?.checked_mul(entry)?)?;
        let font = if self.font_bytes == 0 { 0 } else { self.value(at, self.font_bytes)? };
        let start = self.value(at + self.font_bytes, self.offset_bytes)?;
        let end = self.value(at + entry + self.font_bytes, self.offset_bytes)?;
        let inner = self.fonts.get(font)?;
        let code = decrypt_unless_plain(self.binary.get(start..end)?, inner.extra)?;
        inner.subroutines.draw_code(&code, work).map(|drawn| drawn.outline)
    }

    fn value(&self, at: usize, length: usize) -> Option<usize> {
        usize::try_from(big_endian(self.binary.get(at..at.checked_add(length)?)?)).ok()
    }

    fn font(data: &[u8]) -> Option<Cid> {
        let at = data.windows(9).position(|window| window == b"StartData")?;
        let head = String::from_utf8_lossy(data.get(..at)?).into_owned();
        let binary = data.get(at + 10..)?.to_vec();
        let number = |name: &str| value_of(&head, name);
        let mut cid = Cid {
            binary,
            map: number("/CIDMapOffset").unwrap_or(0).min(OFFSET_LIMIT),
            font_bytes: number("/FDBytes")?.min(4),
            offset_bytes: number("/GDBytes")?.clamp(1, 4),
            count: u32::try_from(number("/CIDCount")?).ok()?,
            ..Cid::default()
        };
        for part in head.split("%ADOBeginFontDict").skip(1).take(FONTS_LIMIT) {
            let inner = cid.inner(part);
            cid.fonts.push(inner);
        }
        if cid.fonts.is_empty() {
            let inner = cid.inner(&head);
            cid.fonts.push(inner);
        }
        Some(cid)
    }

    fn inner(&self, dict: &str) -> Inner {
        let number = |name: &str| value_of(dict, name);
        // `lenIV -1` (read here as none) means that charstrings are not encrypted.
        let extra = if dict.contains("/lenIV -1") { PLAIN } else { number("/lenIV").unwrap_or(4).min(16) };
        let count = number("/SubrCount").unwrap_or(0).min(SUBROUTINES_LIMIT);
        let bytes = number("/SDBytes").unwrap_or(4).clamp(1, 4);
        let map = number("/SubrMapOffset").unwrap_or(0).min(OFFSET_LIMIT);
        let subroutine = |n: usize| {
            let at = map.checked_add(n.checked_mul(bytes)?)?;
            let (start, end) = (self.value(at, bytes)?, self.value(at + bytes, bytes)?);
            decrypt_unless_plain(self.binary.get(start..end)?, extra)
        };
        let subroutines = (0..count).map_while(subroutine).collect();
        Inner { subroutines: Type1::of_subroutines(subroutines), extra }
    }

    /// The ranges between `begincidrange` and `endcidrange`, and the single codes of `begincidchar`.
    fn add_map(&mut self, data: &[u8]) {
        let text = String::from_utf8_lossy(data);
        let mut words = text.split_ascii_whitespace();
        let mut single = false;
        let mut inside = false;
        while let Some(word) = words.next() {
            match word {
                "begincidrange" | "begincidchar" => (inside, single) = (true, word == "begincidchar"),
                "endcidrange" | "endcidchar" => inside = false,
                _ if inside => {
                    let Some((length, first)) = hexadecimal(word) else { continue };
                    let last = if single { Some((length, first)) } else { words.next().and_then(hexadecimal) };
                    let number = words.next().and_then(|word| word.parse::<u32>().ok());
                    if let (Some((_, last)), Some(number)) = (last, number.filter(|number| *number < 65_536))
                        && self.ranges.len() < RANGES_LIMIT
                    {
                        self.ranges.insert((length, first), (last, number));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Stands for charstrings that are not encrypted.
const PLAIN: usize = usize::MAX;

fn decrypt_unless_plain(data: &[u8], extra: usize) -> Option<Vec<u8>> {
    if extra == PLAIN { Some(data.to_vec()) } else { Some(decrypt(data, 4330, extra)) }
}

/// The number after a name: `/CIDCount 8284 def`.
fn value_of(text: &str, name: &str) -> Option<usize> {
    let at = text.find(name)?;
    let rest = text.get(at + name.len()..)?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

fn big_endian(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

/// `<8140>`: how many bytes, and their value.
fn hexadecimal(word: &str) -> Option<(usize, u32)> {
    let digits = word.strip_prefix('<')?.strip_suffix('>')?;
    Some((digits.len().div_ceil(2), u32::from_str_radix(digits, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A font of two characters, not encrypted: the second is a square of 100 units.
    fn font() -> Vec<u8> {
        let square = [139, 248, 136, 13, 139, 139, 21, 239, 6, 239, 7, 39, 6, 9, 14];
        let mut binary = vec![0, 10, 0, 11, 0, 11];
        // The map: font 0 and the place of each charstring, then the place of the end.
        binary.clear();
        let start = 3 * 3;
        for place in [start, start + 1, start + 1 + square.len()] {
            binary.extend([0, 0, u8::try_from(place).unwrap()]);
        }
        binary.push(14);
        binary.extend(square);
        let mut font = b"/CIDMapOffset 0 def /FDBytes 1 def /GDBytes 2 def /CIDCount 2 def\n%ADOBeginFontDict\n/lenIV -1 def\n%ADOEndFontDict (Binary) 25 StartData ".to_vec();
        font.extend(binary);
        font
    }

    #[test]
    fn a_code_leads_through_the_map_to_a_shape() {
        let map = b"1 begincidrange <8140> <8141> 0 endcidrange 1 begincidchar <20> 1 endcidchar";
        let font = font();
        let parts = [Object { kind: CMAP, data: map }, Object { kind: CID_FONT, data: &font }];
        let cid = Cid::read(&parts).unwrap();
        assert_eq!(cid.draw(&[0x81, 0x41], &mut { 1000 }).unwrap().bounds(), Some([0.0, 0.0, 100.0, 100.0]));
        assert_eq!(cid.draw(&[0x20], &mut { 1000 }).unwrap().bounds(), Some([0.0, 0.0, 100.0, 100.0]));
        assert_eq!(cid.draw(&[0x81, 0x40], &mut { 1000 }).unwrap().bounds(), None);
        assert_eq!(cid.draw(&[0x81, 0x42], &mut { 1000 }), None);
        assert_eq!(cid.draw(&[], &mut { 1000 }), None);
    }
}
