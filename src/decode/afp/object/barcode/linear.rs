//! Symbologies whose data is text in EBCDIC: the linear ones, the postal ones and DataBar.

use super::data_bar::{expanded, limited, omnidirectional, stacked};
use super::descriptor::{Descriptor, kind};
use super::encode::{Bearer, Flags, Symbol, UNKNOWN_TYPE};
use super::gs1::{self, Char};
use super::intelligent_mail::intelligent_mail;
use super::mailmark::mailmark;
use super::multi_width::{Code128Item, MultiWidth, code93, code128};
use super::package;
use super::postal::{australia, japan, japan_direct, postnet, royal_mail};
use super::retail::{Retail, retail};
use super::size;
use super::symbol::{Invalid, Pattern, PostalBar, Stack};
use super::two_width::{TwoWidth, codabar, code39, industrial, interleaved, matrix, msi};

fn two_width(name: &'static str, descriptor: &Descriptor, symbol: TwoWidth) -> Symbol {
    let pattern = Pattern::Linear(symbol.widths(descriptor.ratio));
    Symbol { text: symbol.text, ..Symbol::new(name, pattern, symbol.value) }
}

fn multi_width(name: &'static str, symbol: MultiWidth) -> Symbol {
    let pattern = Pattern::Linear(symbol.widths.iter().map(|width| f64::from(*width)).collect());
    Symbol { text: symbol.text.clone(), ..Symbol::new(name, pattern, symbol.text) }
}

fn postal(name: &'static str, bars: Vec<PostalBar>, data: &[u8]) -> Symbol {
    Symbol::new(name, Pattern::Postal(bars), data.iter().map(|byte| char::from(*byte)).collect())
}

/// Encodes a symbol: `data` is its data in ASCII, `raw` as it came.
pub fn linear(descriptor: &Descriptor, flags: Flags, data: &[u8], raw: &[u8]) -> Result<Symbol, Invalid> {
    let modifier = descriptor.modifier;
    let check = modifier == 2;
    let retail_symbol = |name: &'static str, kind: Retail, supplement: usize| {
        let symbol = retail(kind, data, supplement)?;
        let (text, groups) = (symbol.value.clone(), symbol.groups);
        // Digits stand below the main symbol and above a supplement, whatever the flags say.
        let text_above = Some(kind == Retail::Alone);
        Ok(Symbol { text, groups, text_above, ..Symbol::new(name, Pattern::Retail(symbol.bars), symbol.value) })
    };
    // Supplements alone, with UPC-A, with UPC-E; EAN ones alone or with EAN-13.
    let upc = match modifier {
        1 => Retail::UpcA,
        2 => Retail::UpcE,
        _ => Retail::Alone,
    };
    let ean = if modifier == 1 { Retail::Ean13 } else { Retail::Alone };
    match descriptor.kind {
        kind::CODE39 => Ok(two_width("Code 39", descriptor, code39(data, check, flags.asterisks())?)),
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
        kind::JAPAN if modifier == 1 => Ok(postal("Japan Post", japan_direct(raw)?, data)),
        kind::JAPAN => Ok(postal("Japan Post", japan(data)?, data)),
        kind::AUSTRALIA => {
            let (bars, text) = australia(data, modifier)?;
            Ok(Symbol { text, text_above: Some(true), ..postal("Australia Post", bars, data) })
        }
        kind::INTELLIGENT_MAIL => {
            let symbol = postal("Intelligent Mail", intelligent_mail(data, modifier)?, data);
            Ok(Symbol { text: grouped(&symbol.value), ..symbol })
        }
        kind::MAILMARK if modifier < 2 => Ok(postal("Mailmark", mailmark(data, modifier == 1)?, data)),
        kind::DATA_BAR => data_bar(descriptor, data, raw),
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

/// Code 128. GS1-128 begins with FNC1; the printer puts parentheses around application identifiers (modifier 4).
fn code128_symbol(modifier: u8, data: &[u8], raw: &[u8]) -> Result<Symbol, Invalid> {
    let all = gs1::characters(data, raw);
    match modifier {
        3 => gs1_128(&all, gs1::printed(&all.iter().copied().flatten().collect::<Vec<u8>>()).collect()),
        4 => gs1_128(&all, gs1::in_parentheses(&all)),
        5 => package::container(data, raw),
        _ => {
            let text = gs1::printed(&all.iter().copied().flatten().collect::<Vec<u8>>()).collect();
            let value = gs1::value(&all);
            Ok(Symbol { value, ..multi_width("Code 128", code128(&code128_items(&all), text)?) })
        }
    }
}

fn code128_items(data: &[Char]) -> Vec<Code128Item> {
    data.iter().map(|ch| ch.map_or(Code128Item::Function(1), Code128Item::Character)).collect()
}

/// GS1-128 with this text; FNC1 stands in front even where the data lacks it.
pub fn gs1_128(data: &[Char], text: String) -> Result<Symbol, Invalid> {
    let mut items = code128_items(data);
    if items.first() != Some(&Code128Item::Function(1)) {
        items.insert(0, Code128Item::Function(1));
    }
    Ok(Symbol { value: gs1::value(data), ..multi_width("GS1-128", code128(&items, text)?) })
}

/// The seven forms of DataBar. All 14 digits of the data are printed, the check digit as it came.
fn data_bar(descriptor: &Descriptor, data: &[u8], raw: &[u8]) -> Result<Symbol, Invalid> {
    let single = |widths: &[u8]| Pattern::Linear(widths.iter().map(|width| f64::from(*width)).collect());
    let (pattern, value, text) = match descriptor.modifier {
        0 | 1 => {
            let row = omnidirectional(data)?;
            (single(&row.widths), row.number, String::new())
        }
        modifier @ (2 | 3) => {
            let module = size::module(descriptor, 50.0);
            let height = size::height(descriptor, module, 0.0) / module;
            let (stack, number) = stacked(data, modifier == 3, height)?;
            (Pattern::Stack(stack), number, String::new())
        }
        4 => {
            let row = limited(data)?;
            (single(&row.widths), row.number, String::new())
        }
        modifier @ 0x11..=0x1B => {
            let all = gs1::characters(data, raw);
            let mut stack = expanded(&all, usize::from(modifier - 0x11))?;
            let module = size::module(descriptor, width(&stack));
            if let [height] = stack.heights.as_mut_slice() {
                *height = size::height(descriptor, module, 0.0) / module;
            }
            (Pattern::Stack(stack), gs1::value(&all), gs1::in_parentheses(&all))
        }
        _ => return Err(UNKNOWN_TYPE),
    };
    let digits: String = data.iter().map(|digit| char::from(*digit)).collect();
    let text = match (text.is_empty(), digits.len()) {
        (false, _) => text,
        (_, 14) => format!("(01){digits}"),
        _ => format!("(01){value}"),
    };
    Ok(Symbol { text, text_above: Some(false), ..Symbol::new("GS1 DataBar", pattern, value) })
}

/// Modules in a row.
fn width(stack: &Stack) -> f64 {
    f64::from(u32::try_from(stack.matrix.width()).unwrap_or(u32::MAX))
}
