//! Moves and turns what is drawn already: a page on its sheet, an object that several pages include.

use crate::decode::afp::units::{add, turned};
use crate::page::{Element, Lu, Path, Step};

/// Turns `element` clockwise about the origin by quarter turns, then moves it.
pub fn place(element: &mut Element, turns: u8, by: [Lu; 2]) {
    let moved = |x: Lu, y: Lu| {
        let [x, y] = turned([x, y], turns);
        [add(x, by[0]), add(y, by[1])]
    };
    match element {
        Element::Text(run) => {
            [run.x, run.y] = moved(run.x, run.y);
            run.turns = (run.turns + turns) % 4;
        }
        Element::Rule(rule) => {
            let [x, y, width, height] = turned_box([rule.x, rule.y, rule.width, rule.height], turns, by);
            (rule.x, rule.y, rule.width, rule.height) = (x, y, width, height);
        }
        Element::Path(path) => place_path(path, turns, by),
        Element::Image(image) => {
            [image.x, image.y] = moved(image.x, image.y);
            image.turns = (image.turns + turns) % 4;
            image.clip = image.clip.map(|clip| turned_box(clip, turns, by));
        }
        Element::Barcode(code) => place_path(&mut code.bars, turns, by),
        Element::Form(form) => {
            [form.x, form.y] = moved(form.x, form.y);
            form.turns = (form.turns + turns) % 4;
        }
        Element::Overlay(_) => {}
    }
}

/// Left, top, width and height of a rectangle that was turned about the origin and moved.
fn turned_box([x, y, width, height]: [Lu; 4], turns: u8, by: [Lu; 2]) -> [Lu; 4] {
    let [one_x, one_y] = turned([x, y], turns);
    let [two_x, two_y] = turned([add(x, width), add(y, height)], turns);
    let (left, top) = (one_x.min(two_x), one_y.min(two_y));
    let (wide, high) = if turns.is_multiple_of(2) { (width, height) } else { (height, width) };
    [add(left, by[0]), add(top, by[1]), wide, high]
}

fn place_path(path: &mut Path, turns: u8, by: [Lu; 2]) {
    let point = |x: Lu, y: Lu| {
        let [x, y] = turned([x, y], turns);
        [add(x, by[0]), add(y, by[1])]
    };
    for step in &mut path.steps {
        match step {
            Step::Move([x, y]) | Step::Line([x, y]) => [*x, *y] = point(*x, *y),
            Step::Curve([a, b, c, d, e, f]) => {
                [*a, *b] = point(*a, *b);
                [*c, *d] = point(*c, *d);
                [*e, *f] = point(*e, *f);
            }
            Step::Close => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Color, Rule};

    #[test]
    fn a_rule_turns_about_the_origin() {
        let rule = Rule { x: Lu(10), y: Lu(20), width: Lu(5), height: Lu(1), color: Color::BLACK, decoration: false };
        let all = [0, 1, 2, 3].map(|turns| {
            let mut element = Element::Rule(rule);
            place(&mut element, turns, [Lu(100), Lu(200)]);
            let Element::Rule(rule) = element else { panic!("a rule") };
            [rule.x.0, rule.y.0, rule.width.0, rule.height.0]
        });
        assert_eq!(all, [[110, 220, 5, 1], [79, 210, 1, 5], [85, 179, 5, 1], [120, 185, 1, 5]]);
    }
}
