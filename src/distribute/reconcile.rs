//! Reconciliation: what was planned against what became of it, closing, and sending again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::DistributeError;
use super::channel::Rung;
use super::ledger::{Ledger, Run, RunState, Totals, key};
use super::piece::{Obligation, Piece, State, digest};
use super::tally::Tally;
use crate::archive::kv::{Batch, Family};
use crate::crm::Time;

/// Pieces named in a reconciliation; the counts are complete.
const MOST_NAMED: usize = 1_000;

/// Pieces that are called off in one step of the store.
const AT_ONCE: usize = 10_000;
/// Who closed a run that closed by itself.
pub const BY_ITSELF: &str = "greenbar";
/// Bytes of a reason at most.
const MOST_REASON: usize = 2_000;

/// What became of a run. Each obligation is counted once, by the last piece of its chain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Planned.
    pub planned: Totals,
    /// At the rung that their channels can reach.
    pub done: Totals,
    /// Given up.
    pub dead: Totals,
    /// Called off before they were sent.
    pub cancelled: Totals,
    /// None of these.
    pub open: Totals,
    /// Copies of pieces that were sent before: they owe nothing, and are counted here alone.
    pub copies: u64,
    /// Those of them that nothing became of yet.
    pub copies_open: u64,
    /// Of all: pieces that may have come more than once.
    pub in_doubt: u64,
    /// Paper that other pieces stand for.
    pub paper_suppressed: u64,
    /// Pieces that others stand for.
    pub replaced: u64,
    /// Pieces by channel and rung.
    pub rungs: BTreeMap<String, BTreeMap<&'static str, u64>>,
    /// Pieces given up, tried again and in doubt.
    pub to_look_at: u64,
    /// Proofs that came after the run was closed.
    pub later: BTreeMap<String, u64>,
    /// The first of those to look at, by number.
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
    /// Where it goes.
    pub to: String,
    /// The account; empty: none.
    pub account: String,
    /// Its documents; of one that is not owed whole with its pages: `7-12:3-4`.
    pub documents: Vec<String>,
    /// Where it stands.
    pub state: State,
    /// Whether it may have come more than once.
    pub in_doubt: bool,
    /// What was said last.
    pub said: String,
}

impl Ledger {
    /// What became of a run, by its kept counters; the first pieces to look at are named.
    pub fn reconcile(&self, number: u32) -> Result<Reconciliation, DistributeError> {
        self.reconcile_from(number, 0)
    }

    /// The same; pieces are named from `first` on.
    pub fn reconcile_from(&self, number: u32, first: u32) -> Result<Reconciliation, DistributeError> {
        let (run, tally) = (self.run(number)?, self.tally(number)?);
        let mut sum = Reconciliation::of(&run, &tally);
        let named = self.named(number, first, MOST_NAMED)?;
        sum.named = named.into_iter().map(|(at, piece)| Named::of(at, &piece)).collect();
        Ok(sum)
    }

    /// Closes the runs whose books have balanced for so many seconds as `after` says of them (`None`: somebody closes them); the
    /// counters say whether, and closing counts piece by piece once more.
    pub fn close_balanced(&self, now: Time, after: &dyn Fn(&Run) -> Option<i64>) -> Result<Vec<Run>, DistributeError> {
        let mut closed = Vec::new();
        for run in self.open_runs()? {
            if !self.notice_balance(run.number, now)? {
                continue;
            }
            let run = self.run(run.number)?;
            let since = run.balanced_at.unwrap_or(now);
            if after(&run).is_some_and(|after| now.0 - since.0 >= after) {
                closed.push(self.close(run.number, BY_ITSELF, "", now)?);
            }
        }
        Ok(closed)
    }

    /// Notes since when a run balances; whether it does.
    fn notice_balance(&self, number: u32, now: Time) -> Result<bool, DistributeError> {
        let _turn = self.turn();
        let mut run = self.run(number)?;
        let sum = Reconciliation::of(&run, &self.tally(number)?);
        let balances = run.state != RunState::Held && sum.balances && sum.copies_open == 0;
        if balances != run.balanced_at.is_some() {
            run.balanced_at = balances.then_some(now);
            let mut batch = Batch::default();
            self.put_run(&mut batch, &run)?;
            self.engine.commit(batch)?;
        }
        Ok(balances)
    }

    /// Closes a run that balances; one that does not needs an exception, signed by somebody who neither released it nor worked on
    /// it.
    /// Nothing may be open. Its manifest waits to be archived ([`Ledger::unkept`]); the bytes of its pieces are let go, and
    /// their room is given back by whoever calls [`Ledger::give_back`].
    pub fn close(&self, number: u32, by: &str, exception: &str, now: Time) -> Result<Run, DistributeError> {
        let _turn = self.turn();
        let mut run = self.run(number)?;
        // What is signed is counted piece by piece, whatever the counters say.
        let sum =
            Reconciliation { named: self.reconcile(number)?.named, ..Reconciliation::of(&run, &self.count(number)?) };
        let refuse = |why: String| Err(DistributeError::State(why));
        if run.state == RunState::Closed {
            return refuse(format!("run {number} is closed"));
        }
        if sum.copies_open > 0 {
            return refuse(format!("{} copies of run {number} are open", sum.copies_open));
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
        if !sum.balances && run.worked_on_by.iter().any(|known| known == by) {
            return refuse("who worked on a run does not sign its exception".into());
        }
        run.state = RunState::Closed;
        (run.closed_by, run.closed_at) = (by.to_string(), Some(now));
        run.exception = if sum.balances { String::new() } else { exception.trim().to_string() };
        let forms = super::manifest::forms(self, &run, &sum)?;
        run.manifests = forms.iter().map(|form| digest(&form.bytes)).collect();
        run.manifest = run.manifests.first().cloned().unwrap_or_default();
        let mut batch = Batch::default();
        self.put_run(&mut batch, &run)?;
        self.keep_forms(&mut batch, number, forms);
        for letter in [b'b', b'h'] {
            batch.delete_range(Family::Outbox, key(letter, number, None)..key(letter, number + 1, None));
        }
        self.engine.commit(batch)?;
        self.let_go();
        Ok(run)
    }

    /// Sends a piece to another address of its channel: one that was given up, is tried again or is in doubt. It is a new
    /// piece for its receiver: new bytes and a new id. `by` chose the address; whether they may is for the caller to ask.
    pub fn readdress(&self, number: u32, at: u32, to: &str, by: &str) -> Result<Piece, DistributeError> {
        let to = to.trim();
        if to.is_empty() || to.len() > 320 || to.chars().any(char::is_control) {
            return Err(DistributeError::State("another address is needed".into()));
        }
        let _turn = self.turn();
        let (run, old) = (self.run(number)?, self.piece(number, at)?);
        is_worked_on(&run)?;
        if !matches!(old.state, State::Dead | State::InDoubt | State::Retrying) {
            return Err(DistributeError::State(format!("piece {at} of run {number} is {}", old.state.name())));
        }
        let piece = Piece {
            to: to.to_string(),
            addressed_by: by.to_string(),
            state: State::Planned,
            rung: Rung::None,
            attempts: 0,
            next_at: Time::default(),
            sha256: String::new(),
            ..old.clone()
        };
        let piece = piece.named(&run.key);
        let (mut batch, mut tally) = (Batch::default(), self.tally(number)?);
        batch.delete(Family::Outbox, key(b'b', number, Some(at)));
        self.put_piece(&mut batch, &mut tally, (number, at), &old, &piece)?;
        self.put_tally(&mut batch, number, &tally)?;
        self.engine.commit(batch)?;
        self.stir();
        Ok(piece)
    }

    /// Makes the pieces of a run due now that wait for their next attempt, for when what kept them is gone; returns how many
    /// those are. Their attempts count on.
    pub fn hasten(&self, number: u32) -> Result<u64, DistributeError> {
        let _turn = self.turn();
        let run = self.run(number)?;
        if run.state != RunState::Released {
            return Err(DistributeError::State(format!("run {number} is {}", run.state.name())));
        }
        let (mut batch, mut tally, mut count) = (Batch::default(), self.tally(number)?, 0);
        for (at, old) in self.named(number, 0, usize::MAX)? {
            if old.state != State::Retrying && old.ticket.is_empty() {
                continue;
            }
            let piece = Piece { next_at: Time::default(), ..old.clone() };
            self.put_piece(&mut batch, &mut tally, (number, at), &old, &piece)?;
            count += 1;
        }
        self.put_tally(&mut batch, number, &tally)?;
        self.engine.commit(batch)?;
        self.stir();
        Ok(count)
    }

    /// Sends pieces again: those given up or in doubt are tried anew, as `anew` makes them (`None`: there is no way to the
    /// recipient still, and they stay as they are); of those that are done a copy goes out, which is a piece of the next
    /// generation: the first keeps its id, its bytes' digest and its rung. `which`: numbers; empty: all that were given up or
    /// are in doubt. Returns how many are sent again.
    pub fn replay(
        &self,
        number: u32,
        which: &[u32],
        anew: &dyn Fn(&Run, &Piece) -> Result<Option<Piece>, DistributeError>,
    ) -> Result<u64, DistributeError> {
        let _turn = self.turn();
        let mut run = self.run(number)?;
        is_worked_on(&run)?;
        let mut found: Vec<(u32, Piece)> = Vec::new();
        self.pieces(number, &mut |at, piece| {
            let waits = matches!(piece.state, State::Dead | State::InDoubt);
            let asked = which.contains(&at) && (waits || matches!(piece.state, State::Done | State::Retrying));
            if asked || (which.is_empty() && waits) {
                found.push((at, piece));
            }
        })?;
        let (mut batch, mut tally, mut count) = (Batch::default(), self.tally(number)?, 0);
        for (at, old) in found {
            if old.state == State::Done {
                let copy = old.copy(at, &run);
                self.put_new(&mut batch, number, run.pieces, &copy)?;
                tally.add(&copy);
                run.pieces += 1;
                count += 1;
                continue;
            }
            let Some(mut piece) = anew(&run, &old)? else { continue };
            if piece.id != old.id {
                batch.delete(Family::Outbox, key(b'b', number, Some(at)));
            }
            (piece.state, piece.attempts, piece.next_at) = (State::Planned, 0, Time::default());
            self.put_piece(&mut batch, &mut tally, (number, at), &old, &piece)?;
            count += 1;
        }
        self.put_run(&mut batch, &run)?;
        self.put_tally(&mut batch, number, &tally)?;
        self.engine.commit(batch)?;
        self.stir();
        Ok(count)
    }

    /// Calls off a run that is held or being sent: what was not sent yet is not sent. What is being handed over at the moment
    /// ends as it ends; what may be with its receiver is given up, for somebody to answer for. Returns how many pieces were
    /// called off.
    pub fn cancel(&self, number: u32, by: &str, why: &str) -> Result<(Run, u64), DistributeError> {
        let why = why.trim();
        if why.is_empty() || why.len() > MOST_REASON {
            return Err(DistributeError::State("say why the run is cancelled".into()));
        }
        let _turn = self.turn();
        let mut run = self.run(number)?;
        is_worked_on(&run)?;
        (run.state, run.cancelled_by, run.cancelled) = (RunState::Cancelled, by.to_string(), why.to_string());
        let mut first = Batch::default();
        self.put_run(&mut first, &run)?;
        // From here on nothing of it is handed over any more; what a crash leaves open is called off by whoever works on.
        self.engine.commit(first)?;
        let count = self.call_off(number, why, &|_| true)?;
        Ok((run, count))
    }

    /// Calls off what open runs owe of a load that was taken out of the archive; returns how many pieces.
    pub fn unloaded(&self, load: u32, why: &str) -> Result<u64, DistributeError> {
        // They ask for their turn by themselves.
        let runs = self.open_runs()?;
        let _turn = self.turn();
        let (mut count, of_load) = (0, format!("{load}-"));
        let said = format!("load {load} was taken out of the archive: {}", why.trim());
        for run in runs.iter().filter(|run| run.loads.contains(&load)) {
            let all_of_it = |piece: &Piece| piece.owes.iter().all(|owed| owed.document.starts_with(&of_load));
            count += self.call_off(run.number, &said, &all_of_it)?;
        }
        Ok(count)
    }

    /// Calls off the pieces of a run that are not over and not being handed over. The caller has the turn.
    fn call_off(&self, run: u32, why: &str, which: &dyn Fn(&Piece) -> bool) -> Result<u64, DistributeError> {
        let waits = |piece: &Piece| {
            !piece.state.is_over() && (piece.state != State::Handing || !piece.ticket.is_empty()) && which(piece)
        };
        let (mut count, mut first) = (0, Some(0));
        while let Some(from) = first {
            let (found, next) = self.select(run, from, AT_ONCE, &waits)?;
            let (mut batch, mut tally) = (Batch::default(), self.tally(run)?);
            for (at, old) in found {
                let mut piece = old.clone();
                piece.call_off(why);
                self.put_piece(&mut batch, &mut tally, (run, at), &old, &piece)?;
                count += 1;
            }
            self.put_tally(&mut batch, run, &tally)?;
            self.engine.commit(batch)?;
            first = next;
        }
        Ok(count)
    }
}

/// Whether pieces of a run can still be worked on; else why not.
fn is_worked_on(run: &Run) -> Result<(), DistributeError> {
    match run.state {
        RunState::Held | RunState::Released => Ok(()),
        RunState::Closed | RunState::Cancelled => {
            Err(DistributeError::State(format!("run {} is {}", run.number, run.state.name())))
        }
    }
}

impl Reconciliation {
    /// By the counters of a run; nothing is named.
    pub fn of(run: &Run, tally: &Tally) -> Reconciliation {
        let mut sum = Reconciliation {
            planned: run.planned,
            in_doubt: tally.in_doubt,
            paper_suppressed: tally.suppressed,
            to_look_at: tally.named,
            later: tally.later.clone(),
            copies: tally.copies,
            copies_open: tally.copies_open,
            ..Reconciliation::default()
        };
        for cell in &tally.cells {
            let name = if cell.rung == Rung::None { cell.state.name() } else { cell.rung.name() };
            *sum.rungs.entry(cell.channel.clone()).or_default().entry(name).or_default() += cell.totals.pieces;
            let part = match cell.state {
                // The piece that stands for it is counted.
                State::Replaced => {
                    sum.replaced += cell.totals.pieces;
                    continue;
                }
                State::Done => &mut sum.done,
                State::Dead => &mut sum.dead,
                State::Cancelled => &mut sum.cancelled,
                _ => &mut sum.open,
            };
            part.join(cell.totals);
        }
        if run.planned.parts == 0 {
            // It was planned when nobody counted parts: every part was a document.
            [&mut sum.done, &mut sum.dead, &mut sum.cancelled, &mut sum.open]
                .into_iter()
                .for_each(|part| part.parts = 0);
        }
        let mut reached = Totals::default();
        for part in [sum.done, sum.dead, sum.cancelled, sum.open] {
            reached.join(part);
        }
        sum.balances = reached == sum.planned && sum.open.pieces == 0 && sum.dead.pieces == 0;
        sum
    }
}

impl Named {
    /// Of this piece.
    pub fn of(at: u32, piece: &Piece) -> Named {
        Named {
            piece: at,
            id: piece.id.clone(),
            channel: piece.channel.clone(),
            to: piece.to.clone(),
            account: piece.account.clone(),
            documents: piece.owes.iter().map(Obligation::name).collect(),
            state: piece.state,
            in_doubt: piece.in_doubt,
            said: piece.said.clone(),
        }
    }
}
