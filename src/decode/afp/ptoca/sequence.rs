//! Control sequences: `2B D3 length type data`, or `length type data` where the type before was odd (chained).

pub(super) const SIM: u8 = 0xC0;
pub(super) const SIA: u8 = 0xC2;
pub(super) const SVI: u8 = 0xC4;
pub(super) const AMI: u8 = 0xC6;
pub(super) const RMI: u8 = 0xC8;
pub(super) const SBI: u8 = 0xD0;
pub(super) const AMB: u8 = 0xD2;
pub(super) const RMB: u8 = 0xD4;
pub(super) const BLN: u8 = 0xD8;
pub(super) const TRN: u8 = 0xDA;
pub(super) const DIR: u8 = 0xE4;
pub(super) const DBR: u8 = 0xE6;
pub(super) const RPS: u8 = 0xEE;
pub(super) const SCFL: u8 = 0xF0;
pub(super) const BSU: u8 = 0xF2;
pub(super) const ESU: u8 = 0xF4;
pub(super) const STO: u8 = 0xF6;
pub(super) const NOP: u8 = 0xF8;
pub(super) const OVS: u8 = 0x72;
pub(super) const STC: u8 = 0x74;
pub(super) const USC: u8 = 0x76;
pub(super) const TBM: u8 = 0x78;
pub(super) const SEC: u8 = 0x80;
pub(super) const UCT: u8 = 0x6A;
/// Only its odd form X'6D' exists: it is always chained.
pub(super) const GLC: u8 = 0x6C;
/// Only its odd form X'8B' exists.
pub(super) const GIR: u8 = 0x8A;
pub(super) const GAR: u8 = 0x8C;
pub(super) const GOR: u8 = 0x8E;
pub(super) const ENC: u8 = 0x98;
pub(super) const SKI: u8 = 0x9A;
pub(super) const SEA: u8 = 0x9C;

/// Control sequence prefix and class.
const PREFIX: [u8; 2] = [0x2B, 0xD3];

/// A control sequence: its type in the even form, and the data behind the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sequence<'d> {
    pub kind: u8,
    pub data: &'d [u8],
}

impl Sequence<'_> {
    pub fn byte(&self, at: usize) -> Option<u8> {
        self.data.get(at).copied()
    }

    pub fn unsigned(&self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes(*self.data.get(at..)?.first_chunk()?))
    }

    pub fn signed(&self, at: usize) -> Option<i16> {
        Some(i16::from_be_bytes(*self.data.get(at..)?.first_chunk()?))
    }

    /// As [`Sequence::signed`], with X'FFFF' as the default indicator: `Some(None)`.
    pub fn signed_or_default(&self, at: usize) -> Option<Option<i16>> {
        self.signed(at).map(|value| Some(value).filter(|value| *value != -1))
    }

    /// Two bytes and one of fraction, in 1/256; X'FFFFFF' is the default indicator.
    pub fn fraction(&self, at: usize) -> Option<i32> {
        let [a, b, c] = *self.data.get(at..)?.first_chunk()?;
        Some(i32::from_be_bytes([a, b, c, 0]) >> 8).filter(|value| *value != -1)
    }
}

/// What [`Reader::next`] meets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Met<'d> {
    /// A control sequence; `cut`: the object ended inside.
    Sequence { sequence: Sequence<'d>, cut: bool },
    /// A length below 2, or nothing where a chained sequence should be: the chain is given up.
    Broken,
}

/// Walks the data of a text object.
pub(super) struct Reader<'d> {
    rest: &'d [u8],
    chained: bool,
}

impl<'d> Reader<'d> {
    /// `chained`: the data start as a chain that goes on (initial text conditions), with or without the prefix.
    pub fn new(data: &'d [u8], chained: bool) -> Reader<'d> {
        Reader { rest: data, chained }
    }

    pub fn rest(&self) -> &'d [u8] {
        self.rest
    }

    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether a control sequence comes next; code points otherwise.
    pub fn at_sequence(&self) -> bool {
        self.chained || self.rest.starts_with(&PREFIX)
    }

    /// Takes up to this many bytes.
    pub fn take(&mut self, count: usize) -> &'d [u8] {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// The next control sequence. In a chain too the prefix is taken for one: no chained sequence is X'2B' long and
    /// has type X'D3' (AMB).
    pub fn next(&mut self) -> Met<'d> {
        if self.rest.starts_with(&PREFIX) {
            self.take(PREFIX.len());
        }
        let (Some(&length), Some(&kind)) = (self.rest.first(), self.rest.get(1)) else {
            self.rest = &[];
            return self.give_up();
        };
        if length < 2 {
            self.take(1);
            return self.give_up();
        }
        self.take(2);
        let length = usize::from(length) - 2;
        let data = self.take(length);
        self.chained = kind & 1 == 1;
        Met::Sequence { sequence: Sequence { kind: kind & !1, data }, cut: data.len() < length }
    }

    /// Goes to the next prefix: what lies between is not known to be text.
    fn give_up(&mut self) -> Met<'d> {
        self.chained = false;
        let at = self.rest.windows(PREFIX.len()).position(|window| window == PREFIX);
        self.take(at.unwrap_or(self.rest.len()));
        Met::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(data: &[u8], chained: bool) -> Vec<(u8, Vec<u8>)> {
        let mut reader = Reader::new(data, chained);
        let mut found = Vec::new();
        while !reader.is_done() {
            if !reader.at_sequence() {
                found.push((0, reader.take(1).to_vec()));
                continue;
            }
            match reader.next() {
                Met::Sequence { sequence, cut } => found.push((sequence.kind | u8::from(cut), sequence.data.to_vec())),
                Met::Broken => found.push((0xFF, Vec::new())),
            }
        }
        found
    }

    #[test]
    fn chains_end_with_an_even_type() {
        let data = [0x2B, 0xD3, 4, 0xC7, 0, 1, 2, 0xD8, 0x2B, 0x41, 0x2B, 0xD3, 2, 0xD8];
        assert_eq!(
            all(&data, false),
            [(AMI, vec![0, 1]), (BLN, vec![]), (0, vec![0x2B]), (0, vec![0x41]), (BLN, vec![])]
        );
    }

    #[test]
    fn a_prefix_inside_a_chain_starts_a_new_one() {
        assert_eq!(all(&[4, 0xC7, 0, 1, 0x2B, 0xD3, 2, 0xD8], true), [(AMI, vec![0, 1]), (BLN, vec![])]);
    }

    #[test]
    fn what_is_cut_or_broken_does_not_run_on() {
        assert_eq!(all(&[0x2B, 0xD3, 9, 0xDA, 1, 2], false), [(TRN | 1, vec![1, 2])]);
        assert_eq!(all(&[0x2B, 0xD3, 1, 0xDA, 7, 0x2B, 0xD3, 2, 0xD8], false), [(0xFF, vec![]), (BLN, vec![])]);
        assert_eq!(all(&[0x2B, 0xD3], false), [(0xFF, vec![])]);
    }

    #[test]
    fn fractions_are_signed_and_know_the_default() {
        let fraction = |data: &[u8]| Sequence { kind: DIR, data }.fraction(0);
        assert_eq!(fraction(&[0, 1, 0x80]), Some(384));
        assert_eq!(fraction(&[0xFF, 0xFF, 0x80]), Some(-128));
        assert_eq!(fraction(&[0xFF, 0xFF, 0xFF]), None);
        assert_eq!(fraction(&[0, 1]), None);
    }
}
