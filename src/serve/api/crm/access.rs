//! Who may do what with customers and their activity: the only place here that asks.

use std::ops::ControlFlow;

use crate::archive::DocId;
use crate::auth::gate::{Permit, Principal, Scope, Use};
use crate::auth::permission::Permission;
use crate::auth::permission::Permissions;
use crate::auth::predicate::Predicate;
use crate::auth::role::CUSTOMER;
use crate::auth::user::User;
use crate::crm::contact::{ContactPoint, Owner};
use crate::crm::copy::{Delivery, NewCopy};
use crate::crm::interaction::Interaction;
use crate::crm::link::Link;
use crate::crm::note::Note;
use crate::crm::request::Request;
use crate::crm::resolve::{Candidate, ResolveAsk};
use crate::crm::time::Date;
use crate::crm::timeline::{Detail, DocumentEntry, DocumentField, Documents, TimelineEntry};
use crate::crm::{CrmError, Page, Viewer};
use crate::index::value::{Day, FieldValue, Value};
use crate::serve::ask::SignedIn;
use crate::serve::backend::{BackendError, DefinitionView, DocumentView, HitsAsked};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Contacts of one agent that go on, looked at for a verified one.
const MOST_CONTACTS: usize = 10;

/// The caller as the customer module knows viewers. Who may not see customers sees what belongs to the own accounts.
pub fn viewer(who: &SignedIn) -> Viewer<'_> {
    if who.may(Permission::CustomerRead) {
        Viewer::Staff(&who.user.name)
    } else {
        Viewer::Customer { name: &who.user.name, accounts: &who.accounts }
    }
}

/// By which right the caller reads what is known of customers.
pub fn right(who: &SignedIn) -> Permission {
    if viewer(who).is_staff() { Permission::CustomerRead } else { Permission::PortalUse }
}

/// Whether the caller sees addresses and numbers of a customer, or of an account whose customer is not known, whole: the one
/// rule of the API and the pages. Customers see their own. Agents see them once the caller is verified in a contact that goes
/// on: neither caller id nor a role alone unmasks. A program (no session, an API key) that keeps them has `customer.write`.
pub fn sees_contacts(
    state: &State,
    who: &SignedIn,
    customer: Option<&str>,
    account: Option<&str>,
) -> Result<bool, Problem> {
    let keeps = who.session.is_none() && who.may(Permission::CustomerWrite);
    if keeps || !viewer(who).is_staff() {
        return Ok(true);
    }
    let open = state.crm.open_interactions(&who.user.name, MOST_CONTACTS)?;
    let about = |call: &Interaction| match (customer, account) {
        (Some(id), _) => call.customer.as_deref() == Some(id),
        (None, Some(number)) => call.account.as_deref() == Some(number),
        (None, None) => false,
    };
    Ok(open.iter().any(|call| call.verified.is_some() && about(call)))
}

/// The same for an owner of contact points: who is verified as the customer is so for the accounts.
pub fn sees_contacts_of(state: &State, who: &SignedIn, owner: &Owner) -> Result<bool, Problem> {
    match owner {
        Owner::Customer(id) => sees_contacts(state, who, Some(id), None),
        Owner::Account(number) => {
            let holder = state.crm.account(number).ok().and_then(|account| account.customer.clone());
            sees_contacts(state, who, holder.as_deref(), Some(number))
        }
    }
}

/// Hides what contact points say, for those who do not see it whole.
pub fn mask_points(points: &mut [ContactPoint], whole: bool) {
    for point in points.iter_mut().filter(|_| !whole) {
        let masked = point.masked();
        point.data.normalised.clone_from(&masked);
        point.data.value = masked;
    }
}

/// Hides where copies went, also in what the next hop said, for those who do not see it whole.
pub fn mask_delivery(delivery: &mut Delivery, whole: bool) {
    if whole || delivery.to.is_empty() {
        return;
    }
    let to = std::mem::take(&mut delivery.data.to);
    let first: String = to.chars().take(1).collect();
    let masked = match to.rsplit_once('@') {
        Some((_, domain)) => format!("{first}…@{domain}"),
        None => format!("{first}…"),
    };
    for attempt in &mut delivery.data.attempts {
        attempt.said = attempt.said.replace(&to, &masked);
    }
    delivery.data.to = masked;
}

/// The delivery as the caller may see it.
pub fn shown_delivery(state: &State, who: &SignedIn, mut delivery: Delivery) -> Result<Delivery, Problem> {
    let whole = sees_contacts(state, who, delivery.customer.as_deref(), delivery.account.as_deref())?;
    mask_delivery(&mut delivery, whole);
    Ok(delivery)
}

/// The same in a timeline.
pub fn mask_timeline(entries: &mut [TimelineEntry], whole: bool) {
    for entry in entries {
        if let Detail::Delivery(delivery) = &mut entry.detail {
            mask_delivery(delivery, whole);
        }
    }
}

/// Refuses accounts of others, and those that the caller's policies hide; they look like none.
pub fn need_account(state: &State, who: &SignedIn, number: &str) -> Result<(), Problem> {
    let seen = viewer(who).sees_account(number) && !hidden(state, who, &[number.to_string()])?;
    if seen { Ok(()) } else { Err(Problem::nothing()) }
}

/// Refuses customers of whom the caller holds no account, and those that the caller's policies hide.
pub fn need_customer(state: &State, who: &SignedIn, id: &str) -> Result<(), Problem> {
    let seen = state.crm.shows(viewer(who), Some(id), None)? && !hides_customer(state, who, id)?;
    if seen { Ok(()) } else { Err(Problem::nothing()) }
}

/// Whether the caller's policies hide a customer with all accounts.
pub fn hides_customer(state: &State, who: &SignedIn, id: &str) -> Result<bool, Problem> {
    if !narrowed(who) {
        return Ok(false);
    }
    let accounts = state.crm.accounts_of(id, crate::crm::timeline::MOST_ACCOUNTS)?;
    hidden(state, who, &accounts.into_iter().map(|account| account.id).collect::<Vec<_>>())
}

/// Whether some documents may be kept from the caller, who stands for the organisation.
fn narrowed(who: &SignedIn) -> bool {
    viewer(who).is_staff() && who.principal.rights.predicate() != Predicate::Everything
}

/// Whether there are documents of some accounts and the caller may see none of them. Accounts without a document are
/// hidden from nobody: policies speak of documents. Both questions are always asked, so that the time does not tell.
pub fn hidden(state: &State, who: &SignedIn, accounts: &[String]) -> Result<bool, Problem> {
    Ok(narrowed(who) && kept_from(state, &who.principal, accounts)?)
}

fn kept_from(state: &State, who: &Principal, accounts: &[String]) -> Result<bool, BackendError> {
    let everybody = state.gate.scope(&Principal::operator("system:rights", "greenbar"));
    let own = state.gate.scope(who);
    let (mut there, mut seen) = (false, false);
    for account in accounts {
        let asked = HitsAsked { account: Some(account.clone()), limit: 1, ..HitsAsked::default() };
        there |= state.backend.hits(&asked, &everybody)?.total > 0;
        seen |= state.backend.hits(&asked, &own)?.total > 0;
    }
    Ok(there && !seen)
}

/// Takes out of some rows those that the caller's policies hide.
pub fn only_seen<T>(rows: Vec<T>, hides: impl Fn(&T) -> Result<bool, Problem>) -> Result<Vec<T>, Problem> {
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        if !hides(&row)? {
            kept.push(row);
        }
    }
    Ok(kept)
}

/// What a row of activity is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'r> {
    /// The customer.
    pub customer: Option<&'r str>,
    /// The account.
    pub account: Option<&'r str>,
    /// The document.
    pub document: Option<&'r str>,
}

impl<'r> About<'r> {
    /// What a request is about.
    pub fn request(request: &'r Request) -> About<'r> {
        let data = &**request;
        let (customer, account, document) =
            (data.customer.as_deref(), data.account.as_deref(), data.document.as_deref());
        About { customer, account, document }
    }

    /// What an interaction is about.
    pub fn interaction(interaction: &'r Interaction) -> About<'r> {
        let (customer, account) = (interaction.customer.as_deref(), interaction.account.as_deref());
        About { customer, account, document: None }
    }

    /// What a note is about.
    pub fn note(note: &'r Note) -> About<'r> {
        let data = &**note;
        let (customer, account, document) =
            (data.customer.as_deref(), data.account.as_deref(), data.document.as_deref());
        About { customer, account, document }
    }
}

/// Whether the caller's policies hide what a row of activity is about: its document, its account, or its customer.
pub fn hides(state: &State, who: &SignedIn, about: About<'_>) -> Result<bool, Problem> {
    if !narrowed(who) {
        return Ok(false);
    }
    if let Some(id) = about.document.and_then(|id| id.parse().ok())
        && documents(state, who)?.hides(id)?
    {
        return Ok(true);
    }
    match (about.account, about.customer) {
        (Some(account), _) => hidden(state, who, &[account.to_string()]),
        (None, Some(customer)) => hides_customer(state, who, customer),
        (None, None) => Ok(false),
    }
}

/// Refuses a row of activity whose document, account or customer is hidden; it looks like none.
pub fn need_about(state: &State, who: &SignedIn, about: About<'_>) -> Result<(), Problem> {
    if hides(state, who, about)? { Err(Problem::nothing()) } else { Ok(()) }
}

/// A request that the caller may see, whatever is done with it.
pub fn need_request(state: &State, who: &SignedIn, id: &str) -> Result<Request, Problem> {
    let request = state.crm.request(viewer(who), id)?;
    need_about(state, who, About::request(&request))?;
    Ok(request)
}

/// Rounds of reading that one page of a narrowed list takes at most.
const ROUNDS: usize = 20;

/// One page of a list without the rows that are hidden, filled up from what follows: a page is as long as if they
/// were not there, unless so many are hidden that looking further would take too long.
pub fn filled<T>(
    limit: usize,
    cursor: Option<&str>,
    fetch: impl Fn(Option<&str>, usize) -> Result<Page<T>, CrmError>,
    hides: impl Fn(&T) -> Result<bool, Problem>,
) -> Result<Page<T>, Problem> {
    let mut page = Page { items: Vec::new(), next_cursor: cursor.map(str::to_string) };
    for _ in 0..ROUNDS {
        let found = fetch(page.next_cursor.as_deref(), limit - page.items.len())?;
        page.items.extend(only_seen(found.items, &hides)?);
        page.next_cursor = found.next_cursor;
        if page.items.len() >= limit || page.next_cursor.is_none() {
            break;
        }
    }
    Ok(page)
}

/// Rows of a list without pages at most that are looked through for those that are seen.
const LOOKED_THROUGH: usize = 4_000;

/// The first rows of a list without pages that are not hidden: as many as if the others were not there.
pub fn first_seen<T>(
    limit: usize,
    fetch: impl Fn(usize) -> Result<Vec<T>, CrmError>,
    hides: impl Fn(&T) -> Result<bool, Problem>,
) -> Result<Vec<T>, Problem> {
    let mut wanted = limit;
    loop {
        let found = fetch(wanted)?;
        let all = found.len() < wanted || wanted >= LOOKED_THROUGH;
        let mut kept = only_seen(found, &hides)?;
        if all || kept.len() >= limit {
            kept.truncate(limit);
            return Ok(kept);
        }
        wanted *= 2;
    }
}

/// Who that might be, of those whom the caller may see.
pub fn resolve(state: &State, who: &SignedIn, ask: &ResolveAsk) -> Result<Vec<Candidate>, Problem> {
    let found = state.crm.resolve(ask, &documents(state, who)?)?;
    let found = only_seen(found, |candidate| match &candidate.customer {
        Some(id) => hides_customer(state, who, id),
        None => hidden(state, who, &candidate.accounts),
    })?;
    let mut candidates = Vec::with_capacity(found.len());
    for mut candidate in found {
        candidate.accounts =
            only_seen(candidate.accounts, |account| hidden(state, who, std::slice::from_ref(account)))?;
        candidates.push(candidate);
    }
    Ok(candidates)
}

/// The gate's permit for a document, with what is known of it, and its account as it is: in the view it may be masked.
pub fn open(
    state: &State,
    who: &SignedIn,
    id: DocId,
    wanted: Use,
    why: &str,
) -> Result<(Permit, DocumentView, Option<String>), Problem> {
    let subject = state.backend.subject(id)?;
    let permit = state.gate.open(&who.principal, wanted, &subject, why)?;
    let view = state.backend.document(&permit)?;
    Ok((permit, view, subject.facts.account))
}

/// Plans a copy of a document, for those who may send it, and records by which right.
pub fn send(state: &State, who: &SignedIn, id: DocId, copy: NewCopy) -> Result<Delivery, Problem> {
    who.need(Permission::DocumentSend)?;
    let (_, _, account) = open(state, who, id, Use::SEND, "send")?;
    let any = who.may(Permission::AddressOverride);
    let delivery = state.crm.plan_copy(&who.user.name, id, account.as_deref(), copy, any)?;
    let what = format!("{id} {}", delivery.reason);
    state.gate.record_by(&who.principal, Permission::DocumentSend, "send", &delivery.id, &what)?;
    Ok(delivery)
}

/// Refuses documents that the caller does not see, and says whose account it is of; a refusal is recorded. Nothing of
/// the document is shown, so it is no view of it.
pub fn need_document(state: &State, who: &SignedIn, id: DocId, why: &str) -> Result<Option<String>, Problem> {
    let subject = state.backend.subject(id)?;
    if !subject.there || !state.gate.sees(&who.principal, &subject.facts) {
        state.gate.open(&who.principal, Use::READ, &subject, why)?;
        return Err(Problem::nothing());
    }
    Ok(subject.facts.account)
}

/// The documents as the caller may see them.
pub fn documents<'s>(state: &'s State, who: &SignedIn) -> Result<Shelf<'s>, Problem> {
    shelf(state, who.principal.clone(), narrowed(who))
}

/// All documents, for what greenbar itself compares: nothing of them is shown.
pub fn all_documents(state: &State) -> Result<Shelf<'_>, Problem> {
    shelf(state, Principal::operator("system:enrolment", "greenbar"), false)
}

fn shelf(state: &State, principal: Principal, narrowed: bool) -> Result<Shelf<'_>, Problem> {
    let (scope, definitions) = (state.gate.scope(&principal), state.backend.definitions()?);
    Ok(Shelf { state, principal, narrowed, scope, definitions })
}

/// Somebody who did not sign in, for the audit.
pub fn nobody(from: &str) -> Principal {
    Principal::nobody("nobody", from)
}

/// The gate's permit for the one document behind a link. Who has the link has proved nothing: masks hold that the role
/// `customer` is not named in, and what policies and definitions keep from customers stays away.
pub fn open_by_link(state: &State, link: &Link, id: DocId, from: &str) -> Result<Permit, Problem> {
    let short: String = link.id.chars().take(16).collect();
    let recipient = User {
        name: format!("link:{short}"),
        role: CUSTOMER.into(),
        accounts: link.account.iter().cloned().collect(),
        ..User::default()
    };
    let mut rights = state.directory.rights(&recipient, &state.backend.restricted()?)?;
    rights.grants = vec![("link".into(), Predicate::Everything)];
    rights.narrow([Permission::DocumentRead, Permission::PortalUse].into_iter().collect::<Permissions>());
    let who = Principal::new(format!("link:{short}"), from, rights);
    Ok(state.gate.open(&who, Use::READ, &state.backend.subject(id)?, "link")?)
}

/// Title of the report of a document, English and Chinese: all that is told of it before it is opened.
pub fn report_of(state: &State, id: DocId) -> Result<Option<(String, Option<String>)>, Problem> {
    let subject = state.backend.subject(id)?;
    if !subject.there {
        return Ok(None);
    }
    let name = subject.facts.definition;
    let known = state.backend.definitions()?.into_iter().find(|definition| definition.name == name);
    Ok(Some(known.map_or((name, None), |definition| (definition.title, definition.title_zh))))
}

/// The documents within a scope.
pub struct Shelf<'s> {
    state: &'s State,
    principal: Principal,
    /// Accounts may be kept from who asks, who stands for the organisation.
    narrowed: bool,
    scope: Scope,
    definitions: Vec<DefinitionView>,
}

/// Documents asked of the search at a time.
const AT_ONCE: usize = 100;

impl Shelf<'_> {
    /// A document as timelines and comparisons show it.
    pub fn entry(&self, view: &DocumentView) -> DocumentEntry {
        let definition = self.definitions.iter().find(|definition| definition.name == view.definition);
        let fields: Vec<DocumentField> = view.fields.iter().map(field).collect();
        let value = |name: Option<&String>| {
            let name = name?;
            fields.iter().find(|field| field.name == *name).map(|field| field.value.clone())
        };
        DocumentEntry {
            id: view.id.to_string(),
            definition: view.definition.clone(),
            report: view.report.clone(),
            report_zh: view.report_zh.clone(),
            kind: view.kind.clone(),
            title: view.title.clone(),
            date: view.date.map(Date),
            account: view.account.clone(),
            pages: view.pages,
            amount: value(definition.and_then(|definition| definition.amount.as_ref())),
            due: value(definition.and_then(|definition| definition.due.as_ref())),
            fields,
        }
    }

    /// Visits hits page by page.
    fn hits(&self, asked: &HitsAsked, each: &mut dyn FnMut(DocumentEntry) -> ControlFlow<()>) -> Result<(), CrmError> {
        let mut asked = HitsAsked { limit: AT_ONCE, ..asked.clone() };
        loop {
            let page =
                self.state.backend.hits(&asked, &self.scope).map_err(|error| CrmError::Documents(error.to_string()))?;
            for hit in &page.hits {
                if each(self.entry(&hit.document)).is_break() {
                    return Ok(());
                }
            }
            asked.cursor = page.next_cursor;
            if asked.cursor.is_none() {
                return Ok(());
            }
        }
    }
}

fn field(view: &crate::serve::backend::FieldView) -> DocumentField {
    let number = matches!(view.value, FieldValue::One(Value::Decimal(_) | Value::Integer(_)));
    let value = match &view.value {
        FieldValue::One(value) => value.to_string(),
        FieldValue::Many(values) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        FieldValue::Span(first, last) => format!("{first} \u{2013} {last}"),
    };
    DocumentField { name: view.name.clone(), label: view.label.clone(), label_zh: view.label_zh.clone(), value, number }
}

impl Documents for Shelf<'_> {
    fn of_account(
        &self,
        account: &str,
        definition: Option<&str>,
        upto: Option<Day>,
        each: &mut dyn FnMut(DocumentEntry) -> ControlFlow<()>,
    ) -> Result<(), CrmError> {
        let asked = HitsAsked {
            account: Some(account.to_string()),
            definition: definition.map(str::to_string),
            to: upto,
            ..HitsAsked::default()
        };
        let mut stopped = false;
        self.hits(&asked, &mut |entry| {
            let flow = each(entry);
            stopped = flow.is_break();
            flow
        })?;
        if stopped || upto.is_none() {
            return Ok(());
        }
        // A range of days leaves documents without a date out; they come last.
        self.hits(&HitsAsked { to: None, ..asked }, &mut |entry| {
            if entry.date.is_some() { ControlFlow::Continue(()) } else { each(entry) }
        })
    }

    fn with_number(&self, number: &str, limit: usize) -> Result<Vec<DocumentEntry>, CrmError> {
        let names = self.definitions.iter().flat_map(|definition| &definition.fields);
        let mut names: Vec<&str> = names.map(String::as_str).filter(|name| is_number_field(name)).collect();
        names.sort_unstable();
        names.dedup();
        let mut found = Vec::new();
        let quoted = number.replace(['"', '\\'], " ");
        for names in names.chunks(50) {
            let tests: Vec<String> = names.iter().map(|name| format!("{name}:\"{quoted}\"")).collect();
            let asked = HitsAsked { query: tests.join(" OR "), ..HitsAsked::default() };
            self.hits(&asked, &mut |entry| {
                let same = |field: &DocumentField| is_number_field(&field.name) && plain(&field.value) == plain(number);
                if entry.fields.iter().any(same) {
                    // Whose it is, also where the account is masked for the reader.
                    let id = entry.id.parse().ok();
                    let subject = id.and_then(|id| self.state.backend.subject(id).ok());
                    found.push(DocumentEntry { account: subject.and_then(|subject| subject.facts.account), ..entry });
                }
                if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(found)
    }

    fn may_see(&self, document: DocId) -> Result<bool, CrmError> {
        let failed = |error: BackendError| CrmError::Documents(error.to_string());
        let subject = self.state.backend.subject(document).map_err(failed)?;
        Ok(subject.there && self.state.gate.sees(&self.principal, &subject.facts))
    }

    fn hides(&self, document: DocId) -> Result<bool, CrmError> {
        let failed = |error: BackendError| CrmError::Documents(error.to_string());
        let subject = self.state.backend.subject(document).map_err(failed)?;
        Ok(subject.there && !self.state.gate.sees(&self.principal, &subject.facts))
    }

    fn hides_account(&self, account: &str) -> Result<bool, CrmError> {
        let failed = |error: BackendError| CrmError::Documents(error.to_string());
        Ok(self.narrowed && kept_from(self.state, &self.principal, &[account.to_string()]).map_err(failed)?)
    }
}

/// Whether a field holds the number of a document, by its name.
fn is_number_field(name: &str) -> bool {
    let named = ["invoice", "bill", "document", "reference", "receipt", "policy", "order"];
    (name.contains("number") || name.ends_with("_no") || named.contains(&name)) && !name.contains("account")
        || named.iter().any(|word| name.starts_with(word) && name.ends_with("_id"))
}

fn plain(text: &str) -> String {
    crate::index::fold::squeeze(&crate::index::fold::fold(text))
}
