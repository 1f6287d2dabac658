//! Resources: bytes that many loads bring (fonts, overlays, pictures), stored once by their content.
//!
//! The bytes of a stream's shared units are not in its blocks. They are cut into pieces where their content says so, so
//! that two streams whose resources differ in one place have the other pieces in common, and each piece is a row under
//! its SHA-256. The load's resource table says where its pieces stand in the stream; marks, in both directions, say
//! which loads use which piece. The last user's end is the piece's end. Whoever changes marks holds the catalogue.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::block::{BLOCK_LIMIT, Context, Needs, Packed, Packer};
use super::care::from_hex;
use super::cut::Spill;
use super::definitions::hex;
use super::error::{ArchiveError, LoadError};
use super::kv::{Batch, Engine, Family};
use super::library::Found;
use super::rows::{self, KeptResource, put_varint, take_varint};
use super::{Archive, Catalogue, LoadId, keys};

/// A shared unit of fewer bytes stays in the blocks, where it costs less than a row of its own.
pub(super) const LEAST_SHARED: u64 = 4 << 10;
/// No piece is shorter, but for the last of its unit.
const PIECE_LEAST: usize = 32 << 10;
/// No piece is longer.
const PIECE_MOST: usize = 512 << 10;
/// Bits of the rolling hash that are zero where a piece ends: a piece has 128 KB more than the least, on average.
const PIECE_BITS: u32 = 17;

/// What each byte adds to the rolling hash: any numbers without a pattern do.
const GEAR: [u64; 256] = gear();

const fn gear() -> [u64; 256] {
    let mut table = [0; 256];
    let mut state = 0_u64;
    let mut at = 0;
    while at < table.len() {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        table[at] = mixed ^ (mixed >> 31);
        at += 1;
    }
    table
}

/// Length of the piece at the front of `bytes`.
fn piece_length(bytes: &[u8]) -> usize {
    let most = bytes.len().min(PIECE_MOST);
    let mut hash = 0_u64;
    // The hash forgets a byte after 64 others: it is right from the least length on.
    for (at, byte) in bytes[..most].iter().enumerate().skip(PIECE_LEAST - 64) {
        hash = (hash << 1).wrapping_add(GEAR[usize::from(*byte)]);
        if at >= PIECE_LEAST && hash >> (u64::BITS - PIECE_BITS) == 0 {
            return at;
        }
    }
    most
}

/// A piece at its place in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// Its first byte in the stream.
    pub start: u64,
    /// Its bytes.
    pub length: u64,
    /// Bytes of the load's pieces before it.
    pub before: u64,
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
}

impl Placed {
    /// The byte behind it.
    pub fn end(&self) -> u64 {
        self.start + self.length
    }
}

/// The value of a resource table row.
pub(super) fn pack_table(key: &[u8], pieces: &[Placed]) -> Vec<u8> {
    let mut content = Vec::with_capacity(pieces.len() * 40);
    let mut end = 0;
    for piece in pieces {
        put_varint(&mut content, piece.start - end);
        put_varint(&mut content, piece.length);
        content.extend(piece.hash);
        end = piece.end();
    }
    rows::seal(key, &content)
}

/// Reads what [`pack_table`] made. `what` names the row in errors.
pub(super) fn unpack_table(what: &str, mut content: &[u8], bytes: u64) -> Result<Vec<Placed>, ArchiveError> {
    let mut pieces: Vec<Placed> = Vec::new();
    while !content.is_empty() {
        let piece = take_placed(&mut content, pieces.last()).filter(|piece| piece.end() <= bytes);
        pieces.push(piece.ok_or_else(|| ArchiveError::damaged(what, "its pieces do not read"))?);
    }
    Ok(pieces)
}

fn take_placed(content: &mut &[u8], last: Option<&Placed>) -> Option<Placed> {
    let (end, before) = last.map_or((0, 0), |last| (last.end(), last.before + last.length));
    let start = end.checked_add(take_varint(content)?)?;
    let length = take_varint(content).filter(|length| (1..=BLOCK_LIMIT as u64).contains(length))?;
    let (hash, rest) = content.split_first_chunk::<32>()?;
    *content = rest;
    start.checked_add(length)?;
    Some(Placed { start, length, before, hash: *hash })
}

/// The bytes of a piece.
pub(super) fn unpack_piece(engine: &dyn Engine, hash: &[u8; 32]) -> Result<Vec<u8>, ArchiveError> {
    let what = format!("resource {}", hex(hash));
    let key = keys::resource(hash);
    let value = engine.get(Family::Resources, &key)?;
    let value = value.ok_or_else(|| ArchiveError::damaged(&what, "it is missing"))?;
    let packed = Packed::parse(&what, rows::unseal(&what, &key, &value)?)?;
    match packed.needs() {
        Needs::Nothing => packed.unpack(&what, &[]),
        _ => Err(ArchiveError::damaged(&what, "it needs another row")),
    }
}

/// A piece on its way into the store.
struct Waiting {
    hash: [u8; 32],
    row: Vec<u8>,
}

/// The resources of one load while it is cut. Pieces are held back like other rows: until they are many, or to the end.
pub(super) struct Resources<'a> {
    archive: &'a Archive,
    load: LoadId,
    packer: Option<Packer>,
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    seen: HashSet<[u8; 32]>,
    /// Where the pieces stand in the stream.
    pub table: Vec<Placed>,
    /// Bytes of the rows that this load adds.
    pub stored: u64,
}

impl<'a> Resources<'a> {
    pub fn new(archive: &'a Archive, load: LoadId) -> Resources<'a> {
        Resources {
            archive,
            load,
            packer: None,
            waiting: Vec::new(),
            waiting_bytes: 0,
            seen: HashSet::new(),
            table: Vec::new(),
            stored: 0,
        }
    }

    /// Takes the bytes of a shared unit that starts at byte `start` of the stream.
    pub fn add(&mut self, start: u64, unit: &[u8], spill: &mut Spill<'_>) -> Result<(), LoadError> {
        let (mut at, mut rest) = (start, unit);
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at(piece_length(rest));
            let hash = self.hold(piece)?;
            let before = self.table.last().map_or(0, |last| last.before + last.length);
            let length = piece.len() as u64;
            self.table.push(Placed { start: at, length, before, hash });
            (at, rest) = (at + length, tail);
            self.write_many(spill)?;
        }
        if u32::try_from(self.table.len()).is_err() {
            return Err(LoadError::TooMany { what: "resources" });
        }
        Ok(())
    }

    /// Keeps what was taken from libraries.
    pub fn keep(&mut self, found: Vec<Found>) -> Result<Vec<KeptResource>, ArchiveError> {
        let mut kept = Vec::new();
        for Found { kind, name, bytes } in found {
            kept.push(KeptResource { kind, name, sha256: hex(&self.hold(&bytes)?) });
        }
        Ok(kept)
    }

    /// Holds a piece back unless this load had it before.
    fn hold(&mut self, bytes: &[u8]) -> Result<[u8; 32], ArchiveError> {
        let hash: [u8; 32] = Sha256::digest(bytes).into();
        if !self.seen.insert(hash) {
            return Ok(hash);
        }
        let packer = match &mut self.packer {
            Some(packer) => packer,
            None => self.packer.insert(Packer::new(&Context::Plain)?),
        };
        let row = rows::seal(&keys::resource(&hash), &packer.pack(bytes)?);
        self.waiting_bytes += row.len();
        self.waiting.push(Waiting { hash, row });
        Ok(hash)
    }

    /// Writes what waits ahead of the commit that makes the load visible, when it is much.
    fn write_many(&mut self, spill: &mut Spill<'_>) -> Result<(), ArchiveError> {
        if self.waiting_bytes < self.archive.sizes.spill_bytes {
            return Ok(());
        }
        spill.mark()?;
        super::fault::disk_full()?;
        let mut batch = Batch::default();
        let mut catalogue = self.archive.catalogue();
        self.claim(&mut catalogue, &mut batch)?;
        Ok(self.archive.engine.commit_later(batch)?)
    }

    /// Puts what waits, and the marks of this load on it, into a batch that is committed before the catalogue is let go:
    /// what is found in the store cannot be taken away in between.
    pub fn claim(&mut self, _held: &mut Catalogue, batch: &mut Batch) -> Result<(), ArchiveError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        // From here on the archive holds what an older greenbar does not know.
        rows::put_number(batch, Family::Settings, keys::LAYOUT_KEY.to_vec(), u64::from(keys::LAYOUT));
        for Waiting { hash, row } in self.waiting.drain(..) {
            let key = keys::resource(&hash);
            let mut put = |key: Vec<u8>, row: Vec<u8>| {
                self.stored += (key.len() + row.len()) as u64;
                batch.put(Family::Resources, key, row);
            };
            if self.archive.engine.get(Family::Resources, &key)?.is_none() {
                put(key, row);
            }
            for mark in [keys::resource_use(&hash, self.load), keys::load_resource(self.load, &hash)] {
                let sealed = rows::seal(&mark, &[]);
                put(mark, sealed);
            }
        }
        self.waiting_bytes = 0;
        Ok(())
    }
}

impl Archive {
    /// Puts into a batch what takes a load's marks off its resources, and those resources that nobody else uses. The
    /// batch must be committed before the catalogue is let go.
    pub(super) fn release(&self, _held: &mut Catalogue, load: LoadId, batch: &mut Batch) -> Result<(), ArchiveError> {
        let mut hashes = Vec::new();
        self.each_row(Family::Resources, &keys::load_resources(load), &mut |key, _| {
            hashes.extend(keys::load_resource_of(key).map(|(_, hash)| hash));
            Ok(())
        })?;
        for hash in hashes {
            batch.delete(Family::Resources, keys::load_resource(load, &hash));
            batch.delete(Family::Resources, keys::resource_use(&hash, load));
            if !self.used_by_others(&hash, load)? {
                // A range, so that the store knows where to give space back.
                batch.delete_range(Family::Resources, keys::below(&keys::resource(&hash)));
            }
        }
        Ok(())
    }

    fn used_by_others(&self, hash: &[u8; 32], load: LoadId) -> Result<bool, ArchiveError> {
        let range = keys::resource_uses(hash);
        let mut others = false;
        self.engine.scan(Family::Resources, &range.start..&range.end, &mut |key, _| {
            others = keys::resource_use_of(key).is_some_and(|(_, user)| user != load);
            if others { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(others)
    }

    /// The bytes of a resource that was kept from a library.
    pub(super) fn kept_resource(engine: &dyn Engine, kept: &KeptResource) -> Result<Arc<[u8]>, ArchiveError> {
        let lost = || ArchiveError::damaged("a load row", "the hash of a resource does not read");
        let hash = from_hex(&kept.sha256).ok_or_else(lost)?;
        Ok(unpack_piece(engine, &hash)?.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noise(length: usize, mut seed: u64) -> Vec<u8> {
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    fn pieces(mut bytes: &[u8]) -> Vec<&[u8]> {
        let mut all = Vec::new();
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(piece_length(bytes));
            all.push(piece);
            bytes = rest;
        }
        all
    }

    #[test]
    fn bytes_that_differ_in_one_place_have_nearly_all_pieces_in_common() {
        let first = noise(3 << 20, 1);
        let mut second = first.clone();
        second.splice(1_000_000..1_000_010, noise(777, 2));
        let known: HashSet<&[u8]> = pieces(&first).into_iter().collect();
        let all = pieces(&second);
        assert!(all.len() >= 10 && all.len() <= 60, "{} pieces", all.len());
        let fresh = all.iter().filter(|piece| !known.contains(**piece)).count();
        assert!(fresh <= 3, "{fresh} of {} pieces are new", all.len());
    }

    #[test]
    fn pieces_keep_to_their_lengths_whatever_the_bytes_are() {
        for bytes in
            [vec![0; 2 << 20], noise(2 << 20, 3), vec![7; 10], noise(PIECE_LEAST, 4), noise(PIECE_LEAST + 1, 5)]
        {
            let all = pieces(&bytes);
            assert_eq!(all.concat(), bytes);
            assert!(all.iter().all(|piece| piece.len() <= PIECE_MOST));
            assert!(all.iter().rev().skip(1).all(|piece| piece.len() >= PIECE_LEAST));
        }
    }

    proptest! {
        #[test]
        fn tables_come_back_as_they_were(parts in prop::collection::vec((0..1000_u64, 1..1000_u64, any::<u8>()), 0..20)) {
            let (mut end, mut before, mut placed) = (0, 0, Vec::new());
            for (gap, length, fill) in parts {
                placed.push(Placed { start: end + gap, length, before, hash: [fill; 32] });
                (end, before) = (end + gap + length, before + length);
            }
            let row = pack_table(b"k", &placed);
            let content = rows::unseal("table", b"k", &row).expect("sealed");
            prop_assert_eq!(unpack_table("table", content, end).expect("reads"), placed.clone());
            prop_assert!(placed.is_empty() || unpack_table("table", content, end - 1).is_err());
        }

        #[test]
        fn hostile_tables_are_an_error_and_not_a_panic(content in prop::collection::vec(any::<u8>(), 0..200), bytes: u64) {
            let _ = unpack_table("table", &content, bytes);
        }
    }
}
