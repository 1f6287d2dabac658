//! How the stream is cut into records.

use super::super::super::Sample;
use super::{Findings, VIEW, Wanted, control, period, share};
use crate::frame::glued;

/// Bytes of a record or block descriptor word, which counts itself.
const WORD: usize = 4;
/// Longest record.
const LONGEST: usize = 32_760;
/// So many records behind one another are a chain of descriptor words even if it breaks: each of them needs two certain bytes.
const CHAIN: usize = 12;
/// Records that are split off for statistics.
const RECORDS: usize = 20_000;

/// Characters beyond ASCII that tell UTF-8 from accident.
const MANY_CHARACTERS: usize = 4;

/// What stands between records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Nothing: every record has this length.
    Fixed(usize),
    /// A record descriptor word before each record, in blocks with a block descriptor word or not.
    Rdw { blocked: bool },
    /// A length of two bytes before each record, low byte first or not.
    Prefix { little: bool },
    /// A line end.
    Line(LineEnd),
    /// Nothing: machine carriage control codes show where records start.
    Glued,
}

/// What ends a line of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    Lf,
    CrLf,
    Cr,
    /// EBCDIC X'15' or X'25', with or without CR.
    Nel,
}

/// A framing, and whether the text in it is EBCDIC.
#[derive(Debug)]
pub struct Frame {
    /// What stands between records.
    pub cut: Cut,
    /// The text is EBCDIC.
    pub ebcdic: bool,
}

impl Frame {
    /// The word for it in a read specification.
    pub fn word(&self) -> &'static str {
        match self.cut {
            Cut::Fixed(_) => "fixed",
            Cut::Rdw { blocked: false } => "rdw",
            Cut::Rdw { blocked: true } => "bdw-rdw",
            Cut::Prefix { little: true } => "le16",
            Cut::Prefix { little: false } => "be16",
            Cut::Line(LineEnd::Lf) => "nl",
            Cut::Line(LineEnd::CrLf) => "crlf",
            Cut::Line(LineEnd::Cr) => "cr",
            Cut::Line(LineEnd::Nel) => "nel",
            Cut::Glued => "glued",
        }
    }

    /// Record format without carriage control.
    pub fn letters(&self) -> &'static str {
        match self.cut {
            Cut::Fixed(_) => "FB",
            Cut::Rdw { .. } | Cut::Prefix { .. } | Cut::Glued => "VB",
            Cut::Line(_) => "text",
        }
    }

    /// Whether lines end with control characters.
    pub fn is_text(&self) -> bool {
        matches!(self.cut, Cut::Line(_))
    }

    /// Length of fixed records; longest variable one in the sample, with the descriptor word where there is one.
    pub fn record_length(&self, head: &[u8], records: &[&[u8]]) -> Option<u32> {
        let longest = records.iter().map(|record| record.len()).max().unwrap_or(0);
        u32::try_from(match self.cut {
            Cut::Fixed(length) => length,
            Cut::Rdw { blocked } => walk(head, blocked).longest + WORD,
            Cut::Prefix { .. } | Cut::Line(_) | Cut::Glued => longest,
        })
        .ok()
        .filter(|&length| length > 0)
    }

    /// The first records of the head, without what stands between them.
    pub fn records<'a>(&self, head: &'a [u8]) -> Vec<&'a [u8]> {
        match self.cut {
            Cut::Fixed(length) => head.chunks(length.max(1)).take(RECORDS).collect(),
            Cut::Rdw { blocked } => walk(head, blocked).records,
            Cut::Prefix { little } => prefixed(head, little).records,
            Cut::Line(end) => lines(head, end),
            Cut::Glued => glued_records(head),
        }
    }
}

/// Finds the framing: descriptor words first (nothing else looks like them), then line ends, then a period.
pub fn find(sample: &Sample<'_>, wanted: &Wanted, found: &mut Findings) -> Frame {
    let whole = sample.total.is_none_or(|total| u64::try_from(sample.head.len()).is_ok_and(|have| have >= total));
    let frame = descriptors(sample.head, whole, wanted, found).or_else(|| prefixes(sample.head, whole, wanted, found));
    if let Some(frame) = frame {
        return frame;
    }
    let ebcdic = kind_of_text(sample.head, wanted, found);
    if let Some(end) = line_end(sample.head, ebcdic, wanted, found) {
        return Frame { cut: Cut::Line(end), ebcdic };
    }
    if ebcdic && let Some(frame) = without_boundaries(sample, wanted, found) {
        return frame;
    }
    let length = match wanted.record_length.filter(|_| wanted.framing.as_deref() == Some("fixed")) {
        Some(length) => {
            found.say(format!("records of {length} bytes, as the definition says"));
            length
        }
        None => {
            let mut trial = Findings { confidence: 1.0, ..Findings::default() };
            let length = period::record_length(sample, ebcdic, wanted, &mut trial);
            if trial.confidence < 0.5 && only_form_feeds(sample.head, ebcdic, wanted, found) {
                return Frame { cut: Cut::Line(LineEnd::Lf), ebcdic };
            }
            found.confidence *= trial.confidence;
            found.evidence.append(&mut trial.evidence);
            length
        }
    };
    Frame { cut: Cut::Fixed(length), ebcdic }
}

/// Whether form feeds cut a text that has no line ends at all: one line for each page.
fn only_form_feeds(head: &[u8], ebcdic: bool, wanted: &Wanted, found: &mut Findings) -> bool {
    let feeds = memchr::memchr_iter(0x0C, head).count();
    let looks = !ebcdic && feeds > 0 && head.len() / feeds <= LONGEST;
    if looks && wanted.allows("nl") {
        found.weigh(if feeds < 3 { 0.8 } else { 0.95 }, format!("no line ends, but {feeds} form feeds that end pages"));
        return true;
    }
    false
}

/// A chain of length words, as far as it goes.
#[derive(Default)]
struct Chain<'a> {
    /// The records, without their descriptor words; of a spanned one the first segment, where its control is.
    records: Vec<&'a [u8]>,
    /// Length of the longest record, all its segments together.
    longest: usize,
    blocks: usize,
    spanned: bool,
    /// Bytes that fit the chain.
    reached: usize,
    /// The chain is broken by something that is neither the end of the bytes nor padding.
    broken: bool,
}

/// Tries RDWs with and without BDWs.
fn descriptors(head: &[u8], whole: bool, wanted: &Wanted, found: &mut Findings) -> Option<Frame> {
    let blocked = Some(walk(head, true)).filter(|_| wanted.allows("bdw-rdw"));
    let plain = Some(walk(head, false)).filter(|_| wanted.allows("rdw"));
    let (chain, is_blocked) = match (blocked, plain) {
        (Some(blocked), Some(plain)) if blocked.records.len() > plain.records.len() => (blocked, true),
        (Some(blocked), Some(plain)) if !blocked.broken && plain.broken => (blocked, true),
        (_, Some(plain)) => (plain, false),
        (Some(blocked), None) => (blocked, true),
        (None, None) => return None,
    };
    let forced = matches!(wanted.framing.as_deref(), Some("rdw" | "bdw-rdw"));
    let count = chain.records.len();
    if !forced && (count == 0 || (chain.broken && count < CHAIN)) {
        return None;
    }
    let factor = match count {
        0..3 => 0.75,
        3..20 => 0.9,
        20..200 => 0.97,
        _ => 0.99,
    };
    let blocks = if is_blocked { format!(" in {} blocks with descriptor words", chain.blocks) } else { String::new() };
    let spanned = if chain.spanned { ", some of them in segments" } else { "" };
    found.weigh(factor, format!("a chain of {count} record descriptor words{blocks}{spanned}"));
    if chain.broken {
        found.weigh(0.8, format!("the chain of descriptor words breaks at byte {}", chain.reached));
    } else if whole && chain.reached < head.len() {
        found.weigh(0.95, format!("the last record is cut short at byte {}", head.len()));
    }
    let bytes: Vec<u8> = chain.records.concat();
    let ebcdic = kind_of_text(&bytes, wanted, found);
    Some(Frame { cut: Cut::Rdw { blocked: is_blocked }, ebcdic })
}

/// Reads a descriptor word: length with the word itself, and the code of a segment (0 whole, 1 first, 2 last, 3 middle).
fn descriptor(bytes: &[u8]) -> Option<(usize, u8)> {
    let [high, low, code, 0] = *bytes.first_chunk::<WORD>()? else { return None };
    let length = usize::from(u16::from_be_bytes([high, low]));
    ((WORD..=LONGEST).contains(&length) && code <= 3).then_some((length, code))
}

/// Length of a block with its descriptor word; large blocks have the high bit set and 31 bits of length.
fn block(bytes: &[u8]) -> Option<usize> {
    let word = u32::from_be_bytes(*bytes.first_chunk::<WORD>()?);
    let length = if word & 0x8000_0000 != 0 {
        word & 0x7FFF_FFFF
    } else if word & 0xFFFF == 0 {
        word >> 16
    } else {
        0
    };
    usize::try_from(length).ok().filter(|&length| length > WORD)
}

/// Walks RDWs (inside BDWs) from the start of the head.
fn walk(head: &[u8], blocked: bool) -> Chain<'_> {
    let mut chain = Chain::default();
    let mut rest = head;
    let (mut block_left, mut open) = (0, 0);
    while !rest.is_empty() && chain.records.len() < RECORDS {
        if is_padding(rest) {
            chain.reached = head.len();
            break;
        }
        if blocked && block_left == 0 {
            let Some(length) = block(rest) else { break };
            chain.blocks += 1;
            chain.reached += WORD;
            block_left = length - WORD;
            rest = rest.get(WORD..).unwrap_or_default();
            continue;
        }
        let Some((length, segment)) = descriptor(rest) else { break };
        if blocked && length > block_left {
            break;
        }
        let Some((record, tail)) = rest.split_at_checked(length) else {
            // The sample ends inside a record.
            return chain;
        };
        let text = record.get(WORD..).unwrap_or_default();
        if segment < 2 {
            open = 0;
            chain.records.push(text);
        }
        open += text.len();
        chain.longest = chain.longest.max(open);
        chain.spanned |= segment != 0;
        chain.reached += length;
        block_left = block_left.saturating_sub(length);
        rest = tail;
    }
    let full = chain.records.len() >= RECORDS;
    chain.broken = !full && chain.reached < head.len() && head.len() - chain.reached >= WORD;
    chain
}

/// Whether nothing but one filler byte is left.
fn is_padding(rest: &[u8]) -> bool {
    rest.first().is_some_and(|&first| matches!(first, 0x00 | 0x40 | 0x1A) && rest.iter().all(|&byte| byte == first))
}

/// Tries lengths of two bytes, low or high byte first.
fn prefixes(head: &[u8], whole: bool, wanted: &Wanted, found: &mut Findings) -> Option<Frame> {
    for (little, word) in [(true, "le16"), (false, "be16")] {
        if !wanted.allows(word) {
            continue;
        }
        let forced = wanted.framing.as_deref() == Some(word);
        let chain = prefixed(head, little);
        let count = chain.records.len();
        let filled = chain.records.iter().filter(|record| !record.is_empty()).count();
        let ends = !chain.broken && (!whole || chain.reached == head.len());
        // Two characters of plain text read as a length are 2,000 and more, and the "records" hold line ends.
        let long = chain.reached > count.saturating_mul(1_000);
        if !forced && (count < 3 || !ends || long || filled * 2 < count) {
            continue;
        }
        let bytes: Vec<u8> = chain.records.concat();
        // Any two characters make a length that fits, so a chain through plain text does not break where the head
        // is cut off; but its records are full of line ends.
        let line_ends = bytes.iter().filter(|byte| matches!(byte, 0x0A | 0x15 | 0x25)).count();
        if !forced && line_ends > 2 * count {
            continue;
        }
        let mut trial = Findings { confidence: 1.0, ..Findings::default() };
        let ebcdic = kind_of_text(&bytes, wanted, &mut trial);
        if !forced && trial.confidence < 0.8 {
            continue;
        }
        let order = if little { "low" } else { "high" };
        found.weigh(
            if count < 20 { 0.85 } else { 0.97 },
            format!("{count} records, each after two bytes of length, {order} byte first"),
        );
        found.confidence *= trial.confidence;
        found.evidence.append(&mut trial.evidence);
        return Some(Frame { cut: Cut::Prefix { little }, ebcdic });
    }
    None
}

/// Walks lengths of two bytes, which do not count themselves.
fn prefixed(head: &[u8], little: bool) -> Chain<'_> {
    let mut chain = Chain::default();
    let mut rest = head;
    while let Some((prefix, tail)) = rest.split_first_chunk::<2>() {
        if chain.records.len() >= RECORDS {
            break;
        }
        let length = usize::from(if little { u16::from_le_bytes(*prefix) } else { u16::from_be_bytes(*prefix) });
        chain.broken = length > LONGEST;
        let Some((record, tail)) = tail.split_at_checked(length).filter(|_| !chain.broken) else { break };
        chain.records.push(record);
        chain.reached += 2 + length;
        rest = tail;
    }
    chain
}

/// Cuts records that lost their descriptor words at machine carriage control codes.
fn glued_records(head: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    let mut rest = head;
    while !rest.is_empty() && records.len() < RECORDS {
        // What stands behind the last code of the sample may go on.
        let Some((record, tail)) = glued::record_length(rest).and_then(|length| rest.split_at_checked(length)) else {
            records.push(rest);
            break;
        };
        records.push(record);
        rest = tail;
    }
    records
}

/// Tries records with machine carriage control that lost their descriptor words: cut at the codes, they have lengths of their own.
fn without_boundaries(sample: &Sample<'_>, wanted: &Wanted, found: &mut Findings) -> Option<Frame> {
    if !wanted.allows("glued") {
        return None;
    }
    let head = sample.head;
    let forced = wanted.framing.as_deref() == Some("glued");
    let records = glued_records(head);
    let controlled = wanted.control.is_none_or(|control| control == Some(control::Control::Machine));
    // Packed numbers hold such bytes too, but others with them, and closer together.
    let strange = |byte: &u8| *byte < 0x40 && !matches!(byte, 0x0E | 0x0F);
    let others: usize = records.iter().map(|record| record.iter().skip(1).filter(|byte| strange(byte)).count()).sum();
    let looks = records.len() >= 10
        && head.len() / records.len() >= 10
        && share(others, head.len()) < 0.002
        && control::is_machine_coded(&records)
        && !is_periodic(sample, wanted);
    if !(forced || (controlled && looks)) {
        return None;
    }
    found.weigh(
        0.75,
        format!(
            "no descriptor words, but {} machine codes that no text holds, at uneven distances: variable records that lost \
             their RDWs in transfer, cut again at the codes; send them with RDWs (FTP: SITE RDW) to be sure",
            records.len()
        ),
    );
    Some(Frame { cut: Cut::Glued, ebcdic: true })
}

/// Whether machine codes stand at the distance of a fixed record length all through: the lines of a listing are often equally long
/// without that, but the first one that is not shifts all behind it.
fn is_periodic(sample: &Sample<'_>, wanted: &Wanted) -> bool {
    let length = period::record_length(sample, true, wanted, &mut Findings::default());
    let records: Vec<&[u8]> = sample.head.chunks(length.max(1)).take(RECORDS).collect();
    control::is_machine_coded(&records)
}

/// Splits text at its line ends; form feeds stay in the lines.
fn lines(head: &[u8], end: LineEnd) -> Vec<&[u8]> {
    let is_end = |byte: &u8| match end {
        LineEnd::Lf | LineEnd::CrLf => *byte == 0x0A,
        LineEnd::Cr => *byte == 0x0D,
        LineEnd::Nel => matches!(byte, 0x15 | 0x25),
    };
    let mut lines: Vec<&[u8]> =
        head.split(is_end).take(RECORDS).map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines
}

/// Counts bytes by value.
pub fn histogram(bytes: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    for &byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    counts
}

/// Whether the bytes are EBCDIC text; ASCII otherwise. Lowers the confidence for what looks like neither.
fn kind_of_text(head: &[u8], wanted: &Wanted, found: &mut Findings) -> bool {
    if let Some(page) = wanted.page {
        return page.is_ebcdic();
    }
    let view = head.get(..VIEW).unwrap_or(head);
    let host = outside_shifts(view);
    let counts = histogram(&host);
    let sum = |range: std::ops::RangeInclusive<usize>| counts.get(range).unwrap_or_default().iter().sum::<usize>();
    let invariant = [0x40..=0x40, 0x4B..=0x50, 0x5B..=0x61, 0x6B..=0x6F, 0x7A..=0x7F, 0x81..=0x89, 0x91..=0x99]
        .into_iter()
        .chain([0xA2..=0xA9, 0xC1..=0xC9, 0xD1..=0xD9, 0xE2..=0xE9, 0xF0..=0xF9]);
    let e = share(invariant.map(sum).sum(), host.len());
    // Carriage control in machine code, line ends and shifts are no text, but no sign against it either.
    let controls = share(sum(0x00..=0x3F).saturating_sub(sum(0x20..=0x20)), host.len());
    let ascii = histogram(view);
    let of = |byte: usize| ascii.get(byte).copied().unwrap_or(0);
    let plain =
        of(8) + of(9) + of(10) + of(12) + of(13) + ascii.get(0x20..0x7F).unwrap_or_default().iter().sum::<usize>();
    let high = ascii.get(0x80..).unwrap_or_default().iter().sum::<usize>();
    let a = share(plain, view.len());
    let (blanks, spaces) = (of(0x40), of(0x20));
    // EBCDIC letters outside A-Z are "high" in both; what tells is the blank, then the digits and letters.
    // Chinese and Japanese text has hardly a blank; what it has are line ends and whole codes between them, of which some end
    // with the byte that is a blank elsewhere.
    let ebcdic = if is_utf8(view) || (blanks * 5 < view.len() && is_multi_byte(view, high)) {
        false
    } else if blanks.max(spaces) * 50 > view.len() {
        blanks > spaces
    } else {
        e > a
    };
    let letters = share(high, view.len());
    let fit =
        if ebcdic { e + (controls * 0.8).min(0.1) + 0.25 * (1.0 - e).min(0.3) } else { ascii_fit(a, letters, view) };
    let name = if ebcdic { "EBCDIC" } else { "ASCII" };
    let seen = if ebcdic { e } else { a };
    found.weigh(
        ((fit - 0.6) * 3.0).min(1.0),
        format!("{:.1} % of the text bytes are common {name} characters", seen * 100.0),
    );
    ebcdic
}

/// Whether text is UTF-8 with characters beyond ASCII: no EBCDIC text is, not even for a few of its words.
fn is_utf8(view: &[u8]) -> bool {
    let chunks = view.utf8_chunks();
    // The view may end inside a character.
    let whole = match std::str::from_utf8(view) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let beyond = chunks.take(1).map(|chunk| chunk.valid().chars().filter(|ch| !ch.is_ascii()).count()).sum::<usize>();
    whole && beyond >= MANY_CHARACTERS
}

/// Whether lines end with LF and are text of a multi-byte page of workstations.
fn is_multi_byte(view: &[u8], high: usize) -> bool {
    let lines: Vec<&[u8]> = view.split(|byte| *byte == b'\n').collect();
    let hosts = memchr::memchr2_iter(0x15, 0x25, view).count();
    lines.len() > 2 && lines.len() > hosts && super::encoding::multi_byte(&lines, high).is_some()
}

/// How well bytes fit a superset of ASCII: valid UTF-8 fits wholly, other high bytes nearly.
fn ascii_fit(plain: f32, high: f32, view: &[u8]) -> f32 {
    let controls = 1.0 - plain - high;
    let utf8 = view.utf8_chunks().map(|chunk| chunk.invalid().len()).sum::<usize>() <= 3;
    if utf8 || high < 0.3 {
        1.0 - controls * 4.0
    } else {
        // Many high bytes: pairs of a multi-byte page come in runs, noise does not.
        let runs = view.windows(2).filter(|pair| pair.iter().all(|&byte| byte >= 0x80)).count();
        // The codes of four bytes of GB18030 have digits between their high bytes.
        let fours =
            view.windows(4).filter(|code| matches!(code, [0x81..=0xFE, 0x30..=0x39, 0x81..=0xFE, 0x30..=0x39])).count();
        let paired = share(runs + 2 * fours, view.len()) / high.max(0.01);
        // Half of the codes of Big5 and Shift-JIS end with a byte below 80.
        let bytes = view.iter().filter(|byte| **byte >= 0x80).count();
        (if paired > 0.6 || is_multi_byte(view, bytes) { 0.95 } else { 0.7 }) - controls * 4.0
    }
}

/// The bytes that are not inside shift-out, shift-in runs of legal double-byte codes.
fn outside_shifts(view: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(view.len());
    let mut inside = false;
    for &byte in view {
        match byte {
            0x0E => inside = true,
            0x00..=0x3F => {
                inside = false;
                if byte != 0x0F {
                    out.push(byte);
                }
            }
            _ if !inside => out.push(byte),
            _ => {}
        }
    }
    out
}

/// Finds what ends lines, if lines there are.
fn line_end(head: &[u8], ebcdic: bool, wanted: &Wanted, found: &mut Findings) -> Option<LineEnd> {
    let view = head.get(..VIEW).unwrap_or(head);
    let counts = histogram(view);
    let of = |byte: usize| counts.get(byte).copied().unwrap_or(0);
    let (lf, cr) = (of(0x0A), of(0x0D));
    let pairs = memchr::memmem::find_iter(view, b"\r\n").count();
    let nel = if ebcdic { of(0x15).max(of(0x25)) } else { 0 };
    let (end, word, count) = if ebcdic && nel > pairs {
        (LineEnd::Nel, "EBCDIC new line", nel)
    } else if pairs > 0 && pairs * 10 >= lf * 9 {
        (LineEnd::CrLf, "CR LF", pairs)
    } else if lf > 0 && !ebcdic {
        (LineEnd::Lf, "LF", lf)
    } else if cr > 0 && !ebcdic {
        (LineEnd::Cr, "CR", cr)
    } else {
        return forced_end(wanted, ebcdic);
    };
    let frame = Frame { cut: Cut::Line(end), ebcdic };
    if let Some(forced) = forced_end(wanted, ebcdic) {
        return Some(forced);
    }
    let average = view.len() / count.max(1);
    // Text in records has a stray line end now and then; lines have one each.
    if !wanted.allows(frame.word()) || (average > 1_000 && count > 1 && control::longest(&lines(view, end)) > 8_000) {
        return None;
    }
    if ebcdic && average > 400 {
        return None;
    }
    found.weigh(
        if count < 3 { 0.8 } else { 0.98 },
        format!("lines end with {word} ({count} in the first {} bytes)", view.len()),
    );
    Some(end)
}

/// The line end that the definition names.
fn forced_end(wanted: &Wanted, ebcdic: bool) -> Option<LineEnd> {
    match wanted.framing.as_deref()? {
        "nl" => Some(LineEnd::Lf),
        "crlf" => Some(LineEnd::CrLf),
        "cr" => Some(LineEnd::Cr),
        "nel" => Some(LineEnd::Nel),
        "text" if ebcdic => Some(LineEnd::Nel),
        _ => None,
    }
}
