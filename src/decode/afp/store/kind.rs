//! Types of resources, as in triplet X'21'.

/// Graphics object.
pub const GRAPHICS: u8 = 0x03;
/// Bar code object.
pub const BAR_CODE: u8 = 0x05;
/// Image object.
pub const IMAGE: u8 = 0x06;
/// Font character set.
pub const CHARACTER_SET: u8 = 0x40;
/// Code page.
pub const CODE_PAGE: u8 = 0x41;
/// Coded font.
pub const CODED_FONT: u8 = 0x42;
/// Object container.
pub const CONTAINER: u8 = 0x92;
/// Text object with an environment.
pub const TEXT: u8 = 0x9B;
/// Document.
pub const DOCUMENT: u8 = 0xA8;
/// Page segment.
pub const SEGMENT: u8 = 0xFB;
/// Overlay.
pub const OVERLAY: u8 = 0xFC;
/// Page map.
pub const PAGE_MAP: u8 = 0xFD;
/// Form map.
pub const FORM_MAP: u8 = 0xFE;
/// Medium map that stands alone in a document (not a type of X'21').
pub const MEDIUM_MAP: u8 = 0xCC;
