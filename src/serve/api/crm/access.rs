//! Who may do what with customers and their activity: the only place here that asks.

mod contacts;
mod hidden;
mod masked;
mod shelf;

use crate::archive::DocId;
use crate::auth::AuthError;
use crate::auth::directory::{Directory, Restricted, Rights};
use crate::auth::gate::{Permit, Principal, Use};
use crate::auth::permission::{Permission, Permissions};
use crate::auth::predicate::Predicate;
use crate::auth::role::CUSTOMER;
use crate::auth::user::User;
use crate::crm::Viewer;
use crate::crm::copy::{Delivery, NewCopy};
use crate::crm::link::Link;
use crate::crm::resolve::{Candidate, ResolveAsk};
use crate::serve::ask::SignedIn;
use crate::serve::backend::DocumentView;
use crate::serve::problem::Problem;
use crate::serve::state::State;

pub use contacts::{
    come_to, current_contact, mask_delivery, mask_points, mask_timeline, sees_contacts, sees_contacts_of,
    shown_delivery,
};
pub use hidden::{
    About, filled, first_seen, hidden, hides, hides_customer, need_about, need_account, need_customer, need_named,
    need_request, only_seen,
};
pub use masked::{Eyes, eyes, shown_request};
pub use shelf::{all_documents, documents};

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

/// By which right the caller changes something: staff have one for it, customers have their portal.
pub fn writing(who: &SignedIn, staff: Permission) -> Permission {
    if viewer(who).is_staff() { staff } else { Permission::PortalUse }
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

/// The account of a document as the caller sees it: masked, where a definition says so.
pub fn account_shown(state: &State, who: &SignedIn, id: DocId) -> Result<Option<String>, Problem> {
    let permit = state.gate.listed(&state.gate.scope(&who.principal), id);
    Ok(state.backend.document(&permit)?.account)
}

/// The account that a row of activity was kept with, as the caller sees it on the document that the row is about, and on
/// the others of that account.
pub fn account_of_row(
    state: &State,
    who: &SignedIn,
    document: Option<&str>,
    kept: Option<String>,
) -> Result<Option<String>, Problem> {
    let Some(number) = kept else { return Ok(None) };
    let shown = eyes(state, who)?.number(&number)?;
    let id = document.and_then(|id| id.parse().ok()).filter(|_| shown == number);
    match id {
        Some(id) if state.backend.subject(id)?.there => account_shown(state, who, id),
        _ => Ok(Some(shown)),
    }
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

/// Somebody who did not sign in, for the audit.
pub fn nobody(from: &str) -> Principal {
    Principal::nobody("nobody", from)
}

/// The gate's permit for the one document behind a link. Who has the link has proved nothing: masks hold that the role
/// `customer` is not named in, and what policies and definitions keep from customers stays away.
pub fn open_by_link(state: &State, link: &Link, id: DocId, from: &str) -> Result<Permit, Problem> {
    let short: String = link.id.chars().take(16).collect();
    let name = format!("link:{short}");
    let mut rights = rights_by_link(&state.directory, &state.backend.restricted()?, &name, link.account.as_deref())?;
    if link.masked {
        rights.roles.clear();
    }
    let who = Principal::new(name, from, rights);
    Ok(state.gate.open(&who, Use::READ, &state.backend.subject(id)?, "link")?)
}

/// What a link shows to the customer of an account.
pub fn rights_by_link(
    directory: &Directory,
    restricted: &Restricted,
    name: &str,
    account: Option<&str>,
) -> Result<Rights, AuthError> {
    let recipient = User {
        name: name.into(),
        role: CUSTOMER.into(),
        accounts: account.map(str::to_string).into_iter().collect(),
        ..User::default()
    };
    let mut rights = directory.rights(&recipient, restricted)?;
    rights.grants = vec![("link".into(), Predicate::Everything)];
    rights.narrow([Permission::DocumentRead, Permission::PortalUse].into_iter().collect::<Permissions>());
    Ok(rights)
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
