//! Form definitions: what a medium map does to the pages printed under it (MO:DCA Reference, "Form Map", "Medium Map").

use super::field::Field;
use super::id;
use super::text::{Charset, full_name, token};
use super::triplet::{self, Triplets, name_type, s24_at, u16_at, u24_at};
use super::units;
use crate::page::Lu;

/// Where a page lies on its sheet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PagePosition {
    /// Offset from the medium's origin.
    pub x: Lu,
    /// Offset from the medium's origin.
    pub y: Lu,
    /// Quarter turns clockwise.
    pub turns: u8,
    /// Partition of an N-up sheet, or 0; whether it is for back sides.
    pub partition: u8,
    /// For back sides.
    pub back: bool,
    /// The variable page data is not printed.
    pub no_data: bool,
    /// The overlays of page modifications are not printed.
    pub no_overlays: bool,
    /// The page modification that applies; X'FF' all.
    pub modification: u8,
}

/// An overlay that a page modification prints with every page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOverlay {
    /// The page modification it belongs to.
    pub modification: u8,
    /// Name of the overlay.
    pub name: String,
    /// Place on the page.
    pub x: Lu,
    /// Place on the page.
    pub y: Lu,
    /// Quarter turns clockwise.
    pub turns: u8,
}

/// How the copies of one side of a sheet are modified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modification {
    id: u8,
    overlays: Vec<u8>,
    suppressed: Vec<u8>,
    duplex: bool,
    constant: bool,
    up: u8,
}

/// A medium map with the defaults of its form map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediumMap {
    /// Its name.
    pub name: String,
    /// Size of the medium.
    pub size: Option<[Lu; 2]>,
    positions: Vec<PagePosition>,
    page_overlays: Vec<PageOverlay>,
    overlays: Vec<(u8, String)>,
    modifications: Vec<Modification>,
    copies: Vec<u8>,
}

/// What a medium map does to one page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Side<'m> {
    /// Where it lies.
    pub position: PagePosition,
    /// Overlays of the sheet, drawn first, at its origin.
    pub medium_overlays: Vec<&'m str>,
    /// Overlays of the page, drawn before its own content.
    pub page_overlays: Vec<&'m PageOverlay>,
    /// Local ids of text suppressions.
    pub suppressed: &'m [u8],
    /// Nothing but overlays is printed.
    pub no_data: bool,
    /// Pages that share a side.
    pub up: u8,
}

impl MediumMap {
    /// Takes a field of the map, or of the document environment group that comes before all maps.
    pub fn take(&mut self, field: &Field<'_>, units: &mut [f64; 2]) {
        let data = field.data;
        match field.id {
            id::MDD => self.take_size(data, units),
            id::PGP => self.take_positions(data, *units),
            id::PGP1 => {
                let place = |at| Some(u24_at(data, at)?.min(i32::MAX.unsigned_abs()));
                if let (Some(x), Some(y)) = (place(0), place(3)) {
                    let (x, y) = (units::extent(x, units[0]), units::extent(y, units[1]));
                    let front = PagePosition { x, y, modification: 0xFF, ..PagePosition::default() };
                    self.positions = vec![front, PagePosition { back: true, ..front }];
                }
            }
            id::MMO => {
                let stride = usize::from(data.first().copied().unwrap_or(0)).max(12);
                for group in data.get(4..).unwrap_or_default().chunks(stride) {
                    if let (Some(lid), Some(name)) = (group.first(), group.get(4..12)) {
                        self.overlays.extend(token(name, Charset::Default).map(|name| (*lid, name)));
                    }
                }
            }
            id::MPO => {
                for group in groups16(data) {
                    let lid = triplet::find(group, triplet::LID).and_then(|lid| lid.get(1));
                    let name = triplet::name(group, name_type::RESOURCE);
                    if let (Some(lid), Some(name)) = (lid, name) {
                        self.overlays.push((*lid, full_name(name, group, Charset::Default)));
                    }
                }
            }
            id::MCC => self.copies = data.chunks_exact(6).filter_map(|group| group.last().copied()).collect(),
            id::MMC => self.take_modification(data),
            id::PMC => self.take_page_modification(data, *units),
            _ => {}
        }
    }

    fn take_size(&mut self, data: &[u8], units: &mut [f64; 2]) {
        *units = triplet::units_per_inch(data).unwrap_or(*units);
        let width = triplet::extent_at(data, 6).map(|width| units::extent(width, units[0]));
        let height = triplet::extent_at(data, 9).map(|height| units::extent(height, units[1]));
        self.size = width.zip(height).map(|(width, height)| [width, height]);
        let orientation = triplet::find(data.get(13..).unwrap_or_default(), triplet::ORIENTATION);
        if let (Some(size), Some([1 | 3 | 5, ..])) = (&mut self.size, orientation)
            && size[0] < size[1]
        {
            size.reverse();
        }
    }

    fn take_positions(&mut self, data: &[u8], units: [f64; 2]) {
        self.positions.clear();
        let mut rest = data.get(1..).unwrap_or_default();
        while let Some(&length) = rest.first() {
            let Some((group, later)) = rest.split_at_checked(usize::from(length)).filter(|_| length >= 10) else {
                break;
            };
            rest = later;
            let (Some(x), Some(y), Some(side)) = (s24_at(group, 1), s24_at(group, 4), group.get(9)) else { break };
            let flags = group.get(10).copied().unwrap_or(0);
            self.positions.push(PagePosition {
                x: units::lu(x, units[0]),
                y: units::lu(y, units[1]),
                turns: u16_at(group, 7).and_then(units::turns).unwrap_or(0),
                partition: side >> 4,
                back: side & 1 != 0,
                no_data: flags & 0x80 != 0,
                no_overlays: flags & 0x40 != 0,
                modification: group.get(11).copied().unwrap_or(0xFF),
            });
        }
    }

    /// Keywords of a medium modification (MO:DCA Reference, "Medium Modification Control").
    fn take_modification(&mut self, data: &[u8]) {
        let mut found = Modification { id: data.first().copied().unwrap_or(0), ..Modification::default() };
        for pair in data.get(2..).unwrap_or_default().chunks_exact(2) {
            match *pair {
                [0xF2, lid] => found.overlays.push(lid),
                [0xF3, lid] => found.suppressed.push(lid),
                [0xF4, mode] => found.duplex = mode > 1,
                [0xF9, mode] => found.constant = mode != 0,
                [0xFC, up] => found.up = up,
                _ => {}
            }
        }
        self.modifications.retain(|one| one.id != found.id);
        self.modifications.push(found);
    }

    fn take_page_modification(&mut self, data: &[u8], units: [f64; 2]) {
        let modification = data.first().copied().unwrap_or(0);
        let triplets = data.get(2..).unwrap_or_default();
        let units = triplet::find(triplets, triplet::UNITS).and_then(triplet::units_per_inch).unwrap_or(units);
        for include in Triplets(triplets).filter(|triplet| triplet.id == triplet::INCLUDE) {
            let (Some(0xDF), Some(name)) = (include.data.first(), include.data.get(1..9)) else { continue };
            let (x, y) = (s24_at(include.data, 9).unwrap_or(0), s24_at(include.data, 12).unwrap_or(0));
            let turns = u16_at(include.data, 15).and_then(units::turns).unwrap_or(0);
            if let Some(name) = token(name, Charset::Default) {
                let (x, y) = (units::lu(x, units[0]), units::lu(y, units[1]));
                self.page_overlays.push(PageOverlay { modification, name, x, y, turns });
            }
        }
    }

    fn modification(&self, id: Option<&u8>) -> Option<&Modification> {
        self.modifications.iter().find(|one| Some(&one.id) == id)
    }

    /// What happens to the page that is number `page` (from 0) since the map was invoked, in the first copy subgroup.
    /// `position`: the repeating group of the page position that the page itself asks for, from 1.
    pub fn side(&self, page: u8, position: Option<u8>) -> Side<'_> {
        let front = self.modification(self.copies.first()).or(self.modifications.first());
        let up = front.map_or(1, |front| front.up).max(1);
        let back = front.is_some_and(|front| front.duplex) && (page / up) % 2 == 1;
        let used = if back { self.modification(self.copies.get(1)).or(front) } else { front };
        let partition = if up > 1 { page % up + 1 } else { 0 };
        let by_number = position.and_then(|number| self.positions.get(usize::from(number).checked_sub(1)?));
        let fits = |one: &&PagePosition| one.back == back && (one.partition == partition || one.partition == 0);
        let position = by_number.or_else(|| self.positions.iter().find(fits)).or(self.positions.first());
        let position = position.copied().unwrap_or(PagePosition { modification: 0xFF, ..PagePosition::default() });
        let named = |lid: &u8| self.overlays.iter().find(|(known, _)| known == lid).map(|(_, name)| name.as_str());
        Side {
            position,
            medium_overlays: match used {
                Some(used) if up <= 1 => used.overlays.iter().filter_map(named).collect(),
                _ => Vec::new(),
            },
            page_overlays: self
                .page_overlays
                .iter()
                .filter(|one| !position.no_overlays && [0xFF, one.modification].contains(&position.modification))
                .collect(),
            suppressed: used.map_or(&[], |used| &used.suppressed),
            no_data: position.no_data || used.is_some_and(|used| used.constant),
            up,
        }
    }

    /// The size of the part of the medium that a page has where `up` share a side: halves and thirds of the longer edge,
    /// quarters of both (MO:DCA Reference, "N-up"); `None` where the medium's size is not known.
    pub fn partition(&self, up: u8) -> Option<[Lu; 2]> {
        let [width, height] = self.size?;
        Some(match up {
            0 | 1 => [width, height],
            4.. => [Lu(width.0 / 2), Lu(height.0 / 2)],
            up if width > height => [Lu(width.0 / i32::from(up)), height],
            up => [width, Lu(height.0 / i32::from(up))],
        })
    }

    /// The overlays that it may print.
    pub fn overlay_names(&self) -> impl Iterator<Item = &str> {
        let used = |lid: &u8| self.modifications.iter().any(|one| one.overlays.contains(lid));
        let sheet = self.overlays.iter().filter(move |(lid, _)| used(lid)).map(|(_, name)| name.as_str());
        sheet.chain(self.page_overlays.iter().map(|one| one.name.as_str()))
    }
}

/// Repeating groups with a length of two bytes that counts itself.
pub fn groups16(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(rest, 0)?);
        let (group, later) = rest.split_at_checked(length).filter(|_| length > 2)?;
        rest = later;
        group.get(2..)
    })
}

/// The medium maps of a form map's fields, or of a medium map's alone.
pub fn medium_maps<'f>(fields: impl Iterator<Item = Field<'f>>) -> Vec<MediumMap> {
    let mut defaults = (MediumMap::default(), [1440.0; 2]);
    let mut open: Option<(MediumMap, [f64; 2])> = None;
    let mut all = Vec::new();
    for field in fields {
        match field.id {
            id::BMM => {
                let mut map = defaults.clone();
                map.0.name = super::text::begin_name(field.data, 8, Charset::Default).unwrap_or_default();
                all.extend(open.replace(map).map(|(map, _)| map));
            }
            id::EMM => all.extend(open.take().map(|(map, _)| map)),
            _ => {
                let (map, units) = open.as_mut().unwrap_or(&mut defaults);
                map.take(&field, units);
            }
        }
    }
    all.extend(open.map(|(map, _)| map));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(id: super::super::field::FieldId, data: &[u8]) -> Field<'_> {
        Field { id, data, offset: 0 }
    }

    const NAME: &[u8; 8] = &[0xD4, 0xC1, 0xD7, 0xF1, 0x40, 0x40, 0x40, 0x40];
    const OVERLAY: &[u8; 8] = &[0xD6, 0xF1, 0xC1, 0xC2, 0x40, 0x40, 0x40, 0x40];

    #[test]
    fn sides_alternate_in_duplex_and_take_their_own_modification() {
        let mmo = [&[12, 0, 0, 0, 7, 0, 0, 0][..], OVERLAY].concat();
        let maps = medium_maps(
            [
                field(id::MDD, &[0, 0, 0x38, 0x40, 0x38, 0x40, 0, 0x2F, 0xD0, 0, 0x3D, 0xE0, 0]),
                field(id::MMO, &mmo),
                field(id::BMM, NAME),
                field(id::PGP, &[1, 10, 0, 0, 144, 0, 0, 72, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0x5A, 0, 1]),
                field(id::MCC, &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 2]),
                field(id::MMC, &[1, 0xFF, 0xF2, 7, 0xF4, 2, 0xF3, 9]),
                field(id::MMC, &[2, 0xFF, 0xF4, 2]),
                field(id::EMM, NAME),
            ]
            .into_iter(),
        );
        assert_eq!((maps.len(), maps[0].name.as_str()), (1, "MAP1"));
        assert_eq!(maps[0].size, Some([Lu(122_400), Lu(158_400)]));
        let (front, back) = (maps[0].side(0, None), maps[0].side(1, None));
        assert_eq!((front.position.x, front.position.y, front.position.turns), (Lu(1440), Lu(720), 0));
        assert_eq!((front.medium_overlays.as_slice(), front.suppressed), (&["O1AB"][..], &[9][..]));
        assert_eq!((back.position.x, back.position.turns, back.medium_overlays.len()), (Lu(0), 2, 0));
        assert_eq!(maps[0].side(2, None), front);
        assert_eq!(maps[0].side(0, Some(2)).position, back.position);
    }

    #[test]
    fn page_modifications_place_overlays_on_pages() {
        let pmc = [&[3, 0, 19, 0x6C, 0xDF][..], OVERLAY, &[0, 1, 0, 0, 0, 60, 0x2D, 0]].concat();
        let maps = medium_maps([field(id::BMM, NAME), field(id::PMC, &pmc)].into_iter());
        let side = maps[0].side(0, None);
        let [overlay] = side.page_overlays[..] else { panic!("one overlay") };
        assert_eq!((overlay.name.as_str(), overlay.x, overlay.turns), ("O1AB", Lu(2560), 1));
    }

    #[test]
    fn hostile_fields_are_survived() {
        for length in 0..30 {
            for byte in [0, 1, 0x0A, 0xFF] {
                let data = vec![byte; length];
                let ids = [id::MDD, id::PGP, id::PGP1, id::MMO, id::MPO, id::MCC, id::MMC, id::PMC, id::BMM];
                let maps = medium_maps(ids.into_iter().chain(ids).map(|id| field(id, &data)));
                for map in &maps {
                    (0..24).for_each(|page| drop(map.side(page, Some(byte))));
                }
            }
        }
    }
}
