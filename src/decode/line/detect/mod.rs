//! Finds out how line data is to be read: framing, record length, carriage control, code page, page length.
//!
//! In: the head of a stream and what a definition fixes already. Out: a complete [`ReadSpec`], how sure we are, and
//! what speaks for it. What the hint fixes is used, never guessed. Where bytes cannot tell two answers apart
//! (037 and 1047 share almost every byte), the evidence says so, and a number in the stream's name decides.
//! Rules: `docs/formats/line-data.md`, "Detection".

mod control;
mod encoding;
mod framing;
mod language;
mod period;
mod repeat;
#[cfg(test)]
mod tests;

use super::super::{ReadSpec, Sample, Sniff, signature};
use crate::frame::codepage::CodePage;

pub use control::Control;
pub use framing::Frame;

/// Bytes of the head that statistics look at.
const VIEW: usize = 256 * 1024;
/// Fewer bytes than this say nothing.
const LEAST: usize = 8;

/// Fixed records that a record length is sure from: fewer may repeat at another length by accident.
const FEW_RECORDS: usize = 10;

/// Looks at the head of a stream as line data.
///
/// Never fails; a stream that is no line data gets a confidence below 0.5.
pub fn sniff(sample: &Sample<'_>, hint: &ReadSpec) -> Sniff {
    let mut found = Findings { confidence: 1.0, ..Findings::default() };
    let wanted = Wanted::new(hint);
    let frame = framing::find(sample, &wanted, &mut found);
    let records = frame.records(sample.head);
    let control = control::find(&records, &frame, &wanted, &mut found);
    let texts: Vec<&[u8]> = records.iter().map(|record| control.text(record)).collect();
    let page = encoding::find(&texts, frame.ebcdic, &wanted, sample.name, &mut found);
    let length = frame.record_length(sample.head, &records);
    if frame.word() == "fixed" && wanted.record_length.is_none() && records.len() < FEW_RECORDS {
        let why = format!("{} records are few to tell a record length from", records.len());
        found.weigh(0.5 + 0.5 * share(records.len(), FEW_RECORDS), why);
    }
    let mut read = hint.clone();
    read.format = Some("line-data".into());
    read.framing.get_or_insert_with(|| frame.word().into());
    read.record_length = read.record_length.or(length);
    read.record_format.get_or_insert_with(|| format!("{}{}", frame.letters(), control.letter()));
    read.carriage_control.get_or_insert_with(|| control.word().into());
    read.trc.get_or_insert(control.trc);
    read.code_page.get_or_insert_with(|| page.name().into());
    if read.lines_per_page.is_none() && control.kind.is_none() && !has_form_feeds(&frame, sample.head) {
        read.lines_per_page = period::lines_per_page(&texts, page.is_ebcdic(), &mut found);
    }
    // Other formats may look like text (PostScript) or like records (AFP); their signatures are surer than habits.
    if hint.format.is_none()
        && let Some(other) = signature::matches(sample.head).first()
    {
        found.weigh(1.0 - 0.95 * other.confidence, format!("more likely {}: {}", other.format, other.evidence));
    }
    if sample.head.len() < LEAST {
        found.weigh(0.2, "there are too few bytes to tell".into());
    }
    Sniff { confidence: found.confidence, read, evidence: found.evidence }
}

/// Whether form feeds cut the pages already.
fn has_form_feeds(frame: &Frame, head: &[u8]) -> bool {
    frame.is_text() && memchr::memchr(0x0C, head).is_some()
}

/// What was found so far, and how much it can be trusted.
#[derive(Debug, Default)]
struct Findings {
    confidence: f32,
    evidence: Vec<String>,
}

impl Findings {
    /// Adds a sentence without doubt in it.
    fn say(&mut self, sentence: String) {
        self.evidence.push(sentence);
    }

    /// Adds a sentence, and multiplies the confidence by `factor`.
    fn weigh(&mut self, factor: f32, sentence: String) {
        self.confidence *= factor.clamp(0.0, 1.0);
        self.evidence.push(sentence);
    }
}

/// What the hint fixes, in our own terms.
#[derive(Debug, Default)]
struct Wanted {
    framing: Option<String>,
    record_length: Option<usize>,
    page: Option<&'static CodePage>,
    control: Option<Option<Control>>,
    trc: Option<bool>,
}

impl Wanted {
    fn new(hint: &ReadSpec) -> Wanted {
        let format = hint.record_format.as_deref().unwrap_or("").to_ascii_uppercase();
        let framing = hint.framing.clone().or_else(|| match format.as_str() {
            "F" | "FB" | "FA" | "FM" | "FBA" | "FBM" => Some("fixed".into()),
            "V" | "VB" | "VA" | "VM" | "VBA" | "VBM" => Some("variable".into()),
            text if text.starts_with("TEXT") => Some("text".into()),
            _ => None,
        });
        let control = match (hint.carriage_control.as_deref(), format.chars().last()) {
            (Some("asa"), _) => Some(Some(Control::Asa)),
            (Some("machine"), _) => Some(Some(Control::Machine)),
            (Some(_), _) => Some(None),
            (None, Some('A')) => Some(Some(Control::Asa)),
            (None, Some('M')) => Some(Some(Control::Machine)),
            (None, Some(_)) => Some(None),
            (None, None) => None,
        };
        Wanted {
            framing,
            record_length: hint
                .record_length
                .and_then(|length| usize::try_from(length).ok())
                .filter(|&length| length > 0),
            page: hint.code_page.as_deref().and_then(CodePage::find),
            control,
            trc: hint.trc,
        }
    }

    /// Whether a framing with this word may be tried.
    fn allows(&self, word: &str) -> bool {
        match self.framing.as_deref() {
            None => true,
            Some("variable") => matches!(word, "rdw" | "bdw-rdw" | "le16" | "be16" | "glued"),
            Some("text") => matches!(word, "nl" | "crlf" | "cr" | "nel"),
            Some(fixed) => fixed == word,
        }
    }
}

/// `part` of `whole`; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of bytes in a sample of at most 1 MiB are exact in f32")]
fn share(part: usize, whole: usize) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}
