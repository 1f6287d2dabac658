//! Repetition: the length of fixed records, and of pages without any page control.

use std::collections::HashMap;

use super::super::super::Sample;
use super::repeat::meetings;
use super::{Findings, VIEW, Wanted, control, share};

/// Record lengths tried.
const LENGTHS: std::ops::RangeInclusive<usize> = 20..=2_048;
/// Lengths that print data sets usually have.
const USUAL: &[usize] = &[
    80, 81, 120, 121, 122, 125, 132, 133, 134, 136, 137, 138, 144, 150, 151, 160, 161, 166, 180, 181, 198, 199, 204,
    205, 210, 240, 255, 256, 259,
];
/// Shorter records are not for printing.
const SHORT: usize = 72;
/// Page lengths tried.
const PAGES: std::ops::RangeInclusive<usize> = 20..=120;

/// Finds the length of fixed records as the period of blank and filled columns.
pub fn record_length(sample: &Sample<'_>, ebcdic: bool, wanted: &Wanted, found: &mut Findings) -> usize {
    let view = sample.head.get(..VIEW).unwrap_or(sample.head);
    let total = sample.total.or_else(|| u64::try_from(sample.head.len()).ok()).unwrap_or(0);
    let divides = |length: usize| total > 0 && u64::try_from(length).is_ok_and(|length| total.is_multiple_of(length));
    let rates = rates_of(view, ebcdic);
    let rate = |length: usize| rates.get(length).copied().unwrap_or(0.0);
    let summit = |length: usize| rate(length) >= rate(length - 1) && rate(length) >= rate(length + 1);
    let peak = |length: usize| summit(length) && rate(length) > 0.2;
    let usual = |length: usize| USUAL.contains(&length);
    let controlled = |length: usize| {
        let records: Vec<&[u8]> = view.chunks_exact(length).take(2_000).collect();
        wanted.control.is_none_or(|kind| kind.is_some()) && control::looks_controlled(&records, ebcdic)
    };
    // Where a report prints kinds of lines in turn, three records repeat better than one. That speaks for the length of one,
    // if one repeats by itself; with carriage control a little is enough. Records whose text ends in their first half
    // have blanks in the second, so that the half does not repeat at all.
    let repeats =
        |part: usize| (summit(part) || divides(part)) && (rate(part) > 0.3 || (rate(part) > 0.15 && controlled(part)));
    let repetition = |length: usize| {
        let parts = (2..=length / SHORT).filter(|count| length.is_multiple_of(*count)).map(|count| length / count);
        let base = parts.filter(|&part| repeats(part)).map(rate).fold(f32::MAX, f32::min);
        if base < f32::MAX {
            return rate(length).min(base);
        }
        let in_turn = if repeats(length) { rate(length * 2).max(rate(length * 3)) } else { 0.0 };
        rate(length).max(in_turn)
    };
    let mut best = (0, 0.0_f32, false);
    for length in LENGTHS.filter(|&length| peak(length) || divides(length)) {
        let habit = if usual(length) { 0.1 } else { 0.0 } - if length < SHORT { 0.4 } else { 0.0 };
        let plain = repetition(length) + if divides(length) { 0.3 } else { 0.0 } + habit;
        if plain + 0.3 <= best.1 {
            continue;
        }
        let controlled = controlled(length);
        let score = plain + if controlled { 0.3 } else { 0.0 };
        // A multiple of the length repeats as well; it must be clearly better.
        let multiple = best.0 >= SHORT && length.is_multiple_of(best.0);
        if score > best.1 + if multiple { 0.15 } else { 0.0 } {
            best = (length, score, controlled);
        }
    }
    let (length, score, controlled) = best;
    if length == 0 || score < 0.45 {
        found.weigh(
            0.3,
            "neither descriptor words nor line ends nor a period cut the stream into records; \
             perhaps a variable-length data set lost its record descriptor words in transfer: send it again with them"
                .into(),
        );
        return if length > 0 { length } else { 132 };
    }
    let fits = divides(length);
    let factor = match (fits, controlled) {
        (true, true) => 0.98,
        (true, false) if rate(length) > 0.3 || usual(length) => 0.9,
        (false, true) => 0.9,
        (false, false) if rate(length) > 0.5 && usual(length) => 0.7,
        _ => 0.45,
    };
    let rest = match (fits, controlled) {
        (true, _) => "divides the stream evenly",
        (false, true) => "leaves a remainder: the last record is cut short",
        (false, false) => "leaves a remainder: perhaps these are variable records that lost their descriptor words",
    };
    found.weigh(factor, format!("a record length of {length} repeats at {:.0} % and {rest}", rate(length) * 100.0));
    length
}

/// How much each lag repeats the pattern of blank columns: autocorrelation, 1 for a perfect repetition.
fn rates_of(view: &[u8], ebcdic: bool) -> Vec<f32> {
    let blank = if ebcdic { 0x40 } else { 0x20 };
    let digit = if ebcdic { 0xF0 } else { 0x30 };
    let blanks = share(memchr::memchr_iter(blank, view).count(), view.len());
    // Without enough contrast between blanks and the rest, digits make the pattern.
    let by_digit = !(0.03..=0.98).contains(&blanks);
    let marked = |byte: &u8| if by_digit { (digit..=digit + 9).contains(byte) } else { *byte == blank };
    let marks: Vec<bool> = view.iter().map(marked).collect();
    let mean = share(marks.iter().filter(|mark| **mark).count(), view.len());
    let variance = mean * (1.0 - mean);
    let mut rates = vec![0.0; LENGTHS.end() + 2];
    if variance < 0.001 {
        return rates;
    }
    let met = meetings(&marks, rates.len());
    for (lag, (rate, met)) in rates.iter_mut().zip(met).enumerate().skip(LENGTHS.start() - 1) {
        if lag * 2 > view.len() {
            break;
        }
        let both = met / share(view.len() - lag, 1);
        *rate = ((both - mean * mean) / variance).max(0.0);
    }
    rates
}

/// Finds how many lines a page has where nothing but a repeated header says so.
///
/// The header is the first line (or one of the first) that is not blank, digits taken as equal. It must come
/// back at the same distance throughout the sample, and nowhere else.
pub fn lines_per_page(texts: &[&[u8]], ebcdic: bool, found: &mut Findings) -> Option<u16> {
    let marks: Vec<u64> = texts.iter().map(|text| mark(text, ebcdic)).collect();
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    for (line, &mark) in marks.iter().enumerate().filter(|(_, mark)| **mark != 0) {
        places.entry(mark).or_default().push(line);
    }
    for header in marks.iter().take(*PAGES.end()).filter(|mark| **mark != 0).take(12) {
        let Some(at) = places.get(header).filter(|at| at.len() >= 2) else { continue };
        let gaps: Vec<usize> = at.windows(2).filter_map(|pair| pair.last()?.checked_sub(*pair.first()?)).collect();
        let Some(&period) = gaps.first().filter(|gap| PAGES.contains(*gap)) else { continue };
        let steady = gaps.iter().all(|gap| *gap == period);
        let expected = texts.len().div_ceil(period);
        let first = at.first().copied().unwrap_or(0);
        // Two lines of a table are alike by chance: where a header comes back only once, it is the first thing that is printed.
        let leads = marks.iter().take(first).filter(|mark| **mark != 0).count() == 0;
        let enough = at.len() >= 3 || (at.len() == 2 && leads && second_row(&marks, first, period));
        if steady && enough && at.len() + 1 >= expected && first < period {
            found.say(format!("a header comes back every {period} lines, {} times", at.len()));
            return u16::try_from(period).ok();
        }
    }
    None
}

/// Whether another line near the header comes back at the same distance.
fn second_row(marks: &[u64], first: usize, period: usize) -> bool {
    (first + 1..first + 4).any(|line| {
        let here = marks.get(line).copied().unwrap_or(0);
        here != 0 && marks.get(line + period) == Some(&here)
    })
}

/// A line's shape: its first columns with digits taken as equal; 0 for a blank line.
fn mark(text: &[u8], ebcdic: bool) -> u64 {
    let (blank, zero) = if ebcdic { (0x40, 0xF0) } else { (0x20, 0x30) };
    let shown: Vec<u8> =
        text.iter().take(40).map(|byte| if (zero..=zero + 9).contains(byte) { zero } else { *byte }).collect();
    if shown.iter().filter(|byte| **byte != blank).count() < 3 {
        return 0;
    }
    // FNV-1a: only equality matters.
    shown.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}
