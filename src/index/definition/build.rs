//! From TOML tables to a checked [`Definition`]; `[read]` is in `reading.rs`, `[document]` in `document.rs`, fields and tables in `fields.rs`.

use regex::Regex;
use toml::de::DeTable;

use super::document::document;
use super::error::DefinitionErrors;
use super::fields::{FIELD_KEYS, TABLE_KEYS, field, table};
use super::raw::{At, Faults, Section};
use super::reading::read;
use super::{Compression, Definition, FieldInfo, FullText, Mask, Masked, Paper};
use crate::index::rule::{
    ColumnRange, Condition, ExcludeRule, ExcludeTest, Recognise, RowRange, Rules, Sight, Test, TriggerRule,
};

const TOP_KEYS: &[&str] = &[
    "name",
    "title",
    "title_zh",
    "kind",
    "language",
    "retention",
    "full_text",
    "compression",
    "visible_to",
    "read",
    "recognise",
    "trigger",
    "document",
    "field",
    "table",
    "exclude",
    "paper",
    "mask",
    "mask_pattern",
    // What it says is read by who sends documents out.
    "distribution",
];
const MASK_KEYS: &[&str] = &["keep_first", "keep_last", "with", "clear"];
const RECOGNISE_KEYS: &[&str] = &["queue", "file", "signature", "pages"];
const TRIGGER_KEYS: &[&str] =
    &["name", "trigger", "row", "column", "region", "tag", "text", "regex", "mask", "printed", "absent", "upwards"];
/// Keys of a condition without a name.
pub(super) const CONDITION_KEYS: &[&str] =
    &["trigger", "row", "column", "region", "tag", "text", "regex", "mask", "printed", "absent", "upwards"];
const EXCLUDE_KEYS: &[&str] = &[
    "name",
    "builtin",
    "when",
    "all",
    "ends_document",
    "trigger",
    "row",
    "column",
    "region",
    "tag",
    "text",
    "regex",
    "mask",
    "printed",
    "absent",
    "upwards",
];

/// Pages at the start of a stream that a signature may be on.
const SIGNATURE_PAGES: i64 = 5;

/// What is known while a definition is read.
#[derive(Debug)]
pub(super) struct Known {
    pub triggers: Vec<String>,
    pub fields: Vec<FieldInfo>,
    pub tables: Vec<String>,
}

impl Definition {
    /// Reads and checks a definition. `file` is named in errors; all errors are reported, not only the first.
    pub fn parse(source: &str, file: &str) -> Result<Definition, DefinitionErrors> {
        read_text(source, Faults::new(source, file))
    }

    /// Reads a definition that the archive holds: it stays readable when a form that it names is gone.
    pub fn stored(source: &str, what: &str) -> Result<Definition, DefinitionErrors> {
        let mut faults = Faults::new(source, what);
        faults.stored = true;
        read_text(source, faults)
    }
}

fn read_text<'s>(source: &'s str, mut faults: Faults<'s>) -> Result<Definition, DefinitionErrors> {
    let (root, errors) = DeTable::parse_recoverable(source);
    for error in errors {
        faults.add(error.span().map_or(0, |span| span.start), "", format!("not TOML: {}", error.message()), None);
    }
    let top = Section::new("", 0, root.get_ref(), TOP_KEYS, &mut faults);
    let definition = build(&top, source, &mut faults);
    faults.finish()?;
    Ok(definition)
}

fn build(top: &Section<'_, '_>, source: &str, faults: &mut Faults<'_>) -> Definition {
    let name = top.required("name", faults);
    if let Some(name) = &name {
        check_name(name, '-', "name", "lower-case letters, digits and -, a letter first", faults);
    }
    let mut known = Known { triggers: Vec::new(), fields: Vec::new(), tables: Vec::new() };
    let triggers = triggers(top, &mut known, faults);
    let sections = top.sections("table", TABLE_KEYS, faults);
    let mut tables = Vec::new();
    for section in &sections {
        if let Some(rule) = table(section, &known, faults) {
            known.tables.push(rule.name.clone());
            tables.push(rule);
        }
    }
    let mut fields = Vec::new();
    for section in top.sections("field", FIELD_KEYS, faults) {
        let read = field(&section, &known, faults);
        known.fields.push(read.0);
        fields.push(read.1);
    }
    let excludes = excludes(top, &known, faults);
    let recognise = recognise(top, faults);
    let mut rules = Rules { recognise, triggers, excludes, fields, tables, ..Rules::default() };
    let parts = document(top, &known, &mut rules, faults);
    Definition {
        name: name.map(|name| name.value).unwrap_or_default(),
        title: top.required("title", faults).map(|title| title.value).unwrap_or_default(),
        title_zh: top.text("title_zh", faults).map(|title| title.value),
        kind: kind(top, faults),
        read: read(top, faults),
        account_field: parts.account,
        date_field: parts.date,
        amount_field: parts.amount,
        currency: parts.currency,
        due_field: parts.due,
        enrol_fields: parts.enrol,
        full_text: full_text(top, faults),
        compression: compression(top, faults),
        paper: paper(top, faults),
        retention: top.text("retention", faults).map(|class| class.value),
        language: top.text("language", faults).map_or_else(|| "en".into(), |language| language.value),
        visible_to: top.texts("visible_to", faults).into_iter().map(|role| role.value).collect(),
        masks: masks(top, &known.fields, faults),
        source: source.into(),
        fields: known.fields,
        rules,
    }
}

/// Checks that a name is made of lower-case letters, digits and one more sign.
pub(super) fn check_name(name: &At<String>, sign: char, key: &str, allowed: &str, faults: &mut Faults<'_>) {
    let starts = name.value.starts_with(|ch: char| ch.is_ascii_lowercase());
    let fits = name.value.chars().all(|ch| ch.is_ascii_lowercase() || ch.is_ascii_digit() || ch == sign);
    if !starts || !fits || name.value.len() > 64 {
        faults.add(name.at, key, format!("{:?} is not a name", name.value), Some(allowed));
    }
}

fn kind(top: &Section<'_, '_>, faults: &mut Faults<'_>) -> String {
    let kind = top.text("kind", faults);
    if let Some(kind) = &kind {
        check_name(kind, '-', "kind", "one lower-case word, such as statement, invoice, bill, notice, report", faults);
    }
    kind.map_or_else(|| "report".into(), |kind| kind.value)
}

fn full_text(top: &Section<'_, '_>, faults: &mut Faults<'_>) -> FullText {
    let words = [("none", FullText::None), ("words", FullText::Words), ("phrases", FullText::Phrases)];
    top.choice("full_text", &words, faults).unwrap_or_default()
}

fn compression(top: &Section<'_, '_>, faults: &mut Faults<'_>) -> Compression {
    let words = [("fast", Compression::Fast), ("small", Compression::Small)];
    top.choice("compression", &words, faults).unwrap_or_default()
}

fn paper(top: &Section<'_, '_>, faults: &mut Faults<'_>) -> Paper {
    let Some(section) = top.section("paper", &["form", "green_bars"], faults) else { return Paper::default() };
    let form = section.text("form", faults);
    if let Some(form) = form.as_ref().filter(|form| !faults.stored && !crate::render::form::is_known(&form.value)) {
        let known = crate::render::form::names().join(", ");
        faults.add(form.at, &section.key("form"), format!("{:?} is not known", form.value), Some(&known));
    }
    Paper { form: form.map(|form| form.value), green_bars: section.flag("green_bars", faults).unwrap_or(false) }
}

fn masks(top: &Section<'_, '_>, fields: &[FieldInfo], faults: &mut Faults<'_>) -> Vec<Mask> {
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let mut masks = Vec::new();
    if let Some(section) = top.section("mask", &names, faults) {
        for (number, field) in (0..).zip(fields) {
            let Some(mask) = section.section(&field.name, MASK_KEYS, faults) else { continue };
            masks.push(mask_of(&mask, Masked::Field(number), faults));
        }
    }
    let keys = [MASK_KEYS, &["name", "regex"]].concat();
    for section in top.sections("mask_pattern", &keys, faults) {
        if !section.has("regex") {
            let allowed = "a regular expression in single quotes, such as '[0-9]{4}(?: [0-9]{4}){3}'";
            faults.add(section.at, &section.key("regex"), "is missing", Some(allowed));
        }
        let Some(regex) = section.regex("regex", faults) else { continue };
        if regex.is_match("") {
            faults.add(section.at, &section.key("regex"), "matches nothing at all", None);
        }
        masks.push(mask_of(&section, Masked::Pattern(regex.as_str().into()), faults));
    }
    masks
}

fn mask_of(section: &Section<'_, '_>, what: Masked, faults: &mut Faults<'_>) -> Mask {
    let mut number = |key: &str| {
        section.number(key, 0..1_000, faults).and_then(|number| u16::try_from(number.value).ok()).unwrap_or(0)
    };
    let (keep_first, keep_last) = (number("keep_first"), number("keep_last"));
    let with = section.text("with", faults).and_then(|with| with.value.chars().next()).unwrap_or('•');
    let clear = section.texts("clear", faults).into_iter().map(|role| role.value).collect();
    Mask { what, keep_first, keep_last, with, clear }
}

fn recognise(top: &Section<'_, '_>, faults: &mut Faults<'_>) -> Recognise {
    let Some(section) = top.section("recognise", RECOGNISE_KEYS, faults) else { return Recognise::default() };
    let nothing = Known { triggers: Vec::new(), fields: Vec::new(), tables: Vec::new() };
    let signature = section.sections("signature", CONDITION_KEYS, faults);
    let pages = section.number("pages", 1..101, faults).map_or(SIGNATURE_PAGES, |pages| pages.value);
    Recognise {
        queues: section.texts("queue", faults).into_iter().map(|text| text.value).collect(),
        files: section.texts("file", faults).into_iter().map(|text| text.value).collect(),
        signature: signature.iter().filter_map(|one| condition(one, &nothing, faults)).collect(),
        pages: usize::try_from(pages).unwrap_or(1),
    }
}

fn triggers(top: &Section<'_, '_>, known: &mut Known, faults: &mut Faults<'_>) -> Vec<TriggerRule> {
    let mut rules = Vec::new();
    for section in top.sections("trigger", TRIGGER_KEYS, faults) {
        let name = section.required("name", faults);
        let Some(name) = name else { continue };
        let allowed = "lower-case letters, digits, - and _";
        check_name(
            &At { value: name.value.replace('_', "-"), at: name.at },
            '-',
            &section.key("name"),
            allowed,
            faults,
        );
        if known.triggers.contains(&name.value) {
            faults.add(name.at, &section.key("name"), format!("there are two triggers {:?}", name.value), None);
        }
        // A trigger may count from those before it.
        let condition = condition(&section, known, faults);
        known.triggers.push(name.value.clone());
        let condition = condition.unwrap_or(Condition {
            sight: Sight::Rows,
            anchor: None,
            rows: RowRange::ALL,
            columns: ColumnRange::ALL,
            test: Test::Printed,
            absent: false,
            upwards: false,
        });
        rules.push(TriggerRule { name: name.value.clone(), condition });
    }
    rules
}

/// A condition: where, and what must stand there.
pub(super) fn condition(section: &Section<'_, '_>, known: &Known, faults: &mut Faults<'_>) -> Option<Condition> {
    if section.has("tag") || section.has("region") {
        return apart(section, faults);
    }
    let anchor = anchor(section, known, faults);
    let default = if anchor.is_some() { RowRange { first: 0, last: 0 } } else { RowRange::ALL };
    let rows = section.rows("row", anchor.is_some(), faults).unwrap_or(default);
    let columns = section.columns("column", faults);
    let tests = ["text", "regex", "mask", "printed"];
    if tests.iter().filter(|test| section.has(test)).count() != 1 {
        let message = "does not say what must stand there, or says it twice";
        faults.add(section.at, &section.path, message, Some("exactly one of text, regex, mask, printed"));
        return None;
    }
    let open = |columns: Option<(ColumnRange, bool)>| match columns {
        Some((columns, true)) => ColumnRange { first: columns.first, last: u16::MAX },
        Some((columns, false)) => columns,
        None => ColumnRange::ALL,
    };
    let (test, columns) = if let Some(text) = section.text("text", faults) {
        if text.value.is_empty() {
            faults.add(text.at, &section.key("text"), "is empty", Some("a text with at least one sign"));
            return None;
        }
        (Test::Text(text.value), columns.map_or(ColumnRange::ALL, |(columns, _)| columns))
    } else if section.has("regex") {
        (Test::Regex(section.regex("regex", faults)?), open(columns))
    } else if section.has("mask") {
        if columns.is_none() {
            faults.add(
                section.at,
                &section.key("column"),
                "is missing: a mask stands at a column",
                Some("a column from 1"),
            );
        }
        let columns = columns.map_or(ColumnRange { first: 1, last: 1 }, |(columns, _)| columns);
        // A mask may start in each column of the range; an open range ends where paper does.
        let columns = ColumnRange { first: columns.first, last: columns.last.min(columns.first.saturating_add(254)) };
        (Test::Mask(section.mask("mask", faults)?), columns)
    } else {
        let printed = section.flag("printed", faults)?;
        let columns = columns.map_or(ColumnRange::ALL, |(columns, _)| columns);
        let absent = section.flag("absent", faults).unwrap_or(false) == printed;
        let upwards = section.flag("upwards", faults).unwrap_or(false);
        return Some(Condition { sight: Sight::Rows, anchor, rows, columns, test: Test::Printed, absent, upwards });
    };
    let absent = section.flag("absent", faults).unwrap_or(false);
    let upwards = section.flag("upwards", faults).unwrap_or(false);
    Some(Condition { sight: Sight::Rows, anchor, rows, columns, test, absent, upwards })
}

/// A condition on a tag or on the text in a rectangle: what has no rows and columns.
fn apart(section: &Section<'_, '_>, faults: &mut Faults<'_>) -> Option<Condition> {
    let what = if section.has("tag") { "tag" } else { "region" };
    for name in section.names() {
        if ["trigger", "row", "column", "upwards"].contains(&name.value.as_str())
            || (what == "tag" && name.value == "region")
        {
            let message = format!("does not go with `{what}`, which has no rows and columns");
            faults.add(name.at, &section.key(&name.value), message, Some("text, regex, mask, printed, absent"));
        }
    }
    let tests = ["text", "regex", "mask", "printed"].iter().filter(|test| section.has(test)).count();
    if tests > 1 || (what == "region" && tests == 0) {
        let allowed = "exactly one of text, regex, mask, printed; a tag may be enough alone";
        faults.add(section.at, &section.path, "does not say what must stand there, or says it twice", Some(allowed));
        return None;
    }
    let sight = match what {
        "tag" => Sight::Tag(section.text("tag", faults)?.value),
        _ => Sight::Region(section.region("region", faults)?),
    };
    let mut absent = section.flag("absent", faults).unwrap_or(false);
    let test = if section.has("text") {
        Test::Text(section.text("text", faults)?.value)
    } else if section.has("regex") {
        Test::Regex(section.regex("regex", faults)?)
    } else if section.has("mask") {
        Test::Mask(section.mask("mask", faults)?)
    } else {
        absent ^= !section.flag("printed", faults).unwrap_or(true);
        Test::Printed
    };
    let (rows, columns) = (RowRange::ALL, ColumnRange::ALL);
    Some(Condition { sight, anchor: None, rows, columns, test, absent, upwards: false })
}

/// The trigger that rows count from.
pub(super) fn anchor(section: &Section<'_, '_>, known: &Known, faults: &mut Faults<'_>) -> Option<usize> {
    let name = section.text("trigger", faults)?;
    position(&name, &known.triggers, &section.key("trigger"), "trigger", faults)
}

/// The position of a name among those that are known.
pub(super) fn position(
    name: &At<String>,
    known: &[impl AsRef<str>],
    key: &str,
    what: &str,
    faults: &mut Faults<'_>,
) -> Option<usize> {
    let found = known.iter().position(|one| one.as_ref() == name.value);
    if found.is_none() {
        let all: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
        let allowed = if all.is_empty() { format!("no {what} is defined before") } else { all.join(", ") };
        faults.add(name.at, key, format!("there is no {what} {:?}", name.value), Some(&allowed));
    }
    found
}

fn excludes(top: &Section<'_, '_>, known: &Known, faults: &mut Faults<'_>) -> Vec<ExcludeRule> {
    let mut rules = Vec::new();
    for section in top.sections("exclude", EXCLUDE_KEYS, faults) {
        let builtin = section.choice("builtin", BUILTIN, faults);
        let name = match (section.text("name", faults), builtin) {
            (Some(name), _) => name.value,
            (None, Some(builtin)) => builtin.name().into(),
            (None, None) => {
                faults.add(section.at, &section.key("name"), "is missing", Some("a name, or builtin"));
                continue;
            }
        };
        let test = if let Some(builtin) = builtin {
            builtin.test()
        } else if section.has("when") {
            ExcludeTest::Triggers(names(&section, "when", &known.triggers, "trigger", faults))
        } else if section.has("all") {
            let all = section.sections("all", CONDITION_KEYS, faults);
            ExcludeTest::All(all.iter().filter_map(|one| condition(one, known, faults)).collect())
        } else {
            ExcludeTest::All(condition(&section, known, faults).into_iter().collect())
        };
        let ends = section.flag("ends_document", faults);
        let ends_document = ends.unwrap_or(builtin.is_some_and(|builtin| builtin != Builtin::Blank));
        rules.push(ExcludeRule { reason: format!("excluded: {name}"), test, ends_document });
    }
    rules
}

/// Kinds of pages that spooling systems add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Builtin {
    Blank,
    Jes2,
    Jes3,
    Vse,
    Vps,
}

const BUILTIN: &[(&str, Builtin)] = &[
    ("blank", Builtin::Blank),
    ("jes2", Builtin::Jes2),
    ("jes3", Builtin::Jes3),
    ("vse", Builtin::Vse),
    ("vps", Builtin::Vps),
];

impl Builtin {
    fn name(self) -> &'static str {
        BUILTIN.iter().find(|(_, one)| *one == self).map_or("", |(name, _)| *name)
    }

    /// See `docs/formats/line-data.md`, "Separators, banners, trailers".
    fn test(self) -> ExcludeTest {
        let rows = |pattern: &str, at_least| ExcludeTest::Rows {
            begins: "**",
            regex: Regex::new(pattern).expect("a constant expression"),
            at_least,
        };
        match self {
            Builtin::Blank => ExcludeTest::Blank,
            Builtin::Jes2 => rows(r"^\*+.*(START|END)\s+(JOB|STC|TSU)\s*\d+\s+\S+.*ROOM", 1),
            Builtin::Jes3 | Builtin::Vse => ExcludeTest::BlockLetters,
            Builtin::Vps => rows(r"^\*\*(START|END)\*{3}", 1),
        }
    }
}

/// Positions of several names.
pub(super) fn names(
    section: &Section<'_, '_>,
    key: &str,
    known: &[impl AsRef<str>],
    what: &str,
    faults: &mut Faults<'_>,
) -> Vec<usize> {
    let texts = section.texts(key, faults);
    texts.iter().filter_map(|name| position(name, known, &section.key(key), what, faults)).collect()
}
