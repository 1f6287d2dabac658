//! Which documents: a condition on what the catalogue knows of one.
//!
//! A [`Rule`] is what an administrator writes; bound to a user's attributes it is a [`Predicate`]. The predicate is the
//! one form that everything uses: [`Predicate::holds`] for a document at hand, and `search` as part of every query.
//! `search/tests/rights.rs` holds the two to the same answer.
//!
//! | test | true when |
//! |---|---|
//! | `account` | the document's account is one of these, character by character |
//! | `definition`, `kind` | it is one of these words |
//! | `date` | the document's own date lies between these days |
//! | a text field | one of its values is one of these; case, accents, width and repeated blanks do not count |
//! | a number or date field | one of its values lies between these |
//!
//! A field that a document does not have makes a test false (and its `not` true). Of a field with many values, or with
//! a first and a last one, any of those written down counts.

mod parse;

use std::collections::{BTreeMap, BTreeSet};

use crate::archive::{DocId, Document};
use crate::index::fold::fold;
use crate::index::value::{FieldValue, Value};

pub use parse::RuleError;

/// Longest text, folded, that a rule compares with; documents' longer values never equal it.
pub const LONGEST_TEXT: usize = 200;

/// What the rules of policies can ask of the user: name to values.
pub type Attributes = BTreeMap<String, Vec<String>>;

/// A condition as written, with places for the user's attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What was written.
    pub text: String,
    root: Part,
}

/// A part of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    All(Vec<Part>),
    Any(Vec<Part>),
    Not(Box<Part>),
    /// Nothing in it depends on the user.
    Fixed(Predicate),
    /// The values are an attribute of the user.
    OfUser {
        field: String,
        attribute: String,
    },
}

/// A condition on a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// Every document.
    Everything,
    /// No document.
    Nothing,
    /// All of these hold.
    All(Vec<Predicate>),
    /// One of these holds.
    Any(Vec<Predicate>),
    /// It does not hold.
    Not(Box<Predicate>),
    /// The account is one of these.
    Account(Vec<String>),
    /// The name of the definition is one of these.
    Definition(Vec<String>),
    /// The document kind is one of these.
    Kind(Vec<String>),
    /// A text field has one of these values (folded).
    Text {
        /// The field.
        field: String,
        /// Folded values.
        values: Vec<String>,
    },
    /// A date lies between two days, both included.
    Dated {
        /// The field; `None`: the document's own date.
        field: Option<String>,
        /// First day (days since 1970-01-01).
        from: i32,
        /// Last day.
        to: i32,
    },
    /// A number lies between two, both included, counted in 10^-9.
    Number {
        /// The field.
        field: String,
        /// Lowest.
        from: i128,
        /// Highest.
        to: i128,
    },
}

/// What a predicate asks of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The document.
    pub id: DocId,
    /// Name of its definition.
    pub definition: String,
    /// Document kind.
    pub kind: String,
    /// The account, as printed.
    pub account: Option<String>,
    /// Its date, days since 1970-01-01.
    pub date: Option<i32>,
    /// Index fields by name, whole.
    pub fields: Vec<(String, FieldValue)>,
}

/// A document that somebody asked for. When there is none of that id, the facts are those of another one: judging
/// them is the work that judging a document is, so that the time of an answer does not tell which of both it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The document's facts, or another's.
    pub facts: Facts,
    /// Whether there is such a document.
    pub there: bool,
}

impl Subject {
    /// A document that is there.
    pub fn found(facts: Facts) -> Subject {
        Subject { facts, there: true }
    }

    /// There is no document of this id; `other` are the facts of one that is there, if any.
    pub fn absent(id: DocId, other: Option<Facts>) -> Subject {
        let other = other.unwrap_or_else(|| Facts::none(id));
        Subject { facts: Facts { id, ..other }, there: false }
    }
}

impl Facts {
    /// Of a catalogue row; `names` are the load's field names.
    pub fn of(document: &Document, names: &[String], kind: &str) -> Facts {
        let named = |(at, value): &(u16, FieldValue)| Some((names.get(usize::from(*at))?.clone(), value.clone()));
        Facts {
            id: document.id,
            definition: document.definition.to_string(),
            kind: kind.to_string(),
            account: document.account.clone(),
            date: document.date,
            fields: document.fields.iter().filter_map(named).collect(),
        }
    }

    /// Facts of a document of which nothing is known.
    pub fn none(id: DocId) -> Facts {
        let (definition, kind) = (String::new(), String::new());
        Facts { id, definition, kind, account: None, date: None, fields: Vec::new() }
    }

    fn any(&self, field: &str, test: &dyn Fn(&Value) -> bool) -> bool {
        let of_field = self.fields.iter().filter(|(name, _)| name == field);
        of_field.into_iter().any(|(_, value)| match value {
            FieldValue::One(value) => test(value),
            FieldValue::Many(values) => values.iter().any(test),
            FieldValue::Span(first, last) => test(first) || test(last),
        })
    }
}

impl Rule {
    /// Reads a rule; see `docs/security.md` for the language.
    pub fn parse(text: &str) -> Result<Rule, RuleError> {
        Ok(Rule { text: text.to_string(), root: parse::parse(text)? })
    }

    /// The names of the index fields that it asks about, each once; `account`, `definition`, `kind` and the document's own
    /// `date` are none.
    pub fn fields(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        self.root.fields(&mut found);
        found
    }

    /// The fields that it asks about and that none of the known ones is: such a test holds for no document.
    pub fn unknown_fields(&self, known: &[String]) -> Vec<String> {
        self.fields().into_iter().filter(|field| !known.iter().any(|name| name == field)).map(str::to_string).collect()
    }

    /// The rule for one user. `None`: it asks for an attribute that the user does not have, so that nothing can be
    /// said; a caller must then allow nothing.
    pub fn bind(&self, attributes: &Attributes) -> Option<Predicate> {
        self.root.bind(attributes)
    }
}

impl Part {
    fn fields<'r>(&'r self, found: &mut BTreeSet<&'r str>) {
        match self {
            Part::All(parts) | Part::Any(parts) => parts.iter().for_each(|part| part.fields(found)),
            Part::Not(part) => part.fields(found),
            Part::Fixed(predicate) => predicate.fields(found),
            Part::OfUser { field, .. } => {
                if !matches!(field.as_str(), "account" | "definition" | "kind") {
                    found.insert(field);
                }
            }
        }
    }

    fn bind(&self, attributes: &Attributes) -> Option<Predicate> {
        let each = |parts: &[Part]| parts.iter().map(|part| part.bind(attributes)).collect::<Option<Vec<_>>>();
        Some(match self {
            Part::All(parts) => Predicate::All(each(parts)?),
            Part::Any(parts) => Predicate::Any(each(parts)?),
            Part::Not(part) => Predicate::Not(Box::new(part.bind(attributes)?)),
            Part::Fixed(predicate) => predicate.clone(),
            Part::OfUser { field, attribute } => {
                let values = attributes.get(attribute).filter(|values| !values.is_empty())?;
                Predicate::one_of(field, values.clone())?
            }
        })
    }
}

impl Predicate {
    /// A field (or `account`, `definition`, `kind`) has one of these texts. `None`: one of them is too long.
    pub fn one_of(field: &str, values: Vec<String>) -> Option<Predicate> {
        Some(match field {
            "account" => Predicate::Account(values),
            "definition" => Predicate::Definition(values),
            "kind" => Predicate::Kind(values),
            _ => {
                let values: Vec<String> = values.iter().map(|value| fold(value)).collect();
                if values.iter().any(|value| value.len() > LONGEST_TEXT) {
                    return None;
                }
                Predicate::Text { field: field.to_string(), values }
            }
        })
    }

    fn fields<'p>(&'p self, found: &mut BTreeSet<&'p str>) {
        match self {
            Predicate::All(parts) | Predicate::Any(parts) => parts.iter().for_each(|part| part.fields(found)),
            Predicate::Not(part) => part.fields(found),
            Predicate::Text { field, .. }
            | Predicate::Number { field, .. }
            | Predicate::Dated { field: Some(field), .. } => {
                found.insert(field);
            }
            _ => {}
        }
    }

    /// Whether it holds for a document.
    pub fn holds(&self, facts: &Facts) -> bool {
        match self {
            Predicate::Everything => true,
            Predicate::Nothing => false,
            Predicate::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Predicate::Any(parts) => parts.iter().any(|part| part.holds(facts)),
            Predicate::Not(part) => !part.holds(facts),
            Predicate::Account(accounts) => facts.account.as_ref().is_some_and(|account| accounts.contains(account)),
            Predicate::Definition(names) => names.contains(&facts.definition),
            Predicate::Kind(kinds) => kinds.contains(&facts.kind),
            Predicate::Text { field, values } => facts.any(field, &|value| match value {
                Value::Text(text) => values.contains(&fold(text)),
                _ => false,
            }),
            Predicate::Dated { field: None, from, to } => facts.date.is_some_and(|day| (*from..=*to).contains(&day)),
            Predicate::Dated { field: Some(field), from, to } => facts.any(field, &|value| match value {
                Value::Date(day) => (*from..=*to).contains(&day.0),
                _ => false,
            }),
            Predicate::Number { field, from, to } => {
                facts.any(field, &|value| value.nano().is_some_and(|number| (*from..=*to).contains(&number)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LoadId;
    use crate::index::value::{Day, Decimal};

    fn bill() -> Facts {
        Facts {
            id: DocId { load: LoadId(1), ordinal: 1 },
            definition: "phone-bill".into(),
            kind: "bill".into(),
            account: Some("47-11".into()),
            date: Some(20_000),
            fields: vec![
                ("region".into(), FieldValue::One(Value::Text("North  Éast".into()))),
                ("amount".into(), FieldValue::One(Value::Decimal(Decimal { units: 1050, scale: 2 }))),
                ("due".into(), FieldValue::One(Value::Date(Day(20_010)))),
                ("parts".into(), FieldValue::Many(vec![Value::Integer(3), Value::Integer(9)])),
            ],
        }
    }

    fn holds(text: &str) -> bool {
        let attributes = Attributes::from([
            ("region".into(), vec!["north east".into(), "south".into()]),
            ("accounts".into(), vec!["47-11".into()]),
        ]);
        let rule = Rule::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        rule.bind(&attributes).is_some_and(|predicate| predicate.holds(&bill()))
    }

    #[test]
    fn rules_hold_as_they_read() {
        for text in [
            "everything",
            "not nothing",
            "region = \"NORTH EAST\"",
            "region = user.region",
            "region in (\"west\", 'north east')",
            "region != \"west\"",
            "account in user.accounts",
            "definition = \"phone-bill\" and kind in (\"bill\")",
            "amount = 10.50 and amount > 10.49 and amount <= 10.5 and not amount < 10.5",
            "date >= 2024-10-04 and date < 2024-10-05",
            "due > 2024-10-13",
            "parts = 9 and parts != 4",
            "nothing or (kind = \"bill\" and (amount < 0 or amount > 1))",
            "not unknown = \"x\"",
        ] {
            assert!(holds(text), "{text}");
        }
        for text in [
            "nothing",
            "account = \"4711\"",
            "account = user.name",
            "region = \"north-east\"",
            "kind = \"Bill\"",
            "amount = 10.500000001",
            "unknown = 3",
            "parts > 9",
            "region = 5",
            "not region = user.unknown",
        ] {
            assert!(!holds(text), "{text}");
        }
    }

    #[test]
    fn a_rule_names_the_fields_that_nothing_has() {
        let text =
            "account = user.x and (not regoin = user.region or amount > 3) and due > 2024-01-01 and date > 2024-01-01";
        let rule = Rule::parse(text).expect("a rule");
        assert_eq!(rule.fields().into_iter().collect::<Vec<_>>(), ["amount", "due", "regoin"]);
        assert_eq!(rule.unknown_fields(&["amount".into(), "due".into(), "region".into()]), ["regoin"]);
    }

    #[test]
    fn an_attribute_that_is_missing_decides_nothing_also_under_not() {
        let rule = Rule::parse("everything or not region = user.branch").expect("a rule");
        assert_eq!(rule.bind(&Attributes::new()), None);
        assert_eq!(rule.bind(&Attributes::from([("branch".into(), Vec::new())])), None);
        assert_eq!(rule.bind(&Attributes::from([("branch".into(), vec!["x".repeat(201)])])), None);
        assert!(rule.bind(&Attributes::from([("branch".into(), vec!["12".into()])])).is_some());
    }
}
