use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::raw::TableProvider;
use skrifa::{FontRef, GlyphId, MetadataProvider};

use super::super::outline::Segment;
use super::super::raster::tests::filled;
use super::super::tests::{TinyFont, tiny};
use super::*;

#[derive(Default)]
struct Lines(Vec<Segment>);

impl OutlinePen for Lines {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.push(Segment::Move([x.into(), y.into()]));
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.0.push(Segment::Line([x.into(), y.into()]));
    }
    fn quad_to(&mut self, _: f32, _: f32, _: f32, _: f32) {
        unreachable!();
    }
    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, _: f32, _: f32) {
        unreachable!();
    }
    fn close(&mut self) {}
}

fn drawn(built: &Built, id: u16) -> (Outline, f64, u16) {
    let font = FontRef::new(built.program.bytes()).unwrap();
    let mut lines = Lines::default();
    let glyph = font.outline_glyphs().get(GlyphId::from(id)).unwrap();
    glyph.draw(DrawSettings::unhinted(Size::unscaled(), LocationRef::default()), &mut lines).unwrap();
    let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
    let advance = f64::from(metrics.advance_width(GlyphId::from(id)).unwrap());
    (Outline(lines.0), advance, font.head().unwrap().units_per_em())
}

/// The dots of a glyph in a window whose top left corner is `left` dots from the pen and `top` above the baseline.
fn picture(built: &Built, id: u16, resolution: f64, [left, top]: [f64; 2], [width, height]: [usize; 2]) -> Vec<String> {
    let (outline, _, em) = drawn(built, id);
    let dot = f64::from(em) / (f64::from(built.size.0) / 14_400.0 * resolution);
    let shifted = outline.mapped(|[x, y]| [x / dot - left, y / dot - top]);
    let dots = filled(&shifted, width, height);
    dots.chunks(width).map(|row| row.iter().map(|ink| if *ink { '#' } else { '.' }).collect()).collect()
}

fn build(font: &TinyFont, rotation: u16) -> Built {
    let set = CharacterSet::read(&tiny(font)).unwrap();
    Built::build(&set, &CodePage::usual(), Use { rotation, size: None, stretch: 1000 }).unwrap()
}

#[test]
fn a_traced_font_draws_its_bitmaps_in_their_place() {
    let built = build(&TinyFont::default(), 0);
    // One dot to the right of the pen, top three above the baseline.
    assert_eq!(picture(&built, 2, 240.0, [0.0, 4.0], [6, 5]), ["......", ".####.", ".#..#.", ".####.", "......"]);
    assert_eq!(picture(&built, 3, 240.0, [0.0, 2.0], [10, 2]), ["#########.", "#########."]);
    let (_, advance, em) = drawn(&built, 2);
    assert!((advance / f64::from(em) * f64::from(built.size.0) - 360.0).abs() < 1e-9, "six dots of 60 units");
}

#[test]
fn a_rotated_font_draws_turned_bitmaps_where_the_rotation_says() {
    let built = build(&TinyFont { names: ["LA010000", "LA020000"], ..TinyFont::default() }, 90);
    assert_eq!(picture(&built, 2, 240.0, [0.0, 3.0], [5, 5]), [".....", ".###.", ".#.#.", ".#.#.", ".###."]);
    assert_eq!(picture(&built, 3, 240.0, [0.0, 5.0], [4, 10])[..2], [".##.", ".##."]);
    let half = build(&TinyFont::default(), 180);
    assert!(drawn(&half, 2).0.bounds().is_some(), "a rotation without metrics is drawn as well as can be");
}

#[test]
fn dots_are_whole_units_whatever_the_size() {
    for (size, relative) in [(100, false), (105, true), (480, true), (77, false), (10, true), (6000, false), (1, true)]
    {
        let font = TinyFont { size, relative, ..TinyFont::default() };
        let built = build(&font, 0);
        let resolution = if relative { 300.0 } else { 240.0 };
        let (outline, _, em) = drawn(&built, 3);
        let dot = f64::from(em) / (f64::from(built.size.0) / 14_400.0 * resolution);
        assert!(dot >= 0.7, "{size}: {dot}");
        let [left, bottom, right, high] = outline.bounds().unwrap();
        assert!(
            ((right - left) / dot - 9.0).abs() < 0.1 && ((high - bottom) / dot - 2.0).abs() < 0.1,
            "{size} {relative}"
        );
    }
}

#[test]
fn a_font_without_a_size_takes_that_of_its_boxes() {
    let built = build(&TinyFont { size: 0, ..TinyFont::default() }, 0);
    // Forty 240ths of an inch between baselines, four of character boxes.
    assert_eq!(built.size, Lu(40 * 60));
}

#[test]
fn characters_are_found_by_name_and_by_character() {
    let built = build(&TinyFont::default(), 0);
    let by_char = built.glyph(&Entry { ch: Some('A'), ..Entry::default() }).unwrap();
    assert_eq!((by_char.id, by_char.ch), (3, Some('A')));
    assert!(built.glyph(&Entry { ch: Some('b'), ..Entry::default() }).is_none());
    assert!(built.glyph(&Entry::default()).is_none());
}

#[test]
fn the_same_font_gives_the_same_program() {
    assert_eq!(build(&TinyFont::default(), 0).program.id(), build(&TinyFont::default(), 0).program.id());
    assert_ne!(build(&TinyFont::default(), 0).program.id(), build(&TinyFont::default(), 90).program.id());
}
