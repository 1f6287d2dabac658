//! CSV (RFC 4180, UTF-8): the fields in one row under their names, then the transaction lines.
//!
//! Spreadsheets run cells that start with `=`, `+`, `-`, `@`, tab or carriage return as formulas; such a cell gets a
//! leading apostrophe, unless it is a plain number (OWASP, "CSV Injection").

use std::io::Write;

use super::{DocumentInfo, Pages, RenderError, RenderOptions, Rendered, Renderer};

/// The CSV rendition.
#[derive(Debug)]
pub struct Csv;

impl Renderer for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn media_type(&self) -> &'static str {
        "text/csv; charset=utf-8; header=present"
    }

    fn extension(&self) -> &'static str {
        "csv"
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
        _pages: &mut dyn Pages,
        _how: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<Rendered, RenderError> {
        let mut text = String::new();
        // All fields of the definition, so that the files of one report line up.
        let value = |name: &String| info.fields.iter().find(|field| field.name == *name).map(|field| &field.value);
        row(&mut text, info.field_names.iter().map(String::as_str));
        row(&mut text, info.field_names.iter().map(|name| value(name).map_or("", String::as_str)));
        if let Some(table) = &info.table {
            text.push_str("\r\n");
            row(&mut text, table.columns.iter().map(String::as_str));
            for cells in &table.rows {
                row(&mut text, cells.iter().map(String::as_str));
            }
        }
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(Rendered::default())
    }
}

/// Adds a row: every CSV that greenbar writes is made of these.
pub fn row<'t>(text: &mut String, cells: impl Iterator<Item = &'t str>) {
    for (number, cell) in cells.enumerate() {
        if number > 0 {
            text.push(',');
        }
        let guard = if is_formula(cell) { "'" } else { "" };
        if cell.contains(['"', ',', '\r', '\n']) {
            text.push('"');
            text.push_str(guard);
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(guard);
            text.push_str(cell);
        }
    }
    text.push_str("\r\n");
}

fn is_formula(cell: &str) -> bool {
    let number = || {
        let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
        digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',')
    };
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'])
        && !number()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn fields_come_first_then_the_transactions() {
        let mut info = sample::info();
        info.field_names.insert(1, "branch".into());
        let (bytes, _) = sample::render("csv", &info, Vec::new(), &RenderOptions::default());
        let expected = "account,branch,balance\r\n\
                        8618-2565-747469,,-4629.11\r\n\
                        \r\n\
                        date,text,amount\r\n\
                        2024-03-01,'=SUM(A1),-466.47\r\n\
                        2024-03-02,\"\u{8D26}\u{5355}, \"\"quoted\"\"\",12.00\r\n";
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    #[test]
    fn rows_are_quoted_where_they_must_be_and_start_no_formula() {
        let mut text = String::new();
        row(&mut text, ["plain", "a,\"b\"", "=1+1", "=1+1 \"x\"", "两\n行", "-12.50"].into_iter());
        assert_eq!(text, "plain,\"a,\"\"b\"\"\",'=1+1,\"'=1+1 \"\"x\"\"\",\"两\n行\",-12.50\r\n");
    }

    #[test]
    fn only_formulas_are_guarded() {
        for cell in ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(A1)", "\tx", "-"] {
            assert!(is_formula(cell), "{cell}");
        }
        for cell in ["-466.47", "+12", "1,234.56", "", "text", "8618-2565"] {
            assert!(!is_formula(cell), "{cell}");
        }
    }
}
