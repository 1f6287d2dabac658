//! Reads a form's TOML.

use serde::Deserialize;

use super::bars::{circle, rectangle};
use super::{Drawing, Shape, Step};
use crate::page::{Advances, Color, Face, Family, Lu, TextRun};
use crate::render::font::FontSet;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawForm {
    /// For people only.
    #[serde(rename = "title")]
    _title: String,
    #[serde(default)]
    unit: Unit,
    /// Width and height of the paper that the form is made for.
    paper: Option<[f64; 2]>,
    draw: Vec<RawDraw>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
enum Unit {
    #[default]
    #[serde(rename = "in")]
    Inch,
    #[serde(rename = "mm")]
    Millimetre,
    #[serde(rename = "pt")]
    Point,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDraw {
    rect: Option<[f64; 4]>,
    line: Option<[f64; 4]>,
    circle: Option<[f64; 3]>,
    polygon: Option<Vec<[f64; 2]>>,
    text: Option<String>,
    at: Option<[f64; 2]>,
    #[serde(default)]
    radius: f64,
    fill: Option<String>,
    stroke: Option<String>,
    /// Width of outlines, in points.
    width: Option<f64>,
    /// Height of text, in points.
    size: Option<f64>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    family: RawFamily,
    #[serde(default)]
    align: Align,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawFamily {
    Mono,
    #[default]
    Sans,
    Serif,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Align {
    #[default]
    Left,
    Center,
    Right,
}

/// Reads a form; the error says where and what is wrong.
pub fn parse(text: &str, fonts: &FontSet) -> Result<Drawing, String> {
    let form: RawForm = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut shapes = Vec::with_capacity(form.draw.len());
    for (number, draw) in form.draw.iter().enumerate() {
        let shape =
            shape(draw, form.unit, fonts).map_err(|reason| format!("[[draw]] number {}: {reason}", number + 1))?;
        shapes.push(shape);
    }
    let paper = match form.paper {
        Some([width, height]) => Some([length(width, form.unit)?, length(height, form.unit)?]),
        None => None,
    };
    if paper.is_some_and(|paper| paper.iter().any(|side| side.0 < Lu::PER_INCH)) {
        return Err("paper is less than an inch wide or high".into());
    }
    Ok(Drawing { paper, shapes })
}

fn shape(draw: &RawDraw, unit: Unit, fonts: &FontSet) -> Result<Shape, String> {
    let kinds =
        [draw.rect.is_some(), draw.line.is_some(), draw.circle.is_some(), draw.polygon.is_some(), draw.text.is_some()];
    if kinds.iter().filter(|given| **given).count() != 1 {
        return Err("give exactly one of rect, line, circle, polygon, text".into());
    }
    if let Some(text) = &draw.text {
        return label(draw, text, unit, fonts);
    }
    let lu = |value: f64| length(value, unit);
    let steps = if let Some([x, y, width, height]) = draw.rect {
        let (left, top, right, bottom) = (lu(x)?.0, lu(y)?.0, lu(x + width)?.0, lu(y + height)?.0);
        match lu(draw.radius)?.0 {
            0 => rectangle([left, top, right, bottom]),
            radius => rounded([left, top, right, bottom], radius),
        }
    } else if let Some([x1, y1, x2, y2]) = draw.line {
        vec![Step::Move([lu(x1)?, lu(y1)?]), Step::Line([lu(x2)?, lu(y2)?])]
    } else if let Some([x, y, radius]) = draw.circle {
        circle([lu(x)?, lu(y)?], lu(radius)?)
    } else {
        polygon(draw.polygon.as_deref().unwrap_or_default(), unit)?
    };
    let fill = draw.fill.as_deref().map(color).transpose()?;
    let width = points(draw.width.unwrap_or(0.5))?;
    let stroke = draw.stroke.as_deref().map(color).transpose()?.map(|color| (color, width));
    Ok(Shape::Path { steps, fill, stroke })
}

fn polygon(points: &[[f64; 2]], unit: Unit) -> Result<Vec<Step>, String> {
    let mut steps = Vec::with_capacity(points.len() + 1);
    for [x, y] in points {
        let at = [length(*x, unit)?, length(*y, unit)?];
        steps.push(if steps.is_empty() { Step::Move(at) } else { Step::Line(at) });
    }
    if steps.len() < 3 {
        return Err("a polygon needs at least three points".into());
    }
    steps.push(Step::Close);
    Ok(steps)
}

/// A rectangle with round corners.
fn rounded([left, top, right, bottom]: [i32; 4], radius: i32) -> Vec<Step> {
    let r = radius.min((right - left) / 2).min((bottom - top) / 2).max(0);
    let k = r - (f64::from(r) * 0.5523).round() as i32;
    let at = |x, y| [Lu(x), Lu(y)];
    let curve = |points: [i32; 6]| Step::Curve(points.map(Lu));
    vec![
        Step::Move(at(left + r, top)),
        Step::Line(at(right - r, top)),
        curve([right - k, top, right, top + k, right, top + r]),
        Step::Line(at(right, bottom - r)),
        curve([right, bottom - k, right - k, bottom, right - r, bottom]),
        Step::Line(at(left + r, bottom)),
        curve([left + k, bottom, left, bottom - k, left, bottom - r]),
        Step::Line(at(left, top + r)),
        curve([left, top + k, left + k, top, left + r, top]),
        Step::Close,
    ]
}

fn label(draw: &RawDraw, text: &str, unit: Unit, fonts: &FontSet) -> Result<Shape, String> {
    let [x, y] = draw.at.ok_or("text needs at = [x, y], the start of its baseline")?;
    if text.is_empty() {
        return Err("text is empty".into());
    }
    let family = match draw.family {
        RawFamily::Mono => Family::Mono,
        RawFamily::Sans => Family::Sans,
        RawFamily::Serif => Family::Serif,
    };
    let face = Face { family, bold: draw.bold, italic: false };
    let size = points(draw.size.unwrap_or(9.0))?;
    let advance = |c: char| Lu((f64::from(fonts.glyph(c, face, false).width) * f64::from(size.0)).round() as i32);
    let advances: Vec<Lu> = text.chars().map(advance).collect();
    let whole: i32 = advances.iter().map(|advance| advance.0).fold(0, i32::saturating_add);
    let shift = match draw.align {
        Align::Left => 0,
        Align::Center => whole / 2,
        Align::Right => whole,
    };
    Ok(Shape::Text(TextRun {
        x: Lu(length(x, unit)?.0 - shift),
        y: length(y, unit)?,
        turns: 0,
        face,
        size,
        color: draw.fill.as_deref().map(color).transpose()?.unwrap_or(Color::BLACK),
        text: text.to_owned(),
        advances: Advances::Each(advances),
        embedded: None,
        stretch: 1000,
        underline: false,
        line: 0,
        shadow: false,
    }))
}

fn length(value: f64, unit: Unit) -> Result<Lu, String> {
    let inches = match unit {
        Unit::Inch => value,
        Unit::Millimetre => value / 25.4,
        Unit::Point => value / 72.0,
    };
    if !(-200.0..=200.0).contains(&inches) {
        return Err(format!("{value} is off any paper"));
    }
    Ok(Lu((inches * f64::from(Lu::PER_INCH)).round() as i32))
}

fn points(value: f64) -> Result<Lu, String> {
    if !(0.0..=500.0).contains(&value) {
        return Err(format!("{value} points are not between 0 and 500"));
    }
    Ok(Lu::from_points(value))
}

fn color(text: &str) -> Result<Color, String> {
    let wrong = || format!("{text:?} is not a colour such as \"#1F4E79\"");
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii()).ok_or_else(wrong)?;
    let level = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| wrong());
    Ok(Color { r: level(0)?, g: level(2)?, b: level(4)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(toml: &str) -> String {
        parse(toml, &FontSet::new(Vec::new())).expect_err("must be refused")
    }

    #[test]
    fn mistakes_say_where_they_are_and_what_is_allowed() {
        assert!(
            error("title = 'x'\n[[draw]]\nrect = [0,0,1,1]\nline = [0,0,1,1]")
                .contains("number 1: give exactly one of")
        );
        assert!(error("title = 'x'\n[[draw]]\nrect = [0,0,1,1]\nfill = 'red'").contains("#1F4E79"));
        assert!(error("title = 'x'\n[[draw]]\nrekt = [0,0,1,1]").contains("unknown field"));
        assert!(error("title = 'x'\n[[draw]]\nrect = [0,0,1e9,1]").contains("off any paper"));
        assert!(error("title = 'x'\n[[draw]]\ncircle = [nan,0,1]").contains("off any paper"));
    }

    #[test]
    fn centred_text_has_its_middle_at_the_point() {
        let form = "title = 'x'\nunit = 'pt'\n[[draw]]\ntext = 'MM'\nat = [100, 50]\nsize = 10\nfamily = 'mono'\nalign = 'center'";
        let drawing = parse(form, &FontSet::new(Vec::new())).expect("a good form");
        let Shape::Text(run) = &drawing.shapes[0] else { panic!("text") };
        assert_eq!((run.x, run.y), (Lu(20_000 - 1204), Lu(10_000)));
    }
}
