//! The JSON of the API.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use utoipa::ToSchema;

use crate::archive::LoadRow;
use crate::capture::{Item, State};
use crate::serve::backend::{DocumentView, Highlight, HitPage, HitView};

/// A document in a hit list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hit {
    /// Document id, such as `7-123`.
    pub id: String,
    /// Number of its load.
    pub load: u32,
    /// Name of its report definition.
    pub definition: String,
    /// Document kind.
    pub kind: String,
    /// Title.
    pub title: String,
    /// ISO 8601 day.
    pub date: Option<String>,
    /// Its pages.
    pub pages: u32,
    /// Index fields: a text, a list of texts, or `{"first", "last"}`; decimals keep their digits.
    #[schema(value_type = Object)]
    pub fields: Map<String, Json>,
    /// How well it matches, with `sort=best`.
    pub score: Option<f32>,
    /// Lines of its text with what was searched for.
    pub highlights: Vec<Highlight>,
}

/// A page of a hit list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hits {
    /// The hits.
    pub documents: Vec<Hit>,
    /// Documents that match and may be seen.
    pub total: u64,
    /// Counts by `definition`, `kind` and `year`.
    pub facets: BTreeMap<&'static str, Vec<FacetCount>>,
    /// For `cursor=` of the next page.
    pub next_cursor: Option<String>,
}

/// How many documents have a value.
#[derive(Debug, Serialize, ToSchema)]
pub struct FacetCount {
    /// The value.
    pub value: String,
    /// Documents.
    pub count: u64,
}

/// A page of hits as JSON; `all` keeps sensitive fields in.
pub fn hits(page: HitPage, all: bool) -> Hits {
    let counts =
        |list: Vec<(String, u64)>| list.into_iter().map(|(value, count)| FacetCount { value, count }).collect();
    Hits {
        documents: page.hits.into_iter().map(|hit| self::hit(hit, all)).collect(),
        total: page.total,
        facets: page.facets.into_iter().map(|facet| (facet.name, counts(facet.counts))).collect(),
        next_cursor: page.next_cursor,
    }
}

fn hit(hit: HitView, all: bool) -> Hit {
    Hit { score: hit.score, highlights: hit.highlights, ..document(&hit.document, all) }
}

/// A document without its content.
pub fn document(view: &DocumentView, all: bool) -> Hit {
    let shown = view.fields.iter().filter(|field| all || !field.sensitive);
    Hit {
        id: view.id.to_string(),
        load: view.id.load.0,
        definition: view.definition.clone(),
        kind: view.kind.clone(),
        title: view.title.clone(),
        date: view.date.map(|day| day.to_string()),
        pages: view.pages,
        fields: shown.map(|field| (field.name.clone(), crate::view::json::value(&field.value))).collect(),
        score: None,
        highlights: Vec::new(),
    }
}

/// A load of the catalogue.
pub fn load(row: &LoadRow) -> Json {
    json!({
        "id": row.id.to_string(),
        "load": row.id.0,
        "state": word(State::Loaded),
        "file": row.file,
        "definition": row.definition,
        "definition_version": row.definition_version,
        "sha256": row.sha256,
        "bytes": row.bytes,
        "pages": row.pages,
        "documents": row.documents,
        "set_aside_pages": row.set_aside_pages,
        "set_aside": row.set_aside,
        "stored_bytes": row.stored_bytes,
        "warnings": row.warnings,
        "loaded_at": crate::auth::clock::iso(row.loaded_at),
        "seconds": row.seconds,
    })
}

/// The state of a received stream in the words of `/api/v1/loads`.
fn word(state: State) -> &'static str {
    match state {
        State::Received | State::Identified | State::Held => "queued",
        State::Loading => "running",
        State::Loaded => "done",
        State::Unidentified | State::Failed | State::Discarded => "failed",
    }
}

/// A received stream, with its load once there is one. Its id starts with `j`.
pub fn job(job: &Item, row: Option<&LoadRow>) -> Json {
    let mut json = row.map_or_else(|| json!({}), load);
    json["id"] = json!(format!("j{}", job.id));
    json["state"] = json!(word(job.state));
    json["file"] = json!(job.file);
    json["bytes"] = json!(job.bytes);
    json["sha256"] = json!(job.sha256);
    json["sent_by"] = json!(job.sent_by);
    json["received_at"] = json!(crate::auth::clock::iso(job.received_at));
    json["duplicate"] = json!(job.duplicate);
    json["load"] = json!(job.load);
    if let Some(error) = &job.error {
        json["error"] = json!(error);
    }
    json
}
