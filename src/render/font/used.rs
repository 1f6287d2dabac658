//! The fonts of one output: those of the machine, and the stream's own as they are met.

use std::collections::HashMap;
use std::sync::Arc;

use super::{FontFace, FontId, FontSet};
use crate::page::{ContentId, FontProgram};

/// Fonts of streams have ids from here on.
pub(super) const FIRST_PROGRAM: u16 = 256;
/// A stream's font with more glyphs than this gets codes of two bytes.
const ONE_BYTE_GLYPHS: usize = 700;

/// All fonts of an output by [`FontId`]. Grows with the different fonts met, not with pages.
#[derive(Debug)]
pub struct Fonts {
    set: &'static FontSet,
    programs: Vec<Arc<FontFace>>,
    known: HashMap<ContentId, Option<FontId>>,
}

impl Fonts {
    /// The fonts of the machine only.
    pub fn new(set: &'static FontSet) -> Fonts {
        Fonts { set, programs: Vec::new(), known: HashMap::new() }
    }

    /// The fonts of the machine.
    pub fn set(&self) -> &'static FontSet {
        self.set
    }

    /// The id of a stream's font; `None` when it is broken.
    pub fn embed(&mut self, program: &FontProgram) -> Option<FontId> {
        if let Some(known) = self.known.get(&program.id()) {
            return *known;
        }
        let next = u16::try_from(self.programs.len()).ok().and_then(|count| count.checked_add(FIRST_PROGRAM));
        let id = next.and_then(|next| {
            self.programs.push(self.set.program(program)?);
            Some(FontId(next))
        });
        self.known.insert(program.id(), id);
        id
    }

    /// A font by its id.
    pub fn face(&self, id: FontId) -> Option<&FontFace> {
        match id.0.checked_sub(FIRST_PROGRAM) {
            Some(number) => self.programs.get(usize::from(number)).map(Arc::as_ref),
            None => self.set.face(id),
        }
    }

    /// Whether its codes take two bytes.
    pub fn is_two_byte(&self, id: FontId) -> bool {
        id.is_cjk() || self.face(id).is_some_and(|face| face.glyph_count() > ONE_BYTE_GLYPHS)
    }
}
