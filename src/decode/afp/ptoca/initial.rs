//! What holds when a text object begins: units, extents and the initial text conditions of the PTD.

use super::axes::{Axes, quarter_turns};
use super::sequence::{AMB, AMI, Met, Reader, SBI, SCFL, SEC, SIA, SIM, STC, STO, Sequence};
use super::{Report, TextEnvironment};
use crate::decode::afp::color;
use crate::page::{Color, Lu};

/// 6 lines per inch, the default of printers.
const LINES_PER_INCH: f64 = 6.0;

/// The state at the start of a text object. Lengths of conditions are in units of the object, `None` for the default.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Initial {
    /// Units of [`Lu`] in one unit of the object, along x and y.
    pub scale: [f64; 2],
    /// Size of the text's space, in [`Lu`].
    pub extent: [f64; 2],
    pub axes: Axes,
    pub inline: i16,
    pub baseline: i16,
    pub margin: i16,
    /// Signed by its direction.
    pub adjustment: i32,
    pub increment: Option<i16>,
    /// Local id of the font; X'FF' for the default font.
    pub font: u8,
    pub color: Color,
}

impl Initial {
    pub fn read(env: &TextEnvironment<'_>, report: &mut Report<'_>) -> Initial {
        let usual = |units: f64| if units > 0.0 && units.is_finite() { units } else { 1440.0 };
        let mut initial = Initial {
            scale: env.units.map(|units| f64::from(Lu::PER_INCH) / usual(units)),
            extent: env.extent.map(|length| f64::from(length.0)),
            axes: Axes::default(),
            inline: 0,
            baseline: 0,
            margin: 0,
            adjustment: 0,
            increment: None,
            font: 0xFF,
            color: env.color,
        };
        let understood = match env.descriptor {
            [] => Some(()),
            data if is_old(data) => initial.read_old(data),
            data => initial.read_new(data, report),
        };
        if understood.is_none() {
            report("afp-text-descriptor", "shorter than its fixed part; the page's units are used".into());
        }
        initial
    }

    /// Extents of two bytes, no conditions.
    fn read_old(&mut self, data: &[u8]) -> Option<()> {
        let two = |at: usize| Some(u32::from(u16::from_be_bytes(*data.get(at..)?.first_chunk()?)));
        self.measure(data, [two(6)?, two(8)?])
    }

    /// Extents of three bytes, flags of two, conditions.
    fn read_new(&mut self, data: &[u8], report: &mut Report<'_>) -> Option<()> {
        let three = |at: usize| data.get(at..)?.first_chunk().map(|[a, b, c]| u32::from_be_bytes([0, *a, *b, *c]));
        self.measure(data, [three(6)?, three(9)?])?;
        let mut reader = Reader::new(data.get(14..).unwrap_or_default(), true);
        while !reader.is_done() {
            match reader.next() {
                Met::Sequence { sequence, .. } => self.condition(&sequence, report),
                Met::Broken => break,
            }
        }
        Some(())
    }

    fn measure(&mut self, data: &[u8], extent: [u32; 2]) -> Option<()> {
        let [x_base, y_base, x_units @ .., _, _] = *data.first_chunk::<6>()?;
        let y_units = *data.get(4..)?.first_chunk()?;
        let given = [(x_base, x_units), (y_base, y_units)];
        for ((scale, length), ((base, units), extent)) in
            self.scale.iter_mut().zip(&mut self.extent).zip(given.into_iter().zip(extent))
        {
            let units = f64::from(u16::from_be_bytes(units));
            if units > 0.0 {
                // Base 0 is 10 inches, base 1 is 10 centimetres.
                let per_inch = if base == 1 { units * 0.254 } else { units / 10.0 };
                *scale = f64::from(Lu::PER_INCH) / per_inch;
            }
            if extent > 0 {
                *length = f64::from(extent) * *scale;
            }
        }
        Some(())
    }

    fn condition(&mut self, sequence: &Sequence<'_>, report: &mut Report<'_>) {
        match sequence.kind {
            SIM => self.margin = sequence.signed(0).filter(|value| *value != -1).unwrap_or(0),
            SIA => self.adjustment = adjustment(sequence).flatten().unwrap_or(0),
            AMI => self.inline = sequence.signed(0).unwrap_or(0),
            AMB => self.baseline = sequence.signed(0).unwrap_or(0),
            SBI => self.increment = sequence.signed(0).filter(|value| *value > 0),
            SCFL => self.font = sequence.byte(0).unwrap_or(0xFF),
            STC => self.color = sequence.unsigned(0).and_then(color::named).unwrap_or(self.color),
            SEC => self.color = sequence.data.get(1..).and_then(color::color).unwrap_or(self.color),
            STO => self.axes = orientation(sequence, Axes::default()).unwrap_or_default(),
            kind => report("afp-text-condition", format!("X'{kind:02X}' in a descriptor is not an initial condition")),
        }
    }

    /// The distance of lines, in units of the object along this axis.
    pub fn line_increment(&self, scale: f64) -> f64 {
        match self.increment {
            Some(increment) => f64::from(increment),
            None => f64::from(Lu::PER_INCH) / LINES_PER_INCH / scale,
        }
    }
}

/// Whether a descriptor is of format 1, by its length: 10 bytes, or 2 more that are reserved. Without its flags format 2
/// has 12 bytes too, but then the last two are of an extent.
fn is_old(data: &[u8]) -> bool {
    matches!(data, [_, _, _, _, _, _, _, _, _, _] | [_, _, _, _, _, _, _, _, _, _, 0, 0])
}

/// SIA: the amount, negative for direction 1; `Some(None)` for the default, `None` when it is cut.
pub(super) fn adjustment(sequence: &Sequence<'_>) -> Option<Option<i32>> {
    let amount = sequence.signed_or_default(0)?;
    let sign = if sequence.byte(2) == Some(1) { -1 } else { 1 };
    Some(amount.map(|amount| i32::from(amount) * sign))
}

/// STO: the axes, with the default for X'FFFF'; `None` when they are cut, oblique or parallel.
pub(super) fn orientation(sequence: &Sequence<'_>, default: Axes) -> Option<Axes> {
    let axis = |at: usize, default: u8| match sequence.unsigned(at)? {
        0xFFFF => Some(default),
        angle => quarter_turns(angle),
    };
    Axes::new(axis(0, default.inline)?, axis(2, default.baseline)?)
}
