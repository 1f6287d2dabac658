//! greenbar: an enterprise report management archive.
//!
//! The flow runs one way, and the folders follow it:
//!
//! ```text
//! capture -> frame -> decode -> index -> archive -> search
//!                        |                  |-> render -> serve
//!                        `-> page model ----'
//! ```
//!
//! | folder | in | out |
//! |---|---|---|
//! | [`capture`] | a file, a connection | bytes to load, hashed |
//! | [`frame`] | bytes | records, code pages |
//! | [`fontfile`] | a name | a font file of this machine, or one compiled in |
//! | [`decode`] | records | units: pages and the bytes between them; on demand [`page::Page`]s |
//! | [`ipp`] | bytes of a printer's network | messages, and back |
//! | [`index`] | units and a report definition | documents with typed fields |
//! | [`archive`] | documents | compressed blocks and catalogue rows, one atomic step per load |
//! | [`search`] | catalogue rows and text | hit lists; always rebuildable |
//! | [`render`] | pages | PDF, HTML, text, PNG, CSV, JSON |
//! | [`auth`], [`audit`] | a principal and a wish | a permit and a record of it |
//! | [`crm`] | what is known of customers and what they do | the same, and one timeline with the documents |
//! | [`distribute`] | documents and the customers' wishes | mails, files, events, and a ledger of them |
//! | [`serve`], [`cli`] | people and programs | answers |
//!
//! The invariants (lossless, durable, idempotent, immutable, derived index, one gate, nothing guessed
//! silently, bounded) are stated in the root of the folder that holds each of them, with its test.

pub mod archive;
pub mod audit;
pub mod auth;
pub mod capture;
pub mod cli;
pub mod crm;
pub mod decode;
pub mod distribute;
pub mod fontfile;
pub mod frame;
pub mod heap;
pub mod index;
pub mod ipp;
pub mod network;
pub mod note;
pub mod page;
pub mod records;
pub mod render;
pub mod search;
pub mod serve;
pub mod view;
