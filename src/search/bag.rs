//! The words of a text as a bag: where no places are kept, a word that was there already says nothing new.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::words::Words;

/// The tokenizer of full text without places: leaves out most words that were there already, which say nothing new.
#[derive(Debug, Clone, Default)]
pub(super) struct BagWords {
    seen: Seen,
}

/// Places of [`Seen`]; a power of two. Statements of some pages have a few hundred different words.
const SEEN: usize = 4096;
/// Places that one word may take.
const PROBES: usize = 8;

/// Words of one text that were seen. Has a fixed number of places: when there is none for a word, it counts as new.
#[derive(Debug, Clone, Default)]
struct Seen {
    places: Vec<Place>,
    text: String,
    /// Number of the text; places of other texts are free.
    turn: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    turn: u32,
    hash: u32,
    from: u32,
    to: u32,
}

impl Seen {
    /// Forgets all words.
    fn begin(&mut self) {
        self.turn = self.turn.wrapping_add(1);
        if self.turn == 0 || self.places.is_empty() {
            self.places = vec![Place::default(); SEEN];
            self.turn = 1;
        }
        self.text.clear();
    }

    /// Whether a word may be new: false is certain.
    fn may_be_new(&mut self, word: &str) -> bool {
        let mix = |hash: u64, number: u64| (hash.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (pieces, rest) = word.as_bytes().as_chunks::<8>();
        let hash = pieces.iter().fold(word.len() as u64, |hash, piece| mix(hash, u64::from_le_bytes(*piece)));
        let hash = mix(hash, rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        let [high, mid, ..] = hash.to_be_bytes();
        let hash = u32::try_from(hash >> 32).unwrap_or(0);
        let first = usize::from(u16::from_be_bytes([high, mid]));
        for at in first..first + PROBES {
            let place = &mut self.places[at % SEEN];
            if place.turn != self.turn {
                let from = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
                self.text.push_str(word);
                let to = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
                *place = Place { turn: self.turn, hash, from, to };
                return true;
            }
            if place.hash == hash && self.text.get(place.from as usize..place.to as usize) == Some(word) {
                return false;
            }
        }
        true
    }
}

/// Words without most of the repeated ones.
#[derive(Debug)]
pub(super) struct Distinct<'t> {
    words: Words<'t>,
    seen: &'t mut Seen,
}

impl Tokenizer for BagWords {
    type TokenStream<'a> = Distinct<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Distinct<'a> {
        self.seen.begin();
        Distinct { words: Words::of(text), seen: &mut self.seen }
    }
}

impl TokenStream for Distinct<'_> {
    fn advance(&mut self) -> bool {
        while self.words.advance() {
            if self.seen.may_be_new(&self.words.token().text) {
                return true;
            }
        }
        false
    }

    fn token(&self) -> &Token {
        self.words.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.words.token_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bag_has_each_word_once_and_a_text_knows_nothing_of_the_one_before() {
        let mut bag = BagWords::default();
        for text in ["Fee 1,234.56 fee FEE 1234.56 x", "fee x x"] {
            let (mut words, mut stream) = (Vec::new(), bag.token_stream(text));
            while stream.advance() {
                words.push(stream.token().text.clone());
            }
            let wanted: &[&str] = if text.len() > 8 { &["fee", "1234.56", "x"] } else { &["fee", "x"] };
            assert_eq!(words, wanted);
        }
    }

    #[test]
    fn a_bag_of_more_words_than_it_has_places_for_lacks_none() {
        let text: String = (0..3 * SEEN).map(|number| format!("w{number} ")).collect();
        let (mut bag, mut words) = (BagWords::default(), std::collections::BTreeSet::new());
        let mut stream = bag.token_stream(&text);
        while stream.advance() {
            words.insert(stream.token().text.clone());
        }
        assert_eq!(words.len(), 3 * SEEN);
    }
}
