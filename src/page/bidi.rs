//! Hebrew and Arabic in the order in which they are read.
//!
//! A page holds characters where they stand: a text run goes from left to right whatever its script (visual order), and so
//! does a row of cells. Search, copying and browsers want the order of reading (logical order). The Unicode bidirectional
//! algorithm takes one to the other, and because its reordering undoes itself, it also takes them back.
//!
//! What no algorithm can know: whether a number beside such a word in a Latin line was typed before or after it.
//! Rule: Unicode Standard Annex 9, L2 (reordering) and L4 (mirroring).

use std::borrow::Cow;
use std::ops::Range;

use unicode_bidi::{BidiClass, BidiInfo, Level, bidi_class};
use unicode_normalization::UnicodeNormalization;

/// Signs that have a left and a right form.
const MIRRORED: [(char, char); 5] = [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>'), ('\u{AB}', '\u{BB}')];

/// Whether a character belongs to a script that is written from right to left.
pub fn is_right_to_left(ch: char) -> bool {
    // Quick for nearly all text: the first such letter is Hebrew.
    ch >= '\u{590}' && matches!(bidi_class(ch), BidiClass::R | BidiClass::AL)
}

/// Where each character of a line comes from, and what it becomes: from left-to-right places to the order of reading, or
/// back. `None`: as they are. What stands apart by two blanks or more (a column) is ordered by itself and stays in its place.
pub fn order(line: &[char]) -> Option<Vec<(usize, char)>> {
    if !line.iter().any(|ch| is_right_to_left(*ch)) {
        return None;
    }
    let mut all = Vec::with_capacity(line.len());
    let mut start = 0;
    while start < line.len() {
        let end = column_end(line, start);
        all.extend(column(line, start, end));
        start = end;
    }
    Some(all)
}

/// The order in which the characters of a paragraph stand from left to right, and whether the paragraph as a whole runs from
/// right to left. `None` for its direction: that of its first letter, or `otherwise` where it has none.
pub fn visual_order(chars: &[char], right_to_left: Option<bool>, otherwise: bool) -> (Vec<usize>, bool) {
    let right_to_left = paragraph_direction(chars, right_to_left, otherwise);
    let base = if right_to_left { Level::rtl() } else { Level::ltr() };
    (BidiInfo::reorder_visual(&levels(chars, base)), right_to_left)
}

/// The parts of a paragraph that run in one direction, as they stand from left to right, each with whether it runs from right
/// to left; and whether the paragraph as a whole does. Direction as for [`visual_order`].
pub fn visual_runs(chars: &[char], right_to_left: Option<bool>, otherwise: bool) -> (Vec<(Range<usize>, bool)>, bool) {
    let right_to_left = paragraph_direction(chars, right_to_left, otherwise);
    let base = if right_to_left { Level::rtl() } else { Level::ltr() };
    let levels = levels(chars, base);
    let mut end = 0;
    let runs: Vec<(Range<usize>, Level)> = levels
        .chunk_by(|a, b| a == b)
        .filter_map(|run| {
            let start = end;
            end += run.len();
            Some((start..end, *run.first()?))
        })
        .collect();
    let all: Vec<Level> = runs.iter().map(|(_, level)| *level).collect();
    let order = BidiInfo::reorder_visual(&all);
    let runs = order.into_iter().filter_map(|at| runs.get(at)).map(|(run, level)| (run.clone(), level.is_rtl()));
    (runs.collect(), right_to_left)
}

/// As the caller says, else that of the first letter.
fn paragraph_direction(chars: &[char], right_to_left: Option<bool>, otherwise: bool) -> bool {
    let first = || chars.iter().find(|ch| ch.is_alphabetic()).map(|ch| is_right_to_left(*ch));
    right_to_left.or_else(first).unwrap_or(otherwise)
}

/// Text of one run or line in the order of reading.
pub fn logical(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_right_to_left) {
        return Cow::Borrowed(text);
    }
    let chars: Vec<char> = text.chars().collect();
    match order(&chars) {
        Some(order) => Cow::Owned(order.into_iter().map(|(_, ch)| ch).collect()),
        None => Cow::Borrowed(text),
    }
}

/// Letters in place of their presentation forms (initial, medial, final, and ligatures), which is what people type.
pub fn letters(text: &str) -> Cow<'_, str> {
    let form = |ch: char| matches!(ch, '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}');
    if !text.chars().any(form) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        if form(ch) { out.extend(std::iter::once(ch).nfkc()) } else { out.push(ch) }
    }
    Cow::Owned(out)
}

/// The end of the column that starts here: the last of two or more blanks belongs to it.
fn column_end(line: &[char], start: usize) -> usize {
    let blank = |at: usize| line.get(at) == Some(&' ');
    let mut at = start;
    while at < line.len() {
        if blank(at) && blank(at + 1) {
            while blank(at) {
                at += 1;
            }
            return at;
        }
        at += 1;
    }
    line.len()
}

/// One column: its characters reordered, the blanks around them left.
fn column(line: &[char], start: usize, end: usize) -> Vec<(usize, char)> {
    let line = line.get(start..end).unwrap_or_default();
    let plain = || line.iter().enumerate().map(|(at, ch)| (start + at, *ch)).collect();
    let Some(first) = line.iter().position(|ch| *ch != ' ') else { return plain() };
    let last = line.iter().rposition(|ch| *ch != ' ').unwrap_or(first);
    let words = line.get(first..=last).unwrap_or_default();
    let right = words.iter().filter(|ch| is_right_to_left(**ch)).count();
    if right == 0 {
        return plain();
    }
    let left = words.iter().filter(|ch| ch.is_alphabetic()).count().saturating_sub(right);
    let base = if right >= left { Level::rtl() } else { Level::ltr() };
    let levels = levels(words, base);
    let mut all: Vec<(usize, char)> = plain();
    for (to, from) in BidiInfo::reorder_visual(&levels).into_iter().enumerate() {
        let (Some(ch), Some(place)) = (words.get(from), all.get_mut(first + to)) else { continue };
        let odd = levels.get(from).is_some_and(Level::is_rtl);
        *place = (start + first + from, if odd { mirrored(*ch) } else { *ch });
    }
    all
}

/// The embedding level of each character.
fn levels(words: &[char], base: Level) -> Vec<Level> {
    let text: String = words.iter().collect();
    let info = BidiInfo::new(&text, Some(base));
    text.char_indices().map(|(at, _)| info.levels.get(at).copied().unwrap_or(base)).collect()
}

fn mirrored(ch: char) -> char {
    let other = MIRRORED.iter().find_map(|(left, right)| match ch {
        _ if ch == *left => Some(*right),
        _ if ch == *right => Some(*left),
        _ => None,
    });
    other.unwrap_or(ch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_text_stays_and_words_turn_round() {
        assert!(matches!(logical("Total (12)"), Cow::Borrowed(_)));
        assert_eq!(logical("\u{5DD}\u{5D5}\u{5DC}\u{5E9}"), "\u{5E9}\u{5DC}\u{5D5}\u{5DD}");
        // Numbers keep their order, and brackets face the words.
        assert_eq!(logical("(\u{5D2}\u{5D1}) 123 \u{5D0}"), "\u{5D0} 123 (\u{5D1}\u{5D2})");
        assert_eq!(logical("Name: \u{5D2}\u{5D1}\u{5D0}"), "Name: \u{5D0}\u{5D1}\u{5D2}");
    }

    #[test]
    fn twice_is_as_before() {
        for line in ["(\u{5D2}\u{5D1}) 123 \u{5D0}", "\u{633}\u{644}\u{627}\u{645} 12.50", "a \u{5D0}\u{5D1} b"] {
            assert_eq!(logical(&logical(line)), line);
        }
    }

    #[test]
    fn paragraphs_stand_by_their_direction() {
        let chars = ['\u{5D0}', '\u{5D1}', ' ', 'L', 'M'];
        assert_eq!(visual_order(&chars, None, false), (vec![3, 4, 2, 1, 0], true));
        assert_eq!(visual_order(&chars, Some(false), false), (vec![1, 0, 2, 3, 4], false));
        assert_eq!(visual_order(&['1'], None, true), (vec![0], true));
    }

    #[test]
    fn columns_stay_where_they_are() {
        let line = "\u{5D1}\u{5D0}   12.50  Abc";
        assert_eq!(logical(line), "\u{5D0}\u{5D1}   12.50  Abc");
    }

    #[test]
    fn presentation_forms_become_letters() {
        assert_eq!(letters("\u{FEB3}\u{FEFC}\u{FEE1}"), "\u{633}\u{644}\u{627}\u{645}");
        assert!(matches!(letters("plain \u{FB01}"), Cow::Borrowed(_)));
    }

    #[test]
    fn runs_of_one_direction_stand_as_they_are_seen() {
        let chars: Vec<char> = "ab \u{5D0}\u{5D1} 12".chars().collect();
        let (runs, right_to_left) = visual_runs(&chars, None, false);
        assert!(!right_to_left);
        let seen: String = runs
            .iter()
            .flat_map(|(run, turned)| {
                let run = chars[run.clone()].to_vec();
                if *turned { run.into_iter().rev().collect() } else { run }
            })
            .collect();
        let order: String = visual_order(&chars, None, false).0.into_iter().map(|at| chars[at]).collect();
        assert_eq!(seen, order);
    }
}
