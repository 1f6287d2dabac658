use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::decode::{SAMPLE_BYTES, Stretch, Structure, Unit, UnitKind};
use crate::note::Notes;
use crate::page::{Element, Page};

mod golden;
mod hand;
mod indexed;
mod mutate;
mod nested;
mod outside;
mod random;
mod truth;

/// The AFP files of the corpus, or none when it is not there.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus");
    let folder = std::env::var_os("GREENBAR_CORPUS").map_or_else(|| PathBuf::from(beside), PathBuf::from).join("afp");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: no corpus at {}", folder.display());
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "afp"));
    let mut all: Vec<(String, Vec<u8>)> = paths.map(|path| (name_of(&path), fs::read(&path).unwrap())).collect();
    all.sort();
    assert!(all.len() > 20);
    all
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn sniffed(bytes: &[u8]) -> ReadSpec {
    let head = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    Afp.sniff(&Sample { head, total: Some(bytes.len() as u64), name: None }, &ReadSpec::default()).read
}

fn spec(framing: Framing) -> ReadSpec {
    let record_length = match framing {
        Framing::Fixed(length) => u32::try_from(length).ok(),
        _ => None,
    };
    ReadSpec { format: Some("afp".into()), framing: Some(framing.word().into()), record_length, ..ReadSpec::default() }
}

fn open<'a>(bytes: &'a [u8], start: Start, how: &ReadSpec, shared: Option<Arc<dyn Shared>>) -> Box<dyn Decoder + 'a> {
    let context = Context { shared, ..Context::default() };
    Afp.open(Box::new(bytes), start, how, &context).unwrap()
}

/// All units from `start` on.
fn units_from(
    bytes: &[u8],
    start: Start,
    how: &ReadSpec,
    shared: Option<Arc<dyn Shared>>,
    text: bool,
) -> (Vec<Unit>, Notes, Structure, u64) {
    let mut decoder = open(&bytes[usize::try_from(start.byte).unwrap()..], start, how, shared);
    decoder.want_text(text);
    let (mut unit, mut all, mut notes) = (Unit::default(), Vec::new(), Notes::default());
    while decoder.next(&mut unit, &mut notes).unwrap() {
        assert!(!unit.bytes.is_empty(), "a unit has bytes");
        all.push(unit.clone());
    }
    (all, notes, decoder.structure().unwrap(), decoder.records())
}

fn units(bytes: &[u8], how: &ReadSpec) -> (Vec<Unit>, Notes) {
    let (all, notes, ..) = units_from(bytes, Start::default(), how, None, false);
    (all, notes)
}

/// Every byte is in exactly one unit.
fn assert_covers(bytes: &[u8], units: &[Unit], what: &str) {
    let mut at = 0;
    for unit in units {
        assert_eq!(unit.span.start, at, "{what}");
        let from = usize::try_from(at).unwrap();
        assert!(unit.bytes == bytes[from..from + unit.bytes.len()], "{what}");
        at = unit.span.end;
        assert_eq!(unit.span.end - unit.span.start, unit.bytes.len() as u64, "{what}");
    }
    assert_eq!(at, bytes.len() as u64, "{what}");
}

fn shared_of(units: &[Unit], how: &ReadSpec) -> Arc<dyn Shared> {
    let mut shared = units.iter().filter(|unit| unit.shared).map(|unit| unit.bytes.clone());
    Afp.share(&mut shared, how, &Context::default()).unwrap().unwrap()
}

/// A document of a stream, from the unit `first` on, as a stream of its own.
fn alone_in(all: &[Unit], document: Vec<u8>, first: &Unit, how: &ReadSpec, context: &Context) -> Vec<u8> {
    let before = || all.iter().take_while(|unit| unit.span.start < first.span.start);
    let stream: Vec<u8> = before().flat_map(|unit| unit.bytes.clone()).collect();
    let mut indexes: Vec<_> =
        before().filter(|unit| unit.indexes).map(|unit| (unit.start(), unit.bytes.clone())).collect();
    indexes.reverse();
    let bytes_of = |stretch: &Stretch| {
        let [from, length] = [stretch.byte, stretch.bytes].map(|at| usize::try_from(at).unwrap());
        (stretch.start(), stream[from..from + length].to_vec())
    };
    let before = Before {
        shared: &mut before().filter(|unit| unit.shared).map(|unit| unit.bytes.clone()),
        indexes: &mut indexes.into_iter(),
        around: &mut first.around.iter().map(bytes_of),
    };
    Afp.standalone(before, document, first.start(), how, context).unwrap()
}

/// What is compared of a page: its size and all elements.
fn drawn(page: &Page) -> String {
    format!("{} x {}: {:?}", page.width.0, page.height.0, page.elements)
}
