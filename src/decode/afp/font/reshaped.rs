//! Letters of a font at any angle, slanted, widened or mirrored: a new program with their outlines taken through a matrix.

use std::collections::BTreeMap;

use super::outline::Outline;
use super::program::{FIRST, Plan, Shape, short};
use super::turned::{EM, outline_of};
use super::{Glyph, Part};
use crate::page::{Face, FontProgram};

/// A program with more letters is not made.
const GLYPHS_LIMIT: usize = 4_096;

/// A program of reshaped letters.
#[derive(Debug, Clone)]
pub struct Reshaped {
    /// The program.
    pub program: FontProgram,
    glyphs: BTreeMap<(u8, u16), u16>,
}

impl Reshaped {
    /// Reshapes glyphs by a matrix: `[a, b, c, d]` takes a point of the em square, y upwards, to `(a x + c y, b x + d y)`. `part`
    /// tells how the glyphs of a part are shown, `size` is that of an em. `None` when a glyph's outline cannot be had.
    pub fn new<'f>(
        glyphs: &[Glyph],
        [a, b, c, d]: [f64; 4],
        size: f64,
        part: impl Fn(u8) -> Part<'f>,
    ) -> Option<Reshaped> {
        let face = part(0).face;
        let mut plan = plan(face, [a, b, c, d]);
        let mut ids = BTreeMap::new();
        for glyph in glyphs {
            if ids.len() >= GLYPHS_LIMIT {
                return None;
            }
            let Part { program, size: own, stretch, .. } = part(glyph.part);
            let next = FIRST.checked_add(u16::try_from(ids.len()).ok()?)?;
            let std::collections::btree_map::Entry::Vacant(id) = ids.entry((glyph.part, glyph.id)) else { continue };
            let high = f64::from(own.0) / size.max(1.0);
            let wide = high * f64::from(stretch) / 1000.0;
            let outline: Outline = outline_of(program?, glyph.id)?;
            let outline = outline.mapped(|[x, y]| {
                let (x, y) = (x * wide, y * high);
                [a * x + c * y, b * x + d * y]
            });
            let advance = f64::from(glyph.advance.0) / size.max(1.0) * a.abs() * f64::from(EM);
            let advance = u16::try_from(short(advance).max(0)).unwrap_or(0);
            plan.shapes.push(Shape { ch: Some(glyph.ch), advance, outline });
            id.insert(next);
        }
        (!ids.is_empty()).then(|| Reshaped { program: plan.write(), glyphs: ids })
    }

    /// The glyph that stands for one of a part.
    pub fn glyph(&self, part: u8, id: u16) -> Option<u16> {
        self.glyphs.get(&(part, id)).copied()
    }
}

fn plan(face: Face, matrix: [f64; 4]) -> Plan {
    let parts: Vec<String> = matrix.iter().map(|part| short(part * 1000.0).to_string()).collect();
    Plan::like(face, format!("Reshaped{}", parts.join("x")), EM)
}
