//! A page with its forms opened: every element and where it lies.

use super::{Barcode, Element, Lu, Page, Path, PlacedForm, PlacedImage, Rule, Step, TextRun};

/// Forms inside of forms are opened this deep.
pub const FORM_DEPTH: usize = 8;
/// Elements of one page that are visited at most, so that forms which name each other many times cannot make a page endless.
pub const ELEMENT_LIMIT: usize = 1_000_000;

/// Where a coordinate system lies on the page: turned about its origin, then moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Its origin.
    pub x: Lu,
    /// Its origin.
    pub y: Lu,
    /// Quarter turns clockwise (0 to 3).
    pub turns: u8,
}

impl Place {
    /// The page itself.
    pub const PAGE: Place = Place { x: Lu(0), y: Lu(0), turns: 0 };

    /// Where a form lies that is placed in this system.
    pub fn of_form(self, form: &PlacedForm) -> Place {
        let [x, y] = self.point([form.x, form.y]);
        Place { x, y, turns: self.turned(form.turns) }
    }

    /// A point of this system on the page.
    pub fn point(self, [x, y]: [Lu; 2]) -> [Lu; 2] {
        let (dx, dy) = match self.turns % 4 {
            0 => (x.0, y.0),
            1 => (y.0.saturating_neg(), x.0),
            2 => (x.0.saturating_neg(), y.0.saturating_neg()),
            _ => (y.0, x.0.saturating_neg()),
        };
        [Lu(self.x.0.saturating_add(dx)), Lu(self.y.0.saturating_add(dy))]
    }

    /// A direction of this system on the page.
    pub fn turned(self, turns: u8) -> u8 {
        (self.turns % 4 + turns % 4) % 4
    }

    /// A rectangle (left, top, width, height) of this system on the page.
    pub fn rectangle(self, [x, y, width, height]: [Lu; 4]) -> [Lu; 4] {
        let [ax, ay] = self.point([x, y]);
        let [bx, by] = self.point([Lu(x.0.saturating_add(width.0)), Lu(y.0.saturating_add(height.0))]);
        let side = |a: Lu, b: Lu| Lu(a.0.max(b.0).saturating_sub(a.0.min(b.0)));
        [ax.min(bx), ay.min(by), side(ax, bx), side(ay, by)]
    }

    /// An element of this system as it lies on the page. Forms stay closed.
    pub fn element(self, element: &Element) -> Element {
        match element {
            Element::Text(run) => Element::Text(self.text(run)),
            Element::Rule(rule) => Element::Rule(self.rule(rule)),
            Element::Path(path) => Element::Path(self.path(path)),
            Element::Image(image) => Element::Image(self.image(image)),
            Element::Barcode(code) => Element::Barcode(Barcode { bars: self.path(&code.bars), ..code.clone() }),
            Element::Form(form) => {
                let place = self.of_form(form);
                Element::Form(PlacedForm { x: place.x, y: place.y, turns: place.turns, form: form.form.clone() })
            }
            Element::Overlay(name) => Element::Overlay(name.clone()),
        }
    }

    /// A run as it lies on the page.
    pub fn text(self, run: &TextRun) -> TextRun {
        let [x, y] = self.point([run.x, run.y]);
        TextRun { x, y, turns: self.turned(run.turns), ..run.clone() }
    }

    /// A rule as it lies on the page.
    pub fn rule(self, rule: &Rule) -> Rule {
        let sides = [rule.width, rule.height].map(|side| Lu(side.0.max(0)));
        let [x, y, width, height] = self.rectangle([rule.x, rule.y, sides[0], sides[1]]);
        Rule { x, y, width, height, ..*rule }
    }

    /// A path as it lies on the page.
    pub fn path(self, path: &Path) -> Path {
        let steps = path.steps.iter().map(|step| match *step {
            Step::Move(to) => Step::Move(self.point(to)),
            Step::Line(to) => Step::Line(self.point(to)),
            Step::Curve([a, b, c, d, e, f]) => {
                let ([a, b], [c, d], [e, f]) = (self.point([a, b]), self.point([c, d]), self.point([e, f]));
                Step::Curve([a, b, c, d, e, f])
            }
            Step::Close => Step::Close,
        });
        Path { steps: steps.collect(), stroke: path.stroke.clone(), ..*path }
    }

    /// A picture as it lies on the page.
    pub fn image(self, image: &PlacedImage) -> PlacedImage {
        let [x, y] = self.point([image.x, image.y]);
        let clip = image.clip.map(|clip| self.rectangle(clip));
        PlacedImage { x, y, turns: self.turned(image.turns), clip, ..image.clone() }
    }
}

/// Shows every element of a page in paint order, those of forms (which are opened) where the form stands.
pub fn walk<'p>(page: &'p Page, each: &mut dyn FnMut(Place, &'p Element)) {
    let mut left = ELEMENT_LIMIT;
    open(&page.elements, Place::PAGE, 0, &mut left, each);
}

fn open<'p>(
    elements: &'p [Element],
    place: Place,
    depth: usize,
    left: &mut usize,
    each: &mut dyn FnMut(Place, &'p Element),
) {
    for element in elements {
        if *left == 0 {
            return;
        }
        *left -= 1;
        match element {
            Element::Form(form) if depth < FORM_DEPTH => {
                open(&form.form.elements, place.of_form(form), depth + 1, left, each);
            }
            Element::Form(_) => {}
            element => each(place, element),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::page::{Color, ContentId, Form, sample};

    fn form(elements: Vec<Element>) -> Arc<Form> {
        Arc::new(Form { id: ContentId([7; 32]), name: "O1".into(), width: Lu(100), height: Lu(50), elements })
    }

    #[test]
    fn four_quarter_turns_lead_back() {
        let mut point = [Lu(30), Lu(5)];
        let turn = Place { turns: 1, ..Place::PAGE };
        assert_eq!(turn.point(point), [Lu(-5), Lu(30)], "clockwise: what was to the right is below");
        for _ in 0..4 {
            point = turn.point(point);
        }
        assert_eq!(point, [Lu(30), Lu(5)]);
    }

    #[test]
    fn a_rule_in_a_turned_form_keeps_its_sides() {
        let rule = Rule { x: Lu(10), y: Lu(20), width: Lu(100), height: Lu(3), color: Color::BLACK, decoration: false };
        let placed = Place { x: Lu(1000), y: Lu(0), turns: 1 }.rule(&rule);
        assert_eq!([placed.x, placed.y, placed.width, placed.height], [Lu(977), Lu(10), Lu(3), Lu(100)]);
    }

    #[test]
    fn forms_that_name_each_other_many_times_end() {
        let mut inner = form(vec![Element::Text(sample::run("x", 0, 0))]);
        for _ in 0..FORM_DEPTH + 3 {
            let placed = PlacedForm { x: Lu(1), y: Lu(1), turns: 3, form: inner };
            inner = form(vec![Element::Form(placed); 30]);
        }
        let placed = Element::Form(PlacedForm { x: Lu(0), y: Lu(0), turns: 0, form: inner });
        let page = Page { width: Lu(1), height: Lu(1), elements: vec![placed] };
        let mut seen = 0;
        walk(&page, &mut |_, _| seen += 1);
        assert!(seen <= ELEMENT_LIMIT);
    }
}
