use super::*;
use crate::frame::tests::cut;
use crate::frame::{Framing, prefix};
use proptest::prelude::*;

const VB: Framing = Framing::Descriptors { blocked: true };
const V: Framing = Framing::Descriptors { blocked: false };

fn rdw(data: &[u8]) -> Vec<u8> {
    sdw(0, data)
}

fn sdw(code: u8, data: &[u8]) -> Vec<u8> {
    let mut out = u16::try_from(data.len() + 4).unwrap().to_be_bytes().to_vec();
    out.extend_from_slice(&[code, 0]);
    out.extend_from_slice(data);
    out
}

fn bdw(records: &[Vec<u8>]) -> Vec<u8> {
    rdw(&records.concat())
}

fn data(bytes: &[u8], framing: Framing) -> Vec<Vec<u8>> {
    let records = cut(bytes, framing).into_iter();
    records.filter(|(_, record)| record.kind == Kind::Data).map(|(data, _)| data).collect()
}

#[test]
fn the_worked_example_of_the_format_notes() {
    let blocked = [0x00, 0x14, 0, 0, 0, 0x0A, 0, 0, 0xF1, 0xC8, 0xC5, 0xD3, 0xD3, 0xD6, 0, 6, 0, 0, 0x40, 0xC1];
    let expected = [vec![0xF1, 0xC8, 0xC5, 0xD3, 0xD3, 0xD6], vec![0x40, 0xC1]];
    assert_eq!(data(&blocked, VB), expected);
    assert_eq!(data(&blocked[4..], V), expected);
}

#[test]
fn a_large_block_has_31_bits_of_length() {
    let bytes = [vec![0x80, 0, 0, 14], rdw(b"A"), rdw(b"B")].concat();
    assert_eq!(data(&bytes, VB), [b"A", b"B"]);
}

#[test]
fn segments_join_across_blocks_and_null_segments_print_nothing() {
    let bytes = [bdw(&[rdw(b"one"), sdw(1, b"tw")]), bdw(&[sdw(0x80, b"zz"), sdw(3, b"o t")]), bdw(&[sdw(2, b"wo")])];
    assert_eq!(data(&bytes.concat(), VB), [&b"one"[..], b"two two"]);
}

#[test]
fn a_first_segment_while_one_is_open_closes_it_with_a_flaw() {
    let records = cut(&[sdw(1, b"ab"), sdw(1, b"cd"), sdw(2, b"ef"), sdw(2, b"gh")].concat(), V);
    let found: Vec<_> = records.iter().map(|(data, record)| (data.as_slice(), record.flaw)).collect();
    let open = Some(Flaw::OpenSpan);
    assert_eq!(found, [(&b"ab"[..], open), (b"cdef", None), (b"gh", open)]);
}

#[test]
fn a_bad_length_costs_one_record_and_the_chain_goes_on() {
    let record = rdw(b"1 a line of text");
    for bad in [[0, 0, 0, 0], [0, 3, 0, 0], [0xFF, 0xFF, 0, 0], [0x40, 0x40, 0x40, 0x40]] {
        let mut bytes = record.repeat(20);
        bytes[5 * record.len()..][..4].copy_from_slice(&bad);
        let records = cut(&bytes, V);
        let lines = records.iter().filter(|(data, _)| data == b"1 a line of text").count();
        assert_eq!(lines, 19, "{bad:?}");
        assert_eq!(records.iter().filter(|(_, record)| record.kind == Kind::Junk).count(), 1);
    }
}

#[test]
fn a_length_that_points_past_the_end_does_not_swallow_the_rest() {
    let record = rdw(b"1 a line of text");
    let mut bytes = record.repeat(20);
    bytes[5 * record.len()..][..2].copy_from_slice(&[0x7F, 0xF0]);
    assert_eq!(data(&bytes, V).len(), 20);
}

#[test]
fn a_bad_record_word_in_a_block_costs_at_most_the_block() {
    let block = bdw(&[rdw(b"first"), rdw(b"second")]);
    let mut bytes = block.repeat(5);
    bytes[4 + 9..][..2].copy_from_slice(&[0, 1]);
    assert_eq!(data(&bytes, VB).len(), 9);
    let mut bytes = block.repeat(5);
    bytes[block.len()..][..4].copy_from_slice(&[1, 2, 3, 4]);
    assert_eq!(data(&bytes, VB).len(), 8);
}

#[test]
fn trailing_padding_is_no_record() {
    for pad in [0x00, 0x40, 0x1A] {
        let bytes = [rdw(b"A"), vec![pad; 99]].concat();
        let records = cut(&bytes, V);
        assert_eq!(records[0].0, b"A");
        assert!(records[1..].iter().all(|(_, record)| record.kind == Kind::Padding), "{records:?}");
        let fixed = cut(&[vec![b'x'; 80], vec![pad; 33]].concat(), Framing::Fixed(80));
        assert_eq!(fixed.last().unwrap().1.kind, Kind::Padding);
    }
}

#[test]
fn the_last_record_may_be_cut_short() {
    let whole = [rdw(b"first"), rdw(b"second")].concat();
    // A single zero behind the first record would be padding.
    for cut_at in 11..whole.len() {
        let records = cut(&whole[..cut_at], V);
        assert_eq!(records.len(), 2);
        assert!(records[1].1.flaw.is_some(), "cut at {cut_at}: {records:?}");
    }
    assert_eq!(cut(b"abc", Framing::Fixed(5))[0].1.flaw, Some(Flaw::CutShort { need: 5, have: 3 }));
}

#[test]
fn a_stream_that_is_no_chain_at_all_stays_in_bounded_pieces() {
    let bytes: Vec<u8> = (0..300_000u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0] | 1).collect();
    for framing in [V, VB] {
        assert!(cut(&bytes, framing).iter().all(|(_, record)| record.raw <= RESYNC_STEP));
    }
}

proptest! {
    #[test]
    fn records_come_back_from_every_framing(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
        let chain: Vec<u8> = records.iter().flat_map(|record| rdw(record)).collect();
        prop_assert_eq!(&data(&chain, V), &records);
        let blocks: Vec<u8> = records.chunks(3)
            .flat_map(|some| bdw(&some.iter().map(|record| rdw(record)).collect::<Vec<_>>()))
            .collect();
        prop_assert_eq!(&data(&blocks, VB), &records);
        let prefixed: Vec<u8> = records.iter()
            .flat_map(|record| [&u16::try_from(record.len()).unwrap().to_le_bytes()[..], record].concat())
            .collect();
        prop_assert_eq!(&data(&prefixed, Framing::Prefixed(prefix::Order::Little)), &records);
    }

    #[test]
    fn any_bytes_are_kept_under_any_framing(bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(4u8), any::<u8>()], 0..2000)) {
        for framing in [V, VB, Framing::Fixed(7), Framing::Prefixed(prefix::Order::Big)] {
            cut(&bytes, framing);
        }
    }
}
