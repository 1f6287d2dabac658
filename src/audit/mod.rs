//! (audit: contract in the helper's brief)
