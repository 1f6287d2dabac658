//! Notes and annotations.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Deserialize;
use serde_json::json;

use super::access::{self, About};
use super::{Made, body, expected, make, page, row, row_unless_known, window};
use crate::auth::permission::Permission;
use crate::crm::note::{NewNote, Note, Visibility};
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// A note that the caller may see: what it is about is not hidden from them. A look at its document is recorded.
fn need(state: &State, who: &SignedIn, id: &str) -> Result<Note, Problem> {
    let note = state.crm.note(access::viewer(who), id)?;
    access::need_about(state, who, About { document: None, ..About::note(&note) })?;
    if let Some(document) = &note.document {
        access::need_document(state, who, crate::serve::api::documents::id(document)?, "note")?;
    }
    Ok(note)
}

/// The note with its account and its quote as the caller sees them.
fn shown(state: &State, who: &SignedIn, mut note: Note) -> Result<Note, Problem> {
    let kept = note.data.account.take();
    note.data.account = access::account_of_row(state, who, note.document.as_deref(), kept)?;
    access::eyes(state, who)?.note(&mut note)?;
    Ok(note)
}

/// Notes on a document, newest first.
#[utoipa::path(get, path = "/api/v1/notes", tag = "activity",
    params(("document" = String, Query, description = "The document"), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "`items`, `next_cursor`"), (status = 404, description = "not-found")))]
pub async fn find(ask: Ask) -> Answer {
    let params = ask.params(&["document", "limit", "cursor"])?;
    let (limit, cursor) = window(&params)?;
    let document = params.get("document").ok_or_else(|| Problem::bad_parameter("Name a document."))?;
    let (document, who) = (crate::serve::api::documents::id(document)?, ask.who()?.clone());
    ask.block(move |state| {
        access::need_document(state, &who, document, "notes")?;
        let mut found = state.crm.notes_on(access::viewer(&who), document, cursor.as_deref(), limit)?;
        let account = access::account_shown(state, &who, document)?;
        let eyes = access::eyes(state, &who)?;
        for note in &mut found.items {
            eyes.note(note)?;
            note.data.account.clone_from(&account);
        }
        Ok(found)
    })
    .await
    .map(|found| page(&found))
}

/// Writes a note on a customer, an account or a document; with `place` an annotation.
#[utoipa::path(post, path = "/api/v1/notes", tag = "activity",
    responses((status = 201, description = "the note"), (status = 403, description = "forbidden"), (status = 422, description = "bad-value")))]
pub async fn add(ask: Ask) -> Answer {
    let mut new: NewNote = body(&ask)?;
    make(ask, move |state, who, _| {
        who.need(Permission::NoteWrite)?;
        if let Some(document) = &new.document {
            new.account = access::need_document(state, who, crate::serve::api::documents::id(document)?, "note")?;
            access::need_named(state, who, new.customer.as_deref(), None)?;
        } else {
            access::need_named(state, who, new.customer.as_deref(), new.account.as_deref())?;
        }
        let note = state.crm.add_note(&who.user.name, new)?;
        let document = note.document.clone().unwrap_or_default();
        state.gate.record_by(&who.principal, Permission::NoteWrite, "note", &note.id, &document)?;
        Ok(Made::row("notes", &shown(state, who, note)?))
    })
    .await
}

/// A note; as a W3C Web Annotation for `Accept: application/ld+json`.
#[utoipa::path(get, path = "/api/v1/notes/{id}", tag = "activity",
    params(("id" = String, Path, description = "Note id")),
    responses((status = 200, description = "the note"), (status = 404, description = "not-found")))]
pub async fn show(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let note = ask
        .block(move |state| {
            let note = need(state, &who, &id)?;
            shown(state, &who, note)
        })
        .await?;
    let accept = ask.request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/ld+json") {
        let connection = ask.request.connection_info();
        let base = format!("{}://{}", connection.scheme(), connection.host());
        if let Some(annotation) = note.web_annotation(&base) {
            let kind = "application/ld+json; profile=\"http://www.w3.org/ns/anno.jsonld\"";
            return Ok(HttpResponse::Ok().content_type(kind).body(annotation.to_string()));
        }
    }
    Ok(row_unless_known(&ask, &note))
}

/// What changes of a note.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    text: Option<String>,
    visibility: Option<Visibility>,
}

/// Changes a note of the caller: `text`, `visibility`.
#[utoipa::path(patch, path = "/api/v1/notes/{id}", tag = "activity",
    params(("id" = String, Path, description = "Note id")),
    responses((status = 200, description = "the note"), (status = 404, description = "not-found"), (status = 412, description = "changed")))]
pub async fn change(ask: Ask) -> Answer {
    let (id, who, version) = (ask.part("id").to_string(), ask.who()?.clone(), expected(&ask)?);
    let change: Change = body(&ask)?;
    ask.block(move |state| {
        who.need(Permission::NoteWrite)?;
        need(state, &who, &id)?;
        let note = state.crm.change_note(&who.user.name, &id, version, change.text.as_deref(), change.visibility)?;
        state.gate.record_by(&who.principal, Permission::NoteWrite, "note-changed", &id, "")?;
        shown(state, &who, note)
    })
    .await
    .map(|note| row(&note))
}

/// Takes a note of the caller back; its history stays.
#[utoipa::path(delete, path = "/api/v1/notes/{id}", tag = "activity",
    params(("id" = String, Path, description = "Note id")),
    responses((status = 204, description = "taken back"), (status = 404, description = "not-found")))]
pub async fn withdraw(ask: Ask) -> Answer {
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    ask.block(move |state| {
        who.need(Permission::NoteWrite)?;
        need(state, &who, &id)?;
        state.crm.withdraw_note(&who.user.name, &id)?;
        Ok(state.gate.record_by(&who.principal, Permission::NoteWrite, "note-withdrawn", &id, "")?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who changed what of a note of the caller, oldest first.
#[utoipa::path(get, path = "/api/v1/notes/{id}/history", tag = "activity",
    params(("id" = String, Path, description = "Note id")),
    responses((status = 200, description = "`items`"), (status = 404, description = "not-found")))]
pub async fn history(ask: Ask) -> Answer {
    ask.params(&[])?;
    let (id, who) = (ask.part("id").to_string(), ask.who()?.clone());
    let changes = ask
        .block(move |state| {
            who.need(Permission::NoteWrite)?;
            let note = need(state, &who, &id)?;
            let mut changes = state.crm.note_history(&id)?;
            access::eyes(state, &who)?.changes(&mut changes, note.document.as_deref())?;
            Ok(changes)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "items": changes })))
}
