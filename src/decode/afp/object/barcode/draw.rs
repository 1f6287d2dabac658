//! From a symbol's pattern to bars on the page. Its text: [`mod@super::text`].

use super::super::place::Place;
use super::descriptor::{Descriptor, MIL, kind};
use super::encode::{Bearer, Symbol};
use super::size;
use super::symbol::{Bar, Matrix, Pattern, PostalBar};
use crate::page::{Color, Path, Step};

/// A rectangle: left, top, width, height in logical units from the symbol's origin.
type Rectangle = [f64; 4];

/// Height of text in EAN and UPC symbols, in modules.
pub const DIGIT_ROW: f64 = 9.0;
/// How far guards reach into the row of digits, in modules.
const GUARD: f64 = 5.0;
/// Thickness of bearer bars and distance of the upright ones, in modules.
const BEARER: f64 = 5.0;
const BEARER_GAP: f64 = 10.0;
/// Intelligent Mail labels: distance of the identification bars from the symbol, which leaves room for a line of text, and their
/// thickness: 3/8 and 1/32 inch.
const IDENTIFICATION: [f64; 2] = [5400.0, 450.0];
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
    /// Width of a module.
    pub module: f64,
    /// What the descriptor means by the height of the symbol: for EAN and UPC the row of digits counts.
    pub whole: f64,
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
        /// Size against that of the specification.
        scale: f64,
    },
}

/// Lays out a pattern in logical units; `digits`: EAN and UPC leave room for them.
pub fn lay_out(symbol: &Symbol, descriptor: &Descriptor, digits: bool) -> Drawn {
    match &symbol.pattern {
        Pattern::Linear(widths) => linear(widths, symbol.bearer, descriptor),
        Pattern::Retail(bars) => retail(bars, descriptor, digits),
        Pattern::Postal(bars) => postal(bars, descriptor),
        Pattern::Matrix(matrix) => {
            let module = size::module(descriptor, float(matrix.width()));
            let row = if descriptor.kind == kind::PDF417 { size::height(descriptor, module, 0.0) } else { module };
            let tops: Vec<f64> = (0..=matrix.height()).map(|y| float(y) * row).collect();
            rows(matrix, module, &tops)
        }
        Pattern::Stack(stack) => {
            let module = size::module(descriptor, float(stack.matrix.width()));
            let mut tops = vec![0.0];
            let mut at = 0.0;
            for height in &stack.heights {
                at += height * module;
                tops.push(at);
            }
            rows(&stack.matrix, module, &tops)
        }
        Pattern::Hexagons(matrix) => hexagons(matrix, descriptor),
    }
}

/// Rows of modules; `tops` are where they start, and where the last one ends.
fn rows(matrix: &Matrix, module: f64, tops: &[f64]) -> Drawn {
    let (width, height) = (float(matrix.width()) * module, tops.last().copied().unwrap_or(0.0));
    Drawn { shapes: Shapes::Rectangles(merged(matrix, module, tops)), width, height, module, whole: height }
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn linear(widths: &[f64], bearer: Bearer, descriptor: &Descriptor) -> Drawn {
    let modules: f64 = widths.iter().sum();
    let around = if bearer == Bearer::Frame { 2.0 * (BEARER + BEARER_GAP) } else { 0.0 };
    let module = size::module(descriptor, modules + around);
    let width = modules * module;
    let height = size::height(descriptor, module, width);
    let mut rectangles = Vec::new();
    let mut at = 0.0;
    for (i, width) in widths.iter().enumerate() {
        if i % 2 == 0 && *width > 0.0 {
            rectangles.push([at * module, 0.0, width * module, height]);
        }
        at += width;
    }
    let (gap, thick) = match bearer {
        Bearer::Identification => (IDENTIFICATION[0], IDENTIFICATION[1]),
        _ => (0.0, BEARER * module),
    };
    let out = BEARER_GAP * module + thick;
    let (left, across) = if bearer == Bearer::Frame { (-out, width + 2.0 * out) } else { (0.0, width) };
    if bearer != Bearer::None {
        rectangles.push([left, -thick - gap, across, thick]);
        rectangles.push([left, height + gap, across, thick]);
    }
    if bearer == Bearer::Frame {
        rectangles.push([left, 0.0, thick, height]);
        rectangles.push([left + across - thick, 0.0, thick, height]);
    }
    let under = if matches!(bearer, Bearer::Frame | Bearer::TopAndBottom) { height + thick } else { height };
    Drawn { shapes: Shapes::Rectangles(rectangles), width, height: under, module, whole: height }
}

/// The height holds the row of digits, into which the guards reach; that of a supplement alone is that of its bars.
fn retail(bars: &[Bar], descriptor: &Descriptor, digits: bool) -> Drawn {
    let modules = bars.last().map_or(0.0, |bar| f64::from(bar.at + bar.width));
    let module = size::module(descriptor, modules);
    let height = size::height(descriptor, module, modules * module);
    let alone = bars.iter().all(|bar| bar.supplement);
    let row = if digits && !alone { (DIGIT_ROW * module).min(height / 2.0) } else { 0.0 };
    let guard = (GUARD * module).min(row);
    let rectangle = |bar: &Bar| {
        let top = if bar.supplement { row } else { 0.0 };
        let bottom = if bar.guard || bar.supplement { height - row + guard } else { height - row };
        [f64::from(bar.at) * module, top, f64::from(bar.width) * module, bottom - top]
    };
    let shapes = Shapes::Rectangles(bars.iter().map(rectangle).collect());
    Drawn { shapes, width: modules * module, height: height - row + guard, module, whole: height }
}

fn postal(bars: &[PostalBar], descriptor: &Descriptor) -> Drawn {
    let size::Postal { pitch, bar: thick, height, share } = size::postal(descriptor, float(bars.len()));
    let (low, high) = (height * (1.0 - share) / 2.0, height * (1.0 + share) / 2.0);
    let rectangle = |(i, bar): (usize, &PostalBar)| {
        let (top, bottom) = match bar {
            PostalBar::Full => (0.0, height),
            PostalBar::Ascender => (0.0, high),
            PostalBar::Descender => (low, height),
            PostalBar::Tracker => (low, high),
            PostalBar::Half => (height * (1.0 - share), height),
        };
        [float(i) * pitch, top, thick, bottom - top]
    };
    let width = float(bars.len().saturating_sub(1)) * pitch + thick;
    let shapes = Shapes::Rectangles(bars.iter().enumerate().map(rectangle).collect());
    Drawn { shapes, width, height, module: thick, whole: height }
}

/// Runs of dark modules, taken together with equal runs in the rows below.
fn merged(matrix: &Matrix, module: f64, tops: &[f64]) -> Vec<Rectangle> {
    let top = |y: usize| tops.get(y).or(tops.last()).copied().unwrap_or(0.0);
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
        for (from, to, first) in ended {
            done.push([float(from) * module, top(first), float(to - from) * module, top(y) - top(first)]);
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

fn hexagons(matrix: &Matrix, descriptor: &Descriptor) -> Drawn {
    let columns = float(matrix.width());
    let scale = size::maxicode(descriptor, columns * HEXAGON[0] * MM);
    let [column, row] = HEXAGON.map(|size| size * MM * scale);
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
    let (width, height) = (columns * column, 32.0 * row + 2.0 * column / 3f64.sqrt());
    Drawn { shapes: Shapes::Hexagons { centers, eye, scale }, width, height, module: column, whole: height }
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
        Shapes::Hexagons { centers, eye, scale } => {
            let [half, _] = HEXAGON.map(|size| size * MM * scale / 2.0);
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
                steps.extend(circle(*eye, radius * MM * scale, &at));
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
