//! Items that wait for a worker, in order. Whether one waits is asked for each that is accepted, so it is not searched for:
//! a hundred thousand that wait cost a sender no more than ten.

use std::collections::{HashSet, VecDeque};

/// Numbers of items, each once.
#[derive(Debug, Default)]
pub struct Queue {
    order: VecDeque<u64>,
    members: HashSet<u64>,
}

impl Queue {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.order.len()
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

    /// The next item; it waits no longer.
    pub fn pop_front(&mut self) -> Option<u64> {
        let id = self.order.pop_front()?;
        self.members.remove(&id);
        Some(id)
    }

    /// An item waits no longer.
    pub fn remove(&mut self, id: u64) {
        if self.members.remove(&id) {
            self.order.retain(|waiting| *waiting != id);
        }
    }

    /// All that wait, in order; none waits any longer.
    pub fn take(&mut self) -> Vec<u64> {
        self.members.clear();
        self.order.drain(..).collect()
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
        assert_eq!((queue.pop_front(), queue.pop_front()), (Some(9), Some(1)));
        queue.push_back(1);
        assert_eq!((queue.take(), queue.len(), queue.contains(1)), (vec![3, 1], 0, false));
    }
}
