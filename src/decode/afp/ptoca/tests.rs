//! One test for each control sequence, by hand-made bytes; then random pages written by an encoder, and hostile bytes.

mod complex;
mod encoder;
mod hostile;
mod runs;
mod sequences;

use std::sync::Arc;

use super::*;
use crate::decode::afp::font::{Glyph, Part};
use crate::page::{Advances, Color, Face, Rule, TextRun};

/// ASCII, one byte a character, 10 points high, all characters 1200 wide but the narrow `i` (400) and the accent `~`
/// (0); X'20' is the variable space, 600 wide; X'00' is missing.
pub struct Fake {
    pub size: i32,
}

impl SetsText for Fake {
    fn next(&self, bytes: &[u8]) -> Option<(usize, Glyph)> {
        let byte = *bytes.first()?;
        let advance = match byte {
            b' ' => 600,
            b'i' => 400,
            b'~' => 0,
            _ => 1200,
        };
        let (ch, id) = if byte == 0 { ('\u{FFFD}', 0) } else { (char::from(byte), u16::from(byte)) };
        Some((1, Glyph { ch, part: 0, id, advance: Lu(advance), space: byte == b' ', missing: byte == 0 }))
    }

    fn part(&self, _: u8) -> Part<'_> {
        Part { program: None, face: Face::default(), size: Lu(self.size), stretch: 1000 }
    }

    fn space(&self) -> Lu {
        Lu(600)
    }
}

/// Local id 1 is the fake font at 10 points, 2 at 20 points; no other is mapped.
pub struct Fonts;

impl TextFonts for Fonts {
    fn text_font(&self, lid: u8) -> Option<Arc<dyn SetsText>> {
        match lid {
            1 => Some(Arc::new(Fake { size: 2000 })),
            2 => Some(Arc::new(Fake { size: 4000 })),
            _ => None,
        }
    }
}

/// What came out: elements, and the codes of what was reported.
pub struct Drawn {
    pub elements: Vec<Element>,
    pub codes: Vec<&'static str>,
}

impl Drawn {
    pub fn texts(&self) -> Vec<&TextRun> {
        self.elements
            .iter()
            .filter_map(|element| if let Element::Text(run) = element { Some(run) } else { None })
            .collect()
    }

    pub fn rules(&self) -> Vec<[i32; 4]> {
        let rule = |rule: &Rule| [rule.x.0, rule.y.0, rule.width.0, rule.height.0];
        self.elements
            .iter()
            .filter_map(|element| if let Element::Rule(r) = element { Some(rule(r)) } else { None })
            .collect()
    }

    /// Text and place of each run.
    pub fn placed(&self) -> Vec<(&str, i32, i32)> {
        self.texts().iter().map(|run| (run.text.as_str(), run.x.0, run.y.0)).collect()
    }
}

/// A page of 10 by 20 inches in units of 1/1440 inch.
pub fn draw_with(data: &[u8], change: impl FnOnce(&mut TextEnvironment<'_>), carried: &mut Carried) -> Drawn {
    draw_in(data, &[], change, carried)
}

/// The same with a descriptor.
pub fn described(data: &[u8], descriptor: &[u8]) -> Drawn {
    draw_in(data, descriptor, |_| {}, &mut Carried::default())
}

/// A page of 10 by 20 inches without a descriptor.
fn environment(font: &Arc<dyn SetsText>) -> TextEnvironment<'_> {
    TextEnvironment {
        descriptor: &[],
        units: [1440.0; 2],
        origin: [Lu(0); 2],
        turns: 0,
        extent: [Lu(144_000), Lu(288_000)],
        fonts: &Fonts,
        default_font: font,
        color: Color::BLACK,
        suppressed: &[],
        elements: 100_000,
    }
}

fn draw_in(
    data: &[u8],
    descriptor: &[u8],
    change: impl FnOnce(&mut TextEnvironment<'_>),
    carried: &mut Carried,
) -> Drawn {
    let font: Arc<dyn SetsText> = Arc::new(Fake { size: 2000 });
    let mut env = TextEnvironment { descriptor, ..environment(&font) };
    change(&mut env);
    let (mut elements, mut codes) = (Vec::new(), Vec::new());
    draw(data, &env, carried, &mut elements, &mut |code, _| codes.push(code));
    Drawn { elements, codes }
}

pub fn drawn(data: &[u8]) -> Drawn {
    draw_with(data, |_| {}, &mut Carried::default())
}

/// Unchained control sequences, each of type and data.
pub fn stream(sequences: &[(u8, &[u8])]) -> Vec<u8> {
    let one = |(kind, data): &(u8, &[u8])| {
        let length = u8::try_from(data.len() + 2).unwrap();
        [&[0x2B, 0xD3, length, *kind], *data].concat()
    };
    sequences.iter().flat_map(one).collect()
}

/// The advances of a run, one for each character.
pub fn advances(run: &TextRun) -> Vec<i32> {
    match &run.advances {
        Advances::Uniform(one) => vec![one.0; run.text.chars().count()],
        Advances::Each(all) => all.iter().map(|one| one.0).collect(),
    }
}
