//! Presentation text: a descriptor, and the data of all PTX of an object.
#![no_main]

use std::sync::{Arc, LazyLock};

use greenbar_fuzz::decode::afp::ptoca::{Carried, SetsText, TextEnvironment, draw, number_lines};
use greenbar_fuzz::page::{Color, Lu};
use greenbar_fuzz::{Fonts, check, parts};

const ELEMENTS: usize = 20_000;

static FONTS: LazyLock<Fonts> = LazyLock::new(Fonts::new);

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let [descriptor, data] = parts(input);
    let font: Arc<dyn SetsText> = FONTS.first();
    let env = TextEnvironment {
        descriptor,
        units: [1440.0; 2],
        origin: [Lu(0); 2],
        turns: 0,
        extent: [Lu(122_400), Lu(158_400)],
        fonts: &*FONTS,
        default_font: &font,
        color: Color::BLACK,
        suppressed: &[1],
        elements: ELEMENTS,
    };
    let (mut carried, mut elements) = (Carried::default(), Vec::new());
    draw(data, &env, &mut carried, &mut elements, &mut |_, _| {});
    number_lines(&mut elements);
    check(&elements, ELEMENTS);
});
