//! Strings in objects: text runs along a baseline of any direction.
//!
//! Rule: GOCA, "Character String": the string starts at its point and does not move the current position. A page's text runs
//! know quarter turns only: along other angles each character is placed on its own, upright to the nearest quarter turn.

use super::place::{Place, lu};
use crate::decode::afp::font::{ActiveFont, Glyph};
use crate::frame::codepage::CodePage;
use crate::page::{Advances, Color, Embedded, Face, FontProgram, Lu, TextRun};

/// A point or vector, in logical units.
type Point = [f64; 2];

/// The em square where nothing says a size: 10 pt.
const PLAIN_SIZE: f64 = 2000.0;
/// Width of a character of a fixed-pitch font in em squares.
pub const PLAIN_PITCH: f64 = 0.6;
/// The EBCDIC code page where no font says one: US and Western Europe.
pub const PLAIN_CODE_PAGE: &str = "ibm-500";

/// Where and how a string is set.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Where it starts on the page, in logical units.
    pub at: Point,
    /// Direction of the baseline on the page (a vector, y downwards; any length).
    pub baseline: Point,
    /// Character direction: 1 along the baseline, 2 downwards, 3 backwards, 4 upwards.
    pub direction: u8,
    /// Height of the character cell on the page in logical units; 0: as the font has it.
    pub cell: f64,
    /// Characters are sheared forwards: shown italic where the font is the renderer's own.
    pub slanted: bool,
    /// Colour.
    pub color: Color,
}

impl Setting {
    /// The baseline of a character angle (graphics coordinates) on the page.
    pub fn baseline(angle: Point, place: &Place) -> Point {
        let origin = place.exact(0.0, 0.0);
        let angle = if angle == [0.0, 0.0] { [1.0, 0.0] } else { angle };
        let end = place.exact(angle[0], -angle[1]);
        [end[0] - origin[0], end[1] - origin[1]]
    }
}

/// A character that is to be placed.
struct Character {
    ch: char,
    id: u16,
    part: u8,
    advance: f64,
}

/// How the characters of a part are shown.
struct Shown<'f> {
    program: Option<&'f FontProgram>,
    face: Face,
    size: f64,
    stretch: u16,
}

/// Sets a string in a font.
pub fn set(font: &ActiveFont, bytes: &[u8], setting: &Setting) -> Vec<TextRun> {
    let natural = f64::from(font.size().0);
    let ratio = if setting.cell > 0.0 && natural > 0.0 { setting.cell / natural } else { 1.0 };
    let mut characters = Vec::new();
    let mut rest = bytes;
    while let Some((taken, Glyph { ch, part, id, advance, .. })) = font.next(rest) {
        characters.push(Character { ch, id, part, advance: f64::from(advance.0) * ratio });
        rest = rest.get(taken.max(1)..).unwrap_or_default();
    }
    let shown = |part: u8| {
        let part = font.part(part);
        Shown { program: part.program, face: part.face, size: f64::from(part.size.0) * ratio, stretch: part.stretch }
    };
    runs(&characters, shown, setting)
}

/// Sets a string without a font: EBCDIC, fixed pitch.
pub fn set_plain(bytes: &[u8], setting: &Setting) -> Vec<TextRun> {
    let mut text = String::new();
    if let Some(page) = CodePage::find(PLAIN_CODE_PAGE) {
        page.decode(bytes, &mut text);
    }
    set_text(&text, setting)
}

/// Sets text without a font, in a fixed pitch.
pub fn set_text(text: &str, setting: &Setting) -> Vec<TextRun> {
    let size = if setting.cell > 0.0 { setting.cell } else { PLAIN_SIZE };
    let characters: Vec<Character> =
        text.chars().map(|ch| Character { ch, id: 0, part: 0, advance: size * PLAIN_PITCH }).collect();
    let shown = |_| Shown { program: None, face: Face::default(), size, stretch: 1000 };
    runs(&characters, shown, setting)
}

fn runs<'f>(characters: &[Character], shown: impl Fn(u8) -> Shown<'f>, setting: &Setting) -> Vec<TextRun> {
    let [bx, by] = setting.baseline;
    let length = bx.hypot(by);
    let (dx, dy) = if length > 0.0 { (bx / length, by / length) } else { (1.0, 0.0) };
    let straight = dx.abs() > 0.999 || dy.abs() > 0.999;
    let turns = quarter(dx, dy);
    let together = straight && setting.direction <= 1;
    let [mut x, mut y] = setting.at;
    let mut all: Vec<TextRun> = Vec::new();
    let mut advances: Vec<Lu> = Vec::new();
    let mut part = None;
    for character in characters {
        let show = shown(character.part);
        if !together || part != Some(character.part) {
            finish(all.last_mut(), &mut advances);
            part = Some(character.part);
            all.push(TextRun {
                x: lu(x),
                y: lu(y),
                turns,
                face: Face { italic: show.face.italic || setting.slanted, ..show.face },
                embedded: show.program.map(|font| Embedded { font: font.clone(), glyphs: Vec::new() }),
                size: lu(show.size),
                color: setting.color,
                text: String::new(),
                advances: Advances::Uniform(Lu(0)),
                stretch: show.stretch,
                underline: false,
                line: 0,
                shadow: false,
            });
        }
        if let Some(run) = all.last_mut() {
            run.text.push(character.ch);
            if let Some(embedded) = &mut run.embedded {
                embedded.glyphs.push(character.id);
            }
        }
        advances.push(lu(character.advance));
        let (along, down) = match setting.direction {
            2 => (0.0, show.size),
            3 => (-character.advance, 0.0),
            4 => (0.0, -show.size),
            _ => (character.advance, 0.0),
        };
        x += along * dx - down * dy;
        y += along * dy + down * dx;
    }
    finish(all.last_mut(), &mut advances);
    all
}

fn finish(run: Option<&mut TextRun>, advances: &mut Vec<Lu>) {
    if let Some(run) = run {
        run.advances = Advances::Each(std::mem::take(advances));
    }
}

/// The nearest quarter turn of a direction (y downwards).
fn quarter(dx: f64, dy: f64) -> u8 {
    match (dx.abs() >= dy.abs(), dx >= 0.0, dy >= 0.0) {
        (true, true, _) => 0,
        (true, false, _) => 2,
        (false, _, true) => 1,
        (false, _, false) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(baseline: Point, direction: u8) -> Setting {
        Setting { at: [100.0, 200.0], baseline, direction, cell: 100.0, slanted: false, color: Color::BLACK }
    }

    const AB: [u8; 2] = [0xC1, 0xC2];

    #[test]
    fn a_straight_string_is_one_run() {
        let runs = set_plain(&AB, &setting([0.0, -1.0], 1));
        assert_eq!(runs.len(), 1);
        assert_eq!((runs[0].text.as_str(), runs[0].turns, runs[0].x, runs[0].y), ("AB", 3, Lu(100), Lu(200)));
        assert_eq!(runs[0].advances, Advances::Each(vec![Lu(60), Lu(60)]));
    }

    #[test]
    fn slanted_and_vertical_strings_are_placed_character_by_character() {
        let slanted = set_plain(&AB, &setting([4.0, 3.0], 1));
        assert_eq!(slanted.len(), 2);
        assert_eq!((slanted[1].x, slanted[1].y), (Lu(148), Lu(236)));
        let down = set_plain(&AB, &setting([1.0, 0.0], 2));
        assert_eq!((down[1].x, down[1].y), (Lu(100), Lu(300)));
        let back = set_plain(&AB, &setting([1.0, 0.0], 3));
        assert_eq!((back[1].x, back[1].y), (Lu(40), Lu(200)));
    }
}
