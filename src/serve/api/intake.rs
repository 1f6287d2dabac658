//! What arrived: lists, previews, trial cuts, and what an operator does about it; rules.

use std::ops::RangeInclusive;

use actix_web::HttpResponse;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::loads::refused;
use crate::auth::clock::iso;
use crate::auth::permission::Permission;
use crate::capture::operate::Page;
use crate::capture::rule::Rule;
use crate::capture::switches::{Switch, Switches};
use crate::capture::{Item, State as Stage};
use crate::serve::ask::{Answer, Ask, Params};
use crate::serve::operate::{self, Act};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Arrivals on one page of a list.
const LIMITS: RangeInclusive<u32> = 1..=500;
const USUAL: u32 = 50;

/// What a list of arrivals is asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// In one of these states; none: in any.
    pub states: Vec<Stage>,
    /// Part of a name, queue, sender, address, definition or reason, or the beginning of a digest.
    pub text: String,
    /// Only of this queue.
    pub queue: String,
    /// Before this number; 0: from the newest.
    pub before: u64,
    /// At most so many.
    pub limit: usize,
}

impl Asked {
    /// Names of the parameters.
    pub const PARAMS: &[&str] = &["state", "q", "queue", "limit", "cursor"];

    /// What the parameters ask for.
    pub fn read(params: &Params) -> Result<Asked, Problem> {
        let mut states = Vec::new();
        for word in params.get("state").unwrap_or_default().split(',').filter(|word| !word.is_empty()) {
            let state = Stage::parse(word).ok_or_else(|| {
                let all: Vec<_> = Stage::ALL.iter().map(|state| state.name()).collect();
                Problem::bad_parameter(format!("state is one or several, with commas, of: {}.", all.join(", ")))
            })?;
            states.push(state);
        }
        let bad = || Problem::bad_parameter("cursor is what an earlier page gave as next_cursor.");
        let before = params.get("cursor").map(|cursor| cursor.parse().ok().filter(|at| *at > 0).ok_or_else(bad));
        Ok(Asked {
            states,
            text: params.get("q").unwrap_or_default().to_lowercase(),
            queue: params.get("queue").unwrap_or_default().to_string(),
            before: before.transpose()?.unwrap_or(0),
            limit: params.number("limit", LIMITS)?.unwrap_or(USUAL) as usize,
        })
    }

    /// The page.
    pub fn find(&self, state: &State) -> Result<Page, Problem> {
        let wanted = |item: &Item| self.wants(item);
        let page = state.intake.page(self.before, self.limit, &self.states, &wanted);
        page.map_err(|error| refused(&error))
    }

    fn wants(&self, item: &Item) -> bool {
        let has = |text: &str| text.to_lowercase().contains(&self.text);
        let texts = [
            Some(item.file.as_str()),
            item.queue.as_deref(),
            item.definition.as_deref(),
            item.error.as_deref(),
            Some(&item.peer),
            Some(&item.sent_by),
            item.attributes.get("job-name").map(String::as_str),
        ];
        let of_queue =
            self.queue.is_empty() || item.queue.as_deref().is_some_and(|queue| queue.eq_ignore_ascii_case(&self.queue));
        let found = self.text.is_empty()
            || texts.into_iter().flatten().any(has)
            || item.sha256.starts_with(&self.text)
            || item.id.to_string() == self.text;
        of_queue && found
    }
}

/// An arrival as programs read it.
fn shown(state: &State, item: &Item) -> Json {
    let mut json = serde_json::to_value(item).unwrap_or_default();
    json["received_at"] = json!(iso(item.received_at));
    json["changed_at"] = json!(iso(item.changed_at));
    let step = |step: &crate::capture::item::Step| json!({ "at": iso(step.at), "what": step.what, "by": step.by, "detail": step.detail });
    json["history"] = item.history.iter().map(step).collect();
    json["keeps_bytes"] = json!(item.state.keeps_bytes());
    if let Some(progress) = state.intake.progress(item.id) {
        json["progress"] = json!(progress);
    }
    json
}

/// Arrivals, newest first.
#[utoipa::path(get, path = "/api/v1/intake", tag = "intake",
    params(("state" = Option<String>, Query, description = "One or several, with commas: received, identified, held, \
            loading, loaded, unidentified, failed, discarded"),
        ("q" = Option<String>, Query, description = "Part of name, queue, sender, address, definition or reason; \
            beginning of a digest; a number"),
        ("queue" = Option<String>, Query, description = "Only of this queue"),
        ("limit" = Option<u32>, Query, description = "1 to 500; 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "`items`, `counts` by state of what is not over, `next_cursor`"),
        (status = 400, description = "bad-parameter")))]
pub async fn list(ask: Ask) -> Answer {
    let asked = Asked::read(&ask.params(Asked::PARAMS)?)?;
    let json = ask
        .block(move |state| {
            let page = asked.find(state)?;
            let items: Vec<_> = page.items.iter().map(|item| shown(state, item)).collect();
            let next = page.next.map(|next| next.to_string());
            Ok(json!({ "items": items, "counts": state.intake.counts(), "next_cursor": next }))
        })
        .await?;
    Ok(HttpResponse::Ok().json(json))
}

/// The number in the path.
fn number(ask: &Ask) -> Result<u64, Problem> {
    ask.part("id").parse().ok().filter(|id| *id > 0).ok_or_else(Problem::nothing)
}

/// One arrival: what is known of it, its history, how far it is.
#[utoipa::path(get, path = "/api/v1/intake/{id}", tag = "intake",
    params(("id" = u64, Path, description = "Number of the arrival")),
    responses((status = 200, description = "the arrival; `history`, and `progress` while it is loaded", body = Item),
        (status = 404, description = "not-found")))]
pub async fn show(ask: Ask) -> Answer {
    ask.params(&[])?;
    let id = number(&ask)?;
    let json = ask
        .block(move |state| {
            let item = state.intake.shown(id).map_err(|error| refused(&error))?.ok_or_else(Problem::nothing)?;
            Ok(shown(state, &item))
        })
        .await?;
    Ok(HttpResponse::Ok().json(json))
}

/// The first pages of an arrival as text, each with its bytes; and its first bytes. Recorded in the audit.
#[utoipa::path(get, path = "/api/v1/intake/{id}/preview", tag = "intake",
    params(("id" = u64, Path, description = "Number of the arrival"),
        ("definition" = Option<String>, Query, description = "Read it as this definition does"),
        ("page" = Option<u32>, Query, description = "First page, from 1"),
        ("pages" = Option<u32>, Query, description = "1 to 20; 3")),
    responses((status = 200, description = "`format`, `pages` with `page`, `start`, `bytes`, `text`; `first_bytes`"),
        (status = 403, description = "forbidden, masked"), (status = 404, description = "not-found"),
        (status = 409, description = "state: its bytes are gone")))]
pub async fn preview(ask: Ask) -> Answer {
    let params = ask.params(&["definition", "page", "pages"])?;
    let (id, who) = (number(&ask)?, ask.who()?.clone());
    let pages = (params.number("page", 1..=100_000)?.unwrap_or(1), params.number("pages", 1..=20)?.unwrap_or(3));
    let look = ask
        .block(move |state| {
            let definition = params.get("definition");
            if let Some(name) = definition {
                operate::known(state, name)?;
            }
            operate::look(state, &who, id, definition, pages)
        })
        .await?;
    Ok(HttpResponse::Ok().json(look))
}

/// What a definition would make of an arrival: documents, pages, fields. Nothing is stored; recorded in the audit.
#[utoipa::path(get, path = "/api/v1/intake/{id}/trial", tag = "intake",
    params(("id" = u64, Path, description = "Number of the arrival"),
        ("definition" = String, Query, description = "Name of the definition")),
    responses((status = 200, description = "`documents`, `pages`, `document_pages`, `set_aside_pages`, `fields` with \
            `found`, `warnings`, `first_documents`, `fits`"),
        (status = 403, description = "forbidden, masked"), (status = 422, description = "bad-value")))]
pub async fn trial(ask: Ask) -> Answer {
    let params = ask.params(&["definition"])?;
    let (id, who) = (number(&ask)?, ask.who()?.clone());
    let definition = params.get("definition").ok_or_else(|| Problem::bad_parameter("definition is missing."))?;
    let definition = definition.to_string();
    let trial = ask.block(move |state| operate::trial(state, &who, id, &definition)).await?;
    Ok(HttpResponse::Ok().json(trial))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Told {
    definition: Option<String>,
    reason: String,
}

/// The body; an empty one says nothing.
fn body<T: DeserializeOwned + Default>(ask: &Ask) -> Result<T, Problem> {
    if ask.body.is_empty() {
        return Ok(T::default());
    }
    let read = serde_json::from_slice(&ask.body);
    read.map_err(|error| Problem::bad_body(format!("The body is not as expected: {error}.")))
}

async fn act(ask: &Ask, act: Act) -> Answer {
    let (id, who) = (number(ask)?, ask.who()?.clone());
    let json = ask
        .block(move |state| {
            let item = operate::act(state, &who, id, &act)?;
            Ok(shown(state, &item))
        })
        .await?;
    Ok(HttpResponse::Ok().json(json))
}

/// Says what an arrival is (`{"definition": ".."}`); it is loaded as that.
#[utoipa::path(post, path = "/api/v1/intake/{id}/assign", tag = "intake",
    params(("id" = u64, Path, description = "Number of the arrival")),
    responses((status = 200, description = "the arrival", body = Item), (status = 409, description = "state"),
        (status = 422, description = "bad-value: there is no such definition")))]
pub async fn assign(ask: Ask) -> Answer {
    let told: Told = body(&ask)?;
    let name = told.definition.ok_or_else(|| Problem::bad_value("definition is missing."))?;
    act(&ask, Act::Assign(name)).await
}

/// Tries an arrival again that failed or is unidentified.
#[utoipa::path(post, path = "/api/v1/intake/{id}/retry", tag = "intake",
    params(("id" = u64, Path, description = "Number of the arrival")),
    responses((status = 200, description = "the arrival", body = Item), (status = 409, description = "state")))]
pub async fn retry(ask: Ask) -> Answer {
    body::<Told>(&ask)?;
    act(&ask, Act::Retry).await
}

/// Tries all arrivals again that failed, for when their cause is gone.
#[utoipa::path(post, path = "/api/v1/intake:retry", tag = "intake",
    responses((status = 200, description = "`retried`: how many"), (status = 403, description = "forbidden")))]
pub async fn retry_failed(ask: Ask) -> Answer {
    body::<Told>(&ask)?;
    let who = ask.who()?.clone();
    let count = ask.block(move |state| operate::retry_failed(state, &who)).await?;
    Ok(HttpResponse::Ok().json(json!({ "retried": count })))
}

/// Keeps an arrival that waits from being loaded (`{"reason": ".."}`).
#[utoipa::path(post, path = "/api/v1/intake/{id}/hold", tag = "intake",
    params(("id" = u64, Path, description = "Number of the arrival")),
    responses((status = 200, description = "the arrival", body = Item), (status = 409, description = "state")))]
pub async fn hold(ask: Ask) -> Answer {
    let told: Told = body(&ask)?;
    act(&ask, Act::Hold(told.reason)).await
}

/// Lets an arrival be loaded that was held.
#[utoipa::path(post, path = "/api/v1/intake/{id}/release", tag = "intake",
    params(("id" = u64, Path, description = "Number of the arrival")),
    responses((status = 200, description = "the arrival", body = Item), (status = 409, description = "state")))]
pub async fn release(ask: Ask) -> Answer {
    body::<Told>(&ask)?;
    act(&ask, Act::Release).await
}

/// Gives an arrival up that failed, is unidentified or held (`{"reason": ".."}`): its bytes go, its row stays.
#[utoipa::path(post, path = "/api/v1/intake/{id}/discard", tag = "intake",
    params(("id" = u64, Path, description = "Number of the arrival")),
    responses((status = 200, description = "the arrival", body = Item), (status = 409, description = "state"),
        (status = 422, description = "bad-value: without a reason")))]
pub async fn discard(ask: Ask) -> Answer {
    let told: Told = body(&ask)?;
    act(&ask, Act::Discard(told.reason)).await
}

fn shown_rule(rule: &Rule) -> Json {
    let mut json = serde_json::to_value(rule).unwrap_or_default();
    json["at"] = json!(iso(rule.at));
    json
}

/// The rules that hold, the one made last first: the first that fits counts.
#[utoipa::path(get, path = "/api/v1/intake-rules", tag = "intake",
    params(("versions" = Option<String>, Query, description = "`all`: every version of every rule, also of those taken back")),
    responses((status = 200, description = "`items`", body = Vec<Rule>)))]
pub async fn rules(ask: Ask) -> Answer {
    let params = ask.params(&["versions"])?;
    let all = params.word("versions", &[("all", true), ("newest", false)], false)?;
    let rules =
        ask.block(move |state| Ok(if all { state.intake.rule_versions() } else { state.intake.rules() })).await?;
    let rules: Vec<_> = rules.iter().map(shown_rule).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": rules })))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NewRule {
    number: u32,
    queue: Option<String>,
    name: Option<String>,
    definition: String,
}

/// Makes a rule (`queue` and/or `name` as patterns, `definition`), or with `number` a new version of one.
#[utoipa::path(post, path = "/api/v1/intake-rules", tag = "intake",
    responses((status = 201, description = "`rule`, and how many arrivals it took up as `taken`"),
        (status = 422, description = "bad-value")))]
pub async fn make_rule(ask: Ask) -> Answer {
    let NewRule { number, queue, name, definition } = body(&ask)?;
    let given = |pattern: Option<String>| pattern.map(|text| text.trim().to_string()).filter(|text| !text.is_empty());
    let rule = Rule { number, queue: given(queue), name: given(name), definition, ..Rule::default() };
    let who = ask.who()?.clone();
    let (rule, taken) = ask.block(move |state| operate::set_rule(state, &who, rule)).await?;
    Ok(HttpResponse::Created().json(json!({ "rule": shown_rule(&rule), "taken": taken })))
}

/// Takes a rule back; what came by it stays.
#[utoipa::path(delete, path = "/api/v1/intake-rules/{number}", tag = "intake",
    params(("number" = u32, Path, description = "Number of the rule")),
    responses((status = 200, description = "its last version", body = Rule), (status = 422, description = "bad-value")))]
pub async fn remove_rule(ask: Ask) -> Answer {
    let number = ask.part("number").parse().map_err(|_| Problem::nothing())?;
    let who = ask.who()?.clone();
    let rule = ask.block(move |state| operate::remove_rule(state, &who, number)).await?;
    Ok(HttpResponse::Ok().json(shown_rule(&rule)))
}

fn shown_queue(switches: &Switches) -> Json {
    let mut json = serde_json::to_value(switches).unwrap_or_default();
    json["at"] = json!(iso(switches.at));
    json
}

/// Queues that somebody paused, closed or described.
#[utoipa::path(get, path = "/api/v1/intake-queues", tag = "intake",
    responses((status = 200, description = "`items`", body = Vec<Switches>)))]
pub async fn queues(ask: Ask) -> Answer {
    ask.params(&[])?;
    let queues = ask.block(|state| Ok(state.intake.switches())).await?;
    Ok(HttpResponse::Ok().json(json!({ "items": queues.iter().map(shown_queue).collect::<Vec<_>>() })))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Thrown {
    queue: String,
    #[serde(rename = "do")]
    what: String,
}

/// Pauses a queue (`{"queue": "..", "do": "pause"}`: its streams are taken and held), resumes it, closes it (nothing is taken
/// for it) or opens it.
#[utoipa::path(post, path = "/api/v1/intake-queues", tag = "intake",
    responses((status = 200, description = "`queue` as it is now, and how many arrivals were held or let go as `changed`"),
        (status = 422, description = "bad-value")))]
pub async fn switch_queue(ask: Ask) -> Answer {
    let Thrown { queue, what } = body(&ask)?;
    let switch = Switch::parse(&what).ok_or_else(|| Problem::bad_value("do: one of pause, resume, close, open."))?;
    let who = ask.who()?.clone();
    let (now, changed) = ask.block(move |state| operate::switch(state, &who, &queue, &switch)).await?;
    Ok(HttpResponse::Ok().json(json!({ "queue": shown_queue(&now), "changed": changed })))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Why {
    reason: String,
}

/// Takes a load out of the archive (`{"reason": ".."}`), for one that was made by mistake.
#[utoipa::path(post, path = "/api/v1/loads/{id}/unload", tag = "loads",
    params(("id" = u32, Path, description = "Number of the load")),
    responses((status = 200, description = "`load`, `unloaded`"), (status = 404, description = "not-found"),
        (status = 409, description = "state: a legal hold covers it"), (status = 422, description = "bad-value")))]
pub async fn unload(ask: Ask) -> Answer {
    let why: Why = body(&ask)?;
    let who = ask.who()?.clone();
    who.need(Permission::LoadDelete)?;
    let id = ask.part("id").parse().map_err(|_| Problem::nothing())?;
    let load = crate::archive::LoadId(id);
    ask.block(move |state| operate::unload(state, &who, load, &why.reason)).await?;
    Ok(HttpResponse::Ok().json(json!({ "load": id, "unloaded": true })))
}
