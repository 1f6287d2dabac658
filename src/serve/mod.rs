//! (serve: contract in the helper's brief)
