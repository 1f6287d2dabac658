//! Says what a print stream is: its format and how to read it, what it holds, and its first page as text.
//!
//! In: a file. Out: an [`Inspection`]. The whole file is read once, with bounded memory. Formats that greenbar can
//! decode are counted by their decoders; the others by what ends their pages (`count.rs`). Nothing is stored.

mod count;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use serde::Serialize;

use super::rows::{Rows, page_text};
use super::{Context, DecodeError, FORMATS, Format, ReadSpec, SAMPLE_BYTES, Sample, Sniff, Start, Unit, UnitKind};
use super::{foreign, signature};
use crate::frame::codepage::CodePage;
use crate::note::{At, Note, Notes};
use count::Counts;

/// Below this confidence a stream counts as unknown.
const BELIEVED: f32 = 0.5;

/// What a stream is. The keys are those of `greenbar inspect --json`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Inspection {
    /// `line-data`, `afp`, `pcl`, `pcl-xl`, `postscript`, `pdf`, `tiff`, `scs`, `xerox`, `unknown`.
    pub format: String,
    /// 0 to 1.
    pub confidence: f64,
    /// Size of the stream.
    pub bytes: u64,
    /// Records, lines or structured fields; 0 for formats without them.
    pub records: u64,
    /// Pages; 0 where they cannot be counted.
    pub pages: u64,
    /// For line data: the code page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_page: Option<String>,
    /// For line data: `FBA`, `VBM`, `text` ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_format: Option<String>,
    /// For line data: `fixed`, `rdw`, `bdw-rdw`, `nl` ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framing: Option<String>,
    /// For line data: length of fixed records, of the longest variable one at the head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_length: Option<u32>,
    /// For line data: `asa`, `machine`, `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carriage_control: Option<String>,
    /// For line data: whether a table reference character stands before the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trc: Option<bool>,
    /// For line data: page length, where it is not the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines_per_page: Option<u16>,
    /// For AFP: documents (BDT).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    /// For AFP: named page groups (BNG).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_groups: Option<u64>,
    /// For AFP: tag logical elements (TLE).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<u64>,
    /// Names of the tags that pages have, in the order in which they come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tag_names: Vec<TagUse>,
    /// Levels of page groups inside one another, the outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group_levels: Vec<GroupUse>,
    /// Other formats that the head fits.
    pub runners_up: Vec<Candidate>,
    /// What speaks for it, a sentence each.
    pub evidence: Vec<String>,
    /// What was survived while the stream was read.
    pub notes: Vec<Note>,
    /// Text of the first page that prints something, where the format can be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_page: Option<String>,
}

/// A tag of a stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TagUse {
    /// Its name.
    pub name: String,
    /// How often it has another value than on the page before.
    pub count: u64,
    /// Length of its longest value, in characters.
    pub longest: u64,
    /// The first values that differ.
    pub samples: Vec<String>,
    #[serde(skip)]
    pub(crate) last: String,
}

/// The page groups of one level.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GroupUse {
    /// How many start.
    pub count: u64,
    /// The first names that differ.
    pub samples: Vec<String>,
}

/// Tags that are listed.
const TAGS_LISTED: usize = 200;
/// Samples of each tag and of the names of groups.
const SAMPLES: usize = 5;
/// Characters of a sample that are kept.
const SAMPLE_CHARS: usize = 100;

/// Keeps a sample unless it is there or there are enough.
fn keep(samples: &mut Vec<String>, text: &str) {
    let text: String = text.chars().take(SAMPLE_CHARS).collect();
    if samples.len() < SAMPLES && !samples.contains(&text) {
        samples.push(text);
    }
}

/// A format that fits less well.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// The format.
    pub format: String,
    /// 0 to 1.
    pub confidence: f64,
}

/// Inspects a file; `outside` gives the resources that it names and does not bring, and the limits.
pub fn inspect(path: impl AsRef<Path>, outside: &Context) -> Result<Inspection, DecodeError> {
    let path = path.as_ref();
    let mut file = File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let mut head = Vec::new();
    let limit = u64::try_from(SAMPLE_BYTES).unwrap_or(u64::MAX);
    (&mut file).take(limit).read_to_end(&mut head).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let name = path.file_name().and_then(|name| name.to_str());
    if head.is_empty() {
        let evidence = vec!["the file is empty".into()];
        return Ok(Inspection { format: "unknown".into(), evidence, ..Inspection::default() });
    }
    let mut found = recognise(&Sample { head: &head, total: Some(bytes), name });
    found.report.bytes = bytes;
    match found.reader {
        Some((format, sniff)) => decode(file, format, &sniff, outside, &mut found.report)?,
        None => found.report.take(count::count(&found.report.format, file, bytes).map_err(unreadable)?),
    }
    Ok(found.report)
}

fn unreadable(source: std::io::Error) -> DecodeError {
    DecodeError::Read { at: At::default(), source }
}

/// What the head says, and the format to decode with when we have one.
struct Recognised {
    report: Inspection,
    reader: Option<(&'static dyn Format, Sniff)>,
}

/// The formats that are decoded; the others are told by their signatures.
fn decoded() -> impl Iterator<Item = &'static dyn Format> {
    FORMATS.iter().copied().filter(|format| format.name() != foreign::NAME)
}

/// Compares signatures and formats, the surest wins.
fn recognise(sample: &Sample<'_>) -> Recognised {
    let signs = signature::matches(sample.head);
    let mut sniffs: Vec<(&'static dyn Format, Sniff)> =
        decoded().map(|format| (format, format.sniff(sample, &ReadSpec::default()))).collect();
    sniffs.sort_by(|a, b| b.1.confidence.total_cmp(&a.1.confidence));
    let mut runners: Vec<Candidate> = signs.iter().map(|sign| candidate(sign.format, sign.confidence)).collect();
    runners.extend(sniffs.iter().map(|(format, sniff)| candidate(format.name(), sniff.confidence)));
    let best_sniff = sniffs.into_iter().next();
    let mut report = Inspection { format: "unknown".into(), ..Inspection::default() };
    let mut reader = None;
    let decoded = best_sniff.as_ref().map_or(0.0, |(_, sniff)| sniff.confidence);
    match (signs.first(), best_sniff) {
        (Some(sign), _) if sign.confidence > decoded => {
            report.format = sign.format.into();
            report.confidence = rounded(sign.confidence);
            report.evidence.push(sign.evidence.into());
        }
        (_, Some((format, sniff))) => {
            report.confidence = rounded(sniff.confidence);
            report.evidence.clone_from(&sniff.evidence);
            if sniff.confidence >= BELIEVED {
                report.format = format.name().into();
                report.describe(&sniff.read);
                if format.name() == "line-data" && has_djde(sample.head) {
                    report.format = "xerox".into();
                    report.evidence.push("records with DJDE commands for Xerox printers".into());
                }
                reader = Some((format, sniff));
            }
        }
        (_, None) => {}
    }
    runners.retain(|runner| runner.format != report.format && runner.confidence > 0.0);
    report.runners_up = runners;
    Recognised { report, reader }
}

fn candidate(format: &str, confidence: f32) -> Candidate {
    Candidate { format: format.into(), confidence: rounded(confidence) }
}

/// Three digits are more than anybody needs.
fn rounded(confidence: f32) -> f64 {
    (f64::from(confidence) * 1000.0).round() / 1000.0
}

/// Whether records carry Xerox DJDE commands: the word, and `END` further on.
fn has_djde(head: &[u8]) -> bool {
    DJDE_PAGES.iter().filter_map(|page| CodePage::find(page)).any(|page| {
        let has = |text: &str| page.encode(text).is_some_and(|text| memchr::memmem::find(head, &text).is_some());
        has("DJDE") && [",END", " END"].into_iter().any(has)
    })
}

/// Code pages that spell DJDE commands as all others of their kind do.
const DJDE_PAGES: [&str; 2] = ["ibm-037", "iso-8859-1"];

/// Whether a page prints nothing but DJDE commands.
fn only_djde(unit: &Unit) -> bool {
    let words: Vec<Vec<u8>> = DJDE_PAGES.iter().filter_map(|page| CodePage::find(page)?.encode("DJDE")).collect();
    let is_command = |text: &[u8]| words.iter().any(|word| memchr::memmem::find(text, word).is_some());
    !unit.strikes.is_empty() && unit.strikes.iter().all(|strike| is_command(unit.text(strike)))
}

impl Inspection {
    /// Takes over how the stream is to be read.
    fn describe(&mut self, read: &ReadSpec) {
        self.code_page.clone_from(&read.code_page);
        self.record_format.clone_from(&read.record_format);
        self.framing.clone_from(&read.framing);
        self.record_length = read.record_length;
        self.carriage_control.clone_from(&read.carriage_control);
        self.trc = read.trc;
        self.lines_per_page = read.lines_per_page;
    }

    /// Takes in the tags and page groups of a page.
    fn list(&mut self, unit: &Unit) {
        for tag in &unit.tags {
            let known = self.tag_names.iter().position(|known| *known.name == *tag.name);
            let at = match known {
                Some(at) => at,
                None if self.tag_names.len() < TAGS_LISTED => {
                    self.tag_names.push(TagUse { name: tag.name.to_string(), ..TagUse::default() });
                    self.tag_names.len() - 1
                }
                None => continue,
            };
            let Some(known) = self.tag_names.get_mut(at) else { continue };
            if known.count == 0 || *known.last != *tag.value {
                known.count += 1;
                known.last.clear();
                known.last.push_str(&tag.value);
                known.longest = known.longest.max(u64::try_from(tag.value.chars().count()).unwrap_or(u64::MAX));
                keep(&mut known.samples, tag.value.trim());
            }
        }
        for (level, group) in unit.groups.iter().enumerate().filter(|(_, group)| group.starts) {
            if self.group_levels.len() <= level {
                self.group_levels.resize(level + 1, GroupUse::default());
            }
            let Some(known) = self.group_levels.get_mut(level) else { continue };
            known.count += 1;
            keep(&mut known.samples, &group.name);
        }
    }

    /// Takes over what was counted.
    fn take(&mut self, counts: Counts) {
        self.pages = counts.pages;
        self.notes = counts.notes.into_list();
    }
}

/// Decodes the whole stream: counts, and the text of the first page that has some.
fn decode(
    file: File,
    format: &dyn Format,
    sniff: &Sniff,
    outside: &Context,
    report: &mut Inspection,
) -> Result<(), DecodeError> {
    let mut decoder = format.open(Box::new(file), Start::default(), &sniff.read, outside)?;
    let (mut unit, mut rows, mut notes) = (Unit::default(), Rows::default(), Notes::default());
    while decoder.next(&mut unit, &mut notes)? {
        if unit.kind != UnitKind::Page || (report.format == "xerox" && only_djde(&unit)) {
            continue;
        }
        report.pages += 1;
        report.list(&unit);
        if report.first_page.is_none() && !unit.strikes.is_empty() {
            let mut text = String::new();
            page_text(&unit, decoder.code_page(), &mut rows, &mut text);
            report.first_page = Some(text).filter(|text| !text.trim().is_empty());
            decoder.want_text(report.first_page.is_none() || report.format == "xerox");
        }
    }
    report.records = decoder.records();
    if let Some(structure) = decoder.structure() {
        report.documents = Some(structure.documents);
        report.page_groups = Some(structure.page_groups);
        report.tags = Some(structure.tags);
    }
    report.notes = notes.into_list();
    Ok(())
}
