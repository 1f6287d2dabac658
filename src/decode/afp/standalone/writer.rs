//! Writes structured fields as the stream holds them.

use crate::decode::afp::field::{Field, FieldId};
use crate::decode::afp::framing::{Framing, INTRODUCER};
use crate::decode::afp::store::kind;
use crate::decode::afp::{id, triplet};
use crate::frame::codepage::CodePage;

/// Data of one field at most: the length counts the introducer and stays below X'8000' (MO:DCA Reference, "Structured Field
/// Introducer").
const DATA: usize = 32_759;
/// More data follows in the next field of the same id.
const SEGMENTED: u8 = 0x20;

/// Writes fields in one container.
pub(super) struct Writer {
    pub framing: Framing,
}

impl Writer {
    /// Appends a field; its data is cut into segments where it is too long for one.
    pub fn put(&self, out: &mut Vec<u8>, id: FieldId, data: &[u8]) {
        let mut rest = data;
        while let Some((segment, more)) = rest.split_at_checked(DATA).filter(|(_, more)| !more.is_empty()) {
            self.record(out, id, SEGMENTED, segment);
            rest = more;
        }
        self.record(out, id, 0, rest);
    }

    fn record(&self, out: &mut Vec<u8>, id: FieldId, flags: u8, data: &[u8]) {
        let be16 = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        let with_5a = INTRODUCER + data.len() + 1;
        match self.framing {
            Framing::Bare => {}
            Framing::Plain | Framing::Fixed(_) | Framing::Lines => out.push(0x5A),
            Framing::Rdw => {
                out.extend(be16(with_5a + 4));
                out.extend([0, 0, 0x5A]);
            }
            Framing::Blocked => {
                out.extend(be16(with_5a + 8));
                out.extend([0, 0]);
                out.extend(be16(with_5a + 4));
                out.extend([0, 0, 0x5A]);
            }
            Framing::LengthInclusive => {
                out.extend(be16(with_5a + 2));
                out.push(0x5A);
            }
            Framing::LengthExclusive => {
                out.extend(be16(with_5a));
                out.push(0x5A);
            }
        }
        out.extend(be16(INTRODUCER + data.len()));
        out.extend(id.0);
        out.extend([flags, 0, 0]);
        out.extend_from_slice(data);
        match self.framing {
            Framing::Fixed(size) => out.resize(out.len() + (size - with_5a % size) % size, 0x40),
            Framing::Lines => out.push(0x0A),
            _ => {}
        }
    }

    /// Appends a Begin Resource for a resource of this type and name.
    pub fn begin_resource(&self, out: &mut Vec<u8>, kind: u8, called: &str) {
        let mut data = token(called).to_vec();
        data.extend([0, 0, 10, triplet::RESOURCE_TYPE, kind, 0, 0, 0, 0, 0, 0, 0]);
        data.extend(full_name(called));
        self.put(out, id::BRS, &data);
    }

    /// Appends a resource that lay in a library: fields as they are, or a bare object in a container.
    pub fn resource(&self, out: &mut Vec<u8>, kind: u8, called: &str, fields: &[Field<'_>]) {
        let is_bare = matches!(fields, [only] if only.id == id::OCD);
        let is_whole = fields.iter().any(|field| field.id == id::BRS);
        if is_whole {
            let inner = fields.iter().filter(|field| !matches!(field.id, id::BRG | id::ERG));
            return inner.for_each(|field| self.put(out, field.id, field.data));
        }
        self.begin_resource(out, if is_bare { kind::CONTAINER } else { kind }, called);
        if is_bare {
            let data = fields.first().map_or(&[][..], |field| field.data);
            let mut begin = token(called).to_vec();
            begin.extend(font_class(data));
            begin.extend(full_name(called));
            self.put(out, id::BOC, &begin);
            // Object container data may be cut anywhere without being marked as segments.
            data.chunks(DATA).for_each(|part| self.put(out, id::OCD, part));
            self.put(out, id::EOC, &NULL_NAME);
        } else {
            fields.iter().for_each(|field| self.put(out, field.id, field.data));
        }
        self.put(out, id::ERS, &NULL_NAME);
    }
}

/// The classification of a font file: class X'41', the OID of TrueType and OpenType; nothing for other data.
fn font_class(data: &[u8]) -> Vec<u8> {
    const OID: [u8; 9] = [0x06, 0x07, 0x2B, 0x12, 0x00, 0x04, 0x01, 0x01, 0x33];
    if !matches!(
        data,
        [0, 1, 0, 0, ..] | [b'O', b'T', b'T', b'O', ..] | [b't', b'r', b'u', b'e', ..] | [b't', b't', b'c', b'f', ..]
    ) {
        return Vec::new();
    }
    let mut triplet = vec![24, triplet::CLASSIFICATION, 0, 0x41, 0, 0, 0, 0];
    triplet.extend(OID);
    triplet.resize(24, 0);
    triplet
}

/// An End field that matches any Begin.
pub(super) const NULL_NAME: [u8; 8] = [0xFF; 8];

/// A name of eight EBCDIC bytes.
pub(super) fn token(text: &str) -> [u8; 8] {
    let coded = CodePage::find("ibm-500").and_then(|page| page.encode(text)).unwrap_or_default();
    let mut name = [0x40; 8];
    name.iter_mut().zip(coded).for_each(|(to, from)| *to = from);
    name
}

/// The data of a Begin field: a name of eight bytes, and in full where that is too short.
pub(super) fn named(text: &str) -> Vec<u8> {
    [&token(text)[..], &full_name(text)].concat()
}

/// Triplets that give a name in full, in UTF-16; nothing where eight EBCDIC bytes hold it.
fn full_name(text: &str) -> Vec<u8> {
    let fits = text.len() <= 8 && text.is_ascii();
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    match u8::try_from(units.len() + 4) {
        Ok(length) if !fits => {
            let mut triplets = vec![6, triplet::CHARACTER_SET, 0, 0, 0x04, 0xB0];
            triplets.extend([length, triplet::NAME, triplet::name_type::REPLACE, 0]);
            triplets.extend(units);
            triplets
        }
        _ => Vec::new(),
    }
}
