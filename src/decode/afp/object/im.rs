//! IM images, the bilevel images of old: one raster, or cells that are laid side by side and repeated.
//!
//! Rule: MO:DCA reference, appendix C, "IM Image Object". Ones are ink, zeros let through what lies under.

use super::place::Place;
use crate::decode::afp::bytes::u16_at;
use crate::decode::afp::color;
use crate::decode::afp::field::{FieldId, Fields};
use crate::decode::afp::{Limits, Report, units};
use crate::page::{Color, Element, Image, Lu, PlacedImage, Rule, Samples};

const IOC: FieldId = FieldId([0xD3, 0xA7, 0x7B]);
const IID: FieldId = FieldId([0xD3, 0xA6, 0x7B]);
const ICP: FieldId = FieldId([0xD3, 0xAC, 0x7B]);
const IRD: FieldId = FieldId([0xD3, 0xEE, 0x7B]);

/// Resolution where the descriptor is missing or states none.
const DEFAULT_UNITS: u16 = 2400;
/// One image point is one pel.
const SINGLE: u16 = 0x03E8;
/// One image point is two pels.
const DOUBLE: u16 = 0x07D0;
/// In a cell: the default of the descriptor, or the size of the cell itself.
const DEFAULT: u16 = 0xFFFF;

/// A cell: where it lies, its own size, and the rectangle that it fills, in image points.
#[derive(Debug, Default)]
struct Cell {
    at: [u16; 2],
    size: [u16; 2],
    fill: [u16; 2],
    data: Vec<u8>,
}

/// Draws an IM image from its structured fields. `x` and `y` are where its coordinates begin: the origin of the page, or the
/// point where the page segment is included; `turns` is how far these are turned there, in quarter turns clockwise.
pub fn im_image(x: Lu, y: Lu, turns: u8, fields: &Fields, limits: &Limits, report: &mut Report<'_>) -> Vec<Element> {
    let field = |id: FieldId| fields.iter().find(|field| field.id == id).map(|field| field.data);
    let Some(iid) = field(IID) else {
        report("afp-image-damaged", "an IM image has no descriptor".into());
        return Vec::new();
    };
    let ioc = field(IOC).unwrap_or_default();
    let pitch = [pitch(iid, 14), pitch(iid, 16)];
    let place = place([x, y], turns, ioc, pitch);
    let ink = color::named(u16_at(iid, 34).unwrap_or(DEFAULT)).unwrap_or(Color::BLACK);
    let mut budget = limits.image_samples;
    let mut elements = Vec::new();
    for cell in cells(fields, iid) {
        if elements.len() >= limits.page_elements {
            break;
        }
        if cell.data.is_empty() {
            report("afp-image-empty", "an IM image holds no image data".into());
            continue;
        }
        match draw(&cell, &place, pitch, ink, &mut budget) {
            Some(element) => elements.extend(element),
            None => report("afp-image-too-large", "an IM image has more samples than allowed".into()),
        }
    }
    elements
}

/// Logical units of one image point.
fn pitch(iid: &[u8], at: usize) -> f64 {
    let units = u16_at(iid, at).filter(|units| *units > 0).unwrap_or(DEFAULT_UNITS);
    f64::from(Lu::PER_INCH) * 10.0 / f64::from(units)
}

/// The object area: its offset counts in image points, its mapping doubles points.
fn place([x, y]: [Lu; 2], turns: u8, ioc: &[u8], pitch: [f64; 2]) -> Place {
    let offset = |at: usize| match ioc.get(at..).and_then(<[u8]>::first_chunk::<3>) {
        // In a page segment of line data: the current position, which is the point of inclusion.
        Some([_, 0xFF, 0xFF]) | None => 0.0,
        Some([high, middle, low]) => f64::from(u32::from_be_bytes([0, *high, *middle, *low])),
    };
    let start = Place { origin: [f64::from(x.0), f64::from(y.0)], scale: [1.0, 1.0], turns: turns & 3, clip: None };
    let quarter = |code: u16| units::turns(code).unwrap_or(0);
    let scale = |at: usize| match u16_at(ioc, at) {
        Some(DOUBLE) => 2.0,
        Some(SINGLE) | None | Some(_) => 1.0,
    };
    Place {
        origin: start.exact(offset(0) * pitch[0], offset(3) * pitch[1]),
        scale: [scale(18), scale(20)],
        turns: (turns + quarter(u16_at(ioc, 6).unwrap_or(0))) & 3,
        clip: None,
    }
}

/// The raster of a simple image as one cell, or the cells of a complex one.
fn cells(fields: &Fields, iid: &[u8]) -> Vec<Cell> {
    let size = |at: usize| u16_at(iid, at).unwrap_or(0);
    let whole = [size(18), size(20)];
    let mut cells = Vec::new();
    let mut cell = Cell { at: [0, 0], size: whole, fill: whole, data: Vec::new() };
    let mut open = false;
    for field in fields.iter() {
        match field.id {
            ICP => {
                if open {
                    cells.push(std::mem::take(&mut cell));
                }
                let number = |at: usize| u16_at(field.data, at).unwrap_or(DEFAULT);
                let or = |value: u16, default: u16| if value == DEFAULT { default } else { value };
                let size = [or(number(4), size(28)), or(number(6), size(30))];
                let fill = [or(number(8), size[0]), or(number(10), size[1])];
                cell = Cell { at: [or(number(0), 0), or(number(2), 0)], size, fill, data: Vec::new() };
                open = true;
            }
            IRD => {
                cell.data.extend_from_slice(field.data);
                open = true;
            }
            _ => {}
        }
    }
    cells.push(cell);
    cells
}

/// A cell as a picture, as a rule when it is all ink, or as nothing when it has none; `None` when it is too large.
fn draw(cell: &Cell, place: &Place, pitch: [f64; 2], ink: Color, budget: &mut usize) -> Option<Option<Element>> {
    let [width, height] = cell.fill.map(u32::from);
    if width == 0 || height == 0 || cell.size.contains(&0) {
        return Some(None);
    }
    let [left, top] = cell.at.map(f64::from);
    let boxed = place.boxed(left * pitch[0], top * pitch[1], f64::from(width) * pitch[0], f64::from(height) * pitch[1]);
    let stride = usize::from(cell.size[0]).div_ceil(8);
    let rows = |row: usize| cell.data.get(row * stride..(row + 1) * stride).unwrap_or_default();
    let used = [cell.size[0].min(cell.fill[0]), cell.size[1].min(cell.fill[1])];
    let [all, any] = (0..usize::from(used[1]))
        .map(|row| inked(rows(row), used[0]))
        .fold([true, false], |so_far, row| [so_far[0] && row[0], so_far[1] || row[1]]);
    if !any {
        return Some(None);
    }
    if all {
        let [x, y, width, height] = boxed.on_page(place.turns);
        return Some(Some(Element::Rule(Rule { x, y, width, height, color: ink, decoration: true })));
    }
    let out_stride = width.div_ceil(8) as usize;
    *budget = budget.checked_sub(out_stride * height as usize)?;
    let mut data = Vec::with_capacity(out_stride * height as usize);
    for row in 0..usize::from(cell.fill[1]) {
        // After the first round rows repeat.
        match row.checked_sub(usize::from(cell.size[1])) {
            None => push_row(&mut data, rows(row), usize::from(cell.size[0]), width as usize),
            Some(before) => data.extend_from_within(before * out_stride..(before + 1) * out_stride),
        }
    }
    let image = Image::new(width, height, Samples::Bits { data, ink, paper: None });
    Some(Some(Element::Image(PlacedImage {
        x: boxed.x,
        y: boxed.y,
        width: boxed.width,
        height: boxed.height,
        turns: place.turns,
        image,
        clip: None,
        alt: String::new(),
    })))
}

/// Whether all of the first bits of a row are ink, and whether any is.
fn inked(row: &[u8], width: u16) -> [bool; 2] {
    let (mut all, mut any) = (true, false);
    for at in 0..usize::from(width).div_ceil(8) {
        let left = usize::from(width) - at * 8;
        let wanted = if left < 8 { !(0xFFu8 >> left) } else { 0xFF };
        let bits = row.get(at).copied().unwrap_or(0) & wanted;
        all &= bits == wanted;
        any |= bits != 0;
    }
    [all, any]
}

/// Appends a row of `width` bits that repeats the first `cell` bits of `row`.
fn push_row(out: &mut Vec<u8>, row: &[u8], cell: usize, width: usize) {
    let bit = |at: usize| row.get(at / 8).copied().unwrap_or(0) >> (7 - at % 8) & 1;
    for start in (0..width).step_by(8) {
        let mut byte = 0;
        for at in start..(start + 8).min(width) {
            byte |= bit(at % cell) << (7 - at % 8);
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::afp::field::Field;

    fn iid(width: u16, height: u16, color: u16) -> Vec<u8> {
        let mut data = vec![0, 0, 9, 0x60, 9, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0x60, 9, 0x60];
        data.extend(width.to_be_bytes());
        data.extend(height.to_be_bytes());
        data.extend([0, 0, 0, 0, 0x2D, 0, 0, 8, 0, 2, 0, 1]);
        data.extend(color.to_be_bytes());
        data
    }

    fn ioc(x: u16, y: u16, rotation: u16, map: u16) -> Vec<u8> {
        let mut data = vec![0];
        data.extend(x.to_be_bytes());
        data.push(0);
        data.extend(y.to_be_bytes());
        data.extend(rotation.to_be_bytes());
        data.extend([0; 10]);
        data.extend(map.to_be_bytes());
        data.extend(map.to_be_bytes());
        data.extend([0xFF, 0xFF]);
        data
    }

    fn drawn(list: &[(FieldId, Vec<u8>)]) -> (Vec<Element>, Vec<&'static str>) {
        let mut fields = Fields::default();
        for (id, data) in list {
            fields.push(Field { id: *id, data, offset: 0 });
        }
        let mut notes = Vec::new();
        let mut report = |code, _| notes.push(code);
        let elements = im_image(Lu(1000), Lu(2000), 0, &fields, &Limits::default(), &mut report);
        (elements, notes)
    }

    fn picture(element: &Element) -> &PlacedImage {
        match element {
            Element::Image(image) => image,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_simple_image_lies_at_its_offset_in_image_points() {
        let rows = vec![0x80, 0x40, 0x01, 0x00];
        let (elements, notes) = drawn(&[(IOC, ioc(10, 20, 0, SINGLE)), (IID, iid(10, 2, 2)), (IRD, rows.clone())]);
        let image = picture(&elements[0]);
        assert_eq!((image.x, image.y, image.width, image.height), (Lu(1600), Lu(3200), Lu(600), Lu(120)));
        let red = Color { r: 255, g: 0, b: 0 };
        assert_eq!(image.image, Image::new(10, 2, Samples::Bits { data: rows, ink: red, paper: None }));
        assert!(notes.is_empty());
    }

    #[test]
    fn rotation_and_double_dot() {
        for (code, turns) in [(0, 0), (0x2D00, 1), (0x5A00, 2), (0x8700, 3)] {
            let (elements, _) = drawn(&[(IOC, ioc(10, 20, code, DOUBLE)), (IID, iid(8, 1, 8)), (IRD, vec![0x80])]);
            let image = picture(&elements[0]);
            assert_eq!((image.x, image.y, image.turns), (Lu(1600), Lu(3200), turns));
            assert_eq!((image.width, image.height), (Lu(960), Lu(120)));
        }
    }

    #[test]
    fn a_cell_repeats_until_its_rectangle_is_full() {
        let icp = vec![0, 1, 0, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0, 12, 0, 3];
        let (elements, _) = drawn(&[(IID, iid(0, 0, 8)), (ICP, icp), (IRD, vec![0xAA, 0x01])]);
        let image = picture(&elements[0]);
        assert_eq!((image.x, image.y, image.width, image.height), (Lu(1060), Lu(2120), Lu(720), Lu(180)));
        let Samples::Bits { data, .. } = image.image.samples() else { panic!() };
        assert_eq!(data, &[0xAA, 0xA0, 0x01, 0x00, 0xAA, 0xA0]);
    }

    #[test]
    fn cells_of_ink_are_rules_and_cells_of_paper_nothing() {
        let icp = |x| vec![0, x, 0, 0, 0, 8, 0, 1, 0x20, 0, 0x20, 0];
        let (elements, notes) = drawn(&[
            (IOC, ioc(0, 0, 0x5A00, SINGLE)),
            (IID, iid(0, 0, 8)),
            (ICP, icp(0)),
            (IRD, vec![0xFF]),
            (ICP, icp(9)),
            (IRD, vec![0]),
        ]);
        let [Element::Rule(rule)] = elements.as_slice() else { panic!("{elements:?}") };
        assert_eq!((rule.x, rule.y), (Lu(1000 - 8192 * 60), Lu(2000 - 8192 * 60)));
        assert!(notes.is_empty());
    }

    #[test]
    fn huge_rectangles_and_missing_parts_are_reported() {
        let icp = vec![0, 0, 0, 0, 0, 8, 0, 1, 0x7F, 0xFF, 0x7F, 0xFF];
        let mut list = vec![(IID, iid(0, 0, 8))];
        for _ in 0..3 {
            list.extend([(ICP, icp.clone()), (IRD, vec![0xAA])]);
        }
        let (elements, notes) = drawn(&list);
        assert_eq!((elements.len(), notes), (1, vec!["afp-image-too-large"; 2]));
        assert_eq!(drawn(&[(IRD, vec![1])]).1, ["afp-image-damaged"]);
        assert_eq!(drawn(&[(IID, iid(8, 8, 8))]).1, ["afp-image-empty"]);
    }
}
