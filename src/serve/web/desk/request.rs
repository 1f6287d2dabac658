//! What customers ask: a queue by state, and each request with its thread.

use minijinja::{Value, context};

use super::{Language, done, moment, show};
use crate::crm::Side;
use crate::crm::request::{Message, Request, RequestChange, RequestState};
use crate::serve::api::crm::access::{self, About};
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;
use crate::serve::web::language;
use crate::serve::web::links::Links;
use crate::serve::web::shown::named;

/// Requests on a page.
const MOST: usize = 50;

/// The queue.
pub async fn list(ask: Ask) -> Answer {
    let params = ask.params(&["state", "cursor", "said"])?;
    let states: Vec<(&str, RequestState)> = RequestState::ALL.iter().map(|state| (state.name(), *state)).collect();
    let state = params.word("state", &states, RequestState::Open)?;
    let cursor = params.get("cursor").map(str::to_string);
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let own = ask
        .block(move |shared| {
            let mut found = access::filled(
                MOST,
                cursor.as_deref(),
                |cursor, limit| shared.crm.requests(state, None, cursor, limit),
                |request| access::hides(shared, &who, About::request(request)),
            )?;
            let eyes = access::eyes(shared, &who)?;
            found.items.iter_mut().try_for_each(|request| eyes.request(request))?;
            let links = Links { base: "/agent/requests", asked: vec![("state", state.name())] };
            let tab = |one: &RequestState| {
                context! { label => language.word(&format!("request_{}", one.name())), link => links.with(&[("state", one.name())]), current => *one == state }
            };
            Ok(context! {
                tabs => RequestState::ALL.iter().map(tab).collect::<Vec<_>>(),
                requests => found.items.iter().map(|request| head(request, language)).collect::<Vec<_>>(),
                next => found.next_cursor.as_deref().map(|cursor| links.with(&[("cursor", cursor)])).unwrap_or_default(),
            })
        })
        .await?;
    show(&ask, "requests.html", own).await
}

fn head(request: &Request, language: Language) -> Value {
    let kind = serde_json::to_value(request.kind).ok().and_then(|kind| kind.as_str().map(str::to_string));
    context! {
        id => request.id.as_str(),
        subject => request.subject.as_str(),
        kind => language.word(&format!("request_kind_{}", kind.unwrap_or_default())),
        state => language.word(&format!("request_{}", request.state.name())),
        tone => super::customer::tone(request.state),
        when => moment(request.opened_at, language),
        account => request.account.as_deref().unwrap_or_default(),
        assigned => request.assigned_to.as_deref().unwrap_or_default(),
        document => request.document.as_deref().unwrap_or_default(),
        place => request.place.as_ref().map(|place| format!("?page={}", place.page)).unwrap_or_default(),
        line => request.place.as_ref().map(|place| place.text.as_str()).unwrap_or_default(),
    }
}

/// One request.
pub async fn page(ask: Ask) -> Answer {
    ask.params(&["said"])?;
    let id = ask.part("id").to_string();
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let own = ask
        .block(move |state| {
            let request = access::need_request(state, &who, &id)?;
            state.gate.record(&who.principal, "request", &id, "")?;
            Ok(context! {
                request => head(&request, language),
                about => about(state, &who, &request, language),
                messages => request.messages.iter().map(|message| shown(message, language)).collect::<Vec<_>>(),
                acts => acts(&request, &who, language),
            })
        })
        .await?;
    show(&ask, "request.html", own).await
}

/// What the document is called that was asked about.
fn about(state: &State, who: &SignedIn, request: &Request, language: Language) -> String {
    let id = request.document.as_deref().and_then(|id| id.parse().ok());
    id.and_then(|id| named(state, who, &state.gate.scope(&who.principal), id, language)).unwrap_or_default()
}

fn shown(message: &Message, language: Language) -> Value {
    let side = if message.side == Side::Customer { "customer" } else { "agent" };
    let by = if message.by.is_empty() { language.word(&format!("side_{side}")) } else { message.by.clone() };
    context! { by, side, text => message.text.as_str(), internal => message.internal, when => moment(message.at, language) }
}

/// What can be done with a request now.
fn acts(request: &Request, who: &SignedIn, language: Language) -> Vec<Value> {
    let mut acts = Vec::new();
    if request.assigned_to.as_deref() != Some(&who.user.name) {
        acts.push(context! { code => "take", label => language.word("request_take"), text => false });
    }
    for (code, state) in
        [("waiting", RequestState::Waiting), ("resolved", RequestState::Resolved), ("reopened", RequestState::Reopened)]
    {
        if request.state.may_become(state) {
            let text = state == RequestState::Resolved;
            acts.push(context! { code, label => language.word(&format!("request_to_{code}")), text });
        }
    }
    acts
}

/// Adds a message.
pub async fn reply(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "text", "internal"])?;
    let id = ask.part("id").to_string();
    done(&ask, form, move |state, who, form| {
        access::need_request(state, who, &id)?;
        let text = form.get("text").unwrap_or_default();
        state.crm.reply(&who.user.name, Side::Agent, &id, None, text, form.get("internal").is_some())?;
        state.gate.record(&who.principal, "request-reply", &id, "")?;
        Ok(format!("/agent/requests/{id}?said=reply_sent"))
    })
    .await
}

/// Takes, parks, resolves or opens a request again.
pub async fn change(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "do", "resolution"])?;
    let id = ask.part("id").to_string();
    done(&ask, form, move |state, who, form| {
        changed(state, who, &id, form.get("do").unwrap_or_default(), form.get("resolution"))?;
        Ok(format!("/agent/requests/{id}?said=request_changed"))
    })
    .await
}

fn changed(state: &State, who: &SignedIn, id: &str, what: &str, resolution: Option<&str>) -> Result<(), Problem> {
    access::need_request(state, who, id)?;
    let mut change = RequestChange { resolution: resolution.map(str::to_string), ..RequestChange::default() };
    match what {
        "take" => change.assigned_to = Some(who.user.name.clone()),
        other => change.state = RequestState::parse(other),
    }
    state.crm.change_request(&who.user.name, id, None, change)?;
    Ok(state.gate.record(&who.principal, "request-changed", id, what)?)
}
