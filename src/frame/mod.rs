//! Cuts bytes into records and turns record bytes into characters.
//!
//! A [`Framer`] reads a stream through a window of fixed size and shows one [`Record`] at a time: where it
//! lies, which of its bytes are data, how it ended and what was wrong with it. Every byte of the stream is in exactly
//! one record, whatever is in it: descriptor words, line ends, padding and junk included.
//!
//! Knows record formats (F, FB, V, VB, spanned, length prefixes, text lines) and code pages; knows nothing of pages,
//! carriage control or reports. No input makes it panic, hang or allocate without bound
//! (`decode/line/tests.rs` cuts, flips and overwrites streams to see).
//! Adding a framing: a file here, a variant of [`Framing`].

#![deny(clippy::indexing_slicing, clippy::expect_used, clippy::cast_possible_truncation)]

pub mod codepage;
pub mod glued;
pub mod lines;
pub mod prefix;
pub mod recfm;

use std::io::{self, Read};

/// Most bytes that are read ahead. Longer than any record, so that a record is always a slice of the window.
pub const WINDOW: usize = 1 << 20;

/// Bytes that a window has at first: it grows when more is to be seen at once. Small ones stay in the processor's cache
/// however long the stream is, and opening a document of some kilobytes costs no megabyte.
const FIRST_WINDOW: usize = 64 << 10;

/// Longest record: the most that z/OS access methods allow. Longer lines of text are cut here.
pub const RECORD_LIMIT: usize = 32_760;

/// Bytes that fill up blocks and files: binary zeros, EBCDIC blanks, the CP/M end of file.
pub fn is_padding(byte: u8) -> bool {
    matches!(byte, 0x00 | 0x40 | 0x1A)
}

/// How records are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Records of this many bytes, without anything between them.
    Fixed(usize),
    /// Record descriptor words, in blocks with block descriptor words or without.
    Descriptors {
        /// Blocks with BDW.
        blocked: bool,
    },
    /// A length of two bytes before each record.
    Prefixed(prefix::Order),
    /// Lines of text.
    Lines(lines::Ends),
    /// Nothing, though records differ in length: machine carriage control codes show where they start.
    Glued,
}

/// What a [`Record`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Data.
    Data,
    /// Filler bytes, empty blocks, null segments.
    Padding,
    /// Bytes where a descriptor word should be and none is; behind it records go on.
    Junk,
    /// The same, but no chain of records was found in the bytes that follow.
    Lost,
}

/// How a record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By its length.
    Length,
    /// New line.
    Line,
    /// Vertical tabulation.
    VerticalTab,
    /// Carriage return alone: the next record is printed over this one.
    Overprint,
    /// Form feed.
    FormFeed,
    /// The line is longer than [`RECORD_LIMIT`] and goes on in the next record.
    TooLong,
    /// The stream is over, without a line end.
    Stream,
}

/// What is wrong with a record that was survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The stream or the block is over before the record is.
    CutShort {
        /// Bytes announced, descriptor included.
        need: usize,
        /// Bytes there.
        have: usize,
    },
    /// A descriptor word that cannot be one.
    BadLength {
        /// Its first two bytes.
        says: usize,
    },
    /// Spanned record without its first or its last segment.
    OpenSpan,
}

/// One record as it lies in the window of its [`Framer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Bytes of the stream it takes: descriptors, data, line end.
    pub raw: usize,
    /// Bytes before the data.
    pub lead: usize,
    /// Bytes of data.
    pub len: usize,
    /// Put together from segments: the data lies apart from the raw bytes.
    pub assembled: bool,
    /// Data or not.
    pub kind: Kind,
    /// How it ended.
    pub end: End,
    /// What is wrong with it.
    pub flaw: Option<Flaw>,
    /// Bytes that are left of the block behind it.
    pub block_left: u32,
}

impl Record {
    #[inline]
    fn data(raw: usize, lead: usize, len: usize) -> Record {
        Record { raw, lead, len, assembled: false, kind: Kind::Data, end: End::Length, flaw: None, block_left: 0 }
    }

    fn other(kind: Kind, raw: usize) -> Record {
        Record { kind, ..Record::data(raw, raw, 0) }
    }
}

/// A window on a stream.
#[derive(Debug)]
pub struct Source<R> {
    input: R,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    offset: u64,
    over: bool,
}

impl<R: Read> Source<R> {
    /// A window on `input`, whose first byte has the place `offset` in its stream.
    pub fn new(input: R, offset: u64) -> Source<R> {
        Source { input, buffer: Vec::new(), from: 0, to: 0, offset, over: false }
    }

    /// Makes at least `count` bytes visible (at most [`WINDOW`]) and returns how many are: fewer only when
    /// the stream has no more.
    #[inline]
    pub fn need(&mut self, count: usize) -> io::Result<usize> {
        let have = self.to - self.from;
        if have >= count || self.over { Ok(have) } else { self.read_more(count.min(WINDOW)) }
    }

    fn read_more(&mut self, count: usize) -> io::Result<usize> {
        // What is visible moves to the front only when there is no room behind it: moved at every read, it would be moved
        // several times over.
        if self.from == self.to || self.from + count > self.buffer.len() {
            self.buffer.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        // Twice what is asked for, so that not every question moves what is left of the one before.
        if self.buffer.len() < WINDOW.min(2 * count).max(FIRST_WINDOW) {
            self.buffer.resize(WINDOW.min(4 * count).max(FIRST_WINDOW), 0);
        }
        let wanted = self.from + count;
        while self.to < wanted {
            match self.input.read(self.buffer.get_mut(self.to..).unwrap_or_default()) {
                Ok(0) => {
                    self.over = true;
                    break;
                }
                Ok(read) => self.to = (self.to + read).min(self.buffer.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.to - self.from)
    }

    /// The visible bytes.
    #[inline]
    pub fn window(&self) -> &[u8] {
        self.buffer.get(self.from..self.to).unwrap_or_default()
    }

    /// Goes `count` bytes forward.
    pub fn skip(&mut self, count: usize) {
        let count = count.min(self.to - self.from);
        self.from += count;
        self.offset += count as u64;
    }

    /// Place in the stream of the first visible byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

/// Cuts a stream into records.
#[derive(Debug)]
pub struct Framer<R> {
    source: Source<R>,
    framing: Framing,
    block_left: u32,
    assembled: Vec<u8>,
}

impl<R: Read> Framer<R> {
    /// Cuts `input`, whose first byte has the place `offset` in its stream and has `block_left` bytes of its block
    /// from there on (0 where a block starts, and in formats without blocks).
    pub fn new(input: R, offset: u64, framing: Framing, block_left: u32) -> Framer<R> {
        Framer { source: Source::new(input, offset), framing, block_left, assembled: Vec::new() }
    }

    /// The record at the present place when it is a whole one of fixed length, as most are: made where it is looked at. Handed
    /// over in memory by [`Framer::peek`] it costs more than all else that is done with it here.
    #[inline(always)]
    pub fn peek_fixed(&self) -> Option<Record> {
        match self.framing {
            Framing::Fixed(length) if self.source.window().len() >= length => Some(Record::data(length, 0, length)),
            _ => None,
        }
    }

    /// The record at the present place, `None` at the end of the stream. Does not move.
    #[inline]
    pub fn peek(&mut self) -> io::Result<Option<Record>> {
        match self.framing {
            Framing::Fixed(length) => recfm::fixed(&mut self.source, length),
            Framing::Descriptors { blocked } => {
                recfm::variable(&mut self.source, blocked, self.block_left, &mut self.assembled)
            }
            Framing::Prefixed(order) => prefix::record(&mut self.source, order),
            Framing::Lines(ends) => lines::line(&mut self.source, ends),
            Framing::Glued => glued::record(&mut self.source),
        }
    }

    /// All bytes of a record that [`Framer::peek`] has just returned.
    #[inline]
    pub fn raw(&self, record: &Record) -> &[u8] {
        self.source.window().get(..record.raw).unwrap_or_default()
    }

    /// The data of a record that [`Framer::peek`] has just returned.
    #[inline]
    pub fn data(&self, record: &Record) -> &[u8] {
        if record.assembled {
            return &self.assembled;
        }
        self.source.window().get(record.lead..record.lead + record.len).unwrap_or_default()
    }

    /// Whether `record`, which [`Framer::peek`] has just returned, is the last one; filler behind it does not count.
    pub fn is_last(&mut self, record: &Record) -> io::Result<bool> {
        let have = self.source.need(record.raw + RECORD_LIMIT)?;
        let behind = self.source.window().get(record.raw..have).unwrap_or_default();
        Ok(have < record.raw + RECORD_LIMIT && behind.iter().all(|byte| matches!(byte, 0x00 | 0x1A)))
    }

    /// Goes behind a record.
    #[inline]
    pub fn consume(&mut self, record: &Record) {
        self.source.skip(record.raw);
        self.block_left = record.block_left;
    }

    /// Place in the stream of the next record.
    pub fn offset(&self) -> u64 {
        self.source.offset()
    }

    /// Bytes that are left of the present block.
    pub fn block_left(&self) -> u32 {
        self.block_left
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Gives one byte per read, to find code that expects more.
    pub(crate) struct Trickle<'a>(pub &'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let (Some((first, rest)), Some(slot)) = (self.0.split_first(), out.first_mut()) else { return Ok(0) };
            *slot = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    /// Data, kind, end and flaw of every record, and the joined raw bytes.
    pub(crate) fn cut(bytes: &[u8], framing: Framing) -> Vec<(Vec<u8>, Record)> {
        let mut framer = Framer::new(Trickle(bytes), 0, framing, 0);
        let mut joined = Vec::new();
        let mut records = Vec::new();
        while let Some(record) = framer.peek().unwrap() {
            assert!(record.raw > 0, "a record takes bytes");
            joined.extend_from_slice(framer.raw(&record));
            records.push((framer.data(&record).to_vec(), record));
            framer.consume(&record);
        }
        assert_eq!(joined, bytes, "every byte is in one record");
        records
    }

    #[test]
    fn an_empty_stream_has_no_records() {
        let framings = [
            Framing::Fixed(80),
            Framing::Descriptors { blocked: true },
            Framing::Descriptors { blocked: false },
            Framing::Prefixed(prefix::Order::Little),
            Framing::Lines(lines::Ends::Ascii),
            Framing::Glued,
        ];
        for framing in framings {
            assert!(cut(b"", framing).is_empty());
        }
    }

    #[test]
    fn a_record_may_cross_the_edge_of_the_window() {
        let bytes: Vec<u8> = (0..3 * WINDOW).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let mut framer = Framer::new(bytes.as_slice(), 0, Framing::Fixed(133), 0);
        let mut at = 0;
        while let Some(record) = framer.peek().unwrap() {
            assert_eq!(framer.raw(&record), &bytes[at..at + record.raw]);
            at += record.raw;
            framer.consume(&record);
        }
        assert_eq!((at, framer.offset()), (bytes.len(), bytes.len() as u64));
    }
}
