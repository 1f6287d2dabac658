//! How lines are drawn: widths and line types.

use super::super::place::{Place, lu};
use super::state::{Attributes, LEAVE_ALONE, line_end, line_join, line_type};
use crate::page::{Cap, Join, Lu, Stroke};

/// The normal line width that multiples count from where a descriptor sets none, in logical units: 1/120 inch, which the AFP
/// GOCA Reference recommends ("Line Width", implementation note). Printers differ: Canon states about 1/100 inch for the
/// varioPRINT, and Apache FOP writes multiples as if it were 0.4 point, so that its lines are 1.5 times as wide as meant here.
pub const NORMAL_WIDTH: f64 = 120.0;

/// No line is wider: 0.13 inch, by the same note.
const MAX_WIDTH: f64 = 1872.0;

/// The thinnest line, in logical units: a pel of 300 in an inch.
const MIN_WIDTH: f64 = 48.0;

/// Dashes and gaps of the standard line types, in line widths.
fn standard_dashes(kind: u8) -> &'static [f64] {
    match kind {
        1 => &[0.0, 2.0],
        2 => &[3.0, 3.0],
        3 => &[6.0, 4.0, 0.0, 4.0],
        4 => &[0.0, 3.0, 0.0, 7.0],
        5 => &[8.0, 3.0],
        6 => &[6.0, 3.0, 0.0, 3.0, 0.0, 3.0],
        _ => &[],
    }
}

/// Whether lines draw anything.
pub fn visible(attributes: &Attributes) -> bool {
    attributes.mix != LEAVE_ALONE
        && (attributes.line_type != line_type::INVISIBLE || !attributes.custom_line.is_empty())
        && attributes.line_width > 0.0
}

/// Width of lines in logical units.
pub fn width(attributes: &Attributes, place: &Place) -> f64 {
    let [x, y] = place.scale;
    let widest = MAX_WIDTH.max(attributes.normal_width);
    let own = (attributes.line_width * attributes.normal_width).min(widest);
    (own * (x * y).abs().sqrt()).max(MIN_WIDTH)
}

/// How the outline of a figure is drawn.
pub fn stroke(attributes: &Attributes, place: &Place) -> Stroke {
    let width = width(attributes, place);
    let cap = match attributes.line_end {
        line_end::FLAT => Cap::Flat,
        line_end::SQUARE => Cap::Square,
        _ => Cap::Round,
    };
    let join = match attributes.line_join {
        line_join::BEVEL => Join::Bevel,
        line_join::MITER => Join::Miter,
        _ => Join::Round,
    };
    let dashes = match attributes.custom_line.as_slice() {
        [] => standard_dashes(attributes.line_type),
        custom => custom,
    };
    Stroke { color: attributes.color, width: lu(width), dash: dash(dashes, width, cap), cap, join }
}

/// Dashes in logical units. A dash of no length is a dot: round and square ends draw it; flat ends need a length.
fn dash(pattern: &[f64], width: f64, cap: Cap) -> Vec<Lu> {
    let dot = if cap == Cap::Flat { width } else { 0.0 };
    let mut dash: Vec<Lu> = pattern
        .iter()
        .enumerate()
        .map(|(i, part)| if i % 2 == 0 { lu((part * width).max(dot)) } else { lu((part * width).max(1.0)) })
        .collect();
    if dash.len() % 2 == 1 {
        dash.push(lu(width));
    }
    dash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_come_in_pairs_and_dots_show_with_flat_ends() {
        assert_eq!(dash(&[0.0, 2.0], 80.0, Cap::Round), [Lu(0), Lu(160)]);
        assert_eq!(dash(&[0.0, 2.0], 80.0, Cap::Flat), [Lu(80), Lu(160)]);
        assert_eq!(dash(&[3.0], 10.0, Cap::Square).len(), 2);
    }
}
