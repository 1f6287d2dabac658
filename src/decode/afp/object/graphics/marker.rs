//! Markers: small figures at points, in a cell.
//!
//! Rule: GOCA, "Set Marker Symbol": the ten symbols of the default set.

use super::curve::Arc;
use super::shape::{Point, Seg};

/// Side of the standard marker cell in logical units: 8 pt.
pub const STANDARD_CELL: f64 = 1600.0;

/// A marker's figure and whether it is filled.
pub struct Marker {
    /// Its lines.
    pub shape: Vec<Seg>,
    /// Filled, otherwise drawn as lines.
    pub filled: bool,
}

/// Whether the default set has a symbol.
pub fn has_marker(symbol: u8) -> bool {
    symbol <= 0x0A
}

/// The marker of a symbol about a point, `half` its cell's sides in graphics units; `None` when there is no such symbol.
pub fn marker(symbol: u8, [x, y]: Point, half: Point) -> Option<Marker> {
    let at = |dx: f64, dy: f64| [x + dx * half[0], y + dy * half[1]];
    let line = |ax: f64, ay: f64| [Seg::Move(at(ax, ay)), Seg::Line(at(-ax, -ay))];
    let closed = |corners: &[(f64, f64)]| {
        let mut shape: Vec<Seg> = corners.iter().map(|(dx, dy)| Seg::Line(at(*dx, *dy))).collect();
        if let Some(first) = shape.first_mut() {
            let [(dx, dy), ..] = corners else { return shape };
            *first = Seg::Move(at(*dx, *dy));
        }
        shape.push(Seg::Close);
        shape
    };
    let rays = |count: u8, turn: f64| -> Vec<Seg> {
        let angle = |i: u8| (turn + 180.0 * f64::from(i) / f64::from(count)).to_radians();
        (0..count).flat_map(|i| line(angle(i).cos(), angle(i).sin())).collect()
    };
    let circle = |part: f64| Arc { centre: [x, y], parameters: [half[0], half[1], 0.0, 0.0], multiplier: part }.full();
    let diamond: &[(f64, f64)] = &[(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)];
    let square: &[(f64, f64)] = &[(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)];
    let (shape, filled) = match symbol {
        0 | 1 => ([line(0.8, 0.8), line(0.8, -0.8)].concat(), false),
        2 => ([line(1.0, 0.0), line(0.0, 1.0)].concat(), false),
        3 => (closed(diamond), false),
        4 => (closed(square), false),
        5 => (rays(3, 30.0), false),
        6 => (rays(4, 0.0), false),
        7 => (closed(diamond), true),
        8 => (closed(square), true),
        9 => (circle(0.25), true),
        0x0A => (circle(0.9), false),
        _ => return None,
    };
    Some(Marker { shape, filled })
}
