//! What somebody may see, as a query: the same as rules say of rows.

use tantivy::Term;
use tantivy::query::{AllQuery, BooleanQuery, EmptyQuery, Occur};
use tantivy::schema::Field;

use super::{Compiled, Compiler, any, every, terms};
use crate::auth::predicate::Predicate;
use crate::search::literal::Nano;
use crate::search::schema::{equal_key, pattern_key};

/// Fields of every document that no pattern masks; the text of pages is indexed as masked.
const TOLD: [&str; 6] = ["definition", "id", "kind", "load", "pages", "text"];

/// The patterns that mask something for who asks.
#[derive(Debug, Default)]
pub(in crate::search) struct Patterns {
    /// Those that were looked for in every document of their definition.
    pub(in crate::search) marks: Vec<u64>,
    /// Definitions with others, newer than the index: until it is made anew, nobody knows which fields they mask.
    pub(in crate::search) not_looked_for: Vec<String>,
}

impl Compiler<'_> {
    /// A test of a field, without the documents that show the field only masked: those of a definition that masks it, and
    /// those where a pattern that masks finds something in its value.
    pub(super) fn unmasked(&self, name: &str, query: Compiled) -> Compiled {
        let of_field = self.masked.get(name).into_iter().flatten();
        // What is told of every document, whatever is printed, no pattern looks at.
        let patterns = if TOLD.contains(&name) { &Patterns::default() } else { &self.patterns };
        let definitions: Vec<String> = of_field.chain(&patterns.not_looked_for).cloned().collect();
        let mut clauses = vec![(Occur::Must, query)];
        if !definitions.is_empty() {
            clauses.push((Occur::MustNot, self.labels(self.layout.definition, &definitions)));
        }
        if !patterns.marks.is_empty() {
            let term = |mark: &u64| Term::from_field_bytes(self.layout.key, &pattern_key(*mark, name));
            clauses.push((Occur::MustNot, terms(patterns.marks.iter().map(term))));
        }
        if clauses.len() == 1 { clauses.swap_remove(0).1 } else { Box::new(BooleanQuery::new(clauses)) }
    }

    /// Documents for which a predicate holds; the same as [`Predicate::holds`] says of their rows.
    pub(in crate::search) fn allowed(&self, predicate: &Predicate) -> Compiled {
        let each = |parts: &[Predicate]| parts.iter().map(|part| self.allowed(part)).collect::<Vec<_>>();
        match predicate {
            Predicate::Everything => Box::new(AllQuery),
            Predicate::Nothing => Box::new(EmptyQuery),
            Predicate::All(parts) if parts.is_empty() => Box::new(AllQuery),
            Predicate::All(parts) => every(each(parts)),
            Predicate::Any(parts) if parts.is_empty() => Box::new(EmptyQuery),
            Predicate::Any(parts) => any(each(parts)),
            Predicate::Not(part) => {
                let all: Compiled = Box::new(AllQuery);
                Box::new(BooleanQuery::new(vec![(Occur::Must, all), (Occur::MustNot, self.allowed(part))]))
            }
            Predicate::Account(accounts) => {
                terms(accounts.iter().map(|account| Term::from_field_bytes(self.layout.owner, account.as_bytes())))
            }
            Predicate::Definition(names) => self.labels(self.layout.definition, names),
            Predicate::Kind(kinds) => self.labels(self.layout.kind, kinds),
            Predicate::Text { field, values } => {
                let term = |value: &String| Term::from_field_bytes(self.layout.key, &equal_key(field, value));
                terms(values.iter().map(term))
            }
            Predicate::Dated { field, from, to } => {
                let ends = (Some(i64::from(*from)), Some(i64::from(*to)));
                match field {
                    None => self.own_date(ends),
                    Some(field) => self.column_range("d", field, ends),
                }
            }
            Predicate::Number { field, from, to } => {
                let ends = (Some(*from).filter(|from| *from > Nano::MIN), Some(*to).filter(|to| *to < Nano::MAX));
                any(self.number_values(field, ends))
            }
        }
    }

    fn labels(&self, field: Field, words: &[String]) -> Compiled {
        terms(words.iter().map(|word| Term::from_field_text(field, word)))
    }
}
