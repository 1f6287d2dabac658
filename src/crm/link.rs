//! Signed links: somebody without a user sees one document for a time.
//!
//! A link is 128 random bits; only their hash is kept. Opening it shows a page that says what it leads to in general; only
//! pressing the button there ([`Crm::use_link`]) counts as use, because mail programs fetch addresses on their own.
//! Links that never were, are over or used up answer alike ([`CrmError::Gone`]).

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::store::{Data, Entry, Kept, hex, key};
use super::{Crm, CrmError, Time};
use crate::archive::DocId;
use crate::archive::kv::{Batch, Family};
use crate::auth::{AuthError, secret};

/// A link as kept; its id is the hash of its token.
pub type Link = Kept<LinkData>;

/// What is known of a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkData {
    /// The document that it shows; the first of several.
    pub document: String,
    /// The others: it leads to a ZIP file with all of them.
    pub others: Vec<String>,
    /// The account of the document.
    pub account: Option<String>,
    /// The rendition that it shows.
    pub format: String,
    /// The delivery that it went out with.
    pub delivery: Option<String>,
    /// The first moment in which it shows nothing any more.
    pub expires_at: Time,
    /// Uses that are left.
    pub uses_left: u32,
    /// When it was used.
    pub used_at: Vec<Time>,
    /// Called back.
    pub revoked: bool,
    /// Every mask holds, also those that customers see through: whoever made it sees the document masked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
}

/// How long and how often a link shows its document, and how much of it.
#[derive(Debug, Clone, Copy)]
pub struct LinkLife {
    /// Seconds.
    pub seconds: i64,
    /// Uses.
    pub uses: u32,
    /// Every mask holds.
    pub masked: bool,
}

/// Settings: the secret behind the tokens of links that go out with deliveries.
const SECRET_KEY: &[u8] = b"crm/link-secret";
/// The longest life of a link.
pub const MOST_LIFE_S: i64 = 90 * 86_400;
/// Uses of a link at most.
pub const MOST_USES: u32 = 100;

impl Data for LinkData {
    const FAMILY: Family = Family::Activity;
    const LETTER: u8 = b'l';
    const WHAT: &'static str = "link";

    fn entries(&self, id: &str) -> Vec<Entry> {
        let entry = |document: &String| (Family::Activity, key(b'b', &[document.as_bytes(), id.as_bytes()]));
        self.documents().map(entry).collect()
    }
}

impl LinkData {
    /// All that it leads to.
    pub fn documents(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.document).chain(&self.others)
    }
}

fn id_of(token: &str) -> String {
    hex(&secret::fingerprint(token))
}

impl Crm {
    /// Makes a link to a rendition of a document; returns its token, which is not kept. Whether `by` may see the document
    /// is for the caller to ask.
    pub fn make_link(
        &self,
        by: &str,
        document: DocId,
        account: Option<&str>,
        life: LinkLife,
    ) -> Result<(String, Link), CrmError> {
        if !(1..=MOST_LIFE_S).contains(&life.seconds) || !(1..=MOST_USES).contains(&life.uses) {
            return Err(CrmError::invalid("expires_in_s", "a link lives at most 90 days and has at most 100 uses"));
        }
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(|error| AuthError::Random { detail: error.to_string() })?;
        let token = hex(&random);
        let data = LinkData {
            document: document.to_string(),
            account: account.map(str::to_string),
            format: "pdf".into(),
            expires_at: self.now().plus(life.seconds),
            uses_left: life.uses,
            masked: life.masked,
            ..LinkData::default()
        };
        let mut batch = Batch::default();
        let link = self.insert(&mut batch, by, Some(&id_of(&token)), data)?;
        self.engine.commit(batch)?;
        Ok((token, link))
    }

    /// The link that goes out with a delivery and leads to these documents (several: as a ZIP file): the same one however often it is asked for, so that a mail that is sent
    /// again has the address that the first had. Its token is the delivery's id under this archive's secret.
    pub fn link_for(
        &self,
        delivery: &str,
        documents: &[DocId],
        account: Option<&str>,
        life_s: i64,
    ) -> Result<(String, Link), CrmError> {
        let [first, others @ ..] = documents else {
            return Err(CrmError::invalid("document", "a link leads to one document at least"));
        };
        let token = self.signed(delivery)?;
        let _turn = self.lock();
        if let Some(link) = self.find::<LinkData>(&id_of(&token))? {
            return Ok((token, link));
        }
        let data = LinkData {
            document: first.to_string(),
            others: others.iter().map(ToString::to_string).collect(),
            account: account.map(str::to_string),
            format: if others.is_empty() { "pdf" } else { "zip" }.into(),
            delivery: Some(delivery.to_string()),
            expires_at: self.now().plus(life_s.clamp(1, MOST_LIFE_S)),
            uses_left: MOST_USES,
            ..LinkData::default()
        };
        let mut batch = Batch::default();
        let link = self.insert(&mut batch, "system:deliver", Some(&id_of(&token)), data)?;
        // Whoever sends it writes down before that it is sent, and syncs; the link is on the disk by then.
        self.engine.commit_logged(batch)?;
        Ok((token, link))
    }

    /// 128 bits that only this archive can make of a text.
    pub(super) fn signed(&self, text: &str) -> Result<String, CrmError> {
        let secret = {
            let _turn = self.lock();
            match self.engine.get(Family::Settings, SECRET_KEY)? {
                Some(secret) => secret,
                None => {
                    let mut random = vec![0_u8; 32];
                    getrandom::fill(&mut random).map_err(|error| AuthError::Random { detail: error.to_string() })?;
                    let mut batch = Batch::default();
                    batch.put(Family::Settings, SECRET_KEY.to_vec(), random.clone());
                    self.engine.commit(batch)?;
                    random
                }
            }
        };
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&secret).map_err(|error| AuthError::Random { detail: error.to_string() })?;
        mac.update(text.as_bytes());
        Ok(hex(mac.finalize().into_bytes().get(..16).unwrap_or_default()))
    }

    /// A link, by its id.
    pub fn link(&self, id: &str) -> Result<Link, CrmError> {
        self.need(id)
    }

    /// The link of a token, as long as it can be used. Looking does not count.
    pub fn look_at_link(&self, token: &str) -> Result<Link, CrmError> {
        let link: Option<Link> = self.find(&id_of(token))?;
        link.filter(|link| self.is_live(link)).ok_or(CrmError::Gone)
    }

    /// Uses a link once.
    pub fn use_link(&self, token: &str, from: &str) -> Result<Link, CrmError> {
        let now = self.now();
        let used = self.change(&format!("link:{from}"), &id_of(token), None, |data: &mut LinkData| {
            if data.revoked || data.uses_left == 0 || now >= data.expires_at {
                return Err(CrmError::Gone);
            }
            data.uses_left -= 1;
            data.used_at.push(now);
            Ok(())
        });
        used.map_err(|error| if matches!(error, CrmError::NotFound { .. }) { CrmError::Gone } else { error })
    }

    /// The links to a document.
    pub fn links_to(&self, document: DocId) -> Result<Vec<Link>, CrmError> {
        let ids = self.ids(Family::Activity, &key(b'b', &[document.to_string().as_bytes(), b""]), 200)?;
        self.rows(&ids)
    }

    /// Calls a link back, by its id.
    pub fn revoke_link(&self, by: &str, id: &str) -> Result<Link, CrmError> {
        self.change(by, id, None, |data: &mut LinkData| {
            data.revoked = true;
            Ok(())
        })
    }

    /// Calls back the link that went out with a delivery ([`Crm::link_for`]): its mail went to an address that is not the
    /// recipient's any more. `false`: none went out, or it was called back before.
    pub fn revoke_link_of(&self, by: &str, delivery: &str) -> Result<bool, CrmError> {
        let id = id_of(&self.signed(delivery)?);
        match self.find::<LinkData>(&id)? {
            Some(link) if !link.revoked => self.revoke_link(by, &id).map(|_| true),
            _ => Ok(false),
        }
    }

    fn is_live(&self, link: &Link) -> bool {
        !link.revoked && link.uses_left > 0 && self.now() < link.expires_at
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::super::tests::crm;
    use super::*;

    fn life(seconds: i64, uses: u32) -> LinkLife {
        LinkLife { seconds, uses, masked: false }
    }

    #[test]
    fn a_link_is_used_up_and_expires_and_then_looks_like_none() {
        let (crm, clock) = crm();
        let document: DocId = "7-3".parse().expect("an id");
        let (token, link) = crm.make_link("ann", document, Some("1"), life(3600, 2)).expect("made");
        assert_eq!(token.len(), 32);
        for _ in 0..5 {
            assert_eq!(crm.look_at_link(&token).expect("live").uses_left, 2, "looking does not count");
        }
        crm.use_link(&token, "10.0.0.9").expect("used");
        crm.use_link(&token, "10.0.0.9").expect("used");
        assert!(matches!(crm.use_link(&token, ""), Err(CrmError::Gone)));
        assert!(matches!(crm.look_at_link(&token), Err(CrmError::Gone)));
        assert!(matches!(crm.look_at_link("0123"), Err(CrmError::Gone)));
        let (token, _) = crm.make_link("ann", document, Some("1"), life(3600, 2)).expect("made");
        clock.turn(3600);
        assert!(matches!(crm.use_link(&token, ""), Err(CrmError::Gone)));
        let (token, fresh) = crm.make_link("ann", document, Some("1"), life(3600, 2)).expect("made");
        crm.revoke_link("ann", &fresh.id).expect("revoked");
        assert!(matches!(crm.look_at_link(&token), Err(CrmError::Gone)));
        assert_eq!(crm.links_to(document).expect("read").len(), 3);
        assert_eq!(link.account.as_deref(), Some("1"));
    }

    #[test]
    fn a_delivery_has_one_link_however_often_it_is_asked_for() {
        let (crm, clock) = crm();
        let document: DocId = "7-3".parse().expect("an id");
        let (token, link) = crm.link_for("d1", &[document], Some("1"), 3600).expect("made");
        clock.turn(60);
        assert_eq!(crm.link_for("d1", &[document], Some("1"), 3600).expect("the same"), (token.clone(), link.clone()));
        assert_ne!(crm.link_for("d2", &[document], Some("1"), 3600).expect("made").0, token);
        assert_eq!((token.len(), link.delivery.as_deref()), (32, Some("d1")));
        clock.turn(3600);
        assert!(matches!(crm.use_link(&token, ""), Err(CrmError::Gone)));
    }

    #[test]
    fn a_link_to_several_documents_is_found_by_each_of_them() {
        let (crm, _) = crm();
        let documents: Vec<DocId> = ["7-3", "7-4"].iter().map(|id| id.parse().expect("an id")).collect();
        let (_, link) = crm.link_for("d1", &documents, Some("1"), 3600).expect("made");
        assert_eq!((link.format.as_str(), link.documents().count()), ("zip", 2));
        assert!(documents.iter().all(|id| crm.links_to(*id).expect("read").len() == 1));
        assert!(crm.link_for("d2", &[], None, 3600).is_err());
    }

    #[test]
    fn the_store_has_no_token() {
        let (crm, _) = crm();
        let (token, _) = crm.make_link("ann", "7-3".parse().expect("an id"), None, life(60, 1)).expect("made");
        crm.engine
            .scan(Family::Activity, b"".as_slice()..b"".as_slice(), &mut |key, value| {
                let has = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&token);
                assert!(!has(key) && !has(value));
                ControlFlow::Continue(())
            })
            .expect("scanned");
    }

    #[test]
    fn the_link_of_a_delivery_is_called_back_once_and_never_comes_again() {
        let (crm, _) = crm();
        let document: DocId = "7-3".parse().expect("an id");
        assert!(!crm.revoke_link_of("otto", "piece-1").expect("asked"), "none went out");
        let (token, _) = crm.link_for("piece-1", &[document], Some("1"), 3600).expect("made");
        assert!(crm.revoke_link_of("otto", "piece-1").expect("called back"));
        assert!(matches!(crm.look_at_link(&token), Err(CrmError::Gone)));
        let (again, _) = crm.link_for("piece-1", &[document], Some("1"), 3600).expect("the same");
        assert_eq!(again, token);
        assert!(matches!(crm.use_link(&again, ""), Err(CrmError::Gone)));
        assert!(!crm.revoke_link_of("otto", "piece-1").expect("asked"), "before");
    }
}
