//! Masks a page: finds printed lines, decides which glyphs are covered, and makes the page anew without them.
//!
//! Glyphs are found by where they lie, not by which run holds them: a value may be printed in pieces, letter by letter,
//! twice for boldness, or inside of a form. Every glyph that lies on a covered one is covered too.

use std::sync::Arc;

use super::{Cover, Masker};
use crate::page::walk::{ELEMENT_LIMIT, FORM_DEPTH, Place};
use crate::page::{Advances, ContentId, Element, Embedded, Form, Lu, Page, PlacedForm, TextRun};

/// A printed character: where it lies, along its baseline and across.
#[derive(Debug, Clone, Copy)]
struct Glyph {
    /// The run, counted over the page with its forms opened.
    run: usize,
    /// The character of the run.
    at: usize,
    ch: char,
    turns: u8,
    across: i64,
    along: i64,
    advance: i64,
    size: i64,
    shadow: bool,
}

/// The page as the reader may see it.
pub(super) fn masked(masker: &Masker, page: Page) -> Page {
    if masker.values.is_empty() && masker.patterns.is_empty() {
        return page;
    }
    let mut left = ELEMENT_LIMIT;
    let mut glyphs = Vec::new();
    let mut runs = Vec::new();
    collect(&page.elements, Place::PAGE, 0, &mut left, &mut glyphs, &mut runs);
    let mut covers: Vec<Option<Cover>> = runs.iter().map(|text| masker.cover(text)).collect();
    cover_lines(masker, &mut glyphs, &runs, &mut covers);
    let mut rebuild = Rebuild { masker, covers: &covers, run: 0, left: ELEMENT_LIMIT };
    match rebuild.elements(&page.elements, 0) {
        Some(elements) => Page { elements, ..page },
        None => page,
    }
}

/// All glyphs, and the text of each run.
fn collect(
    elements: &[Element],
    place: Place,
    depth: usize,
    left: &mut usize,
    glyphs: &mut Vec<Glyph>,
    runs: &mut Vec<String>,
) {
    for element in elements {
        if *left == 0 {
            return;
        }
        *left -= 1;
        match element {
            Element::Text(run) => {
                glyphs_of(&place.text(run), runs.len(), glyphs);
                runs.push(run.text.clone());
            }
            Element::Form(form) if depth < FORM_DEPTH => {
                collect(&form.form.elements, place.of_form(form), depth + 1, left, glyphs, runs);
            }
            _ => {}
        }
    }
}

fn glyphs_of(run: &TextRun, number: usize, glyphs: &mut Vec<Glyph>) {
    let (x, y) = (i64::from(run.x.0), i64::from(run.y.0));
    let turns = run.turns % 4;
    let (mut along, across) = match turns {
        0 => (x, y),
        1 => (y, -x),
        2 => (-x, -y),
        _ => (-y, x),
    };
    for (at, ch) in run.text.chars().enumerate() {
        let advance = i64::from(advance(&run.advances, at).0);
        let (size, shadow) = (i64::from(run.size.0), run.shadow);
        glyphs.push(Glyph { run: number, at, ch, turns, across, along, advance, size, shadow });
        along = along.saturating_add(advance);
    }
}

fn advance(advances: &Advances, at: usize) -> Lu {
    match advances {
        Advances::Uniform(advance) => *advance,
        Advances::Each(list) => list.get(at).copied().unwrap_or_default(),
    }
}

/// Covers what is masked in the printed lines, and whatever lies on it.
fn cover_lines(masker: &Masker, glyphs: &mut [Glyph], runs: &[String], covers: &mut [Option<Cover>]) {
    glyphs.sort_by_key(|glyph| (glyph.turns, glyph.across, glyph.along));
    let mut from = 0;
    while let Some(first) = glyphs.get(from).copied() {
        // Lines that are printed unevenly stay one line.
        let near = |glyph: &Glyph| glyph.turns == first.turns && glyph.across - first.across <= first.size.max(1) / 4;
        let count = glyphs.get(from..).unwrap_or_default().iter().take_while(|glyph| near(glyph)).count().max(1);
        let mut line = glyphs.get(from..from + count).unwrap_or_default().to_vec();
        line.sort_by_key(|glyph| (glyph.along, glyph.run, glyph.at));
        cover_line(masker, &line, runs, covers);
        from += count;
    }
}

fn cover_line(masker: &Masker, line: &[Glyph], runs: &[String], covers: &mut [Option<Cover>]) {
    // The line as it reads: what is struck over the same place counts once.
    let mut text = String::new();
    let mut shown: Vec<Option<usize>> = Vec::new();
    let mut last: Option<Glyph> = None;
    for (number, glyph) in line.iter().enumerate().filter(|(_, glyph)| !glyph.shadow) {
        if let Some(last) = last {
            let again = glyph.ch == last.ch && (glyph.along - last.along).abs() * 3 < last.advance.max(1);
            if again {
                continue;
            }
            if (glyph.along - (last.along + last.advance)) * 5 > glyph.size {
                text.push(' ');
                shown.push(None);
            }
        }
        text.push(glyph.ch);
        shown.push(Some(number));
        last = Some(*glyph);
    }
    let mut covered: Vec<(Glyph, char)> = Vec::new();
    for (with, number) in masker.cover(&text).unwrap_or_default().into_iter().zip(shown) {
        let glyph = number.and_then(|number| line.get(number));
        covered.extend(glyph.zip(with).map(|(glyph, with)| (*glyph, with)));
    }
    for glyph in line {
        let with = covers.get(glyph.run).and_then(|cover| *cover.as_ref()?.get(glyph.at)?);
        covered.extend(with.map(|with| (*glyph, with)));
    }
    if covered.is_empty() {
        return;
    }
    for glyph in line {
        let middle = glyph.along + glyph.advance / 2;
        let under = covered.iter().find(|(over, _)| {
            let same = over.run == glyph.run && over.at == glyph.at;
            let end = over.along + over.advance;
            same || (over.along.min(end)..=over.along.max(end)).contains(&middle)
        });
        let Some((_, with)) = under.filter(|_| glyph.ch.is_alphanumeric()) else { continue };
        let Some(cover) = covers.get_mut(glyph.run) else { continue };
        let length = runs.get(glyph.run).map_or(0, |text| text.chars().count());
        if let Some(place) = cover.get_or_insert_with(|| vec![None; length]).get_mut(glyph.at) {
            *place = Some(*with);
        }
    }
}

struct Rebuild<'m> {
    masker: &'m Masker,
    covers: &'m [Option<Cover>],
    run: usize,
    left: usize,
}

impl Rebuild<'_> {
    /// The elements without what is covered; `None` when that is all of them.
    fn elements(&mut self, elements: &[Element], depth: usize) -> Option<Vec<Element>> {
        let mut out = Vec::with_capacity(elements.len());
        let mut changed = false;
        for element in elements {
            if self.left == 0 {
                // What nobody looked at is not shown.
                return Some(out);
            }
            self.left -= 1;
            match element {
                Element::Text(run) => {
                    let cover = self.covers.get(self.run).and_then(Option::as_ref);
                    self.run += 1;
                    changed |= cover.is_some();
                    match cover {
                        Some(cover) => out.extend(pieces(run, cover).into_iter().map(Element::Text)),
                        None => out.push(element.clone()),
                    }
                }
                Element::Barcode(code) if self.masker.cover(&code.value).is_some() => changed = true,
                Element::Form(_) if depth >= FORM_DEPTH => changed = true,
                Element::Form(form) => match self.elements(&form.form.elements, depth + 1) {
                    Some(inner) => {
                        changed = true;
                        out.push(Element::Form(remade(form, inner)));
                    }
                    None => out.push(element.clone()),
                },
                other => out.push(other.clone()),
            }
        }
        changed.then_some(out)
    }
}

/// A form with other elements is another form: its name for sharing is made of them.
fn remade(placed: &PlacedForm, elements: Vec<Element>) -> PlacedForm {
    let form = &placed.form;
    let id = ContentId::of(&[&form.id.0, format!("{elements:?}").as_bytes()]);
    let (name, width, height) = (form.name.clone(), form.width, form.height);
    PlacedForm { form: Arc::new(Form { id, name, width, height, elements }), ..placed.clone() }
}

/// A run cut into what is shown as it was and what is replaced. Replaced pieces are set in a found font, all characters
/// as wide as their average: neither glyph numbers nor widths tell what was there.
fn pieces(run: &TextRun, cover: &Cover) -> Vec<TextRun> {
    let chars: Vec<char> = run.text.chars().collect();
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut offset = 0_i64;
    while from < chars.len() {
        let hidden = |at: usize| cover.get(at).copied().flatten();
        let count = (from..chars.len()).take_while(|at| hidden(*at).is_some() == hidden(from).is_some()).count();
        let places = from..from + count;
        let advances: Vec<Lu> = places.clone().map(|at| advance(&run.advances, at)).collect();
        let length: i64 = advances.iter().map(|advance| i64::from(advance.0)).sum();
        let mut piece = TextRun { embedded: None, ..moved(run, offset) };
        if hidden(from).is_some() {
            piece.text = places.filter_map(hidden).collect();
            piece.advances = Advances::Uniform(narrowed(length / i64::try_from(count).unwrap_or(1).max(1)));
        } else {
            piece.text = chars.get(places.clone()).unwrap_or_default().iter().collect();
            piece.advances = match &run.advances {
                Advances::Uniform(advance) => Advances::Uniform(*advance),
                Advances::Each(_) => Advances::Each(advances),
            };
            piece.embedded = run.embedded.as_ref().map(|own| Embedded {
                font: own.font.clone(),
                glyphs: own.glyphs.get(places).unwrap_or_default().to_vec(),
            });
        }
        pieces.push(piece);
        offset = offset.saturating_add(length);
        from += count;
    }
    pieces
}

/// The run with its start moved along the baseline.
fn moved(run: &TextRun, offset: i64) -> TextRun {
    let offset = narrowed(offset).0;
    let (x, y) = match run.turns % 4 {
        0 => (run.x.0.saturating_add(offset), run.y.0),
        1 => (run.x.0, run.y.0.saturating_add(offset)),
        2 => (run.x.0.saturating_sub(offset), run.y.0),
        _ => (run.x.0, run.y.0.saturating_sub(offset)),
    };
    TextRun { x: Lu(x), y: Lu(y), ..run.clone() }
}

fn narrowed(length: i64) -> Lu {
    Lu(i32::try_from(length).unwrap_or(if length < 0 { i32::MIN } else { i32::MAX }))
}
