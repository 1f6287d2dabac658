//! Graphics objects (GOCA): drawing orders become paths, text and pictures of the page.
//!
//! In: the graphics data descriptor (GDD), the joined graphics data (GAD), the object's area and the mapped fonts.
//! Out: page elements in drawing order. Orders draw in a window of a plane whose y axis grows upwards; the mapping option lays
//! that window into the object area (see [`super::place`]).
//!
//! Promises: no order makes it panic or run on (`tests.rs` cuts and flips its inputs); what is not drawn is reported:
//! `afp-graphics-cut` (data ends inside an order), `afp-graphics-order` (an order nobody knows or that is not drawn),
//! `afp-graphics-pattern` and `afp-graphics-marker` (a pattern or marker of a set that is not there, or shown otherwise; of these
//! and of orders the report of the load speaks already, see [`unreadable()`]),
//! `afp-graphics-font` (text without a mapped font), `afp-graphics-limit` (more than [`Limits`] allow).
//!
//! Rules: Graphics Object Content Architecture for AFP Reference (AFPC-0008); `docs/formats/afp.md`.

mod area;
mod clip;
mod curve;
mod descriptor;
mod draw;
mod gradient;
mod image;
mod line;
mod marker;
mod order;
mod pattern;
mod raster;
mod shape;
mod state;
#[cfg(test)]
mod tests;
mod unreadable;

use super::place::{Content, Mapping, area_on_page, places};
use super::{ObjectArea, ObjectFonts};
use crate::decode::afp::{Limits, Report};
use crate::page::Element;
use descriptor::Descriptor;
use draw::{Drawing, Left};
pub use unreadable::unreadable;

/// Bytes of drawing orders that copies of one object ("replicate and trim") may make us read in all.
const REPLICATED_BYTES: usize = 16 << 20;

/// Draws a graphics object: `gdd` is the data of its GDD, `gad` that of its GADs, joined.
pub fn graphics(
    area: &ObjectArea,
    gdd: &[u8],
    gad: &[u8],
    fonts: &dyn ObjectFonts,
    limits: &Limits,
    report: &mut Report<'_>,
) -> Vec<Element> {
    let descriptor = Descriptor::read(gdd, area.color, report);
    let [width, height] = descriptor.size();
    let (mut all, mut complete) = places(area, Mapping::ScaleToFit, &Content { width, height, points: None });
    let copies = (REPLICATED_BYTES / gad.len().max(1)).max(1);
    if all.len() > copies {
        all.truncate(copies);
        complete = false;
    }
    if !complete {
        report("afp-graphics-limit", "copies of a replicated graphics object".into());
    }
    // Orders draw beyond their window too: it is the area that trims them.
    if matches!(area.mapping.and_then(Mapping::of), Some(Mapping::PositionTrim | Mapping::CentreTrim)) {
        all.iter_mut().for_each(|place| place.clip = place.clip.or_else(|| area_on_page(area)));
    }
    let mut elements = Vec::new();
    let mut left = Left::of(limits);
    for place in all {
        let mut drawing = Drawing::new(&descriptor, place, fonts, limits, report, elements);
        drawing.left = left;
        drawing.run(gad);
        left = drawing.left;
        elements = drawing.elements;
    }
    elements
}
