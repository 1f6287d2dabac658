//! Graphics: the area, the graphics data descriptor, and the joined graphics data.
#![no_main]

use std::sync::LazyLock;

use greenbar_fuzz::decode::afp::Limits;
use greenbar_fuzz::decode::afp::object::graphics::{graphics, unreadable};
use greenbar_fuzz::{Fonts, area, check, parts};

static FONTS: LazyLock<Fonts> = LazyLock::new(Fonts::new);

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let [place, descriptor, data] = parts(input);
    let limits = Limits { page_elements: 10_000, ..Limits::default() };
    let elements = graphics(&area(place), descriptor, data, &*FONTS, &limits, &mut |_, _| {});
    check(&elements, usize::MAX);
    assert!(unreadable(data).len() <= 64);
});
