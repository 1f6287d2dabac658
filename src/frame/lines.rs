//! Lines of text: LF, CR LF, CR, EBCDIC new line, and the controls that act like a line end.
//!
//! A record is what stands between two of them. A carriage return alone ends a record too: what follows
//! is printed over it. So a form feed in the middle of a line and text struck over by `CR` need no special case further on.
//! Rules: `docs/formats/line-data.md`, "Text".

use std::io::{self, Read};

use super::{End, Kind, RECORD_LIMIT, Record, Source};

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// LF or CR LF; CR alone overprints.
    Ascii,
    /// CR (old Macintosh files); LF and CR LF too.
    Cr,
    /// EBCDIC new line X'15' or line feed X'25', with or without CR before it; CR alone overprints.
    Ebcdic,
}

const LF: u8 = 0x0A;
const VT: u8 = 0x0B;
const FF: u8 = 0x0C;
const CR: u8 = 0x0D;
/// EBCDIC new line.
const NL: u8 = 0x15;
/// EBCDIC line feed.
const EBCDIC_LF: u8 = 0x25;

/// The line at the start of the window.
#[inline]
pub(super) fn line<R: Read>(source: &mut Source<R>, ends: Ends) -> io::Result<Option<Record>> {
    // One byte more than the longest line with its end, to see what follows a CR.
    let have = source.need(RECORD_LIMIT + 2)?;
    let window = source.window();
    let view = window.get(..have.min(RECORD_LIMIT + 1)).unwrap_or_default();
    let Some(len) = find_end(view, ends) else {
        return Ok(match have {
            0 => None,
            1..=RECORD_LIMIT if view.iter().all(|byte| matches!(byte, 0x00 | 0x1A)) => {
                Some(Record::other(Kind::Padding, have))
            }
            1..=RECORD_LIMIT => Some(Record { end: End::Stream, ..Record::data(have, 0, have) }),
            _ => Some(Record { end: End::TooLong, ..Record::data(RECORD_LIMIT, 0, RECORD_LIMIT) }),
        });
    };
    let next = window.get(len + 1).copied();
    let (end, size) = match (view.get(len).copied().unwrap_or(LF), ends) {
        (FF, _) => (End::FormFeed, 1),
        (VT, _) => (End::VerticalTab, 1),
        (CR, Ends::Ascii | Ends::Cr) if next == Some(LF) => (End::Line, 2),
        (CR, Ends::Ebcdic) if matches!(next, Some(NL | EBCDIC_LF)) => (End::Line, 2),
        (CR, Ends::Ascii | Ends::Ebcdic) => (End::Overprint, 1),
        _ => (End::Line, 1),
    };
    Ok(Some(Record { end, ..Record::data(len + size, 0, len) }))
}

/// The place of the first byte that ends a line.
#[inline]
fn find_end(view: &[u8], ends: Ends) -> Option<usize> {
    let newline = match ends {
        Ends::Ascii | Ends::Cr => memchr::memchr2(LF, CR, view),
        Ends::Ebcdic => memchr::memchr3(NL, EBCDIC_LF, CR, view),
    };
    let before = view.get(..newline.unwrap_or(view.len())).unwrap_or_default();
    memchr::memchr2(FF, VT, before).or(newline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Framing;
    use crate::frame::tests::cut;

    fn ends(bytes: &[u8], ends: Ends) -> Vec<(String, End)> {
        let records = cut(bytes, Framing::Lines(ends));
        records.into_iter().map(|(data, record)| (String::from_utf8_lossy(&data).into(), record.end)).collect()
    }

    #[test]
    fn ascii_controls_end_lines_each_in_its_way() {
        let found = ends(b"a\nb\r\nc\rd\x0ce\x0bf", Ends::Ascii);
        let expected = [
            ("a", End::Line),
            ("b", End::Line),
            ("c", End::Overprint),
            ("d", End::FormFeed),
            ("e", End::VerticalTab),
            ("f", End::Stream),
        ];
        assert_eq!(found, expected.map(|(text, end)| (text.to_string(), end)));
    }

    #[test]
    fn double_carriage_returns_make_no_extra_line() {
        let lines = ends(b"a\r\r\nb\n\rc\n", Ends::Ascii).iter().filter(|(_, end)| *end == End::Line).count();
        assert_eq!(lines, 3);
    }

    #[test]
    fn old_macintosh_files_end_lines_with_cr() {
        assert_eq!(ends(b"a\rb\r", Ends::Cr), [("a".into(), End::Line), ("b".into(), End::Line)]);
    }

    #[test]
    fn ebcdic_lines_end_with_nl_or_lf() {
        let found: Vec<End> =
            ends(b"\xC1\x15\xC2\x25\xC3\x0D\x25\xC4\x0D\xC5", Ends::Ebcdic).into_iter().map(|(_, end)| end).collect();
        assert_eq!(found, [End::Line, End::Line, End::Line, End::Overprint, End::Stream]);
    }

    #[test]
    fn a_line_without_end_is_cut_into_records() {
        let found = cut(&vec![b'x'; 2 * RECORD_LIMIT + 5], Framing::Lines(Ends::Ascii));
        let ends: Vec<End> = found.iter().map(|(_, record)| record.end).collect();
        assert_eq!(ends, [End::TooLong, End::TooLong, End::Stream]);
    }
}
