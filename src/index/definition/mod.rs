//! Report definitions: how to read, cut and index one report.

use serde::{Deserialize, Serialize};

use super::value::FieldType;
use crate::decode::ReadSpec;

/// What of a report's text can be searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FullText {
    /// Nothing; only the fields.
    None,
    /// Words without positions: smaller, phrases are not found as such.
    Words,
    /// Words with positions: phrases and highlights.
    #[default]
    Phrases,
}

/// One field of a checked definition: what others than the splitter need to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldInfo {
    /// Name, as in queries: lower case, digits and `_`.
    pub name: String,
    /// Label for people, English.
    pub label: String,
    /// Label for people, Chinese, when given.
    pub label_zh: Option<String>,
    /// Its type.
    pub kind: FieldType,
    /// Collected from the transaction lines (many values in a document).
    pub transaction: bool,
    /// Keep it out of hit lists and exports for roles without the right (masking comes by role).
    pub sensitive: bool,
}

/// How a report looks on paper.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// Name of a form in `templates/forms/` drawn under each page.
    pub form: Option<String>,
    /// Pale green bars behind every other group of lines.
    pub green_bars: bool,
}

/// A report definition, parsed and checked.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its name: lower case, digits and `-`.
    pub name: String,
    /// Title of the report for people.
    pub title: String,
    /// Document kind for facets: `statement`, `invoice`, `bill`, `notice`, `report` ...
    pub kind: String,
    /// How to read the stream.
    pub read: ReadSpec,
    /// The fields, in the order that [`super::Draft::fields`] numbers them.
    pub fields: Vec<FieldInfo>,
    /// Position of the field that is the customer's account.
    pub account_field: Option<u16>,
    /// Position of the field that dates the document.
    pub date_field: Option<u16>,
    /// What of the text can be searched.
    pub full_text: FullText,
    /// How it looks on paper.
    pub paper: Paper,
    /// Retention class.
    pub retention: Option<String>,
    /// Language of the documents, BCP 47 (`en`, `zh-CN`).
    pub language: String,
    /// The TOML text it was made from, byte for byte.
    pub source: String,
}
