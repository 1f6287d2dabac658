//! What somebody may see, as a query: the same as rules say of rows.

use tantivy::Term;
use tantivy::query::{AllQuery, BooleanQuery, EmptyQuery, Occur};
use tantivy::schema::Field;

use super::{Compiled, Compiler, any, every, terms};
use crate::auth::predicate::Predicate;
use crate::search::literal::Nano;
use crate::search::schema::equal_key;

impl Compiler<'_> {
    /// A test of a field, without the documents that show the field only masked.
    pub(super) fn unmasked(&self, name: &str, query: Compiled) -> Compiled {
        let Some(definitions) = self.masked.get(name) else { return query };
        let hidden = self.labels(self.layout.definition, definitions);
        Box::new(BooleanQuery::new(vec![(Occur::Must, query), (Occur::MustNot, hidden)]))
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
