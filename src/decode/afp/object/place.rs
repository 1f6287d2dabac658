//! Where the content of an object lies on the page: the mapping options of MO:DCA.
//!
//! An object has a presentation space (an image, a graphics window, a page of a container) with a natural size, and
//! an [`ObjectArea`]. The mapping option says how the one is laid into the other (MO:DCA reference, "Mapping Option"
//! triplet X'04'). What comes out is a [`Place`]: a scale along each axis, quarter turns, a shift, and a clip.

use super::ObjectArea;
use crate::page::Lu;

/// Pels in one inch that point-to-pel mapping means where the content does not state its own resolution.
pub const DEVICE_PELS: f64 = 240.0;

/// Copies of one object that "replicate and trim" may lay down.
pub const MAX_REPLICAS: usize = 4096;

/// How content is laid into its area (triplet X'04').
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mapping {
    /// X'00': at the content offset, unscaled. What lies outside the area is an error there, and cut here.
    Position,
    /// X'10': the same, cut at the area.
    PositionTrim,
    /// X'20': scaled alike along both axes until it fits, and centred. The content offset does not count.
    ScaleToFit,
    /// X'30': unscaled, centred, cut at the area.
    CentreTrim,
    /// X'41': one image point is one pel of the printer; at the content offset, cut.
    PointToPel,
    /// X'42': one image point is two pels by two.
    DoubleDot,
    /// X'50': unscaled copies side by side from the area's origin on until it is full, cut.
    ReplicateTrim,
    /// X'60': scaled along each axis until it fills the area.
    ScaleToFill,
}

impl Mapping {
    /// By its number in triplet X'04'; `None` for numbers that say nothing about placing (such as X'70', UP3i data).
    pub fn of(code: u8) -> Option<Mapping> {
        match code {
            0x00 => Some(Mapping::Position),
            0x10 => Some(Mapping::PositionTrim),
            0x20 => Some(Mapping::ScaleToFit),
            0x30 => Some(Mapping::CentreTrim),
            0x41 => Some(Mapping::PointToPel),
            0x42 => Some(Mapping::DoubleDot),
            0x50 => Some(Mapping::ReplicateTrim),
            0x60 => Some(Mapping::ScaleToFill),
            _ => None,
        }
    }
}

/// What is to be placed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Content {
    /// Natural width in logical units (1/14400 inch).
    pub width: f64,
    /// Natural height in logical units.
    pub height: f64,
    /// Image points across and down where the content states no resolution of its own; point-to-pel and double dot
    /// then count in [`DEVICE_PELS`].
    pub points: Option<[u32; 2]>,
}

/// Where content lies: its natural coordinates (logical units from its top left corner, y downwards) are scaled, turned
/// clockwise about the content's origin, and shifted so that the origin lies at `origin` on the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Where the content's top left corner lies on the page, in logical units.
    pub origin: [f64; 2],
    /// Factor along the content's x axis and along its y axis.
    pub scale: [f64; 2],
    /// Quarter turns clockwise, 0 to 3.
    pub turns: u8,
    /// Nothing outside this rectangle (left, top, width, height on the page) is painted. `None` where all content is inside.
    pub clip: Option<[Lu; 4]>,
}

/// A box of content at its place: as [`crate::page::PlacedImage`] wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedBox {
    /// Where its first corner lies.
    pub x: Lu,
    /// Where its first corner lies.
    pub y: Lu,
    /// Extent along its rows.
    pub width: Lu,
    /// Extent across its rows.
    pub height: Lu,
}

impl PlacedBox {
    /// The rectangle that it covers: left, top, width and height on the page.
    pub fn on_page(&self, turns: u8) -> [Lu; 4] {
        let (x, y, width, height) = (self.x.0, self.y.0, self.width.0, self.height.0);
        match turns & 3 {
            0 => [Lu(x), Lu(y), Lu(width), Lu(height)],
            1 => [Lu(x.saturating_sub(height)), Lu(y), Lu(height), Lu(width)],
            2 => [Lu(x.saturating_sub(width)), Lu(y.saturating_sub(height)), Lu(width), Lu(height)],
            _ => [Lu(x), Lu(y.saturating_sub(width)), Lu(height), Lu(width)],
        }
    }
}

impl Place {
    /// A point of the content on the page.
    pub fn point(&self, x: f64, y: f64) -> [Lu; 2] {
        let [x, y] = self.exact(x, y);
        [lu(x), lu(y)]
    }

    /// A point of the content on the page, not rounded.
    pub fn exact(&self, x: f64, y: f64) -> [f64; 2] {
        let [sx, sy] = self.scale;
        let [ox, oy] = self.origin;
        let [dx, dy] = turned(x * sx, y * sy, self.turns);
        [ox + dx, oy + dy]
    }

    /// A length of the content (a line width) on the page: by the mean of both factors.
    pub fn length(&self, length: f64) -> Lu {
        let [sx, sy] = self.scale;
        lu(length * (sx * sy).abs().sqrt())
    }

    /// A box of the content on the page. Corners are rounded, not extents: boxes that adjoin in the content adjoin on the
    /// page.
    pub fn boxed(&self, x: f64, y: f64, width: f64, height: f64) -> PlacedBox {
        let [x0, y0] = self.point(x, y);
        let [x1, y1] = self.point(x + width, y + height);
        let (dx, dy) = (x1.0.saturating_sub(x0.0).saturating_abs(), y1.0.saturating_sub(y0.0).saturating_abs());
        let (width, height) = if self.turns.is_multiple_of(2) { (dx, dy) } else { (dy, dx) };
        PlacedBox { x: x0, y: y0, width: Lu(width), height: Lu(height) }
    }
}

/// Places content in its area; `default` is the mapping of its kind where the area states none (images, graphics and
/// containers: scale to fit; bar codes: position).
pub fn place(area: &ObjectArea, default: Mapping, content: &Content) -> Place {
    let mapping = area.mapping.and_then(Mapping::of).unwrap_or(default);
    let (width, height) = (positive(content.width), positive(content.height));
    let room = [extent(area.width), extent(area.height)];
    let offset = [f64::from(area.content_x.0), f64::from(area.content_y.0)];
    let (scale, [u, v]) = match mapping {
        Mapping::Position | Mapping::PositionTrim => ([1.0, 1.0], offset),
        Mapping::PointToPel => (pels(content, 1.0), offset),
        Mapping::DoubleDot => (pels(content, 2.0), offset),
        Mapping::ReplicateTrim => ([1.0, 1.0], [0.0, 0.0]),
        Mapping::CentreTrim => ([1.0, 1.0], centred(room, [width, height])),
        Mapping::ScaleToFill => {
            let [x, y] = ratios(room, [width, height]);
            ([x.unwrap_or(1.0), y.unwrap_or(1.0)], [0.0, 0.0])
        }
        Mapping::ScaleToFit => {
            let [x, y] = ratios(room, [width, height]);
            let scale = x.unwrap_or(f64::INFINITY).min(y.unwrap_or(f64::INFINITY));
            let scale = if scale.is_finite() { scale } else { 1.0 };
            ([scale, scale], centred(room, [width * scale, height * scale]))
        }
    };
    let [dx, dy] = turned(u, v, area.turns);
    let mut place = Place {
        origin: [f64::from(area.x.0) + dx, f64::from(area.y.0) + dy],
        scale,
        turns: area.turns & 3,
        clip: None,
    };
    let [sx, sy] = scale;
    let fits =
        |at: f64, extent: f64, room: Option<f64>| room.is_none_or(|room| at >= -0.5 && at + extent <= room + 0.5);
    let [room_x, room_y] = room;
    if !(fits(u, width * sx, room_x) && fits(v, height * sy, room_y)) {
        place.clip = clip(area, [u, v], [width * sx, height * sy]);
    }
    place
}

/// Places content in its area: once, or as often as "replicate and trim" needs (at most [`MAX_REPLICAS`] times; the flag says
/// whether that was enough).
pub fn places(area: &ObjectArea, default: Mapping, content: &Content) -> (Vec<Place>, bool) {
    let first = place(area, default, content);
    let mapping = area.mapping.and_then(Mapping::of).unwrap_or(default);
    if mapping != Mapping::ReplicateTrim {
        return (vec![first], true);
    }
    let (width, height) = (positive(content.width), positive(content.height));
    let (room_x, room_y) = (extent(area.width).unwrap_or(width), extent(area.height).unwrap_or(height));
    let whole = clip(area, [0.0, 0.0], [width, height]);
    let mut all = Vec::new();
    let mut v = 0.0;
    while v < room_y - 0.5 {
        let mut u = 0.0;
        while u < room_x - 0.5 {
            if all.len() >= MAX_REPLICAS {
                return (all, false);
            }
            let [dx, dy] = turned(u, v, area.turns);
            let origin = [f64::from(area.x.0) + dx, f64::from(area.y.0) + dy];
            let inside = u + width <= room_x + 0.5 && v + height <= room_y + 0.5;
            all.push(Place { origin, clip: if inside { None } else { whole }, ..first });
            u += width;
        }
        v += height;
    }
    (all, true)
}

/// The area's rectangle on the page, where it states both extents: what "trim" cuts at when content reaches beyond its own size.
pub fn area_on_page(area: &ObjectArea) -> Option<[Lu; 4]> {
    clip(area, [0.0, 0.0], [0.0, 0.0]).filter(|_| extent(area.width).is_some() && extent(area.height).is_some())
}

/// Rounded and held within what a page can say.
pub fn lu(value: f64) -> Lu {
    // A float to integer conversion saturates, and makes 0 of what is no number.
    #[allow(clippy::cast_possible_truncation)]
    Lu(value.round() as i32)
}

fn turned(u: f64, v: f64, turns: u8) -> [f64; 2] {
    match turns & 3 {
        0 => [u, v],
        1 => [-v, u],
        2 => [-u, -v],
        _ => [v, -u],
    }
}

/// The area's rectangle on the page; where an extent is not stated, the content's own end bounds it.
fn clip(area: &ObjectArea, [u, v]: [f64; 2], [width, height]: [f64; 2]) -> Option<[Lu; 4]> {
    let right = extent(area.width).unwrap_or(u + width);
    let bottom = extent(area.height).unwrap_or(v + height);
    let left = if area.width.is_some() { 0.0 } else { u };
    let top = if area.height.is_some() { 0.0 } else { v };
    let [x0, y0] = turned(left, top, area.turns);
    let [x1, y1] = turned(right, bottom, area.turns);
    let (x, y) = (f64::from(area.x.0), f64::from(area.y.0));
    Some([lu(x + x0.min(x1)), lu(y + y0.min(y1)), lu((x1 - x0).abs()), lu((y1 - y0).abs())])
}

fn extent(stated: Option<Lu>) -> Option<f64> {
    stated.filter(|extent| extent.0 > 0).map(|extent| f64::from(extent.0))
}

/// Natural sizes come from the stream: 0 and what is no number become the smallest size.
fn positive(value: f64) -> f64 {
    if value.is_finite() { value.max(1.0) } else { 1.0 }
}

fn pels(content: &Content, dots: f64) -> [f64; 2] {
    let Some([across, down]) = content.points else { return [dots, dots] };
    let pel = f64::from(Lu::PER_INCH) / DEVICE_PELS;
    let factor = |points: u32, natural: f64| f64::from(points.max(1)) * pel * dots / positive(natural);
    [factor(across, content.width), factor(down, content.height)]
}

fn ratios([room_x, room_y]: [Option<f64>; 2], [width, height]: [f64; 2]) -> [Option<f64>; 2] {
    [room_x.map(|room| room / width), room_y.map(|room| room / height)]
}

fn centred([room_x, room_y]: [Option<f64>; 2], [width, height]: [f64; 2]) -> [f64; 2] {
    let middle = |room: Option<f64>, extent: f64| room.map_or(0.0, |room| (room - extent) / 2.0);
    [middle(room_x, width), middle(room_y, height)]
}

#[cfg(test)]
mod tests;
