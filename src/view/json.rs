//! Hits and values as JSON, the same on the command line and over HTTP.

use serde_json::{Map, Value as Json, json};

use crate::archive::Document;
use crate::index::value::{Day, FieldValue, Value};

/// A catalogue row as a line of `search --json`. `field_names` are the load's.
pub fn hit(row: &Document, kind: &str, field_names: &[String]) -> Json {
    let name = |at: &u16| field_names.get(usize::from(*at)).cloned().unwrap_or_else(|| format!("field-{at}"));
    let fields: Map<String, Json> = row.fields.iter().map(|(at, field)| (name(at), value(field))).collect();
    json!({
        "id": row.id.to_string(),
        "load": row.id.load,
        "definition": &*row.definition,
        "kind": kind,
        "title": row.title,
        "date": row.date.map(|days| Day(days).to_string()),
        "pages": row.pages,
        "account": row.account,
        "fields": fields,
    })
}

/// A field's value: text as is, dates ISO 8601, decimals as text with a point, whole numbers as numbers.
pub fn value(value: &FieldValue) -> Json {
    match value {
        FieldValue::One(one) => single(one),
        FieldValue::Many(list) => list.iter().map(single).collect(),
        FieldValue::Span(first, last) => json!({ "first": single(first), "last": single(last) }),
    }
}

fn single(value: &Value) -> Json {
    match value {
        Value::Integer(number) => json!(number),
        other => json!(other.to_string()),
    }
}
