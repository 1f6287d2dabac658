//! The text of a PDF page where it stands: found and selected under the picture of the page.

use hayro::hayro_interpret::font::{Glyph, GlyphRun};
use hayro::hayro_interpret::hayro_cmap::BfString;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, SoftMask, TransformExt, interpret_page,
};
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::{Affine, BezPath, Point, Rect};

use crate::page::{Advances, Color, Face, Family, Lu, TextRun};

/// Units of the em square that glyphs are measured in.
const EM: f64 = 1000.0;
/// Letters go on with a run when the pen is off by less than this part of their size, along the line and across it.
const JOINED: f64 = 0.15;
/// The paper's: the letters lie under the picture, and where it leaves a hole nothing must show.
const PAPER: Color = Color { r: 255, g: 255, b: 255 };

/// What a glyph says, and where, in parts of the page's width and height from its top left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// One character, or several of a ligature.
    pub text: String,
    /// Where the pen is before it.
    pub start: [f64; 2],
    /// Where the pen is behind it.
    pub end: [f64; 2],
    /// One em above the start.
    pub top: [f64; 2],
}

/// The letters of a page in the order in which it draws them, `most` at most. What lies outside of it is no text of it.
pub fn letters(page: &Page<'_>, most: usize) -> Vec<Letter> {
    let (width, height) = page.render_dimensions();
    let scale = Affine::scale_non_uniform(1.0 / f64::from(width), 1.0 / f64::from(height));
    let cache = InterpreterCache::new();
    let area = Rect::new(0.0, 0.0, 1.0, 1.0);
    let settings = InterpreterSettings::default();
    let transform = scale * page.initial_transform(true).to_kurbo();
    let mut context = Context::new(transform, area, &cache, page.xref(), settings);
    let mut reader = Reader { letters: Vec::new(), most };
    interpret_page(page, &mut context, &mut reader);
    reader.letters
}

struct Reader {
    letters: Vec<Letter>,
    most: usize,
}

impl Device<'_> for Reader {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        for glyph in run.glyphs().iter().take(self.most.saturating_sub(self.letters.len())) {
            let text = match glyph.as_unicode() {
                Some(BfString::Char(c)) => c.to_string(),
                Some(BfString::String(text)) => text,
                None => continue,
            };
            let advance = match &**glyph {
                Glyph::Outline(glyph) => glyph.advance_width(),
                Glyph::Type3(glyph) => glyph.advance_width(),
            };
            let transform = props.transform * glyph.transform();
            let point = |x: f64, y: f64| {
                let Point { x, y } = transform * Point::new(x, y);
                [x, y]
            };
            let start = point(0.0, 0.0);
            let inside = start.iter().all(|part| (0.0..=1.0).contains(part));
            let shown = inside && !text.is_empty() && !text.chars().any(char::is_control);
            if shown {
                let end = point(f64::from(advance.unwrap_or(0.0)), 0.0);
                self.letters.push(Letter { text, start, end, top: point(0.0, EM) });
            }
        }
    }
}

/// A run that grows.
struct Line {
    run: TextRun,
    /// Of each character.
    advances: Vec<Lu>,
    /// Where its last letter starts and how many characters that has.
    last: ([Lu; 2], usize),
    /// Where the pen is behind it.
    end: [Lu; 2],
}

/// Letters as runs; `place` turns parts of the page's width and height to a point. Letters that stand at no quarter turn are
/// left out.
pub fn runs(letters: &[Letter], place: impl Fn([f64; 2]) -> [Lu; 2]) -> Vec<TextRun> {
    let mut lines: Vec<Line> = Vec::new();
    for letter in letters {
        let [start, end, top] = [letter.start, letter.end, letter.top].map(&place);
        let Some((turns, size)) = upright(start, top) else { continue };
        let goes_on = lines.last().is_some_and(|line| line.goes_on(start, turns, size));
        match lines.last_mut().filter(|_| goes_on) {
            Some(line) => line.push(&letter.text, start, end),
            None => lines.push(Line::new(&letter.text, start, end, turns, size)),
        }
    }
    let written = |line: Line| TextRun { advances: Advances::Each(line.advances), ..line.run };
    lines.into_iter().map(written).filter(|run| !run.text.trim().is_empty()).collect()
}

/// Quarter turns and height of letters whose em square goes from `start` to `top`.
fn upright([x, y]: [Lu; 2], [top_x, top_y]: [Lu; 2]) -> Option<(u8, Lu)> {
    let (across, down) = (top_x.0.saturating_sub(x.0), top_y.0.saturating_sub(y.0));
    let (long, short) =
        (across.saturating_abs().max(down.saturating_abs()), across.saturating_abs().min(down.saturating_abs()));
    if long == 0 || short > long / 20 {
        return None;
    }
    let turns = match (across.saturating_abs() > down.saturating_abs(), across > 0, down > 0) {
        (false, _, false) => 0,
        (true, true, _) => 1,
        (false, _, true) => 2,
        (true, false, _) => 3,
    };
    Some((turns, Lu(long)))
}

/// How far it is from one point to another along a baseline and across it.
fn distance(from: [Lu; 2], to: [Lu; 2], turns: u8) -> [i32; 2] {
    let (x, y) = (to[0].0.saturating_sub(from[0].0), to[1].0.saturating_sub(from[1].0));
    match turns % 4 {
        0 => [x, y],
        1 => [y, x.saturating_neg()],
        2 => [x.saturating_neg(), y.saturating_neg()],
        _ => [y.saturating_neg(), x],
    }
}

impl Line {
    fn new(text: &str, start: [Lu; 2], end: [Lu; 2], turns: u8, size: Lu) -> Line {
        let run = TextRun {
            x: start[0],
            y: start[1],
            turns,
            face: Face { family: Family::Sans, ..Face::default() },
            embedded: None,
            size,
            color: PAPER,
            text: String::new(),
            advances: Advances::Uniform(Lu(0)),
            stretch: 1000,
            underline: false,
            line: 0,
            shadow: false,
        };
        let mut line = Line { run, advances: Vec::new(), last: (start, 0), end };
        line.push(text, start, end);
        line
    }

    fn goes_on(&self, start: [Lu; 2], turns: u8, size: Lu) -> bool {
        let [along, across] = distance(self.end, start, turns);
        let near = |off: i32| f64::from(off).abs() < f64::from(size.0) * JOINED;
        let backwards = distance(self.last.0, start, turns)[0] < 0;
        (turns, size) == (self.run.turns, self.run.size) && near(along) && near(across) && !backwards
    }

    fn push(&mut self, text: &str, start: [Lu; 2], end: [Lu; 2]) {
        let (before, characters) = self.last;
        // The letter before is as long as it is to this one.
        let from = self.advances.len().saturating_sub(characters);
        spread(self.advances.get_mut(from..).unwrap_or_default(), distance(before, start, self.run.turns)[0]);
        let count = text.chars().count();
        let from = self.advances.len();
        self.advances.resize(from + count, Lu(0));
        spread(self.advances.get_mut(from..).unwrap_or_default(), distance(start, end, self.run.turns)[0]);
        self.run.text.push_str(text);
        self.last = (start, count);
        self.end = end;
    }
}

/// A length in equal parts.
fn spread(parts: &mut [Lu], length: i32) {
    let Ok(count) = i32::try_from(parts.len()) else { return };
    parts.iter_mut().for_each(|part| *part = Lu(length.checked_div(count).unwrap_or(0)));
}
