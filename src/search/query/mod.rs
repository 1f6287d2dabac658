//! The query language: text in, a tree of tests out. `docs/search.md` explains it to users.
//!
//! Parsing knows nothing of fields and types; `compile.rs` gives the tests their meaning. No text makes the parser
//! panic, and what it accepts is bounded: [`MOST_CHARACTERS`], [`MOST_TESTS`], [`DEEPEST`].

mod parse;

use std::str::FromStr;

/// Longest query in characters.
pub const MOST_CHARACTERS: usize = 4_000;
/// Most words, phrases and field tests in a query.
pub const MOST_TESTS: usize = 200;
/// Deepest nesting of parentheses and exclusions.
pub const DEEPEST: usize = 20;

/// A query that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub(super) text: String,
    pub(super) root: Node,
}

impl Query {
    /// Reads a query; an empty one means all documents.
    pub fn parse(text: &str) -> Result<Query, QueryError> {
        parse::parse(text)
    }

    /// All documents.
    pub fn all() -> Query {
        Query { text: String::new(), root: Node::All }
    }

    /// This query, and additionally a field has exactly this value. For filters that come beside the query text.
    pub fn and_field(self, field: &str, value: &str) -> Query {
        self.and(field, Want::Exact(value.to_owned()))
    }

    /// This query, and additionally the document's date is in a range (days since 1970-01-01, both included).
    pub fn and_dates(self, from: Option<i32>, to: Option<i32>) -> Query {
        let end = |day: i32| End { value: crate::index::value::Day(day).to_string(), included: true };
        if from.is_none() && to.is_none() {
            return self;
        }
        self.and("date", Want::Range(from.map(end), to.map(end)))
    }

    fn and(self, field: &str, want: Want) -> Query {
        let test = Test { field: Some(field.to_owned()), field_at: 1, at: 1, want };
        let text = format!("{} +{test:?}", self.text);
        Query { text, root: Node::And(vec![self.root, Node::Test(test)]) }
    }
}

impl FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Query, QueryError> {
        Query::parse(text)
    }
}

impl Node {
    /// Whether it tests a field of some reports, not only what every document has.
    pub(super) fn names_fields(&self, of_all: &[&str]) -> bool {
        match self {
            Node::All => false,
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().any(|node| node.names_fields(of_all)),
            Node::Not(node) => node.names_fields(of_all),
            Node::Test(test) => test.field.as_deref().is_some_and(|name| !of_all.contains(&name)),
        }
    }
}

/// A part of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    All,
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Test(Test),
}

/// One thing to test a document for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Test {
    /// The field, lower case; `None` searches the text.
    pub(super) field: Option<String>,
    /// Where the name of the field stands in the query, in characters from 1.
    pub(super) field_at: usize,
    /// Where the value stands.
    pub(super) at: usize,
    /// What for.
    pub(super) want: Want,
}

/// What a test looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Want {
    /// A word, or whatever it is cut into next to each other.
    Word(String),
    /// Quoted words next to each other.
    Phrase(String),
    /// The beginning of a word or value (`tay*`).
    Prefix(String),
    /// The whole value (`=`).
    Exact(String),
    /// Values from one end to the other.
    Range(Option<End>, Option<End>),
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub(super) value: String,
    pub(super) included: bool,
}

/// What is wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (character {at} of the query)")]
pub struct QueryError {
    /// Where, in characters from 1.
    pub at: usize,
    /// What is wrong.
    pub problem: String,
    /// What to do: a full sentence.
    pub advice: String,
}

impl QueryError {
    pub(super) fn new(at: usize, problem: impl Into<String>, advice: impl Into<String>) -> QueryError {
        QueryError { at, problem: problem.into(), advice: advice.into() }
    }
}
