//! What a page must hold, worked out from what was encoded by geometry of its own.

use super::writer::{PAGE, packed};
use super::*;
use crate::page::pixels::pixels;
use crate::page::{Color, PlacedImage, Rule, Step, TextRun};

/// The directions of I and B on the page for each of the axes that [`super::writer`] writes.
const VECTORS: [[[i32; 2]; 2]; 8] = [
    [[1, 0], [0, 1]],
    [[0, 1], [-1, 0]],
    [[-1, 0], [0, -1]],
    [[0, -1], [1, 0]],
    [[0, 1], [1, 0]],
    [[-1, 0], [0, 1]],
    [[0, -1], [-1, 0]],
    [[1, 0], [0, -1]],
];

/// The standard OCA colours 1 to 16 (MO:DCA, "Standard OCA Color Value Table").
const NAMED: [u32; 16] = [
    0x0000FF, 0xFF0000, 0xFF00FF, 0x00FF00, 0x00FFFF, 0xFFFF00, 0xFFFFFF, 0x000000, 0x0000AA, 0xFF8000, 0xAA00AA,
    0x009200, 0x0092AA, 0xC4A020, 0x838383, 0x903000,
];

fn color(ink: Ink) -> [u8; 3] {
    match ink {
        Ink::Named(value) => {
            let [_, r, g, b] = NAMED[usize::from(value) - 1].to_be_bytes();
            [r, g, b]
        }
        Ink::Rgb(value) => value,
        Ink::Cmyk([c, m, y, k]) => {
            let light = |ink: u8| (u32::from(255 - ink) * u32::from(255 - k) * 2 + 255) / 510;
            [c, m, y].map(|ink| u8::try_from(light(ink)).unwrap())
        }
    }
}

/// Colours may be rounded in another order.
fn same_color(found: Color, ink: Ink) {
    let near = [found.r, found.g, found.b].iter().zip(color(ink)).all(|(a, b)| a.abs_diff(b) <= 1);
    assert!(near, "{found:?} is not {ink:?}");
}

/// Groups, page numbers and tags.
pub(super) fn check_tags(unit: &Unit, group: &Group, page: usize, number: usize) {
    let expected: Vec<(&str, &str)> =
        group.tags.iter().chain(&group.pages[page].tags).map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let found: Vec<(&str, &str)> = unit.tags.iter().map(|tag| (&*tag.name, &*tag.value)).collect();
    assert_eq!(found, expected);
    assert_eq!(unit.page, number as u64 + 1);
    assert_eq!(unit.group_starts.is_some(), page == 0);
    assert_eq!(unit.group_ends, page + 1 == group.pages.len());
}

/// Everything that stands on a page, in order.
pub(super) fn check_page(stream: &Stream, sheet: &Sheet, page: &Page) {
    assert_eq!([page.width.0, page.height.0], PAGE.map(|side| 10 * side as i32));
    let mut elements = page.elements.iter();
    for thing in &sheet.things {
        check(stream, thing, [0, 0], &mut elements);
    }
    assert_eq!(elements.next(), None);
}

fn check(stream: &Stream, thing: &Thing, shift: [i32; 2], elements: &mut std::slice::Iter<'_, Element>) {
    if let Thing::Segment { number, at } = thing {
        return stream.segments[*number].iter().for_each(|inner| check(stream, inner, at.map(lu), elements));
    }
    let element = elements.next().unwrap_or_else(|| panic!("nothing came of {thing:?}"));
    match (thing, element) {
        (Thing::Text { .. }, Element::Text(run)) => check_text(thing, run),
        (Thing::Rule { .. }, Element::Rule(rule)) => check_rule(thing, rule),
        (Thing::Raster { spot, dots, double, color }, Element::Image(image)) => {
            // Dots of 1/240 inch, also in the position.
            let pel = if *double { 120 } else { 60 };
            let at = [spot.x, spot.y].map(|at| i32::from(at) * 60);
            check_image(image, [at[0] + shift[0], at[1] + shift[1]], spot.turns, pel_size(dots, pel), dots, *color);
        }
        (Thing::Image { spot, dots, area, color }, Element::Image(image)) => {
            let size = area.map_or(pel_size(dots, 24), |area| area.map(lu));
            check_image(image, corner(*spot, shift), spot.turns, size, dots, *color);
        }
        (Thing::Graphics { .. }, Element::Path(path)) => check_path(thing, shift, path),
        (Thing::Bars { spot, at, kind, color }, Element::Barcode(code)) => {
            let (symbology, value) = match kind {
                BarKind::Code39(value) => ("Code 39", value),
                BarKind::Code128(value) => ("Code 128", value),
                BarKind::Interleaved(value) => ("Interleaved 2 of 5", value),
                BarKind::Qr(value) => ("QR Code", value),
            };
            assert_eq!((code.symbology.as_str(), &code.value), (symbology, value));
            same_color(code.bars.fill.unwrap(), Ink::Named(*color));
            check_first_corner(&code.bars.steps, corner(*spot, shift), spot.turns, at.map(lu));
        }
        (Thing::Overlay { number, spot }, Element::Form(placed)) => {
            assert_eq!(([placed.x.0, placed.y.0], placed.turns), (corner(*spot, shift), spot.turns));
            assert_eq!(placed.form.name, format!("O1{number}"));
            let mut inner = placed.form.elements.iter();
            stream.overlays[*number].iter().for_each(|thing| check(stream, thing, [0, 0], &mut inner));
            assert_eq!(inner.next(), None);
        }
        (thing, element) => panic!("{thing:?} became {element:?}"),
    }
}

/// 1/1440 inch in logical units.
fn lu(length: u16) -> i32 {
    i32::from(length) * 10
}

fn corner(spot: Spot, shift: [i32; 2]) -> [i32; 2] {
    [lu(spot.x) + shift[0], lu(spot.y) + shift[1]]
}

fn pel_size(dots: &Dots, pel: i32) -> [i32; 2] {
    [dots[0].len(), dots.len()].map(|side| i32::try_from(side).unwrap() * pel)
}

/// A vector turned clockwise by quarter turns.
fn turned([x, y]: [i32; 2], turns: u8) -> [i32; 2] {
    (0..turns).fold([x, y], |[x, y], _| [-y, x])
}

/// A place in the axes of text on the page: axes that run backwards start at the far edge.
fn on_page(axes: usize, inline: i32, baseline: i32) -> [i32; 2] {
    let [i, b] = VECTORS[axes];
    let part = |at: usize| {
        let from = if i[at] + b[at] < 0 { 10 * PAGE[at] as i32 } else { 0 };
        from + 10 * (inline * i[at] + baseline * b[at])
    };
    [part(0), part(1)]
}

fn check_text(thing: &Thing, run: &TextRun) {
    let Thing::Text { axes, at, text, ink, font } = thing else { return };
    assert_eq!(&run.text, text);
    assert_eq!([run.x.0, run.y.0], on_page(*axes, at[0].into(), at[1].into()));
    let [i, _] = VECTORS[*axes];
    assert_eq!(turned([1, 0], run.turns), i);
    assert_eq!(run.size.0, [2000, 2400][usize::from(*font) - 1]);
    same_color(run.color, *ink);
}

fn check_rule(thing: &Thing, rule: &Rule) {
    let Thing::Rule { axes, at, length, width, inline, ink } = thing else { return };
    let [at, length, width] = [[at[0].into(), at[1].into()], [i32::from(*length), 0], [i32::from(*width), 0]];
    let [along, across] = if *inline { [length[0], width[0]] } else { [width[0], length[0]] };
    let [x0, y0] = on_page(*axes, at[0], at[1]);
    let [x1, y1] = on_page(*axes, at[0] + along, at[1] + across);
    assert_eq!([rule.x.0, rule.y.0], [x0.min(x1), y0.min(y1)]);
    assert_eq!([rule.width.0, rule.height.0], [(x1 - x0).abs(), (y1 - y0).abs()]);
    same_color(rule.color, *ink);
}

fn check_image(image: &PlacedImage, at: [i32; 2], turns: u8, size: [i32; 2], dots: &Dots, color: u16) {
    assert_eq!(([image.x.0, image.y.0], image.turns), (at, turns));
    assert_eq!([image.width.0, image.height.0], size);
    assert_eq!(image.clip, None);
    let found = pixels(&image.image, 1 << 20).unwrap();
    let [r, g, b] = super::check::color(Ink::Named(color));
    for (y, row) in dots.iter().enumerate() {
        for (x, dot) in row.iter().enumerate() {
            let [column, line] = [x, y].map(|at| u32::try_from(at).unwrap());
            let [pr, pg, pb, alpha] = found.rgba(column, line);
            assert_eq!(alpha == 255, *dot, "dot {x}, {y} of {:?}", packed(dots));
            assert!(!dot || [pr, pg, pb] == [r, g, b]);
        }
    }
}

fn ends(steps: &[Step]) -> Vec<[i32; 2]> {
    steps
        .iter()
        .filter_map(|step| if let Step::Move(to) | Step::Line(to) = step { Some(to.map(|l| l.0)) } else { None })
        .collect()
}

fn check_path(thing: &Thing, shift: [i32; 2], path: &crate::page::Path) {
    let Thing::Graphics { spot, points, filled, width, times, ink } = thing else { return };
    let [x, y] = corner(*spot, shift);
    let times = i32::from(*times);
    // The window's y axis points up.
    let place = |point: [i32; 2]| {
        let [dx, dy] = turned([point[0] * 10 * times, (1000 - point[1]) * 10 * times], spot.turns);
        [x + dx, y + dy]
    };
    let points: Vec<[i32; 2]> = points.iter().map(|point| point.map(i32::from)).collect();
    if *filled {
        let ([x0, y0], [x1, y1]) = (points[0], points[1]);
        assert_eq!(path.stroke, None);
        same_color(path.fill.unwrap(), *ink);
        // Where a box starts and which way round it goes is not to be seen.
        let distinct = |mut corners: Vec<[i32; 2]>| {
            corners.sort_unstable();
            corners.dedup();
            corners
        };
        assert_eq!(distinct(ends(&path.steps)), distinct([[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map(place).to_vec()));
    } else {
        let stroke = path.stroke.as_ref().unwrap();
        assert_eq!((path.fill, stroke.width.0), (None, (i32::from(*width) * 120).min(1872) * times));
        same_color(stroke.color, *ink);
        assert_eq!(ends(&path.steps), points.into_iter().map(place).collect::<Vec<_>>());
    }
}

/// The corner where a symbol starts, which its turn makes one of the four of its box.
fn check_first_corner(steps: &[Step], origin: [i32; 2], turns: u8, at: [i32; 2]) {
    let ends = ends(steps);
    let edge = |axis: usize, first: bool| {
        let all = ends.iter().map(|end| end[axis]);
        if first { all.min() } else { all.max() }
    };
    let found = match turns {
        0 => [edge(0, true), edge(1, true)],
        1 => [edge(0, false), edge(1, true)],
        2 => [edge(0, false), edge(1, false)],
        _ => [edge(0, true), edge(1, false)],
    };
    let [dx, dy] = turned(at, turns);
    assert_eq!(found, [Some(origin[0] + dx), Some(origin[1] + dy)]);
}
