//! Customers, accounts and contact points from files: CSV or JSON lines, with a mapping of their columns.
//!
//! A row names a customer by its key in the other system ([`Mapping::system`]); a row whose key is known changes that
//! customer, another adds one. Columns that the mapping does not name, and members that a row leaves out, leave what is
//! kept as it is (a *delta*); without `delta` an empty value takes what was kept away. Rows that are wrong are told with
//! their line and column and passed over; a dry run does everything but keep.
//!
//! An account that the file gives to two customers stays as it is, and both rows are told. Contact points that import
//! brought follow the source: a value that changed, or without `delta` went away, takes the old point with it ([`brought`]).
//!
//! The same file twice changes nothing. Rows are kept one by one without waiting for the disk; the end of the file is
//! one synced step, and whoever was interrupted imports the file again.

mod brought;
mod claims;
mod csv;
mod json;
mod mapping;
mod row;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{BufRead, Read, Seek};

use serde::Serialize;

use brought::Brought;
use claims::Contested;
pub use mapping::{Mapping, MappingError};

use super::{Crm, CrmError};
use crate::archive::kv::Batch;

/// How to import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportHow {
    /// An empty value leaves what is kept as it is.
    pub delta: bool,
    /// Nothing is kept.
    pub dry_run: bool,
}

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Rows read.
    pub rows: u64,
    /// Customers added.
    pub customers_added: u64,
    /// Customers changed.
    pub customers_changed: u64,
    /// Accounts added.
    pub accounts_added: u64,
    /// Accounts changed.
    pub accounts_changed: u64,
    /// Contact points added.
    pub contact_points_added: u64,
    /// Contact points changed: verified or given other days.
    pub contact_points_changed: u64,
    /// Contact points that an import brought and the source tells no more.
    pub contact_points_removed: u64,
    /// Rows that changed nothing.
    pub unchanged: u64,
    /// Rows that could not be taken.
    pub failed: u64,
    /// What was wrong, the first 1,000.
    pub errors: Vec<RowError>,
    /// Columns that the mapping names and the file does not have: what is kept of them stays.
    pub absent_columns: Vec<String>,
    /// Nothing was kept.
    pub dry_run: bool,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// Line of the file, from 1, where the row begins.
    pub line: u64,
    /// Column: its name, or its number from 1 where there is none; empty: the row as a whole.
    pub column: String,
    /// What is wrong.
    pub problem: String,
}

/// What ends an import.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file could not be read.
    #[error("the file could not be read")]
    Read(#[from] std::io::Error),
    /// The file does not fit the mapping at all.
    #[error("line {line}: {problem}")]
    File {
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// The store failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
}

/// Errors that are listed.
const MOST_ERRORS: usize = 1_000;
/// Bytes of a row at most.
const MOST_ROW: usize = 1 << 20;

/// The values of a row by the names of its columns.
#[derive(Debug, Clone, Default)]
struct Record {
    line: u64,
    values: Vec<(String, String)>,
}

impl Record {
    /// The value of a column; `None` when the row has no such column.
    fn get(&self, column: &str) -> Option<&str> {
        self.values.iter().find(|(name, _)| name == column).map(|(_, value)| value.as_str())
    }
}

/// What all rows of a run share.
struct Run<'m> {
    mapping: &'m Mapping,
    how: ImportHow,
    country: String,
    contested: Contested,
    seen: RefCell<HashSet<String>>,
    brought: RefCell<Brought>,
}

/// A file of customers. It is read twice: what it says of an account is known before the first row is taken.
pub trait Source: BufRead + Seek {}

impl<T: BufRead + Seek> Source for T {}

/// Where rows come from; the error of one row does not end the file.
trait Records {
    /// The next row; `None` after the last.
    fn next(&mut self) -> Result<Option<Result<Record, RowError>>, ImportError>;

    /// Those of some columns that no row has.
    fn absent(&self, columns: &mut dyn Iterator<Item = &str>) -> Vec<String>;
}

/// The rows of a file, which is CSV or JSON lines: its first character tells.
fn records<'f>(file: &'f mut dyn Source, mapping: &Mapping) -> Result<Box<dyn Records + 'f>, ImportError> {
    let json = {
        let head = file.fill_buf()?;
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
    };
    let records: Box<dyn Records + 'f> =
        if json { Box::new(json::Lines::new(file)) } else { Box::new(csv::Rows::new(file, mapping)?) };
    Ok(records)
}

impl Crm {
    /// Imports a file from where it stands. `by` is who imports.
    pub fn import(
        &self,
        by: &str,
        file: &mut dyn Source,
        mapping: &Mapping,
        how: ImportHow,
        progress: &mut dyn FnMut(&ImportReport),
    ) -> Result<ImportReport, ImportError> {
        let start = file.stream_position()?;
        let contested = Contested::read(&mut *records(file, mapping)?, mapping)?;
        file.seek(std::io::SeekFrom::Start(start))?;
        let country = self.default_country()?;
        let run = Run { mapping, how, country, contested, seen: RefCell::default(), brought: RefCell::default() };
        let mut records = records(file, mapping)?;
        let absent_columns = records.absent(&mut mapping.columns());
        let mut report = ImportReport { dry_run: how.dry_run, absent_columns, ..ImportReport::default() };
        while let Some(record) = records.next()? {
            report.rows += 1;
            let taken = match record {
                Ok(record) => self.import_row(by, &record, &run, &mut report)?,
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                report.failed += 1;
                if report.errors.len() < MOST_ERRORS {
                    report.errors.push(error);
                }
            }
            if report.rows.is_multiple_of(500) {
                progress(&report);
            }
        }
        self.end_brought(by, &run.brought.borrow(), how.dry_run, &mut report)?;
        // Makes durable what was written before without waiting.
        self.engine.commit(Batch::default()).map_err(CrmError::from)?;
        Ok(report)
    }
}

/// Reads at most `limit` bytes up to a line end, without it; `None` at the end of the file.
fn line(file: &mut dyn BufRead, out: &mut Vec<u8>, limit: usize) -> std::io::Result<bool> {
    out.clear();
    let read = file.take(limit as u64 + 1).read_until(b'\n', out)?;
    if out.last() == Some(&b'\n') {
        out.pop();
    }
    Ok(read > 0)
}
