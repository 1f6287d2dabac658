//! What the tests of this folder share.

use std::sync::Arc;

use super::Crm;
use crate::archive::kv::memory::Memory;
use crate::auth::clock::Clock;

/// 2024-06-01 12:00 UTC.
pub const NOON: i64 = 1_717_243_200;

/// An empty store and its clock.
pub fn crm() -> (Crm, Clock) {
    let clock = Clock::standing(NOON);
    (Crm::new(Arc::new(Memory::default()), clock.clone()), clock)
}
