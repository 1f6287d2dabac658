//! The clock, injected so that tests can turn it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    set: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// A clock that stands still until it is turned.
    pub fn standing(at: i64) -> Clock {
        Clock { set: Some(Arc::new(AtomicI64::new(at))) }
    }

    /// Seconds since 1970 UTC.
    pub fn now(&self) -> i64 {
        match &self.set {
            Some(set) => set.load(Ordering::Relaxed),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
        }
    }

    /// Turns a standing clock; the system's clock stays as it is.
    pub fn turn(&self, seconds: i64) {
        if let Some(set) = &self.set {
            set.fetch_add(seconds, Ordering::Relaxed);
        }
    }
}

/// A time as people and programs read it: ISO 8601, UTC.
pub fn iso(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
