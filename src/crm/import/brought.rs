//! Contact points that import brought before: those that the source no longer tells are taken away at the end of a file.
//!
//! A point belongs to the columns that it came from. While the rows are taken, what the file tells is remembered, and
//! what differs from it is doubted; a value that another row or column of the same file tells stays. What people added
//! or changed is never doubted, and neither is anything of an owner one of whose rows could not be taken.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use super::ImportReport;
use super::mapping::{ContactColumns, Mapping};
use crate::archive::kv::Batch;
use crate::crm::contact::{ContactData, ContactKind, ContactPoint, Owner};
use crate::crm::{Crm, CrmError};

/// Points that are taken away in one step.
const AT_ONCE: usize = 500;
/// Longest source that is kept, in characters.
const MOST_SOURCE: usize = 100;

/// What a contact point that came from these columns has as its source.
pub(super) fn source(mapping: &Mapping, columns: &ContactColumns) -> String {
    let text = format!("import {}: {}", mapping.system, columns.value.join(", "));
    text.chars().filter(|c| !c.is_control()).take(MOST_SOURCE).collect::<String>().trim().to_string()
}

/// What a file tells of contact points, and what it seems to tell no more.
#[derive(Debug, Default)]
pub(super) struct Brought {
    hasher: RandomState,
    /// Fingerprints of the values told: a file may have millions.
    told: HashSet<u64>,
    /// Points that differ from what was told, by id.
    doubted: BTreeMap<String, Owner>,
    spared: HashSet<Owner>,
}

impl Brought {
    fn mark(&self, owner: &Owner, kind: ContactKind, normalised: &str) -> u64 {
        self.hasher.hash_one((owner, kind, normalised))
    }

    /// The file tells this value.
    pub fn tell(&mut self, owner: &Owner, kind: ContactKind, normalised: &str) {
        let mark = self.mark(owner, kind, normalised);
        self.told.insert(mark);
    }

    /// The columns of `source` tell another value than the points that came from them, or none.
    pub fn doubt(&mut self, points: &[ContactPoint], kind: ContactKind, source: &str, told: Option<&str>) {
        // Before there were sources by column, all that import brought had this one.
        let of_import = |point: &ContactPoint| point.source == source || point.source == "import";
        let other = |point: &&ContactPoint| {
            point.kind == kind && of_import(point) && told.is_none_or(|value| value != point.normalised)
        };
        self.doubted.extend(points.iter().filter(other).map(|point| (point.id.clone(), point.owner.clone())));
    }

    /// A row of the owner could not be taken: the file does not say all.
    pub fn spare(&mut self, owner: Owner) {
        self.spared.insert(owner);
    }
}

impl Crm {
    /// Takes away what the file, now read to its end, tells no more.
    pub(super) fn end_brought(
        &self,
        by: &str,
        brought: &Brought,
        dry_run: bool,
        report: &mut ImportReport,
    ) -> Result<(), CrmError> {
        let doubted: Vec<&String> =
            brought.doubted.iter().filter(|(_, owner)| !brought.spared.contains(owner)).map(|(id, _)| id).collect();
        for ids in doubted.chunks(AT_ONCE) {
            let _turn = self.lock();
            let mut batch = Batch::default();
            for id in ids {
                let Some(point) = self.find::<ContactData>(id)? else { continue };
                if brought.told.contains(&brought.mark(&point.owner, point.kind, &point.normalised)) {
                    continue;
                }
                report.contact_points_removed += 1;
                self.remove(&mut batch, by, &point)?;
            }
            if !dry_run {
                self.engine.commit_later(batch)?;
            }
        }
        Ok(())
    }
}
