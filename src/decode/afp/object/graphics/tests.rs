//! Every drawing order by hand, and hostile data.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::place::lu;
use super::*;
use crate::decode::afp::font::ActiveFont;
use crate::page::{Cap, Color, Join, Lu, Path, PlacedImage, Samples, Step, TextRun};

mod custom;

struct NoFonts;

impl ObjectFonts for NoFonts {
    fn font(&self, _lid: u8) -> Option<Arc<ActiveFont>> {
        None
    }
}

const WHITE: Color = Color { r: 255, g: 255, b: 255 };
const RED: Color = Color { r: 255, g: 0, b: 0 };

fn area() -> ObjectArea {
    ObjectArea {
        x: Lu(0),
        y: Lu(0),
        turns: 0,
        width: Some(Lu(10_000)),
        height: Some(Lu(10_000)),
        mapping: None,
        content_x: Lu(0),
        content_y: Lu(0),
        color: None,
    }
}

/// A window of 1000 by 1000 units of 1/1440 inch: a unit is 10 logical units, y 1000 is the upper edge.
fn gdd() -> Vec<u8> {
    let mut gdd = vec![0xF7, 7, 0xB0, 0, 0, 0, 2, 0, 1, 0xF6, 18, 0x40, 0, 0, 0, 0x38, 0x40, 0x38, 0x40, 0, 0];
    gdd.extend([0, 0, 0x03, 0xE8, 0, 0, 0x03, 0xE8]);
    gdd
}

/// A chained segment of these orders.
fn segment(orders: &[u8]) -> Vec<u8> {
    let length = u16::try_from(orders.len()).unwrap().to_be_bytes();
    [&[0x70, 0x0C, 0, 0, 0, 1, 0, 0, length[0], length[1], 0, 0, 0, 0][..], orders].concat()
}

fn draw_with(area: &ObjectArea, gdd: &[u8], gad: &[u8]) -> (Vec<Element>, Vec<&'static str>) {
    let mut notes = Vec::new();
    let elements = graphics(area, gdd, gad, &NoFonts, &Limits::default(), &mut |code, _| notes.push(code));
    (elements, notes)
}

/// What orders draw; nothing may be reported.
fn draw(orders: &[u8]) -> Vec<Element> {
    let (elements, notes) = draw_with(&area(), &gdd(), &segment(orders));
    assert_eq!(notes, Vec::<&str>::new());
    elements
}

fn path(orders: &[u8]) -> Path {
    match draw(orders).as_slice() {
        [Element::Path(path)] => path.clone(),
        other => panic!("{other:?}"),
    }
}

fn at(x: f64, y: f64) -> [Lu; 2] {
    [lu(x * 10.0), lu((1000.0 - y) * 10.0)]
}

/// An order with 16-bit numbers behind `head`.
fn order(code: u8, head: &[u8], numbers: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = head.iter().copied().chain(numbers.iter().flat_map(|n| n.to_be_bytes())).collect();
    [&[code, u8::try_from(data.len()).unwrap()][..], &data].concat()
}

fn ends(path: &Path) -> Vec<[Lu; 2]> {
    path.steps
        .iter()
        .filter_map(|step| match *step {
            Step::Move(to) | Step::Line(to) => Some(to),
            Step::Curve([.., x, y]) => Some([x, y]),
            Step::Close => None,
        })
        .collect()
}

#[test]
fn lines_start_at_a_given_or_at_the_current_position() {
    assert_eq!(ends(&path(&order(0xC1, &[], &[100, 200, 300, 400]))), [at(100.0, 200.0), at(300.0, 400.0)]);
    let moved = [order(0x21, &[], &[10, 20]), order(0x81, &[], &[30, 40, 50, 60])].concat();
    assert_eq!(ends(&path(&moved)), [at(10.0, 20.0), at(30.0, 40.0), at(50.0, 60.0)]);
    let both = [order(0xC1, &[], &[0, 0, 10, 10]), order(0x81, &[], &[20, 0])].concat();
    let [_, Element::Path(second)] = &draw(&both)[..] else { panic!() };
    assert_eq!(ends(second), [at(10.0, 10.0), at(20.0, 0.0)]);
}

#[test]
fn relative_lines_add_signed_bytes() {
    let path = path(&[0xE1, 8, 0, 100, 0, 100, 10, 0xF6, 0xFF, 5]);
    assert_eq!(ends(&path), [at(100.0, 100.0), at(110.0, 90.0), at(109.0, 95.0)]);
    assert_eq!(draw(&[0x21, 4, 0, 50, 0, 50, 0xA1, 2, 1, 1]).len(), 1);
}

#[test]
fn boxes_are_closed_and_may_have_round_corners() {
    let plain = path(&order(0xC0, &[0x20, 0], &[100, 100, 300, 200]));
    assert_eq!(ends(&plain), [at(100.0, 100.0), at(300.0, 100.0), at(300.0, 200.0), at(100.0, 200.0)]);
    assert_eq!(plain.steps.last(), Some(&Step::Close));
    let round = path(&order(0xC0, &[0x20, 0], &[100, 100, 300, 200, 40, 20]));
    assert_eq!(round.steps.iter().filter(|step| matches!(step, Step::Curve(_))).count(), 4);
    assert_eq!(ends(&round)[0], at(120.0, 100.0));
    assert_eq!(draw(&order(0x80, &[0, 0], &[50, 50])).len(), 1);
}

#[test]
fn arcs_follow_the_arc_parameters() {
    let ellipse = [order(0x22, &[], &[20, 10, 0, 0]), order(0xC7, &[], &[500, 500, 0x0280])].concat();
    let path = path(&ellipse);
    assert_eq!(ends(&path)[..2], [at(550.0, 500.0), at(500.0, 525.0)]);
    let mut partial = order(0x22, &[], &[100, 100, 0, 0]);
    partial.extend([0xE3, 18, 0, 0, 0, 0, 0x01, 0xF4, 0x01, 0xF4, 1, 0, 0, 0, 0, 0, 0, 90, 0, 0]);
    let Some(Element::Path(path)) = draw(&partial).pop() else { panic!() };
    assert_eq!(ends(&path), [at(0.0, 0.0), at(600.0, 500.0), at(500.0, 600.0)]);
    assert_eq!(draw(&[0x21, 4, 1, 0, 1, 0, 0x87, 2, 2, 0]).len(), 1);
    assert_eq!(draw(&[0xA3, 14, 0, 100, 0, 100, 5, 0, 0, 0, 0, 0, 0, 45, 0, 0]).len(), 1);
}

#[test]
fn fillets_and_bezier_curves_end_where_they_should() {
    let fillet = path(&order(0xC5, &[], &[0, 0, 100, 0, 100, 100]));
    assert_eq!(ends(&fillet), [at(0.0, 0.0), at(100.0, 100.0)]);
    let curve = path(&order(0xE5, &[], &[0, 0, 0, 50, 50, 100, 100, 100, 150, 100, 200, 50, 200, 0]));
    assert_eq!(ends(&curve), [at(0.0, 0.0), at(100.0, 100.0), at(200.0, 0.0)]);
    assert_eq!(draw(&order(0xA5, &[], &[0, 50, 50, 100, 100, 100])).len(), 1);
    assert_eq!(draw(&order(0x85, &[], &[10, 10, 20, 0])).len(), 1);
    let sharp = [&[0xE4, 16, 0, 0, 0, 0][..], &[0, 10, 0, 10, 0, 20, 0, 0, 0, 1, 0, 0]].concat();
    assert_eq!(ends(&path(&sharp)).last(), Some(&at(20.0, 0.0)));
}

#[test]
fn an_area_is_filled_as_it_began_and_bounded_as_it_was_drawn() {
    let red_then = [&[0x0A, 2, 0x68, 0xC0][..], &order(0xC1, &[], &[0, 0, 100, 0]), &[0x0A, 1, 0x19, 4]].concat();
    let orders = [&red_then[..], &order(0x81, &[], &[100, 100, 0, 100]), &[0x60, 0]].concat();
    let elements = draw(&orders);
    let [Element::Path(fill), Element::Path(first), Element::Path(second)] = &elements[..] else {
        panic!("{elements:?}")
    };
    let (red, blue) = (Color { r: 255, g: 0, b: 0 }, Color { r: 0, g: 0, b: 255 });
    assert_eq!((fill.fill, fill.stroke.is_none()), (Some(red), true));
    let strokes = [first, second].map(|path| path.stroke.clone().unwrap());
    assert_eq!((strokes[0].color, strokes[1].color), (red, blue));
    assert!(strokes[1].width.0 > strokes[0].width.0);
}

#[test]
fn areas_close_their_figures_and_fill_them() {
    let shape = [order(0xC1, &[], &[0, 0, 100, 0, 100, 100]), order(0xC0, &[0, 0], &[200, 200, 300, 300])].concat();
    let area = |flags: u8| path(&[&[0x68, flags][..], &shape, &[0x60, 0]].concat());
    let plain = area(0x80);
    assert_eq!(plain.steps.iter().filter(|step| **step == Step::Close).count(), 2);
    assert!(plain.fill == Some(Color::BLACK) && plain.stroke.is_none() && plain.even_odd);
    let outlined = area(0xC0);
    assert!(outlined.stroke.is_some());
    assert!(!area(0xA0).even_odd);
    // Curves inside an area are its outline too; an unended area ends with the segment.
    let open = [&[0x68, 0x80][..], &order(0xC1, &[], &[0, 0, 100, 0]), &order(0x85, &[], &[200, 0, 200, 200])].concat();
    assert!(path(&open).fill.is_some());
}

#[test]
fn patterns_fill_with_tints_or_lines() {
    let square = order(0xC0, &[0, 0], &[100, 100, 300, 300]);
    let with = |pattern: u8| draw(&[&[0x28, pattern, 0x68, 0x80][..], &square, &[0x60, 0]].concat());
    let [Element::Path(light)] = &with(8)[..] else { panic!() };
    assert!(light.fill.is_some_and(|color| color.r > 200 && color.r < 255));
    for hatch in 0x09..=0x0E {
        let [Element::Path(lines)] = &with(hatch)[..] else { panic!() };
        assert!(lines.fill.is_none() && lines.stroke.is_some() && lines.steps.len() >= 8, "{hatch}");
        assert!(ends(lines).iter().all(|[x, y]| (999..=3001).contains(&x.0) && (6999..=9001).contains(&y.0)));
    }
    assert!(with(0x0F).is_empty() && with(0x40).is_empty());
    let orders = segment(&[&[0x28, 0x33, 0x68, 0x80][..], &square, &[0x60, 0]].concat());
    assert_eq!(draw_with(&area(), &gdd(), &orders).1, ["afp-graphics-pattern"]);
    // The background of a hatch is painted when it overpaints.
    let over = draw(&[&[0x0D, 2, 0x28, 0x09, 0x68, 0x80][..], &square, &[0x60, 0]].concat());
    assert!(matches!(&over[0], Element::Path(path) if path.fill == Some(WHITE)));
}

/// Found by fuzzing: areas whose outlines hatch lines cross often, one after the other.
#[test]
fn hatches_of_all_areas_share_a_limit() {
    let around = order(0xC0, &[0, 0], &[-32_768, -32_768, 32_767, 32_767]);
    let up_and_down: Vec<i16> = (0..62).flat_map(|at| [at * 10, if at % 2 == 0 { -32_768 } else { 32_767 }]).collect();
    let inside = order(0xC1, &[], &up_and_down).repeat(5);
    let one = [&[0x68, 0xA0][..], &around, &around, &inside, &[0x60, 0]].concat();
    let (elements, notes) = draw_with(&area(), &gdd(), &segment(&[&[0x28, 0x0A][..], &one.repeat(3)].concat()));
    assert_eq!((elements.len(), notes), (2, vec!["afp-graphics-limit"]));
}

#[test]
fn colours_come_in_four_forms() {
    let line = order(0xC1, &[], &[0, 0, 10, 10]);
    let color = |head: &[u8]| path(&[head, &line].concat()).stroke.unwrap().color;
    assert_eq!(color(&[0x0A, 2]), RED);
    assert_eq!(color(&[0x0A, 8]), WHITE);
    assert_eq!(color(&[0x26, 2, 0, 2]), RED);
    assert_eq!(color(&[0x26, 2, 0xFF, 0xFF]), Color::BLACK);
    assert_eq!(color(&[0xB2, 13, 0, 1, 0, 0, 0, 0, 8, 8, 8, 0, 255, 0, 0]), RED);
    assert_eq!(color(&[0x0A, 2, 0x0A, 0]), Color::BLACK);
}

#[test]
fn line_attributes_reach_the_stroke() {
    let line = order(0xC1, &[], &[0, 0, 10, 10]);
    let stroke = |head: &[u8]| path(&[head, &line].concat()).stroke.unwrap();
    assert_eq!((stroke(&[]).width, stroke(&[]).cap, stroke(&[]).join), (Lu(120), Cap::Round, Join::Round));
    // No line is wider than 0.13 inch.
    assert_eq!(stroke(&[0x19, 200]).width, Lu(1872));
    assert_eq!(stroke(&[0x19, 3]).width, Lu(360));
    assert_eq!(stroke(&[0x11, 2, 1, 0x80]).width, Lu(180));
    assert_eq!(stroke(&[0x18, 2]).dash, [Lu(360), Lu(360)]);
    assert_eq!(stroke(&[0x20, 4, 1, 0, 2, 0]).dash, [Lu(120), Lu(240)]);
    // Ends and joins each say their own.
    let ends_and_joins = |end, join| (stroke(&[0x1A, end, 0x1B, join]).cap, stroke(&[0x1A, end, 0x1B, join]).join);
    assert_eq!(ends_and_joins(1, 3), (Cap::Flat, Join::Miter));
    assert_eq!(ends_and_joins(2, 1), (Cap::Square, Join::Bevel));
    assert_eq!(ends_and_joins(3, 1), (Cap::Round, Join::Bevel));
    assert_eq!(ends_and_joins(1, 2), (Cap::Flat, Join::Round));
    assert_eq!(ends_and_joins(0, 0), (Cap::Round, Join::Round));
    assert!(draw(&[&[0x18, 8][..], &line].concat()).is_empty());
    assert!(draw(&[&[0x0C, 5][..], &line].concat()).is_empty());
}

#[test]
fn what_reaches_out_of_its_window_is_trimmed_at_the_area() {
    let out = segment(&order(0xC1, &[], &[900, 900, 1500, 1500]));
    let size = 10_000;
    for mapping in [0x10, 0x30] {
        let wide = ObjectArea { mapping: Some(mapping), width: Some(Lu(12_000)), height: Some(Lu(size)), ..area() };
        let (elements, notes) = draw_with(&wide, &gdd(), &out);
        let [Element::Path(path)] = elements.as_slice() else { panic!("{elements:?}") };
        assert!(ends(path).iter().all(|[x, y]| x.0 <= 12_000 && y.0 >= 0), "{mapping:02X}: {path:?}");
        assert!(notes.is_empty());
    }
    // Elsewhere it is drawn as it stands.
    let (elements, _) = draw_with(&ObjectArea { mapping: Some(0x60), ..area() }, &gdd(), &out);
    let [Element::Path(path)] = elements.as_slice() else { panic!("{elements:?}") };
    assert_eq!(ends(path).last(), Some(&[Lu(15_000), Lu(-5_000)]));
}

#[test]
fn markers_stand_at_their_points() {
    let points = order(0xC2, &[], &[100, 100, 200, 200]);
    for symbol in 1..=10u8 {
        let drawn = draw(&[&[0x37, 4, 0, 20, 0, 20, 0x29, symbol][..], &points].concat());
        assert_eq!(drawn.len(), 2, "{symbol}");
        let Element::Path(marker) = &drawn[0] else { panic!() };
        assert_eq!(marker.fill.is_some(), (7..=9).contains(&symbol));
        assert!(ends(marker).iter().all(|[x, y]| (900..=1100).contains(&x.0) && (8900..=9100).contains(&y.0)));
    }
    assert_eq!(draw(&order(0x82, &[], &[5, 5])).len(), 1);
    assert_eq!(draw_with(&area(), &gdd(), &segment(&[0x29, 0x55, 0x82, 4, 0, 5, 0, 5])).1, ["afp-graphics-marker"]);
}

fn text(orders: &[u8]) -> Vec<TextRun> {
    let (elements, notes) = draw_with(&area(), &gdd(), &segment(orders));
    assert!(notes.iter().all(|note| *note == "afp-graphics-font"), "{notes:?}");
    elements.into_iter().filter_map(|e| if let Element::Text(run) = e { Some(run) } else { None }).collect()
}

#[test]
fn strings_are_set_by_cell_angle_and_direction() {
    let plain = text(&[0xC3, 6, 0, 100, 0, 100, 0xC1, 0xC2]);
    assert_eq!((plain[0].text.as_str(), [plain[0].x, plain[0].y], plain[0].turns), ("AB", at(100.0, 100.0), 0));
    let sized = text(&[0x33, 4, 0, 30, 0, 60, 0x83, 1, 0xC1]);
    assert_eq!(sized[0].size, Lu(600));
    let up = text(&[0x34, 4, 0, 0, 0, 1, 0x83, 1, 0xC1]);
    assert_eq!(up[0].turns, 3);
    assert_eq!(text(&[0x3A, 2, 0x83, 2, 0xC1, 0xC2]).len(), 2);
    assert!(text(&[0x35, 4, 0, 1, 0, 3, 0x83, 1, 0xC1])[0].face.italic);
}

fn image(orders: &[u8]) -> PlacedImage {
    match draw(orders).as_slice() {
        [Element::Image(image)] => image.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_images_of_an_object_share_one_limit() {
    let one = [0xD1, 10, 0, 100, 0, 200, 0, 0, 0, 9, 0, 3, 0x93, 0];
    let limits = Limits { image_samples: 2 * 27 + 26, ..Limits::default() };
    let mut notes = Vec::new();
    let orders = segment(&one.repeat(4));
    let elements = graphics(&area(), &gdd(), &orders, &NoFonts, &limits, &mut |code, _| notes.push(code));
    assert_eq!((elements.len(), notes), (2, vec!["afp-graphics-limit"; 2]));
    // So do the copies of an object that fills its area.
    let wide = ObjectArea { width: Some(Lu(30_000)), mapping: Some(0x50), ..area() };
    let mut notes = Vec::new();
    let elements = graphics(&wide, &gdd(), &segment(&one), &NoFonts, &limits, &mut |code, _| notes.push(code));
    assert_eq!((elements.len(), notes), (2, vec!["afp-graphics-limit"]));
}

#[test]
fn images_are_collected_row_by_row() {
    let image = image(&[0xD1, 10, 0, 100, 0, 200, 0, 0, 0, 9, 0, 3, 0x92, 2, 0xAA, 0x80, 0x92, 1, 0xFF, 0x93, 0]);
    assert_eq!([image.x, image.y], at(100.0, 200.0));
    assert_eq!((image.width, image.height), (Lu(90), Lu(30)));
    let Samples::Bits { data, paper: None, .. } = image.image.samples() else { panic!() };
    assert_eq!(data, &[0xAA, 0x80, 0xFF, 0, 0, 0]);
    let (none, notes) = draw_with(&area(), &gdd(), &segment(&[0x91, 6, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x92, 1, 0]));
    assert_eq!((none.len(), notes), (0, vec!["afp-graphics-limit"]));
}

#[test]
fn a_segment_starts_with_the_defaults_unless_it_appends() {
    let line = order(0xC1, &[], &[0, 0, 10, 10]);
    let first = segment(&[&[0x0A, 2][..], &line].concat());
    let colors = |gad: &[u8]| -> Vec<Color> {
        let (elements, _) = draw_with(&area(), &gdd(), gad);
        elements
            .iter()
            .filter_map(|e| if let Element::Path(p) = e { Some(p.stroke.clone()?.color) } else { None })
            .collect()
    };
    assert_eq!(colors(&[first.clone(), segment(&line)].concat()), [RED, Color::BLACK]);
    let mut appended = segment(&line);
    appended[7] = 0x06;
    assert_eq!(colors(&[first.clone(), appended].concat()), [RED, RED]);
    let mut unchained = segment(&line);
    unchained[7] = 0x80;
    assert_eq!(colors(&[unchained, first].concat()), [RED]);
}

#[test]
fn defaults_of_the_descriptor_hold_until_orders_change_them() {
    let mut gdd = gdd();
    // Colour red and line type 2.
    gdd.extend([0x21, 6, 0x00, 0x80, 0x00, 0x8F, 0, 2]);
    gdd.extend([0x21, 5, 0x01, 0x80, 0x00, 0x8F, 2]);
    let (elements, notes) = draw_with(&area(), &gdd, &segment(&order(0xC1, &[], &[0, 0, 10, 10])));
    assert!(notes.is_empty());
    let [Element::Path(path)] = elements.as_slice() else { panic!() };
    let stroke = path.stroke.clone().unwrap();
    assert_eq!((stroke.color, stroke.dash.len()), (RED, 2));
    // A normal line width of 20/1440 inch.
    gdd.extend([0x21, 6, 0x11, 0x80, 0x00, 0x8F, 0, 20]);
    let (elements, notes) = draw_with(&area(), &gdd, &segment(&order(0xC1, &[], &[0, 0, 10, 10])));
    let [Element::Path(path)] = elements.as_slice() else { panic!() };
    assert_eq!((path.stroke.clone().unwrap().width, notes.len()), (Lu(200), 0));
}

#[test]
fn orders_without_effect_and_unknown_ones() {
    assert!(draw(&[0x00, 0x01, 3, b'a', b'b', b'c', 0x04, 1, 0, 0x3E, 0, 0x43, 1, 7, 0xDF, 2, 1, 2]).is_empty());
    let (_, notes) = draw_with(&area(), &gdd(), &segment(&[0xFE, 0xDC, 0, 2, 0, 0, 0x47, 0, 0x47, 0]));
    assert_eq!(notes, ["afp-graphics-order", "afp-graphics-order"]);
    // What stands in a custom pattern is not drawn on the page.
    let custom = [&[0xDE, 2, 0, 1][..], &order(0xC1, &[], &[0, 0, 10, 10]), &[0x5E, 0]].concat();
    assert_eq!(draw_with(&area(), &gdd(), &segment(&custom)), (vec![], vec!["afp-graphics-pattern"]));
}

#[test]
fn areas_are_filled_with_gradients_until_these_are_deleted() {
    let colors = [13, 0, 1, 0, 0, 0, 0, 8, 8, 8, 0, 255, 0, 0, 0, 0, 255, 1, 1];
    let line = [0, 0, 5, 7, 0, 100, 0, 0, 1, 0x2C, 0, 0];
    let define = [&[0xFE, 0xDC, 0, 31][..], &line, &colors].concat();
    let square = order(0xC0, &[0, 0], &[100, 100, 300, 300]);
    let fill = [&[0x08, 5, 0x28, 7, 0x68, 0xC0][..], &square, &[0x60, 0]].concat();
    let all = draw(&[define.clone(), fill.clone()].concat());
    let paths: Vec<&Path> =
        all.iter().filter_map(|element| if let Element::Path(path) = element { Some(path) } else { None }).collect();
    assert_eq!(paths.len(), all.len());
    assert!(paths.len() > 100 && paths[0].fill == Some(RED));
    assert_eq!(paths[paths.len() - 2].fill.map(|color| (color.r < 4, color.b > 250)), Some((true, true)));
    assert!(paths.last().is_some_and(|outline| outline.stroke.is_some() && outline.fill.is_none()));
    assert!(
        paths
            .iter()
            .flat_map(|path| ends(path))
            .all(|[x, y]| { (1_000..=3_000).contains(&x.0) && (7_000..=9_000).contains(&y.0) })
    );
    for delete in [&[0xDF, 4, 0, 0, 5, 7][..], &[0xDF, 3, 0, 0, 5]] {
        let orders = segment(&[&define, delete, &fill].concat());
        assert_eq!(draw_with(&area(), &gdd(), &orders).1, ["afp-graphics-pattern"]);
    }
    // It counts in its segment and in those that append to it.
    let mut appended = segment(&fill);
    appended[7] = 0x06;
    assert!(draw_with(&area(), &gdd(), &[segment(&define), appended].concat()).1.is_empty());
    let other = [segment(&define), segment(&fill)].concat();
    assert_eq!(draw_with(&area(), &gdd(), &other).1, ["afp-graphics-pattern"]);
}

#[test]
fn trimming_cuts_what_lies_outside_the_area() {
    let small = ObjectArea { width: Some(Lu(500)), height: Some(Lu(20_000)), mapping: Some(0x10), ..area() };
    let (elements, _) = draw_with(&small, &gdd(), &segment(&order(0xC1, &[], &[0, 100, 100, 100])));
    let [Element::Path(path)] = elements.as_slice() else { panic!() };
    assert_eq!(ends(path), [at(0.0, 100.0), at(50.0, 100.0)]);
}

#[test]
fn cut_data_and_missing_windows_are_reported() {
    assert_eq!(draw_with(&area(), &gdd(), &segment(&[0xC1, 9, 0, 0])).1, ["afp-graphics-cut"]);
    assert_eq!(draw_with(&area(), &gdd(), &segment(&[0xC7, 2, 0, 0])).1, ["afp-graphics-cut"]);
    assert_eq!(draw_with(&area(), &[], &[]).1, ["afp-graphics-order"]);
    assert_eq!(draw_with(&area(), &gdd()[..20], &[]).1, ["afp-graphics-cut", "afp-graphics-order"]);
}

#[test]
fn limits_stop_drawing() {
    let line = order(0xC1, &[], &[0, 0, 10, 10]);
    let many = segment(&line.repeat(100));
    let limits = Limits { page_elements: 10, ..Limits::default() };
    let mut notes = Vec::new();
    let drawn = graphics(&area(), &gdd(), &many, &NoFonts, &limits, &mut |code, _| notes.push(code));
    assert_eq!((drawn.len(), notes), (10, vec!["afp-graphics-limit"]));
}

/// A little of everything.
fn sample() -> Vec<u8> {
    let orders = [
        vec![0x0A, 2, 0x19, 2, 0x18, 3],
        order(0xC1, &[], &[0, 0, 100, 0, 100, 100]),
        vec![0x28, 0x0B, 0x68, 0xC0],
        order(0xC0, &[0, 0], &[200, 200, 900, 900, 20, 20]),
        order(0x22, &[], &[20, 10, 3, 4]),
        order(0xC7, &[], &[500, 500, 0x0280]),
        vec![0x60, 0],
        order(0xE5, &[], &[0, 0, 0, 50, 50, 100, 100, 100]),
        order(0xC5, &[], &[0, 0, 100, 0, 100, 100, 300, 50]),
        vec![0xE3, 18, 0, 0, 0, 0, 0x01, 0xF4, 0x01, 0xF4, 1, 0, 0, 0, 0, 0, 0, 90, 0, 0],
        vec![0x29, 5, 0xC2, 4, 0, 9, 0, 9, 0xC3, 6, 0, 100, 0, 100, 0xC1, 0xC2],
        vec![0xD1, 10, 0, 100, 0, 200, 0, 0, 0, 9, 0, 3, 0x92, 2, 0xAA, 0x80, 0x93, 0],
    ]
    .concat();
    segment(&orders)
}

#[test]
fn flipped_and_cut_data_neither_panics_nor_runs_on() {
    let (gdd, gad) = (gdd(), sample());
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    let limits = Limits { page_elements: 2000, ..Limits::default() };
    for mapping in [None, Some(0x10), Some(0x50), Some(0x60)] {
        let area = ObjectArea { mapping, width: Some(Lu(3000)), ..area() };
        for _ in 0..500 {
            let (mut gdd, mut gad) = (gdd.clone(), gad.clone());
            for _ in 0..=random() % 4 {
                let (i, j) = (random() % gad.len(), random() % gdd.len());
                gad[i] = [0, 0xFF, 0x80, u8::try_from(random() % 256).unwrap()][random() % 4];
                gdd[j] ^= if random() % 3 == 0 { 1 << (random() % 8) } else { 0 };
            }
            gad.truncate(gad.len() - random() % 20);
            graphics(&area, &gdd, &gad, &NoFonts, &limits, &mut |_, _| {});
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(gdd in proptest::collection::vec(any::<u8>(), 0..60), gad in proptest::collection::vec(any::<u8>(), 0..300)) {
        draw_with(&area(), &gdd, &gad);
        draw_with(&area(), &self::gdd(), &gad);
    }

    #[test]
    fn lines_come_out_where_they_were_put(points in proptest::collection::vec((0i16..1000, 0i16..1000), 2..30)) {
        let numbers: Vec<i16> = points.iter().flat_map(|(x, y)| [*x, *y]).collect();
        let drawn = path(&order(0xC1, &[], &numbers));
        let expected: Vec<_> = points.iter().map(|(x, y)| at(f64::from(*x), f64::from(*y))).collect();
        prop_assert_eq!(ends(&drawn), expected);
    }
}
