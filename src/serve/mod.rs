//! Answers people and programs over HTTP: the API, the agent console, the customer portal, administration.
//!
//! In: requests. Out: hit lists, renditions, pages. What is answered comes from a [`backend::Backend`]; only
//! `archived.rs` knows how documents are stored, found and rendered.
//!
//! Promises: every route is a row of [`routes::ROUTES`] with the access it needs, checked before its handler runs
//! (`tests/rights.rs`); a document's bytes leave only with a permit of the gate, so every read has its audit record; a
//! document that is not there and one that may not be seen get the same answer; a stream that was acknowledged is on
//! disk and will be loaded, also after a crash (`capture/`); uploads and large renditions pass through files, not
//! memory. Adding a call: a handler in `api/` or `web/`, a row in `routes.rs`, for the API a line in `openapi.rs`.

pub mod api;
mod archived;
pub mod ask;
pub mod backend;
mod http;
mod metrics;
mod multipart;
mod openapi;
mod operate;
pub mod problem;
mod range;
mod rendition;
pub mod routes;
mod sending;
mod state;
#[cfg(test)]
mod tests;
mod web;

pub use archived::ArchiveBackend;
pub use http::{ServeError, ServeHandle, run, start};
pub use sending::{Served, configuration};
pub use state::ServeConfig;
