//! Fonts of AFP streams: what a page asks for, and what it gets.
//!
//! In: a font map's wish ([`FontRequest`]) and the resources of the stream ([`FontSource`]). Out: an [`ActiveFont`],
//! which takes the bytes of text apart into glyphs with their Unicode characters and advances, and has OpenType
//! programs that show them.
//!
//! | file | part |
//! |---|---|
//! | `coded.rs`, `codepage.rs`, `gcgid.rs`, `glyphname.rs` | codes to names to characters |
//! | `charset.rs` | character sets as they stand in the stream |
//! | `raster.rs`, `type1.rs`, `cid.rs` | their shapes |
//! | `resource.rs`, `turned.rs`, `reshaped.rs` | shapes in their place |
//! | `program.rs`, `cff.rs` | font files |
//! | `names.rs`, `system.rs` | substitutes for what is absent |
//! | `active.rs` | all of it together |
//! | `shape.rs` | scripts whose letters change with their neighbours |
//!
//! Promises: no font makes this panic, hang or grow without bound; opening never fails, and whatever is substituted,
//! guessed or left out is reported; the same resources give the same bytes.

mod active;
mod cff;
mod charset;
mod cid;
mod coded;
mod codepage;
mod gcgid;
mod glyphname;
mod names;
mod outline;
mod program;
mod raster;
mod reshaped;
mod resource;
mod shape;
mod system;
#[cfg(test)]
mod tests;
mod turned;
mod type1;

use std::sync::Arc;

pub use active::ActiveFont;
pub use outline::Segment;
pub use reshaped::Reshaped;
pub use shape::{Joins, ShapedGlyph, Shaper};
pub use turned::outline;

use super::field::Fields;
use crate::page::{Face, FontProgram, Lu};

/// What a page asks for where it maps a font (a repeating group of MCF-1, MCF-2 or MDR). Names are trimmed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FontRequest {
    /// Coded font (`X0...`), from MCF-1 or a name of type X'8E'.
    pub coded_font: Option<String>,
    /// Font character set (`C0...`, `CZ...`), from MCF-1 or a name of type X'86'.
    pub character_set: Option<String>,
    /// Code page (`T1...`), from MCF-1 or a name of type X'85'.
    pub code_page: Option<String>,
    /// Full font name of a data-object font (MDR, name of type X'DE').
    pub data_object: Option<String>,
    /// GRID (name of type X'84', format OID absent): GCSGID, CPGID, FGID, font width in 1440ths.
    pub grid: Option<[u16; 4]>,
    /// Rotation of the characters in degrees (0, 90, 180, 270).
    pub rotation: u16,
    /// Triplet X'1F': weight, width class, height and width in 1440ths, design flags.
    pub descriptor: Option<FontDescriptor>,
    /// Triplet X'8B': vertical size and horizontal scale in 1440ths (0: same).
    pub data_descriptor: Option<(u16, u16)>,
    /// Triplet X'5D': horizontal scale in 1440ths.
    pub horizontal_scale: Option<u16>,
    /// Triplet X'50': encoding scheme of the user data (X'7200' UTF-16BE, X'7807' UTF-8, ...).
    pub encoding: Option<u16>,
    /// Triplet X'20': GCSGID and CPGID (or 0 and CCSID).
    pub code_set: Option<(u16, u16)>,
    /// Family and typeface names (names of type X'07', X'08').
    pub family: Option<String>,
    /// Sections of a double-byte font that are mapped one by one (triplet X'25'; the section byte of MCF-1), without two of one
    /// first byte. What else stands here is of the first of them.
    pub sections: Vec<FontSection>,
}

/// The part of a double-byte font whose codes begin with one byte.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FontSection {
    /// That byte, X'41' to X'FE'.
    pub section: u8,
    /// Font character set.
    pub character_set: Option<String>,
    /// Code page.
    pub code_page: Option<String>,
}

/// Whether a section byte is one of a double-byte font.
pub fn is_section(byte: u8) -> bool {
    (0x41..=0xFE).contains(&byte)
}

/// Triplet X'1F'.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct FontDescriptor {
    /// 0 to 9; 5 normal, 7 bold.
    pub weight: u8,
    /// 0 to 9; 5 normal.
    pub width_class: u8,
    /// Height in 1440ths of an inch; 0 unknown.
    pub height: u16,
    /// Character width in 1440ths of an inch; 0 unknown.
    pub width: u16,
    /// Design flags: X'80' italic, X'40' underscored, X'10' hollow, X'08' overstruck, X'04' proportional.
    pub flags: u8,
}

/// Where font resources are found: the stream's resource group first, then the libraries.
pub trait FontSource {
    /// The fields of a coded font, character set or code page (by MO:DCA resource type X'42', X'40', X'41').
    fn font_resource(&self, kind: u8, name: &str) -> Option<Arc<Fields>>;
    /// The file of a data-object font (an object container): TrueType, OpenType or a collection.
    fn font_file(&self, name: &str) -> Option<Arc<Vec<u8>>>;
}

/// A character as an active font sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyph {
    /// Its Unicode text; U+FFFD where nobody knows.
    pub ch: char,
    /// Which part of the font shows it, see [`ActiveFont::part`]: a run is split where this changes.
    pub part: u8,
    /// Its glyph in that part's program; 0 where the program has none, or shows nothing.
    pub id: u16,
    /// How far it moves the pen along the baseline.
    pub advance: Lu,
    /// It is the variable space character.
    pub space: bool,
    /// The font has no such character (what `id` shows, if anything, is the default character): worth a report where it
    /// is used.
    pub missing: bool,
}

/// How the glyphs of one part of a font are shown: what a text run says of them.
#[derive(Debug, Clone, Copy)]
pub struct Part<'f> {
    /// The program; `None`: a renderer's own font for `face`.
    pub program: Option<&'f FontProgram>,
    /// The typeface, as the way out for renditions that embed nothing.
    pub face: Face,
    /// Height of the em square.
    pub size: Lu,
    /// Width of letters in 1/1000 of natural; see [`crate::page::TextRun::stretch`].
    pub stretch: u16,
}
