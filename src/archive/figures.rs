//! Counters of what was loaded: by day and by report definition. They follow the numbered changes of the catalogue, so a
//! look at them costs what changed since the last one, and never a walk through all loads.
//!
//! Rows in [`Family::Settings`]: `figures/seq` the last change that is counted, `figures/load/` + number what was counted
//! of a load (to take it back when it is unloaded or cut anew), `figures/day/` + day (since 1970, 4 bytes) and
//! `figures/report/` + name the [`Sums`]. All are derived: without them they are counted again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::ArchiveError;
use super::kv::{Batch, Family};
use super::{Archive, Change, LoadId, LoadRow, Seq, rows};

const SEQ: &[u8] = b"figures/seq";
const LOAD: &[u8] = b"figures/load/";
const DAY: &[u8] = b"figures/day/";
const REPORT: &[u8] = b"figures/report/";
/// Changes that are counted in one step.
const STEP: usize = 2_000;

/// What loads come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Loads.
    pub loads: u64,
    /// Documents.
    pub documents: u64,
    /// Pages.
    pub pages: u64,
    /// Bytes captured.
    pub bytes: u64,
    /// Bytes that blocks and rows take.
    pub stored: u64,
}

impl Sums {
    fn of(row: &LoadRow) -> Sums {
        let documents = u64::from(row.documents);
        Sums { loads: 1, documents, pages: row.pages, bytes: row.bytes, stored: row.stored_bytes }
    }

    /// Counts something in.
    pub fn add(&mut self, other: &Sums) {
        self.each(other, u64::saturating_add);
    }

    fn take(&mut self, other: &Sums) {
        self.each(other, u64::saturating_sub);
    }

    fn each(&mut self, other: &Sums, with: fn(u64, u64) -> u64) {
        self.loads = with(self.loads, other.loads);
        self.documents = with(self.documents, other.documents);
        self.pages = with(self.pages, other.pages);
        self.bytes = with(self.bytes, other.bytes);
        self.stored = with(self.stored, other.stored);
    }
}

/// What was counted of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Counted {
    day: i32,
    report: String,
    sums: Sums,
}

/// Counters that change in one step.
#[derive(Default)]
struct Changed {
    days: BTreeMap<i32, Sums>,
    reports: BTreeMap<String, Sums>,
    loads: BTreeMap<u32, Option<Counted>>,
}

fn day_key(day: i32) -> Vec<u8> {
    // The sign turned, so that days before 1970 come first.
    [DAY, &(day.cast_unsigned() ^ (1 << 31)).to_be_bytes()].concat()
}

fn load_key(load: u32) -> Vec<u8> {
    [LOAD, &load.to_be_bytes()].concat()
}

fn report_key(name: &str) -> Vec<u8> {
    [REPORT, name.as_bytes()].concat()
}

/// One thread counts at a time.
static COUNTING: Mutex<()> = Mutex::new(());

impl Archive {
    /// Counts what changed since the last time.
    pub fn count_figures(&self) -> Result<(), ArchiveError> {
        let _turn = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
        let counted: Seq = self.figure(SEQ)?.unwrap_or_default();
        if counted >= self.last_seq() {
            return Ok(());
        }
        for step in self.changes_after(counted)?.chunks(STEP) {
            let mut changed = Changed::default();
            for (_, change) in step {
                match change {
                    Change::Loaded(load) => {
                        self.uncount(*load, &mut changed)?;
                        self.count(*load, &mut changed)?;
                    }
                    Change::Unloaded(load) => self.uncount(*load, &mut changed)?,
                }
            }
            let Some((last, _)) = step.last() else { break };
            self.keep_figures(changed, *last)?;
        }
        Ok(())
    }

    /// Counts a load again whose row says something else of its bytes than when it was counted.
    pub(super) fn recount(&self, load: LoadId) -> Result<(), ArchiveError> {
        let _turn = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
        let counted: Option<Counted> = self.figure(&load_key(load.0))?;
        let Some(upto) = self.figure(SEQ)?.filter(|_| counted.is_some()) else { return Ok(()) };
        let mut changed = Changed::default();
        self.uncount(load, &mut changed)?;
        self.count(load, &mut changed)?;
        self.keep_figures(changed, upto)
    }

    fn figure<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, ArchiveError> {
        rows::get(&*self.engine, Family::Settings, "a figure", key)
    }

    fn count(&self, load: LoadId, changed: &mut Changed) -> Result<(), ArchiveError> {
        let row = match self.load_row(load) {
            Ok(row) => row,
            // A later change says that it is gone.
            Err(ArchiveError::NoLoad(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let day = i32::try_from(row.loaded_at.div_euclid(86_400)).unwrap_or_default();
        let counted = Counted { day, report: row.definition.clone(), sums: Sums::of(&row) };
        self.sums(&counted, changed, Sums::add)?;
        changed.loads.insert(load.0, Some(counted));
        Ok(())
    }

    /// Takes back what was counted of a load, if anything was.
    fn uncount(&self, load: LoadId, changed: &mut Changed) -> Result<(), ArchiveError> {
        let known = match changed.loads.get(&load.0) {
            Some(known) => known.clone(),
            None => self.figure(&load_key(load.0))?,
        };
        if let Some(counted) = known {
            self.sums(&counted, changed, Sums::take)?;
        }
        changed.loads.insert(load.0, None);
        Ok(())
    }

    fn sums(&self, of: &Counted, changed: &mut Changed, with: fn(&mut Sums, &Sums)) -> Result<(), ArchiveError> {
        if let Entry::Vacant(free) = changed.days.entry(of.day) {
            free.insert(self.figure(&day_key(of.day))?.unwrap_or_default());
        }
        if let Entry::Vacant(free) = changed.reports.entry(of.report.clone()) {
            free.insert(self.figure(&report_key(&of.report))?.unwrap_or_default());
        }
        for sums in changed.days.get_mut(&of.day).into_iter().chain(changed.reports.get_mut(&of.report)) {
            with(sums, &of.sums);
        }
        Ok(())
    }

    fn keep_figures(&self, changed: Changed, upto: Seq) -> Result<(), ArchiveError> {
        let mut batch = Batch::default();
        for (day, sums) in changed.days {
            rows::put(&mut batch, Family::Settings, day_key(day), &sums)?;
        }
        for (report, sums) in changed.reports {
            rows::put(&mut batch, Family::Settings, report_key(&report), &sums)?;
        }
        for (load, counted) in changed.loads {
            match counted {
                Some(counted) => rows::put(&mut batch, Family::Settings, load_key(load), &counted)?,
                None => batch.delete(Family::Settings, load_key(load)),
            }
        }
        rows::put(&mut batch, Family::Settings, SEQ.to_vec(), &upto)?;
        self.engine.commit(batch)?;
        Ok(())
    }

    /// What came on each day from one to another, both included, in order; days without loads are left out.
    pub fn daily(&self, from: i32, to: i32) -> Result<Vec<(i32, Sums)>, ArchiveError> {
        let mut found = Vec::new();
        let mut each = |key: &[u8], sums| {
            if let Some(bytes) = key.last_chunk::<4>() {
                found.push(((u32::from_be_bytes(*bytes) ^ (1 << 31)).cast_signed(), sums));
            }
        };
        self.each_figure(&day_key(from), &day_key(to.saturating_add(1)), &mut each)?;
        Ok(found)
    }

    /// What came for each report definition, by name.
    pub fn by_report(&self) -> Result<Vec<(String, Sums)>, ArchiveError> {
        let mut found = Vec::new();
        let mut end = REPORT.to_vec();
        end.push(0xff);
        self.each_figure(REPORT, &end, &mut |key, sums| {
            let name = key.get(REPORT.len()..).unwrap_or_default();
            found.push((String::from_utf8_lossy(name).into_owned(), sums));
        })?;
        found.retain(|(_, sums): &(String, Sums)| sums.loads > 0);
        Ok(found)
    }

    fn each_figure(&self, from: &[u8], to: &[u8], each: &mut dyn FnMut(&[u8], Sums)) -> Result<(), ArchiveError> {
        let mut failed = None;
        self.engine.scan(Family::Settings, from..to, &mut |key, value| {
            match rows::parse("a figure", key, value) {
                Ok(sums) => each(key, sums),
                Err(error) => failed = Some(error),
            }
            if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        failed.map_or(Ok(()), Err)
    }
}
