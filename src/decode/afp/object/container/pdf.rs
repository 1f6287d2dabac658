//! PDF pages as pictures.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};

use super::{Fault, Picture};
use crate::page::Samples;

/// Pixels in one inch: text of a bill stays readable, and a page of paper takes 11 MB.
const RESOLUTION: f64 = 200.0;
/// Pixels on a side that the renderer can count.
const MAX_SIDE: f64 = 16_000.0;

/// Draws a page (from 0) on white.
pub fn picture(data: &[u8], page: u32, budget: &mut usize) -> Result<Picture, Fault> {
    // The file is a stranger's and the renderer is not ours: its panic is a picture that cannot be shown.
    catch_unwind(AssertUnwindSafe(|| draw(data, page, budget))).unwrap_or(Err(Fault::Damaged))
}

fn draw(data: &[u8], page: u32, budget: &mut usize) -> Result<Picture, Fault> {
    let pdf = Pdf::new(Arc::new(data.to_vec())).map_err(|_| Fault::Damaged)?;
    let page = pdf.pages().get(page as usize).ok_or(Fault::Damaged)?;
    let (width, height) = page.render_dimensions();
    let (width, height) = (f64::from(width) / 72.0, f64::from(height) / 72.0);
    if !(width > 0.0 && height > 0.0) {
        return Err(Fault::Damaged);
    }
    // The renderer keeps four bytes, and the picture three.
    #[allow(clippy::cast_precision_loss)]
    let affordable = (*budget as f64 / 7.0 / (width * height)).sqrt();
    let resolution = RESOLUTION.min(affordable).min(MAX_SIDE / width).min(MAX_SIDE / height);
    let scale = |side: f64| (resolution / 72.0).max(1.5 / 72.0 / side);
    // Scales are far inside the range of a short float.
    #[allow(clippy::cast_possible_truncation)]
    let (x_scale, y_scale) = (scale(width) as f32, scale(height) as f32);
    let settings = PixmapSettings { x_scale, y_scale, bg_color: WHITE };
    let interpreter = InterpreterSettings::default();
    let drawn = hayro::render(page, &RenderCache::new(), &interpreter, &RenderSettings::default(), &settings);
    let (across, down) = (u32::from(drawn.width()), u32::from(drawn.height()));
    let pixels = drawn.data_as_u8_slice();
    *budget = budget.saturating_sub(pixels.len() / 4 * 3);
    let mut rgb = Vec::with_capacity(pixels.len() / 4 * 3);
    for pixel in pixels.chunks_exact(4) {
        rgb.extend_from_slice(pixel.get(..3).unwrap_or_default());
    }
    let resolution = Some([f64::from(across) / width, f64::from(down) / height]);
    Ok(Picture { width: across, height: down, samples: Samples::Rgb(rgb), resolution, mask: None, damaged: false })
}
