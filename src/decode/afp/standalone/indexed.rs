//! What an index object alone says of a document, written into the document: tags (TLE) behind the beginnings of groups and in
//! pages, and the groups themselves where the document marks none.
//!
//! In: units that [index](crate::decode::Unit::indexes), newest first, and the bytes of the document. Out: its bytes with the
//! records that they lacked. Places are found as in the stream ([`IndexObject`]); a group of the index that began before the
//! document is opened in front of it, those of the stream are there already (`around.rs`).

use super::nearby::{Extent, Nearby};
use super::writer::{NULL_NAME, Writer, named};
use crate::decode::Start;
use crate::decode::afp::field::Fields;
use crate::decode::afp::framing::{self, Framing, Kind};
use crate::decode::afp::index_object::{IndexObject, Known, Of, Place};
use crate::decode::afp::text::{Charset, begin_name};
use crate::decode::afp::triplet::{self, Triplets};
use crate::decode::afp::{id, read};

/// Of the bytes of entries, the part that those may take whose place only a name tells.
const NAMED: usize = 4;

/// An index object and where its document begins.
pub(super) struct Index {
    /// Its entries.
    pub object: IndexObject,
    /// Byte and records before the Begin Document; `None`: only page numbers say where things are.
    begin: Option<[u64; 2]>,
    /// Pages before the document.
    pages: u64,
}

impl Index {
    /// The index in force behind `units`, which come newest first, as far as it can concern the document and what is around
    /// it, each between two places, the document first; `most` bytes of entries. `None` where there is none.
    pub fn in_force(
        units: &mut dyn Iterator<Item = (Start, Vec<u8>)>,
        framing: Framing,
        most: usize,
        extents: &[[Here; 2]],
    ) -> Option<Index> {
        let (mut begin, mut first, mut bytes) = (None, None, 0_usize);
        let mut nearby: Option<Nearby> = None;
        for (at, unit) in units {
            let fields = read::fields(&unit, framing, 0);
            let found = Ids::of(&fields);
            if let Some([byte, record]) = found.begin_document {
                if begin.is_some() || nearby.is_some() {
                    break;
                }
                begin = Some([at.byte + byte, at.records + record]);
                first = Some(at.pages);
                continue;
            }
            if !found.is_index {
                break;
            }
            bytes = bytes.saturating_add(unit.len());
            if bytes > most.saturating_mul(2) {
                return None;
            }
            let pages = first.unwrap_or(at.pages);
            let kept = nearby.get_or_insert_with(|| {
                let place = |here: Here| here.place(framing, begin, pages);
                Nearby::new(extents.iter().map(|ends| extent(ends.map(place))).collect(), most / NAMED)
            });
            kept.unit(&fields);
            if let Some(data) = found.begin_index {
                let object = nearby.take()?.index(&data, most);
                return Some(Index { object, begin, pages });
            }
        }
        None
    }

    fn place(&self, framing: Framing, here: Here) -> Place {
        here.place(framing, self.begin, self.pages)
    }

    /// The entry of a group that starts `here`; it is used up by that.
    pub fn group(&mut self, framing: Framing, name: &str, here: Here) -> Option<usize> {
        let place = self.place(framing, here);
        self.object.find(Of::Group, name, place)
    }

    /// The group that began on a page before `here` and holds it.
    pub fn around(&mut self, framing: Framing, here: Here) -> Option<Known> {
        let place = self.place(framing, here);
        self.object.group_around(place)
    }
}

/// A place in the stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here {
    pub byte: u64,
    /// Records before it.
    pub records: u64,
    /// Pages before it.
    pub pages: u64,
}

impl Here {
    /// Counted from a Begin Document.
    fn place(self, framing: Framing, begin: Option<[u64; 2]>, pages: u64) -> Place {
        let page = self.pages.saturating_sub(pages);
        match begin {
            Some([byte, record]) => {
                Place::new(framing, self.byte.saturating_sub(byte), self.records.saturating_sub(record), page)
            }
            None => Place { bytes: None, page },
        }
    }
}

/// From one place to another, however their bytes are counted.
fn extent([from, to]: [Place; 2]) -> Extent {
    let bytes = from.bytes.zip(to.bytes).map(|([a, b], [c, d])| [a.min(b), c.max(d)]);
    Extent { bytes, pages: [from.page, to.page] }
}

/// What a unit that indexes is.
#[derive(Default)]
struct Ids {
    /// Byte and records before its last Begin Document.
    begin_document: Option<[u64; 2]>,
    /// Data of its Begin Document Index.
    begin_index: Option<Vec<u8>>,
    is_index: bool,
}

impl Ids {
    fn of(fields: &Fields) -> Ids {
        let mut found = Ids::default();
        for (number, field) in (0..).zip(fields.iter()) {
            match field.id {
                id::BDT => found.begin_document = Some([field.offset, number]),
                id::BDI => (found.begin_index, found.is_index) = (Some(field.data.to_vec()), true),
                id::IEL | id::TLE | id::EDI => found.is_index = true,
                _ => {}
            }
        }
        found
    }
}

/// Writes the tags of an index into a document.
#[derive(Clone, Copy)]
pub(super) struct Tagging<'d> {
    pub writer: &'d Writer,
    /// The character set of the document's tags.
    pub charset: Charset,
}

impl Tagging<'_> {
    /// Writes those tags of an entry that are not among `own`.
    pub fn put(&self, out: &mut Vec<u8>, object: &IndexObject, entry: usize, own: &[&[u8]]) {
        for data in object.tags(entry).filter(|data| !own.contains(data)) {
            let says = Triplets(data).any(|one| one.id == triplet::CHARACTER_SET);
            if says || object.charset() == self.charset {
                self.writer.put(out, id::TLE, data);
            } else {
                self.writer.put(out, id::TLE, &[object.charset_triplet(), data].concat());
            }
        }
    }
}

/// A document on its way through.
pub(super) struct Inserting<'d> {
    pub tagging: Tagging<'d>,
    /// Its bytes.
    pub bytes: &'d [u8],
    pub start: Start,
    /// Page groups that are open before it.
    pub depth: usize,
}

impl Inserting<'_> {
    /// The bytes with what the index says.
    pub fn with(&self, index: &mut Index) -> Vec<u8> {
        let framing = self.tagging.writer.framing;
        let (mut out, mut copied, mut edge, mut at) = (Vec::with_capacity(self.bytes.len() + 512), 0, 0, 0);
        let (mut records, mut page, mut depth) = (self.start.records, self.start.pages, self.depth);
        let (mut open, mut is_first): (Option<Known>, bool) = (None, true);
        let mut copy = |out: &mut Vec<u8>, to: usize| {
            out.extend_from_slice(self.bytes.get(copied..to).unwrap_or_default());
            copied = copied.max(to);
        };
        while let Some(record) = framing::record(self.bytes.get(at..).unwrap_or_default(), framing) {
            let next = at + record.raw;
            let Kind::Field(id) = record.kind else {
                at = next;
                continue;
            };
            let byte = self.start.byte.saturating_add(at as u64);
            let place = index.place(framing, Here { byte, records, pages: page });
            let data = self.bytes.get(at + record.from..at + record.to).unwrap_or_default();
            match id {
                id::BPG if is_first && depth == 0 => {
                    is_first = false;
                    open = index.object.group_at(place).or_else(|| index.object.group_around(place));
                    if let Some(known) = open {
                        self.begin_group(&mut out, &index.object, known);
                    }
                }
                id::BPG
                    if depth == 0 && open.is_none_or(|known| known.until.is_none_or(|until| until <= place.page)) =>
                {
                    let starts = index.object.group_at(place);
                    let is_over = open.is_some_and(|known| known.until.is_some());
                    if open.is_some() && (is_over || starts.is_some()) {
                        copy(&mut out, edge);
                        self.tagging.writer.put(&mut out, id::ENG, &NULL_NAME);
                        open = None;
                    }
                    if let Some(known) = starts {
                        copy(&mut out, edge);
                        self.begin_group(&mut out, &index.object, known);
                        open = starts;
                    }
                }
                _ => {}
            }
            match id {
                id::BNG => {
                    is_first = false;
                    depth += 1;
                    let name = begin_name(data, 8, self.tagging.charset).unwrap_or_default();
                    if let Some(entry) = index.object.find(Of::Group, &name, place) {
                        copy(&mut out, self.behind_tags(next));
                        self.put_tags(&mut out, &index.object, entry, next, |id| {
                            matches!(id, id::BPG | id::BNG | id::ENG)
                        });
                    }
                }
                id::BPG => {
                    let name = begin_name(data, 8, self.tagging.charset).unwrap_or_default();
                    if let Some(entry) = index.object.find(Of::Page, &name, place) {
                        copy(&mut out, self.behind_tags(self.behind_environment(next)));
                        self.put_tags(&mut out, &index.object, entry, next, |id| id == id::EPG);
                    }
                }
                id::ENG => (depth, edge) = (depth.saturating_sub(1), next),
                id::EPG => (page, edge) = (page + 1, next),
                _ => {}
            }
            records += 1;
            at = next;
        }
        if open.is_some() {
            copy(&mut out, edge);
            self.tagging.writer.put(&mut out, id::ENG, &NULL_NAME);
        }
        copy(&mut out, self.bytes.len());
        out
    }

    fn begin_group(&self, out: &mut Vec<u8>, object: &IndexObject, known: Known) {
        self.tagging.writer.put(out, id::BNG, &named(&object.name(known.entry)));
        self.tagging.put(out, object, known.entry, &[]);
    }

    /// Where the tags of a page stand that begins before `at`: behind its active environment group.
    fn behind_environment(&self, at: usize) -> usize {
        let mut to = at;
        while let Some(record) = framing::record(self.bytes.get(to..).unwrap_or_default(), self.tagging.writer.framing)
        {
            match record.kind {
                Kind::Field(id::EAG) => return to + record.raw,
                Kind::Field(id::EPG | id::BPG) => return at,
                _ => to += record.raw,
            }
        }
        at
    }

    /// Behind the tags that stand at `at`: those of the index come after them, as when the stream is read.
    fn behind_tags(&self, at: usize) -> usize {
        let (mut to, mut behind) = (at, at);
        while let Some(record) = framing::record(self.bytes.get(to..).unwrap_or_default(), self.tagging.writer.framing)
        {
            to += record.raw;
            match record.kind {
                Kind::Field(id::TLE) => behind = to,
                Kind::Field(id::NOP) | Kind::Filler => {}
                _ => break,
            }
        }
        behind
    }

    /// Puts the tags of an entry that the document does not have itself between `from` and a field that `ends`.
    fn put_tags(
        &self,
        out: &mut Vec<u8>,
        object: &IndexObject,
        entry: usize,
        from: usize,
        ends: impl Fn(crate::decode::afp::field::FieldId) -> bool,
    ) {
        let (mut own, mut at) = (Vec::new(), from);
        while let Some(record) = framing::record(self.bytes.get(at..).unwrap_or_default(), self.tagging.writer.framing)
        {
            match record.kind {
                Kind::Field(id) if ends(id) => break,
                Kind::Field(id::TLE) => own.extend(self.bytes.get(at + record.from..at + record.to)),
                _ => {}
            }
            at += record.raw;
        }
        self.tagging.put(out, object, entry, &own);
    }
}
