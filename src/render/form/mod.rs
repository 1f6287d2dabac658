//! What is drawn under the text: forms by name and green bars.
//!
//! A form is a small vector drawing in TOML (`templates/forms/`, described in `docs/renditions.md`). It becomes a
//! [`Drawing`], which every PDF writer draws once and reuses on each page. Adding a form: a file there, a line in
//! [`FORMS`]; a site's own forms lie in the folder that [`FORM_DIR`] names.

mod bars;
mod parse;

use std::collections::BTreeSet;

pub use bars::{Bars, green_bars};

use crate::index::definition::Paper;
pub use crate::page::Step;
use crate::page::{Advances, Color, Element, Lu, Page, TextRun};
use crate::render::RenderError;
use crate::render::font::FontSet;

/// Environment variable naming a folder with more forms; its forms win over the compiled-in ones.
pub const FORM_DIR: &str = "GREENBAR_FORM_DIR";

/// The forms that are compiled in.
pub static FORMS: &[(&str, &str)] = &[
    ("bank-statement", include_str!("../../../templates/forms/bank-statement.toml")),
    ("telecom-bill", include_str!("../../../templates/forms/telecom-bill.toml")),
];

/// A form file larger than this is refused.
const FORM_SIZE_LIMIT: u64 = 1 << 20;

/// One thing that a form draws.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A filled and/or outlined path.
    Path {
        /// Its steps.
        steps: Vec<Step>,
        /// Fill colour.
        fill: Option<Color>,
        /// Outline colour and width.
        stroke: Option<(Color, Lu)>,
    },
    /// Static text.
    Text(TextRun),
}

/// Shapes in paint order, from the top left corner of the paper.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawing {
    /// Width and height of the paper it is made for; `None` when it fits the page as it is.
    pub paper: Option<[Lu; 2]>,
    /// The shapes.
    pub shapes: Vec<Shape>,
}

impl Drawing {
    /// The same drawing on paper of another size: places are spread, text grows by the smaller of both factors.
    pub fn fitted(mut self, [width, height]: [Lu; 2]) -> Drawing {
        let Some([own_width, own_height]) = self.paper.replace([width, height]) else { return self };
        let factor = |new: Lu, own: Lu| f64::from(new.0.max(1)) / f64::from(own.0.max(1));
        let (across, down) = (factor(width, own_width), factor(height, own_height));
        let scaled = |length: Lu, factor: f64| Lu((f64::from(length.0) * factor).round() as i32);
        let both = across.min(down);
        for shape in &mut self.shapes {
            match shape {
                Shape::Path { steps, .. } => steps.iter_mut().for_each(|step| scale(step, across, down)),
                Shape::Text(run) => {
                    (run.x, run.y, run.size) = (scaled(run.x, across), scaled(run.y, down), scaled(run.size, both));
                    if let Advances::Each(advances) = &mut run.advances {
                        advances.iter_mut().for_each(|advance| *advance = scaled(*advance, both));
                    }
                }
            }
        }
        self
    }
}

fn scale(step: &mut Step, across: f64, down: f64) {
    let points: &mut [Lu] = match step {
        Step::Move(point) | Step::Line(point) => point,
        Step::Curve(points) => points,
        Step::Close => &mut [],
    };
    for (number, value) in points.iter_mut().enumerate() {
        let factor = if number % 2 == 0 { across } else { down };
        *value = Lu((f64::from(value.0) * factor).round() as i32);
    }
}

/// What lies under a page, by what tells it from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Under {
    /// Green bars.
    Bars(Bars),
    /// A form by its name, on paper of this width and height.
    Form(String, [Lu; 2]),
}

/// What lies under `page`, in paint order.
pub fn under(page: &Page, paper: &Paper) -> Vec<Under> {
    let mut list = Vec::new();
    if paper.green_bars {
        list.push(Under::Bars(Bars::of(page)));
    }
    let overlays = page.elements.iter().filter_map(|element| match element {
        Element::Overlay(name) => Some(name),
        _ => None,
    });
    let mut seen = BTreeSet::new();
    for name in paper.form.iter().chain(overlays) {
        if seen.insert(name) {
            list.push(Under::Form(name.clone(), [page.width, page.height]));
        }
    }
    list
}

/// Makes the drawing for what lies under a page. A form that cannot be drawn is nothing: the page is shown without it, and
/// [`trouble`] says why.
pub fn drawing(under: &Under, fonts: &FontSet) -> Drawing {
    match under {
        Under::Bars(bars) => green_bars(*bars),
        Under::Form(name, paper) => form(name, fonts).map(|form| form.fitted(*paper)).unwrap_or_default(),
    }
}

/// Why the form of this paper cannot be drawn; `None` when it can, or when there is none.
pub fn trouble(paper: &Paper) -> Option<String> {
    form(paper.form.as_deref()?, FontSet::system()).err().map(|error| error.to_string())
}

/// The names of all forms there are, in order.
pub fn names() -> Vec<String> {
    let mut names: BTreeSet<String> = FORMS.iter().map(|(name, _)| (*name).to_string()).collect();
    let own = std::env::var_os(FORM_DIR).and_then(|folder| std::fs::read_dir(folder).ok());
    for file in own.into_iter().flatten().flatten() {
        let name = file.file_name();
        let name = name.to_str().and_then(|name| name.strip_suffix(".toml"));
        names.extend(name.filter(|name| is_plain(name)).map(str::to_string));
    }
    names.into_iter().collect()
}

/// Whether there is a form of that name; it may still be one that cannot be drawn.
pub fn is_known(name: &str) -> bool {
    names().iter().any(|known| known == name)
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Reads a form by its name.
pub fn form(name: &str, fonts: &FontSet) -> Result<Drawing, RenderError> {
    let broken = |reason: String| RenderError::Resource(format!("form {name:?} cannot be drawn: {reason}"));
    if !is_plain(name) {
        return Err(broken("its name may hold only lower case letters, digits and '-'".into()));
    }
    if let Some(folder) = std::env::var_os(FORM_DIR) {
        let file = std::path::Path::new(&folder).join(format!("{name}.toml"));
        if let Ok(meta) = std::fs::metadata(&file) {
            if meta.len() > FORM_SIZE_LIMIT {
                return Err(broken("the file is larger than 1 MB".into()));
            }
            let text = std::fs::read_to_string(&file).map_err(|error| broken(error.to_string()))?;
            return parse::parse(&text, fonts).map_err(broken);
        }
    }
    match FORMS.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => parse::parse(text, fonts).map_err(broken),
        None => Err(broken(format!("there is no such form in templates/forms or {FORM_DIR}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_compiled_in_form_can_be_drawn() {
        let fonts = FontSet::new(Vec::new());
        for (name, _) in FORMS {
            let drawing = form(name, &fonts).expect(name);
            assert!(drawing.shapes.len() > 5, "{name}");
        }
    }

    #[test]
    fn a_form_is_spread_over_larger_paper() {
        let toml = "title = 'x'\nunit = 'pt'\npaper = [100, 100]\n[[draw]]\nrect = [10, 10, 90, 40]\nfill = '#000000'";
        let drawing = parse::parse(toml, &FontSet::new(Vec::new())).expect("a good form");
        let fitted = drawing.fitted([Lu::from_points(200.0), Lu::from_points(100.0)]);
        let Shape::Path { steps, .. } = &fitted.shapes[0] else { panic!("a path") };
        assert_eq!(steps[0], Step::Move([Lu::from_points(20.0), Lu::from_points(10.0)]));
    }

    #[test]
    fn a_form_that_is_not_there_or_leads_out_of_the_folder_is_an_error() {
        let fonts = FontSet::new(Vec::new());
        for name in ["no-such-form", "../secret", ""] {
            assert!(matches!(form(name, &fonts), Err(RenderError::Resource(_))), "{name}");
            let paper = Paper { form: Some(name.into()), green_bars: false };
            assert!(trouble(&paper).is_some_and(|why| why.contains(name)) && !is_known(name), "{name}");
            let shapes = drawing(&Under::Form(name.into(), [Lu(1), Lu(1)]), &fonts).shapes;
            assert!(shapes.is_empty(), "{name}: the page is shown without it");
        }
        assert!(is_known("telecom-bill") && trouble(&Paper::default()).is_none());
    }

    #[test]
    fn a_form_named_twice_is_drawn_once_under_the_bars() {
        let page = Page {
            width: Lu(1),
            height: Lu(1),
            elements: vec![Element::Overlay("a".into()), Element::Overlay("b".into())],
        };
        let paper = Paper { form: Some("a".into()), green_bars: true };
        let list = under(&page, &paper);
        assert!(matches!(list[0], Under::Bars(_)));
        let paper = [Lu(1), Lu(1)];
        assert_eq!(list[1..], [Under::Form("a".into(), paper), Under::Form("b".into(), paper)]);
    }
}
