//! Puts the characters of a run on its grid: which glyph, how large, where.
//!
//! The page model says how far each character moves the pen; fonts have their own widths. Within
//! [`SIZE_TOLERANCE`] the font size gives way, so that a line of a line printer needs no correction at all; beyond it
//! the glyph is stretched a little and centred in its cell. Proportional glyphs and those of a stream's own font stand where
//! the run's advances put them; where a font stands in for one that is missing, its letters are made as wide as those.

use crate::page::{Advances, Family, TextRun};
use crate::render::font::{FontId, Fonts, Glyph, REPLACEMENT, is_box, is_text};

/// The font size may differ by this share from the one asked for when that puts the glyphs on the grid.
const SIZE_TOLERANCE: f64 = 0.03;
/// Glyphs are stretched at most this much.
const STRETCH_NARROW: f64 = 1.2;
/// In cells up to this much wider than they are, and where all cells of a run are alike, glyphs are stretched to fill them: rows
/// may be so close that letters are lower than their columns are wide, and readers take the gaps between them for blanks.
const CELL_NARROW: f64 = 1.6;
const STRETCH_WIDE: f64 = 1.12;
/// Wide glyphs are stretched more where their cells would be this much wider than they are: readers take gaps of a tenth of
/// a letter for blanks, and a word with blanks between its characters is not found.
const GAP_WIDE: f64 = 1.08;
/// Cells wider than this are not those of wide characters.
const CELL_WIDE: f64 = 1.5;
/// Wide (CJK) glyphs also grow: two cells of a printer are wider than an em, and readers take gaps for blanks.
const GROW_WIDE: f64 = 1.08;
/// Glyphs are squeezed at most this much.
const SQUEEZE: f64 = 0.3;
/// Letters of a proportional font that stands in for another are squeezed and stretched at most this much.
const STAND_IN: (f64, f64) = (0.5, 1.3);
/// Widths nearer than this share are those of the font that was meant.
const SAME_WIDTH: f64 = 0.02;
/// Stretches outside are drawn as the nearest one.
const STRETCHES: (u16, u16) = (50, 8_000);
/// Sizes outside are drawn as the nearest one, in points.
const SIZES: (f64, f64) = (0.5, 1000.0);

/// Glyphs of a piece: a string of PDF/A holds 32,767 bytes, and a glyph takes two.
const GLYPHS_LIMIT: usize = 8_000;

/// A character and its glyph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlacedGlyph {
    /// The character for search and extraction: what was printed, or [`REPLACEMENT`] when that may not be text.
    pub text: char,
    /// Byte offset of the character in the run's text.
    pub byte: usize,
    /// Glyph id in the piece's font.
    pub id: u16,
    /// The glyph's natural advance, in em.
    pub width: f64,
    /// The advance wanted, in em of the piece's stretched size.
    pub advance: f64,
}

/// Glyphs in one font and size that follow each other on the baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Their font.
    pub font: FontId,
    /// Font size in points.
    pub size: f64,
    /// Horizontal stretch; 1 is natural.
    pub stretch: f64,
    /// Distance of the first glyph from the start of the run, in points along the baseline.
    pub offset: f64,
    /// The glyphs.
    pub glyphs: Vec<PlacedGlyph>,
}

/// Characters without a glyph, each once, in the order they were met.
#[derive(Debug, Default)]
pub struct Missing(Vec<char>);

impl Missing {
    /// Notes a character.
    pub fn add(&mut self, c: char) {
        if !self.0.contains(&c) && self.0.len() < 1000 {
            self.0.push(c);
        }
    }

    /// The characters.
    pub fn into_list(self) -> Vec<char> {
        self.0
    }
}

/// How the glyphs of one width sit in cells of one width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Font size in points.
    pub size: f64,
    /// Horizontal stretch.
    pub stretch: f64,
    /// Blank on each side of the glyph, in points.
    pub pad: f64,
}

/// Fits a glyph `width` em wide at `size` points into a cell of `cell` points, as all cells of the run are where they are
/// `uniform`.
pub fn fit(size: f64, width: f64, cell: f64, fill: bool, uniform: bool) -> Fit {
    let natural = width * size;
    let plain = Fit { size, stretch: 1.0, pad: 0.0 };
    if natural <= 0.0 || cell <= 0.0 {
        return plain;
    }
    let ratio = cell / natural;
    if (ratio - 1.0).abs() <= SIZE_TOLERANCE {
        return Fit { size: size * ratio, ..plain };
    }
    let wide = width > 0.8 && !fill;
    let growth = if wide { ratio.clamp(1.0, GROW_WIDE) } else { 1.0 };
    let (size, natural, ratio) = (size * growth, natural * growth, ratio / growth);
    let most = if fill {
        ratio
    } else if wide && ratio <= CELL_WIDE {
        (ratio / GAP_WIDE).max(STRETCH_WIDE)
    } else if wide {
        STRETCH_WIDE
    } else if uniform || ratio <= CELL_NARROW {
        ratio
    } else {
        STRETCH_NARROW
    };
    let stretch = ratio.clamp(SQUEEZE.min(most), most);
    Fit { size, stretch, pad: (cell - natural * stretch) / 2.0 }
}

/// The size of a run in points, kept within what can be drawn.
pub fn run_size(run: &TextRun) -> f64 {
    run.size.points().abs().clamp(SIZES.0, SIZES.1)
}

/// Splits a run into pieces. Every character ends in exactly one piece.
pub fn place(run: &TextRun, fonts: &mut Fonts, missing: &mut Missing) -> Vec<Piece> {
    let size = run_size(run);
    let own = run.embedded.as_ref().and_then(|embedded| Some((fonts.embed(&embedded.font)?, &embedded.glyphs)));
    let stretch = f64::from(run.stretch.clamp(STRETCHES.0, STRETCHES.1)) / 1000.0;
    let uniform = matches!(run.advances, Advances::Uniform(_));
    let mut line = Line { size, stretch, family: run.face.family, uniform, pieces: Vec::new(), pen: 0.0 };
    if own.is_none() && run.face.family != Family::Mono {
        line.stretch *= stand_in(run, fonts, size * stretch);
    }
    for (number, (byte, c)) in run.text.char_indices().enumerate() {
        let cell = advance(&run.advances, number);
        let glyph = match own.and_then(|(font, ids)| own_glyph(fonts, font, ids, number, c)) {
            Some(glyph) => glyph,
            None => fonts.set().glyph(c, run.face, cell >= 0.9 * size),
        };
        if glyph.missing {
            missing.add(c);
        }
        line.add(glyph, c, byte, cell);
    }
    line.pieces
}

/// The glyph that the stream's own font has for a character; none where its id leads nowhere.
fn own_glyph(fonts: &Fonts, font: FontId, ids: &[u16], number: usize, c: char) -> Option<Glyph> {
    let face = fonts.face(font)?;
    let id = if ids.is_empty() { face.glyph(c)? } else { *ids.get(number)? };
    face.has(id).then(|| Glyph { font, id, width: face.width(id), missing: false })
}

/// How much narrower or wider the letters of the font that was meant are than those of the one that stands in for it.
fn stand_in(run: &TextRun, fonts: &Fonts, size: f64) -> f64 {
    let (mut meant, mut natural) = (0.0, 0.0);
    for (number, c) in run.text.chars().enumerate() {
        let cell = advance(&run.advances, number);
        let glyph = fonts.set().glyph(c, run.face, false);
        // Blanks are as wide as the line needs them.
        if cell > 0.0 && c != ' ' && glyph.font.is_proportional() {
            meant += cell;
            natural += f64::from(glyph.width) * size;
        }
    }
    let ratio = if natural > 0.0 { meant / natural } else { 1.0 };
    if (ratio - 1.0).abs() <= SAME_WIDTH { 1.0 } else { ratio.clamp(STAND_IN.0, STAND_IN.1) }
}

fn advance(advances: &Advances, number: usize) -> f64 {
    match advances {
        Advances::Uniform(cell) => cell.points(),
        Advances::Each(cells) => cells.get(number).map_or(0.0, |cell| cell.points()),
    }
}

/// A run on its way to being pieces.
struct Line {
    size: f64,
    stretch: f64,
    family: Family,
    uniform: bool,
    pieces: Vec<Piece>,
    pen: f64,
}

impl Line {
    fn add(&mut self, glyph: Glyph, c: char, byte: usize, cell: f64) {
        let width = f64::from(glyph.width);
        let proportional = glyph.font.is_proportional() && (self.family != Family::Mono || glyph.font.is_embedded());
        let fit = if proportional {
            Fit { size: self.size, stretch: self.stretch, pad: 0.0 }
        } else {
            fit(self.size, width, cell, is_box(c), self.uniform)
        };
        let text = if is_text(c) { c } else { REPLACEMENT };
        let placed = PlacedGlyph { text, byte, id: glyph.id, width, advance: cell / (fit.size * fit.stretch) };
        let same = self.pieces.last().is_some_and(|last| {
            let same_width = || {
                last.glyphs
                    .last()
                    .is_some_and(|g| (g.width - width).abs() < 1e-6 && (g.advance - placed.advance).abs() < 1e-6)
            };
            last.font == glyph.font
                && last.glyphs.len() < GLYPHS_LIMIT
                && last.size == fit.size
                && last.stretch == fit.stretch
                && (proportional || same_width())
        });
        match self.pieces.last_mut() {
            Some(last) if same => last.glyphs.push(placed),
            _ => self.pieces.push(Piece {
                font: glyph.font,
                size: fit.size,
                stretch: fit.stretch,
                offset: self.pen + fit.pad,
                glyphs: vec![placed],
            }),
        }
        self.pen += cell;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Color, Face, Lu};
    use crate::render::font::FontSet;

    fn fonts() -> Fonts {
        Fonts::new(FontSet::system())
    }

    #[test]
    fn long_runs_are_cut_where_a_string_would_be_too_long() {
        let run = run(&"a".repeat(20_000), 10.0, Advances::Uniform(Lu(1440)));
        let pieces = place(&run, &mut fonts(), &mut Missing::default());
        assert_eq!(pieces.iter().map(|piece| piece.glyphs.len()).collect::<Vec<_>>(), [8_000, 8_000, 4_000]);
        let step = pieces[1].offset - pieces[0].offset;
        assert!((step - 8_000.0 * Lu(1440).points()).abs() < 1e-3, "{step}");
    }

    fn run(text: &str, size: f64, advances: Advances) -> TextRun {
        TextRun {
            x: Lu(0),
            y: Lu(0),
            turns: 0,
            face: Face::default(),
            size: Lu::from_points(size),
            color: Color::BLACK,
            text: text.into(),
            advances,
            embedded: None,
            stretch: 1000,
            underline: false,
            line: 1,
            shadow: false,
        }
    }

    #[test]
    fn a_printer_line_becomes_one_piece_without_corrections() {
        let mut missing = Missing::default();
        let line = run("TOTAL  1,234.56", 12.0, Advances::Uniform(Lu::from_points(7.2)));
        let pieces = place(&line, &mut fonts(), &mut missing);
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].stretch, 1.0);
        assert!((pieces[0].size - 11.96).abs() < 0.01);
        assert!(pieces[0].glyphs.iter().all(|g| (g.advance - g.width).abs() < 1e-6));
        assert!(missing.into_list().is_empty());
    }

    #[test]
    fn a_glyph_much_narrower_than_its_cell_is_centred() {
        let greek = fit(12.0, 0.602, 14.4, false, false);
        assert_eq!(greek.stretch, STRETCH_NARROW);
        assert!((greek.pad - (14.4 - 0.602 * 12.0 * 1.2) / 2.0).abs() < 1e-9);
        let chinese = fit(12.0, 1.0, 14.4, false, false);
        assert!(chinese.pad.abs() < 1e-9, "two cells at 10 per inch are filled without a gap");
        assert_eq!(fit(12.0, 0.602, 14.4, true, false).pad, 0.0, "box characters fill the cell");
        // Few columns on upright paper: cells are wide, letters as high as the rows allow.
        for size in [12.0, 11.0, 10.76, 10.0, 9.5] {
            let wide = fit(size, 1.0, 14.4, false, false);
            let gap = 2.0 * wide.pad / (wide.size * wide.stretch);
            assert!((0.0..0.09).contains(&gap), "readers take a gap of {gap} em at {size} points for a blank");
        }
    }

    #[test]
    fn letters_of_close_rows_fill_their_columns() {
        for cell in [8.0, 10.0, 11.5, 40.0] {
            let letter = fit(12.0, 0.602, cell, false, true);
            assert!(
                letter.pad.abs() < 1e-9 && (letter.stretch * letter.size * 0.602 - cell).abs() < 1e-9,
                "{letter:?}"
            );
        }
    }

    #[test]
    fn hostile_sizes_and_advances_give_finite_places() {
        let mut fonts = fonts();
        for (size, advance) in [(0.0, 0.0), (-5.0, -7.2), (1e7, 1e7), (0.001, 1e6)] {
            let line = run("A\u{0}B", size, Advances::Uniform(Lu::from_points(advance)));
            let mut missing = Missing::default();
            for piece in place(&line, &mut fonts, &mut missing) {
                assert!(piece.size.is_finite() && piece.size > 0.0 && piece.stretch.is_finite() && piece.stretch > 0.0);
                assert!(piece.glyphs.iter().all(|g| g.advance.is_finite()));
            }
            assert_eq!(missing.into_list(), vec!['\u{0}']);
        }
    }
}
