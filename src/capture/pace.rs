//! Slows a sender down to a number of bytes a second.

use std::time::{Duration, Instant};

/// Longest single pause, so that whoever waits still sees that it is to end.
const LONGEST: Duration = Duration::from_millis(500);

/// Keeps a pace, counted from its start.
#[derive(Debug)]
pub struct Pace {
    started: Instant,
    bytes: u64,
    bytes_per_s: u64,
}

impl Pace {
    /// At most so many bytes a second; 0: as fast as they come.
    pub fn new(bytes_per_s: u64) -> Pace {
        Pace { started: Instant::now(), bytes: 0, bytes_per_s }
    }

    /// How long to wait after so many more bytes.
    pub fn after(&mut self, bytes: usize) -> Duration {
        if self.bytes_per_s == 0 {
            return Duration::ZERO;
        }
        self.bytes += bytes as u64;
        let due = Duration::from_secs_f64(self.bytes as f64 / self.bytes_per_s as f64);
        due.saturating_sub(self.started.elapsed()).min(LONGEST)
    }
}
