//! Consents: to which text, in which language, shown to work how, given when, withdrawn when.
//!
//! Consent is not a switch. A row keeps the version, hash and language of the text that was shown, and begins *pending*
//! with a code that stands in a sample in the very form the customer agrees to receive. Only who types that code has
//! shown to be able to open it (15 USC 7001(c)); then it is *given*. A withdrawal ends it from that moment on.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::store::{Change, Data, Entry, Kept, decode, encode, hex, key, newest_first};
use super::timeline::{EntryKind, timeline_keys};
use super::{Crm, CrmError, Time, long, required};
use crate::archive::kv::{Batch, Family};
use crate::auth::{AuthError, secret};

/// A consent as kept.
pub type Consent = Kept<ConsentData>;

/// What is consented to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Documents come electronically instead of on paper.
    EDelivery,
    /// Offers.
    Marketing,
}

impl Purpose {
    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::EDelivery => "e-delivery",
            Purpose::Marketing => "marketing",
        }
    }
}

/// A text that is shown before somebody consents; it never changes, another text is another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// What for.
    pub purpose: Purpose,
    /// Version, from 1.
    pub version: u32,
    /// Language, BCP 47.
    pub locale: String,
    /// The text.
    pub text: String,
    /// SHA-256 of the text, lower-case hexadecimal.
    pub sha256: String,
    /// Since when it is shown.
    pub since: Time,
}

/// Where a consent stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsentState {
    /// The code has not been typed yet.
    #[default]
    Pending,
    /// In force.
    Given,
    /// It was in force.
    Withdrawn,
}

impl ConsentState {
    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            ConsentState::Pending => "pending",
            ConsentState::Given => "given",
            ConsentState::Withdrawn => "withdrawn",
        }
    }
}

/// What is known of a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentData {
    /// The customer.
    pub customer: Option<String>,
    /// The account, when it is for one only.
    pub account: Option<String>,
    /// What for.
    pub purpose: Purpose,
    /// Kinds of documents; empty: all.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Version of the text that was shown.
    pub disclosure_version: u32,
    /// Its SHA-256.
    pub disclosure_sha256: String,
    /// Its language.
    pub locale: String,
    /// Where it stands.
    pub state: ConsentState,
    /// How: `portal`, `agent`, `letter` ...
    pub method: String,
    /// HMAC of the code in the sample under the archive's secret; empty for purposes that need none.
    #[serde(default)]
    pub code_sha256: String,
    /// What was opened to show that it works: the form, such as `pdf`.
    #[serde(default)]
    pub demonstrated_with: String,
    /// Address of the browser, or user name of the agent.
    pub from: String,
    /// Wrong codes so far.
    #[serde(default)]
    pub wrong_codes: u32,
    /// When it began.
    pub begun_at: Time,
    /// When the code was typed.
    #[serde(default)]
    pub given_at: Option<Time>,
    /// When it was withdrawn.
    #[serde(default)]
    pub withdrawn_at: Option<Time>,
}

/// A consent to begin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewConsent {
    /// The customer.
    #[serde(default)]
    pub customer: Option<String>,
    /// The account, when it is for one only.
    #[serde(default)]
    pub account: Option<String>,
    /// What for.
    pub purpose: Purpose,
    /// Kinds of documents; empty: all.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Language of the text that was shown.
    pub locale: String,
    /// SHA-256 of the text that was shown: a consent to a text that is not the current one is refused.
    pub disclosure_sha256: String,
    /// How.
    #[serde(default)]
    pub method: String,
    /// The form of the sample with the code.
    #[serde(default)]
    pub demonstrated_with: String,
}

/// How long a code can be typed.
const CODE_LIFE_S: i64 = 7 * 86_400;
/// Wrong codes before a consent must be begun anew.
const MOST_WRONG: u32 = 5;
/// Consents of one customer that are listed at most.
const MOST: usize = 500;

impl Data for ConsentData {
    const FAMILY: Family = Family::Activity;
    const LETTER: u8 = b'g';
    const WHAT: &'static str = "consent";

    fn entries(&self, id: &str) -> Vec<Entry> {
        let (customer, account) = (self.customer.as_deref(), self.account.as_deref());
        let mut keys = timeline_keys(customer, account, self.begun_at, EntryKind::Consent, id);
        let at = newest_first(self.begun_at);
        for (kind, subject) in [(&b"c"[..], customer), (b"a", account)] {
            keys.extend(subject.map(|subject| key(b'k', &[kind, subject.as_bytes(), &at, id.as_bytes()])));
        }
        keys.into_iter().map(|key| (Family::Activity, key)).collect()
    }
}

impl ConsentData {
    /// Whether it covers documents of a kind now.
    pub fn covers(&self, purpose: Purpose, class: &str) -> bool {
        self.state == ConsentState::Given
            && self.purpose == purpose
            && (self.classes.is_empty() || self.classes.iter().any(|known| known == class))
    }

    /// Whether both are for one purpose and for a kind of documents in common.
    fn overlaps(&self, other: &ConsentData) -> bool {
        let all = self.classes.is_empty() || other.classes.is_empty();
        self.purpose == other.purpose && (all || self.classes.iter().any(|class| other.classes.contains(class)))
    }
}

fn disclosure_key(purpose: Purpose, locale: &str, version: u32) -> Vec<u8> {
    [b"crm/disclosure/", purpose.name().as_bytes(), b"/", locale.as_bytes(), b"\0", &version.to_be_bytes()].concat()
}

impl Crm {
    /// All versions of a text in a language, oldest first.
    pub fn disclosures(&self, purpose: Purpose, locale: &str) -> Result<Vec<Disclosure>, CrmError> {
        let prefix = disclosure_key(purpose, locale, 0);
        let prefix = prefix.get(..prefix.len() - 4).unwrap_or_default();
        let mut all = Vec::new();
        self.visit(Family::Settings, prefix, &mut |_, value| {
            all.push(decode(value));
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(all.into_iter().collect::<Result<_, _>>()?)
    }

    /// The text that is shown now; where there is none in the language, the English one.
    pub fn disclosure(&self, purpose: Purpose, locale: &str) -> Result<Disclosure, CrmError> {
        for locale in [locale, "en"] {
            if let Some(last) = self.disclosures(purpose, locale)?.pop() {
                return Ok(last);
            }
        }
        Err(CrmError::NotFound { what: "disclosure" })
    }

    /// Makes a text the one that is shown. The same text again changes nothing.
    pub fn publish_disclosure(&self, purpose: Purpose, locale: &str, text: &str) -> Result<Disclosure, CrmError> {
        let _turn = self.lock();
        let (locale, text) = (required("locale", locale)?, long("text", text)?);
        let sha256 = hex(&Sha256::digest(text.as_bytes()));
        let last = self.disclosures(purpose, &locale)?.pop();
        if let Some(last) = last.as_ref().filter(|last| last.sha256 == sha256) {
            return Ok(last.clone());
        }
        let version = last.map_or(1, |last| last.version + 1);
        let disclosure = Disclosure { purpose, version, locale, text, sha256, since: self.now() };
        let mut batch = Batch::default();
        let key = disclosure_key(purpose, &disclosure.locale, version);
        batch.put(Family::Settings, key, encode(&disclosure)?);
        self.engine.commit(batch)?;
        Ok(disclosure)
    }

    /// Begins a consent. For e-delivery the code is returned, once: put it in a sample in the form that the customer will
    /// receive. Other purposes need none and are given at once.
    pub fn begin_consent(&self, by: &str, from: &str, new: NewConsent) -> Result<(Consent, Option<String>), CrmError> {
        self.check_subject(new.customer.as_deref(), new.account.as_deref())?;
        if new.customer.is_none() && new.account.is_none() {
            return Err(CrmError::invalid("customer", "a consent is of a customer or for an account"));
        }
        let shown = self.disclosure(new.purpose, &new.locale)?;
        if shown.sha256 != new.disclosure_sha256 {
            return Err(CrmError::invalid("disclosure_sha256", "another text is shown now; show it and ask again"));
        }
        let code = (new.purpose == Purpose::EDelivery).then(code).transpose()?;
        let kept = code.as_deref().map(|code| self.code_kept(code)).transpose()?;
        let now = self.now();
        let given = code.is_none();
        let consent = self.add(
            by,
            ConsentData {
                customer: new.customer,
                account: new.account,
                purpose: new.purpose,
                classes: new.classes.iter().map(|class| required("classes", class)).collect::<Result<_, _>>()?,
                disclosure_version: shown.version,
                disclosure_sha256: shown.sha256,
                locale: shown.locale,
                state: if given { ConsentState::Given } else { ConsentState::Pending },
                method: super::short("method", &new.method)?,
                code_sha256: kept.unwrap_or_default(),
                demonstrated_with: super::short("demonstrated_with", &new.demonstrated_with)?,
                from: from.to_string(),
                wrong_codes: 0,
                begun_at: now,
                given_at: given.then_some(now),
                withdrawn_at: None,
            },
        )?;
        Ok((consent, code))
    }

    /// What is kept of a code: who reads it cannot find the six characters, since only this archive can make it.
    fn code_kept(&self, code: &str) -> Result<String, CrmError> {
        self.signed(&format!("consent code {code}"))
    }

    /// The customer typed the code of the sample. A wrong one counts; after five the consent must be begun anew.
    pub fn confirm_consent(&self, by: &str, id: &str, code: &str) -> Result<Consent, CrmError> {
        let typed = self.code_kept(&code.trim().to_uppercase())?;
        let now = self.now();
        let mut right = false;
        let consent = self.change(by, id, None, |data: &mut ConsentData| {
            let late = now.0 - data.begun_at.0 > CODE_LIFE_S || data.wrong_codes >= MOST_WRONG;
            if data.state != ConsentState::Pending || late {
                let state =
                    if data.state == ConsentState::Pending { "expired".into() } else { data.state.name().into() };
                return Err(CrmError::State { what: Self::CONSENT, state });
            }
            right = secret::same(typed.as_bytes(), data.code_sha256.as_bytes());
            if right {
                data.state = ConsentState::Given;
                data.given_at = Some(now);
            } else {
                data.wrong_codes += 1;
            }
            Ok(())
        })?;
        if right { Ok(consent) } else { Err(CrmError::invalid("code", "it is not the code of the sample")) }
    }

    const CONSENT: &str = "consent";

    /// Ends a consent from now on.
    pub fn withdraw_consent(&self, by: &str, id: &str) -> Result<Consent, CrmError> {
        let now = self.now();
        self.change(by, id, None, |data: &mut ConsentData| {
            if data.state == ConsentState::Withdrawn {
                return Err(CrmError::State { what: Self::CONSENT, state: data.state.name().into() });
            }
            data.state = ConsentState::Withdrawn;
            data.withdrawn_at = Some(now);
            Ok(())
        })
    }

    /// Ends a consent and whatever else was given for the same purpose by the same: none that covers what this one did stays.
    pub fn withdraw_all_of(&self, by: &str, id: &str) -> Result<Vec<Consent>, CrmError> {
        let first = self.withdraw_consent(by, id)?;
        let accounts: Vec<String> = first.account.iter().cloned().collect();
        let others = self.consents(first.customer.as_deref(), &accounts)?;
        let mut ended = vec![first.clone()];
        for other in others.into_iter().filter(|other| other.state == ConsentState::Given && other.overlaps(&first)) {
            ended.push(self.withdraw_consent(by, &other.id)?);
        }
        Ok(ended)
    }

    /// A consent.
    pub fn consent(&self, id: &str) -> Result<Consent, CrmError> {
        self.need(id)
    }

    /// All consents of a customer and for accounts, newest first, those that ended too.
    pub fn consents(&self, customer: Option<&str>, accounts: &[String]) -> Result<Vec<Consent>, CrmError> {
        let mut ids = Vec::new();
        if let Some(customer) = customer {
            ids.extend(self.ids(Family::Activity, &key(b'k', &[b"c", customer.as_bytes(), b""]), MOST)?);
        }
        for account in accounts {
            ids.extend(self.ids(Family::Activity, &key(b'k', &[b"a", account.as_bytes(), b""]), MOST)?);
        }
        ids.sort();
        ids.dedup();
        let mut all = self.rows(&ids)?;
        all.sort_by(|a: &Consent, b: &Consent| (b.begun_at, &b.id).cmp(&(a.begun_at, &a.id)));
        Ok(all)
    }

    /// Who changed what of a consent, oldest first: the evidence.
    pub fn consent_history(&self, id: &str) -> Result<Vec<Change>, CrmError> {
        self.changes::<ConsentData>(id)
    }
}

/// Six characters that cannot be mistaken for one another.
fn code() -> Result<String, CrmError> {
    Ok(super::enrol::letters(6).map_err(|detail| AuthError::Random { detail })?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::crm;
    use super::*;

    fn new(crm: &Crm) -> NewConsent {
        let shown = crm.disclosure(Purpose::EDelivery, "en").expect("published");
        NewConsent {
            customer: None,
            account: Some("4711".into()),
            purpose: Purpose::EDelivery,
            classes: vec!["statement".into()],
            locale: "en".into(),
            disclosure_sha256: shown.sha256,
            method: "portal".into(),
            demonstrated_with: "pdf".into(),
        }
    }

    #[test]
    fn a_consent_is_given_by_the_code_and_withdrawn_for_the_future() {
        let (crm, clock) = crm();
        assert!(matches!(crm.disclosure(Purpose::EDelivery, "en"), Err(CrmError::NotFound { .. })));
        crm.publish_disclosure(Purpose::EDelivery, "en", "You may have paper.").expect("published");
        let (consent, code) = crm.begin_consent("carl", "10.0.0.1", new(&crm)).expect("begun");
        let code = code.expect("a code");
        assert!(!consent.covers(Purpose::EDelivery, "statement") && !consent.json().to_string().contains(&code));
        assert!(crm.confirm_consent("carl", &consent.id, "WRONG1").is_err());
        clock.turn(60);
        let given = crm.confirm_consent("carl", &consent.id, &format!(" {} ", code.to_lowercase())).expect("given");
        assert!(given.covers(Purpose::EDelivery, "statement") && !given.covers(Purpose::EDelivery, "bill"));
        assert_eq!(given.wrong_codes, 1);
        assert!(matches!(crm.confirm_consent("carl", &consent.id, &code), Err(CrmError::State { .. })));
        clock.turn(60);
        let ended = crm.withdraw_consent("carl", &consent.id).expect("withdrawn");
        assert!(!ended.covers(Purpose::EDelivery, "statement"));
        assert_eq!(ended.withdrawn_at, Some(crm.now()));
        assert_eq!(crm.consent_history(&consent.id).expect("read").len(), 4);
        assert_eq!(crm.consents(None, &["4711".into()]).expect("read").len(), 1);
    }

    #[test]
    fn consent_is_to_the_text_that_is_shown_and_a_code_does_not_wait_for_ever() {
        let (crm, clock) = crm();
        let first = crm.publish_disclosure(Purpose::EDelivery, "en", "One.").expect("published");
        assert_eq!(crm.publish_disclosure(Purpose::EDelivery, "en", "One.").expect("the same").version, 1);
        let old = new(&crm);
        let second = crm.publish_disclosure(Purpose::EDelivery, "en", "Two.").expect("published");
        assert_eq!((first.version, second.version), (1, 2));
        assert!(matches!(crm.begin_consent("carl", "", old), Err(CrmError::Invalid { .. })));
        let (consent, code) = crm.begin_consent("carl", "", new(&crm)).expect("begun");
        clock.turn(8 * 86_400);
        assert!(matches!(
            crm.confirm_consent("carl", &consent.id, &code.expect("a code")),
            Err(CrmError::State { .. })
        ));
        let (consent, code) = crm.begin_consent("carl", "", new(&crm)).expect("begun");
        for _ in 0..5 {
            assert!(crm.confirm_consent("carl", &consent.id, "NOPE99").is_err());
        }
        let tried = crm.confirm_consent("carl", &consent.id, &code.expect("a code"));
        assert!(matches!(tried, Err(CrmError::State { .. })), "guessing ends");
    }
}
