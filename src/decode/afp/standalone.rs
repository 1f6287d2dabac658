//! Makes one document of a stream a stream of its own: the resources that it needs before it, a Begin Document with the
//! character set in force, and the medium map in force; all in the container of the stream.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::field::{FieldId, Fields};
use super::framing::{self, Framing, INTRODUCER, Kind};
use super::state::State;
use super::store::{Store, bare_kind, kind, names_of};
use super::{Limits, id, read, references};
use crate::decode::{Libraries, Start};
use crate::frame::codepage::CodePage;

/// A resource as it lies in the stream.
struct Part {
    kind: u8,
    names: Vec<String>,
    group: u32,
    /// Its records, Begin and End Resource included.
    bytes: Vec<u8>,
    fields: Fields,
}

/// The document in `bytes` with what it needs from the shared units.
pub fn standalone(
    shared: &mut dyn Iterator<Item = Vec<u8>>,
    bytes: Vec<u8>,
    start: Start,
    framing: Framing,
    libraries: &Arc<dyn Libraries>,
) -> Vec<u8> {
    let state = State::unpack(start.resume);
    let mut store = Store::new(framing, Limits::default(), libraries.clone());
    let (mut parts, mut group) = (Vec::new(), 0);
    for unit in shared {
        if store.epoch() >= state.epoch {
            break;
        }
        store.learn(&unit, &mut |_, _| {});
        take_parts(&unit, framing, &mut group, &mut parts);
    }
    let writer = Writer { framing };
    let document = read::fields(&bytes, framing, start.byte);
    let needed = needed(&parts, &document, &store, state);
    let (maps, resources): (Vec<&Part>, Vec<&Part>) =
        needed.into_iter().partition(|part| part.kind == kind::MEDIUM_MAP);
    let mut out = Vec::with_capacity(bytes.len() + resources.iter().map(|part| part.bytes.len()).sum::<usize>() + 256);
    if !resources.is_empty() {
        writer.put(&mut out, id::BRG, &name("RESOURCE"));
        resources.iter().for_each(|part| out.extend_from_slice(&part.bytes));
        writer.put(&mut out, id::ERG, &name("RESOURCE"));
    }
    let begin = [&name("DOCUMENT")[..], &[0, 0], store.document_triplets(state.document)].concat();
    writer.put(&mut out, id::BDT, &begin);
    maps.iter().for_each(|part| out.extend_from_slice(&part.bytes));
    if let Some(map) = store.map(state.map, state.epoch).filter(|_| state.map > 0) {
        writer.put(&mut out, id::IMM, &name(&map.name));
    }
    let (opened, closed) = balance(&document);
    (0..closed).for_each(|_| writer.put(&mut out, id::BNG, &name("GROUP")));
    out.extend_from_slice(&bytes);
    (0..opened).for_each(|_| writer.put(&mut out, id::ENG, &[0xFF; 8]));
    if is_open(&document) {
        writer.put(&mut out, id::EDT, &[0xFF; 8]);
    }
    out
}

/// Page groups that are left open, and ends of groups that began before.
fn balance(document: &Fields) -> (usize, usize) {
    let (mut open, mut closed) = (0_usize, 0);
    for field in document.iter() {
        match field.id {
            id::BNG => open += 1,
            id::ENG => match open.checked_sub(1) {
                Some(left) => open = left,
                None => closed += 1,
            },
            _ => {}
        }
    }
    (open, closed)
}

/// Whether the Begin Document in front has no end in the document's own fields.
fn is_open(document: &Fields) -> bool {
    document.iter().fold(true, |open, field| match field.id {
        id::BDT => true,
        id::EDT => false,
        _ => open,
    })
}

/// The resources in a shared unit, their records as they are.
fn take_parts(unit: &[u8], framing: Framing, group: &mut u32, parts: &mut Vec<Part>) {
    let (mut at, mut open): (usize, Option<(FieldId, usize)>) = (0, None);
    while let Some(record) = framing::record(unit.get(at..).unwrap_or_default(), framing) {
        let next = at + record.raw;
        if let Kind::Field(id) = record.kind {
            match open {
                None if id == id::BRG => *group += 1,
                None if id == id::BRS => open = Some((id::ERS, at)),
                None if bare_kind(id).is_some() => open = Some((id::end_of(id), at)),
                Some((end, from)) if id == end => {
                    parts.extend(part(unit.get(from..next).unwrap_or_default(), framing, *group));
                    open = None;
                }
                _ => {}
            }
        }
        at = next;
    }
}

fn part(bytes: &[u8], framing: Framing, group: u32) -> Option<Part> {
    let fields = read::fields(bytes, framing, 0);
    let begin = fields.iter().next()?;
    let inner = fields.iter().find(|field| bare_kind(field.id).is_some())?;
    let mut names = names_of(inner.data, 8);
    let by_type = (begin.id == id::BRS)
        .then(|| super::triplet::find(begin.data.get(10..)?, super::triplet::RESOURCE_TYPE)?.first());
    let kind = by_type.flatten().copied().or_else(|| bare_kind(inner.id))?;
    let bytes = if begin.id == id::BRS || kind == kind::MEDIUM_MAP {
        names.extend(names_of(begin.data, 10));
        bytes.to_vec()
    } else {
        // A resource that stood alone: groups hold them between Begin and End Resource only.
        let token = names.first().map_or([0xFF; 8], |first| name(first));
        let mut wrapped = Vec::new();
        let writer = Writer { framing };
        writer.put(&mut wrapped, id::BRS, &[&token[..], &[0, 0, 10, 0x21, kind, 0, 0, 0, 0, 0, 0, 0]].concat());
        wrapped.extend_from_slice(bytes);
        writer.put(&mut wrapped, id::ERS, &token);
        wrapped
    };
    Some(Part { kind, names, group, bytes, fields })
}

/// The resources that the document asks for, and those that they ask for; the form map always.
fn needed<'p>(parts: &'p [Part], document: &Fields, store: &Store, state: State) -> Vec<&'p Part> {
    let charset = store.charset(state.document);
    let mut by_name: HashMap<(u8, &str), usize> = HashMap::new();
    for (number, part) in parts.iter().enumerate() {
        for name in &part.names {
            let best = by_name.entry((part.kind, name)).or_insert(number);
            // A later group shadows an earlier one; in a group the first of a name wins.
            if parts.get(*best).is_some_and(|best| best.group < part.group) {
                *best = number;
            }
        }
    }
    let mut kinds_of: HashMap<&str, Vec<usize>> = HashMap::new();
    by_name.iter().for_each(|((_, name), number)| kinds_of.entry(name).or_default().push(*number));
    let last_form_map = parts.iter().filter(|part| part.kind == kind::FORM_MAP).map(|part| part.group).max();
    let mut wanted: HashSet<usize> = HashSet::new();
    let mut names: VecDeque<String> = references::all_names(document.iter(), charset).into();
    let invoked = document.iter().filter(|field| field.id == id::IMM);
    names.extend(invoked.filter_map(|field| super::text::token(field.data, super::text::Charset::Default)));
    names.extend(store.map(state.map, state.epoch).map(|map| map.name.clone()));
    for (number, part) in parts.iter().enumerate() {
        if part.kind == kind::FORM_MAP && Some(part.group) == last_form_map {
            wanted.insert(number);
            names.extend(references::of_maps(part.fields.iter()));
        }
    }
    let mut seen = HashSet::new();
    while let Some(name) = names.pop_front() {
        if !seen.insert(name.clone()) {
            continue;
        }
        for number in kinds_of.get(name.as_str()).into_iter().flatten() {
            let Some(part) = parts.get(*number).filter(|_| wanted.insert(*number)) else { continue };
            names.extend(references::all_names(part.fields.iter(), charset));
            if matches!(part.kind, kind::MEDIUM_MAP | kind::FORM_MAP) {
                names.extend(references::of_maps(part.fields.iter()));
            }
        }
    }
    parts.iter().enumerate().filter(|(number, _)| wanted.contains(number)).map(|(_, part)| part).collect()
}

/// A name of eight EBCDIC bytes.
fn name(text: &str) -> [u8; 8] {
    let coded = CodePage::find("ibm-500").and_then(|page| page.encode(text)).unwrap_or_default();
    let mut name = [0x40; 8];
    name.iter_mut().zip(coded).for_each(|(to, from)| *to = from);
    name
}

/// Writes fields as the stream holds them.
struct Writer {
    framing: Framing,
}

impl Writer {
    fn put(&self, out: &mut Vec<u8>, id: FieldId, data: &[u8]) {
        let be16 = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        let mut field = be16(INTRODUCER + data.len()).to_vec();
        field.extend_from_slice(&id.0);
        field.extend_from_slice(&[0, 0, 0]);
        field.extend_from_slice(data);
        let with_5a = field.len() + 1;
        let head: Vec<u8> = match self.framing {
            Framing::Bare => Vec::new(),
            Framing::Plain | Framing::Fixed(_) | Framing::Lines => vec![0x5A],
            Framing::Rdw => [&be16(with_5a + 4)[..], &[0, 0, 0x5A]].concat(),
            Framing::Blocked => [&be16(with_5a + 8)[..], &[0, 0], &be16(with_5a + 4), &[0, 0, 0x5A]].concat(),
            Framing::LengthInclusive => [&be16(with_5a + 2)[..], &[0x5A]].concat(),
            Framing::LengthExclusive => [&be16(with_5a)[..], &[0x5A]].concat(),
        };
        out.extend(head);
        out.extend(field);
        match self.framing {
            Framing::Fixed(size) => out.resize(out.len() + (size - with_5a % size) % size, 0x40),
            Framing::Lines => out.push(0x0A),
            _ => {}
        }
    }
}
