//! Line data: records of text with carriage control, EBCDIC or ASCII.
//!
//! In: records as [`crate::frame`] cuts them. Out: a unit for each page, with a strike for each record that prints.
//! The carriage control of the records moves a cursor over a form of so many lines; where it passes the end, a page ends.
//! Every byte of the stream is in one unit, and decoding from [`Unit::start`](super::Unit::start) of any unit
//! gives the same units from there on (`tests.rs` holds both over arbitrary bytes).
//!
//! Public description with sources and differences: `docs/formats/line-data.md`.

mod check;
mod control;
mod decoder;
pub mod detect;
mod draw;
mod fit;
mod layout;
mod text;

#[cfg(test)]
mod tests;

use std::io::Read;

use super::{Context, DecodeError, Decoder, Format, ReadSpec, Sample, Sniff, Start};
pub use control::DEFAULT_LINES;
pub use decoder::LineDecoder;
use draw::Geometry;
use layout::Layout;

/// The line data format.
#[derive(Debug)]
pub struct Line;

impl Format for Line {
    fn name(&self) -> &'static str {
        "line-data"
    }

    fn sniff(&self, sample: &Sample<'_>, hint: &ReadSpec) -> Sniff {
        let mut sniff = detect::sniff(sample, hint);
        fit::complete(&mut sniff.read, hint, sample);
        sniff
    }

    fn open<'a>(
        &self,
        input: Box<dyn Read + Send + 'a>,
        start: Start,
        how: &ReadSpec,
        _context: &Context,
    ) -> Result<Box<dyn Decoder + 'a>, DecodeError> {
        let layout = Layout::new(how)?;
        let geometry = Geometry::new(how, &layout);
        Ok(Box::new(LineDecoder::new(input, start, layout, geometry)))
    }
}
