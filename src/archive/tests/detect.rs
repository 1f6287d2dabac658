//! How often a load looks at its stream to find out how it is read.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering as Order};

use super::*;
use crate::decode::line::Line;
use crate::decode::{Context, DecodeError, Decoder, Format, ReadSpec, Sample, Sniff, Start};

/// Line data that counts its detections.
struct Counted;

static SNIFFS: AtomicUsize = AtomicUsize::new(0);
static COUNTED: &[&dyn Format] = &[&Counted];

impl Format for Counted {
    fn name(&self) -> &'static str {
        Line.name()
    }
    fn sniff(&self, sample: &Sample<'_>, hint: &ReadSpec) -> Sniff {
        SNIFFS.fetch_add(1, Order::Relaxed);
        Line.sniff(sample, hint)
    }
    fn open<'a>(
        &self,
        input: Box<dyn Read + Send + 'a>,
        start: Start,
        how: &ReadSpec,
        context: &Context,
    ) -> Result<Box<dyn Decoder + 'a>, DecodeError> {
        Line.open(input, start, how, context)
    }
}

#[test]
fn a_stream_is_detected_once_for_all_definitions_that_fix_nothing() {
    let mut archive = in_memory();
    archive.formats = COUNTED;
    for number in 0..20 {
        let text = format!(
            "name = \"other-{number}\"\ntitle = \"Other\"\n[recognise]\nsignature = [{{ text = \"OTHER {number}\" }}]\n"
        );
        archive.add_definition(&Definition::parse(&text, "other.toml").expect("sound")).expect("added");
    }
    let outcome = try_load(&archive, &statements(3), None).expect("loads");
    assert_eq!((outcome.row.definition.as_str(), outcome.row.documents), (NAME, 3));
    assert_eq!(SNIFFS.load(Order::Relaxed), 1);
}
