//! Sheets that greenbar itself composes: a title, sections of labelled values, as many pages as it takes.
//!
//! They accompany documents (the accounting of a load, covers, manifests) and are not archived renditions. Set in the
//! standard Helvetica and Courier of PDF; a sheet with other characters than Latin ones is set in a font of this machine that
//! has Chinese, and where there is none they print as `?`.

use std::sync::OnceLock;

use printpdf::{
    BuiltinFont, Color, FontId, Mm, Op, PaintMode, ParsedFont, PdfDocument, PdfFontHandle, PdfPage, PdfSaveOptions,
    Point, Pt, Rect, Rgb, TextItem,
};

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
/// Characters of 9 point Courier (advance 5.4 points) that fit between [`VALUE_X`] and the right margin.
const VALUE_CHARS: usize = 70;
/// The pale green of the title band and of every second row.
const GREEN: (f32, f32, f32) = (0.90, 0.96, 0.90);

/// Fonts with Chinese characters, the ones with outlines that every reader takes first.
const FONTS: [&str; 3] = ["cjk.ttf", "wqy-microhei.ttc", "NotoSansCJK-Regular.ttc"];

struct Layout {
    /// The font for everything, where the standard ones do not suffice.
    font: Option<FontId>,
    pages: Vec<PdfPage>,
    ops: Vec<Op>,
    y: f32,
    shaded: bool,
}

impl Sheet {
    /// The sheet as PDF.
    pub fn pdf(&self) -> Vec<u8> {
        let mut document = PdfDocument::new(&self.title);
        let font = if self.is_latin() { None } else { font().map(|font| document.add_font(font)) };
        let mut layout = Layout { font, pages: Vec::new(), ops: Vec::new(), y: HEIGHT - MARGIN, shaded: false };
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
        layout.finish_page();
        document.with_pages(layout.pages);
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
            for (n, line) in wrap(value, VALUE_CHARS).iter().enumerate() {
                self.make_room(LEADING);
                let y = self.y;
                if self.shaded {
                    self.band(y - 4.0, LEADING);
                }
                if n == 0 {
                    self.text(MARGIN + 4.0, y, BuiltinFont::Helvetica, 9.5, label);
                }
                self.text(VALUE_X, y, BuiltinFont::Courier, 9.0, line);
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
        let ops = std::mem::take(&mut self.ops);
        self.pages.push(PdfPage::new(Mm::from(Pt(WIDTH)), Mm::from(Pt(HEIGHT)), ops));
    }

    fn band(&mut self, bottom: f32, height: f32) {
        self.ops.push(Op::SetFillColor { col: rgb(GREEN) });
        let mut rectangle = Rect::from_xywh(Pt(MARGIN), Pt(bottom), Pt(WIDTH - 2.0 * MARGIN), Pt(height));
        rectangle.mode = Some(PaintMode::Fill);
        self.ops.push(Op::DrawRectangle { rectangle });
    }

    fn text(&mut self, x: f32, y: f32, font: BuiltinFont, size: f32, text: &str) {
        let font = self.font.clone().map_or(PdfFontHandle::Builtin(font), PdfFontHandle::External);
        self.ops.extend([
            Op::SetFillColor { col: rgb((0.1, 0.1, 0.1)) },
            Op::StartTextSection,
            Op::SetFont { font, size: Pt(size) },
            Op::SetTextCursor { pos: Point { x: Pt(x), y: Pt(y) } },
            Op::ShowText { items: vec![TextItem::Text(text.to_string())] },
            Op::EndTextSection,
        ]);
    }
}

fn rgb((r, g, b): (f32, f32, f32)) -> Color {
    Color::Rgb(Rgb { r, g, b, icc_profile: None })
}

/// The font for what the standard ones have not. Reading it takes a while.
fn font() -> Option<&'static ParsedFont> {
    static FONT: OnceLock<Option<ParsedFont>> = OnceLock::new();
    FONT.get_or_init(read_font).as_ref()
}

fn read_font() -> Option<ParsedFont> {
    let folders = fontfile::system_folders();
    FONTS.iter().find_map(|name| {
        let bytes = fontfile::read(&fontfile::find(&folders, name)?)?;
        ParsedFont::from_bytes(&bytes, 0, &mut Vec::new())
    })
}

/// East Asian characters are as wide as two others.
fn cells(c: char) -> usize {
    if u32::from(c) >= 0x2E80 { 2 } else { 1 }
}

/// Cuts text into lines of at most `width` characters, at blanks where there are any; at least one line.
fn wrap(text: &str, width: usize) -> Vec<String> {
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
