//! Records with a length of two bytes before each, as some transfer programs write them.

use std::io::{self, Read};

use super::{Flaw, Record, Source};

/// Order of the two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Low byte first.
    Little,
    /// High byte first.
    Big,
}

/// Bytes of the length, which does not count itself.
const PREFIX: usize = 2;

/// The record at the start of the window.
pub(super) fn record<R: Read>(source: &mut Source<R>, order: Order) -> io::Result<Option<Record>> {
    let have = source.need(PREFIX)?;
    let Some(prefix) = source.window().first_chunk::<PREFIX>() else {
        let flaw = Some(Flaw::CutShort { need: PREFIX, have });
        return Ok((have > 0).then(|| Record { flaw, ..Record::data(have, have, 0) }));
    };
    let len = usize::from(match order {
        Order::Little => u16::from_le_bytes(*prefix),
        Order::Big => u16::from_be_bytes(*prefix),
    });
    let have = source.need(PREFIX + len)?.min(PREFIX + len);
    let flaw = (have < PREFIX + len).then_some(Flaw::CutShort { need: PREFIX + len, have });
    Ok(Some(Record { flaw, ..Record::data(have, PREFIX, have - PREFIX) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Framing;
    use crate::frame::tests::cut;

    #[test]
    fn the_length_does_not_count_itself() {
        let little = cut(b"\x02\x001A\x00\x00\x01\x00B", Framing::Prefixed(Order::Little));
        let big = cut(b"\x00\x021A\x00\x00\x00\x01B", Framing::Prefixed(Order::Big));
        for records in [little, big] {
            let data: Vec<&[u8]> = records.iter().map(|(data, _)| data.as_slice()).collect();
            assert_eq!(data, [&b"1A"[..], b"", b"B"]);
        }
    }

    #[test]
    fn a_record_cut_short_keeps_what_is_there() {
        let records = cut(b"\x00\x051A", Framing::Prefixed(Order::Big));
        assert_eq!(records[0].0, b"1A");
        assert_eq!(records[0].1.flaw, Some(Flaw::CutShort { need: 7, have: 4 }));
        assert_eq!(cut(b"\x00", Framing::Prefixed(Order::Big)).len(), 1);
    }
}
