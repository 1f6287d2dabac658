//! `greenbar compact`: stores the blocks of old loads anew, smaller.

use crate::archive::{Compacted, LoadId, LoadRow};
use crate::index::definition::Compression;
use crate::records::{self, RecordsError};

use super::context::{self, Context, load_id, operator};
use super::failure::Failure;
use super::output::{self, byte_bar, bytes, counted, grouped};

/// Stores the blocks of old loads anew where that makes them smaller: sorted into columns (reports whose definition now
/// says `compression = "small"`, or all with --small), or with the newest dictionary of the report.
///
/// Every block is unpacked and compared before it takes the place of the old one; documents, numbers, digests and
/// what `export-load` writes stay the same. It can be interrupted at any moment and goes on where it stopped. Loads under a
/// legal hold are left alone. No server may run meanwhile.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this load (repeatable)
    #[arg(long, value_parser = load_id)]
    load: Vec<LoadId>,
    /// Sort line data of all reports into columns, whatever their definitions say
    #[arg(long)]
    small: bool,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let mut loads = archive.loads()?;
        if let Some(unknown) = self.load.iter().find(|id| !loads.iter().any(|row| row.id == **id)) {
            return Err(Failure::new(format!("there is no load {unknown}")));
        }
        loads.retain(|row| self.load.is_empty() || self.load.contains(&row.id));
        let what = match loads.as_slice() {
            [one] => format!("load {}", one.id),
            many => format!("{} loads", many.len()),
        };
        context::gate(&archive).record(&operator(), "compact", &what, if self.small { "small" } else { "" })?;
        let bar = byte_bar(None, "compact");
        bar.set_length(loads.iter().map(|row| row.bytes).sum());
        let (mut done, mut held, mut passed) = (Compacted::default(), Vec::new(), 0);
        for row in &loads {
            let compression = self.compression(&archive, row)?;
            match records::compact(&archive, row.id, compression, &|at| bar.set_position(passed + at)) {
                Ok(load) => done = done.plus(load),
                Err(RecordsError::Held { .. }) => held.push(row.id),
                Err(error) => return Err(error.into()),
            }
            passed += row.bytes;
        }
        if done.stored_anew > 0 {
            archive.reclaim()?;
        }
        bar.finish_and_clear();
        tell(context, loads.len(), done, &held)
    }

    fn compression(&self, archive: &crate::archive::Archive, row: &LoadRow) -> Result<Compression, Failure> {
        if self.small {
            return Ok(Compression::Small);
        }
        let newest = archive.definition(&row.definition, None)?;
        Ok(newest.map_or(Compression::Fast, |definition| definition.compression))
    }
}

fn tell(context: &Context, loads: usize, done: Compacted, held: &[LoadId]) -> Result<(), Failure> {
    if context.json {
        return output::json_line(&serde_json::json!({
            "loads": loads,
            "loads_held": held,
            "blocks": done.blocks,
            "blocks_stored_anew": done.stored_anew,
            "bytes_before": done.before,
            "bytes_now": done.after,
        }));
    }
    for load in held {
        output::aside(format!("load {load} is under a legal hold and stays as it is"));
    }
    output::line(format!(
        "{}: {} of {} stored anew, {} before, {} now",
        counted(loads as u64, "load", "loads"),
        grouped(done.stored_anew),
        counted(done.blocks, "block", "blocks"),
        bytes(done.before),
        bytes(done.after),
    ))
}
