use super::*;
use crate::page::PlacedImage;
use crate::page::pixels::pixels;

const WIDTH: u32 = 37;
const HEIGHT: u32 = 21;

macro_rules! fixture {
    ($name:literal) => {
        ($name, &include_bytes!(concat!("../../../../../fixtures/pictures/", $name))[..])
    };
}

fn area() -> ObjectArea {
    ObjectArea { mapping: Some(0x10), ..ObjectArea::AT_ORIGIN }
}

fn drawn(data: &[u8], page: u32) -> (Vec<PlacedImage>, Vec<String>) {
    let mut notes = Vec::new();
    let object = Container { oid: &[], data, page, resolution: None, size: None, pictures: true };
    let mut report = |code: &'static str, detail: String| notes.push(format!("{code}: {detail}"));
    let elements = container(&area(), &object, &Limits::default(), &mut report);
    let images = elements.into_iter().map(|element| match element {
        Element::Image(image) => image,
        other => panic!("{other:?}"),
    });
    (images.collect(), notes)
}

fn color(x: u32, y: u32) -> [u8; 3] {
    [x * 7, y * 12, (x + y) * 5].map(|part| (part % 256) as u8)
}

fn gray(x: u32, y: u32) -> [u8; 3] {
    let [red, green, blue] = color(x, y).map(u32::from);
    [((red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16) as u8; 3]
}

/// Black, or nothing where it is white.
fn bits(x: u32, y: u32) -> [u8; 4] {
    if (x * x / 5 + y * y / 3) % 7 < 4 { [0; 4] } else { [0, 0, 0, 255] }
}

/// How much pictures differ from what they should be: the mean of all channels.
fn difference(name: &str, data: &[u8], page: u32, truth: impl Fn(u32, u32) -> [u8; 4]) -> f64 {
    let (images, notes) = drawn(data, page);
    assert!(notes.is_empty(), "{name}: {notes:?}");
    let [placed] = images.as_slice() else { panic!("{name}: {} images", images.len()) };
    let pixels = pixels(&placed.image, 1 << 20).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!((pixels.width, pixels.height, pixels.damaged), (WIDTH, HEIGHT, false), "{name}");
    let mut sum = 0.0;
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            for (is, should) in pixels.rgba(x, y).iter().zip(truth(x, y)) {
                sum += (f64::from(*is) - f64::from(should)).abs();
            }
        }
    }
    sum / f64::from(WIDTH * HEIGHT * 4)
}

fn opaque([red, green, blue]: [u8; 3]) -> [u8; 4] {
    [red, green, blue, 255]
}

#[test]
fn colours_come_out_exactly_from_all_lossless_files() {
    for (name, data) in [
        fixture!("rgb.png"),
        fixture!("rgb.bmp"),
        fixture!("rgb-raw.tif"),
        fixture!("rgb-lzw.tif"),
        fixture!("rgb-lzw-predictor.tif"),
        fixture!("rgb-packbits.tif"),
        fixture!("rgb-deflate.tif"),
        fixture!("pages.tif"),
        fixture!("cmyk-lzw.tif"),
    ] {
        assert!(difference(name, data, 0, |x, y| opaque(color(x, y))) < 0.01, "{name}");
    }
}

#[test]
fn greys_come_out_exactly() {
    for (name, data) in [fixture!("gray.png"), fixture!("gray.bmp"), fixture!("gray-lzw.tif")] {
        assert!(difference(name, data, 0, |x, y| opaque(gray(x, y))) < 0.01, "{name}");
    }
    let (name, data) = fixture!("pages.tif");
    assert!(difference(name, data, 1, |x, y| opaque(gray(x, y))) < 0.01);
}

#[test]
fn bilevel_files_are_black_ink_on_nothing() {
    for (name, data) in [
        fixture!("bits-raw.tif"),
        fixture!("bits-g3.tif"),
        fixture!("bits-g4.tif"),
        fixture!("bits-mh.tif"),
        fixture!("bits-lzw.tif"),
        fixture!("bits-packbits.tif"),
        fixture!("bits-deflate.tif"),
        fixture!("bits.bmp"),
    ] {
        assert!(difference(name, data, 0, bits) < 0.01, "{name}");
    }
    let (name, data) = fixture!("pages.tif");
    assert!(difference(name, data, 2, bits) < 0.01);
}

/// A grey TIFF of 8 bits, uncompressed, in one strip.
fn gray_tiff(width: u8, height: u8, orientation: u8, data: &[u8]) -> Vec<u8> {
    let short = |tag: u16, value: u8| [&tag.to_le_bytes()[..], &[3, 0, 1, 0, 0, 0, value, 0, 0, 0]].concat();
    let directory = [
        short(256, width),
        short(257, height),
        short(258, 8),
        short(259, 1),
        short(262, 1),
        short(273, 8),
        short(274, orientation),
        short(277, 1),
        short(278, height),
        short(279, width * height),
    ];
    let place = 8 + (data.len() as u32).next_multiple_of(2);
    let mut tiff = [&b"II*\0"[..], &place.to_le_bytes(), data].concat();
    tiff.resize(place as usize, 0);
    tiff.extend((directory.len() as u16).to_le_bytes());
    tiff.extend(directory.concat());
    tiff.extend([0; 4]);
    tiff
}

#[test]
fn tiff_files_of_every_orientation_are_put_upright() {
    // Three samples across and two down, as they are to be seen.
    let upright = [[10_u8, 20, 30], [40, 50, 60]];
    for orientation in 1..=8 {
        let swapped = orientation >= 5;
        let (width, height) = if swapped { (2, 3) } else { (3, 2) };
        let mut data = Vec::new();
        for row in 0..usize::from(height) {
            for column in 0..usize::from(width) {
                // TIFF 6.0, "Orientation": which side of the picture row 0 and column 0 are.
                let [x, y] = match orientation {
                    1 => [column, row],
                    2 => [2 - column, row],
                    3 => [2 - column, 1 - row],
                    4 => [column, 1 - row],
                    5 => [row, column],
                    6 => [2 - row, column],
                    7 => [2 - row, 1 - column],
                    _ => [row, 1 - column],
                };
                data.push(upright[y][x]);
            }
        }
        let (images, notes) = drawn(&gray_tiff(width, height, orientation, &data), 0);
        assert!(notes.is_empty(), "{orientation}: {notes:?}");
        let pixels = pixels(&images[0].image, 1 << 20).unwrap();
        assert_eq!((pixels.width, pixels.height), (3, 2), "{orientation}");
        let seen = [0, 1].map(|y| [0, 1, 2].map(|x| pixels.rgba(x, y)[0]));
        assert_eq!(seen, upright, "{orientation}");
    }
}

#[test]
fn a_bilevel_png_is_opaque() {
    let (name, data) = fixture!("bits.png");
    let white = |x, y| if bits(x, y) == [0; 4] { [255; 4] } else { [0, 0, 0, 255] };
    assert!(difference(name, data, 0, white) < 0.01);
}

#[test]
fn lossy_files_and_palettes_are_close() {
    for (name, data) in [
        fixture!("rgb.jpg"),
        fixture!("progressive.jpg"),
        fixture!("cmyk.jpg"),
        fixture!("rgb-jpeg.tif"),
        fixture!("palette.gif"),
        fixture!("palette.bmp"),
        fixture!("palette-lzw.tif"),
    ] {
        let difference = difference(name, data, 0, |x, y| opaque(color(x, y)));
        assert!(difference < 20.0, "{name}: {difference}");
    }
    let (name, data) = fixture!("gray.jpg");
    assert!(difference(name, data, 0, |x, y| opaque(gray(x, y))) < 3.0);
}

#[test]
fn files_that_a_page_can_hold_are_kept() {
    let kept = |data: &[u8]| drawn(data, 0).0.remove(0).image.samples().clone();
    let (_, jpeg) = fixture!("rgb.jpg");
    assert_eq!(kept(jpeg), Samples::Jpeg(jpeg.to_vec()));
    assert!(matches!(kept(fixture!("bits-g4.tif").1), Samples::Ccitt { k: -1, .. }));
    assert!(matches!(kept(fixture!("rgb-jpeg.tif").1), Samples::Jpeg(_)));
}

#[test]
fn transparent_parts_do_not_show() {
    let (_, data) = fixture!("alpha.png");
    let (images, notes) = drawn(data, 0);
    assert!(notes.is_empty());
    let [placed] = images.as_slice() else { panic!("{images:?}") };
    let [left, top, width, height] = placed.clip.unwrap();
    assert_eq!((left, top, width, height), (Lu(240), Lu(0), Lu(720), Lu(1008)));
    let (_, gif) = fixture!("interlaced.gif");
    let (images, _) = drawn(gif, 0);
    assert!(images.iter().all(|placed| placed.clip.is_some()));
    let pixels = pixels(&images[0].image, 1 << 20).unwrap();
    let far = |x: u32, y: u32| pixels.rgba(x, y)[1].abs_diff(color(x, y)[1]);
    assert!((3..HEIGHT).all(|y| far(30, y) < 40));
}

#[test]
fn the_natural_size_is_that_of_the_resolution() {
    let width = |data: &[u8]| drawn(data, 0).0[0].width.0;
    assert_eq!(width(fixture!("bits-g4.tif").1), 37 * 48);
    assert_eq!(width(fixture!("rgb.jpg").1), 37 * 144);
    assert!((width(fixture!("rgb.png").1) - 37 * 72).abs() <= 1);
    assert_eq!(width(fixture!("palette.gif").1), 37 * 48);
}

#[test]
fn stated_sizes_and_resolutions_win() {
    let (_, data) = fixture!("rgb.jpg");
    let mut report = |_: &'static str, _: String| {};
    let mut object = Container { oid: &[], data, page: 0, resolution: Some([50.0, 100.0]), size: None, pictures: true };
    let first =
        |object: &Container<'_>, report: &mut Report<'_>| match container(&area(), object, &Limits::default(), report)
            .remove(0)
        {
            Element::Image(image) => (image.width, image.height),
            other => panic!("{other:?}"),
        };
    assert_eq!(first(&object, &mut report), (Lu(37 * 288), Lu(21 * 144)));
    object.size = Some([Lu(1000), Lu(2000)]);
    assert_eq!(first(&object, &mut report), (Lu(1000), Lu(2000)));
}

#[test]
fn a_page_of_a_pdf_becomes_a_picture() {
    let (_, data) = fixture!("page.pdf");
    let (images, notes) = drawn(data, 0);
    assert!(notes.is_empty(), "{notes:?}");
    // 37 x 21 points at 200 pixels in one inch.
    let placed = &images[0];
    assert!((placed.width.0 - 7400).abs() < 100 && (placed.height.0 - 4200).abs() < 100, "{placed:?}");
    assert!(placed.image.width().abs_diff(103) <= 1);
    let pixels = pixels(&placed.image, 1 << 20).unwrap();
    let [red, green, blue, _] = pixels.rgba(50, 29);
    let [r, g, b] = color(18, 10);
    assert!(red.abs_diff(r) < 30 && green.abs_diff(g) < 30 && blue.abs_diff(b) < 30, "{red} {green} {blue}");
    assert_eq!(drawn(data, 1).1.len(), 1);
}

/// A page of 200 by 100 points with these operators, in Helvetica.
fn pdf_saying(operators: &str) -> Vec<u8> {
    let stream = format!("4 0 obj <</Length {}>>stream\n{operators}\nendstream endobj\n", operators.len());
    let objects = [
        "1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n",
        "2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj\n",
        "3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>> endobj\n",
        &stream,
        "5 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>> endobj\n",
    ];
    let mut pdf = String::from("%PDF-1.4\n");
    let mut places = String::from("xref\n0 6\n0000000000 65535 f \n");
    for object in objects {
        places.push_str(&format!("{:010} 00000 n \n", pdf.len()));
        pdf.push_str(object);
    }
    format!("{pdf}{places}trailer <</Size 6/Root 1 0 R>>\nstartxref\n{}\n%%EOF\n", pdf.len()).into_bytes()
}

#[test]
fn the_text_of_a_pdf_page_lies_under_its_picture() {
    let saying = "BT /F 10 Tf 20 50 Td (Total due) Tj 100 0 Td (12.50) Tj ET BT /F 8 Tf 0 1 -1 0 30 10 Tm (up) Tj ET";
    let data = pdf_saying(saying);
    let mut object = Container { oid: &[], data: &data, page: 0, resolution: None, size: None, pictures: true };
    // An area of 400 by 200 points, turned by a quarter about its corner.
    let [width, height] = [Some(Lu(80_000)), Some(Lu(40_000))];
    let area = ObjectArea { x: Lu(100_000), y: Lu(2_000), turns: 1, width, height, ..ObjectArea::AT_ORIGIN };
    let drawn = |object: &Container<'_>| container(&area, object, &Limits::default(), &mut |_, note| panic!("{note}"));
    let elements = drawn(&object);
    assert!(matches!(elements.last(), Some(Element::Image(_))));
    let runs: Vec<_> = elements
        .iter()
        .filter_map(|element| match element {
            Element::Text(run) => Some((run.text.as_str(), run.turns, run.x.0, run.y.0, run.size.0)),
            _ => None,
        })
        .collect();
    let near = |is: i32, should: i32| is.abs_diff(should) < 400;
    for (is, (text, turns, x, y, size)) in runs.iter().zip([
        ("Total due", 1, 80_000, 10_000, 4_000),
        ("12.50", 1, 80_000, 50_000, 4_000),
        ("up", 0, 64_000, 14_000, 3_200),
    ]) {
        assert!((is.0, is.1) == (text, turns) && near(is.2, x) && near(is.3, y) && near(is.4, size), "{is:?} {text}");
    }
    assert_eq!(runs.len(), 3, "{runs:?}");
    object.pictures = false;
    assert!(drawn(&object).iter().all(|element| matches!(element, Element::Text(_))));
    assert_eq!(drawn(&object).len(), 3);
}

#[test]
fn what_is_not_shown_is_named() {
    let mut notes = Vec::new();
    let mut report = |code: &'static str, detail: String| notes.push(format!("{code}: {detail}"));
    let oid = [0x06, 0x07, 0x2B, 0x12, 0x00, 0x04, 0x01, 0x01, 0x0D, 0, 0, 0, 0, 0, 0, 0];
    let object = Container {
        oid: &oid,
        data: b"%!PS-Adobe-3.0 EPSF-3.0",
        page: 0,
        resolution: None,
        size: None,
        pictures: true,
    };
    assert!(container(&area(), &object, &Limits::default(), &mut report).is_empty());
    assert!(container(&area(), &Container { oid: &[], ..object }, &Limits::default(), &mut report).is_empty());
    assert_eq!(
        notes,
        [
            "afp-container-not-shown: an object of type X'0D' (EPS) is not shown",
            "afp-container-not-shown: an object of type that is not registered is not shown"
        ]
    );
}

#[test]
fn damaged_files_neither_panic_nor_take_long() {
    let files = [
        fixture!("rgb.png"),
        fixture!("alpha.png"),
        fixture!("bits-g3.tif"),
        fixture!("bits-lzw.tif"),
        fixture!("pages.tif"),
        fixture!("rgb-jpeg.tif"),
        fixture!("cmyk-lzw.tif"),
        fixture!("palette-lzw.tif"),
        fixture!("rgb-deflate.tif"),
        fixture!("interlaced.gif"),
        fixture!("palette.bmp"),
        fixture!("bits.bmp"),
        fixture!("cmyk.jpg"),
        fixture!("progressive.jpg"),
    ];
    let limits = Limits { image_samples: 1 << 18, ..Limits::default() };
    let mut random = crate::decode::afp::object::image::tests::Random(7);
    for (_, data) in files {
        for round in 0..150 {
            let mut data = data.to_vec();
            for _ in 0..=round % 4 {
                let at = random.below(data.len());
                data[at] = [0, 0xFF, 0x7F, random.byte()][random.below(4)];
            }
            if round % 5 == 0 {
                data.truncate(random.below(data.len()));
            }
            let object = Container { oid: &[], data: &data, page: 0, resolution: None, size: None, pictures: true };
            for element in container(&area(), &object, &limits, &mut |_, _| {}) {
                if let Element::Image(placed) = element {
                    let _ = pixels(&placed.image, limits.image_samples);
                }
            }
        }
    }
}
