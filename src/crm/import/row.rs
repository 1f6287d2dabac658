//! One row: the customer, the account and the contact points that it tells of.

use std::cell::RefCell;
use std::collections::HashSet;

use super::brought::{Brought, source};
use super::mapping::{ContactColumns, DateOrder};
use super::{ImportError, ImportHow, ImportReport, Mapping, Record, RowError, Run};
use crate::archive::kv::Batch;
use crate::crm::account::{AccountData, AccountStatus};
use crate::crm::contact::{ContactData, ContactKind, NewContact, Owner, normalise};
use crate::crm::customer::{CustomerKind, ExternalRef};
use crate::crm::phone::country_of;
use crate::crm::time::Date;
use crate::crm::{Crm, CrmError, Time};
use crate::index::value::Day;

/// A row while it is taken.
struct Taking<'r> {
    record: &'r Record,
    how: ImportHow,
    dates: DateOrder,
    /// What rows before it would have added, in a dry run.
    seen: &'r RefCell<HashSet<String>>,
    brought: &'r RefCell<Brought>,
}

/// Ends a row, or the whole import when the store failed.
enum Stop {
    Row(RowError),
    All(CrmError),
}

impl Taking<'_> {
    fn wrong(&self, column: &str, problem: impl Into<String>) -> Stop {
        Stop::Row(RowError { line: self.record.line, column: column.into(), problem: problem.into() })
    }

    /// The column that a field of the module was read from, for its error.
    fn error(&self, error: CrmError, column: impl Fn(&str) -> String) -> Stop {
        match error {
            CrmError::Invalid { field, problem } => self.wrong(&column(field), problem),
            CrmError::Exists { what } => self.wrong("", format!("{what} is there already")),
            other => Stop::All(other),
        }
    }

    /// Whether something would be added: in a dry run the rows before are not in the store.
    fn is_new(&self, kind: &str, name: &str) -> bool {
        !self.how.dry_run || self.seen.borrow_mut().insert(format!("{kind} {name}"))
    }

    /// Sets a text from its column. Absent columns, and in a delta empty values, leave it.
    fn text(&self, column: Option<&String>, target: &mut String) {
        if let Some(value) = column.and_then(|column| self.record.get(column))
            && !(self.how.delta && value.trim().is_empty())
        {
            *target = value.trim().to_string();
        }
    }

    fn given(&self, column: Option<&String>) -> Option<&str> {
        let value = column.and_then(|column| self.record.get(column))?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// Sets one of some words.
    fn word<T: Copy>(&self, column: Option<&String>, words: &[(&str, T)], target: &mut T) -> Result<(), Stop> {
        let (Some(name), Some(value)) = (column, self.given(column)) else { return Ok(()) };
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(value));
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        *target = found.ok_or_else(|| self.wrong(name, format!("it is one of: {}", known.join(", "))))?.1;
        Ok(())
    }

    fn date(&self, column: Option<&String>, target: &mut Option<Date>) -> Result<(), Stop> {
        let Some(value) = column.and_then(|column| self.record.get(column)) else { return Ok(()) };
        let value = value.trim();
        if value.is_empty() {
            if !self.how.delta {
                *target = None;
            }
            return Ok(());
        }
        let bad = || self.wrong(column.map_or("", String::as_str), "it is no day in the order that the mapping says");
        *target = Some(date(value, self.dates).ok_or_else(bad)?);
        Ok(())
    }
}

fn date(text: &str, order: DateOrder) -> Option<Date> {
    if order == DateOrder::Iso {
        return Date::parse(text);
    }
    let parts: Vec<&str> = text.split(['/', '.', '-']).collect();
    let [first, second, year] = parts.as_slice() else { return None };
    let (month, day) = if order == DateOrder::Mdy { (first, second) } else { (second, first) };
    Day::from_ymd(year.parse().ok().filter(|_| year.len() == 4)?, month.parse().ok()?, day.parse().ok()?).map(Date)
}

const YES_NO: &[(&str, bool)] = &[
    ("yes", true),
    ("no", false),
    ("true", true),
    ("false", false),
    ("1", true),
    ("0", false),
    ("y", true),
    ("n", false),
];
const KINDS: &[(&str, CustomerKind)] = &[("person", CustomerKind::Person), ("org", CustomerKind::Org)];
const STATES: &[(&str, AccountStatus)] =
    &[("open", AccountStatus::Open), ("suspended", AccountStatus::Suspended), ("closed", AccountStatus::Closed)];

impl Crm {
    /// Takes a row; its error is told and the next row follows.
    pub(super) fn import_row(
        &self,
        by: &str,
        record: &Record,
        run: &Run<'_>,
        report: &mut ImportReport,
    ) -> Result<Result<(), RowError>, ImportError> {
        let _turn = self.lock();
        let Run { mapping, how, country, contested, seen, brought } = run;
        let taking = Taking { record, how: *how, dates: mapping.dates, seen, brought };
        let mut batch = Batch::default();
        let mut counted = report.clone();
        let taken = match contested.error(record, mapping) {
            Some(error) => Err(Stop::Row(error)),
            None => self.take(&taking, &mut batch, by, mapping, country, &mut counted),
        };
        match taken {
            Ok(()) => {}
            Err(Stop::Row(error)) => {
                self.spare(&taking, mapping)?;
                return Ok(Err(error));
            }
            Err(Stop::All(error)) => return Err(error.into()),
        }
        if batch.writes.is_empty() {
            counted.unchanged += 1;
        } else if !how.dry_run {
            self.engine.commit_later(batch).map_err(CrmError::from)?;
        }
        *report = counted;
        Ok(Ok(()))
    }

    /// What import brought to the owners of a wrong row stays.
    fn spare(&self, taking: &Taking<'_>, mapping: &Mapping) -> Result<(), CrmError> {
        let customer = match taking.given(mapping.customer.key.as_ref()) {
            Some(key) => self.customer_by_ref(&mapping.system, key)?,
            None => None,
        };
        let account = taking.given(mapping.account.number.as_ref());
        let owners =
            [customer.map(|kept| Owner::Customer(kept.id)), account.map(|number| Owner::Account(number.into()))];
        let mut brought = taking.brought.borrow_mut();
        owners.into_iter().flatten().for_each(|owner| brought.spare(owner));
        Ok(())
    }

    fn take(
        &self,
        taking: &Taking<'_>,
        batch: &mut Batch,
        by: &str,
        mapping: &Mapping,
        country: &str,
        report: &mut ImportReport,
    ) -> Result<(), Stop> {
        let customer = self.take_customer(taking, batch, by, mapping, report)?;
        let account = self.take_account(taking, batch, by, mapping, customer.as_ref().map(|c| c.0.as_str()), report)?;
        let locale = customer.as_ref().map(|customer| customer.1.as_str()).unwrap_or_default();
        let own = if mapping.country.is_empty() { country } else { &mapping.country };
        let country = country_of(locale).unwrap_or(own);
        for columns in &mapping.contact {
            let owner = match (columns.of_account, &customer, &account) {
                (true, _, Some(number)) => Owner::Account(number.clone()),
                (false, Some((id, _)), _) => Owner::Customer(id.clone()),
                _ => continue,
            };
            self.take_contact(taking, batch, by, mapping, columns, owner, country, report)?;
        }
        Ok(())
    }

    /// The customer's id and language.
    fn take_customer(
        &self,
        taking: &Taking<'_>,
        batch: &mut Batch,
        by: &str,
        mapping: &Mapping,
        report: &mut ImportReport,
    ) -> Result<Option<(String, String)>, Stop> {
        let columns = &mapping.customer;
        let Some(column) = &columns.key else { return Ok(None) };
        let Some(key) = taking.given(Some(column)) else {
            return Err(taking.wrong(column, "the key of the customer is missing"));
        };
        let known = self.customer_by_ref(&mapping.system, key).map_err(Stop::All)?;
        let mut data = known.as_ref().map(|known| known.data.clone()).unwrap_or_default();
        if known.is_none() {
            data.external_refs.push(ExternalRef { system: mapping.system.clone(), key: key.to_string() });
        }
        taking.text(columns.full.as_ref(), &mut data.name.full);
        taking.text(columns.family.as_ref(), &mut data.name.family);
        taking.text(columns.given.as_ref(), &mut data.name.given);
        taking.text(columns.latin.as_ref(), &mut data.name.latin);
        taking.text(columns.locale.as_ref(), &mut data.locale);
        taking.text(columns.zone.as_ref(), &mut data.zone);
        taking.word(columns.kind.as_ref(), KINDS, &mut data.kind)?;
        taking.word(columns.marketing_objection.as_ref(), YES_NO, &mut data.marketing_objection)?;
        let locale = data.locale.clone();
        let column = |field: &str| {
            let column = match field {
                "name.full" | "name" => &columns.full,
                "name.family" => &columns.family,
                "name.given" => &columns.given,
                "name.latin" => &columns.latin,
                "locale" => &columns.locale,
                "zone" => &columns.zone,
                _ => &columns.key,
            };
            column.clone().or_else(|| columns.family.clone()).unwrap_or_default()
        };
        let failed = |error: CrmError| taking.error(error, column);
        let id = match known {
            None => {
                report.customers_added += u64::from(taking.is_new("customer", key));
                self.insert_customer(batch, by, data).map_err(failed)?.id
            }
            Some(known) => {
                let before = known.version;
                let now = self.update_customer(batch, by, &known, data).map_err(failed)?;
                report.customers_changed += u64::from(now.version != before);
                now.id
            }
        };
        Ok(Some((id, locale)))
    }

    fn take_account(
        &self,
        taking: &Taking<'_>,
        batch: &mut Batch,
        by: &str,
        mapping: &Mapping,
        customer: Option<&str>,
        report: &mut ImportReport,
    ) -> Result<Option<String>, Stop> {
        let columns = &mapping.account;
        let Some(column) = &columns.number else { return Ok(None) };
        let Some(number) = taking.given(Some(column)) else {
            // A customer may have no account, an account always has a number.
            return if customer.is_some() { Ok(None) } else { Err(taking.wrong(column, "the number is missing")) };
        };
        let known = self.find::<AccountData>(number).map_err(Stop::All)?;
        let mut data = known.as_ref().map(|known| known.data.clone()).unwrap_or_default();
        data.number = number.to_string();
        if let Some(customer) = customer {
            data.customer = Some(customer.to_string());
        }
        taking.word(columns.status.as_ref(), STATES, &mut data.status)?;
        taking.text(columns.class.as_ref(), &mut data.class);
        taking.text(columns.billing_cycle.as_ref(), &mut data.billing_cycle);
        taking.date(columns.opened.as_ref(), &mut data.opened)?;
        taking.date(columns.closed.as_ref(), &mut data.closed)?;
        let column = |field: &str| {
            let column = match field {
                "class" => &columns.class,
                "billing_cycle" => &columns.billing_cycle,
                "closed" => &columns.closed,
                _ => &columns.number,
            };
            column.clone().unwrap_or_default()
        };
        let failed = |error: CrmError| taking.error(error, column);
        match known {
            None => {
                report.accounts_added += u64::from(taking.is_new("account", number));
                self.insert_account_unchecked(batch, by, data).map_err(failed)?;
            }
            Some(known) => {
                let now = self.update_account(batch, by, &known, data).map_err(failed)?;
                report.accounts_changed += u64::from(now.version != known.version);
            }
        }
        Ok(Some(number.to_string()))
    }

    #[allow(clippy::too_many_arguments)]
    fn take_contact(
        &self,
        taking: &Taking<'_>,
        batch: &mut Batch,
        by: &str,
        mapping: &Mapping,
        columns: &ContactColumns,
        owner: Owner,
        country: &str,
        report: &mut ImportReport,
    ) -> Result<(), Stop> {
        let Some(kind) = ContactKind::parse(&columns.kind) else { return Ok(()) };
        if columns.value.iter().all(|column| taking.record.get(column).is_none()) {
            return Ok(());
        }
        let source = source(mapping, columns);
        let known = self.contacts_of(&owner).map_err(Stop::All)?;
        let lines: Vec<&str> = columns.value.iter().filter_map(|column| taking.given(Some(column))).collect();
        if lines.is_empty() {
            if !taking.how.delta {
                taking.brought.borrow_mut().doubt(&known, kind, &source, None);
            }
            return Ok(());
        }
        let value = lines.join("\n");
        let first = columns.value.first().map_or("", String::as_str);
        let normalised =
            normalise(kind, &value, country).map_err(|error| taking.error(error, |_| first.to_string()))?;
        let verified_at = self.verified(taking, columns)?;
        {
            let mut brought = taking.brought.borrow_mut();
            brought.tell(&owner, kind, &normalised);
            brought.doubt(&known, kind, &source, Some(&normalised));
        }
        let known = known.into_iter().find(|point| point.kind == kind && point.normalised == normalised);
        let Some(known) = known else {
            let new = NewContact {
                owner,
                kind,
                value,
                label: columns.label.clone(),
                valid_from: None,
                valid_to: None,
                source,
            };
            let owner_name = taking.given(mapping.customer.key.as_ref()).unwrap_or_default();
            let name = format!("{owner_name} {} {normalised}", kind.name());
            report.contact_points_added += u64::from(taking.is_new("contact", &name));
            self.insert_contact_as(batch, by, new, country, verified_at)
                .map_err(|error| taking.error(error, |_| first.to_string()))?;
            return Ok(());
        };
        if let Some(at) = verified_at.filter(|_| known.verified_at.is_none()) {
            let data = ContactData { verified_at: Some(at), verified_by: "import".into(), ..known.data.clone() };
            report.contact_points_changed += 1;
            self.update(batch, by, &known, data).map_err(Stop::All)?;
        }
        Ok(())
    }

    fn verified(&self, taking: &Taking<'_>, columns: &ContactColumns) -> Result<Option<Time>, Stop> {
        let Some(text) = taking.given(columns.verified.as_ref()) else { return Ok(None) };
        if let Some(day) = date(text, taking.dates) {
            return Ok(Some(Time::start_of(day.0)));
        }
        let mut yes = false;
        taking.word(columns.verified.as_ref(), YES_NO, &mut yes)?;
        Ok(yes.then(|| self.now()))
    }
}
