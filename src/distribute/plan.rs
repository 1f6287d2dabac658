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
use super::{DistributeError, Listed, Source};
use crate::archive::LoadId;
use crate::archive::kv::{Batch, Family};
use crate::auth::predicate::{Attributes, Predicate, Rule};
use crate::crm::consent::Purpose;
use crate::crm::contact::ContactKind;
use crate::crm::preference::Way;
use crate::crm::time::Date;
use crate::crm::{Crm, CrmError};
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

/// How a customer wants the documents of a kind, and where.
#[derive(Debug, Clone, Default)]
struct Wish {
    way: Way,
    address: String,
    notices: bool,
    language: String,
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
        let known = self.source.loads()?;
        if let Some(load) = loads.iter().find(|load| !known.iter().any(|row| row.id == **load)) {
            return Err(DistributeError::NotFound { what: "load", name: load.to_string() });
        }
        let number = self.ledger.runs()?.last().map_or(1, |run| run.number + 1);
        self.forget(number)?;
        let mut run = Run {
            number,
            key: name,
            distribution: rule.name.clone(),
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
        let mut bundles: HashMap<String, (Vec<Obligation>, String)> = HashMap::new();
        let mut order: Vec<String> = Vec::new();
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
                if rule.bundle && !account.is_empty() {
                    let bundle = bundles.entry(account.clone()).or_insert_with(|| {
                        order.push(account);
                        (Vec::new(), listed.facts.kind)
                    });
                    bundle.0.push(owed);
                    return ControlFlow::Continue(());
                }
                match self.choose(rule, &account, &listed.facts.kind, vec![owed], writing) {
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
        for account in order {
            let Some((owes, kind)) = bundles.remove(&account) else { continue };
            self.choose(rule, &account, &kind, owes, writing)?;
        }
        for (value, owes) in groups {
            writing.add(self.of_group(rule, &value, owes))?;
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
        let mut ways: Vec<(String, String)> = rule.channels.iter().filter_map(way).collect();
        let reached = !ways.is_empty();
        if !reached {
            ways.push((rule.channels.first().cloned().unwrap_or_default(), String::new()));
        }
        let first = ways.remove(0);
        let wish = Wish { language: rule.language.clone(), ..Wish::default() };
        let mut piece = piece(first, "", &wish, owes, ways);
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

    /// Writes the piece of a recipient: by the first channel that reaches the customer as they wish.
    fn choose(
        &self,
        rule: &Distribution,
        account: &str,
        kind: &str,
        owes: Vec<Obligation>,
        writing: &mut Writing<'_, '_>,
    ) -> Result<(), DistributeError> {
        let asks = rule.channels.iter().any(|channel| self.config.address_of(channel) != Some(Address::Fixed));
        let mut wish = if asks { self.wish(account, kind)? } else { Wish::default() };
        if wish.language.is_empty() {
            wish.language.clone_from(&rule.language);
        }
        let always = rule.always_paper.iter().any(|known| known == kind);
        let mut ways: Vec<(String, String)> = Vec::new();
        let mut paper: Vec<(String, String)> = Vec::new();
        for channel in &rule.channels {
            let to = match self.config.address_of(channel) {
                Some(Address::Fixed) => {
                    Some(self.config.channel.get(channel).map(|known| known.to.clone()).unwrap_or_default())
                }
                Some(Address::Email) if wish.way == Way::Email => {
                    Some(wish.address.clone()).filter(|to| !to.is_empty())
                }
                Some(Address::Portal) if wish.way == Way::Portal => {
                    Some(if wish.notices { wish.address.clone() } else { String::new() })
                }
                Some(Address::Paper) => {
                    let to = self.config.channel.get(channel).map(|known| known.to.clone()).unwrap_or_default();
                    paper.push((channel.clone(), to));
                    None
                }
                _ => None,
            };
            ways.extend(to.map(|to| (channel.clone(), to)));
        }
        let electronic = !ways.is_empty();
        if always && electronic && !paper.is_empty() {
            let first = paper.remove(0);
            writing.add(piece(first, account, &wish, owes.clone(), Vec::new()))?;
            paper.clear();
        }
        let suppresses = electronic && !paper.is_empty();
        ways.extend(paper);
        let mut piece = match ways.is_empty() {
            false => {
                let first = ways.remove(0);
                piece(first, account, &wish, owes, ways)
            }
            true => {
                let channel = rule.channels.first().cloned().unwrap_or_default();
                let mut piece = piece((channel, String::new()), account, &wish, owes, ways);
                piece.state = State::Dead;
                piece.said = if account.is_empty() {
                    "the document names no account"
                } else {
                    "no address: the customer has none that was verified, and no channel prints"
                }
                .into();
                piece
            }
        };
        piece.suppresses_paper = suppresses;
        writing.add(piece)
    }

    fn wish(&self, account: &str, kind: &str) -> Result<Wish, DistributeError> {
        if account.is_empty() {
            return Ok(Wish::default());
        }
        let Some(kept) = self.crm.preference_for(account, kind)? else { return Ok(Wish::default()) };
        if kept.way != Way::Paper && !self.consented(account, kind)? {
            return Ok(Wish { language: kept.language.clone(), ..Wish::default() });
        }
        let today = Date(self.crm.now().day());
        let point = match &kept.contact_point {
            Some(id) => match self.crm.contact(id) {
                Ok(point) => Some(point).filter(|point| point.kind == ContactKind::Email && point.is_usable(today)),
                Err(CrmError::NotFound { .. }) => None,
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        // An address that fails is not tried again: the next way is taken.
        let point = point.filter(|point| point.failing_since.is_none());
        Ok(Wish {
            way: kept.way,
            address: point.map(|point| point.value.clone()).unwrap_or_default(),
            notices: kept.notices,
            language: kept.language.clone(),
        })
    }
}

impl Planner<'_> {
    /// Whether somebody consented to electronic delivery of a kind and did not withdraw it.
    fn consented(&self, account: &str, kind: &str) -> Result<bool, DistributeError> {
        let customer = match self.crm.account(account) {
            Ok(kept) => kept.customer.clone(),
            Err(CrmError::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let given = self.crm.consents(customer.as_deref(), &[account.to_string()])?;
        Ok(given.iter().any(|consent| consent.covers(Purpose::EDelivery, kind)))
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

fn piece(
    (channel, to): (String, String),
    account: &str,
    wish: &Wish,
    owes: Vec<Obligation>,
    fallback: Vec<(String, String)>,
) -> Piece {
    let language = wish.language.clone();
    Piece { channel, to, account: account.into(), language, owes, fallback, generation: 1, ..Piece::default() }
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
