//! Custom patterns: pictures of drawing orders that areas are tiled with.
//!
//! Rule: AFP GOCA Reference, "Custom Patterns", "Begin Custom Pattern (GBCP) Order": what is drawn up to End Custom Pattern is
//! drawn on a plane of its own with the drawing defaults; a window of it is a tile. Tiles lie side by side from the pattern
//! reference point on. Tiles of one colour (bilevel) take that of the area; others have their own colours.
//!
//! In: the elements that were drawn. Out: a [`Tile`] of pixels, and for an area the pixels of each colour.

use super::raster::{Span, dashes, spans, thick};
use super::shape::{Point, Seg, polygons};
use crate::decode::afp::bytes::{i16_at, u8_at};
use crate::decode::afp::font::{Segment, outline};
use crate::decode::afp::object::place::lu;
use crate::page::{Color, Element, Path, PlacedImage, Samples, Step, TextRun};

/// Side of a pixel on the page in logical units: 300 in an inch.
pub const PIXEL: f64 = 48.0;
/// Pixels of all tiles and filled areas of one object and its copies.
pub const MOST_PIXELS: usize = 32_000_000;
/// Colours of one tile; what is drawn in others takes the last.
const COLORS: usize = 64;
/// The pixel of a tile that nothing paints.
const CLEAR: u8 = 0;

/// What Begin Custom Pattern says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Definition {
    /// Pattern set and symbol.
    pub key: [u8; 2],
    /// Its colours are its own.
    pub is_full_color: bool,
    /// Left, right, lower and upper edge of its window in graphics units.
    pub window: [f64; 4],
}

impl Definition {
    /// Of the order's data; `None` where that says nothing that can be drawn.
    pub fn read(data: &[u8]) -> Option<Definition> {
        let key = [u8_at(data, 3)?, u8_at(data, 4)?];
        let edge = |at: usize| i16_at(data, at).map(f64::from);
        let window = [edge(5)?, edge(7)?, edge(9)?, edge(11)?];
        let [left, right, bottom, top] = window;
        let fits = matches!(key, [1..=0xFD, 1..=0xFF]) && left < right && bottom < top;
        fits.then_some(Definition { key, is_full_color: u8_at(data, 2)? & 0x80 != 0, window })
    }
}

/// A pattern, ready to fill areas with.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// Width and height in logical units of the object's content.
    size: Point,
    /// Pixels across and down.
    pixels: [usize; 2],
    /// For each pixel [`CLEAR`] or the number of a colour, from 1.
    indices: Vec<u8>,
    /// `None`: that of the area.
    colors: Vec<Option<Color>>,
}

/// Why a tile is not as it was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It costs more than is allowed; nothing is made.
    TooMuch,
    /// Something in it is left out or has another colour.
    Part,
}

/// What painting may still cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Pixels.
    pub pixels: usize,
    /// Crossings of edges and rows.
    pub crossings: usize,
}

impl Tile {
    /// Paints elements whose coordinates start at the tile's top left corner; `pixel` is the size of a pixel in their units.
    pub fn paint(
        elements: &[Element],
        size: Point,
        pixel: Point,
        is_full_color: bool,
        cost: &mut Cost,
    ) -> Result<(Tile, Option<Flaw>), Flaw> {
        let pixels = counts(size, pixel);
        let area = pixels[0].saturating_mul(pixels[1]);
        cost.pixels = cost.pixels.checked_sub(area).ok_or(Flaw::TooMuch)?;
        let mut tile = Tile { size, pixels, indices: vec![CLEAR; area], colors: Vec::new() };
        let ([columns, rows], [width, height]) = (pixels, size);
        let scale = [real(columns) / width, real(rows) / height];
        let mut painter = Painter { tile: &mut tile, scale, is_full_color, cost, flaw: None };
        for element in elements {
            painter.element(element).ok_or(Flaw::TooMuch)?;
        }
        let flaw = painter.flaw;
        Ok((tile, flaw))
    }

    /// Colours.
    pub fn colors(&self) -> usize {
        self.colors.len()
    }

    /// Fills figures with tiles from `origin` on: for each colour the pixels of a picture whose top left corner is `corner`, with
    /// its rows in whole bytes. All lengths are in the units of the content.
    pub fn fill(
        &self,
        figures: &[Vec<Point>],
        even_odd: bool,
        picture: &Picture,
        origin: Point,
        cost: &mut Cost,
    ) -> Option<Vec<(Option<Color>, Vec<u8>)>> {
        let [columns, rows] = picture.pixels;
        let stride = columns.div_ceil(8);
        cost.pixels = cost.pixels.checked_sub(columns.checked_mul(rows)?.checked_mul(self.colors.len().max(1))?)?;
        let own =
            |[x, y]: Point| [(x - picture.corner[0]) / picture.pixel[0], (y - picture.corner[1]) / picture.pixel[1]];
        let figures: Vec<Vec<Point>> =
            figures.iter().map(|figure| figure.iter().map(|at| own(*at)).collect()).collect();
        let mut planes = vec![vec![0_u8; stride * rows]; self.colors.len()];
        let [across, down] = self.shown(picture, origin);
        let [tile_columns, _] = self.pixels;
        for Span { row, from, to } in spans(&figures, even_odd, picture.pixels, &mut cost.crossings)? {
            let start = down.get(row).copied().unwrap_or(0) * tile_columns;
            for (column, x) in across.iter().enumerate().take(to).skip(from) {
                let index = self.indices.get(start + x).copied().unwrap_or(CLEAR);
                let plane = usize::from(index).checked_sub(1).and_then(|index| planes.get_mut(index));
                if let Some(byte) = plane.and_then(|plane| plane.get_mut(row * stride + column / 8)) {
                    *byte |= 0x80 >> (column % 8);
                }
            }
        }
        let painted = self.colors.iter().copied().zip(planes);
        Some(painted.filter(|(_, plane)| plane.iter().any(|byte| *byte != 0)).collect())
    }

    /// The columns of the tile that the columns of a picture show, and the rows that its rows show.
    fn shown(&self, picture: &Picture, origin: Point) -> [Vec<usize>; 2] {
        let ([width, height], [columns, rows]) = (self.size, self.pixels);
        let Picture { corner: [left, top], pixel: [wide, high], pixels: [across, down] } = *picture;
        let [origin_x, origin_y] = origin;
        [side(across, left - origin_x, wide, (width, columns)), side(down, top - origin_y, high, (height, rows))]
    }
}

/// For each of so many pixels, the first of which starts at a place, the pixel of a tile of some length that it shows.
fn side(pixels: usize, start: f64, pixel: f64, (length, of): (f64, usize)) -> Vec<usize> {
    let shown = |at: usize| {
        let place = (start + (real(at) + 0.5) * pixel).rem_euclid(length) / length * real(of);
        floor(place).min(of.saturating_sub(1))
    };
    (0..pixels).map(shown).collect()
}

/// Where a filled area is painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picture {
    /// Its top left corner.
    pub corner: Point,
    /// Size of a pixel.
    pub pixel: Point,
    /// Pixels across and down.
    pub pixels: [usize; 2],
}

/// Pixels of a size that cover a length across and down, 1 or more.
pub fn counts([width, height]: Point, [wide, high]: Point) -> [usize; 2] {
    [width / wide, height / high].map(|length| floor(length.ceil().clamp(1.0, 1e6)))
}

fn floor(length: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of this kind saturates")]
    let floor = length.floor() as usize;
    floor
}

fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

struct Painter<'t> {
    tile: &'t mut Tile,
    /// Pixels in a unit of the elements.
    scale: Point,
    is_full_color: bool,
    cost: &'t mut Cost,
    flaw: Option<Flaw>,
}

impl Painter<'_> {
    fn element(&mut self, element: &Element) -> Option<()> {
        match element {
            Element::Path(path) => self.path(path),
            Element::Text(run) => self.text(run),
            Element::Image(image) => self.image(image),
            _ => Some(()),
        }
    }

    /// The number of a colour; without colours of its own a tile has ink, and what is white is not painted.
    fn index(&mut self, color: Color) -> u8 {
        let white = Color { r: 255, g: 255, b: 255 };
        if !self.is_full_color && color == white {
            return CLEAR;
        }
        let color = self.is_full_color.then_some(color);
        let colors = &mut self.tile.colors;
        let known = colors.iter().position(|known| *known == color);
        let at = known.unwrap_or_else(|| {
            if colors.len() < COLORS {
                colors.push(color);
            } else {
                self.flaw = Some(Flaw::Part);
            }
            colors.len() - 1
        });
        u8::try_from(at + 1).unwrap_or(u8::MAX)
    }

    fn figures(&mut self, figures: &[Vec<Point>], even_odd: bool, color: Color) -> Option<()> {
        let [sx, sy] = self.scale;
        let scaled: Vec<Vec<Point>> =
            figures.iter().map(|figure| figure.iter().map(|[x, y]| [x * sx, y * sy]).collect()).collect();
        let index = self.index(color);
        for Span { row, from, to } in spans(&scaled, even_odd, self.tile.pixels, &mut self.cost.crossings)? {
            let start = row * self.tile.pixels[0];
            self.tile.indices.get_mut(start + from..start + to)?.fill(index);
        }
        Some(())
    }

    fn path(&mut self, path: &Path) -> Option<()> {
        let figures = polygons(&segs(&path.steps), |point| point);
        if let Some(fill) = path.fill {
            self.figures(&figures, path.even_odd, fill)?;
        }
        let Some(stroke) = &path.stroke else { return Some(()) };
        let least = 1.0 / self.scale[0].min(self.scale[1]).max(f64::MIN_POSITIVE);
        let width = f64::from(stroke.width.0).max(least);
        let pattern: Vec<f64> = stroke.dash.iter().map(|length| f64::from(length.0)).collect();
        let period: f64 = pattern.iter().sum();
        for line in outlines(&path.steps, figures) {
            let length: f64 = line.iter().zip(line.iter().skip(1)).map(|(a, b)| (b[0] - a[0]).hypot(b[1] - a[1])).sum();
            if period >= 1.0 {
                let pieces = usize::try_from(lu(length / period).0).ok()?.checked_mul(pattern.len())?;
                self.cost.crossings = self.cost.crossings.checked_sub(pieces)?;
            }
            for piece in dashes(&line, &pattern) {
                self.cost.crossings = self.cost.crossings.checked_sub(piece.len())?;
                for part in thick(&piece, width) {
                    self.figures(&[part], false, stroke.color)?;
                }
            }
        }
        Some(())
    }

    fn text(&mut self, run: &TextRun) -> Option<()> {
        let Some(embedded) = &run.embedded else {
            self.flaw = Some(Flaw::Part);
            return Some(());
        };
        let (size, wide) = (f64::from(run.size.0), f64::from(run.stretch) / 1000.0);
        let mut along = 0.0;
        for (number, id) in embedded.glyphs.iter().enumerate() {
            let place = |[x, y]: Point| {
                let (x, y) = (along + x * size * wide, -y * size);
                let (x, y) = match run.turns & 3 {
                    0 => (x, y),
                    1 => (-y, x),
                    2 => (-x, -y),
                    _ => (y, -x),
                };
                [f64::from(run.x.0) + x, f64::from(run.y.0) + y]
            };
            let Some(outline) = outline(&embedded.font, *id) else { continue };
            let shape: Vec<Seg> = outline.0.iter().map(|segment| seg(segment, place)).collect();
            self.figures(&polygons(&shape, |point| point), false, run.color)?;
            along += f64::from(advance(run, number));
        }
        Some(())
    }

    /// A picture of bits without a turn, as drawing orders make them.
    fn image(&mut self, placed: &PlacedImage) -> Option<()> {
        let Samples::Bits { data, ink, paper } = placed.image.samples() else { return Some(()) };
        let (ink, paper) = (self.index(*ink), paper.map(|paper| self.index(paper)));
        let stride = usize::try_from(placed.image.width()).ok()?.div_ceil(8);
        let box_of = |at: i32, length: i32, scale: f64| (f64::from(at) * scale, (f64::from(length) * scale).max(1e-9));
        let (left, width) = box_of(placed.x.0, placed.width.0, self.scale[0]);
        let (top, height) = box_of(placed.y.0, placed.height.0, self.scale[1]);
        let figure = vec![[left, top], [left + width, top], [left + width, top + height], [left, top + height]];
        for Span { row, from, to } in spans(&[figure], false, self.tile.pixels, &mut self.cost.crossings)? {
            let v = floor((real(row) + 0.5 - top) / height * f64::from(placed.image.height()));
            for column in from..to {
                let u = floor((real(column) + 0.5 - left) / width * f64::from(placed.image.width()));
                let is_ink = data.get(v * stride + u / 8).is_some_and(|byte| byte & (0x80 >> (u % 8)) != 0);
                let index = if is_ink { Some(ink) } else { paper };
                if let (Some(index), Some(pixel)) =
                    (index, self.tile.indices.get_mut(row * self.tile.pixels[0] + column))
                {
                    *pixel = index;
                }
            }
        }
        Some(())
    }
}

fn advance(run: &TextRun, number: usize) -> i32 {
    match &run.advances {
        crate::page::Advances::Uniform(advance) => advance.0,
        crate::page::Advances::Each(all) => all.get(number).map_or(0, |advance| advance.0),
    }
}

/// A step of an outline in parts of the em, at its place.
fn seg(segment: &Segment, place: impl Fn(Point) -> Point) -> Seg {
    match *segment {
        Segment::Move(at) => Seg::Move(place(at)),
        Segment::Line(at) => Seg::Line(place(at)),
        Segment::Curve([a, b, c, d, e, f]) => Seg::Curve(place([a, b]), place([c, d]), place([e, f])),
    }
}

fn segs(steps: &[Step]) -> Vec<Seg> {
    let real = |lu: crate::page::Lu| f64::from(lu.0);
    let step = |step: &Step| match *step {
        Step::Move([x, y]) => Seg::Move([real(x), real(y)]),
        Step::Line([x, y]) => Seg::Line([real(x), real(y)]),
        Step::Curve(all) => {
            let [a, b, c, d, e, f] = all.map(real);
            Seg::Curve([a, b], [c, d], [e, f])
        }
        Step::Close => Seg::Close,
    };
    steps.iter().map(step).collect()
}

/// The lines of a path, those that are closed back at their start.
fn outlines(steps: &[Step], figures: Vec<Vec<Point>>) -> Vec<Vec<Point>> {
    let closes: Vec<bool> = {
        let mut closes = Vec::new();
        for step in steps {
            match step {
                Step::Move(_) => closes.push(false),
                Step::Close => closes.last_mut().into_iter().for_each(|last| *last = true),
                _ => {}
            }
        }
        closes
    };
    let is_closed = |number: usize| closes.get(number).copied().unwrap_or(false);
    figures
        .into_iter()
        .enumerate()
        .map(|(number, mut figure)| {
            figure.extend(figure.first().copied().filter(|_| is_closed(number)));
            figure
        })
        .collect()
}
