//! What the encoders of all symbologies hand over.

/// Why data makes no symbol; for the report, without any of the data.
pub type Invalid = &'static str;

/// One or more rows of bars of different heights or a matrix, before sizes are known.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// Bars and spaces in turn, a bar first, in modules; all of one height.
    Linear(Vec<f64>),
    /// The same with bars that reach further down (guards of EAN and UPC) or start lower (supplements).
    Retail(Vec<Bar>),
    /// Bars of one width at equal distances, each of one of four kinds or of two.
    Postal(Vec<PostalBar>),
    /// Square or oblong modules in rows.
    Matrix(Matrix),
    /// Modules in rows of different heights.
    Stack(Stack),
    /// Hexagons in 33 rows of 30 about a bull's eye.
    Hexagons(Matrix),
}

/// A bar of an EAN or UPC symbol, in modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Left edge.
    pub at: u16,
    /// Width.
    pub width: u16,
    /// A guard: reaches below the others.
    pub guard: bool,
    /// Part of a supplement: starts lower, to leave room for its digits.
    pub supplement: bool,
}

/// A bar of a postal code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostalBar {
    /// Full height.
    Full,
    /// From the middle up.
    Ascender,
    /// From the middle down.
    Descender,
    /// The middle only.
    Tracker,
    /// POSTNET and PLANET: from the bottom, half height.
    Half,
}

impl PostalBar {
    /// By the digits 0 to 3 that most specifications use: full, ascender, descender, tracker.
    pub fn of(digit: u8) -> PostalBar {
        match digit {
            0 => PostalBar::Full,
            1 => PostalBar::Ascender,
            2 => PostalBar::Descender,
            _ => PostalBar::Tracker,
        }
    }
}

/// Rows of modules and their heights, in modules.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// The rows.
    pub matrix: Matrix,
    /// The height of each.
    pub heights: Vec<f64>,
}

/// Modules, dark or light, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    width: usize,
    modules: Vec<bool>,
}

impl Matrix {
    /// All light.
    pub fn new(width: usize, height: usize) -> Matrix {
        Matrix { width: width.max(1), modules: vec![false; width.max(1) * height] }
    }

    /// Of rows; shorter ones end light.
    pub fn of_rows(rows: &[Vec<bool>]) -> Matrix {
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut matrix = Matrix::new(width, rows.len());
        for (y, row) in rows.iter().enumerate() {
            row.iter().enumerate().for_each(|(x, dark)| matrix.set(x, y, *dark));
        }
        matrix
    }

    /// Modules in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.modules.len() / self.width
    }

    /// Whether a module is dark; outside all are light.
    pub fn dark(&self, x: usize, y: usize) -> bool {
        x < self.width && self.modules.get(y * self.width + x).copied().unwrap_or(false)
    }

    /// Sets a module; outside nothing happens.
    pub fn set(&mut self, x: usize, y: usize, dark: bool) {
        if x < self.width
            && let Some(module) = self.modules.get_mut(y * self.width + x)
        {
            *module = dark;
        }
    }
}

/// Digits out of characters; `Err` when there are others, or none.
pub fn digits(text: &[u8]) -> Result<Vec<u8>, Invalid> {
    if text.is_empty() {
        return Err("no data");
    }
    text.iter()
        .map(|ch| if ch.is_ascii_digit() { Ok(ch - b'0') } else { Err("a character that is no digit") })
        .collect()
}

/// The check digit of EAN, UPC and the 2-of-5 codes: weights 3 and 1 in turn from the right.
pub fn mod10(digits: &[u8]) -> u8 {
    let sum: u32 = digits.iter().rev().enumerate().map(|(i, d)| u32::from(*d) * if i % 2 == 0 { 3 } else { 1 }).sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

/// Digits as text.
pub fn text_of(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit % 10)).collect()
}
