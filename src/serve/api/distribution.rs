//! Runs of what is sent out: planned, released, reconciled, closed, repeated.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;
use serde::Deserialize;
use serde_json::json;

use crate::archive::LoadId;
use crate::auth::gate::Principal;
use crate::auth::permission::Permission;
use crate::capture::Brought;
use crate::distribute::DistributeError;
use crate::distribute::config::Config;
use crate::distribute::ledger::{Run, RunState};
use crate::distribute::manifest::{FORMS, Form};
use crate::distribute::piece::{Piece, State as PieceState};
use crate::distribute::plan::Planner;
use crate::index::definition::MANIFEST;
use crate::serve::api::content::disposition;
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::sending::configuration;
use crate::serve::state::State;

impl From<DistributeError> for Problem {
    fn from(error: DistributeError) -> Problem {
        match error {
            DistributeError::NotFound { .. } => Problem::nothing(),
            DistributeError::State(why) => Problem::state(format!("{why}.")),
            DistributeError::Value(why) => Problem::bad_value(format!("{why}.")),
            DistributeError::Config { .. } => Problem::bad_value(format!("{error}.")),
            other => Problem::failed("working on the ledger", &other),
        }
    }
}

/// Characters of a reason at most.
const MOST_REASON: usize = 500;

/// A step that somebody takes with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A held run is sent.
    Release,
    /// Pieces that wait for their next attempt are tried now.
    Run,
    /// Pieces are tried again, or sent as copies; none: all that were given up or are in doubt.
    Replay(Vec<u32>),
    /// A piece goes to another address, for a reason.
    Address {
        /// Its number.
        piece: u32,
        /// The address.
        to: String,
        /// Why it goes there.
        reason: String,
    },
    /// What was not sent yet is not sent, for a reason.
    Cancel(String),
    /// It is over; with the reason of an exception when it does not balance.
    Close(String),
}

/// Takes a step, records it, and archives the manifest of a run that is closed.
pub fn step(state: &State, who: &SignedIn, number: u32, step: &Step) -> Result<Run, Problem> {
    let name = &who.user.name;
    let (kind, run, why) = match step {
        Step::Release => {
            // An operator sends it; so may who approves it.
            if !who.may(Permission::DistributionClose) {
                who.need(Permission::DistributionRun)?;
            }
            ("distribution released", state.ledger.release(number, name)?, String::new())
        }
        Step::Run => {
            who.need(Permission::DistributionRun)?;
            let count = state.ledger.hasten(number)?;
            state.ledger.worked_on(number, name)?;
            ("distribution run", state.ledger.run(number)?, format!("{count} pieces"))
        }
        Step::Replay(pieces) => {
            who.need(Permission::DistributionRun)?;
            let (config, _) = configuration(&state.config.data, &*state.backend)?;
            let count = planner(state, &config).replay(number, pieces)?;
            state.ledger.worked_on(number, name)?;
            ("distribution replayed", state.ledger.run(number)?, format!("{count} pieces"))
        }
        Step::Address { piece, to, reason } => return readdress(state, who, (number, *piece), to, reason),
        Step::Cancel(why) => {
            who.need(Permission::DistributionClose)?;
            let (run, count) = state.ledger.cancel(number, name, why)?;
            let why = format!("{count} pieces: {}", run.cancelled);
            ("distribution cancelled", run, why)
        }
        Step::Close(exception) => {
            who.need(Permission::DistributionClose)?;
            let run = state.ledger.close(number, name, exception, state.crm.now())?;
            let why = run.exception.clone();
            ("distribution closed", run, why)
        }
    };
    state.gate.record(&who.principal, kind, &run.key, &why)?;
    if run.state == RunState::Closed {
        keep_or_tell(state);
    }
    Ok(run)
}

fn planner<'a>(state: &'a State, config: &'a Config) -> Planner<'a> {
    Planner { ledger: &state.ledger, crm: &state.crm, source: state.documents.as_ref(), config }
}

/// Sends a piece to an address that somebody chose: who may send to an address that is not verified, and says why. The audit
/// has a record for each of its documents.
fn readdress(state: &State, who: &SignedIn, (number, at): (u32, u32), to: &str, reason: &str) -> Result<Run, Problem> {
    who.need(Permission::DistributionRun)?;
    let (run, old) = (state.ledger.run(number)?, state.ledger.piece(number, at)?);
    let of = |piece: &Piece| Some(piece.account.clone()).filter(|account| !account.is_empty());
    let (override_it, what) = (Permission::AddressOverride, run.key.as_str());
    if !who.may(override_it) {
        let kind = "distribution readdressed";
        state.gate.record_refused(&who.principal, override_it, kind, what, &format!("piece {at}"))?;
        return Err(Problem::missing(override_it));
    }
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MOST_REASON {
        return Err(Problem::bad_value(format!("reason: 1 to {MOST_REASON} characters.")));
    }
    Config::read(&state.config.data)?.check_address(&old.channel, to)?;
    let piece = state.ledger.readdress(number, at, to, &who.user.name)?;
    if piece.id != old.id {
        state.crm.revoke_link_of(&who.user.name, &old.id)?;
    }
    state.ledger.worked_on(number, &who.user.name)?;
    let (why, account) = (format!("piece {at} goes to {}: {reason}", piece.to), of(&piece));
    for owed in &piece.owes {
        let about = (owed.document.parse().ok(), account.as_deref());
        state.gate.record_about(&who.principal, override_it, ("distribution readdressed", what, &why), about)?;
    }
    Ok(state.ledger.run(number)?)
}

/// Archives the manifests that wait for it, like any other stream, under a definition of their own. One that fails waits on and
/// keeps no other; the first failure is told in the end.
pub fn keep(state: &State) -> Result<(), Problem> {
    // Whoever closes a run and the server itself may come at the same time.
    let _turn = state.manifests.lock().unwrap_or_else(PoisonError::into_inner);
    let mut failed = None;
    for at in state.ledger.unkept()? {
        if let Err(problem) = keep_one(state, &at) {
            failed = failed.or(Some(problem));
        }
    }
    failed.map_or(Ok(()), Err)
}

/// The same for whoever has done what they came for: what fails waits, and is told on the page.
fn keep_or_tell(state: &State) {
    if let Err(problem) = keep(state) {
        tracing::error!(why = problem.detail, "a manifest could not be archived yet");
    }
}

fn keep_one(state: &State, at: &[u8]) -> Result<(), Problem> {
    let failed = |error: std::io::Error| Problem::failed("keeping a manifest", &error);
    let Some(form) = state.ledger.form(at)? else { return Ok(()) };
    let folder = state.config.data.join("tmp");
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let path = folder.join("manifest-to-archive");
    std::fs::write(&path, &form.bytes).map_err(failed)?;
    let file = form.name.as_str();
    let (definition, queue, job) = (Some(MANIFEST), None, BTreeMap::new());
    let brought = Brought { path: &path, file, definition, queue, job, only_known: false };
    let loaded = state.backend.load_stream(&brought, &|_| {});
    std::fs::remove_file(&path).map_err(failed)?;
    loaded?;
    state.ledger.kept(at)?;
    Ok(state.backend.catch_up()?)
}

/// Closes the runs whose books have balanced long enough, and archives their manifests; returns how many.
pub fn close_balanced(state: &State, config: &Config) -> Result<usize, Problem> {
    let closed = state.ledger.close_balanced(state.crm.now(), &|run| config.closes_after_s(run))?;
    let who = Principal::nobody("system:close-balanced", "greenbar");
    for run in &closed {
        state.gate.record(&who, "distribution closed", &run.key, "it balances")?;
    }
    if !closed.is_empty() {
        keep_or_tell(state);
    }
    Ok(closed.len())
}

/// The number of a run in the path.
fn number(ask: &Ask) -> Result<u32, Problem> {
    ask.part("run").parse().map_err(|_| Problem::nothing())
}

/// Runs, newest first, a page at a time.
#[utoipa::path(get, path = "/api/v1/distribution/runs", tag = "distribution",
    params(("limit" = Option<u32>, Query, description = "Runs on the page, 1 to 1000; 100 without it"),
        ("cursor" = Option<String>, Query, description = "What an earlier page gave as next_cursor")),
    responses((status = 200, description = "`items`, `next_cursor`"), (status = 403, description = "forbidden")))]
pub async fn list(ask: Ask) -> Answer {
    let params = ask.params(&["limit", "cursor"])?;
    let limit = limit(&params)?;
    let before = cursor(&params)?;
    let runs = ask.block(move |state| Ok(state.ledger.runs_before(before, limit)?)).await?;
    let next = runs.last().filter(|run| run.number > 1 && runs.len() == limit).map(|run| run.number.to_string());
    Ok(HttpResponse::Ok().json(json!({ "items": runs, "next_cursor": next })))
}

fn limit(params: &Params) -> Result<usize, Problem> {
    Ok(params.number("limit", 1..=1_000_u32)?.map_or(100, |limit| limit as usize))
}

fn cursor(params: &Params) -> Result<Option<u32>, Problem> {
    let Some(cursor) = params.get("cursor") else { return Ok(None) };
    let told = || Problem::bad_value("cursor is what an earlier page gave as next_cursor.");
    cursor.parse().map(Some).map_err(|_| told())
}

/// Which pieces of a run are wanted; empty: all.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of this account.
    pub account: String,
    /// With this document.
    pub document: String,
    /// In this state.
    pub state: Option<PieceState>,
}

impl Wanted {
    /// By the parameters `account`, `document` and `state`.
    pub fn of(params: &Params) -> Result<Wanted, Problem> {
        let text = |name| params.get(name).unwrap_or_default().trim().to_string();
        let state = match text("state").as_str() {
            "" => None,
            name => Some(PieceState::named(name).ok_or_else(|| {
                let known: Vec<&str> = PieceState::ALL.iter().map(|state| state.name()).collect();
                Problem::bad_value(format!("state is one of: {}.", known.join(", ")))
            })?),
        };
        Ok(Wanted { account: text("account"), document: text("document"), state })
    }

    /// Whether anything is asked for.
    pub fn is_all(&self) -> bool {
        self.account.is_empty() && self.document.is_empty() && self.state.is_none()
    }

    /// Whether a piece is one of them.
    pub fn is(&self, piece: &Piece) -> bool {
        (self.account.is_empty() || piece.account == self.account)
            && (self.document.is_empty() || piece.owes.iter().any(|owed| owed.document == self.document))
            && self.state.is_none_or(|state| piece.state == state)
    }
}

/// The pieces of a run in the order of their numbers, with what proves what became of them.
#[utoipa::path(get, path = "/api/v1/distribution/runs/{run}/pieces", tag = "distribution",
    params(("run" = u32, Path, description = "Number of the run"),
        ("account" = Option<String>, Query, description = "Only pieces of this account"),
        ("document" = Option<String>, Query, description = "Only pieces with this document"),
        ("state" = Option<String>, Query, description = "Only pieces in this state"),
        ("limit" = Option<u32>, Query, description = "Pieces on the page, 1 to 1000; 100 without it"),
        ("cursor" = Option<String>, Query, description = "What an earlier page gave as next_cursor")),
    responses((status = 200, description = "`items` (`number`, `piece`, `proofs`), `next_cursor`"),
        (status = 404, description = "not-found")))]
pub async fn pieces(ask: Ask) -> Answer {
    let params = ask.params(&["account", "document", "state", "limit", "cursor"])?;
    let (wanted, limit, from) = (Wanted::of(&params)?, limit(&params)?, cursor(&params)?.unwrap_or_default());
    let run = number(&ask)?;
    let work = move |state: &State| -> Result<(Vec<serde_json::Value>, Option<u32>), Problem> {
        state.ledger.run(run)?;
        let (found, next) = state.ledger.select(run, from, limit, &|piece| wanted.is(piece))?;
        let told = |(number, piece): (u32, Piece)| -> Result<serde_json::Value, DistributeError> {
            let proofs = state.ledger.proofs(run, number)?;
            Ok(json!({ "number": number, "piece": piece, "proofs": proofs }))
        };
        Ok((found.into_iter().map(told).collect::<Result<_, _>>()?, next))
    };
    let (items, next) = ask.block(work).await?;
    let next = next.map(|number| number.to_string());
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next_cursor": next })))
}

/// A run with its reconciliation; pieces given up, tried again and in doubt are named, 1,000 at a time.
#[utoipa::path(get, path = "/api/v1/distribution/runs/{run}", tag = "distribution",
    params(("run" = u32, Path, description = "Number of the run"),
        ("from" = Option<u32>, Query, description = "Number of the first piece to name")),
    responses((status = 200, description = "`run`, `reconciliation`, `closes_at` (when a run that balances is closed by itself)"), (status = 404, description = "not-found")))]
pub async fn show(ask: Ask) -> Answer {
    let from = ask.params(&["from"])?.number("from", 0..=u32::MAX)?.unwrap_or_default();
    let number = number(&ask)?;
    let (run, sum, closes_at) = ask
        .block(move |state| {
            let (run, sum) = (state.ledger.run(number)?, state.ledger.reconcile_from(number, from)?);
            let closes_at = configuration(&state.config.data, &*state.backend).ok();
            let closes_at = closes_at.and_then(|(config, _)| run.closes_at(config.closes_after_s(&run)));
            Ok((run, sum, closes_at))
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "run": run, "reconciliation": sum, "closes_at": closes_at })))
}

/// The manifest of a closed run, as it is archived; who may read distributions may have it, also without a right to documents.
#[utoipa::path(get, path = "/api/v1/distribution/runs/{run}/manifest", tag = "distribution",
    params(("run" = u32, Path, description = "Number of the run"),
        ("format" = Option<String>, Query, description = "json (lines), csv or pdf; json without it")),
    responses((status = 200, description = "the file"), (status = 404, description = "not-found"),
        (status = 409, description = "state: the run is not closed")))]
pub async fn manifest(ask: Ask) -> Answer {
    let params = ask.params(&["format"])?;
    let format = params.get("format").unwrap_or("json").to_string();
    let place = FORMS.iter().position(|(name, _)| *name == format);
    let place = place.ok_or_else(|| Problem::bad_value("format: one of json, csv, pdf."))?;
    let (number, who) = (number(&ask)?, ask.who()?.clone());
    let form = ask
        .block(move |state| {
            let run = state.ledger.run(number)?;
            if run.state != RunState::Closed {
                return Err(Problem::state(format!("run {number} is {}.", run.state.name())));
            }
            state.gate.record(&who.principal, "distribution manifest", &run.key, &format)?;
            if let Some(form) = state.ledger.form_of(number, u32::try_from(place).unwrap_or_default())? {
                return Ok(form);
            }
            let archived = run.manifests.get(place).map(String::as_str).unwrap_or_default();
            let load = state.backend.loads()?.into_iter().find(|load| load.sha256 == archived);
            let load = load.ok_or_else(Problem::nothing)?;
            let mut form = Form { name: load.file, bytes: Vec::new() };
            state.backend.export_load(load.id, &mut form.bytes)?;
            Ok(form)
        })
        .await?;
    let media_type = FORMS.get(place).map_or("application/octet-stream", |form| form.1);
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((CONTENT_DISPOSITION, disposition(&form.name, true)))
        .body(form.bytes))
}

/// A run that somebody wants planned.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// The distribution.
    pub distribution: String,
    /// The loads.
    pub loads: Vec<u32>,
    /// What to call it; the same name is planned once. Loads that are in a run of the distribution already need one.
    #[serde(default)]
    pub name: Option<String>,
}

impl NewRun {
    /// Plans it; `false`: it was planned before.
    pub fn plan(self, state: &State, who: &SignedIn) -> Result<(Run, bool), Problem> {
        who.need(Permission::DistributionRun)?;
        if self.loads.is_empty() {
            return Err(Problem::bad_value("loads: the numbers of the loads."));
        }
        let (config, _) = configuration(&state.config.data, &*state.backend)?;
        let unknown = || Problem::bad_value(format!("distribution: there is no distribution {:?}.", self.distribution));
        let rule = config.distribution(&self.distribution).ok_or_else(unknown)?;
        let planner = planner(state, &config);
        let loads: Vec<LoadId> = self.loads.iter().copied().map(LoadId).collect();
        let planned = planner.plan_by_hand(rule, self.name.as_deref(), loads).map_err(|error| match error {
            DistributeError::NotFound { what: "load", name } => {
                Problem::bad_value(format!("loads: there is no load {name}."))
            }
            other => other.into(),
        })?;
        if planned.1 {
            state.ledger.worked_on(planned.0.number, &who.user.name)?;
            state.gate.record(&who.principal, "distribution planned", &planned.0.key, "")?;
        }
        Ok(planned)
    }
}

/// Plans a distribution for loads (`distribution`, `loads`, `name`): the external trigger. The same name is planned once.
#[utoipa::path(post, path = "/api/v1/distribution/runs", tag = "distribution",
    responses((status = 201, description = "the run"), (status = 200, description = "it was planned before"),
        (status = 409, description = "state: a load is in another run already, or the name is that of other loads"),
        (status = 422, description = "bad-value: the distribution, the loads or the name")))]
pub async fn plan(ask: Ask) -> Answer {
    let new: NewRun = serde_json::from_slice(&ask.body)
        .map_err(|error| Problem::bad_body(format!("The body is not as expected: {error}.")))?;
    let who = ask.who()?.clone();
    let (run, is_new) = ask.block(move |state| new.plan(state, &who)).await?;
    Ok(if is_new { HttpResponse::Created() } else { HttpResponse::Ok() }.json(run))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    pieces: Vec<u32>,
    #[serde(default)]
    piece: u32,
    #[serde(default)]
    to: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    exception: String,
}

/// Takes a step with a run: `{"do": "release"}`, `{"do": "run"}` (what waits for its next attempt is tried now),
/// `{"do": "replay", "pieces": [..]}`,
/// `{"do": "address", "piece": 7, "to": "..", "reason": ".."}` (needs `address.override`), `{"do": "cancel", "reason": ".."}` (needs `distribution.close`), `{"do": "close", "exception": ".."}`.
#[utoipa::path(post, path = "/api/v1/distribution/runs/{run}", tag = "distribution",
    params(("run" = u32, Path, description = "Number of the run")),
    responses((status = 200, description = "the run"), (status = 404, description = "not-found"),
        (status = 409, description = "state: it does not balance, or who released it may not sign")))]
pub async fn take_step(ask: Ask) -> Answer {
    let asked: Asked = serde_json::from_slice(&ask.body)
        .map_err(|error| Problem::bad_body(format!("The body is not as expected: {error}.")))?;
    let (number, who) = (number(&ask)?, ask.who()?.clone());
    let wanted = match asked.what.as_str() {
        "release" => Step::Release,
        "run" => Step::Run,
        "replay" => Step::Replay(asked.pieces),
        "address" => Step::Address { piece: asked.piece, to: asked.to, reason: asked.reason },
        "cancel" => Step::Cancel(asked.reason),
        "close" => Step::Close(asked.exception),
        _ => return Err(Problem::bad_value("do: one of release, run, replay, address, cancel, close.")),
    };
    let run = ask.block(move |state| step(state, &who, number, &wanted)).await?;
    Ok(HttpResponse::Ok().json(run))
}
