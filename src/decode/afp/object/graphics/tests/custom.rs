//! Custom patterns: defined, laid side by side, cut at the edge of their area.

use super::*;

/// Begin Custom Pattern for set 9, symbol 1, with the window from the origin to 20 by 10 units.
fn pattern(flags: u8, orders: &[u8]) -> Vec<u8> {
    let begin = [0xDE, 13, 0, 0, flags, 9, 1, 0, 0, 0, 20, 0, 0, 0, 10];
    [&begin[..], orders, &[0x5E, 0]].concat()
}

/// A filled box.
fn filled(color: u8, [x, y]: [i16; 2], [right, top]: [i16; 2]) -> Vec<u8> {
    [&[0x0A, color, 0x68, 0x80][..], &order(0xC0, &[0, 0], &[x, y, right, top]), &[0x60, 0]].concat()
}

/// An area of 100 by 100 units at 100, 100 with that pattern, in red.
fn area_of(numbers: &[i16]) -> Vec<u8> {
    [&[0x0A, 2, 0x08, 9, 0x28, 1, 0x68, 0x80][..], &order(0xC0, &[0, 0], numbers), &[0x60, 0]].concat()
}

fn images(elements: &[Element]) -> Vec<&PlacedImage> {
    elements.iter().filter_map(|element| if let Element::Image(image) = element { Some(image) } else { None }).collect()
}

/// The pixel at a place of the page in graphics units: whether it is ink.
fn is_ink(image: &PlacedImage, x: f64, y: f64) -> bool {
    let Samples::Bits { data, paper: None, .. } = image.image.samples() else { panic!() };
    let [px, py] = at(x, y).map(|lu| f64::from(lu.0));
    let (columns, rows) = (image.image.width(), image.image.height());
    let share = |at: f64, from: Lu, length: Lu, count: u32| {
        let at = (at - f64::from(from.0)) / f64::from(length.0) * f64::from(count);
        usize::try_from(lu((at - 0.5).round()).0).unwrap()
    };
    let column = share(px, image.x, image.width, columns);
    let row = share(py, image.y, image.height, rows);
    data[row * (columns as usize).div_ceil(8) + column / 8] & (0x80 >> (column % 8)) != 0
}

const SQUARE: [i16; 4] = [100, 100, 200, 200];

#[test]
fn tiles_of_one_colour_fill_an_area_in_its_colour_from_the_reference_point_on() {
    // The left half of the tile; its colour is no matter.
    let define = pattern(0, &filled(1, [0, 0], [10, 10]));
    let all = draw(&[define.clone(), area_of(&SQUARE)].concat());
    let [image] = images(&all)[..] else { panic!("{all:?}") };
    let Samples::Bits { ink, .. } = image.image.samples() else { panic!() };
    assert_eq!((*ink, all.len()), (RED, 1));
    assert_eq!([image.x, image.y], at(100.0, 200.0));
    for (x, expected) in [(102.0, true), (108.0, true), (112.0, false), (118.0, false), (122.0, true), (198.0, false)] {
        assert_eq!(is_ink(image, x, 150.0), expected, "{x}");
    }
    let moved = [&define[..], &[0xA0, 6, 0, 0, 0, 10, 0, 0], &area_of(&SQUARE)].concat();
    let all = draw(&moved);
    assert!(!is_ink(images(&all)[0], 102.0, 150.0) && is_ink(images(&all)[0], 112.0, 150.0));
}

#[test]
fn tiles_are_cut_at_the_edge_of_the_area_and_leave_its_holes() {
    let define = pattern(0, &filled(1, [0, 0], [20, 10]));
    let hole = order(0xC0, &[0, 0], &[140, 140, 160, 160]);
    let mut orders = [define, area_of(&SQUARE)].concat();
    orders.truncate(orders.len() - 2);
    let triangle = order(0xC1, &[], &[300, 100, 400, 100, 300, 200]);
    let all = draw(&[&orders[..], &hole, &triangle, &[0x60, 0]].concat());
    let [image] = images(&all)[..] else { panic!("{all:?}") };
    assert!(is_ink(image, 120.0, 150.0) && !is_ink(image, 150.0, 150.0));
    assert!(is_ink(image, 310.0, 120.0) && !is_ink(image, 380.0, 180.0) && !is_ink(image, 250.0, 150.0));
}

#[test]
fn tiles_with_colours_have_their_own() {
    let inside = [filled(1, [0, 0], [10, 10]), filled(4, [10, 0], [20, 10])].concat();
    let all = draw(&[pattern(0x80, &inside), area_of(&SQUARE)].concat());
    let inks: Vec<Color> = images(&all)
        .iter()
        .map(|image| match image.image.samples() {
            Samples::Bits { ink, .. } => *ink,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(inks.len() == 2 && inks[0] != inks[1] && !inks.contains(&RED), "{inks:?}");
    let [first, second] = images(&all)[..] else { panic!() };
    assert!(is_ink(first, 105.0, 150.0) && !is_ink(second, 105.0, 150.0) && is_ink(second, 115.0, 150.0));
}

#[test]
fn lines_and_images_of_a_pattern_are_painted_and_the_segment_goes_on_as_if_there_were_none() {
    let line = [&[0x11, 2, 0, 1][..], &order(0xC1, &[], &[0, 5, 20, 5])].concat();
    let rows = [0x92, 2, 0xFF, 0].repeat(5);
    let bits = [&[0xD1, 10, 0, 0, 0, 10, 0, 0, 0, 16, 0, 5][..], &rows, &[0x93, 0]].concat();
    let define = pattern(0, &[&line[..], &bits].concat());
    let all = draw(&[&[0x21, 4, 0, 1, 0, 1][..], &define, &order(0x81, &[], &[50, 50]), &area_of(&SQUARE)].concat());
    let Element::Path(path) = &all[0] else { panic!("{all:?}") };
    assert_eq!(ends(path), [at(1.0, 1.0), at(50.0, 50.0)], "position and place of before");
    let image = images(&all)[0];
    assert!(is_ink(image, 130.0, 155.0) && !is_ink(image, 130.0, 151.0), "the line");
    assert!(is_ink(image, 122.0, 158.8) && !is_ink(image, 134.0, 158.8), "an image point is a unit");
}

#[test]
fn what_cannot_be_defined_or_costs_too_much_is_told() {
    let fill = area_of(&SQUARE);
    let notes = |orders: &[u8]| draw_with(&area(), &gdd(), &segment(orders)).1;
    let define = pattern(0, &filled(1, [0, 0], [10, 10]));
    let mut empty = define.clone();
    empty[10] = 0;
    assert_eq!(notes(&[&empty[..], &fill].concat()), ["afp-graphics-pattern"; 2]);
    // A second one of the same name; one in another, which ends that; gradients in one.
    assert_eq!(notes(&[&define[..], &define, &fill].concat()), ["afp-graphics-pattern"]);
    assert_eq!(notes(&[&define[..15], &define, &fill].concat()), ["afp-graphics-pattern"]);
    assert_eq!(notes(&pattern(0, &[0xDF, 3, 0, 0, 5])), ["afp-graphics-order"]);
    // In its own definition it fills nothing but as the default symbol.
    assert_eq!(notes(&pattern(0, &fill)), ["afp-graphics-pattern"]);
    // Without an end it ends with its segment, and is gone with it.
    assert_eq!(
        draw_with(&area(), &gdd(), &[segment(&define[..15]), segment(&fill)].concat()).1,
        ["afp-graphics-pattern"]
    );
    // Many areas share what may be painted.
    let wide = area_of(&[-32_768, -32_768, 32_767, 32_767]).repeat(40);
    let mut large = gdd();
    large[19..27].copy_from_slice(&[0x80, 0, 0x7F, 0xFF, 0x80, 0, 0x7F, 0xFF]);
    let (elements, notes) = draw_with(&area(), &large, &segment(&[define, wide].concat()));
    assert!(elements.len() < 40 && notes.iter().all(|note| *note == "afp-graphics-limit"), "{notes:?}");
}
