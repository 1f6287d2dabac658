//! Type 1 fonts: the shapes in a PFB file.
//!
//! Only what shapes need is read: the encrypted part's subroutines and charstrings, and the font matrix. Hints are
//! passed over. Source: Adobe Type 1 Font Format, version 1.1, chapters 6 to 8.

use std::collections::HashMap;

use super::glyphname;
use super::outline::{Outline, Segment};

/// Subroutines within subroutines, as the format allows them.
const DEPTH_LIMIT: usize = 10;
/// Steps that one character may take; more is a loop.
const WORK_LIMIT: usize = 200_000;
/// Characters and subroutines of a font.
const ENTRIES_LIMIT: usize = 65_000;

/// A Type 1 font.
#[derive(Debug, Clone, Default)]
pub struct Type1 {
    subroutines: Vec<Vec<u8>>,
    charstrings: HashMap<Vec<u8>, Vec<u8>>,
    /// Takes units of the font to an em.
    matrix: Option<[f64; 6]>,
}

/// A character's shape and the width the font gives it, in font units.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawn {
    /// The shape.
    pub outline: Outline,
    /// The width.
    pub width: f64,
}

impl Type1 {
    /// Reads a font, with or without the segment headers of PFB; `None` when it has no characters.
    pub fn read(file: &[u8]) -> Option<Type1> {
        let whole = segments(file);
        let at = find(&whole, b"eexec")?;
        let clear = whole.get(..at)?;
        let private = decrypt_private(whole.get(at + 5..)?);
        let mut font = Type1 { matrix: matrix(clear), ..Type1::default() };
        font.read_private(&private);
        (!font.charstrings.is_empty()).then_some(font)
    }

    /// Subroutines without characters, for [`Type1::draw_code`].
    pub fn of_subroutines(subroutines: Vec<Vec<u8>>) -> Type1 {
        Type1 { subroutines, ..Type1::default() }
    }

    /// Units of the font in an em.
    pub fn em(&self) -> u16 {
        let em = self.matrix.map_or(1000.0, |[_, _, _, d, _, _]| 1.0 / d);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of ems")]
        let em = if em.is_finite() { em.round().clamp(16.0, 16_384.0) as u16 } else { 1000 };
        em
    }

    /// The names of its characters.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.charstrings.keys().map(Vec::as_slice)
    }

    /// The shape of a character. `work` is what all characters of a font may cost together, and is used up.
    pub fn draw(&self, name: &[u8], work: &mut usize) -> Option<Drawn> {
        self.draw_code(self.charstrings.get(name)?, work)
    }

    /// The shape that a decrypted charstring draws.
    pub fn draw_code(&self, code: &[u8], work: &mut usize) -> Option<Drawn> {
        let mut pen = Pen::new(self, (*work).min(WORK_LIMIT));
        let run = pen.run(code, 0);
        *work = work.saturating_sub(WORK_LIMIT.min(*work) - pen.work);
        run?;
        let drawn = Drawn { outline: Outline(pen.segments), width: pen.width };
        Some(self.upright(drawn))
    }

    /// A matrix that slants or widens is applied; the size is in [`Type1::em`].
    fn upright(&self, drawn: Drawn) -> Drawn {
        let Some([a, b, c, d, e, f]) = self.matrix else { return drawn };
        let em = f64::from(self.em());
        let plain = (a * em - 1.0).abs() < 1e-3 && (d * em - 1.0).abs() < 1e-3 && b == 0.0 && c == 0.0;
        if plain && e == 0.0 && f == 0.0 {
            return drawn;
        }
        let map = |[x, y]: [f64; 2]| [(a * x + c * y + e) * em, (b * x + d * y + f) * em];
        Drawn { outline: drawn.outline.mapped(map), width: drawn.width * a * em }
    }

    fn read_private(&mut self, private: &[u8]) {
        let mut tokens = Tokens { data: private, at: 0 };
        let mut extra = 4;
        let mut last: [&[u8]; 2] = [&[], &[]];
        let mut in_charstrings = false;
        while let Some(token) = tokens.next() {
            match token {
                b"/lenIV" => extra = tokens.next().and_then(number).unwrap_or(4),
                b"/CharStrings" => in_charstrings = true,
                // `dup 4 12 RD` and `/A 34 -|`: a length, and one blank before that many bytes.
                b"RD" | b"-|" => {
                    let [name, length] = last;
                    let Some(data) = number(length).and_then(|length| tokens.binary(length)) else { break };
                    let code = decrypt(data, 4330, extra);
                    if in_charstrings {
                        self.add_charstring(name, code);
                    } else {
                        self.add_subroutine(name, code);
                    }
                }
                b"end" if in_charstrings && !self.charstrings.is_empty() => break,
                _ => {}
            }
            let [_, before] = last;
            last = [before, token];
        }
    }

    fn add_charstring(&mut self, name: &[u8], code: Vec<u8>) {
        if let Some(name) = name.strip_prefix(b"/")
            && self.charstrings.len() < ENTRIES_LIMIT
        {
            self.charstrings.entry(name.to_vec()).or_insert(code);
        }
    }

    fn add_subroutine(&mut self, number_of: &[u8], code: Vec<u8>) {
        let Some(place) = number(number_of).filter(|place| *place < ENTRIES_LIMIT) else { return };
        if self.subroutines.len() <= place {
            self.subroutines.resize(place + 1, Vec::new());
        }
        if let Some(slot) = self.subroutines.get_mut(place) {
            *slot = code;
        }
    }
}

/// The parts of a PFB without their headers; other files as they are.
fn segments(file: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = file;
    while let [0x80, kind @ (1 | 2), a, b, c, d, tail @ ..] = rest {
        _ = kind;
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX).min(tail.len());
        let (part, after) = tail.split_at_checked(length).unwrap_or((tail, &[]));
        out.extend_from_slice(part);
        rest = after;
    }
    if out.is_empty() { file.to_vec() } else { out }
}

/// The encrypted part, which may be binary or hexadecimal.
fn decrypt_private(data: &[u8]) -> Vec<u8> {
    let start = data.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
    let data = data.get(start..).unwrap_or_default();
    let hex = data.get(..4).is_some_and(|head| head.iter().all(u8::is_ascii_hexdigit));
    if !hex {
        return decrypt(data, 55_665, 4);
    }
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let digits: Vec<u8> = data.iter().filter(|b| !b.is_ascii_whitespace()).map_while(digit).collect();
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    decrypt(&bytes, 55_665, 4)
}

/// Source: Type 1 Font Format, chapter 7. The first `extra` bytes are random.
pub fn decrypt(data: &[u8], key: u16, extra: usize) -> Vec<u8> {
    let mut key = key;
    let plain = data.iter().map(|&cipher| {
        let [high, _] = key.to_be_bytes();
        key = u16::from(cipher).wrapping_add(key).wrapping_mul(52_845).wrapping_add(22_719);
        cipher ^ high
    });
    plain.skip(extra).collect()
}

fn matrix(clear: &[u8]) -> Option<[f64; 6]> {
    let at = find(clear, b"/FontMatrix")?;
    let text: String = clear.get(at + 11..)?.iter().take(200).map(|b| char::from(*b)).collect();
    let inside = text.split_once(['[', '{'])?.1.split([']', '}']).next()?;
    let numbers: Vec<f64> = inside.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
    let matrix: [f64; 6] = numbers.try_into().ok()?;
    let [a, _, _, d, _, _] = matrix;
    (a.is_finite() && d.is_finite() && a > 0.0 && d > 0.0).then_some(matrix)
}

fn find(data: &[u8], what: &[u8]) -> Option<usize> {
    data.windows(what.len()).position(|window| window == what)
}

fn number(token: &[u8]) -> Option<usize> {
    std::str::from_utf8(token).ok()?.parse().ok()
}

/// Words of PostScript, as far as fonts need them.
struct Tokens<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let white = |b: &u8| b.is_ascii_whitespace() || *b == 0;
        let rest = self.data.get(self.at..)?;
        let skipped = rest.iter().position(|b| !white(b))?;
        let rest = rest.get(skipped..)?;
        let delimiter = |b: &u8| white(b) || b"/[]{}()<>%".contains(b);
        let length = rest.iter().skip(1).position(delimiter).map_or(rest.len(), |length| length + 1);
        self.at += skipped + length;
        rest.get(..length)
    }

    /// Bytes after the blank that ends the word before them.
    fn binary(&mut self, length: usize) -> Option<&'a [u8]> {
        let start = self.at.checked_add(1)?;
        let data = self.data.get(start..start.checked_add(length)?)?;
        self.at = start + length;
        Some(data)
    }
}

/// Runs charstrings. Every operation answers `None` when the character cannot be drawn.
struct Pen<'a> {
    font: &'a Type1,
    stack: Vec<f64>,
    /// What other subroutines leave for `pop`.
    results: Vec<f64>,
    at: [f64; 2],
    width: f64,
    segments: Vec<Segment>,
    open: bool,
    /// Points of a flex, collected between its first and last subroutine.
    flex: Option<Vec<[f64; 2]>>,
    /// Steps that are left.
    work: usize,
    done: bool,
    composed: bool,
}

impl<'a> Pen<'a> {
    fn new(font: &'a Type1, work: usize) -> Pen<'a> {
        Pen {
            font,
            stack: Vec::new(),
            results: Vec::new(),
            at: [0.0; 2],
            width: 0.0,
            segments: Vec::new(),
            open: false,
            flex: None,
            work,
            done: false,
            composed: false,
        }
    }

    fn run(&mut self, code: &[u8], depth: usize) -> Option<()> {
        let mut rest = code;
        while let Some((&byte, tail)) = rest.split_first() {
            if self.done || self.work == 0 {
                break;
            }
            self.work -= 1;
            rest = tail;
            if byte >= 32 {
                rest = self.push_number(byte, rest)?;
                continue;
            }
            match byte {
                // callsubr
                10 => self.call(depth)?,
                // return
                11 => break,
                12 => {
                    let (&second, tail) = rest.split_first()?;
                    rest = tail;
                    self.escaped(second)?;
                }
                _ => self.operate(byte)?,
            }
        }
        Some(())
    }

    fn push_number<'b>(&mut self, byte: u8, rest: &'b [u8]) -> Option<&'b [u8]> {
        let first = f64::from(byte);
        let (value, taken) = match byte {
            32..=246 => (first - 139.0, 0),
            247..=250 => ((first - 247.0) * 256.0 + f64::from(*rest.first()?) + 108.0, 1),
            251..=254 => (-(first - 251.0) * 256.0 - f64::from(*rest.first()?) - 108.0, 1),
            _ => (f64::from(i32::from_be_bytes(rest.get(..4)?.try_into().ok()?)), 4),
        };
        if self.stack.len() < 64 {
            self.stack.push(value);
        }
        rest.get(taken..)
    }

    fn call(&mut self, depth: usize) -> Option<()> {
        let number = whole(self.stack.pop()?)?;
        if depth >= DEPTH_LIMIT {
            return None;
        }
        let font = self.font;
        self.run(font.subroutines.get(number)?, depth + 1)
    }

    /// All numbers that wait, `N` of them; more are left over from bad fonts and ignored.
    fn take<const N: usize>(&mut self) -> Option<[f64; N]> {
        let numbers = self.stack.get(..N)?.try_into().ok();
        self.stack.clear();
        numbers
    }

    fn operate(&mut self, operator: u8) -> Option<()> {
        match operator {
            // hsbw
            13 => {
                let [side, width] = self.take()?;
                self.width = width;
                self.at = [side, 0.0];
            }
            // rmoveto, hmoveto, vmoveto
            21 => {
                let [dx, dy] = self.take()?;
                self.go(dx, dy);
            }
            22 => {
                let [dx] = self.take()?;
                self.go(dx, 0.0);
            }
            4 => {
                let [dy] = self.take()?;
                self.go(0.0, dy);
            }
            // rlineto, hlineto, vlineto
            5 => {
                let [dx, dy] = self.take()?;
                self.line(dx, dy);
            }
            6 => {
                let [dx] = self.take()?;
                self.line(dx, 0.0);
            }
            7 => {
                let [dy] = self.take()?;
                self.line(0.0, dy);
            }
            // rrcurveto, vhcurveto, hvcurveto
            8 => {
                let [a, b, c, d, e, f] = self.take()?;
                self.curve([a, b, c, d, e, f]);
            }
            30 => {
                let [b, c, d, e] = self.take()?;
                self.curve([0.0, b, c, d, e, 0.0]);
            }
            31 => {
                let [a, c, d, f] = self.take()?;
                self.curve([a, 0.0, c, d, 0.0, f]);
            }
            // closepath
            9 => {
                self.close();
                self.stack.clear();
            }
            // endchar
            14 => self.done = true,
            // Stem hints, and whatever fonts have no business to say.
            _ => self.stack.clear(),
        }
        Some(())
    }

    fn escaped(&mut self, operator: u8) -> Option<()> {
        match operator {
            // seac
            6 => {
                let [side, dx, dy, base, accent] = self.take()?;
                return self.compose(side, dx, dy, whole(base)?, whole(accent)?);
            }
            // sbw
            7 => {
                let [side, up, width, _] = self.take()?;
                self.width = width;
                self.at = [side, up];
            }
            // div
            12 => {
                let (below, above) = (self.stack.pop()?, self.stack.pop()?);
                self.stack.push(if below == 0.0 { 0.0 } else { above / below });
            }
            // callothersubr
            16 => return self.other(),
            // pop
            17 => {
                let value = self.results.pop().unwrap_or(0.0);
                self.stack.push(value);
            }
            // setcurrentpoint: the flex has moved the pen there already.
            _ => self.stack.clear(),
        }
        Some(())
    }

    /// Source: Type 1 Font Format, chapter 8: flex (0 to 2). Of hint replacement (3) and others,
    /// `pop` gets back what was given.
    fn other(&mut self) -> Option<()> {
        let number = whole(self.stack.pop()?)?;
        let count = whole(self.stack.pop()?)?;
        let first = self.stack.len().checked_sub(count)?;
        let numbers = self.stack.split_off(first);
        match number {
            1 => {
                self.start();
                self.flex = Some(Vec::new());
            }
            2 => {}
            0 => {
                self.end_flex();
                self.results = vec![numbers.get(2).copied()?, numbers.get(1).copied()?];
            }
            _ => self.results = numbers.into_iter().rev().collect(),
        }
        Some(())
    }

    /// The first of the seven points only says where the flex is measured from.
    fn end_flex(&mut self) {
        let points = self.flex.take().unwrap_or_default();
        if let [_, a, b, c, d, e, f] = points.as_slice() {
            for [[ax, ay], [bx, by], [cx, cy]] in [[*a, *b, *c], [*d, *e, *f]] {
                self.segments.push(Segment::Curve([ax, ay, bx, by, cx, cy]));
            }
        }
    }

    /// A letter and its accent, both from StandardEncoding.
    fn compose(&mut self, side: f64, dx: f64, dy: f64, base: usize, accent: usize) -> Option<()> {
        if self.composed {
            return None;
        }
        let (letter, mark) = (self.part(base)?, self.part(accent)?);
        // The accent's own left side stands where the composed character's would.
        let [origin, _] = self.at;
        self.segments.extend(letter);
        self.segments.extend(Outline(mark).moved([origin - side + dx, dy]).0);
        self.open = false;
        self.done = true;
        Some(())
    }

    fn part(&mut self, code: usize) -> Option<Vec<Segment>> {
        let name = glyphname::standard(u8::try_from(code).ok()?)?;
        let font = self.font;
        let mut pen = Pen { composed: true, ..Pen::new(font, self.work) };
        let run = pen.run(font.charstrings.get(name.as_bytes())?, 0);
        self.work = pen.work;
        run?;
        Some(pen.segments)
    }

    fn go(&mut self, dx: f64, dy: f64) {
        self.shift(dx, dy);
        match &mut self.flex {
            Some(points) if points.len() < 7 => points.push(self.at),
            Some(_) => {}
            None => self.open = false,
        }
    }

    fn shift(&mut self, dx: f64, dy: f64) {
        let [x, y] = self.at;
        self.at = [x + dx, y + dy];
    }

    /// A contour starts where the pen is, unless one is open.
    fn start(&mut self) {
        if !self.open {
            self.open = true;
            self.segments.push(Segment::Move(self.at));
        }
    }

    fn line(&mut self, dx: f64, dy: f64) {
        self.start();
        self.shift(dx, dy);
        self.segments.push(Segment::Line(self.at));
    }

    fn curve(&mut self, [a, b, c, d, e, f]: [f64; 6]) {
        self.start();
        let [x, y] = self.at;
        let ([ax, ay], [bx, by]) = ([x + a, y + b], [x + a + c, y + b + d]);
        self.at = [bx + e, by + f];
        let [cx, cy] = self.at;
        self.segments.push(Segment::Curve([ax, ay, bx, by, cx, cy]));
    }

    fn close(&mut self) {
        self.open = false;
    }
}

fn whole(value: f64) -> Option<usize> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against the range")]
    let whole = (0.0..1e6).contains(&value).then_some(value as usize);
    whole
}

#[cfg(test)]
mod tests;
