//! Questions about a document or one of its lines, with their answers. The organisation sees them as requests.

use std::ops::ControlFlow;

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::super::desk;
use super::{Language, language, locale, show, viewer};
use crate::archive::DocId;
use crate::auth::gate::Use;
use crate::crm::note::Place;
use crate::crm::request::{Message, NewRequest, Request, RequestKind, RequestState};
use crate::crm::timeline::{Detail, EntryKind, TimelineAsk};
use crate::crm::{CrmError, Side};
use crate::serve::api::crm::documents::lines;
use crate::serve::api::crm::{access, requests};
use crate::serve::api::documents;
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

const KINDS: [(&str, RequestKind); 3] =
    [("question", RequestKind::Question), ("dispute", RequestKind::Dispute), ("copy", RequestKind::Copy)];
/// Questions on a page.
const MOST: usize = 20;
/// Lines of a document that are offered to ask about.
const MOST_LINES: usize = 500;
/// Longest line as it is offered and kept, in characters.
const LINE: usize = 160;

/// The form for a question.
pub async fn form(ask: Ask) -> Answer {
    let params = ask.params(&["line", "said"])?;
    let line = params.number("line", 1..=u32::MAX)?.unwrap_or(0);
    let id = documents::id(ask.part("id"))?;
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let own = ask
        .block(move |state| {
            let view = documents::look_up(state, &who, id, "question")?;
            let (_, rows) = lines(state, &who, id, "question")?;
            let option = |(number, row): (u32, &Vec<String>)| {
                context! { number, text => line_text(row), chosen => number == line }
            };
            Ok(context! {
                document => super::shown::document(&view, language, true),
                lines => (1..).zip(rows.iter().take(MOST_LINES)).map(option).collect::<Vec<_>>(),
                kinds => KINDS.map(|(name, _)| context! { name, label => language.word(&format!("my_ask_{name}")) }),
            })
        })
        .await?;
    show(&ask, "ask.html", "questions", StatusCode::OK, own).await
}

/// A line as people read it.
fn line_text(row: &[String]) -> String {
    let cells: Vec<&str> = row.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
    cells.join(" · ").chars().filter(|c| !c.is_control()).take(LINE).collect()
}

/// Asks.
pub async fn send(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "kind", "line", "text"])?;
    let id = documents::id(ask.part("id"))?;
    desk::done(&ask, form, move |state, who, form| {
        access::need_document(state, who, id, "question")?;
        let kind = form.word("kind", &KINDS, RequestKind::Question)?;
        let place = match form.number("line", 0..=u32::MAX)? {
            None | Some(0) => None,
            Some(number) => Some(place_of(state, who, id, number)?),
        };
        let text = form.get("text").unwrap_or_default().to_string();
        let new = NewRequest { kind, document: Some(id.to_string()), place, text, ..NewRequest::default() };
        let request = requests::open(state, who, new)?;
        Ok(format!("/my/questions/{}?said=question_sent", request.id))
    })
    .await
}

/// Where the line of this number (from 1) stands: the line of text that has most of its parts.
fn place_of(state: &State, who: &SignedIn, id: DocId, number: u32) -> Result<Place, Problem> {
    let gone = || Problem::bad_value("line: the document has no such line.");
    let (_, rows) = lines(state, who, id, "question")?;
    let row = rows.get(number as usize - 1).ok_or_else(gone)?;
    let permit = state.gate.open(&who.principal, Use::READ, &state.backend.subject(id)?, "question")?;
    let cells: Vec<&str> = row.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
    let mut best = (0, Place { page: 1, text: line_text(row), ..Place::default() });
    state.backend.texts(&permit, &mut |page, text| {
        for (at, line) in (1..).zip(text.lines()) {
            let parts: usize = cells.iter().filter(|cell| line.contains(**cell)).map(|cell| cell.chars().count()).sum();
            if parts > best.0 {
                best = (parts, Place { page: page + 1, line: Some(at), text: line_text(row), ..Place::default() });
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(best.1)
}

/// The reader's questions, newest first.
pub async fn list(ask: Ask) -> Answer {
    let params = ask.params(&["cursor", "said"])?;
    let cursor = params.get("cursor").map(str::to_string);
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let own = ask
        .block(move |state| {
            let wanted = TimelineAsk { kinds: vec![EntryKind::Request], cursor, limit: MOST };
            let shelf = access::documents(state, &who)?;
            let mut found = state.crm.account_timeline(viewer(&who), &who.accounts, &shelf, &wanted)?;
            access::eyes(state, &who)?.timeline(&mut found.items)?;
            let head = |detail: &Detail| match detail {
                Detail::Request(request) => Some(head(request, language)),
                _ => None,
            };
            Ok(context! {
                questions => found.items.iter().filter_map(|entry| head(&entry.detail)).collect::<Vec<_>>(),
                next => found.next_cursor.map(|cursor| format!("/my/questions?cursor={cursor}")).unwrap_or_default(),
            })
        })
        .await?;
    show(&ask, "questions.html", "questions", StatusCode::OK, own).await
}

/// A question in lists.
pub fn head(request: &Request, language: Language) -> Value {
    let kind = KINDS.iter().find(|(_, kind)| *kind == request.kind).map_or("other", |(name, _)| name);
    let last = request.messages.last().map_or(request.opened_at, |message| message.at);
    context! {
        id => request.id.as_str(),
        subject => request.subject.as_str(),
        kind => language.word(&format!("my_ask_{kind}")),
        state => language.word(&format!("my_state_{}", request.state.name())),
        tone => tone(request.state),
        when => locale::moment(last.0, language),
        account => request.account.as_deref().unwrap_or_default(),
        document => request.document.as_deref().unwrap_or_default(),
        quote => request.place.as_ref().map(|place| place.text.as_str()).unwrap_or_default(),
        page => request.place.as_ref().map(|place| place.page).unwrap_or_default(),
        resolution => request.resolution.as_str(),
    }
}

fn tone(state: RequestState) -> &'static str {
    match state {
        RequestState::Answered => "ok",
        RequestState::Resolved => "",
        RequestState::Open | RequestState::Reopened | RequestState::Waiting => "info",
    }
}

/// The question, when it is the reader's.
fn mine(state: &State, who: &SignedIn, id: &str) -> Result<Request, Problem> {
    let request = state.crm.request(viewer(who), id).map_err(|error| match error {
        CrmError::NotFound { .. } => Problem::nothing(),
        other => other.into(),
    })?;
    let document = request.document.as_deref().and_then(|id| id.parse().ok());
    if let Some(document) = document
        && crate::crm::timeline::Documents::hides(&access::documents(state, who)?, document)?
    {
        return Err(Problem::nothing());
    }
    access::shown_request(state, who, request)
}

/// One question with its thread.
pub async fn page(ask: Ask) -> Answer {
    ask.params(&["said"])?;
    let id = ask.part("id").to_string();
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let own = ask
        .block(move |state| {
            let request = mine(state, &who, &id)?;
            state.gate.record(&who.principal, "request", &id, "")?;
            let message = |message: &Message| shown(message, &who, language);
            Ok(context! {
                question => head(&request, language),
                messages => request.messages.iter().map(message).collect::<Vec<_>>(),
                over => request.state == RequestState::Resolved,
            })
        })
        .await?;
    show(&ask, "question.html", "questions", StatusCode::OK, own).await
}

fn shown(message: &Message, who: &SignedIn, language: Language) -> Value {
    let (side, by) = match message.side {
        Side::Customer if message.by == who.user.name => ("customer", "my_you"),
        Side::Customer => ("customer", "my_other_user"),
        Side::Agent => ("agent", "my_us"),
    };
    context! { side, by => language.word(by), text => message.text.as_str(), when => locale::moment(message.at.0, language) }
}

/// Adds a message.
pub async fn reply(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "text"])?;
    let id = ask.part("id").to_string();
    desk::done(&ask, form, move |state, who, form| {
        mine(state, who, &id)?;
        let text = form.get("text").unwrap_or_default();
        state.crm.reply(&who.user.name, Side::Customer, &id, None, text, false)?;
        state.gate.record(&who.principal, "request-message", &id, "")?;
        Ok(format!("/my/questions/{id}?said=message_sent"))
    })
    .await
}
