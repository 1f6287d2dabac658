//! From a symbol's pattern to bars on the page, and its text beside them.

use super::super::place::{Place, lu};
use super::super::text::{PLAIN_PITCH, Setting, set, set_plain};
use super::descriptor::{Descriptor, MIL, kind};
use super::encode::{Bearer, Flags, Symbol};
use super::retail::Group;
use super::symbol::{Bar, Matrix, Pattern, PostalBar};
use crate::decode::afp::font::ActiveFont;
use crate::decode::afp::object::text::PLAIN_CODE_PAGE;
use crate::frame::codepage::CodePage;
use crate::page::{Advances, Color, Path, Step, TextRun};

/// A rectangle: left, top, width, height in logical units from the symbol's origin.
type Rectangle = [f64; 4];

/// Height of text in EAN and UPC symbols, in modules.
const DIGIT_ROW: f64 = 9.0;
/// How far guards reach into the row of digits, in modules.
const GUARD: f64 = 5.0;
/// Thickness of bearer bars and distance of the upright ones, in modules.
const BEARER: f64 = 5.0;
const BEARER_GAP: f64 = 10.0;
/// Largest size of our own font for text, in logical units: 10 pt.
const MAX_SIZE: f64 = 2000.0;
/// Distance between bars and text, in logical units.
const TEXT_GAP: f64 = 150.0;
/// Part of the em square that lies above the baseline, for the digits and capitals of usual fonts.
const ASCENT: f64 = 0.75;
/// MaxiCode (ISO/IEC 16023): distance of columns and rows, and radii of the bull's eye's edges, in mm.
const HEXAGON: [f64; 2] = [0.88, 0.88 * 0.866_025_403_784_438_6];
const RINGS: [f64; 6] = [0.51, 1.18, 1.86, 2.53, 3.20, 3.87];
const MM: f64 = 1000.0 / 25.4 * MIL;

/// A symbol as it is drawn, from its origin.
pub struct Drawn {
    /// Bars or modules.
    pub shapes: Shapes,
    /// Width of the bars.
    pub width: f64,
    /// Height of the bars.
    pub height: f64,
}

/// What the dark parts are.
pub enum Shapes {
    /// Rectangles.
    Rectangles(Vec<Rectangle>),
    /// Hexagons by their centres, and rings about a centre.
    Hexagons {
        /// Centres of dark modules.
        centers: Vec<[f64; 2]>,
        /// Centre of the bull's eye.
        eye: [f64; 2],
    },
}

/// Lays out a pattern in logical units.
pub fn lay_out(symbol: &Symbol, descriptor: &Descriptor, flags: Flags) -> Drawn {
    let (module, height) = (descriptor.module, descriptor.height);
    match &symbol.pattern {
        Pattern::Linear(widths) => linear(widths, symbol.bearer, module, height),
        Pattern::Retail(bars) => retail(bars, module, height, !flags.no_text() && flags.text_above() != Some(true)),
        Pattern::Postal(bars) => postal(bars, descriptor),
        Pattern::Matrix(matrix) => {
            let row = match descriptor.kind {
                kind::PDF417 if descriptor.height_stated => height,
                kind::PDF417 => module * 4.0,
                _ => module,
            };
            let [width, height] = [(matrix.width(), module), (matrix.height(), row)].map(|(n, size)| float(n) * size);
            Drawn { shapes: Shapes::Rectangles(merged(matrix, module, row)), width, height }
        }
        Pattern::Hexagons(matrix) => hexagons(matrix),
    }
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn linear(widths: &[f64], bearer: Bearer, module: f64, height: f64) -> Drawn {
    let mut rectangles = Vec::new();
    let mut at = 0.0;
    for (i, width) in widths.iter().enumerate() {
        if i % 2 == 0 {
            rectangles.push([at * module, 0.0, width * module, height]);
        }
        at += width;
    }
    let (width, thick) = (at * module, BEARER * module);
    let out = BEARER_GAP * module + thick;
    let (left, across) = if bearer == Bearer::Frame { (-out, width + 2.0 * out) } else { (0.0, width) };
    if bearer != Bearer::None {
        rectangles.push([left, -thick, across, thick]);
        rectangles.push([left, height, across, thick]);
    }
    if bearer == Bearer::Frame {
        rectangles.push([left, 0.0, thick, height]);
        rectangles.push([left + across - thick, 0.0, thick, height]);
    }
    let height = if bearer == Bearer::None { height } else { height + thick };
    Drawn { shapes: Shapes::Rectangles(rectangles), width, height }
}

/// The stated height holds the row of digits, into which the guards reach.
fn retail(bars: &[Bar], module: f64, height: f64, digits: bool) -> Drawn {
    let row = if digits { (DIGIT_ROW * module).min(height / 2.0) } else { 0.0 };
    let guard = (GUARD * module).min(row);
    let rectangle = |bar: &Bar| {
        let top = if bar.supplement && digits { row } else { 0.0 };
        let bottom = if bar.guard || bar.supplement { height - row + guard } else { height - row };
        [f64::from(bar.at) * module, top, f64::from(bar.width) * module, bottom - top]
    };
    let width = bars.last().map_or(0.0, |bar| f64::from(bar.at + bar.width) * module);
    Drawn { shapes: Shapes::Rectangles(bars.iter().map(rectangle).collect()), width, height: height - row + guard }
}

/// Distance of postal bars in bar widths, and the share of the height that the tracker takes (POSTNET: the short bar).
fn postal_shape(kind: u8) -> (f64, f64) {
    // 22 bars of 20 mils in an inch; Japan Post has as much space as bar.
    const PITCH: f64 = 1000.0 / 22.0 / 20.0;
    match kind {
        kind::POSTNET => (PITCH, 0.4),
        kind::JAPAN => (2.0, 1.0 / 3.0),
        kind::INTELLIGENT_MAIL => (PITCH, 0.33),
        _ => (PITCH, 0.255),
    }
}

fn postal(bars: &[PostalBar], descriptor: &Descriptor) -> Drawn {
    let (pitch, share) = postal_shape(descriptor.kind);
    let (module, height) = (descriptor.module, descriptor.height);
    let (low, high) = (height * (1.0 - share) / 2.0, height * (1.0 + share) / 2.0);
    let rectangle = |(i, bar): (usize, &PostalBar)| {
        let (top, bottom) = match bar {
            PostalBar::Full => (0.0, height),
            PostalBar::Ascender => (0.0, high),
            PostalBar::Descender => (low, height),
            PostalBar::Tracker => (low, high),
            PostalBar::Half => (height * (1.0 - share), height),
        };
        [float(i) * pitch * module, top, module, bottom - top]
    };
    let width = (float(bars.len().saturating_sub(1)) * pitch + 1.0) * module;
    Drawn { shapes: Shapes::Rectangles(bars.iter().enumerate().map(rectangle).collect()), width, height }
}

/// Runs of dark modules, taken together with equal runs in the rows below.
fn merged(matrix: &Matrix, module: f64, row_height: f64) -> Vec<Rectangle> {
    let mut done: Vec<Rectangle> = Vec::new();
    // Open runs: first column, last column, first row.
    let mut open: Vec<(usize, usize, usize)> = Vec::new();
    let rows = matrix.height();
    for y in 0..=rows {
        let mut runs = Vec::new();
        let mut start = None;
        for x in 0..=matrix.width() {
            match (y < rows && matrix.dark(x, y), start) {
                (true, None) => start = Some(x),
                (false, Some(from)) => {
                    runs.push((from, x));
                    start = None;
                }
                _ => {}
            }
        }
        let still = |run: &(usize, usize, usize)| runs.contains(&(run.0, run.1));
        let (kept, ended): (Vec<_>, Vec<_>) = open.into_iter().partition(still);
        for (from, to, top) in ended {
            let (left, top, width) = (float(from) * module, float(top) * row_height, float(to - from) * module);
            done.push([left, top, width, float(y) * row_height - top]);
        }
        let new: Vec<_> = runs
            .into_iter()
            .filter(|(from, to)| !kept.iter().any(|run| (run.0, run.1) == (*from, *to)))
            .map(|(from, to)| (from, to, y))
            .collect();
        open = kept;
        open.extend(new);
    }
    done
}

fn hexagons(matrix: &Matrix) -> Drawn {
    let [column, row] = HEXAGON.map(|size| size * MM);
    let mut centers = Vec::new();
    for y in 0..matrix.height() {
        for x in 0..matrix.width() {
            if matrix.dark(x, y) {
                let shift = if y % 2 == 1 { 1.0 } else { 0.5 };
                centers.push([(float(x) + shift) * column, float(y) * row + column / 3f64.sqrt()]);
            }
        }
    }
    let eye = [14.5 * column, 16.0 * row + column / 3f64.sqrt()];
    let (width, height) = (30.0 * column, 32.0 * row + 2.0 * column / 3f64.sqrt());
    Drawn { shapes: Shapes::Hexagons { centers, eye }, width, height }
}

/// The bars as one filled path.
pub fn path(drawn: &Drawn, origin: [f64; 2], place: &Place, color: Color) -> Path {
    let at = |x: f64, y: f64| place.point(origin[0] + x, origin[1] + y);
    let mut steps = Vec::new();
    let mut figure = |corners: &[[f64; 2]]| {
        for (i, [x, y]) in corners.iter().enumerate() {
            steps.push(if i == 0 { Step::Move(at(*x, *y)) } else { Step::Line(at(*x, *y)) });
        }
        steps.push(Step::Close);
    };
    match &drawn.shapes {
        Shapes::Rectangles(all) => {
            for [left, top, width, height] in all {
                let (right, bottom) = (left + width, top + height);
                figure(&[[*left, *top], [right, *top], [right, bottom], [*left, bottom]]);
            }
        }
        Shapes::Hexagons { centers, eye } => {
            let [half, _] = HEXAGON.map(|size| size * MM / 2.0);
            let tip = 2.0 * half / 3f64.sqrt();
            for [x, y] in centers {
                let corners = [
                    [*x, y - tip],
                    [x + half, y - tip / 2.0],
                    [x + half, y + tip / 2.0],
                    [*x, y + tip],
                    [x - half, y + tip / 2.0],
                    [x - half, y - tip / 2.0],
                ];
                figure(&corners);
            }
            for radius in RINGS {
                steps.extend(circle(*eye, radius * MM, &at));
            }
        }
    }
    // Rings are between two circles each: the even-odd rule leaves the space between them light.
    Path { steps, fill: Some(color), even_odd: matches!(drawn.shapes, Shapes::Hexagons { .. }), stroke: None }
}

fn circle([x, y]: [f64; 2], r: f64, at: &impl Fn(f64, f64) -> [crate::page::Lu; 2]) -> Vec<Step> {
    /// Where control points lie for a quarter of a circle.
    const K: f64 = 0.552_284_75;
    let mut steps = vec![Step::Move(at(x + r, y))];
    let quarters = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0], [1.0, 0.0]];
    for (from, to) in quarters.iter().zip(quarters.iter().skip(1)) {
        let control = |a: &[f64; 2], b: &[f64; 2]| at(x + r * (a[0] + K * b[0]), y + r * (a[1] + K * b[1]));
        let ([ax, ay], [bx, by]) = (control(from, to), control(to, from));
        let [ex, ey] = at(x + r * to[0], y + r * to[1]);
        steps.push(Step::Curve([ax, ay, bx, by, ex, ey]));
    }
    steps.push(Step::Close);
    steps
}

/// The font of text: a mapped one, or ours.
pub type TextFont<'f> = Option<&'f ActiveFont>;

/// Human-readable text at its places.
pub fn text(
    symbol: &Symbol,
    drawn: &Drawn,
    descriptor: &Descriptor,
    flags: Flags,
    origin: [f64; 2],
    place: &Place,
    font: TextFont<'_>,
) -> Vec<TextRun> {
    if flags.no_text() || symbol.text.is_empty() {
        return Vec::new();
    }
    let writer = Writer { font, color: descriptor.color, place, origin };
    if !symbol.groups.is_empty() && flags.text_above() != Some(true) {
        let module = descriptor.module;
        let size = (7.0 * module / PLAIN_PITCH).min(DIGIT_ROW * module / ASCENT);
        return symbol.groups.iter().flat_map(|group| writer.group(group, module, descriptor.height, size)).collect();
    }
    let above = flags.text_above().unwrap_or(descriptor.kind == kind::AUSTRALIA);
    let fitting = drawn.width / (float(symbol.text.chars().count()) * PLAIN_PITCH);
    let size = fitting.clamp(200.0, MAX_SIZE);
    let ascent = ASCENT * font.map_or(size, |font| f64::from(font.size().0));
    let baseline = if above { -TEXT_GAP } else { drawn.height + TEXT_GAP + ascent };
    writer.centred(&symbol.text, [0.0, drawn.width], baseline, size)
}

struct Writer<'w> {
    font: TextFont<'w>,
    color: Color,
    place: &'w Place,
    origin: [f64; 2],
}

impl Writer<'_> {
    /// Digits of EAN and UPC: seven modules each, at the bottom of the symbol or at the top of the supplement.
    fn group(&self, group: &Group, module: f64, height: f64, size: f64) -> Vec<TextRun> {
        let left = f64::from(group.at) * module;
        let width = float(group.text.len()) * 7.0 * module;
        let baseline = if group.supplement { (DIGIT_ROW - 1.0) * module } else { height };
        self.centred(&group.text, [left, left + width], baseline, size)
    }

    /// Text centred between two places on a baseline.
    fn centred(&self, text: &str, [left, right]: [f64; 2], baseline: f64, size: f64) -> Vec<TextRun> {
        let encoded = CodePage::find(PLAIN_CODE_PAGE).and_then(|page| page.encode(text)).unwrap_or_default();
        let setting = |at: [f64; 2]| Setting {
            at: self.place.exact(self.origin[0] + at[0], self.origin[1] + at[1]),
            baseline: Setting::baseline([1.0, 0.0], self.place),
            direction: 1,
            cell: if self.font.is_none() { size } else { 0.0 },
            slanted: false,
            color: self.color,
        };
        let write = |at: [f64; 2]| match self.font {
            Some(font) => set(font, &encoded, &setting(at)),
            None => set_plain(&encoded, &setting(at)),
        };
        let length: i64 = write([0.0, 0.0]).iter().map(|run| length(&run.advances)).sum();
        let length = lu(0.0).0.max(i32::try_from(length).unwrap_or(0));
        write([(left + right - f64::from(length)) / 2.0, baseline])
    }
}

fn length(advances: &Advances) -> i64 {
    match advances {
        Advances::Uniform(advance) => i64::from(advance.0),
        Advances::Each(all) => all.iter().map(|advance| i64::from(advance.0)).sum(),
    }
}
