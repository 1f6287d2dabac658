//! Pages and documents for the tests of this folder.

use crate::page::Page;
pub use crate::page::sample::{everything, overlay, page, statement};
use crate::render::{DocumentInfo, FieldText, Pages, RenderError, Table};

/// Pages that lie in memory.
pub struct Stack(pub Vec<Page>);

impl Pages for Stack {
    fn count(&self) -> u32 {
        self.0.len() as u32
    }

    fn get(&mut self, number: u32) -> Result<Page, RenderError> {
        let pages = self.count();
        self.0.get(number as usize).cloned().ok_or(RenderError::NoPage { page: number + 1, pages })
    }
}

/// A document's description with fields and a table.
pub fn info() -> DocumentInfo {
    let field = |name: &str, label: &str, value: &str| FieldText {
        name: name.into(),
        label: label.into(),
        value: value.into(),
        written: crate::index::written::cell(value, false),
        data: value.into(),
    };
    DocumentInfo {
        id: "7-123".into(),
        title: "Statement 8618 <March> & \"more\"".into(),
        author: "First Cascade Bank".into(),
        kind: "statement".into(),
        date: Some(19_813),
        language: "en".into(),
        fields: vec![field("account", "Account", "8618-2565-747469"), field("balance", "Balance", "-4629.11")],
        field_names: vec!["account".into(), "balance".into()],
        table: Some(Table {
            labels: Vec::new(),
            columns: vec!["date".into(), "text".into(), "amount".into()],
            rows: vec![
                vec!["2024-03-01".into(), "=SUM(A1)".into(), "-466.47".into()],
                vec!["2024-03-02".into(), "\u{8D26}\u{5355}, \"quoted\"".into(), "12.00".into()],
            ],
        }),
        ..DocumentInfo::default()
    }
}

/// Renders to bytes.
pub fn render(
    format: &str,
    info: &DocumentInfo,
    pages: Vec<Page>,
    how: &super::RenderOptions,
) -> (Vec<u8>, super::Rendered) {
    let renderer = super::renderer(format).expect("a known rendition");
    let mut bytes = Vec::new();
    let rendered = renderer.render(info, &mut Stack(pages), how, &mut bytes).expect(format);
    (bytes, rendered)
}
