//! Which resources fields ask for.

use super::field::Field;
use super::fontmap::{FontMap, maps_fonts, names};
use super::formdef::{groups16, medium_maps};
use super::id;
use super::store::kind;
use super::text::{Charset, full_name, token};
use super::triplet::{self, name_type};

/// What an including or mapping field asks for: possible types, and the names one of which is enough.
pub fn of_include(field: &Field<'_>, charset: Charset) -> Vec<(&'static [u8], Vec<String>)> {
    let one = || token(field.data, Charset::Default).into_iter().collect::<Vec<_>>();
    match field.id {
        id::IPO => vec![(&[kind::OVERLAY], one())],
        id::IPS => vec![(&[kind::SEGMENT, kind::IMAGE], one())],
        id::IOB => {
            let object_type = field.data.get(9).copied().unwrap_or(0);
            vec![(super::draw::included_kinds(object_type), super::draw::included_names(field.data, charset))]
        }
        id::MPO => groups16(field.data)
            .filter_map(|group| Some(full_name(triplet::name(group, name_type::RESOURCE)?, group, charset)))
            .map(|name| (&[kind::OVERLAY][..], vec![name]))
            .collect(),
        id::MPS => field
            .data
            .get(4..)
            .unwrap_or_default()
            .chunks(12)
            .filter_map(|group| token(group.get(4..12)?, Charset::Default))
            .map(|name| (&[kind::SEGMENT, kind::IMAGE][..], vec![name]))
            .collect(),
        _ => Vec::new(),
    }
}

/// A resource that is asked for: possible types, and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Types, the likeliest first.
    pub kinds: &'static [u8],
    /// Its name.
    pub name: String,
}

/// What a font mapping may name.
const FONTS: &[u8] = &[kind::CODED_FONT, kind::CHARACTER_SET, kind::CODE_PAGE, kind::CONTAINER];
/// What a map of data resources may name besides fonts.
const OBJECTS: &[u8] = &[kind::CONTAINER, kind::IMAGE, kind::GRAPHICS, kind::BAR_CODE];

impl Wanted {
    /// A medium map.
    pub fn map(name: String) -> Wanted {
        Wanted { kinds: &[kind::MEDIUM_MAP], name }
    }
}

/// All resources that fields ask for.
pub fn all<'f>(fields: impl Iterator<Item = Field<'f>>, charset: Charset) -> Vec<Wanted> {
    let mut all = Vec::new();
    let of = |kinds: &'static [u8]| move |name: String| Wanted { kinds, name };
    for field in fields {
        match field.id {
            id::IPO | id::IPS | id::IOB | id::MPO | id::MPS => {
                for (kinds, names) in of_include(&field, charset) {
                    all.extend(names.into_iter().map(of(kinds)));
                }
            }
            id::IMM => all.extend(token(field.data, Charset::Default).map(Wanted::map)),
            id::CFI => {
                for group in field.data.chunks(25) {
                    let name = |at: usize| group.get(at..at + 8).and_then(|name| token(name, Charset::Default));
                    all.extend(name(0).map(of(&[kind::CHARACTER_SET])));
                    all.extend(name(8).map(of(&[kind::CODE_PAGE])));
                }
            }
            fonts if maps_fonts(fonts) => {
                let map = FontMap::of([field].into_iter(), charset);
                let named = map.iter().flat_map(|mapped| names(&mapped.request)).map(str::to_owned);
                all.extend(named.map(of(FONTS)));
                all.extend(object_names(field.data, charset).into_iter().map(of(OBJECTS)));
            }
            _ => {}
        }
    }
    all
}

/// Names of objects that are no fonts, in an MDR.
fn object_names(data: &[u8], charset: Charset) -> Vec<String> {
    let of_group = |group| {
        triplet::names(group)
            .filter(|(kind, _)| matches!(*kind, name_type::RESOURCE | name_type::OTHER_OBJECT | name_type::EXTERNAL))
            .map(move |(_, name)| full_name(name, group, charset))
            .collect::<Vec<_>>()
    };
    groups16(data).flat_map(of_group).collect()
}

/// The numbers by which an image includes tile resources (IOCA, Include Tile), and the names of the resources: an MDR maps
/// them with FQN type X'BE' or an extended local id beside the name.
pub fn tiles<'f>(fields: impl Iterator<Item = Field<'f>>, charset: Charset) -> Vec<(u32, String)> {
    let mut all = Vec::new();
    for field in fields.filter(|field| field.id == id::MDR) {
        for group in groups16(field.data) {
            let internal = triplet::name(group, name_type::INTERNAL);
            let extended = triplet::find(group, triplet::EXTENDED_LID).and_then(|data| data.get(1..));
            let number = internal.or(extended).filter(|bytes| (1..=4).contains(&bytes.len()));
            let Some(number) = number else { continue };
            let number = number.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
            let of_object = |kind| matches!(kind, name_type::RESOURCE | name_type::OTHER_OBJECT | name_type::EXTERNAL);
            let names = triplet::names(group).filter(|(kind, _)| of_object(*kind));
            all.extend(names.map(|(_, name)| (number, full_name(name, group, charset))));
        }
    }
    all
}

/// The overlays that a form map's medium maps print.
pub fn of_maps<'f>(fields: impl Iterator<Item = Field<'f>>) -> Vec<Wanted> {
    let maps = medium_maps(fields);
    let names = maps.iter().flat_map(|map| map.overlay_names());
    names.map(|name| Wanted { kinds: &[kind::OVERLAY], name: name.to_owned() }).collect()
}
