//! Stored streams as bytes again: blocks unpacked on demand, joined, cut to a range.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use super::block::{Needs, Packed};
use super::catalogue::LoadInfo;
use super::error::ArchiveError;
use super::kv::Family;
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
        let what = format!("block {number} of load {load}");
        let key = keys::block(load, number);
        let value = self.engine.get(Family::Blocks, &key)?;
        let value = value.ok_or_else(|| ArchiveError::damaged(&what, "it is missing"))?;
        let packed = Packed::parse(&what, rows::unseal(&what, &key, &value)?)?;
        match packed.needs() {
            Needs::Nothing => packed.unpack(&what, &[]),
            Needs::Dictionary(version) => packed.unpack(&what, &self.dictionary(definition, version)?),
            Needs::First if number == 0 => Err(ArchiveError::damaged(&what, "it needs itself")),
            Needs::First => packed.unpack(&what, &first()?),
        }
    }

    pub(super) fn stream(&self, info: Arc<LoadInfo>, span: Range<u64>) -> Stream<'_> {
        Stream { archive: self, info, at: span.start, end: span.end, block: None }
    }
}

/// A range of a stored stream. Holds one block at a time.
pub(super) struct Stream<'a> {
    archive: &'a Archive,
    info: Arc<LoadInfo>,
    at: u64,
    end: u64,
    block: Option<(u64, Arc<Vec<u8>>)>,
}

impl Stream<'_> {
    /// Bytes left.
    pub fn left(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }

    /// The next bytes, as many as its block holds; empty at the end.
    pub fn chunk(&mut self) -> Result<&[u8], ArchiveError> {
        if self.at >= self.end {
            return Ok(&[]);
        }
        let holds = |(start, bytes): &(u64, Arc<Vec<u8>>), at: u64| at >= *start && at - start < bytes.len() as u64;
        if !self.block.as_ref().is_some_and(|block| holds(block, self.at)) {
            let load = self.info.stored.row.id;
            let lost = || ArchiveError::damaged(format!("load {load}"), format!("no block holds byte {}", self.at));
            let number = self.info.block_at(self.at).ok_or_else(lost)?;
            let start = self.info.starts.get(number as usize).copied().ok_or_else(lost)?;
            let block = (start, self.archive.block(&self.info, number)?);
            if !holds(&block, self.at) {
                return Err(lost());
            }
            self.block = Some(block);
        }
        let Some((start, bytes)) = &self.block else { return Ok(&[]) };
        let from = (self.at - start) as usize;
        let to = usize::try_from(self.end - start).unwrap_or(usize::MAX).min(bytes.len());
        Ok(&bytes[from..to])
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
