//! Items that wait for a worker, in order. Whether one waits is asked for each that is accepted, so it is not searched for:
//! a hundred thousand that wait cost a sender no more than ten.
//!
//! Beside the line stand the suspects: items that were being loaded when the process ended. Nobody knows whether one of them
//! ended it or was only there. So one at a time has its turn beside the line, and after each end it waits longer: a stream
//! that ends the program soon stands alone with it, and kills from outside, however many, meet the same stream seldom.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

/// Seconds after the start of the process that an item waits whose loading was cut off once, twice and so on. The first time
/// it waits only while others do.
const WAITS_S: [u64; 7] = [2, 5, 60, 300, 900, 1_800, 3_600];
/// Times that loading may be cut off before an item waits for somebody.
pub const MOST_CUT_OFF: u32 = WAITS_S.len() as u32 + 1;

/// Numbers of items, each once.
#[derive(Debug, Default)]
pub struct Queue {
    order: VecDeque<u64>,
    members: HashSet<u64>,
    /// In the order of their numbers.
    suspects: Vec<Suspect>,
    /// The suspect that has its turn.
    turn: Option<u64>,
}

#[derive(Debug)]
struct Suspect {
    id: u64,
    due: Instant,
    /// It was cut off once: it may have its turn as soon as nothing else waits.
    first: bool,
}

impl Queue {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether an item waits.
    pub fn contains(&self, id: u64) -> bool {
        self.members.contains(&id)
    }

    /// An item waits behind all others, unless it waits already.
    pub fn push_back(&mut self, id: u64) {
        if self.members.insert(id) {
            self.order.push_back(id);
        }
    }

    /// An item is the next, unless it waits already.
    pub fn push_front(&mut self, id: u64) {
        if self.members.insert(id) {
            self.order.push_front(id);
        }
    }

    /// An item waits for its turn that was cut off so many times, at least once.
    pub fn push_suspect(&mut self, id: u64, cut_off: u32, now: Instant) {
        if self.members.insert(id) {
            let at = usize::try_from(cut_off.saturating_sub(1)).unwrap_or(usize::MAX).min(WAITS_S.len() - 1);
            self.suspects.push(Suspect { id, due: now + Duration::from_secs(WAITS_S[at]), first: cut_off <= 1 });
        }
    }

    /// Whether an item waits for its turn.
    pub fn is_suspect(&self, id: u64) -> bool {
        self.suspects.iter().any(|suspect| suspect.id == id)
    }

    /// The next item; it waits no longer. Call [`Queue::done`] when it is over.
    pub fn pop(&mut self, now: Instant) -> Option<u64> {
        let idle = self.order.is_empty();
        let due = |suspect: &Suspect| suspect.due <= now || (idle && suspect.first);
        if self.turn.is_none()
            && let Some(at) = self.suspects.iter().position(due)
        {
            let id = self.suspects.remove(at).id;
            self.members.remove(&id);
            self.turn = Some(id);
            return Some(id);
        }
        let id = self.order.pop_front()?;
        self.members.remove(&id);
        Some(id)
    }

    /// How long until a suspect is due; `None`: nothing comes with time.
    pub fn pause(&self, now: Instant) -> Option<Duration> {
        let next = self.suspects.iter().map(|suspect| suspect.due.saturating_duration_since(now)).min();
        next.filter(|_| self.turn.is_none())
    }

    /// An item is over that was taken from here: if it was a suspect, another has its turn.
    pub fn done(&mut self, id: u64) {
        if self.turn == Some(id) {
            self.turn = None;
        }
    }

    /// An item waits no longer.
    pub fn remove(&mut self, id: u64) {
        if self.members.remove(&id) {
            self.order.retain(|waiting| *waiting != id);
            self.suspects.retain(|suspect| suspect.id != id);
        }
    }

    /// None of these waits any longer.
    pub fn remove_all(&mut self, ids: &HashSet<u64>) {
        self.members.retain(|id| !ids.contains(id));
        self.order.retain(|id| !ids.contains(id));
        self.suspects.retain(|suspect| !ids.contains(&suspect.id));
    }

    /// All that wait, in order, the suspects last; none waits any longer.
    pub fn take(&mut self) -> Vec<u64> {
        self.members.clear();
        let suspects = self.suspects.drain(..).map(|suspect| suspect.id);
        self.order.drain(..).chain(suspects).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_waits_once_and_in_its_order() {
        let mut queue = Queue::default();
        for id in [1, 2, 3, 2] {
            queue.push_back(id);
        }
        queue.push_front(9);
        queue.remove(2);
        queue.remove(7);
        assert_eq!((queue.len(), queue.contains(2), queue.contains(3)), (3, false, true));
        let now = Instant::now();
        assert_eq!((queue.pop(now), queue.pop(now)), (Some(9), Some(1)));
        queue.push_back(1);
        assert_eq!((queue.take(), queue.len(), queue.contains(1)), (vec![3, 1], 0, false));
    }

    #[test]
    fn suspects_have_their_turn_one_at_a_time_and_later_each_time_they_were_cut_off() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let after = |seconds| now + Duration::from_secs(seconds);
        queue.push_suspect(3, 2, now);
        queue.push_suspect(4, 1, now);
        queue.push_suspect(5, 1, now);
        queue.push_suspect(5, 1, now);
        queue.push_back(9);
        assert_eq!((queue.len(), queue.is_suspect(5), queue.is_suspect(9)), (4, true, false));
        assert_eq!(queue.pop(now), Some(9), "what was never cut off goes first");
        assert_eq!(queue.pop(now), Some(4), "nothing else waits");
        assert_eq!((queue.pop(after(60)), queue.pause(now)), (None, None), "another suspect is being loaded");
        queue.push_back(10);
        assert_eq!(queue.pop(now), Some(10), "which holds up no other");
        queue.done(10);
        assert_eq!(queue.pop(now), None);
        queue.done(4);
        queue.push_back(11);
        assert_eq!(queue.pause(now), Some(Duration::from_secs(2)));
        assert_eq!(queue.pop(after(2)), Some(5), "its time has come though others wait");
        queue.done(5);
        assert_eq!((queue.pop(after(3)), queue.pop(after(3))), (Some(11), None));
        assert_eq!(queue.pause(after(3)), Some(Duration::from_secs(2)));
        assert_eq!(queue.pop(after(5)), Some(3));
        queue.push_suspect(7, MOST_CUT_OFF + 9, now);
        queue.push_back(8);
        assert_eq!((queue.take(), queue.len()), (vec![8, 7], 0));
    }
}
