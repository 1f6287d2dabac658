//! Backspaces and tabulators in a line of text: turned into plain lines that overprint each other.
//!
//! `c BS c` is bold and `_ BS c` underlined (nroff, groff, lp). Each struck character goes to the first layer that is
//! free at its column, so that `F BS F i` becomes the layers `Fi` and `F`.

use crate::decode::rows::STRIKES_PER_CELL;
use crate::frame::codepage::{Cell, CodePage};

/// Tabulators stop at every eighth column.
const TAB: usize = 8;

/// Columns beyond which a tabulator moves no further.
const TAB_LIMIT: usize = 32_000;

/// The layers of one line; reused from line to line.
#[derive(Debug, Default)]
pub struct Layers {
    layers: Vec<Layer>,
    cells: Vec<Cell>,
    /// Characters that found no free layer.
    pub dropped: u64,
}

#[derive(Debug, Default)]
struct Layer {
    bytes: Vec<u8>,
    columns: usize,
}

/// The codes of backspace and tabulator.
pub fn moves(ebcdic: bool) -> (u8, u8) {
    if ebcdic { (0x16, 0x05) } else { (0x08, 0x09) }
}

/// Whether a line needs [`Layers`].
#[inline]
pub fn has_moves(line: &[u8], ebcdic: bool) -> bool {
    let (back, tab) = moves(ebcdic);
    memchr::memchr2(back, tab, line).is_some()
}

impl Layers {
    /// Takes one line apart. Afterwards [`Layers::iter`] gives what is struck, first layer first.
    pub fn split(&mut self, line: &[u8], cp: &'static CodePage) {
        let ebcdic = cp.is_ebcdic();
        let (back, tab) = moves(ebcdic);
        self.dropped = 0;
        for layer in &mut self.layers {
            layer.bytes.clear();
            layer.columns = 0;
        }
        let mut rest = line;
        let mut column: usize = 0;
        while let Some(first) = rest.first() {
            let size = if ebcdic { 1 } else { character_size(rest, cp) };
            let (character, later) = rest.split_at(size.min(rest.len()));
            rest = later;
            if *first == back {
                column = column.saturating_sub(1);
            } else if *first == tab {
                column = (column / TAB + 1).saturating_mul(TAB).min(TAB_LIMIT.max(column));
            } else if *first == cp.blank() || *first == 0 {
                column += 1;
            } else {
                let width = self.width(character, cp);
                self.strike(column, character, width, cp.blank());
                column += width;
            }
        }
    }

    /// The layers that have text.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.layers.iter().map(|layer| layer.bytes.as_slice()).filter(|bytes| !bytes.is_empty())
    }

    fn width(&mut self, character: &[u8], cp: &'static CodePage) -> usize {
        if character.len() == 1 {
            return 1;
        }
        self.cells.clear();
        cp.cells(character, &mut self.cells);
        self.cells.iter().map(|cell| usize::from(cell.width)).sum()
    }

    fn strike(&mut self, column: usize, character: &[u8], width: usize, blank: u8) {
        let free = match self.layers.iter().position(|layer| layer.columns <= column) {
            Some(free) => free,
            None if self.layers.len() < STRIKES_PER_CELL => {
                self.layers.push(Layer::default());
                self.layers.len() - 1
            }
            None => {
                self.dropped += 1;
                return;
            }
        };
        let Some(layer) = self.layers.get_mut(free) else { return };
        let gap = column - layer.columns;
        layer.bytes.resize(layer.bytes.len() + gap, blank);
        layer.bytes.extend_from_slice(character);
        layer.columns = column + width;
    }
}

/// Bytes of the character at the start of `text` in an ASCII-based code page.
fn character_size(text: &[u8], cp: &'static CodePage) -> usize {
    let lead = text.first().copied().unwrap_or_default();
    if lead < 0x80 {
        return 1;
    }
    let second = text.get(1).copied().unwrap_or_default();
    match cp.name() {
        "utf-8" => {
            let follow = text.iter().skip(1).take(3).take_while(|byte| (0x80..0xC0).contains(*byte)).count();
            let wanted = match lead {
                0xC0..=0xDF => 1,
                0xE0..=0xEF => 2,
                0xF0..=0xF7 => 3,
                _ => 0,
            };
            1 + follow.min(wanted)
        }
        "euc-jp" if lead == 0x8F => 3,
        "gb18030" if second.is_ascii_digit() => 4,
        _ if !cp.is_multi_byte() || decodes_alone(lead, cp) => 1,
        _ => 2,
    }
}

fn decodes_alone(byte: u8, cp: &'static CodePage) -> bool {
    cp.decode(&[byte], &mut String::new()) == 0
}
