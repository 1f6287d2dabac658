//! Writes one column: what stands at one place of one layout.

use super::number::{Style, width};
use super::{Code, NUMBER, PART_LIMIT, PARTS, SAME, TEXT, put};

/// From this many values on a column is cut into parts; fewer are not worth the description.
const ENOUGH: usize = 4;

/// How a column was written in the block that was learned from. Later blocks do it alike if they can, so that zstd
/// finds their values there.
#[derive(Debug, Clone, Copy)]
pub struct Hint {
    style: Style,
    width: usize,
}

/// The columns of one layout in a block.
pub struct Columns<'r> {
    pub raw: &'r [u8],
    pub code: Code,
    pub terminator: u8,
    /// Of each place before this one: its values, if they are numbers.
    pub numbers: Vec<(u8, Vec<i64>)>,
}

impl<'r> Columns<'r> {
    fn text(&self, value: (u32, u32)) -> &'r [u8] {
        self.raw.get(value.0 as usize..value.1 as usize).unwrap_or_default()
    }

    /// Writes a column that has values; `ended` is set when they end at a fixed digit.
    pub fn put(&mut self, values: &[(u32, u32)], ended: bool, hint: Option<Hint>, out: &mut Vec<u8>) -> Option<Hint> {
        let first = self.text(values[0]);
        if values.iter().all(|value| self.text(*value) == first) {
            out.push(SAME);
            out.extend_from_slice(first);
            out.push(self.terminator);
            self.numbers.push((0, Vec::new()));
            return hint;
        }
        if ended && let Some(hint) = self.put_numbers(values, hint, out) {
            return Some(hint);
        }
        self.numbers.push((0, Vec::new()));
        let like = values.len() >= ENOUGH && values.iter().all(|value| (value.1 - value.0) as usize == first.len());
        if like && first.iter().any(|byte| self.code.digit(*byte).is_some()) {
            self.put_parts(values, first, out);
            return hint;
        }
        out.push(TEXT);
        for value in values {
            out.extend_from_slice(self.text(*value));
            out.push(self.terminator);
        }
        hint
    }

    fn put_numbers(&mut self, values: &[(u32, u32)], hint: Option<Hint>, out: &mut Vec<u8>) -> Option<Hint> {
        let known = hint.and_then(|hint| Some((hint.style, self.read(values, hint.style)?)));
        let (style, numbers) = match known {
            Some(known) => known,
            None => {
                let style = self.guess(values);
                (style, self.read(values, style)?)
            }
        };
        let widest =
            numbers.iter().map(|number| width(*number)).max().unwrap_or(1).max(usize::from(style.decimals) + 1);
        let width = widest.max(hint.filter(|hint| hint.style == style).map_or(0, |hint| hint.width));
        let from = self.foretold(&numbers, style.decimals);
        out.extend([NUMBER, style.decimals, style.bits(), width as u8, from.unwrap_or(0)]);
        let addends = self.addends(from);
        let mut before = 0_i64;
        for (at, number) in numbers.iter().enumerate() {
            let told = addends.map(|(sign, addends)| before + sign * addends[at]);
            before = *number;
            if told == Some(*number) {
                out.push(self.code.hit());
                continue;
            }
            self.put_digits(*number, width, out);
        }
        self.numbers.push((style.decimals, numbers));
        Some(Hint { style, width })
    }

    fn put_digits(&self, number: i64, width: usize, out: &mut Vec<u8>) {
        let from = out.len();
        out.resize(from + width, self.code.zero);
        let mut left = number.unsigned_abs();
        for digit in out[from..].iter_mut().rev() {
            *digit = self.code.zero + (left % 10) as u8;
            left /= 10;
        }
        if number < 0 {
            out[from] = self.code.negative(out[from] - self.code.zero);
        }
    }

    fn guess(&self, values: &[(u32, u32)]) -> Style {
        let longest = values.iter().max_by_key(|value| value.1 - value.0).map_or(&[][..], |value| self.text(*value));
        let minus = |value: &&[u8]| value.last() == Some(&self.code.minus) || value.first() == Some(&self.code.minus);
        let negative = values.iter().map(|value| self.text(*value)).find(minus);
        Style::guess(longest, negative, self.code)
    }

    fn read(&self, values: &[(u32, u32)], style: Style) -> Option<Vec<i64>> {
        values.iter().map(|value| style.read(self.text(*value), self.code)).collect()
    }

    /// The place whose numbers most often lead from one of these to the next, as the form says it: twice the place and one, plus one to subtract.
    fn foretold(&self, numbers: &[i64], decimals: u8) -> Option<u8> {
        for (place, (other_decimals, addends)) in self.numbers.iter().enumerate() {
            if *other_decimals != decimals || addends.is_empty() {
                continue;
            }
            for sign in [1, -1] {
                let steps = numbers.windows(2).zip(addends.iter().skip(1));
                let hits = steps.filter(|(pair, addend)| pair[1] - pair[0] == sign * **addend).count();
                if hits * 2 > numbers.len() {
                    return Some(place as u8 * 2 + 1 + u8::from(sign < 0));
                }
            }
        }
        None
    }

    fn addends(&self, from: Option<u8>) -> Option<(i64, &[i64])> {
        let from = from?;
        let (_, addends) = self.numbers.get(usize::from(from - 1) / 2)?;
        Some((if from % 2 == 1 { 1 } else { -1 }, addends))
    }

    /// Cuts values of one length where letters and digits end and other characters begin.
    fn put_parts(&self, values: &[(u32, u32)], first: &[u8], out: &mut Vec<u8>) {
        let word = |byte: u8| self.code.digit(byte).is_some() || self.code.letter(byte);
        let mut lengths: Vec<usize> =
            first.chunk_by(|one, other| word(*one) == word(*other)).map(<[u8]>::len).collect();
        if lengths.len() > PART_LIMIT {
            lengths = vec![first.len()];
        }
        out.push(PARTS);
        put(out, lengths.len());
        let mut from = 0;
        for length in lengths {
            let part = |value: &(u32, u32)| {
                let begin = value.0 as usize + from;
                self.raw.get(begin..begin + length).unwrap_or_default()
            };
            let like = part(&values[0]);
            if values.iter().all(|value| part(value) == like) {
                put(out, length * 2 + 1);
                out.extend_from_slice(like);
            } else {
                put(out, length * 2);
                values.iter().for_each(|value| out.extend_from_slice(part(value)));
            }
            from += length;
        }
    }
}
