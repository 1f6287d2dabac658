//! Trials: what a stream that is not loaded holds, and what a definition would make of it. Nothing is stored.
//!
//! Both read only the beginning of a long stream and say so; a stream that cannot be read to that point still shows what
//! came before.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use serde::Serialize;

use super::error::LoadError;
use super::{Archive, Bringing};
use crate::decode::rows::{Rows, page_text};
use crate::decode::{Context, Decoder, SAMPLE_BYTES, Sample, Start, Unit, UnitKind};
use crate::frame::codepage::CodePage;
use crate::index::check::{CheckReport, check_brought};
use crate::index::definition::{Definition, Masked};
use crate::note::{At, Notes};

/// Bytes of a stream that are looked at for its pages.
const LOOK_BYTES: u64 = 32 << 20;
/// Bytes of a stream that are cut as a trial.
const TRIAL_BYTES: u64 = 64 << 20;
/// Most pages that are shown at once.
pub const MOST_PAGES: u32 = 20;
/// Last page that can be asked for: each costs decoding those before it.
pub const LAST_PAGE: u32 = 100_000;
/// Characters kept of one page.
const PAGE_CHARACTERS: usize = 20_000;
/// Bytes shown as they are.
const HEAD_BYTES: usize = 256;
/// Documents that a trial shows.
const DOCUMENTS: usize = 5;
/// What stands for a value that is not shown.
const HIDDEN: &str = "••••";

/// The pages of a stream, as text.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Look {
    /// The format it was read as.
    pub format: String,
    /// The code page, where there is one.
    pub code_page: Option<String>,
    /// Record format, where there is one.
    pub record_format: Option<String>,
    /// The pages.
    pub pages: Vec<LookPage>,
    /// More pages follow.
    pub more: bool,
    /// Only the first so many bytes were looked at.
    pub looked_at_bytes: Option<u64>,
    /// Why reading ended early.
    pub error: Option<String>,
    /// The first bytes, sixteen in a row: place, hexadecimal, as ASCII, as EBCDIC.
    pub first_bytes: Vec<String>,
}

/// One page of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LookPage {
    /// Its number, from 1.
    pub page: u64,
    /// Its first byte in the stream, from 0.
    pub start: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its text.
    pub text: String,
    /// The text is longer than what is shown.
    pub cut: bool,
}

/// What a definition would make of a stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Trial {
    /// The definition's version; 0 for streams kept whole.
    pub version: u32,
    /// Whether the stream would be taken for it without being told.
    pub fits: bool,
    /// Documents, pages, fields that were not found. Values that the definition masks or calls sensitive are not shown.
    #[serde(flatten)]
    pub report: CheckReport,
    /// Only the first so many bytes were cut: what was open there counts as a document or as set aside.
    pub looked_at_bytes: Option<u64>,
    /// Why cutting ended early.
    pub error: Option<String>,
}

impl Archive {
    /// Pages `first` (from 1) and the `count - 1` after it, read as the definition says, when one is named.
    pub fn look(
        &self,
        file: &Path,
        name: &str,
        definition: Option<&str>,
        (first, count): (u32, u32),
    ) -> Result<Look, LoadError> {
        let (mut stream, total, head) = opened(file)?;
        let definition = definition.map(|name| self.definition(name, None)).transpose()?.flatten();
        let hint = definition.map(|definition| definition.read.clone()).unwrap_or_default();
        let (format, read) = self.how(&Sample { head: &head, total: Some(total), name: Some(name) }, &hint)?;
        let mut look = Look {
            format: format.name().into(),
            code_page: read.code_page.clone(),
            record_format: read.record_format.clone(),
            looked_at_bytes: (total > LOOK_BYTES).then_some(LOOK_BYTES),
            first_bytes: dump(head.get(..HEAD_BYTES).unwrap_or(&head)),
            ..Look::default()
        };
        stream.rewind().map_err(unreadable)?;
        let context = Context::new(self.libraries_for(&read), self.limits);
        let decoder = format.open(Box::new(stream.take(LOOK_BYTES)), Start::default(), &read, &context);
        let shown = decoder.and_then(|mut decoder| look.fill(decoder.as_mut(), first.max(1), count.min(MOST_PAGES)));
        look.error = shown.err().map(|error| error.to_string());
        Ok(look)
    }

    /// Cuts the beginning of a stream with the definition that is named, or with the one that recognises it.
    pub fn try_cut(&self, file: &Path, name: &str, how: &Bringing) -> Result<Trial, LoadError> {
        let (mut stream, total, head) = opened(file)?;
        let sample = Sample { head: &head, total: Some(total), name: Some(name) };
        let reading = self.choose(&sample, &head, how)?;
        let freely = Bringing { definition: None, ..how.clone() };
        let fits = self.choose(&sample, &head, &freely).is_ok_and(|own| own.definition.name == reading.definition.name);
        stream.rewind().map_err(unreadable)?;
        let context = Context::new(self.libraries_for(&reading.read), self.limits);
        let input = Box::new(stream.take(TRIAL_BYTES));
        let mut decoder = reading.format.open(input, Start::default(), &reading.read, &context)?;
        let mut report = CheckReport { definition: reading.definition.name.clone(), ..CheckReport::default() };
        let cut = check_brought(&reading.definition, decoder.as_mut(), (name, &how.job), DOCUMENTS, &mut report);
        hide(&mut report, &reading.definition);
        Ok(Trial {
            version: reading.version,
            fits,
            report,
            looked_at_bytes: (total > TRIAL_BYTES).then_some(TRIAL_BYTES),
            error: cut.err().map(|error| error.to_string()),
        })
    }

    /// Whether the newest version of a definition masks values.
    pub fn has_masks(&self, definition: &str) -> Result<bool, super::ArchiveError> {
        let found = self.definition(definition, None)?;
        Ok(found.is_some_and(|found| !found.masks.is_empty()))
    }
}

impl Look {
    fn fill(&mut self, decoder: &mut dyn Decoder, first: u32, count: u32) -> Result<(), crate::decode::DecodeError> {
        let (mut unit, mut rows, mut notes) = (Unit::default(), Rows::default(), Notes::default());
        let mut number = 0;
        decoder.want_text(first == 1);
        while decoder.next(&mut unit, &mut notes)? {
            if unit.kind != UnitKind::Page {
                continue;
            }
            number += 1;
            if number >= first.saturating_add(count) {
                self.more = true;
                return Ok(());
            }
            decoder.want_text(number + 1 >= first);
            if number < first {
                continue;
            }
            let mut text = String::new();
            page_text(&unit, decoder.code_page(), &mut rows, &mut text);
            let kept: String = text.chars().take(PAGE_CHARACTERS).collect();
            self.pages.push(LookPage {
                page: u64::from(number),
                start: unit.span.start,
                bytes: unit.span.end - unit.span.start,
                cut: kept.len() < text.len(),
                text: kept,
            });
        }
        Ok(())
    }
}

fn unreadable(source: std::io::Error) -> LoadError {
    LoadError::Read { at: At::default(), source }
}

/// A file with its length and its head.
fn opened(file: &Path) -> Result<(File, u64, Vec<u8>), LoadError> {
    let mut stream = File::open(file).map_err(unreadable)?;
    let total = stream.metadata().map_err(unreadable)?.len();
    let mut head = Vec::new();
    (&mut stream).take(SAMPLE_BYTES as u64).read_to_end(&mut head).map_err(unreadable)?;
    if head.is_empty() { Err(LoadError::Empty) } else { Ok((stream, total, head)) }
}

/// Bytes as a dump.
fn dump(bytes: &[u8]) -> Vec<String> {
    let ebcdic = CodePage::find("ibm-037");
    let plain = |ch: char| if ch.is_ascii_graphic() || ch == ' ' { ch } else { '.' };
    let row = |(number, row): (usize, &[u8])| {
        let hex: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let ascii: String = row.iter().map(|byte| plain(char::from(*byte))).collect();
        let host: String = row.iter().map(|byte| ebcdic.map_or('.', |page| plain(one(page, *byte)))).collect();
        format!("{:06x}  {:<47}  {ascii:<16}  {host}", number * 16, hex.join(" "))
    };
    bytes.chunks(16).enumerate().map(row).collect()
}

fn one(page: &'static CodePage, byte: u8) -> char {
    let mut text = String::new();
    page.decode(&[byte], &mut text);
    text.chars().next().unwrap_or('.')
}

/// Takes out what the definition does not show to everybody.
fn hide(report: &mut CheckReport, definition: &Definition) {
    let by_field = |number: usize| {
        definition.masks.iter().any(|mask| matches!(mask.what, Masked::Field(at) if usize::from(at) == number))
    };
    let patterns = definition.masks.iter().any(|mask| matches!(mask.what, Masked::Pattern(_)));
    let hidden: Vec<&str> = definition
        .fields
        .iter()
        .enumerate()
        .filter(|(number, field)| patterns || field.sensitive || by_field(*number))
        .map(|(_, field)| field.name.as_str())
        .collect();
    for document in &mut report.first_documents {
        if !definition.masks.is_empty() {
            document.title = HIDDEN.into();
        }
        for (name, value) in &mut document.fields {
            if hidden.contains(&name.as_str()) {
                *value = HIDDEN.into();
            }
        }
    }
}
