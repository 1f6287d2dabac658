//! `greenbar export-load`: the captured bytes back.

use std::path::PathBuf;

use crate::archive::LoadId;
use crate::auth::permission::Permission;

use super::context::{self, Context, load_id};
use super::failure::Failure;
use super::output;

/// Writes exactly the bytes that were captured, whatever was in them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The load's number
    #[arg(value_parser = load_id)]
    load: LoadId,
    /// Where to (standard output when left out)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        archive.load_row(self.load)?;
        let (gate, who) = (context::gate(&archive), context::operator());
        gate.record_by(&who, Permission::LoadExport, "export-load", &format!("load {}", self.load), "original")?;
        output::to_file_or_stdout(self.output.as_deref(), |out| {
            archive.export_load(self.load, out)?;
            Ok(())
        })?;
        output::written(context.json, self.output.as_deref())
    }
}
