//! PNG: one page as a picture, drawn from its PDF.
//!
//! Small and always the same bytes: grey pages are stored in 16 greys, coloured ones in up to 256 colours.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf as SourcePdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};

use super::{DocumentInfo, Pages, RenderError, RenderOptions, Rendered, Renderer, pdf};

/// Resolution when no width is asked for.
const DOTS_PER_INCH: f32 = 100.0;
/// Widths outside are drawn as the nearest one.
const WIDTHS: (f32, f32) = (16.0, 4_000.0);
const HEIGHT_LIMIT: f32 = 8_000.0;

/// The PNG rendition.
#[derive(Debug)]
pub struct Png;

impl Renderer for Png {
    fn name(&self) -> &'static str {
        "png"
    }

    fn media_type(&self) -> &'static str {
        "image/png"
    }

    fn extension(&self) -> &'static str {
        "png"
    }

    fn shows_one_page(&self) -> bool {
        true
    }

    fn shows_forms(&self) -> bool {
        true
    }

    fn render(
        &self,
        info: &DocumentInfo,
        pages: &mut dyn Pages,
        how: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<Rendered, RenderError> {
        let range = how.range(pages.count())?;
        let Some(number) = range.into_iter().next() else {
            return Err(RenderError::NoPage { page: 1, pages: 0 });
        };
        let (bytes, rendered) = pdf::untagged(info, &info.paper, &pages.get(number)?)?;
        let picture = draw(bytes, how.width_px)?;
        out.write_all(&picture.encode()?)?;
        out.flush()?;
        Ok(rendered)
    }
}

/// Opaque pixels, three bytes each.
struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<[u8; 3]>,
}

fn draw(bytes: Vec<u8>, width_px: Option<u32>) -> Result<Picture, RenderError> {
    let broken = || RenderError::Resource("the page cannot be drawn".into());
    let source = SourcePdf::new(Arc::new(bytes)).map_err(|_| broken())?;
    let page = source.pages().first().ok_or_else(broken)?;
    let (width, height) = page.render_dimensions();
    let wanted = width_px.map_or(width / 72.0 * DOTS_PER_INCH, |px| px as f32).clamp(WIDTHS.0, WIDTHS.1);
    let scale = (wanted / width).min(HEIGHT_LIMIT / height);
    let settings = RenderSettings::default();
    // Very long or wide pages still have a pixel across.
    let (x_scale, y_scale) = (scale.max(1.5 / width), scale.max(1.5 / height));
    let pixmap = PixmapSettings { x_scale, y_scale, bg_color: WHITE };
    let drawn = hayro::render(page, &RenderCache::new(), &InterpreterSettings::default(), &settings, &pixmap);
    let (width, height) = (u32::from(drawn.width()), u32::from(drawn.height()));
    let rgb = drawn.data_as_u8_slice().chunks_exact(4).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    Ok(Picture { width, height, rgb })
}

impl Picture {
    fn encode(&self) -> Result<Vec<u8>, RenderError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_compression(png::Compression::Balanced);
        let data = self.pack(&mut encoder);
        let mut writer = encoder.write_header().map_err(encoding)?;
        writer.write_image_data(&data).map_err(encoding)?;
        writer.finish().map_err(encoding)?;
        Ok(bytes)
    }

    /// Chooses the smallest kind of pixel and gives the pixels in it.
    fn pack(&self, encoder: &mut png::Encoder<'_, &mut Vec<u8>>) -> Vec<u8> {
        if self.rgb.iter().all(|[r, g, b]| r == g && g == b) {
            encoder.set_color(png::ColorType::Grayscale);
            encoder.set_depth(png::BitDepth::Four);
            return self.nibbles(|[grey, ..]| ((u16::from(grey) * 15 + 127) / 255) as u8);
        }
        // Five bits per channel are as good as the eye sees in antialiased edges; white stays white.
        let coarse = |level: u8| {
            let five = u16::from(level) * 31 + 127;
            (five / 255 * 255 / 31) as u8
        };
        let pixels: Vec<[u8; 3]> = self.rgb.iter().map(|rgb| rgb.map(coarse)).collect();
        let mut palette: BTreeMap<[u8; 3], u8> = BTreeMap::new();
        let mut before = None;
        for pixel in &pixels {
            if before != Some(*pixel) {
                palette.entry(*pixel).or_insert(0);
                before = Some(*pixel);
            }
            if palette.len() > 256 {
                encoder.set_color(png::ColorType::Rgb);
                return pixels.concat();
            }
        }
        for (number, index) in palette.values_mut().enumerate() {
            *index = number as u8;
        }
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(palette.keys().flatten().copied().collect::<Vec<u8>>());
        pixels.iter().map(|pixel| palette.get(pixel).copied().unwrap_or(0)).collect()
    }

    /// Two pixels in a byte, each row on its own.
    fn nibbles(&self, level: impl Fn([u8; 3]) -> u8) -> Vec<u8> {
        let mut data = Vec::with_capacity(self.rgb.len() / 2 + self.height as usize);
        for row in self.rgb.chunks(self.width.max(1) as usize) {
            for pair in row.chunks(2) {
                let low = pair.get(1).map_or(0, |pixel| level(*pixel));
                data.push(level(pair[0]) << 4 | low);
            }
        }
        data
    }
}

fn encoding(error: png::EncodingError) -> RenderError {
    RenderError::Write(std::io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use crate::index::definition::Paper;
    use crate::render::{RenderOptions, sample};

    fn header(bytes: &[u8]) -> (u32, u32, u8) {
        assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n");
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        (word(16), word(20), bytes[25])
    }

    #[test]
    fn a_thumbnail_has_the_width_asked_for_and_is_the_same_each_time() {
        let how = RenderOptions { width_px: Some(300), ..RenderOptions::default() };
        let make = || sample::render("png", &sample::info(), vec![sample::statement(1)], &how).0;
        let bytes = make();
        let (width, height, kind) = header(&bytes);
        assert!((width, kind) == (300, 0) && (220..=224).contains(&height), "{width} {height} {kind}");
        assert_eq!(bytes, make());
    }

    #[test]
    fn every_kind_of_picture_path_and_font_leaves_its_colour() {
        let how = RenderOptions { width_px: Some(612), ..RenderOptions::default() };
        let (bytes, rendered) = sample::render("png", &sample::info(), vec![sample::everything()], &how);
        assert!(rendered.missing_glyphs.is_empty());
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("its size")];
        let info = reader.next_frame(&mut pixels).expect("its pixels");
        assert_eq!((info.width, info.height, info.color_type), (612, 792, png::ColorType::Rgb));
        let near = |(x, y): (usize, usize), [r, g, b]: [i32; 3]| {
            let pixel = &pixels[(y * 612 + x) * 3..][..3];
            [(0, r), (1, g), (2, b)].iter().all(|(at, level)| (i32::from(pixel[*at]) - level).abs() < 40)
        };
        let places = [
            ("bits", (42, 433), [200, 16, 32]),
            ("bits on paper", (135, 433), [255, 240, 170]),
            ("fax", (252, 434), [0, 0, 0]),
            ("fax turned", (320, 454), [200, 16, 32]),
            ("JBIG2", (493, 433), [0, 0, 0]),
            ("grey", (42, 524), [0, 0, 0]),
            ("the middle of a grey square", (60, 620), [128, 128, 128]),
            ("what is clipped from it", (45, 605), [255, 255, 255]),
            ("star, even-odd: empty inside", (60, 340), [255, 255, 255]),
            ("round line", (400, 358), [20, 60, 160]),
            ("form in a form", (200, 245), [255, 240, 170]),
        ];
        for (what, place, colour) in places {
            let at = (place.1 * 612 + place.0) * 3;
            assert!(near(place, colour), "{what}: {:?}", &pixels[at..at + 3]);
        }
    }

    #[test]
    fn green_bars_make_a_palette_picture() {
        let mut info = sample::info();
        info.paper = Paper { form: None, green_bars: true };
        let (bytes, _) = sample::render("png", &info, vec![sample::statement(1)], &RenderOptions::default());
        assert_eq!(header(&bytes).2, 3);
    }
}
