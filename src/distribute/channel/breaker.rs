//! A channel that loses its answers is left alone for a while.
//!
//! Each answer that is lost after the last byte may be a mail that came: tried again and again, a server that hangs would make
//! everybody get everything several times. After [`LOST`] lost answers in a row nothing more is handed over, the pieces wait
//! without an attempt being counted, and now and then one piece tries whether the server answers again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Channel, Composed, Content, Needs, Outcome, Parcel, Rung};
use crate::distribute::DistributeError;

/// Lost answers in a row after which a channel rests.
const LOST: u32 = 3;
/// How long it rests the first time; twice as long each time after that, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(1_800);

/// A channel with its breaker.
pub struct Breaker {
    channel: Box<dyn Channel>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Answers lost in a row.
    lost: u32,
    /// It rests until then.
    rests_until: Option<Instant>,
}

impl State {
    /// How long a channel rests that lost so many answers.
    fn rest(&self) -> Option<Duration> {
        let times = self.lost.checked_sub(LOST)?;
        Some(FIRST.saturating_mul(1 << times.min(16)).min(LONGEST))
    }
}

impl Breaker {
    /// Puts one before a channel.
    pub fn before(channel: Box<dyn Channel>) -> Box<dyn Channel> {
        Box::new(Breaker { channel, state: Mutex::default() })
    }

    /// Why nothing is handed over now.
    fn rests(&self, now: Instant) -> Option<Outcome> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.rests_until.filter(|until| *until > now)?;
        let lost = state.lost;
        Some(Outcome::OutOfOrder(format!("the channel rests: {lost} answers in a row were lost")))
    }

    fn note(&self, is_lost: bool, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lost = if is_lost { state.lost.saturating_add(1) } else { 0 };
        state.rests_until = state.rest().and_then(|rest| now.checked_add(rest));
    }

    fn deliver_at(&self, parcel: &Parcel<'_>, now: Instant) -> Outcome {
        if let Some(rests) = self.rests(now) {
            return rests;
        }
        let outcome = self.channel.deliver(parcel);
        self.note(matches!(outcome, Outcome::InDoubt(_)), now);
        outcome
    }
}

impl Channel for Breaker {
    fn needs(&self) -> Needs {
        self.channel.needs()
    }

    fn target(&self) -> Rung {
        self.channel.target()
    }

    fn repeatable(&self) -> bool {
        self.channel.repeatable()
    }

    fn compose(&self, content: &Content) -> Result<Composed, DistributeError> {
        self.channel.compose(content)
    }

    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        self.deliver_at(parcel, Instant::now())
    }

    fn came_of(&self, ticket: &str) -> Outcome {
        self.channel.came_of(ticket)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;

    struct Hangs {
        calls: Arc<AtomicU32>,
        answers: Arc<AtomicBool>,
    }

    impl Channel for Hangs {
        fn needs(&self) -> Needs {
            Needs::Files
        }
        fn target(&self) -> Rung {
            Rung::Accepted
        }
        fn repeatable(&self) -> bool {
            false
        }
        fn compose(&self, _: &Content) -> Result<Composed, DistributeError> {
            Ok(Composed { name: String::new(), bytes: Vec::new() })
        }
        fn deliver(&self, _: &Parcel<'_>) -> Outcome {
            self.calls.fetch_add(1, Ordering::Relaxed);
            match self.answers.load(Ordering::Relaxed) {
                true => Outcome::Taken { rung: Rung::Accepted, said: "250".into() },
                false => Outcome::InDoubt("no answer".into()),
            }
        }
    }

    #[test]
    fn a_server_that_hangs_is_left_alone_and_asked_now_and_then() {
        let (calls, answers) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let hangs = Hangs { calls: Arc::clone(&calls), answers: Arc::clone(&answers) };
        let breaker = Breaker { channel: Box::new(hangs), state: Mutex::default() };
        let parcel = Parcel { id: "1", to: "", name: "", bytes: b"", manifest: "" };
        let start = Instant::now();
        let at = |seconds: u64| breaker.deliver_at(&parcel, start + Duration::from_secs(seconds));
        for second in 0..50 {
            at(second);
        }
        assert_eq!(calls.load(Ordering::Relaxed), LOST, "of fifty pieces three may have come");
        assert!(matches!(at(55), Outcome::OutOfOrder(_)));
        assert!(matches!(at(65), Outcome::InDoubt(_)), "one looks whether it answers");
        assert!(matches!(at(66), Outcome::OutOfOrder(_)));
        assert!(matches!(at(65 + 100), Outcome::OutOfOrder(_)), "longer each time");
        answers.store(true, Ordering::Relaxed);
        assert!(matches!(at(65 + 125), Outcome::Taken { .. }));
        assert!(matches!(at(65 + 126), Outcome::Taken { .. }), "and all is well");
    }
}
