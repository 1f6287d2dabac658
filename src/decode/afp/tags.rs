//! Page groups that are open, and the tags that pages inherit from them.

use std::sync::Arc;

use super::text::Charset;
use super::triplet::{self, name_type};
use crate::decode::{PageGroup, Stretch, Tag, Unit};

/// Tags that are kept for one page, inherited ones included.
const TAGS: usize = 4096;

/// Attribute names that are remembered: a stream has few, and every page names them.
const NAMES: usize = 64;

/// A name as a TLE holds it, in its character set, and as text.
type KnownName = (Vec<u8>, Charset, Arc<str>);

/// A group that is open.
#[derive(Debug)]
struct Open {
    name: Arc<str>,
    /// No page of it was seen yet.
    starts: bool,
    /// Tags that an index object has for it: those that it does not have itself are taken with its first page.
    indexed: Vec<Tag>,
}

/// A group that only an index object knows.
#[derive(Debug)]
struct Indexed {
    group: Open,
    tags: Vec<Tag>,
    /// The page of the document that is no longer in it, when that is known.
    until: Option<u64>,
}

/// The tags in force.
#[derive(Debug, Default)]
pub struct Groups {
    /// Tags with the depth of the group they belong to; depth 0 is the document.
    inherited: Vec<(u8, Tag)>,
    /// Where the groups that are open, and the tags in `inherited`, stand in the stream, with their depth.
    around: Vec<(u8, Stretch)>,
    /// Tags of the present page.
    own: Vec<Tag>,
    /// The groups that are open, outermost first.
    open: Vec<Open>,
    indexed: Option<Indexed>,
    /// Tags that an index object has for the present page.
    indexed_own: Vec<Tag>,
    names: Vec<KnownName>,
    buffer: String,
    depth: u8,
}

impl Groups {
    /// Inside groups that began before the input.
    pub fn inside(depth: u8) -> Groups {
        let open = (0..depth).map(|_| Open { name: "".into(), starts: false, indexed: Vec::new() }).collect();
        Groups { open, depth, ..Groups::default() }
    }

    /// A document begins or ends.
    pub fn reset(&mut self) {
        *self = Groups { names: std::mem::take(&mut self.names), ..Groups::default() };
    }

    /// A group begins with the field that stands `at`.
    pub fn open(&mut self, name: Option<&str>, at: Stretch, depth: &mut u8) {
        let is_counted = *depth < super::state::DEPTH;
        *depth = depth.saturating_add(1).min(super::state::DEPTH);
        self.depth = *depth;
        if is_counted {
            let name = name.unwrap_or_default().into();
            self.open.push(Open { name, starts: true, indexed: Vec::new() });
            self.around.push((self.depth, at));
        }
    }

    /// A group ends.
    pub fn close(&mut self, depth: &mut u8) {
        *depth = depth.saturating_sub(1);
        self.depth = *depth;
        self.inherited.retain(|(level, _)| *level <= self.depth);
        self.around.retain(|(level, _)| *level <= self.depth);
        self.open.truncate(usize::from(self.depth));
    }

    /// The tag of a page's TLE; false when there are too many.
    pub fn add_own(&mut self, data: &[u8], charset: Charset) -> bool {
        let Some(tag) = self.tag(data, charset) else { return true };
        let fits = self.has_room();
        if fits {
            self.own.push(tag);
        }
        fits
    }

    /// The tag of a TLE that stands `at`, outside of pages; false when there are too many.
    pub fn add(&mut self, data: &[u8], at: Stretch, charset: Charset) -> bool {
        let Some(tag) = self.tag(data, charset) else { return true };
        if !self.has_room() {
            return false;
        }
        self.inherited.push((self.depth, tag));
        match self.around.last_mut() {
            Some((depth, last)) if *depth == self.depth && last.byte.saturating_add(last.bytes) == at.byte => {
                last.bytes = last.bytes.saturating_add(at.bytes);
            }
            _ => self.around.push((self.depth, at)),
        }
        true
    }

    fn has_room(&self) -> bool {
        self.inherited.len() + self.own.len() < TAGS
    }

    /// Where what is in force now stands in the stream, in its order.
    pub fn around(&self) -> impl Iterator<Item = Stretch> + '_ {
        self.around.iter().map(|(_, stretch)| *stretch)
    }

    /// Whether a group that only an index object knows may begin with this page of the document.
    pub fn may_begin_indexed(&mut self, page: u64) -> bool {
        let over = |indexed: &Indexed| indexed.until.is_some_and(|until| page >= until);
        if self.indexed.as_ref().is_some_and(over) {
            self.indexed = None;
        }
        self.open.is_empty() && self.indexed.as_ref().is_none_or(|indexed| indexed.until.is_none())
    }

    /// A group begins that only an index object knows; it ends before the page `until` of the document.
    pub fn begin_indexed(&mut self, name: Arc<str>, until: Option<u64>) {
        let group = Open { name, starts: true, indexed: Vec::new() };
        self.indexed = Some(Indexed { group, tags: Vec::new(), until });
    }

    /// A tag that an index object has for the innermost group.
    pub fn add_indexed(&mut self, data: &[u8], charset: Charset) {
        let Some(tag) = self.tag(data, charset) else { return };
        let to = match (self.open.last_mut(), &mut self.indexed) {
            (Some(group), _) => &mut group.indexed,
            (None, Some(indexed)) => &mut indexed.tags,
            (None, None) => return,
        };
        if to.len() < TAGS {
            to.push(tag);
        }
    }

    /// A tag that an index object has for the present page.
    pub fn add_indexed_to_page(&mut self, data: &[u8], charset: Charset) {
        let tag = self.tag(data, charset).filter(|_| self.indexed_own.len() < TAGS);
        self.indexed_own.extend(tag);
    }

    /// Takes from the index what the stream itself does not say.
    fn take_indexed(&mut self) {
        for (level, group) in (1_u8..).zip(&mut self.open) {
            for tag in std::mem::take(&mut group.indexed) {
                let tag = (level, tag);
                if self.inherited.len() < TAGS && !self.inherited.contains(&tag) {
                    self.inherited.push(tag);
                }
            }
        }
        for tag in self.indexed_own.drain(..) {
            if self.own.len() < TAGS && !self.own.contains(&tag) {
                self.own.push(tag);
            }
        }
    }

    /// Gives the page its tags and its groups, of which the innermost `ending` end with it. `page` counts those of the
    /// document before it.
    pub fn give(&mut self, unit: &mut Unit, ending: u8, page: u64) {
        self.take_indexed();
        // What is said nearest comes first: a batch may have an account as each statement in it has.
        for level in (0..=self.depth).rev() {
            let said = self.inherited.iter().filter(|(of, _)| *of == level);
            unit.tags.extend(said.map(|(_, tag)| tag.clone()));
        }
        if let Some(indexed) = self.indexed.as_mut().filter(|_| self.open.is_empty()) {
            unit.tags.extend(indexed.tags.iter().cloned());
            let group = &mut indexed.group;
            let (starts, ends) = (std::mem::take(&mut group.starts), indexed.until == page.checked_add(1));
            unit.group_starts = starts.then(|| group.name.clone());
            unit.group_ends = ends;
            unit.groups.push(PageGroup { name: group.name.clone(), starts, ends });
        }
        unit.tags.append(&mut self.own);
        let Some(outermost) = self.open.first() else { return };
        unit.group_starts = outermost.starts.then(|| outermost.name.clone());
        let stay = self.open.len().saturating_sub(usize::from(ending));
        for (level, group) in self.open.iter_mut().enumerate() {
            let starts = std::mem::take(&mut group.starts);
            unit.groups.push(PageGroup { name: group.name.clone(), starts, ends: level >= stay });
        }
    }

    /// Name and value of a TLE. The character set is that of the X'01' before each, else any in the field, else the document's.
    fn tag(&mut self, data: &[u8], charset: Charset) -> Option<Tag> {
        let mut present = Charset::of(data, charset);
        let mut name = None;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut rest = triplet::Triplets(data);
        while let Some(one) = rest.next() {
            match one.id {
                triplet::CHARACTER_SET => present = Charset::of_triplet(one.data).unwrap_or(present),
                triplet::NAME if one.data.first() == Some(&name_type::ATTRIBUTE) => {
                    name = one.data.get(2..).map(|name| self.name(name, present));
                }
                triplet::VALUE => take_value(one.data, &mut rest, present, &mut buffer),
                _ => {}
            }
        }
        let tag = name.map(|name| Tag { name, value: buffer.as_str().into() });
        self.buffer = buffer;
        tag
    }

    /// An attribute name as text, the same one for all tags that have it.
    fn name(&mut self, bytes: &[u8], charset: Charset) -> Arc<str> {
        let known = self.names.iter().find(|(known, set, _)| known == bytes && *set == charset);
        if let Some((_, _, name)) = known {
            return name.clone();
        }
        let name: Arc<str> = charset.decode(bytes).into();
        if self.names.len() < NAMES {
            self.names.push((bytes.to_vec(), charset, name.clone()));
        }
        name
    }
}

/// Appends an attribute value with what extenders behind it add.
fn take_value(data: &[u8], rest: &mut triplet::Triplets<'_>, charset: Charset, value: &mut String) {
    let first = data.get(2..).unwrap_or_default();
    if rest.clone().next().is_none_or(|next| next.id != triplet::EXTENDER) {
        return charset.decode_to(first, value);
    }
    let mut bytes = first.to_vec();
    while let Some(more) = rest.clone().next().filter(|next| next.id == triplet::EXTENDER) {
        bytes.extend_from_slice(more.data.get(2..).unwrap_or_default());
        rest.next();
    }
    charset.decode_to(&bytes, value);
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
            groups.give(&mut unit, 0, 0);
            let names: String = unit.tags.iter().map(|tag| &*tag.name).collect();
            (names, unit.group_starts)
        };
        let at = |byte: u64| Stretch { byte, bytes: 10, pages: 0, records: byte / 10 };
        groups.open(Some("outer"), at(0), &mut depth);
        groups.add(&tle(0xC1, 0xF1), at(10), Charset::Default);
        groups.open(Some("inner"), at(30), &mut depth);
        groups.add(&tle(0xC2, 0xF1), at(40), Charset::Default);
        groups.add_own(&tle(0xC3, 0xF1), Charset::Default);
        let around = |groups: &Groups| groups.around().map(|at| (at.byte, at.bytes)).collect::<Vec<_>>();
        assert_eq!(around(&groups), [(0, 20), (30, 20)]);
        assert_eq!(page(&mut groups), ("BAC".into(), Some("outer".into())));
        assert_eq!(page(&mut groups), ("BA".into(), None));
        let mut last = Unit::default();
        groups.give(&mut last, 1, 0);
        let ends: Vec<(&str, bool, bool)> =
            last.groups.iter().map(|group| (&*group.name, group.starts, group.ends)).collect();
        assert_eq!(ends, [("outer", false, false), ("inner", false, true)]);
        assert_eq!(last.tags.len(), 2, "the last page of a group has the group's tags too");
        groups.close(&mut depth);
        assert_eq!(page(&mut groups), ("A".into(), None));
        assert_eq!(around(&groups), [(0, 20)]);
        groups.close(&mut depth);
        assert_eq!(around(&groups), []);
        assert_eq!((page(&mut groups), depth), ((String::new(), None), 0));
    }

    #[test]
    fn a_character_set_counts_wherever_it_stands() {
        let behind = [&tle(0xC1, 0x9F)[..], &[6, 1, 0, 0, 0x04, 0x74]].concat();
        let value = |data: &[u8]| Groups::default().tag(data, Charset::Default).map(|tag| tag.value.to_string());
        assert_eq!(value(&behind).unwrap(), "\u{20AC}");
        let between = [&[5, 2, 0x0B, 0, 0xC1][..], &[6, 1, 0, 0, 0x04, 0xB0], &[6, 0x36, 0, 0, 0x8D, 0x26]].concat();
        assert_eq!(value(&between).unwrap(), "\u{8D26}");
    }

    #[test]
    fn extenders_lengthen_the_value_and_nameless_tags_are_none() {
        let long = [&tle(0xC1, 0xF1)[..], &[5, 0xFF, 0, 0, 0xF2]].concat();
        let tag = |data: &[u8]| Groups::default().tag(data, Charset::Default);
        assert_eq!(&*tag(&long).unwrap().value, "12");
        assert!(tag(&[5, 0x36, 0, 0, 0xF1]).is_none());
        assert!(tag(&[]).is_none());
    }
}
