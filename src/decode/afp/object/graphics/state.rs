//! The attributes that drawing orders set, and their defaults.

use super::curve::ArcParameters;
use super::shape::Point;
use crate::page::Color;

/// Mix: what is drawn covers what lies under.
pub const LEAVE_ALONE: u8 = 0x05;
/// Background mix: the background covers what lies under.
pub const OVERPAINT: u8 = 0x02;

/// Line types (GOCA, "Set Line Type").
pub mod line_type {
    /// Solid.
    pub const SOLID: u8 = 7;
    /// Nothing is drawn.
    pub const INVISIBLE: u8 = 8;
}

/// Line ends (GOCA, "Set Line End").
pub mod line_end {
    /// Cut off at the end.
    pub const FLAT: u8 = 1;
    /// Half a width longer.
    pub const SQUARE: u8 = 2;
    /// Round.
    pub const ROUND: u8 = 3;
}

/// Line joins (GOCA, "Set Line Join").
pub mod line_join {
    /// Cut off.
    pub const BEVEL: u8 = 1;
    /// Round.
    pub const ROUND: u8 = 2;
    /// The edges meet.
    pub const MITER: u8 = 3;
}

/// Everything that attribute orders set.
#[derive(Debug, Clone, PartialEq)]
pub struct Attributes {
    /// Colour of what is drawn.
    pub color: Color,
    /// How it covers what lies under: [`LEAVE_ALONE`] draws nothing.
    pub mix: u8,
    /// The same for the background of patterns, characters and pictures.
    pub back_mix: u8,
    /// Line type.
    pub line_type: u8,
    /// Dashes and gaps of a custom line type, in line widths; wins over the line type when not empty.
    pub custom_line: Vec<f64>,
    /// Line width as a multiple of the normal one.
    pub line_width: f64,
    /// The normal line width in logical units.
    pub normal_width: f64,
    /// Line end.
    pub line_end: u8,
    /// Line join.
    pub line_join: u8,
    /// Direction of the baseline.
    pub char_angle: Point,
    /// Character cell in graphics units; zero: as the font has it.
    pub char_cell: Point,
    /// Character shear.
    pub char_shear: Point,
    /// Character set: local id of a font.
    pub char_set: u8,
    /// Character direction: 1 right, 2 down, 3 left, 4 up.
    pub char_direction: u8,
    /// Marker set.
    pub marker_set: u8,
    /// Marker symbol.
    pub marker: u8,
    /// Marker cell in graphics units; zero: the standard size.
    pub marker_cell: Point,
    /// Pattern set.
    pub pattern_set: u8,
    /// Pattern symbol.
    pub pattern: u8,
    /// Where patterns start.
    pub pattern_origin: Point,
    /// Arc parameters.
    pub arc: ArcParameters,
}

impl Default for Attributes {
    /// The standard defaults (GOCA, "Drawing Defaults").
    fn default() -> Attributes {
        Attributes {
            color: Color::BLACK,
            mix: OVERPAINT,
            back_mix: LEAVE_ALONE,
            line_type: line_type::SOLID,
            custom_line: Vec::new(),
            line_width: 1.0,
            normal_width: super::line::NORMAL_WIDTH,
            line_end: line_end::ROUND,
            line_join: line_join::ROUND,
            char_angle: [1.0, 0.0],
            char_cell: [0.0, 0.0],
            char_shear: [0.0, 1.0],
            char_set: 0,
            char_direction: 1,
            marker_set: 0,
            marker: 1,
            marker_cell: [0.0, 0.0],
            pattern_set: 0,
            pattern: super::area::SOLID,
            pattern_origin: [0.0, 0.0],
            arc: [1.0, 1.0, 0.0, 0.0],
        }
    }
}
