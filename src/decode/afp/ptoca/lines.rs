//! The printed lines of a page that is complete.

use super::setter::in_direction;
use crate::page::{Element, TextRun};

/// Numbers the printed lines of a page: runs on one baseline share a [`TextRun::line`]; lines count from 1, in reading
/// order (the direction that most characters have first). Runs struck twice at one place become shadows, so that they
/// are read once.
pub fn number_lines(elements: &mut [Element]) {
    let mut runs: Vec<&mut TextRun> = elements
        .iter_mut()
        .filter_map(|element| match element {
            Element::Text(run) => Some(run),
            _ => None,
        })
        .collect();
    let main = main_direction(&runs);
    // Stable: runs at one place stay in paint order.
    runs.sort_by_key(|run| {
        let (_, across) = place(run);
        ((run.turns.wrapping_sub(main)) % 4, across)
    });
    let mut line = 0;
    let mut at: Option<(u8, i32, i32)> = None;
    let mut start = 0;
    for index in 0..runs.len() {
        let Some(run) = runs.get_mut(index) else { continue };
        let (_, across) = place(run);
        let size = run.size.0.max(0);
        let same = at.is_some_and(|(turns, base, tall)| {
            turns == run.turns % 4 && i64::from(across) - i64::from(base) <= i64::from(tall.max(size)) * 3 / 10
        });
        if same {
            at = at.map(|(turns, base, tall)| (turns, base, tall.max(size)));
        } else {
            line += 1;
            at = Some((run.turns % 4, across, size));
        }
        run.line = line;
        if !same {
            mark_repeated(runs.get_mut(start..index).unwrap_or_default());
            start = index;
        }
    }
    mark_repeated(runs.get_mut(start..).unwrap_or_default());
}

/// The direction of most characters; the least turned of equally usual ones.
fn main_direction(runs: &[&mut TextRun]) -> u8 {
    let mut counts = [0usize; 4];
    for run in runs {
        if let Some(count) = counts.get_mut(usize::from(run.turns % 4)) {
            *count += run.text.len();
        }
    }
    let mut main = (0u8, 0usize);
    for (turns, count) in (0u8..4).zip(counts) {
        if count > main.1 {
            main = (turns, count);
        }
    }
    main.0
}

fn place(run: &TextRun) -> (i32, i32) {
    in_direction([run.x, run.y], run.turns)
}

/// Within one line: the same text and size within a sixth of an em is a second strike.
fn mark_repeated(line: &mut [&mut TextRun]) {
    line.sort_by_key(|run| place(run).0);
    for index in 1..line.len() {
        let (before, rest) = line.split_at_mut(index);
        let Some(run) = rest.first_mut() else { return };
        let (along, across) = place(run);
        let near = run.size.0.unsigned_abs() / 6;
        let strikes = before.iter().rev().take_while(|other| place(other).0.abs_diff(along) <= near);
        let repeats = |other: &&mut TextRun| {
            !other.shadow && other.size == run.size && place(other).1.abs_diff(across) <= near && other.text == run.text
        };
        // Only a few: a hostile page may put all its runs on one place.
        let struck = !run.shadow && strikes.take(16).any(repeats);
        if struck {
            run.shadow = true;
        }
    }
}
