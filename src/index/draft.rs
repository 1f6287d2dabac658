//! Drafts a report definition from what an inspection saw: page groups and tags become documents and fields.
//!
//! A draft is a beginning for somebody who knows the report. It parses, and cuts the stream that it was made from; what was
//! guessed is said in a comment.

use std::fmt::Write as _;

use super::date::DateFormat;
use super::number::NumberFormat;
use crate::decode::inspect::{Inspection, TagUse};

/// Formats of dates that samples are tried with, the likeliest first. Where day and month could be either, the first wins
/// and the comment says so.
const DATES: &[&str] = &[
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%b %d, %Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%m-%d-%Y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%Y年%m月%d日",
];

/// What a field's samples look like.
enum Guess {
    Text,
    Date(&'static str),
    Decimal {
        comma: bool,
    },
    Integer,
    /// Nothing but characters that stand for others.
    Lost,
}

/// The TOML text of a definition for the stream that was inspected; `name` is that of its file.
pub fn draft(report: &Inspection, name: &str) -> String {
    let fields: Vec<(String, &TagUse, Guess)> = fields(report);
    let date = fields.iter().find(|(_, _, guess)| matches!(guess, Guess::Date(_))).map(|(name, _, _)| name.as_str());
    let account = fields.iter().find(|(name, ..)| {
        ["account", "acct", "acc_no", "customer_no", "contract"].iter().any(|word| name.contains(word))
    });
    let account = account.map(|(name, ..)| name.as_str());
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line("# Drafted by `greenbar inspect --draft`. Check every guess, then try it: greenbar check THIS-FILE SAMPLE");
    line(&format!("name = \"{}\"", plain(name, '-', "report")));
    line(&format!("title = {}", quoted(name)));
    line(&format!("kind = \"{}\"  # statement, invoice, bill, notice, report ...", kind(name)));
    line("\n[read]");
    line(&format!("format = \"{}\"", if report.format == "xerox" { "line-data" } else { &report.format }));
    line("\n[recognise]");
    line("# Better: what only this report prints or carries.");
    let signature: Vec<String> =
        fields.iter().take(3).map(|(_, tag, _)| format!("{{ tag = {} }}", quoted(&tag.name))).collect();
    if signature.is_empty() {
        line(&format!("file = [{}]", quoted(&format!("{name}*"))));
    } else {
        line(&format!("signature = [{}]", signature.join(", ")));
    }
    line("\n[document]");
    document(report, &fields, &mut line);
    let title: Vec<String> = fields.iter().take(3).map(|(name, ..)| format!("{{{name}}}")).collect();
    line(&format!("title = {}", quoted(&if title.is_empty() { "{file}".to_owned() } else { title.join(" ") })));
    match account {
        Some(name) => line(&format!("account = \"{name}\"  # a guess by its name")),
        None => line("# account = \"...\"  # the field that is the customer's account"),
    }
    match date {
        Some(name) => line(&format!("date = \"{name}\"")),
        None => line("# date = \"...\"  # the field that dates the document"),
    }
    for (name, tag, guess) in &fields {
        field(name, tag, guess, &mut line);
    }
    out
}

/// What starts a document.
fn document(report: &Inspection, fields: &[(String, &TagUse, Guess)], line: &mut dyn FnMut(&str)) {
    match (report.group_levels.as_slice(), fields.first()) {
        ([_], _) => line("start = \"group\""),
        ([outer, rest @ ..], _) => {
            let counts: Vec<String> = rest.iter().map(|inner| inner.count.to_string()).collect();
            line(&format!("start = \"group\"  # {} groups, and in them {}", outer.count, counts.join(", ")));
            line("level = 1");
        }
        ([], Some((_, tag, _))) => {
            line("start = \"tag\"");
            line(&format!("tag = {}", quoted(&tag.name)));
        }
        ([], None) => line("start = \"stream\"  # or \"trigger\", \"value\", \"pages\""),
    }
}

fn field(name: &str, tag: &TagUse, guess: &Guess, line: &mut dyn FnMut(&str)) {
    line("\n[[field]]");
    line(&format!("name = \"{name}\""));
    match guess {
        Guess::Text => {}
        Guess::Date(format) => {
            line("type = \"date\"");
            let unsure = matches!(*format, "%m/%d/%Y" | "%d/%m/%Y" | "%m/%d/%y" | "%m-%d-%Y");
            line(&format!(
                "format = \"{format}\"{}",
                if unsure { "  # day and month could be the other way round" } else { "" }
            ));
        }
        Guess::Decimal { comma } => {
            line("type = \"decimal\"");
            if *comma {
                line("decimal = \",\"");
            }
        }
        Guess::Integer => line("type = \"integer\"  # or text, where zeros in front count"),
        Guess::Lost => line("# The values cannot be read: take it from the page (region, after) instead."),
    }
    line(&format!("tag = {}", quoted(&tag.name)));
}

/// Fields by the names of tags; names that come out alike are numbered.
fn fields(report: &Inspection) -> Vec<(String, &TagUse, Guess)> {
    let mut fields: Vec<(String, &TagUse, Guess)> = Vec::new();
    for tag in &report.tag_names {
        let base = plain(&tag.name, '_', "field");
        let mut name = base.clone();
        let mut number = 2;
        while fields.iter().any(|(known, ..)| *known == name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        fields.push((name, tag, guess(&tag.samples)));
    }
    fields
}

fn guess(samples: &[String]) -> Guess {
    let samples: Vec<&str> = samples.iter().map(String::as_str).filter(|sample| !sample.is_empty()).collect();
    if samples.is_empty() {
        return Guess::Text;
    }
    let lost = |ch: char| ch.is_control() || ch == '\u{FFFD}';
    if samples.iter().all(|sample| sample.chars().all(lost)) {
        return Guess::Lost;
    }
    let fits = |format: &&&str| {
        DateFormat::new(format).is_ok_and(|format| samples.iter().all(|sample| format.parse(sample).is_some()))
    };
    if let Some(format) = DATES.iter().find(fits) {
        return Guess::Date(format);
    }
    let digits = |sample: &&str| sample.bytes().all(|byte| byte.is_ascii_digit());
    if samples.iter().all(digits) {
        // Long digits are numbers of accounts and the like, and so are those that start with a zero.
        let number = samples.iter().all(|sample| sample.len() < 6 && (sample.len() == 1 || !sample.starts_with('0')));
        return if number { Guess::Integer } else { Guess::Text };
    }
    for comma in [false, true] {
        let mut format = NumberFormat::default();
        if comma {
            format.point = ',';
            format.thousands = vec!['.', ' ', '\u{a0}', '\''];
        }
        let point = format.point;
        let decimal = |sample: &&str| format.decimal(sample).is_some() && sample.contains(point);
        if samples.iter().all(decimal) {
            return Guess::Decimal { comma };
        }
    }
    Guess::Text
}

/// A name of lower-case letters, digits and one more sign: `InvoiceNumber` is `invoice_number`.
fn plain(name: &str, sign: char, otherwise: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for ch in name.chars() {
        let apart = ch.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit());
        if (apart || !ch.is_ascii_alphanumeric()) && !out.is_empty() && !out.ends_with(sign) {
            out.push(sign);
        }
        if ch.is_ascii_alphanumeric() {
            out.push(ch.to_ascii_lowercase());
        }
        before = ch;
    }
    out.truncate(50);
    let out = out.trim_end_matches(sign);
    match out.chars().next() {
        Some(first) if first.is_ascii_lowercase() => out.to_owned(),
        Some(_) => format!("{otherwise}{sign}{out}"),
        None => otherwise.to_owned(),
    }
}

fn kind(name: &str) -> &'static str {
    let name = name.to_lowercase();
    let kinds = ["statement", "invoice", "bill", "notice", "confirmation", "letter"];
    kinds.into_iter().find(|kind| name.contains(kind)).unwrap_or("report")
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for ch in text.chars() {
        match ch {
            '"' | '\\' => {
                out.push('\\');
                out.push(ch);
            }
            ch if ch.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(ch));
            }
            ch => out.push(ch),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::inspect::GroupUse;
    use crate::index::definition::Definition;
    use crate::index::value::FieldType;

    fn tag(name: &str, samples: &[&str]) -> TagUse {
        TagUse {
            name: name.into(),
            samples: samples.iter().map(|sample| (*sample).into()).collect(),
            ..TagUse::default()
        }
    }

    fn parsed(report: &Inspection, name: &str) -> (Definition, String) {
        let text = draft(report, name);
        let definition = Definition::parse(&text, "draft.toml").unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        (definition, text)
    }

    #[test]
    fn tags_become_fields_with_types_and_the_draft_is_a_definition() {
        let report = Inspection {
            format: "afp".into(),
            group_levels: vec![GroupUse { count: 3, samples: vec!["G1".into()] }],
            tag_names: vec![
                tag("AccountNumber", &["9374-9610-899869", "1204-1300-612943"]),
                tag("StatementDate", &["03/31/2024", "05/01/2024"]),
                tag("ClosingBalance", &["20,141.01", "-418.86"]),
                tag("Betrag \"EUR\"", &["1.234,50", "7,00"]),
                tag("Pages", &["1", "12"]),
                tag("Contract", &["025895025981"]),
                tag("NAME", &["\u{1A}\u{1A}"]),
                tag("金额", &["x"]),
                tag("金额", &[]),
            ],
            ..Inspection::default()
        };
        let (definition, text) = parsed(&report, "bank statement 2024");
        let kinds: Vec<FieldType> = definition.fields.iter().map(|field| field.kind).collect();
        use FieldType::{Date, Decimal, Integer, Text};
        assert_eq!(kinds, [Text, Date, Decimal, Decimal, Integer, Text, Text, Text, Text]);
        let names: Vec<&str> = definition.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names[..3], ["account_number", "statement_date", "closing_balance"]);
        assert_eq!(names[7..], ["field", "field_2"]);
        assert_eq!((definition.account_field, definition.date_field), (Some(0), Some(1)));
        assert_eq!((definition.name.as_str(), definition.kind.as_str()), ("bank-statement-2024", "statement"));
        assert!(text.contains("cannot be read") && text.contains("the other way round"), "{text}");
    }

    #[test]
    fn a_stream_without_tags_gets_a_draft_too() {
        for (name, levels) in [("", 0), ("4711", 2), ("--", 0)] {
            let group_levels = vec![GroupUse::default(); levels];
            let report = Inspection { format: "line-data".into(), group_levels, ..Inspection::default() };
            let (definition, _) = parsed(&report, name);
            assert!(definition.fields.is_empty());
        }
    }
}
