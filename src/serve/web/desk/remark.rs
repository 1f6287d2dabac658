//! Notes beside customers and documents, and copies of documents that are sent.

use minijinja::{Value, context};

use super::{Language, back, done, moment};
use crate::archive::DocId;
use crate::auth::gate::Use;
use crate::auth::permission::Permission;
use crate::crm::contact::{ContactKind, Owner};
use crate::crm::copy::{Delivery, DeliveryState, How, NewCopy};
use crate::crm::note::{NewNote, Note, Place, Visibility};
use crate::crm::time::Date;
use crate::serve::api::crm::access;
use crate::serve::api::documents;
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

const READERS: [(&str, Visibility); 3] =
    [("team", Visibility::Staff), ("private", Visibility::Private), ("customer", Visibility::Shared)];
const WAYS: [(&str, How); 3] = [("link", How::Link), ("pdf", How::Pdf), ("print", How::Print)];
/// Notes and deliveries shown beside a document.
const MOST: usize = 50;

/// Writes a note on a customer, an account or a document.
pub async fn note(ask: Ask) -> Answer {
    let form =
        ask.form(&["csrf", "once", "back", "customer", "account", "document", "text", "for", "page", "quote"])?;
    done(&ask, form, |state, who, form| {
        who.need(Permission::NoteWrite)?;
        let text = |name: &str| form.get(name).map(str::to_string);
        let mut new = NewNote {
            customer: text("customer"),
            account: text("account"),
            document: text("document"),
            place: None,
            text: text("text").unwrap_or_default(),
            visibility: form.word("for", &READERS, Visibility::Staff)?,
        };
        let mut home = "/agent".to_string();
        if let Some(document) = &new.document {
            let id = documents::id(document)?;
            let (_, view, account) = access::open(state, who, id, Use::READ, "note")?;
            home = format!("/agent/documents/{id}");
            new.customer = customer_of(state, account.as_deref());
            new.account = account;
            new.place = place(form, view.pages)?;
        }
        let note = state.crm.add_note(&who.user.name, new)?;
        state.gate.record(&who.principal, "note", &note.id, note.document.as_deref().unwrap_or_default())?;
        Ok(back(form, &home, "note_saved"))
    })
    .await
}

/// Where in the document: the page, and the text that was selected there.
fn place(form: &Params, pages: u32) -> Result<Option<Place>, Problem> {
    let page = form.number("page", 1..=pages.max(1))?;
    let quote: String = form.get("quote").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let text = quote.chars().take(300).collect();
    Ok(page.map(|page| Place { page, text, ..Place::default() }))
}

/// Takes an own note back.
pub async fn withdraw(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "back"])?;
    let id = ask.part("id").to_string();
    done(&ask, form, move |state, who, form| {
        who.need(Permission::NoteWrite)?;
        state.crm.withdraw_note(&who.user.name, &id)?;
        state.gate.record(&who.principal, "note-withdrawn", &id, "")?;
        Ok(back(form, "/agent", "note_withdrawn"))
    })
    .await
}

/// Sends a copy of a document.
pub async fn send(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "back", "how", "to", "address", "reason"])?;
    let id = documents::id(ask.part("id"))?;
    done(&ask, form, move |state, who, form| {
        who.need(Permission::DocumentSend)?;
        let text = |name: &str| form.get(name).map(str::to_string);
        let (how, to) = match form.get("to").and_then(|to| to.split_once(':')) {
            // The chooser offers a way and a contact point as one.
            Some((how, to)) => (WAYS.iter().find(|(name, _)| *name == how).map(|(_, how)| *how), Some(to.to_string())),
            None => (Some(form.word("how", &WAYS, How::Link)?), None),
        };
        let call = contact_about(state, who, id)?;
        let copy = NewCopy {
            how: how.unwrap_or_default(),
            address: if to.is_none() { text("address") } else { None },
            contact_point: to,
            reason: text("reason").unwrap_or_default(),
            interaction: call,
            language: String::new(),
        };
        access::send(state, who, id, copy)?;
        Ok(back(form, &format!("/agent/documents/{id}"), "copy_sent"))
    })
    .await
}

/// The contact that the agent is in, when it is with whom the document belongs to, or nobody knows yet with whom.
fn contact_about(state: &State, who: &SignedIn, id: DocId) -> Result<Option<String>, Problem> {
    let Some((call, _)) = access::current_contact(state, &who.user.name)? else { return Ok(None) };
    let account = state.backend.subject(id)?.facts.account;
    let fits = match (&call.customer, &call.account) {
        (Some(customer), _) => customer_of(state, account.as_deref()).as_ref() == Some(customer),
        (None, Some(number)) => account.as_ref() == Some(number),
        (None, None) => true,
    };
    Ok(fits.then_some(call.id))
}

/// The customer who holds a document's account.
pub fn customer_of(state: &State, account: Option<&str>) -> Option<String> {
    state.crm.account(account?).ok()?.customer.clone()
}

/// What stands beside a document for an agent: notes, copies, addresses that a copy can go to, the customer.
pub fn beside(state: &State, who: &SignedIn, id: DocId, language: Language) -> Result<Value, Problem> {
    let viewer = access::viewer(who);
    let mut notes = state.crm.notes_on(viewer, id, None, MOST)?.items;
    let eyes = access::eyes(state, who)?;
    notes.iter_mut().try_for_each(|note| eyes.note(note))?;
    let mut deliveries = state.crm.deliveries_of(viewer, id)?;
    // As it is, also where the reader sees it masked.
    let account = state.backend.subject(id)?.facts.account;
    let account = account.as_deref();
    let customer = customer_of(state, account);
    let name = customer.as_ref().and_then(|id| state.crm.customer(id).ok()).map(|customer| customer.display_name());
    let whole = access::sees_contacts(state, who, customer.as_deref(), account)?;
    deliveries.iter_mut().for_each(|one| access::mask_delivery(one, whole));
    Ok(context! {
        notes => notes.iter().map(|note| shown_note(note, who, language)).collect::<Vec<_>>(),
        deliveries => deliveries.iter().rev().take(MOST).map(|one| shown_delivery(one, language)).collect::<Vec<_>>(),
        addresses => addresses(state, customer.as_deref(), account, whole, language)?,
        any_address => who.may(Permission::AddressOverride),
        customer_name => name.unwrap_or_default(),
        customer_link => match (&customer, account) {
            (Some(id), _) => super::path("/agent/customers", id),
            // A number that is masked stands in no address.
            (None, Some(number)) if eyes.number(number)? == number => super::path("/agent/accounts", number),
            (None, _) => String::new(),
        },
    })
}

fn shown_note(note: &Note, who: &SignedIn, language: Language) -> Value {
    let readers = READERS.iter().find(|(_, known)| *known == note.visibility).map_or("team", |(name, _)| name);
    context! {
        id => note.id.as_str(),
        text => note.text.as_str(),
        by => note.author.as_str(),
        when => moment(note.written_at, language),
        readers => language.word(&format!("note_is_{readers}")),
        page => note.place.as_ref().map(|place| place.page).unwrap_or_default(),
        quote => note.place.as_ref().map(|place| place.text.as_str()).unwrap_or_default(),
        own => note.author == who.user.name,
    }
}

fn shown_delivery(delivery: &Delivery, language: Language) -> Value {
    let (state, tone) = match delivery.state {
        DeliveryState::Planned => ("planned", "info"),
        DeliveryState::Handed => ("handed", "ok"),
        DeliveryState::Retrying => ("retrying", "warn"),
        DeliveryState::Failed => ("failed", "bad"),
        DeliveryState::Cancelled => ("cancelled", ""),
    };
    let way = WAYS.iter().find(|(_, how)| *how == delivery.how).map_or("link", |(name, _)| name);
    context! {
        how => language.word(&format!("send_{way}")),
        to => delivery.to.as_str(),
        state => language.word(&format!("delivery_{state}")),
        tone,
        when => moment(delivery.planned_at, language),
    }
}

/// Where a copy may go: verified contact points of the customer and the account.
fn addresses(
    state: &State,
    customer: Option<&str>,
    account: Option<&str>,
    whole: bool,
    language: Language,
) -> Result<Vec<Value>, Problem> {
    let mut points = Vec::new();
    for owner in [customer.map(|id| Owner::Customer(id.into())), account.map(|number| Owner::Account(number.into()))] {
        points.extend(owner.map(|owner| state.crm.contacts_of(&owner)).transpose()?.unwrap_or_default());
    }
    access::mask_points(&mut points, whole);
    let today = Date(state.crm.now().day());
    let mut found = Vec::new();
    for point in points.iter().filter(|point| point.is_usable(today)) {
        let ways: &[&str] = match point.kind {
            ContactKind::Email => &["link", "pdf"],
            ContactKind::Post => &["print"],
            _ => &[],
        };
        for way in ways {
            let label = format!("{}: {}", language.word(&format!("send_{way}")), point.value);
            found.push(context! { value => format!("{way}:{}", point.id), label });
        }
    }
    Ok(found)
}
