//! Two-dimensional symbologies: special-function parameters, then data in bytes.
//!
//! Rules: BCOCA Reference, "Special-Function Parameters" of each symbology. Offsets here count from byte 5 of a BSA.

use super::aztec::{AztecOptions, aztec, rune};
use super::data::{Item, bytes, items};
use super::data_matrix::{DataMatrixOptions, Scheme, data_matrix};
use super::ebcdic::to_latin;
use super::encode::Symbol;
use super::maxicode::{MaxiCodeOptions, maxicode};
use super::pdf417::{Pdf417Options, pdf417};
use super::pdf417_data::{Unit, control_block, units};
use super::qr::{QrOptions, qr};
use super::symbol::{Invalid, Matrix, Pattern};
use crate::decode::afp::bytes::{u8_at, u16_at};
use crate::frame::codepage::CodePage;

/// Control flags: the data are EBCDIC; escape sequences are ignored; the size must be kept to.
const TRANSLATE: u8 = 0x80;
const NO_ESCAPES: u8 = 0x40;
const KEEP_SIZE: u8 = 0x20;
/// Special-function flags: FNC1 of GS1, and of an industry.
const GS1: u8 = 0x80;
const INDUSTRY: u8 = 0x40;

const CUT: Invalid = "special-function parameters that are cut short";

/// The data of a symbol by its control flags: translated where they ask for it, escapes read unless they forbid it.
fn data_items(control: u8, data: &[u8]) -> Result<Vec<Item>, Invalid> {
    let translated = if control & TRANSLATE != 0 { to_latin(data) } else { data.to_vec() };
    if translated.is_empty() {
        return Err("no data");
    }
    items(&translated, control & NO_ESCAPES == 0)
}

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().map(|byte| char::from(*byte)).collect())
}

fn symbol(name: &'static str, matrix: Matrix, items: &[Item]) -> Symbol {
    Symbol::new(name, Pattern::Matrix(matrix), text_of(bytes(items)))
}

/// Structured append, where the numbers make sense.
fn append(number: u8, total: u8, most: u8) -> Option<(u8, u8)> {
    ((1..=most).contains(&number) && (2..=most).contains(&total) && number <= total).then_some((number, total))
}

/// Data Matrix; modifier 1 has the rectangular extensions too.
pub fn data_matrix_symbol(modifier: u8, data: &[u8]) -> Result<Symbol, Invalid> {
    let control = u8_at(data, 0).ok_or(CUT)?;
    let (columns, rows) = (u16_at(data, 1).ok_or(CUT)?, u16_at(data, 3).ok_or(CUT)?);
    let file = [u8_at(data, 7).ok_or(CUT)?, u8_at(data, 8).ok_or(CUT)?];
    let special = u8_at(data, 9).ok_or(CUT)?;
    let items = data_items(control, data.get(10..).unwrap_or_default())?;
    let scheme = match special & 7 {
        1 => Some(Scheme::Ascii),
        2 => Some(Scheme::C40),
        3 => Some(Scheme::Text),
        6 => Some(Scheme::Base256),
        _ => None,
    };
    let options = DataMatrixOptions {
        rows: usize::from(rows),
        columns: usize::from(columns),
        extended: modifier == 1,
        keep_size: control & KEEP_SIZE != 0,
        append: append(u8_at(data, 5).unwrap_or(0), u8_at(data, 6).unwrap_or(0), 16).map(|(n, of)| (n, of, file)),
        gs1: special & GS1 != 0,
        industry: special & INDUSTRY != 0,
        reader: special & 0x20 != 0,
        macro_word: match special >> 3 & 3 {
            1 => Some(236),
            2 => Some(237),
            _ => None,
        },
        scheme,
    };
    let left_out = matches!(special & 7, 4 | 5).then_some("the X12 or EDIFACT encodation of a Data Matrix symbol");
    Ok(Symbol { left_out, ..symbol("Data Matrix", data_matrix(&items, &options)?, &items) })
}

/// MaxiCode.
pub fn maxicode_symbol(data: &[u8]) -> Result<Symbol, Invalid> {
    const ZIPPER: u8 = 0x80;
    let (control, mode) = (u8_at(data, 0).ok_or(CUT)?, u8_at(data, 1).ok_or(CUT)?);
    let append = append(u8_at(data, 2).ok_or(CUT)?, u8_at(data, 3).ok_or(CUT)?, 8);
    let special = u8_at(data, 4).ok_or(CUT)?;
    let items = data_items(control, data.get(5..).unwrap_or_default())?;
    let matrix = maxicode(&items, &MaxiCodeOptions { mode, append })?;
    let left_out = (special & ZIPPER != 0).then_some("the zipper and contrast block of a MaxiCode symbol");
    Ok(Symbol { left_out, ..Symbol::new("MaxiCode", Pattern::Hexagons(matrix), text_of(bytes(&items))) })
}

/// PDF417; modifier 1 is the truncated form. Its default character set is that of a PC: code page 437.
pub fn pdf417_symbol(modifier: u8, data: &[u8]) -> Result<Symbol, Invalid> {
    let control = u8_at(data, 0).ok_or(CUT)?;
    let chosen = |at: usize| u8_at(data, at).map(|value| if value == 0xFF { 0 } else { usize::from(value) }).ok_or(CUT);
    let (columns, rows) = (chosen(1)?, chosen(2)?);
    let level = u8_at(data, 3).ok_or(CUT)?;
    let length = usize::from(u16_at(data, 4).ok_or(CUT)?);
    let (block, message) = data.get(6..).and_then(|rest| rest.split_at_checked(length)).ok_or(CUT)?;
    let translated = |data: &[u8]| if control & TRANSLATE != 0 { personal_computer(data) } else { data.to_vec() };
    let units = units(&translated(message), control & NO_ESCAPES == 0)?;
    let block = if block.is_empty() { Vec::new() } else { control_block(&translated(block))? };
    let level = (level <= 8).then_some(u32::from(level));
    let matrix = pdf417(&units, &block, &Pdf417Options { columns, rows, level, truncated: modifier == 1 })?;
    let name = if modifier == 1 { "Truncated PDF417" } else { "PDF417" };
    let said: Vec<u8> =
        units.iter().filter_map(|unit| if let Unit::Byte(byte) = unit { Some(*byte) } else { None }).collect();
    let value = if control & TRANSLATE != 0 { decoded(&said, "ibm-437") } else { text_of(said) };
    Ok(Symbol::new(name, Pattern::Matrix(matrix), value))
}

/// EBCDIC as code page 437; X'7F' for what that lacks.
fn personal_computer(data: &[u8]) -> Vec<u8> {
    let page = CodePage::find("ibm-437");
    let byte = |latin: u8| match latin {
        0..=0x7F => latin,
        _ => {
            let text = char::from(latin).to_string();
            let found = page.and_then(|page| page.encode(&text));
            found.and_then(|bytes| bytes.first().copied()).unwrap_or(0x7F)
        }
    };
    to_latin(data).into_iter().map(byte).collect()
}

fn decoded(data: &[u8], page: &str) -> String {
    let mut text = String::new();
    match CodePage::find(page) {
        Some(page) => _ = page.decode(data, &mut text),
        None => text.extend(data.iter().map(|byte| char::from(*byte))),
    }
    text
}

/// QR Code; modifier X'12' has images beside it, which are left out.
pub fn qr_symbol(modifier: u8, data: &[u8]) -> Result<Symbol, Invalid> {
    const WITH_IMAGE: u8 = 0x12;
    let (control, conversion) = (u8_at(data, 0).ok_or(CUT)?, u8_at(data, 1).ok_or(CUT)?);
    let (version, level) = (u8_at(data, 2).ok_or(CUT)?, u8_at(data, 3).ok_or(CUT)?);
    let parity = u8_at(data, 6).ok_or(CUT)?;
    let (special, indicator) = (u8_at(data, 7).ok_or(CUT)?, u8_at(data, 8).ok_or(CUT)?);
    let images = if modifier == WITH_IMAGE { 3 + usize::from(u16_at(data, 10).ok_or(CUT)?) } else { 0 };
    let rest = data.get(9 + images..).ok_or(CUT)?;
    // Data are translated where the flag asks for it and a code page is named, and not otherwise.
    let page = qr_code_page(conversion).filter(|_| control & TRANSLATE != 0);
    let converted = page.map_or(Ok(rest.to_vec()), |page| converted(rest, page))?;
    let items = data_items(control & !TRANSLATE, &converted)?;
    let append = append(u8_at(data, 4).unwrap_or(0), u8_at(data, 5).unwrap_or(0), 16).map(|(n, of)| (n, of, parity));
    let options = QrOptions {
        version,
        level,
        keep_version: control & KEEP_SIZE != 0,
        append,
        gs1: special & GS1 != 0,
        industry: (special & INDUSTRY != 0).then_some(indicator),
    };
    let left_out = (images > 3).then_some("the image of a QR Code symbol");
    Ok(Symbol { left_out, ..symbol("QR Code", qr(&items, &options)?, &items) })
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

/// Aztec: full-range, compact, a rune (one byte), or the smaller of the first two.
pub fn aztec_symbol(modifier: u8, data: &[u8]) -> Result<Symbol, Invalid> {
    const READER: u8 = 0x20;
    const RUNE: u8 = 2;
    let control = u8_at(data, 0).ok_or(CUT)?;
    let (layers, checks) = (u8_at(data, 2).ok_or(CUT)?, u8_at(data, 3).ok_or(CUT)?);
    let (special, indicator) = (u8_at(data, 4).ok_or(CUT)?, u8_at(data, 5).ok_or(CUT)?);
    let numbers = append(u8_at(data, 6).ok_or(CUT)?, u8_at(data, 7).ok_or(CUT)?, 26);
    let (identification, rest) = counted(data.get(8..).ok_or(CUT)?)?;
    let (_, message) = counted(rest)?;
    let items = data_items(control, message)?;
    if modifier == RUNE {
        let [byte] = bytes(&items)[..] else { return Err("a rune of another length than one byte") };
        return Ok(symbol("Aztec Rune", rune(byte), &items));
    }
    let identification = if control & TRANSLATE != 0 { to_latin(identification) } else { identification.to_vec() };
    let options = AztecOptions {
        compact: match modifier {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        layers: if layers == 0xFF { 0 } else { usize::from(layers) },
        keep_layers: control & KEEP_SIZE != 0,
        checks: if checks == 0xFF { 0 } else { usize::from(checks) },
        gs1: special & GS1 != 0,
        industry: (special & INDUSTRY != 0).then_some(indicator),
        reader: special & READER != 0,
        append: numbers.map(|(number, total)| (number, total, identification)),
    };
    Ok(symbol("Aztec", aztec(&items, &options)?, &items))
}

/// Bytes with their count in front, and what follows them.
fn counted(data: &[u8]) -> Result<(&[u8], &[u8]), Invalid> {
    let (count, rest) = data.split_first().ok_or(CUT)?;
    rest.split_at_checked(usize::from(*count)).ok_or(CUT)
}
