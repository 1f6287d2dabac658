//! Document indexes: BDI to EDI, as ACIF writes them before the document or into a file of its own (MO:DCA Reference,
//! "Document Index"; `docs/formats/afp.md`, "Index objects").
//!
//! In: the IELs and the TLEs behind them. Out: for each page group and page of the document the tags that the index has for
//! it, and page groups where the document marks none itself. What an IEL says of places is a claim: a group is found by
//! its byte offset, its page number or its name, and entries that fit nothing are counted.

use std::ops::Range;
use std::sync::Arc;

use super::framing::Framing;
use super::text::{Charset, full_name};
use super::triplet::{self, Triplets, name_type, u16_at};

/// What an entry takes besides its tags, about.
const ENTRY_BYTES: usize = 128;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// A page group.
    Group,
    /// A page.
    Page,
}

/// One IEL.
#[derive(Debug)]
struct Entry {
    of: Of,
    name: Arc<str>,
    /// Bytes from the Begin Document on.
    byte: Option<u64>,
    /// Pages of the document before it.
    page: Option<u64>,
    /// How many pages it has.
    pages: Option<u64>,
    /// Its tags, in [`IndexObject::tags`].
    tags: Range<usize>,
    used: bool,
}

/// What an IEL says of the place of its group or page.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// What it is about.
    pub of: Of,
    /// Bytes from the Begin Document on.
    pub byte: Option<u64>,
    /// Pages of the document before it.
    pub page: Option<u64>,
}

impl Default for Claim {
    fn default() -> Claim {
        Claim { of: Of::Group, byte: None, page: None }
    }
}

/// Where a group or a page of the document starts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// Bytes from the Begin Document on, X'5A' counted and not (the architecture does not say which); `None` in containers in
    /// which bytes say nothing.
    pub bytes: Option<[u64; 2]>,
    /// Pages of the document before it.
    pub page: u64,
}

impl Place {
    /// Of a field so many bytes and fields behind the Begin Document.
    pub fn new(framing: Framing, raw: u64, fields: u64, page: u64) -> Place {
        let around = match framing {
            Framing::Bare => Some(0),
            Framing::Plain => Some(1),
            Framing::Rdw => Some(5),
            Framing::LengthInclusive | Framing::LengthExclusive => Some(3),
            Framing::Blocked | Framing::Fixed(_) | Framing::Lines => None,
        };
        let bytes = around.map(|around: u64| {
            let bare = raw.saturating_sub(fields.saturating_mul(around));
            [bare.saturating_add(fields), bare]
        });
        Place { bytes, page }
    }
}

/// Where a group ends that only the index knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Number of the entry.
    pub entry: usize,
    /// The page of the document that is no longer in it, when that is known.
    pub until: Option<u64>,
}

/// The entries of one index.
#[derive(Debug, Default)]
pub struct IndexObject {
    entries: Vec<Entry>,
    /// Data of TLEs.
    tags: Vec<Box<[u8]>>,
    bytes: usize,
    /// Most bytes.
    most: usize,
    charset: Charset,
    /// The triplet X'01' that says so.
    charset_triplet: Vec<u8>,
    by_byte: Vec<((Of, u64), usize)>,
    by_page: Vec<((Of, u64), usize)>,
    by_name: Vec<((Of, Arc<str>), usize)>,
    is_sorted: bool,
}

impl IndexObject {
    /// Of a Begin Document Index; it takes so many bytes at most.
    pub fn begin(data: &[u8], most: usize) -> IndexObject {
        // Some producers reserve two bytes in front of the triplets, as a Begin Document does.
        let triplets = if data.get(8..10) == Some(&[0, 0]) { 10 } else { 8 };
        let triplets = data.get(triplets..).unwrap_or_default();
        let charset = Charset::of(triplets, Charset::Default);
        let said = triplet::find(triplets, triplet::CHARACTER_SET).filter(|said| Charset::of_triplet(said).is_some());
        let charset_triplet =
            [&[6, triplet::CHARACTER_SET], said.and_then(|said| said.get(..4)).unwrap_or(&CODE_PAGE_500)];
        IndexObject { charset, charset_triplet: charset_triplet.concat(), most, ..IndexObject::default() }
    }

    /// A triplet X'01' that gives the character set of its tags.
    pub fn charset_triplet(&self) -> &[u8] {
        &self.charset_triplet
    }

    /// The character set of its tags.
    pub fn charset(&self) -> Charset {
        self.charset
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes an IEL; false when there are too many.
    pub fn element(&mut self, data: &[u8]) -> bool {
        self.bytes += ENTRY_BYTES;
        if self.bytes > self.most {
            return false;
        }
        let named = |kind| triplet::name(data, kind).map(|name| full_name(name, data, self.charset));
        let (group, page) = (named(name_type::GROUP), named(name_type::PAGE));
        let name = group.or(page).or_else(|| named(name_type::INDEX_ELEMENT)).unwrap_or_default();
        let Claim { of, byte, page } = IndexObject::claim(data);
        let counts = Triplets(data).filter(|one| one.id == triplet::OBJECT_COUNT && one.data.first() == Some(&PAGES));
        self.entries.push(Entry {
            of,
            name: name.into(),
            byte,
            page,
            pages: counts.last().and_then(|one| number(one.data, 2, 6)),
            tags: self.tags.len()..self.tags.len(),
            used: false,
        });
        self.is_sorted = false;
        true
    }

    /// What an IEL says of places.
    pub fn claim(data: &[u8]) -> Claim {
        let is_named = |kind| triplet::name(data, kind).is_some();
        let of_page = is_named(name_type::PAGE) && !is_named(name_type::GROUP);
        let mut claim = Claim { of: if of_page { Of::Page } else { Of::Group }, ..Claim::default() };
        for one in Triplets(data) {
            match one.id {
                triplet::BYTE_OFFSET => claim.byte = number(one.data, 0, 4).filter(|byte| *byte & OUTSIDE != OUTSIDE),
                triplet::OBJECT_OFFSET if one.data.first() == Some(&PAGES) => claim.page = number(one.data, 2, 6),
                _ => {}
            }
        }
        claim
    }

    /// Takes a TLE of the index: it belongs to the IEL before it; without one, to the group or page that it names. False
    /// when there are too many.
    pub fn tag(&mut self, data: &[u8]) -> bool {
        self.bytes += data.len() + size_of::<Box<[u8]>>();
        if self.bytes > self.most {
            return false;
        }
        if self.entries.is_empty() && !self.element(data) {
            return false;
        }
        self.tags.push(data.into());
        if let Some(last) = self.entries.last_mut() {
            last.tags.end = self.tags.len();
        }
        true
    }

    fn sort(&mut self) {
        if std::mem::replace(&mut self.is_sorted, true) {
            return;
        }
        let entries = || self.entries.iter().enumerate();
        self.by_byte = entries().filter_map(|(at, one)| Some(((one.of, one.byte?), at))).collect();
        self.by_page = entries().filter_map(|(at, one)| Some(((one.of, one.page?), at))).collect();
        self.by_name = entries().map(|(at, one)| ((one.of, one.name.clone()), at)).collect();
        self.by_byte.sort_unstable();
        self.by_page.sort_unstable();
        self.by_name.sort_unstable();
    }

    /// The entry of a group or page that starts at `place`, which is used up by that. Bytes say more than page numbers, and these
    /// more than names: a page number counts only where the names do not differ.
    pub fn find(&mut self, of: Of, name: &str, place: Place) -> Option<usize> {
        self.sort();
        let free = |at: &usize| self.entries.get(*at).is_some_and(|entry| !entry.used);
        let fits = |at: &usize| {
            let known = self.entries.get(*at).map_or("", |entry| &*entry.name);
            free(at) && (known.is_empty() || name.is_empty() || known == name)
        };
        let is_at =
            |at: &usize| self.entries.get(*at).is_some_and(|one| one.page.is_none_or(|page| page == place.page));
        let by_byte = place.bytes.iter().flatten().find_map(|byte| all(&self.by_byte, &(of, *byte)).find(fits));
        let by_page = || all(&self.by_page, &(of, place.page)).find(fits);
        let by_name = || all(&self.by_name, &(of, name.into())).find(|at| !name.is_empty() && free(at) && is_at(at));
        let found = by_byte.or_else(by_page).or_else(by_name)?;
        self.entries.get_mut(found)?.used = true;
        Some(found)
    }

    /// The group that starts at a page of a document without groups of its own.
    pub fn group_at(&mut self, place: Place) -> Option<Known> {
        let entry = self.find(Of::Group, "", place)?;
        let next = self.by_page.partition_point(|(key, _)| *key <= (Of::Group, place.page));
        let next = self.by_page.get(next).filter(|((of, _), _)| *of == Of::Group).map(|((_, page), _)| *page);
        let counted = self.entries.get(entry)?.pages.filter(|pages| *pages > 0);
        Some(Known { entry, until: counted.map(|pages| place.page.saturating_add(pages)).or(next) })
    }

    /// The group that began on a page before a place and holds it, when page numbers say so; its entry is not used up.
    pub fn group_around(&mut self, place: Place) -> Option<Known> {
        self.sort();
        let next = self.by_page.partition_point(|(key, _)| *key < (Of::Group, place.page));
        let ((of, first), entry) = *self.by_page.get(next.checked_sub(1)?)?;
        let counted = self.entries.get(entry)?.pages.filter(|pages| *pages > 0);
        let next = self.by_page.get(next).filter(|((of, _), _)| *of == Of::Group).map(|((_, page), _)| *page);
        let until = counted.map(|pages| first.saturating_add(pages)).or(next);
        (of == Of::Group && until.is_none_or(|until| place.page < until)).then_some(Known { entry, until })
    }

    /// The name of an entry.
    pub fn name(&self, entry: usize) -> Arc<str> {
        self.entries.get(entry).map(|entry| entry.name.clone()).unwrap_or_default()
    }

    /// Data of the TLEs of an entry.
    pub fn tags(&self, entry: usize) -> impl Iterator<Item = &[u8]> {
        let range = self.entries.get(entry).map_or(0..0, |entry| entry.tags.clone());
        self.tags.get(range).unwrap_or_default().iter().map(|data| &**data)
    }

    /// Entries with tags that nothing in the document was found for.
    pub fn unused(&self) -> u64 {
        self.entries.iter().filter(|entry| !entry.used && !entry.tags.is_empty()).map(|_| 1).sum()
    }
}

/// The kind of object that offsets and counts are about: pages.
const PAGES: u8 = 0xAF;
/// Data of a triplet X'01': code page 500, which names and values are in where nothing else is said.
const CODE_PAGE_500: [u8; 4] = [0, 0, 0x01, 0xF4];
/// An offset that says that the object lies outside of the document.
const OUTSIDE: u64 = 0xFFFF_FFFF;

/// A number of four bytes, and its high word where there is one.
fn number(data: &[u8], low: usize, high: usize) -> Option<u64> {
    let word = |at: usize| Some(u64::from(u16_at(data, at)?) << 16 | u64::from(u16_at(data, at + 2)?));
    Some(word(high).unwrap_or(0) << 32 | word(low)?)
}

/// The numbers of all entries with a key.
fn all<'s, K: Ord>(sorted: &'s [(K, usize)], key: &'s K) -> impl Iterator<Item = usize> + 's {
    let first = sorted.partition_point(|(known, _)| known < key);
    sorted.get(first..).unwrap_or_default().iter().take_while(move |(known, _)| known == key).map(|(_, at)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triplet(id: u8, data: &[u8]) -> Vec<u8> {
        [&[u8::try_from(data.len() + 2).unwrap(), id], data].concat()
    }

    fn element(kind: u8, name: u8, byte: Option<u32>, page: Option<u32>, pages: Option<u32>) -> Vec<u8> {
        let count = |number: u32| [&[0xAF, 0][..], &number.to_be_bytes()].concat();
        let mut data = triplet(0x02, &[kind, 0, name]);
        data.extend(byte.map(|byte| triplet(0x2D, &byte.to_be_bytes())).unwrap_or_default());
        data.extend(page.map(|page| triplet(0x5A, &count(page))).unwrap_or_default());
        data.extend(pages.map(|pages| triplet(0x5E, &count(pages))).unwrap_or_default());
        data
    }

    #[test]
    fn entries_are_found_by_bytes_then_pages_then_names() {
        let mut index = IndexObject::begin(&[0xC9; 8], 4096);
        for data in [
            element(0x0D, 0xC1, Some(100), Some(0), None),
            element(0x0D, 0xC2, Some(900), Some(3), None),
            element(0x0D, 0xC3, None, None, None),
            element(0x87, 0xC1, None, Some(0), None),
        ] {
            assert!(index.element(&data) && index.tag(&[5, 0x36, 0, 0, 0xF1]));
        }
        let place = |bytes, page| Place { bytes: Some(bytes), page };
        assert_eq!(index.find(Of::Group, "B", place([950, 900], 99)), Some(1), "at its byte");
        assert_eq!(index.find(Of::Group, "B", place([900, 900], 3)), None, "an entry is used once");
        assert_eq!(index.find(Of::Group, "X", place([1, 1], 0)), None, "another name");
        assert_eq!(index.find(Of::Group, "A", place([1, 1], 0)), Some(0), "at its page");
        assert_eq!(index.find(Of::Group, "C", place([1, 1], 7)), Some(2), "by its name");
        assert_eq!((index.unused(), index.len()), (1, 4));
        assert_eq!(index.find(Of::Page, "A", place([1, 1], 0)), Some(3));
    }

    #[test]
    fn groups_without_marks_end_by_count_or_where_the_next_one_starts() {
        let mut index = IndexObject::begin(&[], 1 << 20);
        for data in [element(0x0D, 0xC1, None, Some(0), Some(2)), element(0x0D, 0xC2, None, Some(4), None)] {
            index.element(&data);
        }
        index.element(&element(0x0D, 0xC3, None, Some(9), None));
        let at = |page| Place { bytes: None, page };
        assert_eq!(index.group_at(at(0)), Some(Known { entry: 0, until: Some(2) }));
        assert_eq!(index.group_at(at(1)), None);
        assert_eq!(index.group_at(at(4)), Some(Known { entry: 1, until: Some(9) }));
        assert_eq!(index.group_at(at(9)), Some(Known { entry: 2, until: None }));
        assert_eq!(&*index.name(2), "C");
    }

    #[test]
    fn numbers_have_a_high_word() {
        let wide =
            [triplet(0x2D, &[0, 0, 0, 5, 0, 0, 0, 1]), triplet(0x5A, &[0xAF, 0, 0, 0, 0, 3, 0, 0, 0, 2])].concat();
        let mut index = IndexObject::begin(&[], 1 << 20);
        index.element(&wide);
        let place = |low: u64, page| Place { bytes: Some([low | 1 << 32; 2]), page };
        assert_eq!(index.find(Of::Group, "", place(5, 0)), Some(0));
        index.element(&triplet(0x2D, &[0xFF; 4]));
        assert_eq!(index.find(Of::Group, "", Place { bytes: Some([OUTSIDE; 2]), page: 4 }), None);
        for length in 0..12 {
            index.element(&triplet(0x2D, &vec![1; length]));
            index.element(&triplet(0x5A, &vec![0xAF; length]));
        }
    }
}
