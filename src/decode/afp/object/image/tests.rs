use super::fax::tests as writer;
use super::*;
use crate::page::pixels::{Pixels, pixels};
use crate::page::{Image, Samples};

/// Numbers that are the same in every run (xorshift).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }

    pub fn byte(&mut self) -> u8 {
        self.next() as u8
    }
}

const AREA: ObjectArea = ObjectArea { mapping: Some(0x10), ..ObjectArea::AT_ORIGIN };

/// 600 points in one inch: a point is 24 logical units.
fn idd(width: u16, height: u16) -> Vec<u8> {
    let [w, ww] = width.to_be_bytes();
    let [h, hh] = height.to_be_bytes();
    vec![0, 0x17, 0x70, 0x17, 0x70, w, ww, h, hh, 0xF7, 2, 1, 0x0B]
}

fn long(code: u8, data: &[u8]) -> Vec<u8> {
    let [high, low] = (data.len() as u16).to_be_bytes();
    [&[0xFE, code, high, low], data].concat()
}

fn size(width: u16, height: u16) -> Vec<u8> {
    let [w, ww] = width.to_be_bytes();
    let [h, hh] = height.to_be_bytes();
    vec![0x94, 9, 0, 0x17, 0x70, 0x17, 0x70, w, ww, h, hh]
}

/// A segment of one content: what stands in it.
fn content(parts: &[&[u8]]) -> Vec<u8> {
    [&[0x70, 0, 0x91, 1, 0xFF][..], &parts.concat(), &[0x93, 0, 0x71, 0]].concat()
}

fn drawn(area: &ObjectArea, idd: &[u8], ipd: &[u8]) -> (Vec<PlacedImage>, Vec<&'static str>) {
    let mut notes = Vec::new();
    let elements = image(area, idd, ipd, &|_| None, &Limits::default(), &mut |code, _| notes.push(code));
    let images = elements.into_iter().filter_map(|element| match element {
        Element::Image(image) => Some(image),
        // The crossed box of what cannot be shown.
        Element::Path(_) => None,
        other => panic!("{other:?}"),
    });
    (images.collect(), notes)
}

fn decoded(image: &Image) -> Pixels<'_> {
    pixels(image, 1 << 24).unwrap()
}

#[test]
fn bilevel_codings_are_kept_or_decoded_to_the_same_picture() {
    let rows = writer::picture(77, 30);
    let mut lines = writer::Writer::default();
    for row in &rows {
        lines.row_1d(row).align();
    }
    let packed = writer::packed(&rows);
    let pack_bits: Vec<u8> = packed.chunks(10).flat_map(|row| [&[9][..], row].concat()).collect();
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&packed).unwrap();
    for (compression, data) in [
        (0x01, writer::ibm_mmr(&rows, false)),
        (0x03, packed),
        (0x09, lines.bytes()),
        (0x0C, pack_bits),
        (0x0D, lzw),
        (0x82, writer::group_4(&rows)),
    ] {
        for reversed in [0, 1] {
            let data: Vec<u8> =
                data.iter().map(|byte| if reversed == 1 { byte.reverse_bits() } else { *byte }).collect();
            let encoding = [0x95, 3, compression, 1, reversed];
            let (images, notes) = drawn(&AREA, &idd(77, 30), &content(&[&size(77, 30), &encoding, &long(0x92, &data)]));
            assert!(notes.is_empty(), "{compression:02X} {notes:?}");
            assert_eq!((images[0].width, images[0].height), (Lu(77 * 24), Lu(30 * 24)));
            let pixels = decoded(&images[0].image);
            for (y, row) in rows.iter().enumerate() {
                for (x, black) in row.iter().enumerate() {
                    let alpha = pixels.rgba(x as u32, y as u32)[3];
                    assert_eq!(alpha == 255, *black, "{compression:02X} at {x}, {y}");
                }
            }
            assert_eq!(matches!(images[0].image.samples(), Samples::Ccitt { .. }), !matches!(compression, 3 | 12 | 13));
        }
    }
}

/// A JBIG2 page of one generic region, which is coded in MMR.
fn jbig2(rows: &[Vec<bool>]) -> Vec<u8> {
    let (width, height) = ((rows[0].len() as u32).to_be_bytes(), (rows.len() as u32).to_be_bytes());
    let header = |number: u8, kind: u8, length: usize| {
        [&[0, 0, 0, number, kind, 0, 1][..], &(length as u32).to_be_bytes()].concat()
    };
    let page = [&width[..], &height, &[0; 8], &[0, 0, 0]].concat();
    let region = [&width[..], &height, &[0; 8], &[0, 1], &writer::group_4(rows)].concat();
    [header(0, 48, page.len()), page, header(1, 38, region.len()), region, header(2, 49, 0)].concat()
}

#[test]
fn jbig2_is_kept_as_the_segments_of_its_page() {
    let rows = writer::picture(77, 30);
    let segments = jbig2(&rows);
    let file = [&[0x97, b'J', b'B', b'2', 13, 10, 26, 10, 1, 0, 0, 0, 1][..], &segments].concat();
    for data in [&segments, &file] {
        let ipd = content(&[&size(77, 30), &[0x95, 2, 0x84, 1], &long(0x92, data)]);
        let (images, notes) = drawn(&AREA, &idd(77, 30), &ipd);
        assert!(notes.is_empty(), "{notes:?}");
        let Samples::Jbig2 { data, .. } = images[0].image.samples() else { panic!() };
        assert_eq!(data, &segments);
        let pixels = decoded(&images[0].image);
        assert!(rows.iter().enumerate().all(|(y, row)| {
            row.iter().enumerate().all(|(x, black)| (pixels.rgba(x as u32, y as u32)[3] == 255) == *black)
        }));
    }
}

#[test]
fn a_padded_group_4_image_shows_its_own_width_only() {
    let mut rows = writer::picture(77, 30);
    rows.iter_mut().for_each(|row| row.resize(80, true));
    let data = long(0x92, &writer::group_4(&rows));
    let (images, _) = drawn(&AREA, &idd(77, 30), &content(&[&size(77, 30), &[0x95, 2, 0x82, 1], &data]));
    assert_eq!((images[0].image.width(), images[0].width), (80, Lu(80 * 24)));
    assert_eq!(images[0].clip, Some([Lu(0), Lu(0), Lu(77 * 24), Lu(30 * 24)]));
}

#[test]
fn the_descriptor_colours_bilevel_images_and_the_area_does_without_it() {
    let ipd = content(&[&size(8, 1), &long(0x92, &[0x80])]);
    let ink = |area: &ObjectArea, idd: &[u8]| decoded(&drawn(area, idd, &ipd).0[0].image).rgba(0, 0);
    let red = [&idd(8, 1)[..], &[0xF6, 4, 0, 0, 0, 2]].concat();
    let blue = ObjectArea { color: Some(Color { r: 0, g: 0, b: 255 }), ..AREA };
    assert_eq!(ink(&AREA, &idd(8, 1)), [0, 0, 0, 255]);
    assert_eq!(ink(&blue, &red), [255, 0, 0, 255]);
    assert_eq!(ink(&blue, &idd(8, 1)), [0, 0, 255, 255]);
}

#[test]
fn several_contents_lie_over_each_other() {
    let one = |data: &[u8]| [&[0x91, 1, 0xFF][..], &size(8, 1), &long(0x92, data), &[0x93, 0]].concat();
    let ipd = [&[0x70, 0][..], &one(&[0x80]), &one(&[0x40]), &[0x71, 0]].concat();
    assert_eq!(drawn(&AREA, &idd(8, 1), &ipd).0.len(), 2);
}

#[test]
fn banded_cmyk_in_group_4_and_a_band_without_data() {
    let black: Vec<Vec<bool>> = vec![vec![true; 8]; 2];
    let band = |number: u8, data: &[u8]| long(0x9C, &[&[number, 0, 0], data].concat());
    let ipd = content(&[
        &size(8, 2),
        &[0x95, 2, 0x82, 1, 0x96, 1, 4, 0x98, 5, 4, 1, 1, 1, 1, 0x9B, 9, 0, 4, 0, 0, 0, 1, 1, 1, 1],
        &band(1, &[]),
        &band(2, &writer::group_4(&black)),
        &band(3, &writer::group_4(&black)),
        &band(4, &[]),
    ]);
    let (images, notes) = drawn(&AREA, &idd(8, 2), &ipd);
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!(decoded(&images[0].image).rgba(7, 1), [255, 0, 0, 255]);
}

/// Four tiles of grey: 3 and 5 points wide, 2 and 4 high.
fn tiled() -> Vec<u8> {
    let tile = |x: u8, y: u8, width: u8, height: u8| {
        let samples = vec![x * 10 + y; usize::from(width) * usize::from(height)];
        [
            &[0x8C, 0, 0xB5, 8, 0, 0, 0, x, 0, 0, 0, y, 0xB6, 8, 0, 0, 0, width, 0, 0, 0, height][..],
            &long(0x92, &samples),
            &[0x8D, 0],
        ]
        .concat()
    };
    content(&[
        &long(0xBB, &[0, 0]),
        &[0x96, 1, 8],
        &tile(0, 0, 3, 2),
        &tile(3, 0, 5, 2),
        &tile(0, 2, 3, 4),
        &tile(3, 2, 5, 4),
    ])
}

#[test]
fn tiles_adjoin_exactly_at_any_scale_and_rotation() {
    for turns in 0..4 {
        let area = ObjectArea { turns, width: Some(Lu(10_007)), height: Some(Lu(7_001)), mapping: Some(0x60), ..AREA };
        let (images, notes) = drawn(&area, &idd(8, 6), &tiled());
        assert!(notes.is_empty());
        let boxes: Vec<[Lu; 4]> = images
            .iter()
            .map(|image| {
                let boxed = PlacedBox { x: image.x, y: image.y, width: image.width, height: image.height };
                boxed.on_page(image.turns)
            })
            .collect();
        let area: i64 = boxes.iter().map(|[_, _, width, height]| i64::from(width.0) * i64::from(height.0)).sum();
        assert_eq!(area, 10_007 * 7_001, "{turns}: no gap and no overlap");
        for (at, one) in boxes.iter().enumerate() {
            assert!(boxes[at + 1..].iter().all(|two| common(*one, *two).is_none()));
        }
    }
}

#[test]
fn tiles_of_half_the_resolution_solid_tiles_and_included_ones() {
    let ipd = content(&[
        &long(0xBB, &[0, 0]),
        &[0x8C, 0, 0xB5, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0xB6, 9, 0, 0, 0, 4, 0, 0, 0, 1, 2, 0x96, 1, 8],
        &long(0x92, &[1, 2, 3, 4]),
        &[0x8D, 0],
        &[0x8C, 0, 0xB5, 8, 0, 0, 0, 8, 0, 0, 0, 0, 0xB6, 8, 0, 0, 0, 2, 0, 0, 0, 2, 0x95, 2, 0x20, 1],
        &[0xB7, 12, 0x40, 0, 0, 0, 16, 0, 0, 0, 0, 2, 0, 0, 0x8D, 0],
        &[0x8C, 0, 0xB5, 8, 0, 0, 0, 10, 0, 0, 0, 0],
        &long(0xB8, &[0, 0, 0, 7]),
        &[0x8D, 0],
        &[0x8C, 0],
        &long(0xB8, &[0, 0, 0, 8]),
        &[0x8D, 0],
    ]);
    let resource: Arc<[u8]> = [
        &[0x8C, 0, 0xB5, 8, 0, 0, 9, 0, 0, 0, 9, 0, 0xB6, 8, 0, 0, 0, 8, 0, 0, 0, 1][..],
        &long(0x92, &[0xA5]),
        &[0x8D, 0],
    ]
    .concat()
    .into();
    let tiles = |id: u32| (id == 7).then(|| resource.clone());
    let mut notes = Vec::new();
    let elements = image(&AREA, &idd(20, 2), &ipd, &tiles, &Limits::default(), &mut |code, _| notes.push(code));
    let places: Vec<(i32, i32, i32)> = elements
        .iter()
        .map(|element| match element {
            Element::Image(image) => (image.x.0 / 24, image.width.0 / 24, image.height.0 / 24),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(places, [(0, 8, 2), (8, 2, 2), (10, 8, 1)]);
    let Element::Image(solid) = &elements[1] else { panic!() };
    assert_eq!(decoded(&solid.image).rgba(0, 0), [255, 0, 0, 255]);
    assert_eq!(notes, ["afp-image-tile-missing", "afp-image-damaged"]);
}

#[test]
fn masks_cut_bilevel_images_and_frame_grey_ones() {
    let mask = |data: &[u8]| [&[0x8E, 0][..], &size(8, 2), &long(0x92, data), &[0x8F, 0]].concat();
    let bits = content(&[&size(8, 2), &mask(&[0xF0, 0x0F]), &long(0x92, &[0xFF, 0xAA])]);
    let (images, _) = drawn(&AREA, &idd(8, 2), &bits);
    let Samples::Bits { data, .. } = images[0].image.samples() else { panic!() };
    assert_eq!(data, &[0xF0, 0x0A]);
    let grey = content(&[&size(8, 2), &[0x96, 1, 8], &mask(&[0x3C, 0x3C]), &long(0x92, &[9; 16])]);
    let (images, _) = drawn(&AREA, &idd(8, 2), &grey);
    assert_eq!(images[0].clip, Some([Lu(48), Lu(0), Lu(96), Lu(48)]));
    let nothing = content(&[&size(8, 2), &[0x96, 1, 8], &mask(&[0, 0]), &long(0x92, &[9; 16])]);
    assert!(drawn(&AREA, &idd(8, 2), &nothing).0.is_empty());
}

#[test]
fn a_small_pattern_over_a_page_is_few_pictures() {
    let ipd = content(&[&size(8, 8), &long(0x92, &[0xAA; 8])]);
    let area = ObjectArea { width: Some(Lu(122_400)), height: Some(Lu(158_400)), mapping: Some(0x50), ..AREA };
    let (images, notes) = drawn(&area, &idd(8, 8), &ipd);
    assert!(notes.is_empty());
    assert_eq!((images.len(), images[0].image.width(), images[0].width), (35, 1024, Lu(1024 * 24)));
}

#[test]
fn unsupported_damaged_and_missing_data_are_reported() {
    let with = |parts: &[&[u8]]| drawn(&AREA, &idd(8, 8), &content(parts)).1;
    assert_eq!(with(&[&size(8, 8), &[0x95, 2, 0x08, 1], &long(0x92, &[1, 2])]), ["afp-image-compression"]);
    assert_eq!(with(&[&size(8, 8), &[0x95, 2, 0x83, 1, 0x96, 1, 8], &long(0x92, &[1, 2])]), ["afp-image-damaged"]);
    assert_eq!(with(&[&size(8, 8), &long(0x92, &[1, 2])]), ["afp-image-cut"]);
    assert_eq!(with(&[&size(8, 8)]), ["afp-image-empty"]);
    let model = [0x96, 1, 8, 0x9B, 6, 0, 0x77, 0, 0, 0, 8];
    assert_eq!(with(&[&size(8, 8), &model, &long(0x92, &[0; 64])]), ["afp-image-model"]);
    let large = [0x96, 1, 32, 0x9B, 9, 0, 4, 0, 0, 0, 8, 8, 8, 8];
    assert_eq!(with(&[&size(0x7FFF, 0x7FFF), &large, &long(0x92, &[0; 64])]), ["afp-image-too-large"]);
    assert_eq!(drawn(&AREA, &[], &[0x91, 1, 0xFF, 0xFE, 0x92, 0xFF, 0xFF, 0]).1[0], "afp-image-cut");
}

/// Each compression, and data of a picture of 80 by 30 in it.
fn coded() -> Vec<(u8, Vec<u8>)> {
    let rows = writer::picture(80, 30);
    let (mut lines, mut bytes) = (writer::Writer::default(), writer::Writer::default());
    for row in &rows {
        lines.row_1d(row);
        bytes.row_1d(row).align();
    }
    let packed = writer::packed(&rows);
    let runs: Vec<u8> = (0..30).flat_map(|line| [0, line, 0, 5, 0x9E, 0x9E, 0xFE, 0xFF]).collect();
    vec![
        (0x01, writer::ibm_mmr(&rows, false)),
        (0x03, packed.clone()),
        (0x06, runs),
        (0x09, bytes.bytes()),
        (0x0C, packed.chunks(10).flat_map(|row| [&[9][..], row].concat()).collect()),
        (0x0D, weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&packed).unwrap()),
        (0x80, lines.bytes()),
        (0x82, writer::group_4(&rows)),
        (0x84, jbig2(&rows)),
    ]
}

#[test]
fn damaged_and_cut_data_of_every_compression_are_reported() {
    let notes = |compression: u8, data: &[u8]| {
        let ipd = content(&[&size(80, 30), &[0x95, 2, compression, 1], &long(0x92, data)]);
        drawn(&AREA, &idd(80, 30), &ipd).1
    };
    let mut random = Random(5);
    let noise: Vec<u8> = (0..90).map(|_| random.byte()).collect();
    for (compression, data) in coded() {
        assert_eq!(notes(compression, &data), Vec::<&str>::new(), "{compression:02X}: whole");
        for (what, damaged) in [
            ("cut", &data[..data.len() / 2 - 2]),
            ("noise", &noise[..]),
            ("zeros", &[0u8; 90][..]),
            ("nearly whole", &data[..data.len() * 9 / 10 - 2]),
        ] {
            let notes = notes(compression, damaged);
            assert!(
                matches!(notes.as_slice(), ["afp-image-cut" | "afp-image-damaged"]),
                "{compression:02X} {what}: {notes:?}"
            );
        }
    }
}

#[test]
fn damaged_and_cut_jpeg_files_are_reported() {
    let file = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/pictures/rgb.jpg"));
    let notes = |data: &[u8]| {
        let ipd = content(&[&size(64, 48), &[0x95, 2, 0x83, 1, 0x96, 1, 24], &long(0x92, data)]);
        drawn(&AREA, &idd(64, 48), &ipd).1
    };
    assert_eq!(notes(file), Vec::<&str>::new());
    assert_eq!(notes(&file[..file.len() * 3 / 4]), ["afp-image-cut"]);
}

#[test]
fn what_cannot_be_shown_is_a_crossed_box_and_known_from_its_first_field() {
    let abic = content(&[&size(8, 8), &[0x95, 2, 0x08, 1], &long(0x92, &[7; 1000])]);
    let mut report = |_: &'static str, _: String| {};
    let elements = image(&AREA, &idd(8, 8), &abic, &|_| None, &Limits::default(), &mut report);
    assert!(matches!(elements.as_slice(), [Element::Path(_)]), "{elements:?}");
    let said = unreadable(&[&[0x70, 0], &abic[..]].concat()).expect("ABIC");
    assert!(said.contains("ABIC"), "{said}");
    assert_eq!(unreadable(&content(&[&size(8, 8), &[0x95, 2, 0x82, 1], &long(0x92, &[7; 1000])])), None);
}

#[test]
fn many_large_tiles_stay_within_the_limit_together() {
    let tile = [
        &[0x8C, 0, 0xB6, 8, 0, 0, 0x40, 0, 0, 0, 0x10, 0, 0x95, 2, 0x0D, 1, 0x96, 1, 8][..],
        &long(0x92, &[0x80, 0, 0]),
        &[0x8D, 0],
    ]
    .concat();
    let ipd = content(&[&long(0xBB, &[0, 0]), &tile.repeat(50)]);
    let (images, notes) = drawn(&AREA, &idd(8, 8), &ipd);
    assert_eq!(images.len() + notes.iter().filter(|note| **note == "afp-image-too-large").count(), 50);
    assert!(images.len() <= 2, "{}", images.len());
}

#[test]
fn damaged_images_neither_panic_nor_take_long() {
    let rows = writer::picture(77, 30);
    let encoding = |compression: u8| vec![0x95, 2, compression, 1];
    let seeds = [
        (idd(77, 30), content(&[&size(77, 30), &encoding(0x82), &long(0x92, &writer::group_4(&rows))])),
        (idd(77, 30), content(&[&size(77, 30), &encoding(0x01), &long(0x92, &writer::ibm_mmr(&rows, true))])),
        (idd(77, 0), content(&[&size(77, 0), &encoding(0x06), &long(0x92, &[0, 0, 0, 9, 0x12, 0x34, 0xFF])])),
        (idd(8, 6), tiled()),
    ];
    let limits = Limits { image_samples: 1 << 18, page_elements: 1000, ..Limits::default() };
    let mut random = Random(11);
    for round in 0..4000 {
        let (mut idd, mut ipd) = seeds[round % seeds.len()].clone();
        for _ in 0..=round % 5 {
            let at = random.below(ipd.len());
            ipd[at] = [0, 0xFF, 0x7F, 0x01, random.byte()][random.below(5)];
        }
        if round % 7 == 0 {
            let at = random.below(idd.len());
            idd[at] = random.byte();
        }
        if round % 9 == 0 {
            ipd.truncate(random.below(ipd.len()));
        }
        let area = ObjectArea {
            mapping: Some([0, 0x10, 0x20, 0x30, 0x41, 0x42, 0x50, 0x60][random.below(8)]),
            width: Some(Lu(random.next() as i32)),
            height: Some(Lu(random.next() as i32)),
            turns: random.byte(),
            x: Lu(random.next() as i32),
            ..AREA
        };
        for element in image(&area, &idd, &ipd, &|_| None, &limits, &mut |_, _| {}).into_iter().take(3) {
            if let Element::Image(placed) = element {
                let _ = pixels(&placed.image, limits.image_samples);
            }
        }
    }
}
