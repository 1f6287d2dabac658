//! The active environment of a page or overlay: its size and units, its fonts, and where its text lies.

use std::sync::Arc;

use super::field::Field;
use super::fontmap::{FontMap, maps_fonts};
use super::store::Store;
use super::text::Charset;
use super::triplet::{self, s24_at, u16_at};
use super::units;
use super::{id, references};
use crate::page::{Color, Lu};

/// Paper where nothing says how large it is: US Letter.
const PAPER: [Lu; 2] = [Lu(122_400), Lu(158_400)];

/// What surrounds the content of a page or an overlay.
#[derive(Clone)]
pub struct Environment {
    /// Units per inch of its coordinates.
    pub units: [f64; 2],
    /// Width and height.
    pub size: [Lu; 2],
    /// Its paper is painted in this colour first.
    pub paper: Option<Color>,
    /// Fonts by local id.
    pub fonts: Arc<FontMap>,
    /// Tile resources of images: numbers and names.
    pub tiles: Vec<(u32, String)>,
    /// The descriptor of text without an environment of its own.
    pub descriptor: Vec<u8>,
    /// Where that text's space lies.
    pub text: Area,
}

/// A place for an object, in the coordinates of the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Area {
    /// Origin.
    pub x: Lu,
    /// Origin.
    pub y: Lu,
    /// Quarter turns clockwise about the origin.
    pub turns: u8,
    /// Extent along its own x axis.
    pub width: Option<Lu>,
    /// Extent along its own y axis.
    pub height: Option<Lu>,
    /// Offset of the content in it.
    pub content: [Lu; 2],
    /// It is painted in this colour first.
    pub paper: Option<Color>,
    /// It stands relative to the page even in a page segment.
    pub from_page: bool,
}

impl Environment {
    /// Of the fields of an active environment group.
    pub fn of(fields: &[Field<'_>], store: &Store, visible: usize, charset: Charset) -> Environment {
        let find = |id| fields.iter().find(|field| field.id == id).map(|field| field.data);
        let page = find(id::PGD).unwrap_or_default();
        let units = triplet::units_per_inch(page).unwrap_or([1440.0; 2]);
        let width = triplet::extent_at(page, 6).map(|width| units::extent(width, units[0]));
        let height = triplet::extent_at(page, 9).map(|height| units::extent(height, units[1]));
        let fonts: Vec<&Field<'_>> = fields.iter().filter(|field| maps_fonts(field.id)).collect();
        let text = Area::of(fields, units).unwrap_or_default();
        let fields_of = |id| fields.iter().copied().filter(move |field: &Field<'_>| field.id == id);
        Environment {
            units,
            size: [width.unwrap_or(PAPER[0]), height.unwrap_or(PAPER[1])],
            paper: paper(page.get(15..).unwrap_or_default()),
            fonts: store.font_map(&fonts, visible, charset),
            tiles: references::tiles(fields_of(id::MDR), charset),
            descriptor: find(id::PTD).or_else(|| find(id::PTD1)).unwrap_or_default().to_vec(),
            text,
        }
    }
}

/// Colour that an area is painted with: its own, or the medium's where it is reset.
fn paper(triplets: &[u8]) -> Option<Color> {
    let own = triplet::color(triplets);
    let reset = triplet::resets(triplets);
    own.or(reset.then_some(Color { r: 255, g: 255, b: 255 }))
}

impl Area {
    /// Of the object area descriptor and position among these fields; `units` are those of the page.
    pub fn of(fields: &[Field<'_>], units: [f64; 2]) -> Option<Area> {
        let descriptors: Vec<&[u8]> = data_of(fields, id::OBD);
        let positions: Vec<&[u8]> = data_of(fields, id::OBP);
        let descriptor = descriptors.first().copied().unwrap_or_default();
        let wanted = triplet::find(descriptor, triplet::POSITION).and_then(|position| position.first());
        let by_id = positions.iter().find(|position| position.first() == wanted && wanted.is_some());
        let position = by_id.or(positions.first()).copied().unwrap_or_default();
        if descriptor.is_empty() && position.is_empty() {
            return None;
        }
        let mut area = Area { paper: paper(descriptor), ..Area::default() };
        area.resize(descriptor, units);
        area.take_position(position, units, own_units(descriptor, units));
        Some(area)
    }

    /// Takes the size of an area from triplets.
    pub fn resize(&mut self, triplets: &[u8], units: [f64; 2]) {
        let own = own_units(triplets, units);
        let Some(size) = triplet::find(triplets, triplet::AREA_SIZE) else { return };
        self.width = triplet::extent_at(size, 1).map(|width| units::extent(width, own[0])).or(self.width);
        self.height = triplet::extent_at(size, 4).map(|height| units::extent(height, own[1])).or(self.height);
    }

    fn take_position(&mut self, position: &[u8], units: [f64; 2], own: [f64; 2]) {
        let length = |at, per_inch| s24_at(position, at).map_or(Lu(0), |length| units::lu(length, per_inch));
        self.x = length(2, units[0]);
        self.y = length(5, units[1]);
        self.turns = u16_at(position, 8).and_then(units::turns).unwrap_or(0);
        self.content = [length(13, own[0]), length(16, own[1])];
        self.from_page = position.get(23).is_some_and(|reference| *reference != 0);
    }
}

/// The units of an object area; those of the page where it names none.
pub fn own_units(triplets: &[u8], page: [f64; 2]) -> [f64; 2] {
    triplet::find(triplets, triplet::UNITS).and_then(triplet::units_per_inch).unwrap_or(page)
}

fn data_of<'f>(fields: &[Field<'f>], id: super::field::FieldId) -> Vec<&'f [u8]> {
    fields.iter().filter(|field| field.id == id).map(|field| field.data).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(id: super::super::field::FieldId, data: &[u8]) -> Field<'_> {
        Field { id, data, offset: 0 }
    }

    #[test]
    fn areas_take_the_position_that_their_descriptor_names() {
        let descriptor =
            [&[3, 0x43, 2][..], &[8, 0x4B, 0, 0, 9, 0x60, 9, 0x60], &[9, 0x4C, 2, 0, 1, 0x80, 0, 0, 0x60]].concat();
        let one = [1, 23, 0, 0, 9, 0, 0, 9, 0, 0, 0x2D, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x2D, 0, 0];
        let two = [2, 23, 0, 5, 0xAA, 0, 2, 0xAA, 0x2D, 0, 0x5A, 0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0x2D, 0, 1];
        let fields = [field(id::OBD, &descriptor), field(id::OBP, &one), field(id::OBP, &two)];
        let area = Area::of(&fields, [1440.0; 2]).unwrap();
        assert_eq!((area.x, area.y, area.turns), (Lu(14_500), Lu(6_820), 1));
        assert_eq!((area.width, area.height), (Some(Lu(384 * 60)), Some(Lu(96 * 60))));
        assert_eq!((area.content, area.from_page), ([Lu(24 * 60), Lu(0)], true));
        let other = Area::of(&fields[..2], [1440.0; 2]).unwrap();
        assert_eq!((other.x, other.turns, other.from_page), (Lu(90), 0, false));
    }
}
