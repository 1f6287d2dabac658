//! Keys of all rows: big-endian, so that byte order is number order. Layouts: `docs/formats/archive.md`.

use std::ops::Range;

use super::{LoadId, Seq};

/// Layout of the archive; a higher number may not be readable by this program. Layout 2 is layout 1 with resources: an
/// archive becomes one when it takes its first.
pub const LAYOUT: u32 = 2;

/// Settings: [`LAYOUT`] of this archive.
pub(super) const LAYOUT_KEY: &[u8] = b"\0layout";
/// Settings: highest load number ever visible.
pub(super) const LAST_LOAD_KEY: &[u8] = b"\0last-load";
/// Settings: number of the last catalogue change.
pub(super) const LAST_SEQ_KEY: &[u8] = b"\0last-seq";

/// Documents in one row of the documents family.
pub(super) const GROUP: u32 = 256;

fn key(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Loads: the load row.
pub(super) fn load(id: LoadId) -> Vec<u8> {
    key(&[b"L", &id.0.to_be_bytes()])
}

/// Loads: where the blocks of a load start.
pub(super) fn block_table(id: LoadId) -> Vec<u8> {
    key(&[b"B", &id.0.to_be_bytes()])
}

/// Loads: mark of a load (or of a new cut of one) that has rows in the store and is not visible yet.
pub(super) fn unfinished(id: LoadId, generation: u16) -> Vec<u8> {
    key(&[b"P", &id.0.to_be_bytes(), &generation.to_be_bytes()])
}

/// Loads: the load that a content hash and a definition lead to.
pub(super) fn content(sha256: &[u8; 32], definition: &str) -> Vec<u8> {
    key(&[b"H", sha256, definition.as_bytes()])
}

/// Loads: where the resources of a load stand in its stream.
pub(super) fn resource_table(id: LoadId) -> Vec<u8> {
    key(&[b"R", &id.0.to_be_bytes()])
}

/// Loads: where the shared units of a load stand in its stream, by the generation of its documents.
pub(super) fn shared_table(id: LoadId, generation: u16) -> Vec<u8> {
    key(&[b"S", &id.0.to_be_bytes(), &generation.to_be_bytes()])
}

/// Loads: the tables of shared units of all generations of a load.
pub(super) fn shared_tables(id: LoadId) -> Range<Vec<u8>> {
    below(&key(&[b"S", &id.0.to_be_bytes()]))
}

/// Resources: a piece, by the SHA-256 of its bytes.
pub(super) fn resource(hash: &[u8; 32]) -> Vec<u8> {
    key(&[b"R", hash])
}

/// Resources: mark that a load uses a piece, to be found by the piece.
pub(super) fn resource_use(hash: &[u8; 32], id: LoadId) -> Vec<u8> {
    key(&[b"U", hash, &id.0.to_be_bytes()])
}

/// Resources: the uses of a piece.
pub(super) fn resource_uses(hash: &[u8; 32]) -> Range<Vec<u8>> {
    below(&key(&[b"U", hash]))
}

/// Resources: the same mark, to be found by the load.
pub(super) fn load_resource(id: LoadId, hash: &[u8; 32]) -> Vec<u8> {
    key(&[b"L", &id.0.to_be_bytes(), hash])
}

/// Resources: prefix of the marks of a load.
pub(super) fn load_resources(id: LoadId) -> Vec<u8> {
    key(&[b"L", &id.0.to_be_bytes()])
}

/// Piece and load of a [`load_resource`] mark.
pub(super) fn load_resource_of(key: &[u8]) -> Option<(LoadId, [u8; 32])> {
    Some((load_of(key)?, key.get(5..)?.try_into().ok()?))
}

/// Piece and load of a [`resource_use`] mark.
pub(super) fn resource_use_of(key: &[u8]) -> Option<([u8; 32], LoadId)> {
    let (hash, load) = key.get(1..)?.split_at_checked(32)?;
    Some((hash.try_into().ok()?, LoadId(u32::from_be_bytes(load.try_into().ok()?))))
}

/// All keys that start with `prefix`. The prefix must not be all 0xFF.
pub(super) fn below(prefix: &[u8]) -> Range<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xFF {
            end.push(last + 1);
            break;
        }
    }
    prefix.to_vec()..end // an empty prefix gives an empty end: to the last key
}

/// The number behind a one-letter prefix.
pub(super) fn load_of(key: &[u8]) -> Option<LoadId> {
    Some(LoadId(u32::from_be_bytes(key.get(1..5)?.try_into().ok()?)))
}

/// Load and generation of an [`unfinished`] mark.
pub(super) fn unfinished_of(key: &[u8]) -> Option<(LoadId, u16)> {
    Some((load_of(key)?, u16::from_be_bytes(key.get(5..7)?.try_into().ok()?)))
}

/// Blocks: one block.
pub(super) fn block(id: LoadId, number: u32) -> Vec<u8> {
    key(&[&id.0.to_be_bytes(), &number.to_be_bytes()])
}

/// Blocks: all blocks of a load.
pub(super) fn blocks(id: LoadId) -> Range<Vec<u8>> {
    below(&id.0.to_be_bytes())
}

/// Documents: the group that holds documents `number * GROUP + 1` and on.
pub(super) fn group(id: LoadId, generation: u16, number: u32) -> Vec<u8> {
    key(&[&id.0.to_be_bytes(), &generation.to_be_bytes(), &number.to_be_bytes()])
}

/// Documents: all groups of one generation of a load.
pub(super) fn groups(id: LoadId, generation: u16) -> Range<Vec<u8>> {
    below(&key(&[&id.0.to_be_bytes(), &generation.to_be_bytes()]))
}

/// Documents: all generations of a load.
pub(super) fn all_groups(id: LoadId) -> Range<Vec<u8>> {
    below(&id.0.to_be_bytes())
}

/// Definitions, dictionaries: one version under a name. Names hold no zero byte.
pub(super) fn versioned(name: &str, version: u32) -> Vec<u8> {
    key(&[name.as_bytes(), b"\0", &version.to_be_bytes()])
}

/// Definitions, dictionaries: all versions under a name.
pub(super) fn versions(name: &str) -> Range<Vec<u8>> {
    below(&key(&[name.as_bytes(), b"\0"]))
}

/// Changes: one change.
pub(super) fn change(seq: Seq) -> Vec<u8> {
    seq.0.to_be_bytes().to_vec()
}

/// Dispositions: the tombstone of an unloaded load.
pub(super) fn tombstone(id: LoadId) -> Vec<u8> {
    key(&[b"T", &id.0.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn key_order_is_number_order(a: (u32, u16, u32), b: (u32, u16, u32)) {
            let key = |(load, generation, number)| group(LoadId(load), generation, number);
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        }

        #[test]
        fn a_range_below_a_prefix_holds_exactly_the_keys_with_it(prefix in prop::collection::vec(any::<u8>(), 1..4), key in prop::collection::vec(any::<u8>(), 0..6)) {
            prop_assume!(prefix.iter().any(|byte| *byte < 0xFF));
            let range = below(&prefix);
            prop_assert_eq!(range.contains(&key), key.starts_with(&prefix));
        }
    }

    #[test]
    fn marks_of_unfinished_loads_read_back() {
        assert_eq!(unfinished_of(&unfinished(LoadId(7), 3)), Some((LoadId(7), 3)));
        assert_eq!(unfinished_of(b"P\0\0"), None);
    }
}
