//! Cuts paths at the edges of the object area, where a mapping option asks for it.
//!
//! A path that lies inside stays as it is; one that crosses an edge loses its curves to short lines.

use super::shape::{Point, Seg, bezier_at, polygons};
use crate::decode::afp::object::place::lu;
use crate::page::{Lu, Path, Step};

/// Left, top, right, bottom.
type Edges = [f64; 4];

/// The part of a path inside a rectangle (left, top, width, height); `None` when nothing is left.
pub fn clipped(path: Path, [left, top, width, height]: [Lu; 4]) -> Option<Path> {
    let [left, top, width, height] = [left, top, width, height].map(|lu| f64::from(lu.0));
    let edges = [left, top, left + width, top + height];
    let bounds = bounds(&path.steps)?;
    let [l, t, r, b] = bounds;
    if l >= edges[0] && t >= edges[1] && r <= edges[2] && b <= edges[3] {
        return Some(path);
    }
    if l > edges[2] || t > edges[3] || r < edges[0] || b < edges[1] {
        return None;
    }
    let steps = if path.fill.is_some() { filled(&path.steps, edges) } else { stroked(&path.steps, edges) };
    if steps.is_empty() { None } else { Some(Path { steps, ..path }) }
}

fn exact(at: [Lu; 2]) -> Point {
    at.map(|lu| f64::from(lu.0))
}

fn points(step: &Step) -> Vec<Point> {
    match *step {
        Step::Move(at) | Step::Line(at) => vec![exact(at)],
        Step::Curve([ax, ay, bx, by, x, y]) => vec![exact([ax, ay]), exact([bx, by]), exact([x, y])],
        Step::Close => Vec::new(),
    }
}

fn bounds(steps: &[Step]) -> Option<Edges> {
    let mut all = steps.iter().flat_map(points);
    let [x, y] = all.next()?;
    Some(all.fold([x, y, x, y], |[l, t, r, b], [x, y]| [l.min(x), t.min(y), r.max(x), b.max(y)]))
}

/// Polygons cut at each edge in turn (Sutherland and Hodgman).
fn filled(steps: &[Step], edges: Edges) -> Vec<Step> {
    let shape: Vec<Seg> = steps
        .iter()
        .map(|step| match (step, points(step).as_slice()) {
            (Step::Move(_), [to]) => Seg::Move(*to),
            (_, [to]) => Seg::Line(*to),
            (_, [a, b, to]) => Seg::Curve(*a, *b, *to),
            _ => Seg::Close,
        })
        .collect();
    let mut out = Vec::new();
    for mut polygon in polygons(&shape, |point| point) {
        for (edge, limit) in edges.iter().enumerate() {
            polygon = cut(&polygon, edge, *limit);
        }
        let mut corners = polygon.iter().map(|[x, y]| [lu(*x), lu(*y)]);
        let Some(first) = corners.next() else { continue };
        out.push(Step::Move(first));
        out.extend(corners.map(Step::Line));
        out.push(Step::Close);
    }
    out
}

/// What lies right of the left edge, below the top edge, left of the right one, above the bottom one.
fn cut(polygon: &[Point], edge: usize, limit: f64) -> Vec<Point> {
    let value = |[x, y]: Point| if edge.is_multiple_of(2) { x } else { y };
    let inside = |point: Point| if edge < 2 { value(point) >= limit } else { value(point) <= limit };
    let mut out = Vec::new();
    for (from, to) in polygon.iter().zip(polygon.iter().skip(1).chain(polygon.first())) {
        if inside(*from) {
            out.push(*from);
        }
        if inside(*from) != inside(*to) {
            let t = (limit - value(*from)) / (value(*to) - value(*from));
            out.push([from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])]);
        }
    }
    out
}

fn stroked(steps: &[Step], edges: Edges) -> Vec<Step> {
    let mut out = Vec::new();
    let (mut start, mut at) = ([0.0, 0.0], [0.0, 0.0]);
    for step in steps {
        match (step, points(step).as_slice()) {
            (Step::Move(_), [to]) => start = *to,
            (Step::Line(_), [to]) => line(at, *to, edges, &mut out),
            (Step::Curve(_), [a, b, to]) => {
                let mut from = at;
                for piece in 1..=16u8 {
                    let next = bezier_at(f64::from(piece) / 16.0, [at, *a, *b, *to]);
                    line(from, next, edges, &mut out);
                    from = next;
                }
            }
            _ => line(at, start, edges, &mut out),
        }
        at = points(step).last().copied().unwrap_or(start);
    }
    out
}

/// A line cut at all edges (Liang and Barsky).
fn line(from: Point, to: Point, edges: Edges, out: &mut Vec<Step>) {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let sides =
        [(-dx, from[0] - edges[0]), (-dy, from[1] - edges[1]), (dx, edges[2] - from[0]), (dy, edges[3] - from[1])];
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (speed, room) in sides {
        if speed == 0.0 {
            if room < 0.0 {
                return;
            }
        } else if speed < 0.0 {
            enter = enter.max(room / speed);
        } else {
            leave = leave.min(room / speed);
        }
    }
    if enter > leave {
        return;
    }
    let at = |t: f64| [lu(from[0] + t * dx), lu(from[1] + t * dy)];
    let begin = at(enter);
    let follows = matches!(out.last(), Some(Step::Line(end)) if *end == begin);
    if !follows {
        out.push(Step::Move(begin));
    }
    out.push(Step::Line(at(leave)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Color, Stroke};

    fn path(steps: Vec<Step>, fill: bool) -> Path {
        let stroke = Stroke { color: Color::BLACK, width: Lu(1), ..Stroke::default() };
        Path { steps, fill: fill.then_some(Color::BLACK), even_odd: false, stroke: (!fill).then_some(stroke) }
    }

    const RECT: [Lu; 4] = [Lu(0), Lu(0), Lu(100), Lu(100)];

    #[test]
    fn what_lies_inside_stays_and_what_lies_outside_goes() {
        let inside = path(vec![Step::Move([Lu(1), Lu(1)]), Step::Curve([Lu(2); 6])], false);
        assert_eq!(clipped(inside.clone(), RECT), Some(inside));
        assert_eq!(clipped(path(vec![Step::Move([Lu(200), Lu(1)]), Step::Line([Lu(300), Lu(1)])], false), RECT), None);
        assert_eq!(clipped(path(Vec::new(), true), RECT), None);
    }

    #[test]
    fn lines_and_fills_end_at_the_edge() {
        let line = path(vec![Step::Move([Lu(-50), Lu(50)]), Step::Line([Lu(150), Lu(50)])], false);
        let Some(cut) = clipped(line, RECT) else { panic!() };
        assert_eq!(cut.steps, [Step::Move([Lu(0), Lu(50)]), Step::Line([Lu(100), Lu(50)])]);
        let square = [[-50, -50], [50, -50], [50, 50], [-50, 50]].map(|[x, y]| Step::Line([Lu(x), Lu(y)]));
        let mut steps = square.to_vec();
        steps[0] = Step::Move([Lu(-50), Lu(-50)]);
        steps.push(Step::Close);
        let Some(cut) = clipped(path(steps, true), RECT) else { panic!() };
        assert_eq!(bounds(&cut.steps), Some([0.0, 0.0, 50.0, 50.0]));
    }
}
