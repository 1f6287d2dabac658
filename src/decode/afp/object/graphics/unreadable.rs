//! What of graphics data will not be drawn as it says, as far as its orders alone tell: for the report of a load, which draws
//! nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::area::fill_of;
use super::marker::has_marker;
use super::order::{Order, Orders};
use super::pattern::Definition;
use crate::decode::afp::bytes::{u8_at, u16_at};

/// Findings of one object.
const FINDINGS: usize = 64;

/// How a pattern that is not there is told.
pub(super) fn absent(set: u8, symbol: u8) -> String {
    format!("pattern {symbol} of set {set}, shown as a solid fill")
}

/// Whether an order is drawn, or draws nothing.
fn is_known(code: u16) -> bool {
    matches!(
        code,
        0x00 | 0x01 | 0x04 | 0x3E | 0x43 | 0x5E | 0x60 | 0x68 | 0x70 | 0x71 | 0x80..=0x83 | 0x85 | 0x87 | 0x91..=0x93
            | 0x08 | 0x0A | 0x0C | 0x0D | 0x11 | 0x18..=0x1B | 0x20..=0x22 | 0x26 | 0x28 | 0x29 | 0x33..=0x35 | 0x37..=0x3C
            | 0xA0 | 0xA1 | 0xA3..=0xA5 | 0xB2 | 0xC0..=0xC3 | 0xC5 | 0xC7 | 0xD1 | 0xDE | 0xDF | 0xE1 | 0xE3..=0xE5
            | 0xFEDC | 0xFEDD
    )
}

/// Codes of notes and what they tell, of the joined data of an object (GAD). What its descriptor sets is not looked at.
pub fn unreadable(gad: &[u8]) -> BTreeMap<String, &'static str> {
    let mut found = BTreeMap::new();
    let mut defined = BTreeSet::new();
    let (mut pattern, mut marker) = ([0_u8; 2], [0_u8; 2]);
    let mut orders = Orders::new(gad);
    while let Some(Order { code, data }) = orders.next() {
        let first = u8_at(data, 0).unwrap_or(0);
        let finding = match code {
            0x70 => {
                let flags = u8_at(data, 5).unwrap_or(0);
                if flags & 0x80 != 0 {
                    orders.pass_over(usize::from(u16_at(data, 6).unwrap_or(0)));
                } else if flags & 0x06 != 0x06 {
                    (pattern, marker) = ([0; 2], [0; 2]);
                    defined.clear();
                }
                None
            }
            0x08 => set(&mut pattern[0], first),
            0x28 => set(&mut pattern[1], first),
            0x3C => set(&mut marker[0], first),
            0x29 => set(&mut marker[1], first),
            0xDE => match Definition::read(data) {
                Some(definition) => {
                    defined.insert(definition.key);
                    None
                }
                None => Some(("afp-graphics-pattern", "a custom pattern that cannot be defined".into())),
            },
            0xFEDC | 0xFEDD => {
                defined.extend(data.get(2..4).and_then(|key| <[u8; 2]>::try_from(key).ok()));
                None
            }
            0x68 => {
                let [of, symbol] = pattern;
                let is_there = if of == 0 { fill_of(symbol).is_some() } else { defined.contains(&pattern) };
                (!is_there).then(|| ("afp-graphics-pattern", absent(of, symbol)))
            }
            0xC2 | 0x82 => {
                let [of, symbol] = marker;
                let is_there = of == 0 && has_marker(symbol);
                (!is_there).then(|| ("afp-graphics-marker", format!("marker {symbol} of set {of}, shown as a cross")))
            }
            other if is_known(other) => None,
            other => Some(("afp-graphics-order", format!("drawing order X'{other:02X}' is not drawn"))),
        };
        if let Some((code, detail)) = finding.filter(|_| found.len() < FINDINGS) {
            found.insert(detail, code);
        }
    }
    found
}

fn set(to: &mut u8, value: u8) -> Option<(&'static str, String)> {
    *to = value;
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_otherwise_is_told_by_the_orders_alone() {
        let area = [0x68, 0, 0x60, 0];
        let custom = [&[0xDE, 13, 0, 0, 0, 9, 1, 0, 0, 0, 5, 0, 0, 0, 5][..], &[0x5E, 0]].concat();
        let good = [&custom[..], &[0x08, 9, 0x28, 1], &area, &[0x82, 0, 0x29, 4, 0x82, 0]].concat();
        assert_eq!(unreadable(&good), BTreeMap::new());
        let bad = [&[0x08, 9, 0x28, 2][..], &area, &[0x3C, 7, 0x82, 0, 0x5F, 0, 0xFE, 1, 0, 0]].concat();
        let codes: Vec<&str> = unreadable(&bad).into_values().collect();
        assert_eq!(
            codes,
            ["afp-graphics-order"; 2]
                .iter()
                .chain(&["afp-graphics-marker", "afp-graphics-pattern"])
                .copied()
                .collect::<Vec<_>>()
        );
        // A new segment starts anew, and one that is not drawn is not looked at.
        let segment = |flags: u8, orders: &[u8]| {
            let length = u8::try_from(orders.len()).unwrap();
            [&[0x70, 12, 0, 0, 0, 1, 0, flags, 0, length, 0, 0, 0, 0][..], orders].concat()
        };
        assert_eq!(unreadable(&[segment(0, &[0x08, 9]), segment(0, &area)].concat()).len(), 0);
        assert_eq!(unreadable(&segment(0x80, &[0x5F, 0])).len(), 0);
    }
}
