//! Preferences: how the documents of an account come, for each kind of document.

use serde::{Deserialize, Serialize};

use super::contact::{ContactKind, Owner};
use super::store::{Change, Data, Entry, Kept, key};
use super::time::Date;
use super::{Crm, CrmError, required, short};
use crate::archive::kv::{Batch, Family};

/// A preference as kept; its id is the account and the kind of document.
pub type Preference = Kept<PreferenceData>;

/// How documents come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Printed and posted.
    #[default]
    Paper,
    /// In the portal, with a notice to the contact point when there is one.
    Portal,
    /// By mail.
    Email,
}

/// What is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PreferenceData {
    /// The account.
    pub account: String,
    /// Kind of document; empty: all that have no preference of their own.
    pub class: String,
    /// How they come.
    pub way: Way,
    /// Id of the contact point for mail and notices.
    pub contact_point: Option<String>,
    /// Language of notices (`en`, `zh-CN`); empty: the customer's.
    pub language: String,
    /// Whether a notice tells of new documents.
    pub notices: bool,
    /// First hour of the day (0 to 23) in which no notice is sent, and the first after it; `None`: any hour.
    pub quiet_hours: Option<(u8, u8)>,
}

impl Data for PreferenceData {
    const FAMILY: Family = Family::Accounts;
    const LETTER: u8 = b'p';
    const WHAT: &'static str = "preference";

    fn entries(&self, _: &str) -> Vec<Entry> {
        vec![(Family::Accounts, key(b'f', &[self.account.as_bytes(), id(&self.account, &self.class).as_bytes()]))]
    }
}

/// Both are free text: the length says where one ends.
fn id(account: &str, class: &str) -> String {
    format!("{}:{account}:{class}", account.len())
}

impl Crm {
    /// The preferences of an account, the one for all kinds first.
    pub fn preferences(&self, account: &str) -> Result<Vec<Preference>, CrmError> {
        let ids = self.ids(Family::Accounts, &key(b'f', &[account.as_bytes(), b""]), 200)?;
        self.rows(&ids)
    }

    /// The preference that counts for documents of a kind; `None`: nothing was said, so on paper.
    pub fn preference_for(&self, account: &str, class: &str) -> Result<Option<Preference>, CrmError> {
        match self.find(&id(account, class))? {
            Some(own) => Ok(Some(own)),
            None => self.find(&id(account, "")),
        }
    }

    /// Sets a preference. Mail and notices go only to a contact point of the account or its customer that was verified.
    pub fn set_preference(
        &self,
        by: &str,
        expected: Option<u64>,
        data: PreferenceData,
    ) -> Result<Preference, CrmError> {
        let data = PreferenceData {
            account: required("account", &data.account)?,
            class: short("class", &data.class)?,
            language: short("language", &data.language)?,
            ..data
        };
        if data.quiet_hours.is_some_and(|(from, to)| from > 23 || to > 23) {
            return Err(CrmError::invalid("quiet_hours", "hours are 0 to 23"));
        }
        self.check_reached(&data)?;
        let _turn = self.lock();
        let id = id(&data.account, &data.class);
        let mut batch = Batch::default();
        let row = match self.find::<PreferenceData>(&id)? {
            Some(_) => {
                let before = self.expect::<PreferenceData>(&id, expected)?;
                self.update(&mut batch, by, &before, data)?
            }
            None => self.insert(&mut batch, by, Some(&id), data)?,
        };
        if !batch.writes.is_empty() {
            self.engine.commit(batch)?;
        }
        Ok(row)
    }

    /// Who changed what of a preference, oldest first.
    pub fn preference_history(&self, account: &str, class: &str) -> Result<Vec<Change>, CrmError> {
        self.changes::<PreferenceData>(&id(account, class))
    }

    fn check_reached(&self, data: &PreferenceData) -> Result<(), CrmError> {
        let Some(point) = &data.contact_point else {
            return if data.way == Way::Email {
                Err(CrmError::invalid("contact_point", "documents by mail need one"))
            } else {
                Ok(())
            };
        };
        let point =
            self.contact(point).map_err(|_| CrmError::invalid("contact_point", "there is no such contact point"))?;
        let ours = match &point.owner {
            Owner::Account(number) => *number == data.account,
            Owner::Customer(id) => self.account(&data.account).is_ok_and(|a| a.customer.as_ref() == Some(id)),
        };
        if !ours {
            return Err(CrmError::invalid("contact_point", "there is no such contact point"));
        }
        if !point.is_usable(Date(self.now().day())) {
            return Err(CrmError::invalid("contact_point", "it was not verified, or is not in use now"));
        }
        if data.way == Way::Email && point.kind != ContactKind::Email {
            return Err(CrmError::invalid("contact_point", "it is no mail address"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::AccountData;
    use super::super::contact::NewContact;
    use super::super::tests::crm;
    use super::*;

    #[test]
    fn mail_goes_to_a_verified_address_of_the_account_only() {
        let (crm, _) = crm();
        for number in ["1", "2"] {
            crm.add_account("x", AccountData { number: number.into(), ..AccountData::default() }).expect("added");
        }
        let new = NewContact {
            owner: Owner::Account("1".into()),
            kind: ContactKind::Email,
            value: "a@example.com".into(),
            label: String::new(),
            valid_from: None,
            valid_to: None,
            source: String::new(),
        };
        let point = crm.add_contact("x", new).expect("added").id;
        let wish = |account: &str| PreferenceData {
            account: account.into(),
            way: Way::Email,
            contact_point: Some(point.clone()),
            ..PreferenceData::default()
        };
        assert!(crm.set_preference("carl", None, wish("1")).is_err(), "not verified");
        crm.verify_contact("x", &point, "code").expect("verified");
        assert!(crm.set_preference("carl", None, wish("2")).is_err(), "another account's");
        crm.set_preference("carl", None, wish("1")).expect("set");
        let paper = PreferenceData { class: "notice".into(), way: Way::Paper, contact_point: None, ..wish("1") };
        crm.set_preference("carl", None, paper).expect("set");
        let way = |class: &str| crm.preference_for("1", class).expect("read").map(|p| p.way);
        assert_eq!([way("statement"), way("notice")], [Some(Way::Email), Some(Way::Paper)]);
        assert_eq!(crm.preferences("1").expect("read").len(), 2);
        assert_eq!(crm.preference_for("2", "notice").expect("read"), None);
        let stale = crm.set_preference("carl", Some(9), wish("1"));
        assert!(matches!(stale, Err(CrmError::Conflict { .. })));
    }
}
