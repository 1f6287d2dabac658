//! Numbers that are printed on pages: amounts, dates, references, as sorted lists.
//!
//! Three quarters of the words of a report are numbers, and most of them stand in few documents. As terms of the index
//! they cost more than all other words together. So a word of digits and the signs between them, of a text that is
//! indexed without places, becomes a [`key_of`] its own; keys are gathered with the documents they stand in, sorted, and
//! written as [`leaf`]s: some kilobytes each, found by their first and last key. Leaves are kept with entries of the
//! index that belong to the same load ([`LEAF`]): what is committed, merged, checked and deleted with these entries is so
//! for them.
//!
//! Promise, held by `tests/numbers.rs`: a number finds exactly the documents in whose text it stands, and a beginning
//! those with a number that begins so. Nothing but the index is read for it.

mod find;
mod leaf;

use std::ops::RangeInclusive;

pub(super) use find::Printed;
use leaf::Leaf;

use super::schema::Layout;
use crate::archive::LoadId;
use tantivy::TantivyDocument;

/// Longest number, in signs, that has a key; longer ones are words.
const LONGEST: usize = 15;

/// Bits of a key for each sign.
const SIGN_BITS: u32 = 4;

/// No sign of a number.
const NONE: u8 = 0;

/// What a byte is in a key.
const SIGNS: [u8; 256] = signs();

const fn signs() -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut digit = 0;
    while digit < 10 {
        table[(b'0' + digit) as usize] = digit + 1;
        digit += 1;
    }
    table[b'.' as usize] = 11;
    table[b',' as usize] = 12;
    table[b'-' as usize] = 13;
    table[b'/' as usize] = 14;
    table
}

/// The signs of a number as one number: its length, then its signs from the right. `None` for other words.
#[inline]
pub(super) fn key_of(word: &[u8]) -> Option<u64> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let mut key = 0;
    for byte in word {
        let sign = SIGNS[usize::from(*byte)];
        if sign == NONE {
            return None;
        }
        key = key << SIGN_BITS | u64::from(sign);
    }
    Some((word.len() as u64) << 60 | key)
}

/// The keys of the numbers that are this word, or that begin with it; `None` when no key says so.
pub(super) fn keys_of(word: &str, open: bool) -> Option<Vec<RangeInclusive<u64>>> {
    let key = key_of(word.as_bytes())?;
    if !open {
        return Some(vec![key..=key]);
    }
    let signs = key & ((1 << 60) - 1);
    let longer = word.len()..=LONGEST;
    let of_length = |length: usize| {
        let free = SIGN_BITS * u32::try_from(length - word.len()).unwrap_or(0);
        let first = (length as u64) << 60 | signs << free;
        first..=first | ((1 << free) - 1)
    };
    Some(longer.map(of_length).collect())
}

/// Pairs of key and document that are kept before they are written as leaves: 8 MB.
const MOST_PAIRS: usize = 1 << 19;

/// Keys of one document of which is known that they were there; a power of two.
const SEEN: usize = 4096;

/// The numbers of the latest documents of one load.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pairs: Vec<(u64, u32)>,
    /// For sorting, kept from time to time.
    spare: Vec<(u64, u32)>,
    /// Keys of the document at hand with its turn; an older turn is free.
    seen: Vec<(u64, u64)>,
    turn: u64,
    ordinal: u32,
}

impl Gathered {
    /// What is added belongs to this document from now on.
    pub(super) fn begin(&mut self, ordinal: u32) {
        self.ordinal = ordinal;
        self.turn += 1;
        self.seen.resize(SEEN, (0, 0));
    }

    /// Adds a number of the document.
    #[inline]
    pub(super) fn add(&mut self, key: u64) {
        let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52;
        let place = &mut self.seen[usize::try_from(mixed).unwrap_or(0) % SEEN];
        if *place != (self.turn, key) {
            *place = (self.turn, key);
            self.pairs.push((key, self.ordinal));
        }
    }

    /// Whether it is time to write them.
    pub(super) fn is_full(&self) -> bool {
        self.pairs.len() >= MOST_PAIRS
    }

    /// Takes all of them as leaves.
    pub(super) fn take(&mut self, load: LoadId) -> Vec<Leaf> {
        sort(&mut self.pairs, &mut self.spare);
        self.pairs.dedup();
        let leaves = leaf::leaves(load, &self.pairs);
        self.pairs.clear();
        leaves
    }
}

/// Sorts by key, byte by byte from the last one on; what has one key keeps its order.
fn sort(pairs: &mut Vec<(u64, u32)>, spare: &mut Vec<(u64, u32)>) {
    let differ = pairs.first().map_or(0, |first| pairs.iter().fold(0, |bits, pair| bits | (pair.0 ^ first.0)));
    spare.clear();
    spare.resize(pairs.len(), (0, 0));
    for shift in (0..64).step_by(8) {
        if differ >> shift & 0xff == 0 {
            continue;
        }
        let byte = |pair: &(u64, u32)| (pair.0 >> shift & 0xff) as usize;
        let mut next = [0_usize; 256];
        pairs.iter().for_each(|pair| next[byte(pair)] += 1);
        let mut before = 0;
        for place in &mut next {
            before += std::mem::replace(place, before);
        }
        for pair in pairs.iter() {
            let place = &mut next[byte(pair)];
            spare[*place] = *pair;
            *place += 1;
        }
        std::mem::swap(pairs, spare);
    }
}

/// The mark, in `key`, of entries that carry leaves. No field's name begins like it.
pub(super) const LEAF: &[u8] = &[2];

/// Leaves that no entry carries yet.
#[derive(Debug, Default)]
pub(super) struct Leaves(Vec<Leaf>);

impl Leaves {
    pub(super) fn extend(&mut self, more: Vec<Leaf>) {
        self.0.extend(more);
    }

    pub(super) fn are_waiting(&self) -> bool {
        !self.0.is_empty()
    }

    /// Hands them out to entries, as evenly as may be; without an entry they go on waiting.
    pub(super) fn hand_out<'e>(
        &mut self,
        layout: &Layout,
        entries: impl ExactSizeIterator<Item = &'e mut TantivyDocument>,
    ) {
        let mut left = entries.len();
        if left == 0 {
            return;
        }
        let mut leaves = self.0.drain(..);
        for entry in entries {
            let share = leaves.len().div_ceil(left);
            left -= 1;
            if share > 0 {
                entry.add_bytes(layout.key, LEAF);
            }
            for leaf in leaves.by_ref().take(share) {
                entry.add_u64(layout.leaf_first, leaf.first);
                entry.add_u64(layout.leaf_last, leaf.last);
                entry.add_bytes(layout.leaf, &leaf.bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_of_digits_and_signs_have_keys_and_others_none() {
        for word in ["1", "4573.19", "2024-03-01", "25/11", "508818-0001-9", "123456789012345"] {
            assert!(key_of(word.as_bytes()).is_some(), "{word}");
        }
        for word in ["", "a", "1a", "1234567890123456", "１", "1 2"] {
            assert_eq!(key_of(word.as_bytes()), None, "{word}");
        }
    }

    proptest! {
        #[test]
        fn keys_tell_numbers_apart_and_know_their_beginnings(a in "[0-9,./-]{1,15}", b in "[0-9,./-]{1,15}") {
            let (key_a, key_b) = (key_of(a.as_bytes()).expect("a key"), key_of(b.as_bytes()).expect("a key"));
            prop_assert_eq!(a == b, key_a == key_b);
            let begins = keys_of(&b, true).expect("keys").iter().any(|range| range.contains(&key_a));
            prop_assert_eq!(begins, a.starts_with(&b));
        }

        #[test]
        fn sorting_is_sorting(keys in prop::collection::vec(any::<u64>().prop_map(|key| key >> (key % 64)), 0..300)) {
            let mut pairs: Vec<(u64, u32)> = keys.into_iter().zip(0..).collect();
            let mut wanted = pairs.clone();
            wanted.sort_unstable();
            sort(&mut pairs, &mut Vec::new());
            prop_assert_eq!(pairs, wanted);
        }
    }
}
