//! Documents that are kept as they came and that nobody here can draw: which format they are in, so that the page says so and
//! offers them for download instead of showing what they are not.

use std::io::{self, Write};

use crate::archive::DocId;
use crate::auth::gate::Use;
use crate::decode::{FORMATS, signature};
use crate::index::definition::UNIDENTIFIED;
use crate::render::RenderOptions;
use crate::serve::ask::SignedIn;
use crate::serve::backend::DocumentView;
use crate::serve::problem::Problem;
use crate::serve::state::State;
use crate::view::ORIGINAL;

/// Bytes that are looked at.
const HEAD: usize = 16 << 10;
/// From here on a signature counts.
const SURE: f32 = 0.5;
/// Of so many bytes one may be a control that no text has.
const CONTROLS: usize = 20;

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
    Ok(foreign(&head.0))
}

fn foreign(head: &[u8]) -> Option<&'static str> {
    let known = signature::matches(head).into_iter().find(|found| found.confidence >= SURE);
    if let Some(found) = known {
        return (!FORMATS.iter().any(|format| format.name() == found.format)).then_some(found.format);
    }
    // Text has few of them, in ASCII and in EBCDIC: X'05', X'0B' to X'0F', X'15', X'1B', X'25' and the like are used by printers.
    let control = |byte: &u8| matches!(byte, 0x01..=0x04 | 0x06 | 0x07 | 0x0E..=0x14 | 0x16..=0x1A | 0x1C..=0x1F);
    (head.iter().filter(|byte| control(byte)).count() * CONTROLS > head.len()).then_some("unknown")
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
    fn formats_that_cannot_be_drawn_are_named_and_text_is_not() {
        assert_eq!(foreign(b"%PDF-1.4\n%\xE2\xE3\n1 0 obj"), Some("pdf"));
        assert_eq!(foreign(b"%!PS-Adobe-3.0\n%%Pages: 1\n"), Some("postscript"));
        let noise: Vec<u8> = (0..4_000_u32).map(|n| (n * 197 % 256) as u8).collect();
        assert_eq!(foreign(&noise), Some("unknown"));
        assert_eq!(foreign(b"DEAR ADA\nhello\n\x0CDEAR BOB\n"), None);
        assert_eq!(foreign(&[0xC1, 0xC2, 0x40, 0x15, 0xF1, 0x15].repeat(50)), None, "EBCDIC");
        assert_eq!(foreign(b""), None);
    }

    #[test]
    fn no_more_than_the_head_is_taken() {
        let mut head = Head(Vec::new());
        assert!(head.write_all(&vec![b'a'; HEAD + 1]).is_err());
        assert_eq!(head.0.len(), HEAD);
    }
}
