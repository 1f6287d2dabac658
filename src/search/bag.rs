//! The words of a text as a bag: where no places are kept, a word that was there already says nothing new.
//!
//! Numbers go into lists of their own ([`super::numbers`]), the other words to the index, most of them once.

use std::ops::Range;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::numbers::{Gathered, key_of};
use super::words::{LONGEST, Scanner};

/// Between the words of a bag; no word has it.
const BETWEEN: char = '\n';

/// The different words of a text. Has a fixed number of places to know them by: when there is none for a word, it counts
/// as new, and may be in the bag twice.
#[derive(Debug, Default)]
pub(super) struct Bag {
    places: Vec<Place>,
    words: String,
    /// Number of the text; places of other texts are free.
    turn: u32,
    word: String,
}

/// Places of [`Bag`]; a power of two. Statements of some pages have a few hundred different words.
const SEEN: usize = 4096;
/// Places that one word may take.
const PROBES: usize = 8;

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    turn: u32,
    word: Known,
}

/// What tells a word from others: its bytes when they are few, the place of its bytes in the bag otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Known {
    /// The bytes, the first one lowest; or a hash of them.
    bytes: u128,
    /// Where they stand in the bag; nowhere when they are few.
    from: u32,
    to: u32,
}

/// Bytes of a word that are few.
const FEW: usize = 16;

impl Bag {
    /// Empties it.
    pub(super) fn begin(&mut self) {
        self.turn = self.turn.wrapping_add(1);
        if self.turn == 0 || self.places.is_empty() {
            self.places = vec![Place::default(); SEEN];
            self.turn = 1;
        }
        self.words.clear();
    }

    /// Its words, for [`BagWords`].
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Adds the words of a text, and its numbers to those gathered.
    pub(super) fn add(&mut self, text: &str, numbers: &mut Gathered) {
        let mut scanner = Scanner::new(text);
        let mut word = std::mem::take(&mut self.word);
        loop {
            if let Some(span) = scanner.next_plain() {
                let bytes = text.as_bytes();
                match key_of(&bytes[span.clone()]) {
                    Some(key) => numbers.add(key),
                    None => self.add_plain(bytes, span),
                }
                continue;
            }
            if scanner.next(&mut word).is_none() {
                break;
            }
            match key_of(word.as_bytes()) {
                Some(key) => numbers.add(key),
                None => self.add_word(word.as_bytes()),
            }
        }
        self.word = word;
    }

    /// Adds a word of ASCII letters, digits and signs between digits that stands in `text`, in small letters.
    #[inline]
    fn add_plain(&mut self, text: &[u8], span: Range<usize>) {
        // The bit that makes letters small is set in digits and signs, and nothing else is in here.
        const SMALL: u128 = u128::from_ne_bytes([0x20; FEW]);
        if let Some(piece) = text.get(span.start..span.start + FEW).and_then(|piece| piece.try_into().ok())
            && span.len() <= FEW
        {
            let bytes = (u128::from_le_bytes(piece) | SMALL) & (u128::MAX >> (8 * (FEW - span.len())));
            return self.add_few(bytes, span.len());
        }
        let mut small = [0; LONGEST];
        let Some(small) = small.get_mut(..span.len()) else { return };
        small.iter_mut().zip(&text[span]).for_each(|(to, from)| *to = from | 0x20);
        self.add_word(small);
    }

    fn add_word(&mut self, word: &[u8]) {
        if word.len() <= FEW {
            let bytes = word.iter().rev().fold(0, |bytes, byte| bytes << 8 | u128::from(*byte));
            return self.add_few(bytes, word.len());
        }
        let hash = hash(word);
        for at in places(hash) {
            let Place { turn, word: known } = self.places[at];
            if turn != self.turn {
                let from = self.words.len();
                self.push(word);
                let [from, to] = [from, from + word.len()].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
                self.places[at] = Place { turn: self.turn, word: Known { bytes: u128::from(hash), from, to } };
                return;
            }
            let same = known.bytes == u128::from(hash) && known.to > 0;
            if same && self.words.as_bytes().get(known.from as usize..known.to as usize) == Some(word) {
                return;
            }
        }
        self.push(word);
    }

    /// Adds a word of few bytes, none of them zero.
    #[inline]
    fn add_few(&mut self, bytes: u128, length: usize) {
        let word = Known { bytes, from: 0, to: 0 };
        for at in places(mix(mix(length as u64, bytes as u64), (bytes >> 64) as u64)) {
            let place = &mut self.places[at];
            if place.turn != self.turn {
                *place = Place { turn: self.turn, word };
                break;
            }
            if place.word == word {
                return;
            }
        }
        let bytes = bytes.to_le_bytes();
        self.push(&bytes[..length.min(FEW)]);
    }

    fn push(&mut self, word: &[u8]) {
        // Words are made of characters: always so.
        if let Ok(word) = std::str::from_utf8(word) {
            self.words.push_str(word);
            self.words.push(BETWEEN);
        }
    }
}

/// The places where a word may be.
#[inline]
fn places(hash: u64) -> impl Iterator<Item = usize> {
    let first = (hash >> 48) as usize;
    (first..first + PROBES).map(|at| at % SEEN)
}

#[inline]
fn mix(hash: u64, number: u64) -> u64 {
    (hash.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn hash(word: &[u8]) -> u64 {
    let (pieces, rest) = word.as_chunks::<8>();
    let hash = pieces.iter().fold(word.len() as u64, |hash, piece| mix(hash, u64::from_le_bytes(*piece)));
    mix(hash, rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The tokenizer of bags.
#[derive(Debug, Clone, Default)]
pub(super) struct BagWords;

/// The words of a bag one by one.
#[derive(Debug)]
pub(super) struct Listed<'t> {
    rest: &'t str,
    token: Token,
}

impl Tokenizer for BagWords {
    type TokenStream<'a> = Listed<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Listed<'a> {
        Listed { rest: text, token: Token::default() }
    }
}

impl TokenStream for Listed<'_> {
    fn advance(&mut self) -> bool {
        let Some((word, rest)) = self.rest.split_once(BETWEEN) else { return false };
        self.rest = rest;
        self.token.text.clear();
        self.token.text.push_str(word);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn gathered() -> Gathered {
        let mut numbers = Gathered::default();
        numbers.begin(1);
        numbers
    }

    fn words(bag: &Bag) -> Vec<String> {
        let (mut tokenizer, mut words) = (BagWords, Vec::new());
        let mut stream = tokenizer.token_stream(bag.words());
        while stream.advance() {
            words.push(stream.token().text.clone());
        }
        words
    }

    #[test]
    fn a_bag_has_each_word_once_and_a_text_knows_nothing_of_the_one_before() {
        let (mut bag, mut numbers) = (Bag::default(), gathered());
        let texts = [
            ("Fee 1,234.56 fee FEE 1234.56 x2 \u{7ed3}\u{7b97}", vec!["fee", "x2", "\u{7ed3}\u{7b97}", "\u{7b97}"]),
            ("fee x x", vec!["fee", "x"]),
        ];
        for (text, wanted) in texts {
            bag.begin();
            bag.add(text, &mut numbers);
            assert_eq!(words(&bag), wanted);
        }
    }

    #[test]
    fn a_bag_of_more_words_than_it_has_places_for_lacks_none() {
        let text: String = (0..3 * SEEN).map(|number| format!("w{number} ")).collect();
        let mut bag = Bag::default();
        bag.begin();
        bag.add(&text, &mut gathered());
        assert_eq!(words(&bag).into_iter().collect::<BTreeSet<_>>().len(), 3 * SEEN);
    }

    proptest! {
        #[test]
        fn a_bag_has_the_words_that_the_scanner_finds(text in "([ -~]|[0-9,./a-zA-Z -]|\\PC|ﾞ|１){0,80}|[a-zA-Z0-9,]{120,140}") {
            let (mut bag, mut scanner, mut word) = (Bag::default(), Scanner::new(&text), String::new());
            bag.begin();
            bag.add(&text, &mut gathered());
            let mut wanted = BTreeSet::new();
            while scanner.next(&mut word).is_some() {
                if key_of(word.as_bytes()).is_none() {
                    wanted.insert(word.clone());
                }
            }
            prop_assert_eq!(words(&bag).into_iter().collect::<BTreeSet<_>>(), wanted);
        }
    }
}
