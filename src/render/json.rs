//! JSON: what is known of the document, and its pages as rows of text.

use std::io::Write;

use serde::Serialize;

use super::{DocumentInfo, Pages, RenderError, RenderOptions, Rendered, Renderer};
use crate::index::value::Day;
use crate::page::grid::Grid;

/// The JSON rendition.
#[derive(Debug)]
pub struct Json;

#[derive(Serialize)]
struct Head<'d> {
    id: &'d str,
    title: &'d str,
    author: &'d str,
    kind: &'d str,
    date: Option<String>,
    language: &'d str,
    fields: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<Rows<'d>>,
}

#[derive(Serialize)]
struct Rows<'d> {
    columns: &'d [String],
    rows: &'d [Vec<String>],
}

#[derive(Serialize)]
struct Sheet {
    page: u32,
    rows: Vec<String>,
}

impl Renderer for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn media_type(&self) -> &'static str {
        "application/json"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn is_for_programs(&self) -> bool {
        true
    }

    fn wants_table(&self) -> bool {
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
        // The head without its closing brace, then the pages one by one: a long document is never whole in memory.
        let head = serde_json::to_string(&head(info)).map_err(std::io::Error::other)?;
        out.write_all(head.strip_suffix('}').unwrap_or(&head).as_bytes())?;
        out.write_all(b",\"pages\":[")?;
        let first = range.start;
        for number in range {
            let rows = Grid::of(&pages.get(number)?).rows.iter().map(|row| Grid::row_text(row)).collect();
            let sheet = serde_json::to_vec(&Sheet { page: number + 1, rows }).map_err(std::io::Error::other)?;
            out.write_all(if number > first { b",\n" } else { b"\n" })?;
            out.write_all(&sheet)?;
        }
        out.write_all(b"]}\n")?;
        out.flush()?;
        Ok(Rendered::default())
    }
}

fn head(info: &DocumentInfo) -> Head<'_> {
    let fields = info.fields.iter().map(|field| (field.name.clone(), field.data.clone())).collect();
    let table = info.table.as_ref().map(|table| Rows { columns: &table.columns, rows: &table.rows });
    Head {
        id: &info.id,
        title: &info.title,
        author: &info.author,
        kind: &info.kind,
        date: info.date.map(|date| Day(date).to_string()),
        language: &info.language,
        fields,
        table,
    }
}

#[cfg(test)]
mod tests {
    use crate::render::{RenderOptions, sample};

    #[test]
    fn fields_table_and_rows_come_back() {
        let pages = vec![sample::page(&["A \"quoted\" \\ line", "\u{8D26}\u{5355}"]), sample::page(&[])];
        let mut info = sample::info();
        info.fields[0].data = serde_json::json!(["4711", 12]);
        let (bytes, _) = sample::render("json", &info, pages, &RenderOptions::default());
        let json: serde_json::Value = serde_json::from_slice(&bytes).expect("valid JSON");
        assert_eq!(json["date"], "2024-03-31");
        assert_eq!(json["fields"]["balance"], "-4629.11");
        assert_eq!(json["fields"]["account"], serde_json::json!(["4711", 12]));
        assert_eq!(json["table"]["rows"][1][2], "12.00");
        assert_eq!(json["pages"][0]["rows"][1], "\u{8D26}\u{5355}");
        assert_eq!(json["pages"][1]["page"], 2);
    }
}
