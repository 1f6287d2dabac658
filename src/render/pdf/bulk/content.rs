//! Writes one page's content stream with as few bytes as it takes.
//!
//! Positions are in 1/1000 point: the page model's unit is exactly five of them, so nothing is ever rounded away.

use crate::page::{Cap, Color, Join};

/// The largest coordinate that is written, in 1/1000 point; what lies beyond is off any paper.
const FAR: i64 = 30_000_000;

/// A content stream and the graphics state that its reader has at this place.
#[derive(Debug, Default)]
pub struct Content {
    bytes: Vec<u8>,
    in_text: bool,
    /// Start of the current line in the current text object; `None` after a rotated one.
    line: Option<(i64, i64)>,
    state: State,
    /// States of the reader that come back.
    saved: Vec<State>,
}

/// Graphics state that lasts until it is changed or an earlier one comes back.
#[derive(Debug, Clone)]
struct State {
    leading: i64,
    font: Option<(u16, i64)>,
    stretch: i64,
    spacing: i64,
    fill: Color,
    /// Colour, width, dashes, ends and joins.
    stroke: (Color, i64, Vec<i64>, (Cap, Join)),
}

impl Default for State {
    fn default() -> State {
        let stroke = (Color::BLACK, 1000, Vec::new(), Default::default());
        State { leading: 0, font: None, stretch: 1000, spacing: 0, fill: Color::BLACK, stroke }
    }
}

/// How an outline is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Pen<'p> {
    /// Colour.
    pub color: Color,
    /// Width in 1/1000 point.
    pub width: i64,
    /// Dashes and gaps in turn, in 1/1000 point.
    pub dash: &'p [i64],
    /// Ends and joins.
    pub ends: (Cap, Join),
}

/// How text is set: state that lasts until it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// Number of the font in the file.
    pub subset: u16,
    /// Size in 1/1000 point.
    pub size: i64,
    /// Horizontal stretch in 1/1000; 1000 is natural.
    pub stretch: i64,
    /// Blank after each character in 1/1000 point.
    pub spacing: i64,
    /// Colour.
    pub color: Color,
}

impl Content {
    /// Forgets everything; keeps the buffer.
    pub fn reset(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        *self = Content { bytes, ..Content::default() };
    }

    /// Ends the page and gives its bytes.
    pub fn finish(&mut self) -> &[u8] {
        self.end_text();
        &self.bytes
    }

    /// Draws a form or picture by its number.
    pub fn invoke(&mut self, number: usize) {
        self.end_text();
        self.bytes.extend_from_slice(format!("/X{number} Do\n").as_bytes());
    }

    /// Keeps the graphics state until [`Content::restore`].
    pub fn save(&mut self) {
        self.end_text();
        self.bytes.extend_from_slice(b"q\n");
        self.saved.push(self.state.clone());
    }

    /// Brings the graphics state back.
    pub fn restore(&mut self) {
        self.end_text();
        if let Some(state) = self.saved.pop() {
            self.bytes.extend_from_slice(b"Q\n");
            self.state = state;
        }
    }

    /// What follows is drawn in the unit square's image under this matrix, in 1/1000 point.
    pub fn square(&mut self, matrix: [i64; 6]) {
        self.path(&matrix, "cm");
    }

    /// What follows is drawn turned by quarter turns clockwise about its origin, which moves to a place.
    pub fn turn(&mut self, (x, y): (i64, i64), turns: u8) {
        self.end_text();
        self.bytes.extend_from_slice(matrix(turns));
        self.pair(x, y);
        self.bytes.extend_from_slice(b" cm\n");
    }

    /// What follows is painted only inside a rectangle; `y` is its bottom.
    pub fn clip(&mut self, rectangle: [i64; 4]) {
        self.path(&rectangle, "re W n");
    }

    /// The fill colour of what follows.
    pub fn fill(&mut self, color: Color) {
        self.end_text();
        self.set_fill(color);
    }

    /// Fills a rectangle; `y` is its bottom.
    pub fn rectangle(&mut self, [x, y, width, height]: [i64; 4], color: Color) {
        self.end_text();
        self.set_fill(color);
        for value in [x, y, width, height] {
            self.number(value);
            self.bytes.push(b' ');
        }
        self.bytes.extend_from_slice(b"re f\n");
    }

    /// One path operator with its operands, such as `m`, `l`, `c`, `h`.
    pub fn path(&mut self, operands: &[i64], operator: &str) {
        self.end_text();
        for value in operands {
            self.number(*value);
            self.bytes.push(b' ');
        }
        self.bytes.extend_from_slice(operator.as_bytes());
        self.bytes.push(b'\n');
    }

    /// Sets colours and the pen for the next path and gives the operator that paints it.
    pub fn paint(&mut self, fill: Option<Color>, even_odd: bool, pen: Option<Pen<'_>>) -> &'static str {
        self.end_text();
        if let Some(color) = fill {
            self.set_fill(color);
        }
        if let Some(pen) = pen {
            self.set_pen(pen);
        }
        match (fill.is_some(), pen.is_some(), even_odd) {
            (true, true, false) => "B",
            (true, true, true) => "B*",
            (true, false, false) => "f",
            (true, false, true) => "f*",
            (false, true, _) => "S",
            (false, false, _) => "n",
        }
    }

    fn set_pen(&mut self, pen: Pen<'_>) {
        if self.state.stroke.0 != pen.color {
            self.state.stroke.0 = pen.color;
            self.color(pen.color, ["G", "RG"]);
        }
        if self.state.stroke.1 != pen.width {
            self.state.stroke.1 = pen.width;
            self.number(pen.width);
            self.bytes.extend_from_slice(b" w\n");
        }
        if self.state.stroke.2 != pen.dash {
            self.state.stroke.2 = pen.dash.to_vec();
            self.bytes.push(b'[');
            for length in pen.dash {
                self.number(*length);
                self.bytes.push(b' ');
            }
            self.bytes.extend_from_slice(b"]0 d\n");
        }
        if self.state.stroke.3 != pen.ends {
            self.state.stroke.3 = pen.ends;
            self.bytes.extend_from_slice(match pen.ends.0 {
                Cap::Flat => b"0 J ",
                Cap::Round => b"1 J ",
                Cap::Square => b"2 J ",
            });
            self.bytes.extend_from_slice(match pen.ends.1 {
                Join::Miter => b"0 j\n",
                Join::Round => b"1 j\n",
                Join::Bevel => b"2 j\n",
            });
        }
    }

    /// Shows already encoded one-byte text at a place on the page.
    pub fn show(&mut self, at: (i64, i64), style: TextStyle, text: &[u8]) {
        self.start_text();
        self.set_style(style);
        let next_line = self.go(at);
        self.string(text);
        self.bytes.extend_from_slice(if next_line { b"'\n" } else { b"Tj\n" });
    }

    /// Shows text along a direction given in quarter turns clockwise.
    pub fn show_turned(&mut self, (x, y): (i64, i64), turns: u8, style: TextStyle, text: &[u8]) {
        self.start_text();
        self.set_style(style);
        self.turn_text((x, y), turns);
        self.string(text);
        self.bytes.extend_from_slice(b"Tj\n");
    }

    /// Shows text with corrections: each is a place in `text` and what the pen moves back there, in 1/1000 of the font size.
    pub fn show_corrected(
        &mut self,
        at: (i64, i64),
        turns: u8,
        style: TextStyle,
        text: &[u8],
        corrections: &[(usize, i32)],
    ) {
        self.start_text();
        self.set_style(style);
        if !turns.is_multiple_of(4) {
            self.turn_text(at, turns);
        } else if self.go(at) {
            // The quote operator takes no corrections.
            self.bytes.extend_from_slice(b"T*");
        }
        let mut from = 0;
        self.bytes.push(b'[');
        for (place, correction) in corrections {
            if *place > from {
                self.string(text.get(from..*place).unwrap_or_default());
            }
            from = *place;
            self.bytes.extend_from_slice(correction.to_string().as_bytes());
        }
        self.string(text.get(from..).unwrap_or_default());
        self.bytes.extend_from_slice(b"]TJ\n");
    }

    fn turn_text(&mut self, (x, y): (i64, i64), turns: u8) {
        self.bytes.extend_from_slice(matrix(turns));
        self.pair(x, y);
        self.bytes.extend_from_slice(b" Tm");
        self.line = None;
    }

    /// Moves the start of the line; says whether the quote operator does the rest of the move.
    fn go(&mut self, (x, y): (i64, i64)) -> bool {
        let (x, y) = (x.clamp(-FAR, FAR), y.clamp(-FAR, FAR));
        let Some((from_x, from_y)) = self.line.replace((x, y)) else {
            self.bytes.extend_from_slice(b"1 0 0 1 ");
            self.pair(x, y);
            self.bytes.extend_from_slice(b" Tm");
            return false;
        };
        let (dx, dy) = (x - from_x, y - from_y);
        match (dx, dy) {
            (0, 0) => false,
            (0, dy) if dy == -self.state.leading => true,
            (0, dy) if dy < 0 => {
                self.state.leading = -dy;
                self.pair(0, dy);
                self.bytes.extend_from_slice(b" TD");
                false
            }
            _ => {
                self.pair(dx, dy);
                self.bytes.extend_from_slice(b" Td");
                false
            }
        }
    }

    fn set_style(&mut self, style: TextStyle) {
        if self.state.font != Some((style.subset, style.size)) {
            self.state.font = Some((style.subset, style.size));
            self.bytes.extend_from_slice(format!("/F{} ", style.subset).as_bytes());
            self.number(style.size);
            self.bytes.extend_from_slice(b" Tf\n");
        }
        if self.state.stretch != style.stretch {
            self.state.stretch = style.stretch;
            // Tz counts in percent: 1000 here is 100 there.
            self.number(style.stretch * 100);
            self.bytes.extend_from_slice(b" Tz\n");
        }
        if self.state.spacing != style.spacing {
            self.state.spacing = style.spacing;
            self.number(style.spacing);
            self.bytes.extend_from_slice(b" Tc\n");
        }
        self.set_fill(style.color);
    }

    fn set_fill(&mut self, color: Color) {
        if self.state.fill != color {
            self.state.fill = color;
            self.color(color, ["g", "rg"]);
        }
    }

    fn color(&mut self, color: Color, [gray, rgb]: [&str; 2]) {
        let share = |level: u8| (i64::from(level) * 1000 + 127) / 255;
        let levels = [color.r, color.g, color.b];
        let plain = color.r == color.g && color.g == color.b;
        for level in levels.iter().take(if plain { 1 } else { 3 }) {
            self.number(share(*level));
            self.bytes.push(b' ');
        }
        self.bytes.extend_from_slice(if plain { gray } else { rgb }.as_bytes());
        self.bytes.push(b'\n');
    }

    fn start_text(&mut self) {
        if !self.in_text {
            self.in_text = true;
            self.bytes.extend_from_slice(b"BT\n");
            self.line = Some((0, 0));
        }
    }

    fn end_text(&mut self) {
        if self.in_text {
            self.in_text = false;
            self.bytes.extend_from_slice(b"ET\n");
        }
    }

    fn pair(&mut self, x: i64, y: i64) {
        self.number(x);
        self.bytes.push(b' ');
        self.number(y);
    }

    fn string(&mut self, text: &[u8]) {
        self.bytes.push(b'(');
        let mut plain = 0;
        for (at, byte) in text.iter().enumerate() {
            let escape = match byte {
                b'(' | b')' | b'\\' => *byte,
                b'\r' => b'r',
                _ => continue,
            };
            self.bytes.extend_from_slice(text.get(plain..at).unwrap_or_default());
            self.bytes.extend_from_slice(&[b'\\', escape]);
            plain = at + 1;
        }
        self.bytes.extend_from_slice(text.get(plain..).unwrap_or_default());
        self.bytes.push(b')');
    }

    /// Writes thousandths as a decimal number without needless digits.
    fn number(&mut self, thousandths: i64) {
        let value = thousandths.clamp(-FAR, FAR);
        let (whole, rest) = (value.unsigned_abs() / 1000, value.unsigned_abs() % 1000);
        if value < 0 {
            self.bytes.push(b'-');
        }
        let mut digits = [0_u8; 8];
        let mut at = digits.len();
        let mut left = whole;
        while left > 0 {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
        }
        self.bytes.extend_from_slice(&digits[at..]);
        if rest == 0 {
            if whole == 0 {
                self.bytes.push(b'0');
            }
            return;
        }
        let decimals = [b'.', b'0' + (rest / 100) as u8, b'0' + (rest / 10 % 10) as u8, b'0' + (rest % 10) as u8];
        let used = if rest % 100 == 0 {
            2
        } else if rest % 10 == 0 {
            3
        } else {
            4
        };
        self.bytes.extend_from_slice(&decimals[..used]);
    }
}

/// A turn clockwise, as the first numbers of a matrix.
fn matrix(turns: u8) -> &'static [u8] {
    match turns % 4 {
        0 => b"1 0 0 1 ",
        1 => b"0 -1 1 0 ",
        2 => b"-1 0 0 -1 ",
        _ => b"0 1 -1 0 ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: TextStyle = TextStyle { subset: 0, size: 12_000, stretch: 1000, spacing: 0, color: Color::BLACK };

    #[test]
    fn equal_lines_need_only_the_quote_operator() {
        let mut content = Content::default();
        content.reset();
        content.show((36_000, 700_000), STYLE, b"one");
        content.show((36_000, 688_000), STYLE, b"t(w)o");
        content.show((36_000, 676_000), STYLE, b"three");
        let text = String::from_utf8_lossy(content.finish()).into_owned();
        assert_eq!(text, "BT\n/F0 12 Tf\n36 700 Td(one)Tj\n0 -12 TD(t\\(w\\)o)Tj\n(three)'\nET\n");
    }

    #[test]
    fn the_state_that_comes_back_is_known() {
        let red = Color { r: 255, g: 0, b: 0 };
        let mut content = Content::default();
        content.reset();
        content.save();
        content.rectangle([0, 0, 1000, 1000], red);
        content.restore();
        content.rectangle([0, 0, 1000, 1000], red);
        let text = String::from_utf8_lossy(content.finish()).into_owned();
        assert_eq!(text, "q\n1 0 0 rg\n0 0 1 1 re f\nQ\n1 0 0 rg\n0 0 1 1 re f\n");
    }

    #[test]
    fn corrections_stand_between_the_letters() {
        let mut content = Content::default();
        content.reset();
        content.show_corrected((0, 0), 0, STYLE, b"AVA", &[(1, 80), (2, -12)]);
        let text = String::from_utf8_lossy(content.finish()).into_owned();
        assert_eq!(text, "BT\n/F0 12 Tf\n[(A)80(V)-12(A)]TJ\nET\n");
    }

    #[test]
    fn numbers_are_short_and_exact() {
        for (value, text) in
            [(0, "0"), (5, ".005"), (-5, "-.005"), (12_500, "12.5"), (-720_010, "-720.01"), (i64::MAX, "30000")]
        {
            let mut content = Content::default();
            content.number(value);
            assert_eq!(String::from_utf8_lossy(&content.bytes), text);
        }
    }
}
