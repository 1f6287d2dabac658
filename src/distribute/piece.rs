//! Pieces: what one recipient gets by one channel, and the obligations in it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::channel::Rung;
use crate::auth::secret::hex;
use crate::crm::Time;

/// Where a piece stands. Each piece ends in one of those that [`State::is_over`] names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It waits for its turn.
    #[default]
    Planned,
    /// It is being handed over.
    Handing,
    /// It was not taken; it is tried again.
    Retrying,
    /// The answer was lost; somebody decides.
    InDoubt,
    /// It reached the rung that its channel can reach.
    Done,
    /// It was given up.
    Dead,
    /// It was given up, and another piece stands for it.
    Replaced,
    /// Somebody called it off before it was sent.
    Cancelled,
}

impl State {
    /// All of them.
    pub const ALL: [State; 8] = [
        State::Planned,
        State::Handing,
        State::Retrying,
        State::InDoubt,
        State::Done,
        State::Dead,
        State::Replaced,
        State::Cancelled,
    ];

    /// The state of this name.
    pub fn named(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more happens to it by itself.
    pub fn is_over(self) -> bool {
        matches!(self, State::Done | State::Dead | State::Replaced | State::Cancelled)
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Handing => "handing",
            State::Retrying => "retrying",
            State::InDoubt => "in-doubt",
            State::Done => "done",
            State::Dead => "dead",
            State::Replaced => "replaced",
            State::Cancelled => "cancelled",
        }
    }
}

/// A document that is owed to somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Obligation {
    /// The document.
    pub document: String,
    /// Its pages that are owed.
    pub pages: u32,
    /// Which they are, first and last of each stretch from 1; none: all of the document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stretches: Vec<(u32, u32)>,
    /// Its amount in 10^-9, for the control total.
    pub nano: i128,
    /// A further part of a document that goes to several: the document and its amount are counted with the part that has
    /// its first page.
    #[serde(skip_serializing_if = "is_false")]
    pub further: bool,
}

fn is_never(at: &Time) -> bool {
    at.0 == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Obligation {
    /// The document and, where not all of it is owed, its pages: `7-12:3-4,9-9`.
    pub fn name(&self) -> String {
        let stretches: Vec<String> = self.stretches.iter().map(|(first, last)| format!("{first}-{last}")).collect();
        if stretches.is_empty() { self.document.clone() } else { format!("{}:{}", self.document, stretches.join(",")) }
    }

    /// The pages that are owed as renditions count them, from 0.
    pub fn only(&self) -> Vec<(u32, u32)> {
        self.stretches.iter().map(|(first, last)| (first.saturating_sub(1), last.saturating_sub(1))).collect()
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Came {
    /// It was taken.
    #[default]
    Taken,
    /// Not now.
    Later,
    /// The channel was out of order; the attempt does not count.
    OutOfOrder,
    /// It was refused for good.
    Refused,
    /// The answer was lost.
    InDoubt,
}

impl Came {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Came::Taken => "taken",
            Came::Later => "later",
            Came::OutOfOrder => "out-of-order",
            Came::Refused => "refused",
            Came::InDoubt => "in-doubt",
        }
    }
}

/// An attempt to hand a piece over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attempt {
    /// When it began.
    pub at: Time,
    /// By which channel.
    pub channel: String,
    /// Where to; empty where the channel has one place.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// What came of it.
    pub came: Came,
    /// What was answered.
    pub said: String,
}

/// Attempts kept of one piece: of more the first and the last.
const MOST_TRIES: usize = 20;
/// Characters kept of an answer.
const MOST_SAID: usize = 500;

/// A piece as kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Piece {
    /// Hash of run, channel, obligations and generation: the same for every attempt.
    pub id: String,
    /// The channel.
    pub channel: String,
    /// Where it goes; empty where the channel has one place.
    pub to: String,
    /// Who chose the address instead of the customer; empty: nobody did.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub addressed_by: String,
    /// The account; empty: none.
    pub account: String,
    /// What its documents have in common, where a field says who gets them: `branch 0012`.
    pub group: String,
    /// Language of the recipient.
    pub language: String,
    /// What it owes.
    pub owes: Vec<Obligation>,
    /// Where it stands.
    pub state: State,
    /// How far it came.
    pub rung: Rung,
    /// Attempts so far.
    pub attempts: u32,
    /// What was said last.
    pub said: String,
    /// Not before this it is tried; none where it waits for nothing.
    #[serde(skip_serializing_if = "is_never")]
    pub next_at: Time,
    /// The attempts, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<Attempt>,
    /// The next hop works on it: what to ask with for what becomes of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ticket: String,
    /// When it was last handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handed_at: Option<Time>,
    /// It may have come more than once.
    pub in_doubt: bool,
    /// SHA-256 of the bytes that go out, once they are made.
    pub sha256: String,
    /// File name of what goes out.
    pub name: String,
    /// 1, and one more for each replay of a piece that was over.
    pub generation: u32,
    /// The channels that are left when this one fails.
    pub fallback: Vec<(String, String)>,
    /// Paper that is not sent because of this piece: it is, should this one die.
    pub suppresses_paper: bool,
    /// Number of the piece that stands for it.
    pub replaced_by: Option<u32>,
    /// It is a copy of a piece of this number, which owes what is in it: a copy owes nothing more and is counted by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<u32>,
}

impl Piece {
    /// Whether somebody should look at it: it was given up, is tried again, lies with a printer, or may have come twice. What only waits for its
    /// turn needs nobody's eyes.
    pub fn wants_eyes(&self) -> bool {
        let fine =
            matches!(self.state, State::Planned | State::Handing | State::Done | State::Replaced | State::Cancelled);
        self.in_doubt || !fine || !self.ticket.is_empty()
    }

    /// A copy of it, as the piece `at` of its run: the next generation, to the same place. It has no other ways: the first is
    /// there already.
    pub fn copy(&self, at: u32, run: &super::ledger::Run) -> Piece {
        let copy = Piece {
            channel: self.channel.clone(),
            to: self.to.clone(),
            addressed_by: self.addressed_by.clone(),
            account: self.account.clone(),
            group: self.group.clone(),
            language: self.language.clone(),
            owes: self.owes.clone(),
            // Two copies are two pieces: the number of the run's next piece tells them apart.
            generation: self.generation.max(1) + 1,
            copy_of: Some(at),
            ..Piece::default()
        };
        copy.named(&format!("{}\n{}", run.key, run.pieces))
    }

    /// Notes an attempt that began when it was last handed over.
    pub fn tried(&mut self, came: Came) {
        if self.tries.len() >= MOST_TRIES {
            self.tries.remove(1);
        }
        let said = self.said.chars().take(MOST_SAID).collect();
        let (channel, to) = (self.channel.clone(), self.to.clone());
        self.tries.push(Attempt { at: self.handed_at.unwrap_or_default(), channel, to, came, said });
    }

    /// Calls it off. What may be with its receiver already is given up instead: somebody answers for it.
    pub fn call_off(&mut self, why: &str) {
        self.fallback.clear();
        self.next_at = Time::default();
        let is_out = !std::mem::take(&mut self.ticket).is_empty();
        if self.in_doubt || self.state == State::InDoubt || is_out {
            self.state = State::Dead;
            self.said = format!("cancelled, but it may have come: {why}");
        } else {
            self.state = State::Cancelled;
            self.said = format!("cancelled: {why}");
        }
    }

    /// Gives it its id.
    pub fn named(mut self, run: &str) -> Piece {
        let mut documents: Vec<String> = self.owes.iter().map(Obligation::name).collect();
        documents.sort_unstable();
        let text = format!("{run}\n{}\n{}\n{}\n{}", self.channel, self.to, self.generation, documents.join("\n"));
        self.id = digest(text.as_bytes()).get(..32).unwrap_or_default().to_string();
        self
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
