//! Writes one page's content stream with as few bytes as it takes.
//!
//! Positions are in 1/1000 point: the page model's unit is exactly five of them, so nothing is ever rounded away.

use crate::page::Color;

/// The largest coordinate that is written, in 1/1000 point; what lies beyond is off any paper.
const FAR: i64 = 30_000_000;

/// A content stream and the graphics state that its reader has at this place.
#[derive(Debug, Default)]
pub struct Content {
    bytes: Vec<u8>,
    in_text: bool,
    /// Start of the current line in the current text object; `None` after a rotated one.
    line: Option<(i64, i64)>,
    leading: i64,
    font: Option<(u16, i64)>,
    stretch: i64,
    spacing: i64,
    fill: Color,
    stroke: Option<(Color, i64)>,
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
        *self = Content { bytes, stretch: 1000, ..Content::default() };
    }

    /// Ends the page and gives its bytes.
    pub fn finish(&mut self) -> &[u8] {
        self.end_text();
        &self.bytes
    }

    /// Draws a form by its number.
    pub fn form(&mut self, number: usize) {
        self.end_text();
        self.bytes.extend_from_slice(format!("/X{number} Do\n").as_bytes());
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

    /// Sets colours (and the line width, in 1/1000 point) for the next path and gives the operator that paints it.
    pub fn paint(&mut self, fill: Option<Color>, stroke: Option<(Color, i64)>) -> &'static str {
        self.end_text();
        if let Some(color) = fill {
            self.set_fill(color);
        }
        if let Some((color, width)) = stroke
            && self.stroke != Some((color, width))
        {
            self.color(color, ["G", "RG"]);
            self.number(width);
            self.bytes.extend_from_slice(b" w\n");
            self.stroke = Some((color, width));
        }
        match (fill, stroke) {
            (Some(_), Some(_)) => "B",
            (Some(_), None) => "f",
            (None, Some(_)) => "S",
            (None, None) => "n",
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
        let matrix: &[u8] = match turns % 4 {
            0 => b"1 0 0 1 ",
            1 => b"0 -1 1 0 ",
            2 => b"-1 0 0 -1 ",
            _ => b"0 1 -1 0 ",
        };
        self.bytes.extend_from_slice(matrix);
        self.pair(x, y);
        self.bytes.extend_from_slice(b" Tm");
        self.line = None;
        self.string(text);
        self.bytes.extend_from_slice(b"Tj\n");
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
            (0, dy) if dy == -self.leading => true,
            (0, dy) if dy < 0 => {
                self.leading = -dy;
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
        if self.font != Some((style.subset, style.size)) {
            self.font = Some((style.subset, style.size));
            self.bytes.extend_from_slice(format!("/F{} ", style.subset).as_bytes());
            self.number(style.size);
            self.bytes.extend_from_slice(b" Tf\n");
        }
        if self.stretch != style.stretch {
            self.stretch = style.stretch;
            // Tz counts in percent: 1000 here is 100 there.
            self.number(style.stretch * 100);
            self.bytes.extend_from_slice(b" Tz\n");
        }
        if self.spacing != style.spacing {
            self.spacing = style.spacing;
            self.number(style.spacing);
            self.bytes.extend_from_slice(b" Tc\n");
        }
        self.set_fill(style.color);
    }

    fn set_fill(&mut self, color: Color) {
        if self.fill != color {
            self.fill = color;
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
