//! The columns of a hit list: those that every document has, and the fields of the definitions found.

use minijinja::{Value, context};

use super::links::Links;
use super::{Language, shown};
use crate::index::value::{FieldValue, Value as Field};
use crate::serve::backend::{DocumentView, HitView};

/// Names a column in the address; may stand several times.
pub const PARAMETER: &str = "col";
/// Columns that every list can have.
const COMMON: [&str; 7] = ["date", "title", "account", "amount", "report", "kind", "pages"];
/// Shown when none were asked for.
const USUAL: [&str; 6] = ["date", "title", "account", "amount", "report", "pages"];
/// Columns that may be asked for.
const MOST: usize = 24;

/// A column that a list may have.
pub struct Column {
    name: String,
    label: String,
    number: bool,
    /// Whether it is shown.
    pub chosen: bool,
}

/// The columns that an address asks for, and the address without them and without what the page is to say.
pub fn asked(query_string: &str) -> (Vec<String>, String) {
    let prefix = format!("{PARAMETER}=");
    let pairs = query_string.split('&').filter(|pair| !pair.starts_with("said="));
    let (named, rest): (Vec<&str>, Vec<&str>) = pairs.partition(|pair| pair.starts_with(&prefix));
    let plain = |name: &&str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let mut columns: Vec<String> = Vec::new();
    for name in named.iter().filter_map(|pair| pair.strip_prefix(&prefix)).filter(plain).filter(|name| !name.is_empty())
    {
        if columns.len() < MOST && !columns.iter().any(|known| known == name) {
            columns.push(name.to_string());
        }
    }
    (columns, rest.join("&"))
}

/// Every column that the documents found can show.
pub fn choices(hits: &[HitView], wanted: &[String], language: Language) -> Vec<Column> {
    let is_chosen = |name: &str| {
        // A list without titles could not be opened.
        name == "title" || if wanted.is_empty() { USUAL.contains(&name) } else { wanted.iter().any(|w| w == name) }
    };
    let common = COMMON.iter().map(|name| Column {
        name: name.to_string(),
        label: language.word(name),
        number: matches!(*name, "amount" | "pages"),
        chosen: is_chosen(name),
    });
    let mut columns: Vec<Column> = common.collect();
    for field in hits.iter().flat_map(|hit| &hit.document.fields).filter(|field| !field.sensitive) {
        if columns.len() < COMMON.len() + MOST && !columns.iter().any(|column| column.name == field.name) {
            columns.push(Column {
                name: field.name.clone(),
                label: shown::label(field, language).to_string(),
                number: matches!(field.value, FieldValue::One(Field::Decimal(_) | Field::Integer(_))),
                chosen: is_chosen(&field.name),
            });
        }
    }
    columns
}

impl Column {
    /// For the menu of columns.
    pub fn choice(&self) -> Value {
        context! { name => self.name.as_str(), label => self.label.as_str(), chosen => self.chosen }
    }

    /// For the head of the table; what can be sorted by links to it.
    pub fn head(&self, sort: &str, links: &Links<'_>) -> Value {
        let sorted = match (self.name.as_str(), sort) {
            ("date", "newest") => "descending",
            ("date", "oldest") => "ascending",
            _ => "",
        };
        let link = match (self.name.as_str(), sort) {
            ("date", "newest") => links.with(&[("sort", "oldest")]),
            ("date", _) => links.with(&[("sort", "")]),
            _ => String::new(),
        };
        context! { label => self.label.as_str(), number => self.number, sorted, link }
    }

    /// A document's cell.
    pub fn cell(&self, document: &DocumentView, language: Language) -> Value {
        let text = match self.name.as_str() {
            "date" => document.date.map(|day| shown::day(day, language)).unwrap_or_default(),
            "title" => document.title.clone(),
            "account" => document.account.clone().unwrap_or_default(),
            "amount" => shown::amount(document, language).unwrap_or_default(),
            "report" => shown::report_of(document, language).to_string(),
            "kind" => shown::kind(&document.kind, language),
            "pages" => shown::grouped(&document.pages.to_string()),
            name => {
                let field = document.fields.iter().find(|field| field.name == name && !field.sensitive);
                field.map(|field| shown::text(field, language)).unwrap_or_default()
            }
        };
        context! { name => self.name.as_str(), text, number => self.number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_taken_out_of_the_address() {
        let (columns, rest) = asked("q=a&col=date&col=name&sort=oldest&col=date&col=%3Cb%3E&col=");
        assert_eq!(columns, ["date", "name"]);
        assert_eq!(rest, "q=a&sort=oldest");
        assert_eq!(asked(""), (Vec::new(), String::new()));
    }

    #[test]
    fn a_list_always_shows_titles() {
        let shown = |wanted: &[String]| {
            let columns = choices(&[], wanted, Language::English);
            columns.into_iter().filter(|column| column.chosen).map(|column| column.name).collect::<Vec<_>>()
        };
        assert_eq!(shown(&[]), USUAL);
        assert_eq!(shown(&["pages".into(), "none".into()]), ["title", "pages"]);
    }
}
