//! Notes and annotations.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Deserialize;
use serde_json::json;

use super::access::{self, About};
use super::{Made, body, expected, make, page, row, row_unless_known, window};
use crate::auth::permission::Permission;
use crate::crm::note::{NewNote, Visibility};
use crate::serve::ask::{Answer, Ask};
use crate::serve::problem::Problem;

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
        Ok(state.crm.notes_on(access::viewer(&who), document, cursor.as_deref(), limit)?)
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
        }
        let note = state.crm.add_note(&who.user.name, new)?;
        state.gate.record(&who.principal, "note", &note.id, note.document.as_deref().unwrap_or_default())?;
        Ok(Made::row("notes", &note))
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
            let note = state.crm.note(access::viewer(&who), &id)?;
            access::need_about(state, &who, About { document: None, ..About::note(&note) })?;
            if let Some(document) = &note.document {
                access::need_document(state, &who, crate::serve::api::documents::id(document)?, "note")?;
            }
            Ok(note)
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
        let note = state.crm.change_note(&who.user.name, &id, version, change.text.as_deref(), change.visibility)?;
        state.gate.record(&who.principal, "note-changed", &id, "")?;
        Ok(note)
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
        state.crm.withdraw_note(&who.user.name, &id)?;
        Ok(state.gate.record(&who.principal, "note-withdrawn", &id, "")?)
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
            state.crm.note(access::viewer(&who), &id)?;
            Ok(state.crm.note_history(&id)?)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "items": changes })))
}
