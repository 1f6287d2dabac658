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
    /// The first and the second letter of all values, small and capital, when all have the same and they are ASCII.
    only: Option<[[u8; 2]; 2]>,
    /// Bytes that may come behind the first letter of a value: those that a second letter may begin with, and all that are
    /// no letters or digits of ASCII.
    seconds: [bool; 256],
    bits: [u64; BITS / 64],
}

impl Default for Starts {
    fn default() -> Starts {
        Starts { letters: 0, firsts: [false; 128], only: None, seconds: [true; 256], bits: [0; BITS / 64] }
    }
}

impl Starts {
    /// Of values, each at least one letter.
    pub(super) fn of<'v>(values: impl Iterator<Item = &'v [char]> + Clone) -> Starts {
        let shortest = values.clone().map(<[char]>::len).min().unwrap_or(0);
        let mut starts = Starts { letters: shortest.min(LETTERS), ..Starts::default() };
        starts.look_behind_firsts(values.clone());
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

    fn look_behind_firsts<'v>(&mut self, values: impl Iterator<Item = &'v [char]> + Clone) {
        if self.letters < 2 {
            return;
        }
        let mut heads = values.clone().filter_map(<[char]>::first_chunk::<2>);
        let head = heads.next().filter(|head| heads.all(|other| other == *head));
        let both = |letter: char| {
            let letter = u8::try_from(letter).ok().filter(u8::is_ascii)?;
            Some([letter.to_ascii_lowercase(), letter.to_ascii_uppercase()])
        };
        self.only = head.and_then(|[first, second]| Some([both(*first)?, both(*second)?]));
        let mut seconds: [bool; 256] = std::array::from_fn(|byte| !(byte as u8).is_ascii_alphanumeric());
        for letter in values.filter_map(|value| value.get(1)).filter(|letter| letter.is_ascii()) {
            seconds[letter.to_ascii_lowercase() as usize] = true;
            seconds[letter.to_ascii_uppercase() as usize] = true;
        }
        self.seconds = seconds;
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
        let bytes = text.as_bytes();
        let only = self.only.filter(|_| text.is_ascii());
        let mut from = 0;
        // Few signs of a text are the first of a value: each byte is looked at once, and little more than that.
        loop {
            from += only.map_or(0, |only| first_in(&bytes[from..], only));
            let Some(at) = bytes[from..].iter().position(|byte| self.may_be_first(*byte)) else { return false };
            if self.may_begin_at(text, from + at) {
                return true;
            }
            from += at + text[from + at..].chars().next().map_or(1, char::len_utf8);
        }
    }

    /// Whether a value may begin at a sign that is the first of one.
    fn may_begin_at(&self, text: &str, at: usize) -> bool {
        let bytes = text.as_bytes();
        let behind = !bytes[at].is_ascii() || bytes.get(at + 1).is_none_or(|next| self.seconds[usize::from(*next)]);
        behind && self.may_begin(&text[at..])
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

/// A place in a text of ASCII before which no value begins: sixteen bytes at a time are compared with the first letter and,
/// where one of them is it, the byte behind it with the second; between them may stand signs.
fn first_in(text: &[u8], [first, second]: [[u8; 2]; 2]) -> usize {
    let mut at = 0;
    while let Some((here, next)) =
        text.get(at..at + 17).and_then(|piece| Some((piece.first_chunk::<16>()?, piece.last_chunk::<16>()?)))
    {
        let mut found = [0_u8; 16];
        for ((found, byte), next) in found.iter_mut().zip(here).zip(next) {
            let begins = (*byte == first[0]) | (*byte == first[1]);
            let letter = next.wrapping_sub(b'0') < 10 || (next | 0x20).wrapping_sub(b'a') < 26;
            let goes_on = (*next == second[0]) | (*next == second[1]) | !letter;
            *found = u8::from(begins & goes_on);
        }
        if u128::from_ne_bytes(found) != 0 {
            break;
        }
        at += 16;
    }
    at
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
