//! SVG: one page as a drawing with real text, crisp at every zoom. What the agent console shows.
//!
//! Self-contained: fonts of the stream are subsets inside it, pictures stand in it, what lies under the text (green
//! bars, forms) is drawn first and is not read aloud.

use std::io::Write;
use std::sync::Arc;

use super::form::{self, Shape};
use super::html::sheet::{self, Shared};
use super::{DocumentInfo, Pages, RenderError, RenderOptions, Rendered, Renderer};
use crate::page::{ContentId, Element, Form, Lu, Page, Path, PlacedForm, Stroke, TextRun};
use crate::render::font::FontSet;

/// The classes that the drawing names.
const STYLE: &str = "text{white-space:pre;fill:#000}\
    .s{font-family:Arial,Helvetica,\"Liberation Sans\",\"Noto Sans CJK SC\",sans-serif}\
    .r{font-family:\"Times New Roman\",Times,\"Liberation Serif\",\"Noto Serif CJK SC\",serif}\
    .m{font-family:\"DejaVu Sans Mono\",Menlo,Consolas,\"Liberation Mono\",\"Noto Sans Mono CJK SC\",monospace}\
    .b{font-weight:700}.i{font-style:italic}.mark{fill:#ffe27a}.shadow{user-select:none}";
const OPEN: &str = "<svg class=\"sheet\"";

/// The SVG rendition.
#[derive(Debug)]
pub struct Svg;

impl Renderer for Svg {
    fn name(&self) -> &'static str {
        "svg"
    }

    fn media_type(&self) -> &'static str {
        "image/svg+xml; charset=utf-8"
    }

    fn extension(&self) -> &'static str {
        "svg"
    }

    fn shows_one_page(&self) -> bool {
        true
    }

    fn marks_words(&self) -> bool {
        true
    }

    fn shows_forms(&self) -> bool {
        true
    }

    fn render(
        &self,
        info: &DocumentInfo,
        pages: &mut dyn Pages,
        how: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<Rendered, RenderError> {
        let range = how.range(pages.count())?;
        let Some(number) = range.into_iter().next() else {
            return Err(RenderError::NoPage { page: 1, pages: 0 });
        };
        let fonts = FontSet::system();
        let page = whole(info, pages.get(number)?, fonts);
        let mut shared = Shared::new(fonts);
        let mut drawing = String::new();
        sheet::draw(&mut drawing, &page, &mut shared, &sheet::words(&how.highlight));
        // XML knows two characters less than HTML.
        let drawing = drawing.replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}");
        let rest = drawing.strip_prefix(OPEN).unwrap_or(&drawing);
        let (attributes, body) = rest.split_once('>').unwrap_or((rest, ""));
        write!(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sheet\"{attributes}><style>{STYLE}")?;
        shared.web.write(out)?;
        write!(out, "</style>{body}")?;
        out.flush()?;
        Ok(Rendered::default())
    }
}

/// The page with what lies under it as one more part below its own; pages of a file share it.
pub(super) fn whole(info: &DocumentInfo, page: Page, fonts: &FontSet) -> Page {
    let mut elements = Vec::new();
    for under in form::under(&page, &info.paper) {
        let drawn = form::drawing(&under, fonts).shapes.into_iter().map(element).collect();
        let id = ContentId::of(&[b"under", format!("{under:?}").as_bytes()]);
        let form = Form { id, name: String::new(), width: page.width, height: page.height, elements: drawn };
        elements.push(Element::Form(PlacedForm { x: Lu(0), y: Lu(0), turns: 0, form: Arc::new(form) }));
    }
    elements.extend(page.elements);
    Page { elements, ..page }
}

fn element(shape: Shape) -> Element {
    match shape {
        Shape::Path { steps, fill, stroke } => {
            let stroke = stroke.map(|(color, width)| Stroke { color, width, ..Stroke::default() });
            Element::Path(Path { steps, fill, even_odd: false, stroke })
        }
        Shape::Text(run) => Element::Text(TextRun { shadow: true, ..run }),
    }
}

#[cfg(test)]
mod tests {
    use crate::render::{RenderOptions, sample};

    fn made(how: &RenderOptions) -> String {
        let mut info = sample::info();
        info.paper.green_bars = true;
        let (bytes, _) = sample::render("svg", &info, vec![sample::statement(1), sample::statement(2)], how);
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_page_is_one_drawing_with_real_text_and_what_lies_under_it() {
        let svg = made(&RenderOptions::default());
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sheet\" viewBox=\"0 0 "), "{svg}");
        assert_eq!(svg.matches("<svg ").count(), 1, "one page");
        assert!(svg.contains("<text>") && svg.contains("</svg>"), "{svg}");
        assert!(!svg.contains("style=") && !svg.contains("<script"), "{svg}");
        let bars = svg.find("<path").expect("bars are drawn");
        assert!(bars < svg.find("<text>").expect("text"), "bars lie under the text");
    }

    #[test]
    fn words_are_marked_where_they_stand() {
        let how = RenderOptions { highlight: vec!["cascade".into()], ..RenderOptions::default() };
        assert!(made(&how).contains("class=\"mark\""));
        assert!(!made(&RenderOptions::default()).contains("class=\"mark\""));
    }
}
