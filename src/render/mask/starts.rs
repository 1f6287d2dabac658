//! How masked values begin, as a small set of bits: tells fast that a line has none of them.

use super::plain;

/// Letters of a beginning.
const LETTERS: usize = 3;
/// Bits of the set, a power of two.
const BITS: usize = 4096;

/// Beginnings of values: as many letters as the shortest value has, three at most.
#[derive(Debug, Clone)]
pub(super) struct Starts {
    /// Letters looked at; none: there are no values.
    letters: usize,
    /// Signs of ASCII that a value begins with, in either case. Any other sign may be the same letter in another width or form.
    firsts: [bool; 128],
    bits: [u64; BITS / 64],
}

impl Default for Starts {
    fn default() -> Starts {
        Starts { letters: 0, firsts: [false; 128], bits: [0; BITS / 64] }
    }
}

impl Starts {
    /// Of values, each at least one letter.
    pub(super) fn of<'v>(values: impl Iterator<Item = &'v [char]> + Clone) -> Starts {
        let shortest = values.clone().map(<[char]>::len).min().unwrap_or(0);
        let mut starts = Starts { letters: shortest.min(LETTERS), ..Starts::default() };
        for value in values {
            for letter in
                value.first().into_iter().flat_map(|first| [first.to_ascii_lowercase(), first.to_ascii_uppercase()])
            {
                if let Some(first) = usize::try_from(u32::from(letter)).ok().and_then(|at| starts.firsts.get_mut(at)) {
                    *first = true;
                }
            }
            let mut window = Window::default();
            value.iter().take(starts.letters).for_each(|letter| window.push(*letter));
            let bit = window.bit(starts.letters);
            if let Some(word) = starts.bits.get_mut(bit / 64) {
                *word |= 1 << (bit % 64);
            }
        }
        starts
    }

    /// Whether a value may begin with the first of these letters.
    pub(super) fn may_start(&self, letters: &[char]) -> bool {
        let Some(first) = letters.get(..self.letters).filter(|first| !first.is_empty()) else { return false };
        let mut window = Window::default();
        first.iter().for_each(|letter| window.push(*letter));
        self.has(&window)
    }

    /// Whether a value may be in a text, whatever stands between its letters and digits.
    pub(super) fn may_be_in(&self, text: &str) -> bool {
        if self.letters == 0 {
            return false;
        }
        let mut rest = text;
        // Few signs of a text are the first of a value: each byte is looked at once, and little more than that.
        while let Some(at) = rest.bytes().position(|byte| self.may_be_first(byte)) {
            let from = rest.get(at..).unwrap_or_default();
            if self.may_begin(from) {
                return true;
            }
            let mut chars = from.chars();
            chars.next();
            rest = chars.as_str();
        }
        false
    }

    /// Whether the first letter of a value may begin with this byte.
    #[inline]
    fn may_be_first(&self, byte: u8) -> bool {
        self.firsts.get(usize::from(byte)).copied().unwrap_or(true)
    }

    /// Whether a value may begin at the start of a text.
    fn may_begin(&self, text: &str) -> bool {
        let mut letters = text.chars().filter(|ch| ch.is_alphanumeric()).map(plain);
        let mut window = Window::default();
        for _ in 0..self.letters {
            let Some(letter) = letters.next() else { return false };
            window.push(letter);
        }
        self.has(&window)
    }

    fn has(&self, window: &Window) -> bool {
        let bit = window.bit(self.letters);
        self.bits.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }
}

/// The last letters, the newest in the lowest place.
#[derive(Debug, Clone, Copy, Default)]
struct Window(u64);

impl Window {
    /// Letters have up to 21 bits; three of them are kept.
    fn push(&mut self, letter: char) {
        self.0 = self.0 << 21 | u64::from(letter);
    }

    /// The bit of the last `letters` letters. Fibonacci hashing: the high bits of a product mix all of its factor.
    fn bit(self, letters: usize) -> usize {
        let kept = self.0 & ((1_u64 << (21 * letters)) - 1);
        let mixed = kept.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS.trailing_zeros());
        usize::try_from(mixed).unwrap_or(0) % BITS
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_value_is_passed_over(
            values in prop::collection::vec("[0-9a-zßé中]{1,5}", 1..6),
            before in "\\PC{0,8}",
            between in "[ -]{0,2}",
            after in "\\PC{0,8}",
            which in 0_usize..6,
        ) {
            let letters: Vec<Vec<char>> = values.iter().map(|value| value.chars().collect()).collect();
            let starts = Starts::of(letters.iter().map(Vec::as_slice));
            let value = &letters[which % letters.len()];
            let printed: Vec<String> = value.iter().map(|ch| ch.to_uppercase().next().unwrap_or(*ch).to_string()).collect();
            let plain_again = printed.iter().flat_map(|p| p.chars()).map(plain).eq(value.iter().copied());
            prop_assume!(plain_again);
            let text = format!("{before}{}{after}", printed.join(&between));
            prop_assert!(starts.may_be_in(&text), "{text}");
            prop_assert!(starts.may_start(value));
        }
    }

    #[test]
    fn what_begins_otherwise_is_passed_over() {
        let value: Vec<char> = "4711008150".chars().collect();
        let starts = Starts::of([value.as_slice()].into_iter());
        assert!(!starts.may_be_in("CLOSING BALANCE 1,234.56 ON 11/27/2026"));
        assert!(starts.may_be_in("ACCOUNT 4-7-1-1 ..."));
        assert!(!Starts::of(std::iter::empty::<&[char]>()).may_be_in("4711"));
    }
}
