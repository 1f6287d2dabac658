//! Places in a stream, and notes of what was survived there.
//!
//! What can be survived (an undecodable byte, a line too long) is a [`Note`]: counted per code and per page,
//! with the first place it was seen. Notes end up in the load report; none is ever only a log line.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in a captured stream.
///
/// `byte` counts from 0; `record` and `page` count from 1, and 0 means "not known here".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// Byte offset from the start of the stream.
    pub byte: u64,
    /// Record number from 1.
    pub record: u64,
    /// Page number from 1.
    pub page: u64,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}", self.byte)?;
        if self.record > 0 {
            write!(f, ", record {}", self.record)?;
        }
        if self.page > 0 {
            write!(f, ", page {}", self.page)?;
        }
        Ok(())
    }
}

/// How many pages a note lists one by one; further pages are only counted.
pub const PAGES_LISTED: usize = 100;

/// How long the list of names in a note's detail may grow.
pub const NAMES_BYTES: usize = 2000;

/// One kind of thing that was survived while a stream was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Stable identifier, such as `undecodable-byte`.
    pub code: String,
    /// How often it happened.
    pub count: u64,
    /// Where it happened first.
    pub first: At,
    /// What was seen at the first place; never document text.
    pub detail: String,
    /// The first [`PAGES_LISTED`] pages it happened on, with the count on each.
    pub pages: Vec<(u64, u64)>,
}

/// The notes of one run, by code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    by_code: BTreeMap<String, Note>,
    /// The last page that was counted for a code.
    last_page: BTreeMap<String, u64>,
}

impl Notes {
    /// Counts one occurrence of `code` at `at`. `detail` is kept for the first occurrence only.
    pub fn add(&mut self, code: &str, at: At, detail: impl fmt::Display) {
        self.add_many(code, 1, at, detail);
    }

    /// Counts a page for `code` once, however many steps notice it one behind the other.
    pub fn add_page(&mut self, code: &str, at: At, detail: impl fmt::Display) {
        if self.last_page.get(code) != Some(&at.page) {
            self.last_page.insert(code.into(), at.page);
            self.add(code, at, detail);
        }
    }

    /// Counts `count` occurrences of `code` on one page; 0 does nothing.
    pub fn add_many(&mut self, code: &str, count: u64, at: At, detail: impl fmt::Display) {
        if count == 0 {
            return;
        }
        if !self.by_code.contains_key(code) {
            let note = Note { code: code.into(), count: 0, first: at, detail: detail.to_string(), pages: Vec::new() };
            self.by_code.insert(code.into(), note);
        }
        let Some(note) = self.by_code.get_mut(code) else { return };
        note.count += count;
        let listed = note.pages.len();
        match note.pages.last_mut() {
            Some((page, n)) if *page == at.page => *n += count,
            _ if listed < PAGES_LISTED => note.pages.push((at.page, count)),
            _ => {}
        }
    }

    /// Counts one occurrence that concerns something with a name, such as a missing resource: the detail lists all different
    /// names, as far as [`NAMES_BYTES`] reach.
    pub fn add_named(&mut self, code: &str, at: At, name: &str) {
        let known = self.by_code.get(code).is_some_and(|note| {
            note.detail.len() >= NAMES_BYTES || note.detail.split("; ").any(|listed| listed == name)
        });
        if let Some(note) = self.by_code.get_mut(code).filter(|_| !known) {
            note.detail.push_str("; ");
            note.detail.push_str(name);
        }
        self.add(code, at, name);
    }

    /// All notes, ordered by code.
    pub fn into_list(self) -> Vec<Note> {
        self.by_code.into_values().collect()
    }

    /// All notes, ordered by code.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.by_code.values()
    }

    /// How often `code` was counted.
    pub fn count(&self, code: &str) -> u64 {
        self.by_code.get(code).map_or(0, |note| note.count)
    }

    /// Takes over the notes of another run.
    pub fn merge(&mut self, other: Notes) {
        for (code, note) in other.by_code {
            match self.by_code.get_mut(&code) {
                Some(mine) => {
                    mine.count += note.count;
                    let room = PAGES_LISTED.saturating_sub(mine.pages.len());
                    mine.pages.extend(note.pages.into_iter().take(room));
                }
                None => {
                    self.by_code.insert(code, note);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_once_each() {
        let mut notes = Notes::default();
        for name in ["overlay A", "overlay B", "overlay A", "overlay C"] {
            notes.add_named("missing", At::default(), name);
        }
        (0..1000).for_each(|number| notes.add_named("missing", At::default(), &format!("overlay {number}")));
        let list = notes.into_list();
        assert_eq!(list[0].count, 1004);
        assert!(list[0].detail.starts_with("overlay A; overlay B; overlay C; overlay 0"));
        assert!(list[0].detail.len() < NAMES_BYTES + 20);
    }

    #[test]
    fn a_page_that_two_steps_notice_is_counted_once() {
        let mut notes = Notes::default();
        for page in [3, 3, 4, 9, 9] {
            notes.add_page("empty-page", At { page, ..At::default() }, "nothing is printed on the page");
        }
        let list = notes.into_list();
        assert_eq!((list[0].count, &list[0].pages), (3, &vec![(3, 1), (4, 1), (9, 1)]));
    }

    #[test]
    fn notes_count_by_code_and_page_and_keep_the_first_place() {
        let mut notes = Notes::default();
        notes.add("line-too-long", At { byte: 10, record: 1, page: 1 }, "200 bytes");
        notes.add("line-too-long", At { byte: 90, record: 2, page: 1 }, "300 bytes");
        notes.add_many("line-too-long", 3, At { byte: 99, record: 3, page: 2 }, "");
        let list = notes.into_list();
        assert_eq!(list.len(), 1);
        assert_eq!((list[0].count, list[0].first.byte, list[0].detail.as_str()), (5, 10, "200 bytes"));
        assert_eq!(list[0].pages, vec![(1, 2), (2, 3)]);
    }
}
