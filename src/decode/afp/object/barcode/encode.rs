//! From a symbol's data to its pattern: which encoder, what its parameters say, what is printed beside it.

use super::super::bytes::{u8_at, u16_at};
use super::aztec::{AztecOptions, aztec};
use super::data::{Item, bytes, items};
use super::data_bar::omnidirectional;
use super::data_matrix::{DataMatrixOptions, data_matrix};
use super::descriptor::{Descriptor, kind};
use super::ebcdic::to_latin;
use super::intelligent_mail::intelligent_mail;
use super::maxicode::{MaxiCodeOptions, maxicode};
use super::multi_width::{Code128Item, MultiWidth, code93, code128};
use super::pdf417::{Pdf417Options, pdf417};
use super::postal::{australia, japan, postnet, royal_mail};
use super::qr::{QrOptions, qr};
use super::retail::{Group, Retail, retail};
use super::symbol::{Invalid, Matrix, Pattern, PostalBar};
use super::two_width::{TwoWidth, codabar, code39, industrial, interleaved, matrix, msi};
use crate::frame::codepage::CodePage;

/// FNC1 in the code page of Code 128 data.
const FNC1: u8 = 0x8F;
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
    /// Digits with places of their own (EAN, UPC).
    pub groups: Vec<Group>,
    /// Bearer bars of ITF-14: at the top and bottom, or all around.
    pub bearer: Bearer,
    /// Parts of what was asked for that the symbol does not have, for the report.
    pub left_out: Option<&'static str>,
}

/// Bars around a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// None.
    None,
    /// Above and below.
    TopAndBottom,
    /// All around.
    Frame,
}

impl Symbol {
    fn new(name: &'static str, pattern: Pattern, value: String) -> Symbol {
        let (text, groups, bearer) = (String::new(), Vec::new(), Bearer::None);
        Symbol { name, pattern, value, text, groups, bearer, left_out: None }
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

    fn asterisks(self) -> bool {
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
        kind::DATA_MATRIX => Ok((data_matrix_symbol(descriptor.modifier, data)?, false)),
        kind::MAXICODE => Ok((maxicode_symbol(data)?, false)),
        kind::PDF417 => Ok((pdf417_symbol(descriptor.modifier, data)?, false)),
        kind::QR => Ok((qr_symbol(data)?, false)),
        kind::AZTEC => Ok((aztec_symbol(descriptor.modifier, data)?, false)),
        _ => {
            let data = if flags.trim() { trimmed(data) } else { data };
            match linear(descriptor, flags, &to_latin(data), data) {
                Ok(symbol) => Ok((symbol, false)),
                Err(invalid) if looks_ascii(data) => {
                    let symbol = linear(descriptor, flags, data, data).map_err(|_| invalid)?;
                    Ok((symbol, true))
                }
                Err(invalid) => Err(invalid),
            }
        }
    }
}

fn trimmed(mut data: &[u8]) -> &[u8] {
    while let [head @ .., EBCDIC_BLANK] = data {
        data = head;
    }
    data
}

/// Printing ASCII with digits, which are control codes in EBCDIC.
fn looks_ascii(data: &[u8]) -> bool {
    data.iter().all(|byte| (0x20..0x7F).contains(byte)) && data.iter().any(u8::is_ascii_digit)
}

fn two_width(name: &'static str, descriptor: &Descriptor, symbol: TwoWidth) -> Symbol {
    let pattern = Pattern::Linear(symbol.widths(descriptor.ratio));
    Symbol { text: symbol.text.clone(), ..Symbol::new(name, pattern, symbol.text) }
}

fn multi_width(name: &'static str, symbol: MultiWidth) -> Symbol {
    let pattern = Pattern::Linear(symbol.widths.iter().map(|width| f64::from(*width)).collect());
    Symbol { text: symbol.text.clone(), ..Symbol::new(name, pattern, symbol.text) }
}

fn postal(name: &'static str, bars: Vec<PostalBar>, data: &[u8]) -> Symbol {
    Symbol::new(name, Pattern::Postal(bars), latin(data))
}

fn latin(data: &[u8]) -> String {
    data.iter().map(|byte| char::from(*byte)).collect()
}

/// Symbologies whose data is EBCDIC text: `data` is it in ASCII, `raw` as it came.
fn linear(descriptor: &Descriptor, flags: Flags, data: &[u8], raw: &[u8]) -> Result<Symbol, Invalid> {
    let modifier = descriptor.modifier;
    let check = modifier == 2;
    let retail_symbol = |name: &'static str, kind: Retail, supplement: usize| {
        let symbol = retail(kind, data, supplement)?;
        let text = symbol.value.clone();
        let groups = symbol.groups;
        Ok(Symbol { text, groups, ..Symbol::new(name, Pattern::Retail(symbol.bars), symbol.value) })
    };
    // Supplements alone, with UPC-A, with UPC-E; EAN ones alone or with EAN-13.
    let upc = match modifier {
        1 => Retail::UpcA,
        2 => Retail::UpcE,
        _ => Retail::Alone,
    };
    let ean = if modifier == 1 { Retail::Ean13 } else { Retail::Alone };
    match descriptor.kind {
        kind::CODE39 => Ok(two_width("Code 39", descriptor, code39(data, check, flags.asterisks())?)).map(|symbol| {
            let value = symbol.value.trim_matches('*').into();
            Symbol { value, ..symbol }
        }),
        kind::MSI => Ok(two_width("MSI", descriptor, msi(data, modifier)?)),
        kind::UPC_A => retail_symbol("UPC-A", Retail::UpcA, 0),
        kind::UPC_E => retail_symbol("UPC-E", Retail::UpcE, 0),
        kind::UPC_2 => retail_symbol("UPC with 2-digit supplement", upc, 2),
        kind::UPC_5 => retail_symbol("UPC with 5-digit supplement", upc, 5),
        kind::EAN_8 => retail_symbol("EAN-8", Retail::Ean8, 0),
        kind::EAN_13 => retail_symbol("EAN-13", Retail::Ean13, 0),
        kind::EAN_2 => retail_symbol("EAN with 2-digit supplement", ean, 2),
        kind::EAN_5 => retail_symbol("EAN with 5-digit supplement", ean, 5),
        kind::INDUSTRIAL => Ok(two_width("Industrial 2 of 5", descriptor, industrial(data, check)?)),
        kind::MATRIX => Ok(two_width("Matrix 2 of 5", descriptor, matrix(data, check)?)),
        kind::INTERLEAVED => {
            let bearer = match modifier {
                3 => Bearer::Frame,
                4 => Bearer::TopAndBottom,
                _ => Bearer::None,
            };
            let symbol = interleaved(data, (2..=4).contains(&modifier))?;
            Ok(Symbol { bearer, ..two_width("Interleaved 2 of 5", descriptor, symbol) })
        }
        kind::CODABAR => Ok(two_width("Codabar", descriptor, codabar(data, check)?)),
        kind::CODE128 => code128_symbol(modifier, data, raw),
        kind::CODE93 => Ok(multi_width("Code 93", code93(data)?)),
        kind::POSTNET => Ok(postal(if modifier == 4 { "PLANET" } else { "POSTNET" }, postnet(data, modifier)?, data)),
        kind::ROYAL_MAIL if modifier == 1 => Ok(postal("KIX", royal_mail(data, true)?, data)),
        kind::ROYAL_MAIL => Ok(postal("Royal Mail 4-state", royal_mail(data, false)?, data)),
        kind::JAPAN => Ok(postal("Japan Post", japan(data)?, data)),
        kind::AUSTRALIA => {
            let symbol = postal("Australia Post", australia(data, modifier)?, data);
            Ok(Symbol { text: symbol.value.clone(), ..symbol })
        }
        kind::INTELLIGENT_MAIL => {
            let symbol = postal("Intelligent Mail", intelligent_mail(data, modifier)?, data);
            Ok(Symbol { text: grouped(&symbol.value), ..symbol })
        }
        kind::DATA_BAR if modifier < 2 => {
            let (widths, value) = omnidirectional(data)?;
            let symbol = multi_width("GS1 DataBar", MultiWidth { widths, text: format!("(01){value}") });
            Ok(Symbol { value, ..symbol })
        }
        _ => Err(UNKNOWN_TYPE),
    }
}

/// Human-readable Intelligent Mail: groups of 2, 3, 9 and 6 digits (or 6 and 9), then the routing code.
fn grouped(value: &str) -> String {
    let mut groups = Vec::new();
    let mut rest = value;
    let mailer = if value.as_bytes().get(5) == Some(&b'9') { [9, 6] } else { [6, 9] };
    for length in [2, 3, mailer[0], mailer[1], 5, 4, 2] {
        let (group, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if !group.is_empty() {
            groups.push(group);
        }
        rest = tail;
    }
    groups.join(" ")
}

/// Code 128. GS1-128 begins with FNC1; parentheses around application identifiers are printed, not encoded.
fn code128_symbol(modifier: u8, data: &[u8], raw: &[u8]) -> Result<Symbol, Invalid> {
    let gs1 = (3..=6).contains(&modifier);
    let mut all: Vec<Code128Item> = Vec::new();
    let mut text = String::new();
    let mut value = String::new();
    for (ch, raw) in data.iter().zip(raw) {
        if *raw == FNC1 {
            all.push(Code128Item::Function(1));
            if !value.is_empty() {
                value.push('\u{1D}');
            }
            continue;
        }
        if modifier != 4 || !matches!(ch, b'(' | b')') {
            all.push(Code128Item::Character(*ch));
            value.push(char::from(*ch));
        }
        if !ch.is_ascii_control() {
            text.push(char::from(*ch));
        }
    }
    if gs1 && all.first() != Some(&Code128Item::Function(1)) {
        all.insert(0, Code128Item::Function(1));
    }
    let name = if gs1 { "GS1-128" } else { "Code 128" };
    Ok(Symbol { value, ..multi_width(name, code128(&all, text)?) })
}

/// The data of a two-dimensional symbol by its control flags: translated where they ask for it, escapes read unless they
/// forbid it.
fn data_items(control: u8, data: &[u8]) -> Result<Vec<Item>, Invalid> {
    let translated = if control & 0x80 != 0 { to_latin(data) } else { data.to_vec() };
    if translated.is_empty() {
        return Err("no data");
    }
    items(&translated, control & 0x40 == 0)
}

fn value_of(items: &[Item]) -> String {
    let data = bytes(items);
    String::from_utf8(data).unwrap_or_else(|error| latin(error.as_bytes()))
}

fn two_dimensional(name: &'static str, matrix: Matrix, items: &[Item]) -> Symbol {
    Symbol::new(name, Pattern::Matrix(matrix), value_of(items))
}

/// Structured append, where the numbers make sense.
fn append(number: u8, total: u8, most: u8) -> Option<(u8, u8)> {
    ((1..=most).contains(&number) && (2..=most).contains(&total) && number <= total).then_some((number, total))
}

const CUT: Invalid = "special-function parameters that are cut short";

fn data_matrix_symbol(modifier: u8, data: &[u8]) -> Result<Symbol, Invalid> {
    let control = u8_at(data, 0).ok_or(CUT)?;
    let (rows, columns) = (u16_at(data, 1).ok_or(CUT)?, u16_at(data, 3).ok_or(CUT)?);
    let file = [u8_at(data, 7).ok_or(CUT)?, u8_at(data, 8).ok_or(CUT)?];
    let special = u8_at(data, 9).ok_or(CUT)?;
    let items = data_items(control, data.get(10..).unwrap_or_default())?;
    let options = DataMatrixOptions {
        rows: usize::from(rows),
        columns: usize::from(columns),
        rectangular: modifier == 1 && rows == 0 && columns == 0,
        append: append(u8_at(data, 5).unwrap_or(0), u8_at(data, 6).unwrap_or(0), 16).map(|(n, of)| (n, of, file)),
        gs1: special & 0x80 != 0,
        industry: special & 0x40 != 0,
        reader: special & 0x20 != 0,
        macro_word: match special >> 3 & 3 {
            1 => Some(236),
            2 => Some(237),
            _ => None,
        },
    };
    Ok(two_dimensional("Data Matrix", data_matrix(&items, &options)?, &items))
}

fn maxicode_symbol(data: &[u8]) -> Result<Symbol, Invalid> {
    let (control, mode) = (u8_at(data, 0).ok_or(CUT)?, u8_at(data, 1).ok_or(CUT)?);
    let append = append(u8_at(data, 2).ok_or(CUT)?, u8_at(data, 3).ok_or(CUT)?, 8);
    let items = data_items(control, data.get(5..).unwrap_or_default())?;
    let matrix = maxicode(&items, &MaxiCodeOptions { mode, append })?;
    Ok(Symbol::new("MaxiCode", Pattern::Hexagons(matrix), value_of(&items)))
}

fn pdf417_symbol(modifier: u8, data: &[u8]) -> Result<Symbol, Invalid> {
    let control = u8_at(data, 0).ok_or(CUT)?;
    let chosen = |at: usize| u8_at(data, at).map(|value| if value == 0xFF { 0 } else { usize::from(value) }).ok_or(CUT);
    let (columns, rows) = (chosen(1)?, chosen(2)?);
    let level = u8_at(data, 3).ok_or(CUT)?;
    let macro_length = usize::from(u16_at(data, 4).ok_or(CUT)?);
    let items = data_items(control, data.get(6 + macro_length..).unwrap_or_default())?;
    let level = (level <= 8).then_some(u32::from(level));
    let matrix = pdf417(&items, &Pdf417Options { columns, rows, level, truncated: modifier == 1 })?;
    let left_out = (macro_length > 0).then_some("the macro block of a PDF417 symbol");
    let name = if modifier == 1 { "Truncated PDF417" } else { "PDF417" };
    Ok(Symbol { left_out, ..two_dimensional(name, matrix, &items) })
}

fn qr_symbol(data: &[u8]) -> Result<Symbol, Invalid> {
    let (control, conversion) = (u8_at(data, 0).ok_or(CUT)?, u8_at(data, 1).ok_or(CUT)?);
    let (version, level) = (u8_at(data, 2).ok_or(CUT)?, u8_at(data, 3).ok_or(CUT)?);
    let parity = u8_at(data, 6).ok_or(CUT)?;
    let special = u8_at(data, 7).ok_or(CUT)?;
    let industry = (special & 0x40 != 0).then(|| u8_at(data, 8).unwrap_or(0));
    let start = if industry.is_some() { 9 } else { 8 };
    let rest = data.get(start..).unwrap_or_default();
    let (converted, control) = match qr_code_page(conversion) {
        Some(page) => (converted(rest, page)?, control & 0x7F),
        None => (rest.to_vec(), control),
    };
    let items = data_items(control, &converted)?;
    let append = append(u8_at(data, 4).unwrap_or(0), u8_at(data, 5).unwrap_or(0), 16).map(|(n, of)| (n, of, parity));
    let options = QrOptions { version, level, append, gs1: special & 0x80 != 0, industry };
    Ok(two_dimensional("QR Code", qr(&items, &options)?, &items))
}

/// The host code page of a QR Code's conversion number.
fn qr_code_page(conversion: u8) -> Option<&'static str> {
    match conversion {
        1 => Some("ibm-500"),
        2 => Some("ibm-290"),
        3 => Some("ibm-1027"),
        4 | 6 | 8 => Some("ibm-930"),
        5 | 7 | 9 => Some("ibm-939"),
        _ => None,
    }
}

/// Host bytes as the reader of a QR Code expects them: ISO 8859-1 where that will do, Shift JIS otherwise.
fn converted(data: &[u8], page: &str) -> Result<Vec<u8>, Invalid> {
    const UNKNOWN: Invalid = "data in a code page that is not known";
    let mut text = String::new();
    CodePage::find(page).ok_or(UNKNOWN)?.decode(data, &mut text);
    let latin: Option<Vec<u8>> = text.chars().map(|ch| u8::try_from(u32::from(ch)).ok()).collect();
    latin.or_else(|| CodePage::find("shift_jis")?.encode(&text)).ok_or(UNKNOWN)
}

fn aztec_symbol(modifier: u8, data: &[u8]) -> Result<Symbol, Invalid> {
    let control = u8_at(data, 0).ok_or(CUT)?;
    let (layers, checks) = (u8_at(data, 2).ok_or(CUT)?, u8_at(data, 3).ok_or(CUT)?);
    let identification = usize::from(u8_at(data, 8).ok_or(CUT)?);
    let items = data_items(control, data.get(9 + identification..).unwrap_or_default())?;
    let compact = match modifier {
        1 => Some(true),
        2 => Some(false),
        _ => None,
    };
    let options = AztecOptions { compact, layers: usize::from(layers), checks: usize::from(checks) };
    let matrix = aztec(&items, &options)?;
    let appended = append(u8_at(data, 6).unwrap_or(0), u8_at(data, 7).unwrap_or(0), 26).is_some();
    let special = u8_at(data, 4).unwrap_or(0) != 0;
    let left_out = (appended || special).then_some("structured append or function codes of an Aztec symbol");
    Ok(Symbol { left_out, ..two_dimensional("Aztec", matrix, &items) })
}
