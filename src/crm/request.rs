//! Requests: what a customer asks of the organisation, with a thread of messages and a state.
//!
//! | from | what happens | to |
//! |---|---|---|
//! | open, waiting, reopened | the organisation answers | answered |
//! | open, answered, reopened | the organisation waits for somebody | waiting |
//! | answered, waiting | the customer writes | open |
//! | open, answered, waiting, reopened | it is done | resolved |
//! | resolved | the customer writes, or somebody opens it again | reopened |

use serde::{Deserialize, Serialize};

use super::note::Place;
use super::store::{Change, Data, Entry, Kept, Page, key, newest_first};
use super::timeline::{EntryKind, timeline_keys};
use super::{Crm, CrmError, Side, Time, Viewer, long, required};
use crate::archive::DocId;
use crate::archive::kv::Family;

/// A request as kept.
pub type Request = Kept<RequestData>;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestKind {
    /// A question.
    #[default]
    Question,
    /// Something is said to be wrong.
    Dispute,
    /// A copy of a document.
    Copy,
    /// Another address.
    Address,
    /// Something about a consent.
    Consent,
    /// Documents on paper.
    Paper,
    /// Everything that is known.
    Export,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// The organisation is to act.
    #[default]
    Open,
    /// The organisation answered; the customer may write again.
    Answered,
    /// Something is waited for.
    Waiting,
    /// Done.
    Resolved,
    /// It was done and is not.
    Reopened,
}

impl RequestState {
    /// All states, those where the organisation is to act first.
    pub const ALL: [RequestState; 5] = [
        RequestState::Open,
        RequestState::Reopened,
        RequestState::Waiting,
        RequestState::Answered,
        RequestState::Resolved,
    ];

    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            RequestState::Open => "open",
            RequestState::Answered => "answered",
            RequestState::Waiting => "waiting",
            RequestState::Resolved => "resolved",
            RequestState::Reopened => "reopened",
        }
    }

    /// The state of this name.
    pub fn parse(text: &str) -> Option<RequestState> {
        RequestState::ALL.into_iter().find(|state| state.name() == text)
    }

    /// Whether the organisation may set this state from `self` by hand.
    pub fn may_become(self, next: RequestState) -> bool {
        use RequestState::{Answered, Open, Reopened, Resolved, Waiting};
        match next {
            Open => matches!(self, Answered | Waiting),
            Answered => matches!(self, Open | Waiting | Reopened),
            Waiting => matches!(self, Open | Answered | Reopened),
            Resolved => self != Resolved,
            Reopened => self == Resolved,
        }
    }
}

/// What is known of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestData {
    /// What is asked for.
    pub kind: RequestKind,
    /// The customer.
    pub customer: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The document that it is about.
    pub document: Option<String>,
    /// Where in the document.
    pub place: Option<Place>,
    /// In a few words.
    pub subject: String,
    /// Where it stands.
    pub state: RequestState,
    /// User name of who is to act; `None`: whoever takes it.
    pub assigned_to: Option<String>,
    /// Who opened it.
    pub opened_by: String,
    /// On which side.
    pub opened_side: Option<Side>,
    /// When.
    pub opened_at: Time,
    /// The thread, oldest first.
    pub messages: Vec<Message>,
    /// How it was resolved.
    pub resolution: String,
    /// When it was resolved last.
    pub resolved_at: Option<Time>,
    /// How often it was opened again.
    pub reopened: u32,
    /// The delivery that a request for a copy led to.
    pub delivery: Option<String>,
}

/// A message of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// When.
    pub at: Time,
    /// User name of its author; empty where it is not for the reader.
    pub by: String,
    /// On which side.
    pub side: Side,
    /// The text.
    pub text: String,
    /// Only for the organisation.
    #[serde(default)]
    pub internal: bool,
}

/// A request to open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewRequest {
    /// What is asked for.
    pub kind: RequestKind,
    /// The customer.
    pub customer: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The document that it is about.
    pub document: Option<String>,
    /// Where in the document.
    pub place: Option<Place>,
    /// In a few words; empty: the first words of the text.
    pub subject: String,
    /// The first message.
    pub text: String,
}

/// What the organisation changes of a request; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestChange {
    /// Its state.
    pub state: Option<RequestState>,
    /// Who is to act; empty: nobody in particular.
    pub assigned_to: Option<String>,
    /// How it was resolved.
    pub resolution: Option<String>,
    /// The delivery that it led to.
    pub delivery: Option<String>,
}

/// Messages of a thread at most.
const MOST_MESSAGES: usize = 500;
/// Characters of a subject that is made from the text.
const SUBJECT: usize = 80;

impl Data for RequestData {
    const FAMILY: Family = Family::Activity;
    const LETTER: u8 = b'r';
    const WHAT: &'static str = "request";

    fn entries(&self, id: &str) -> Vec<Entry> {
        let mut keys =
            timeline_keys(self.customer.as_deref(), self.account.as_deref(), self.opened_at, EntryKind::Request, id);
        let at = newest_first(self.opened_at);
        keys.push(key(b'q', &[self.state.name().as_bytes(), &at, id.as_bytes()]));
        if let Some(document) = &self.document {
            keys.push(key(b'e', &[document.as_bytes(), &at, id.as_bytes()]));
        }
        keys.into_iter().map(|key| (Family::Activity, key)).collect()
    }
}

impl RequestData {
    /// What the customer may see of it: no internal messages, no names of agents.
    #[must_use]
    pub fn for_customer(&self) -> RequestData {
        let mut data = self.clone();
        data.assigned_to = None;
        data.messages.retain(|message| !message.internal);
        for message in &mut data.messages {
            if message.side == Side::Agent {
                message.by.clear();
            }
        }
        if data.opened_side == Some(Side::Agent) {
            data.opened_by.clear();
        }
        data
    }

    fn set(&mut self, state: RequestState, now: Time) {
        match state {
            RequestState::Resolved => self.resolved_at = Some(now),
            RequestState::Reopened => self.reopened = self.reopened.saturating_add(1),
            _ => {}
        }
        self.state = state;
    }
}

impl Request {
    /// The request as somebody may see it.
    #[must_use]
    pub fn seen_by(self, viewer: Viewer<'_>) -> Request {
        if viewer.is_staff() {
            return self;
        }
        let data = self.data.for_customer();
        let blank = |name: String| if data.messages.iter().any(|m| m.by == name) { name } else { String::new() };
        Kept { created_by: blank(self.created_by), changed_by: blank(self.changed_by), data, ..self }
    }
}

impl Crm {
    /// Opens a request. Whether the asker may see account and document is for the caller to ask.
    pub fn open_request(&self, by: &str, side: Side, new: NewRequest) -> Result<Request, CrmError> {
        self.check_subject(new.customer.as_deref(), new.account.as_deref())?;
        if new.customer.is_none() && new.account.is_none() {
            return Err(CrmError::invalid("customer", "a request is of a customer or about an account"));
        }
        if let Some(document) = &new.document
            && document.parse::<DocId>().is_err()
        {
            return Err(CrmError::invalid("document", "it is an id such as 7-123"));
        }
        if new.place.is_some() && new.document.is_none() {
            return Err(CrmError::invalid("place", "only documents have places"));
        }
        let text = long("text", &new.text)?;
        let subject = match new.subject.trim() {
            "" => text.lines().next().unwrap_or_default().chars().take(SUBJECT).collect(),
            given => required("subject", given)?,
        };
        let now = self.now();
        let first = Message { at: now, by: by.to_string(), side, text, internal: false };
        self.add(
            by,
            RequestData {
                kind: new.kind,
                customer: new.customer,
                account: new.account,
                document: new.document,
                place: new.place.map(Place::checked).transpose()?,
                subject,
                opened_by: by.to_string(),
                opened_side: Some(side),
                opened_at: now,
                messages: vec![first],
                ..RequestData::default()
            },
        )
    }

    /// A request that somebody may see, as they may see it.
    pub fn request(&self, viewer: Viewer<'_>, id: &str) -> Result<Request, CrmError> {
        let request: Request = self.need(id)?;
        if !self.shows(viewer, request.customer.as_deref(), request.account.as_deref())? {
            return Err(CrmError::NotFound { what: RequestData::WHAT });
        }
        Ok(request.seen_by(viewer))
    }

    /// Adds a message to a thread. One of the organisation's answers the request unless it is internal; one of the
    /// customer's opens it again where it was answered, waited or was resolved.
    pub fn reply(
        &self,
        by: &str,
        side: Side,
        id: &str,
        expected: Option<u64>,
        text: &str,
        internal: bool,
    ) -> Result<Request, CrmError> {
        let text = long("text", text)?;
        let internal = internal && side == Side::Agent;
        let now = self.now();
        self.change(by, id, expected, |data: &mut RequestData| {
            if data.messages.len() >= MOST_MESSAGES {
                return Err(CrmError::invalid("text", format!("at most {MOST_MESSAGES} messages in a thread")));
            }
            data.messages.push(Message { at: now, by: by.to_string(), side, text, internal });
            match (side, data.state) {
                (Side::Agent, RequestState::Open | RequestState::Waiting | RequestState::Reopened) if !internal => {
                    data.set(RequestState::Answered, now);
                }
                (Side::Customer, RequestState::Answered | RequestState::Waiting) => data.set(RequestState::Open, now),
                (Side::Customer, RequestState::Resolved) => data.set(RequestState::Reopened, now),
                _ => {}
            }
            Ok(())
        })
    }

    /// Changes state, assignment or resolution, on the organisation's side.
    pub fn change_request(
        &self,
        by: &str,
        id: &str,
        expected: Option<u64>,
        change: RequestChange,
    ) -> Result<Request, CrmError> {
        let now = self.now();
        self.change(by, id, expected, |data: &mut RequestData| {
            if let Some(name) = change.assigned_to {
                data.assigned_to = (!name.trim().is_empty()).then(|| name.trim().to_string());
            }
            if let Some(text) = change.resolution {
                data.resolution = if text.trim().is_empty() { String::new() } else { long("resolution", &text)? };
            }
            if change.delivery.is_some() {
                data.delivery = change.delivery;
            }
            let Some(state) = change.state.filter(|state| *state != data.state) else { return Ok(()) };
            if !data.state.may_become(state) {
                return Err(CrmError::State { what: RequestData::WHAT, state: data.state.name().into() });
            }
            // A request for a copy is done when there is a delivery, not when somebody says so.
            if state == RequestState::Resolved && data.kind == RequestKind::Copy {
                let sent = data.delivery.as_deref().map(|id| self.delivery(id)).transpose()?;
                if sent.is_none() && data.resolution.is_empty() {
                    return Err(CrmError::invalid(
                        "delivery",
                        "name the delivery, or say in resolution why there is none",
                    ));
                }
            }
            data.set(state, now);
            Ok(())
        })
    }

    /// Requests in a state, newest first; with `assigned_to` only of that agent (empty: of nobody).
    pub fn requests(
        &self,
        state: RequestState,
        assigned_to: Option<&str>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Request>, CrmError> {
        let prefix = key(b'q', &[state.name().as_bytes(), b""]);
        let wanted = |request: &Request| {
            assigned_to.is_none_or(|name| request.assigned_to.as_deref().unwrap_or_default() == name)
        };
        self.page_of(Family::Activity, &prefix, cursor, limit, wanted)
    }

    /// Requests about a document that somebody may see, newest first.
    pub fn requests_on(&self, viewer: Viewer<'_>, document: DocId, limit: usize) -> Result<Vec<Request>, CrmError> {
        let ids = self.ids(Family::Activity, &key(b'e', &[document.to_string().as_bytes(), b""]), limit)?;
        let mut seen = Vec::new();
        for request in self.rows::<RequestData>(&ids)? {
            if self.shows(viewer, request.customer.as_deref(), request.account.as_deref())? {
                seen.push(request.seen_by(viewer));
            }
        }
        Ok(seen)
    }

    /// Who changed what of a request, oldest first.
    pub fn request_history(&self, id: &str) -> Result<Vec<Change>, CrmError> {
        self.changes::<RequestData>(id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::crm;
    use super::*;

    fn question(account: &str) -> NewRequest {
        NewRequest {
            account: Some(account.into()),
            document: Some("7-3".into()),
            place: Some(Place { page: 1, line: Some(12), text: "LATE FEE 12.00".into(), ..Place::default() }),
            text: "Why was a late fee charged?\nI paid in time.".into(),
            ..NewRequest::default()
        }
    }

    #[test]
    fn a_question_goes_back_and_forth_until_it_is_resolved_and_may_come_back() {
        let (crm, _) = crm();
        let id = crm.open_request("carl", Side::Customer, question("4711")).expect("opened").id;
        let state = || crm.request(Viewer::Staff("ann"), &id).expect("there").state;
        assert_eq!(state(), RequestState::Open);
        crm.reply("ann", Side::Agent, &id, None, "let me look", true).expect("noted");
        assert_eq!(state(), RequestState::Open, "an internal message answers nothing");
        crm.reply("ann", Side::Agent, &id, None, "It was a mistake.", false).expect("answered");
        assert_eq!(state(), RequestState::Answered);
        crm.reply("carl", Side::Customer, &id, None, "And now?", false).expect("asked");
        assert_eq!(state(), RequestState::Open);
        let set =
            |state| crm.change_request("ann", &id, None, RequestChange { state: Some(state), ..Default::default() });
        set(RequestState::Waiting).expect("waits");
        set(RequestState::Resolved).expect("done");
        assert!(matches!(set(RequestState::Waiting), Err(CrmError::State { .. })));
        crm.reply("carl", Side::Customer, &id, None, "It happened again.", false).expect("asked");
        let request = crm.request(Viewer::Staff("ann"), &id).expect("there");
        assert_eq!((request.state, request.reopened, request.messages.len()), (RequestState::Reopened, 1, 5));
        assert_eq!(request.subject, "Why was a late fee charged?");
    }

    #[test]
    fn a_customer_sees_the_answer_and_not_what_agents_say_among_themselves() {
        let (crm, _) = crm();
        let id = crm.open_request("carl", Side::Customer, question("4711")).expect("opened").id;
        crm.reply("ann", Side::Agent, &id, None, "he is angry", true).expect("noted");
        crm.reply("ann", Side::Agent, &id, None, "It was a mistake.", false).expect("answered");
        let (own, other) = (["4711".to_string()], ["4712".to_string()]);
        let carl = Viewer::Customer { name: "carl", accounts: &own };
        let seen = crm.request(carl, &id).expect("theirs");
        let text = seen.json().to_string();
        assert!(text.contains("It was a mistake.") && !text.contains("angry") && !text.contains("ann"), "{text}");
        assert_eq!(seen.created_by, "carl");
        let dora = Viewer::Customer { name: "dora", accounts: &other };
        assert!(matches!(crm.request(dora, &id), Err(CrmError::NotFound { .. })));
        assert_eq!(crm.requests_on(dora, "7-3".parse().expect("an id"), 9).expect("read"), []);
    }

    #[test]
    fn queues_hold_what_is_to_be_done_by_whom() {
        let (crm, clock) = crm();
        let mut ids = Vec::new();
        for _ in 0..3 {
            clock.turn(5);
            ids.push(crm.open_request("carl", Side::Customer, question("4711")).expect("opened").id);
        }
        let take = RequestChange { assigned_to: Some("ann".into()), ..RequestChange::default() };
        crm.change_request("ann", &ids[1], None, take).expect("taken");
        let queue = |who| crm.requests(RequestState::Open, who, None, 9).expect("read").items;
        assert_eq!(queue(None).iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), [&ids[2], &ids[1], &ids[0]]);
        assert_eq!((queue(Some("ann")).len(), queue(Some("")).len()), (1, 2));
        crm.reply("ann", Side::Agent, &ids[1], None, "so", false).expect("answered");
        assert_eq!(queue(None).len(), 2);
    }

    #[test]
    fn a_request_for_a_copy_is_not_done_without_one() {
        let (crm, _) = crm();
        let new = NewRequest { kind: RequestKind::Copy, ..question("4711") };
        let id = crm.open_request("carl", Side::Customer, new).expect("opened").id;
        let done = RequestChange { state: Some(RequestState::Resolved), ..RequestChange::default() };
        assert!(crm.change_request("ann", &id, None, done.clone()).is_err());
        let why = RequestChange { resolution: Some("fetched at the branch".into()), ..done };
        assert_eq!(crm.change_request("ann", &id, None, why).expect("done").state, RequestState::Resolved);
    }
}
