//! Plain text: UTF-8, one line for each printed row, a form feed between pages.

use std::io::Write;

use super::{DocumentInfo, Pages, RenderError, RenderOptions, Rendered, Renderer};
use crate::page::grid::Grid;

/// The text rendition.
#[derive(Debug)]
pub struct Text;

impl Renderer for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn media_type(&self) -> &'static str {
        "text/plain; charset=utf-8"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn render(
        &self,
        _info: &DocumentInfo,
        pages: &mut dyn Pages,
        how: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<Rendered, RenderError> {
        let range = how.range(pages.count())?;
        let first = range.start;
        let mut text = String::new();
        for number in range {
            text.clear();
            if number > first {
                text.push('\u{C}');
            }
            for row in &Grid::of(&pages.get(number)?).rows {
                text.extend(row.iter().map(|cell| cell.text));
                text.push('\n');
            }
            out.write_all(text.as_bytes())?;
        }
        out.flush()?;
        Ok(Rendered::default())
    }
}

#[cfg(test)]
mod tests {
    use crate::render::{RenderError, RenderOptions, renderer, sample};

    #[test]
    fn pages_are_separated_by_form_feeds_and_can_be_chosen() {
        let pages = || vec![sample::page(&["one", "", "  two"]), sample::page(&["three"]), sample::page(&["four"])];
        let (all, _) = sample::render("text", &sample::info(), pages(), &RenderOptions::default());
        assert_eq!(String::from_utf8_lossy(&all), "one\n\n  two\n\u{C}three\n\u{C}four\n");
        let how = RenderOptions { pages: Some((1, 2)), ..RenderOptions::default() };
        let (some, _) = sample::render("text", &sample::info(), pages(), &how);
        assert_eq!(String::from_utf8_lossy(&some), "three\n\u{C}four\n");
    }

    #[test]
    fn a_page_that_is_not_there_is_an_error() {
        let how = RenderOptions { pages: Some((0, 5)), ..RenderOptions::default() };
        for format in ["pdf", "html", "text", "png", "json"] {
            let mut stack = sample::Stack(vec![sample::page(&["x"])]);
            let result = renderer(format).expect(format).render(&sample::info(), &mut stack, &how, &mut Vec::new());
            assert!(matches!(result, Err(RenderError::NoPage { page: 6, pages: 1 })), "{format}");
        }
    }
}
