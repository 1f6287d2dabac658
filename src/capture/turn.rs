//! One after the other: two transmissions that may be the same are taken one at a time, so that the second finds the first.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, PoisonError};

/// Keys whose turn it is.
#[derive(Debug, Default)]
pub struct Turns {
    taken: Mutex<HashSet<Vec<u8>>>,
    given_back: Condvar,
}

/// A turn; it is given back when this goes.
#[derive(Debug)]
pub struct Turn<'t> {
    turns: &'t Turns,
    key: Vec<u8>,
}

impl Turns {
    /// Waits until nobody else has the turn of this key. Turns of other keys are no hindrance.
    pub fn wait(&self, key: &[u8]) -> Turn<'_> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.given_back.wait_while(taken, |taken| taken.contains(key));
        waited.unwrap_or_else(PoisonError::into_inner).insert(key.to_vec());
        Turn { turns: self, key: key.to_vec() }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        self.turns.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn one_has_the_turn_of_a_key_and_others_are_not_kept() {
        let (turns, inside) = (Turns::default(), AtomicUsize::new(0));
        let _other = turns.wait(b"other");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let _turn = turns.wait(b"key");
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(turns.taken.lock().expect("unbroken").len(), 1);
    }
}
