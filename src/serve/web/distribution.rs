//! The operator's page: runs of what is sent out, how far they are, whether they balance.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use minijinja::{Value, context};

use super::{Language, language, locale, page as render, shown};
use crate::auth::permission::Permission;
use crate::distribute::ledger::{Run, RunState, Totals};
use crate::distribute::piece::State as PieceState;
use crate::distribute::reconcile::{Named, Reconciliation};
use crate::serve::api::distribution::{Step, step};
use crate::serve::ask::{Answer, Ask};
use crate::serve::problem::Problem;

/// Runs shown; each is counted piece by piece, closed ones are not.
const RUNS: usize = 30;
/// Pieces named on the page.
const NAMED: usize = 50;

/// The page.
pub async fn page(ask: Ask) -> Answer {
    ask.params(&[])?;
    show(&ask, "", StatusCode::OK).await
}

async fn show(ask: &Ask, error: &str, status: StatusCode) -> Answer {
    let who = ask.who()?.clone();
    let runs = ask
        .block(|state| {
            let mut runs = Vec::new();
            for run in state.ledger.runs()?.into_iter().rev().take(RUNS) {
                let sum = state.ledger.reconcile(run.number)?;
                runs.push((run, sum));
            }
            Ok(runs)
        })
        .await?;
    let language = language(&ask.request, Some(&who));
    let own = context! {
        runs => runs.iter().map(|(run, sum)| shown_run(run, sum, language)).collect::<Vec<_>>(),
        may_run => who.may(Permission::DistributionRun),
        may_close => who.may(Permission::DistributionClose),
        error,
    };
    render(&ask.request, Some(&who), "distribution.html", status, own)
}

/// Takes a step, and shows the page; what is refused is said on it.
pub async fn act(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "run", "do", "reason"])?;
    let number = form.get("run").and_then(|run| run.parse().ok()).ok_or_else(Problem::nothing)?;
    let wanted = match form.get("do") {
        Some("release") => Step::Release,
        Some("replay") => Step::Replay(Vec::new()),
        Some("close") => Step::Close(form.get("reason").unwrap_or_default().to_string()),
        _ => return Err(Problem::bad_value("do: one of release, replay, close.")),
    };
    let who = ask.who()?.clone();
    match ask.block(move |state| step(state, &who, number, &wanted)).await {
        Ok(_) => Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, "/admin/distribution")).finish()),
        Err(problem) if problem.status == StatusCode::CONFLICT => show(&ask, &problem.detail, problem.status).await,
        Err(problem) => Err(problem),
    }
}

fn shown_run(run: &Run, sum: &Reconciliation, language: Language) -> Value {
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
            pieces => number(totals.pieces), documents => number(totals.documents), pages => number(totals.pages),
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
        rows => rows.map(part).to_vec(),
        rungs => rungs.collect::<Vec<_>>(),
        in_doubt => number(sum.in_doubt), suppressed => number(sum.paper_suppressed), replaced => number(sum.replaced),
        balances => sum.balances, waits => sum.open.pieces > 0,
        again => sum.named.iter().any(|piece| matches!(piece.state, PieceState::Dead | PieceState::InDoubt)),
        exception => run.exception.as_str(), closed_by => run.closed_by.as_str(), released_by => run.released_by.as_str(),
        named => sum.named.iter().take(NAMED).map(|piece| named(piece, language)).collect::<Vec<_>>(),
    }
}

fn named(piece: &Named, language: Language) -> Value {
    let state = language.word(&format!("rung_{}", piece.state.name().replace('-', "_")));
    context! {
        piece => piece.piece, channel => piece.channel.as_str(), documents => piece.documents.join(", "),
        state, in_doubt => piece.in_doubt, said => piece.said.as_str(),
    }
}

fn number(number: u64) -> String {
    shown::grouped(&number.to_string())
}
