//! Structured fields, the units that everything in AFP is made of.

use std::ops::Range;

/// A structured field's id: class, type, category.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub [u8; 3]);

impl std::fmt::Debug for FieldId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [class, kind, category] = self.0;
        write!(f, "X'{class:02X}{kind:02X}{category:02X}'")
    }
}

/// One structured field, without its introducer, extension and padding.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Its id.
    pub id: FieldId,
    /// Its data.
    pub data: &'a [u8],
    /// Where its record starts in the stream (or in the library file).
    pub offset: u64,
}

/// The structured fields of one object (a font, an overlay, a page), Begin and End included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    bytes: Vec<u8>,
    list: Vec<(FieldId, Range<usize>, u64)>,
}

impl Fields {
    /// Adds a field.
    pub fn push(&mut self, field: Field<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(field.data);
        self.list.push((field.id, start..self.bytes.len(), field.offset));
    }

    /// Adds data to the field added last: a segment of it.
    pub fn extend(&mut self, data: &[u8]) {
        self.bytes.extend_from_slice(data);
        if let Some((_, range, _)) = self.list.last_mut() {
            range.end = self.bytes.len();
        }
    }

    /// The fields in stream order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        self.list.iter().map(|(id, range, offset)| Field {
            id: *id,
            data: self.bytes.get(range.clone()).unwrap_or_default(),
            offset: *offset,
        })
    }

    /// The data of all fields of one id, joined: some may be split anywhere (PTX, IPD, GAD, FNG, OCD, FNI, FNN).
    pub fn joined(&self, id: FieldId) -> Vec<u8> {
        self.iter().filter(|field| field.id == id).flat_map(|field| field.data.iter().copied()).collect()
    }

    /// Bytes of all data.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many fields.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
