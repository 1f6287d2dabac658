//! Subscriptions and the events that wait for their subscribers (RFC 3995; fetched by RFC 3996, `ippget`).
//!
//! Nobody is sent anything: a subscriber asks, and is told what happened since. Subscriptions are leased and live in memory:
//! they do not outlive the server. One hears of the printer, and of jobs of one's own address.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::jobs::Job;

/// Events there are. What stands behind another is also told to those who asked for that.
pub const EVENTS: &[(&str, &str)] = &[
    ("job-created", "job-state-changed"),
    ("job-completed", "job-state-changed"),
    ("job-state-changed", ""),
    ("printer-state-changed", ""),
    ("printer-config-changed", ""),
];
/// What one hears of who names no events.
pub const USUAL: &str = "job-completed";
/// Seconds that a subscription is leased unless more or less is asked for, and at most.
pub const LEASE_S: i32 = 86_400;
/// Longest lease.
pub const MOST_LEASE_S: i32 = 604_800;
/// Seconds that an event waits to be fetched.
pub const LIFE_S: i32 = 300;
/// Subscriptions at once.
const MOST: usize = 1_000;
/// Subscriptions of one address.
const MOST_OF_PEER: usize = 100;
/// Events that wait for one subscriber; of more the oldest go.
const MOST_EVENTS: usize = 100;

/// How a printer is: state, reason, whether it takes jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `printer-state`.
    pub state: i32,
    /// `printer-state-reasons`.
    pub reason: &'static str,
    /// `printer-is-accepting-jobs`.
    pub accepts: bool,
}

/// What somebody wants to hear of.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The queue.
    pub queue: String,
    /// The job; `None`: the printer and all jobs of the address.
    pub job: Option<u64>,
    /// The address that asked, and the user that it named.
    pub peer: String,
    /// The user.
    pub user: String,
    /// Events.
    pub events: Vec<&'static str>,
    /// Seconds.
    pub lease_s: i32,
    /// Given back with each event.
    pub data: Option<Vec<u8>>,
    /// How the printer was.
    pub heard: Condition,
}

/// A subscription.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Its number.
    pub id: i32,
    /// What for.
    pub wish: Wish,
    /// When it ends.
    pub until: i64,
    /// Number of the last event.
    pub last: i32,
    events: VecDeque<Event>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its number, from 1 in each subscription.
    pub number: i32,
    /// When.
    pub at: i64,
    /// The event that was subscribed to.
    pub name: &'static str,
    /// For people.
    pub text: String,
    /// Job, its state and reason.
    pub job: Option<(u64, i32, &'static str)>,
    /// The printer.
    pub printer: Option<Condition>,
}

/// All subscriptions.
#[derive(Debug, Default)]
pub struct Subscriptions {
    table: Mutex<(i32, BTreeMap<i32, Subscription>)>,
}

impl Subscriptions {
    fn table(&self, now: i64) -> MutexGuard<'_, (i32, BTreeMap<i32, Subscription>)> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.1.retain(|_, one| one.until > now);
        table
    }

    /// A new one; `None`: there are too many.
    pub fn add(&self, wish: Wish, now: i64) -> Option<Subscription> {
        let mut table = self.table(now);
        let of_peer = table.1.values().filter(|one| one.wish.peer == wish.peer).count();
        if table.1.len() >= MOST || of_peer >= MOST_OF_PEER {
            return None;
        }
        table.0 = table.0.checked_add(1).unwrap_or(1);
        let until = now + i64::from(wish.lease_s);
        let one = Subscription { id: table.0, wish, until, last: 0, events: VecDeque::new() };
        table.1.insert(one.id, one.clone());
        Some(one)
    }

    /// One of this owner.
    pub fn get(&self, id: i32, owner: (&str, &str), now: i64) -> Option<Subscription> {
        self.table(now).1.get(&id).filter(|one| one.is_of(owner)).cloned()
    }

    /// All of a queue that belong to this address, by number.
    pub fn of_queue(&self, queue: &str, peer: &str, now: i64) -> Vec<Subscription> {
        let table = self.table(now);
        let here = |one: &&Subscription| one.wish.peer == peer && one.wish.queue.eq_ignore_ascii_case(queue);
        table.1.values().filter(here).cloned().collect()
    }

    /// Leases one for longer; `None`: there is no such one.
    pub fn renew(&self, id: i32, owner: (&str, &str), lease_s: i32, now: i64) -> Option<()> {
        let mut table = self.table(now);
        let one = table.1.get_mut(&id).filter(|one| one.is_of(owner))?;
        (one.wish.lease_s, one.until) = (lease_s, now + i64::from(lease_s));
        Some(())
    }

    /// Ends one; false: there is no such one.
    pub fn cancel(&self, id: i32, owner: (&str, &str), now: i64) -> bool {
        let mut table = self.table(now);
        let is_there = table.1.get(&id).is_some_and(|one| one.is_of(owner));
        is_there && table.1.remove(&id).is_some()
    }

    /// A job changed.
    pub fn job(&self, job: &Job, event: &'static str, now: i64) {
        let mut table = self.table(now);
        for one in table.1.values_mut() {
            let is_meant = match one.wish.job {
                Some(id) => id == job.id,
                None => one.wish.peer == job.peer && one.wish.queue.eq_ignore_ascii_case(&job.queue),
            };
            let Some(name) = one.wish.hears(event).filter(|_| is_meant) else { continue };
            let (state, reason) = job.told();
            let text = format!("job {} \"{}\": {}", job.id, job.name, job.message());
            one.push(name, text, Some((job.id, state, reason)), None, now);
            if one.wish.job.is_some() && job.stage.is_over() {
                one.until = one.until.min(now + i64::from(LIFE_S));
            }
        }
    }

    /// The printer of a queue may have changed: who has not heard of how it is now, does.
    pub fn printer(&self, queue: &str, event: &'static str, now_is: &Condition, now: i64) {
        let mut table = self.table(now);
        for one in table.1.values_mut().filter(|one| one.wish.queue.eq_ignore_ascii_case(queue)) {
            if event == "printer-state-changed" && one.wish.heard == *now_is {
                continue;
            }
            one.wish.heard = now_is.clone();
            let Some(name) = one.wish.hears(event) else { continue };
            let text = format!("printer {queue}: {}", if now_is.reason == "none" { "ready" } else { now_is.reason });
            one.push(name, text, None, Some(now_is.clone()), now);
        }
    }
}

impl Wish {
    /// Under which name an event is told, if at all.
    fn hears(&self, event: &str) -> Option<&'static str> {
        let (own, wider) = EVENTS.iter().find(|(own, _)| *own == event)?;
        [own, wider].into_iter().find(|name| self.events.contains(*name)).copied()
    }
}

impl Subscription {
    fn is_of(&self, (peer, user): (&str, &str)) -> bool {
        self.wish.peer == peer && self.wish.user == user
    }

    fn push(
        &mut self,
        name: &'static str,
        text: String,
        job: Option<(u64, i32, &'static str)>,
        printer: Option<Condition>,
        at: i64,
    ) {
        self.last = self.last.saturating_add(1);
        if self.events.len() >= MOST_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(Event { number: self.last, at, name, text, job, printer });
    }

    /// Events from a number on that still live.
    pub fn since(&self, first: i32, now: i64) -> impl Iterator<Item = &Event> {
        let lives = move |event: &&Event| event.number >= first && now - event.at <= i64::from(LIFE_S);
        self.events.iter().filter(lives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(events: &[&'static str], peer: &str) -> Wish {
        let heard = Condition { state: 3, reason: "none", accepts: true };
        let (queue, user) = ("Q".into(), "ann".into());
        Wish { queue, job: None, peer: peer.into(), user, events: events.to_vec(), lease_s: 100, data: None, heard }
    }

    #[test]
    fn one_hears_once_of_a_printer_and_no_longer_than_the_lease() {
        let all = Subscriptions::default();
        let id = all.add(wish(&["printer-state-changed"], "a"), 0).expect("room").id;
        let paused = Condition { state: 5, reason: "paused", accepts: true };
        for _ in 0..3 {
            all.printer("q", "printer-state-changed", &paused, 10);
        }
        all.printer("other", "printer-state-changed", &paused, 10);
        let one = all.get(id, ("a", "ann"), 20).expect("there");
        assert_eq!(one.since(1, 20).map(|event| event.number).collect::<Vec<_>>(), [1]);
        assert_eq!((one.since(2, 20).count(), one.since(1, 400).count()), (0, 0));
        assert!(all.get(id, ("b", "ann"), 20).is_none() && all.get(id, ("a", "bob"), 20).is_none());
        assert_eq!(all.renew(id, ("a", "ann"), 200, 50), Some(()));
        assert!(all.get(id, ("a", "ann"), 249).is_some() && all.get(id, ("a", "ann"), 250).is_none());
    }

    #[test]
    fn there_are_only_so_many_and_only_so_many_events_wait() {
        let all = Subscriptions::default();
        let add = |peer: usize| all.add(wish(&["printer-config-changed"], &peer.to_string()), 0);
        assert_eq!((0..MOST_OF_PEER + 5).filter_map(|_| add(1)).count(), MOST_OF_PEER);
        assert_eq!((2..MOST + 5).filter_map(add).count(), MOST - MOST_OF_PEER);
        let now_is = Condition { state: 3, reason: "none", accepts: true };
        for _ in 0..MOST_EVENTS + 7 {
            all.printer("Q", "printer-config-changed", &now_is, 1);
        }
        let one = all.get(1, ("1", "ann"), 1).expect("there");
        assert_eq!((one.since(1, 1).count(), one.last), (MOST_EVENTS, 107));
        assert!(all.cancel(1, ("1", "ann"), 1) && !all.cancel(1, ("1", "ann"), 1));
    }
}
