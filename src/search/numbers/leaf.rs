//! A leaf: keys in order, and for each the documents it stands in.
//!
//! | bytes | |
//! |---|---|
//! | 1 | version, 1 |
//! | 4 | load |
//! | 4 | `base`: the least ordinal in it |
//! | 4 | `span`: the greatest ordinal less `base`, plus 1 |
//! | 4 | number of keys |
//! | 1 | `k`: the parameter of key distances |
//! | 8 | first key |
//! | rest | for each key, as bits from the highest on: distance from the key before less 1 (not for the first) as Rice code with `k`; number of documents less 1 as Elias gamma; ordinals: the first less `base`, then distances less 1, as Rice code with floor(log2(span / number of documents)) |
//!
//! A Rice code with parameter k: the number's bits above k in unary (ones, ended by a zero), then k bits; 32 ones are
//! followed by all 64 bits instead. Elias gamma of n: as many zeros as n + 1 has bits behind its first, then n + 1.
//! All numbers are big-endian.

use crate::archive::LoadId;

const VERSION: u8 = 1;

/// Bytes before the bits.
const HEAD: usize = 26;

/// Pairs of a leaf, unless one key has more.
const MOST_PAIRS: usize = 6144;

/// Ones that say that a number follows as it is.
const ESCAPE: u32 = 32;

/// Keys with their documents, written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::search) struct Leaf {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) bytes: Vec<u8>,
}

/// Sorted pairs of key and ordinal, each once, as leaves.
pub(super) fn leaves(load: LoadId, mut pairs: &[(u64, u32)]) -> Vec<Leaf> {
    let mut leaves = Vec::with_capacity(pairs.len() / MOST_PAIRS + 1);
    while !pairs.is_empty() {
        let (leaf, rest) = pairs.split_at(cut(pairs));
        leaves.push(encode(load, leaf));
        pairs = rest;
    }
    leaves
}

/// Where the first leaf ends: not within a key.
fn cut(pairs: &[(u64, u32)]) -> usize {
    let Some((key, _)) = pairs.get(MOST_PAIRS) else { return pairs.len() };
    let before = pairs[..MOST_PAIRS].partition_point(|(other, _)| other < key);
    if before > 0 { before } else { pairs.partition_point(|(other, _)| other <= key) }
}

fn encode(load: LoadId, pairs: &[(u64, u32)]) -> Leaf {
    let (first, last) = (pairs.first().map_or(0, |pair| pair.0), pairs.last().map_or(0, |pair| pair.0));
    let base = pairs.iter().map(|pair| pair.1).min().unwrap_or(0);
    let span = pairs.iter().map(|pair| pair.1 - base).max().unwrap_or(0).saturating_add(1);
    let (mut keys, mut bits) = (1_u32, 0_u32);
    for pair in pairs.windows(2).filter(|pair| pair[0].0 != pair[1].0) {
        keys += 1;
        bits += (pair[1].0 - pair[0].0).ilog2();
    }
    let parameter = bits / keys;
    let mut out = Vec::with_capacity(HEAD + pairs.len() * 3);
    out.push(VERSION);
    for number in [load.0, base, span, keys] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.push(u8::try_from(parameter).unwrap_or(0));
    out.extend_from_slice(&first.to_be_bytes());
    let mut writer = Writer { out, held: 0, count: 0 };
    let mut before = None;
    for of_key in pairs.chunk_by(|a, b| a.0 == b.0) {
        let (key, count) = (of_key[0].0, u32::try_from(of_key.len()).unwrap_or(u32::MAX));
        if let Some(before) = before {
            writer.rice(key - before - 1, parameter);
        }
        before = Some(key);
        writer.gamma(u64::from(count));
        let parameter = (span / count).checked_ilog2().unwrap_or(0);
        let mut next = base;
        for (_, ordinal) in of_key {
            writer.rice(u64::from(ordinal - next), parameter);
            next = ordinal.saturating_add(1);
        }
    }
    Leaf { first, last, bytes: writer.finish() }
}

/// Visits the ordinals of the keys that are wanted; `wanted` is asked for keys in order and says when no later one can be.
/// `None`: the leaf is damaged.
pub(super) fn visit(bytes: &[u8], wanted: &mut Wanted<'_>, each: &mut dyn FnMut(u32)) -> Option<()> {
    let (head, bits) = bytes.split_at_checked(HEAD)?;
    let number = |at: usize| Some(u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let (version, base, span, keys, parameter) = (head[0], number(5)?, number(9)?, number(13)?, u32::from(head[17]));
    if version != VERSION || span == 0 || parameter >= 64 {
        return None;
    }
    let mut key = u64::from_be_bytes(head.get(18..26)?.try_into().ok()?);
    let mut reader = Reader { bytes: bits, at: 0 };
    for at in 0..keys {
        if at > 0 {
            key = key.checked_add(reader.rice(parameter)?)?.checked_add(1)?;
        }
        let found = wanted.has(key)?;
        if found == Found::NoneLeft {
            return Some(());
        }
        let count = u32::try_from(reader.gamma()?).ok()?;
        let parameter = span.checked_div(count)?.checked_ilog2().unwrap_or(0);
        let mut next = u64::from(base);
        for _ in 0..count {
            let ordinal = next.checked_add(reader.rice(parameter)?)?;
            next = ordinal.checked_add(1)?;
            if found == Found::Yes {
                each(u32::try_from(ordinal).ok()?);
            }
        }
    }
    Some(())
}

/// The load that a leaf is of.
pub(super) fn load_of(bytes: &[u8]) -> Option<LoadId> {
    Some(LoadId(u32::from_be_bytes(bytes.get(1..5)?.try_into().ok()?)))
}

/// Whether a key is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Yes,
    No,
    /// Nor is any greater one.
    NoneLeft,
}

/// Ranges of keys in order, as keys in order are compared with them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'r>(pub(super) &'r [std::ops::RangeInclusive<u64>]);

impl Wanted<'_> {
    fn has(&mut self, key: u64) -> Option<Found> {
        while let Some(range) = self.0.first() {
            if key < *range.start() {
                return Some(Found::No);
            }
            if key <= *range.end() {
                return Some(Found::Yes);
            }
            self.0 = self.0.get(1..)?;
        }
        Some(Found::NoneLeft)
    }
}

struct Writer {
    out: Vec<u8>,
    /// Bits that are no whole byte yet, at the right.
    held: u64,
    count: u32,
}

impl Writer {
    /// At most 32 bits.
    #[inline]
    fn put(&mut self, value: u64, bits: u32) {
        self.held = self.held << bits | value & ((1 << bits) - 1);
        self.count += bits;
        while self.count >= 8 {
            self.count -= 8;
            self.out.push((self.held >> self.count & 0xff) as u8);
        }
    }

    fn wide(&mut self, value: u64, bits: u32) {
        if bits > 32 {
            self.put(value >> 32, bits - 32);
        }
        self.put(value, bits.min(32));
    }

    #[inline]
    fn rice(&mut self, value: u64, parameter: u32) {
        let ones = value >> parameter;
        if ones >= u64::from(ESCAPE) {
            self.put(u64::MAX, ESCAPE);
            return self.wide(value, 64);
        }
        let ones = ones as u32;
        self.put((1 << ones) - 1, ones);
        if parameter < 32 {
            return self.put(value & ((1 << parameter) - 1), parameter + 1);
        }
        self.put(0, 1);
        self.wide(value & ((1 << parameter) - 1), parameter);
    }

    /// A number from 1 on.
    #[inline]
    fn gamma(&mut self, value: u64) {
        let bits = value.max(1).ilog2();
        self.put(0, bits);
        self.wide(value.max(1), bits + 1);
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
        self.out
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    /// Bits read.
    at: usize,
}

impl Reader<'_> {
    /// The next 57 bits or more, from the highest on; zeros behind the end.
    #[inline]
    fn peek(&self) -> u64 {
        let at = self.at / 8;
        let word = match self.bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => u64::from_be_bytes(bytes),
            None => {
                let rest = self.bytes.get(at..).unwrap_or_default().iter().take(8);
                rest.zip((0..8).rev()).fold(0, |word, (byte, place)| word | u64::from(*byte) << (8 * place))
            }
        };
        word << (self.at % 8)
    }

    #[inline]
    fn skip(&mut self, bits: u32) -> Option<()> {
        self.at += bits as usize;
        (self.at <= self.bytes.len() * 8).then_some(())
    }

    /// At most 57 bits.
    #[inline]
    fn take(&mut self, bits: u32) -> Option<u64> {
        if bits == 0 {
            return Some(0);
        }
        let value = self.peek() >> (64 - bits);
        self.skip(bits)?;
        Some(value)
    }

    fn wide(&mut self, bits: u32) -> Option<u64> {
        let high = if bits > 32 { self.take(bits - 32)? } else { 0 };
        Some(high << 32 | self.take(bits.min(32))?)
    }

    #[inline]
    fn rice(&mut self, parameter: u32) -> Option<u64> {
        let ones = self.peek().leading_ones();
        if ones >= ESCAPE {
            self.skip(ESCAPE)?;
            return self.wide(64);
        }
        self.skip(ones + 1)?;
        Some(u64::from(ones) << parameter | self.wide(parameter)?)
    }

    #[inline]
    fn gamma(&mut self) -> Option<u64> {
        let bits = self.peek().leading_zeros();
        if bits > 32 {
            return None;
        }
        self.skip(bits)?;
        self.wide(bits + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(leaves: &[Leaf], ranges: &[std::ops::RangeInclusive<u64>]) -> Option<Vec<u32>> {
        let mut found = Vec::new();
        for leaf in leaves {
            assert_eq!(load_of(&leaf.bytes), Some(LoadId(7)));
            visit(&leaf.bytes, &mut Wanted(ranges), &mut |ordinal| found.push(ordinal))?;
        }
        Some(found)
    }

    fn pairs() -> impl Strategy<Value = Vec<(u64, u32)>> {
        let key = prop_oneof![any::<u64>(), 0..50_u64, Just(u64::MAX), Just(0)];
        let ordinal = prop_oneof![0..40_u32, any::<u32>().prop_map(|ordinal| ordinal >> 1)];
        prop::collection::btree_set((key, ordinal), 1..200).prop_map(|pairs| pairs.into_iter().collect())
    }

    proptest! {
        #[test]
        fn leaves_give_back_what_they_got(pairs in pairs(), pick in any::<prop::sample::Index>()) {
            let written = leaves(LoadId(7), &pairs);
            let wanted: Vec<u32> = pairs.iter().map(|pair| pair.1).collect();
            prop_assert_eq!(all(&written, &[0..=u64::MAX]), Some(wanted));
            let key = pairs[pick.index(pairs.len())].0;
            let of_key: Vec<u32> = pairs.iter().filter(|pair| pair.0 == key).map(|pair| pair.1).collect();
            prop_assert_eq!(all(&written, &[key..=key]), Some(of_key));
        }

        #[test]
        fn no_bytes_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..80), version in any::<bool>()) {
            if let Some(first) = bytes.first_mut().filter(|_| version) {
                *first = VERSION;
            }
            if let Some(number) = bytes.get_mut(13..15) {
                number.fill(0);
            }
            let mut count = 0_u64;
            let _ = visit(&bytes, &mut Wanted(&[0..=u64::MAX]), &mut |_| count += 1);
            prop_assert!(count <= 80 * 8);
        }
    }

    #[test]
    fn many_pairs_make_leaves_that_are_cut_between_keys() {
        let pairs: Vec<(u64, u32)> = (0..40_000_u32).map(|at| (u64::from(at / 9) * 31, at % 9 + at / 1000)).collect();
        let written = leaves(LoadId(7), &pairs);
        assert!(written.len() > 5 && written.windows(2).all(|pair| pair[0].last < pair[1].first));
        assert_eq!(all(&written, &[0..=u64::MAX]).map(|found| found.len()), Some(40_000));
        let one: Vec<(u64, u32)> = (0..20_000).map(|at| (5, at)).collect();
        assert_eq!(leaves(LoadId(7), &one).len(), 1);
    }
}
