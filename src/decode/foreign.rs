//! Streams in formats that nothing here decodes yet (PostScript, PCL, PDF, TIFF, SCS, or nothing known at all): kept as they came,
//! never read as something that they are not.
//!
//! A stream is one page, which says what it is; a very long one makes a page of every [`PART`] bytes, so that memory stays
//! bounded. What [`named`] says here is what `inspect` says.

use std::io::Read;

use super::{Context, DecodeError, Decoder, Format, ReadSpec, Sample, Sniff, Start, Strike, Unit, UnitKind, signature};
use crate::frame::codepage::CodePage;
use crate::note::{At, Notes};
use crate::page::{Advances, Color, Element, Face, Family, Lu, Page, TextRun};

/// The word for it in definitions.
pub const NAME: &str = "foreign";

/// Bytes of a stream that stand on one page.
const PART: usize = 8 << 20;
/// Bytes that are looked at.
pub const HEAD: usize = 16 << 10;
/// From here on a signature counts.
const SURE: f32 = 0.5;
/// Of so many bytes one may be a control that no text has.
const CONTROLS: usize = 20;
/// The word for what nobody knows.
const UNKNOWN: &str = "unknown";

/// The format of a stream that cannot be drawn; `unknown` for bytes that are no text; `None` for what a format here reads.
pub fn named(head: &[u8]) -> Option<&'static str> {
    sign(head).map(|(format, ..)| format)
}

/// Format, confidence, evidence.
fn sign(head: &[u8]) -> Option<(&'static str, f32, &'static str)> {
    let head = head.get(..HEAD).unwrap_or(head);
    if let Some(found) = signature::matches(head).into_iter().find(|found| found.confidence >= SURE) {
        let own = super::FORMATS.iter().any(|format| format.name() == found.format);
        return (!own).then_some((found.format, found.confidence, found.evidence));
    }
    // Text has few of them, in ASCII and in EBCDIC: X'05', X'0B' to X'0F', X'15', X'1B', X'25' and the like are used by printers.
    let control = |byte: &u8| matches!(byte, 0x01..=0x04 | 0x06 | 0x07 | 0x0E..=0x14 | 0x16..=0x1A | 0x1C..=0x1F);
    let binary = head.iter().filter(|byte| control(byte)).count() * CONTROLS > head.len();
    binary.then_some((UNKNOWN, SURE, "it holds controls that no print text has"))
}

/// How people write a format.
fn written(format: &str) -> &str {
    match format {
        "pdf" => "PDF",
        "postscript" => "PostScript",
        "tiff" => "TIFF",
        "pcl" => "PCL",
        "pcl-xl" => "PCL XL",
        "scs" => "SCS",
        other => other,
    }
}

/// The format that a stream is in, as people write it.
pub fn format_of(read: &ReadSpec) -> &str {
    let format = read.format.as_deref().unwrap_or_default();
    if format == NAME { written(read.framing.as_deref().unwrap_or(UNKNOWN)) } else { format }
}

/// The format of what has none here.
#[derive(Debug)]
pub struct Foreign;

impl Format for Foreign {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sniff(&self, sample: &Sample<'_>, hint: &ReadSpec) -> Sniff {
        let wanted = hint.format.as_deref() == Some(NAME);
        // A definition that says how records are read knows what the stream is.
        let free = wanted || ReadSpec { resources: None, beside: None, ..hint.clone() } == ReadSpec::default();
        let (format, confidence, evidence) = sign(sample.head).filter(|_| free).unwrap_or((UNKNOWN, 0.0, ""));
        let read = ReadSpec { format: Some(NAME.into()), framing: Some(format.into()), ..hint.clone() };
        let evidence = if evidence.is_empty() { Vec::new() } else { vec![evidence.into()] };
        Sniff { confidence: if wanted { 1.0 } else { confidence }, read, evidence }
    }

    fn open<'a>(
        &self,
        input: Box<dyn Read + Send + 'a>,
        start: Start,
        how: &ReadSpec,
        _context: &Context,
    ) -> Result<Box<dyn Decoder + 'a>, DecodeError> {
        let what = written(how.framing.as_deref().unwrap_or(UNKNOWN)).to_owned();
        let code_page = CodePage::find("utf-8").ok_or_else(|| DecodeError::Unknown {
            key: "code_page",
            value: "utf-8".into(),
            allowed: String::new(),
        })?;
        Ok(Box::new(Parts { input, start, what, code_page }))
    }
}

/// A stream in parts.
struct Parts<'a> {
    input: Box<dyn Read + Send + 'a>,
    start: Start,
    what: String,
    code_page: &'static CodePage,
}

impl Parts<'_> {
    /// What stands on the page of a stream, a row each.
    fn rows(&self) -> [String; 2] {
        let what = &self.what;
        if what == UNKNOWN {
            return [
                "A stream of an unknown format, kept as it came. Download the original to see it.".into(),
                "\u{683c}\u{5f0f}\u{672a}\u{77e5}\u{7684}\u{6570}\u{636e}\u{6d41}\u{ff0c}\u{5df2}\u{539f}\u{6837}\u{4fdd}\u{5b58}\u{3002}\u{8bf7}\u{4e0b}\u{8f7d}\u{539f}\u{4ef6}\u{67e5}\u{770b}\u{3002}".into(),
            ];
        }
        [
            format!("A {what} stream, kept as it came. Download the original to see it."),
            format!(
                "{what} \u{6570}\u{636e}\u{6d41}\u{ff0c}\u{5df2}\u{539f}\u{6837}\u{4fdd}\u{5b58}\u{3002}\u{8bf7}\u{4e0b}\u{8f7d}\u{539f}\u{4ef6}\u{67e5}\u{770b}\u{3002}"
            ),
        ]
    }
}

impl Decoder for Parts<'_> {
    fn code_page(&self) -> &'static CodePage {
        self.code_page
    }

    fn next(&mut self, unit: &mut Unit, notes: &mut Notes) -> Result<bool, DecodeError> {
        unit.begin(&self.start);
        let at = At { byte: self.start.byte, record: 0, page: self.start.pages.saturating_add(1) };
        let limit = u64::try_from(PART).unwrap_or(u64::MAX);
        let read = (&mut self.input).take(limit).read_to_end(&mut unit.bytes);
        let length = read.map_err(|source| DecodeError::Read { at, source })?;
        if length == 0 {
            return Ok(false);
        }
        unit.kind = UnitKind::Page;
        unit.span.end = unit.span.start.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        unit.page = at.page;
        for (row, text) in (1_u16..).zip(self.rows()) {
            let at = u32::try_from(unit.bytes.len().saturating_add(unit.spill.len())).unwrap_or(u32::MAX);
            let len = u32::try_from(text.len()).unwrap_or(0);
            unit.spill.extend_from_slice(text.as_bytes());
            unit.strikes.push(Strike { row, at, len, trc: 0 });
        }
        notes.add("format-not-drawn", at, format!("{} is kept as it came, and not cut or drawn", self.what));
        self.start = Start { byte: unit.span.end, resume: 0, pages: at.page, records: 0 };
        Ok(true)
    }

    fn page(&self, _unit: &Unit, _notes: &mut Notes) -> Page {
        let inch = Lu::PER_INCH;
        let line = |(number, text): (u32, String)| {
            let row = i32::try_from(number).unwrap_or(1);
            let size = inch / 6;
            let wide = |c: char| Lu(if c.is_ascii() { size * 6 / 10 } else { size * 12 / 10 });
            Element::Text(TextRun {
                x: Lu(inch / 2),
                y: Lu(inch.saturating_add(row.saturating_mul(size * 3 / 2))),
                turns: 0,
                face: Face { family: Family::Mono, bold: false, italic: false },
                size: Lu(size),
                color: Color::BLACK,
                advances: Advances::Each(text.chars().map(wide).collect()),
                text,
                embedded: None,
                stretch: 1000,
                underline: false,
                line: number,
                shadow: false,
            })
        };
        let elements = (1_u32..).zip(self.rows()).map(line).collect();
        Page { width: Lu(inch * 11), height: Lu(inch * 17 / 2), elements }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_cannot_be_drawn_are_named_and_text_is_not() {
        assert_eq!(named(b"%PDF-1.4\n%\xE2\xE3\n1 0 obj"), Some("pdf"));
        assert_eq!(named(b"%!PS-Adobe-3.0\n%%Pages: 1\n"), Some("postscript"));
        let noise: Vec<u8> = (0..4_000_u32).map(|n| u8::try_from(n * 197 % 256).unwrap_or(0)).collect();
        assert_eq!(named(&noise), Some("unknown"));
        assert_eq!(named(b"DEAR ADA\nhello\n\x0CDEAR BOB\n"), None);
        assert_eq!(named(&[0xC1, 0xC2, 0x40, 0x15, 0xF1, 0x15].repeat(50)), None, "EBCDIC");
        assert_eq!(named(b""), None);
    }

    #[test]
    fn a_stream_is_one_page_that_says_what_it_is_and_holds_every_byte() {
        let stream = b"%!PS-Adobe-3.0\n%%Pages: 1\nshowpage\n".to_vec();
        let sample = Sample { head: &stream, total: Some(stream.len() as u64), name: None };
        let sniff = Foreign.sniff(&sample, &ReadSpec::default());
        assert!(sniff.confidence > 0.5, "{sniff:?}");
        assert_eq!(format_of(&sniff.read), "PostScript");
        let input = Box::new(std::io::Cursor::new(stream.clone()));
        let mut decoder = Foreign.open(input, Start::default(), &sniff.read, &Context::default()).expect("opens");
        let (mut unit, mut notes) = (Unit::default(), Notes::default());
        assert!(decoder.next(&mut unit, &mut notes).expect("reads"));
        assert_eq!((unit.kind, unit.page, &unit.bytes), (UnitKind::Page, 1, &stream));
        let text = String::from_utf8_lossy(unit.text(&unit.strikes[0])).into_owned();
        assert!(text.starts_with("A PostScript stream"), "{text}");
        assert_eq!(crate::page::grid::Grid::of(&decoder.page(&unit, &mut notes)).rows.len(), 2);
        assert!(!decoder.next(&mut unit, &mut notes).expect("ends"));
        assert_eq!(notes.into_list()[0].code, "format-not-drawn");
    }

    #[test]
    fn a_definition_that_says_how_records_are_read_is_believed() {
        let sample = Sample { head: b"%!PS-Adobe-3.0\n", total: None, name: None };
        let hint = ReadSpec { format: Some("line-data".into()), ..ReadSpec::default() };
        assert_eq!(Foreign.sniff(&sample, &hint).confidence, 0.0);
        let hint = ReadSpec { framing: Some("nl".into()), ..ReadSpec::default() };
        assert_eq!(Foreign.sniff(&sample, &hint).confidence, 0.0);
    }
}
