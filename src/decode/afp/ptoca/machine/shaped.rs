//! Words of complex text: taken out of their run, shaped by the font, and set with the characters that they are read as.
//!
//! A page has one glyph for each character of a run. Where a word has as many, on the baseline, they are its run, in the
//! order of reading: the characters of a syllable are shared out to its glyphs one after the other. A glyph beside its
//! place (a mark) is drawn there, and its character stands in the line as a blank; so does a character that no glyph is
//! left for. Such a blank is made as wide as its share of the line, so that readers of a PDF find the words as they are. A glyph
//! that no character is left for is drawn and not read.

use std::ops::Range;

use super::super::sequence::UCT;
use super::Machine;
use super::complex::blank_of;
use super::text::Look;
use crate::decode::afp::font::{Glyph, Joins, Part, ShapedGlyph};
use crate::decode::afp::ptoca::arabic::is_arabic;
use crate::page::Lu;

/// A glyph nearer than this to its place, in units of the page, stands there.
const NEAR: f64 = 1.0;
/// Where a glyph and its share of the line differ in width by more than this part of the em, readers of a PDF see a gap between
/// words, or none: then a blank of that width is read.
const GAP: f64 = 0.08;

/// A glyph to set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub glyph: Glyph,
    drawn: Drawn,
}

#[derive(Debug, Clone, Copy)]
enum Drawn {
    /// Where it stands.
    There,
    /// A blank as wide as it moves the position; this is its own width.
    Fitted(Lu),
    /// This far along the baseline and above it; with the blank that its character is read at, if it is read.
    Aside([f64; 2], Option<Glyph>),
}

impl Placed {
    fn there(glyph: Glyph) -> Placed {
        Placed { glyph, drawn: Drawn::There }
    }
}

impl Machine<'_, '_, '_> {
    /// Text of one direction, in the order of reading, as it stands from left to right.
    pub(super) fn one_way(&mut self, glyphs: &[Glyph], right_to_left: bool) -> Vec<Placed> {
        let mut out = Vec::with_capacity(glyphs.len());
        let mut words = words(glyphs);
        if right_to_left {
            words.reverse();
        }
        for (range, joins) in words {
            let word = glyphs.get(range).unwrap_or_default();
            match self.shaped(word, joins, right_to_left) {
                Some(shaped) => out.extend(shaped),
                None => out.extend(self.one_by_one(word, joins, right_to_left)),
            }
        }
        out
    }

    fn shaped(&self, word: &[Glyph], joins: Joins, right_to_left: bool) -> Option<Vec<Placed>> {
        if joins == Joins::Not {
            return None;
        }
        let (part, shaper) = self.font.shaper()?;
        let own = |glyph: &Glyph| glyph.part == part && !glyph.missing;
        if !word.iter().all(|glyph| own(glyph) || Joins::of(glyph.ch) == Joins::Before) {
            return None;
        }
        let chars: Vec<char> = word.iter().map(|glyph| glyph.ch).collect();
        let glyphs = shaper.shape(&chars, right_to_left)?;
        let Part { size, stretch, .. } = self.font.part(part);
        let height = f64::from(size.0);
        let scale = [height * f64::from(stretch) / 1000.0, height];
        let setting = Setting { part, scale, blank: blank_of(&*self.font), right_to_left };
        Some(setting.place(&chars, &glyphs))
    }

    /// Without tables: Arabic by its presentation forms, others as they are.
    fn one_by_one(&mut self, word: &[Glyph], joins: Joins, right_to_left: bool) -> Vec<Placed> {
        let mut glyphs = word.to_vec();
        if word.iter().any(|glyph| is_arabic(glyph.ch)) {
            glyphs = self.joined(word);
        } else if joins.needs_tables() {
            self.say(
                "afp-text-complex",
                UCT,
                "a script that needs the tables of an OpenType font; set letter by letter",
            );
        }
        if right_to_left {
            glyphs.reverse();
        }
        glyphs.into_iter().map(Placed::there).collect()
    }

    pub(super) fn set(&mut self, all: Vec<Placed>) {
        for Placed { glyph, drawn } in all {
            if self.stopped {
                return;
            }
            let ([along, up], read) = match drawn {
                Drawn::Aside(shift, read) => (shift, read),
                Drawn::Fitted(own) => {
                    self.glyph_as(glyph, Some(own));
                    continue;
                }
                Drawn::There => {
                    self.glyph(glyph);
                    continue;
                }
            };
            let font = self.font.clone();
            let place = [self.inline + along, self.baseline + self.lowered - up];
            let look = Look { shadow: true, ..Look::default() };
            self.letter(&*font, &glyph, place, f64::from(glyph.advance.0.max(0)), look);
            match read {
                Some(blank) => {
                    let read = Glyph { ch: glyph.ch, advance: glyph.advance, space: false, ..blank };
                    self.glyph_as(read, Some(blank.advance));
                }
                None => self.inline += f64::from(glyph.advance.0),
            }
        }
    }
}

/// Takes text apart into words to shape, each of one script, and what lies between them.
fn words(glyphs: &[Glyph]) -> Vec<(Range<usize>, Joins)> {
    let mut words: Vec<(Range<usize>, Joins)> = Vec::new();
    for (at, glyph) in glyphs.iter().enumerate() {
        let joins = Joins::of(glyph.ch);
        match (words.last_mut(), joins) {
            (Some((word, Joins::Not)), Joins::Not) => word.end = at + 1,
            (Some((word, before)), joins) if *before == joins => word.end = at + 1,
            (Some((word, Joins::Script(_))), Joins::Before) => word.end = at + 1,
            // A mark on a letter that else stands by itself: the letter goes with it.
            (Some((word, Joins::Not)), Joins::Before) => {
                let letter = word.end.saturating_sub(1);
                word.end = letter;
                if word.start >= letter {
                    words.pop();
                }
                words.push((letter..at + 1, Joins::Before));
            }
            _ => words.push((at..at + 1, joins)),
        }
    }
    words
}

/// How the glyphs of a word are shown.
struct Setting {
    part: u8,
    /// Units of the page in one em, along the baseline and across.
    scale: [f64; 2],
    blank: Option<Glyph>,
    right_to_left: bool,
}

/// A glyph and where its pen stands from the start of its syllable.
#[derive(Clone, Copy)]
struct Penned {
    id: u16,
    pen: f64,
    advance: f64,
    /// Its width in the font.
    own: f64,
    /// Where it is drawn from there.
    shift: [f64; 2],
}

impl Setting {
    fn place(&self, chars: &[char], glyphs: &[ShapedGlyph]) -> Vec<Placed> {
        let mut out = Vec::with_capacity(glyphs.len());
        let syllables: Vec<&[ShapedGlyph]> = glyphs.chunk_by(|a, b| a.cluster == b.cluster).collect();
        let first = |at: usize| syllables.get(at).and_then(|glyphs| glyphs.first()).map(|glyph| glyph.cluster);
        for (at, glyphs) in syllables.iter().enumerate() {
            let next = if self.right_to_left { at.checked_sub(1).and_then(first) } else { first(at + 1) };
            let (from, to) = (first(at).unwrap_or(0), next.unwrap_or(chars.len()));
            let mut said = chars.get(from..to).unwrap_or_default().to_vec();
            if self.right_to_left {
                said.reverse();
            }
            self.syllable(&said, glyphs, &mut out);
        }
        out
    }

    /// Shares the characters of a syllable out to its glyphs, and its width out to its characters.
    fn syllable(&self, said: &[char], glyphs: &[ShapedGlyph], out: &mut Vec<Placed>) {
        let mut pen = 0.0;
        let mut all: Vec<Penned> = Vec::with_capacity(glyphs.len());
        for shaped in glyphs {
            let advance = shaped.advance * self.scale[0];
            let shift = [shaped.shift[0] * self.scale[0], shaped.shift[1] * self.scale[1]];
            let own = shaped.own * self.scale[0];
            all.push(Penned { id: shaped.id, pen, advance, own, shift });
            pen += advance;
        }
        // A mark by itself behind its letter takes a part of the letter's width: a blank of its own would lie over what follows.
        let lent = if pen < NEAR { self.lend(out) } else { 0.0 };
        let read = readers(&all, said.len());
        for (number, ch) in said.iter().take(read.len()).enumerate() {
            let from = if number == 0 { Some(0) } else { read.get(number).copied() };
            let to = read.get(number + 1).copied().unwrap_or(all.len());
            let at = |glyph: usize| all.get(glyph).map(|glyph| glyph.pen);
            let (start, end) = (from.and_then(at).unwrap_or(0.0), at(to).unwrap_or(pen + lent));
            for glyph in from.unwrap_or(0)..to {
                let Some(Penned { id, pen, shift: [along, up], .. }) = all.get(glyph).copied() else { break };
                let shift = [pen + along - start + lent, up];
                // The reader stands last: with it the pen moves on.
                if Some(&glyph) != read.get(number) {
                    out.push(self.unread(id, shift));
                }
            }
            if let Some(penned) = read.get(number).and_then(|at| all.get(*at)) {
                let [along, up] = penned.shift;
                let shift = [penned.pen + along - start + lent, up];
                out.push(self.reader(*ch, Penned { shift, ..*penned }, end - start));
            }
        }
        self.left_over(said.get(read.len()..).unwrap_or_default(), out);
    }

    /// Characters that no glyph is left for: blanks over the end of the glyph before.
    fn left_over(&self, said: &[char], out: &mut Vec<Placed>) {
        let Some(blank) = self.blank else { return };
        for ch in said {
            let advance = round(self.lend(out));
            let glyph = Glyph { ch: *ch, advance, space: false, ..blank };
            out.push(Placed { glyph, drawn: Drawn::Fitted(blank.advance) });
        }
    }

    /// Takes from the width of the last character what a blank is wide, half of it at most.
    fn lend(&self, out: &mut [Placed]) -> f64 {
        let (Some(blank), Some(last), false) = (self.blank, out.last_mut(), self.right_to_left) else { return 0.0 };
        let lent = blank.advance.0.min(last.glyph.advance.0 / 2).max(0);
        last.glyph.advance.0 -= lent;
        f64::from(lent)
    }

    fn unread(&self, id: u16, shift: [f64; 2]) -> Placed {
        let glyph = self.glyph(char::REPLACEMENT_CHARACTER, id, 0.0);
        Placed { glyph, drawn: Drawn::Aside(shift, None) }
    }

    /// The glyph that a character is read at, and its share of the line; it is drawn this far from where that begins.
    fn reader(&self, ch: char, Penned { id, own, shift, .. }: Penned, advance: f64) -> Placed {
        let glyph = self.glyph(ch, id, advance);
        let there = shift.iter().all(|part| part.abs() < NEAR);
        let is_as_wide = (own - advance).abs() < GAP * self.scale[0] || advance < NEAR;
        if there && is_as_wide || self.blank.is_none() {
            return Placed::there(glyph);
        }
        Placed { glyph, drawn: Drawn::Aside(shift, self.blank) }
    }

    fn glyph(&self, ch: char, id: u16, advance: f64) -> Glyph {
        Glyph { ch, part: self.part, id, advance: round(advance), space: false, missing: false }
    }
}

/// The glyphs that characters are read at: those that move the pen before the others.
fn readers(glyphs: &[Penned], characters: usize) -> Vec<usize> {
    let moving = |at: &usize| glyphs.get(*at).is_some_and(|glyph| glyph.advance >= NEAR);
    let (mut first, rest): (Vec<usize>, Vec<usize>) = (0..glyphs.len()).partition(moving);
    first.extend(rest);
    first.truncate(characters);
    first.sort_unstable();
    first
}

#[expect(clippy::cast_possible_truncation, reason = "a cast of this kind saturates")]
fn round(length: f64) -> Lu {
    Lu(length.round() as i32)
}
