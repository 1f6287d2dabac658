//! Contacts with customers: screen pops, who it is, how that was verified, how it ended.

use actix_web::HttpResponse;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use minijinja::{Value, context};

use super::{Language, back, done, moment, path, show};
use crate::auth::permission::Permission;
use crate::crm::interaction::{Channel, Direction, Interaction, InteractionChange, NewInteraction};
use crate::crm::resolve::{Candidate, Reason, ResolveAsk};
use crate::serve::api::crm::access::{self, Eyes};
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;
use crate::serve::web::{coded, language};

/// Ways to verify who somebody is.
pub const WAYS: [&str; 5] = ["questions", "pin", "callback", "document", "voice"];
/// Ways to be in touch, the usual first.
pub const CHANNELS: [(&str, Channel); 8] = [
    ("voice", Channel::Voice),
    ("email", Channel::Email),
    ("chat", Channel::Chat),
    ("sms", Channel::Sms),
    ("letter", Channel::Letter),
    ("visit", Channel::Visit),
    ("portal", Channel::Portal),
    ("other", Channel::Other),
];
/// Keeps what a search is prefilled with out of addresses and their history; gone after a minute.
const POP_COOKIE: &str = "greenbar_pop";
/// Candidates that a chooser shows.
const MOST_CANDIDATES: usize = 20;

/// Whom a contact is with, as far as it is known.
fn with_whom(state: &State, who: &SignedIn, call: &Interaction) -> Result<String, Problem> {
    Ok(match &call.customer {
        Some(id) => state.crm.customer(id).map(|customer| customer.display_name()).unwrap_or_default(),
        None => access::eyes(state, who)?.of(call.account.clone())?.unwrap_or_default(),
    })
}

/// The contact that the agent is in, and links to the others, for the bar of every page.
pub fn bar(state: &State, who: &SignedIn, language: Language) -> Result<Value, Problem> {
    let Some((open, others)) = access::current_contact(state, &who.user.name)? else { return Ok(Value::from(false)) };
    let name = with_whom(state, who, &open)?;
    let others = others.iter().map(|call| {
        let unknown = || language.word("caller_unknown");
        // The page may be of a caller who is not verified: others are told no more than in the chooser.
        let name = initials(&with_whom(state, who, call)?);
        let name = Some(name).filter(|name| !name.is_empty()).unwrap_or_else(unknown);
        Ok(context! { id => call.id.as_str(), name, since => moment(call.started_at, language) })
    });
    let others = others.collect::<Result<Vec<_>, Problem>>()?;
    let codes = state.crm.wrap_up_codes()?.into_iter().map(|code| {
        context! { label => code.named(language == Language::Chinese), code => code.code }
    });
    let way = |code: &str| language.word(&format!("verify_{code}"));
    let verified = open.verified.as_ref();
    Ok(context! {
        id => open.id.as_str(),
        others,
        channel => language.word(&format!("channel_{}", channel_name(open.channel))),
        since => moment(open.started_at, language),
        customer => open.customer.is_some() || open.account.is_some(),
        name,
        address => place(state, who, &open)?,
        verified => verified.map(|proof| Some(way(&proof.method)).filter(|word| !word.is_empty()).unwrap_or_else(|| proof.method.clone())),
        verified_by => verified.map(|proof| proof.by.as_str()),
        ways => WAYS.iter().map(|code| context! { code => *code, label => way(code) }).collect::<Vec<_>>(),
        codes => codes.collect::<Vec<_>>(),
        summary => open.summary.as_str(),
    })
}

/// The word of a channel, as in forms and words.
pub fn channel_name(channel: Channel) -> &'static str {
    CHANNELS.iter().find(|(_, known)| *known == channel).map_or("other", |(name, _)| name)
}

/// The page of the customer or account that a contact is about. A number that is masked stands in no address.
fn place(state: &State, who: &SignedIn, call: &Interaction) -> Result<String, Problem> {
    Ok(match (&call.customer, &call.account) {
        (Some(id), _) => path("/agent/customers", id),
        (None, Some(number)) if access::eyes(state, who)?.number(number)? == *number => path("/agent/accounts", number),
        (None, _) => path("/agent/calls", &call.id),
    })
}

/// A telephone system opens this with what it knows of a call. The address says too much to stay: it is left at once.
pub async fn pop(ask: Ask) -> Answer {
    // A telephone system may send more than we know; in the middle of a call that is no error.
    let params = Params::known(ask.request.query_string(), &["ani", "dnis", "account", "invoice", "call", "channel"])?;
    let channel = params.word("channel", &CHANNELS, Channel::Voice).unwrap_or(Channel::Other);
    let text = |name: &str| params.get(name).map(str::to_string);
    let asked =
        ResolveAsk { ani: text("ani"), account: text("account"), invoice: text("invoice"), ..ResolveAsk::default() };
    let prefill = text("account").or_else(|| text("invoice")).or_else(|| text("ani"));
    let new = NewInteraction {
        channel,
        direction: Direction::default(),
        call_id: text("call").unwrap_or_default(),
        ani: text("ani").unwrap_or_default(),
        ..NewInteraction::default()
    };
    let who = ask.who()?.clone();
    let (place, found) = ask
        .block(move |state| {
            let agent = &who.user.name;
            if let Some(known) = popped_before(state, agent, &new.call_id)? {
                access::come_to(state, agent, &known.id);
                return Ok((place(state, &who, &known)?, true));
            }
            let candidates = access::resolve(state, &who, &asked)?;
            let call = state.crm.begin_interaction(agent, new)?;
            access::come_to(state, agent, &call.id);
            state.gate.record_by(&who.principal, Permission::InteractionWrite, "screen-pop", &call.id, "")?;
            match candidates.as_slice() {
                [one] => {
                    let call = choose(state, agent, &call.id, one.customer.clone(), one.accounts.first().cloned())?;
                    Ok((place(state, &who, &call)?, true))
                }
                [] => Ok((path("/agent/calls", &call.id), false)),
                several => {
                    let eyes = access::eyes(state, &who)?;
                    let among = several.iter().take(MOST_CANDIDATES).map(|one| reference(&eyes, one));
                    let among = among.collect::<Result<Vec<_>, _>>()?.join(",");
                    Ok((format!("{}?among={}", path("/agent/calls", &call.id), coded(&among)), true))
                }
            }
        })
        .await?;
    let mut response = HttpResponse::SeeOther();
    response.insert_header((header::LOCATION, place)).insert_header((header::REFERRER_POLICY, "no-referrer"));
    if let Some(prefill) = prefill.filter(|_| !found) {
        let cookie = Cookie::build(POP_COOKIE, coded(&prefill))
            .path("/agent/calls")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(ask.state.config.secure_cookies)
            .max_age(actix_web::cookie::time::Duration::seconds(60))
            .finish();
        response.cookie(cookie);
    }
    Ok(response.finish())
}

/// The contact of a call that was popped before, as long as it goes on.
fn popped_before(state: &State, agent: &str, call_id: &str) -> Result<Option<Interaction>, Problem> {
    if call_id.is_empty() {
        return Ok(None);
    }
    let known = state.crm.interaction_of_call(agent, call_id)?;
    Ok(known.filter(|call| call.ended_at.is_none() && (call.customer.is_some() || call.account.is_some())))
}

/// A candidate in the chooser's address: an id that says nothing to others. `a:` accounts without a customer, `d:` those whose
/// number is masked, by a document.
fn reference(eyes: &Eyes<'_>, candidate: &Candidate) -> Result<String, Problem> {
    let reasons: String = candidate.reasons.iter().map(|reason| letter(*reason)).collect();
    Ok(match (&candidate.customer, candidate.accounts.first()) {
        (Some(id), _) => format!("c:{id}:{reasons}"),
        (None, Some(number)) => match eyes.masked_by(number)? {
            Some(document) => format!("d:{document}:{reasons}"),
            None => format!("a:{number}:{reasons}"),
        },
        (None, None) => String::new(),
    })
}

/// The account of a chooser's form: its number, or a document of it where that is masked.
fn account_of(state: &State, who: &SignedIn, given: Option<&str>) -> Result<Option<String>, Problem> {
    match given.and_then(|given| given.strip_prefix("d:")).and_then(|id| id.parse().ok()) {
        Some(document) => access::need_document(state, who, document, "contact"),
        None => Ok(given.map(str::to_string)),
    }
}

fn letter(reason: Reason) -> char {
    match reason {
        Reason::Account => 'a',
        Reason::Invoice => 'i',
        Reason::ExternalRef => 'x',
        Reason::Ani => 'p',
        Reason::Email => 'e',
        Reason::Name => 'n',
    }
}

/// Who is calling? Several it might be, or nobody known.
pub async fn who_is_it(ask: Ask) -> Answer {
    let params = ask.params(&["among", "said", "take"])?;
    let id = ask.part("id").to_string();
    let takes = params.get("take").is_some();
    let among: Vec<String> =
        params.get("among").unwrap_or_default().split(',').take(MOST_CANDIDATES).map(str::to_string).collect();
    let prefill = ask.request.cookie(POP_COOKIE).map(|cookie| cookie.value().to_string()).unwrap_or_default();
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let own = ask
        .block(move |state| {
            let call = own_call(state, &who, &id)?;
            access::come_to(state, &who.user.name, &id);
            let place = place(state, &who, &call)?;
            if takes && place != path("/agent/calls", &id) {
                return Ok(Err(place));
            }
            let mut candidates = Vec::new();
            for reference in among.iter().filter(|reference| !reference.is_empty()) {
                candidates.extend(candidate(state, &who, reference, language)?);
            }
            Ok(Ok(context! { id, candidates, prefill }))
        })
        .await?;
    match own {
        Ok(own) => show(&ask, "caller.html", own).await,
        Err(place) => Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish()),
    }
}

/// A candidate as the chooser shows it: enough to ask the caller, not enough to tell them.
fn candidate(state: &State, who: &SignedIn, reference: &str, language: Language) -> Result<Option<Value>, Problem> {
    let mut parts = reference.splitn(3, ':');
    let (Some(kind), Some(id), Some(reasons)) = (parts.next(), parts.next(), parts.next()) else { return Ok(None) };
    let because: Vec<String> = reasons.chars().map(|letter| language.word(&format!("reason_{letter}"))).collect();
    let because = because.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
    if kind == "a" || kind == "d" {
        let given = if kind == "d" { format!("d:{id}") } else { id.to_string() };
        let number = account_of(state, who, Some(&given))?.unwrap_or_default();
        if access::hidden(state, who, std::slice::from_ref(&number))? {
            return Ok(None);
        }
        let facts = format!("{} · {because}", tail(&access::eyes(state, who)?.number(&number)?));
        return Ok(Some(context! { customer => "", account => given, name => language.word("customer_none"), facts }));
    }
    let Ok(customer) = state.crm.customer(id) else { return Ok(None) };
    if access::hides_customer(state, who, id)? {
        return Ok(None);
    }
    let accounts = state.crm.accounts_of(id, 5)?;
    let accounts =
        access::only_seen(accounts, |account| access::hidden(state, who, std::slice::from_ref(&account.id)))?;
    let eyes = access::eyes(state, who)?;
    let accounts = accounts.iter().map(|account| Ok(tail(&eyes.number(&account.id)?)));
    let accounts = accounts.collect::<Result<Vec<String>, Problem>>()?;
    let facts = format!("{} · {because}", accounts.join(", "));
    Ok(Some(context! { customer => id, account => "", name => initials(&customer.display_name()), facts }))
}

/// A name by its first letters: `A… B…`.
fn initials(name: &str) -> String {
    let short = |word: &str| word.chars().next().map(|first| format!("{first}…"));
    name.split_whitespace().filter_map(short).collect::<Vec<_>>().join(" ")
}

/// The last four letters and digits of a number: `•••• 0000`.
fn tail(number: &str) -> String {
    let plain: Vec<char> = number.chars().filter(|c| c.is_alphanumeric()).collect();
    format!("•••• {}", plain.iter().skip(plain.len().saturating_sub(4)).collect::<String>())
}

/// A contact of this agent.
fn own_call(state: &State, who: &SignedIn, id: &str) -> Result<Interaction, Problem> {
    let call = state.crm.interaction(id)?;
    if call.agent == who.user.name { Ok(call) } else { Err(Problem::nothing()) }
}

fn choose(
    state: &State,
    agent: &str,
    id: &str,
    customer: Option<String>,
    account: Option<String>,
) -> Result<Interaction, Problem> {
    let change = InteractionChange { customer, account, ..InteractionChange::default() };
    Ok(state.crm.change_interaction(agent, id, None, change)?)
}

/// Begins a contact by hand.
pub async fn begin(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "back", "customer", "account", "channel"])?;
    done(&ask, form, |state, who, form| {
        let new = NewInteraction {
            channel: form.word("channel", &CHANNELS, Channel::Voice)?,
            customer: form.get("customer").map(str::to_string),
            account: form.get("account").map(str::to_string),
            ..NewInteraction::default()
        };
        access::need_named(state, who, new.customer.as_deref(), new.account.as_deref())?;
        let call = state.crm.begin_interaction(&who.user.name, new)?;
        access::come_to(state, &who.user.name, &call.id);
        state.gate.record(&who.principal, "contact-begun", &call.id, "")?;
        Ok(back(form, &place(state, who, &call)?, "contact_begun"))
    })
    .await
}

/// The caller is one of the candidates.
pub async fn chosen(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "customer", "account"])?;
    let id = ask.part("id").to_string();
    done(&ask, form, move |state, who, form| {
        own_call(state, who, &id)?;
        let (customer, account) = (form.get("customer"), account_of(state, who, form.get("account"))?);
        access::need_named(state, who, customer, account.as_deref())?;
        let call = choose(state, &who.user.name, &id, customer.map(str::to_string), account)?;
        place(state, who, &call)
    })
    .await
}

/// Notes how the caller proved who they are.
pub async fn verify(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "back", "how"])?;
    let id = ask.part("id").to_string();
    done(&ask, form, move |state, who, form| {
        own_call(state, who, &id)?;
        let ways: Vec<(&str, &str)> = WAYS.iter().map(|way| (*way, *way)).collect();
        let how = form.word("how", &ways, WAYS[0])?.to_string();
        let change = InteractionChange { verified_by: Some(how.clone()), ..InteractionChange::default() };
        let call = state.crm.change_interaction(&who.user.name, &id, None, change)?;
        state.gate.record(&who.principal, "verified", &id, &how)?;
        Ok(back(form, &place(state, who, &call)?, "verified"))
    })
    .await
}

/// Ends a contact with its wrap-up code.
pub async fn end(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "code", "summary"])?;
    let id = ask.part("id").to_string();
    done(&ask, form, move |state, who, form| {
        own_call(state, who, &id)?;
        let change = wrapped(form);
        state.crm.change_interaction(&who.user.name, &id, None, change)?;
        state.gate.record(&who.principal, "contact-ended", &id, form.get("code").unwrap_or_default())?;
        Ok("/agent?said=contact_ended".into())
    })
    .await
}

fn wrapped(form: &Params) -> InteractionChange {
    InteractionChange {
        wrap_up: form.get("code").map(str::to_string),
        summary: form.get("summary").map(str::to_string),
        ended: Some(true),
        ..InteractionChange::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chooser_tells_less_than_it_knows() {
        assert_eq!(initials("Ava Barnes"), "A… B…");
        assert_eq!(initials("周明怡"), "周…");
        assert_eq!(tail("410000-1000-0"), "•••• 0000");
        assert_eq!(tail("12"), "•••• 12");
    }
}
