//! The counters of a run, kept with every change of a piece, so that nobody has to read a million pieces to see how far it
//! is. Closing counts piece by piece all the same.

use serde::{Deserialize, Serialize};

use super::channel::Rung;
use super::ledger::Totals;
use super::piece::{Piece, State};

/// Pieces of one channel in one state at one rung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The channel.
    pub channel: String,
    /// Where they stand.
    pub state: State,
    /// How far they came.
    pub rung: Rung,
    /// How many, with what they owe.
    pub totals: Totals,
}

/// The counters of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Pieces by channel, state and rung.
    pub cells: Vec<Cell>,
    /// Pieces that may have come more than once.
    pub in_doubt: u64,
    /// Paper that other pieces stand for.
    pub suppressed: u64,
    /// Pieces that somebody should look at.
    pub named: u64,
    /// Copies of pieces that were sent before; they owe nothing and are in no cell.
    pub copies: u64,
    /// Those of them that nothing became of yet.
    pub copies_open: u64,
    /// Proofs that came after the run was closed, by what they say.
    pub later: std::collections::BTreeMap<String, u64>,
}

impl Tally {
    /// Counts a piece.
    pub fn add(&mut self, piece: &Piece) {
        match piece.copy_of {
            Some(_) => {
                self.copies += 1;
                self.copies_open += u64::from(!piece.state.is_over());
            }
            None => self.cell(piece).add(piece),
        }
        self.in_doubt += u64::from(piece.in_doubt);
        self.suppressed += u64::from(suppresses(piece));
        self.named += u64::from(piece.wants_eyes());
    }

    /// Takes a piece away that was counted.
    pub fn remove(&mut self, piece: &Piece) {
        match piece.copy_of {
            Some(_) => {
                self.copies = self.copies.saturating_sub(1);
                self.copies_open = self.copies_open.saturating_sub(u64::from(!piece.state.is_over()));
            }
            None => {
                let totals = self.cell(piece);
                let mut one = Totals::default();
                one.add(piece);
                totals.pieces = totals.pieces.saturating_sub(one.pieces);
                totals.documents = totals.documents.saturating_sub(one.documents);
                totals.parts = totals.parts.saturating_sub(one.parts);
                totals.pages = totals.pages.saturating_sub(one.pages);
                totals.nano -= one.nano;
            }
        }
        self.in_doubt = self.in_doubt.saturating_sub(u64::from(piece.in_doubt));
        self.suppressed = self.suppressed.saturating_sub(u64::from(suppresses(piece)));
        self.named = self.named.saturating_sub(u64::from(piece.wants_eyes()));
        self.cells.retain(|cell| cell.totals.pieces > 0);
    }

    fn cell(&mut self, piece: &Piece) -> &mut Totals {
        let is = |cell: &Cell| cell.state == piece.state && cell.rung == piece.rung && cell.channel == piece.channel;
        let at = self.cells.iter().position(is).unwrap_or_else(|| {
            let (channel, state, rung) = (piece.channel.clone(), piece.state, piece.rung);
            self.cells.push(Cell { channel, state, rung, totals: Totals::default() });
            self.cells.len() - 1
        });
        &mut self.cells[at].totals
    }
}

fn suppresses(piece: &Piece) -> bool {
    piece.suppresses_paper && piece.state != State::Replaced
}
