//! Finds out whether a stream is AFP, and in which container.

use super::field::FieldId;
use super::framing::{self, Framing, Kind, VIEW};
use super::id;
use crate::decode::SAMPLE_BYTES;

/// Fields that are walked to judge a container.
const WALKED: usize = 200;
/// Lengths of fixed records in use.
const LENGTHS: [usize; 8] = [80, 121, 133, 137, 205, 256, 8192, 8205];
/// How far a first field may stand behind the start.
const LEADING_JUNK: usize = 4096;

/// A container that fits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The container.
    pub framing: Framing,
    /// 0 to 1.
    pub confidence: f32,
    /// Fields seen.
    pub fields: usize,
}

/// The container that fits best, if any does.
pub fn find(head: &[u8]) -> Option<Found> {
    find_with(head, None)
}

/// As [`find`], with a length of fixed records that somebody knows.
pub fn find_with(head: &[u8], length: Option<usize>) -> Option<Found> {
    let usual = [
        Framing::Plain,
        Framing::Rdw,
        Framing::Blocked,
        // A length that does not count itself would pass for one that does and is too small.
        Framing::LengthExclusive,
        Framing::LengthInclusive,
        Framing::Bare,
        Framing::Lines,
    ];
    let lengths = length.into_iter().chain(LENGTHS).map(Framing::Fixed);
    let mut best: Option<Found> = None;
    for framing in usual.into_iter().chain(lengths) {
        if let Some(found) = score(head, framing)
            && best.is_none_or(|best| found.confidence > best.confidence)
        {
            best = Some(found);
        }
        // Nothing can fit better.
        if best.is_some_and(|best| best.confidence >= 1.0) {
            break;
        }
    }
    best
}

/// How well a container fits that somebody knows.
pub fn with_framing(head: &[u8], framing: Framing) -> Option<Found> {
    score(head, framing)
}

/// What is seen when the head is walked.
#[derive(Debug, Default)]
struct Walk {
    fields: usize,
    junk: usize,
    filler: usize,
    known: usize,
    broken: usize,
    first: Option<FieldId>,
    begins_in_junk: bool,
}

fn walk(head: &[u8], framing: Framing) -> Walk {
    let mut seen = Walk::default();
    let mut at = 0;
    while seen.fields < WALKED && seen.broken < 16 {
        let rest = head.get(at..).unwrap_or_default();
        // The last record of a head may only look cut short.
        if at > 0 && rest.len() < VIEW && head.len() >= SAMPLE_BYTES {
            break;
        }
        let Some(found) = framing::record(rest, framing) else { break };
        match found.kind {
            Kind::Field(id) => {
                seen.fields += 1;
                seen.known += usize::from(id::is_known(id));
                seen.first.get_or_insert(id);
            }
            Kind::Filler => seen.filler += 1,
            Kind::Junk | Kind::CutShort(_) => {
                seen.begins_in_junk |= seen.fields == 0;
                seen.broken += 1;
                seen.junk += found.raw;
                if seen.fields == 0 && seen.junk > LEADING_JUNK {
                    break;
                }
            }
        }
        at += found.raw;
    }
    seen
}

/// How well a container fits; `None` when no field is found in it.
fn score(head: &[u8], framing: Framing) -> Option<Found> {
    let seen = walk(head, framing);
    let fields = seen.fields;
    if fields == 0 {
        return None;
    }
    let starts = seen.first.is_some_and(starts_stream);
    let base: f32 = match fields {
        // Without X'5A' an id is all there is to recognise a field by.
        1 if framing == Framing::Bare && !starts => return None,
        1 if seen.broken == 0 => 0.9,
        1 if starts => 0.75,
        1 => return None,
        2..4 => 0.97,
        _ => 1.0,
    };
    if seen.begins_in_junk && fields < 2 {
        return None;
    }
    let mut confidence = base;
    if seen.begins_in_junk {
        confidence -= 0.12;
    }
    // Ids that nobody defines are rather data that looks like fields.
    if seen.known * 2 < fields {
        confidence -= 0.4;
    }
    if seen.broken * 4 > fields {
        confidence -= 0.3;
    }
    // Between containers: the one that leaves fewer bytes over.
    let left_over = seen.broken + if seen.filler * 4 > fields { seen.filler } else { 0 };
    confidence -= 0.02 * (left_over.min(8) as f32) / 8.0;
    match framing {
        Framing::Fixed(_) => confidence -= 0.004,
        Framing::Lines => confidence -= 0.002,
        _ => {}
    }
    (confidence > 0.0).then_some(Found { framing, confidence, fields })
}

/// Fields that streams and resource files start with.
fn starts_stream(id: FieldId) -> bool {
    matches!(
        id,
        id::BRG
            | id::BDT
            | id::BPF
            | id::BDI
            | id::BPG
            | id::NOP
            | id::BRS
            | id::BFM
            | id::BPM
            | id::BMO
            | id::BPS
            | id::BFN
            | id::BCP
            | id::BCF
            | id::BOC
            | id::BIM
            | id::IMM
            | id::IDM
            | id::BNG
    )
}

/// AFP that went through a translation from EBCDIC to ASCII: it cannot be read any more.
///
/// X'5A' became `!` (from code page 037) or `]` (from 500), X'D3' the letter `L` (MO:DCA Reference; text-mode transfer).
pub fn is_translated(head: &[u8]) -> bool {
    // X'A8' and X'A9', the classes of Begin and End fields, become `y` and `z`.
    let marked = |bytes: &[u8]| matches!(bytes, [0x21 | 0x5D, _, _, 0x4C, 0x79 | 0x7A, ..]);
    let near = head.get(..16_384).unwrap_or(head);
    marked(near) && near.windows(5).filter(|bytes| marked(bytes)).take(2).count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: u8, category: u8, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(8 + data.len()).unwrap().to_be_bytes();
        [&[0x5A, length[0], length[1], 0xD3, kind, category, 0, 0, 0], data].concat()
    }

    fn stream() -> Vec<Vec<u8>> {
        let mut all = vec![field(0xA8, 0xA8, &[0x40; 8])];
        for page in 0..5 {
            all.push(field(0xA8, 0xAF, &[0xF0; 8]));
            all.push(field(0xEE, 0x9B, &vec![0x40; 60 + 17 * page]));
            all.push(field(0xA9, 0xAF, &[]));
        }
        all.push(field(0xA9, 0xA8, &[]));
        all
    }

    #[test]
    fn every_container_is_told_from_the_others() {
        let be16 = |length: usize| u16::try_from(length).unwrap().to_be_bytes();
        let fields = stream();
        let rdw = |field: &Vec<u8>| [&be16(field.len() + 4)[..], &[0, 0], field].concat();
        let records: Vec<u8> = fields.iter().flat_map(rdw).collect();
        let fixed = |size: usize| {
            fields.iter().flat_map(move |field| {
                let mut record = field.clone();
                record.resize(record.len().div_ceil(size) * size, 0x40);
                record
            })
        };
        let cases: Vec<(Framing, Vec<u8>)> = vec![
            (Framing::Plain, fields.concat()),
            (Framing::Bare, fields.iter().flat_map(|field| field[1..].to_vec()).collect()),
            (Framing::Rdw, records.clone()),
            (Framing::Blocked, [&be16(records.len() + 4)[..], &[0, 0], &records].concat()),
            (Framing::LengthInclusive, fields.iter().flat_map(|f| [&be16(f.len() + 2)[..], f].concat()).collect()),
            (Framing::LengthExclusive, fields.iter().flat_map(|f| [&be16(f.len())[..], f].concat()).collect()),
            (Framing::Fixed(133), fixed(133).collect()),
            (Framing::Fixed(8205), fixed(8205).collect()),
            (Framing::Lines, fields.iter().flat_map(|field| [field, &b"\n"[..]].concat()).collect()),
            (Framing::Lines, fields.iter().flat_map(|field| [field, &b"\r\n"[..]].concat()).collect()),
        ];
        for (framing, bytes) in cases {
            let found = find(&bytes).unwrap();
            assert_eq!(found.framing, framing, "{found:?}");
            assert!(found.confidence > 0.97, "{found:?}");
        }
    }

    #[test]
    fn leading_junk_makes_it_less_sure_and_text_is_none() {
        let junk = [&b"\x01\x02 JOB 4711 \x03"[..], &stream().concat()].concat();
        let found = find(&junk).unwrap();
        assert_eq!(found.framing, Framing::Plain);
        assert!(found.confidence < 0.95);
        for text in [&b"Dear customer,\n"[..], b"", b"Z", b"ZZZZZZZZZZZZZZZZZZ", &[0x5A; 400], &[0xD3; 400]] {
            assert_eq!(find(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_text_mode_transfer_is_recognised() {
        // BDT, BNG and BPG after a translation by code page 037.
        let bytes = b"!\x00\x10Lyy\0\0\0        !\x00\x10Lyu\0\0\0        !\x00\x10Ly\xAE\0\0\0        ";
        assert!(is_translated(bytes));
        assert!(!is_translated(b"Hello!  Later we go."));
        assert!(!is_translated(&stream().concat()));
    }
}
