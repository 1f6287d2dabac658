//! Stored streams as bytes again: blocks unpacked on demand, joined, cut to a range.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use super::block::{Needs, Packed, Unpacker};
use super::catalogue::{LoadInfo, Place};
use super::error::ArchiveError;
use super::kv::Family;
use super::resource::unpack_piece;
use super::{Archive, LoadId, keys, rows};

impl Archive {
    /// The bytes of one block, from memory if they are there.
    pub(super) fn block(&self, info: &LoadInfo, number: u32) -> Result<Arc<Vec<u8>>, ArchiveError> {
        let load = info.stored.row.id;
        if let Some(bytes) = self.blocks.get(&(load, number)) {
            return Ok(bytes);
        }
        if number == 0
            && let Some(bytes) = self.firsts.get(&load)
        {
            return Ok(bytes);
        }
        let bytes = Arc::new(self.unpack_block(load, &info.definition, number, || self.block(info, 0))?);
        let weight = bytes.len();
        // A big first block would push all others out; it has a place of its own.
        if number == 0 && info.starts.len() > 1 {
            self.firsts.put(load, bytes.clone(), weight);
        } else {
            self.blocks.put((load, number), bytes.clone(), weight);
        }
        Ok(bytes)
    }

    /// Reads and unpacks one block; `first` gives the load's first block if it is needed.
    pub(super) fn unpack_block(
        &self,
        load: LoadId,
        definition: &str,
        number: u32,
        first: impl FnOnce() -> Result<Arc<Vec<u8>>, ArchiveError>,
    ) -> Result<Vec<u8>, ArchiveError> {
        let value = self.engine.get(Family::Blocks, &keys::block(load, number))?;
        let mut raw = Vec::new();
        let block = StoredBlock { load, definition, number, value };
        self.unpack_stored(block, first, &mut Unpacker::new()?, &mut raw)?;
        Ok(raw)
    }

    /// Unpacks a block whose row was read, in memory that is there already.
    pub(super) fn unpack_stored(
        &self,
        StoredBlock { load, definition, number, value }: StoredBlock<'_>,
        first: impl FnOnce() -> Result<Arc<Vec<u8>>, ArchiveError>,
        unpacker: &mut Unpacker,
        raw: &mut Vec<u8>,
    ) -> Result<(), ArchiveError> {
        let what = format!("block {number} of load {load}");
        let value = value.ok_or_else(|| ArchiveError::damaged(&what, "it is missing"))?;
        let packed = Packed::parse(&what, rows::unseal(&what, &keys::block(load, number), &value)?)?;
        match packed.needs() {
            Needs::Nothing => packed.unpack_into(&what, &[], unpacker, raw),
            Needs::Dictionary(version) => {
                packed.unpack_into(&what, &self.dictionary(definition, version)?, unpacker, raw)
            }
            Needs::First | Needs::FirstForm if number == 0 => Err(ArchiveError::damaged(&what, "it needs itself")),
            Needs::First => packed.unpack_into(&what, &first()?, unpacker, raw),
            Needs::FirstForm => packed.unpack_into(&what, &self.first_form(load)?, unpacker, raw),
        }
    }

    /// The columnar form of a load's first block.
    pub(super) fn first_form(&self, load: LoadId) -> Result<Arc<Vec<u8>>, ArchiveError> {
        if let Some(form) = self.forms.get(&load) {
            return Ok(form);
        }
        let what = format!("block 0 of load {load}");
        let key = keys::block(load, 0);
        let value = self.engine.get(Family::Blocks, &key)?;
        let value = value.ok_or_else(|| ArchiveError::damaged(&what, "it is missing"))?;
        let packed = Packed::parse(&what, rows::unseal(&what, &key, &value)?)?;
        if packed.needs() != Needs::Nothing {
            return Err(ArchiveError::damaged(&what, "it needs other blocks"));
        }
        let form = Arc::new(packed.form(&what, &[])?);
        self.forms.put(load, form.clone(), form.len());
        Ok(form)
    }

    pub(super) fn stream(&self, info: Arc<LoadInfo>, span: Range<u64>) -> Stream<'_> {
        Stream { archive: self, info, at: span.start, end: span.end, window: None }
    }

    /// What is stored together with a byte of a stream, from that byte on.
    fn window(&self, info: &LoadInfo, byte: u64) -> Result<Window, ArchiveError> {
        let load = info.stored.row.id;
        let lost = || ArchiveError::damaged(format!("load {load}"), format!("no block holds byte {byte}"));
        match info.place(byte) {
            Place::Piece(piece) => {
                let bytes = Arc::new(unpack_piece(&*self.engine, &piece.hash)?);
                if bytes.len() as u64 != piece.length {
                    return Err(lost());
                }
                Ok(Window { span: piece.start..piece.end(), bytes, from: 0 })
            }
            Place::Blocks { at, until } => {
                let number = info.block_at(at).ok_or_else(lost)?;
                let start = info.starts.get(number as usize).copied().ok_or_else(lost)?;
                let bytes = self.block(info, number)?;
                let from = at - start;
                let left = (bytes.len() as u64).checked_sub(from).filter(|left| *left > 0).ok_or_else(lost)?;
                Ok(Window { span: byte..until.min(byte + left), bytes, from: from as usize })
            }
        }
    }
}

/// A block as the store has it: its row's value, or that there is none.
pub(super) struct StoredBlock<'a> {
    pub load: LoadId,
    /// Name of the definition that its dictionaries belong to.
    pub definition: &'a str,
    pub number: u32,
    pub value: Option<Vec<u8>>,
}

/// Stored bytes that follow one another in a stream.
struct Window {
    /// Their place in the stream.
    span: Range<u64>,
    bytes: Arc<Vec<u8>>,
    /// Where in `bytes` the first of them is.
    from: usize,
}

/// A range of a stored stream. Holds one block at a time.
pub(super) struct Stream<'a> {
    archive: &'a Archive,
    info: Arc<LoadInfo>,
    at: u64,
    end: u64,
    window: Option<Window>,
}

impl Stream<'_> {
    /// Bytes left.
    pub fn left(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }

    /// The next bytes, as many as are stored together; empty at the end.
    pub fn chunk(&mut self) -> Result<&[u8], ArchiveError> {
        if self.at >= self.end {
            return Ok(&[]);
        }
        if !self.window.as_ref().is_some_and(|window| window.span.contains(&self.at)) {
            self.window = Some(self.archive.window(&self.info, self.at)?);
        }
        let Some(window) = &self.window else { return Ok(&[]) };
        let end = self.end.min(window.span.end);
        let from = window.from + (self.at - window.span.start) as usize;
        Ok(&window.bytes[from..from + (end - self.at) as usize])
    }

    /// Moves on.
    pub fn consume(&mut self, bytes: usize) {
        self.at += bytes as u64;
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let chunk = self.chunk().map_err(io::Error::other)?;
        let taken = chunk.len().min(out.len());
        out[..taken].copy_from_slice(&chunk[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}
