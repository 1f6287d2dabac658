//! What changed between two versions of a definition, in lines to read.

use std::collections::BTreeMap;

use super::Definition;

/// The differences from `a` to `b`, a line each, by the keys of the TOML text; comments and order do not count.
pub fn diff(a: &Definition, b: &Definition) -> Vec<String> {
    let (a, b) = (flat(&a.source), flat(&b.source));
    let mut lines = Vec::new();
    for (key, old) in &a {
        match b.get(key) {
            None => lines.push(format!("- {key} = {old}")),
            Some(new) if new != old => lines.push(format!("~ {key} = {new} (was {old})")),
            Some(_) => {}
        }
    }
    lines.extend(b.iter().filter(|(key, _)| !a.contains_key(*key)).map(|(key, new)| format!("+ {key} = {new}")));
    lines.sort_by(|x, y| x.get(2..).cmp(&y.get(2..)));
    lines
}

/// Every value by the keys that lead to it; members of lists of tables by their name.
fn flat(source: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    if let Ok(table) = source.parse::<toml::Table>() {
        for (key, value) in &table {
            flatten(key, value, &mut out);
        }
    }
    out
}

fn flatten(path: &str, value: &toml::Value, out: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                flatten(&format!("{path}.{key}"), value, out);
            }
        }
        toml::Value::Array(list) if list.iter().any(toml::Value::is_table) => {
            for (number, item) in list.iter().enumerate() {
                let name = item.get("name").and_then(toml::Value::as_str);
                let name = name.map_or_else(|| (number + 1).to_string(), Into::into);
                flatten(&format!("{path} {name}"), item, out);
            }
        }
        other => {
            out.insert(path.into(), other.to_string());
        }
    }
}
