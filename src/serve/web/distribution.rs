//! The operator's page: runs of what is sent out, how far they are, whether they balance.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use minijinja::{Value, context};

use super::{Language, language, locale, page as render, shown};
use crate::auth::permission::Permission;
use crate::distribute::config::Config;
use crate::distribute::ledger::{Run, RunState, Totals};
use crate::distribute::piece::{Obligation, Piece, State as PieceState};
use crate::distribute::reconcile::Reconciliation;
use crate::serve::api::distribution::{NewRun, Step, step};
use crate::serve::ask::{Answer, Ask};
use crate::serve::problem::Problem;
use crate::serve::sending::configuration;

/// Runs on a page.
const RUNS: usize = 20;
/// Pieces named beside the other runs, and on the page of one run.
const FEW: usize = 5;
const MANY: usize = 50;

/// What is looked at: one run, or those before another.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    run: Option<u32>,
    from: u32,
    before: Option<u32>,
}

/// The page.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["run", "from", "before"])?;
    let number = |name| params.number(name, 0..=u32::MAX);
    let window = Window { run: number("run")?, from: number("from")?.unwrap_or_default(), before: number("before")? };
    show(&ask, window, "", StatusCode::OK).await
}

/// A run, its counters, and pieces to look at.
type Row = (Run, Reconciliation, Vec<(u32, Piece)>);

fn rows(state: &crate::serve::state::State, window: Window) -> Result<(Vec<Row>, bool), Problem> {
    let (mut runs, mut more) = match window.run {
        Some(number) => (vec![state.ledger.run(number)?], false),
        None => (state.ledger.runs()?, false),
    };
    runs.reverse();
    if window.run.is_none() {
        runs.retain(|run| window.before.is_none_or(|before| run.number < before));
        more = runs.len() > RUNS;
        runs.truncate(RUNS);
    }
    let (from, most) = if window.run.is_some() { (window.from, MANY) } else { (0, FEW) };
    let mut rows = Vec::new();
    for run in runs {
        let sum = Reconciliation::of(&run, &state.ledger.tally(run.number)?);
        let named = state.ledger.named(run.number, from, most)?;
        rows.push((run, sum, named));
    }
    Ok((rows, more))
}

async fn show(ask: &Ask, window: Window, error: &str, status: StatusCode) -> Answer {
    let who = ask.who()?.clone();
    let read = ask.block(move |state| {
        let (runs, more) = rows(state, window)?;
        // A configuration that is wrong is told elsewhere; here it offers no other addresses.
        let config = configuration(&state.config.data, &*state.backend).map(|(config, _)| config);
        Ok((runs, more, config.unwrap_or_default()))
    });
    let (runs, more, config) = read.await?;
    let language = language(&ask.request, Some(&who));
    let older = runs.last().filter(|_| more).map(|(run, ..)| format!("/admin/distribution?before={}", run.number));
    let next = match (window.run, runs.first().and_then(|(.., named)| named.get(MANY - 1))) {
        (Some(run), Some((last, _))) => Some(format!("/admin/distribution?run={run}&from={}", last.saturating_add(1))),
        _ => None,
    };
    let own = context! {
        runs => runs.iter().map(|row| shown_run(row, &config, language)).collect::<Vec<_>>(),
        one => window.run.is_some() || window.before.is_some(),
        whole => window.run.is_some(),
        names => config.distributions.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>(),
        may_run => who.may(Permission::DistributionRun),
        may_close => who.may(Permission::DistributionClose),
        may_address => who.may(Permission::AddressOverride),
        error, older, next,
    };
    render(&ask.request, Some(&who), "distribution.html", status, own)
}

/// Takes a step, and shows the page; what is refused is said on it.
pub async fn act(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "run", "do", "reason", "piece", "to", "one", "distribution", "loads"])?;
    if form.get("do") == Some("plan") {
        let words = |name| form.get(name).unwrap_or_default().trim().to_string();
        return plan(&ask, words("distribution"), &words("loads")).await;
    }
    let number = form.get("run").and_then(|run| run.parse().ok()).ok_or_else(Problem::nothing)?;
    let piece = || form.get("piece").and_then(|piece| piece.parse().ok()).ok_or_else(Problem::nothing);
    let wanted = match form.get("do") {
        Some("release") => Step::Release,
        Some("run") => Step::Run,
        Some("replay") => Step::Replay(Vec::new()),
        Some("again") => Step::Replay(vec![piece()?]),
        Some("address") => {
            let text = |name| form.get(name).unwrap_or_default().to_string();
            Step::Address { piece: piece()?, to: text("to"), reason: text("reason") }
        }
        Some("close") => Step::Close(form.get("reason").unwrap_or_default().to_string()),
        _ => return Err(Problem::bad_value("do: one of plan, release, run, replay, again, address, close.")),
    };
    let run = form.get("one").and(Some(number));
    let (who, window) = (ask.who()?.clone(), Window { run, ..Window::default() });
    let back = run.map_or_else(|| "/admin/distribution".into(), |run| format!("/admin/distribution?run={run}"));
    match ask.block(move |state| step(state, &who, number, &wanted)).await {
        Ok(_) => Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, back)).finish()),
        Err(problem) if problem.status.is_client_error() && problem.status != StatusCode::FORBIDDEN => {
            show(&ask, window, &problem.detail, problem.status).await
        }
        Err(problem) => Err(problem),
    }
}

/// Plans a distribution for loads, and shows the run.
async fn plan(ask: &Ask, distribution: String, loads: &str) -> Answer {
    let who = ask.who()?.clone();
    let numbers: Result<Vec<u32>, _> =
        loads.split([' ', ',', '+']).filter(|part| !part.is_empty()).map(str::parse).collect();
    let planned = match numbers {
        Ok(loads) => ask.block(move |state| NewRun { distribution, loads, name: None }.plan(state, &who)).await,
        Err(_) => Err(Problem::bad_value("loads: the numbers of the loads.")),
    };
    match planned {
        Ok((run, _)) => {
            let there = format!("/admin/distribution?run={}", run.number);
            Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, there)).finish())
        }
        Err(problem) if problem.status.is_client_error() && problem.status != StatusCode::FORBIDDEN => {
            show(ask, Window::default(), &problem.detail, problem.status).await
        }
        Err(problem) => Err(problem),
    }
}

fn shown_run((run, sum, pieces): &Row, config: &Config, language: Language) -> Value {
    let tone = match (run.state, sum.balances, sum.dead.pieces) {
        (RunState::Held, ..) => "info",
        (_, true, _) => "ok",
        (_, false, 0) => "",
        _ => "warn",
    };
    let rows = [("planned", sum.planned), ("done", sum.done), ("dead", sum.dead), ("open", sum.open)];
    let part = |(name, totals): (&str, Totals)| {
        let amount = crate::index::value::Decimal {
            units: i64::try_from(totals.nano / 10_000_000).unwrap_or(i64::MAX),
            scale: 2,
        };
        context! {
            name => language.word(&format!("run_{name}")),
            pieces => number(totals.pieces), documents => number(totals.documents), parts => number(totals.parts),
            pages => number(totals.pages),
            amount => shown::grouped(&amount.to_string()),
        }
    };
    let rungs = sum.rungs.iter().flat_map(|(channel, rungs)| {
        rungs.iter().map(move |(rung, count)| {
            let word = language.word(&format!("rung_{}", rung.replace('-', "_")));
            context! { channel, rung => word, count => number(*count) }
        })
    });
    let percent = (sum.planned.pieces - sum.open.pieces.min(sum.planned.pieces)) * 100 / sum.planned.pieces.max(1);
    context! {
        number => run.number, key => run.key.as_str(), tone, percent,
        state => language.word(&format!("run_is_{}", run.state.name())),
        held => run.state == RunState::Held,
        closed => run.state == RunState::Closed,
        planned_at => locale::moment(run.planned_at.0, language),
        rows => rows.map(part).to_vec(), has_parts => sum.planned.has_parts(),
        rungs => rungs.collect::<Vec<_>>(),
        in_doubt => number(sum.in_doubt), suppressed => number(sum.paper_suppressed), replaced => number(sum.replaced),
        balances => sum.balances, waits => sum.open.pieces > 0,
        retrying => pieces.iter().any(|(_, piece)| piece.state == PieceState::Retrying),
        again => pieces.iter().any(|(_, piece)| matches!(piece.state, PieceState::Dead | PieceState::InDoubt)),
        later => sum.later.iter().map(|(what, count)| context! { what => language.word(&format!("proof_{what}")), count => number(*count) }).collect::<Vec<_>>(),
        to_look_at => sum.to_look_at, more_to_look_at => sum.to_look_at > pieces.len() as u64,
        say_all => language.word("run_all_named").replace("{n}", &number(sum.to_look_at)),
        missing => run.missing.join(", "),
        exception => run.exception.as_str(), closed_by => run.closed_by.as_str(), released_by => run.released_by.as_str(),
        named => pieces.iter().map(|(at, piece)| named(*at, piece, config, language)).collect::<Vec<_>>(),
    }
}

fn named(at: u32, piece: &Piece, config: &Config, language: Language) -> Value {
    let state = language.word(&format!("rung_{}", piece.state.name().replace('-', "_")));
    let documents: Vec<String> = piece.owes.iter().map(Obligation::name).collect();
    context! {
        piece => at, channel => piece.channel.as_str(), to => piece.to.as_str(), documents => documents.join(", "),
        state, in_doubt => piece.in_doubt, said => piece.said.as_str(),
        stuck => matches!(piece.state, PieceState::Dead | PieceState::InDoubt | PieceState::Retrying),
        takes_address => config.takes_address(&piece.channel),
    }
}

fn number(number: u64) -> String {
    shown::grouped(&number.to_string())
}
