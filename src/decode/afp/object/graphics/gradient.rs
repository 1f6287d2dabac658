//! Gradients: fills in which one colour changes to another, along a line or from one full arc to another.
//!
//! Rule: AFP GOCA Reference, "Gradients", "Linear Gradient (GLGD) Order", "Radial Gradient (GRGD) Order". A page of the model has
//! no such fills: a gradient is painted in [bands](Gradient::paint) of one colour each, the next one over the one before, so
//! that no seam shows between them.

use super::curve::{Arc, ArcParameters};
use super::draw::{multiple_at, point_at};
use super::shape::Point;
use crate::decode::afp::bytes::u16_at;
use crate::decode::afp::color;
use crate::page::Color;

/// Colours that a gradient may name.
const MOST_STOPS: usize = 1_024;
/// Bands between two colours at most.
const BANDS: f64 = 128.0;
/// Bands of a gradient with all its repetitions.
const MOST_BANDS: usize = 1_024;
/// Corners of areas times lines that they are cut at, for all bands of an object and its copies together.
pub const MOST_CUTS: usize = 32_000_000;
/// Sides of the polygon that stands for a full arc.
const SIDES: u8 = 64;

/// How what lies beyond an end of a gradient is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outside {
    None,
    Pad,
    Repeat,
    Reflect,
}

impl Outside {
    fn of(code: u8) -> Outside {
        match code {
            1 => Outside::Pad,
            2 => Outside::Repeat,
            3 => Outside::Reflect,
            _ => Outside::None,
        }
    }
}

/// Where its colours lie.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Course {
    /// From a point to another.
    Line([Point; 2]),
    /// From a full arc to a larger one around it.
    Arcs([Arc; 2]),
}

/// A gradient as it was defined.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    course: Course,
    /// Colour space of the components.
    space: u8,
    /// Offsets from 0 to 1, never falling, and the components of the colour there.
    stops: Vec<(f64, [f64; 4])>,
    outside: [Outside; 2],
    /// No arc of it lies around the other: which of its arcs lies over which cannot be shown.
    pub is_inexact: bool,
}

/// Polygons that are painted in a colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Closed polygons in graphics units.
    pub polygons: Vec<Vec<Point>>,
    /// The colour.
    pub color: Color,
    /// What two of them cover is not painted, whatever the rule of the area is.
    pub has_hole: bool,
}

impl Gradient {
    /// Of the data of a GLGD (X'FEDC') behind pattern set and symbol.
    pub fn linear(data: &[u8]) -> Option<Gradient> {
        let line = [point_at(data, 0)?, point_at(data, 4)?];
        Gradient::new(Course::Line(line), data.get(8..)?)
    }

    /// Of the data of a GRGD (X'FEDD') behind pattern set and symbol.
    pub fn radial(data: &[u8], parameters: ArcParameters) -> Option<Gradient> {
        let arc = |at: usize| {
            let (centre, multiplier) = (point_at(data, at)?, multiple_at(data, at.checked_add(4)?)?);
            Some(Arc { centre, parameters, multiplier })
        };
        let mut gradient = Gradient::new(Course::Arcs([arc(0)?, arc(6)?]), data.get(12..)?)?;
        if let Course::Arcs([start, end]) = gradient.course {
            if start.multiplier > end.multiplier {
                gradient.turn_round(end, start);
            }
            gradient.is_inexact = !gradient.is_nested();
        }
        Some(gradient)
    }

    /// Colours: a length, space, four reserved bytes, sizes, the first value; the last value; what is outside; stops.
    fn new(course: Course, data: &[u8]) -> Option<Gradient> {
        let (length, rest) = data.split_first()?;
        let (specification, rest) = rest.split_at_checked(usize::from(*length))?;
        // As in Set Process Color: a reserved byte, the space, four more of them, the sizes, the value.
        let (space, sizes) = (*specification.get(1)?, specification.get(6..10)?.first_chunk::<4>()?);
        let first = specification.get(10..).filter(|value| !value.is_empty())?;
        let value = |bytes: &[u8]| color::components(space, sizes, bytes);
        let (last, rest) = rest.split_at_checked(first.len())?;
        let ([start, end], rest) = rest.split_first_chunk::<2>()?;
        let mut stops = vec![(0.0, value(first)?)];
        for stop in rest.chunks_exact(first.len().checked_add(2)?) {
            let offset = f64::from(u16_at(stop, 0)?) / 10_000.0;
            let least = stops.last().map_or(0.0, |(last, _)| *last);
            if let Some(color) = value(stop.get(2..)?).filter(|_| (least..=1.0).contains(&offset)) {
                stops.push((offset, color));
            }
            if stops.len() > MOST_STOPS {
                return None;
            }
        }
        stops.push((1.0, value(last)?));
        Some(Gradient { course, space, stops, outside: [Outside::of(*start), Outside::of(*end)], is_inexact: false })
    }

    /// From the small arc to the large one.
    fn turn_round(&mut self, small: Arc, large: Arc) {
        self.course = Course::Arcs([small, large]);
        self.outside.reverse();
        self.stops.reverse();
        self.stops.iter_mut().for_each(|(offset, _)| *offset = 1.0 - *offset);
    }

    /// Whether the first arc lies inside the second.
    fn is_nested(&self) -> bool {
        let Course::Arcs([inner, outer]) = self.course else { return true };
        let outline = polygon(&outer);
        let centre = outer.centre;
        polygon(&inner).iter().all(|corner| sides(&outline, centre).all(|side| side.of(*corner) >= -1e-6))
    }

    /// Where bands start, in rising order, and their colours. The whole course is from 0 to 1.
    fn bands(&self, [low, high]: [f64; 2]) -> Vec<(f64, Color)> {
        let one = self.course_bands();
        let ends = one.iter().skip(1).map(|(offset, _)| *offset).chain([1.0]);
        let mut mirrored: Vec<(f64, Color)> =
            one.iter().zip(ends).map(|((_, color), end)| (1.0 - end, *color)).collect();
        mirrored.reverse();
        let mut all = Vec::new();
        let (mut period, last) = (self.first_period(low), high);
        while period < last && all.len() < MOST_BANDS {
            let side = if period < 0.0 { self.outside[0] } else { self.outside[1] };
            let is_turned = side == Outside::Reflect && period.rem_euclid(2.0) != 0.0;
            let bands = if is_turned { &mirrored } else { &one };
            all.extend(bands.iter().map(|(offset, color)| (period + offset, *color)));
            period += 1.0;
            if !matches!(self.outside[1], Outside::Repeat | Outside::Reflect) && period >= 1.0 {
                break;
            }
        }
        all
    }

    fn first_period(&self, low: f64) -> f64 {
        match self.outside[0] {
            Outside::Repeat | Outside::Reflect => low.floor().clamp(-64.0, 0.0),
            Outside::None | Outside::Pad => 0.0,
        }
    }

    /// The bands from 0 to 1.
    fn course_bands(&self) -> Vec<(f64, Color)> {
        let mut bands = Vec::new();
        for ((from, first), (to, last)) in self.stops.iter().zip(self.stops.iter().skip(1)) {
            let color = |share: f64| {
                let mut between = *first;
                between.iter_mut().zip(last).for_each(|(one, other)| *one += (other - *one) * share);
                color::mixed(self.space, between).unwrap_or(Color::BLACK)
            };
            let (start, end) = (color(0.0), color(1.0));
            let change = [start.r.abs_diff(end.r), start.g.abs_diff(end.g), start.b.abs_diff(end.b)];
            let count = f64::from(change.into_iter().max().unwrap_or(0)).clamp(1.0, BANDS);
            let mut band = 0.0;
            while band < count && to > from && bands.len() < MOST_BANDS {
                bands.push((from + (to - from) * band / count, color((band + 0.5) / count)));
                band += 1.0;
            }
        }
        bands
    }

    /// The colour half way between its ends.
    pub fn middle(&self) -> Color {
        let ends = self.stops.first().zip(self.stops.last());
        let between = ends.map(|((_, first), (_, last))| {
            let mut between = *first;
            between.iter_mut().zip(last).for_each(|(one, other)| *one = (*one + other) / 2.0);
            between
        });
        between.and_then(|parts| color::mixed(self.space, parts)).unwrap_or(Color::BLACK)
    }

    fn end_color(&self, end: Option<&(f64, [f64; 4])>) -> Color {
        end.and_then(|(_, parts)| color::mixed(self.space, *parts)).unwrap_or(Color::BLACK)
    }

    /// What is painted in an area of these polygons, one thing over the other, and whether that is all of it. Takes the cuts that
    /// it makes from `left`.
    pub fn paint(&self, area: &[Vec<Point>], left: &mut usize) -> (Vec<Band>, bool) {
        let corners: usize = area.iter().map(Vec::len).sum();
        let (painted, each) = match &self.course {
            Course::Line([from, to]) if from == to => return (Vec::new(), true),
            Course::Arcs([one, two]) if one == two || two.multiplier == 0.0 => return (Vec::new(), true),
            Course::Line(line) => (self.paint_line(*line, area), 1),
            Course::Arcs(arcs) => (self.paint_arcs(arcs, area), usize::from(SIDES)),
        };
        let cuts = corners.saturating_mul(each).saturating_mul(painted.len());
        let Some(rest) = left.checked_sub(cuts) else { return (Vec::new(), false) };
        *left = rest;
        let band = |(region, color): (Region, Color)| {
            let has_hole = matches!(&region, Region::Disc { hole: Some(_), .. });
            Band { polygons: region.of(area), color, has_hole }
        };
        (painted.into_iter().map(band).filter(|band| !band.polygons.is_empty()).collect(), true)
    }

    fn paint_line(&self, [from, to]: [Point; 2], area: &[Vec<Point>]) -> Vec<(Region, Color)> {
        let along = [to[0] - from[0], to[1] - from[1]];
        let length = along[0] * along[0] + along[1] * along[1];
        let offset = |[x, y]: Point| ((x - from[0]) * along[0] + (y - from[1]) * along[1]) / length;
        // Behind a place on the line; the other way round before it.
        let behind = |at: f64, sign: f64| Side {
            point: [from[0] + at * along[0], from[1] + at * along[1]],
            inwards: along.map(|part| part * sign),
        };
        let range = range_of(area, offset);
        let ends = (self.outside[1] == Outside::None).then(|| behind(1.0, -1.0));
        let mut all = Vec::new();
        if self.outside[0] == Outside::Pad {
            all.push((Region::Cut(ends.into_iter().collect()), self.end_color(self.stops.first())));
        }
        for (at, color) in self.bands(range) {
            all.push((Region::Cut(std::iter::once(behind(at, 1.0)).chain(ends).collect()), color));
        }
        if self.outside[1] == Outside::Pad {
            all.push((Region::Cut(vec![behind(1.0, 1.0)]), self.end_color(self.stops.last())));
        }
        all
    }

    /// From the largest arc to the smallest.
    fn paint_arcs(&self, [small, large]: &[Arc; 2], area: &[Vec<Point>]) -> Vec<(Region, Color)> {
        let grows = large.multiplier - small.multiplier;
        let at = |offset: f64| {
            let mix = |one: f64, other: f64| one + (other - one) * offset;
            let centre = [mix(small.centre[0], large.centre[0]), mix(small.centre[1], large.centre[1])];
            Arc { centre, parameters: small.parameters, multiplier: mix(small.multiplier, large.multiplier) }
        };
        let point = if grows > 0.0 { -small.multiplier / grows } else { 0.0 };
        let covers = |offset: f64| {
            let (arc, outline) = (at(offset), polygon(&at(offset)));
            area.iter().flatten().all(|corner| sides(&outline, arc.centre).all(|side| side.of(*corner) >= 0.0))
        };
        let mut high = 1.0;
        while matches!(self.outside[1], Outside::Repeat | Outside::Reflect) && high < 64.0 && !covers(high) {
            high += 1.0;
        }
        let bands = self.bands([point, high]);
        let ends = bands.iter().skip(1).map(|(offset, _)| *offset).chain([high]);
        let mut all = Vec::new();
        if self.outside[1] == Outside::Pad {
            all.push((Region::Cut(Vec::new()), self.end_color(self.stops.last())));
        }
        let hole = (self.outside[0] == Outside::None && small.multiplier > 0.0).then(|| polygon(small));
        let discs: Vec<(f64, Color)> = bands.iter().zip(ends).map(|((_, color), end)| (end, *color)).collect();
        for (end, color) in discs.into_iter().rev().filter(|(end, _)| *end > point) {
            all.push((Region::Disc { outline: polygon(&at(end)), centre: at(end).centre, hole: hole.clone() }, color));
        }
        if self.outside[0] == Outside::Pad && small.multiplier > 0.0 {
            let (outline, centre) = (polygon(small), small.centre);
            all.push((Region::Disc { outline, centre, hole: None }, self.end_color(self.stops.first())));
        }
        all
    }
}

/// A part of the plane.
enum Region {
    /// On the inner side of all lines.
    Cut(Vec<Side>),
    /// Inside an outline around a centre, and outside of a hole in it.
    Disc { outline: Vec<Point>, centre: Point, hole: Option<Vec<Point>> },
}

impl Region {
    /// What of polygons lies in it.
    fn of(&self, area: &[Vec<Point>]) -> Vec<Vec<Point>> {
        let inside = |lines: &[Side]| -> Vec<Vec<Point>> {
            let mut left: Vec<Vec<Point>> = area.to_vec();
            for line in lines {
                left = left.iter().flat_map(|polygon| line.cut(polygon)).collect();
            }
            left.retain(|polygon| polygon.len() > 2);
            left
        };
        match self {
            Region::Cut(lines) => inside(lines),
            Region::Disc { outline, centre, hole } => {
                let mut all = inside(&sides(outline, *centre).collect::<Vec<Side>>());
                if let Some(hole) = hole {
                    // Painted by the even-odd rule, what is there twice is not there.
                    all.extend(inside(&sides(hole, centre_of(hole)).collect::<Vec<Side>>()));
                }
                all
            }
        }
    }
}

/// A line and which side of it counts.
#[derive(Debug, Clone, Copy)]
struct Side {
    point: Point,
    inwards: Point,
}

impl Side {
    /// How far inside a point lies; negative outside.
    fn of(&self, [x, y]: Point) -> f64 {
        (x - self.point[0]) * self.inwards[0] + (y - self.point[1]) * self.inwards[1]
    }

    /// The parts of a polygon inside. Parts that the line parts are polygons of their own: one polygon with edges there and
    /// back along the line would be painted with hairlines between them.
    fn cut(&self, polygon: &[Point]) -> Vec<Vec<Point>> {
        let Some(runs) = self.runs(polygon) else {
            let all_inside = polygon.iter().all(|corner| self.of(*corner) >= 0.0);
            return if all_inside { vec![polygon.to_vec()] } else { Vec::new() };
        };
        // Along the line the ends of runs belong together in pairs: between them is the inside of the polygon.
        let along = |[x, y]: &Point| y * self.inwards[0] - x * self.inwards[1];
        let mut ends: Vec<(f64, usize, bool)> = Vec::with_capacity(runs.len() * 2);
        for (number, run) in runs.iter().enumerate() {
            ends.extend(run.first().map(|first| (along(first), number, true)));
            ends.extend(run.last().map(|last| (along(last), number, false)));
        }
        ends.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut next = vec![None; runs.len()];
        for pair in ends.chunks(2) {
            let ([(_, from, false), (_, to, true)] | [(_, to, true), (_, from, false)]) = *pair else {
                // It crosses itself there: the runs are joined as they come.
                return vec![runs.concat()];
            };
            if let Some(next) = next.get_mut(from) {
                *next = Some(to);
            }
        }
        let mut parts = Vec::new();
        for start in 0..runs.len() {
            let mut part = Vec::new();
            let mut at = start;
            while let Some(following) = next.get_mut(at).and_then(Option::take) {
                part.extend(runs.get(at).into_iter().flatten());
                at = following;
            }
            if part.len() > 2 {
                parts.push(part);
            }
        }
        parts
    }

    /// The runs of corners inside, each from where it comes in to where it goes out; `None`: the line is not crossed.
    fn runs(&self, polygon: &[Point]) -> Option<Vec<Vec<Point>>> {
        let sides = || polygon.iter().zip(polygon.iter().skip(1).chain(polygon.first()));
        let comes_in = |(from, to): (&Point, &Point)| self.of(*from) < 0.0 && self.of(*to) >= 0.0;
        let start = sides().position(comes_in)?;
        let mut runs: Vec<Vec<Point>> = Vec::new();
        for (from, to) in sides().cycle().skip(start).take(polygon.len()) {
            let (here, there) = (self.of(*from), self.of(*to));
            let crossing = || {
                let t = here / (here - there);
                [from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])]
            };
            match (here >= 0.0, there >= 0.0) {
                (false, true) => runs.push(vec![crossing()]),
                (true, inside) => {
                    let run = runs.last_mut()?;
                    run.push(*from);
                    if !inside {
                        run.push(crossing());
                    }
                }
                (false, false) => {}
            }
        }
        Some(runs)
    }
}

/// The sides of an outline around a centre.
fn sides(outline: &[Point], centre: Point) -> impl Iterator<Item = Side> {
    outline.iter().zip(outline.iter().skip(1).chain(outline.first())).map(move |(from, to)| {
        let normal = [from[1] - to[1], to[0] - from[0]];
        let side = Side { point: *from, inwards: normal };
        if side.of(centre) < 0.0 { Side { inwards: normal.map(|part| -part), ..side } } else { side }
    })
}

fn polygon(arc: &Arc) -> Vec<Point> {
    (0..SIDES).map(|side| arc.at(f64::from(side) * 360.0 / f64::from(SIDES))).collect()
}

fn centre_of(outline: &[Point]) -> Point {
    let count = outline.len().max(1) as f64;
    outline.iter().fold([0.0, 0.0], |[x, y], corner| [x + corner[0] / count, y + corner[1] / count])
}

/// The smallest and the largest offset of a corner.
fn range_of(area: &[Vec<Point>], offset: impl Fn(Point) -> f64) -> [f64; 2] {
    area.iter().flatten().map(|corner| offset(*corner)).fold([0.0, 1.0], |[low, high], at| [low.min(at), high.max(at)])
}

#[cfg(test)]
mod tests;
