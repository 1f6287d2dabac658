//! Interactions: calls, mails, visits. Who they were with starts as *claimed*: a caller's number proves nothing.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::account::AccountData;
use super::contact::ContactKind;
use super::customer::CustomerData;
use super::store::{Data, Entry, Kept, Page, key};
use super::timeline::{EntryKind, timeline_keys};
use super::{Crm, CrmError, Time, Viewer, contact, required, short};
use crate::archive::DocId;
use crate::archive::kv::{Batch, Family};
use crate::auth::AuthError;

/// An interaction as kept.
pub type Interaction = Kept<InteractionData>;

/// How somebody was in touch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A call.
    #[default]
    Voice,
    /// Mail.
    Email,
    /// Chat.
    Chat,
    /// A short message.
    Sms,
    /// A letter.
    Letter,
    /// In person.
    Visit,
    /// Through the portal.
    Portal,
    /// Otherwise.
    Other,
}

/// Who began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The customer.
    #[default]
    In,
    /// The organisation.
    Out,
}

/// What is known of an interaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InteractionData {
    /// How.
    pub channel: Channel,
    /// Who began.
    pub direction: Direction,
    /// The customer, once known.
    pub customer: Option<String>,
    /// The account that it is about, once known.
    pub account: Option<String>,
    /// User name of the agent.
    pub agent: String,
    /// The call's id in the telephone system; empty: none.
    pub call_id: String,
    /// Keyed hash of the caller's number; empty: not known. The number itself is not kept.
    pub ani_hash: String,
    /// When it began.
    pub started_at: Time,
    /// When it ended; `None` while it goes on.
    pub ended_at: Option<Time>,
    /// Where the recording is.
    pub recording: Option<Recording>,
    /// How it ended, one of the organisation's codes.
    pub wrap_up: String,
    /// What it was about, in the agent's words.
    pub summary: String,
    /// Ids of the documents that were opened for it, in the order of first opening.
    pub documents: Vec<String>,
    /// How the other's identity was proved; `None`: it is only claimed.
    pub verified: Option<Verification>,
}

/// A recording elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// Where: a key or an address of the recording system.
    pub pointer: String,
    /// SHA-256 of its bytes, lower-case hexadecimal; empty: not known.
    #[serde(default)]
    pub sha256: String,
}

/// How an identity was proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// The method: `questions`, `pin`, `callback`, `document`, `voice` ...
    pub method: String,
    /// User name of who did it.
    pub by: String,
    /// When.
    pub at: Time,
}

/// An interaction that begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewInteraction {
    /// How.
    pub channel: Channel,
    /// Who began.
    pub direction: Direction,
    /// The customer, when known.
    pub customer: Option<String>,
    /// The account, when known.
    pub account: Option<String>,
    /// The call's id.
    pub call_id: String,
    /// The caller's number; only its keyed hash is kept.
    pub ani: String,
}

/// What changes of an interaction; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InteractionChange {
    /// The customer.
    pub customer: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The recording.
    pub recording: Option<Recording>,
    /// The wrap-up code.
    pub wrap_up: Option<String>,
    /// What it was about.
    pub summary: Option<String>,
    /// Method by which the identity was proved now.
    pub verified_by: Option<String>,
    /// Whether it is over.
    pub ended: Option<bool>,
}

/// A way to end an interaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrapUp {
    /// The code.
    pub code: String,
    /// What it means, English.
    pub label: String,
    /// What it means, Chinese.
    #[serde(default)]
    pub label_zh: String,
}

impl WrapUp {
    /// What it means, in Chinese where that is asked for and known.
    pub fn named(&self, chinese: bool) -> &str {
        if chinese && !self.label_zh.is_empty() { &self.label_zh } else { &self.label }
    }
}

/// What is said of a customer that is not there.
pub const NO_CUSTOMER: &str = "there is no such customer";
/// Documents of one interaction at most.
const MOST_DOCUMENTS: usize = 500;
/// Settings: key of the hash of callers' numbers.
const ANI_KEY: &[u8] = b"crm/ani-key";
/// Settings: the wrap-up codes.
const WRAP_UP_KEY: &[u8] = b"crm/wrap-up";

impl Data for InteractionData {
    const FAMILY: Family = Family::Activity;
    const LETTER: u8 = b'i';
    const WHAT: &'static str = "interaction";

    fn entries(&self, id: &str) -> Vec<Entry> {
        let mut keys = timeline_keys(
            self.customer.as_deref(),
            self.account.as_deref(),
            self.started_at,
            EntryKind::Interaction,
            id,
        );
        if !self.call_id.is_empty() {
            keys.push(key(b'z', &[self.agent.as_bytes(), self.call_id.as_bytes(), id.as_bytes()]));
        }
        let state: &[u8] = if self.ended_at.is_none() { b"o" } else { b"e" };
        let at = super::store::newest_first(self.started_at);
        keys.push(key(b'u', &[self.agent.as_bytes(), state, &at, id.as_bytes()]));
        keys.into_iter().map(|key| (Family::Activity, key)).collect()
    }
}

impl InteractionData {
    /// What the customer may see of it.
    #[must_use]
    pub fn for_customer(&self) -> InteractionData {
        InteractionData {
            agent: String::new(),
            ani_hash: String::new(),
            call_id: String::new(),
            recording: None,
            wrap_up: String::new(),
            summary: String::new(),
            documents: Vec::new(),
            ..self.clone()
        }
    }
}

impl Crm {
    /// Begins an interaction of an agent. A call that the agent has begun already is returned as it is: a second screen
    /// pop for one call opens nothing new.
    pub fn begin_interaction(&self, agent: &str, new: NewInteraction) -> Result<Interaction, CrmError> {
        let _turn = self.lock();
        let call_id = short("call_id", &new.call_id)?;
        if !call_id.is_empty()
            && let Some(known) = self.interaction_of_call(agent, &call_id)?
        {
            return Ok(known);
        }
        self.check_subject(new.customer.as_deref(), new.account.as_deref())?;
        let ani_hash = if new.ani.trim().is_empty() { String::new() } else { self.ani_hash(&new.ani)? };
        self.add(
            agent,
            InteractionData {
                channel: new.channel,
                direction: new.direction,
                customer: new.customer,
                account: new.account,
                agent: agent.to_string(),
                call_id,
                ani_hash,
                started_at: self.now(),
                ..InteractionData::default()
            },
        )
    }

    /// The interaction that an agent has for a call.
    pub fn interaction_of_call(&self, agent: &str, call_id: &str) -> Result<Option<Interaction>, CrmError> {
        let ids = self.ids(Family::Activity, &key(b'z', &[agent.as_bytes(), call_id.as_bytes(), b""]), 1)?;
        Ok(self.rows(&ids)?.pop())
    }

    /// An interaction.
    pub fn interaction(&self, id: &str) -> Result<Interaction, CrmError> {
        self.need(id)
    }

    /// Changes an interaction. An identity that was proved stays proved; who proved it and when is kept.
    pub fn change_interaction(
        &self,
        by: &str,
        id: &str,
        expected: Option<u64>,
        change: InteractionChange,
    ) -> Result<Interaction, CrmError> {
        self.check_subject(change.customer.as_deref(), change.account.as_deref())?;
        let codes = self.wrap_up_codes()?;
        let now = self.now();
        self.change(by, id, expected, |data: &mut InteractionData| {
            let moved = change.customer.is_some() && change.customer != data.customer;
            data.customer = change.customer.or(data.customer.take());
            data.account = change.account.or(data.account.take());
            data.recording = change.recording.or(data.recording.take());
            if moved {
                // What was proved was proved of somebody else.
                data.verified = None;
            }
            if let Some(code) = change.wrap_up {
                if !code.is_empty() && !codes.iter().any(|known| known.code == code) {
                    let known: Vec<_> = codes.iter().map(|known| known.code.as_str()).collect();
                    return Err(CrmError::invalid("wrap_up", format!("it is one of: {}", known.join(", "))));
                }
                data.wrap_up = code;
            }
            if let Some(text) = change.summary {
                data.summary = if text.trim().is_empty() { String::new() } else { super::long("summary", &text)? };
            }
            if let Some(method) = change.verified_by {
                let method = required("verified_by", &method)?;
                data.verified = Some(Verification { method, by: by.to_string(), at: now });
            }
            match change.ended {
                Some(true) if data.ended_at.is_none() => data.ended_at = Some(now),
                Some(false) => data.ended_at = None,
                _ => {}
            }
            Ok(())
        })
    }

    /// Notes that a document was opened for an interaction.
    pub fn interaction_saw(&self, by: &str, id: &str, document: DocId) -> Result<Interaction, CrmError> {
        let document = document.to_string();
        self.change(by, id, None, |data: &mut InteractionData| {
            if data.documents.len() < MOST_DOCUMENTS && !data.documents.contains(&document) {
                data.documents.push(document);
            }
            Ok(())
        })
    }

    /// Interactions of an agent that have not ended, newest first.
    pub fn open_interactions(&self, agent: &str, limit: usize) -> Result<Vec<Interaction>, CrmError> {
        let ids = self.ids(Family::Activity, &key(b'u', &[agent.as_bytes(), b"o", b""]), limit)?;
        self.rows(&ids)
    }

    /// Interactions of an agent that ended, newest first.
    pub fn ended_interactions(
        &self,
        agent: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Interaction>, CrmError> {
        self.page_of(Family::Activity, &key(b'u', &[agent.as_bytes(), b"e", b""]), cursor, limit, |_| true)
    }

    /// The wrap-up codes.
    pub fn wrap_up_codes(&self) -> Result<Vec<WrapUp>, CrmError> {
        if let Some(bytes) = self.engine.get(Family::Settings, WRAP_UP_KEY)? {
            return Ok(super::store::decode(&bytes)?);
        }
        let code = |code: &str, label: &str, label_zh: &str| WrapUp {
            code: code.into(),
            label: label.into(),
            label_zh: label_zh.into(),
        };
        Ok(vec![
            code("answered", "Question answered", "已解答"),
            code("copy-sent", "Copy sent", "已发送副本"),
            code("disputed", "Charge disputed", "费用争议"),
            code("changed", "Details changed", "资料已更改"),
            code("follow-up", "To be followed up", "待跟进"),
            code("no-contact", "Nobody reached", "未接通"),
            code("other", "Something else", "其他"),
        ])
    }

    /// Sets the wrap-up codes.
    pub fn set_wrap_up_codes(&self, codes: &[WrapUp]) -> Result<(), CrmError> {
        let mut names = BTreeSet::new();
        for code in codes {
            let name = required("code", &code.code)?;
            required("label", &code.label)?;
            if !names.insert(name) {
                return Err(CrmError::invalid("code", "each code once"));
            }
        }
        let mut batch = Batch::default();
        batch.put(Family::Settings, WRAP_UP_KEY, super::store::encode(&codes)?);
        Ok(self.engine.commit(batch)?)
    }

    /// Keyed hash of a telephone number: the same number gives the same hash in one archive, and nobody who has only
    /// the rows can try all numbers.
    pub fn ani_hash(&self, number: &str) -> Result<String, CrmError> {
        let country = self.default_country()?;
        // What is no number (a withheld one, a SIP name) is hashed as it is.
        let number = contact::normalise(ContactKind::Phone, number, &country).unwrap_or_else(|_| number.trim().into());
        let secret = self.secret(ANI_KEY)?;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&secret).map_err(|error| CrmError::invalid("ani", error.to_string()))?;
        mac.update(number.as_bytes());
        Ok(super::store::hex(&mac.finalize().into_bytes()))
    }

    /// 32 random bytes kept under a key of the settings; made when they are first asked for.
    pub(super) fn secret(&self, key: &[u8]) -> Result<Vec<u8>, CrmError> {
        if let Some(secret) = self.engine.get(Family::Settings, key)? {
            return Ok(secret);
        }
        let mut secret = [0_u8; 32];
        getrandom::fill(&mut secret).map_err(|error| AuthError::Random { detail: error.to_string() })?;
        let mut batch = Batch::default();
        batch.put(Family::Settings, key, secret);
        self.engine.commit(batch)?;
        Ok(secret.to_vec())
    }

    /// That the customer is there; an account may be one that only documents know.
    pub(super) fn check_subject(&self, customer: Option<&str>, account: Option<&str>) -> Result<(), CrmError> {
        if let Some(customer) = customer
            && self.find::<CustomerData>(customer)?.is_none()
        {
            return Err(CrmError::invalid("customer", NO_CUSTOMER));
        }
        account.map_or(Ok(()), |account| required("account", account).map(|_| ()))
    }

    /// Whether something of this customer and account may be shown. What belongs to no account is shown to those who
    /// hold one of the customer's.
    pub fn shows(&self, viewer: Viewer<'_>, customer: Option<&str>, account: Option<&str>) -> Result<bool, CrmError> {
        let Viewer::Customer { accounts, .. } = viewer else { return Ok(true) };
        if let Some(account) = account {
            return Ok(viewer.sees_account(account));
        }
        let Some(customer) = customer else { return Ok(false) };
        for number in accounts {
            let account = self.find::<AccountData>(number)?;
            if account.is_some_and(|account| account.customer.as_deref() == Some(customer)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::crm;
    use super::*;

    fn call(id: &str) -> NewInteraction {
        NewInteraction { call_id: id.into(), ani: "614 225 1170".into(), ..NewInteraction::default() }
    }

    #[test]
    fn one_call_of_an_agent_is_one_interaction_and_its_number_is_not_kept() {
        let (crm, _) = crm();
        let first = crm.begin_interaction("ann", call("c-1")).expect("begun");
        assert_eq!(crm.begin_interaction("ann", call("c-1")).expect("the same").id, first.id);
        let transferred = crm.begin_interaction("bob", call("c-1")).expect("begun");
        assert_ne!(transferred.id, first.id, "a transferred call is another agent's");
        assert_eq!(transferred.ani_hash, first.ani_hash);
        assert_eq!(crm.ani_hash("+1 (614) 225-1170").expect("hashed"), first.ani_hash);
        let text = serde_json::to_string(&first).expect("written");
        assert!(!text.contains("2251170") && !text.contains("225 1170"), "{text}");
        let loose = crm.begin_interaction("ann", call("")).expect("begun");
        assert_ne!(crm.begin_interaction("ann", call("")).expect("begun").id, loose.id);
        assert_eq!(crm.open_interactions("ann", 10).expect("read").len(), 3);
    }

    #[test]
    fn an_identity_is_claimed_until_somebody_says_how_it_was_proved() {
        let (crm, clock) = crm();
        let call = crm.begin_interaction("ann", call("c-1")).expect("begun");
        assert_eq!(call.verified, None);
        clock.turn(30);
        let change = InteractionChange { verified_by: Some("questions".into()), ..InteractionChange::default() };
        let proved = crm.change_interaction("ann", &call.id, Some(1), change).expect("changed");
        let verified = proved.verified.clone().expect("proved");
        assert_eq!((verified.method.as_str(), verified.by.as_str(), verified.at), ("questions", "ann", crm.now()));
        let name = super::super::name::Names { full: "Other".into(), ..Default::default() };
        let other = crm.add_customer("ann", CustomerData { name, ..CustomerData::default() }).expect("added");
        let change = InteractionChange { customer: Some(other.id.clone()), ..InteractionChange::default() };
        let moved = crm.change_interaction("ann", &call.id, None, change).expect("changed");
        assert_eq!(moved.verified, None, "it was proved of somebody else");
    }

    #[test]
    fn it_ends_with_a_known_code_and_lists_what_was_opened() {
        let (crm, _) = crm();
        let call = crm.begin_interaction("ann", call("c-1")).expect("begun");
        let document: DocId = "7-3".parse().expect("an id");
        crm.interaction_saw("ann", &call.id, document).expect("noted");
        let seen = crm.interaction_saw("ann", &call.id, document).expect("noted");
        assert_eq!((seen.documents.as_slice(), seen.version), (&["7-3".to_string()][..], 2));
        let end = |code: &str| InteractionChange {
            wrap_up: Some(code.into()),
            ended: Some(true),
            ..InteractionChange::default()
        };
        assert!(crm.change_interaction("ann", &call.id, None, end("nonsense")).is_err());
        let ended = crm.change_interaction("ann", &call.id, None, end("answered")).expect("ended");
        assert_eq!(ended.ended_at, Some(crm.now()));
        assert_eq!(crm.open_interactions("ann", 10).expect("read"), []);
        assert_eq!(crm.ended_interactions("ann", None, 10).expect("read").items.len(), 1);
    }
}
