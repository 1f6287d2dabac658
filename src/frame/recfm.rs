//! The record formats of z/OS: F and FB (fixed), V and VB (RDW and BDW), spanned segments.
//!
//! Rules: z/OS DFSMS Using Data Sets, "Fixed-Length", "Variable-Length" and "Spanned" record formats;
//! `docs/formats/line-data.md`, "Records".

use std::io::{self, Read};

use super::{Flaw, Kind, RECORD_LIMIT, Record, Source, is_padding};

/// Bytes of a descriptor word, which counts itself.
const WORD: usize = 4;

/// Longest logical record put together from segments; a longer one is broken into several.
const ASSEMBLED_LIMIT: usize = 512 * 1024;

/// Bytes that are looked at to find where records go on behind a bad descriptor.
const RESYNC_VIEW: usize = 256 * 1024;

/// Bytes that are given up at once when records do not go on in [`RESYNC_VIEW`].
const RESYNC_STEP: usize = 64 * 1024;

/// Descriptors in a row that are taken as proof that records go on.
const CHAIN: usize = 8;

/// A fixed record at the start of the window.
#[inline]
pub(super) fn fixed<R: Read>(source: &mut Source<R>, length: usize) -> io::Result<Option<Record>> {
    let have = source.need(length)?;
    if have >= length {
        return Ok(Some(Record::data(length, 0, length)));
    }
    if have == 0 {
        return Ok(None);
    }
    if source.window().iter().all(|byte| is_padding(*byte)) {
        return Ok(Some(Record::other(Kind::Padding, have)));
    }
    let flaw = Some(Flaw::CutShort { need: length, have });
    Ok(Some(Record { flaw, ..Record::data(have, 0, have) }))
}

/// Which part of a spanned record a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Segment {
    Whole,
    First,
    Last,
    Middle,
    Null,
}

/// Reads a record or segment descriptor word: length with the word itself, and the segment code.
fn descriptor(bytes: &[u8]) -> Option<(usize, Segment)> {
    let [high, low, code, 0] = *bytes.first_chunk::<WORD>()? else { return None };
    let segment = match code {
        0 => Segment::Whole,
        1 => Segment::First,
        2 => Segment::Last,
        3 => Segment::Middle,
        0x80..=0x83 => Segment::Null,
        _ => return None,
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    (WORD..=RECORD_LIMIT).contains(&length).then_some((length, segment))
}

/// Reads a block descriptor word and returns the bytes behind it in the block.
/// With the first bit on it is 31 bits long (large block interface).
fn block(bytes: &[u8]) -> Option<u32> {
    let [high, low, third, fourth] = *bytes.first_chunk::<WORD>()?;
    let length = match (high & 0x80 != 0, third, fourth) {
        (true, ..) => u32::from_be_bytes([high & 0x7F, low, third, fourth]),
        (false, 0, 0) => u32::from(u16::from_be_bytes([high, low])),
        _ => return None,
    };
    length.checked_sub(4)
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// `count` fewer bytes left of a block; `count` is never more than a record.
fn less(left: u32, count: usize) -> u32 {
    left.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A record with RDW at the start of the window. `left` bytes of its block are left there when `blocked`.
#[inline]
pub(super) fn variable<R: Read>(
    source: &mut Source<R>,
    blocked: bool,
    left: u32,
    assembled: &mut Vec<u8>,
) -> io::Result<Option<Record>> {
    // A block word and a record word.
    let have = source.need(2 * WORD)?;
    if have == 0 {
        return Ok(None);
    }
    let (lead, left) = if !blocked {
        (0, u32::MAX)
    } else if left > 0 {
        (0, left)
    } else {
        match block(source.window()) {
            Some(0) => return Ok(Some(Record::other(Kind::Padding, WORD))),
            Some(inside) => (WORD, inside),
            None => return lost(source, blocked, 0).map(Some),
        }
    };
    let word = source.window().get(lead..).and_then(descriptor);
    let Some((length, segment)) = word.filter(|_| size(left) >= WORD) else {
        return lost(source, blocked, if lead == 0 { left } else { 0 }).map(Some);
    };
    let within = length.min(size(left));
    let have = source.need(lead + within)?.saturating_sub(lead);
    if have < within {
        return Ok(Some(past_the_end(source, blocked, lead, length)));
    }
    let after = if blocked { less(left, within) } else { 0 };
    let mut record = Record { block_left: after, ..Record::data(lead + within, lead + WORD, within - WORD) };
    if within < length {
        record.flaw = Some(Flaw::CutShort { need: length, have: within });
    }
    match segment {
        Segment::Whole => {}
        Segment::Null => record = Record { block_left: after, ..Record::other(Kind::Padding, lead + within) },
        Segment::Last | Segment::Middle => record.flaw = Some(Flaw::OpenSpan),
        Segment::First => record = join_segments(source, blocked, record, assembled)?,
    }
    Ok(Some(record))
}

/// Puts the segments of a spanned record together; `first` is the first of them.
fn join_segments<R: Read>(
    source: &mut Source<R>,
    blocked: bool,
    first: Record,
    assembled: &mut Vec<u8>,
) -> io::Result<Record> {
    let mut record = Record { assembled: true, ..first };
    assembled.clear();
    assembled.extend_from_slice(source.window().get(first.lead..first.raw).unwrap_or_default());
    loop {
        source.need(record.raw + 2 * WORD)?;
        let behind = source.window().get(record.raw..).unwrap_or_default();
        let (lead, left) = match (blocked, record.block_left) {
            (false, _) => (0, u32::MAX),
            (true, 0) => (WORD, block(behind).unwrap_or(0)),
            (true, left) => (0, left),
        };
        let word = behind.get(lead..).and_then(descriptor).filter(|(length, _)| *length <= size(left));
        let fits = |length: usize| record.raw + lead + length <= ASSEMBLED_LIMIT;
        let (length, segment) = match word {
            Some((length, segment @ (Segment::Middle | Segment::Last | Segment::Null))) if fits(length) => {
                (length, segment)
            }
            _ => {
                record.flaw = Some(Flaw::OpenSpan);
                break;
            }
        };
        let start = record.raw + lead + WORD;
        let end = record.raw + lead + length;
        if source.need(end)? < end {
            record.flaw = Some(Flaw::OpenSpan);
            break;
        }
        if segment != Segment::Null {
            assembled.extend_from_slice(source.window().get(start..end).unwrap_or_default());
        }
        record.raw = end;
        record.block_left = if blocked { less(left, length) } else { 0 };
        if segment == Segment::Last {
            break;
        }
    }
    record.len = assembled.len();
    Ok(record)
}

/// A record that announces more bytes than the stream has. Its length may be wrong: when a chain of records in what is
/// left ends exactly with the stream, the record stops where the chain starts.
fn past_the_end<R: Read>(source: &Source<R>, blocked: bool, lead: usize, length: usize) -> Record {
    let rest = source.window().get(lead..).unwrap_or_default();
    let chain = (WORD..rest.len().saturating_sub(WORD)).find(|at| {
        let tail = rest.get(*at..).unwrap_or_default();
        if blocked { blocks_go_on(tail, true) } else { records_go_on(tail, tail.len(), true, CHAIN) }
    });
    let (kept, flaw) = match chain {
        Some(at) => (at, Flaw::BadLength { says: length }),
        None => (rest.len(), Flaw::CutShort { need: length, have: rest.len() }),
    };
    Record { flaw: Some(flaw), ..Record::data(lead + kept, lead + WORD, kept.saturating_sub(WORD)) }
}

/// There is no descriptor at the start of the window, which has `left` bytes of its block: finds where records go on.
fn lost<R: Read>(source: &mut Source<R>, blocked: bool, left: u32) -> io::Result<Record> {
    let have = source.need(RESYNC_VIEW + 1)?;
    let over = have <= RESYNC_VIEW;
    let view = source.window().get(..have.min(RESYNC_VIEW)).unwrap_or_default();
    let says = view.first_chunk::<2>().map_or(0, |word| usize::from(u16::from_be_bytes(*word)));
    let in_block = blocked && left > 0;
    let reach = if in_block { view.len().min(size(left)) } else { view.len().min(RESYNC_STEP) };
    let found = (1..reach).find(|at| {
        let tail = view.get(*at..).unwrap_or_default();
        match (blocked, in_block) {
            (false, _) => records_go_on(tail, tail.len(), over, CHAIN),
            (true, false) => blocks_go_on(tail, over),
            (true, true) => records_go_on(tail, size(left) - at, size(left) <= view.len(), 2),
        }
    });
    // Nothing goes on in a block: the next block may.
    let raw = found.unwrap_or(reach.min(RESYNC_STEP)).max(1).min(view.len().max(1));
    let padding = view.get(..raw).unwrap_or_default().iter().all(|byte| is_padding(*byte));
    let goes_on = found.is_some() || (in_block && raw == size(left) && !over);
    let kind = match (padding, goes_on) {
        (true, _) => Kind::Padding,
        (false, true) => Kind::Junk,
        (false, false) => Kind::Lost,
    };
    let flaw = (!padding).then_some(Flaw::BadLength { says });
    let block_left = if in_block { less(left, raw) } else { 0 };
    Ok(Record { flaw, block_left, ..Record::other(kind, raw) })
}

/// Whether record descriptors follow each other from the start of `bytes`: `wanted` of them, or up to exactly `limit`
/// bytes when `closed` says that records must end there.
fn records_go_on(bytes: &[u8], limit: usize, closed: bool, wanted: usize) -> bool {
    let mut at = 0;
    for links in 0..wanted {
        if closed && at == limit {
            return links > 0;
        }
        match bytes.get(at..).and_then(descriptor) {
            Some((length, _)) => at += length,
            // What lies behind the view is unknown: three links within it are enough.
            None => return !closed && at >= bytes.len() && links >= 3,
        }
        if at > limit {
            return !closed && links >= 3;
        }
    }
    true
}

/// Whether a block starts here: its word, and records that fill it.
fn blocks_go_on(bytes: &[u8], over: bool) -> bool {
    let Some(inside) = block(bytes).map(size).filter(|inside| (WORD..=RECORD_LIMIT).contains(inside)) else {
        return false;
    };
    let records = bytes.get(WORD..).unwrap_or_default();
    if inside > records.len() {
        return !over && records_go_on(records, records.len(), false, CHAIN);
    }
    records_go_on(records, inside, true, usize::MAX)
}

#[cfg(test)]
mod tests;
