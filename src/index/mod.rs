//! Cuts decoded units into documents and finds each document's index fields, as a report definition says.
//!
//! A [`definition::Definition`] (from `indexers/*.toml`, checked) drives a [`split::Splitter`]: units go in, in stream
//! order; [`Draft`]s (documents) and [`SetAside`]s come out. Every page ends in exactly one of the two.

pub mod check;
pub mod date;
pub mod definition;
pub mod draft;
mod field;
pub mod fold;
pub mod number;
pub mod preview;
mod region;
mod rule;
mod sheet;
pub mod split;
pub mod stretch;
pub mod table;
#[cfg(test)]
mod tests;
mod trigger;
pub mod value;
pub mod written;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::decode::Stretch;
use value::FieldValue;

/// Where a page of a long document starts, so that it can be decoded without the pages before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageMark {
    /// Page of the document, from 0.
    pub page: u32,
    /// Byte offset in the stream.
    pub byte: u64,
    /// `resume` of the unit there.
    pub resume: u64,
}

/// A document has a [`PageMark`] every this many pages (none for the first page: that is the document's start).
pub const PAGES_PER_MARK: u32 = 16;

/// A document as the splitter found it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// Its bytes in the stream.
    pub span: Range<u64>,
    /// `resume` of its first unit.
    pub resume: u64,
    /// Number in the stream of its first page, from 1.
    pub first_page: u64,
    /// Records in the stream before it.
    pub records_before: u64,
    /// Its pages.
    pub pages: u32,
    /// See [`PAGES_PER_MARK`].
    pub marks: Vec<PageMark>,
    /// [`Unit::around`](crate::decode::Unit::around) of its first unit.
    pub around: Vec<Stretch>,
    /// Display title, made from the definition's title pattern.
    pub title: String,
    /// The field that the definition names as the document's date, as days since 1970-01-01.
    pub date: Option<i32>,
    /// The field that the definition names as the customer's account.
    pub account: Option<String>,
    /// Values by the position of their field in the definition; fields without a value are left out.
    pub fields: Vec<(u16, FieldValue)>,
}

/// Pages (or bytes outside pages) that belong to no document, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Bytes in the stream.
    pub span: Range<u64>,
    /// First page, from 1.
    pub first_page: u64,
    /// Number of pages; 0 for bytes that print nothing.
    pub pages: u64,
    /// Such as `banner`, `before-first-document`, `excluded: <rule name>`, `outside`.
    pub reason: String,
}
