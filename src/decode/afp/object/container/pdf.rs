//! PDF pages as pictures, with their text.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::{Pdf, page::Page};
use hayro::vello_cpu::color::palette::css::TRANSPARENT;
use hayro::{PixmapSettings, RenderCache, RenderSettings};

use super::letters::{self, Letter};
use super::{Fault, Picture, Rows, windows};
use crate::page::Samples;

/// Pixels in one inch: text of a bill stays readable, and a page of paper takes 11 MB.
const RESOLUTION: f64 = 200.0;
/// Sides of the blocks by which what is not painted is left out, in pixels.
const BLOCKS: [u32; 4] = [8, 32, 128, 512];
/// Pixels on a side that the renderer can count.
const MAX_SIDE: f64 = 16_000.0;

/// Draws a page (from 0). What it does not paint is seen through, in blocks: a page of the model has no pictures with
/// opacity, so that around what is painted a margin of white is painted too.
pub fn picture(data: &[u8], page: u32, budget: &mut usize) -> Result<Picture, Fault> {
    // The file is a stranger's and the renderer is not ours: its panic is a picture that cannot be shown.
    catch_unwind(AssertUnwindSafe(|| draw(data, page, budget))).unwrap_or(Err(Fault::Damaged))
}

/// The letters of a page (from 0), and the page as a picture without samples: what its text is placed by.
pub fn text(data: &[u8], page: u32, budget: usize, most: usize) -> Option<(Picture, Vec<Letter>)> {
    let read = || {
        let pdf = Pdf::new(Arc::new(data.to_vec())).ok()?;
        let page = pdf.pages().get(page as usize)?;
        let geometry = Geometry::of(page, budget).ok()?;
        let blank = geometry.picture(Samples::Rgb(Vec::new()), None);
        Some((blank, letters::letters(page, most)))
    };
    // See `picture`.
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}

/// How large the picture of a page is.
struct Geometry {
    /// In inches.
    size: [f64; 2],
    /// Pixels of a point.
    scale: [f32; 2],
    /// In pixels.
    pixels: [u32; 2],
}

impl Geometry {
    fn of(page: &Page<'_>, budget: usize) -> Result<Geometry, Fault> {
        let (width, height) = page.render_dimensions();
        let size = [width, height].map(|side| f64::from(side) / 72.0);
        let [across, down] = size;
        if !(across > 0.0 && down > 0.0) {
            return Err(Fault::Damaged);
        }
        // The renderer keeps four bytes, and the picture three.
        #[allow(clippy::cast_precision_loss)]
        let affordable = (budget as f64 / 7.0 / (across * down)).sqrt();
        let resolution = RESOLUTION.min(affordable).min(MAX_SIDE / across).min(MAX_SIDE / down);
        // Scales are far inside the range of a short float.
        #[allow(clippy::cast_possible_truncation)]
        let scale = size.map(|side| (resolution / 72.0).max(1.5 / 72.0 / side) as f32);
        // As the renderer counts them; a float saturates, and what is no number becomes 0.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let pixels = [width * scale[0], height * scale[1]].map(|side| side as u32);
        Ok(Geometry { size, scale, pixels })
    }

    fn picture(&self, samples: Samples, mask: Option<Rows>) -> Picture {
        let [width, height] = self.pixels;
        let resolution = Some([f64::from(width) / self.size[0], f64::from(height) / self.size[1]]);
        Picture { width, height, samples, resolution, mask, damaged: false }
    }
}

fn draw(data: &[u8], page: u32, budget: &mut usize) -> Result<Picture, Fault> {
    let pdf = Pdf::new(Arc::new(data.to_vec())).map_err(|_| Fault::Damaged)?;
    let page = pdf.pages().get(page as usize).ok_or(Fault::Damaged)?;
    let mut geometry = Geometry::of(page, *budget)?;
    let [x_scale, y_scale] = geometry.scale;
    let settings = PixmapSettings { x_scale, y_scale, bg_color: TRANSPARENT };
    let interpreter = InterpreterSettings::default();
    let drawn = hayro::render(page, &RenderCache::new(), &interpreter, &RenderSettings::default(), &settings);
    let (across, down) = (u32::from(drawn.width()), u32::from(drawn.height()));
    geometry.pixels = [across, down];
    let pixels = drawn.data_as_u8_slice();
    *budget = budget.saturating_sub(pixels.len() / 4 * 3);
    let mut rgb = Vec::with_capacity(pixels.len() / 4 * 3);
    for pixel in pixels.as_chunks::<4>().0 {
        // The renderer's samples are multiplied by their opacity; the rest is white.
        let [red, green, blue, opacity] = *pixel;
        rgb.extend([red, green, blue].map(|sample| sample.saturating_add(255 - opacity)));
    }
    let mask = shown(pixels, across, down);
    Ok(geometry.picture(Samples::Rgb(rgb), mask))
}

/// Which samples are painted, in blocks small enough to follow what is painted and large enough to be few; `None` when all
/// are, or when it takes too many blocks.
fn shown(pixels: &[u8], across: u32, down: u32) -> Option<Rows> {
    let painted = |x: u32, y: u32| {
        let at = (y as usize * across as usize + x as usize) * 4 + 3;
        pixels.get(at).is_some_and(|opacity| *opacity > 0)
    };
    if pixels.as_chunks::<4>().0.iter().all(|[.., opacity]| *opacity > 0) {
        return None;
    }
    let stride = across.div_ceil(8) as usize;
    for block in BLOCKS {
        let (columns, rows) = (across.div_ceil(block) as usize, down.div_ceil(block) as usize);
        let mut blocks = vec![false; columns.saturating_mul(rows)];
        for y in 0..down {
            for x in (0..across).filter(|x| painted(*x, y)) {
                if let Some(hit) = blocks.get_mut((y / block) as usize * columns + (x / block) as usize) {
                    *hit = true;
                }
            }
        }
        let mut data = vec![0_u8; stride.saturating_mul(down as usize)];
        for y in 0..down {
            for x in 0..across {
                let is_shown = blocks.get((y / block) as usize * columns + (x / block) as usize) == Some(&true);
                if let Some(byte) = data.get_mut(y as usize * stride + x as usize / 8).filter(|_| is_shown) {
                    *byte |= 0x80 >> (x % 8);
                }
            }
        }
        let mask = Rows { width: across, height: down, data, damaged: false };
        if windows(&mask).is_some() {
            return Some(mask);
        }
    }
    None
}
