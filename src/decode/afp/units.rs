//! From the units of a stream to [`Lu`].

use crate::page::Lu;

/// A length in units of which `per_inch` make an inch.
pub fn lu(length: i32, per_inch: f64) -> Lu {
    let exact = f64::from(length) * f64::from(Lu::PER_INCH) / per_inch;
    #[allow(clippy::cast_possible_truncation)] // The cast of a float saturates.
    let rounded = exact.round() as i32;
    Lu(rounded)
}

/// Length in logical units of one of `units` in 10 inches (base 0) or 10 centimetres (base 1); 0 counts as 14400.
pub fn unit_length(base: u8, units: u16) -> f64 {
    let units = if units == 0 { 14_400.0 } else { f64::from(units) };
    let inches = if base == 1 { 10.0 / 2.54 } else { 10.0 };
    inches * f64::from(Lu::PER_INCH) / units
}

/// An unsigned extent, as [`lu`].
pub fn extent(length: u32, per_inch: f64) -> Lu {
    lu(i32::try_from(length).unwrap_or(i32::MAX), per_inch)
}

/// Quarter turns of a rotation code (degrees in its upper nine bits); `None` for angles between.
pub fn turns(code: u16) -> Option<u8> {
    match code >> 7 {
        0 => Some(0),
        90 => Some(1),
        180 => Some(2),
        270 => Some(3),
        _ => None,
    }
}

/// Adds without overflow.
pub fn add(one: Lu, two: Lu) -> Lu {
    Lu(one.0.saturating_add(two.0))
}

/// A vector turned clockwise by quarter turns.
pub fn turned([x, y]: [Lu; 2], turns: u8) -> [Lu; 2] {
    let minus = |length: Lu| Lu(length.0.saturating_neg());
    match turns % 4 {
        0 => [x, y],
        1 => [minus(y), x],
        2 => [minus(x), minus(y)],
        _ => [y, minus(x)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_once() {
        assert_eq!(lu(1, 240.0), Lu(60));
        assert_eq!(lu(-3, 1440.0), Lu(-30));
        assert_eq!(lu(1, 300.0), Lu(48));
        assert_eq!(lu(i32::MAX, 0.1), Lu(i32::MAX));
        assert_eq!(extent(u32::MAX, 14_400.0), Lu(i32::MAX));
    }

    #[test]
    fn rotations_are_quarter_turns_clockwise() {
        assert_eq!([0, 0x2D00, 0x5A00, 0x8700, 0x1680].map(turns), [Some(0), Some(1), Some(2), Some(3), None]);
        assert_eq!(turned([Lu(1), Lu(0)], 1), [Lu(0), Lu(1)]);
        assert_eq!(turned([Lu(1), Lu(2)], 2), [Lu(-1), Lu(-2)]);
        assert_eq!(turned([Lu(0), Lu(1)], 3), [Lu(1), Lu(0)]);
    }
}
