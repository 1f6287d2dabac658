//! The part of an index object that can concern one document of its stream.
//!
//! An index says something of every document; of a large one only the entries near the document are kept while it is read, so
//! that what one original takes does not grow with the load. Units come newest first, so tags may come before the entry
//! that they belong to.

use crate::decode::afp::field::Fields;
use crate::decode::afp::id;
use crate::decode::afp::index_object::{Claim, IndexObject, Of};

/// Where a document lies, counted from the Begin Document that the index is about.
#[derive(Debug, Clone, Default)]
pub(super) struct Extent {
    /// First byte and the one behind the last, however they are counted; `None` where bytes say nothing.
    pub bytes: Option<[u64; 2]>,
    /// First page and the one behind the last.
    pub pages: [u64; 2],
}

impl Extent {
    /// Whether a claimed place lies in it.
    fn holds(&self, byte: Option<u64>, page: Option<u64>) -> bool {
        let within = |place: Option<u64>, [from, to]: [u64; 2]| place.is_some_and(|place| (from..to).contains(&place));
        self.bytes.is_some_and(|bytes| within(byte, bytes)) || within(page, self.pages)
    }
}

/// An IEL with the TLEs behind it.
#[derive(Debug, Default)]
struct Block {
    element: Option<Vec<u8>>,
    tags: Vec<Vec<u8>>,
    claim: Claim,
}

impl Block {
    fn size(&self) -> usize {
        self.element.iter().chain(&self.tags).map(|data| data.len() + size_of::<Vec<u8>>()).sum()
    }
}

/// The entries kept so far.
pub(super) struct Nearby {
    /// The document's, and those of what is around it.
    extents: Vec<Extent>,
    /// Bytes that entries may take that only a name could tell.
    room: usize,
    /// Kept of each unit, newest unit first.
    units: Vec<Vec<Block>>,
    /// The last group in front of the document and the first one behind it: they tell where groups without marks end.
    before: Option<(u64, Block)>,
    after: Option<(u64, Block)>,
    /// Tags at the head of the last unit, of an entry in the one before it.
    tags: Vec<Vec<u8>>,
}

impl Nearby {
    pub fn new(extents: Vec<Extent>, room: usize) -> Nearby {
        Nearby { extents, room, units: Vec::new(), before: None, after: None, tags: Vec::new() }
    }

    /// Takes a unit that stands in front of those taken before.
    pub fn unit(&mut self, fields: &Fields) {
        let mut blocks: Vec<Block> = Vec::new();
        let mut head = Vec::new();
        for field in fields.iter() {
            match (field.id, blocks.last_mut()) {
                (id::IEL, _) => blocks.push(Block {
                    element: Some(field.data.to_vec()),
                    tags: Vec::new(),
                    claim: IndexObject::claim(field.data),
                }),
                (id::TLE, Some(block)) => block.tags.push(field.data.to_vec()),
                (id::TLE, None) => head.push(field.data.to_vec()),
                _ => {}
            }
        }
        let tags = std::mem::take(&mut self.tags);
        match blocks.last_mut() {
            Some(block) => block.tags.extend(tags),
            None => head.extend(tags),
        }
        self.tags = head;
        let mut kept = Vec::new();
        for block in blocks {
            kept.extend(self.sifted(block));
        }
        self.units.push(kept);
    }

    /// The block, if it is to be kept with its unit.
    fn sifted(&mut self, block: Block) -> Option<Block> {
        let Claim { of, byte, page } = block.claim;
        let first = self.extents.first().map_or(0, |document| document.pages[0]);
        if self.extents.iter().any(|extent| extent.holds(byte, page)) {
            return Some(block);
        }
        match page {
            Some(page) if of == Of::Group && page < first => {
                if self.before.as_ref().is_none_or(|(known, _)| page > *known) {
                    self.before = Some((page, block));
                }
                None
            }
            Some(page) if of == Of::Group => {
                if self.after.as_ref().is_none_or(|(known, _)| page <= *known) {
                    self.after = Some((page, block));
                }
                None
            }
            Some(_) => None,
            None => {
                self.room = self.room.checked_sub(block.size())?;
                Some(block)
            }
        }
    }

    /// The index of what was kept; `begin`: the data of its Begin Document Index.
    pub fn index(self, begin: &[u8], most: usize) -> IndexObject {
        let mut index = IndexObject::begin(begin, most);
        // Tags in front of every entry belong to the document as a whole, as when the stream is read.
        self.tags.iter().for_each(|data| _ = index.tag(data));
        let around = |block: Option<(u64, Block)>| block.map(|(_, block)| block);
        let kept = self.units.into_iter().rev().flatten();
        for block in around(self.before).into_iter().chain(kept).chain(around(self.after)) {
            if let Some(element) = &block.element {
                index.element(element);
            }
            block.tags.iter().for_each(|data| _ = index.tag(data));
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::afp::field::Field;

    fn element(page: Option<u32>) -> Vec<u8> {
        let mut data = vec![5, 0x02, 0x0D, 0, 0xC1];
        if let Some(page) = page {
            data.extend([&[8, 0x5A, 0xAF, 0][..], &page.to_be_bytes()].concat());
        }
        data
    }

    fn fields(all: &[(bool, &[u8])]) -> Fields {
        let mut fields = Fields::default();
        for (is_element, data) in all {
            fields.push(Field { id: if *is_element { id::IEL } else { id::TLE }, data, offset: 0 });
        }
        fields
    }

    #[test]
    fn only_entries_near_the_document_are_kept() {
        let mut nearby = Nearby::new(vec![Extent { bytes: None, pages: [50, 60] }], 64);
        let pages: Vec<Vec<u8>> = (0..200).map(|page| element(Some(page * 5))).collect();
        let tag = |value: u8| vec![5, 0x36, 0, 0, value];
        let unit = |range: std::ops::Range<usize>| {
            let all: Vec<(bool, &[u8])> = pages[range].iter().map(|data| (true, data.as_slice())).collect();
            fields(&all)
        };
        nearby.unit(&unit(20..200));
        // A unit that begins with tags of the entry for page 50, which is the last of the unit before it.
        let (first, second) = (tag(1), tag(2));
        let tail = [(false, first.as_slice()), (true, pages[11].as_slice()), (false, second.as_slice())];
        nearby.unit(&fields(&tail));
        nearby.unit(&unit(0..11));
        let index = nearby.index(&[], 1 << 16);
        // Pages 50 and 55, the group before (45) and the one behind (100).
        assert_eq!(index.len(), 4);
        let tags: Vec<usize> = (0..4).map(|entry| index.tags(entry).count()).collect();
        assert_eq!(tags, [0, 1, 1, 0]);
    }

    #[test]
    fn entries_that_only_a_name_tells_have_a_limit_of_their_own() {
        let mut nearby = Nearby::new(vec![Extent { bytes: Some([0, 10]), pages: [0, 1] }], 100);
        let data = element(None);
        nearby.unit(&fields(&[(true, data.as_slice()); 50]));
        assert_eq!(nearby.index(&[], 1 << 16).len(), 3);
    }
}
