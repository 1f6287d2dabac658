//! Language, and for each account: consent to electronic delivery, how documents come, notices.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::super::{LANGUAGE_COOKIE, desk, sign_in};
use super::{Language, address, choices, chosen_account, consent, language, own_account, show};
use crate::crm::contact::{ContactKind, ContactPoint, Owner};
use crate::crm::preference::{PreferenceData, Way};
use crate::crm::time::Date;
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

const WAYS: [(&str, Way); 3] = [("paper", Way::Paper), ("portal", Way::Portal), ("email", Way::Email)];
const LANGUAGES: [(&str, Language); 2] = [("en", Language::English), ("zh-CN", Language::Chinese)];

/// The settings, of one account at a time.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["account", "said"])?;
    let who = ask.who()?.clone();
    let account = chosen_account(&who, params.get("account"))?;
    let language = language(&ask.request, Some(&who));
    let own = ask.block(move |state| read(state, &who, &account, language)).await?;
    show(&ask, "settings.html", "settings", StatusCode::OK, own).await
}

fn read(state: &State, who: &SignedIn, account: &str, language: Language) -> Result<Value, Problem> {
    let kept = state.crm.preference_for(account, "")?.map(|row| row.data).unwrap_or_default();
    let way = |(name, way): (&str, Way)| {
        context! { name, label => language.word(&format!("my_way_{name}")), hint => language.word(&format!("my_way_{name}_hint")), chosen => way == kept.way }
    };
    let point = |point: &ContactPoint| {
        let kind = language.word(&format!("contact_{}", point.kind.name()));
        context! { id => point.id.as_str(), label => format!("{kind}: {}", point.value), chosen => kept.contact_point.as_ref() == Some(&point.id) }
    };
    let tongue = |(code, one): (&str, Language)| {
        context! { code, name => one.name(), chosen => kept.language == code, current => one == language }
    };
    let hour = |quiet: Option<u8>| quiet.map(|hour| hour.to_string()).unwrap_or_default();
    Ok(context! {
        account,
        accounts => choices(who, account),
        languages => LANGUAGES.map(tongue),
        consent => consent::state_of(state, account, language)?,
        ways => WAYS.map(way),
        points => points(state, account)?.iter().map(point).collect::<Vec<_>>(),
        notices => kept.notices,
        quiet_from => hour(kept.quiet_hours.map(|(from, _)| from)),
        quiet_to => hour(kept.quiet_hours.map(|(_, to)| to)),
        hours => (0..24).collect::<Vec<u8>>(),
    })
}

/// Verified addresses that mail and notices may go to.
fn points(state: &State, account: &str) -> Result<Vec<ContactPoint>, Problem> {
    let holder = state.crm.account(account).ok().and_then(|account| account.data.customer);
    let mut points = state.crm.contacts_of(&Owner::Account(account.into()))?;
    points.extend(holder.map(|id| state.crm.contacts_of(&Owner::Customer(id))).transpose()?.unwrap_or_default());
    let today = Date(state.crm.now().day());
    let reached = |point: &ContactPoint| {
        matches!(point.kind, ContactKind::Email | ContactKind::Sms | ContactKind::Push) && point.is_usable(today)
    };
    points.retain(reached);
    Ok(points)
}

/// The language of the pages and of what greenbar writes to the reader.
pub async fn speak(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "to"])?;
    let to = form.word("to", &LANGUAGES, Language::English)?;
    let who = ask.who()?.clone();
    ask.block(move |state| Ok(state.users.set_language(&who.user.name, to.code())?)).await?;
    sign_in::remember(&ask, LANGUAGE_COOKIE, to.code(), Some("/my/settings?said=settings_saved"))
}

/// How the documents of an account come.
pub async fn prefer(ask: Ask) -> Answer {
    let form =
        ask.form(&["csrf", "once", "account", "way", "contact", "notices", "language", "quiet_from", "quiet_to"])?;
    desk::done(&ask, form, |state, who, form| {
        let account = form.get("account").unwrap_or_default().to_string();
        own_account(who, &account)?;
        let way = form.word("way", &WAYS, Way::Paper)?;
        if way != Way::Paper && !consent::is_given(state, &account)? {
            // Nothing comes electronically to somebody who has not shown that it can be opened.
            return Ok(address("/my/consent", &[("account", &account), ("needed", "1")]));
        }
        let wish = PreferenceData {
            account: account.clone(),
            way,
            contact_point: form.get("contact").map(str::to_string),
            language: form.word("language", &LANGUAGES, Language::English)?.code().into(),
            notices: form.get("notices").is_some(),
            quiet_hours: quiet(form)?,
            ..PreferenceData::default()
        };
        if wish.contact_point.is_none() && (wish.notices || way == Way::Email) {
            return Err(Problem::bad_value("contact: choose the address that mail and notices go to."));
        }
        state.crm.set_preference(&who.user.name, None, wish)?;
        state.gate.record(&who.principal, "preference-set", &account, "")?;
        Ok(address("/my/settings", &[("account", &account), ("said", "settings_saved")]))
    })
    .await
}

/// Hours without notices, when both are given.
fn quiet(form: &Params) -> Result<Option<(u8, u8)>, Problem> {
    let hour = |name: &str| Ok::<_, Problem>(form.number(name, 0..=23)?.and_then(|hour| u8::try_from(hour).ok()));
    Ok(hour("quiet_from")?.zip(hour("quiet_to")?))
}
