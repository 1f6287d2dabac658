//! Finds out how a stream is read and which report definition it is for.

use std::io::Cursor;
use std::sync::Arc;

use super::Archive;
use super::error::{ArchiveError, LoadError};
use super::load::Bringing;
use crate::decode::{Context, DecodeError, Format, ReadSpec, Sample, Start, Unit, UnitKind};
use crate::frame::codepage::CodePage;
use crate::index::definition::{Choice, Definition, choose};
use crate::note::Notes;

/// Pages decoded to recognise a stream.
const SAMPLE_PAGES: usize = 8;
/// Units looked at for them: resources may come first.
const SAMPLE_UNITS: usize = 4_096;

/// How a stream is read and cut.
pub(super) struct Reading {
    pub definition: Arc<Definition>,
    pub version: u32,
    pub format: &'static dyn Format,
    pub read: ReadSpec,
    /// The stream was to be recognised, and no page of it was seen.
    pub pageless: bool,
}

/// The first pages of a stream as one way of reading shows them.
struct Shown {
    hint: ReadSpec,
    format: &'static str,
    pages: Vec<Unit>,
    code_page: &'static CodePage,
}

/// How one stream is read by each way of reading that was asked for. Detection is most of what a small stream costs, and
/// most definitions leave everything to it: it is done once for all of them.
struct Looks<'a> {
    archive: &'a Archive,
    sample: &'a Sample<'a>,
    known: Vec<(ReadSpec, &'static dyn Format, ReadSpec)>,
}

impl Looks<'_> {
    /// The format that fits best with what `hint` fixes, and everything it needs to know.
    fn how(&mut self, hint: &ReadSpec) -> Result<(&'static dyn Format, ReadSpec), DecodeError> {
        if let Some((_, format, read)) = self.known.iter().find(|(of, ..)| of == hint) {
            return Ok((*format, read.clone()));
        }
        let (format, read) = self.archive.how(self.sample, hint)?;
        self.known.push((hint.clone(), format, read.clone()));
        Ok((format, read))
    }
}

impl Archive {
    /// The definition asked for, or the one that recognises the stream, or the one for unidentified streams.
    ///
    /// `head` starts like the sample and may go on behind it, so that pages are seen behind many resources.
    pub(super) fn choose(&self, sample: &Sample<'_>, head: &[u8], how: &Bringing) -> Result<Reading, LoadError> {
        let wanted = how.definition.as_deref();
        let mut pageless = false;
        let mut looks = Looks { archive: self, sample, known: Vec::new() };
        let (definition, version) = match wanted {
            Some(name) => {
                let missing = || ArchiveError::NoDefinition { name: name.into() };
                self.numbered_definition(name, None)?.ok_or_else(missing)?
            }
            None => {
                let (found, pages) = self.recognise(&mut looks, head, how.queue.as_deref())?;
                pageless = !pages;
                found
            }
        };
        let (format, read) = looks.how(&definition.read)?;
        Ok(Reading { definition, version, format, read, pageless })
    }

    /// The definition that fits, with its version, and whether any page was seen.
    fn recognise(
        &self,
        looks: &mut Looks<'_>,
        head: &[u8],
        queue: Option<&str>,
    ) -> Result<((Arc<Definition>, u32), bool), LoadError> {
        let mut known = self.newest_definitions()?;
        let mut shown: Vec<Shown> = Vec::new();
        let mut scores = Vec::new();
        for (definition, _) in &known {
            if !shown.iter().any(|one| one.hint == definition.read) {
                shown.extend(self.show(looks, head, &definition.read));
            }
            let one = shown.iter().find(|one| one.hint == definition.read);
            scores.push(
                one.map_or(0.0, |one| definition.recognises(&one.pages, one.code_page, looks.sample.name, queue)),
            );
        }
        // Definitions of other formats see nothing in the stream, however much of it is read.
        let likely = looks.how(&ReadSpec::default()).ok().map(|(format, _)| format.name());
        let pages = !shown.iter().any(|one| Some(one.format) == likely && one.pages.is_empty());
        match choose(&scores) {
            Choice::One(at, _) => Ok((known.swap_remove(at), true)),
            Choice::Nobody => Ok(((Arc::new(Definition::whole()), 0), pages)),
            Choice::Ambiguous(all) => {
                let names = all.iter().filter_map(|at| known.get(*at)).map(|(definition, _)| definition.name.clone());
                Err(LoadError::Ambiguous { names: names.collect() })
            }
        }
    }

    /// The first pages, read with what a definition fixes; nothing when it cannot be read that way.
    fn show(&self, looks: &mut Looks<'_>, head: &[u8], hint: &ReadSpec) -> Option<Shown> {
        let (format, read) = looks.how(hint).ok()?;
        let context = Context::new(self.libraries_for(&read), self.limits);
        let mut decoder = format.open(Box::new(Cursor::new(head)), Start::default(), &read, &context).ok()?;
        let mut notes = Notes::default();
        let (mut pages, mut unit) = (Vec::new(), Unit::default());
        for _ in 0..SAMPLE_UNITS {
            if pages.len() >= SAMPLE_PAGES || !decoder.next(&mut unit, &mut notes).ok()? {
                break;
            }
            if unit.kind == UnitKind::Page {
                pages.push(std::mem::take(&mut unit));
            }
        }
        Some(Shown { hint: hint.clone(), format: format.name(), pages, code_page: decoder.code_page() })
    }

    /// The format that fits best with everything it needs to know. The choice is never refused for being unsure:
    /// a stream that nobody understands is kept as well.
    pub(super) fn how(
        &self,
        sample: &Sample<'_>,
        hint: &ReadSpec,
    ) -> Result<(&'static dyn Format, ReadSpec), DecodeError> {
        let mut best: Option<(&'static dyn Format, f32, ReadSpec)> = None;
        for format in self.formats {
            if hint.format.as_deref().is_some_and(|name| name != format.name()) {
                continue;
            }
            let sniff = format.sniff(sample, hint);
            if best.as_ref().is_none_or(|(_, confidence, _)| sniff.confidence > *confidence) {
                best = Some((*format, sniff.confidence, sniff.read));
            }
        }
        let unknown = || DecodeError::Unknown {
            key: "format",
            value: hint.format.clone().unwrap_or_default(),
            allowed: self.formats.iter().map(|format| format.name()).collect::<Vec<_>>().join(", "),
        };
        best.map(|(format, _, read)| (format, read)).ok_or_else(unknown)
    }

    /// The format of a stored stream.
    pub(super) fn format_of(&self, read: &ReadSpec) -> Result<&'static dyn Format, DecodeError> {
        let name = read.format.as_deref().unwrap_or_default();
        let unknown = || DecodeError::Unknown {
            key: "format",
            value: name.into(),
            allowed: self.formats.iter().map(|format| format.name()).collect::<Vec<_>>().join(", "),
        };
        self.formats.iter().copied().find(|format| format.name() == name).ok_or_else(unknown)
    }
}
