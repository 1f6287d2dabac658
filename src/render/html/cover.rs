//! Which text something lies over that is painted later. Text is written behind all that is drawn, so that it is read row by
//! row; where paint lies over it on paper, it must be drawn in its turn as well.

use crate::page::walk::{ELEMENT_LIMIT, FORM_DEPTH, Place};
use crate::page::{Color, Element, Path, Step, TextRun};

/// Painted areas that are compared with the text before them; of more on one page the last ones count.
const AREAS: usize = 4096;

/// A rectangle on the page: left, top, right, bottom.
type Area = [i32; 4];

/// What stands in paint order.
enum Painted {
    /// A run that is read.
    Text(Area, Color),
    /// Paint, of one colour or (pictures) of any.
    Paint(Area, Option<Color>),
}

/// For each run that is read, in paint order with forms opened: whether paint of another colour lies over it.
pub fn covered(elements: &[Element]) -> Vec<bool> {
    let mut order = Vec::new();
    collect(elements, Place::PAGE, 0, &mut order);
    let mut over: Vec<(Area, Option<Color>)> = Vec::new();
    let mut covered = Vec::new();
    for painted in order.into_iter().rev() {
        match painted {
            Painted::Paint(area, color) if over.len() < AREAS => over.push((area, color)),
            Painted::Paint(..) => {}
            Painted::Text(area, ink) => {
                covered.push(over.iter().any(|(other, color)| *color != Some(ink) && overlap(area, *other)));
            }
        }
    }
    covered.reverse();
    covered
}

fn collect(elements: &[Element], place: Place, depth: usize, order: &mut Vec<Painted>) {
    for element in elements {
        if order.len() >= ELEMENT_LIMIT {
            return;
        }
        match element {
            Element::Text(run) if !run.shadow => order.push(Painted::Text(letters(&place.text(run)), run.color)),
            Element::Text(_) | Element::Overlay(_) => {}
            Element::Rule(rule) => {
                let placed = place.rule(rule);
                let area = sides([placed.x.0, placed.y.0, placed.width.0, placed.height.0]);
                order.push(Painted::Paint(area, Some(rule.color)));
            }
            Element::Path(path) => paint(&place.path(path), order),
            Element::Barcode(code) => paint(&place.path(&code.bars), order),
            Element::Image(image) => {
                let image = place.image(image);
                let (width, height) = (image.width.0, image.height.0);
                let [x, y] = [image.x.0, image.y.0];
                let area = match image.turns % 4 {
                    0 => [x, y, width, height],
                    1 => [x.saturating_sub(height), y, height, width],
                    2 => [x.saturating_sub(width), y.saturating_sub(height), width, height],
                    _ => [x, y.saturating_sub(width), height, width],
                };
                let shown = image.clip.map_or(area, |clip| clip.map(|side| side.0));
                order.push(Painted::Paint(sides(shown), None));
            }
            Element::Form(form) if depth < FORM_DEPTH => {
                collect(&form.form.elements, place.of_form(form), depth + 1, order);
            }
            Element::Form(_) => {}
        }
    }
}

fn sides([x, y, width, height]: [i32; 4]) -> Area {
    [x, y, x.saturating_add(width), y.saturating_add(height)]
}

/// Where the letters of a run are dark, about: from the baseline to seven tenths of their size.
fn letters(run: &TextRun) -> Area {
    let length = match &run.advances {
        crate::page::Advances::Uniform(advance) => {
            advance.0.saturating_mul(i32::try_from(run.text.chars().count()).unwrap_or(i32::MAX))
        }
        crate::page::Advances::Each(all) => all.iter().fold(0_i32, |sum, advance| sum.saturating_add(advance.0)),
    };
    let tall = run.size.0.saturating_mul(7) / 10;
    let (x, y) = (run.x.0, run.y.0);
    match run.turns % 4 {
        0 => sides([x, y.saturating_sub(tall), length, tall]),
        1 => sides([x, y, tall, length]),
        2 => sides([x.saturating_sub(length), y, length, tall]),
        _ => sides([x.saturating_sub(tall), y.saturating_sub(length), tall, length]),
    }
}

/// The inside of a filled path; of an outline each of its lines.
fn paint(path: &Path, order: &mut Vec<Painted>) {
    let mut all: Option<Area> = None;
    let mut pen = None;
    for step in &path.steps {
        let points = match *step {
            Step::Move(to) => vec![to],
            Step::Line(to) => pen.into_iter().chain([to]).collect(),
            Step::Curve([a, b, c, d, e, f]) => pen.into_iter().chain([[a, b], [c, d], [e, f]]).collect(),
            Step::Close => Vec::new(),
        };
        pen = points.last().copied().or(pen);
        let Some(area) = around(points.iter().map(|[x, y]| [x.0, y.0])) else { continue };
        all = Some(all.map_or(area, |all| union(all, area)));
        if let (None, Some(stroke), [_, _, ..]) = (path.fill, &path.stroke, points.as_slice()) {
            let half = stroke.width.0 / 2 + 1;
            let [left, top, right, bottom] = area;
            let wide = [
                left.saturating_sub(half),
                top.saturating_sub(half),
                right.saturating_add(half),
                bottom.saturating_add(half),
            ];
            order.push(Painted::Paint(wide, Some(stroke.color)));
        }
    }
    if let (Some(area), Some(color)) = (all, path.fill) {
        order.push(Painted::Paint(area, Some(color)));
    }
}

fn around(points: impl Iterator<Item = [i32; 2]>) -> Option<Area> {
    points.map(|[x, y]| [x, y, x, y]).reduce(union)
}

fn union(a: Area, b: Area) -> Area {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

fn overlap(a: Area, b: Area) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}
