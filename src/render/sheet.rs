//! Sheets that greenbar itself composes: a title, sections of labelled values, as many pages as it takes.
//!
//! They accompany documents (the accounting of a load, covers, manifests) and are not archived renditions. Set in the
//! standard Helvetica and Courier of PDF, which makes them small; a sheet with other characters than Latin ones is composed as
//! documents are, with the fonts of this machine cut down to what it uses.

use printpdf::{
    BuiltinFont, Color, Mm, Op, PaintMode, PdfDocument, PdfFontHandle, PdfPage, PdfSaveOptions, Point, Pt, Rect, Rgb,
    TextItem,
};

use super::composed::Canvas;
use crate::page::grid::cells_of;
use crate::page::{self, Face, Family};

/// A sheet to compose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Large, on the first page.
    pub title: String,
    /// One sentence under the title.
    pub lead: String,
    /// What follows.
    pub sections: Vec<Section>,
}

/// A heading with labelled values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// Label and value; a long value continues on further lines.
    pub rows: Vec<(String, String)>,
}

/// US Letter, in points.
const WIDTH: f32 = 612.0;
const HEIGHT: f32 = 792.0;
/// White space at all edges.
const MARGIN: f32 = 54.0;
/// From one line of values to the next.
const LEADING: f32 = 15.0;
/// Where values start.
const VALUE_X: f32 = 180.0;
/// Characters of 9.5 point Helvetica that fit before [`VALUE_X`]: digits and most small letters are 5.3 points wide.
const LABEL_CHARS: usize = 22;
/// Characters of 9 point Courier (advance 5.4 points) that fit between [`VALUE_X`] and the right margin.
const VALUE_CHARS: usize = 70;
/// The pale green of the title band and of every second row.
const GREEN: (u8, u8, u8) = (230, 245, 230);

struct Layout {
    paper: Paper,
    y: f32,
    shaded: bool,
}

/// What a sheet is written on.
enum Paper {
    /// In the standard fonts of PDF.
    Standard { pages: Vec<PdfPage>, ops: Vec<Op> },
    /// In fonts of this machine.
    Composed(Canvas),
}

impl Sheet {
    /// The sheet as PDF.
    pub fn pdf(&self) -> Vec<u8> {
        let standard = || Paper::Standard { pages: Vec::new(), ops: Vec::new() };
        let written = match self.is_latin() {
            true => self.write(standard()),
            false => self.write(Paper::Composed(Canvas::new(WIDTH.into(), HEIGHT.into()))),
        };
        match written {
            Paper::Standard { pages, .. } => self.saved(pages),
            // Chinese is the only other language that greenbar speaks.
            Paper::Composed(canvas) => canvas.pdf(&self.title, "", "zh-CN").unwrap_or_else(|_| {
                let Paper::Standard { pages, .. } = self.write(standard()) else { return Vec::new() };
                self.saved(pages)
            }),
        }
    }

    fn write(&self, paper: Paper) -> Paper {
        let mut layout = Layout { paper, y: HEIGHT - MARGIN, shaded: false };
        layout.band(HEIGHT - MARGIN - 30.0, 44.0);
        layout.text(MARGIN + 8.0, HEIGHT - MARGIN - 14.0, BuiltinFont::HelveticaBold, 18.0, &self.title);
        layout.y = HEIGHT - MARGIN - 52.0;
        for line in wrap(&self.lead, 95) {
            let y = layout.y;
            layout.text(MARGIN, y, BuiltinFont::Helvetica, 10.0, &line);
            layout.y -= LEADING;
        }
        for section in &self.sections {
            layout.section(section);
        }
        if let Paper::Standard { .. } = layout.paper {
            layout.finish_page();
        }
        layout.paper
    }

    fn saved(&self, pages: Vec<PdfPage>) -> Vec<u8> {
        let mut document = PdfDocument::new(&self.title);
        document.with_pages(pages);
        document.save(&PdfSaveOptions::default(), &mut Vec::new())
    }

    /// Whether the standard fonts have its characters.
    fn is_latin(&self) -> bool {
        let rows = self.sections.iter().flat_map(|section| &section.rows);
        let texts =
            rows.flat_map(|(label, value)| [label, value]).chain(self.sections.iter().map(|part| &part.heading));
        texts.chain([&self.title, &self.lead]).flat_map(|text| text.chars()).all(|c| c <= '\u{ff}')
    }
}

impl Layout {
    fn section(&mut self, section: &Section) {
        self.y -= LEADING;
        self.make_room(3.0 * LEADING);
        let y = self.y;
        self.text(MARGIN, y, BuiltinFont::HelveticaBold, 12.0, &section.heading);
        self.y -= LEADING + 3.0;
        self.shaded = false;
        for (label, value) in &section.rows {
            let (labels, values) = (wrap(label, LABEL_CHARS), wrap(value, VALUE_CHARS));
            for n in 0..labels.len().max(values.len()) {
                self.make_room(LEADING);
                let y = self.y;
                if self.shaded {
                    self.band(y - 4.0, LEADING);
                }
                if let Some(line) = labels.get(n) {
                    self.text(MARGIN + 4.0, y, BuiltinFont::Helvetica, 9.5, line);
                }
                if let Some(line) = values.get(n) {
                    self.text(VALUE_X, y, BuiltinFont::Courier, 9.0, line);
                }
                self.y -= LEADING;
            }
            self.shaded = !self.shaded;
        }
    }

    fn make_room(&mut self, height: f32) {
        if self.y - height < MARGIN {
            self.finish_page();
            self.y = HEIGHT - MARGIN;
        }
    }

    fn finish_page(&mut self) {
        match &mut self.paper {
            Paper::Standard { pages, ops } => {
                pages.push(PdfPage::new(Mm::from(Pt(WIDTH)), Mm::from(Pt(HEIGHT)), std::mem::take(ops)));
            }
            Paper::Composed(canvas) => canvas.next_page(),
        }
    }

    fn band(&mut self, bottom: f32, height: f32) {
        let width = WIDTH - 2.0 * MARGIN;
        match &mut self.paper {
            Paper::Standard { ops, .. } => {
                let (r, g, b) = GREEN;
                let (r, g, b) = (f32::from(r) / 255.0, f32::from(g) / 255.0, f32::from(b) / 255.0);
                ops.push(Op::SetFillColor { col: rgb(r, g, b) });
                let mut rectangle = Rect::from_xywh(Pt(MARGIN), Pt(bottom), Pt(width), Pt(height));
                rectangle.mode = Some(PaintMode::Fill);
                ops.push(Op::DrawRectangle { rectangle });
            }
            Paper::Composed(canvas) => {
                let (r, g, b) = GREEN;
                canvas.band((MARGIN.into(), bottom.into()), (width.into(), height.into()), page::Color { r, g, b });
            }
        }
    }

    fn text(&mut self, x: f32, y: f32, font: BuiltinFont, size: f32, text: &str) {
        match &mut self.paper {
            Paper::Standard { ops, .. } => ops.extend([
                Op::SetFillColor { col: rgb(0.1, 0.1, 0.1) },
                Op::StartTextSection,
                Op::SetFont { font: PdfFontHandle::Builtin(font), size: Pt(size) },
                Op::SetTextCursor { pos: Point { x: Pt(x), y: Pt(y) } },
                Op::ShowText { items: vec![TextItem::Text(text.to_string())] },
                Op::EndTextSection,
            ]),
            Paper::Composed(canvas) => {
                let family = if font == BuiltinFont::Courier { Family::Mono } else { Family::Sans };
                let face = Face { family, bold: font == BuiltinFont::HelveticaBold, italic: false };
                canvas.text((x.into(), y.into()), face, size.into(), text);
            }
        }
    }
}

fn rgb(r: f32, g: f32, b: f32) -> Color {
    Color::Rgb(Rgb { r, g, b, icc_profile: None })
}

/// Cuts text into lines of at most `width` cells, at blanks where there are any; at least one line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let cells = |c: char| usize::from(cells_of(c));
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let wide: usize = word.chars().map(cells).sum();
        if used > 0 && used + 1 + wide > width {
            lines.push(String::new());
            used = 0;
        }
        let blank = if used > 0 { Some(' ') } else { None };
        for c in blank.into_iter().chain(word.chars()) {
            if used + cells(c) > width {
                lines.push(String::new());
                used = 0;
            }
            used += cells(c);
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_wrap_at_blanks_and_long_words_are_cut() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn a_chinese_sheet_is_set_in_fonts_cut_down_to_what_it_uses() {
        let rows = (0..60).map(|n| (format!("第 {n} 页"), "大湖互助银行对账单".to_string())).collect();
        let sheet = Sheet {
            title: "封面".into(),
            lead: "随附文件".into(),
            sections: vec![Section { heading: "目录".into(), rows }],
        };
        let pdf = sheet.pdf();
        assert!(pdf.len() < 100_000, "{} bytes", pdf.len());
        let document = lopdf::Document::load_mem(&pdf).expect("a readable PDF");
        let pages: Vec<u32> = document.get_pages().keys().copied().collect();
        assert_eq!(pages.len(), 2);
    }

    #[test]
    fn a_sheet_takes_as_many_pages_as_it_needs_and_its_text_can_be_read() {
        let rows = (0..100).map(|n| (format!("row {n}"), format!("value {n}"))).collect();
        let sheet = Sheet {
            title: "Accounting of load 7".into(),
            lead: "Everything that came in is accounted for.".into(),
            sections: vec![Section { heading: "Pages".into(), rows }],
        };
        let document = lopdf::Document::load_mem(&sheet.pdf()).expect("a readable PDF");
        let pages: Vec<u32> = document.get_pages().keys().copied().collect();
        assert_eq!(pages.len(), 3);
        let text = document.extract_text(&pages).expect("text");
        assert!(text.contains("Accounting of load 7") && text.contains("value 99"), "{text}");
    }
}
