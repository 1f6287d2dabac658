//! The operator's page: runs of what is sent out, how far they are, whether they balance.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use minijinja::{Value, context};

use super::{Language, language, locale, page as render, shown};
use crate::archive::DocId;
use crate::auth::permission::Permission;
use crate::crm::CrmError;
use crate::distribute::Source;
use crate::distribute::config::Config;
use crate::distribute::ledger::{Run, RunState, Totals};
use crate::distribute::piece::{Attempt, Obligation, Piece, State as PieceState};
use crate::distribute::reconcile::{BY_ITSELF, Reconciliation};
use crate::distribute::returned::Returned;
use crate::distribute::work::open_channels;
use crate::serve::api::crm::access;
use crate::serve::api::distribution::{NewRun, Step, Wanted, step};
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::sending::configuration;
use crate::serve::state::State;

/// Runs on a page.
const RUNS: usize = 20;
/// Pieces named beside the other runs, and on the page of one run.
const FEW: usize = 5;
const MANY: usize = 50;

/// What is looked at: one run, or those before another.
#[derive(Debug, Clone, Default)]
struct Window {
    run: Option<u32>,
    from: u32,
    before: Option<u32>,
    /// One piece of the run, with its proofs.
    piece: Option<u32>,
    /// Pieces that are looked for in the run.
    wanted: Wanted,
}

/// The page.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["run", "from", "before", "piece", "account", "document", "state"])?;
    let number = |name| params.number(name, 0..=u32::MAX);
    let window = Window {
        run: number("run")?,
        from: number("from")?.unwrap_or_default(),
        before: number("before")?,
        piece: number("piece")?,
        wanted: Wanted::of(&params)?,
    };
    show(&ask, window, "", StatusCode::OK).await
}

/// A run, its counters, and pieces to look at.
type Row = (Run, Reconciliation, Vec<(u32, Piece)>);

/// The runs that are looked at; whether there are more; and the number of the piece from which to go on.
fn rows(state: &State, window: &Window) -> Result<(Vec<Row>, bool, Option<u32>), Problem> {
    let ledger = &state.ledger;
    let Some(number) = window.run else {
        let mut runs = ledger.runs_before(window.before, RUNS + 1)?;
        let more = runs.len() > RUNS;
        runs.truncate(RUNS);
        let mut rows = Vec::new();
        for run in runs {
            let sum = Reconciliation::of(&run, &ledger.tally(run.number)?);
            let named = ledger.named(run.number, 0, FEW)?;
            rows.push((run, sum, named));
        }
        return Ok((rows, more, None));
    };
    let run = ledger.run(number)?;
    let sum = Reconciliation::of(&run, &ledger.tally(number)?);
    let (pieces, next) = match window.piece {
        Some(piece) => (vec![(piece, ledger.piece(number, piece)?)], None),
        None if window.wanted.is_all() => {
            let named = ledger.named(number, window.from, MANY)?;
            let next = named.get(MANY - 1).map(|(last, _)| last.saturating_add(1));
            (named, next)
        }
        None => ledger.select(number, window.from, MANY, &|piece| window.wanted.is(piece))?,
    };
    Ok((vec![(run, sum, pieces)], false, next))
}

/// Documents of a piece that are looked for in the archive.
const LOOKED_FOR: usize = 20;

/// Whether some of the documents of a piece are not in the archive any more.
fn is_gone(state: &State, piece: &Piece) -> Result<bool, Problem> {
    for owed in piece.owes.iter().take(LOOKED_FOR) {
        let Ok(id) = owed.document.parse::<DocId>() else { continue };
        if state.documents.facts(id)?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The name of the customer of an account, and whether the page of the account is shown to the reader.
fn customer(state: &State, who: &SignedIn, account: &str) -> Result<(String, bool), Problem> {
    if account.is_empty() || !who.may(Permission::CustomerRead) {
        return Ok(Default::default());
    }
    let id = match state.crm.account(account) {
        Ok(kept) => kept.customer.clone(),
        Err(CrmError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if access::need_account(state, who, account).is_err() {
        return Ok(Default::default());
    }
    let name = match &id {
        Some(id) if !access::hides_customer(state, who, id)? => state.crm.customer(id)?.display_name(),
        _ => String::new(),
    };
    Ok((name, true))
}

/// What keeps something, or all, from being sent: the configuration, rules of definitions, channels that cannot be opened.
fn wrong(state: &State) -> (Config, Vec<String>, bool) {
    match configuration(&state.config.data, &*state.backend) {
        Ok((config, told)) => {
            let closed = open_channels(&config).into_values().filter_map(Result::err);
            let unread = config.returned_mail.as_deref().and_then(Returned::obstacle);
            let mut all: Vec<String> = told
                .into_iter()
                .chain(unread)
                .chain(config.links_nowhere())
                .map(|error| error.to_string())
                .chain(closed)
                .collect();
            let late = state.ledger.manifests_late(state.crm.now()).unwrap_or_default();
            if !late.is_empty() {
                let runs: Vec<String> = late.iter().map(ToString::to_string).collect();
                all.push(format!("the manifests of these closed runs wait to be archived: {}", runs.join(", ")));
            }
            (config, all, false)
        }
        Err(error) => (Config::default(), vec![error.to_string()], true),
    }
}

async fn show(ask: &Ask, window: Window, error: &str, status: StatusCode) -> Answer {
    let who = ask.who()?.clone();
    let (seen, reader) = (window.clone(), who.clone());
    let read = ask.block(move |state| {
        let (runs, more, next) = rows(state, &seen)?;
        let (mut people, mut gone) = (BTreeMap::new(), BTreeSet::new());
        for (.., pieces) in &runs {
            for (_, piece) in pieces {
                if is_gone(state, piece)? {
                    gone.insert(piece.id.clone());
                }
                people.insert(piece.account.clone(), customer(state, &reader, &piece.account)?);
            }
        }
        let proofs = match (seen.run, seen.piece) {
            (Some(run), Some(piece)) => state.ledger.proofs(run, piece)?,
            _ => Vec::new(),
        };
        Ok((runs, more, next, (people, gone), proofs, wrong(state)))
    });
    let (runs, more, next, (people, gone), proofs, (config, wrong, nothing_is_sent)) = read.await?;
    let language = language(&ask.request, Some(&who));
    let older = runs.last().filter(|_| more).map(|(run, ..)| format!("/admin/distribution?before={}", run.number));
    let next = next.zip(window.run).map(|(from, run)| {
        let (wanted, run, from) = (&window.wanted, run.to_string(), from.to_string());
        let state = wanted.state.map_or("", PieceState::name);
        let (account, document) = (wanted.account.as_str(), wanted.document.as_str());
        let all = [
            ("run", run.as_str()),
            ("from", from.as_str()),
            ("account", account),
            ("document", document),
            ("state", state),
        ];
        let asked: Vec<(&str, &str)> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        super::my::address("/admin/distribution", &asked)
    });
    let proofs = proofs.iter().map(|proof| {
        context! {
            at => locale::moment(proof.at.0, language), said => proof.said.as_str(), before => proof.before.as_str(),
            what => language.word(&format!("proof_{}", proof.what.name())),
        }
    });
    let states = PieceState::ALL.map(|state| {
        context! {
            name => state.name(), word => language.word(&format!("rung_{}", state.name().replace('-', "_"))),
            chosen => window.wanted.state == Some(state),
        }
    });
    let shown = Shown { config: &config, language, people: &people, gone: &gone };
    let own = context! {
        runs => runs.iter().map(|row| shown.run(row)).collect::<Vec<_>>(),
        wrong, nothing_is_sent, full => ask.state.intake.has_room().is_err(), proofs => proofs.collect::<Vec<_>>(), states => states.to_vec(),
        one_piece => window.piece.is_some(), looked_for => !window.wanted.is_all(),
        account => window.wanted.account.as_str(), document => window.wanted.document.as_str(),
        one => window.run.is_some() || window.before.is_some(),
        whole => window.run.is_some(),
        names => config.distributions.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>(),
        may_run => who.may(Permission::DistributionRun),
        may_close => who.may(Permission::DistributionClose),
        may_release => who.may(Permission::DistributionRun) || who.may(Permission::DistributionClose),
        may_address => who.may(Permission::AddressOverride),
        error, older, next,
    };
    render(&ask.request, Some(&who), "distribution.html", status, own)
}

/// Takes a step, and shows the page; what is refused is said on it.
pub async fn act(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "run", "do", "reason", "piece", "to", "one", "distribution", "loads", "name"])?;
    if form.get("do") == Some("plan") {
        let words = |name| form.get(name).unwrap_or_default().trim().to_string();
        let name = Some(words("name")).filter(|name| !name.is_empty());
        return plan(&ask, words("distribution"), &words("loads"), name).await;
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
        Some("cancel") => Step::Cancel(form.get("reason").unwrap_or_default().to_string()),
        Some("close") => Step::Close(form.get("reason").unwrap_or_default().to_string()),
        _ => return Err(Problem::bad_value("do: one of plan, release, run, replay, again, address, cancel, close.")),
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
async fn plan(ask: &Ask, distribution: String, loads: &str, name: Option<String>) -> Answer {
    let who = ask.who()?.clone();
    let numbers: Result<Vec<u32>, _> =
        loads.split([' ', ',', '+']).filter(|part| !part.is_empty()).map(str::parse).collect();
    let planned = match numbers {
        Ok(loads) => ask.block(move |state| NewRun { distribution, loads, name }.plan(state, &who)).await,
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

/// What is needed to show a run in a language.
struct Shown<'s> {
    config: &'s Config,
    language: Language,
    /// The name of the customer of each account, and whether its page is shown to the reader.
    people: &'s BTreeMap<String, (String, bool)>,
    /// Pieces with documents that are not in the archive any more.
    gone: &'s BTreeSet<String>,
}

impl Shown<'_> {
    fn run(&self, (run, sum, pieces): &Row) -> Value {
        let language = self.language;
        let sent = run.state == RunState::Released && sum.open.pieces == 0 && sum.copies_open == 0;
        let stands = match (sent, sum.balances) {
            (true, true) => "sent",
            (true, false) => "to_sign",
            (false, _) => run.state.name(),
        };
        let closes_at = run.closes_at(self.config.closes_after_s(run));
        let tone = match (run.state, sum.balances, sum.dead.pieces) {
            (RunState::Held, ..) => "info",
            (_, true, _) => "ok",
            (_, false, 0) => "",
            _ => "warn",
        };
        let rows = [
            ("planned", sum.planned),
            ("done", sum.done),
            ("dead", sum.dead),
            ("cancelled", sum.cancelled),
            ("open", sum.open),
        ];
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
            state => language.word(&format!("run_is_{stands}")),
            closes_at => closes_at.map(|at| locale::moment(at.0, language)),
            held => run.state == RunState::Held,
            closed => run.state == RunState::Closed,
            planned_at => locale::moment(run.planned_at.0, language),
            rows => rows.map(part).to_vec(), passed_over => (run.passed_over > 0).then(|| number(run.passed_over)),
            copies => (sum.copies > 0).then(|| number(sum.copies)),
            over => matches!(run.state, RunState::Closed | RunState::Cancelled),
            cancelled => run.cancelled.as_str(), cancelled_by => run.cancelled_by.as_str(), has_parts => sum.planned.has_parts(),
            rungs => rungs.collect::<Vec<_>>(),
            in_doubt => number(sum.in_doubt), suppressed => number(sum.paper_suppressed), replaced => number(sum.replaced),
            balances => sum.balances, waits => sum.open.pieces > 0,
            retrying => pieces.iter().any(|(_, piece)| piece.state == PieceState::Retrying),
            again => pieces.iter().any(|(_, piece)| matches!(piece.state, PieceState::Dead | PieceState::InDoubt)),
            later => sum.later.iter().map(|(what, count)| context! { what => language.word(&format!("proof_{what}")), count => number(*count) }).collect::<Vec<_>>(),
            to_look_at => sum.to_look_at, more_to_look_at => sum.to_look_at > pieces.len() as u64,
            say_all => language.word("run_all_named").replace("{n}", &number(sum.to_look_at)),
            missing => run.missing.join(", "),
            exception => run.exception.as_str(), by_itself => run.closed_by == BY_ITSELF, closed_by => run.closed_by.as_str(), released_by => run.released_by.as_str(),
            named => pieces.iter().map(|(at, piece)| self.piece(*at, piece)).collect::<Vec<_>>(),
        }
    }

    fn attempt(&self, attempt: &Attempt) -> Value {
        let came = self.language.word(&format!("came_{}", attempt.came.name().replace('-', "_")));
        let (channel, to, said) = (attempt.channel.as_str(), attempt.to.as_str(), attempt.said.as_str());
        context! { at => locale::moment(attempt.at.0, self.language), channel, to, came, said }
    }

    fn piece(&self, at: u32, piece: &Piece) -> Value {
        let language = self.language;
        let nobody = Default::default();
        let (customer, has_page): &(String, bool) = self.people.get(&piece.account).unwrap_or(&nobody);
        let state = language.word(&format!("rung_{}", piece.state.name().replace('-', "_")));
        let documents: Vec<String> = piece.owes.iter().map(Obligation::name).collect();
        context! {
            piece => at, channel => piece.channel.as_str(), to => piece.to.as_str(), documents => documents.join(", "),
            state, in_doubt => piece.in_doubt, said => piece.said.as_str(),
            stuck => matches!(piece.state, PieceState::Dead | PieceState::InDoubt | PieceState::Retrying),
            done => piece.state == PieceState::Done && piece.copy_of.is_none(),
            takes_address => self.config.takes_address(&piece.channel),
            account => piece.account.as_str(), customer, has_page, group => piece.group.as_str(),
            tries => piece.tries.iter().map(|attempt| self.attempt(attempt)).collect::<Vec<_>>(),
            rung => language.word(&format!("rung_{}", piece.rung.name())), attempts => piece.attempts, id => piece.id.as_str(),
            sha256 => piece.sha256.as_str(), addressed_by => piece.addressed_by.as_str(), generation => piece.generation,
            handed_at => piece.handed_at.map(|at| locale::moment(at.0, language)),
            next_at => (!piece.state.is_over() && piece.next_at.0 > 0).then(|| locale::moment(piece.next_at.0, language)),
            gone => self.gone.contains(&piece.id), replaced_by => piece.replaced_by, copy_of => piece.copy_of,
        }
    }
}

fn number(number: u64) -> String {
    shown::grouped(&number.to_string())
}
