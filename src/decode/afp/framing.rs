//! Finds structured fields in the container that the transfer left around them (`docs/formats/afp.md`, "Framing").
//!
//! In: bytes. Out: [`Record`]s: a field with its descriptor words and line ends, filler, or bytes that are no field.
//! A record says all by itself how long it is, so reading can start at any of them.
//!
//! Promises: every byte is in exactly one record and every record has bytes; what follows something broken is found
//! again where two fields follow one another (or one, at the end).

use super::field::FieldId;
use super::id;

/// Bytes that must be visible to judge a record: the longest record and the field behind it.
pub const VIEW: usize = 192 * 1024;
/// Longest stretch of junk that is one record.
const JUNK: usize = 64 * 1024;
/// Longest filler that is looked past to see whether fields go on.
const FILLER: usize = 1024;
/// Bytes of an introducer.
pub const INTRODUCER: usize = 8;

/// What stands around the structured fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// X'5A' before each field.
    Plain,
    /// Nothing.
    Bare,
    /// Record descriptor word and X'5A'.
    Rdw,
    /// Block descriptor words, record descriptor words and X'5A'.
    Blocked,
    /// A length of two bytes that counts itself, and X'5A'.
    LengthInclusive,
    /// A length of two bytes that does not count itself, and X'5A'.
    LengthExclusive,
    /// X'5A' and a field, filled up to a multiple of this many bytes.
    Fixed(usize),
    /// X'5A' and a field, and a line end.
    Lines,
}

impl Framing {
    /// The word for it in [`ReadSpec::framing`](crate::decode::ReadSpec::framing).
    pub fn word(self) -> &'static str {
        match self {
            Framing::Plain => "5a",
            Framing::Bare => "none",
            Framing::Rdw => "rdw",
            Framing::Blocked => "bdw-rdw",
            Framing::LengthInclusive => "be16-inclusive",
            Framing::LengthExclusive => "be16",
            Framing::Fixed(_) => "fixed",
            Framing::Lines => "nl",
        }
    }

    /// The framing of a word; `length` is that of fixed records.
    pub fn of_word(word: &str, length: Option<u32>) -> Option<Framing> {
        Some(match word {
            "5a" => Framing::Plain,
            "none" => Framing::Bare,
            "rdw" => Framing::Rdw,
            "bdw-rdw" => Framing::Blocked,
            "be16-inclusive" => Framing::LengthInclusive,
            "be16" => Framing::LengthExclusive,
            "fixed" => Framing::Fixed(usize::try_from(length?).ok().filter(|length| (1..=65_536).contains(length))?),
            "nl" | "lf" | "crlf" | "nel" => Framing::Lines,
            _ => return None,
        })
    }
}

/// The words of all framings.
pub const WORDS: &str = "5a, none, rdw, bdw-rdw, be16-inclusive, be16, fixed, nl";

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A structured field.
    Field(FieldId),
    /// Bytes that fill up blocks and files, and line ends.
    Filler,
    /// Bytes where a field should be and none is.
    Junk,
    /// The introducer of a field whose data the stream no longer has, with what is left.
    CutShort(FieldId),
}

/// One record, by offsets from its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Bytes it takes in the stream.
    pub raw: usize,
    /// Where the data starts: behind descriptor words, X'5A', introducer and extension.
    pub from: usize,
    /// Where the data ends: before padding.
    pub to: usize,
    /// What it is.
    pub kind: Kind,
    /// The next field of this id continues the data.
    pub segmented: bool,
}

impl Record {
    fn without_data(kind: Kind, raw: usize) -> Record {
        Record { raw, from: raw, to: raw, kind, segmented: false }
    }
}

/// The record at the start of `window`; `None` when it is empty. `window` holds [`VIEW`] bytes, or fewer when the stream has
/// no more.
#[inline]
pub fn record(window: &[u8], framing: Framing) -> Option<Record> {
    if window.is_empty() {
        return None;
    }
    Some(match field(window, framing) {
        Some(found) if goes_on(window.get(found.raw..).unwrap_or_default(), framing) => found,
        Some(found) => doubtful(window, found, framing),
        None => other(window, framing),
    })
}

/// As [`record`], where the window shows a whole field and that another one follows: what lies further on cannot change
/// it. `None` where [`record`] has to judge, with [`VIEW`] bytes visible.
#[inline]
pub fn quick(window: &[u8], framing: Framing) -> Option<Record> {
    let lead = match framing {
        Framing::Plain => 1,
        Framing::Bare => 0,
        _ => return None,
    };
    let starts = |bytes: &[u8]| lead == 0 || bytes.first() == Some(&0x5A);
    let (id, length, flags) = introducer(window.get(lead..)?).filter(|_| starts(window))?;
    let end = lead + length;
    let rest = window.get(end..)?;
    introducer(rest.get(lead..)?).filter(|_| starts(rest))?;
    let (from, to) = data(window, lead + INTRODUCER, end, flags);
    Some(Record { raw: end, from, to, kind: Kind::Field(id), segmented: flags & 0x20 != 0 })
}

/// Whether something that belongs to a stream follows: a field, filler, or its end.
#[inline]
fn goes_on(rest: &[u8], framing: Framing) -> bool {
    let Some(first) = rest.first() else { return true };
    let starts = lead(rest, framing).and_then(|(lead, _)| introducer(rest.get(lead..)?)).is_some();
    starts || is_filler(*first)
}

/// A field that junk follows: either the junk is what is wrong, or the field's length, when fields start inside of it.
#[cold]
fn doubtful(window: &[u8], found: Record, framing: Framing) -> Record {
    let inside = (INTRODUCER..found.raw).find(|at| starts_chain(window.get(*at..).unwrap_or_default(), framing));
    match inside {
        Some(at) => Record::without_data(Kind::Junk, at),
        None => found,
    }
}

/// A field's introducer, if its id is one and its length can be.
#[inline]
fn introducer(bytes: &[u8]) -> Option<(FieldId, usize, u8)> {
    let [high, low, class, kind, category, flags, ..] = *bytes else { return None };
    let (id, length) = (FieldId([class, kind, category]), usize::from(u16::from_be_bytes([high, low])));
    (id::is_plausible(id) && length >= INTRODUCER).then_some((id, length, flags))
}

/// Bytes in front of the introducer, and what the descriptor words announce for the record, counted from its start.
#[inline]
fn lead(window: &[u8], framing: Framing) -> Option<(usize, Option<usize>)> {
    let number = |at: usize| {
        let bytes = [*window.get(at)?, *window.get(at + 1)?];
        Some(usize::from(u16::from_be_bytes(bytes)))
    };
    let is_5a = |at: usize| window.get(at) == Some(&0x5A);
    match framing {
        Framing::Plain | Framing::Fixed(_) | Framing::Lines => is_5a(0).then_some((1, None)),
        Framing::Bare => Some((0, None)),
        Framing::Rdw => is_5a(4).then(|| Some((5, Some(number(0)?))))?,
        Framing::Blocked if is_5a(4) && introducer(window.get(5..)?).is_some() => Some((5, Some(number(0)?))),
        Framing::Blocked => is_5a(8).then(|| Some((9, Some(number(4)? + 4))))?,
        Framing::LengthInclusive => is_5a(2).then(|| Some((3, Some(number(0)?))))?,
        Framing::LengthExclusive => is_5a(2).then(|| Some((3, Some(number(0)? + 2))))?,
    }
}

/// A whole field at the start of `window`.
#[inline]
fn field(window: &[u8], framing: Framing) -> Option<Record> {
    let (lead, announced) = lead(window, framing)?;
    let (id, length, flags) = introducer(window.get(lead..)?)?;
    let end = lead + length;
    if end > window.len() {
        return None;
    }
    let raw = match (framing, announced) {
        (Framing::Fixed(size), _) => end.div_ceil(size).saturating_mul(size).min(window.len()),
        (Framing::Lines, _) => end + line_end(window.get(end..).unwrap_or_default()),
        // A descriptor may count filler behind the field; one that counts less is not believed.
        (_, Some(announced)) => announced.clamp(end, (end + JUNK).min(window.len())),
        _ => end,
    };
    let (from, to) = data(window, lead + INTRODUCER, end, flags);
    Some(Record { raw, from, to, kind: Kind::Field(id), segmented: flags & 0x20 != 0 })
}

/// Takes extension and padding off; lengths that cannot be are not believed.
#[inline]
fn data(window: &[u8], start: usize, end: usize, flags: u8) -> (usize, usize) {
    let (mut from, mut to) = (start, end);
    if flags & 0x80 != 0 {
        let extension = window.get(from).map_or(0, |length| usize::from(*length));
        from = if from + extension <= end { from + extension } else { from };
    }
    if flags & 0x08 != 0 && to > from {
        let padding = match window.get(from..to) {
            Some([.., high, low, 0]) => usize::from(u16::from_be_bytes([*high, *low])),
            Some([.., last]) => usize::from(*last),
            _ => 0,
        };
        to = if padding <= to - from { to - padding } else { to };
    }
    (from, to)
}

fn line_end(bytes: &[u8]) -> usize {
    match bytes {
        [0x0D, 0x0A | 0x25, ..] => 2,
        [0x0A | 0x25 | 0x15 | 0x0D, ..] => 1,
        _ => 0,
    }
}

/// Filler between records, and line ends.
pub fn is_filler(byte: u8) -> bool {
    matches!(byte, 0x00 | 0x40 | 0x1A | 0x0A | 0x0D | 0x25 | 0x15 | 0x20)
}

/// What is no whole field: up to where fields go on.
#[cold]
fn other(window: &[u8], framing: Framing) -> Record {
    let next = (1..window.len().min(JUNK)).find(|at| starts_chain(window.get(*at..).unwrap_or_default(), framing));
    let step = match framing {
        // Records stay where they are, whatever one of them holds.
        Framing::Fixed(size) => {
            let end = next.unwrap_or(window.len().min(JUNK)).div_ceil(size).saturating_mul(size);
            end.min(window.len())
        }
        _ => next.unwrap_or(window.len().min(JUNK)),
    };
    let skipped = window.get(..step).unwrap_or_default();
    if skipped.iter().all(|byte| is_filler(*byte)) {
        return Record::without_data(Kind::Filler, step);
    }
    let cut = lead(window, framing).and_then(|(lead, _)| introducer(window.get(lead..)?));
    match cut {
        Some((id, ..)) if next.is_none() => Record::without_data(Kind::CutShort(id), step),
        _ => Record::without_data(Kind::Junk, step),
    }
}

/// Whether two fields follow one another here, or one and nothing but filler.
fn starts_chain(window: &[u8], framing: Framing) -> bool {
    let Some(first) = field(window, framing) else { return false };
    let rest = window.get(first.raw..).unwrap_or_default();
    if rest.is_empty() || field(rest, framing).is_some() {
        return true;
    }
    // Line ends and filler may stand between them.
    let filler = rest.iter().take(FILLER).take_while(|byte| is_filler(**byte)).count();
    let rest = rest.get(filler..).unwrap_or_default();
    filler > 0 && (rest.is_empty() || field(rest, framing).is_some())
}

#[cfg(test)]
mod tests;
