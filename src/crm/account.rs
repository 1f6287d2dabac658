//! Accounts: what documents name, and whose they are.
//!
//! An account is its number, as printed on documents. It may be here before its customer, and documents may be there
//! before the account: nothing is lost, the number joins them.

use serde::{Deserialize, Serialize};

use super::customer::CustomerData;
use super::store::{Change, Data, Entry, Kept, Page, key};
use super::time::Date;
use super::{Crm, CrmError, required, short};
use crate::archive::kv::{Batch, Family};
use crate::index::fold::{fold, squeeze};

/// An account as kept; its id is its number.
pub type Account = Kept<AccountData>;

/// Whether an account is in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    /// In use.
    #[default]
    Open,
    /// Stopped for a time.
    Suspended,
    /// Over.
    Closed,
}

/// What is known of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountData {
    /// As printed on documents.
    pub number: String,
    /// Id of the customer who holds it; `None` while not known.
    pub customer: Option<String>,
    /// Whether it is in use.
    pub status: AccountStatus,
    /// The organisation's class, such as `residential`.
    pub class: String,
    /// When bills come, in the organisation's words.
    pub billing_cycle: String,
    /// First day.
    pub opened: Option<Date>,
    /// Last day.
    pub closed: Option<Date>,
    /// Others who have to do with it.
    pub parties: Vec<Party>,
}

/// Somebody beside the holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Id of the customer.
    pub customer: String,
    /// In what part.
    pub role: PartyRole,
}

/// What somebody is to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartyRole {
    /// Holds it together with the holder.
    Holder,
    /// Pays.
    Payer,
    /// Acts for the holder.
    Agent,
}

/// Parties of one account at most.
const MOST_PARTIES: usize = 50;
/// Longest number.
const MOST_NUMBER: usize = 64;

impl AccountData {
    fn checked(mut self) -> Result<AccountData, CrmError> {
        self.number = required("number", &self.number)?;
        if self.number.len() > MOST_NUMBER {
            return Err(CrmError::invalid("number", format!("at most {MOST_NUMBER} bytes")));
        }
        self.class = short("class", &self.class)?;
        self.billing_cycle = short("billing_cycle", &self.billing_cycle)?;
        if self.parties.len() > MOST_PARTIES {
            return Err(CrmError::invalid("parties", format!("at most {MOST_PARTIES}")));
        }
        if let (Some(opened), Some(closed)) = (self.opened, self.closed)
            && closed < opened
        {
            return Err(CrmError::invalid("closed", "it is before the account was opened"));
        }
        Ok(self)
    }

    fn customers(&self) -> impl Iterator<Item = &str> {
        self.customer.as_deref().into_iter().chain(self.parties.iter().map(|party| party.customer.as_str()))
    }
}

/// A number without separators, as people type it.
fn squeezed(number: &str) -> String {
    squeeze(&fold(number))
}

impl Data for AccountData {
    const FAMILY: Family = Family::Accounts;
    const LETTER: u8 = b'a';
    const WHAT: &'static str = "account";

    fn entries(&self, id: &str) -> Vec<Entry> {
        let mut keys =
            vec![key(b's', &[squeezed(&self.number).as_bytes(), id.as_bytes()]), key(b'l', &[b"", id.as_bytes()])];
        keys.extend(self.customers().map(|customer| key(b'c', &[customer.as_bytes(), id.as_bytes()])));
        keys.into_iter().map(|key| (Family::Accounts, key)).collect()
    }
}

impl Crm {
    /// Adds an account.
    pub fn add_account(&self, by: &str, data: AccountData) -> Result<Account, CrmError> {
        let _turn = self.lock();
        let mut batch = Batch::default();
        let account = self.insert_account(&mut batch, by, data)?;
        self.engine.commit(batch)?;
        Ok(account)
    }

    pub(super) fn insert_account(&self, batch: &mut Batch, by: &str, data: AccountData) -> Result<Account, CrmError> {
        self.check_customers(&data)?;
        self.insert_account_unchecked(batch, by, data)
    }

    /// The same where the customer may be in the batch and not in the store yet.
    pub(super) fn insert_account_unchecked(
        &self,
        batch: &mut Batch,
        by: &str,
        data: AccountData,
    ) -> Result<Account, CrmError> {
        let data = data.checked()?;
        if self.find::<AccountData>(&data.number)?.is_some() {
            return Err(CrmError::Exists { what: format!("the account {}", data.number) });
        }
        let number = data.number.clone();
        self.insert(batch, by, Some(&number), data)
    }

    /// The account of this number, exactly as printed.
    pub fn account(&self, number: &str) -> Result<Account, CrmError> {
        self.need(number)
    }

    /// Changes an account; its number stays.
    pub fn set_account(
        &self,
        by: &str,
        number: &str,
        expected: Option<u64>,
        data: AccountData,
    ) -> Result<Account, CrmError> {
        let data = data.checked()?;
        if data.number != number {
            return Err(CrmError::invalid("number", "the number of an account stays"));
        }
        self.check_customers(&data)?;
        self.change(by, number, expected, |kept: &mut AccountData| {
            *kept = data;
            Ok(())
        })
    }

    pub(super) fn update_account(
        &self,
        batch: &mut Batch,
        by: &str,
        before: &Account,
        data: AccountData,
    ) -> Result<Account, CrmError> {
        self.update(batch, by, before, data.checked()?)
    }

    /// Who changed what of an account, oldest first.
    pub fn account_history(&self, number: &str) -> Result<Vec<Change>, CrmError> {
        self.changes::<AccountData>(number)
    }

    /// Accounts whose number is this one but for separators, case and width.
    pub fn accounts_like(&self, number: &str, limit: usize) -> Result<Vec<Account>, CrmError> {
        let squeezed = squeezed(number);
        if squeezed.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.ids(Family::Accounts, &key(b's', &[squeezed.as_bytes(), b""]), limit)?;
        self.rows(&ids)
    }

    /// Accounts whose number begins like this, separators aside.
    pub fn accounts_beginning(&self, number: &str, limit: usize) -> Result<Vec<Account>, CrmError> {
        let squeezed = squeezed(number);
        if squeezed.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.ids(Family::Accounts, &[b"s", squeezed.as_bytes()].concat(), limit)?;
        self.rows(&ids)
    }

    /// Accounts that a customer holds or is party to, at most `limit`.
    pub fn accounts_of(&self, customer: &str, limit: usize) -> Result<Vec<Account>, CrmError> {
        let ids = self.ids(Family::Accounts, &key(b'c', &[customer.as_bytes(), b""]), limit)?;
        self.rows(&ids)
    }

    /// Accounts of a customer, page by page.
    pub fn accounts_page(
        &self,
        customer: Option<&str>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Account>, CrmError> {
        let prefix = match customer {
            Some(customer) => key(b'c', &[customer.as_bytes(), b""]),
            None => key(b'l', &[b"", b""]),
        };
        self.page_of(Family::Accounts, &prefix, cursor, limit, |_| true)
    }

    fn check_customers(&self, data: &AccountData) -> Result<(), CrmError> {
        for customer in data.customers() {
            if self.find::<CustomerData>(customer)?.is_none() {
                return Err(CrmError::invalid("customer", "there is no such customer"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::name::Names;
    use super::super::tests::crm;
    use super::*;

    fn account(number: &str, customer: Option<&str>) -> AccountData {
        AccountData { number: number.into(), customer: customer.map(str::to_string), ..AccountData::default() }
    }

    #[test]
    fn an_account_may_come_before_its_customer_and_is_found_without_separators() {
        let (crm, _) = crm();
        crm.add_account("import", account("410000-1000-0", None)).expect("added");
        assert!(matches!(crm.add_account("x", account("410000-1000-0", None)), Err(CrmError::Exists { .. })));
        assert!(matches!(crm.add_account("x", account("2", Some("nobody"))), Err(CrmError::Invalid { .. })));
        let name = Names { full: "Ava Barnes".into(), ..Names::default() };
        let ava = crm.add_customer("ann", CustomerData { name, ..CustomerData::default() }).expect("added");
        assert_eq!(crm.accounts_of(&ava.id, 10).expect("read"), []);
        let joined = account("410000-1000-0", Some(&ava.id));
        crm.set_account("ann", "410000-1000-0", None, joined).expect("joined");
        assert_eq!(crm.accounts_of(&ava.id, 10).expect("read").len(), 1);
        for typed in ["4100001000 0", "410000-1000-0", "４１００００１０００－０"] {
            assert_eq!(crm.accounts_like(typed, 10).expect("read").len(), 1, "{typed}");
        }
        assert_eq!(crm.accounts_like("41000010", 10).expect("read").len(), 0);
        assert_eq!(crm.accounts_beginning("41000010", 10).expect("read").len(), 1);
        crm.set_account("ann", "410000-1000-0", Some(2), account("410000-1000-0", None)).expect("parted");
        assert_eq!(crm.accounts_of(&ava.id, 10).expect("read"), []);
        assert_eq!(crm.account_history("410000-1000-0").expect("read").len(), 3);
    }

    #[test]
    fn dates_and_numbers_are_checked() {
        let (crm, _) = crm();
        assert!(crm.add_account("x", account("", None)).is_err());
        assert!(crm.add_account("x", account(&"9".repeat(65), None)).is_err());
        let data =
            AccountData { opened: Date::parse("2024-02-01"), closed: Date::parse("2024-01-01"), ..account("1", None) };
        assert!(matches!(crm.add_account("x", data), Err(CrmError::Invalid { field: "closed", .. })));
    }
}
