//! Triplets: the self-describing parameters inside structured fields (MO:DCA Reference, "Triplets").
//!
//! `length, id, data`; the length counts itself and the id. A length that cannot be ends the list, what stands before it is
//! kept.

use crate::page::Color;

/// Coded graphic character set global id.
pub const CHARACTER_SET: u8 = 0x01;
/// Fully qualified name.
pub const NAME: u8 = 0x02;
/// Mapping option.
pub const MAPPING: u8 = 0x04;
/// Object classification.
pub const CLASSIFICATION: u8 = 0x10;
/// Font descriptor.
pub const FONT_DESCRIPTOR: u8 = 0x1F;
/// Font coded graphic character set global id.
pub const FONT_CODE_SET: u8 = 0x20;
/// Resource object type.
pub const RESOURCE_TYPE: u8 = 0x21;
/// Extended resource local id.
pub const EXTENDED_LID: u8 = 0x22;
/// Resource local id.
pub const LID: u8 = 0x24;
/// Resource section number.
pub const SECTION: u8 = 0x25;
/// Character rotation.
pub const ROTATION: u8 = 0x26;
/// Object byte offset.
pub const BYTE_OFFSET: u8 = 0x2D;
/// Attribute value.
pub const VALUE: u8 = 0x36;
/// Descriptor position.
pub const POSITION: u8 = 0x43;
/// Measurement units.
pub const UNITS: u8 = 0x4B;
/// Object area size.
pub const AREA_SIZE: u8 = 0x4C;
/// Colour specification.
pub const COLOR: u8 = 0x4E;
/// Encoding scheme.
pub const ENCODING: u8 = 0x50;
/// Object offset.
pub const OBJECT_OFFSET: u8 = 0x5A;
/// Font horizontal scale factor.
pub const HORIZONTAL_SCALE: u8 = 0x5D;
/// Object count.
pub const OBJECT_COUNT: u8 = 0x5E;
/// Comment.
pub const COMMENT: u8 = 0x65;
/// Medium orientation.
pub const ORIENTATION: u8 = 0x68;
/// Resource object include.
pub const INCLUDE: u8 = 0x6C;
/// Presentation space reset.
pub const RESET: u8 = 0x70;
/// Attribute qualifier.
pub const QUALIFIER: u8 = 0x80;
/// Page position information.
pub const PAGE_POSITION: u8 = 0x81;
/// Presentation control.
pub const PRESENTATION: u8 = 0x83;
/// Data-object font descriptor.
pub const DATA_FONT: u8 = 0x8B;
/// Image resolution.
pub const RESOLUTION: u8 = 0x9A;
/// Container presentation space size.
pub const CONTAINER_SIZE: u8 = 0x9C;
/// Triplet extender.
pub const EXTENDER: u8 = 0xFF;

/// One triplet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Triplet<'a> {
    /// Its id.
    pub id: u8,
    /// Its data, behind length and id.
    pub data: &'a [u8],
}

/// The triplets of `bytes`, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Triplets<'a>(pub &'a [u8]);

impl<'a> Iterator for Triplets<'a> {
    type Item = Triplet<'a>;

    fn next(&mut self) -> Option<Triplet<'a>> {
        let (length, id) = (usize::from(*self.0.first()?), *self.0.get(1)?);
        let data = self.0.get(2..length)?;
        self.0 = self.0.get(length..).unwrap_or_default();
        Some(Triplet { id, data })
    }
}

/// The data of the first triplet of this id.
pub fn find(triplets: &[u8], id: u8) -> Option<&[u8]> {
    Triplets(triplets).find(|triplet| triplet.id == id).map(|triplet| triplet.data)
}

/// The data of a triplet with what extenders behind it add.
pub fn extended(triplets: &[u8], id: u8) -> Option<Vec<u8>> {
    let mut all = Triplets(triplets).skip_while(|triplet| triplet.id != id);
    let mut data = all.next()?.data.to_vec();
    for more in all.take_while(|triplet| triplet.id == EXTENDER) {
        data.extend_from_slice(more.data.get(2..).unwrap_or_default());
    }
    Some(data)
}

/// Two bytes of `data`.
pub fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*data.get(at..)?.first_chunk()?))
}

/// Three bytes of `data`, unsigned.
pub fn u24_at(data: &[u8], at: usize) -> Option<u32> {
    let [a, b, c] = *data.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes([0, a, b, c]))
}

/// Three bytes of `data`, signed.
pub fn s24_at(data: &[u8], at: usize) -> Option<i32> {
    let [a, b, c] = *data.get(at..)?.first_chunk()?;
    Some(i32::from_be_bytes([a, b, c, 0]) >> 8)
}

/// An extent of three bytes; all zeros and all ones say that it is not given.
pub fn extent_at(data: &[u8], at: usize) -> Option<u32> {
    u24_at(data, at).filter(|extent| !matches!(extent, 0 | 0xFF_FFFF))
}

/// Kinds of fully qualified names.
pub mod name_type {
    /// Replaces the name of the field.
    pub const REPLACE: u8 = 0x01;
    /// Font family name.
    pub const FAMILY: u8 = 0x07;
    /// Font typeface name.
    pub const TYPEFACE: u8 = 0x08;
    /// Attribute.
    pub const ATTRIBUTE: u8 = 0x0B;
    /// Page group.
    pub const GROUP: u8 = 0x0D;
    /// Resource object, or a GRID.
    pub const RESOURCE: u8 = 0x84;
    /// Code page.
    pub const CODE_PAGE: u8 = 0x85;
    /// Font character set.
    pub const CHARACTER_SET: u8 = 0x86;
    /// Page.
    pub const PAGE: u8 = 0x87;
    /// Index element.
    pub const INDEX_ELEMENT: u8 = 0xCA;
    /// Medium map.
    pub const MEDIUM_MAP: u8 = 0x8D;
    /// Coded font.
    pub const CODED_FONT: u8 = 0x8E;
    /// Local id of a data resource.
    pub const INTERNAL: u8 = 0xBE;
    /// Other object data.
    pub const OTHER_OBJECT: u8 = 0xCE;
    /// External resource.
    pub const EXTERNAL: u8 = 0xDE;
}

/// The bytes of the first fully qualified name of this type.
pub fn name(triplets: &[u8], kind: u8) -> Option<&[u8]> {
    names(triplets).find(|(found, _)| *found == kind).map(|(_, name)| name)
}

/// All fully qualified names: type and bytes.
pub fn names(triplets: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    Triplets(triplets)
        .filter(|triplet| triplet.id == NAME)
        .filter_map(|triplet| Some((*triplet.data.first()?, triplet.data.get(2..)?)))
}

/// Whether an area is painted in the colour of the medium before anything else.
pub fn resets(triplets: &[u8]) -> bool {
    find(triplets, RESET).and_then(<[u8]>::first).is_some_and(|flags| flags & 0x80 != 0)
}

/// The object OID of a classification triplet: 16 bytes, filled up with zeros.
pub fn object_oid(triplets: &[u8]) -> Option<&[u8]> {
    find(triplets, CLASSIFICATION)?.get(6..22)
}

/// Units per inch along x and y: of bases and units as PGD, PTD and the measurement units triplet hold them.
pub fn units_per_inch(data: &[u8]) -> Option<[f64; 2]> {
    let [x_base, y_base] = *data.first_chunk()?;
    let per_inch = |base: u8, units: u16| {
        let units = f64::from(units);
        match base {
            _ if units == 0.0 => None,
            0 => Some(units / 10.0),
            1 => Some(units * 0.254),
            _ => None,
        }
    };
    Some([per_inch(x_base, u16_at(data, 2)?)?, per_inch(y_base, u16_at(data, 4)?)?])
}

/// The colour of a colour specification triplet; `None` for the default colour and in unknown spaces.
pub fn color(triplets: &[u8]) -> Option<Color> {
    super::color::color(find(triplets, COLOR)?.get(1..)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_cannot_be_ends_the_list() {
        let ids = |bytes: &[u8]| Triplets(bytes).map(|triplet| triplet.id).collect::<Vec<_>>();
        assert_eq!(ids(b"\x03\x04\x20\x04\x24\x05\x01"), [4, 0x24]);
        assert_eq!(ids(b"\x03\x04\x20\x00\x24\x05\x01"), [4]);
        assert_eq!(ids(b"\x03\x04\x20\x09\x24"), [4]);
        assert_eq!(ids(b"\x03"), [0_u8; 0]);
    }

    #[test]
    fn extenders_lengthen_what_stands_before_them() {
        let value = extended(b"\x06\x36\0\0ab\x06\xFF\0\0cd\x04\x24\x05\x01", VALUE);
        assert_eq!(value.as_deref(), Some(&b"\0\0abcd"[..]));
    }

    #[test]
    fn units_are_per_ten_inches_or_ten_centimetres() {
        assert_eq!(units_per_inch(&[0, 0, 0x38, 0x40, 0x09, 0x60]), Some([1440.0, 240.0]));
        let metric = units_per_inch(&[1, 1, 0x27, 0x10, 0x27, 0x10]).unwrap();
        assert!((metric[0] - 2540.0).abs() < 1e-9);
        assert_eq!(units_per_inch(&[0, 0, 0, 0, 9, 9]), None);
    }

    #[test]
    fn numbers_of_three_bytes_keep_their_sign() {
        assert_eq!(s24_at(&[0xFF, 0xFF, 0xFE], 0), Some(-2));
        assert_eq!(u24_at(&[0x01, 0x00, 0x02], 0), Some(0x01_0002));
        assert_eq!(s24_at(&[1, 2], 0), None);
    }
}
