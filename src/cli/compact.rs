//! `greenbar compact`: old blocks anew, smaller.

use std::sync::Arc;

use crate::archive::compact::{LEVEL, Recoded, Recoding};
use crate::archive::{Archive, LoadId, LoadRow};
use crate::auth::permission::Permission;

use super::context::{self, Context, load_id, operator};
use super::failure::Failure;
use super::output::{self, bytes, counted, grouped};

/// Encodes the blocks of loads anew, harder than a load has time for, and in columns where the newest version of the
/// definition asks for it. Each load is proved first and each new block before it takes the old one's place; documents,
/// digests and the search index stay as they are. What was interrupted goes on where it stopped. Loads under a legal
/// hold are left alone. No server may run on the archive.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only loads of this report
    #[arg(long, value_name = "NAME")]
    definition: Option<String>,
    /// Only this load
    #[arg(long, value_parser = load_id)]
    load: Option<LoadId>,
    /// Sort line data into columns whatever the definition says
    #[arg(long)]
    small: bool,
    /// How hard to compress; reading does not get slower
    #[arg(long, default_value_t = LEVEL, value_parser = clap::value_parser!(i32).range(1..=19))]
    level: i32,
}

/// What a run came to.
#[derive(Debug, Default)]
struct Sum {
    compacted: u64,
    kept: u64,
    held: u64,
    failed: u64,
    blocks: u64,
    before: u64,
    after: u64,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let mut loads = archive.loads()?;
        loads.retain(|row| {
            self.load.is_none_or(|only| only == row.id)
                && self.definition.as_ref().is_none_or(|name| *name == row.definition)
        });
        if loads.is_empty() && (self.load.is_some() || self.definition.is_some()) {
            return Err(Failure::new("there is no such load"));
        }
        let how = Recoding { small: self.small, level: self.level };
        let mut sum = Sum::default();
        for row in &loads {
            compact(&archive, row, &how, &mut sum)?;
        }
        let Sum { compacted, kept, held, failed, blocks, before, after } = sum;
        let object = serde_json::json!({
            "loads_compacted": compacted,
            "loads_kept": kept,
            "loads_held": held,
            "loads_failed": failed,
            "blocks_replaced": blocks,
            "stored_before": before,
            "stored_after": after,
        });
        let text = format!(
            "{} encoded anew ({} to {}), {} as small as they get, {} held",
            counted(compacted, "load", "loads"),
            bytes(before),
            bytes(after),
            grouped(kept),
            grouped(held),
        );
        output::done(context.json, &object, text)?;
        if failed > 0 { Err(Failure::reported()) } else { Ok(()) }
    }
}

/// One load. What is damaged is told and left as it is; the others are done all the same.
fn compact(archive: &Arc<Archive>, row: &LoadRow, how: &Recoding, sum: &mut Sum) -> Result<(), Failure> {
    if !archive.recode_due(row.id, how)? {
        sum.kept += 1;
        return Ok(());
    }
    if let Err(held) = crate::records::not_held(archive, row.id) {
        sum.held += 1;
        output::aside(held);
        return Ok(());
    }
    let (what, columns) = (format!("load {}", row.id), if how.small { "columns" } else { "as defined" });
    let why = format!("{columns}, level {}", how.level);
    context::gate(archive).record_by(&operator(), Permission::LoadWrite, "compact", &what, &why)?;
    match crate::records::compact(archive, row.id, how) {
        Ok(Recoded { replaced: 0, .. }) => sum.kept += 1,
        Ok(done) => {
            sum.compacted += 1;
            sum.blocks += done.replaced;
            sum.before += done.before;
            sum.after += done.after;
            output::aside(format!("load {}: {} to {}", row.id, bytes(done.before), bytes(done.after)));
        }
        Err(error) => {
            sum.failed += 1;
            Failure::from(error).print();
        }
    }
    Ok(())
}
