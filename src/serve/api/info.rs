//! Definitions, audit, health, metrics, and the API's own description.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde_json::json;

use crate::auth::permission::Permission;
use crate::distribute::config::Config;
use crate::distribute::returned::Returned;
use crate::distribute::work::open_channels;
use crate::serve::ask::{Answer, Ask};
use crate::serve::backend::DefinitionView;
use crate::serve::metrics::Gauge;
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// The report definitions: without those that `visible_to` keeps from the caller, unless the caller loads streams by them.
#[utoipa::path(get, path = "/api/v1/definitions", tag = "definitions",
    responses((status = 200, body = [DefinitionView])))]
pub async fn definitions(ask: Ask) -> Answer {
    ask.params(&[])?;
    let who = ask.who()?.clone();
    let list = ask
        .block(move |state| {
            let mut list = state.backend.definitions()?;
            if !who.may(Permission::LoadWrite) {
                let hidden = who.principal.rights.kept_from(&state.backend.restricted()?);
                list.retain(|definition| !hidden.contains(&definition.name));
            }
            Ok(list)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "definitions": list })))
}

/// Whether the process answers; asks nothing else.
#[utoipa::path(get, path = "/live", tag = "operation", responses((status = 200, description = "`{\"status\": \"ok\"}`")))]
pub async fn live(_: Ask) -> Answer {
    Ok(HttpResponse::Ok().json(json!({ "status": "ok" })))
}

/// Whether the server and its store answer: `status` is `ok`, or `degraded` where something waits for an operator. `disk` says
/// that nothing is taken in because it is full, `distribution` that its configuration is wrong or channels cannot be opened; the
/// rest of what is wrong is told on `/admin/distribution`.
#[utoipa::path(get, path = "/health", tag = "operation",
    responses((status = 200, description = "`{\"status\": \"ok\"}`"), (status = 500, description = "internal")))]
pub async fn health(ask: Ask) -> Answer {
    let (full, unsent) = ask
        .block(|state| {
            let asked = state.backend.engine().get(crate::archive::kv::Family::Settings, b"health");
            asked.map_err(|error| Problem::failed("asking the store", &error))?;
            let full = state.intake.has_room().err().map(|_| "nothing is taken in: there is too little room");
            Ok((full, unsent(state)))
        })
        .await?;
    let status = if full.is_none() && unsent.is_none() { "ok" } else { "degraded" };
    let mut told = json!({ "status": status, "version": env!("CARGO_PKG_VERSION") });
    for (part, why) in [("disk", full), ("distribution", unsent)] {
        if let Some(why) = why {
            told[part] = json!({ "ok": false, "why": why });
        }
    }
    Ok(HttpResponse::Ok().json(told))
}

/// Why nothing is sent, or not by all channels. Everybody may ask: it names no files and no channels.
fn unsent(state: &State) -> Option<&'static str> {
    let Ok(config) = Config::read(&state.config.data) else {
        return Some("nothing is sent: the configuration is wrong");
    };
    let shut = open_channels(&config).into_values().any(|channel| channel.is_err());
    if shut {
        return Some("a channel cannot be opened: its pieces wait");
    }
    if config.links_nowhere().is_some() {
        return Some("mails with a link wait: public_url is missing");
    }
    if config.returned_mail.as_deref().and_then(Returned::obstacle).is_some() {
        return Some("mail that comes back cannot be read");
    }
    let late = state.ledger.manifests_late(state.crm.now()).is_ok_and(|runs| !runs.is_empty());
    late.then_some("manifests of closed runs wait to be archived")
}

/// Counters for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "Prometheus text", content_type = "text/plain")))]
pub async fn metrics(ask: Ask) -> Answer {
    let (figures, gauges) = ask.block(|state| Ok((state.backend.figures()?, gauges(state)?))).await?;
    let page = ask.state.metrics.page(figures, ask.state.intake.waiting(), &gauges);
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(page))
}

/// What waits for somebody, in capture and distribution.
fn gauges(state: &State) -> Result<Vec<Gauge>, Problem> {
    let counts = state.intake.counts();
    let streams = [
        ("waiting", counts.waiting),
        ("loading", counts.loading),
        ("unidentified", counts.unidentified),
        ("failed", counts.failed),
        ("held", counts.held),
    ];
    let (mut runs, mut pieces) = (BTreeMap::<&str, u64>::new(), BTreeMap::<(String, &str), u64>::new());
    let mut in_doubt = 0;
    for run in state.ledger.open_runs()? {
        *runs.entry(run.state.name()).or_default() += 1;
        let tally = state.ledger.tally(run.number)?;
        in_doubt += tally.in_doubt;
        for cell in tally.cells {
            *pieces.entry((cell.channel, cell.state.name())).or_default() += cell.totals.pieces;
        }
    }
    let of_state = |(name, count): (&str, u64)| (format!("state=\"{name}\""), count);
    let of_piece = |((channel, name), count): ((String, &str), u64)| {
        (format!("channel=\"{}\",state=\"{name}\"", channel.replace(['"', '\\'], "")), count)
    };
    let gauge = |name, help, values| Gauge { name, help, values };
    Ok(vec![
        gauge(
            "greenbar_streams",
            "Streams that are not loaded, by state.",
            streams.map(|(name, count)| of_state((name, count as u64))).to_vec(),
        ),
        gauge("greenbar_runs", "Open runs by state.", runs.into_iter().map(of_state).collect()),
        gauge("greenbar_pieces", "Pieces of open runs.", pieces.into_iter().map(of_piece).collect()),
        gauge(
            "greenbar_pieces_in_doubt",
            "Pieces of open runs that may have come twice.",
            vec![("runs=\"open\"".into(), in_doubt)],
        ),
    ])
}

/// This description.
pub async fn openapi(_: Ask) -> Answer {
    Ok(HttpResponse::Ok().content_type("application/json").body(crate::serve::openapi::document()?))
}
