//! Gives a query's tests their meaning: which terms and columns of the index they look at.

mod rights;

pub(super) use rights::Patterns;

use std::collections::BTreeMap;
use std::ops::{Bound, RangeInclusive};
use std::sync::Arc;

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, ConstScoreQuery, EmptyQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query as IndexQuery,
    RangeQuery, TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::guard::{FewOrOthers, Gate, Guarded, Heads, Present, beginning_with};
use super::literal::{NANOS_PER_STEP, Nano, days, number};
use super::query::{End, Node, Query, QueryError, Test, Want};
use super::schema::{
    Layout, NUMBER_KEY, SQUEEZED_KEY, SQUEEZED_WORDS_KEY, TEXT_KEY, key_head, natural, number_key, number_of, text_key,
};
use super::words::{Kind, NAME_END, Wanted, wanted};
use crate::archive::DocId;
use crate::index::fold::{fold, has_separators, squeeze};
use crate::index::value::FieldType;

type Compiled = Box<dyn IndexQuery>;

/// Words that a phrase search may expand its open end to.
const MOST_EXPANSIONS: u32 = 100_000;

/// Longest beginning, in bytes, of which is looked whether other words could begin so too.
const LONGEST_GUARDED: usize = 32;

/// Names that every document can be searched by, whatever its definition.
pub(super) const BUILT_IN: [&str; 9] = ["account", "date", "definition", "id", "kind", "load", "pages", "text", "year"];

/// The fields of all definitions: name to types.
pub(super) type KnownFields = BTreeMap<String, Vec<FieldType>>;

/// Compiles queries against a layout and the fields that exist.
pub(super) struct Compiler<'a> {
    pub(super) layout: &'a Layout,
    /// What the index has of which field.
    pub(super) heads: &'a Arc<Heads>,
    pub(super) fields: &'a KnownFields,
    /// Fields whose values the asker does not see whole: name to definitions. They find no document of these.
    pub(super) masked: BTreeMap<String, Vec<String>>,
    /// Patterns that mask parts of values for the asker.
    pub(super) patterns: Patterns,
    /// The asker sees no document.
    pub(super) sees_none: bool,
    /// Whether an unknown field is answered with the names of all fields: they tell of reports that not everybody sees.
    pub(super) tells_fields: bool,
}

/// `values` from the first to the last, `None` being open.
type Ends<T> = (Option<T>, Option<T>);

impl Compiler<'_> {
    pub(super) fn compile(&self, query: &Query) -> Result<Compiled, QueryError> {
        self.node(&query.root)
    }

    fn node(&self, node: &Node) -> Result<Compiled, QueryError> {
        match node {
            Node::All => Ok(constant(Box::new(AllQuery))),
            Node::Or(nodes) => Ok(any(nodes.iter().map(|node| self.node(node)).collect::<Result<_, _>>()?)),
            Node::Not(_) => self.all(std::slice::from_ref(node)),
            Node::And(nodes) => self.all(nodes),
            Node::Test(test) => self.test(test),
        }
    }

    fn all(&self, nodes: &[Node]) -> Result<Compiled, QueryError> {
        let mut clauses = Vec::with_capacity(nodes.len() + 1);
        for node in nodes {
            clauses.push(match node {
                Node::Not(inner) => (Occur::MustNot, self.node(inner)?),
                _ => (Occur::Must, self.node(node)?),
            });
        }
        if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
            clauses.push((Occur::Must, constant(Box::new(AllQuery))));
        }
        Ok(Box::new(BooleanQuery::new(clauses)))
    }

    fn test(&self, test: &Test) -> Result<Compiled, QueryError> {
        let Some(name) = &test.field else { return self.anywhere(test) };
        let mut found = Vec::new();
        let mut problem = None;
        let mut keep = |result: Result<Compiled, QueryError>| match result {
            Ok(query) => found.push(query),
            Err(error) => problem = Some(error),
        };
        if let Some(result) = self.built_in(name, test) {
            keep(result.map(|query| self.unmasked(name, query)));
        }
        for kind in self.fields.get(name).into_iter().flatten() {
            if name == "account" && *kind == FieldType::Text {
                continue;
            }
            keep(self.typed(name, *kind, test).map(|query| self.unmasked(name, constant(query))));
        }
        match problem {
            _ if !found.is_empty() => Ok(any(found)),
            Some(error) => Err(error),
            // Who sees no document has no fields: whatever is named finds nothing.
            None if self.sees_none => Ok(Box::new(EmptyQuery)),
            None => Err(self.unknown(name, test.field_at)),
        }
    }

    fn unknown(&self, name: &str, at: usize) -> QueryError {
        let fields = self.fields.keys().map(String::as_str).filter(|_| self.tells_fields);
        let mut names: Vec<&str> = fields.chain(BUILT_IN).collect();
        names.sort_unstable();
        names.dedup();
        let advice = format!("Fields are: {}. To search text with a colon, quote it.", names.join(", "));
        QueryError::new(at, format!("there is no field `{name}`"), advice)
    }

    fn built_in(&self, name: &str, test: &Test) -> Option<Result<Compiled, QueryError>> {
        let layout = self.layout;
        Some(match name {
            "account" => self.text_field(name, test).map(constant),
            "date" => self.date_ends(test).map(|ends| any(vec![self.own_date(ends), self.dates(name, ends)])),
            "year" => self.date_ends(test).map(|ends| self.own_date(ends)),
            "definition" => label(layout.definition, test),
            "kind" => label(layout.kind, test),
            "pages" => self.counter(test).map(|ends| range_u64(layout.pages, ends)),
            "load" => self.counter(test).map(|ends| range_u64(layout.load, ends)),
            "id" => self.document(test),
            "text" => self.in_text(test).map(any),
            _ => return None,
        })
    }

    fn document(&self, test: &Test) -> Result<Compiled, QueryError> {
        let (Want::Word(text) | Want::Exact(text) | Want::Phrase(text)) = &test.want else {
            return Err(QueryError::new(test.at, "a document id cannot be compared", "Write `id:7-123`."));
        };
        let id: DocId = text.parse().map_err(|()| {
            QueryError::new(test.at, format!("{text:?} is not a document id"), "Ids look like `7-123`.")
        })?;
        let number = number_of(id);
        let load: Compiled = Box::new(TermQuery::new(self.layout.load_term(id.load), IndexRecordOption::Basic));
        let clauses = vec![load, range_u64(self.layout.id, (Some(number), Some(number)))];
        Ok(constant(Box::new(BooleanQuery::intersection(clauses))))
    }

    fn typed(&self, name: &str, kind: FieldType, test: &Test) -> Result<Compiled, QueryError> {
        match kind {
            FieldType::Text => self.text_field(name, test),
            FieldType::Date => self.date_ends(test).map(|ends| self.dates(name, ends)),
            FieldType::Decimal | FieldType::Integer => number_ends(test).map(|ends| self.numbers(name, ends)),
        }
    }

    // ---- words ----

    /// A word without a field: in the text, and in the text fields.
    fn anywhere(&self, test: &Test) -> Result<Compiled, QueryError> {
        let mut found = self.in_text(test)?;
        let mut in_fields = Vec::new();
        let text_fields = self.fields.iter().filter(|(_, kinds)| kinds.contains(&FieldType::Text));
        let names = text_fields.map(|(name, _)| name.as_str()).filter(|name| *name != "account");
        for name in std::iter::once("account").chain(names) {
            let mut of_field = Vec::new();
            self.whole_and_words(name, test, &mut of_field)?;
            in_fields.push(self.unmasked(name, any(of_field)));
        }
        found.push(constant(any(in_fields)));
        Ok(any(found))
    }

    fn in_text(&self, test: &Test) -> Result<Vec<Compiled>, QueryError> {
        let open = matches!(test.want, Want::Prefix(_));
        let words = words_of(test)?;
        let (text, bag) = (self.layout.text, self.layout.bag);
        let terms = |field: Field| words.iter().map(|w| Term::from_field_text(field, &w.word)).collect::<Vec<_>>();
        let open = open || words.last().is_some_and(|last| last.kind == Kind::Lone);
        let mut together: Vec<(Occur, Compiled)> = Vec::new();
        for (i, term) in terms(bag).into_iter().enumerate() {
            if words[i].kind != Kind::Last {
                together.push((Occur::Must, word(term, open && i + 1 == words.len())));
            }
        }
        Ok(vec![next_to_each_other(terms(text), open), Box::new(BooleanQuery::new(together))])
    }

    /// Whole values and words of a text field.
    fn whole_and_words(&self, name: &str, test: &Test, found: &mut Vec<Compiled>) -> Result<(), QueryError> {
        let key = self.layout.key;
        let value = plain_value(test)?;
        let folded = fold(value);
        let open = matches!(test.want, Want::Prefix(_));
        let whole = |kind: u8, value: &str| -> Compiled {
            let bytes = if open { open_key(name, kind, value) } else { text_key(name, kind, value) };
            let term = Term::from_field_bytes(key, &bytes);
            let mut query = word(term, open);
            if open && kind == SQUEEZED_WORDS_KEY {
                query = self.where_words_differ(name, &folded, query);
            }
            self.where_present(key, key_head(name, kind), query)
        };
        found.push(whole(TEXT_KEY, &folded));
        let squeezed = squeeze(&folded);
        let exact = matches!(test.want, Want::Exact(_));
        // Account numbers are typed with the separators that are printed, with others, or with none.
        if !squeezed.is_empty() && (!exact || has_separators(&folded) || name == "account") {
            found.push(whole(SQUEEZED_KEY, &squeezed));
            found.push(whole(SQUEEZED_WORDS_KEY, &squeezed));
        }
        if !exact {
            if has_separators(&folded) && !squeezed.is_empty() {
                found.push(whole(TEXT_KEY, &squeezed));
            }
            let words = wanted(value);
            let open = open || words.last().is_some_and(|last| last.kind == Kind::Lone);
            let term = |w: &Wanted| Term::from_field_text(self.layout.field, &format!("{name}{NAME_END}{}", w.word));
            if !words.is_empty() {
                let head = format!("{name}{NAME_END}").into_bytes();
                let words = next_to_each_other(words.iter().map(term).collect(), open);
                found.push(self.where_present(self.layout.field, head, words));
            }
        }
        Ok(())
    }

    /// Values of several words that begin with `folded` when their separators are left out, but for those whose first
    /// word begins so: that one finds them already. The first word of what is left is a beginning of `folded`, or goes
    /// on with something other than a letter or digit behind one. Common beginnings have as many values as there are
    /// documents, and hardly ever one of these.
    fn where_words_differ(&self, name: &str, folded: &str, values: Compiled) -> Compiled {
        let plain = folded.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain || folded.len() > LONGEST_GUARDED {
            return values;
        }
        let term = |head: &str, next: &str| format!("{name}{NAME_END}{head}{next}").into_bytes();
        let mut others = Vec::new();
        for head in (0..folded.len()).filter_map(|end| folded.get(..end)) {
            others.extend([("", "0"), (":", "a")].map(|(from, to)| (term(head, from), term(head, to))));
            if !head.is_empty() {
                others.push((term(head, "{"), term(head, "\u{10ffff}")));
            }
        }
        let wanted = beginning_with(&open_key(name, SQUEEZED_WORDS_KEY, folded));
        guarded(FewOrOthers { of: self.layout.key, wanted, field: self.layout.field, others }, values)
    }

    /// A query for terms that begin with `head`.
    fn where_present(&self, field: Field, head: Vec<u8>, query: Compiled) -> Compiled {
        guarded(Present { heads: Arc::clone(self.heads), field, head }, query)
    }

    // ---- fields ----

    fn text_field(&self, name: &str, test: &Test) -> Result<Compiled, QueryError> {
        let mut found = Vec::new();
        let ends = if let Want::Range(from, to) = &test.want {
            found.push(self.key_range(name, TEXT_KEY, from.as_ref(), to.as_ref(), &fold));
            for kind in [SQUEEZED_KEY, SQUEEZED_WORDS_KEY] {
                found.push(self.key_range(name, kind, from.as_ref(), to.as_ref(), &|text| squeeze(&fold(text))));
            }
            (from.as_ref().map(|end| fold(&end.value)), to.as_ref().map(|end| fold(&end.value)))
        } else {
            self.whole_and_words(name, test, &mut found)?;
            let low = fold(plain_value(test)?);
            let high = if matches!(test.want, Want::Prefix(_)) { format!("{low}\u{10ffff}") } else { low.clone() };
            (Some(low), Some(high))
        };
        found.push(self.overlapping("t", name, &ends));
        let ends = (ends.0.map(|low| natural(&low)), ends.1.map(|high| natural(&high)));
        found.push(self.overlapping("o", name, &ends));
        Ok(any(found))
    }

    /// Whole text values of one kind between two ends.
    fn key_range(
        &self,
        name: &str,
        kind: u8,
        from: Option<&End>,
        to: Option<&End>,
        form: &dyn Fn(&str) -> String,
    ) -> Compiled {
        let term = |bytes: &[u8]| Term::from_field_bytes(self.layout.key, bytes);
        let edge = |end: &End| bound(end, term(&text_key(name, kind, &form(&end.value))));
        let low = from.map_or_else(|| Bound::Included(term(&key_head(name, kind))), edge);
        let high = to.map_or_else(|| Bound::Excluded(term(&key_head(name, kind + 1))), edge);
        self.where_present(self.layout.key, key_head(name, kind), Box::new(RangeQuery::new(low, high)))
    }

    /// Page ranges (first to last) that share a value with these ends.
    fn overlapping(&self, group: &str, name: &str, ends: &Ends<String>) -> Compiled {
        let part = |side: &str, low: Option<&String>, high: Option<&String>| {
            let term = |text: &String| {
                let mut term = self.column(&format!("{group}{side}"), name);
                term.append_type_and_str(text);
                Bound::Included(term)
            };
            match (low, high) {
                (None, None) => None,
                (low, high) => Some(Box::new(RangeQuery::new(
                    low.map_or(Bound::Unbounded, term),
                    high.map_or(Bound::Unbounded, term),
                )) as Compiled),
            }
        };
        let parts = [part("lo", None, ends.1.as_ref()), part("hi", ends.0.as_ref(), None)];
        every(parts.into_iter().flatten().collect())
    }

    fn column(&self, group: &str, name: &str) -> Term {
        Term::from_field_json_path(self.layout.column, &format!("{group}.{name}"), false)
    }

    fn column_range(&self, group: &str, name: &str, (low, high): Ends<i64>) -> Compiled {
        let term = |value: i64| {
            let mut term = self.column(group, name);
            term.append_type_and_fast_value(value);
            Bound::Included(term)
        };
        match (low, high) {
            (Some(low), Some(high)) if low > high => Box::new(EmptyQuery),
            (low, high) => {
                // Both ends given: an open one would look at no column at all.
                Box::new(RangeQuery::new(term(low.unwrap_or(i64::MIN)), term(high.unwrap_or(i64::MAX))))
            }
        }
    }

    fn date_ends(&self, test: &Test) -> Result<Ends<i64>, QueryError> {
        let read = |text: &str| -> Result<RangeInclusive<i64>, QueryError> {
            let found = days(text).ok_or_else(|| {
                let advice = "Write 2024-03-05, 2024-03 or 2024.";
                QueryError::new(test.at, format!("{text:?} is not a date"), advice)
            })?;
            Ok(i64::from(*found.start())..=i64::from(*found.end()))
        };
        match &test.want {
            Want::Range(from, to) => {
                let low = from
                    .as_ref()
                    .map(|end| read(&end.value).map(|days| if end.included { *days.start() } else { *days.end() + 1 }));
                let high = to
                    .as_ref()
                    .map(|end| read(&end.value).map(|days| if end.included { *days.end() } else { *days.start() - 1 }));
                Ok((low.transpose()?, high.transpose()?))
            }
            Want::Word(text) | Want::Phrase(text) | Want::Exact(text) => {
                let days = read(text)?;
                Ok((Some(*days.start()), Some(*days.end())))
            }
            Want::Prefix(_) => {
                let advice = "Leave the end away: 2024-03 finds the whole month.";
                Err(QueryError::new(test.at, "a date has no wildcard", advice))
            }
        }
    }

    fn own_date(&self, (low, high): Ends<i64>) -> Compiled {
        let term = |day: i64| Bound::Included(Term::from_field_i64(self.layout.date, day));
        if low.zip(high).is_some_and(|(low, high)| low > high) {
            return Box::new(EmptyQuery);
        }
        let range = RangeQuery::new(term(low.unwrap_or(i64::MIN)), term(high.unwrap_or(i64::MAX)));
        constant(Box::new(range))
    }

    fn dates(&self, name: &str, ends: Ends<i64>) -> Compiled {
        let spans =
            vec![self.column_range("dlo", name, (None, ends.1)), self.column_range("dhi", name, (ends.0, None))];
        constant(any(vec![self.column_range("d", name, ends), every(spans)]))
    }

    fn numbers(&self, name: &str, (low, high): Ends<Nano>) -> Compiled {
        let mut found = self.number_values(name, (low, high));
        let spans = vec![
            self.column_range("nlo", name, (None, high.map(|v| clamp(down(v))))),
            self.column_range("nhi", name, (low.map(|v| clamp(up(v))), None)),
        ];
        found.push(every(spans));
        any(found)
    }

    /// Values that are written down, without what lies between the first and the last one of a page range.
    fn number_values(&self, name: &str, (low, high): Ends<Nano>) -> Vec<Compiled> {
        let mut found = Vec::new();
        let beyond = low.is_some_and(|low| up(low) > Nano::from(i64::MAX))
            || high.is_some_and(|high| down(high) < Nano::from(i64::MIN));
        if !beyond {
            found.push(self.column_range("n", name, (low.map(|v| clamp(up(v))), high.map(|v| clamp(down(v))))));
        }
        let key = |bytes: Vec<u8>| Term::from_field_bytes(self.layout.key, &bytes);
        let from = low.map_or_else(|| key_head(name, NUMBER_KEY), |value| number_key(name, value));
        let to = high.map_or_else(
            || Bound::Excluded(key(key_head(name, NUMBER_KEY + 1))),
            |value| Bound::Included(key(number_key(name, value))),
        );
        if low.zip(high).is_none_or(|(low, high)| low <= high) {
            found.push(Box::new(RangeQuery::new(Bound::Included(key(from)), to)));
        }
        found
    }

    fn counter(&self, test: &Test) -> Result<Ends<u64>, QueryError> {
        let (low, high) = number_ends(test)?;
        let whole = |value: Nano| u64::try_from(value.max(0) / 1_000_000_000).unwrap_or(u64::MAX);
        let up = |value: Nano| whole(value.saturating_add(999_999_999));
        if high.is_some_and(|high| high < 0) {
            return Ok((Some(1), Some(0)));
        }
        Ok((low.map(up), high.map(whole)))
    }
}

/// Documents with one of these terms.
fn terms(terms: impl Iterator<Item = Term>) -> Compiled {
    let mut terms: Vec<Term> = terms.collect();
    match terms.len() {
        0 => Box::new(EmptyQuery),
        1 => constant(Box::new(TermQuery::new(terms.swap_remove(0), IndexRecordOption::Basic))),
        _ => constant(Box::new(TermSetQuery::new(terms))),
    }
}

/// The column step at or above a number.
fn up(value: Nano) -> Nano {
    -(-value).div_euclid(NANOS_PER_STEP)
}

/// The column step at or below a number.
fn down(value: Nano) -> Nano {
    value.div_euclid(NANOS_PER_STEP)
}

fn clamp(steps: Nano) -> i64 {
    i64::try_from(steps).unwrap_or(if steps < 0 { i64::MIN } else { i64::MAX })
}

/// The value of a test that is not a range.
fn plain_value(test: &Test) -> Result<&str, QueryError> {
    match &test.want {
        Want::Word(value) | Want::Phrase(value) | Want::Exact(value) => Ok(value),
        Want::Prefix(stem) => {
            let short = stem.chars().count() < 2 && stem.is_ascii();
            if short {
                let advice = "Write at least two characters before the `*`.";
                return Err(QueryError::new(test.at, format!("`{stem}*` would find too much"), advice));
            }
            Ok(stem)
        }
        Want::Range(..) => {
            Err(QueryError::new(test.at, "text cannot be compared here", "Name a field: `amount:>100`."))
        }
    }
}

fn words_of(test: &Test) -> Result<Vec<Wanted>, QueryError> {
    let value = plain_value(test)?;
    let words = wanted(value);
    if words.is_empty() {
        let advice = "Write words of letters or digits.";
        return Err(QueryError::new(test.at, format!("there is no word in {value:?}"), advice));
    }
    Ok(words)
}

/// The beginning of a whole value's term; nothing longer than a term keeps its own bytes.
fn open_key(name: &str, kind: u8, folded: &str) -> Vec<u8> {
    let mut key = key_head(name, kind);
    key.extend_from_slice(folded.as_bytes());
    key
}

fn number_ends(test: &Test) -> Result<Ends<Nano>, QueryError> {
    let read = |text: &str| {
        number(text).ok_or_else(|| {
            let advice = "Write a number such as 1234.50, at most nine decimals.";
            QueryError::new(test.at, format!("{text:?} is not a number"), advice)
        })
    };
    match &test.want {
        Want::Range(from, to) => {
            let low = from.as_ref().map(|end| read(&end.value).map(|v| if end.included { v } else { v + 1 }));
            let high = to.as_ref().map(|end| read(&end.value).map(|v| if end.included { v } else { v - 1 }));
            Ok((low.transpose()?, high.transpose()?))
        }
        Want::Word(text) | Want::Phrase(text) | Want::Exact(text) => read(text).map(|v| (Some(v), Some(v))),
        Want::Prefix(_) => {
            Err(QueryError::new(test.at, "a number has no wildcard", "Write a range: `120..130` or `>=120`."))
        }
    }
}

fn label(field: Field, test: &Test) -> Result<Compiled, QueryError> {
    let value = plain_value(test)?.to_lowercase();
    Ok(constant(word(Term::from_field_text(field, &value), matches!(test.want, Want::Prefix(_)))))
}

fn range_u64(field: Field, (low, high): Ends<u64>) -> Compiled {
    let term = |value: u64| Bound::Included(Term::from_field_u64(field, value));
    if low.zip(high).is_some_and(|(low, high)| low > high) {
        return Box::new(EmptyQuery);
    }
    constant(Box::new(RangeQuery::new(term(low.unwrap_or(0)), term(high.unwrap_or(u64::MAX)))))
}

fn bound(end: &End, term: Term) -> Bound<Term> {
    if end.included { Bound::Included(term) } else { Bound::Excluded(term) }
}

/// Documents with this term, or with any term that begins with it.
fn word(term: Term, open: bool) -> Compiled {
    if !open {
        return Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
    }
    let mut next = term.serialized_value_bytes().to_vec();
    while next.last() == Some(&0xff) {
        next.pop();
    }
    let Some(last) = next.last_mut() else { return Box::new(EmptyQuery) };
    *last += 1;
    let mut end = term.clone();
    end.truncate_value_bytes(0);
    end.append_bytes(&next);
    Box::new(RangeQuery::new(Bound::Included(term), Bound::Excluded(end)))
}

/// Documents with these terms next to each other; an open end lets the last one go on.
fn next_to_each_other(mut terms: Vec<Term>, open: bool) -> Compiled {
    if terms.len() == 1 {
        return word(terms.swap_remove(0), open);
    }
    if !open {
        return Box::new(PhraseQuery::new(terms));
    }
    let mut query = PhrasePrefixQuery::new(terms);
    query.set_max_expansions(MOST_EXPANSIONS);
    Box::new(query)
}

fn guarded(gate: impl Gate, inner: Compiled) -> Compiled {
    Box::new(Guarded { gate, inner })
}

fn constant(query: Compiled) -> Compiled {
    Box::new(ConstScoreQuery::new(query, 1.0))
}

fn any(mut queries: Vec<Compiled>) -> Compiled {
    if queries.len() == 1 {
        return queries.swap_remove(0);
    }
    Box::new(BooleanQuery::union(queries))
}

fn every(mut queries: Vec<Compiled>) -> Compiled {
    if queries.len() == 1 {
        return queries.swap_remove(0);
    }
    Box::new(BooleanQuery::intersection(queries))
}
