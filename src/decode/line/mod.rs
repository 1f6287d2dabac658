//! Line data: records of text with carriage control, EBCDIC or ASCII.

pub mod detect;

use std::io::Read;

use super::{DecodeError, Decoder, Format, ReadSpec, Sample, Sniff, Start};

/// The line data format.
#[derive(Debug)]
pub struct Line;

impl Format for Line {
    fn name(&self) -> &'static str {
        "line-data"
    }

    fn sniff(&self, sample: &Sample<'_>, hint: &ReadSpec) -> Sniff {
        detect::sniff(sample, hint)
    }

    fn open<'a>(
        &self,
        _input: Box<dyn Read + Send + 'a>,
        _start: Start,
        _how: &ReadSpec,
    ) -> Result<Box<dyn Decoder + 'a>, DecodeError> {
        Err(DecodeError::Unrecognised { guess: "line-data".into(), confidence: 0.0 })
    }
}
