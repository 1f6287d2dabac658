//! Bar codes: the area, the bar code data descriptor, and one or two blocks of bar code data.
#![no_main]

use std::sync::LazyLock;

use greenbar_fuzz::decode::afp::Limits;
use greenbar_fuzz::decode::afp::object::barcode::bar_code;
use greenbar_fuzz::{Fonts, area, check, parts};

static FONTS: LazyLock<Fonts> = LazyLock::new(Fonts::new);

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let [place, descriptor, first, second] = parts(input);
    let limits = Limits { page_elements: 10_000, ..Limits::default() };
    let blocks = if second.is_empty() { vec![first] } else { vec![first, second] };
    let elements = bar_code(&area(place), descriptor, &blocks, &*FONTS, &limits, &mut |_, _| {});
    check(&elements, usize::MAX);
});
