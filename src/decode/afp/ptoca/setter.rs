//! Sets characters one by one and makes runs of them.
//!
//! Statement generators place every character by itself. Characters that continue a word come out in one run whose
//! advances are the distances that were asked for; a gap that readers take for a blank begins a new run, so that
//! extraction sees two words.

use super::axes::unit;
use crate::decode::afp::font::Part;
use crate::page::{Advances, Color, Element, Embedded, FontProgram, Lu, Rule, TextRun};

/// A rule at least this thick (3 points) may hide text: runs do not grow across it.
const HIDES: i32 = 600;
/// Positions beyond are clamped: no page is larger than 37,000 inches, and sums of two still fit.
const FARTHEST: f64 = (1 << 29) as f64;

/// A position or length rounded to the nearest unit.
#[allow(clippy::cast_possible_truncation)] // clamped to what fits
pub(super) fn lu(length: f64) -> Lu {
    Lu(length.round().clamp(-FARTHEST, FARTHEST) as i32)
}

/// A character to set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter<'f> {
    pub ch: char,
    pub glyph: u16,
    /// How the font shows it.
    pub part: Part<'f>,
    /// Its origin on the page.
    pub at: [f64; 2],
    /// Direction of the baseline on the page.
    pub turns: u8,
    pub advance: f64,
    /// A gap beyond this is a blank between words.
    pub gap: i32,
    pub color: Color,
    pub underline: bool,
    pub shadow: bool,
}

/// The run that the next character may continue. `along` and `across` are coordinates in the run's own direction.
#[derive(Debug)]
struct Open {
    index: usize,
    program: Option<FontProgram>,
    across: i32,
    /// Where the last character stands, and where it ends.
    last: i32,
    end: i32,
    advances: Vec<Lu>,
}

/// Appends runs and rules to a page's elements.
pub(super) struct Setter<'o> {
    out: &'o mut Vec<Element>,
    first: usize,
    limit: usize,
    /// The run of readable text, and that of overstrikes.
    open: [Option<Open>; 2],
    blank: bool,
}

impl<'o> Setter<'o> {
    /// Appends at most `limit` elements.
    pub fn new(out: &'o mut Vec<Element>, limit: usize) -> Setter<'o> {
        let first = out.len();
        Setter { out, first, limit, open: [None, None], blank: false }
    }

    /// Sets a character. `false`: the page takes no more elements.
    pub fn letter(&mut self, mut letter: Letter<'_>) -> bool {
        let (x, y) = (lu(letter.at[0]), lu(letter.at[1]));
        let (along, across) = in_direction([x, y], letter.turns);
        letter.shadow |= self.is_struck_twice(&letter, along, across);
        if self.continues(&letter, along, across) {
            return true;
        }
        self.close(letter.shadow);
        if self.is_full() {
            return false;
        }
        self.begin(&letter, [x, y], along, across);
        true
    }

    /// Draws a rule. `false`: the page takes no more elements.
    pub fn rule(&mut self, rule: Rule) -> bool {
        if self.is_full() {
            return false;
        }
        if rule.width.0.min(rule.height.0) >= HIDES {
            self.close(false);
            self.close(true);
        }
        self.out.push(Element::Rule(rule));
        true
    }

    /// Completes the last runs; those that hold nothing but blanks are dropped.
    pub fn finish(mut self) {
        self.close(false);
        self.close(true);
        if self.blank {
            let mut index = 0;
            self.out.retain(|element| {
                index += 1;
                index <= self.first || !matches!(element, Element::Text(run) if run.text.is_empty())
            });
        }
    }

    fn is_full(&self) -> bool {
        self.out.len() - self.first >= self.limit
    }

    /// The same character again, hardly moved: printed twice to make it bold.
    fn is_struck_twice(&self, letter: &Letter<'_>, along: i32, across: i32) -> bool {
        let Some((open, run)) = self.opened(false) else { return false };
        let near = (height(run) / 6).min((open.end - open.last) * 2 / 3);
        run.turns == letter.turns
            && run.size == letter.part.size
            && (along - open.last).abs() <= near
            && (across - open.across).abs() <= near
            && !letter.ch.is_whitespace()
            && run.text.ends_with(letter.ch)
    }

    fn continues(&mut self, letter: &Letter<'_>, along: i32, across: i32) -> bool {
        let Some((open, run)) = self.opened(letter.shadow) else { return false };
        let gap = along - open.end;
        let follows = open.across == across && along >= open.last && gap >= -height(run) / 4 && gap <= letter.gap;
        if !follows || !looks_alike(open, run, letter) {
            return false;
        }
        let slot = usize::from(letter.shadow);
        let Some(Some(open)) = self.open.get_mut(slot) else { return false };
        let Some(Element::Text(run)) = self.out.get_mut(open.index) else { return false };
        if let Some(advance) = open.advances.last_mut() {
            *advance = Lu(along - open.last);
        }
        let advance = lu(letter.advance);
        open.advances.push(advance);
        (open.last, open.end) = (along, along + advance.0);
        run.text.push(letter.ch);
        if let Some(embedded) = &mut run.embedded {
            embedded.glyphs.push(letter.glyph);
        }
        true
    }

    fn begin(&mut self, letter: &Letter<'_>, [x, y]: [Lu; 2], along: i32, across: i32) {
        let Part { program, face, size, stretch } = letter.part;
        let advance = lu(letter.advance);
        let open = Open {
            index: self.out.len(),
            program: program.cloned(),
            across,
            last: along,
            end: along + advance.0,
            advances: vec![advance],
        };
        let embedded = program.map(|font| Embedded { font: font.clone(), glyphs: vec![letter.glyph] });
        self.out.push(Element::Text(TextRun {
            x,
            y,
            turns: letter.turns,
            face,
            embedded,
            size,
            color: letter.color,
            text: letter.ch.into(),
            advances: Advances::Uniform(advance),
            stretch,
            underline: letter.underline,
            line: 0,
            shadow: letter.shadow,
        }));
        if let Some(slot) = self.open.get_mut(usize::from(letter.shadow)) {
            *slot = Some(open);
        }
    }

    fn opened(&self, shadow: bool) -> Option<(&Open, &TextRun)> {
        let open = self.open.get(usize::from(shadow))?.as_ref()?;
        match self.out.get(open.index)? {
            Element::Text(run) => Some((open, run)),
            _ => None,
        }
    }

    fn close(&mut self, shadow: bool) {
        let Some(open) = self.open.get_mut(usize::from(shadow)).and_then(Option::take) else { return };
        let Some(Element::Text(run)) = self.out.get_mut(open.index) else { return };
        run.advances = match open.advances.first() {
            Some(first) if open.advances.iter().all(|advance| advance == first) => Advances::Uniform(*first),
            _ => Advances::Each(open.advances),
        };
        if !run.underline && run.text.chars().all(char::is_whitespace) {
            run.text.clear();
            self.blank = true;
        }
    }
}

/// The em, within reason.
fn height(run: &TextRun) -> i32 {
    run.size.0.clamp(0, 1 << 24)
}

fn looks_alike(open: &Open, run: &TextRun, letter: &Letter<'_>) -> bool {
    open.program.as_ref() == letter.part.program
        && run.size == letter.part.size
        && run.face == letter.part.face
        && run.stretch == letter.part.stretch
        && run.turns == letter.turns
        && run.color == letter.color
        && run.underline == letter.underline
}

/// A point's coordinate along a baseline of this direction, and across it (growing to where the next line is).
pub(super) fn in_direction([x, y]: [Lu; 2], turns: u8) -> (i32, i32) {
    match turns % 4 {
        0 => (x.0, y.0),
        1 => (y.0, x.0.saturating_neg()),
        2 => (x.0.saturating_neg(), y.0.saturating_neg()),
        _ => (y.0.saturating_neg(), x.0),
    }
}

/// The rectangle that reaches from a point this far along a direction, and this far to the right of it.
pub(super) fn rectangle([x, y]: [f64; 2], turns: u8, [along, across]: [f64; 2], color: Color) -> Rule {
    let ([ax, ay], [bx, by]) = (unit(turns), unit(turns.wrapping_add(1)));
    let (width, height) = (ax * along + bx * across, ay * along + by * across);
    Rule {
        x: lu(x + width.min(0.0)),
        y: lu(y + height.min(0.0)),
        width: lu(width.abs()),
        height: lu(height.abs()),
        color,
        decoration: true,
    }
}
