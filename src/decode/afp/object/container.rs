//! Object containers: pictures and pages in formats that are not AFP's own (JPEG, PNG, TIFF, GIF, BMP, PDF).
//!
//! What the data are is seen from their first bytes: producers mislabel. The registered object identifier only names what
//! cannot be shown. Foreground and background: MO:DCA reference, appendix D: bilevel TIFF and DIB let their unset bits be
//! seen through, all other pictures are opaque. PDF pages become pictures, over their text.
//! Adding a format: a file here, and a line in [`open`].

mod bmp;
mod gif;
mod letters;
mod pdf;
mod png;
mod tiff;

use super::ObjectArea;
use super::image::{Drawn, Fault, Rows, crossed, not_shown, put, windows};
use super::place::{Content, Mapping, Place, places};
use crate::decode::afp::{Limits, Report};
use crate::page::pixels::{jfif_density, jpeg_frame, jpeg_is_whole};
use crate::page::{Color, Element, Image, Lu, Samples};

/// Samples in one inch where nothing states a resolution.
const DEFAULT_RESOLUTION: f64 = 300.0;

/// An object of a container.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    /// The registered identifier of its type (triplet X'10'), zero padded or not; may be empty.
    pub oid: &'a [u8],
    /// All Object Container Data, joined.
    pub data: &'a [u8],
    /// Which page of it, from 0 (triplet X'5A').
    pub page: u32,
    /// Samples in one inch across and down (triplet X'9A'); wins over what the data say.
    pub resolution: Option<[f64; 2]>,
    /// Size of its presentation space (Container Data Descriptor, triplet X'9C'); wins over the resolution.
    pub size: Option<[Lu; 2]>,
    /// Pictures are drawn; otherwise only the text is wanted.
    pub pictures: bool,
}

/// A picture that was taken out of a file.
struct Picture {
    width: u32,
    height: u32,
    samples: Samples,
    /// Samples in one inch.
    resolution: Option<[f64; 2]>,
    /// Which samples show; all without one.
    mask: Option<Rows>,
    damaged: bool,
}

/// Draws an object container.
pub fn container(
    area: &ObjectArea,
    container: &Container<'_>,
    limits: &Limits,
    report: &mut Report<'_>,
) -> Vec<Element> {
    let mut budget = limits.image_samples;
    let ink = area.color.unwrap_or(Color::BLACK);
    let mut elements = text(area, container, limits);
    if !container.pictures {
        return elements;
    }
    let picture = match open(container, ink, &mut budget) {
        Ok(Some(picture)) => picture,
        Ok(None) => {
            let name = type_name(container.oid);
            report("afp-container-not-shown", format!("an object of type {name} is not shown"));
            elements.extend(area_crossed(area));
            return elements;
        }
        Err(fault) => {
            not_shown(fault, report);
            return elements;
        }
    };
    if picture.damaged {
        report("afp-image-cut", "the data of a container break off; what could be read is shown".into());
    }
    draw(area, container, picture, limits, &mut elements, report);
    elements
}

/// The area of an object that cannot be shown, where it says how large it is.
fn area_crossed(area: &ObjectArea) -> Option<Element> {
    let size = [area.width?, area.height?].map(|side| f64::from(side.0));
    let origin = [area.x, area.y].map(|side| f64::from(side.0));
    let place = Place { origin, scale: [1.0; 2], turns: area.turns, clip: None };
    size.iter().all(|side| *side > 0.0).then(|| crossed(&place, size))
}

/// The text of a page of PDF; it is to lie under the picture of that page.
fn text(area: &ObjectArea, container: &Container<'_>, limits: &Limits) -> Vec<Element> {
    if !is_pdf(container.data) {
        return Vec::new();
    }
    let read = pdf::text(container.data, container.page, limits.image_samples, limits.page_elements);
    let Some((picture, letters)) = read else { return Vec::new() };
    let pitch = pitch(container, &picture);
    let content = content(&picture, pitch);
    let Some(place) = places(area, Mapping::ScaleToFit, &content).0.into_iter().next() else { return Vec::new() };
    let runs = letters::runs(&letters, |[x, y]| place.point(x * content.width, y * content.height));
    runs.into_iter().map(Element::Text).collect()
}

/// Logical units from sample to sample.
fn pitch(container: &Container<'_>, picture: &Picture) -> [f64; 2] {
    let [width, height] = [f64::from(picture.width), f64::from(picture.height)];
    if let Some([across, down]) = container.size
        && across.0 > 0
        && down.0 > 0
    {
        return [f64::from(across.0) / width.max(1.0), f64::from(down.0) / height.max(1.0)];
    }
    let resolution = container.resolution.or(picture.resolution).filter(|both| both.iter().all(|dots| *dots > 0.0));
    resolution.unwrap_or([DEFAULT_RESOLUTION; 2]).map(|dots| f64::from(Lu::PER_INCH) / dots)
}

fn content(picture: &Picture, pitch: [f64; 2]) -> Content {
    let [width, height] = [f64::from(picture.width), f64::from(picture.height)];
    Content { width: width * pitch[0], height: height * pitch[1], points: None }
}

fn open(container: &Container<'_>, ink: Color, budget: &mut usize) -> Result<Option<Picture>, Fault> {
    let data = container.data;
    match data {
        [0xFF, 0xD8, 0xFF, ..] => jpeg(data, *budget).map(Some),
        [0x89, b'P', b'N', b'G', ..] => png::picture(data, budget).map(Some),
        [b'G', b'I', b'F', b'8', ..] => gif::picture(data, budget).map(Some),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => tiff::picture(data, container.page, ink, budget).map(Some),
        [b'B', b'M', ..] => bmp::picture(data, ink, budget).map(Some),
        _ if is_pdf(data) => pdf::picture(data, container.page, budget).map(Some),
        _ => Ok(None),
    }
}

/// The header stands in the first 1024 bytes (PDF reference, implementation notes).
fn is_pdf(data: &[u8]) -> bool {
    let head = data.get(..1024).unwrap_or(data);
    head.windows(5).any(|window| window == b"%PDF-")
}

fn jpeg(data: &[u8], budget: usize) -> Result<Picture, Fault> {
    let frame = jpeg_frame(data).ok_or(Fault::Damaged)?;
    if !frame.common {
        return Err(Fault::JPEG_KIND);
    }
    if frame.laid_out_bytes() > budget {
        return Err(Fault::TooLarge);
    }
    Ok(Picture {
        width: frame.width,
        height: frame.height,
        samples: Samples::Jpeg(data.to_vec()),
        resolution: jfif_density(data),
        mask: None,
        damaged: !jpeg_is_whole(data),
    })
}

fn draw(
    area: &ObjectArea,
    container: &Container<'_>,
    picture: Picture,
    limits: &Limits,
    elements: &mut Vec<Element>,
    report: &mut Report<'_>,
) {
    let [width, height] = [f64::from(picture.width), f64::from(picture.height)];
    let pitch = pitch(container, &picture);
    let content = content(&picture, pitch);
    let (places, enough) = places(area, Mapping::ScaleToFit, &content);
    if !enough {
        report("afp-image-replicas", format!("the picture is repeated more than {} times", places.len()));
    }
    let mut drawn = Drawn {
        image: Image::new(picture.width, picture.height, picture.samples),
        at: [0.0, 0.0, width, height],
        windows: Vec::new(),
        damaged: picture.damaged,
        opaque: false,
    };
    match picture.mask.as_ref().map(windows) {
        Some(Some(parts)) if parts.is_empty() => return,
        Some(Some(parts)) => drawn.windows = parts,
        Some(None) => report("afp-image-mask", "transparent parts of a picture are painted white".into()),
        None => {}
    }
    for place in &places {
        if elements.len() >= limits.page_elements {
            break;
        }
        put(elements, place, pitch, &drawn);
    }
}

/// The name of a registered type for people (MO:DCA reference, appendix D).
fn type_name(oid: &[u8]) -> String {
    let Some([component, ..]) = oid.strip_prefix(&[0x06, 0x07, 0x2B, 0x12, 0x00, 0x04, 0x01, 0x01]) else {
        return "that is not registered".into();
    };
    let name = match component {
        0x05 | 0x0B | 0x0C | 0x2D | 0x37 | 0x46 | 0x47 => "IOCA",
        0x0D | 0x30 => "EPS",
        0x0E | 0x3C..=0x3E | 0x42 => "TIFF",
        0x11 | 0x12 => "DIB",
        0x13 => "PCX",
        0x16 => "GIF",
        0x17 => "JPEG",
        0x19 | 0x1A | 0x31 | 0x3F | 0x40 => "PDF",
        0x22 => "PCL page",
        0x2F => "IOCA tile",
        0x33 | 0x35 => "font",
        0x38 => "UP3i",
        0x3A => "JPEG 2000",
        0x41 => "PNG",
        0x44 => "SVG",
        _ => return format!("X'{component:02X}'"),
    };
    format!("X'{component:02X}' ({name})")
}

/// Reads numbers of either byte order; 0 behind the end.
#[derive(Clone, Copy)]
struct Numbers<'a> {
    data: &'a [u8],
    little: bool,
}

impl Numbers<'_> {
    fn u16(&self, at: usize) -> u16 {
        let bytes = self.data.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
    }

    fn u32(&self, at: usize) -> u32 {
        let bytes = self.data.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }
}

fn spend(budget: &mut usize, width: u32, height: u32, each: usize) -> Result<usize, Fault> {
    let bytes = (width as usize).checked_mul(height as usize).and_then(|samples| samples.checked_mul(each));
    let bytes = bytes.ok_or(Fault::TooLarge)?;
    *budget = budget.checked_sub(bytes).ok_or(Fault::TooLarge)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // numbers of the tests' own
mod tests;
