//! How a stream is read: `[read]` of a definition.

use std::collections::BTreeMap;

use super::raw::{Faults, Section};
use crate::decode::{FORMATS, ReadSpec};
use crate::frame::codepage::CodePage;

const READ_KEYS: &[&str] = &[
    "format",
    "code_page",
    "record_format",
    "framing",
    "record_length",
    "carriage_control",
    "trc",
    "channels",
    "lines_per_page",
    "lines_per_inch",
    "characters_per_inch",
    "shift_width",
    "resources",
    "beside",
];

/// Reads `[read]`, or `read = "auto"`.
pub(super) fn read(top: &Section<'_, '_>, faults: &mut Faults<'_>) -> ReadSpec {
    if let Some(word) = top.has("read").then(|| top.text("read", &mut Faults::new("", ""))).flatten() {
        if word.value != "auto" {
            faults.add(word.at, "read", format!("{:?} is not known", word.value), Some("\"auto\", or a table [read]"));
        }
        return ReadSpec::default();
    }
    let Some(section) = top.section("read", READ_KEYS, faults) else { return ReadSpec::default() };
    let same = |words: &[&'static str]| words.iter().map(|word| (*word, *word)).collect::<Vec<_>>();
    let formats: Vec<(&str, &str)> = FORMATS.iter().map(|format| (format.name(), format.name())).collect();
    let mut word = |key: &str, words: &[(&str, &'static str)]| {
        let auto = section.text(key, &mut Faults::new("", "")).is_some_and(|text| text.value == "auto");
        if auto { None } else { section.choice(key, words, faults).map(String::from) }
    };
    let format = word("format", &formats);
    let record_format = word("record_format", &same(RECORD_FORMATS));
    let framing = word("framing", &same(FRAMINGS));
    let carriage_control = word("carriage_control", &same(&["asa", "machine", "none"]));
    let code_page = section.text("code_page", faults).filter(|text| text.value != "auto").map(|text| {
        match CodePage::find(&text.value) {
            Some(found) => found.name().to_owned(),
            None => {
                let all: Vec<&str> = CodePage::all().iter().map(|page| page.name()).collect();
                let key = section.key("code_page");
                faults.add(text.at, &key, format!("{:?} is not known", text.value), Some(&all.join(", ")));
                text.value
            }
        }
    });
    let small = |key: &str, bounds, faults: &mut Faults<'_>| section.number(key, bounds, faults).map(|n| n.value);
    ReadSpec {
        format,
        code_page,
        record_format,
        framing,
        record_length: small("record_length", 1..65_536, faults).and_then(|n| u32::try_from(n).ok()),
        carriage_control,
        trc: section.flag("trc", faults),
        channels: channels(&section, faults),
        lines_per_page: small("lines_per_page", 1..1_001, faults).and_then(|n| u16::try_from(n).ok()),
        lines_per_inch: small("lines_per_inch", 1..25, faults).and_then(|n| u8::try_from(n).ok()),
        characters_per_inch: small("characters_per_inch", 1..41, faults).and_then(|n| u8::try_from(n).ok()),
        shift_width: small("shift_width", 0..2, faults).and_then(|n| u8::try_from(n).ok()),
        resources: resources(&section, faults),
        beside: section.has("beside").then(|| beside(&section, faults)),
    }
}

/// Names of files that lie beside streams.
fn beside(section: &Section<'_, '_>, faults: &mut Faults<'_>) -> Vec<String> {
    let names = section.texts("beside", faults);
    for name in names.iter().filter(|name| !crate::decode::beside::is_name(&name.value)) {
        let message = format!("{:?} is not the name of a file beside the stream", name.value);
        faults.add(name.at, &section.key("beside"), message, Some("a file name with {stem} or {name} in it"));
    }
    names.into_iter().map(|name| name.value).collect()
}

/// A section of the resource libraries: the name of a folder in them.
fn resources(section: &Section<'_, '_>, faults: &mut Faults<'_>) -> Option<String> {
    let name = section.text("resources", faults)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.value.is_empty() || !name.value.chars().all(plain) {
        let message = format!("{:?} is not the name of a folder in the libraries", name.value);
        faults.add(name.at, &section.key("resources"), message, Some("letters, digits, - and _"));
        return None;
    }
    Some(name.value)
}

const RECORD_FORMATS: &[&str] = &[
    "F", "FA", "FM", "FB", "FBA", "FBM", "FS", "FBS", "V", "VA", "VM", "VB", "VBA", "VBM", "VS", "VBS", "VBSA", "VBSM",
    "text", "textA", "textM",
];
const FRAMINGS: &[&str] = &[
    "fixed",
    "rdw",
    "bdw-rdw",
    "le16",
    "be16",
    "be16-inclusive",
    "5a",
    "none",
    "nl",
    "lf",
    "crlf",
    "cr",
    "nel",
    "glued",
];

/// `channels = { 1 = 1, 2 = [10, 20] }`
fn channels(section: &Section<'_, '_>, faults: &mut Faults<'_>) -> BTreeMap<u8, Vec<u16>> {
    const NAMES: &[&str] = &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];
    let mut channels = BTreeMap::new();
    let Some(table) = section.section("channels", NAMES, faults) else { return channels };
    for (number, name) in (1..).zip(NAMES) {
        if table.has(name) {
            channels.insert(number, table.lines(name, faults));
        }
    }
    channels
}
