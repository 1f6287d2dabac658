//! Bar codes.
