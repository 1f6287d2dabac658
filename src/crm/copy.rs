//! Deliveries: copies of documents that somebody asked to send, to a verified address.
//!
//! A delivery is planned in one step with its row in the outbox; who hands it over ([`Crm::deliveries_to_hand`]) says
//! before that it begins and after it what happened. Nothing is sent here. Without anybody who hands over, deliveries stay
//! `planned` and say so.

use serde::{Deserialize, Serialize};

use super::contact::{ContactKind, Owner};
use super::store::{Change, Data, Entry, Kept, key};
use super::time::Date;
use super::timeline::{EntryKind, timeline_keys};
use super::{Crm, CrmError, Time, Viewer, short};
use crate::archive::DocId;
use crate::archive::kv::{Batch, Family};

/// A delivery as kept.
pub type Delivery = Kept<DeliveryData>;

/// How a copy goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Mail with a link that shows the document.
    #[default]
    Link,
    /// Mail with the document as PDF.
    Pdf,
    /// On paper.
    Print,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// It waits to be handed over.
    #[default]
    Planned,
    /// The next hop took it.
    Handed,
    /// It could not be handed over; it is tried again.
    Retrying,
    /// It was given up.
    Failed,
    /// It was called back before it was handed over.
    Cancelled,
}

/// What is known of a delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryData {
    /// The document.
    pub document: String,
    /// Its account.
    pub account: Option<String>,
    /// The customer.
    pub customer: Option<String>,
    /// The contact point; `None` for an address that was given for this delivery only.
    pub contact_point: Option<String>,
    /// The address as it was then.
    pub to: String,
    /// How.
    pub how: How,
    /// Where it stands.
    pub state: DeliveryState,
    /// User name of who asked for it.
    pub by: String,
    /// Why, in their words; always there when the address was not verified.
    pub reason: String,
    /// The interaction in which it was asked for.
    pub interaction: Option<String>,
    /// When.
    pub planned_at: Time,
    /// Language of the mail.
    pub language: String,
    /// `Message-ID` of the mail; the same for every attempt.
    pub message_id: String,
    /// What was tried.
    pub attempts: Vec<Attempt>,
    /// Not before this it is tried again.
    pub next_at: Time,
    /// It is being handed over since then. When nobody does that any more, the answer was lost: it is in doubt.
    pub handing_since: Option<Time>,
    /// It may have come more than once: the answer to an attempt was lost.
    pub in_doubt: bool,
}

/// An attempt to hand over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// When.
    pub at: Time,
    /// Whether the next hop took it.
    pub taken: bool,
    /// What the next hop said.
    pub said: String,
}

/// A copy to send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewCopy {
    /// How.
    pub how: How,
    /// The contact point.
    pub contact_point: Option<String>,
    /// An address that is no contact point; needs a right of its own and a reason.
    pub address: Option<String>,
    /// Why.
    pub reason: String,
    /// The interaction in which it was asked for.
    pub interaction: Option<String>,
    /// Language of the mail; empty: the customer's.
    pub language: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tried<'s> {
    /// The next hop took it.
    pub taken: bool,
    /// Its answer was lost.
    pub in_doubt: bool,
    /// What it said.
    pub said: &'s str,
}

/// A document that a run sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'s> {
    /// Id of the piece.
    pub piece: &'s str,
    /// The document.
    pub document: &'s str,
    /// Its account.
    pub account: &'s str,
    /// Where it went; empty: to one place, such as the printer.
    pub to: &'s str,
    /// How.
    pub how: How,
    /// Handed or failed.
    pub state: DeliveryState,
    /// It may have come more than once.
    pub in_doubt: bool,
    /// What the next hop said.
    pub said: &'s str,
}

/// Who hands deliveries over, in their history.
const SENDER: &str = "system:deliver";
/// Characters kept of an answer to what a run sent.
const MOST_NOTED: usize = 200;
/// Attempts before a delivery is given up.
pub const MOST_ATTEMPTS: usize = 8;

impl Data for DeliveryData {
    const FAMILY: Family = Family::Activity;
    const LETTER: u8 = b'y';
    const WHAT: &'static str = "delivery";

    fn entries(&self, id: &str) -> Vec<Entry> {
        let (customer, account) = (self.customer.as_deref(), self.account.as_deref());
        let keys = timeline_keys(customer, account, self.planned_at, EntryKind::Delivery, id);
        let mut entries: Vec<Entry> = keys.into_iter().map(|key| (Family::Activity, key)).collect();
        entries.push((Family::Activity, key(b'm', &[self.document.as_bytes(), id.as_bytes()])));
        if matches!(self.state, DeliveryState::Planned | DeliveryState::Retrying) {
            entries.push((Family::Outbox, key(b'm', &[b"", id.as_bytes()])));
        }
        entries
    }
}

impl DeliveryData {
    /// What the customer may see of it: not who asked for it and why.
    #[must_use]
    pub fn for_customer(&self) -> DeliveryData {
        let mut data = self.clone();
        data.by.clear();
        data.reason.clear();
        data.interaction = None;
        data.message_id.clear();
        data.attempts.clear();
        data.handing_since = None;
        data.next_at = Time::default();
        data
    }
}

impl Crm {
    /// Plans a copy of a document of an account. Whether `by` may see the document is for the caller to ask before; with
    /// `any_address` an address that is no verified contact point of the account's customer is taken too.
    pub fn plan_copy(
        &self,
        by: &str,
        document: DocId,
        account: Option<&str>,
        copy: NewCopy,
        any_address: bool,
    ) -> Result<Delivery, CrmError> {
        let kept = account.map(|number| self.find::<super::account::AccountData>(number)).transpose()?.flatten();
        let customer = kept.and_then(|account| account.data.customer);
        let reason = short("reason", &copy.reason)?;
        let (contact_point, to) = match (&copy.contact_point, &copy.address) {
            (Some(id), None) => {
                let point = self.copy_address(id, account, customer.as_deref(), copy.how, any_address)?;
                (Some(point.id.clone()), point.data.value)
            }
            (None, Some(address)) => {
                if !any_address {
                    return Err(CrmError::invalid("address", "copies go to verified contact points"));
                }
                if reason.is_empty() {
                    return Err(CrmError::invalid("reason", "say why the copy goes to another address"));
                }
                let kind = if copy.how == How::Print { ContactKind::Post } else { ContactKind::Email };
                super::contact::normalise(kind, address, "US")?;
                (None, address.trim().to_string())
            }
            _ => return Err(CrmError::invalid("contact_point", "name a contact point")),
        };
        let language = match (copy.language.as_str(), &customer) {
            ("", Some(customer)) => self.customer(customer)?.data.locale,
            (given, _) => short("language", given)?,
        };
        self.add(
            by,
            DeliveryData {
                document: document.to_string(),
                account: account.map(str::to_string),
                customer,
                contact_point,
                to,
                how: copy.how,
                by: by.to_string(),
                reason,
                interaction: copy.interaction,
                planned_at: self.now(),
                language,
                message_id: format!("{}@greenbar", super::store::new_id(self.now())?),
                ..DeliveryData::default()
            },
        )
    }

    fn copy_address(
        &self,
        id: &str,
        account: Option<&str>,
        customer: Option<&str>,
        how: How,
        any: bool,
    ) -> Result<super::contact::ContactPoint, CrmError> {
        let unknown = || CrmError::invalid("contact_point", "there is no such contact point");
        let point = self.contact(id).map_err(|_| unknown())?;
        let ours = match &point.owner {
            Owner::Account(number) => Some(number.as_str()) == account,
            Owner::Customer(id) => Some(id.as_str()) == customer,
        };
        if !ours {
            return Err(unknown());
        }
        let wanted = if how == How::Print { ContactKind::Post } else { ContactKind::Email };
        if point.kind != wanted {
            return Err(CrmError::invalid(
                "contact_point",
                format!("a copy like this goes to a contact point of kind {}", wanted.name()),
            ));
        }
        if !any && !point.is_usable(Date(self.now().day())) {
            return Err(CrmError::invalid("contact_point", "it was not verified, or is not in use now"));
        }
        Ok(point)
    }

    /// Notes what became of a document that a run of distribution sent for an account: who asks what was sent to them finds it
    /// beside the copies. It survives the end of the program; the ledger is what survives a power cut.
    pub fn note_sent(&self, sent: &Sent<'_>) -> Result<(), CrmError> {
        let id = format!("{}-{}", sent.piece, sent.document);
        let said = sent.said.chars().take(MOST_NOTED).collect();
        let attempt = Attempt { at: self.now(), taken: sent.state == DeliveryState::Handed, said };
        let _turn = self.lock();
        let mut batch = Batch::default();
        match self.find::<DeliveryData>(&id)? {
            Some(before) => {
                let mut data = before.data.clone();
                (data.state, data.in_doubt) = (sent.state, sent.in_doubt);
                data.attempts.push(attempt);
                let surplus = data.attempts.len().saturating_sub(MOST_ATTEMPTS);
                data.attempts.drain(..surplus);
                self.update(&mut batch, SENDER, &before, data)?;
            }
            None => {
                let data = DeliveryData {
                    document: sent.document.to_string(),
                    account: Some(sent.account.to_string()),
                    to: sent.to.to_string(),
                    how: sent.how,
                    state: sent.state,
                    by: SENDER.to_string(),
                    planned_at: self.now(),
                    message_id: sent.piece.to_string(),
                    attempts: vec![attempt],
                    in_doubt: sent.in_doubt,
                    ..DeliveryData::default()
                };
                self.insert(&mut batch, SENDER, Some(&id), data)?;
            }
        }
        Ok(self.engine.commit_logged(batch)?)
    }

    /// A delivery.
    pub fn delivery(&self, id: &str) -> Result<Delivery, CrmError> {
        self.need(id)
    }

    /// The deliveries of a document, oldest first.
    pub fn deliveries_of(&self, viewer: Viewer<'_>, document: DocId) -> Result<Vec<Delivery>, CrmError> {
        let ids = self.ids(Family::Activity, &key(b'm', &[document.to_string().as_bytes(), b""]), 200)?;
        let mut seen = Vec::new();
        for delivery in self.rows::<DeliveryData>(&ids)? {
            if self.shows(viewer, delivery.customer.as_deref(), delivery.account.as_deref())? {
                let data = if viewer.is_staff() { delivery.data.clone() } else { delivery.data.for_customer() };
                seen.push(Kept { data, ..delivery });
            }
        }
        Ok(seen)
    }

    /// Deliveries that wait to be handed over, oldest first, whether or not their time has come.
    pub fn deliveries_to_hand(&self, limit: usize) -> Result<Vec<Delivery>, CrmError> {
        let ids = self.ids(Family::Outbox, &key(b'm', &[b"", b""]), limit)?;
        self.rows(&ids)
    }

    /// Notes that a delivery is handed over now. On disk when this returns: should the program end before it hears what
    /// came of it, the delivery is known to be in doubt.
    pub fn begin_delivery(&self, id: &str) -> Result<Delivery, CrmError> {
        let now = self.now();
        self.change(SENDER, id, None, |data: &mut DeliveryData| match data.state {
            DeliveryState::Planned | DeliveryState::Retrying => {
                data.handing_since = Some(now);
                Ok(())
            }
            _ => {
                Err(CrmError::State { what: DeliveryData::WHAT, state: "handed over, given up or called back".into() })
            }
        })
    }

    /// Notes what came of handing over. A delivery that was not taken is tried again at `next_at`, up to
    /// [`MOST_ATTEMPTS`] times; without a `next_at` it was given up.
    pub fn tried_delivery(&self, id: &str, tried: Tried<'_>, next_at: Option<Time>) -> Result<Delivery, CrmError> {
        let now = self.now();
        let said: String = tried.said.chars().filter(|c| !c.is_control()).take(500).collect();
        self.change(SENDER, id, None, |data: &mut DeliveryData| {
            data.attempts.push(Attempt { at: now, taken: tried.taken, said });
            data.handing_since = None;
            data.in_doubt |= tried.in_doubt;
            data.next_at = next_at.unwrap_or_default();
            data.state = match tried.taken {
                true => DeliveryState::Handed,
                false if next_at.is_none() || data.attempts.len() >= MOST_ATTEMPTS => DeliveryState::Failed,
                false => DeliveryState::Retrying,
            };
            Ok(())
        })
    }

    /// Notes that a delivery waits because there is no way to send it; says it once.
    pub fn delivery_waits(&self, id: &str, why: &str, next_at: Time) -> Result<Delivery, CrmError> {
        let now = self.now();
        self.change(SENDER, id, None, |data: &mut DeliveryData| {
            if data.attempts.last().is_none_or(|last| last.said != why) {
                data.attempts.push(Attempt { at: now, taken: false, said: why.to_string() });
            }
            data.next_at = next_at;
            Ok(())
        })
    }

    /// Notes what a mail server said of a delivery after it took it; `bounced`: it came back and counts as failed.
    pub fn returned_delivery(&self, by: &str, id: &str, bounced: bool, said: &str) -> Result<Delivery, CrmError> {
        let now = self.now();
        self.change(by, id, None, |data: &mut DeliveryData| {
            if data.attempts.last().is_some_and(|last| last.said == said) {
                return Ok(());
            }
            data.attempts.push(Attempt { at: now, taken: !bounced, said: said.to_string() });
            if bounced {
                (data.state, data.handing_since) = (DeliveryState::Failed, None);
            }
            Ok(())
        })
    }

    /// Calls a delivery back that was not handed over yet.
    pub fn cancel_delivery(&self, by: &str, id: &str) -> Result<Delivery, CrmError> {
        self.change(by, id, None, |data: &mut DeliveryData| match data.state {
            DeliveryState::Planned | DeliveryState::Retrying => {
                data.state = DeliveryState::Cancelled;
                Ok(())
            }
            _ => {
                Err(CrmError::State { what: DeliveryData::WHAT, state: "handed over, given up or called back".into() })
            }
        })
    }

    /// Who changed what of a delivery, oldest first.
    pub fn delivery_history(&self, id: &str) -> Result<Vec<Change>, CrmError> {
        self.changes::<DeliveryData>(id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::AccountData;
    use super::super::contact::NewContact;
    use super::super::tests::crm;
    use super::*;

    fn point(crm: &Crm, account: &str, verified: bool) -> String {
        crm.add_account("x", AccountData { number: account.into(), ..AccountData::default() }).expect("added");
        let new = NewContact {
            owner: Owner::Account(account.into()),
            kind: ContactKind::Email,
            value: format!("a{account}@example.com"),
            label: String::new(),
            valid_from: None,
            valid_to: None,
            source: String::new(),
        };
        let id = crm.add_contact("x", new).expect("added").id;
        if verified {
            crm.verify_contact("x", &id, "code").expect("verified");
        }
        id
    }

    fn to(point: &str) -> NewCopy {
        NewCopy { contact_point: Some(point.into()), ..NewCopy::default() }
    }

    #[test]
    fn copies_go_to_verified_addresses_of_the_account_and_stay_planned_until_they_are_handed_over() {
        let (crm, clock) = crm();
        let document: DocId = "7-3".parse().expect("an id");
        let (ours, unverified, others) = (point(&crm, "1", true), point(&crm, "2", false), point(&crm, "3", true));
        let plan = |account: &str, copy| crm.plan_copy("ann", document, Some(account), copy, false);
        assert!(
            plan("1", to(&others)).is_err()
                && plan("2", to(&unverified)).is_err()
                && plan("1", NewCopy::default()).is_err()
        );
        let address = NewCopy { address: Some("x@example.org".into()), ..NewCopy::default() };
        assert!(plan("1", address.clone()).is_err(), "needs the right");
        assert!(crm.plan_copy("sue", document, Some("1"), address.clone(), true).is_err(), "and a reason");
        let planned = plan("1", to(&ours)).expect("planned");
        assert_eq!((planned.to.as_str(), planned.state), ("a1@example.com", DeliveryState::Planned));
        let with_reason = NewCopy { reason: "moved".into(), ..address };
        crm.plan_copy("sue", document, Some("1"), with_reason, true).expect("planned");
        assert_eq!(crm.deliveries_to_hand(9).expect("read").len(), 2);
        clock.turn(5);
        let handed = crm
            .tried_delivery(&planned.id, Tried { taken: true, said: "250 ok", ..Tried::default() }, None)
            .expect("noted");
        assert_eq!(handed.state, DeliveryState::Handed);
        assert_eq!(crm.deliveries_to_hand(9).expect("read").len(), 1);
        assert!(crm.cancel_delivery("ann", &planned.id).is_err());
        assert_eq!(crm.deliveries_of(Viewer::Staff("ann"), document).expect("read").len(), 2);
        let accounts = ["2".to_string()];
        let other = Viewer::Customer { name: "dora", accounts: &accounts };
        assert_eq!(crm.deliveries_of(other, document).expect("read").len(), 0);
    }

    #[test]
    fn what_cannot_be_handed_over_is_tried_again_and_given_up_in_the_end() {
        let (crm, _) = crm();
        let point = point(&crm, "1", true);
        let plan =
            || crm.plan_copy("ann", "7-3".parse().expect("an id"), Some("1"), to(&point), false).expect("planned").id;
        let id = plan();
        for n in 1..=MOST_ATTEMPTS {
            let tried = crm
                .tried_delivery(&id, Tried { said: "451 later", ..Tried::default() }, Some(crm.now().plus(60)))
                .expect("noted");
            assert_eq!(tried.state == DeliveryState::Failed, n == MOST_ATTEMPTS);
        }
        let refused = plan();
        let tried =
            crm.tried_delivery(&refused, Tried { said: "550 no such user", ..Tried::default() }, None).expect("noted");
        assert_eq!(tried.state, DeliveryState::Failed);
        assert_eq!(crm.deliveries_to_hand(9).expect("read"), []);
    }
}
