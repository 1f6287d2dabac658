//! AFP (MO:DCA): structured fields, pages with their environments, and the objects on them.
//!
//! In: a print file in whatever container the transfer left it ([`framing`]). Out: a unit for each page with its page group and
//! tags, for each resource, and for what lies between ([`walk`]); on demand the page, drawn ([`draw`]).
//! A page needs of the stream before it one number ([`state`]) and what the resources said ([`store`]), so a document cut from the
//! middle is drawn as it is in the stream, and [`standalone`] makes a print file of it.
//!
//! Promises: every byte is in exactly one unit; what is broken, unknown or missing is noted with its place and the rest is
//! shown; nothing in a stream makes this panic, hang or take more than [`Limits`] allow (`tests.rs`).
//! Description with sources, what is not supported, and all notes: `docs/formats/afp.md`.

mod bytes;
pub mod color;
mod detect;
mod draw;
mod draw_text;
mod environment;
pub mod field;
pub mod font;
mod fontmap;
mod formdef;
pub mod framing;
pub mod id;
mod index_object;
pub mod object;
pub mod ptoca;
mod read;
mod references;
mod standalone;
mod state;
mod store;
mod tags;
mod text;
pub mod triplet;
mod units;
mod walk;

#[cfg(test)]
mod tests;

use std::io::Read;
use std::sync::Arc;

pub use super::limits::Limits;
use super::{Before, Context, DecodeError, Decoder, Format, ReadSpec, Sample, Shared, Sniff, Start};
use crate::frame::codepage::CodePage;
use framing::Framing;
use store::{SharedStore, Store};
use walk::AfpDecoder;

/// The AFP format.
#[derive(Debug)]
pub struct Afp;

impl Format for Afp {
    fn name(&self) -> &'static str {
        "afp"
    }

    fn sniff(&self, sample: &Sample<'_>, hint: &ReadSpec) -> Sniff {
        let mut read = hint.clone();
        read.format = Some(self.name().into());
        let length = hint.record_length.and_then(|length| usize::try_from(length).ok()).filter(|length| *length > 0);
        let told = hint.framing.as_deref().and_then(|word| Framing::of_word(word, hint.record_length));
        let found = match told {
            Some(framing) => detect::with_framing(sample.head, framing),
            None => detect::find_with(sample.head, length),
        };
        let Some(found) = found else {
            // Somebody who says that it is AFP gets it read as usual.
            read.framing.get_or_insert_with(|| Framing::Plain.word().into());
            if detect::is_translated(sample.head) {
                let why = "AFP that was translated from EBCDIC to ASCII on the way and cannot be read any more: transfer it \
                           again as binary";
                return Sniff { confidence: 0.6, read, evidence: vec![why.into()] };
            }
            return Sniff { confidence: 0.0, read, evidence: Vec::new() };
        };
        read.framing = Some(found.framing.word().into());
        if let Framing::Fixed(length) = found.framing {
            read.record_length = u32::try_from(length).ok();
        }
        let how = found.framing.word();
        let evidence = vec![format!("{} structured fields (X'D3') follow one another (framing {how})", found.fields)];
        Sniff { confidence: found.confidence, read, evidence }
    }

    fn open<'a>(
        &self,
        input: Box<dyn Read + Send + 'a>,
        start: Start,
        how: &ReadSpec,
        context: &Context,
    ) -> Result<Box<dyn Decoder + 'a>, DecodeError> {
        let store = Store::new(framing_of(how)?, context);
        Ok(Box::new(AfpDecoder::new(input, start, store, context, utf_8()?)))
    }

    fn share(
        &self,
        units: &mut dyn Iterator<Item = Vec<u8>>,
        how: &ReadSpec,
        context: &Context,
    ) -> Result<Option<Arc<dyn Shared>>, DecodeError> {
        let mut store = Store::new(framing_of(how)?, context);
        units.for_each(|unit| store.learn(&unit, &mut |_, _| {}));
        Ok(Some(Arc::new(SharedStore(Arc::new(store)))))
    }

    fn beside(&self) -> &'static [&'static str] {
        &["{stem}.res", "{stem}.ind"]
    }

    fn encloses(&self) -> bool {
        true
    }

    fn standalone(
        &self,
        before: Before<'_>,
        document: Vec<u8>,
        start: Start,
        how: &ReadSpec,
        context: &Context,
    ) -> Result<Vec<u8>, DecodeError> {
        Ok(standalone::standalone(before, document, start, framing_of(how)?, context))
    }
}

/// How sure the head of a stream makes that it is AFP, 0 to 1.
pub fn confidence(head: &[u8]) -> f32 {
    detect::find(head).map_or(0.0, |found| found.confidence)
}

fn framing_of(how: &ReadSpec) -> Result<Framing, DecodeError> {
    let word = how.framing.as_deref().unwrap_or(Framing::Plain.word());
    Framing::of_word(word, how.record_length).ok_or_else(|| DecodeError::Unknown {
        key: "framing",
        value: word.into(),
        allowed: framing::WORDS.into(),
    })
}

/// Text of pages is handed out in UTF-8, whatever the fonts' code pages are.
fn utf_8() -> Result<&'static CodePage, DecodeError> {
    CodePage::find("utf-8").ok_or_else(|| DecodeError::Unknown {
        key: "code_page",
        value: "utf-8".into(),
        allowed: String::new(),
    })
}

/// Takes what was survived: a stable code (such as `afp-missing-font`) and a detail that holds no document text.
pub type Report<'r> = dyn FnMut(&'static str, String) + 'r;
