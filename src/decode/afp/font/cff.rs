//! Writes the `CFF ` table: outlines as Type 2 charstrings.
//!
//! Source: Adobe Technical Notes 5176 (Compact Font Format) and 5177 (Type 2 charstring format).

use super::outline::{Outline, Segment};
use super::program::{Out, Shape, short};

/// Standard strings there are; the font's own are numbered from here.
const STANDARD_STRINGS: u16 = 391;
/// Numbers a charstring may have waiting for an operator.
const STACK: usize = 48;

/// The private dictionary: widths are given in full, and there are no hints.
const PRIVATE: [u8; 4] = [139, 20, 139, 21];

const HLINETO: u8 = 6;
const VLINETO: u8 = 7;
const RLINETO: u8 = 5;
const RRCURVETO: u8 = 8;
const ENDCHAR: u8 = 14;
const RMOVETO: u8 = 21;

/// The table for these glyphs, the first of which is `.notdef`. Others are called `g1`, `g2` ...
pub fn write(name: &str, em: u16, bounds: [i16; 4], glyphs: &[Shape]) -> Vec<u8> {
    let charstrings: Vec<Vec<u8>> = glyphs.iter().map(charstring).collect();
    let names: Vec<Vec<u8>> = (1..glyphs.len()).map(|n| format!("g{n}").into_bytes()).collect();
    let head = [&[1, 0, 4, 4][..], &index(&[name.as_bytes().to_vec()])].concat();
    let strings = index(&names);
    let global = index(&[]);
    let charset = charset(glyphs.len());
    let charstrings = index(&charstrings);
    // Offsets in the dictionary always take five bytes, so that its length does not depend on them.
    let place = |dict: usize| head.len() + dict + strings.len() + global.len();
    let length = index(&[dict(em, bounds, [0, 0, 0])]).len();
    let charset_at = place(length);
    let charstrings_at = charset_at + charset.len();
    let private_at = charstrings_at + charstrings.len();
    let dict = index(&[dict(em, bounds, [charset_at, charstrings_at, private_at])]);
    [head, dict, strings, global, charset, charstrings, PRIVATE.to_vec()].concat()
}

fn dict(em: u16, bounds: [i16; 4], [charset, charstrings, private]: [usize; 3]) -> Vec<u8> {
    let mut out = Vec::new();
    if em != 1000 {
        let scale = real(1.0 / f64::from(em));
        for number in [scale.as_slice(), &[139], &[139], &scale, &[139], &[139], &[12, 7]] {
            out.extend_from_slice(number);
        }
    }
    bounds.iter().for_each(|value| integer(&mut out, i32::from(*value)));
    out.push(5);
    offset(&mut out, charset);
    out.push(15);
    offset(&mut out, charstrings);
    out.push(17);
    integer(&mut out, 4);
    offset(&mut out, private);
    out.push(18);
    out
}

/// A real number in decimal digits, four bits each.
fn real(value: f64) -> Vec<u8> {
    let text = format!("{value:.12}");
    let digits = text.trim_start_matches('0').trim_end_matches('0');
    let mut nibbles: Vec<u8> = digits.bytes().map(|b| if b == b'.' { 0xA } else { b.wrapping_sub(b'0') }).collect();
    nibbles.push(0xF);
    if nibbles.len() % 2 == 1 {
        nibbles.push(0xF);
    }
    let pairs = nibbles.chunks(2).map(|pair| pair.iter().fold(0, |byte, nibble| byte << 4 | nibble));
    [30].into_iter().chain(pairs).collect()
}

/// A number of a dictionary that always takes five bytes.
fn offset(out: &mut Vec<u8>, value: usize) {
    out.push(29);
    out.extend_from_slice(&i32::try_from(value).unwrap_or(i32::MAX).to_be_bytes());
}

/// A number of a dictionary or charstring, between -32768 and 32767.
fn integer(out: &mut Vec<u8>, value: i32) {
    match value {
        -107..=107 => out.push(low_byte(value + 139)),
        108..=1131 => {
            let rest = value - 108;
            out.extend([low_byte((rest >> 8) + 247), low_byte(rest)]);
        }
        -1131..=-108 => {
            let rest = -value - 108;
            out.extend([low_byte((rest >> 8) + 251), low_byte(rest)]);
        }
        _ => {
            out.push(28);
            out.extend_from_slice(&short(f64::from(value)).to_be_bytes());
        }
    }
}

fn low_byte(value: i32) -> u8 {
    let [.., low] = value.to_be_bytes();
    low
}

/// A list of byte strings.
fn index(items: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Out::default();
    out.u16(u16::try_from(items.len()).unwrap_or(u16::MAX));
    if items.is_empty() {
        return out.0;
    }
    out.bytes(&[4]);
    let mut end = 1_u32;
    out.u32(end);
    for item in items {
        end = end.saturating_add(u32::try_from(item.len()).unwrap_or(u32::MAX));
        out.u32(end);
    }
    items.iter().for_each(|item| _ = out.bytes(item));
    out.0
}

/// All glyphs after the first are named by the font's own strings, in order.
fn charset(glyphs: usize) -> Vec<u8> {
    let mut out = Out::default();
    out.bytes(&[2]).u16(STANDARD_STRINGS).u16(u16::try_from(glyphs.saturating_sub(2)).unwrap_or(u16::MAX));
    out.0
}

/// A charstring, written from where the pen is.
struct Pen {
    out: Vec<u8>,
    at: [i32; 2],
    /// Numbers that wait for an operator, and which.
    waiting: Vec<i32>,
    operator: u8,
    /// The last number that waits is one of a horizontal line.
    across: bool,
}

fn charstring(glyph: &Shape) -> Vec<u8> {
    let mut pen = Pen { out: Vec::new(), at: [0, 0], waiting: Vec::new(), operator: 0, across: false };
    // The first operator takes the width before its own numbers; the nominal width is 0.
    if glyph.advance > 0 {
        integer(&mut pen.out, i32::from(glyph.advance.min(0x7FFF)));
    }
    pen.draw(&glyph.outline);
    pen.flush();
    pen.out.push(ENDCHAR);
    pen.out
}

impl Pen {
    fn draw(&mut self, outline: &Outline) {
        let mut start = [0, 0];
        let mut open = false;
        for (segment, next) in outline.0.iter().zip(outline.0.iter().map(Some).skip(1).chain([None])) {
            match *segment {
                Segment::Move(point) => {
                    start = rounded(point);
                    open = true;
                    self.go(start);
                }
                _ if !open => {}
                Segment::Line(point) => {
                    let point = rounded(point);
                    let last = matches!(next, None | Some(Segment::Move(_)));
                    // The contour closes itself.
                    if !(last && point == start) {
                        self.line(point);
                    }
                }
                Segment::Curve([a, b, c, d, e, f]) => self.curve([rounded([a, b]), rounded([c, d]), rounded([e, f])]),
            }
        }
    }

    /// The way from the pen to a point, within what a charstring's number holds; the pen is there then.
    fn step(&mut self, to: [i32; 2]) -> [i32; 2] {
        let [x, y] = self.at;
        let [tx, ty] = to;
        let step = [(tx - x).clamp(-32_000, 32_000), (ty - y).clamp(-32_000, 32_000)];
        let [dx, dy] = step;
        self.at = [x + dx, y + dy];
        step
    }

    fn go(&mut self, to: [i32; 2]) {
        self.flush();
        let step = self.step(to);
        step.iter().for_each(|value| integer(&mut self.out, *value));
        self.out.push(RMOVETO);
    }

    fn line(&mut self, to: [i32; 2]) {
        match self.step(to) {
            [0, 0] => {}
            [dx, 0] => self.straight(dx, true),
            [0, dy] => self.straight(dy, false),
            step => self.wait(RLINETO, &step),
        }
    }

    /// Horizontal and vertical lines in turn need one number each and one operator for all.
    fn straight(&mut self, length: i32, across: bool) {
        let continues = matches!(self.operator, HLINETO | VLINETO) && self.across != across;
        if !continues || self.waiting.len() == STACK {
            self.flush();
            self.operator = if across { HLINETO } else { VLINETO };
        }
        self.across = across;
        self.waiting.push(length);
    }

    fn curve(&mut self, [a, b, c]: [[i32; 2]; 3]) {
        let ([ax, ay], [bx, by], [cx, cy]) = (self.step(a), self.step(b), self.step(c));
        self.wait(RRCURVETO, &[ax, ay, bx, by, cx, cy]);
    }

    fn wait(&mut self, operator: u8, numbers: &[i32]) {
        if self.operator != operator || self.waiting.len() + numbers.len() > STACK {
            self.flush();
            self.operator = operator;
        }
        self.waiting.extend_from_slice(numbers);
    }

    fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        for value in std::mem::take(&mut self.waiting) {
            integer(&mut self.out, value);
        }
        self.out.push(self.operator);
        self.operator = 0;
    }
}

/// The nearest whole units, within what a font may have.
fn rounded([x, y]: [f64; 2]) -> [i32; 2] {
    [i32::from(short(x)), i32::from(short(y))]
}
