//! Paths made safe to draw, and the rules under underlined text, for all outputs.

use crate::page::{Advances, Lu, Rule, Step, Stroke, TextRun};

/// Dashes of an outline are at most this many; the rest is left away.
const DASH_LIMIT: usize = 20;
/// Dashes and gaps that repeat within less than this (half a point) are a solid line to the eye, and endless work to draw.
const SHORTEST_PATTERN: i64 = 100;

/// The steps with a start where one is missing, and without what draws nothing.
pub fn sound(steps: &[Step]) -> Vec<Step> {
    let mut all = Vec::with_capacity(steps.len() + 1);
    let mut open = false;
    for step in steps {
        match *step {
            Step::Move(_) => {
                if matches!(all.last(), Some(Step::Move(_))) {
                    all.pop();
                }
                open = true;
            }
            Step::Line(to) if !open => {
                all.push(Step::Move(to));
                open = true;
            }
            Step::Curve([a, b, ..]) if !open => {
                all.push(Step::Move([a, b]));
                open = true;
            }
            Step::Close if !matches!(all.last(), Some(Step::Line(_) | Step::Curve(_))) => continue,
            _ => {}
        }
        all.push(*step);
    }
    if matches!(all.last(), Some(Step::Move(_))) {
        all.pop();
    }
    all
}

/// Dashes and gaps in turn, an even number of them; none for a solid line.
pub fn dashes(stroke: &Stroke) -> Vec<Lu> {
    let mut dashes: Vec<Lu> = stroke.dash.iter().take(DASH_LIMIT).map(|length| Lu(length.0.max(0))).collect();
    if dashes.iter().map(|length| i64::from(length.0)).sum::<i64>() < SHORTEST_PATTERN {
        return Vec::new();
    }
    if !dashes.len().is_multiple_of(2) {
        dashes.extend_from_within(..);
    }
    dashes
}

/// The rule under an underlined run.
pub fn underline_rule(run: &TextRun) -> Option<Rule> {
    if !run.underline {
        return None;
    }
    let length = match &run.advances {
        Advances::Uniform(cell) => i64::from(cell.0).saturating_mul(run.text.chars().count() as i64),
        Advances::Each(cells) => cells.iter().map(|cell| i64::from(cell.0)).sum(),
    };
    let length = i32::try_from(length.clamp(0, 1 << 24)).unwrap_or(0);
    let size = run.size.0.clamp(0, 1 << 20);
    let (below, thick) = (size / 10, (size / 18).max(60));
    let (x, y) = (run.x.0.clamp(-(1 << 29), 1 << 29), run.y.0.clamp(-(1 << 29), 1 << 29));
    let [x, y, width, height] = match run.turns % 4 {
        0 => [x, y + below, length, thick],
        1 => [x - below - thick, y, thick, length],
        2 => [x - length, y - below - thick, length, thick],
        _ => [x + below, y - length, thick, length],
    };
    Some(Rule { x: Lu(x), y: Lu(y), width: Lu(width), height: Lu(height), color: run.color, decoration: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Color;

    #[test]
    fn a_path_starts_with_a_move_and_ends_with_a_mark() {
        let at = |x| [Lu(x), Lu(0)];
        let steps = [Step::Close, Step::Line(at(1)), Step::Line(at(2)), Step::Close, Step::Close, Step::Move(at(3))];
        assert_eq!(sound(&steps), [Step::Move(at(1)), Step::Line(at(1)), Step::Line(at(2)), Step::Close]);
        assert!(sound(&[Step::Move(at(1)), Step::Move(at(2))]).is_empty());
    }

    #[test]
    fn dashes_come_in_pairs() {
        let stroke = |dash: &[i32]| Stroke {
            color: Color::BLACK,
            width: Lu(10),
            dash: dash.iter().copied().map(Lu).collect(),
            ..Stroke::default()
        };
        assert_eq!(dashes(&stroke(&[500])), [Lu(500), Lu(500)]);
        for solid in [&[0, -3][..], &[], &[1, 2]] {
            assert!(dashes(&stroke(solid)).is_empty());
        }
    }
}
