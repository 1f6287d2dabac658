//! Aztec Code.
//!
//! Rule: ISO/IEC 24778.

use super::data::Item;
use super::reed_solomon::Field;
use super::symbol::{Invalid, Matrix};

/// What the special-function parameters ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AztecOptions {
    /// Only compact symbols (true), only full-range ones (false), or whichever is smaller.
    pub compact: Option<bool>,
    /// Layers; 0: the fewest that do.
    pub layers: usize,
    /// Data that so many layers do not hold are refused; otherwise the symbol grows.
    pub keep_layers: bool,
    /// Share of check words in percent; 0: 23.
    pub checks: usize,
    /// FNC1 in front (GS1).
    pub gs1: bool,
    /// FNC1 behind this application indicator: up to 99 two digits, from 100 on a letter and 100.
    pub industry: Option<u8>,
    /// The data set up the reader.
    pub reader: bool,
    /// Structured append: number from 1, how many, identification.
    pub append: Option<(u8, u8, Vec<u8>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Upper,
    Lower,
    Mixed,
    Digit,
}

type Bits = Vec<bool>;

fn put(bits: &mut Bits, value: u32, count: u32) {
    bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
}

/// Encodes data.
pub fn aztec(items: &[Item], options: &AztecOptions) -> Result<Matrix, Invalid> {
    let data = message(items, options)?;
    let share = if options.checks == 0 { 23 } else { options.checks.clamp(5, 95) };
    let wanted = |layers: &usize| {
        options.layers == 0 || options.layers == *layers || (*layers > options.layers && !options.keep_layers)
    };
    let mut sizes: Vec<(bool, usize)> = Vec::new();
    if options.compact != Some(false) {
        sizes.extend((1..=if options.reader { 1 } else { 4 }).filter(wanted).map(|layers| (true, layers)));
    }
    if options.compact != Some(true) {
        sizes.extend((1..=if options.reader { 22 } else { 32 }).filter(wanted).map(|layers| (false, layers)));
    }
    sizes.sort_by_key(|(compact, layers)| (capacity(*compact, *layers), !compact));
    for (compact, layers) in sizes {
        let word = word_size(layers);
        let capacity = capacity(compact, layers);
        let stuffed = stuffed(&data, word);
        let usable = capacity - capacity % word;
        let checks = (capacity * share).div_ceil(100) + 3 * word;
        let too_many_words = compact && stuffed.len() > word * if options.reader { 32 } else { 64 };
        if !too_many_words && stuffed.len() + checks <= usable {
            let mode = mode_message(compact, layers, stuffed.len() / word, options.reader);
            return Ok(draw(&with_checks(&stuffed, capacity, word), &mode, compact, layers));
        }
    }
    Err("more data than the symbol holds")
}

/// A rune: only the core of a compact symbol, whose mode message holds a byte, every other bit changed over.
pub fn rune(byte: u8) -> Matrix {
    let mut bits = Bits::new();
    let values = [byte >> 4, byte & 15].map(u16::from);
    let checks = Field::new(4, 0x13).checks(&values, 5, 1);
    for value in values.into_iter().chain(checks) {
        put(&mut bits, u32::from(value) ^ 0b1010, 4);
    }
    let mut matrix = Matrix::new(11, 11);
    bulls_eye(&mut matrix, 5, 5);
    mode_ring(&mut matrix, &bits, 5, true);
    matrix
}

/// The bits of all data, with what stands in front of them.
fn message(items: &[Item], options: &AztecOptions) -> Result<Bits, Invalid> {
    const TO_MIXED_AND_BACK: [u32; 2] = [29, 29];
    let mut bits = Bits::new();
    let mut mode = Mode::Upper;
    let as_items = |bytes: &[u8]| bytes.iter().map(|byte| Item::Byte(*byte)).collect::<Vec<Item>>();
    if let Some((number, total, identification)) = &options.append {
        TO_MIXED_AND_BACK.iter().for_each(|latch| put(&mut bits, *latch, 5));
        let mut head = Vec::new();
        if !identification.is_empty() {
            head.extend([b" ", identification.as_slice(), b" "].concat());
        }
        head.extend([number, total].map(|number| b'A' + number.saturating_sub(1).min(25)));
        high_level(&as_items(&head), false, &mut mode, &mut bits);
        latch(&mut bits, mode, Mode::Upper);
        mode = Mode::Upper;
    }
    match options.industry {
        Some(indicator @ 0..=99) => {
            high_level(&as_items(format!("{indicator:02}").as_bytes()), false, &mut mode, &mut bits);
            fnc1(&mut bits, mode);
        }
        Some(letter) if (letter - 100).is_ascii_alphabetic() => {
            high_level(&as_items(&[letter - 100]), false, &mut mode, &mut bits);
            fnc1(&mut bits, mode);
        }
        Some(_) => return Err("an application indicator that is neither a letter nor two digits"),
        None if options.gs1 => fnc1(&mut bits, mode),
        None => {}
    }
    high_level(items, options.gs1, &mut mode, &mut bits);
    Ok(bits)
}

fn capacity(compact: bool, layers: usize) -> usize {
    (if compact { 88 } else { 112 } + 16 * layers) * layers
}

fn word_size(layers: usize) -> usize {
    match layers {
        0..=2 => 6,
        3..=8 => 8,
        9..=22 => 10,
        _ => 12,
    }
}

/// The text as bits: each character in the current mode, a latch to the mode that has it, punctuation by shift, all else as
/// bytes. `gs1`: a group separator is FNC1.
fn high_level(items: &[Item], gs1: bool, mode: &mut Mode, bits: &mut Bits) {
    const GS: u8 = 0x1D;
    let mut rest = items;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let ch = match first {
            Item::Eci(number) => {
                eci(bits, *mode, *number);
                continue;
            }
            Item::Byte(GS) if gs1 => {
                fnc1(bits, *mode);
                continue;
            }
            Item::Byte(ch) => *ch,
        };
        if let Some(value) = value_in(*mode, ch) {
            put(bits, value, width(*mode));
            continue;
        }
        let follows = |test: fn(u8) -> bool| matches!(tail.first(), Some(Item::Byte(next)) if test(*next));
        let target =
            [Mode::Upper, Mode::Lower, Mode::Digit, Mode::Mixed].into_iter().find(|mode| value_in(*mode, ch).is_some());
        if let (Mode::Lower | Mode::Digit, Some(Mode::Upper), false) =
            (*mode, target, follows(|next| next.is_ascii_uppercase()))
        {
            // One capital letter: a shift.
            put(bits, if *mode == Mode::Lower { 28 } else { 15 }, width(*mode));
            put(bits, value_in(Mode::Upper, ch).unwrap_or(0), 5);
        } else if let Some(target) = target {
            latch(bits, *mode, target);
            *mode = target;
            put(bits, value_in(target, ch).unwrap_or(0), width(target));
        } else if let Some(value) = punctuation(ch) {
            put(bits, 0, width(*mode));
            put(bits, value, 5);
        } else {
            let plain = |item: &&Item| matches!(item, Item::Byte(ch) if *ch >= 128);
            let count = 1 + tail.iter().take_while(plain).count();
            let run: Vec<u8> = super::data::bytes(&[&[*first], tail.get(..count - 1).unwrap_or_default()].concat());
            rest = tail.get(count - 1..).unwrap_or_default();
            if *mode == Mode::Digit {
                latch(bits, *mode, Mode::Upper);
                *mode = Mode::Upper;
            }
            byte_runs(bits, &run);
        }
    }
}

/// Binary shift: 31, then a length of 5 bits or of 11.
fn byte_runs(bits: &mut Bits, bytes: &[u8]) {
    for run in bytes.chunks(2078) {
        let count = u32::try_from(run.len()).unwrap_or(0);
        put(bits, 31, 5);
        if count < 32 {
            put(bits, count, 5);
        } else {
            put(bits, 0, 5);
            put(bits, count - 31, 11);
        }
        for byte in run {
            put(bits, u32::from(*byte), 8);
        }
    }
}

/// FLG(0) in punctuation.
fn fnc1(bits: &mut Bits, mode: Mode) {
    put(bits, 0, width(mode));
    put(bits, 0, 5);
    put(bits, 0, 3);
}

/// FLG(n) in punctuation, then the digits of the designator.
fn eci(bits: &mut Bits, mode: Mode, number: u32) {
    let digits = number.to_string();
    put(bits, 0, width(mode));
    put(bits, 0, 5);
    put(bits, u32::try_from(digits.len()).unwrap_or(0), 3);
    for digit in digits.bytes() {
        put(bits, u32::from(digit - b'0') + 2, 4);
    }
}

fn width(mode: Mode) -> u32 {
    if mode == Mode::Digit { 4 } else { 5 }
}

fn value_in(mode: Mode, ch: u8) -> Option<u32> {
    let number = u32::from(ch);
    match (mode, ch) {
        (Mode::Upper | Mode::Lower | Mode::Digit | Mode::Mixed, b' ') => Some(1),
        (Mode::Upper, b'A'..=b'Z') => Some(number - 65 + 2),
        (Mode::Lower, b'a'..=b'z') => Some(number - 97 + 2),
        (Mode::Digit, b'0'..=b'9') => Some(number - 48 + 2),
        (Mode::Digit, b',') => Some(12),
        (Mode::Digit, b'.') => Some(13),
        (Mode::Mixed, 1..=13) => Some(number + 1),
        (Mode::Mixed, 27..=31) => Some(number - 27 + 15),
        (Mode::Mixed, b'@') => Some(20),
        (Mode::Mixed, b'\\') => Some(21),
        (Mode::Mixed, b'^'..=b'`') => Some(number - 94 + 22),
        (Mode::Mixed, b'|') => Some(25),
        (Mode::Mixed, b'~') => Some(26),
        (Mode::Mixed, 127) => Some(27),
        _ => None,
    }
}

fn punctuation(ch: u8) -> Option<u32> {
    let number = u32::from(ch);
    match ch {
        b'!'..=b'/' => Some(number - 33 + 6),
        b':'..=b'?' => Some(number - 58 + 21),
        b'[' => Some(27),
        b']' => Some(28),
        b'{' => Some(29),
        b'}' => Some(30),
        _ => None,
    }
}

/// Changes the mode.
fn latch(bits: &mut Bits, from: Mode, to: Mode) {
    const TO_LOWER: u32 = 28;
    const TO_MIXED: u32 = 29;
    const TO_DIGIT: u32 = 30;
    const DIGIT_TO_UPPER: u32 = 14;
    const MIXED_TO_UPPER: u32 = 29;
    let mut at = from;
    if at == Mode::Digit && to != Mode::Digit {
        put(bits, DIGIT_TO_UPPER, 4);
        at = Mode::Upper;
    }
    match (at, to) {
        (Mode::Upper | Mode::Mixed, Mode::Lower) => put(bits, TO_LOWER, 5),
        (Mode::Upper | Mode::Lower, Mode::Mixed) => put(bits, TO_MIXED, 5),
        (Mode::Upper | Mode::Lower, Mode::Digit) => put(bits, TO_DIGIT, 5),
        (Mode::Mixed, Mode::Upper) => put(bits, MIXED_TO_UPPER, 5),
        (Mode::Mixed, Mode::Digit) => {
            put(bits, MIXED_TO_UPPER, 5);
            put(bits, TO_DIGIT, 5);
        }
        (Mode::Lower, Mode::Upper) => {
            put(bits, TO_DIGIT, 5);
            put(bits, DIGIT_TO_UPPER, 4);
        }
        _ => {}
    }
}

/// Words in which not all of the first bits are alike.
fn stuffed(bits: &[bool], word: usize) -> Bits {
    let mut out = Bits::new();
    let mut at = 0;
    while at < bits.len() {
        let take = |i: usize| bits.get(at + i).copied().unwrap_or(true);
        let head: Vec<bool> = (0..word - 1).map(take).collect();
        let all = |value: bool| head.iter().all(|bit| *bit == value);
        out.extend_from_slice(&head);
        if all(true) || all(false) {
            out.push(all(false));
            at += word - 1;
        } else {
            out.push(take(word - 1));
            at += word;
        }
    }
    out
}

fn with_checks(data: &[bool], capacity: usize, word: usize) -> Bits {
    let polynomial = match word {
        6 => 0x43,
        8 => 0x12D,
        10 => 0x409,
        _ => 0x1069,
    };
    let mut words: Vec<u16> =
        data.chunks(word).map(|bits| bits.iter().fold(0, |all, bit| all << 1 | u16::from(*bit))).collect();
    let count = capacity / word - words.len();
    let checks = Field::new(u32::try_from(word).unwrap_or(6), polynomial).checks(&words, count, 1);
    words.extend(checks);
    let mut bits = vec![false; capacity % word];
    for value in words {
        put(&mut bits, u32::from(value), u32::try_from(word).unwrap_or(6));
    }
    bits
}

/// The number of layers and of data words, with checks over GF(16). Symbols that set up the reader have a number of words that
/// cannot be, by its first bit.
fn mode_message(compact: bool, layers: usize, words: usize, reader: bool) -> Bits {
    let number = |value: usize| u32::try_from(value.saturating_sub(1)).unwrap_or(0);
    let width = if compact { 6 } else { 11 };
    let mut bits = Bits::new();
    put(&mut bits, number(layers), if compact { 2 } else { 5 });
    put(&mut bits, number(words) | u32::from(reader) << (width - 1), width);
    let values: Vec<u16> =
        bits.chunks(4).map(|bits| bits.iter().fold(0, |all, bit| all << 1 | u16::from(*bit))).collect();
    for check in Field::new(4, 0x13).checks(&values, if compact { 5 } else { 6 }, 1) {
        put(&mut bits, u32::from(check), 4);
    }
    bits
}

fn draw(bits: &[bool], mode: &[bool], compact: bool, layers: usize) -> Matrix {
    let base = if compact { 11 } else { 14 } + 4 * layers;
    let side = if compact { base } else { base + 1 + 2 * ((base / 2 - 1) / 15) };
    let center = side / 2;
    // Full symbols have lines of the reference grid between data lines.
    let line = |at: usize| {
        let half = base / 2;
        match (compact, at.checked_sub(half)) {
            (true, _) => at,
            (false, Some(out)) => center + out + out / 15 + 1,
            (false, None) => {
                let out = half - 1 - at;
                center - (out + out / 15) - 1
            }
        }
    };
    let mut matrix = Matrix::new(side, side);
    let mut start = 0;
    for layer in 0..layers {
        let row = (layers - layer) * 4 + if compact { 9 } else { 12 };
        for j in 0..row {
            for k in 0..2 {
                let dark = |part: usize| bits.get(start + part * row * 2 + j * 2 + k).copied().unwrap_or(false);
                let (near, along) = (line(layer * 2 + k), line(layer * 2 + j));
                let (far, back) = (line(base - 1 - layer * 2 - k), line(base - 1 - layer * 2 - j));
                matrix.set(near, along, dark(0));
                matrix.set(along, far, dark(1));
                matrix.set(far, back, dark(2));
                matrix.set(back, near, dark(3));
            }
        }
        start += row * 8;
    }
    if !compact {
        grid(&mut matrix, base, center);
    }
    bulls_eye(&mut matrix, center, if compact { 5 } else { 7 });
    mode_ring(&mut matrix, mode, center, compact);
    matrix
}

fn grid(matrix: &mut Matrix, base: usize, center: usize) {
    let side = matrix.width();
    let (mut i, mut out) = (0, 0);
    while i < base / 2 - 1 {
        for at in (center & 1..side).step_by(2) {
            for line in [center - out, center + out] {
                matrix.set(line, at, true);
                matrix.set(at, line, true);
            }
        }
        (i, out) = (i + 15, out + 16);
    }
}

fn bulls_eye(matrix: &mut Matrix, center: usize, size: usize) {
    for y in center - size..=center + size {
        for x in center - size..=center + size {
            let ring = x.abs_diff(center).max(y.abs_diff(center));
            matrix.set(x, y, ring % 2 == 0 && ring < size);
        }
    }
    let (low, high) = (center - size, center + size);
    for (x, y) in [(low, low), (low + 1, low), (low, low + 1), (high, low), (high, low + 1), (high, high - 1)] {
        matrix.set(x, y, true);
    }
}

fn mode_ring(matrix: &mut Matrix, bits: &[bool], center: usize, compact: bool) {
    let (count, out) = if compact { (7, 5) } else { (10, 7) };
    let bit = |at: usize| bits.get(at).copied().unwrap_or(false);
    for i in 0..count {
        // The middle of a side belongs to the reference grid of full symbols.
        let along = if compact { center - 3 + i } else { center - 5 + i + i / 5 };
        matrix.set(along, center - out, bit(i));
        matrix.set(center + out, along, bit(i + count));
        matrix.set(along, center + out, bit(3 * count - 1 - i));
        matrix.set(center - out, along, bit(4 * count - 1 - i));
    }
}
