//! A whole stream: detection, records, structure, and the first pages drawn. Every byte must be in exactly one unit.
#![no_main]

use std::io::Cursor;

use greenbar_fuzz::check;
use greenbar_fuzz::decode::afp::{Afp, Limits};
use greenbar_fuzz::decode::{Context, Format, ReadSpec, Sample, Start, Unit, UnitKind};
use greenbar_fuzz::note::Notes;

const PAGES: usize = 8;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let sample = Sample { head: input, total: Some(input.len() as u64), name: None };
    let sniff = Afp.sniff(&sample, &ReadSpec::default());
    let stream = Box::new(Cursor::new(input));
    let Ok(mut decoder) = Afp.open(stream, Start::default(), &sniff.read, &Context::default()) else { return };
    let (mut unit, mut notes, mut at, mut pages) = (Unit::default(), Notes::default(), 0, 0);
    while let Ok(true) = decoder.next(&mut unit, &mut notes) {
        assert_eq!((unit.span.start, unit.bytes.len() as u64), (at, unit.span.end - unit.span.start));
        assert_eq!(input.get(at as usize..unit.span.end as usize), Some(&unit.bytes[..]));
        at = unit.span.end;
        if unit.kind == UnitKind::Page && pages < PAGES {
            pages += 1;
            check(&decoder.page(&unit, &mut notes).elements, Limits::default().page_elements);
        }
    }
    assert_eq!(at, input.len() as u64, "bytes in no unit");
});
