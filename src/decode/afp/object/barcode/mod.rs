//! Bar code objects (BCOCA): the symbols that a descriptor and its data ask for, as bars and text on the page.
//!
//! In: the bar code data descriptor (BDD), one block of data for each symbol (BDA), the object's area and the mapped fonts.
//! Out: for each symbol one [`Element::Barcode`] whose path has all its bars, and text runs for its human-readable text.
//!
//! Promises: what is drawn scans as what the data says (`tests/judges/barcodes` has independent readers look); data that a
//! symbology cannot hold draws nothing and is reported, never changed: `afp-barcode-invalid`. Also reported:
//! `afp-barcode-type` (a type or form that is not drawn), `afp-barcode-cut` (a descriptor or data that ends too early),
//! `afp-barcode-ascii` (ASCII data where EBCDIC is due), `afp-barcode-font` (the font of the text is not mapped),
//! `afp-barcode-part` (a part of the symbol was left out), `afp-barcode-limit`. No report holds data.
//!
//! Rules: Bar Code Object Content Architecture Reference (AFPC-0005); `docs/formats/afp.md`; each encoder names its standard.

mod aztec;
mod data;
mod data_bar;
mod data_matrix;
mod descriptor;
mod draw;
mod ebcdic;
mod encode;
mod gs1;
mod intelligent_mail;
mod linear;
mod mailmark;
mod maxicode;
mod maxicode_layout;
mod multi_width;
mod package;
mod pdf417;
mod pdf417_data;
mod pdf417_patterns;
mod postal;
mod qr;
mod reed_solomon;
mod retail;
mod size;
mod symbol;
#[cfg(test)]
mod tests;
mod text;
mod two_dimensional;
mod two_width;

use super::place::{Content, Mapping, Place, place};
use super::{ObjectArea, ObjectFonts};
use crate::decode::afp::bytes::{u8_at, u16_at};
use crate::decode::afp::{Limits, Report};
use crate::page::{Barcode, Element};
use descriptor::Descriptor;
use draw::{lay_out, path};
use encode::{Flags, encode};
use text::text;

/// Draws a bar code object: `bdd` is the data of its BDD, `bdas` that of each of its BDAs.
pub fn bar_code(
    area: &ObjectArea,
    bdd: &[u8],
    bdas: &[&[u8]],
    fonts: &dyn ObjectFonts,
    limits: &Limits,
    report: &mut Report<'_>,
) -> Vec<Element> {
    let Some(descriptor) = Descriptor::read(bdd, area.color) else {
        report("afp-barcode-cut", "bar code data descriptor".into());
        return Vec::new();
    };
    let [width, height] = descriptor.size;
    let place = place(area, Mapping::Position, &Content { width, height, points: None });
    let mut elements = Vec::new();
    for bda in bdas {
        if elements.len() >= limits.page_elements {
            report("afp-barcode-limit", "symbols of a bar code object".into());
            break;
        }
        symbol(&descriptor, bda, &place, fonts, report, &mut elements);
    }
    elements
}

/// One symbol: flags, position, data.
fn symbol(
    descriptor: &Descriptor,
    bda: &[u8],
    place: &Place,
    fonts: &dyn ObjectFonts,
    report: &mut Report<'_>,
    elements: &mut Vec<Element>,
) {
    let head = (u8_at(bda, 0), u16_at(bda, 1), u16_at(bda, 3), bda.get(5..));
    let (Some(flags), Some(x), Some(y), Some(data)) = head else {
        return report("afp-barcode-cut", "bar code data".into());
    };
    let flags = Flags(flags);
    let what = format!("type X'{:02X}' modifier X'{:02X}'", descriptor.kind, descriptor.modifier);
    let (symbol, was_ascii) = match encode(descriptor, flags, data) {
        Ok(found) => found,
        Err(why) if why == encode::UNKNOWN_TYPE => return report("afp-barcode-type", what),
        Err(why) => return report("afp-barcode-invalid", format!("{what}: {why}")),
    };
    if was_ascii {
        report("afp-barcode-ascii", what);
    }
    if let Some(part) = symbol.left_out {
        report("afp-barcode-part", part.into());
    }
    let font = descriptor.font.and_then(|lid| {
        let font = fonts.font(lid);
        if font.is_none() && !flags.no_text() && !symbol.text.is_empty() {
            report("afp-barcode-font", format!("no font is mapped to {lid}"));
        }
        font
    });
    let origin = [f64::from(x) * descriptor.unit[0], f64::from(y) * descriptor.unit[1]];
    let drawn = lay_out(&symbol, descriptor, !flags.no_text());
    let runs = text(&symbol, &drawn, flags, &text::Writer::new(font.as_deref(), descriptor.color, place, origin));
    if !flags.no_bars() {
        let bars = path(&drawn, origin, place, descriptor.color);
        elements.push(Element::Barcode(Barcode { symbology: symbol.name.into(), value: symbol.value, bars }));
    }
    elements.extend(runs.into_iter().map(Element::Text));
}
