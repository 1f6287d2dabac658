//! What the name of an absent font tells about it: family, weight, slope, size and pitch.
//!
//! Sources: IBM's naming conventions for AFP fonts ("AFP Font Collection"; the same names stand in Apache FOP's
//! configuration); FGID ranges from printer manuals. What is only a habit of names, and written down nowhere, can
//! mislead about the looks of a substitute but never about the text.

use super::{FontDescriptor, FontRequest};
use crate::page::{Face, Family, Lu};

/// Logical units of a point.
const POINT: i32 = 200;
/// Logical units of 1/1440 inch.
const PER_1440TH: i32 = 10;
/// The pitch of fixed-pitch fonts in parts of the em: Courier's, and that of all its metric-compatible kin.
const PITCH_PER_EM: f64 = 0.6;
/// Size of a font of which nothing is known.
const USUAL_SIZE: i32 = 10 * POINT;

/// What is known of a font by what it is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// Family by purpose; `None` when the name does not tell.
    pub family: Option<Family>,
    /// Bold.
    pub bold: bool,
    /// Italic.
    pub italic: bool,
    /// Height of the em.
    pub size: Option<Lu>,
    /// Advance of every character of a fixed-pitch font.
    pub pitch: Option<Lu>,
    /// Chinese, Japanese or Korean.
    pub east_asian: bool,
}

/// A substitute's face, size and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The typeface.
    pub face: Face,
    /// Height of the em.
    pub size: Lu,
    /// Width of letters in 1/1000 of natural.
    pub stretch: u16,
    /// Advance of every character, when all have the same.
    pub pitch: Option<Lu>,
    /// East Asian glyphs are wanted first.
    pub east_asian: bool,
}

/// Size and width that a coded font gives its character set, in 1/1440 inch; 0 where it gives none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scale {
    /// Height of the em.
    pub height: u16,
    /// Width of the em.
    pub width: u16,
}

/// What to look for in place of a font that is absent.
pub fn wanted(request: &FontRequest, scale: Scale) -> Wanted {
    let mut known = Known::default();
    let names = [
        request.data_object.as_deref().map(of_words),
        request.family.as_deref().map(of_words),
        request.character_set.as_deref().map(of_resource),
        request.coded_font.as_deref().map(of_resource),
        request.grid.map(of_grid),
    ];
    for other in names.into_iter().flatten() {
        known = known.or(other);
    }
    if let Some(descriptor) = request.descriptor {
        known = of_descriptor(descriptor).over(known);
    }
    let height = size_of(request, scale).or(known.size).filter(|size| size.0 > 0);
    let pitch = known.pitch.filter(|pitch| pitch.0 > 0);
    let by_pitch = pitch.map(|pitch| Lu(em_of(pitch)));
    let size = height.or(by_pitch).unwrap_or(Lu(USUAL_SIZE));
    let natural = (f64::from(size.0) * PITCH_PER_EM).max(1.0);
    let family = known.family.unwrap_or(if pitch.is_some() { Family::Mono } else { Family::Sans });
    let pitch = pitch.filter(|_| family == Family::Mono);
    let stretch = match pitch {
        Some(pitch) => per_mille(f64::from(pitch.0) / natural),
        None => stretch_of(request, scale, size),
    };
    let face = Face { family, bold: known.bold, italic: known.italic };
    Wanted { face, size, stretch, pitch, east_asian: known.east_asian }
}

/// The height that the font map asks for, whatever the font.
pub fn size_of(request: &FontRequest, scale: Scale) -> Option<Lu> {
    let stated = request.descriptor.map(|descriptor| descriptor.height);
    let object = request.data_descriptor.map(|(height, _)| height);
    let height = [object, stated, Some(scale.height)].into_iter().flatten().find(|height| *height > 0)?;
    Some(Lu(i32::from(height) * PER_1440TH))
}

/// Width against height that the font map asks for, in 1/1000.
pub fn stretch_of(request: &FontRequest, scale: Scale, size: Lu) -> u16 {
    let object = request.data_descriptor.map(|(_, width)| width);
    let width = [object, request.horizontal_scale, Some(scale.width)].into_iter().flatten().find(|width| *width > 0);
    match width {
        Some(width) if size.0 > 0 => per_mille(f64::from(i32::from(width) * PER_1440TH) / f64::from(size.0)),
        _ => 1000,
    }
}

/// A ratio in 1/1000, within what letters can bear.
fn per_mille(ratio: f64) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let per_mille = (ratio * 1000.0).round().clamp(100.0, 10_000.0) as u16;
    // A unit or two of rounding is no stretch.
    if (998..=1002).contains(&per_mille) { 1000 } else { per_mille }
}

fn em_of(pitch: Lu) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of this kind saturates")]
    let em = (f64::from(pitch.0) / PITCH_PER_EM).round() as i32;
    em
}

impl Known {
    /// This, and what another source knows beyond it.
    fn or(self, other: Known) -> Known {
        let blank = self == Known::default();
        Known {
            family: self.family.or(other.family),
            bold: if self.family.is_some() { self.bold } else { self.bold || other.bold },
            italic: if self.family.is_some() { self.italic } else { self.italic || other.italic },
            size: self.size.or(other.size),
            pitch: if blank || self.pitch.is_some() { self.pitch.or(other.pitch) } else { self.pitch },
            east_asian: self.east_asian || other.east_asian,
        }
    }

    /// What a descriptor says, on top of what a name says.
    fn over(self, name: Known) -> Known {
        let pitched = name.family.or(self.family) == Some(Family::Mono);
        Known {
            family: name.family.or(self.family),
            bold: self.bold || name.bold,
            italic: self.italic || name.italic,
            size: self.size.or(name.size),
            pitch: self.pitch.filter(|_| pitched).or(name.pitch),
            east_asian: name.east_asian,
        }
    }
}

/// Triplet X'1F'.
fn of_descriptor(descriptor: FontDescriptor) -> Known {
    let width = (descriptor.width > 0).then(|| Lu(i32::from(descriptor.width) * PER_1440TH));
    let size = (descriptor.height > 0).then(|| Lu(i32::from(descriptor.height) * PER_1440TH));
    let family = (descriptor.flags & 0x04 != 0).then_some(Family::Sans);
    Known {
        family: None,
        bold: descriptor.weight >= 7,
        italic: descriptor.flags & 0x80 != 0,
        size,
        pitch: width.filter(|_| family.is_none()),
        east_asian: false,
    }
}

/// GCSGID, CPGID, FGID and width. Source: MO:DCA reference, "Global resource identifier".
fn of_grid([_, _, fgid, width]: [u16; 4]) -> Known {
    let mut known = of_fgid(fgid);
    if width == 0 || width == 0xFFFF {
        return known;
    }
    let width = i32::from(width) * PER_1440TH;
    let fixed = fgid < 750 || (3840..=4095).contains(&fgid);
    if fixed {
        known.size = Some(Lu(width * 10 / 6));
        known.pitch = Some(Lu(width));
        // Proportional machine fonts (154 to 200) are set by their average width.
        known.family = Some(if (154..=200).contains(&fgid) { Family::Serif } else { Family::Mono });
    } else {
        known.size = Some(Lu(width * 3));
        known.pitch = None;
    }
    known
}

/// First and last FGID of a range of fixed-pitch fonts, and their characters in ten inches.
const PITCHES: &[(u16, u16, i32)] = &[
    (1, 65, 100),
    (66, 153, 120),
    (154, 200, 0),
    (201, 210, 133),
    (211, 239, 150),
    (240, 247, 50),
    (248, 259, 171),
    (260, 273, 80),
    (274, 279, 171),
    (280, 283, 200),
    (284, 288, 250),
    (289, 299, 270),
    (300, 511, 100),
];

/// Families, weights and slopes of well-known typefaces by FGID.
const TYPEFACES: &[(u16, Family, bool, bool)] = &[
    (404, Family::Mono, true, false),
    (408, Family::Mono, false, true),
    (420, Family::Mono, true, false),
    (424, Family::Mono, false, true),
    (428, Family::Mono, true, true),
    (2304, Family::Sans, false, false),
    (2305, Family::Sans, true, false),
    (2306, Family::Sans, false, true),
    (2307, Family::Sans, true, true),
    (2308, Family::Serif, false, false),
    (2309, Family::Serif, true, false),
    (2310, Family::Serif, false, true),
    (2311, Family::Serif, true, true),
    (4407, Family::Serif, false, false),
    (4555, Family::Serif, true, false),
    (33_207, Family::Sans, false, true),
    (33_227, Family::Sans, true, true),
];

fn of_fgid(fgid: u16) -> Known {
    if let Some((_, family, bold, italic)) = TYPEFACES.iter().find(|(known, ..)| *known == fgid) {
        return Known { family: Some(*family), bold: *bold, italic: *italic, ..Known::default() };
    }
    let Some((_, _, pitch)) = PITCHES.iter().find(|(first, last, _)| (*first..=*last).contains(&fgid)) else {
        return Known::default();
    };
    if *pitch == 0 {
        return Known { family: Some(Family::Serif), ..Known::default() };
    }
    Known { family: Some(Family::Mono), pitch: Some(Lu(144_000 / pitch)), ..Known::default() }
}

/// Names of coded fonts and character sets: `C0H400B0`, `CZH200`, `X0GT10`, `C0D0GT15`.
fn of_resource(name: &str) -> Known {
    let name = name.trim().to_ascii_uppercase();
    let body = match name.as_bytes() {
        [b'C' | b'X', b'0'..=b'9' | b'A'..=b'G' | b'Z', rest @ ..] if !rest.is_empty() => rest,
        rest => rest,
    };
    let text = std::str::from_utf8(body).unwrap_or_default();
    pitched(text).or_else(|| typographic(body)).unwrap_or_default()
}

/// Fonts of line printers, whose digits are characters in an inch: two letters and two digits, with or without the
/// library's prefix.
const PITCHED: &[(&str, bool, bool)] = &[
    ("GT", false, false),
    ("GB", true, false),
    ("GI", false, true),
    ("GR", false, false),
    ("CR", false, false),
    ("CE", false, false),
    ("CI", false, true),
    ("CB", true, false),
    ("LR", false, false),
    ("LT", false, false),
    ("LB", true, false),
    ("LG", false, false),
    ("PR", false, false),
    ("PB", true, false),
    ("PI", false, true),
    ("EL", false, false),
    ("OA", false, false),
    ("OB", false, false),
    ("AT", false, false),
    ("DP", false, false),
    ("SR", false, false),
    ("SB", true, false),
    ("SI", false, true),
    ("SO", false, false),
    ("ST", false, false),
];

fn pitched(text: &str) -> Option<Known> {
    if text.contains("OCR") {
        return Some(Known { family: Some(Family::Mono), pitch: Some(Lu(1440)), ..Known::default() });
    }
    let text = ["D0", "S0", "L0"].iter().find_map(|library| text.strip_prefix(library)).unwrap_or(text);
    let (kind, rest) = text.split_at_checked(2)?;
    let (_, bold, italic) = PITCHED.iter().find(|(known, ..)| *known == kind)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(2).collect();
    let pitch = digits.parse::<i32>().ok().filter(|pitch| (4..=30).contains(pitch));
    let pitch = pitch.map(|pitch| Lu(14_400 / pitch));
    Some(Known { family: Some(Family::Mono), bold: *bold, italic: *italic, pitch, ..Known::default() })
}

/// Typographic fonts: a letter for the family, digits for weight and slope, and in the fifth place the size.
fn typographic(body: &[u8]) -> Option<Known> {
    let (family, style) = body.split_first()?;
    let (bold, italic) = style_of(style);
    let family = match family {
        b'H' | b'A' => Family::Sans,
        b'N' | b'T' | b'B' | b'G' => Family::Serif,
        b'4' => Family::Mono,
        _ => return None,
    };
    if !style.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let size = body.get(4).and_then(|size| size_char(*size)).map(|points| Lu(points * POINT));
    Some(Known { family: Some(family), bold, italic, size, ..Known::default() })
}

/// The core interchange fonts have one digit (2 roman, 3 italic, 4 bold, 5 bold italic) and then 0, or 1 for a Latin
/// group; the older Sonoran fonts slope (0, 1), weight (5, 7) and width (5).
fn style_of(style: &[u8]) -> (bool, bool) {
    match style {
        [slope @ (b'0' | b'1'), weight @ (b'3' | b'5' | b'7' | b'8' | b'9'), ..] => (*weight >= b'7', *slope == b'1'),
        [b'3', ..] => (false, true),
        [b'4', ..] => (true, false),
        [b'5', ..] => (true, true),
        _ => (false, false),
    }
}

/// The character for the size: 6 to 9 points, 0 for 10, A for 11 and so on to Z for 36.
fn size_char(size: u8) -> Option<i32> {
    match size {
        b'0' => Some(10),
        b'1'..=b'9' => Some(i32::from(size - b'0')),
        b'A'..=b'Z' => Some(i32::from(size - b'A') + 11),
        _ => None,
    }
}

/// Words in typeface names and the families they belong to; the first that occurs decides.
const WORDS: &[(&str, Family)] = &[
    ("sans serif", Family::Sans),
    ("sans-serif", Family::Sans),
    ("sansserif", Family::Sans),
    ("gothic text", Family::Mono),
    ("letter gothic", Family::Mono),
    ("lettergothic", Family::Mono),
    ("mono", Family::Mono),
    ("courier", Family::Mono),
    ("consol", Family::Mono),
    ("typewriter", Family::Mono),
    ("prestige", Family::Mono),
    ("ocr", Family::Mono),
    ("sans", Family::Sans),
    ("times", Family::Serif),
    ("serif", Family::Serif),
    ("roman", Family::Serif),
    ("georgia", Family::Serif),
    ("garamond", Family::Serif),
    ("cambria", Family::Serif),
    ("palatino", Family::Serif),
    ("bookman", Family::Serif),
    ("schoolbook", Family::Serif),
    ("bodoni", Family::Serif),
    ("minion", Family::Serif),
    ("song", Family::Serif),
    ("sung", Family::Serif),
    ("ming", Family::Serif),
    ("mincho", Family::Serif),
    ("helv", Family::Sans),
    ("arial", Family::Sans),
    ("univers", Family::Sans),
    ("futura", Family::Sans),
    ("frutiger", Family::Sans),
    ("calibri", Family::Sans),
    ("verdana", Family::Sans),
    ("tahoma", Family::Sans),
    ("swiss", Family::Sans),
    ("gothic", Family::Sans),
    ("hei", Family::Sans),
];

/// Words that only names of East Asian fonts have.
const EAST_ASIAN: &[&str] =
    &["song", "sung", "heiti", "simhei", "mincho", "ming", "gothic mb", "kai", "fang", "cjk", "batang", "gulim", "hei"];

/// The family that a typeface name belongs to.
pub fn family_of(name: &str) -> Option<Family> {
    let name = name.to_lowercase();
    WORDS.iter().find(|(word, _)| name.contains(word)).map(|(_, family)| *family)
}

/// Full names of typefaces: `Arial Bold Italic`.
fn of_words(name: &str) -> Known {
    let lower = name.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    Known {
        family: family_of(name),
        bold: any(&["bold", "black", "heavy", "demi"]),
        italic: any(&["italic", "oblique"]),
        size: None,
        pitch: None,
        east_asian: any(EAST_ASIAN) || name.chars().any(|ch| u32::from(ch) >= 0x2E80),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn character_set(name: &str) -> Wanted {
        wanted(&FontRequest { character_set: Some(name.into()), ..FontRequest::default() }, Scale::default())
    }

    fn face(family: Family, bold: bool, italic: bool) -> Face {
        Face { family, bold, italic }
    }

    #[test]
    fn core_fonts_tell_family_style_and_size() {
        let cases = [
            ("C0H200B0", face(Family::Sans, false, false), 12),
            ("C0H40080", face(Family::Sans, true, false), 8),
            ("C0H400H0", face(Family::Sans, true, false), 18),
            ("C0N30000", face(Family::Serif, false, true), 10),
            ("C0N500Z0", face(Family::Serif, true, true), 36),
            ("C0420090", face(Family::Mono, false, false), 9),
            ("C0A175A0", face(Family::Sans, true, true), 11),
            ("C0T05560", face(Family::Serif, false, false), 6),
            ("CZH400", face(Family::Sans, true, false), 10),
            ("CZ4200", face(Family::Mono, false, false), 10),
        ];
        for (name, face, points) in cases {
            let wanted = character_set(name);
            assert_eq!((wanted.face, wanted.size, wanted.stretch), (face, Lu(points * 200), 1000), "{name}");
        }
    }

    #[test]
    fn line_printer_fonts_tell_their_pitch() {
        for (name, pitch, size) in [("C0D0GT10", 1440, 2400), ("X0GT15", 960, 1600), ("C0S0CR12", 1200, 2000)] {
            let request = FontRequest { coded_font: Some(name.into()), ..FontRequest::default() };
            let wanted = wanted(&request, Scale::default());
            assert_eq!(
                (wanted.face.family, wanted.pitch, wanted.size),
                (Family::Mono, Some(Lu(pitch)), Lu(size)),
                "{name}"
            );
            assert_eq!(wanted.stretch, 1000);
        }
        assert!(character_set("C0D0GB10").face.bold);
        let coded = FontRequest { coded_font: Some("X0H4108C".into()), ..FontRequest::default() };
        let coded = wanted(&coded, Scale::default());
        assert_eq!((coded.face, coded.size), (face(Family::Sans, true, false), Lu(1600)));
    }

    #[test]
    fn the_font_map_wins_over_the_name() {
        let request = FontRequest {
            character_set: Some("CZH200".into()),
            descriptor: Some(FontDescriptor { height: 180, ..FontDescriptor::default() }),
            horizontal_scale: Some(90),
            ..FontRequest::default()
        };
        let wanted = wanted(&request, Scale::default());
        assert_eq!((wanted.size, wanted.stretch), (Lu(1800), 500));
    }

    #[test]
    fn a_grid_tells_pitch_or_size() {
        let grid = |fgid, width| {
            wanted(&FontRequest { grid: Some([0, 500, fgid, width]), ..FontRequest::default() }, Scale::default())
        };
        let courier = grid(11, 144);
        assert_eq!((courier.face.family, courier.size, courier.pitch), (Family::Mono, Lu(2400), Some(Lu(1440))));
        let times = grid(2309, 80);
        assert_eq!((times.face, times.size, times.pitch), (face(Family::Serif, true, false), Lu(2400), None));
        assert_eq!(grid(0, 0).size, Lu(2000));
        assert_eq!(grid(281, 0).pitch, Some(Lu(720)));
    }

    #[test]
    fn names_of_typefaces_are_understood_and_others_are_sans() {
        let named = |name: &str| {
            wanted(&FontRequest { data_object: Some(name.into()), ..FontRequest::default() }, Scale::default())
        };
        assert_eq!(named("Times New Roman Bold").face, face(Family::Serif, true, false));
        assert_eq!(named("Courier New").face.family, Family::Mono);
        assert!(named("SungGB").east_asian);
        assert_eq!(character_set("C0XYZ123").face, face(Family::Sans, false, false));
        assert_eq!(character_set("").size, Lu(2000));
    }
}
