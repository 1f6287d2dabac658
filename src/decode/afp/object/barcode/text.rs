//! Human-readable text beside a symbol, and the banner above one.
//!
//! Rule: BCOCA Reference, "Human-Readable Interpretation (HRI) Guidelines": where the symbology says nothing, the text is as large
//! as the width of the bars allows, centred on them, and one module away.

use super::super::place::{Place, lu};
use super::super::text::{PLAIN_CODE_PAGE, PLAIN_PITCH, Setting, set, set_text};
use super::draw::{DIGIT_ROW, Drawn};
use super::encode::{Flags, Symbol};
use super::retail::Group;
use crate::decode::afp::font::ActiveFont;
use crate::frame::codepage::CodePage;
use crate::page::{Advances, Color, TextRun};

/// Least and largest size of our own font for text, in logical units: 1 and 10 pt.
const SIZES: [f64; 2] = [200.0, 2000.0];
/// Distance of banners from the bars: 1/8 inch.
const BANNER_GAP: f64 = 1800.0;
/// Part of the em square that lies above the baseline, for the digits and capitals of usual fonts.
const ASCENT: f64 = 0.75;

/// Text and banner at their places.
pub fn text(symbol: &Symbol, drawn: &Drawn, flags: Flags, writer: &Writer<'_>) -> Vec<TextRun> {
    let mut runs = Vec::new();
    let span = [0.0, drawn.width];
    if !symbol.banner.is_empty() && !flags.no_bars() {
        runs.extend(writer.centred(&symbol.banner, span, -BANNER_GAP, fitting(&symbol.banner, drawn.width)));
    }
    if flags.no_text() || symbol.text.is_empty() {
        return runs;
    }
    let size = fitting(&symbol.text, drawn.width);
    if flags.no_bars() {
        // Then the position is that of the first character.
        runs.extend(writer.from(&symbol.text, [0.0, 0.0], size));
        return runs;
    }
    if !symbol.groups.is_empty() {
        runs.extend(symbol.groups.iter().flat_map(|group| writer.group(group, drawn, symbol.text_above == Some(true))));
        return runs;
    }
    let above = symbol.text_above.or(flags.text_above()).unwrap_or(false);
    let gap = if symbol.banner.is_empty() { drawn.module } else { BANNER_GAP };
    let baseline = if above { -gap } else { drawn.height + gap + ASCENT * writer.size(size) };
    runs.extend(writer.centred(&symbol.text, span, baseline, size));
    runs
}

/// The size at which our own font fits into a width.
fn fitting(text: &str, width: f64) -> f64 {
    let count = f64::from(u32::try_from(text.chars().count().max(1)).unwrap_or(u32::MAX));
    let [least, most] = SIZES;
    (width / (count * PLAIN_PITCH)).clamp(least, most)
}

/// Writes text from the origin of a symbol.
pub struct Writer<'w> {
    font: Option<&'w ActiveFont>,
    color: Color,
    place: &'w Place,
    origin: [f64; 2],
}

impl<'w> Writer<'w> {
    /// In a font that is mapped, or in ours.
    pub fn new(font: Option<&'w ActiveFont>, color: Color, place: &'w Place, origin: [f64; 2]) -> Writer<'w> {
        Writer { font, color, place, origin }
    }

    /// The size of the font, where `own` is the size of ours.
    fn size(&self, own: f64) -> f64 {
        self.font.map_or(own, |font| f64::from(font.size().0))
    }

    /// Digits of EAN and UPC: seven modules each, at the bottom of the symbol; those of a supplement at its top, or above it
    /// where it stands alone.
    fn group(&self, group: &Group, drawn: &Drawn, alone: bool) -> Vec<TextRun> {
        let module = drawn.module;
        let size = (7.0 * module / PLAIN_PITCH).min(DIGIT_ROW * module / ASCENT);
        let count = f64::from(u32::try_from(group.text.len()).unwrap_or(u32::MAX));
        let (left, width) = (f64::from(group.at) * module, count * 7.0 * module);
        let baseline = match (group.supplement, alone) {
            (true, true) => -module,
            (true, false) => (DIGIT_ROW - 1.0) * module,
            _ => drawn.whole,
        };
        self.centred(&group.text, [left, left + width], baseline, size)
    }

    /// Text centred between two places on a baseline.
    fn centred(&self, text: &str, [left, right]: [f64; 2], baseline: f64, size: f64) -> Vec<TextRun> {
        let length: i64 = self.from(text, [0.0, 0.0], size).iter().map(|run| length(&run.advances)).sum();
        let length = lu(0.0).0.max(i32::try_from(length).unwrap_or(0));
        self.from(text, [(left + right - f64::from(length)) / 2.0, baseline], size)
    }

    /// Text that starts at a place.
    fn from(&self, text: &str, [x, y]: [f64; 2], size: f64) -> Vec<TextRun> {
        let setting = Setting {
            at: self.place.exact(self.origin[0] + x, self.origin[1] + y),
            axes: Setting::upright(self.place),
            direction: 1,
            cell: [0.0, if self.font.is_none() { size } else { 0.0 }],
            color: self.color,
        };
        match self.font {
            Some(font) => set(font, &ebcdic(text), &setting).0,
            None => set_text(text, &setting).0,
        }
    }
}

/// Text for a mapped font, without the characters that EBCDIC lacks.
fn ebcdic(text: &str) -> Vec<u8> {
    let page = CodePage::find(PLAIN_CODE_PAGE);
    text.chars().filter_map(|ch| page?.encode(ch.encode_utf8(&mut [0; 4]))).flatten().collect()
}

fn length(advances: &Advances) -> i64 {
    match advances {
        Advances::Uniform(advance) => i64::from(advance.0),
        Advances::Each(all) => all.iter().map(|advance| i64::from(advance.0)).sum(),
    }
}
