//! CSV (RFC 4180) with a header row; the separator is found from it, quoted fields may hold line ends.

use super::{ImportError, MOST_ROW, Mapping, Record, Records, RowError, Source, line};

/// The rows of a CSV file.
pub struct Rows<'f> {
    file: &'f mut dyn Source,
    header: Vec<String>,
    separator: char,
    /// Lines read so far.
    line: u64,
}

/// Why a row cannot be cut into fields: field number from 1, problem.
type Broken = (usize, &'static str);

impl<'f> Rows<'f> {
    /// Reads the header, which must have the column with the key of its rows; others may be missing.
    pub fn new(file: &'f mut dyn Source, mapping: &Mapping) -> Result<Rows<'f>, ImportError> {
        let mut rows = Rows { file, header: Vec::new(), separator: ',', line: 0 };
        let Some(text) = rows.text()? else {
            return Err(ImportError::File { line: 1, problem: "the file is empty".into() });
        };
        let text = text.map_err(|problem| ImportError::File { line: 1, problem: problem.into() })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let count = |separator: char| text.matches(separator).count();
        let best = [',', ';', '\t', '|'].into_iter().max_by_key(|separator| (count(*separator), *separator == ','));
        rows.separator = best.unwrap_or(',');
        let header = fields(text, rows.separator);
        let header = header.map_err(|(_, problem)| ImportError::File { line: 1, problem: problem.into() })?;
        rows.header = header.iter().map(|name| name.trim().to_string()).collect();
        for (at, name) in rows.header.iter().enumerate() {
            if !name.is_empty() && rows.header.iter().take(at).any(|other| other == name) {
                let problem = format!("two columns have the name {name:?}");
                return Err(ImportError::File { line: 1, problem });
            }
        }
        let key = mapping.key_column();
        if !rows.header.iter().any(|known| known == key) {
            let problem = format!("the file does not have the column {key:?}, by which its rows are known again");
            return Err(ImportError::File { line: 1, problem });
        }
        Ok(rows)
    }

    /// The text of the next row, over as many lines as its quotes span.
    fn text(&mut self) -> Result<Option<Result<String, &'static str>>, ImportError> {
        let (mut row, mut part) = (Vec::new(), Vec::new());
        loop {
            if !line(self.file, &mut part, MOST_ROW)? {
                if row.is_empty() {
                    return Ok(None);
                }
                return Ok(Some(Err("a quote is never closed")));
            }
            self.line += 1;
            if !row.is_empty() {
                row.push(b'\n');
            }
            row.extend_from_slice(&part);
            if row.len() > MOST_ROW {
                return Err(ImportError::File { line: self.line, problem: "the row is longer than 1 MiB".into() });
            }
            if row.iter().filter(|byte| **byte == b'"').count() % 2 == 0 {
                break;
            }
        }
        if row.last() == Some(&b'\r') {
            row.pop();
        }
        Ok(Some(String::from_utf8(row).map_err(|_| "the row is not UTF-8")))
    }
}

impl Records for Rows<'_> {
    fn next(&mut self) -> Result<Option<Result<Record, RowError>>, ImportError> {
        loop {
            let begins = self.line + 1;
            let Some(text) = self.text()? else { return Ok(None) };
            let wrong = |column: String, problem: &str| RowError { line: begins, column, problem: problem.into() };
            let text = match text {
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => text,
                Err(problem) => return Ok(Some(Err(wrong(String::new(), problem)))),
            };
            let values = match fields(&text, self.separator) {
                Ok(values) => values,
                Err((field, problem)) => {
                    let column = self.header.get(field - 1).cloned().unwrap_or_else(|| field.to_string());
                    return Ok(Some(Err(wrong(column, problem))));
                }
            };
            if values.len() != self.header.len() {
                let problem = format!("the row has {} fields, the header {}", values.len(), self.header.len());
                return Ok(Some(Err(wrong(String::new(), &problem))));
            }
            let values = self.header.iter().cloned().zip(values).collect();
            return Ok(Some(Ok(Record { line: begins, values })));
        }
    }

    fn absent(&self, columns: &mut dyn Iterator<Item = &str>) -> Vec<String> {
        columns.filter(|name| !self.header.iter().any(|known| known == name)).map(str::to_string).collect()
    }
}

/// Cuts a row into its fields.
fn fields(text: &str, separator: char) -> Result<Vec<String>, Broken> {
    let mut all = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        let mut field = String::new();
        if chars.peek() == Some(&'"') {
            chars.next();
            loop {
                match chars.next() {
                    Some('"') if chars.peek() == Some(&'"') => {
                        chars.next();
                        field.push('"');
                    }
                    Some('"') => break,
                    Some(c) => field.push(c),
                    None => return Err((all.len() + 1, "a quote is never closed")),
                }
            }
            match chars.peek() {
                None => {}
                Some(c) if *c == separator => {}
                Some(_) => return Err((all.len() + 1, "something stands behind the closing quote")),
            }
        } else {
            while let Some(c) = chars.next_if(|c| *c != separator) {
                if c == '"' {
                    return Err((all.len() + 1, "a quote stands within a field that has none at its start"));
                }
                field.push(c);
            }
        }
        all.push(field);
        if chars.next().is_none() {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_cut_as_the_rfc_has_it() {
        let cut = |text| fields(text, ',').expect("sound");
        assert_eq!(cut("a,b,,"), ["a", "b", "", ""]);
        assert_eq!(cut("\"a,\"\"b\"\"\n2\",c"), ["a,\"b\"\n2", "c"]);
        assert_eq!(cut(""), [""]);
        assert_eq!(fields("a,\"b", ','), Err((2, "a quote is never closed")));
        assert_eq!(fields("a,\"b\"c", ',').map_err(|broken| broken.0), Err(2));
    }

    proptest! {
        #[test]
        fn what_is_quoted_reads_back(values in prop::collection::vec("[a-z\",\n ]{0,8}", 1..6)) {
            let text: Vec<String> = values.iter().map(|value| format!("\"{}\"", value.replace('"', "\"\""))).collect();
            prop_assert_eq!(fields(&text.join(";"), ';'), Ok(values));
        }
    }
}
