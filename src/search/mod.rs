//! (search: contract in the helper's brief)
