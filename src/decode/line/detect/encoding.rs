//! The code page of text.

use std::collections::{BTreeMap, HashMap};

use super::framing::histogram;
use super::language::{is_word, natural};
use super::{Findings, VIEW, Wanted, share};
use crate::frame::codepage::{Cell, CodePage};

/// Single-byte host pages, the likelier ones first: where bytes do not decide, the first wins.
const HOST: &[&str] = &[
    "ibm-037", "ibm-1047", "ibm-500", "ibm-273", "ibm-297", "ibm-285", "ibm-280", "ibm-284", "ibm-277", "ibm-278",
    "ibm-871", "ibm-870", "ibm-1025", "ibm-875", "ibm-1026", "ibm-1112", "ibm-1122", "ibm-1123", "ibm-424", "ibm-290",
    "ibm-1140", "ibm-1141", "ibm-1142", "ibm-1143", "ibm-1144", "ibm-1145", "ibm-1146", "ibm-1147", "ibm-1148",
    "ibm-1149", "ibm-1153", "ibm-1154", "ibm-1155", "ibm-1156", "ibm-1157", "ibm-1158",
];
/// So many of them are of Western Europe and America.
const WESTERN: usize = 11;
/// Mixed host pages. Each extended page stands behind the one it extends.
const MIXED: &[(&str, Tongue)] = &[
    ("ibm-939", Tongue::Japanese),
    ("ibm-930", Tongue::Japanese),
    ("ibm-1399", Tongue::Japanese),
    ("ibm-1390", Tongue::Japanese),
    ("ibm-935", Tongue::Simplified),
    ("ibm-1388", Tongue::Simplified),
    ("ibm-937", Tongue::Traditional),
    ("ibm-1371", Tongue::Traditional),
    ("ibm-933", Tongue::Korean),
    ("ibm-1364", Tongue::Korean),
];
/// Single-byte workstation pages, the likelier ones first.
const WORKSTATION: &[&str] = &[
    "iso-8859-1",
    "windows-1252",
    "iso-8859-15",
    "ibm-850",
    "ibm-437",
    "ibm-858",
    "iso-8859-2",
    "windows-1250",
    "ibm-852",
    "windows-1251",
    "koi8-r",
    "ibm-866",
    "iso-8859-5",
    "windows-1253",
    "iso-8859-7",
    "windows-1254",
    "iso-8859-9",
    "windows-1257",
];
/// How often one pair of bytes counts at most, so that a ruled line does not outvote the words.
const OFTEN: usize = 20;

/// A page whose lead is smaller than one known word (3) seen [`OFTEN`] times, or not much more than one pair, may be wrong.
const CLEAR: f32 = 20.0;

/// Which language a double-byte page is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tongue {
    Japanese,
    Simplified,
    Traditional,
    Korean,
}

/// Finds the code page of record texts.
pub fn find(
    texts: &[&[u8]],
    ebcdic: bool,
    wanted: &Wanted,
    name: Option<&str>,
    found: &mut Findings,
) -> &'static CodePage {
    if let Some(page) = wanted.page {
        return page;
    }
    let mut left = VIEW;
    let texts: Vec<&[u8]> = texts
        .iter()
        .copied()
        .take_while(|text| {
            let room = left > 0;
            left = left.saturating_sub(text.len() + 1);
            room
        })
        .collect();
    let page = if ebcdic {
        let double = DoubleByte::new(&texts);
        if double.is_mixed() { mixed(&double, name, found) } else { single(&texts, HOST, name, found) }
    } else {
        workstation(&texts, name, found)
    };
    page.unwrap_or_else(|| CodePage::all().first().unwrap_or_else(|| unreachable!("the registry is not empty")))
}

/// One page's score, and what it makes of the bytes seen; pages with the same reading are a tie.
struct Verdict {
    page: &'static CodePage,
    score: f32,
    reading: Vec<String>,
}

/// The best of the verdicts. Among those that read every byte seen alike, the one whose number is in the name.
fn choose(mut verdicts: Vec<Verdict>, name: Option<&str>, found: &mut Findings) -> Option<&'static CodePage> {
    verdicts.sort_by(|a, b| b.score.total_cmp(&a.score));
    let best = verdicts.first()?;
    let ties: Vec<&Verdict> = verdicts.iter().filter(|other| other.reading == best.reading).collect();
    let named = ties.iter().find(|tie| name.is_some_and(|name| mentions(name, tie.page.name())));
    let page = named.map_or(best.page, |tie| tie.page);
    if let Some(named) = named.filter(|_| ties.len() > 1) {
        found.weigh(0.98, format!("the bytes fit {} alike; the stream's name says {}", list(&ties), named.page.name()));
    } else if ties.len() > 1 {
        found.weigh(0.93, format!("the bytes fit {} alike; {} is taken", list(&ties), page.name()));
    } else {
        let second = verdicts.get(1).map_or("nothing", |verdict| verdict.page.name());
        found.say(format!("the text reads best as {}, then as {second}", page.name()));
    }
    // Pages of other languages than the West's lose by their letters being rare; those of one another are alike.
    if let Some(rival) = verdicts.iter().find(|other| is_western(other.page) && best.letters_differ(other))
        && best.score - rival.score < CLEAR
    {
        found.weigh(0.75, format!("few letters speak for {} and against {}", page.name(), rival.page.name()));
    }
    Some(page)
}

/// Whether a host page is one of Western Europe and America.
fn is_western(page: &CodePage) -> bool {
    HOST.iter().take(WESTERN).any(|name| *name == page.name())
}

impl Verdict {
    /// Whether the two read a byte that was seen as different letters.
    fn letters_differ(&self, other: &Verdict) -> bool {
        let is_letter = |text: &str| text.chars().all(char::is_alphabetic);
        self.reading
            .iter()
            .zip(&other.reading)
            .any(|(mine, theirs)| mine != theirs && is_letter(mine) && is_letter(theirs))
    }
}

/// The names of tied pages, at most four of them.
fn list(ties: &[&Verdict]) -> String {
    let names: Vec<&str> = ties.iter().take(4).map(|tie| tie.page.name()).collect();
    let more = if ties.len() > 4 { format!(" and {} more", ties.len() - 4) } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// Whether a name holds the number of a page: `stmt-1047.vba`.
fn mentions(name: &str, page: &str) -> bool {
    let number = page.rsplit('-').next().unwrap_or(page);
    let wanted = number.trim_start_matches('0');
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    number.bytes().all(|byte| byte.is_ascii_digit())
        && file
            .split(|ch: char| !ch.is_ascii_digit())
            .any(|digits| digits.trim_start_matches('0') == wanted && !digits.is_empty())
}

/// Scores single-byte pages by what they make of neighbouring bytes and of words.
fn single(texts: &[&[u8]], pages: &[&str], name: Option<&str>, found: &mut Findings) -> Option<&'static CodePage> {
    let mut seen = Seen::new(texts);
    let verdicts: Vec<Verdict> =
        pages.iter().filter_map(|page| CodePage::find(page)).map(|page| seen.verdict(page)).collect();
    choose(verdicts, name, found)
}

/// What the sample holds: neighbouring bytes, and words with letters outside A to Z.
///
/// Most bytes mean the same in most pages: what was found out of a pair or a word is kept, and found out anew only
/// for a page that reads it differently.
struct Seen<'a> {
    pairs: Vec<Pair>,
    words: Vec<Word<'a>>,
    bytes: Vec<u8>,
    /// The characters that pairs and words were last read with.
    read_as: Vec<char>,
}

/// Two neighbouring bytes.
struct Pair {
    bytes: [u8; 2],
    weight: f32,
    /// How natural they are as they were last read.
    natural: f32,
}

/// A word, as bytes.
struct Word<'a> {
    bytes: &'a [u8],
    weight: f32,
    /// Whether it is a known word as it was last read.
    known: bool,
}

impl<'a> Seen<'a> {
    fn new(texts: &[&'a [u8]]) -> Seen<'a> {
        let mut counts = vec![0_usize; 1 << 16];
        let mut words: HashMap<&[u8], usize> = HashMap::new();
        let mut all = [false; 256];
        for text in texts {
            for pair in text.windows(2) {
                let [first, second] = *pair else { continue };
                if let Some(count) = counts.get_mut(usize::from(u16::from_be_bytes([first, second]))) {
                    *count += 1;
                }
            }
            for word in text.split(|byte| is_separator(*byte)).filter(|word| (1..=24).contains(&word.len())) {
                if word.iter().all(|byte| is_shared(*byte)) {
                    continue;
                }
                if let Some(count) = words.get_mut(word) {
                    *count += 1;
                } else if words.len() < 20_000 {
                    words.insert(word, 1);
                }
            }
            for byte in *text {
                if let Some(seen) = all.get_mut(usize::from(*byte)) {
                    *seen = true;
                }
            }
        }
        let weight = |count: usize| share(count.min(OFTEN), 1);
        let pairs = (0..=u16::MAX).zip(counts).filter(|(_, count)| *count > 0);
        let pairs = pairs.map(|(pair, count)| Pair { bytes: pair.to_be_bytes(), weight: weight(count), natural: 0.0 });
        let words = words.into_iter().map(|(bytes, count)| Word { bytes, weight: 3.0 * weight(count), known: false });
        let mut words: Vec<Word<'_>> = words.collect();
        // Scores are added up in one order, so that pages that read everything alike get the same score.
        words.sort_unstable_by_key(|word| word.bytes);
        let bytes = (0..=u8::MAX).zip(all).filter(|(byte, seen)| *seen && !is_shared(*byte)).map(|(byte, _)| byte);
        Seen { pairs: pairs.collect(), words, bytes: bytes.collect(), read_as: Vec::new() }
    }

    fn verdict(&mut self, page: &'static CodePage) -> Verdict {
        let chars = characters(page);
        let of = |byte: u8| chars.get(usize::from(byte)).copied().unwrap_or('\u{FFFD}');
        let news: Vec<bool> = (0..chars.len()).map(|byte| chars.get(byte) != self.read_as.get(byte)).collect();
        let is_new = |bytes: &[u8]| bytes.iter().any(|byte| news.get(usize::from(*byte)).is_none_or(|new| *new));
        let mut score = 0.0;
        for pair in &mut self.pairs {
            if is_new(&pair.bytes) {
                let [first, second] = pair.bytes;
                pair.natural = natural(of(first), of(second));
            }
            score += pair.natural * pair.weight;
        }
        let mut text = String::new();
        for word in &mut self.words {
            if is_new(word.bytes) {
                text.clear();
                text.extend(word.bytes.iter().flat_map(|byte| of(*byte).to_lowercase()));
                word.known = is_word(&text);
            }
            if word.known {
                score += word.weight;
            }
        }
        let reading = self.bytes.iter().map(|byte| of(*byte).to_string()).collect();
        self.read_as = chars;
        Verdict { page, score, reading }
    }
}

/// The character of each byte, controls of the upper half as undecodable.
fn characters(page: &CodePage) -> Vec<char> {
    let mut cells = Vec::new();
    (0..=u8::MAX)
        .map(|byte| {
            cells.clear();
            page.cells(&[byte], &mut cells);
            let ch = cells.first().map_or('\u{FFFD}', |cell: &Cell| cell.ch);
            let upper_control = !page.is_ebcdic() && (0x80..0xA0).contains(&byte) && ch == ' ';
            if upper_control { '\u{FFFD}' } else { ch }
        })
        .collect()
}

/// Bytes that are blank, comma, slash and so on in EBCDIC or in ASCII and no letter in either.
fn is_separator(byte: u8) -> bool {
    byte < 0x30 || matches!(byte, 0x3A | 0x40 | 0x4B | 0x4D | 0x5D | 0x60 | 0x61 | 0x6B | 0x7A)
}

/// Bytes that all pages of their kind (EBCDIC or ASCII) read alike, roughly.
fn is_shared(byte: u8) -> bool {
    byte <= 0x40
}

/// Double-byte runs between SO and SI, and the single bytes outside.
struct DoubleByte<'a> {
    codes: BTreeMap<(u8, u8), usize>,
    outside: Vec<&'a [u8]>,
    /// Runs that are not made of whole legal codes.
    broken: usize,
    runs: usize,
}

impl<'a> DoubleByte<'a> {
    fn new(texts: &[&'a [u8]]) -> DoubleByte<'a> {
        let mut found = DoubleByte { codes: BTreeMap::new(), outside: Vec::new(), broken: 0, runs: 0 };
        for text in texts {
            let mut parts = text.split(|&byte| byte == 0x0E);
            found.outside.extend(parts.next());
            for part in parts {
                let end = part.iter().position(|&byte| byte < 0x40).unwrap_or(part.len());
                let (run, rest) = part.split_at_checked(end).unwrap_or((part, &[]));
                found.runs += 1;
                found.broken += usize::from(run.len() % 2 == 1 || run.is_empty());
                for code in run.chunks_exact(2) {
                    if let [first, second] = *code {
                        *found.codes.entry((first, second)).or_default() += 1;
                    }
                }
                found.outside.push(rest.strip_prefix(&[0x0F]).unwrap_or(rest));
            }
        }
        found
    }

    fn is_mixed(&self) -> bool {
        self.runs > 0 && self.broken * 4 <= self.runs
    }
}

/// Scores mixed pages by the characters of the double-byte runs, and by the text outside.
fn mixed(double: &DoubleByte<'_>, name: Option<&str>, found: &mut Findings) -> Option<&'static CodePage> {
    let mut outside = Seen::new(&double.outside);
    found.say(format!("{} double-byte runs between shift-out and shift-in", double.runs));
    let verdicts = MIXED
        .iter()
        .filter_map(|(page, tongue)| Some((CodePage::find(page)?, *tongue)))
        .map(|(page, tongue)| {
            let mut verdict = outside.verdict(page);
            let mut cells = Vec::new();
            for ((first, second), count) in &double.codes {
                cells.clear();
                let bad = page.cells_with_shifts(&[0x0E, *first, *second], 0, &mut cells);
                let weight = if bad > 0 { -4.0 } else { cells.first().map_or(-4.0, |cell| tongue.likes(cell.ch)) };
                verdict.score += weight * share(*count, 1);
                verdict.reading.push(cells.iter().map(|cell| cell.ch).collect());
            }
            verdict
        })
        .collect();
    choose(verdicts, name, found)
}

impl Tongue {
    /// How likely a double-byte character is in this language.
    fn likes(self, ch: char) -> f32 {
        match u32::from(ch) {
            0xE000..=0xF8FF => -2.0,
            0x3041..=0x30FA if self == Tongue::Japanese => 1.0,
            0x3041..=0x30FA => -0.5,
            0xAC00..=0xD7A3 if self == Tongue::Korean => 1.0,
            0xAC00..=0xD7A3 => -2.0,
            0x3400..=0x9FFF | 0x20000..=0x3FFFF => {
                if self.is_common(ch) {
                    1.0
                } else {
                    -0.5
                }
            }
            _ => 0.2,
        }
    }

    /// Whether an ideograph is in the first level of the language's national standard: what newspapers need.
    fn is_common(self, ch: char) -> bool {
        let (encoding, common) = match self {
            Tongue::Japanese => (encoding_rs::SHIFT_JIS, 0x889F..=0x9872),
            Tongue::Simplified => (encoding_rs::GBK, 0xB0A1..=0xD7FE),
            Tongue::Traditional => (encoding_rs::BIG5, 0xA440..=0xC67E),
            // Korean bills hardly use ideographs; those of the standard are at CAA1 to FDFE.
            Tongue::Korean => return false,
        };
        let mut utf8 = [0; 4];
        let (bytes, _, unmappable) = encoding.encode(ch.encode_utf8(&mut utf8));
        let code = bytes.first_chunk::<2>().map_or(0, |code| u16::from_be_bytes(*code));
        let second = code & 0xFF;
        !unmappable && common.contains(&code) && (self != Tongue::Simplified || second >= 0xA1)
    }
}

/// Unicode, then multi-byte pages, then single-byte ones.
fn workstation(texts: &[&[u8]], name: Option<&str>, found: &mut Findings) -> Option<&'static CodePage> {
    let high = texts.iter().flat_map(|text| text.iter()).filter(|byte| **byte >= 0x80).count();
    if high == 0 {
        found.say(
            "all characters are ASCII, so UTF-8 reads them; a byte that is not UTF-8 further on will be counted".into(),
        );
        return CodePage::find("utf-8");
    }
    let bad: usize = texts.iter().flat_map(|text| text.utf8_chunks()).map(|chunk| chunk.invalid().len()).sum();
    if bad * 20 <= high && (bad == 0 || high > 20) {
        found.say(format!("{high} bytes above 7F, and {bad} of them are not valid UTF-8"));
        return CodePage::find("utf-8");
    }
    if let Some((page, fit)) = multi_byte(texts, high) {
        found.weigh(
            0.5 + fit / 2.0,
            format!("{high} bytes above 7F read as common characters of {page} to {:.0} %", fit * 100.0),
        );
        return CodePage::find(page);
    }
    single(texts, WORKSTATION, name, found)
}

/// How well the bytes above 7F fit the multi-byte pages: the best one that makes almost no errors.
pub(super) fn multi_byte(texts: &[&[u8]], high: usize) -> Option<(&'static str, f32)> {
    let counts = histogram(&texts.concat());
    let boxes = [0xB3, 0xC4, 0xCD, 0xBA].iter().filter_map(|byte: &usize| counts.get(*byte)).sum::<usize>();
    if high < 4 || boxes * 2 > high {
        return None;
    }
    let mut best: Option<(&'static str, f32)> = None;
    for scheme in SCHEMES {
        let tally = scheme.tally(texts);
        if tally.bad * 100 > high + 100 || tally.pairs == 0 {
            continue;
        }
        let fit = scheme.fit(&tally);
        if fit >= 0.7 && best.is_none_or(|(_, other)| fit > other) {
            let name = if scheme.name == "gbk" && tally.four > 0 { "gb18030" } else { scheme.name };
            best = Some((name, fit));
        }
    }
    best
}

/// A multi-byte page: which bytes lead, which follow, and which codes are common.
struct Scheme {
    name: &'static str,
    lead: fn(u8) -> bool,
    trail: fn(u8) -> bool,
    /// 1 for codes that text is made of, 0 for rare ones.
    common: fn(u8, u8) -> bool,
    /// Single bytes above 7F that are characters by themselves.
    alone: fn(u8) -> bool,
}

static SCHEMES: &[Scheme] = &[
    Scheme {
        name: "gbk",
        lead: |b| (0x81..=0xFE).contains(&b),
        trail: |b| (0x40..=0xFE).contains(&b) && b != 0x7F,
        common: |a, b| b >= 0xA1 && matches!(a, 0xA1..=0xA3 | 0xB0..=0xD7),
        alone: |_| false,
    },
    Scheme {
        name: "big5",
        lead: |b| (0x81..=0xFE).contains(&b),
        trail: |b| matches!(b, 0x40..=0x7E | 0xA1..=0xFE),
        common: |a, _| (0xA1..=0xC6).contains(&a),
        alone: |_| false,
    },
    Scheme {
        name: "euc-kr",
        lead: |b| (0x81..=0xFE).contains(&b),
        trail: |b| matches!(b, 0x41..=0x5A | 0x61..=0x7A | 0x81..=0xFE),
        common: |a, b| b >= 0xA1 && matches!(a, 0xA1..=0xA3 | 0xB0..=0xC8),
        alone: |_| false,
    },
    Scheme {
        name: "shift_jis",
        lead: |b| matches!(b, 0x81..=0x9F | 0xE0..=0xFC),
        trail: |b| matches!(b, 0x40..=0x7E | 0x80..=0xFC),
        common: |a, b| {
            matches!(
                (a, b),
                (0x81, _) | (0x82, 0x4F..) | (0x83, ..=0x96) | (0x88, 0x9F..) | (0x89..=0x97, _) | (0x98, ..=0x72)
            )
        },
        alone: |b| (0xA1..=0xDF).contains(&b),
    },
    Scheme {
        name: "euc-jp",
        lead: |b| matches!(b, 0x8E | 0xA1..=0xFE),
        trail: |b| b >= 0xA1,
        common: |a, _| matches!(a, 0xA1..=0xA5 | 0xB0..=0xCF),
        alone: |_| false,
    },
];

/// What a scheme makes of the bytes above 7F.
#[derive(Debug, Default)]
struct Reading {
    pairs: usize,
    common: usize,
    /// Kana of the EUC pages.
    kana: usize,
    alone: usize,
    /// Four-byte codes of GB18030.
    four: usize,
    bad: usize,
}

impl Scheme {
    fn tally(&self, texts: &[&[u8]]) -> Reading {
        let mut tally = Reading::default();
        for text in texts {
            let mut rest = *text;
            while let Some((&first, tail)) = rest.split_first() {
                rest = tail;
                if first < 0x80 {
                    continue;
                }
                match *tail {
                    [0x30..=0x39, 0x81..=0xFE, 0x30..=0x39, ..] if self.name == "gbk" => {
                        tally.four += 1;
                        rest = tail.get(3..).unwrap_or_default();
                    }
                    [second, ..] if (self.lead)(first) && (self.trail)(second) => {
                        tally.pairs += 1;
                        tally.common += usize::from((self.common)(first, second));
                        tally.kana += usize::from(matches!(first, 0xA4 | 0xA5) && second >= 0xA1);
                        rest = tail.get(1..).unwrap_or_default();
                    }
                    _ if (self.alone)(first) => tally.alone += 1,
                    _ => tally.bad += 1,
                }
            }
        }
        tally
    }

    /// Share of common codes. The EUC pages overlap: Japanese text has kana, Korean text has Hangul only.
    fn fit(&self, tally: &Reading) -> f32 {
        let all = tally.pairs + tally.alone;
        let common = share(tally.common * 2 + tally.alone, all * 2);
        let kana = share(tally.kana, tally.pairs);
        match self.name {
            "euc-jp" if kana < 0.1 => common * 0.5,
            "gbk" | "euc-kr" if kana >= 0.1 => common * 0.6,
            // All of Hangul lies in the first half of the Chinese area: all there is no accident.
            "euc-kr" if common < 0.97 || tally.pairs < 6 => common * 0.7,
            "euc-kr" => common + 0.02,
            _ => common,
        }
    }
}
