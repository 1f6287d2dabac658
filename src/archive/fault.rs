//! Dying on purpose, for tests: with `GREENBAR_FAULT=<step>` in the environment the process aborts when a load
//! (a new cut of one, or its re-encoding) reaches that step. Without the variable this costs one look at a static.

use std::sync::OnceLock;

use super::kv::StoreError;

/// The steps, in the order in which a load passes them. Every load passes every one.
pub const FAULT_STEPS: [&str; 7] = [
    "load-started",
    "stream-decoded",
    "dictionary-written",
    "blocks-written",
    "documents-written",
    "before-commit",
    "after-commit",
];

/// The steps of re-encoding a load ([`super::compact`]), in order.
pub const COMPACT_STEPS: [&str; 4] =
    ["compact-proved", "compact-before-commit", "compact-after-commit", "compact-finished"];

/// Not a death: the next write of blocks answers as a full disk does.
pub const DISK_FULL: &str = "disk-full";

fn wanted() -> Option<&'static str> {
    static WANTED: OnceLock<Option<String>> = OnceLock::new();
    WANTED.get_or_init(|| std::env::var("GREENBAR_FAULT").ok()).as_deref()
}

/// Aborts here when told to.
pub(super) fn step(name: &str) {
    debug_assert!(FAULT_STEPS.contains(&name) || COMPACT_STEPS.contains(&name), "{name} is not listed");
    if wanted() == Some(name) {
        std::process::abort();
    }
}

/// Fails as a full disk does, when told to.
pub(super) fn disk_full() -> Result<(), StoreError> {
    match wanted() {
        Some(DISK_FULL) => Err(StoreError::Full { detail: "told so by GREENBAR_FAULT".into() }),
        _ => Ok(()),
    }
}
