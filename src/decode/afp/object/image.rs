//! IO images (IOCA): an image segment as pictures on the page.
//!
//! In go the Image Data Descriptor and all Image Picture Data of an object, joined; out come [`Element::Image`]s, one for
//! each image content or tile. Codings that a page can hold are kept. Bilevel images paint their ones and let zeros be seen
//! through; grey and colour images are opaque (MO:DCA reference, "Foreground and Background").
//! What cannot be shown is reported and left out; what breaks off shows as far as it goes.
//! Formats: IOCA function sets 10, 11, 14, 40, 42, 45, 48. Adding a compression: [`rows`].

#[cfg(test)]
mod corpus;
mod descriptor;
mod draw;
mod fax;
mod mask;
mod replicate;
mod rl4;
pub(super) mod rows;
pub(super) mod samples;
mod segment;

use std::sync::Arc;

use self::descriptor::{DEFAULT_RESOLUTION, descriptor, pitch};
use self::draw::draw;
use self::segment::{Piece, segment};
use super::ObjectArea;
use super::place::{Content, Mapping, Place, PlacedBox, places};
use crate::decode::afp::{Limits, Report};
use crate::page::{Color, Element, Lu, Path, PlacedImage, Step, Stroke};

pub(super) use self::draw::Drawn;
pub(super) use self::mask::windows;
pub(super) use self::rows::{Fault, Rows};

/// Where tile resources are found, by the local identifier of the Include Tile parameter.
pub type Tiles<'t> = dyn Fn(u32) -> Option<Arc<[u8]>> + 't;

/// Copies of an image on a page from which on several are made one picture.
const MANY_REPLICAS: usize = 16;

/// Draws an image.
pub fn image(
    area: &ObjectArea,
    idd: &[u8],
    ipd: &[u8],
    tiles: &Tiles<'_>,
    limits: &Limits,
    report: &mut Report<'_>,
) -> Vec<Element> {
    let descriptor = descriptor(idd);
    let segment = segment(ipd);
    if segment.cut {
        report("afp-image-cut", "the image data end inside a self-defining field".into());
    }
    if segment.pieces.is_empty() {
        report("afp-image-empty", "the image object holds no image data".into());
    }
    let ink = descriptor.ink.or(area.color).unwrap_or(Color::BLACK);
    let mut budget = limits.image_samples;
    let mut all = Vec::new();
    let mut unknown = false;
    for piece in &segment.pieces {
        match draw_piece(piece, ink, tiles, &mut budget, report) {
            Ok(drawn) => {
                note(&drawn, report);
                all.push(drawn);
            }
            Err(fault) => {
                unknown |= matches!(fault, Fault::Compression(_) | Fault::Model(_));
                not_shown(fault, report);
            }
        }
    }
    let stated = segment.pieces.iter().find_map(|piece| piece.resolution);
    let stated = stated.and_then(|(base, across, down)| pitch(base, across.into(), down.into()));
    let default = f64::from(Lu::PER_INCH) / DEFAULT_RESOLUTION;
    let pitch = descriptor.pitch.or(stated).unwrap_or([default, default]);
    let size = size(descriptor.size, &all);
    let mut content = Content {
        width: size[0] * pitch[0],
        height: size[1] * pitch[1],
        points: Some(descriptor.size).filter(|size| descriptor.pitch.is_none() && !size.contains(&0)),
    };
    let (mut places, mut enough) = places(area, Mapping::ScaleToFit, &content);
    if places.len() > MANY_REPLICAS
        && let Some((grown, [across, down])) = replicate::grown(&all, size)
    {
        content.width *= across;
        content.height *= down;
        (places, enough) = self::places(area, Mapping::ScaleToFit, &content);
        all = vec![grown];
    }
    if !enough {
        report("afp-image-replicas", format!("the image is repeated more than {} times", places.len()));
    }
    let mut elements = Vec::new();
    for place in &places {
        if unknown && !descriptor.size.contains(&0) {
            elements.push(crossed(place, [content.width, content.height]));
        }
        for drawn in &all {
            if elements.len() >= limits.page_elements {
                return elements;
            }
            put(&mut elements, place, pitch, drawn);
        }
    }
    elements
}

/// Draws a piece, or the tile resource that it includes, with the masks of both.
fn draw_piece(
    piece: &Piece<'_>,
    ink: Color,
    tiles: &Tiles<'_>,
    budget: &mut usize,
    report: &mut Report<'_>,
) -> Result<Drawn, Fault> {
    let points = |piece: &Piece<'_>| piece.size.map(|samples| samples.saturating_mul(u32::from(piece.relative)));
    let Some(include) = piece.include else {
        let mask = piece.mask.as_ref().map(|mask| mask::mask(mask, points(piece), *budget)).transpose()?;
        return draw(piece, ink, mask.as_ref(), budget);
    };
    let Some(data) = tiles(include) else {
        report("afp-image-tile-missing", format!("tile resource {include}"));
        return Err(Fault::Damaged);
    };
    let mut tile = segment::tile(&data, piece.coding.clone()).ok_or(Fault::Damaged)?;
    tile.origin = piece.origin;
    let mut mask: Option<Rows> = None;
    for one in piece.mask.iter().chain(tile.mask.iter()) {
        let one = mask::mask(one, points(&tile), *budget)?;
        mask = Some(match mask {
            Some(other) => mask::both(other, &one),
            None => one,
        });
    }
    draw(&tile, ink, mask.as_ref(), budget)
}

fn note(drawn: &Drawn, report: &mut Report<'_>) {
    if drawn.damaged {
        report("afp-image-cut", "the image data break off or are damaged; what could be read is shown".into());
    }
    if drawn.opaque {
        report("afp-image-mask", "a transparency mask has too many parts; transparent points are white".into());
    }
}

/// Reports why a picture is not shown.
pub(super) fn not_shown(fault: Fault, report: &mut Report<'_>) {
    match fault {
        Fault::Compression(code) => report("afp-image-compression", rows::not_read(code)),
        Fault::Model(code) => report("afp-image-model", format!("an image of colour model X'{code:02X}' is not shown")),
        Fault::Damaged => report("afp-image-damaged", "nothing of the image data could be read".into()),
        Fault::TooLarge => report("afp-image-too-large", "an image has more samples than allowed".into()),
    }
}

/// A box with a cross, where something is that cannot be shown: it is not taken for empty paper.
pub(super) fn crossed(place: &Place, [width, height]: [f64; 2]) -> Element {
    let [a, b, c, d] = [[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]].map(|[x, y]| place.point(x, y));
    let steps = [Step::Move(a), Step::Line(b), Step::Line(c), Step::Line(d), Step::Close];
    let cross = [Step::Move(a), Step::Line(c), Step::Move(b), Step::Line(d)];
    let color = Color { r: 0x80, g: 0x80, b: 0x80 };
    let stroke = Stroke { color, width: Lu::from_points(0.5), ..Stroke::default() };
    Element::Path(Path { steps: [&steps[..], &cross].concat(), fill: None, even_odd: false, stroke: Some(stroke) })
}

/// Why an image will not be shown, as far as the first field of its data tells; for the report of a load, in which images
/// are not drawn.
pub fn unreadable(first_field: &[u8]) -> Option<String> {
    /// Parameters stand before the data and are short.
    const HEAD: usize = 256;
    let head = first_field.get(..HEAD).unwrap_or(first_field);
    let pieces = segment(head).pieces;
    let code = pieces.iter().map(|piece| piece.coding.compression).find(|code| !rows::is_read(*code))?;
    Some(rows::not_read(code))
}

/// Points of the presentation space; where the descriptor states none, those of what is drawn.
fn size(stated: [u32; 2], all: &[Drawn]) -> [f64; 2] {
    let reach = |axis: usize| {
        let end = |drawn: &Drawn| {
            let [x, y, width, height] = drawn.windows.first().copied().unwrap_or(drawn.at);
            if axis == 0 { x + width } else { y + height }
        };
        all.iter().map(end).fold(0.0, f64::max)
    };
    let [across, down] = stated.map(f64::from);
    [if across > 0.0 { across } else { reach(0) }, if down > 0.0 { down } else { reach(1) }]
}

/// Adds a picture in its place: once, or once for each part that shows.
pub(super) fn put(elements: &mut Vec<Element>, place: &Place, pitch: [f64; 2], drawn: &Drawn) {
    let boxed =
        |[x, y, width, height]: [f64; 4]| place.boxed(x * pitch[0], y * pitch[1], width * pitch[0], height * pitch[1]);
    let PlacedBox { x, y, width, height } = boxed(drawn.at);
    let placed = |clip: Option<[Lu; 4]>| {
        let (image, turns) = (drawn.image.clone(), place.turns);
        Element::Image(PlacedImage { x, y, width, height, turns, image, clip, alt: String::new() })
    };
    if drawn.windows.is_empty() {
        elements.push(placed(place.clip));
    }
    for window in &drawn.windows {
        let clip = boxed(*window).on_page(place.turns);
        let clip = match place.clip {
            Some(outer) => common(outer, clip),
            None => common(clip, clip),
        };
        if let Some(clip) = clip {
            elements.push(placed(Some(clip)));
        }
    }
}

/// What two rectangles (left, top, width, height) have in common.
fn common(one: [Lu; 4], two: [Lu; 4]) -> Option<[Lu; 4]> {
    let span = |at: usize| -> Option<(Lu, Lu)> {
        let edge = |area: &[Lu; 4], at: usize| area.get(at).map(|edge| i64::from(edge.0));
        let start = edge(&one, at)?.max(edge(&two, at)?);
        let end = (edge(&one, at)? + edge(&one, at + 2)?).min(edge(&two, at)? + edge(&two, at + 2)?);
        let (start, length) = (i32::try_from(start).ok()?, i32::try_from(end - start).ok()?);
        (length > 0).then_some((Lu(start), Lu(length)))
    };
    let ((left, width), (top, height)) = (span(0)?, span(1)?);
    Some([left, top, width, height])
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // numbers of the tests' own
pub(super) mod tests;
