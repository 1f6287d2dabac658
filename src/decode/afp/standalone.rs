//! Makes one document of a stream a stream of its own: the resources that it needs before it, a Begin Document with the
//! character set in force, and the medium map in force; all in the container of the stream. What the stream did not bring and
//! the libraries have is brought with it, and so are the page groups that it starts inside of, and what only an index object
//! says of it.

mod around;
mod indexed;
mod nearby;
mod writer;

use std::collections::{HashMap, HashSet, VecDeque};

use self::around::{Around, Piece};
use self::indexed::{Here, Index, Inserting, Tagging};
use self::writer::{NULL_NAME, Writer, token as name};
use super::field::{Field, FieldId, Fields};
use super::framing::{self, Framing, Kind};
use super::references::Wanted;
use super::state::State;
use super::store::{Store, bare_kind, kind, names_of};
use super::{id, read, references};
use crate::decode::{Before, Context, Start};

/// A resource as it lies in the stream.
struct Part {
    kind: u8,
    names: Vec<String>,
    group: u32,
    /// Its records, Begin and End Resource included.
    bytes: Vec<u8>,
    fields: Fields,
}

/// The document in `bytes` with what it needs of the stream before it.
pub fn standalone(before: Before<'_>, bytes: Vec<u8>, start: Start, framing: Framing, context: &Context) -> Vec<u8> {
    let state = State::unpack(start.resume);
    let mut store = Store::new(framing, context);
    let (mut parts, mut group) = (Vec::new(), 0);
    for unit in before.shared {
        if store.epoch() >= state.epoch {
            break;
        }
        store.learn(&unit, &mut |_, _| {});
        take_parts(&unit, framing, &mut group, &mut parts);
    }
    let writer = Writer { framing };
    let document = read::fields(&bytes, framing, start.byte);
    let Needed { of_stream, of_libraries } = needed(&parts, &document, &store, state);
    let (maps, resources): (Vec<&Part>, Vec<&Part>) =
        of_stream.into_iter().partition(|part| part.kind == kind::MEDIUM_MAP);
    let brought = resources.iter().map(|part| part.bytes.len()).sum::<usize>() + of_libraries.len();
    let mut out = Vec::with_capacity(bytes.len() + brought + 256);
    if brought > 0 {
        writer.put(&mut out, id::BRG, &name("RESOURCE"));
        resources.iter().for_each(|part| out.extend_from_slice(&part.bytes));
        out.extend_from_slice(&of_libraries);
        writer.put(&mut out, id::ERG, &name("RESOURCE"));
    }
    let begin = [&name("DOCUMENT")[..], &[0, 0], store.document_triplets(state.document)].concat();
    writer.put(&mut out, id::BDT, &begin);
    maps.iter().for_each(|part| out.extend_from_slice(&part.bytes));
    if let Some(map) = store.map(state.map, state.epoch).filter(|_| state.map > 0) {
        writer.put(&mut out, id::IMM, &name(&map.name));
    }
    let pieces: Vec<Piece> = before.around.map(|(start, bytes)| Piece::new(start, &bytes, framing)).collect();
    let mut extents = vec![[start_of(start), end_of(start, &bytes, &document)]];
    extents.extend(pieces.iter().map(Piece::extent));
    let mut index = Index::in_force(before.indexes, framing, store.limits.index_bytes, &extents);
    let tagging = Tagging { writer: &writer, charset: store.charset(state.document) };
    let (opened, closed) = balance(&document);
    let begun = usize::from(state.depth).max(closed);
    Around { tagging, pieces: &pieces }.begin(&mut out, begun, index.as_mut(), start_of(start));
    match &mut index {
        Some(index) => {
            out.extend(Inserting { tagging, bytes: &bytes, start, depth: usize::from(state.depth) }.with(index));
        }
        None => out.extend_from_slice(&bytes),
    }
    (closed..begun + opened).for_each(|_| writer.put(&mut out, id::ENG, &NULL_NAME));
    if is_open(&document) {
        writer.put(&mut out, id::EDT, &NULL_NAME);
    }
    out
}

fn start_of(start: Start) -> Here {
    Here { byte: start.byte, records: start.records, pages: start.pages }
}

fn end_of(start: Start, bytes: &[u8], document: &Fields) -> Here {
    let count = |counted: &dyn Fn(FieldId) -> bool| document.iter().filter(|field| counted(field.id)).count() as u64;
    Here {
        byte: start.byte.saturating_add(bytes.len() as u64),
        records: start.records.saturating_add(count(&|_| true)),
        pages: start.pages.saturating_add(count(&|id| id == id::BPG)),
    }
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
        let mut wrapped = Vec::new();
        let writer = Writer { framing };
        writer.begin_resource(&mut wrapped, kind, names.first().map_or("", String::as_str));
        wrapped.extend_from_slice(bytes);
        writer.put(&mut wrapped, id::ERS, &NULL_NAME);
        wrapped
    };
    Some(Part { kind, names, group, bytes, fields })
}

/// What a document needs around it.
struct Needed<'p> {
    /// Resources that the stream brought, in its order.
    of_stream: Vec<&'p Part>,
    /// Those of the libraries, as records.
    of_libraries: Vec<u8>,
}

/// The resources that the document asks for, and those that they ask for; the form map always.
fn needed<'p>(parts: &'p [Part], document: &Fields, store: &Store, state: State) -> Needed<'p> {
    let charset = store.charset(state.document);
    let by_name = in_force(parts);
    let mut names: VecDeque<Wanted> = references::all(document.iter(), charset).into();
    names.extend(store.map(state.map, state.epoch).map(|map| Wanted::map(map.name.clone())));
    let last_form_map = parts.iter().filter(|part| part.kind == kind::FORM_MAP).map(|part| part.group).max();
    let mut wanted: HashSet<usize> = HashSet::new();
    for (number, part) in parts.iter().enumerate() {
        if part.kind == kind::FORM_MAP && Some(part.group) == last_form_map {
            wanted.insert(number);
            names.extend(references::of_maps(part.fields.iter()));
        }
    }
    let writer = Writer { framing: store.framing };
    let (mut of_libraries, mut seen, mut outside) = (Vec::new(), HashSet::new(), HashSet::new());
    while let Some(asked) = names.pop_front() {
        if !seen.insert((asked.kinds, asked.name.clone())) {
            continue;
        }
        let brought: Vec<usize> =
            asked.kinds.iter().filter_map(|kind| by_name.get(&(*kind, asked.name.as_str())).copied()).collect();
        if brought.is_empty() {
            let Some((asked_for, found)) = store.find_outside(asked.kinds, &asked.name) else { continue };
            let fields: Vec<Field<'_>> = found.fields.iter().collect();
            // A library knows names only: what a file is it says itself. It may be asked for as several kinds of things.
            let kind = fields.iter().find_map(|field| bare_kind(field.id)).unwrap_or(asked_for);
            if of_libraries.len() < store.limits.resource_bytes && outside.insert((kind, asked.name.clone())) {
                writer.resource(&mut of_libraries, kind, &asked.name, &fields);
                names.extend(references::all(fields.iter().copied(), charset));
            }
        }
        for number in brought {
            let Some(part) = parts.get(number).filter(|_| wanted.insert(number)) else { continue };
            names.extend(references::all(part.fields.iter(), charset));
            if matches!(part.kind, kind::MEDIUM_MAP | kind::FORM_MAP) {
                names.extend(references::of_maps(part.fields.iter()));
            }
        }
    }
    let chosen = parts.iter().enumerate().filter(|(number, _)| wanted.contains(number));
    Needed { of_stream: chosen.map(|(_, part)| part).collect(), of_libraries }
}

/// The part that each type and name means at the document: a later group shadows an earlier one; in a group the first of a
/// name wins.
fn in_force(parts: &[Part]) -> HashMap<(u8, &str), usize> {
    let mut by_name: HashMap<(u8, &str), usize> = HashMap::new();
    for (number, part) in parts.iter().enumerate() {
        for name in &part.names {
            let best = by_name.entry((part.kind, name)).or_insert(number);
            if parts.get(*best).is_some_and(|best| best.group < part.group) {
                *best = number;
            }
        }
    }
    by_name
}
