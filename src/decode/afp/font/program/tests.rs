use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::raw::TableProvider;
use skrifa::{FontRef, GlyphId, MetadataProvider};

use super::super::outline::Segment;
use super::*;

fn square(size: f64) -> Outline {
    Outline(vec![
        Segment::Move([0.0, 0.0]),
        Segment::Line([size, 0.0]),
        Segment::Line([size, size]),
        Segment::Line([0.0, size]),
        Segment::Line([0.0, 0.0]),
    ])
}

fn plan() -> Plan {
    let curve = Outline(vec![
        Segment::Move([-300.0, 5.0]),
        Segment::Curve([100.0, 2000.0, 200.0, -2000.0, 1200.0, 5.0]),
        Segment::Line([3.0, 4.0]),
    ]);
    let shape = |ch, advance, outline| Shape { ch, advance, outline };
    Plan {
        name: "A font, 10 pt".into(),
        em: 2000,
        ascent: 1500,
        descent: -500,
        shapes: vec![
            shape(Some('A'), 1234, square(700.0)),
            shape(Some('中'), 2000, curve),
            shape(None, 0, square(1.0)),
            shape(Some('\u{1F600}'), 900, Outline::default()),
            shape(Some('A'), 50, square(2.0)),
        ],
        ..Plan::default()
    }
}

#[derive(Default)]
struct Points(Vec<[f32; 2]>);

impl OutlinePen for Points {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.push([x, y]);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.0.push([x, y]);
    }
    fn quad_to(&mut self, _: f32, _: f32, _: f32, _: f32) {
        unreachable!();
    }
    fn curve_to(&mut self, a: f32, b: f32, c: f32, d: f32, x: f32, y: f32) {
        self.0.extend([[a, b], [c, d], [x, y]]);
    }
    fn close(&mut self) {}
}

#[test]
fn a_program_gives_its_shapes_widths_and_characters_back() {
    let program = plan().write();
    assert_eq!(program.name(), "Afont10pt");
    let font = FontRef::new(program.bytes()).unwrap();
    assert_eq!(font.head().unwrap().units_per_em(), 2000);
    assert_eq!(font.maxp().unwrap().num_glyphs(), 7);
    let charmap = font.charmap();
    assert_eq!(charmap.map('A'), Some(GlyphId::new(2)));
    assert_eq!(charmap.map('中'), Some(GlyphId::new(3)));
    assert_eq!(charmap.map('\u{E000}'), Some(GlyphId::new(4)), "a glyph without a character has a private one");
    assert_eq!(charmap.map('\u{1F600}'), Some(GlyphId::new(5)));
    assert_eq!(charmap.map('\u{E001}'), Some(GlyphId::new(6)), "a second glyph of one character too");
    assert_eq!(charmap.map(' '), Some(GlyphId::new(1)));
    let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
    let widths: Vec<f32> = (0..7).map(|id| metrics.advance_width(GlyphId::new(id)).unwrap()).collect();
    assert_eq!(widths, [1000.0, 1000.0, 1234.0, 2000.0, 0.0, 900.0, 50.0]);
    let draw = |id: u32| {
        let mut points = Points::default();
        let glyph = font.outline_glyphs().get(GlyphId::new(id)).unwrap();
        glyph.draw(DrawSettings::unhinted(Size::unscaled(), LocationRef::default()), &mut points).unwrap();
        points.0
    };
    assert_eq!(draw(2)[..4], [[0.0, 0.0], [700.0, 0.0], [700.0, 700.0], [0.0, 700.0]]);
    assert_eq!(draw(3)[..4], [[-300.0, 5.0], [100.0, 2000.0], [200.0, -2000.0], [1200.0, 5.0]]);
    assert!(draw(5).is_empty());
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_its_checksum_holds() {
    let (a, b) = (plan().write(), plan().write());
    assert_eq!(a.id(), b.id());
    assert_eq!(checksum(a.bytes()), 0xB1B0_AFBA);
}

#[test]
fn an_empty_plan_and_a_great_one_are_written() {
    let empty = Plan { em: 1000, ..Plan::default() }.write();
    assert_eq!(empty.name(), "Font");
    assert!(FontRef::new(empty.bytes()).is_ok());
    let shapes =
        (0..40_000_u32).map(|n| Shape { ch: char::from_u32(0x4E00 + n * 2), advance: 9, outline: square(5.0) });
    let great = Plan { em: 1000, shapes: shapes.collect(), ..Plan::default() }.write();
    let font = FontRef::new(great.bytes()).unwrap();
    assert_eq!(font.maxp().unwrap().num_glyphs(), 40_002);
    assert_eq!(font.charmap().map('\u{4E00}'), Some(GlyphId::new(2)));
}

#[test]
fn long_runs_of_lines_and_far_points_stay_within_the_format() {
    let stairs = (0..500).flat_map(|n| {
        let n = f64::from(n);
        [Segment::Line([n + 1.0, n]), Segment::Line([n + 1.0, n + 1.0])]
    });
    let mut steps = vec![Segment::Move([0.0, 0.0])];
    steps.extend(stairs);
    steps.push(Segment::Line([-40_000.0, 40_000.0]));
    let shape = Shape { ch: Some('x'), advance: 60_000, outline: Outline(steps) };
    let program = Plan { em: 1000, shapes: vec![shape], ..Plan::default() }.write();
    let font = FontRef::new(program.bytes()).unwrap();
    let mut points = Points::default();
    let glyph = font.outline_glyphs().get(GlyphId::new(2)).unwrap();
    glyph.draw(DrawSettings::unhinted(Size::unscaled(), LocationRef::default()), &mut points).unwrap();
    assert!(points.0.len() >= 1002);
    assert!(points.0.contains(&[500.0, 500.0]));
}
