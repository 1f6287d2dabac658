//! Cuts bytes into records and turns record bytes into characters.
//!
//! Knows record formats (F, FB, V, VB, spanned, text lines) and code pages; knows nothing of pages,
//! carriage control or reports. No input makes it panic, hang or allocate without bound.

#![deny(clippy::indexing_slicing, clippy::expect_used, clippy::cast_possible_truncation)]

pub mod codepage;
