//! Consent to electronic delivery: the text, the sample with a code that shows it can be opened, the withdrawal.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use minijinja::{Value, context};

use super::super::desk;
use super::{Language, address, choices, chosen_account, language, locale, own_account, show};
use crate::crm::CrmError;
use crate::crm::consent::{Consent, ConsentState, Disclosure, NewConsent, Purpose};
use crate::crm::preference::{PreferenceData, Way};
use crate::render::letter::Sample;
use crate::serve::ask::{self, Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Samples that were opened last and whose codes count: somebody may have opened it twice.
const TRIED: usize = 3;
/// Samples of one account that may wait for their code.
const MOST_PENDING: usize = 20;
/// How long a sample counts as waiting.
const PENDING_S: i64 = 86_400;

/// What the account's documents are covered by, newest first: of the account, and of its holder.
fn consents(state: &State, account: &str) -> Result<Vec<Consent>, Problem> {
    let holder = state.crm.account(account).ok().and_then(|account| account.data.customer);
    let mut all = state.crm.consents(holder.as_deref(), &[account.to_string()])?;
    // A consent of the holder for another account says nothing of this one.
    all.retain(|one| {
        one.purpose == Purpose::EDelivery && one.account.as_deref().is_none_or(|number| number == account)
    });
    Ok(all)
}

/// Whether one is in force.
pub fn is_given(state: &State, account: &str) -> Result<bool, Problem> {
    Ok(consents(state, account)?.iter().any(|one| one.state == ConsentState::Given))
}

/// The text that is shown now; `None` where the organisation offers no electronic delivery.
fn text(state: &State, language: Language) -> Result<Option<Disclosure>, Problem> {
    match state.crm.disclosure(Purpose::EDelivery, language.code()) {
        Ok(text) => Ok(Some(text)),
        Err(CrmError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a template shows of a text.
fn told(text: &Disclosure) -> Value {
    context! {
        lines => text.text.lines().map(str::to_string).collect::<Vec<_>>(),
        version => text.version,
        locale => text.locale.as_str(),
        sha256 => text.sha256.as_str(),
    }
}

/// The text that a consent is to, as it was shown then.
fn agreed(state: &State, consent: &Consent) -> Result<Option<Disclosure>, Problem> {
    let all = state.crm.disclosures(consent.purpose, &consent.locale)?;
    Ok(all.into_iter().find(|text| text.sha256 == consent.disclosure_sha256))
}

/// Whether a consent is to a text that was replaced since, in the language that it was given in.
fn is_outdated(state: &State, consent: &Consent) -> Result<bool, Problem> {
    let newest = state.crm.disclosures(consent.purpose, &consent.locale)?.pop();
    Ok(newest.is_some_and(|newest| newest.sha256 != consent.disclosure_sha256))
}

/// Where consent stands, for templates.
pub fn state_of(state: &State, account: &str, language: Language) -> Result<Value, Problem> {
    let all = consents(state, account)?;
    let given = all.iter().find(|one| one.state == ConsentState::Given);
    let since = given.and_then(|one| one.given_at).map(|at| locale::moment(at.0, language));
    let past = all.iter().filter(|one| one.state == ConsentState::Withdrawn);
    let past = past.map(|one| {
        let at = |time: Option<crate::crm::Time>| time.map(|at| locale::moment(at.0, language)).unwrap_or_default();
        context! { version => one.disclosure_version, given => at(one.given_at), withdrawn => at(one.withdrawn_at) }
    });
    Ok(context! {
        offered => text(state, language)?.is_some(),
        given => given.is_some(),
        id => given.map(|one| one.id.clone()).unwrap_or_default(),
        version => given.map(|one| one.disclosure_version).unwrap_or_default(),
        since => since.unwrap_or_default(),
        past => past.collect::<Vec<_>>(),
    })
}

/// The text, and the three steps.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["account", "needed", "wrong", "changed", "said"])?;
    let who = ask.who()?.clone();
    let account = chosen_account(&who, params.get("account"))?;
    let language = language(&ask.request, Some(&who));
    let [needed, wrong, changed] = ["needed", "wrong", "changed"].map(|name| params.get(name).is_some());
    let own = ask
        .block(move |state| {
            let shown = text(state, language)?;
            let given = consents(state, &account)?.into_iter().find(|one| one.state == ConsentState::Given);
            let agreed = given.as_ref().map(|one| agreed(state, one)).transpose()?.flatten();
            let newer = given.as_ref().map(|one| is_outdated(state, one)).transpose()?.unwrap_or_default();
            Ok(context! {
                // What is to be agreed to, and what was agreed to.
                shown => shown.as_ref().filter(|_| given.is_none() || newer).map(told),
                agreed => agreed.as_ref().map(told),
                newer,
                changed,
                consent => state_of(state, &account, language)?,
                waiting => !pending(state, &account)?.is_empty(),
                accounts => choices(&who, &account),
                account,
                needed,
                wrong,
            })
        })
        .await?;
    show(&ask, "consent.html", "settings", StatusCode::OK, own).await
}

/// Consents of the account itself that wait for their code, newest first.
fn pending(state: &State, account: &str) -> Result<Vec<Consent>, Problem> {
    let since = state.crm.now().0 - PENDING_S;
    let mut all = consents(state, account)?;
    all.retain(|one| one.state == ConsentState::Pending && one.account.is_some() && one.begun_at.0 >= since);
    Ok(all)
}

/// Begins a consent and answers with the sample: a PDF, as documents will be.
pub async fn sample(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "account", "sha256", "locale"])?;
    let who = ask.who()?.clone();
    let from = ask::address(&ask.request);
    let again = address("/my/consent", &[("account", form.get("account").unwrap_or_default()), ("changed", "1")]);
    let pdf = ask
        .block(move |state| {
            let account = form.get("account").unwrap_or_default();
            own_account(&who, account)?;
            let locale = form.get("locale").unwrap_or("en");
            let shown = state.crm.disclosure(Purpose::EDelivery, locale)?;
            if form.get("sha256") != Some(shown.sha256.as_str()) {
                return Ok(None);
            }
            if pending(state, account)?.len() >= MOST_PENDING {
                return Err(Problem::too_many("Too many samples wait for their code; try again tomorrow."));
            }
            let new = NewConsent {
                customer: None,
                account: Some(account.to_string()),
                purpose: Purpose::EDelivery,
                classes: Vec::new(),
                locale: locale.to_string(),
                disclosure_sha256: form.get("sha256").unwrap_or_default().to_string(),
                method: "portal".into(),
                demonstrated_with: "pdf".into(),
            };
            let chinese = new.locale.starts_with("zh");
            let (consent, code) = state.crm.begin_consent(&who.user.name, &from, new)?;
            state.gate.record(&who.principal, "consent-begun", &consent.id, consent.purpose.name())?;
            let sample = Sample { code: code.unwrap_or_default(), chinese };
            sample.pdf().map(Some).map_err(|error| Problem::failed("making a sample", &error))
        })
        .await?;
    // Another text is shown meanwhile: there it is, to be read first.
    let Some(pdf) = pdf else {
        return Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, again)).finish());
    };
    let policy = ("content-security-policy", "frame-ancestors 'none'");
    let name = (header::CONTENT_DISPOSITION, "inline; filename=\"sample.pdf\"");
    Ok(HttpResponse::Ok().content_type("application/pdf").insert_header(name).insert_header(policy).body(pdf))
}

/// The code was typed.
pub async fn confirm(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "account", "code"])?;
    desk::done(&ask, form, |state, who, form| {
        let account = form.get("account").unwrap_or_default().to_string();
        own_account(who, &account)?;
        let code: String =
            form.get("code").unwrap_or_default().chars().filter(|c| c.is_alphanumeric()).take(64).collect();
        Ok(match given_with(state, who, &account, &code)? {
            true => address("/my/settings", &[("account", &account), ("said", "consent_given")]),
            false => address("/my/consent", &[("account", &account), ("wrong", "1")]),
        })
    })
    .await
}

/// Tries the code against the samples that were opened last.
fn given_with(state: &State, who: &SignedIn, account: &str, code: &str) -> Result<bool, Problem> {
    for consent in pending(state, account)?.iter().take(TRIED) {
        match state.crm.confirm_consent(&who.user.name, &consent.id, code) {
            Ok(_) => {
                state.gate.record(&who.principal, "consent-given", &consent.id, consent.purpose.name())?;
                return Ok(true);
            }
            Err(CrmError::Invalid { .. } | CrmError::State { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Ends it: from now on documents come on paper.
pub async fn withdraw(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "account"])?;
    desk::done(&ask, form, |state, who, form| {
        let account = form.get("account").unwrap_or_default().to_string();
        own_account(who, &account)?;
        for consent in consents(state, &account)? {
            if consent.state == ConsentState::Given {
                state.crm.withdraw_consent(&who.user.name, &consent.id)?;
                state.gate.record(&who.principal, "consent-withdrawn", &consent.id, consent.purpose.name())?;
            }
        }
        for kept in state.crm.preferences(&account)? {
            if kept.way != Way::Paper {
                let wish = PreferenceData { way: Way::Paper, ..kept.data };
                state.crm.set_preference(&who.user.name, None, wish)?;
            }
        }
        Ok(address("/my/settings", &[("account", &account), ("said", "consent_withdrawn")]))
    })
    .await
}
