//! JSON lines: an object on each line; members inside objects are named with points (`address.city`).

use serde_json::Value as Json;

use super::{ImportError, MOST_ROW, Record, Records, RowError, Source, line};

/// Objects inside objects that are looked into.
const DEEPEST: usize = 8;

/// The objects of a file.
pub struct Lines<'f> {
    file: &'f mut dyn Source,
    line: u64,
}

impl<'f> Lines<'f> {
    /// From its first line on.
    pub fn new(file: &'f mut dyn Source) -> Lines<'f> {
        Lines { file, line: 0 }
    }
}

impl Records for Lines<'_> {
    fn next(&mut self) -> Result<Option<Result<Record, RowError>>, ImportError> {
        let mut bytes = Vec::new();
        loop {
            if !line(self.file, &mut bytes, MOST_ROW)? {
                return Ok(None);
            }
            self.line += 1;
            if bytes.len() > MOST_ROW {
                return Err(ImportError::File { line: self.line, problem: "the row is longer than 1 MiB".into() });
            }
            let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
            if bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let wrong = |column: String, problem: String| Ok(Some(Err(RowError { line: self.line, column, problem })));
            let object = match serde_json::from_slice(bytes) {
                Ok(Json::Object(object)) => object,
                Ok(_) => return wrong(String::new(), "the line is no JSON object".into()),
                Err(error) => return wrong(error.column().to_string(), format!("the line is no JSON: {error}")),
            };
            let mut record = Record { line: self.line, values: Vec::new() };
            flatten("", Json::Object(object), 0, &mut record.values);
            return Ok(Some(Ok(record)));
        }
    }

    /// Every row has its own members.
    fn absent(&self, _: &mut dyn Iterator<Item = &str>) -> Vec<String> {
        Vec::new()
    }
}

fn flatten(name: &str, value: Json, depth: usize, out: &mut Vec<(String, String)>) {
    let value = match value {
        Json::Object(members) if depth < DEEPEST => {
            for (member, value) in members {
                let name = if name.is_empty() { member } else { format!("{name}.{member}") };
                flatten(&name, value, depth + 1, out);
            }
            return;
        }
        Json::Null => String::new(),
        Json::String(text) => text,
        Json::Array(values) => {
            let texts = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_string));
            texts.collect::<Vec<_>>().join(";")
        }
        other => other.to_string(),
    };
    out.push((name.to_string(), value));
}
