//! Consents and the texts that are shown before them.

use actix_web::HttpResponse;
use serde::Deserialize;

use super::access::{self, About};
use super::{Made, body, make, row, row_unless_known};
use crate::auth::permission::Permission;
use crate::crm::consent::{Consent, NewConsent, Purpose};
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

const PURPOSES: &[(&str, Purpose)] = &[("e-delivery", Purpose::EDelivery), ("marketing", Purpose::Marketing)];

/// The text that is shown now for a purpose, in a language.
#[utoipa::path(get, path = "/api/v1/disclosures", tag = "customers",
    params(("purpose" = Option<String>, Query, description = "`e-delivery` (when left out), `marketing`"),
        ("locale" = Option<String>, Query, description = "`en` when left out")),
    responses((status = 200, description = "purpose, version, locale, text, sha256, since"), (status = 404, description = "not-found")))]
pub async fn disclosure(ask: Ask) -> Answer {
    let params = ask.params(&["purpose", "locale"])?;
    let purpose = params.word("purpose", PURPOSES, Purpose::EDelivery)?;
    let locale = params.get("locale").unwrap_or("en").to_string();
    let shown = ask.block(move |state| Ok(state.crm.disclosure(purpose, &locale)?)).await?;
    Ok(HttpResponse::Ok().json(shown))
}

/// A text to show from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewText {
    purpose: Purpose,
    locale: String,
    text: String,
}

/// Makes a text the one that is shown; the ones before stay readable.
#[utoipa::path(post, path = "/api/v1/disclosures", tag = "customers",
    responses((status = 200, description = "the disclosure"), (status = 403, description = "forbidden")))]
pub async fn publish(ask: Ask) -> Answer {
    let new: NewText = body(&ask)?;
    let who = ask.who()?.clone();
    let shown = ask
        .block(move |state| {
            who.need(Permission::PolicyWrite)?;
            let shown = state.crm.publish_disclosure(new.purpose, &new.locale, &new.text)?;
            state.gate.record(&who.principal, "disclosure", new.purpose.name(), &shown.sha256)?;
            Ok(shown)
        })
        .await?;
    Ok(HttpResponse::Ok().json(shown))
}

/// Whether the caller may do something with a consent that is there: staff with the right for it, customers with their own.
fn need(state: &State, who: &SignedIn, consent: &Consent, staff: Permission) -> Result<(), Problem> {
    if access::viewer(who).is_staff() {
        who.need(staff)?;
        return access::need_about(state, who, About::consent(consent));
    }
    let own = state.crm.shows(access::viewer(who), consent.customer.as_deref(), consent.account.as_deref())?;
    if own { Ok(()) } else { Err(Problem::nothing()) }
}

/// The consent with its account as the caller sees it.
fn shown(state: &State, who: &SignedIn, mut consent: Consent) -> Result<Consent, Problem> {
    access::eyes(state, who)?.row(&mut consent.data.account)?;
    Ok(consent)
}

/// Whether the caller may begin one.
fn need_new(state: &State, who: &SignedIn, new: &NewConsent) -> Result<(), Problem> {
    let (customer, account) = (new.customer.as_deref(), new.account.as_deref());
    if access::viewer(who).is_staff() {
        who.need(Permission::CustomerActFor)?;
        return access::need_named(state, who, customer, account);
    }
    if state.crm.shows(access::viewer(who), customer, account)? { Ok(()) } else { Err(Problem::nothing()) }
}

/// Begins a consent, for staff with `customer.act-for`. For `e-delivery` it is pending until the code of the sample is typed; the answer has the code as
/// `demonstration_code`, once, to be put in the sample.
#[utoipa::path(post, path = "/api/v1/consents", tag = "customers",
    responses((status = 201, description = "the consent"), (status = 404, description = "not-found"), (status = 422, description = "bad-value")))]
pub async fn begin(ask: Ask) -> Answer {
    let new: NewConsent = body(&ask)?;
    make(ask, move |state, who, origin| {
        need_new(state, who, &new)?;
        let (consent, code) = state.crm.begin_consent(&who.user.name, &origin.from, new)?;
        let right = access::writing(who, Permission::CustomerActFor);
        state.gate.record_by(&who.principal, right, "consent-begun", &consent.id, consent.purpose.name())?;
        let mut made = Made::row("consents", &shown(state, who, consent)?);
        if let Some(code) = code {
            made.json["demonstration_code"] = code.into();
        }
        Ok(made)
    })
    .await
}

/// A consent.
#[utoipa::path(get, path = "/api/v1/consents/{id}", tag = "customers",
    params(("id" = String, Path, description = "Consent id")),
    responses((status = 200, description = "the consent"), (status = 404, description = "not-found")))]
pub async fn show(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let consent = ask
        .block(move |state| {
            let consent = state.crm.consent(&id)?;
            need(state, &who, &consent, Permission::InteractionWrite)?;
            shown(state, &who, consent)
        })
        .await?;
    Ok(row_unless_known(&ask, &consent))
}

/// What happens to a consent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    withdrawn: bool,
}

/// Gives a pending consent with the `code` of the sample (the customer, or staff with `customer.act-for`), or ends one with
/// `withdrawn` (also staff with `interaction.write`).
#[utoipa::path(patch, path = "/api/v1/consents/{id}", tag = "customers",
    params(("id" = String, Path, description = "Consent id")),
    responses((status = 200, description = "the consent"), (status = 404, description = "not-found"),
        (status = 409, description = "state"), (status = 422, description = "bad-value: a wrong code")))]
pub async fn change(ask: Ask) -> Answer {
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let change: Change = body(&ask)?;
    ask.block(move |state| {
        let before = state.crm.consent(&id)?;
        // Who calls may take a consent back on the telephone; only the customer, or who acts for one, gives it.
        let staff = if change.withdrawn { Permission::InteractionWrite } else { Permission::CustomerActFor };
        need(state, &who, &before, staff)?;
        let name = &who.user.name;
        let changed = match (&change.code, change.withdrawn) {
            (Some(code), false) => vec![state.crm.confirm_consent(name, &id, code)?],
            (None, true) => state.crm.withdraw_all_of(name, &id)?,
            _ => return Err(Problem::bad_value("Send code, or withdrawn: true.")),
        };
        let kind = if change.withdrawn { "consent-withdrawn" } else { "consent-given" };
        for consent in &changed {
            let right = access::writing(&who, staff);
            state.gate.record_by(&who.principal, right, kind, &consent.id, consent.purpose.name())?;
        }
        let consent = changed.into_iter().next().ok_or_else(Problem::nothing)?;
        shown(state, &who, consent)
    })
    .await
    .map(|consent| row(&consent))
}
