//! Uploads that may break off and go on: tus 1.0.0 with its extensions creation, expiration and termination; digests by
//! RFC 9530. Decision 0010 tells why.

use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpResponse, HttpResponseBuilder, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use serde_json::json;

use super::loads::{GATHERED, check_length, file_name, known, refused};
use crate::auth::secret;
use crate::capture::Upload;
use crate::capture::upload::Sending;
use crate::serve::ask::{Answer, Ask};
use crate::serve::problem::Problem;

const VERSION: &str = "1.0.0";
const BODY: &str = "application/offset+octet-stream";

/// Begins an upload.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "loads",
    params(("Upload-Length" = u64, Header, description = "Bytes of the stream"),
        ("Upload-Metadata" = Option<String>, Header, description = "`filename BASE64,definition BASE64`"),
        ("Repr-Digest" = Option<String>, Header, description = "`sha-256=:BASE64:` of the whole stream (RFC 9530), checked before yes"),
        ("Tus-Resumable" = Option<String>, Header, description = "1.0.0")),
    responses((status = 201, description = "Location is the upload"), (status = 400, description = "bad-parameter"),
        (status = 409, description = "state: too many uploads are open"), (status = 413, description = "too-large"),
        (status = 507, description = "disk-full")))]
pub async fn begin(ask: Ask) -> Answer {
    ask.params(&[])?;
    version(&ask)?;
    let length = number(&ask, "upload-length")?.filter(|length| *length > 0);
    let length = length.ok_or_else(|| Problem::bad_parameter("Upload-Length is the number of bytes, at least 1."))?;
    check_length(&ask, length)?;
    let metadata = metadata(&ask)?;
    let named = |name: &str| metadata.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let file = file_name(&named("filename").or_else(|| named("file")).unwrap_or_else(|| "stream".into()))?;
    let (definition, sha256) = (named("definition"), digest(&ask, "repr-digest")?);
    let who = ask.who()?.principal.clone();
    let upload = ask
        .block(move |state| {
            if let Some(name) = &definition {
                known(state, name)?;
            }
            let wish = Upload {
                id: String::new(),
                owner: who.name,
                peer: who.from,
                file,
                definition,
                length,
                offset: 0,
                sha256,
                created_at: 0,
                touched_at: 0,
                item: None,
            };
            state.uploads.create(wish).map_err(|error| refused(&error))
        })
        .await?;
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, format!("/api/v1/uploads/{}", upload.id)));
    Ok(told(&ask, &mut answer, &upload).json(as_json(&upload)))
}

/// How far an upload is.
#[utoipa::path(get, path = "/api/v1/uploads/{id}", tag = "loads",
    params(("id" = String, Path, description = "From Location")),
    responses((status = 200, description = "Upload-Offset is where to go on; `HEAD` answers the same without a body"),
        (status = 404, description = "not-found")))]
pub async fn show(ask: Ask) -> Answer {
    ask.params(&[])?;
    version(&ask)?;
    let upload = find(&ask).await?;
    Ok(told(&ask, &mut HttpResponse::Ok(), &upload).json(as_json(&upload)))
}

/// Goes on with an upload; the last byte makes it a received stream.
#[utoipa::path(patch, path = "/api/v1/uploads/{id}", tag = "loads",
    params(("id" = String, Path, description = "From Location"),
        ("Upload-Offset" = u64, Header, description = "Where the body begins: what the server said last"),
        ("Content-Digest" = Option<String>, Header, description = "`sha-256=:BASE64:` of this body (RFC 9530): it counts only when it is that")),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204, description = "Upload-Offset bytes are durable; with the last one, Location is the received stream"),
        (status = 400, description = "bad-parameter, bad-body: also a digest that does not fit"), (status = 404, description = "not-found"),
        (status = 409, description = "state: another offset, or somebody sends now"), (status = 413, description = "too-large")))]
pub async fn go_on(mut ask: Ask) -> Answer {
    ask.params(&[])?;
    version(&ask)?;
    find(&ask).await?;
    let kind = heading(&ask, "content-type").unwrap_or_default();
    if kind != BODY {
        return Err(Problem::bad_parameter(format!("Content-Type is {BODY}.")));
    }
    let offset = number(&ask, "upload-offset")?;
    let offset = offset.ok_or_else(|| Problem::bad_parameter("Upload-Offset says where the body begins."))?;
    let announced = digest(&ask, "content-digest")?;
    let mut payload = ask.payload.take().ok_or_else(|| Problem::bad_body("There is no body."))?;
    let who = ask.who()?.principal.clone();
    let (id, owner) = (ask.part("id").to_string(), who.name.clone());
    let resume =
        ask.block(move |state| state.uploads.resume(&id, &owner, offset, announced).map_err(|error| refused(&error)));
    let mut sending = resume.await?;
    let mut gathered = web::BytesMut::with_capacity(GATHERED);
    while let Some(piece) = payload.next().await {
        let Ok(piece) = piece else {
            // What came is kept; the sender asks where to go on.
            ask.block(move |_| written(sending, &gathered).map(drop)).await?;
            return Err(Problem::bad_body("The body broke off; ask where to go on."));
        };
        gathered.extend_from_slice(&piece);
        if gathered.len() >= GATHERED {
            let piece = gathered.split().freeze();
            sending = ask.block(move |_| written(sending, &piece)).await?;
        }
    }
    let work = ask.block(move |state| {
        let (upload, item) = written(sending, &gathered)?.end().map_err(|error| refused(&error))?;
        if let Some(item) = &item {
            state.gate.record(&who, "load", &item.file, &format!("sha-256 {}", item.sha256))?;
        }
        Ok(upload)
    });
    let upload = work.await?;
    Ok(told(&ask, &mut HttpResponse::NoContent(), &upload).finish())
}

fn written(mut sending: Sending, piece: &[u8]) -> Result<Sending, Problem> {
    sending.write(piece).map(|()| sending).map_err(|error| refused(&error))
}

/// Gives an upload up.
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", tag = "loads",
    params(("id" = String, Path, description = "From Location")),
    responses((status = 204, description = "nothing of it is left"), (status = 404, description = "not-found"),
        (status = 409, description = "state: somebody sends now")))]
pub async fn give_up(ask: Ask) -> Answer {
    ask.params(&[])?;
    version(&ask)?;
    let (id, owner) = (ask.part("id").to_string(), ask.who()?.principal.name.clone());
    ask.block(move |state| state.uploads.remove(&id, &owner).map_err(|error| refused(&error))).await?;
    Ok(HttpResponse::NoContent().insert_header(("Tus-Resumable", VERSION)).finish())
}

async fn find(ask: &Ask) -> Result<Upload, Problem> {
    let (id, owner) = (ask.part("id").to_string(), ask.who()?.principal.name.clone());
    ask.block(move |state| state.uploads.find(&id, &owner).map_err(|error| refused(&error))).await
}

/// What every answer tells of an upload.
fn told<'a>(ask: &Ask, answer: &'a mut HttpResponseBuilder, upload: &Upload) -> &'a mut HttpResponseBuilder {
    answer
        .insert_header(("Tus-Resumable", VERSION))
        .insert_header(("Upload-Offset", upload.offset.to_string()))
        .insert_header(("Upload-Length", upload.length.to_string()))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    match upload.item {
        Some(number) => answer.insert_header((header::LOCATION, format!("/api/v1/loads/j{number}"))),
        None => {
            let keep_s = ask.state.config.capture.http.keep_s;
            let until = std::time::UNIX_EPOCH
                + std::time::Duration::from_secs(u64::try_from(upload.touched_at).unwrap_or(0).saturating_add(keep_s));
            answer.insert_header(("Upload-Expires", header::HttpDate::from(until).to_string()))
        }
    }
}

fn as_json(upload: &Upload) -> serde_json::Value {
    json!({
        "id": upload.id, "file": upload.file, "definition": upload.definition, "offset": upload.offset,
        "length": upload.length, "sha256": upload.sha256, "load": upload.item.map(|number| format!("j{number}")),
    })
}

fn heading<'a>(ask: &'a Ask, name: &'static str) -> Option<&'a str> {
    ask.request.headers().get(HeaderName::from_static(name)).and_then(|value| value.to_str().ok())
}

/// Clients of tus say its version; others need not.
fn version(ask: &Ask) -> Result<(), Problem> {
    match heading(ask, "tus-resumable") {
        None | Some(VERSION) => Ok(()),
        Some(_) => Err(Problem::changed("Tus-Resumable is 1.0.0.")),
    }
}

fn number(ask: &Ask, name: &'static str) -> Result<Option<u64>, Problem> {
    let Some(text) = heading(ask, name) else { return Ok(None) };
    let number = text.parse().map_err(|_| Problem::bad_parameter(format!("{name} is a number.")));
    number.map(Some)
}

/// `filename BASE64,definition BASE64`.
fn metadata(ask: &Ask) -> Result<Vec<(String, String)>, Problem> {
    let wrong = || Problem::bad_parameter("Upload-Metadata is a list of names with values in base64.");
    let mut pairs = Vec::new();
    for pair in heading(ask, "upload-metadata").unwrap_or_default().split(',').filter(|pair| !pair.trim().is_empty()) {
        let (name, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        let value = STANDARD.decode(value.trim()).map_err(|_| wrong())?;
        pairs.push((name.to_string(), String::from_utf8(value).map_err(|_| wrong())?));
    }
    Ok(pairs)
}

/// The SHA-256 in a header of RFC 9530 (`sha-256=:BASE64:`), as lower-case hex.
pub(super) fn digest(ask: &Ask, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(text) = heading(ask, name) else { return Ok(None) };
    let found = text.split(',').find_map(|entry| entry.trim().strip_prefix("sha-256=:")?.strip_suffix(':'));
    let bytes = found.and_then(|value| STANDARD.decode(value).ok()).filter(|bytes| bytes.len() == 32);
    let wrong =
        || Problem::bad_parameter(format!("{name} is sha-256=:BASE64: (RFC 9530); no other digest is checked here."));
    bytes.map(|bytes| Some(secret::hex(&bytes))).ok_or_else(wrong)
}
