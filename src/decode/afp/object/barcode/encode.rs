//! From a symbol's data to its pattern: which encoder, what its parameters say, what is printed beside it.

use super::descriptor::{Descriptor, kind};
use super::linear::linear;
use super::package;
use super::retail::Group;
use super::symbol::{Invalid, Pattern};
use super::two_dimensional::{aztec_symbol, data_matrix_symbol, maxicode_symbol, pdf417_symbol, qr_symbol};

const EBCDIC_BLANK: u8 = 0x40;

/// Why nothing is drawn for a type that nobody knows.
pub const UNKNOWN_TYPE: Invalid = "a bar code type that is not drawn";

/// What a symbol says and looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Symbol {
    /// Name of the symbology, with its variant.
    pub name: &'static str,
    /// Its bars or modules.
    pub pattern: Pattern,
    /// What it holds.
    pub value: String,
    /// Human-readable text; empty where the symbology has none.
    pub text: String,
    /// The side of that text, above (true) or below, where the symbology allows one only.
    pub text_above: Option<bool>,
    /// Digits with places of their own (EAN, UPC).
    pub groups: Vec<Group>,
    /// Bars around the symbol.
    pub bearer: Bearer,
    /// Text above the symbol (Intelligent Mail labels).
    pub banner: String,
    /// Parts of what was asked for that the symbol does not have, for the report.
    pub left_out: Option<&'static str>,
}

/// Bars around a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// None.
    None,
    /// ITF-14: above and below.
    TopAndBottom,
    /// ITF-14: all around.
    Frame,
    /// Intelligent Mail labels: identification bars outside of banner and text.
    Identification,
}

impl Symbol {
    /// A symbol without text.
    pub fn new(name: &'static str, pattern: Pattern, value: String) -> Symbol {
        Symbol {
            name,
            pattern,
            value,
            text: String::new(),
            text_above: None,
            groups: Vec::new(),
            bearer: Bearer::None,
            banner: String::new(),
            left_out: None,
        }
    }
}

/// Flags of a BSA.
#[derive(Debug, Clone, Copy)]
pub struct Flags(pub u8);

impl Flags {
    /// No human-readable text.
    pub fn no_text(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Text above the bars (true), below (false), or where the symbology has it.
    pub fn text_above(self) -> Option<bool> {
        match self.0 >> 5 & 3 {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        }
    }

    /// The text of Code 39 has the asterisks of start and stop.
    pub fn asterisks(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// Only the text is printed.
    pub fn no_bars(self) -> bool {
        self.0 & 0x04 != 0
    }

    fn trim(self) -> bool {
        self.0 & 0x02 != 0
    }
}

/// Encodes a symbol. `data` is what stands behind the position in a BSA. The second value tells that the data was ASCII where
/// EBCDIC is due.
pub fn encode(descriptor: &Descriptor, flags: Flags, data: &[u8]) -> Result<(Symbol, bool), Invalid> {
    match descriptor.kind {
        kind::DATA_MATRIX => return Ok((data_matrix_symbol(descriptor.modifier, data)?, false)),
        kind::MAXICODE => return Ok((maxicode_symbol(data)?, false)),
        kind::PDF417 => return Ok((pdf417_symbol(descriptor.modifier, data)?, false)),
        kind::QR => return Ok((qr_symbol(descriptor.modifier, data)?, false)),
        kind::AZTEC => return Ok((aztec_symbol(descriptor.modifier, data)?, false)),
        kind::CODE128 if descriptor.modifier == 6 => return Ok((package::package(data)?, false)),
        _ => {}
    }
    let data = if flags.trim() { trimmed(data) } else { data };
    let descriptor = &if flags.trim() { fitting(*descriptor, data.len()) } else { *descriptor };
    match linear(descriptor, flags, &super::ebcdic::to_latin(data), data) {
        Ok(symbol) => Ok((symbol, false)),
        Err(invalid) if looks_ascii(data) => {
            let symbol = linear(descriptor, flags, data, data).map_err(|_| invalid)?;
            Ok((symbol, true))
        }
        Err(invalid) => Err(invalid),
    }
}

fn trimmed(mut data: &[u8]) -> &[u8] {
    while let [head @ .., EBCDIC_BLANK] = data {
        data = head;
    }
    data
}

/// The type and modifier of the same family that hold so many characters (BSA, "Desired method of adjusting for trailing
/// blanks").
fn fitting(descriptor: Descriptor, length: usize) -> Descriptor {
    let Descriptor { kind, modifier, .. } = descriptor;
    let (kind, modifier) = match (kind, length) {
        (kind::EAN_8 | kind::EAN_13 | kind::EAN_2 | kind::EAN_5, _) => match length {
            2 => (kind::EAN_2, 0),
            5 => (kind::EAN_5, 0),
            7 => (kind::EAN_8, 0),
            12 => (kind::EAN_13, 0),
            14 => (kind::EAN_2, 1),
            17 => (kind::EAN_5, 1),
            _ => (kind, modifier),
        },
        (kind::UPC_A | kind::UPC_E | kind::UPC_2 | kind::UPC_5, _) => match length {
            2 => (kind::UPC_2, 0),
            5 => (kind::UPC_5, 0),
            10 => (kind::UPC_E, 0),
            11 => (kind::UPC_A, 0),
            12 => (kind::UPC_2, 2),
            13 => (kind::UPC_2, 1),
            15 => (kind::UPC_5, 2),
            16 => (kind::UPC_5, 1),
            _ => (kind, modifier),
        },
        (kind::POSTNET, 5) => (kind, 0),
        (kind::POSTNET, 9) => (kind, 1),
        (kind::POSTNET, 11) => (kind, if modifier == 4 { 4 } else { 2 }),
        (kind::POSTNET, _) => (kind, 3),
        (kind::INTELLIGENT_MAIL, 20) => (kind, 0),
        (kind::INTELLIGENT_MAIL, 25) => (kind, 1),
        (kind::INTELLIGENT_MAIL, 29) => (kind, 2),
        (kind::INTELLIGENT_MAIL, 31) => (kind, 3),
        _ => (kind, modifier),
    };
    Descriptor { kind, modifier, ..descriptor }
}

/// Printing ASCII with digits, which are control codes in EBCDIC.
fn looks_ascii(data: &[u8]) -> bool {
    data.iter().all(|byte| (0x20..0x7F).contains(byte)) && data.iter().any(u8::is_ascii_digit)
}
