//! Code pages: what the codes of text stand for.
//!
//! A code page is a resource (BCP, CPD, CPC, CPI, ECP) that names a character for each code point, or one of IBM's
//! registered ones, known by the number in its name. Source of the layouts: FOCA reference, "Code pages".

use std::collections::BTreeMap;

use super::gcgid::{self, Gcgid};
use crate::decode::afp::bytes::{array, u8_at, u16_at, u32_at};
use crate::decode::afp::field::{FieldId, Fields};
use crate::frame::codepage::{Cell, CodePage as Charset};

const CPD: FieldId = FieldId([0xD3, 0xA6, 0x87]);
const CPC: FieldId = FieldId([0xD3, 0xA7, 0x87]);
const CPI: FieldId = FieldId([0xD3, 0x8C, 0x87]);

/// More code points than a double-byte page can have are not read.
const ENTRIES_LIMIT: usize = 65_536;

/// What a code point stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entry {
    /// The character's name in character sets; `None` in code pages that are only known by number.
    pub name: Option<Gcgid>,
    /// Its Unicode character; `None` when the name is private.
    pub ch: Option<char>,
    /// It must not be printed: the default character takes its place.
    pub invalid: bool,
    /// It prints nothing.
    pub hidden: bool,
    /// It does not move the pen.
    pub still: bool,
}

/// A code page.
#[derive(Debug, Clone, Default)]
pub struct CodePage {
    entries: BTreeMap<u16, Entry>,
    /// What codes without an entry print.
    pub default: Entry,
    /// The variable space character; `None` when the code page has none.
    pub space: Option<u16>,
    /// Codes take two bytes.
    pub wide: bool,
    /// Its registered number; 0 when it has none.
    pub number: u16,
    /// It differs in some signs from the page that was asked for.
    pub inexact: bool,
    /// How many names are private to the font and stand for no character that anybody else knows.
    pub private: usize,
}

impl CodePage {
    /// Reads a code page resource; `None` when it holds no code points.
    pub fn read(fields: &Fields) -> Option<CodePage> {
        let control = fields.iter().find(|field| field.id == CPC).map(|field| field.data).unwrap_or_default();
        let about = fields.iter().find(|field| field.id == CPD).map(|field| field.data).unwrap_or_default();
        let layout = Layout::of(control);
        let mut page = CodePage { wide: layout.wide, number: u16_at(about, 40).unwrap_or(0), ..CodePage::default() };
        for field in fields.iter().filter(|field| field.id == CPI) {
            page.add(field.data, &layout);
        }
        if page.entries.is_empty() {
            return None;
        }
        page.default = page.default_entry(control);
        page.space = page.space_code(control);
        page.settle_private_names();
        Some(page)
    }

    /// One of IBM's registered code pages.
    pub fn registered(number: u16) -> Option<CodePage> {
        match double_byte(number) {
            Some(charset) => Some(CodePage::wide_of(charset, number)),
            None => {
                let like = alike(number).unwrap_or(number);
                let page = CodePage::single_of(charset(like)?, number);
                Some(CodePage { inexact: like != number && !EXACT.contains(&number), ..page })
            }
        }
    }

    /// The page that text is read with when nothing at all is known of its own: EBCDIC, international.
    pub fn usual() -> CodePage {
        CodePage::registered(500).unwrap_or_default()
    }

    /// A page of two-byte codes of which nothing is known.
    pub fn unknown_wide() -> CodePage {
        CodePage { wide: true, ..CodePage::default() }
    }

    /// What a code stands for; the default character where it stands for nothing.
    pub fn get(&self, code: u16) -> Entry {
        self.find(code).unwrap_or(self.default)
    }

    /// What a code stands for, if it stands for something that can be printed.
    pub fn find(&self, code: u16) -> Option<Entry> {
        self.entries.get(&code).copied().filter(|entry| !entry.invalid)
    }

    /// All codes and what they stand for.
    pub fn iter(&self) -> impl Iterator<Item = (u16, Entry)> {
        self.entries.iter().map(|(code, entry)| (*code, *entry))
    }

    fn add(&mut self, data: &[u8], layout: &Layout) {
        let mut rest = data;
        while self.entries.len() < ENTRIES_LIMIT {
            let Some((code, entry, taken)) = layout.group(rest) else { return };
            self.entries.entry(code).or_insert(entry);
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    fn default_entry(&self, control: &[u8]) -> Entry {
        let Some(name) = array::<8>(control, 0) else { return Entry::default() };
        let flags = u8_at(control, 8).unwrap_or(0);
        let stated = u32_at(control, 13).and_then(char::from_u32).filter(|ch| !ch.is_control());
        let known = self.entries.values().find(|entry| entry.name == Some(name)).and_then(|entry| entry.ch);
        let ch = stated.or(known).or_else(|| gcgid::to_char(&name));
        Entry { name: Some(name), ch, invalid: false, hidden: flags & 0x40 != 0, still: flags & 0x20 != 0 }
    }

    /// Source: FOCA, CPC, "Variable Space Character". Without a CPC the usual blanks of single-byte pages hold.
    fn space_code(&self, control: &[u8]) -> Option<u16> {
        let flags = u8_at(control, 12).unwrap_or(0x08);
        if flags & 0x08 == 0 {
            return None;
        }
        let section = u16::from(u8_at(control, 10).unwrap_or(0));
        let point = u16::from(u8_at(control, 11).unwrap_or(0x40));
        if self.wide { Some(section << 8 | point) } else { Some(point) }
    }

    /// Names such as `EX065000` number the characters of the font. Whether the numbers are the codes of an ASCII
    /// character set shows in what the page does with them: a page that brings every letter and digit from its place
    /// in EBCDIC to its number in ASCII is a translation table between the two.
    fn settle_private_names(&mut self) {
        let unknown = |entry: &Entry| entry.ch.is_none() && entry.name.is_some();
        let numbers: BTreeMap<u16, u8> = self
            .entries
            .iter()
            .filter(|(_, entry)| unknown(entry))
            .filter_map(|(code, entry)| Some((*code, number_in(entry.name.as_ref()?)?)))
            .collect();
        let mut settled = 0;
        if !self.wide
            && translates_from_ebcdic(&numbers)
            && let Some(ascii) = Charset::find("windows-1252")
        {
            for (code, number) in numbers {
                // Controls and numbers that are no characters: nothing private hides behind them.
                let ch = char_of(ascii, &[number]).filter(|_| number >= 0x20);
                settled += usize::from(ch.is_none());
                if let Some(entry) = self.entries.get_mut(&code) {
                    entry.ch = ch;
                }
            }
            let default = self.entries.values().find(|entry| entry.name == self.default.name);
            self.default.ch = self.default.ch.or(default.and_then(|entry| entry.ch));
        }
        if self.entries.values().any(unknown) {
            self.read_by_number();
        }
        self.private = self.entries.values().filter(|entry| unknown(entry)).count().saturating_sub(settled);
    }

    /// Private names on a page with a registered number: the number tells their characters, unless a name that is
    /// not private contradicts it.
    fn read_by_number(&mut self) {
        let Some(registered) = CodePage::registered(self.number).filter(|page| page.wide == self.wide) else { return };
        self.read_as(|code| registered.find(code)?.ch);
    }

    /// Takes the characters of private names from a registered page, if names that are not private agree with it.
    fn read_as(&mut self, registered: impl Fn(u16) -> Option<char>) {
        let agree = |(code, entry): (&u16, &Entry)| match (entry.ch, registered(*code)) {
            (Some(ours), Some(theirs)) => ours == theirs || full_width(ours) == Some(theirs),
            _ => true,
        };
        if self.entries.iter().all(agree) {
            for (code, entry) in &mut self.entries {
                entry.ch = entry.ch.or_else(|| registered(*code));
            }
        }
    }

    /// Private names of a page that holds one section of a double-byte page: the number of that page, its own or else one of
    /// `numbers`, and the first byte of the section tell their characters.
    pub fn settle_section(&mut self, section: u8, numbers: &[u16]) {
        let numbers = std::iter::once(self.number).chain(numbers.iter().copied());
        let Some(charset) = numbers.filter(|_| !self.wide && self.private > 0).find_map(double_byte) else { return };
        self.read_as(|code| char_of(charset, &[SHIFT_OUT, section, u8::try_from(code).ok()?, SHIFT_IN]));
        let unknown = self.entries.values().filter(|entry| entry.ch.is_none() && entry.name.is_some()).count();
        self.private = self.private.min(unknown);
    }

    fn single_of(charset: &'static Charset, number: u16) -> CodePage {
        let first = if charset.is_ebcdic() { 0x40 } else { 0x20 };
        let entries = (first..=0xFF_u8).filter_map(|code| {
            let ch = char_of(charset, &[code])?;
            Some((u16::from(code), Entry { ch: Some(ch), ..Entry::default() }))
        });
        let mut entries: BTreeMap<u16, Entry> = entries.collect();
        if number == 924 {
            // Latin-9 in EBCDIC is Latin-1 (1047) with the euro at its currency sign.
            entries.insert(0x9F, Entry { ch: Some('\u{20AC}'), ..Entry::default() });
        }
        let space = Some(u16::from(charset.blank()));
        CodePage { entries, default: blank(), space, wide: false, number, inexact: false, private: 0 }
    }

    fn wide_of(charset: &'static Charset, number: u16) -> CodePage {
        let codes = (0x41..=0xFE_u16).flat_map(|first| (0x41..=0xFE_u16).map(move |second| first << 8 | second));
        let entries = codes.chain([0x4040]).filter_map(|code| {
            let [first, second] = code.to_be_bytes();
            let ch = char_of(charset, &[SHIFT_OUT, first, second, SHIFT_IN])?;
            Some((code, Entry { ch: Some(ch), ..Entry::default() }))
        });
        CodePage {
            entries: entries.collect(),
            default: blank(),
            space: Some(0x4040),
            wide: true,
            number,
            inexact: false,
            private: 0,
        }
    }
}

/// The form of a letter, digit or sign that is as wide as a kanji: names in character sets may be those of the narrow ones.
fn full_width(ch: char) -> Option<char> {
    matches!(ch, '!'..='~').then(|| char::from_u32(u32::from(ch) + 0xFEE0)).flatten()
}

const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;

fn blank() -> Entry {
    Entry { ch: Some(' '), hidden: true, ..Entry::default() }
}

/// The one character of these bytes.
fn char_of(charset: &Charset, bytes: &[u8]) -> Option<char> {
    let mut cells: Vec<Cell> = Vec::new();
    charset.cells_with_shifts(bytes, 0, &mut cells);
    cells.first().map(|cell| cell.ch).filter(|ch| *ch != char::REPLACEMENT_CHARACTER)
}

/// The number in a private name: two or three letters, three digits of number, zeros (`EX065000`).
fn number_in(name: &Gcgid) -> Option<u8> {
    let text = gcgid::text(name);
    let digits = text.trim_start_matches(|ch: char| ch.is_ascii_alphabetic());
    let (number, rest) = digits.split_at_checked(3)?;
    if digits.len() == text.len() || !rest.bytes().all(|b| b == b'0') {
        return None;
    }
    number.parse().ok()
}

/// Whether these codes, read as EBCDIC, are the letters and digits that their numbers are in ASCII.
fn translates_from_ebcdic(numbers: &BTreeMap<u16, u8>) -> bool {
    let Some(ebcdic) = Charset::find("ibm-500") else { return false };
    let fits = |(code, number): (&u16, &u8)| {
        let byte = u8::try_from(*code).ok()?;
        let ch = char_of(ebcdic, &[byte]).filter(char::is_ascii_alphanumeric)?;
        Some(ch == char::from(*number))
    };
    let checked: Vec<bool> = numbers.iter().filter_map(fits).collect();
    checked.len() >= 10 && checked.iter().all(|fit| *fit)
}

/// How the repeating groups of CPI are laid out: CPC says it.
struct Layout {
    wide: bool,
    /// Each group ends with a count and that many Unicode values.
    unicode: bool,
    /// Bytes of a group without Unicode values.
    length: usize,
}

impl Layout {
    fn of(control: &[u8]) -> Layout {
        match u8_at(control, 9) {
            Some(0x0B) => Layout { wide: true, unicode: false, length: 11 },
            Some(0xFE) => Layout { wide: false, unicode: true, length: 10 },
            Some(0xFF) => Layout { wide: true, unicode: true, length: 11 },
            _ => Layout { wide: false, unicode: false, length: 10 },
        }
    }

    /// The first group, and how many bytes it takes.
    fn group(&self, data: &[u8]) -> Option<(u16, Entry, usize)> {
        let name = array::<8>(data, 0)?;
        let flags = u8_at(data, 8)?;
        let code = if self.wide { u16_at(data, 9)? } else { u16::from(u8_at(data, 9)?) };
        let mut taken = self.length;
        let mut stated = None;
        if self.unicode {
            let count = usize::from(u8_at(data, taken)?);
            stated = u32_at(data, taken + 1).filter(|_| count > 0).and_then(char::from_u32);
            taken += 1 + 4 * count;
        }
        let ch = stated.filter(|ch| !ch.is_control()).or_else(|| gcgid::to_char(&name));
        let entry = Entry {
            name: Some(name),
            ch,
            invalid: flags & 0x80 != 0,
            hidden: flags & 0x40 != 0,
            still: flags & 0x20 != 0,
        };
        Some((code, entry, taken))
    }
}

/// Code pages of applications that have a name instead of a number, and what they are closest to.
const NAMED: &[(&str, u16)] = &[
    ("T1DCDCFS", 500),
    ("T1D0BASE", 500),
    ("T1DEBASE", 500),
    ("T1D0GP12", 500),
    ("T1GI0395", 500),
    ("T1GI0361", 361),
    ("T1000000", 500),
];

/// The registered number in the name of a code page: `T1V10500` is 500, `T1001252` 1252.
///
/// Source: AFP font naming conventions; the last digits of IBM's names are the CPGID.
pub fn number_of(name: &str) -> Option<u16> {
    let name = name.trim().to_ascii_uppercase();
    if let Some((_, number)) = NAMED.iter().find(|(known, _)| *known == name) {
        return Some(*number);
    }
    let rest = name.strip_prefix("T1").unwrap_or(&name);
    let start = rest.rfind(|ch: char| !ch.is_ascii_digit()).map_or(0, |at| at + 1);
    let digits = rest.get(start..)?;
    // `T1V10500`: the digit after the letter belongs to the kind, the last four are the number.
    let digits = if digits.len() == 5 && start > 0 { digits.get(1..)? } else { digits };
    digits.parse().ok().filter(|_| digits.len() >= 3)
}

/// Pages that [`alike`] gives exactly: the currency sign or euro aside they are the same, or are completed here.
const EXACT: &[u16] = &[924, 5348];

/// The page that a code page without a table of its own is, but for few signs.
fn alike(number: u16) -> Option<u16> {
    match number {
        256 | 361 | 892 | 893 | 1003 | 2058 | 2063 | 2079 | 2085 => Some(500),
        833 => Some(933),
        836 => Some(935),
        838 => Some(1160),
        924 => Some(1047),
        1027 => Some(939),
        4971 => Some(875),
        5348 => Some(1252),
        _ => None,
    }
}

/// The character set of a single-byte code page number.
fn charset(number: u16) -> Option<&'static Charset> {
    Charset::find(&number.to_string()).filter(|charset| charset.byte_is_column())
}

/// The mixed character set whose double-byte half has this number.
fn double_byte(number: u16) -> Option<&'static Charset> {
    let mixed = match number {
        300 => "ibm-939",
        834 => "ibm-933",
        835 => "ibm-937",
        837 => "ibm-935",
        4396 => "ibm-1399",
        4930 => "ibm-1364",
        4933 => "ibm-1388",
        _ => return None,
    };
    Charset::find(mixed)
}

#[cfg(test)]
mod tests;
