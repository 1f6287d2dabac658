//! Counters for Prometheus, written by hand: a page of text.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::backend::Figures;

/// Upper bounds of the buckets of request durations, in microseconds: from a cached text to a large PDF.
const BUCKETS_US: [u64; 8] = [500, 2_000, 5_000, 20_000, 100_000, 500_000, 2_000_000, 10_000_000];

/// What the server counts.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, &'static str, u16), u64>>,
    buckets: [AtomicU64; BUCKETS_US.len()],
    duration_us: AtomicU64,
    count: AtomicU64,
    /// Sign-ins that failed.
    pub sign_in_failures: AtomicU64,
    /// Renditions that were in memory.
    pub cache_hits: AtomicU64,
    /// Renditions that were made.
    pub cache_misses: AtomicU64,
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((method, route, status)).or_default() += 1;
        drop(requests);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        for (bucket, bound) in self.buckets.iter().zip(BUCKETS_US) {
            if took <= bound {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.duration_us.fetch_add(took, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// The page for Prometheus; `gauges` are those of capture and distribution: name, help, and values by label.
    pub fn page(&self, figures: Figures, waiting_loads: usize, gauges: &[Gauge]) -> String {
        let mut out = String::with_capacity(4096);
        head(&mut out, "greenbar_http_requests_total", "counter", "Answers by route and status.");
        for ((method, route, status), count) in &*self.requests.lock().unwrap_or_else(PoisonError::into_inner) {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            let _ = writeln!(out, "greenbar_http_requests_total{{{labels}}} {count}");
        }
        let name = "greenbar_http_request_duration_seconds";
        head(&mut out, name, "histogram", "Time from the header to the start of the answer.");
        let seconds = |us: u64| us as f64 / 1e6;
        for (bucket, bound) in self.buckets.iter().zip(BUCKETS_US) {
            let _ = writeln!(out, "{name}_bucket{{le=\"{}\"}} {}", seconds(bound), bucket.load(Ordering::Relaxed));
        }
        let count = self.count.load(Ordering::Relaxed);
        let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "{name}_sum {}", seconds(self.duration_us.load(Ordering::Relaxed)));
        let _ = writeln!(out, "{name}_count {count}");
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for (name, kind, help, value) in [
            ("greenbar_sign_in_failures_total", "counter", "Sign-ins that failed.", load(&self.sign_in_failures)),
            ("greenbar_rendition_cache_hits_total", "counter", "Renditions from memory.", load(&self.cache_hits)),
            ("greenbar_rendition_cache_misses_total", "counter", "Renditions made.", load(&self.cache_misses)),
            ("greenbar_loads_waiting", "gauge", "Streams received and not loaded yet.", waiting_loads as u64),
            ("greenbar_loads", "gauge", "Loads in the archive.", figures.loads),
            ("greenbar_documents", "gauge", "Documents in the archive.", figures.documents),
            ("greenbar_pages", "gauge", "Pages in the archive.", figures.pages),
            ("greenbar_captured_bytes", "gauge", "Bytes captured.", figures.captured_bytes),
        ] {
            head(&mut out, name, kind, help);
            let _ = writeln!(out, "{name} {value}");
        }
        for Gauge { name, help, values } in gauges {
            head(&mut out, name, "gauge", help);
            for (labels, value) in values {
                let _ = writeln!(out, "{name}{{{labels}}} {value}");
            }
        }
        out
    }
}

/// A gauge with labels.
#[derive(Debug)]
pub struct Gauge {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    /// Labels (`state="failed"`; their values are names of the program or of channels, which have no quotes) and the value.
    pub values: Vec<(String, u64)>,
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}
