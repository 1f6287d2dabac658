//! How customers want the documents of a kind, and where they are reached: by preference, consent and contact point as they
//! are at the moment. Planning asks, and so does every attempt: who withdrew a consent in between is not written to.

use super::DistributeError;
use super::channel::Address;
use super::config::Distribution;
use super::ledger::Run;
use super::piece::{Obligation, Piece};
use super::plan::Planner;
use crate::archive::DocId;
use crate::crm::consent::Purpose;
use crate::crm::contact::ContactKind;
use crate::crm::preference::Way;
use crate::crm::time::Date;
use crate::crm::{CrmError, Time};

const ON_PAPER: &str = "the customer wants these documents on paper";
const IN_PORTAL: &str = "the customer wants these documents in the portal";
const BY_MAIL: &str = "the customer wants these documents by mail";
const NO_CONSENT: &str = "there is no consent to electronic delivery of these documents";
const NOT_VERIFIED: &str = "the customer's address is not verified or not in use any more";
const CAME_BACK: &str = "mail to the customer's address came back";
const APART: &str = "the documents of the piece go to different addresses now";
const NO_CHANNEL: &str = "the channel is not configured any more";

/// How a customer wants the documents of a kind, and where.
#[derive(Debug, Clone, Default)]
struct Wish {
    way: Way,
    address: String,
    notices: bool,
    language: String,
    /// First hour in which nobody is told of anything, and the first after it.
    quiet: Option<(u8, u8)>,
    /// The customer's zone; empty: not known.
    zone: String,
    /// Why there is no address, or why it comes on paper.
    why: &'static str,
}

/// The ways to a recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Ways {
    /// Channels and addresses in order.
    pub list: Vec<(String, String)>,
    /// Paper that goes out as well, whatever comes of the others.
    pub beside: Option<(String, String)>,
    /// Paper is not sent because of the first.
    pub suppresses: bool,
    /// Language of the recipient.
    pub language: String,
    /// Not before this, for the customer's quiet hours.
    pub not_before: Time,
    /// Where there is no way: why.
    pub why: &'static str,
}

impl Ways {
    /// The piece for what is owed; without a way it is given up, and says why.
    pub fn piece(self, rule: &Distribution, account: &str, owes: Vec<Obligation>) -> Piece {
        let mut list = self.list.into_iter();
        let first = list.next();
        let reached = first.is_some();
        let (channel, to) =
            first.unwrap_or_else(|| (rule.channels.first().cloned().unwrap_or_default(), String::new()));
        let piece = Piece {
            channel,
            to,
            account: account.into(),
            language: self.language,
            owes,
            fallback: list.collect(),
            suppresses_paper: self.suppresses,
            next_at: self.not_before,
            generation: 1,
            ..Piece::default()
        };
        if reached {
            return piece;
        }
        let said = match (account, self.why) {
            ("", _) => "the document names no account".into(),
            (_, "") => "no address".into(),
            (_, why) => format!("no address: {why}, and no channel prints"),
        };
        Piece { state: super::piece::State::Dead, said, next_at: Time::default(), ..piece }
    }
}

/// Whether a piece can go where it was planned to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// It can.
    Same,
    /// The customer has another address now.
    Moved(String),
    /// Not before this: nobody is told of anything in quiet hours.
    Quiet(Time),
    /// It must not.
    Not(&'static str),
}

impl Planner<'_> {
    /// The ways to a customer for a document of a kind.
    pub(super) fn ways(&self, rule: &Distribution, account: &str, kind: &str) -> Result<Ways, DistributeError> {
        let asks = rule.channels.iter().any(|channel| self.config.address_of(channel) != Some(Address::Fixed));
        let wish = if asks { self.wish(account, kind)? } else { Wish::default() };
        let always = rule.always_paper.iter().any(|known| known == kind);
        let (mut list, mut paper) = (Vec::new(), Vec::new());
        for channel in &rule.channels {
            let own = || self.config.channel.get(channel).map(|known| known.to.clone()).unwrap_or_default();
            match self.config.address_of(channel) {
                Some(Address::Paper) => paper.push((channel.clone(), own())),
                Some(Address::Fixed) => list.push((channel.clone(), own())),
                Some(address) => list.extend(reached(address, &wish).map(|to| (channel.clone(), to))),
                None => {}
            }
        }
        let electronic = !list.is_empty();
        let beside = (always && electronic && !paper.is_empty()).then(|| paper.remove(0));
        if beside.is_some() {
            paper.clear();
        }
        let suppresses = electronic && !paper.is_empty();
        list.extend(paper);
        let told = list.first().is_some_and(|(channel, to)| !to.is_empty() && self.asks_customer(channel));
        let not_before = if told { self.quiet_until(&wish)?.unwrap_or_default() } else { Time::default() };
        let language = if wish.language.is_empty() { rule.language.clone() } else { wish.language.clone() };
        let mut asked = rule.channels.iter().filter_map(|channel| self.config.address_of(channel));
        let asked = asked.find(|address| matches!(address, Address::Email | Address::Portal));
        let why = asked.filter(|_| list.is_empty()).map_or("", |address| why_not(address, &wish));
        Ok(Ways { list, beside, suppresses, language, not_before, why })
    }

    /// Whether a channel goes to an address of the customer's own.
    fn asks_customer(&self, channel: &str) -> bool {
        matches!(self.config.address_of(channel), Some(Address::Email | Address::Portal))
    }

    /// Whether a piece can go where it was planned to go: the wishes and consents of now for all that is in it. An address
    /// that somebody chose is not asked again, nor are places that are not the customer's.
    pub(super) fn reach(&self, piece: &Piece) -> Result<Reach, DistributeError> {
        let Some(address) = self.config.address_of(&piece.channel) else { return Ok(Reach::Not(NO_CHANNEL)) };
        let own = matches!(address, Address::Email | Address::Portal);
        if !own || piece.account.is_empty() || !piece.addressed_by.is_empty() {
            return Ok(Reach::Same);
        }
        let mut there: Option<String> = None;
        let mut quiet: Option<Time> = None;
        for kind in self.kinds(piece)? {
            let wish = self.wish(&piece.account, &kind)?;
            let Some(to) = reached(address, &wish) else { return Ok(Reach::Not(why_not(address, &wish))) };
            if there.as_ref().is_some_and(|known| *known != to) {
                return Ok(Reach::Not(APART));
            }
            if !to.is_empty() {
                quiet = quiet.max(self.quiet_until(&wish)?);
            }
            there = Some(to);
        }
        Ok(match (there, quiet) {
            (_, Some(until)) => Reach::Quiet(until),
            (Some(to), None) if to != piece.to => Reach::Moved(to),
            _ => Reach::Same,
        })
    }

    /// The ways that are left for a piece that cannot go where it was planned to go: those of now where they are the same for
    /// all that is in it, else those that were planned.
    pub(super) fn ways_left(&self, run: &Run, piece: &Piece) -> Result<Vec<(String, String)>, DistributeError> {
        let planned = || piece.fallback.clone();
        let Some(rule) = run.rule(self.config) else { return Ok(planned()) };
        let mut left: Option<Vec<(String, String)>> = None;
        for kind in self.kinds(piece)? {
            let mut list = self.ways(rule, &piece.account, &kind)?.list;
            list.retain(|(channel, _)| *channel != piece.channel);
            if left.as_ref().is_some_and(|known| *known != list) {
                return Ok(planned());
            }
            left = Some(list);
        }
        Ok(left.unwrap_or_else(planned))
    }

    /// A piece as it would go out now, for one that was given up and cannot go where it was to go: `None`, there is no way
    /// still.
    pub(super) fn anew(&self, run: &Run, piece: &Piece) -> Result<Option<Piece>, DistributeError> {
        let to_nobody = piece.to.is_empty() && self.config.address_of(&piece.channel) == Some(Address::Email);
        let reach = match self.reach(piece)? {
            Reach::Same if to_nobody => Reach::Not(NOT_VERIFIED),
            other => other,
        };
        let list = match reach {
            Reach::Same | Reach::Quiet(_) => return Ok(Some(piece.clone())),
            Reach::Moved(to) => {
                let here = (piece.channel.clone(), to);
                std::iter::once(here).chain(piece.fallback.iter().cloned()).collect()
            }
            Reach::Not(_) if !piece.group.is_empty() => self.ways_of_group(run, piece),
            Reach::Not(_) if piece.account.is_empty() => Vec::new(),
            Reach::Not(_) => self.ways_left(run, piece)?,
        };
        let mut list = list.into_iter();
        let Some((channel, to)) = list.next() else { return Ok(None) };
        let piece = Piece { channel, to, fallback: list.collect(), sha256: String::new(), ..piece.clone() };
        Ok(Some(piece.named(&run.key)))
    }

    /// Sends pieces of a run again ([`super::ledger::Ledger::replay`]): those without an address, or whose customer is reached
    /// elsewhere by now, go there.
    pub fn replay(&self, number: u32, which: &[u32]) -> Result<u64, DistributeError> {
        let count = self.ledger.replay(number, which, &|run, piece| self.anew(run, piece))?;
        if count == 0 && !which.is_empty() {
            let why = "nothing is sent again: the piece is sent or open, or there is still no way to its recipient";
            return Err(DistributeError::State(why.into()));
        }
        Ok(count)
    }

    fn ways_of_group(&self, run: &Run, piece: &Piece) -> Vec<(String, String)> {
        let Some(rule) = run.rule(self.config) else { return Vec::new() };
        let value = piece.group.strip_prefix(rule.burst.as_str()).unwrap_or_default().trim_start();
        self.ways_of_value(rule, if value == "-" { "" } else { value })
    }

    /// The kinds of the documents in a piece, each once. What is not in the archive any more has none.
    fn kinds(&self, piece: &Piece) -> Result<Vec<String>, DistributeError> {
        let mut kinds: Vec<String> = Vec::new();
        for owed in &piece.owes {
            let Ok(id) = owed.document.parse::<DocId>() else { continue };
            let Some(facts) = self.source.facts(id)? else { continue };
            if !kinds.contains(&facts.kind) {
                kinds.push(facts.kind);
            }
        }
        Ok(kinds)
    }

    fn wish(&self, account: &str, kind: &str) -> Result<Wish, DistributeError> {
        if account.is_empty() {
            return Ok(Wish::default());
        }
        let customer = match self.crm.account(account) {
            Ok(kept) => kept.customer.clone(),
            Err(CrmError::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let kept = self.crm.preference_for(account, kind)?;
        let language = match kept.as_ref().map(|kept| kept.language.as_str()) {
            None | Some("") => self.language_of(customer.as_deref())?,
            Some(own) => own.to_string(),
        };
        let Some(kept) = kept else { return Ok(Wish { language, why: ON_PAPER, ..Wish::default() }) };
        if kept.way == Way::Paper {
            return Ok(Wish { language, why: ON_PAPER, ..Wish::default() });
        }
        let given = self.crm.consents(customer.as_deref(), &[account.to_string()])?;
        if !given.iter().any(|consent| consent.covers(Purpose::EDelivery, kind)) {
            return Ok(Wish { language, why: NO_CONSENT, ..Wish::default() });
        }
        let (address, why) = self.address(kept.contact_point.as_deref())?;
        let quiet = kept.quiet_hours;
        let zone = if quiet.is_some() { self.zone_of(customer.as_deref())? } else { String::new() };
        Ok(Wish { way: kept.way, address, notices: kept.notices, language, quiet, zone, why })
    }

    /// The mail address of a contact point, or why it is not used. One that fails is not tried again: the next way is taken.
    fn address(&self, point: Option<&str>) -> Result<(String, &'static str), DistributeError> {
        let Some(id) = point else { return Ok((String::new(), NOT_VERIFIED)) };
        let point = match self.crm.contact(id) {
            Ok(point) => point,
            Err(CrmError::NotFound { .. }) => return Ok((String::new(), NOT_VERIFIED)),
            Err(error) => return Err(error.into()),
        };
        if point.kind != ContactKind::Email || !point.is_usable(Date(self.crm.now().day())) {
            return Ok((String::new(), NOT_VERIFIED));
        }
        Ok(if point.failing_since.is_some() { (String::new(), CAME_BACK) } else { (point.value.clone(), "") })
    }

    /// Language of a customer by the locale, as mails and covers know languages; empty: not known.
    fn language_of(&self, customer: Option<&str>) -> Result<String, DistributeError> {
        let Some(id) = customer else { return Ok(String::new()) };
        let locale = match self.crm.customer(id) {
            Ok(customer) => customer.locale.to_ascii_lowercase(),
            Err(CrmError::NotFound { .. }) => String::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(match locale.split(['-', '_']).next().unwrap_or_default() {
            "" => String::new(),
            "zh" => "zh-CN".into(),
            _ => "en".into(),
        })
    }

    /// Zone of a customer; empty: not known.
    fn zone_of(&self, customer: Option<&str>) -> Result<String, DistributeError> {
        let Some(id) = customer else { return Ok(String::new()) };
        match self.crm.customer(id) {
            Ok(customer) => Ok(customer.zone.clone()),
            Err(CrmError::NotFound { .. }) => Ok(String::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// The end of the quiet hours that it is now, by the clock of the customer's zone, else of the configuration's; `None`: it is
    /// none.
    fn quiet_until(&self, wish: &Wish) -> Result<Option<Time>, DistributeError> {
        let Some((from, to)) = wish.quiet else { return Ok(None) };
        Ok(super::calendar::Calendar::of(self.config)?.in_zone(&wish.zone).quiet_until(from, to, self.crm.now()))
    }
}

/// Where a customer is reached by a channel of a kind; `None`: not at all. A customer who wants to be told of what is in the
/// portal, and cannot be, is not reached there.
fn reached(address: Address, wish: &Wish) -> Option<String> {
    match (address, wish.way) {
        (Address::Email, Way::Email) => Some(wish.address.clone()).filter(|to| !to.is_empty()),
        (Address::Portal, Way::Portal) if wish.notices => Some(wish.address.clone()).filter(|to| !to.is_empty()),
        (Address::Portal, Way::Portal) => Some(String::new()),
        _ => None,
    }
}

fn why_not(address: Address, wish: &Wish) -> &'static str {
    match (address, wish.way) {
        (Address::Portal, Way::Email) => BY_MAIL,
        (Address::Email, Way::Portal) => IN_PORTAL,
        _ if wish.why.is_empty() => NOT_VERIFIED,
        _ => wish.why,
    }
}
