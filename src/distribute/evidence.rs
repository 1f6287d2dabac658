//! Proofs that come after handing over: a link was opened, a mail came back.
//!
//! While the run is open they move the piece: up the ladder, or, when it came back, to the next channel of its chain. After
//! it was closed nothing of it changes; proofs are written beside it and counted as later ones. The same proof twice is one.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::DistributeError;
use super::channel::Rung;
use super::ledger::{Ledger, Run, RunState, decode, encode, key};
use super::piece::{Piece, State, digest};
use crate::archive::kv::{Batch, Family};
use crate::crm::Time;

/// What a proof says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// A person opened it.
    Opened,
    /// The recipient's server has it.
    Delivered,
    /// It went on to a server that gives no such notices.
    Relayed,
    /// It is still on its way.
    Delayed,
    /// It came back.
    Bounced,
}

impl What {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            What::Opened => "opened",
            What::Delivered => "delivered",
            What::Relayed => "relayed",
            What::Delayed => "delayed",
            What::Bounced => "bounced",
        }
    }
}

/// A proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// When it was noted.
    pub at: Time,
    /// What it says.
    pub what: What,
    /// The words of who said it.
    pub said: String,
    /// The address that it is about, where the piece goes elsewhere since.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub before: String,
}

impl Proof {
    /// One that says so, now.
    pub fn new(at: Time, what: What, said: impl Into<String>) -> Proof {
        Proof { at, what, said: said.into(), before: String::new() }
    }
}

/// Where a proof was noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The run.
    pub run: Run,
    /// Number of the piece.
    pub number: u32,
    /// The piece as it is now.
    pub piece: Piece,
    /// The address that the mail of the proof went to.
    pub to: String,
    /// It was noted before.
    pub known: bool,
}

impl Ledger {
    /// Notes a proof for the piece with this id; `None`: there is no such piece. Under an older id it is about what was sent
    /// before (to another address): it is kept beside the piece and moves nothing.
    pub fn prove(&self, id: &str, proof: &Proof) -> Result<Option<Noted>, DistributeError> {
        let _turn = self.turn();
        let Some((number, at, to)) = self.find(id)? else { return Ok(None) };
        let (mut run, old) = (self.run(number)?, self.piece(number, at)?);
        let is_current = old.id == id;
        let to = if to.is_empty() && is_current { old.to.clone() } else { to };
        let about = if is_current { "" } else { id };
        let text = format!("{}\n{}{about}", proof.what.name(), proof.said);
        let row = [key(b'e', number, Some(at)), digest(text.as_bytes()).into_bytes()].concat();
        if self.engine.get(Family::Outbox, &row)?.is_some() {
            return Ok(Some(Noted { run, number: at, piece: old, to, known: true }));
        }
        let (mut batch, mut tally) = (Batch::default(), self.tally(number)?);
        let before = if is_current { String::new() } else { to.clone() };
        batch.put(Family::Outbox, row, encode(&Proof { before, ..proof.clone() })?);
        let mut piece = old.clone();
        if run.state == RunState::Closed {
            *tally.later.entry(proof.what.name().into()).or_default() += 1;
        } else if is_current {
            moved(&mut piece, proof);
            self.settle(&mut batch, &mut tally, &mut run, (at, &old, piece.clone()))?;
        }
        self.put_tally(&mut batch, number, &tally)?;
        self.engine.commit(batch)?;
        Ok(Some(Noted { run, number: at, piece, to, known: false }))
    }

    /// The proofs of a piece.
    pub fn proofs(&self, run: u32, number: u32) -> Result<Vec<Proof>, DistributeError> {
        let (from, to) = (key(b'e', run, Some(number)), key(b'e', run, Some(number.saturating_add(1))));
        let mut rows = Vec::new();
        self.engine.scan(Family::Outbox, from.as_slice()..to.as_slice(), &mut |_, row| {
            rows.push(decode::<Proof>(row));
            ControlFlow::Continue(())
        })?;
        let mut proofs = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
        proofs.sort_by_key(|proof| proof.at);
        Ok(proofs)
    }

    /// Writes what a piece became; a dead one with a way left is replaced by a piece for that way, which makes the run
    /// longer. The caller has the turn and writes the counters.
    pub(super) fn settle(
        &self,
        batch: &mut Batch,
        tally: &mut super::tally::Tally,
        run: &mut Run,
        (number, old, mut piece): (u32, &Piece, Piece),
    ) -> Result<(), DistributeError> {
        if run.state == RunState::Cancelled && !piece.state.is_over() {
            piece.call_off(&run.cancelled);
        }
        if piece.state == State::Dead && !piece.fallback.is_empty() && run.state != RunState::Cancelled {
            let (channel, to) = piece.fallback.remove(0);
            let next = Piece {
                channel,
                to,
                account: piece.account.clone(),
                group: piece.group.clone(),
                language: piece.language.clone(),
                owes: piece.owes.clone(),
                fallback: std::mem::take(&mut piece.fallback),
                generation: 1,
                ..Piece::default()
            };
            let next = next.named(&run.key);
            (piece.state, piece.replaced_by) = (State::Replaced, Some(run.pieces));
            self.put_new(batch, run.number, run.pieces, &next)?;
            tally.add(&next);
            run.pieces += 1;
            self.put_run(batch, run)?;
        }
        if piece.state.is_over() || piece.state == State::InDoubt {
            piece.next_at = Time::default();
        }
        Ok(self.put_piece(batch, tally, (run.number, number), old, &piece)?)
    }
}

/// What a proof makes of a piece of an open run.
fn moved(piece: &mut Piece, proof: &Proof) {
    let rung = match proof.what {
        What::Opened => Rung::Opened,
        What::Delivered => Rung::Reached,
        What::Relayed | What::Delayed => return,
        What::Bounced => {
            // It is with nobody: what the next hop promised it did not keep.
            if matches!(piece.state, State::Done | State::Retrying | State::InDoubt) {
                (piece.state, piece.rung) = (State::Dead, Rung::Handed);
                piece.said = format!("it came back: {}", proof.said);
            }
            return;
        }
    };
    piece.rung = piece.rung.max(rung);
    // Whoever has it has it, whatever was heard while it was handed over.
    if matches!(piece.state, State::Retrying | State::InDoubt | State::Dead) {
        piece.state = State::Done;
    }
}
