//! Code pages: host (EBCDIC, with or without SO/SI double byte), workstation and Unicode.

/// One decoded character on the printer's grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The character; U+FFFD where the byte has no meaning in the code page.
    pub ch: char,
    /// Columns it takes: 1 or 2. Shift codes (SO, SI) that print as a blank are a `' '` of width 1.
    pub width: u8,
}

/// A character set, ready to decode and encode. Get one with [`CodePage::find`].
#[derive(Debug)]
pub struct CodePage {
    name: &'static str,
}

impl CodePage {
    /// Finds a code page by its name or a usual alias: `ibm-1047`, `1047`, `cp1047`, `IBM1047`, `utf-8`, `gbk` ...
    pub fn find(name: &str) -> Option<&'static CodePage> {
        let _ = name;
        None
    }

    /// The canonical name, as `inspect` prints it: `ibm-1047`, `iso-8859-1`, `utf-8`, `gb18030`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether a column of the grid is a byte of the record: true for single-byte pages and for SO/SI
    /// pages with blanks for the shifts; false for UTF-8 and GB18030.
    pub fn byte_is_column(&self) -> bool {
        true
    }

    /// The code of a blank (0x40 or 0x20).
    pub fn blank(&self) -> u8 {
        0x40
    }

    /// Appends the text of `bytes` to `out` (shift codes appear as the blanks they print, so that columns
    /// hold) and returns how many bytes were undecodable; each of those became U+FFFD.
    /// Control codes become blanks; no-break space becomes a blank.
    pub fn decode(&self, bytes: &[u8], out: &mut String) -> u32 {
        let _ = (bytes, out);
        0
    }

    /// Appends the cells of `bytes` to `out`; returns how many bytes were undecodable.
    pub fn cells(&self, bytes: &[u8], out: &mut Vec<Cell>) -> u32 {
        let _ = (bytes, out);
        0
    }

    /// The bytes of `text` in this code page (in the single-byte half of a mixed page where possible,
    /// with SO and SI around double-byte runs), or `None` when a character has no code.
    pub fn encode(&self, text: &str) -> Option<Vec<u8>> {
        let _ = text;
        None
    }
}
