//! Reads `[[field]]` and `[[table]]`.

use super::FieldInfo;
use super::build::{CONDITION_KEYS, Known, anchor, check_name, condition, position};
use super::document::level;
use super::raw::{At, Faults, Section};
use crate::index::date::DateFormat;
use crate::index::field::compare;
use crate::index::number::NumberFormat;
use crate::index::rule::{
    Area, ColumnRange, FieldRule, LAST_ROW, OnPage, Pick, Place, RowRange, Source, TableColumn, TableRule, Typing,
    Values,
};
use crate::index::value::FieldType;

/// Keys of `[[field]]`.
pub(super) const FIELD_KEYS: &[&str] = &[
    "name",
    "label",
    "label_zh",
    "type",
    "sensitive",
    "required",
    "default",
    "page",
    "transaction",
    "span",
    "trigger",
    "row",
    "columns",
    "after",
    "before",
    "regex",
    "mask",
    "line",
    "join",
    "until_blank",
    "upwards",
    "region",
    "tag",
    "group",
    "job",
    "constant",
    "count_lines",
    "count",
    "format",
    "decimal",
    "thousands",
    "negative",
    "currency",
    "implied_decimals",
    "pattern",
    "min",
    "max",
    "one_of",
];
/// Keys of `[[table]]`.
pub(super) const TABLE_KEYS: &[&str] = &["name", "trigger", "row", "line", "column"];
const COLUMN_KEYS: &[&str] = &[
    "name",
    "label",
    "label_zh",
    "columns",
    "regex",
    "type",
    "repeat",
    "format",
    "decimal",
    "thousands",
    "negative",
    "currency",
    "implied_decimals",
    "pattern",
    "min",
    "max",
    "one_of",
];
const TYPES: &[(&str, FieldType)] = &[
    ("text", FieldType::Text),
    ("date", FieldType::Date),
    ("decimal", FieldType::Decimal),
    ("integer", FieldType::Integer),
];
const PAGES: &[(&str, OnPage)] = &[("first", OnPage::First), ("any", OnPage::Any), ("last", OnPage::Last)];
const FIELD_NAME: &str = "lower-case letters, digits and _, a letter first";

/// Reads one field.
pub(super) fn field(section: &Section<'_, '_>, known: &Known, faults: &mut Faults<'_>) -> (FieldInfo, FieldRule) {
    let name = section.required("name", faults).unwrap_or(At { value: String::new(), at: section.at });
    if !name.value.is_empty() {
        check_name(&name, '_', &section.key("name"), FIELD_NAME, faults);
    }
    if known.fields.iter().any(|field| field.name == name.value) {
        faults.add(name.at, &section.key("name"), format!("there are two fields {:?}", name.value), None);
    }
    let count = section.has("count_lines") || section.flag("count", faults).unwrap_or(false);
    if section.has("count") && !section.has("region") {
        faults.add(section.at, &section.key("count"), "goes with `region` only", Some("count_lines for tables"));
    }
    let typing = typing(section, count, faults);
    let values = values(section, faults);
    let source = source(section, known, values, faults);
    let on = match values {
        Values::One if count => OnPage::Every,
        Values::One => section.choice("page", PAGES, faults).unwrap_or(OnPage::First),
        Values::Many | Values::Span => OnPage::Every,
    };
    let default = section.scalar("default", faults).and_then(|text| {
        let value = Typing::from_api_text(typing.kind, &text.value);
        if value.is_none() {
            faults.add(
                text.at,
                &section.key("default"),
                format!("{:?} is not of the field's type", text.value),
                Some(API_TEXT),
            );
        }
        value
    });
    let info = FieldInfo {
        label: section.text("label", faults).map_or_else(|| plain_label(&name.value), |label| label.value),
        label_zh: section.text("label_zh", faults).map(|label| label.value),
        kind: typing.kind,
        transaction: values == Values::Many,
        sensitive: section.flag("sensitive", faults).unwrap_or(false),
        name: name.value,
    };
    let required = section.flag("required", faults).unwrap_or(false);
    (info, FieldRule { source, on, values, typing, required, default })
}

const API_TEXT: &str = "text as is, dates as 2024-03-31, decimals as 1234.56, whole numbers";

/// `closing_balance` is labelled `Closing balance`.
fn plain_label(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut chars = spaced.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn values(section: &Section<'_, '_>, faults: &mut Faults<'_>) -> Values {
    let transaction = section.flag("transaction", faults).unwrap_or(false);
    let span = section.flag("span", faults).unwrap_or(false);
    if (transaction || span) && section.has("page") {
        faults.add(section.at, &section.key("page"), "transaction and span fields come from every page", None);
    }
    match (transaction, span) {
        (true, true) => {
            faults.add(section.at, &section.path, "a field cannot be transaction and span", None);
            Values::Many
        }
        (true, false) => Values::Many,
        (false, true) => Values::Span,
        (false, false) => Values::One,
    }
}

fn source(section: &Section<'_, '_>, known: &Known, values: Values, faults: &mut Faults<'_>) -> Source {
    let others = ["tag", "group", "job", "constant", "count_lines"];
    let others: Vec<&str> = others.into_iter().filter(|key| section.has(key)).collect();
    // A tag and the name of a group may be taken in part.
    let named = others.iter().all(|key| matches!(*key, "tag" | "group"));
    let places = ["row", "columns", "after", "mask", "region", "regex"];
    let placed = places.iter().any(|key| section.has(key) && !(*key == "regex" && named && !others.is_empty()));
    if others.len() + usize::from(placed) != 1 {
        let allowed =
            "one of: a place (row with columns, after or regex), region, tag, group, job, constant, count_lines";
        faults.add(section.at, &section.path, "says not where its text is, or says it twice", Some(allowed));
        return Source::Constant(String::new());
    }
    if let Some(tag) = section.text("tag", faults) {
        return Source::Tag { name: tag.value, regex: section.regex("regex", faults) };
    }
    if section.has("group") {
        let level = level(section, "group", faults).unwrap_or(1);
        return Source::Group { level, regex: section.regex("regex", faults) };
    }
    if let Some(name) = section.text("job", faults) {
        return Source::Job(name.value);
    }
    if let Some(constant) = section.text("constant", faults) {
        return Source::Constant(constant.value);
    }
    if let Some(table) = section.text("count_lines", faults) {
        let key = section.key("count_lines");
        return Source::Count(position(&table, &known.tables, &key, "table", faults).unwrap_or(0));
    }
    if section.has("region") {
        let counts = section.flag("count", faults).unwrap_or(false);
        return match area(section, values, faults) {
            Some(area) if counts => Source::CountIn(area),
            Some(area) => Source::Region(area),
            None => Source::Constant(String::new()),
        };
    }
    Source::Place(place(section, known, values, faults))
}

/// Text in a rectangle of the page.
fn area(section: &Section<'_, '_>, values: Values, faults: &mut Faults<'_>) -> Option<Area> {
    for name in section.names() {
        if ["trigger", "columns", "line", "until_blank", "upwards"].contains(&name.value.as_str()) {
            let message = "does not go with `region`, which has no columns";
            faults.add(name.at, &section.key(&name.value), message, Some("row, after, before, regex, mask, join"));
        }
    }
    let rows = section.rows("row", false, faults).unwrap_or(RowRange { first: 1, last: LAST_ROW });
    let pick = pick(section, faults);
    let join = join(section, values, faults);
    Some(Area { region: section.region("region", faults)?, rows, pick, join })
}

fn place(section: &Section<'_, '_>, known: &Known, values: Values, faults: &mut Faults<'_>) -> Place {
    let anchor = anchor(section, known, faults);
    let default = if anchor.is_some() { RowRange { first: 0, last: 0 } } else { RowRange::ALL };
    let rows = section.rows("row", anchor.is_some(), faults).unwrap_or(default);
    let columns = section.columns("columns", faults);
    let pick = pick(section, faults);
    if columns.is_none() && matches!(pick, Pick::Columns | Pick::Mask(_)) && !section.has("columns") {
        faults.add(
            section.at,
            &section.key("columns"),
            "is missing",
            Some("columns such as \"10-39\", or after, or regex"),
        );
    }
    // The first column alone stands for a field of one column, but for a mask, which knows its own length.
    let columns = match (columns, &pick) {
        (Some((columns, true)), Pick::Mask(mask)) => {
            let last = columns.first.saturating_add(u16::try_from(mask.len()).unwrap_or(u16::MAX) - 1);
            ColumnRange { first: columns.first, last }
        }
        (Some((columns, _)), _) => columns,
        (None, _) => ColumnRange::ALL,
    };
    let line = section.section("line", CONDITION_KEYS, faults);
    let line = line.and_then(|line| condition(&line, known, faults));
    let join = join(section, values, faults);
    Place {
        anchor,
        rows,
        columns,
        pick,
        line,
        join,
        until_blank: section.flag("until_blank", faults).unwrap_or(false),
        upwards: section.flag("upwards", faults).unwrap_or(false),
    }
}

/// What is taken of a row or of a line of a region.
fn pick(section: &Section<'_, '_>, faults: &mut Faults<'_>) -> Pick {
    let picks = ["after", "regex", "mask"];
    if picks.iter().filter(|key| section.has(key)).count() > 1 {
        faults.add(section.at, &section.path, "has more than one of after, regex and mask", Some("one of them"));
    }
    let before = section.text("before", faults);
    if let Some(label) = section.text("after", faults) {
        if label.value.is_empty() {
            faults.add(label.at, &section.key("after"), "is empty", Some("a label that stands before the value"));
        }
        Pick::After { label: label.value, before: before.map(|before| before.value) }
    } else {
        if let Some(before) = before {
            faults.add(before.at, &section.key("before"), "goes with `after` only", Some("after"));
        }
        match section.has("regex") {
            true => section.regex("regex", faults).map_or(Pick::Columns, Pick::Regex),
            false => section.mask("mask", faults).map_or(Pick::Columns, Pick::Mask),
        }
    }
}

fn join(section: &Section<'_, '_>, values: Values, faults: &mut Faults<'_>) -> Option<String> {
    let join = section.text("join", faults)?;
    if values != Values::One {
        faults.add(join.at, &section.key("join"), "transaction and span fields take each row for itself", None);
    }
    Some(join.value)
}

/// Type, formats and checks of a field or column.
fn typing(section: &Section<'_, '_>, count: bool, faults: &mut Faults<'_>) -> Typing {
    let default = if count { FieldType::Integer } else { FieldType::Text };
    let kind = section.choice("type", TYPES, faults).unwrap_or(default);
    let mut dates = Vec::new();
    for format in section.texts("format", faults) {
        match DateFormat::new(&format.value) {
            Ok(format) => dates.push(format),
            Err(why) => faults.add(format.at, &section.key("format"), why, Some(DATE_PARTS)),
        }
    }
    if kind == FieldType::Date && !section.has("format") {
        faults.add(section.at, &section.key("format"), "is missing for a date", Some("such as \"%m/%d/%Y\""));
    }
    only_for(section, &["format"], kind == FieldType::Date, "dates", faults);
    let number = matches!(kind, FieldType::Decimal | FieldType::Integer);
    let keys = ["decimal", "thousands", "negative", "currency", "implied_decimals"];
    only_for(section, &keys, number, "numbers", faults);
    only_for(section, &["min", "max"], kind != FieldType::Text, "dates and numbers", faults);
    if let Some(key) = section.names().into_iter().find(|name| name.value == "one_of")
        && section.texts("one_of", faults).is_empty()
    {
        faults.add(
            key.at,
            &section.key("one_of"),
            "lists nothing, so that no value could be right",
            Some("a list of texts"),
        );
    }
    let mut bound = |key: &str| {
        let text = section.scalar(key, faults)?;
        let value = Typing::from_api_text(kind, &text.value);
        if value.is_none() {
            faults.add(
                text.at,
                &section.key(key),
                format!("{:?} is not of the field's type", text.value),
                Some(API_TEXT),
            );
        }
        value
    };
    let (min, max) = (bound("min"), bound("max"));
    if let (Some(low), Some(high)) = (&min, &max)
        && !faults.stored
        && compare(low, high).is_gt()
        && let Some(key) = section.scalar("max", faults)
    {
        let allowed = format!("{low} or more");
        faults.add(key.at, &section.key("max"), "is less than `min`", Some(&allowed));
    }
    Typing {
        kind,
        dates,
        number: number_format(section, faults),
        pattern: section.regex("pattern", faults),
        one_of: section.texts("one_of", faults).into_iter().map(|text| text.value).collect(),
        min,
        max,
    }
}

const DATE_PARTS: &str = "%Y or %y, %m or %b, %d (or %j), and the signs between them, such as \"%m/%d/%Y\"";

fn only_for(section: &Section<'_, '_>, keys: &[&str], fits: bool, what: &str, faults: &mut Faults<'_>) {
    for name in section.names() {
        if !fits && keys.contains(&name.value.as_str()) {
            faults.add(name.at, &section.key(&name.value), format!("is for {what} only"), Some("type"));
        }
    }
}

fn number_format(section: &Section<'_, '_>, faults: &mut Faults<'_>) -> NumberFormat {
    let mut format = NumberFormat::default();
    if let Some(point) = section.text("decimal", faults) {
        match point.value.as_str() {
            "." => {}
            "," => {
                format.point = ',';
                format.thousands = vec!['.', ' ', '\u{a0}', '\u{202f}', '\''];
            }
            _ => faults.add(point.at, &section.key("decimal"), "is not a decimal sign", Some("\".\" or \",\"")),
        }
    }
    if let Some(thousands) = section.text("thousands", faults) {
        format.thousands = thousands.value.chars().collect();
        if thousands.value.contains(format.point) {
            faults.add(thousands.at, &section.key("thousands"), "contains the decimal sign", Some("other signs"));
        }
    }
    if section.has("negative") {
        let marks = section.texts("negative", faults);
        for mark in &marks {
            if !["-", "()", "CR", "DB", "DR"].contains(&mark.value.as_str()) {
                let message = format!("{:?} is not known", mark.value);
                faults.add(mark.at, &section.key("negative"), message, Some("-, (), CR, DB, DR"));
            }
        }
        format.negative = marks.into_iter().map(|mark| mark.value).collect();
    }
    format.currency = section.texts("currency", faults).into_iter().map(|word| word.value).collect();
    let implied = section.number("implied_decimals", 0..10, faults);
    format.implied_decimals = implied.and_then(|number| u8::try_from(number.value).ok()).unwrap_or(0);
    format
}

/// Reads one table.
pub(super) fn table(section: &Section<'_, '_>, known: &Known, faults: &mut Faults<'_>) -> Option<TableRule> {
    let name = section.required("name", faults)?;
    check_name(&name, '_', &section.key("name"), FIELD_NAME, faults);
    let anchor = anchor(section, known, faults);
    let default =
        if anchor.is_some() { RowRange { first: 1, last: crate::index::rule::LAST_ROW } } else { RowRange::ALL };
    let rows = section.rows("row", anchor.is_some(), faults).unwrap_or(default);
    let Some(line) = section.section("line", CONDITION_KEYS, faults) else {
        let allowed = "what marks a line of the table, such as line = { column = 6, mask = \"##/##\" }";
        faults.add(section.at, &section.key("line"), "is missing", Some(allowed));
        return None;
    };
    let line = condition(&line, known, faults)?;
    let mut columns = Vec::new();
    for column in section.sections("column", COLUMN_KEYS, faults) {
        let Some(name) = column.required("name", faults) else { continue };
        check_name(&name, '_', &column.key("name"), FIELD_NAME, faults);
        let place = column.columns("columns", faults);
        if place.is_none() && !column.has("columns") && !column.has("regex") {
            faults.add(column.at, &column.key("columns"), "is missing", Some("columns such as \"10-39\", or regex"));
        }
        columns.push(TableColumn {
            label: column.text("label", faults).map_or_else(|| plain_label(&name.value), |label| label.value),
            label_zh: column.text("label_zh", faults).map(|label| label.value),
            name: name.value,
            columns: place.map_or(ColumnRange::ALL, |(columns, _)| columns),
            regex: column.regex("regex", faults),
            typing: typing(&column, false, faults),
            repeat: column.flag("repeat", faults).unwrap_or(false),
        });
    }
    Some(TableRule { name: name.value, anchor, rows, line, columns })
}
