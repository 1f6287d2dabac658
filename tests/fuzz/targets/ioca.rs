//! Images: the area, the image data descriptor, and the joined image picture data; or an IM image's fields.
#![no_main]

use greenbar_fuzz::decode::afp::Limits;
use greenbar_fuzz::decode::afp::object::image::image;
use greenbar_fuzz::decode::afp::object::im::im_image;
use greenbar_fuzz::page::Lu;
use greenbar_fuzz::{area, check, fields, parts};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let [place, descriptor, data] = parts(input);
    let limits = Limits { image_samples: 4 << 20, page_elements: 1000, ..Limits::default() };
    let elements = if descriptor.is_empty() {
        im_image(Lu(0), Lu(0), 0, &fields(data), &limits, &mut |_, _| {})
    } else {
        image(&area(place), descriptor, data, &|_| None, &limits, &mut |_, _| {})
    };
    check(&elements, usize::MAX);
});
