//! The page groups that a document starts inside of, begun in front of it, with the tags that it inherits.
//!
//! In: the stretches of the stream [around](crate::decode::Unit::around) the document. Out: the beginnings of the groups (BNG) and
//! their tags (TLE), as many as are open where it starts, so that in its original groups are as deep as in the stream. Loads of
//! before the stretches were kept know only how many groups there are: these have no tags but those of an index object.

use super::indexed::{Here, Index, Tagging};
use super::writer::{named, token};
use crate::decode::Start;
use crate::decode::afp::field::Fields;
use crate::decode::afp::framing::Framing;
use crate::decode::afp::text::begin_name;
use crate::decode::afp::{id, read};

/// Its fields begin groups or are tags.
pub(super) struct Piece {
    from: Here,
    fields: Fields,
}

impl Piece {
    /// Of a stretch that starts at `start`.
    pub fn new(start: Start, bytes: &[u8], framing: Framing) -> Piece {
        let from = Here { byte: start.byte, records: start.records, pages: start.pages };
        Piece { from, fields: read::fields(bytes, framing, start.byte) }
    }

    /// Where it starts, and a place behind it on the same page.
    pub fn extent(&self) -> [Here; 2] {
        let last = self.fields.iter().last().map_or(self.from.byte, |field| field.offset);
        let records = self.from.records.saturating_add(self.fields.iter().count() as u64);
        let to = Here { byte: last.saturating_add(1), records, pages: self.from.pages.saturating_add(1) };
        [self.from, to]
    }
}

/// What a document starts inside of.
pub(super) struct Around<'d> {
    pub tagging: Tagging<'d>,
    pub pieces: &'d [Piece],
}

impl Around<'_> {
    /// Begins `depth` groups in front of a document that starts `here`.
    pub fn begin(&self, out: &mut Vec<u8>, depth: usize, mut index: Option<&mut Index>, here: Here) {
        let fields = || self.pieces.iter().flat_map(|piece| piece.fields.iter());
        let known = fields().filter(|field| field.id == id::BNG).count();
        for unknown in (known..depth).rev() {
            let is_innermost = unknown == 0 && known == 0;
            let said = index.as_mut().filter(|_| is_innermost).and_then(|index| index.around(self.framing(), here));
            match (index.as_mut(), said) {
                (Some(index), Some(said)) => {
                    self.tagging.writer.put(out, id::BNG, &named(&index.object.name(said.entry)));
                    self.tagging.put(out, &index.object, said.entry, &[]);
                }
                _ => self.tagging.writer.put(out, id::BNG, &token("GROUP")),
            }
        }
        self.copy(out, index);
    }

    /// Writes the groups and tags of the stream, and behind each group's own tags those that only the index has.
    fn copy(&self, out: &mut Vec<u8>, mut index: Option<&mut Index>) {
        let (mut entry, mut own) = (None, Vec::new());
        for piece in self.pieces {
            for (number, field) in (0..).zip(piece.fields.iter()) {
                match field.id {
                    id::BNG => {
                        self.put_indexed(out, index.as_deref(), entry.take(), &std::mem::take(&mut own));
                        let name = begin_name(field.data, 8, self.tagging.charset).unwrap_or_default();
                        let records = piece.from.records.saturating_add(number);
                        let here = Here { byte: field.offset, records, pages: piece.from.pages };
                        entry = index.as_mut().and_then(|index| index.group(self.framing(), &name, here));
                    }
                    id::TLE => own.push(field.data),
                    _ => continue,
                }
                self.tagging.writer.put(out, field.id, field.data);
            }
        }
        self.put_indexed(out, index.as_deref(), entry, &own);
    }

    fn put_indexed(&self, out: &mut Vec<u8>, index: Option<&Index>, entry: Option<usize>, own: &[&[u8]]) {
        if let (Some(index), Some(entry)) = (index, entry) {
            self.tagging.put(out, &index.object, entry, own);
        }
    }

    fn framing(&self) -> Framing {
        self.tagging.writer.framing
    }
}
