//! Who sees addresses and telephone numbers whole, and what the others see of them.

use std::sync::PoisonError;

use super::{account_of_row, viewer};
use crate::auth::permission::Permission;
use crate::crm::contact::{ContactPoint, Owner};
use crate::crm::copy::Delivery;
use crate::crm::interaction::Interaction;
use crate::crm::timeline::{Detail, TimelineEntry};
use crate::serve::ask::SignedIn;
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Contacts of one agent that go on and are looked at.
const MOST_CONTACTS: usize = 10;

/// The contact that somebody is in (the one that they came to last, else the newest), and the others that go on, newest first.
pub fn current_contact(state: &State, name: &str) -> Result<Option<(Interaction, Vec<Interaction>)>, Problem> {
    let mut open = state.crm.open_interactions(name, MOST_CONTACTS)?;
    open.sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
    if open.is_empty() {
        return Ok(None);
    }
    let calls = state.current_calls.lock().unwrap_or_else(PoisonError::into_inner);
    let at = calls.get(name).and_then(|id| open.iter().position(|call| call.id == *id)).unwrap_or(0);
    let one = open.remove(at);
    Ok(Some((one, open)))
}

/// Makes a contact the one that somebody is in.
pub fn come_to(state: &State, name: &str, call: &str) {
    let mut calls = state.current_calls.lock().unwrap_or_else(PoisonError::into_inner);
    calls.insert(name.to_string(), call.to_string());
}

/// Whether the caller sees addresses and numbers of a customer, or of an account whose customer is not known, whole: the one
/// rule of the API and the pages. Customers see their own. Agents see them once the caller is verified in the contact that they are
/// in, and it is about them: neither caller id nor a role alone unmasks, and what was proved in another call says nothing of who
/// calls now. A program (no session, an API key) that keeps them has `customer.write`.
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
    let about = |call: &Interaction| match (customer, account) {
        (Some(id), _) => call.customer.as_deref() == Some(id),
        (None, Some(number)) => call.account.as_deref() == Some(number),
        (None, None) => false,
    };
    let current = current_contact(state, &who.user.name)?;
    Ok(current.is_some_and(|(call, _)| about(&call) && call.verified.is_some()))
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
    let kept = delivery.data.account.take();
    delivery.data.account = account_of_row(state, who, Some(&delivery.document), kept)?;
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
