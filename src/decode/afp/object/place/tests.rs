use super::*;

fn area(turns: u8, mapping: u8) -> ObjectArea {
    ObjectArea {
        x: Lu(10_000),
        y: Lu(20_000),
        turns,
        width: Some(Lu(4000)),
        height: Some(Lu(2000)),
        mapping: Some(mapping),
        content_x: Lu(100),
        content_y: Lu(50),
        color: None,
    }
}

const CONTENT: Content = Content { width: 1000.0, height: 1000.0, points: None };

fn corner(turns: u8, mapping: u8) -> ([Lu; 2], [Lu; 2]) {
    let place = place(&area(turns, mapping), Mapping::ScaleToFit, &CONTENT);
    assert_eq!(place.turns, turns);
    (place.point(0.0, 0.0), place.point(CONTENT.width, CONTENT.height))
}

#[test]
fn position_puts_the_content_at_its_offset_in_all_four_rotations() {
    assert_eq!(corner(0, 0x00), ([Lu(10_100), Lu(20_050)], [Lu(11_100), Lu(21_050)]));
    // The area's x axis runs down the page, its y axis to the left.
    assert_eq!(corner(1, 0x00), ([Lu(9950), Lu(20_100)], [Lu(8950), Lu(21_100)]));
    assert_eq!(corner(2, 0x00), ([Lu(9900), Lu(19_950)], [Lu(8900), Lu(18_950)]));
    assert_eq!(corner(3, 0x00), ([Lu(10_050), Lu(19_900)], [Lu(11_050), Lu(18_900)]));
}

#[test]
fn scale_to_fit_keeps_the_shape_and_centres_in_all_four_rotations() {
    assert_eq!(corner(0, 0x20), ([Lu(11_000), Lu(20_000)], [Lu(13_000), Lu(22_000)]));
    assert_eq!(corner(1, 0x20), ([Lu(10_000), Lu(21_000)], [Lu(8000), Lu(23_000)]));
    assert_eq!(corner(2, 0x20), ([Lu(9000), Lu(20_000)], [Lu(7000), Lu(18_000)]));
    assert_eq!(corner(3, 0x20), ([Lu(10_000), Lu(19_000)], [Lu(12_000), Lu(17_000)]));
}

#[test]
fn scale_to_fill_fills_the_area_in_all_four_rotations() {
    assert_eq!(corner(0, 0x60), ([Lu(10_000), Lu(20_000)], [Lu(14_000), Lu(22_000)]));
    assert_eq!(corner(1, 0x60), ([Lu(10_000), Lu(20_000)], [Lu(8000), Lu(24_000)]));
    assert_eq!(corner(2, 0x60), ([Lu(10_000), Lu(20_000)], [Lu(6000), Lu(18_000)]));
    assert_eq!(corner(3, 0x60), ([Lu(10_000), Lu(20_000)], [Lu(12_000), Lu(16_000)]));
}

#[test]
fn content_that_fits_is_not_clipped_and_content_that_does_not_is() {
    let big = Content { width: 5000.0, height: 1000.0, points: None };
    assert_eq!(place(&area(0, 0x10), Mapping::ScaleToFit, &CONTENT).clip, None);
    let clip = |turns| place(&area(turns, 0x10), Mapping::ScaleToFit, &big).clip.unwrap();
    assert_eq!(clip(0), [Lu(10_000), Lu(20_000), Lu(4000), Lu(2000)]);
    assert_eq!(clip(1), [Lu(8000), Lu(20_000), Lu(2000), Lu(4000)]);
    assert_eq!(clip(2), [Lu(6000), Lu(18_000), Lu(4000), Lu(2000)]);
    assert_eq!(clip(3), [Lu(10_000), Lu(16_000), Lu(2000), Lu(4000)]);
}

#[test]
fn centre_and_trim_centres_what_is_larger_than_the_area() {
    let big = Content { width: 5000.0, height: 1000.0, points: None };
    let place = place(&area(0, 0x30), Mapping::ScaleToFit, &big);
    assert_eq!(place.point(0.0, 0.0), [Lu(9500), Lu(20_500)]);
    assert_eq!(place.scale, [1.0, 1.0]);
    assert!(place.clip.is_some());
}

#[test]
fn without_a_mapping_the_default_of_the_kind_holds() {
    let mut area = area(0, 0x70);
    assert_eq!(place(&area, Mapping::ScaleToFit, &CONTENT).scale, [2.0, 2.0]);
    area.mapping = None;
    assert_eq!(place(&area, Mapping::Position, &CONTENT).scale, [1.0, 1.0]);
}

#[test]
fn without_an_extent_content_keeps_its_natural_size() {
    for mapping in [0x00, 0x10, 0x20, 0x30, 0x60] {
        let area = ObjectArea { width: None, height: None, ..area(0, mapping) };
        let place = place(&area, Mapping::ScaleToFit, &CONTENT);
        assert_eq!((place.scale, place.clip), ([1.0, 1.0], None));
    }
}

#[test]
fn points_are_pels_of_the_content_or_of_240_in_one_inch() {
    let stated = place(&area(0, 0x42), Mapping::ScaleToFit, &CONTENT);
    assert_eq!(stated.scale, [2.0, 2.0]);
    let unstated = Content { points: Some([24, 12]), ..CONTENT };
    let place = place(&area(0, 0x41), Mapping::ScaleToFit, &unstated);
    assert_eq!(place.boxed(0.0, 0.0, 1000.0, 1000.0).width, Lu(24 * 60));
    assert_eq!(place.boxed(0.0, 0.0, 1000.0, 1000.0).height, Lu(12 * 60));
}

#[test]
fn replicas_fill_the_area_and_only_the_last_are_cut() {
    let tile = Content { width: 1500.0, height: 1000.0, points: None };
    let (all, enough) = places(&area(1, 0x50), Mapping::ScaleToFit, &tile);
    assert!(enough);
    assert_eq!(all.len(), 6);
    assert_eq!(all.iter().filter(|place| place.clip.is_some()).count(), 2);
    assert_eq!(all[1].point(0.0, 0.0), [Lu(10_000), Lu(21_500)]);
    assert_eq!(all[3].point(0.0, 0.0), [Lu(9000), Lu(20_000)]);
    let tiny = Content { width: 0.0, height: f64::NAN, points: None };
    assert!(!places(&area(0, 0x50), Mapping::ScaleToFit, &tiny).1);
}

#[test]
fn boxes_that_adjoin_in_the_content_adjoin_on_the_page() {
    let content = Content { width: 700.0, height: 300.0, points: None };
    for turns in 0..4 {
        let place = place(&area(turns, 0x60), Mapping::ScaleToFit, &content);
        let first = place.boxed(0.0, 0.0, 333.3, 300.0);
        let second = place.boxed(333.3, 0.0, 366.7, 300.0);
        let end = match turns {
            0 => (first.x.0 + first.width.0, first.y.0),
            1 => (first.x.0, first.y.0 + first.width.0),
            2 => (first.x.0 - first.width.0, first.y.0),
            _ => (first.x.0, first.y.0 - first.width.0),
        };
        assert_eq!((second.x.0, second.y.0), end);
        assert_eq!((first.width.0 + second.width.0, first.height.0), (4000, 2000));
    }
}
