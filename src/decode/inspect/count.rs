//! Counts what streams hold that greenbar cannot decode yet. Each counter reads once, with bounded memory, and knows
//! just enough of its format to find page ends.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::super::signature::{PJL, UEL};
use crate::frame::Source;
use crate::note::{At, Notes};

/// Bytes that are looked at together; longer than a structured field.
const VIEW: usize = 128 * 1024;
/// Largest PDF that is opened to count pages: its objects are held in memory.
const PDF_LIMIT: u64 = 256 << 20;
/// Most pages of a TIFF file that are followed.
const TIFF_PAGES: usize = 1_000_000;

/// What was counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// Pages.
    pub pages: u64,
    /// What was survived.
    pub notes: Notes,
}

/// Counts a stream of `format`; nothing is counted for a format without counter.
pub fn count(format: &str, file: File, bytes: u64) -> io::Result<Counts> {
    match format {
        "pcl" => pcl(file),
        "pcl-xl" => pcl_xl(file),
        "postscript" => postscript(file),
        "scs" => scs(file),
        "tiff" => tiff(file),
        "pdf" => pdf(file, bytes),
        _ => Ok(Counts::default()),
    }
}

/// Skips `count` bytes, however many.
fn skip_all<R: Read>(source: &mut Source<R>, count: u64) -> io::Result<()> {
    let mut left = count;
    while left > 0 {
        let have = source.need(VIEW)?;
        if have == 0 {
            break;
        }
        let step = usize::try_from(left).unwrap_or(have).min(have);
        source.skip(step);
        left -= u64::try_from(step).unwrap_or(left);
    }
    Ok(())
}

/// A page ends with a form feed, a page eject command, or a reset after something was printed.
#[derive(Debug, Default)]
struct Sheet {
    pages: u64,
    marked: bool,
}

impl Sheet {
    fn eject(&mut self) {
        self.pages += 1;
        self.marked = false;
    }

    fn end(&mut self) {
        if self.marked {
            self.eject();
        }
    }
}

/// Longest escape sequence that is believed.
const SEQUENCE: usize = 256;

fn pcl(input: impl Read) -> io::Result<Counts> {
    let mut source = Source::new(input, 0);
    let mut sheet = Sheet::default();
    let mut drawing = false;
    loop {
        let have = source.need(VIEW)?;
        let window = source.window();
        let Some(&first) = window.first() else { break };
        if first == 0x1B {
            if window.starts_with(UEL) {
                sheet.end();
                drawing = false;
                source.skip(UEL.len());
                skip_job_language(&mut source)?;
                continue;
            }
            let sequence = Sequence::read(window.get(1..).unwrap_or_default());
            sequence.act(&mut sheet, &mut drawing);
            source.skip(1 + sequence.length);
            skip_all(&mut source, sequence.data)?;
            continue;
        }
        if first == 0x0C && !drawing {
            sheet.eject();
        } else if drawing {
            sheet.marked |= !first.is_ascii_whitespace();
        } else {
            sheet.marked |= first > 0x20;
        }
        let plain = window.iter().skip(1).position(|byte| matches!(byte, 0x1B | 0x0C)).map_or(have, |at| at + 1);
        sheet.marked |= window.get(1..plain).unwrap_or_default().iter().any(|&byte| byte > 0x20);
        source.skip(plain);
    }
    sheet.end();
    Ok(Counts { pages: sheet.pages, ..Counts::default() })
}

/// Skips lines of printer job language.
fn skip_job_language<R: Read>(source: &mut Source<R>) -> io::Result<()> {
    loop {
        source.need(VIEW)?;
        let window = source.window();
        let blanks = window.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if !window.get(blanks..).unwrap_or_default().starts_with(PJL) {
            return Ok(());
        }
        let line =
            memchr::memchr(b'\n', window.get(blanks..).unwrap_or_default()).map_or(window.len(), |at| blanks + at + 1);
        source.skip(line);
    }
}

/// One PCL escape sequence.
#[derive(Debug, Default)]
struct Sequence {
    /// Bytes behind the ESC.
    length: usize,
    /// Binary data behind it.
    data: u64,
    /// `E`: reset.
    reset: bool,
    /// Something is printed.
    marks: bool,
    /// The page is ejected.
    ejects: bool,
    /// HP-GL/2 starts (true) or ends (false).
    drawing: Option<bool>,
}

impl Sequence {
    /// Reads what is behind an ESC.
    fn read(bytes: &[u8]) -> Sequence {
        let Some((&kind, rest)) = bytes.split_first() else { return Sequence::default() };
        if !(0x21..=0x2F).contains(&kind) {
            return Sequence { length: 1, reset: kind == b'E', ..Sequence::default() };
        }
        let group = rest.first().copied().filter(|byte| (0x60..=0x7E).contains(byte)).unwrap_or(0);
        let mut sequence = Sequence { length: 1 + usize::from(group != 0), ..Sequence::default() };
        let mut value = 0_i64;
        let mut fraction = false;
        for &byte in rest.iter().skip(usize::from(group != 0)).take(SEQUENCE) {
            sequence.length += 1;
            match byte {
                b'0'..=b'9' if !fraction => value = value.saturating_mul(10).saturating_add(i64::from(byte - b'0')),
                b'.' => fraction = true,
                b'0'..=b'9' | b'+' | b'-' | b' ' => {}
                0x40..=0x7E => {
                    sequence.command(kind, group, byte.to_ascii_uppercase(), value);
                    if byte <= 0x5E {
                        break;
                    }
                    (value, fraction) = (0, false);
                }
                _ => {
                    sequence.length -= 1;
                    break;
                }
            }
        }
        sequence
    }

    fn command(&mut self, kind: u8, group: u8, end: u8, value: i64) {
        let raster = (kind, group) == (b'*', b'b') && matches!(end, b'W' | b'V');
        let transparent = (kind, group, end) == (b'&', b'p', b'X');
        if end == b'W' || raster || transparent {
            self.data = u64::try_from(value).unwrap_or(0);
        }
        self.marks |= raster || transparent || (kind, group, end) == (b'*', b'c', b'P');
        self.ejects |= (kind, group, end) == (b'&', b'l', b'H');
        if (kind, group) == (b'%', 0) {
            self.drawing = match end {
                b'B' => Some(true),
                b'A' => Some(false),
                _ => self.drawing,
            };
        }
    }

    fn act(&self, sheet: &mut Sheet, drawing: &mut bool) {
        if self.reset || self.ejects {
            sheet.end();
        }
        if self.reset {
            *drawing = false;
        }
        sheet.marked |= self.marks;
        *drawing = self.drawing.unwrap_or(*drawing);
    }
}

/// Counts EndPage operators; data is stepped over by its announced length.
fn pcl_xl(input: impl Read) -> io::Result<Counts> {
    let mut source = Source::new(input, 0);
    let mut counts = Counts::default();
    let mut inside = false;
    loop {
        source.need(VIEW)?;
        let window = source.window();
        let Some((&tag, rest)) = window.split_first() else { return Ok(counts) };
        if !inside {
            let header =
                [b") HP-PCL XL", b"( HP-PCL XL", b"' HP-PCL XL"].iter().any(|header| window.starts_with(*header));
            let line = memchr::memchr(b'\n', window).map_or(window.len(), |at| at + 1);
            let next = memchr::memmem::find(window, b") HP-PCL XL").filter(|at| *at > 0 && !header).unwrap_or(line);
            inside = header;
            source.skip(next.min(line));
            continue;
        }
        let (length, data) = match tag {
            0x1B => {
                inside = false;
                (UEL.len(), 0)
            }
            0xC0..=0xC5 => (1 + size_of_type(tag), 0),
            0xC8..=0xCD => array(tag, rest),
            0xD0..=0xD5 => (1 + 2 * size_of_type(tag), 0),
            0xE0..=0xE5 => (1 + 4 * size_of_type(tag), 0),
            0xF8 => (2, 0),
            0xF9 => (3, 0),
            0xFA => (5, rest.first_chunk().map_or(0, |length| u64::from(u32::from_le_bytes(*length)))),
            0xFB => (2, rest.first().map_or(0, |length| u64::from(*length))),
            _ => {
                counts.pages += u64::from(tag == 0x44);
                (1, 0)
            }
        };
        source.skip(length);
        skip_all(&mut source, data)?;
    }
}

/// Bytes of one PCL XL value: ubyte, uint16, uint32, sint16, sint32, real32.
fn size_of_type(tag: u8) -> usize {
    match tag & 0x07 {
        0 => 1,
        1 | 3 => 2,
        _ => 4,
    }
}

/// Length of a PCL XL array's tag and count, and of its data.
fn array(tag: u8, rest: &[u8]) -> (usize, u64) {
    let (header, count) = match *rest {
        [0xC0, count, ..] => (3, u64::from(count)),
        [0xC1, low, high, ..] => (4, u64::from(u16::from_le_bytes([low, high]))),
        [0xC2, a, b, c, d, ..] => (6, u64::from(u32::from_le_bytes([a, b, c, d]))),
        _ => (1, 0),
    };
    (header, count.saturating_mul(u64::try_from(size_of_type(tag)).unwrap_or(1)))
}

/// Counts `%%Page:` comments outside embedded documents.
fn postscript(input: impl Read) -> io::Result<Counts> {
    let mut source = Source::new(input, 0);
    let mut counts = Counts::default();
    let mut depth = 0_u32;
    loop {
        let have = source.need(VIEW)?;
        let window = source.window();
        if have == 0 {
            return Ok(counts);
        }
        if window.starts_with(b"%%Page:") && depth == 0 {
            counts.pages += 1;
        } else if window.starts_with(b"%%BeginDocument") {
            depth += 1;
        } else if window.starts_with(b"%%EndDocument") {
            depth = depth.saturating_sub(1);
        }
        let line = memchr::memchr2(b'\n', b'\r', window).map_or(have, |at| at + 1);
        source.skip(line);
    }
}

/// Counts form feeds behind something printed, stepping over the parameters of SCS controls.
fn scs(input: impl Read) -> io::Result<Counts> {
    let mut source = Source::new(input, 0);
    let mut sheet = Sheet::default();
    loop {
        source.need(VIEW)?;
        let window = source.window();
        let Some((&code, rest)) = window.split_first() else { break };
        let parameters = match code {
            0x2B => 1 + rest.get(1).map_or(0, |length| usize::from(*length).max(1)),
            0x34 | 0x28 => 2,
            0x03 | 0x35 => 1 + rest.first().map_or(0, |length| usize::from(*length)),
            0x04 | 0x08 => 1,
            0x0C | 0x3A => {
                sheet.end();
                0
            }
            0x41..=0xFE => {
                sheet.marked = true;
                0
            }
            _ => 0,
        };
        source.skip(1 + parameters);
    }
    sheet.end();
    Ok(Counts { pages: sheet.pages, ..Counts::default() })
}

/// Follows the chain of image file directories.
fn tiff(mut file: File) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let mut seen = BTreeSet::new();
    let Some(header) = read_at::<16>(&mut file, 0)? else { return Ok(counts) };
    let little = header.first() == Some(&b'I');
    let big = header.get(2..4).is_some_and(|number| number.contains(&43));
    let number = |bytes: &[u8]| {
        let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        if little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) }
    };
    let (count_size, entry_size, offset_size) = if big { (8, 20, 8) } else { (2, 12, 4) };
    let mut next = number(if big { header.get(8..16) } else { header.get(4..8) }.unwrap_or_default());
    while next != 0 && seen.len() < TIFF_PAGES && seen.insert(next) {
        let Some(directory) = read_at::<8>(&mut file, next)? else { break };
        let entries = number(directory.get(..count_size).unwrap_or_default());
        let chain = entries
            .saturating_mul(entry_size)
            .saturating_add(next)
            .saturating_add(u64::try_from(count_size).unwrap_or(8));
        let Some(link) = read_at::<8>(&mut file, chain)? else {
            counts.notes.add(
                "truncated",
                At { byte: next, record: 0, page: counts.pages + 1 },
                "the directory of an image ends behind the file",
            );
            break;
        };
        counts.pages += 1;
        next = number(link.get(..offset_size).unwrap_or_default());
    }
    Ok(counts)
}

/// Reads up to `N` bytes, zeros behind the end of the file; `None` when not even four are there.
fn read_at<const N: usize>(file: &mut File, at: u64) -> io::Result<Option<[u8; N]>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(u64::try_from(N).unwrap_or(0)).read_to_end(&mut bytes)?;
    let mut out = [0; N];
    out.iter_mut().zip(&bytes).for_each(|(to, from)| *to = *from);
    Ok((bytes.len() >= 4).then_some(out))
}

/// Opens a PDF to count its pages.
fn pdf(file: File, bytes: u64) -> io::Result<Counts> {
    let mut counts = Counts::default();
    if bytes > PDF_LIMIT {
        counts.notes.add("not-counted", At::default(), "the file is too large to open it for its page count");
        return Ok(counts);
    }
    match lopdf::Document::load_from(file) {
        Ok(document) => counts.pages = u64::try_from(document.get_pages().len()).unwrap_or(0),
        Err(error) => counts.notes.add("damaged", At::default(), error),
    }
    Ok(counts)
}
