//! Who might that be: from what a caller, a mail or a letter shows to customers, each with the reasons.
//!
//! What comes in proves nothing: a caller's number can be anybody's, and several customers may share one. So the answer
//! is none, one or several candidates, and all of them are *claimed*.

use serde::{Deserialize, Serialize};

use super::account::AccountData;
use super::contact::{ContactKind, Owner, normalise};
use super::customer::{CustomerData, ExternalRef};
use super::timeline::Documents;
use super::{Crm, CrmError};

/// What is known of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResolveAsk {
    /// The number of a caller.
    pub ani: Option<String>,
    /// A mail address.
    pub email: Option<String>,
    /// An account number, with or without separators.
    pub account: Option<String>,
    /// The number of an invoice or another document.
    pub invoice: Option<String>,
    /// A key in another system.
    pub external_ref: Option<ExternalRef>,
    /// A name or the beginnings of its words.
    pub name: Option<String>,
}

/// What led to a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The account.
    Account,
    /// A document with this number.
    Invoice,
    /// The key in another system.
    ExternalRef,
    /// The caller's number.
    Ani,
    /// The mail address.
    Email,
    /// The name.
    Name,
}

/// Somebody it might be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The customer; `None` for an account without one.
    pub customer: Option<String>,
    /// The name.
    pub name: String,
    /// The accounts that led here, or else all of the customer's (at most 20).
    pub accounts: Vec<String>,
    /// The documents that led here.
    pub documents: Vec<String>,
    /// What led here, the strongest first.
    pub reasons: Vec<Reason>,
}

/// Candidates at most.
const MOST: usize = 50;
/// Accounts named of one candidate.
const MOST_ACCOUNTS: usize = 20;

impl Crm {
    /// The candidates, those with most reasons first. A value that cannot be read (a number that is none) leads to nobody.
    pub fn resolve(&self, ask: &ResolveAsk, documents: &dyn Documents) -> Result<Vec<Candidate>, CrmError> {
        let mut found = Found { crm: self, candidates: Vec::new() };
        if let Some(number) = given(&ask.account) {
            for account in self.accounts_like(number, MOST)? {
                found.account(&account.id, account.data.customer.as_deref(), Reason::Account)?;
            }
            if found.candidates.is_empty() {
                found.unknown_account(number, documents)?;
            }
        }
        if let Some(number) = given(&ask.invoice) {
            for document in documents.with_number(number, MOST)? {
                let Some(account) = document.account else { continue };
                let customer = self.find::<AccountData>(&account)?.and_then(|kept| kept.data.customer);
                found.account(&account, customer.as_deref(), Reason::Invoice)?.documents.push(document.id);
            }
        }
        if let Some(reference) = &ask.external_ref
            && let Some(customer) = self.customer_by_ref(&reference.system, &reference.key)?
        {
            found.customer(&customer.id, Reason::ExternalRef)?;
        }
        found.reached(ContactKind::Phone, given(&ask.ani), Reason::Ani)?;
        found.reached(ContactKind::Email, given(&ask.email), Reason::Email)?;
        if let Some(name) = given(&ask.name) {
            for customer in self.customers_by_name(name, MOST)? {
                found.customer(&customer.id, Reason::Name)?;
            }
        }
        let mut candidates = found.candidates;
        for candidate in &mut candidates {
            candidate.reasons.sort_unstable();
            candidate.documents.dedup();
            if let Some(customer) = candidate.customer.as_ref().filter(|_| candidate.accounts.is_empty()) {
                let accounts = self.accounts_of(customer, MOST_ACCOUNTS)?;
                candidate.accounts = accounts.into_iter().map(|account| account.id).collect();
            }
        }
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.reasons.len()));
        candidates.truncate(MOST);
        Ok(candidates)
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

struct Found<'c> {
    crm: &'c Crm,
    candidates: Vec<Candidate>,
}

impl Found<'_> {
    fn add(&mut self, at: Option<usize>, fresh: impl FnOnce() -> Candidate, reason: Reason) -> &mut Candidate {
        let at = at.unwrap_or_else(|| {
            self.candidates.push(fresh());
            self.candidates.len() - 1
        });
        let candidate = &mut self.candidates[at];
        if !candidate.reasons.contains(&reason) {
            candidate.reasons.push(reason);
        }
        candidate
    }

    fn customer(&mut self, id: &str, reason: Reason) -> Result<&mut Candidate, CrmError> {
        let name = self.crm.find::<CustomerData>(id)?.map(|customer| customer.display_name()).unwrap_or_default();
        let at = self.candidates.iter().position(|candidate| candidate.customer.as_deref() == Some(id));
        let fresh = || Candidate {
            customer: Some(id.to_string()),
            name,
            accounts: Vec::new(),
            documents: Vec::new(),
            reasons: Vec::new(),
        };
        Ok(self.add(at, fresh, reason))
    }

    fn account(&mut self, number: &str, customer: Option<&str>, reason: Reason) -> Result<&mut Candidate, CrmError> {
        let candidate = match customer {
            Some(customer) => self.customer(customer, reason)?,
            None => {
                let same = |c: &Candidate| c.customer.is_none() && c.accounts.iter().any(|known| known == number);
                let at = self.candidates.iter().position(same);
                let fresh = || Candidate {
                    customer: None,
                    name: String::new(),
                    accounts: Vec::new(),
                    documents: Vec::new(),
                    reasons: Vec::new(),
                };
                self.add(at, fresh, reason)
            }
        };
        if !candidate.accounts.iter().any(|known| known == number) && candidate.accounts.len() < MOST_ACCOUNTS {
            candidate.accounts.push(number.to_string());
        }
        Ok(candidate)
    }

    /// An account that only documents know.
    fn unknown_account(&mut self, number: &str, documents: &dyn Documents) -> Result<(), CrmError> {
        let mut there = false;
        documents.of_account(number, None, None, &mut |_| {
            there = true;
            std::ops::ControlFlow::Break(())
        })?;
        if there {
            self.account(number, None, Reason::Account)?;
        }
        Ok(())
    }

    fn reached(&mut self, kind: ContactKind, value: Option<&str>, reason: Reason) -> Result<(), CrmError> {
        let Some(value) = value else { return Ok(()) };
        let Ok(normalised) = normalise(kind, value, &self.crm.default_country()?) else { return Ok(()) };
        for point in self.crm.contacts_with(kind, &normalised, MOST)? {
            match &point.owner {
                Owner::Customer(id) => {
                    self.customer(id, reason)?;
                }
                Owner::Account(number) => {
                    let customer = self.crm.find::<AccountData>(number)?.and_then(|account| account.data.customer);
                    self.account(number, customer.as_deref(), reason)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::contact::NewContact;
    use super::super::name::Names;
    use super::super::tests::crm;
    use super::super::timeline::tests::Shelf;
    use super::*;

    fn customer(crm: &Crm, name: &str, account: &str, phone: &str) -> String {
        let data = CustomerData {
            name: Names { full: name.into(), ..Names::default() },
            external_refs: vec![ExternalRef { system: "sap".into(), key: account.into() }],
            ..CustomerData::default()
        };
        let id = crm.add_customer("x", data).expect("added").id;
        let data = AccountData { number: account.into(), customer: Some(id.clone()), ..AccountData::default() };
        crm.add_account("x", data).expect("added");
        let new = NewContact {
            owner: Owner::Customer(id.clone()),
            kind: ContactKind::Phone,
            value: phone.into(),
            label: String::new(),
            valid_from: None,
            valid_to: None,
            source: String::new(),
        };
        crm.add_contact("x", new).expect("added");
        id
    }

    #[test]
    fn two_customers_with_one_number_are_two_candidates_and_more_facts_put_one_first() {
        let (crm, _) = crm();
        let shelf = Shelf(vec![("7-1", "55-5", Some("2024-05-31"))]);
        let ava = customer(&crm, "Ava Barnes", "41-1", "(614) 225-1170");
        let leo = customer(&crm, "Leo Barnes", "41-2", "+1 614 225 1170");
        let resolve = |ask: ResolveAsk| crm.resolve(&ask, &shelf).expect("resolved");
        let ani = Some("614.225.1170".to_string());
        let both = resolve(ResolveAsk { ani: ani.clone(), ..ResolveAsk::default() });
        assert_eq!(both.len(), 2);
        assert!(both.iter().all(|c| c.reasons == [Reason::Ani] && c.accounts.len() == 1), "{both:?}");
        let first = resolve(ResolveAsk { ani: ani.clone(), account: Some("412".into()), ..ResolveAsk::default() });
        assert_eq!(first[0].customer.as_ref(), Some(&leo));
        assert_eq!(first[0].reasons, [Reason::Account, Reason::Ani]);
        let named = resolve(ResolveAsk { name: Some("ava".into()), ..ResolveAsk::default() });
        assert_eq!(named.iter().map(|c| c.customer.clone()).collect::<Vec<_>>(), [Some(ava.clone())]);
        let reference = ExternalRef { system: "sap".into(), key: "41-1".into() };
        let by_ref = resolve(ResolveAsk { external_ref: Some(reference), ..ResolveAsk::default() });
        assert_eq!(by_ref[0].customer.as_ref(), Some(&ava));
        let unknown = resolve(ResolveAsk { account: Some("55-5".into()), ..ResolveAsk::default() });
        assert_eq!((unknown[0].customer.as_ref(), unknown[0].accounts.as_slice()), (None, &["55-5".to_string()][..]));
        for nobody in ["", "anonymous", "+1 999 999 9999"] {
            assert_eq!(resolve(ResolveAsk { ani: Some(nobody.into()), ..ResolveAsk::default() }), []);
        }
    }
}
