//! HTML: one self-contained page without script.
//!
//! The fields are a card of labels, the transaction lines a table, the printed pages a grid of real text that scales
//! with the screen, scrolls where it must, and prints one sheet per page. A page with fonts, graphics or pictures of its own
//! is shown as it looks on paper ([`sheet`]), with real text in reading order. There are no style attributes, no scripts,
//! nothing from outside. Everything that comes from a document is escaped.

mod cover;
mod picture;
pub(super) mod sheet;
mod style;
mod webfont;

use std::fmt::Write as _;
use std::io::Write;

use super::{DocumentInfo, Pages, RenderError, RenderOptions, Rendered, Renderer, Table};
use crate::index::value::Day;
use crate::index::written;
use crate::page::Color;
use crate::page::grid::{Cell, Grid, Style};
use crate::render::font::FontSet;

/// The HTML rendition.
#[derive(Debug)]
pub struct Html;

impl Renderer for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn media_type(&self) -> &'static str {
        "text/html; charset=utf-8"
    }

    fn extension(&self) -> &'static str {
        "html"
    }

    fn wants_table(&self) -> bool {
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
        let words = sheet::words(&how.highlight);
        let mut html = String::new();
        // A form is drawn as on paper; bars alone are a pattern behind the rows.
        let drawn = info.paper.form.is_some() && super::form::trouble(&info.paper).is_none();
        let first = match range.clone().next() {
            Some(number) => Some(pages.get(number)?),
            None => None,
        };
        head(&mut html, info, first.as_ref());
        out.write_all(html.as_bytes())?;
        let mut first = first;
        let mut shared = sheet::Shared::new(FontSet::system());
        for number in range {
            html.clear();
            let page = match first.take() {
                Some(page) => page,
                None => pages.get(number)?,
            };
            let cells = !sheet::is_needed(&page);
            let kind = match (cells, drawn) {
                (true, false) => "",
                (true, true) => " paper rows",
                (false, _) => " paper",
            };
            open_page(&mut html, info, number + 1, kind);
            if drawn || !cells {
                let page = super::svg::whole(info, page, FontSet::system());
                sheet::draw(&mut html, &page, &mut shared, &words);
            } else {
                rows(&mut html, &Grid::of(&page), &words);
            }
            html.push_str("</div>\n</section>\n");
            out.write_all(html.as_bytes())?;
        }
        out.write_all(b"</main>\n")?;
        if !shared.web.is_empty() {
            // Which glyphs the fonts need is known only now.
            out.write_all(b"<svg class=\"hidden\" aria-hidden=\"true\"><style>\n")?;
            shared.web.write(out)?;
            out.write_all(b"</style></svg>\n")?;
        }
        out.write_all(b"</body>\n</html>\n")?;
        out.flush()?;
        Ok(Rendered::default())
    }
}

/// Words of the page around the document, in its language.
struct Words {
    page: [&'static str; 2],
    fields: &'static str,
    lines: &'static str,
    pages: &'static str,
}

/// Whether a document is in Chinese.
pub(crate) fn is_chinese(language: &str) -> bool {
    language.get(..2).is_some_and(|first| first.eq_ignore_ascii_case("zh"))
}

fn words(language: &str) -> Words {
    if is_chinese(language) {
        Words { page: ["第 ", " 页"], fields: "索引字段", lines: "交易明细", pages: "打印页" }
    } else {
        Words { page: ["Page ", ""], fields: "Fields", lines: "Transactions", pages: "Printed pages" }
    }
}

fn head(html: &mut String, info: &DocumentInfo, first: Option<&crate::page::Page>) {
    let words = words(&info.language);
    let title = escape(if info.title.trim().is_empty() { &info.id } else { &info.title });
    let language = escape(if info.language.is_empty() { "en" } else { &info.language });
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{}</style>\n</head>\n\
         <body>\n<main>\n<header>\n<h1>{title}</h1>\n",
        style::sheet(first, &info.paper),
    );
    let chinese = is_chinese(&info.language);
    let date = info.date.map(|date| written::day(Day(date), chinese)).unwrap_or_default();
    let known = [info.author.as_str(), date.as_str()].map(escape);
    let line: Vec<String> = known.into_iter().filter(|text| !text.is_empty()).collect();
    if !line.is_empty() {
        let _ = writeln!(html, "<p class=\"by\">{}</p>", line.join(" · "));
    }
    if !info.fields.is_empty() {
        let _ = writeln!(html, "<dl aria-label=\"{}\">", words.fields);
        for field in &info.fields {
            let label = if field.label.is_empty() { &field.name } else { &field.label };
            let value = if field.written.is_empty() { &field.value } else { &field.written };
            let _ = writeln!(html, "<div><dt>{}</dt><dd>{}</dd></div>", escape(label), escape(value));
        }
        html.push_str("</dl>\n");
    }
    html.push_str("</header>\n");
    if let Some(table) = info.table.as_ref().filter(|table| !table.rows.is_empty()) {
        transactions(html, table, words.lines, chinese);
    }
    let _ = writeln!(html, "<h2 class=\"hidden\">{}</h2>", words.pages);
}

fn is_number(cell: &str) -> bool {
    cell.bytes().any(|b| b.is_ascii_digit()) && cell.bytes().all(|b| b.is_ascii_digit() || b"+-.,".contains(&b))
}

fn transactions(html: &mut String, table: &Table, title: &str, chinese: bool) {
    let _ = writeln!(
        html,
        "<section class=\"lines\">\n<h2>{title}</h2>\n<div class=\"scroll\" tabindex=\"0\">\n<table>\n<thead><tr>"
    );
    let labels: Vec<&String> = (table.columns.iter().enumerate())
        .map(|(at, name)| table.labels.get(at).filter(|label| !label.is_empty()).unwrap_or(name))
        .collect();
    for (at, column) in labels.iter().enumerate() {
        // The head of a column of numbers stands above them, to the right.
        let numbers = table.rows.iter().filter_map(|row| row.get(at)).all(|cell| cell.is_empty() || is_number(cell));
        let class = if numbers { " class=\"n\"" } else { "" };
        let _ = write!(html, "<th scope=\"col\"{class}>{}</th>", escape(column));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        html.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let class = if is_number(cell) { " class=\"n\"" } else { "" };
            // On a phone a line is a block, and each value says what it is.
            let label = labels.get(at).map_or("", |label| label.as_str());
            let cell = written::cell(cell, chinese);
            let _ = write!(html, "<td{class} data-label=\"{}\">{}</td>", escape(label), escape(&cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</div>\n</section>\n");
}

fn open_page(html: &mut String, info: &DocumentInfo, number: u32, kind: &str) {
    let [before, after] = words(&info.language).page;
    let _ = write!(
        html,
        "<section class=\"page{kind}\" id=\"page-{number}\" aria-labelledby=\"h-{number}\">\n\
         <h3 id=\"h-{number}\"><a href=\"#page-{number}\">{before}{number}{after}</a></h3>\n\
         <div class=\"scroll\" tabindex=\"0\">",
    );
}

fn rows(html: &mut String, grid: &Grid, marks: &[Vec<char>]) {
    html.push_str("<pre>");
    if grid.rows.first().is_some_and(Vec::is_empty) {
        // A line feed right behind the tag is not shown.
        html.push('\n');
    }
    for (at, row) in grid.rows.iter().enumerate() {
        if at > 0 {
            html.push('\n');
        }
        line(html, row, &marked(row, marks));
    }
    html.push_str("</pre>");
}

fn line(html: &mut String, row: &[Cell], marked: &[bool]) {
    let mut open: Option<(Style, bool)> = None;
    for (cell, mark) in row.iter().zip(marked) {
        if open != Some((cell.style, *mark)) {
            close(html, open);
            start(html, cell.style, *mark);
            open = Some((cell.style, *mark));
        }
        if cell.width == 2 {
            html.push_str("<span>");
            push_escaped(html, cell.text);
            html.push_str("</span>");
        } else {
            push_escaped(html, cell.text);
        }
    }
    close(html, open);
}

fn start(html: &mut String, style: Style, mark: bool) {
    for (wanted, tag) in [(mark, "<mark>"), (style.bold, "<b>"), (style.italic, "<i>"), (style.underline, "<u>")] {
        if wanted {
            html.push_str(tag);
        }
    }
    if let Some(hue) = hue(style.color) {
        let _ = write!(html, "<span class=\"{hue}\">");
    }
}

fn close(html: &mut String, open: Option<(Style, bool)>) {
    let Some((style, mark)) = open else { return };
    if hue(style.color).is_some() {
        html.push_str("</span>");
    }
    for (wanted, tag) in [(style.underline, "</u>"), (style.italic, "</i>"), (style.bold, "</b>"), (mark, "</mark>")] {
        if wanted {
            html.push_str(tag);
        }
    }
}

/// The class for a highlight colour; black and greys keep the colour of the page, which knows dark mode.
fn hue(color: Color) -> Option<&'static str> {
    let [r, g, b] = [color.r, color.g, color.b].map(i32::from);
    let strongest = r.max(g).max(b);
    if strongest - r.min(g).min(b) < 48 {
        return None;
    }
    Some(if r == strongest {
        "red"
    } else if g == strongest {
        "green"
    } else {
        "blue"
    })
}

/// Which cells of a row belong to a word to highlight, whatever its case.
fn marked(row: &[Cell], words: &[Vec<char>]) -> Vec<bool> {
    let mut marked = vec![false; row.len()];
    let text: Vec<char> = if words.is_empty() { Vec::new() } else { row.iter().map(|cell| lower(cell.text)).collect() };
    for word in words {
        for (at, found) in text.windows(word.len()).enumerate() {
            if found == word.as_slice() {
                marked[at..at + word.len()].fill(true);
            }
        }
    }
    marked
}

fn folded(word: &str) -> Vec<char> {
    word.trim().chars().map(lower).collect()
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    text.chars().for_each(|c| push_escaped(&mut html, c));
    html
}

fn push_escaped(html: &mut String, c: char) {
    match c {
        '&' => html.push_str("&amp;"),
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#39;"),
        '\n' | '\t' => html.push(' '),
        c if c.is_control() => html.push('\u{FFFD}'),
        // Marks that turn the direction of the text around them could make a document look like another one.
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => html.push('\u{FFFD}'),
        c => html.push(c),
    }
}

#[cfg(test)]
mod tests;
