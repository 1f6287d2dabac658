//! Hands over the copies of documents that agents send (`crm::copy`): mail with a link, or with the PDF.
//!
//! The outbox is the store's: what is planned there stays until a next hop took it, it was refused, or every attempt was
//! used up. An attempt is written down before it begins; one whose answer was lost (also because the program was killed) is
//! in doubt, says so, and is made again with the same `Message-ID`, link and bytes.

use std::io;

use super::channel::{Channel, Content, File, Mention, Outcome, Parcel};
use super::config::{ChannelConfig, Config};
use super::{DistributeError, Source, Wanted};
use crate::archive::DocId;
use crate::crm::contact::ContactPoint;
use crate::crm::copy::{Delivery, DeliveryState, How, Tried};
use crate::crm::time::Date;
use crate::crm::{Crm, Time};

/// Deliveries looked at in one round.
const AT_ONCE: usize = 1_000;
/// How long a delivery waits that cannot be sent as things are configured.
const NO_WAY_S: i64 = 5;
/// Largest attachment: most servers refuse mails of 25 MiB, and base64 adds a third.
const MOST_ATTACHED: u64 = 18 << 20;

/// Who hands copies over.
pub struct Copies<'a> {
    /// The outbox.
    pub crm: &'a Crm,
    /// The documents.
    pub source: &'a dyn Source,
    /// The configuration.
    pub config: &'a Config,
    /// The channel that sends mail, when there is one.
    pub channel: Option<&'a dyn Channel>,
}

/// What a delivery became, before or after handing over.
enum Made {
    Sent(Outcome),
    /// It cannot be sent as things are configured; said once, not counted.
    Waits(String),
}

impl Copies<'_> {
    /// Hands over what is due; returns how many were tried. `stop` is asked before each.
    pub fn round(&self, stop: &dyn Fn() -> bool) -> Result<usize, DistributeError> {
        let mut tried = 0;
        for delivery in self.crm.deliveries_to_hand(AT_ONCE)? {
            if stop() {
                break;
            }
            if delivery.next_at > self.crm.now() {
                continue;
            }
            self.one(&delivery)?;
            tried += 1;
        }
        Ok(tried)
    }

    fn one(&self, delivery: &Delivery) -> Result<(), DistributeError> {
        if delivery.handing_since.is_some() {
            let said = "in doubt: the program ended while the mail was handed over; it is sent again as the same mail";
            let doubt = Tried { in_doubt: true, said, ..Tried::default() };
            self.crm.tried_delivery(&delivery.id, doubt, Some(self.crm.now()))?;
        }
        let made = match self.hand(delivery) {
            Ok(made) => made,
            Err(DistributeError::Document(why) | DistributeError::Compose(why)) => Made::Sent(Outcome::Refused(why)),
            Err(error) => return Err(error),
        };
        let attempts = self.crm.delivery(&delivery.id)?.attempts.len();
        let later = Some(self.crm.now().plus(self.config.wait_s(attempts)));
        let (tried, next) = match &made {
            Made::Waits(why) => {
                self.crm.delivery_waits(&delivery.id, why, self.crm.now().plus(NO_WAY_S))?;
                return Ok(());
            }
            Made::Sent(Outcome::Taken { said, .. } | Outcome::Working { said, .. }) => {
                (Tried { taken: true, said, ..Tried::default() }, None)
            }
            Made::Sent(Outcome::Later(said) | Outcome::OutOfOrder(said)) => (Tried { said, ..Tried::default() }, later),
            Made::Sent(Outcome::InDoubt(said)) => (Tried { in_doubt: true, said, ..Tried::default() }, later),
            Made::Sent(Outcome::Refused(said)) => (Tried { said, ..Tried::default() }, None),
        };
        let kept = self.crm.tried_delivery(&delivery.id, tried, next)?;
        if kept.state == DeliveryState::Failed {
            tracing::warn!(delivery.id = %delivery.id, said = tried.said, "a copy could not be sent");
        }
        Ok(())
    }

    fn hand(&self, delivery: &Delivery) -> Result<Made, DistributeError> {
        let waits = |why: &str| Ok(Made::Waits(why.to_string()));
        if delivery.how == How::Print {
            return waits("waits for somebody to print it: no channel prints copies");
        }
        let Some(channel) = self.channel else {
            return waits("waits: distribution.toml names no channel that sends mail");
        };
        if delivery.how == How::Link && self.config.public_url.is_empty() {
            return waits("waits: distribution.toml has no public_url for the link");
        }
        if let Some(why) = self.unreachable(delivery)? {
            return Ok(Made::Sent(Outcome::Refused(why)));
        }
        let composed = channel.compose(&self.content(delivery)?)?;
        // From here on it may be with the receiver, whatever is heard of it.
        self.crm.begin_delivery(&delivery.id)?;
        let (name, bytes) = (composed.name.as_str(), composed.bytes.as_slice());
        let parcel = Parcel { id: &delivery.id, to: &delivery.to, name, bytes, manifest: "" };
        Ok(Made::Sent(channel.deliver(&parcel)))
    }

    /// Why the address must not be written to any more. Who may send to any address gave a reason and is not asked again.
    fn unreachable(&self, delivery: &Delivery) -> Result<Option<String>, DistributeError> {
        let Some(id) = &delivery.contact_point else { return Ok(None) };
        if !delivery.reason.is_empty() {
            return Ok(None);
        }
        let point: ContactPoint = match self.crm.contact(id) {
            Ok(point) => point,
            Err(crate::crm::CrmError::NotFound { .. }) => return Ok(Some("the contact point is gone".into())),
            Err(error) => return Err(error.into()),
        };
        let usable = point.is_usable(Date(self.crm.now().day())) && point.value == delivery.to;
        Ok((!usable).then(|| "the address is not verified any more".into()))
    }

    fn content(&self, delivery: &Delivery) -> Result<Content, DistributeError> {
        let gone = || DistributeError::Document("it is not in the archive".into());
        let id: DocId = delivery.document.parse().map_err(|()| gone())?;
        let facts = self.source.facts(id)?.ok_or_else(gone)?;
        let report = self.source.report(&facts.definition)?.unwrap_or_default();
        let mut content = Content {
            id: delivery.id.clone(),
            to: delivery.to.clone(),
            language: delivery.language.clone(),
            documents: vec![Mention {
                document: delivery.document.clone(),
                report: report.title_in(&delivery.language).to_string(),
                kind: facts.kind,
                ..Mention::default()
            }],
            made_at: delivery.planned_at,
            ..Content::default()
        };
        if delivery.how == How::Pdf {
            content.files.push(self.attachment(delivery, id)?);
            return Ok(content);
        }
        let life = self.config.link_life_s();
        let (token, link) = self.crm.link_for(&delivery.id, &[id], delivery.account.as_deref(), life)?;
        content.link = Some(format!("{}/d/{token}", self.config.public_url));
        content.link_until = Time(link.expires_at.0 - 1).day().to_string();
        Ok(content)
    }

    fn attachment(&self, delivery: &Delivery, id: DocId) -> Result<File, DistributeError> {
        let mut bytes = Bounded { bytes: Vec::new(), most: MOST_ATTACHED };
        let wanted = Wanted { document: id, format: "pdf", only: &[], why: &delivery.id };
        self.source.render(&wanted, &mut bytes)?;
        Ok(File { name: format!("{id}.pdf"), media_type: "application/pdf".into(), bytes: bytes.bytes })
    }
}

impl Config {
    /// Opens the channel for copies.
    pub fn open_copies(&self) -> Result<Option<Box<dyn Channel>>, DistributeError> {
        self.copies_channel().map(ChannelConfig::open).transpose()
    }
}

impl ChannelConfig {
    /// Opens the channel.
    pub fn open(&self) -> Result<Box<dyn Channel>, DistributeError> {
        let kind = super::channel::kind(&self.kind).ok_or_else(|| self.wrong("kind", "it is not known"))?;
        (kind.open)(self)
    }
}

/// Takes so many bytes and no more.
pub struct Bounded {
    /// What was written.
    pub bytes: Vec<u8>,
    /// At most so many.
    pub most: u64,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if (self.bytes.len() + bytes.len()) as u64 > self.most {
            return Err(io::Error::other(format!("it has more than {} bytes", self.most)));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
