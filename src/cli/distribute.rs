//! `greenbar distribute`: runs of what is sent out.

use std::sync::Arc;

use serde_json::json;

use super::context::{Context, gate, load_id, operator};
use super::failure::Failure;
use super::output;
use crate::archive::{Archive, LoadId, LoadSource};
use crate::auth::clock::Clock;
use crate::auth::permission::Permission;
use crate::crm::Crm;
use crate::distribute::ledger::{Ledger, Run, RunState, Totals};
use crate::distribute::piece::{Obligation, Piece, State};
use crate::distribute::returned::Returned;
use crate::distribute::schedule;
use crate::distribute::work::{Worker, open_channels};
use crate::index::definition::MANIFEST;
use crate::serve::{ArchiveBackend, Served, configuration};

/// Plans, sends, reconciles and closes runs of the distributions in the archive's distribution.toml.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Plan what is due, or one distribution for named loads; nothing is sent
    Plan {
        /// A distribution; without it, everything that is due
        name: Option<String>,
        /// A load; may be given several times
        #[arg(long = "load", value_parser = load_id, requires = "name")]
        loads: Vec<LoadId>,
        /// What to call the run; the same name is planned once. Loads that are in a run already need one
        #[arg(long = "as", requires = "loads")]
        called: Option<String>,
    },
    /// Read returned mail, and hand over what is due now, once
    Run,
    /// Runs, or one run with its reconciliation, or pieces of it
    Status {
        /// Number of a run
        run: Option<u32>,
        /// The pieces of this account
        #[arg(long, requires = "run")]
        account: Option<String>,
        /// The pieces with this document
        #[arg(long, requires = "run")]
        document: Option<String>,
        /// The pieces in this state: planned, retrying, in-doubt, done, dead ...
        #[arg(long, requires = "run", value_parser = state)]
        state: Option<State>,
    },
    /// Release a held run
    Release {
        /// Number of the run
        run: u32,
    },
    /// Call a run off: what was not sent yet is not sent
    Cancel {
        /// Number of the run
        run: u32,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Close a run: it balances, or an exception is signed
    Close {
        /// Number of the run
        run: u32,
        /// Why it is closed although pieces were given up
        #[arg(long, default_value = "")]
        exception: String,
    },
    /// Send a piece to another address of its channel
    Address {
        /// Number of the run
        run: u32,
        /// Number of the piece
        piece: u32,
        /// The address
        to: String,
        /// Why it goes there; kept in the audit
        #[arg(long)]
        reason: String,
    },
    /// Try pieces again that were given up or are in doubt; others, when named, go out as copies
    Replay {
        /// Number of the run
        run: u32,
        /// Number of a piece; may be given several times
        #[arg(long = "piece")]
        pieces: Vec<u32>,
    },
}

impl Args {
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let (archive, search, _) = context.open_with_search()?;
        let backend = Arc::new(ArchiveBackend::new(archive.clone(), Arc::new(search)));
        let (config, wrong) = configuration(context.dir()?, &*backend)?;
        for error in wrong {
            tracing::error!(%error, "a rule of a definition sends nothing until it is right");
        }
        let source = Served::new(backend);
        let crm = Crm::new(archive.engine(), Clock::default());
        let ledger = Ledger::new(archive.engine());
        let channels = open_channels(&config);
        let worker = Worker { ledger: &ledger, crm: &crm, source: &source, config: &config, channels: &channels };
        let who = operator();
        let record = |kind: &str, run: &Run, why: &str| gate(&archive).record(&who, kind, &run.key, why);
        match self.action {
            Action::Plan { name: None, .. } => {
                for run in schedule::plan_due(&worker.planner())? {
                    record("distribution planned", &run, "")?;
                    tell(context, &run)?;
                }
                Ok(())
            }
            Action::Plan { name: Some(name), loads, called } => {
                let rule = config.distribution(&name);
                let rule = rule.ok_or_else(|| Failure::new(format!("there is no distribution {name:?}")))?;
                if loads.is_empty() {
                    return Err(Failure::new("which loads? Name them with --load"));
                }
                let (run, new) = worker.planner().plan_by_hand(rule, called.as_deref(), loads)?;
                if new {
                    record("distribution planned", &run, "")?;
                }
                tell(context, &run)
            }
            Action::Run => {
                archive_manifests(&archive, &ledger)?;
                if let Some(maildir) = &config.returned_mail {
                    // A mailbox that is not there yet keeps nothing from being sent.
                    if let Err(error) = (Returned { ledger: &ledger, crm: &crm, maildir }).round(&|| false) {
                        tracing::warn!(%error, "the mail that came back was not read");
                    }
                }
                let tried = worker.round(&|| false)?;
                let closed = ledger.close_balanced(crm.now(), &|run| config.closes_after_s(run))?;
                for run in &closed {
                    gate(&archive).record(&who, "distribution closed", &run.key, "it balances")?;
                }
                archive_manifests(&archive, &ledger)?;
                if context.json {
                    return output::json_line(&json!({ "tried": tried }));
                }
                output::line(format!("{tried} pieces were handed over or tried"))
            }
            Action::Status { run: None, .. } => ledger.runs()?.iter().try_for_each(|run| tell(context, run)),
            Action::Status { run: Some(number), account, document, state }
                if account.is_some() || document.is_some() || state.is_some() =>
            {
                let wanted = |piece: &Piece| {
                    account.as_ref().is_none_or(|account| piece.account == *account)
                        && document
                            .as_ref()
                            .is_none_or(|document| piece.owes.iter().any(|owed| owed.document == *document))
                        && state.is_none_or(|state| piece.state == state)
                };
                ledger.run(number)?;
                let mut from = Some(0);
                while let Some(first) = from {
                    let (found, next) = ledger.select(number, first, AT_ONCE, &wanted)?;
                    found.iter().try_for_each(|(at, piece)| tell_piece(context, &ledger, number, *at, piece))?;
                    from = next;
                }
                Ok(())
            }
            Action::Status { run: Some(number), .. } => {
                let (run, sum) = (ledger.run(number)?, ledger.reconcile(number)?);
                if context.json {
                    let closes_at = run.closes_at(config.closes_after_s(&run));
                    return output::json_line(&json!({ "run": run, "reconciliation": sum, "closes_at": closes_at }));
                }
                tell(context, &run)?;
                for (what, part) in [
                    ("planned", sum.planned),
                    ("done", sum.done),
                    ("dead", sum.dead),
                    ("cancelled", sum.cancelled),
                    ("open", sum.open),
                ] {
                    output::line(format!("  {what:<8} {}", totals(&part)))?;
                }
                output::line(format!(
                    "  in doubt {} · paper suppressed {} · replaced {} · copies {} · passed over {}",
                    sum.in_doubt, sum.paper_suppressed, sum.replaced, sum.copies, run.passed_over
                ))?;
                for piece in &sum.named {
                    output::line(format!(
                        "  piece {} {} {}: {}",
                        piece.piece,
                        piece.channel,
                        piece.state.name(),
                        piece.said
                    ))?;
                }
                let by_itself = run.closes_at(config.closes_after_s(&run));
                output::line(match (run.state, sum.open.pieces + sum.copies_open, sum.balances) {
                    (RunState::Closed, ..) => format!("  closed by {}", run.closed_by),
                    (RunState::Held, ..) => "  waits to be released".into(),
                    (_, 0, true) => match by_itself {
                        Some(at) => format!("  sent, it balances; closed by itself at {at}, or by hand"),
                        None => "  sent, it balances; waits to be closed".into(),
                    },
                    (_, 0, false) => "  sent, it does not balance; an exception is to be signed".into(),
                    (_, open, _) => format!("  {open} pieces are open"),
                })
            }
            Action::Release { run } => {
                let run = ledger.release(run, &who.name)?;
                record("distribution released", &run, "")?;
                tell(context, &run)
            }
            Action::Cancel { run, reason } => {
                let (run, count) = ledger.cancel(run, &who.name, &reason)?;
                record("distribution cancelled", &run, &format!("{count} pieces: {}", run.cancelled))?;
                tell(context, &run)
            }
            Action::Close { run, exception } => {
                let run = ledger.close(run, &who.name, &exception, crm.now())?;
                record("distribution closed", &run, &run.exception)?;
                archive_manifests(&archive, &ledger)?;
                ledger.give_back();
                tell(context, &run)
            }
            Action::Address { run: number, piece, to, reason } => {
                let old = ledger.piece(number, piece)?;
                config.check_address(&old.channel, &to)?;
                if reason.trim().is_empty() {
                    return Err(Failure::new("why does it go there? Say it with --reason"));
                }
                let moved = ledger.readdress(number, piece, &to, &who.name)?;
                if moved.id != old.id {
                    worker.crm.revoke_link_of(&who.name, &old.id)?;
                }
                let run = ledger.run(number)?;
                let why = format!("piece {piece} goes to {}: {}", moved.to, reason.trim());
                let account = Some(moved.account.as_str()).filter(|account| !account.is_empty());
                for owed in &moved.owes {
                    let about = (owed.document.parse().ok(), account);
                    let told = ("distribution readdressed", run.key.as_str(), why.as_str());
                    gate(&archive).record_about(&who, Permission::AddressOverride, told, about)?;
                }
                tell(context, &run)
            }
            Action::Replay { run: number, pieces } => {
                let count = worker.planner().replay(number, &pieces)?;
                record("distribution replayed", &ledger.run(number)?, &format!("{count} pieces"))?;
                if context.json {
                    return output::json_line(&json!({ "replayed": count }));
                }
                output::line(format!("{count} pieces are tried again"))
            }
        }
    }
}

/// Manifests are kept like any other stream; one that fails keeps no other, and the first failure is told in the end.
fn archive_manifests(archive: &Arc<Archive>, ledger: &Ledger) -> Result<(), Failure> {
    let mut failed = None;
    for at in ledger.unkept()? {
        let Some(form) = ledger.form(&at)? else { continue };
        let total = Some(form.bytes.len() as u64);
        let source = LoadSource { name: form.name, reader: Box::new(std::io::Cursor::new(form.bytes)), total };
        match archive.load(source, Some(MANIFEST), &|_| {}) {
            Ok(_) => ledger.kept(&at)?,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Pieces that are read at a time.
const AT_ONCE: usize = 1_000;

fn state(name: &str) -> Result<State, String> {
    State::named(name).ok_or_else(|| {
        let known: Vec<&str> = State::ALL.iter().map(|state| state.name()).collect();
        format!("it is one of {}", known.join(", "))
    })
}

fn tell_piece(context: &Context, ledger: &Ledger, run: u32, at: u32, piece: &Piece) -> Result<(), Failure> {
    let proofs = ledger.proofs(run, at)?;
    if context.json {
        return output::json_line(&json!({ "number": at, "piece": piece, "proofs": proofs }));
    }
    let documents: Vec<String> = piece.owes.iter().map(Obligation::name).collect();
    let (channel, state, rung) = (&piece.channel, piece.state.name(), piece.rung.name());
    output::line(format!("piece {at} {channel} {} {state} ({rung}): {}", piece.to, piece.said))?;
    let handed = piece.handed_at.map(|at| format!(", handed over {at}")).unwrap_or_default();
    let by = piece.replaced_by.map(|number| format!(", replaced by {number}")).unwrap_or_default();
    output::line(format!("  account {} documents {}{handed}{by}", piece.account, documents.join(" ")))?;
    for attempt in &piece.tries {
        let (at, came) = (attempt.at, attempt.came.name());
        output::line(format!("  {at} {} {} {came}: {}", attempt.channel, attempt.to, attempt.said))?;
    }
    proofs.iter().try_for_each(|proof| output::line(format!("  {} {}: {}", proof.at, proof.what.name(), proof.said)))
}

fn tell(context: &Context, run: &Run) -> Result<(), Failure> {
    if context.json {
        return output::json_line(run);
    }
    output::line(format!("run {:<5} {:<40} {:<9} {}", run.number, run.key, run.state.name(), totals(&run.planned)))
}

fn totals(part: &Totals) -> String {
    let parts = if part.has_parts() { format!(" {:>9} parts", part.parts) } else { String::new() };
    format!("{:>9} pieces {:>9} documents{parts} {:>9} pages", part.pieces, part.documents, part.pages)
}
