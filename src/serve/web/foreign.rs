//! Documents that are kept as they came and that nobody here can draw: which format they are in, so that the page says so and
//! offers them for download instead of showing what they are not.

use std::io::{self, Write};

use crate::archive::DocId;
use crate::auth::gate::Use;
use crate::decode::foreign::{HEAD, named};
use crate::index::definition::UNIDENTIFIED;
use crate::render::RenderOptions;
use crate::serve::ask::SignedIn;
use crate::serve::backend::DocumentView;
use crate::serve::problem::Problem;
use crate::serve::state::State;
use crate::view::ORIGINAL;

/// The format of a document that cannot be drawn; `unknown` for bytes that are no text. Only what no definition fits is looked
/// at: a definition says how its documents are read.
pub fn format(state: &State, who: &SignedIn, id: DocId, view: &DocumentView) -> Result<Option<&'static str>, Problem> {
    if view.definition != UNIDENTIFIED || view.masked {
        return Ok(None);
    }
    let permit = state.gate.open(&who.principal, Use::READ, &state.backend.subject(id)?, "format")?;
    let mut head = Head(Vec::new());
    // It ends with an error when it has enough.
    let _ = state.backend.render(&permit, ORIGINAL, &RenderOptions::default(), &mut head);
    Ok(named(&head.0))
}

/// Keeps the first bytes, and wants no more.
struct Head(Vec<u8>);

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() >= HEAD {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let taken = bytes.len().min(HEAD - self.0.len());
        self.0.extend(bytes.iter().take(taken));
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_head_is_taken() {
        let mut head = Head(Vec::new());
        assert!(head.write_all(&vec![b'a'; HEAD + 1]).is_err());
        assert_eq!(head.0.len(), HEAD);
    }
}
