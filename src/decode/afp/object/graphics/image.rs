//! Images in graphics data: a begin order, rows of bits, an end order.

use super::shape::Point;
use crate::decode::afp::bytes::u16_at;

/// An image that is being collected.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Where its top left corner lies, in graphics units.
    pub at: Point,
    /// Points in a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    rows: Vec<u8>,
    stride: usize,
}

impl Pending {
    /// By a begin order's data behind the position: format, resolution, width, height. `None` when it is cut short, of another
    /// format, or too large.
    pub fn new(at: Point, data: &[u8], max_points: usize) -> Option<Pending> {
        let (width, height) = (u16_at(data, 2)?, u16_at(data, 4)?);
        let points = usize::from(width).checked_mul(usize::from(height))?;
        if data.first() != Some(&0) || points == 0 || points > max_points {
            return None;
        }
        Some(Pending { at, width, height, rows: Vec::new(), stride: usize::from(width).div_ceil(8) })
    }

    /// Adds a row; what is missing of it is blank, what is too much is left out.
    pub fn row(&mut self, data: &[u8]) {
        if self.rows.len() >= self.stride * usize::from(self.height) {
            return;
        }
        let end = self.rows.len() + self.stride;
        self.rows.extend(data.iter().take(self.stride));
        self.rows.resize(end, 0);
    }

    /// All rows, missing ones blank.
    pub fn finish(mut self) -> Vec<u8> {
        self.rows.resize(self.stride * usize::from(self.height), 0);
        self.rows
    }
}
