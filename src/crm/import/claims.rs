//! Accounts that a file gives to two customers: found before the first row is taken, so that neither gets it.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;

use super::{ImportError, Mapping, Record, Records, RowError};

/// The first row that names an account and the first that gives it to another customer, by account.
#[derive(Debug, Default)]
pub(super) struct Contested(HashMap<String, (u64, u64)>);

impl Contested {
    /// Reads a file to its end.
    pub fn read(records: &mut dyn Records, mapping: &Mapping) -> Result<Contested, ImportError> {
        let hasher = RandomState::new();
        // Fingerprints, not texts: a file may have millions of accounts.
        let mut first: HashMap<u64, (u64, u64)> = HashMap::new();
        let mut contested = HashMap::new();
        while let Some(record) = records.next()? {
            let Ok(record) = record else { continue };
            let Some((account, customer)) = claim(&record, mapping) else { continue };
            let holder = hasher.hash_one(customer);
            match first.entry(hasher.hash_one(account)) {
                Entry::Vacant(entry) => {
                    entry.insert((holder, record.line));
                }
                Entry::Occupied(entry) if entry.get().0 != holder => {
                    contested.entry(account.to_string()).or_insert((entry.get().1, record.line));
                }
                Entry::Occupied(_) => {}
            }
        }
        Ok(Contested(contested))
    }

    /// What is wrong with a row that gives away such an account.
    pub fn error(&self, record: &Record, mapping: &Mapping) -> Option<RowError> {
        let (account, _) = claim(record, mapping)?;
        let (first, other) = self.0.get(account)?;
        let problem =
            format!("the file gives the account to two customers, on lines {first} and {other}; it stays as it is");
        Some(RowError { line: record.line, column: mapping.account.number.clone().unwrap_or_default(), problem })
    }
}

/// The account and the key of the customer that a row joins.
fn claim<'r>(record: &'r Record, mapping: &Mapping) -> Option<(&'r str, &'r str)> {
    let value = |column: &Option<String>| {
        let value = record.get(column.as_ref()?)?.trim();
        (!value.is_empty()).then_some(value)
    };
    Some((value(&mapping.account.number)?, value(&mapping.customer.key)?))
}
