//! IBM MMR, the fax coding of AFP's own: its first row is one-dimensional (MH), an End Of Line follows, and all other rows
//! are two-dimensional (READ), ended by End Of Lines.
//!
//! A Group 4 coding can say the same with the same codes: a one-dimensional row is a Group 4 row in which every pair of
//! runs is in horizontal mode. So an image is not decoded here but put into other words that a PDF can hold.
//! Rule: IOCA reference, appendix A; run codes: ITU-T T.4, tables 2 and 3.

/// White runs of 0 to 63.
#[rustfmt::skip]
const WHITE: [&str; 64] = [
    "00110101", "000111", "0111", "1000", "1011", "1100", "1110", "1111", "10011", "10100", "00111", "01000",
    "001000", "000011", "110100", "110101", "101010", "101011", "0100111", "0001100", "0001000", "0010111",
    "0000011", "0000100", "0101000", "0101011", "0010011", "0100100", "0011000", "00000010", "00000011", "00011010",
    "00011011", "00010010", "00010011", "00010100", "00010101", "00010110", "00010111", "00101000", "00101001",
    "00101010", "00101011", "00101100", "00101101", "00000100", "00000101", "00001010", "00001011", "01010010",
    "01010011", "01010100", "01010101", "00100100", "00100101", "01011000", "01011001", "01011010", "01011011",
    "01001010", "01001011", "00110010", "00110011", "00110100",
];

/// Black runs of 0 to 63.
#[rustfmt::skip]
const BLACK: [&str; 64] = [
    "0000110111", "010", "11", "10", "011", "0011", "0010", "00011", "000101", "000100", "0000100", "0000101",
    "0000111", "00000100", "00000111", "000011000", "0000010111", "0000011000", "0000001000", "00001100111",
    "00001101000", "00001101100", "00000110111", "00000101000", "00000010111", "00000011000", "000011001010",
    "000011001011", "000011001100", "000011001101", "000001101000", "000001101001", "000001101010", "000001101011",
    "000011010010", "000011010011", "000011010100", "000011010101", "000011010110", "000011010111", "000001101100",
    "000001101101", "000011011010", "000011011011", "000001010100", "000001010101", "000001010110", "000001010111",
    "000001100100", "000001100101", "000001010010", "000001010011", "000000100100", "000000110111", "000000111000",
    "000000100111", "000000101000", "000001011000", "000001011001", "000000101011", "000000101100", "000001011010",
    "000001100110", "000001100111",
];

/// White runs of 64, 128, ... 1728, to which a run below 64 is added.
#[rustfmt::skip]
const WHITE_64S: [&str; 27] = [
    "11011", "10010", "010111", "0110111", "00110110", "00110111", "01100100", "01100101", "01101000", "01100111",
    "011001100", "011001101", "011010010", "011010011", "011010100", "011010101", "011010110", "011010111",
    "011011000", "011011001", "011011010", "011011011", "010011000", "010011001", "010011010", "011000",
    "010011011",
];

/// Black runs of 64, 128, ... 1728.
#[rustfmt::skip]
const BLACK_64S: [&str; 27] = [
    "0000001111", "000011001000", "000011001001", "000001011011", "000000110011", "000000110100", "000000110101",
    "0000001101100", "0000001101101", "0000001001010", "0000001001011", "0000001001100", "0000001001101",
    "0000001110010", "0000001110011", "0000001110100", "0000001110101", "0000001110110", "0000001110111",
    "0000001010010", "0000001010011", "0000001010100", "0000001010101", "0000001011010", "0000001011011",
    "0000001100100", "0000001100101",
];

/// Runs of 1792, 1856, ... 2560, of both colours.
#[rustfmt::skip]
const LONG_64S: [&str; 13] = [
    "00000001000", "00000001100", "00000001101", "000000010010", "000000010011", "000000010100", "000000010101",
    "000000010110", "000000010111", "000000011100", "000000011101", "000000011110", "000000011111",
];

/// End Of Line: eleven zeros and a one.
const EOL: (u32, u32) = (1, 12);
/// Horizontal mode of two-dimensional rows.
const HORIZONTAL: &str = "001";
/// Runs of one row; more are no picture.
const MAX_RUNS: usize = 1 << 17;

/// IBM MMR data in the words of Group 4: samples in a row, and the Group 4 data. `tagged` is whether End Of Lines have a tag bit
/// behind them, as those of T.4 have. `None` when the first row is no row.
pub fn ibm_mmr_as_group_4(data: &[u8], tagged: bool) -> Option<(u32, Vec<u8>)> {
    let mut source = Source { data, at: 0 };
    if source.skip_eol() && tagged {
        source.at += 1;
    }
    let mut out = Sink::default();
    let (mut width, mut runs) = (0u32, 0usize);
    loop {
        if runs % 2 == 0 {
            if source.peek(EOL.1) == EOL.0 || source.ended() {
                break;
            }
            out.push_code(HORIZONTAL);
        } else if source.peek(EOL.1) == EOL.0 || source.ended() {
            // A row may end white; the pair still needs its black run.
            out.push_code(BLACK.first()?);
            break;
        }
        width = width.checked_add(source.run(runs % 2 == 1, &mut out)?)?;
        runs += 1;
        if runs > MAX_RUNS {
            return None;
        }
    }
    if width == 0 {
        return None;
    }
    if source.skip_eol() && tagged {
        source.at += 1;
    }
    out.push_rest(&source);
    Some((width, out.bytes))
}

struct Source<'a> {
    data: &'a [u8],
    /// In bits.
    at: usize,
}

impl Source<'_> {
    /// The next bits (at most 24), zeros behind the end.
    fn peek(&self, count: u32) -> u32 {
        let byte = |at: usize| u32::from(self.data.get(at).copied().unwrap_or(0));
        let first = self.at / 8;
        let word = byte(first) << 24 | byte(first + 1) << 16 | byte(first + 2) << 8 | byte(first + 3);
        (word << (self.at % 8)) >> (32 - count)
    }

    fn ended(&self) -> bool {
        self.at >= self.data.len() * 8
    }

    fn skip_eol(&mut self) -> bool {
        let found = self.peek(EOL.1) == EOL.0;
        if found {
            self.at += 12;
        }
        found
    }

    /// Reads a run of one colour, and writes its codes.
    fn run(&mut self, black: bool, out: &mut Sink) -> Option<u32> {
        let (short, long) = if black { (&BLACK, &BLACK_64S) } else { (&WHITE, &WHITE_64S) };
        let mut length = 0u32;
        for _ in 0..MAX_RUNS {
            if self.ended() {
                return None;
            }
            if let Some(run) = self.code(short, out) {
                return length.checked_add(run);
            }
            let run = match self.code(long, out) {
                Some(step) => (step + 1) * 64,
                None => (self.code(&LONG_64S, out)? + 28) * 64,
            };
            length = length.checked_add(run)?;
        }
        None
    }

    /// The place in the table of the code that comes next.
    fn code(&mut self, table: &[&str], out: &mut Sink) -> Option<u32> {
        for (place, code) in table.iter().enumerate() {
            let (value, count) = bits(code);
            if self.peek(count) == value {
                self.at += code.len();
                out.push_code(code);
                return u32::try_from(place).ok();
            }
        }
        None
    }
}

fn bits(code: &str) -> (u32, u32) {
    code.bytes().fold((0, 0), |(value, count), digit| (value << 1 | u32::from(digit == b'1'), count + 1))
}

#[derive(Default)]
struct Sink {
    bytes: Vec<u8>,
    /// Bits of the last byte that are used; 0 when it is full.
    used: u32,
}

impl Sink {
    fn push(&mut self, bit: bool) {
        if self.used == 0 {
            self.bytes.push(0);
        }
        if bit && let Some(byte) = self.bytes.last_mut() {
            *byte |= 0x80 >> self.used;
        }
        self.used = (self.used + 1) % 8;
    }

    fn push_code(&mut self, code: &str) {
        code.bytes().for_each(|digit| self.push(digit == b'1'));
    }

    /// All that is left of the source.
    fn push_rest(&mut self, source: &Source<'_>) {
        let mut rest = Source { data: source.data, at: source.at };
        self.bytes.reserve(source.data.len().saturating_sub(source.at / 8) + 1);
        while !rest.ended() && self.used != 0 {
            self.push(rest.peek(1) == 1);
            rest.at += 1;
        }
        while !rest.ended() {
            self.bytes.push(u8::try_from(rest.peek(8)).unwrap_or(0));
            rest.at += 8;
        }
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // numbers of the tests' own
pub mod tests;
