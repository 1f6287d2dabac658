//! The splitter: units in, documents out.

use super::definition::Definition;
use super::{Draft, SetAside};
use crate::decode::Unit;
use crate::frame::codepage::CodePage;
use crate::note::Notes;

/// One finished piece of the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Cut {
    /// A document.
    Document(Draft),
    /// Pages or bytes that no document claims.
    SetAside(SetAside),
}

/// Cuts one stream. Pieces come out in stream order, do not overlap and together cover every unit pushed.
#[derive(Debug)]
pub struct Splitter<'d> {
    definition: &'d Definition,
}

impl<'d> Splitter<'d> {
    /// A splitter for one stream whose text is in `code_page`.
    pub fn new(definition: &'d Definition, code_page: &'static CodePage) -> Splitter<'d> {
        let _ = code_page;
        Splitter { definition }
    }

    /// Takes the next unit; appends what it completes to `out`.
    pub fn push(&mut self, unit: &Unit, notes: &mut Notes, out: &mut Vec<Cut>) {
        let _ = (unit, notes, out, self.definition);
    }

    /// The stream is over; appends what is left to `out`.
    pub fn finish(&mut self, notes: &mut Notes, out: &mut Vec<Cut>) {
        let _ = (notes, out);
    }
}
