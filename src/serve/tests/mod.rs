//! The server over real HTTP, with an archive in memory behind it.

mod admin;
mod content;
mod crm;
mod distribution;
mod fake;
mod forgery;
mod hostile;
mod loads;
mod masks;
mod narrowed;
mod operate;
mod portal;
mod rights;
mod second;
mod support;
