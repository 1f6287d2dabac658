//! Reads the structured fields of a stretch of bytes that lies in memory: a unit, a resource file.

use super::field::{Field, Fields};
use super::framing::{self, Framing, Kind};

/// All fields of `bytes`, segments joined; what is no field is left out. `offset` is the place of the first byte.
pub fn fields(bytes: &[u8], framing: Framing, offset: u64) -> Fields {
    let mut all = Fields::default();
    let (mut at, mut open) = (0, None);
    while let Some(found) = framing::record(bytes.get(at..).unwrap_or_default(), framing) {
        if let Kind::Field(id) = found.kind {
            let data = bytes.get(at + found.from..at + found.to).unwrap_or_default();
            if open == Some(id) {
                all.extend(data);
            } else {
                all.push(Field { id, data, offset: offset.saturating_add(at as u64) });
            }
            open = found.segmented.then_some(id);
        }
        at += found.raw;
    }
    all
}

/// The framing of a file that lies in memory; plain where nothing speaks for another one.
pub fn file(bytes: &[u8]) -> Fields {
    let framing = super::detect::find(bytes).map_or(Framing::Plain, |found| found.framing);
    fields(bytes, framing, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::afp::id;

    #[test]
    fn segments_of_a_field_are_joined() {
        let mut first = *b"\x5A\x00\x0A\xD3\xEE\xEE\x20\0\0AB";
        let second = *b"\x5A\x00\x0A\xD3\xEE\xEE\x00\0\0CD";
        let other = *b"\x5A\x00\x08\xD3\xA9\xA8\x00\0\0";
        let all = fields(&[&first[..], &second, &second, &other].concat(), Framing::Plain, 100);
        let list: Vec<_> = all.iter().map(|field| (field.id, field.data.to_vec(), field.offset)).collect();
        assert_eq!(
            list,
            [(id::NOP, b"ABCD".to_vec(), 100), (id::NOP, b"CD".to_vec(), 122), (id::EDT, Vec::new(), 133)]
        );
        // A segment that nothing continues stands alone.
        first[6] = 0x20;
        assert_eq!(fields(&[&first[..], &other].concat(), Framing::Plain, 0).len(), 2);
    }
}
