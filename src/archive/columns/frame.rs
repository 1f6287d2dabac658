//! Where records begin and end.

use memchr::memchr;

use super::{ASCII, Code, EBCDIC};

/// Bytes looked at to find out.
const SAMPLE: usize = 16 << 10;
/// Fewer records than this say nothing.
const FEW: usize = 16;
/// Record lengths that are tried.
const LENGTHS: std::ops::RangeInclusive<usize> = 40..=400;

/// How a stream is cut into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// Records of one length.
    Fixed(usize),
    /// Lines up to this byte.
    Lines(u8),
    /// Lines up to a carriage return and a line feed.
    CrLf,
    /// Records behind their length in two bytes, and two zeros.
    Rdw,
}

/// A record, and where the next one begins.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    pub start: usize,
    pub end: usize,
    pub next: usize,
}

impl Frame {
    /// The record that begins at a byte; nothing when none ends in these bytes.
    pub fn record(self, raw: &[u8], at: usize) -> Option<Record> {
        let rest = raw.get(at..)?;
        let (start, end, next) = match self {
            Frame::Fixed(length) => (at, at + length, at + length),
            Frame::Lines(ender) => {
                let end = at + memchr(ender, rest)?;
                (at, end, end + 1)
            }
            Frame::CrLf => {
                let mut end = memchr(b'\n', rest)?;
                while end == 0 || rest.get(end - 1) != Some(&b'\r') {
                    end += 1 + memchr(b'\n', rest.get(end + 1..)?)?;
                }
                (at, at + end - 1, at + end + 1)
            }
            Frame::Rdw => {
                let &[high, low, 0, 0] = rest.first_chunk()? else { return None };
                let length = usize::from(u16::from_be_bytes([high, low]));
                (at + 4, at + length, at + length)
            }
        };
        (start <= end && next <= raw.len()).then_some(Record { start, end, next })
    }

    /// How the bytes are framed and coded, if that is clear.
    pub fn detect(raw: &[u8]) -> Option<(Frame, Code)> {
        let sample = raw.get(..raw.len().min(SAMPLE))?;
        let count = |byte: u8| sample.iter().filter(|one| **one == byte).count();
        let (ascii, ebcdic) = (count(ASCII.blank), count(EBCDIC.blank));
        let code = if ascii > ebcdic { ASCII } else { EBCDIC };
        if ascii.max(ebcdic) * 10 < sample.len() || sample.len() < 512 {
            return None;
        }
        let frame = rdw(sample).or_else(|| lines(sample, code)).or_else(|| fixed(sample))?;
        Some((frame, code))
    }
}

fn rdw(sample: &[u8]) -> Option<Frame> {
    let (mut at, mut count) = (0, 0);
    while let Some(record) = Frame::Rdw.record(sample, at).filter(|record| record.next > at) {
        (at, count) = (record.next, count + 1);
    }
    (count >= FEW && at + 1024 > sample.len()).then_some(Frame::Rdw)
}

fn lines(sample: &[u8], code: Code) -> Option<Frame> {
    let enders: &[u8] = if code == ASCII { b"\n" } else { &[0x15, 0x25] };
    for &ender in enders {
        let count = memchr::memchr_iter(ender, sample).count();
        if count < FEW || sample.len() / count > 250 {
            continue;
        }
        let after_return = |at: &usize| at.checked_sub(1).and_then(|at| sample.get(at)) == Some(&b'\r');
        let returns = memchr::memchr_iter(ender, sample).filter(after_return).count();
        return Some(if returns * 10 > count * 9 { Frame::CrLf } else { Frame::Lines(ender) });
    }
    None
}

/// The length at which bytes equal those one record earlier more often than at any other; of near equals the shortest.
fn fixed(sample: &[u8]) -> Option<Frame> {
    let score = |length: usize| {
        let earlier = sample.iter().zip(sample.get(length..).unwrap_or_default());
        let same = earlier.filter(|(one, other)| one == other).count();
        same * 1000 / (sample.len() - length).max(1)
    };
    let scores: Vec<(usize, usize)> =
        LENGTHS.filter(|length| length * FEW <= sample.len()).map(|length| (length, score(length))).collect();
    let best = scores.iter().map(|(_, score)| *score).max().filter(|best| *best >= 500)?;
    scores.iter().find(|(_, score)| *score * 100 >= best * 96).map(|(length, _)| Frame::Fixed(*length))
}
