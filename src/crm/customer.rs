//! Customers: people and organisations.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::name::{Names, query_words};
use super::store::{Change, Data, Entry, Kept, Page, key};
use super::{Crm, CrmError, required, short};
use crate::archive::kv::{Batch, Family};

/// A customer as kept.
pub type Customer = Kept<CustomerData>;

/// What kind of customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CustomerKind {
    /// A person.
    #[default]
    Person,
    /// An organisation.
    Org,
}

/// What is known of a customer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomerData {
    /// What kind.
    pub kind: CustomerKind,
    /// The names.
    pub name: Names,
    /// Language and country, BCP 47 (`en-US`, `zh-CN`); empty: not known.
    pub locale: String,
    /// Time zone by the name of the tz database (`America/New_York`); empty: not known. Quiet hours go by it.
    pub zone: String,
    /// Keys of the customer in other systems; each belongs to one customer.
    pub external_refs: Vec<ExternalRef>,
    /// Objects to marketing (GDPR Art. 21).
    pub marketing_objection: bool,
    /// Objects to profiling.
    pub profiling_objection: bool,
    /// The customer that this one turned out to be.
    pub merged_into: Option<String>,
}

/// A key in another system.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalRef {
    /// The system, such as `sap` or `salesforce`.
    pub system: String,
    /// Its key.
    pub key: String,
}

/// External references of one customer at most.
const MOST_REFS: usize = 50;

impl CustomerData {
    /// The name as it is written.
    pub fn display_name(&self) -> String {
        self.name.display(&self.locale)
    }

    /// The same with blanks taken off, or what is wrong with it.
    fn checked(mut self) -> Result<CustomerData, CrmError> {
        self.name = Names {
            full: short("name.full", &self.name.full)?,
            family: short("name.family", &self.name.family)?,
            given: short("name.given", &self.name.given)?,
            latin: short("name.latin", &self.name.latin)?,
        };
        if self.display_name().is_empty() {
            return Err(CrmError::invalid("name", "give full, or family and given"));
        }
        self.locale = short("locale", &self.locale)?;
        let tag = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.locale.len() > 35 || !self.locale.chars().all(tag) {
            return Err(CrmError::invalid("locale", "it is a language tag such as en-US or zh-CN"));
        }
        self.zone = short("zone", &self.zone)?;
        if !self.zone.is_empty() && jiff::tz::TimeZone::get(&self.zone).is_err() {
            return Err(CrmError::invalid("zone", "it is a time zone such as Europe/Zurich"));
        }
        if self.external_refs.len() > MOST_REFS {
            return Err(CrmError::invalid("external_refs", format!("at most {MOST_REFS}")));
        }
        for reference in &mut self.external_refs {
            reference.system = required("external_refs.system", &reference.system)?;
            reference.key = required("external_refs.key", &reference.key)?;
        }
        self.external_refs.sort();
        self.external_refs.dedup();
        Ok(self)
    }
}

/// Index of external references: system, key, customer.
fn ref_prefix(reference: &ExternalRef) -> Vec<u8> {
    key(b'x', &[reference.system.as_bytes(), reference.key.as_bytes(), b""])
}

impl Data for CustomerData {
    const FAMILY: Family = Family::Customers;
    const LETTER: u8 = b'c';
    const WHAT: &'static str = "customer";

    fn entries(&self, id: &str) -> Vec<Entry> {
        let words = self.name.words();
        let words = words.iter().map(|word| key(b'w', &[word.as_bytes(), id.as_bytes()]));
        let refs =
            self.external_refs.iter().map(|reference| [ref_prefix(reference).as_slice(), id.as_bytes()].concat());
        let all = [key(b'a', &[b"", id.as_bytes()])];
        words.chain(refs).chain(all).map(|key| (Family::Customers, key)).collect()
    }
}

impl Crm {
    /// Adds a customer.
    pub fn add_customer(&self, by: &str, data: CustomerData) -> Result<Customer, CrmError> {
        let _turn = self.lock();
        let mut batch = Batch::default();
        let customer = self.insert_customer(&mut batch, by, data)?;
        self.engine.commit(batch)?;
        Ok(customer)
    }

    pub(super) fn insert_customer(
        &self,
        batch: &mut Batch,
        by: &str,
        data: CustomerData,
    ) -> Result<Customer, CrmError> {
        let data = data.checked()?;
        self.check_refs(&data, None)?;
        self.insert(batch, by, None, data)
    }

    /// A customer.
    pub fn customer(&self, id: &str) -> Result<Customer, CrmError> {
        self.need(id)
    }

    /// Changes a customer.
    pub fn set_customer(
        &self,
        by: &str,
        id: &str,
        expected: Option<u64>,
        data: CustomerData,
    ) -> Result<Customer, CrmError> {
        let data = data.checked()?;
        self.change(by, id, expected, |kept: &mut CustomerData| {
            self.check_refs(&data, Some(id))?;
            *kept = data;
            Ok(())
        })
    }

    pub(super) fn update_customer(
        &self,
        batch: &mut Batch,
        by: &str,
        before: &Customer,
        data: CustomerData,
    ) -> Result<Customer, CrmError> {
        let data = data.checked()?;
        self.check_refs(&data, Some(&before.id))?;
        self.update(batch, by, before, data)
    }

    /// Who changed what of a customer, oldest first.
    pub fn customer_history(&self, id: &str) -> Result<Vec<Change>, CrmError> {
        self.changes::<CustomerData>(id)
    }

    /// The customer with this key in another system.
    pub fn customer_by_ref(&self, system: &str, key: &str) -> Result<Option<Customer>, CrmError> {
        let reference = ExternalRef { system: system.trim().into(), key: key.trim().into() };
        let ids = self.ids(Family::Customers, &ref_prefix(&reference), 1)?;
        Ok(self.rows(&ids)?.pop())
    }

    /// Customers by the beginnings of words of their names, at most `limit`.
    pub fn customers_by_name(&self, text: &str, limit: usize) -> Result<Vec<Customer>, CrmError> {
        /// Ids looked at for one word.
        const MOST: usize = 2_000;
        let words = query_words(text);
        // The longest word leaves the fewest customers.
        let Some(longest) = words.iter().max_by_key(|word| word.chars().count()) else { return Ok(Vec::new()) };
        let ids = self.ids(Family::Customers, &[b"w", longest.as_bytes()].concat(), MOST)?;
        let ids: Vec<String> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut found = Vec::new();
        for id in ids {
            let Some(customer) = self.find::<CustomerData>(&id)? else { continue };
            let names = customer.name.words();
            if words.iter().all(|word| names.iter().any(|name| name.starts_with(word))) {
                found.push(customer);
            }
            if found.len() == limit {
                break;
            }
        }
        Ok(found)
    }

    /// All customers in the order they were added.
    pub fn customers(&self, cursor: Option<&str>, limit: usize) -> Result<Page<Customer>, CrmError> {
        self.page_of(Family::Customers, &key(b'a', &[b"", b""]), cursor, limit, |_| true)
    }

    fn check_refs(&self, data: &CustomerData, own: Option<&str>) -> Result<(), CrmError> {
        for reference in &data.external_refs {
            let ids = self.ids(Family::Customers, &ref_prefix(reference), 2)?;
            if ids.iter().any(|id| Some(id.as_str()) != own) {
                let what = format!("a customer with the reference {} of {}", reference.key, reference.system);
                return Err(CrmError::Exists { what });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::crm;
    use super::*;

    fn person(family: &str, given: &str) -> CustomerData {
        CustomerData {
            name: Names { family: family.into(), given: given.into(), ..Names::default() },
            locale: "en-US".into(),
            ..CustomerData::default()
        }
    }

    #[test]
    fn changes_are_kept_with_who_when_and_what() {
        let (crm, clock) = crm();
        let ava = crm.add_customer("ann", person("Barnes", "Ava")).expect("added");
        clock.turn(60);
        let data = CustomerData { locale: "en-GB".into(), ..ava.data.clone() };
        let changed = crm.set_customer("bob", &ava.id, Some(1), data.clone()).expect("changed");
        assert_eq!((changed.version, changed.changed_by.as_str(), changed.created_by.as_str()), (2, "bob", "ann"));
        let late = crm.set_customer("eve", &ava.id, Some(1), person("Barns", "Ava"));
        assert!(matches!(late, Err(CrmError::Conflict { found: 2, .. })));
        assert_eq!(crm.set_customer("eve", &ava.id, None, data).expect("nothing to do").version, 2);
        let history = crm.customer_history(&ava.id).expect("read");
        assert_eq!(history.len(), 2);
        assert_eq!((history[1].by.as_str(), history[1].at), ("bob", Time(history[0].at.0 + 60)));
        let field = &history[1].fields[0];
        assert_eq!((field.field.as_str(), &field.before, &field.after), ("locale", &"en-US".into(), &"en-GB".into()));
    }

    #[test]
    fn a_customer_is_found_by_every_name_and_no_longer_by_an_old_one() {
        let (crm, _) = crm();
        let ava = crm.add_customer("ann", person("Barnes", "Ava")).expect("added");
        crm.add_customer("ann", person("Barnstable", "Leo")).expect("added");
        let found = |text: &str| crm.customers_by_name(text, 10).expect("read").len();
        assert_eq!(
            [found("barn"), found("BARNES"), found("ava barn"), found("leo barnes"), found("")],
            [2, 1, 1, 0, 0]
        );
        crm.set_customer("ann", &ava.id, None, person("Novak", "Ava")).expect("changed");
        assert_eq!([found("barnes"), found("novak")], [0, 1]);
    }

    #[test]
    fn an_external_reference_belongs_to_one_customer() {
        let (crm, _) = crm();
        let with_ref = |name: &str| CustomerData {
            external_refs: vec![ExternalRef { system: " sap ".into(), key: "17".into() }],
            ..person(name, "X")
        };
        let first = crm.add_customer("ann", with_ref("One")).expect("added");
        assert!(matches!(crm.add_customer("ann", with_ref("Two")), Err(CrmError::Exists { .. })));
        assert_eq!(crm.customer_by_ref("sap", "17").expect("read").map(|c| c.id), Some(first.id.clone()));
        assert_eq!(crm.customer_by_ref("sap", "1").expect("read"), None, "not by a beginning");
        crm.set_customer("ann", &first.id, None, person("One", "X")).expect("changed");
        crm.add_customer("ann", with_ref("Two")).expect("it is free now");
    }

    #[test]
    fn lists_go_on_where_the_page_before_ended() {
        let (crm, clock) = crm();
        let mut ids = Vec::new();
        for n in 0..5 {
            clock.turn(1);
            ids.push(crm.add_customer("ann", person(&format!("N{n}"), "X")).expect("added").id);
        }
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let page = crm.customers(cursor.as_deref(), 2).expect("a page");
            seen.extend(page.items.into_iter().map(|customer| customer.id));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, ids);
        assert!(crm.customers(Some("zz"), 2).is_err());
    }

    #[test]
    fn bad_values_say_their_field() {
        let (crm, _) = crm();
        for (data, field) in [
            (person("", ""), "name"),
            (person("A\u{7}", "B"), "name.family"),
            (person(&"x".repeat(201), "B"), "name.family"),
            (CustomerData { locale: "en US".into(), ..person("A", "B") }, "locale"),
            (CustomerData { zone: "Mars/Olympus".into(), ..person("A", "B") }, "zone"),
        ] {
            match crm.add_customer("ann", data) {
                Err(CrmError::Invalid { field: found, .. }) => assert_eq!(found, field),
                other => panic!("{field}: {other:?}"),
            }
        }
    }

    use super::super::Time;
}
