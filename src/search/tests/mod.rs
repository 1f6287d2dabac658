//! Behaviour of search over a catalogue in memory.

mod feeding;
mod lists;
mod memory;
mod queries;
mod rights;
mod scale;

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::searching::HITS_AT_ONCE;
use super::*;
use crate::archive::LoadId;
use crate::auth::gate::Scope;
use crate::auth::predicate::Predicate;
use memory::Memory;

/// A folder that goes when it is dropped.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let path = std::env::temp_dir().join(format!("greenbar-search-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Dir(path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn small() -> Options {
    Options { writer_bytes: 16 << 20, commit_documents: 100_000, part_bytes: 4 << 20 }
}

/// A search over everything that a catalogue has.
fn fed(name: &str, catalogue: &Memory) -> (Dir, Search) {
    let dir = Dir::new(name);
    let search = Search::open_with(&dir.0, small()).expect("opens");
    search.catch_up(catalogue, &mut |_| {}).expect("catches up");
    (dir, search)
}

/// The scope of somebody who may see everything, though masked.
fn everybody() -> Scope {
    Scope::for_tests(Predicate::Everything)
}

/// The scope of somebody who may see the documents of these accounts.
fn of(accounts: &[String]) -> Scope {
    Scope::for_tests(Predicate::Account(accounts.to_vec()))
}

fn query(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What a query finds, in document order.
fn ids(search: &Search, catalogue: &Memory, text: &str) -> Vec<String> {
    let window = Window { limit: 10_000, sort: Sort::DateAscending, ..Window::default() };
    let list =
        search.hits(catalogue, &query(text), &everybody(), &window).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(list.total, list.hits.len() as u64, "{text}");
    let mut found: Vec<_> = list.hits.into_iter().map(|hit| hit.id).collect();
    found.sort_unstable();
    found.into_iter().map(|id| id.to_string()).collect()
}
