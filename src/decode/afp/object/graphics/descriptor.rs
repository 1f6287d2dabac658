//! The graphics data descriptor: window, units, defaults.
//!
//! Rule: GOCA, "Graphics Data Descriptor": a list of instructions, each a code, a length and data, in any order.

use super::shape::Point;
use super::state::Attributes;
use crate::decode::afp::bytes::{i16_at, u8_at, u16_at};
use crate::decode::afp::units::unit_length;
use crate::decode::afp::{Report, color};
use crate::page::Color;

const WINDOW: u8 = 0xF6;
const SUBSET: u8 = 0xF7;
const DEFAULTS: u8 = 0x21;

/// The window that is shown, in graphics units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Left edge.
    pub left: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
    /// Upper edge.
    pub top: f64,
}

/// What a GDD says.
#[derive(Debug, Clone, PartialEq)]
pub struct Descriptor {
    /// The window.
    pub window: Window,
    /// Length of a graphics unit along x and y, in logical units.
    pub unit: Point,
    /// Length of the side of an image point, in logical units.
    pub image_point: Point,
    /// Attributes at the start of each segment.
    pub defaults: Attributes,
}

impl Descriptor {
    /// Reads a GDD. Without a window the whole plane of 16-bit numbers in 1440ths of an inch would be shown: the first
    /// quadrant is taken, and it is reported.
    pub fn read(gdd: &[u8], area_color: Option<Color>, report: &mut Report<'_>) -> Descriptor {
        let mut defaults = Attributes::default();
        if let Some(color) = area_color {
            defaults.color = color;
        }
        let window = Window { left: 0.0, right: 32_767.0, bottom: 0.0, top: 32_767.0 };
        let mut descriptor = Descriptor { window, unit: [10.0, 10.0], image_point: [10.0, 10.0], defaults };
        let mut seen = false;
        let mut rest = gdd;
        while let [code, length, tail @ ..] = rest {
            let Some((data, next)) = tail.split_at_checked(usize::from(*length)) else {
                report("afp-graphics-cut", format!("graphics data descriptor, instruction X'{code:02X}'"));
                break;
            };
            match *code {
                WINDOW => seen |= descriptor.window_of(data).is_some(),
                DEFAULTS => {
                    if descriptor.defaults_of(data).is_none() {
                        report("afp-graphics-order", "set current defaults of an unknown form".into());
                    }
                }
                SUBSET => {}
                other => report("afp-graphics-order", format!("descriptor instruction X'{other:02X}'")),
            }
            rest = next;
        }
        if !seen {
            report("afp-graphics-order", "no window in the graphics data descriptor".into());
        }
        descriptor
    }

    /// Width and height of the window in logical units.
    pub fn size(&self) -> Point {
        let Window { left, right, bottom, top } = self.window;
        let [unit_x, unit_y] = self.unit;
        [(right - left).abs() * unit_x, (top - bottom).abs() * unit_y]
    }

    fn window_of(&mut self, data: &[u8]) -> Option<()> {
        let base = u8_at(data, 3)?;
        let units = [u16_at(data, 4)?, u16_at(data, 6)?];
        let edges = [i16_at(data, 10)?, i16_at(data, 12)?, i16_at(data, 14)?, i16_at(data, 16)?];
        self.unit = units.map(|units| unit_length(base, units));
        let image = u16_at(data, 8)?;
        self.image_point = if image == 0 { self.unit } else { [unit_length(base, image); 2] };
        let [left, right, bottom, top] = edges.map(f64::from);
        self.window = Window { left, right, bottom, top };
        Some(())
    }

    /// Set Current Defaults: which set, a mask of attributes, a flag, and values in the order of the mask's bits.
    fn defaults_of(&mut self, data: &[u8]) -> Option<()> {
        let (set, mask) = (u8_at(data, 0)?, u16_at(data, 1)?);
        if u8_at(data, 3)? & 0x80 == 0 {
            return Some(()); // back to the standard defaults, where they still are
        }
        let mut values = Values { data: data.get(4..)?, mask };
        let to = &mut self.defaults;
        match set {
            0x00 => drawing_defaults(&mut values, to),
            0x01 => line_defaults(&mut values, to),
            0x02 => character_defaults(&mut values, to),
            0x03 => marker_defaults(&mut values, to),
            0x04 => pattern_defaults(&mut values, to),
            0x0B => {
                for (parameter, bit) in to.arc.iter_mut().zip([0x8000, 0x4000, 0x2000, 0x1000]) {
                    values.number(bit, |value| *parameter = value);
                }
                Some(())
            }
            0x11 => {
                // An absolute width in 1440ths of an inch.
                values.number(0x8000, |width| to.normal_width = (width * 10.0).max(1.0));
                Some(())
            }
            0x10 => {
                to.color = color::color(values.data).or_else(|| color::color(values.data.get(1..)?))?;
                Some(())
            }
            _ => None,
        }
    }
}

struct Values<'d> {
    data: &'d [u8],
    mask: u16,
}

impl Values<'_> {
    fn take<const N: usize>(&mut self, bit: u16) -> Option<[u8; N]> {
        if self.mask & bit == 0 {
            return None;
        }
        let (value, rest) = self.data.split_first_chunk::<N>()?;
        self.data = rest;
        Some(*value)
    }

    fn byte(&mut self, bit: u16, set: impl FnOnce(u8)) {
        if let Some([value]) = self.take(bit) {
            set(value);
        }
    }

    fn number(&mut self, bit: u16, set: impl FnOnce(f64)) {
        if let Some(value) = self.take(bit) {
            set(f64::from(i16::from_be_bytes(value)));
        }
    }

    fn point(&mut self, bit: u16, set: impl FnOnce(Point)) {
        if let Some([a, b, c, d]) = self.take(bit) {
            set([f64::from(i16::from_be_bytes([a, b])), f64::from(i16::from_be_bytes([c, d]))]);
        }
    }
}

fn drawing_defaults(values: &mut Values<'_>, to: &mut Attributes) -> Option<()> {
    if let Some(value) = values.take(0x8000) {
        to.color = color::named(u16::from_be_bytes(value)).unwrap_or(to.color);
    }
    values.byte(0x4000, |mix| to.mix = mix);
    values.byte(0x1000, |mix| to.back_mix = mix);
    Some(())
}

fn line_defaults(values: &mut Values<'_>, to: &mut Attributes) -> Option<()> {
    values.byte(0x8000, |kind| to.line_type = kind);
    values.byte(0x4000, |width| to.line_width = f64::from(width));
    values.byte(0x2000, |end| to.line_end = end);
    values.byte(0x1000, |join| to.line_join = join);
    Some(())
}

fn character_defaults(values: &mut Values<'_>, to: &mut Attributes) -> Option<()> {
    values.point(0x8000, |angle| to.char_angle = angle);
    values.point(0x4000, |cell| to.char_cell = cell);
    values.byte(0x2000, |direction| to.char_direction = direction);
    values.byte(0x1000, |_| {});
    values.byte(0x0800, |set| to.char_set = set);
    values.point(0x0400, |shear| to.char_shear = shear);
    Some(())
}

fn marker_defaults(values: &mut Values<'_>, to: &mut Attributes) -> Option<()> {
    values.point(0x4000, |cell| to.marker_cell = cell);
    values.byte(0x1000, |_| {});
    values.byte(0x0800, |set| to.marker_set = set);
    values.byte(0x0100, |marker| to.marker = marker);
    Some(())
}

fn pattern_defaults(values: &mut Values<'_>, to: &mut Attributes) -> Option<()> {
    values.byte(0x0800, |set| to.pattern_set = set);
    values.byte(0x0100, |pattern| to.pattern = pattern);
    values.point(0x0080, |origin| to.pattern_origin = origin);
    Some(())
}
