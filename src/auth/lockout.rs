//! Slows down guessing of passwords.
//!
//! Failures count for the name and for the address, known or not. An attempt counts as a failure before the password
//! is looked at, so that many at once do not get past the limit; a right password takes its own count back.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::clock::Clock;

/// Failures for one name before it waits.
const NAME_LIMIT: u32 = 5;
/// Failures from one address before it waits: offices share addresses.
const ADDRESS_LIMIT: u32 = 50;
/// The first wait; each failure after it doubles it.
const FIRST_WAIT_S: i64 = 30;
/// The longest wait, also how long failures are remembered after the last one.
const LONGEST_WAIT_S: i64 = 15 * 60;
/// Names and addresses remembered at most; the oldest are forgotten first.
const REMEMBERED: usize = 20_000;

#[derive(Debug, Clone, Copy, Default)]
struct Tries {
    failures: u32,
    last: i64,
}

impl Tries {
    /// When the next attempt may come.
    fn free_at(self, limit: u32) -> i64 {
        if self.failures < limit {
            return 0;
        }
        let doublings = (self.failures - limit).min(5);
        self.last + (FIRST_WAIT_S << doublings).min(LONGEST_WAIT_S)
    }
}

/// Failed attempts by name and by address.
#[derive(Debug)]
pub struct Lockout {
    clock: Clock,
    tries: Mutex<HashMap<String, Tries>>,
}

impl Lockout {
    /// Nothing failed yet.
    pub fn new(clock: Clock) -> Lockout {
        Lockout { clock, tries: Mutex::default() }
    }

    /// Counts an attempt. `Err`: wait so many seconds, and do not look at the password.
    pub fn attempt(&self, name: &str, address: &str) -> Result<(), i64> {
        let now = self.clock.now();
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = keys(name, address);
        let free_at = keys
            .iter()
            .map(|(key, limit)| tries.get(key).copied().unwrap_or_default().free_at(*limit))
            .max()
            .unwrap_or(0);
        if free_at > now {
            return Err(free_at - now);
        }
        if tries.len() + 2 > REMEMBERED {
            forget(&mut tries, now);
        }
        for (key, _) in keys {
            let entry = tries.entry(key).or_default();
            if now - entry.last > LONGEST_WAIT_S {
                entry.failures = 0;
            }
            *entry = Tries { failures: entry.failures.saturating_add(1), last: now };
        }
        Ok(())
    }

    /// The attempt was right: the name starts anew, the address gets its count back.
    pub fn succeeded(&self, name: &str, address: &str) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let [(name, _), (address, _)] = keys(name, address);
        tries.remove(&name);
        if let Some(entry) = tries.get_mut(&address) {
            entry.failures = entry.failures.saturating_sub(1);
        }
    }
}

fn keys(name: &str, address: &str) -> [(String, u32); 2] {
    let name: String = name.trim().chars().take(64).collect::<String>().to_lowercase();
    [(format!("n/{name}"), NAME_LIMIT), (format!("a/{address}"), ADDRESS_LIMIT)]
}

/// Makes room: what is old goes, and when that is not enough, the older half.
fn forget(tries: &mut HashMap<String, Tries>, now: i64) {
    tries.retain(|_, entry| now - entry.last <= LONGEST_WAIT_S);
    if tries.len() + 2 > REMEMBERED {
        let mut times: Vec<i64> = tries.values().map(|entry| entry.last).collect();
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or(now);
        tries.retain(|_, entry| entry.last > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_waits_after_five_failures_and_longer_each_time() {
        let clock = Clock::standing(10_000);
        let lockout = Lockout::new(clock.clone());
        for _ in 0..5 {
            assert_eq!(lockout.attempt("Ann", "10.0.0.1"), Ok(()));
        }
        assert_eq!(lockout.attempt("ann", "10.0.0.2"), Err(30), "the name, from anywhere");
        assert_eq!(lockout.attempt("bob", "10.0.0.1"), Ok(()), "another name");
        clock.turn(30);
        assert_eq!(lockout.attempt("ann", "10.0.0.1"), Ok(()));
        assert_eq!(lockout.attempt("ann", "10.0.0.1"), Err(60));
        clock.turn(60);
        assert_eq!(lockout.attempt("ann", "10.0.0.1"), Ok(()));
        lockout.succeeded("ann", "10.0.0.1");
        for _ in 0..5 {
            assert_eq!(lockout.attempt("ann", "10.0.0.3"), Ok(()), "a right password starts anew");
        }
    }

    #[test]
    fn an_address_that_tries_many_names_waits() {
        let lockout = Lockout::new(Clock::standing(10_000));
        for number in 0..50 {
            assert_eq!(lockout.attempt(&format!("user{number}"), "10.0.0.1"), Ok(()));
        }
        assert!(lockout.attempt("other", "10.0.0.1").is_err());
        assert!(lockout.attempt("other", "10.0.0.2").is_ok());
    }

    #[test]
    fn memory_stays_bounded_under_many_names() {
        let lockout = Lockout::new(Clock::standing(10_000));
        for number in 0..REMEMBERED + 100 {
            let _ = lockout.attempt(&format!("user{number}"), &format!("address{number}"));
        }
        assert!(lockout.tries.lock().expect("not poisoned").len() <= REMEMBERED);
    }
}
