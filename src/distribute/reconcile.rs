//! Reconciliation: what was planned against what became of it, closing, and sending again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::DistributeError;
use super::channel::Rung;
use super::ledger::{Ledger, Run, RunState, Totals, key};
use super::piece::{Piece, State, digest};
use crate::archive::kv::{Batch, Family};
use crate::crm::Time;

/// Pieces named in a reconciliation; the counts are complete.
const MOST_NAMED: usize = 1_000;

/// What became of a run. Each obligation is counted once, by the last piece of its chain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Planned.
    pub planned: Totals,
    /// At the rung that their channels can reach.
    pub done: Totals,
    /// Given up.
    pub dead: Totals,
    /// Neither.
    pub open: Totals,
    /// Of all: pieces that may have come more than once.
    pub in_doubt: u64,
    /// Paper that other pieces stand for.
    pub paper_suppressed: u64,
    /// Pieces that others stand for.
    pub replaced: u64,
    /// Pieces by channel and rung.
    pub rungs: BTreeMap<String, BTreeMap<&'static str, u64>>,
    /// Pieces given up, tried again and in doubt, by number.
    pub named: Vec<Named>,
    /// Nothing is open or given up, and all totals are those that were planned.
    pub balances: bool,
}

/// A piece that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its number in the run.
    pub piece: u32,
    /// Its id.
    pub id: String,
    /// The channel.
    pub channel: String,
    /// Its documents.
    pub documents: Vec<String>,
    /// Where it stands.
    pub state: State,
    /// Whether it may have come more than once.
    pub in_doubt: bool,
    /// What was said last.
    pub said: String,
}

impl Ledger {
    /// What became of a run.
    pub fn reconcile(&self, number: u32) -> Result<Reconciliation, DistributeError> {
        let run = self.run(number)?;
        let mut sum = Reconciliation { planned: run.planned, ..Reconciliation::default() };
        self.pieces(number, &mut |at, piece| sum.count(at, &piece))?;
        let mut reached = Totals::default();
        for part in [sum.done, sum.dead, sum.open] {
            reached.pieces += part.pieces;
            reached.documents += part.documents;
            reached.pages += part.pages;
            reached.nano += part.nano;
        }
        sum.balances = reached == sum.planned && sum.open.pieces == 0 && sum.dead.pieces == 0;
        Ok(sum)
    }

    /// Closes a run that balances; one that does not needs an exception, signed by somebody who did not release it.
    /// Nothing may be open. Returns the run and its manifest (JSON); the bytes of its pieces are let go.
    pub fn close(&self, number: u32, by: &str, exception: &str, now: Time) -> Result<(Run, String), DistributeError> {
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut run = self.run(number)?;
        let sum = self.reconcile(number)?;
        let refuse = |why: String| Err(DistributeError::State(why));
        if run.state == RunState::Closed {
            return refuse(format!("run {number} is closed"));
        }
        if sum.open.pieces > 0 {
            return refuse(format!("{} pieces of run {number} are open", sum.open.pieces));
        }
        if !sum.balances && exception.trim().is_empty() {
            let (dead, planned) = (sum.dead.pieces, sum.planned.pieces);
            return refuse(format!(
                "run {number} does not balance: {dead} of {planned} pieces were given up; an exception is to be signed"
            ));
        }
        if !sum.balances && run.released_by == by {
            return refuse("who released a run does not sign its exception".into());
        }
        run.state = RunState::Closed;
        (run.closed_by, run.closed_at) = (by.to_string(), Some(now));
        run.exception = if sum.balances { String::new() } else { exception.trim().to_string() };
        let manifest = self.manifest(&run, &sum)?;
        run.manifest = digest(manifest.as_bytes());
        let mut batch = Batch::default();
        self.put_run(&mut batch, &run)?;
        batch.delete_range(Family::Outbox, key(b'b', number, None)..key(b'b', number + 1, None));
        self.engine.commit(batch)?;
        Ok((run, manifest))
    }

    /// Every piece with its digest, one JSON object a line, after a line with the run and the totals. The last line chains
    /// the digests, so that none can be left out.
    fn manifest(&self, run: &Run, sum: &Reconciliation) -> Result<String, DistributeError> {
        let broken = |error: serde_json::Error| DistributeError::Compose(error.to_string());
        let head = serde_json::json!({ "manifest": run.key, "run": run, "reconciliation": sum });
        let mut text = format!("{head}\n");
        let (mut chain, mut failed) = (String::new(), None);
        self.pieces(run.number, &mut |_, piece| match serde_json::to_string(&piece) {
            Ok(line) => {
                chain = digest(format!("{chain}{}{}", piece.id, piece.sha256).as_bytes());
                text.push_str(&line);
                text.push('\n');
            }
            Err(error) => failed = Some(error),
        })?;
        if let Some(error) = failed {
            return Err(broken(error));
        }
        text.push_str(&format!("{}\n", serde_json::json!({ "digest_chain": chain })));
        Ok(text)
    }

    /// Sends pieces again: those given up or in doubt are tried anew as they are; those that are done go out as a copy of the
    /// next generation. `which`: numbers; empty: all that were given up or are in doubt.
    pub fn replay(&self, number: u32, which: &[u32]) -> Result<u64, DistributeError> {
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let run = self.run(number)?;
        if run.state == RunState::Closed {
            return Err(DistributeError::State(format!("run {number} is closed")));
        }
        let mut found: Vec<(u32, Piece)> = Vec::new();
        self.pieces(number, &mut |at, piece| {
            let waits = matches!(piece.state, State::Dead | State::InDoubt);
            let asked = which.contains(&at) && (waits || piece.state == State::Done);
            if asked || (which.is_empty() && waits) {
                found.push((at, piece));
            }
        })?;
        let mut batch = Batch::default();
        let count = found.len() as u64;
        for (at, mut piece) in found {
            if piece.state == State::Done {
                piece.generation += 1;
                batch.delete(Family::Outbox, key(b'b', number, Some(at)));
                piece = Piece { sha256: String::new(), ..piece.named(&run.key) };
            }
            (piece.state, piece.attempts, piece.next_at) = (State::Planned, 0, Time::default());
            self.put_piece(&mut batch, number, at, &piece)?;
        }
        self.engine.commit(batch)?;
        Ok(count)
    }
}

impl Reconciliation {
    fn count(&mut self, at: u32, piece: &Piece) {
        self.in_doubt += u64::from(piece.in_doubt);
        let rungs = self.rungs.entry(piece.channel.clone()).or_default();
        *rungs.entry(if piece.rung == Rung::None { piece.state.name() } else { piece.rung.name() }).or_default() += 1;
        match piece.state {
            // The piece that stands for it is counted.
            State::Replaced => self.replaced += 1,
            State::Done => self.done.add(piece),
            State::Dead => self.dead.add(piece),
            _ => self.open.add(piece),
        }
        self.paper_suppressed += u64::from(piece.suppresses_paper && piece.state != State::Replaced);
        // What only waits for its turn needs nobody's eyes.
        let fine = matches!(piece.state, State::Planned | State::Handing | State::Done | State::Replaced);
        if (piece.in_doubt || !fine) && self.named.len() < MOST_NAMED {
            self.named.push(Named {
                piece: at,
                id: piece.id.clone(),
                channel: piece.channel.clone(),
                documents: piece.owes.iter().map(|owed| owed.document.clone()).collect(),
                state: piece.state,
                in_doubt: piece.in_doubt,
                said: piece.said.clone(),
            });
        }
    }
}
