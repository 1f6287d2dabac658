//! Report definitions: how to read, cut and index one report.
//!
//! [`Definition::parse`] checks the TOML text of `indexers/*.toml` and reports every error with its place. All keys are
//! described in `docs/definitions.md`; a key is added in `build.rs` or `fields.rs` and there.

mod build;
mod compare;
mod document;
mod error;
mod fields;
mod raw;
mod reading;
mod recognise;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use compare::diff;
pub use error::{DefinitionError, DefinitionErrors};
pub use recognise::{Choice, choose, fits_glob};

use super::date::DateFormat;
use super::rule::{FieldRule, Rules, Sight, Source, TitlePart};
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

/// How the archive keeps a report's bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// In rows, as they came: takes the least time.
    #[default]
    Fast,
    /// Line data sorted into columns where that makes it smaller, each block proven when it is written.
    Small,
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
    /// The same in Chinese, when given.
    pub title_zh: Option<String>,
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
    /// Position of the field with the amount that people look for first.
    pub amount_field: Option<u16>,
    /// The currency of that amount, by its code of ISO 4217, when given.
    pub currency: Option<String>,
    /// Position of the field that says when the amount is due.
    pub due_field: Option<u16>,
    /// Positions of the fields that are asked when somebody enrols for the portal.
    pub enrol_fields: Vec<u16>,
    /// What of the text can be searched.
    pub full_text: FullText,
    /// How its bytes are kept.
    pub compression: Compression,
    /// How it looks on paper.
    pub paper: Paper,
    /// Retention class.
    pub retention: Option<String>,
    /// Language of the documents, BCP 47 (`en`, `zh-CN`).
    pub language: String,
    /// Roles that may see the documents; empty: every role that sees documents at all.
    pub visible_to: Vec<String>,
    /// Fields that are shown in part only to roles without the right.
    pub masks: Vec<Mask>,
    /// The TOML text it was made from, byte for byte.
    pub source: String,
    /// What only the splitter needs.
    pub(crate) rules: Rules,
}

/// Shows only the ends of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mask {
    /// Which values.
    pub what: Masked,
    /// Characters shown at the start.
    pub keep_first: u16,
    /// Characters shown at the end.
    pub keep_last: u16,
    /// What stands for each of the others.
    pub with: char,
    /// Roles that see the value whole; empty: those with the permission `document.unmask`.
    pub clear: Vec<String>,
}

/// What a mask is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Masked {
    /// The value of the field at this position, wherever it is printed.
    Field(u16),
    /// Printed text that matches a regular expression (its first group, when it has one), within a line.
    Pattern(String),
}

impl Mask {
    /// The value as somebody without the right sees it: letters and digits replaced, other signs kept. A value that is
    /// not longer than what would be shown is hidden whole.
    pub fn apply(&self, value: &str) -> String {
        let hidden = self.hidden(value);
        value.chars().zip(hidden).map(|(ch, hidden)| if hidden { self.with } else { ch }).collect()
    }

    /// Which characters of a value are replaced.
    pub fn hidden(&self, value: &str) -> Vec<bool> {
        let count = value.chars().count();
        let (first, last) = (usize::from(self.keep_first), usize::from(self.keep_last));
        let (first, last) = if first + last >= count { (0, 0) } else { (first, last) };
        let hidden = |(at, ch): (usize, char)| at >= first && at < count - last && ch.is_alphanumeric();
        value.chars().enumerate().map(hidden).collect()
    }
}

/// A field that some see only in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedField {
    /// The definition that says so.
    pub definition: String,
    /// The field; `account` where that is the document's account, `date` and `year` where it is its date.
    pub field: String,
    /// Roles that see it whole; empty: those with the permission.
    pub clear: Vec<String>,
    /// It is not masked but sensitive: kept out of what is searched for those without that right.
    pub sensitive: bool,
}

/// Name of the definition for streams that no other definition recognises.
pub const UNIDENTIFIED: &str = "unidentified";
/// Name of the definition for the manifests of runs: whoever may not read distributions sees no document of it.
pub const MANIFEST: &str = "distribution-manifest";

impl Definition {
    /// A definition that every archive has.
    pub fn built_in(name: &str) -> Option<Definition> {
        match name {
            UNIDENTIFIED => Some(Definition::whole()),
            MANIFEST => Some(Definition::manifest()),
            _ => None,
        }
    }

    /// The definition for the manifests of runs.
    fn manifest() -> Definition {
        Definition {
            name: MANIFEST.into(),
            title: "Manifest of a run".into(),
            title_zh: Some("分发清单".into()),
            ..Definition::whole()
        }
    }

    /// The definition for streams that have none: the stream is one document with the file's name for a title, its
    /// text searchable.
    pub fn whole() -> Definition {
        Definition {
            name: UNIDENTIFIED.into(),
            title: "Unidentified report".into(),
            title_zh: Some("未识别的报表".into()),
            kind: "report".into(),
            read: ReadSpec::default(),
            fields: Vec::new(),
            account_field: None,
            date_field: None,
            amount_field: None,
            currency: None,
            due_field: None,
            enrol_fields: Vec::new(),
            full_text: FullText::Phrases,
            compression: Compression::Fast,
            paper: Paper::default(),
            retention: None,
            language: "en".into(),
            visible_to: Vec::new(),
            masks: Vec::new(),
            source: String::new(),
            rules: Rules { title: vec![TitlePart::File], ..Rules::default() },
        }
    }

    /// How the field at a position prints its days; none when it is no date.
    pub fn dates_of(&self, field: u16) -> &[DateFormat] {
        self.rules.fields.get(usize::from(field)).map_or(&[], |rule| &rule.typing.dates)
    }

    /// Whether the text of pages is looked at when a stream is cut; otherwise tags and page groups say everything.
    pub fn wants_text(&self) -> bool {
        let rules = &self.rules;
        let of_text =
            |rule: &FieldRule| rule.source.counts() || matches!(rule.source, Source::Place(_) | Source::Region(_));
        rules.triggers.iter().any(|rule| !matches!(rule.condition.sight, Sight::Tag(_)))
            || !rules.excludes.is_empty()
            || rules.fields.iter().any(of_text)
    }

    /// The fields that it masks, by name.
    pub fn masked_fields(&self) -> Vec<MaskedField> {
        let mut fields = Vec::new();
        for mask in &self.masks {
            let Masked::Field(number) = mask.what else { continue };
            let (definition, clear) = (&self.name, &mask.clear);
            let of = |field: &str| MaskedField {
                definition: definition.clone(),
                field: field.into(),
                clear: clear.clone(),
                sensitive: false,
            };
            fields.push(of(self.field_name(usize::from(number))));
            if self.account_field == Some(number) {
                fields.push(of("account"));
            }
            if self.date_field == Some(number) {
                fields.extend(["date", "year"].map(of));
            }
        }
        for field in self.sensitive_fields() {
            let (definition, field) = (self.name.clone(), field.name.clone());
            fields.push(MaskedField { definition, field, clear: Vec::new(), sensitive: true });
        }
        fields
    }

    /// The fields that are kept out of lists and files for programs for those without the right. A document's own account and
    /// date are what lists are made of: those are masked, or not at all.
    pub fn sensitive_fields(&self) -> impl Iterator<Item = &FieldInfo> {
        let own = [self.account_field, self.date_field];
        let fields =
            (0..).zip(&self.fields).filter(move |(number, field)| field.sensitive && !own.contains(&Some(*number)));
        fields.map(|(_, field)| field)
    }

    /// Whether the title of documents is made of this field among others.
    pub fn is_in_title(&self, name: &str) -> bool {
        let is = |part: &TitlePart| matches!(part, TitlePart::Field(number) if self.field_name(*number) == name);
        self.rules.title.iter().any(is)
    }

    /// Name of field `number`, or nothing.
    pub(crate) fn field_name(&self, number: usize) -> &str {
        self.fields.get(number).map_or("", |field| field.name.as_str())
    }
}
