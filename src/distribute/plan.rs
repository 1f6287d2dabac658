//! Planning: every obligation of a run is written down before anything is sent, in one visible step.
//!
//! The same run (a distribution and what it ran for) is planned once. Rows are written ahead of the step that makes the run
//! visible; a crash before it leaves rows that nothing refers to, and the next plan writes over them.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use super::channel::Address;
use super::config::{Config, Distribution};
use super::ledger::{Ledger, Run, RunState, key};
use super::piece::{Obligation, Piece, State};
use super::tally::Tally;
use super::wish::Ways;
use super::{DistributeError, Listed, Source};
use crate::archive::LoadId;
use crate::archive::kv::{Batch, Family};
use crate::auth::predicate::{Attributes, Predicate, Rule};
use crate::crm::Crm;
use crate::index::definition::MANIFEST;
use crate::index::stretch::Stretch;
use crate::index::value::FieldValue;

/// Rows written at a time.
const AT_ONCE: usize = 10_000;

/// What planning needs.
pub struct Planner<'a> {
    /// Where it is written down.
    pub ledger: &'a Ledger,
    /// Addresses and wishes.
    pub crm: &'a Crm,
    /// The documents.
    pub source: &'a dyn Source,
    /// The configuration.
    pub config: &'a Config,
}

impl Planner<'_> {
    /// Plans a run of a distribution for these loads under a name; `false`: it was planned before.
    pub fn plan(&self, rule: &Distribution, what: &str, loads: &[LoadId]) -> Result<(Run, bool), DistributeError> {
        self.plan_without(rule, what, loads, Vec::new())
    }

    /// The same for a run that goes without some of its reports.
    pub fn plan_without(
        &self,
        rule: &Distribution,
        what: &str,
        loads: &[LoadId],
        missing: Vec<String>,
    ) -> Result<(Run, bool), DistributeError> {
        let _planning = self.ledger.planning();
        let name = format!("{}/{what}", rule.name);
        if let Some(run) = self.ledger.run_named(&name)? {
            return Ok((run, false));
        }
        if let Some(reports) = self.source.reports()? {
            Config::check_names(rule, &reports)?;
        }
        let mut known = self.source.loads()?;
        known.retain(|row| row.definition != MANIFEST);
        if let Some(load) = loads.iter().find(|load| !known.iter().any(|row| row.id == **load)) {
            return Err(DistributeError::NotFound { what: "load", name: load.to_string() });
        }
        let number = self.ledger.last_run()?.saturating_add(1);
        self.forget(number)?;
        let mut run = Run {
            number,
            key: name,
            distribution: rule.name.clone(),
            rule: Some(Box::new(rule.clone())),
            state: if rule.hold { RunState::Held } else { RunState::Released },
            planned_at: self.crm.now(),
            loads: loads.iter().map(|load| load.0).collect(),
            missing,
            ..Run::default()
        };
        let mut writing = Writing { planner: self, run: &mut run, batch: Batch::default(), tally: Tally::default() };
        self.pieces(rule, loads, &mut writing)?;
        let (mut last, tally) = (writing.batch, writing.tally);
        self.ledger.put_tally(&mut last, number, &tally)?;
        self.ledger.put_run(&mut last, &run)?;
        self.ledger.engine.commit(last)?;
        self.ledger.stir();
        Ok((run, true))
    }

    /// Removes what a plan that was killed left under a number.
    fn forget(&self, number: u32) -> Result<(), DistributeError> {
        let mut batch = Batch::default();
        for letter in [b'p', b'w', b'n', b'b', b'h'] {
            batch.delete_range(Family::Outbox, key(letter, number, None)..key(letter, number + 1, None));
        }
        Ok(self.ledger.engine.commit_later(batch)?)
    }

    fn pieces(
        &self,
        rule: &Distribution,
        loads: &[LoadId],
        writing: &mut Writing<'_, '_>,
    ) -> Result<(), DistributeError> {
        let wanted = wanted(rule)?;
        let mut bundles = Bundles::default();
        // By value of the field; in their order, so that the same load gives the same pieces.
        let mut groups: BTreeMap<String, Vec<Obligation>> = BTreeMap::new();
        for row in self.source.loads()?.iter().filter(|row| loads.contains(&row.id)) {
            let amount = self.source.report(&row.definition)?.and_then(|report| report.amount);
            let named = rule.definitions.is_empty() || rule.definitions.contains(&row.definition);
            let mut failed = None;
            self.source.documents(row.id, &mut |listed| {
                if !named || !wanted.holds(&listed.facts) {
                    writing.run.passed_over += 1;
                    return ControlFlow::Continue(());
                }
                let mut owed = obligation(&listed, amount.as_deref());
                if let Some((first, last)) = rule.page_range() {
                    let last = last.min(owed.pages);
                    owed.pages = last.saturating_sub(first - 1);
                    owed.stretches.push((first, last));
                }
                if owed.pages == 0 && listed.pages > 0 {
                    writing.run.passed_over += 1;
                    return ControlFlow::Continue(());
                }
                if rule.burst_pages {
                    return match self.by_page(&rule.burst, &listed, owed, &mut groups) {
                        Ok(()) => ControlFlow::Continue(()),
                        Err(error) => {
                            failed = Some(error);
                            ControlFlow::Break(())
                        }
                    };
                }
                if !rule.burst.is_empty() {
                    groups.entry(value_of(&listed, &rule.burst)).or_default().push(owed);
                    return ControlFlow::Continue(());
                }
                let account = listed.facts.account.unwrap_or_default();
                match self.owe(rule, (&account, &listed.facts.kind), owed, &mut bundles, writing) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        failed = Some(error);
                        ControlFlow::Break(())
                    }
                }
            })?;
            if let Some(error) = failed {
                return Err(error);
            }
        }
        for (account, ways, owes) in bundles.in_order() {
            writing.add(ways.piece(rule, &account, owes))?;
        }
        for (value, owes) in groups {
            writing.add(self.of_group(rule, &value, owes))?;
        }
        Ok(())
    }

    /// A document for a customer, by the ways to them; where paper goes out as well, that is owed, too.
    fn owe(
        &self,
        rule: &Distribution,
        (account, kind): (&str, &str),
        owed: Obligation,
        bundles: &mut Bundles,
        writing: &mut Writing<'_, '_>,
    ) -> Result<(), DistributeError> {
        let mut ways = self.ways(rule, account, kind)?;
        let beside = ways.beside.take().map(|paper| Ways {
            list: vec![paper],
            language: ways.language.clone(),
            ..Ways::default()
        });
        for (ways, owed) in beside.map(|ways| (ways, owed.clone())).into_iter().chain([(ways, owed)]) {
            if rule.bundle && !account.is_empty() {
                bundles.add(account, ways, owed);
            } else {
                writing.add(ways.piece(rule, account, vec![owed]))?;
            }
        }
        Ok(())
    }

    /// Gives each page of a document to the value of the field on it. The document and its amount are owed once: with the
    /// first pages.
    fn by_page(
        &self,
        field: &str,
        listed: &Listed,
        whole: Obligation,
        groups: &mut BTreeMap<String, Vec<Obligation>>,
    ) -> Result<(), DistributeError> {
        let mut of_value: BTreeMap<String, Vec<(u32, u32)>> = BTreeMap::new();
        let mut pages = 0;
        for Stretch { value, first, last } in self.source.stretches(listed.facts.id, field)? {
            of_value.entry(value).or_default().push((first, last));
            pages = last;
        }
        if pages != listed.pages {
            let (document, known) = (&whole.document, listed.pages);
            return Err(DistributeError::Document(format!(
                "{document} has {known} pages, {pages} of them are readable"
            )));
        }
        for (value, stretches) in of_value {
            let further = stretches.first().is_none_or(|(first, _)| *first != 1);
            let nano = if further { 0 } else { whole.nano };
            let pages = stretches.iter().map(|(first, last)| last - first + 1).sum();
            let owed = Obligation { document: whole.document.clone(), pages, nano, further, stretches };
            groups.entry(value).or_default().push(owed);
        }
        Ok(())
    }

    /// The piece of all documents with a value of the field that says who gets them.
    fn of_group(&self, rule: &Distribution, value: &str, owes: Vec<Obligation>) -> Piece {
        let list = self.ways_of_value(rule, value);
        let reached = !list.is_empty();
        let ways = Ways { list, language: rule.language.clone(), ..Ways::default() };
        let mut piece = ways.piece(rule, "", owes);
        piece.group = format!("{} {}", rule.burst, if value.is_empty() { "-" } else { value });
        if !reached {
            piece.state = State::Dead;
            piece.said = match value {
                "" if rule.burst_pages => {
                    format!("no address: the pages have no field {}, and recipients has no \"*\"", rule.burst)
                }
                "" => format!("no address: the documents have no field {}, and recipients has no \"*\"", rule.burst),
                value => format!("no address: recipients names nobody for {} {value}", rule.burst),
            };
        }
        piece
    }

    /// The ways to the recipient of a value.
    pub(super) fn ways_of_value(&self, rule: &Distribution, value: &str) -> Vec<(String, String)> {
        let recipient = rule.recipients.get(value).or_else(|| rule.recipients.get("*"));
        let way = |channel: &String| {
            let own = self.config.channel.get(channel).map(|known| known.to.clone()).unwrap_or_default();
            let to = match self.config.address_of(channel)? {
                Address::Fixed | Address::Paper => own,
                Address::Email => recipient?.clone(),
                Address::Portal => return None,
            };
            Some((channel.clone(), to))
        };
        rule.channels.iter().filter_map(way).collect()
    }
}

/// Documents that go to an account by the same ways, in the order in which they were first met.
#[derive(Default)]
struct Bundles {
    at: HashMap<(String, Ways), usize>,
    owes: Vec<Vec<Obligation>>,
}

impl Bundles {
    fn add(&mut self, account: &str, ways: Ways, owed: Obligation) {
        let at = *self.at.entry((account.to_string(), ways)).or_insert_with(|| {
            self.owes.push(Vec::new());
            self.owes.len() - 1
        });
        if let Some(owes) = self.owes.get_mut(at) {
            owes.push(owed);
        }
    }

    fn in_order(self) -> impl Iterator<Item = (String, Ways, Vec<Obligation>)> {
        let mut keys: Vec<((String, Ways), usize)> = self.at.into_iter().collect();
        keys.sort_unstable_by_key(|(_, at)| *at);
        keys.into_iter().zip(self.owes).map(|(((account, ways), _), owes)| (account, ways, owes))
    }
}

fn wanted(rule: &Distribution) -> Result<Predicate, DistributeError> {
    if rule.rule.is_empty() {
        return Ok(Predicate::Everything);
    }
    let wrong = |problem: String| super::config::wrong(format!("distribution {:?}: where: {problem}", rule.name));
    let parsed = Rule::parse(&rule.rule).map_err(|error| wrong(error.to_string()))?;
    parsed.bind(&Attributes::default()).ok_or_else(|| wrong("a user has no meaning here".into()))
}

/// The value of a field as people write it; of several the first, empty when there is none.
fn value_of(listed: &Listed, field: &str) -> String {
    let found = listed.facts.fields.iter().find(|(name, _)| name == field);
    match found {
        Some((_, FieldValue::One(value))) => value.to_string(),
        Some((_, FieldValue::Many(values))) => values.first().map(ToString::to_string).unwrap_or_default(),
        _ => String::new(),
    }
}

fn obligation(listed: &Listed, amount: Option<&str>) -> Obligation {
    let value = amount.and_then(|name| listed.facts.fields.iter().find(|(field, _)| field == name));
    let nano = match value {
        Some((_, FieldValue::One(value))) => value.nano().unwrap_or_default(),
        _ => 0,
    };
    Obligation { document: listed.facts.id.to_string(), pages: listed.pages, nano, ..Obligation::default() }
}

/// A run being written.
struct Writing<'w, 'p> {
    planner: &'w Planner<'p>,
    run: &'w mut Run,
    batch: Batch,
    tally: Tally,
}

impl Writing<'_, '_> {
    fn add(&mut self, piece: Piece) -> Result<(), DistributeError> {
        let piece = piece.named(&self.run.key);
        self.run.planned.add(&piece);
        self.tally.add(&piece);
        self.planner.ledger.put_new(&mut self.batch, self.run.number, self.run.pieces, &piece)?;
        self.run.pieces += 1;
        if self.batch.writes.len() >= AT_ONCE {
            self.planner.ledger.engine.commit_later(std::mem::take(&mut self.batch))?;
        }
        Ok(())
    }
}
