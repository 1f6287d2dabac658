//! The timeline: everything of a customer or an account in one stream, newest first.
//!
//! Sources: documents (from search, by account), views (from the index beside the audit), and rows of this folder, which
//! are indexed by their customer and by their account. Each source gives what comes after the cursor; the newest of all are
//! the page. What belongs to an account shows up with its customer however late the customer comes.

use std::collections::HashMap;
use std::ops::ControlFlow;

use serde::Serialize;

use super::consent::{Consent, ConsentData};
use super::copy::{Delivery, DeliveryData};
use super::interaction::{Interaction, InteractionData};
use super::note::{Note, NoteData};
use super::request::{Request, RequestData};
use super::store::{Kept, NUL, hex, key, last_part, newest_first, time_of, unhex};
use super::time::Date;
use super::{Crm, CrmError, Page, Side, Time, Viewer};
use crate::archive::DocId;
use crate::archive::kv::Family;
use crate::audit::views;
use crate::index::value::Day;

/// Kinds of entries. Their order is the order within one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A consent that began.
    Consent,
    /// A copy that was sent.
    Delivery,
    /// A call, mail or visit.
    Interaction,
    /// A note.
    Note,
    /// A request that was opened.
    Request,
    /// Somebody saw a document.
    View,
    /// A document, by its date.
    Document,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [EntryKind; 7] = [
        EntryKind::Consent,
        EntryKind::Delivery,
        EntryKind::Interaction,
        EntryKind::Note,
        EntryKind::Request,
        EntryKind::View,
        EntryKind::Document,
    ];

    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            EntryKind::Consent => "consent",
            EntryKind::Delivery => "delivery",
            EntryKind::Interaction => "interaction",
            EntryKind::Note => "note",
            EntryKind::Request => "request",
            EntryKind::View => "view",
            EntryKind::Document => "document",
        }
    }

    /// The kind of this name.
    pub fn parse(text: &str) -> Option<EntryKind> {
        EntryKind::ALL.into_iter().find(|kind| kind.name() == text)
    }

    fn byte(self) -> u8 {
        self as u8 + 1
    }
}

/// A document as timelines, comparisons and enrolment need it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DocumentEntry {
    /// Its id.
    pub id: String,
    /// Name of its report definition.
    pub definition: String,
    /// Title of the report.
    pub report: String,
    /// The same in Chinese.
    pub report_zh: Option<String>,
    /// Document kind.
    pub kind: String,
    /// Title.
    pub title: String,
    /// Its date.
    pub date: Option<Date>,
    /// Its account.
    pub account: Option<String>,
    /// Its pages.
    pub pages: u32,
    /// The amount that people look for first, where the definition names it: a decimal as text.
    pub amount: Option<String>,
    /// The currency of the amount, where the definition says it: a code of ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// When it is due, where the definition names it: ISO 8601.
    pub due: Option<String>,
    /// Its index fields, as the asker may see them.
    #[serde(skip)]
    pub fields: Vec<DocumentField>,
}

/// A field of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentField {
    /// Name as in queries.
    pub name: String,
    /// Label, English.
    pub label: String,
    /// Label, Chinese.
    pub label_zh: Option<String>,
    /// The value as text: dates ISO 8601, decimals with a point.
    pub value: String,
    /// Whether it is a number.
    pub number: bool,
}

/// The documents' side, for one asker: it shows only what the asker may see.
pub trait Documents {
    /// Visits the documents of an account, newest first, those without a date last; with `definition` only of that report,
    /// with `upto` none that is newer.
    fn of_account(
        &self,
        account: &str,
        definition: Option<&str>,
        upto: Option<Day>,
        each: &mut dyn FnMut(DocumentEntry) -> ControlFlow<()>,
    ) -> Result<(), CrmError>;
    /// Documents that have this number (of an invoice, a reference) in one of their fields.
    fn with_number(&self, number: &str, limit: usize) -> Result<Vec<DocumentEntry>, CrmError>;
    /// Whether the asker may see a document. Nothing is recorded: nothing of it is shown.
    fn may_see(&self, document: DocId) -> Result<bool, CrmError>;
    /// Whether a document is there and kept from the asker; one that is gone is not kept from anybody.
    fn hides(&self, document: DocId) -> Result<bool, CrmError> {
        Ok(!self.may_see(document)?)
    }
    /// Whether an account has documents and all of them are kept from the asker: nothing about it is told.
    fn hides_account(&self, account: &str) -> Result<bool, CrmError> {
        let _ = account;
        Ok(false)
    }
}

/// An entry of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimelineEntry {
    /// When; `None` for a document without a date.
    pub at: Option<Time>,
    /// What kind.
    pub kind: EntryKind,
    /// Id of the thing: of the document for views.
    pub id: String,
    /// The account.
    pub account: Option<String>,
    /// The document that it is about.
    pub document: Option<String>,
    /// Who; empty where it is nobody, or not for the reader.
    pub who: String,
    /// On which side they stand.
    pub side: Option<Side>,
    /// The thing itself.
    #[serde(flatten)]
    pub detail: Detail,
    #[serde(skip)]
    place: Vec<u8>,
}

/// What an entry is about, under the name of its kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// See [`EntryKind::Consent`].
    Consent(Box<Consent>),
    /// See [`EntryKind::Delivery`].
    Delivery(Box<Delivery>),
    /// See [`EntryKind::Interaction`].
    Interaction(Box<Interaction>),
    /// See [`EntryKind::Note`].
    Note(Box<Note>),
    /// See [`EntryKind::Request`].
    Request(Box<Request>),
    /// See [`EntryKind::View`].
    View {
        /// The rendition that was seen last.
        rendition: String,
    },
    /// See [`EntryKind::Document`].
    #[serde(rename = "entry")]
    Document(Box<DocumentEntry>),
}

/// What of a timeline is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimelineAsk {
    /// Only of these kinds; empty: of all.
    pub kinds: Vec<EntryKind>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// Accounts of one customer that a timeline looks at.
pub const MOST_ACCOUNTS: usize = 200;

/// The keys by which an activity is found in timelines: under its customer and under its account.
pub(super) fn timeline_keys(
    customer: Option<&str>,
    account: Option<&str>,
    at: Time,
    kind: EntryKind,
    id: &str,
) -> Vec<Vec<u8>> {
    let subjects = [customer.map(|id| (b"c", id)), account.map(|number| (b"a", number))];
    let subjects = subjects.into_iter().flatten();
    subjects.map(|(letter, subject)| [subject_prefix(letter, subject), place(at, kind, id)].concat()).collect()
}

fn subject_prefix(letter: &[u8; 1], subject: &str) -> Vec<u8> {
    key(b't', &[&[letter, subject.as_bytes()].concat(), b""])
}

/// Where an entry stands: what sorts first comes first.
fn place(at: Time, kind: EntryKind, id: &str) -> Vec<u8> {
    [&newest_first(at)[..], &[kind.byte(), NUL], id.as_bytes()].concat()
}

/// One reading of a timeline.
struct Reading<'r> {
    crm: &'r Crm,
    viewer: Viewer<'r>,
    documents: &'r dyn Documents,
    ask: &'r TimelineAsk,
    /// The place that the page before ended with.
    after: Option<Vec<u8>>,
    seen: HashMap<String, bool>,
    /// Accounts that were asked about, and whether they are hidden.
    hidden: HashMap<String, bool>,
    found: Vec<TimelineEntry>,
}

impl Crm {
    /// A page of a customer's timeline, with everything of the accounts they hold or are party to. For a customer who
    /// asks: only of the accounts that are theirs.
    pub fn customer_timeline(
        &self,
        viewer: Viewer<'_>,
        customer: &str,
        documents: &dyn Documents,
        ask: &TimelineAsk,
    ) -> Result<Page<TimelineEntry>, CrmError> {
        let accounts = self.accounts_of(customer, MOST_ACCOUNTS)?.into_iter().map(|account| account.id);
        let accounts: Vec<String> = accounts.filter(|number| viewer.sees_account(number)).collect();
        self.timeline(viewer, Some(customer), &accounts, documents, ask)
    }

    /// A page of the timeline of accounts, whoever holds them.
    pub fn account_timeline(
        &self,
        viewer: Viewer<'_>,
        accounts: &[String],
        documents: &dyn Documents,
        ask: &TimelineAsk,
    ) -> Result<Page<TimelineEntry>, CrmError> {
        let accounts: Vec<String> = accounts.iter().filter(|number| viewer.sees_account(number)).cloned().collect();
        self.timeline(viewer, None, &accounts, documents, ask)
    }

    fn timeline(
        &self,
        viewer: Viewer<'_>,
        customer: Option<&str>,
        accounts: &[String],
        documents: &dyn Documents,
        ask: &TimelineAsk,
    ) -> Result<Page<TimelineEntry>, CrmError> {
        let bad = || CrmError::invalid("cursor", "it belongs to no timeline");
        let after = ask.cursor.as_deref().map(|text| unhex(text).filter(|place| place.len() >= 10).ok_or_else(bad));
        let after = after.transpose()?;
        let (seen, hidden) = (HashMap::new(), HashMap::new());
        let mut reading = Reading { crm: self, viewer, documents, ask, after, seen, hidden, found: Vec::new() };
        if let Some(customer) = customer {
            reading.activities(b"c", customer)?;
        }
        for account in accounts {
            if reading.hides_account(account)? {
                continue;
            }
            reading.activities(b"a", account)?;
            reading.views(account)?;
            reading.of_account(account)?;
        }
        let mut found = reading.found;
        found.sort_by(|a, b| a.place.cmp(&b.place));
        found.dedup_by(|a, b| a.place == b.place);
        let more = found.len() > ask.limit;
        found.truncate(ask.limit);
        let next_cursor = found.last().filter(|_| more).map(|last| hex(&last.place));
        Ok(Page { items: found, next_cursor })
    }
}

impl Reading<'_> {
    fn wants(&self, kind: EntryKind) -> bool {
        self.ask.kinds.is_empty() || self.ask.kinds.contains(&kind)
    }

    fn is_after(&self, place: &[u8]) -> bool {
        self.after.as_deref().is_none_or(|after| place > after)
    }

    /// The moment at which the page begins.
    fn upto(&self) -> Option<Time> {
        let bytes = self.after.as_ref()?.get(..8)?;
        Some(time_of(bytes.try_into().ok()?))
    }

    fn activities(&mut self, letter: &[u8; 1], subject: &str) -> Result<(), CrmError> {
        let prefix = subject_prefix(letter, subject);
        let start = match &self.after {
            Some(after) => [prefix.as_slice(), after, &[NUL]].concat(),
            None => prefix.clone(),
        };
        let end = super::store::prefix_end(&prefix);
        let (mut start, mut taken) = (start, 0);
        let at_once = self.ask.limit + 1;
        loop {
            let keys = self.crm.keys(Family::Activity, &start, &end, at_once)?;
            for key in &keys {
                let place = key.get(prefix.len()..).unwrap_or_default().to_vec();
                let entry = self.activity(place, key)?;
                let document = entry.as_ref().and_then(|entry| entry.document.as_deref()?.parse().ok());
                if document.is_some_and(|id| self.documents.hides(id).unwrap_or(true)) {
                    continue;
                }
                let account = entry.as_ref().and_then(|entry| entry.account.clone());
                if account.map(|account| self.hides_account(&account)).transpose()?.unwrap_or(false) {
                    continue;
                }
                taken += usize::from(entry.is_some());
                self.found.extend(entry);
            }
            match keys.last() {
                Some(key) if keys.len() == at_once && taken <= self.ask.limit => {
                    start = [key.as_slice(), &[NUL]].concat();
                }
                _ => return Ok(()),
            }
        }
    }

    fn activity(&self, place: Vec<u8>, key: &[u8]) -> Result<Option<TimelineEntry>, CrmError> {
        let byte = place.get(8).copied().unwrap_or_default();
        let kind = EntryKind::ALL.into_iter().find(|kind| kind.byte() == byte && self.wants(*kind));
        let (Some(kind), Some(id)) = (kind, last_part(key)) else { return Ok(None) };
        let entry = match kind {
            EntryKind::Consent => self.crm.find::<ConsentData>(&id)?.and_then(|row| self.consent(row)),
            EntryKind::Delivery => self.crm.find::<DeliveryData>(&id)?.and_then(|row| self.delivery(row)),
            EntryKind::Interaction => self.crm.find::<InteractionData>(&id)?.and_then(|row| self.interaction(row)),
            EntryKind::Note => self.crm.find::<NoteData>(&id)?.and_then(|row| self.note(row)),
            EntryKind::Request => self.crm.find::<RequestData>(&id)?.and_then(|row| self.request(row)),
            EntryKind::View | EntryKind::Document => None,
        };
        Ok(entry.map(|entry| TimelineEntry { place, ..entry }))
    }

    /// Whether something about this account may be shown.
    fn shows(&self, account: Option<&str>) -> bool {
        account.is_none_or(|account| self.viewer.sees_account(account))
    }

    fn consent(&self, row: Consent) -> Option<TimelineEntry> {
        let mut entry = self.entry(row.begun_at, EntryKind::Consent, &row.id, row.account.clone(), None);
        let side = if row.method == "portal" { Side::Customer } else { Side::Agent };
        self.sign(&mut entry, &row.created_by, side);
        let row = if self.viewer.is_staff() { row } else { self.anonymous(row) };
        self.shows(entry.account.as_deref()).then(|| TimelineEntry { detail: Detail::Consent(Box::new(row)), ..entry })
    }

    fn delivery(&self, row: Delivery) -> Option<TimelineEntry> {
        let document = Some(row.document.clone());
        let mut entry = self.entry(row.planned_at, EntryKind::Delivery, &row.id, row.account.clone(), document);
        self.sign(&mut entry, &row.by, Side::Agent);
        let row = if self.viewer.is_staff() {
            row
        } else {
            let data = row.data.for_customer();
            self.anonymous(Kept { data, ..row })
        };
        self.shows(entry.account.as_deref()).then(|| TimelineEntry { detail: Detail::Delivery(Box::new(row)), ..entry })
    }

    fn interaction(&self, row: Interaction) -> Option<TimelineEntry> {
        let mut entry = self.entry(row.started_at, EntryKind::Interaction, &row.id, row.account.clone(), None);
        self.sign(&mut entry, &row.agent, Side::Agent);
        let row = if self.viewer.is_staff() {
            row
        } else {
            let data = row.data.for_customer();
            self.anonymous(Kept { data, ..row })
        };
        self.shows(entry.account.as_deref())
            .then(|| TimelineEntry { detail: Detail::Interaction(Box::new(row)), ..entry })
    }

    fn note(&self, row: Note) -> Option<TimelineEntry> {
        if !row.is_for(self.viewer) {
            return None;
        }
        let mut entry = self.entry(row.written_at, EntryKind::Note, &row.id, row.account.clone(), row.document.clone());
        self.sign(&mut entry, &row.author, Side::Agent);
        let row = if self.viewer.is_staff() {
            row
        } else {
            let data = NoteData { author: String::new(), ..row.data.clone() };
            self.anonymous(Kept { data, ..row })
        };
        self.shows(entry.account.as_deref()).then(|| TimelineEntry { detail: Detail::Note(Box::new(row)), ..entry })
    }

    fn request(&self, row: Request) -> Option<TimelineEntry> {
        let document = row.document.clone();
        let mut entry = self.entry(row.opened_at, EntryKind::Request, &row.id, row.account.clone(), document);
        self.sign(&mut entry, &row.opened_by, row.opened_side.unwrap_or(Side::Agent));
        let row = row.seen_by(self.viewer);
        self.shows(entry.account.as_deref()).then(|| TimelineEntry { detail: Detail::Request(Box::new(row)), ..entry })
    }

    fn entry(
        &self,
        at: Time,
        kind: EntryKind,
        id: &str,
        account: Option<String>,
        document: Option<String>,
    ) -> TimelineEntry {
        TimelineEntry {
            at: Some(at),
            kind,
            id: id.to_string(),
            account,
            document,
            who: String::new(),
            side: None,
            detail: Detail::View { rendition: String::new() },
            place: place(at, kind, id),
        }
    }

    /// Says who it was; a customer reads names of customers only.
    fn sign(&self, entry: &mut TimelineEntry, who: &str, side: Side) {
        entry.side = Some(side);
        if self.viewer.is_staff() || side == Side::Customer {
            entry.who = who.to_string();
        }
    }

    /// Without the names of those who made and changed it.
    fn anonymous<D>(&self, row: Kept<D>) -> Kept<D> {
        Kept { created_by: String::new(), changed_by: String::new(), ..row }
    }

    fn hides_account(&mut self, account: &str) -> Result<bool, CrmError> {
        if let Some(hidden) = self.hidden.get(account) {
            return Ok(*hidden);
        }
        let hidden = self.documents.hides_account(account)?;
        self.hidden.insert(account.to_string(), hidden);
        Ok(hidden)
    }

    fn may_see(&mut self, document: &str) -> Result<bool, CrmError> {
        if let Some(seen) = self.seen.get(document) {
            return Ok(*seen);
        }
        let seen = match document.parse() {
            Ok(id) => self.documents.may_see(id)?,
            Err(()) => false,
        };
        self.seen.insert(document.to_string(), seen);
        Ok(seen)
    }

    fn views(&mut self, account: &str) -> Result<(), CrmError> {
        if !self.wants(EntryKind::View) {
            return Ok(());
        }
        let (mut from, mut taken) = (Some(self.upto().map_or(i64::MAX, |at| at.0)), 0);
        while let Some(upto) = from.filter(|_| taken <= self.ask.limit) {
            let (views, next) = views::read(&*self.crm.engine, account, upto, self.ask.limit + 1)?;
            for view in views {
                let at = Time(view.at);
                let place = place(at, EntryKind::View, &format!("{} {}", view.document, view.who));
                if !self.is_after(&place) || !self.may_see(&view.document)? {
                    continue;
                }
                let document = Some(view.document.clone());
                let mut entry = self.entry(at, EntryKind::View, &view.document, Some(account.to_string()), document);
                self.sign(&mut entry, &view.who, if view.customer { Side::Customer } else { Side::Agent });
                self.found.push(TimelineEntry { detail: Detail::View { rendition: view.why }, place, ..entry });
                taken += 1;
            }
            from = next;
        }
        Ok(())
    }

    fn of_account(&mut self, account: &str) -> Result<(), CrmError> {
        if !self.wants(EntryKind::Document) {
            return Ok(());
        }
        let upto = self.upto().filter(|at| at.0 != i64::MIN).map(Time::day);
        let (mut taken, mut day) = (0, None);
        let documents = self.documents;
        documents.of_account(account, None, upto, &mut |document| {
            // A day is read to its end: within it documents are not in the order of their ids.
            if taken > self.ask.limit && day != Some(document.date) {
                return ControlFlow::Break(());
            }
            day = Some(document.date);
            let at = document.date.map(|date| Time::start_of(date.0));
            let id = document.id.clone();
            let place = place(at.unwrap_or(Time(i64::MIN)), EntryKind::Document, &id);
            if self.is_after(&place) {
                self.found.push(TimelineEntry {
                    at,
                    kind: EntryKind::Document,
                    id: id.clone(),
                    account: Some(account.to_string()),
                    document: Some(id),
                    who: String::new(),
                    side: None,
                    detail: Detail::Document(Box::new(document)),
                    place,
                });
                taken += 1;
            }
            ControlFlow::Continue(())
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
