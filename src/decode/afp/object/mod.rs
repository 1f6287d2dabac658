//! Objects on a page that are not text: images, graphics, bar codes, object containers.

pub mod barcode;
pub mod container;
pub mod graphics;
pub mod im;
pub mod image;
pub mod place;
mod text;

use std::sync::Arc;

use super::font::ActiveFont;
use crate::page::{Color, Lu};

/// An object's area on the page, all in the page's coordinates: what OBD, OBP and the mapping field say, or IOB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectArea {
    /// Origin of the area on the page (or on the overlay that is being built).
    pub x: Lu,
    /// Origin of the area.
    pub y: Lu,
    /// Rotation of the area about its origin, in quarter turns clockwise.
    pub turns: u8,
    /// Extent along the area's own x axis; `None` when unspecified.
    pub width: Option<Lu>,
    /// Extent along the area's own y axis.
    pub height: Option<Lu>,
    /// Mapping option as in triplet X'04' (00, 10, 20, 30, 41, 42, 50, 60); `None`: the default of the object's kind.
    pub mapping: Option<u8>,
    /// Offset of the content from the area's origin, in the area's own axes.
    pub content_x: Lu,
    /// Offset of the content.
    pub content_y: Lu,
    /// Colour of the area descriptor (triplet X'4E'), where it applies to the content.
    pub color: Option<Color>,
}

#[cfg(test)]
impl ObjectArea {
    /// At the origin, with nothing stated.
    pub const AT_ORIGIN: ObjectArea = ObjectArea {
        x: Lu(0),
        y: Lu(0),
        turns: 0,
        width: None,
        height: None,
        mapping: None,
        content_x: Lu(0),
        content_y: Lu(0),
        color: None,
    };
}

/// The fonts that the environment of an object maps.
pub trait ObjectFonts {
    /// The font of a local id (1 to 254); `None` when none is mapped.
    fn font(&self, lid: u8) -> Option<Arc<ActiveFont>>;
}
