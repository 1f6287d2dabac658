//! What the caller's policies hide: accounts, customers and activity about them look like none, also in the length of a list.

use super::{documents, viewer};
use crate::auth::gate::Principal;
use crate::auth::predicate::Predicate;
use crate::crm::consent::Consent;
use crate::crm::contact::Owner;
use crate::crm::copy::Delivery;
use crate::crm::interaction::{Interaction, NO_CUSTOMER};
use crate::crm::link::Link;
use crate::crm::note::Note;
use crate::crm::request::Request;
use crate::crm::timeline::Documents;
use crate::crm::{CrmError, Page};
use crate::serve::ask::SignedIn;
use crate::serve::backend::{BackendError, HitsAsked};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Refuses accounts of others, those that the caller's policies hide, and numbers that neither a row nor a document
/// knows; they all look like none.
pub fn need_account(state: &State, who: &SignedIn, number: &str) -> Result<(), Problem> {
    let hidden = hidden(state, who, &[number.to_string()])?;
    let there = !viewer(who).is_staff() || is_known(state, who, number)?;
    if viewer(who).sees_account(number) && there && !hidden { Ok(()) } else { Err(Problem::nothing()) }
}

/// Whether an account has a row, or documents. Where some are hidden both are always asked, so that the time does not tell.
fn is_known(state: &State, who: &SignedIn, number: &str) -> Result<bool, Problem> {
    let row = match state.crm.account(number) {
        Ok(_) => true,
        Err(CrmError::NotFound { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    if row && !narrowed(who) {
        return Ok(true);
    }
    let everybody = state.gate.scope(&Principal::operator("system:rights", "greenbar"));
    let asked = HitsAsked { account: Some(number.to_string()), limit: 1, ..HitsAsked::default() };
    Ok(state.backend.hits(&asked, &everybody)?.total > 0 || row)
}

/// Refuses what would be about a customer or an account that the caller's policies hide, as if there were none: the answer
/// is that of [`crate::crm::Crm`] to a name that it does not know.
pub fn need_named(state: &State, who: &SignedIn, customer: Option<&str>, account: Option<&str>) -> Result<(), Problem> {
    if let Some(account) = account {
        need_account(state, who, account)?;
    }
    match customer {
        Some(customer) if hides_customer(state, who, customer)? => {
            Err(CrmError::Invalid { field: "customer", problem: NO_CUSTOMER.into() }.into())
        }
        _ => Ok(()),
    }
}

/// Refuses customers of whom the caller holds no account, and those that the caller's policies hide.
pub fn need_customer(state: &State, who: &SignedIn, id: &str) -> Result<(), Problem> {
    let hidden = hides_customer(state, who, id)?;
    let there = match state.crm.customer(id) {
        Ok(_) => true,
        Err(CrmError::NotFound { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    let seen = there && state.crm.shows(viewer(who), Some(id), None)? && !hidden;
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
pub(super) fn narrowed(who: &SignedIn) -> bool {
    viewer(who).is_staff() && who.principal.rights.predicate() != Predicate::Everything
}

/// Whether there are documents of some accounts and the caller may see none of them. Accounts without a document are
/// hidden from nobody: policies speak of documents. Both questions are always asked, so that the time does not tell.
pub fn hidden(state: &State, who: &SignedIn, accounts: &[String]) -> Result<bool, Problem> {
    Ok(narrowed(who) && kept_from(state, &who.principal, accounts)?)
}

pub(super) fn kept_from(state: &State, who: &Principal, accounts: &[String]) -> Result<bool, BackendError> {
    let everybody = state.gate.scope(&Principal::operator("system:rights", "greenbar"));
    let own = state.gate.scope(who).of_account();
    let (mut there, mut seen) = (false, false);
    // Who has no account costs what one with an account does.
    let nobody = [String::new()];
    for account in if accounts.is_empty() { &nobody } else { accounts } {
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

    /// What a consent is about.
    pub fn consent(consent: &'r Consent) -> About<'r> {
        About { customer: consent.customer.as_deref(), account: consent.account.as_deref(), document: None }
    }

    /// What a copy that is sent is about.
    pub fn delivery(delivery: &'r Delivery) -> About<'r> {
        let (customer, account) = (delivery.customer.as_deref(), delivery.account.as_deref());
        About { customer, account, document: Some(&delivery.document) }
    }

    /// What a link leads to.
    pub fn link(link: &'r Link) -> About<'r> {
        About { customer: None, account: link.account.as_deref(), document: Some(&link.document) }
    }

    /// What belongs to an owner of contact points.
    pub fn owner(owner: &'r Owner) -> About<'r> {
        match owner {
            Owner::Customer(id) => About { customer: Some(id), ..About::default() },
            Owner::Account(number) => About { account: Some(number), ..About::default() },
        }
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

/// A request that the caller may see, whatever is done with it, as they see it.
pub fn need_request(state: &State, who: &SignedIn, id: &str) -> Result<Request, Problem> {
    let request = state.crm.request(viewer(who), id)?;
    need_about(state, who, About::request(&request))?;
    super::shown_request(state, who, request)
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
