//! Text by its place on composed pages: what starts inside a rectangle, in reading order.

use regex::Regex;

use super::rule::{MaskSign, Region, Test};
use super::sheet::mask_fits;
use crate::decode::{PlacedText, Unit};
use crate::page::Lu;

/// Baselines nearer to each other than this part of the em square are one line: raised and lowered signs belong to it.
const SAME_LINE: i64 = 3; // a third
/// A gap wider than this part of the em square is a blank; narrower ones are between the letters of a word.
const BLANK: i64 = 7; // a seventh

/// A piece of text as its reader sees it: along its baseline and across.
struct Piece<'u> {
    turns: u8,
    /// Grows from line to line.
    across: i64,
    /// Grows along the baseline.
    along: i64,
    width: i64,
    size: i64,
    text: &'u str,
}

/// The lines of text that start inside a region, in reading order: upright text first, then turned text, each from top
/// to bottom as its reader holds the page. Pieces that touch are joined, others stand a blank apart.
pub(crate) fn lines(unit: &Unit, region: &Region) -> Vec<String> {
    let inside = unit.placed.iter().filter(|placed| region.holds(placed.x, placed.y));
    let mut pieces: Vec<Piece<'_>> = inside.map(|placed| piece(unit, placed)).collect();
    pieces.sort_by_key(|piece| (piece.turns, piece.across, piece.along));
    let mut lines = Vec::new();
    let mut rest = pieces.as_mut_slice();
    while let Some(first) = rest.first() {
        let (turns, across, near) = (first.turns, first.across, first.size / SAME_LINE);
        let count = rest.iter().take_while(|piece| piece.turns == turns && piece.across - across <= near).count();
        let (line, later) = rest.split_at_mut(count);
        line.sort_by_key(|piece| piece.along);
        let text = joined(line);
        if !text.trim().is_empty() {
            lines.push(text.trim().to_owned());
        }
        rest = later;
    }
    lines
}

fn piece<'u>(unit: &'u Unit, placed: &PlacedText) -> Piece<'u> {
    let (x, y) = (i64::from(placed.x.0), i64::from(placed.y.0));
    let (across, along) = match placed.turns {
        1 => (-x, y),
        2 => (-y, -x),
        3 => (x, -y),
        _ => (y, x),
    };
    let Lu(width) = placed.width;
    let Lu(size) = placed.size;
    let text = unit.placed_text(placed);
    Piece { turns: placed.turns, across, along, width: width.into(), size: size.into(), text }
}

fn joined(line: &[Piece<'_>]) -> String {
    let mut text = String::new();
    let mut end = None;
    for piece in line {
        let apart = end.is_some_and(|end| piece.along - end > piece.size / BLANK);
        if apart && !text.ends_with(' ') && !piece.text.starts_with(' ') {
            text.push(' ');
        }
        text.push_str(piece.text);
        end = Some(piece.along + piece.width);
    }
    text
}

/// Whether a text that has no columns (a line of a region, the value of a tag) holds what a test asks for.
pub(crate) fn holds(test: &Test, text: &str) -> bool {
    match test {
        Test::Text(wanted) => text.contains(wanted.as_str()),
        Test::Regex(regex) => regex.is_match(text),
        Test::Mask(mask) => masked(mask, text),
        Test::Printed => !text.trim().is_empty(),
    }
}

/// Whether the mask fits all of the text.
pub(crate) fn masked(mask: &[MaskSign], text: &str) -> bool {
    text.chars().count() == mask.len() && mask_fits(mask, text)
}

/// Group `value`, or group 1, or the whole match.
pub(crate) fn captured<'t>(regex: &Regex, text: &'t str) -> Option<&'t str> {
    let found = regex.captures(text)?;
    let value = found.name("value").or_else(|| found.get(1)).or_else(|| found.get(0))?;
    Some(value.as_str().trim())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Puts text on a page: place in points, size 10, each letter 5 points wide.
    pub fn put(unit: &mut Unit, x: f64, y: f64, turns: u8, text: &str) {
        let at = u32::try_from(unit.spill.len()).expect("small");
        let len = u32::try_from(text.len()).expect("small");
        unit.spill.extend_from_slice(text.as_bytes());
        let width = Lu::from_points(5.0 * text.chars().count() as f64);
        let size = Lu::from_points(10.0);
        unit.placed.push(PlacedText { x: Lu::from_points(x), y: Lu::from_points(y), width, size, turns, at, len });
    }

    fn region(x: f64, y: f64, width: f64, height: f64) -> Region {
        let [left, top] = [x, y].map(Lu::from_points);
        let [right, bottom] = [x + width, y + height].map(Lu::from_points);
        Region { left, top, right, bottom }
    }

    #[test]
    fn text_is_read_line_by_line_with_blanks_where_there_are_gaps() {
        let mut unit = Unit::default();
        put(&mut unit, 72.0, 112.0, 0, "Springfield");
        put(&mut unit, 100.0, 100.0, 0, "Doe");
        put(&mut unit, 72.0, 100.0, 0, "John");
        put(&mut unit, 92.0, 98.0, 0, "2");
        put(&mut unit, 72.0, 200.0, 0, "outside");
        put(&mut unit, 10.0, 100.0, 0, "outside");
        put(&mut unit, 72.0, 124.0, 0, "   ");
        assert_eq!(lines(&unit, &region(70.0, 90.0, 100.0, 40.0)), ["John2 Doe", "Springfield"]);
        assert_eq!(lines(&unit, &region(300.0, 90.0, 100.0, 40.0)), [""; 0]);
    }

    #[test]
    fn turned_text_is_read_as_its_reader_holds_the_page() {
        let mut unit = Unit::default();
        // Clockwise by a quarter: lines run down and follow each other to the left.
        put(&mut unit, 100.0, 50.0, 1, "first");
        put(&mut unit, 100.0, 80.0, 1, "line");
        put(&mut unit, 88.0, 50.0, 1, "second");
        put(&mut unit, 60.0, 300.0, 2, "upside");
        put(&mut unit, 20.0, 300.0, 2, "down");
        put(&mut unit, 30.0, 40.0, 0, "upright");
        let all = region(0.0, 0.0, 600.0, 800.0);
        assert_eq!(lines(&unit, &all), ["upright", "first line", "second", "upside down"]);
    }

    #[test]
    fn what_points_nowhere_says_nothing() {
        let mut unit = Unit::default();
        put(&mut unit, 1.0, 1.0, 0, "x");
        unit.spill.clear();
        unit.placed[0].width = Lu(i32::MAX);
        unit.placed[0].x = Lu(i32::MAX);
        unit.placed.push(PlacedText { x: Lu(i32::MIN), ..unit.placed[0] });
        let all = Region { left: Lu(i32::MIN), top: Lu(i32::MIN), right: Lu(i32::MAX), bottom: Lu(i32::MAX) };
        assert!(lines(&unit, &all).is_empty());
    }
}
