//! Answers queries: hit lists, streams of hits, facets.
//!
//! Rights and the catalogue's state are part of every query that reaches the index, so that nothing is counted that
//! may not be seen; what comes out is checked against the catalogue once more.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use tantivy::query::{BooleanQuery, ConstScoreQuery, EnableScoring, Occur, Query as IndexQuery, TermSetQuery};
use tantivy::{DocSet, Searcher, TERMINATED, Term};

use super::answers::Answer;
use super::collect::{Count, Facets, First, Key, number_in, score_in};
use super::compile::{BUILT_IN, Compiler, KnownFields, Patterns};
use super::feed::load_of;
use super::hits::{Cursor, Hit, HitList, Sort, Statistics, Window, fingerprint};
use super::schema::{id_of, pattern_key};
use super::{Catalogue, Moment, Query, Search, SearchError};
use crate::archive::{LoadId, Seq};
use crate::auth::gate::{Scope, Sight};
use crate::auth::predicate::Predicate;

/// Hits that [`Search::for_each_hit`] keeps in memory at a time (16 bytes each).
pub(super) const HITS_AT_ONCE: usize = 250_000;

/// The same for the first piece.
const FIRST_AT_ONCE: usize = 1_000;

impl Search {
    /// One page of the documents that match and may be seen.
    pub fn hits(
        &self,
        catalogue: &dyn Catalogue,
        query: &Query,
        scope: &Scope,
        window: &Window,
    ) -> Result<HitList, SearchError> {
        self.list(catalogue, query, scope, window, None).map(|(list, _)| list)
    }

    /// The same with the counts of [`Search::facets`], at hardly more than the cost of one of the two.
    pub fn hits_and_facets(
        &self,
        catalogue: &dyn Catalogue,
        query: &Query,
        scope: &Scope,
        window: &Window,
    ) -> Result<(HitList, Facets), SearchError> {
        let (list, facets) = self.list(catalogue, query, scope, window, Some(Count))?;
        Ok((list, facets.unwrap_or_default()))
    }

    fn list(
        &self,
        catalogue: &dyn Catalogue,
        query: &Query,
        scope: &Scope,
        window: &Window,
        facets: Option<Count>,
    ) -> Result<(HitList, Option<Facets>), SearchError> {
        let moment = self.moment();
        let print = fingerprint(&query.text, scope, window.sort);
        let cursor = match &window.cursor {
            Some(text) => Some(Cursor::read(text).filter(|c| c.query == print).ok_or(SearchError::Cursor)?),
            None => None,
        };
        let (after, given) = cursor.map_or((None, Vec::new()), |cursor| (Some(cursor.key), cursor.statistics));
        let undated = undated(catalogue, scope)?;
        let keep = window.offset.saturating_add(window.limit);
        let known = self.known(catalogue, &moment, query, scope)?;
        let question = known.question(query, scope, window, facets.is_some());
        let answer = match question.as_deref().and_then(|question| moment.answers.get(question)) {
            Some(answer) => answer,
            None => {
                let first = First { sort: window.sort, after, keep, undated: undated.clone() };
                let answer = self.ask(&moment, known, (query, scope), (first, facets), given)?;
                if let Some(question) = question {
                    moment.answers.keep(question, &answer);
                }
                answer
            }
        };
        let Answer { found, facets, statistics } = answer;
        let keys = found.keys.get(window.offset..).unwrap_or_default();
        let more = found.behind > found.keys.len() as u64;
        let next = keys.last().filter(|_| more).map(|key| Cursor { query: print, key: *key, statistics }.print());
        let mut present = Present::new(catalogue);
        let mut hits = Vec::with_capacity(keys.len());
        for key in keys {
            present.push(window.sort, *key, &mut hits)?;
        }
        Ok((HitList { total: found.total.saturating_sub(present.missing), hits, next_cursor: next }, facets))
    }

    /// Asks the index.
    fn ask(
        &self,
        moment: &Moment,
        known: Known,
        (query, scope): (&Query, &Scope),
        (first, facets): (First, Option<Count>),
        given: Vec<u64>,
    ) -> Result<Answer, SearchError> {
        let undated = first.undated.clone();
        let searched = self.filtered(moment, known, query, scope)?;
        // How common a word is in the whole archive is nothing for somebody who sees a part of it.
        let blind = *scope.predicate() != Predicate::Everything;
        let statistics = Statistics::new(&moment.searcher, given, blind);
        let scoring = match first.sort {
            Sort::Relevance => EnableScoring::enabled_from_statistics_provider(&statistics, &moment.searcher),
            _ => EnableScoring::disabled_from_searcher(&moment.searcher),
        };
        let (found, facets) = moment.searcher.search_with_executor(
            &searched,
            &(first, facets),
            moment.searcher.index().search_executor(),
            scoring,
        )?;
        let facets = facets.map(|facets| self.dated(moment, &searched, &undated, facets)).transpose()?;
        Ok(Answer { found, facets, statistics: statistics.into_log() })
    }

    /// Visits all documents that match and may be seen, in order, until `each` breaks; for exports of any length.
    pub fn for_each_hit(
        &self,
        catalogue: &dyn Catalogue,
        query: &Query,
        scope: &Scope,
        sort: Sort,
        each: &mut dyn FnMut(Hit) -> ControlFlow<()>,
    ) -> Result<(), SearchError> {
        self.for_each_of(catalogue, query, scope, sort, HITS_AT_ONCE, each)
    }

    pub(super) fn for_each_of(
        &self,
        catalogue: &dyn Catalogue,
        query: &Query,
        scope: &Scope,
        sort: Sort,
        at_once: usize,
        each: &mut dyn FnMut(Hit) -> ControlFlow<()>,
    ) -> Result<(), SearchError> {
        // One moment for the whole list: nothing moves under it.
        let moment = self.moment();
        let searched = self.filtered(&moment, self.known(catalogue, &moment, query, scope)?, query, scope)?;
        let undated = undated(catalogue, scope)?;
        let mut present = Present::new(catalogue);
        let mut after: Option<Key> = None;
        // Most lists are read no further than their first screen.
        let mut keep = at_once.min(FIRST_AT_ONCE);
        loop {
            let found = moment.searcher.search(&searched, &First { sort, after, keep, undated: undated.clone() })?;
            keep = at_once;
            let mut hits = Vec::with_capacity(1);
            for key in &found.keys {
                present.push(sort, *key, &mut hits)?;
                if let Some(hit) = hits.pop()
                    && each(hit).is_break()
                {
                    return Ok(());
                }
            }
            if found.behind <= found.keys.len() as u64 {
                return Ok(());
            }
            after = found.keys.last().copied();
        }
    }

    /// Counts the documents that match and may be seen, by definition, kind and year.
    pub fn facets(&self, catalogue: &dyn Catalogue, query: &Query, scope: &Scope) -> Result<Facets, SearchError> {
        let moment = self.moment();
        let searched = self.filtered(&moment, self.known(catalogue, &moment, query, scope)?, query, scope)?;
        let facets = moment.searcher.search(&searched, &Count)?;
        self.dated(&moment, &searched, &undated(catalogue, scope)?, facets)
    }

    /// The counts without the years of documents whose date the asker does not see.
    fn dated(
        &self,
        moment: &Moment,
        searched: &BooleanQuery,
        undated: &[String],
        mut facets: Facets,
    ) -> Result<Facets, SearchError> {
        if !undated.is_empty() && !facets.years.is_empty() {
            let terms = undated.iter().map(|name| Term::from_field_text(self.layout.definition, name));
            let of_these = ConstScoreQuery::new(Box::new(TermSetQuery::new(terms)), 0.0);
            let both = BooleanQuery::intersection(vec![Box::new(searched.clone()), Box::new(of_these)]);
            facets.without_years_of(&moment.searcher.search(&both, &Count)?);
        }
        Ok(facets)
    }

    /// Definitions of the documents that somebody may see; `None`: of all there are, for who may see everything. A field that
    /// only others have is to them as one that nobody has.
    pub fn definitions_seen(
        &self,
        catalogue: &dyn Catalogue,
        scope: &Scope,
    ) -> Result<Option<BTreeSet<String>>, SearchError> {
        self.definitions_at(catalogue, &self.moment(), scope)
    }

    fn definitions_at(
        &self,
        catalogue: &dyn Catalogue,
        moment: &Moment,
        scope: &Scope,
    ) -> Result<Option<BTreeSet<String>>, SearchError> {
        if *scope.predicate() == Predicate::Everything {
            return Ok(None);
        }
        let fields = KnownFields::new();
        let (layout, heads, fields) = (&self.layout, &moment.heads, &fields);
        let (masked, patterns) = (BTreeMap::new(), Patterns::default());
        let compiler = Compiler { layout, heads, fields, masked, patterns, sees_none: true, tells_fields: false };
        let fields = catalogue.fields().map_err(SearchError::catalogue)?;
        let all: BTreeSet<String> = fields.into_iter().map(|(definition, _, _)| definition).collect();
        let mut seen = BTreeSet::new();
        for name in all {
            let of_this = Box::new(TermSetQuery::new([Term::from_field_text(layout.definition, &name)]));
            let both = BooleanQuery::intersection(vec![of_this, compiler.allowed(scope.predicate())]);
            if finds_any(&moment.searcher, &both)? {
                seen.insert(name);
            }
        }
        Ok(Some(seen))
    }

    /// The patterns that mask something for somebody.
    fn patterns(&self, catalogue: &dyn Catalogue, moment: &Moment, sight: &Sight) -> Result<Patterns, SearchError> {
        let mut found = Patterns::default();
        for pattern in catalogue.patterns().map_err(SearchError::catalogue)? {
            if sight.sees(&pattern.clear) {
                continue;
            }
            let all = Term::from_field_text(self.layout.definition, &pattern.definition);
            let looked_for = Term::from_field_bytes(self.layout.key, &pattern_key(pattern.mark, ""));
            // Both count what is deleted and not yet swept out.
            if moment.searcher.doc_freq(&all)? == moment.searcher.doc_freq(&looked_for)? {
                found.marks.push(pattern.mark);
            } else {
                found.not_looked_for.push(pattern.definition);
            }
        }
        Ok(found)
    }

    /// What an answer depends on besides the question and the index.
    fn known(
        &self,
        catalogue: &dyn Catalogue,
        moment: &Moment,
        query: &Query,
        scope: &Scope,
    ) -> Result<Known, SearchError> {
        let names_fields = query.root.names_fields(&BUILT_IN);
        let seen = if names_fields { self.definitions_at(catalogue, moment, scope)? } else { None };
        Ok(Known {
            fields: known_fields(catalogue, seen.as_ref())?,
            masked: masked_fields(catalogue, &scope.asks_with())?,
            patterns: self.patterns(catalogue, moment, &scope.asks_with())?,
            sees_none: seen.as_ref().is_some_and(BTreeSet::is_empty),
            changed: changed_loads(catalogue, moment.applied)?,
        })
    }

    /// The query with what no answer may contain taken out: other people's documents, and loads that the catalogue
    /// has changed since.
    fn filtered(
        &self,
        moment: &Moment,
        known: Known,
        query: &Query,
        scope: &Scope,
    ) -> Result<BooleanQuery, SearchError> {
        let tells_fields = *scope.predicate() == Predicate::Everything;
        let Known { fields, masked, patterns, sees_none, changed } = known;
        let (layout, heads, fields) = (&self.layout, &moment.heads, &fields);
        let compiler = Compiler { layout, heads, fields, masked, patterns, sees_none, tells_fields };
        let mut clauses = vec![(Occur::Must, compiler.compile(query)?)];
        if *scope.predicate() != Predicate::Everything {
            let allowed = compiler.allowed(scope.predicate());
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(allowed, 0.0))));
        }
        if !changed.is_empty() {
            let terms = changed.into_iter().map(|load| self.layout.load_term(load));
            clauses.push((Occur::MustNot, Box::new(TermSetQuery::new(terms))));
        }
        Ok(BooleanQuery::new(clauses))
    }
}

/// What an answer depends on besides the question and the index: fields, masks and patterns of the definitions, and loads that the
/// catalogue has changed since the index was made.
struct Known {
    fields: KnownFields,
    masked: BTreeMap<String, Vec<String>>,
    patterns: Patterns,
    sees_none: bool,
    changed: BTreeSet<LoadId>,
}

impl Known {
    /// The whole question in words, for answers that are given again; `None` where none may be.
    fn question(&self, query: &Query, scope: &Scope, window: &Window, counts: bool) -> Option<String> {
        if !self.changed.is_empty() || window.cursor.is_some() {
            return None;
        }
        let list = (window.sort, window.offset, window.limit, counts);
        let rights = (scope, &self.masked, &self.patterns, self.sees_none);
        // What somebody typed comes last: it cannot look like anything else of the question.
        Some(format!("{list:?} {rights:?} {:?}\0{}", self.fields, query.text))
    }
}

/// Whether a query finds anything.
fn finds_any(searcher: &Searcher, query: &dyn IndexQuery) -> Result<bool, SearchError> {
    let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
    for segment in searcher.segment_readers() {
        let mut found = weight.scorer(segment, 1.0)?;
        while found.doc() != TERMINATED {
            if segment.alive_bitset().is_none_or(|alive| alive.is_alive(found.doc())) {
                return Ok(true);
            }
            found.advance();
        }
    }
    Ok(false)
}

/// The fields of these definitions; `None`: of all.
fn known_fields(catalogue: &dyn Catalogue, of: Option<&BTreeSet<String>>) -> Result<KnownFields, SearchError> {
    let mut fields = KnownFields::new();
    for (definition, name, kind) in catalogue.fields().map_err(SearchError::catalogue)? {
        if of.is_some_and(|seen| !seen.contains(&definition)) {
            continue;
        }
        let kinds = fields.entry(name).or_default();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(fields)
}

/// Definitions whose documents' dates somebody does not see.
fn undated(catalogue: &dyn Catalogue, scope: &Scope) -> Result<Vec<String>, SearchError> {
    Ok(masked_fields(catalogue, &scope.asks_with())?.remove("year").unwrap_or_default())
}

/// Fields that somebody does not see whole: name to the definitions that mask them.
fn masked_fields(catalogue: &dyn Catalogue, sight: &Sight) -> Result<BTreeMap<String, Vec<String>>, SearchError> {
    let mut masked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mask in catalogue.masks().map_err(SearchError::catalogue)? {
        let hidden = if mask.sensitive { !sight.sees_sensitive() } else { !sight.sees(&mask.clear) };
        if hidden {
            masked.entry(mask.field).or_default().push(mask.definition);
        }
    }
    Ok(masked)
}

/// Loads with changes that the index does not have yet.
fn changed_loads(catalogue: &dyn Catalogue, applied: Seq) -> Result<BTreeSet<LoadId>, SearchError> {
    const AT_ONCE: usize = 10_000;
    let mut loads = BTreeSet::new();
    let mut after = applied;
    loop {
        let changes = catalogue.changes_after(after, AT_ONCE).map_err(SearchError::catalogue)?;
        loads.extend(changes.iter().map(|(_, change)| load_of(change)));
        match changes.last() {
            Some((seq, _)) if changes.len() == AT_ONCE => after = *seq,
            _ => return Ok(loads),
        }
    }
}

/// Lets only hits through whose load the catalogue has, whatever the index says.
struct Present<'c> {
    catalogue: &'c dyn Catalogue,
    known: HashMap<LoadId, bool>,
    missing: u64,
}

impl<'c> Present<'c> {
    fn new(catalogue: &'c dyn Catalogue) -> Present<'c> {
        Present { catalogue, known: HashMap::new(), missing: 0 }
    }

    fn push(&mut self, sort: Sort, key: Key, hits: &mut Vec<Hit>) -> Result<(), SearchError> {
        let id = id_of(number_in(sort, key));
        let present = match self.known.get(&id.load) {
            Some(present) => *present,
            None => {
                let present = self.catalogue.has_load(id.load).map_err(SearchError::catalogue)?;
                self.known.insert(id.load, present);
                present
            }
        };
        if present {
            hits.push(Hit { id, score: score_in(sort, key) });
        } else {
            self.missing += 1;
        }
        Ok(())
    }
}
