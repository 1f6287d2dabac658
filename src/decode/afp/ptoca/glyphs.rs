//! Glyph runs: GLC, then GIR and GAR (and GOR) for each group, and UCT with the text that the glyphs show.

use std::collections::HashSet;

use super::sequence::Sequence;

/// A glyph at its place: inline from the start of the chain, and towards the I axis from the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlacedGlyph {
    pub id: u16,
    pub inline: u16,
    pub offset: i16,
}

/// A chain being read. Lengths are in units of the object.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub advance: i16,
    groups: Vec<PlacedGlyph>,
    /// Where the group that GIR began starts in `groups`.
    group: usize,
    /// The counts of a group's arrays do not agree.
    pub uneven: bool,
}

impl Chain {
    /// From GLC; `None` when it is cut.
    pub fn begin(sequence: &Sequence<'_>) -> Option<Chain> {
        Some(Chain { advance: sequence.signed(0)?, ..Chain::default() })
    }

    /// GIR: a new group.
    pub fn ids(&mut self, sequence: &Sequence<'_>) {
        self.group = self.groups.len();
        self.groups.extend(numbers(sequence).map(|id| PlacedGlyph { id, inline: 0, offset: 0 }));
    }

    /// GAR.
    pub fn advances(&mut self, sequence: &Sequence<'_>) {
        let group = self.groups.get_mut(self.group..).unwrap_or_default();
        self.uneven |= numbers(sequence).count() != group.len();
        group.iter_mut().zip(numbers(sequence)).for_each(|(glyph, inline)| glyph.inline = inline);
    }

    /// GOR.
    pub fn offsets(&mut self, sequence: &Sequence<'_>) {
        let group = self.groups.get_mut(self.group..).unwrap_or_default();
        self.uneven |= numbers(sequence).count() != group.len();
        group.iter_mut().zip(numbers(sequence)).for_each(|(glyph, offset)| glyph.offset = offset.cast_signed());
    }

    /// Whether any of the glyphs is what the font shows for a character of the text.
    pub fn agrees(&self, text: &[(char, u16)]) -> bool {
        let known: HashSet<u16> = text.iter().map(|(_, id)| *id).filter(|id| *id != 0).collect();
        self.groups.iter().any(|glyph| known.contains(&glyph.id))
    }

    /// The glyphs, in the order of the stream.
    pub fn glyphs(&self) -> &[PlacedGlyph] {
        &self.groups
    }
}

fn numbers<'d>(sequence: &Sequence<'d>) -> impl Iterator<Item = u16> + use<'d> {
    let pairs = sequence.data.get(2..).unwrap_or_default().chunks_exact(2);
    pairs.filter_map(|pair| Some(u16::from_be_bytes(*pair.first_chunk()?)))
}

/// What a glyph of a chain shows, of the text that UCT gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    /// Its character; `None`: it belongs to the character of the glyph before.
    pub ch: Option<char>,
    /// How many characters more of the text it shows (a ligature).
    pub more: usize,
}

/// Shares the characters of a text out to glyphs. `text` holds each character and the glyph that the font has for it
/// when nothing is shaped; where that glyph is found the two belong together, and what lies between is shared out in
/// order.
pub(super) fn align(glyphs: &[PlacedGlyph], text: &[(char, u16)]) -> Vec<Shown> {
    let mut shown = Vec::with_capacity(glyphs.len());
    let (mut glyph, mut at) = (0, 0);
    while glyph < glyphs.len() {
        let (next_glyph, next_at) = anchor(glyphs, glyph, text, at);
        share(&mut shown, next_glyph - glyph, text.get(at..next_at).unwrap_or_default());
        if let (true, Some((ch, _))) = (next_glyph < glyphs.len(), text.get(next_at)) {
            shown.push(Shown { ch: Some(*ch), more: 0 });
        }
        (glyph, at) = (next_glyph + 1, next_at + 1);
    }
    shown
}

/// How far apart the next agreement may be.
const AHEAD: usize = 8;

/// The next glyph and character that agree, or the ends.
fn anchor(glyphs: &[PlacedGlyph], glyph: usize, text: &[(char, u16)], at: usize) -> (usize, usize) {
    for distance in 0..=AHEAD * 2 {
        for ahead in 0..=distance.min(AHEAD) {
            let pair = (glyph + ahead, at + distance - ahead);
            if let (Some(found), Some((_, id))) = (glyphs.get(pair.0), text.get(pair.1))
                && found.id == *id
                && *id != 0
            {
                return pair;
            }
        }
    }
    (glyphs.len(), text.len())
}

/// Glyphs without an agreement: one character each, what is left over to the last.
fn share(shown: &mut Vec<Shown>, glyphs: usize, text: &[(char, u16)]) {
    for number in 0..glyphs {
        let more = if number + 1 == glyphs { text.len().saturating_sub(glyphs) } else { 0 };
        shown.push(Shown { ch: text.get(number).map(|(ch, _)| *ch), more });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyphs(ids: &[u16]) -> Vec<PlacedGlyph> {
        ids.iter().map(|id| PlacedGlyph { id: *id, inline: 0, offset: 0 }).collect()
    }

    fn shown(ids: &[u16], text: &[(char, u16)]) -> Vec<(Option<char>, usize)> {
        align(&glyphs(ids), text).iter().map(|shown| (shown.ch, shown.more)).collect()
    }

    #[test]
    fn plain_text_goes_one_to_one() {
        assert_eq!(shown(&[1, 2], &[('a', 1), ('b', 2)]), [(Some('a'), 0), (Some('b'), 0)]);
    }

    #[test]
    fn a_ligature_takes_the_characters_up_to_the_next_agreement() {
        let text = [('o', 1), ('f', 2), ('f', 2), ('i', 3), ('c', 4)];
        assert_eq!(shown(&[1, 99, 4], &text), [(Some('o'), 0), (Some('f'), 2), (Some('c'), 0)]);
    }

    #[test]
    fn a_character_of_two_glyphs_is_said_once() {
        assert_eq!(shown(&[8, 9, 4], &[('\u{e9}', 7), ('c', 4)]), [(Some('\u{e9}'), 0), (None, 0), (Some('c'), 0)]);
    }

    #[test]
    fn glyphs_without_text_show_none() {
        assert_eq!(shown(&[8, 9], &[]), [(None, 0), (None, 0)]);
    }
}
