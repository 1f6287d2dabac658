//! Page groups that are open, and the tags that pages inherit from them.

use super::text::Charset;
use super::triplet::{self, name_type};
use crate::decode::{PageGroup, Tag, Unit};

/// Tags that are kept for one page, inherited ones included.
const TAGS: usize = 4096;

/// The tags in force.
#[derive(Debug, Default)]
pub struct Groups {
    /// Tags with the depth of the group they belong to; depth 0 is the document.
    inherited: Vec<(u8, Tag)>,
    /// Tags of the present page.
    own: Vec<Tag>,
    /// The groups that are open, outermost first: their names, and whether no page of them was seen yet.
    open: Vec<(String, bool)>,
    depth: u8,
}

impl Groups {
    /// Inside groups that began before the input.
    pub fn inside(depth: u8) -> Groups {
        Groups { open: vec![(String::new(), false); usize::from(depth)], depth, ..Groups::default() }
    }

    /// A document begins or ends.
    pub fn reset(&mut self) {
        *self = Groups::default();
    }

    /// A group begins.
    pub fn open(&mut self, name: Option<String>, depth: &mut u8) {
        if *depth < super::state::DEPTH {
            self.open.push((name.unwrap_or_default(), true));
        }
        *depth = depth.saturating_add(1).min(super::state::DEPTH);
        self.depth = *depth;
    }

    /// A group ends.
    pub fn close(&mut self, depth: &mut u8) {
        *depth = depth.saturating_sub(1);
        self.depth = *depth;
        self.inherited.retain(|(level, _)| *level <= self.depth);
        self.open.truncate(usize::from(self.depth));
    }

    /// A tag; false when there are too many.
    pub fn add(&mut self, data: &[u8], of_page: bool, charset: Charset) -> bool {
        let Some(tag) = tag(data, charset) else { return true };
        if self.inherited.len() + self.own.len() >= TAGS {
            return false;
        }
        if of_page {
            self.own.push(tag);
        } else {
            self.inherited.push((self.depth, tag));
        }
        true
    }

    /// Gives the page its tags and its groups, of which the innermost `ending` end with it.
    pub fn give(&mut self, unit: &mut Unit, ending: u8) {
        unit.tags.extend(self.inherited.iter().map(|(_, tag)| tag.clone()));
        unit.tags.append(&mut self.own);
        unit.group_starts = self.open.first().filter(|(_, starts)| *starts).map(|(name, _)| name.clone());
        let stay = self.open.len().saturating_sub(usize::from(ending));
        for (level, (name, starts)) in self.open.iter_mut().enumerate() {
            let starts = std::mem::take(starts);
            unit.groups.push(PageGroup { name: name.clone(), starts, ends: level >= stay });
        }
    }
}

/// Name and value of a TLE. The character set is that of the X'01' before each, else any in the field, else the document's.
fn tag(data: &[u8], charset: Charset) -> Option<Tag> {
    let whole = Charset::of(data, charset);
    let mut present = whole;
    let (mut name, mut value) = (None, String::new());
    let mut open_value: Option<Vec<u8>> = None;
    for one in triplet::Triplets(data) {
        if one.id != triplet::EXTENDER {
            value.extend(open_value.take().map(|bytes| present.decode(&bytes)));
        }
        match one.id {
            triplet::CHARACTER_SET => present = Charset::of_triplet(one.data).unwrap_or(present),
            triplet::NAME if one.data.first() == Some(&name_type::ATTRIBUTE) => {
                name = one.data.get(2..).map(|name| present.decode(name));
            }
            triplet::VALUE => open_value = one.data.get(2..).map(<[u8]>::to_vec),
            triplet::EXTENDER => {
                if let Some(bytes) = &mut open_value {
                    bytes.extend_from_slice(one.data.get(2..).unwrap_or_default());
                }
            }
            _ => {}
        }
    }
    value.extend(open_value.map(|bytes| present.decode(&bytes)));
    Some(Tag { name: name?, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tle(name: u8, value: u8) -> Vec<u8> {
        vec![5, 2, 0x0B, 0, name, 5, 0x36, 0, 0, value]
    }

    #[test]
    fn pages_inherit_the_tags_of_all_groups_around_them() {
        let (mut groups, mut depth) = (Groups::default(), 0);
        let page = |groups: &mut Groups| {
            let mut unit = Unit::default();
            groups.give(&mut unit, 0);
            let names: String = unit.tags.iter().map(|tag| tag.name.as_str()).collect();
            (names, unit.group_starts)
        };
        groups.open(Some("outer".into()), &mut depth);
        groups.add(&tle(0xC1, 0xF1), false, Charset::Default);
        groups.open(Some("inner".into()), &mut depth);
        groups.add(&tle(0xC2, 0xF1), false, Charset::Default);
        groups.add(&tle(0xC3, 0xF1), true, Charset::Default);
        assert_eq!(page(&mut groups), ("ABC".into(), Some("outer".into())));
        assert_eq!(page(&mut groups), ("AB".into(), None));
        let mut last = Unit::default();
        groups.give(&mut last, 1);
        let ends: Vec<(&str, bool, bool)> =
            last.groups.iter().map(|group| (group.name.as_str(), group.starts, group.ends)).collect();
        assert_eq!(ends, [("outer", false, false), ("inner", false, true)]);
        assert_eq!(last.tags.len(), 2, "the last page of a group has the group's tags too");
        groups.close(&mut depth);
        assert_eq!(page(&mut groups), ("A".into(), None));
        groups.close(&mut depth);
        assert_eq!((page(&mut groups), depth), ((String::new(), None), 0));
    }

    #[test]
    fn a_character_set_counts_wherever_it_stands() {
        let behind = [&tle(0xC1, 0x9F)[..], &[6, 1, 0, 0, 0x04, 0x74]].concat();
        assert_eq!(tag(&behind, Charset::Default).unwrap().value, "\u{20AC}");
        let between = [&[5, 2, 0x0B, 0, 0xC1][..], &[6, 1, 0, 0, 0x04, 0xB0], &[6, 0x36, 0, 0, 0x8D, 0x26]].concat();
        let tag = tag(&between, Charset::Default).unwrap();
        assert_eq!(tag.value, "\u{8D26}");
    }

    #[test]
    fn extenders_lengthen_the_value_and_nameless_tags_are_none() {
        let long = [&tle(0xC1, 0xF1)[..], &[5, 0xFF, 0, 0, 0xF2]].concat();
        assert_eq!(tag(&long, Charset::Default).unwrap().value, "12");
        assert!(tag(&[5, 0x36, 0, 0, 0xF1], Charset::Default).is_none());
        assert!(tag(&[], Charset::Default).is_none());
    }
}
