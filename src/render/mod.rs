//! Makes renditions: pages in, PDF, HTML, text, PNG, CSV or JSON out.
//!
//! A renderer never sees the source format. The same document gives the same bytes each time.
//! Adding a rendition: a file here, a line in `RENDERERS`.

mod composed;
pub mod csv;
pub mod font;
pub mod form;
mod html;
mod json;
pub mod letter;
pub mod mask;
pub mod merge;
mod path;
pub mod pdf;
mod png;
mod shadow;
pub mod sheet;
mod svg;
mod text;

use std::io::Write;
use std::ops::Range;

pub(crate) use html::is_chinese;

use crate::index::definition::Paper;
use crate::page::Page;

/// What a renderer knows of the document besides its pages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DocumentInfo {
    /// Id as printed: `7-123`; a file name for `convert`.
    pub id: String,
    /// Title.
    pub title: String,
    /// Who issued it (title of the report definition).
    pub author: String,
    /// Document kind.
    pub kind: String,
    /// Its date, days since 1970-01-01: also the creation date in metadata.
    pub date: Option<i32>,
    /// BCP 47 language.
    pub language: String,
    /// Index fields in definition order.
    pub fields: Vec<FieldText>,
    /// Names of all fields that such documents have, in definition order: a document may lack some of them.
    pub field_names: Vec<String>,
    /// Transaction lines, when the renderer asked for them ([`Renderer::wants_table`]).
    pub table: Option<Table>,
    /// Forms and bars.
    pub paper: Paper,
}

/// An index field as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldText {
    /// Name as in queries.
    pub name: String,
    /// Label for people.
    pub label: String,
    /// Value as one text; several values stand behind each other with commas.
    pub value: String,
    /// The same as readers of the document's language write it; empty: as it is.
    pub written: String,
    /// Value as in the API: several values are a list, whole numbers are numbers.
    pub data: serde_json::Value,
}

/// Rows and columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Column names.
    pub columns: Vec<String>,
    /// Their labels for people in the language of the document; a column without one has its name.
    pub labels: Vec<String>,
    /// Rows, each with one text per column.
    pub rows: Vec<Vec<String>>,
}

/// The pages of one document, made on demand.
pub trait Pages {
    /// How many there are.
    fn count(&self) -> u32;
    /// Page `number`, from 0. Going forward is cheap; any page costs at most a few pages' decoding.
    fn get(&mut self, number: u32) -> Result<Page, RenderError>;
}

/// What a caller wants.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RenderOptions {
    /// First and last page, from 0, both included; `None` for all.
    pub pages: Option<(u32, u32)>,
    /// Stretches of pages, counted likewise and in order, that are all the receiver may know of: the rendition is one of a
    /// document that has no others, and `pages` counts among them. None: the whole document.
    pub only: Vec<(u32, u32)>,
    /// Width of a PNG in pixels; `None` for 100 dots per inch.
    pub width_px: Option<u32>,
    /// Words to highlight, in renditions that mark them.
    pub highlight: Vec<String>,
}

/// Stretches of a document's pages as if they were all of it.
pub struct Extract<'p> {
    /// The document.
    pub pages: &'p mut dyn Pages,
    /// First and last page of each stretch, from 0, both included.
    pub only: &'p [(u32, u32)],
}

impl Pages for Extract<'_> {
    fn count(&self) -> u32 {
        self.only.iter().map(|(first, last)| last.saturating_sub(*first).saturating_add(1)).sum()
    }

    fn get(&mut self, number: u32) -> Result<Page, RenderError> {
        let mut left = number;
        for (first, last) in self.only {
            let length = last.saturating_sub(*first).saturating_add(1);
            if left < length {
                return self.pages.get(first.saturating_add(left));
            }
            left -= length;
        }
        Err(RenderError::NoPage { page: number.saturating_add(1), pages: self.count() })
    }
}

impl RenderOptions {
    /// The pages asked for, from 0, of a document of `count` pages.
    pub fn range(&self, count: u32) -> Result<Range<u32>, RenderError> {
        let Some((first, last)) = self.pages else { return Ok(0..count) };
        match [first, last].into_iter().find(|page| *page >= count) {
            Some(page) => Err(RenderError::NoPage { page: page.saturating_add(1), pages: count }),
            None => Ok(first..last.saturating_add(1).max(first)),
        }
    }
}

/// What a renderer survived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Characters for which no font has a glyph (drawn as a visible replacement), each once, in order.
    pub missing_glyphs: Vec<char>,
    /// Why the form of the paper could not be drawn; the pages are shown without it.
    pub missing_form: Option<String>,
}

/// One rendition.
pub trait Renderer: Sync {
    /// The word for it: `pdf`, `html` ...
    fn name(&self) -> &'static str;
    /// Media type with its charset.
    fn media_type(&self) -> &'static str;
    /// File name extension without the dot.
    fn extension(&self) -> &'static str;
    /// Whether its output is for programs: fields that are sensitive are not in it for those without the right.
    fn is_for_programs(&self) -> bool {
        false
    }

    /// Whether [`DocumentInfo::table`] should be filled.
    fn wants_table(&self) -> bool {
        false
    }
    /// Whether it is the picture of a single page.
    fn shows_one_page(&self) -> bool {
        false
    }
    /// Whether it shows what lies under the text.
    fn shows_forms(&self) -> bool {
        false
    }
    /// Whether it marks the words of [`RenderOptions::highlight`].
    fn marks_words(&self) -> bool {
        false
    }
    /// Writes the rendition.
    fn render(
        &self,
        info: &DocumentInfo,
        pages: &mut dyn Pages,
        how: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<Rendered, RenderError>;
}

/// Makes a rendition, and says what of its paper it goes without.
pub fn render(
    renderer: &dyn Renderer,
    info: &DocumentInfo,
    pages: &mut dyn Pages,
    how: &RenderOptions,
    out: &mut dyn Write,
) -> Result<Rendered, RenderError> {
    let mut rendered = renderer.render(info, pages, how, out)?;
    if renderer.shows_forms() {
        rendered.missing_form = form::trouble(&info.paper);
    }
    Ok(rendered)
}

/// All renditions. `--format`, the API and the list in the README read this table.
pub static RENDERERS: &[&dyn Renderer] =
    &[&pdf::Pdf, &html::Html, &text::Text, &png::Png, &svg::Svg, &csv::Csv, &json::Json];

/// The renderer of this name.
pub fn renderer(name: &str) -> Option<&'static dyn Renderer> {
    RENDERERS.iter().copied().find(|renderer| renderer.name() == name)
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// No such page.
    #[error("page {page} does not exist; the document has {pages}")]
    NoPage {
        /// Page asked for, from 1.
        page: u32,
        /// Pages there are.
        pages: u32,
    },
    /// The output could not be written.
    #[error("the rendition could not be written")]
    Write(#[from] std::io::Error),
    /// The document's bytes could not be read or decoded.
    #[error("the document could not be read: {0}")]
    Source(String),
    /// A font or form is missing or broken.
    #[error("{0}")]
    Resource(String),
}

#[cfg(test)]
pub(crate) mod sample;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Element, Lu};

    #[test]
    fn every_rendition_survives_hostile_pages_and_is_the_same_each_time() {
        let extremes = [(0, 0), (i32::MIN, 5), (100, i32::MAX), (i32::MAX, 100), (200_000, 150_000)];
        for (width, height) in extremes {
            let mut page = sample::statement(7);
            (page.width, page.height) = (Lu(width), Lu(height));
            for (number, element) in page.elements.iter_mut().enumerate() {
                let Element::Text(run) = element else { continue };
                match number % 5 {
                    0 => (run.x, run.y) = (Lu(i32::MAX), Lu(i32::MIN)),
                    1 => run.size = Lu(if number > 20 { i32::MAX } else { 0 }),
                    2 => run.advances = crate::page::Advances::Each(vec![Lu(i32::MIN), Lu(0)]),
                    3 => run.text.clear(),
                    _ => run.turns = 255,
                }
            }
            let how = RenderOptions { width_px: Some(200), ..RenderOptions::default() };
            for renderer in RENDERERS {
                let make = || sample::render(renderer.name(), &sample::info(), vec![page.clone()], &how).0;
                assert_eq!(make(), make(), "{}", renderer.name());
            }
        }
    }

    #[test]
    fn graphics_that_make_no_sense_are_survived_by_every_rendition() {
        use crate::page::{Embedded, FontProgram, Step};
        let far = [Lu(i32::MIN), Lu(-1), Lu(0), Lu(7), Lu(i32::MAX)];
        let broken = FontProgram::new("Broken", b"OTTO\0\x01".repeat(9), 0);
        for seed in 0..5_usize {
            let value = |at: usize| far[(seed + at) % far.len()];
            let mut page = sample::everything();
            for (number, element) in page.elements.iter_mut().enumerate() {
                match element {
                    Element::Text(run) => match (number + seed) % 6 {
                        0 => run.embedded = Some(Embedded { font: broken.clone(), glyphs: vec![9; 3] }),
                        1 => run.embedded.iter_mut().for_each(|own| own.glyphs = vec![0, u16::MAX, 7]),
                        2 => (run.stretch, run.turns) = ([0, u16::MAX][seed % 2], 255),
                        3 => run.advances = crate::page::Advances::Each(vec![value(number)]),
                        4 => run.text = "\u{0}\u{E000}\u{FFFF}\u{202E}".into(),
                        _ => (run.x, run.y, run.size) = (value(number), value(1), value(2)),
                    },
                    Element::Path(path) => {
                        path.steps.insert(0, Step::Close);
                        path.steps.push(Step::Line([value(number), value(2)]));
                        if let Some(stroke) = &mut path.stroke {
                            (stroke.width, stroke.dash) = (value(seed), vec![value(number), value(1), value(3)]);
                        }
                    }
                    Element::Image(image) => {
                        (image.x, image.width, image.height) = (value(number), value(number + 1), value(number + 3));
                        image.clip = Some([value(0), value(1), value(2), value(number)]);
                        image.turns = 200;
                    }
                    Element::Rule(rule) => (rule.x, rule.width, rule.height) = (value(number), value(1), value(2)),
                    Element::Barcode(code) => (code.symbology, code.value) = (String::new(), "\u{0}<\"".into()),
                    Element::Form(form) => (form.x, form.turns) = (value(number), 77),
                    _ => {}
                }
            }
            let how = RenderOptions { width_px: Some(120), highlight: vec!["e".into()], ..RenderOptions::default() };
            for renderer in RENDERERS {
                let make = || sample::render(renderer.name(), &sample::info(), vec![page.clone()], &how).0;
                assert_eq!(make(), make(), "{}", renderer.name());
            }
        }
    }

    #[test]
    fn names_and_extensions_of_renditions_differ() {
        let mut names: Vec<_> = RENDERERS.iter().map(|renderer| (renderer.name(), renderer.extension())).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0].0 != pair[1].0 && pair[0].1 != pair[1].1));
        assert!(renderer("pdf").is_some() && renderer("original").is_none());
    }
}
