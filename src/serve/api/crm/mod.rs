//! Customers, accounts and what passes between: the calls over [`crate::crm`].
//!
//! Who may do what is decided in [`access`] alone. Lists answer `{"items": [...], "next_cursor": ...}`; rows have an
//! `ETag` with their version, and `If-Match` with it guards a change; a POST with an `Idempotency-Key` is done once.

pub mod access;
pub mod accounts;
pub mod consents;
pub mod contacts;
pub mod customers;
pub mod deliveries;
pub mod documents;
pub mod enrolment;
pub mod interactions;
pub mod notes;
pub mod requests;
pub mod saved;

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::auth::secret;
use crate::crm::once::{Answered, Once};
use crate::crm::{CrmError, Kept, Page};
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Entries of a page when the caller does not say.
const USUAL: u32 = 50;
/// Entries of a page at most.
const MOST: u32 = 500;

impl From<CrmError> for Problem {
    fn from(error: CrmError) -> Problem {
        match &error {
            CrmError::NotFound { .. } => Problem::nothing(),
            CrmError::Invalid { .. } => Problem::bad_value(format!("{error}.")),
            CrmError::Exists { .. } => Problem::exists(format!("{error}.")),
            CrmError::State { .. } => Problem::state(format!("{error}.")),
            CrmError::Conflict { .. } => Problem::changed(format!("{error}; read it again.")),
            CrmError::Gone => Problem::gone("The link leads nowhere: it is used up, too old, or was never made."),
            CrmError::NotConfirmed => Problem::not_confirmed("Check what you typed against the paper."),
            CrmError::TooMany { wait_s } => {
                Problem { retry_after_s: Some(*wait_s), ..Problem::too_many(format!("Try again in {wait_s} seconds.")) }
            }
            CrmError::Auth(inner) => match inner {
                crate::auth::AuthError::Exists { .. } => Problem::exists("This sign-in name is taken; choose another."),
                crate::auth::AuthError::BadName | crate::auth::AuthError::BadPassword => {
                    Problem::bad_value(format!("{inner}."))
                }
                _ => Problem::failed("working with users", &error),
            },
            _ => Problem::failed("working with customers", &error),
        }
    }
}

/// The JSON in the body.
fn body<T: DeserializeOwned>(ask: &Ask) -> Result<T, Problem> {
    serde_json::from_slice(&ask.body)
        .map_err(|error| Problem::bad_body(format!("The body is not as expected: {error}.")))
}

/// `limit` and `cursor`.
fn window(params: &Params) -> Result<(usize, Option<String>), Problem> {
    let limit = params.number("limit", 1..=MOST)?.unwrap_or(USUAL) as usize;
    Ok((limit, params.get("cursor").map(str::to_string)))
}

/// A part of the path, decoded to its end: account numbers may hold slashes.
fn part(ask: &Ask, name: &str) -> String {
    ask.part(name).replace("%2F", "/").replace("%2f", "/").replace("%2B", "+").replace("%2b", "+").replace("%25", "%")
}

/// The version in `If-Match`; `None` without one or with `*`.
fn expected(ask: &Ask) -> Result<Option<u64>, Problem> {
    let Some(value) = ask.request.headers().get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).and_then(|digits| digits.parse().ok());
    number.map(Some).ok_or_else(|| Problem::bad_parameter("If-Match is the ETag of the row, such as \"3\"."))
}

/// One row with its version as `ETag`.
fn row<D: Serialize>(kept: &Kept<D>) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, format!("\"{}\"", kept.version))).json(kept.json())
}

/// The same, as it is, when the caller has this version.
fn row_unless_known<D: Serialize>(ask: &Ask, kept: &Kept<D>) -> HttpResponse {
    let etag = format!("\"{}\"", kept.version);
    let known = ask.request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag)) {
        return HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish();
    }
    row(kept)
}

/// A page of rows.
fn page<D: Serialize>(page: &Page<Kept<D>>) -> HttpResponse {
    let items: Vec<Json> = page.items.iter().map(Kept::json).collect();
    HttpResponse::Ok().json(json!({ "items": items, "next_cursor": page.next_cursor }))
}

/// All rows.
fn list<D: Serialize>(rows: &[Kept<D>]) -> HttpResponse {
    let items: Vec<Json> = rows.iter().map(Kept::json).collect();
    HttpResponse::Ok().json(json!({ "items": items }))
}

/// What a POST made: `Location`, `ETag` and the row.
struct Made {
    location: String,
    version: Option<u64>,
    json: Json,
}

impl Made {
    fn row<D: Serialize>(path: &str, kept: &Kept<D>) -> Made {
        let id: String = kept.id.bytes().map(escape).collect();
        Made { location: format!("/api/v1/{path}/{id}"), version: Some(kept.version), json: kept.json() }
    }
}

/// A byte as it stands in a path.
fn escape(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// Makes something and answers 201. With an `Idempotency-Key` the same request of the same caller is done once within a
/// day, and its answer is given again.
async fn make(
    ask: Ask,
    work: impl FnOnce(&State, &SignedIn, &Origin) -> Result<Made, Problem> + Send + 'static,
) -> Answer {
    let who = ask.who()?.clone();
    let name = ask.request.headers().get("idempotency-key").map(|value| value.to_str().unwrap_or_default().to_string());
    let mut digest = Sha256::new();
    for part in [ask.request.method().as_str().as_bytes(), ask.request.uri().path().as_bytes(), &ask.body] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let fingerprint = secret::hex(&digest.finalize());
    let asked = Origin { from: crate::serve::ask::address(&ask.request) };
    let answered = ask
        .block(move |state| {
            let Some(name) = name else { return work(state, &who, &asked).map(answered) };
            match state.crm.take_name(&who.user.name, &name, &fingerprint)? {
                Once::Done(answer) => return Ok(answer),
                Once::Busy => return Err(Problem::exists("A request with this key is still being worked on.")),
                Once::Other => return Err(Problem::exists("The key was used for another request.")),
                Once::Fresh => {}
            }
            match work(state, &who, &asked) {
                Ok(made) => {
                    let answer = answered(made);
                    state.crm.keep_answer(&who.user.name, &name, &fingerprint, answer.clone())?;
                    Ok(answer)
                }
                Err(problem) => {
                    state.crm.forget_name(&who.user.name, &name)?;
                    Err(problem)
                }
            }
        })
        .await?;
    let mut response = HttpResponse::Created();
    response.content_type("application/json");
    if !answered.location.is_empty() {
        response.insert_header((header::LOCATION, answered.location));
    }
    if !answered.etag.is_empty() {
        response.insert_header((header::ETAG, answered.etag));
    }
    Ok(response.body(answered.body))
}

/// What a maker needs of its request.
struct Origin {
    from: String,
}

fn answered(made: Made) -> Answered {
    let etag = made.version.map(|version| format!("\"{version}\"")).unwrap_or_default();
    Answered { status: 201, location: made.location, etag, body: made.json.to_string() }
}

/// Gives the editable part of a row the changes of a JSON merge patch (RFC 7396).
fn patched<D: Serialize + DeserializeOwned>(data: &D, patch: &[u8]) -> Result<D, Problem> {
    let bad = |error: serde_json::Error| Problem::bad_body(format!("The change is not as expected: {error}."));
    let patch: Json = serde_json::from_slice(patch).map_err(bad)?;
    if !patch.is_object() {
        return Err(Problem::bad_body("A change is a JSON object; null takes a member away."));
    }
    let mut json = serde_json::to_value(data).map_err(bad)?;
    merge(&mut json, patch, 0);
    serde_json::from_value(json).map_err(bad)
}

fn merge(target: &mut Json, patch: Json, depth: usize) {
    match patch {
        Json::Object(members) if depth < 16 => {
            if !target.is_object() {
                *target = json!({});
            }
            let Some(target) = target.as_object_mut() else { return };
            for (name, value) in members {
                if value.is_null() {
                    target.remove(&name);
                } else {
                    merge(target.entry(name).or_insert(Json::Null), value, depth + 1);
                }
            }
        }
        other => *target = other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merge_patches_are_those_of_the_rfc() {
        for (before, patch, after) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": "foo"}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut target = before;
            merge(&mut target, patch, 0);
            assert_eq!(target, after);
        }
    }
}
