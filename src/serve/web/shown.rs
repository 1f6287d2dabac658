//! Documents and values as people read them.

use minijinja::{Value as Shown, context};

use super::Language;
use crate::index::value::{Day, FieldValue, Value};
use crate::serve::backend::{DocumentView, FieldView, HighlightPart, HitView};

/// Values of a transaction field that are shown before "and so many more".
const SHOWN_VALUES: usize = 3;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A day in words.
pub fn day(day: Day, language: Language) -> String {
    let (year, month, date) = day.ymd();
    match language {
        Language::English => {
            let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).unwrap_or(&"?");
            format!("{date} {name} {year}")
        }
        Language::Chinese => format!("{year}年{month}月{date}日"),
    }
}

fn value(value: &Value, language: Language) -> String {
    match value {
        Value::Date(date) => day(*date, language),
        Value::Decimal(_) => grouped(&value.to_string()),
        other => other.to_string(),
    }
}

/// A number with its thousands parted by commas.
pub fn grouped(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut out = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

fn field_text(field: &FieldValue, language: Language) -> String {
    match field {
        FieldValue::One(one) => value(one, language),
        FieldValue::Span(from, to) => format!("{} – {}", value(from, language), value(to, language)),
        FieldValue::Many(list) => {
            let mut text: Vec<_> = list.iter().take(SHOWN_VALUES).map(|one| value(one, language)).collect();
            if list.len() > SHOWN_VALUES {
                text.push(format!("… ({})", list.len()));
            }
            text.join(", ")
        }
    }
}

/// A field with its label.
pub fn field(field: &FieldView, language: Language) -> Shown {
    let chinese = field.label_zh.as_deref().filter(|_| language == Language::Chinese);
    let number = matches!(field.value, FieldValue::One(Value::Decimal(_) | Value::Integer(_)));
    context! {
        name => field.name.as_str(),
        label => chinese.unwrap_or(&field.label),
        text => field_text(&field.value, language),
        number => number,
    }
}

/// The amount that matters to a customer: the field that is called so, else the only decimal.
fn amount(document: &DocumentView, language: Language) -> Option<String> {
    let decimal = |field: &&FieldView| matches!(field.value, FieldValue::One(Value::Decimal(_)));
    let decimals: Vec<_> = document.fields.iter().filter(decimal).collect();
    let called = |words: &[&str]| decimals.iter().find(|field| words.iter().any(|word| field.name.contains(word)));
    let found = called(&["due", "total"]).or_else(|| called(&["amount"])).or_else(|| called(&["balance"]));
    let found = found.or(if decimals.len() == 1 { decimals.first() } else { None });
    found.map(|field| field_text(&field.value, language))
}

/// A document for templates; `all` keeps sensitive fields in.
pub fn document(document: &DocumentView, language: Language, all: bool) -> Shown {
    let fields = document.fields.iter().filter(|f| all || !f.sensitive);
    let chinese = document.report_zh.as_deref().filter(|_| language == Language::Chinese);
    context! {
        id => document.id.to_string(),
        title => document.title.as_str(),
        kind => document.kind.as_str(),
        report => chinese.unwrap_or(&document.report),
        definition => document.definition.as_str(),
        account => document.account.as_deref().unwrap_or_default(),
        date => document.date.map(|date| day(date, language)).unwrap_or_default(),
        date_iso => document.date.map(|date| date.to_string()).unwrap_or_default(),
        pages => document.pages,
        amount => amount(document, language).unwrap_or_default(),
        load => document.id.load.0,
        fields => fields.map(|f| field(f, language)).collect::<Vec<_>>(),
    }
}

fn part(part: &HighlightPart) -> Shown {
    context! { text => part.text.as_str(), marked => part.marked }
}

/// A hit for templates.
pub fn hit(hit: &HitView, language: Language, all: bool) -> Shown {
    let highlights: Vec<_> =
        hit.highlights.iter().take(2).map(|line| line.parts.iter().map(part).collect::<Shown>()).collect();
    context! { document => document(&hit.document, language, all), highlights => highlights }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_days_read_well() {
        assert_eq!(grouped("-1234567.50"), "-1,234,567.50");
        assert_eq!(grouped("123"), "123");
        assert_eq!(grouped("1000"), "1,000");
        let date = Day::from_ymd(2024, 3, 9).expect("a date");
        assert_eq!(day(date, Language::English), "9 Mar 2024");
        assert_eq!(day(date, Language::Chinese), "2024年3月9日");
    }
}
