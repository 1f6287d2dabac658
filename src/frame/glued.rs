//! Variable records that lost their descriptor words in transfer (FTP in binary without RDW): one behind the other with
//! nothing between them.
//!
//! Machine carriage control betrays where a record starts: its codes are bytes that EBCDIC text does not hold. With ASA control, or
//! none, the boundaries are lost for good. Rules: `docs/formats/line-data.md`, "Records without boundaries".

use std::io::{self, Read};

use super::{End, RECORD_LIMIT, Record, Source};

/// Write, or only move: no space to three lines. No EBCDIC page has a character there.
const SPACING: [u8; 8] = [0x01, 0x03, 0x09, 0x0B, 0x11, 0x13, 0x19, 0x1B];
/// Skip to channel 1 at once. A character in books only.
const SKIP_AT_ONCE: u8 = 0x8B;
/// Write, then skip to channel 1; also the letter i.
const WRITE_AND_SKIP: u8 = 0x89;
const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;

/// Length of the record that `view` starts with: up to the next byte that is a carriage control code. `None` when there is none.
pub fn record_length(view: &[u8]) -> Option<usize> {
    let mut shifted = false;
    for (at, byte) in view.iter().enumerate().skip(1) {
        match *byte {
            SHIFT_OUT => shifted = true,
            SHIFT_IN => shifted = false,
            code if SPACING.contains(&code) => return Some(at),
            SKIP_AT_ONCE if !shifted => return Some(at),
            WRITE_AND_SKIP if !shifted && !is_letter(view, at) => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether the byte at `at` stands in a word of small letters. Letters with accents stand where they do in most Latin pages;
/// national pages put some in the place of braces, tilde, grave accent and backslash, which reports hardly print.
fn is_letter(view: &[u8], at: usize) -> bool {
    let small = |at: Option<usize>| {
        let byte = at.and_then(|at| view.get(at)).copied().unwrap_or(0);
        matches!(byte, 0x81..=0x88 | 0x91..=0x99 | 0xA2..=0xA9)
            || matches!(byte, 0x42..=0x49 | 0x51..=0x59 | 0x62..=0x6A | 0x70..=0x79 | 0x8C..=0x8E | 0xA1 | 0xC0 | 0xD0 | 0xDB..=0xE0)
    };
    small(at.checked_sub(1)) || small(at.checked_add(1))
}

/// The record at the start of the window.
pub(super) fn record<R: Read>(source: &mut Source<R>) -> io::Result<Option<Record>> {
    let have = source.need(RECORD_LIMIT + 1)?;
    let view = source.window().get(..have.min(RECORD_LIMIT + 1)).unwrap_or_default();
    if view.is_empty() {
        return Ok(None);
    }
    let (length, end) = match record_length(view) {
        Some(length) => (length, End::Length),
        None if have > RECORD_LIMIT => (RECORD_LIMIT, End::TooLong),
        None => (have, End::Stream),
    };
    Ok(Some(Record { end, ..Record::data(length, 0, length) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Framing;
    use crate::frame::tests::cut;

    #[test]
    fn machine_codes_cut_what_has_no_descriptors() {
        // Skip; HELLO, space 2; small i inside "ii" of a word; write and skip; X.
        let bytes = b"\x8B\x11\xC8\xC5\xD3\xD3\xD6\x09\x82\x89\x93\x93\x89\xD5\xC7\x01\x40\xC1\x89\x40\xD1";
        let records: Vec<Vec<u8>> = cut(bytes, Framing::Glued).into_iter().map(|(data, _)| data).collect();
        let expected: [&[u8]; 5] = [
            b"\x8B",
            b"\x11\xC8\xC5\xD3\xD3\xD6",
            b"\x09\x82\x89\x93\x93\x89\xD5\xC7",
            b"\x01\x40\xC1",
            b"\x89\x40\xD1",
        ];
        assert_eq!(records, expected);
    }

    #[test]
    fn an_i_beside_a_letter_with_an_accent_cuts_nothing() {
        // Italian: "Più" with its accent where 037 has a grave accent; German: "Fußi" where it has a tilde.
        let bytes = b"\x09\xD7\x89\x79\x09\xC6\xA4\xA1\x89\xD1";
        assert_eq!(cut(bytes, Framing::Glued).len(), 2);
    }

    #[test]
    fn codes_inside_double_byte_text_cut_nothing() {
        let bytes = b"\x09\x0E\x48\x8B\x49\x89\x0F\xC1\x09\xC2";
        assert_eq!(cut(bytes, Framing::Glued).len(), 2);
    }

    #[test]
    fn a_stream_without_codes_is_cut_at_the_limit() {
        let bytes = vec![0xC1; 2 * RECORD_LIMIT + 5];
        let lengths: Vec<usize> = cut(&bytes, Framing::Glued).iter().map(|(data, _)| data.len()).collect();
        assert_eq!(lengths, [RECORD_LIMIT, RECORD_LIMIT, 5]);
    }
}
