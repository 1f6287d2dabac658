//! The real binary, used as people and programs use it.
//!
//! One test binary, so one link. `story.rs` is the language the tests are written in; tests that need the big corpus
//! look for it at `../shared/corpus` (or `GREENBAR_CORPUS`) and say so when it is not there.

// A skipped test says so.
#![allow(clippy::print_stderr)]

mod acknowledged;
mod afp;
mod bad_input;
mod beside;
mod burst;
mod capture;
mod compact;
mod corpus;
mod crash;
mod customers;
mod distribute;
mod evidence;
mod full_disk;
mod ipp;
mod jobs;
mod layers;
mod limits;
mod lossless;
mod mail;
mod nested;
mod notices;
mod outlets;
mod printers;
mod records;
mod renditions;
mod server;
mod story;
mod strays;
mod tour;
mod upload;
