//! What somebody switched at a queue: whether its streams are taken, whether they are loaded, what its printer says of itself.
//!
//! A paused queue takes streams and holds them, one that holds what is new only those that come from then on; resuming lets go what that held and nothing that somebody holds for a
//! reason of their own. A closed queue takes nothing: its senders hear that they should try again later. Both outlive the
//! server. Who may switch is the caller's business (`serve/operate.rs`, `capture/ipp/operator.rs`).

use std::collections::{BTreeMap, HashSet};
use std::sync::{MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::CaptureError;
use super::intake::Intake;
use super::item::{Hold, Item, State};
use super::rows;
use crate::archive::kv::Batch;

/// Queues that may differ from the usual.
const MOST_QUEUES: usize = 1_000;
/// Characters of a name of a queue, of a description and of a place (RFC 8011, section 5.4: at most 127).
pub const MOST_CHARACTERS: usize = 127;
/// Items that are held in one step.
const AT_ONCE: usize = 500;

/// How a queue is switched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Switches {
    /// Its name; upper and lower case are the same.
    pub queue: String,
    /// Its streams are taken and held.
    #[serde(default)]
    pub paused: bool,
    /// Nothing is taken for it.
    #[serde(default)]
    pub closed: bool,
    /// What comes for it is held; what waited already is loaded.
    #[serde(default)]
    pub holds_new: bool,
    /// Its printer was shut down: paused and closed until it is started again.
    #[serde(default)]
    pub down: bool,
    /// What its printer says it is; empty: the usual.
    #[serde(default)]
    pub info: String,
    /// Where its printer says it is.
    #[serde(default)]
    pub location: String,
    /// What an operator has to say to those who print.
    #[serde(default)]
    pub message: String,
    /// Who changed it last.
    #[serde(default)]
    pub by: String,
    /// When, seconds since 1970 UTC.
    #[serde(default)]
    pub at: i64,
}

/// A change of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switch {
    /// Take its streams and hold them.
    Pause,
    /// Load what was held so or as new, and what comes.
    Resume,
    /// Hold what comes; load what waits.
    HoldNew,
    /// Load what was held as new, and what comes.
    ReleaseNew,
    /// Close and pause it until [`Switch::StartUp`].
    ShutDown,
    /// Open it and load what it held.
    StartUp,
    /// Take nothing for it.
    Close,
    /// Take streams again.
    Open,
    /// What its printer says.
    Describe(Description),
}

/// What a printer says of itself; `None`: as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// What it is.
    pub info: Option<String>,
    /// Where it is.
    pub location: Option<String>,
    /// What an operator has to say.
    pub message: Option<String>,
}

impl Switch {
    /// The switch of this name; descriptions have none.
    pub fn parse(name: &str) -> Option<Switch> {
        Some(match name {
            "pause" => Switch::Pause,
            "resume" => Switch::Resume,
            "close" => Switch::Close,
            "open" => Switch::Open,
            _ => return None,
        })
    }

    /// The word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Switch::Pause => "pause",
            Switch::Resume => "resume",
            Switch::HoldNew => "hold-new",
            Switch::ReleaseNew => "release-new",
            Switch::ShutDown => "shut-down",
            Switch::StartUp => "start-up",
            Switch::Close => "close",
            Switch::Open => "open",
            Switch::Describe(..) => "describe",
        }
    }
}

impl Switches {
    fn apply(&mut self, switch: &Switch) {
        match switch {
            Switch::Pause => self.paused = true,
            Switch::Resume => (self.paused, self.holds_new) = (false, false),
            Switch::HoldNew => self.holds_new = true,
            Switch::ReleaseNew => self.holds_new = false,
            Switch::ShutDown => (self.paused, self.closed, self.down) = (true, true, true),
            Switch::StartUp => (self.paused, self.closed, self.holds_new) = (false, false, false),
            Switch::Close => self.closed = true,
            Switch::Open => self.closed = false,
            Switch::Describe(said) => {
                let own = [&mut self.info, &mut self.location, &mut self.message];
                for (own, said) in own.into_iter().zip([&said.info, &said.location, &said.message]) {
                    if let Some(said) = said {
                        own.clone_from(said);
                    }
                }
            }
        }
        // Somebody opened it or let it go on from a page.
        self.down &= self.paused && self.closed;
    }
}

/// The switches of all queues, by the lower-case name.
pub(super) type Table = BTreeMap<String, Switches>;

impl Intake {
    fn switch_table(&self) -> MutexGuard<'_, Table> {
        self.inner.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues that somebody switched, by name.
    pub fn switches(&self) -> Vec<Switches> {
        self.switch_table().values().cloned().collect()
    }

    /// How a queue is switched.
    pub fn switched(&self, queue: &str) -> Switches {
        let known = self.switch_table().get(&queue.to_lowercase()).cloned();
        known.unwrap_or_else(|| Switches { queue: queue.into(), ..Switches::default() })
    }

    /// Fails when nothing is taken for the queue.
    pub fn admits(&self, queue: &str) -> Result<(), CaptureError> {
        if self.switched(queue).closed { Err(CaptureError::Closed(queue.into())) } else { Ok(()) }
    }

    /// Switches a queue; returns how it is switched now, and how many streams were held or let go.
    pub fn switch(&self, queue: &str, switch: &Switch, by: &str) -> Result<(Switches, usize), CaptureError> {
        let queue = queue.trim();
        let wrong = |ch: char| ch.is_whitespace() || ch.is_control() || ch == '/';
        if queue.is_empty() || queue.chars().count() > MOST_CHARACTERS || queue.contains(wrong) {
            return Err(CaptureError::Rule(format!("{queue:?} is no name of a queue")));
        }
        let now = {
            let mut table = self.switch_table();
            let key = queue.to_lowercase();
            if table.len() >= MOST_QUEUES && !table.contains_key(&key) {
                return Err(CaptureError::Rule(format!("{MOST_QUEUES} queues are switched already")));
            }
            let mut now =
                table.get(&key).cloned().unwrap_or_else(|| Switches { queue: queue.into(), ..Switches::default() });
            now.apply(switch);
            (now.by, now.at) = (by.into(), self.now());
            let mut batch = Batch::default();
            rows::put_switches(&mut batch, &key, &now)?;
            self.inner.engine.commit(batch)?;
            table.insert(key, now.clone());
            now
        };
        let count = match switch {
            Switch::Pause => self.hold_queue(queue, by)?,
            Switch::ShutDown => self.hold_queue(queue, by)?,
            Switch::Resume | Switch::StartUp => self.let_queue_go(queue, by)?,
            Switch::ReleaseNew if !now.paused => self.let_queue_go(queue, by)?,
            Switch::HoldNew | Switch::ReleaseNew | Switch::Close | Switch::Open | Switch::Describe(_) => 0,
        };
        tracing::info!(queue, switch = switch.name(), by, streams = count, "a queue was switched");
        Ok((now, count))
    }

    /// Whether streams of the item's queue are held.
    pub(super) fn is_paused(&self, item: &Item) -> bool {
        item.queue.as_deref().is_some_and(|queue| self.switched(queue).paused)
    }

    /// Whether what is new of the item's queue is held.
    pub(super) fn holds_new(&self, item: &Item) -> bool {
        item.queue.as_deref().is_some_and(|queue| self.switched(queue).holds_new)
    }

    /// The queue of an item may have been switched while the item was made: it is held, or let go, like the others.
    pub(super) fn settle(&self, item: &Item) -> Result<(), CaptureError> {
        let Some(queue) = item.queue.as_deref() else { return Ok(()) };
        match (self.is_paused(item), item.hold()) {
            (true, None) if item.state.moves() => self.hold_queue(queue, "").map(drop),
            (false, Some(Hold::New)) if self.holds_new(item) => Ok(()),
            (false, Some(Hold::Paused | Hold::New)) => self.let_queue_go(queue, "").map(drop),
            _ => Ok(()),
        }
    }

    /// Holds what waits of a queue.
    fn hold_queue(&self, queue: &str, by: &str) -> Result<usize, CaptureError> {
        let waits = |state: State| matches!(state, State::Received | State::Identified);
        let all: Vec<u64> = {
            let table = self.table();
            table.states.iter().filter(|(_, state)| waits(**state)).map(|(id, _)| *id).collect()
        };
        let mut count = 0;
        for ids in all.chunks(AT_ONCE) {
            let mut table = self.table();
            let (mut batch, mut held) = (Batch::default(), HashSet::new());
            for id in ids {
                // What is known in memory counts: a worker may have taken it meanwhile.
                let still = table.states.get(id).is_some_and(|state| waits(*state));
                let Some(mut item) = self.item(*id)?.filter(|item| still && item.is_of_queue(queue)) else { continue };
                item.pause(self.now(), by);
                rows::put_item(&mut batch, &item)?;
                held.insert(*id);
            }
            self.inner.engine.commit(batch)?;
            table.states.extend(held.iter().map(|id| (*id, State::Held)));
            table.waiting.remove_all(&held);
            count += held.len();
        }
        Ok(count)
    }

    fn let_queue_go(&self, queue: &str, by: &str) -> Result<usize, CaptureError> {
        self.take_up(State::Held, &|item| {
            let goes = item.is_of_queue(queue) && matches!(item.hold(), Some(Hold::Paused | Hold::New));
            if goes {
                item.step(self.now(), "resumed", by, "");
            }
            goes
        })
    }
}
